//! Commands, presses, forms and suggestions. Each gets its first response within three seconds, whatever the database does: what is
//! ready soon is answered at once, anything slower is deferred first and filled in later.
//! Source: <https://discord.com/developers/docs/interactions/receiving-and-responding>.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};
use serenity::all::{
    ActionRowComponent, ChannelType, CommandInteraction, CommandType, ComponentInteraction, Interaction, Member,
    MessageFlags, ModalInteraction, PartialChannel, Permissions, User,
};

use super::rest::{Call, Failure, Method};
use super::{Discord, channel_id, code, commands, member_id, permissions, render, space_id};
use crate::app::{Actor, App, Written};
use crate::domain::command::{self, Action};
use crate::domain::ids::ThreadId;
use crate::domain::message::{Message, Reply};
use crate::domain::text::{self, trouble};

/// What is ready within this time is the first response itself.
const AT_ONCE: Duration = Duration::from_millis(900);
/// The rest has until the interaction's token ends, after 15 minutes.
const AT_LAST: Duration = Duration::from_secs(14 * 60);
/// A first response that brings a form cannot be deferred; it waits this long for what stood in the form before.
const FOR_A_FORM: Duration = Duration::from_millis(1_500);
/// How long a command waits to learn what its channel is called.
const FOR_A_NAME: Duration = Duration::from_secs(2);
/// Interactions that are remembered, so that an event that comes twice is one.
const REMEMBERED: usize = 10_000;

/// Choices that Discord shows while somebody types. Source:
/// <https://discord.com/developers/docs/interactions/application-commands#autocomplete>.
const CHOICES_SHOWN: usize = 25;

/// Only the person who asked sees it.
const EPHEMERAL: u64 = 1 << 6;

const MESSAGE: u8 = 4;
const DEFERRED_MESSAGE: u8 = 5;
const DEFERRED_UPDATE: u8 = 6;
const UPDATE: u8 = 7;
const CHOICES: u8 = 8;
const MODAL: u8 = 9;

#[derive(Default)]
pub struct Seen {
    ids: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Seen {
    /// True the first time.
    fn note(&mut self, id: u64) -> bool {
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        let fresh = self.ids.insert(id);
        if fresh {
            self.order.push_back(id);
        }
        fresh
    }
}

/// The means to answer one interaction.
struct Ticket {
    id: u64,
    application: u64,
    token: String,
    /// Pressed in a message that only this person sees: it moves on in its place.
    private: bool,
}

pub async fn handle(discord: Discord, interaction: Interaction) {
    let id = match &interaction {
        Interaction::Command(command) | Interaction::Autocomplete(command) => command.id,
        Interaction::Component(press) => press.id,
        Interaction::Modal(form) => form.id,
        _ => return,
    };
    let fresh = discord.0.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).note(id.get());
    if !fresh {
        return;
    }
    match interaction {
        Interaction::Command(command) => on_command(&discord, command).await,
        Interaction::Autocomplete(command) => on_autocomplete(&discord, &command).await,
        Interaction::Component(press) => on_press(&discord, press).await,
        Interaction::Modal(form) => on_form(&discord, form).await,
        _ => {}
    }
}

/// Who did it and where, as the drill sees it.
fn actor(
    discord: &Discord,
    user: &User,
    member: Option<&Member>,
    guild: Option<u64>,
    channel: Option<&PartialChannel>,
    channel_number: u64,
) -> Actor {
    // In a private conversation Discord does not say what their server calls them.
    let name = match member {
        Some(member) => member.nick.clone().or_else(|| user.global_name.clone()),
        None => discord.known_name(user),
    };
    let allowed = member.and_then(|member| member.permissions).unwrap_or_default();
    // Commands in a thread are about the channel that it hangs in.
    let in_thread = channel.is_some_and(|channel| {
        matches!(channel.kind, ChannelType::PublicThread | ChannelType::PrivateThread | ChannelType::NewsThread)
    });
    let parent = channel.filter(|_| in_thread).and_then(|channel| channel.parent_id).map(|id| id.get());
    let channel_name = channel.filter(|_| !in_thread).and_then(|channel| channel.name.clone());
    Actor {
        member: member_id(user.id),
        name: name.unwrap_or_else(|| user.name.clone()),
        organiser: allowed.intersects(Permissions::MANAGE_GUILD | Permissions::ADMINISTRATOR),
        channel: channel_id(parent.unwrap_or(channel_number)),
        channel_name: channel_name.unwrap_or_default(),
        space: guild.map(space_id).unwrap_or_default(),
    }
}

impl Discord {
    /// Servers that the settings leave out are told so, and nothing of theirs is kept.
    pub(super) fn serves(&self, guild: Option<u64>) -> bool {
        let allowed = &self.0.settings.guilds;
        allowed.is_empty() || guild.is_none_or(|guild| allowed.contains(&guild))
    }
}

