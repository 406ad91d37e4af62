//! Installing the app into a workspace over OAuth v2, begun and ended in somebody's browser. `state` proves that both are the same
//! browser: its seal is ours, and a cookie holds the other half. Source: <https://docs.slack.dev/authentication/installing-with-oauth>.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use data_encoding::BASE64URL_NOPAD;
use reqwest::Url;
use ring::hmac;
use serde::Deserialize;

use super::Slack;
use super::api::Failure;
use super::manifest::{self, OAUTH_PATH};
use super::vault::Keys;
use crate::app::random_id;
use crate::domain::text::install as text;

pub const BEGIN: &str = "/slack/install";

const COOKIE: &str = "drillbot_slack_install";
/// How long somebody may take to read what they allow; Slack's code is good for ten minutes.
const LASTS_MS: i64 = 600_000;

/// What an app needs that several workspaces install. Shows itself to nobody: it holds secrets.
#[derive(Clone)]
pub struct OAuth {
    pub client_id: String,
    pub client_secret: String,
    /// Where the bot's own web server is reached from outside, without a slash at its end.
    pub public_url: String,
    /// Encrypt the tokens of workspaces.
    pub keys: Arc<Keys>,
}

impl OAuth {
    fn back(&self) -> String {
        format!("{}{OAUTH_PATH}", self.public_url)
    }
}

#[derive(Clone)]
struct Desk {
    slack: Slack,
    oauth: OAuth,
    /// Where Slack asks people.
    authorize: Url,
    seal: hmac::Key,
}

/// Where people begin, and where Slack sends them back to.
///
/// # Errors
/// When the address of Slack is none.
pub(super) fn router(slack: &Slack, oauth: &OAuth) -> anyhow::Result<Router> {
    let desk = Desk {
        slack: slack.clone(),
        oauth: oauth.clone(),
        authorize: Url::parse(&slack.0.settings.api_url)?.join("oauth/v2/authorize")?,
        // Any process of this app may be the one to which they come back.
        seal: hmac::Key::new(hmac::HMAC_SHA256, oauth.client_secret.as_bytes()),
    };
    Ok(Router::new().route(BEGIN, get(begin)).route(OAUTH_PATH, get(back)).with_state(desk))
}

async fn begin(State(desk): State<Desk>) -> Result<Response, Trouble> {
    let nonce = random_id().map_err(|_| Trouble::Ours)?;
    let state = desk.state(&nonce, desk.slack.app().clock.now_ms());
    let mut to = desk.authorize.clone();
    to.query_pairs_mut()
        .append_pair("client_id", &desk.oauth.client_id)
        .append_pair("scope", &manifest::scopes().into_iter().collect::<Vec<_>>().join(","))
        .append_pair("redirect_uri", &desk.oauth.back())
        .append_pair("state", &state);
    let cookie = desk.cookie(&nonce, LASTS_MS / 1_000);
    Ok((StatusCode::FOUND, [(header::LOCATION, to.to_string()), (header::SET_COOKIE, cookie)]).into_response())
}

/// What Slack sends somebody back with.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    error: String,
}

