//! `cargo bench --bench discord`: the built binary against a server that behaves like Discord, with Discord's own limits.
//! `-- respond`, `-- memory`, `-- pace 2000` run one part; without a number 10,000 questions are due.

#[path = "../it/fake/discord/mod.rs"]
#[expect(dead_code, unused_imports, reason = "tests use the rest")]
mod discord;
#[path = "../it/fake/door.rs"]
mod door;
#[path = "../it/fake/shared.rs"]
mod shared;
#[path = "../it/fake/specs.rs"]
mod specs;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use discord::{Fake, Id, Permissions};
use drillbot::app::clock::real_ms;
use drillbot::domain::ids::{ChannelId, ScheduleId};
use drillbot::domain::schedule::ScheduleSpec;
use drillbot::store::{Store, channels, schedules};

/// Servers of the whole, and channels of each.
const GUILDS: usize = 1_000;
const CHANNELS: usize = 5;
/// Interactions a second, and how long.
const RATE: u64 = 100;
const SECONDS: u64 = 20;

fn main() -> Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let number = wanted.iter().find_map(|one| one.parse().ok());
    let want =
        |part: &str| wanted.iter().all(|one| one.parse::<usize>().is_ok()) || wanted.iter().any(|one| one == part);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    if want("respond") {
        runtime.block_on(respond())?;
    }
    if want("memory") {
        runtime.block_on(memory())?;
    }
    if want("pace") {
        runtime.block_on(pace(number.unwrap_or(10_000)))?;
    }
    Ok(())
}

/// The built binary on a database of its own.
struct Bot {
    child: Child,
    _folder: tempfile::TempDir,
}

impl Bot {
    fn start(fake: &Fake, folder: tempfile::TempDir) -> Result<Bot> {
        let child = Command::new(env!("CARGO_BIN_EXE_drillbot"))
            .current_dir(folder.path())
            .env("DRILLBOT_WEB_LISTEN", "127.0.0.1:0")
            .env("DRILLBOT_DATABASE_URL", "sqlite:bench.db")
            .env("DRILLBOT_DISCORD_TOKEN", fake.token())
            .env("DRILLBOT_DISCORD_API_URL", fake.url())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()?;
        Ok(Bot { child, _folder: folder })
    }

