//! Requests and answers against Discord's own OpenAPI document, when it is at hand.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::super::specs;

const FILE: &str = "discord-openapi.json";

/// Which part of an operation is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    Request,
    Response(u16),
}

/// `None` where the document says nothing.
type Compiled = Option<Arc<Validator>>;

struct Specification {
    document: Value,
    /// Compiled when first needed: one takes up to 43 ms.
    compiled: Mutex<HashMap<(String, Part), Compiled>>,
}

pub fn available() -> bool {
    specification().is_some()
}

/// What is wrong with a body; nothing when there is no document or it says nothing about this part.
pub fn check_body(method: &str, template: &str, part: Part, body: &Value) -> Vec<String> {
    let Some(validator) = specification().and_then(|it| it.validator(method, template, part)) else {
        return Vec::new();
    };
    validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).take(5).collect()
}

/// What is wrong with a query.
pub fn check_query(method: &str, template: &str, query: &BTreeMap<String, String>) -> Vec<String> {
    let Some(operation) = specification().and_then(|it| it.operation(method, template)) else { return Vec::new() };
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let mut wrong = Vec::new();
    for (name, text) in query {
        let Some(parameter) = parameters.iter().find(|one| one["name"] == json!(name) && one["in"] == "query") else {
            wrong.push(format!("there is no parameter {name}"));
            continue;
        };
        let value = match parameter["schema"]["type"].as_str() {
            Some("integer") => text.parse::<i64>().map_or(json!(text), |number| json!(number)),
            Some("boolean") => text.parse::<bool>().map_or(json!(text), |flag| json!(flag)),
            _ => json!(text),
        };
        let schema = specification().map(|it| it.closed(parameter["schema"].clone())).unwrap_or_default();
        if let Err(error) = jsonschema::validate(&schema, &value) {
            wrong.push(format!("{name}: {error}"));
        }
    }
    wrong
}

fn specification() -> Option<&'static Specification> {
    static LOADED: OnceLock<Option<Specification>> = OnceLock::new();
    let load = || {
        let text = std::fs::read_to_string(specs::folder_with(FILE)?.join(FILE)).ok()?;
        let document = serde_json::from_str(&text).expect("the OpenAPI document of Discord is JSON");
        Some(Specification { document, compiled: Mutex::default() })
    };
    LOADED.get_or_init(load).as_ref()
}

impl Specification {
    fn operation(&self, method: &str, template: &str) -> Option<&Value> {
        self.document["paths"].get(template)?.get(method.to_lowercase())
    }

    /// A schema that carries the components it refers to.
    fn closed(&self, schema: Value) -> Value {
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": self.document["components"], "allOf": [schema],
        })
    }

    fn validator(&self, method: &str, template: &str, part: Part) -> Option<Arc<Validator>> {
        let key = (format!("{method} {template}"), part);
        let mut compiled = self.compiled.lock().expect("no panic while compiling");
        let compile = || {
            let operation = self.operation(method, template)?;
            let schema = match part {
                Part::Request => operation.get("requestBody")?["content"]["application/json"]["schema"].clone(),
                Part::Response(status) => self.response(operation, status)?,
            };
            let validator = jsonschema::validator_for(&self.closed(schema));
            Some(Arc::new(validator.expect("a schema of the OpenAPI document compiles")))
        };
        compiled.entry(key).or_insert_with(compile).clone()
    }

    fn response(&self, operation: &Value, status: u16) -> Option<Value> {
        let all = operation.get("responses")?;
        let range = format!("{}XX", status / 100);
        let found = all.get(status.to_string()).or_else(|| all.get(range))?;
        let found = match found["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            Some(name) => &self.document["components"]["responses"][name],
            None => found,
        };
        found["content"]["application/json"].get("schema").cloned()
    }
}
