//! Channels that have, or had, a schedule.

use std::collections::HashMap;

use anyhow::Result;
use sqlx::any::AnyRow;

use super::Conn;
use super::db::{execute, fetch_all, fetch_optional, int, places, text};
use crate::domain::ids::{ChannelId, MemberId, platform_of};
use crate::domain::ruling::scope;

#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    pub id: ChannelId,
    pub name: String,
    /// One sentence for people who look at the channel.
    pub about: String,
    /// IANA name; the windows of leaderboards begin at its midnight.
    pub zone: String,
}

/// Where a channel belongs, who steers it, and what keeps questions away from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The server or workspace it is part of; empty = unknown, or none.
    pub space: String,
    /// Who last steered its schedule.
    pub steward: Option<MemberId>,
    /// Why nothing could be posted; empty when all is well.
    pub trouble: String,
    /// Since when, unix milliseconds.
    pub trouble_at: i64,
    /// Nothing is tried until something has changed there.
    pub lost: bool,
}

/// Stores a channel. One without a name keeps the name it had.
pub async fn put(conn: &mut Conn, channel: &Channel, now: i64) -> Result<()> {
    execute(
        conn,
        "insert into channels (id, platform, name, about, zone, created_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (id) do update set
           name = case when excluded.name = '' then channels.name else excluded.name end, about = excluded.about, zone = excluded.zone",
        vec![
            channel.id.as_str().into(),
            platform_of(channel.id.as_str()).into(),
            channel.name.as_str().into(),
            channel.about.as_str().into(),
            channel.zone.as_str().into(),
            now.into(),
        ],
    )
    .await?;
    Ok(())
}

pub async fn set_zone(conn: &mut Conn, channel: &ChannelId, zone: &str) -> Result<()> {
    execute(conn, "update channels set zone = $2 where id = $1", vec![channel.as_str().into(), zone.into()]).await?;
    Ok(())
}

pub async fn get(conn: &mut Conn, id: &ChannelId) -> Result<Option<Channel>> {
    let row =
        fetch_optional(conn, "select id, name, about, zone from channels where id = $1", vec![id.as_str().into()]);
    row.await?.map(|row| read(&row)).transpose()
}

/// The channels of a platform by name.
pub async fn of_platform(conn: &mut Conn, platform: &str) -> Result<Vec<Channel>> {
    let sql = "select id, name, about, zone from channels where platform = $1 order by name, id";
    fetch_all(conn, sql, vec![platform.into()]).await?.iter().map(read).collect()
}

/// The channels of a platform that have a next question, with their names.
pub async fn scheduled(conn: &mut Conn, platform: &str) -> Result<Vec<(ChannelId, String)>> {
    let sql = "select distinct c.id, c.name from channels c join schedules s on s.channel_id = c.id
               where c.platform = $1 and s.next_at is not null order by c.name, c.id";
    let rows = fetch_all(conn, sql, vec![platform.into()]).await?;
    rows.iter().map(|row| Ok((ChannelId::new(text(row, "id")?), text(row, "name")?))).collect()
}

pub async fn condition(conn: &mut Conn, id: &ChannelId) -> Result<Option<Condition>> {
    let sql = "select space, steward, trouble, trouble_at, lost from channels where id = $1";
    let row = fetch_optional(conn, sql, vec![id.as_str().into()]).await?;
    row.map(|row| {
        Ok(Condition {
            space: text(&row, "space")?,
            steward: Some(text(&row, "steward")?).filter(|steward| !steward.is_empty()).map(MemberId::new),
            trouble: text(&row, "trouble")?,
            trouble_at: int(&row, "trouble_at")?,
            lost: int(&row, "lost")? == 1,
        })
    })
    .transpose()
}

/// The channels of a server or workspace in the order of their ids, and so of their locks.
pub async fn of_space(conn: &mut Conn, space: &str) -> Result<Vec<ChannelId>> {
    let sql = "select id from channels where space = $1 and space <> '' order by id";
    fetch_all(conn, sql, vec![space.into()]).await?.iter().map(|row| Ok(ChannelId::new(text(row, "id")?))).collect()
}

/// The group of each of these channels: its server or workspace, else its platform.
pub async fn scopes(conn: &mut Conn, channels: &[ChannelId]) -> Result<HashMap<ChannelId, String>> {
    let mut out = HashMap::new();
    for some in channels.chunks(500) {
        let sql = format!("select id, space from channels where id in ({})", places(1, some.len()));
        for row in fetch_all(conn, sql, some.iter().map(|id| id.as_str().into()).collect()).await? {
            let id = ChannelId::new(text(&row, "id")?);
            let scope = scope(&id, &text(&row, "space")?);
            out.insert(id, scope);
        }
    }
    Ok(out)
}

