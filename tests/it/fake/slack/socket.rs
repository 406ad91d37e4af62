//! Socket Mode: links that are good once, and the websocket connections that carry envelopes and acknowledgements.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use super::Shared;
use super::model::Model;

#[derive(Default)]
pub struct Sockets {
    /// `ws://address`
    pub url: String,
    /// Connections so far.
    pub opened: u32,
    /// Pings that came.
    pub pings: u32,
    tickets: BTreeSet<String>,
    all: Vec<Socket>,
    last: u64,
    /// Who got the last event.
    turn: usize,
}

struct Socket {
    id: u64,
    line: UnboundedSender<Order>,
    /// It was told to go: `refresh_requested`.
    leaving: bool,
    /// Nothing goes through any more.
    frozen: bool,
}

/// What a connection is told to do.
#[derive(Clone, Debug)]
enum Order {
    Send(String),
    /// To read nothing and to send nothing from now on.
    Freeze,
    Close,
    Cut,
}

/// Why Slack ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    RefreshRequested,
    Warning,
    LinkDisabled,
}

/// How sending went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    To(u64),
    /// To a connection that is about to go, and for good.
    Lost,
    Nowhere,
}

impl Sockets {
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// A new link.
    pub fn link(&mut self, ticket: String, app: &str) -> String {
        let url = format!("{}/link/?ticket={ticket}&app_id={app}", self.url);
        self.tickets.insert(ticket);
        url
    }

    pub fn ids(&self) -> Vec<u64> {
        self.all.iter().filter(|one| !one.leaving).map(|one| one.id).collect()
    }

    /// Sends to one connection in turn, another than `not` where there is another.
    pub fn send(&mut self, text: &str, not: Option<u64>, lose_at_refresh: bool) -> Sent {
        let leaving = self.all.iter().find(|one| one.leaving && lose_at_refresh);
        if let Some(one) = leaving {
            let _ = one.line.send(Order::Send(text.to_owned()));
            return Sent::Lost;
        }
        let mut fit: Vec<u64> = self.ids();
        if fit.len() > 1 {
            fit.retain(|id| Some(*id) != not);
        }
        if fit.is_empty() {
            return Sent::Nowhere;
        }
        self.turn += 1;
        let id = fit[self.turn % fit.len()];
        self.send_to(id, text);
        Sent::To(id)
    }

    pub fn send_to(&mut self, id: u64, text: &str) {
        if let Some(one) = self.all.iter().find(|one| one.id == id) {
            let _ = one.line.send(Order::Send(text.to_owned()));
        }
    }

    fn order(&self, order: &Order) {
        self.all.iter().for_each(|one| {
            let _ = one.line.send(order.clone());
        });
    }

    /// Says the same on every connection, whatever it is.
    pub fn say(&self, text: &str) {
        self.order(&Order::Send(text.to_owned()));
    }

    /// Connections are lost without a word.
    pub fn cut(&self) {
        self.order(&Order::Cut);
    }

    pub fn close(&self) {
        self.order(&Order::Close);
    }

    /// The oldest connection stays open, but nothing goes through any more.
    pub fn freeze_one(&mut self) {
        if let Some(one) = self.all.first_mut() {
            one.frozen = true;
            let _ = one.line.send(Order::Freeze);
        }
    }
}

impl Model {
    /// Tells connections to go: all of them, or the oldest.
    pub fn disconnect(&mut self, reason: Reason, only_oldest: bool) {
        let word = match reason {
            Reason::RefreshRequested => "refresh_requested",
            Reason::Warning => "warning",
            Reason::LinkDisabled => "link_disabled",
        };
        let frame = json!({
            "type": "disconnect", "reason": word, "debug_info": {"host": "applink-fake"},
            "num_connections": self.sockets.count(), "connection_info": {"app_id": self.app.id.to_string()},
        });
        let told = if only_oldest { 1 } else { usize::MAX };
        for one in self.sockets.all.iter_mut().take(told) {
            one.leaving |= reason != Reason::Warning;
            let _ = one.line.send(Order::Send(frame.to_string()));
            if reason == Reason::LinkDisabled {
                let _ = one.line.send(Order::Close);
            }
        }
    }
}

