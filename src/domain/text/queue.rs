//! The review queue, as organisers read it.

use super::card::button;
use super::suggestion::{looks_like, sent_at, texts_inputs};
use super::{count, len, refused};
use crate::domain::command::Action;
use crate::domain::flag::{self, ANSWER_CHARS, Fault, Flag};
use crate::domain::form::{Form, Input, InputKind};
use crate::domain::markup;
use crate::domain::message::{Block, Button, Message, Span, Style, Tone};
use crate::domain::question::Question;
use crate::domain::queue::{Act, Item, Shelf, Verdict};
use crate::domain::suggestion::{self, Suggestion, Typed};

/// Of a model answer in a chat; the page shows it whole.
const IN_A_CHAT: usize = 1_500;
/// Of words of others beside it.
const WORDS: usize = 1_000;

/// Where an item stands in what is looked at: its place from 1, and how many there are.
pub type Place = (usize, usize);

pub struct SuggestionView<'a> {
    pub suggestion: &'a Suggestion,
    /// None for who was erased.
    pub author: Option<&'a str>,
    pub decided_by: Option<&'a str>,
    /// The title of its topic.
    pub topic: &'a str,
    /// A question of the bank that is probably the same.
    pub like: Option<&'a Question>,
    /// Whether the bank has the approved question.
    pub in_bank: bool,
}

pub struct FlagView<'a> {
    pub flag: &'a Flag,
    pub author: Option<&'a str>,
    pub decided_by: Option<&'a str>,
    /// The question as the bank has it now.
    pub question: Option<&'a Question>,
    /// It is another one than the one that was flagged.
    pub changed: bool,
}

/// How much of it is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Room {
    Chat,
    Page,
}

fn decide(item: &Item, version: i64, verdict: Verdict, label: &str, style: Style) -> Button {
    button(Action::Queue(Act::Decide(item.clone(), version, verdict)), label, style)
}

fn head(kind: &str, author: Option<&str>, at: i64) -> Vec<Block> {
    let who = author.unwrap_or("somebody who left");
    vec![Block::heading(kind), Block::Note { spans: vec![Span::plain(format!("From {who}, ")), sent_at(at)] }]
}

fn quote(by: &str, text: &str, most: usize) -> Block {
    Block::Quote { by: Some(by.to_owned()), text: markup::shorten(text, most), hits: vec![] }
}

/// An address that somebody gave, with the whole of it to be seen.
fn link(url: &str) -> Block {
    Block::Field { label: "Source".into(), spans: vec![Span::Link { text: url.to_owned(), url: url.to_owned() }] }
}

fn outcome(verdict: &str, by: Option<&str>, at: i64, words: &str) -> Vec<Block> {
    let by = by.unwrap_or("somebody who left");
    let mut blocks = vec![Block::Line { spans: vec![Span::bold(format!("{verdict} by {by}, ")), sent_at(at)] }];
    if !words.is_empty() {
        blocks.push(quote("Told the author", words, WORDS));
    }
    blocks
}

pub fn suggestion_item(view: &SuggestionView<'_>, room: Room) -> Message {
    let one = view.suggestion;
    let most = if room == Room::Chat { IN_A_CHAT } else { suggestion::ANSWER_CHARS };
    let mut blocks = head("A suggested question", view.author, one.sent_at);
    blocks.push(quote("Question", &one.texts.prompt, suggestion::PROMPT_CHARS));
    blocks.push(quote("Model answer", &one.texts.model_answer, most));
    for (at, point) in one.texts.key_points.iter().enumerate() {
        blocks.push(Block::item(format!("{}.", at + 1), vec![Span::plain(point)]));
    }
    blocks.push(Block::field("Topic", view.topic));
    if !one.texts.link.is_empty() {
        blocks.push(link(&one.texts.link));
    }
    let item = Item::Suggestion(one.id.clone());
    let press = |verdict, label, style| decide(&item, one.version, verdict, label, style);
    let mut buttons = Vec::new();
    let tone = match one.state {
        suggestion::State::Open => {
            blocks.extend(view.like.map(looks_like));
            buttons = vec![
                press(Verdict::Approve, "Approve", Style::Primary),
                press(Verdict::Edit, "Edit", Style::Secondary),
                press(Verdict::EditAndApprove, "Edit and approve", Style::Secondary),
                press(Verdict::Decline, "Decline", Style::Danger),
            ];
            Tone::Plain
        }
        suggestion::State::Approved => {
            blocks.extend(outcome("Approved", view.decided_by, one.decided_at, &one.reason));
            let words = if view.in_bank {
                "In the bank as a draft. Without groups of terms the grader compares words; \"drillbot bank suggested\" prints it for an author."
            } else {
                "A file of the bank has this id: that is what is asked."
            };
            blocks.push(Block::Field { label: "Id".into(), spans: vec![Span::code(one.question_id().as_str())] });
            blocks.push(Block::note(words));
            buttons = vec![press(Verdict::TakeOut, "Withdraw", Style::Danger)];
            Tone::Good
        }
        suggestion::State::Declined => {
            blocks.extend(outcome("Declined", view.decided_by, one.decided_at, &one.reason));
            Tone::Closed
        }
        suggestion::State::Withdrawn => {
            let verdict = if one.by == one.member { "Withdrawn" } else { "Taken out of the bank" };
            blocks.extend(outcome(verdict, view.decided_by, one.decided_at, &one.reason));
            Tone::Closed
        }
    };
    let summary = format!("A suggested question: {}", markup::shorten(&one.texts.prompt, 200));
    Message { tone, summary, blocks, buttons }
}

fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Wrong => "A question flagged as wrong",
        Fault::Outdated => "A question flagged as outdated",
        Fault::Unclear => "A question flagged as unclear",
        Fault::Typo => "A typo in a question",
        Fault::Other => "A flagged question",
    }
}

pub fn flag_item(view: &FlagView<'_>, room: Room) -> Message {
    let one = view.flag;
    let mut blocks = head(fault(one.fault), view.author, one.sent_at);
    blocks.push(quote("They say", &one.words, WORDS));
    if !one.link.is_empty() {
        blocks.push(link(&one.link));
    }
    blocks.push(Block::Field {
        label: "Question".into(),
        spans: vec![Span::code(one.question.as_str()), Span::plain(format!(", version {}", one.question_version))],
    });
    blocks.push(quote("It asked", &one.prompt, suggestion::PROMPT_CHARS));
    match view.question {
        None => blocks.push(Block::note("The bank does not have this question any more.")),
        Some(now) => {
            if view.changed {
                blocks.push(Block::note(format!(
                    "The bank has changed it since then; it is version {} now.",
                    now.version
                )));
            }
            if view.changed && now.prompt != one.prompt {
                blocks.push(quote("It asks now", &now.prompt, suggestion::PROMPT_CHARS));
            }
            if room == Room::Page && one.state == flag::State::Open {
                blocks.push(Block::note("Its model answer and key points now:"));
                blocks.extend(super::readable(&now.model_answer));
                for (at, point) in now.key_points.iter().enumerate() {
                    blocks.push(Block::item(format!("{}.", at + 1), markup::spans(&point.text)));
                }
            }
        }
    }
    let item = Item::Flag(one.id.clone());
    let press = |verdict, label, style| decide(&item, one.version, verdict, label, style);
    let (tone, decided) = match one.state {
        flag::State::Open => (Tone::Warning, None),
        flag::State::Fixed => (Tone::Good, Some("Fixed")),
        flag::State::Kept => (Tone::Closed, Some("Kept as it is")),
        flag::State::Dismissed => (Tone::Closed, Some("Dismissed")),
    };
    let buttons = match decided {
        None => vec![
            press(Verdict::Fixed, "Fixed", Style::Primary),
            press(Verdict::Keep, "Keep as it is", Style::Secondary),
            press(Verdict::Dismiss, "Dismiss", Style::Secondary),
        ],
        Some(verdict) => {
            blocks.extend(outcome(verdict, view.decided_by, one.decided_at, &one.answer));
            vec![]
        }
    };
    Message { tone, summary: format!("{}: {}", fault(one.fault), one.question), blocks, buttons }
}

/// An item as `/review` shows it: with its place, and the way to the next. Every such message carries the item in a button: by that
/// it is found when somebody in it is erased.
pub fn one_of(mut message: Message, shelf: Shelf, place: Place, item: &Item) -> Message {
    let (at, of) = place;
    let label = if of > 1 { "Next" } else { "Look again" };
    if of > 1 {
        message.blocks.insert(1, Block::note(format!("{at} of {of}")));
    }
    message.buttons.push(button(Action::Queue(Act::Show(shelf, Some(item.clone()))), label, Style::Secondary));
    message
}

/// Nothing on this shelf.
pub fn nothing_to_decide(shelf: Shelf) -> Message {
    Message::say(match shelf {
        Shelf::Open => {
            "Nothing waits for you. Members suggest questions with /suggest, and flag wrong ones with /flag."
        }
        Shelf::Suggestions => "No suggestion waits. Members make one with /suggest.",
        Shelf::Flags => "No flag waits. Members flag a wrong question with /flag.",
        Shelf::Decided => "Nothing was decided yet.",
    })
}

