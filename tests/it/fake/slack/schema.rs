//! Requests against JSON Schemas made from Slack's own types, when they are at hand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use jsonschema::Validator;
use serde_json::Value;

use super::super::specs;

/// Compiled when first needed; `None` where there is no schema.
type Compiled = HashMap<&'static str, Option<Arc<Validator>>>;

const FOLDER: &str = "slack-sdk-schemas";

/// The methods that have a schema.
const FILES: [(&str, &str); 8] = [
    ("chat.postMessage", "ChatPostMessageArguments"),
    ("chat.postEphemeral", "ChatPostEphemeralArguments"),
    ("chat.update", "ChatUpdateArguments"),
    ("conversations.replies", "ConversationsRepliesArguments"),
    ("reactions.add", "ReactionsAddArguments"),
    ("views.open", "ViewsOpenArguments"),
    ("view", "View"),
    ("block", "AnyBlock"),
];

pub fn available() -> bool {
    specs::folder_with(&format!("{FOLDER}/View.json")).is_some()
}

/// What is wrong with a body; nothing when there is no schema. `view` and `block` check just one of these.
pub fn check(what: &str, body: &Value) -> Vec<String> {
    let Some(validator) = validator(what) else { return Vec::new() };
    let told = |error: jsonschema::ValidationError| {
        let why: String = error.to_string().chars().rev().take(300).collect();
        format!("{}: {}", error.instance_path(), why.chars().rev().collect::<String>())
    };
    validator.iter_errors(body).map(told).take(3).collect()
}

fn validator(what: &str) -> Option<Arc<Validator>> {
    static COMPILED: OnceLock<Mutex<Compiled>> = OnceLock::new();
    let (_, file) = FILES.iter().find(|(name, _)| *name == what)?;
    let mut compiled = COMPILED.get_or_init(Mutex::default).lock().expect("no panic while compiling");
    compiled.entry(file).or_insert_with(|| load(file)).clone()
}

fn load(file: &str) -> Option<Arc<Validator>> {
    let path = format!("{FOLDER}/{file}.json");
    let text = std::fs::read_to_string(specs::folder_with(&path)?.join(path)).ok()?;
    let schema: Value = serde_json::from_str(&text).expect("the schema is JSON");
    Some(Arc::new(jsonschema::validator_for(&schema).expect("the schema compiles")))
}
