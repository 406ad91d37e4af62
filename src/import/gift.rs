//! Moodle's GIFT: titles, categories, comments, and answers in braces. Written after Moodle's own description of the format.

use super::sheet::{Sheet, Use};
use super::{Callout, Draft, Format, Reading, choice, html, markdown};
use crate::domain::question::ChoiceOption;

/// Whether there is something in braces that answers.
pub fn looks_like(text: &str) -> bool {
    let mut code = false;
    let mut found = 0;
    for line in text.lines().take(5000) {
        let line = line.trim();
        if line.starts_with("```") {
            code = !code;
        }
        if code {
            continue;
        }
        if line.starts_with("$CATEGORY:") {
            return true;
        }
        let titled = line.starts_with("::") && line[2..].contains("::");
        let inner = unescaped(line, '{').map(|at| line[at + 1..].trim_start());
        let answers = inner.is_some_and(|inner| {
            inner.starts_with(['=', '~', '#'])
                || ["T}", "F}", "TRUE", "FALSE"].iter().any(|mark| inner.starts_with(mark))
        });
        if answers && (titled || unescaped(line, '}').is_some()) || titled && inner.is_some() {
            found += 1;
        }
    }
    found > 0
}

/// Where `wanted` stands first without a backslash before it.
fn unescaped(text: &str, wanted: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == wanted {
            return Some(at);
        }
    }
    None
}

pub fn read(text: &str) -> Reading {
    let mut sheet = Sheet::new(text);
    let mut section: Option<String> = None;
    let mut at = 0;
    while at < sheet.lines.len() {
        let line = sheet.lines[at].trim();
        if line.is_empty() {
            at += 1;
        } else if line.starts_with("//") {
            sheet.claim(at..at + 1, Use::Comment);
            at += 1;
        } else if let Some(path) = line.strip_prefix("$CATEGORY:") {
            let last = path.replace("$course$", "").replace("$system$", "");
            let last = last
                .rsplit('/')
                .map(str::trim)
                .find(|part| !part.is_empty() && *part != "top")
                .unwrap_or_default()
                .to_owned();
            section = Some(last).filter(|name| !name.is_empty());
            sheet.claim(at..at + 1, Use::Structure);
            at += 1;
        } else {
            let end = end_of(&sheet, at);
            question(&mut sheet, at, end, section.as_deref());
            at = end;
        }
    }
    sheet.finish(Format::Gift, "outside-question")
}

/// Where the question that begins at `at` ends: at a blank line outside of braces. Braces that are not closed before the
/// next question begins end at the first blank line.
fn end_of(sheet: &Sheet<'_>, at: usize) -> usize {
    let mut open = false;
    let mut first_blank = None;
    for (next, line) in sheet.lines.iter().enumerate().skip(at) {
        let text = line.trim();
        if text.is_empty() {
            if !open {
                return next;
            }
            first_blank = first_blank.or(Some(next));
            continue;
        }
        let begins = text.starts_with("::") || text.starts_with("$CATEGORY:");
        if next > at && begins && first_blank.is_some() {
            break;
        }
        if text.starts_with("//") {
            continue;
        }
        if !open && let Some(brace) = unescaped(line, '{') {
            open = unescaped(&line[brace..], '}').is_none();
        } else if open {
            // A second opening brace says that the first one was never closed.
            let (close, again) = (unescaped(line, '}'), unescaped(line, '{'));
            if again.is_some_and(|again| close.is_none_or(|close| again < close)) && first_blank.is_some() {
                break;
            }
            open = close.is_none();
        }
        if !open && first_blank.is_some() {
            return (next + 1..sheet.lines.len()).find(|end| sheet.is_blank(*end)).unwrap_or(sheet.lines.len());
        }
    }
    match (open, first_blank) {
        (true, Some(blank)) => blank,
        _ if open => sheet.lines.len(),
        (_, blank) => blank.unwrap_or(sheet.lines.len()),
    }
}

/// Without the backslashes, `\n` as a line break.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some(c @ ('~' | '=' | '#' | '{' | '}' | ':' | '\\')) => out.push(c),
            Some(c) => {
                out.push('\\');
                out.push(c);
            }
            None => out.push('\\'),
        }
    }
    out
}

/// A text of the format that is named before it, `[html]`.
fn formatted(text: &str) -> String {
    let text = text.trim();
    for format in ["html", "moodle", "markdown", "plain"] {
        if let Some(rest) = text.strip_prefix('[').and_then(|rest| rest.strip_prefix(format)?.strip_prefix(']')) {
            let rest = plain(rest);
            return if format == "html" || format == "moodle" {
                html::to_markdown(&rest).0
            } else {
                rest.trim().to_owned()
            };
        }
    }
    // Moodle's own exports have HTML without saying so.
    let text = plain(text);
    let tagged = ["<p", "<br", "<b>", "<i>", "<ul", "<ol", "<span", "<div", "<code", "<pre"]
        .iter()
        .any(|tag| text.contains(tag));
    if tagged { html::to_markdown(&text).0 } else { text.trim().to_owned() }
}