/// A decision, and below it what is next.
pub fn decided_and_next(decision: &Message, next: Message) -> Message {
    let mut blocks = decision.blocks.clone();
    blocks.push(Block::Divider);
    blocks.extend(next.blocks);
    Message { summary: decision.summary.clone(), blocks, ..next }
}

pub fn approved(id: &str) -> Message {
    Message::say(format!("Approved: it is {id} of the bank now, and its author hears of it.")).toned(Tone::Good)
}

pub fn edited() -> Message {
    Message::say("Saved. It waits as it is now.").toned(Tone::Good)
}

pub fn declined() -> Message {
    Message::say("Declined; its author hears why.").toned(Tone::Good)
}

pub fn taken_out() -> Message {
    Message::say("Withdrawn: nobody is asked this any more. What was answered so far stays.").toned(Tone::Good)
}

pub fn flag_decided(state: flag::State) -> Message {
    Message::say(match state {
        flag::State::Fixed => "Noted as fixed; who flagged it hears of it.",
        flag::State::Kept => "The question stays as it is; who flagged it hears of it.",
        flag::State::Dismissed | flag::State::Open => "Put aside; who flagged it hears of it.",
    })
    .toned(Tone::Good)
}

/// Somebody was faster.
pub fn decided_by_another(name: Option<&str>) -> Message {
    let who = name.unwrap_or("Somebody");
    refused(format!("{who} has decided on this meanwhile, so nothing was changed."))
}

/// Changed, or gone with its author.
pub fn not_as_it_was() -> Message {
    refused("This has changed meanwhile, or was withdrawn, so nothing was decided. /review shows how it stands.")
}

/// Its id is that of another question.
pub fn id_taken(id: &str) -> Message {
    refused(format!("The bank has a question with the id {id} already, so nothing was decided."))
}

pub fn reviews_are_for_organisers() -> Message {
    refused("Organisers decide on this. /suggest shows what became of yours.")
}

/// The form of a decision that needs words.
pub fn decision_form(item: &Item, version: i64, verdict: Verdict) -> Form {
    let (title, label, placeholder, submit) = match verdict {
        Verdict::Decline => ("Decline", "Why not?", "Its author reads this", "Decline"),
        Verdict::Fixed => ("Fixed", "A word to who flagged it", "What has changed, or will", "Fixed"),
        Verdict::Keep => ("Keep as it is", "Why is it right?", "Who flagged it reads this", "Keep it"),
        _ => ("Dismiss", "A word to who flagged it", "Who flagged it reads this", "Dismiss"),
    };
    Form {
        action: Action::Queue(Act::Decide(item.clone(), version, verdict)).encode(),
        title: title.into(),
        blocks: vec![],
        inputs: vec![Input {
            id: "reason".into(),
            label: label.into(),
            value: String::new(),
            required: verdict == Verdict::Decline,
            kind: InputKind::Text { placeholder: placeholder.into(), multiline: true, max_length: ANSWER_CHARS },
        }],
        submit: submit.into(),
    }
}

/// The form in which an organiser works a suggestion over.
pub fn edit_form(item: &Item, version: i64, verdict: Verdict, typed: &Typed) -> Form {
    let approves = verdict == Verdict::EditAndApprove;
    Form {
        action: Action::Queue(Act::Decide(item.clone(), version, verdict)).encode(),
        title: if approves { "Edit and approve" } else { "Edit" }.into(),
        blocks: vec![],
        inputs: texts_inputs(typed, "What is asked?"),
        submit: if approves { "Save and approve" } else { "Save" }.into(),
    }
}

/// What is wrong with an edit; what was typed is kept.
pub fn edit_slips(item: &Item, version: i64, verdict: Verdict, slips: &[suggestion::Slip]) -> Message {
    let mut message = super::suggestion::suggestion_slips(slips);
    message.buttons = vec![decide(item, version, verdict, "Mend it", Style::Primary)];
    message
}

pub fn no_reason() -> Message {
    refused("Say in a few words why not: its author reads it. Nothing was decided.")
}

pub fn reason_too_long(chars: usize) -> Message {
    refused(format!("That is {chars} characters; {ANSWER_CHARS} is the most. Nothing was decided."))
}

/// Something waits for the organisers; whose it is and what it says stays in the queue.
pub fn waiting(suggestions: usize, flags: usize) -> Message {
    let suggestions = (suggestions > 0).then(|| count(len(suggestions), "suggested question", "suggested questions"));
    let flags = (flags > 0).then(|| count(len(flags), "flagged question", "flagged questions"));
    let parts: Vec<String> = suggestions.into_iter().chain(flags).collect();
    let wait = if parts.len() == 1 && parts[0].starts_with("1 ") { "waits" } else { "wait" };
    Message::say(format!("{} {wait} for an organiser: /review shows what there is.", parts.join(" and ")))
}
