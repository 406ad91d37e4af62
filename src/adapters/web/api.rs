//! The calls of docs/web-api.md.

use std::collections::HashMap;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{Failure, Params};
use super::session::{self, SignedIn, clean_name};
use super::{Server, view};
use crate::app::{Written, random_id};
use crate::domain::answer::{MAX_CHARS, Receipt};
use crate::domain::bank::TopicMatch;
use crate::domain::command::{Board, Window};
use crate::domain::ids::{ChannelId, MemberId, ThreadId};
use crate::domain::message::{Message, Reply};
use crate::domain::text;
use crate::store::channels;
use crate::store::members::{self, Member};
use crate::store::web::{self, NewMessage, WebMessage};

type Answer = Result<Json<Value>, Failure>;
type Body<T> = Result<Json<T>, JsonRejection>;

/// Characters of a display name.
const MAX_NAME: usize = 40;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    name: String,
    #[serde(default)]
    token: String,
}

fn member_view(member: &Member) -> Value {
    json!({"id": member.id, "name": member.name, "organiser": member.organiser})
}

pub async fn session(State(server): State<Server>, who: SignedIn) -> Json<Value> {
    let clock = &server.app.clock;
    Json(json!({"member": member_view(&who.member), "now": clock.now_ms(), "speed": clock.speed()}))
}

pub async fn sign_in(State(server): State<Server>, body: Body<SignIn>) -> Result<Response, Failure> {
    let Json(SignIn { name, token }) = body?;
    if !server.access.loopback && server.access.token_hash.as_deref() != Some(session::hash(token.trim()).as_str()) {
        return Err(Failure::wrong_token());
    }
    let name = clean_name(&name);
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(Failure::bad(format!("Choose a name of 1 to {MAX_NAME} characters.")));
    }
    let secret = random_id()? + &random_id()?;
    let (fresh_id, token_hash) = (MemberId::new(format!("web:{}", random_id()?)), session::hash(&secret));
    let (access, now) = (server.access.clone(), server.app.clock.now_ms());
    let member = server
        .app
        .store
        .write("sign in", move |conn| {
            Box::pin(async move {
                let known = members::by_name(conn, "web", &name).await?;
                if known.is_some() && !access.loopback {
                    return Ok(None);
                }
                let member = match known {
                    Some(member) => member,
                    None => {
                        let organiser = access.loopback && members::count(conn, "web").await? == 0;
                        members::seen(conn, &fresh_id, &name, now).await?;
                        members::set_organiser(conn, &fresh_id, organiser).await?;
                        Member { id: fresh_id, name, organiser }
                    }
                };
                web::open_session(conn, &token_hash, &member.id, now).await?;
                Ok(Some(member))
            })
        })
        .await?
        .ok_or_else(|| Failure::taken("Somebody has this name already. Choose another one."))?;
    let member = Member { organiser: server.access.is_organiser(&member), ..member };
    let clock = &server.app.clock;
    let body = json!({"member": member_view(&member), "now": clock.now_ms(), "speed": clock.speed()});
    Ok(([(header::SET_COOKIE, session::set_cookie(&secret))], Json(body)).into_response())
}

pub async fn sign_out(State(server): State<Server>, who: SignedIn) -> Result<Response, Failure> {
    server
        .app
        .store
        .write("sign out", move |conn| Box::pin(async move { web::close_session(conn, &who.token_hash).await }))
        .await?;
    Ok(([(header::SET_COOKIE, session::clear_cookie())], Json(json!({}))).into_response())
}

pub async fn channels(State(server): State<Server>, _: SignedIn) -> Answer {
    let all = server
        .app
        .store
        .read("read channels", |conn| Box::pin(async move { channels::of_platform(conn, "web").await }))
        .await?;
    let list: Vec<Value> = all
        .iter()
        .map(|channel| json!({"id": view::channel_name(&channel.id), "name": channel.name, "about": channel.about}))
        .collect();
    Ok(Json(json!({"channels": list})))
}

