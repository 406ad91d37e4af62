//! Private drills.

use super::card::{answer_input, button};
use super::confidence;
use super::feedback::feedback;
use super::flag::flag_button;
use super::result::{quote, underlined, worth};
use super::{count, len, names};
use crate::domain::command::{Action, Verb};
use crate::domain::drill::{Drill, Outcome};
use crate::domain::flag::About;
use crate::domain::ids::QuestionId;
use crate::domain::markup;
use crate::domain::message::{Block, Button, Form, Message, Span, Style, Tone};
use crate::domain::question::Question;
use crate::domain::score::{HINT_COST, show_points};

/// The drill as it stands: the question in front of the member, or the summary. `question` is the current item's.
pub fn drill_view(drill: &Drill, question: Option<&Question>) -> Message {
    match (drill.current(), question) {
        (Some(item), Some(question)) => match &item.outcome {
            None => asking(drill, question),
            Some(outcome) => answered(drill, question, outcome),
        },
        _ => summary(drill),
    }
}

fn press(drill: &Drill, verb: Verb, label: impl Into<String>, style: Style) -> Button {
    button(Action::Drill { drill: drill.id.clone(), at: drill.at, verb }, label, style)
}

fn head(drill: &Drill, question: &Question) -> Vec<Block> {
    let mut blocks = vec![
        Block::note(format!(
            "{}, question {} of {}, {}",
            drill.topic,
            drill.at + 1,
            drill.items.len(),
            question.level.as_str()
        )),
        Block::heading(match (&question.choice, drill.choice) {
            (Some(choice), true) => choice.stem.clone(),
            _ => question.prompt.clone(),
        }),
    ];
    blocks.extend(question.exhibit.as_ref().into_iter().flat_map(super::exhibit));
    blocks
}

fn asking(drill: &Drill, question: &Question) -> Message {
    let mut blocks = head(drill, question);
    let taken = drill.current().map_or(0, |item| item.hints);
    let mut buttons = Vec::new();
    match (&question.choice, drill.choice) {
        (Some(choice), true) => {
            for (shown, option) in drill.order(drill.at, choice.options.len()).into_iter().enumerate() {
                let letter = letter(shown);
                blocks.push(Block::item(format!("{letter}."), markup::spans(&choice.options[option].text)));
                buttons.push(press(drill, Verb::Pick(shown), letter.to_string(), Style::Primary));
            }
        }
        _ => {
            if let Some(nudge) = &question.nudge {
                blocks.push(Block::note(nudge.clone()));
            }
            buttons.push(press(drill, Verb::Answer, "Answer", Style::Primary));
        }
    }
    for (step, hint) in question.hints.iter().take(taken).enumerate() {
        let mut spans = vec![Span::bold(format!("Hint {}: ", step + 1))];
        spans.extend(markup::spans(hint));
        blocks.push(Block::Line { spans });
    }
    if taken < question.hints.len() {
        buttons.push(press(drill, Verb::Hint, format!("Hint (−{HINT_COST} points)"), Style::Secondary));
    }
    buttons.push(press(drill, Verb::Skip, "Skip", Style::Secondary));
    buttons.push(press(drill, Verb::Reveal, "Reveal", Style::Secondary));
    let summary = format!("Question {} of {}: {}", drill.at + 1, drill.items.len(), question.prompt);
    Message { tone: Tone::Question, summary, blocks, buttons }
}

