//! What Discord's events mean for the drill. Hearing one never waits: messages go to the inbox, what happens to servers and channels to
//! a list that one task works off in order, and interactions become tasks of their own.

use std::collections::HashSet;

use serenity::all::{Event, GuildId, Message, MessageId, MessageType, MessageUpdateEvent};
use tokio::sync::mpsc;

use super::inbox::is_young;
use super::{Discord, PLATFORM, channel_id, interactions, member_id, space_id};
use crate::app::inbox::{FOR_GOOD, Hears, News, What};
use crate::domain::ids::{ChannelId, ThreadId};
use crate::domain::text::trouble;

/// What one shard hears with.
#[derive(Clone)]
pub(super) struct Ears {
    pub discord: Discord,
    pub changes: mpsc::Sender<Change>,
}

/// Something that happened to a server or a channel.
#[derive(Debug)]
pub(super) enum Change {
    /// A session began; of this shard these servers have the bot.
    Begun {
        shard: u64,
        total: u64,
        there: HashSet<u64>,
    },
    /// We may have got rights in a server.
    Improved {
        space: String,
    },
    Removed {
        space: String,
    },
    Channel {
        id: ChannelId,
        name: String,
    },
    ChannelDeleted {
        id: ChannelId,
    },
}

impl Ears {
    /// Takes in one event of a shard (its number, and how many there are). What is given back is to be run: somebody waits for it.
    pub(super) fn hear(&self, shard: (u32, u32), event: Event) -> Option<impl Future<Output = ()> + Send + use<>> {
        match event {
            Event::InteractionCreate(event) => {
                return Some(interactions::handle(self.discord.clone(), event.interaction));
            }
            Event::MessageCreate(event) => self.wrote(event.message),
            Event::MessageUpdate(event) => self.changed(event),
            Event::MessageDelete(event) => self.deleted(event.guild_id, event.channel_id, &[event.message_id]),
            Event::MessageDeleteBulk(event) => self.deleted(event.guild_id, event.channel_id, &event.ids),
            Event::Ready(event) => {
                let ready = event.ready;
                let (number, total) = shard;
                tracing::info!(shard = number, of = total, servers = ready.guilds.len(), "connected to Discord");
                let there = ready.guilds.iter().map(|guild| guild.id.get()).collect();
                self.note(Change::Begun { shard: number.into(), total: total.into(), there });
                // Both mind nothing of being done after every session.
                self.discord.0.application.begins(ready.application.id.get());
                self.discord.inbox().read_again();
            }
            // Discord sends what was missed, as far as it remembers.
            Event::Resumed(_) => self.discord.inbox().read_again(),
            Event::GuildCreate(event) => self.note(Change::Improved { space: space_id(event.guild.id) }),
            // An outage of Discord's makes servers unavailable; they come back by themselves.
            Event::GuildDelete(event) if !event.guild.unavailable => {
                self.note(Change::Removed { space: space_id(event.guild.id) });
            }
            Event::GuildRoleUpdate(event) => self.note(Change::Improved { space: space_id(event.role.guild_id) }),
            // Without the privileged intent this comes for the bot itself only: its roles have changed.
            Event::GuildMemberUpdate(event) => self.note(Change::Improved { space: space_id(event.guild_id) }),
            Event::ChannelUpdate(event) => {
                let id = channel_id(event.channel.id);
                self.discord.receipts_again(&id);
                self.note(Change::Channel { id, name: event.channel.name });
            }
            Event::ChannelDelete(event) => self.note(Change::ChannelDeleted { id: channel_id(event.channel.id) }),
            Event::ThreadDelete(event) => {
                tracing::debug!(thread = event.thread.id.get(), "a thread was deleted; what was received of it counts");
            }
            _ => {}
        }
        None
    }

    fn note(&self, change: Change) {
        if self.changes.try_send(change).is_err() {
            tracing::warn!("too much happens in Discord at once; what is left out shows when something is sent there");
        }
    }

