//! The format of a bank's file as a JSON Schema, for editors that complete and check TOML.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde_json::Value;

use super::Topic;
use crate::domain::question::{Card, Question};

/// A file of a drillbot question bank.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "drillbot question bank")]
#[expect(
    dead_code,
    reason = "only its shape is wanted; files are read question by question, so that all problems are found"
)]
struct File {
    /// What the questions of this file are about.
    topic: Option<Topic>,
    /// The questions.
    #[serde(default)]
    question: Vec<Question>,
    /// Advice for the preparation itself.
    #[serde(default)]
    card: Vec<Card>,
}

/// Draft 7, which the TOML extensions of editors know best.
pub fn schema() -> Value {
    SchemaSettings::draft07().into_generator().into_root_schema_for::<File>().to_value()
}
