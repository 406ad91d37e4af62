//! How a post gets onto Discord: into channels, threads, forums and private conversations.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use serenity::all::Permissions;

use super::permissions::{self, Channel};
use super::rest::{Call, Failure, Method};
use super::{Discord, Opened, Raw, RawId, Target, bare, channel_id, code, mark, render, unsure};
use crate::app::chat::{Post, SendError};
use crate::domain::effect::Posted;
use crate::domain::ids::{ChannelId, MessageId, ReviewId, ThreadId};
use crate::domain::markup;
use crate::domain::text::trouble;

const THREAD_NAME_CHARS: usize = 100;
/// A thread leaves the list of active ones after so many minutes without a word; a word brings it back.
const AUTO_ARCHIVE_MINUTES: u32 = 4_320;

impl Discord {
    /// Posts into a channel or a thread. The nonce makes a repeat within minutes the same message.
    pub(super) async fn send(&self, channel: &str, post: &Post<'_>) -> Result<(MessageId, Raw), Failure> {
        let mark = mark(post.key);
        let mut body = render::body(post.message, Some(&mark), post.ping);
        body["nonce"] = json!(mark);
        body["enforce_nonce"] = json!(true);
        let path = format!("channels/{channel}/messages");
        let sent: Raw = self.rest().call(Call::new(Method::Post, &path).body(&body).repeatable()).await?;
        if sent.embeds.is_empty() {
            return Err(self.take_back(channel, &sent.id).await);
        }
        Ok((Target { channel, message: &sent.id, mark: &mark }.id(), sent))
    }

    /// Without "Embed Links" Discord shows a message without its words and says nothing about it. Such a one must not stay.
    pub(super) async fn take_back(&self, channel: &str, message: &str) -> Failure {
        let path = format!("channels/{channel}/messages/{message}");
        match self.rest().tell(Call::new(Method::Delete, &path)).await {
            Ok(()) | Err(Failure::Refused { .. }) => without_words(),
            Err(failure) => Failure::Lost { why: failure.why().to_owned() },
        }
    }

    pub(super) async fn post_question(&self, channel: &str, title: &str, post: &Post<'_>) -> Result<Posted, SendError> {
        if self.is_forum(channel) {
            return self.post_in_forum(channel, title, post).await;
        }
        match self.send(channel, post).await {
            Ok((message, sent)) => self.with_thread(channel, message, &sent, title, post).await,
            Err(failure) if matches!(failure.code(), Some(code::NOT_A_TEXT_CHANNEL | code::WRONG_CHANNEL_TYPE)) => {
                match permissions::channel(self.rest(), channel).await {
                    Ok(found) if found.is_forum() => {
                        self.note_forum(channel);
                        self.post_in_forum(channel, title, post).await
                    }
                    Ok(_) => Err(SendError::Gone { why: trouble::no_threads_here() }),
                    Err(failure) => Err(self.explain(channel, Permissions::VIEW_CHANNEL, failure).await),
                }
            }
            Err(failure) => {
                let needed = Permissions::SEND_MESSAGES | Permissions::EMBED_LINKS;
                Err(self.explain(channel, needed, failure).await)
            }
        }
    }

