//! Claims and rulings: what their authors, those who decide, and organisers read.

use super::card::button;
use super::refused;
use crate::domain::command::Action;
use crate::domain::form::{Choosable, Form, Input, InputKind};
use crate::domain::grade::Grade;
use crate::domain::ids::{ClaimId, RoundId};
use crate::domain::markup;
use crate::domain::message::{Block, Button, Message, Span, Style, TimeStyle, Tone};
use crate::domain::question::{KeyPoint, Question};
use crate::domain::round::Round;
use crate::domain::ruling::{ClaimState, Decision, is_claimable};

/// Points that have a button each; with more, one button leads to all of them.
const BUTTONS: usize = 4;
/// Of a point's words on a button.
const LABEL: usize = 50;
/// Of a point's words in a pick.
const OPTION: usize = 150;
/// Of what is claimed.
pub const CLAIM_CHARS: usize = 1_000;
/// Of the answer above the form.
const ANSWER_CHARS: usize = 1_800;

/// What a member may claim in their result; `claimed` are the points that they have claimed.
pub fn claim_buttons(round: &RoundId, question: &Question, grade: &Grade, claimed: &[usize]) -> Vec<Button> {
    let open = claimable(question, grade, claimed);
    let label = |at: usize| format!("Claim: {}", markup::shorten(&plain(&question.key_points[at]), LABEL));
    let action = |point| Action::Claim { round: round.clone(), point };
    if open.len() > BUTTONS {
        return vec![button(action(None), "Claim a point", Style::Secondary)];
    }
    open.into_iter().map(|at| button(action(Some(at)), label(at), Style::Secondary)).collect()
}

/// The points that a member may claim, the heaviest first.
pub fn claimable(question: &Question, grade: &Grade, claimed: &[usize]) -> Vec<usize> {
    let points = question.key_points.iter().zip(&grade.points).enumerate();
    let mut open: Vec<usize> = points
        .filter(|(at, (_, point))| is_claimable(point.state, point.by) && !claimed.contains(at))
        .map(|(at, _)| at)
        .collect();
    open.sort_by_key(|at| std::cmp::Reverse(question.key_points[*at].weight));
    open
}

/// Under a result that has something to claim.
pub fn may_claim() -> Block {
    Block::note(
        "Did you say it, and I did not see it? Claim the point: somebody else looks at your words, without your name.",
    )
}

/// The form of a claim; `typed` is what was typed before.
pub fn claim_form(round: &RoundId, at: usize, point: &KeyPoint, answer: &str, typed: &str) -> Form {
    Form {
        action: Action::Claim { round: round.clone(), point: Some(at) }.encode(),
        title: "Claim a key point".into(),
        blocks: vec![
            Block::Line { spans: markup::spans(&point.text) },
            Block::note("Your answer:"),
            Block::Quote { by: None, text: markup::shorten(answer, ANSWER_CHARS), hits: vec![] },
        ],
        inputs: vec![claim_input(typed)],
        submit: "Claim".into(),
    }
}

fn claim_input(typed: &str) -> Input {
    Input {
        id: "answer".into(),
        label: "Which of your words say this?".into(),
        value: typed.into(),
        required: true,
        kind: InputKind::Text {
            placeholder: "Copy them from your answer".into(),
            multiline: true,
            max_length: CLAIM_CHARS,
        },
    }
}

/// The form of a claim that leaves open which point; `open` are the points that may be claimed.
pub fn claim_any_form(round: &RoundId, question: &Question, open: &[usize], answer: &str) -> Form {
    Form {
        action: Action::Claim { round: round.clone(), point: None }.encode(),
        title: "Claim a key point".into(),
        blocks: vec![
            Block::note("Your answer:"),
            Block::Quote { by: None, text: markup::shorten(answer, ANSWER_CHARS), hits: vec![] },
        ],
        inputs: vec![
            Input {
                id: "point".into(),
                label: "Which key point?".into(),
                value: String::new(),
                required: true,
                kind: InputKind::Pick { options: claim_options(question, open), many: false },
            },
            claim_input(""),
        ],
        submit: "Claim".into(),
    }
}

