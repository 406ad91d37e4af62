//! What people do: they join, write, type commands, press buttons and fill forms, and see what comes of it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::Fake;
use super::model::{
    ANNOUNCEMENT, Draft, FORUM, FirstKind, INVITED_WITH, Id, Interaction, Model, Overwrite, Permissions, TEXT, now_ms,
};
use super::text::{self, Shown};
use super::wire::{self, Event};

/// What somebody saw as the outcome of an interaction.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The whole limit when there was none.
    pub first_response_after: Duration,
    pub kind: Kind,
    /// The response, or the message that was pressed on.
    pub message: Option<Id>,
    /// Messages after the response.
    pub followups: Vec<Id>,
    /// What an autocomplete offers: (name, value).
    pub choices: Vec<(String, Value)>,
    modal: Option<Modal>,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Message {
        ephemeral: bool,
    },
    /// "Thinking" first, the content later.
    Deferred {
        ephemeral: bool,
    },
    /// The message with the button was changed, at once or later, or nothing changed and all is well.
    Update,
    Modal,
    Choices,
    /// "The application did not respond."
    Nothing,
    /// The client does not let it happen; the bot never hears of it.
    Refused,
}

/// A form on somebody's screen.
#[derive(Clone, Debug)]
pub struct Modal {
    pub form: Value,
    channel: Id,
    on_message: Option<Id>,
}

impl Modal {
    /// The custom id of the first input.
    pub fn first_input(&self) -> String {
        let inputs = text::inputs(&self.form);
        inputs.first().and_then(|(input, _)| input["custom_id"].as_str()).unwrap_or_default().to_owned()
    }
}

/// Whatever names a message.
pub trait OnMessage {
    fn message(&self) -> Option<Id>;
}

impl OnMessage for Id {
    fn message(&self) -> Option<Id> {
        Some(*self)
    }
}

impl OnMessage for &Seen {
    fn message(&self) -> Option<Id> {
        self.message
    }
}

impl OnMessage for &Shown {
    fn message(&self) -> Option<Id> {
        Some(self.id)
    }
}

impl Seen {
    /// The message (and what followed it), the form, the choices, or why nothing happened.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The form that opened.
    #[track_caller]
    pub fn modal(&self) -> &Modal {
        self.modal.as_ref().unwrap_or_else(|| panic!("no form but {:?}: {}", self.kind, self.text))
    }

    fn without_bot(kind: Kind, after: Duration, text: String) -> Seen {
        let (followups, choices) = (Vec::new(), Vec::new());
        Seen { first_response_after: after, kind, message: None, followups, choices, modal: None, text }
    }
}

/// Why a client does not let something happen.
type Refused = String;

/// An interaction before it has an id.
struct Act {
    kind: u8,
    user: Id,
    channel: Id,
    on_message: Option<Id>,
    data: Value,
}

/// Guilds, channels and who is there.
impl Fake {
    /// A guild with its owner Olga and with the bot, which has the permissions it asks for.
    pub fn guild(&self, name: &str) -> Id {
        let id = self.with(|model| model.guild(name));
        self.invite(id);
        id
    }

    pub fn owner(&self, guild: Id) -> Id {
        self.with(|model| model.guilds[&guild].owner)
    }

    pub fn text_channel(&self, guild: Id, name: &str) -> Id {
        self.channel_of(guild, TEXT, name, &[])
    }

    pub fn announcement_channel(&self, guild: Id, name: &str) -> Id {
        self.channel_of(guild, ANNOUNCEMENT, name, &[])
    }

    pub fn forum_channel(&self, guild: Id, name: &str, tags: &[&str]) -> Id {
        self.channel_of(guild, FORUM, name, tags)
    }

    fn channel_of(&self, guild: Id, kind: u8, name: &str, tags: &[&str]) -> Id {
        self.with(|model| {
            let id = model.channel(Some(guild), kind, name);
            let tags = tags.iter().map(|tag| (model.id(), (*tag).to_owned())).collect();
            model.channels.get_mut(&id).expect("the channel just made").tags = tags;
            model.tell(&Event::ChannelCreate(id));
            id
        })
    }

    /// Somebody new, with a role of these permissions on top of everybody's.
    pub fn member(&self, guild: Id, name: &str, permissions: Permissions) -> Id {
        self.with(|model| {
            let user = model.user(name);
            let role = model.role(guild, &format!("role of {name}"), permissions);
            model.join(guild, user, vec![role]);
            user
        })
    }

