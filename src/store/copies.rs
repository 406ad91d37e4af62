//! Answers that are nearly somebody else's, for the words to the organisers.

use std::collections::HashSet;

use anyhow::Result;

use super::Conn;
use super::db::{execute, fetch_all, insert_many, int, text};
use crate::domain::copying::Copy;
use crate::domain::ids::{ChannelId, MemberId, RoundId};

/// A copy as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    pub member: MemberId,
    /// None when they have been erased.
    pub source: Option<MemberId>,
    pub percent: i64,
}

/// Stores the copies of a round whose authors are `known`, the others having been erased; how many.
pub async fn insert(conn: &mut Conn, round: &RoundId, copies: &[Copy], known: &HashSet<&MemberId>) -> Result<usize> {
    let rows: Vec<_> = copies
        .iter()
        .filter(|copy| known.contains(&copy.member))
        .map(|copy| {
            let source = if known.contains(&copy.source) { copy.source.as_str() } else { "" };
            vec![round.as_str().into(), copy.member.as_str().into(), source.into(), i64::from(copy.percent).into()]
        })
        .collect();
    let count = rows.len();
    let head = "copies (round_id, member_id, source_id, percent)";
    insert_many(conn, head, "on conflict (round_id, member_id) do nothing", rows).await?;
    Ok(count)
}

/// The copies of a round, the nearest first.
pub async fn of_round(conn: &mut Conn, round: &RoundId) -> Result<Vec<Kept>> {
    let sql = "select member_id, source_id, percent from copies where round_id = $1 order by percent desc, member_id";
    let rows = fetch_all(conn, sql, vec![round.as_str().into()]).await?;
    rows.iter()
        .map(|row| {
            let source = Some(text(row, "source_id")?).filter(|source| !source.is_empty()).map(MemberId::new);
            Ok(Kept { member: MemberId::new(text(row, "member_id")?), source, percent: int(row, "percent")? })
        })
        .collect()
}

/// The rounds in which a member copied or was copied, with their channels.
pub async fn rounds_of(conn: &mut Conn, member: &MemberId) -> Result<Vec<(RoundId, ChannelId)>> {
    let sql = "select distinct c.round_id as round_id, r.channel_id as channel_id
               from copies c join rounds r on r.id = c.round_id
               where c.member_id = $1 or c.source_id = $1 order by c.round_id";
    let rows = fetch_all(conn, sql, vec![member.as_str().into()]).await?;
    rows.iter()
        .map(|row| Ok((RoundId::new(text(row, "round_id")?), ChannelId::new(text(row, "channel_id")?))))
        .collect()
}

/// Who copied from them is still marked; from whom is not known any more.
pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<()> {
    for sql in ["delete from copies where member_id = $1", "update copies set source_id = '' where source_id = $1"] {
        execute(conn, sql, vec![member.as_str().into()]).await?;
    }
    Ok(())
}
