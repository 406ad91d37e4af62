//! Claims that words of an answer cover a key point.

use anyhow::Result;
use sqlx::any::AnyRow;

use super::Conn;
use super::db::{execute, fetch_all, fetch_optional, int, maybe_text, text};
use crate::domain::ids::{ClaimId, MemberId, MessageId, QuestionId, RoundId};
use crate::domain::ruling::{Claim, ClaimState, Subject};

const COLUMNS: &str =
    "id, round_id, member_id, point, words, state, scope, question_id, point_key, answer, decided_by, message_id";

/// Keeps a draft, or what has become of it; false when the claim was made already.
pub async fn put(conn: &mut Conn, claim: &Claim, now: i64) -> Result<bool> {
    let sql = "insert into claims (id, round_id, member_id, point, words, state, scope, question_id, point_key, answer, decided_by,
                 created_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', $11)
               on conflict (id) do update set words = excluded.words, state = excluded.state, created_at = excluded.created_at
               where claims.state = 'draft'";
    let values = vec![
        claim.id.as_str().into(),
        claim.round.as_str().into(),
        claim.member.as_str().into(),
        i64::try_from(claim.point)?.into(),
        claim.words.as_str().into(),
        claim.state.as_str().into(),
        claim.subject.scope.as_str().into(),
        claim.subject.question.as_str().into(),
        claim.subject.point.as_str().into(),
        claim.subject.answer.as_str().into(),
        now.into(),
    ];
    Ok(execute(conn, sql, values).await? == 1)
}

pub async fn get(conn: &mut Conn, id: &ClaimId) -> Result<Option<Claim>> {
    let sql = format!("select {COLUMNS} from claims where id = $1");
    fetch_optional(conn, sql, vec![id.as_str().into()]).await?.map(|row| read(&row)).transpose()
}

/// What a member has claimed in a round, drafts too.
pub async fn of_member(conn: &mut Conn, round: &RoundId, member: &MemberId) -> Result<Vec<Claim>> {
    let sql = format!("select {COLUMNS} from claims where round_id = $1 and member_id = $2 order by point");
    fetch_all(conn, sql, vec![round.as_str().into(), member.as_str().into()]).await?.iter().map(read).collect()
}

/// Everything that a ruling on this subject decides.
pub async fn of_subject(conn: &mut Conn, subject: &Subject) -> Result<Vec<Claim>> {
    let sql = format!(
        "select {COLUMNS} from claims where scope = $1 and question_id = $2 and point_key = $3 and answer = $4
           and state in ('open', 'confirmed', 'refused') order by created_at, id"
    );
    fetch_all(conn, sql, super::rulings::of(subject)).await?.iter().map(read).collect()
}

pub async fn posted(conn: &mut Conn, id: &ClaimId, message: &MessageId) -> Result<()> {
    let sql = "update claims set message_id = $2 where id = $1";
    execute(conn, sql, vec![id.as_str().into(), message.as_str().into()]).await?;
    Ok(())
}

pub async fn decided(conn: &mut Conn, id: &ClaimId, state: ClaimState, by: &MemberId) -> Result<()> {
    let sql = "update claims set state = $2, decided_by = $3 where id = $1";
    execute(conn, sql, vec![id.as_str().into(), state.as_str().into(), by.as_str().into()]).await?;
    Ok(())
}

/// Takes a member and their words out of all claims. The claims whose messages have to be changed: theirs, of which nothing else is
/// left than the message, and those that they decided.
pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<Vec<Claim>> {
    let who = || vec![member.as_str().into()];
    execute(conn, "delete from claims where member_id = $1 and state = 'draft'", who()).await?;
    let sql = format!("select {COLUMNS} from claims where member_id = $1 or decided_by = $1 order by id");
    let touched = fetch_all(conn, sql, who()).await?.iter().map(read).collect();
    let sql = "update claims set state = 'erased', member_id = '', words = '', answer = '' where member_id = $1";
    execute(conn, sql, who()).await?;
    execute(conn, "update claims set decided_by = '' where decided_by = $1", who()).await?;
    touched
}

/// The message of an erased claim says so now; nothing is left to know.
pub async fn gone(conn: &mut Conn, id: &ClaimId) -> Result<()> {
    execute(conn, "delete from claims where id = $1 and state = 'erased'", vec![id.as_str().into()]).await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Claim> {
    let by = text(row, "decided_by")?;
    Ok(Claim {
        id: ClaimId::new(text(row, "id")?),
        round: RoundId::new(text(row, "round_id")?),
        member: MemberId::new(text(row, "member_id")?),
        point: usize::try_from(int(row, "point")?)?,
        words: text(row, "words")?,
        state: ClaimState::parse(&text(row, "state")?),
        subject: Subject {
            scope: text(row, "scope")?,
            question: QuestionId::new(text(row, "question_id")?),
            point: text(row, "point_key")?,
            answer: text(row, "answer")?,
        },
        by: (!by.is_empty()).then(|| MemberId::new(by)),
        message: maybe_text(row, "message_id")?.map(MessageId::new),
    })
}
