//! Leaderboards and a member's own page.

use super::confidence::{SureAndWrong, calibration};
use super::count;
use crate::domain::command::{Action, Board, Window};
use crate::domain::confidence::Confidence;
use crate::domain::ids::RoundId;
use crate::domain::markup::shorten;
use crate::domain::message::{Block, Message, Span, Style, Tone};
use crate::domain::score::show_points;

/// One line of a leaderboard.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub rank: usize,
    pub name: String,
    /// Tenths.
    pub points: i64,
    pub answered: i64,
    pub streak: i64,
    pub you: bool,
}

pub fn board_title(window: Window, board: Board, topic: Option<&str>) -> String {
    let what = match board {
        Board::Daily => "Daily questions",
        Board::Drill => "Private drills",
    };
    let when = match window {
        Window::Week => "this week",
        Window::Month => "this month",
        Window::All => "all time",
    };
    match topic {
        Some(topic) => format!("{what} on {topic}, {when}"),
        None => format!("{what}, {when}"),
    }
}

/// How many people a board has, for the page.
pub fn board_size(members: i64) -> String {
    match members {
        0 => "Nobody has points here yet.".to_owned(),
        n => format!("{} on this board.", count(n, "person", "people")),
    }
}

const OTHERS: &str = "Others: /leaderboard week, month or all; add a topic or drill.";

/// `you` is the reader's own line when it is not among `top`.
pub fn leaderboard(
    window: Window,
    board: Board,
    topic: Option<&str>,
    top: &[Standing],
    you: Option<&Standing>,
    members: i64,
) -> Message {
    let title = board_title(window, board, topic);
    let mut blocks = vec![Block::heading(title.clone())];
    if top.is_empty() {
        let how = match board {
            Board::Daily => "Nobody has points here yet. Answer a daily question and be the first.",
            Board::Drill => "Nobody has points here yet. Try /drill and be the first.",
        };
        blocks.push(Block::sentence(how));
        return Message { summary: format!("{title}: nobody yet"), blocks, ..Message::default() };
    }
    let row = |line: &Standing| {
        let name = if line.you { format!("{} (you)", line.name) } else { line.name.clone() };
        let mut row = vec![line.rank.to_string(), name, show_points(line.points), line.answered.to_string()];
        if board == Board::Daily {
            row.push(line.streak.to_string());
        }
        row
    };
    let mut head: Vec<String> = ["#", "Name", "Points", "Answers"].map(String::from).to_vec();
    if board == Board::Daily {
        head.push("Streak".into());
    }
    let mut rows: Vec<Vec<String>> = top.iter().map(row).collect();
    rows.extend(you.map(row));
    blocks.push(Block::Table { head, rows });
    let own = match (top.iter().find(|line| line.you).or(you), board) {
        (Some(line), _) => format!("You are number {} of {members}.", line.rank),
        (None, Board::Daily) => "You are not on this board yet: answer the next question.".to_owned(),
        (None, Board::Drill) => "You are not on this board yet: try /drill.".to_owned(),
    };
    blocks.push(Block::sentence(&own));
    if usize::try_from(members).is_ok_and(|members| members > top.len()) {
        let first = format!("The first {} of {}. {OTHERS}", top.len(), count(members, "member", "members"));
        blocks.push(Block::Note { spans: Span::sentence(&first) });
    } else {
        blocks.push(Block::Note { spans: Span::sentence(OTHERS) });
    }
    let first = &top[0];
    let summary = format!("{title}: {} leads with {} points", first.name, show_points(first.points));
    Message { summary, blocks, ..Message::default() }
}

/// What `/me` shows.
pub struct Me {
    pub name: String,
    /// Rank, points in tenths, answers: this week and over all time, daily board.
    pub week: Option<(usize, i64, i64)>,
    pub all: Option<(usize, i64, i64)>,
    pub drills: Option<(usize, i64, i64)>,
    pub streak: i64,
    pub best_streak: i64,
    /// (topic title, mean coverage, questions), the weakest first.
    pub topics: Vec<(String, i64, i64)>,
    /// Newest first.
    pub recent: Vec<Recent>,
    /// (level, answers, mean coverage), the surest first; empty when they never said how sure they are.
    pub calibration: Vec<(Confidence, i64, i64)>,
    /// Newest first.
    pub sure_and_wrong: Vec<SureAndWrong>,
}

/// What somebody got for one daily question.
pub struct Recent {
    pub round: RoundId,
    /// `2026-11-23`
    pub day: String,
    /// Its title.
    pub topic: String,
    pub coverage: i64,
    /// Tenths.
    pub points: i64,
}

