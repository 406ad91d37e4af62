//! What people write, change and delete in threads. Discord's events may come twice, late or in another order than they happened, so
//! each message has a version, and one task takes them in one after the other.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};

use super::rest::{Call, Method};
use super::{Discord, PLATFORM, member_id};
use crate::app::Written;
use crate::domain::answer::Receipt;
use crate::domain::ids::{ChannelId, ThreadId};

/// Under an answer that counts. It says "received", not "right".
const RECEIVED: &str = "%F0%9F%93%A5"; // an inbox tray
/// Under an answer that came after the reveal.
const LATE: &str = "%E2%8C%9B"; // an hourglass
/// Versions that are remembered; older ones are forgotten when there are more.
const REMEMBERED: usize = 20_000;
/// Receipts on their way at once. They are a courtesy: when people write faster than Discord lets us react, some get none.
const RECEIPTS: usize = 16;
/// How often something that the database did not take is tried again; after that the thread is read once more.
const ATTEMPTS: u32 = 3;
/// Events that wait for the database. When there are more, the threads are read again instead.
const WAITING: usize = 20_000;
/// Between two readings of all open threads.
const REST: Duration = Duration::from_secs(1);
/// How often a reading that fails is repeated; the reveal reads the thread anyway.
const READINGS: u32 = 8;
/// A message in something that has existed for so long, unix milliseconds, waits a little if it is in no thread of ours: the question's
/// thread may be open on Discord and not noted yet.
const YOUNG_MS: i64 = 600_000;
const WAITS: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(20)];
const YOUNG_AT_ONCE: usize = 1_000;
/// The version of a deletion: nothing comes after it.
pub(super) const FOR_GOOD: i64 = i64::MAX;

/// Something that happened to a message in a channel that may be a thread of ours.
#[derive(Debug)]
pub enum Event {
    Wrote {
        thread: String,
        message: String,
        user: String,
        /// None when the event does not say.
        name: Option<String>,
        text: String,
        /// Unix milliseconds.
        at: i64,
        /// 0 for a new message, else the instant of the edit in microseconds.
        version: i64,
    },
    Deleted {
        thread: String,
        message: String,
        /// [`FOR_GOOD`], or the instant of an edit that left no words.
        version: i64,
    },
}

impl Event {
    fn message(&self) -> (&str, i64) {
        let (Event::Wrote { message, version, .. } | Event::Deleted { message, version, .. }) = self;
        (message, *version)
    }

    /// Whether its thread was new when the message was written. A thread is as old as the card it hangs under.
    fn is_in_something_new(&self) -> bool {
        let (Event::Wrote { thread, message, .. } | Event::Deleted { thread, message, .. }) = self;
        super::instant(message) - super::instant(thread) < YOUNG_MS
    }
}

/// An event, and how often it was put off.
#[derive(Debug)]
struct Waiting {
    event: Event,
    waits: usize,
}

/// What an event is beside those heard before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    /// The first that is heard of a message.
    First,
    Newer,
    /// Heard already.
    Same,
    /// Overtaken.
    Old,
}

pub struct Inbox {
    to: mpsc::Sender<Waiting>,
    from: Mutex<Option<mpsc::Receiver<Waiting>>>,
    versions: Mutex<Versions>,
    receipts: Arc<Semaphore>,
    young: Arc<Semaphore>,
}

/// The newest version of each message, of the messages heard last.
#[derive(Default)]
struct Versions {
    newest: HashMap<String, i64>,
    order: VecDeque<String>,
}

impl Default for Inbox {
    fn default() -> Inbox {
        let (to, from) = mpsc::channel(WAITING);
        Inbox {
            to,
            from: Mutex::new(Some(from)),
            versions: Mutex::default(),
            receipts: Arc::new(Semaphore::new(RECEIPTS)),
            young: Arc::new(Semaphore::new(YOUNG_AT_ONCE)),
        }
    }
}

impl Versions {
    fn note(&mut self, message: &str, version: i64) -> News {
        match self.newest.get_mut(message) {
            Some(newest) if version > *newest => {
                *newest = version;
                News::Newer
            }
            Some(newest) if version == *newest => News::Same,
            Some(_) => News::Old,
            None => {
                if self.order.len() >= REMEMBERED
                    && let Some(oldest) = self.order.pop_front()
                {
                    self.newest.remove(&oldest);
                }
                self.order.push_back(message.to_owned());
                self.newest.insert(message.to_owned(), version);
                News::First
            }
        }
    }
}

impl Discord {
    /// Never waits.
    pub(super) fn put(&self, event: Event) {
        self.put_again(event, 0);
    }

    fn put_again(&self, event: Event, waits: usize) {
        // Full when the database has been away for long. The other end is gone only when the process ends.
        if self.0.inbox.to.try_send(Waiting { event, waits }).is_err() {
            self.0.missed.notify_one();
        }
    }
}

/// Takes events in until `stopping`.
pub async fn work(discord: Discord, mut stopping: watch::Receiver<bool>) {
    let from = discord.0.inbox.from.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut from) = from else { return };
    loop {
        let event = tokio::select! {
            event = from.recv() => event,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        match event {
            Some(event) => take_in(&discord, event).await,
            None => return,
        }
    }
}

