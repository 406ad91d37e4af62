//! The optional judge: a language model that is asked about answers after the grader. Whatever goes wrong with it, the grader's result
//! stands, nobody waits for long, and only the operator hears of it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt};
use tokio::sync::Semaphore;

use super::App;
use super::clock::Clock;
use crate::domain::answer::MAX_CHARS;
use crate::domain::grade::Grade;
use crate::domain::ids::{DrillId, MemberId};
use crate::domain::judge::{Case, Verdict, apply, case_key, may_be_judged};
use crate::domain::question::Question;
use crate::domain::round::{Graded, Round};
use crate::store::{Store, drills, rounds, verdicts};

/// A language model, seen from the drill.
pub trait Judge: Send + Sync + 'static {
    /// The name of the model: verdicts are kept by it.
    fn model(&self) -> &str;

    /// One verdict a key point, in order. Never waits for ever.
    fn ask(&self, case: Case) -> BoxFuture<'_, Result<Vec<Verdict>, NoVerdict>>;
}

/// Why a judge gave no verdict, in the operator's words: never what a member wrote, never a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoVerdict {
    /// It did not answer, or said no.
    Unreachable { why: String },
    /// It answered something else than what was asked for.
    Nonsense { why: String },
}

impl fmt::Display for NoVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (NoVerdict::Unreachable { why } | NoVerdict::Nonsense { why }) = self;
        f.write_str(why)
    }
}

/// How much the drill waits for its judge, and when it stops asking.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long after its close a round is revealed at the latest, as far as it is up to the judge.
    pub round: Duration,
    /// How long a member waits for the result of an answer in a drill. The chat services show meanwhile that work is under way.
    pub drill: Duration,
    pub at_once: usize,
    /// So many failures in a row, and it is left alone for `pause`.
    pub failures: u32,
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            round: Duration::from_secs(60),
            drill: Duration::from_secs(4),
            at_once: 4,
            failures: 3,
            pause: Duration::from_secs(300),
        }
    }
}

/// The judge with all that keeps it from doing harm.
pub(super) struct Bench {
    judge: Box<dyn Judge>,
    store: Store,
    clock: Clock,
    limits: Limits,
    places: Semaphore,
    trust: Mutex<Trust>,
}

/// How well it went lately.
#[derive(Default)]
struct Trust {
    failures: u32,
    /// Whose answer the last failure was about.
    last: Option<MemberId>,
    /// Since when it is left alone.
    away_since: Option<i64>,
}

/// An answer to ask about.
struct Open {
    key: String,
    member: MemberId,
    case: Case,
}

impl App {
    /// Asks a language model too, from now on.
    #[must_use]
    pub fn with_judge(mut self, judge: impl Judge, limits: Limits) -> App {
        self.bench = Some(Arc::new(Bench {
            judge: Box::new(judge),
            store: self.store.clone(),
            clock: self.clock.clone(),
            places: Semaphore::new(limits.at_once.max(1)),
            limits,
            trust: Mutex::default(),
        }));
        self
    }

    /// The grades of a closed round with what the judge says. Whom it does not get to in time keeps the grader's result.
    pub(super) async fn judge_round(&self, round: &Round, question: &Question, mut graded: Vec<Graded>) -> Vec<Graded> {
        let Some(bench) = &self.bench else { return graded };
        // Equal answers get equal verdicts.
        let mut open: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, one) in graded.iter().enumerate().filter(|(_, one)| is_worth_asking(&one.grade, &one.answer.text)) {
            open.entry(case_key(&round.snapshot, bench.judge.model(), &one.answer.text)).or_default().push(at);
        }
        let mut given = bench.known(open.keys().cloned().collect()).await;
        let asked = open.iter().filter(|(key, _)| !given.contains_key(*key)).map(|(key, at)| {
            let answer = &graded[at[0]].answer;
            Open { key: key.clone(), member: answer.member.clone(), case: Case::of(question, &answer.text) }
        });
        let fresh = bench.ask_all(asked.collect(), bench.left(round)).await;
        given.extend(fresh);
        for (key, verdicts) in &given {
            for at in open.get(key).into_iter().flatten() {
                let Graded { answer, grade } = &mut graded[*at];
                apply(question, &answer.text, verdicts, grade);
            }
        }
        graded
    }

    /// The grade of an answer to item `at` of a drill with what the judge says, from before the drill's transaction. None without a
    /// judge, and when that item is not to be answered.
    pub(super) async fn judge_drill(
        &self,
        member: &MemberId,
        id: &DrillId,
        at: usize,
        answer: &str,
    ) -> Result<Option<Grade>> {
        let Some(bench) = &self.bench else { return Ok(None) };
        let (id, owner) = (id.clone(), member.clone());
        let asked = self
            .store
            .read("read a drill", move |conn| {
                Box::pin(async move {
                    let drill = drills::get(conn, &id).await?.filter(|drill| drill.member == owner && !drill.choice);
                    let item = drill.and_then(|drill| drill.current().filter(|_| drill.at == at).cloned());
                    match item.filter(|item| item.outcome.is_none()) {
                        Some(item) => Ok(Some((rounds::snapshot(conn, &item.snapshot).await?, item.snapshot))),
                        None => Ok(None),
                    }
                })
            })
            .await?;
        let Some((question, snapshot)) = asked else { return Ok(None) };
        let mut grade = self.bank().grade(&question, answer);
        if !is_worth_asking(&grade, answer) {
            return Ok(Some(grade));
        }
        let key = case_key(&snapshot, bench.judge.model(), answer);
        let mut given = bench.known(vec![key.clone()]).await;
        let verdicts = match given.remove(&key) {
            Some(verdicts) => Some(verdicts),
            None => {
                let open = Open { key, member: member.clone(), case: Case::of(&question, answer) };
                bench.clone().ask_for_a_moment(open).await
            }
        };
        if let Some(verdicts) = verdicts {
            apply(&question, answer, &verdicts, &mut grade);
        }
        Ok(Some(grade))
    }
}

