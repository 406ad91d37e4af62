//! What can go wrong with the service, as plain values that a test sets.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

#[derive(Default)]
pub struct Faults {
    /// The first that fits a request is used up by it.
    pub next: VecDeque<(Matcher, Fault)>,
    /// The whole service is away.
    pub outage: Option<Outage>,
    /// So many of the next events are lost.
    pub drop_events: u32,
    /// So many are sent twice.
    pub double_events: u32,
    /// So many are held back and sent after the one that follows.
    pub reorder_events: u32,
    pub no_heartbeat_ack: bool,
    /// The gateway closes with this instead of beginning a session; Discord's budget has counted it.
    pub close_identified: Option<u16>,
}

/// Which requests a fault is for.
#[derive(Clone, Debug)]
pub struct Matcher {
    pub method: &'static str,
    /// As in the route's template (`/channels/{channel_id}/messages`), or the beginning of a real path.
    pub path: String,
}

#[derive(Clone, Debug)]
pub enum Fault {
    /// Carried out at once, answered late.
    Late(Duration),
    /// Not carried out; answered with this.
    Status(u16, Value),
    /// Not carried out: 429.
    TooMany { retry_after: Duration, global: bool, scope: &'static str },
    /// Carried out, then the connection is closed without an answer.
    CutAfterRequest,
    /// Closed before anything is carried out.
    CutBeforeRequest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// Connections are closed as soon as they are accepted.
    Unreachable,
    /// REST answers 503; the gateway closes.
    Unavailable,
}

impl Faults {
    /// The fault for a request, taken out of the queue.
    pub fn take(&mut self, method: &str, template: &str, path: &str) -> Option<Fault> {
        let fits = |matcher: &Matcher| {
            matcher.method == method && (matcher.path == template || path.starts_with(&matcher.path))
        };
        let at = self.next.iter().position(|(matcher, _)| fits(matcher))?;
        self.next.remove(at).map(|(_, fault)| fault)
    }
}
