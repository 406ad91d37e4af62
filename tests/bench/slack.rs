//! `cargo bench --bench slack`: the built binary against a server that behaves like Slack. `-- ack`, `-- hour`, `-- many` run one part.

#[path = "../it/fake/door.rs"]
mod door;
#[path = "../it/fake/shared.rs"]
mod shared;
#[path = "../it/fake/slack/mod.rs"]
#[expect(dead_code, unused_imports, reason = "tests use the rest")]
mod slack;
#[path = "../it/fake/specs.rs"]
mod specs;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use drillbot::adapters::slack::vault::{Keys, new_key};
use drillbot::domain::ids::ChannelId;
use drillbot::store::slack::{Installed, install};
use drillbot::store::{Store, answers, rounds};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use slack::{Fake, Id, Reason, Spot, What};
use tokio_tungstenite::tungstenite::Message as Frame;

/// Events a second, and how long.
const RATE: u64 = 100;
const SECONDS: u64 = 20;
/// What Slack sends to one workspace in an hour at most: so many members answer in so many channels.
const CHANNELS: usize = 30;
const MEMBERS: usize = 1_000;
/// An hour's worth is sent so many times faster, and Slack's limits end so many times sooner.
const FASTER: f64 = 30.0;
/// Workspaces that have installed the app.
const WORKSPACES: usize = 500;

fn main() -> Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let want = |part: &str| wanted.is_empty() || wanted.iter().any(|one| one == part);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    if want("ack") {
        runtime.block_on(ack())?;
    }
    if want("hour") {
        runtime.block_on(hour())?;
    }
    if want("many") {
        runtime.block_on(many())?;
    }
    Ok(())
}

/// The built binary on a database of its own.
struct Bot {
    child: Child,
    folder: tempfile::TempDir,
}

impl Bot {
    /// In Socket Mode, for one workspace.
    async fn start(fake: &Fake, team: Id) -> Result<Bot> {
        let folder = tempfile::tempdir()?;
        let child = command(&folder, fake)
            .env("DRILLBOT_SLACK_BOT_TOKEN", fake.token(team))
            .env("DRILLBOT_SLACK_APP_TOKEN", fake.app_token())
            .stdout(Stdio::null())
            .spawn()?;
        let bot = Bot { child, folder };
        fake.connected_times(2).await;
        Ok(bot)
    }

    /// Over HTTP, for workspaces that have installed the app.
    async fn start_http(fake: &Fake, teams: &[Id]) -> Result<Bot> {
        let folder = tempfile::tempdir()?;
        let key = new_key()?;
        let keys = Keys::read(&key).map_err(|problem| anyhow::anyhow!(problem))?;
        let store = Store::open(&database(&folder)).await?;
        for team in teams {
            let (id, token) = (team.to_string(), fake.token(*team));
            let bot_user = fake.bot(*team).to_string();
            let row = Installed { token: keys.seal(&id, &token)?, team: id, bot_user };
            store
                .write("install", move |conn| {
                    let row = row.clone();
                    Box::pin(async move { install(conn, &row, 0).await })
                })
                .await?;
        }
        store.close().await;
        // With it goes the lock of the file.
        drop(store);
        let (client_id, client_secret) = fake.client();
        let mut child = command(&folder, fake)
            .env("DRILLBOT_SLACK_CLIENT_ID", client_id)
            .env("DRILLBOT_SLACK_CLIENT_SECRET", client_secret)
            .env("DRILLBOT_SLACK_TOKEN_KEY", key)
            .env("DRILLBOT_SLACK_PUBLIC_URL", "https://drill.example.org")
            .env("DRILLBOT_SLACK_SIGNING_SECRET", fake.signing_secret())
            .stdout(Stdio::piped())
            .spawn()?;
        let said = BufReader::new(child.stdout.take().context("piped")?).lines().next().context("no word")??;
        let url = said.rsplit(' ').next().context("no address")?;
        fake.send_to(&format!("{url}/slack/events"));
        Ok(Bot { child, folder })
    }

    /// Resident memory in MiB.
    fn resident(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS")).context("no VmRSS")?;
        Ok(line.split_whitespace().nth(1).context("no number")?.parse::<f64>()? / 1_024.0)
    }

    fn end(&mut self) {
        // It is over either way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What is stored, once the bot has ended and left the file alone.
    async fn store(&mut self) -> Result<Store> {
        self.end();
        Store::open(&database(&self.folder)).await
    }
}

fn database(folder: &tempfile::TempDir) -> String {
    format!("sqlite:{}", folder.path().join("bench.db").display())
}

fn command(folder: &tempfile::TempDir, fake: &Fake) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drillbot"));
    command
        .current_dir(folder.path())
        .env("DRILLBOT_WEB_LISTEN", "127.0.0.1:0")
        .env("DRILLBOT_DATABASE_URL", "sqlite:bench.db")
        .env("DRILLBOT_SLACK_API_URL", fake.url())
        .stderr(Stdio::inherit());
    command
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.end();
    }
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Of the acknowledgements so far, how long they took, shortest first; forgets them.
fn acknowledged(fake: &Fake, fits: impl Fn(What) -> bool) -> Vec<Duration> {
    let acks = fake.with(|model| std::mem::take(&mut model.deliveries.acks));
    let mut times: Vec<Duration> = acks.iter().filter(|ack| fits(ack.what)).map(|ack| ack.after).collect();
    times.sort();
    times
}

