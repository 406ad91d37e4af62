//! A question of a bank, as its author wrote it. Field by field as in docs/BANKS.md.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::QuestionId;

/// Lower-case letters, digits and single hyphens, with a letter first.
const ID: &str = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Beginner,
    Intermediate,
    Advanced,
}

impl Level {
    pub const ALL: [Level; 3] = [Level::Beginner, Level::Intermediate, Level::Advanced];

    pub fn as_str(self) -> &'static str {
        match self {
            Level::Beginner => "beginner",
            Level::Intermediate => "intermediate",
            Level::Advanced => "advanced",
        }
    }

    pub fn parse(text: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(text.trim()))
    }

    /// What a full answer is worth, in tenths: beginner 1, intermediate 1.5, advanced 2.
    pub fn factor_tenths(self) -> i64 {
        match self {
            Level::Beginner => 10,
            Level::Intermediate => 15,
            Level::Advanced => 20,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Concept,
    Compare,
    Design,
    Scenario,
    Behavioural,
}

impl Kind {
    pub const ALL: [Kind; 5] = [Kind::Concept, Kind::Compare, Kind::Design, Kind::Scenario, Kind::Behavioural];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Concept => "concept",
            Kind::Compare => "compare",
            Kind::Design => "design",
            Kind::Scenario => "scenario",
            Kind::Behavioural => "behavioural",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    #[default]
    Current,
    /// True today, announced to change.
    Watch,
    /// Asked as history.
    Legacy,
    /// Brought in or suggested, and not yet worked over by an author.
    Draft,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Current => "current",
            Status::Watch => "watch",
            Status::Legacy => "legacy",
            Status::Draft => "draft",
        }
    }
}

/// Another complete way to say a key point: a term, or groups of terms of which all are needed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Alternative {
    Term(String),
    Groups(Vec<Vec<String>>),
}

impl Alternative {
    pub fn terms(&self) -> impl Iterator<Item = &str> {
        let groups = match self {
            Alternative::Term(term) => std::slice::from_ref(term).iter().chain([].iter().flatten()),
            Alternative::Groups(groups) => [].iter().chain(groups.iter().flatten()),
        };
        groups.map(String::as_str)
    }
}

/// One idea of a model answer: the unit of grading and of feedback.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyPoint {
    pub text: String,
    /// 1 to 3; 3 = without it the answer is wrong.
    #[schemars(range(min = 1, max = 3))]
    pub weight: u8,
    /// AND of OR-groups of terms; the core group first.
    #[serde(default)]
    pub all_of: Vec<Vec<String>>,
    /// Other complete ways to say it; each alone covers the point.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alt: Vec<Alternative>,
    /// How many groups are needed; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<usize>,
    /// The subject this is said of, for A-versus-B questions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<String>,
    /// What it must not be said of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rivals: Vec<String>,
    /// An answer without a required point is worth at most 59.
    #[serde(default)]
    pub required: bool,
    /// Patterns of a misconception: `"dynamodb .. recommended"` = both within ten words of one clause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contradicts: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    pub wrong: String,
    pub right: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChoiceOption {
    pub text: String,
    #[serde(default)]
    pub correct: bool,
    pub because: String,
}

/// The multiple-choice variant: four options, one of them right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub stem: String,
    pub options: Vec<ChoiceOption>,
}

/// An answer with the coverage its author expects: one number a key point, 0, 0.5 or 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    pub text: String,
    pub covered: Vec<f64>,
}

/// What is laid on the table beside a question: a manifest, a plan, a policy, the output of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exhibit {
    /// A file name or a command, as in `deployment.yaml` or `kubectl get pods`.
    pub name: String,
    pub text: String,
}

/// A question played in stages: what happens follows from what one decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What people type after `/drill scenario`.
    pub name: String,
    pub title: String,
    /// The first one is where it begins.
    pub stages: Vec<Stage>,
    /// What the whole was about, for the end.
    pub debrief: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Unique within the scenario.
    pub id: String,
    /// What has happened now.
    pub situation: String,
    /// Something else breaks here, whatever was decided before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub injected: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhibit: Option<Exhibit>,
    /// The decision to take.
    pub ask: String,
    pub options: Vec<Turn>,
}

/// One of the decisions that are possible in a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    pub text: String,
    #[schemars(range(max = 2))]
    /// 2 = what an experienced engineer does, 1 = defensible, 0 = a wrong turn.
    pub points: u8,
    /// What comes of it, and why.
    pub then: String,
    /// The stage that follows, further down; the debrief when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What the best decision of a stage is worth.
pub const BEST_TURN: u8 = 2;

fn is_false(value: &bool) -> bool {
    !value
}

/// Advice for the preparation itself; shown by `/prep`, not graded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Card {
    #[schemars(with = "String", regex(pattern = ID))]
    pub id: QuestionId,
    pub version: u32,
    /// The question that the card answers.
    pub prompt: String,
    pub level: Level,
    pub tracks: Vec<String>,
    pub topic: String,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nudge: Option<String>,
    pub advice: String,
    /// What to do, in order.
    pub steps: Vec<String>,
    #[serde(default)]
    pub mistakes: Vec<Mistake>,
    /// Questions of the bank to try it on.
    #[serde(default)]
    pub follow_ups: Vec<String>,
    #[serde(default)]
    pub references: Vec<String>,
    #[schemars(with = "String")]
    pub last_reviewed: jiff::civil::Date,
    pub review_after_days: u32,
    #[serde(default)]
    pub status: Status,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    #[schemars(with = "String", regex(pattern = ID))]
    pub id: QuestionId,
    /// Rises when the meaning changes.
    pub version: u32,
    pub prompt: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhibit: Option<Exhibit>,
    pub level: Level,
    pub kind: Kind,
    pub tracks: Vec<String>,
    pub topic: String,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nudge: Option<String>,
    pub model_answer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub framework: Option<String>,
    #[serde(default)]
    pub mistakes: Vec<Mistake>,
    #[serde(default)]
    pub follow_ups: Vec<String>,
    #[serde(default)]
    pub hints: Vec<String>,
    #[serde(default)]
    pub references: Vec<String>,
    /// A date, `2026-11-21`.
    #[schemars(with = "String")]
    pub last_reviewed: jiff::civil::Date,
    pub review_after_days: u32,
    #[serde(default)]
    pub status: Status,
    /// Where a draft comes from: an address, a file, a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Under which licence it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    pub key_points: Vec<KeyPoint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<Scenario>,
    #[serde(default)]
    pub samples: Vec<Sample>,
}
