//! Reviews: who answered looks at another answer of the round, without a name, and ticks what it covers.

use anyhow::{Context, Result};

use super::boards::period_now;
use super::chat::{Chat, SendError};
use super::deliver::{Done, post};
use super::rulings::{Verdict, rule};
use super::{Actor, App};
use crate::domain::answer;
use crate::domain::command::Board;
use crate::domain::effect::{Audience, Effect, Place};
use crate::domain::form::picked;
use crate::domain::ids::{ChannelId, MemberId, ReviewId, RoundId, seed_of};
use crate::domain::message::{Message, Reply};
use crate::domain::question::Question;
use crate::domain::review;
use crate::domain::round::State;
use crate::domain::ruling::Subject;
use crate::domain::text::{self, Disputed};
use crate::store::outbox::{self, Claimed};
use crate::store::reviews::Review;
use crate::store::{Conn, answers, members, reviews, rounds, rulings, scores, standings};

/// What came of a sent review.
enum Sent {
    Gone,
    Already,
    Done { agreed: usize, of: usize, disputed: bool, earned: i64 },
}

/// What came of an organiser's press.
enum Decided {
    Gone,
    OwnAnswer,
    StandsSo,
    Done,
}

impl App {
    /// Opens the form with an answer of the round: the one the member took before, or the one with the fewest reviews.
    pub(super) async fn take_review(&self, actor: &Actor, id: &RoundId) -> Result<Reply> {
        let (id, member, now) = (id.clone(), actor.member.clone(), self.now());
        let taken = self
            .store
            .write("take an answer to review", move |conn| {
                Box::pin(async move {
                    let round = rounds::get(conn, &id).await?.filter(|round| round.state == State::Revealed);
                    let Some(round) = round else { return Ok(None) };
                    // Two who take at once take different answers.
                    rulings::turn(conn, &round.question).await?;
                    let scored = scores::of_round(conn, &id).await?;
                    if !scored.iter().any(|score| score.member == member) {
                        return Ok(None);
                    }
                    let question = rounds::snapshot(conn, &round.snapshot).await?;
                    let all = reviews::of_round(conn, &id).await?;
                    let own = |one: &&Review| one.reviewer == member;
                    let review = match all.iter().filter(own).find(|one| !one.done) {
                        Some(begun) => begun.clone(),
                        None => {
                            let seen = |author: &MemberId| {
                                all.iter().filter(own).any(|one| one.author.as_ref() == Some(author))
                            };
                            let reviewed = |author: &MemberId| {
                                all.iter().filter(|one| one.author.as_ref() == Some(author)).count()
                            };
                            let others = scored.iter().map(|score| &score.member);
                            let next = others
                                .filter(|author| **author != member && !seen(author))
                                .min_by_key(|author| (reviewed(author), seed_of(&[id.as_str(), author.as_str()])));
                            let Some(author) = next else { return Ok(Some(None)) };
                            let review = Review {
                                id: ReviewId::of(&id, author, &member),
                                round: id.clone(),
                                channel: round.channel.clone(),
                                author: Some(author.clone()),
                                reviewer: member.clone(),
                                done: false,
                                covered: vec![],
                                disputed: vec![],
                                message: None,
                            };
                            reviews::take(conn, &review, &question.topic, now).await?;
                            review
                        }
                    };
                    let text = answer_of(conn, &id, review.author.as_ref()).await?;
                    Ok(Some(Some((review.id, question, text))))
                })
            })
            .await?;
        Ok(match taken {
            None => Reply::show(text::only_who_answered()),
            Some(None) => Reply::show(text::nothing_to_review()),
            Some(Some((review, question, answer))) => {
                Reply::Open { form: text::review_form(&review, &question, &answer) }
            }
        })
    }

