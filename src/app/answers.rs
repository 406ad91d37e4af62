//! What members do with a question: answer it, in the thread or with the form, ask for hints, look at their result.

use anyhow::Result;

use super::desk::{FormAnswer, Saved};
use super::{Actor, App, Written};
use crate::domain::answer::{MAX_CHARS, Part, Receipt};
use crate::domain::ids::{MemberId, RoundId, ThreadId};
use crate::domain::message::{Message, Reply};
use crate::domain::round::State;
use crate::domain::schedule::AnswerMode;
use crate::domain::text;
use crate::store::{answers, erased, members, rounds};

/// Why a message becomes an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// It stands in the thread.
    Unsaid,
    /// Its author has asked for it.
    Theirs,
}

/// Why a text is no answer, whatever the question; `empty` are the words for one without a letter in it.
pub(super) fn refuse(answer: &str, empty: fn() -> Message) -> Option<Message> {
    if !answer.chars().any(char::is_alphanumeric) {
        return Some(empty());
    }
    let chars = answer.chars().count();
    (chars > MAX_CHARS).then(|| text::answer_too_long(chars))
}

impl App {
    /// Opens the answer form, with what the member sent before.
    pub(super) async fn ask_for_answer(&self, actor: &Actor, id: &RoundId) -> Result<Reply> {
        let Some((round, question, _)) = self.round_view(id).await? else { return Ok(Reply::show(text::round_gone())) };
        if round.state != State::Open {
            return Ok(Reply::show(text::question_closed()));
        }
        let (id, member) = (id.clone(), actor.member.clone());
        let part = self
            .store
            .read("read an answer", move |conn| {
                Box::pin(async move { answers::get(conn, &id, &Part::form_id(&member)).await })
            })
            .await?;
        let part = part.filter(|part| !part.deleted);
        let said = part.as_ref().and_then(|part| part.confidence);
        let written = part.map(|part| part.body).unwrap_or_default();
        Ok(Reply::Open { form: text::answer_form(&round, &question, &written, said) })
    }

    /// Saves the form of a round. Sending it again changes the answer; after the close it is kept as late. `confidence` is what was
    /// given for it, and costs nothing when it cannot be read.
    pub(super) async fn save_answer(
        &self,
        actor: &Actor,
        id: &RoundId,
        answer: &str,
        confidence: &str,
    ) -> Result<Reply> {
        let body = answer.trim().to_owned();
        if let Some(problem) = refuse(&body, text::empty_answer) {
            return Ok(Reply::show(problem));
        }
        let said = text::read_confidence(confidence);
        let answer = FormAnswer {
            round: id.clone(),
            member: actor.member.clone(),
            name: actor.name.clone(),
            body,
            confidence: said.as_ref().copied().unwrap_or_default(),
            at: self.now(),
            reads_threads: self.reads_threads(actor.member.as_str()),
        };
        let saved = self.desk.save(&self.store, answer).await?;
        let mut receipt = match saved {
            Saved::InTime { reveal_at, changed } => text::answer_saved(reveal_at, changed),
            Saved::Late => text::answer_late(),
            Saved::ThreadOnly => {
                text::refused("Answers to this question go into its thread, where everybody can read them.")
            }
            Saved::Unknown => text::round_gone(),
        };
        if let (Saved::InTime { .. }, Err(problem)) = (saved, said) {
            receipt.blocks.push(text::saved_without(&problem));
        }
        Ok(Reply::show(receipt))
    }

    /// A member asks that a message of theirs be their answer: the way to answer in a thread that the bot may not read. A private
    /// question takes it as its form.
    ///
    /// # Errors
    /// Only when the database cannot be used; what cannot be saved is a reply.
    pub async fn save_message(&self, actor: &Actor, written: Written) -> Result<Reply> {
        let (channel, thread) = (written.channel.clone(), written.thread.clone());
        let round = self
            .store
            .read("look for a question", move |conn| {
                Box::pin(async move { rounds::of_thread(conn, &channel, &thread).await })
            })
            .await?;
        let Some(round) = round else { return Ok(Reply::show(text::not_in_a_question())) };
        if written.member != actor.member {
            return Ok(Reply::show(text::not_your_message()));
        }
        if round.state != State::Open {
            return Ok(Reply::show(text::question_closed()));
        }
        if round.answers == AnswerMode::Private {
            return self.save_answer(actor, &round.id, &written.text, "").await;
        }
        if let Some(problem) = refuse(&written.text, text::empty_answer) {
            return Ok(Reply::show(problem));
        }
        Ok(Reply::show(match self.take_message(written, Wish::Theirs).await? {
            Receipt::Noted => text::message_saved(round.reveal_at),
            Receipt::Late => text::question_closed(),
            Receipt::Aside | Receipt::NotOurs => text::not_in_a_question(),
        }))
    }

