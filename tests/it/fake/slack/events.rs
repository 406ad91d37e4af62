//! What goes to the app: events, commands and interactions, over a socket or to an address, again when they are not acknowledged.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use slack_morphism::prelude::{SlackCommandEvent, SlackEventCallbackBody, SlackInteractionEvent, SlackPushEvent};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;

use super::Shared;
use super::faults::Signature;
use super::manifest;
use super::model::{Id, Installed, Model, now_s};
use super::people::Answered;
use super::samples;
use super::socket::Sent;
use super::wire;

#[derive(Default)]
pub struct Deliveries {
    pub all: BTreeMap<String, Delivery>,
    pub acks: Vec<Ack>,
    /// What was posted to the app's own addresses.
    pub posts: Vec<Post>,
    courier: Option<UnboundedSender<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Event,
    Command,
    Interaction,
}

pub struct Delivery {
    pub what: What,
    pub payload: Value,
    /// Whether the acknowledgement may carry something.
    pub accepts_payload: bool,
    pub attempts: u32,
    pub sent: Instant,
    pub ack: Option<Ack>,
    /// Nothing more will come of it.
    pub over: bool,
    /// What the acknowledgement of a sent form did to it.
    pub answered: Option<Answered>,
    socket: Option<u64>,
}

/// That the app has got something.
#[derive(Clone, Debug)]
pub struct Ack {
    pub what: What,
    /// Since it was last sent.
    pub after: Duration,
    /// 0 for the first time.
    pub attempt: u32,
    pub payload: Option<Value>,
}

/// A request to the app's own address.
#[derive(Clone, Debug)]
pub struct Post {
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    /// `None` when there was no answer.
    pub status: Option<u16>,
}

/// Events that slack-morphism does not model: it passes them on as they are.
const PASSED_ON: [&str; 11] = [
    "tokens_revoked",
    "channel_left",
    "group_left",
    "group_rename",
    "group_archive",
    "group_unarchive",
    "group_deleted",
    "channel_shared",
    "channel_unshared",
    "team_rename",
    "app_mention",
];

impl What {
    /// As an envelope says it.
    pub fn word(self) -> &'static str {
        match self {
            What::Event => "events_api",
            What::Command => "slash_commands",
            What::Interaction => "interactive",
        }
    }
}

impl Model {
    pub fn courier(&mut self, courier: UnboundedSender<String>) {
        self.deliveries.courier = Some(courier);
    }

    /// Tells the app what happened in a channel, when its bot is there.
    pub fn tell_in(&mut self, channel: Id, name: &str, event: Value) {
        if let Some(team) = self.hearing(channel) {
            let shared = self.channels.get(&channel).is_some_and(|it| !it.shared_with.is_empty());
            self.tell(team, name, event, shared);
        }
    }

    /// Tells the app what happened in a workspace. `name` is what the manifest calls it.
    pub fn tell(&mut self, team: Id, name: &str, mut event: Value, shared: bool) {
        let Some(install) = self.install_of(team).cloned() else { return };
        // The last word about an installation goes out although it is gone.
        let last_word = matches!(name, "app_uninstalled" | "tokens_revoked");
        let hears = self.app.subscribed.contains(name) && manifest::hears(&install.scopes, name);
        if (install.state != Installed::Active && !last_word) || !hears {
            return;
        }
        if self.faults.drop_events > 0 {
            self.faults.drop_events -= 1;
            return;
        }
        if event["event_ts"].is_null() {
            event["event_ts"] = json!(self.ts().to_string());
        }
        for _ in 0..=std::mem::take(&mut self.faults.repeat_events) {
            let id = format!("Ev{}", self.unique().to_uppercase());
            let payload = json!({
                "token": self.app.verification_token, "team_id": team.to_string(),
                "context_team_id": team.to_string(), "context_enterprise_id": null,
                "api_app_id": self.app.id.to_string(), "event": event, "type": "event_callback", "event_id": id,
                "event_time": now_s(), "authorizations": [wire::authorization(team, install.bot)],
                "is_ext_shared_channel": shared, "event_context": format!("4-{team}-{id}"),
            });
            self.deliver(What::Event, payload, false);
        }
    }

