//! Slack's part of the inbox: names, and the receipts under what people write in threads.

use std::sync::Arc;

use serde_json::json;

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

impl Hears for Slack {
    fn app(&self) -> &Arc<App> {
        Slack::app(self)
    }

    fn inbox(&self) -> &Inbox {
        &self.0.inbox
    }

    fn called(&self, id: &MemberId, name: Option<&str>) -> String {
        let Some((team, user)) = member(id) else { return id.to_string() };
        if let Some(known) = name.map(str::to_owned).or_else(|| self.known_name(team, user)) {
            return known;
        }
        // Slack's messages do not say. Who appears under an id for a moment gets the name as soon as it is known.
        let Ok(permit) = self.0.names.clone().try_acquire_owned() else { return user.to_owned() };
        let (slack, id, user_id, team) = (self.clone(), id.clone(), user.to_owned(), team.to_owned());
        tokio::spawn(async move {
            let _permit = permit;
            let Ok(workspace) = slack.workspace(&team).await else { return };
            let Some(person) = slack.person(&workspace, &user_id).await else { return };
            if let Err(error) = slack.app().is_called(&id, &person.name).await {
                tracing::warn!(error = format!("{error:#}"), "cannot note what somebody is called");
            }
        });
        user.to_owned()
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
                self.app().step_failed(channel, Step::Receipt, &trouble::no_receipts(&why)).await
            }
            // There already, or the message is not there any more.
            Err(_) => Ok(()),
        }
    }
}