    /// A member wrote in a thread, or changed what they wrote there. What counts is the newest text before the close.
    ///
    /// # Errors
    /// When it could not be stored; the reveal reads the thread again, so nothing is lost for good.
    pub async fn thread_message(&self, written: Written) -> Result<Receipt> {
        self.take_message(written, Wish::Unsaid).await
    }

    async fn take_message(&self, written: Written, wish: Wish) -> Result<Receipt> {
        let now = self.now();
        self.store
            .write("note a thread message", move |conn| {
                Box::pin(async move {
                    let Some(round) = rounds::of_thread(conn, &written.channel, &written.thread).await? else {
                        return Ok(Receipt::NotOurs);
                    };
                    if round.answers == AnswerMode::Private {
                        return Ok(Receipt::Aside);
                    }
                    let before = answers::get(conn, &round.id, &written.message).await?;
                    if wish == Wish::Unsaid
                        && before.is_none()
                        && erased::all(conn).await?.covers(&written.member, written.at)
                    {
                        // News of a message from before its author was erased.
                        return Ok(Receipt::Aside);
                    }
                    let in_time = rounds::touch_open(conn, &round.id).await?;
                    if before.as_ref().is_some_and(|part| !part.late) && !in_time {
                        // An edit after the close: the answer stands as it was.
                        return Ok(Receipt::Noted);
                    }
                    members::met(conn, &written.member, written.name.as_deref(), now).await?;
                    let written_at = before.as_ref().map_or(written.at, |part| part.written_at);
                    let part = Part {
                        id: written.message,
                        member: written.member,
                        body: written.text,
                        written_at,
                        late: !in_time,
                        deleted: false,
                        confidence: None,
                    };
                    answers::keep_versions(conn, &round.id, before.as_slice(), std::slice::from_ref(&part), now)
                        .await?;
                    answers::put(conn, &round.id, &part).await?;
                    Ok(if in_time { Receipt::Noted } else { Receipt::Late })
                })
            })
            .await
    }

    /// What somebody was called last, if they are known.
    pub async fn member_name(&self, member: &MemberId) -> Result<Option<String>> {
        let member = member.clone();
        let known =
            self.store.read("read a name", move |conn| Box::pin(async move { members::get(conn, &member).await }));
        Ok(known.await?.map(|known| known.name))
    }

    /// What somebody is called, on a platform whose messages do not say. False when they are not known.
    pub async fn is_called(&self, member: &MemberId, name: &str) -> Result<bool> {
        let (member, name) = (member.clone(), name.to_owned());
        self.store
            .write("note a name", move |conn| Box::pin(async move { members::rename(conn, &member, &name).await }))
            .await
    }

    /// A member deleted what they wrote in a thread. After the close the answer stands.
    pub async fn thread_message_deleted(
        &self,
        channel: &crate::domain::ids::ChannelId,
        thread: &ThreadId,
        message: &str,
    ) -> Result<()> {
        let (channel, thread, message) = (channel.clone(), thread.clone(), message.to_owned());
        self.store
            .write("note a deleted message", move |conn| {
                Box::pin(async move {
                    let Some(round) = rounds::of_thread(conn, &channel, &thread).await? else { return Ok(()) };
                    let known = answers::get(conn, &round.id, &message).await?;
                    if known.is_some_and(|part| part.late) || rounds::touch_open(conn, &round.id).await? {
                        answers::delete(conn, &round.id, &message).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    pub(super) async fn give_hint(&self, actor: &Actor, id: &RoundId) -> Result<Reply> {
        let Some((round, question, _)) = self.round_view(id).await? else { return Ok(Reply::show(text::round_gone())) };
        if round.state != State::Open {
            return Ok(Reply::show(text::question_closed()));
        }
        let (id, member, name, now) = (id.clone(), actor.member.clone(), actor.name.clone(), self.now());
        let limit = i64::try_from(question.hints.len())?;
        let step = self
            .store
            .write("give a hint", move |conn| {
                Box::pin(async move {
                    // Under the round's lock: a hint is charged, or it is too late for hints.
                    if !rounds::touch_open(conn, &id).await? {
                        return Ok(None);
                    }
                    members::seen(conn, &member, &name, now).await?;
                    rounds::take_hint(conn, &id, &member, limit).await.map(Some)
                })
            })
            .await?;
        Ok(Reply::show(match step {
            None => text::question_closed(),
            Some(Some(step)) => text::hint(&question, usize::try_from(step)?),
            Some(None) if question.hints.is_empty() => text::refused("This question has no hints."),
            Some(None) => text::all_hints(&question),
        }))
    }

    pub(super) async fn my_result(&self, actor: &Actor, id: &RoundId) -> Result<Reply> {
        let Some((round, question, _)) = self.round_view(id).await? else { return Ok(Reply::show(text::round_gone())) };
        if round.state != State::Revealed {
            return Ok(Reply::show(text::not_revealed_yet()));
        }
        let message: Message =
            self.result_of(id, &actor.member).await?.unwrap_or_else(|| text::no_answer_of_yours(&question));
        Ok(Reply::show(message))
    }
}
