//! Single facts about this database.

use anyhow::Result;

use super::Conn;
use super::db::{execute, fetch_optional, text};

pub async fn get(conn: &mut Conn, name: &'static str) -> Result<Option<String>> {
    let row = fetch_optional(conn, "select value from notes where name = $1", vec![name.into()]).await?;
    row.map(|row| text(&row, "value")).transpose()
}

pub async fn set(conn: &mut Conn, name: &'static str, value: &str) -> Result<()> {
    let sql = "insert into notes (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value";
    execute(conn, sql, vec![name.into(), value.into()]).await?;
    Ok(())
}

/// Sets a note unless there is one; the note that stands afterwards.
pub async fn set_once(conn: &mut Conn, name: &'static str, value: &str) -> Result<String> {
    let sql = "insert into notes (name, value) values ($1, $2) on conflict (name) do nothing";
    execute(conn, sql, vec![name.into(), value.into()]).await?;
    Ok(get(conn, name).await?.unwrap_or_else(|| value.to_owned()))
}

/// True when a bot has run on this database before.
pub async fn is_used(conn: &mut Conn) -> Result<bool> {
    Ok(fetch_optional(conn, "select id from channels limit 1", vec![]).await?.is_some())
}
