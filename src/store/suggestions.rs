//! Suggested questions, and the turns of a group.

use anyhow::{Context, Result};
use sqlx::any::AnyRow;

use super::Conn;
use super::db::{Bind, count_up, execute, fetch_all, fetch_optional, int, text};
use crate::domain::ids::{ChannelId, MemberId, SuggestionId};
use crate::domain::suggestion::{State, Suggestion, Texts};

const COLUMNS: &str = "id, version, realm, channel_id, member_id, prompt, model_answer, key_points, topic, link, state,
     decided_by, reason, sent_at, decided_at";

/// Takes the turn of a group until the end of the transaction. Before all other rows.
pub async fn turn(conn: &mut Conn, realm: &str) -> Result<()> {
    let sql = "insert into review_groups (realm, turn, notice, unseen) values ($1, 1, 0, 0)
               on conflict (realm) do update set turn = review_groups.turn + 1";
    execute(conn, sql, vec![realm.into()]).await?;
    Ok(())
}

/// Something waits. The number of the word to the organisers, unless they have one already and have not looked since.
pub async fn waits(conn: &mut Conn, realm: &str) -> Result<Option<i64>> {
    let sql =
        "update review_groups set notice = notice + 1, unseen = 1 where realm = $1 and unseen = 0 returning notice";
    let row = fetch_optional(conn, sql, vec![realm.into()]).await?;
    row.map(|row| int(&row, "notice")).transpose()
}

/// An organiser has looked, or nothing waits any more: the next one is told again.
pub async fn looked(conn: &mut Conn, realm: &str) -> Result<()> {
    execute(conn, "update review_groups set unseen = 0 where realm = $1 and unseen = 1", vec![realm.into()]).await?;
    Ok(())
}

/// True while the organisers have a word that they did not follow.
pub async fn is_unseen(conn: &mut Conn, realm: &str) -> Result<bool> {
    let sql = "select 1 as one from review_groups where realm = $1 and unseen = 1";
    Ok(fetch_optional(conn, sql, vec![realm.into()]).await?.is_some())
}

/// Stores a suggestion as it is; over one that was there before, whatever that was. Behind [`turn`].
pub async fn put(conn: &mut Conn, one: &Suggestion) -> Result<()> {
    let sql = format!(
        "insert into suggestions ({COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         on conflict (id) do update set version = excluded.version, channel_id = excluded.channel_id,
           member_id = excluded.member_id, prompt = excluded.prompt, model_answer = excluded.model_answer,
           key_points = excluded.key_points, topic = excluded.topic, link = excluded.link, state = excluded.state,
           decided_by = excluded.decided_by, reason = excluded.reason, sent_at = excluded.sent_at,
           decided_at = excluded.decided_at"
    );
    let points = serde_json::to_string(&one.texts.key_points).context("cannot write key points as JSON")?;
    let values = vec![
        one.id.as_str().into(),
        one.version.into(),
        one.realm.as_str().into(),
        one.channel.as_str().into(),
        one.member.as_ref().map_or("", MemberId::as_str).into(),
        one.texts.prompt.as_str().into(),
        one.texts.model_answer.as_str().into(),
        points.into(),
        one.texts.topic.as_str().into(),
        one.texts.link.as_str().into(),
        one.state.as_str().into(),
        one.by.as_ref().map_or("", MemberId::as_str).into(),
        one.reason.as_str().into(),
        one.sent_at.into(),
        Bind::from(one.decided_at),
    ];
    execute(conn, sql, values).await?;
    Ok(())
}

pub async fn get(conn: &mut Conn, id: &SuggestionId) -> Result<Option<Suggestion>> {
    let sql = format!("select {COLUMNS} from suggestions where id = $1");
    fetch_optional(conn, sql, vec![id.as_str().into()]).await?.map(|row| read(&row)).transpose()
}

/// What a member has suggested in a group, newest first.
pub async fn of_member(conn: &mut Conn, realm: &str, member: &MemberId, limit: i64) -> Result<Vec<Suggestion>> {
    let sql = format!(
        "select {COLUMNS} from suggestions where member_id = $1 and realm = $2 order by sent_at desc, id limit $3"
    );
    let values = vec![member.as_str().into(), realm.into(), limit.into()];
    fetch_all(conn, sql, values).await?.iter().map(read).collect()
}