async fn take_in(discord: &Discord, Waiting { event, waits }: Waiting) {
    let (message, version) = event.message();
    let mut news = discord.0.inbox.versions.lock().unwrap_or_else(PoisonError::into_inner).note(message, version);
    if waits > 0 && news == News::Same {
        // Put off, and not overtaken since.
        news = News::First;
    }
    if matches!(news, News::Old | News::Same) {
        return;
    }
    for attempt in 1..=ATTEMPTS {
        match store(discord, &event, news).await {
            Ok(true) => return,
            Ok(false) if event.is_in_something_new() => return put_off(discord, event, waits),
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(attempt, error = format!("{error:#}"), "cannot store what was written in a thread");
                tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
            }
        }
    }
    discord.0.missed.notify_one();
}

/// Looks again a little later whether it is in a thread of ours.
fn put_off(discord: &Discord, event: Event, waits: usize) {
    let Some(wait) = WAITS.get(waits) else { return };
    let Ok(permit) = discord.0.inbox.young.clone().try_acquire_owned() else { return };
    let discord = discord.clone();
    tokio::spawn(async move {
        tokio::time::sleep(*wait).await;
        discord.put_again(event, waits + 1);
        drop(permit);
    });
}

/// False when it is in no thread of ours.
async fn store(discord: &Discord, event: &Event, news: News) -> anyhow::Result<bool> {
    let (Event::Wrote { thread, .. } | Event::Deleted { thread, .. }) = event;
    let thread_id = ThreadId::new(thread.as_str());
    let Some(channel) = discord.app().thread_channel(PLATFORM, &thread_id).await? else { return Ok(false) };
    match event {
        Event::Deleted { message, .. } => {
            discord.app().thread_message_deleted(&channel, &thread_id, message).await?;
        }
        Event::Wrote { message, user, name, text, at, .. } => {
            if let Some(name) = name {
                discord.note_name(user, name);
            }
            let known = discord.0.names.lock().unwrap_or_else(PoisonError::into_inner).get(user).cloned();
            let written = Written {
                channel: channel.clone(),
                thread: thread_id,
                message: message.clone(),
                member: member_id(user),
                name: known.unwrap_or_else(|| user.clone()),
                text: text.clone(),
                at: *at,
            };
            let receipt = discord.app().thread_message(written).await?;
            if news == News::First {
                acknowledge(discord, &channel, thread, message, receipt);
            }
        }
    }
    Ok(true)
}

/// Puts a small sign under a message that was taken as an answer.
fn acknowledge(discord: &Discord, channel: &ChannelId, thread: &str, message: &str, receipt: Receipt) {
    let sign = match receipt {
        Receipt::Noted => RECEIVED,
        Receipt::Late => LATE,
        Receipt::Aside | Receipt::NotOurs => return,
    };
    if !discord.gives_receipts(channel) {
        return;
    }
    let Ok(permit) = discord.0.inbox.receipts.clone().try_acquire_owned() else { return };
    let path = format!("channels/{thread}/messages/{message}/reactions/{sign}/@me");
    let (discord, channel) = (discord.clone(), channel.clone());
    tokio::spawn(async move {
        let outcome = discord.rest().tell(Call::new(Method::Put, &path)).await;
        if let Err(error) = discord.note_receipt(&channel, outcome).await {
            tracing::warn!(error = format!("{error:#}"), "cannot note what became of a receipt");
        }
        drop(permit);
    });
}

/// After every break of the connection: reads what may have been missed. Discord tells of no message twice, and of none that was
/// written while nobody listened.
pub async fn catch_up(discord: Discord, mut stopping: watch::Receiver<bool>) {
    let mut failures = 0;
    loop {
        tokio::select! {
            () = discord.0.missed.notified() => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let pause = match discord.app().back_fill(&discord).await {
            Ok(changed) => {
                if changed > 0 {
                    tracing::info!(changed, "threads were read again after a break");
                }
                failures = 0;
                REST
            }
            Err(error) if failures < READINGS => {
                tracing::warn!(error = format!("{error:#}"), "cannot read threads again; trying once more");
                failures += 1;
                discord.0.missed.notify_one();
                REST * (1 << failures)
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "cannot read threads again; the reveal will");
                failures = 0;
                REST
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_newer_is_news() {
        let mut versions = Versions::default();
        // (what happens, message, version, what it is)
        let cases = [
            ("a message", "1", 0, News::First),
            ("the same event again", "1", 0, News::Same),
            ("an edit", "1", 50, News::Newer),
            ("an older edit that comes late", "1", 40, News::Old),
            ("a deletion", "1", FOR_GOOD, News::Newer),
            ("an edit that comes after the deletion", "1", 60, News::Old),
            ("a deletion that comes before its message", "2", FOR_GOOD, News::First),
            ("the message does not come back", "2", 0, News::Old),
            ("an edit that comes before its message", "3", 50, News::First),
            ("an edit that leaves no words", "3", 60, News::Newer),
            ("words again", "3", 70, News::Newer),
        ];
        for (what, message, version, news) in cases {
            assert_eq!(versions.note(message, version), news, "{what}");
        }
    }

    #[test]
    fn the_oldest_versions_are_forgotten_first() {
        let mut versions = Versions::default();
        for message in 0..=REMEMBERED {
            versions.note(&message.to_string(), 0);
        }
        assert_eq!(versions.note(&REMEMBERED.to_string(), 0), News::Same);
        assert_eq!(versions.note("0", 0), News::First);
        assert_eq!(versions.newest.len(), REMEMBERED);
    }
}
