//! Coaching cards.

use super::card::button;
use super::{names, readable, reference};
use crate::domain::command::Action;
use crate::domain::markup;
use crate::domain::message::{Block, Message, Span, Style, Tone};
use crate::domain::question::{Card, Question};

/// What there is advice on; `wrong` is what somebody asked for and is not there, `near` the ids nearest to it.
pub fn cards<'a>(all: impl Iterator<Item = &'a Card>, wrong: Option<&str>, near: &[String]) -> Message {
    let all: Vec<&Card> = all.collect();
    let first = match wrong {
        Some(wrong) => {
            let quoted: Vec<String> = near.iter().map(|id| format!("\"{id}\"")).collect();
            let guess = if near.is_empty() {
                String::new()
            } else {
                format!(" Did you mean {}?", names(&quoted, 3).replace(" and ", " or "))
            };
            format!("There is no advice called \"{}\".{guess}", markup::shorten(wrong, 60))
        }
        None if all.is_empty() => "The banks have no advice for the interview itself.".to_owned(),
        None => "What would you like advice on?".to_owned(),
    };
    let mut blocks = vec![Block::line(first.clone())];
    for card in &all {
        let spans = vec![Span::command(format!("/prep {}", card.id)), Span::plain(format!(" {}", card.prompt))];
        blocks.push(Block::item("•", spans));
    }
    let offered: Vec<&Card> = match near {
        [] => all,
        near => all.into_iter().filter(|card| near.iter().any(|id| id == card.id.as_str())).collect(),
    };
    let open = |card: &&Card| {
        let label = markup::shorten(&card.prompt, 70);
        button(Action::Run(format!("/prep {}", card.id)), label, Style::Secondary)
    };
    let buttons = offered.iter().take(5).map(open).collect();
    let tone = if wrong.is_some() { Tone::Warning } else { Tone::Plain };
    Message { tone, summary: first, blocks, buttons }
}

/// One card. `next` are the questions of the bank to try it on.
pub fn card_of<'a>(card: &Card, next: impl Iterator<Item = &'a Question>) -> Message {
    let mut blocks = vec![Block::heading(card.prompt.clone())];
    if let Some(nudge) = &card.nudge {
        blocks.push(Block::note(nudge.clone()));
    }
    blocks.extend(readable(&card.advice));
    for (at, step) in card.steps.iter().enumerate() {
        blocks.push(Block::item(format!("{}.", at + 1), markup::spans(step)));
    }
    for mistake in &card.mistakes {
        let mut spans = super::bold(&mistake.wrong);
        spans.push(Span::plain(" "));
        spans.extend(markup::spans(&mistake.right));
        blocks.push(Block::item("✗", spans));
    }
    for url in &card.references {
        blocks.push(Block::item("•", vec![reference(url)]));
    }
    let mut buttons = Vec::new();
    for question in next.take(3) {
        let run = Action::Run(format!("/drill question:{}", question.id));
        if run.encode().len() <= 100 {
            buttons.push(button(run, format!("Try {}", question.id), Style::Secondary));
        }
    }
    buttons.push(button(Action::Run("/prep".into()), "All advice", Style::Secondary));
    Message { tone: Tone::Plain, summary: card.prompt.clone(), blocks, buttons }
}