    /// Sends an interaction or a command. Returns its envelope's id.
    pub fn ask(&mut self, what: What, payload: Value, accepts_payload: bool) -> String {
        if self.faults.double_interactions > 0 {
            self.faults.double_interactions -= 1;
            self.deliver(what, payload.clone(), accepts_payload);
        }
        self.deliver(what, payload, accepts_payload)
    }

    fn deliver(&mut self, what: What, payload: Value, accepts_payload: bool) -> String {
        if let Some(why) = misread(what, &payload) {
            self.violations.push(why);
        }
        self.violations.extend(samples::told(what, &payload));
        let everywhere = self.faults.every_socket && what == What::Event && self.address(what).is_none();
        let sockets: Vec<u64> = if everywhere { self.sockets.ids() } else { Vec::new() };
        let mut first = String::new();
        for socket in sockets.iter().map(|id| Some(*id)).chain(sockets.is_empty().then_some(None)) {
            let id = self.unique();
            let id = format!("{id:0>32}");
            let sent = Instant::now();
            let delivery = Delivery {
                what,
                payload: payload.clone(),
                accepts_payload,
                attempts: 0,
                sent,
                ack: None,
                over: false,
                answered: None,
                socket,
            };
            self.deliveries.all.insert(id.clone(), delivery);
            if self.address(what).is_none() {
                self.send_on_socket(&id, socket);
            }
            if let Some(courier) = &self.deliveries.courier {
                let _ = courier.send(id.clone());
            }
            first = id;
        }
        first
    }

    /// Where this kind goes when it does not go to a socket.
    fn address(&self, what: What) -> Option<&String> {
        let own = match what {
            What::Event => None,
            What::Command => self.app.commands_url.as_ref(),
            What::Interaction => self.app.interactions_url.as_ref(),
        };
        own.or(self.app.events_url.as_ref())
    }

    fn send_on_socket(&mut self, id: &str, to: Option<u64>) {
        let hidden = self.faults.hide_retries;
        let Some(it) = self.deliveries.all.get_mut(id) else { return };
        let mut frame = json!({
            "envelope_id": id, "type": it.what.word(), "payload": it.payload,
            "accepts_response_payload": it.accepts_payload,
        });
        if it.what == What::Event {
            let attempt = if hidden { 0 } else { it.attempts };
            frame["retry_attempt"] = json!(attempt);
            frame["retry_reason"] = json!(if attempt == 0 { "" } else { "timeout" });
        }
        let text = frame.to_string();
        it.sent = Instant::now();
        let sent = match to {
            Some(socket) => {
                self.sockets.send_to(socket, &text);
                Sent::To(socket)
            }
            None => self.sockets.send(&text, it.socket, self.faults.lose_at_refresh),
        };
        match sent {
            Sent::To(socket) => it.socket = Some(socket),
            Sent::Lost => it.over = true,
            Sent::Nowhere => {}
        }
    }

    /// The app has got something.
    pub fn acknowledge(&mut self, id: &str, payload: Option<Value>) {
        if self.faults.lose_acks > 0 {
            self.faults.lose_acks -= 1;
            return;
        }
        let Some(it) = self.deliveries.all.get_mut(id) else {
            self.violations.push(format!("an acknowledgement of {id:?}, which was never sent"));
            return;
        };
        if payload.as_ref().is_some_and(|it| *it != json!({})) && !it.accepts_payload {
            self.violations
                .push(format!("a payload in the acknowledgement of {}, which accepts none", it.payload["type"]));
        }
        let ack = Ack { what: it.what, after: it.sent.elapsed(), attempt: it.attempts, payload };
        let first = it.ack.is_none();
        it.ack.get_or_insert(ack.clone());
        let form = (first && it.payload["type"] == "view_submission").then(|| it.payload["view"]["id"].clone());
        self.keep("acknowledgement", ack.payload.as_ref().unwrap_or(&Value::Null));
        if let Some(form) = form {
            // At once, as Slack does: what the app does to the form afterwards comes afterwards.
            let view = form.as_str().and_then(|id| id.parse().ok());
            let answered = view.and_then(|view| self.answer_form(view, ack.payload.as_ref().unwrap_or(&Value::Null)));
            if let Some(it) = self.deliveries.all.get_mut(id) {
                it.answered = answered;
            }
        }
        self.deliveries.acks.push(ack);
    }
}

