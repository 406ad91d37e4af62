//! Who was erased while questions were open: only a hash and an instant, and only until those questions are revealed.

use std::collections::HashMap;

use anyhow::Result;

use super::Conn;
use super::db::{execute, fetch_all, fetch_optional, int, text};
use crate::domain::ids::{MemberId, short_hash};

/// Who was erased, and until when their messages are passed over, unix milliseconds.
pub struct Erased(HashMap<String, i64>);

impl Erased {
    /// True for what a member wrote before they were erased.
    pub fn covers(&self, member: &MemberId, written_at: i64) -> bool {
        self.0.get(&key(member)).is_some_and(|erased_at| written_at <= *erased_at)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn key(member: &MemberId) -> String {
    short_hash(&["erased", member.as_str()])
}

/// Remembers the erasure if a question is open anywhere. Before `answers::forget`: a platform's clock may be ahead of ours.
pub async fn note(conn: &mut Conn, member: &MemberId, now: i64) -> Result<()> {
    let open = "select id from rounds where state in ('open', 'closing') limit 1";
    if fetch_optional(conn, open, vec![]).await?.is_none() {
        return Ok(());
    }
    let newest = "select coalesce(max(written_at), 0) as newest from answer_parts where member_id = $1";
    let newest = fetch_optional(conn, newest, vec![member.as_str().into()]).await?;
    let newest = newest.map_or(Ok(0), |row| int(&row, "newest"))?;
    let sql = "insert into erased (member, erased_at) values ($1, $2)
               on conflict (member) do update set erased_at = excluded.erased_at";
    execute(conn, sql, vec![key(member).into(), now.max(newest).into()]).await?;
    Ok(())
}

pub async fn all(conn: &mut Conn) -> Result<Erased> {
    let rows = fetch_all(conn, "select member, erased_at from erased", vec![]).await?;
    let all: Result<_> = rows.iter().map(|row| Ok((text(row, "member")?, int(row, "erased_at")?))).collect();
    Ok(Erased(all?))
}

/// Drops what no open question needs any more.
pub async fn tidy(conn: &mut Conn) -> Result<()> {
    let sql = "delete from erased where not exists (
                 select 1 from rounds where state in ('open', 'closing') and opened_at <= erased.erased_at)";
    execute(conn, sql, vec![]).await?;
    Ok(())
}
