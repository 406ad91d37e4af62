//! When questions come and when they are revealed: what an organiser writes, compiled into a plan that can be asked.
//!
//! A plan is read on the local wall clock and mapped to instants afterwards. That mapping owes every local time exactly
//! one instant: in spring a time that the clock jumps over moves on by the length of the jump, in autumn a time that
//! comes twice counts the first time.

mod calendar;
mod cron;
mod times;
mod words;
mod zone;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use self::calendar::{Calendar, just_before};
use self::cron::{Cron, Numbers};
use self::times::Reveal;

/// A plan without a slot for this long counts as over.
const HORIZON_YEARS: i64 = 5;

/// A running bot needs a moment too: nothing is late within it, so that a window of `0m` still posts.
const GRACE: SignedDuration = SignedDuration::from_secs(60);

/// What an organiser writes: in the config file, in `DRILLBOT_DAILY_*` and by `/daily set`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleSpec {
    /// When a question comes, as cron writes it: five fields, or six with seconds first.
    pub cron: String,
    /// The IANA name of the time zone that `cron`, `skip` and times of day are read in.
    pub zone: String,
    /// The weekdays it may run on, `mon`, `tuesday` or `mon-fri`; none means every day.
    pub days: Vec<String>,
    /// Local dates without a question: `2026-12-25`, or `2026-12-24..2027-01-02` with both ends.
    pub skip: Vec<String>,
    /// How late a missed question may still be posted: `6h`, `90m`, `1d`; `0m` for never late.
    pub catch_up: String,
    /// A delay (`8h`, `1d 2h`), a local time of the same day (`17:00`) or of the next (`next day 09:00`).
    pub reveal: String,
    /// Topics to ask about; none means all.
    pub topics: Vec<String>,
    /// Levels to ask; none means all.
    pub levels: Vec<String>,
    /// Tracks to ask; none means all.
    pub tracks: Vec<String>,
    /// Where members answer.
    pub answers: AnswerMode,
    /// Whom a question calls, in the platform's words (a role of Discord); empty = nobody. Left out of the stored text while it is
    /// empty: a schedule of the configuration is known again by that text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ping: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerMode {
    /// In the question's thread, where all can read.
    Thread,
    /// Through the Answer button, which only the bot reads before the reveal.
    Private,
    #[default]
    Both,
}

/// What is wrong with one field, in the organiser's words, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub field: &'static str,
    pub message: String,
}

/// One moment that a question is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What the wall clock was meant to show; names the slot for ever, whatever becomes of the zone's rules.
    pub local: DateTime,
    pub at: Timestamp,
}

/// A schedule that makes sense, ready to be asked. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Plan {
    calendar: Arc<Calendar>,
    zone: TimeZone,
    reveal: Reveal,
    catch_up: SignedDuration,
}

impl Default for ScheduleSpec {
    fn default() -> Self {
        ScheduleSpec {
            cron: "0 9 * * mon-fri".to_owned(),
            zone: "UTC".to_owned(),
            days: Vec::new(),
            skip: Vec::new(),
            catch_up: "6h".to_owned(),
            reveal: "8h".to_owned(),
            topics: Vec::new(),
            levels: Vec::new(),
            tracks: Vec::new(),
            answers: AnswerMode::default(),
            ping: String::new(),
        }
    }
}

impl ScheduleSpec {
    /// Looks at every field, so that an organiser hears of all problems at once.
    pub fn compile(&self) -> Result<Plan, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut note = |field: &'static str, messages: Vec<String>| {
            problems.extend(messages.into_iter().map(|message| Problem { field, message }));
        };
        let cron = Cron::parse(&self.cron).map_err(|messages| note("cron", messages)).ok();
        let zone = zone::find(&self.zone).map_err(|message| note("zone", vec![message])).ok();
        let days = match self.days.as_slice() {
            [] => Some(Numbers::WEEK),
            days => cron::parse_days(days).map_err(|messages| note("days", messages)).ok(),
        };
        let skip = calendar::parse_skip(&self.skip).map_err(|messages| note("skip", messages)).ok();
        let catch_up = times::parse_catch_up(&self.catch_up).map_err(|message| note("catch_up", vec![message])).ok();
        let reveal = times::parse_reveal(&self.reveal).map_err(|message| note("reveal", vec![message])).ok();
        if let (Some(cron), Some(reveal)) = (&cron, reveal)
            && let Err(message) = reveal.check_after(cron.latest_time())
        {
            note("reveal", vec![message]);
        }
        let calendar = match (cron, days, skip) {
            (Some(cron), Some(days), Some(skip)) => {
                Calendar::new(cron, days, skip).map_err(|(field, message)| note(field, vec![message])).ok()
            }
            _ => None,
        };
        match (calendar, zone, reveal, catch_up) {
            (Some(calendar), Some(zone), Some(reveal), Some(catch_up)) if problems.is_empty() => {
                Ok(Plan { calendar: Arc::new(calendar), zone, reveal, catch_up })
            }
            _ => Err(problems),
        }
    }
}

impl AnswerMode {
    pub const ALL: [AnswerMode; 3] = [AnswerMode::Thread, AnswerMode::Private, AnswerMode::Both];

    pub fn as_str(self) -> &'static str {
        match self {
            AnswerMode::Thread => "thread",
            AnswerMode::Private => "private",
            AnswerMode::Both => "both",
        }
    }

    pub fn parse(text: &str) -> Option<AnswerMode> {
        AnswerMode::ALL.into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(text.trim()))
    }
}

