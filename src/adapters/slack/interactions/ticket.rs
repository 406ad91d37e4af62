//! How one interaction is answered: in private through its response address, in the modal it came from, or in one that opens for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinError;

use crate::adapters::slack::api::Failure;
use crate::adapters::slack::{Done, Slack, Workspace, render};
use crate::app::App;
use crate::domain::message::{Form, Message, Reply};
use crate::domain::text;

/// What is ready within this time is shown in the modal that opens; anything slower comes into it later.
const AT_ONCE: Duration = Duration::from_millis(900);
/// A form waits this long for what stood in it before.
const FOR_A_FORM: Duration = Duration::from_millis(1_500);
/// The rest has until the response address ends, after 30 minutes.
const AT_LAST: Duration = Duration::from_secs(25 * 60);
/// A result is not shown sooner after its form was sent: else what the acknowledgement shows might come after it.
const BEHIND_THE_ACKNOWLEDGEMENT: Duration = Duration::from_millis(250);
/// Within this time a form may be delivered a second time.
const TWICE: Duration = Duration::from_secs(5);
/// How long a result is offered to Slack while it is limited or away.
const OFFERED: Duration = Duration::from_secs(300);

/// The title of every modal that shows what the bot says.
const TITLE: &str = "drillbot";

/// Where a modal was opened from: what Slack does not say when somebody presses something in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Origin {
    pub channel: String,
    pub name: String,
    /// The App Home.
    #[serde(default)]
    pub home: bool,
}

/// What somebody is to see.
pub(super) enum Sight {
    /// `replaces` a private message that was pressed.
    Message { message: Message, replaces: bool },
    /// A view, and what is said when it is too late to open one.
    Form { view: Value, otherwise: Message },
}

impl From<Reply> for Sight {
    fn from(reply: Reply) -> Sight {
        match reply {
            Reply::Show { message } => Sight::Message { message, replaces: false },
            Reply::Replace { message } => Sight::Message { message, replaces: true },
            Reply::Open { form } => Sight::form(&form),
        }
    }
}

impl Sight {
    fn form(form: &Form) -> Sight {
        Sight::Form { view: render::modal(form, ""), otherwise: text::too_late_for_a_form() }
    }

    pub fn show(message: Message) -> Sight {
        Sight::from(Reply::show(message))
    }
}

/// How it is shown.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// By messages that only this person sees; `replaces` when the message that was pressed is one.
    Private { url: String, replaces: bool, thread: Option<String> },
    /// In the modal that is open.
    Modal { view: String },
    /// In a modal that opens for it; when it is too late for that, in private at this address.
    New { url: Option<String> },
}

/// A form that was sent.
pub(super) struct Sent {
    pub heard: Instant,
    /// Rings when it comes a second time.
    pub again: Arc<Notify>,
}

/// The means to answer one interaction.
pub(super) struct Ticket {
    pub slack: Slack,
    pub workspace: Arc<Workspace>,
    pub user: String,
    pub trigger: String,
    pub stage: Stage,
    pub origin: Origin,
    /// Which interaction it is, in the order in which they were heard.
    pub turn: u64,
    /// The modal as the person left it.
    pub left: Option<Value>,
    pub sent: Option<Sent>,
    /// What became of a sent form: the modal, and what it was changed to.
    pub result: Option<(String, Value)>,
}

/// What came of the work; the error is in the person's words.
type Outcome = Result<Sight, Message>;

