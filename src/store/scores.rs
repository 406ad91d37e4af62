//! What each member got for each round, and streaks.

use anyhow::{Context, Result};
use sqlx::any::AnyRow;

use super::Conn;
use super::db::{Bind, execute, fetch_all, fetch_optional, insert_many, int, places, text};
use crate::domain::grade::Grade;
use crate::domain::ids::{ChannelId, MemberId, RoundId, ScheduleId};
use crate::domain::round::{Round, Scored};

/// One scored answer as it is kept.
#[derive(Clone, Debug)]
pub struct Score {
    pub round: RoundId,
    pub member: MemberId,
    pub topic: String,
    pub day: String,
    pub coverage: i64,
    /// The coverage at the reveal, by which its answers stand in order whatever was ruled later.
    pub placed: i64,
    pub hints: i64,
    pub points: i64,
    pub grade: Grade,
}

/// Stores the scores of a round; a member is scored once a round.
pub async fn insert(
    conn: &mut Conn,
    round: &Round,
    number: i64,
    topic: &str,
    scores: &[Scored],
    now: i64,
) -> Result<()> {
    let mut rows = Vec::with_capacity(scores.len());
    for one in scores {
        rows.push(vec![
            round.id.as_str().into(),
            one.member.as_str().into(),
            round.channel.as_str().into(),
            round.schedule.as_str().into(),
            Bind::from(number),
            topic.into(),
            round.period.day.as_str().into(),
            round.period.week.as_str().into(),
            round.period.month.as_str().into(),
            one.coverage.into(),
            one.hints.into(),
            one.points.into(),
            serde_json::to_string(&one.grade).context("cannot write a grade as JSON")?.into(),
            now.into(),
            one.answer.as_str().into(),
            one.coverage.into(),
        ]);
    }
    let head = "scores (round_id, member_id, channel_id, schedule_id, number, topic, day, week, month, coverage, hints, points,
                grade, scored_at, answer, placed)";
    insert_many(conn, head, "on conflict (round_id, member_id) do nothing", rows).await?;
    Ok(())
}

const COLUMNS: &str = "round_id, member_id, topic, day, coverage, placed, hints, points, grade";

/// All scores of a round, the best first.
pub async fn of_round(conn: &mut Conn, round: &RoundId) -> Result<Vec<Score>> {
    let sql = format!("select {COLUMNS} from scores where round_id = $1 order by coverage desc, member_id");
    fetch_all(conn, sql, vec![round.as_str().into()]).await?.iter().map(read).collect()
}

pub async fn get(conn: &mut Conn, round: &RoundId, member: &MemberId) -> Result<Option<Score>> {
    let sql = format!("select {COLUMNS} from scores where round_id = $1 and member_id = $2");
    let row = fetch_optional(conn, sql, vec![round.as_str().into(), member.as_str().into()]).await?;
    row.map(|row| read(&row)).transpose()
}

/// Who has a score in a round.
pub async fn members_of(conn: &mut Conn, round: &RoundId) -> Result<Vec<MemberId>> {
    let rows = fetch_all(conn, "select member_id from scores where round_id = $1", vec![round.as_str().into()]).await?;
    rows.iter().map(|row| Ok(MemberId::new(text(row, "member_id")?))).collect()
}

/// The rounds in whose reveal a member appears, with their channels.
pub async fn rounds_of(conn: &mut Conn, member: &MemberId) -> Result<Vec<(RoundId, ChannelId)>> {
    let sql = "select round_id, channel_id from scores where member_id = $1 order by round_id";
    let rows = fetch_all(conn, sql, vec![member.as_str().into()]).await?;
    rows.iter()
        .map(|row| Ok((RoundId::new(text(row, "round_id")?), ChannelId::new(text(row, "channel_id")?))))
        .collect()
}

/// A member's newest daily scores in a channel, newest first.
pub async fn of_member(conn: &mut Conn, channel: &ChannelId, member: &MemberId, limit: i64) -> Result<Vec<Score>> {
    let sql = format!(
        "select {COLUMNS} from scores where member_id = $1 and channel_id = $2 order by scored_at desc, round_id limit $3"
    );
    let values = vec![member.as_str().into(), channel.as_str().into(), limit.into()];
    fetch_all(conn, sql, values).await?.iter().map(read).collect()
}

