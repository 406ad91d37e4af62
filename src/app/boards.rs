//! Leaderboards, a member's own page, and forgetting a member.

use std::collections::HashMap;

use anyhow::Result;

use super::{Actor, App, reviews, rulings, stamp};
use crate::domain::command::{Board, Window};
use crate::domain::effect::Effect;
use crate::domain::ids::{ChannelId, MemberId};
use crate::domain::message::Message;
use crate::domain::queue::Item;
use crate::domain::round::Period;
use crate::domain::score;
use crate::domain::text::{self, Me, Recent, Standing, SureAndWrong};
use crate::store::standings::{List, Place};
use crate::store::{
    answers, channels, confidence, drafts, drills, erased, flags, members, outbox, rounds, scores, standings,
    suggestions, verdicts, web,
};

/// Places shown on a board.
const SHOWN: i64 = 10;
/// Questions on a member's own page that they were sure of and got wrong.
const SURE_AND_WRONG: usize = 5;

/// A leaderboard as data, for the command and the pages.
#[derive(Clone, Debug)]
pub struct Table {
    pub top: Vec<Standing>,
    /// The reader's own line when it is not in `top`.
    pub you: Option<Standing>,
    pub members: i64,
}

impl App {
    /// The best ten and the reader's own place.
    pub async fn leaderboard(
        &self,
        channel: &ChannelId,
        window: Window,
        board: Board,
        topic: Option<&str>,
        reader: Option<&MemberId>,
    ) -> Result<Table> {
        let now = self.now();
        let (channel, reader) = (channel.clone(), reader.cloned());
        let topic = topic.unwrap_or_default().to_owned();
        self.store
            .read("read a leaderboard", move |conn| {
                Box::pin(async move {
                    let period = period_now(conn, &channel, now).await?;
                    let list = list(&channel, board, &topic, window, &period);
                    let top = standings::top(conn, &list, SHOWN).await?;
                    let total = standings::members(conn, &list).await?;
                    let own = match &reader {
                        Some(reader) if !top.iter().any(|place| place.member == *reader) => {
                            standings::place(conn, &list, reader).await?
                        }
                        _ => None,
                    };
                    let mut ids: Vec<MemberId> = top.iter().map(|place| place.member.clone()).collect();
                    ids.extend(own.iter().map(|(_, place)| place.member.clone()));
                    let streaks: HashMap<MemberId, i64> = if board == Board::Daily {
                        let all = scores::streaks(conn, &channel, &ids).await?;
                        all.into_iter().map(|(member, now, _)| (member, now)).collect()
                    } else {
                        HashMap::new()
                    };
                    let line = |rank: usize, place: &Place| Standing {
                        rank,
                        name: place.name.clone(),
                        points: place.points,
                        answered: place.answered,
                        streak: streaks.get(&place.member).copied().unwrap_or(0),
                        you: reader.as_ref() == Some(&place.member),
                    };
                    let points: Vec<i64> = top.iter().map(|place| place.points).collect();
                    let ranks = score::ranks(&points, 1);
                    Ok(Table {
                        top: ranks.into_iter().zip(&top).map(|(rank, place)| line(rank, place)).collect(),
                        you: own.as_ref().map(|(rank, place)| line(*rank, place)),
                        members: total,
                    })
                })
            })
            .await
    }

    pub(super) async fn show_leaderboard(
        &self,
        actor: &Actor,
        window: Window,
        board: Board,
        topic: Option<&str>,
    ) -> Result<Message> {
        let table = self.leaderboard(&actor.channel, window, board, topic, Some(&actor.member)).await?;
        let title = topic.map(|topic| self.topic_title(topic));
        Ok(text::leaderboard(window, board, title.as_deref(), &table.top, table.you.as_ref(), table.members))
    }

    pub(super) async fn show_me(&self, actor: &Actor) -> Result<Message> {
        Ok(text::me(&self.me(actor).await?))
    }

    /// A page of a member's own, for platforms that have one: where they stand, their latest results, what is kept of them, and help.
    pub async fn home(&self, actor: &Actor) -> Result<Vec<Message>> {
        let actor = self.at_home(actor).await?;
        let channel = self.channel_name(&actor.channel).await?;
        let mut pages = text::home(&self.me(&actor).await?, channel.as_deref());
        pages.push(self.help(&actor));
        Ok(pages)
    }

