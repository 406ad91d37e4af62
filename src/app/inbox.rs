//! What people write, change and delete in threads, as a chat service tells of it: perhaps twice, late, or in another order than it
//! happened. So each message has a version, and one task takes the news in one after the other. What is missed is read again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, mpsc, watch};

use super::chat::Chat;
use super::{App, Written};
use crate::domain::answer::Receipt;
use crate::domain::ids::{ChannelId, MemberId, ThreadId};

/// Versions that are remembered; older ones are forgotten when there are more.
const REMEMBERED: usize = 20_000;
/// How often something that the database did not take is tried again; after that the thread is read once more.
const ATTEMPTS: u32 = 3;
/// News that wait for the database. When there are more, the threads are read again instead.
const WAITING: usize = 20_000;
/// Between two readings of all open threads.
const REST: Duration = Duration::from_secs(1);
/// How often a reading that fails is repeated; the reveal reads the thread anyway.
const READINGS: u32 = 8;
/// When to look again for a message in something that has existed for a short while and is no thread of ours: the question's thread may be
/// open already and not noted yet.
const WAITS: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(20)];
const YOUNG_AT_ONCE: usize = 1_000;
/// The version of a deletion: nothing comes after it.
pub const FOR_GOOD: i64 = i64::MAX;

/// News of one message in something that may be a thread of ours.
#[derive(Clone, Debug)]
pub struct News {
    pub thread: ThreadId,
    pub message: String,
    /// 0 for a new message, else what grows with every change of it: the instant of the edit; [`FOR_GOOD`] for a deletion.
    pub version: i64,
    /// The thread may be so new that nobody has noted it yet.
    pub young: bool,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Wrote {
        member: MemberId,
        /// None when nobody has said.
        name: Option<String>,
        text: String,
        /// Unix milliseconds.
        at: i64,
    },
    Deleted,
}

/// A chat service that tells what people write.
pub trait Hears: Chat + Clone {
    fn app(&self) -> &Arc<App>;

    fn inbox(&self) -> &Inbox;

    /// What a member is called now, given the name that came with the news; None while nobody has said. Never waits.
    fn called(&self, member: &MemberId, name: Option<&str>) -> Option<String>;

    /// A message was taken in for the first time, or came too late: may be shown, and never waits.
    fn acknowledge(&self, channel: &ChannelId, thread: &ThreadId, message: &str, receipt: Receipt);
}

/// News, and how often they were put off.
#[derive(Debug)]
struct Waiting {
    news: News,
    waits: usize,
}

/// What news are beside those heard before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freshness {
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
    young: Arc<Semaphore>,
    /// Rings when something may have been missed.
    missed: Notify,
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
            young: Arc::new(Semaphore::new(YOUNG_AT_ONCE)),
            missed: Notify::new(),
        }
    }
}

impl Inbox {
    /// Never waits.
    pub fn put(&self, news: News) {
        self.put_again(news, 0);
    }

    /// All open threads are to be read again.
    pub fn read_again(&self) {
        self.missed.notify_one();
    }

    fn put_again(&self, news: News, waits: usize) {
        // Full when the database has been away for long. The other end is gone only when the process ends.
        if self.to.try_send(Waiting { news, waits }).is_err() {
            self.read_again();
        }
    }
}

impl Versions {
    fn note(&mut self, message: &str, version: i64) -> Freshness {
        match self.newest.get_mut(message) {
            Some(newest) if version > *newest => {
                *newest = version;
                Freshness::Newer
            }
            Some(newest) if version == *newest => Freshness::Same,
            Some(_) => Freshness::Old,
            None => {
                if self.order.len() >= REMEMBERED
                    && let Some(oldest) = self.order.pop_front()
                {
                    self.newest.remove(&oldest);
                }
                self.order.push_back(message.to_owned());
                self.newest.insert(message.to_owned(), version);
                Freshness::First
            }
        }
    }
}

