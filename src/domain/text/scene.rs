//! Scenarios: the list, a stage, what came of a decision, the debrief; alone and together.

use super::card::button;
use super::drill::letter;
use super::{count, exhibit, len, names, readable};
use crate::domain::command::{Action, Move};
use crate::domain::markup;
use crate::domain::message::{Block, Button, Message, Span, Style, Tone};
use crate::domain::question::{BEST_TURN, Level, Question, Scenario, Stage};
use crate::domain::scene::{Decision, Scene, Vote, turn};
use crate::domain::score::{points_tenths, show_points};

/// How many names stand behind what was decided.
const NAMES: usize = 8;

/// A scenario in the list.
pub struct Playable<'a> {
    pub name: &'a str,
    pub title: &'a str,
    /// The topic's title.
    pub topic: String,
    pub level: Level,
}

/// What can be played; `wrong` is what somebody asked for and is not there, `near` the names nearest to it.
pub fn scenarios(all: &[Playable<'_>], wrong: Option<&str>, near: &[String]) -> Message {
    let first = match wrong {
        Some(wrong) => {
            let quoted: Vec<String> = near.iter().map(|name| format!("\"{name}\"")).collect();
            let guess = if near.is_empty() {
                String::new()
            } else {
                format!(" Did you mean {}?", names(&quoted, 3).replace(" and ", " or "))
            };
            format!("There is no scenario \"{}\".{guess}", markup::shorten(wrong, 60))
        }
        None if all.is_empty() => "The banks have no scenarios.".to_owned(),
        None => "A scenario puts you on the spot: a situation, a decision, what comes of it, and something else that breaks. \
                 Which one would you like to play?"
            .to_owned(),
    };
    let mut blocks = vec![Block::line(first.clone())];
    for Playable { name, title, topic, level } in all {
        blocks.push(Block::item(
            "•",
            vec![
                Span::command(format!("/drill scenario {name}")),
                Span::plain(format!(" {title} ({topic}, {})", level.as_str())),
            ],
        ));
    }
    if !all.is_empty() {
        blocks.push(Block::Note {
            spans: vec![
                Span::plain("Add "),
                Span::bold("together"),
                Span::plain(" to play in a thread of this channel: everybody votes, the majority decides."),
            ],
        });
    }
    let offered: Vec<&str> = if near.is_empty() {
        all.iter().map(|playable| playable.name).collect()
    } else {
        near.iter().map(String::as_str).collect()
    };
    let offer = |name: &str| {
        let run = Action::Run(format!("/drill scenario {name}"));
        button(run, format!("Play {name}"), Style::Secondary)
    };
    let tone = if wrong.is_some() { Tone::Warning } else { Tone::Plain };
    Message { tone, summary: first, blocks, buttons: offered.into_iter().take(5).map(offer).collect() }
}

/// What one member sees who plays alone.
pub fn scene_view(scene: &Scene, question: &Question, scenario: &Scenario) -> Message {
    match (scene.told, scene.path.last(), scene.at(scenario)) {
        (true, Some(last), next) => told(scene, scenario, *last, next.is_some()),
        (_, _, Some(at)) => asked(scene, scenario, at),
        _ => debriefed(scene, question, scenario),
    }
}

fn press(scene: &Scene, go: Move, label: impl Into<String>, style: Style) -> Button {
    button(Action::Scene { scene: scene.id.clone(), step: scene.step(), go }, label, style)
}

/// Situation, exhibit, decision and options.
fn stage_blocks(scene: &Scene, at: usize, stage: &Stage) -> Vec<Block> {
    let mut blocks = Vec::new();
    if stage.injected {
        blocks.push(Block::Line { spans: vec![Span::bold("And then something else happens.")] });
    }
    blocks.extend(readable(&stage.situation));
    if let Some(shown) = &stage.exhibit {
        blocks.extend(exhibit(shown));
    }
    blocks.push(Block::heading(stage.ask.clone()));
    for (place, option) in scene.order(at, stage).into_iter().enumerate() {
        blocks.push(Block::item(format!("{}.", letter(place)), markup::spans(&stage.options[option].text)));
    }
    blocks
}

fn option_buttons(scene: &Scene, stage: &Stage) -> Vec<Button> {
    (0..stage.options.len())
        .map(|place| press(scene, Move::Pick(place), letter(place).to_string(), Style::Primary))
        .collect()
}

fn asked(scene: &Scene, scenario: &Scenario, at: usize) -> Message {
    let stage = &scenario.stages[at];
    let mut blocks = vec![Block::note(format!("{}, decision {}", scenario.title, scene.step() + 1))];
    blocks.extend(stage_blocks(scene, at, stage));
    let summary = format!("{}: {}", scenario.title, stage.ask);
    Message { tone: Tone::Question, summary, blocks, buttons: option_buttons(scene, stage) }
}

/// "A good call", "Defensible", "A wrong turn".
fn verdict(points: u8) -> (&'static str, &'static str, Tone) {
    match points {
        BEST_TURN.. => ("✓", "A good call.", Tone::Good),
        1 => ("–", "Defensible.", Tone::Plain),
        0 => ("✗", "A wrong turn.", Tone::Warning),
    }
}

fn told(scene: &Scene, scenario: &Scenario, last: Decision, goes_on: bool) -> Message {
    let Some(taken) = turn(scenario, last) else { return Message::default() };
    let (_, words, tone) = verdict(taken.points);
    let mut blocks = vec![Block::note(format!("{}, decision {}", scenario.title, scene.step()))];
    blocks.push(Block::Quote { by: None, text: markup::plain(&taken.text), hits: vec![] });
    blocks.push(Block::Line { spans: vec![Span::bold(words)] });
    blocks.extend(readable(&taken.then));
    let label = if goes_on { "Go on" } else { "To the debrief" };
    let summary = format!("{words} {}", taken.then);
    Message { tone, summary, blocks, buttons: vec![press(scene, Move::Next, label, Style::Primary)] }
}

/// Each decision with its worth, and the better one where there was one.
fn path_blocks(scene: &Scene, scenario: &Scenario) -> Vec<Block> {
    let mut blocks = Vec::new();
    for decision in &scene.path {
        let (Some(stage), Some(taken)) = (scenario.stages.get(decision.stage), turn(scenario, *decision)) else {
            continue;
        };
        let (mark, ..) = verdict(taken.points);
        let mut spans = markup::spans(&taken.text);
        let best = stage.options.iter().find(|option| option.points == BEST_TURN);
        if let Some(best) = best.filter(|_| taken.points < BEST_TURN) {
            spans.push(Span::bold(" Better: "));
            spans.extend(markup::spans(&best.text));
        }
        blocks.push(Block::item(mark, spans));
    }
    blocks
}

fn again(question: &Question, scenario: &Scenario) -> Vec<Button> {
    let lines = [
        (format!("/drill question:{}", question.id), "Answer it in your own words", Style::Primary),
        (format!("/drill scenario {}", scenario.name), "Play it again", Style::Secondary),
    ];
    let runs = lines.into_iter().map(|(line, label, style)| button(Action::Run(line), label, style));
    runs.filter(|button| button.action.len() <= 100).collect()
}

fn debriefed(scene: &Scene, question: &Question, scenario: &Scenario) -> Message {
    let coverage = scene.coverage(scenario);
    let points = show_points(points_tenths(coverage, question.level));
    let result = format!("{coverage} of 100, {points} points.");
    let mut blocks = vec![Block::heading(format!("Debrief: {}", scenario.title))];
    blocks.push(Block::Line { spans: vec![Span::bold(result.clone())] });
    blocks.extend(path_blocks(scene, scenario));
    blocks.extend(readable(&scenario.debrief));
    blocks.push(Block::note(
        "In an interview you would tell it: situation, decision, reason, what came of it. Try that next.",
    ));
    let tone = if coverage >= 60 { Tone::Good } else { Tone::Plain };
    Message {
        tone,
        summary: format!("Debrief of {}: {result}", scenario.title),
        blocks,
        buttons: again(question, scenario),
    }
}

/// A scene that is played together, with what its messages need.
pub struct Together<'a> {
    pub scene: &'a Scene,
    pub question: &'a Question,
    /// The topic's title.
    pub topic: String,
    pub scenario: &'a Scenario,
    pub votes: &'a [Vote],
    /// The name of who began it; none when they were erased.
    pub host: Option<&'a str>,
    /// Everybody who voted: name, coverage. The best first.
    pub players: Vec<(String, i64)>,
}