async fn on_command(discord: &Discord, command: CommandInteraction) {
    let ticket = Ticket {
        id: command.id.get(),
        application: command.application_id.get(),
        token: command.token.clone(),
        private: false,
    };
    let guild = command.guild_id.map(|id| id.get());
    let mut actor = actor(
        discord,
        &command.user,
        command.member.as_deref(),
        guild,
        command.channel.as_ref(),
        command.channel_id.get(),
    );
    discord.note_name(&command.user.id.to_string(), &actor.name);
    if !discord.serves(guild) {
        return ticket.show(discord, &text::refused(trouble::not_for_this_server())).await;
    }
    if command.data.kind == CommandType::Message {
        let Some(written) = written(discord, &command, &actor) else {
            return ticket.show(discord, &text::refused(trouble::no_such_thing())).await;
        };
        let app = discord.app().clone();
        return ticket.answer(discord, None, async move { app.save_message(&actor, written).await }).await;
    }
    // Discord has asked the server's own settings before it let this person use the command here.
    actor.organiser |= command::find(&command.data.name).is_some_and(|spec| spec.organisers_only);
    let read = commands::read(&command.data);
    let names_channel = actor.organiser && actor.channel_name.is_empty() && guild.is_some();
    let form = read.as_ref().ok().and_then(App::blank_form_of);
    let (app, asking) = (discord.app().clone(), discord.clone());
    let work = async move {
        if names_channel {
            // In a thread Discord names the thread only; who steers the drill from there may be the first to speak of its channel.
            let asked = permissions::channel(asking.rest(), super::bare(actor.channel.as_str()));
            if let Ok(Ok(found)) = tokio::time::timeout(FOR_A_NAME, asked).await {
                actor.channel_name = found.name.unwrap_or_default();
            }
        }
        app.read_command(&actor, read).await
    };
    ticket.answer(discord, form.as_ref().map(render::modal), work).await;
}

/// The message on which "Save as my answer" was chosen.
fn written(discord: &Discord, command: &CommandInteraction, actor: &Actor) -> Option<Written> {
    let target = command.data.target_id?.to_message_id();
    let message = command.data.resolved.messages.get(&target)?;
    let own = message.author.id == command.user.id;
    let name = if own { actor.name.clone() } else { message.author.name.clone() };
    if !own {
        discord.note_name(&message.author.id.to_string(), &name);
    }
    Some(Written {
        channel: actor.channel.clone(),
        thread: ThreadId::new(command.channel_id.to_string()),
        message: target.to_string(),
        member: member_id(message.author.id),
        name: Some(name),
        text: message.content.clone(),
        at: super::micros(&message.timestamp) / 1_000,
    })
}

async fn on_autocomplete(discord: &Discord, command: &CommandInteraction) {
    let choices = match commands::focused(&command.data) {
        Some((value, typed)) if discord.serves(command.guild_id.map(|id| id.get())) => {
            let guild = command.guild_id.map(|id| id.get());
            let (member, place) = (command.member.as_deref(), command.channel.as_ref());
            let who = actor(discord, &command.user, member, guild, place, command.channel_id.get());
            // Without its own questions when nobody knows the group.
            let realm = discord.app().realm(&who).await.unwrap_or_default();
            discord.app().suggest(value, &typed, CHOICES_SHOWN, &realm)
        }
        _ => Vec::new(),
    };
    let choices: Vec<Value> =
        choices.into_iter().map(|(shown, value)| json!({ "name": shown, "value": value })).collect();
    let path = format!("interactions/{}/{}/callback", command.id, command.token);
    let body = json!({ "type": CHOICES, "data": { "choices": choices } });
    if let Err(failure) = discord.rest().tell(Call::new(Method::Post, &path).body(&body).urgent()).await {
        tracing::debug!(why = failure.why(), "suggestions came too late");
    }
}

async fn on_press(discord: &Discord, press: ComponentInteraction) {
    let private = press.message.flags.is_some_and(|flags| flags.contains(MessageFlags::EPHEMERAL));
    let ticket =
        Ticket { id: press.id.get(), application: press.application_id.get(), token: press.token.clone(), private };
    let guild = press.guild_id.map(|id| id.get());
    let mut actor =
        actor(discord, &press.user, press.member.as_ref(), guild, press.channel.as_ref(), press.channel_id.get());
    discord.note_name(&press.user.id.to_string(), &actor.name);
    if !discord.serves(guild) {
        return ticket.show(discord, &text::refused(trouble::not_for_this_server())).await;
    }
    let (app, action) = (discord.app().clone(), press.data.custom_id);
    let form = App::blank_form(&action);
    let (in_private, user, here) = (guild.is_none(), press.user.id, discord.clone());
    // A command behind a button of a private message goes on in that message.
    let moves_on = private && action.starts_with("run:");
    let work = async move {
        if in_private && let Some(Action::RuleReview { review, .. }) = Action::decode(&action) {
            // What organisers are told in private they decide there, where Discord does not say what they may do.
            actor.organiser = here.looks_after(&review, user.get()).await;
        }
        Ok(match app.press(&actor, &action).await? {
            Reply::Show { message } if moves_on => Reply::Replace { message },
            reply => reply,
        })
    };
    ticket.answer(discord, form.as_ref().map(render::modal), work).await;
}

