//! What exists on the service: a plain model in memory. It knows no wire shapes (`wire` projects it) and refuses nothing (`rest` does).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;
pub use serenity::all::Permissions;

use super::faults::Faults;
use super::gateway::Sessions;
use super::rates::Rates;

/// A snowflake. Discord has one space of ids for everything.
pub type Id = u64;

/// Milliseconds from 1970 to 2015, where Discord's ids begin.
const EPOCH_MS: i64 = 1_420_070_400_000;

/// Kinds of channels, by Discord's numbers.
pub const TEXT: u8 = 0;
pub const DM: u8 = 1;
pub const ANNOUNCEMENT: u8 = 5;
pub const ANNOUNCEMENT_THREAD: u8 = 10;
pub const PUBLIC_THREAD: u8 = 11;
pub const FORUM: u8 = 15;

/// Kinds of messages.
pub const PLAIN: u8 = 0;
pub const REPLY: u8 = 19;
pub const COMMAND_RESPONSE: u8 = 20;
pub const THREAD_STARTER: u8 = 21;
pub const MENU_RESPONSE: u8 = 23;

/// Flags of messages.
pub const HAS_THREAD: u64 = 1 << 5;
pub const EPHEMERAL: u64 = 1 << 6;
pub const LOADING: u64 = 1 << 7;

/// What the bot is given when it is invited: what it asks for and nothing else.
pub const INVITED_WITH: Permissions = Permissions::VIEW_CHANNEL
    .union(Permissions::SEND_MESSAGES)
    .union(Permissions::SEND_MESSAGES_IN_THREADS)
    .union(Permissions::CREATE_PUBLIC_THREADS)
    .union(Permissions::EMBED_LINKS)
    .union(Permissions::READ_MESSAGE_HISTORY)
    .union(Permissions::ADD_REACTIONS);

/// What everybody may do in a new guild.
const EVERYONE: Permissions = Permissions::VIEW_CHANNEL
    .union(Permissions::SEND_MESSAGES)
    .union(Permissions::SEND_MESSAGES_IN_THREADS)
    .union(Permissions::READ_MESSAGE_HISTORY)
    .union(Permissions::ADD_REACTIONS)
    .union(Permissions::USE_APPLICATION_COMMANDS);

pub struct Model {
    pub application: Application,
    pub users: BTreeMap<Id, User>,
    pub guilds: BTreeMap<Id, Guild>,
    pub channels: BTreeMap<Id, Channel>,
    pub messages: BTreeMap<Id, Message>,
    pub interactions: BTreeMap<Id, Interaction>,
    /// What bots sent with `enforce_nonce`.
    pub nonces: Vec<Nonce>,
    pub sessions: Sessions,
    pub faults: Faults,
    pub rates: Rates,
    pub timing: Timing,
    pub log: Vec<Request>,
    /// What the bot (or the fake itself) did that Discord's rules forbid.
    pub violations: Vec<String>,
    last_id: Id,
}

pub struct Application {
    pub id: Id,
    /// The bot's user.
    pub bot: Id,
    pub token: String,
    /// Whether the developer portal grants the Message Content intent.
    pub message_content: bool,
    /// Whether it grants the Server Members intent.
    pub guild_members: bool,
    pub commands: Vec<Command>,
    /// "Requires OAuth2 Code Grant"
    pub code_grant: bool,
    pub interactions_endpoint: Option<String>,
}

pub struct Command {
    pub id: Id,
    /// As the bot registered it.
    pub form: Value,
}

pub struct User {
    pub name: String,
    pub bot: bool,
    /// Takes no direct messages from bots.
    pub closed: bool,
}

pub struct Guild {
    pub id: Id,
    pub name: String,
    pub owner: Id,
    /// The role with the guild's own id is @everyone.
    pub roles: BTreeMap<Id, Role>,
    pub members: BTreeMap<Id, Member>,
}

pub struct Role {
    pub id: Id,
    pub name: String,
    pub permissions: Permissions,
    pub managed: bool,
    pub mentionable: bool,
}

pub struct Member {
    pub nick: Option<String>,
    pub roles: Vec<Id>,
    pub joined_ms: i64,
}

pub struct Channel {
    pub id: Id,
    pub kind: u8,
    pub guild: Option<Id>,
    pub name: String,
    pub overwrites: BTreeMap<Id, Overwrite>,
    /// Of a forum.
    pub tags: Vec<(Id, String)>,
    pub parent: Option<Id>,
    /// The other side of a direct message.
    pub recipient: Option<Id>,
    pub thread: Option<Thread>,
    pub last_message: Option<Id>,
}

#[derive(Clone, Copy)]
pub struct Overwrite {
    pub for_role: bool,
    pub allow: Permissions,
    pub deny: Permissions,
}

