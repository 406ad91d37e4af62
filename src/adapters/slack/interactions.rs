//! Commands, presses, forms and shortcuts. Each is acknowledged at once and answered by a task of its own: in private through its response
//! address, or in a modal, whose trigger is good for three seconds.
//! Source: <https://docs.slack.dev/interactivity/handling-user-interaction>.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ids::{Spot, Target, member_id, micros, space_id};
use super::{Done, PLATFORM, Slack, Workspace, render, words};
use crate::app::inbox::Hears;
use crate::app::{Actor, App, Written};
use crate::domain::command;
use crate::domain::ids::{ChannelId, ThreadId};
use crate::domain::message::{Message, Reply};
use crate::domain::text;

/// What is ready within this time is shown in the modal that opens; anything slower comes into it later.
const AT_ONCE: Duration = Duration::from_millis(900);
/// A form waits this long for what stood in it before.
const FOR_A_FORM: Duration = Duration::from_millis(1_500);
/// The rest has until the response address ends, after 30 minutes.
const AT_LAST: Duration = Duration::from_secs(25 * 60);
/// How long a command waits to learn who gave it.
const FOR_A_PERSON: Duration = Duration::from_secs(2);
/// Triggers that are remembered, so that what comes twice is one.
const REMEMBERED: usize = 10_000;

/// The name of the message shortcut in the manifest.
pub const SAVE_AS_ANSWER: &str = "save_as_answer";

#[derive(Default)]
pub struct Seen {
    triggers: HashSet<String>,
    order: VecDeque<String>,
}

impl Seen {
    /// True the first time.
    fn note(&mut self, trigger: &str) -> bool {
        if self.triggers.contains(trigger) {
            return false;
        }
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.triggers.remove(&oldest);
        }
        self.order.push_back(trigger.to_owned());
        self.triggers.insert(trigger.to_owned())
    }
}

#[derive(Deserialize)]
struct SlashCommand {
    team_id: String,
    channel_id: String,
    #[serde(default)]
    channel_name: String,
    user_id: String,
    #[serde(default)]
    user_name: String,
    command: String,
    #[serde(default)]
    text: String,
    response_url: String,
    trigger_id: String,
}

#[derive(Deserialize)]
struct Id {
    #[serde(default)]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    username: String,
}

#[derive(Deserialize)]
struct Interaction {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    team: Option<Id>,
    user: Id,
    #[serde(default)]
    trigger_id: String,
    #[serde(default)]
    channel: Option<Id>,
    #[serde(default)]
    container: Container,
    #[serde(default)]
    actions: Vec<Pressed>,
    #[serde(default)]
    view: Option<View>,
    #[serde(default)]
    response_url: Option<String>,
    #[serde(default)]
    callback_id: String,
    #[serde(default)]
    message: Value,
}

#[derive(Default, Deserialize)]
struct Container {
    #[serde(default)]
    is_ephemeral: bool,
}

#[derive(Deserialize)]
struct Pressed {
    action_id: String,
}

#[derive(Deserialize)]
struct View {
    id: String,
    #[serde(default)]
    callback_id: String,
    #[serde(default)]
    private_metadata: String,
    #[serde(default)]
    state: State,
}

#[derive(Default, Deserialize)]
struct State {
    #[serde(default)]
    values: BTreeMap<String, BTreeMap<String, Typed>>,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    value: Option<String>,
}

/// Where a modal was opened from: what Slack does not say when somebody presses something in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Origin {
    channel: String,
    name: String,
}

/// How the answer to an interaction is shown.
#[derive(Clone, Debug)]
enum Stage {
    /// By messages that only this person sees; `replaces` when the message that was pressed is one.
    Private { url: String, replaces: bool },
    /// In the modal that is open.
    Modal { view: String },
}

/// The means to answer one interaction.
struct Ticket {
    slack: Slack,
    workspace: Arc<Workspace>,
    trigger: String,
    stage: Stage,
    origin: Origin,
}

impl Slack {
    /// False for what was heard before.
    fn is_news(&self, trigger: &str) -> bool {
        self.0.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).note(trigger)
    }
}

