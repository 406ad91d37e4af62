//! What exists: workspaces, people, channels, messages, views, and what the app may do with them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::events::Deliveries;
use super::faults::Faults;
use super::payloads;
use super::rates::Rates;
use super::socket::Sockets;

/// `T..` a workspace, `U..` somebody, `C..` a channel, `D..` direct messages, `V..` a view, `B..` a bot, `A..` the app.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    kind: char,
    number: u32,
}

/// When a message was sent, which is also its name in its channel: microseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ts(u64);

/// One message: a channel and a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    pub channel: Id,
    pub ts: Ts,
}

/// Where somebody writes: in a channel, or in the thread of a message.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub channel: Id,
    pub thread: Option<Ts>,
}

pub struct Model {
    pub app: App,
    pub teams: BTreeMap<Id, Team>,
    pub users: BTreeMap<Id, User>,
    pub channels: BTreeMap<Id, Channel>,
    pub messages: BTreeMap<Spot, Message>,
    pub views: BTreeMap<Id, View>,
    /// By the last piece of their path.
    pub response_urls: BTreeMap<String, ResponseUrl>,
    pub triggers: BTreeMap<String, Trigger>,
    pub codes: BTreeMap<String, Code>,
    pub sockets: Sockets,
    pub deliveries: Deliveries,
    pub faults: Faults,
    pub rates: Rates,
    pub timing: Timing,
    pub log: Vec<Request>,
    /// What the app sends is not the bot's: the fake's own tests send what is broken on purpose.
    pub not_the_bot: bool,
    /// Rules that were broken, in words.
    pub violations: Vec<String>,
    /// What people could notice, in order.
    pub happenings: Vec<Happening>,
    /// `http://address`, for response urls.
    pub url: String,
    last_number: u32,
    last_ts: u64,
}

/// The one application.
pub struct App {
    pub id: Id,
    pub app_token: String,
    pub client_id: String,
    pub client_secret: String,
    pub signing_secret: String,
    pub verification_token: String,
    /// Whether Socket Mode is on.
    pub socket_mode: bool,
    /// Where events go instead of sockets.
    pub events_url: Option<String>,
    /// Other addresses for slash commands and interactions, when the app has them.
    pub commands_url: Option<String>,
    pub interactions_url: Option<String>,
    /// As in the manifest: `message.channels`, `app_home_opened`, ..
    pub subscribed: BTreeSet<String>,
    /// The slash commands that Slack knows; empty: all.
    pub commands: BTreeSet<String>,
    /// Message shortcuts: (name, callback id).
    pub shortcuts: Vec<(String, String)>,
    /// What a new installation may do.
    pub scopes: BTreeSet<String>,
}

pub struct Team {
    pub id: Id,
    pub name: String,
    pub domain: String,
    pub install: Option<Install>,
}

