//! Socket Mode: two connections on which Slack tells what happens, kept by slack-morphism. Here is what they mean, how often they may begin
//! anew, what ends them for good, and how they stop. Source: <https://docs.slack.dev/apis/events-api/using-socket-mode>.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use slack_morphism::clients_manager::{SlackSocketModeClientsManager, SlackSocketModeClientsManagerFactory};
use slack_morphism::listener::SlackClientEventsListenerEnvironment;
use slack_morphism::{
    SlackApiToken, SlackApiTokenValue, SlackClientSocketModeConfig, SlackSocketModeClientListener,
    SlackSocketModeWssClientId,
};
use tokio::sync::{Notify, watch};

use super::api::{Failure, Token};
use super::events::{Delivery, Ears};

/// Slack loses what it would have sent on a connection that it is about to renew: the other one gets it.
const CONNECTIONS: u32 = 2;
/// Between the attempts of one connection. Slack allows few a minute, and an outage is not over sooner.
const RECONNECT_S: u64 = 5;
/// Pings without an answer before a connection is given up.
const PINGS: u64 = 3;
/// After Slack said that it renews a connection, what is still on its way comes within this time.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// A session that lasted so long was a good one.
const STEADY: Duration = Duration::from_secs(600);
/// Connections that are renewed at once within [`STEADY`]; each further one waits, the oftener the longer.
const RENEWALS: usize = 6;
const LONGEST_WAIT: Duration = Duration::from_secs(120);
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// Why the connection ended for good. An operator has to do something before a new start is of use.
#[derive(Debug)]
pub enum Ended {
    AppToken { code: String },
    BotToken { code: String },
    SocketModeOff,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::AppToken { code } => write!(
                f,
                "Slack does not accept the app token ({code}). Copy it again from the app's page (Basic Information, App-Level Tokens, \
                 scope connections:write; it begins with xapp-) into DRILLBOT_SLACK_APP_TOKEN or the file that slack.app_token_file \
                 names, see that Socket Mode is on, and start again"
            ),
            Ended::BotToken { code } => write!(
                f,
                "Slack does not accept the bot token ({code}). See that the app is installed in the workspace, copy its token again from \
                 the app's page (OAuth & Permissions; it begins with xoxb-) into DRILLBOT_SLACK_BOT_TOKEN or the file that \
                 slack.bot_token_file names, and start again"
            ),
            Ended::SocketModeOff => f.write_str(
                "Socket Mode is off, so Slack tells nothing of what happens. Switch it on on the app's page (Settings, Socket Mode), or \
                 have Slack call a public address instead (slack.signing_secret), and start again",
            ),
        }
    }
}

impl std::error::Error for Ended {}

/// Codes with which Slack refuses a token for good.
pub(super) const REFUSED: [&str; 8] = [
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "not_allowed_token_type",
    "no_permission",
    "missing_scope",
];
const SOCKET_MODE_OFF: &str = "socket_mode_not_enabled";

/// Listens until `stopping`.
///
/// # Errors
/// [`Ended`] when Slack refuses a token for good.
pub(super) async fn listen(ears: Ears, app_token: &str, mut stopping: watch::Receiver<bool>) -> anyhow::Result<()> {
    let mut failures = 0;
    loop {
        let begun = Instant::now();
        tokio::select! {
            ended = session(&ears, app_token) => ended?,
            () = told_to_stop(&mut stopping) => return Ok(()),
        }
        failures = if begun.elapsed() > STEADY { 1 } else { failures + 1 };
        tokio::select! {
            () = tokio::time::sleep(backoff(failures)) => {}
            () = told_to_stop(&mut stopping) => return Ok(()),
        }
    }
}

async fn told_to_stop(stopping: &mut watch::Receiver<bool>) {
    // When nobody is left who could tell, that is the end too.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// 1 s, 2 s, 4 s .. 2 min.
pub(super) fn backoff(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.saturating_sub(1).min(10)).min(LONGEST_WAIT)
}

