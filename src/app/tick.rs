//! `tick` asks what should exist by now, never whether a timer fired.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};

use anyhow::Result;

use super::{App, Planned, stamp};
use crate::domain::effect::Effect;
use crate::domain::ids::{ChannelId, QuestionId, RoundId, ScheduleId, seed_of};
use crate::domain::pick::pick;
use crate::domain::question::Question;
use crate::domain::round::{Period, Round, State};
use crate::domain::schedule::Slot;
use crate::domain::text;
use crate::store::{Conn, channels, outbox, rounds, schedules};

/// How many due schedules one transaction opens: many share the pages they touch, others wait for it.
const BATCH: i64 = 2_000;
/// How many missed slots of one schedule are recorded one by one before the rest is passed over.
const MISSED_AT_ONCE: usize = 40;
/// A clock that goes back further than this has been set.
const CLOCK_SET_BACK_MS: i64 = 60_000;
/// A late question may always be this late, whatever the catch-up window says: the time a tick and a delivery need.
const GRACE_MS: i64 = 10 * 60_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// The organisers hear when so many questions are left unseen.
const LOW: usize = 5;

/// One slot that has come: a question to open, or a gap to record.
struct Due {
    schedule: schedules::Row,
    planned: Option<Arc<Planned>>,
    slot: Slot,
    advance: schedules::Advance,
    missed: Vec<Slot>,
    open: bool,
}

impl App {
    /// Opens and closes what is due. Doing it twice is doing it once.
    pub async fn tick(&self) -> Result<()> {
        let now = self.now();
        let before = self.last_tick.lock().unwrap_or_else(PoisonError::into_inner).replace(now);
        if before.is_some_and(|before| now < before - CLOCK_SET_BACK_MS) {
            tracing::warn!(before_ms = before, now_ms = now, "the clock was set back; looking at all schedules again");
            self.realign().await?;
        }
        self.refresh_own().await?;
        let opened = self.open_due(now).await?;
        let closed = self.close_due(now).await?;
        let refreshed = self.refresh_cards(now).await?;
        if opened + closed + refreshed > 0 {
            self.outbox_bell.notify_waiters();
        }
        self.tidy(now).await
    }

    async fn open_due(&self, now: i64) -> Result<usize> {
        let mut opened = 0;
        loop {
            let due = self
                .store
                .read("look for due questions", |conn| Box::pin(async move { schedules::due(conn, now, BATCH).await }))
                .await?;
            if due.is_empty() {
                return Ok(opened);
            }
            let due: Vec<Due> = due.into_iter().map(|row| self.judge(row, now)).collect();
            let realms = self.realms_of(due.iter().map(|due| due.schedule.channel.clone()).collect()).await?;
            let candidates: HashMap<ScheduleId, Arc<Vec<Arc<Question>>>> = due
                .iter()
                .filter_map(|due| {
                    let planned = due.planned.as_ref()?;
                    let realm = realms.get(&due.schedule.channel).map_or("", String::as_str);
                    Some((due.schedule.id.clone(), self.candidates(realm, &planned.filter)))
                })
                .collect();
            opened += self
                .store
                .write("open due questions", move |conn| {
                    Box::pin(async move { open(conn, due, &candidates, now).await })
                })
                .await?;
        }
    }

    /// What becomes of a schedule whose slot has come.
    fn judge(&self, schedule: schedules::Row, now: i64) -> Due {
        let planned = self.planned(&schedule.spec);
        let from = schedule.next_at.unwrap_or(now);
        let mut slot = Slot {
            local: schedule.next_slot.as_deref().and_then(|slot| slot.parse().ok()).unwrap_or_default(),
            at: stamp(from),
        };
        let mut missed = Vec::new();
        let mut open = true;
        let next = planned.as_ref().and_then(|planned| {
            let plan = &planned.plan;
            while plan.is_too_late(&slot, stamp(now.saturating_sub(GRACE_MS))) {
                missed.push(slot);
                let far_behind = missed.len() >= MISSED_AT_ONCE;
                let behind = stamp(now.saturating_sub(DAY_MS)).max(slot.at);
                let next = plan.next_after(if far_behind { behind } else { slot.at })?;
                if next.at.as_millisecond() > now || far_behind {
                    open = false;
                    return Some(next);
                }
                slot = next;
            }
            plan.next_after(slot.at)
        });
        let advance = schedules::Advance {
            id: schedule.id.clone(),
            from,
            next_at: next.as_ref().map(|slot| slot.at.as_millisecond()),
            next_slot: next.map(|slot| slot.key()),
        };
        Due { schedule, planned, slot, advance, missed, open }
    }