async fn back(State(desk): State<Desk>, headers: HeaderMap, Query(answer): Query<Answer>) -> Result<Response, Trouble> {
    let nonce = cookie_of(&headers).ok_or(Trouble::Stale)?;
    if !desk.is_ours(&answer.state, nonce, desk.slack.app().clock.now_ms()) {
        return Err(Trouble::Stale);
    }
    if !answer.error.is_empty() {
        return Err(Trouble::Declined);
    }
    let installed = desk.slack.api().exchange(&desk.oauth, &answer.code, &desk.oauth.back()).await;
    let installed = installed.map_err(|failure| {
        tracing::warn!(why = failure.why(), "an installation was not finished");
        match failure {
            Failure::Refused { .. } => Trouble::Stale,
            Failure::Busy { .. } | Failure::Lost { .. } => Trouble::Ours,
        }
    })?;
    let team = installed.team.filter(|team| is_id(&team.id) && is_id(&installed.app_id));
    // For a whole organisation there is no workspace, and nothing of ours would know where to post.
    let (Some(team), Some(user)) = (team, installed.bot_user_id) else { return Err(Trouble::Organisation) };
    desk.slack.installed(&team.id, &user, &installed.access_token).await.map_err(|error| {
        tracing::error!(error = format!("{error:#}"), "an installation could not be kept");
        Trouble::Ours
    })?;
    let there = format!("https://slack.com/app_redirect?app={}&team={}", installed.app_id, team.id);
    let link = format!("<p><a href=\"{there}\">{}</a></p>", text::OPEN);
    let mut page = page(StatusCode::OK, text::DONE, &[text::INVITE], &link);
    // Used up.
    if let Ok(cookie) = HeaderValue::from_str(&desk.cookie("", 0)) {
        page.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(page)
}

/// The token that somebody's consent is worth.
#[derive(Deserialize)]
pub(super) struct Exchanged {
    pub access_token: String,
    #[serde(default)]
    pub bot_user_id: Option<String>,
    pub app_id: String,
    #[serde(default)]
    pub team: Option<Team>,
}

#[derive(Deserialize)]
pub(super) struct Team {
    pub id: String,
}

/// Why there was no installation.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// Another browser, too late, or for the second time.
    Stale,
    Declined,
    Organisation,
    Ours,
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let (status, words) = match self {
            Trouble::Stale => (StatusCode::BAD_REQUEST, text::STALE),
            Trouble::Declined => (StatusCode::OK, text::DECLINED),
            Trouble::Organisation => (StatusCode::BAD_REQUEST, text::ORGANISATION),
            Trouble::Ours => (StatusCode::SERVICE_UNAVAILABLE, text::OURS),
        };
        let again = format!("<p><a href=\"{BEGIN}\">{}</a></p>", text::AGAIN);
        page(status, text::NOT_DONE, &[words], &again)
    }
}

/// A page of our own words only.
fn page(status: StatusCode, title: &str, words: &[&str], more: &str) -> Response {
    let words: String = words.iter().map(|words| format!("<p>{words}</p>")).collect();
    let body = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>drillbot</title><style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem;\
         color:#1d1c1d;background:#fff}}a{{color:#0b57d0}}@media(prefers-color-scheme:dark){{body{{color:#eee;background:#1a1d21}}\
         a{{color:#8ab4f8}}}}</style><h1>{title}</h1>{words}{more}</html>"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        (header::CACHE_CONTROL, "no-store"),
        // The address holds the code.
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, Html(body)).into_response()
}

impl Desk {
    /// `TIME.SEAL`; the seal is over the time and what the browser keeps.
    fn state(&self, nonce: &str, now_ms: i64) -> String {
        let seal = hmac::sign(&self.seal, format!("{now_ms}.{nonce}").as_bytes());
        format!("{now_ms}.{}", BASE64URL_NOPAD.encode(seal.as_ref()))
    }

    fn is_ours(&self, state: &str, nonce: &str, now_ms: i64) -> bool {
        let Some((time, seal)) = state.split_once('.') else { return false };
        let (Ok(made), Ok(seal)) = (time.parse::<i64>(), BASE64URL_NOPAD.decode(seal.as_bytes())) else { return false };
        let signed = format!("{made}.{nonce}");
        hmac::verify(&self.seal, signed.as_bytes(), &seal).is_ok()
            && (0..=LASTS_MS).contains(&now_ms.saturating_sub(made))
    }

    fn cookie(&self, nonce: &str, seconds: i64) -> String {
        let secure = if self.oauth.public_url.starts_with("https:") { "; Secure" } else { "" };
        format!("{COOKIE}={nonce}; Path=/slack; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
    }
}

fn cookie_of(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|all| all.to_str().ok());
    let mut each = cookies.flat_map(|all| all.split(';')).filter_map(|one| one.trim().split_once('='));
    each.find(|(name, value)| *name == COOKIE && !value.is_empty()).map(|(_, value)| value)
}

/// Ids of Slack are capitals and digits; with those alone they may stand in an address.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
