//! Reads the configuration file; every problem with its line.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;
use super::channels::{RawChannel, read_channels};
use super::settings::{Given, Kind, Plain, SECTIONS, SETTINGS, Setting, Values, check, nearest, variable};

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

pub(super) struct Source<'a> {
    name: &'a str,
    text: &'a str,
}

impl Source<'_> {
    pub fn place(&self, at: usize) -> String {
        format!("{}:{}", self.name, line_of(self.text, at))
    }
}

pub(super) fn read_file(
    name: &str,
    text: &str,
    values: &mut Values,
    channels: &mut Vec<RawChannel>,
    problems: &mut Vec<Problem>,
) {
    let source = Source { name, text };
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        problems.push(Problem { place: source.place(at), message: format!("this is no TOML: {}", error.message()) });
    }
    for (key, value) in root.get_ref() {
        let section: &str = key.get_ref();
        if section == "channels" {
            read_channels(&source, value, channels, problems);
            continue;
        }
        let below = format!("{section}.");
        if SECTIONS.iter().any(|(known, _)| known.starts_with(&below)) {
            read_parts(&source, section, value, values, problems);
            continue;
        }
        if !SECTIONS.iter().any(|(known, _)| *known == section) {
            let known = SECTIONS.iter().map(|(known, _)| *known).chain(["channels"]);
            let message = format!("there is no section [{section}].{}", nearest(section, known));
            problems.push(Problem { place: source.place(key.span().start), message });
            continue;
        }
        let DeValue::Table(table) = value.get_ref() else {
            let message = format!("{section} is a section: write [{section}] on a line of its own");
            problems.push(Problem { place: source.place(key.span().start), message });
            continue;
        };
        read_section(&source, section, table, values, problems);
    }
}

/// A section that has only sections in it: `[grading.llm]`.
fn read_parts(
    source: &Source<'_>,
    section: &str,
    value: &Spanned<DeValue<'_>>,
    values: &mut Values,
    problems: &mut Vec<Problem>,
) {
    let table = match value.get_ref() {
        DeValue::Table(table) => table.iter().collect(),
        _ => Vec::new(),
    };
    let known = || SECTIONS.iter().map(|(known, _)| *known);
    if table.is_empty() {
        let sections: Vec<String> =
            known().filter(|known| known.starts_with(section)).map(|known| format!("[{known}]")).collect();
        let message = format!("nothing stands in {section} itself: write {}", sections.join(" or "));
        problems.push(Problem { place: source.place(value.span().start), message });
    }
    for (key, value) in table {
        let part = format!("{section}.{}", key.get_ref());
        match (known().find(|known| *known == part), value.get_ref()) {
            (Some(known), DeValue::Table(table)) => read_section(source, known, table, values, problems),
            _ => {
                let message = format!("there is no section [{part}].{}", nearest(&part, known()));
                problems.push(Problem { place: source.place(key.span().start), message });
            }
        }
    }
}

pub(super) fn read_section(
    source: &Source<'_>,
    section: &str,
    table: &DeTable<'_>,
    values: &mut Values,
    problems: &mut Vec<Problem>,
) {
    for (key, value) in table {
        let place = source.place(key.span().start);
        let name: &str = key.get_ref();
        let found = SETTINGS.iter().find(|setting| {
            setting.section == section
                && (setting.key == name
                    || (setting.kind == Kind::Secret && name.strip_suffix("_file") == Some(setting.key)))
        });
        let Some(setting) = found else {
            let known = SETTINGS.iter().filter(|setting| setting.section == section).map(|setting| setting.key);
            let message = format!("[{section}] has no setting {name}.{}", nearest(name, known));
            problems.push(Problem { place, message });
            continue;
        };
        let from_file = setting.key != name;
        let given = if from_file {
            text_of(value)
                .map_err(|()| format!("{name} takes the name of a file in quotes"))
                .and_then(|path| read_secret(&path))
        } else {
            typed(setting, value).and_then(|value| {
                let secret = match (&value, setting.key) {
                    (Plain::Text(url), "url") if setting.kind == Kind::Secret => has_password(url),
                    _ => setting.kind == Kind::Secret,
                };
                if secret { Err(format!("a secret has no place here: put it into the environment as {}, or into a file of its own and name that with {}_file", variable(setting), setting.key)) } else { Ok(value) }
            })
        };
        match given {
            Ok(value) => {
                values.insert((setting.section, setting.key), Given { value, place });
            }
            Err(message) => problems.push(Problem { place, message }),
        }
    }
}

fn has_password(url: &str) -> bool {
    url.split_once("://").and_then(|(_, rest)| rest.split_once('@')).is_some_and(|(user, _)| user.contains(':'))
        || url.contains("password=")
}

pub(super) fn read_secret(path: &str) -> Result<Plain, String> {
    match std::fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => Err(format!("the file {path} is empty")),
        Ok(text) => Ok(Plain::Text(text.trim().to_owned())),
        Err(error) => Err(format!("cannot read the file {path} ({error})")),
    }
}

pub(super) fn text_of(value: &Spanned<DeValue<'_>>) -> Result<String, ()> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        _ => Err(()),
    }
}

/// The value of a setting in a TOML file, or what it takes.
fn typed(setting: &Setting, value: &Spanned<DeValue<'_>>) -> Result<Plain, String> {
    let key = setting.key;
    match (setting.kind, value.get_ref()) {
        (Kind::Text | Kind::Secret | Kind::OneOf(_), DeValue::String(text)) => {
            check(setting, Plain::Text(text.to_string()))
        }
        (Kind::Bool, DeValue::Boolean(value)) => Ok(Plain::Bool(*value)),
        (Kind::Number { .. } | Kind::AutoOrNumber { .. }, DeValue::Integer(number)) => {
            let number =
                i64::from_str_radix(number.as_str(), number.radix()).map_err(|_| format!("{key} is out of range"))?;
            check(setting, Plain::Number(number))
        }
        (Kind::List, DeValue::Array(items)) => {
            let items: Result<Vec<String>, ()> = items.iter().map(text_of).collect();
            items.map(Plain::List).map_err(|()| format!("{key} takes texts in quotes: [\"one\", \"two\"]"))
        }
        (Kind::AutoOrNumber { .. }, DeValue::String(text)) if text == "auto" => Ok(Plain::Text("auto".to_owned())),
        (Kind::Range, DeValue::Array(items)) => {
            let number = |item: &Spanned<DeValue<'_>>| match item.get_ref() {
                DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).map_err(|_| ()),
                _ => Err(()),
            };
            let items: Result<Vec<i64>, ()> = items.iter().map(number).collect();
            items
                .map(|items| Plain::List(items.iter().map(ToString::to_string).collect()))
                .map_err(|()| format!("{key} takes two numbers, without quotes: [0, 3]"))
        }
        (Kind::Text | Kind::Secret | Kind::OneOf(_), _) => Err(format!("{key} takes a text in quotes")),
        (Kind::Bool, _) => Err(format!("{key} is true or false, without quotes")),
        (Kind::Number { min, max }, _) => Err(format!("{key} takes a number from {min} to {max}")),
        (Kind::AutoOrNumber { min, max }, _) => Err(format!("{key} takes \"auto\" or a number from {min} to {max}")),
        (Kind::Range, _) => Err(format!("{key} takes two numbers: [0, 3]")),
        (Kind::List, _) => Err(format!("{key} takes a list: [\"one\", \"two\"]")),
    }
}
