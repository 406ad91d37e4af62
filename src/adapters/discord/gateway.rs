//! The connection on which Discord tells what happens. Serenity keeps it alive; here is what it must not do too often, what ends it for
//! good, and where its events go. Source: <https://discord.com/developers/docs/events/gateway>.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use serenity::all::{
    ChannelId, ClientBuilder, ConnectionStage, Context, EventHandler, GatewayError, GatewayIntents, Guild,
    GuildChannel, GuildId, GuildMemberUpdateEvent, HttpBuilder, Interaction, Member, Message, MessageId, MessageType,
    MessageUpdateEvent, PartialGuildChannel, Ready, ResumedEvent, Role, ShardStageUpdateEvent, UnavailableGuild,
};
use serenity::async_trait;
use tokio::sync::{Notify, watch};

use super::inbox::{self, Event};
use super::rest::{Call, Failure, Method};
use super::{Discord, PLATFORM, channel_id, commands, interactions, space_id};
use crate::domain::text::trouble;
use crate::store::notes;

/// Sessions of Discord's daily budget that are left for a person who restarts us by hand.
const RESERVE: u32 = 20;
/// Identifications of one shard within [`IDENTIFY_WINDOW`] before we keep quiet for a while: at this pace a day's budget of 1,000
/// lasts longer than a day.
const IDENTIFY_LIMIT: usize = 20;
const IDENTIFY_WINDOW: Duration = Duration::from_secs(1_800);
const QUIET: Duration = Duration::from_secs(600);
/// `shutdown_all` waits for Discord, which may not answer.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(120);
const REGISTERED: &str = "discord:commands";

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
    remaining: u32,
    /// Milliseconds.
    reset_after: u64,
}

/// Listens until `stopping`.
///
/// # Errors
/// [`Ended`] when Discord refuses us for good.
pub async fn listen(discord: Discord, stopping: watch::Receiver<bool>) -> anyhow::Result<()> {
    let inbox = tokio::spawn(inbox::work(discord.clone(), stopping.clone()));
    let catch_up = tokio::spawn(inbox::catch_up(discord.clone(), stopping.clone()));
    let outcome = connect(&discord, stopping).await;
    inbox.abort();
    catch_up.abort();
    outcome
}

async fn connect(discord: &Discord, mut stopping: watch::Receiver<bool>) -> anyhow::Result<()> {
    let mut failures = 0;
    loop {
        let wait = tokio::select! {
            ended = session(discord, stopping.clone(), &mut failures) => ended?,
            _ = stopping.wait_for(|stop| *stop) => return Ok(()),
        };
        if *stopping.borrow() {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stopping.wait_for(|stop| *stop) => return Ok(()),
        }
    }
}

/// 1 s, 2 s, 4 s .. 2 min.
fn backoff(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.saturating_sub(1).min(10)).min(LONGEST_WAIT)
}