fn answered(drill: &Drill, question: &Question, outcome: &Outcome) -> Message {
    let mut blocks = head(drill, question);
    let hints = drill.current().map_or(0, |item| i64::try_from(item.hints).unwrap_or(0));
    let (coverage, points) = outcome.worth();
    let mut summary = "The answer".to_owned();
    match outcome {
        Outcome::Answered { text, grade, confidence, .. } => {
            summary = worth(grade, hints, coverage, points);
            blocks.push(Block::Line { spans: vec![Span::bold(summary.clone())] });
            blocks.extend(confidence::lesson(*confidence, grade));
            blocks.extend(feedback(question, text, grade));
            blocks.push(Block::heading("Your answer"));
            blocks.push(quote(text, grade));
            blocks.extend(underlined(grade));
        }
        Outcome::Picked { option, .. } => {
            if let Some(choice) = &question.choice {
                let right = choice.options.get(*option).is_some_and(|option| option.correct);
                summary = if right {
                    format!("Right, {} points", show_points(points))
                } else {
                    "Not this one, 0 points".to_owned()
                };
                blocks.push(Block::Line { spans: vec![Span::bold(summary.clone())] });
                for (shown, at) in drill.order(drill.at, choice.options.len()).into_iter().enumerate() {
                    let option_text = &choice.options[at];
                    let mark = if option_text.correct { "✓" } else { "✗" };
                    let mine = if at == *option { " (your choice)" } else { "" };
                    let mut spans = super::bold(&format!("{}. {}{mine} ", letter(shown), option_text.text));
                    spans.extend(markup::spans(&option_text.because));
                    blocks.push(Block::item(mark, spans));
                }
            }
        }
        Outcome::Skipped | Outcome::Revealed => blocks.push(Block::line("No points for this one; here is the answer.")),
    }
    blocks.push(Block::heading("Model answer"));
    blocks.extend(super::readable(&question.model_answer));
    if let Some(url) = question.references.first() {
        blocks.push(Block::item("•", vec![super::reference(url)]));
    }
    let label = if drill.at + 1 == drill.items.len() { "Finish" } else { "Next" };
    let tone = if coverage >= 60 { Tone::Good } else { Tone::Plain };
    let next = press(drill, Verb::Next, label, Style::Primary);
    let buttons = vec![next, flag_button(About::Item(drill.id.clone(), drill.at))];
    Message { tone, summary, blocks, buttons }
}

/// A question in one line of the summary.
pub fn question_title(question: &Question, choice: bool) -> String {
    let asked = match &question.choice {
        Some(choice_of_four) if choice => &choice_of_four.stem,
        _ => &question.prompt,
    };
    markup::shorten(&asked.replace('`', ""), 100)
}

fn summary(drill: &Drill) -> Message {
    let total = show_points(drill.points());
    let asked = count(len(drill.items.len()), "question", "questions");
    let title = format!("{}: {total} points from {asked}", drill.topic);
    let mut blocks = vec![Block::heading(title.clone())];
    for (at, item) in drill.items.iter().enumerate() {
        let result = match &item.outcome {
            Some(Outcome::Skipped) => "skipped".to_owned(),
            Some(Outcome::Revealed) => "revealed".to_owned(),
            Some(outcome) => {
                let (coverage, points) = outcome.worth();
                format!("{coverage} of 100, {} points", show_points(points))
            }
            None => "not reached".to_owned(),
        };
        let asked = if item.title.is_empty() { item.question.to_string() } else { item.title.clone() };
        let spans = vec![Span::plain(format!("{asked} — ")), Span::bold(result)];
        blocks.push(Block::item(format!("{}.", at + 1), spans));
    }
    let counts = vec![
        Span::plain("A question counts once a day, with your best result. "),
        Span::command("/leaderboard drill"),
        Span::plain(" shows the board, "),
        Span::command("/me"),
        Span::plain(" your weak topics."),
    ];
    blocks.push(Block::Note { spans: counts });
    let mut buttons = Vec::new();
    if let Some(first) = drill.items.first() {
        let mode = if drill.choice { " choice" } else { "" };
        // A tag of two words cannot be typed.
        let known = !drill.name.is_empty() && !drill.name.contains(char::is_whitespace);
        let name = if known { &drill.name } else { &first.topic };
        let again = Action::Run(format!("/drill topic:{name} {}{mode}", drill.items.len()));
        if again.encode().len() <= 100 {
            buttons.push(button(again, "Once more", Style::Secondary));
        }
    }
    Message { tone: Tone::Good, summary: title, blocks, buttons }
}

pub(super) fn letter(at: usize) -> char {
    char::from(b'A' + u8::try_from(at.min(25)).unwrap_or(0))
}

