//! Discord: the drill in its channels, threads, forms and private answers. Types of serenity stop here.

pub mod commands;
mod doctor;
mod events;
mod gateway;
mod inbox;
mod interactions;
mod looking;
mod permissions;
mod posting;
pub mod render;
mod rest;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use serenity::all::{Permissions, User};
use tokio::sync::{OnceCell, Semaphore};

use crate::app::App;
use crate::app::chat::{Chat, Post, SendError};
use crate::app::inbox::Inbox;
use crate::domain::answer::ThreadMessage;
use crate::domain::effect::{Audience, Place, Posted};
use crate::domain::ids::{ChannelId, DeliveryId, MemberId, MessageId, ThreadId, short_hash};
use crate::domain::message::Message;
use crate::domain::text::trouble;
use crate::store::channels::Step;
use rest::{Call, Failure, Method, Rest};

pub use doctor::{doctor, invite};
pub use gateway::{Ended, listen};

pub const PLATFORM: &str = "discord";

/// For the log: these libraries tell of every step at "info". Who wants that sets the level "info,serenity=info".
pub const LIBRARIES: &str = "serenity=warn,twilight_http_ratelimiting=warn";

/// What Discord allows a nonce.
const NONCE_CHARS: usize = 25;
const PAGE: usize = 100;
/// The beginning of Discord's time, unix milliseconds.
const EPOCH_MS: i64 = 1_420_070_400_000;
/// After a refusal no receipt is tried in a channel for so long, unless its settings change: every refusal counts towards a ban.
const WITHOUT_RECEIPTS: Duration = Duration::from_secs(600);
/// Names that are kept beside the database.
const NAMES: usize = 50_000;

/// Discord's error codes that decide something.
/// Source: <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json>.
mod code {
    pub const UNKNOWN_CHANNEL: u32 = 10_003;
    pub const UNKNOWN_GUILD: u32 = 10_004;
    pub const UNKNOWN_MEMBER: u32 = 10_007;
    pub const UNKNOWN_MESSAGE: u32 = 10_008;
    pub const ALREADY_ACKNOWLEDGED: u32 = 40_060;
    pub const MISSING_ACCESS: u32 = 50_001;
    pub const NOT_A_TEXT_CHANNEL: u32 = 50_008;
    pub const MISSING_PERMISSIONS: u32 = 50_013;
    pub const WRONG_CHANNEL_TYPE: u32 = 50_024;
    pub const THREAD_ARCHIVED: u32 = 50_083;
    pub const THREAD_EXISTS: u32 = 160_004;
    pub const THREAD_LOCKED: u32 = 160_005;
}

/// How to reach Discord. Shows itself to nobody: it holds the token.
#[derive(Clone)]
pub struct Settings {
    pub token: String,
    /// `https://discord.com`, or a proxy.
    pub api_url: String,
    /// Servers that may use the bot; none = all.
    pub guilds: Vec<u64>,
    pub read_threads: bool,
    /// None = as many as Discord recommends.
    pub shards: Option<u32>,
    /// The first and the last shard of this process.
    pub shard_range: Option<(u32, u32)>,
}

impl Settings {
    /// The part of the bot's allowance of requests that belongs to this process.
    fn share(&self) -> f64 {
        match (self.shards, self.shard_range) {
            (Some(total), Some((first, last))) => f64::from(last - first + 1) / f64::from(total.max(1)),
            _ => 1.0,
        }
    }
}

/// The service. Clones share everything.
#[derive(Clone)]
pub struct Discord(Arc<Inner>);

struct Inner {
    app: Arc<App>,
    rest: Rest,
    settings: Settings,
    /// The bot's own user id.
    me: OnceCell<String>,
    reads_threads: AtomicBool,
    inbox: Inbox,
    receipts_at_once: Arc<Semaphore>,
    application: gateway::Application,
    seen: Mutex<interactions::Seen>,
    /// Channels known to be forums.
    forums: Mutex<HashSet<String>>,
    /// Channels in which Discord refuses receipts, since when; None where they work.
    receipts: Mutex<HashMap<ChannelId, Option<Instant>>>,
    /// The newest names of members by user id, as their server calls them.
    names: Mutex<HashMap<String, String>>,
}