/// The channel of a platform, and of one space of it unless `space` is empty, in which a member scored last, by a daily question or a
/// drill.
pub async fn latest_channel(
    conn: &mut Conn,
    member: &MemberId,
    platform: &str,
    space: &str,
) -> Result<Option<ChannelId>> {
    let sql = "select t.channel_id as channel_id from (
                 select channel_id, scored_at from scores where member_id = $1
                 union all
                 select channel_id, scored_at from drill_scores where member_id = $1
               ) as t join channels c on c.id = t.channel_id
               where c.platform = $2 and ($3 = '' or c.space = $3) order by t.scored_at desc, t.channel_id limit 1";
    let row = fetch_optional(conn, sql, vec![member.as_str().into(), platform.into(), space.into()]).await?;
    row.map(|row| Ok(ChannelId::new(text(&row, "channel_id")?))).transpose()
}

/// Mean coverage by topic over daily questions and drills, weakest first: (topic, mean 0-100, how many).
pub async fn topics_of(conn: &mut Conn, channel: &ChannelId, member: &MemberId) -> Result<Vec<(String, i64, i64)>> {
    let sql = "select topic, cast(sum(coverage) as bigint) as total, count(*) as n from (
                 select topic, coverage from scores where member_id = $1 and channel_id = $2
                 union all
                 select topic, coverage from drill_scores where member_id = $1 and channel_id = $2
               ) as both_kinds group by topic";
    let rows = fetch_all(conn, sql, vec![member.as_str().into(), channel.as_str().into()]).await?;
    let mut out = rows
        .iter()
        .map(|row| {
            let n = int(row, "n")?;
            Ok((text(row, "topic")?, int(row, "total")? / n.max(1), n))
        })
        .collect::<Result<Vec<_>>>()?;
    out.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    Ok(out)
}

/// Carries streaks on for those who answered question `number` of a schedule.
pub async fn extend_streaks(conn: &mut Conn, schedule: &ScheduleId, number: i64, members: &[&MemberId]) -> Result<()> {
    let rows = members
        .iter()
        .map(|member| vec![schedule.as_str().into(), member.as_str().into(), 1.into(), 1.into(), Bind::from(number)])
        .collect();
    insert_many(
        conn,
        "streaks (schedule_id, member_id, current, best, last_number)",
        "on conflict (schedule_id, member_id) do update set
           current = case when streaks.last_number = excluded.last_number - 1 then streaks.current + 1 else 1 end,
           best = case when streaks.last_number = excluded.last_number - 1 and streaks.current + 1 > streaks.best
                       then streaks.current + 1 else streaks.best end,
           last_number = excluded.last_number
         where streaks.last_number < excluded.last_number",
        rows,
    )
    .await?;
    Ok(())
}

/// (member, current, best) in a channel: the longest of its schedules. A streak whose newest question went unanswered is 0.
pub async fn streaks(conn: &mut Conn, channel: &ChannelId, members: &[MemberId]) -> Result<Vec<(MemberId, i64, i64)>> {
    if members.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "select t.member_id as member_id, t.current as current, t.best as best, t.last_number as last_number,
                s.rounds as newest
         from streaks t join schedules s on s.id = t.schedule_id
         where s.channel_id = $1 and t.member_id in ({})",
        places(2, members.len())
    );
    let mut values = vec![channel.as_str().into()];
    values.extend(members.iter().map(|member| Bind::from(member.as_str())));
    let mut out: Vec<(MemberId, i64, i64)> = Vec::new();
    for row in fetch_all(conn, sql, values).await? {
        let member = MemberId::new(text(&row, "member_id")?);
        let alive = int(&row, "last_number")? >= int(&row, "newest")?;
        let current = if alive { int(&row, "current")? } else { 0 };
        let best = int(&row, "best")?;
        match out.iter_mut().find(|(known, ..)| *known == member) {
            Some(entry) => {
                entry.1 = entry.1.max(current);
                entry.2 = entry.2.max(best);
            }
            None => out.push((member, current, best)),
        }
    }
    Ok(out)
}

pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<()> {
    for sql in ["delete from scores where member_id = $1", "delete from streaks where member_id = $1"] {
        execute(conn, sql, vec![member.as_str().into()]).await?;
    }
    Ok(())
}

fn read(row: &AnyRow) -> Result<Score> {
    Ok(Score {
        round: RoundId::new(text(row, "round_id")?),
        member: MemberId::new(text(row, "member_id")?),
        topic: text(row, "topic")?,
        day: text(row, "day")?,
        coverage: int(row, "coverage")?,
        placed: int(row, "placed")?,
        hints: int(row, "hints")?,
        points: int(row, "points")?,
        grade: serde_json::from_str(&text(row, "grade")?).context("a stored grade cannot be read")?,
    })
}
