//! `cargo bench`: what drillbot does under load, on this machine. Each figure that depends on the disk or the machine stands beside
//! something bare, measured in the same run. `cargo bench --bench load -- answers` runs one part.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use drillbot::app::clock::Clock;
use drillbot::app::{Actor, App, ChannelSetup, ScheduleSetup};
use drillbot::config::Content;
use drillbot::domain::command::{Board, Window};
use drillbot::domain::ids::{ChannelId, MemberId, RoundId, ScheduleId};
use drillbot::domain::round::Period;
use drillbot::domain::schedule::ScheduleSpec;
use drillbot::store::{Store, answers as stored_answers, channels, members, rounds, schedules, standings};
use sqlx::{Connection, Row};

/// Monday, 23 November 2026, 08:59:59 in UTC.
const MONDAY: i64 = 1_795_424_399_000;

fn main() -> Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let want = |part: &str| wanted.is_empty() || wanted.iter().any(|one| one == part);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    if want("process") {
        runtime.block_on(process())?;
    }
    if want("commands") {
        runtime.block_on(commands())?;
    }
    if want("answers") {
        runtime.block_on(answers())?;
    }
    if want("leaderboard") {
        runtime.block_on(leaderboard())?;
    }
    if want("ticks") {
        runtime.block_on(ticks())?;
    }
    Ok(())
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

async fn app(folder: &tempfile::TempDir) -> Result<(Arc<App>, Clock)> {
    let store = Store::open(&format!("sqlite:{}", folder.path().join("bench.db").display())).await?;
    let clock = Clock::manual(MONDAY);
    let content = Content { embedded: true, paths: Vec::new() };
    let (bank, _) = drillbot::content::load(&content).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
    Ok((Arc::new(App::new(store, clock.clone(), bank, Duration::from_secs(30))), clock))
}

fn setup(name: &str) -> ChannelSetup {
    ChannelSetup {
        id: ChannelId::new(format!("web:{name}")),
        name: name.to_owned(),
        about: String::new(),
        schedules: vec![ScheduleSetup { name: "daily".to_owned(), spec: ScheduleSpec::default() }],
    }
}

/// The built binary with a database of its own.
struct Bot {
    child: Child,
    url: String,
    ready: Duration,
    _folder: tempfile::TempDir,
}