    /// A role that everybody may mention.
    pub fn role(&self, guild: Id, name: &str) -> Id {
        self.with(|model| {
            let id = model.role(guild, name, Permissions::empty());
            let roles = &mut model.guilds.get_mut(&guild).expect("a guild").roles;
            roles.get_mut(&id).expect("the role just made").mentionable = true;
            id
        })
    }

    /// Changes what the own role of a member (or of the bot) allows.
    pub fn set_permissions(&self, guild: Id, user: Id, permissions: Permissions) {
        self.with(|model| {
            let it = model.guilds.get_mut(&guild).expect("a guild");
            let role = *it.members[&user].roles.first().expect("everybody but the owner has a role");
            it.roles.get_mut(&role).expect("a role").permissions = permissions;
            model.tell(&Event::RoleUpdate(guild, role));
        });
    }

    pub fn bot(&self) -> Id {
        self.with(|model| model.application.bot)
    }

    /// The bot joins.
    pub fn invite(&self, guild: Id) {
        self.with(|model| {
            let role = model.role(guild, "Drillbot", INVITED_WITH);
            model.guilds.get_mut(&guild).expect("a guild").roles.get_mut(&role).expect("a role").managed = true;
            model.join(guild, model.application.bot, vec![role]);
            model.tell(&Event::GuildCreate(guild));
        });
    }

    /// The bot is removed.
    pub fn kick(&self, guild: Id) {
        self.with(|model| {
            let bot = model.application.bot;
            let it = model.guilds.get_mut(&guild).expect("a guild");
            it.members.remove(&bot);
            it.roles.retain(|_, role| !role.managed);
            model.tell(&Event::GuildDelete(guild));
        });
    }

    /// A part of the service is away, and this guild with it.
    pub fn guild_away(&self, guild: Id) {
        self.with(|model| model.tell(&Event::GuildAway(guild)));
    }

    /// Takes permissions from the bot in one channel.
    pub fn deny(&self, channel: Id, permissions: Permissions) {
        self.overwrite(channel, |over| {
            over.deny |= permissions;
            over.allow &= !permissions;
        });
    }

    /// Gives permissions to the bot in one channel.
    pub fn allow(&self, channel: Id, permissions: Permissions) {
        self.overwrite(channel, |over| {
            over.allow |= permissions;
            over.deny &= !permissions;
        });
    }

    fn overwrite(&self, channel: Id, change: impl FnOnce(&mut Overwrite)) {
        self.with(|model| {
            let bot = model.application.bot;
            let it = model.channels.get_mut(&channel).expect("a channel");
            let none = Overwrite { for_role: false, allow: Permissions::empty(), deny: Permissions::empty() };
            change(it.overwrites.entry(bot).or_insert(none));
            model.tell(&Event::ChannelUpdate(channel));
        });
    }

    /// Somebody gets a nickname in every guild.
    pub fn rename(&self, user: Id, nick: &str) {
        self.with(|model| {
            let all: Vec<Id> = model.guilds.keys().copied().collect();
            for guild in all {
                let it = model.guilds.get_mut(&guild).expect("a guild");
                if let Some(member) = it.members.get_mut(&user) {
                    member.nick = Some(nick.to_owned());
                    model.tell(&Event::MemberUpdate(guild, user));
                }
            }
        });
    }

    pub fn rename_guild(&self, guild: Id, name: &str) {
        self.with(|model| {
            model.guilds.get_mut(&guild).expect("a guild").name = name.to_owned();
            model.tell(&Event::GuildUpdate(guild));
        });
    }

    /// Somebody leaves. Bots without the Server Members intent are not told.
    pub fn leave(&self, guild: Id, user: Id) {
        self.with(|model| model.guilds.get_mut(&guild).expect("a guild").members.remove(&user));
    }

    pub fn close_dms(&self, user: Id) {
        self.with(|model| model.users.get_mut(&user).expect("a user").closed = true);
    }

    /// The direct messages between the bot and somebody.
    pub fn dm(&self, user: Id) -> Id {
        self.with(|model| model.dm(user))
    }

    /// A channel or a thread is deleted.
    pub fn delete_channel(&self, channel: Id) {
        self.with(|model| model.remove_channel(channel));
    }

    pub fn archive(&self, thread: Id) {
        self.change_thread(thread, |it| it.archived = true);
    }

