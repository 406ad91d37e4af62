//! Other people's questions on their way into a bank: bytes become text, text becomes drafts, and what is no question is
//! told with its line. Pure: files are read and written by the command line.

mod answer;
pub mod apkg;
mod cards;
mod choice;
mod coach;
pub mod decode;
mod details;
pub mod detect;
pub mod draft;
mod gift;
mod guide;
mod html;
mod labels;
mod markdown;
pub mod merge;
mod mkdocs;
mod opentdb;
#[cfg(test)]
mod properties;
mod qa;
mod red;
mod sheet;
mod similar;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;

use crate::domain::question::{ChoiceOption, Level};

pub use detect::Format;

/// What was made of one file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reading {
    pub format: Format,
    pub title: Option<String>,
    pub date: Option<String>,
    pub questions: Vec<Draft>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub guide_sections: Vec<GuideSection>,
    pub skipped: Vec<Skipped>,
    pub warnings: Vec<Warning>,
    /// The lines that are neither a question nor skipped.
    #[serde(skip)]
    pub counted: Counted,
}

/// A question as its source has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Draft {
    /// The number printed in the source, or the running number.
    pub n: usize,
    /// Where it begins, from 1. For an Anki package the number of the note.
    pub line: usize,
    pub section: Option<String>,
    pub track: Option<String>,
    pub prompt: String,
    pub level: Option<Level>,
    pub nudge: Option<String>,
    /// With its inline Markdown.
    pub answer: String,
    /// The list items of the answer as plain text.
    pub points: Vec<String>,
    pub callouts: Vec<Callout>,
    pub why: Option<String>,
    pub framework: Option<String>,
    pub example: Option<String>,
    pub mistake: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ChoiceOption>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Callout {
    pub label: String,
    pub text: String,
}

/// Prose of a guide that asks nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GuideSection {
    pub line: usize,
    pub heading: String,
    pub paragraphs: usize,
    pub bullets: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    pub line: usize,
    pub reason: &'static str,
    /// Its first 60 characters.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    pub line: Option<usize>,
    pub code: &'static str,
    pub detail: String,
}

impl Warning {
    fn new(line: usize, code: &'static str, detail: impl Into<String>) -> Warning {
        Warning { line: Some(line), code, detail: detail.into() }
    }
}

/// How many lines were read as something that is no question and no loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    pub front_matter: usize,
    pub comments: usize,
    /// Titles, section headings, rules, settings and brackets.
    pub structure: usize,
    pub guide: usize,
}

/// Why a file cannot be read, in words for the person who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// From 1.
    pub line: usize,
    pub message: String,
}

impl Trouble {
    fn new(line: usize, message: impl Into<String>) -> Trouble {
        Trouble { line, message: message.into() }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.message)
    }
}

impl std::error::Error for Trouble {}

/// Reads a file of text. An Anki package is not text: see [`apkg`].
///
/// # Errors
/// When it is no text, or of no format that can be told.
pub fn read(name: &str, bytes: &[u8], format: Option<Format>) -> Result<Reading, Trouble> {
    let decoded = decode::decode(bytes)?;
    let text = decoded.text.as_str();
    let format = match format {
        Some(format) => format,
        None => detect::detect(name, text)?,
    };
    let mut reading = match format {
        Format::Mkdocs => mkdocs::read(text),
        Format::Qa => qa::read(text),
        Format::Guide => guide::read(text),
        Format::Coach => coach::read(text),
        Format::Details => details::read(text),
        Format::Choice => choice::read(text),
        Format::AnkiText => cards::read(text)?,
        Format::Csv => table::read(text)?,
        Format::OpenTrivia => opentdb::read(text)?,
        Format::RedTrivia => red::read(text)?,
        Format::Gift => gift::read(text),
        Format::AnkiPackage => return Err(Trouble::new(1, "this is no Anki package (.apkg); try --format auto")),
    };
    for draft in &reading.questions {
        if draft.answer.trim().is_empty() {
            reading.warnings.push(Warning::new(draft.line, "empty-answer", draft.prompt.clone()));
        }
    }
    reading.warnings.sort_by_key(|warning| warning.line);
    reading.warnings.splice(0..0, decoded.warnings);
    Ok(reading)
}
