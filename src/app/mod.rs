//! Use cases: each is one transaction with a name, and tells the outside what to do only through the outbox.

mod answers;
mod boards;
mod channels;
pub mod chat;
pub mod clock;
mod collect;
mod copying;
mod daily;
mod deliver;
mod desk;
mod drills;
mod flags;
mod handle;
pub mod inbox;
pub mod judge;
mod outcomes;
mod own;
mod question;
mod queue;
mod reveal;
mod reviews;
mod rulings;
mod scenes;
mod setup;
mod suggestions;
mod tick;
mod verdicts;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::Notify;

use crate::domain::bank::{Bank, Filter};
use crate::domain::ids::{ChannelId, MemberId, ThreadId, platform_of};
use crate::domain::question::Question;
use crate::domain::schedule::{Plan, ScheduleSpec};
use crate::store::Store;
use clock::Clock;

pub use crate::store::outbox::Claimed;
pub use deliver::{AT_ONCE, Delivered};
pub use drills::Missing;
pub use handle::Suggestion;
pub use setup::{ChannelSetup, ScheduleSetup};

/// Who did something, and where.
#[derive(Clone, Debug)]
pub struct Actor {
    pub member: MemberId,
    pub name: String,
    pub organiser: bool,
    pub channel: ChannelId,
    /// What people call the channel, for one that the bot has not met before.
    pub channel_name: String,
    /// The server or workspace that the channel is part of, `discord:<id>`; empty for a private conversation and for the web chat.
    pub space: String,
}

/// A message that a member wrote, changed or deleted in a thread.
#[derive(Clone, Debug)]
pub struct Written {
    pub channel: ChannelId,
    pub thread: ThreadId,
    pub message: String,
    pub member: MemberId,
    /// What they are called, where that is known.
    pub name: Option<String>,
    pub text: String,
    /// Unix milliseconds.
    pub at: i64,
}

/// What filters leave of a bank.
type Selected = HashMap<Filter, Arc<Vec<Arc<Question>>>>;

/// The drill: everything an adapter may ask for.
pub struct App {
    pub store: Store,
    pub clock: Clock,
    bank: ArcSwap<Bank>,
    /// How long a claimed delivery belongs to this process.
    lease: Duration,
    desk: desk::Desk,
    /// Rings when there may be something to deliver.
    pub outbox_bell: Notify,
    plans: Mutex<HashMap<String, Option<Arc<Planned>>>>,
    /// By group; under "" for the groups without questions of their own.
    candidates: Mutex<HashMap<String, Selected>>,
    own: own::Own,
    last_tick: Mutex<Option<i64>>,
    last_tidy: Mutex<i64>,
    threads: Mutex<Threads>,
    /// Some with a language model that is asked too.
    bench: Option<Arc<judge::Bench>>,
}

/// On which platforms threads may not be read.
#[derive(Default)]
struct Threads {
    unread: HashSet<String>,
    /// Their open cards say something that is not so any more.
    changed: HashSet<&'static str>,
}

/// A schedule's settings, read and compiled.
pub(crate) struct Planned {
    pub spec: ScheduleSpec,
    pub plan: Plan,
    pub filter: Filter,
}

impl App {
    pub fn new(store: Store, clock: Clock, bank: Bank, lease: Duration) -> App {
        App {
            store,
            clock,
            bank: ArcSwap::from_pointee(bank),
            lease,
            desk: desk::Desk::default(),
            outbox_bell: Notify::new(),
            plans: Mutex::default(),
            candidates: Mutex::default(),
            own: own::Own::default(),
            last_tick: Mutex::default(),
            last_tidy: Mutex::default(),
            threads: Mutex::default(),
            bench: None,
        }
    }

    pub fn bank(&self) -> Arc<Bank> {
        self.bank.load_full()
    }

    /// Puts another bank in force. Open rounds keep the questions they were posted with.
    pub fn replace_bank(&self, bank: Bank) {
        self.own.renew(|| self.bank.store(Arc::new(bank)), &self.bank);
        self.candidates.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Says whether a platform lets the bot read what people write in threads; true until somebody says so. Where it does not, answers
    /// come through the form, and the open cards say so after the next tick.
    pub fn set_reads_threads(&self, platform: &'static str, reads: bool) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = if reads { threads.unread.remove(platform) } else { threads.unread.insert(platform.to_owned()) };
        // Before the first tick this is only how the platform is set up.
        if changed && self.last_tick.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            threads.changed.insert(platform);
        }
    }

    /// Whether threads of the platform that an id belongs to are read.
    pub(crate) fn reads_threads(&self, id: &str) -> bool {
        !self.threads.lock().unwrap_or_else(PoisonError::into_inner).unread.contains(platform_of(id))
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now_ms()
    }

    /// A stored schedule, compiled; None when an older version wrote something this one cannot read.
    pub(crate) fn planned(&self, spec: &str) -> Option<Arc<Planned>> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = plans.get(spec) {
            return known.clone();
        }
        let planned = serde_json::from_str::<ScheduleSpec>(spec).ok().and_then(|spec| {
            let plan = spec.compile().ok()?;
            let filter = filter_of(&spec);
            Some(Arc::new(Planned { spec, plan, filter }))
        });
        if plans.len() > 10_000 {
            plans.clear();
        }
        plans.insert(spec.to_owned(), planned.clone());
        planned
    }

    /// The questions a filter leaves in a group, from the bank in force.
    pub(crate) fn candidates(&self, realm: &str, filter: &Filter) -> Arc<Vec<Arc<Question>>> {
        let mut candidates = self.candidates.lock().unwrap_or_else(PoisonError::into_inner);
        let own = self.own.bank(realm);
        // Most groups have nothing of their own, and share what is selected.
        let key = if own.is_some() { realm } else { "" };
        if let Some(known) = candidates.get(key).and_then(|known| known.get(filter)) {
            return known.clone();
        }
        let selected = Arc::new(own.unwrap_or_else(|| self.bank()).select(filter));
        candidates.entry(key.to_owned()).or_default().insert(filter.clone(), selected.clone());
        selected
    }

    /// The title of a topic, or its name when the bank has lost it.
    pub(crate) fn topic_title(&self, topic: &str) -> String {
        self.bank().topic_title(topic)
    }
}

pub(crate) fn filter_of(spec: &ScheduleSpec) -> Filter {
    Filter { topics: spec.topics.clone(), levels: spec.levels.clone(), tracks: spec.tracks.clone() }
}

pub(crate) fn stamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// A short random text for things that no rule derives: a drill, a message, a session.
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn random_id() -> Result<String> {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
    Ok(data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase())
}
