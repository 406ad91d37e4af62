//! The delivery worker: claims rows of the outbox, commits, and only then talks to the chat service.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::future::join_all;

use super::channels::{deleted, step_failed, trouble};
use super::chat::{Chat, Post, SendError};
use super::{App, reviews, rulings, tick};
use crate::domain::answer::{self, Part, ThreadMessage};
use crate::domain::command::Board;
use crate::domain::copying;
use crate::domain::effect::{Audience, Effect, Place, Posted};
use crate::domain::flag::About;
use crate::domain::ids::{DeliveryId, MemberId, MessageId, RoundId};
use crate::domain::message::Message;
use crate::domain::question::Question;
use crate::domain::round::{self, Round, State};
use crate::domain::ruling::ClaimState;
use crate::domain::text::{self, CardView, NamedAnswer, Reveal};
use crate::store::channels::Step;
use crate::store::outbox::{self, Claimed};
use crate::store::rulings as store_rulings;
use crate::store::scores::Score;
use crate::store::{answers, channels, claims, erased, members, rounds, schedules, scores, standings};

/// Rows under way at once: of different lanes, so they may be sent side by side.
pub const AT_ONCE: usize = 32;
/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// The longest that reading and grading a round may take.
const GRADE_WITHIN: Duration = Duration::from_secs(600);
/// The longest that reading one thread may take: long ones come in pages, at the rate the service allows.
pub(super) const READ_WITHIN: Duration = Duration::from_secs(300);

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

    async fn send_question<C: Chat>(&self, chat: &C, row: &Claimed, id: &RoundId) -> Result<Done> {
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
    async fn expire(&self, row: &Claimed, round: &Round) -> Result<Done> {
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

    async fn send_card<C: Chat>(&self, chat: &C, row: &Claimed, id: &RoundId) -> Result<Done> {
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

    /// Not even tried: it would fail as what came before it did. Tried again together with that; a card counts as shown until then.
    async fn leave_out(&self, row: &Claimed, reason: String, card: Option<&Round>) -> Result<Done> {
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

    /// Reads the thread once more, grades, and stores scores, standings and the reveal in one transaction.
    async fn collect<C: Chat>(&self, chat: &C, row: &Claimed, id: &RoundId) -> Result<Done> {
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

    async fn count_parts(&self, round: &Round, question: &Question, scored: &[round::Scored]) -> Result<usize> {
        let ids: Vec<MemberId> = scored.iter().map(|one| one.member.clone()).collect();
        let (names, texts) = self.names_and_texts(&round.id, ids).await?;
        let answers = scored
            .iter()
            .map(|one| NamedAnswer {
                name: name_of(&names, &one.member),
                text: texts.get(&one.member).map_or("", String::as_str),
                grade: &one.grade,
                coverage: one.coverage,
            })
            .collect();
        Ok(text::reveal(&Reveal { round, question, answers, teaser: None }).len())
    }

    async fn send_reveal<C: Chat>(&self, chat: &C, row: &Claimed, id: &RoundId, part: usize) -> Result<Done> {
        let Some((round, question, _)) = self.round_view(id).await? else { return self.finish(row, None).await };
        let place =
            Place { channel: round.channel.clone(), thread: round.thread.clone(), audience: Audience::Everyone };
        if part > 0 {
            // The parts come in order: behind one that was given up, none.
            let before = Effect::Reveal { round: id.clone(), part: part - 1 }.delivery_id();
            let failed = self.store.read("look at the part before", move |conn| {
                Box::pin(async move { outbox::has_failed(conn, &before).await })
            });
            if failed.await? {
                return self.leave_out(row, "the part before it did not get through".to_owned(), None).await;
            }
        }
        // There is none when the answers of the part have been erased in the meantime.
        let posted = match self.reveal_parts(&round, &question).await?.into_iter().nth(part) {
            Some(message) => {
                let post = Post { announces: part == 0, ..post(row, &place, &message) };
                match self.post_once(chat, row, post).await {
                    Ok(posted) => Some(posted),
                    Err(error) => return Ok(Done::Failed(error)),
                }
            }
            None => None,
        };
        let (id, private, now) = (row.id.clone(), chat.posts_in_private(), self.now());
        self.store
            .write("note a posted reveal", move |conn| {
                Box::pin(async move {
                    let message = posted.as_ref().map(|posted| &posted.message);
                    if !outbox::sent(conn, &id, message).await? {
                        return Ok(());
                    }
                    match posted.as_ref().map(|posted| posted.trouble.as_deref()) {
                        Some(Some(why)) => {
                            let words = text::half_revealed(&round.slot, why);
                            step_failed(conn, &round.channel, Step::Reveal, why, &words, now).await?;
                        }
                        Some(None) => channels::step_works(conn, &round.channel, Step::Reveal).await?,
                        None => {}
                    }
                    if private { tell_results(conn, &round, part, now).await } else { Ok(()) }
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(Done::Finished)
    }

    /// Renders a posted reveal anew, message by message.
    async fn retell<C: Chat>(&self, chat: &C, row: &Claimed, id: &RoundId) -> Result<Done> {
        let Some((round, question, _)) = self.round_view(id).await? else { return self.finish(row, None).await };
        let mut parts = self.reveal_parts(&round, &question).await?.into_iter();
        let place =
            Place { channel: round.channel.clone(), thread: round.thread.clone(), audience: Audience::Everyone };
        for part in 0..usize::try_from(round.parts)? {
            let delivery = Effect::Reveal { round: id.clone(), part }.delivery_id();
            let posted = self
                .store
                .read("look for a posted reveal", move |conn| {
                    Box::pin(async move { outbox::message_of(conn, &delivery).await })
                })
                .await?;
            let message = parts.next().unwrap_or_else(text::erased_part);
            let Some(target) = posted else { continue };
            match chat.edit(&place, &target, &message).await {
                // A part that somebody deleted has nobody's name in it any more.
                Ok(()) | Err(SendError::Fatal { .. }) => {}
                Err(error) => return Ok(Done::Failed(error)),
            }
        }
        self.finish(row, None).await
    }

    async fn reveal_parts(&self, round: &Round, question: &Question) -> Result<Vec<Message>> {
        let id = round.id.clone();
        let mut scores: Vec<Score> = self
            .store
            .read("read scores", move |conn| Box::pin(async move { scores::of_round(conn, &id).await }))
            .await?;
        // Databases differ in how they order ids; `count_parts` must find the same order, and so must whoever tells it anew.
        scores.sort_by(|a, b| (b.placed, &a.member).cmp(&(a.placed, &b.member)));
        let (names, texts) =
            self.names_and_texts(&round.id, scores.iter().map(|score| score.member.clone()).collect()).await?;
        let answers = scores
            .iter()
            .map(|score| NamedAnswer {
                name: name_of(&names, &score.member),
                text: texts.get(&score.member).map_or("", String::as_str),
                grade: &score.grade,
                coverage: score.coverage,
            })
            .collect();
        let bank = self.bank();
        let teaser = question.follow_ups.iter().find_map(|id| bank.get(id).map(|next| next.prompt.clone()));
        Ok(text::reveal(&Reveal { round, question, answers, teaser }))
    }

    async fn names_and_texts(
        &self,
        round: &RoundId,
        ids: Vec<MemberId>,
    ) -> Result<(HashMap<MemberId, String>, HashMap<MemberId, String>)> {
        let round = round.clone();
        self.store
            .read("read names and answers", move |conn| {
                Box::pin(async move {
                    let names = members::names(conn, &ids).await?;
                    let parts = answers::of_round(conn, &round).await?;
                    let texts = answer::assemble(&parts).into_iter().map(|one| (one.member, one.text)).collect();
                    Ok((names, texts))
                })
            })
            .await
    }

    async fn send_result<C: Chat>(&self, chat: &C, row: &Claimed, id: &RoundId, member: &MemberId) -> Result<Done> {
        let Some((round, ..)) = self.round_view(id).await? else { return self.finish(row, None).await };
        let Some(message) = self.result_of(id, member).await? else { return self.finish(row, None).await };
        let place = Place { channel: round.channel, thread: None, audience: Audience::Member(member.clone()) };
        match self.post_once(chat, row, post(row, &place, &message)).await {
            Ok(posted) => self.finish(row, Some(posted.message)).await,
            Err(error) => Ok(Done::Failed(error)),
        }
    }

    /// A member's private result of a revealed round; None when there is none (any more).
    pub(super) async fn result_of(&self, round: &RoundId, member: &MemberId) -> Result<Option<Message>> {
        let (round, member) = (round.clone(), member.clone());
        self.store
            .read("read a result", move |conn| {
                Box::pin(async move {
                    let Some(score) = scores::get(conn, &round, &member).await? else { return Ok(None) };
                    let Some(row) = rounds::get(conn, &round).await? else { return Ok(None) };
                    let question = rounds::snapshot(conn, &row.snapshot).await?;
                    let parts = answers::of_member(conn, &round, &member).await?;
                    let answer = answer::assemble(&parts).into_iter().next().map(|one| one.text).unwrap_or_default();
                    let mut message = text::my_result(
                        &question,
                        &answer,
                        answer::confidence(&parts),
                        &score.grade,
                        score.hints,
                        score.coverage,
                        score.points,
                    );
                    let claims = claims::of_member(conn, &round, &member).await?;
                    let claimed: Vec<usize> =
                        claims.iter().filter(|one| one.state != ClaimState::Draft).map(|one| one.point).collect();
                    message.buttons = text::claim_buttons(&round, &question, &score.grade, &claimed);
                    if !message.buttons.is_empty() {
                        message.blocks.push(text::may_claim());
                    }
                    let (readers, left) = reviews::for_result(conn, &round, &member, &score.grade).await?;
                    message.blocks.extend(text::confirmed_by_readers(&question, &score.grade, &readers));
                    message.buttons.extend(left.then(|| text::review_button(&round)));
                    message.buttons.push(text::flag_button(About::Round(round)));
                    Ok(Some(message))
                })
            })
            .await
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

/// A post of a row, with nothing beside it.
pub(super) fn post<'a>(row: &'a Claimed, place: &'a Place, message: &'a Message) -> Post<'a> {
    let since = row.created_at;
    Post { key: &row.id, place, message, opens_thread: None, since, ping: None, announces: false, labels: &[] }
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

/// After the last part of a reveal everybody gets their own result: never before the answer is out.
async fn tell_results(conn: &mut crate::store::Conn, round: &Round, part: usize, now: i64) -> Result<()> {
    if part + 1 < usize::try_from(round.parts)? {
        return Ok(());
    }
    let results: Vec<outbox::New> = scores::of_round(conn, &round.id)
        .await?
        .into_iter()
        .map(|score| {
            let effect = Effect::Result { round: round.id.clone(), member: score.member };
            outbox::New::at_once(&round.channel, effect, now)
        })
        .collect();
    outbox::add(conn, &results, now).await?;
    Ok(())
}

pub(super) fn name_of(names: &HashMap<MemberId, String>, member: &MemberId) -> String {
    names.get(member).cloned().unwrap_or_else(|| "somebody who left".to_owned())
}

/// 1 s, 2 s, 4 s .. 5 min.
fn backoff(attempts: i64) -> Duration {
    let doubled = 1_u64 << attempts.clamp(1, 10).unsigned_abs().saturating_sub(1);
    Duration::from_secs(doubled).min(LONGEST_WAIT)
}
