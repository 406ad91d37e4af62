//! JSON as the Open Trivia DB gives it, plain or encoded, and other JSON with questions and answers in objects.

use data_encoding::{BASE64, BASE64_NOPAD};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use serde_json::value::RawValue;

use super::sheet::{Sheet, Use};
use super::{Callout, Draft, Format, Reading, Trouble, choice, html, labels, markdown};
use crate::domain::question::ChoiceOption;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Entities,
    Url,
    Base64,
}

impl Encoding {
    fn of(items: &[Value]) -> Encoding {
        let kinds = || items.iter().filter_map(|item| item.get("type")?.as_str());
        if kinds().any(|kind| matches!(kind, "bXVsdGlwbGU=" | "Ym9vbGVhbg==" | "bXVsdGlwbGU" | "Ym9vbGVhbg")) {
            return Encoding::Base64;
        }
        let texts: Vec<&str> = items.iter().filter_map(|item| item.get("question")?.as_str()).collect();
        let encoded = |text: &&str| text.contains("%20") && !text.contains(' ');
        if texts.iter().any(encoded) && texts.iter().all(|text| !text.contains(' ')) {
            Encoding::Url
        } else {
            Encoding::Entities
        }
    }

    fn decode(self, text: &str) -> Option<String> {
        match self {
            Encoding::Entities => Some(html::unescape(text)),
            Encoding::Url => percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned()),
            Encoding::Base64 => {
                let bytes = BASE64
                    .decode(text.trim().as_bytes())
                    .or_else(|_| BASE64_NOPAD.decode(text.trim().as_bytes()))
                    .ok()?;
                String::from_utf8(bytes).ok()
            }
        }
    }
}

pub fn read(text: &str) -> Result<Reading, Trouble> {
    let wrong = |error: serde_json::Error| Trouble::new(error.line().max(1), format!("this is not JSON: {error}"));
    let whole: Value = serde_json::from_str(text).map_err(wrong)?;
    let raw: Vec<&RawValue> = match &whole {
        Value::Array(_) => serde_json::from_str(text).map_err(wrong)?,
        Value::Object(fields) => {
            if let Some(code) = fields.get("response_code").and_then(Value::as_i64).filter(|code| *code != 0) {
                return Err(Trouble::new(
                    1,
                    format!("the service answered with response_code {code} instead of questions; ask it again"),
                ));
            }
            let lists: std::collections::HashMap<&str, &RawValue> = serde_json::from_str(text).map_err(|error| {
                Trouble::new(error.line().max(1), "its keys cannot be read; escapes in keys are none of this format")
            })?;
            let list = ["results", "questions", "items", "cards", "data"]
                .iter()
                .find_map(|key| lists.get(key))
                .ok_or_else(|| {
                    Trouble::new(
                        1,
                        "there is no list of questions here; it is expected under \"results\" or \"questions\"",
                    )
                })?;
            // Behind the list's own text the lines are counted from the beginning of the file.
            serde_json::from_str(list.get())
                .map_err(|_| Trouble::new(line_of(text, list.get()), "this is not a list of questions"))?
        }
        _ => return Err(Trouble::new(1, "this is JSON without a list of questions")),
    };
    let mut sheet = Sheet::new(text);
    let items: Vec<Value> = raw.iter().map(|item| serde_json::from_str(item.get()).unwrap_or(Value::Null)).collect();
    let encoding = Encoding::of(&items);
    let base = text.as_ptr() as usize;
    let mut newlines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    newlines.push(text.len());
    for (raw, item) in raw.iter().zip(&items) {
        let at = (raw.get().as_ptr() as usize).saturating_sub(base);
        let first = newlines.partition_point(|newline| *newline < at);
        let last = newlines.partition_point(|newline| *newline < at + raw.get().len());
        match draft(item, encoding, first + 1) {
            Ok(draft) => {
                sheet.claim(first..last + 1, Use::Question);
                sheet.ask(None, draft);
            }
            Err(reason) => {
                // Several items may share a line.
                let text: String = raw.get().chars().take(60).collect();
                sheet.warn(first, "skipped-item", format!("{reason}: {text}"));
                sheet.claim(first..last + 1, Use::Skipped(reason));
            }
        }
    }
    // What is left are the brackets around.
    sheet.claim(0..sheet.lines.len(), Use::Structure);
    Ok(sheet.finish(Format::OpenTrivia, "outside-question"))
}

