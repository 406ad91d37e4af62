//! The connection on which Discord tells what happens: one session a shard, resumed when it breaks. Twilight speaks the protocol; here
//! is how often it may try, what ends it for good, and how it stops. Source: <https://discord.com/developers/docs/events/gateway>.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use twilight_gateway::error::ReceiveMessageErrorType;
use twilight_gateway::queue::InMemoryQueue;
use twilight_gateway::{CloseFrame, Config, ConfigBuilder, Intents, Message, Shard, ShardId};

use super::events::{self, Ears};
use super::rest::{Call, Failure, Method};
use super::{Discord, PLATFORM, commands, inbox};
use crate::domain::text::trouble;
use crate::store::notes;

/// Sessions of Discord's daily budget that are left for a person who restarts us by hand.
const RESERVE: u32 = 20;
/// A connection that lasted so long was a good one. Those that break sooner are tried again more and more slowly, up to
/// [`LONGEST_WAIT`]: at this pace a day's budget of 1,000 sessions lasts longer than a day.
const STEADY: Duration = Duration::from_secs(600);
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// How soon a budget that is used up is asked for again.
const LONGEST_SILENCE: Duration = Duration::from_secs(3_600);
/// Discord expects a heartbeat every 41 seconds and answers each. Who hears nothing for so long listens to a dead line.
const DEAF: Duration = Duration::from_secs(90);
/// The same while a connection is being made, with the pauses between attempts.
const DEAF_WHILE_CONNECTING: Duration = Duration::from_secs(400);
/// Farewells, and answers to people that are under way.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
const REGISTERED: &str = "discord:commands";
/// What has happened to servers and channels and is not noted yet; more than that is found out when something is sent there.
const CHANGES: usize = 10_000;

/// Why the connection ended for good. An operator has to do something before a new start is of use.
#[derive(Debug)]
pub enum Ended {
    Token,
    Shards { why: String },
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Token => f.write_str(
                "Discord does not accept the token (401). Copy it again from the developer portal (Bot, Reset Token) into \
                 DRILLBOT_DISCORD_TOKEN or the file that discord.token_file names, and start again",
            ),
            Ended::Shards { why } => write!(f, "Discord does not accept discord.shards: {why}"),
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
    total: u32,
    remaining: u32,
    /// Milliseconds.
    reset_after: u64,
    /// Sessions that may begin within five seconds.
    max_concurrency: u16,
}

