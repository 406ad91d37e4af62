//! The promise of the outbox, kept by the real binary: killed at any moment, it posts each thing once and loses no answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use drillbot::domain::answer::{Part, assemble};
use drillbot::domain::ids::{ChannelId, MemberId, RoundId};
use drillbot::domain::round::{Round, State};
use drillbot::domain::schedule::AnswerMode;
use drillbot::store::{Store, answers, channels, outbox, rounds, scores, standings};
use futures_util::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use sqlx::Row;
use tokio::sync::watch;

use crate::support::{Chance, Client, Database, Kind, NoAnswer, Setup, eventually};

/// How long a start may take.
const START_WITHIN: Duration = Duration::from_secs(20);
/// How long it takes where nothing else runs.
const USUAL_START: Duration = Duration::from_millis(200);
const HOUR_MS: i64 = 3_600_000;
/// Channels with the minute of their hourly question: a reveal very soon, within the hour, and later than the next three questions.
pub const CHANNELS: [(&str, i64); 3] = [("short", 0), ("half", 30), ("long", 15)];

pub const SETTINGS: &str = r#"
[web]
organisers = ["Olga"]
[delivery]
lease_seconds = 1
[daily]
zone = "UTC"
catch_up = "30d"
[[channels]]
platform = "web"
name = "short"
[[channels.schedules]]
cron = "0 * * * *"
reveal = "20m"
[[channels]]
platform = "web"
name = "half"
[[channels.schedules]]
cron = "30 * * * *"
reveal = "45m"
answers = "thread"
[[channels]]
platform = "web"
name = "long"
[[channels.schedules]]
cron = "15 * * * *"
reveal = "4h"
answers = "private"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_when_the_bot_is_killed_a_hundred_times_on_sqlite() {
    survive(Kind::Sqlite, 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_when_the_bot_is_killed_sixty_times_on_postgres() {
    survive(Kind::Postgres, 60).await;
}

async fn survive(kind: Kind, kills: usize) {
    let Some(database) = Database::of(kind).await else { return };
    let seed = Chance::seed();
    println!("DRILLBOT_TEST_SEED={seed} repeats the choices of this run");
    let mut chance = Chance::new(seed);
    let setup = rehearsal(&database);
    let people = People::gather(&["Ann", "Bob", "Cem", "Dai"], seed);

    let mut before_ready = 0;
    for kill in 0..kills {
        let mut bot = setup.spawn();
        // Some of them early, where the start and the catching up are.
        let early = chance.between(0, 3) == 0;
        let usual = if kind == Kind::Sqlite { 900 } else { 1_400 };
        let lifetime = Duration::from_millis(chance.between(5, if early { 150 } else { usual }));
        let begun = Instant::now();
        let mut ready: Option<Instant> = None;
        loop {
            // A machine that is busy with other things is slow to start it, and as slow at everything else.
            let until = match ready {
                _ if early => begun + lifetime,
                None => begun + START_WITHIN,
                Some(ready) => ready + lifetime + 2 * (ready - begun).saturating_sub(USUAL_START),
            };
            if Instant::now() >= until {
                break;
            }
            if ready.is_none()
                && let Some(url) = bot.url()
            {
                people.go_to(&url);
                ready = Some(Instant::now());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert!(bot.is_running(), "the bot has ended by itself before kill {kill}\n{}", bot.words());
        before_ready += usize::from(ready.is_none());
        bot.kill();
        let broken: Vec<String> = bot.log().into_iter().filter(|line| is_alarming(line)).collect();
        assert!(broken.is_empty(), "before kill {kill} the log said\n{}", broken.join("\n"));
    }

    let mut bot = setup.start().await;
    people.go_to(&bot.ready().await);
    let seen = finish(&database, people, &[bot.ready().await]).await;
    let ended = bot.stop().await;
    assert_eq!(ended.code, Some(0), "{}", bot.words());

    let store = database.open().await;
    let (problems, counted) = check(&store, &seen).await;
    println!("{kills} kills, {before_ready} of them before it was ready; {counted}");
    assert!(problems.is_empty(), "seed {seed}, {kills} kills; {counted}\n{}\n{}", problems.join("\n"), bot.words());
}

/// What no kill explains.
pub fn is_alarming(line: &str) -> bool {
    line.contains("panicked") || line.contains("a request failed") || line.contains("has ended")
}

/// Bot time runs so fast that an hour takes two seconds; on PostgreSQL four, because there a kill costs up to a lease of one second.
fn speed_on(database: &Database) -> &'static str {
    if database.url.starts_with("sqlite:") { "1800" } else { "900" }
}

/// Of two banks only, so that a start, of which there are hundreds, is mostly not the reading of questions.
pub fn rehearsal(database: &Database) -> Setup {
    let content = concat!(env!("CARGO_MANIFEST_DIR"), "/content");
    let banks = format!("paths = ['{content}/terraform.toml', '{content}/mlops-serving.toml']");
    let settings = format!("{SETTINGS}\n[content]\nembedded = false\n{banks}\n");
    Setup::new(database.folder(), &database.url, &settings).argue(&["--speed", speed_on(database)])
}

/// Lets everything that is open come to its reveal: the people finish what they are at, the schedules are paused, and the outbox runs
/// empty. What the people know in the end.
pub async fn finish(database: &Database, people: People, urls: &[String]) -> Seen {
    let (watcher, mut seen) = people.leave().await;
    let url = urls.first().expect("an address");
    let olga = Client::sign_in(url, "Olga").await.expect("Olga signs in");
    let mut conn = database.connect().await;
    let now = || async { olga.get("/api/session").await.ok()?.1["now"].as_i64() };
    // After an outage it may still be catching up.
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < Duration::from_secs(30), "questions are due, and nobody has opened them for 30 s");
        let row =
            sqlx::query("select min(next_at) as due from schedules").fetch_one(&mut conn).await.expect("schedules");
        if let Some(now) = now().await.filter(|now| row.get::<i64, _>("due") > now - 5 * 60_000) {
            seen.paused_after = now;
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for (channel, _) in CHANNELS {
        let (status, body) =
            olga.write(channel, None, "/daily pause", &format!("pause {channel}")).await.expect("a reply");
        assert_eq!(status, 200, "{body}");
    }
    let mut left = String::new();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(40) {
        let sql = "select (select count(*) from rounds where state in ('open', 'closing')) as rounds,
                          (select count(*) from outbox where state in ('pending', 'sending')) as deliveries,
                          (select count(*) from rounds where touched > shown and state = 'open') as cards";
        let row = sqlx::query(sql).fetch_one(&mut conn).await.expect("counts");
        let count = |name: &str| row.get::<i64, _>(name);
        if count("rounds") + count("deliveries") + count("cards") == 0 {
            left.clear();
            break;
        }
        left = format!("{} rounds and {} deliveries are still on their way", count("rounds"), count("deliveries"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(left.is_empty(), "{left} 40 s after the last question");
    let newest: i64 = sqlx::query("select max(rev) as newest from web_messages where audience = ''")
        .fetch_one(&mut conn)
        .await
        .expect("the newest rev")
        .get("newest");
    seen.feed = watcher.until(newest).await;
    seen
}

/// What was promised to the people: checked against the database at the end.
#[derive(Default)]
pub struct Seen {
    /// Thread messages that were marked as noted: (thread, message, member, text).
    noted: Vec<(String, String, MemberId, String)>,
    /// Forms in the order they were sent, with whether the reply said "saved".
    forms: BTreeMap<(RoundId, MemberId), Vec<(String, bool)>>,
    /// The highest hint that was shown.
    hints: BTreeMap<(RoundId, MemberId), i64>,
    /// Everything written, each text once.
    written: Vec<String>,
    /// The newest rev of each message that the event stream told of.
    feed: BTreeMap<String, i64>,
    paused_after: i64,
}

impl Seen {
    /// What others know, who were with another process.
    pub fn add(&mut self, other: Seen) {
        self.noted.extend(other.noted);
        self.forms.extend(other.forms);
        self.hints.extend(other.hints);
        self.written.extend(other.written);
        self.feed.extend(other.feed);
        self.paused_after = self.paused_after.max(other.paused_after);
    }
}

/// People who answer all the time, whatever happens to the bot.
pub struct People {
    address: watch::Sender<String>,
    leave: Arc<AtomicBool>,
    members: Vec<tokio::task::JoinHandle<Seen>>,
    watcher: Watcher,
}

impl People {
    pub fn gather(names: &[&'static str], seed: u64) -> People {
        let (address, from) = watch::channel(String::new());
        let leave = Arc::new(AtomicBool::new(false));
        let members = names
            .iter()
            .zip(seed..)
            .map(|(name, seed)| tokio::spawn(member(name, Chance::new(seed), from.clone(), leave.clone())))
            .collect();
        let watcher = Watcher::begin(from);
        People { address, leave, members, watcher }
    }

    pub fn go_to(&self, url: &str) {
        self.address.send_replace(url.to_owned());
    }

    /// They finish what they are at; nobody asks them for more.
    pub async fn stop(self) -> Seen {
        let (watcher, seen) = self.leave().await;
        watcher.task.abort();
        seen
    }

    async fn leave(self) -> (Watcher, Seen) {
        self.leave.store(true, Ordering::SeqCst);
        let mut all = Seen::default();
        for member in self.members {
            let one = member.await.expect("a member who does not break down");
            all.add(one);
        }
        // The watcher goes on with this address.
        let mut watcher = self.watcher;
        watcher.address = Some(self.address);
        (watcher, all)
    }
}

/// The call is repeated until it is answered: by the same words with the same key, at the address of the day.
async fn insist<F>(client: &mut Client, address: &watch::Receiver<String>, call: impl Fn(Client) -> F) -> (u16, Value)
where
    F: Future<Output = Result<(u16, Value), NoAnswer>>,
{
    let begun = Instant::now();
    loop {
        client.move_to(&address.borrow().clone());
        match call(client.clone()).await {
            Ok((status, body)) if status != 503 => return (status, body),
            Ok((_, body)) => assert!(begun.elapsed() < Duration::from_secs(60), "503 for a minute: {body}"),
            Err(NoAnswer(why)) => assert!(begun.elapsed() < Duration::from_secs(60), "no answer for a minute: {why}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn arrive(name: &str, address: &watch::Receiver<String>) -> Client {
    eventually(&format!("{name} could sign in"), Duration::from_secs(60), || async {
        let url = address.borrow().clone();
        if url.is_empty() { None } else { Client::sign_in(&url, name).await.ok() }
    })
    .await
}

async fn member(
    name: &'static str,
    mut chance: Chance,
    address: watch::Receiver<String>,
    leave: Arc<AtomicBool>,
) -> Seen {
    let mut me = arrive(name, &address).await;
    let id = MemberId::new(me.id.as_str());
    let mut seen = Seen::default();
    let mut turn = 0;
    while !leave.load(Ordering::SeqCst) {
        turn += 1;
        let (channel, _) = *chance.pick(&CHANNELS).expect("channels");
        let (_, page) = insist(&mut me, &address, |me| async move {
            me.get(&format!("/api/channels/{channel}/messages?limit=20")).await
        })
        .await;
        let messages = page["messages"].as_array().cloned().unwrap_or_default();
        let cards: Vec<(String, Vec<String>)> = messages.iter().filter_map(card).collect();
        let Some((card, actions)) = chance.pick(&cards).cloned() else {
            tokio::time::sleep(Duration::from_millis(15)).await;
            continue;
        };
        let round = RoundId::new(actions[0].split_once(':').expect("an action with a round").1);
        let text = format!("{name} says {turn}: attach a role, apply the plan, drain the node");
        match actions.iter().find(|action| action.starts_with("answer:")) {
            Some(action) if chance.between(0, 2) == 0 => {
                // Long and short ones, which fill the messages of a reveal differently.
                let more = usize::try_from(chance.between(0, 50)).expect("a small number");
                let text = text + &" and say why".repeat(more);
                seen.written.push(text.clone());
                let (_, body) = insist(&mut me, &address, |me| {
                    let (card, action, text) = (card.clone(), action.clone(), text.clone());
                    async move { me.submit(channel, &card, &action, &text).await }
                })
                .await;
                let saved = body["reply"]["message"]["message"]["summary"] == "Your answer is saved";
                seen.forms.entry((round, id.clone())).or_default().push((text, saved));
            }
            _ if chance.between(0, 5) == 0 => {
                let (_, body) = insist(&mut me, &address, |me| {
                    let (card, action) = (card.clone(), format!("hint:{round}"));
                    async move { me.press(channel, &card, &action).await }
                })
                .await;
                let summary = body["reply"]["message"]["message"]["summary"].as_str().unwrap_or_default();
                if let Some(step) = summary.strip_prefix("Hint ").and_then(|rest| rest.split(':').next()?.parse().ok())
                {
                    let most = seen.hints.entry((round, id.clone())).or_default();
                    *most = (*most).max(step);
                }
            }
            _ => {
                seen.written.push(text.clone());
                let key = format!("{name} {turn}");
                let (status, body) = insist(&mut me, &address, |me| {
                    let (card, text, key) = (card.clone(), text.clone(), key.clone());
                    async move { me.write(channel, Some(&card), &text, &key).await }
                })
                .await;
                assert_eq!(status, 201, "{body}");
                if body["message"]["mark"] == "noted" {
                    let message = body["message"]["id"].as_str().expect("an id").to_owned();
                    seen.noted.push((card, message, id.clone(), text));
                }
            }
        }
    }
    seen
}

/// An open card: its message and what its buttons do.
fn card(message: &Value) -> Option<(String, Vec<String>)> {
    let buttons = message["message"]["buttons"].as_array()?;
    let actions: Vec<String> =
        buttons.iter().filter_map(|button| button["action"].as_str()).map(ToOwned::to_owned).collect();
    let open = actions.iter().any(|action| action.starts_with("answer:") || action.starts_with("hint:"));
    open.then(|| Some((message["id"].as_str()?.to_owned(), actions)))?
}

/// Somebody with the page open, who writes nothing: the event stream has to tell them everything.
struct Watcher {
    feed: watch::Receiver<(i64, BTreeMap<String, i64>)>,
    task: tokio::task::JoinHandle<()>,
    /// Kept so that the task can go on asking where the bot is.
    address: Option<watch::Sender<String>>,
}

impl Watcher {
    fn begin(address: watch::Receiver<String>) -> Watcher {
        let (tell, feed) = watch::channel((0, BTreeMap::new()));
        let task = tokio::spawn(async move {
            let mut me = arrive("Wim", &address).await;
            loop {
                me.move_to(&address.borrow().clone());
                let after = tell.borrow().0;
                let asked = me.send(Method::GET, &format!("/api/events?after={after}"), None).await;
                if let Some(stream) = asked.ok().filter(|stream| stream.status() == StatusCode::OK) {
                    listen(stream, &tell).await;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        Watcher { feed, task, address: None }
    }

    /// Everything that was told, once it has come to `rev`.
    async fn until(mut self, rev: i64) -> BTreeMap<String, i64> {
        let there = self.feed.wait_for(|(told, _)| *told >= rev);
        let came = matches!(tokio::time::timeout(Duration::from_secs(20), there).await, Ok(Ok(_)));
        let (told, all) = self.feed.borrow().clone();
        assert!(came, "the event stream has not come to rev {rev}, only to {told}");
        self.task.abort();
        all
    }
}

async fn listen(stream: reqwest::Response, tell: &watch::Sender<(i64, BTreeMap<String, i64>)>) {
    let mut stream = stream.bytes_stream();
    let mut text = Vec::new();
    while let Some(Ok(bytes)) = stream.next().await {
        text.extend_from_slice(&bytes);
        while let Some(end) = text.windows(2).position(|two| two == b"\n\n") {
            let event = String::from_utf8(text.drain(..end + 2).collect()).expect("UTF-8");
            let data = event.lines().find_map(|line| line.strip_prefix("data: "));
            let Some(message) = data.filter(|_| event.contains("event: message")) else { continue };
            let message: Value = serde_json::from_str(message).expect("JSON");
            let rev = message["rev"].as_i64().expect("a rev");
            if message["private"] == true {
                continue;
            }
            tell.send_modify(|(last, all)| {
                assert!(rev > *last, "rev {rev} came after {last}");
                *last = rev;
                all.insert(message["id"].as_str().expect("an id").to_owned(), rev);
            });
        }
    }
}

struct Message {
    id: String,
    seq: i64,
    rev: i64,
    channel: String,
    thread: Option<String>,
    bot: bool,
    audience: String,
    body: String,
    dedup: String,
}

async fn all_messages(store: &Store) -> Vec<Message> {
    let sql =
        "select id, seq, rev, channel_id, thread, author_id, audience, body, dedup from web_messages order by seq";
    let rows = store
        .read("read all messages", |conn| Box::pin(async move { Ok(sqlx::query(sql).fetch_all(conn).await?) }))
        .await
        .expect("messages");
    let read = |row: &sqlx::any::AnyRow| Message {
        id: row.get("id"),
        seq: row.get("seq"),
        rev: row.get("rev"),
        channel: row.get("channel_id"),
        thread: row.get("thread"),
        bot: row.get::<Option<String>, _>("author_id").is_none(),
        audience: row.get("audience"),
        body: row.get("body"),
        dedup: row.get("dedup"),
    };
    rows.iter().map(read).collect()
}

/// Every promise, against what the database holds: what is broken, and how much there was.
pub async fn check(store: &Store, seen: &Seen) -> (Vec<String>, String) {
    let mut problems = Vec::new();
    let messages = all_messages(store).await;
    let (mut revealed, mut expired, mut scored) = (0, 0, 0);
    for (name, minute) in CHANNELS {
        let channel = ChannelId::new(format!("web:{name}"));
        let at = channel.clone();
        let (created_at, mut all) = store
            .read("read rounds", move |conn| {
                Box::pin(async move {
                    let row = sqlx::query("select created_at from channels where id = $1").bind(at.to_string());
                    let created: i64 = row.fetch_one(&mut *conn).await?.get("created_at");
                    assert!(channels::get(conn, &at).await?.is_some());
                    Ok((created, rounds::of_channel(conn, &at, i64::MAX).await?))
                })
            })
            .await
            .expect("rounds");
        all.sort_by(|a, b| a.slot.cmp(&b.slot));
        problems.extend(check_slots(name, minute, created_at, seen.paused_after, &all));
        problems.extend(check_cards(name, &channel, &all, &messages));
        for round in &all {
            match round.state {
                State::Revealed => revealed += 1,
                // Its card could not be out before its reveal was due, which is said and counted. Never where there is time enough and
                // a new process takes over at once.
                State::Missed if round.message.is_none() && (name != "long" || !store.is_exclusive()) => {
                    expired += 1;
                    let told = |m: &Message| m.audience == "organisers" && m.channel == channel.as_str();
                    if !messages.iter().any(|m| told(m) && m.body.contains(&round.slot.replace('T', " "))) {
                        problems.push(format!("{name} {}: nobody was told that it expired", round.slot));
                    }
                    continue;
                }
                _ => {
                    problems.push(format!("{name} {}: it is {:?} ({})", round.slot, round.state, round.reason));
                    continue;
                }
            }
            problems.extend(check_reveal(round, &messages));
            if round.answers == AnswerMode::Private {
                problems.extend(check_quotes(store, round, &messages).await);
            }
            let (wrong, members) = check_answers(store, round, &messages, seen).await;
            problems.extend(wrong);
            scored += members;
        }
        let numbers: BTreeSet<i64> = all.iter().map(|round| round.number).filter(|number| *number > 0).collect();
        let wanted: BTreeSet<i64> = (1..).take(all.iter().filter(|r| r.state == State::Revealed).count()).collect();
        if numbers != wanted {
            problems.push(format!("{name}: the numbers of the questions are {numbers:?}"));
        }
    }
    problems.extend(check_written(seen, &messages));
    for message in messages.iter().filter(|message| message.audience.is_empty()) {
        match seen.feed.get(&message.id) {
            Some(rev) if *rev == message.rev => {}
            told => {
                problems.push(format!("message {} has rev {}; the stream told {told:?}", message.dedup, message.rev))
            }
        }
    }
    for state in ["pending", "sending", "failed"] {
        let rows = store.read("read the outbox", move |conn| Box::pin(outbox::in_state(conn, state))).await;
        problems.extend(rows.expect("rows").iter().map(|(id, why)| format!("the delivery {id} is {state}: {why}")));
    }
    let differences = store.read("recount", |conn| Box::pin(standings::differences(conn))).await.expect("a recount");
    problems.extend(differences.into_iter().map(|difference| format!("standings differ: {difference}")));
    let counted = format!(
        "{revealed} rounds revealed, {expired} expired, {scored} answers scored, {} noted messages, {} forms, {} messages in all",
        seen.noted.len(),
        seen.forms.values().map(Vec::len).sum::<usize>(),
        messages.len()
    );
    if expired > revealed {
        problems.push(format!("too many questions expired: {counted}"));
    }
    if scored < 10 || revealed < 10 {
        problems.push(format!("too little happened for this test to say anything: {counted}"));
    }
    (problems, counted)
}

/// Every hour from the first to the pause has exactly one round.
fn check_slots(name: &str, minute: i64, created_at: i64, paused_after: i64, all: &[Round]) -> Vec<String> {
    let mut problems = Vec::new();
    let first = (created_at - minute * 60_000).div_euclid(HOUR_MS) * HOUR_MS + HOUR_MS + minute * 60_000;
    let mut wanted = first;
    let mut slots = all.iter().map(|round| {
        let local: jiff::civil::DateTime = round.slot.parse().expect("a slot");
        local.to_zoned(jiff::tz::TimeZone::UTC).expect("a time").timestamp().as_millisecond()
    });
    for slot in &mut slots {
        while wanted < slot {
            problems
                .push(format!("{name}: no round for {}", jiff::Timestamp::from_millisecond(wanted).expect("a time")));
            wanted += HOUR_MS;
        }
        if slot < wanted {
            problems.push(format!(
                "{name}: a second round for {}",
                jiff::Timestamp::from_millisecond(slot).expect("a time")
            ));
            continue;
        }
        wanted += HOUR_MS;
    }
    // The pause may come in front of the tick that would have opened the last one.
    if wanted < paused_after - 10 * 60_000 {
        problems.push(format!("{name}: rounds end {} minutes before the pause", (paused_after - wanted) / 60_000));
    }
    problems
}

/// What everybody sees in the channel is one card a round, and nothing else.
fn check_cards(name: &str, channel: &ChannelId, all: &[Round], messages: &[Message]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut cards: BTreeMap<&str, Vec<&Message>> = BTreeMap::new();
    for message in messages {
        if message.channel == channel.as_str() && message.bot && message.thread.is_none() && message.audience.is_empty()
        {
            cards.entry(message.dedup.as_str()).or_default().push(message);
        }
    }
    for round in all {
        let found = cards.remove(format!("question:{}", round.id).as_str()).unwrap_or_default();
        let wanted = usize::from(round.state != State::Missed);
        if found.len() != wanted {
            problems.push(format!("{name} {}: {} cards, {wanted} wanted", round.slot, found.len()));
        }
        for card in found {
            if round.message.as_ref().map(|id| id.as_str()) != Some(card.id.as_str()) {
                problems.push(format!("{name} {}: its card is {}, it knows {:?}", round.slot, card.id, round.message));
            }
            if !card.body.contains("Closed") {
                problems.push(format!("{name} {}: its card still looks open", round.slot));
            }
        }
    }
    problems.extend(cards.keys().map(|dedup| format!("{name}: a message that nobody asked for: {dedup}")));
    problems
}

/// The thread has each part of the reveal once, in order, behind the card.
fn check_reveal(round: &Round, messages: &[Message]) -> Vec<String> {
    let thread = round.thread.as_ref().map(|thread| thread.as_str());
    let card = messages.iter().find(|message| Some(message.id.as_str()) == thread);
    let posted: Vec<&Message> =
        messages.iter().filter(|m| m.bot && m.thread.as_deref() == thread && m.audience.is_empty()).collect();
    let found: Vec<&str> = posted.iter().map(|message| message.dedup.as_str()).collect();
    let wanted: Vec<String> = (0..round.parts)
        .map(|part| if part == 0 { format!("reveal:{}", round.id) } else { format!("reveal:{}:{part}", round.id) })
        .collect();
    let mut problems = Vec::new();
    if found != wanted || wanted.is_empty() {
        problems.push(format!("{} {}: the reveal has {found:?}, not {wanted:?}", round.channel, round.slot));
    }
    if posted.first().is_some_and(|first| card.is_none_or(|card| first.seq < card.seq)) {
        problems.push(format!("{} {}: the reveal came before its question", round.channel, round.slot));
    }
    problems
}

/// The reveal of private answers shows each of them, but those that are nearly somebody else's.
async fn check_quotes(store: &Store, round: &Round, messages: &[Message]) -> Vec<String> {
    let id = round.id.clone();
    let read = store.read("read answers", move |conn| {
        Box::pin(async move { Ok((answers::of_round(conn, &id).await?, scores::of_round(conn, &id).await?)) })
    });
    let (parts, scores) = read.await.expect("answers and scores");
    let copied = |member: &MemberId| scores.iter().any(|one| one.member == *member && one.grade.copied.is_some());
    let shown: String = messages
        .iter()
        .filter(|message| message.dedup.starts_with(&format!("reveal:{}", round.id)))
        .map(|message| message.body.as_str())
        .collect();
    let missing = |text: &&str| !shown.contains(*text);
    let mut answers = assemble(&parts);
    answers.retain(|answer| !copied(&answer.member));
    let beginnings = answers.iter().filter_map(|answer| answer.text.split(':').next());
    beginnings.filter(missing).map(|text| format!("{} {}: no quote of {text:?}", round.channel, round.slot)).collect()
}

/// What was promised to count was graded; everybody who answered has one score and one result. How many that were.
async fn check_answers(store: &Store, round: &Round, messages: &[Message], seen: &Seen) -> (Vec<String>, usize) {
    let id = round.id.clone();
    let (parts, scored, hints) = store
        .read("read answers and scores", move |conn| {
            Box::pin(async move {
                let parts = answers::of_round(conn, &id).await?;
                Ok((parts, scores::of_round(conn, &id).await?, rounds::hints(conn, &id).await?))
            })
        })
        .await
        .expect("answers");
    let where_ = format!("{} {}", round.channel, round.slot);
    let mut problems = Vec::new();
    let result_of = |member: &MemberId| -> Vec<&Message> {
        let dedup = format!("result:{}:{member}", round.id);
        messages.iter().filter(|m| m.bot && m.audience == member.as_str() && m.dedup == dedup).collect()
    };
    let thread = round.thread.as_ref().map(|thread| thread.as_str());
    for (_, message, member, text) in seen.noted.iter().filter(|(at, ..)| Some(at.as_str()) == thread) {
        if parts.iter().any(|part| part.id == *message && part.body == *text && !part.late && !part.deleted) {
            // The result shows the beginning of a long answer only.
            let short = assemble(&parts).iter().any(|answer| answer.member == *member && answer.text.len() < 1_100);
            if short && !result_of(member).iter().any(|result| result.body.contains(text)) {
                problems.push(format!("{where_}: {text:?} of {member} is kept but was not graded"));
            }
        } else {
            let late = parts.iter().find(|part| part.id == *message).map(|part| part.late);
            problems.push(format!("{where_}: the noted message {text:?} is not in the answers; late: {late:?}"));
        }
    }
    for ((_, member), sent) in seen.forms.iter().filter(|((at, _), _)| *at == round.id) {
        let Some(last_saved) = sent.iter().rposition(|(_, saved)| *saved) else { continue };
        let kept = parts.iter().find(|part| part.id == Part::form_id(member) && !part.late);
        // A later one may have got through although its confirmation was lost and the repeat was late.
        if !sent[last_saved..].iter().any(|(text, _)| kept.is_some_and(|part| part.body == *text)) {
            problems.push(format!("{where_}: the saved form {:?} is not kept; {kept:?} is", sent[last_saved]));
        }
    }
    for ((_, member), most) in seen.hints.iter().filter(|((at, _), _)| *at == round.id) {
        let kept = hints.get(member).copied().unwrap_or(0);
        if kept < *most {
            problems.push(format!("{where_}: {member} saw hint {most}; {kept} are kept"));
        }
    }
    let answered: BTreeSet<String> = assemble(&parts).iter().map(|answer| answer.member.to_string()).collect();
    let with_score: Vec<String> = scored.iter().map(|score| score.member.to_string()).collect();
    if answered != with_score.iter().cloned().collect() || with_score.len() != answered.len() {
        problems.push(format!("{where_}: answers of {answered:?}, scores of {with_score:?}"));
    }
    for score in &scored {
        let results = result_of(&score.member).len();
        if results != 1 {
            problems.push(format!("{where_}: {} has {results} results", score.member));
        }
    }
    let told = messages.iter().filter(|m| m.bot && m.dedup.starts_with(&format!("result:{}:", round.id))).count();
    if told != scored.len() {
        problems.push(format!("{where_}: {told} results for {} scores", scored.len()));
    }
    (problems, scored.len())
}

/// Nothing that somebody wrote stands there twice, and every thread message says what became of it.
fn check_written(seen: &Seen, messages: &[Message]) -> Vec<String> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for message in messages.iter().filter(|message| !message.bot) {
        *times.entry(message.body.as_str()).or_default() += 1;
    }
    let written: BTreeSet<&str> = seen.written.iter().map(String::as_str).collect();
    times
        .into_iter()
        .filter(|(text, times)| *times != 1 || !written.contains(text))
        .map(|(text, times)| format!("{text:?} stands there {times} times"))
        .collect()
}
