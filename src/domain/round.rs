//! One question posted once: from its card to its reveal.

use std::sync::Arc;

use super::answer::Answer;
use super::grade::{Grade, Lexicon, Rubric};
use super::ids::{ChannelId, MemberId, MessageId, QuestionId, RoundId, ScheduleId, ThreadId};
use super::question::Question;
use super::ruling::answer_key;
use super::schedule::AnswerMode;
use super::score::{after_hints, points_tenths};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    Open,
    /// No more answers; the thread is being read and graded.
    Closing,
    Revealed,
    /// An organiser left it out.
    Skipped,
    /// The bot or the platform was away for longer than the catch-up window.
    Missed,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Closing => "closing",
            State::Revealed => "revealed",
            State::Skipped => "skipped",
            State::Missed => "missed",
        }
    }

    pub fn parse(text: &str) -> State {
        [State::Open, State::Closing, State::Revealed, State::Skipped]
            .into_iter()
            .find(|state| state.as_str() == text)
            .unwrap_or(State::Missed)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    pub id: RoundId,
    pub schedule: ScheduleId,
    pub channel: ChannelId,
    /// The local date and time it stands for, `2026-11-23T09:00`.
    pub slot: String,
    /// Counts the revealed questions of the schedule from 1, for streaks; 0 before the reveal.
    pub number: i64,
    pub question: QuestionId,
    /// The hash of the question as it was posted.
    pub snapshot: String,
    pub answers: AnswerMode,
    pub state: State,
    /// Why it was skipped or missed.
    pub reason: String,
    /// Unix milliseconds, as all times here.
    pub opened_at: i64,
    pub reveal_at: i64,
    pub closed_at: Option<i64>,
    pub period: Period,
    pub message: Option<MessageId>,
    pub thread: Option<ThreadId>,
    /// Counts changes of the answers; the card shows those up to `shown`.
    pub touched: i64,
    pub shown: i64,
    /// Messages of the reveal.
    pub parts: i64,
}

impl Round {
    /// Its card is out, but no thread could be opened under it.
    pub fn is_threadless(&self) -> bool {
        self.message.is_some() && self.thread.is_none()
    }

    /// True when answers are taken from its thread. `reads_threads`: whether the platform lets the bot read what people write there.
    pub fn takes_thread(&self, reads_threads: bool) -> bool {
        self.answers != AnswerMode::Private && reads_threads && !self.is_threadless()
    }

    /// True when answers are taken from the form: because the schedule says so, or because there is no other way.
    pub fn takes_form(&self, reads_threads: bool) -> bool {
        self.answers != AnswerMode::Thread || !self.takes_thread(reads_threads)
    }
}

/// The day, week and month a score counts in, in the channel's time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// `2026-11-23`
    pub day: String,
    /// `2026-W48`
    pub week: String,
    /// `2026-11`
    pub month: String,
}

impl Period {
    pub fn of(date: jiff::civil::Date) -> Period {
        Period { day: date.to_string(), week: super::schedule::week_key(date), month: super::schedule::month_key(date) }
    }
}

/// What a member is worth in a closed round.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    pub member: MemberId,
    /// A hash of the answer's words.
    pub answer: String,
    pub grade: Grade,
    /// 0-100, hints taken off.
    pub coverage: i64,
    pub hints: i64,
    /// Tenths.
    pub points: i64,
}

/// A member's answer with its grade.
#[derive(Clone, Debug, PartialEq)]
pub struct Graded {
    pub answer: Answer,
    pub grade: Grade,
}

/// Grades each member's answer.
pub fn grade(question: &Question, lexicon: &Arc<Lexicon>, answers: Vec<Answer>) -> Vec<Graded> {
    let rubric = Rubric::of(question, lexicon);
    answers.into_iter().map(|answer| Graded { grade: rubric.grade(&answer.text), answer }).collect()
}

/// Coverage 0-100 with the hints taken off, and points in tenths.
pub fn worth(question: &Question, grade: &Grade, hints: i64) -> (i64, i64) {
    let coverage = after_hints(i64::from(grade.score), hints);
    (coverage, points_tenths(coverage, question.level))
}

/// What each grade is worth, the best first. `hints` is how many each member took.
pub fn score(question: &Question, graded: Vec<Graded>, hints: impl Fn(&MemberId) -> i64) -> Vec<Scored> {
    let mut scored: Vec<Scored> = graded
        .into_iter()
        .map(|Graded { answer, grade }| {
            let hints = hints(&answer.member);
            let (coverage, points) = worth(question, &grade, hints);
            Scored { answer: answer_key(&answer.text), member: answer.member, grade, coverage, hints, points }
        })
        .collect();
    scored.sort_by(|a, b| b.coverage.cmp(&a.coverage).then_with(|| a.member.cmp(&b.member)));
    scored
}
