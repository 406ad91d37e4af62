//! The delivery worker: claims rows of the outbox, commits, and only then talks to the chat service.

use std::time::Duration;

use anyhow::Result;
use futures_util::future::join_all;

use super::App;
use super::channels::{deleted, trouble};
use super::chat::{Chat, Post, SendError};
use super::reveal::tell_results;
use crate::domain::effect::{Audience, Effect, Place, Posted};
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::round::Round;
use crate::domain::text;
use crate::store::outbox::{self, Claimed};
use crate::store::rounds;

/// Rows under way at once: of different lanes, so they may be sent side by side.
pub const AT_ONCE: usize = 32;
/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// The longest that reading and grading a round may take.
const GRADE_WITHIN: Duration = Duration::from_secs(600);

/// What one pass of the worker did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    pub claimed: usize,
    pub sent: usize,
}

/// What became of one claimed row, when it did not fail.
pub(super) enum Done {
    /// Sent, or nothing to send any more; what is to be stored with that has been stored.
    Finished,
    Failed(SendError),
}

impl App {
    /// Claims what is due for a platform, sends it and waits for all of it. A running bot uses [`App::claim`] and [`App::carry`], so
    /// that nothing waits for the slowest.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub async fn deliver<C: Chat>(&self, chat: &C) -> Result<Delivered> {
        let claimed = self.claim(chat.platform(), AT_ONCE).await?;
        let sent = join_all(claimed.iter().map(|row| self.carry(chat, row))).await;
        Ok(Delivered { claimed: claimed.len(), sent: sent.into_iter().filter(|sent| *sent).count() })
    }

    /// Takes up to `at_most` due rows of a platform for this process; each is to be carried out at once.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub async fn claim(&self, platform: &'static str, at_most: usize) -> Result<Vec<Claimed>> {
        let now = self.now();
        let (lease_until, limit) = (now + self.clock.span(self.lease), i64::try_from(at_most)?);
        self.store
            .write("claim deliveries", move |conn| {
                Box::pin(async move { outbox::claim(conn, platform, now, lease_until, limit).await })
            })
            .await
    }

    /// Sends one claimed row; false when it did not get through and is tried again, or was given up.
    pub async fn carry<C: Chat>(&self, chat: &C, row: &Claimed) -> bool {
        let error = match self.deliver_one(chat, row).await {
            Ok(sent) => return sent,
            Err(error) => format!("{error:#}"),
        };
        tracing::error!(delivery = %row.id, error, "cannot finish a delivery");
        // Nobody knows how far it came. If this cannot be stored either, it is looked at again when the lease has ended.
        if let Err(error) = self.put_off(row, backoff(row.attempts), error, true).await {
            tracing::debug!(delivery = %row.id, error = format!("{error:#}"), "the lease decides when it is tried again");
        }
        false
    }

    /// When the next row is due, in real time from now; None when nothing waits.
    pub async fn next_delivery(&self, platform: &'static str) -> Result<Option<Duration>> {
        let due = self
            .store
            .read("look for deliveries", move |conn| Box::pin(async move { outbox::next_due(conn, platform).await }))
            .await?;
        let wait = |due: i64| {
            let ms = (due - self.now()).max(0) / self.clock.speed();
            Duration::from_millis(u64::try_from(ms).unwrap_or(0))
        };
        Ok(due.map(wait))
    }

    /// How long a chat service may take: shorter than the lease, so that nobody else has begun when the time is up.
    fn patience(&self) -> Duration {
        self.lease.mul_f64(0.6)
    }

    async fn deliver_one<C: Chat>(&self, chat: &C, row: &Claimed) -> Result<bool> {
        let limit = match &row.effect {
            // Grading thousands of answers may take its time; a second worker that begins too finds the round revealed.
            Effect::Collect { .. } => GRADE_WITHIN,
            _ => self.patience(),
        };
        let outcome = tokio::select! {
            outcome = tokio::time::timeout(limit, self.carry_out(chat, row)) => match outcome {
                Ok(outcome) => outcome?,
                Err(_) => Done::Failed(SendError::InDoubt { why: format!("no answer within {} s", limit.as_secs_f32()) }),
            },
            never = self.keep(row) => match never {},
        };
        let (wait, why, in_doubt) = match outcome {
            Done::Finished => return Ok(true),
            Done::Failed(error @ (SendError::Fatal { .. } | SendError::Gone { .. } | SendError::Deleted)) => {
                self.give_up(row, error, chat.posts_in_private()).await?;
                return Ok(false);
            }
            Done::Failed(SendError::Retry { after, why }) => (after.max(backoff(row.attempts)), why, false),
            Done::Failed(SendError::InDoubt { why }) => (backoff(row.attempts), why, true),
        };
        tracing::warn!(delivery = %row.id, attempts = row.attempts, wait_ms = wait.as_millis(), why, "will try a delivery again");
        self.put_off(row, wait, why, in_doubt).await?;
        Ok(false)
    }

    async fn put_off(&self, row: &Claimed, wait: Duration, why: String, in_doubt: bool) -> Result<()> {
        let (id, attempt, not_before) = (row.id.clone(), row.attempts, self.now() + self.clock.span(wait));
        self.store
            .write("put off a delivery", move |conn| {
                Box::pin(async move {
                    if in_doubt {
                        outbox::in_doubt(conn, &id, attempt, not_before, &why).await
                    } else {
                        outbox::refused(conn, &id, attempt, not_before, &why).await
                    }
                })
            })
            .await
    }

    /// Renews the lease of a row for as long as its attempt goes on: only reading and grading takes so long.
    async fn keep(&self, row: &Claimed) -> std::convert::Infallible {
        loop {
            tokio::time::sleep(self.patience()).await;
            let (id, attempt, lease_until) = (row.id.clone(), row.attempts, self.now() + self.clock.span(self.lease));
            let renewed = self.store.write("renew a lease", move |conn| {
                Box::pin(async move { outbox::renew(conn, &id, attempt, lease_until).await })
            });
            if let Err(error) = renewed.await {
                tracing::warn!(delivery = %row.id, error = format!("{error:#}"), "cannot renew a lease");
            }
        }
    }

    async fn carry_out<C: Chat>(&self, chat: &C, row: &Claimed) -> Result<Done> {
        match &row.effect {
            Effect::Question { round } => self.send_question(chat, row, round).await,
            Effect::Card { round } => self.send_card(chat, row, round).await,
            Effect::Collect { round } => self.collect(chat, row, round).await,
            Effect::Reveal { round, part } => self.send_reveal(chat, row, round, *part).await,
            Effect::Retell { round, .. } => self.retell(chat, row, round).await,
            Effect::Copying { round } => self.send_copying(chat, row, round).await,
            Effect::RetellCopying { round } => self.retell_copying(chat, row, round).await,
            Effect::Claim { claim, .. } => self.send_claim(chat, row, claim).await,
            Effect::Claimed { claim, .. } => self.edit_claim(chat, row, claim).await,
            Effect::Dispute { review, .. } => self.send_dispute(chat, row, review).await,
            Effect::Disputed { review, .. } => self.edit_dispute(chat, row, review).await,
            Effect::Ruled { round, member, ruling, was } => {
                self.send_ruled(chat, row, (round, member), *ruling, *was).await
            }
            Effect::Result { round, member } => self.send_result(chat, row, round, member).await,
            Effect::Scene { scene, part } => self.send_scene(chat, row, scene, *part).await,
            Effect::SceneCard { scene, part } => self.edit_scene(chat, row, scene, *part).await,
            Effect::Waiting { realm, .. } => self.send_waiting(chat, row, realm).await,
            Effect::Suggestion { suggestion, version, member } => {
                self.send_suggestion_outcome(chat, row, suggestion, *version, member).await
            }
            Effect::Flag { flag, version, member } => self.send_flag_outcome(chat, row, flag, *version, member).await,
            Effect::Notice { channel, text } => {
                let message = Message::say(text.clone()).toned(crate::domain::message::Tone::Warning);
                let place = Place { channel: channel.clone(), thread: None, audience: Audience::Organisers };
                match self.post_once(chat, row, post(row, &place, &message)).await {
                    Ok(posted) => self.finish(row, Some(posted.message)).await,
                    Err(error) => Ok(Done::Failed(error)),
                }
            }
        }
    }

    /// Posts with the row's key; looks first when an earlier attempt may have got through.
    pub(super) async fn post_once<C: Chat>(
        &self,
        chat: &C,
        row: &Claimed,
        post: Post<'_>,
    ) -> Result<Posted, SendError> {
        if row.in_doubt
            && let Some(posted) = chat.find(post).await?
        {
            return Ok(posted);
        }
        chat.post(post).await
    }

    pub(super) async fn finish(&self, row: &Claimed, message: Option<MessageId>) -> Result<Done> {
        let id = row.id.clone();
        self.store
            .write("finish a delivery", move |conn| {
                Box::pin(async move { outbox::sent(conn, &id, message.as_ref()).await })
            })
            .await?;
        Ok(Done::Finished)
    }

    /// Not even tried: it would fail as what came before it did. Tried again together with that; a card counts as shown until then.
    pub(super) async fn leave_out(&self, row: &Claimed, reason: String, card: Option<&Round>) -> Result<Done> {
        let (id, card) = (row.id.clone(), card.map(|round| (round.id.clone(), round.touched)));
        self.store
            .write("leave out a delivery", move |conn| {
                Box::pin(async move {
                    outbox::park(conn, &id, "failed", &reason).await?;
                    match card {
                        Some((round, touched)) => rounds::shown(conn, &round, touched).await,
                        None => Ok(()),
                    }
                })
            })
            .await?;
        Ok(Done::Finished)
    }

    /// `error` says whether it is this delivery that was refused, or anything in its channel.
    async fn give_up(&self, row: &Claimed, error: SendError, private: bool) -> Result<()> {
        let why = error.to_string();
        tracing::error!(delivery = %row.id, why, "a delivery failed for good");
        let (row, now) = (row.clone(), self.now());
        self.store
            .write("give up a delivery", move |conn| {
                Box::pin(async move {
                    if !outbox::park(conn, &row.id, "failed", &why).await? {
                        return Ok(());
                    }
                    let (what, id) = match &row.effect {
                        // Telling the organisers about a notice that cannot be told would go round in circles. What members could not
                        // be told of their suggestions stands in /suggest.
                        Effect::Notice { .. }
                        | Effect::Waiting { .. }
                        | Effect::Suggestion { .. }
                        | Effect::Flag { .. }
                        | Effect::Copying { .. }
                        | Effect::RetellCopying { .. }
                        | Effect::Dispute { .. }
                        | Effect::Disputed { .. }
                        | Effect::SceneCard { .. } => return Ok(()),
                        Effect::Scene { .. } => {
                            let notice = outbox::New::notice(&row.channel, text::scene_undelivered(&why), now);
                            outbox::add(conn, &[notice], now).await?;
                            return Ok(());
                        }
                        Effect::Question { round } => ("the question", round),
                        Effect::Card { round } => ("the new state of the card", round),
                        Effect::Collect { round } | Effect::Reveal { round, .. } | Effect::Retell { round, .. } => {
                            ("the reveal", round)
                        }
                        Effect::Result { round, .. } => ("somebody's result", round),
                        Effect::Claim { round, .. } | Effect::Claimed { round, .. } => ("a claim", round),
                        Effect::Ruled { round, .. } => ("what a ruling did to somebody's result", round),
                    };
                    let Some(round) = rounds::get(conn, id).await? else { return Ok(()) };
                    match &row.effect {
                        Effect::Question { .. } => rounds::missed(conn, id, &why).await?,
                        // Else the next tick would find the card out of date and try again, for ever.
                        Effect::Card { .. } => rounds::shown(conn, id, round.touched).await?,
                        Effect::Reveal { part, .. } if private => tell_results(conn, &round, *part, now).await?,
                        _ => {}
                    }
                    let notice = match error {
                        SendError::Deleted => deleted(conn, &row.channel, now).await?,
                        SendError::Gone { .. } => {
                            trouble(conn, &row.channel, Some((what, &round.slot)), &why, now).await?
                        }
                        _ => Some(outbox::New::notice(&row.channel, text::undelivered(what, &round.slot, &why), now)),
                    };
                    outbox::add(conn, notice.as_slice(), now).await?;
                    Ok(())
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(())
    }
}

/// A post of a row, with nothing beside it.
pub(super) fn post<'a>(row: &'a Claimed, place: &'a Place, message: &'a Message) -> Post<'a> {
    let since = row.created_at;
    Post { key: &row.id, place, message, opens_thread: None, since, ping: None, announces: false, labels: &[] }
}

/// 1 s, 2 s, 4 s .. 5 min.
fn backoff(attempts: i64) -> Duration {
    let doubled = 1_u64 << attempts.clamp(1, 10).unsigned_abs().saturating_sub(1);
    Duration::from_secs(doubled).min(LONGEST_WAIT)
}
