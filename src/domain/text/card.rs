//! The card of a question, its form and hints, and the reveal.

use super::flag::flag_button;
use super::{confidence, count, len, names};
use crate::domain::answer::MAX_CHARS;
use crate::domain::command::Action;
use crate::domain::confidence::Confidence;
use crate::domain::flag::About;
use crate::domain::grade::{Grade, PointState};
use crate::domain::markup;
use crate::domain::message::{Block, Button, Form, Input, InputKind, Message, Span, Style, TimeStyle, Tone};
use crate::domain::question::Question;
use crate::domain::round::{Round, State};
use crate::domain::schedule::AnswerMode;
use crate::domain::score::HINT_COST;

/// Model answers longer than this are split over several messages; below every platform's limit.
const PIECE: usize = 1_500;
/// How many names stand behind a key point, how many answers are quoted, and how much of each.
const NAMES: usize = 10;
const QUOTES: usize = 40;
const QUOTE_CHARS: usize = 600;
/// Room for a name and its result beside a quote.
const NAME_CHARS: usize = 60;

/// What a card needs beside its question.
pub struct CardView<'a> {
    pub round: &'a Round,
    pub question: &'a Question,
    /// The topic's title.
    pub topic: &'a str,
    pub answered: i64,
    /// False where the bot may not read what people write in threads.
    pub reads_threads: bool,
}

/// The command in the menu of a message that makes it an answer, for platforms that have such menus.
pub const SAVE_AS_ANSWER: &str = "Save as my answer";

pub fn thread_title(question: &Question) -> String {
    markup::shorten(&question.prompt, 90)
}

pub fn card(view: &CardView<'_>) -> Message {
    let CardView { round, question, topic, answered, reads_threads } = view;
    let mut blocks = vec![Block::heading(question.prompt.clone())];
    blocks.extend(question.exhibit.as_ref().into_iter().flat_map(super::exhibit));
    if let Some(nudge) = &question.nudge {
        blocks.push(Block::note(nudge.clone()));
    }
    blocks.push(Block::field("Topic", *topic));
    blocks.push(Block::field("Level", question.level.as_str()));
    let people = match answered {
        0 => "nobody yet".to_owned(),
        n => count(*n, "person", "people"),
    };
    blocks.push(Block::field("Answered", people));
    let open = round.state == State::Open;
    if open {
        blocks.push(Block::Field {
            label: "Reveal".into(),
            spans: vec![
                Span::Time { at: round.reveal_at, style: TimeStyle::Full },
                Span::plain(", "),
                Span::Time { at: round.reveal_at, style: TimeStyle::Relative },
            ],
        });
        let threadless = round.is_threadless();
        let how = match round.answers {
            AnswerMode::Private if threadless => {
                "Answer with the button; answers appear with names at the reveal.".to_owned()
            }
            AnswerMode::Private => {
                "Answer with the button; answers appear with names at the reveal. The thread is for questions about the question."
                    .to_owned()
            }
            _ if threadless => "Answer with the button.".to_owned(),
            _ if !reads_threads => format!(
                "Answer with the button; to use a message you wrote in the thread, open its menu, Apps, \"{SAVE_AS_ANSWER}\"."
            ),
            AnswerMode::Thread => "Answer in the thread.".to_owned(),
            AnswerMode::Both => "Answer in the thread, or in private with the button.".to_owned(),
        };
        blocks.push(Block::note(format!("{how} A hint is private and costs {HINT_COST} points.")));
    } else {
        let state = match round.state {
            State::Missed => "Closed without a reveal",
            State::Closing => "Closed; the reveal is on its way",
            _ if round.is_threadless() => "Closed; the answer is in the channel",
            _ => "Closed; the answer is in the thread",
        };
        blocks.push(Block::field("State", state));
    }
    let mut buttons = Vec::new();
    if open {
        if round.takes_form(*reads_threads) {
            buttons.push(button(Action::Answer(round.id.clone()), "Answer", Style::Primary));
        }
        if !question.hints.is_empty() {
            let label = format!("Hint (−{HINT_COST} points)");
            buttons.push(button(Action::Hint(round.id.clone()), label, Style::Secondary));
        }
    } else if round.state == State::Revealed {
        buttons.push(button(Action::MyResult(round.id.clone()), "My result", Style::Secondary));
    }
    let tone = if open { Tone::Question } else { Tone::Closed };
    let summary = if open { format!("Question: {}", question.prompt) } else { format!("Closed: {}", question.prompt) };
    Message { tone, summary, blocks, buttons }
}

