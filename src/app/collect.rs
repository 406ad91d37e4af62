//! The end of a round: its thread is read once more, the answers are graded, and the reveal is due. Threads are read again after a break too.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context, Result};

use super::channels::step_failed;
use super::chat::{Chat, SendError};
use super::deliver::Done;
use super::{App, rulings, tick};
use crate::domain::answer::{self, Part, ThreadMessage};
use crate::domain::command::Board;
use crate::domain::copying;
use crate::domain::effect::{Audience, Effect, Place};
use crate::domain::ids::{DeliveryId, MemberId, RoundId};
use crate::domain::question::Question;
use crate::domain::round::{self, Round, State};
use crate::domain::text;
use crate::store::channels::Step;
use crate::store::outbox::{self, Claimed};
use crate::store::rulings as store_rulings;
use crate::store::{answers, erased, members, rounds, schedules, scores, standings};

/// The longest that reading one thread may take: long ones come in pages, at the rate the service allows.
const READ_WITHIN: Duration = Duration::from_secs(300);

impl App {
    /// Reads the thread once more, grades, and stores scores, standings and the reveal in one transaction.
    pub(super) async fn collect<C: Chat>(&self, chat: &C, row: &Claimed, id: &RoundId) -> Result<Done> {
        let Some((round, question, _)) = self.round_view(id).await? else { return self.finish(row, None).await };
        if round.state != State::Closing {
            return self.finish(row, None).await;
        }
        let reads = self.reads_threads(round.channel.as_str()) && chat.reads_threads();
        if let (Some(thread), true) = (&round.thread, round.takes_thread(reads)) {
            let place =
                Place { channel: round.channel.clone(), thread: Some(thread.clone()), audience: Audience::Everyone };
            let read = tokio::time::timeout(READ_WITHIN, chat.replies(&place, thread)).await;
            let late =
                || SendError::Retry { after: Duration::ZERO, why: "the thread could not be read in time".to_owned() };
            match read.unwrap_or_else(|_| Err(late())) {
                Ok(messages) => {
                    self.reconcile(&round, messages).await?;
                    self.step_works(&round.channel, Step::Read).await?;
                }
                Err(error @ (SendError::Fatal { .. } | SendError::Gone { .. } | SendError::Deleted)) => {
                    tracing::error!(round = %id, why = %error, "cannot read a thread; grading what was received");
                    // Else the reveal will not get there either, and that is told.
                    if let SendError::Fatal { why } = error {
                        self.note_unread(&round, why).await?;
                    }
                }
                Err(error) => return Ok(Done::Failed(error)),
            }
        }
        let at = id.clone();
        let (parts, versions, hints) = self
            .store
            .read("read answers", move |conn| {
                Box::pin(async move {
                    let (parts, versions) = (answers::of_round(conn, &at).await?, answers::versions(conn, &at).await?);
                    Ok((parts, versions, rounds::hints(conn, &at).await?))
                })
            })
            .await?;
        let (asked, bank) = (question.clone(), self.bank());
        let rulings = self.rulings_for(&round).await?;
        let (graded, said) = tokio::task::spawn_blocking(move || {
            let graded = round::grade(&asked, bank.lexicon(), answer::assemble(&parts));
            (graded, copying::said(&parts, &versions))
        })
        .await
        .context("grading failed")?;
        let mut graded = self.judge_round(&round, &question, graded).await;
        // Without rulings a grade is kept too: another ruling begins from it.
        let mut before = rulings::apply(&question, &mut graded, &rulings);
        let asked = question.clone();
        let (graded, copies) = tokio::task::spawn_blocking(move || {
            let copies = copying::mark(&asked, &mut graded, &said);
            (graded, copies)
        })
        .await
        .context("looking for copied answers failed")?;
        for (member, unruled) in &mut before {
            unruled.copied =
                graded.iter().find(|one| one.answer.member == *member).and_then(|one| one.grade.copied.clone());
            unruled.recount(&question);
        }
        // In the order in which the reveal reads them back: it fills its messages in this order, and they are counted below.
        let mut scored = round::score(&question, graded, |member| hints.get(member).copied().unwrap_or(0));
        let now = self.now();
        let delivery = row.id.clone();
        let number_of_parts = self.count_parts(&round, &question, &scored).await?;
        let scored = self
            .store
            .write("score a round", move |conn| {
                Box::pin(async move {
                    store_rulings::turn(conn, &round.question).await?;
                    if rulings::rulings_in(conn, &round.channel, &round.question).await? != rulings {
                        return Ok(false);
                    }
                    if !erased::all(conn).await?.is_empty() {
                        // Somebody may have been erased while the answers were graded.
                        let left = answers::of_round(conn, &round.id).await?;
                        scored.retain(|one| left.iter().any(|part| part.member == one.member));
                    }
                    store_scores(conn, &round, &question, &scored, number_of_parts, &delivery, now).await?;
                    super::copying::store(conn, &round, &copies, &scored, now).await?;
                    for (member, graded) in &before {
                        store_rulings::put_graded(conn, &round.id, member, graded).await?;
                    }
                    erased::tidy(conn).await?;
                    Ok(true)
                })
            })
            .await?;
        if !scored {
            let why = "somebody ruled on an answer while the round was graded".to_owned();
            return Ok(Done::Failed(SendError::Retry { after: Duration::ZERO, why }));
        }
        self.outbox_bell.notify_waiters();
        Ok(Done::Finished)
    }

