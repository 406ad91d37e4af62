//! Rubrics and answers as JSON lines: the shapes in which a grader is measured.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::domain::grade::{Grade, Lexicon, PointState, Rubric};
use crate::domain::ids::QuestionId;
use crate::domain::question::{Alternative, KeyPoint, Kind, Level, Question, Status};

/// A question of a rubric file: what the grader needs of it.
#[derive(Deserialize)]
struct Line {
    id: String,
    #[serde(default)]
    topic: String,
    question: String,
    key_points: Vec<Point>,
}

#[derive(Deserialize)]
struct Point {
    text: String,
    #[serde(default = "one")]
    weight: u8,
    #[serde(default, alias = "all_of")]
    groups: Vec<Vec<String>>,
    #[serde(default)]
    alt: Vec<Other>,
    #[serde(default)]
    need: Option<usize>,
    #[serde(default)]
    about: Vec<String>,
    #[serde(default)]
    rivals: Vec<String>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    contradicts: Vec<String>,
}

/// Another way to say a point: a term, terms that mean the same, or groups of such terms.
#[derive(Deserialize)]
#[serde(untagged)]
enum Other {
    Term(String),
    Terms(Vec<String>),
    Groups(Vec<Vec<String>>),
}

impl From<Other> for Alternative {
    fn from(other: Other) -> Alternative {
        match other {
            Other::Term(term) => Alternative::Term(term),
            Other::Terms(terms) => Alternative::Groups(vec![terms]),
            Other::Groups(groups) => Alternative::Groups(groups),
        }
    }
}

fn one() -> u8 {
    1
}

/// The answers to one question.
#[derive(Deserialize)]
struct Answers {
    id: String,
    answers: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    text: String,
}

/// What the grader makes of one answer: `covered` holds 1, 0.5 or 0 a key point.
#[derive(Serialize)]
struct Prediction<'a> {
    id: &'a str,
    /// The place of the answer in its line, from 0.
    answer: usize,
    covered: Vec<Covered>,
    score: u8,
}

/// A whole number where it is one.
#[derive(Serialize)]
#[serde(untagged)]
enum Covered {
    Whole(u8),
    Half(f32),
}

impl From<PointState> for Covered {
    fn from(state: PointState) -> Covered {
        match state {
            PointState::Covered => Covered::Whole(1),
            PointState::Unclear => Covered::Half(0.5),
            PointState::Missing | PointState::Contradicted => Covered::Whole(0),
        }
    }
}

/// The questions of a rubric file, one JSON object a line.
///
/// # Errors
/// When a line cannot be read; with file and line.
pub fn rubrics(path: &Path) -> Result<Vec<Question>> {
    lines(path, |line: Line| Question {
        id: QuestionId::new(line.id),
        version: 1,
        prompt: line.question,
        exhibit: None,
        level: Level::Intermediate,
        kind: Kind::Concept,
        tracks: Vec::new(),
        topic: line.topic,
        tags: Vec::new(),
        nudge: None,
        model_answer: String::new(),
        why: None,
        framework: None,
        mistakes: Vec::new(),
        follow_ups: Vec::new(),
        hints: Vec::new(),
        references: Vec::new(),
        last_reviewed: jiff::civil::Date::default(),
        review_after_days: 0,
        status: Status::Current,
        source: None,
        licence: None,
        key_points: line.key_points.into_iter().map(key_point).collect(),
        choice: None,
        scenario: None,
        samples: Vec::new(),
    })
}

fn key_point(point: Point) -> KeyPoint {
    let Point { text, weight, groups, alt, need, about, rivals, required, contradicts } = point;
    let alt = alt.into_iter().map(Alternative::from).collect();
    KeyPoint { text, weight, all_of: groups, alt, need, about, rivals, required, contradicts }
}

/// Grades every answer of a file against the rubrics of another: one prediction a line, in the order of the answers.
///
/// # Errors
/// When a file cannot be read, or an answer belongs to no question of the rubrics; with file and line.
pub fn predict(rubric_file: &Path, answer_file: &Path, out: &mut impl std::io::Write) -> Result<()> {
    let questions = rubrics(rubric_file)?;
    let lexicon = Lexicon::of(&questions);
    let rubrics: HashMap<&str, Rubric> =
        questions.iter().map(|question| (question.id.as_str(), Rubric::of(question, &lexicon))).collect();
    let sets = lines(answer_file, |set: Answers| set)?;
    for (index, set) in sets.iter().enumerate() {
        let Some(rubric) = rubrics.get(set.id.as_str()) else {
            bail!(
                "{}:{}: there is no question {:?} in {}",
                answer_file.display(),
                index + 1,
                set.id,
                rubric_file.display()
            );
        };
        for (answer, Answer { text }) in set.answers.iter().enumerate() {
            let Grade { score, points, .. } = rubric.grade(text);
            let covered = points.iter().map(|point| point.state.into()).collect();
            serde_json::to_writer(&mut *out, &Prediction { id: &set.id, answer, covered, score })?;
            writeln!(out)?;
        }
    }
    Ok(())
}

/// Empty lines are passed over.
fn lines<T: for<'de> Deserialize<'de>, U>(path: &Path, make: impl Fn(T) -> U) -> Result<Vec<U>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            let value = serde_json::from_str(line).with_context(|| format!("{}:{}", path.display(), index + 1))?;
            Ok(make(value))
        })
        .collect()
}