pub fn drill_form(drill: &Drill, question: &Question) -> Form {
    let action = Action::Drill { drill: drill.id.clone(), at: drill.at, verb: Verb::Answer };
    Form { blocks: vec![Block::Line { spans: markup::spans(&question.prompt) }], ..drill_answer(&action) }
}

/// The form alone, for below the question.
pub fn drill_answer(action: &Action) -> Form {
    Form {
        action: action.encode(),
        title: "Your answer".into(),
        blocks: vec![],
        inputs: vec![answer_input(""), confidence::input(None)],
        submit: "Grade it".into(),
    }
}

pub fn empty_drill_answer() -> Message {
    super::refused("There is nothing in it yet. Write one sentence at least, or press Skip.")
}

/// A member with an unfinished drill begins `/drill` without a topic.
pub fn resume_offer(drill: &Drill, question: Option<&Question>, topics: &Message) -> Message {
    let mut message = unfinished(drill, question);
    message.blocks.push(Block::Divider);
    message.blocks.extend(topics.blocks.iter().cloned());
    message
}

/// As [`resume_offer`], where a form has the topics.
pub fn resume(drill: &Drill, question: Option<&Question>) -> Message {
    let mut message = unfinished(drill, question);
    message.buttons.push(button(Action::Run("/drill".into()), "Another drill", Style::Secondary));
    message
}

fn unfinished(drill: &Drill, question: Option<&Question>) -> Message {
    let mut message = drill_view(drill, question);
    message.blocks.insert(0, Block::line("You have not finished this one:"));
    message
}

/// What stands above the form of a drill.
pub fn what_to_drill() -> Message {
    Message::say(WHAT)
}

const WHAT: &str = "What would you like to practise? Choose a topic, or one question.";

/// A wrong or missing topic: the topics with their sizes, and the nearest names as buttons.
pub fn topic_help(wrong: Option<&str>, near: &[String], topics: &[(String, String, usize)]) -> Message {
    let mut blocks = Vec::new();
    let quoted: Vec<String> = near.iter().map(|name| format!("\"{name}\"")).collect();
    let first = match wrong {
        Some(wrong) => {
            let wrong = markup::shorten(wrong, 60);
            let guess = if near.is_empty() {
                String::new()
            } else {
                format!(" Did you mean {}?", names(&quoted, 3).replace(" and ", " or "))
            };
            format!("There is no topic \"{wrong}\".{guess}")
        }
        None => "What would you like to practise?".to_owned(),
    };
    blocks.push(Block::line(first.clone()));
    for (name, title, questions) in topics {
        blocks.push(Block::item(
            "•",
            vec![
                Span::command(format!("/drill {name}")),
                Span::plain(format!(" {title}, {}", count(len(*questions), "question", "questions"))),
            ],
        ));
    }
    let offered: Vec<&String> =
        if near.is_empty() { topics.iter().map(|(name, ..)| name).collect() } else { near.iter().collect() };
    let buttons = offered
        .into_iter()
        .take(5)
        .map(|name| button(Action::Run(format!("/drill {name}")), format!("Drill {name}"), Style::Secondary))
        .collect();
    let tone = if wrong.is_some() { Tone::Warning } else { Tone::Plain };
    Message { tone, summary: first, blocks, buttons }
}

pub fn no_choice_questions(topic: &str) -> Message {
    super::refused_with(vec![
        Span::plain("No question here has four options to choose from. Try "),
        Span::command(format!("/drill {topic}")),
        Span::plain(" in your own words."),
    ])
}

pub fn no_options_to_choose(question: &QuestionId) -> Message {
    super::refused(format!("The question {question} has no options to choose from. Leave mode:choice out."))
}

pub fn no_questions_of_level(title: &str, level: &str, topic: &str) -> Message {
    super::refused_with(vec![
        Span::plain(format!("{title} has no {level} questions. Leave the level out: ")),
        Span::command(format!("/drill {topic}")),
        Span::plain("."),
    ])
}

pub fn stale_button() -> Message {
    Message::say("This drill is not there any more. Begin a new one with /drill.").toned(Tone::Warning)
}
