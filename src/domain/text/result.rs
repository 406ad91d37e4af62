//! A member's own result.

use super::confidence;
use super::copying::copied_note;
use crate::domain::confidence::Confidence;
use crate::domain::grade::{Decider, Grade, PointGrade, PointState};
use crate::domain::markup;
use crate::domain::message::{Block, Message, Span, Tone};
use crate::domain::question::{KeyPoint, Question};
use crate::domain::score::{HINT_COST, show_points};

/// Said, missing, to correct: what a grade means, in sentences.
pub(super) fn feedback(question: &Question, grade: &Grade) -> Vec<Block> {
    let of = |state: PointState| {
        question.key_points.iter().zip(&grade.points).filter(move |(_, point)| point.state == state).collect::<Vec<_>>()
    };
    let mut blocks = Vec::new();
    let (said, mut unclear, mut missing) = (of(PointState::Covered), of(PointState::Unclear), of(PointState::Missing));
    let wrong = of(PointState::Contradicted);
    // The heaviest first: that is what to learn.
    missing.sort_by_key(|(point, _)| std::cmp::Reverse(point.weight));
    unclear.sort_by_key(|(point, _)| std::cmp::Reverse(point.weight));
    let mut section = |title: &str, mark: &str, points: &[(&KeyPoint, &PointGrade)]| {
        if !points.is_empty() {
            blocks.push(Block::heading(title));
            for (point, grade) in points {
                let mut spans = markup::spans(&point.text);
                if grade.by == Decider::Ruling {
                    spans.push(Span::plain(" (decided by people)"));
                }
                blocks.push(Block::item(mark, spans));
            }
        }
    };
    section("You said", "✓", &said);
    section("Begun, not finished", "½", &unclear);
    section("Missing", "–", &missing);
    section("To correct", "✗", &wrong);
    if !wrong.is_empty() {
        for mistake in &question.mistakes {
            blocks.push(Block::item("→", markup::spans(&mistake.right)));
        }
    }
    if grade.rough {
        blocks.push(Block::note("This question has no rubric yet, so the result is rough."));
    }
    blocks
}

/// All spans that counted, in order, without overlaps.
pub(super) fn hits(grade: &Grade) -> Vec<(usize, usize)> {
    let mut hits: Vec<(usize, usize)> = grade
        .points
        .iter()
        .filter(|point| matches!(point.state, PointState::Covered | PointState::Unclear))
        .flat_map(|point| point.spans.iter().copied())
        .collect();
    hits.sort_unstable();
    hits.dedup();
    let mut out: Vec<(usize, usize)> = Vec::with_capacity(hits.len());
    for (from, to) in hits {
        match out.last_mut() {
            Some(last) if from < last.1 => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}

/// "80 of 100 (90 − 1 hint), 160 points"
pub(super) fn worth(grade: &Grade, hints: i64, coverage: i64, points: i64) -> String {
    let cost = if hints == 0 {
        String::new()
    } else {
        let cost = hints * HINT_COST;
        format!(" ({} − {cost} for {})", grade.score, super::count(hints, "hint", "hints"))
    };
    format!("{coverage} of 100{cost}, worth {} points", show_points(points))
}

/// The private result of one round.
pub fn my_result(
    question: &Question,
    answer: &str,
    said: Option<Confidence>,
    grade: &Grade,
    hints: i64,
    coverage: i64,
    points: i64,
) -> Message {
    let worth = worth(grade, hints, coverage, points);
    let mut blocks = vec![
        Block::heading("Your result"),
        Block::Line { spans: vec![Span::bold(worth.clone())] },
        Block::Note { spans: markup::spans(&question.prompt) },
    ];
    blocks.extend(confidence::lesson(said, grade));
    blocks.extend(grade.copied.as_ref().map(copied_note));
    blocks.extend(feedback(question, grade));
    if !answer.is_empty() {
        blocks.push(Block::heading("Your answer"));
        blocks.push(quote(answer, grade));
        blocks.push(Block::note("Underlined: the words that counted."));
    }
    let tone = if coverage >= 60 { Tone::Good } else { Tone::Plain };
    Message { tone, summary: format!("Your result: {worth}"), blocks, buttons: vec![] }
}

/// The answer with its hits, shortened for the eye; hits behind the cut are left out.
pub(super) fn quote(answer: &str, grade: &Grade) -> Block {
    let text = markup::shorten(answer, 1_200);
    let kept = if text == answer { answer.len() } else { text.len() - '…'.len_utf8() };
    let hits = hits(grade).into_iter().filter(|(_, to)| *to <= kept).collect();
    Block::Quote { by: None, text, hits }
}

pub fn no_answer_of_yours(question: &Question) -> Message {
    Message::say(format!(
        "You did not answer \"{}\" in time, so there is no result. The next question comes soon.",
        question.prompt
    ))
}

pub fn not_revealed_yet() -> Message {
    Message::say("The answer is not out yet; your result comes with the reveal.")
}
