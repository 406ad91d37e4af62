//! A member's own result.

use super::confidence;
use super::copying::copied_note;
use super::feedback::feedback;
use crate::domain::confidence::Confidence;
use crate::domain::grade::{Grade, PointState};
use crate::domain::markup;
use crate::domain::message::{Block, Message, Span, Tone};
use crate::domain::question::Question;
use crate::domain::score::{HINT_COST, show_points};

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
    blocks.extend(feedback(question, answer, grade));
    if !answer.is_empty() {
        blocks.push(Block::heading("Your answer"));
        blocks.push(quote(answer, grade));
        blocks.extend(underlined(grade));
    }
    let tone = if coverage >= 60 { Tone::Good } else { Tone::Plain };
    Message { tone, summary: format!("Your result: {worth}"), blocks, buttons: vec![] }
}

/// What the underlining of an answer means, where there is some.
pub(super) fn underlined(grade: &Grade) -> Option<Block> {
    (!hits(grade).is_empty()).then(|| Block::note("Underlined: the words that counted."))
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
