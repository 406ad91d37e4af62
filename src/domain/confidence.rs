//! How sure somebody says they are of an answer. It never changes a score; it shows them what they only believed to know.

use serde::{Deserialize, Serialize};

use super::ids::QuestionId;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    Sure,
    Fairly,
    Guess,
}

impl Confidence {
    /// The surest first.
    pub const ALL: [Confidence; 3] = [Confidence::Sure, Confidence::Fairly, Confidence::Guess];

    /// The name in forms and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::Sure => "sure",
            Confidence::Fairly => "fairly",
            Confidence::Guess => "guess",
        }
    }

    pub fn of(name: &str) -> Option<Confidence> {
        Confidence::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// An answer with less than this was wrong, whatever its author thought.
pub const RIGHT: i64 = 60;

/// What somebody was how sure of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calibration {
    /// (level, answers, their mean coverage), the surest first; levels without answers are left out.
    pub levels: Vec<(Confidence, i64, i64)>,
    /// Of what they were sure and wrong, the newest first.
    pub mistaken: Vec<Mistaken>,
}

/// A question that was answered below [`RIGHT`] by somebody who was sure, and has not been answered better since.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistaken {
    pub question: QuestionId,
    pub coverage: i64,
}
