//! Playings of scenarios and their votes.

use anyhow::{Context, Result};
use sqlx::any::AnyRow;

use super::Conn;
use super::db::{execute, fetch_all, fetch_optional, int, text};
use crate::domain::ids::{ChannelId, MemberId, MessageId, SceneId, ThreadId};
use crate::domain::scene::{Scene, Vote};

pub async fn put(conn: &mut Conn, scene: &Scene, finished: bool, now: i64) -> Result<()> {
    let sql = "insert into scenes (id, channel_id, member_id, together, state, finished, updated_at) values ($1, $2, $3, $4, $5, $6, $7)
               on conflict (id) do update set state = excluded.state, finished = excluded.finished, updated_at = excluded.updated_at";
    let values = vec![
        scene.id.as_str().into(),
        scene.channel.as_str().into(),
        scene.member.as_str().into(),
        i64::from(scene.together).into(),
        serde_json::to_string(scene).context("cannot write a scene as JSON")?.into(),
        i64::from(finished).into(),
        now.into(),
    ];
    execute(conn, sql, values).await?;
    Ok(())
}

/// The scene, its row locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: &SceneId, now: i64) -> Result<Option<Scene>> {
    let sql = "update scenes set updated_at = $2 where id = $1 returning state, member_id";
    fetch_optional(conn, sql, vec![id.as_str().into(), now.into()]).await?.as_ref().map(read).transpose()
}

/// The scene and its thread, as soon as there is one.
pub async fn get(conn: &mut Conn, id: &SceneId) -> Result<Option<(Scene, Option<ThreadId>)>> {
    let sql = "select state, member_id, coalesce(thread_id, '') as thread_id from scenes where id = $1";
    let Some(row) = fetch_optional(conn, sql, vec![id.as_str().into()]).await? else { return Ok(None) };
    let thread = Some(text(&row, "thread_id")?).filter(|thread| !thread.is_empty()).map(ThreadId::new);
    Ok(Some((read(&row)?, thread)))
}

/// What is being played together in a channel, and was touched after `since`.
pub async fn under_way(conn: &mut Conn, channel: &ChannelId, since: i64) -> Result<Option<Scene>> {
    let sql = "select state, member_id from scenes
               where channel_id = $1 and together = 1 and finished = 0 and updated_at >= $2 order by updated_at desc limit 1";
    let values = vec![channel.as_str().into(), since.into()];
    fetch_optional(conn, sql, values).await?.as_ref().map(read).transpose()
}

pub async fn opened(conn: &mut Conn, id: &SceneId, thread: Option<&ThreadId>) -> Result<()> {
    let sql = "update scenes set thread_id = $2 where id = $1";
    execute(conn, sql, vec![id.as_str().into(), thread.map(ToString::to_string).into()]).await?;
    Ok(())
}

pub async fn posted(conn: &mut Conn, id: &SceneId, part: usize, message: &MessageId) -> Result<()> {
    let sql = "insert into scene_parts (scene_id, part, message_id) values ($1, $2, $3) on conflict do nothing";
    execute(conn, sql, vec![id.as_str().into(), i64::try_from(part)?.into(), message.to_string().into()]).await?;
    Ok(())
}

/// The message that shows a part.
pub async fn message_of(conn: &mut Conn, id: &SceneId, part: usize) -> Result<Option<MessageId>> {
    let sql = "select message_id from scene_parts where scene_id = $1 and part = $2";
    let row = fetch_optional(conn, sql, vec![id.as_str().into(), i64::try_from(part)?.into()]).await?;
    row.map(|row| Ok(MessageId::new(text(&row, "message_id")?))).transpose()
}

/// Keeps a vote, in place of an earlier one of the same step.
pub async fn vote(conn: &mut Conn, id: &SceneId, vote: &Vote) -> Result<()> {
    let sql = "insert into scene_votes (scene_id, step, member_id, choice, seq)
               values ($1, $2, $3, $4, (select count(*) from scene_votes where scene_id = $1))
               on conflict (scene_id, step, member_id) do update set choice = excluded.choice";
    let values = vec![
        id.as_str().into(),
        i64::try_from(vote.step)?.into(),
        vote.member.as_str().into(),
        i64::try_from(vote.option)?.into(),
    ];
    execute(conn, sql, values).await?;
    Ok(())
}

/// All votes of a scene, in the order in which people first voted.
pub async fn votes(conn: &mut Conn, id: &SceneId) -> Result<Vec<Vote>> {
    let sql = "select step, member_id, choice from scene_votes where scene_id = $1 order by step, seq, member_id";
    let rows = fetch_all(conn, sql, vec![id.as_str().into()]).await?;
    let read = |row| {
        Ok(Vote {
            step: usize::try_from(int(row, "step")?)?,
            member: MemberId::new(text(row, "member_id")?),
            option: usize::try_from(int(row, "choice")?)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Erases a member; gives the scenes of others, and their own with others, in which they were named.
pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<Vec<(SceneId, ChannelId)>> {
    let sql = "select id, channel_id from scenes where together = 1
               and (member_id = $1 or id in (select scene_id from scene_votes where member_id = $1))";
    let rows = fetch_all(conn, sql, vec![member.as_str().into()]).await?;
    for sql in [
        "delete from scenes where member_id = $1 and together = 0",
        "update scenes set member_id = '' where member_id = $1",
        "delete from scene_votes where member_id = $1",
    ] {
        execute(conn, sql, vec![member.as_str().into()]).await?;
    }
    rows.iter().map(|row| Ok((SceneId::new(text(row, "id")?), ChannelId::new(text(row, "channel_id")?)))).collect()
}

/// Who began it stands in a column of its own, since they may be erased.
fn read(row: &AnyRow) -> Result<Scene> {
    let mut scene: Scene = serde_json::from_str(&text(row, "state")?).context("a stored scene cannot be read")?;
    scene.member = MemberId::new(text(row, "member_id")?);
    Ok(scene)
}