    /// Keeps what a reviewer ticked.
    pub(super) async fn finish_review(&self, actor: &Actor, id: &ReviewId, ticked: &str) -> Result<Reply> {
        let Some((found, question)) = self.review(id).await?.filter(|(found, _)| found.reviewer == actor.member) else {
            return Ok(Reply::show(text::review_gone()));
        };
        let options = text::point_options(&question);
        let covered = match picked(&options, true, ticked) {
            Ok(values) => values.iter().filter_map(|value| value.parse::<usize>().ok()?.checked_sub(1)).collect(),
            Err(typed) => {
                let problem = text::not_an_option(&typed, &options);
                return Ok(Reply::show(text::not_these_points(&found.round, problem)));
            }
        };
        let (id, now) = (id.clone(), self.now());
        let sent = self
            .store
            .write("keep a review", move |conn| Box::pin(async move { keep(conn, &id, covered, &question, now).await }))
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(Reply::show(match sent {
            Sent::Gone => text::review_gone(),
            Sent::Already => text::reviewed_already(),
            Sent::Done { agreed, of, disputed, earned } => text::reviewed(agreed, of, disputed, earned),
        }))
    }

    /// An organiser decides on a point that a reader and the grader see differently.
    pub(super) async fn rule_on_review(
        &self,
        actor: &Actor,
        id: &ReviewId,
        point: usize,
        covered: bool,
    ) -> Result<Reply> {
        if !actor.organiser {
            return Ok(Reply::show(text::rulings_are_for_organisers()));
        }
        let (id, actor, now) = (id.clone(), actor.clone(), self.now());
        let decided = self
            .store
            .write("rule on a review", move |conn| {
                Box::pin(async move {
                    let Some(found) = reviews::get(conn, &id).await? else { return Ok(Decided::Gone) };
                    let Some(round) = rounds::get(conn, &found.round).await? else { return Ok(Decided::Gone) };
                    rulings::turn(conn, &round.question).await?;
                    let Some(found) = reviews::get(conn, &id).await? else { return Ok(Decided::Gone) };
                    let Some(author) = &found.author else { return Ok(Decided::Gone) };
                    if *author == actor.member {
                        return Ok(Decided::OwnAnswer);
                    }
                    let question = rounds::snapshot(conn, &round.snapshot).await?;
                    let key_point = question.key_points.get(point).filter(|_| found.disputed.contains(&point));
                    let Some(key_point) = key_point else { return Ok(Decided::Gone) };
                    let text = answer_of(conn, &found.round, Some(author)).await?;
                    let scope = rulings::scope_of(conn, &round.channel).await?;
                    members::seen(conn, &actor.member, &actor.name, now).await?;
                    let verdict = Verdict {
                        subject: Subject::of(scope, &question, key_point, &text),
                        round: found.round,
                        channel: round.channel,
                        point,
                        by: actor.member,
                        organiser: true,
                        covered,
                    };
                    Ok(if rule(conn, &verdict, now).await? { Decided::Done } else { Decided::StandsSo })
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(Reply::show(match decided {
            Decided::Gone => text::dispute_gone(),
            Decided::OwnAnswer => text::own_answer(),
            Decided::StandsSo => text::stands_so(),
            Decided::Done => text::thanks_for_ruling(covered),
        }))
    }

    /// The channel whose organisers may decide on a review: what they are told in private has no other place.
    pub async fn channel_of_review(&self, id: &ReviewId) -> Result<Option<ChannelId>> {
        Ok(self.review(id).await?.map(|(found, _)| found.channel))
    }

    async fn review(&self, id: &ReviewId) -> Result<Option<(Review, Question)>> {
        let id = id.clone();
        self.store
            .read("read a review", move |conn| {
                Box::pin(async move {
                    let Some(found) = reviews::get(conn, &id).await? else { return Ok(None) };
                    let Some(round) = rounds::get(conn, &found.round).await? else { return Ok(None) };
                    Ok(Some((found, rounds::snapshot(conn, &round.snapshot).await?)))
                })
            })
            .await
    }

    /// Tells the organisers what a reader and the grader see differently.
    pub(super) async fn send_dispute<C: Chat>(&self, chat: &C, row: &Claimed, id: &ReviewId) -> Result<Done> {
        let Some((found, message)) = self.dispute(id).await? else { return self.finish(row, None).await };
        let place = Place { channel: found.channel, thread: None, audience: Audience::Organisers };
        let post = post(row, &place, &message);
        let posted = match (found.author.is_some() && !found.reviewer.as_str().is_empty(), row.in_doubt) {
            (true, _) => self.post_once(chat, row, post).await.map(Some),
            // Erased before it was told; unless that happened while nobody knew.
            (false, true) => chat.find(post).await,
            (false, false) => Ok(None),
        };
        let posted = match posted {
            Ok(posted) => posted,
            Err(error) => return Ok(Done::Failed(error)),
        };
        let (row, id) = (row.id.clone(), id.clone());
        self.store
            .write("note a told review", move |conn| {
                Box::pin(async move {
                    let message = posted.map(|posted| posted.message);
                    if outbox::sent(conn, &row, message.as_ref()).await?
                        && let Some(message) = message
                    {
                        reviews::posted(conn, &id, &message).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        Ok(Done::Finished)
    }

    /// Shows the organisers what was decided.
    pub(super) async fn edit_dispute<C: Chat>(&self, chat: &C, row: &Claimed, id: &ReviewId) -> Result<Done> {
        let Some((found, message)) = self.dispute(id).await? else { return self.finish(row, None).await };
        if let Some(target) = &found.message {
            let place = Place { channel: found.channel, thread: None, audience: Audience::Organisers };
            match chat.edit(&place, target, &message).await {
                Ok(()) | Err(SendError::Fatal { .. }) => {}
                Err(error) => return Ok(Done::Failed(error)),
            }
        }
        let (row, id) = (row.id.clone(), id.clone());
        self.store
            .write("note a refreshed review", move |conn| {
                Box::pin(async move {
                    if outbox::sent(conn, &row, None).await? {
                        reviews::gone(conn, &id).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        Ok(Done::Finished)
    }

    /// A review as the organisers are to see it now.
    async fn dispute(&self, id: &ReviewId) -> Result<Option<(Review, Message)>> {
        let id = id.clone();
        self.store
            .read("read a review", move |conn| {
                Box::pin(async move {
                    let Some(found) = reviews::get(conn, &id).await? else { return Ok(None) };
                    let Some(round) = rounds::get(conn, &found.round).await? else { return Ok(None) };
                    let question = rounds::snapshot(conn, &round.snapshot).await?;
                    let graded = match &found.author {
                        Some(author) => rulings::graded(conn, &found.round, author).await?,
                        None => None,
                    };
                    let (Some(graded), false) = (graded, found.reviewer.as_str().is_empty()) else {
                        return Ok(Some((found, text::dispute_erased())));
                    };
                    let text = answer_of(conn, &found.round, found.author.as_ref()).await?;
                    let scope = rulings::scope_of(conn, &round.channel).await?;
                    let mut points = Vec::new();
                    for at in found.disputed.iter().copied() {
                        let point = question.key_points.get(at).context("a review of a point that is not there")?;
                        let subject = Subject::of(scope.clone(), &question, point, &text);
                        points.push(Disputed {
                            at,
                            point,
                            ticked: found.covered.contains(&at),
                            state: graded.points.get(at).context("a grade without a point")?.state,
                            ruling: rulings::get(conn, &subject).await?,
                        });
                    }
                    let message = text::dispute(&found.id, &question, &text, &points);
                    Ok(Some((found, message)))
                })
            })
            .await
    }
}

/// Stores a review with its points and the standings, and tells the organisers of what is seen differently.
async fn keep(conn: &mut Conn, id: &ReviewId, covered: Vec<usize>, question: &Question, now: i64) -> Result<Sent> {
    // What is compared is what holds now.
    rulings::turn(conn, &question.id).await?;
    let Some(found) = reviews::get(conn, id).await? else { return Ok(Sent::Gone) };
    if found.done {
        return Ok(Sent::Already);
    }
    let Some(author) = &found.author else { return Ok(Sent::Gone) };
    let Some(score) = scores::get(conn, &found.round, author).await? else { return Ok(Sent::Gone) };
    let (disputed, agreed) = (review::disputed(&score.grade, &covered), review::agreed(&score.grade, &covered));
    let period = period_now(conn, &found.channel, now).await?;
    let earned = review::worth(reviews::earned(conn, &found.channel, &found.reviewer, &period.week).await?);
    let found = Review { covered, disputed, ..found };
    if !reviews::finish(conn, &found, &period, earned).await? {
        return Ok(Sent::Already);
    }
    if earned > 0 {
        let gain = standings::Gain { member: found.reviewer.clone(), points: earned, answered: 0 };
        standings::add(conn, &found.channel, Board::Daily, &question.topic, &period, &[gain], now).await?;
    }
    let is_disputed = !found.disputed.is_empty();
    let of = agreed + found.disputed.len();
    if is_disputed {
        let effect = Effect::Dispute { review: found.id, round: found.round };
        outbox::add(conn, &[outbox::New::at_once(&found.channel, effect, now)], now).await?;
    }
    Ok(Sent::Done { agreed, of, disputed: is_disputed, earned })
}

/// What a member answered in a round, as it was graded.
async fn answer_of(conn: &mut Conn, round: &RoundId, member: Option<&MemberId>) -> Result<String> {
    let Some(member) = member else { return Ok(String::new()) };
    let parts = answers::of_member(conn, round, member).await?;
    Ok(answer::assemble(&parts).into_iter().next().map(|one| one.text).unwrap_or_default())
}

/// What the private result of a member says of reviews: how many readers see each point as it stands, and whether there is another
/// answer to review.
pub(super) async fn for_result(
    conn: &mut Conn,
    round: &RoundId,
    member: &MemberId,
    grade: &crate::domain::grade::Grade,
) -> Result<(Vec<usize>, bool)> {
    let all = reviews::of_round(conn, round).await?;
    let about = all.iter().filter(|one| one.done && one.author.as_ref() == Some(member)).collect::<Vec<_>>();
    let agree = |point: usize| {
        about.iter().filter(|one| review::agrees(grade, point, one.covered.contains(&point)) == Some(true)).count()
    };
    let seen = |author: &MemberId| {
        all.iter().any(|one| one.done && one.reviewer == *member && one.author.as_ref() == Some(author))
    };
    let scored = scores::members_of(conn, round).await?;
    let left = scored.iter().any(|author| author != member && !seen(author));
    Ok(((0..grade.points.len()).map(agree).collect(), left))
}

/// Organisers who were told of a review of this answer see what was decided.
pub(super) async fn retold(
    conn: &mut Conn,
    round: &RoundId,
    author: &MemberId,
    change: i64,
    now: i64,
) -> Result<Vec<outbox::New>> {
    let all = reviews::of_author(conn, round, author).await?;
    Ok(all.into_iter().filter(|one| !one.disputed.is_empty()).map(|one| disputed(one, change, now)).collect())
}

/// Takes a member out of reviews; what has to be changed in what organisers were told.
pub(super) async fn forget(conn: &mut Conn, member: &MemberId, now: i64) -> Result<Vec<outbox::New>> {
    let mut effects = Vec::new();
    for one in reviews::forget(conn, member).await? {
        let change = rulings::next(conn).await?;
        effects.push(disputed(one, change, now));
    }
    Ok(effects)
}

fn disputed(review: Review, change: i64, now: i64) -> outbox::New {
    let effect = Effect::Disputed { review: review.id, round: review.round, change };
    outbox::New::at_once(&review.channel, effect, now)
}
