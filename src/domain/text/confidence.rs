//! "How sure are you?", and what came of it.

use crate::domain::confidence::Confidence;
use crate::domain::form::{Choosable, Input, InputKind, picked};
use crate::domain::grade::{Grade, PointState};
use crate::domain::ids::QuestionId;
use crate::domain::message::{Block, Span};

/// The input's name.
pub const CONFIDENCE: &str = "confidence";

/// From this score on an answer is good: nothing is taught to who was sure of it.
const GOOD: u8 = 80;
/// Below this even who was only fairly sure has something to learn.
const POOR: u8 = 40;

fn label(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Sure => "Sure",
        Confidence::Fairly => "Fairly sure",
        Confidence::Guess => "A guess",
    }
}

fn options() -> Vec<Choosable> {
    Confidence::ALL.into_iter().map(|one| Choosable::new(one.as_str(), label(one))).collect()
}

/// The input that asks for it.
pub(super) fn input(said: Option<Confidence>) -> Input {
    Input {
        id: CONFIDENCE.into(),
        label: "How sure are you?".into(),
        value: said.map_or("", Confidence::as_str).into(),
        required: false,
        kind: InputKind::Pick { options: options(), many: false },
    }
}

/// What was given for it; or a word about what is none of the levels, which costs nothing else.
///
/// # Errors
/// The word.
pub fn read_confidence(given: &str) -> Result<Option<Confidence>, String> {
    match picked(&options(), false, given) {
        Ok(values) => Ok(values.first().and_then(|value| Confidence::of(value))),
        Err(wrong) => Err(super::not_an_option(&wrong, &options())),
    }
}

/// Below the receipt of an answer that is saved without what was typed as confidence.
pub fn saved_without(problem: &str) -> Block {
    Block::note(format!("How sure you are is not noted: {problem} Everything else is saved."))
}

/// The same above the result of a drill's question.
pub fn graded_without(problem: &str) -> Block {
    Block::note(format!("How sure you are is not noted: {problem} Your answer is graded all the same."))
}

/// What confidence and result say together, if that teaches something.
pub(super) fn lesson(said: Option<Confidence>, grade: &Grade) -> Option<Block> {
    // A rough result is no reason to tell people what they know.
    if grade.rough {
        return None;
    }
    let of = |states: &[PointState]| grade.points.iter().filter(|point| states.contains(&point.state)).count();
    let (wrong, missing) = (of(&[PointState::Contradicted]), of(&[PointState::Missing, PointState::Unclear]));
    let lacking = match (wrong, missing) {
        (0, 0) => return said.filter(|said| *said == Confidence::Guess).map(|_| Block::line(NO_GUESS)),
        (0, missing) => format!("{} missing", points(missing)),
        (wrong, 0) => format!("{} wrong", points(wrong)),
        (wrong, missing) => format!("{} wrong and {} missing", points(wrong), number(missing)),
    };
    match said? {
        Confidence::Sure if wrong > 0 || grade.score < GOOD => {
            Some(Block::line(format!("You were sure, and {lacking}.")))
        }
        Confidence::Fairly if grade.score < POOR => Some(Block::line(format!("You were fairly sure, and {lacking}."))),
        Confidence::Guess if wrong == 0 && grade.score >= GOOD => Some(Block::line(NEARLY_NO_GUESS)),
        _ => None,
    }
}

const NO_GUESS: &str = "You called it a guess, and nothing was missing: you know this.";
const NEARLY_NO_GUESS: &str = "You called it a guess, and it was a good answer: you know more of this than you think.";

/// "one point was", "three points were"
fn points(n: usize) -> String {
    if n == 1 { "one point was".to_owned() } else { format!("{} points were", number(n)) }
}

fn number(n: usize) -> String {
    const WORDS: [&str; 13] =
        ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    WORDS.get(n).map_or_else(|| n.to_string(), |word| (*word).to_owned())
}

/// A question that somebody was sure of and got wrong, for their own page.
pub struct SureAndWrong {
    pub question: QuestionId,
    /// The question in short.
    pub title: String,
    pub coverage: i64,
}

/// How right somebody is when they are how sure: (level, answers, mean coverage); and what they were sure of and wrong.
pub(super) fn calibration(levels: &[(Confidence, i64, i64)], mistaken: &[SureAndWrong]) -> Vec<Block> {
    if levels.is_empty() {
        return Vec::new();
    }
    let rows = levels.iter().map(|(said, n, mean)| vec![label(*said).to_owned(), n.to_string(), mean.to_string()]);
    let head = ["You said", "Answers", "Of 100"].map(String::from).to_vec();
    let mut blocks = vec![Block::heading("How sure, how right"), Block::Table { head, rows: rows.collect() }];
    if !mistaken.is_empty() {
        blocks.push(Block::heading("Confident but wrong"));
    }
    for one in mistaken {
        let spans = vec![
            Span::plain(format!("{} — {} of 100. Again: ", one.title, one.coverage)),
            Span::command(format!("/drill question={}", one.question)),
        ];
        blocks.push(Block::item("•", spans));
    }
    blocks
}
