//! Multiple choice in Markdown: `- [x] option`, or lettered options with "Correct answer: B, D".

use super::labels::{self, Label};
use super::sheet::{Sheet, Use, claim_headings};
use super::{Draft, Format, Reading, answer, html, markdown, qa};
use crate::domain::question::ChoiceOption;

/// An option with a box before it, `- [x] text`.
pub fn checkbox(line: &str) -> Option<ChoiceOption> {
    let text = markdown::bullet(line)?;
    let rest = text.strip_prefix('[')?;
    let mark = rest.chars().next()?;
    let rest = rest[mark.len_utf8()..].strip_prefix(']')?;
    let correct = match mark {
        ' ' => false,
        'x' | 'X' | '✓' | '✔' => true,
        _ => return None,
    };
    // A link, `[x](address)`, is no box.
    if rest.starts_with(['(', '[', ':']) {
        return None;
    }
    let text = lettered(rest).map_or(rest, |(_, text)| text);
    Some(ChoiceOption { text: text.trim().to_owned(), correct, because: String::new() })
}

/// A letter from A to J and the text of its option: `A. text`, `b) text`, `(C) text`, `**D:** text`.
fn lettered(line: &str) -> Option<(usize, &str)> {
    let line = markdown::bullet(line).unwrap_or(line).trim().trim_start_matches(['*', '_']);
    let open = line.strip_prefix('(');
    let rest = open.unwrap_or(line);
    let letter = rest.chars().next().filter(char::is_ascii_alphabetic)?.to_ascii_uppercase();
    let rest = rest[1..].trim_start_matches(['*', '_']);
    let ends: &[char] = if open.is_some() { &[')'] } else { &['.', ')', ':'] };
    let text = rest.strip_prefix(ends)?;
    if !text.is_empty() && !text.starts_with([' ', '\t', '*', '_']) {
        return None;
    }
    let index = (letter as usize).checked_sub('A' as usize).filter(|index| *index < 10)?;
    Some((index, text.trim_start_matches(['*', '_']).trim()))
}

/// The options that "B, D", "b and d", "(C)", "B) text" or "BD" name.
pub fn letters(value: &str) -> Vec<usize> {
    let value = value.trim().trim_matches(['*', '_', '`', '.', ' ']);
    let mut found = Vec::new();
    let mut rest = value;
    loop {
        rest = rest.trim_start_matches([' ', ',', '&', '(', '/', '*', ';', '+']);
        for word in ["and ", "or ", "Options ", "Option ", "options ", "option "] {
            rest = rest.strip_prefix(word).unwrap_or(rest);
        }
        let Some(letter) = rest.chars().next().filter(char::is_ascii_alphabetic) else { break };
        let after = &rest[1..];
        let index = (letter.to_ascii_uppercase() as usize) - ('A' as usize);
        let next = after.trim_start_matches([')', '*']);
        let ends =
            next.is_empty() || next.starts_with(['.', ',', ':', ')', '&', '/', ';', '+']) || next.len() < after.len();
        let goes_on =
            [" and ", " & ", " or ", " - ", " – ", " (", " ,", "  "].iter().any(|link| next.starts_with(link));
        if index >= 10 || !(ends || goes_on) {
            break;
        }
        found.push(index);
        rest = next;
        // Behind `B.` or `B -` comes the text of the option.
        if rest.starts_with(['.', ':'])
            || rest.starts_with(" - ")
            || rest.starts_with(" – ")
            || next.len() < after.len() && !rest.starts_with([',', '&', '/']) && !rest.starts_with(" and")
        {
            break;
        }
    }
    let upper: Vec<usize> = value.bytes().filter(u8::is_ascii_uppercase).map(|byte| usize::from(byte - b'A')).collect();
    if found.is_empty()
        && (2..=6).contains(&value.len())
        && upper.len() == value.len()
        && upper.is_sorted_by(|a, b| a < b)
        && upper.iter().all(|index| *index < 8)
    {
        found = upper;
    }
    found.dedup();
    found
}

/// Marks the options that a line names by letter, or else by their text.
pub fn mark(options: &mut [ChoiceOption], value: &str) {
    for index in letters(value) {
        if let Some(option) = options.get_mut(index) {
            option.correct = true;
        }
    }
}

/// What the right options say.
pub fn right_text(options: &[ChoiceOption]) -> String {
    let right: Vec<&str> = options.iter().filter(|option| option.correct).map(|option| option.text.as_str()).collect();
    match right.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        many => many.iter().map(|text| format!("- {text}")).collect::<Vec<_>>().join("\n"),
    }
}

struct Group {
    begin: usize,
    end: usize,
    options: Vec<ChoiceOption>,
}

