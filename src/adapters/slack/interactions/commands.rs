//! Typed commands, and those behind buttons.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::forms;
use super::ticket::{Origin, Sight, Stage, Ticket};
use crate::adapters::slack::{Slack, Workspace, render, words};
use crate::app::{Actor, App};
use crate::domain::command::{self, Typed, Usage, Value};
use crate::domain::message::{Block, Message};
use crate::domain::text::{self, trouble};

/// How long a command waits to learn who gave it, and where.
const FOR_A_PERSON: Duration = Duration::from_secs(2);
/// How long a form waits for the drill that may have been left unfinished.
const FOR_A_DRILL: Duration = Duration::from_millis(600);

#[derive(Deserialize)]
pub(super) struct SlashCommand {
    pub team_id: String,
    pub channel_id: String,
    #[serde(default)]
    pub channel_name: String,
    pub user_id: String,
    #[serde(default)]
    pub user_name: String,
    pub command: String,
    #[serde(default)]
    pub text: String,
    pub response_url: String,
    pub trigger_id: String,
}

pub(super) async fn on_command(slack: Slack, given: SlashCommand, turn: u64) {
    let workspace = match slack.workspace(&given.team_id).await {
        Ok(workspace) => workspace,
        Err(failure) => return tracing::warn!(why = failure.why(), "a command cannot be answered"),
    };
    let name = slack.names().meant(&given.command);
    let text = words::as_command(&given.text);
    // "/help about-me" is about a command, too.
    let text = if name == "help" { slack.names().meant(text.trim()) } else { &text };
    let line = format!("/{name} {text}");
    let read = command::take_apart(line.trim()).and_then(calls_a_group);
    let spec = command::find(name);
    let is_private = given.channel_id.starts_with('D');
    let origin = Origin { channel: given.channel_id.clone(), name: named(&given.channel_name), home: false };
    let mut actor = super::actor(&slack, &workspace, &given.user_id, &given.user_name, &origin).await;
    let in_modal = opens_modal(&read);
    let url = given.response_url;
    let mut ticket = Ticket {
        slack: slack.clone(),
        workspace: workspace.clone(),
        user: given.user_id.clone(),
        trigger: given.trigger_id,
        stage: if in_modal {
            Stage::New { url: Some(url) }
        } else {
            Stage::Private { url, replaces: false, thread: None }
        },
        origin,
        turn,
        left: None,
        sent: None,
        result: None,
    };
    let mut note = None;
    if let Some(spec) = spec.filter(|spec| spec.organisers_only) {
        if is_private {
            return ticket.show(Ok(Sight::show(text::only_in_channels(spec.name)))).await;
        }
        match steers(&slack, &workspace, &given.user_id, &mut actor).await {
            Ok(beside) => note = beside,
            Err(words) => return ticket.show(Ok(Sight::show(words))).await,
        }
    }
    let app = slack.app().clone();
    let work = async move {
        let mut sight = carry_out(&app, &actor, read, true).await?;
        if let (Sight::Message { message, .. }, Some(note), true) = (&mut sight, note, actor.organiser) {
            message.blocks.push(note);
        }
        Ok(sight)
    };
    ticket.answer(None, work).await;
}

/// Whether an answer to it is shown in a modal.
pub(super) fn opens_modal(read: &Result<Typed, Usage>) -> bool {
    read.as_ref().is_ok_and(|typed| typed.spec.name == "drill")
}

/// Carries out a command; one that lacks something gets its form. With `resumes`, a drill that was left unfinished goes on instead.
pub(super) async fn carry_out(
    app: &App,
    actor: &Actor,
    read: Result<Typed, Usage>,
    resumes: bool,
) -> anyhow::Result<Sight> {
    let read =
        read.and_then(|typed| command::build(typed.spec, typed.sub, &typed.values).map(|command| (typed, command)));
    let (typed, command) = match read {
        Ok(both) => both,
        Err(usage) => return Ok(app.read_command(actor, Err(usage)).await?.into()),
    };
    let Some(missing) = app.missing(&command, &actor.space) else {
        return Ok(app.read_command(actor, Ok(command)).await?.into());
    };
    if resumes && typed.values.is_empty() {
        // A form needs no database: it does not wait long for one.
        let left = tokio::time::timeout(FOR_A_DRILL, app.unfinished(actor)).await;
        if let Ok(Some(message)) = left.unwrap_or(Ok(None)) {
            return Ok(Sight::show(message));
        }
    }
    Ok(forms::of_command(app, &actor.space, &typed, *missing))
}

/// Slack's stand-ins for the names of conversations that are not public are no names.
pub(super) fn named(channel_name: &str) -> String {
    match channel_name {
        "privategroup" | "directmessage" => String::new(),
        name => name.to_owned(),
    }
}

/// Only user groups are called.
fn calls_a_group(typed: Typed) -> Result<Typed, Usage> {
    let options = command::options_of(typed.spec, typed.sub).unwrap_or_default();
    for (name, value) in &typed.values {
        let is_call = options.iter().any(|option| option.name == *name && option.value == Value::Mention);
        if !is_call || value == "none" || render::is_user_group(value) {
            continue;
        }
        let problem = match value.trim_start_matches('@') {
            "here" | "channel" | "everyone" => text::everyone_not_called(),
            _ => text::no_user_group(value),
        };
        return Err(command::refuse(typed.spec, typed.sub, problem));
    }
    Ok(typed)
}

/// Whether somebody is an organiser; None when nobody tells soon.
pub(super) async fn is_organiser(slack: &Slack, workspace: &Arc<Workspace>, user: &str) -> Option<bool> {
    let listed = slack.0.settings.organisers.iter().any(|id| id == user);
    let person = tokio::time::timeout(FOR_A_PERSON, slack.organiser(workspace, user)).await.ok().flatten();
    if listed { Some(true) } else { person }
}

/// Learns whether somebody is an organiser, and what their channel is called; what is to be said beside the answer, or instead of it.
async fn steers(
    slack: &Slack,
    workspace: &Arc<Workspace>,
    user: &str,
    actor: &mut Actor,
) -> Result<Option<Block>, Message> {
    let channel = actor.channel.clone();
    let (organiser, place) =
        tokio::join!(is_organiser(slack, workspace, user), tokio::time::timeout(FOR_A_PERSON, slack.place(&channel)));
    actor.organiser = organiser.ok_or_else(text::organiser_unknown)?;
    let Ok(Some(place)) = place else { return Ok(None) };
    if let Some(name) = place.name {
        actor.channel_name = name;
    }
    let shown =
        if actor.channel_name.is_empty() { "this channel".to_owned() } else { format!("#{}", actor.channel_name) };
    Ok((!place.has_bot).then(|| Block::note(format!("{}.", trouble::not_in_channel(&shown)))))
}
