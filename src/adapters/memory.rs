//! A chat service in memory, for tests: a plain model of channels with faults as fields.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::app::chat::{Chat, Post, SendError};
use crate::domain::answer::ThreadMessage;
use crate::domain::effect::{Audience, Place, Posted};
use crate::domain::ids::{MemberId, MessageId, ThreadId};
use crate::domain::message::Message;

/// What goes wrong with the next call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refused before anything happened; try again later.
    Busy,
    /// Refused for good.
    Forbidden,
    /// It happened, but the answer was lost.
    LostAnswer,
    /// Nothing can be posted in this channel any more.
    Gone,
    /// The channel is not there any more.
    Deleted,
    /// Posted, but its thread could not be opened.
    NoThread,
}

/// Something that stands in a channel.
#[derive(Clone, Debug)]
pub struct Shown {
    pub id: MessageId,
    pub key: String,
    pub channel: String,
    pub thread: Option<ThreadId>,
    pub audience: Audience,
    pub message: Message,
    pub ping: Option<String>,
    pub labels: Vec<String>,
    pub edits: usize,
}

#[derive(Default)]
struct World {
    shown: Vec<Shown>,
    written: Vec<(ThreadId, ThreadMessage)>,
    faults: VecDeque<Fault>,
    read_faults: VecDeque<Fault>,
    calls: usize,
    looks: usize,
    reads: usize,
    blind: bool,
    threads_closed: bool,
    next: usize,
}

/// The service. Share it by `Arc`.
#[derive(Default)]
pub struct MemoryChat {
    world: Mutex<World>,
}

impl MemoryChat {
    fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next posts or edits fail like this, in order.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.world().faults.extend(faults);
    }

    /// The next looks into a thread, or for an earlier post, fail like this, in order.
    pub fn fail_next_reads(&self, faults: impl IntoIterator<Item = Fault>) {
        self.world().read_faults.extend(faults);
    }

    /// The service is well again.
    pub fn recover(&self) {
        let mut world = self.world();
        world.faults.clear();
        world.read_faults.clear();
    }

    /// A moderator deletes one of the bot's messages.
    pub fn remove(&self, id: &MessageId) {
        self.world().shown.retain(|shown| shown.id != *id);
    }

    pub fn shown(&self) -> Vec<Shown> {
        self.world().shown.clone()
    }

    /// How many messages with keys that begin like this stand.
    pub fn count(&self, key: &str) -> usize {
        self.world().shown.iter().filter(|shown| shown.key.starts_with(key)).count()
    }

    /// Posts and edits that were asked for, whatever became of them.
    pub fn calls(&self) -> usize {
        self.world().calls
    }

    /// Looks for an earlier post that were asked for.
    pub fn looks(&self) -> usize {
        self.world().looks
    }

    /// Threads that were read.
    pub fn reads(&self) -> usize {
        self.world().reads
    }

    /// From now on it may not read what members write.
    pub fn go_blind(&self) {
        self.world().blind = true;
    }

    /// What belongs into a thread goes to its channel, or not any more.
    pub fn close_threads(&self, closed: bool) {
        self.world().threads_closed = closed;
    }

    /// Somebody writes in a thread; its id.
    pub fn write(&self, thread: &ThreadId, member: &MemberId, name: &str, text: &str, at: i64) -> MessageId {
        let mut world = self.world();
        world.next += 1;
        let id = MessageId::new(format!("m{}", world.next));
        let message =
            ThreadMessage { id: id.clone(), member: member.clone(), name: Some(name.into()), text: text.into(), at };
        world.written.push((thread.clone(), message));
        id
    }

    pub fn rewrite(&self, id: &MessageId, text: &str) {
        for (_, message) in &mut self.world().written {
            if message.id == *id {
                text.clone_into(&mut message.text);
            }
        }
    }

    pub fn erase(&self, id: &MessageId) {
        self.world().written.retain(|(_, message)| message.id != *id);
    }
}

