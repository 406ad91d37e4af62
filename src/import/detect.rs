//! Which format a text has: by what it contains first, by the name of its file where that says more.

use serde::{Serialize, Serializer};

use super::labels::{self, Label};
use super::sheet::Sheet;
use super::{Trouble, choice, gift, markdown, mkdocs, qa};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Mkdocs,
    Qa,
    Guide,
    Coach,
    Details,
    Choice,
    AnkiText,
    AnkiPackage,
    Csv,
    OpenTrivia,
    RedTrivia,
    Gift,
}

impl Format {
    pub const ALL: [Format; 12] = [
        Format::Mkdocs,
        Format::Qa,
        Format::Guide,
        Format::Coach,
        Format::Details,
        Format::Choice,
        Format::AnkiText,
        Format::AnkiPackage,
        Format::Csv,
        Format::OpenTrivia,
        Format::RedTrivia,
        Format::Gift,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Format::Mkdocs => "mkdocs-admonition",
            Format::Qa => "qa-letter",
            Format::Guide => "guide-headings",
            Format::Coach => "coach-fields",
            Format::Details => "html-details",
            Format::Choice => "markdown-choice",
            Format::AnkiText => "anki-text",
            Format::AnkiPackage => "anki-package",
            Format::Csv => "csv",
            Format::OpenTrivia => "open-trivia-db",
            Format::RedTrivia => "red-trivia",
            Format::Gift => "gift",
        }
    }

    /// The whole name or its first part; `tsv`, `apkg`, `opentdb` and `anki` are understood too.
    pub fn parse(text: &str) -> Option<Format> {
        let text = text.trim().to_lowercase();
        match text.as_str() {
            "tsv" => Some(Format::Csv),
            "apkg" | "colpkg" => Some(Format::AnkiPackage),
            "anki" => Some(Format::AnkiText),
            "opentdb" | "json" => Some(Format::OpenTrivia),
            "multiple-choice" => Some(Format::Choice),
            _ => Format::ALL.into_iter().find(|format| {
                format.as_str() == text
                    || format.as_str().split('-').any(|part| part == text && part != "html" && part != "text")
            }),
        }
    }
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// # Errors
/// When it looks like none of them.
pub fn detect(name: &str, text: &str) -> Result<Format, Trouble> {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    let by_name = match extension.as_str() {
        "json" => Some(Format::OpenTrivia),
        "yaml" | "yml" => Some(Format::RedTrivia),
        "gift" => Some(Format::Gift),
        "csv" | "tsv" | "tab" => Some(Format::Csv),
        _ => None,
    };
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let setting = first.strip_prefix('#').and_then(|line| line.split_once(':')).map(|(key, _)| key.trim());
    if setting.is_some_and(|key| {
        ["separator", "html", "columns", "deck", "notetype", "tags"].contains(&key) || key.ends_with(" column")
    }) {
        return Ok(Format::AnkiText);
    }
    if let Some(format) = by_name {
        return Ok(format);
    }
    let start = first.trim_start();
    if start.starts_with('{') || start.starts_with("[{") || start == "[" {
        return Ok(Format::OpenTrivia);
    }
    by_content(text).ok_or_else(|| {
        let names = Format::ALL.map(Format::as_str).join(", ");
        Trouble::new(1, format!("no format is recognised here; name one with --format: {names}"))
    })
}

fn by_content(text: &str) -> Option<Format> {
    let sheet = Sheet::markdown(text);
    let lines: Vec<&str> = (0..sheet.lines.len())
        .filter(|at| sheet.is_free(*at) && !sheet.code[*at] && !sheet.is_blank(*at))
        .map(|at| sheet.lines[at])
        .collect();
    let count = |is: &dyn Fn(&str) -> bool| lines.iter().filter(|line| is(line)).count();
    if count(&|line| mkdocs::opening(line).is_some_and(|(_, kind, _)| mkdocs::is_question(kind))) > 0 {
        return Some(Format::Mkdocs);
    }
    if gift::looks_like(text) {
        return Some(Format::Gift);
    }
    let asked = count(&|line| qa::asks(line).is_some());
    let fields = count(&|line| {
        matches!(labels::label(line), Some((Label::Why | Label::Framework | Label::Mistake | Label::Example, ..)))
    });
    let folded = count(&|line| line.to_ascii_lowercase().contains("<summary"));
    if asked > 0 && fields >= 2 && folded == 0 {
        return Some(Format::Coach);
    }
    let boxes_in_folds = folded > 0 && !lines.iter().any(|line| choice_answer_fold(line));
    if !boxes_in_folds && choice::count(text) > 0 {
        return Some(Format::Choice);
    }
    if folded > 0 {
        return Some(Format::Details);
    }
    if asked > 0 {
        return Some(Format::Qa);
    }
    let tabbed = count(&|line| line.contains('\t') && !line.starts_with('\t'));
    if tabbed > 0 && tabbed * 10 >= lines.len() * 8 {
        return Some(if super::table::has_header(lines[0]) { Format::Csv } else { Format::AnkiText });
    }
    if super::table::has_header(lines.first()?) {
        return Some(Format::Csv);
    }
    let yaml = count(&|line| line.ends_with(':') && !line.starts_with([' ', '-', '#']));
    let entries = count(&|line| line.trim_start().starts_with("- "));
    if yaml > 0
        && yaml + entries
            == lines.len() - count(&|line| line.starts_with("AUTHOR:") || line.starts_with("DESCRIPTION:"))
    {
        return Some(Format::RedTrivia);
    }
    let asks = count(&|line| {
        let line = markdown::heading(line).map_or(line, |(_, text)| text).trim().trim_matches('*');
        line.ends_with('?') || line.ends_with("?+")
    });
    let headed = lines.iter().any(|line| super::guide::region(line).is_some());
    (asks > 0 || headed).then_some(Format::Guide)
}

/// `<summary>Answer</summary>` folds only the answer of a question with options.
fn choice_answer_fold(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    let Some(at) = lower.find("<summary") else { return false };
    let text = super::html::in_markdown(&line[at..]);
    let text = text.trim().trim_matches(['*', ' ']).to_lowercase();
    let text = text.strip_prefix("show ").or_else(|| text.strip_prefix("view ")).unwrap_or(&text);
    labels::named(text).is_some()
}