/// The app in a workspace.
#[derive(Clone)]
pub struct Install {
    pub bot: Id,
    pub bot_id: Id,
    pub token: String,
    pub scopes: BTreeSet<String>,
    pub state: Installed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installed {
    Active,
    /// `token_revoked`.
    Revoked,
    /// `account_inactive`.
    Gone,
}

#[derive(Clone)]
pub struct User {
    pub id: Id,
    pub team: Id,
    /// Short and lower case.
    pub name: String,
    pub real_name: String,
    /// Empty when somebody has chosen none.
    pub display_name: String,
    pub bot: bool,
    pub deactivated: bool,
    pub admin: bool,
    pub owner: bool,
    pub guest: bool,
    pub zone: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Public,
    Private,
    /// Direct messages between the bot and somebody.
    Direct,
}

pub struct Channel {
    pub id: Id,
    pub team: Id,
    pub kind: Kind,
    pub name: String,
    pub archived: bool,
    pub deleted: bool,
    /// Why the bot may not post here: `restricted_action`, ..
    pub refuses: Option<&'static str>,
    /// Other workspaces that take part (Slack Connect).
    pub shared_with: BTreeSet<Id>,
    pub members: BTreeSet<Id>,
    pub created_s: u64,
    /// The person in direct messages.
    pub with: Option<Id>,
}

#[derive(Clone)]
pub struct Message {
    pub channel: Id,
    pub ts: Ts,
    pub thread: Option<Ts>,
    pub user: Id,
    /// Set for what an app has sent.
    pub bot_id: Option<Id>,
    pub text: String,
    pub blocks: Vec<Value>,
    pub metadata: Option<Value>,
    pub subtype: Option<&'static str>,
    pub edited: Option<(Id, Ts)>,
    /// (name, who), in the order they came.
    pub reactions: Vec<(String, Id)>,
    /// Who alone sees it.
    pub only_for: Option<Id>,
    /// An administrator has locked its thread.
    pub locked: bool,
    /// Whether names after `@` in plain words are found, as `link_names` and `parse: full` make Slack do.
    pub finds_names: bool,
    /// The response url it came by, so that it is known what it answers.
    pub answers: Option<String>,
}

/// A modal or a Home.
#[derive(Clone)]
pub struct View {
    pub id: Id,
    pub team: Id,
    /// Who has it open.
    pub user: Id,
    /// As the app gave it.
    pub form: Value,
    pub hash: String,
    /// Block id, action id, value.
    pub values: BTreeMap<String, BTreeMap<String, Value>>,
    /// What the last submission was told, by block id.
    pub errors: BTreeMap<String, String>,
    /// The options that a select was last offered, by action id.
    pub offered: BTreeMap<String, Vec<Value>>,
    pub open: bool,
    pub home: bool,
    pub previous: Option<Id>,
    pub root: Id,
}

pub struct ResponseUrl {
    pub team: Id,
    pub channel: Id,
    pub user: Id,
    /// The message that was pressed on.
    pub on: Option<Spot>,
    pub used: u32,
    pub made: Instant,
}

pub struct Trigger {
    pub user: Id,
    pub team: Id,
    pub made: Instant,
    pub used: bool,
}

/// What an installation gives before it is exchanged.
pub struct Code {
    pub team: Id,
    pub user: Id,
    pub redirect: Option<String>,
    pub used: bool,
    pub made: Instant,
}

/// Something that a person could notice.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    Posted(Spot),
    /// A message was changed or deleted.
    Changed(Spot),
    /// By who was asked to, through the address that came with a press.
    Replaced(Spot),
    /// (view, trigger)
    Opened(Id, String),
    Updated(Id),
    Published(Id),
}

/// One request as it came, and what was answered.
#[derive(Clone, Debug)]
pub struct Request {
    /// `chat.postMessage`, or the path of anything else.
    pub method: String,
    pub body: Value,
    /// The token it came with.
    pub token: String,
    /// Zero when the connection was cut.
    pub status: u16,
    pub answer: Value,
    pub at: Instant,
}

/// How long things last. Shorten them to make a test fast.
pub struct Timing {
    /// In which everything must be acknowledged.
    pub ack: Duration,
    pub trigger: Duration,
    pub response_url: Duration,
    pub code: Duration,
    /// Before the first, second and third repetition.
    pub retries: [Duration; 3],
    /// How long people wait for something to happen.
    pub patience: Duration,
    /// How long they look on after a form has closed.
    pub glance: Duration,
    /// Between the pings of a socket.
    pub ping: Duration,
    /// How far the service's clock is ahead of ours, as the Date of its answers shows.
    pub ahead_s: i64,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            ack: Duration::from_secs(3),
            trigger: Duration::from_secs(3),
            response_url: Duration::from_secs(30 * 60),
            code: Duration::from_secs(10 * 60),
            retries: [Duration::ZERO, Duration::from_secs(60), Duration::from_secs(5 * 60)],
            patience: Duration::from_secs(10),
            glance: Duration::from_secs(1),
            ping: Duration::from_secs(10),
            ahead_s: 0,
        }
    }
}

/// What the bot needs for all it does; a test takes some of it away.
pub const SCOPES: [&str; 15] = [
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "reactions:read",
    "reactions:write",
    "team:read",
    "users:read",
    "channels:join",
];

/// Events that reach the app unless a test says otherwise.
pub const EVENTS: [&str; 23] = [
    "message.channels",
    "message.groups",
    "message.im",
    "app_home_opened",
    "app_uninstalled",
    "tokens_revoked",
    "channel_rename",
    "channel_archive",
    "channel_unarchive",
    "channel_deleted",
    "channel_left",
    "channel_shared",
    "channel_unshared",
    "group_rename",
    "group_archive",
    "group_unarchive",
    "group_deleted",
    "group_left",
    "member_joined_channel",
    "member_left_channel",
    "user_change",
    "team_rename",
    "app_mention",
];

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}0FAKE{:05}", self.kind, self.number)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Id {
    type Err = ();

    fn from_str(text: &str) -> Result<Id, ()> {
        let (kind, number) = text.split_once("0FAKE").ok_or(())?;
        let kind = kind.chars().next().filter(|_| kind.len() == 1).ok_or(())?;
        Ok(Id { kind, number: number.parse().map_err(|_| ())? })
    }
}

