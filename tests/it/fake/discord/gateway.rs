//! The gateway: sessions with their backlog, and the websocket connections that carry them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use serenity::all::GatewayIntents;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::Shared;
use super::model::{Id, Model, Permissions};
use super::wire::{self, Event};

/// All sessions and the doors to them.
#[derive(Default)]
pub struct Sessions {
    /// Where the gateway is, as `GET /gateway` tells.
    pub url: String,
    pub recommended_shards: u32,
    /// Sessions that may begin within five seconds; zero = any number, for tests that have no time.
    pub max_concurrency: u16,
    /// When the day's budget is full again.
    pub reset_after: Duration,
    /// Sessions begun so far; a day has 1000.
    pub identified: u32,
    pub resumed: u32,
    pub heartbeats: u32,
    all: Vec<Session>,
    /// Connections, identified or not.
    lines: Vec<UnboundedSender<Order>>,
    /// (session, name, content), as they were when they happened.
    held_back: Vec<Ready>,
}

struct Session {
    id: String,
    intents: GatewayIntents,
    shard: (u64, u64),
    seq: u64,
    /// What was sent, for a resume.
    backlog: Vec<(u64, String)>,
    line: Option<UnboundedSender<Order>>,
}

/// An event as one session gets it.
type Ready = (String, &'static str, Value);

/// What a connection is told to do.
#[derive(Clone, Debug)]
enum Order {
    Send(String),
    Close(u16, &'static str),
    Cut,
}

impl Model {
    /// Tells every session whom an event concerns, faults permitting.
    pub fn tell(&mut self, event: &Event) {
        if self.faults.drop_events > 0 {
            self.faults.drop_events -= 1;
            return;
        }
        let ready = self.ready(event);
        if self.faults.reorder_events > 0 {
            self.faults.reorder_events -= 1;
            self.sessions.held_back.extend(ready);
            return;
        }
        self.dispatch(&ready);
        if self.faults.double_events > 0 {
            self.faults.double_events -= 1;
            self.dispatch(&ready);
        }
        let late = std::mem::take(&mut self.sessions.held_back);
        self.dispatch(&late);
    }

    fn ready(&self, event: &Event) -> Vec<Ready> {
        let concerned = self.sessions.all.iter().filter(|session| self.concerns(event, session));
        concerned
            .filter_map(|session| {
                let content = session.intents.contains(GatewayIntents::MESSAGE_CONTENT);
                let (name, data) = event.on_wire(self, self.application.message_content && content)?;
                Some((session.id.clone(), name, data))
            })
            .collect()
    }

    fn dispatch(&mut self, all: &[Ready]) {
        for (id, name, data) in all {
            if let Some(session) = self.sessions.all.iter_mut().find(|session| session.id == *id) {
                self.violations.extend(session.dispatch(name, data));
            }
        }
    }

    fn concerns(&self, event: &Event, session: &Session) -> bool {
        let (channel, guild) = event.place(self);
        let shard = guild.map_or(0, |guild| (guild >> 22) % session.shard.1);
        let bot = self.application.bot;
        let gone = matches!(event, Event::GuildDelete(_) | Event::GuildAway(_));
        let there = guild.is_none_or(|guild| gone || self.bot_is_in(guild));
        if shard != session.shard.0 || !there {
            return false;
        }
        let intent = match event {
            Event::Interaction(_) => return true,
            Event::MessageCreate(_)
            | Event::MessageUpdate(_)
            | Event::MessageDelete(..)
            | Event::MessageDeleteBulk(..) => {
                if guild.is_some() {
                    GatewayIntents::GUILD_MESSAGES
                } else {
                    GatewayIntents::DIRECT_MESSAGES
                }
            }
            Event::MemberUpdate(_, user) if *user == bot => GatewayIntents::empty(),
            Event::MemberUpdate(..) => GatewayIntents::GUILD_MEMBERS,
            _ => GatewayIntents::GUILDS,
        };
        let visible = channel.is_none_or(|channel| self.permissions(channel, bot).contains(Permissions::VIEW_CHANNEL));
        session.intents.contains(intent) && visible
    }

    pub fn connected(&self) -> bool {
        self.sessions.all.iter().any(|session| session.line.is_some())
    }

    /// Closes or cuts every connection. Sessions stay, to be resumed.
    fn order(&mut self, order: &Order) {
        for line in std::mem::take(&mut self.sessions.lines) {
            let _ = line.send(order.clone());
            if matches!(order, Order::Send(_)) {
                self.sessions.lines.push(line);
            }
        }
    }

    /// The connections are lost without a word.
    pub fn cut(&mut self) {
        self.order(&Order::Cut);
    }

    pub fn close(&mut self, code: u16) {
        self.order(&Order::Close(code, "closed by a test"));
    }

    /// Asks for a new connection (op 7).
    pub fn reconnect_now(&mut self) {
        self.order(&Order::Send(json!({"op": 7, "d": null}).to_string()));
    }

    /// Says that the session is invalid (op 9); unless it is resumable it is forgotten.
    pub fn invalidate(&mut self, resumable: bool) {
        self.order(&Order::Send(json!({"op": 9, "d": resumable}).to_string()));
        if !resumable {
            self.sessions.all.clear();
        }
    }
}

impl Session {
    /// Numbers an event, keeps it and sends it. Returns what serenity would not understand of it.
    fn dispatch(&mut self, name: &str, data: &Value) -> Option<String> {
        self.seq += 1;
        let text = json!({"op": 0, "t": name, "s": self.seq, "d": data}).to_string();
        let wrong = misread(&text);
        self.backlog.push((self.seq, text.clone()));
        if let Some(line) = &self.line {
            let _ = line.send(Order::Send(text));
        }
        wrong
    }
}

/// What serenity does not understand of an event; it would drop it silently.
pub fn misread(text: &str) -> Option<String> {
    use serenity::all::{Event, GatewayEvent, Interaction};
    match serde_json::from_str::<GatewayEvent>(text) {
        Ok(GatewayEvent::Dispatch(_, Event::Unknown(_))) => Some(format!("serenity does not know this event: {text}")),
        Ok(GatewayEvent::Dispatch(_, Event::InteractionCreate(event))) => match event.interaction {
            Interaction::Modal(form)
                if form.data.components.iter().any(|row| row.components.is_empty() && u8::from(row.kind) != 10) =>
            {
                Some(format!("serenity loses what is in a label (use rows): {text}"))
            }
            _ => None,
        },
        Ok(_) => None,
        Err(error) => Some(format!("serenity cannot read an event ({error}): {text}")),
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

/// One connection, from Hello to its end.
async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let (line, mut orders) = unbounded_channel();
    let heartbeat = shared.change(|model| {
        model.sessions.lines.push(line.clone());
        model.timing.heartbeat.as_millis()
    });
    let _ = line.send(Order::Send(json!({"op": 10, "d": {"heartbeat_interval": heartbeat}}).to_string()));
    let mut session = None;
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Send(text)) => if socket.send(Frame::text(text)).await.is_err() { break },
                Some(Order::Close(code, reason)) => {
                    let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
                    let _ = socket.close(Some(frame)).await;
                    break;
                }
                Some(Order::Cut) | None => break,
            },
            frame = socket.next() => match frame {
                Some(Ok(Frame::Text(text))) => shared.change(|model| hear(model, &text, &line, &mut session)),
                Some(Ok(Frame::Close(frame))) => {
                    // A session that the bot closes with 1000 or 1001 cannot be resumed.
                    let over = frame.is_some_and(|frame| matches!(u16::from(frame.code), 1000 | 1001));
                    shared.change(|model| model.sessions.all.retain(|one| !over || Some(&one.id) != session.as_ref()));
                    break;
                }
                Some(Ok(_)) => {}
                _ => break,
            },
        }
    }
    shared.change(|model| forget(model, &line, session.as_deref(), &mut orders));
}

