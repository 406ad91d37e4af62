//! Slack's Web API, as far as the drill needs it: paced by what Slack allows, and exact about what is certain after a failure.
//! Sources: <https://docs.slack.dev/apis/web-api/rate-limits> and the pages of the methods.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use slack_morphism::errors::SlackClientError;
use slack_morphism::hyper_tokio::SlackClientHyperConnector;
use slack_morphism::{
    SlackApiToken, SlackApiTokenValue, SlackClient, SlackClientApiCallContext, SlackClientHttpApiUri,
    SlackClientHttpConnector,
};

use super::install::{Exchanged, OAuth};
use super::manifest;

pub type Connector = SlackClientHyperConnector<HttpsConnector<HttpConnector>>;

/// One attempt; shorter than the lease of a delivery. Slack's client has no limit of its own.
const PATIENCE: Duration = Duration::from_secs(8);
/// Attempts of one call before the caller hears of it.
const ATTEMPTS: u32 = 3;
/// A pause is waited for here when it is no longer; else it goes back to the caller, so that nobody of another workspace waits behind it.
const LONGEST_PAUSE: Duration = Duration::from_millis(1_200);
/// When a workspace as a whole sends more than it may.
const A_WHILE: Duration = Duration::from_secs(60);
/// Between two messages of ours in one channel.
const BETWEEN_MESSAGES: Duration = Duration::from_secs(1);
/// Places (channels, or methods of a workspace) whose pauses are remembered before those that are over are forgotten.
const REMEMBERED: usize = 10_000;

/// Why a call did not give what was asked.
#[derive(Debug)]
pub enum Failure {
    /// It did not happen; it may after this time.
    Busy { after: Duration, why: String },
    /// Slack said no, with this code (`not_in_channel`).
    Refused { code: String, why: String },
    /// It may have happened.
    Lost { why: String },
}

impl Failure {
    pub fn code(&self) -> &str {
        match self {
            Failure::Refused { code, .. } => code,
            _ => "",
        }
    }

    pub fn why(&self) -> &str {
        let (Failure::Busy { why, .. } | Failure::Refused { why, .. } | Failure::Lost { why }) = self;
        why
    }
}

/// A token, and the workspace it is for. Shows itself to nobody.
#[derive(Clone)]
pub struct Token {
    team: String,
    token: SlackApiToken,
}

impl Token {
    /// `team` is empty where a token is for the app as a whole.
    pub fn new(team: &str, token: &str) -> Token {
        Token { team: team.to_owned(), token: SlackApiToken::new(SlackApiTokenValue(token.to_owned())) }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a token for {}", self.team)
    }
}

/// An answer that nobody needs; it may be "ok" and no JSON at all.
#[derive(Deserialize)]
struct Ignored {}

/// A request.
#[derive(Clone, Copy)]
enum Ask<'a> {
    Get(&'a [(&'static str, String)]),
    Post(&'a Value),
    /// To an address that lets in whoever knows it.
    To(&'a Url, &'a Value),
}

pub struct Api {
    client: Arc<SlackClient<Connector>>,
    /// Of channels: when the next message of ours may go there.
    messages: Pauses<(String, String)>,
    /// Of methods in a workspace: until when Slack asked for silence.
    silences: Pauses<(String, &'static str)>,
}

impl Api {
    /// `base` is `https://slack.com`, or another address with the same paths.
    pub fn new(base: &str) -> Api {
        let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        let connector = SlackClientHyperConnector::with_connector(connector)
            .with_slack_api_url(&format!("{}/api", base.trim_end_matches('/')));
        Api { client: Arc::new(SlackClient::new(connector)), messages: Pauses::default(), silences: Pauses::default() }
    }

    /// The client itself, for Socket Mode.
    pub fn client(&self) -> Arc<SlackClient<Connector>> {
        self.client.clone()
    }

