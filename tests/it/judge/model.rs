//! A language model of our own making: a real server that speaks chat completions, well or badly.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What it does with a request.
#[derive(Clone)]
pub enum Mood {
    /// A verdict ("met", quote) a key point.
    Says(Vec<(&'static str, &'static str)>),
    /// This is the message of the completion.
    Message(String),
    /// This is the whole body.
    Body(String),
    Status(u16),
    /// Takes the request and never answers.
    Silent,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub authorization: Option<String>,
    pub body: Value,
}

impl Seen {
    /// What the user message holds.
    pub fn data(&self) -> Value {
        serde_json::from_str(self.body["messages"][1]["content"].as_str().expect("a user message")).expect("JSON")
    }
}

/// A running one.
#[derive(Clone)]
pub struct Model {
    pub url: String,
    inner: Arc<Inner>,
}

struct Inner {
    mood: Mutex<Mood>,
    seen: Mutex<Vec<Seen>>,
    /// True while answers are held back.
    held: watch::Sender<bool>,
}

impl Model {
    pub async fn start(mood: Mood) -> Model {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let inner = Inner { mood: Mutex::new(mood), seen: Mutex::default(), held: watch::Sender::new(false) };
        let inner = Arc::new(inner);
        let router = Router::new().route("/v1/chat/completions", post(complete)).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Model { url, inner }
    }

    pub fn change(&self, mood: Mood) {
        *self.inner.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    /// Answers only after [`Model::release`].
    pub fn hold(&self) {
        self.inner.held.send_replace(true);
    }

    pub fn release(&self) {
        self.inner.held.send_replace(false);
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The address of nobody.
pub async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    format!("http://{}/v1", listener.local_addr().expect("an address"))
}

async fn complete(State(model): State<Arc<Inner>>, headers: HeaderMap, body: String) -> Response {
    let authorization = headers.get("authorization").map(|value| value.to_str().expect("plain").to_owned());
    let seen = Seen { authorization, body: serde_json::from_str(&body).expect("JSON") };
    model.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    let _ = model.held.subscribe().wait_for(|held| !held).await;
    let mood = model.mood.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match mood {
        Mood::Says(verdicts) => completion(&points(&verdicts).to_string()),
        Mood::Message(text) => completion(&text),
        Mood::Body(text) => text.into_response(),
        Mood::Status(code) => {
            let status = StatusCode::from_u16(code).expect("a status");
            // Some say the key and what was sent again.
            (status, format!("{authorization:?} {body}", authorization = headers.get("authorization"))).into_response()
        }
        Mood::Silent => std::future::pending().await,
    }
}

pub fn points(verdicts: &[(&str, &str)]) -> Value {
    let numbered = verdicts.iter().enumerate();
    let points = numbered.map(|(at, (verdict, quote))| json!({"point": at + 1, "verdict": verdict, "quote": quote}));
    json!({ "points": points.collect::<Vec<_>>() })
}

fn completion(content: &str) -> Response {
    let message = json!({"role": "assistant", "content": content});
    let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
    let body = json!({"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]});
    ([("content-type", "application/json")], body.to_string()).into_response()
}
