//! Rounds and the snapshots of their questions.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result};
use sqlx::any::AnyRow;

use super::Conn;
use super::db::{Bind, execute, fetch_all, fetch_optional, insert_many, int, maybe_int, maybe_text, places, text};
use crate::domain::ids::{
    ChannelId, MemberId, MessageId, QuestionId, RoundId, ScheduleId, ThreadId, platform_of, short_hash,
};
use crate::domain::question::Question;
use crate::domain::round::{Period, Round, State};
use crate::domain::schedule::AnswerMode;

const COLUMNS: &str = "id, schedule_id, channel_id, slot, number, question_id, snapshot, answers, state, reason, opened_at, \
                       reveal_at, closed_at, day, week, month, message_id, thread_id, touched, shown, parts";

/// Inserts rounds; one that exists already (same schedule and slot) stays as it is and is not in the result.
pub async fn insert(conn: &mut Conn, rounds: &[Round]) -> Result<HashSet<RoundId>> {
    let ids: Vec<&RoundId> = rounds.iter().map(|round| &round.id).collect();
    let before = existing(conn, &ids).await?;
    let values = rounds
        .iter()
        .filter(|round| !before.contains(&round.id))
        .map(|round| {
            vec![
                round.id.as_str().into(),
                round.schedule.as_str().into(),
                round.channel.as_str().into(),
                round.slot.as_str().into(),
                round.number.into(),
                round.question.as_str().into(),
                round.snapshot.as_str().into(),
                round.answers.as_str().into(),
                round.state.as_str().into(),
                round.reason.as_str().into(),
                round.opened_at.into(),
                round.reveal_at.into(),
                round.closed_at.into(),
                round.period.day.as_str().into(),
                round.period.week.as_str().into(),
                round.period.month.as_str().into(),
                round.message.as_ref().map(ToString::to_string).into(),
                round.thread.as_ref().map(ToString::to_string).into(),
                round.touched.into(),
                round.shown.into(),
                round.parts.into(),
            ]
        })
        .collect::<Vec<_>>();
    let fresh = rounds.iter().map(|round| round.id.clone()).filter(|id| !before.contains(id)).collect();
    insert_many(conn, &format!("rounds ({COLUMNS})"), "on conflict do nothing", values).await?;
    Ok(fresh)
}

async fn existing(conn: &mut Conn, ids: &[&RoundId]) -> Result<HashSet<RoundId>> {
    let mut out = HashSet::new();
    for some in ids.chunks(500) {
        let sql = format!("select id from rounds where id in ({})", places(1, some.len()));
        for row in fetch_all(conn, sql, some.iter().map(|id| Bind::from(id.as_str())).collect()).await? {
            out.insert(RoundId::new(text(&row, "id")?));
        }
    }
    Ok(out)
}

pub async fn get(conn: &mut Conn, id: &RoundId) -> Result<Option<Round>> {
    let sql = format!("select {COLUMNS} from rounds where id = $1");
    fetch_optional(conn, sql, vec![id.as_str().into()]).await?.map(|row| read(&row)).transpose()
}

pub async fn of_thread(conn: &mut Conn, channel: &ChannelId, thread: &ThreadId) -> Result<Option<Round>> {
    let sql = format!("select {COLUMNS} from rounds where thread_id = $1 and channel_id = $2");
    let row = fetch_optional(conn, sql, vec![thread.as_str().into(), channel.as_str().into()]).await?;
    row.map(|row| read(&row)).transpose()
}

/// The channel whose question opened a thread.
pub async fn thread_channel(conn: &mut Conn, platform: &str, thread: &ThreadId) -> Result<Option<ChannelId>> {
    let sql = "select channel_id from rounds where thread_id = $1";
    let rows = fetch_all(conn, sql, vec![thread.as_str().into()]).await?;
    let all = rows.iter().map(|row| Ok(ChannelId::new(text(row, "channel_id")?))).collect::<Result<Vec<_>>>()?;
    Ok(all.into_iter().find(|channel| platform_of(channel.as_str()) == platform))
}