/// A typed command.
pub(super) fn command(slack: &Slack, payload: Value) {
    let typed: SlashCommand = match serde_json::from_value(payload) {
        Ok(typed) => typed,
        Err(error) => return tracing::warn!(%error, "a command of Slack's cannot be read"),
    };
    if slack.is_news(&typed.trigger_id) {
        tokio::spawn(on_command(slack.clone(), typed));
    }
}

async fn on_command(slack: Slack, typed: SlashCommand) {
    let workspace = match slack.workspace(&typed.team_id).await {
        Ok(workspace) => workspace,
        Err(failure) => return tracing::warn!(why = failure.why(), "a command cannot be answered"),
    };
    let name = slack.names().meant(&typed.command);
    let text = words::as_typed(&typed.text);
    // "/help about-me" is about a command, too.
    let text = if name == "help" { slack.names().meant(text.trim()) } else { &text };
    let line = format!("/{name} {text}");
    let read = command::parse(line.trim());
    let in_modal = name == "drill" && read.is_ok();
    let steers = command::find(name).is_some_and(|spec| spec.organisers_only);
    let spot = Spot { team: &typed.team_id, channel: &typed.channel_id };
    let private = spot.channel.starts_with('D');
    let origin = Origin { channel: typed.channel_id.clone(), name: typed.channel_name.clone() };
    let mut actor = actor(&slack, &workspace, &typed.user_id, &typed.user_name, &origin);
    if steers {
        let asked = tokio::time::timeout(FOR_A_PERSON, slack.person(&workspace, &typed.user_id)).await;
        if let Ok(Some(person)) = asked {
            actor.organiser = person.organiser;
            actor.name = person.name;
        }
    }
    if private {
        actor.channel_name = String::new();
        actor.space = String::new();
    }
    let ticket = Ticket {
        slack: slack.clone(),
        workspace,
        trigger: typed.trigger_id,
        stage: Stage::Private { url: typed.response_url, replaces: false },
        origin,
    };
    let app = slack.app().clone();
    let work = async move { app.read_command(&actor, read).await };
    if in_modal { ticket.answer_in_modal(work).await } else { ticket.answer(None, work).await }
}

/// A press, a form or a shortcut; what is given back goes into the acknowledgement.
pub(super) fn interaction(slack: &Slack, payload: Value) -> Option<Value> {
    let heard: Interaction = match serde_json::from_value(payload) {
        Ok(heard) => heard,
        Err(error) => {
            tracing::warn!(%error, "an interaction of Slack's cannot be read");
            return None;
        }
    };
    let form = heard.kind == "view_submission";
    // A form that is sent twice has two triggers; the answer in it is the same.
    if !heard.trigger_id.is_empty() && !slack.is_news(&heard.trigger_id) {
        return None;
    }
    // The modal stays, and says what became of it.
    let waiting = form.then(|| {
        let metadata = heard.view.as_ref().map_or("", |view| view.private_metadata.as_str());
        json!({ "response_action": "update", "view": render::modal_message("drillbot", &text::one_moment(), metadata) })
    });
    tokio::spawn(on_interaction(slack.clone(), heard));
    waiting
}

