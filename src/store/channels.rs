//! Channels that have, or had, a schedule.

use anyhow::Result;
use sqlx::any::AnyRow;

use super::Conn;
use super::db::{execute, fetch_all, fetch_optional, text};
use crate::domain::ids::{ChannelId, platform_of};

#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    pub id: ChannelId,
    pub name: String,
    /// One sentence for people who look at the channel.
    pub about: String,
    /// IANA name; the windows of leaderboards begin at its midnight.
    pub zone: String,
}

pub async fn put(conn: &mut Conn, channel: &Channel, now: i64) -> Result<()> {
    execute(
        conn,
        "insert into channels (id, platform, name, about, zone, created_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (id) do update set name = excluded.name, about = excluded.about, zone = excluded.zone",
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

fn read(row: &AnyRow) -> Result<Channel> {
    Ok(Channel {
        id: ChannelId::new(text(row, "id")?),
        name: text(row, "name")?,
        about: text(row, "about")?,
        zone: text(row, "zone")?,
    })
}