impl Ticket {
    /// Does the work and shows what came of it; with a form at hand, opens that when the work is slow.
    pub async fn answer<W>(&mut self, form: Option<Form>, work: W)
    where
        W: Future<Output = anyhow::Result<Sight>> + Send + 'static,
    {
        // A task of its own: what has begun is finished, whatever becomes of the answer.
        let mut work = tokio::spawn(work);
        match (&self.stage, form) {
            (Stage::New { url }, _) => {
                let url = url.clone();
                let soon = tokio::time::timeout(AT_ONCE, &mut work).await.ok().map(|done| self.here(settled(done)));
                let first = soon.as_ref().map_or_else(|| in_modal(&text::one_moment()), view_of);
                match (self.open(first).await, soon, url) {
                    (Some(_), Some(_), _) => return,
                    (Some(view), None, _) => self.stage = Stage::Modal { view },
                    (None, soon, Some(url)) => {
                        self.stage = Stage::Private { url, replaces: false, thread: None };
                        if let Some(done) = soon {
                            return self.respond(&words_of(done), false).await;
                        }
                    }
                    (None, _, None) => return,
                }
            }
            (Stage::Private { .. }, Some(form)) => match tokio::time::timeout(FOR_A_FORM, &mut work).await {
                Ok(done) => return self.show(settled(done)).await,
                Err(_) => {
                    work.abort();
                    return self.show(Ok(Sight::form(&form))).await;
                }
            },
            _ => {}
        }
        let done = tokio::time::timeout(AT_LAST, work).await;
        self.show(done.map_or_else(|_| Err(App::try_again_later()), settled)).await;
    }

    /// With the names that commands have here.
    fn here(&self, done: Outcome) -> Outcome {
        let names = self.slack.names();
        match done {
            Ok(Sight::Message { message, replaces }) => {
                Ok(Sight::Message { message: names.in_message(&message), replaces })
            }
            Ok(Sight::Form { view, otherwise }) => Ok(Sight::Form { view, otherwise: names.in_message(&otherwise) }),
            Err(message) => Err(names.in_message(&message)),
        }
    }

    pub async fn show(&mut self, done: Outcome) {
        let done = self.here(done);
        match &self.stage {
            Stage::Private { replaces, .. } => match done {
                Ok(Sight::Form { view, otherwise }) => {
                    if self.open(view).await.is_none() {
                        self.respond(&otherwise, false).await;
                    }
                }
                Ok(Sight::Message { message, replaces: wanted }) => self.respond(&message, wanted && *replaces).await,
                Err(message) => self.respond(&message, false).await,
            },
            Stage::Modal { view } => self.show_in(view.clone(), done).await,
            Stage::New { .. } => {}
        }
    }

    async fn show_in(&mut self, view: String, done: Outcome) {
        if let Some(sent) = &self.sent {
            tokio::time::sleep(BEHIND_THE_ACKNOWLEDGEMENT.saturating_sub(sent.heard.elapsed())).await;
        }
        let next = match (&done, &self.left) {
            // What was written is not to be lost.
            (Err(words), Some(left)) => render::again(left, words),
            _ => view_of(&done),
        };
        let body = json!({ "view_id": view, "view": self.with_origin(next) });
        match (self.update(&view, &body).await, &self.sent) {
            (Ok(()), Some(_)) => self.result = Some((view, body)),
            // Closed meanwhile; what became of a form is told nevertheless.
            (Err(failure), Some(_)) if failure.code() == "not_found" => self.tell(&words_of(done)).await,
            (Err(failure), _) => tracing::debug!(why = failure.why(), "a modal could not be updated"),
            (Ok(()), None) => {}
        }
    }

    /// Stays for a form that is delivered a second time: its second acknowledgement puts the waiting words over the result.
    pub async fn linger(self) {
        let (Some(sent), Some((view, body))) = (&self.sent, &self.result) else { return };
        if tokio::time::timeout(TWICE, sent.again.notified()).await.is_ok() {
            tokio::time::sleep(BEHIND_THE_ACKNOWLEDGEMENT).await;
            if let Err(failure) = self.update(view, body).await {
                tracing::debug!(why = failure.why(), "a modal could not be updated once more");
            }
        }
    }

    async fn update(&self, view: &str, body: &Value) -> Result<(), Failure> {
        let screen = self.slack.seen(|seen| seen.screen(view));
        let update = || async {
            let mut newest = screen.lock().await;
            if self.turn < *newest {
                return Ok(());
            }
            *newest = self.turn;
            self.slack.api().repeat::<Done>(&self.workspace.token, "views.update", body).await.map(drop)
        };
        patiently(update).await
    }