    /// Opens the thread under a posted question, unless it is there already.
    pub(super) async fn with_thread(
        &self,
        channel: &str,
        message: MessageId,
        sent: &Raw,
        title: &str,
        post: &Post<'_>,
    ) -> Result<Posted, SendError> {
        let mut troubles: Vec<String> = self.role_not_called(channel, post.ping, sent).await.into_iter().collect();
        let posted = |thread: Option<ThreadId>, troubles: &[String]| Posted {
            message: message.clone(),
            thread,
            trouble: (!troubles.is_empty()).then(|| troubles.join("; ")),
        };
        // A thread has the id of the message it hangs under.
        let thread = ThreadId::new(sent.id.as_str());
        if sent.thread.is_some() {
            return Ok(posted(Some(thread), &troubles));
        }
        let body = json!({ "name": thread_name(title), "auto_archive_duration": AUTO_ARCHIVE_MINUTES });
        let path = format!("channels/{channel}/messages/{}/threads", sent.id);
        let opened = self.rest().tell(Call::new(Method::Post, &path).body(&body).repeatable()).await;
        let thread = match opened {
            Ok(()) | Err(Failure::Refused { code: code::THREAD_EXISTS, .. }) => Some(thread),
            Err(failure @ Failure::Refused { code: code::MISSING_PERMISSIONS | code::MISSING_ACCESS, .. }) => {
                let needed = Permissions::CREATE_PUBLIC_THREADS | Permissions::READ_MESSAGE_HISTORY;
                match self.explain(channel, needed, failure).await {
                    SendError::Gone { why } => troubles.push(trouble::no_thread(&why)),
                    other => return Err(in_doubt(other)),
                }
                None
            }
            Err(Failure::Refused { code: code::WRONG_CHANNEL_TYPE, .. }) => {
                troubles.push(trouble::no_thread(&trouble::no_threads_here()));
                None
            }
            // Deleted in this very moment: there is nothing to hang a thread under.
            Err(Failure::Refused { code: code::UNKNOWN_MESSAGE, .. }) => {
                troubles.push(trouble::no_thread(&trouble::message_deleted()));
                None
            }
            // Too many threads, say. Asking again would not help.
            Err(Failure::Refused { status, why, code }) if status != 401 && code != code::UNKNOWN_CHANNEL => {
                troubles.push(trouble::no_thread(&why));
                None
            }
            // The message is out: whoever tries again has to find it.
            Err(failure) => return Err(in_doubt(unsure(failure))),
        };
        Ok(posted(thread, &troubles))
    }

    /// What to tell when a message did not call the role that it should.
    async fn role_not_called(&self, channel: &str, ping: Option<&str>, sent: &Raw) -> Option<String> {
        #[derive(Deserialize)]
        struct Role {
            id: String,
            name: String,
        }
        let role = ping.filter(|role| !sent.mention_roles.iter().any(|called| called == role))?;
        let space = self.app().space_of(&channel_id(channel)).await.ok().flatten();
        let path = format!("guilds/{}/roles", bare(&space.unwrap_or_default()));
        let Ok(roles) = self.rest().call::<Vec<Role>>(Call::get(&path)).await else {
            return Some(trouble::role_not_called(role));
        };
        let found = roles.into_iter().find(|one| one.id == role);
        Some(found.map_or_else(trouble::role_deleted, |one| trouble::role_not_called(&format!("@{}", one.name))))
    }

    async fn post_in_forum(&self, forum: &str, title: &str, post: &Post<'_>) -> Result<Posted, SendError> {
        let described = match permissions::channel(self.rest(), forum).await {
            Ok(described) => described,
            Err(failure) => return Err(self.explain(forum, Permissions::VIEW_CHANNEL, failure).await),
        };
        let needed = Permissions::SEND_MESSAGES | Permissions::SEND_MESSAGES_IN_THREADS | Permissions::EMBED_LINKS;
        // A post without its words could not be taken back here, so this is asked before.
        match self.lacking(forum, needed).await {
            Ok((_, missing)) if missing.is_empty() => {}
            Ok((place, missing)) => {
                return Err(SendError::Gone { why: trouble::missing_permissions(&missing, &place) });
            }
            Err(failure) => return Err(self.explain(forum, needed, failure).await),
        }
        let mark = mark(post.key);
        let body = json!({
            "name": thread_name(title),
            "auto_archive_duration": AUTO_ARCHIVE_MINUTES,
            "applied_tags": tags(&described, post.labels),
            "message": render::body(post.message, Some(&mark), post.ping),
        });
        let path = format!("channels/{forum}/threads");
        match self.rest().call::<Opened>(Call::new(Method::Post, &path).body(&body)).await {
            // The first message of a forum's post has the id of the post.
            Ok(opened) => Ok(Posted {
                message: Target { channel: &opened.id, message: &opened.id, mark: &mark }.id(),
                thread: Some(ThreadId::new(opened.id.as_str())),
                trouble: match &opened.message {
                    Some(sent) => self.role_not_called(forum, post.ping, sent).await,
                    None => None,
                },
            }),
            Err(failure) => Err(self.explain(forum, needed, failure).await),
        }
    }

