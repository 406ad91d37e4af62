//! Reviews of answers by others who answered the same round.

use anyhow::Result;
use sqlx::any::AnyRow;

use super::Conn;
use super::db::{Bind, execute, fetch_all, fetch_optional, int, maybe_text, text};
use crate::domain::ids::{ChannelId, MemberId, MessageId, ReviewId, RoundId};
use crate::domain::round::Period;

#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    pub id: ReviewId,
    pub round: RoundId,
    pub channel: ChannelId,
    /// Whose answer it is; None after they were erased.
    pub author: Option<MemberId>,
    pub reviewer: MemberId,
    pub done: bool,
    /// Places of the key points that the reviewer ticked.
    pub covered: Vec<usize>,
    /// Of those that the grader saw otherwise.
    pub disputed: Vec<usize>,
    /// Where the organisers were told.
    pub message: Option<MessageId>,
}

const COLUMNS: &str = "id, round_id, channel_id, author_id, reviewer_id, state, covered, disputed, message_id";

/// Notes that an answer was taken to be reviewed.
pub async fn take(conn: &mut Conn, review: &Review, topic: &str, now: i64) -> Result<()> {
    let sql = "insert into reviews (id, round_id, channel_id, author_id, reviewer_id, state, covered, disputed, topic, week, month,
                 points, taken_at)
               values ($1, $2, $3, $4, $5, 'taken', '', '', $6, '', '', 0, $7) on conflict (id) do nothing";
    let values = vec![
        review.id.as_str().into(),
        review.round.as_str().into(),
        review.channel.as_str().into(),
        review.author.as_ref().map_or("", MemberId::as_str).into(),
        review.reviewer.as_str().into(),
        topic.into(),
        now.into(),
    ];
    execute(conn, sql, values).await?;
    Ok(())
}

pub async fn get(conn: &mut Conn, id: &ReviewId) -> Result<Option<Review>> {
    let sql = format!("select {COLUMNS} from reviews where id = $1");
    fetch_optional(conn, sql, vec![id.as_str().into()]).await?.map(|row| read(&row)).transpose()
}

/// All reviews of a round, taken and done.
pub async fn of_round(conn: &mut Conn, round: &RoundId) -> Result<Vec<Review>> {
    let sql = format!("select {COLUMNS} from reviews where round_id = $1 order by taken_at, id");
    fetch_all(conn, sql, vec![round.as_str().into()]).await?.iter().map(read).collect()
}

/// What others have ticked in a member's answer.
pub async fn of_author(conn: &mut Conn, round: &RoundId, author: &MemberId) -> Result<Vec<Review>> {
    let sql =
        format!("select {COLUMNS} from reviews where round_id = $1 and author_id = $2 and state = 'done' order by id");
    fetch_all(conn, sql, vec![round.as_str().into(), author.as_str().into()]).await?.iter().map(read).collect()
}

/// Keeps what the reviewer ticked, with what it is worth and when; false when it was kept before.
pub async fn finish(conn: &mut Conn, review: &Review, period: &Period, points: i64) -> Result<bool> {
    let sql = "update reviews set state = 'done', covered = $2, disputed = $3, week = $4, month = $5, points = $6
               where id = $1 and state = 'taken'";
    let values = vec![
        review.id.as_str().into(),
        join(&review.covered).into(),
        join(&review.disputed).into(),
        period.week.as_str().into(),
        period.month.as_str().into(),
        points.into(),
    ];
    Ok(execute(conn, sql, values).await? == 1)
}

/// What a reviewer has got for reviews in a channel this week, in tenths.
pub async fn earned(conn: &mut Conn, channel: &ChannelId, reviewer: &MemberId, week: &str) -> Result<i64> {
    let sql = "select cast(coalesce(sum(points), 0) as bigint) as points from reviews
               where reviewer_id = $1 and channel_id = $2 and week = $3";
    let row = fetch_optional(conn, sql, vec![reviewer.as_str().into(), channel.as_str().into(), week.into()]).await?;
    row.map_or(Ok(0), |row| int(&row, "points"))
}

pub async fn posted(conn: &mut Conn, id: &ReviewId, message: &MessageId) -> Result<()> {
    let sql = "update reviews set message_id = $2 where id = $1";
    execute(conn, sql, vec![id.as_str().into(), message.as_str().into()]).await?;
    Ok(())
}

/// Takes a member out of all reviews: those they wrote are gone, those of their answers have no author any more. The ones that the
/// organisers were told of.
pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<Vec<Review>> {
    let who = || -> Vec<Bind> { vec![member.as_str().into()] };
    let sql = format!(
        "select {COLUMNS} from reviews where (author_id = $1 or reviewer_id = $1) and disputed <> '' order by id"
    );
    let told = fetch_all(conn, sql, who()).await?.iter().map(read).collect();
    execute(conn, "delete from reviews where reviewer_id = $1 and disputed = ''", who()).await?;
    // Until their messages have been changed.
    execute(conn, "update reviews set reviewer_id = '', covered = '', points = 0 where reviewer_id = $1", who())
        .await?;
    execute(conn, "delete from reviews where author_id = $1 and state = 'taken'", who()).await?;
    execute(conn, "update reviews set author_id = '', covered = '' where author_id = $1", who()).await?;
    told
}

/// The message of a review without its reviewer says so now; nothing is left to know.
pub async fn gone(conn: &mut Conn, id: &ReviewId) -> Result<()> {
    execute(conn, "delete from reviews where id = $1 and reviewer_id = ''", vec![id.as_str().into()]).await?;
    Ok(())
}

fn join(points: &[usize]) -> String {
    points.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn read(row: &AnyRow) -> Result<Review> {
    let author = text(row, "author_id")?;
    let points = |text: String| text.split(',').filter_map(|point| point.parse().ok()).collect();
    Ok(Review {
        id: ReviewId::new(text(row, "id")?),
        round: RoundId::new(text(row, "round_id")?),
        channel: ChannelId::new(text(row, "channel_id")?),
        author: (!author.is_empty()).then(|| MemberId::new(author)),
        reviewer: MemberId::new(text(row, "reviewer_id")?),
        done: text(row, "state")? == "done",
        covered: points(text(row, "covered")?),
        disputed: points(text(row, "disputed")?),
        message: maybe_text(row, "message_id")?.map(MessageId::new),
    })
}