/// The message in the channel, under which the thread opens.
pub fn scene_opening(view: &Together<'_>) -> Message {
    let Together { scene, question, topic, scenario, host, .. } = view;
    let who = host.map_or_else(|| "Somebody".to_owned(), str::to_owned);
    let mut blocks = vec![
        Block::heading(format!("Scenario: {}", scenario.title)),
        Block::line(format!(
            "{who} has begun a scenario for everybody. It is played in the thread: vote, argue, decide."
        )),
        Block::field("Topic", topic.clone()),
        Block::field("Level", question.level.as_str()),
    ];
    if scene.is_finished(scenario) {
        blocks.push(Block::field("State", "Played; the debrief is in the thread"));
    }
    let tone = if scene.is_finished(scenario) { Tone::Closed } else { Tone::Question };
    Message { tone, summary: format!("Scenario: {}", scenario.title), blocks, buttons: vec![] }
}

pub fn scene_thread(scenario: &Scenario) -> String {
    markup::shorten(&format!("Scenario: {}", scenario.title), 90)
}

/// What stands in the thread for step `step`: what came of the decision before, and the stage that follows or the debrief.
pub fn scene_part(view: &Together<'_>, step: usize) -> Message {
    let Together { scene, question, scenario, votes, .. } = view;
    // The scene as it was when this step began: the message of an earlier step stays what it was.
    let then = Scene { path: scene.path[..step.min(scene.path.len())].to_vec(), ..(*scene).clone() };
    let mut blocks = Vec::new();
    if let Some(last) = then.path.last()
        && let Some(taken) = turn(scenario, *last)
    {
        let (_, words, _) = verdict(taken.points);
        let mut spans = vec![Span::bold("Decided: ")];
        spans.extend(markup::spans(&taken.text));
        blocks.push(Block::Line { spans });
        let mut spans = vec![Span::bold(format!("{words} "))];
        spans.extend(markup::spans(&taken.then));
        blocks.push(Block::Line { spans });
        blocks.push(Block::Divider);
    }
    let Some(at) = then.at(scenario) else {
        blocks.extend(debrief_together(view));
        let summary = format!("Debrief of {}", scenario.title);
        return Message { tone: Tone::Good, summary, blocks, buttons: again(question, scenario) };
    };
    let stage = &scenario.stages[at];
    blocks.extend(stage_blocks(&then, at, stage));
    let cast = len(votes.iter().filter(|vote| vote.step == step).count());
    let is_open = scene.step() == step;
    let voted = match cast {
        0 if is_open => "Nobody has voted yet.".to_owned(),
        n => format!("{} cast.", count(n, "vote", "votes")),
    };
    blocks.push(Block::note(if is_open {
        format!("{voted} A vote is secret and can be changed; who began the scenario, or an organiser, decides.")
    } else {
        format!("{voted} This was decided.")
    }));
    let mut buttons = Vec::new();
    if is_open {
        buttons = option_buttons(&then, stage);
        buttons.push(press(&then, Move::Decide, "Decide", Style::Secondary));
    }
    let tone = if is_open { Tone::Question } else { Tone::Closed };
    Message { tone, summary: format!("{}: {}", scenario.title, stage.ask), blocks, buttons }
}