async fn on_form(discord: &Discord, form: ModalInteraction) {
    let private = form
        .message
        .as_ref()
        .is_some_and(|message| message.flags.is_some_and(|flags| flags.contains(MessageFlags::EPHEMERAL)));
    let ticket =
        Ticket { id: form.id.get(), application: form.application_id.get(), token: form.token.clone(), private };
    let guild = form.guild_id.map(|id| id.get());
    let actor = actor(discord, &form.user, form.member.as_ref(), guild, form.channel.as_ref(), form.channel_id.get());
    discord.note_name(&form.user.id.to_string(), &actor.name);
    if !discord.serves(guild) {
        return ticket.show(discord, &text::refused(trouble::not_for_this_server())).await;
    }
    let mut values = HashMap::new();
    for component in form.data.components.into_iter().flat_map(|row| row.components) {
        if let ActionRowComponent::InputText(input) = component {
            values.insert(input.custom_id, input.value.unwrap_or_default());
        }
    }
    let (app, action) = (discord.app().clone(), form.data.custom_id);
    ticket.answer(discord, None, async move { app.submit(&actor, &action, &values).await }).await;
}

impl Ticket {
    /// Does the work and shows what came of it; with a form at hand, opens that when the work is slow.
    async fn answer<W>(&self, discord: &Discord, form: Option<Value>, work: W)
    where
        W: Future<Output = anyhow::Result<Reply>> + Send + 'static,
    {
        // A task of its own: what has begun is finished, whatever becomes of the answer.
        let mut work = tokio::spawn(work);
        let soon = if form.is_some() { FOR_A_FORM } else { AT_ONCE };
        if let Ok(done) = tokio::time::timeout(soon, &mut work).await {
            return self.first(discord, settled(done)).await;
        }
        if let Some(form) = form {
            work.abort();
            return self.respond(discord, &json!({ "type": MODAL, "data": form })).await;
        }
        let deferred = if self.private {
            json!({ "type": DEFERRED_UPDATE })
        } else {
            json!({ "type": DEFERRED_MESSAGE, "data": { "flags": EPHEMERAL } })
        };
        self.respond(discord, &deferred).await;
        let done = tokio::time::timeout(AT_LAST, work).await;
        let reply = done.map_or_else(|_| Reply::show(App::try_again_later()), settled);
        self.later(discord, reply).await;
    }

    async fn show(&self, discord: &Discord, message: &Message) {
        self.first(discord, Reply::Show { message: message.clone() }).await;
    }

    async fn first(&self, discord: &Discord, reply: Reply) {
        let body = match reply {
            Reply::Open { form } => json!({ "type": MODAL, "data": render::modal(&form) }),
            Reply::Replace { message } if self.private => {
                json!({ "type": UPDATE, "data": render::body(&message, None, None) })
            }
            Reply::Replace { message } | Reply::Show { message } => {
                json!({ "type": MESSAGE, "data": private(&message) })
            }
        };
        self.respond(discord, &body).await;
    }

    async fn respond(&self, discord: &Discord, body: &Value) {
        let path = format!("interactions/{}/{}/callback", self.id, self.token);
        match discord.rest().tell(Call::new(Method::Post, &path).body(body).repeatable().urgent()).await {
            // The first attempt got through, only its answer did not.
            Ok(()) | Err(Failure::Refused { code: code::ALREADY_ACKNOWLEDGED, .. }) => {}
            Err(failure) => tracing::warn!(why = failure.why(), "an interaction could not be answered"),
        }
    }

    /// What comes after a deferred response.
    async fn later(&self, discord: &Discord, reply: Reply) {
        let webhook = format!("webhooks/{}/{}", self.application, self.token);
        let original = format!("{webhook}/messages/@original");
        let outcome = match reply {
            Reply::Show { message } if self.private => {
                // Twice the same words to one person are better than none.
                discord.rest().tell(Call::new(Method::Post, &webhook).body(&private(&message)).repeatable()).await
            }
            // A form cannot be opened any more: the button opens it the next time.
            Reply::Open { .. } => {
                let body = render::body(&App::try_again_later(), None, None);
                discord.rest().tell(Call::new(Method::Patch, &original).body(&body)).await
            }
            Reply::Show { message } | Reply::Replace { message } => {
                let body = render::body(&message, None, None);
                discord.rest().tell(Call::new(Method::Patch, &original).body(&body)).await
            }
        };
        if let Err(failure) = outcome {
            tracing::warn!(why = failure.why(), "a deferred answer could not be shown");
        }
    }
}

fn private(message: &Message) -> Value {
    let mut body = render::body(message, None, None);
    body["flags"] = json!(EPHEMERAL);
    body
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