    /// Looks at every schedule anew: after a start, a change of the configuration, or a clock that was set back. A slot that has its
    /// round already keeps it, whatever the clock says.
    pub(super) async fn realign(&self) -> Result<()> {
        let now = self.now();
        let all = self.store.read("read schedules", |conn| Box::pin(async move { schedules::all(conn).await })).await?;
        let mut changed = Vec::new();
        for row in all.into_iter().filter(|row| !row.paused) {
            let next = self.planned(&row.spec).and_then(|planned| planned.plan.next_after(stamp(now)));
            let next_at = next.as_ref().map(|slot| slot.at.as_millisecond());
            // A slot in the past waits for its tick; one further ahead than the plan says comes from a wrong clock, or from
            // /daily skip.
            let ahead = match (row.next_at, next_at) {
                (Some(stored), Some(next)) => stored > next,
                (None, next) => next.is_some(),
                (Some(_), None) => false,
            };
            if !ahead {
                continue;
            }
            let next = self.next_free(&row.id, &row.spec, now).await?;
            let next_at = next.as_ref().map(|slot| slot.at.as_millisecond());
            if next_at != row.next_at {
                changed.push(schedules::Row { next_at, next_slot: next.map(|slot| slot.key()), ..row });
            }
        }
        self.store
            .write("realign schedules", move |conn| {
                Box::pin(async move {
                    rounds::forget_missed_after(conn, now).await?;
                    outbox::pull_back(conn, now, now + HOUR_MS).await?;
                    for row in &changed {
                        schedules::put(conn, row, now).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// The first slot after `after` that an organiser has not left out already.
    pub(super) async fn next_free(&self, schedule: &ScheduleId, spec: &str, after: i64) -> Result<Option<Slot>> {
        let Some(planned) = self.planned(spec) else { return Ok(None) };
        let mut next = planned.plan.next_after(stamp(after));
        while let Some(slot) = &next {
            let id = RoundId::of(schedule, &slot.key());
            let round = self
                .store
                .read("look for a skipped question", move |conn| Box::pin(async move { rounds::get(conn, &id).await }))
                .await?;
            if round.is_none_or(|round| round.state != State::Skipped) {
                break;
            }
            next = planned.plan.next_after(slot.at);
        }
        Ok(next)
    }

    async fn close_due(&self, now: i64) -> Result<usize> {
        let mut closed = 0;
        loop {
            let due = self
                .store
                .read("look for due reveals", |conn| Box::pin(async move { rounds::due(conn, now, BATCH).await }))
                .await?;
            if due.is_empty() {
                return Ok(closed);
            }
            closed += self
                .store
                .write("close due questions", move |conn| Box::pin(async move { close(conn, &due, now).await }))
                .await?;
        }
    }

    /// Brings the cards up to date whose count has changed, not more often than about every second.
    async fn refresh_cards(&self, now: i64) -> Result<usize> {
        let changed = std::mem::take(&mut self.threads.lock().unwrap_or_else(PoisonError::into_inner).changed);
        for platform in changed {
            self.store
                .write("touch all cards", move |conn| Box::pin(async move { rounds::touch_all(conn, platform).await }))
                .await?;
        }
        let stale = self
            .store
            .read("look for stale cards", |conn| Box::pin(async move { rounds::stale_cards(conn, BATCH).await }))
            .await?;
        if stale.is_empty() {
            return Ok(0);
        }
        let cards: Vec<outbox::New> = stale.iter().map(|round| card(round, now)).collect();
        self.store
            .write("refresh cards", move |conn| {
                Box::pin(async move { Ok(usize::try_from(outbox::again(conn, &cards, now).await?).unwrap_or(0)) })
            })
            .await
    }

    /// Once a day: drops what nobody needs any more.
    async fn tidy(&self, now: i64) -> Result<()> {
        {
            let mut last = self.last_tidy.lock().unwrap_or_else(PoisonError::into_inner);
            if now < *last + DAY_MS && now >= *last {
                return Ok(());
            }
            *last = now;
        }
        self.store
            .write("tidy up", move |conn| {
                Box::pin(async move {
                    outbox::tidy(conn, now - 30 * DAY_MS).await?;
                    crate::store::web::tidy(conn, now - 30 * DAY_MS).await?;
                    crate::store::verdicts::tidy(conn, now - 90 * DAY_MS).await?;
                    crate::store::drafts::tidy(conn, now - 30 * DAY_MS).await?;
                    Ok(())
                })
            })
            .await
    }
}

/// A card to be brought up to date.
pub(super) fn card(round: &Round, now: i64) -> outbox::New {
    outbox::New::at_once(&round.channel, Effect::Card { round: round.id.clone() }, now)
}

/// Closes open rounds: from here on answers are late. How many were still open. Rows are taken in the order of their ids, and all of
/// them before the outbox's counter, so that two instances cannot wait for each other.
pub(super) async fn close(conn: &mut Conn, due: &[Round], now: i64) -> Result<usize> {
    let mut due: Vec<&Round> = due.iter().collect();
    due.sort_by_key(|round| &round.id);
    let mut collect = Vec::new();
    for round in due {
        if rounds::close(conn, &round.id, now).await? {
            collect.push(outbox::New::at_once(&round.channel, Effect::Collect { round: round.id.clone() }, now));
        }
    }
    outbox::add(conn, &collect, now).await?;
    Ok(collect.len())
}

/// A question to be opened in a channel.
pub(super) struct Opening<'a> {
    pub schedule: &'a ScheduleId,
    pub channel: &'a ChannelId,
    pub planned: &'a Planned,
    pub slot: &'a Slot,
}

/// What opening gathers, to be stored in few statements.
#[derive(Default)]
pub(super) struct Batch {
    rounds: Vec<Round>,
    effects: BTreeMap<RoundId, Vec<outbox::New>>,
    snapshots: HashMap<String, String>,
    hashes: HashMap<QuestionId, String>,
}

impl Batch {
    /// Picks a question and adds its round; false when nothing fits.
    pub fn open(
        &mut self,
        opening: &Opening<'_>,
        candidates: &[Arc<Question>],
        asked: &mut HashMap<QuestionId, i64>,
        now: i64,
    ) -> Result<bool> {
        let id = RoundId::of(opening.schedule, &opening.slot.key());
        let Some(picked) = pick(candidates, asked, seed_of(&[id.as_str()])) else { return Ok(false) };
        self.open_with(opening, &picked.question, now)?;
        asked.insert(picked.question.id.clone(), now);
        let warn_at = LOW.min(candidates.len() - 1);
        if !picked.repeated && (picked.unseen_left == warn_at || picked.unseen_left == 0) {
            let words = text::low_on_questions(opening.schedule.name(), picked.unseen_left, candidates.len());
            self.effects.entry(id).or_default().push(outbox::New::notice(opening.channel, words, now));
        }
        Ok(true)
    }

    /// Adds a round with this very question.
    pub fn open_with(&mut self, opening: &Opening<'_>, question: &Question, now: i64) -> Result<()> {
        let slot = opening.slot.key();
        let id = RoundId::of(opening.schedule, &slot);
        let plan = &opening.planned.plan;
        let hash = match self.hashes.get(&question.id) {
            Some(hash) => hash.clone(),
            None => {
                let (hash, body) = rounds::snapshot_hash(question)?;
                self.snapshots.insert(hash.clone(), body);
                self.hashes.insert(question.id.clone(), hash.clone());
                hash
            }
        };
        let reveal_at = plan.reveal_at(opening.slot, stamp(now)).as_millisecond();
        let question_effect = Effect::Question { round: id.clone() };
        // After its reveal was due it is not posted any more.
        let effects = vec![outbox::New {
            not_after: Some(reveal_at),
            ..outbox::New::at_once(opening.channel, question_effect, now)
        }];
        self.effects.insert(id.clone(), effects);
        self.rounds.push(Round {
            id,
            schedule: opening.schedule.clone(),
            channel: opening.channel.clone(),
            slot,
            number: 0,
            question: question.id.clone(),
            snapshot: hash,
            answers: opening.planned.spec.answers,
            state: State::Open,
            reason: String::new(),
            opened_at: now,
            reveal_at,
            closed_at: None,
            period: Period::of(plan.local_date(stamp(now))),
            message: None,
            thread: None,
            touched: 0,
            shown: 0,
            parts: 0,
        });
        Ok(())
    }

    /// Records a slot that got no question; the organisers hear of it when `words` are given.
    pub fn gap(&mut self, gap: Gap<'_>, now: i64, words: Option<String>) {
        let slot = gap.slot.key();
        let id = RoundId::of(gap.schedule, &slot);
        let effects = words.into_iter().map(|words| outbox::New::notice(gap.channel, words, now)).collect();
        self.effects.insert(id.clone(), effects);
        self.rounds.push(Round {
            id,
            schedule: gap.schedule.clone(),
            channel: gap.channel.clone(),
            slot,
            number: 0,
            question: QuestionId::new(""),
            snapshot: String::new(),
            answers: Default::default(),
            state: gap.state,
            reason: gap.reason.to_owned(),
            opened_at: now,
            reveal_at: now,
            closed_at: Some(now),
            period: Period::of(gap.slot.local.date()),
            message: None,
            thread: None,
            touched: 0,
            shown: 0,
            parts: 0,
        });
    }

    /// Stores it all. A round that exists already keeps what it has; how many are new.
    pub async fn store(mut self, conn: &mut Conn, now: i64) -> Result<usize> {
        rounds::keep_snapshots(conn, &self.snapshots).await?;
        let fresh = rounds::insert(conn, &self.rounds).await?;
        let effects: Vec<outbox::New> = self
            .rounds
            .iter()
            .filter(|round| fresh.contains(&round.id))
            .flat_map(|round| self.effects.remove(&round.id).unwrap_or_default())
            .collect();
        outbox::add(conn, &effects, now).await?;
        // A slot that has its round already asks nothing: the question picked for it stays unseen.
        let asked: BTreeMap<(ChannelId, QuestionId), i64> = self
            .rounds
            .iter()
            .filter(|round| fresh.contains(&round.id) && round.state == State::Open)
            .map(|round| ((round.channel.clone(), round.question.clone()), round.opened_at))
            .collect();
        let asked: Vec<_> = asked.into_iter().map(|((channel, question), at)| (channel, question, at)).collect();
        rounds::note_asked(conn, &asked).await?;
        Ok(fresh.len())
    }
}

/// A slot without a question.
pub(super) struct Gap<'a> {
    pub schedule: &'a ScheduleId,
    pub channel: &'a ChannelId,
    pub slot: &'a Slot,
    pub state: State,
    pub reason: &'a str,
}

async fn open(
    conn: &mut Conn,
    due: Vec<Due>,
    candidates: &HashMap<ScheduleId, Arc<Vec<Arc<Question>>>>,
    now: i64,
) -> Result<usize> {
    let moves: Vec<schedules::Advance> = due.iter().map(|due| due.advance.clone()).collect();
    let moved = schedules::advance(conn, &moves).await?;
    let due: Vec<Due> = due.into_iter().filter(|due| moved.contains(&due.schedule.id)).collect();
    let places: Vec<&ChannelId> = due.iter().map(|due| &due.schedule.channel).collect();
    let mut asked = rounds::asked(conn, &places).await?;
    let lost = channels::lost(conn).await?;
    let mut batch = Batch::default();
    for due in &due {
        let (schedule, channel) = (&due.schedule.id, &due.schedule.channel);
        // The organisers know: they hear once of a trouble, not once a question.
        let lost = lost.get(channel);
        for slot in &due.missed {
            let reason = "the bot was away for longer than the catch-up window";
            let words = lost.is_none().then(|| text::not_posted(&slot.key(), reason));
            batch.gap(Gap { schedule, channel, slot, state: State::Missed, reason }, now, words);
        }
        if let Some(reason) = lost {
            if due.open {
                batch.gap(Gap { schedule, channel, slot: &due.slot, state: State::Missed, reason }, now, None);
            }
            continue;
        }
        let Some(planned) = due.planned.as_deref() else {
            let reason = "its schedule cannot be read; set it again with /daily set";
            let words = text::not_posted(&due.slot.key(), reason);
            batch.gap(Gap { schedule, channel, slot: &due.slot, state: State::Missed, reason }, now, Some(words));
            continue;
        };
        if !due.open {
            continue;
        }
        let opening = Opening { schedule, channel, planned, slot: &due.slot };
        let fitting = candidates.get(schedule).map_or(&[][..], |all| all.as_slice());
        if !batch.open(&opening, fitting, asked.entry(channel.clone()).or_default(), now)? {
            let reason = "no question of the bank fits the schedule";
            let words = text::not_posted(&due.slot.key(), reason);
            batch.gap(Gap { schedule, channel, slot: &due.slot, state: State::Missed, reason }, now, Some(words));
        }
    }
    batch.store(conn, now).await
}