/// Asks where to connect and stays connected as long as serenity can; how long to wait before the next try.
async fn session(discord: &Discord, stopping: watch::Receiver<bool>, failures: &mut u32) -> anyhow::Result<Duration> {
    let gateway: Gateway = match discord.rest().call(Call::get("gateway/bot")).await {
        Ok(gateway) => gateway,
        Err(Failure::Refused { status: 401, .. }) => return Err(Ended::Token.into()),
        Err(failure) => {
            *failures += 1;
            tracing::warn!(why = failure.why(), "Discord cannot be reached; trying again");
            return Ok(backoff(*failures));
        }
    };
    let total = discord.0.settings.shards.unwrap_or(gateway.shards).max(1);
    let (first, last) = discord.0.settings.shard_range.unwrap_or((0, total - 1));
    let budget = &gateway.session_start_limit;
    if budget.remaining < last - first + 1 + RESERVE {
        let wait = Duration::from_millis(budget.reset_after).max(Duration::from_secs(60));
        tracing::error!(
            remaining = budget.remaining,
            wait_s = wait.as_secs(),
            "Discord allows no more new sessions today; waiting, so that the token is not reset. Something has restarted too often"
        );
        return Ok(wait);
    }
    // Without this serenity would connect to the real Discord whatever the settings say.
    let url = gateway.url.trim_end_matches('/').to_owned();
    let mut intents = GatewayIntents::GUILDS;
    if discord.0.reads_threads.load(std::sync::atomic::Ordering::Relaxed) {
        intents |= GatewayIntents::GUILD_MESSAGES | GatewayIntents::MESSAGE_CONTENT;
    }
    let http = HttpBuilder::new(&discord.0.settings.token)
        .proxy(discord.0.settings.api_url.trim_end_matches('/'))
        .ratelimiter_disabled(true)
        .build();
    let handler =
        Arc::new(Handler { discord: discord.clone(), total, identified: Mutex::default(), too_often: Notify::new() });
    let mut client = ClientBuilder::new_with_http(http, intents).event_handler_arc(handler.clone()).await?;
    *client.ws_url.lock().await = url;
    let manager = client.shard_manager.clone();
    let mut ending = stopping;
    let ended = tokio::select! {
        // The end of the range belongs to it.
        ended = client.start_shard_range(first..last, total) => Some(ended),
        () = handler.too_often.notified() => None,
        _ = ending.wait_for(|stop| *stop) => Some(Ok(())),
    };
    let stopped = *ending.borrow();
    // While Discord is away this would wait for its farewell.
    let closed = tokio::time::timeout(CLOSE_WITHIN, manager.shutdown_all()).await;
    if closed.is_err() && !stopped {
        tracing::debug!("the connection to Discord was left open");
    }
    match ended {
        None => {
            tracing::error!(
                wait_s = QUIET.as_secs(),
                "connected to Discord too often within a short time; keeping quiet for a while"
            );
            Ok(QUIET)
        }
        Some(Ok(())) => {
            *failures += 1;
            Ok(backoff(*failures))
        }
        Some(Err(serenity::Error::Gateway(GatewayError::InvalidAuthentication | GatewayError::NoAuthentication))) => {
            Err(Ended::Token.into())
        }
        Some(Err(serenity::Error::Gateway(
            GatewayError::DisallowedGatewayIntents | GatewayError::InvalidGatewayIntents,
        ))) => {
            without_content(discord).await;
            Ok(Duration::ZERO)
        }
        Some(Err(serenity::Error::Gateway(
            error @ (GatewayError::InvalidShardData | GatewayError::OverloadedShard),
        ))) => {
            let why = format!("{error}; shards = \"auto\" takes what Discord recommends, {} now", gateway.shards);
            Err(Ended::Shards { why }.into())
        }
        Some(Err(error)) => {
            *failures += 1;
            tracing::warn!(error = %plain(&error), "the connection to Discord broke; trying again");
            Ok(backoff(*failures))
        }
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

/// An error of serenity's without what it may quote.
fn plain(error: &serenity::Error) -> String {
    match error {
        serenity::Error::Gateway(error) => error.to_string(),
        serenity::Error::Http(_) => "Discord refused or did not answer".to_owned(),
        serenity::Error::Tungstenite(_) | serenity::Error::Io(_) => "the connection".to_owned(),
        _ => "something unexpected".to_owned(),
    }
}

struct Handler {
    discord: Discord,
    total: u32,
    /// When each shard has identified lately.
    identified: Mutex<HashMap<u32, VecDeque<Instant>>>,
    too_often: Notify,
}

impl Handler {
    /// Ours, and in a server that the settings allow.
    fn serves(&self, guild: Option<GuildId>) -> bool {
        guild.is_some() && self.discord.serves(guild.map(GuildId::get))
    }

    /// Servers whose channels have a schedule, but which have removed the bot while it was away.
    async fn notice_removals(&self, shard: u32, there: &HashSet<u64>) -> anyhow::Result<()> {
        for space in self.discord.app().spaces(PLATFORM).await? {
            let Ok(guild) = super::bare(&space).parse::<u64>() else { continue };
            // Source: https://discord.com/developers/docs/events/gateway#sharding
            if (guild >> 22) % u64::from(self.total) == u64::from(shard) && !there.contains(&guild) {
                self.discord.app().space_gone(&space, &trouble::removed_from_server()).await?;
            }
        }
        Ok(())
    }
}

fn log(what: &'static str, outcome: anyhow::Result<()>) {
    if let Err(error) = outcome {
        tracing::error!(error = format!("{error:#}"), what, "cannot store what happened in Discord");
    }
}

#[async_trait]
impl EventHandler for Handler {
    /// Comes after every identification, so nothing here may mind being done twice.
    async fn ready(&self, _: Context, ready: Ready) {
        let shard = ready.shard.map_or(0, |shard| shard.id.0);
        tracing::info!(shard, of = self.total, servers = ready.guilds.len(), "connected to Discord");
        let there: HashSet<u64> = ready.guilds.iter().map(|guild| guild.id.get()).collect();
        log("removals", self.notice_removals(shard, &there).await);
        register(&self.discord, ready.application.id.get()).await;
        self.discord.0.missed.notify_one();
    }

    /// Discord sends what was missed, as far as it remembers.
    async fn resume(&self, _: Context, _: ResumedEvent) {
        self.discord.0.missed.notify_one();
    }

    async fn shard_stage_update(&self, _: Context, event: ShardStageUpdateEvent) {
        if event.new != ConnectionStage::Identifying {
            return;
        }
        let mut identified = self.identified.lock().unwrap_or_else(PoisonError::into_inner);
        let times = identified.entry(event.shard_id.0).or_default();
        times.push_back(Instant::now());
        while times.front().is_some_and(|at| at.elapsed() > IDENTIFY_WINDOW) {
            times.pop_front();
        }
        if times.len() > IDENTIFY_LIMIT {
            times.clear();
            self.too_often.notify_one();
        }
    }

    async fn interaction_create(&self, _: Context, interaction: Interaction) {
        interactions::handle(self.discord.clone(), interaction).await;
    }

    async fn message(&self, _: Context, message: Message) {
        let person = !message.author.bot && message.webhook_id.is_none();
        if !person
            || message.content.trim().is_empty()
            || !matches!(message.kind, MessageType::Regular | MessageType::InlineReply)
            || !self.serves(message.guild_id)
        {
            return;
        }
        let nick = message.member.as_ref().and_then(|member| member.nick.clone());
        let name = nick.or_else(|| message.author.global_name.clone()).unwrap_or_else(|| message.author.name.clone());
        self.discord.0.inbox.put(Event::Wrote {
            thread: message.channel_id.to_string(),
            message: message.id.to_string(),
            user: message.author.id.to_string(),
            name: Some(name),
            text: message.content,
            at: super::micros(&message.timestamp) / 1_000,
            version: 0,
        });
    }

    async fn message_update(&self, _: Context, _: Option<Message>, _: Option<Message>, event: MessageUpdateEvent) {
        // Without an instant of the edit only Discord has changed something: a preview of a link.
        let (Some(edited), Some(author), Some(text)) = (event.edited_timestamp, event.author, event.content) else {
            return;
        };
        if author.bot || event.webhook_id.flatten().is_some() || !self.serves(event.guild_id) {
            return;
        }
        let (thread, message) = (event.channel_id.to_string(), event.id.to_string());
        let version = super::micros(&edited);
        if text.trim().is_empty() {
            return self.discord.0.inbox.put(Event::Deleted { thread, message });
        }
        self.discord.0.inbox.put(Event::Wrote {
            thread,
            at: super::instant(&message),
            message,
            user: author.id.to_string(),
            name: event
                .member
                .flatten()
                .and_then(|member| member.nick.clone())
                .or_else(|| self.discord.known_name(&author)),
            text,
            version,
        });
    }

    async fn message_delete(&self, _: Context, channel: ChannelId, message: MessageId, guild: Option<GuildId>) {
        if self.serves(guild) {
            self.discord.0.inbox.put(Event::Deleted { thread: channel.to_string(), message: message.to_string() });
        }
    }

    async fn message_delete_bulk(
        &self,
        _: Context,
        channel: ChannelId,
        messages: Vec<MessageId>,
        guild: Option<GuildId>,
    ) {
        if self.serves(guild) {
            for message in messages {
                self.discord.0.inbox.put(Event::Deleted { thread: channel.to_string(), message: message.to_string() });
            }
        }
    }

    async fn guild_create(&self, _: Context, guild: Guild, _: Option<bool>) {
        log("a server", self.discord.app().space_may_be_back(&space_id(guild.id)).await);
    }

    async fn guild_delete(&self, _: Context, guild: UnavailableGuild, _: Option<Guild>) {
        // An outage of Discord's makes servers unavailable; they come back by themselves.
        if !guild.unavailable {
            let why = trouble::removed_from_server();
            log("a removal", self.discord.app().space_gone(&space_id(guild.id), &why).await);
        }
    }

    async fn guild_role_update(&self, _: Context, _: Option<Role>, role: Role) {
        log("a role", self.discord.app().space_may_be_back(&space_id(role.guild_id)).await);
    }

    async fn guild_member_update(
        &self,
        _: Context,
        _: Option<Member>,
        _: Option<Member>,
        event: GuildMemberUpdateEvent,
    ) {
        // Without the privileged intent this comes for the bot itself only: its roles have changed.
        log("our roles", self.discord.app().space_may_be_back(&space_id(event.guild_id)).await);
    }

    async fn channel_update(&self, _: Context, _: Option<GuildChannel>, channel: GuildChannel) {
        let id = channel_id(channel.id);
        log("a channel's name", self.discord.app().channel_renamed(&id, &channel.name).await);
        self.discord.receipts_again(&id);
        log("a channel", self.discord.app().channel_may_be_back(&id).await);
    }

    async fn channel_delete(&self, _: Context, channel: GuildChannel, _: Option<Vec<Message>>) {
        log("a deleted channel", self.discord.app().channel_deleted(&channel_id(channel.id)).await);
    }

    async fn thread_delete(&self, _: Context, thread: PartialGuildChannel, _: Option<GuildChannel>) {
        tracing::debug!(thread = thread.id.get(), "a thread was deleted; what was received of it counts");
    }
}

/// Registers the commands when they differ from those registered last.
async fn register(discord: &Discord, application: u64) {
    let commands = commands::registration();
    let hash = commands::hash(&commands, &application.to_string());
    let known =
        discord.app().store.read("read the registered commands", |conn| Box::pin(notes::get(conn, REGISTERED))).await;
    if known.ok().flatten().as_deref() == Some(hash.as_str()) {
        return;
    }
    let path = format!("applications/{application}/commands");
    match discord.rest().call::<Value>(Call::new(Method::Put, &path).body(&commands)).await {
        Ok(_) => {
            tracing::info!("the commands are registered");
            let noted = discord.app().store.write("note the registered commands", move |conn| {
                Box::pin(async move { notes::set(conn, REGISTERED, &hash).await })
            });
            log("the registered commands", noted.await);
        }
        Err(failure) => {
            tracing::error!(why = failure.why(), "the commands could not be registered; the next start tries again")
        }
    }
}