/// The open rounds of a platform that have a thread in which answers count.
pub async fn open_in_threads(conn: &mut Conn, platform: &str) -> Result<Vec<Round>> {
    let sql = format!(
        "select {COLUMNS} from rounds where state = 'open' and thread_id is not null and answers <> 'private'
           and channel_id like $1 order by opened_at, id"
    );
    fetch_all(conn, sql, vec![format!("{platform}:%").into()]).await?.iter().map(read).collect()
}

/// The newest rounds of a channel, newest first, skipped and missed ones too.
pub async fn of_channel(conn: &mut Conn, channel: &ChannelId, limit: i64) -> Result<Vec<Round>> {
    let sql = format!("select {COLUMNS} from rounds where channel_id = $1 order by opened_at desc, id limit $2");
    fetch_all(conn, sql, vec![channel.as_str().into(), limit.into()]).await?.iter().map(read).collect()
}

/// Open rounds of a schedule, newest first.
pub async fn open_of(conn: &mut Conn, schedule: &ScheduleId) -> Result<Vec<Round>> {
    let sql =
        format!("select {COLUMNS} from rounds where schedule_id = $1 and state = 'open' order by opened_at desc, id");
    fetch_all(conn, sql, vec![schedule.as_str().into()]).await?.iter().map(read).collect()
}

/// Open rounds whose reveal is due and whose card is out.
pub async fn due(conn: &mut Conn, now: i64, limit: i64) -> Result<Vec<Round>> {
    let sql = format!(
        "select {COLUMNS} from rounds where state = 'open' and reveal_at <= $1 and message_id is not null
         order by reveal_at limit $2"
    );
    fetch_all(conn, sql, vec![now.into(), limit.into()]).await?.iter().map(read).collect()
}

/// Open rounds whose card shows an old count.
pub async fn stale_cards(conn: &mut Conn, limit: i64) -> Result<Vec<Round>> {
    let sql = format!(
        "select {COLUMNS} from rounds where state = 'open' and touched > shown and message_id is not null limit $1"
    );
    fetch_all(conn, sql, vec![limit.into()]).await?.iter().map(read).collect()
}

/// `open -> closing`; false when somebody else did it. Answers accepted before are all visible after this.
pub async fn close(conn: &mut Conn, id: &RoundId, now: i64) -> Result<bool> {
    let sql = "update rounds set state = 'closing', closed_at = $2 where id = $1 and state = 'open'";
    Ok(execute(conn, sql, vec![id.as_str().into(), now.into()]).await? == 1)
}

/// `closing -> revealed`; false when somebody else did it.
pub async fn revealed(conn: &mut Conn, id: &RoundId, parts: i64, number: i64) -> Result<bool> {
    let sql = "update rounds set state = 'revealed', parts = $2, number = $3 where id = $1 and state = 'closing'";
    Ok(execute(conn, sql, vec![id.as_str().into(), parts.into(), number.into()]).await? == 1)
}

/// The card could not be posted in time, or not at all. Nobody has seen the question, so it may come another day.
pub async fn missed(conn: &mut Conn, id: &RoundId, reason: &str) -> Result<()> {
    let sql = "delete from asked where (channel_id, question_id, asked_at) in
                 (select channel_id, question_id, opened_at from rounds where id = $1)";
    execute(conn, sql, vec![id.as_str().into()]).await?;
    let sql = "update rounds set state = 'missed', reason = $2 where id = $1 and state in ('open', 'closing')";
    execute(conn, sql, vec![id.as_str().into(), reason.into()]).await?;
    Ok(())
}

pub async fn posted(conn: &mut Conn, id: &RoundId, message: &MessageId, thread: Option<&ThreadId>) -> Result<()> {
    execute(
        conn,
        "update rounds set message_id = $2, thread_id = $3 where id = $1",
        vec![id.as_str().into(), message.as_str().into(), thread.map(ToString::to_string).into()],
    )
    .await?;
    Ok(())
}

