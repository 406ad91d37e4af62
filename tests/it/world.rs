//! The world that most tests live in: one channel, Ann who organises it and Bob, a small bank, a clock that stands until it is moved.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use drillbot::adapters::memory::{MemoryChat, Shown};
use drillbot::app::clock::Clock;
use drillbot::app::{Actor, App, ChannelSetup, ScheduleSetup, Written};
use drillbot::domain::answer::Receipt;
use drillbot::domain::bank::{Bank, Source};
use drillbot::domain::effect::Audience;
use drillbot::domain::ids::{ChannelId, MemberId, MessageId, RoundId, ScheduleId, ThreadId};
use drillbot::domain::message::{Form, Message, Reply};
use drillbot::domain::round::Round;
use drillbot::domain::schedule::ScheduleSpec;
use drillbot::store::{Store, outbox, rounds, schedules, scores, standings};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};

/// Covers every key point of every question of [`bank`].
pub const FULL: &str = "The backend keeps the state, a lock stops two writers, and versions help to recover.";
/// Covers the first key point, the required one, only.
pub const PART: &str = "The backend keeps the state.";

pub const CHANNEL: &str = "memory:daily-drill";
/// Day 0, a Monday.
pub const MONDAY: Date = jiff::civil::date(2026, 11, 23);

/// The folder for databases: in memory where there is such a place, because every commit is synced.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder for the test")
}

pub async fn open_store(folder: &tempfile::TempDir) -> Store {
    let url = format!("sqlite:{}", folder.path().join("drillbot.db").display());
    Store::open(&url).await.expect("the store opens")
}

/// A bank with so many questions of each topic; levels take turns, all have the same key points.
pub fn bank(topics: &[(&str, usize)]) -> Bank {
    read_bank(&bank_texts(topics)).expect("the test's bank can be read")
}

