//! The small port behind which a chat service lives. Only the delivery worker talks through it.

use std::fmt;
use std::time::Duration;

use crate::domain::answer::ThreadMessage;
use crate::domain::effect::{Place, Posted};
use crate::domain::ids::{DeliveryId, MessageId, ThreadId};
use crate::domain::message::Message;
use crate::domain::text::trouble;

/// A message to be shown once.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    pub key: &'a DeliveryId,
    pub place: &'a Place,
    pub message: &'a Message,
    /// The title of a thread to open under it; opening is part of the post.
    pub opens_thread: Option<&'a str>,
    /// When this was first wanted, unix milliseconds: no message with this key is older.
    pub since: i64,
    /// Whom to call, in the platform's words (a role of Discord, a user group of Slack); nobody else is ever pinged.
    pub ping: Option<&'a str>,
    /// What those who do not look into the thread should notice too, for services that can show a reply in its channel.
    pub announces: bool,
    /// What it is about, for services that sort their posts: the topic, its title, the level.
    pub labels: &'a [String],
}

/// Why a chat service did not do what was asked.
#[derive(Debug)]
pub enum SendError {
    /// It did not happen; try again, not before `after`.
    Retry { after: Duration, why: String },
    /// It did not happen and will not: say so to the organisers. `why` is in their words.
    Fatal { why: String },
    /// Nothing can be posted in this channel until somebody changes something there: it was deleted, the bot was removed, a
    /// permission is missing. `why` is in the organisers' words and says what to do.
    Gone { why: String },
    /// The channel (of [`Chat::replies`]: the thread) is not there any more, and will not be.
    Deleted,
    /// It may have happened: look with `find` before trying again.
    InDoubt { why: String },
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendError::Retry { why, .. }
            | SendError::Fatal { why }
            | SendError::Gone { why }
            | SendError::InDoubt { why } => why,
            SendError::Deleted => trouble::CHANNEL_DELETED,
        })
    }
}

/// A chat service, seen from the drill.
pub trait Chat: Send + Sync + 'static {
    /// The name in front of the colon of its ids: `web`, `discord`, `slack`.
    fn platform(&self) -> &'static str;

    /// True when a post can be seen by one member only, without that member having pressed anything.
    fn posts_in_private(&self) -> bool;

    /// True when it may read what members write in threads. Else answers come through the form, and [`Chat::replies`] is not asked.
    fn reads_threads(&self) -> bool {
        true
    }

    /// Shows a message. Services that can recognise a repeated key show it once.
    fn post(&self, post: Post<'_>) -> impl Future<Output = Result<Posted, SendError>> + Send;

    /// What an earlier `post` with this key left, if it got through; finishes what is missing, such as the thread.
    fn find(&self, post: Post<'_>) -> impl Future<Output = Result<Option<Posted>, SendError>> + Send;

    fn edit(
        &self,
        place: &Place,
        target: &MessageId,
        message: &Message,
    ) -> impl Future<Output = Result<(), SendError>> + Send;

    /// Everything that people wrote in a thread and that still stands, oldest first.
    fn replies(
        &self,
        place: &Place,
        thread: &ThreadId,
    ) -> impl Future<Output = Result<Vec<ThreadMessage>, SendError>> + Send;
}