impl World {
    fn read_fault(&mut self) -> Result<(), SendError> {
        match self.read_faults.pop_front() {
            None => Ok(()),
            Some(Fault::Busy | Fault::NoThread) => Err(SendError::Retry { after: PAUSE, why: "busy".into() }),
            Some(Fault::LostAnswer) => Err(SendError::InDoubt { why: "the connection broke".into() }),
            Some(Fault::Forbidden) => Err(SendError::Fatal { why: "no permission to read".into() }),
            Some(Fault::Gone) => Err(SendError::Gone { why: GONE.into() }),
            Some(Fault::Deleted) => Err(SendError::Deleted),
        }
    }
}

const PAUSE: Duration = Duration::from_secs(1);
const GONE: &str = "I may not write here; give me the permission to";

impl Chat for MemoryChat {
    fn platform(&self) -> &'static str {
        "memory"
    }

    fn posts_in_private(&self) -> bool {
        true
    }

    fn reads_threads(&self) -> bool {
        !self.world().blind
    }

    async fn post(&self, post: Post<'_>) -> Result<Posted, SendError> {
        let mut world = self.world();
        world.calls += 1;
        let fault = world.faults.pop_front();
        match fault {
            Some(Fault::Busy) => return Err(SendError::Retry { after: PAUSE, why: "busy".into() }),
            Some(Fault::Forbidden) => return Err(SendError::Fatal { why: "no permission to post".into() }),
            Some(Fault::Gone) => return Err(SendError::Gone { why: GONE.into() }),
            Some(Fault::Deleted) => return Err(SendError::Deleted),
            Some(Fault::LostAnswer | Fault::NoThread) | None => {}
        }
        world.next += 1;
        let id = MessageId::new(format!("m{}", world.next));
        let opens = fault != Some(Fault::NoThread);
        let thread = post.opens_thread.filter(|_| opens).map(|_| ThreadId::new(id.as_str()));
        world.shown.push(Shown {
            id: id.clone(),
            key: post.key.to_string(),
            channel: post.place.channel.to_string(),
            thread: post.place.thread.clone(),
            audience: post.place.audience.clone(),
            message: post.message.clone(),
            ping: post.ping.map(str::to_owned),
            labels: post.labels.to_vec(),
            edits: 0,
        });
        if fault == Some(Fault::LostAnswer) {
            return Err(SendError::InDoubt { why: "the connection broke".into() });
        }
        let why = match (&post.place.thread, opens) {
            (Some(_), _) if world.threads_closed => Some("it went elsewhere"),
            (None, false) => Some("I may not open threads here"),
            _ => None,
        };
        let trouble = why.map(str::to_owned);
        Ok(Posted { message: id, thread, trouble })
    }

    async fn find(&self, post: Post<'_>) -> Result<Option<Posted>, SendError> {
        let mut world = self.world();
        world.looks += 1;
        world.read_fault()?;
        Ok(world.shown.iter().find(|shown| shown.key == post.key.as_str()).map(|shown| Posted {
            message: shown.id.clone(),
            thread: post.opens_thread.map(|_| ThreadId::new(shown.id.as_str())),
            trouble: None,
        }))
    }

    async fn edit(&self, _: &Place, target: &MessageId, message: &Message) -> Result<(), SendError> {
        let mut world = self.world();
        world.calls += 1;
        match world.faults.pop_front() {
            Some(Fault::Busy | Fault::LostAnswer | Fault::NoThread) => {
                return Err(SendError::Retry { after: PAUSE, why: "busy".into() });
            }
            Some(Fault::Forbidden) => return Err(SendError::Fatal { why: "no permission to edit".into() }),
            Some(Fault::Gone) => return Err(SendError::Gone { why: GONE.into() }),
            Some(Fault::Deleted) => return Err(SendError::Deleted),
            None => {}
        }
        let Some(shown) = world.shown.iter_mut().find(|shown| shown.id == *target) else {
            return Err(SendError::Fatal { why: "the message is gone".into() });
        };
        message.clone_into(&mut shown.message);
        shown.edits += 1;
        Ok(())
    }

    async fn replies(&self, _: &Place, thread: &ThreadId) -> Result<Vec<ThreadMessage>, SendError> {
        let mut world = self.world();
        world.reads += 1;
        world.read_fault()?;
        Ok(world.written.iter().filter(|(at, _)| at == thread).map(|(_, message)| message.clone()).collect())
    }
}
