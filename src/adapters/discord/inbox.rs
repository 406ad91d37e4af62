//! What people write, change and delete in threads. Discord's events may come twice, late or in another order than they happened, so
//! each message has a version, and one task takes them in one after the other.

use std::collections::HashMap;
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
/// How often something that the database did not take is tried again; the reveal reads the thread anyway.
const ATTEMPTS: u32 = 5;

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
    },
}

pub struct Inbox {
    to: mpsc::UnboundedSender<Event>,
    from: Mutex<Option<mpsc::UnboundedReceiver<Event>>>,
    versions: Mutex<HashMap<String, i64>>,
    receipts: Arc<Semaphore>,
}

impl Default for Inbox {
    fn default() -> Inbox {
        let (to, from) = mpsc::unbounded_channel();
        Inbox {
            to,
            from: Mutex::new(Some(from)),
            versions: Mutex::default(),
            receipts: Arc::new(Semaphore::new(RECEIPTS)),
        }
    }
}

impl Inbox {
    pub fn put(&self, event: Event) {
        // The other end is gone only when the process ends.
        let _ = self.to.send(event);
    }

    /// True when nothing newer of this message has been taken in.
    fn is_news(&self, message: &str, version: i64) -> bool {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        if versions.len() >= REMEMBERED {
            versions.clear();
        }
        let newest = versions.entry(message.to_owned()).or_insert(-1);
        let news = version > *newest;
        *newest = version.max(*newest);
        news
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

async fn take_in(discord: &Discord, event: Event) {
    let (message, version) = match &event {
        Event::Wrote { message, version, .. } => (message, *version),
        // Nothing comes after a deletion.
        Event::Deleted { message, .. } => (message, i64::MAX),
    };
    if !discord.0.inbox.is_news(message, version) {
        return;
    }
    for attempt in 1..=ATTEMPTS {
        match store(discord, &event).await {
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(attempt, error = format!("{error:#}"), "cannot store what was written in a thread");
                tokio::time::sleep(Duration::from_millis(200 << attempt)).await;
            }
        }
    }
    tracing::error!("something written in a thread waits for the reveal, which reads the thread again");
}

async fn store(discord: &Discord, event: &Event) -> anyhow::Result<()> {
    let (Event::Wrote { thread, .. } | Event::Deleted { thread, .. }) = event;
    let thread_id = ThreadId::new(thread.as_str());
    let Some(channel) = discord.app().thread_channel(PLATFORM, &thread_id).await? else { return Ok(()) };
    match event {
        Event::Deleted { message, .. } => discord.app().thread_message_deleted(&channel, &thread_id, message).await,
        Event::Wrote { message, user, name, text, at, version, .. } => {
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
            if *version == 0 {
                acknowledge(discord, &channel, thread, message, receipt);
            }
            Ok(())
        }
    }
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
    loop {
        tokio::select! {
            () = discord.0.missed.notified() => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        match discord.app().back_fill(&discord).await {
            Ok(0) => {}
            Ok(changed) => tracing::info!(changed, "threads were read again after a break"),
            Err(error) => tracing::error!(error = format!("{error:#}"), "cannot read threads again; the reveal will"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_newer_is_news() {
        let inbox = Inbox::default();
        assert!(inbox.is_news("1", 0));
        assert!(!inbox.is_news("1", 0), "the same event again");
        assert!(inbox.is_news("1", 50), "an edit");
        assert!(!inbox.is_news("1", 40), "an older edit that comes late");
        assert!(inbox.is_news("1", i64::MAX), "a deletion");
        assert!(!inbox.is_news("1", 60), "an edit that comes after the deletion");
        assert!(inbox.is_news("2", i64::MAX), "a deletion that comes before its message");
        assert!(!inbox.is_news("2", 0), "the message does not come back");
    }
}
