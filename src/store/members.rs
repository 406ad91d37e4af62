//! People, by platform.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;

use super::Conn;
use super::db::{Bind, execute, fetch_all, fetch_optional, insert_many, int, places, text};
use crate::domain::ids::MemberId;

#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub id: MemberId,
    pub name: String,
    pub organiser: bool,
}

/// [`seen`], of somebody whose name may not be known: until it is, they appear under the last part of their id.
pub async fn met(conn: &mut Conn, id: &MemberId, name: Option<&str>, now: i64) -> Result<()> {
    let Some(name) = name else {
        let bare = id.as_str().rsplit([':', '/']).next().unwrap_or_default();
        let sql = "insert into members (id, name, folded, organiser, seen_at) values ($1, $2, $3, 0, $4)
                   on conflict (id) do nothing";
        return execute(conn, sql, vec![id.as_str().into(), bare.into(), bare.to_lowercase().into(), now.into()])
            .await
            .map(drop);
    };
    seen(conn, id, name, now).await
}

/// Notes that a member exists and what they are called today.
pub async fn seen(conn: &mut Conn, id: &MemberId, name: &str, now: i64) -> Result<()> {
    execute(
        conn,
        "insert into members (id, name, folded, organiser, seen_at) values ($1, $2, $3, 0, $4)
         on conflict (id) do update set name = excluded.name, folded = excluded.folded, seen_at = excluded.seen_at
         where members.name <> excluded.name",
        vec![id.as_str().into(), name.into(), name.to_lowercase().into(), now.into()],
    )
    .await?;
    Ok(())
}

/// Notes what somebody is called. False when they are not known.
pub async fn rename(conn: &mut Conn, id: &MemberId, name: &str) -> Result<bool> {
    let sql = "update members set name = $2, folded = $3 where id = $1";
    Ok(execute(conn, sql, vec![id.as_str().into(), name.into(), name.to_lowercase().into()]).await? == 1)
}

/// [`seen`] for many.
pub async fn seen_many(conn: &mut Conn, people: &BTreeMap<&MemberId, &str>, now: i64) -> Result<()> {
    let rows = people
        .iter()
        .map(|(id, name)| {
            vec![id.as_str().into(), (*name).into(), name.to_lowercase().into(), 0.into(), Bind::from(now)]
        })
        .collect();
    insert_many(
        conn,
        "members (id, name, folded, organiser, seen_at)",
        "on conflict (id) do update set name = excluded.name, folded = excluded.folded, seen_at = excluded.seen_at
         where members.name <> excluded.name",
        rows,
    )
    .await?;
    Ok(())
}

pub async fn set_organiser(conn: &mut Conn, id: &MemberId, organiser: bool) -> Result<()> {
    let sql = "update members set organiser = $2 where id = $1";
    execute(conn, sql, vec![id.as_str().into(), i64::from(organiser).into()]).await?;
    Ok(())
}

pub async fn get(conn: &mut Conn, id: &MemberId) -> Result<Option<Member>> {
    let sql = "select id, name, organiser from members where id = $1";
    let row = fetch_optional(conn, sql, vec![id.as_str().into()]).await?;
    row.map(|row| Ok(Member { id: id.clone(), name: text(&row, "name")?, organiser: int(&row, "organiser")? == 1 }))
        .transpose()
}

/// How many members a platform has.
pub async fn count(conn: &mut Conn, platform: &str) -> Result<i64> {
    let sql = "select count(*) as n from members where id like $1";
    let row = fetch_optional(conn, sql, vec![format!("{platform}:%").into()]).await?;
    row.map_or(Ok(0), |row| int(&row, "n"))
}

/// The member of a platform with this display name, upper and lower case alike; the one seen first if there are several.
pub async fn by_name(conn: &mut Conn, platform: &str, name: &str) -> Result<Option<Member>> {
    let sql = "select id, name, organiser from members where id like $1 and folded = $2 order by seen_at limit 1";
    let row = fetch_optional(conn, sql, vec![format!("{platform}:%").into(), name.to_lowercase().into()]).await?;
    row.map(|row| {
        Ok(Member {
            id: MemberId::new(text(&row, "id")?),
            name: text(&row, "name")?,
            organiser: int(&row, "organiser")? == 1,
        })
    })
    .transpose()
}

/// Display names; who is not in the map has been erased.
pub async fn names(conn: &mut Conn, ids: &[MemberId]) -> Result<HashMap<MemberId, String>> {
    let mut out = HashMap::new();
    for some in ids.chunks(500) {
        let sql = format!("select id, name from members where id in ({})", places(1, some.len()));
        for row in fetch_all(conn, sql, some.iter().map(|id| Bind::from(id.as_str())).collect()).await? {
            out.insert(MemberId::new(text(&row, "id")?), text(&row, "name")?);
        }
    }
    Ok(out)
}

/// Erases the person themselves; every other file of the store has its own `forget`.
pub async fn forget(conn: &mut Conn, id: &MemberId) -> Result<()> {
    execute(conn, "delete from members where id = $1", vec![id.as_str().into()]).await?;
    Ok(())
}
