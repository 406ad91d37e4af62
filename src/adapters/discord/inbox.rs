//! Discord's part of the inbox: names, and the receipts under what people write in threads.

use std::sync::{Arc, PoisonError};

use super::rest::{Call, Method};
use super::{Discord, bare};
use crate::app::App;
use crate::app::inbox::{Hears, Inbox};
use crate::domain::answer::Receipt;
use crate::domain::ids::{ChannelId, MemberId, ThreadId};

/// Under an answer that counts. It says "received", not "right".
const RECEIVED: &str = "%F0%9F%93%A5"; // an inbox tray
/// Under an answer that came after the reveal.
const LATE: &str = "%E2%8C%9B"; // an hourglass
/// Receipts on their way at once. They are a courtesy: when people write faster than Discord lets us react, some get none.
pub(super) const RECEIPTS: usize = 16;
/// How long something is young after a card was posted, unix milliseconds: its thread may be open on Discord and not noted yet.
const YOUNG_MS: i64 = 600_000;

/// Whether a thread was new when a message was written. A thread is as old as the card it hangs under.
pub(super) fn is_young(thread: &str, message: &str) -> bool {
    super::instant(message) - super::instant(thread) < YOUNG_MS
}

impl Hears for Discord {
    fn app(&self) -> &Arc<App> {
        Discord::app(self)
    }

    fn inbox(&self) -> &Inbox {
        &self.0.inbox
    }

    fn called(&self, member: &MemberId, name: Option<&str>) -> Option<String> {
        let user = bare(member.as_str());
        if let Some(name) = name {
            self.note_name(user, name);
        }
        self.0.names.lock().unwrap_or_else(PoisonError::into_inner).get(user).cloned()
    }

    /// Puts a small sign under a message that was taken as an answer.
    fn acknowledge(&self, channel: &ChannelId, thread: &ThreadId, message: &str, receipt: Receipt) {
        let sign = match receipt {
            Receipt::Noted => RECEIVED,
            Receipt::Late => LATE,
            Receipt::Aside | Receipt::NotOurs => return,
        };
        if !self.gives_receipts(channel) {
            return;
        }
        let Ok(permit) = self.0.receipts_at_once.clone().try_acquire_owned() else { return };
        let path = format!("channels/{thread}/messages/{message}/reactions/{sign}/@me");
        let (discord, channel) = (self.clone(), channel.clone());
        tokio::spawn(async move {
            let outcome = discord.rest().tell(Call::new(Method::Put, &path)).await;
            if let Err(error) = discord.note_receipt(&channel, outcome).await {
                tracing::warn!(error = format!("{error:#}"), "cannot note what became of a receipt");
            }
            drop(permit);
        });
    }
}
