//! Slack's limits on messages and views. Source: docs.slack.dev/reference/block-kit.

use std::collections::BTreeSet;

use serde_json::Value;

use super::dates;

/// One limit that a body breaks.
#[derive(Debug)]
pub struct Problem {
    pub at: String,
    pub why: String,
    /// Whether Slack refuses it; the rest is manners.
    pub refused: bool,
}

/// The characters of all texts of a message together, about.
const WHOLE_MESSAGE: usize = 13_000;
/// Where Slack cuts the text at the top.
const TOP_TEXT: usize = 40_000;

#[derive(Default)]
struct Checked {
    problems: Vec<Problem>,
    block_ids: BTreeSet<String>,
    has_input: bool,
    /// Characters of all texts.
    written: usize,
}

/// What is wrong with a message. An update may leave out blocks, not the text.
pub fn message(body: &Value) -> Vec<Problem> {
    let mut checked = Checked::default();
    let blocks = body.get("blocks").filter(|blocks| !blocks.is_null());
    if let Some(blocks) = blocks {
        checked.blocks(blocks, 50);
    }
    match body["text"].as_str() {
        Some(text) if !text.trim().is_empty() => {
            let length = text.chars().count();
            if length > TOP_TEXT {
                checked.refuse("text", format!("has {length} characters, at most {TOP_TEXT}"));
            }
            if blocks.is_none() {
                checked.written += length;
            }
        }
        _ => checked.note("text", "is missing: screen readers and notifications need it".into()),
    }
    if checked.written > WHOLE_MESSAGE {
        let written = checked.written;
        checked.refuse("blocks", format!("the message has {written} characters, at most {WHOLE_MESSAGE}"));
    }
    if body.get("attachments").is_some_and(|it| !it.is_null()) {
        checked.note("attachments", "are legacy, use blocks".into());
    }
    checked.metadata(&body["metadata"]);
    checked.problems
}

/// What a posted message has to say on top of its content.
pub fn manners(body: &Value) -> Vec<Problem> {
    let mut checked = Checked::default();
    for name in ["unfurl_links", "unfurl_media"] {
        if !matches!(body[name].as_str(), Some("false" | "0")) && body[name] != false {
            checked.note(name, "is not false".into());
        }
    }
    for name in ["link_names", "as_user"] {
        if !matches!(body[name], Value::Null | Value::Bool(false)) {
            checked.note(name, "is set".into());
        }
    }
    if matches!(body["parse"].as_str(), Some("full")) {
        checked.note("parse", "is full: words of members would become mentions".into());
    }
    checked.problems
}

/// What is wrong with a modal or a Home.
pub fn view(view: &Value) -> Vec<Problem> {
    let mut checked = Checked::default();
    checked.blocks(&view["blocks"], 100);
    checked.short(view, "private_metadata", 3000);
    checked.short(view, "callback_id", 255);
    checked.short(view, "external_id", 255);
    match view["type"].as_str() {
        Some("modal") => {
            checked.plain(&view["title"], "title", 24, true);
            checked.plain(&view["submit"], "submit", 24, false);
            checked.plain(&view["close"], "close", 24, false);
            if checked.has_input && view["submit"].is_null() {
                checked.refuse("submit", "is missing although there are inputs".into());
            }
        }
        Some("home") => {
            for name in ["title", "submit", "close", "notify_on_close", "clear_on_close"] {
                if !view[name].is_null() {
                    checked.refuse(name, "is not a thing of a Home".into());
                }
            }
        }
        other => checked.refuse("type", format!("{other:?} is neither modal nor home")),
    }
    checked.problems
}

/// What is wrong with an answer to `block_suggestion`.
pub fn suggestions(body: &Value) -> Vec<Problem> {
    let mut checked = Checked::default();
    match body["options"].as_array() {
        // Nothing found is an answer too.
        Some(none) if none.is_empty() => {}
        Some(_) => checked.options("options", &body["options"], 100),
        None => checked.refuse("options", "are missing".into()),
    }
    checked.problems
}

impl Checked {
    fn refuse(&mut self, at: &str, why: String) {
        self.problems.push(Problem { at: at.to_owned(), why, refused: true });
    }

    fn note(&mut self, at: &str, why: String) {
        self.problems.push(Problem { at: at.to_owned(), why, refused: false });
    }

    fn metadata(&mut self, it: &Value) {
        if it.is_null() || *it == serde_json::json!({}) {
            return;
        }
        if it["event_type"].as_str().is_none_or(str::is_empty) || !it["event_payload"].is_object() {
            self.refuse("metadata", "needs event_type and event_payload".into());
        }
        let nested = it["event_payload"].as_object().is_some_and(|all| all.values().any(|one| !one.is_string()));
        if nested {
            self.note("metadata", "slack-morphism reads only strings in event_payload".into());
        }
        if it.to_string().len() > 16_000 {
            self.refuse("metadata", "is too large".into());
        }
    }

