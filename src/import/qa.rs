//! Lists of `Q1: .. A: ..`, with and without labels, numbers and order.

use super::labels::{self, Label};
use super::sheet::{Sheet, Use};
use super::{Draft, Format, Reading, answer, markdown};

/// A line that asks, `Q3: text`, `**Question 3.** text`, `Q: text`: its number and its text.
pub fn asks(line: &str) -> Option<(Option<usize>, &str)> {
    let line = line.trim().trim_start_matches('#').trim_start().trim_start_matches(['*', '_']);
    let rest = ["Question", "QUESTION", "question", "Q", "q"].iter().find_map(|mark| line.strip_prefix(mark))?;
    let rest = rest.trim_start_matches([' ', '#', '.']);
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits > 6 {
        return None;
    }
    let number = rest[..digits].parse().ok();
    let after = rest[digits..].trim_start_matches(['*', '_', ' ']);
    let text = match after.chars().next() {
        Some(':' | '：') => &after[after.chars().next().map_or(0, char::len_utf8)..],
        Some('.' | ')' | '-' | '–' | '—') if number.is_some() => {
            &after[after.chars().next().map_or(0, char::len_utf8)..]
        }
        None if number.is_some() => after,
        _ => return None,
    };
    // Bold that began before the label may end behind the text.
    let text = text.trim_start_matches(['*', '_']).trim();
    Some((number, text.strip_suffix("**").unwrap_or(text).trim()))
}

/// A line that answers, `A: text`, `A3. text`, `Answer: text`: the label as printed and the text.
pub fn answers(line: &str) -> Option<(&str, &str)> {
    let bare = line.trim().trim_start_matches('#').trim_start().trim_start_matches(['*', '_']);
    let mark =
        ["Answer", "ANSWER", "answer", "Ans", "ANS", "ans", "A", "a"].iter().find(|mark| bare.starts_with(**mark))?;
    let rest = bare[mark.len()..].trim_start_matches(' ');
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(['*', '_']);
    let text = rest.strip_prefix([':', '：'])?;
    Some((mark, text.trim_start_matches(['*', '_']).trim()))
}

pub fn read(text: &str) -> Reading {
    let mut sheet = Sheet::markdown(text);
    let asked: Vec<usize> = (0..sheet.lines.len())
        .filter(|at| sheet.is_free(*at) && !sheet.code[*at] && asks(sheet.lines[*at]).is_some())
        .collect();
    let headings: Vec<Option<usize>> = (0..asked.len()).map(|index| heading_before(&sheet, &asked, index)).collect();
    let mut section: Option<String> = None;
    for (index, at) in asked.iter().enumerate() {
        if let Some(heading) = headings[index] {
            section = Some(heading_text(sheet.lines[heading]));
            sheet.claim(heading..heading + 1, Use::Structure);
        }
        let mut end = asked.get(index + 1).copied().unwrap_or(sheet.lines.len());
        if let Some(heading) = headings.get(index + 1).copied().flatten() {
            end = heading;
        }
        // A heading that leads to no question ends the answer all the same, and so does what is behind it.
        let stop = (at + 1..end).find(|at| {
            !sheet.code[*at] && markdown::heading(sheet.lines[*at]).is_some() && answers(sheet.lines[*at]).is_none()
        });
        if let Some(stop) = stop {
            end = stop;
        }
        question(&mut sheet, *at, end, section.clone());
    }
    let first = headings.first().copied().flatten().or(asked.first().copied()).unwrap_or(sheet.lines.len());
    preamble(&mut sheet, first);
    for at in 0..sheet.lines.len() {
        if sheet.is_free(at) && markdown::is_rule(sheet.lines[at]) {
            sheet.claim(at..at + 1, Use::Structure);
        }
    }
    sheet.finish(Format::Qa, "outside-question")
}

/// What stands before the first section; the title is the first line of it that is no bullet.
fn preamble(sheet: &mut Sheet<'_>, end: usize) {
    let title = (0..end).find(|at| {
        sheet.is_free(*at)
            && !sheet.is_blank(*at)
            && markdown::bullet(sheet.lines[*at]).is_none()
            && !markdown::is_rule(sheet.lines[*at])
    });
    if let Some(at) = title
        && sheet.title.is_none()
    {
        sheet.title = Some(heading_text(sheet.lines[at]));
    }
    for at in 0..end {
        if sheet.is_free(at) && !markdown::is_rule(sheet.lines[at]) {
            sheet.claim(at..at + 1, Use::Skipped("preamble"));
        }
    }
}