/// What slack-morphism does not understand of something that the fake is about to send.
pub fn misread(what: What, payload: &Value) -> Option<String> {
    let wrong = match what {
        What::Event => match serde_json::from_value::<SlackPushEvent>(payload.clone()) {
            Ok(SlackPushEvent::EventCallback(callback)) => {
                let kind = payload["event"]["type"].as_str().unwrap_or_default();
                let known = !matches!(callback.event, SlackEventCallbackBody::Unknown(_)) || PASSED_ON.contains(&kind);
                (!known).then(|| "it does not know this event".to_owned())
            }
            Ok(other) => Some(format!("it reads {other:?}")),
            Err(error) => Some(error.to_string()),
        },
        What::Command => serde_json::from_value::<SlackCommandEvent>(payload.clone()).err().map(|it| it.to_string()),
        What::Interaction => {
            serde_json::from_value::<SlackInteractionEvent>(payload.clone()).err().map(|it| it.to_string())
        }
    };
    wrong.map(|why| format!("slack-morphism does not read this {} ({why}): {payload}", what.word()))
}

/// Watches over everything that is sent, for as long as the fake lives.
pub async fn run(mut sent: UnboundedReceiver<String>, shared: Arc<Shared>) {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
    let client = client.expect("a client without TLS settings");
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            id = sent.recv() => match id {
                Some(id) => { under_way.spawn(see_through(client.clone(), Arc::clone(&shared), id)); }
                None => break,
            },
            Some(_) = under_way.join_next() => {}
        }
    }
}

/// Sends one thing until it is acknowledged or given up.
async fn see_through(client: reqwest::Client, shared: Arc<Shared>, id: String) {
    let mut reason = "http_timeout";
    for attempt in 0..4_u32 {
        if attempt > 0 {
            let wait = shared.model().timing.retries[usize::try_from(attempt - 1).unwrap_or(0)];
            tokio::time::sleep(wait).await;
            shared.change(|model| {
                if let Some(it) = model.deliveries.all.get_mut(&id) {
                    it.attempts = attempt;
                    let posted = model.deliveries.all.get(&id).is_some_and(|it| model.address(it.what).is_some());
                    if !posted {
                        model.send_on_socket(&id, None);
                    }
                }
            });
        }
        let within = shared.model().timing.ack;
        let request = shared.change(|model| model.request(&id, attempt, reason));
        match request {
            Some(post) => match send(&client, &shared, post, within).await {
                Ok(body) => shared.change(|model| model.acknowledge(&id, body)),
                Err(why) => reason = why,
            },
            None => {
                let done = |model: &Model| {
                    let it = model.deliveries.all.get(&id)?;
                    (it.ack.is_some() || it.over).then_some(())
                };
                shared.wait(within, done).await;
            }
        }
        let again = {
            let model = shared.model();
            let it = model.deliveries.all.get(&id);
            it.is_some_and(|it| it.ack.is_none() && !it.over && it.what == What::Event) && !model.faults.no_retries
        };
        if !again || reason == "no_retry" {
            break;
        }
    }
    shared.change(|model| {
        if let Some(it) = model.deliveries.all.get_mut(&id) {
            it.over = true;
        }
    });
}

