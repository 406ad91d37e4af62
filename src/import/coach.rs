//! Coaching pages: a question with labelled fields below it.

use super::labels::{self, Label};
use super::sheet::{Sheet, Use};
use super::{Draft, Format, Reading, answer, markdown, qa};

pub fn read(text: &str) -> Reading {
    let mut sheet = Sheet::markdown(text);
    let asked: Vec<usize> = (0..sheet.lines.len())
        .filter(|at| sheet.is_free(*at) && !sheet.code[*at] && is_question(sheet.lines[*at]))
        .collect();
    let first = asked.first().copied().unwrap_or(sheet.lines.len());
    let mut section = head(&mut sheet, 0, first, None);
    if sheet.title.is_none() {
        sheet.title.clone_from(&section);
    }
    for (index, at) in asked.iter().enumerate() {
        let next = asked.get(index + 1).copied().unwrap_or(sheet.lines.len());
        // Before the next question there may be a heading with an introduction.
        let stop = (at + 1..next).find(|at| sheet.is_free(*at) && !sheet.code[*at] && is_heading(&sheet, *at));
        question(&mut sheet, *at, stop.unwrap_or(next), section.clone());
        if let Some(stop) = stop {
            section = head(&mut sheet, stop, next, section);
        }
    }
    sheet.finish(Format::Coach, "intro")
}

fn is_question(line: &str) -> bool {
    qa::asks(line).is_some()
}

/// `3) Technical questions`, `## Technical questions`; a numbered line in a field that is written as a list is none.
fn is_heading(sheet: &Sheet<'_>, at: usize) -> bool {
    let line = sheet.lines[at];
    if markdown::heading(line).is_some_and(|(_, text)| labels::label(text).is_none()) {
        return true;
    }
    let Some((n, text)) = markdown::numbered(line) else { return false };
    let list = at > 0 && markdown::numbered(sheet.lines[at - 1]).is_some_and(|(before, _)| before + 1 == n)
        || sheet.lines.get(at + 1).and_then(|next| markdown::numbered(next)).is_some_and(|(after, _)| after == n + 1);
    !list
        && line.starts_with(|c: char| c.is_ascii_digit())
        && text.starts_with(char::is_uppercase)
        && !text.ends_with('.')
}

/// The lines before a question: headings, and the introduction. Gives the section that the last heading names.
fn head(sheet: &mut Sheet<'_>, begin: usize, end: usize, section: Option<String>) -> Option<String> {
    let mut section = section;
    for at in begin..end {
        if sheet.is_blank(at) || !sheet.is_free(at) {
            continue;
        }
        let line = sheet.lines[at].trim();
        if markdown::is_rule(line) {
            sheet.claim(at..at + 1, Use::Structure);
        } else if is_heading(sheet, at) || section.is_none() && at == begin && !line.ends_with('.') {
            let text = markdown::heading(line).map_or(line, |(_, text)| text);
            section = Some(markdown::plain(markdown::numbered(text).map_or(text, |(_, text)| text)));
            sheet.claim(at..at + 1, Use::Skipped("heading"));
        } else {
            sheet.claim(at..at + 1, Use::Skipped("intro"));
        }
    }
    section
}

fn question(sheet: &mut Sheet<'_>, at: usize, end: usize, section: Option<String>) {
    let (printed, text) = qa::asks(sheet.lines[at]).unwrap_or((None, sheet.lines[at]));
    let mut current = Label::Question;
    let mut fields: Vec<(Label, Vec<&str>)> = vec![(Label::Question, vec![text])];
    let mut last = end;
    while last > at + 1 && (sheet.is_blank(last - 1) || markdown::is_rule(sheet.lines[last - 1])) {
        sheet.claim(last - 1..last, Use::Structure);
        last -= 1;
    }
    sheet.claim(at..at + 1, Use::Question);
    for next in at + 1..last {
        if !sheet.is_free(next) {
            continue;
        }
        let line = sheet.lines[next];
        sheet.claim(next..next + 1, Use::Question);
        match labels::label(markdown::bullet(line).filter(|_| !sheet.code[next]).unwrap_or(line)) {
            Some((label, _, value)) if !sheet.code[next] && label != Label::Question => {
                current = label;
                // A label that is there twice continues its field.
                match fields.iter_mut().find(|(known, _)| *known == label) {
                    Some((_, lines)) => lines.push(value),
                    None => fields.push((label, vec![value])),
                }
            }
            _ => {
                if let Some((_, lines)) = fields.iter_mut().find(|(known, _)| *known == current) {
                    lines.push(line);
                }
            }
        }
    }
    let mut get = |label: Label| {
        let at = fields.iter().position(|(known, _)| *known == label)?;
        Some(joined(&fields.swap_remove(at).1)).filter(|text| !text.is_empty())
    };
    let mut draft = Draft { line: at + 1, section, ..Draft::default() };
    draft.prompt = get(Label::Question).unwrap_or_default();
    draft.why = get(Label::Why);
    draft.framework = get(Label::Framework).map(|text| labels::unquoted(&text));
    let plain_answer = get(Label::Answer);
    draft.example = get(Label::Example).or(plain_answer.clone()).map(|text| labels::unquoted(&text));
    draft.mistake = get(Label::Mistake).map(|text| labels::unquoted(&text));
    if let Some(text) = get(Label::Level) {
        draft.level = labels::level(&text);
        if draft.level.is_none() {
            draft.callouts.push(super::Callout { label: "Level".to_owned(), text });
        }
    }
    draft.nudge = get(Label::Nudge);
    draft.answer = draft.example.clone().unwrap_or_default();
    draft.points = markdown::items(&draft.answer);
    if let Some(points) = get(Label::KeyPoints) {
        draft.points = markdown::items(&points);
        if draft.points.is_empty() {
            draft.points = vec![markdown::plain(&points)];
        }
    }
    // Labels of other formats are the author's own words here.
    for (label, lines) in fields {
        let name = format!("{label:?}");
        draft.callouts.push(super::Callout { label: name, text: joined(&lines) });
    }
    if draft.prompt.is_empty() {
        for line in at..last {
            if sheet.uses[line] == Use::Question {
                sheet.uses[line] = Use::Skipped("no-question");
            }
        }
        return;
    }
    let missing = [
        ("why", draft.why.is_none()),
        ("framework", draft.framework.is_none()),
        ("example", draft.example.is_none()),
        ("mistake", draft.mistake.is_none()),
    ];
    for (name, _) in missing.iter().filter(|(_, is_missing)| *is_missing) {
        sheet.warn(at, "missing-field", *name);
    }
    sheet.ask(printed, draft);
}

/// A field over several lines is one paragraph, unless it has lists, code or gaps.
fn joined(lines: &[&str]) -> String {
    let text = answer::tidy(lines);
    let is_plain = |line: &str| {
        !line.is_empty()
            && markdown::bullet(line).is_none()
            && markdown::numbered(line).is_none()
            && !line.starts_with("```")
            && !line.starts_with("~~~")
    };
    if text.lines().all(is_plain) { text.lines().collect::<Vec<_>>().join(" ") } else { text }
}