/// The points to pick from, by their numbers from 1.
pub fn claim_options(question: &Question, open: &[usize]) -> Vec<Choosable> {
    let option = |at: &usize| {
        let label = markup::shorten(&plain(&question.key_points[*at]), OPTION);
        Choosable::new((at + 1).to_string(), label)
    };
    open.iter().map(option).collect()
}

/// Which point is claimed was typed, and is none of them.
pub fn not_this_point(round: &RoundId, problem: String, typed: &str) -> Message {
    let mut message = refused(format!("{problem} Nothing was claimed."));
    message.blocks.push(Block::Quote { by: None, text: typed.into(), hits: vec![] });
    message.buttons = vec![button(Action::Claim { round: round.clone(), point: None }, "Try again", Style::Primary)];
    message
}

/// What was typed does not stand in the answer.
pub fn not_your_words(round: &RoundId, at: usize, point: &KeyPoint, typed: &str) -> Message {
    let problem = "These words do not stand in your answer like this, so nothing was claimed. Copy one stretch of it; upper case, \
                   spaces and punctuation do not matter.";
    Message {
        tone: Tone::Warning,
        summary: problem.into(),
        blocks: vec![
            Block::line(problem),
            Block::Line { spans: markup::spans(&point.text) },
            Block::Quote { by: None, text: typed.into(), hits: vec![] },
        ],
        buttons: vec![button(Action::Claim { round: round.clone(), point: Some(at) }, "Try again", Style::Primary)],
    }
}

pub fn empty_claim() -> Message {
    refused("There is nothing in it yet. Copy the words of your answer that say this.")
}

pub fn claim_too_long() -> Message {
    refused(format!("That is too long: claim with the words that say it, at most {CLAIM_CHARS} characters."))
}

pub fn claim_made() -> Message {
    Message::say(
        "Claimed. Your words are on their way into the thread, without your name. What becomes of it stands there and in your result.",
    )
    .toned(Tone::Good)
}

pub fn claimed_already() -> Message {
    refused("You have claimed this point already. What becomes of it stands in the thread.")
}

pub fn cannot_be_claimed() -> Message {
    refused("This point cannot be claimed any more: it counts already, or somebody has decided on it.")
}

pub fn nothing_to_claim() -> Message {
    refused("There is no result of yours to claim a point of.")
}

pub fn claim_gone() -> Message {
    refused("This claim is not there any more.")
}

pub fn own_claim() -> Message {
    refused("This is your own claim: somebody else decides on it.")
}

/// Somebody who is no organiser presses a button of a claim that was decided.
pub fn decided_already() -> Message {
    refused("This has been decided. Only an organiser can overrule it.")
}

pub fn stands_so() -> Message {
    Message::say("It stands so already; nothing was changed.")
}

pub fn thanks_for_ruling(covered: bool) -> Message {
    let words = if covered {
        "Thank you. The point counts now, for every answer here that says the same; scores and standings follow."
    } else {
        "Thank you. The point does not count by this, for every answer here that says the same."
    };
    Message::say(words).toned(Tone::Good)
}

/// A claim as everybody sees it.
pub struct ClaimView<'a> {
    pub id: &'a ClaimId,
    pub question: &'a Question,
    pub point: &'a KeyPoint,
    pub words: &'a str,
    pub state: ClaimState,
    /// None while nobody may know.
    pub author: Option<&'a str>,
    pub decided_by: Option<&'a str>,
    /// The author's coverage now.
    pub coverage: Option<i64>,
}

