//! `<details><summary>Question</summary> answer </details>`, as people fold answers on GitHub.

use super::sheet::{Sheet, Use, claim_headings};
use super::{Draft, Format, Reading, answer, html, markdown};

/// Places in the text.
#[derive(Clone, Copy)]
struct Fold {
    begin: usize,
    /// Behind the closing tag, or where it would be.
    end: usize,
    closed: bool,
}

pub fn read(text: &str) -> Reading {
    let mut sheet = Sheet::markdown(text);
    let starts = starts(&sheet, text);
    let folds = folds(&sheet, text, &starts);
    let line_of = |at: usize| starts.partition_point(|start| *start <= at) - 1;
    let mut inside = vec![false; sheet.lines.len()];
    for fold in &folds {
        inside[line_of(fold.begin)..=line_of(fold.end.max(1) - 1)].fill(true);
    }
    let mut headings = Vec::new();
    for (at, inside) in inside.into_iter().enumerate() {
        if inside || !sheet.is_free(at) || sheet.code[at] {
            continue;
        }
        let line = sheet.lines[at];
        if let Some((level, heading)) = markdown::heading(line) {
            if level == 1 && headings.is_empty() {
                if sheet.title.is_none() {
                    sheet.title = Some(markdown::plain(heading));
                }
                sheet.claim(at..at + 1, Use::Structure);
            } else {
                headings.push((at, level, heading));
            }
        } else if markdown::is_rule(line) {
            sheet.claim(at..at + 1, Use::Structure);
        }
    }
    let mut asked = Vec::new();
    for (index, fold) in folds.iter().enumerate() {
        let (first, mut last) = (line_of(fold.begin), line_of(fold.end.max(1) - 1));
        // What stands beside a fold on its lines is outside of it.
        let edge = index.checked_sub(1).map_or(0, |before| folds[before].end).max(starts[first]);
        let next = folds.get(index + 1).map_or(text.len(), |next| next.begin);
        let behind = text[fold.end..next].split('\n').next().unwrap_or_default();
        let behind = if fold.closed { behind } else { "" };
        for loose in [&text[edge..fold.begin], behind] {
            if markdown::bullet(loose).unwrap_or(loose).trim() != "" {
                sheet.warn(first, "text-beside-fold", loose.trim());
            }
        }
        // A line with the end of one and the beginning of the next belongs to both.
        if let Some(next) = folds.get(index + 1) {
            last = last.min(line_of(next.begin));
        }
        if question(&mut sheet, &text[fold.begin..fold.end], fold.closed, first, &headings) {
            sheet.claim(first..last + 1, Use::Question);
            asked.push(first);
        } else {
            sheet.claim(first..last + 1, Use::Skipped("no-question"));
        }
    }
    let places: Vec<(usize, usize)> = headings.iter().map(|(at, level, _)| (*at, *level)).collect();
    claim_headings(&mut sheet, &places, &asked);
    sheet.finish(Format::Details, "outside-question")
}

/// Where the lines of the sheet begin in the text.
fn starts(sheet: &Sheet<'_>, text: &str) -> Vec<usize> {
    let mut starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    starts.truncate(sheet.lines.len().max(1));
    starts
}

/// The outermost folds in order. One that is never closed ends where the next begins.
fn folds(sheet: &Sheet<'_>, text: &str, starts: &[usize]) -> Vec<Fold> {
    let mut open: Vec<usize> = Vec::new();
    let mut found: Vec<Fold> = Vec::new();
    for (index, line) in sheet.lines.iter().enumerate() {
        if sheet.code[index] || !sheet.is_free(index) {
            continue;
        }
        let lower = line.to_ascii_lowercase();
        let tags = lower.match_indices("<details").map(|(at, _)| (at, true));
        let mut tags: Vec<(usize, bool)> =
            tags.chain(lower.match_indices("</details").map(|(at, _)| (at, false))).collect();
        tags.sort_unstable();
        for (at, opens) in tags {
            let place = starts[index] + at;
            if opens {
                open.push(place);
            } else if let Some(begin) = open.pop() {
                let end = line[at..].find('>').map_or(place + "</details".len(), |end| place + end + 1);
                found.push(Fold { begin, end, closed: true });
            }
        }
    }
    found.sort_by_key(|fold| fold.begin);
    // What is left open was never closed.
    let unclosed: Vec<usize> = open;
    let begins: Vec<usize> = {
        let mut all: Vec<usize> = found.iter().map(|fold| fold.begin).chain(unclosed.iter().copied()).collect();
        all.sort_unstable();
        all
    };
    for begin in unclosed {
        let next = begins[begins.partition_point(|other| *other <= begin)..].first().copied();
        found.push(Fold { begin, end: next.unwrap_or(text.len()), closed: false });
    }
    found.sort_by_key(|fold| fold.begin);
    let mut outer: Vec<Fold> = Vec::new();
    for fold in found {
        if outer.last().is_none_or(|last| fold.begin >= last.end) {
            outer.push(fold);
        }
    }
    outer
}

fn question(sheet: &mut Sheet<'_>, fold: &str, closed: bool, first: usize, headings: &[(usize, usize, &str)]) -> bool {
    let lower = fold.to_ascii_lowercase();
    let Some(summary) = lower.find("<summary") else { return false };
    let Some(begin) = fold[summary..].find('>').map(|at| summary + at + 1) else { return false };
    let end = lower[begin..].find("</summary").map(|at| begin + at);
    if !closed || end.is_none() {
        sheet.warn(first, "unclosed-details", "");
    }
    // A summary that is never closed is one line.
    let end = end.unwrap_or_else(|| fold[begin..].find('\n').map_or(fold.len(), |at| begin + at));
    let after = fold[end..].find('>').filter(|_| lower[end..].starts_with("</summary")).map_or(end, |at| end + at + 1);
    let body_end = if closed { lower.rfind("</details").unwrap_or(fold.len()).max(after) } else { fold.len() };
    let title = html::in_summary(&fold[begin..end]);
    let title = title.trim().trim_matches('*').trim();
    let (printed, title) = match markdown::numbered(title) {
        Some((n, text)) => (Some(n), text),
        None => super::qa::asks(title).unwrap_or((None, title)),
    };
    let prompt = markdown::squeeze(title);
    if prompt.is_empty() {
        return false;
    }
    let section = headings[..headings.partition_point(|(at, ..)| *at < first)].last();
    let mut draft = Draft {
        line: first + 1,
        section: section.map(|(_, _, text)| markdown::plain(text)),
        prompt,
        ..Draft::default()
    };
    // What stands before the summary is shown below it.
    let early = fold[..summary].find('>').map_or("", |at| &fold[at + 1..summary]);
    let body = html::in_markdown(&format!("{}\n{}", early.trim(), &fold[after..body_end]));
    let lines: Vec<&str> = body.lines().collect();
    let margin =
        lines.iter().filter(|line| !line.trim().is_empty()).map(|line| markdown::indent(line)).min().unwrap_or(0);
    let lines: Vec<&str> = lines.into_iter().map(|line| markdown::dedent(line, margin)).collect();
    answer::read_body(&lines, &mut draft);
    sheet.ask(printed, draft);
    true
}
