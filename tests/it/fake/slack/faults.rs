//! What can go wrong with the service, as plain values that a test sets.

use std::collections::VecDeque;
use std::time::Duration;

#[derive(Default)]
pub struct Faults {
    /// (method, fault): the first that fits a request is used up by it.
    pub next: VecDeque<(String, Fault)>,
    /// As `next`, for every request until it is taken out.
    pub always: Vec<(String, Fault)>,
    /// The whole service is away.
    pub outage: Option<Outage>,
    /// So many of the next events are lost.
    pub drop_events: u32,
    /// Each of the next events is sent so many times more, with event ids of their own.
    pub repeat_events: u32,
    /// So many of the next interactions and commands are sent twice, with the same trigger id.
    pub double_interactions: u32,
    /// Each event goes to every socket, not to one of them.
    pub every_socket: bool,
    /// What is sent to a socket after `refresh_requested` is lost and not sent again.
    pub lose_at_refresh: bool,
    /// Repetitions do not say that they are.
    pub hide_retries: bool,
    /// So many of the next acknowledgements get lost on their way.
    pub lose_acks: u32,
    /// What is not acknowledged is not sent again.
    pub no_retries: bool,
    /// Triggers have expired when they arrive.
    pub expire_triggers: bool,
    /// `apps.connections.open` gives addresses that nobody answers at.
    pub dead_links: bool,
    /// Each socket is closed as soon as it has got its hello.
    pub close_at_once: bool,
    /// How the next requests to the bot's own address are signed.
    pub signatures: VecDeque<Signature>,
}

#[derive(Clone, Debug)]
pub enum Fault {
    /// Carried out at once, answered late.
    Late(Duration),
    /// Not carried out; answered with this status and no JSON.
    Status(u16),
    /// Not carried out; `ok: false` with this code.
    Error(&'static str),
    /// Not carried out: 429.
    TooMany { retry_after_s: u32 },
    /// Carried out, then the connection is closed without an answer.
    CutAfterRequest,
    /// Closed before anything is carried out.
    CutBeforeRequest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// Connections are closed as soon as they are accepted.
    Unreachable,
    /// Everything is answered with 503.
    Unavailable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// Made with another secret.
    Wrong,
    /// Made well, six minutes ago.
    Old,
    Missing,
}

impl Faults {
    /// The fault for a request.
    pub fn take(&mut self, method: &str) -> Option<Fault> {
        match self.next.iter().position(|(name, _)| name == method) {
            Some(at) => self.next.remove(at).map(|(_, fault)| fault),
            None => self.always.iter().find(|(name, _)| name == method).map(|(_, fault)| fault.clone()),
        }
    }
}