    async fn note_unread(&self, round: &Round, why: String) -> Result<()> {
        let (channel, words, now) = (round.channel.clone(), text::unread(&round.slot, &why), self.now());
        self.store
            .write("note an unread thread", move |conn| {
                Box::pin(async move { step_failed(conn, &channel, Step::Read, &why, &words, now).await })
            })
            .await
    }

    /// Makes the stored parts agree with the thread.
    async fn reconcile(&self, round: &Round, messages: Vec<ThreadMessage>) -> Result<()> {
        let (id, closed_at, now) = (round.id.clone(), round.closed_at.unwrap_or(i64::MAX), self.now());
        self.store
            .write("reconcile answers", move |conn| {
                Box::pin(async move {
                    let stored = answers::of_round(conn, &id).await?;
                    let messages = without_erased(conn, &stored, messages).await?;
                    let (changed, gone) = answer::reconcile(&stored, &messages, closed_at);
                    bring_in_line(conn, &id, &messages, &stored, &changed, &gone, now).await
                })
            })
            .await
    }

    /// Reads the threads of all open rounds of a platform, for messages whose events were lost while it was out of reach. How many
    /// rounds have changed.
    ///
    /// # Errors
    /// When the rounds, or some of the threads, cannot be read; the other threads have been read then. The collect step reads all again.
    pub async fn back_fill<C: Chat>(&self, chat: &C) -> Result<usize> {
        let platform = chat.platform();
        if !chat.reads_threads() || !self.reads_threads(platform) {
            return Ok(0);
        }
        let open = self
            .store
            .read("read open questions", move |conn| {
                Box::pin(async move { rounds::open_in_threads(conn, platform).await })
            })
            .await?;
        let (mut changed, mut failed) = (0, 0);
        for round in &open {
            match self.back_fill_one(chat, round).await {
                Ok(news) => changed += usize::from(news),
                Err(error) => {
                    tracing::warn!(round = %round.id, error = format!("{error:#}"), "cannot read an open thread again");
                    failed += 1;
                }
            }
        }
        anyhow::ensure!(failed == 0, "{failed} of {} open threads could not be read again", open.len());
        Ok(changed)
    }