/// The channel of a path.
pub async fn known_channel(server: &Server, name: &str) -> Result<channels::Channel, Failure> {
    let id = view::channel_id(name);
    server
        .app
        .store
        .read("read a channel", move |conn| Box::pin(async move { channels::get(conn, &id).await }))
        .await?
        .ok_or_else(|| Failure::unknown(format!("There is no channel {name:?}.")))
}

#[derive(Deserialize)]
pub struct Page {
    before: Option<i64>,
    limit: Option<i64>,
}

pub async fn messages(
    State(server): State<Server>,
    who: SignedIn,
    Path(channel): Path<String>,
    Params(page): Params<Page>,
) -> Answer {
    let channel = known_channel(&server, &channel).await?.id;
    let viewer = who.viewer();
    let limit = page.limit.unwrap_or(50).clamp(1, 200);
    let before = page.before.unwrap_or(i64::MAX);
    let reader = viewer.clone();
    let (rev, mut messages) = server
        .app
        .store
        .read("read messages", move |conn| {
            Box::pin(async move {
                // First the rev: what changes in between comes again as an event, and is only shown once.
                let rev = web::rev(conn).await?;
                Ok((rev, web::channel(conn, &channel, &reader, before, limit + 1).await?))
            })
        })
        .await?;
    let more = messages.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        messages.remove(0);
    }
    let list: Vec<Value> = messages.iter().map(|message| view::message(message, &viewer)).collect();
    Ok(Json(json!({"messages": list, "rev": rev, "more": more})))
}

