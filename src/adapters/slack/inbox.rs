//! Slack's part of the inbox: names, and the receipts under what people write in threads.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;

use super::api::Failure;
use super::ids::{Spot, Target, member};
use super::{Done, Slack};
use crate::app::App;
use crate::app::inbox::{Hears, Inbox};
use crate::domain::answer::Receipt;
use crate::domain::ids::{ChannelId, MemberId, ThreadId};
use crate::domain::text::trouble;
use crate::store::channels::Step;

/// Under an answer that counts. It says "received", not "right".
const RECEIVED: &str = "inbox_tray";
/// Under an answer that came after the reveal.
const LATE: &str = "hourglass";
/// Receipts on their way at once. They are a courtesy: when people write faster than Slack lets us react, some get none.
pub(super) const RECEIPTS: usize = 16;
/// Names that are asked for at once. Who has none meanwhile is asked for with the next message, or at the reveal.
pub(super) const NAMES: usize = 4;
/// A name may be known before what its owner did first is stored.
const FIRST_WORDS: [Duration; 3] = [Duration::from_millis(250), Duration::from_secs(2), Duration::from_secs(10)];

impl Hears for Slack {
    fn app(&self) -> &Arc<App> {
        Slack::app(self)
    }

    fn inbox(&self) -> &Inbox {
        &self.0.inbox
    }

    /// Slack's messages do not say; what is not known, or was asked long ago, is asked behind our back.
    fn called(&self, id: &MemberId, name: Option<&str>) -> Option<String> {
        let (team, user) = member(id)?;
        let known = self.0.people.lock().unwrap_or_else(PoisonError::into_inner).get(id.as_str()).cloned();
        if known.as_ref().is_some_and(|known| known.asked.elapsed() < self.patience().names) {
            return known.map(|known| known.name);
        }
        if let Ok(permit) = self.0.names.clone().try_acquire_owned() {
            let (slack, id, team, user) = (self.clone(), id.clone(), team.to_owned(), user.to_owned());
            tokio::spawn(async move { slack.learn_name(&id, &team, &user, permit).await });
        }
        known.map(|known| known.name).or_else(|| name.map(str::to_owned))
    }

    /// Puts a small sign under a message that was taken as an answer.
    fn acknowledge(&self, channel: &ChannelId, thread: &ThreadId, message: &str, receipt: Receipt) {
        let sign = match receipt {
            Receipt::Noted => RECEIVED,
            Receipt::Late => LATE,
            Receipt::Aside | Receipt::NotOurs => return,
        };
        let Ok(permit) = self.0.receipts.clone().try_acquire_owned() else { return };
        let (slack, channel, thread, message) = (self.clone(), channel.clone(), thread.clone(), message.to_owned());
        tokio::spawn(async move {
            if let Err(error) = slack.react(&channel, &thread, &message, sign).await {
                tracing::warn!(error = format!("{error:#}"), "cannot note what became of a receipt");
            }
            drop(permit);
        });
    }
}

impl Slack {
    async fn learn_name(&self, id: &MemberId, team: &str, user: &str, permit: OwnedSemaphorePermit) {
        let Ok(workspace) = self.workspace(team).await else { return };
        let Some(person) = self.ask_person(&workspace, user).await else { return };
        drop(permit);
        for wait in FIRST_WORDS {
            match self.app().is_called(id, &person.name).await {
                Ok(true) => return,
                Ok(false) => tokio::time::sleep(wait).await,
                Err(error) => {
                    return tracing::warn!(error = format!("{error:#}"), "cannot note what somebody is called");
                }
            }
        }
    }

    async fn react(&self, channel: &ChannelId, thread: &ThreadId, message: &str, sign: &str) -> anyhow::Result<()> {
        let Some(Target { spot: Spot { team, channel: place }, .. }) = Target::of_thread(thread) else { return Ok(()) };
        let Some((_, ts)) = message.split_once('/') else { return Ok(()) };
        let body = json!({ "channel": place, "timestamp": ts, "name": sign });
        let react = async {
            let workspace = self.workspace(team).await?;
            self.api().repeat::<Done>(&workspace.token, "reactions.add", &body).await
        };
        match react.await {
            Ok(_) => self.app().step_works(channel, Step::Receipt).await,
            Err(Failure::Refused { code, why }) if code == "missing_scope" => {
                self.app()
                    .step_failed(channel, Step::Receipt, &trouble::no_receipts(&trouble::missing_scope(&why)))
                    .await
            }
            // There already, or the message is not there any more.
            Err(_) => Ok(()),
        }
    }
}
