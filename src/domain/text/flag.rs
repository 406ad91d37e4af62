//! Flags: their form, and what their authors read.

use super::card::button;
use super::refused;
use super::suggestion::EXCERPT;
use crate::domain::command::Action;
use crate::domain::flag::{About, Fault, Flag, OPEN_AT_MOST, Slip, State, Typed, WORDS_CHARS};
use crate::domain::form::{Form, Input, InputKind};
use crate::domain::markup;
use crate::domain::message::{Block, Button, Message, Span, Style, Tone};
use crate::domain::question::Question;
use crate::domain::queue::Act;
use crate::domain::suggestion::LINK_CHARS;

/// Of a prompt above the form.
const PROMPT: usize = 600;

/// The small way to a flag, beside what a question came to.
pub fn flag_button(about: About) -> Button {
    button(Action::Queue(Act::Flag(about)), "Flag", Style::Secondary)
}

/// The form of a flag with what was typed before; without the question when there is no time to look it up.
pub fn flag_form(about: &About, question: Option<&Question>, typed: &Typed) -> Form {
    // Quoted, so that every platform shows it above the inputs.
    let mut blocks: Vec<Block> = question
        .map(|question| Block::Quote {
            by: Some(question.id.to_string()),
            text: markup::shorten(&question.prompt, PROMPT),
            hits: vec![],
        })
        .into_iter()
        .collect();
    blocks.push(Block::note("The organisers see it with your name, and I tell you what they say."));
    Form {
        action: Action::Queue(Act::Flag(about.clone())).encode(),
        title: "Flag a question".into(),
        blocks,
        inputs: vec![
            Input {
                id: "fault".into(),
                label: "What is it?".into(),
                value: typed.fault.clone(),
                required: true,
                kind: InputKind::Pick { options: Fault::options(), many: false },
            },
            Input {
                id: "words".into(),
                label: "In your words".into(),
                value: typed.words.clone(),
                required: true,
                kind: InputKind::Text {
                    placeholder: "What it says, and what would be right".into(),
                    multiline: true,
                    max_length: WORDS_CHARS,
                },
            },
            Input {
                id: "source".into(),
                label: "Link to a source".into(),
                value: typed.link.clone(),
                required: false,
                kind: InputKind::Text { placeholder: "https://..".into(), multiline: false, max_length: LINK_CHARS },
            },
        ],
        submit: "Send".into(),
    }
}

/// Nothing was picked.
pub fn no_fault() -> String {
    "Choose what is wrong with the question.".to_owned()
}

/// One sentence on what is wrong with an input.
pub fn flag_slip(slip: &Slip) -> String {
    match slip {
        Slip::NoWords => "Say in a few words what is wrong.".to_owned(),
        Slip::LongWords(chars) => format!("That is {chars} characters; {WORDS_CHARS} is the most."),
        Slip::NoLink => "The link is no https address; leave it empty if there is none.".to_owned(),
    }
}

/// What is wrong with a flag; what was typed is kept for the next try.
pub fn not_flagged(about: &About, problem: &str) -> Message {
    let mut message = refused(format!("{problem} Nothing was sent yet; what you typed is kept."));
    message.buttons = vec![button(Action::Queue(Act::Flag(about.clone())), "Mend it", Style::Primary)];
    message
}

pub fn flagged(changed: bool) -> Message {
    let words = if changed {
        "Changed: the organisers see what you say now."
    } else {
        "Thank you. The organisers look at it, and I tell you what they say."
    };
    Message::say(words).toned(Tone::Good)
}

pub fn too_many_flags() -> Message {
    refused(format!("You have {OPEN_AT_MOST} flags waiting already, so this one was not sent; what you typed is kept."))
}

/// `/flag` alone, where nothing was asked yet.
pub fn nothing_to_flag() -> Message {
    refused("Say which question, by its id: /flag and a question offers them as you type.")
}

/// A question id that the bank does not have.
pub fn no_question_to_flag(typed: &str, near: Option<&str>) -> Message {
    let typed = markup::shorten(typed, 60);
    let guess = near.map_or_else(String::new, |near| format!(" Did you mean {near}?"));
    refused(format!("There is no question \"{typed}\" in the bank, so nothing was flagged.{guess}"))
}

/// What the organisers say to a flag, for its author alone.
pub fn flag_outcome(flag: &Flag) -> Option<Message> {
    let first = match flag.state {
        State::Open => return None,
        State::Fixed => "You flagged a question, and it is mended. Thank you!",
        State::Kept => "You flagged a question; the organisers find it right as it is.",
        State::Dismissed => "You flagged a question; the organisers have put the flag aside.",
    };
    let about =
        vec![Span::code(flag.question.as_str()), Span::plain(format!(" {}", markup::shorten(&flag.prompt, EXCERPT)))];
    let mut blocks = vec![Block::line(first), Block::Note { spans: about }];
    if !flag.answer.is_empty() {
        blocks.push(Block::note("The organisers say:"));
        blocks.push(Block::Quote { by: None, text: flag.answer.clone(), hits: vec![] });
    }
    let tone = if flag.state == State::Fixed { Tone::Good } else { Tone::Plain };
    Some(Message { tone, summary: first.to_owned(), blocks, buttons: vec![] })
}
