//! What the judge said, so that it is asked once about an answer.

use std::collections::HashMap;

use anyhow::{Context, Result};

use super::Conn;
use super::db::{Bind, execute, fetch_all, fetch_optional, places, text};
use crate::domain::ids::MemberId;
use crate::domain::judge::Verdict;

/// The verdicts kept under some of these keys.
pub async fn known(conn: &mut Conn, keys: &[String]) -> Result<HashMap<String, Vec<Verdict>>> {
    let mut out = HashMap::new();
    for some in keys.chunks(500) {
        let sql = format!("select hash, verdicts from verdicts where hash in ({})", places(1, some.len()));
        for row in fetch_all(conn, sql, some.iter().map(|key| Bind::from(key.as_str())).collect()).await? {
            let key = text(&row, "hash")?;
            let verdicts = serde_json::from_str(&text(&row, "verdicts")?)
                .with_context(|| format!("the verdicts {key} cannot be read"))?;
            out.insert(key, verdicts);
        }
    }
    Ok(out)
}

/// Keeps verdicts on a member's answer, unless there are some. Those on one who was erased while the judge was thinking are not kept.
pub async fn keep(conn: &mut Conn, key: &str, member: &MemberId, verdicts: &[Verdict], now: i64) -> Result<()> {
    // Locks the member's row on PostgreSQL: an erasure comes before or after, not between.
    let sql = "update members set name = name where id = $1 returning id";
    if fetch_optional(conn, sql, vec![member.as_str().into()]).await?.is_none() {
        return Ok(());
    }
    let sql = "insert into verdicts (hash, member_id, verdicts, given_at) values ($1, $2, $3, $4) on conflict (hash) do nothing";
    let verdicts = serde_json::to_string(verdicts).context("cannot write verdicts as JSON")?;
    execute(conn, sql, vec![key.into(), member.as_str().into(), verdicts.into(), now.into()]).await?;
    Ok(())
}

/// After `members::forget`, for what [`keep`] says.
pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<()> {
    execute(conn, "delete from verdicts where member_id = $1", vec![member.as_str().into()]).await?;
    Ok(())
}

/// Drops what was said before an instant.
pub async fn tidy(conn: &mut Conn, before: i64) -> Result<()> {
    execute(conn, "delete from verdicts where given_at < $1", vec![before.into()]).await?;
    Ok(())
}