    /// Posts into the thread of a round; into its channel when the thread cannot be used any more.
    pub(super) async fn post_in_thread(
        &self,
        channel: &str,
        thread: &str,
        post: &Post<'_>,
    ) -> Result<Posted, SendError> {
        let mut failure = match self.send(thread, post).await {
            Ok((message, _)) => return Ok(Posted { message, thread: None, trouble: None }),
            Err(failure) => failure,
        };
        if matches!(failure.code(), Some(code::THREAD_LOCKED | code::THREAD_ARCHIVED)) {
            let path = format!("channels/{thread}");
            let body = json!({ "archived": false, "locked": false });
            if self.rest().tell(Call::new(Method::Patch, &path).body(&body)).await.is_ok() {
                failure = match self.send(thread, post).await {
                    Ok((message, _)) => return Ok(Posted { message, thread: None, trouble: None }),
                    Err(failure) => failure,
                };
            }
        }
        let why = match failure.code() {
            Some(code::THREAD_LOCKED | code::THREAD_ARCHIVED) => trouble::thread_locked(),
            Some(code::UNKNOWN_CHANNEL) => trouble::thread_deleted(),
            Some(code::MISSING_PERMISSIONS | code::MISSING_ACCESS) => {
                let needed = Permissions::SEND_MESSAGES_IN_THREADS | Permissions::EMBED_LINKS;
                let (place, missing) = self.refused(channel, thread, needed, failure).await?;
                let why = trouble::missing_permissions(&missing, &place);
                if missing != [permissions::IN_THREADS] {
                    // The channel would take it no better.
                    return Err(SendError::Gone { why });
                }
                why
            }
            _ => return Err(unsure(failure)),
        };
        if self.is_forum(channel) {
            return Err(SendError::Fatal { why });
        }
        match self.send(channel, post).await {
            Ok((message, _)) => Ok(Posted { message, thread: None, trouble: Some(trouble::thread_closed(&why)) }),
            Err(failure) => {
                let needed = Permissions::SEND_MESSAGES | Permissions::EMBED_LINKS;
                Err(self.explain(channel, needed, failure).await)
            }
        }
    }

    async fn direct(&self, user: &str) -> Result<String, Failure> {
        let body = json!({ "recipient_id": user });
        let opened: RawId =
            self.rest().call(Call::new(Method::Post, "users/@me/channels").body(&body).repeatable()).await?;
        Ok(opened.id)
    }

    pub(super) async fn direct_if_any(&self, user: &str) -> Result<Option<String>, SendError> {
        match self.direct(user).await {
            Ok(channel) => Ok(Some(channel)),
            Err(Failure::Refused { .. }) => Ok(None),
            Err(failure) => Err(unsure(failure)),
        }
    }

    pub(super) async fn post_to_member(&self, user: &str, post: &Post<'_>) -> Result<Posted, SendError> {
        let sent = match self.direct(user).await {
            Ok(channel) => self.send(&channel, post).await,
            Err(failure) => Err(failure),
        };
        let (message, _) = sent.map_err(unsure)?;
        Ok(Posted { message, thread: None, trouble: None })
    }

    /// Those who look after a channel, the one who steered its schedule last first.
    pub(super) async fn organisers(&self, channel: &ChannelId) -> Result<Vec<String>, SendError> {
        let unread =
            |error: anyhow::Error| SendError::Retry { after: Duration::from_secs(1), why: format!("{error:#}") };
        let steward = self.app().steward(channel).await.map_err(unread)?;
        let mut all: Vec<String> = steward.iter().map(|member| bare(member.as_str()).to_owned()).collect();
        #[derive(Deserialize)]
        struct Guild {
            owner_id: String,
        }
        let guild = match self.app().space_of(channel).await.map_err(unread)? {
            Some(space) => Some(bare(&space).to_owned()),
            None => {
                permissions::channel(self.rest(), bare(channel.as_str())).await.ok().and_then(|found| found.guild_id)
            }
        };
        if let Some(guild) = guild {
            match self.rest().call::<Guild>(Call::get(&format!("guilds/{guild}"))).await {
                Ok(guild) if !all.contains(&guild.owner_id) => all.push(guild.owner_id),
                Ok(_) | Err(Failure::Refused { .. }) => {}
                Err(failure) => return Err(unsure(failure)),
            }
        }
        Ok(all)
    }

