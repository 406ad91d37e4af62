//! Help, refusals and receipts.

use super::card::button;
use super::{count, len};
use crate::domain::answer::MAX_CHARS;
use crate::domain::bank::TopicCount;
use crate::domain::command::{Action, Spec, TABLE, Usage, find};
use crate::domain::message::{Block, Message, Span, Style, TimeStyle, Tone};
use crate::domain::question::Level;

/// `reads_threads`: whether answers can be given in threads.
pub fn help(reads_threads: bool) -> Message {
    let how = if reads_threads { "in its thread or with the Answer button" } else { "with the Answer button" };
    let mut blocks = vec![Block::line(format!(
        "Every day I post an interview question here. Answer {how}; after a while I show the model answer, who covered which key point, \
         and everybody's score."
    ))];
    for spec in TABLE {
        let who = if spec.organisers_only { " (organisers)" } else { "" };
        blocks.push(Block::item(
            "•",
            vec![Span::code(format!("/{}", spec.name)), Span::plain(format!(" {}{who}", spec.help))],
        ));
    }
    blocks.push(Block::note("/help and a command explains it, for example /help drill."));
    Message { summary: "What I can do".into(), blocks, ..Message::default() }
}

pub fn help_for(name: &str, reads_threads: bool) -> Message {
    match find(name.trim_start_matches('/')) {
        Some(spec) => explain(spec),
        None => {
            let mut message = help(reads_threads);
            message.blocks.insert(0, Block::line(format!("There is no command \"{name}\".")));
            message
        }
    }
}

fn explain(spec: &Spec) -> Message {
    let mut blocks = vec![Block::heading(format!("/{}", spec.name)), Block::line(spec.help)];
    if spec.organisers_only {
        blocks.push(Block::note("For organisers."));
    }
    for option in spec.options {
        blocks.push(Block::item("•", vec![Span::code(option.name), Span::plain(format!(" {}", option.help))]));
    }
    for sub in spec.subs {
        blocks.push(Block::item(
            "•",
            vec![Span::code(format!("/{} {}", spec.name, sub.name)), Span::plain(format!(" {}", sub.help))],
        ));
        for option in sub.options.iter().filter(|option| option.name != "schedule") {
            let name = if option.named { format!("{}=", option.name) } else { option.name.to_owned() };
            blocks.push(Block::item("  ◦", vec![Span::code(name), Span::plain(format!(" {}", option.help))]));
        }
    }
    blocks.push(Block::Line { spans: vec![Span::plain("For example: "), Span::code(spec.example)] });
    Message { summary: spec.help.into(), blocks, ..Message::default() }
}

/// A command that could not be read: the problem, then the usage.
pub fn usage(usage: &Usage) -> Message {
    Message {
        tone: Tone::Warning,
        summary: usage.problem.clone(),
        blocks: vec![Block::line(usage.problem.clone()), Block::Code { text: usage.usage.clone() }],
        buttons: vec![],
    }
}

/// Something the person can mend, in one sentence.
pub fn refused(problem: impl Into<String>) -> Message {
    Message::say(problem).toned(Tone::Warning)
}

/// A topic that is not there, for commands other than `/drill`.
pub fn no_topic(typed: &str, near: &[String]) -> Message {
    let typed = crate::domain::markup::shorten(typed, 60);
    let guess = if near.is_empty() {
        String::new()
    } else {
        format!(" Did you mean {}?", super::names(near, 3).replace(" and ", " or "))
    };
    refused(format!("There is no topic \"{typed}\".{guess} /topics shows them all."))
}

/// A question id that the bank does not have.
pub fn no_question(typed: &str, near: Option<&str>) -> Message {
    let typed = crate::domain::markup::shorten(typed, 60);
    let guess = near.map_or_else(String::new, |near| format!(" Did you mean {near}?"));
    refused(format!("There is no question \"{typed}\" in the bank, so nothing was asked.{guess}"))
}

/// An offer while somebody types: "iam-passrole: Why is .."; at most 100 characters.
pub fn offer(value: &str, words: &str) -> String {
    crate::domain::markup::shorten(&format!("{value}: {words}"), 100)
}

