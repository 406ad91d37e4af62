//! The fake against real clients: slack-morphism for Socket Mode and typed calls, reqwest for everything else.

mod events_api;
mod people;
mod socket;
mod web;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use slack_morphism::clients_manager::{SlackSocketModeClientsManager, SlackSocketModeClientsManagerFactory};
use slack_morphism::prelude::*;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Fake, Id};

type Connector = SlackClientHyperConnector<HttpConnector>;
type Manager = dyn SlackSocketModeClientsManager + Send + Sync;

/// A small app: every envelope goes into a queue and is acknowledged, requests are made by hand.
struct App {
    web: Web,
    heard: Arc<Heard>,
    frames: tokio::sync::Mutex<UnboundedReceiver<Value>>,
    manager: Arc<Manager>,
}

/// The Web API alone.
struct Web {
    http: reqwest::Client,
    url: String,
    token: String,
}

struct Heard {
    queue: UnboundedSender<Value>,
    /// Whether envelopes are acknowledged.
    acking: AtomicBool,
    /// What the next acknowledgements of commands and forms carry.
    payloads: std::sync::Mutex<VecDeque<Value>>,
    manager: OnceLock<Weak<Manager>>,
}

impl Heard {
    async fn restart(&self, id: &SlackSocketModeWssClientId) {
        if let Some(manager) = self.manager.get().and_then(Weak::upgrade) {
            manager.restart_client(id).await;
        }
    }
}

#[serenity::async_trait]
impl SlackSocketModeClientListener for Heard {
    async fn on_message(&self, id: &SlackSocketModeWssClientId, body: String) -> Option<String> {
        let frame: Value = serde_json::from_str(&body).expect("frames are JSON");
        if frame["type"] == "disconnect" && frame["reason"] != "warning" {
            self.restart(id).await;
        }
        let _ = self.queue.send(frame.clone());
        let envelope = frame["envelope_id"].as_str()?;
        let mut ack = json!({"envelope_id": envelope});
        if frame["accepts_response_payload"] == true
            && let Some(payload) = self.payloads.lock().expect("no panic").pop_front()
        {
            ack["payload"] = payload;
        }
        self.acking.load(Ordering::Relaxed).then(|| ack.to_string())
    }

    async fn on_error(&self, _: Box<dyn std::error::Error + Send + Sync>) {}

    async fn on_disconnect(&self, id: &SlackSocketModeWssClientId) {
        self.restart(id).await;
    }
}

fn client(fake: &Fake) -> Arc<SlackClient<Connector>> {
    let connector = Connector::with_connector(HttpConnector::new()).with_slack_api_url(&fake.api_url());
    Arc::new(SlackClient::new(connector))
}

impl Web {
    fn new(fake: &Fake, team: Id) -> Web {
        Web { http: reqwest::Client::new(), url: fake.api_url(), token: fake.token(team) }
    }

    async fn try_call(&self, method: &str, body: &Value) -> reqwest::Result<reqwest::Response> {
        let request = self.http.post(format!("{}/{method}", self.url)).bearer_auth(&self.token);
        request.header("content-type", "application/json; charset=utf-8").body(body.to_string()).send().await
    }

    /// With JSON.
    async fn call(&self, method: &str, body: Value) -> Value {
        let response = self.try_call(method, &body).await.expect("an answer");
        response.json().await.expect("JSON")
    }

    /// With a query.
    async fn read(&self, method: &str, query: &[(&str, &str)]) -> Value {
        let request = self.http.get(format!("{}/{method}", self.url)).bearer_auth(&self.token).query(query);
        request.send().await.expect("an answer").json().await.expect("JSON")
    }

    async fn post(&self, channel: Id, text: &str) -> Value {
        self.call("chat.postMessage", message(channel, text)).await
    }
}

impl App {
    async fn start(fake: &Fake, team: Id) -> App {
        App::start_with(fake, team, 1).await
    }

