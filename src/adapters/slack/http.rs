//! The Events API: what Slack sends to an address of ours, in place of Socket Mode. Nothing is done, and little is read, before a request
//! has proved where it comes from. Source: <https://docs.slack.dev/authentication/verifying-requests-from-slack>.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;
use slack_morphism::prelude::SlackSigningSecret;
use slack_morphism::signature_verifier::SlackEventSignatureVerifier as Verifier;

use super::Slack;
use super::events::{Delivery, Ears};
use super::manifest::EVENTS_PATH;

/// Slack's largest are a few ten kilobytes; a form's answers have 3,000 characters each.
const MAX_BODY: usize = 1024 * 1024;
/// A request that takes longer to arrive is none of Slack's, which itself gives up after three seconds.
const ARRIVES_WITHIN: Duration = Duration::from_secs(3);
/// A signature is good from five minutes before its time to five minutes after.
const REMEMBERED: Duration = Duration::from_secs(2 * Verifier::MAX_TIMESTAMP_AGE_SECONDS as u64);

/// Why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// Not signed, or not by Slack, or not now, or for the second time.
    Unproven,
    TooLarge,
    Unreadable,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::Unproven => StatusCode::UNAUTHORIZED,
            Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Unreadable => StatusCode::BAD_REQUEST,
        }
        .into_response()
    }
}

struct Door {
    ears: Ears,
    verifier: Verifier,
    used: Mutex<Used>,
}

/// Signatures that have been good once.
#[derive(Default)]
struct Used {
    all: HashSet<String>,
    order: VecDeque<(Instant, String)>,
}

impl Used {
    /// True the first time.
    fn note(&mut self, signature: &str, now: Instant) -> bool {
        while let Some((at, _)) = self.order.front()
            && now.duration_since(*at) > REMEMBERED
        {
            if let Some((_, old)) = self.order.pop_front() {
                self.all.remove(&old);
            }
        }
        if !self.all.insert(signature.to_owned()) {
            return false;
        }
        self.order.push_back((now, signature.to_owned()));
        true
    }
}

/// The address for Slack, with the signing secret that proves its requests.
pub(super) fn router(slack: &Slack, signing_secret: &str) -> Router {
    let door = Door {
        ears: Ears { slack: slack.clone() },
        verifier: Verifier::new(&SlackSigningSecret::new(signing_secret.to_owned())),
        used: Mutex::default(),
    };
    Router::new().route(EVENTS_PATH, post(knock)).layer(DefaultBodyLimit::max(MAX_BODY)).with_state(Arc::new(door))
}

async fn knock(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Refusal> {
    let headers = request.headers().clone();
    let (signature, time) = proof(&headers)?;
    let body = read(request).await?;
    // What is no text is nothing that Slack has signed.
    let body = std::str::from_utf8(&body).map_err(|_| Refusal::Unproven)?;
    door.verifier.verify(signature, body, time).map_err(|_| Refusal::Unproven)?;
    if !door.used.lock().unwrap_or_else(PoisonError::into_inner).note(signature, Instant::now()) {
        return Err(Refusal::Unproven);
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/json") { door.event(body) } else { door.form(body) }
}

/// The signature, and the time at which it was made.
fn proof(headers: &HeaderMap) -> Result<(&str, &str), Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).ok_or(Refusal::Unproven);
    Ok((text(Verifier::SLACK_SIGNED_HASH_HEADER)?, text(Verifier::SLACK_SIGNED_TIMESTAMP)?))
}

async fn read(request: Request) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(ARRIVES_WITHIN, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Refusal::TooLarge),
        Ok(Err(_)) | Err(_) => Err(Refusal::Unreadable),
    }
}

impl Door {
    fn event(&self, body: &str) -> Result<Response, Refusal> {
        let payload: Value = serde_json::from_str(body).map_err(|_| Refusal::Unreadable)?;
        match payload["type"].as_str() {
            // Slack asks whether this address is ours.
            Some("url_verification") => {
                let challenge = payload["challenge"].as_str().ok_or(Refusal::Unreadable)?.to_owned();
                return Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], challenge).into_response());
            }
            Some("event_callback") => drop(self.ears.hear(Delivery::Event, payload)),
            Some("app_rate_limited") => {
                tracing::warn!("Slack leaves out events of this hour; threads are read again");
                self.ears.begun();
            }
            Some(_) => {}
            None => return Err(Refusal::Unreadable),
        }
        Ok(StatusCode::OK.into_response())
    }

    fn form(&self, body: &str) -> Result<Response, Refusal> {
        let fields: serde_json::Map<String, Value> = form_urlencoded::parse(body.as_bytes())
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect();
        let answer = match fields.get("payload").and_then(Value::as_str) {
            Some(payload) => {
                let payload = serde_json::from_str(payload).map_err(|_| Refusal::Unreadable)?;
                self.ears.hear(Delivery::Interaction, payload)
            }
            None if fields.contains_key("command") => self.ears.hear(Delivery::Command, Value::Object(fields)),
            // Slack looks whether our certificate is good.
            None if fields.contains_key("ssl_check") => None,
            None => return Err(Refusal::Unreadable),
        };
        Ok(answer.map_or_else(|| StatusCode::OK.into_response(), |answer| axum::Json(answer).into_response()))
    }
}