    async fn me(&self, actor: &Actor) -> Result<Me> {
        let now = self.now();
        let (channel, member) = (actor.channel.clone(), actor.member.clone());
        let (week, all, drilled, streak, topics, recent, sure) = self
            .store
            .read("read a member's scores", move |conn| {
                Box::pin(async move {
                    let period = period_now(conn, &channel, now).await?;
                    let mut places = Vec::new();
                    for (board, window) in
                        [(Board::Daily, Window::Week), (Board::Daily, Window::All), (Board::Drill, Window::All)]
                    {
                        let list = list(&channel, board, "", window, &period);
                        let place = standings::place(conn, &list, &member).await?;
                        places.push(place.map(|(rank, place)| (rank, place.points, place.answered)));
                    }
                    let streak = scores::streaks(conn, &channel, std::slice::from_ref(&member)).await?;
                    let topics = scores::topics_of(conn, &channel, &member).await?;
                    let recent = scores::of_member(conn, &channel, &member, 5).await?;
                    let sure = confidence::of_member(conn, &channel, &member).await?;
                    Ok((places[0], places[1], places[2], streak.into_iter().next(), topics, recent, sure))
                })
            })
            .await?;
        let (_, streak, best_streak) = streak.unwrap_or((actor.member.clone(), 0, 0));
        let recent = recent.into_iter().map(|score| Recent {
            topic: self.topic_title(&score.topic),
            round: score.round,
            day: score.day,
            coverage: score.coverage,
            points: score.points,
        });
        let bank = self.bank_for(actor).await?;
        // What the bank does not have any more cannot be asked again.
        let mistaken = sure.mistaken.into_iter().filter_map(|one| {
            let title = text::question_title(bank.get(one.question.as_str())?, false);
            Some(SureAndWrong { question: one.question, title, coverage: one.coverage })
        });
        Ok(Me {
            name: actor.name.clone(),
            week,
            all,
            drills: drilled,
            streak,
            best_streak,
            topics: topics.into_iter().map(|(topic, mean, n)| (self.topic_title(&topic), mean, n)).collect(),
            recent: recent.collect(),
            calibration: sure.levels,
            sure_and_wrong: mistaken.take(SURE_AND_WRONG).collect(),
        })
    }

    /// Erases a member everywhere, also from reveals that have been posted; the totals of the others stay.
    pub(super) async fn forget(&self, member: &MemberId) -> Result<Message> {
        let (member, now) = (member.clone(), self.now());
        self.store
            .write("erase a member", move |conn| {
                Box::pin(async move {
                    // First: their groups' turns come before all other rows.
                    let suggested = suggestions::forget(conn, &member).await?.into_iter().map(Item::Suggestion);
                    let flagged = flags::forget(conn, &member).await?.into_iter().map(Item::Flag);
                    let items: Vec<String> = suggested.chain(flagged).map(|item| item.encode()).collect();
                    let shown_in = scores::rounds_of(conn, &member).await?;
                    erased::note(conn, &member, now).await?;
                    let mut retell = rulings::forget(conn, &member, now).await?;
                    retell.extend(reviews::forget(conn, &member, now).await?);
                    retell.extend(super::scenes::forget(conn, &member, now).await?);
                    rounds::forget(conn, &member).await?;
                    answers::forget(conn, &member).await?;
                    super::copying::forget(conn, &member, now).await?;
                    outbox::forget(conn, &member).await?;
                    scores::forget(conn, &member).await?;
                    standings::forget(conn, &member).await?;
                    drills::forget(conn, &member).await?;
                    confidence::forget(conn, &member).await?;
                    web::forget(conn, &member).await?;
                    web::forget_items(conn, &items).await?;
                    channels::forget(conn, &member).await?;
                    members::forget(conn, &member).await?;
                    verdicts::forget(conn, &member).await?;
                    drafts::forget(conn, &member).await?;
                    // Of its own number: a reveal that is being told anew just now was read while the member was there.
                    let change = crate::store::rulings::next(conn).await?;
                    retell.extend(
                        shown_in.into_iter().map(|(round, channel)| {
                            outbox::New::at_once(&channel, Effect::Retell { round, change }, now)
                        }),
                    );
                    outbox::refresh(conn, &retell, now).await
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(text::forgotten())
    }
}

/// The day, week and month it is now in a channel.
pub(super) async fn period_now(conn: &mut crate::store::Conn, channel: &ChannelId, now: i64) -> Result<Period> {
    let zone = channels::get(conn, channel).await?.map_or_else(|| "UTC".to_owned(), |channel| channel.zone);
    let zone = jiff::tz::TimeZone::get(&zone).unwrap_or(jiff::tz::TimeZone::UTC);
    Ok(Period::of(stamp(now).to_zoned(zone).date()))
}

fn list(channel: &ChannelId, board: Board, topic: &str, window: Window, period: &Period) -> List {
    let span = match window {
        Window::Week => period.week.clone(),
        Window::Month => period.month.clone(),
        Window::All => "all".to_owned(),
    };
    List { channel: channel.clone(), board, topic: topic.to_owned(), span }
}