/// What an answer has to know of an open round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touched {
    pub answers: AnswerMode,
    pub reveal_at: i64,
    /// Its card is out and has no thread.
    pub threadless: bool,
}

/// Notes a change of the answers while the round is open; None when it is closed. On PostgreSQL this also takes the row's lock, so
/// that an answer is either in before the close or late, never neither.
pub async fn touch(conn: &mut Conn, id: &RoundId) -> Result<Option<Touched>> {
    let sql = "update rounds set touched = touched + 1 where id = $1 and state = 'open'
               returning answers, reveal_at, message_id, thread_id";
    let row = fetch_optional(conn, sql, vec![id.as_str().into()]).await?;
    row.map(|row| {
        let answers = AnswerMode::parse(&text(&row, "answers")?).unwrap_or_default();
        let threadless = maybe_text(&row, "message_id")?.is_some() && maybe_text(&row, "thread_id")?.is_none();
        Ok(Touched { answers, reveal_at: int(&row, "reveal_at")?, threadless })
    })
    .transpose()
}

pub async fn touch_open(conn: &mut Conn, id: &RoundId) -> Result<bool> {
    Ok(touch(conn, id).await?.is_some())
}

/// Makes every open card of a platform one that has to be shown anew.
pub async fn touch_all(conn: &mut Conn, platform: &str) -> Result<()> {
    let sql = "update rounds set touched = touched + 1 where state = 'open' and channel_id like $1";
    execute(conn, sql, vec![format!("{platform}:%").into()]).await?;
    Ok(())
}

pub async fn shown(conn: &mut Conn, id: &RoundId, touched: i64) -> Result<()> {
    let sql = "update rounds set shown = $2 where id = $1 and shown < $2";
    execute(conn, sql, vec![id.as_str().into(), touched.into()]).await?;
    Ok(())
}

/// Takes back gaps that were recorded later than `now`: the clock was wrong then.
pub async fn forget_missed_after(conn: &mut Conn, now: i64) -> Result<()> {
    execute(
        conn,
        "delete from rounds where state = 'missed' and question_id = '' and opened_at > $1",
        vec![now.into()],
    )
    .await?;
    Ok(())
}

/// The hash under which a question is kept as it is now.
pub fn snapshot_hash(question: &Question) -> Result<(String, String)> {
    let body = serde_json::to_string(question).context("cannot write a question as JSON")?;
    Ok((short_hash(&[&body]), body))
}

/// Keeps questions as they were posted, by hash.
pub async fn keep_snapshots(conn: &mut Conn, snapshots: &HashMap<String, String>) -> Result<()> {
    let mut rows: Vec<_> = snapshots.iter().collect();
    rows.sort();
    let rows = rows.into_iter().map(|(hash, body)| vec![hash.as_str().into(), body.as_str().into()]).collect();
    insert_many(conn, "snapshots (hash, body)", "on conflict (hash) do nothing", rows).await?;
    Ok(())
}

pub async fn snapshot(conn: &mut Conn, hash: &str) -> Result<Question> {
    let row = fetch_optional(conn, "select body from snapshots where hash = $1", vec![hash.into()])
        .await?
        .with_context(|| format!("the snapshot {hash} of a question is missing"))?;
    serde_json::from_str(&text(&row, "body")?).with_context(|| format!("the snapshot {hash} cannot be read"))
}

/// When each question was last asked in these channels.
pub async fn asked(conn: &mut Conn, channels: &[&ChannelId]) -> Result<HashMap<ChannelId, HashMap<QuestionId, i64>>> {
    let mut out: HashMap<ChannelId, HashMap<QuestionId, i64>> = HashMap::new();
    for some in channels.chunks(500) {
        let sql = format!(
            "select channel_id, question_id, asked_at from asked where channel_id in ({})",
            places(1, some.len())
        );
        for row in fetch_all(conn, sql, some.iter().map(|id| Bind::from(id.as_str())).collect()).await? {
            out.entry(ChannelId::new(text(&row, "channel_id")?))
                .or_default()
                .insert(QuestionId::new(text(&row, "question_id")?), int(&row, "asked_at")?);
        }
    }
    Ok(out)
}