pub struct Thread {
    pub owner: Id,
    pub archived: bool,
    pub locked: bool,
    pub auto_archive_minutes: u64,
    pub archive_changed_ms: i64,
    pub applied_tags: Vec<Id>,
    pub members: BTreeSet<Id>,
}

pub struct Message {
    pub id: Id,
    pub channel: Id,
    pub author: Id,
    pub kind: u8,
    pub content: String,
    pub embeds: Vec<Value>,
    pub components: Vec<Value>,
    pub flags: u64,
    pub nonce: Option<Value>,
    pub pinged: Pinged,
    pub edited_ms: Option<i64>,
    pub reactions: Vec<(String, Id)>,
    /// The message it replies to or, for a thread's starter, stands for.
    pub reference: Option<Id>,
    /// The interaction it responds to.
    pub interaction: Option<Id>,
    /// Who alone sees it.
    pub only_for: Option<Id>,
}

/// Who really got a notification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pinged {
    pub users: BTreeSet<Id>,
    pub roles: BTreeSet<Id>,
    pub everyone: bool,
}

/// A message before it has an id.
#[derive(Default)]
pub struct Draft {
    pub kind: u8,
    pub content: String,
    pub embeds: Vec<Value>,
    pub components: Vec<Value>,
    pub flags: u64,
    pub nonce: Option<Value>,
    pub pinged: Pinged,
    pub reference: Option<Id>,
    pub interaction: Option<Id>,
    pub only_for: Option<Id>,
}

pub struct Nonce {
    pub author: Id,
    pub text: String,
    pub at: Instant,
    pub message: Id,
}

pub struct Interaction {
    pub id: Id,
    pub token: String,
    /// 2 command, 3 component, 4 autocomplete, 5 modal.
    pub kind: u8,
    pub user: Id,
    pub channel: Id,
    /// The message with the component, also for a form that it opened.
    pub on_message: Option<Id>,
    /// What was asked, as in the event.
    pub data: Value,
    pub begun: Instant,
    pub first: Option<First>,
    /// The message that `@original` means.
    pub original: Option<Id>,
    /// Whether a deferred response has got its content.
    pub filled: bool,
    pub followups: Vec<Id>,
}

/// The first response.
pub struct First {
    pub after: Duration,
    pub what: FirstKind,
}

#[derive(Clone, Debug)]
pub enum FirstKind {
    Message,
    Deferred,
    DeferredUpdate,
    Update,
    Modal(Value),
    Choices(Vec<Value>),
}

/// One request as it came, and what was answered.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Without the query.
    pub path: String,
    pub query: String,
    pub body: Value,
    /// Zero when the connection was cut.
    pub status: u16,
    pub at: Instant,
}

/// How long things last. Shorten them to make a test fast.
pub struct Timing {
    /// In which an interaction must be answered.
    pub first_response: Duration,
    /// How long an interaction's token is good.
    pub token: Duration,
    /// How long a nonce is remembered.
    pub nonce: Duration,
    /// How long people wait for the content of a deferred response.
    pub patience: Duration,
    pub heartbeat: Duration,
    /// How far the service's clock is ahead of ours, as the Date of its answers shows.
    pub ahead_s: i64,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            first_response: Duration::from_secs(3),
            token: Duration::from_secs(15 * 60),
            nonce: Duration::from_secs(5 * 60),
            patience: Duration::from_secs(10),
            heartbeat: Duration::from_millis(41_250),
            ahead_s: 0,
        }
    }
}

/// Unix milliseconds at which an id was made.
pub fn made_ms(id: Id) -> i64 {
    i64::try_from(id >> 22).unwrap_or_default() + EPOCH_MS
}

pub fn now_ms() -> i64 {
    drillbot::app::clock::real_ms()
}

impl Channel {
    pub fn is_thread(&self) -> bool {
        self.thread.is_some()
    }
}

impl Model {
    /// One application with a bot, and nobody else.
    pub fn new() -> Model {
        let mut model = Model {
            application: Application {
                id: 0,
                bot: 0,
                token: String::new(),
                message_content: true,
                guild_members: false,
                commands: Vec::new(),
                code_grant: false,
                interactions_endpoint: None,
            },
            users: BTreeMap::new(),
            guilds: BTreeMap::new(),
            channels: BTreeMap::new(),
            messages: BTreeMap::new(),
            interactions: BTreeMap::new(),
            nonces: Vec::new(),
            sessions: Sessions::default(),
            faults: Faults::default(),
            rates: Rates::default(),
            timing: Timing::default(),
            log: Vec::new(),
            violations: Vec::new(),
            last_id: 0,
        };
        // As with every application of today, the bot's user has the application's id.
        let id = model.user("Drillbot");
        if let Some(user) = model.users.get_mut(&id) {
            user.bot = true;
        }
        model.application.id = id;
        model.application.bot = id;
        let first = data_encoding::BASE64URL_NOPAD.encode(id.to_string().as_bytes());
        model.application.token = format!("{first}.fake00.not-a-secret-of-any-service");
        model
    }