async fn on_interaction(slack: Slack, heard: Interaction) {
    let team = heard.team.as_ref().map_or("", |team| team.id.as_str());
    let workspace = match slack.workspace(team).await {
        Ok(workspace) => workspace,
        Err(failure) => return tracing::warn!(why = failure.why(), "an interaction cannot be answered"),
    };
    let origin = match (&heard.channel, &heard.view) {
        (Some(channel), _) => Origin { channel: channel.id.clone(), name: channel.name.clone() },
        (None, Some(view)) => serde_json::from_str(&view.private_metadata).unwrap_or_default(),
        (None, None) => Origin::default(),
    };
    let called = if heard.user.username.is_empty() { &heard.user.name } else { &heard.user.username };
    let actor = actor(&slack, &workspace, &heard.user.id, called, &origin);
    let stage = match (&heard.view, heard.response_url) {
        (Some(view), _) => Stage::Modal { view: view.id.clone() },
        (None, Some(url)) => Stage::Private { url, replaces: heard.container.is_ephemeral },
        (None, None) => return,
    };
    let app = slack.app().clone();
    let ticket = Ticket { slack: slack.clone(), workspace, trigger: heard.trigger_id, stage, origin };
    match heard.kind.as_str() {
        "block_actions" => {
            let Some(action) = heard.actions.into_iter().next().map(|pressed| pressed.action_id) else { return };
            let form = App::blank_form(&action);
            let moves_on = action.starts_with("run:");
            let work = async move {
                Ok(match app.press(&actor, &action).await? {
                    Reply::Show { message } if moves_on => Reply::Replace { message },
                    reply => reply,
                })
            };
            ticket.answer(form, work).await;
        }
        "view_submission" => {
            let Some(view) = heard.view else { return };
            let values: HashMap<String, String> = view
                .state
                .values
                .into_values()
                .flatten()
                .map(|(id, typed)| (id, typed.value.unwrap_or_default()))
                .collect();
            let action = view.callback_id;
            ticket.answer(None, async move { app.submit(&actor, &action, &values).await }).await;
        }
        "message_action" if heard.callback_id == SAVE_AS_ANSWER => {
            let Some(written) = ticket.written(&heard.message).await else {
                return ticket.show(Reply::show(text::not_in_a_question())).await;
            };
            ticket.answer(None, async move { app.save_message(&actor, written).await }).await;
        }
        _ => {}
    }
}

/// Publishes somebody's App Home.
pub(super) fn home(slack: &Slack, team: &str, user: &str) {
    let (slack, team, user) = (slack.clone(), team.to_owned(), user.to_owned());
    tokio::spawn(async move {
        let publish = async {
            let workspace = slack.workspace(&team).await?;
            let actor = actor(&slack, &workspace, &user, &user, &Origin::default());
            let mut pages = Vec::new();
            for line in ["/me", "/help"] {
                let reply = slack.app().line(&actor, line).await;
                pages.push(match reply {
                    Ok(Reply::Show { message } | Reply::Replace { message }) => slack.names().in_message(&message),
                    _ => App::try_again_later(),
                });
            }
            let body = json!({ "user_id": user, "view": render::home(&pages) });
            slack.api().repeat::<Done>(&workspace.token, "views.publish", &body).await
        };
        if let Err(failure) = publish.await {
            tracing::warn!(why = failure.why(), "an App Home could not be shown");
        }
    });
}

/// Who did it and where, as the drill sees it.
fn actor(slack: &Slack, workspace: &Workspace, user: &str, called: &str, origin: &Origin) -> Actor {
    let member = member_id(&workspace.team, user);
    let known = slack.known_name(&workspace.team, user);
    if known.is_none() {
        // For the next time.
        slack.called(&member, None);
    }
    let channel = if origin.channel.is_empty() {
        ChannelId::new(format!("{PLATFORM}:{}/", workspace.team))
    } else {
        Spot { team: &workspace.team, channel: &origin.channel }.id()
    };
    Actor {
        member,
        name: known.unwrap_or_else(|| called.to_owned()),
        organiser: false,
        channel,
        channel_name: origin.name.clone(),
        space: space_id(&workspace.team),
    }
}

impl Ticket {
    fn metadata(&self) -> String {
        // Two short texts.
        serde_json::to_string(&self.origin).unwrap_or_default()
    }

    /// The message on which the shortcut was chosen.
    async fn written(&self, message: &Value) -> Option<Written> {
        let text = |key: &str| message.get(key).and_then(Value::as_str);
        let (ts, user) = (text("ts")?, text("user")?);
        let thread = text("thread_ts")?;
        let spot = Spot { team: &self.workspace.team, channel: &self.origin.channel };
        let name = self.slack.name(&self.workspace, user).await;
        Some(Written {
            channel: spot.id(),
            thread: ThreadId::new(Target { spot, ts: thread }.thread().as_str()),
            message: Target { spot, ts }.part(),
            member: member_id(spot.team, user),
            name: name.unwrap_or_else(|| user.to_owned()),
            text: words::as_typed(text("text").unwrap_or_default()),
            at: micros(ts) / 1_000,
        })
    }

