//! Commands, presses, forms and shortcuts. Each is acknowledged at once and answered by a task of its own: in private through its response
//! address, or in a modal, whose trigger is good for three seconds.
//! Source: <https://docs.slack.dev/interactivity/handling-user-interaction>.

mod commands;
mod forms;
mod home;
mod ticket;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::ids::{Spot, Target, member_id, micros, space_id};
use super::{PLATFORM, Slack, Workspace, words};
use crate::app::inbox::Hears;
use crate::app::{Actor, App, Written};
use crate::domain::command::{self, Action};
use crate::domain::ids::{ChannelId, ThreadId};
use crate::domain::text;
use commands::{SlashCommand, carry_out, named, opens_modal};
pub use home::Homes;
pub(super) use home::opened as home_opened;
use ticket::{Origin, Sent, Sight, Stage, Ticket, in_modal};

/// How long an interaction waits to learn what somebody is called.
const FOR_A_NAME: Duration = Duration::from_millis(700);
/// Triggers that are remembered, so that what comes twice is one.
const REMEMBERED: usize = 10_000;

/// The name of the message shortcut in the manifest.
pub const SAVE_AS_ANSWER: &str = "save_as_answer";

#[derive(Default)]
pub struct Seen {
    /// Each with a bell that rings when it comes again.
    triggers: HashMap<String, Arc<Notify>>,
    order: VecDeque<String>,
    /// How many there were.
    count: u64,
    screens: HashMap<String, Arc<Screen>>,
}

/// Of a modal: the turn of the newest interaction whose outcome was shown in it. Held while one is shown: they do not overtake each other.
type Screen = tokio::sync::Mutex<u64>;

/// Something that was not heard before.
struct News {
    bell: Arc<Notify>,
    /// Grows with each.
    turn: u64,
}

impl Seen {
    /// None for what was heard before.
    fn note(&mut self, trigger: &str) -> Option<News> {
        if let Some(bell) = self.triggers.get(trigger) {
            bell.notify_one();
            return None;
        }
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.triggers.remove(&oldest);
        }
        let bell = Arc::<Notify>::default();
        self.order.push_back(trigger.to_owned());
        self.triggers.insert(trigger.to_owned(), bell.clone());
        self.count += 1;
        Some(News { bell, turn: self.count })
    }

    fn screen(&mut self, view: &str) -> Arc<Screen> {
        if self.screens.len() >= REMEMBERED {
            self.screens.clear();
        }
        self.screens.entry(view.to_owned()).or_default().clone()
    }
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
    view: Option<Value>,
    #[serde(default)]
    response_url: Option<String>,
    #[serde(default)]
    callback_id: String,
    #[serde(default)]
    message: Value,
    /// Of somebody who types in a select.
    #[serde(default)]
    action_id: String,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Default, Deserialize)]
struct Container {
    #[serde(default)]
    is_ephemeral: bool,
    #[serde(default)]
    thread_ts: Option<String>,
}

#[derive(Deserialize)]
struct Pressed {
    action_id: String,
}

#[derive(Default, Deserialize)]
struct View {
    #[serde(default)]
    id: String,
    #[serde(default, rename = "type")]
    kind: String,
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
    values: BTreeMap<String, BTreeMap<String, Given>>,
}

/// What is in an input.
#[derive(Deserialize)]
struct Given {
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    selected_option: Option<Chosen>,
    #[serde(default)]
    selected_options: Option<Vec<Chosen>>,
    #[serde(default)]
    selected_time: Option<String>,
}

#[derive(Deserialize)]
struct Chosen {
    value: String,
}

impl View {
    /// What is in the inputs, by their own names.
    fn given(&self) -> HashMap<String, String> {
        let text = |given: &Given| {
            let joined = |all: &[Chosen]| all.iter().map(|one| one.value.as_str()).collect::<Vec<_>>().join(",");
            let chosen = given.selected_option.as_ref().map(|one| one.value.clone());
            let chosen = chosen.or_else(|| given.selected_options.as_deref().map(joined));
            given.value.clone().or(chosen).or_else(|| given.selected_time.clone()).unwrap_or_default()
        };
        self.state.values.values().flatten().map(|(id, given)| (id.clone(), text(given))).collect()
    }
}

impl Interaction {
    fn view(&self) -> Option<View> {
        self.view.as_ref().and_then(|view| View::deserialize(view).ok())
    }
}