/// Accepts connections for as long as the fake lives.
pub async fn run(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        if shared.model().faults.outage.is_none() {
            tokio::spawn(connection(stream, Arc::clone(&shared)));
        }
    }
}

/// One connection, from hello to its end.
async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let at_door = Arc::clone(&shared);
    #[expect(clippy::result_large_err, reason = "the library wants it so")]
    let admit = move |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        let query = request.uri().query().unwrap_or_default();
        let ticket = query.split('&').find_map(|pair| pair.strip_prefix("ticket=")).unwrap_or_default();
        let good = at_door.change(|model| model.sockets.tickets.remove(ticket));
        if good { Ok(response) } else { Err(refused()) }
    };
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, admit).await else { return };
    let (line, mut orders) = unbounded_channel();
    let (id, ping) = shared.change(|model| welcome(model, line));
    let mut pings = tokio::time::interval(ping);
    pings.tick().await;
    let mut frozen = false;
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Send(text)) => if !frozen && socket.send(Frame::text(text)).await.is_err() { break },
                Some(Order::Freeze) => frozen = true,
                Some(Order::Close) => {
                    let _ = socket.close(None).await;
                    break;
                }
                Some(Order::Cut) | None => break,
            },
            _ = pings.tick(), if !frozen => {
                if socket.send(Frame::Ping("ping from the fake".into())).await.is_err() { break }
            }
            frame = socket.next(), if !frozen => match frame {
                Some(Ok(Frame::Text(text))) => shared.change(|model| hear(model, &text)),
                // The library answers it with the next thing that is sent or read.
                Some(Ok(Frame::Ping(_))) => {
                    shared.change(|model| model.sockets.pings += 1);
                    if socket.flush().await.is_err() { break }
                }
                Some(Ok(Frame::Close(_))) => {
                    let _ = socket.flush().await;
                    break;
                }
                Some(Ok(_)) => {}
                _ => break,
            },
        }
    }
    shared.change(|model| model.sockets.all.retain(|one| one.id != id));
}

fn refused() -> ErrorResponse {
    let mut response = ErrorResponse::new(Some("this link is not good".into()));
    *response.status_mut() = axum::http::StatusCode::FORBIDDEN;
    response
}

fn welcome(model: &mut Model, line: UnboundedSender<Order>) -> (u64, std::time::Duration) {
    model.sockets.last += 1;
    model.sockets.opened += 1;
    let id = model.sockets.last;
    let hello = json!({
        "type": "hello", "num_connections": model.sockets.count() + 1,
        "debug_info": {"host": "applink-fake", "build_number": 10, "approximate_connection_time": 18_060},
        "connection_info": {"app_id": model.app.id.to_string()},
    });
    let _ = line.send(Order::Send(hello.to_string()));
    if model.faults.close_at_once {
        let _ = line.send(Order::Close);
    }
    // By now Slack too has noticed what is dead.
    model.sockets.all.iter().filter(|one| one.frozen).for_each(|one| {
        let _ = one.line.send(Order::Cut);
    });
    model.sockets.all.retain(|one| !one.frozen);
    model.sockets.all.push(Socket { id, line, leaving: false, frozen: false });
    (id, model.timing.ping)
}

/// An acknowledgement.
fn hear(model: &mut Model, text: &str) {
    let Ok(ack) = serde_json::from_str::<Value>(text) else {
        model.violations.push(format!("a frame that is no JSON: {text}"));
        return;
    };
    let id = ack["envelope_id"].as_str().unwrap_or_default();
    let payload = ack.get("payload").filter(|it| !it.is_null()).cloned();
    model.acknowledge(id, payload);
}