    pub fn lock(&self, thread: Id) {
        self.change_thread(thread, |it| it.locked = true);
    }

    pub fn is_archived(&self, thread: Id) -> bool {
        self.with(|model| model.channels[&thread].thread.as_ref().is_some_and(|it| it.archived))
    }

    fn change_thread(&self, thread: Id, change: impl FnOnce(&mut super::model::Thread)) {
        self.with(|model| {
            let it = model.channels.get_mut(&thread).and_then(|it| it.thread.as_mut()).expect("a thread");
            change(it);
            it.archive_changed_ms = now_ms();
            model.tell(&Event::ThreadUpdate(thread));
        });
    }
}

/// Messages.
impl Fake {
    /// Somebody writes in a channel, a thread or to the bot.
    #[track_caller]
    pub fn write(&self, user: Id, channel: Id, text: &str) -> Id {
        self.try_write(user, channel, text).unwrap_or_else(|why| panic!("{why}"))
    }

    /// As `write`, when it is not certain that the person may.
    pub fn try_write(&self, user: Id, channel: Id, text: &str) -> Result<Id, Refused> {
        self.with(|model| {
            let it = model.channels.get(&channel).ok_or("the channel is gone")?;
            let place = text::place(model, channel);
            let needed =
                if it.is_thread() { Permissions::SEND_MESSAGES_IN_THREADS } else { Permissions::SEND_MESSAGES };
            let may = model.permissions(channel, user);
            if it.kind == FORUM || !may.contains(needed) {
                return Err(format!("{} may not write in {place}", model.name_in(channel, user)));
            }
            let locked = it.thread.as_ref().is_some_and(|thread| thread.locked);
            if locked && !may.contains(Permissions::MANAGE_THREADS) {
                return Err(format!("{place} is locked"));
            }
            let pinged = model.pinged(channel, user, text, None);
            Ok(model.post(channel, user, Draft { content: text.to_owned(), pinged, ..Draft::default() }))
        })
    }

    /// The author changes a message.
    pub fn edit(&self, message: Id, text: &str) {
        self.with(|model| model.edit_message(message, &json!({"content": text})));
    }

    pub fn delete(&self, message: Id) {
        self.with(|model| model.remove_message(message));
    }

    /// A moderator deletes many messages of one channel at once.
    pub fn delete_many(&self, messages: &[Id]) {
        self.with(|model| {
            let channel = messages.first().and_then(|id| Some(model.messages.get(id)?.channel));
            model.messages.retain(|id, _| !messages.contains(id));
            if let Some(channel) = channel {
                model.tell(&Event::MessageDeleteBulk(messages.to_vec(), channel));
            }
        });
    }

    /// What everybody sees in a channel or thread, oldest first.
    pub fn messages(&self, channel: Id) -> Vec<Shown> {
        self.with(|model| model.public_messages(channel).map(|it| text::shown(model, it)).collect())
    }

    /// What only this person sees, oldest first.
    pub fn ephemeral_of(&self, user: Id) -> Vec<Shown> {
        let mut all = self.everything();
        all.retain(|message| message.only_for == Some(user));
        all
    }

    /// Every message there is, oldest first.
    pub fn everything(&self) -> Vec<Shown> {
        self.with(|model| model.messages.values().map(|it| text::shown(model, it)).collect())
    }

    /// The emoji on a message, one for each that put it there.
    pub fn reactions(&self, message: Id) -> Vec<String> {
        self.with(|model| model.messages[&message].reactions.iter().map(|(emoji, _)| emoji.clone()).collect())
    }

    /// The threads below a channel, oldest first, with their names.
    pub fn threads(&self, channel: Id) -> Vec<(Id, String)> {
        self.with(|model| {
            let below = model.channels.values().filter(|it| it.parent == Some(channel));
            below.map(|it| (it.id, it.name.clone())).collect()
        })
    }

    /// Waits until something in a channel has this text, at most `patience`.
    pub async fn until(&self, channel: Id, part: &str) -> Shown {
        let patience = self.with(|model| model.timing.patience);
        let found = self.shared.wait(patience, |model| {
            model.public_messages(channel).map(|it| text::shown(model, it)).find(|it| it.text().contains(part))
        });
        match found.await {
            Some(shown) => shown,
            None => panic!("no message has {part:?}: {:#?}", self.messages(channel)),
        }
    }

    /// Changes whenever anything does.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes()
    }
}