    /// Asks for something that changes nothing; repeated as often as it takes.
    ///
    /// # Errors
    /// See [`Failure`]; never [`Failure::Lost`].
    pub async fn get<T>(
        &self,
        token: &Token,
        method: &'static str,
        parameters: &[(&'static str, String)],
    ) -> Result<T, Failure>
    where
        T: DeserializeOwned + Send,
    {
        self.attempts(token, method, true, Ask::Get(parameters)).await.map_err(|failure| match failure {
            Failure::Lost { why } => Failure::Busy { after: Duration::from_secs(1), why },
            other => other,
        })
    }

    /// Does something that may be done twice (an edit, a reaction, a view): repeated like [`Api::get`].
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn repeat<T>(&self, token: &Token, method: &'static str, body: &Value) -> Result<T, Failure>
    where
        T: DeserializeOwned + Send,
    {
        self.attempts(token, method, true, Ask::Post(body)).await
    }

    /// Does something that must not be done twice.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn once<T>(&self, token: &Token, method: &'static str, body: &Value) -> Result<T, Failure>
    where
        T: DeserializeOwned + Send,
    {
        self.attempts(token, method, false, Ask::Post(body)).await
    }

    /// Exchanges the code that somebody's consent has brought for the token of their workspace.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn exchange(&self, oauth: &OAuth, code: &str, back: &str) -> Result<Exchanged, Failure> {
        const METHOD: &str = "oauth.v2.access";
        let connector = &self.client.http_api.connector;
        let ask = async {
            let parameters = [("code", Some(code)), ("redirect_uri", Some(back))];
            let url = connector.create_method_uri_path(METHOD)?;
            let url = SlackClientHttpApiUri::create_url_with_params(url, &parameters)?;
            let (id, secret) = (oauth.client_id.clone().into(), oauth.client_secret.clone().into());
            connector.http_get_with_client_secret(url, &id, &secret).await
        };
        match tokio::time::timeout(PATIENCE, ask).await {
            Ok(answered) => answered.map_err(|error| judge(METHOD, &error)),
            Err(_) => Err(Failure::Lost { why: format!("Slack did not answer {METHOD} in time") }),
        }
    }

    /// Posts a message into a channel: once, and one a second.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn post<T>(&self, token: &Token, channel: &str, body: &Value) -> Result<T, Failure>
    where
        T: DeserializeOwned + Send,
    {
        let pause = self.messages.next((token.team.clone(), channel.to_owned()), BETWEEN_MESSAGES, LONGEST_PAUSE);
        match pause {
            Ok(pause) => tokio::time::sleep(pause).await,
            Err(after) => return Err(Failure::Busy { after, why: "one message a second in a channel".to_owned() }),
        }
        self.once(token, "chat.postMessage", body).await
    }

    /// Answers an interaction at the address that came with it, which lets in whoever knows it.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn respond(&self, url: &str, body: &Value) -> Result<(), Failure> {
        let url: Url = url.parse().map_err(|_| Failure::Refused {
            code: "invalid_url".to_owned(),
            why: "Slack's address for an answer cannot be read".to_owned(),
        })?;
        let nobody = Token::new("", "");
        self.attempts::<Ignored>(&nobody, "response_url", true, Ask::To(&url, body)).await.map(drop)
    }

    async fn attempts<T>(
        &self,
        token: &Token,
        method: &'static str,
        repeatable: bool,
        ask: Ask<'_>,
    ) -> Result<T, Failure>
    where
        T: DeserializeOwned + Send,
    {
        debug_assert!(matches!(ask, Ask::To(..)) || manifest::covers(method), "the manifest knows nothing of {method}");
        let team = token.team.as_str();
        let place = (team.to_owned(), method);
        let mut attempt = 0;
        loop {
            attempt += 1;
            let silence = self.silences.left(&place);
            if silence > LONGEST_PAUSE {
                return Err(Failure::Busy { after: silence, why: format!("Slack asks to slow down with {method}") });
            }
            tokio::time::sleep(silence).await;
            let asked = tokio::time::timeout(PATIENCE, self.ask(token, method, ask)).await;
            let failure = match asked {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => {
                    if let Some(pause) = asks_to_slow_down(&error) {
                        tracing::warn!(method, team, after_ms = pause.as_millis(), "Slack asks to slow down");
                        self.silences.keep(place.clone(), pause);
                    }
                    judge(method, &error)
                }
                Err(_) => Failure::Lost { why: format!("Slack did not answer {method} in time") },
            };
            let pause = match &failure {
                Failure::Refused { .. } => return Err(failure),
                Failure::Busy { after, .. } => (*after).max(backoff(attempt)),
                Failure::Lost { .. } if !repeatable => return Err(failure),
                Failure::Lost { .. } => backoff(attempt),
            };
            if attempt >= ATTEMPTS || pause > LONGEST_PAUSE {
                return Err(failure);
            }
            tracing::debug!(method, attempt, pause_ms = pause.as_millis(), why = failure.why(), "calling again");
            tokio::time::sleep(pause).await;
        }
    }
}

impl Api {
    async fn ask<T>(&self, token: &Token, method: &str, ask: Ask<'_>) -> Result<T, SlackClientError>
    where
        T: DeserializeOwned + Send,
    {
        let api = self.client.open_session(&token.token).http_session_api;
        match ask {
            Ask::Get(parameters) => {
                let all: Vec<(&str, Option<&String>)> =
                    parameters.iter().map(|(key, value)| (*key, Some(value))).collect();
                api.http_get(method, &all, None).await
            }
            Ask::Post(body) => api.http_post(method, body, None).await,
            Ask::To(url, body) => {
                let context = SlackClientApiCallContext {
                    rate_control_params: None,
                    token: None,
                    tracing_span: &api.span,
                    is_sensitive_url: true,
                };
                self.client.http_api.connector.http_post_uri(url.clone(), body, context).await
            }
        }
    }
}

/// What is certain after a failure. Nothing of what Slack said but its code goes on: an answer may repeat what members wrote.
fn judge(method: &str, error: &SlackClientError) -> Failure {
    /// Codes with which Slack says that it is at a loss itself.
    const THEIRS: [&str; 7] = [
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
        "org_login_required",
        "update_failed",
    ];
    if let Some(after) = asks_to_slow_down(error) {
        return Failure::Busy { after, why: format!("Slack asks to slow down with {method}") };
    }
    match error {
        SlackClientError::ApiError(said) if THEIRS.contains(&said.code.as_str()) => {
            Failure::Lost { why: format!("Slack answers {} to {method}", said.code) }
        }
        SlackClientError::ApiError(said) => {
            let needed = said.http_response_body.as_deref().and_then(needed_scope);
            let needed = needed.map_or_else(String::new, |scope| format!(" (it needs {scope})"));
            Failure::Refused { code: said.code.clone(), why: format!("Slack refuses {method}: {}{needed}", said.code) }
        }
        SlackClientError::HttpError(said) if said.status_code.is_client_error() => Failure::Refused {
            code: said.status_code.as_str().to_owned(),
            why: format!("Slack answers {} to {method}", said.status_code),
        },
        SlackClientError::HttpError(said) => {
            Failure::Lost { why: format!("Slack answers {} to {method}", said.status_code) }
        }
        SlackClientError::HttpProtocolError(broken) => {
            let cause = broken.cause.as_deref().and_then(|cause| cause.downcast_ref());
            let unsent = cause.is_some_and(hyper_util::client::legacy::Error::is_connect);
            let why = "Slack could not be reached".to_owned();
            if unsent { Failure::Busy { after: Duration::from_secs(1), why } } else { Failure::Lost { why } }
        }
        _ => Failure::Lost { why: format!("Slack's answer to {method} cannot be read") },
    }
}

fn asks_to_slow_down(error: &SlackClientError) -> Option<Duration> {
    match error {
        SlackClientError::RateLimitError(limit) => Some(limit.retry_after.unwrap_or(Duration::from_secs(1))),
        SlackClientError::ApiError(said) => match said.code.as_str() {
            "ratelimited" | "rate_limited" => Some(Duration::from_secs(1)),
            "message_limit_exceeded" => Some(A_WHILE),
            _ => None,
        },
        _ => None,
    }
}

/// The scope that Slack misses.
fn needed_scope(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Said {
        needed: Option<String>,
    }
    serde_json::from_str::<Said>(body).ok()?.needed
}

/// 0.25 s, 0.5 s, 1 s ..
fn backoff(attempt: u32) -> Duration {
    Duration::from_millis(125 << attempt.min(6))
}

/// From when on something may happen again, by place.
struct Pauses<K>(Mutex<HashMap<K, Instant>>);

impl<K> Default for Pauses<K> {
    fn default() -> Self {
        Pauses(Mutex::default())
    }
}

impl<K: Eq + Hash> Pauses<K> {
    /// Takes the next turn: how long to wait for it, or, when that is more than `at_most`, how long it would have been.
    fn next(&self, place: K, between: Duration, at_most: Duration) -> Result<Duration, Duration> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        forget(&mut all, now);
        let turn = all.get(&place).map_or(now, |free| now.max(*free));
        let wait = turn - now;
        if wait > at_most {
            return Err(wait);
        }
        all.insert(place, turn + between);
        Ok(wait)
    }

