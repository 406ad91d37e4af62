//! Effects on their way out. `pending -> sending -> sent | pending again | failed | expired`.

use anyhow::{Context, Result};
use sqlx::any::AnyRow;

use super::Conn;
use super::db::{Bind, count_up, execute, fetch_all, insert_many, int, maybe_int, text};
use crate::domain::effect::Effect;
use crate::domain::ids::{ChannelId, DeliveryId, MemberId, MessageId, platform_of};

/// An effect to be stored with the change that causes it.
#[derive(Clone, Debug)]
pub struct New {
    pub channel: ChannelId,
    pub effect: Effect,
    /// Not sent before this instant (unix milliseconds).
    pub not_before: i64,
    /// Expires when it has not been sent by then.
    pub not_after: Option<i64>,
}

impl New {
    /// An effect that may go out from `now` on, however late.
    pub fn at_once(channel: &ChannelId, effect: Effect, now: i64) -> New {
        New { channel: channel.clone(), effect, not_before: now, not_after: None }
    }

    /// Words for the organisers of a channel.
    pub fn notice(channel: &ChannelId, text: String, now: i64) -> New {
        New::at_once(channel, Effect::Notice { channel: channel.clone(), text }, now)
    }
}

/// A claimed row: this process may send it until the lease ends.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub id: DeliveryId,
    pub channel: ChannelId,
    pub effect: Effect,
    pub attempts: i64,
    /// An earlier attempt may have got through: look before sending again.
    pub in_doubt: bool,
    pub not_after: Option<i64>,
    /// When it was stored first, unix milliseconds.
    pub created_at: i64,
}

/// How long a reveal that did not get through may come later.
const OF_INTEREST_MS: i64 = 30 * 86_400_000;

const HEAD: &str = "outbox (id, platform, channel_id, lane, seq, effect, state, attempts, not_before, not_after, lease_until, \
                    error, created_at)";

/// Stores effects, each once: one whose id is there already is not stored again.
pub async fn add(conn: &mut Conn, effects: &[New], now: i64) -> Result<u64> {
    put(conn, effects, "on conflict (id) do nothing", now).await
}

/// Stores effects that may happen again (words that were said long ago are said anew): a finished row starts anew.
pub async fn again(conn: &mut Conn, effects: &[New], now: i64) -> Result<u64> {
    let tail = "on conflict (id) do update set state = 'pending', seq = excluded.seq, attempts = 0, doubt = 0, lease_until = 0,
                  not_before = excluded.not_before, not_after = excluded.not_after, error = ''
                where outbox.state in ('sent', 'failed', 'expired')";
    put(conn, effects, tail, now).await
}

/// Stores effects that show something as it is now: as [`again`], and a row that is being sent is sent once more behind that, for what
/// is under way may have been read before the change.
pub async fn refresh(conn: &mut Conn, effects: &[New], now: i64) -> Result<()> {
    again(conn, effects, now).await?;
    for new in effects {
        let sql = "update outbox set stale = 1 where id = $1 and state = 'sending'";
        execute(conn, sql, vec![new.effect.delivery_id().as_str().into()]).await?;
    }
    Ok(())
}

async fn put(conn: &mut Conn, effects: &[New], tail: &str, now: i64) -> Result<u64> {
    if effects.is_empty() {
        return Ok(0);
    }
    let count = i64::try_from(effects.len()).context("too many effects")?;
    let first = count_up(conn, "outbox", count).await? - count + 1;
    let mut rows = Vec::with_capacity(effects.len());
    for (new, seq) in effects.iter().zip(first..) {
        rows.push(vec![
            new.effect.delivery_id().as_str().into(),
            platform_of(new.channel.as_str()).into(),
            new.channel.as_str().into(),
            new.effect.lane(&new.channel).into(),
            Bind::from(seq),
            serde_json::to_string(&new.effect).context("cannot write an effect as JSON")?.into(),
            "pending".into(),
            0.into(),
            new.not_before.into(),
            new.not_after.into(),
            0.into(),
            "".into(),
            now.into(),
        ]);
    }
    insert_many(conn, HEAD, tail, rows).await
}