impl fmt::Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

impl fmt::Debug for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Ts {
    type Err = ();

    /// Seconds, with or without a fraction.
    fn from_str(text: &str) -> Result<Ts, ()> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let whole: u64 = whole.parse().map_err(|_| ())?;
        let part: u64 = format!("{part:0<6}").get(..6).and_then(|six| six.parse().ok()).ok_or(())?;
        Ok(Ts(whole * 1_000_000 + part))
    }
}

impl From<Id> for Place {
    fn from(channel: Id) -> Place {
        Place { channel, thread: None }
    }
}

impl From<Spot> for Place {
    fn from(spot: Spot) -> Place {
        Place { channel: spot.channel, thread: Some(spot.ts) }
    }
}

impl Message {
    pub fn spot(&self) -> Spot {
        Spot { channel: self.channel, ts: self.ts }
    }

    /// Whether it is in a thread and not its first message.
    pub fn is_reply(&self) -> bool {
        self.thread.is_some_and(|thread| thread != self.ts)
    }

    /// Whether the channel itself shows it.
    pub fn in_channel(&self) -> bool {
        self.only_for.is_none() && (!self.is_reply() || self.subtype == Some("thread_broadcast"))
    }
}

impl User {
    /// How others see the person.
    pub fn shown_name(&self) -> &str {
        if self.display_name.is_empty() { &self.real_name } else { &self.display_name }
    }
}

pub fn now_ms() -> i64 {
    drillbot::app::clock::real_ms()
}

pub fn now_s() -> u64 {
    u64::try_from(now_ms() / 1000).unwrap_or_default()
}

impl Model {
    /// The application, and nobody else.
    pub fn new() -> Model {
        let id = Id { kind: 'A', number: 1 };
        let strings = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        Model {
            app: App {
                id,
                app_token: "xapp-1-fake-not-a-secret-of-any-service".into(),
                client_id: "111.222".into(),
                client_secret: "fake-client-secret".into(),
                signing_secret: "fake-signing-secret".into(),
                verification_token: "fake-verification-token".into(),
                socket_mode: true,
                events_url: None,
                commands_url: None,
                interactions_url: None,
                subscribed: strings(&EVENTS),
                commands: BTreeSet::new(),
                shortcuts: Vec::new(),
                scopes: strings(&SCOPES),
            },
            teams: BTreeMap::new(),
            users: BTreeMap::new(),
            channels: BTreeMap::new(),
            messages: BTreeMap::new(),
            views: BTreeMap::new(),
            response_urls: BTreeMap::new(),
            triggers: BTreeMap::new(),
            codes: BTreeMap::new(),
            sockets: Sockets::default(),
            deliveries: Deliveries::default(),
            faults: Faults::default(),
            rates: Rates::default(),
            timing: Timing::default(),
            log: Vec::new(),
            not_the_bot: false,
            violations: Vec::new(),
            happenings: Vec::new(),
            url: String::new(),
            last_number: 1,
            last_ts: 0,
        }
    }

    /// Keeps what the bot sends for a second opinion.
    pub fn keep(&self, what: &str, body: &Value) {
        if !self.not_the_bot {
            payloads::keep(what, body);
        }
    }

    pub fn id(&mut self, kind: char) -> Id {
        self.last_number += 1;
        Id { kind, number: self.last_number }
    }

    /// A word that was never used before.
    pub fn unique(&mut self) -> String {
        self.last_number += 1;
        format!("{:x}{:05}", now_ms(), self.last_number)
    }

    /// Now, later than everything before.
    pub fn ts(&mut self) -> Ts {
        let now = u64::try_from(now_ms()).unwrap_or_default() * 1000;
        self.last_ts = now.max(self.last_ts + 100);
        Ts(self.last_ts)
    }

    pub fn team(&mut self, name: &str) -> Id {
        let id = self.id('T');
        let domain = name.to_lowercase().replace(' ', "-");
        self.teams.insert(id, Team { id, name: name.to_owned(), domain, install: None });
        id
    }

    pub fn user(&mut self, team: Id, name: &str) -> Id {
        let id = self.id('U');
        let user = User {
            id,
            team,
            name: name.to_lowercase().replace(' ', "."),
            real_name: name.to_owned(),
            display_name: String::new(),
            bot: false,
            deactivated: false,
            admin: false,
            owner: false,
            guest: false,
            zone: "Europe/London".into(),
        };
        self.users.insert(id, user);
        id
    }

