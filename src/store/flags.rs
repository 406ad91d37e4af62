//! Flags on questions.

use anyhow::{Context, Result};
use sqlx::any::AnyRow;

use super::Conn;
use super::db::{Bind, execute, fetch_all, fetch_optional, int, text};
use crate::domain::flag::{Fault, Flag, State};
use crate::domain::ids::{ChannelId, FlagId, MemberId, QuestionId};

const COLUMNS: &str =
    "id, version, realm, channel_id, member_id, question_id, question_version, snapshot, prompt, fault, words,
     link, state, decided_by, answer, sent_at, decided_at";

/// Stores a flag as it is, over one that was there before. Behind `suggestions::turn` of its group.
pub async fn put(conn: &mut Conn, one: &Flag) -> Result<()> {
    let sql = format!(
        "insert into flags ({COLUMNS})
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         on conflict (id) do update set version = excluded.version, channel_id = excluded.channel_id,
           question_version = excluded.question_version, snapshot = excluded.snapshot, prompt = excluded.prompt,
           fault = excluded.fault, words = excluded.words, link = excluded.link, state = excluded.state,
           decided_by = excluded.decided_by, answer = excluded.answer, sent_at = excluded.sent_at,
           decided_at = excluded.decided_at"
    );
    let values = vec![
        one.id.as_str().into(),
        one.version.into(),
        one.realm.as_str().into(),
        one.channel.as_str().into(),
        one.member.as_str().into(),
        one.question.as_str().into(),
        one.question_version.into(),
        one.snapshot.as_str().into(),
        one.prompt.as_str().into(),
        one.fault.as_str().into(),
        one.words.as_str().into(),
        one.link.as_str().into(),
        one.state.as_str().into(),
        one.by.as_ref().map_or("", MemberId::as_str).into(),
        one.answer.as_str().into(),
        one.sent_at.into(),
        Bind::from(one.decided_at),
    ];
    execute(conn, sql, values).await?;
    Ok(())
}

pub async fn get(conn: &mut Conn, id: &FlagId) -> Result<Option<Flag>> {
    let sql = format!("select {COLUMNS} from flags where id = $1");
    fetch_optional(conn, sql, vec![id.as_str().into()]).await?.map(|row| read(&row)).transpose()
}

/// How many a member has waiting in a group.
pub async fn open_of(conn: &mut Conn, realm: &str, member: &MemberId) -> Result<i64> {
    let sql = "select count(*) as n from flags where member_id = $1 and realm = $2 and state = 'open'";
    let row = fetch_optional(conn, sql, vec![member.as_str().into(), realm.into()]).await?;
    row.map_or(Ok(0), |row| int(&row, "n"))
}

/// What waits in a group, oldest first.
pub async fn open(conn: &mut Conn, realm: &str, limit: i64) -> Result<Vec<Flag>> {
    let sql = format!("select {COLUMNS} from flags where realm = $1 and state = 'open' order by sent_at, id limit $2");
    fetch_all(conn, sql, vec![realm.into(), limit.into()]).await?.iter().map(read).collect()
}

/// What was decided in a group, newest first.
pub async fn decided(conn: &mut Conn, realm: &str, limit: i64) -> Result<Vec<Flag>> {
    let sql = format!(
        "select {COLUMNS} from flags where realm = $1 and state <> 'open' order by decided_at desc, id limit $2"
    );
    fetch_all(conn, sql, vec![realm.into(), limit.into()]).await?.iter().map(read).collect()
}

/// A member's flags go. What they decided stands, their words about it do not. All that had anything to do
/// with them.
pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<Vec<FlagId>> {
    let sql = "select id from flags where member_id = $1 or decided_by = $1 order by id";
    let rows = fetch_all(conn, sql, vec![member.as_str().into()]).await?;
    let touched = rows.iter().map(|row| Ok(FlagId::new(text(row, "id")?))).collect();
    for sql in [
        "delete from flags where member_id = $1",
        "update flags set decided_by = '', answer = '' where decided_by = $1",
    ] {
        execute(conn, sql, vec![member.as_str().into()]).await?;
    }
    touched
}

fn read(row: &AnyRow) -> Result<Flag> {
    let (fault, state, by) = (text(row, "fault")?, text(row, "state")?, text(row, "decided_by")?);
    Ok(Flag {
        id: FlagId::new(text(row, "id")?),
        version: int(row, "version")?,
        realm: text(row, "realm")?,
        channel: ChannelId::new(text(row, "channel_id")?),
        member: MemberId::new(text(row, "member_id")?),
        question: QuestionId::new(text(row, "question_id")?),
        question_version: int(row, "question_version")?,
        snapshot: text(row, "snapshot")?,
        prompt: text(row, "prompt")?,
        fault: Fault::parse(&fault).with_context(|| format!("{fault} is no fault of a question"))?,
        words: text(row, "words")?,
        link: text(row, "link")?,
        state: State::parse(&state).with_context(|| format!("{state} is no state of a flag"))?,
        by: (!by.is_empty()).then(|| MemberId::new(by)),
        answer: text(row, "answer")?,
        sent_at: int(row, "sent_at")?,
        decided_at: int(row, "decided_at")?,
    })
}
