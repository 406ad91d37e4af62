//! How a post of an earlier attempt is found again.

use serde::Deserialize;
use serenity::all::Permissions;

use super::permissions::{self, Channel};
use super::rest::{Call, Failure};
use super::{Discord, PAGE, Raw, RawButton, Target, code, instant, mark, number, render, snowflake};
use crate::app::chat::{Post, SendError};
use crate::domain::effect::Posted;
use crate::domain::ids::ThreadId;
use crate::domain::text::trouble;

/// Pages that a look for an earlier post reads at most: 10,000 messages.
const LOOK_BACK_PAGES: usize = 100;
/// Our clock may be ahead of Discord's.
const SKEW_MS: i64 = 300_000;

#[derive(Deserialize)]
struct Threads {
    threads: Vec<Channel>,
}

impl Discord {
    /// Our message with this mark among those of a channel since an instant, unix milliseconds.
    pub(super) async fn look(&self, channel: &str, mark: &str, since: i64) -> Result<Option<Raw>, Failure> {
        let me = self.me().await?.to_owned();
        let mut after = snowflake(since - SKEW_MS);
        for _ in 0..LOOK_BACK_PAGES {
            let page = self.page(channel, after).await?;
            let last = page.len() < PAGE;
            after = page.iter().map(|message| number(&message.id)).max().unwrap_or(after);
            let ours = |message: &Raw| message.author.id == me && is_marked(message, mark);
            if let Some(found) = page.into_iter().find(ours) {
                return Ok(Some(found));
            }
            if last {
                break;
            }
        }
        Ok(None)
    }

    /// The next messages after an id, in any order.
    pub(super) async fn page(&self, channel: &str, after: u64) -> Result<Vec<Raw>, Failure> {
        let (path, query) = (format!("channels/{channel}/messages"), format!("after={after}&limit={PAGE}"));
        self.rest().call(Call::get(&path).query(&query)).await
    }

    /// The post of a forum that this key left.
    async fn look_in_forum(&self, forum: &Channel, mark: &str, since: i64) -> Result<Option<Posted>, Failure> {
        let me = self.me().await?.to_owned();
        let Some(guild) = &forum.guild_id else { return Ok(None) };
        let active: Threads = self.rest().call(Call::get(&format!("guilds/{guild}/threads/active"))).await?;
        let path = format!("channels/{}/threads/archived/public", forum.id);
        let archived: Threads = self.rest().call(Call::get(&path)).await?;
        let ours = |thread: &&Channel| {
            thread.parent_id.as_ref() == Some(&forum.id)
                && thread.owner_id.as_ref() == Some(&me)
                && instant(&thread.id) >= since - SKEW_MS
        };
        for thread in active.threads.iter().chain(&archived.threads).filter(ours) {
            let path = format!("channels/{0}/messages/{0}", thread.id);
            let first: Raw = match self.rest().call(Call::get(&path)).await {
                Ok(first) => first,
                Err(Failure::Refused { .. }) => continue,
                Err(failure) => return Err(failure),
            };
            if is_marked(&first, mark) {
                return Ok(Some(Posted {
                    message: Target { channel: &thread.id, message: &thread.id, mark }.id(),
                    thread: Some(ThreadId::new(thread.id.as_str())),
                    trouble: None,
                }));
            }
        }
        Ok(None)
    }