/// Interactions.
impl Fake {
    /// Somebody types a command: `/daily set time:09:00 zone:Europe/London`.
    pub async fn command(&self, user: Id, channel: Id, line: &str) -> Seen {
        let act = self.with(|model| {
            let (command, rest) = registered(model, user, channel, 1, line)?;
            let mut resolved = json!({});
            let options = options(model, channel, &command.1, rest, &Typing::Whole, &mut resolved)?;
            let mut data = json!({
                "id": command.0.to_string(), "name": command.1["name"], "type": 1, "options": options,
            });
            if resolved.as_object().is_some_and(|all| !all.is_empty()) {
                data["resolved"] = resolved;
            }
            Ok(Act { kind: 2, user, channel, on_message: None, data })
        });
        self.interact(act).await
    }

    /// Somebody has typed so much of one option; what is offered?
    pub async fn autocomplete(&self, user: Id, channel: Id, line: &str, option: &str, typed: &str) -> Seen {
        let act = self.with(|model| {
            let (command, rest) = registered(model, user, channel, 1, line)?;
            let typing = Typing::Option(option, typed);
            let options = options(model, channel, &command.1, rest, &typing, &mut json!({}))?;
            let data = json!({
                "id": command.0.to_string(), "name": command.1["name"], "type": 1, "options": options,
            });
            Ok(Act { kind: 4, user, channel, on_message: None, data })
        });
        self.interact(act).await
    }

    /// Somebody chooses a command from the menu of a message.
    pub async fn message_command(&self, user: Id, message: impl OnMessage, name: &str) -> Seen {
        let act = self.with(|model| {
            let it = visible(model, user, message.message())?;
            let (id, target) = (it.id.to_string(), wire::message(model, it, true));
            let channel = it.channel;
            let (command, _) = registered(model, user, channel, 3, name)?;
            let data = json!({
                "id": command.0.to_string(), "name": command.1["name"], "type": 3, "target_id": id,
                "resolved": {"messages": {id.clone(): target}},
            });
            Ok(Act { kind: 2, user, channel, on_message: None, data })
        });
        self.interact(act).await
    }

    /// Somebody presses the button with this label.
    pub async fn press(&self, user: Id, message: impl OnMessage, label: &str) -> Seen {
        let act = self.with(|model| {
            let it = visible(model, user, message.message())?;
            let fits = |one: &&Value| one["label"] == label || one["emoji"]["name"] == label;
            let found = components(it).into_iter().filter(|one| one["type"] == 2).find(fits);
            let button = usable(found, label, &text::message(model, it))?;
            let data = json!({"custom_id": button["custom_id"], "component_type": 2, "id": button["id"]});
            Ok(Act { kind: 3, user, channel: it.channel, on_message: Some(it.id), data })
        });
        self.interact(act).await
    }

    /// Somebody chooses the option with this label in a select.
    pub async fn choose(&self, user: Id, message: impl OnMessage, label: &str) -> Seen {
        let act = self.with(|model| {
            let it = visible(model, user, message.message())?;
            let value_in = |one: &Value| {
                let options = one["options"].as_array()?;
                options.iter().find(|option| option["label"] == label).map(|option| option["value"].clone())
            };
            let found = components(it).into_iter().find(|one| value_in(one).is_some());
            let select = usable(found, label, &text::message(model, it))?;
            let data = json!({
                "custom_id": select["custom_id"], "component_type": 3, "id": select["id"],
                "values": [value_in(select)],
            });
            Ok(Act { kind: 3, user, channel: it.channel, on_message: Some(it.id), data })
        });
        self.interact(act).await
    }

    /// Somebody fills a form, each input by its custom id or label, and sends it. Inputs not named keep what is in them.
    pub async fn submit(&self, user: Id, modal: &Modal, values: &[(&str, &str)]) -> Seen {
        let filled = fill(&modal.form, values).map(|components| {
            let data = json!({"custom_id": modal.form["custom_id"], "components": components});
            Act { kind: 5, user, channel: modal.channel, on_message: modal.on_message, data }
        });
        self.interact(filled).await
    }