/// Stays connected until nothing has been heard for long.
async fn session(ears: &Ears, app_token: &str) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Opened {}
    let token = Token::new("", app_token);
    // The library would ask for ever. The address that this brings is not used.
    match ears.slack.api().repeat::<Opened>(&token, "apps.connections.open", &json!({})).await {
        Ok(Opened {}) => {}
        Err(Failure::Refused { code, .. }) if REFUSED.contains(&code.as_str()) => {
            return Err(Ended::AppToken { code }.into());
        }
        Err(failure) if failure.code() == SOCKET_MODE_OFF => return Err(Ended::SocketModeOff.into()),
        Err(failure) => {
            tracing::warn!(why = failure.why(), "Slack cannot be reached; trying again");
            return Ok(());
        }
    }
    let client = ears.slack.api().client();
    let environment = Arc::new(SlackClientEventsListenerEnvironment::new(client.clone()));
    let manager = client.http_api.connector.new_clients_manager(environment);
    let line = Arc::new(Line::new(ears.clone()));
    // Set once, before anything is heard.
    let _ = line.manager.set(Arc::downgrade(&manager));
    let _hanging_up = HangUp { line: line.clone(), manager: manager.clone() };
    let config = SlackClientSocketModeConfig {
        max_connections_count: CONNECTIONS,
        debug_connections: false,
        initial_backoff_in_seconds: 1,
        reconnect_timeout_in_seconds: RECONNECT_S,
        ping_interval_in_seconds: ears.slack.patience().ping_s,
        ping_failure_threshold_times: PINGS,
    };
    let token = SlackApiToken::new(SlackApiTokenValue(app_token.to_owned()));
    manager.register_new_token(&config, token, line.clone()).await?;
    manager.start().await;
    tokio::select! {
        () = line.deaf() => tracing::warn!("nothing was heard of Slack for long; connecting anew"),
        () = line.over.notified() => tracing::warn!("Slack ends the connections; asking why"),
    }
    Ok(())
}

/// What is known of one session's connections.
struct Line {
    ears: Ears,
    manager: OnceLock<Weak<dyn SlackSocketModeClientsManager + Send + Sync>>,
    /// False as soon as the session is over: the library's tasks may outlive it, and must not act then.
    open: Arc<AtomicBool>,
    live: Mutex<Live>,
    /// Slack wants no connections of ours any more.
    over: Notify,
}

struct Live {
    /// Connections on which Slack said hello.
    connections: HashSet<String>,
    /// Since when there is none.
    none_since: Instant,
    /// When connections were renewed lately.
    renewed: VecDeque<Instant>,
}

impl Line {
    fn new(ears: Ears) -> Line {
        let live = Live { connections: HashSet::new(), none_since: Instant::now(), renewed: VecDeque::new() };
        Line {
            ears,
            manager: OnceLock::new(),
            open: Arc::new(AtomicBool::new(true)),
            live: Mutex::new(live),
            over: Notify::new(),
        }
    }

    fn begun(&self, id: &SlackSocketModeWssClientId) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.connections.insert(id.to_string());
        tracing::info!(connections = live.connections.len(), "connected to Slack");
    }

    fn ended(&self, id: &SlackSocketModeWssClientId) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.connections.remove(&id.to_string()) && live.connections.is_empty() {
            live.none_since = Instant::now();
        }
    }

    /// Ends when there has been no connection for long.
    async fn deaf(&self) {
        let deaf = self.ears.slack.patience().deaf;
        loop {
            tokio::time::sleep(deaf / 20).await;
            let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
            if live.connections.is_empty() && live.none_since.elapsed() > deaf {
                return;
            }
        }
    }

    async fn renew(&self, id: &SlackSocketModeWssClientId) {
        self.ended(id);
        tokio::time::sleep(self.pause()).await;
        if !self.open.load(Ordering::Relaxed) {
            return;
        }
        if let Some(manager) = self.manager.get().and_then(Weak::upgrade) {
            manager.restart_client(id).await;
        }
    }

    /// How long to wait before a connection is renewed: Slack may end each as soon as it is there.
    fn pause(&self) -> Duration {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        while live.renewed.front().is_some_and(|at| at.elapsed() > STEADY) {
            live.renewed.pop_front();
        }
        live.renewed.push_back(Instant::now());
        let often = live.renewed.len().saturating_sub(RENEWALS);
        if often == 0 { Duration::ZERO } else { backoff(u32::try_from(often).unwrap_or(u32::MAX)) }
    }
}