pub fn me(view: &Me) -> Message {
    let mut message = standing(view);
    if !view.recent.is_empty() {
        message.blocks.push(Block::heading("Lately"));
        let rows = view
            .recent
            .iter()
            .map(|one| vec![one.day.clone(), one.topic.clone(), one.coverage.to_string(), show_points(one.points)]);
        message.blocks.push(Block::Table {
            head: ["Day", "Topic", "Of 100", "Points"].map(String::from).to_vec(),
            rows: rows.collect(),
        });
    }
    message.blocks.extend(calibration(&view.calibration, &view.sure_and_wrong));
    let erase = vec![Span::command("/me delete"), Span::plain(" erases everything I know about you.")];
    message.blocks.push(Block::Note { spans: erase });
    message
}

/// A member's own page in parts: where they stand in a channel, their latest results, and what is kept of them.
pub fn home(view: &Me, channel: Option<&str>) -> Vec<Message> {
    let mut standing = standing(view);
    if let Some(channel) = channel {
        standing.blocks.push(Block::note(format!("This is your standing in #{channel}.")));
    }
    standing.buttons.push(super::card::button(Action::Run("/drill".into()), "Drill", Style::Secondary));
    let mut results = vec![Block::heading("Your latest results")];
    if view.recent.is_empty() {
        results.push(Block::line("The result of each daily question that you answer appears here after its reveal."));
    }
    let mut buttons = Vec::new();
    for one in &view.recent {
        let Recent { round, day, topic, coverage, points } = one;
        let spans = vec![
            Span::bold(format!("{day} {topic} ")),
            Span::plain(format!("{coverage} of 100, {} points", show_points(*points))),
        ];
        results.push(Block::item("•", spans));
        let label = shorten(&format!("Result of {day}, {topic}"), 70);
        buttons.push(super::card::button(Action::MyResult(round.clone()), label, Style::Secondary));
    }
    results.extend(calibration(&view.calibration, &view.sure_and_wrong));
    let results = Message { summary: "Your latest results".into(), blocks: results, buttons, ..Message::default() };
    let kept = vec![
        Block::heading("Settings"),
        Block::field("Your name", format!("{}, as in your profile; the boards and reveals show it", view.name)),
        Block::field("Your data", "answers, scores, streaks and drills, until you erase them"),
    ];
    let erase = super::card::button(Action::Run("/me delete".into()), "Erase my data", Style::Danger);
    let kept = Message { summary: "Settings".into(), blocks: kept, buttons: vec![erase], ..Message::default() };
    vec![standing, results, kept]
}

fn standing(view: &Me) -> Message {
    let mut blocks = vec![Block::heading(format!("{}, so far", view.name))];
    let place = |place: Option<(usize, i64, i64)>| match place {
        Some((rank, points, answers)) => {
            format!("{} points, number {rank}, {}", show_points(points), count(answers, "answer", "answers"))
        }
        None => "nothing yet".to_owned(),
    };
    blocks.push(Block::field("This week", place(view.week)));
    blocks.push(Block::field("All time", place(view.all)));
    blocks.push(Block::field("Drills", place(view.drills)));
    let streak = match (view.streak, view.best_streak) {
        (0, 0) => "none yet".to_owned(),
        (0, best) => format!("none now, {best} at best"),
        (now, best) => format!("{} in a row, {best} at best", count(now, "question", "questions")),
    };
    blocks.push(Block::field("Streak", streak));
    let mut buttons = Vec::new();
    if view.topics.is_empty() {
        blocks.push(Block::sentence("Answer the daily question, or try /drill, and your topics appear here."));
    } else {
        blocks.push(Block::heading("Topics, the weakest first"));
        let rows =
            view.topics.iter().take(8).map(|(topic, mean, n)| vec![topic.clone(), mean.to_string(), n.to_string()]);
        blocks.push(Block::Table {
            head: ["Topic", "Of 100", "Questions"].map(String::from).to_vec(),
            rows: rows.collect(),
        });
        if let Some((weakest, mean, _)) = view.topics.first().filter(|(_, mean, _)| *mean < 80) {
            let action = Action::Run(format!("/drill topic:\"{weakest}\""));
            if action.encode().len() <= 100 {
                let label = shorten(&format!("Drill {weakest} ({mean} of 100)"), 70);
                buttons.push(super::card::button(action, label, Style::Primary));
            }
        }
    }
    let summary = format!("{}: {}", view.name, place(view.all));
    Message { summary, blocks, buttons, tone: Tone::Plain }
}
