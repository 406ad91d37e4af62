//! Trivia lists of Red-DiscordBot: YAML with a question as key and its accepted answers as a list.

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::sheet::{Sheet, Use};
use super::{Callout, Draft, Format, Reading, Trouble, gift, markdown};

/// How deep lists and mappings may stand in each other.
const DEPTH: usize = 32;

pub fn read(text: &str) -> Result<Reading, Trouble> {
    let mut sheet = Sheet::new(text);
    let mut list = List { sheet: &mut sheet, depth: 0, key: None, answers: Vec::new(), odd: None, section: None };
    let mut begun = false;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let line = error.marker().line().max(1);
            Trouble::new(line, format!("this is not YAML: {}", error.info()))
        })?;
        let (line, mut end) = (span.start.line().saturating_sub(1), span.end.line());
        // What ends at the beginning of a line does not stand on it.
        if span.end.col() == 0 && end > line + 1 {
            end -= 1;
        }
        match event {
            Event::DocumentStart(_) | Event::DocumentEnd | Event::StreamStart | Event::StreamEnd | Event::Nothing => {}
            _ if !begun && !matches!(event, Event::MappingStart(..)) => {
                return Err(Trouble::new(
                    line + 1,
                    "a trivia list begins with a question, a colon, and its answers below",
                ));
            }
            event => {
                begun = true;
                list.event(event, line, end)?;
            }
        }
    }
    list.close(usize::MAX);
    comments(&mut sheet);
    Ok(sheet.finish(Format::RedTrivia, "outside-question"))
}

fn comments(sheet: &mut Sheet<'_>) {
    for at in 0..sheet.lines.len() {
        let line = sheet.lines[at].trim();
        if line.starts_with('#') {
            sheet.claim(at..at + 1, Use::Comment);
        } else if matches!(line, "---" | "..." | "{}" | "}" | "{") || line.starts_with("%YAML") {
            sheet.claim(at..at + 1, Use::Structure);
        }
    }
}

struct List<'s, 'a> {
    sheet: &'s mut Sheet<'a>,
    depth: usize,
    /// The open key, its line and where it ends.
    key: Option<(String, usize, usize)>,
    answers: Vec<String>,
    /// Why the open entry is no question.
    odd: Option<&'static str>,
    section: Option<String>,
}

impl List<'_, '_> {
    fn event(&mut self, event: Event<'_>, line: usize, end: usize) -> Result<(), Trouble> {
        match event {
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                self.depth += 1;
                if self.depth > DEPTH {
                    return Err(Trouble::new(
                        line + 1,
                        format!("lists stand in each other more than {DEPTH} deep here; a trivia list has two levels"),
                    ));
                }
                if self.depth > 2 || (self.depth == 2 && matches!(event, Event::MappingStart(..))) {
                    self.odd = self.odd.or(Some("nested-entry"));
                }
                self.reach(end);
            }
            Event::MappingEnd | Event::SequenceEnd => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 1 {
                    self.close(line);
                }
            }
            Event::Alias(_) => {
                self.odd = self.odd.or(Some("yaml-alias"));
                self.reach(end);
                if self.depth == 1 && self.key.is_some() {
                    self.close(line + 1);
                } else if self.depth == 1 {
                    self.key = Some((String::new(), line, end));
                }
            }
            Event::Scalar(value, style, ..) if self.depth == 1 && self.key.is_none() => {
                self.key = Some((value.trim().to_owned(), line, end.max(line + 1)));
                let _ = style;
            }
            Event::Scalar(value, style, ..) => {
                self.reach(end.max(line + 1));
                let value = value.trim();
                let is_null = style == ScalarStyle::Plain && matches!(value, "" | "~" | "null");
                if !is_null {
                    self.answers.push(value.to_owned());
                }
                if self.depth == 1 {
                    self.close(line + 1);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn reach(&mut self, end: usize) {
        if let Some((_, _, last)) = &mut self.key {
            *last = (*last).max(end);
        }
    }

    /// Ends the open entry.
    fn close(&mut self, _line: usize) {
        let Some((key, line, end)) = self.key.take() else { return };
        let answers = std::mem::take(&mut self.answers);
        let odd = self.odd.take();
        let range = line..end.min(self.sheet.lines.len());
        match key.as_str() {
            "AUTHOR" | "DESCRIPTION" | "CONFIG" | "CATEGORY" => {
                if key == "DESCRIPTION" {
                    self.sheet.title = answers.first().map(|text| markdown::squeeze(text));
                }
                if key == "CATEGORY" {
                    self.section = answers.first().cloned();
                }
                self.sheet.claim(range, Use::Structure);
            }
            _ if odd.is_some() || key.is_empty() => {
                self.sheet.claim(range, Use::Skipped(odd.unwrap_or("no-question")));
            }
            _ => {
                let mut draft = Draft {
                    line: line + 1,
                    prompt: markdown::squeeze(&key),
                    section: self.section.clone(),
                    ..Draft::default()
                };
                draft.answer = gift::accepted(&answers);
                if answers.len() > 1 {
                    draft.callouts.push(Callout { label: "Accepted".to_owned(), text: answers.join("\n") });
                }
                self.sheet.claim(range, Use::Question);
                self.sheet.ask(None, draft);
            }
        }
    }
}
