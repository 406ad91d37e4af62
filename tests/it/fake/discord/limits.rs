//! Discord's rules for what a bot sends, where the OpenAPI document is laxer than the service.
//! Lengths count UTF-16 units or characters, whichever is more, so that both readings of "characters" are kept.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// What kind of body a route takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Nothing,
    Message,
    Edit,
    /// A message of an interaction, which may be for one person only.
    Followup,
    Callback,
    Thread,
    ThreadOrPost,
    Channel,
    Commands,
    Other,
}

/// One broken rule.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Where in the body, as a path.
    pub at: String,
    pub why: String,
    /// Whether Discord refuses the request; else it is only a rule of our own.
    pub refused: bool,
}

const EPHEMERAL: u64 = 1 << 6;
const COMPONENTS_V2: u64 = 1 << 15;

const ROW: u64 = 1;
const BUTTON: u64 = 2;
const INPUT: u64 = 4;
const SELECTS: [u64; 5] = [3, 5, 6, 7, 8];
const DISPLAY: u64 = 10;
const LABEL: u64 = 18;
const LINK_STYLE: u64 = 5;

/// Minutes after which a thread may be archived.
pub const AUTO_ARCHIVE: [u64; 4] = [60, 1440, 4320, 10_080];

const OF_MESSAGE: &str = "content embeds components allowed_mentions nonce enforce_nonce flags tts message_reference \
                          sticker_ids attachments poll";
const OF_EMBED: &str = "title type description url timestamp color footer image thumbnail author fields";
const OF_COMPONENT: &str = "type id style label custom_id url disabled emoji components component options placeholder \
                            min_values max_values min_length max_length required value description default_values \
                            channel_types";

struct Checker {
    problems: Vec<Problem>,
}

pub fn check(form: Form, body: &Value) -> Vec<Problem> {
    let mut checker = Checker { problems: Vec::new() };
    match form {
        Form::Nothing if !body.is_null() => checker.wrong("", "this request has no body"),
        Form::Nothing | Form::Other => {}
        Form::Message => {
            checker.message("", body);
            if flags(body) & EPHEMERAL != 0 {
                checker.wrong("flags", "only responses to interactions can be ephemeral");
            }
        }
        Form::Edit => checker.edit("", body),
        Form::Followup => checker.message("", body),
        Form::Callback => checker.callback(body),
        Form::Thread => checker.thread(body),
        Form::ThreadOrPost => {
            checker.thread(body);
            if !body["message"].is_null() {
                checker.message("message.", &body["message"]);
            }
        }
        Form::Channel => checker.channel(body),
        Form::Commands => checker.commands(body),
    }
    checker.problems
}

fn flags(body: &Value) -> u64 {
    body["flags"].as_u64().unwrap_or_default()
}

/// As Discord may count.
pub fn length(text: &str) -> usize {
    text.chars().count().max(text.encode_utf16().count())
}

fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of[name].as_array().map_or(&[], Vec::as_slice)
}

impl Checker {
    fn wrong(&mut self, at: impl Into<String>, why: impl Into<String>) {
        self.problems.push(Problem { at: at.into(), why: why.into(), refused: true });
    }

    fn own_rule(&mut self, at: impl Into<String>, why: impl Into<String>) {
        self.problems.push(Problem { at: at.into(), why: why.into(), refused: false });
    }

    /// The length of a text field, when it is there.
    fn text(&mut self, at: &str, of: &Value, name: &str, from: usize, to: usize) {
        if let Some(text) = of[name].as_str() {
            let length = length(text);
            if length < from || length > to {
                self.wrong(format!("{at}{name}"), format!("Must be between {from} and {to} in length, is {length}."));
            }
        }
    }

    fn required(&mut self, at: &str, of: &Value, name: &str) {
        if of[name].is_null() {
            self.wrong(format!("{at}{name}"), "This field is required");
        }
    }

    fn count(&mut self, at: String, count: usize, from: usize, to: usize) {
        if count < from || count > to {
            self.wrong(at, format!("Must be between {from} and {to} in number, is {count}."));
        }
    }

    fn fields(&mut self, at: &str, of: &Value, known: &str) {
        let strange = |object: &Map<String, Value>| {
            object.keys().filter(|key| !known.split_whitespace().any(|one| one == key.as_str())).cloned().collect()
        };
        let strange: Vec<String> = of.as_object().map(strange).unwrap_or_default();
        for key in strange {
            self.own_rule(format!("{at}{key}"), "Discord knows no such field");
        }
    }

