//! The review queue: a page for organisers, and the calls behind it. What they do there is answered there, not in the chat.

use std::collections::HashMap;

use askama::Template;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Server;
use super::api::known_channel;
use super::error::{Failure, Params};
use super::pages::{Choice, Frame, Who, frame, html};
use super::session::SignedIn;
use crate::domain::command::Action;
use crate::domain::queue::{Act, Shelf};

#[derive(Deserialize)]
pub struct Query {
    show: Option<String>,
}

impl Query {
    fn shelf(&self) -> Shelf {
        self.show.as_deref().and_then(Shelf::parse).unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "review.html")]
struct ReviewPage {
    frame: Frame,
    shelves: Vec<Choice>,
    shelf: &'static str,
    /// The channel as addresses name it.
    channel: String,
}

pub async fn page(
    State(server): State<Server>,
    who: Who,
    Path(name): Path<String>,
    Params(query): Params<Query>,
) -> Result<Response, Failure> {
    let Ok(who) = who else { return Ok(Redirect::to("/").into_response()) };
    let channel = known_channel(&server, &name).await?;
    let shelf = query.shelf();
    let label = |shelf| match shelf {
        Shelf::Open => "All that waits",
        Shelf::Suggestions => "Suggestions",
        Shelf::Flags => "Flags",
        Shelf::Decided => "Decided",
    };
    let shelves = Shelf::ALL.into_iter().map(|one| Choice {
        label: label(one).to_owned(),
        href: format!("/review/{name}?show={}", one.as_str()),
        current: one == shelf,
    });
    let organiser = who.member.organiser;
    let page = ReviewPage {
        shelves: shelves.collect(),
        shelf: shelf.as_str(),
        frame: frame("Review", "review", channel, organiser),
        channel: name,
    };
    let status = if organiser { StatusCode::OK } else { StatusCode::FORBIDDEN };
    Ok((status, html(&page)).into_response())
}

fn for_organisers(who: &SignedIn) -> Result<(), Failure> {
    if who.member.organiser { Ok(()) } else { Err(Failure::forbidden("The review queue is for organisers.")) }
}

pub async fn list(
    State(server): State<Server>,
    who: SignedIn,
    Path(channel): Path<String>,
    Params(query): Params<Query>,
) -> Result<Json<Value>, Failure> {
    for_organisers(&who)?;
    let channel = known_channel(&server, &channel).await?.id;
    let queue = server.app.whole_queue(&who.actor(&channel), query.shelf()).await?;
    let items: Vec<Value> =
        queue.iter().map(|shown| json!({ "id": shown.item.encode(), "message": shown.message })).collect();
    Ok(Json(json!({ "items": items })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    action: String,
    /// Of a form that is sent.
    values: Option<HashMap<String, String>>,
}

pub async fn act(
    State(server): State<Server>,
    who: SignedIn,
    Path(channel): Path<String>,
    body: Result<Json<Step>, JsonRejection>,
) -> Result<Json<Value>, Failure> {
    let Json(Step { action, values }) = body?;
    for_organisers(&who)?;
    let channel = known_channel(&server, &channel).await?.id;
    if !matches!(Action::decode(&action), Some(Action::Queue(Act::Decide(..)))) {
        return Err(Failure::bad("This is no decision on the review queue."));
    }
    let actor = who.actor(&channel);
    let reply = match values {
        Some(values) => server.app.submit(&actor, &action, &values).await?,
        None => server.app.press(&actor, &action).await?,
    };
    server.bell.ring();
    Ok(Json(json!({ "reply": reply })))
}