impl Bot {
    fn start() -> Result<Bot> {
        let folder = tempfile::tempdir()?;
        let begun = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_drillbot"))
            .current_dir(folder.path())
            .env("DRILLBOT_WEB_LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        let ready = begun.elapsed();
        let url = line.split_whitespace().last().context("no address")?.to_owned();
        Ok(Bot { child, url, ready, _folder: folder })
    }

    /// Resident memory in KiB.
    fn resident(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS")).context("no VmRSS")?;
        Ok(line.split_whitespace().nth(1).context("no number")?.parse()?)
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        // The measurement is over either way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn process() -> Result<()> {
    let mut starts = Vec::new();
    for _ in 0..10 {
        starts.push(Bot::start()?.ready);
    }
    starts.sort();
    let bot = Bot::start()?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    println!(
        "process      start to ready {:.0} ms (median of 10, new database; aim < 300)   idle memory {:.1} MiB (aim < 25)",
        ms(percentile(&starts, 50)),
        bot.resident()? as f64 / 1024.0
    );
    Ok(())
}

async fn commands() -> Result<()> {
    const RATE: u32 = 200;
    const SECONDS: u32 = 15;
    let bot = Bot::start()?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
    let signed = client
        .post(format!("{}/api/session", bot.url))
        .json(&serde_json::json!({"name": "Bench"}))
        .send()
        .await?
        .error_for_status()?;
    let cookie = signed.headers()["set-cookie"].to_str()?.split(';').next().context("no cookie")?.to_owned();
    let begun = Instant::now();
    let mut calls = Vec::new();
    for n in 0..RATE * SECONDS {
        let due = begun + Duration::from_secs(1) * n / RATE;
        let (client, cookie) = (client.clone(), cookie.clone());
        let url = format!("{}/api/channels/daily-drill/messages", bot.url);
        calls.push(tokio::spawn(async move {
            tokio::time::sleep_until(due.into()).await;
            let line = ["/drill iam", "/leaderboard", "/topics", "/me"][n as usize % 4];
            let body = serde_json::json!({"text": line, "key": n.to_string(), "thread": null});
            // From the instant it was due: a stalled server cannot hide behind calls that were not made.
            let reply = client.post(url).header("cookie", cookie).json(&body).send().await?.error_for_status()?;
            reply.bytes().await?;
            anyhow::Ok(due.elapsed())
        }));
    }
    let mut times = Vec::new();
    for call in calls {
        times.push(call.await??);
    }
    times.sort();
    println!(
        "commands     {RATE}/s for {SECONDS} s over HTTP, each durably committed: p50 {:.2} ms   p99 {:.2} ms (aim < 25)   max {:.1} ms",
        ms(percentile(&times, 50)),
        ms(percentile(&times, 99)),
        ms(percentile(&times, 100)),
    );
    Ok(())
}

async fn answers() -> Result<()> {
    const MEMBERS: usize = 40_000;
    const AT_ONCE: usize = 512;
    let folder = tempfile::tempdir()?;
    let (app, clock) = app(&folder).await?;
    app.set_up(vec![setup("bench")]).await?;
    clock.set(MONDAY + 1_000);
    app.tick().await?;
    let channel = ChannelId::new("web:bench");
    let round = RoundId::of(&ScheduleId::of(&channel, "daily"), "2026-11-23T09:00");
    let text =
        "S3 backend with versioning and a lock file, one state for each environment, only the pipeline role may write.";
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let mut workers = Vec::new();
    for _ in 0..AT_ONCE {
        let (app, next, round, channel) = (app.clone(), next.clone(), round.clone(), channel.clone());
        workers.push(tokio::spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= MEMBERS {
                    return anyhow::Ok(());
                }
                let actor = Actor {
                    member: MemberId::new(format!("web:m{n}")),
                    name: format!("Member {n}"),
                    organiser: false,
                    channel: channel.clone(),
                    channel_name: String::new(),
                    space: String::new(),
                };
                let values = HashMap::from([("answer".to_owned(), text.to_owned())]);
                app.submit(&actor, &format!("answer:{round}"), &values).await?;
            }
        }));
    }
    for worker in workers {
        worker.await??;
    }
    let grouped = MEMBERS as f64 / begun.elapsed().as_secs_f64();
    let stored =
        app.store.read("count", move |conn| Box::pin(async move { stored_answers::count(conn, &round).await })).await?;
    if stored != i64::try_from(MEMBERS)? {
        bail!("{stored} answers stored instead of {MEMBERS}");
    }
    let bare = bare_inserts(&folder, text).await?;
    println!(
        "answers      {grouped:.0}/s stored durably by {AT_ONCE} members at once (aim 10000)   bare SQLite, one commit each: {bare:.0}/s   ratio {:.1}",
        grouped / bare
    );
    Ok(())
}

/// The same text, one row and one fsync'd commit at a time, straight into SQLite.
async fn bare_inserts(folder: &tempfile::TempDir, text: &str) -> Result<f64> {
    const ROWS: i64 = 4_000;
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("bare.db").display());
    sqlx::any::install_default_drivers();
    let mut conn = sqlx::AnyConnection::connect(&url).await?;
    for sql in
        ["pragma journal_mode = wal", "pragma synchronous = full", "create table a (id bigint primary key, body text)"]
    {
        sqlx::query(sql).execute(&mut conn).await?;
    }
    let begun = Instant::now();
    for n in 0..ROWS {
        sqlx::query("insert into a (id, body) values ($1, $2)").bind(n).bind(text).execute(&mut conn).await?;
    }
    Ok(ROWS as f64 / begun.elapsed().as_secs_f64())
}

