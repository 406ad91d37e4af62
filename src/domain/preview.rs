//! What people will see of a question, for its author: card, form, hints, choice, a result, the reveal, the scenario.

use std::sync::Arc;

use super::command::Verb;
use super::drill::{Drill, Item};
use super::grade::{Grade, Lexicon, Rubric};
use super::ids::{ChannelId, DrillId, MemberId, RoundId, SceneId, ScheduleId};
use super::message::{Form, Message};
use super::question::{Question, Sample};
use super::round::{Period, Round, State, worth};
use super::scene::{Decision, Scene};
use super::schedule::AnswerMode;
use super::text::{self, CardView, NamedAnswer, Reveal};

/// How long the round of a preview is open.
const OPEN_MS: i64 = 8 * 3_600_000;

/// A part of a preview, under a title of its own.
pub struct Part {
    pub title: &'static str,
    pub messages: Vec<Message>,
}

pub struct Preview {
    pub form: Form,
    pub parts: Vec<Part>,
}

/// A question as it will look. `topic` is the topic's title, `now` in unix milliseconds; its samples are the answers that people gave.
pub fn preview(question: &Question, topic: &str, lexicon: &Arc<Lexicon>, now: i64) -> Preview {
    let open = round(question, State::Open, now);
    let card = CardView { round: &open, question, topic, answered: 0, reads_threads: true };
    let mut parts = vec![
        Part { title: "The card", messages: vec![text::card(&card)] },
        Part {
            title: "The hints",
            messages: (0..question.hints.len()).map(|step| text::hint(question, step)).collect(),
        },
        Part { title: "With four options", messages: choice(question, topic) },
    ];
    let rubric = Rubric::of(question, lexicon);
    let graded: Vec<(&Sample, Grade)> =
        question.samples.iter().map(|sample| (sample, rubric.grade(&sample.text))).collect();
    let result = graded.iter().max_by_key(|(_, grade)| grade.score).map(|(sample, grade)| {
        let (coverage, points) = worth(question, grade, 0);
        text::my_result(question, &sample.text, None, grade, 0, coverage, points)
    });
    parts.push(Part { title: "The result of the best sample", messages: result.into_iter().collect() });
    let mut answers: Vec<NamedAnswer<'_>> = graded
        .iter()
        .zip(1..)
        .map(|((sample, grade), n)| NamedAnswer {
            name: format!("Sample {n}"),
            text: &sample.text,
            grade,
            coverage: i64::from(grade.score),
        })
        .collect();
    answers.sort_by_key(|answer| -answer.coverage);
    let closed = round(question, State::Revealed, now);
    let reveal = text::reveal(&Reveal { round: &closed, question, answers, teaser: None });
    parts.push(Part { title: "The reveal", messages: reveal });
    parts.push(Part { title: "The scenario, played well", messages: scenario(question) });
    parts.retain(|part| !part.messages.is_empty());
    Preview { form: text::answer_form(&open, question, "", None), parts }
}

fn round(question: &Question, state: State, now: i64) -> Round {
    let date = jiff::Timestamp::from_millisecond(now).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC).date();
    let channel = ChannelId::new("preview:channel");
    Round {
        id: RoundId::new("preview"),
        schedule: ScheduleId::of(&channel, "daily"),
        channel,
        slot: format!("{date}T09:00"),
        number: 1,
        question: question.id.clone(),
        snapshot: String::new(),
        answers: AnswerMode::Both,
        state,
        reason: String::new(),
        opened_at: now,
        reveal_at: now + OPEN_MS,
        closed_at: None,
        period: Period::of(date),
        message: None,
        thread: None,
        touched: 0,
        shown: 0,
        parts: 0,
    }
}

/// The question as a drill asks it with options, and what one sees after the right one.
fn choice(question: &Question, topic: &str) -> Vec<Message> {
    let Some(right) =
        question.choice.as_ref().and_then(|choice| choice.options.iter().position(|option| option.correct))
    else {
        return Vec::new();
    };
    let item = Item {
        question: question.id.clone(),
        title: String::new(),
        snapshot: String::new(),
        topic: question.topic.clone(),
        hints: 0,
        outcome: None,
    };
    let mut drill = Drill {
        id: DrillId::new("preview"),
        member: MemberId::new("preview:author"),
        channel: ChannelId::new("preview:channel"),
        topic: topic.to_owned(),
        name: question.topic.clone(),
        choice: true,
        items: vec![item],
        at: 0,
    };
    let asked = text::drill_view(&drill, Some(question));
    let options = question.choice.as_ref().map_or(0, |choice| choice.options.len());
    let shown = drill.order(0, options).iter().position(|option| *option == right).unwrap_or_default();
    drill.press(0, Verb::Pick(shown), question);
    vec![asked, text::drill_view(&drill, Some(question))]
}

/// Every message on the best way through.
fn scenario(question: &Question) -> Vec<Message> {
    let Some(scenario) = &question.scenario else { return Vec::new() };
    let mut scene = Scene {
        id: SceneId::new("preview"),
        channel: ChannelId::new("preview:channel"),
        member: MemberId::new("preview:author"),
        question: question.id.clone(),
        snapshot: String::new(),
        together: false,
        path: Vec::new(),
        told: false,
    };
    let mut messages = Vec::new();
    while let Some(stage) = scene.at(scenario) {
        messages.push(text::scene_view(&scene, question, scenario));
        let options = scenario.stages[stage].options.iter().enumerate();
        let Some((option, _)) = options.max_by_key(|(_, turn)| turn.points) else { break };
        scene.decide(Decision { stage, option });
        messages.push(text::scene_view(&scene, question, scenario));
        scene.told = false;
    }
    messages.push(text::scene_view(&scene, question, scenario));
    messages
}