/// Runs of options.
fn groups(sheet: &Sheet<'_>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut at = 0;
    while at < sheet.lines.len() {
        let usable = |at: usize| sheet.is_free(at) && !sheet.code[at];
        let boxed = |at: usize| checkbox(sheet.lines[at]).filter(|_| usable(at));
        let letter = |at: usize, expect: usize| {
            lettered(sheet.lines[at]).filter(|(index, text)| usable(at) && *index == expect && !text.is_empty())
        };
        let option = |at: usize, many: usize, boxes: bool| {
            if boxes {
                boxed(at)
            } else {
                letter(at, many).map(|(_, text)| ChoiceOption {
                    text: text.to_owned(),
                    correct: false,
                    because: String::new(),
                })
            }
        };
        let boxes = boxed(at).is_some();
        let Some(first) = option(at, 0, boxes) else {
            at += 1;
            continue;
        };
        let (begin, mut end) = (at, at + 1);
        let mut options = vec![first];
        let mut next = at + 1;
        while next < sheet.lines.len() {
            let line = sheet.lines[next];
            if line.trim().is_empty() {
                next += 1;
                continue;
            }
            if let Some(found) = option(next, options.len(), boxes) {
                options.push(found);
            } else if next == end && usable(next) && markdown::indent(line) >= 2 && labels::label(line).is_none() {
                if let Some(last) = options.last_mut() {
                    last.text = format!("{} {}", last.text, line.trim());
                }
            } else {
                break;
            }
            next += 1;
            end = next;
        }
        if options.len() >= 2 {
            groups.push(Group { begin, end, options });
            at = end;
        } else {
            at = begin + 1;
        }
    }
    groups
}

/// How many questions with options a text has, for the recognition of formats.
pub fn count(text: &str) -> usize {
    let sheet = Sheet::markdown(text);
    let groups = groups(&sheet);
    let right = |group: &&Group| {
        let named = sheet.lines[group.end..].iter().take(8).any(|line| right_options(line).is_some());
        named || group.options.iter().any(|option| option.correct)
    };
    groups.iter().filter(right).count()
}

/// The value of a line that says which options are right.
fn right_options(line: &str) -> Option<&str> {
    let line = line.trim().trim_start_matches(['#', '>', ' ']);
    let (label, _, value) = labels::label(line)?;
    (matches!(label, Label::Answer | Label::RightOptions) && !letters(value).is_empty()).then_some(value)
}

pub fn read(text: &str) -> Reading {
    let mut sheet = Sheet::markdown(text);
    let groups = groups(&sheet);
    let mut starts = Vec::new();
    let mut before = 0;
    for group in &groups {
        starts.push(start_of(&sheet, before, group.begin));
        before = group.end;
    }
    let mut headings: Vec<(usize, usize)> = Vec::new();
    let mut asked = Vec::new();
    let mut from = 0;
    for (index, group) in groups.into_iter().enumerate() {
        let start = starts[index];
        let tail = starts.get(index + 1).copied().unwrap_or(sheet.lines.len());
        note_headings(&mut sheet, from..start, &mut headings);
        from = tail;
        asked.push(group.begin);
        let section = headings.last().map(|(at, _)| heading_text(sheet.lines[*at]));
        question(&mut sheet, start, group, tail, section, &mut headings);
    }
    claim_headings(&mut sheet, &headings, &asked);
    sheet.finish(Format::Choice, "outside-question")
}

fn heading_text(line: &str) -> String {
    markdown::heading(line).map(|(_, text)| markdown::plain(text)).unwrap_or_default()
}

fn note_headings(sheet: &mut Sheet<'_>, lines: std::ops::Range<usize>, headings: &mut Vec<(usize, usize)>) {
    for at in lines {
        if !sheet.is_free(at) || sheet.code[at] {
            continue;
        }
        if let Some((level, text)) = markdown::heading(sheet.lines[at]) {
            if level == 1 && headings.is_empty() {
                if sheet.title.is_none() {
                    sheet.title = Some(markdown::plain(text));
                }
                sheet.claim(at..at + 1, Use::Structure);
            } else {
                headings.push((at, level));
            }
        } else if markdown::is_rule(sheet.lines[at]) {
            sheet.claim(at..at + 1, Use::Structure);
        }
    }
}

/// Where the question before a run of options begins, not before `from`.
fn start_of(sheet: &Sheet<'_>, from: usize, options: usize) -> usize {
    let usable = |at: &usize| sheet.is_free(*at) && !sheet.code[*at];
    // Not before the line with the answer of the question above, nor before the end of what is folded there.
    let floor = (from..options)
        .rev()
        .find(|at| usable(at) && (right_options(sheet.lines[*at]).is_some() || sheet.lines[*at].contains("</details")))
        .map_or(from, |at| at + 1);
    let starts = |at: &usize| {
        let line = sheet.lines[*at];
        usable(at)
            && (markdown::heading(line).is_some_and(|(_, text)| labels::label(text).is_none())
                || markdown::numbered(line).is_some()
                || qa::asks(line).is_some())
    };
    if let Some(at) = (floor..options).rev().find(starts) {
        return at;
    }
    // The last paragraph, with a block of code below it.
    let mut at = options;
    let mut text = false;
    while at > floor {
        let line = sheet.lines[at - 1];
        if sheet.code[at - 1] {
            at -= 1;
        } else if line.trim().is_empty() {
            if text {
                break;
            }
            at -= 1;
        } else if usable(&(at - 1)) && !markdown::is_rule(line) {
            text = true;
            at -= 1;
        } else {
            break;
        }
    }
    at
}