/// A message in what matters here.
#[derive(Deserialize)]
struct Raw {
    id: String,
    author: Author,
    #[serde(default)]
    content: String,
    timestamp: String,
    #[serde(rename = "type", default)]
    kind: u8,
    #[serde(default)]
    embeds: Vec<RawEmbed>,
    #[serde(default)]
    components: Vec<RawRow>,
    #[serde(default)]
    thread: Option<RawId>,
    #[serde(default)]
    webhook_id: Option<String>,
    #[serde(default)]
    mention_roles: Vec<String>,
}

#[derive(Deserialize)]
struct Author {
    id: String,
    #[serde(default)]
    bot: bool,
    #[serde(default)]
    username: String,
    #[serde(default)]
    global_name: Option<String>,
}

#[derive(Deserialize)]
struct RawEmbed {
    #[serde(default)]
    url: Option<String>,
}

#[derive(Deserialize)]
struct RawRow {
    #[serde(default)]
    components: Vec<RawButton>,
}

#[derive(Deserialize)]
struct RawButton {
    #[serde(default)]
    custom_id: Option<String>,
}

#[derive(Deserialize)]
struct RawId {
    id: String,
}

/// A new post of a forum.
#[derive(Deserialize)]
struct Opened {
    id: String,
    #[serde(default)]
    message: Option<Raw>,
}

/// Where a message of ours stands: `<channel>/<message>/<mark>`. The channel is the thread's for what stands in one; the mark is what
/// it is found by.
struct Target<'a> {
    channel: &'a str,
    message: &'a str,
    mark: &'a str,
}

impl<'a> Target<'a> {
    fn read(id: &'a MessageId) -> Option<Target<'a>> {
        let mut parts = id.as_str().splitn(3, '/');
        Some(Target { channel: parts.next()?, message: parts.next()?, mark: parts.next()? })
    }

    fn id(&self) -> MessageId {
        MessageId::new(format!("{}/{}/{}", self.channel, self.message, self.mark))
    }
}

/// The part behind the colon of an id of ours.
fn bare(id: &str) -> &str {
    id.split_once(':').map_or(id, |(_, rest)| rest)
}

pub(super) fn channel_id(bare: impl std::fmt::Display) -> ChannelId {
    ChannelId::new(format!("{PLATFORM}:{bare}"))
}

pub(super) fn member_id(bare: impl std::fmt::Display) -> MemberId {
    MemberId::new(format!("{PLATFORM}:{bare}"))
}

pub(super) fn space_id(bare: impl std::fmt::Display) -> String {
    format!("{PLATFORM}:{bare}")
}

/// What a message carries so that it can be found again; also its nonce.
fn mark(key: &DeliveryId) -> String {
    if key.as_str().len() <= NONCE_CHARS { key.to_string() } else { short_hash(&[key.as_str()]) }
}

/// The smallest id that something of this instant (unix milliseconds) can have.
fn snowflake(ms: i64) -> u64 {
    u64::try_from(ms - EPOCH_MS).unwrap_or(0) << 22
}

fn number(id: &str) -> u64 {
    id.parse().unwrap_or(0)
}

/// The instant of an id, unix milliseconds.
fn instant(id: &str) -> i64 {
    i64::try_from(number(id) >> 22).unwrap_or(0) + EPOCH_MS
}

/// An instant of serenity's, in microseconds since 1970: two edits may share a second.
fn micros(at: &serenity::all::Timestamp) -> i64 {
    at.to_rfc3339().and_then(|text| text.parse::<jiff::Timestamp>().ok()).map_or(0, jiff::Timestamp::as_microsecond)
}

/// Nothing is certain to have happened, or it is certain that it has not.
fn unsure(failure: Failure) -> SendError {
    match failure {
        Failure::Busy { after, why } => SendError::Retry { after, why },
        // A token that was withdrawn: the gateway ends the process, and the next start goes on.
        Failure::Refused { status: 401, why, .. } => SendError::Retry { after: Duration::from_secs(60), why },
        Failure::Refused { why, .. } => SendError::Fatal { why },
        Failure::Lost { why } => SendError::InDoubt { why },
    }
}

impl Discord {
    /// # Errors
    /// When the token cannot be a token.
    pub fn new(app: Arc<App>, settings: Settings) -> anyhow::Result<Discord> {
        let rest = Rest::new(&settings.api_url, &settings.token, settings.share())?;
        app.set_reads_threads(PLATFORM, settings.read_threads);
        Ok(Discord(Arc::new(Inner {
            app,
            rest,
            me: OnceCell::new(),
            reads_threads: AtomicBool::new(settings.read_threads),
            settings,
            inbox: Inbox::default(),
            receipts_at_once: Arc::new(Semaphore::new(inbox::RECEIPTS)),
            application: gateway::Application::default(),
            seen: Mutex::default(),
            forums: Mutex::default(),
            receipts: Mutex::default(),
            names: Mutex::default(),
        })))
    }

