//! What the web chat keeps: sessions and messages. `rev` rises with every change, in commit order.

use anyhow::Result;
use sqlx::any::AnyRow;

use super::Conn;
use super::db::{count_up, execute, fetch_all, fetch_optional, int, maybe_int, maybe_text, text};
use crate::domain::ids::{ChannelId, MemberId};

#[derive(Clone, Debug, PartialEq)]
pub struct WebMessage {
    pub id: String,
    /// Orders messages; never changes.
    pub seq: i64,
    /// Rises with every change of any message.
    pub rev: i64,
    pub channel: ChannelId,
    pub thread: Option<String>,
    /// None for the bot.
    pub author: Option<MemberId>,
    pub author_name: Option<String>,
    /// Empty for everyone, `organisers`, or a member's id.
    pub audience: String,
    /// A member's words, or the bot's message as JSON.
    pub body: String,
    pub mark: String,
    pub at: i64,
    pub edited_at: Option<i64>,
    pub deleted: bool,
    pub replies: i64,
}

/// Who looks: decides which private messages are seen.
#[derive(Clone, Debug)]
pub struct Viewer {
    pub member: MemberId,
    pub organiser: bool,
}

#[derive(Clone, Debug)]
pub struct NewMessage<'a> {
    pub id: &'a str,
    pub channel: &'a ChannelId,
    pub thread: Option<&'a str>,
    pub author: Option<&'a MemberId>,
    pub audience: &'a str,
    pub body: &'a str,
    pub dedup: &'a str,
    pub at: i64,
}

const COLUMNS: &str = "w.id as id, w.seq as seq, w.rev as rev, w.channel_id as channel_id, w.thread as thread, \
                       w.author_id as author_id, m.name as author_name, w.audience as audience, w.body as body, \
                       w.mark as mark, w.at as at, w.edited_at as edited_at, w.deleted as deleted, w.replies as replies";
const FROM: &str = "from web_messages w left join members m on m.id = w.author_id";

/// Inserts a message once: a repeat of `dedup` changes nothing. The id under which the message stands, and whether it is new.
pub async fn insert(conn: &mut Conn, new: &NewMessage<'_>) -> Result<(String, bool)> {
    // First the counter: its row lock makes writers on PostgreSQL take turns, so revs become visible in order.
    let rev = count_up(conn, "web", 1).await?;
    let touched = execute(
        conn,
        "insert into web_messages (id, seq, rev, channel_id, thread, author_id, audience, body, dedup, mark, at, deleted, replies)
         values ($1, $2, $2, $3, $4, $5, $6, $7, $8, '', $9, 0, 0) on conflict do nothing",
        vec![
            new.id.into(),
            rev.into(),
            new.channel.as_str().into(),
            new.thread.map(str::to_owned).into(),
            new.author.map(ToString::to_string).into(),
            new.audience.into(),
            new.body.into(),
            new.dedup.into(),
            new.at.into(),
        ],
    )
    .await?;
    if touched == 0 {
        return Ok((by_dedup(conn, new.dedup).await?.unwrap_or_else(|| new.id.to_owned()), false));
    }
    if let Some(thread) = new.thread.filter(|_| new.audience.is_empty()) {
        let rev = count_up(conn, "web", 1).await?;
        let sql = "update web_messages set replies = replies + 1, rev = $2 where id = $1";
        execute(conn, sql, vec![thread.into(), rev.into()]).await?;
    }
    Ok((new.id.to_owned(), true))
}

pub async fn by_dedup(conn: &mut Conn, dedup: &str) -> Result<Option<String>> {
    let row = fetch_optional(conn, "select id from web_messages where dedup = $1", vec![dedup.into()]).await?;
    row.map(|row| text(&row, "id")).transpose()
}