    fn message(&mut self, at: &str, body: &Value) {
        self.body(at, body);
        if body["allowed_mentions"].is_null() {
            self.own_rule(format!("{at}allowed_mentions"), "every message says whom it may call");
        }
        if says_nothing(body) && body["poll"].is_null() && list(body, "sticker_ids").is_empty() {
            self.wrong(format!("{at}content"), "Cannot send an empty message");
        }
        match &body["nonce"] {
            Value::String(text) if length(text) > 25 => self.wrong(format!("{at}nonce"), "Must be 25 or fewer."),
            Value::Null if body["enforce_nonce"] == true => self.own_rule(format!("{at}nonce"), "there is none"),
            _ => {}
        }
    }

    fn edit(&mut self, at: &str, body: &Value) {
        self.body(at, body);
        if body["content"].is_string() && body["allowed_mentions"].is_null() {
            self.own_rule(format!("{at}allowed_mentions"), "every message says whom it may call");
        }
        let all_given = ["content", "embeds", "components"].iter().all(|name| body.get(name).is_some());
        if all_given && says_nothing(body) {
            self.wrong(format!("{at}content"), "Cannot send an empty message");
        }
    }

    /// What new and edited messages have in common.
    fn body(&mut self, at: &str, body: &Value) {
        self.fields(at, body, OF_MESSAGE);
        self.text(at, body, "content", 0, 2000);
        if let Some(text) = body["content"].as_str()
            && let Err(error) = twilight_validate::message::content(text)
        {
            self.wrong(format!("{at}content"), error.to_string());
        }
        if flags(body) & COMPONENTS_V2 != 0 {
            self.own_rule(format!("{at}flags"), "this fake does not know components of the second kind");
        }
        let allowed = &body["allowed_mentions"];
        for kind in ["users", "roles"] {
            let all = list(allowed, "parse").iter().any(|one| one == kind);
            if all && !list(allowed, kind).is_empty() {
                self.wrong(format!("{at}allowed_mentions"), format!("parse has {kind} and {kind} are listed"));
            }
        }
        self.embeds(&format!("{at}embeds"), list(body, "embeds"));
        self.rows(&format!("{at}components"), list(body, "components"));
    }

    fn embeds(&mut self, at: &str, embeds: &[Value]) {
        self.count(at.to_owned(), embeds.len(), 0, 10);
        let mut total = 0;
        for (number, embed) in embeds.iter().enumerate() {
            let here = format!("{at}[{number}].");
            self.fields(&here, embed, OF_EMBED);
            self.text(&here, embed, "title", 0, 256);
            self.text(&here, embed, "description", 0, 4096);
            self.text(&format!("{here}footer."), &embed["footer"], "text", 1, 2048);
            self.text(&format!("{here}author."), &embed["author"], "name", 1, 256);
            let fields = list(embed, "fields");
            self.count(format!("{here}fields"), fields.len(), 0, 25);
            for (number, field) in fields.iter().enumerate() {
                let here = format!("{here}fields[{number}].");
                self.required(&here, field, "name");
                self.required(&here, field, "value");
                self.text(&here, field, "name", 1, 256);
                self.text(&here, field, "value", 1, 1024);
            }
            total += embed_length(embed);
        }
        if total > 6000 {
            self.wrong(at, format!("Embed size exceeds maximum size of 6000: {total}"));
        }
        if let Ok(embeds) = embeds.iter().cloned().map(serde_json::from_value).collect::<Result<Vec<_>, _>>()
            && let Err(error) = twilight_validate::message::embeds(&embeds)
        {
            self.wrong(at, error.to_string());
        }
    }

    fn rows(&mut self, at: &str, rows: &[Value]) {
        self.count(at.to_owned(), rows.len(), 0, 5);
        let mut seen = BTreeSet::new();
        for (number, row) in rows.iter().enumerate() {
            let here = format!("{at}[{number}]");
            if row["type"] != ROW {
                self.wrong(here, "a message has rows of buttons and selects");
                continue;
            }
            let inside = list(row, "components");
            let selects = inside.iter().filter(|one| one["type"].as_u64().is_some_and(|kind| SELECTS.contains(&kind)));
            let most = if selects.count() > 0 { 1 } else { 5 };
            self.count(here.clone(), inside.len(), 1, most);
            for (number, one) in inside.iter().enumerate() {
                let here = format!("{here}.components[{number}].");
                self.fields(&here, one, OF_COMPONENT);
                self.component(&here, one);
                if let Some(id) = one["custom_id"].as_str()
                    && !seen.insert(id.to_owned())
                {
                    self.wrong(format!("{here}custom_id"), "Component custom id cannot be duplicated");
                }
            }
        }
        if let Ok(rows) = rows.iter().cloned().map(serde_json::from_value).collect::<Result<Vec<_>, _>>()
            && let Err(error) = twilight_validate::message::components(&rows, false)
        {
            self.wrong(at, error.to_string());
        }
    }