fn question(sheet: &mut Sheet<'_>, at: usize, end: usize, section: Option<&str>) {
    let mut lines = Vec::new();
    for next in at..end {
        if sheet.lines[next].trim_start().starts_with("//") {
            sheet.claim(next..next + 1, Use::Comment);
        } else {
            lines.push(sheet.lines[next]);
        }
    }
    let text = lines.join("\n");
    let mut rest = text.trim();
    let mut title = None;
    if let Some(after) = rest.strip_prefix("::")
        && let Some(close) = titled(after)
    {
        title = Some(plain(after[..close].trim()));
        rest = after[close + 2..].trim_start();
    }
    let skip = |sheet: &mut Sheet<'_>, reason: &'static str| sheet.claim(at..end, Use::Skipped(reason));
    let Some(open) = unescaped(rest, '{') else {
        skip(sheet, if unescaped(rest, '}').is_some() { "unopened-answer" } else { "description" });
        return;
    };
    let Some(close) = unescaped(&rest[open..], '}').map(|close| open + close) else {
        skip(sheet, "unclosed-answer");
        return;
    };
    let (before, inner, after) = (&rest[..open], &rest[open + 1..close], rest[close + 1..].trim());
    // A word that is left out stands between two parts of a text.
    let stem = if after.is_empty() { before.trim().to_owned() } else { format!("{} _____ {after}", before.trim()) };
    let mut prompt = formatted(&stem);
    if prompt.is_empty() {
        prompt = title.clone().unwrap_or_default();
    }
    if prompt.is_empty() {
        skip(sheet, "no-question");
        return;
    }
    let mut draft = Draft { line: at + 1, section: section.map(str::to_owned), prompt, ..Draft::default() };
    if let Some(title) = title.filter(|title| !title.is_empty() && *title != draft.prompt) {
        draft.callouts.push(Callout { label: "Title".to_owned(), text: title });
    }
    sheet.claim(at..end, Use::Question);
    let (inner, general) = inner.split_once("####").map_or((inner, None), |(inner, general)| (inner, Some(general)));
    answers(sheet, at, inner.trim(), &mut draft);
    if let Some(general) = general.map(formatted).filter(|general| !general.is_empty()) {
        draft.answer = [draft.answer.as_str(), &general].join("\n\n").trim().to_owned();
    }
    draft.points = markdown::items(&draft.answer);
    sheet.ask(None, draft);
}

/// Where the `::` that ends a title stands.
fn titled(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + unescaped(&text[from..], ':')?;
        if text[at + 1..].starts_with(':') {
            return Some(at);
        }
        from = at + 1;
    }
}

/// One of the answers in braces.
struct Part<'a> {
    right: bool,
    /// In percent, when it is given.
    weight: Option<f64>,
    text: &'a str,
    feedback: Option<&'a str>,
}

fn parts(inner: &str) -> Vec<Part<'_>> {
    let mut marks = Vec::new();
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == '=' || c == '~' {
            marks.push((at, c == '='));
        }
    }
    let ends = marks.iter().skip(1).map(|(at, _)| *at).chain([inner.len()]);
    marks
        .iter()
        .zip(ends)
        .map(|((at, right), end)| {
            let text = inner[at + 1..end].trim();
            let (text, feedback) = match unescaped(text, '#') {
                Some(mark) => (text[..mark].trim(), Some(text[mark + 1..].trim())),
                None => (text, None),
            };
            let weighed = text.strip_prefix('%').and_then(|rest| {
                let (weight, text) = rest.split_once('%')?;
                Some((weight.trim().parse().ok()?, text.trim()))
            });
            let (weight, text) = weighed.map_or((None, text), |(weight, text): (f64, &str)| (Some(weight), text));
            Part { right: *right, weight, text, feedback }
        })
        .collect()
}