    fn with_origin(&self, mut view: Value) -> Value {
        // Two short texts and a flag.
        view["private_metadata"] = json!(serde_json::to_string(&self.origin).unwrap_or_default());
        view
    }

    /// Opens a modal; its id.
    async fn open(&self, view: Value) -> Option<String> {
        #[derive(Deserialize)]
        struct Opened {
            view: OpenedView,
        }
        #[derive(Deserialize)]
        struct OpenedView {
            id: String,
        }
        let body = json!({ "trigger_id": self.trigger, "view": self.with_origin(view) });
        match self.slack.api().once::<Opened>(&self.workspace.token, "views.open", &body).await {
            Ok(opened) => Some(opened.view.id),
            Err(failure) => {
                tracing::warn!(why = failure.why(), "a modal could not be opened");
                None
            }
        }
    }

    async fn respond(&self, message: &Message, replaces: bool) {
        let Stage::Private { url, thread, .. } = &self.stage else { return };
        let mut body = render::private(message);
        body["response_type"] = json!("ephemeral");
        body["replace_original"] = json!(replaces);
        if let (Some(thread), false) = (thread, replaces) {
            body["thread_ts"] = json!(thread);
        }
        if let Err(failure) = patiently(|| self.slack.api().respond(url, &body)).await {
            tracing::warn!(why = failure.why(), "an interaction could not be answered");
        }
    }

    /// Says something to this person alone in the channel in which the modal was opened.
    async fn tell(&self, message: &Message) {
        let mut body = render::private(message);
        body["channel"] = json!(self.origin.channel);
        body["user"] = json!(self.user);
        if let Err(failure) = self.slack.api().once::<Done>(&self.workspace.token, "chat.postEphemeral", &body).await {
            tracing::debug!(why = failure.why(), "what became of a form could not be told");
        }
    }
}

/// Goes on until Slack takes it or says no: many people who answer in the same minute meet its limits.
pub(super) async fn patiently<F, R>(mut call: F) -> Result<(), Failure>
where
    F: FnMut() -> R,
    R: Future<Output = Result<(), Failure>>,
{
    let begun = Instant::now();
    loop {
        let pause = match call().await {
            Err(Failure::Busy { after, .. }) => after,
            Err(Failure::Lost { .. }) => Duration::ZERO,
            done => return done,
        };
        let pause = pause.max(Duration::from_secs(1));
        if begun.elapsed() + pause > OFFERED {
            return Err(Failure::Lost { why: "Slack could not be reached for long".to_owned() });
        }
        tokio::time::sleep(pause).await;
    }
}

/// The view of a message; where one of its buttons would open a form of which all is known, with that form in it.
pub(super) fn in_modal(message: &Message) -> Value {
    match message.buttons.iter().find_map(|button| App::form_within(&button.action)) {
        Some(form) => render::modal_with(TITLE, message, &form, ""),
        None => render::modal_message(TITLE, message, ""),
    }
}

fn view_of(done: &Outcome) -> Value {
    match done {
        Ok(Sight::Form { view, .. }) => view.clone(),
        Ok(Sight::Message { message, .. }) | Err(message) => in_modal(message),
    }
}

fn words_of(done: Outcome) -> Message {
    match done {
        Ok(Sight::Form { otherwise: message, .. } | Sight::Message { message, .. }) | Err(message) => message,
    }
}

fn settled(done: Result<anyhow::Result<Sight>, JoinError>) -> Outcome {
    match done {
        Ok(Ok(sight)) => Ok(sight),
        Ok(Err(error)) => {
            tracing::error!(error = format!("{error:#}"), "cannot answer an interaction");
            Err(App::try_again_later())
        }
        Err(error) => {
            tracing::error!(%error, "the work for an interaction broke");
            Err(App::try_again_later())
        }
    }
}