    fn blocks(&mut self, blocks: &Value, most: usize) {
        let Some(all) = blocks.as_array() else { return self.refuse("blocks", "is no list".into()) };
        if all.len() > most {
            self.refuse("blocks", format!("are {}, at most {most}", all.len()));
        }
        for (index, block) in all.iter().enumerate() {
            self.block(&format!("blocks[{index}]"), block);
        }
    }

    fn block(&mut self, at: &str, it: &Value) {
        if let Some(id) = it["block_id"].as_str() {
            if id.chars().count() > 255 {
                self.refuse(at, "block_id has more than 255 characters".into());
            }
            if !self.block_ids.insert(id.to_owned()) {
                self.refuse(at, format!("block_id {id} is there twice"));
            }
        }
        let mut elements: Vec<&Value> = Vec::new();
        match it["type"].as_str().unwrap_or_default() {
            "section" => {
                let fields = it["fields"].as_array().map_or(&[][..], Vec::as_slice);
                if it["text"].is_null() && fields.is_empty() {
                    self.refuse(at, "has neither text nor fields".into());
                }
                self.text(&it["text"], &format!("{at}.text"), 3000, false);
                if fields.len() > 10 {
                    self.refuse(at, format!("has {} fields, at most 10", fields.len()));
                }
                for field in fields {
                    self.text(field, &format!("{at}.fields"), 2000, true);
                }
                elements.extend(it.get("accessory"));
            }
            "header" => self.plain(&it["text"], &format!("{at}.text"), 150, true),
            "divider" => {}
            "context" => {
                let inside = it["elements"].as_array().map_or(&[][..], Vec::as_slice);
                if inside.is_empty() || inside.len() > 10 {
                    self.refuse(at, format!("has {} elements, 1 to 10 go in", inside.len()));
                }
                for one in inside {
                    if one["type"] != "image" {
                        self.text(one, &format!("{at}.elements"), 2000, true);
                    }
                }
            }
            "actions" => {
                let inside = it["elements"].as_array().map_or(&[][..], Vec::as_slice);
                if inside.is_empty() || inside.len() > 25 {
                    self.refuse(at, format!("has {} elements, 1 to 25 go in", inside.len()));
                }
                elements.extend(inside);
            }
            "input" => {
                self.has_input = true;
                self.plain(&it["label"], &format!("{at}.label"), 2000, true);
                self.plain(&it["hint"], &format!("{at}.hint"), 2000, false);
                if it["element"].is_null() {
                    self.refuse(at, "has no element".into());
                }
                elements.extend(it.get("element"));
            }
            "rich_text" => self.rich(at, &it["elements"]),
            "image" => {
                if it["alt_text"].as_str().is_none_or(str::is_empty) {
                    self.refuse(at, "has no alt_text".into());
                }
            }
            other => self.refuse(at, format!("{other:?} is no block the fake knows")),
        }
        let mut actions = BTreeSet::new();
        for element in elements {
            if let Some(id) = element["action_id"].as_str() {
                if id.is_empty() || id.chars().count() > 255 {
                    self.refuse(at, "action_id has to have 1 to 255 characters".into());
                }
                if !actions.insert(id) {
                    self.refuse(at, format!("action_id {id} is there twice"));
                }
            }
            self.element(at, element);
        }
    }

    fn element(&mut self, at: &str, it: &Value) {
        let kind = it["type"].as_str().unwrap_or_default();
        let needs_id = !matches!(kind, "image");
        if needs_id && it["action_id"].as_str().is_none() {
            self.note(at, format!("a {kind} without action_id"));
        }
        self.plain(&it["placeholder"], &format!("{at}.placeholder"), 150, false);
        let confirm = &it["confirm"];
        if !confirm.is_null() {
            self.plain(&confirm["title"], &format!("{at}.confirm.title"), 100, true);
            self.text(&confirm["text"], &format!("{at}.confirm.text"), 300, true);
            self.plain(&confirm["confirm"], &format!("{at}.confirm.confirm"), 30, true);
            self.plain(&confirm["deny"], &format!("{at}.confirm.deny"), 30, true);
        }
        match kind {
            "button" => {
                self.plain(&it["text"], &format!("{at}.button"), 75, true);
                self.short(it, "value", 2000);
                self.short(it, "url", 3000);
                self.short(it, "accessibility_label", 75);
                if !matches!(it["style"].as_str(), None | Some("primary" | "danger")) {
                    self.refuse(at, format!("style {}", it["style"]));
                }
            }
            "static_select" | "multi_static_select" => {
                let groups = it["option_groups"].as_array().map_or(&[][..], Vec::as_slice);
                if groups.len() > 100 {
                    self.refuse(at, "more than 100 option_groups".into());
                }
                for group in groups {
                    self.plain(&group["label"], &format!("{at}.option_groups"), 75, true);
                    self.options(at, &group["options"], 100);
                }
                if groups.is_empty() {
                    self.options(at, &it["options"], 100);
                }
            }
            "external_select" => {
                if let Some(option) = it.get("initial_option") {
                    self.options(at, &Value::Array(vec![option.clone()]), 1);
                }
            }
            "radio_buttons" | "checkboxes" => self.options(at, &it["options"], 10),
            "overflow" => self.options(at, &it["options"], 5),
            "plain_text_input" => {
                let most = it["max_length"].as_u64().unwrap_or(3000);
                if most == 0 || most > 3000 {
                    self.refuse(at, format!("max_length {most}"));
                }
                if it["min_length"].as_u64().is_some_and(|least| least > most) {
                    self.refuse(at, "min_length is above max_length".into());
                }
                let first = it["initial_value"].as_str().unwrap_or_default().chars().count();
                if u64::try_from(first).unwrap_or(u64::MAX) > most {
                    self.refuse(at, format!("initial_value has {first} characters, at most {most}"));
                }
            }
            "image" => {}
            "conversations_select"
            | "channels_select"
            | "users_select"
            | "timepicker"
            | "datepicker"
            | "number_input"
            | "url_text_input" => {}
            other => self.refuse(at, format!("{other:?} is no element the fake knows")),
        }
        let initial =
            it.get("initial_option").into_iter().chain(it["initial_options"].as_array().into_iter().flatten());
        for one in initial.filter(|one| !one.is_null() && kind != "external_select") {
            let groups = it["option_groups"].as_array().into_iter().flatten();
            let grouped = groups.flat_map(|group| group["options"].as_array().into_iter().flatten());
            if !it["options"].as_array().into_iter().flatten().chain(grouped).any(|option| option == one) {
                self.refuse(at, "an initial option is none of the options".into());
            }
        }
    }