fn answers(sheet: &mut Sheet<'_>, at: usize, inner: &str, draft: &mut Draft) {
    if let Some(numbers) = inner.strip_prefix('#') {
        numerical(sheet, at, numbers, draft);
        return;
    }
    let (word, feedback) = match unescaped(inner, '#') {
        Some(mark) => (inner[..mark].trim(), Some(&inner[mark + 1..])),
        None => (inner, None),
    };
    if let Some(truth) = match word.to_uppercase().as_str() {
        "T" | "TRUE" => Some(true),
        "F" | "FALSE" => Some(false),
        _ => None,
    } {
        // The first feedback is for the wrong choice, the second for the right one.
        let mut said = feedback.unwrap_or_default().splitn(2, '#').map(formatted);
        let (wrong, right) = (said.next().unwrap_or_default(), said.next().unwrap_or_default());
        let option = |text: &str, correct: bool| {
            let because = if correct { right.clone() } else { wrong.clone() };
            ChoiceOption { text: text.to_owned(), correct, because }
        };
        draft.options = vec![option("True", truth), option("False", !truth)];
        draft.answer = explained(choice::right_text(&draft.options), &right);
        return;
    }
    let parts = parts(inner);
    if parts.is_empty() {
        if !inner.is_empty() {
            // Text in braces without a mark is an answer whose mark was forgotten.
            sheet.warn(at, "answer-without-mark", inner.chars().take(60).collect::<String>());
            draft.answer = formatted(inner);
        }
        return;
    }
    unmarked(sheet, at, inner);
    let is_matching = parts.len() >= 2 && parts.iter().all(|part| part.right && part.text.contains("->"));
    if is_matching {
        let pairs = parts.iter().filter_map(|part| part.text.split_once("->"));
        let lines: Vec<String> = pairs.map(|(a, b)| format!("- {} → {}", formatted(a), formatted(b))).collect();
        draft.answer = lines.join("\n");
        for part in &parts {
            draft.answer =
                explained(std::mem::take(&mut draft.answer), &part.feedback.map(formatted).unwrap_or_default());
        }
        return;
    }
    let said = |part: &Part<'_>| part.feedback.map(formatted).unwrap_or_default();
    if parts.iter().any(|part| !part.right) {
        // Several answers that are worth something are several right ones.
        let is_right = |part: &Part<'_>| part.right || part.weight.is_some_and(|weight| weight > 0.0);
        let exact = parts.iter().any(|part| part.right);
        draft.options = parts
            .iter()
            .map(|part| ChoiceOption {
                text: formatted(part.text),
                correct: if exact { part.right } else { is_right(part) },
                because: said(part),
            })
            .collect();
        let because = draft.options.iter().find(|option| option.correct).map(|option| option.because.clone());
        draft.answer = choice::right_text(&draft.options);
        if draft.options.iter().filter(|option| option.correct).count() == 1 {
            draft.answer = explained(std::mem::take(&mut draft.answer), &because.unwrap_or_default());
        }
        return;
    }
    let texts: Vec<String> = parts.iter().map(|part| formatted(part.text)).filter(|text| !text.is_empty()).collect();
    draft.answer = accepted(&texts);
    for part in &parts {
        draft.answer = explained(std::mem::take(&mut draft.answer), &said(part));
    }
}

/// Tells of text before the first mark, which no answer has.
fn unmarked(sheet: &mut Sheet<'_>, at: usize, inner: &str) {
    let before = [unescaped(inner, '='), unescaped(inner, '~')].into_iter().flatten().min().unwrap_or(inner.len());
    let text = inner[..before].trim();
    if !text.is_empty() {
        sheet.warn(at, "answer-without-mark", text);
    }
}

/// An answer, and what else is taken for right.
pub fn accepted(texts: &[String]) -> String {
    match texts {
        [] => String::new(),
        [one] => one.clone(),
        [one, others @ ..] => format!("{one}\n\nAlso accepted: {}.", others.join("; ")),
    }
}

fn explained(answer: String, because: &str) -> String {
    if because.is_empty() { answer } else { format!("{answer}\n\n{because}") }
}

/// `3.14:0.01`, `1..5`, or several with weights.
fn numerical(sheet: &mut Sheet<'_>, at: usize, numbers: &str, draft: &mut Draft) {
    let parts = parts(numbers);
    let words = |text: &str| {
        let text = plain(text.trim());
        if let Some((low, high)) = text.split_once("..") {
            format!("from {} to {}", low.trim(), high.trim())
        } else if let Some((value, tolerance)) = text.split_once(':') {
            if tolerance.trim().trim_matches('0').is_empty() {
                value.trim().to_owned()
            } else {
                format!("{} (± {})", value.trim(), tolerance.trim())
            }
        } else {
            text
        }
    };
    if parts.is_empty() {
        let (value, said) = numbers.split_once('#').unwrap_or((numbers, ""));
        draft.answer = explained(words(value), &formatted(said));
        return;
    }
    unmarked(sheet, at, numbers);
    for part in parts.iter().filter(|part| !part.right && !part.text.is_empty()) {
        sheet.warn(at, "wrong-number", plain(part.text));
    }
    let full: Vec<&Part<'_>> = parts.iter().filter(|part| part.right && !part.text.is_empty()).collect();
    let texts: Vec<String> = full
        .iter()
        .map(|part| {
            let weight = part.weight.filter(|weight| *weight < 100.0).map(|weight| format!(" ({weight} %)"));
            words(part.text) + &weight.unwrap_or_default()
        })
        .collect();
    draft.answer = accepted(&texts);
    for part in &parts {
        let said = part.feedback.map(formatted).unwrap_or_default();
        draft.answer = explained(std::mem::take(&mut draft.answer), &said);
    }
}
