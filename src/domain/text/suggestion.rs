//! Suggestions: their form, and what their authors read.

use super::card::button;
use super::{count, len, names, refused};
use crate::domain::command::Action;
use crate::domain::form::{Form, Input, InputKind};
use crate::domain::markup;
use crate::domain::message::{Block, Button, Message, Span, Style, TimeStyle, Tone};
use crate::domain::question::Question;
use crate::domain::queue::Act;
use crate::domain::suggestion::{
    ANSWER_CHARS, LINK_CHARS, OPEN_AT_MOST, POINT_CHARS, POINTS, POINTS_CHARS, PROMPT_CHARS, Slip, State, Suggestion,
    TOPIC_CHARS, Typed,
};

/// Of a prompt in a sentence.
pub(super) const EXCERPT: usize = 120;
/// Of a question that is resembled.
const RESEMBLED: usize = 200;

fn queue(act: Act, label: impl Into<String>, style: Style) -> Button {
    button(Action::Queue(act), label, style)
}

/// The form of a suggestion with what was typed before.
pub fn suggestion_form(typed: &Typed) -> Form {
    Form {
        action: Action::Queue(Act::Suggest).encode(),
        title: "Suggest a question".into(),
        blocks: vec![Block::note(
            "Organisers read it before anybody is asked. What you send is given to this group: an approved question stays in its bank, \
             without your name, even when you erase your data.",
        )],
        // Not every platform shows what stands above the inputs.
        inputs: texts_inputs(
            typed,
            "What is asked? Sent, it is given to this group and stays in its bank without your name.",
        ),
        submit: "Send".into(),
    }
}

/// The inputs that a suggestion has, for its author and for organisers.
pub(super) fn texts_inputs(typed: &Typed, first: &str) -> Vec<Input> {
    let input = |id: &str, label: &str, value: &str, placeholder: &str, multiline, required, max_length| Input {
        id: id.into(),
        label: label.into(),
        value: value.into(),
        required,
        kind: InputKind::Text { placeholder: placeholder.into(), multiline, max_length },
    };
    vec![
        input("question", "The question", &typed.question, first, true, true, PROMPT_CHARS),
        input(
            "answer",
            "A model answer",
            &typed.answer,
            "As you would say it in the interview: decision, reason, one thing that can go wrong",
            true,
            true,
            ANSWER_CHARS,
        ),
        input(
            "points",
            "Key points, one a line",
            &typed.points,
            "What a good answer has to say, a short sentence each; at most 6",
            true,
            true,
            POINTS_CHARS,
        ),
        input("topic", "Topic", &typed.topic, "For example iam; /topics shows them all", false, true, TOPIC_CHARS),
        input("source", "Link to a source", &typed.source, "https://..", false, false, LINK_CHARS),
    ]
}

/// One sentence on what is wrong with an input.
pub fn suggestion_slip(slip: &Slip) -> String {
    match slip {
        Slip::NoQuestion => "There is no question in it yet.".to_owned(),
        Slip::NoAnswer => "The model answer is missing: what would you want to hear?".to_owned(),
        Slip::NoPoints => "The key points are missing: one a line, one at least.".to_owned(),
        Slip::NoTopic => "The topic is missing; /topics shows them all.".to_owned(),
        Slip::TooLong(input, chars, most) => {
            let what = match *input {
                "question" => "The question has",
                "answer" => "The model answer has",
                "points" => "The key points together have",
                "topic" => "The topic has",
                _ => "The link has",
            };
            format!("{what} {chars} characters; {most} is the most.")
        }
        Slip::TooManyPoints(points) => {
            format!("There are {points} key points; {POINTS} is the most. Keep what matters.")
        }
        Slip::LongPoint(at, chars) => {
            format!("Key point {at} has {chars} characters; {POINT_CHARS} is the most. One idea, one short sentence.")
        }
        Slip::UnknownTopic(typed, near) => {
            let typed = markup::shorten(typed, 40);
            let quoted: Vec<String> = near.iter().map(|name| format!("\"{name}\"")).collect();
            match quoted.as_slice() {
                [] => format!("There is no topic \"{typed}\"; /topics shows them all."),
                all => {
                    let guess = names(all, 3).replace(" and ", " or ");
                    format!("There is no topic \"{typed}\". Did you mean {guess}?")
                }
            }
        }
        Slip::NoLink => "The link is no https address; leave it empty if there is none.".to_owned(),
    }
}

/// What is wrong with a suggestion; what was typed is kept for the next try.
pub fn suggestion_slips(slips: &[Slip]) -> Message {
    let first = "Nothing was sent yet. What you typed is kept:";
    let mut blocks = vec![Block::line(first)];
    blocks.extend(slips.iter().map(|slip| Block::item("•", Span::sentence(&suggestion_slip(slip)))));
    Message {
        tone: Tone::Warning,
        summary: format!("{first} {}", slips.iter().map(suggestion_slip).collect::<Vec<_>>().join(" ")),
        blocks,
        buttons: vec![queue(Act::Suggest, "Mend it", Style::Primary)],
    }
}

/// A question of the bank is probably the same.
pub fn resembles(known: &Question) -> Message {
    let summary = format!("This looks like {}. Is yours another question?", known.id);
    Message {
        tone: Tone::Warning,
        summary,
        blocks: vec![
            Block::Line {
                spans: vec![
                    Span::plain("This looks like "),
                    Span::code(known.id.as_str()),
                    Span::plain(", which the bank has already:"),
                ],
            },
            Block::Quote { by: None, text: markup::shorten(&known.prompt, RESEMBLED), hits: vec![] },
            Block::sentence(
                "Nothing was sent yet. If yours is another question, send it; if that one is wrong, /flag it.",
            ),
        ],
        buttons: vec![
            queue(Act::Insist, "Send it anyway", Style::Primary),
            queue(Act::Suggest, "Change it", Style::Secondary),
        ],
    }
}