    pub(super) async fn find_question(
        &self,
        channel: &str,
        title: &str,
        post: &Post<'_>,
    ) -> Result<Option<Posted>, SendError> {
        let mark = mark(post.key);
        let needed = Permissions::READ_MESSAGE_HISTORY;
        if !self.is_forum(channel) {
            match self.look(channel, &mark, post.since).await {
                Ok(None) if !self.turns_out_as_forum(channel).await? => {
                    return self.nothing_seen(channel).await.map(|()| None);
                }
                Ok(None) => {}
                Ok(Some(sent)) if sent.embeds.is_empty() && self.shows_no_embeds(channel).await? => {
                    let failure = self.take_back(channel, &sent.id).await;
                    return Err(self.explain(channel, Permissions::EMBED_LINKS, failure).await);
                }
                Ok(Some(sent)) => {
                    let message = Target { channel, message: &sent.id, mark: &mark }.id();
                    // What was said about the role was said the first time.
                    return self
                        .with_thread(channel, message, &sent, title, &Post { ping: None, ..*post })
                        .await
                        .map(Some);
                }
                Err(failure) if matches!(failure.code(), Some(code::NOT_A_TEXT_CHANNEL | code::WRONG_CHANNEL_TYPE)) => {
                }
                Err(failure) => return Err(self.explain(channel, needed, failure).await),
            }
        }
        match permissions::channel(self.rest(), channel).await {
            Ok(forum) if forum.is_forum() => {
                self.note_forum(channel);
                match self.look_in_forum(&forum, &mark, post.since).await {
                    Ok(found) => Ok(found),
                    Err(failure) => Err(self.explain(channel, needed, failure).await),
                }
            }
            Ok(_) => Ok(None),
            Err(failure) => Err(self.explain(channel, needed, failure).await),
        }
    }

    /// Discord shows a forum as a channel without messages.
    async fn turns_out_as_forum(&self, channel: &str) -> Result<bool, SendError> {
        match permissions::channel(self.rest(), channel).await {
            Ok(found) => Ok(found.is_forum()),
            Err(failure) => Err(self.explain(channel, Permissions::READ_MESSAGE_HISTORY, failure).await),
        }
    }

    async fn shows_no_embeds(&self, channel: &str) -> Result<bool, SendError> {
        match self.lacking(channel, Permissions::EMBED_LINKS).await {
            Ok((_, missing)) => Ok(!missing.is_empty()),
            Err(failure) => Err(self.explain(channel, Permissions::EMBED_LINKS, failure).await),
        }
    }

    /// Without the history Discord shows an empty list: then a look has seen nothing, and nothing follows from it.
    pub(super) async fn nothing_seen(&self, channel: &str) -> Result<(), SendError> {
        match self.lacking(channel, Permissions::READ_MESSAGE_HISTORY).await {
            Ok((_, missing)) if missing.is_empty() => Ok(()),
            Ok((place, _)) => Err(SendError::Gone { why: trouble::cannot_read_history(&place) }),
            Err(failure) => Err(self.explain(channel, Permissions::READ_MESSAGE_HISTORY, failure).await),
        }
    }
}

/// By the key in its embed; a question's card also by the round that its buttons carry.
fn is_marked(message: &Raw, mark: &str) -> bool {
    let round = mark.strip_prefix("question:");
    let carries = |button: &RawButton| {
        let carried = button.custom_id.as_deref().and_then(|id| id.split_once(':')).map(|(_, round)| round);
        carried.is_some() && carried == round
    };
    message.embeds.iter().any(|embed| embed.url.as_deref().and_then(render::mark_of).as_deref() == Some(mark))
        || message.components.iter().flat_map(|row| &row.components).any(carries)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_posted_is_known_by_its_key_or_its_buttons() {
        let message = |url: &str, custom_id: &str| -> Raw {
            serde_json::from_value(json!({
                "id": "1", "author": { "id": "2" }, "timestamp": "2026-11-23T09:00:00Z", "embeds": [{ "url": url }],
                "components": [{ "components": [{ "custom_id": custom_id }] }],
            }))
            .unwrap()
        };
        let url = "https://discord.com/?drillbot=question%3Ar1";
        assert!(is_marked(&message(url, ""), "question:r1"));
        assert!(!is_marked(&message(url, ""), "question:r"), "a key is known whole only");
        assert!(is_marked(&message("", "answer:r1"), "question:r1"));
        assert!(!is_marked(&message("", "answer:r10"), "question:r1"));
        assert!(!is_marked(&message("", "result:r1"), "reveal:r1"), "only a card is known by its buttons");
    }
}
