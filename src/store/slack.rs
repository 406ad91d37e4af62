//! Workspaces of Slack that installed the app, with their tokens as they are encrypted.

use anyhow::Result;
use sqlx::any::AnyRow;

use super::Conn;
use super::db::{execute, fetch_all, fetch_optional, text};

#[derive(Clone, PartialEq, Eq)]
pub struct Installed {
    pub team: String,
    /// The bot as a user.
    pub bot_user: String,
    /// Encrypted.
    pub token: String,
}

fn installed(row: &AnyRow) -> Result<Installed> {
    Ok(Installed { team: text(row, "team_id")?, bot_user: text(row, "bot_user")?, token: text(row, "token")? })
}

/// Keeps an installation; a newer one of the same workspace replaces it.
pub async fn install(conn: &mut Conn, new: &Installed, now: i64) -> Result<()> {
    let sql = "insert into slack_workspaces (team_id, bot_user, token, installed_at) values ($1, $2, $3, $4)
               on conflict (team_id) do update set bot_user = excluded.bot_user, token = excluded.token,
                 installed_at = excluded.installed_at";
    let values = vec![new.team.as_str().into(), new.bot_user.as_str().into(), new.token.as_str().into(), now.into()];
    execute(conn, sql, values).await?;
    Ok(())
}

pub async fn find(conn: &mut Conn, team: &str) -> Result<Option<Installed>> {
    let sql = "select team_id, bot_user, token from slack_workspaces where team_id = $1";
    fetch_optional(conn, sql, vec![team.into()]).await?.as_ref().map(installed).transpose()
}

pub async fn all(conn: &mut Conn) -> Result<Vec<Installed>> {
    let rows =
        fetch_all(conn, "select team_id, bot_user, token from slack_workspaces order by team_id", vec![]).await?;
    rows.iter().map(installed).collect()
}

/// Puts a token in place of another, and leaves one that was installed meanwhile.
pub async fn encrypt_anew(conn: &mut Conn, team: &str, old: &str, new: &str) -> Result<()> {
    let sql = "update slack_workspaces set token = $3 where team_id = $1 and token = $2";
    execute(conn, sql, vec![team.into(), old.into(), new.into()]).await?;
    Ok(())
}

/// Forgets an installation that is not younger than this, unix milliseconds; false when there is none.
pub async fn uninstall(conn: &mut Conn, team: &str, not_after: i64) -> Result<bool> {
    let sql = "delete from slack_workspaces where team_id = $1 and installed_at <= $2";
    Ok(execute(conn, sql, vec![team.into(), not_after.into()]).await? == 1)
}