    fn rest(&self) -> &Rest {
        &self.0.rest
    }

    fn app(&self) -> &Arc<App> {
        &self.0.app
    }

    async fn me(&self) -> Result<&str, Failure> {
        let ask = || async {
            let me: RawId = self.rest().call(Call::get("users/@me")).await?;
            Ok(me.id)
        };
        self.0.me.get_or_try_init(ask).await.map(String::as_str)
    }

    fn set_reads_threads(&self, reads: bool) {
        self.0.reads_threads.store(reads, Ordering::Relaxed);
        self.app().set_reads_threads(PLATFORM, reads);
    }

    fn note_name(&self, user: &str, name: &str) {
        let mut names = self.0.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= NAMES {
            names.clear();
        }
        names.insert(user.to_owned(), name.to_owned());
    }

    fn name_of(&self, author: &Author) -> String {
        let known = self.0.names.lock().unwrap_or_else(PoisonError::into_inner).get(&author.id).cloned();
        known.or_else(|| author.global_name.clone()).unwrap_or_else(|| author.username.clone())
    }

    /// The name that is known already, else the one that the account has everywhere.
    fn known_name(&self, user: &User) -> Option<String> {
        let known = self.0.names.lock().unwrap_or_else(PoisonError::into_inner).get(&user.id.to_string()).cloned();
        known.or_else(|| user.global_name.clone()).or_else(|| Some(user.name.clone()))
    }

    /// Whether a receipt may be tried in a channel.
    fn gives_receipts(&self, channel: &ChannelId) -> bool {
        let receipts = self.0.receipts.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = receipts.get(channel).copied().flatten();
        refused.is_none_or(|at| at.elapsed() > WITHOUT_RECEIPTS)
    }

    /// The settings of a channel have changed.
    fn receipts_again(&self, channel: &ChannelId) {
        self.0.receipts.lock().unwrap_or_else(PoisonError::into_inner).remove(channel);
    }