fn question(
    sheet: &mut Sheet<'_>,
    start: usize,
    group: Group,
    tail: usize,
    section: Option<String>,
    headings: &mut Vec<(usize, usize)>,
) {
    let Some(mut first) = sheet.next_text(start, group.begin) else {
        sheet.claim(group.begin..group.end, Use::Skipped("no-question"));
        return;
    };
    let mut section = section;
    let line = sheet.lines[first];
    let mut body_begin = first + 1;
    let (mut printed, mut head) = (None, String::new());
    let bare = markdown::heading(line).map_or(line, |(_, text)| text).trim();
    let more = sheet.next_text(first + 1, group.begin).filter(|at| !sheet.code[*at]).is_some();
    if let Some((n, text)) = qa::asks(bare) {
        (printed, head) = (n, text.to_owned());
    } else if let Some((n, text)) = markdown::numbered(bare) {
        (printed, head) = (Some(n), text.to_owned());
    } else if let Some((level, text)) = markdown::heading(line) {
        if more && !text.ends_with('?') {
            headings.push((first, level));
            section = Some(markdown::plain(text));
            first = sheet.next_text(first + 1, group.begin).unwrap_or(first);
            body_begin = first;
        } else {
            head = text.to_owned();
        }
    } else {
        body_begin = first;
    }
    let body: Vec<&str> = (body_begin..group.begin).filter(|at| sheet.is_free(*at)).map(|at| sheet.lines[at]).collect();
    let body = answer::tidy(&body);
    let prompt = if body.contains("```") || body.contains("~~~") {
        format!("{head}\n{body}").trim().to_owned()
    } else {
        markdown::squeeze(&format!("{} {body}", head.trim_matches('*')))
    };
    let prompt = prompt.trim_matches('*').trim().to_owned();
    if prompt.is_empty() {
        sheet.claim(group.begin..group.end, Use::Skipped("no-question"));
        return;
    }
    sheet.claim(first..group.end, Use::Question);
    let mut draft = Draft { line: first + 1, section, prompt, options: group.options, ..Draft::default() };
    let explanation = explanation(sheet, group.end, tail, &mut draft, headings);
    let right = right_text(&draft.options);
    draft.answer = [right.as_str(), &explanation].join("\n\n").trim().to_owned();
    draft.points = markdown::items(&draft.answer);
    sheet.ask(printed, draft);
}

/// What stands behind the options: which are right, and why.
fn explanation(
    sheet: &mut Sheet<'_>,
    begin: usize,
    end: usize,
    draft: &mut Draft,
    headings: &mut Vec<(usize, usize)>,
) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for at in begin..end {
        if !sheet.is_free(at) {
            continue;
        }
        let line = sheet.lines[at];
        if sheet.code[at] {
            sheet.claim(at..at + 1, Use::Question);
            kept.push(line);
            continue;
        }
        let lower = line.to_lowercase();
        if lower.contains("back to top") {
            sheet.claim(at..at + 1, Use::Skipped("navigation"));
        } else if let Some(value) = right_options(line) {
            mark(&mut draft.options, value);
            sheet.claim(at..at + 1, Use::Question);
        } else if markdown::is_rule(line) {
            sheet.claim(at..at + 1, Use::Structure);
        } else if let Some((_, text)) = markdown::heading(line)
            && labels::named(text.trim_end_matches(':')).is_none()
            && labels::label(text).is_none()
        {
            // A heading that belongs to no question ends this one.
            note_headings(sheet, at..end, headings);
            break;
        } else {
            if !line.trim().is_empty() {
                sheet.claim(at..at + 1, Use::Question);
            }
            kept.push(line);
        }
    }
    let text = html::in_markdown(&kept.join("\n"));
    let is_label = |line: &&str| {
        let bare = line.trim().trim_matches(['*', '#', ' ', '>']).trim_end_matches(':');
        let bare = bare.strip_prefix("Show ").or_else(|| bare.strip_prefix("View ")).unwrap_or(bare);
        !matches!(labels::named(bare), Some(Label::Answer | Label::RightOptions | Label::Explanation))
    };
    let lines: Vec<String> = text
        .lines()
        .filter(is_label)
        .map(|line| match labels::label(line.trim_start_matches(['>', ' '])) {
            Some((Label::Explanation, _, value)) => value.to_owned(),
            _ => line.to_owned(),
        })
        .collect();
    answer::tidy(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}
