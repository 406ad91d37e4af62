//! Wiring: opens what the settings name, starts the tasks, watches them, and stops in good order.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use futures_util::future::select_all;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use crate::adapters::discord::{self, Discord};
use crate::adapters::judge;
use crate::adapters::slack::vault::Keys;
use crate::adapters::slack::{self, Slack};
use crate::adapters::web::{self, Access, Ready, WebChat};
use crate::app::chat::Chat;
use crate::app::clock::{Clock, real_ms};
use crate::app::judge::Limits;
use crate::app::{AT_ONCE, App, ChannelSetup, ScheduleSetup};
use crate::config::{self, Channel, Config, Secret, Shards};
use crate::content;
use crate::domain::bank::Bank;
use crate::store::{Store, notes};

/// How long tasks may take to finish what they have begun.
const STOP_WITHIN: Duration = Duration::from_secs(4);
const TICKER: &str = "ticker";
const WEB: &str = "worker of the web chat's deliveries";
const DISCORD: &str = "worker of Discord's deliveries";
const SLACK: &str = "worker of Slack's deliveries";
const TICK: Duration = Duration::from_secs(1);
/// A worker that has not shown up for so long is not well.
const STALE_MS: i64 = 30_000;
/// How often changed question files are looked for.
const WATCH: Duration = Duration::from_secs(2);

/// What the command line adds to the settings.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A question at once, revealed after this.
    pub demo: Option<String>,
    /// How many times faster time runs: for rehearsals.
    pub speed: Option<i64>,
}