    /// A new id, larger than all before.
    pub fn id(&mut self) -> Id {
        let from_time = u64::try_from(now_ms() - EPOCH_MS).unwrap_or_default() << 22;
        self.last_id = from_time.max(self.last_id + 1);
        self.last_id
    }

    pub fn user(&mut self, name: &str) -> Id {
        let id = self.id();
        self.users.insert(id, User { name: name.to_owned(), bot: false, closed: false });
        id
    }

    pub fn guild(&mut self, name: &str) -> Id {
        let owner = self.user("Olga");
        let id = self.id();
        let everyone = Role { id, name: "@everyone".into(), permissions: EVERYONE, managed: false, mentionable: false };
        let roles = BTreeMap::from([(id, everyone)]);
        self.guilds.insert(id, Guild { id, name: name.to_owned(), owner, roles, members: BTreeMap::new() });
        self.join(id, owner, Vec::new());
        id
    }

    pub fn role(&mut self, guild: Id, name: &str, permissions: Permissions) -> Id {
        let id = self.id();
        let role = Role { id, name: name.to_owned(), permissions, managed: false, mentionable: false };
        self.guilds.get_mut(&guild).expect("a guild").roles.insert(id, role);
        id
    }

    pub fn join(&mut self, guild: Id, user: Id, roles: Vec<Id>) {
        let member = Member { nick: None, roles, joined_ms: now_ms() };
        self.guilds.get_mut(&guild).expect("a guild").members.insert(user, member);
    }

    pub fn channel(&mut self, guild: Option<Id>, kind: u8, name: &str) -> Id {
        let id = self.id();
        let channel = Channel {
            id,
            kind,
            guild,
            name: name.to_owned(),
            overwrites: BTreeMap::new(),
            tags: Vec::new(),
            parent: None,
            recipient: None,
            thread: None,
            last_message: None,
        };
        self.channels.insert(id, channel);
        id
    }