fn debrief_together(view: &Together<'_>) -> Vec<Block> {
    let Together { scene, scenario, players, .. } = view;
    let mut blocks = vec![Block::heading(format!("Debrief: {}", scenario.title))];
    blocks.push(Block::Line { spans: vec![Span::bold(format!("The group: {} of 100.", scene.coverage(scenario)))] });
    blocks.extend(path_blocks(scene, scenario));
    blocks.extend(readable(&scenario.debrief));
    if !players.is_empty() {
        let all: Vec<String> = players.iter().map(|(name, coverage)| format!("{name} {coverage}")).collect();
        blocks.push(Block::line(format!("What each of you voted for, of 100: {}.", names(&all, NAMES))));
    }
    blocks
}

/// After a vote.
pub fn voted(place: usize) -> Message {
    Message::say(format!("You voted {}. Press another letter to change it.", letter(place)))
}

pub fn nobody_voted() -> Message {
    super::refused("Nobody has voted yet. Press a letter first.")
}

pub fn not_your_scene(host: Option<&str>) -> Message {
    super::refused(match host {
        Some(host) => format!("{host} began this scenario and decides when all have voted; an organiser may, too."),
        None => "An organiser decides when all have voted.".to_owned(),
    })
}

pub fn scene_gone() -> Message {
    Message::say("This step is over. Look further down, or begin anew with /drill scenario.").toned(Tone::Warning)
}

pub fn scene_begun(title: &str) -> Message {
    Message::say(format!("\"{title}\" is on its way to the channel. You decide when all have voted."))
}

/// Only one at a time in a channel.
pub fn scene_under_way(title: &str) -> Message {
    super::refused(format!(
        "\"{title}\" is being played in this channel just now. Join in there, or play yours alone: leave together out."
    ))
}

pub fn decided() -> Message {
    Message::say("Decided. What comes of it is on its way to the thread.")
}

pub fn scene_needs_channel() -> Message {
    super::refused(
        "Together works in channels where I post questions, and this is none. Ask an organiser for /daily set here, or play it alone.",
    )
}

/// For the organisers.
pub fn scene_undelivered(why: &str) -> String {
    format!("A part of a scenario could not be posted: {why}")
}
