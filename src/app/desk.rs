//! Answers that arrive together are stored together: a few statements and one commit for hundreds of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, anyhow};
use tokio::sync::{Mutex as Turn, oneshot};

use crate::domain::answer::Part;
use crate::domain::confidence::Confidence;
use crate::domain::ids::{MemberId, RoundId};
use crate::domain::schedule::AnswerMode;
use crate::store::{Conn, Store, Unavailable, answers, members, rounds};

/// An answer by the form, as it comes in.
#[derive(Clone, Debug)]
pub(super) struct FormAnswer {
    pub round: RoundId,
    pub member: MemberId,
    pub name: String,
    pub body: String,
    pub confidence: Option<Confidence>,
    /// Unix milliseconds.
    pub at: i64,
    /// Whether the platform lets the bot read threads: else the form is always open.
    pub reads_threads: bool,
}

/// What saving it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saved {
    InTime { reveal_at: i64, changed: bool },
    Late,
    ThreadOnly,
    Unknown,
}

struct Waiting {
    answer: FormAnswer,
    reply: oneshot::Sender<Result<Saved>>,
}

/// Where answers wait for the commit that is under way, and then share the next one.
#[derive(Default)]
pub(super) struct Desk {
    waiting: Mutex<Vec<Waiting>>,
    turn: Arc<Turn<()>>,
}

impl Desk {
    /// Stores an answer durably, together with all that wait.
    pub async fn save(&self, store: &Store, answer: FormAnswer) -> Result<Saved> {
        let (reply, mut saved) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(Waiting { answer, reply });
        let turn = tokio::select! {
            saved = &mut saved => return saved.unwrap_or_else(|_| Err(lost())),
            turn = self.turn.clone().lock_owned() => turn,
        };
        let batch = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if !batch.is_empty() {
            let store = store.clone();
            // A task of its own: the member whose turn it is may hang up, the others still wait.
            tokio::spawn(async move {
                save_all(&store, batch).await;
                drop(turn);
            });
        }
        saved.await.unwrap_or_else(|_| Err(lost()))
    }
}

fn lost() -> anyhow::Error {
    anyhow!(Unavailable::new("the answer was not stored"))
}

async fn save_all(store: &Store, batch: Vec<Waiting>) {
    let (answers, replies): (Vec<_>, Vec<_>) = batch.into_iter().map(|one| (one.answer, one.reply)).unzip();
    let outcome = store.write("save answers", move |conn| Box::pin(async move { put(conn, &answers).await })).await;
    match outcome {
        Ok(saved) => {
            for (reply, saved) in replies.into_iter().zip(saved) {
                // Whoever hung up finds the answer saved all the same.
                let _ = reply.send(Ok(saved));
            }
        }
        Err(error) => {
            let words = format!("{error:#}");
            let unavailable = error.downcast_ref::<Unavailable>().is_some();
            for reply in replies {
                let error = if unavailable { anyhow!(Unavailable::new(&words)) } else { anyhow!(words.clone()) };
                let _ = reply.send(Err(error));
            }
        }
    }
}

/// Stores the answers in the order they came; one outcome each.
async fn put(conn: &mut Conn, batch: &[FormAnswer]) -> Result<Vec<Saved>> {
    // (whether only the thread takes answers, the reveal while it is open). In the order of their ids, so that two instances take the
    // rows' locks alike.
    let mut states: BTreeMap<&RoundId, Option<(bool, Option<i64>)>> =
        batch.iter().map(|answer| (&answer.round, None)).collect();
    for (round, state) in &mut states {
        *state = match rounds::touch(conn, round).await? {
            Some(touched) => {
                Some((touched.answers == AnswerMode::Thread && !touched.threadless, Some(touched.reveal_at)))
            }
            None => rounds::get(conn, round).await?.map(|round| (!round.takes_form(true), None)),
        };
    }
    let mut parts: HashMap<&RoundId, Vec<Part>> = HashMap::new();
    let mut people: BTreeMap<&MemberId, &str> = BTreeMap::new();
    for answer in batch {
        let Some((thread_only, reveal_at)) = states[&answer.round] else { continue };
        if thread_only && answer.reads_threads {
            continue;
        }
        people.insert(&answer.member, &answer.name);
        parts.entry(&answer.round).or_default().push(part(answer, reveal_at.is_none()));
    }
    let now = batch.first().map_or(0, |answer| answer.at);
    members::seen_many(conn, &people, now).await?;
    let mut known: HashSet<(RoundId, String)> = HashSet::new();
    for (round, state) in &states {
        let Some(parts) = parts.get(round).filter(|_| state.is_some()) else { continue };
        let standing = answers::standing(conn, round, parts).await?;
        known.extend(standing.iter().map(|part| ((*round).clone(), part.id.clone())));
        // Who sends twice within one batch means the later one; a statement may touch a row only once.
        let newest: BTreeMap<&str, &Part> = parts.iter().map(|part| (part.id.as_str(), part)).collect();
        let newest: Vec<Part> = newest.into_values().cloned().collect();
        answers::keep_versions(conn, round, &standing, &newest, now).await?;
        answers::put_many(conn, round, &newest).await?;
    }
    Ok(batch
        .iter()
        .map(|answer| match states[&answer.round] {
            None => Saved::Unknown,
            Some((true, _)) if answer.reads_threads => Saved::ThreadOnly,
            Some((_, None)) => Saved::Late,
            Some((_, Some(reveal_at))) => {
                let changed = !known.insert((answer.round.clone(), part(answer, false).id));
                Saved::InTime { reveal_at, changed }
            }
        })
        .collect())
}

fn part(answer: &FormAnswer, late: bool) -> Part {
    let id = if late { Part::late_form_id(&answer.member) } else { Part::form_id(&answer.member) };
    Part {
        id,
        member: answer.member.clone(),
        body: answer.body.clone(),
        written_at: answer.at,
        late,
        deleted: false,
        confidence: answer.confidence,
    }
}