    /// Notes what became of a receipt; the organisers hear once when they are refused. Answers count all the same.
    async fn note_receipt(&self, channel: &ChannelId, outcome: Result<(), Failure>) -> anyhow::Result<()> {
        let note = |what: Option<Instant>| {
            let mut receipts = self.0.receipts.lock().unwrap_or_else(PoisonError::into_inner);
            receipts.insert(channel.clone(), what) != Some(what)
        };
        match outcome {
            Ok(()) if note(None) => self.app().step_works(channel, Step::Receipt).await,
            Err(failure) if matches!(failure.code(), Some(code::MISSING_PERMISSIONS | code::MISSING_ACCESS)) => {
                note(Some(Instant::now()));
                let place = bare(channel.as_str());
                match self.refused(place, place, Permissions::ADD_REACTIONS, failure).await {
                    // A channel that is out of reach altogether is told of when something is to be posted there.
                    Ok((place, missing)) if missing == [permissions::REACTIONS] => {
                        let why = trouble::no_receipts(&trouble::missing_permissions(&missing, &place));
                        self.app().step_failed(channel, Step::Receipt, &why).await
                    }
                    _ => Ok(()),
                }
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn is_forum(&self, channel: &str) -> bool {
        self.0.forums.lock().unwrap_or_else(PoisonError::into_inner).contains(channel)
    }

    fn note_forum(&self, channel: &str) {
        self.0.forums.lock().unwrap_or_else(PoisonError::into_inner).insert(channel.to_owned());
    }

    /// Why nothing can be done in a channel, in words that name the permission; `needed` is what the refused step needs.
    async fn explain(&self, channel: &str, needed: Permissions, failure: Failure) -> SendError {
        match self.refused(channel, channel, needed, failure).await {
            Ok((place, missing)) => SendError::Gone { why: trouble::missing_permissions(&missing, &place) },
            Err(error) => error,
        }
    }

    /// What is missing at a place (a channel, or a thread in it), at least one, and what the channel is called; or what else it was.
    async fn refused(
        &self,
        channel: &str,
        place: &str,
        needed: Permissions,
        failure: Failure,
    ) -> Result<(String, Vec<&'static str>), SendError> {
        match failure.code() {
            Some(code::UNKNOWN_CHANNEL) => return Err(SendError::Deleted),
            Some(code::UNKNOWN_GUILD) => return Err(SendError::Gone { why: trouble::removed_from_server() }),
            Some(code::MISSING_ACCESS | code::MISSING_PERMISSIONS) => {}
            _ => return Err(unsure(failure)),
        }
        match self.lacking(place, needed).await {
            Ok((_, missing)) if missing.is_empty() => {
                // Discord says no, its settings say yes: they have changed this very moment.
                Err(SendError::Retry { after: Duration::from_secs(2), why: failure.why().to_owned() })
            }
            Ok(known) => Ok(known),
            Err(Failure::Refused { code: code::UNKNOWN_GUILD | code::UNKNOWN_MEMBER, .. }) => {
                Err(SendError::Gone { why: trouble::removed_from_server() })
            }
            Err(Failure::Refused { code: code::MISSING_ACCESS, .. }) => {
                // Discord does not say what a channel is called to who may not see it.
                let name = self.app().channel_name(&channel_id(channel)).await.ok().flatten();
                let place = name.map_or_else(|| "the channel".to_owned(), |name| format!("#{name}"));
                Err(SendError::Gone { why: trouble::no_access(&place) })
            }
            Err(other) => Err(unsure(other)),
        }
    }

    /// The name of a channel and the names of the permissions that are missing there.
    async fn lacking(&self, channel: &str, needed: Permissions) -> Result<(String, Vec<&'static str>), Failure> {
        let channel = permissions::channel(self.rest(), channel).await?;
        let me = self.me().await?;
        let has = permissions::of_member(self.rest(), &channel, me).await?;
        Ok((channel.shown(), permissions::missing(has, needed | Permissions::VIEW_CHANNEL)))
    }
}

impl Chat for Discord {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    /// Only an interaction brings a private message: results come with the "My result" button.
    fn posts_in_private(&self) -> bool {
        false
    }

    fn reads_threads(&self) -> bool {
        self.0.reads_threads.load(Ordering::Relaxed)
    }

    async fn post(&self, post: Post<'_>) -> Result<Posted, SendError> {
        let channel = bare(post.place.channel.as_str());
        match (&post.place.audience, post.opens_thread, &post.place.thread) {
            (Audience::Member(member), ..) => self.post_to_member(bare(member.as_str()), &post).await,
            (Audience::Organisers, ..) => self.post_to_organisers(&post.place.channel, &post).await,
            (Audience::Everyone, Some(title), _) => self.post_question(channel, title, &post).await,
            (Audience::Everyone, None, Some(thread)) => self.post_in_thread(channel, thread.as_str(), &post).await,
            (Audience::Everyone, None, None) => match self.send(channel, &post).await {
                Ok((message, _)) => Ok(Posted { message, thread: None, trouble: None }),
                Err(failure) => {
                    let needed = Permissions::SEND_MESSAGES | Permissions::EMBED_LINKS;
                    Err(self.explain(channel, needed, failure).await)
                }
            },
        }
    }

    async fn find(&self, post: Post<'_>) -> Result<Option<Posted>, SendError> {
        let channel = bare(post.place.channel.as_str());
        let mut places: Vec<String> = Vec::new();
        match (&post.place.audience, post.opens_thread, &post.place.thread) {
            (Audience::Everyone, Some(title), _) => return self.find_question(channel, title, &post).await,
            (Audience::Everyone, None, Some(thread)) => places.extend([thread.to_string(), channel.to_owned()]),
            (Audience::Everyone, None, None) => places.push(channel.to_owned()),
            (Audience::Member(member), ..) => places.extend(self.direct_if_any(bare(member.as_str())).await?),
            (Audience::Organisers, ..) => {
                for user in self.organisers(&post.place.channel).await? {
                    places.extend(self.direct_if_any(&user).await?);
                }
                places.push(channel.to_owned());
            }
        }
        let mark = mark(post.key);
        for place in places {
            match self.look(&place, &mark, post.since).await {
                Ok(None) if post.place.thread.as_ref().is_some_and(|thread| thread.as_str() == place) => {
                    self.nothing_seen(&place).await?;
                }
                Ok(None) => {}
                Ok(Some(sent)) => {
                    let message = Target { channel: &place, message: &sent.id, mark: &mark }.id();
                    return Ok(Some(Posted { message, thread: None, trouble: None }));
                }
                // Where we may not look we have not posted either, or the next post says why not.
                Err(Failure::Refused { .. }) => {}
                Err(failure) => return Err(unsure(failure)),
            }
        }
        Ok(None)
    }

    async fn edit(&self, place: &Place, target: &MessageId, message: &Message) -> Result<(), SendError> {
        let Some(target) = Target::read(target) else {
            return Err(SendError::Fatal { why: trouble::message_deleted() });
        };
        let body = render::body(message, Some(target.mark), None);
        let path = format!("channels/{}/messages/{}", target.channel, target.message);
        let edit = || async {
            let edited: Raw = self.rest().call(Call::new(Method::Patch, &path).body(&body)).await?;
            if edited.embeds.is_empty() { Err(posting::without_words()) } else { Ok(()) }
        };
        let mut outcome = edit().await;
        if outcome.as_ref().is_err_and(|failure| failure.code() == Some(code::THREAD_ARCHIVED)) {
            let thread = format!("channels/{}", target.channel);
            let body = json!({ "archived": false });
            if self.rest().tell(Call::new(Method::Patch, &thread).body(&body)).await.is_ok() {
                outcome = edit().await;
            }
        }
        match outcome {
            Ok(()) => Ok(()),
            // Edits can be repeated: nothing is in doubt about them.
            Err(Failure::Lost { why }) => Err(SendError::Retry { after: Duration::from_secs(1), why }),
            Err(failure) => match failure.code() {
                Some(code::UNKNOWN_MESSAGE) => Err(SendError::Fatal { why: trouble::message_deleted() }),
                Some(code::THREAD_ARCHIVED | code::THREAD_LOCKED) => {
                    Err(SendError::Fatal { why: trouble::thread_locked() })
                }
                Some(code::UNKNOWN_CHANNEL) if target.channel != bare(place.channel.as_str()) => {
                    Err(SendError::Fatal { why: trouble::thread_deleted() })
                }
                _ => {
                    let channel = bare(place.channel.as_str());
                    match self.refused(channel, target.channel, Permissions::EMBED_LINKS, failure).await {
                        Ok((place, missing)) => {
                            Err(SendError::Gone { why: trouble::missing_permissions(&missing, &place) })
                        }
                        Err(error) => Err(error),
                    }
                }
            },
        }
    }

    async fn replies(&self, _: &Place, thread: &ThreadId) -> Result<Vec<ThreadMessage>, SendError> {
        let mut all: Vec<Raw> = Vec::new();
        let mut after = 0;
        loop {
            let page = match self.page(thread.as_str(), after).await {
                Ok(page) => page,
                Err(Failure::Refused { code: code::UNKNOWN_CHANNEL, .. }) => return Err(SendError::Deleted),
                Err(Failure::Refused { code: code::MISSING_ACCESS, why, .. }) => return Err(SendError::Gone { why }),
                Err(Failure::Refused { why, .. }) => return Err(SendError::Fatal { why }),
                Err(failure) => {
                    return Err(SendError::Retry { after: Duration::from_secs(1), why: failure.why().to_owned() });
                }
            };
            if page.is_empty() && all.is_empty() {
                self.nothing_seen(thread.as_str()).await.map_err(|error| match error {
                    // The reveal can be posted without.
                    SendError::Gone { why } => SendError::Fatal { why },
                    other => other,
                })?;
            }
            let last = page.len() < PAGE;
            after = page.iter().map(|message| number(&message.id)).max().unwrap_or(after);
            all.extend(page);
            if last {
                break;
            }
        }
        all.sort_by_key(|message| number(&message.id));
        Ok(all.into_iter().filter(is_somebodys).map(|message| self.reply(message)).collect())
    }
}

impl Discord {
    fn reply(&self, message: Raw) -> ThreadMessage {
        let at = message
            .timestamp
            .parse::<jiff::Timestamp>()
            .map_or_else(|_| instant(&message.id), |at| at.as_millisecond());
        ThreadMessage {
            name: Some(self.name_of(&message.author)),
            member: member_id(&message.author.id),
            id: MessageId::new(message.id),
            text: message.content,
            at,
        }
    }
}

/// A person's own words: no bot's, no webhook's, nothing that Discord itself says.
fn is_somebodys(message: &Raw) -> bool {
    const SAID: u8 = 0;
    const REPLIED: u8 = 19;
    !message.author.bot
        && message.webhook_id.is_none()
        && matches!(message.kind, SAID | REPLIED)
        && !message.content.trim().is_empty()
}

/// What a value of Discord's is under a key, for the few places where a whole type would be too much.
fn text_at<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
