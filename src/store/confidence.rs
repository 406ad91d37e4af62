//! How sure people were, and how right: what they said with the form of a round stands with that answer, what they said in drills here.

use anyhow::Result;

use super::Conn;
use super::db::{execute, fetch_all, int, text};
use crate::domain::confidence::{Calibration, Confidence, Mistaken, RIGHT};
use crate::domain::drill::Drill;
use crate::domain::ids::{ChannelId, MemberId, QuestionId};

/// How sure somebody was of one question of a drill.
pub struct Said<'a> {
    pub question: &'a QuestionId,
    pub said: Confidence,
    pub coverage: i64,
}

/// Keeps it for item `at` of a drill; the first word counts.
pub async fn note(conn: &mut Conn, drill: &Drill, at: usize, said: &Said<'_>, now: i64) -> Result<()> {
    execute(
        conn,
        "insert into drill_confidence (drill_id, item, member_id, channel_id, question_id, confidence, coverage, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
        vec![
            drill.id.as_str().into(),
            i64::try_from(at)?.into(),
            drill.member.as_str().into(),
            drill.channel.as_str().into(),
            said.question.as_str().into(),
            said.said.as_str().into(),
            said.coverage.into(),
            now.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Every answer with a confidence that a member ($1) got a result for in a channel ($2).
const SAID: &str =
    "select r.question_id as question_id, p.confidence as confidence, s.coverage as coverage, s.scored_at as at
     from answer_parts p
     join scores s on s.round_id = p.round_id and s.member_id = p.member_id
     join rounds r on r.id = p.round_id
     where p.member_id = $1 and s.channel_id = $2 and p.confidence <> '' and p.deleted = 0 and p.late = 0
     union all
     select question_id, confidence, coverage, at from drill_confidence where member_id = $1 and channel_id = $2";

/// A member's calibration in a channel, over daily questions and drills. A mistake that was drilled well since is none any more.
pub async fn of_member(conn: &mut Conn, channel: &ChannelId, member: &MemberId) -> Result<Calibration> {
    let sql = format!(
        "select confidence, count(*) as n, cast(sum(coverage) as bigint) as total from ({SAID}) as said group by confidence"
    );
    let rows = fetch_all(conn, &sql, vec![member.as_str().into(), channel.as_str().into()]).await?;
    let mut levels = Vec::new();
    for level in Confidence::ALL {
        for row in &rows {
            if text(row, "confidence")? == level.as_str() {
                let n = int(row, "n")?;
                levels.push((level, n, int(row, "total")? / n.max(1)));
            }
        }
    }
    // The newest sure answer to each question.
    let sql = format!(
        "select question_id, coverage from (
           select question_id, coverage, at, row_number() over (partition by question_id order by at desc, coverage) as nth
           from ({SAID}) as said where confidence = $3
         ) as newest
         where nth = 1 and coverage < $4 and not exists (
           select 1 from drill_scores d
           where d.member_id = $1 and d.question_id = newest.question_id and d.scored_at > newest.at and d.coverage >= $4
         )
         order by at desc, question_id"
    );
    let values = vec![member.as_str().into(), channel.as_str().into(), Confidence::Sure.as_str().into(), RIGHT.into()];
    let rows = fetch_all(conn, &sql, values).await?;
    let mistaken = rows
        .iter()
        .map(|row| {
            Ok(Mistaken { question: QuestionId::new(text(row, "question_id")?), coverage: int(row, "coverage")? })
        })
        .collect::<Result<_>>()?;
    Ok(Calibration { levels, mistaken })
}

pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<()> {
    execute(conn, "delete from drill_confidence where member_id = $1", vec![member.as_str().into()]).await?;
    Ok(())
}
