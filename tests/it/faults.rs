//! What goes wrong around a running bot, done for real: full disks, locked files, lost servers, signals.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::Method;
use serde_json::Value;
use sqlx::Row;

use crate::crash;
use crate::support::{Client, Database, Setup, eventually, run, setting};

/// One channel whose questions come in winter nights only, so that nothing happens by itself.
const QUIET: &str = "[daily]\nzone = \"UTC\"\ncron = \"0 3 1 1 *\"\nreveal = \"8h\"\n";

const SOON: Duration = Duration::from_secs(20);

async fn quiet_bot() -> (Database, Setup) {
    let database = Database::sqlite().await;
    let setup = Setup::new(database.folder(), &database.url, QUIET);
    (database, setup)
}

/// A question is posted at once; its card: (message, action of the Answer button).
async fn open_question(client: &Client, channel: &str) -> (String, String) {
    let (status, body) = client.write(channel, None, "/daily now", "now").await.expect("a reply");
    assert_eq!(status, 200, "{body}");
    eventually("the card is out", SOON, || async { client.open_cards(channel).await.ok()?.pop() }).await
}

async fn readyz(client: &Client) -> (u16, String) {
    match client.get("/readyz").await {
        Ok((status, body)) => (status, body.as_str().unwrap_or_default().to_owned()),
        Err(why) => (0, why.0),
    }
}

