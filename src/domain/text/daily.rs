//! The organiser's side: schedules, what happened, what needs care.

use super::{count, len};
use crate::domain::markup;
use crate::domain::message::{Block, Message, Span, TimeStyle, Tone};
use crate::domain::round::{Round, State};
use crate::domain::schedule::Problem;

/// What `/daily show` says about one schedule.
pub struct ScheduleView {
    pub name: String,
    /// "at 09:00 from Monday to Friday (Europe/London)"
    pub when: String,
    /// "8 hours later"
    pub reveal: String,
    pub answers: &'static str,
    /// Whom questions call, as the platform names them; empty = nobody.
    pub ping: String,
    pub filter: String,
    pub catch_up: String,
    pub skip: String,
    pub paused: bool,
    pub next_at: Option<i64>,
    /// Questions of the filter that this channel has not seen, and all of them.
    pub unseen: usize,
    pub total: usize,
}

pub fn show_schedules(schedules: &[ScheduleView], history: &[Block]) -> Message {
    let mut blocks = Vec::new();
    for view in schedules {
        blocks.push(Block::heading(if view.paused { format!("{} (paused)", view.name) } else { view.name.clone() }));
        blocks.push(Block::field("Question", view.when.clone()));
        blocks.push(Block::field("Reveal", view.reveal.clone()));
        blocks.push(match view.next_at {
            Some(at) => Block::Field { label: "Next".into(), spans: vec![Span::Time { at, style: TimeStyle::Full }] },
            None => Block::field("Next", if view.paused { "none while paused" } else { "none" }),
        });
        blocks.push(Block::field("Answers", view.answers));
        if !view.ping.is_empty() {
            blocks.push(Block::Field { label: "Calls".into(), spans: vec![Span::Role { id: view.ping.clone() }] });
        }
        blocks.push(Block::field(
            "Questions",
            format!("{}; {} of {} not asked yet", view.filter, view.unseen, view.total),
        ));
        blocks.push(Block::field("Late at most", view.catch_up.clone()));
        if !view.skip.is_empty() {
            blocks.push(Block::field("Left out", view.skip.clone()));
        }
    }
    if !history.is_empty() {
        blocks.push(Block::heading("Lately"));
        blocks.extend_from_slice(history);
    }
    let more = "/daily set changes it, /daily pause, skip, now and reveal steer it, /help daily explains.";
    blocks.push(Block::Note { spans: Span::sentence(more) });
    let summary = schedules.first().map_or_else(|| "No schedule".to_owned(), |view| format!("Questions {}", view.when));
    Message { summary, blocks, ..Message::default() }
}

pub fn history_state(round: &Round) -> String {
    match round.state {
        State::Open => "open".to_owned(),
        State::Closing => "being graded".to_owned(),
        State::Revealed => "revealed".to_owned(),
        State::Skipped | State::Missed if !round.reason.is_empty() => {
            format!("{}: {}", round.state.as_str(), round.reason)
        }
        State::Skipped => "skipped".to_owned(),
        State::Missed => "missed".to_owned(),
    }
}

/// `answered`, and the best coverage with its points, of a revealed round.
pub fn history_line(round: &Round, prompt: &str, answered: i64) -> Block {
    let mut spans = vec![Span::bold(round.slot.replace('T', " ")), Span::plain(" ")];
    let state = history_state(round);
    match round.state {
        State::Skipped | State::Missed => spans.push(Span::plain(state)),
        _ => {
            spans.extend(markup::spans(prompt));
            spans.push(Span::plain(format!(" ({state}, {})", count(answered, "answer", "answers"))));
        }
    }
    Block::item("•", spans)
}

pub fn no_schedule() -> Message {
    super::refused_with(vec![
        Span::plain("This channel has no schedule yet. "),
        Span::command("/daily set 09:00 days:mon-fri zone:Europe/London"),
        Span::plain(" makes one."),
    ])
}

pub fn several_schedules(names: &[String]) -> Message {
    super::refused(format!(
        "This channel has several schedules: {}. Add schedule:NAME to say which one you mean.",
        super::names(names, 10)
    ))
}

pub fn bad_schedule(problems: &[Problem]) -> Message {
    let mut blocks = vec![Block::line("Nothing was changed:")];
    blocks.extend(problems.iter().map(|problem| {
        Block::item(
            "✗",
            vec![Span::bold(format!("{}: ", problem.field.replace('_', "-"))), Span::plain(problem.message.clone())],
        )
    }));
    let summary = problems.first().map_or_else(String::new, |problem| problem.message.clone());
    Message { tone: Tone::Warning, summary, blocks, buttons: vec![] }
}

pub fn changed(view: &ScheduleView) -> Message {
    let mut message = show_schedules(std::slice::from_ref(view), &[]);
    message.blocks.insert(0, Block::line("Changed. This is the schedule now:"));
    message.tone = Tone::Good;
    message
}

fn next(words: &str, next_at: Option<i64>) -> Message {
    let mut spans = vec![Span::plain(words)];
    match next_at {
        Some(at) => {
            spans.push(Span::plain(" The next question comes "));
            spans.push(Span::Time { at, style: TimeStyle::Full });
            spans.push(Span::plain("."));
        }
        None => spans.push(Span::plain(" No question is planned.")),
    }
    Message { tone: Tone::Good, summary: words.into(), blocks: vec![Block::Line { spans }], buttons: vec![] }
}

pub fn paused() -> Message {
    Message::say("Paused. An open question is still revealed; no new one comes until /daily resume.").toned(Tone::Good)
}

pub fn resumed(next_at: Option<i64>) -> Message {
    next("Questions come again.", next_at)
}

pub fn skipped(slot: &str, next_at: Option<i64>) -> Message {
    next(&format!("The question of {} is left out.", slot.replace('T', " ")), next_at)
}

pub fn opened_now() -> Message {
    Message::say("The question is on its way to the channel. /daily reveal ends it early.").toned(Tone::Good)
}

pub fn revealing() -> Message {
    Message::say("The question is closed; the reveal is on its way to its thread.").toned(Tone::Good)
}

pub fn nothing_open() -> Message {
    super::refused("No question is open here. /daily now posts one at once.")
}

pub fn nothing_to_ask() -> Message {
    super::refused_with(vec![
        Span::plain("No question of the bank fits this schedule, so nothing was posted. Widen it: "),
        Span::command("/daily set topics:all levels:all tracks:all"),
    ])
}

/// To the organisers: the bank runs low for a schedule. 0 = used up.
pub fn low_on_questions(schedule: &str, left: usize, total: usize) -> String {
    if left == 0 {
        format!(
            "The schedule \"{schedule}\" has now asked all its {total} questions. From the next one on they repeat, the longest unseen \
             first. Widen its topics or levels with /daily set, or add questions to the bank."
        )
    } else {
        format!(
            "The schedule \"{schedule}\" has {} left that this channel has not seen. Then they repeat, the longest unseen first. Widen \
             its topics or levels with /daily set, or add questions to the bank.",
            count(len(left), "question", "questions")
        )
    }
}

/// To the organisers: a question never went out.
pub fn not_posted(slot: &str, why: &str) -> String {
    format!("The question of {} was not posted: {why}.", slot.replace('T', " "))
}

/// `/daily set ping:..` on a platform without roles.
pub fn nobody_to_call() -> Message {
    super::refused(
        "The web chat has nobody to call: it knows no roles, and shows new questions to all. Nothing was changed.",
    )
}