    async fn back_fill_one<C: Chat>(&self, chat: &C, round: &Round) -> Result<bool> {
        let Some(thread) = &round.thread else { return Ok(false) };
        let at = round.id.clone();
        let before = self
            .store
            .read("read answers", move |conn| Box::pin(async move { answers::of_round(conn, &at).await }))
            .await?;
        let place =
            Place { channel: round.channel.clone(), thread: Some(thread.clone()), audience: Audience::Everyone };
        let read = tokio::time::timeout(READ_WITHIN, chat.replies(&place, thread)).await;
        let messages = match read.context("the thread could not be read in time")? {
            Ok(messages) => messages,
            // There is nothing to read any more.
            Err(SendError::Deleted) => return Ok(false),
            Err(error) => anyhow::bail!("{error}"),
        };
        let (id, now) = (round.id.clone(), self.now());
        self.store
            .write("back-fill answers", move |conn| {
                Box::pin(async move {
                    let stored = answers::of_round(conn, &id).await?;
                    let messages = without_erased(conn, &stored, messages).await?;
                    let (mut changed, mut gone) = answer::reconcile(&stored, &messages, i64::MAX);
                    // What has been heard while the thread was read is newer than what was read.
                    let find = |parts: &[Part], id: &str| parts.iter().find(|part| part.id == id).cloned();
                    let as_before = |id: &str| find(&stored, id) == find(&before, id);
                    changed.retain(|part| as_before(&part.id));
                    gone.retain(|id| as_before(id));
                    if changed.is_empty() && gone.is_empty() || !rounds::touch_open(conn, &id).await? {
                        return Ok(false);
                    }
                    bring_in_line(conn, &id, &messages, &stored, &changed, &gone, now).await?;
                    Ok(true)
                })
            })
            .await
    }
}

async fn store_scores(
    conn: &mut crate::store::Conn,
    round: &Round,
    question: &Question,
    scored: &[round::Scored],
    parts: usize,
    delivery: &DeliveryId,
    now: i64,
) -> Result<()> {
    let number = schedules::count_round(conn, &round.schedule).await?;
    if !rounds::revealed(conn, &round.id, i64::try_from(parts)?, number).await? {
        anyhow::bail!("the round {} was revealed by somebody else", round.id);
    }
    scores::insert(conn, round, number, &question.topic, scored, now).await?;
    let gains: Vec<standings::Gain> = scored
        .iter()
        .map(|one| standings::Gain { member: one.member.clone(), points: one.points, answered: 1 })
        .collect();
    standings::add(conn, &round.channel, Board::Daily, &question.topic, &round.period, &gains, now).await?;
    let members: Vec<&MemberId> = scored.iter().map(|one| &one.member).collect();
    scores::extend_streaks(conn, &round.schedule, number, &members).await?;
    let reveal: Vec<outbox::New> = (0..parts)
        .map(|part| outbox::New::at_once(&round.channel, Effect::Reveal { round: round.id.clone(), part }, now))
        .collect();
    outbox::add(conn, &reveal, now).await?;
    outbox::again(conn, &[tick::card(round, now)], now).await?;
    outbox::sent(conn, delivery, None).await?;
    Ok(())
}

/// Messages of a thread without those of members who have been erased since they wrote them. What such a member has saved anew stays.
async fn without_erased(
    conn: &mut crate::store::Conn,
    stored: &[Part],
    messages: Vec<ThreadMessage>,
) -> Result<Vec<ThreadMessage>> {
    let erased = erased::all(conn).await?;
    let known: HashSet<&str> = stored.iter().map(|part| part.id.as_str()).collect();
    let stays =
        |message: &ThreadMessage| known.contains(message.id.as_str()) || !erased.covers(&message.member, message.at);
    Ok(messages.into_iter().filter(stays).collect())
}

async fn bring_in_line(
    conn: &mut crate::store::Conn,
    round: &RoundId,
    messages: &[ThreadMessage],
    stored: &[Part],
    changed: &[Part],
    gone: &[String],
    now: i64,
) -> Result<()> {
    let ids: HashSet<&str> = changed.iter().map(|part| part.id.as_str()).collect();
    for message in messages.iter().filter(|message| ids.contains(message.id.as_str())) {
        members::met(conn, &message.member, message.name.as_deref(), now).await?;
    }
    answers::keep_versions(conn, round, stored, changed, now).await?;
    answers::put_many(conn, round, changed).await?;
    for part in gone {
        answers::delete(conn, round, part).await?;
    }
    Ok(())
}
