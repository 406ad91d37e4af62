//! A question as people will meet it, in the looks of three chats side by side: for authors, in the browser or as a file.

use anyhow::{Context, Result};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};

use super::Server;
use super::error::Failure;
use super::session::SignedIn;
use crate::domain::message::{Block, InputKind, Message, Span, Style, TimeStyle, Tone};
use crate::domain::preview::{Preview, preview};
use crate::domain::question::Question;

/// What the page looks like; `preview.css` among the assets.
pub const STYLE: &str = include_str!("assets/preview.css");

#[derive(Template)]
#[template(path = "preview.html")]
struct Page<'a> {
    question: &'a Question,
    preview: &'a Preview,
    /// (name, class) of each.
    layouts: [(&'static str, &'static str); 3],
    /// The style itself, for a file; a served page has a link to it.
    style: Option<&'static str>,
}

impl Page<'_> {
    fn time(at: &i64, style: &TimeStyle) -> String {
        let at = jiff::Timestamp::from_millisecond(*at).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC);
        match style {
            TimeStyle::Full => at.strftime("%a %-d %b, %H:%M").to_string(),
            TimeStyle::Relative => "in 8 hours".to_owned(),
        }
    }

    fn tone(message: &Message) -> &'static str {
        match message.tone {
            Tone::Plain => "plain",
            Tone::Question => "question",
            Tone::Closed => "closed",
            Tone::Good => "good",
            Tone::Warning => "warning",
            Tone::Error => "error",
        }
    }
}

fn render(question: &Question, preview: &Preview, style: Option<&'static str>) -> Result<String> {
    let layouts = [("Web chat", "web"), ("Like Discord", "discord"), ("Like Slack", "slack")];
    Page { question, preview, layouts, style }.render().context("cannot fill in the preview")
}

/// The whole page with its style in it, to be kept as a file.
///
/// # Errors
/// When the page cannot be filled in, which would be a bug of ours.
pub fn page(question: &Question, preview: &Preview) -> Result<String> {
    render(question, preview, Some(STYLE))
}

/// For organisers only: it tells the answer.
pub async fn show(
    State(server): State<Server>,
    who: Result<SignedIn, Failure>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let Ok(who) = who else { return Ok(Redirect::to("/").into_response()) };
    if !who.member.organiser {
        return Err(Failure::forbidden("A preview tells the answer, so it is for organisers."));
    }
    let bank = server.app.bank();
    let Some(question) = bank.get(&id) else {
        return Err(Failure::unknown("There is no question of this id. /topics lists what there is."));
    };
    let preview = preview(question, &bank.topic_title(&question.topic), bank.lexicon(), server.app.now());
    let body = render(question, &preview, None)?;
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response())
}
