//! The question of a round goes out, and its card is kept up to date; or it is missed.

use anyhow::Result;

use super::channels::step_failed;
use super::chat::{Chat, Post};
use super::deliver::{Done, post};
use super::{App, tick};
use crate::domain::effect::{Audience, Place, Posted};
use crate::domain::ids::RoundId;
use crate::domain::message::Message;
use crate::domain::question::Question;
use crate::domain::round::{Round, State};
use crate::domain::text::{self, CardView};
use crate::store::channels::Step;
use crate::store::outbox::{self, Claimed};
use crate::store::{answers, channels, rounds, schedules};

impl App {
    pub(super) async fn send_question<C: Chat>(&self, chat: &C, row: &Claimed, id: &RoundId) -> Result<Done> {
        let Some((round, question, answered)) = self.round_view(id).await? else { return self.finish(row, None).await };
        if !matches!(round.state, State::Open | State::Closing) {
            return self.finish(row, None).await;
        }
        let message = self.card_of(&round, &question, answered);
        let title = text::thread_title(&question);
        let place = Place { channel: round.channel.clone(), thread: None, audience: Audience::Everyone };
        let (schedule, channel) = (round.schedule.clone(), round.channel.clone());
        let (schedule, condition) = self
            .store
            .read("read a schedule and its channel", move |conn| {
                Box::pin(async move {
                    Ok((schedules::get(conn, &schedule).await?, channels::condition(conn, &channel).await?))
                })
            })
            .await?;
        if let Some(condition) = condition.filter(|condition| condition.lost) {
            return self.miss(row, &round, condition.trouble).await;
        }
        let planned = schedule.and_then(|row| self.planned(&row.spec));
        let labels = [question.topic.clone(), self.topic_title(&question.topic), question.level.as_str().to_owned()];
        let post = Post {
            opens_thread: Some(&title),
            ping: planned.as_ref().map(|planned| planned.spec.ping.as_str()).filter(|ping| !ping.is_empty()),
            labels: &labels,
            ..post(row, &place, &message)
        };
        if row.not_after.is_some_and(|not_after| self.now() > not_after) {
            // Too late to begin; but an earlier attempt may have got through.
            let found = if row.in_doubt { chat.find(post).await } else { Ok(None) };
            return match found {
                Ok(Some(posted)) => self.question_is_out(row, &round, posted).await,
                Ok(None) => self.expire(row, &round).await,
                Err(error) => Ok(Done::Failed(error)),
            };
        }
        match self.post_once(chat, row, post).await {
            Ok(posted) => self.question_is_out(row, &round, posted).await,
            Err(error) => Ok(Done::Failed(error)),
        }
    }

    async fn question_is_out(&self, row: &Claimed, round: &Round, posted: Posted) -> Result<Done> {
        let (id, round, now) = (row.id.clone(), round.clone(), self.now());
        self.store
            .write("note a posted question", move |conn| {
                Box::pin(async move {
                    if !outbox::sent(conn, &id, Some(&posted.message)).await? {
                        return Ok(());
                    }
                    rounds::posted(conn, &round.id, &posted.message, posted.thread.as_ref()).await?;
                    rounds::shown(conn, &round.id, round.touched).await?;
                    if channels::is_well(conn, &round.channel).await? {
                        tracing::info!(channel = %round.channel, "a question got through again");
                        outbox::once_more(conn, &round.channel, now).await?;
                    }
                    if posted.thread.is_none() {
                        // It has offered a thread that is not there.
                        outbox::again(conn, &[tick::card(&round, now)], now).await?;
                    }
                    match &posted.trouble {
                        Some(why) => {
                            let words = text::half_posted(&round.slot, why);
                            step_failed(conn, &round.channel, Step::Question, why, &words, now).await
                        }
                        None => channels::step_works(conn, &round.channel, Step::Question).await,
                    }
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(Done::Finished)
    }

    /// A question whose channel is known to be out of reach is not tried, and nobody is told again.
    async fn miss(&self, row: &Claimed, round: &Round, reason: String) -> Result<Done> {
        let (id, round) = (row.id.clone(), round.id.clone());
        self.store
            .write("miss a question", move |conn| {
                Box::pin(async move {
                    if outbox::park(conn, &id, "expired", &reason).await? {
                        rounds::missed(conn, &round, &reason).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        Ok(Done::Finished)
    }

    /// A question that could not be posted before its reveal was due is not posted at all.
    pub(super) async fn expire(&self, row: &Claimed, round: &Round) -> Result<Done> {
        let (id, round, now) = (row.id.clone(), round.clone(), self.now());
        tracing::error!(delivery = %id, slot = round.slot, "a question expired before it could be posted");
        self.store
            .write("expire a question", move |conn| {
                Box::pin(async move {
                    let reason = "the chat service could not be reached in time";
                    if outbox::park(conn, &id, "expired", reason).await? {
                        rounds::missed(conn, &round.id, reason).await?;
                        let text = text::not_posted(&round.slot, reason);
                        outbox::add(conn, &[outbox::New::notice(&round.channel, text, now)], now).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        Ok(Done::Finished)
    }

    pub(super) async fn send_card<C: Chat>(&self, chat: &C, row: &Claimed, id: &RoundId) -> Result<Done> {
        let Some((round, question, answered)) = self.round_view(id).await? else { return self.finish(row, None).await };
        let Some(target) = round.message.clone() else { return self.finish(row, None).await };
        if let Some(condition) = self.condition(&round.channel).await?.filter(|condition| condition.lost) {
            // It is brought up to date when the channel is back.
            return self.leave_out(row, condition.trouble, Some(&round)).await;
        }
        let message = self.card_of(&round, &question, answered);
        let place = Place { channel: round.channel.clone(), thread: None, audience: Audience::Everyone };
        if let Err(error) = chat.edit(&place, &target, &message).await {
            return Ok(Done::Failed(error));
        }
        let (id, row_id) = (id.clone(), row.id.clone());
        self.store
            .write("note a refreshed card", move |conn| {
                Box::pin(async move {
                    rounds::shown(conn, &id, round.touched).await?;
                    outbox::sent(conn, &row_id, None).await
                })
            })
            .await?;
        Ok(Done::Finished)
    }

    fn card_of(&self, round: &Round, question: &Question, answered: i64) -> Message {
        let reads_threads = self.reads_threads(round.channel.as_str());
        text::card(&CardView { round, question, topic: &self.topic_title(&question.topic), answered, reads_threads })
    }

    /// A round with its question and how many have answered.
    pub(super) async fn round_view(&self, id: &RoundId) -> Result<Option<(Round, Question, i64)>> {
        let id = id.clone();
        self.store
            .read("read a round", move |conn| {
                Box::pin(async move {
                    let Some(round) = rounds::get(conn, &id).await?.filter(|round| !round.snapshot.is_empty()) else {
                        return Ok(None);
                    };
                    let question = rounds::snapshot(conn, &round.snapshot).await?;
                    let answered = answers::count(conn, &id).await?;
                    Ok(Some((round, question, answered)))
                })
            })
            .await
    }
}
