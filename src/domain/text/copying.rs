//! Answers that are nearly somebody else's: what their authors and the organisers read. The thread hears nothing.

use crate::domain::copying::Copied;
use crate::domain::markup;
use crate::domain::message::{Block, Message, Span, Tone};
use crate::domain::question::Question;

/// Copies that are named; the rest is a number.
const NAMED: usize = 10;

/// One line of what the organisers read.
pub struct CopiedAnswer {
    pub by: String,
    /// None when they have been erased.
    pub from: Option<String>,
    pub percent: i64,
}

/// To the author, with their result.
pub(super) fn copied_note(copied: &Copied) -> Block {
    Block::line(format!(
        "About {} % of the words of this answer stand in one that somebody else had written earlier, so only what yours adds counts. \
         Terms and facts are everybody's: next time say them in your own words, before you read what the others wrote. If this \
         one is yours, tell an organiser.",
        copied.percent
    ))
}

/// To the organisers, once a round.
pub fn copying_notice(slot: &str, question: &Question, copies: &[CopiedAnswer]) -> Message {
    let what = if copies.len() == 1 { "An answer is" } else { "Some answers are" };
    let title = format!("{what} nearly one that somebody else had written earlier");
    let mut blocks = vec![
        Block::heading(title.clone()),
        Block::Note { spans: markup::spans(&question.prompt) },
        Block::line(format!("The question of {}:", slot.replace('T', " "))),
    ];
    for copy in copies.iter().take(NAMED) {
        let from = match &copy.from {
            Some(name) => format!("as {name} had before"),
            None => "as somebody had before who has been erased since".to_owned(),
        };
        let text = format!(" wrote {} % of the words {from}", copy.percent);
        blocks.push(Block::item("•", vec![Span::bold(copy.by.clone()), Span::plain(text)]));
    }
    if copies.len() > NAMED {
        blocks.push(Block::note(format!("… and {} more.", copies.len() - NAMED)));
    }
    blocks.push(Block::line(
        "Such an answer counts only with the key points that the earlier one did not have. Its author knows, from their own result; \
         nobody else does. What the question itself says does not count as copied. Perhaps they worked together, or quoted the \
         same page: a word with them in private helps most.",
    ));
    Message { tone: Tone::Warning, summary: title, blocks, buttons: vec![] }
}

/// In place of a notice whose people have all been erased.
pub fn erased_copies() -> Message {
    Message::say("Some answers were nearly equal. Who wrote them was erased at their wish.")
}