/// A workspace with an organiser, channels that have the bot, and members.
struct World {
    fake: Fake,
    team: Id,
    ann: Id,
    channels: Vec<Id>,
    members: Vec<Id>,
}

async fn world(channels: usize, members: usize) -> World {
    let fake = Fake::start().await;
    let team = fake.workspace("Study group");
    let ann = fake.admin(team, "Ann");
    let channels = (0..channels).map(|n| fake.public_channel(team, &format!("daily-{n}"))).collect();
    let members = (0..members).map(|n| fake.member(team, &format!("Member {n}"))).collect();
    World { fake, team, ann, channels, members }
}

impl World {
    /// A question in each channel; its card.
    async fn questions(&self) -> Result<Vec<Spot>> {
        let mut cards = Vec::new();
        for channel in &self.channels {
            for line in ["/daily set 09:00 zone:UTC reveal:8h", "/daily now"] {
                self.fake.command(self.ann, *channel, line).await;
            }
            cards.push(self.fake.until(*channel, "Level:").await.spot);
        }
        Ok(cards)
    }
}

/// A client that acknowledges and does nothing else: what the connection itself takes.
async fn bare(fake: &Fake, writer: Id, channel: Id) -> Result<Vec<Duration>> {
    let open = reqwest::Client::new().post(format!("{}/apps.connections.open", fake.api_url()));
    let opened = open.bearer_auth(fake.app_token()).json(&json!({})).send().await?.text().await?;
    let opened: Value = serde_json::from_str(&opened)?;
    let (mut socket, _) = tokio_tungstenite::connect_async(opened["url"].as_str().context("no address")?).await?;
    let client = tokio::spawn(async move {
        while let Some(Ok(frame)) = socket.next().await {
            let Frame::Text(text) = frame else { continue };
            let envelope: Value = serde_json::from_str(&text)?;
            if let Some(id) = envelope["envelope_id"].as_str() {
                socket.send(Frame::text(json!({"envelope_id": id}).to_string())).await?;
            }
        }
        anyhow::Ok(())
    });
    fake.connected().await;
    let mut beat = tokio::time::interval(Duration::from_millis(1_000 / RATE));
    for _ in 0..5 * RATE {
        beat.tick().await;
        fake.write(writer, channel, "Nobody reads this.");
    }
    fake.settled().await;
    client.abort();
    fake.disconnected().await;
    Ok(acknowledged(fake, |what| what == What::Event))
}

/// Members answer at a steady rate while others drill.
async fn ack() -> Result<()> {
    let world = world(5, 500).await;
    let plain = bare(&world.fake, world.ann, world.channels[4]).await?;
    let bot = Bot::start(&world.fake, world.team).await?;
    let cards = world.questions().await?;
    world.fake.settled().await;
    acknowledged(&world.fake, |_| true);
    let (writers, somewhere) = (world.members, world.channels[0]);
    let fake = Arc::new(world.fake);
    let (drilling, over) = (fake.clone(), Instant::now() + Duration::from_secs(SECONDS));
    let drills = tokio::spawn(async move {
        // As many as Slack allows to be shown: 100 views a minute.
        let mut beat = tokio::time::interval(Duration::from_millis(1_500));
        let (mut graded, mut stuck) = (0, 0);
        while Instant::now() < over {
            beat.tick().await;
            let drill = drilling.command(world.ann, somewhere, "/drill iam 1").await;
            drilling.submit(world.ann, drill.modal(), &[("answer", "The role is assumed for an hour.")]).await;
            let shown = tokio::time::timeout(Duration::from_secs(5), drilling.until_screen(world.ann, "of 100")).await;
            *(if shown.is_ok() { &mut graded } else { &mut stuck }) += 1;
            drilling.close(world.ann, drill.modal());
        }
        (graded, stuck)
    });
    let mut beat = tokio::time::interval(Duration::from_millis(1_000 / RATE));
    for n in 0..usize::try_from(RATE * SECONDS)? {
        beat.tick().await;
        fake.reply(writers[n % writers.len()], cards[n % cards.len()], &format!("The state lies in S3, say {n}."));
    }
    let (graded, stuck) = drills.await?;
    fake.settled().await;
    let late =
        fake.with(|model| model.deliveries.all.values().filter(|it| it.ack.is_none() || it.attempts > 0).count());
    let acks = fake.acks();
    let pressed = acks.iter().filter(|ack| ack.what != What::Event).map(|ack| ack.after).max().unwrap_or_default();
    let times = acknowledged(&fake, |what| what == What::Event);
    println!(
        "ack   {RATE} answers/s for {SECONDS} s in Socket Mode beside {graded} drills ({stuck} more without a result): p50 {:.1} ms, p99 {:.1} ms (aim < 50), slowest {:.1} ms \
         of {} events and {:.1} ms of what people press, {late} not in time; a client that does nothing else p50 {:.1} ms, p99 {:.1} ms \
         ({:.1}x); {:.1} MiB",
        ms(percentile(&times, 50)),
        ms(percentile(&times, 99)),
        ms(times[times.len() - 1]),
        times.len(),
        ms(pressed),
        ms(percentile(&plain, 50)),
        ms(percentile(&plain, 99)),
        ms(percentile(&times, 99)) / ms(percentile(&plain, 99)),
        bot.resident()?
    );
    Ok(())
}