fn heading_text(line: &str) -> String {
    let line = line.trim();
    markdown::plain(markdown::heading(line).map_or(line, |(_, text)| text).trim_matches('*'))
}

/// The line right before a question that is the heading of a section.
fn heading_before(sheet: &Sheet<'_>, asked: &[usize], index: usize) -> Option<usize> {
    let begin = index.checked_sub(1).map_or(0, |before| asked[before] + 1);
    let at = (begin..asked[index]).rev().find(|at| !sheet.is_blank(*at) && !markdown::is_rule(sheet.lines[*at]))?;
    let line = sheet.lines[at].trim();
    if !sheet.is_free(at) || sheet.code[at] || markdown::bullet(line).is_some() || answers(line).is_some() {
        return None;
    }
    if markdown::heading(line).is_some() {
        return Some(at);
    }
    let alone = at == 0 || sheet.is_blank(at - 1);
    if !alone || line.chars().count() > 100 || line.ends_with(['.', '?', '!', ':', ',', ';']) {
        return None;
    }
    let lower = line.to_lowercase();
    let says_so = lower.contains("question") && (lower.contains("answer") || lower.contains("interview"));
    let number = |at: usize| asks(sheet.lines[at]).and_then(|(n, _)| n);
    // Where numbers begin again, something new begins.
    let again = index > 0 && number(asked[index]) == Some(1) && number(asked[index - 1]).is_some();
    (says_so || again).then_some(at)
}

fn question(sheet: &mut Sheet<'_>, at: usize, end: usize, section: Option<String>) {
    let (printed, text) = asks(sheet.lines[at]).unwrap_or((None, sheet.lines[at]));
    let mut prompt = text.to_owned();
    let mut next = at + 1;
    // Where the answer goes on: its first line may stand behind the label.
    let mut label: Option<(&str, &str)> = None;
    if let Some((asked, mark, answer)) = inline_answer(text) {
        prompt = asked.to_owned();
        label = Some((mark, answer));
    } else if prompt.is_empty()
        && let Some(found) = sheet.next_text(next, end)
        && answers(sheet.lines[found]).is_none()
    {
        prompt = sheet.lines[found].trim().to_owned();
        next = found + 1;
    }
    // A question may go on until it ends.
    while label.is_none()
        && next < end
        && !sheet.is_blank(next)
        && !sheet.code[next]
        && !prompt.ends_with(['?', '.', '!', ')', ':'])
        && answers(sheet.lines[next]).is_none()
        && markdown::bullet(sheet.lines[next]).is_none()
    {
        prompt = format!("{prompt} {}", sheet.lines[next].trim());
        next += 1;
    }
    if prompt.is_empty() {
        sheet.claim(at..end, Use::Skipped("no-question"));
        return;
    }
    sheet.claim(at..next, Use::Question);
    if label.is_none()
        && let Some(found) = sheet.next_text(next, end)
    {
        if !sheet.code[found]
            && let Some(found_label) = answers(sheet.lines[found])
        {
            label = Some(found_label);
            sheet.claim(next..found + 1, Use::Question);
            next = found + 1;
        } else {
            let what = if markdown::bullet(sheet.lines[found]).is_some() { "bullets" } else { "paragraph" };
            sheet.warn(at, "missing-answer-label", what);
        }
    }
    if let Some((mark, _)) = label
        && !mark.eq_ignore_ascii_case("a")
    {
        sheet.warn(at, "answer-label-variant", mark);
    }
    let mut lines: Vec<&str> = label.map(|(_, text)| text).into_iter().collect();
    let mut last = end;
    while last > next && (sheet.is_blank(last - 1) || markdown::is_rule(sheet.lines[last - 1])) {
        last -= 1;
    }
    lines.extend(sheet.take(next..last));
    let level = lines
        .first()
        .and_then(|line| labels::label(line))
        .and_then(|(label, _, value)| labels::level(value).filter(|_| label == Label::Level));
    if level.is_some() {
        lines.remove(0);
    }
    let answer = answer::tidy(&lines);
    let points = markdown::items(&answer);
    sheet.ask(printed, Draft { line: at + 1, section, prompt, level, answer, points, ..Draft::default() });
}

/// `What is it? A: This.` in one line.
fn inline_answer(text: &str) -> Option<(&str, &str, &str)> {
    ["A", "Ans", "Answer"].into_iter().find_map(|mark| {
        let (asked, answer) = text.split_once(&format!(" {mark}: "))?;
        asked.trim_end().ends_with(['?', '.', ')']).then(|| (asked.trim(), mark, answer.trim()))
    })
}