    fn component(&mut self, at: &str, one: &Value) {
        self.text(at, one, "custom_id", 1, 100);
        match one["type"].as_u64() {
            Some(BUTTON) => {
                self.text(at, one, "label", 0, 80);
                self.required(at, one, "style");
                if one["label"].is_null() && one["emoji"].is_null() {
                    self.wrong(format!("{at}label"), "A button has a label or an emoji");
                }
                let link = one["style"] == LINK_STYLE;
                self.required(at, one, if link { "url" } else { "custom_id" });
                if !one[if link { "custom_id" } else { "url" }].is_null() {
                    self.wrong(at, "A custom id and url cannot both be specified");
                }
            }
            Some(3) => {
                self.required(at, one, "custom_id");
                self.text(at, one, "placeholder", 0, 150);
                let options = list(one, "options");
                self.count(format!("{at}options"), options.len(), 1, 25);
                let mut seen = BTreeSet::new();
                for (number, option) in options.iter().enumerate() {
                    let here = format!("{at}options[{number}].");
                    self.required(&here, option, "label");
                    self.required(&here, option, "value");
                    self.text(&here, option, "label", 1, 100);
                    self.text(&here, option, "value", 1, 100);
                    self.text(&here, option, "description", 0, 100);
                    if !seen.insert(option["value"].as_str()) {
                        self.wrong(here, "The specified option value is already used");
                    }
                }
            }
            Some(kind) if SELECTS.contains(&kind) => self.required(at, one, "custom_id"),
            other => self.wrong(at, format!("{other:?} is no component of a message")),
        }
    }

    fn callback(&mut self, body: &Value) {
        let data = &body["data"];
        match body["type"].as_u64() {
            Some(4) => self.message("data.", data),
            Some(7) => self.edit("data.", data),
            Some(8) => self.choices(data),
            Some(9) => self.modal(data),
            Some(1 | 5 | 6) => {}
            other => self.wrong("type", format!("{other:?} is no type of response")),
        }
    }

    fn choices(&mut self, data: &Value) {
        let choices = list(data, "choices");
        self.count("data.choices".into(), choices.len(), 0, 25);
        if !data["choices"].is_array() {
            self.wrong("data.choices", "This field is required");
        }
        for (number, choice) in choices.iter().enumerate() {
            let here = format!("data.choices[{number}].");
            self.text(&here, choice, "name", 1, 100);
            self.text(&here, choice, "value", 1, 100);
        }
    }

    fn modal(&mut self, data: &Value) {
        self.required("data.", data, "title");
        self.required("data.", data, "custom_id");
        self.text("data.", data, "title", 1, 45);
        self.text("data.", data, "custom_id", 1, 100);
        let rows = list(data, "components");
        self.count("data.components".into(), rows.len(), 1, 5);
        let mut seen = BTreeSet::new();
        for (number, row) in rows.iter().enumerate() {
            let here = format!("data.components[{number}].");
            let (input, label) = match row["type"].as_u64() {
                Some(LABEL) => (&row["component"], row),
                Some(ROW) => {
                    self.count(format!("{here}components"), list(row, "components").len(), 1, 1);
                    (&row["components"][0], &row["components"][0])
                }
                Some(DISPLAY) => {
                    self.required(&here, row, "content");
                    self.text(&here, row, "content", 1, 4_000);
                    continue;
                }
                other => {
                    self.wrong(here, format!("{other:?} is neither a row nor a label nor a text display"));
                    continue;
                }
            };
            if input["type"] != INPUT {
                self.own_rule(here, "this fake knows forms with text inputs only");
                continue;
            }
            self.required(&here, label, "label");
            self.text(&here, label, "label", 1, 45);
            self.input(&here, input);
            if !seen.insert(input["custom_id"].as_str()) {
                self.wrong(here, "Component custom id cannot be duplicated");
            }
        }
    }