/// Runs until a signal says stop.
///
/// # Errors
/// When something that must be there is not, or a task has ended that must not.
pub async fn run(mut config: Config, options: Options) -> Result<()> {
    let begun = Instant::now();
    let (bank, warnings) = content::load(&config.content).map_err(|problems| {
        let list = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        anyhow!("the question banks cannot be read:\n{list}")
    })?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    if options.speed.is_some() {
        for (name, there) in [("Discord", config.discord.is_some()), ("Slack", config.slack.is_some())] {
            anyhow::ensure!(
                !there,
                "--speed invents the time, and people on {name} live in the real one: rehearse without its tokens (unset the \
                 DRILLBOT_{}_.. variables, take its ..token_file out of the settings)",
                name.to_uppercase()
            );
        }
    }
    if let Some(reveal) = &options.demo {
        config = config.web_only();
        if config.database_by_default {
            // A demo leaves the real drill alone.
            config.database_url = Secret::new("sqlite:drillbot-demo.db");
        }
        for (_, spec) in config.channels.iter_mut().flat_map(|channel| &mut channel.schedules) {
            reveal.clone_into(&mut spec.reveal);
            if let Err(problems) = spec.compile() {
                let why = problems.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>().join("; ");
                bail!("--reveal {reveal}: {why}");
            }
        }
    }
    let store = Store::open(config.database_url.expose()).await?;
    let clock = clock(&store, options.speed).await?;
    let mut app = App::new(store, clock, bank, config.lease);
    if let Some(llm) = &config.llm {
        app = app.with_judge(judge::Endpoint::new(&judge_settings(llm))?, Limits::default());
        tracing::info!(model = llm.model, "answers are shown to a judge too");
    }
    let app = Arc::new(app);
    let taken_over = app.take_over().await?;
    if taken_over > 0 {
        tracing::info!(taken_over, "going on with deliveries that were under way");
    }
    app.set_up(channel_setups(&config)).await?;
    if options.demo.is_some() {
        app.open_where_none_is().await?;
    }

    let (stop, stopping) = watch::channel(false);
    let pulse = Arc::new(Pulse::default());
    let workers = [TICKER, WEB].into_iter();
    let workers = workers.chain(config.discord.as_ref().map(|_| DISCORD)).chain(config.slack.as_ref().map(|_| SLACK));
    // From here on they have to show up.
    workers.for_each(|worker| pulse.beat(worker));
    let mut tasks: JoinSet<(&'static str, Result<()>)> = JoinSet::new();
    let chat = WebChat::new(app.clone());
    let slack =
        config.slack.as_ref().map(slack_settings).transpose()?.map(|settings| Slack::new(app.clone(), settings));
    let mut address = None;
    if config.web.enabled {
        let listener = TcpListener::bind(config.web.listen).await.map_err(|error| {
            anyhow!(
                "cannot listen on {} ({error}); stop what is using it, or choose another address: DRILLBOT_WEB_LISTEN=127.0.0.1:8081",
                config.web.listen
            )
        })?;
        address = Some(listener.local_addr().context("the listener has no address")?);
        let access = Access::new(
            config.web.listen,
            config.web.access_token.as_ref().map(|token| token.expose()),
            &config.web.organisers,
        );
        let beside = slack.as_ref().map(slack::router).transpose()?.unwrap_or_default();
        let (ready, stopping, chat) = (pulse.clone(), stopping.clone(), chat.clone());
        tasks.spawn(async move { ("web server", web::serve(listener, &chat, access, ready, beside, stopping).await) });
    }
    let (worker, beat, ending) = (app.clone(), pulse.clone(), stopping.clone());
    tasks.spawn(async move { (TICKER, tick(worker, beat, ending).await) });
    let (worker, beat, ending) = (app.clone(), pulse.clone(), stopping.clone());
    tasks.spawn(async move { (WEB, deliver(WEB, worker, chat, beat, ending).await) });
    if let Some(settings) = &config.discord {
        let chat = Discord::new(app.clone(), discord_settings(settings))?;
        let (worker, remote, beat, ending) = (app.clone(), chat.clone(), pulse.clone(), stopping.clone());
        tasks.spawn(async move { (DISCORD, deliver(DISCORD, worker, remote, beat, ending).await) });
        let ending = stopping.clone();
        tasks.spawn(async move { ("connection to Discord", discord::listen(chat, ending).await) });
    }
    if let Some(chat) = slack {
        let (worker, remote, beat, ending) = (app.clone(), chat.clone(), pulse.clone(), stopping.clone());
        tasks.spawn(async move { (SLACK, deliver(SLACK, worker, remote, beat, ending).await) });
        let ending = stopping.clone();
        tasks.spawn(async move { ("connection to Slack", slack::listen(chat, ending).await) });
    }
    if !config.content.paths.is_empty() {
        let (worker, settings, ending) = (app.clone(), config.content.clone(), stopping.clone());
        tasks.spawn(async move { ("bank watcher", watch_banks(worker, settings, ending).await) });
    }
    let signalled = signals();
    announce(&config, &options, address, begun.elapsed());

    let outcome = tokio::select! {
        () = signalled => {
            tracing::info!("stopping");
            Ok(())
        }
        ended = tasks.join_next() => Err(match ended {
            Some(Ok((name, Err(error)))) => error.context(format!("the {name} has ended")),
            Some(Ok((name, Ok(())))) => anyhow!("the {name} has ended by itself"),
            Some(Err(error)) => anyhow!("a task has broken: {error}"),
            None => anyhow!("there is nothing to do"),
        }),
    };
    stop.send_replace(true);
    let finish = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_WITHIN, finish).await.is_err() {
        tracing::warn!("some tasks did not stop in time; what they had begun is finished after the next start");
    }
    // Ends with the deadline too: a connection may hang.
    let _ = tokio::time::timeout(Duration::from_millis(500), app.store.close()).await;
    outcome
}

/// What the adapter needs of the settings.
pub fn discord_settings(settings: &config::Discord) -> discord::Settings {
    discord::Settings {
        token: settings.token.expose().to_owned(),
        api_url: settings.api_url.clone(),
        guilds: settings.guilds.clone(),
        read_threads: settings.read_threads,
        shards: match settings.shards {
            Shards::Auto => None,
            Shards::Fixed(shards) => Some(shards),
        },
        shard_range: settings.shard_range,
    }
}

/// What the adapter needs of the settings.
pub fn judge_settings(settings: &config::Llm) -> judge::Settings {
    judge::Settings {
        url: settings.url.clone(),
        model: settings.model.clone(),
        api_key: settings.api_key.as_ref().map(|key| key.expose().to_owned()),
        timeout: settings.timeout,
    }
}