/// Replaces the body of a message that is not deleted; false when there is none.
pub async fn edit(conn: &mut Conn, id: &str, body: &str, edited_at: Option<i64>) -> Result<bool> {
    let rev = count_up(conn, "web", 1).await?;
    let sql = "update web_messages set body = $2, edited_at = coalesce($3, edited_at), rev = $4 where id = $1 and deleted = 0";
    let values = vec![id.into(), body.into(), edited_at.into(), rev.into()];
    Ok(execute(conn, sql, values).await? == 1)
}

pub async fn mark(conn: &mut Conn, id: &str, mark: &str) -> Result<()> {
    let rev = count_up(conn, "web", 1).await?;
    let sql = "update web_messages set mark = $2, rev = $3 where id = $1 and mark <> $2";
    execute(conn, sql, vec![id.into(), mark.into(), rev.into()]).await?;
    Ok(())
}

/// Empties a message and leaves a tombstone, so that open pages drop it; false when it was gone already.
pub async fn delete(conn: &mut Conn, id: &str) -> Result<bool> {
    let rev = count_up(conn, "web", 1).await?;
    let sql = "update web_messages set deleted = 1, body = '', mark = '', rev = $2 where id = $1 and deleted = 0";
    let gone = execute(conn, sql, vec![id.into(), rev.into()]).await? == 1;
    if gone {
        // Private ones were never counted.
        let sql = "update web_messages set replies = replies - 1, rev = $2
                   where id = (select thread from web_messages where id = $1 and audience = '') and replies > 0";
        let rev = count_up(conn, "web", 1).await?;
        execute(conn, sql, vec![id.into(), rev.into()]).await?;
    }
    Ok(gone)
}

pub async fn get(conn: &mut Conn, id: &str) -> Result<Option<WebMessage>> {
    let sql = format!("select {COLUMNS} {FROM} where w.id = $1");
    fetch_optional(conn, sql, vec![id.into()]).await?.map(|row| read(&row)).transpose()
}

/// The newest messages outside threads before `before`, oldest first.
pub async fn channel(
    conn: &mut Conn,
    channel: &ChannelId,
    viewer: &Viewer,
    before: i64,
    limit: i64,
) -> Result<Vec<WebMessage>> {
    let sql = format!(
        "select {COLUMNS} {FROM} where w.channel_id = $1 and w.thread is null and w.seq < $2 and w.deleted = 0
           and (w.audience = '' or w.audience = $3 or w.audience = $4) order by w.seq desc limit $5"
    );
    let values =
        vec![channel.as_str().into(), before.into(), viewer.member.as_str().into(), group(viewer).into(), limit.into()];
    let mut messages = fetch_all(conn, sql, values).await?.iter().map(read).collect::<Result<Vec<_>>>()?;
    messages.reverse();
    Ok(messages)
}

/// The messages of a thread, oldest first.
pub async fn thread(conn: &mut Conn, thread: &str, viewer: &Viewer) -> Result<Vec<WebMessage>> {
    let sql = format!(
        "select {COLUMNS} {FROM} where w.thread = $1 and w.deleted = 0
           and (w.audience = '' or w.audience = $2 or w.audience = $3) order by w.seq"
    );
    let values = vec![thread.into(), viewer.member.as_str().into(), group(viewer).into()];
    fetch_all(conn, sql, values).await?.iter().map(read).collect()
}

/// What members wrote in a thread and did not delete, oldest first, after message `after` if given.
pub async fn written_in(conn: &mut Conn, thread: &str, after: i64) -> Result<Vec<WebMessage>> {
    let sql = format!(
        "select {COLUMNS} {FROM} where w.thread = $1 and w.seq > $2 and w.deleted = 0 and w.author_id is not null order by w.seq"
    );
    fetch_all(conn, sql, vec![thread.into(), after.into()]).await?.iter().map(read).collect()
}

/// What changed after `rev`, in order, in its newest state.
pub async fn since(conn: &mut Conn, rev: i64, viewer: &Viewer, limit: i64) -> Result<Vec<WebMessage>> {
    let sql = format!(
        "select {COLUMNS} {FROM} where w.rev > $1 and (w.audience = '' or w.audience = $2 or w.audience = $3)
         order by w.rev limit $4"
    );
    let values = vec![rev.into(), viewer.member.as_str().into(), group(viewer).into(), limit.into()];
    fetch_all(conn, sql, values).await?.iter().map(read).collect()
}

