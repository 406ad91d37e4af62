//! How a post gets onto Slack, and how one of an earlier attempt is found again by the key in its metadata.

use serde::Deserialize;
use serde_json::{Value, json};

use super::api::Failure;
use super::ids::{Ours, Spot, Target, member};
use super::standing::TOKEN_REFUSED;
use super::{Raw, Slack, Where, Workspace, render, unsure};
use crate::app::chat::{Post, SendError};
use crate::domain::effect::Posted;
use crate::domain::ids::{ChannelId, MemberId, ThreadId};
use crate::domain::text::trouble;

/// Our clock may be ahead of Slack's.
const SKEW_MS: i64 = 300_000;
/// Pages that a look for an earlier post reads at most: 10,000 messages.
const LOOK_BACK_PAGES: usize = 50;

#[derive(Deserialize)]
struct Sent {
    ts: String,
    #[serde(default)]
    message: SentMessage,
}

#[derive(Default, Deserialize)]
struct SentMessage {
    #[serde(default)]
    thread_ts: Option<String>,
}

#[derive(Deserialize)]
struct Opened {
    channel: Id,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

impl Slack {
    async fn send(&self, spot: Spot<'_>, thread: Option<&str>, post: &Post<'_>) -> Result<Posted, Failure> {
        let workspace = self.workspace(spot.team).await?;
        self.send_to(&workspace, spot, thread, post).await
    }

    async fn send_to(
        &self,
        workspace: &Workspace,
        spot: Spot<'_>,
        thread: Option<&str>,
        post: &Post<'_>,
    ) -> Result<Posted, Failure> {
        let mut body = render::with_key(render::message(post.message), post.key.as_str());
        if let Some(group) = post.ping {
            body = render::with_ping(body, group);
        }
        body["channel"] = json!(spot.channel);
        if let Some(ts) = thread {
            body["thread_ts"] = json!(ts);
            if post.announces && self.0.settings.broadcast_reveal {
                body["reply_broadcast"] = json!(true);
            }
        }
        let sent: Sent = self.api().post(&workspace.token, spot.channel, &body).await?;
        let mut posted = posted(Target { spot, ts: &sent.ts }, post);
        if thread.is_some() && sent.message.thread_ts.is_none() {
            // Slack does not say no to a reply to a message that is not there any more: it shows it in the channel.
            posted.trouble = Some(trouble::thread_closed(&trouble::thread_deleted()));
        }
        Ok(posted)
    }

    /// A question's thread hangs under its message and needs no opening.
    pub(super) async fn post_question(&self, spot: Spot<'_>, post: &Post<'_>) -> Result<Posted, SendError> {
        self.post_in_channel(spot, post).await
    }

    pub(super) async fn post_in_channel(&self, spot: Spot<'_>, post: &Post<'_>) -> Result<Posted, SendError> {
        match self.send(spot, None, post).await {
            Ok(posted) => Ok(posted),
            Err(failure) => Err(self.explain(&post.place.channel, failure).await),
        }
    }

    /// Posts into the thread of a round; into its channel when the thread is not there any more.
    pub(super) async fn post_in_thread(
        &self,
        spot: Spot<'_>,
        thread: &ThreadId,
        post: &Post<'_>,
    ) -> Result<Posted, SendError> {
        let Some(target) = Target::of_thread(thread) else { return self.post_in_channel(spot, post).await };
        let failure = match self.send(target.spot, Some(target.ts), post).await {
            Ok(posted) => return Ok(posted),
            Err(failure) => failure,
        };
        let why = match failure.code() {
            "thread_not_found" | "invalid_thread_ts" | "message_not_found" | "cannot_reply_to_message" => {
                trouble::thread_deleted()
            }
            "restricted_action_thread_locked" => trouble::thread_locked_here(),
            "restricted_action_non_threadable_channel" => trouble::no_replies_here(),
            _ => return Err(self.explain(&post.place.channel, failure).await),
        };
        let mut posted = self.post_in_channel(spot, post).await?;
        posted.trouble = Some(trouble::thread_closed(&why));
        Ok(posted)
    }

    /// The private conversation with somebody.
    async fn direct(&self, workspace: &Workspace, user: &str) -> Result<String, Failure> {
        let body = json!({ "users": user });
        let opened: Opened = self.api().repeat(&workspace.token, "conversations.open", &body).await?;
        Ok(opened.channel.id)
    }

    pub(super) async fn post_to_member(&self, id: &MemberId, post: &Post<'_>) -> Result<Posted, SendError> {
        let Some((team, user)) = member(id) else {
            return Err(SendError::Fatal { why: format!("{id} is nobody of Slack") });
        };
        let send = async {
            let workspace = self.workspace(team).await?;
            let channel = self.direct(&workspace, user).await?;
            self.send_to(&workspace, Spot { team, channel: &channel }, None, post).await
        };
        send.await.map_err(unsure)
    }