/// What the adapter needs of the settings.
///
/// # Errors
/// When a key for tokens is none.
pub fn slack_settings(settings: &config::Slack) -> Result<slack::Settings> {
    let exposed = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
    let oauth = |oauth: &config::SlackOAuth| {
        let keys = Keys::read(oauth.token_key.expose()).map_err(|problem| anyhow!("slack.token_key: {problem}"))?;
        Ok::<_, anyhow::Error>(slack::OAuth {
            client_id: oauth.client_id.clone(),
            client_secret: oauth.client_secret.expose().to_owned(),
            public_url: settings.public_url.clone(),
            keys: Arc::new(keys),
        })
    };
    Ok(slack::Settings {
        bot_token: exposed(&settings.bot_token),
        oauth: settings.oauth.as_ref().map(oauth).transpose()?,
        app_token: exposed(&settings.app_token),
        signing_secret: exposed(&settings.signing_secret),
        api_url: settings.api_url.clone(),
        command_prefix: settings.command_prefix.clone(),
        organisers: settings.organisers.clone(),
        broadcast_reveal: settings.broadcast_reveal,
        patience: slack::Patience::default(),
    })
}

fn channel_setups(config: &Config) -> Vec<ChannelSetup> {
    config
        .channels
        .iter()
        .map(|channel| ChannelSetup {
            id: channel.id.clone(),
            name: channel.name.clone(),
            about: channel.about.clone(),
            schedules: channel
                .schedules
                .iter()
                .map(|(name, spec)| ScheduleSetup { name: name.clone(), spec: spec.clone() })
                .collect(),
        })
        .collect()
}

/// The clock of this database. A rehearsal's clock goes on where it was, and never comes near a real database.
async fn clock(store: &Store, speed: Option<i64>) -> Result<Clock> {
    const NOTE: &str = "rehearsal";
    // In this order: another process writes the note before the first channel.
    let used = store.read("look for channels", |conn| Box::pin(notes::is_used(conn))).await?;
    let mut noted = store.read("read the clock", |conn| Box::pin(notes::get(conn, NOTE))).await?;
    if let (Some(speed), None, false) = (speed, &noted, used) {
        let now = real_ms();
        let note = format!("{now} {now} {speed}");
        // Another process may begin the same rehearsal at this moment: then its clock is the clock.
        let clock = store
            .write("begin a rehearsal", move |conn| Box::pin(async move { notes::set_once(conn, NOTE, &note).await }));
        noted = Some(clock.await?);
    }
    match (speed, noted) {
        (None, None) => Ok(Clock::system()),
        (None, Some(_)) => bail!(
            "this database belongs to a rehearsal (--speed); its dates are invented. Give the real bot its own database.url"
        ),
        (Some(_), None) => bail!(
            "this database is a real one; --speed would fill it with invented dates. Rehearse with another one: \
             DRILLBOT_DATABASE_URL=sqlite:rehearsal.db"
        ),
        (Some(speed), Some(noted)) => {
            let numbers: Vec<i64> = noted.split(' ').filter_map(|number| number.parse().ok()).collect();
            let [real, shown, before] = numbers.as_slice() else {
                bail!("the rehearsal's clock cannot be read: {noted}")
            };
            if speed == *before {
                return Ok(Clock::fast(*real, *shown, speed));
            }
            let (now, shown) = (real_ms(), shown + (real_ms() - real) * before);
            let note = format!("{now} {shown} {speed}");
            store
                .write("change a rehearsal's speed", move |conn| {
                    Box::pin(async move { notes::set(conn, NOTE, &note).await })
                })
                .await?;
            Ok(Clock::fast(now, shown, speed))
        }
    }
}

/// Says that the bot is ready, where, and what to try. For people, so on standard output, whatever the log does.
fn announce(config: &Config, options: &Options, address: Option<SocketAddr>, took: Duration) {
    let mut lines = Vec::new();
    match address {
        None => lines.push("drillbot is ready; the web chat is off.".to_owned()),
        Some(address) => {
            let names: Vec<String> = config.channels.iter().map(Channel::label).collect();
            lines.push(format!("drillbot is ready in {} ms: http://{address}", took.as_millis()));
            lines.push(format!("Channels: {}", names.join(", ")));
            if let Some(reveal) = &options.demo {
                lines.push(format!(
                    "A question is open now; its answer comes {reveal} later. Open the page in two windows and answer it as two \
                     people.\nAfter the reveal: /leaderboard, /me, /daily now for the next question. (--demo --reveal 30s is quicker.)"
                ));
            } else {
                lines.push(
                    "Try first: open the page, sign in, and type /daily now, /drill iam, /help.\n(drillbot --demo plays a whole day \
                     in two minutes.)"
                        .to_owned(),
                );
            }
        }
    }
    if config.discord.is_some() {
        lines.push("Discord: type /daily set in the channel that shall get questions; drillbot doctor discord looks for problems.".to_owned());
    }
    if let Some(slack) = &config.slack {
        let daily = slack::commands::Names { prefix: &slack.command_prefix }.shown("daily");
        lines.push(format!(
            "Slack: invite the bot to the channel that shall get questions and type {daily} set 09:00 there; drillbot doctor slack looks for \
             problems."
        ));
    }
    // Whoever started it may have stopped reading: that is no reason to stop.
    let _ = writeln!(std::io::stdout(), "{}", lines.join("\n"));
}