pub fn organisers_only(command: &str) -> Message {
    refused(format!("/{command} is for this channel's organisers. Ask one of them, or try /help for what you can do."))
}

pub fn topics(all: &[TopicCount]) -> Message {
    let total = count(len(all.iter().map(TopicCount::total).sum()), "question", "questions");
    let title = format!("{total} in {}", count(len(all.len()), "topic", "topics"));
    let mut blocks = vec![Block::heading(title.clone())];
    for topic in all {
        let levels: Vec<String> = topic
            .levels
            .iter()
            .zip(Level::ALL)
            .filter(|(n, _)| **n > 0)
            .map(|(n, level)| format!("{n} {}", level.as_str()))
            .collect();
        let words = format!(" {}: {}", topic.title, super::names(&levels, levels.len()));
        blocks.push(Block::item("•", vec![Span::code(format!("/drill {}", topic.name)), Span::plain(words)]));
    }
    blocks.push(Block::note("/drill and a topic starts a private round; add a level for only those."));
    Message { summary: title, blocks, ..Message::default() }
}

pub fn answer_saved(reveal_at: i64, changed: bool) -> Message {
    let words = if changed { "Changed. " } else { "Saved. " };
    Message {
        tone: Tone::Good,
        summary: "Your answer is saved".into(),
        blocks: vec![Block::Line {
            spans: vec![
                Span::plain(format!("{words}You can change it with the Answer button until the reveal, ")),
                Span::Time { at: reveal_at, style: TimeStyle::Relative },
                Span::plain("."),
            ],
        }],
        buttons: vec![],
    }
}

/// A message of the thread has become the answer.
pub fn message_saved(reveal_at: i64) -> Message {
    Message {
        tone: Tone::Good,
        summary: "Your answer is saved".into(),
        blocks: vec![Block::Line {
            spans: vec![
                Span::plain(
                    "Saved: this message counts as your answer. If you change it, save it again. The reveal comes ",
                ),
                Span::Time { at: reveal_at, style: TimeStyle::Relative },
                Span::plain("."),
            ],
        }],
        buttons: vec![],
    }
}

/// "Save as my answer" on a message that is in no question's thread.
pub fn not_in_a_question() -> Message {
    refused(
        "This message is not in the thread of a question of mine. Write your answer there, or use the question's Answer button.",
    )
}

pub fn not_your_message() -> Message {
    refused(
        "Somebody else wrote this message. You can save your own messages only, or use the question's Answer button.",
    )
}

pub fn answer_late() -> Message {
    refused(
        "This question is closed, so your answer scores nothing. It is kept and marked as late; the thread is still open to talk.",
    )
}

/// A button of a card that somebody still sees open.
pub fn question_closed() -> Message {
    refused("This question is closed. The thread is still open to talk, and /drill to practise.")
}

pub fn answer_too_long(chars: usize) -> Message {
    refused(format!(
        "That is {chars} characters; an answer may have {MAX_CHARS}, about twelve minutes of talking. Nothing was saved: shorten it and \
         send it again."
    ))
}

pub fn empty_answer() -> Message {
    refused("There is nothing in it yet. Write one sentence at least; you can change it until the reveal.")
}

pub fn round_gone() -> Message {
    refused("I do not know this question any more. The newest one is in the channel.")
}

pub fn unknown_button() -> Message {
    refused("This button is from an older version of me. Use the newest message, or /help.")
}

pub fn forget_question() -> Message {
    Message {
        tone: Tone::Warning,
        summary: "Erase your data?".into(),
        blocks: vec![Block::line(
            "This erases your answers, scores, streaks, drills and messages here for good. The totals of the others stay as they are.",
        )],
        buttons: vec![button(Action::Forget, "Erase my data", Style::Danger)],
    }
}

pub fn forgotten() -> Message {
    Message::say("Done. I know nothing about you any more. You are welcome to begin anew.").toned(Tone::Good)
}

/// Under a message of which a platform can show only the beginning.
pub fn shortened() -> &'static str {
    "This is only the beginning: the rest does not fit into one message."
}