/// Takes news in until `stopping`.
pub async fn work<C: Hears>(chat: C, mut stopping: watch::Receiver<bool>) {
    let from = chat.inbox().from.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut from) = from else { return };
    loop {
        let waiting = tokio::select! {
            waiting = from.recv() => waiting,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        match waiting {
            Some(waiting) => take_in(&chat, waiting).await,
            None => return,
        }
    }
}

async fn take_in<C: Hears>(chat: &C, Waiting { news, waits }: Waiting) {
    let inbox = chat.inbox();
    let mut freshness = inbox.versions.lock().unwrap_or_else(PoisonError::into_inner).note(&news.message, news.version);
    if waits > 0 && freshness == Freshness::Same {
        // Put off, and not overtaken since.
        freshness = Freshness::First;
    }
    if matches!(freshness, Freshness::Old | Freshness::Same) {
        return;
    }
    for attempt in 1..=ATTEMPTS {
        match store(chat, &news, freshness).await {
            Ok(true) => return,
            Ok(false) if news.young => return put_off(chat, news, waits),
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(attempt, error = format!("{error:#}"), "cannot store what was written in a thread");
                tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
            }
        }
    }
    inbox.read_again();
}

/// Looks again a little later whether it is in a thread of ours.
fn put_off<C: Hears>(chat: &C, news: News, waits: usize) {
    let Some(wait) = WAITS.get(waits) else { return };
    let Ok(permit) = chat.inbox().young.clone().try_acquire_owned() else { return };
    let chat = chat.clone();
    tokio::spawn(async move {
        tokio::time::sleep(*wait).await;
        chat.inbox().put_again(news, waits + 1);
        drop(permit);
    });
}

/// False when it is in no thread of ours.
async fn store<C: Hears>(chat: &C, news: &News, freshness: Freshness) -> anyhow::Result<bool> {
    let app = chat.app();
    let Some(channel) = app.thread_channel(chat.platform(), &news.thread).await? else { return Ok(false) };
    match &news.what {
        What::Deleted => app.thread_message_deleted(&channel, &news.thread, &news.message).await?,
        What::Wrote { member, name, text, at } => {
            let written = Written {
                channel: channel.clone(),
                thread: news.thread.clone(),
                message: news.message.clone(),
                member: member.clone(),
                name: chat.called(member, name.as_deref()),
                text: text.clone(),
                at: *at,
            };
            let receipt = app.thread_message(written).await?;
            if freshness == Freshness::First {
                chat.acknowledge(&channel, &news.thread, &news.message, receipt);
            }
        }
    }
    Ok(true)
}

/// After every break of the connection: reads what may have been missed. A chat service tells of no message twice, and of none that was
/// written while nobody listened.
pub async fn catch_up<C: Hears>(chat: C, mut stopping: watch::Receiver<bool>) {
    let mut failures = 0;
    loop {
        tokio::select! {
            () = chat.inbox().missed.notified() => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let pause = match chat.app().back_fill(&chat).await {
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
                chat.inbox().read_again();
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
            ("a message", "1", 0, Freshness::First),
            ("the same event again", "1", 0, Freshness::Same),
            ("an edit", "1", 50, Freshness::Newer),
            ("an older edit that comes late", "1", 40, Freshness::Old),
            ("a deletion", "1", FOR_GOOD, Freshness::Newer),
            ("an edit that comes after the deletion", "1", 60, Freshness::Old),
            ("a deletion that comes before its message", "2", FOR_GOOD, Freshness::First),
            ("the message does not come back", "2", 0, Freshness::Old),
            ("an edit that comes before its message", "3", 50, Freshness::First),
            ("an edit that leaves no words", "3", 60, Freshness::Newer),
            ("words again", "3", 70, Freshness::Newer),
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
        assert_eq!(versions.note(&REMEMBERED.to_string(), 0), Freshness::Same);
        assert_eq!(versions.note("0", 0), Freshness::First);
        assert_eq!(versions.newest.len(), REMEMBERED);
    }
}
