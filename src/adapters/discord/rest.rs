//! Discord's HTTP interface, as far as the drill needs it: paced by the limits that Discord announces, and exact about what is
//! certain after a failure. Sources: <https://discord.com/developers/docs/topics/rate-limits> and `/reference`.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};
use twilight_http_ratelimiting::{Endpoint, RateLimitHeaders, RateLimiter};

pub use twilight_http_ratelimiting::Method;

/// One attempt; shorter than the lease of a delivery.
const PATIENCE: Duration = Duration::from_secs(8);
const CONNECT: Duration = Duration::from_secs(4);
/// The first response to an interaction is worth nothing after three seconds.
const PATIENCE_FOR_INTERACTIONS: Duration = Duration::from_millis(2_500);
/// Attempts of one call before the caller hears of it.
const ATTEMPTS: u32 = 4;
/// A pause that Discord asks for is waited for here; a longer one goes back to the outbox.
const LONGEST_PAUSE: Duration = Duration::from_secs(6);
/// Requests a second that Discord allows to a bot. Source: <https://discord.com/developers/docs/topics/rate-limits#global-rate-limit>.
const GLOBAL_LIMIT: f64 = 50.0;
const A_SECOND: Duration = Duration::from_secs(1);
/// 10,000 invalid requests (401, 403, 429) in ten minutes ban the address. Long before that something is wrong with us.
const INVALID_LIMIT: usize = 2_000;
const INVALID_WINDOW: Duration = Duration::from_secs(600);

/// Why a call did not give what was asked.
#[derive(Debug)]
pub enum Failure {
    /// It did not happen; it may after this time.
    Busy { after: Duration, why: String },
    /// Discord said no: the HTTP status and Discord's code, 0 when it gave none.
    Refused { status: u16, code: u32, why: String },
    /// It may have happened.
    Lost { why: String },
}

impl Failure {
    /// Discord's error code, when it gave one.
    pub fn code(&self) -> Option<u32> {
        match self {
            Failure::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    pub fn why(&self) -> &str {
        let (Failure::Busy { why, .. } | Failure::Refused { why, .. } | Failure::Lost { why }) = self;
        why
    }
}

/// A request. The path begins behind `/api/v10/` and has no query.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    method: Method,
    path: &'a str,
    query: &'a str,
    body: Option<&'a Value>,
    /// Sending it twice is the same as sending it once.
    repeatable: bool,
    patience: Duration,
}

impl<'a> Call<'a> {
    pub fn new(method: Method, path: &'a str) -> Call<'a> {
        let repeatable = method != Method::Post;
        Call { method, path, query: "", body: None, repeatable, patience: PATIENCE }
    }

    pub fn get(path: &'a str) -> Call<'a> {
        Call::new(Method::Get, path)
    }

    /// `after=1&limit=100`
    pub fn query(self, query: &'a str) -> Call<'a> {
        Call { query, ..self }
    }

    pub fn body(self, body: &'a Value) -> Call<'a> {
        Call { body: Some(body), ..self }
    }

    /// For a POST that Discord carries out once, however often it is sent: a nonce, a thread under a message.
    pub fn repeatable(self) -> Call<'a> {
        Call { repeatable: true, ..self }
    }

    /// For the first response to an interaction.
    pub fn urgent(self) -> Call<'a> {
        Call { patience: PATIENCE_FOR_INTERACTIONS, ..self }
    }
}

pub struct Rest {
    client: reqwest::Client,
    base: String,
    limiter: RateLimiter,
    pace: Pace,
    /// Nothing goes out before: Discord asked for silence.
    silent_until: Mutex<Option<Instant>>,
    invalid: Mutex<VecDeque<Instant>>,
}

/// What Discord says with an error.
#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    code: u32,
    #[serde(default)]
    message: String,
    #[serde(default)]
    retry_after: f64,
    #[serde(default)]
    global: bool,
    /// Which field of a body was wrong; for the log of the operator, it repeats nothing that members wrote.
    #[serde(default)]
    errors: Value,
}

impl Rest {
    /// `share` of the bot's 50 requests a second: the processes of a bot with many shards divide them.
    ///
    /// # Errors
    /// When the token has characters that no header may have.
    pub fn new(base: &str, token: &str, share: f64) -> anyhow::Result<Rest> {
        let mut authorization = HeaderValue::from_str(&format!("Bot {token}"))
            .map_err(|_| anyhow::anyhow!("the Discord token has characters that a token cannot have; copy it again"))?;
        authorization.set_sensitive(true);
        let agent = concat!("DiscordBot (https://crates.io/crates/drillbot, ", env!("CARGO_PKG_VERSION"), ")");
        let client = reqwest::Client::builder()
            .default_headers(HeaderMap::from_iter([(header::AUTHORIZATION, authorization)]))
            .user_agent(agent)
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let allowed = (GLOBAL_LIMIT * share.clamp(0.0, 1.0)).max(1.0);
        Ok(Rest {
            client,
            base: format!("{}/api/v10/", base.trim_end_matches('/')),
            // It knows the buckets; the limit over all is kept by `pace`.
            limiter: RateLimiter::new(u16::MAX),
            // Between 1 and 50.
            pace: Pace::new(allowed as usize),
            silent_until: Mutex::default(),
            invalid: Mutex::default(),
        })
    }