    /// Sends an interaction and waits for what comes of it.
    async fn interact(&self, act: Result<Act, Refused>) -> Seen {
        let act = match act {
            Ok(act) => act,
            Err(why) => return Seen::without_bot(Kind::Refused, Duration::ZERO, why),
        };
        let (limit, patience) = self.with(|model| (model.timing.first_response, model.timing.patience));
        let id = self.with(|model| begin(model, act));
        let first = |model: &Model| {
            let it = &model.interactions[&id];
            it.first.as_ref().map(|first| (first.after, first.what.clone()))
        };
        let Some((after, what)) = self.shared.wait(limit, first).await else {
            return Seen::without_bot(Kind::Nothing, limit, "The application did not respond".into());
        };
        let settled = |model: &Model| {
            let it = &model.interactions[&id];
            let gone = it.original.is_some_and(|original| !model.messages.contains_key(&original));
            let waits = match what {
                FirstKind::Deferred => !it.filled && !gone,
                FirstKind::DeferredUpdate => !it.filled && !gone && it.followups.is_empty(),
                _ => false,
            };
            (!waits).then_some(())
        };
        let _ = self.shared.wait(patience, settled).await;
        self.with(|model| outcome(model, &model.interactions[&id], after, &what))
    }
}

/// Puts an interaction into the model and tells the bot.
fn begin(model: &mut Model, act: Act) -> Id {
    let id = model.id();
    let Act { kind, user, channel, on_message, data } = act;
    let interaction = Interaction {
        id,
        token: format!("token-of-interaction-{id}"),
        kind,
        user,
        channel,
        on_message,
        data,
        begun: std::time::Instant::now(),
        first: None,
        original: None,
        filled: false,
        followups: Vec::new(),
    };
    model.interactions.insert(id, interaction);
    model.tell(&Event::Interaction(id));
    id
}

fn outcome(model: &Model, it: &Interaction, after: Duration, what: &FirstKind) -> Seen {
    let messages = it.original.iter().chain(&it.followups).filter_map(|id| model.messages.get(id));
    let texts: Vec<String> = messages.map(|message| text::message(model, message)).collect();
    let only = it.original.and_then(|id| model.messages.get(&id)).is_some_and(|message| message.only_for.is_some());
    let mut seen = Seen {
        message: it.original,
        followups: it.followups.clone(),
        ..Seen::without_bot(Kind::Update, after, texts.join("\n\n"))
    };
    match what {
        FirstKind::Message => seen.kind = Kind::Message { ephemeral: only },
        FirstKind::Deferred => seen.kind = Kind::Deferred { ephemeral: only },
        FirstKind::Update | FirstKind::DeferredUpdate => {}
        FirstKind::Modal(form) => {
            seen.kind = Kind::Modal;
            seen.text = text::form(form);
            seen.modal = Some(Modal { form: form.clone(), channel: it.channel, on_message: it.on_message });
        }
        FirstKind::Choices(all) => {
            seen.kind = Kind::Choices;
            let choice = |one: &Value| (one["name"].as_str().unwrap_or_default().to_owned(), one["value"].clone());
            seen.choices = all.iter().map(choice).collect();
            seen.text = seen.choices.iter().map(|(name, _)| name.as_str()).collect::<Vec<&str>>().join("\n");
        }
    }
    seen
}

/// The message, when this person sees it.
fn visible(model: &Model, user: Id, message: Option<Id>) -> Result<&super::model::Message, Refused> {
    let it = message.and_then(|id| model.messages.get(&id)).ok_or("there is no such message")?;
    let there = model.permissions(it.channel, user).contains(Permissions::VIEW_CHANNEL);
    let mine = it.only_for.is_none_or(|only| only == user);
    if there && mine { Ok(it) } else { Err("this person does not see that message".into()) }
}

fn components(it: &super::model::Message) -> Vec<&Value> {
    it.components.iter().flat_map(|row| row["components"].as_array().into_iter().flatten()).collect()
}

fn usable<'a>(component: Option<&'a Value>, label: &str, text: &str) -> Result<&'a Value, Refused> {
    let one = component.ok_or_else(|| format!("there is no [{label}] on this message:\n{text}"))?;
    if one["disabled"] == true {
        return Err(format!("[{label}] is off"));
    }
    if one["custom_id"].is_null() {
        return Err(format!("[{label}] is a link"));
    }
    Ok(one)
}