    async fn start_with(fake: &Fake, team: Id, sockets: u32) -> App {
        let (queue, frames) = unbounded_channel();
        let client = client(fake);
        let environment = Arc::new(SlackClientEventsListenerEnvironment::new(Arc::clone(&client)));
        let manager = client.http_api.connector.new_clients_manager(environment);
        let heard = Arc::new(Heard {
            queue,
            acking: AtomicBool::new(true),
            payloads: std::sync::Mutex::default(),
            manager: OnceLock::new(),
        });
        let _ = heard.manager.set(Arc::downgrade(&manager));
        let config = SlackClientSocketModeConfig::new()
            .with_max_connections_count(sockets)
            .with_initial_backoff_in_seconds(0)
            .with_reconnect_timeout_in_seconds(1);
        let token = SlackApiToken::new(fake.app_token().into());
        let listener: Arc<dyn SlackSocketModeClientListener + Send + Sync> = Arc::<Heard>::clone(&heard);
        manager.register_new_token(&config, token, listener).await.expect("registered");
        manager.start().await;
        fake.connected_times(sockets.try_into().expect("a few")).await;
        let app = App { web: Web::new(fake, team), heard, frames: tokio::sync::Mutex::new(frames), manager };
        for _ in 0..sockets {
            assert_eq!(app.next().await["type"], "hello");
        }
        app
    }

    async fn next(&self) -> Value {
        let frame = async { self.frames.lock().await.recv().await };
        tokio::time::timeout(Duration::from_secs(20), frame).await.expect("a frame in time").expect("a living client")
    }

    /// The payload of the next envelope of a type; what comes before it is passed over.
    async fn next_of(&self, kind: &str) -> Value {
        loop {
            let mut frame = self.next().await;
            if frame["type"] == kind {
                return frame["payload"].take();
            }
        }
    }

    /// The next event of a type.
    async fn event(&self, kind: &str) -> Value {
        loop {
            let mut payload = self.next_of("events_api").await;
            if payload["event"]["type"] == kind {
                return payload["event"].take();
            }
        }
    }

    async fn next_text(&self) -> String {
        self.event("message").await["text"].as_str().unwrap_or_default().to_owned()
    }

    async fn has_heard_nothing(&self) -> bool {
        self.frames.lock().await.try_recv().is_err()
    }

    fn acking(&self, on: bool) {
        self.heard.acking.store(on, Ordering::Relaxed);
    }

    /// What the next acknowledgement that may carry something carries.
    fn answer_with(&self, payload: Value) {
        self.heard.payloads.lock().expect("no panic").push_back(payload);
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let manager = Arc::clone(&self.manager);
        tokio::spawn(async move { manager.shutdown().await });
    }
}

fn message(channel: Id, text: &str) -> Value {
    json!({"channel": channel.to_string(), "text": text, "unfurl_links": false, "unfurl_media": false})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
}

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text})
}

fn button(label: &str, action: &str) -> Value {
    json!({"type": "button", "text": plain(label), "action_id": action, "value": "1"})
}

/// A form with one input.
fn form(title: &str) -> Value {
    let input = json!({"type": "plain_text_input", "action_id": "words", "multiline": true, "max_length": 100});
    json!({
        "type": "modal", "title": plain(title), "submit": plain("Send"), "close": plain("Cancel"), "callback_id": "answer",
        "blocks": [{"type": "input", "block_id": "answer", "label": plain("Answer"), "element": input}],
    })
}

/// A workspace with a channel and two members.
struct Place {
    fake: Fake,
    team: Id,
    channel: Id,
    ann: Id,
    bob: Id,
}

async fn place() -> Place {
    let fake = Fake::start().await;
    fake.with(|model| model.not_the_bot = true);
    let team = fake.workspace("Study group");
    let channel = fake.public_channel(team, "daily-drill");
    let ann = fake.admin(team, "Ann");
    let bob = fake.member(team, "Bob");
    Place { fake, team, channel, ann, bob }
}

fn ts_of(answer: &Value) -> super::Ts {
    answer["ts"].as_str().and_then(|ts| ts.parse().ok()).unwrap_or_else(|| panic!("no ts: {answer}"))
}