pub fn claim(view: &ClaimView<'_>) -> Message {
    let point = || Block::item("•", markup::spans(&view.point.text));
    let quote = || Block::Quote { by: None, text: view.words.to_owned(), hits: vec![] };
    let rule = |covered, label: &str, style| button(Action::Rule { claim: view.id.clone(), covered }, label, style);
    match view.state {
        ClaimState::Confirmed | ClaimState::Refused => {
            let covered = view.state == ClaimState::Confirmed;
            let author = view.author.unwrap_or("Somebody who left");
            let decided_by = view.decided_by.unwrap_or("somebody who left");
            let verdict = if covered { "confirmed it" } else { "did not confirm it" };
            let worth =
                view.coverage.map(|coverage| format!(" The answer has {coverage} of 100 now.")).unwrap_or_default();
            let outcome = format!("{author} claimed this, {decided_by} {verdict}.{worth}");
            Message {
                tone: if covered { Tone::Good } else { Tone::Closed },
                summary: outcome.clone(),
                blocks: vec![
                    Block::heading(if covered { "It covers the key point" } else { "It does not cover the key point" }),
                    point(),
                    quote(),
                    Block::line(outcome),
                    Block::note("Organisers can overrule this."),
                ],
                buttons: vec![if covered {
                    rule(false, "Overrule: it does not", Style::Secondary)
                } else {
                    rule(true, "Overrule: it does", Style::Secondary)
                }],
            }
        }
        ClaimState::Draft | ClaimState::Open => Message {
            tone: Tone::Question,
            summary: format!("Does this cover it? {}", plain(view.point)),
            blocks: vec![
                Block::heading("Does this cover it?"),
                Block::Note { spans: markup::spans(&view.question.prompt) },
                point(),
                quote(),
                Block::note(
                    "Somebody says that these words of their answer cover the key point. One other member, or an organiser, decides with one \
                     press; until then nobody sees whose words they are.",
                ),
            ],
            buttons: vec![
                rule(true, "Yes, it covers it", Style::Primary),
                rule(false, "No, it does not", Style::Secondary),
            ],
        },
        ClaimState::Erased => Message::say("The claim that stood here was erased at its author's wish."),
    }
}

/// What a ruling did to somebody's result; nobody is named, because what is told in private cannot be changed any more.
pub fn ruled(point: &KeyPoint, decision: &Decision, was: i64, coverage: i64) -> Message {
    let who = if decision.organiser { "An organiser" } else { "Another member" };
    let verdict = match (decision.after, decision.before) {
        (true, _) => "says that your answer covers a key point",
        (false, Some(_)) => "overruled it: your answer does not cover a key point by this",
        (false, None) => "says that your answer does not cover a key point",
    };
    let first = format!("{who} {verdict}:");
    let result = if was == coverage {
        format!("Your result stays at {coverage} of 100.")
    } else {
        format!("Your result is {coverage} of 100 now; it was {was}. The standings have followed.")
    };
    Message {
        tone: if decision.after { Tone::Good } else { Tone::Plain },
        summary: format!("{first} {}. {result}", plain(point)),
        blocks: vec![
            Block::line(first),
            Block::item(if decision.after { "✓" } else { "–" }, markup::spans(&point.text)),
            Block::line(result),
        ],
        buttons: vec![],
    }
}

/// One line of the log of rulings, for organisers.
pub fn ruling_line(decision: &Decision, round: &Round, point: &KeyPoint, name: Option<&str>) -> Block {
    let verdict = |covered| if covered { "covered" } else { "not covered" };
    let who = match (name, decision.organiser) {
        (None, _) => "somebody who left".to_owned(),
        (Some(name), true) => format!("{name} (organiser)"),
        (Some(name), false) => name.to_owned(),
    };
    let change = match decision.before {
        Some(before) => format!(": {} instead of {}", verdict(decision.after), verdict(before)),
        None => format!(": {}", verdict(decision.after)),
    };
    let mut spans = vec![
        Span::Time { at: decision.at, style: TimeStyle::Full },
        Span::plain(format!(" {who}{change}, in the question of {}: ", round.slot.replace('T', " "))),
    ];
    spans.extend(markup::spans(&point.text));
    Block::item("•", spans)
}

pub fn rulings_heading() -> Block {
    Block::heading("Rulings lately")
}

fn plain(point: &KeyPoint) -> String {
    markup::spans(&point.text).iter().map(Span::as_plain).collect()
}