impl Slot {
    /// `2026-11-23T09:00`, with seconds only where they are not 0.
    pub fn key(&self) -> String {
        let local = self.local;
        local.strftime(if local.second() == 0 { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%dT%H:%M:%S" }).to_string()
    }
}

impl Plan {
    /// The first slot later than `after`; None when there is none within five years.
    pub fn next_after(&self, after: Timestamp) -> Option<Slot> {
        let shown = self.zone.to_datetime(after);
        let mut passed = shown;
        let mut best = None;
        if let Some(change) = self.change_before(after) {
            // The clock went back: what it showed before that had its instant then.
            passed = passed.max(just_before(change.before.to_datetime(change.at)));
            // The clock went forward: what it jumped over is still due, on the clock as it was before.
            let unchanged = change.before.to_datetime(after);
            let gap_end = change.after.to_datetime(change.at);
            if unchanged < gap_end {
                best = self.calendar.next(unchanged).filter(|local| *local < gap_end).map(|local| self.slot(local));
            }
        }
        if let Some(local) = self.calendar.next(passed) {
            let slot = self.slot(local);
            best = first_of(best, Some(slot));
            if let AmbiguousOffset::Gap { .. } = self.zone.to_ambiguous_timestamp(local).offset()
                && let Some(change) = self.change_before(slot.at)
            {
                // A time behind the jump may come before the one that was moved, or at the same instant.
                let behind = self.calendar.next(just_before(change.after.to_datetime(change.at)));
                best = first_of(best, behind.map(|local| self.slot(local)));
            }
        }
        best.filter(|slot| slot.local <= shown.saturating_add(HORIZON_YEARS.years()))
    }

    /// When the question of `slot`, opened at `opened`, is revealed: always later than `opened`. A delay counts from
    /// `opened`; a time of day is that of the slot's date, or the next one after `opened` when that has passed.
    pub fn reveal_at(&self, slot: &Slot, opened: Timestamp) -> Timestamp {
        let (first, time) = match self.reveal {
            Reveal::After(delay) => return opened.checked_add(delay).unwrap_or(Timestamp::MAX),
            Reveal::SameDay(time) => (slot.local.date(), time),
            Reveal::NextDay(time) => (slot.local.date().saturating_add(1.day()), time),
        };
        let mut date = first;
        loop {
            let due = self.instant(date.to_datetime(time));
            if due > opened || date == Date::MAX {
                return due;
            }
            date = date.saturating_add(1.day());
        }
    }

    /// Whether a question that was missed is past its catch-up window. The first minute is never too late.
    pub fn is_too_late(&self, slot: &Slot, now: Timestamp) -> bool {
        now.duration_since(slot.at) > self.catch_up.max(GRACE)
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    pub fn local_date(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// "at 09:00 from Monday to Friday (Europe/London)"; what is too unusual for words is shown as cron text.
    pub fn in_words(&self) -> String {
        format!("{} ({})", words::calendar(&self.calendar), self.zone.iana_name().unwrap_or("UTC"))
    }

    /// "8 hours later", "at 17:00", "the next day at 09:00".
    pub fn reveal_in_words(&self) -> String {
        self.reveal.in_words()
    }

    fn slot(&self, local: DateTime) -> Slot {
        Slot { local, at: self.instant(local) }
    }

    fn instant(&self, local: DateTime) -> Timestamp {
        // Fails only within a day of the year 10000 or -9999.
        self.zone.to_timestamp(local).unwrap_or(Timestamp::MAX)
    }

    /// The last change of the clock up to and including `at`.
    fn change_before(&self, at: Timestamp) -> Option<Change> {
        let change = self.zone.preceding(at.checked_add(1.nanosecond()).ok()?).next()?;
        let just_before = change.timestamp().checked_sub(1.nanosecond()).ok()?;
        Some(Change { at: change.timestamp(), before: self.zone.to_offset(just_before), after: change.offset() })
    }
}

/// A moment at which the wall clock jumps.
struct Change {
    at: Timestamp,
    before: Offset,
    after: Offset,
}

/// The earlier slot; of two at one instant the one that the clock really shows then, which is the later local time.
fn first_of(one: Option<Slot>, other: Option<Slot>) -> Option<Slot> {
    [one, other].into_iter().flatten().min_by_key(|slot| (slot.at, Reverse(slot.local)))
}

/// The cron text of `/daily set time=09:00 days=mon-fri`: `0 9 * * mon-fri`. No days means every day.
pub fn from_time(time: &str, days: &[String]) -> Result<String, Problem> {
    let time = times::parse_time(time).map_err(|message| Problem { field: "time", message })?;
    let days = match days {
        [] => Numbers::WEEK,
        days => cron::parse_days(days).map_err(|messages| Problem { field: "days", message: messages.join("; ") })?,
    };
    Ok(format!("{} {} * * {}", time.minute(), time.hour(), cron::days_text(days)))
}

/// The ISO week of a date, which belongs to the year of its Thursday: `2026-W47`.
pub fn week_key(date: Date) -> String {
    let week = date.iso_week_date();
    format!("{}-W{:02}", week.year(), week.week())
}

/// `2026-11`
pub fn month_key(date: Date) -> String {
    date.strftime("%Y-%m").to_string()
}
