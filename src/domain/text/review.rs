//! Reviews of answers: what reviewers, authors and organisers read.

use super::card::button;
use super::{count, refused};
use crate::domain::command::Action;
use crate::domain::form::{Choosable, Form, Input, InputKind};
use crate::domain::grade::{Grade, PointState};
use crate::domain::ids::{ReviewId, RoundId};
use crate::domain::markup;
use crate::domain::message::{Block, Button, Message, Span, Style, Tone};
use crate::domain::question::{KeyPoint, Question};
use crate::domain::score::show_points;

/// Of an answer above the form, and beside what is decided.
const ANSWER_CHARS: usize = 3_000;
const QUOTE_CHARS: usize = 1_500;
/// Of a point's words beside its box.
const LABEL: usize = 150;
/// Points that organisers can decide on under one message, two buttons each.
const DECIDED_AT_ONCE: usize = 10;

pub fn review_button(round: &RoundId) -> Button {
    button(Action::Review(round.clone()), "Review an answer", Style::Secondary)
}

/// Somebody's answer, without a name, and what it may cover.
pub fn review_form(review: &ReviewId, question: &Question, answer: &str) -> Form {
    Form {
        action: Action::Reviewed(review.clone()).encode(),
        title: "Review an answer".into(),
        blocks: vec![
            Block::Line { spans: markup::spans(&question.prompt) },
            Block::note("Somebody's answer:"),
            Block::Quote { by: None, text: markup::shorten(answer, ANSWER_CHARS), hits: vec![] },
        ],
        inputs: vec![Input {
            id: "points".into(),
            label: "Which key points does it cover?".into(),
            value: String::new(),
            required: false,
            kind: InputKind::Pick { options: point_options(question), many: true },
        }],
        submit: "Send".into(),
    }
}

/// The key points to pick from, by their numbers from 1.
pub fn point_options(question: &Question) -> Vec<Choosable> {
    let label = |point: &KeyPoint| markup::shorten(&plain(point), LABEL);
    question
        .key_points
        .iter()
        .enumerate()
        .map(|(at, point)| Choosable::new((at + 1).to_string(), label(point)))
        .collect()
}

/// What came of a review, for the reviewer.
pub fn reviewed(agreed: usize, of: usize, disputed: bool, earned: i64) -> Message {
    let points = count(super::len(of), "key point", "key points");
    let view = match agreed {
        _ if of == agreed => format!("You and I see the {points} alike."),
        _ => format!("You and I see {agreed} of {points} alike."),
    };
    let organisers = if disputed { " An organiser looks at the rest." } else { "" };
    let worth = match earned {
        0 => " There are no more points for reviews this week.".to_owned(),
        earned => format!(" That is worth {} points.", show_points(earned)),
    };
    Message::say(format!("Thank you. {view}{organisers}{worth}")).toned(Tone::Good)
}

pub fn nothing_to_review() -> Message {
    refused("There is no answer left that you could review here: you have seen all the others, or there are none.")
}

/// Who did not answer has nothing to compare with.
pub fn only_who_answered() -> Message {
    refused("Reviews are for those who have answered the question, after its reveal.")
}

pub fn reviewed_already() -> Message {
    refused("You have sent this review already.")
}

pub fn review_gone() -> Message {
    refused("The answer was erased at its author's wish, so there is nothing left to review. Thank you all the same.")
}

/// What was typed is no number of a point.
pub fn not_these_points(round: &RoundId, problem: String) -> Message {
    let mut message = refused(format!("{problem} Nothing was sent."));
    message.buttons = vec![button(Action::Review(round.clone()), "Try again", Style::Primary)];
    message
}

/// Under a result: the points that readers see as the grader does. `readers` counts them by point.
pub fn confirmed_by_readers(question: &Question, grade: &Grade, readers: &[usize]) -> Vec<Block> {
    let mut blocks = Vec::new();
    for ((point, grade), readers) in question.key_points.iter().zip(&grade.points).zip(readers) {
        if *readers == 0 {
            continue;
        }
        let mark = if grade.state == PointState::Covered { "✓" } else { "–" };
        let by = if *readers == 1 {
            " (confirmed by a reader)".into()
        } else {
            format!(" (confirmed by {readers} readers)")
        };
        let mut spans = markup::spans(&point.text);
        spans.push(Span::plain(by));
        blocks.push(Block::item(mark, spans));
    }
    if !blocks.is_empty() {
        blocks.insert(0, Block::heading("Readers agree"));
    }
    blocks
}

/// A point that a reader and the grader see differently.
pub struct Disputed<'a> {
    pub at: usize,
    pub point: &'a KeyPoint,
    pub ticked: bool,
    pub state: PointState,
    /// What people decided since.
    pub ruling: Option<bool>,
}

/// What organisers are told of a review.
pub fn dispute(review: &ReviewId, question: &Question, answer: &str, points: &[Disputed<'_>]) -> Message {
    let mut blocks = vec![
        Block::heading("A reader and I see an answer differently"),
        Block::Note { spans: markup::spans(&question.prompt) },
        Block::Quote { by: None, text: markup::shorten(answer, QUOTE_CHARS), hits: vec![] },
    ];
    let mut buttons = Vec::new();
    for one in points {
        let number = one.at + 1;
        let reader = if one.ticked { "covered" } else { "not covered" };
        let ours = match one.state {
            PointState::Covered => "covered",
            PointState::Unclear => "half covered",
            PointState::Missing => "missing",
            PointState::Contradicted => "contradicted",
        };
        let ruled = match one.ruling {
            None => "",
            Some(true) => " Decided: it counts.",
            Some(false) => " Decided: it does not count.",
        };
        let mut spans = markup::spans(&one.point.text);
        spans.push(Span::plain(format!(" — the reader: {reader}; I: {ours}.{ruled}")));
        blocks.push(Block::item(format!("{number}."), spans));
        for (covered, label) in [(true, "counts"), (false, "does not count")] {
            if one.ruling != Some(covered) && buttons.len() < 2 * DECIDED_AT_ONCE {
                let action = Action::RuleReview { review: review.clone(), point: one.at, covered };
                buttons.push(button(action, format!("{number} {label}"), Style::Secondary));
            }
        }
    }
    blocks.push(Block::note(
        "You decide; until then it stays as I see it. What you decide holds for every answer here that says the same, and you can change it.",
    ));
    let open = points.iter().any(|one| one.ruling.is_none());
    let summary = format!("A reader and I see an answer differently: {}", question.prompt);
    Message { tone: if open { Tone::Question } else { Tone::Closed }, summary, blocks, buttons }
}

/// What is left of it when its author, or the reader, was erased.
pub fn dispute_erased() -> Message {
    Message::say("A reader saw an answer differently here; it was erased at the wish of one of the two.")
}

pub fn dispute_gone() -> Message {
    refused("There is nothing left to decide: the answer, or the review, was erased.")
}

pub fn own_answer() -> Message {
    refused("This is your own answer: another organiser decides on it.")
}

pub fn rulings_are_for_organisers() -> Message {
    refused("Organisers decide on this.")
}

fn plain(point: &KeyPoint) -> String {
    markup::spans(&point.text).iter().map(Span::as_plain).collect()
}
