//! Who is told what about suggestions and flags: organisers that something waits, authors what became of it.

use std::time::Duration;

use anyhow::Result;

use super::App;
use super::chat::{Chat, SendError};
use super::deliver::{Done, post};
use crate::domain::effect::{Audience, Place};
use crate::domain::ids::{FlagId, MemberId, SuggestionId};
use crate::domain::message::Message;
use crate::domain::text;
use crate::store::outbox::{self, Claimed};
use crate::store::{flags, suggestions};

/// More than are ever told by number.
const COUNTED: i64 = 1_000;

impl App {
    /// Tells the organisers of a group that something waits, if it still does.
    pub(super) async fn send_waiting<C: Chat>(&self, chat: &C, row: &Claimed, realm: &str) -> Result<Done> {
        let at = realm.to_owned();
        let (suggested, flagged) = self
            .store
            .read("count what waits", move |conn| {
                Box::pin(async move {
                    let suggested = suggestions::open(conn, &at, COUNTED).await?.len();
                    Ok((suggested, flags::open(conn, &at, COUNTED).await?.len()))
                })
            })
            .await?;
        let place = Place { channel: row.channel.clone(), thread: None, audience: Audience::Organisers };
        let message = text::queue::waiting(suggested, flagged);
        let posted = match (suggested + flagged > 0, row.in_doubt) {
            (true, _) => self.post_once(chat, row, post(row, &place, &message)).await.map(Some),
            // Withdrawn before it was told; unless that happened while nobody knew.
            (false, true) => chat.find(post(row, &place, &message)).await,
            (false, false) => Ok(None),
        };
        match posted {
            Ok(Some(posted)) => self.finish(row, Some(posted.message)).await,
            Ok(None) => {
                let (id, realm) = (row.id.clone(), realm.to_owned());
                let done = self
                    .store
                    .write("note that nothing waits", move |conn| {
                        Box::pin(async move {
                            suggestions::turn(conn, &realm).await?;
                            let waits = !suggestions::open(conn, &realm, 1).await?.is_empty()
                                || !flags::open(conn, &realm, 1).await?.is_empty();
                            if waits {
                                return Ok(false);
                            }
                            // The next one is told again.
                            suggestions::looked(conn, &realm).await?;
                            outbox::sent(conn, &id, None).await?;
                            Ok(true)
                        })
                    })
                    .await?;
                let why = || "something was sent meanwhile".to_owned();
                Ok(if done {
                    Done::Finished
                } else {
                    Done::Failed(SendError::Retry { after: Duration::ZERO, why: why() })
                })
            }
            Err(error) => Ok(Done::Failed(error)),
        }
    }

    /// Tells a member what became of their suggestion.
    pub(super) async fn send_suggestion_outcome<C: Chat>(
        &self,
        chat: &C,
        row: &Claimed,
        id: &SuggestionId,
        version: i64,
        member: &MemberId,
    ) -> Result<Done> {
        let id = id.clone();
        let found = self
            .store
            .read("read a suggestion", move |conn| Box::pin(async move { suggestions::get(conn, &id).await }))
            .await?;
        // What has changed since then is told by a word of its own; whose author was erased is told nobody.
        let found = found.filter(|found| found.version == version && found.member.as_ref() == Some(member));
        self.send_outcome(chat, row, found.and_then(|found| text::suggestion_outcome(&found)), member).await
    }

    /// Tells a member what became of their flag.
    pub(super) async fn send_flag_outcome<C: Chat>(
        &self,
        chat: &C,
        row: &Claimed,
        id: &FlagId,
        version: i64,
        member: &MemberId,
    ) -> Result<Done> {
        let id = id.clone();
        let found =
            self.store.read("read a flag", move |conn| Box::pin(async move { flags::get(conn, &id).await })).await?;
        let found = found.filter(|found| found.version == version && found.member == *member);
        self.send_outcome(chat, row, found.and_then(|found| text::flag_outcome(&found)), member).await
    }

    async fn send_outcome<C: Chat>(
        &self,
        chat: &C,
        row: &Claimed,
        message: Option<Message>,
        member: &MemberId,
    ) -> Result<Done> {
        let in_time = row.not_after.is_none_or(|not_after| self.now() <= not_after);
        let Some(message) = message.filter(|_| in_time) else { return self.finish(row, None).await };
        let place = Place { channel: row.channel.clone(), thread: None, audience: Audience::Member(member.clone()) };
        match self.post_once(chat, row, post(row, &place, &message)).await {
            Ok(posted) => self.finish(row, Some(posted.message)).await,
            Err(error) => Ok(Done::Failed(error)),
        }
    }
}
