//! Help, refusals and receipts.

use super::card::{SAVE_AS_ANSWER, button};
use super::{count, len};
use crate::domain::answer::MAX_CHARS;
use crate::domain::bank::TopicCount;
use crate::domain::command::{Action, Spec, TABLE, Usage, find};
use crate::domain::message::{Block, Message, Span, Style, TimeStyle, Tone};
use crate::domain::question::Level;

/// How answers reach the bot on a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ways {
    /// In threads, and the platform itself shows what counts.
    Threads,
    /// In threads, with a sign of the bot's under each message.
    SignedThreads,
    /// Not in threads: with the form, or by the menu of a message.
    Form,
}

pub fn help(ways: Ways) -> Message {
    let how = if ways == Ways::Form { "with the Answer button" } else { "in its thread or with the Answer button" };
    let mut blocks = vec![Block::line(format!(
        "Every day I post an interview question here. Answer {how}; after a while I show the model answer, who covered which key point, \
         and everybody's score."
    ))];
    match ways {
        Ways::Threads => {}
        Ways::SignedThreads => blocks.push(Block::note(
            "A sign under what you wrote in the thread says: 📥 it counts as your answer, ⌛ it came after the reveal.",
        )),
        Ways::Form => blocks.push(Block::note(format!(
            "Already written in the thread? The menu of your message has \"{SAVE_AS_ANSWER}\" under Apps."
        ))),
    }
    for spec in TABLE {
        let who = if spec.organisers_only { " (organisers)" } else { "" };
        blocks.push(Block::item(
            "•",
            vec![Span::command(format!("/{}", spec.name)), Span::plain(format!(" {}{who}", spec.help))],
        ));
    }
    let example = vec![
        Span::command("/help"),
        Span::plain(" and a command explains it, for example "),
        Span::command("/help drill"),
        Span::plain("."),
    ];
    blocks.push(Block::Note { spans: example });
    Message { summary: "What I can do".into(), blocks, ..Message::default() }
}

pub fn help_for(name: &str, ways: Ways) -> Message {
    match find(name.trim_start_matches('/')) {
        Some(spec) => explain(spec),
        None => {
            let mut message = help(ways);
            message.blocks.insert(0, Block::line(format!("There is no command \"{name}\".")));
            message
        }
    }
}

fn explain(spec: &Spec) -> Message {
    let first = vec![Span::command(format!("/{}", spec.name)), Span::plain(format!(" {}", spec.help))];
    let mut blocks = vec![Block::Line { spans: first }];
    if spec.organisers_only {
        blocks.push(Block::note("For organisers."));
    }
    for option in spec.options {
        blocks.push(Block::item("•", vec![Span::code(option.name), Span::plain(format!(" {}", option.help))]));
    }
    for sub in spec.subs {
        blocks.push(Block::item(
            "•",
            [vec![Span::command(format!("/{} {}", spec.name, sub.name)), Span::plain(" ")], Span::sentence(sub.help)]
                .concat(),
        ));
        for option in sub.options.iter().filter(|option| option.name != "schedule") {
            blocks.push(Block::item("  ◦", vec![Span::code(option.name), Span::plain(format!(" {}", option.help))]));
        }
    }
    blocks.push(for_example(spec.example));
    Message { summary: spec.help.into(), blocks, ..Message::default() }
}

/// A command that could not be read: the problem, then the usage.
pub fn usage(usage: &Usage) -> Message {
    let (usage_line, example) = usage.usage.split_once("\nFor example: ").unwrap_or((&usage.usage, ""));
    // What may stand behind a command is set like the command itself.
    let dressed = |span| match span {
        Span::Plain { text } if usage_line.starts_with('/') => Span::Code { text },
        span => span,
    };
    let line = Span::sentence(usage_line).into_iter().map(dressed).collect();
    let mut blocks = vec![Block::sentence(&usage.problem), Block::Line { spans: line }];
    if !example.is_empty() {
        blocks.push(for_example(example));
    }
    Message { tone: Tone::Warning, summary: usage.problem.clone(), blocks, buttons: vec![] }
}

fn for_example(line: &str) -> Block {
    Block::Line { spans: vec![Span::plain("For example: "), Span::command(line)] }
}

/// Something the person can mend, in one sentence.
pub fn refused(problem: impl Into<String>) -> Message {
    Message::say(problem).toned(Tone::Warning)
}

/// [`refused`] with a command to copy in it.
pub fn refused_with(spans: Vec<Span>) -> Message {
    let summary = spans.iter().map(Span::as_plain).collect();
    Message { tone: Tone::Warning, summary, blocks: vec![Block::Line { spans }], buttons: vec![] }
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

pub fn organisers_only(command: &str, platform: &str) -> Message {
    let who = match platform {
        "slack" => ": admins and owners of the workspace, and whom slack.organisers in my settings names",
        _ => "",
    };
    refused(format!(
        "/{command} is for this channel's organisers{who}. Ask one of them, or try /help for what you can do."
    ))
}

/// A command for organisers in a private conversation.
pub fn only_in_channels(command: &str) -> Message {
    refused(match command {
        "review" => "/review is about the questions of a group: type it in one of its channels.".to_owned(),
        _ => format!("/{command} is about the question of a channel: type it in the channel that is to have one."),
    })
}

/// The platform does not say whether somebody is an organiser.
pub fn organiser_unknown() -> Message {
    refused("Nobody tells me just now whether you are an organiser, so nothing was changed. Try again in a moment.")
}

/// A form that could not be opened any more.
pub fn too_late_for_a_form() -> Message {
    refused("I was too slow to open the form. Try once more.")
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
        blocks.push(Block::item("•", vec![Span::command(format!("/drill {}", topic.name)), Span::plain(words)]));
    }
    let start =
        vec![Span::command("/drill"), Span::plain(" and a topic starts a private round; add a level for only those.")];
    blocks.push(Block::Note { spans: start });
    Message { summary: title, blocks, ..Message::default() }
}

pub fn answer_saved(reveal_at: i64, changed: bool) -> Message {
    let words = if changed { "Changed. You can change it again" } else { "Saved. You can change it" };
    Message {
        tone: Tone::Good,
        summary: "Your answer is saved".into(),
        blocks: vec![Block::Line {
            spans: vec![
                Span::plain(format!("{words} with the Answer button until the reveal, ")),
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

/// `/daily set ping:@everyone`
pub fn everyone_not_called() -> String {
    "I never call everyone: give ping a role or user group of those who want to be called.".to_owned()
}

/// `/daily set ping:` with something else than a user group of Slack.
pub fn no_user_group(typed: &str) -> String {
    let typed = crate::domain::markup::shorten(typed, 60);
    format!("\"{typed}\" is no user group. Type @ behind ping: and choose the group from Slack's list, or give none.")
}

/// What stands in a window until there is more to show.
pub fn one_moment() -> Message {
    Message::say("One moment…")
}

/// [`one_moment`] in the place of a form, with what was written in it: nobody is to lose that, whatever happens.
pub fn one_moment_with(written: &str) -> Message {
    let mut message = one_moment();
    if !written.trim().is_empty() {
        message.blocks.push(Block::Quote { by: None, text: written.to_owned(), hits: vec![] });
    }
    message
}

/// What sends the form of a command.
pub fn form_submit() -> &'static str {
    "Go"
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
            "This erases your answers, scores, streaks, drills, suggestions, flags and messages here for good. The totals of the others stay \
             as they are; so do questions of yours that were approved, without your name: you gave them to the group.",
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
