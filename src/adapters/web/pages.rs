//! The page itself, its assets, and the pages that need no script: leaderboard, schedule, history. The review queue has a file of its own.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Server;
use super::api::{BoardQuery, known_channel};
use super::error::{Failure, Params};
use super::session::SignedIn;
use crate::domain::bank::TopicMatch;
use crate::domain::command::{Board, Window};
use crate::domain::ids::short_hash;
use crate::domain::score::show_points;
use crate::domain::text::{self, ScheduleView, Standing};
use crate::store::channels::Channel;

const ASSETS: &[(&str, &str, &str)] = &[
    ("app.js", "text/javascript; charset=utf-8", include_str!("assets/app.js")),
    ("app.css", "text/css; charset=utf-8", include_str!("assets/app.css")),
    ("preview.css", "text/css; charset=utf-8", super::preview::STYLE),
    ("favicon.svg", "image/svg+xml", include_str!("assets/favicon.svg")),
];

/// Rounds on the history page.
const HISTORY: i64 = 60;

pub async fn index() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")],
        include_str!("assets/index.html"),
    )
}

pub async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some((_, kind, body)) = ASSETS.iter().find(|(known, ..)| *known == name) else {
        return Failure::unknown("There is no such file.").into_response();
    };
    let tag = format!("\"{}\"", short_hash(&[body]));
    let common = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, "no-cache".to_owned())];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, [(header::CONTENT_TYPE, *kind)], *body).into_response()
}

/// What every page shows around its own part.
pub struct Frame {
    pub title: &'static str,
    pub channel: String,
    pub zone: String,
    pub current: &'static str,
    /// Whoever looks at it is one, and has a way to the review queue.
    pub organiser: bool,
}

pub struct Choice {
    pub label: String,
    pub href: String,
    pub current: bool,
}

#[derive(Template)]
#[template(path = "leaderboard.html")]
struct LeaderboardPage {
    frame: Frame,
    heading: String,
    windows: Vec<Choice>,
    boards: Vec<Choice>,
    topics: Vec<TopicChoice>,
    window: &'static str,
    board: &'static str,
    rows: Vec<Row>,
    streaks: bool,
    note: String,
}

struct TopicChoice {
    name: String,
    title: String,
    current: bool,
}

struct Row {
    rank: usize,
    name: String,
    points: String,
    answered: i64,
    streak: i64,
    you: bool,
}

impl Row {
    fn of(line: &Standing) -> Row {
        Row {
            rank: line.rank,
            name: line.name.clone(),
            points: show_points(line.points),
            answered: line.answered,
            streak: line.streak,
            you: line.you,
        }
    }
}

/// An instant for a page: machine-readable, and in the channel's zone for readers without script.
struct When {
    iso: String,
    shown: String,
}

fn when(at: i64, zone: &str) -> When {
    let instant = Timestamp::from_millisecond(at).unwrap_or_default();
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let shown = instant.to_zoned(zone).strftime("%a %-d %b %Y, %H:%M").to_string();
    When { iso: instant.to_string(), shown }
}

#[derive(Template)]
#[template(path = "schedule.html")]
struct SchedulePage {
    frame: Frame,
    schedules: Vec<ScheduleCard>,
}

struct ScheduleCard {
    view: ScheduleView,
    next: Option<When>,
}

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    frame: Frame,
    rounds: Vec<HistoryRow>,
}

struct HistoryRow {
    when: When,
    schedule: String,
    topic: String,
    prompt: String,
    state: String,
    answered: i64,
    /// Where the question hangs in the chat.
    link: Option<String>,
}

pub fn frame(title: &'static str, current: &'static str, channel: Channel, organiser: bool) -> Frame {
    Frame { title, current, zone: channel.zone, channel: channel.name, organiser }
}

pub fn html(page: &impl Template) -> Response {
    match page.render() {
        Ok(body) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response(),
        Err(error) => Failure::from(anyhow::Error::from(error)).into_response(),
    }
}