    /// # Errors
    /// See [`Failure`]; what passes by itself within a few seconds has been waited for.
    pub async fn call<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, Failure> {
        let response = self.send(call).await?;
        response.json().await.map_err(|error| {
            let why =
                format!("Discord's answer to {} {} cannot be read: {}", call.method.name(), call.path, plain(&error));
            if call.method == Method::Get {
                Failure::Busy { after: Duration::from_secs(1), why }
            } else {
                Failure::Lost { why }
            }
        })
    }

    /// Like [`Rest::call`], for an answer that nobody needs.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn tell(&self, call: Call<'_>) -> Result<(), Failure> {
        self.send(call).await.map(drop)
    }

    /// The difference between Discord's clock and ours in seconds, by the `Date` of an answer; positive when ours is ahead.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn clock_skew(&self) -> Result<Option<i64>, Failure> {
        let response = self.send(Call::get("gateway")).await?;
        let theirs = response.headers().get(header::DATE).and_then(|date| date.to_str().ok());
        let theirs = theirs.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        Ok(theirs.map(|theirs| crate::app::clock::real_ms() / 1_000 - theirs.timestamp().as_second()))
    }

    async fn send(&self, call: Call<'_>) -> Result<Response, Failure> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let failure = match self.attempt(call).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            let pause = match &failure {
                Failure::Refused { .. } => return Err(failure),
                Failure::Busy { after, .. } => (*after).max(backoff(attempt)),
                Failure::Lost { .. } if !call.repeatable => return Err(failure),
                Failure::Lost { .. } => backoff(attempt),
            };
            let hurried = call.patience == PATIENCE_FOR_INTERACTIONS && attempt > 1;
            if attempt >= ATTEMPTS || pause > LONGEST_PAUSE || hurried {
                return Err(failure);
            }
            tracing::debug!(
                path = call.path,
                attempt,
                pause_ms = pause.as_millis(),
                why = failure.why(),
                "calling again"
            );
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt(&self, call: Call<'_>) -> Result<Response, Failure> {
        self.hold_back(call.path).await?;
        let permit = self.limiter.acquire(Endpoint { method: call.method, path: call.path.to_owned() }).await;
        let _place = if of_interaction(call.path) { None } else { Some(self.place().await) };
        let method = match call.method {
            Method::Delete => reqwest::Method::DELETE,
            Method::Patch => reqwest::Method::PATCH,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            _ => reqwest::Method::GET,
        };
        let question = if call.query.is_empty() { "" } else { "?" };
        let url = format!("{}{}{question}{}", self.base, call.path, call.query);
        let mut request = self.client.request(method, url).timeout(call.patience);
        if let Some(body) = call.body {
            request = request.json(body);
        } else if call.method != Method::Get {
            request = request.header(header::CONTENT_LENGTH, 0);
        }
        let response = match request.send().await {
            Ok(response) => response,
            // The permit is given back unused: nobody knows whether Discord counted it.
            Err(error) => return Err(unsent(call, &error)),
        };
        permit.complete(limits(response.headers()));
        self.judge(call, response).await
    }