/// What Slack sends on a connection.
#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    envelope_id: Option<String>,
    #[serde(default)]
    payload: Value,
    #[serde(default)]
    accepts_response_payload: bool,
    #[serde(default)]
    reason: Option<String>,
}

#[async_trait]
impl SlackSocketModeClientListener for Line {
    /// Never waits: what is returned is the acknowledgement, and Slack wants it within three seconds.
    async fn on_message(&self, id: &SlackSocketModeWssClientId, body: String) -> Option<String> {
        let envelope: Envelope = serde_json::from_str(&body)
            .inspect_err(|error| tracing::warn!(%error, "something of Slack's cannot be read"))
            .ok()?;
        if !self.open.load(Ordering::Relaxed) {
            // Not acknowledged, so that another connection gets it.
            return None;
        }
        let delivery = match envelope.kind.as_str() {
            "hello" => {
                self.begun(id);
                self.ears.begun();
                return None;
            }
            "disconnect" if envelope.reason.as_deref() == Some("link_disabled") => {
                self.open.store(false, Ordering::Relaxed);
                self.over.notify_one();
                return None;
            }
            "disconnect" => {
                tracing::debug!(reason = envelope.reason, "Slack renews a connection");
                self.say_good_bye(id.clone());
                return None;
            }
            "events_api" => Delivery::Event,
            "interactive" => Delivery::Interaction,
            "slash_commands" => Delivery::Command,
            other => {
                tracing::debug!(kind = other, "nothing of ours");
                return acknowledgement(envelope.envelope_id?, None);
            }
        };
        let answer = self.ears.hear(delivery, envelope.payload);
        acknowledgement(envelope.envelope_id?, answer.filter(|_| envelope.accepts_response_payload))
    }

    async fn on_error(&self, _: Box<dyn std::error::Error + Send + Sync + 'static>) {
        // Its words may hold what people wrote.
        tracing::debug!("a connection to Slack has an error");
    }

    async fn on_disconnect(&self, id: &SlackSocketModeWssClientId) {
        self.renew(id).await;
    }
}

fn acknowledgement(envelope_id: String, answer: Option<Value>) -> Option<String> {
    let mut frame = json!({ "envelope_id": envelope_id });
    if let Some(answer) = answer {
        frame["payload"] = answer;
    }
    Some(frame.to_string())
}

impl Line {
    /// Renews a connection a little later, unless it has ended by itself until then.
    fn say_good_bye(&self, id: SlackSocketModeWssClientId) {
        let Some(manager) = self.manager.get().cloned() else { return };
        let (open, pause) = (self.open.clone(), LAST_WORDS + self.pause());
        self.ended(&id);
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            if let (true, Some(manager)) = (open.load(Ordering::Relaxed), manager.upgrade()) {
                manager.restart_client(&id).await;
            }
        });
    }
}

/// Ends a session, however it ends: nothing of it is heard any more, and its connections are closed behind our back.
struct HangUp {
    line: Arc<Line>,
    manager: Arc<dyn SlackSocketModeClientsManager + Send + Sync>,
}

impl Drop for HangUp {
    fn drop(&mut self) {
        self.line.open.store(false, Ordering::Relaxed);
        let manager = self.manager.clone();
        tokio::spawn(async move {
            // Twice: a connection that was being renewed may have come in between.
            for _ in 0..2 {
                let _ = tokio::time::timeout(CLOSE_WITHIN, manager.shutdown()).await;
                tokio::time::sleep(CLOSE_WITHIN).await;
            }
        });
    }
}
