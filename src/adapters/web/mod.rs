//! The web chat: a small chat service of our own, which needs no account, and the reference for the others.

mod api;
mod error;
mod events;
mod pages;
mod preview;
mod review;
mod session;
mod view;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::IntoResponse;
use axum::routing::{delete, get, post};
use tokio::sync::watch;

use crate::app::chat::{Chat, Post, SendError};
use crate::app::{App, random_id};
use crate::domain::answer::ThreadMessage;
use crate::domain::effect::{Audience, Place, Posted};
use crate::domain::ids::{MessageId, ThreadId};
use crate::domain::message::Message;
use crate::store::Store;
use crate::store::members::Member;
use crate::store::web::{self as table, NewMessage};

pub use preview::page as preview_page;
pub use session::clean_name;

/// Requests larger than this are refused; texts have a limit of their own.
const MAX_BODY: usize = 512 * 1024;

/// Rings when messages have changed.
#[derive(Clone)]
pub struct Bell(Arc<watch::Sender<u64>>);

impl Bell {
    fn new() -> Bell {
        Bell(Arc::new(watch::channel(0).0))
    }

    fn ring(&self) {
        self.0.send_modify(|rings| *rings += 1);
    }

    fn listen(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

/// The chat service behind the page, as the delivery worker sees it.
#[derive(Clone)]
pub struct WebChat {
    store: Store,
    app: Arc<App>,
    bell: Bell,
}

impl WebChat {
    pub fn new(app: Arc<App>) -> WebChat {
        WebChat { store: app.store.clone(), app, bell: Bell::new() }
    }
}

fn audience_text(audience: &Audience) -> String {
    match audience {
        Audience::Everyone => String::new(),
        Audience::Organisers => "organisers".to_owned(),
        Audience::Member(member) => member.to_string(),
    }
}

/// The only thing that can go wrong here is the database, and a failed transaction has changed nothing.
fn retry(error: anyhow::Error) -> SendError {
    SendError::Retry { after: std::time::Duration::from_secs(1), why: format!("{error:#}") }
}

impl Chat for WebChat {
    fn platform(&self) -> &'static str {
        "web"
    }

    fn posts_in_private(&self) -> bool {
        true
    }

    async fn post(&self, post: Post<'_>) -> Result<Posted, SendError> {
        let body = serde_json::to_string(post.message).map_err(|error| SendError::Fatal { why: error.to_string() })?;
        let (key, place) = (post.key.to_string(), post.place.clone());
        let at = self.app.clock.now_ms();
        let id = random_id().map_err(retry)?;
        let id = self
            .store
            .write("show a message", move |conn| {
                Box::pin(async move {
                    let new = NewMessage {
                        id: &id,
                        channel: &place.channel,
                        thread: place.thread.as_ref().map(ThreadId::as_str),
                        author: None,
                        audience: &audience_text(&place.audience),
                        body: &body,
                        dedup: &key,
                        at,
                    };
                    Ok(table::insert(conn, &new).await?.0)
                })
            })
            .await
            .map_err(retry)?;
        self.bell.ring();
        Ok(posted(id, post.opens_thread))
    }

    async fn find(&self, post: Post<'_>) -> Result<Option<Posted>, SendError> {
        let key = post.key.to_string();
        let found = self
            .store
            .read("look for a message", move |conn| Box::pin(async move { table::by_dedup(conn, &key).await }))
            .await
            .map_err(retry)?;
        Ok(found.map(|id| posted(id, post.opens_thread)))
    }

    async fn edit(&self, _: &Place, target: &MessageId, message: &Message) -> Result<(), SendError> {
        let body = serde_json::to_string(message).map_err(|error| SendError::Fatal { why: error.to_string() })?;
        let id = target.to_string();
        let there = self
            .store
            .write("change a message", move |conn| Box::pin(async move { table::edit(conn, &id, &body, None).await }))
            .await
            .map_err(retry)?;
        self.bell.ring();
        if there { Ok(()) } else { Err(SendError::Fatal { why: "the message was deleted".into() }) }
    }

    async fn replies(&self, _: &Place, thread: &ThreadId) -> Result<Vec<ThreadMessage>, SendError> {
        let thread = thread.to_string();
        let written = self
            .store
            .read("read a thread", move |conn| Box::pin(async move { table::written_in(conn, &thread, 0).await }))
            .await
            .map_err(retry)?;
        Ok(written
            .into_iter()
            .filter_map(|message| {
                Some(ThreadMessage {
                    id: MessageId::new(message.id),
                    member: message.author?,
                    name: message.author_name,
                    text: message.body,
                    at: message.at,
                })
            })
            .collect())
    }
}

/// A thread hangs under the message that opened it and shares its id.
fn posted(id: String, opens_thread: Option<&str>) -> Posted {
    Posted { thread: opens_thread.map(|_| ThreadId::new(id.as_str())), message: MessageId::new(id), trouble: None }
}

/// Tells whether the process can do its work; asked by `/readyz`.
pub trait Ready: Send + Sync + 'static {
    /// What is wrong; empty when all is well.
    fn problems(&self) -> Vec<String>;
}