    /// Tells who steered the schedule last, in private; in the channel when there is nobody, or they take no messages.
    pub(super) async fn post_to_organisers(&self, channel: &ChannelId, post: &Post<'_>) -> Result<Posted, SendError> {
        if let Some(steward) = self.steward(channel).await? {
            match self.post_to_member(&steward, post).await {
                Err(SendError::Fatal { .. }) => {}
                outcome => return outcome,
            }
        }
        match self.send(super::spot(channel)?, None, post).await {
            Ok(posted) => Ok(posted),
            Err(failure @ Failure::Refused { .. }) => {
                Err(SendError::Fatal { why: format!("{}; {}", trouble::nobody_to_tell(), failure.why()) })
            }
            Err(failure) => Err(unsure(failure)),
        }
    }

    async fn steward(&self, channel: &ChannelId) -> Result<Option<MemberId>, SendError> {
        let steward = self.app().steward(channel).await;
        steward
            .map_err(|error| SendError::Retry { after: std::time::Duration::from_secs(1), why: format!("{error:#}") })
    }

    pub(super) async fn find_in_channel(
        &self,
        spot: Spot<'_>,
        thread: Option<Target<'_>>,
        post: &Post<'_>,
    ) -> Result<Option<Posted>, SendError> {
        if let Some(target) = thread {
            match self.look(target.spot, Some(target.ts), post).await {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(failure) if failure.code() == "thread_not_found" => {}
                Err(failure) => return Err(self.explain(&post.place.channel, failure).await),
            }
        }
        match self.look(spot, None, post).await {
            Ok(Some(mut found)) if thread.is_some() => {
                found.trouble = Some(trouble::thread_closed(&trouble::thread_deleted()));
                Ok(Some(found))
            }
            Ok(found) => Ok(found),
            Err(failure) => Err(self.explain(&post.place.channel, failure).await),
        }
    }

    pub(super) async fn find_letter(&self, id: &MemberId, post: &Post<'_>) -> Result<Option<Posted>, SendError> {
        let Some((team, user)) = member(id) else { return Ok(None) };
        let look = async {
            let channel = self.direct(&*self.workspace(team).await?, user).await?;
            self.look(Spot { team, channel: &channel }, None, post).await
        };
        match look.await {
            Ok(found) => Ok(found),
            // Where we may not look we have not posted either.
            Err(Failure::Refused { .. }) => Ok(None),
            Err(failure) => Err(unsure(failure)),
        }
    }

    pub(super) async fn find_notice(&self, channel: &ChannelId, post: &Post<'_>) -> Result<Option<Posted>, SendError> {
        if let Some(steward) = self.steward(channel).await?
            && let Some(found) = self.find_letter(&steward, post).await?
        {
            return Ok(Some(found));
        }
        match self.look(super::spot(channel)?, None, post).await {
            Ok(found) => Ok(found),
            Err(Failure::Refused { .. }) => Ok(None),
            Err(failure) => Err(unsure(failure)),
        }
    }

    /// Our message with the post's key, in a channel or a thread, not older than the post was first wanted.
    async fn look(&self, spot: Spot<'_>, thread: Option<&str>, post: &Post<'_>) -> Result<Option<Posted>, Failure> {
        let workspace = self.workspace(spot.team).await?;
        let place = Where { channel: spot.channel, thread };
        let mut cursor = String::new();
        for _ in 0..LOOK_BACK_PAGES {
            let (page, next) = self.page(&workspace, place, Some(post.since - SKEW_MS), &cursor).await?;
            let ours = |message: &&Raw| {
                message.user.as_ref() == Some(&workspace.user)
                    && render::key_of(&as_value(message)).as_deref() == Some(post.key.as_str())
            };
            if let Some(found) = page.iter().find(ours) {
                return Ok(Some(posted(Target { spot, ts: &found.ts }, post)));
            }
            match next {
                Some(next) => cursor = next,
                None => break,
            }
        }
        Ok(None)
    }

    /// Why nothing can be done in a channel, in words that say what to do.
    pub(super) async fn explain(&self, channel: &ChannelId, failure: Failure) -> SendError {
        let name = self.app().channel_name(channel).await.ok().flatten();
        let place = name.map_or_else(|| "the channel".to_owned(), |name| format!("#{name}"));
        let why = match failure.code() {
            "not_in_channel" | "no_permission" => trouble::not_in_channel(&place),
            "channel_not_found" => trouble::channel_not_found(&place),
            "is_archived" | "is_inactive" => trouble::archived(&place),
            "missing_scope" => trouble::missing_scope(failure.why()),
            "team_access_not_granted" => trouble::removed_from_workspace(),
            code if TOKEN_REFUSED.contains(&code) => {
                self.doubt_token();
                trouble::removed_from_workspace()
            }
            code if code.starts_with("restricted_action") || code == "ekm_access_denied" => {
                trouble::posting_restricted(&place)
            }
            _ => return unsure(failure),
        };
        SendError::Gone { why }
    }
}

fn as_value(message: &Raw) -> Value {
    json!({ "metadata": message.metadata })
}

fn posted(target: Target<'_>, post: &Post<'_>) -> Posted {
    Posted {
        message: Ours { target, key: post.key.as_str() }.id(),
        thread: post.opens_thread.map(|_| target.thread()),
        trouble: None,
    }
}