pub async fn rev(conn: &mut Conn) -> Result<i64> {
    let row = fetch_optional(conn, "select value from counters where name = 'web'", vec![]).await?;
    row.map_or(Ok(0), |row| int(&row, "value"))
}

pub async fn open_session(conn: &mut Conn, token_hash: &str, member: &MemberId, now: i64) -> Result<()> {
    let sql = "insert into web_sessions (token_hash, member_id, created_at) values ($1, $2, $3) on conflict do nothing";
    execute(conn, sql, vec![token_hash.into(), member.as_str().into(), now.into()]).await?;
    Ok(())
}

pub async fn close_session(conn: &mut Conn, token_hash: &str) -> Result<()> {
    execute(conn, "delete from web_sessions where token_hash = $1", vec![token_hash.into()]).await?;
    Ok(())
}

/// The member behind a session cookie.
pub async fn session(conn: &mut Conn, token_hash: &str) -> Result<Option<super::members::Member>> {
    let sql = "select m.id as id, m.name as name, m.organiser as organiser from web_sessions s
               join members m on m.id = s.member_id where s.token_hash = $1";
    let row = fetch_optional(conn, sql, vec![token_hash.into()]).await?;
    row.map(|row| {
        Ok(super::members::Member {
            id: MemberId::new(text(&row, "id")?),
            name: text(&row, "name")?,
            organiser: int(&row, "organiser")? == 1,
        })
    })
    .transpose()
}

/// Empties everything a member wrote, and everything only they could see, and signs them out.
pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<()> {
    let rows = fetch_all(
        conn,
        "select id from web_messages where (author_id = $1 or audience = $1) and deleted = 0",
        vec![member.as_str().into()],
    )
    .await?;
    for row in rows {
        delete(conn, &text(&row, "id")?).await?;
    }
    execute(conn, "update web_messages set author_id = null where author_id = $1", vec![member.as_str().into()])
        .await?;
    execute(conn, "delete from web_sessions where member_id = $1", vec![member.as_str().into()]).await?;
    Ok(())
}

/// Empties what others were shown in private of these items of the review queue, each as buttons carry it.
pub async fn forget_items(conn: &mut Conn, items: &[String]) -> Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    let sql = "select id, body from web_messages
               where author_id is null and audience <> '' and deleted = 0 and body like '%\"queue:%'";
    for row in fetch_all(conn, sql, vec![]).await? {
        let body = text(&row, "body")?;
        if items.iter().any(|item| body.contains(item)) {
            delete(conn, &text(&row, "id")?).await?;
        }
    }
    Ok(())
}

/// Drops private messages from before `before`; they are answers of the moment.
pub async fn tidy(conn: &mut Conn, before: i64) -> Result<u64> {
    execute(conn, "delete from web_messages where audience <> '' and at < $1", vec![before.into()]).await
}

fn group(viewer: &Viewer) -> &'static str {
    // Nobody's audience is "-": a member who is no organiser matches only everyone's and their own messages.
    if viewer.organiser { "organisers" } else { "-" }
}

fn read(row: &AnyRow) -> Result<WebMessage> {
    Ok(WebMessage {
        id: text(row, "id")?,
        seq: int(row, "seq")?,
        rev: int(row, "rev")?,
        channel: ChannelId::new(text(row, "channel_id")?),
        thread: maybe_text(row, "thread")?,
        author: maybe_text(row, "author_id")?.map(MemberId::new),
        author_name: maybe_text(row, "author_name")?,
        audience: text(row, "audience")?,
        body: text(row, "body")?,
        mark: text(row, "mark")?,
        at: int(row, "at")?,
        edited_at: maybe_int(row, "edited_at")?,
        deleted: int(row, "deleted")? == 1,
        replies: int(row, "replies")?,
    })
}