    fn input(&mut self, at: &str, input: &Value) {
        for name in ["custom_id", "style"] {
            self.required(at, input, name);
        }
        self.text(at, input, "custom_id", 1, 100);
        self.text(at, input, "placeholder", 0, 100);
        let least = input["min_length"].as_u64().unwrap_or(0);
        let most = input["max_length"].as_u64().unwrap_or(4000);
        if least > 4000 || most == 0 || most > 4000 || least > most {
            self.wrong(format!("{at}max_length"), "Must be between 1 and 4000 and not below min_length");
        }
        self.text(at, input, "value", 0, usize::try_from(most).unwrap_or(4000));
    }

    fn thread(&mut self, body: &Value) {
        self.required("", body, "name");
        self.channel(body);
    }

    fn channel(&mut self, body: &Value) {
        self.text("", body, "name", 1, 100);
        if let Some(minutes) = body["auto_archive_duration"].as_u64()
            && !AUTO_ARCHIVE.contains(&minutes)
        {
            self.wrong("auto_archive_duration", format!("Value must be one of {AUTO_ARCHIVE:?}."));
        }
        self.count("applied_tags".into(), list(body, "applied_tags").len(), 0, 5);
    }

    fn commands(&mut self, body: &Value) {
        let all = body.as_array().map_or(&[][..], Vec::as_slice);
        let of_kind = |kind: u64| all.iter().filter(move |one| one["type"].as_u64().unwrap_or(1) == kind);
        self.count("".into(), of_kind(1).count(), 0, 100);
        self.count("".into(), of_kind(2).count().max(of_kind(3).count()), 0, 15);
        let mut seen = BTreeSet::new();
        for (number, command) in all.iter().enumerate() {
            let here = format!("[{number}].");
            self.required(&here, command, "name");
            self.text(&here, command, "name", 1, 32);
            let kind = command["type"].as_u64().unwrap_or(1);
            let name = command["name"].as_str().unwrap_or_default();
            if !seen.insert((kind, name)) {
                self.wrong(format!("{here}name"), "Application command names must be unique");
            }
            if kind != 1 {
                if command["description"].as_str().is_some_and(|text| !text.is_empty()) {
                    self.wrong(format!("{here}description"), "Context menu commands cannot have description");
                }
                continue;
            }
            self.command(&here, command);
            match serde_json::from_value(super::wire::command(1, 1, command))
                .map(|whole| twilight_validate::command::command(&whole))
            {
                Ok(Ok(())) => {}
                Ok(Err(error)) => self.wrong(&here, format!("{error} ({name})")),
                Err(error) => self.own_rule(&here, format!("no command that twilight knows: {error}")),
            }
        }
    }

    /// A command, a group or an option.
    fn command(&mut self, at: &str, command: &Value) {
        self.required(at, command, "description");
        self.text(at, command, "description", 1, 100);
        self.text(at, command, "name", 1, 32);
        let name = command["name"].as_str().unwrap_or_default();
        let fits = |c: char| c == '-' || c == '_' || c == '\'' || c.is_alphanumeric();
        if !name.chars().all(fits) || name.to_lowercase() != name {
            self.wrong(format!("{at}name"), format!("{name}: Command name is invalid"));
        }
        let options = list(command, "options");
        self.count(format!("{at}options"), options.len(), 0, 25);
        let mut optional = false;
        for (number, option) in options.iter().enumerate() {
            let here = format!("{at}options[{number}].");
            let required = option["required"] == true;
            if required && optional {
                self.wrong(&here, "Required options must be placed before non-required options");
            }
            optional |= !required;
            let choices = list(option, "choices");
            self.count(format!("{here}choices"), choices.len(), 0, 25);
            if option["autocomplete"] == true && !choices.is_empty() {
                self.wrong(&here, "Autocomplete and choices cannot go together");
            }
            for (number, choice) in choices.iter().enumerate() {
                let here = format!("{here}choices[{number}].");
                self.text(&here, choice, "name", 1, 100);
                self.text(&here, choice, "value", 1, 100);
            }
            self.command(&here, option);
        }
    }
}

fn says_nothing(body: &Value) -> bool {
    body["content"].as_str().unwrap_or_default().trim().is_empty()
        && list(body, "embeds").is_empty()
        && list(body, "components").is_empty()
}

fn embed_length(embed: &Value) -> usize {
    let texts = ["/title", "/description", "/footer/text", "/author/name"];
    let own = texts.iter().filter_map(|path| embed.pointer(path)?.as_str());
    let of_fields = list(embed, "fields").iter().flat_map(|field| [field["name"].as_str(), field["value"].as_str()]);
    own.chain(of_fields.flatten()).map(length).sum()
}