    /// Whether somebody looks after the channel of a review.
    pub(super) async fn looks_after(&self, review: &ReviewId, user: u64) -> bool {
        let organisers = match self.app().channel_of_review(review).await {
            Ok(Some(channel)) => self.organisers(&channel).await,
            Ok(None) => return false,
            Err(error) => Err(SendError::Retry { after: Duration::ZERO, why: format!("{error:#}") }),
        };
        match organisers {
            Ok(all) => all.contains(&user.to_string()),
            Err(error) => {
                tracing::warn!(why = %error, "cannot see who looks after a channel");
                false
            }
        }
    }

    /// Tells an organiser in private; in the channel when none takes private messages.
    pub(super) async fn post_to_organisers(&self, channel: &ChannelId, post: &Post<'_>) -> Result<Posted, SendError> {
        for user in self.organisers(channel).await? {
            match self.post_to_member(&user, post).await {
                Err(SendError::Fatal { .. }) => {}
                outcome => return outcome,
            }
        }
        let channel = bare(channel.as_str());
        match self.send(channel, post).await {
            Ok((message, _)) => Ok(Posted { message, thread: None, trouble: None }),
            Err(failure @ Failure::Refused { .. }) => {
                Err(SendError::Fatal { why: format!("{}; {}", trouble::nobody_to_tell(), failure.why()) })
            }
            Err(failure) => Err(unsure(failure)),
        }
    }
}

/// As if Discord had refused a message that it took without its embed.
pub(super) fn without_words() -> Failure {
    Failure::Refused {
        status: 403,
        code: code::MISSING_PERMISSIONS,
        why: "Discord shows the message without its embed".to_owned(),
    }
}

pub(super) fn in_doubt(error: SendError) -> SendError {
    SendError::InDoubt { why: error.to_string() }
}

fn thread_name(title: &str) -> String {
    markup::shorten(&title.replace('`', ""), THREAD_NAME_CHARS - 1)
}

/// The tags of a forum that fit a post, at most five; where one is demanded and none fits, the first.
fn tags(forum: &Channel, labels: &[String]) -> Vec<String> {
    const REQUIRE_TAG: u64 = 1 << 4;
    const AT_MOST: usize = 5;
    let fits = |name: &str| labels.iter().any(|label| label.to_lowercase() == name.trim().to_lowercase());
    let mut tags: Vec<String> =
        forum.available_tags.iter().filter(|tag| fits(&tag.name)).map(|tag| tag.id.clone()).take(AT_MOST).collect();
    if tags.is_empty() && forum.flags & REQUIRE_TAG != 0 {
        tags.extend(forum.available_tags.first().map(|tag| tag.id.clone()));
    }
    tags
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_post_gets_the_tags_that_fit_or_the_one_that_must_be() {
        let forum = |required: bool, names: &[&str]| -> Channel {
            let tags: Vec<Value> =
                names.iter().enumerate().map(|(n, name)| json!({ "id": n.to_string(), "name": name })).collect();
            let flags = if required { 16 } else { 0 };
            serde_json::from_value(json!({ "id": "5", "type": 15, "flags": flags, "available_tags": tags })).unwrap()
        };
        let labels: Vec<String> = ["iam", "Identity and access", "beginner"].map(str::to_owned).to_vec();
        let check =
            |required, names: &[&str], expect: &[&str]| assert_eq!(tags(&forum(required, names), &labels), expect);
        check(false, &[], &[]);
        check(false, &["News", "Beginner", " IAM ", "identity AND access"], &["1", "2", "3"]);
        check(true, &["News", "Beginner"], &["1"]);
        check(true, &["News", "Talk"], &["0"]);
        check(false, &["News", "Talk"], &[]);
        check(false, &["iam", "IAM", "Iam", "iAm", "iaM", "beginner"], &["0", "1", "2", "3", "4"]);
    }
}
