//! Grades a free-text answer against the key points of a question. Pure, deterministic, linear in the length of the
//! answer.
//!
//! A key point is covered when enough of its groups of terms are met by different words of two neighbouring sentences.
//! What is denied, what stands in a bare list and what only repeats the question does not count. docs/GRADING.md has the
//! method and its measured worth.

mod guard;
mod lexicon;
mod rubric;
mod search;
pub(crate) mod text;
mod words;

use serde::{Deserialize, Serialize};

pub use self::lexicon::Lexicon;
pub use self::rubric::Rubric;
use super::copying::Copied;
use super::question::Question;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointState {
    Covered,
    /// Half said: half the weight.
    Unclear,
    Missing,
    /// The answer says the opposite.
    Contradicted,
}

/// Who decided the state of a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decider {
    #[default]
    Grader,
    /// A language model that the operator has set up.
    Judge,
    /// A member who confirmed a claim, or an organiser.
    Ruling,
}

impl Decider {
    fn is_grader(&self) -> bool {
        *self == Decider::Grader
    }
}

/// Why words of a key point do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Void {
    /// Denied in their clause: "it is not encrypted".
    Denied,
    /// Their whole sentence is said not to be true.
    Refuted,
    /// They stand in a list of words that holds no sentence together.
    Salad,
    /// They are said of a rival: of the network ACL instead of the security group.
    Rival,
}

/// Words that would have counted, and why they do not: a byte range of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voided {
    pub why: Void,
    pub span: (usize, usize),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointGrade {
    pub state: PointState,
    /// Byte ranges of the answer that counted; sorted, apart from each other, on character boundaries.
    pub spans: Vec<(usize, usize)>,
    /// The first group of `all_of` that is not met; none when the point is covered or has no groups.
    pub missing: Option<usize>,
    #[serde(default, skip_serializing_if = "Decider::is_grader")]
    pub by: Decider,
    /// Of a point that is not covered: the first words that did not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void: Option<Voided>,
}

/// What is wrong with an answer as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Guard {
    /// It says little but the words of the question.
    Echo,
    /// A list of terms and nothing said of them: no more than half of each point.
    List,
    /// Terms between the same few words again and again.
    Glued,
    /// Its words are in no order that a sentence has.
    Shuffled,
    /// The model answer of another question.
    Pasted,
    /// So long that it says everything and stresses nothing.
    TooLong { words: u32 },
}

impl Guard {
    /// Whether nothing in the answer counts.
    fn voids(&self) -> bool {
        matches!(self, Guard::Glued | Guard::Shuffled | Guard::Pasted)
    }

    /// The most that the answer is worth.
    fn ceiling(&self) -> u64 {
        match self {
            Guard::TooLong { words } => 100 * guard::LONG_WORDS / u64::from(*words).max(1),
            _ => 100,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grade {
    /// 0 to 100.
    pub score: u8,
    /// One a key point, in the order of the question.
    pub points: Vec<PointGrade>,
    /// Some key point has no authored terms, so that words in common had to do.
    pub rough: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// The answer is nearly one that somebody else wrote earlier, and counts only with what it adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied: Option<Copied>,
}

/// Grades one answer, knowing nothing of the bank but its question. For many answers of one question, keep the [`Rubric`].
pub fn grade(question: &Question, answer: &str) -> Grade {
    Rubric::of(question, &Lexicon::of([question])).grade(answer)
}

impl Grade {
    /// Counts the score again after the states of some points were changed.
    pub fn recount(&mut self, question: &Question) {
        let weights = question.key_points.iter().map(|point| (u64::from(point.weight), point.required));
        let left = self.copied.as_ref().map(|copied| copied.left(&self.points));
        self.score = score(weights, left.as_ref().unwrap_or(&self.points), self.guard.as_ref());
    }
}

/// An answer without a required point is worth no more.
const CAP_WITHOUT_REQUIRED: u64 = 59;

/// Weighted coverage in whole numbers: an unclear point is worth half, and halves of a point are rounded up. `weights`: each
/// point's weight, and whether it is required.
fn score(weights: impl Iterator<Item = (u64, bool)>, points: &[PointGrade], guard: Option<&Guard>) -> u8 {
    let (mut total, mut reached, mut cap) = (0, 0, guard.map_or(100, Guard::ceiling));
    for ((weight, required), grade) in weights.zip(points) {
        total += 2 * weight;
        reached += match grade.state {
            PointState::Covered => 2 * weight,
            PointState::Unclear => weight,
            PointState::Missing | PointState::Contradicted => 0,
        };
        if required && matches!(grade.state, PointState::Missing | PointState::Contradicted) {
            cap = cap.min(CAP_WITHOUT_REQUIRED);
        }
    }
    if total == 0 {
        return 0;
    }
    let score: u64 = (200 * reached + total) / (2 * total);
    u8::try_from(score.min(cap)).unwrap_or(100)
}

fn rank(state: PointState) -> u8 {
    match state {
        PointState::Covered => 2,
        PointState::Unclear => 1,
        PointState::Missing | PointState::Contradicted => 0,
    }
}

#[cfg(test)]
mod tests;