    /// Nothing is to happen for so long.
    fn keep(&self, place: K, pause: Duration) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        forget(&mut all, now);
        let until = now + pause;
        all.entry(place).and_modify(|known| *known = until.max(*known)).or_insert(until);
    }

    fn left(&self, place: &K) -> Duration {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(place).map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }
}

fn forget<K: Eq + Hash>(all: &mut HashMap<K, Instant>, now: Instant) {
    if all.len() >= REMEMBERED {
        all.retain(|_, until| *until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_one_after_the_other_and_not_from_too_far() {
        let pauses: Pauses<&str> = Pauses::default();
        let second = Duration::from_secs(1);
        assert_eq!(pauses.next("a", second, second), Ok(Duration::ZERO));
        assert_eq!(pauses.next("b", second, second), Ok(Duration::ZERO), "every place has its own turns");
        let wait = pauses.next("a", second, second).expect("the next turn is near");
        assert!(wait > Duration::from_millis(500) && wait <= second, "{wait:?}");
        assert!(pauses.next("a", second, second).expect_err("the third is not") > second);
        pauses.keep("c", 10 * second);
        assert!(pauses.left(&"c") > 5 * second);
        pauses.keep("c", second);
        assert!(pauses.left(&"c") > 5 * second, "the longest silence counts");
    }

    #[test]
    fn the_missing_scope_is_named() {
        assert_eq!(
            needed_scope(r#"{"ok":false,"needed":"chat:write","provided":"commands"}"#).as_deref(),
            Some("chat:write")
        );
        assert_eq!(needed_scope(r#"{"ok":false}"#), None);
    }
}
