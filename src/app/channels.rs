//! What becomes of a channel outside of the drill: renamed, out of reach, back again, deleted; and which one a command is about.

use anyhow::Result;

use super::{Actor, App, stamp};
use crate::domain::ids::{ChannelId, MemberId, platform_of};
use crate::domain::text;
use crate::store::channels::Step;
use crate::store::{Conn, channels, outbox, rounds, schedules, scores};

impl App {
    /// Nothing can be posted in this channel until something changes there; `why` is in the organisers' words and says what to do. They
    /// hear of it once.
    pub async fn channel_gone(&self, channel: &ChannelId, why: &str) -> Result<()> {
        self.all_gone("note a lost channel", vec![channel.clone()], why).await
    }

    /// [`App::channel_gone`] for every channel of a server or workspace: the bot was removed from it, say.
    pub async fn space_gone(&self, space: &str, why: &str) -> Result<()> {
        self.all_gone("note a lost server", self.channels_of_space(space).await?, why).await
    }

    async fn all_gone(&self, name: &'static str, all: Vec<ChannelId>, why: &str) -> Result<()> {
        if all.is_empty() {
            return Ok(());
        }
        let (why, now) = (why.to_owned(), self.now());
        self.store
            .write(name, move |conn| {
                Box::pin(async move {
                    let mut notices = Vec::new();
                    for channel in &all {
                        notices.extend(trouble(conn, channel, None, &why, now).await?);
                    }
                    outbox::add(conn, &notices, now).await
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(())
    }

    /// Something has changed in this channel: the next question is tried again.
    pub async fn channel_may_be_back(&self, channel: &ChannelId) -> Result<()> {
        self.may_be_back("note a channel that may be back", vec![channel.clone()]).await
    }

    /// [`App::channel_may_be_back`] for every channel of a server or workspace.
    pub async fn space_may_be_back(&self, space: &str) -> Result<()> {
        self.may_be_back("note a server that may be back", self.channels_of_space(space).await?).await
    }

    async fn may_be_back(&self, name: &'static str, all: Vec<ChannelId>) -> Result<()> {
        if all.is_empty() {
            // Most servers that a large bot hears of at each start have no schedule.
            return Ok(());
        }
        let now = self.now();
        self.store
            .write(name, move |conn| {
                Box::pin(async move {
                    for channel in &all {
                        if channels::may_be_back(conn, channel).await? {
                            tracing::info!(%channel, "the channel may be back; the next question is tried again");
                            outbox::once_more(conn, channel, now).await?;
                        }
                    }
                    Ok(())
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(())
    }

    async fn channels_of_space(&self, space: &str) -> Result<Vec<ChannelId>> {
        let space = space.to_owned();
        self.store
            .read("read the channels of a server", move |conn| {
                Box::pin(async move { channels::of_space(conn, &space).await })
            })
            .await
    }

    /// The channel is not there any more: its schedules stop, what is open there is closed without a reveal.
    pub async fn channel_deleted(&self, channel: &ChannelId) -> Result<()> {
        let (channel, now) = (channel.clone(), self.now());
        self.store
            .write("note a deleted channel", move |conn| {
                Box::pin(async move {
                    let notice = deleted(conn, &channel, now).await?;
                    outbox::add(conn, notice.as_slice(), now).await
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(())
    }

    pub async fn channel_renamed(&self, channel: &ChannelId, name: &str) -> Result<()> {
        let (channel, name) = (channel.clone(), name.to_owned());
        self.store
            .write("rename a channel", move |conn| {
                Box::pin(async move { channels::rename(conn, &channel, &name).await })
            })
            .await
    }

    /// Whom to ask about a channel: who last steered its schedule.
    pub async fn steward(&self, channel: &ChannelId) -> Result<Option<MemberId>> {
        Ok(self.condition(channel).await?.and_then(|condition| condition.steward))
    }

    /// The server or workspace that a channel is part of, once it is known.
    pub async fn space_of(&self, channel: &ChannelId) -> Result<Option<String>> {
        let space = self.condition(channel).await?.map(|condition| condition.space);
        Ok(space.filter(|space| !space.is_empty()))
    }

    /// The servers or workspaces of a platform that have channels of ours.
    pub async fn spaces(&self, platform: &'static str) -> Result<Vec<String>> {
        self.store
            .read("read the servers", move |conn| Box::pin(async move { channels::spaces(conn, platform).await }))
            .await
    }

    /// Tells the organisers of every channel of a platform that has a schedule; the same words once only.
    pub async fn tell_organisers(&self, platform: &'static str, words: &str) -> Result<()> {
        let (words, now) = (words.to_owned(), self.now());
        self.store
            .write("tell the organisers", move |conn| {
                Box::pin(async move {
                    let channels = channels::scheduled(conn, platform).await?;
                    let notices: Vec<outbox::New> =
                        channels.iter().map(|(channel, _)| outbox::New::notice(channel, words.clone(), now)).collect();
                    outbox::add(conn, &notices, now).await
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(())
    }

    /// Something beside the questions does not work in a channel; `why` is in the organisers' words, who hear of it once.
    pub async fn step_failed(&self, channel: &ChannelId, step: Step, why: &str) -> Result<()> {
        let (channel, why, now) = (channel.clone(), why.to_owned(), self.now());
        self.store
            .write("note a step that fails", move |conn| {
                Box::pin(async move { step_failed(conn, &channel, step, &why, &sentence(&why), now).await })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(())
    }

    /// It works, again or still.
    pub async fn step_works(&self, channel: &ChannelId, step: Step) -> Result<()> {
        let channel = channel.clone();
        self.store
            .write("note a step that works", move |conn| {
                Box::pin(async move { channels::step_works(conn, &channel, step).await })
            })
            .await
    }

    pub(super) async fn failing_steps(&self, channel: &ChannelId) -> Result<Vec<(String, i64)>> {
        let channel = channel.clone();
        self.store
            .read("read what fails in a channel", move |conn| {
                Box::pin(async move { channels::failing_steps(conn, &channel).await })
            })
            .await
    }

    /// What a channel is called, once it is known; for a platform that does not say it to who may not look in.
    pub async fn channel_name(&self, channel: &ChannelId) -> Result<Option<String>> {
        let channel = channel.clone();
        let known = self
            .store
            .read("read a channel", move |conn| Box::pin(async move { channels::get(conn, &channel).await }))
            .await?;
        Ok(known.map(|known| known.name).filter(|name| !name.is_empty()))
    }

    pub(super) async fn condition(&self, channel: &ChannelId) -> Result<Option<channels::Condition>> {
        let channel = channel.clone();
        self.store
            .read("read the state of a channel", move |conn| {
                Box::pin(async move { channels::condition(conn, &channel).await })
            })
            .await
    }

    /// Learns from a command what the channel is called and where it belongs; web channels are as the configuration has them.
    pub(super) async fn meet(&self, actor: &Actor) -> Result<()> {
        if actor.channel_name.is_empty() && actor.space.is_empty() {
            return Ok(());
        }
        let at = actor.channel.clone();
        let known = self
            .store
            .read("read a channel", move |conn| {
                Box::pin(async move {
                    let name = channels::get(conn, &at).await?.map(|channel| channel.name);
                    Ok(name.zip(channels::condition(conn, &at).await?.map(|condition| condition.space)))
                })
            })
            .await?;
        let fresh = |new: &str, old: String| (!new.is_empty() && old != new).then(|| new.to_owned());
        let (name, space) = match known {
            Some((name, space)) => (fresh(&actor.channel_name, name), fresh(&actor.space, space)),
            None => (None, None),
        };
        if name.is_none() && space.is_none() {
            return Ok(());
        }
        let channel = actor.channel.clone();
        self.store
            .write("note where a channel is", move |conn| {
                Box::pin(async move {
                    if let Some(name) = &name {
                        channels::rename(conn, &channel, name).await?;
                    }
                    if let Some(space) = &space {
                        channels::belongs_to(conn, &channel, space).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// The same person in the channel whose drill they mean: the one they are in, else the one of its server or workspace, else, in a
    /// private conversation, the one in which they scored last.
    pub async fn at_home(&self, actor: &Actor) -> Result<Actor> {
        let (channel, space, member) = (actor.channel.clone(), actor.space.clone(), actor.member.clone());
        let home = self
            .store
            .read("look for the channel that is meant", move |conn| {
                Box::pin(async move {
                    if channels::get(conn, &channel).await?.is_some() {
                        return Ok(None);
                    }
                    if let [only] = channels::of_space(conn, &space).await?.as_slice() {
                        return Ok(Some(only.clone()));
                    }
                    scores::latest_channel(conn, &member, platform_of(channel.as_str()), &space).await
                })
            })
            .await?;
        Ok(match home {
            Some(channel) => Actor { channel, channel_name: String::new(), ..actor.clone() },
            None => actor.clone(),
        })
    }

    /// Which channel a thread under a question of ours belongs to.
    pub async fn thread_channel(
        &self,
        platform: &'static str,
        thread: &crate::domain::ids::ThreadId,
    ) -> Result<Option<ChannelId>> {
        let thread = thread.clone();
        self.store
            .read("look for a thread", move |conn| {
                Box::pin(async move { rounds::thread_channel(conn, platform, &thread).await })
            })
            .await
    }
}

/// Notes that nothing can be posted in a channel; the notice to its organisers when that is news. `what` did not get through: its name
/// and its slot.
pub(super) async fn trouble(
    conn: &mut Conn,
    channel: &ChannelId,
    what: Option<(&str, &str)>,
    why: &str,
    now: i64,
) -> Result<Option<outbox::New>> {
    let deleted = |known: channels::Condition| known.trouble == text::CHANNEL_DELETED;
    if channels::condition(conn, channel).await?.is_some_and(deleted) {
        // Whatever the platform says of it now: that is the end of it.
        return Ok(None);
    }
    if !channels::in_trouble(conn, channel, why, now).await? {
        return Ok(None);
    }
    tracing::warn!(%channel, why, "nothing can be posted in a channel");
    let zone = channels::get(conn, channel).await?.map_or_else(String::new, |channel| channel.zone);
    Ok(Some(outbox::New::notice(channel, text::channel_trouble(&local(&zone, now), what, why), now)))
}

/// Notes that a channel is not there any more: its schedules stop, what is open there is closed without a reveal. The notice to its
/// organisers when that is news.
pub(super) async fn deleted(conn: &mut Conn, channel: &ChannelId, now: i64) -> Result<Option<outbox::New>> {
    let Some(known) = channels::get(conn, channel).await? else { return Ok(None) };
    let news = channels::in_trouble(conn, channel, text::CHANNEL_DELETED, now).await?;
    let mut closed = 0;
    for schedule in schedules::of_channel(conn, channel).await? {
        for round in rounds::open_of(conn, &schedule.id).await? {
            rounds::missed(conn, &round.id, text::CHANNEL_DELETED).await?;
            closed += 1;
        }
        let stopped = schedules::Row { paused: true, next_at: None, next_slot: None, ..schedule };
        schedules::put(conn, &stopped, now).await?;
    }
    let words = text::channel_deleted(&known.name, &local(&known.zone, now), closed);
    Ok(news.then(|| outbox::New::notice(channel, words, now)))
}

/// Notes that a step fails in a channel where questions get through, and tells its organisers in these `words` when that is news.
pub(super) async fn step_failed(
    conn: &mut Conn,
    channel: &ChannelId,
    step: Step,
    why: &str,
    words: &str,
    now: i64,
) -> Result<()> {
    if channels::step_failed(conn, channel, step, why, now).await? {
        tracing::warn!(%channel, ?step, why, "something beside the question does not work");
        // The same words may have been said long ago.
        outbox::again(conn, &[outbox::New::notice(channel, words.to_owned(), now)], now).await?;
    }
    Ok(())
}

/// As a sentence of its own.
fn sentence(why: &str) -> String {
    let mut letters = why.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

/// "2026-11-23 09:00" on the channel's own clock.
fn local(zone: &str, now: i64) -> String {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    stamp(now).to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string()
}
