//! `/drill`: private, one question at a time, on from where it stood after a restart.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;

use super::answers::refuse;
use super::daily::known_question;
use super::rulings::rulings_in;
use super::{Actor, App, random_id};
use crate::app::boards::period_now;
use crate::domain::bank::{Bank, Filter, TopicMatch};
use crate::domain::command::{Board, Command, Mode, Verb};
use crate::domain::drill::{Acted, Drill, Item, Outcome, levels};
use crate::domain::ids::{ChannelId, DrillId, MemberId, QuestionId, seed_of};
use crate::domain::message::{Message, Reply};
use crate::domain::pick::pick;
use crate::domain::question::{Level, Question};
use crate::domain::ruling::{self, Ruling};
use crate::domain::text;
use crate::store::{confidence, drills, members, rounds, standings};

/// Why a drill cannot begin.
#[derive(Clone, Debug)]
pub struct Missing {
    /// The option to choose or to choose anew.
    pub option: &'static str,
    /// For above a form, or beside the option.
    pub problem: Message,
    /// What was probably meant.
    pub near: Vec<String>,
    /// The whole, where there is no form.
    pub help: Message,
}

impl Missing {
    fn new(option: &'static str, problem: Message) -> Box<Missing> {
        Box::new(Missing { option, help: problem.clone(), problem, near: Vec::new() })
    }
}

/// An unfinished drill is offered again for two weeks.
const RESUME_MS: i64 = 14 * 86_400_000;

impl App {
    pub(super) async fn begin_drill(
        &self,
        actor: &Actor,
        topic: Option<&str>,
        level: Option<Level>,
        count: usize,
        mode: Mode,
    ) -> Result<Reply> {
        let bank = self.bank_for(actor).await?;
        let Some(typed) = topic else { return self.offer_topics(actor, &bank).await };
        match drill_of(&bank, typed, level, mode) {
            Ok((title, questions)) => self.start_drill(actor, title, questions, count, mode).await,
            Err(missing) => Ok(Reply::show(missing.help)),
        }
    }

    /// A drill of one question.
    pub(super) async fn drill_question(&self, actor: &Actor, id: &str, mode: Mode) -> Result<Reply> {
        match drill_of_one(&*self.bank_for(actor).await?, id, mode) {
            Ok((title, question)) => {
                let name = question.topic.clone();
                self.start_drill(actor, (name, title), vec![question], 1, mode).await
            }
            Err(missing) => Ok(Reply::show(missing.help)),
        }
    }

    /// What a drill in a group cannot do without and a form could ask for: an option that is wrong or missing. Other commands say so
    /// themselves.
    pub fn missing(&self, command: &Command, realm: &str) -> Option<Box<Missing>> {
        let bank = self.bank_of(realm);
        match command {
            Command::Drill { question: Some(id), mode, .. } => drill_of_one(&bank, id, *mode).err(),
            Command::Drill { topic: Some(typed), level, mode, .. } => drill_of(&bank, typed, *level, *mode).err(),
            Command::Drill { topic: None, .. } => {
                let help = text::topic_help(None, &[], &topic_sizes(&bank));
                Some(Box::new(Missing { help, ..*Missing::new("topic", text::what_to_drill()) }))
            }
            _ => None,
        }
    }

    async fn start_drill(
        &self,
        actor: &Actor,
        (name, topic): Named,
        mut candidates: Vec<Arc<Question>>,
        count: usize,
        mode: Mode,
    ) -> Result<Reply> {
        let (member, id) = (actor.member.clone(), DrillId::new(random_id()?));
        let mut drilled = self
            .store
            .read("read drilled questions", move |conn| Box::pin(async move { drills::drilled(conn, &member).await }))
            .await?;
        let now = self.now();
        let mut items = Vec::new();
        let mut snapshots = HashMap::new();
        let mut first = None;
        for at in 0..count.min(candidates.len()) {
            let Some(picked) = pick(&candidates, &drilled, seed_of(&[id.as_str(), &at.to_string()])) else { break };
            let question = picked.question;
            let (hash, body) = rounds::snapshot_hash(&question)?;
            snapshots.insert(hash.clone(), body);
            candidates.retain(|other| other.id != question.id);
            drilled.insert(question.id.clone(), now);
            items.push(Item {
                question: question.id.clone(),
                title: text::question_title(&question, mode == Mode::Choice),
                snapshot: hash,
                topic: question.topic.clone(),
                hints: 0,
                outcome: None,
            });
            first.get_or_insert(question);
        }
        let drill = Drill {
            id,
            member: actor.member.clone(),
            channel: actor.channel.clone(),
            topic,
            name,
            choice: mode == Mode::Choice,
            items,
            at: 0,
        };
        let message = text::drill_view(&drill, first.as_deref());
        let (member, name) = (actor.member.clone(), actor.name.clone());
        self.store
            .write("begin a drill", move |conn| {
                Box::pin(async move {
                    members::seen(conn, &member, &name, now).await?;
                    rounds::keep_snapshots(conn, &snapshots).await?;
                    drills::put(conn, &drill, now).await
                })
            })
            .await?;
        Ok(Reply::show(message))
    }