/// Listens from now on for SIGTERM and Ctrl-C; the result is ready when one of them has come.
fn signals() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut listeners: Vec<_> = [SignalKind::terminate(), SignalKind::interrupt()]
        .into_iter()
        .filter_map(|kind| {
            signal(kind).inspect_err(|error| tracing::warn!(%error, ?kind, "cannot listen for a signal")).ok()
        })
        .collect();
    async move {
        let any = listeners.iter_mut().map(|listener| Box::pin(listener.recv()));
        match any.len() {
            0 => std::future::pending().await,
            _ => drop(select_all(any).await),
        }
    }
}

/// When each worker was last seen alive.
#[derive(Default)]
struct Pulse {
    workers: Mutex<BTreeMap<&'static str, i64>>,
    trouble: Mutex<Option<String>>,
}

impl Pulse {
    fn beat(&self, worker: &'static str) {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).insert(worker, real_ms());
    }

    fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

impl Ready for Pulse {
    fn problems(&self) -> Vec<String> {
        let now = real_ms();
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        let late = workers.iter().filter(|(_, at)| now - **at > STALE_MS);
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        late.map(|(worker, _)| format!("the {worker} has not been seen for a while")).chain(trouble).collect()
    }
}

/// Asks every second what should exist by now. The database being away is no reason to stop asking.
async fn tick(app: Arc<App>, pulse: Arc<Pulse>, mut stopping: watch::Receiver<bool>) -> Result<()> {
    let pause = TICK / u32::try_from(app.clock.speed().clamp(1, 20)).unwrap_or(1);
    loop {
        match app.tick().await {
            Ok(()) => pulse.set_trouble(None),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "a tick failed; it is tried again");
                pulse.set_trouble(Some("the last tick failed".to_owned()));
            }
        }
        pulse.beat(TICKER);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopping.wait_for(|stop| *stop) => return Ok(()),
        }
    }
}

/// Keeps up to [`AT_ONCE`] deliveries under way; a slow one holds up nobody but its own lane. With nothing to claim it waits for the
/// bell, the next due row or the end of a delivery.
async fn deliver<C: Chat>(
    name: &'static str,
    app: Arc<App>,
    chat: C,
    pulse: Arc<Pulse>,
    mut stopping: watch::Receiver<bool>,
) -> Result<()> {
    let chat = Arc::new(chat);
    // Tasks of their own: a delivery that waits for a connection must not keep it from the next claim.
    let mut under_way: JoinSet<()> = JoinSet::new();
    let ended = |end: Result<(), JoinError>| end.map_err(|error| anyhow!("a delivery has broken: {error}"));
    loop {
        let bell = app.outbox_bell.notified();
        let free = AT_ONCE - under_way.len();
        let claimed = if free == 0 { Ok(Vec::new()) } else { app.claim(chat.platform(), free).await };
        let wait = match claimed {
            Ok(rows) if !rows.is_empty() => {
                for row in rows {
                    let (app, chat) = (app.clone(), chat.clone());
                    under_way.spawn(async move {
                        app.carry(&*chat, &row).await;
                    });
                }
                Duration::ZERO
            }
            Ok(_) if free == 0 => TICK,
            // What is due and was not claimed waits behind another row of its lane: no use asking all the time.
            Ok(_) => match app.next_delivery(chat.platform()).await.ok().flatten() {
                Some(Duration::ZERO) => TICK / 5,
                due => due.unwrap_or(TICK).clamp(TICK / 50, TICK),
            },
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "deliveries cannot be claimed; that is tried again");
                TICK
            }
        };
        pulse.beat(name);
        tokio::select! {
            Some(end) = under_way.join_next() => ended(end)?,
            () = tokio::time::sleep(wait) => {}
            () = bell => {}
            _ = stopping.wait_for(|stop| *stop) => break,
        }
        // Those that ended together make room for one claim, not for one each.
        while let Some(end) = under_way.try_join_next() {
            ended(end)?;
        }
    }
    // As far as the deadline of stopping allows.
    while let Some(end) = under_way.join_next().await {
        ended(end)?;
    }
    Ok(())
}