/// Who has not signed in is sent to do that.
pub type Who = Result<SignedIn, Failure>;

pub async fn leaderboard(
    State(server): State<Server>,
    who: Who,
    Path(name): Path<String>,
    Params(query): Params<BoardQuery>,
) -> Result<Response, Failure> {
    let Ok(who) = who else { return Ok(Redirect::to("/").into_response()) };
    let channel = known_channel(&server, &name).await?;
    let (window, board) = (query.window(), query.board());
    let bank = server.app.bank();
    let topic = query.topic().and_then(|typed| match bank.find_topic(typed) {
        TopicMatch::Exact(name) => Some(name),
        TopicMatch::Near(_) => None,
    });
    let table = server.app.leaderboard(&channel.id, window, board, topic.as_deref(), Some(&who.member.id)).await?;
    let link = |window: Window, board: Board| {
        let topic = topic.as_deref().map_or_else(String::new, |topic| format!("&topic={topic}"));
        format!("/leaderboard/{name}?window={}&board={}{topic}", window.as_str(), board.as_str())
    };
    let windows = [(Window::Week, "This week"), (Window::Month, "This month"), (Window::All, "All time")];
    let boards = [(Board::Daily, "Daily questions"), (Board::Drill, "Private drills")];
    let title = topic.as_deref().map(|topic| bank.topic_title(topic));
    let mut rows: Vec<Row> = table.top.iter().map(Row::of).collect();
    rows.extend(table.you.as_ref().map(Row::of));
    let page = LeaderboardPage {
        heading: text::board_title(window, board, title.as_deref()),
        windows: windows
            .into_iter()
            .map(|(to, label)| Choice { label: label.into(), href: link(to, board), current: to == window })
            .collect(),
        boards: boards
            .into_iter()
            .map(|(to, label)| Choice { label: label.into(), href: link(window, to), current: to == board })
            .collect(),
        topics: bank
            .topics()
            .into_iter()
            .map(|one| TopicChoice {
                current: topic.as_deref() == Some(one.name.as_str()),
                name: one.name,
                title: one.title,
            })
            .collect(),
        window: window.as_str(),
        board: board.as_str(),
        rows,
        streaks: board == Board::Daily,
        note: text::board_size(table.members),
        frame: frame("Leaderboard", "leaderboard", channel, who.member.organiser),
    };
    Ok(html(&page))
}

pub async fn schedule(State(server): State<Server>, who: Who, Path(name): Path<String>) -> Result<Response, Failure> {
    let Ok(who) = who else { return Ok(Redirect::to("/").into_response()) };
    let channel = known_channel(&server, &name).await?;
    let views = server.app.schedule_views(&channel.id).await?;
    let schedules = views
        .into_iter()
        .map(|view| ScheduleCard { next: view.next_at.map(|at| when(at, &channel.zone)), view })
        .collect();
    Ok(html(&SchedulePage { schedules, frame: frame("Schedule", "schedule", channel, who.member.organiser) }))
}

pub async fn history(State(server): State<Server>, who: Who, Path(name): Path<String>) -> Result<Response, Failure> {
    let Ok(who) = who else { return Ok(Redirect::to("/").into_response()) };
    let channel = known_channel(&server, &name).await?;
    let rounds = server
        .app
        .history(&channel.id, HISTORY)
        .await?
        .into_iter()
        .map(|past| HistoryRow {
            when: when(past.round.opened_at, &channel.zone),
            schedule: past.round.schedule.name().to_owned(),
            topic: if past.topic.is_empty() { String::new() } else { server.app.bank().topic_title(&past.topic) },
            state: text::history_state(&past.round),
            link: past.round.message.as_ref().map(|message| format!("/#{name}/{message}")),
            prompt: past.prompt.replace('`', ""),
            answered: past.answered,
        })
        .collect();
    Ok(html(&HistoryPage { rounds, frame: frame("History", "history", channel, who.member.organiser) }))
}
