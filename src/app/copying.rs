//! What the organisers hear of answers that are nearly somebody else's: once a round, and brought up to date when somebody in it is erased.

use std::collections::HashSet;

use anyhow::Result;

use super::App;
use super::chat::{Chat, SendError};
use super::deliver::{Done, post};
use super::reveal::name_of;
use crate::domain::copying::Copy;
use crate::domain::effect::{Audience, Effect, Place};
use crate::domain::ids::{ChannelId, MemberId, RoundId};
use crate::domain::message::Message;
use crate::domain::round::{Round, Scored};
use crate::domain::text::{self, CopiedAnswer};
use crate::store::outbox::{self, Claimed};
use crate::store::{Conn, answers, copies, members};

impl App {
    pub(super) async fn send_copying<C: Chat>(&self, chat: &C, row: &Claimed, id: &RoundId) -> Result<Done> {
        let Some((round, message)) = self.copying_notice(id).await? else { return self.finish(row, None).await };
        match self.post_once(chat, row, post(row, &to_organisers(&round.channel), &message)).await {
            Ok(posted) => self.finish(row, Some(posted.message)).await,
            Err(error) => Ok(Done::Failed(error)),
        }
    }

    /// Renders what the organisers were told anew. It waits in the same lane, so nothing is on its way meanwhile.
    pub(super) async fn retell_copying<C: Chat>(&self, chat: &C, row: &Claimed, id: &RoundId) -> Result<Done> {
        let delivery = Effect::Copying { round: id.clone() }.delivery_id();
        let posted = self
            .store
            .read("look for a notice", move |conn| Box::pin(async move { outbox::message_of(conn, &delivery).await }));
        let Some(target) = posted.await? else { return self.finish(row, None).await };
        let message = self.copying_notice(id).await?.map_or_else(text::erased_copies, |(_, message)| message);
        match chat.edit(&to_organisers(&row.channel), &target, &message).await {
            // What somebody deleted has nobody's name in it any more.
            Ok(()) | Err(SendError::Fatal { .. }) => self.finish(row, None).await,
            Err(error) => Ok(Done::Failed(error)),
        }
    }

    /// None when nobody is left in it.
    async fn copying_notice(&self, id: &RoundId) -> Result<Option<(Round, Message)>> {
        let Some((round, question, _)) = self.round_view(id).await? else { return Ok(None) };
        let id = id.clone();
        let (kept, names) = self
            .store
            .read("read copies", move |conn| {
                Box::pin(async move {
                    let kept = copies::of_round(conn, &id).await?;
                    let ids: Vec<MemberId> = kept
                        .iter()
                        .flat_map(|one| [Some(&one.member), one.source.as_ref()])
                        .flatten()
                        .cloned()
                        .collect();
                    let names = members::names(conn, &ids).await?;
                    Ok((kept, names))
                })
            })
            .await?;
        if kept.is_empty() {
            return Ok(None);
        }
        let copies: Vec<CopiedAnswer> = kept
            .into_iter()
            .map(|one| CopiedAnswer {
                by: name_of(&names, &one.member),
                from: one.source.map(|source| name_of(&names, &source)),
                percent: one.percent,
            })
            .collect();
        let message = text::copying_notice(&round.slot, &question, &copies);
        Ok(Some((round, message)))
    }
}

fn to_organisers(channel: &ChannelId) -> Place {
    Place { channel: channel.clone(), thread: None, audience: Audience::Organisers }
}

/// Keeps who copied from whom, has the organisers told, and lets go of the older texts of answers.
pub(super) async fn store(conn: &mut Conn, round: &Round, copies: &[Copy], scored: &[Scored], now: i64) -> Result<()> {
    let known: HashSet<&MemberId> = scored.iter().map(|one| &one.member).collect();
    if copies::insert(conn, &round.id, copies, &known).await? > 0 {
        let effect = Effect::Copying { round: round.id.clone() };
        outbox::add(conn, &[outbox::New::at_once(&round.channel, effect, now)], now).await?;
    }
    answers::drop_versions(conn).await
}

/// Takes a member out of what was told, and has it told anew.
pub(super) async fn forget(conn: &mut Conn, member: &MemberId, now: i64) -> Result<()> {
    let retell: Vec<outbox::New> = copies::rounds_of(conn, member)
        .await?
        .into_iter()
        .map(|(round, channel)| outbox::New::at_once(&channel, Effect::RetellCopying { round }, now))
        .collect();
    copies::forget(conn, member).await?;
    outbox::refresh(conn, &retell, now).await
}
