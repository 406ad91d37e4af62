//! The reveal of a round, part by part, and what everybody gets of it for themselves.

use std::collections::HashMap;

use anyhow::Result;

use super::channels::step_failed;
use super::chat::{Chat, Post, SendError};
use super::deliver::{Done, post};
use super::{App, reviews};
use crate::domain::answer;
use crate::domain::effect::{Audience, Effect, Place};
use crate::domain::flag::About;
use crate::domain::ids::{MemberId, RoundId};
use crate::domain::message::Message;
use crate::domain::question::Question;
use crate::domain::round::{self, Round};
use crate::domain::ruling::ClaimState;
use crate::domain::text::{self, NamedAnswer, Reveal};
use crate::store::channels::Step;
use crate::store::outbox::{self, Claimed};
use crate::store::scores::Score;
use crate::store::{answers, channels, claims, members, rounds, scores};

impl App {
    pub(super) async fn count_parts(
        &self,
        round: &Round,
        question: &Question,
        scored: &[round::Scored],
    ) -> Result<usize> {
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

    pub(super) async fn send_reveal<C: Chat>(
        &self,
        chat: &C,
        row: &Claimed,
        id: &RoundId,
        part: usize,
    ) -> Result<Done> {
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
    pub(super) async fn retell<C: Chat>(&self, chat: &C, row: &Claimed, id: &RoundId) -> Result<Done> {
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

    pub(super) async fn send_result<C: Chat>(
        &self,
        chat: &C,
        row: &Claimed,
        id: &RoundId,
        member: &MemberId,
    ) -> Result<Done> {
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
}

/// After the last part of a reveal everybody gets their own result: never before the answer is out.
pub(super) async fn tell_results(conn: &mut crate::store::Conn, round: &Round, part: usize, now: i64) -> Result<()> {
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