    /// The app with a bot user of its own in a workspace. A second time: a new token for the same bot.
    pub fn install(&mut self, team: Id) -> Install {
        let known = self.teams.get(&team).and_then(|it| it.install.as_ref()).map(|it| (it.bot, it.bot_id));
        let (bot, bot_id) = known.unwrap_or_else(|| {
            let bot = self.user(team, "drillbot");
            if let Some(user) = self.users.get_mut(&bot) {
                user.bot = true;
                user.real_name = "Drillbot".into();
            }
            (bot, self.id('B'))
        });
        let token = format!("xoxb-fake-{}", self.unique());
        let install = Install { bot, bot_id, token, scopes: self.app.scopes.clone(), state: Installed::Active };
        if let Some(team) = self.teams.get_mut(&team) {
            team.install = Some(install.clone());
        }
        install
    }

    pub fn channel(&mut self, team: Id, kind: Kind, name: &str) -> Id {
        let id = self.id(if kind == Kind::Direct { 'D' } else { 'C' });
        let channel = Channel {
            id,
            team,
            kind,
            name: name.to_owned(),
            archived: false,
            deleted: false,
            refuses: None,
            shared_with: BTreeSet::new(),
            members: BTreeSet::new(),
            created_s: now_s(),
            with: None,
        };
        self.channels.insert(id, channel);
        id
    }

    /// The direct messages between the bot of a workspace and somebody there.
    pub fn direct(&mut self, team: Id, user: Id) -> Id {
        let known = self.channels.values().find(|it| it.with == Some(user) && it.team == team);
        if let Some(channel) = known {
            return channel.id;
        }
        let bot = self.bot(team);
        let id = self.channel(team, Kind::Direct, "");
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.with = Some(user);
            channel.members = [Some(user), bot].into_iter().flatten().collect();
        }
        id
    }

    /// The bot's user in a workspace.
    pub fn bot(&self, team: Id) -> Option<Id> {
        Some(self.teams.get(&team)?.install.as_ref()?.bot)
    }

    pub fn install_of(&self, team: Id) -> Option<&Install> {
        self.teams.get(&team)?.install.as_ref()
    }

    /// The workspace whose bot hears of a channel: its own first.
    pub fn hearing(&self, channel: Id) -> Option<Id> {
        let it = self.channels.get(&channel)?;
        let mut teams = std::iter::once(it.team).chain(it.shared_with.iter().copied());
        teams.find(|team| {
            let install = self.install_of(*team).filter(|install| install.state == Installed::Active);
            install.is_some_and(|install| it.members.contains(&install.bot))
        })
    }

    /// The workspace in which somebody meets the bot in a channel.
    pub fn team_here(&self, channel: Id, user: Id) -> Option<Id> {
        let own = self.users.get(&user)?.team;
        let installed = self.install_of(own).is_some_and(|install| install.state == Installed::Active);
        if installed { Some(own) } else { self.hearing(channel) }
    }

    pub fn name_of(&self, user: Id) -> String {
        self.users.get(&user).map_or_else(|| user.to_string(), |user| user.shown_name().to_owned())
    }

    /// What a channel shows, oldest first.
    pub fn in_channel(&self, channel: Id) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.values().filter(move |it| it.channel == channel && it.in_channel())
    }

    /// A thread with its first message, oldest first.
    pub fn in_thread(&self, of: Spot) -> impl DoubleEndedIterator<Item = &Message> {
        let fits = move |it: &&Message| {
            it.channel == of.channel && it.only_for.is_none() && (it.ts == of.ts || it.thread == Some(of.ts))
        };
        self.messages.values().filter(fits)
    }

    pub fn has_replies(&self, to: Spot) -> bool {
        self.in_thread(to).any(|it| it.ts != to.ts)
    }

    /// A key that a client may open a form with.
    pub fn trigger(&mut self, team: Id, user: Id) -> String {
        let unique = self.unique();
        let name = format!("{}.{unique}", self.last_number);
        let made = Instant::now();
        self.triggers.insert(name.clone(), Trigger { user, team, made, used: false });
        name
    }

    pub fn response_url(&mut self, team: Id, channel: Id, user: Id, on: Option<Spot>) -> String {
        let name = self.unique();
        let url = format!("{}/actions/{team}/{name}", self.url);
        self.response_urls.insert(name, ResponseUrl { team, channel, user, on, used: 0, made: Instant::now() });
        url
    }
}