/// The line where a part of a text begins.
fn line_of(text: &str, part: &str) -> usize {
    let at = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
    1 + text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count()
}

fn draft(item: &Value, encoding: Encoding, line: usize) -> Result<Draft, &'static str> {
    let Value::Object(fields) = item else { return Err("no-question") };
    let decode = |value: &Value| -> Result<String, &'static str> {
        match value {
            Value::String(text) => encoding.decode(text).ok_or("undecodable-text"),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(truth) => Ok(if *truth { "True".to_owned() } else { "False".to_owned() }),
            _ => Ok(String::new()),
        }
    };
    let get = |names: &[&str]| -> Result<Option<String>, &'static str> {
        let Some(value) = names.iter().find_map(|name| fields.get(*name)) else { return Ok(None) };
        Ok(Some(decode(value)?.trim().to_owned()).filter(|text| !text.is_empty()))
    };
    let many = |names: &[&str]| -> Result<Vec<String>, &'static str> {
        match names.iter().find_map(|name| fields.get(*name)) {
            Some(Value::Array(items)) => items.iter().map(decode).collect(),
            Some(one @ Value::String(_)) => Ok(vec![decode(one)?]),
            _ => Ok(Vec::new()),
        }
    };
    let known = [
        "type",
        "difficulty",
        "level",
        "category",
        "topic",
        "question",
        "prompt",
        "correct_answer",
        "answer",
        "model_answer",
        "incorrect_answers",
        "explanation",
        "tags",
        "nudge",
        "why",
        "framework",
        "options",
    ];
    let prompt = get(&["question", "prompt"])?.ok_or("no-question")?;
    let mut draft = Draft {
        line,
        prompt: markdown::squeeze(&prompt),
        level: get(&["difficulty", "level"])?.as_deref().and_then(labels::level),
        section: get(&["category", "topic"])?.map(|name| name.rsplit(": ").next().unwrap_or(&name).to_owned()),
        answer: get(&["correct_answer", "answer", "model_answer"])?.unwrap_or_default(),
        nudge: get(&["nudge"])?,
        why: get(&["why"])?,
        framework: get(&["framework"])?,
        tags: many(&["tags"])?,
        ..Draft::default()
    };
    let wrong = many(&["incorrect_answers"])?;
    let listed = many(&["options"])?;
    let option = |text: &str, correct| ChoiceOption { text: text.to_owned(), correct, because: String::new() };
    if !wrong.is_empty() {
        if draft.answer.is_empty() {
            draft.options = wrong.iter().map(|text| option(text, false)).collect();
        } else {
            draft.options = std::iter::once(option(&draft.answer, true))
                .chain(wrong.iter().map(|text| option(text, false)))
                .collect();
        }
        draft.answer = choice::right_text(&draft.options);
    } else if listed.iter().any(|text| !text.is_empty()) {
        draft.options = listed.iter().map(|text| option(text, *text == draft.answer)).collect();
    }
    if let Some(explanation) = get(&["explanation"])? {
        draft.answer = [draft.answer.as_str(), &explanation].join("\n\n").trim().to_owned();
    }
    draft.points = markdown::items(&draft.answer);
    for (name, value) in fields.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
        let text = match value {
            Value::String(_) => decode(value)?,
            Value::Null => continue,
            other => other.to_string(),
        };
        draft.callouts.push(Callout { label: name.clone(), text });
    }
    Ok(draft)
}