/// Puts changed question files in force; broken ones are refused, and the last good bank stays.
async fn watch_banks(
    app: Arc<App>,
    settings: crate::config::Content,
    mut stopping: watch::Receiver<bool>,
) -> Result<()> {
    let mut seen = content::fingerprint(&settings);
    loop {
        tokio::select! {
            () = tokio::time::sleep(WATCH) => {}
            _ = stopping.wait_for(|stop| *stop) => return Ok(()),
        }
        let now = content::fingerprint(&settings);
        if now == seen {
            continue;
        }
        seen = now;
        match content::load(&settings) {
            Ok((bank, _)) => take_bank(&app, bank),
            Err(problems) => {
                for problem in &problems {
                    tracing::error!("{problem}");
                }
                tracing::error!(
                    problems = problems.len(),
                    "the changed banks were refused; the last good ones stay in force"
                );
            }
        }
    }
}

fn take_bank(app: &App, bank: Bank) {
    tracing::info!(questions = bank.questions().len(), revision = bank.revision(), "the changed banks are in force");
    app.replace_bank(bank);
}

#[cfg(test)]
mod tests {
    use super::*;

    use tokio::sync::Notify;

    use crate::adapters::memory::MemoryChat;
    use crate::app::chat::{Post, SendError};
    use crate::domain::answer::ThreadMessage;
    use crate::domain::effect::{Effect, Place, Posted};
    use crate::domain::ids::{ChannelId, MessageId, ThreadId};
    use crate::domain::message::Message;
    use crate::store::outbox;

    /// Takes a post to `#slow` only when it is told to.
    #[derive(Clone, Default)]
    struct Slow {
        memory: Arc<MemoryChat>,
        go_on: Arc<Notify>,
    }

    impl Chat for Slow {
        fn platform(&self) -> &'static str {
            self.memory.platform()
        }

        fn posts_in_private(&self) -> bool {
            true
        }

        async fn post(&self, post: Post<'_>) -> Result<Posted, SendError> {
            if post.place.channel.as_str() == "memory:slow" {
                self.go_on.notified().await;
            }
            self.memory.post(post).await
        }

        async fn find(&self, post: Post<'_>) -> Result<Option<Posted>, SendError> {
            self.memory.find(post).await
        }

        async fn edit(&self, place: &Place, target: &MessageId, message: &Message) -> Result<(), SendError> {
            self.memory.edit(place, target, message).await
        }

        async fn replies(&self, place: &Place, thread: &ThreadId) -> Result<Vec<ThreadMessage>, SendError> {
            self.memory.replies(place, thread).await
        }
    }

    async fn wants(app: &App, channel: &str, words: &str) {
        let new = outbox::New::notice(&ChannelId::new(channel), words.to_owned(), app.clock.now_ms());
        assert!(matches!(new.effect, Effect::Notice { .. }));
        app.store.write("test", move |conn| Box::pin(async move { outbox::add(conn, &[new], 0).await })).await.unwrap();
        app.outbox_bell.notify_waiters();
    }

    #[tokio::test]
    async fn a_slow_delivery_holds_up_no_other_channel_and_is_finished_before_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", folder.path().join("a.db").display())).await.unwrap();
        let (bank, _) = Bank::read(&[]).unwrap();
        let app = Arc::new(App::new(store, Clock::system(), bank, Duration::from_secs(30)));
        let chat = Slow::default();
        let (stop, stopping) = watch::channel(false);
        wants(&app, "memory:slow", "one").await;
        let worker = tokio::spawn(deliver(WEB, app.clone(), chat.clone(), Arc::default(), stopping));
        let shown = async |count: usize| {
            let all = async {
                while chat.memory.shown().len() < count {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(20), all).await.expect("it is shown");
        };
        // One after the other, far more than are under way at once.
        for n in 0..2 * AT_ONCE {
            wants(&app, &format!("memory:quick-{n}"), "two").await;
        }
        shown(2 * AT_ONCE).await;
        stop.send_replace(true);
        tokio::task::yield_now().await;
        assert!(!worker.is_finished(), "what has begun is finished");
        chat.go_on.notify_one();
        worker.await.unwrap().unwrap();
        shown(2 * AT_ONCE + 1).await;
        assert_eq!(chat.memory.looks(), 0);
    }
}