async fn leaderboard() -> Result<()> {
    const MEMBERS: usize = 50_000;
    const ROUNDS: i64 = 20;
    let folder = tempfile::tempdir()?;
    let (app, _) = app(&folder).await?;
    app.set_up(vec![setup("bench")]).await?;
    let channel = ChannelId::new("web:bench");
    app.store
        .write("fill", |conn| {
            Box::pin(async move {
                for n in 0..MEMBERS {
                    members::seen(conn, &MemberId::new(format!("web:m{n}")), &format!("Member {n}"), MONDAY).await?;
                }
                Ok(())
            })
        })
        .await?;
    let period = Period::of(jiff::civil::date(2026, 11, 23));
    for round in 0..ROUNDS {
        let (at, period) = (channel.clone(), period.clone());
        let shift = usize::try_from(round)? * 104_729;
        app.store
            .write("fill", move |conn| {
                Box::pin(async move {
                    let gains: Vec<standings::Gain> = (0..MEMBERS)
                        .map(|n| standings::Gain {
                            member: MemberId::new(format!("web:m{n}")),
                            points: i64::try_from((n * 7_919 + shift) % 2_000).unwrap_or(0),
                            answered: 1,
                        })
                        .collect();
                    standings::add(conn, &at, Board::Daily, "iam", &period, &gains, MONDAY + round).await
                })
            })
            .await?;
    }
    let reader = MemberId::new("web:m777");
    let list =
        standings::List { channel: channel.clone(), board: Board::Daily, topic: String::new(), span: "all".to_owned() };
    let (mut board, mut top) = (Vec::new(), Vec::new());
    for _ in 0..500 {
        let begun = Instant::now();
        app.leaderboard(&channel, Window::All, Board::Daily, None, Some(&reader)).await?;
        board.push(begun.elapsed());
        let (begun, wanted) = (Instant::now(), list.clone());
        app.store.read("top", move |conn| Box::pin(async move { standings::top(conn, &wanted, 10).await })).await?;
        top.push(begun.elapsed());
    }
    let ranked = rank_answers(&folder, MEMBERS, ROUNDS).await?;
    board.sort();
    top.sort();
    println!(
        "leaderboard  top 10 of {MEMBERS} members, {} answers: p50 {:.3} ms (aim < 1)   with own place and streaks {:.3} ms   ranking the answers instead {:.0} ms   ratio {:.0}",
        i64::try_from(MEMBERS)? * ROUNDS,
        ms(percentile(&top, 50)),
        ms(percentile(&board, 50)),
        ms(ranked),
        ranked.as_secs_f64() / percentile(&top, 50).as_secs_f64()
    );
    Ok(())
}

/// What a board without standings would do: sum and sort a million answers.
async fn rank_answers(folder: &tempfile::TempDir, members: usize, rounds: i64) -> Result<Duration> {
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("ranked.db").display());
    let mut conn = sqlx::AnyConnection::connect(&url).await?;
    sqlx::query("create table s (member_id text, points bigint)").execute(&mut conn).await?;
    sqlx::query(
        "insert into s with recursive r(n) as (select 0 union all select n + 1 from r where n < $1 - 1)
         select 'web:m' || (n % $2), (n * 7919) % 2000 from r",
    )
    .bind(i64::try_from(members)? * rounds)
    .bind(i64::try_from(members)?)
    .execute(&mut conn)
    .await?;
    let begun = Instant::now();
    let rows = sqlx::query("select member_id, sum(points) as p from s group by member_id order by p desc limit 10")
        .fetch_all(&mut conn)
        .await?;
    let took = begun.elapsed();
    if rows.len() != 10 || rows[0].try_get::<String, _>("member_id")?.is_empty() {
        bail!("the ranking is empty");
    }
    Ok(took)
}

async fn ticks() -> Result<()> {
    const CHANNELS: usize = 100_000;
    let folder = tempfile::tempdir()?;
    let (app, clock) = app(&folder).await?;
    let spec = serde_json::to_string(&ScheduleSpec::default())?;
    app.store
        .write("fill", move |conn| {
            Box::pin(async move {
                let mut rows = Vec::with_capacity(CHANNELS);
                for n in 0..CHANNELS {
                    let id = ChannelId::new(format!("web:c{n}"));
                    let channel = channels::Channel {
                        id: id.clone(),
                        name: format!("c{n}"),
                        about: String::new(),
                        zone: "UTC".to_owned(),
                    };
                    channels::put(conn, &channel, MONDAY).await?;
                    rows.push(schedules::Row {
                        id: ScheduleId::of(&id, "daily"),
                        channel: id,
                        spec: spec.clone(),
                        paused: false,
                        origin: "command".to_owned(),
                        rounds: 0,
                        next_at: Some(MONDAY + 1_000),
                        next_slot: Some("2026-11-23T09:00".to_owned()),
                    });
                }
                schedules::put_many(conn, &rows, MONDAY).await
            })
        })
        .await?;
    clock.set(MONDAY + 1_000);
    let begun = Instant::now();
    app.tick().await?;
    let took = begun.elapsed();
    let last = ScheduleId::of(&ChannelId::new(format!("web:c{}", CHANNELS - 1)), "daily");
    let open = app.store.read("count", move |conn| Box::pin(async move { rounds::open_of(conn, &last).await })).await?;
    if open.len() != 1 {
        bail!("the last channel has {} open rounds", open.len());
    }
    println!(
        "ticks        {CHANNELS} channels due in the same minute enqueued in {:.2} s (aim < 5)",
        took.as_secs_f64()
    );
    Ok(())
}