pub fn read_bank(texts: &[(String, String)]) -> Result<Bank, Vec<String>> {
    let sources: Vec<Source<'_>> = texts.iter().map(|(path, text)| Source { path, text }).collect();
    Bank::read(&[&sources]).map(|(bank, _)| bank).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

pub fn bank_texts(topics: &[(&str, usize)]) -> Vec<(String, String)> {
    let template = include_str!("../fixtures/question.toml");
    let levels = ["beginner", "intermediate", "advanced"];
    let file = |(topic, count): &(&str, usize)| {
        let mut text = format!("[topic]\nname = \"{topic}\"\ntitle = \"{}\"\n", topic.to_uppercase());
        for n in 1..=*count {
            let next = if n == *count { 1 } else { n + 1 };
            let question = template
                .replace("{topic}", topic)
                .replace("{n}", &n.to_string())
                .replace("{next}", &next.to_string())
                .replace("{level}", levels[(n - 1) % 3]);
            let _ = write!(text, "\n{question}");
        }
        (format!("{topic}.toml"), text)
    };
    topics.iter().map(file).collect()
}

pub fn spec() -> ScheduleSpec {
    ScheduleSpec { zone: "Europe/London".into(), reveal: "17:00".into(), ..ScheduleSpec::default() }
}

/// What differs from the default world.
pub struct Setup {
    pub bank: Bank,
    pub schedules: Vec<(&'static str, ScheduleSpec)>,
}

impl Default for Setup {
    fn default() -> Self {
        Setup { bank: bank(&[("eks", 3), ("iam", 6)]), schedules: vec![("daily", spec())] }
    }
}

pub struct World {
    pub app: Arc<App>,
    pub chat: Arc<MemoryChat>,
    pub clock: Clock,
    /// Beginnings of the ids of deliveries that the test leaves behind on purpose.
    pub unsent: Vec<&'static str>,
    /// Messages that the test has deleted or doubled on purpose.
    pub doubled: bool,
    zone: TimeZone,
    day: Date,
    setup: Setup,
    replies: HashMap<String, Reply>,
    names: BTreeMap<String, String>,
    read: usize,
    ended: bool,
    _folder: tempfile::TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        assert!(self.ended || std::thread::panicking(), "a test of the world ends with w.end().await");
    }
}

impl World {
    /// Monday 08:00 in London.
    pub async fn new() -> World {
        World::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> World {
        let folder = folder();
        let store = open_store(&folder).await;
        World::of(setup, store, folder).await
    }

    /// On a database of the test's own.
    pub async fn on(setup: Setup, store: Store) -> World {
        World::of(setup, store, folder()).await
    }

    async fn of(setup: Setup, store: Store, folder: tempfile::TempDir) -> World {
        let zone =
            TimeZone::get(&setup.schedules.first().map_or("Europe/London".into(), |(_, spec)| spec.zone.clone()))
                .expect("the zone exists");
        let clock = Clock::manual(0);
        let app = Arc::new(App::new(store, clock.clone(), setup.bank.clone(), Duration::from_secs(30)));
        let world = World {
            app,
            chat: Arc::new(MemoryChat::default()),
            clock,
            unsent: Vec::new(),
            doubled: false,
            zone,
            day: MONDAY,
            setup,
            replies: HashMap::new(),
            names: BTreeMap::new(),
            read: 0,
            ended: false,
            _folder: folder,
        };
        world.set_clock("08:00");
        world.app.set_up(world.channels()).await.expect("the configuration is applied");
        world
    }

    fn channels(&self) -> Vec<ChannelSetup> {
        let schedules = self.setup.schedules.iter();
        vec![ChannelSetup {
            id: channel(),
            name: "daily-drill".into(),
            about: "One question a day".into(),
            schedules: schedules
                .map(|(name, spec)| ScheduleSetup { name: (*name).into(), spec: spec.clone() })
                .collect(),
        }]
    }

    /// What the test has to leave behind: nothing that waits, nothing shown twice, standings that a recount confirms.
    pub async fn end(mut self) {
        self.ended = true;
        let mut left = Vec::new();
        for state in ["pending", "sending", "failed"] {
            for (id, error) in self.in_outbox(state).await {
                if !self.unsent.iter().any(|expected| id.starts_with(expected)) {
                    left.push(format!("{id} is {state} ({error})"));
                }
            }
        }
        assert!(left.is_empty(), "left in the outbox: {left:#?}");
        self.check().await;
    }

    /// What holds at any moment.
    pub async fn check(&self) {
        if !self.doubled {
            let mut keys = HashSet::new();
            for shown in self.chat.shown() {
                assert!(keys.insert(shown.key.clone()), "{} was shown twice", shown.key);
            }
        }
        standings_agree(&self.app.store).await;
    }

    pub async fn in_outbox(&self, state: &'static str) -> Vec<(String, String)> {
        let rows = self
            .app
            .store
            .read("read the outbox", move |conn| Box::pin(async move { outbox::in_state(conn, state).await }))
            .await
            .expect("the outbox can be read");
        rows.into_iter().map(|(id, error)| (id.to_string(), error)).collect()
    }

    // ---- time

    pub fn set_clock(&self, time: &str) {
        let time: jiff::civil::Time = time.parse().expect("a time like 09:00");
        let at = self.zone.to_timestamp(self.day.to_datetime(time)).expect("a time of the calendar");
        self.clock.set(at.as_millisecond());
    }

    /// The same day at this local time: ticks and delivers what is due.
    pub async fn at(&mut self, time: &str) {
        self.set_clock(time);
        self.settle().await;
    }

    /// 08:00 of day `n` after Monday.
    pub async fn day(&mut self, n: i64) {
        self.day = MONDAY.saturating_add(n.days());
        self.at("08:00").await;
    }

    /// Day `n`, but the bot is not running: only the clock moves.
    pub fn asleep_until(&mut self, n: i64, time: &str) {
        self.day = MONDAY.saturating_add(n.days());
        self.set_clock(time);
    }

    pub async fn pass(&mut self, span: SignedDuration) {
        self.clock.set(self.clock.now_ms() + i64::try_from(span.as_millis()).expect("a short span"));
        self.settle().await;
    }

    /// What a running bot does within a second or two.
    pub async fn settle(&mut self) {
        self.app.tick().await.expect("a tick");
        self.drain().await;
        self.app.tick().await.expect("a tick");
        self.drain().await;
    }

    pub async fn drain(&mut self) {
        while self.app.deliver(&*self.chat).await.expect("deliveries").claimed > 0 {}
    }

    /// The process dies and comes back.
    pub async fn restart(&mut self) {
        self.reborn().await;
        self.settle().await;
    }

    /// A new process on the same database, before its first tick.
    pub async fn reborn(&mut self) {
        let store = self.app.store.clone();
        self.app = Arc::new(App::new(store, self.clock.clone(), self.setup.bank.clone(), Duration::from_secs(30)));
        self.app.take_over().await.expect("what was under way is taken over");
        self.app.set_up(self.channels()).await.expect("the configuration is applied");
    }

    /// Claims what is due and never comes to sending it, like a process that dies there.
    pub async fn claim_and_forget(&mut self) {
        let now = self.clock.now_ms();
        self.app
            .store
            .write("claim", move |conn| {
                Box::pin(async move { outbox::claim(conn, "memory", now, now + 30_000, 32).await })
            })
            .await
            .expect("deliveries can be claimed");
    }

    /// A restart with another configuration.
    pub async fn restart_with(&mut self, schedules: Vec<(&'static str, ScheduleSpec)>) {
        self.setup.schedules = schedules;
        self.restart().await;
    }

    // ---- people

    pub fn actor(&mut self, name: &str) -> Actor {
        let member = member(name);
        let name = self.names.entry(member.to_string()).or_insert_with(|| name.to_owned()).clone();
        Actor {
            member,
            organiser: name == "Ann",
            name,
            channel: channel(),
            channel_name: String::new(),
            space: String::new(),
        }
    }

    /// From now on this person is called something else; the tests go on with the old name.
    pub fn rename(&mut self, name: &str, new: &str) {
        self.names.insert(member(name).to_string(), new.to_owned());
    }

    /// This person in another channel, or in none that the bot knows.
    pub async fn elsewhere(&mut self, name: &str, channel: &str, space: &str, line: &str) -> String {
        let actor = Actor {
            channel: ChannelId::new(channel),
            channel_name: channel.trim_start_matches("memory:").to_owned(),
            space: space.to_owned(),
            ..self.actor(name)
        };
        let reply = self.app.line(&actor, line).await.expect("a reply");
        self.note(name, reply)
    }

    /// "Save as my answer" on a message in the menu of which this person finds it.
    pub async fn saves(&mut self, name: &str, thread: &ThreadId, id: &MessageId, author: &str, text: &str) -> String {
        let (actor, author) = (self.actor(name), self.actor(author));
        let written = Written {
            channel: channel(),
            thread: thread.clone(),
            message: id.to_string(),
            member: author.member,
            name: Some(author.name),
            text: text.to_owned(),
            at: self.clock.now_ms(),
        };
        let reply = self.app.save_message(&actor, written).await.expect("a reply");
        self.note(name, reply)
    }

    fn note(&mut self, name: &str, reply: Reply) -> String {
        let text = show_reply(&reply);
        self.replies.insert(name.to_owned(), reply);
        text
    }

    /// Ann, an organiser, types a line.
    pub async fn ann(&mut self, line: &str) -> String {
        self.says("Ann", line).await
    }

    pub async fn bob(&mut self, line: &str) -> String {
        self.says("Bob", line).await
    }

    pub async fn says(&mut self, name: &str, line: &str) -> String {
        let actor = self.actor(name);
        let reply = self.app.line(&actor, line).await.expect("a reply");
        self.note(name, reply)
    }

    /// Presses the button with this label: of the last private message, else of the newest message that has it.
    pub async fn press(&mut self, name: &str, label: &str) -> String {
        let action = self.button(name, label).unwrap_or_else(|| panic!("{name} sees no button {label:?}"));
        self.press_action(name, &action).await
    }

    /// What the button carries.
    pub fn button(&self, name: &str, label: &str) -> Option<String> {
        let own = match self.replies.get(name) {
            Some(Reply::Show { message } | Reply::Replace { message }) => Some(message.clone()),
            _ => None,
        };
        let shown = self.chat.shown().into_iter().rev().map(|shown| shown.message);
        own.into_iter()
            .chain(shown)
            .flat_map(|message| message.buttons)
            .find(|button| button.label.starts_with(label))
            .map(|button| button.action)
    }

    /// A button of the newest card, as it stands now.
    pub fn card_button(&self, label: &str) -> Option<String> {
        let card = self.cards().pop()?;
        card.message.buttons.into_iter().find(|button| button.label.starts_with(label)).map(|button| button.action)
    }

    pub async fn press_action(&mut self, name: &str, action: &str) -> String {
        let actor = self.actor(name);
        let reply = self.app.press(&actor, action).await.expect("a reply");
        self.note(name, reply)
    }

    /// Sends the form that is open in front of this person.
    pub async fn send_form(&mut self, name: &str, answer: &str) -> String {
        let form = self.form(name);
        self.submit(name, &form.action, answer).await
    }

    /// Sends the form that is open in front of this person, with these values by input.
    pub async fn send_values(&mut self, name: &str, values: &[(&str, &str)]) -> String {
        let (actor, form) = (self.actor(name), self.form(name));
        let values = values.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned())).collect();
        let reply = self.app.submit(&actor, &form.action, &values).await.expect("a reply");
        self.note(name, reply)
    }

    pub fn form(&self, name: &str) -> Form {
        match self.replies.get(name) {
            Some(Reply::Open { form }) => form.clone(),
            other => panic!("no form is open in front of {name}, but {other:?}"),
        }
    }

    pub async fn submit(&mut self, name: &str, action: &str, answer: &str) -> String {
        self.fill(name, action, &[("answer", answer)]).await
    }

    /// Sends a form with these inputs.
    pub async fn fill(&mut self, name: &str, action: &str, values: &[(&str, &str)]) -> String {
        let actor = self.actor(name);
        let values = values.iter().map(|(input, value)| ((*input).to_owned(), (*value).to_owned())).collect();
        let reply = self.app.submit(&actor, action, &values).await.expect("a reply");
        self.note(name, reply)
    }

    /// The whole way of a private answer: the button, the form, sent.
    pub async fn answers_by_form(&mut self, name: &str, answer: &str) -> String {
        self.press(name, "Answer").await;
        self.send_form(name, answer).await
    }

    // ---- threads

    pub fn thread(&self) -> ThreadId {
        let cards = self.cards();
        ThreadId::new(cards.last().expect("a question has been posted").id.as_str())
    }

    pub async fn write_in_thread(&mut self, name: &str, text: &str) -> (MessageId, Receipt) {
        let thread = self.thread();
        self.write_in(&thread, name, text).await
    }

    pub async fn write_in(&mut self, thread: &ThreadId, name: &str, text: &str) -> (MessageId, Receipt) {
        let id = self.write_unheard(thread, name, text);
        let receipt = self.hear(thread, &id, name, text).await;
        (id, receipt)
    }

    /// Written, but the event never reached the bot.
    pub fn write_unheard(&mut self, thread: &ThreadId, name: &str, text: &str) -> MessageId {
        let actor = self.actor(name);
        self.chat.write(thread, &actor.member, &actor.name, text, self.clock.now_ms())
    }

    pub async fn hear(&mut self, thread: &ThreadId, id: &MessageId, name: &str, text: &str) -> Receipt {
        let actor = self.actor(name);
        let written = Written {
            channel: channel(),
            thread: thread.clone(),
            message: id.to_string(),
            member: actor.member,
            name: Some(actor.name),
            text: text.to_owned(),
            at: self.clock.now_ms(),
        };
        self.app.thread_message(written).await.expect("the message is noted")
    }

    pub async fn rewrite(&mut self, id: &MessageId, name: &str, text: &str) -> Receipt {
        let thread = self.thread();
        self.chat.rewrite(id, text);
        self.hear(&thread, id, name, text).await
    }

    pub async fn erase(&mut self, id: &MessageId) {
        let thread = self.thread();
        self.chat.erase(id);
        self.hear_deletion(&thread, id).await;
    }

    pub async fn hear_deletion(&mut self, thread: &ThreadId, id: &MessageId) {
        self.app.thread_message_deleted(&channel(), thread, id.as_str()).await.expect("the deletion is noted");
    }

    // ---- what people see

    /// The cards of questions, in the order they were posted.
    pub fn cards(&self) -> Vec<Shown> {
        self.chat.shown().into_iter().filter(|shown| shown.key.starts_with("question:")).collect()
    }

    /// The newest card as it stands now.
    pub fn card(&self) -> String {
        self.cards().last().map_or_else(|| "no card".to_owned(), |card| card.message.as_text())
    }

    pub fn prompts(&self) -> Vec<String> {
        self.cards().iter().map(|card| heading(&card.message)).collect()
    }

    /// Everything posted since the last look: first what everybody sees, in order; what goes to one person each is sent side by side.
    pub fn news(&mut self) -> String {
        let shown = self.chat.shown();
        let mut fresh: Vec<&Shown> = shown.iter().skip(self.read).collect();
        fresh.sort_by_key(|one| match &one.audience {
            Audience::Everyone => String::new(),
            Audience::Member(member) => member.to_string(),
            Audience::Organisers => "organisers".to_owned(),
        });
        let mut out = String::new();
        for one in fresh {
            let place = match (&one.audience, &one.thread) {
                (Audience::Organisers, _) => "to the organisers".to_owned(),
                (Audience::Member(member), _) => {
                    format!("to {}", self.names.get(member.as_str()).map_or(member.as_str(), String::as_str))
                }
                (Audience::Everyone, Some(_)) => "in the thread".to_owned(),
                (Audience::Everyone, None) => "in the channel".to_owned(),
            };
            let _ = write!(out, "--- {place}\n{}\n", one.message.as_text());
        }
        self.read = shown.len();
        out.trim_end().to_owned()
    }

    /// What the organisers were told, ever.
    pub fn notices(&self) -> Vec<String> {
        let to_organisers = |shown: &Shown| shown.audience == Audience::Organisers;
        self.chat.shown().iter().filter(|shown| to_organisers(shown)).map(|shown| shown.message.as_text()).collect()
    }

    /// The newest private post to somebody.
    pub fn told(&self, name: &str) -> Option<String> {
        let to = Audience::Member(member(name));
        self.chat.shown().iter().rev().find(|shown| shown.audience == to).map(|shown| shown.message.as_text())
    }

    // ---- what is stored

    /// Newest first.
    pub async fn rounds(&self) -> Vec<Round> {
        self.app
            .store
            .read("read rounds", |conn| Box::pin(async move { rounds::of_channel(conn, &channel(), 1_000).await }))
            .await
            .expect("rounds can be read")
    }

    /// The round whose card opened this thread, also before the bot knows that it did.
    pub async fn round_of(&self, thread: &ThreadId) -> Round {
        let card = self.cards().into_iter().find(|card| card.id.as_str() == thread.as_str()).expect("a card");
        let id = card.key.trim_start_matches("question:").to_owned();
        self.rounds().await.into_iter().find(|round| round.id.as_str() == id).expect("a round")
    }

    /// (name of the member, coverage, points in tenths) of the newest round, the best first.
    pub async fn scores(&self) -> Vec<(String, i64, i64)> {
        let round = self.rounds().await.into_iter().next().expect("a round").id;
        self.scores_of(&round).await
    }

    pub async fn scores_of(&self, round: &RoundId) -> Vec<(String, i64, i64)> {
        let round = round.clone();
        let all = self
            .app
            .store
            .read("read scores", move |conn| Box::pin(async move { scores::of_round(conn, &round).await }))
            .await
            .expect("scores can be read");
        all.into_iter()
            .map(|score| (score.member.as_str().replace("memory:", ""), score.coverage, score.points))
            .collect()
    }

    pub async fn schedule(&self, name: &str) -> schedules::Row {
        let id = ScheduleId::of(&channel(), name);
        self.app
            .store
            .read("read a schedule", move |conn| Box::pin(async move { schedules::get(conn, &id).await }))
            .await
            .expect("schedules can be read")
            .expect("the schedule exists")
    }

    /// How many questions this channel has been asked, as the bot remembers it.
    pub async fn asked(&self) -> usize {
        let asked = self
            .app
            .store
            .read("read asked", |conn| Box::pin(async move { rounds::asked(conn, &[&channel()]).await }))
            .await
            .expect("asked questions can be read");
        asked.get(&channel()).map_or(0, HashMap::len)
    }
}

pub fn channel() -> ChannelId {
    ChannelId::new(CHANNEL)
}

pub fn member(name: &str) -> MemberId {
    MemberId::new(format!("memory:{}", name.to_lowercase()))
}

pub fn heading(message: &Message) -> String {
    message.as_text().lines().next().unwrap_or_default().trim_start_matches("# ").to_owned()
}

pub fn show_reply(reply: &Reply) -> String {
    match reply {
        Reply::Show { message } | Reply::Replace { message } => message.as_text(),
        Reply::Open { form } => {
            let values: Vec<String> =
                form.inputs.iter().map(|input| format!("{}: {:?}", input.label, input.value)).collect();
            format!("[form] {}\n{}\n[{}]", form.title, values.join("\n"), form.submit)
        }
    }
}

/// A recount confirms the standings.
pub async fn standings_agree(store: &Store) {
    let recount = store.read("recount", |conn| Box::pin(async move { standings::differences(conn).await }));
    let differences = recount.await.expect("the standings can be recounted");
    assert!(differences.is_empty(), "the standings differ from a recount: {differences:#?}");
}
