//! `??? question "Title"` admonitions of Material for MkDocs.

use super::sheet::{Sheet, Use, claim_headings};
use super::{Draft, Format, Reading, Warning, answer, markdown};

/// A line that opens an admonition: its indentation, its type and what follows.
pub fn opening(line: &str) -> Option<(usize, &str, &str)> {
    let text = line.trim_start();
    let rest = ["???+", "???", "!!!"].iter().find_map(|mark| text.strip_prefix(mark))?;
    let rest = rest.strip_prefix([' ', '\t'])?.trim();
    let end = rest.find([' ', '\t', '"']).unwrap_or(rest.len());
    Some((markdown::indent(line), &rest[..end], rest[end..].trim()))
}

pub fn is_question(kind: &str) -> bool {
    matches!(kind.to_lowercase().as_str(), "question" | "help" | "faq")
}

pub fn read(text: &str) -> Reading {
    let mut sheet = Sheet::markdown(text);
    let mut headings = Vec::new();
    let mut asked = Vec::new();
    let mut at = 0;
    while at < sheet.lines.len() {
        let line = sheet.lines[at];
        if !sheet.is_free(at) || sheet.code[at] {
            at += 1;
            continue;
        }
        if let Some((indent, kind, rest)) = opening(line) {
            let end = end_of(&sheet, at, indent);
            if is_question(kind) {
                question(&mut sheet, at, end, indent, rest, headings.last().map(|(_, _, text)| *text));
                asked.push(at);
            } else {
                sheet.claim(at..end, Use::Skipped("other-admonition"));
            }
            at = end;
            continue;
        }
        if let Some((level, text)) = markdown::heading(line) {
            if level == 1 && sheet.title.is_none() {
                sheet.title = Some(markdown::plain(text));
                sheet.claim(at..at + 1, Use::Structure);
            } else if level == 1 && headings.is_empty() {
                sheet.claim(at..at + 1, Use::Structure);
            } else {
                headings.push((at, level, text));
            }
        } else if markdown::is_rule(line) {
            sheet.claim(at..at + 1, Use::Structure);
        }
        at += 1;
    }
    let places: Vec<(usize, usize)> = headings.iter().map(|(at, level, _)| (*at, *level)).collect();
    claim_headings(&mut sheet, &places, &asked);
    sheet.finish(Format::Mkdocs, "outside-question")
}

/// The first line that is not part of the admonition any more.
fn end_of(sheet: &Sheet<'_>, at: usize, indent: usize) -> usize {
    let mut end = at + 1;
    for (next, line) in sheet.lines.iter().enumerate().skip(at + 1) {
        if line.trim().is_empty() {
            continue;
        }
        if markdown::indent(line) < indent + 4 {
            break;
        }
        end = next + 1;
    }
    end
}

fn question(sheet: &mut Sheet<'_>, at: usize, end: usize, indent: usize, rest: &str, section: Option<&str>) {
    let title = match rest.strip_prefix('"') {
        Some(quoted) => match quoted.strip_suffix('"') {
            Some(title) => title,
            None => {
                sheet.warn(at, "unclosed-title", rest);
                quoted
            }
        },
        None => rest,
    };
    let (printed, prompt) = match markdown::numbered(title) {
        Some((n, text)) => (Some(n), text),
        None => (None, title.trim()),
    };
    if prompt.is_empty() {
        sheet.claim(at..end, Use::Skipped("no-question"));
        return;
    }
    let mut draft =
        Draft { line: at + 1, section: section.map(markdown::plain), prompt: prompt.to_owned(), ..Draft::default() };
    sheet.claim(at..at + 1, Use::Question);
    let body: Vec<&str> = sheet.take(at + 1..end).into_iter().map(|line| markdown::dedent(line, indent + 4)).collect();
    answer::read_body(&body, &mut draft);
    if draft.level.is_none() {
        sheet.warnings.push(Warning::new(at + 1, "no-level", draft.prompt.clone()));
    }
    sheet.ask(printed, draft);
}