    /// `/drill` alone: the topics, and the drill that was left unfinished.
    async fn offer_topics(&self, actor: &Actor, bank: &Bank) -> Result<Reply> {
        let topics = text::topic_help(None, &[], &topic_sizes(bank));
        Ok(Reply::show(match self.left_unfinished(actor).await? {
            Some((drill, question)) => text::resume_offer(&drill, question.as_ref(), &topics),
            None => topics,
        }))
    }

    /// The drill that somebody has left unfinished, as it stands, with a way to another one.
    pub async fn unfinished(&self, actor: &Actor) -> Result<Option<Message>> {
        let open = self.left_unfinished(actor).await?;
        Ok(open.map(|(drill, question)| text::resume(&drill, question.as_ref())))
    }

    async fn left_unfinished(&self, actor: &Actor) -> Result<Option<(Drill, Option<Question>)>> {
        let (member, since) = (actor.member.clone(), self.now() - RESUME_MS);
        self.store
            .read("read an unfinished drill", move |conn| {
                Box::pin(async move {
                    let Some(drill) = drills::unfinished(conn, &member, since).await? else { return Ok(None) };
                    let question = match drill.current() {
                        Some(item) => Some(rounds::snapshot(conn, &item.snapshot).await?),
                        None => None,
                    };
                    Ok(Some((drill, question)))
                })
            })
            .await
    }

    pub(super) async fn press_drill(&self, actor: &Actor, id: &DrillId, at: usize, verb: Verb) -> Result<Reply> {
        self.act(actor, id, move |drill, question, _| drill.press(at, verb, question)).await
    }

    /// Grades an answer of a drill. `confidence` is what was given for it, and costs nothing when it cannot be read.
    pub(super) async fn answer_drill(
        &self,
        actor: &Actor,
        id: &DrillId,
        at: usize,
        answer: &str,
        confidence: &str,
    ) -> Result<Reply> {
        let answer = answer.trim().to_owned();
        if let Some(problem) = refuse(&answer, text::empty_drill_answer) {
            return Ok(Reply::show(problem));
        }
        let (said, problem) = match text::read_confidence(confidence) {
            Ok(said) => (said, None),
            Err(problem) => (None, Some(problem)),
        };
        let judged = self.judge_drill(&actor.member, id, at, &answer).await?;
        let bank = self.bank();
        let reply = self
            .act(actor, id, move |drill, question, rulings| {
                drill.answer(at, &answer, said, question, || {
                    let grade = judged.unwrap_or_else(|| bank.grade(question, &answer));
                    ruling::ruled(question, &grade, &ruling::answer_key(&answer), rulings).unwrap_or(grade)
                })
            })
            .await?;
        Ok(match (reply, problem) {
            (Reply::Replace { mut message }, Some(problem)) => {
                message.blocks.insert(0, text::graded_without(&problem));
                Reply::Replace { message }
            }
            (reply, _) => reply,
        })
    }

    /// Changes a drill in one transaction and shows what it has become.
    async fn act<F>(&self, actor: &Actor, id: &DrillId, change: F) -> Result<Reply>
    where
        F: FnOnce(&mut Drill, &Question, &[Ruling]) -> Acted + Send + 'static,
    {
        let (id, member, now) = (id.clone(), actor.member.clone(), self.now());
        let reply = self
            .store
            .write("act in a drill", move |conn| {
                Box::pin(async move {
                    // On PostgreSQL this takes the row's lock: two presses at once are one after the other.
                    let Some(mut drill) = drills::lock(conn, &id, now).await?.filter(|drill| drill.member == member)
                    else {
                        return Ok(None);
                    };
                    let Some(item) = drill.current().cloned() else {
                        return Ok(Some((Acted::Stale, drill, None)));
                    };
                    let question = rounds::snapshot(conn, &item.snapshot).await?;
                    let at = drill.at;
                    let rulings = rulings_in(conn, &drill.channel, &question.id).await?;
                    let acted = change(&mut drill, &question, &rulings);
                    if acted == Acted::Changed {
                        score_item(conn, &drill, at, item.outcome.is_none(), now).await?;
                        note_confidence(conn, &drill, at, now).await?;
                        drills::put(conn, &drill, now).await?;
                    }
                    let question = match drill.current() {
                        Some(next) if drill.at != at => Some(rounds::snapshot(conn, &next.snapshot).await?),
                        Some(_) => Some(question),
                        None => None,
                    };
                    Ok(Some((acted, drill, question)))
                })
            })
            .await?;
        Ok(match reply {
            None => Reply::show(text::stale_button()),
            Some((Acted::AskForAnswer, drill, Some(question))) => {
                Reply::Open { form: text::drill_form(&drill, &question) }
            }
            Some((_, drill, question)) => Reply::Replace { message: text::drill_view(&drill, question.as_ref()) },
        })
    }

