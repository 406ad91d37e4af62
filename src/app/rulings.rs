//! Claims of members, what is ruled on them, and how scores, standings and messages follow a ruling.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};

use super::answers::refuse;
use super::chat::{Chat, SendError};
use super::deliver::{Done, post};
use super::{Actor, App, reviews};
use crate::domain::answer;
use crate::domain::command::Board;
use crate::domain::effect::{Audience, Effect, Place};
use crate::domain::form::picked;
use crate::domain::grade::Grade;
use crate::domain::ids::{ChannelId, ClaimId, MemberId, RoundId};
use crate::domain::message::{Block, Message, Reply};
use crate::domain::question::Question;
use crate::domain::round::{self, Graded, Round, State};
use crate::domain::ruling::{self, Claim, ClaimState, Decision, Ruling, Subject};
use crate::domain::text::{self, ClaimView};
use crate::store::outbox::{self, Claimed};
use crate::store::{Conn, answers, claims, members, rounds, rulings, scores, standings};

/// Decisions that `/daily show` tells of.
const LATELY: i64 = 5;

/// A decision that somebody takes; `before` is found when it is carried out.
pub(super) struct Verdict {
    pub subject: Subject,
    pub round: RoundId,
    pub channel: ChannelId,
    pub point: usize,
    pub by: MemberId,
    pub organiser: bool,
    pub covered: bool,
}

/// What a member has in a revealed round, for their claims.
struct Own {
    round: Round,
    question: Question,
    scope: String,
    answer: String,
    grade: Grade,
    claims: Vec<Claim>,
}

/// What came of a press under a claim.
enum Ruled {
    Gone,
    OwnClaim,
    /// By somebody who may not overrule.
    DecidedAlready,
    StandsSo,
    Done,
}

/// Why a claim is not made.
enum Unclaimed {
    Already,
    Decided,
}

impl App {
    /// Opens the form of a claim, with what was typed before.
    pub(super) async fn ask_for_claim(&self, actor: &Actor, round: &RoundId, point: usize) -> Result<Reply> {
        let Some(own) = self.own(round, &actor.member).await? else {
            return Ok(Reply::show(text::nothing_to_claim()));
        };
        if let Some(refusal) = own.refusal(point) {
            return Ok(Reply::show(refusal));
        }
        let typed = own.claims.iter().find(|claim| claim.point == point).map_or("", |claim| claim.words.as_str());
        let form = text::claim_form(round, point, &own.question.key_points[point], &own.answer, typed);
        Ok(Reply::Open { form })
    }

    /// Opens the form of a claim of any point.
    pub(super) async fn ask_for_any_claim(&self, actor: &Actor, round: &RoundId) -> Result<Reply> {
        let Some(own) = self.own(round, &actor.member).await? else {
            return Ok(Reply::show(text::nothing_to_claim()));
        };
        Ok(match own.open().as_slice() {
            [] => Reply::show(text::cannot_be_claimed()),
            open => Reply::Open { form: text::claim_any_form(round, &own.question, open, &own.answer) },
        })
    }

    /// Claims the point that was picked.
    pub(super) async fn claim_any(&self, actor: &Actor, round: &RoundId, point: &str, typed: &str) -> Result<Reply> {
        let Some(own) = self.own(round, &actor.member).await? else {
            return Ok(Reply::show(text::nothing_to_claim()));
        };
        let options = text::claim_options(&own.question, &own.open());
        let at =
            picked(&options, false, point).map(|values| values.first().and_then(|value| value.parse::<usize>().ok()));
        match at {
            Ok(Some(number)) => self.claim_point(actor, round, number.saturating_sub(1), typed).await,
            Ok(None) => Ok(Reply::show(text::not_this_point(round, text::not_an_option(point, &options), typed))),
            Err(other) => Ok(Reply::show(text::not_this_point(round, text::not_an_option(&other, &options), typed))),
        }
    }