/// Takes a connection that has ended out of the model.
fn forget(
    model: &mut Model,
    line: &UnboundedSender<Order>,
    session: Option<&str>,
    orders: &mut UnboundedReceiver<Order>,
) {
    orders.close();
    model.sessions.lines.retain(|one| !one.same_channel(line));
    for one in model.sessions.all.iter_mut().filter(|one| Some(one.id.as_str()) == session) {
        if one.line.as_ref().is_some_and(|own| own.same_channel(line)) {
            one.line = None;
        }
    }
}

/// One message of the bot. Close codes: docs.discord.com/developers/topics/opcodes-and-status-codes.
fn hear(model: &mut Model, text: &str, line: &UnboundedSender<Order>, session: &mut Option<String>) {
    let close = |code, reason| {
        let _ = line.send(Order::Close(code, reason));
    };
    let Ok(message) = serde_json::from_str::<Value>(text) else { return close(4002, "Decode error") };
    let data = &message["d"];
    match message["op"].as_u64() {
        Some(1) => {
            model.sessions.heartbeats += 1;
            if !model.faults.no_heartbeat_ack {
                let _ = line.send(Order::Send(json!({"op": 11}).to_string()));
            }
        }
        Some(2) if session.is_some() => close(4005, "Already authenticated"),
        Some(2) if model.faults.close_identified.is_some() => {
            model.sessions.identified += 1;
            close(model.faults.close_identified.unwrap_or(4000), "closed by a test");
        }
        Some(2) => match identify(model, data, line) {
            Ok(id) => *session = Some(id),
            Err((code, reason)) => close(code, reason),
        },
        Some(6) => match resume(model, data, line) {
            Ok(id) => *session = Some(id),
            Err(None) => {
                let _ = line.send(Order::Send(json!({"op": 9, "d": false}).to_string()));
            }
            Err(Some((code, reason))) => close(code, reason),
        },
        Some(3 | 4 | 8) if session.is_some() => {}
        Some(3 | 4 | 8) => close(4003, "Not authenticated"),
        _ => close(4001, "Unknown opcode"),
    }
}