/// Remembers what was asked where, last; no channel and question twice in one call.
pub async fn note_asked(conn: &mut Conn, rows: &[(ChannelId, QuestionId, i64)]) -> Result<()> {
    let rows = rows
        .iter()
        .map(|(channel, question, at)| vec![channel.as_str().into(), question.as_str().into(), Bind::from(*at)]);
    insert_many(
        conn,
        "asked (channel_id, question_id, asked_at)",
        "on conflict (channel_id, question_id) do update set asked_at = excluded.asked_at",
        rows.collect(),
    )
    .await?;
    Ok(())
}

/// One more hint for a member: its number, from 0, or None when all `limit` have been given.
pub async fn take_hint(conn: &mut Conn, round: &RoundId, member: &MemberId, limit: i64) -> Result<Option<i64>> {
    let taken = hints_of(conn, round, member).await?;
    if taken >= limit {
        return Ok(None);
    }
    let sql = "insert into hints (round_id, member_id, step) values ($1, $2, $3) on conflict do nothing";
    execute(conn, sql, vec![round.as_str().into(), member.as_str().into(), taken.into()]).await?;
    Ok(Some(taken))
}

pub async fn hints_of(conn: &mut Conn, round: &RoundId, member: &MemberId) -> Result<i64> {
    let sql = "select count(*) as n from hints where round_id = $1 and member_id = $2";
    let row = fetch_optional(conn, sql, vec![round.as_str().into(), member.as_str().into()]).await?;
    row.map_or(Ok(0), |row| int(&row, "n"))
}

/// How many hints each member took.
pub async fn hints(conn: &mut Conn, round: &RoundId) -> Result<HashMap<MemberId, i64>> {
    let sql = "select member_id, count(*) as n from hints where round_id = $1 group by member_id";
    let rows = fetch_all(conn, sql, vec![round.as_str().into()]).await?;
    rows.iter().map(|row| Ok((MemberId::new(text(row, "member_id")?), int(row, "n")?))).collect()
}

/// Forgets the hints of a member; the cards of open rounds they answered count one less. Before `answers::forget`.
pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<()> {
    let sql = "update rounds set touched = touched + 1
               where state = 'open' and id in (select round_id from answer_parts where member_id = $1)";
    execute(conn, sql, vec![member.as_str().into()]).await?;
    execute(conn, "delete from hints where member_id = $1", vec![member.as_str().into()]).await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Round> {
    Ok(Round {
        id: RoundId::new(text(row, "id")?),
        schedule: ScheduleId::new(text(row, "schedule_id")?),
        channel: ChannelId::new(text(row, "channel_id")?),
        slot: text(row, "slot")?,
        number: int(row, "number")?,
        question: QuestionId::new(text(row, "question_id")?),
        snapshot: text(row, "snapshot")?,
        answers: AnswerMode::parse(&text(row, "answers")?).unwrap_or_default(),
        state: State::parse(&text(row, "state")?),
        reason: text(row, "reason")?,
        opened_at: int(row, "opened_at")?,
        reveal_at: int(row, "reveal_at")?,
        closed_at: maybe_int(row, "closed_at")?,
        period: Period { day: text(row, "day")?, week: text(row, "week")?, month: text(row, "month")? },
        message: maybe_text(row, "message_id")?.map(MessageId::new),
        thread: maybe_text(row, "thread_id")?.map(ThreadId::new),
        touched: int(row, "touched")?,
        shown: int(row, "shown")?,
        parts: int(row, "parts")?,
    })
}
