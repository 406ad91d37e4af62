//! The connection on which Discord tells what happens. Serenity keeps it alive and resumes it; here is how often it may begin anew, what
//! ends it for good, and how it stops. Source: <https://discord.com/developers/docs/events/gateway>.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use serenity::all::{
    Client, ClientBuilder, ConnectionStage, Context, Event, EventHandler, GatewayError, GatewayIntents, HttpBuilder,
    RawEventHandler, ShardManager, ShardStageUpdateEvent,
};
use serenity::async_trait;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use super::events::{self, Ears};
use super::rest::{Call, Failure, Method};
use super::{Discord, PLATFORM, commands};
use crate::adapters::address::is_safe;
use crate::app::inbox;
use crate::domain::text::trouble;
use crate::store::notes;

/// Sessions of Discord's daily budget that are left for a person who restarts us by hand.
const RESERVE: u32 = 20;
/// Identifications of one shard within [`IDENTIFY_WINDOW`] before we keep quiet for [`QUIET`]: at this pace a day's budget of 1,000
/// sessions lasts longer than a day.
const IDENTIFY_LIMIT: usize = 5;
const IDENTIFY_WINDOW: Duration = Duration::from_secs(600);
const QUIET: Duration = Duration::from_secs(600);
/// A shard that has made no progress for so long sits on a dead line; serenity tries every five seconds.
const DEAF: Duration = Duration::from_secs(180);
/// A session that lasted so long was a good one.
const STEADY: Duration = Duration::from_secs(600);
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// How soon a budget that is used up is asked for again.
const LONGEST_SILENCE: Duration = Duration::from_secs(3_600);
/// Serenity waits for Discord's farewell, which does not come while Discord is away.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// Discord recommends a shard for every thousand servers and refuses one with more than 2,500, of which serenity says nothing.
/// Source: <https://discord.com/developers/docs/events/gateway#sharding>.
const RECOMMENDATIONS_A_SHARD: u32 = 2;
const REGISTERED: &str = "discord:commands";
/// What has happened to servers and channels and is not noted yet; more than that is found out when something is sent there.
const CHANGES: usize = 10_000;

/// Why the connection ended for good. An operator has to do something before a new start is of use.
#[derive(Debug)]
pub enum Ended {
    Token,
    Shards {
        why: String,
    },
    /// Where the gateway is said to be.
    Unsafe {
        address: String,
    },
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Token => f.write_str(
                "Discord does not accept the token (401). Copy it again from the developer portal (Bot, Reset Token) into \
                 DRILLBOT_DISCORD_TOKEN or the file that discord.token_file names, and start again",
            ),
            Ended::Shards { why } => write!(f, "Discord does not accept discord.shards: {why}"),
            Ended::Unsafe { address } => write!(
                f,
                "the token would travel unprotected to {address}, which discord.api_url names as the gateway; it must begin with wss://, or \
                 with ws:// and this machine itself. Have the proxy answer that to /gateway/bot, and start again"
            ),
        }
    }
}

impl std::error::Error for Ended {}

#[derive(Deserialize)]
struct Gateway {
    url: String,
    shards: u32,
    session_start_limit: Budget,
}

#[derive(Deserialize)]
struct Budget {
    remaining: u32,
    /// Milliseconds.
    reset_after: u64,
}

/// How to go on after a session.
enum Next {
    After(Duration),
    /// Something failed: the oftener, the later.
    Again,
}

/// Listens until `stopping`.
///
/// # Errors
/// [`Ended`] when Discord refuses us for good.
pub async fn listen(discord: Discord, stopping: watch::Receiver<bool>) -> anyhow::Result<()> {
    let (changes, happened) = mpsc::channel(CHANGES);
    let ears = Ears { discord: discord.clone(), changes };
    // They end with this set, however it ends.
    let mut helpers = JoinSet::new();
    helpers.spawn(inbox::work(discord.clone(), stopping.clone()));
    helpers.spawn(inbox::catch_up(discord.clone(), stopping.clone()));
    helpers.spawn(events::note_changes(discord.clone(), happened));
    helpers.spawn(keep_registered(discord.clone()));
    connect(&ears, stopping).await
}

