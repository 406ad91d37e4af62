//! The parts of answers: thread messages and forms.

use std::collections::HashMap;

use anyhow::Result;

use super::Conn;
use super::db::{Bind, execute, fetch_all, fetch_optional, insert_many, int, places, text};
use crate::domain::answer::{Part, Version};
use crate::domain::confidence::Confidence;
use crate::domain::ids::{MemberId, RoundId, short_hash};

const HEAD: &str = "answer_parts (round_id, part_id, member_id, body, written_at, late, deleted, confidence)";
const COLUMNS: &str = "part_id, member_id, body, written_at, late, deleted, confidence";
const TAIL: &str =
    "on conflict (round_id, part_id) do update set body = excluded.body, written_at = excluded.written_at,
                    late = excluded.late, deleted = excluded.deleted, confidence = excluded.confidence";

/// Writes a part, replacing what stood under its id.
pub async fn put(conn: &mut Conn, round: &RoundId, part: &Part) -> Result<()> {
    put_many(conn, round, std::slice::from_ref(part)).await
}

/// Those of these parts that stand already, as they stand.
pub async fn standing(conn: &mut Conn, round: &RoundId, parts: &[Part]) -> Result<Vec<Part>> {
    let mut out = Vec::new();
    for some in parts.chunks(400) {
        let sql = format!(
            "select {COLUMNS} from answer_parts
             where round_id = $1 and deleted = 0 and part_id in ({})",
            places(2, some.len())
        );
        let mut values = vec![round.as_str().into()];
        values.extend(some.iter().map(|part| Bind::from(part.id.as_str())));
        for row in fetch_all(conn, sql, values).await? {
            out.push(read(&row)?);
        }
    }
    Ok(out)
}

/// What a part says at most at different times; of more, the oldest are forgotten.
const VERSIONS: i64 = 30;

/// Notes when the texts of parts that are about to be changed were said first, the old text and the new one. `before`: what stands;
/// `after`: what is to stand from `now` on, before it is written.
pub async fn keep_versions(conn: &mut Conn, round: &RoundId, before: &[Part], after: &[Part], now: i64) -> Result<()> {
    let before: HashMap<&str, &Part> =
        before.iter().filter(|part| part.counts()).map(|part| (part.id.as_str(), part)).collect();
    let (mut rows, mut changed) = (Vec::new(), Vec::new());
    for new in after.iter().filter(|part| part.counts()) {
        // A form that is sent again has a new time also when its text is the old one.
        let Some(old) =
            before.get(new.id.as_str()).filter(|old| (&old.body, old.written_at) != (&new.body, new.written_at))
        else {
            continue;
        };
        changed.push(new.id.as_str());
        rows.push(version(round, old, old.written_at));
        if old.body != new.body {
            rows.push(version(round, new, now));
        }
    }
    let head = "answer_versions (round_id, part_id, member_id, digest, body, said_at)";
    insert_many(conn, head, "on conflict (round_id, part_id, digest) do nothing", rows).await?;
    for part in changed {
        let sql = "delete from answer_versions where round_id = $1 and part_id = $2 and said_at < (
                     select min(said_at) from (
                       select said_at from answer_versions where round_id = $1 and part_id = $2
                       order by said_at desc limit $3) as newest)";
        execute(conn, sql, vec![round.as_str().into(), part.into(), VERSIONS.into()]).await?;
    }
    Ok(())
}

fn version(round: &RoundId, part: &Part, at: i64) -> Vec<Bind> {
    vec![
        round.as_str().into(),
        part.id.as_str().into(),
        part.member.as_str().into(),
        short_hash(&[&part.body]).into(),
        part.body.as_str().into(),
        at.into(),
    ]
}

/// The texts of the parts of a round that were changed.
pub async fn versions(conn: &mut Conn, round: &RoundId) -> Result<Vec<Version>> {
    let sql = "select part_id, member_id, body, said_at from answer_versions where round_id = $1
               order by said_at, part_id, digest";
    let rows = fetch_all(conn, sql, vec![round.as_str().into()]).await?;
    let read = |row| {
        Ok(Version {
            part: text(row, "part_id")?,
            member: MemberId::new(text(row, "member_id")?),
            body: text(row, "body")?,
            at: int(row, "said_at")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Drops the texts of rounds that are over.
pub async fn drop_versions(conn: &mut Conn) -> Result<()> {
    let sql = "delete from answer_versions
               where round_id in (select id from rounds where state not in ('open', 'closing'))";
    execute(conn, sql, vec![]).await?;
    Ok(())
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
    let sql = format!("select {COLUMNS} from answer_parts where round_id = $1 order by written_at, part_id");
    fetch_all(conn, sql, vec![round.as_str().into()]).await?.iter().map(read).collect()
}

/// One member's parts of a round.
pub async fn of_member(conn: &mut Conn, round: &RoundId, member: &MemberId) -> Result<Vec<Part>> {
    let sql = format!(
        "select {COLUMNS} from answer_parts where round_id = $1 and member_id = $2 order by written_at, part_id"
    );
    fetch_all(conn, sql, vec![round.as_str().into(), member.as_str().into()]).await?.iter().map(read).collect()
}

pub async fn get(conn: &mut Conn, round: &RoundId, part: &str) -> Result<Option<Part>> {
    let sql = format!("select {COLUMNS} from answer_parts where round_id = $1 and part_id = $2");
    let row = fetch_optional(conn, sql, vec![round.as_str().into(), part.into()]).await?;
    row.map(|row| read(&row)).transpose()
}

pub async fn delete(conn: &mut Conn, round: &RoundId, part: &str) -> Result<()> {
    let sql = "update answer_parts set deleted = 1, body = '', confidence = '' where round_id = $1 and part_id = $2";
    execute(conn, sql, vec![round.as_str().into(), part.into()]).await?;
    let versions = "delete from answer_versions where round_id = $1 and part_id = $2";
    execute(conn, versions, vec![round.as_str().into(), part.into()]).await?;
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
    for sql in ["delete from answer_parts where member_id = $1", "delete from answer_versions where member_id = $1"] {
        execute(conn, sql, vec![member.as_str().into()]).await?;
    }
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