    /// Does the work and shows what came of it; with a form at hand, opens that when the work is slow.
    async fn answer<W>(&self, form: Option<crate::domain::message::Form>, work: W)
    where
        W: Future<Output = anyhow::Result<Reply>> + Send + 'static,
    {
        // A task of its own: what has begun is finished, whatever becomes of the answer.
        let mut work = tokio::spawn(work);
        if let Some(form) = form {
            match tokio::time::timeout(FOR_A_FORM, &mut work).await {
                Ok(done) => return self.show(settled(done)).await,
                Err(_) => {
                    work.abort();
                    return self.show(Reply::Open { form }).await;
                }
            }
        }
        let done = tokio::time::timeout(AT_LAST, work).await;
        self.show(done.map_or_else(|_| Reply::show(App::try_again_later()), settled)).await;
    }

    /// As [`Ticket::answer`], in a modal that opens for it.
    async fn answer_in_modal<W>(mut self, work: W)
    where
        W: Future<Output = anyhow::Result<Reply>> + Send + 'static,
    {
        let mut work = tokio::spawn(work);
        let soon = tokio::time::timeout(AT_ONCE, &mut work).await.ok().map(settled);
        let first = match &soon {
            Some(Reply::Show { message } | Reply::Replace { message }) => message.clone(),
            Some(Reply::Open { .. }) | None => text::one_moment(),
        };
        let first = self.slack.names().in_message(&first);
        let view = render::modal_message("drillbot", &first, &self.metadata());
        match self.open(view).await {
            Some(view) => self.stage = Stage::Modal { view },
            // Too late for a modal: then in private.
            None => {
                let done = match soon {
                    Some(reply) => reply,
                    None => settled(work.await),
                };
                return self.show(done).await;
            }
        }
        if soon.is_none() {
            let done = tokio::time::timeout(AT_LAST, work).await;
            self.show(done.map_or_else(|_| Reply::show(App::try_again_later()), settled)).await;
        }
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
        let body = json!({ "trigger_id": self.trigger, "view": view });
        match self.slack.api().once::<Opened>(&self.workspace.token, "views.open", &body).await {
            Ok(opened) => Some(opened.view.id),
            Err(failure) => {
                tracing::warn!(why = failure.why(), "a modal could not be opened");
                None
            }
        }
    }

    async fn show(&self, reply: Reply) {
        match (&self.stage, self.slack.names().in_reply(reply)) {
            (Stage::Private { .. }, Reply::Open { form }) => {
                if self.open(render::modal(&form, &self.metadata())).await.is_none() {
                    self.respond(&App::try_again_later(), false).await;
                }
            }
            (Stage::Private { replaces, .. }, Reply::Replace { message }) => self.respond(&message, *replaces).await,
            (Stage::Private { .. }, Reply::Show { message }) => self.respond(&message, false).await,
            (Stage::Modal { view }, Reply::Open { form }) => {
                self.update(view, render::modal(&form, &self.metadata())).await;
            }
            (Stage::Modal { view }, Reply::Show { message } | Reply::Replace { message }) => {
                self.update(view, render::modal_message("drillbot", &message, &self.metadata())).await;
            }
        }
    }

    async fn update(&self, view_id: &str, view: Value) {
        let body = json!({ "view_id": view_id, "view": view });
        if let Err(failure) = self.slack.api().repeat::<Done>(&self.workspace.token, "views.update", &body).await {
            // Closed meanwhile, say.
            tracing::debug!(why = failure.why(), "a modal could not be updated");
        }
    }

    async fn respond(&self, message: &Message, replaces: bool) {
        let Stage::Private { url, .. } = &self.stage else { return };
        let mut body = render::private(message);
        body["response_type"] = json!("ephemeral");
        body["replace_original"] = json!(replaces);
        if let Err(failure) = self.slack.api().respond(url, &body).await {
            tracing::warn!(why = failure.why(), "an interaction could not be answered");
        }
    }
}

fn settled(done: Result<anyhow::Result<Reply>, tokio::task::JoinError>) -> Reply {
    match done {
        Ok(Ok(reply)) => reply,
        Ok(Err(error)) => {
            tracing::error!(error = format!("{error:#}"), "cannot answer an interaction");
            Reply::show(App::try_again_later())
        }
        Err(error) => {
            tracing::error!(%error, "the work for an interaction broke");
            Reply::show(App::try_again_later())
        }
    }
}