/// Claims up to `limit` rows of a platform, the first of each lane only. The condition stands twice: on PostgreSQL a second worker
/// that waited for the row must look at it again, or both would send it. The list of states lets both databases use the index of open
/// rows. PostgreSQL passes over rows that somebody else has locked: who takes many rows in an order of their own must not wait for any.
pub async fn claim(conn: &mut Conn, platform: &str, now: i64, lease_until: i64, limit: i64) -> Result<Vec<Claimed>> {
    let no_wait = if conn.backend_name() == "PostgreSQL" { "for update of o skip locked" } else { "" };
    // Picked first, once: as a condition of the update PostgreSQL might pick again for each row, and more than the limit.
    let sql = format!(
        "with picked as (
           select o.id from outbox o
           where o.platform = $1 and o.state in ('pending', 'sending')
             and ((o.state = 'pending' and o.not_before <= $2) or (o.state = 'sending' and o.lease_until <= $2))
             and not exists (
               select 1 from outbox p
               where p.lane = o.lane and p.seq < o.seq and p.state in ('pending', 'sending'))
           order by o.seq limit $4 {no_wait})
         update outbox set state = 'sending', attempts = attempts + 1, doubt = doubt + 1, lease_until = $3
         where id in (select id from picked)
           and ((state = 'pending' and not_before <= $2) or (state = 'sending' and lease_until <= $2))
         returning id, channel_id, effect, attempts, doubt, not_after, created_at, seq"
    );
    let values = vec![platform.into(), now.into(), lease_until.into(), limit.into()];
    let rows = fetch_all(conn, sql, values).await?;
    let mut claimed = rows.iter().map(|row| Ok((int(row, "seq")?, read(row)?))).collect::<Result<Vec<_>>>()?;
    claimed.sort_by_key(|(seq, _)| *seq);
    Ok(claimed.into_iter().map(|(_, row)| row).collect())
}

/// True when the row was still ours to finish. One that was to be refreshed meanwhile is due again.
pub async fn sent(conn: &mut Conn, id: &DeliveryId, message: Option<&MessageId>) -> Result<bool> {
    let sql = "update outbox set state = case stale when 0 then 'sent' else 'pending' end, stale = 0, doubt = 0,
                 message_id = $2, error = ''
               where id = $1 and state = 'sending'";
    Ok(execute(conn, sql, vec![id.as_str().into(), message.map(ToString::to_string).into()]).await? == 1)
}

/// The attempt under way (by its number) goes on: nobody else may begin before `lease_until`. Like what follows it says nothing about
/// a later attempt, which began when the lease of this one had ended.
pub async fn renew(conn: &mut Conn, id: &DeliveryId, attempt: i64, lease_until: i64) -> Result<()> {
    let sql = "update outbox set lease_until = $3 where id = $1 and state = 'sending' and attempts = $2";
    execute(conn, sql, vec![id.as_str().into(), attempt.into(), lease_until.into()]).await?;
    Ok(())
}

/// Back to `pending`, to be tried again at `not_before`: this attempt did nothing, so it leaves no doubt behind.
pub async fn refused(conn: &mut Conn, id: &DeliveryId, attempt: i64, not_before: i64, error: &str) -> Result<()> {
    let sql = "update outbox set state = 'pending', doubt = doubt - 1, not_before = $3, error = $4
               where id = $1 and state = 'sending' and attempts = $2";
    execute(conn, sql, vec![id.as_str().into(), attempt.into(), not_before.into(), error.into()]).await?;
    Ok(())
}

/// Back to `pending`, to be tried again at `not_before`: this attempt may have got through.
pub async fn in_doubt(conn: &mut Conn, id: &DeliveryId, attempt: i64, not_before: i64, error: &str) -> Result<()> {
    let sql = "update outbox set state = 'pending', not_before = $3, error = $4
               where id = $1 and state = 'sending' and attempts = $2";
    execute(conn, sql, vec![id.as_str().into(), attempt.into(), not_before.into(), error.into()]).await?;
    Ok(())
}

/// Parks a row as `failed` or `expired`.
pub async fn park(conn: &mut Conn, id: &DeliveryId, state: &str, error: &str) -> Result<bool> {
    let sql = "update outbox set state = $2, error = $3, stale = 0 where id = $1 and state = 'sending'";
    Ok(execute(conn, sql, vec![id.as_str().into(), state.into(), error.into()]).await? == 1)
}

