//! Private drills and what they scored.

use std::collections::HashMap;

use anyhow::{Context, Result};

use super::Conn;
use super::db::{Bind, execute, fetch_all, fetch_optional, int, text};
use crate::domain::drill::Drill;
use crate::domain::ids::{ChannelId, DrillId, MemberId, QuestionId};
use crate::domain::round::Period;

pub async fn put(conn: &mut Conn, drill: &Drill, now: i64) -> Result<()> {
    execute(
        conn,
        "insert into drills (id, member_id, channel_id, state, finished, updated_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (id) do update set state = excluded.state, finished = excluded.finished,
           updated_at = excluded.updated_at",
        vec![
            drill.id.as_str().into(),
            drill.member.as_str().into(),
            drill.channel.as_str().into(),
            serde_json::to_string(drill).context("cannot write a drill as JSON")?.into(),
            i64::from(drill.is_finished()).into(),
            now.into(),
        ],
    )
    .await?;
    Ok(())
}

pub async fn get(conn: &mut Conn, id: &DrillId) -> Result<Option<Drill>> {
    let row = fetch_optional(conn, "select state from drills where id = $1", vec![id.as_str().into()]).await?;
    row.map(|row| read(&text(&row, "state")?)).transpose()
}

/// The drill, its row locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: &DrillId, now: i64) -> Result<Option<Drill>> {
    let sql = "update drills set updated_at = $2 where id = $1 returning state";
    let row = fetch_optional(conn, sql, vec![id.as_str().into(), now.into()]).await?;
    row.map(|row| read(&text(&row, "state")?)).transpose()
}

/// The drill a member left unfinished last, begun after `since`.
pub async fn unfinished(conn: &mut Conn, member: &MemberId, since: i64) -> Result<Option<Drill>> {
    let sql = "select state from drills where member_id = $1 and finished = 0 and updated_at >= $2
               order by updated_at desc limit 1";
    let row = fetch_optional(conn, sql, vec![member.as_str().into(), since.into()]).await?;
    row.map(|row| read(&text(&row, "state")?)).transpose()
}

/// When a member last drilled each question.
pub async fn drilled(conn: &mut Conn, member: &MemberId) -> Result<HashMap<QuestionId, i64>> {
    let sql = "select question_id, max(scored_at) as at from drill_scores where member_id = $1 group by question_id";
    let rows = fetch_all(conn, sql, vec![member.as_str().into()]).await?;
    rows.iter().map(|row| Ok((QuestionId::new(text(row, "question_id")?), int(row, "at")?))).collect()
}

/// One drilled question.
#[derive(Clone, Debug)]
pub struct Scored<'a> {
    pub channel: &'a ChannelId,
    pub member: &'a MemberId,
    pub question: &'a QuestionId,
    pub period: &'a Period,
    pub topic: &'a str,
    pub coverage: i64,
    pub points: i64,
}

/// Keeps the best result of a member for a question on a day; (points gained, answers gained) by it.
pub async fn score(conn: &mut Conn, result: &Scored<'_>, now: i64) -> Result<(i64, i64)> {
    let key = vec![
        result.channel.as_str().into(),
        result.member.as_str().into(),
        result.question.as_str().into(),
        result.period.day.as_str().into(),
    ];
    let first = execute(
        conn,
        "insert into drill_scores (channel_id, member_id, question_id, day, week, month, topic, coverage, points, scored_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing",
        vec![
            result.channel.as_str().into(),
            result.member.as_str().into(),
            result.question.as_str().into(),
            result.period.day.as_str().into(),
            result.period.week.as_str().into(),
            result.period.month.as_str().into(),
            result.topic.into(),
            result.coverage.into(),
            result.points.into(),
            now.into(),
        ],
    )
    .await?;
    if first == 1 {
        return Ok((result.points, 1));
    }
    // On PostgreSQL this takes the row's lock: two drills that end at once are one after the other.
    let sql = "update drill_scores set scored_at = scored_at
               where channel_id = $1 and member_id = $2 and question_id = $3 and day = $4 returning points";
    let before = fetch_optional(conn, sql, key.clone()).await?.map_or(Ok(0), |row| int(&row, "points"))?;
    if before >= result.points {
        return Ok((0, 0));
    }
    let sql = "update drill_scores set coverage = $5, points = $6, scored_at = $7
               where channel_id = $1 and member_id = $2 and question_id = $3 and day = $4";
    let better = [result.coverage, result.points, now].map(Bind::from);
    execute(conn, sql, key.into_iter().chain(better).collect()).await?;
    Ok((result.points - before, 0))
}

pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<()> {
    for sql in ["delete from drills where member_id = $1", "delete from drill_scores where member_id = $1"] {
        execute(conn, sql, vec![member.as_str().into()]).await?;
    }
    Ok(())
}

fn read(state: &str) -> Result<Drill> {
    serde_json::from_str(state).context("a stored drill cannot be read")
}