    /// Resident memory in MiB.
    fn resident(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS")).context("no VmRSS")?;
        Ok(line.split_whitespace().nth(1).context("no number")?.parse::<f64>()? / 1_024.0)
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        // The measurement is over either way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn registered(fake: &Fake) {
    fake.connected().await;
    while fake.commands().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// From the moment somebody presses Enter to the bot's answer, over the gateway and back.
async fn respond() -> Result<()> {
    let fake = Fake::start().await;
    let guild = fake.guild("Study group");
    let channel = fake.text_channel(guild, "daily-drill");
    let people: Vec<Id> = (0..50).map(|n| fake.member(guild, &format!("Member {n}"), Permissions::empty())).collect();
    let _bot = Bot::start(&fake, tempfile::tempdir()?)?;
    registered(&fake).await;
    let client = reqwest::Client::new();
    let mut bare = Vec::new();
    for _ in 0..200 {
        let begun = Instant::now();
        client.get(format!("{}/api/v10/gateway", fake.url())).send().await?.bytes().await?;
        bare.push(begun.elapsed());
    }
    bare.sort();
    let fake = std::sync::Arc::new(fake);
    let mut beat = tokio::time::interval(Duration::from_millis(1_000 / RATE));
    let mut asked = tokio::task::JoinSet::new();
    for n in 0..usize::try_from(RATE * SECONDS)? {
        beat.tick().await;
        let (fake, user) = (fake.clone(), people[n % people.len()]);
        asked.spawn(async move { fake.command(user, channel, "/drill topic:iam").await });
    }
    let mut times = Vec::new();
    let mut wrong = 0;
    while let Some(seen) = asked.join_next().await {
        let seen = seen?;
        wrong += usize::from(!seen.text().contains("question 1 of 5"));
        times.push(seen.first_response_after);
    }
    times.sort();
    println!(
        "/drill iam over Discord at {RATE}/s, {} times: first response p50 {:.1} ms, p99 {:.1} ms, slowest {:.1} ms, {wrong} without a \
         question; a bare request to the same server p50 {:.2} ms ({:.0}x)",
        times.len(),
        ms(percentile(&times, 50)),
        ms(percentile(&times, 99)),
        ms(times[times.len() - 1]),
        ms(percentile(&bare, 50)),
        ms(percentile(&times, 50)) / ms(percentile(&bare, 50)),
    );
    Ok(())
}

/// Servers with channels, each channel with a schedule; the next questions come `in_ms` from now.
async fn world(fake: &Fake, guilds: usize, each: usize, in_ms: i64) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(&format!("sqlite:{}", folder.path().join("bench.db").display())).await?;
    let mut all = Vec::new();
    for n in 0..guilds {
        let guild = fake.guild(&format!("Server {n}"));
        all.extend((0..each).map(|m| (guild, fake.text_channel(guild, &format!("daily-{m}")))));
    }
    let now = real_ms();
    let spec = ScheduleSpec { zone: "UTC".to_owned(), reveal: "8h".to_owned(), ..ScheduleSpec::default() };
    let (spec, due) = (serde_json::to_string(&spec)?, jiff::Timestamp::from_millisecond(now + in_ms)?);
    let slot = due.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S").to_string();
    store
        .write("prepare", move |conn| {
            Box::pin(async move {
                for (guild, channel) in &all {
                    let id = ChannelId::new(format!("discord:{channel}"));
                    let zone = "UTC".to_owned();
                    let known = channels::Channel { id: id.clone(), name: "daily".into(), about: String::new(), zone };
                    channels::put(conn, &known, now).await?;
                    channels::belongs_to(conn, &id, &format!("discord:{guild}")).await?;
                    let row = schedules::Row {
                        id: ScheduleId::of(&id, "daily"),
                        channel: id,
                        spec: spec.clone(),
                        paused: false,
                        origin: "command".to_owned(),
                        rounds: 0,
                        next_at: Some(due.as_millisecond()),
                        next_slot: Some(slot.clone()),
                    };
                    schedules::put(conn, &row, now).await?;
                }
                Ok(())
            })
        })
        .await?;
    store.close().await;
    Ok(folder)
}

async fn memory() -> Result<()> {
    let alone = Fake::start().await;
    let folder = world(&alone, 1, 1, 86_400_000).await?;
    let bot = Bot::start(&alone, folder)?;
    registered(&alone).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let one = bot.resident()?;
    drop(bot);
    let fake = Fake::start().await;
    let folder = world(&fake, GUILDS, CHANNELS, 86_400_000).await?;
    let bot = Bot::start(&fake, folder)?;
    registered(&fake).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    println!(
        "memory with {GUILDS} servers of {CHANNELS} scheduled channels: {:.1} MiB; with one server of one channel {one:.1} MiB",
        bot.resident()?
    );
    Ok(())
}

/// Many questions due in the same second, with Discord's own limits.
async fn pace(questions: usize) -> Result<()> {
    let fake = Fake::start().await;
    let folder = world(&fake, questions.div_ceil(CHANNELS), CHANNELS, 8_000).await?;
    let bot = Bot::start(&fake, folder)?;
    registered(&fake).await;
    let posted = |fake: &Fake| {
        fake.with(|model| model.log.iter().filter(|one| one.method == "POST" && one.path.ends_with("/threads")).count())
    };
    while posted(&fake) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let begun = Instant::now();
    while posted(&fake) < questions {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let took = begun.elapsed();
    let (times, too_many, refused) = fake.with(|model| {
        let times: Vec<Instant> = model.log.iter().map(|one| one.at).collect();
        let refused = model.log.iter().filter(|one| one.status >= 400).count();
        (times, model.rates.too_many, refused)
    });
    let busiest = times
        .iter()
        .enumerate()
        .map(|(at, from)| times[at..].iter().take_while(|one| **one - *from < Duration::from_secs(1)).count());
    println!(
        "{questions} questions due at once: posted with their threads in {:.0} s, {:.1} a second ({:.0}% of the {:.0} s that 50 requests a second \
         allow); busiest second {} requests, {too_many} times 429, {refused} refused; {:.1} MiB",
        took.as_secs_f64(),
        questions as f64 / took.as_secs_f64(),
        questions as f64 * 2.0 / 50.0 / took.as_secs_f64() * 100.0,
        questions as f64 * 2.0 / 50.0,
        busiest.max().unwrap_or(0),
        bot.resident()?
    );
    Ok(())
}
