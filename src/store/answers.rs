//! The parts of answers: thread messages and forms.

use anyhow::Result;

use super::Conn;
use super::db::{Bind, execute, fetch_all, fetch_optional, insert_many, int, places, text};
use crate::domain::answer::Part;
use crate::domain::confidence::Confidence;
use crate::domain::ids::{MemberId, RoundId};

const HEAD: &str = "answer_parts (round_id, part_id, member_id, body, written_at, late, deleted, confidence)";
const TAIL: &str =
    "on conflict (round_id, part_id) do update set body = excluded.body, written_at = excluded.written_at,
                    late = excluded.late, deleted = excluded.deleted, confidence = excluded.confidence";

/// Writes a part, replacing what stood under its id.
pub async fn put(conn: &mut Conn, round: &RoundId, part: &Part) -> Result<()> {
    put_many(conn, round, std::slice::from_ref(part)).await
}

/// Which of these parts stand already, by id.
pub async fn standing(conn: &mut Conn, round: &RoundId, parts: &[Part]) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for some in parts.chunks(400) {
        let sql = format!(
            "select part_id from answer_parts where round_id = $1 and deleted = 0 and part_id in ({})",
            places(2, some.len())
        );
        let mut values = vec![round.as_str().into()];
        values.extend(some.iter().map(|part| Bind::from(part.id.as_str())));
        for row in fetch_all(conn, sql, values).await? {
            out.push(text(&row, "part_id")?);
        }
    }
    Ok(out)
}

pub async fn put_many(conn: &mut Conn, round: &RoundId, parts: &[Part]) -> Result<()> {
    let rows = parts.iter().map(|part| row(round, part)).collect();
    insert_many(conn, HEAD, TAIL, rows).await?;
    Ok(())
}

fn row(round: &RoundId, part: &Part) -> Vec<Bind> {
    vec![
        round.as_str().into(),
        part.id.as_str().into(),
        part.member.as_str().into(),
        part.body.as_str().into(),
        part.written_at.into(),
        i64::from(part.late).into(),
        i64::from(part.deleted).into(),
        part.confidence.map_or("", Confidence::as_str).into(),
    ]
}

/// All parts of a round in the order they were written.
pub async fn of_round(conn: &mut Conn, round: &RoundId) -> Result<Vec<Part>> {
    let sql =
        "select part_id, member_id, body, written_at, late, deleted, confidence from answer_parts where round_id = $1
               order by written_at, part_id";
    fetch_all(conn, sql, vec![round.as_str().into()]).await?.iter().map(read).collect()
}

/// One member's parts of a round.
pub async fn of_member(conn: &mut Conn, round: &RoundId, member: &MemberId) -> Result<Vec<Part>> {
    let sql = "select part_id, member_id, body, written_at, late, deleted, confidence from answer_parts
               where round_id = $1 and member_id = $2 order by written_at, part_id";
    fetch_all(conn, sql, vec![round.as_str().into(), member.as_str().into()]).await?.iter().map(read).collect()
}

pub async fn get(conn: &mut Conn, round: &RoundId, part: &str) -> Result<Option<Part>> {
    let sql = "select part_id, member_id, body, written_at, late, deleted, confidence from answer_parts
               where round_id = $1 and part_id = $2";
    let row = fetch_optional(conn, sql, vec![round.as_str().into(), part.into()]).await?;
    row.map(|row| read(&row)).transpose()
}

pub async fn delete(conn: &mut Conn, round: &RoundId, part: &str) -> Result<()> {
    let sql = "update answer_parts set deleted = 1, body = '', confidence = '' where round_id = $1 and part_id = $2";
    execute(conn, sql, vec![round.as_str().into(), part.into()]).await?;
    Ok(())
}

/// How many members have answered in time; a message of blanks, or of a picture only, is no answer.
pub async fn count(conn: &mut Conn, round: &RoundId) -> Result<i64> {
    let sql = "select count(distinct member_id) as n from answer_parts
               where round_id = $1 and deleted = 0 and late = 0 and trim(body, $2) <> ''";
    let row = fetch_optional(conn, sql, vec![round.as_str().into(), " \t\r\n".into()]).await?;
    row.map_or(Ok(0), |row| int(&row, "n"))
}

pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<()> {
    execute(conn, "delete from answer_parts where member_id = $1", vec![member.as_str().into()]).await?;
    Ok(())
}

fn read(row: &sqlx::any::AnyRow) -> Result<Part> {
    Ok(Part {
        id: text(row, "part_id")?,
        member: MemberId::new(text(row, "member_id")?),
        body: text(row, "body")?,
        written_at: int(row, "written_at")?,
        late: int(row, "late")? == 1,
        deleted: int(row, "deleted")? == 1,
        confidence: Confidence::of(&text(row, "confidence")?),
    })
}