/// How the server is reached and who may come in.
#[derive(Clone, Debug)]
pub struct Access {
    /// True when only this machine can reach it.
    pub loopback: bool,
    /// SHA-256 of the access token that others must know.
    pub token_hash: Option<String>,
    /// Display names of organisers.
    pub organisers: Vec<String>,
}

impl Access {
    pub fn new(listen: SocketAddr, token: Option<&str>, organisers: &[String]) -> Access {
        Access {
            loopback: listen.ip().is_loopback(),
            token_hash: token.map(session::hash),
            organisers: organisers.iter().map(|name| name.to_lowercase()).collect(),
        }
    }
}

impl Access {
    /// Those whom the settings name; when they name nobody, whoever became one by signing in first.
    fn is_organiser(&self, member: &Member) -> bool {
        if self.organisers.is_empty() {
            member.organiser
        } else {
            self.organisers.contains(&member.name.to_lowercase())
        }
    }
}

#[derive(Clone)]
struct Server {
    app: Arc<App>,
    bell: Bell,
    access: Arc<Access>,
    ready: Arc<dyn Ready>,
    stopping: watch::Receiver<bool>,
}

/// The page, its API and the health pages, and `beside` them what other services need, until `stopping` becomes true.
///
/// # Errors
/// When the listener breaks.
pub async fn serve(
    listener: tokio::net::TcpListener,
    chat: &WebChat,
    access: Access,
    ready: Arc<dyn Ready>,
    beside: Router,
    mut stopping: watch::Receiver<bool>,
) -> Result<()> {
    let server = Server {
        app: chat.app.clone(),
        bell: chat.bell.clone(),
        access: Arc::new(access),
        ready,
        stopping: stopping.clone(),
    };
    let router = router(server).merge(beside);
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            // An error means that the sender is gone: then it is time to stop as well.
            let _ = stopping.wait_for(|stop| *stop).await;
        })
        .await
        .context("the web server stopped")
}

fn router(server: Server) -> Router {
    let api = Router::new()
        .route("/api/session", get(api::session).post(api::sign_in).delete(api::sign_out))
        .route("/api/channels", get(api::channels))
        .route("/api/channels/{channel}/messages", get(api::messages).post(api::write))
        .route("/api/channels/{channel}/leaderboard", get(api::leaderboard))
        .route("/api/channels/{channel}/review", get(review::list).post(review::act))
        .route("/api/messages/{id}", delete(api::erase).patch(api::rewrite))
        .route("/api/messages/{id}/thread", get(api::thread))
        .route("/api/actions", post(api::press))
        .route("/api/forms", post(api::submit))
        .route("/api/complete", get(api::complete))
        .route("/api/events", get(events::stream))
        .fallback(|| async { error::Failure::unknown("There is no such call; see docs/web-api.md.") })
        .method_not_allowed_fallback(|| async { error::Failure::wrong_method() });
    Router::new()
        .merge(api)
        .route("/", get(pages::index))
        .route("/assets/{name}", get(pages::asset))
        .route("/leaderboard/{channel}", get(pages::leaderboard))
        .route("/preview/{question}", get(preview::show))
        .route("/schedule/{channel}", get(pages::schedule))
        .route("/history/{channel}", get(pages::history))
        .route("/review/{channel}", get(review::page))
        .layer(middleware::from_fn_with_state(server.clone(), session::guard))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::map_response(secure))
        .with_state(server)
}

async fn readyz(axum::extract::State(server): axum::extract::State<Server>) -> impl IntoResponse {
    let mut problems = server.ready.problems();
    if !server.app.store.is_alive().await {
        problems.push("the database does not answer".to_owned());
    }
    if problems.is_empty() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, problems.join("\n") + "\n")
    }
}

/// No script but ours, nothing from elsewhere, nobody frames the page.
async fn secure(mut response: axum::response::Response) -> axum::response::Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                          form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