/// What people say in a thread has no limit of its own.
fn is_worth_asking(grade: &Grade, answer: &str) -> bool {
    may_be_judged(grade) && answer.chars().nth(MAX_CHARS).is_none()
}

impl Bench {
    /// What was said before; nothing when that cannot be read.
    async fn known(&self, keys: Vec<String>) -> HashMap<String, Vec<Verdict>> {
        if keys.is_empty() {
            return HashMap::new();
        }
        let read =
            self.store.read("read verdicts", move |conn| Box::pin(async move { verdicts::known(conn, &keys).await }));
        read.await.unwrap_or_else(|error| {
            tracing::warn!(error = format!("{error:#}"), "cannot read what the judge said before");
            HashMap::new()
        })
    }

    /// How long the reveal of a round may still wait. Counted from the close: a thousand rounds that close together are all revealed in
    /// time, and a reveal that is late already is not made later.
    fn left(&self, round: &Round) -> Duration {
        let now = self.clock.now_ms();
        let passed = (now - round.closed_at.unwrap_or(now)).max(0) / self.clock.speed();
        self.limits.round.saturating_sub(Duration::from_millis(passed.unsigned_abs()))
    }

    /// Asks about some answers at a time until the time is up.
    async fn ask_all(&self, open: Vec<Open>, within: Duration) -> Vec<(String, Vec<Verdict>)> {
        if within.is_zero() {
            return Vec::new();
        }
        let (mut given, wanted) = (Vec::new(), open.len());
        if wanted == 0 {
            return given;
        }
        let calls = open.into_iter().map(|open| async move {
            let _place = self.places.acquire().await.ok()?;
            let key = open.key.clone();
            Some((key, self.ask(open).await?))
        });
        let mut calls = stream::iter(calls).buffer_unordered(self.limits.at_once.max(1));
        let mut heard = 0;
        let up = tokio::time::sleep(within);
        tokio::pin!(up);
        loop {
            tokio::select! {
                biased;
                // First, so that nothing is begun when the time was up before.
                () = &mut up => break,
                next = calls.next() => match next {
                    Some(one) => {
                        heard += 1;
                        given.extend(one);
                    }
                    None => break,
                },
            }
        }
        if given.len() < wanted {
            let (judged, late) = (given.len(), wanted - heard);
            tracing::warn!(answers = wanted, judged, late, "some answers of a round keep the grader's result alone");
        }
        given
    }

    /// Asks about one answer, for as long as a person waits. When that is over the question goes on by itself, for the next time.
    async fn ask_for_a_moment(self: Arc<Self>, open: Open) -> Option<Vec<Verdict>> {
        let patience = self.limits.drill;
        let call = tokio::spawn(async move {
            let place = tokio::time::timeout(patience, self.places.acquire()).await;
            let _place = place.ok()?.ok()?;
            self.ask(open).await
        });
        match tokio::time::timeout(patience, call).await {
            Ok(Ok(verdicts)) => verdicts,
            Ok(Err(error)) => {
                tracing::error!(%error, "asking the judge has broken");
                None
            }
            Err(_) => {
                tracing::debug!(
                    "the judge is slower than people wait in a drill; its verdict is kept for the next time"
                );
                None
            }
        }
    }

    async fn ask(&self, open: Open) -> Option<Vec<Verdict>> {
        if !self.is_trusted() {
            return None;
        }
        let Open { key, member, case } = open;
        let verdicts = match self.judge.ask(case).await {
            Ok(verdicts) => verdicts,
            Err(failure) => {
                self.note(&member, &failure);
                return None;
            }
        };
        *self.trust.lock().unwrap_or_else(PoisonError::into_inner) = Trust::default();
        let (kept, now) = (verdicts.clone(), self.clock.now_ms());
        let keep = self.store.write("keep verdicts", move |conn| {
            Box::pin(async move { verdicts::keep(conn, &key, &member, &kept, now).await })
        });
        if let Err(error) = keep.await {
            tracing::warn!(error = format!("{error:#}"), "cannot keep what the judge said; it will be asked again");
        }
        Some(verdicts)
    }

    fn is_trusted(&self) -> bool {
        let pause = self.clock.span(self.limits.pause);
        let now = self.clock.now_ms();
        let away_since = self.trust.lock().unwrap_or_else(PoisonError::into_inner).away_since;
        // A clock that was set back makes no pause longer.
        away_since.is_none_or(|since| !(since..since + pause).contains(&now))
    }

    /// Enough failures in a row end the asking for a while; after it, one more is enough.
    fn note(&self, member: &MemberId, failure: &NoVerdict) {
        tracing::warn!(why = %failure, "the judge gave no verdict; the grader's result stands");
        let mut trust = self.trust.lock().unwrap_or_else(PoisonError::into_inner);
        // An answer can be made such that a model talks nonsense: nobody can end the asking for all by sending it again and again.
        let again = matches!(failure, NoVerdict::Nonsense { .. }) && trust.last.as_ref() == Some(member);
        if again {
            return;
        }
        trust.last = Some(member.clone());
        trust.failures = trust.failures.saturating_add(1);
        if trust.failures >= self.limits.failures {
            trust.away_since = Some(self.clock.now_ms());
            let (failures, pause_s) = (trust.failures, self.limits.pause.as_secs());
            tracing::warn!(failures, pause_s, "the judge fails again and again and is left alone for a while");
        }
    }
}