    pub(super) async fn show_topics(&self, actor: &Actor) -> Result<Message> {
        Ok(text::topics(&self.bank_for(actor).await?.topics()))
    }
}

/// The name and the title of a topic; a tag is both.
type Named = (String, String);

/// What is called so, with its questions.
fn drill_of(
    bank: &Bank,
    typed: &str,
    level: Option<Level>,
    mode: Mode,
) -> Result<(Named, Vec<Arc<Question>>), Box<Missing>> {
    let wrong = |option, problem| Err(Missing::new(option, problem));
    let (name, title, mut candidates) = match (bank.tagged(typed), bank.find_topic(typed)) {
        (Some((tag, mut tagged)), _) => {
            tagged.retain(|question| level.is_none_or(|level| question.level == level));
            (tag.clone(), tag, tagged)
        }
        (None, TopicMatch::Exact(name)) => {
            let filter = Filter { topics: vec![name.clone()], levels: levels(level), tracks: vec![] };
            let title = bank.topic_title(&name);
            (name, title, bank.select(&filter))
        }
        (None, TopicMatch::Near(near)) => {
            let help = text::topic_help(Some(typed), &near, &topic_sizes(bank));
            return Err(Box::new(Missing { help, problem: text::no_topic(typed, &near), option: "topic", near }));
        }
    };
    if candidates.is_empty() {
        let level = level.map_or("", Level::as_str);
        return wrong("level", text::no_questions_of_level(&title, level, &name));
    }
    if mode == Mode::Choice {
        candidates.retain(|question| question.choice.is_some());
        if candidates.is_empty() {
            return wrong("mode", text::no_choice_questions(&name));
        }
    }
    Ok(((name, title), candidates))
}

fn drill_of_one(bank: &Bank, id: &str, mode: Mode) -> Result<(String, Arc<Question>), Box<Missing>> {
    let wrong = |option, problem| Err(Missing::new(option, problem));
    match known_question(bank, id) {
        Err(refusal) => wrong("question", refusal),
        Ok(question) if mode == Mode::Choice && question.choice.is_none() => {
            wrong("mode", text::no_options_to_choose(&question.id))
        }
        Ok(question) => Ok((bank.topic_title(&question.topic), question)),
    }
}

/// (name, title, questions) of every topic.
fn topic_sizes(bank: &Bank) -> Vec<(String, String, usize)> {
    let all = bank.topics().into_iter();
    all.map(|topic| {
        let total = topic.total();
        (topic.name, topic.title, total)
    })
    .collect()
}

/// Puts a fresh outcome of item `at` on the drill board.
async fn score_item(conn: &mut crate::store::Conn, drill: &Drill, at: usize, was_open: bool, now: i64) -> Result<()> {
    let Some((item, outcome)) = drill.items.get(at).and_then(|item| Some((item, item.outcome.as_ref()?))) else {
        return Ok(());
    };
    // Leaving a question out is no answer.
    if !was_open || matches!(outcome, Outcome::Skipped | Outcome::Revealed) {
        return Ok(());
    }
    let who = (&drill.channel, &drill.member);
    score_drilled(conn, who, &item.question, &item.topic, outcome.worth(), now).await
}

/// Puts what a member made of a question on the drill board: its coverage and points, in tenths.
pub(super) async fn score_drilled(
    conn: &mut crate::store::Conn,
    (channel, member): (&ChannelId, &MemberId),
    question: &QuestionId,
    topic: &str,
    (coverage, points): (i64, i64),
    now: i64,
) -> Result<()> {
    let period = period_now(conn, channel, now).await?;
    let scored = drills::Scored { channel, member, question, period: &period, topic, coverage, points };
    let (points, answered) = drills::score(conn, &scored, now).await?;
    if points == 0 && answered == 0 {
        return Ok(());
    }
    let gain = standings::Gain { member: member.clone(), points, answered };
    standings::add(conn, channel, Board::Drill, topic, &period, &[gain], now).await
}

/// Keeps how sure the member was of item `at`, once.
async fn note_confidence(conn: &mut crate::store::Conn, drill: &Drill, at: usize, now: i64) -> Result<()> {
    let Some(item) = drill.items.get(at) else { return Ok(()) };
    let Some(Outcome::Answered { confidence: Some(said), coverage, .. }) = &item.outcome else { return Ok(()) };
    confidence::note(
        conn,
        drill,
        at,
        &confidence::Said { question: &item.question, said: *said, coverage: *coverage },
        now,
    )
    .await
}