pub async fn thread(State(server): State<Server>, who: SignedIn, Path(id): Path<String>) -> Answer {
    let viewer = who.viewer();
    let reader = viewer.clone();
    let (rev, root, messages) = server
        .app
        .store
        .read("read a thread", move |conn| {
            Box::pin(async move {
                let rev = web::rev(conn).await?;
                let root = web::get(conn, &id).await?;
                Ok((rev, root, web::thread(conn, &id, &reader).await?))
            })
        })
        .await?;
    let root = root.filter(|root| root.audience.is_empty() && !root.deleted && root.thread.is_none());
    let root = root.ok_or_else(|| Failure::unknown("There is no such thread."))?;
    let list: Vec<Value> = messages.iter().map(|message| view::message(message, &viewer)).collect();
    Ok(Json(json!({"root": view::message(&root, &viewer), "messages": list, "rev": rev})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewText {
    text: String,
    thread: Option<String>,
    key: String,
}

fn check_text(text: &str) -> Result<(), Failure> {
    if text.trim().is_empty() {
        return Err(Failure::bad("There is nothing in it yet."));
    }
    let chars = text.chars().count();
    if chars > MAX_CHARS {
        return Err(Failure::too_long(format!(
            "That is {chars} characters; a message may have {MAX_CHARS}. Nothing was saved: shorten it and send it again."
        )));
    }
    Ok(())
}

pub async fn write(
    State(server): State<Server>,
    who: SignedIn,
    Path(channel): Path<String>,
    body: Body<NewText>,
) -> Result<Response, Failure> {
    let Json(NewText { text, thread, key }) = body?;
    if key.is_empty() || key.len() > 200 {
        return Err(Failure::bad(
            "Give each message a key of its own, 1 to 200 bytes; repeat it when you repeat the message.",
        ));
    }
    check_text(&text)?;
    let channel = known_channel(&server, &channel).await?.id;
    let dedup = format!("{}#{key}", who.member.id);
    if thread.is_none() && text.starts_with('/') {
        return command(&server, &who, &channel, &text, dedup).await;
    }
    let at = server.app.clock.now_ms();
    let (id, author, place, root, body) =
        (random_id()?, who.member.id.clone(), channel.clone(), thread.clone(), text.clone());
    let id = server
        .app
        .store
        .write("store a message", move |conn| {
            Box::pin(async move {
                if let Some(root) = &root {
                    let found = web::get(conn, root).await?.filter(|root| {
                        root.channel == place && root.audience.is_empty() && root.thread.is_none() && !root.deleted
                    });
                    if found.is_none() {
                        return Ok(None);
                    }
                }
                let new = NewMessage {
                    id: &id,
                    channel: &place,
                    thread: root.as_deref(),
                    author: Some(&author),
                    audience: "",
                    body: &body,
                    dedup: &dedup,
                    at,
                };
                Ok(Some(web::insert(conn, &new).await?.0))
            })
        })
        .await?
        .ok_or_else(|| {
            Failure::unknown("This thread is not there any more. Copy your text and post it in the channel.")
        })?;
    server.bell.ring();
    if let Some(thread) = thread {
        note(&server, &who, &channel, &thread, &id).await?;
    }
    let message = shown(&server, &who, &id).await?;
    Ok((StatusCode::CREATED, Json(json!({"message": message, "reply": null}))).into_response())
}

/// Tells the drill of a thread message as it stands, and marks it with what became of it.
async fn note(server: &Server, who: &SignedIn, channel: &ChannelId, thread: &str, id: &str) -> Result<(), Failure> {
    // A repeated key may be that of a message which is deleted by now: that stays so.
    let Some(message) = get(server, id).await?.filter(|message| !message.deleted) else { return Ok(()) };
    let written = Written {
        channel: channel.clone(),
        thread: ThreadId::new(thread),
        message: id.to_owned(),
        member: who.member.id.clone(),
        name: Some(who.member.name.clone()),
        text: message.body,
        at: message.at,
    };
    let mark = match server.app.thread_message(written).await? {
        Receipt::Noted => "noted",
        Receipt::Late => "late",
        Receipt::Aside => "aside",
        Receipt::NotOurs => "",
    };
    if mark != message.mark {
        let id = id.to_owned();
        server
            .app
            .store
            .write("mark a message", move |conn| Box::pin(async move { web::mark(conn, &id, mark).await }))
            .await?;
        server.bell.ring();
    }
    Ok(())
}

async fn get(server: &Server, id: &str) -> Result<Option<WebMessage>, Failure> {
    let id = id.to_owned();
    Ok(server.app.store.read("read a message", move |conn| Box::pin(async move { web::get(conn, &id).await })).await?)
}

async fn shown(server: &Server, who: &SignedIn, id: &str) -> Result<Value, Failure> {
    let message = get(server, id).await?.ok_or_else(|| Failure::unknown("The message is gone."))?;
    Ok(view::message(&message, &who.viewer()))
}

/// A slash command. A repeated key does not run it again.
async fn command(
    server: &Server,
    who: &SignedIn,
    channel: &ChannelId,
    line: &str,
    dedup: String,
) -> Result<Response, Failure> {
    let (key, store) = (dedup.clone(), &server.app.store);
    let before =
        store.read("look for a reply", move |conn| Box::pin(async move { web::by_dedup(conn, &key).await })).await?;
    let reply = match before {
        Some(id) => json!({"kind": "show", "message": shown(server, who, &id).await?}),
        None => {
            let reply = server.app.line(&who.actor(channel), line).await?;
            deliver_reply(server, who, channel, None, reply, dedup).await?
        }
    };
    Ok(Json(json!({"message": null, "reply": reply})).into_response())
}

/// Keeps a reply as a private message, so that it is there after a reload and a restart.
async fn deliver_reply(
    server: &Server,
    who: &SignedIn,
    channel: &ChannelId,
    pressed: Option<WebMessage>,
    reply: Reply,
    dedup: String,
) -> Result<Value, Failure> {
    let (message, replaces): (Message, bool) = match reply {
        Reply::Open { form } => return Ok(json!({"kind": "open", "form": form})),
        Reply::Show { message } => (message, false),
        Reply::Replace { message } => (message, true),
    };
    let body = serde_json::to_string(&message).map_err(anyhow::Error::from)?;
    let own = pressed.as_ref().filter(|pressed| pressed.audience == who.member.id.as_str() && pressed.author.is_none());
    let target = own.filter(|_| replaces).map(|pressed| pressed.id.clone());
    let thread = pressed.as_ref().and_then(|pressed| pressed.thread.clone());
    let (id, at, channel, audience) =
        (random_id()?, server.app.clock.now_ms(), channel.clone(), who.member.id.to_string());
    let (id, replaced) = server
        .app
        .store
        .write("keep a reply", move |conn| {
            Box::pin(async move {
                if let Some(target) = target
                    && web::edit(conn, &target, &body, None).await?
                {
                    return Ok((target, true));
                }
                // After "erase my data" there is nobody left to keep it for.
                if members::get(conn, &MemberId::new(audience.as_str())).await?.is_none() {
                    return Ok((String::new(), false));
                }
                let new = NewMessage {
                    id: &id,
                    channel: &channel,
                    thread: thread.as_deref(),
                    author: None,
                    audience: &audience,
                    body: &body,
                    dedup: &dedup,
                    at,
                };
                Ok((web::insert(conn, &new).await?.0, false))
            })
        })
        .await?;
    server.bell.ring();
    if id.is_empty() {
        return Ok(json!({"kind": "show", "message": farewell(&message, at)}));
    }
    let kind = if replaced { "replace" } else { "show" };
    Ok(json!({"kind": kind, "message": shown(server, who, &id).await?}))
}

/// The last thing an erased member sees; it is kept nowhere.
fn farewell(message: &Message, at: i64) -> Value {
    json!({
        "id": "farewell", "seq": i64::from(i32::MAX), "rev": 0, "channel": "", "thread": null,
        "author": {"id": "bot", "name": "drillbot", "bot": true}, "mine": false, "private": true, "text": null,
        "message": message, "at": at, "edited_at": null, "deleted": false, "mark": null, "replies": 0,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Press {
    action: String,
    channel: String,
    message: Option<String>,
}

pub async fn press(State(server): State<Server>, who: SignedIn, body: Body<Press>) -> Answer {
    let Json(Press { action, channel, message }) = body?;
    let channel = known_channel(&server, &channel).await?.id;
    let reply = server.app.press(&who.actor(&channel), &action).await?;
    finish_reply(&server, &who, &channel, message, reply).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    action: String,
    channel: String,
    message: Option<String>,
    values: HashMap<String, String>,
}

pub async fn submit(State(server): State<Server>, who: SignedIn, body: Body<Sent>) -> Answer {
    let Json(Sent { action, channel, message, values }) = body?;
    let channel = known_channel(&server, &channel).await?.id;
    let reply = server.app.submit(&who.actor(&channel), &action, &values).await?;
    finish_reply(&server, &who, &channel, message, reply).await
}

async fn finish_reply(
    server: &Server,
    who: &SignedIn,
    channel: &ChannelId,
    message: Option<String>,
    reply: Reply,
) -> Answer {
    let pressed = match message {
        Some(id) => {
            let viewer = who.viewer();
            get(server, &id).await?.filter(|message| {
                message.audience.is_empty() || message.audience == viewer.member.as_str() || viewer.organiser
            })
        }
        None => None,
    };
    let dedup = format!("reply#{}", random_id()?);
    Ok(Json(json!({"reply": deliver_reply(server, who, channel, pressed, reply, dedup).await?})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edited {
    text: String,
}

/// The message a member may change.
async fn own(server: &Server, who: &SignedIn, id: &str) -> Result<WebMessage, Failure> {
    let message = get(server, id).await?.filter(|message| !message.deleted);
    let message = message.ok_or_else(|| Failure::unknown("This message is gone."))?;
    let mine = message.author.as_ref() == Some(&who.member.id);
    let only_for_me = message.author.is_none() && message.audience == who.member.id.as_str();
    if mine || only_for_me { Ok(message) } else { Err(Failure::forbidden("Only its author can change this message.")) }
}

pub async fn rewrite(
    State(server): State<Server>,
    who: SignedIn,
    Path(id): Path<String>,
    body: Body<Edited>,
) -> Answer {
    let Json(Edited { text }) = body?;
    check_text(&text)?;
    let message = own(&server, &who, &id).await?;
    if message.author.is_none() {
        return Err(Failure::forbidden("This message is mine; you can hide it."));
    }
    let (target, at) = (id.clone(), server.app.clock.now_ms());
    server
        .app
        .store
        .write("change a message", move |conn| Box::pin(async move { web::edit(conn, &target, &text, Some(at)).await }))
        .await?;
    server.bell.ring();
    if let Some(thread) = &message.thread {
        note(&server, &who, &message.channel, thread, &id).await?;
    }
    Ok(Json(json!({"message": shown(&server, &who, &id).await?})))
}

pub async fn erase(State(server): State<Server>, who: SignedIn, Path(id): Path<String>) -> Answer {
    let message = own(&server, &who, &id).await?;
    // First the answer, then the message: when the second fails, the same request can be sent again.
    if let (Some(thread), Some(_)) = (&message.thread, &message.author) {
        server.app.thread_message_deleted(&message.channel, &ThreadId::new(thread.as_str()), &id).await?;
    }
    server
        .app
        .store
        .write("delete a message", move |conn| Box::pin(async move { web::delete(conn, &id).await }))
        .await?;
    server.bell.ring();
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
pub struct BoardQuery {
    window: Option<String>,
    topic: Option<String>,
    board: Option<String>,
}

impl BoardQuery {
    pub fn window(&self) -> Window {
        self.window.as_deref().and_then(Window::parse).unwrap_or_default()
    }

    pub fn board(&self) -> Board {
        self.board.as_deref().and_then(Board::parse).unwrap_or_default()
    }

    pub fn topic(&self) -> Option<&str> {
        self.topic.as_deref().filter(|topic| !topic.is_empty())
    }
}

pub async fn leaderboard(
    State(server): State<Server>,
    who: SignedIn,
    Path(channel): Path<String>,
    Params(query): Params<BoardQuery>,
) -> Answer {
    let channel = known_channel(&server, &channel).await?.id;
    let topic = match query.topic().map(|typed| server.app.bank().find_topic(typed)) {
        None => None,
        Some(TopicMatch::Exact(name)) => Some(name),
        Some(TopicMatch::Near(_)) => {
            return Err(Failure::unknown("There is no such topic; GET /api/complete lists them."));
        }
    };
    let (window, board) = (query.window(), query.board());
    let table = server.app.leaderboard(&channel, window, board, topic.as_deref(), Some(&who.member.id)).await?;
    let rows: Vec<Value> = table.top.iter().map(view::standing).collect();
    let title = topic.map(|topic| server.app.bank().topic_title(&topic));
    Ok(Json(json!({
        "title": text::board_title(window, board, title.as_deref()),
        "rows": rows,
        "you": table.you.as_ref().map(view::standing),
        "members": table.members,
    })))
}

#[derive(Deserialize)]
pub struct Typed {
    text: String,
}

pub async fn complete(State(server): State<Server>, _: SignedIn, Params(typed): Params<Typed>) -> Answer {
    let suggestions: Vec<Value> = server
        .app
        .complete(&typed.text, view::GROUP)
        .into_iter()
        .map(|suggestion| json!({"insert": suggestion.line, "label": suggestion.line.trim_end(), "help": suggestion.help}))
        .collect();
    Ok(Json(json!({"suggestions": suggestions})))
}
