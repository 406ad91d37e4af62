//! What members typed into forms and what was not taken yet.

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Conn;
use super::db::{execute, fetch_optional, text};
use crate::domain::ids::MemberId;

pub async fn put<T: Serialize>(conn: &mut Conn, member: &MemberId, form: &str, typed: &T, now: i64) -> Result<()> {
    let sql = "insert into drafts (member_id, form, body, saved_at) values ($1, $2, $3, $4)
               on conflict (member_id, form) do update set body = excluded.body, saved_at = excluded.saved_at";
    let body = serde_json::to_string(typed).context("cannot write a draft as JSON")?;
    execute(conn, sql, vec![member.as_str().into(), form.into(), body.into(), now.into()]).await?;
    Ok(())
}

/// What was typed; None also for what an older version wrote and this one cannot read.
pub async fn get<T: DeserializeOwned>(conn: &mut Conn, member: &MemberId, form: &str) -> Result<Option<T>> {
    let sql = "select body from drafts where member_id = $1 and form = $2";
    let row = fetch_optional(conn, sql, vec![member.as_str().into(), form.into()]).await?;
    row.map_or(Ok(None), |row| Ok(serde_json::from_str(&text(&row, "body")?).ok()))
}

pub async fn drop(conn: &mut Conn, member: &MemberId, form: &str) -> Result<()> {
    execute(conn, "delete from drafts where member_id = $1 and form = $2", vec![member.as_str().into(), form.into()])
        .await?;
    Ok(())
}

pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<()> {
    execute(conn, "delete from drafts where member_id = $1", vec![member.as_str().into()]).await?;
    Ok(())
}

/// Drops what nobody has sent since `before`.
pub async fn tidy(conn: &mut Conn, before: i64) -> Result<u64> {
    execute(conn, "delete from drafts where saved_at < $1", vec![before.into()]).await
}