impl Slack {
    fn seen<T>(&self, by: impl FnOnce(&mut Seen) -> T) -> T {
        by(&mut self.0.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A typed command.
pub(super) fn command(slack: &Slack, payload: Value) {
    let typed: SlashCommand = match serde_json::from_value(payload) {
        Ok(typed) => typed,
        Err(error) => return tracing::warn!(%error, "a command of Slack's cannot be read"),
    };
    if let Some(News { turn, .. }) = slack.seen(|seen| seen.note(&typed.trigger_id)) {
        tokio::spawn(commands::on_command(slack.clone(), typed, turn));
    }
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
    let realm = heard.team.as_ref().map(|team| space_id(&team.id)).unwrap_or_default();
    let waiting = match heard.kind.as_str() {
        "block_suggestion" => {
            return forms::suggest(
                slack.app(),
                &realm,
                &heard.view()?,
                &heard.action_id,
                heard.value.as_deref().unwrap_or(""),
            );
        }
        "view_submission" => {
            let view = heard.view()?;
            if let Some(refused) = forms::refuse(slack.app(), &realm, &view) {
                return Some(refused);
            }
            // The modal stays, and says what became of it.
            let written = view.given().remove("answer").unwrap_or_default();
            let mut waiting = in_modal(&text::one_moment_with(&written));
            waiting["private_metadata"] = json!(view.private_metadata);
            Some(json!({ "response_action": "update", "view": waiting }))
        }
        "block_actions" | "message_action" => None,
        // A modal was closed: a drill goes on when its owner asks for it.
        _ => return None,
    };
    if let Some(News { bell, turn }) = slack.seen(|seen| seen.note(&heard.trigger_id)) {
        let sent = waiting.is_some().then(|| Sent { heard: Instant::now(), again: bell });
        tokio::spawn(on_interaction(slack.clone(), heard, turn, sent));
    }
    waiting
}

async fn on_interaction(slack: Slack, heard: Interaction, turn: u64, sent: Option<Sent>) {
    let team = heard.team.as_ref().map_or("", |team| team.id.as_str());
    let workspace = match slack.workspace(team).await {
        Ok(workspace) => workspace,
        Err(failure) => return tracing::warn!(why = failure.why(), "an interaction cannot be answered"),
    };
    let view = heard.view();
    let in_home = view.as_ref().is_some_and(|view| view.kind == "home");
    let origin = match (&heard.channel, &view) {
        (Some(channel), _) => Origin { channel: channel.id.clone(), name: named(&channel.name), home: false },
        (None, Some(_)) if in_home => Origin { home: true, ..Origin::default() },
        (None, Some(view)) => serde_json::from_str(&view.private_metadata).unwrap_or_default(),
        (None, None) => Origin::default(),
    };
    let handle = if heard.user.username.is_empty() { &heard.user.name } else { &heard.user.username };
    let mut actor = actor(&slack, &workspace, &heard.user.id, handle, &origin).await;
    let action = heard.actions.first().map(|pressed| pressed.action_id.clone()).unwrap_or_default();
    let sent_form = view.as_ref().filter(|_| heard.kind == "view_submission").map(|view| view.callback_id.as_str());
    if Action::decode(sent_form.unwrap_or(&action)).is_some_and(|action| action.is_ruling()) {
        actor.organiser = commands::is_organiser(&slack, &workspace, &heard.user.id).await.unwrap_or_default();
    }
    let line = action.strip_prefix("run:").map(command::take_apart);
    let stage = match (&view, heard.response_url) {
        (Some(_), _) if in_home => Stage::New { url: None },
        (Some(view), _) => Stage::Modal { view: view.id.clone() },
        (None, Some(url)) if line.as_ref().is_some_and(opens_modal) => Stage::New { url: Some(url) },
        (None, Some(url)) => {
            Stage::Private { url, replaces: heard.container.is_ephemeral, thread: heard.container.thread_ts }
        }
        (None, None) => return,
    };
    let from_home = origin.home;
    let app = slack.app().clone();
    let mut ticket = Ticket {
        slack: slack.clone(),
        workspace: workspace.clone(),
        user: heard.user.id.clone(),
        trigger: heard.trigger_id,
        turn,
        left: heard.view.filter(|_| !in_home),
        stage,
        origin,
        sent,
        result: None,
    };
    match heard.kind.as_str() {
        "block_actions" => {
            let form = App::blank_form(&action);
            let resumes = matches!(ticket.stage, Stage::New { .. });
            let (pressed, who) = (action.clone(), actor.clone());
            let work = async move {
                Ok(match line {
                    // A command behind a button of a private message goes on in that message.
                    Some(read) => match carry_out(&app, &who, read, resumes).await? {
                        Sight::Message { message, .. } => Sight::Message { message, replaces: true },
                        form => form,
                    },
                    None => app.press(&who, &pressed).await?.into(),
                })
            };
            ticket.answer(form, work).await;
        }
        "view_submission" => {
            let Some(view) = view else { return };
            let (values, who) = (view.given(), actor.clone());
            let work = async move {
                Ok(match forms::read(&app, &who.space, &view.callback_id, &values) {
                    Some(Ok(command)) => app.read_command(&who, Ok(command)).await?.into(),
                    // The bank has changed since the form was looked at.
                    Some(Err((_, problem))) => Sight::show(text::refused(problem)),
                    None => app.submit(&who, &view.callback_id, &values).await?.into(),
                })
            };
            ticket.answer(None, work).await;
        }
        "message_action" if heard.callback_id == SAVE_AS_ANSWER => {
            let Some(written) = ticket.written(&heard.message).await else {
                return ticket.show(Ok(Sight::show(text::not_in_a_question()))).await;
            };
            let work = async move { Ok(app.save_message(&actor, written).await?.into()) };
            ticket.answer(None, work).await;
        }
        _ => {}
    }
    if from_home || action == Action::Forget.encode() {
        home::refresh(&slack, &workspace.team, &heard.user.id);
    }
    ticket.linger().await;
}

/// Who did it and where, as the drill sees it: by the name that is known, else the one that Slack gives soon, else the one they sign in with.
async fn actor(slack: &Slack, workspace: &Workspace, user: &str, handle: &str, origin: &Origin) -> Actor {
    let name = tokio::time::timeout(FOR_A_NAME, slack.name(workspace, user)).await.ok().flatten();
    if name.is_none() {
        // For the next time.
        slack.called(&member_id(&workspace.team, user), None);
    }
    actor_called(workspace, user, name.unwrap_or_else(|| handle.to_owned()), origin)
}

fn actor_called(workspace: &Workspace, user: &str, name: String, origin: &Origin) -> Actor {
    let channel = if origin.channel.is_empty() {
        ChannelId::new(format!("{PLATFORM}:{}/", workspace.team))
    } else {
        Spot { team: &workspace.team, channel: &origin.channel }.id()
    };
    Actor {
        member: member_id(&workspace.team, user),
        name,
        organiser: false,
        channel,
        channel_name: origin.name.clone(),
        space: space_id(&workspace.team),
    }
}

impl Ticket {
    /// The message on which the shortcut was chosen.
    async fn written(&self, message: &Value) -> Option<Written> {
        let text = |key: &str| message.get(key).and_then(Value::as_str);
        let (ts, user) = (text("ts")?, text("user")?);
        let thread = text("thread_ts")?;
        let spot = Spot { team: &self.workspace.team, channel: &self.origin.channel };
        Some(Written {
            channel: spot.id(),
            thread: ThreadId::new(Target { spot, ts: thread }.thread().as_str()),
            message: Target { spot, ts }.part(),
            member: member_id(spot.team, user),
            name: self.slack.name(&self.workspace, user).await,
            text: words::as_typed(text("text").unwrap_or_default()),
            at: micros(ts) / 1_000,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_form_is_one_text_an_input() {
        let option = |value: &str| json!({ "text": { "type": "plain_text", "text": value }, "value": value });
        let view = json!({ "state": { "values": {
            "a": { "words": { "type": "plain_text_input", "value": "Mine, and yours" } },
            "b": { "one": { "type": "radio_buttons", "selected_option": option("sure") } },
            "c": { "none": { "type": "radio_buttons", "selected_option": null } },
            "d": { "many": { "type": "checkboxes", "selected_options": [option("1"), option("3")] } },
            "e": { "unticked": { "type": "checkboxes", "selected_options": [] } },
        } } });
        let given = View::deserialize(&view).expect("a view").given();
        for (input, value) in
            [("words", "Mine, and yours"), ("one", "sure"), ("none", ""), ("many", "1,3"), ("unticked", "")]
        {
            assert_eq!(given.get(input).map(String::as_str), Some(value), "{input}");
        }
    }

    #[test]
    fn what_comes_twice_is_known_and_rings() {
        let mut seen = Seen::default();
        let first = seen.note("a").expect("news");
        assert!(seen.note("b").is_some_and(|second| second.turn > first.turn));
        assert!(seen.note("a").is_none());
        let rung = futures_util::FutureExt::now_or_never(first.bell.notified());
        assert!(rung.is_some());
        for n in 0..REMEMBERED {
            seen.note(&n.to_string());
        }
        assert!(seen.note("a").is_some(), "the oldest are forgotten first");
        assert!(seen.note(&(REMEMBERED - 1).to_string()).is_none());
    }
}
