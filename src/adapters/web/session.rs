//! Who is asking: sessions by cookie, and what may come in at all.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::Server;
use super::error::Failure;
use crate::app::Actor;
use crate::domain::ids::ChannelId;
use crate::store::members::Member;
use crate::store::web::{self, Viewer};

const COOKIE: &str = "drillbot_session";
/// The longest that browsers keep a cookie.
const MAX_AGE_S: u64 = 400 * 86_400;

/// The signed-in member of a request.
pub struct SignedIn {
    pub member: Member,
    pub token_hash: String,
}

impl SignedIn {
    pub fn viewer(&self) -> Viewer {
        Viewer { member: self.member.id.clone(), organiser: self.member.organiser }
    }

    pub fn actor(&self, channel: &ChannelId) -> Actor {
        Actor {
            member: self.member.id.clone(),
            name: self.member.name.clone(),
            organiser: self.member.organiser,
            channel: channel.clone(),
            channel_name: String::new(),
            space: String::new(),
        }
    }
}

impl FromRequestParts<Server> for SignedIn {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Failure> {
        let signed_out = || Failure::signed_out(!server.access.loopback);
        let token_hash = hash(cookie(&parts.headers).ok_or_else(signed_out)?);
        let looked_for = token_hash.clone();
        let member = server
            .app
            .store
            .read("read a session", move |conn| Box::pin(async move { web::session(conn, &looked_for).await }))
            .await?;
        let mut member = member.ok_or_else(signed_out)?;
        member.organiser = server.access.is_organiser(&member);
        Ok(SignedIn { member, token_hash })
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

pub fn set_cookie(token: &str) -> String {
    format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={MAX_AGE_S}")
}

pub fn clear_cookie() -> String {
    format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
}

/// Tokens are kept and compared as hashes only, so comparing tells nothing about them.
pub fn hash(token: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(token.as_bytes()))
}

/// A display name without what could hide or disturb: control and formatting characters, runs of white space.
pub fn clean_name(name: &str) -> String {
    let visible = |c: &char| {
        !c.is_control()
            && !matches!(*c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}' | '\u{61c}')
    };
    let kept: String = name.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(visible).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Refuses what another site's page could have sent, and on loopback names that only pretend to be this machine (DNS rebinding).
pub async fn guard(State(server): State<Server>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if server.access.loopback && !is_this_machine(host) {
        return Failure::forbidden("Open this page as http://127.0.0.1 or http://localhost.").into_response();
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads && (is_foreign(headers, host) || !is_json(headers, request.method())) {
        return Failure::forbidden("Requests come from drillbot's own page, or as application/json from a script.")
            .into_response();
    }
    next.run(request).await
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "[::1]")
        || name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

fn is_foreign(headers: &HeaderMap, host: &str) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return !matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    headers.get(header::ORIGIN).is_some_and(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        origin.split_once("://").map_or(origin, |(_, rest)| rest) != host
    })
}

fn is_json(headers: &HeaderMap, method: &Method) -> bool {
    method == Method::DELETE
        || headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_hides() {
        for (typed, kept) in [
            ("  Ann  ", "Ann"),
            ("Ann\u{202e}nnA", "AnnnnA"),
            ("A\u{200b}nn", "Ann"),
            ("A\nB", "A B"),
            ("عمر", "عمر"),
            ("👩‍💻 Zoë", "👩💻 Zoë"),
            ("\u{2066}\u{2069}", ""),
        ] {
            assert_eq!(clean_name(typed), kept, "{typed:?}");
        }
    }

    #[test]
    fn only_names_of_this_machine_are_let_in_on_loopback() {
        for host in ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "127.0.0.1"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["", "evil.example", "localhost.evil.example:8080", "127.0.0.1.evil.example", "10.0.0.1:8080"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