/// Why one shard is no longer connected.
enum Closed {
    Stopped,
    Token,
    /// 4013, 4014: the developer portal does not grant what we ask for.
    Intents,
    /// 4010, 4011
    Shards(&'static str),
    Broke,
}

/// How to go on after all shards have closed.
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
    // One for all sessions: it knows when the last one began.
    let queue = InMemoryQueue::default();
    let mut failures = 0;
    loop {
        let begun = Instant::now();
        let next = tokio::select! {
            next = session(ears, &queue, &stopping) => next?,
            () = gone_quiet(stopping.clone()) => return Ok(()),
        };
        let wait = match next {
            Next::After(wait) => wait,
            Next::Again => {
                failures = if begun.elapsed() > STEADY { 1 } else { failures + 1 };
                backoff(failures + 1)
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

/// `stopping`, and the time that shards have to say farewell.
async fn gone_quiet(mut stopping: watch::Receiver<bool>) {
    told_to_stop(&mut stopping).await;
    tokio::time::sleep(CLOSE_WITHIN).await;
}

/// Nothing, 1 s, 2 s, 4 s .. 2 min.
fn backoff(failures: u32) -> Duration {
    match failures.checked_sub(2) {
        None => Duration::ZERO,
        Some(more) => Duration::from_secs(1 << more.min(10)).min(LONGEST_WAIT),
    }
}

/// Asks where to connect and stays connected as long as that is of use.
async fn session(ears: &Ears, queue: &InMemoryQueue, stopping: &watch::Receiver<bool>) -> anyhow::Result<Next> {
    let discord = &ears.discord;
    let gateway: Gateway = match discord.rest().call(Call::get("gateway/bot")).await {
        Ok(gateway) => gateway,
        Err(Failure::Refused { status: 401, .. }) => return Err(Ended::Token.into()),
        Err(failure) => {
            tracing::warn!(why = failure.why(), "Discord cannot be reached; trying again");
            return Ok(Next::Again);
        }
    };
    let total = discord.0.settings.shards.unwrap_or(gateway.shards).max(1);
    let (first, last) = discord.0.settings.shard_range.unwrap_or((0, total - 1));
    if first > last || last >= total {
        let why = format!("shard_range is {first} to {last}, but there are {total} shards, 0 to {}", total - 1);
        return Err(Ended::Shards { why }.into());
    }
    let budget = &gateway.session_start_limit;
    let reset_after = Duration::from_millis(budget.reset_after);
    if budget.remaining < last - first + 1 + RESERVE {
        let wait = reset_after.clamp(Duration::from_secs(1), LONGEST_SILENCE);
        tracing::error!(
            remaining = budget.remaining,
            wait_s = wait.as_secs(),
            "Discord allows no more new sessions today; waiting, so that the token is not reset. Something has restarted too often"
        );
        return Ok(Next::After(wait));
    }
    if gateway.url.parse::<reqwest::Url>().is_err() {
        tracing::error!("Discord's answer does not say where its gateway is; trying again");
        return Ok(Next::Again);
    }
    let remaining = budget.remaining - RESERVE;
    queue.update(budget.max_concurrency, remaining, reset_after, budget.total.max(remaining));
    let mut intents = Intents::GUILDS;
    let reads_threads = discord.0.reads_threads.load(Ordering::Relaxed);
    if reads_threads {
        intents |= Intents::GUILD_MESSAGES | Intents::MESSAGE_CONTENT;
    }
    let config = ConfigBuilder::new(discord.0.settings.token.clone(), intents)
        // Not the address that the library knows by heart: with `discord.api_url` everything goes there.
        .proxy_url(gateway.url.trim_end_matches('/').to_owned())
        .queue(queue.clone())
        .build();
    let mut shards = JoinSet::new();
    for id in first..=last {
        shards.spawn(stay_connected(ears.clone(), config.clone(), ShardId::new(id, total), stopping.clone()));
    }
    // What ends one for good ends all of them.
    while let Some(closed) = shards.join_next().await {
        match closed.unwrap_or(Closed::Broke) {
            Closed::Stopped => {}
            Closed::Token => return Err(Ended::Token.into()),
            Closed::Shards(what) => {
                let why = format!("{what}; shards = \"auto\" takes what Discord recommends, {} now", gateway.shards);
                return Err(Ended::Shards { why }.into());
            }
            Closed::Intents if reads_threads => {
                without_content(discord).await;
                return Ok(Next::After(Duration::ZERO));
            }
            Closed::Intents | Closed::Broke => {
                tracing::error!("the connection to Discord cannot go on as it was; beginning anew");
                return Ok(Next::Again);
            }
        }
    }
    Ok(Next::After(Duration::ZERO))
}

/// One shard, from its first connection to `stopping` or to a reason why it cannot go on.
async fn stay_connected(
    ears: Ears,
    config: Config<InMemoryQueue>,
    id: ShardId,
    mut stopping: watch::Receiver<bool>,
) -> Closed {
    let mut shard = Shard::with_config(id, config.clone());
    let mut answering = JoinSet::new();
    let mut breaks = 0;
    let mut connected: Option<Instant> = None;
    loop {
        let patience = if shard.state().is_identified() { DEAF } else { DEAF_WHILE_CONNECTING };
        let heard = tokio::select! {
            heard = tokio::time::timeout(patience, shard.next()) => heard,
            () = told_to_stop(&mut stopping) => {
                say_farewell(&mut shard, answering).await;
                return Closed::Stopped;
            }
        };
        while answering.try_join_next().is_some() {}
        let frame = match heard {
            Ok(Some(Ok(Message::Text(text)))) => {
                if let Some(interaction) = ears.hear(id, &text) {
                    answering.spawn(interaction);
                }
                if shard.state().is_identified() {
                    connected.get_or_insert_with(Instant::now);
                }
                continue;
            }
            Ok(Some(Ok(Message::Close(frame)))) => frame,
            Ok(Some(Err(error))) => {
                match error.kind() {
                    ReceiveMessageErrorType::Reconnect => {
                        tracing::warn!(shard = id.number(), "Discord's gateway cannot be reached; trying again");
                    }
                    // Nothing of the message: it may be somebody's own words.
                    _ => tracing::debug!(shard = id.number(), "a message of Discord's gateway cannot be read"),
                }
                continue;
            }
            Ok(None) => return Closed::Broke,
            Err(_) => {
                tracing::warn!(shard = id.number(), "nothing was heard of Discord for long; connecting anew");
                shard = Shard::with_config(id, config.clone());
                None
            }
        };
        // Source: https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
        match frame.as_ref().map(|frame| frame.code) {
            Some(4004) => return Closed::Token,
            Some(4010) => return Closed::Shards("there is no such shard (4010)"),
            Some(4011) => return Closed::Shards("too many servers for so few shards (4011)"),
            Some(4012) => return Closed::Broke,
            Some(4013 | 4014) => return Closed::Intents,
            code => tracing::debug!(shard = id.number(), code, "the connection to Discord broke; it is resumed"),
        }
        if connected.take().is_some_and(|since| since.elapsed() > STEADY) {
            breaks = 0;
        }
        breaks += 1;
        tokio::select! {
            () = tokio::time::sleep(backoff(breaks)) => {}
            () = told_to_stop(&mut stopping) => {}
        }
    }
}

/// Lets answers to people go out and tells Discord that we leave, as far as it listens.
async fn say_farewell(shard: &mut Shard<InMemoryQueue>, answering: JoinSet<()>) {
    let farewell = async {
        answering.join_all().await;
        if shard.state().is_identified() {
            shard.close(CloseFrame::NORMAL);
            while let Some(Ok(Message::Text(_))) = shard.next().await {}
        }
    };
    if tokio::time::timeout(CLOSE_WITHIN, farewell).await.is_err() {
        tracing::debug!("left without Discord's farewell");
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
                tokio::time::sleep(backoff(failures + 1)).await;
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