    /// In a server, and in one that the settings allow.
    fn serves(&self, guild: Option<GuildId>) -> bool {
        guild.is_some() && self.discord.serves(guild.map(GuildId::get))
    }

    fn wrote(&self, message: Message) {
        let person = !message.author.bot && message.webhook_id.is_none();
        if !person
            || message.content.trim().is_empty()
            || !matches!(message.kind, MessageType::Regular | MessageType::InlineReply)
            || !self.serves(message.guild_id)
        {
            return;
        }
        let nick = message.member.as_ref().and_then(|member| member.nick.clone());
        let name = nick.or_else(|| message.author.global_name.clone()).unwrap_or_else(|| message.author.name.clone());
        let what = What::Wrote {
            member: member_id(message.author.id),
            name: Some(name),
            text: message.content,
            at: super::micros(&message.timestamp) / 1_000,
        };
        self.put(&message.channel_id.to_string(), message.id.to_string(), 0, what);
    }

    fn changed(&self, event: MessageUpdateEvent) {
        // Without an instant of the edit only Discord has changed something: a preview of a link.
        let (Some(edited), Some(author), Some(text)) = (event.edited_timestamp, event.author, event.content) else {
            return;
        };
        if author.bot || event.webhook_id.flatten().is_some() || !self.serves(event.guild_id) {
            return;
        }
        let (thread, message) = (event.channel_id.to_string(), event.id.to_string());
        let version = super::micros(&edited);
        if text.trim().is_empty() {
            // Only a picture is left, say. Words may come back.
            return self.put(&thread, message, version, What::Deleted);
        }
        let nick = event.member.flatten().and_then(|member| member.nick.clone());
        let what = What::Wrote {
            member: member_id(author.id),
            name: nick.or_else(|| self.discord.known_name(&author)),
            text,
            at: super::instant(&message),
        };
        self.put(&thread, message, version, what);
    }

    fn deleted(&self, guild: Option<GuildId>, channel: serenity::all::ChannelId, messages: &[MessageId]) {
        if self.serves(guild) {
            for message in messages {
                self.put(&channel.to_string(), message.to_string(), FOR_GOOD, What::Deleted);
            }
        }
    }

    fn put(&self, thread: &str, message: String, version: i64, what: What) {
        let young = is_young(thread, &message);
        self.discord.inbox().put(News { thread: ThreadId::new(thread), message, version, young, what });
    }
}

/// Stores what happened to servers and channels, in the order in which it happened.
pub(super) async fn note_changes(discord: Discord, mut happened: mpsc::Receiver<Change>) {
    while let Some(change) = happened.recv().await {
        let outcome = match &change {
            Change::Begun { shard, total, there } => notice_removals(&discord, *shard, *total, there).await,
            Change::Improved { space } => discord.app().space_may_be_back(space).await,
            Change::Removed { space } => discord.app().space_gone(space, &trouble::removed_from_server()).await,
            Change::Channel { id, name } => match discord.app().channel_renamed(id, name).await {
                Ok(()) => discord.app().channel_may_be_back(id).await,
                error => error,
            },
            Change::ChannelDeleted { id } => discord.app().channel_deleted(id).await,
        };
        if let Err(error) = outcome {
            tracing::error!(error = format!("{error:#}"), "cannot store what happened in Discord");
        }
    }
}

/// Servers whose channels have a schedule, but which have removed the bot while it was away.
async fn notice_removals(discord: &Discord, shard: u64, total: u64, there: &HashSet<u64>) -> anyhow::Result<()> {
    for space in discord.app().spaces(PLATFORM).await? {
        let Ok(guild) = super::bare(&space).parse::<u64>() else { continue };
        // Source: https://discord.com/developers/docs/events/gateway#sharding
        if (guild >> 22) % total == shard && !there.contains(&guild) {
            discord.app().space_gone(&space, &trouble::removed_from_server()).await?;
        }
    }
    Ok(())
}