fn token_of(data: &Value) -> &str {
    data["token"].as_str().unwrap_or_default().trim_start_matches("Bot ")
}

/// Begins a session: READY, then the guilds of the shard.
fn identify(model: &mut Model, data: &Value, line: &UnboundedSender<Order>) -> Result<String, (u16, &'static str)> {
    if token_of(data) != model.application.token {
        return Err((4004, "Authentication failed."));
    }
    let bits = data["intents"].as_u64().ok_or((4013, "Invalid intent(s)."))?;
    let intents = GatewayIntents::from_bits(bits).ok_or((4013, "Invalid intent(s)."))?;
    let content = intents.contains(GatewayIntents::MESSAGE_CONTENT) && !model.application.message_content;
    let members = intents.contains(GatewayIntents::GUILD_MEMBERS) && !model.application.guild_members;
    if content || members || intents.contains(GatewayIntents::GUILD_PRESENCES) {
        return Err((4014, "Disallowed intent(s)."));
    }
    let shard = match data["shard"].as_array().map(Vec::as_slice) {
        Some([id, total]) => (id.as_u64().unwrap_or(u64::MAX), total.as_u64().unwrap_or_default()),
        _ => (0, 1),
    };
    if shard.0 >= shard.1 {
        return Err((4010, "Invalid shard."));
    }
    model.sessions.identified += 1;
    let id = format!("{:032x}", model.id());
    let mut session = Session { id: id.clone(), intents, shard, seq: 0, backlog: Vec::new(), line: Some(line.clone()) };
    let mine = |guild: &Id| model.bot_is_in(*guild) && (guild >> 22) % shard.1 == shard.0;
    let guilds: Vec<Id> = model.guilds.keys().copied().filter(mine).collect();
    let away = |id: &Id| json!({"id": id.to_string(), "unavailable": true});
    let ready = json!({
        "v": 10, "user": wire::own_user(model), "guilds": guilds.iter().map(away).collect::<Vec<Value>>(),
        "session_id": id, "resume_gateway_url": model.sessions.url, "shard": [shard.0, shard.1],
        "session_type": "normal", "private_channels": [], "relationships": [],
        "application": {"id": model.application.id.to_string(), "flags": wire::application_flags(model)},
    });
    let mut wrong = Vec::new();
    wrong.extend(session.dispatch("READY", &ready));
    if intents.contains(GatewayIntents::GUILDS) {
        for guild in guilds {
            let whole = wire::whole_guild(model, &model.guilds[&guild]);
            wrong.extend(session.dispatch("GUILD_CREATE", &whole));
        }
    }
    model.violations.extend(wrong);
    model.sessions.all.push(session);
    Ok(id)
}

/// Goes on with a session: what was missed, then RESUMED. `Err(None)` is Invalid Session.
fn resume(
    model: &mut Model,
    data: &Value,
    line: &UnboundedSender<Order>,
) -> Result<String, Option<(u16, &'static str)>> {
    if token_of(data) != model.application.token {
        return Err(Some((4004, "Authentication failed.")));
    }
    let sessions = &mut model.sessions;
    let session = sessions.all.iter_mut().find(|one| data["session_id"] == one.id.as_str()).ok_or(None)?;
    let seq = data["seq"].as_u64().unwrap_or_default();
    if seq > session.seq {
        return Err(Some((4007, "Invalid seq.")));
    }
    for (_, text) in session.backlog.iter().filter(|(number, _)| *number > seq) {
        let _ = line.send(Order::Send(text.clone()));
    }
    session.line = Some(line.clone());
    let wrong = session.dispatch("RESUMED", &json!({"_trace": []}));
    sessions.resumed += 1;
    let id = session.id.clone();
    model.violations.extend(wrong);
    Ok(id)
}