/// The id and form of a command that this person may use here, and the rest of the line.
fn registered<'a>(
    model: &Model,
    user: Id,
    channel: Id,
    kind: u64,
    line: &'a str,
) -> Result<((Id, Value), &'a str), Refused> {
    let line = line.trim_start_matches('/');
    // Names of menu commands have spaces.
    let (name, rest) = if kind == 1 { line.split_once(' ').unwrap_or((line, "")) } else { (line, "") };
    let fits = |form: &Value| form["name"] == name && form["type"].as_u64().unwrap_or(1) == kind;
    let known = model.application.commands.iter().find(|one| fits(&one.form));
    let command = known.ok_or_else(|| format!("there is no command {name:?} of this kind"))?;
    let it = model.channels.get(&channel).ok_or("there is no such channel")?;
    let contexts = command.form["contexts"].as_array();
    let here = u64::from(it.guild.is_none());
    let offered = contexts.is_none_or(|all| all.iter().any(|one| one.as_u64() == Some(here)));
    if !offered || (it.guild.is_none() && command.form["dm_permission"] == false) {
        return Err(format!("{name} is not offered here"));
    }
    if let Some(guild) = it.guild {
        if !model.bot_is_in(guild) {
            return Err("the bot is not in this guild".into());
        }
        let may = model.permissions(channel, user);
        if !may.contains(Permissions::VIEW_CHANNEL | Permissions::USE_APPLICATION_COMMANDS) {
            return Err("this person may not use commands here".into());
        }
        let asked = command.form["default_member_permissions"].as_str().and_then(|bits| bits.parse().ok());
        let asked = asked.map_or(Permissions::empty(), Permissions::from_bits_retain);
        let nobody = command.form["default_member_permissions"] == "0" && !may.contains(Permissions::ADMINISTRATOR);
        if nobody || !may.contains(asked) {
            return Err(format!("this person may not use {name}"));
        }
    }
    Ok(((command.id, command.form.clone()), rest))
}

/// How far the line is.
enum Typing<'a> {
    Whole,
    /// (option, what is typed of it so far)
    Option(&'a str, &'a str),
}