async fn connect(ears: &Ears, mut stopping: watch::Receiver<bool>) -> anyhow::Result<()> {
    let mut failures = 0;
    loop {
        let begun = Instant::now();
        let wait = match session(ears, &mut stopping).await? {
            Next::After(wait) => wait,
            Next::Again => {
                failures = if begun.elapsed() > STEADY { 1 } else { failures + 1 };
                backoff(failures)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = told_to_stop(&mut stopping) => return Ok(()),
        }
    }
}

async fn told_to_stop(stopping: &mut watch::Receiver<bool>) {
    // When nobody is left who could tell, that is the end too.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// 1 s, 2 s, 4 s .. 2 min.
fn backoff(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.saturating_sub(1).min(10)).min(LONGEST_WAIT)
}

/// Asks where to connect and stays connected as long as serenity can.
async fn session(ears: &Ears, stopping: &mut watch::Receiver<bool>) -> anyhow::Result<Next> {
    let discord = &ears.discord;
    let asked = tokio::select! {
        asked = discord.rest().call::<Gateway>(Call::get("gateway/bot")) => asked,
        () = told_to_stop(stopping) => return Ok(Next::After(Duration::ZERO)),
    };
    let gateway = match asked {
        Ok(gateway) => gateway,
        Err(Failure::Refused { status: 401, .. }) => return Err(Ended::Token.into()),
        Err(failure) => {
            tracing::warn!(why = failure.why(), "Discord cannot be reached; trying again");
            return Ok(Next::Again);
        }
    };
    if !is_safe(&gateway.url) {
        return Err(Ended::Unsafe { address: gateway.url }.into());
    }
    let total = discord.0.settings.shards.unwrap_or(gateway.shards).max(1);
    let (first, last) = discord.0.settings.shard_range.unwrap_or((0, total - 1));
    if first > last || last >= total {
        let why = format!("shard_range is {first} to {last}, but there are {total} shards, 0 to {}", total - 1);
        return Err(Ended::Shards { why }.into());
    }
    if gateway.shards > total.saturating_mul(RECOMMENDATIONS_A_SHARD) {
        let why = format!(
            "too many servers for so few ({total}); shards = \"auto\" takes what Discord recommends, {} now",
            gateway.shards
        );
        return Err(Ended::Shards { why }.into());
    }
    let budget = &gateway.session_start_limit;
    if budget.remaining < last - first + 1 + RESERVE {
        let wait = Duration::from_millis(budget.reset_after).clamp(Duration::from_secs(1), LONGEST_SILENCE);
        tracing::error!(
            remaining = budget.remaining,
            wait_s = wait.as_secs(),
            "Discord allows no more new sessions today; waiting, so that the token is not reset. Something has restarted too often"
        );
        return Ok(Next::After(wait));
    }
    let mut intents = GatewayIntents::GUILDS;
    if discord.0.reads_threads.load(Ordering::Relaxed) {
        intents |= GatewayIntents::GUILD_MESSAGES | GatewayIntents::MESSAGE_CONTENT;
    }
    let line = Arc::new(Line::new(ears.clone(), total));
    let mut client = client(discord, intents, &line).await?;
    // Without this serenity goes to the real Discord when it is told no address, whatever the settings say.
    gateway.url.trim_end_matches('/').clone_into(&mut *client.ws_url.lock().await);
    let _hanging_up = HangUp { line: line.clone(), manager: client.shard_manager.clone() };
    let ended = tokio::select! {
        // The end of the range belongs to it.
        ended = client.start_shard_range(first..last, total) => ended,
        () = line.too_often.notified() => {
            tracing::error!(wait_s = QUIET.as_secs(), "connected to Discord too often within a short time; keeping quiet for a while");
            return Ok(Next::After(QUIET));
        }
        () = line.deaf(last - first + 1) => {
            tracing::warn!("nothing was heard of Discord for long; connecting anew");
            return Ok(Next::Again);
        }
        () = told_to_stop(stopping) => {
            let farewell = client.shard_manager.shutdown_all();
            if tokio::time::timeout(CLOSE_WITHIN, farewell).await.is_err() {
                tracing::debug!("left without Discord's farewell");
            }
            return Ok(Next::After(Duration::ZERO));
        }
    };
    match ended {
        Err(serenity::Error::Gateway(GatewayError::InvalidAuthentication | GatewayError::NoAuthentication)) => {
            Err(Ended::Token.into())
        }
        Err(serenity::Error::Gateway(GatewayError::DisallowedGatewayIntents | GatewayError::InvalidGatewayIntents)) => {
            without_content(discord).await;
            Ok(Next::After(Duration::ZERO))
        }
        _ => {
            tracing::warn!("the connection to Discord broke; trying again");
            Ok(Next::Again)
        }
    }
}

async fn client(discord: &Discord, intents: GatewayIntents, line: &Arc<Line>) -> anyhow::Result<Client> {
    // Serenity uses a proxy only without its own limits; it makes one call, for the gateway's address, though that is known.
    let http = HttpBuilder::new(&discord.0.settings.token)
        .proxy(discord.0.settings.api_url.trim_end_matches('/'))
        .ratelimiter_disabled(true)
        .build();
    let builder = ClientBuilder::new_with_http(http, intents);
    let _place = discord.rest().place().await;
    Ok(builder.event_handler_arc(line.clone()).raw_event_handler(Hearing(line.clone())).await?)
}

/// What is known of one session's connections.
struct Line {
    ears: Ears,
    /// Shards of the whole bot.
    total: u32,
    /// False as soon as the session is over: serenity's tasks may outlive it, and must not act then.
    open: AtomicBool,
    shards: Mutex<HashMap<u32, Progress>>,
    too_often: Notify,
}

#[derive(Default)]
struct Progress {
    /// When it has identified lately.
    identified: VecDeque<Instant>,
    connected: bool,
    /// Since when it is as it is.
    since: Option<Instant>,
}

impl Line {
    fn new(ears: Ears, total: u32) -> Line {
        Line { ears, total, open: AtomicBool::new(true), shards: Mutex::default(), too_often: Notify::new() }
    }

    fn note(&self, shard: u32, stage: ConnectionStage) {
        let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        let progress = shards.entry(shard).or_default();
        let connected = stage == ConnectionStage::Connected;
        if connected != progress.connected || progress.since.is_none() {
            progress.since = Some(Instant::now());
        }
        progress.connected = connected;
        if stage != ConnectionStage::Identifying {
            return;
        }
        progress.identified.push_back(Instant::now());
        while progress.identified.front().is_some_and(|at| at.elapsed() > IDENTIFY_WINDOW) {
            progress.identified.pop_front();
        }
        if progress.identified.len() > IDENTIFY_LIMIT {
            self.too_often.notify_one();
        }
    }

    /// Ends when one of so many shards does not get connected.
    async fn deaf(&self, shards: u32) {
        let begun = Instant::now();
        loop {
            tokio::time::sleep(DEAF / 20).await;
            let known = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
            let stuck =
                known.values().any(|one| !one.connected && one.since.is_some_and(|since| since.elapsed() > DEAF));
            // They begin one after the other, five seconds apart.
            let expected = DEAF + Duration::from_secs(6) * shards;
            if stuck || (known.len() < shards as usize && begun.elapsed() > expected) {
                return;
            }
        }
    }
}

#[async_trait]
impl EventHandler for Line {
    async fn shard_stage_update(&self, _: Context, event: ShardStageUpdateEvent) {
        self.note(event.shard_id.0, event.new);
    }
}

struct Hearing(Arc<Line>);

#[async_trait]
impl RawEventHandler for Hearing {
    async fn raw_event(&self, context: Context, event: Event) {
        let Hearing(line) = self;
        if line.open.load(Ordering::Relaxed)
            && let Some(interaction) = line.ears.hear((context.shard_id.0, line.total), event)
        {
            interaction.await;
        }
    }
}

/// Ends a session, however it ends: nothing of it is heard any more, and its connections are closed behind our back.
struct HangUp {
    line: Arc<Line>,
    manager: Arc<ShardManager>,
}

impl Drop for HangUp {
    fn drop(&mut self) {
        self.line.open.store(false, Ordering::Relaxed);
        let manager = self.manager.clone();
        tokio::spawn(async move { tokio::time::timeout(CLOSE_WITHIN * 5, manager.shutdown_all()).await });
    }
}

/// Close code 4014: the portal does not allow what the settings ask for. The drill goes on with forms.
async fn without_content(discord: &Discord) {
    let lost = trouble::threads_unread();
    tracing::error!(lost, "Discord does not let me read messages (4014)");
    discord.set_reads_threads(false);
    if let Err(error) = discord.app().tell_organisers(PLATFORM, &lost).await {
        tracing::error!(error = format!("{error:#}"), "cannot tell the organisers");
    }
}

/// Rings when a session begins, with the application it belongs to.
#[derive(Default)]
pub(super) struct Application {
    id: OnceLock<u64>,
    begun: Notify,
}

impl Application {
    pub(super) fn begins(&self, id: u64) {
        let _ = self.id.set(id);
        self.begun.notify_one();
    }
}

/// Registers the commands when they differ from those registered last; goes on trying while Discord does not answer.
async fn keep_registered(discord: Discord) {
    let application = &discord.0.application;
    let mut failures = 0;
    loop {
        application.begun.notified().await;
        let Some(id) = application.id.get() else { continue };
        match register(&discord, *id).await {
            Ok(()) => failures = 0,
            Err(Failure::Refused { why, .. }) => {
                tracing::error!(why, "the commands could not be registered; the next start tries again");
            }
            Err(failure) => {
                failures += 1;
                tracing::warn!(why = failure.why(), "the commands could not be registered; trying again");
                tokio::time::sleep(backoff(failures)).await;
                application.begun.notify_one();
            }
        }
    }
}

async fn register(discord: &Discord, application: u64) -> Result<(), Failure> {
    let commands = commands::registration();
    let hash = commands::hash(&commands, &application.to_string());
    let known =
        discord.app().store.read("read the registered commands", |conn| Box::pin(notes::get(conn, REGISTERED))).await;
    if known.ok().flatten().as_deref() == Some(hash.as_str()) {
        return Ok(());
    }
    let path = format!("applications/{application}/commands");
    discord.rest().call::<Value>(Call::new(Method::Put, &path).body(&commands)).await?;
    tracing::info!("the commands are registered");
    let noted = discord.app().store.write("note the registered commands", move |conn| {
        Box::pin(async move { notes::set(conn, REGISTERED, &hash).await })
    });
    if let Err(error) = noted.await {
        tracing::warn!(error = format!("{error:#}"), "the commands will be registered once more");
    }
    Ok(())
}