/// How many a member has waiting in a group.
pub async fn open_of(conn: &mut Conn, realm: &str, member: &MemberId) -> Result<i64> {
    let sql = "select count(*) as n from suggestions where member_id = $1 and realm = $2 and state = 'open'";
    let row = fetch_optional(conn, sql, vec![member.as_str().into(), realm.into()]).await?;
    row.map_or(Ok(0), |row| int(&row, "n"))
}

/// What waits in a group, oldest first.
pub async fn open(conn: &mut Conn, realm: &str, limit: i64) -> Result<Vec<Suggestion>> {
    let sql =
        format!("select {COLUMNS} from suggestions where realm = $1 and state = 'open' order by sent_at, id limit $2");
    fetch_all(conn, sql, vec![realm.into(), limit.into()]).await?.iter().map(read).collect()
}

/// What was decided in a group, newest first; what its author took back is not in it.
pub async fn decided(conn: &mut Conn, realm: &str, limit: i64) -> Result<Vec<Suggestion>> {
    let sql = format!(
        "select {COLUMNS} from suggestions where realm = $1 and state <> 'open'
           and not (state = 'withdrawn' and decided_by = member_id) order by decided_at desc, id limit $2"
    );
    fetch_all(conn, sql, vec![realm.into(), limit.into()]).await?.iter().map(read).collect()
}

/// Every approved question of every group.
pub async fn approved(conn: &mut Conn) -> Result<Vec<Suggestion>> {
    let sql = format!("select {COLUMNS} from suggestions where state = 'approved' order by realm, id");
    fetch_all(conn, sql, vec![]).await?.iter().map(read).collect()
}

/// Which change of the approved questions is the newest.
pub async fn revision(conn: &mut Conn) -> Result<i64> {
    let row = fetch_optional(conn, "select value from counters where name = 'suggested'", vec![]).await?;
    row.map_or(Ok(0), |row| int(&row, "value"))
}

/// The approved questions have changed.
pub async fn changed(conn: &mut Conn) -> Result<()> {
    count_up(conn, "suggested", 1).await?;
    Ok(())
}

/// Takes a member out: what they suggested goes, what was approved stays without their name. What they decided stands, their words
/// about it do not. Takes the turns of all groups in which they sent or decided something: nobody may put back what goes here. All that had
/// anything to do with them.
pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<Vec<SuggestionId>> {
    let sql = "select realm from suggestions where member_id = $1 or decided_by = $1
               union select realm from flags where member_id = $1 or decided_by = $1 order by realm";
    for row in fetch_all(conn, sql, vec![member.as_str().into()]).await? {
        turn(conn, &text(&row, "realm")?).await?;
    }
    let sql = "select id from suggestions where member_id = $1 or decided_by = $1 order by id";
    let rows = fetch_all(conn, sql, vec![member.as_str().into()]).await?;
    let touched = rows.iter().map(|row| Ok(SuggestionId::new(text(row, "id")?))).collect();
    for sql in [
        "delete from suggestions where member_id = $1 and state <> 'approved'",
        "update suggestions set member_id = '' where member_id = $1",
        "update suggestions set decided_by = '', reason = '' where decided_by = $1",
    ] {
        execute(conn, sql, vec![member.as_str().into()]).await?;
    }
    touched
}

fn read(row: &AnyRow) -> Result<Suggestion> {
    let somebody = |id: String| (!id.is_empty()).then(|| MemberId::new(id));
    let state = text(row, "state")?;
    Ok(Suggestion {
        id: SuggestionId::new(text(row, "id")?),
        version: int(row, "version")?,
        realm: text(row, "realm")?,
        channel: ChannelId::new(text(row, "channel_id")?),
        member: somebody(text(row, "member_id")?),
        texts: Texts {
            prompt: text(row, "prompt")?,
            model_answer: text(row, "model_answer")?,
            key_points: serde_json::from_str(&text(row, "key_points")?).context("stored key points cannot be read")?,
            topic: text(row, "topic")?,
            link: text(row, "link")?,
        },
        state: State::parse(&state).with_context(|| format!("{state} is no state of a suggestion"))?,
        by: somebody(text(row, "decided_by")?),
        reason: text(row, "reason")?,
        sent_at: int(row, "sent_at")?,
        decided_at: int(row, "decided_at")?,
    })
}