    fn options(&mut self, at: &str, options: &Value, most: usize) {
        let all = options.as_array().map_or(&[][..], Vec::as_slice);
        if all.is_empty() || all.len() > most {
            self.refuse(at, format!("has {} options, 1 to {most} go in", all.len()));
        }
        let mut values = BTreeSet::new();
        for one in all {
            self.text(&one["text"], &format!("{at}.options"), 75, true);
            self.plain(&one["description"], &format!("{at}.options"), 75, false);
            let value = one["value"].as_str().unwrap_or_default();
            if value.is_empty() || value.chars().count() > 150 {
                self.refuse(at, format!("the value {value:?} of an option has to have 1 to 150 characters"));
            }
            if !values.insert(value) {
                self.note(at, format!("the value {value:?} is there twice"));
            }
        }
    }

    fn plain(&mut self, it: &Value, at: &str, most: usize, needed: bool) {
        if !it.is_null() && it["type"] != "plain_text" {
            self.refuse(at, "has to be plain_text".into());
        }
        self.text(it, at, most, needed);
    }

    fn text(&mut self, it: &Value, at: &str, most: usize, needed: bool) {
        if it.is_null() {
            if needed {
                self.refuse(at, "is missing".into());
            }
            return;
        }
        if !matches!(it["type"].as_str(), Some("plain_text" | "mrkdwn")) {
            self.refuse(at, format!("{} is no kind of text", it["type"]));
        }
        let length = it["text"].as_str().unwrap_or_default().chars().count();
        self.written += length;
        if length == 0 || length > most {
            self.refuse(at, format!("has {length} characters, 1 to {most} go in"));
        }
    }

    fn short(&mut self, it: &Value, name: &str, most: usize) {
        let length = it[name].as_str().unwrap_or_default().chars().count();
        if length > most {
            self.refuse(name, format!("has {length} characters, at most {most}"));
        }
    }

    /// The parts of a `rich_text` block, the items of its lists, and their elements.
    fn rich(&mut self, at: &str, elements: &Value) {
        let all = elements.as_array().map_or(&[][..], Vec::as_slice);
        if all.is_empty() {
            self.refuse(at, "has no elements".into());
        }
        for one in all {
            match one["type"].as_str().unwrap_or_default() {
                "rich_text_section" | "rich_text_list" | "rich_text_quote" | "rich_text_preformatted" => {
                    self.rich(at, &one["elements"]);
                }
                "text" | "link" | "emoji" | "user" | "usergroup" | "channel" | "broadcast" | "color" => {
                    let text = one["text"].as_str();
                    self.written += text.map_or(0, |text| text.chars().count());
                    if (one["type"] == "text" && text.is_none()) || text.is_some_and(str::is_empty) {
                        self.refuse(at, format!("an empty {}", one["type"]));
                    }
                }
                "date" => {
                    if !one["timestamp"].is_i64() {
                        self.refuse(at, format!("a date at {}", one["timestamp"]));
                    }
                    if let Some(why) = dates::wrong(one["format"].as_str().unwrap_or_default()) {
                        self.refuse(at, why);
                    }
                    if one["fallback"].as_str().is_none_or(str::is_empty) {
                        self.note(at, "a date without a fallback".into());
                    }
                }
                other => self.refuse(at, format!("{other:?} is no element of rich text")),
            }
        }
    }
}
