//! Live updates: server-sent events that go on where they stopped.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;

use super::error::Params;
use super::session::SignedIn;
use super::{Server, view};
use crate::store::web::{self, Viewer};

/// Messages of one look.
const BATCH: i64 = 200;
/// Another process on the same database does not ring our bell: look by ourselves.
const LOOK_EVERY: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
pub struct After {
    after: Option<i64>,
}

struct Feed {
    server: Server,
    viewer: Viewer,
    token_hash: String,
    rev: i64,
    bell: watch::Receiver<u64>,
    ready: VecDeque<Event>,
}

pub async fn stream(
    State(server): State<Server>,
    who: SignedIn,
    headers: HeaderMap,
    Params(query): Params<After>,
) -> impl IntoResponse {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let rev = match last.or(query.after) {
        Some(rev) => rev,
        None => server.app.store.read("read the newest rev", |conn| Box::pin(web::rev(conn))).await.unwrap_or(0),
    };
    let clock = &server.app.clock;
    let hello = json!({"now": clock.now_ms(), "speed": clock.speed(), "rev": rev}).to_string();
    let feed = Feed {
        viewer: who.viewer(),
        token_hash: who.token_hash,
        rev,
        bell: server.bell.listen(),
        ready: VecDeque::from([Event::default().event("hello").data(hello)]),
        server,
    };
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15)).text("still here");
    Sse::new(stream::unfold(feed, next)).keep_alive(keep_alive)
}

/// The next event; ends when the process stops or the session does. The page comes back by itself.
async fn next(mut feed: Feed) -> Option<(Result<Event, Infallible>, Feed)> {
    loop {
        if let Some(event) = feed.ready.pop_front() {
            return Some((Ok(event), feed));
        }
        if *feed.server.stopping.borrow() {
            return None;
        }
        feed.bell.borrow_and_update();
        let (rev, viewer, hash) = (feed.rev, feed.viewer.clone(), feed.token_hash.clone());
        let looked = feed
            .server
            .app
            .store
            .read("read what changed", move |conn| {
                Box::pin(async move {
                    let alive = web::session(conn, &hash).await?.is_some();
                    Ok((alive, web::since(conn, rev, &viewer, BATCH).await?))
                })
            })
            .await;
        match looked {
            Ok((false, _)) => return None,
            Ok((true, messages)) => {
                for message in &messages {
                    feed.rev = message.rev;
                    let data = view::message(message, &feed.viewer).to_string();
                    feed.ready.push_back(Event::default().event("message").id(message.rev.to_string()).data(data));
                }
                if !messages.is_empty() {
                    continue;
                }
            }
            // The database is away: the page keeps its connection and gets what it missed later.
            Err(error) => tracing::debug!(error = format!("{error:#}"), "cannot read what changed"),
        }
        let mut stopping = feed.server.stopping.clone();
        tokio::select! {
            _ = feed.bell.changed() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stopping.wait_for(|stop| *stop) => return None,
        }
    }
}
