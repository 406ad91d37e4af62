//! Leaderboards: totals kept in the same transaction as the scores they come from.

use anyhow::Result;

use super::Conn;
use super::db::{Bind, execute, fetch_all, fetch_optional, insert_many, int, maybe_text, text};
use crate::domain::command::Board;
use crate::domain::ids::{ChannelId, MemberId};
use crate::domain::round::Period;

/// Which list: a channel's board, of all topics (`topic` empty) or one, over all time (`all`), a week or a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    pub channel: ChannelId,
    pub board: Board,
    pub topic: String,
    pub span: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub member: MemberId,
    pub name: String,
    /// Tenths.
    pub points: i64,
    pub answered: i64,
}

/// What a member gains in one go.
#[derive(Clone, Debug)]
pub struct Gain {
    pub member: MemberId,
    pub points: i64,
    pub answered: i64,
}

/// Adds gains of different members to the six lists they count in: all topics and their own, over all time, the week and the month.
pub async fn add(
    conn: &mut Conn,
    channel: &ChannelId,
    board: Board,
    topic: &str,
    period: &Period,
    gains: &[Gain],
    now: i64,
) -> Result<()> {
    let mut gains: Vec<&Gain> = gains.iter().collect();
    gains.sort_by(|a, b| a.member.cmp(&b.member));
    for topic in ["", topic] {
        for span in ["all", &period.month, &period.week] {
            let rows = gains
                .iter()
                .map(|gain| {
                    vec![
                        channel.as_str().into(),
                        board.as_str().into(),
                        topic.into(),
                        span.into(),
                        gain.member.as_str().into(),
                        Bind::from(gain.points),
                        gain.answered.into(),
                        now.into(),
                    ]
                })
                .collect();
            insert_many(
                conn,
                "standings (channel_id, board, topic, span, member_id, points, answered, reached_at)",
                "on conflict (channel_id, board, topic, span, member_id) do update set
                   points = standings.points + excluded.points, answered = standings.answered + excluded.answered,
                   reached_at = case when excluded.points > 0 then excluded.reached_at else standings.reached_at end",
                rows,
            )
            .await?;
        }
    }
    Ok(())
}

/// The best `limit` places, in a stable order: points, then who reached them first, then the id.
pub async fn top(conn: &mut Conn, list: &List, limit: i64) -> Result<Vec<Place>> {
    let sql = "select s.member_id as member_id, m.name as name, s.points as points, s.answered as answered
               from standings s left join members m on m.id = s.member_id
               where s.channel_id = $1 and s.board = $2 and s.topic = $3 and s.span = $4
               order by s.points desc, s.reached_at, s.member_id limit $5";
    let mut values = of(list);
    values.push(limit.into());
    fetch_all(conn, sql, values).await?.iter().map(read).collect()
}

/// A member's own place with its rank (1, 2, 2, 4), or None for somebody without an answer.
pub async fn place(conn: &mut Conn, list: &List, member: &MemberId) -> Result<Option<(usize, Place)>> {
    let sql = "select s.member_id as member_id, m.name as name, s.points as points, s.answered as answered
               from standings s left join members m on m.id = s.member_id
               where s.channel_id = $1 and s.board = $2 and s.topic = $3 and s.span = $4 and s.member_id = $5";
    let mut values = of(list);
    values.push(member.as_str().into());
    let Some(row) = fetch_optional(conn, sql, values).await? else { return Ok(None) };
    let place = read(&row)?;
    let sql = "select count(*) as n from standings
               where channel_id = $1 and board = $2 and topic = $3 and span = $4 and points > $5";
    let mut values = of(list);
    values.push(place.points.into());
    let above = fetch_optional(conn, sql, values).await?.map_or(Ok(0), |row| int(&row, "n"))?;
    Ok(Some((usize::try_from(above).unwrap_or(0) + 1, place)))
}

pub async fn members(conn: &mut Conn, list: &List) -> Result<i64> {
    let sql = "select count(*) as n from standings where channel_id = $1 and board = $2 and topic = $3 and span = $4";
    fetch_optional(conn, sql, of(list)).await?.map_or(Ok(0), |row| int(&row, "n"))
}

/// Where the standings differ from a recount of the scores; empty when all is well.
pub async fn differences(conn: &mut Conn) -> Result<Vec<String>> {
    let sources = [
        ("daily", "member_id, points, 1 as answered from scores"),
        ("drill", "member_id, points, 1 as answered from drill_scores"),
        ("daily", "reviewer_id as member_id, points, 0 as answered from reviews where points > 0"),
    ];
    let parts = sources.map(|(board, source)| {
        ["'all'", "month", "week"].map(|span| {
            ["''", "topic"].map(|topic| {
                format!("select channel_id, '{board}' as board, {topic} as topic, {span} as span, {source}")
            })
        })
    });
    let recount = parts.iter().flatten().flatten().cloned().collect::<Vec<_>>().join(" union all ");
    let side = |sign: &str| {
        format!(
            "select channel_id, board, topic, span, member_id, cast({sign}points as bigint) as points,
                    cast({sign}answered as bigint) as answered from"
        )
    };
    let sql = format!(
        "select channel_id, board, topic, span, member_id, cast(sum(points) as bigint) as points,
                cast(sum(answered) as bigint) as answered
         from ({} standings union all {} (select channel_id, board, topic, span, member_id, sum(points) as points,
               sum(answered) as answered from ({recount}) as each_score group by channel_id, board, topic, span, member_id)
               as counted) as both_sides
         group by channel_id, board, topic, span, member_id
         having sum(points) <> 0 or sum(answered) <> 0",
        side(""),
        side("-")
    );
    let rows = fetch_all(conn, sql, vec![]).await?;
    rows.iter()
        .map(|row| {
            Ok(format!(
                "{} {} {:?} {} {}: {:+} points, {:+} answers",
                text(row, "channel_id")?,
                text(row, "board")?,
                text(row, "topic")?,
                text(row, "span")?,
                text(row, "member_id")?,
                int(row, "points")?,
                int(row, "answered")?
            ))
        })
        .collect()
}

pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<()> {
    execute(conn, "delete from standings where member_id = $1", vec![member.as_str().into()]).await?;
    Ok(())
}

fn of(list: &List) -> Vec<Bind> {
    vec![
        list.channel.as_str().into(),
        list.board.as_str().into(),
        list.topic.as_str().into(),
        list.span.as_str().into(),
    ]
}

fn read(row: &sqlx::any::AnyRow) -> Result<Place> {
    Ok(Place {
        member: MemberId::new(text(row, "member_id")?),
        name: maybe_text(row, "name")?.unwrap_or_default(),
        points: int(row, "points")?,
        answered: int(row, "answered")?,
    })
}