pub(super) fn button(action: Action, label: impl Into<String>, style: Style) -> Button {
    Button { action: action.encode(), label: label.into(), style }
}

/// An answer's form that needs nothing looked up: for when that would take too long. It says that it does not know an earlier answer.
pub fn blank_form(action: &Action) -> Form {
    let placeholder = "I am slow just now: what you send here replaces what you may have sent before";
    Form {
        action: action.encode(),
        title: "Your answer".into(),
        blocks: vec![],
        inputs: vec![written_input("", placeholder), confidence::input(None)],
        submit: "Send".into(),
    }
}

/// The form behind the Answer button; `written` and `said` are what the member sent before.
pub fn answer_form(round: &Round, question: &Question, written: &str, said: Option<Confidence>) -> Form {
    Form {
        action: Action::Answer(round.id.clone()).encode(),
        title: "Your answer".into(),
        blocks: vec![Block::Line { spans: markup::spans(&question.prompt) }],
        inputs: vec![answer_input(written), confidence::input(said)],
        submit: if written.is_empty() { "Send" } else { "Save changes" }.into(),
    }
}

pub(super) fn answer_input(written: &str) -> Input {
    written_input(written, "Decision, reason, one thing that can go wrong")
}

fn written_input(written: &str, placeholder: &str) -> Input {
    Input {
        id: "answer".into(),
        label: "As you would say it in the interview".into(),
        value: written.into(),
        required: true,
        kind: InputKind::Text { placeholder: placeholder.into(), multiline: true, max_length: MAX_CHARS.min(4_000) },
    }
}

/// Hint `step` (from 0), only for the member who asked.
pub fn hint(question: &Question, step: usize) -> Message {
    let total = question.hints.len();
    let text = question.hints.get(step).cloned().unwrap_or_default();
    let mut blocks = vec![
        Block::heading(format!("Hint {} of {total}", step + 1)),
        Block::Line { spans: markup::spans(&text) },
        Block::note(match step + 1 {
            taken if taken < total => {
                format!("This cost you {HINT_COST} points; so does the next one. Taken so far: {taken} of {total}.")
            }
            _ => format!("This cost you {HINT_COST} points. There are no more hints."),
        }),
    ];
    blocks.retain(|block| !matches!(block, Block::Line { spans } if spans.is_empty()));
    Message { summary: format!("Hint {}: {text}", step + 1), blocks, ..Message::default() }
}

/// Everything a member has paid for, when there is no further hint.
pub fn all_hints(question: &Question) -> Message {
    let mut blocks = vec![Block::line("You have had all the hints of this question; this costs nothing more:")];
    for (step, hint) in question.hints.iter().enumerate() {
        blocks.push(Block::item(format!("{}.", step + 1), markup::spans(hint)));
    }
    Message { summary: "All hints".into(), blocks, ..Message::default() }
}

/// A member's answer with its grade and name, for the reveal.
pub struct NamedAnswer<'a> {
    pub name: String,
    pub text: &'a str,
    pub grade: &'a Grade,
    pub coverage: i64,
}

pub struct Reveal<'a> {
    pub round: &'a Round,
    pub question: &'a Question,
    /// The best first.
    pub answers: Vec<NamedAnswer<'a>>,
    /// The prompt of a question that goes on from here.
    pub teaser: Option<String>,
}

/// The messages of a reveal, in order.
pub fn reveal(view: &Reveal<'_>) -> Vec<Message> {
    let mut messages = model_answer(view.question);
    messages.push(key_points(view));
    if view.round.answers == AnswerMode::Private {
        messages.extend(quotes(&view.answers));
    }
    messages
}

/// What is left of a part of a reveal whose answers have all been erased.
pub fn erased_part() -> Message {
    Message::say("The answers that stood here were erased at their authors' wish.")
}