    /// Claims a point with words of the member's own answer.
    pub(super) async fn claim_point(&self, actor: &Actor, id: &RoundId, point: usize, typed: &str) -> Result<Reply> {
        let typed = typed.trim();
        if let Some(problem) = refuse_claim(typed) {
            return Ok(Reply::show(problem));
        }
        // Whom a ruling concerns depends on where the channel belongs.
        self.meet(actor).await?;
        let Some(own) = self.own(id, &actor.member).await? else {
            return Ok(Reply::show(text::nothing_to_claim()));
        };
        if let Some(refusal) = own.refusal(point) {
            return Ok(Reply::show(refusal));
        }
        let key_point = &own.question.key_points[point];
        let words = ruling::quoted(&own.answer, typed);
        let claim = Claim {
            id: ClaimId::of(id, &actor.member, point),
            round: id.clone(),
            member: actor.member.clone(),
            point,
            words: words.unwrap_or(typed).to_owned(),
            state: if words.is_some() { ClaimState::Open } else { ClaimState::Draft },
            subject: Subject::of(own.scope.clone(), &own.question, key_point, &own.answer),
            by: None,
            message: None,
        };
        let reply = match words {
            Some(_) => text::claim_made(),
            None => text::not_your_words(id, point, key_point, typed),
        };
        let (channel, now) = (own.round.channel, self.now());
        let made = self
            .store
            .write("claim a key point", move |conn| {
                Box::pin(async move {
                    // A ruling on an equal answer may come in between; and its author may have been erased.
                    rulings::turn(conn, &claim.subject.question).await?;
                    if rulings::get(conn, &claim.subject).await?.is_some()
                        || scores::get(conn, &claim.round, &claim.member).await?.is_none()
                    {
                        return Ok(Err(Unclaimed::Decided));
                    }
                    if !claims::put(conn, &claim, now).await? {
                        return Ok(Err(Unclaimed::Already));
                    }
                    if claim.state == ClaimState::Open {
                        let effect = Effect::Claim { claim: claim.id, round: claim.round };
                        outbox::add(conn, &[outbox::New::at_once(&channel, effect, now)], now).await?;
                    }
                    Ok(Ok(()))
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(Reply::show(match made {
            Ok(()) => reply,
            Err(Unclaimed::Already) => text::claimed_already(),
            Err(Unclaimed::Decided) => text::cannot_be_claimed(),
        }))
    }

    /// A press under a claim: the first decides, later ones of organisers overrule.
    pub(super) async fn rule_on_claim(&self, actor: &Actor, id: &ClaimId, covered: bool) -> Result<Reply> {
        let (id, actor, now) = (id.clone(), actor.clone(), self.now());
        let ruled = self
            .store
            .write("rule on a claim", move |conn| {
                Box::pin(async move {
                    let Some(claim) = claims::get(conn, &id).await? else { return Ok(Ruled::Gone) };
                    rulings::turn(conn, &claim.subject.question).await?;
                    // As it is now that nobody else can be deciding.
                    let Some(claim) = claims::get(conn, &id).await? else { return Ok(Ruled::Gone) };
                    let Some(round) = rounds::get(conn, &claim.round).await? else { return Ok(Ruled::Gone) };
                    match claim.state {
                        ClaimState::Draft | ClaimState::Erased => return Ok(Ruled::Gone),
                        _ if claim.member == actor.member => return Ok(Ruled::OwnClaim),
                        state if state == ClaimState::ruled(covered) => return Ok(Ruled::StandsSo),
                        ClaimState::Confirmed | ClaimState::Refused if !actor.organiser => {
                            return Ok(Ruled::DecidedAlready);
                        }
                        _ => {}
                    }
                    members::seen(conn, &actor.member, &actor.name, now).await?;
                    let verdict = Verdict {
                        subject: claim.subject,
                        round: claim.round,
                        channel: round.channel,
                        point: claim.point,
                        by: actor.member,
                        organiser: actor.organiser,
                        covered,
                    };
                    Ok(if rule(conn, &verdict, now).await? { Ruled::Done } else { Ruled::StandsSo })
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(Reply::show(match ruled {
            Ruled::Gone => text::claim_gone(),
            Ruled::OwnClaim => text::own_claim(),
            Ruled::DecidedAlready => text::decided_already(),
            Ruled::StandsSo => text::stands_so(),
            Ruled::Done => text::thanks_for_ruling(covered),
        }))
    }

    /// A member's answer in a revealed round with what they have claimed; None when they have no score there.
    async fn own(&self, round: &RoundId, member: &MemberId) -> Result<Option<Own>> {
        let (id, member) = (round.clone(), member.clone());
        self.store
            .read("read a result to claim from", move |conn| {
                Box::pin(async move {
                    let Some(round) = rounds::get(conn, &id).await? else { return Ok(None) };
                    let Some(score) = scores::get(conn, &id, &member).await? else { return Ok(None) };
                    if round.state != State::Revealed {
                        return Ok(None);
                    }
                    let parts = answers::of_member(conn, &id, &member).await?;
                    Ok(Some(Own {
                        question: rounds::snapshot(conn, &round.snapshot).await?,
                        scope: rulings::scope_of(conn, &round.channel).await?,
                        answer: answer::assemble(&parts).into_iter().next().map(|one| one.text).unwrap_or_default(),
                        grade: score.grade,
                        claims: claims::of_member(conn, &id, &member).await?,
                        round,
                    }))
                })
            })
            .await
    }

    /// The newest decisions of a channel, for its organisers.
    pub(super) async fn rulings_lately(&self, channel: &ChannelId) -> Result<Vec<Block>> {
        let channel = channel.clone();
        self.store
            .read("read rulings", move |conn| {
                Box::pin(async move {
                    let log = rulings::log_of(conn, &channel, LATELY).await?;
                    let people: Vec<MemberId> = log.iter().filter_map(|one| one.by.clone()).collect();
                    let names = members::names(conn, &people).await?;
                    let mut out = Vec::new();
                    for one in &log {
                        let Some(round) = rounds::get(conn, &one.round).await? else { continue };
                        let question = rounds::snapshot(conn, &round.snapshot).await?;
                        let Some(point) = question.key_points.get(one.point) else { continue };
                        let name = one.by.as_ref().and_then(|by| names.get(by));
                        out.push(text::ruling_line(one, &round, point, name.map(String::as_str)));
                    }
                    Ok(out)
                })
            })
            .await
    }

    /// The rulings that hold where a round is, for its question.
    pub(super) async fn rulings_for(&self, round: &Round) -> Result<Vec<Ruling>> {
        let (channel, question) = (round.channel.clone(), round.question.clone());
        self.store
            .read("read rulings", move |conn| Box::pin(async move { rulings_in(conn, &channel, &question).await }))
            .await
    }

    pub(super) async fn send_claim<C: Chat>(&self, chat: &C, row: &Claimed, id: &ClaimId) -> Result<Done> {
        let Some((claim, round, message)) = self.claim_view(id).await? else { return self.finish(row, None).await };
        let place = Place { channel: round.channel, thread: round.thread, audience: Audience::Everyone };
        let post = post(row, &place, &message);
        let posted = match claim.state {
            // Erased before it was posted; unless that happened while nobody knew.
            ClaimState::Erased if row.in_doubt => chat.find(post).await,
            ClaimState::Erased => Ok(None),
            _ => self.post_once(chat, row, post).await.map(Some),
        };
        let posted = match posted {
            Ok(posted) => posted,
            Err(error) => return Ok(Done::Failed(error)),
        };
        let (row, id) = (row.id.clone(), id.clone());
        self.store
            .write("note a posted claim", move |conn| {
                Box::pin(async move {
                    let message = posted.map(|posted| posted.message);
                    if outbox::sent(conn, &row, message.as_ref()).await?
                        && let Some(message) = message
                    {
                        claims::posted(conn, &id, &message).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        Ok(Done::Finished)
    }

    /// Shows what has become of a posted claim.
    pub(super) async fn edit_claim<C: Chat>(&self, chat: &C, row: &Claimed, id: &ClaimId) -> Result<Done> {
        let Some((claim, round, message)) = self.claim_view(id).await? else { return self.finish(row, None).await };
        if let Some(target) = &claim.message {
            let place = Place { channel: round.channel, thread: round.thread, audience: Audience::Everyone };
            match chat.edit(&place, target, &message).await {
                // Somebody has deleted the message: nothing says anything else any more.
                Ok(()) | Err(SendError::Fatal { .. }) => {}
                Err(error) => return Ok(Done::Failed(error)),
            }
        }
        let (row, id) = (row.id.clone(), id.clone());
        self.store
            .write("note a refreshed claim", move |conn| {
                Box::pin(async move {
                    if outbox::sent(conn, &row, None).await? {
                        claims::gone(conn, &id).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        Ok(Done::Finished)
    }

    /// A claim with its round, as everybody is to see it now.
    async fn claim_view(&self, id: &ClaimId) -> Result<Option<(Claim, Round, Message)>> {
        let id = id.clone();
        self.store
            .read("read a claim", move |conn| {
                Box::pin(async move {
                    let Some(claim) = claims::get(conn, &id).await? else { return Ok(None) };
                    let Some(round) = rounds::get(conn, &claim.round).await? else { return Ok(None) };
                    let question = rounds::snapshot(conn, &round.snapshot).await?;
                    let point = question.key_points.get(claim.point).context("a claim of a point that is not there")?;
                    let people: Vec<MemberId> = claim.by.iter().chain([&claim.member]).cloned().collect();
                    let names = members::names(conn, &people).await?;
                    let score = scores::get(conn, &claim.round, &claim.member).await?;
                    let message = text::claim(&ClaimView {
                        id: &claim.id,
                        question: &question,
                        point,
                        words: &claim.words,
                        state: claim.state,
                        author: names.get(&claim.member).map(String::as_str),
                        decided_by: claim.by.as_ref().and_then(|by| names.get(by)).map(String::as_str),
                        coverage: score.map(|score| score.coverage),
                    });
                    Ok(Some((claim, round, message)))
                })
            })
            .await
    }

    /// Tells a member what a ruling did to their result, where the bot may write to people.
    pub(super) async fn send_ruled<C: Chat>(
        &self,
        chat: &C,
        row: &Claimed,
        told: (&RoundId, &MemberId),
        ruling: i64,
        was: i64,
    ) -> Result<Done> {
        let (id, member) = (told.0.clone(), told.1.clone());
        let view = self
            .store
            .read("read a ruling", move |conn| {
                Box::pin(async move {
                    let Some(score) = scores::get(conn, &id, &member).await? else { return Ok(None) };
                    let Some(round) = rounds::get(conn, &id).await? else { return Ok(None) };
                    let Some((decision, key)) = rulings::logged(conn, ruling).await? else { return Ok(None) };
                    let question = rounds::snapshot(conn, &round.snapshot).await?;
                    let point = question.key_points.iter().find(|point| ruling::point_key(point) == key);
                    let message = point.map(|point| text::ruled(point, &decision, was, score.coverage));
                    Ok(message.map(|message| (round.channel, message)))
                })
            })
            .await?;
        let Some((channel, message)) = view.filter(|_| chat.posts_in_private()) else {
            return self.finish(row, None).await;
        };
        let place = Place { channel, thread: None, audience: Audience::Member(told.1.clone()) };
        match self.post_once(chat, row, post(row, &place, &message)).await {
            Ok(posted) => self.finish(row, Some(posted.message)).await,
            Err(error) => Ok(Done::Failed(error)),
        }
    }
}

impl Own {
    /// The points that may be claimed.
    fn open(&self) -> Vec<usize> {
        let claimed = self.claims.iter().filter(|claim| claim.state != ClaimState::Draft).map(|claim| claim.point);
        text::claimable(&self.question, &self.grade, &claimed.collect::<Vec<_>>())
    }

    /// Why a point cannot be claimed.
    fn refusal(&self, point: usize) -> Option<Message> {
        if self.claims.iter().any(|claim| claim.point == point && claim.state != ClaimState::Draft) {
            return Some(text::claimed_already());
        }
        match self.grade.points.get(point).filter(|_| point < self.question.key_points.len()) {
            Some(grade) if ruling::is_claimable(grade.state, grade.by) => None,
            _ => Some(text::cannot_be_claimed()),
        }
    }
}

/// What is wrong with a claim, as far as that is known without the database.
pub(super) fn refuse_claim(typed: &str) -> Option<Message> {
    if typed.chars().count() > text::CLAIM_CHARS {
        return Some(text::claim_too_long());
    }
    refuse(typed, text::empty_claim)
}

/// The rulings on a question that hold in a channel.
pub(super) async fn rulings_in(
    conn: &mut Conn,
    channel: &ChannelId,
    question: &crate::domain::ids::QuestionId,
) -> Result<Vec<Ruling>> {
    let scope = rulings::scope_of(conn, channel).await?;
    rulings::of_question(conn, &scope, question).await
}

/// Puts what was ruled into fresh grades; what they were before, for those that it changed.
pub(super) fn apply(question: &Question, graded: &mut [Graded], rulings: &[Ruling]) -> HashMap<MemberId, Grade> {
    let mut before = HashMap::new();
    for one in graded.iter_mut().filter(|_| !rulings.is_empty()) {
        let key = ruling::answer_key(&one.answer.text);
        if let Some(grade) = ruling::ruled(question, &one.grade, &key, rulings) {
            before.insert(one.answer.member.clone(), std::mem::replace(&mut one.grade, grade));
        }
    }
    before
}

/// Carries out a decision, all in the transaction at hand: what holds, the log, every equal answer's score with the standings, and what
/// people are to be told. False when it holds already. Behind [`rulings::turn`] of its question.
pub(super) async fn rule(conn: &mut Conn, verdict: &Verdict, now: i64) -> Result<bool> {
    let Verdict { subject, covered, .. } = verdict;
    let before = rulings::get(conn, subject).await?;
    if before == Some(*covered) {
        return Ok(false);
    }
    let number = rulings::next(conn).await?;
    let decision = Decision {
        round: verdict.round.clone(),
        channel: verdict.channel.clone(),
        point: verdict.point,
        by: Some(verdict.by.clone()),
        organiser: verdict.organiser,
        before,
        after: *covered,
        at: now,
    };
    rulings::set(conn, number, subject, &decision).await?;
    let mut effects = follow(conn, subject, number, now).await?;
    let state = ClaimState::ruled(*covered);
    for claim in claims::of_subject(conn, subject).await? {
        claims::decided(conn, &claim.id, state, &verdict.by).await?;
        let Some(round) = rounds::get(conn, &claim.round).await? else { continue };
        let effect = Effect::Claimed { claim: claim.id, round: claim.round, change: number };
        effects.push(outbox::New::at_once(&round.channel, effect, now));
    }
    outbox::add(conn, &effects, now).await?;
    tracing::info!(
        ruling = number,
        round = %verdict.round,
        question = %subject.question,
        point = verdict.point,
        before = ?before,
        after = covered,
        by = %verdict.by,
        organiser = verdict.organiser,
        "a ruling"
    );
    Ok(true)
}

/// Makes all scores of equal answers agree with the rulings; what is to be told of it.
async fn follow(conn: &mut Conn, subject: &Subject, number: i64, now: i64) -> Result<Vec<outbox::New>> {
    note_keys(conn, subject).await?;
    let all = rulings::of_question(conn, &subject.scope, &subject.question).await?;
    let mut questions: HashMap<String, Question> = HashMap::new();
    // By channel and round, in that order.
    let mut gains: BTreeMap<(ChannelId, RoundId), Vec<standings::Gain>> = BTreeMap::new();
    let mut about = HashMap::new();
    let mut effects = Vec::new();
    for mut row in rulings::scores_of(conn, subject).await? {
        effects.extend(reviews::retold(conn, &row.round, &row.member, number, now).await?);
        if !questions.contains_key(&row.snapshot) {
            questions.insert(row.snapshot.clone(), rounds::snapshot(conn, &row.snapshot).await?);
        }
        let question = &questions[&row.snapshot];
        let grade = ruling::ruled(question, &row.graded, &subject.answer, &all).unwrap_or_else(|| row.graded.clone());
        if grade == row.grade {
            continue;
        }
        let (was, had) = (row.coverage, row.points);
        (row.coverage, row.points) = round::worth(question, &grade, row.hints);
        row.grade = grade;
        rulings::put_score(conn, &row).await?;
        let told = Effect::Ruled { round: row.round.clone(), member: row.member.clone(), ruling: number, was };
        effects.push(outbox::New::at_once(&row.channel, told, now));
        let gain = standings::Gain { member: row.member, points: row.points - had, answered: 0 };
        let at = (row.channel, row.round);
        about.insert(at.clone(), (row.topic, row.period));
        gains.entry(at).or_default().push(gain);
    }
    for (at, mut gains) in gains {
        let (channel, round) = &at;
        let (topic, period) = &about[&at];
        effects.push(outbox::New::at_once(channel, Effect::Retell { round: round.clone(), change: number }, now));
        gains.retain(|gain| gain.points != 0);
        standings::add(conn, channel, Board::Daily, topic, period, &gains, now).await?;
    }
    Ok(effects)
}

/// Finds out by which words the answers of older scores are known.
async fn note_keys(conn: &mut Conn, subject: &Subject) -> Result<()> {
    for round in rulings::without_key(conn, &subject.scope, &subject.question).await? {
        let parts = answers::of_round(conn, &round).await?;
        for one in answer::assemble(&parts) {
            rulings::put_key(conn, &round, &one.member, &ruling::answer_key(&one.text)).await?;
        }
    }
    Ok(())
}

/// Takes a member out of claims and rulings; what has to be changed in the messages of claims.
pub(super) async fn forget(conn: &mut Conn, member: &MemberId, now: i64) -> Result<Vec<outbox::New>> {
    rulings::forget(conn, member).await?;
    let mut effects = Vec::new();
    for claim in claims::forget(conn, member).await? {
        let Some(round) = rounds::get(conn, &claim.round).await? else { continue };
        let change = rulings::next(conn).await?;
        let effect = Effect::Claimed { claim: claim.id, round: claim.round, change };
        effects.push(outbox::New::at_once(&round.channel, effect, now));
    }
    Ok(effects)
}
