//! When each channel gets its questions.

use std::collections::HashSet;

use anyhow::Result;
use sqlx::any::AnyRow;

use super::Conn;
use super::db::{Bind, execute, fetch_all, fetch_optional, int, maybe_int, maybe_text, text};
use crate::domain::ids::{ChannelId, ScheduleId};

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub id: ScheduleId,
    pub channel: ChannelId,
    /// A [`crate::domain::schedule::ScheduleSpec`] as JSON.
    pub spec: String,
    pub paused: bool,
    pub origin: String,
    /// How many questions it has revealed: the number of the newest.
    pub rounds: i64,
    pub next_at: Option<i64>,
    pub next_slot: Option<String>,
}

/// The next slot of a due schedule.
#[derive(Clone, Debug)]
pub struct Advance {
    pub id: ScheduleId,
    pub from: i64,
    pub next_at: Option<i64>,
    pub next_slot: Option<String>,
}

const COLUMNS: &str = "id, channel_id, spec, paused, origin, rounds, next_at, next_slot";

pub async fn put(conn: &mut Conn, row: &Row, now: i64) -> Result<()> {
    execute(
        conn,
        "insert into schedules (id, channel_id, spec, paused, origin, rounds, next_at, next_slot, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (id) do update set spec = excluded.spec, paused = excluded.paused, origin = excluded.origin,
           next_at = excluded.next_at, next_slot = excluded.next_slot",
        values(row, now),
    )
    .await?;
    Ok(())
}

fn values(row: &Row, now: i64) -> Vec<Bind> {
    vec![
        row.id.as_str().into(),
        row.channel.as_str().into(),
        row.spec.as_str().into(),
        i64::from(row.paused).into(),
        row.origin.as_str().into(),
        row.rounds.into(),
        row.next_at.into(),
        row.next_slot.clone().into(),
        now.into(),
    ]
}

/// Inserts many new schedules at once.
pub async fn put_many(conn: &mut Conn, rows: &[Row], now: i64) -> Result<()> {
    let values = rows.iter().map(|row| values(row, now)).collect();
    let head = "schedules (id, channel_id, spec, paused, origin, rounds, next_at, next_slot, created_at)";
    super::db::insert_many(conn, head, "on conflict (id) do nothing", values).await?;
    Ok(())
}

pub async fn get(conn: &mut Conn, id: &ScheduleId) -> Result<Option<Row>> {
    let sql = format!("select {COLUMNS} from schedules where id = $1");
    fetch_optional(conn, sql, vec![id.as_str().into()]).await?.map(|row| read(&row)).transpose()
}

pub async fn of_channel(conn: &mut Conn, channel: &ChannelId) -> Result<Vec<Row>> {
    let sql = format!("select {COLUMNS} from schedules where channel_id = $1 order by created_at, id");
    fetch_all(conn, sql, vec![channel.as_str().into()]).await?.iter().map(read).collect()
}

pub async fn all(conn: &mut Conn) -> Result<Vec<Row>> {
    let sql = format!("select {COLUMNS} from schedules order by id");
    fetch_all(conn, sql, vec![]).await?.iter().map(read).collect()
}

/// Schedules whose next slot has come, the longest due first.
pub async fn due(conn: &mut Conn, now: i64, limit: i64) -> Result<Vec<Row>> {
    let sql = format!("select {COLUMNS} from schedules where next_at <= $1 order by next_at, id limit $2");
    fetch_all(conn, sql, vec![now.into(), limit.into()]).await?.iter().map(read).collect()
}

/// Moves schedules on; those that another instance moved first are not in the result.
pub async fn advance(conn: &mut Conn, moves: &[Advance]) -> Result<HashSet<ScheduleId>> {
    let mut moved = HashSet::new();
    // Few enough that SQLite's list of parameter names stays short.
    for some in moves.chunks(100) {
        let mut values = Vec::new();
        let rows = some
            .iter()
            .map(|one| {
                let at = values.len();
                values.extend([
                    one.id.as_str().into(),
                    one.from.into(),
                    one.next_at.into(),
                    one.next_slot.clone().into(),
                ]);
                format!(
                    "(cast(${} as text), cast(${} as bigint), cast(${} as bigint), cast(${} as text))",
                    at + 1,
                    at + 2,
                    at + 3,
                    at + 4
                )
            })
            .collect::<Vec<_>>()
            .join(", ");
        let sql = format!(
            "update schedules set next_at = v.column3, next_slot = v.column4
             from (values {rows}) as v
             where schedules.id = v.column1 and schedules.next_at = v.column2
             returning schedules.id"
        );
        for row in fetch_all(conn, sql, values).await? {
            moved.insert(ScheduleId::new(text(&row, "id")?));
        }
    }
    Ok(moved)
}

/// Counts one more revealed question; its number.
pub async fn count_round(conn: &mut Conn, id: &ScheduleId) -> Result<i64> {
    let sql = "update schedules set rounds = rounds + 1 where id = $1 returning rounds";
    let row = fetch_optional(conn, sql, vec![id.as_str().into()]).await?;
    row.map_or(Ok(0), |row| int(&row, "rounds"))
}

fn read(row: &AnyRow) -> Result<Row> {
    Ok(Row {
        id: ScheduleId::new(text(row, "id")?),
        channel: ChannelId::new(text(row, "channel_id")?),
        spec: text(row, "spec")?,
        paused: int(row, "paused")? == 1,
        origin: text(row, "origin")?,
        rounds: int(row, "rounds")?,
        next_at: maybe_int(row, "next_at")?,
        next_slot: maybe_text(row, "next_slot")?,
    })
}