impl Model {
    /// The request to the app's address, signed as the faults say; nothing when the app has sockets.
    fn request(&mut self, id: &str, attempt: u32, reason: &str) -> Option<Post> {
        let it = self.deliveries.all.get_mut(id)?;
        it.sent = Instant::now();
        let what = it.what;
        let body = match what {
            What::Event => it.payload.to_string(),
            What::Interaction => form([("payload", it.payload.to_string())]),
            What::Command => {
                let fields = it.payload.as_object()?.iter();
                form(fields.map(|(name, value)| {
                    (name.as_str(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                }))
            }
        };
        let url = self.address(what)?.clone();
        let kind = if what == What::Event { "application/json" } else { "application/x-www-form-urlencoded" };
        let mut headers = vec![
            ("content-type", kind.to_owned()),
            ("user-agent", "Slackbot 1.0 (+https://api.slack.com/robots)".to_owned()),
        ];
        if attempt > 0 && !self.faults.hide_retries {
            headers.push(("x-slack-retry-num", attempt.to_string()));
            headers.push(("x-slack-retry-reason", reason.to_owned()));
        }
        headers.extend(self.signed(&body));
        Some(Post { url, headers, body, status: None })
    }

    /// The two headers that prove where a body comes from.
    pub fn signed(&mut self, body: &str) -> Vec<(&'static str, String)> {
        let fault = self.faults.signatures.pop_front();
        let at = if fault == Some(Signature::Old) { now_s() - 360 } else { now_s() };
        let secret = if fault == Some(Signature::Wrong) { "another secret" } else { self.app.signing_secret.as_str() };
        let signature = signature(secret, at, body);
        match fault {
            Some(Signature::Missing) => Vec::new(),
            _ => vec![("x-slack-request-timestamp", at.to_string()), ("x-slack-signature", signature)],
        }
    }
}

/// Slack's v0 signature: HMAC-SHA256 over version, time and body. Source: docs.slack.dev/authentication/verifying-requests-from-slack.
pub fn signature(secret: &str, at_s: u64, body: &str) -> String {
    let mut key = [0_u8; 64];
    if secret.len() > key.len() {
        key[..32].copy_from_slice(&Sha256::digest(secret.as_bytes()));
    } else {
        key[..secret.len()].copy_from_slice(secret.as_bytes());
    }
    let inner = Sha256::new().chain_update(key.map(|byte| byte ^ 0x36)).chain_update(format!("v0:{at_s}:{body}"));
    let outer = Sha256::new().chain_update(key.map(|byte| byte ^ 0x5c)).chain_update(inner.finalize());
    format!("v0={}", data_encoding::HEXLOWER.encode(&outer.finalize()))
}

/// Fields as a form.
pub fn form<'a>(fields: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut url = reqwest::Url::parse("http://form").expect("an address");
    url.query_pairs_mut().extend_pairs(fields);
    url.query().unwrap_or_default().to_owned()
}

/// Posts to the app. The body of a 200, or in a word why it failed.
pub async fn send(
    client: &reqwest::Client,
    shared: &Shared,
    mut post: Post,
    within: Duration,
) -> Result<Option<Value>, &'static str> {
    let mut request = client.post(&post.url).timeout(within).body(post.body.clone());
    for (name, value) in &post.headers {
        request = request.header(*name, value);
    }
    let answer = async {
        let response = request.send().await?;
        let (status, last) = (response.status().as_u16(), response.headers().contains_key("x-slack-no-retry"));
        Ok((status, last, response.text().await?))
    };
    let answer: reqwest::Result<(u16, bool, String)> = answer.await;
    post.status = answer.as_ref().ok().map(|(status, ..)| *status);
    shared.change(|model| model.deliveries.posts.push(post));
    match answer {
        Ok((200, _, body)) if body.trim().is_empty() => Ok(None),
        Ok((200, _, body)) => Ok(Some(serde_json::from_str(&body).unwrap_or_else(|_| json!({"text": body})))),
        Ok((_, true, _)) => Err("no_retry"),
        Ok((300..=399, ..)) => Err("too_many_redirects"),
        Ok(_) => Err("http_error"),
        Err(error) if error.is_timeout() => Err("http_timeout"),
        Err(_) => Err("connection_failed"),
    }
}
