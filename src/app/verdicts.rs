//! What a decision on a suggestion or a flag changes, all in the transaction at hand and behind the group's turn.

use anyhow::Result;

use super::own::Home;
use crate::domain::bank::Bank;
use crate::domain::effect::Effect;
use crate::domain::flag::{self, Flag};
use crate::domain::ids::{FlagId, MemberId, SuggestionId};
use crate::domain::message::Message;
use crate::domain::suggestion::{State, Suggestion};
use crate::domain::text::queue as words;
use crate::store::outbox::{self, New};
use crate::store::{Conn, flags, suggestions};

/// A word that could not be told for so long is not told any more; `/suggest` has it.
const TOLD_WITHIN_MS: i64 = 7 * 86_400_000;

/// Who decides, with which words for the author, and when.
pub struct Decision<'a> {
    pub member: &'a MemberId,
    pub words: String,
    pub now: i64,
}

/// What came of a decision.
pub enum Decided {
    Done(Message),
    /// By whom it was decided meanwhile.
    ByAnother(Option<MemberId>),
    /// Changed, withdrawn, or gone with its author.
    NotAsItWas,
    IdTaken(String),
}

/// A suggestion of the group that waits as it was looked at, or what has become of it. Behind the group's turn.
pub async fn open(
    conn: &mut Conn,
    home: &Home,
    id: &SuggestionId,
    version: i64,
) -> Result<std::result::Result<Suggestion, Decided>> {
    let found = suggestions::get(conn, id).await?.filter(|found| found.realm == home.realm);
    Ok(match found {
        Some(found) if found.state == State::Open && found.version == version => Ok(found),
        Some(found) if matches!(found.state, State::Approved | State::Declined) => Err(Decided::ByAnother(found.by)),
        _ => Err(Decided::NotAsItWas),
    })
}

/// Makes a question of a suggestion.
pub async fn approve(conn: &mut Conn, common: &Bank, found: Suggestion, by: Decision<'_>) -> Result<Decided> {
    let id = found.question_id().to_string();
    if common.get(&id).is_some() || common.cards().any(|card| card.id.as_str() == id) {
        return Ok(Decided::IdTaken(id));
    }
    settle(conn, found, State::Approved, by).await?;
    Ok(Decided::Done(words::approved(&id)))
}

pub async fn take_out(
    conn: &mut Conn,
    home: &Home,
    id: &SuggestionId,
    version: i64,
    by: Decision<'_>,
) -> Result<Decided> {
    let found = suggestions::get(conn, id).await?.filter(|found| found.realm == home.realm);
    Ok(match found {
        Some(found) if found.state == State::Approved && found.version == version => {
            settle(conn, found, State::Withdrawn, by).await?;
            Decided::Done(words::taken_out())
        }
        Some(found) if found.state == State::Withdrawn => Decided::ByAnother(found.by),
        _ => Decided::NotAsItWas,
    })
}

/// Stores a decision on a suggestion and what its author is to be told; tells all instances when the bank changes by it.
pub async fn settle(conn: &mut Conn, found: Suggestion, state: State, by: Decision<'_>) -> Result<()> {
    let Decision { member: by, words: reason, now } = by;
    let in_bank = |state| state == State::Approved;
    let changes = in_bank(found.state) || in_bank(state);
    let version = found.version + 1;
    let (id, channel, author) = (found.id.clone(), found.channel.clone(), found.member.clone());
    let decided = Suggestion { version, state, by: Some(by.clone()), reason, decided_at: now, ..found };
    suggestions::put(conn, &decided).await?;
    if changes {
        suggestions::changed(conn).await?;
    }
    tracing::info!(suggestion = %id, state = state.as_str(), %by, "a suggestion was decided");
    let Some(member) = author else { return Ok(()) };
    let effect = Effect::Suggestion { suggestion: id, version, member };
    let told = New { not_after: Some(now + TOLD_WITHIN_MS), ..New::at_once(&channel, effect, now) };
    outbox::add(conn, &[told], now).await?;
    Ok(())
}

/// [`settle`] for a flag of the group that waits as it was looked at.
pub async fn settle_flag(
    conn: &mut Conn,
    home: &Home,
    id: &FlagId,
    version: i64,
    state: flag::State,
    by: Decision<'_>,
) -> Result<Decided> {
    let Decision { member: by, words: answer, now } = by;
    let found = flags::get(conn, id).await?.filter(|found| found.realm == home.realm);
    let found = match found {
        Some(found) if found.state == flag::State::Open && found.version == version => found,
        Some(found) if found.state != flag::State::Open => return Ok(Decided::ByAnother(found.by)),
        _ => return Ok(Decided::NotAsItWas),
    };
    let version = version + 1;
    let (channel, member) = (found.channel.clone(), found.member.clone());
    let decided = Flag { version, state, by: Some(by.clone()), answer, decided_at: now, ..found };
    flags::put(conn, &decided).await?;
    tracing::info!(flag = %id, state = state.as_str(), %by, "a flag was decided");
    let effect = Effect::Flag { flag: id.clone(), version, member };
    let told = New { not_after: Some(now + TOLD_WITHIN_MS), ..New::at_once(&channel, effect, now) };
    outbox::add(conn, &[told], now).await?;
    Ok(Decided::Done(words::flag_decided(state)))
}