/// All that Slack sends in an hour, in two minutes: every answer is there once.
async fn hour() -> Result<()> {
    let world = world(CHANNELS, MEMBERS).await;
    let mut bot = Bot::start(&world.fake, world.team).await?;
    let cards = world.questions().await?;
    world.fake.scale_rates(1.0 / FASTER);
    let all = CHANNELS * MEMBERS;
    let mut beat = tokio::time::interval(Duration::from_secs_f64(3_600.0 / FASTER / all as f64));
    let begun = Instant::now();
    for n in 0..all {
        beat.tick().await;
        if n % 10 == 0 {
            world.fake.with(|model| model.faults.repeat_events = 1);
        }
        if n == all / 2 {
            world.fake.disconnect_oldest(Reason::RefreshRequested);
        }
        let (channel, member) = (n % CHANNELS, n / CHANNELS);
        world.fake.reply(world.members[member], cards[channel], &said(channel, member));
    }
    let sent = begun.elapsed();
    // The cards say how many have answered, and are the last to know.
    let complete = format!("{MEMBERS} people");
    let deadline = Instant::now() + Duration::from_secs(120);
    let shown = |card: &Spot| world.fake.shown(*card).is_some_and(|card| card.text().contains(&complete));
    while !cards.iter().all(shown) && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let behind = begun.elapsed() - sent;
    let resident = bot.resident()?;
    let store = bot.store().await?;
    let (mut lost, mut twice) = (0, 0);
    for (channel, id) in world.channels.iter().enumerate() {
        let id = ChannelId::new(format!("slack:{}/{id}", world.team));
        let parts = store
            .read("count", move |conn| {
                Box::pin(async move {
                    let round = rounds::of_channel(conn, &id, 1).await?.into_iter().next().context("no question")?;
                    answers::of_round(conn, &round.id).await
                })
            })
            .await?;
        let mut found: HashMap<String, usize> = HashMap::new();
        for part in parts.into_iter().filter(|part| !part.late && !part.deleted) {
            *found.entry(part.body).or_default() += 1;
        }
        let counts: Vec<usize> = (0..MEMBERS).map(|member| found.remove(&said(channel, member)).unwrap_or(0)).collect();
        ensure!(found.is_empty(), "stored, but said by nobody: {:?}", found.keys().next());
        lost += counts.iter().filter(|count| **count == 0).count();
        twice += counts.iter().filter(|count| **count > 1).count();
    }
    println!(
        "hour  {all} answers in {CHANNELS} channels of one workspace at {:.0}/s, each tenth told twice, one connection renewed: {lost} lost, \
         {twice} stored twice; the last card right {:.1} s after the last answer ({:.2}x of the time it took to send); {resident:.1} MiB",
        all as f64 / sent.as_secs_f64(),
        behind.as_secs_f64(),
        (sent + behind).as_secs_f64() / sent.as_secs_f64(),
    );
    Ok(())
}

/// What workspaces that installed the app take, over HTTP: idle, and with a question open in each.
async fn many() -> Result<()> {
    let mut one = 0.0;
    for count in [1, WORKSPACES] {
        let fake = Fake::start().await;
        let teams: Vec<Id> = (0..count).map(|n| fake.workspace(&format!("Group {n}"))).collect();
        let places: Vec<(Id, Id)> = teams
            .iter()
            .map(|team| {
                let channel = fake.public_channel(*team, "daily-drill");
                fake.invite(channel);
                let owner = fake.owner(*team);
                fake.join(channel, owner);
                (channel, owner)
            })
            .collect();
        let bot = Bot::start_http(&fake, &teams).await?;
        for (channel, owner) in &places {
            fake.command(*owner, *channel, "/daily set 09:00 zone:UTC reveal:8h").await;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        let idle = bot.resident()?;
        for (channel, owner) in &places {
            fake.command(*owner, *channel, "/daily now").await;
        }
        for (channel, owner) in &places {
            let card = fake.until(*channel, "Level:").await;
            fake.reply(*owner, card.spot, "The state lies in S3.");
        }
        for (channel, _) in &places {
            fake.until(*channel, "1 person").await;
        }
        let busy = bot.resident()?;
        if count == 1 {
            one = idle;
        }
        println!(
            "many  {count} workspaces over HTTP: {idle:.1} MiB idle ({:.2}x of one), {busy:.1} MiB with a question answered in each (aim < 60)",
            idle / one
        );
    }
    Ok(())
}

/// What a member answers in a channel.
fn said(channel: usize, member: usize) -> String {
    format!("Member {member} keeps the state of channel {channel} in S3.")
}
