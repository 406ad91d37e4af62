//! Rulings, the log of them, and the scores they are about.

use anyhow::{Context, Result};

use super::Conn;
use super::db::{Bind, count_up, execute, fetch_all, fetch_optional, int, text};
use crate::domain::grade::Grade;
use crate::domain::ids::{ChannelId, MemberId, QuestionId, RoundId};
use crate::domain::round::Period;
use crate::domain::ruling::{Decision, Ruling, Subject, scope};

/// Takes the turn for a question until the end of the transaction: who rules on it and who scores it come one after the other. Before
/// all other rows.
pub async fn turn(conn: &mut Conn, question: &QuestionId) -> Result<()> {
    let sql = "insert into ruling_turns (question_id, turn) values ($1, 1)
               on conflict (question_id) do update set turn = ruling_turns.turn + 1";
    execute(conn, sql, vec![question.as_str().into()]).await?;
    Ok(())
}

/// A number that no ruling or change by one has had.
pub async fn next(conn: &mut Conn) -> Result<i64> {
    count_up(conn, "rulings", 1).await
}

/// Where a ruling that is made in a channel holds.
pub async fn scope_of(conn: &mut Conn, channel: &ChannelId) -> Result<String> {
    let row = fetch_optional(conn, "select space from channels where id = $1", vec![channel.as_str().into()]).await?;
    let space = row.map_or(Ok(String::new()), |row| text(&row, "space"))?;
    Ok(scope(channel, &space))
}