/// The options of a command or subcommand, as the client sends them.
fn options(
    model: &Model,
    channel: Id,
    form: &Value,
    rest: &str,
    typing: &Typing,
    resolved: &mut Value,
) -> Result<Vec<Value>, Refused> {
    let known: Vec<Value> = form["options"].as_array().cloned().unwrap_or_default();
    let rest = rest.trim();
    if known.iter().any(|one| matches!(one["type"].as_u64(), Some(1 | 2))) {
        let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let names: Vec<&str> = known.iter().filter_map(|one| one["name"].as_str()).collect();
        let sub = known.iter().find(|one| one["name"] == name);
        let sub = sub.ok_or_else(|| format!("{name:?} is none of {}", names.join(", ")))?;
        let inside = options(model, channel, sub, rest, typing, resolved)?;
        return Ok(vec![json!({"name": name, "type": sub["type"], "options": inside})]);
    }
    let mut given: Vec<(&Value, String)> = Vec::new();
    for word in rest.split_whitespace() {
        let named = word.split_once(':').filter(|(name, after)| is_name(name) && !after.starts_with("//"));
        match named {
            Some((name, value)) => {
                let option = known.iter().find(|one| one["name"] == name);
                given.push((option.ok_or_else(|| format!("there is no option {name}"))?, value.to_owned()));
            }
            None => {
                let (_, value) = given.last_mut().ok_or_else(|| format!("{word:?} belongs to no option"))?;
                *value = format!("{value} {word}").trim().to_owned();
            }
        }
    }
    let mut out = Vec::new();
    for (option, text) in &given {
        let value = value(model, channel, option, text, resolved)?;
        out.push(json!({"name": option["name"], "type": option["type"], "value": value}));
    }
    match typing {
        Typing::Whole => {
            let missing = known.iter().find(|one| one["required"] == true && !given.iter().any(|it| it.0 == *one));
            missing.map_or(Ok(out), |one| Err(format!("{} is required", one["name"])))
        }
        Typing::Option(name, typed) => {
            let option = known.iter().find(|one| one["name"] == *name);
            let option = option.ok_or_else(|| format!("there is no option {name}"))?;
            if option["autocomplete"] != true {
                return Err(format!("{name} completes nothing"));
            }
            out.push(json!({"name": name, "type": option["type"], "value": typed, "focused": true}));
            Ok(out)
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphabetic() || c == '_' || c == '-')
}

/// What a person typed, as the type of the option has it.
fn value(model: &Model, channel: Id, option: &Value, text: &str, resolved: &mut Value) -> Result<Value, Refused> {
    let name = &option["name"];
    if let Some(choices) = option["choices"].as_array().filter(|choices| !choices.is_empty()) {
        let chosen = choices.iter().find(|one| one["name"] == text);
        return chosen.map(|one| one["value"].clone()).ok_or_else(|| format!("{text:?} is no choice of {name}"));
    }
    let within = |number: f64| {
        let (least, most) = (option["min_value"].as_f64(), option["max_value"].as_f64());
        least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)
    };
    let guild = model.channels.get(&channel).and_then(|it| model.guilds.get(&it.guild?));
    let bare = text.trim_start_matches(['@', '#']);
    let value = match option["type"].as_u64() {
        Some(3) => {
            let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
            let least = option["min_length"].as_u64().unwrap_or(0);
            let most = option["max_length"].as_u64().unwrap_or(6000);
            (least..=most).contains(&length).then(|| json!(text))
        }
        Some(4) => {
            let number = text.parse::<i32>().ok().filter(|number| within(f64::from(*number)));
            number.map(|number| json!(number))
        }
        Some(5) => text.to_lowercase().parse::<bool>().ok().map(|flag| json!(flag)),
        Some(6) => {
            let found = guild.and_then(|guild| {
                let mut all = guild.members.keys();
                all.find(|id| model.name_in(channel, **id) == bare).map(|id| (guild.id, *id))
            });
            found.map(|(guild, id)| {
                let mut member = wire::member(model, guild, id).unwrap_or_default();
                member.as_object_mut().map(|member| member.remove("user"));
                member["permissions"] = json!(model.permissions(channel, id).bits().to_string());
                resolved["users"][id.to_string()] = wire::user(model, id);
                resolved["members"][id.to_string()] = member;
                json!(id.to_string())
            })
        }
        Some(7) => {
            let of_guild = |it: &&super::model::Channel| it.guild == guild.map(|guild| guild.id) && it.name == bare;
            model.channels.values().find(of_guild).map(|it| {
                let mut shown = wire::channel(model, it);
                shown["permissions"] = json!("0");
                resolved["channels"][it.id.to_string()] = shown;
                json!(it.id.to_string())
            })
        }
        Some(8) => {
            let found =
                guild.and_then(|guild| guild.roles.values().find(|role| role.name.trim_start_matches('@') == bare));
            found.map(|role| {
                resolved["roles"][role.id.to_string()] = wire::role(role, 0);
                json!(role.id.to_string())
            })
        }
        Some(10) => text.parse::<f64>().ok().filter(|number| within(*number)).map(|number| json!(number)),
        _ => None,
    };
    value.ok_or_else(|| format!("{text:?} does not fit {name}"))
}

/// The components of a form as they are sent back, when the values fit.
fn fill(form: &Value, values: &[(&str, &str)]) -> Result<Vec<Value>, Refused> {
    let inputs = text::inputs(form);
    let is = |(input, label): &(&Value, &str), name: &str| input["custom_id"] == name || *label == name;
    if let Some((name, _)) = values.iter().find(|(name, _)| !inputs.iter().any(|one| is(one, name))) {
        return Err(format!("the form has no input {name:?}"));
    }
    let mut filled = Vec::new();
    for one in &inputs {
        let (input, label) = one;
        let given = values.iter().find(|(name, _)| is(one, name)).map(|(_, value)| *value);
        let value = given.or(input["value"].as_str()).unwrap_or_default();
        let length = u64::try_from(super::limits::length(value)).unwrap_or(u64::MAX);
        let required = input["required"] != false;
        let least = input["min_length"].as_u64().unwrap_or(0).max(u64::from(required));
        let most = input["max_length"].as_u64().unwrap_or(4000);
        if (length < least && (required || length > 0)) || length > most {
            return Err(format!("{label:?} takes {least} to {most} characters, not {length}"));
        }
        filled.push(json!({"type": 4, "id": filled.len() + 2, "custom_id": input["custom_id"], "value": value}));
    }
    let mut filled = filled.into_iter();
    let back = |part: &Value| match part["type"].as_u64() {
        Some(10) => json!({"type": 10, "id": 1}),
        Some(18) => json!({"type": 18, "id": 1, "component": filled.next()}),
        _ => json!({"type": 1, "id": 1, "components": [filled.next()]}),
    };
    Ok(form["components"].as_array().into_iter().flatten().map(back).collect())
}