fn model_answer(question: &Question) -> Vec<Message> {
    let pieces = markup::split(&question.model_answer, PIECE);
    let total = pieces.len();
    let mut messages = Vec::with_capacity(total);
    for (at, piece) in pieces.into_iter().enumerate() {
        let title = if total == 1 { "Model answer".to_owned() } else { format!("Model answer, {} of {total}", at + 1) };
        let mut blocks = vec![Block::heading(title)];
        blocks.extend(super::readable(&piece));
        let summary = format!("The answer is out: {}", question.prompt);
        messages.push(Message { tone: Tone::Good, summary, blocks, buttons: vec![] });
    }
    messages
}

fn key_points(view: &Reveal<'_>) -> Message {
    let Reveal { round, question, answers, teaser } = view;
    let mut blocks = vec![Block::heading("Key points, and who covered them")];
    for (at, point) in question.key_points.iter().enumerate() {
        let covered: Vec<String> = answers
            .iter()
            .filter(|answer| answer.grade.points.get(at).is_some_and(|point| point.state == PointState::Covered))
            .map(|answer| answer.name.clone())
            .collect();
        let mark = if covered.is_empty() { "–" } else { "✓" };
        let who = match covered.len() {
            0 if answers.is_empty() => String::new(),
            0 => " — nobody yet".to_owned(),
            n if n == answers.len() && n > 1 => " — everybody".to_owned(),
            _ => format!(" — {}", names(&covered, NAMES)),
        };
        let mut spans = markup::spans(&point.text);
        spans.push(Span::plain(who));
        blocks.push(Block::item(mark, spans));
    }
    blocks.push(match answers.as_slice() {
        [] => Block::line("Nobody answered this time. The thread stays open: what would you have said?"),
        all => {
            let mean = all.iter().map(|answer| answer.coverage).sum::<i64>() / len(all.len());
            Block::line(format!("{} answered; {mean} of 100 on average.", count(len(all.len()), "person", "people")))
        }
    });
    if !question.mistakes.is_empty() {
        blocks.push(Block::heading("Common mistakes"));
        for mistake in &question.mistakes {
            let mut spans = super::bold(&mistake.wrong);
            spans.push(Span::plain(" "));
            spans.extend(markup::spans(&mistake.right));
            blocks.push(Block::item("✗", spans));
        }
    }
    if !question.references.is_empty() {
        blocks.push(Block::heading("Read more"));
        for url in &question.references {
            blocks.push(Block::item("•", vec![super::reference(url)]));
        }
    }
    if let Some(teaser) = teaser {
        blocks.push(Block::note(format!("To think about next: {teaser}")));
    }
    Message {
        tone: Tone::Good,
        summary: format!("Key points of: {}", question.prompt),
        blocks,
        buttons: vec![
            button(Action::MyResult(round.id.clone()), "My result", Style::Secondary),
            flag_button(About::Round(round.id.clone())),
        ],
    }
}

/// The answers by name, a few a message.
fn quotes(answers: &[NamedAnswer<'_>]) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    let mut room = 0;
    // One that is nearly another's says nothing new, and its number would point at its author.
    let own: Vec<_> = answers.iter().filter(|answer| answer.grade.copied.is_none()).collect();
    for answer in own.iter().take(QUOTES) {
        let text = markup::shorten(answer.text, QUOTE_CHARS);
        // A name may change before the reveal goes out; the number of messages may not.
        let size = text.chars().count() + NAME_CHARS;
        if size > room || messages.is_empty() {
            messages.push(Message {
                summary: "What people answered".into(),
                blocks: vec![Block::heading("What people answered")],
                ..Message::default()
            });
            room = PIECE;
        }
        room = room.saturating_sub(size);
        if let Some(message) = messages.last_mut() {
            let by = format!("{} ({} of 100)", answer.name, answer.coverage);
            message.blocks.push(Block::Quote { by: Some(by), text, hits: vec![] });
        }
    }
    if let Some(message) = messages.last_mut()
        && own.len() > QUOTES
    {
        let more = own.len() - QUOTES;
        message.blocks.push(Block::note(format!("… and {more} more. Everybody finds their own under My result.")));
    }
    messages
}