/// The rulings on a question that hold in a scope, always in the same order.
pub async fn of_question(conn: &mut Conn, scope: &str, question: &QuestionId) -> Result<Vec<Ruling>> {
    let sql = "select point_key, answer, covered from rulings where scope = $1 and question_id = $2";
    let rows = fetch_all(conn, sql, vec![scope.into(), question.as_str().into()]).await?;
    let mut out = rows
        .iter()
        .map(|row| {
            Ok(Ruling {
                point: text(row, "point_key")?,
                answer: text(row, "answer")?,
                covered: int(row, "covered")? == 1,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    out.sort();
    Ok(out)
}

pub async fn get(conn: &mut Conn, subject: &Subject) -> Result<Option<bool>> {
    let sql = "select covered from rulings where scope = $1 and question_id = $2 and point_key = $3 and answer = $4";
    let row = fetch_optional(conn, sql, of(subject)).await?;
    row.map(|row| Ok(int(&row, "covered")? == 1)).transpose()
}

/// Sets what holds, and logs the decision under its number.
pub async fn set(conn: &mut Conn, number: i64, subject: &Subject, decision: &Decision) -> Result<()> {
    let sql = "insert into rulings (scope, question_id, point_key, answer, covered) values ($1, $2, $3, $4, $5)
               on conflict (scope, question_id, point_key, answer) do update set covered = excluded.covered";
    let mut values = of(subject);
    values.push(i64::from(decision.after).into());
    execute(conn, sql, values).await?;
    let sql =
        "insert into ruling_log (scope, question_id, point_key, answer, number, channel_id, round_id, point, member_id,
                 organiser, before, after, ruled_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let mut values = of(subject);
    values.extend([
        number.into(),
        decision.channel.as_str().into(),
        decision.round.as_str().into(),
        i64::try_from(decision.point)?.into(),
        decision.by.as_ref().map_or("", MemberId::as_str).into(),
        i64::from(decision.organiser).into(),
        decision.before.map_or("", word).into(),
        word(decision.after).into(),
        Bind::from(decision.at),
    ]);
    execute(conn, sql, values).await?;
    Ok(())
}

/// One decision by its number, with its point.
pub async fn logged(conn: &mut Conn, number: i64) -> Result<Option<(Decision, String)>> {
    let sql = format!("select {LOG}, point_key from ruling_log where number = $1");
    let row = fetch_optional(conn, sql, vec![number.into()]).await?;
    row.map(|row| Ok((read(&row)?, text(&row, "point_key")?))).transpose()
}

/// The newest decisions of a channel, newest first.
pub async fn log_of(conn: &mut Conn, channel: &ChannelId, limit: i64) -> Result<Vec<Decision>> {
    let sql = format!("select {LOG} from ruling_log where channel_id = $1 order by number desc limit $2");
    fetch_all(conn, sql, vec![channel.as_str().into(), limit.into()]).await?.iter().map(read).collect()
}

const LOG: &str = "channel_id, round_id, point, member_id, organiser, before, after, ruled_at";

fn read(row: &sqlx::any::AnyRow) -> Result<Decision> {
    let by = text(row, "member_id")?;
    let verdict = |text: String| match text.as_str() {
        "" => None,
        text => Some(text == word(true)),
    };
    Ok(Decision {
        channel: ChannelId::new(text(row, "channel_id")?),
        round: RoundId::new(text(row, "round_id")?),
        point: usize::try_from(int(row, "point")?)?,
        by: (!by.is_empty()).then(|| MemberId::new(by)),
        organiser: int(row, "organiser")? == 1,
        before: verdict(text(row, "before")?),
        after: verdict(text(row, "after")?).unwrap_or_default(),
        at: int(row, "ruled_at")?,
    })
}

fn word(covered: bool) -> &'static str {
    if covered { "covered" } else { "not covered" }
}

/// A score that rulings are about.
#[derive(Clone, Debug)]
pub struct Row {
    pub round: RoundId,
    pub member: MemberId,
    pub channel: ChannelId,
    pub snapshot: String,
    pub topic: String,
    pub period: Period,
    pub coverage: i64,
    pub hints: i64,
    pub points: i64,
    pub grade: Grade,
    /// The grade without rulings.
    pub graded: Grade,
}

const IN_SCOPE: &str = "from scores s join rounds r on r.id = s.round_id join channels c on c.id = s.channel_id
     where (case when c.space <> '' then c.space else c.platform end) = $1 and r.question_id = $2";

/// Everybody who gave an answer that is equal to that of a subject, in the order in which standings are to be changed.
pub async fn scores_of(conn: &mut Conn, subject: &Subject) -> Result<Vec<Row>> {
    let sql = format!(
        "select s.round_id as round_id, s.member_id as member_id, s.channel_id as channel_id, r.snapshot as snapshot,
                s.topic as topic, s.day as day, s.week as week, s.month as month, s.coverage as coverage, s.hints as hints,
                s.points as points, s.grade as grade, s.graded as graded {IN_SCOPE} and s.answer = $3"
    );
    let values = vec![subject.scope.as_str().into(), subject.question.as_str().into(), subject.answer.as_str().into()];
    let mut out = Vec::new();
    for row in fetch_all(conn, sql, values).await? {
        let grade = text(&row, "grade")?;
        let graded = text(&row, "graded")?;
        let parse = |json: &str| serde_json::from_str(json).context("a stored grade cannot be read");
        out.push(Row {
            round: RoundId::new(text(&row, "round_id")?),
            member: MemberId::new(text(&row, "member_id")?),
            channel: ChannelId::new(text(&row, "channel_id")?),
            snapshot: text(&row, "snapshot")?,
            topic: text(&row, "topic")?,
            period: Period { day: text(&row, "day")?, week: text(&row, "week")?, month: text(&row, "month")? },
            coverage: int(&row, "coverage")?,
            hints: int(&row, "hints")?,
            points: int(&row, "points")?,
            graded: parse(if graded.is_empty() { &grade } else { &graded })?,
            grade: parse(&grade)?,
        });
    }
    out.sort_by(|a, b| (&a.channel, &a.round, &a.member).cmp(&(&b.channel, &b.round, &b.member)));
    Ok(out)
}

/// Rounds of a question with scores from before answers were known by their words.
pub async fn without_key(conn: &mut Conn, scope: &str, question: &QuestionId) -> Result<Vec<RoundId>> {
    let sql = format!("select distinct s.round_id as round_id {IN_SCOPE} and s.answer = ''");
    let rows = fetch_all(conn, sql, vec![scope.into(), question.as_str().into()]).await?;
    rows.iter().map(|row| Ok(RoundId::new(text(row, "round_id")?))).collect()
}

/// Notes by which words the answer of a score is known.
pub async fn put_key(conn: &mut Conn, round: &RoundId, member: &MemberId, answer: &str) -> Result<()> {
    let sql = "update scores set answer = $3 where round_id = $1 and member_id = $2";
    execute(conn, sql, vec![round.as_str().into(), member.as_str().into(), answer.into()]).await?;
    Ok(())
}

/// Changes a score as rulings say.
pub async fn put_score(conn: &mut Conn, row: &Row) -> Result<()> {
    let sql =
        "update scores set coverage = $3, points = $4, grade = $5, graded = $6 where round_id = $1 and member_id = $2";
    let json = |grade: &Grade| serde_json::to_string(grade).context("cannot write a grade as JSON");
    let values = vec![
        row.round.as_str().into(),
        row.member.as_str().into(),
        row.coverage.into(),
        row.points.into(),
        json(&row.grade)?.into(),
        json(&row.graded)?.into(),
    ];
    execute(conn, sql, values).await?;
    Ok(())
}

/// The grade of a score without rulings.
pub async fn graded(conn: &mut Conn, round: &RoundId, member: &MemberId) -> Result<Option<Grade>> {
    let sql = "select case when graded <> '' then graded else grade end as graded from scores
               where round_id = $1 and member_id = $2";
    let row = fetch_optional(conn, sql, vec![round.as_str().into(), member.as_str().into()]).await?;
    row.map(|row| serde_json::from_str(&text(&row, "graded")?).context("a stored grade cannot be read")).transpose()
}

/// Keeps what the grade of a new score was before rulings.
pub async fn put_graded(conn: &mut Conn, round: &RoundId, member: &MemberId, graded: &Grade) -> Result<()> {
    let sql = "update scores set graded = $3 where round_id = $1 and member_id = $2";
    let graded = serde_json::to_string(graded).context("cannot write a grade as JSON")?;
    execute(conn, sql, vec![round.as_str().into(), member.as_str().into(), graded.into()]).await?;
    Ok(())
}

/// Rulings stay, nobody knows any more who made them.
pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<()> {
    execute(conn, "update ruling_log set member_id = '' where member_id = $1", vec![member.as_str().into()]).await?;
    Ok(())
}

/// What a subject is kept under.
pub(super) fn of(subject: &Subject) -> Vec<Bind> {
    vec![
        subject.scope.as_str().into(),
        subject.question.as_str().into(),
        subject.point.as_str().into(),
        subject.answer.as_str().into(),
    ]
}