    /// The direct messages between the bot and a person.
    pub fn dm(&mut self, user: Id) -> Id {
        let known = self.channels.values().find(|channel| channel.recipient == Some(user));
        if let Some(channel) = known {
            return channel.id;
        }
        let id = self.channel(None, DM, "");
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.recipient = Some(user);
        }
        id
    }

    /// A thread below `parent`; with the id of the message it belongs to, if there is one.
    pub fn thread(&mut self, parent: Id, of: Option<Id>, name: &str, owner: Id) -> Id {
        let (guild, kind) = match self.channels.get(&parent) {
            Some(channel) if channel.kind == ANNOUNCEMENT => (channel.guild, ANNOUNCEMENT_THREAD),
            Some(channel) => (channel.guild, PUBLIC_THREAD),
            None => (None, PUBLIC_THREAD),
        };
        let made = self.channel(guild, kind, name);
        let mut channel = self.channels.remove(&made).expect("the channel just made");
        channel.id = of.unwrap_or(made);
        channel.parent = Some(parent);
        channel.thread = Some(Thread {
            owner,
            archived: false,
            locked: false,
            auto_archive_minutes: 1440,
            archive_changed_ms: now_ms(),
            applied_tags: Vec::new(),
            members: BTreeSet::from([owner]),
        });
        let id = channel.id;
        self.channels.insert(id, channel);
        id
    }

    /// Adds a message; tells nobody.
    pub fn add_message(&mut self, channel: Id, author: Id, draft: Draft) -> Id {
        let id = self.id();
        self.add_message_as(id, channel, author, draft);
        id
    }

    /// As `add_message`, with an id that is given: a forum post and its first message share one.
    pub fn add_message_as(&mut self, id: Id, channel: Id, author: Id, draft: Draft) {
        let Draft { kind, content, embeds, components, flags, nonce, pinged, reference, interaction, only_for } = draft;
        let edited_ms = None;
        let reactions = Vec::new();
        let message = Message {
            id,
            channel,
            author,
            kind,
            content,
            embeds,
            components,
            flags,
            nonce,
            pinged,
            edited_ms,
            reactions,
            reference,
            interaction,
            only_for,
        };
        self.messages.insert(id, message);
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.last_message = channel.last_message.max(Some(id));
            if let Some(thread) = &mut channel.thread {
                thread.members.insert(author);
            }
        }
    }

    /// The messages of a channel that everybody there sees, oldest first.
    pub fn public_messages(&self, channel: Id) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.values().filter(move |message| message.channel == channel && message.only_for.is_none())
    }

    pub fn bot_is_in(&self, guild: Id) -> bool {
        self.guilds.get(&guild).is_some_and(|guild| guild.members.contains_key(&self.application.bot))
    }

    /// How a person is called in the guild of a channel.
    pub fn name_in(&self, channel: Id, user: Id) -> String {
        let guild = self.channels.get(&channel).and_then(|channel| self.guilds.get(&channel.guild?));
        let nick = guild.and_then(|guild| guild.members.get(&user)?.nick.clone());
        nick.or_else(|| Some(self.users.get(&user)?.name.clone())).unwrap_or_else(|| format!("{user}"))
    }

    /// What a member may do in a guild, before the channels have their say.
    /// Source: docs.discord.com/developers/topics/permissions.
    pub fn guild_permissions(&self, guild: Id, user: Id) -> Permissions {
        let Some(guild) = self.guilds.get(&guild) else { return Permissions::empty() };
        let Some(member) = guild.members.get(&user) else { return Permissions::empty() };
        if guild.owner == user {
            return Permissions::all();
        }
        let of_roles = member.roles.iter().chain([&guild.id]).filter_map(|role| guild.roles.get(role));
        let all = of_roles.fold(Permissions::empty(), |sum, role| sum | role.permissions);
        if all.contains(Permissions::ADMINISTRATOR) { Permissions::all() } else { all }
    }

    /// What somebody may do in a channel. A thread has the overwrites of its parent.
    pub fn permissions(&self, channel: Id, user: Id) -> Permissions {
        let Some(channel) = self.channels.get(&channel) else { return Permissions::empty() };
        let Some(guild) = channel.guild.and_then(|guild| self.guilds.get(&guild)) else {
            let takes_part = channel.recipient == Some(user) || user == self.application.bot;
            return if takes_part { INVITED_WITH } else { Permissions::empty() };
        };
        let base = self.guild_permissions(guild.id, user);
        if base.contains(Permissions::ADMINISTRATOR) {
            return base;
        }
        let Some(member) = guild.members.get(&user) else { return Permissions::empty() };
        let with_overwrites = channel.parent.and_then(|parent| self.channels.get(&parent)).unwrap_or(channel);
        let apply = |to: Permissions, over: Overwrite| (to & !over.deny) | over.allow;
        let mut all = base;
        if let Some(over) = with_overwrites.overwrites.get(&guild.id) {
            all = apply(all, *over);
        }
        let none = Overwrite { for_role: true, allow: Permissions::empty(), deny: Permissions::empty() };
        let roles = member.roles.iter().filter_map(|role| with_overwrites.overwrites.get(role));
        let of_roles = roles.fold(none, |sum, over| Overwrite {
            allow: sum.allow | over.allow,
            deny: sum.deny | over.deny,
            ..sum
        });
        all = apply(all, of_roles);
        if let Some(over) = with_overwrites.overwrites.get(&user) {
            all = apply(all, *over);
        }
        if all.contains(Permissions::VIEW_CHANNEL) { all } else { Permissions::empty() }
    }

    /// Whom a text notifies, by what it says, what its sender allows and what the sender may.
    pub fn pinged(&self, channel: Id, author: Id, content: &str, allowed: Option<&Value>) -> Pinged {
        let guild = self.channels.get(&channel).and_then(|channel| self.guilds.get(&channel.guild?));
        let allows = |kind: &str, id: Option<Id>| {
            let Some(allowed) = allowed.filter(|allowed| !allowed.is_null()) else { return true };
            let list = |name: &str| allowed[name].as_array().cloned().unwrap_or_default();
            let listed = id.is_some_and(|id| list(kind).iter().any(|one| one.as_str() == Some(&id.to_string())));
            listed || list("parse").iter().any(|one| one == kind)
        };
        let may_all = self.permissions(channel, author).contains(Permissions::MENTION_EVERYONE);
        let mut pinged = Pinged::default();
        for piece in content.split("<@").skip(1) {
            let Some((inside, _)) = piece.split_once('>') else { continue };
            if let Some(role) = inside.strip_prefix('&').and_then(|role| role.parse().ok()) {
                let known = guild.and_then(|guild| guild.roles.get(&role));
                if known.is_some_and(|role| role.mentionable || may_all) && allows("roles", Some(role)) {
                    pinged.roles.insert(role);
                }
            } else if let Ok(user) = inside.trim_start_matches('!').parse()
                && self.users.contains_key(&user)
                && allows("users", Some(user))
            {
                pinged.users.insert(user);
            }
        }
        let calls_all = content.contains("@everyone") || content.contains("@here");
        pinged.everyone = calls_all && may_all && guild.is_some() && allows("everyone", None);
        pinged
    }
}