/// The servers or workspaces of a platform that have channels of ours.
pub async fn spaces(conn: &mut Conn, platform: &str) -> Result<Vec<String>> {
    let sql = "select distinct space from channels where platform = $1 and space <> '' order by space";
    fetch_all(conn, sql, vec![platform.into()]).await?.iter().map(|row| text(row, "space")).collect()
}

/// Every channel in which nothing is tried, and why.
pub async fn lost(conn: &mut Conn) -> Result<HashMap<ChannelId, String>> {
    let rows = fetch_all(conn, "select id, trouble from channels where lost = 1", vec![]).await?;
    rows.iter().map(|row| Ok((ChannelId::new(text(row, "id")?), text(row, "trouble")?))).collect()
}

pub async fn rename(conn: &mut Conn, id: &ChannelId, name: &str) -> Result<()> {
    execute(conn, "update channels set name = $2 where id = $1", vec![id.as_str().into(), name.into()]).await?;
    Ok(())
}

pub async fn belongs_to(conn: &mut Conn, id: &ChannelId, space: &str) -> Result<()> {
    execute(conn, "update channels set space = $2 where id = $1", vec![id.as_str().into(), space.into()]).await?;
    Ok(())
}

/// Notes who steered the schedule last.
pub async fn steered(conn: &mut Conn, id: &ChannelId, member: &MemberId) -> Result<()> {
    let sql = "update channels set steward = $2 where id = $1";
    execute(conn, sql, vec![id.as_str().into(), member.as_str().into()]).await?;
    Ok(())
}

/// Nothing can be posted there. True when this is news, false when the same trouble is known already.
pub async fn in_trouble(conn: &mut Conn, id: &ChannelId, why: &str, now: i64) -> Result<bool> {
    let sql = "update channels set trouble = $2, trouble_at = $3, lost = 1 where id = $1 and trouble <> $2";
    if execute(conn, sql, vec![id.as_str().into(), why.into(), now.into()]).await? == 1 {
        return Ok(true);
    }
    execute(conn, "update channels set lost = 1 where id = $1 and lost = 0", vec![id.as_str().into()]).await?;
    Ok(false)
}

/// The next question is tried again; the trouble stays known until one has got through.
pub async fn may_be_back(conn: &mut Conn, id: &ChannelId) -> Result<bool> {
    let sql = "update channels set lost = 0 where id = $1 and lost = 1";
    Ok(execute(conn, sql, vec![id.as_str().into()]).await? == 1)
}

/// A question got through. True when there was a trouble, which is over now.
pub async fn is_well(conn: &mut Conn, id: &ChannelId) -> Result<bool> {
    let sql =
        "update channels set trouble = '', trouble_at = 0, lost = 0 where id = $1 and (trouble <> '' or lost = 1)";
    Ok(execute(conn, sql, vec![id.as_str().into()]).await? == 1)
}

/// What can fail in a channel where questions get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// What belongs to a question: its thread, the role that it calls.
    Question,
    /// The reveal got through, but not to where it belongs.
    Reveal,
    /// Reading the thread before the reveal.
    Read,
    /// The sign under an answer.
    Receipt,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Step::Question => "question",
            Step::Reveal => "reveal",
            Step::Read => "read",
            Step::Receipt => "receipt",
        }
    }
}

/// A step has failed, though the channel is in reach. True when this is news.
pub async fn step_failed(conn: &mut Conn, id: &ChannelId, step: Step, why: &str, now: i64) -> Result<bool> {
    let sql = "insert into troubles (channel_id, step, why, since) values ($1, $2, $3, $4)
               on conflict (channel_id, step) do update set why = excluded.why, since = excluded.since
               where troubles.why <> excluded.why";
    let values = vec![id.as_str().into(), step.name().into(), why.into(), now.into()];
    Ok(execute(conn, sql, values).await? == 1)
}

pub async fn step_works(conn: &mut Conn, id: &ChannelId, step: Step) -> Result<()> {
    let sql = "delete from troubles where channel_id = $1 and step = $2";
    execute(conn, sql, vec![id.as_str().into(), step.name().into()]).await?;
    Ok(())
}

/// The steps that fail in a channel: why, and since when (unix milliseconds), the oldest first.
pub async fn failing_steps(conn: &mut Conn, id: &ChannelId) -> Result<Vec<(String, i64)>> {
    let sql = "select why, since from troubles where channel_id = $1 order by since, step";
    let rows = fetch_all(conn, sql, vec![id.as_str().into()]).await?;
    rows.iter().map(|row| Ok((text(row, "why")?, int(row, "since")?))).collect()
}

pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<()> {
    execute(conn, "update channels set steward = '' where steward = $1", vec![member.as_str().into()]).await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Channel> {
    Ok(Channel {
        id: ChannelId::new(text(row, "id")?),
        name: text(row, "name")?,
        about: text(row, "about")?,
        zone: text(row, "zone")?,
    })
}