async fn is_ready(client: &Client) {
    eventually("/readyz says 200", SOON, || async { (readyz(client).await.0 == 200).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_one_sqlite_file_is_refused() {
    let (_database, setup) = quiet_bot().await;
    let mut first = setup.start().await;
    let mut second = setup.spawn();
    let ended = second.ended(SOON).await;
    assert_ne!(ended.code, Some(0));
    assert!(second.words().contains("is in use by another drillbot; stop that one first"), "{}", second.words());
    assert!(first.is_running());
    // The lock dies with its owner, however that ended.
    first.kill();
    setup.start().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_one_postgres_do_every_job_once() {
    let Some(database) = Database::postgres().await else { return };
    let setup = crash::rehearsal(&database);
    // At the same moment, on an empty database.
    let (mut one, mut two) = (setup.spawn(), setup.spawn());
    let urls = [one.ready().await, two.ready().await];
    let (left, right) = (crash::People::gather(&["Ann", "Bob"], 1), crash::People::gather(&["Cem", "Dai"], 5));
    left.go_to(&urls[0]);
    right.go_to(&urls[1]);
    // The length of the run, not a wait for anything.
    tokio::time::sleep(Duration::from_secs(15)).await;
    let mut seen = right.stop().await;
    seen.add(crash::finish(&database, left, &urls).await);
    for bot in [&mut one, &mut two] {
        assert_eq!(bot.stop().await.code, Some(0), "{}", bot.words());
        let broken: Vec<String> = bot.log().into_iter().filter(|line| crash::is_alarming(line)).collect();
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }
    let (problems, counted) = crash::check(&database.open().await, &seen).await;
    println!("{counted}");
    let waits: Vec<String> =
        [one.log(), two.log()].concat().into_iter().filter(|line| line.contains("deadlock")).collect();
    assert!(waits.is_empty(), "two processes waited for each other\n{}", waits.join("\n"));
    assert!(problems.is_empty(), "{counted}\n{}\n{}\n{}", problems.join("\n"), one.words(), two.words());
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_it_in_five_seconds_with_streams_open_and_requests_in_flight() {
    let (_database, setup) = quiet_bot().await;
    let mut bot = setup.start().await;
    let url = bot.ready().await;
    let ann = Client::sign_in(&url, "Ann").await.expect("Ann");
    let mut streams = Vec::new();
    for _ in 0..5 {
        let mut stream = ann.send(Method::GET, "/api/events", None).await.expect("a stream").bytes_stream();
        assert!(stream.next().await.is_some_and(|hello| hello.is_ok()));
        streams.push(stream);
    }
    // A request that never becomes whole, and a connection that says nothing.
    let address = url.strip_prefix("http://").expect("http");
    let mut half = TcpStream::connect(address).expect("a connection");
    half.write_all(b"POST /api/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{")
        .expect("half a request");
    let silent = TcpStream::connect(address).expect("a connection");
    let writers = (0..20).map(|n| {
        let ann = ann.clone();
        tokio::spawn(async move { ann.write("daily-drill", None, &format!("hello {n}"), &format!("k{n}")).await })
    });
    let writers: Vec<_> = writers.collect();
    let ended = bot.stop().await;
    assert_eq!(ended.code, Some(0), "{}", bot.words());
    assert!(ended.took < Duration::from_secs(5), "it took {:?}\n{}", ended.took, bot.words());
    drop((half, silent));
    // Who was told that it is done finds it done.
    let mut told = 0;
    for writer in writers {
        told += usize::from(matches!(writer.await.expect("a task"), Ok((201, _))));
    }
    let mut again = setup.start().await;
    let ann = Client::sign_in(&again.ready().await, "Ann").await.expect("Ann");
    assert!(ann.messages("daily-drill").await.expect("messages").len() >= told);
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_right_after_the_ready_line_is_heard() {
    let (_database, setup) = quiet_bot().await;
    for _ in 0..5 {
        let mut bot = setup.start().await;
        assert_eq!(bot.stop().await.code, Some(0), "{}", bot.words());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_survived_and_nothing_that_was_promised_is_lost() {
    let (database, setup) = quiet_bot().await;
    setup.start().await.stop().await;
    // 300 KB for each file, in units of 512 bytes; SIGXFSZ is ignored, so that a write beyond it fails like one on a full disk.
    let setup = setup.around("trap '' XFSZ; ulimit -S -f 600; exec \"$0\" \"$@\"");
    let mut bot = setup.start().await;
    let url = bot.ready().await;
    let ann = Client::sign_in(&url, "Ann").await.expect("Ann");
    let (card, action) = open_question(&ann, "daily-drill").await;
    is_ready(&ann).await;
    let long = "word ".repeat(1_800);
    let mut kept = Vec::new();
    let (key, body) = {
        let mut n = 0;
        loop {
            n += 1;
            assert!(n < 2_000, "the disk does not get full");
            let key = format!("key {n}");
            match ann.write("daily-drill", Some(&card), &format!("{n} {long}"), &key).await {
                Ok((201, _)) => kept.push(n),
                Ok((503, body)) => break (n, body),
                other => panic!("{other:?}\n{}", bot.words()),
            }
        }
    };
    let words = body["error"]["message"].as_str().unwrap_or_default();
    assert!(words.contains("send it again"), "{body}");
    // It stays so, for writes of all kinds, and reading still works.
    for _ in 0..5 {
        let (status, _) = ann.submit("daily-drill", &card, &action, &format!("form {long}")).await.expect("an answer");
        assert_eq!(status, 503);
        assert_eq!(ann.get(&format!("/api/messages/{card}/thread")).await.expect("a thread").0, 200);
    }
    assert!(bot.is_running());
    // Somebody has made room.
    let id = bot.id().to_string();
    let made = std::process::Command::new("prlimit").args(["--pid", &id, "--fsize=unlimited"]).status();
    assert!(made.expect("prlimit, of util-linux").success());
    let (status, body) = ann
        .write("daily-drill", Some(&card), &format!("{key} {long}"), &format!("key {key}"))
        .await
        .expect("an answer");
    assert_eq!((status, body["message"]["mark"].as_str()), (201, Some("noted")), "{body}");
    kept.push(key);
    let (status, body) = ann.submit("daily-drill", &card, &action, "the form").await.expect("an answer");
    assert_eq!((status, body["reply"]["message"]["message"]["summary"].as_str()), (200, Some("Your answer is saved")));
    is_ready(&ann).await;
    let (_, body) = ann.get(&format!("/api/messages/{card}/thread")).await.expect("a thread");
    let texts: Vec<&str> =
        body["messages"].as_array().expect("messages").iter().filter_map(|message| message["text"].as_str()).collect();
    for n in &kept {
        assert_eq!(texts.iter().filter(|text| text.starts_with(&format!("{n} "))).count(), 1, "message {n}");
    }
    assert_eq!(texts.len(), kept.len(), "nothing that was refused stands there");
    assert!(!bot.words().contains("panicked"), "{}", bot.words());
    assert_eq!(bot.stop().await.code, Some(0));
    let mut conn = database.connect().await;
    let row = sqlx::query("pragma integrity_check").fetch_one(&mut conn).await.expect("a check");
    assert_eq!(row.get::<String, _>(0), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_is_waited_for_and_then_said_so() {
    let (database, setup) = quiet_bot().await;
    let mut bot = setup.start().await;
    let ann = Client::sign_in(&bot.ready().await, "Ann").await.expect("Ann");
    let mut other = database.connect().await;
    run(&mut other, "begin exclusive").await;
    // Longer than the five seconds that a write waits.
    let begun = Instant::now();
    let (status, body) = ann.write("daily-drill", None, "hello", "k1").await.expect("an answer");
    assert_eq!(status, 503, "{body}");
    assert!(begun.elapsed() > Duration::from_secs(4), "it gave up after {:?}", begun.elapsed());
    assert_eq!(ann.messages("daily-drill").await.expect("reading goes on").len(), 0);
    // Shorter: nobody notices.
    let (written, ()) = tokio::join!(ann.write("daily-drill", None, "hello", "k1"), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        run(&mut other, "rollback").await;
    });
    assert_eq!(written.expect("an answer").0, 201);
    assert_eq!(ann.messages("daily-drill").await.expect("messages").len(), 1);
    is_ready(&ann).await;
    assert_eq!(bot.stop().await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_named_with_a_way_out() {
    let (_database, setup) = quiet_bot().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let mut bot = setup.with("DRILLBOT_WEB_LISTEN", &address).spawn();
    assert_eq!(bot.ended(SOON).await.code, Some(1));
    let words = bot.words();
    assert!(
        words.contains(&format!("cannot listen on {address}")) && words.contains("DRILLBOT_WEB_LISTEN="),
        "{words}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_ready_soon_and_healthy() {
    let (_database, setup) = quiet_bot().await;
    let begun = Instant::now();
    let mut bot = setup.start().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "ready after {:?}", begun.elapsed());
    let ann = Client::sign_in(&bot.ready().await, "Ann").await.expect("Ann");
    assert_eq!(ann.get("/healthz").await.expect("an answer").0, 200);
    is_ready(&ann).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_asks_at_once_and_reveals_three_seconds_later() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut setup = Setup::new(folder.path(), "", "").argue(&["--demo", "--reveal", "3s"]);
    setup.environment.retain(|(name, _)| name != "DRILLBOT_DATABASE_URL");
    let mut bot = setup.start().await;
    let ann = Client::sign_in(&bot.ready().await, "Ann").await.expect("Ann");
    let begun = Instant::now();
    let (card, _) = eventually("a question is open", Duration::from_secs(3), || async {
        ann.open_cards("daily-drill").await.ok()?.pop()
    })
    .await;
    let (status, body) = ann.write("daily-drill", Some(&card), "Roles hand out rights.", "k").await.expect("an answer");
    assert_eq!((status, body["message"]["mark"].as_str()), (201, Some("noted")));
    let thread = || async {
        let (_, body) = ann.get(&format!("/api/messages/{card}/thread")).await.ok()?;
        let found = body["messages"].as_array()?.iter().filter(|message| message["author"]["bot"] == true).count();
        (found >= 2).then_some(())
    };
    eventually("the reveal is out", SOON, thread).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
    eventually("Ann has her result", SOON, || async {
        let all = ann.messages("daily-drill").await.ok()?;
        all.iter()
            .any(|message| message["message"]["summary"].as_str().is_some_and(|s| s.starts_with("Your result")))
            .then_some(())
    })
    .await;
    assert!(folder.path().join("drillbot-demo.db").exists(), "a demo leaves the real database alone");
    assert!(!folder.path().join("drillbot.db").exists());
}

const BANK: &str = r#"
[topic]
name = "tea"
title = "Tea"

[[question]]
id = "tea-one"
version = 1
prompt = "How long does green tea steep, and why not longer?"
level = "beginner"
kind = "concept"
tracks = ["devops"]
topic = "tea"
model_answer = "Two or three minutes. After that it turns bitter."
hints = ["Think of the taste.", "Minutes, not hours."]
references = ["https://example.org/tea"]
last_reviewed = 2026-11-21
review_after_days = 180
status = "current"

[[question.key_points]]
text = "Two or three minutes"
weight = 2
all_of = [["two", "three"], ["minutes"]]

[[question.key_points]]
text = "It turns bitter"
weight = 1
all_of = [["bitter"]]
"#;

fn topics(page: &Value) -> bool {
    page["suggestions"]
        .as_array()
        .is_some_and(|all| all.iter().any(|one| one["insert"].as_str() == Some("/drill tea ")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_bank_is_picked_up_and_a_broken_one_refused() {
    let (database, setup) = quiet_bot().await;
    let bank = database.folder().join("bank");
    std::fs::create_dir(&bank).expect("a folder");
    std::fs::write(bank.join("tea.toml"), BANK).expect("a bank");
    let mut bot = setup.with("DRILLBOT_CONTENT_PATHS", "bank").start().await;
    let ann = Client::sign_in(&bot.ready().await, "Ann").await.expect("Ann");
    let drill = |key: String| {
        let ann = ann.clone();
        async move {
            let (_, body) = ann.write("daily-drill", None, "/drill tea 1", &key).await.ok()?;
            Some(body.to_string())
        }
    };
    assert!(drill("d0".into()).await.expect("a drill").contains("How long does green tea steep"));
    let (_, page) = ann.get("/api/complete?channel=daily-drill&text=%2Fdrill%20te").await.expect("suggestions");
    assert!(topics(&page) || page.to_string().contains("tea"), "{page}");

    std::fs::write(bank.join("tea.toml"), BANK.replace("green tea", "black tea")).expect("a bank");
    let mut n = 0;
    eventually("the changed bank is in force", SOON, || {
        n += 1;
        let reply = drill(format!("d{n}"));
        async move { reply.await?.contains("black tea").then_some(()) }
    })
    .await;

    std::fs::write(bank.join("tea.toml"), BANK.replace("weight = 2", "wieght = 2")).expect("a bank");
    eventually("the broken bank is refused", SOON, || async {
        bot.log().iter().any(|line| line.contains("the changed banks were refused")).then_some(())
    })
    .await;
    assert!(bot.log().iter().any(|line| line.contains("tea.toml:")), "{}", bot.words());
    assert!(drill("e".into()).await.expect("a drill").contains("black tea"), "the last good one stays");

    std::fs::write(bank.join("tea.toml"), BANK.replace("green tea", "white tea")).expect("a bank");
    eventually("the mended bank is in force", SOON, || {
        n += 1;
        let reply = drill(format!("f{n}"));
        async move { reply.await?.contains("white tea").then_some(()) }
    })
    .await;
    assert_eq!(bot.stop().await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn json_logs_name_what_happened_but_no_words_and_no_tokens() {
    const TOKEN: &str = "correct horse battery staple";
    let (_database, setup) = quiet_bot().await;
    let setup = setup
        .with("DRILLBOT_LOG_FORMAT", "json")
        .with("DRILLBOT_LOG_LEVEL", "trace")
        .with("DRILLBOT_WEB_LISTEN", "0.0.0.0:0")
        .with("DRILLBOT_WEB_ORGANISERS", "Ann")
        .with("DRILLBOT_WEB_ACCESS_TOKEN", TOKEN);
    let mut bot = setup.start().await;
    let url = bot.ready().await.replace("0.0.0.0", "127.0.0.1");
    assert!(Client::sign_in(&url, "Eve").await.is_err(), "without the token");
    let ann = Client::sign_in_with(&url, "Ann", TOKEN).await.expect("Ann");
    let (card, action) = open_question(&ann, "daily-drill").await;
    let secret = "xylophone-of-my-own-words";
    assert_eq!(ann.write("daily-drill", Some(&card), secret, "k1").await.expect("an answer").0, 201);
    assert_eq!(
        ann.submit("daily-drill", &card, &action, &format!("{secret} in a form")).await.expect("an answer").0,
        200
    );
    assert_eq!(ann.write("daily-drill", None, &format!("/drill {secret}"), "k2").await.expect("an answer").0, 200);
    assert_eq!(ann.write("daily-drill", None, "/daily reveal", "k3").await.expect("an answer").0, 200);
    eventually("the reveal is out", SOON, || async {
        let (_, body) = ann.get(&format!("/api/messages/{card}/thread")).await.ok()?;
        body.to_string().contains("Key points").then_some(())
    })
    .await;
    assert_eq!(bot.stop().await.code, Some(0), "{}", bot.words());
    let log = bot.log();
    assert!(!log.is_empty());
    for line in &log {
        let read: Result<Value, _> = serde_json::from_str(line);
        assert!(read.is_ok_and(|line| line["level"].is_string() && line["timestamp"].is_string()), "no JSON: {line}");
        for hidden in [secret, TOKEN, ann.cookie_value()] {
            assert!(!line.contains(hidden), "{hidden:?} stands in the log: {line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_goes_away_and_comes_back_costs_nothing_but_time() {
    if setting("DRILLBOT_TEST_POSTGRES").is_none() && setting("DRILLBOT_TEST_SKIP_POSTGRES").is_some() {
        return;
    }
    // A server of our own, because others use the one that was given.
    let server = Server::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut bot = Setup::new(folder.path(), &server.url, QUIET).start().await;
    let ann = Client::sign_in(&bot.ready().await, "Ann").await.expect("Ann");
    let (card, _) = open_question(&ann, "daily-drill").await;
    is_ready(&ann).await;
    server.stop();
    let (status, body) = ann.write("daily-drill", Some(&card), "an answer", "k1").await.expect("an answer");
    assert_eq!(status, 503, "{body}\n{}", bot.words());
    assert!(body["error"]["message"].as_str().is_some_and(|words| words.contains("again")), "{body}");
    eventually("/readyz says why", SOON, || async {
        let (status, words) = readyz(&ann).await;
        (status == 503 && words.contains("the database does not answer")).then_some(())
    })
    .await;
    assert_eq!(ann.get("/healthz").await.expect("an answer").0, 200);
    server.resume();
    let (_, body) = eventually("the same request succeeds", Duration::from_secs(30), || async {
        ann.write("daily-drill", Some(&card), "an answer", "k1").await.ok().filter(|(status, _)| *status == 201)
    })
    .await;
    assert_eq!(body["message"]["mark"], "noted");
    is_ready(&ann).await;
    let (_, body) = ann.get(&format!("/api/messages/{card}/thread")).await.expect("a thread");
    assert_eq!(body["messages"].as_array().map(Vec::len), Some(1), "once, however often it was sent");
    // Gone for good: it still ends when it is told to.
    server.stop();
    let ended = bot.stop().await;
    assert_eq!(ended.code, Some(0), "{}", bot.words());
    assert!(ended.took < Duration::from_secs(5), "it took {:?}", ended.took);
    let broken: Vec<String> = bot.log().into_iter().filter(|line| crash::is_alarming(line)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_when_postgres_crashes_four_times_under_load() {
    if setting("DRILLBOT_TEST_POSTGRES").is_none() && setting("DRILLBOT_TEST_SKIP_POSTGRES").is_some() {
        return;
    }
    let server = Server::start();
    let database = Database::at(&server.url);
    let mut bot = crash::rehearsal(&database).start().await;
    let people = crash::People::gather(&["Ann", "Bob", "Cem"], 3);
    people.go_to(&bot.ready().await);
    for _ in 0..4 {
        // The rhythm of the outages, not a wait for anything.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        server.stop();
        tokio::time::sleep(Duration::from_millis(700)).await;
        server.resume();
    }
    let urls = [bot.ready().await];
    let seen = crash::finish(&database, people, &urls).await;
    assert_eq!(bot.stop().await.code, Some(0), "{}", bot.words());
    let (problems, counted) = crash::check(&database.open().await, &seen).await;
    println!("{counted}");
    let broken: Vec<String> = bot.log().into_iter().filter(|line| crash::is_alarming(line)).collect();
    assert!(problems.is_empty() && broken.is_empty(), "{counted}\n{}\n{}", problems.join("\n"), broken.join("\n"));
}

/// A PostgreSQL of this test alone.
struct Server {
    folder: tempfile::TempDir,
    url: String,
}

impl Server {
    fn start() -> Server {
        let folder = tempfile::tempdir().expect("a folder");
        let url = Server::script("start", folder.path());
        Server { folder, url: url.trim().to_owned() }
    }

    fn script(what: &str, folder: &Path) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres.sh");
        let output = std::process::Command::new(script).arg(what).arg(folder).output().expect("tests/postgres.sh");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn stop(&self) {
        Server::script("halt", self.folder.path());
    }

    fn resume(&self) {
        Server::script("resume", self.folder.path());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        Server::script("stop", self.folder.path());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_and_a_real_bot_never_share_a_database() {
    let (_database, setup) = quiet_bot().await;
    setup.start().await.stop().await;
    let mut rehearsal = setup.clone().argue(&["--speed", "60"]).spawn();
    assert_eq!(rehearsal.ended(SOON).await.code, Some(1));
    assert!(rehearsal.words().contains("this database is a real one"), "{}", rehearsal.words());

    let (_other, setup) = quiet_bot().await;
    setup.clone().argue(&["--speed", "60"]).start().await.stop().await;
    let mut real = setup.spawn();
    assert_eq!(real.ended(SOON).await.code, Some(1));
    assert!(real.words().contains("belongs to a rehearsal"), "{}", real.words());
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_on_the_wire_disturbs_nobody() {
    let (_database, setup) = quiet_bot().await;
    let mut bot = setup.start().await;
    let url = bot.ready().await;
    let address = url.strip_prefix("http://").expect("http");
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n\r\n\r\n",
        b"GET /%ff%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let mut connection = TcpStream::connect(address).expect("a connection");
        connection.set_read_timeout(Some(Duration::from_secs(2))).expect("a timeout");
        connection.write_all(garbage).expect("a write");
        let _ = connection.shutdown(std::net::Shutdown::Write);
        let _ = connection.read(&mut [0; 256]);
    }
    let ann = Client::sign_in(&url, "Ann").await.expect("Ann");
    is_ready(&ann).await;
    assert!(!bot.words().contains("panicked"), "{}", bot.words());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_private_answer_is_quoted_at_the_reveal() {
    let (database, setup) = quiet_bot().await;
    std::fs::write(database.folder().join("tea.toml"), BANK).expect("a bank");
    let setup = setup
        .with("DRILLBOT_CONTENT_PATHS", "tea.toml")
        .with("DRILLBOT_CONTENT_EMBEDDED", "false")
        .with("DRILLBOT_DAILY_ANSWERS", "private");
    let mut bot = setup.start().await;
    let url = bot.ready().await;
    let ann = Client::sign_in(&url, "Ann").await.expect("Ann");
    let (card, action) = open_question(&ann, "daily-drill").await;
    // Two long wrong answers and a short right one, again and again: in the order they come they fill whole messages; the best first
    // they need one message more.
    let mut wanted = Vec::new();
    for n in 0..12 {
        let member = Client::sign_in(&url, &format!("Member {n:02}")).await.expect("a member");
        let text = if n % 3 == 2 {
            format!("answer-{n:02} Steep it two or three minutes, or it is bitter. {}", "Yes. ".repeat(30))
        } else {
            format!("answer-{n:02} {}", "Nobody knows. ".repeat(60))
        };
        assert_eq!(member.submit("daily-drill", &card, &action, &text).await.expect("an answer").0, 200);
        wanted.push(format!("answer-{n:02}"));
    }
    assert_eq!(ann.write("daily-drill", None, "/daily reveal", "r").await.expect("an answer").0, 200);
    eventually("all results are out", SOON, || async {
        let mut conn = database.connect().await;
        let sql = "select count(*) as n from outbox where state <> 'sent'";
        let left: i64 = sqlx::query(sql).fetch_one(&mut conn).await.ok()?.get("n");
        let (_, body) = ann.get(&format!("/api/messages/{card}/thread")).await.ok()?;
        (left == 0 && body.to_string().contains("What people answered")).then_some(())
    })
    .await;
    let (_, body) = ann.get(&format!("/api/messages/{card}/thread")).await.expect("a thread");
    let text = body["messages"].to_string();
    let missing: Vec<&String> = wanted.iter().filter(|answer| !text.contains(*answer)).collect();
    assert!(missing.is_empty(), "{missing:?} are not quoted");
}

#[tokio::test(flavor = "multi_thread")]
async fn running_out_of_file_descriptors_is_survived() {
    let (_database, setup) = quiet_bot().await;
    let mut bot = setup.around("ulimit -n 48; exec \"$0\" \"$@\"").start().await;
    let url = bot.ready().await;
    let address = url.strip_prefix("http://").expect("http");
    let crowd: Vec<TcpStream> = (0..80).map(|_| TcpStream::connect(address).expect("a connection")).collect();
    let mut last = crowd.last().expect("a connection").try_clone().expect("a clone");
    last.set_read_timeout(Some(Duration::from_millis(300))).expect("a timeout");
    last.write_all(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").expect("a request");
    assert!(last.read(&mut [0; 16]).is_err(), "the last of them is not served, so there was a shortage");
    drop((crowd, last));
    let ann = eventually("Ann can sign in", SOON, || async { Client::sign_in(&url, "Ann").await.ok() }).await;
    is_ready(&ann).await;
    assert!(bot.is_running() && !bot.words().contains("panicked"), "{}", bot.words());
}