/// What could not be shown in a channel is tried again, now that something has changed there: erasures always, reveals and cards while
/// they are of interest.
pub async fn once_more(conn: &mut Conn, channel: &ChannelId, now: i64) -> Result<()> {
    let sql = "update outbox set state = 'pending', not_before = $2, error = ''
               where channel_id = $1 and state = 'failed'
                 and (id like 'retell:%' or id like 'claimed:%' or id like 'disputed:%' or ((id like 'reveal:%' or id like 'card:%') and created_at > $3))";
    execute(conn, sql, vec![channel.as_str().into(), now.into(), (now - OF_INTEREST_MS).into()]).await?;
    Ok(())
}

/// True when a delivery was given up.
pub async fn has_failed(conn: &mut Conn, id: &DeliveryId) -> Result<bool> {
    let sql = "select 1 as one from outbox where id = $1 and state = 'failed'";
    Ok(!fetch_all(conn, sql, vec![id.as_str().into()]).await?.is_empty())
}

/// Ends the leases of a process that is gone; only for a database that no other process can be using.
pub async fn release_all(conn: &mut Conn) -> Result<u64> {
    execute(conn, "update outbox set lease_until = 0 where state = 'sending'", vec![]).await
}

/// When the next row of a platform is due at the earliest (unix milliseconds). What waits behind another row of its lane does not
/// count: while that one is put off, asking for the others would be in vain.
pub async fn next_due(conn: &mut Conn, platform: &str) -> Result<Option<i64>> {
    let sql = "select min(case when o.state = 'pending' then o.not_before else o.lease_until end) as at from outbox o
               where o.platform = $1 and o.state in ('pending', 'sending')
                 and not exists (
                   select 1 from outbox p
                   where p.lane = o.lane and p.seq < o.seq and p.state in ('pending', 'sending'))";
    let row = super::db::fetch_optional(conn, sql, vec![platform.into()]).await?;
    row.map_or(Ok(None), |row| maybe_int(&row, "at"))
}

/// Ids and states of rows in a state, oldest first.
pub async fn in_state(conn: &mut Conn, state: &str) -> Result<Vec<(DeliveryId, String)>> {
    let rows =
        fetch_all(conn, "select id, error from outbox where state = $1 order by seq", vec![state.into()]).await?;
    rows.iter().map(|row| Ok((DeliveryId::new(text(row, "id")?), text(row, "error")?))).collect()
}

/// The message that a delivery left, if it was sent.
pub async fn message_of(conn: &mut Conn, id: &DeliveryId) -> Result<Option<MessageId>> {
    let sql = "select message_id from outbox where id = $1 and state = 'sent'";
    let row = super::db::fetch_optional(conn, sql, vec![id.as_str().into()]).await?;
    Ok(row.map(|row| super::db::maybe_text(&row, "message_id")).transpose()?.flatten().map(MessageId::new))
}

/// Brings attempts that a wrong clock has put later than `latest` back to `now`.
pub async fn pull_back(conn: &mut Conn, now: i64, latest: i64) -> Result<()> {
    let sql = "update outbox set not_before = $1 where state = 'pending' and not_before > $2";
    execute(conn, sql, vec![now.into(), latest.into()]).await?;
    Ok(())
}

/// Drops what was, or is to be, told to one member alone: its ids name them.
pub async fn forget(conn: &mut Conn, member: &MemberId) -> Result<()> {
    let sql = "delete from outbox where lane = channel_id || '#' || $1";
    execute(conn, sql, vec![member.as_str().into()]).await?;
    Ok(())
}

/// Drops finished rows from before `before`; what they did stands in the rounds. Those that name members to others stay: they know the
/// messages that have to be changed when somebody wants to be forgotten.
pub async fn tidy(conn: &mut Conn, before: i64) -> Result<u64> {
    let sql = "delete from outbox where state in ('sent', 'expired') and created_at < $1
                 and id not like 'reveal:%' and id not like 'copying:%'";
    execute(conn, sql, vec![before.into()]).await
}

fn read(row: &AnyRow) -> Result<Claimed> {
    let effect = text(row, "effect")?;
    Ok(Claimed {
        id: DeliveryId::new(text(row, "id")?),
        channel: ChannelId::new(text(row, "channel_id")?),
        effect: serde_json::from_str(&effect).with_context(|| format!("an effect cannot be read: {effect}"))?,
        attempts: int(row, "attempts")?,
        in_doubt: int(row, "doubt")? > 1,
        not_after: maybe_int(row, "not_after")?,
        created_at: int(row, "created_at")?,
    })
}