/// "It looks like iam-passrole", for organisers.
pub(super) fn looks_like(known: &Question) -> Block {
    Block::Note {
        spans: vec![
            Span::plain("This looks like "),
            Span::code(known.id.as_str()),
            Span::plain(format!(": {}", markup::shorten(&known.prompt, RESEMBLED))),
        ],
    }
}

pub fn suggested(changed: bool) -> Message {
    let words = if changed {
        "Changed. The organisers see it as it is now; /suggest shows what becomes of it."
    } else {
        "Thank you. The organisers look at it, and I tell you what they decide; /suggest shows it too."
    };
    Message::say(words).toned(Tone::Good)
}

pub fn too_many_suggestions() -> Message {
    refused(format!(
        "You have {OPEN_AT_MOST} suggestions waiting already, so this one was not sent; what you typed is kept. Wait for the organisers, \
         or withdraw one: /suggest shows them."
    ))
}

/// Somebody else has sent the same question, and it waits.
pub fn suggested_by_another() -> Message {
    Message::say("Somebody has suggested this very question already, and it waits for the organisers. One is enough.")
}

pub fn suggested_and_approved(id: &str) -> Message {
    refused(format!("This very question was suggested before and is in the bank already: {id}."))
}

/// The same words, which organisers have declined.
pub fn declined_before() -> Message {
    refused(
        "The organisers have declined exactly this before, so it was not sent again; what you typed is kept. Change what was wrong with it, \
         and send it then.",
    )
}

pub fn nothing_typed() -> Message {
    let mut message = refused("There is nothing left to send: it was sent already, or erased.");
    message.buttons = vec![queue(Act::Suggest, "Suggest a question", Style::Secondary)];
    message
}

/// A private conversation of somebody of whom no group is known.
pub fn no_group(command: &str) -> Message {
    refused(format!("/{command} is about the questions of a group: type it in a channel of the group that you mean."))
}

/// What a member has suggested, newest first.
pub fn my_suggestions(all: &[Suggestion], drafted: bool) -> Message {
    let mut blocks = vec![Block::heading("Your suggestions")];
    let mut buttons =
        vec![queue(Act::Suggest, if drafted { "Go on with your draft" } else { "Suggest a question" }, Style::Primary)];
    for (at, one) in all.iter().enumerate() {
        let number = at + 1;
        let own = one.by.is_some() && one.by == one.member;
        let state = match one.state {
            State::Open => "waits for the organisers".to_owned(),
            State::Approved => format!("approved: it is {} of the bank now", one.question_id()),
            State::Declined if one.reason.is_empty() => "declined".to_owned(),
            State::Declined => "declined, because:".to_owned(),
            State::Withdrawn if own => "withdrawn by you".to_owned(),
            State::Withdrawn => "taken out of the bank again".to_owned(),
        };
        let excerpt = markup::shorten(&one.texts.prompt, EXCERPT);
        let spans = vec![Span::plain(format!("{excerpt} — ")), Span::bold(state)];
        blocks.push(Block::item(format!("{number}."), spans));
        if one.state == State::Declined && !one.reason.is_empty() {
            blocks.push(Block::Quote { by: None, text: one.reason.clone(), hits: vec![] });
        }
        if one.state == State::Open && buttons.len() < 1 + OPEN_AT_MOST {
            let act = Act::Withdraw(one.id.clone(), one.version);
            buttons.push(queue(act, format!("Withdraw {number}"), Style::Secondary));
        }
    }
    let open = all.iter().filter(|one| one.state == State::Open).count();
    let summary = format!("{} of yours, {open} of them waiting", count(len(all.len()), "suggestion", "suggestions"));
    Message { summary, blocks, buttons, ..Message::default() }
}

pub fn withdrawn() -> Message {
    Message::say("Withdrawn. The organisers do not see it any more.").toned(Tone::Good)
}

/// A button of something that has changed since.
pub fn changed_meanwhile() -> Message {
    refused("This has changed meanwhile. /suggest shows how it stands.")
}

/// What the organisers decided, for the author alone.
pub fn suggestion_outcome(one: &Suggestion) -> Option<Message> {
    let excerpt = markup::shorten(&one.texts.prompt, EXCERPT);
    let id = one.question_id();
    let (tone, first) = match one.state {
        State::Open => return None,
        State::Approved => (Tone::Good, "Your question was approved. Thank you!"),
        State::Declined => (Tone::Plain, "Your question was not taken into the bank."),
        State::Withdrawn => (Tone::Plain, "Your question was taken out of the bank again."),
    };
    let mut blocks = vec![Block::line(first), Block::Quote { by: None, text: excerpt, hits: vec![] }];
    if one.state == State::Approved {
        blocks.push(Block::Line {
            spans: vec![
                Span::plain("It is in the bank of this group now, without your name: "),
                Span::command(format!("/drill question:{id}")),
                Span::plain(" asks it."),
            ],
        });
    }
    if !one.reason.is_empty() {
        blocks.push(Block::note("The organisers say:"));
        blocks.push(Block::Quote { by: None, text: one.reason.clone(), hits: vec![] });
    }
    Some(Message { tone, summary: first.to_owned(), blocks, buttons: vec![] })
}

/// When something was sent.
pub(super) fn sent_at(at: i64) -> Span {
    Span::Time { at, style: TimeStyle::Full }
}