    async fn judge(&self, call: Call<'_>, response: Response) -> Result<Response, Failure> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let shared = response.headers().get("x-ratelimit-scope").is_some_and(|scope| scope == "shared");
        let retry_after =
            response.headers().get(header::RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
        let said: Said = response.json().await.unwrap_or_default();
        let what = format!("{} {}", call.method.name(), without_secrets(call.path));
        if status == StatusCode::TOO_MANY_REQUESTS {
            if !shared {
                self.count_invalid();
            }
            // A proxy or a firewall in front of Discord sends the header only.
            let seconds = if said.retry_after > 0.0 { said.retry_after } else { retry_after.unwrap_or(1.0_f64) };
            let after = Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0));
            tracing::warn!(
                call = what,
                after_ms = after.as_millis(),
                global = said.global,
                "Discord asks to slow down"
            );
            if said.global {
                *self.silent_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + after);
            }
            return Err(Failure::Busy { after, why: "Discord asks to slow down".to_owned() });
        }
        if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
            return Err(Failure::Lost { why: format!("Discord answers {status} to {what}") });
        }
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            self.count_invalid();
        }
        if said.code == INVALID_FORM {
            tracing::error!(call = what, errors = %said.errors, "Discord refuses the form of a request");
        }
        let message = if said.message.is_empty() { status.to_string() } else { said.message };
        Err(Failure::Refused {
            status: status.as_u16(),
            code: said.code,
            why: format!("Discord refuses {what}: {message} ({})", said.code),
        })
    }

    /// Waits out a silence that Discord asked for; refuses to go on while too much was refused lately.
    async fn hold_back(&self, path: &str) -> Result<(), Failure> {
        let silent_until = *self.silent_until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = silent_until.filter(|_| !of_interaction(path)) {
            let left = until.saturating_duration_since(Instant::now());
            if left > LONGEST_PAUSE {
                return Err(Failure::Busy { after: left, why: "Discord asks to slow down".to_owned() });
            }
            tokio::time::sleep(left).await;
        }
        let mut invalid = self.invalid.lock().unwrap_or_else(PoisonError::into_inner);
        while invalid.front().is_some_and(|at| at.elapsed() > INVALID_WINDOW) {
            invalid.pop_front();
        }
        match invalid.front() {
            Some(first) if invalid.len() >= INVALID_LIMIT => Err(Failure::Busy {
                after: INVALID_WINDOW.saturating_sub(first.elapsed()).max(Duration::from_secs(1)),
                why: "Discord refused too many requests lately; waiting before it bans this address".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// A place among the requests of a second, for one that somebody else makes; it is taken until this is dropped.
    pub async fn place(&self) -> Place<'_> {
        self.pace.place().await
    }

    fn count_invalid(&self) {
        self.invalid.lock().unwrap_or_else(PoisonError::into_inner).push_back(Instant::now());
    }
}

/// Keeps to a number of requests in every second of Discord's, whenever its seconds begin and however long requests travel: a place is
/// free for the next request a second after the answer to the last, which Discord counted before it answered.
struct Pace {
    places: Semaphore,
    /// From when on each free place may be used, the earliest first.
    free: Mutex<VecDeque<Instant>>,
}

/// A request under way.
pub struct Place<'a> {
    pace: &'a Pace,
    /// Given back after the place is noted as free.
    _permit: SemaphorePermit<'a>,
}

impl Pace {
    fn new(places: usize) -> Pace {
        Pace { places: Semaphore::new(places), free: Mutex::new(vec![Instant::now(); places].into()) }
    }

    async fn place(&self) -> Place<'_> {
        // It is never closed.
        let permit = self.places.acquire().await.expect("an open semaphore");
        let from = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let place = Place { pace: self, _permit: permit };
        if let Some(from) = from {
            tokio::time::sleep_until(from.into()).await;
        }
        place
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.pace.free.lock().unwrap_or_else(PoisonError::into_inner).push_back(Instant::now() + A_SECOND);
    }
}

/// Interactions have no part in the global limit.
fn of_interaction(path: &str) -> bool {
    path.starts_with("interactions/") || path.starts_with("webhooks/")
}

/// A body that Discord cannot read.
pub const INVALID_FORM: u32 = 50_035;

/// 0.25 s, 0.5 s, 1 s ..
fn backoff(attempt: u32) -> Duration {
    Duration::from_millis(125 << attempt.min(6))
}

/// What is certain when a request brought no answer.
fn unsent(call: Call<'_>, error: &reqwest::Error) -> Failure {
    let why = format!("Discord could not be reached ({})", plain(error));
    if error.is_connect() || call.method == Method::Get {
        Failure::Busy { after: Duration::from_secs(1), why }
    } else {
        Failure::Lost { why }
    }
}

/// The error without its address, which may carry an interaction's token.
fn plain(error: &reqwest::Error) -> String {
    let mut source: &dyn std::error::Error = error;
    while let Some(inner) = source.source() {
        source = inner;
    }
    let kind = if error.is_timeout() { "time is up" } else { "connection" };
    if std::ptr::eq(source, error as &dyn std::error::Error) { kind.to_owned() } else { format!("{kind}: {source}") }
}

/// Tokens of interactions stand in paths.
fn without_secrets(path: &str) -> String {
    path.split('/').map(|part| if part.len() > 40 { "…" } else { part }).collect::<Vec<_>>().join("/")
}

fn limits(headers: &HeaderMap) -> Option<RateLimitHeaders> {
    let get = |name: &str| headers.get(name)?.to_str().ok();
    let reset_after: f64 = get(RateLimitHeaders::RESET_AFTER)?.parse().ok()?;
    Some(RateLimitHeaders {
        bucket: get(RateLimitHeaders::BUCKET)?.as_bytes().to_vec(),
        limit: get(RateLimitHeaders::LIMIT)?.parse().ok()?,
        remaining: get(RateLimitHeaders::REMAINING)?.parse().ok()?,
        reset_at: Instant::now() + Duration::from_secs_f64(reset_after.clamp(0.0, 86_400.0)),
    })
}
