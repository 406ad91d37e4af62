//! The body of an answer: bullets alike, blank lines in order, and the level, the nudge and other labelled parts taken out.

use super::labels::{self, Label};
use super::{Callout, Draft, choice, markdown};
use crate::domain::question::ChoiceOption;

/// Lays the lines of an answer out: bullets become `- `, blank lines between two of them go, and several become one. Code stays.
pub fn tidy(lines: &[&str]) -> String {
    let (code, _) = markdown::fences(lines);
    let text = |at: &usize| !lines[*at].trim().is_empty();
    let Some(first) = (0..lines.len()).find(text) else { return String::new() };
    let last = (0..lines.len()).rfind(text).unwrap_or(first);
    let base = (first..=last)
        .filter(|at| !code[*at] && markdown::bullet(lines[*at]).is_some() || code[*at] && text(at))
        .map(|at| markdown::indent(lines[at]))
        .min()
        .unwrap_or(0);
    let is_item = |line: &str| markdown::bullet(line).is_some() || markdown::numbered(line).is_some();
    let mut out: Vec<String> = Vec::new();
    let (mut in_list, mut blank) = (false, false);
    for at in first..=last {
        let line = lines[at];
        if code[at] {
            if blank {
                out.push(String::new());
            }
            blank = false;
            out.push(markdown::dedent(line, base).trim_end().to_owned());
            continue;
        }
        if line.trim().is_empty() {
            blank = true;
            continue;
        }
        let item = is_item(line) && !markdown::is_rule(line);
        if blank && !(item && in_list) {
            out.push(String::new());
        }
        let inside = markdown::indent(line).saturating_sub(base);
        // What follows an item without a gap, or further in, belongs to it.
        in_list = item || in_list && (!blank || inside > 1);
        blank = false;
        let margin = if in_list { " ".repeat(inside.min(60)) } else { String::new() };
        match markdown::bullet(line).filter(|_| item) {
            Some(text) => out.push(format!("{margin}- {text}")),
            None => out.push(format!("{margin}{}", line.trim())),
        }
    }
    out.join("\n")
}

/// What the body of an admonition or of a folded answer says.
pub fn read_body(lines: &[&str], draft: &mut Draft) {
    let (code, _) = markdown::fences(lines);
    let mut rest: Vec<&str> = Vec::new();
    let mut points: Vec<&str> = Vec::new();
    let mut options: Vec<ChoiceOption> = Vec::new();
    let (mut right, mut explanation) = (None, Vec::new());
    let (mut at, mut begun) = (0, false);
    while at < lines.len() {
        let line = lines[at];
        at += 1;
        if code[at - 1] {
            rest.push(line);
            continue;
        }
        begun |= rest.last().is_some_and(|line| !line.trim().is_empty());
        if !begun
            && draft.nudge.is_none()
            && let Some(nudge) = line.trim().strip_prefix('🧠')
        {
            draft.nudge = Some(nudge.trim().to_owned()).filter(|nudge| !nudge.is_empty());
            continue;
        }
        if !begun
            && draft.level.is_none()
            && let Some(level) = bold(line).and_then(|(text, after)| labels::level(text).filter(|_| after.is_empty()))
        {
            draft.level = Some(level);
            continue;
        }
        if let Some(option) = choice::checkbox(line) {
            options.push(option);
            // What is further in says why.
            while let Some(more) = lines.get(at).filter(|more| is_below(more)) {
                if let Some(option) = options.last_mut() {
                    option.because = markdown::squeeze(&format!("{} {more}", option.because));
                }
                at += 1;
            }
            continue;
        }
        // Labels are printed bold here; plain words before a colon are the answer's own.
        match labels::label(line).filter(|_| line.trim_start().starts_with("**")) {
            Some((Label::Level, _, value)) if labels::level(value).is_some() => draft.level = labels::level(value),
            Some((Label::Nudge, _, value)) if !value.is_empty() && draft.nudge.is_none() => {
                draft.nudge = Some(value.to_owned());
            }
            Some((Label::Why, _, value)) if draft.why.is_none() => draft.why = field(value, lines, &mut at),
            Some((Label::Framework, _, value)) if draft.framework.is_none() => {
                draft.framework = field(value, lines, &mut at);
            }
            Some((Label::Mistake, _, value)) => {
                let found = field(value, lines, &mut at);
                draft.mistake = match (draft.mistake.take(), found) {
                    (Some(one), Some(other)) => Some(format!("{one}\n{other}")),
                    (one, other) => one.or(other),
                };
            }
            Some((Label::Explanation, _, value)) => explanation.extend(field(value, lines, &mut at)),
            Some((Label::RightOptions, _, value)) if !choice::letters(value).is_empty() => right = Some(value),
            Some((Label::Options, _, "")) => {}
            Some((Label::Exhibit, _, name)) => {
                while at < lines.len() && lines[at].trim().is_empty() {
                    at += 1;
                }
                let end = (at..lines.len()).find(|end| !code[*end]).unwrap_or(lines.len());
                for (index, line) in lines[at..end].iter().enumerate() {
                    draft.prompt.push('\n');
                    draft.prompt.push_str(line);
                    if index == 0 {
                        draft.prompt.push_str(name);
                    }
                }
                at = end;
            }
            Some((Label::KeyPoints, _, "")) if points.is_empty() => {
                while at < lines.len()
                    && (lines[at].trim().is_empty() && points.is_empty() || markdown::bullet(lines[at]).is_some())
                {
                    points.push(lines[at]);
                    at += 1;
                }
            }
            _ => rest.push(line),
        }
    }
    draft.options = options;
    if let Some(right) = right {
        choice::mark(&mut draft.options, right);
    }
    let listed = tidy(&points);
    draft.answer = tidy(&rest);
    if draft.answer.is_empty() && !listed.is_empty() {
        draft.answer.clone_from(&listed);
    }
    draft.points = markdown::items(if listed.is_empty() { &draft.answer } else { &listed });
    draft.callouts = callouts(&draft.answer);
    if !explanation.is_empty() {
        draft.answer = [std::mem::take(&mut draft.answer), explanation.join("\n\n")].join("\n\n").trim().to_owned();
    }
    if draft.answer.is_empty() {
        draft.answer = choice::right_text(&draft.options);
    }
}

/// A line that belongs to the option above it.
fn is_below(line: &str) -> bool {
    markdown::indent(line) >= 2
        && !line.trim().is_empty()
        && markdown::bullet(line).is_none()
        && labels::label(line).is_none()
}

/// The value of a label: what stands beside it, and the lines below it up to a blank one or the next label.
fn field(value: &str, lines: &[&str], at: &mut usize) -> Option<String> {
    let mut parts = vec![value.to_owned()];
    while *at < lines.len() && !lines[*at].trim().is_empty() && labels::label(lines[*at]).is_none() {
        parts.push(lines[*at].trim().to_owned());
        *at += 1;
    }
    Some(parts.join(" ").trim().to_owned()).filter(|text| !text.is_empty())
}

/// What a line has in bold at its beginning, behind a symbol at most, and what follows.
fn bold(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let start = line.find("**")?;
    if line[..start].chars().any(char::is_alphanumeric) {
        return None;
    }
    let (text, after) = line[start + 2..].split_once("**")?;
    Some((text.trim(), after.trim()))
}

/// Parts of an answer with a bold label on a line of its own, or behind a symbol.
fn callouts(answer: &str) -> Vec<Callout> {
    let lines: Vec<&str> = answer.lines().collect();
    let (code, _) = markdown::fences(&lines);
    let label = |at: usize| {
        let (text, after) = bold(lines[at]).filter(|_| !code[at])?;
        let name = text.strip_suffix(':').or_else(|| after.starts_with(':').then_some(text))?.trim();
        let after = after.trim_start_matches(':').trim();
        let is_marked = !lines[at].trim_start().starts_with("**") && markdown::bullet(lines[at]).is_none();
        ((after.is_empty() || is_marked) && !name.is_empty() && markdown::bullet(lines[at]).is_none())
            .then_some((name, after))
    };
    let mut out = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let Some((name, after)) = label(at) else {
            at += 1;
            continue;
        };
        at += 1;
        let mut text: Vec<&str> = Some(after).filter(|after| !after.is_empty()).into_iter().collect();
        while at < lines.len() && label(at).is_none() && (code[at] || !lines[at].is_empty() || text.is_empty()) {
            if !lines[at].is_empty() || !text.is_empty() {
                text.push(lines[at]);
            }
            at += 1;
        }
        out.push(Callout { label: name.to_owned(), text: text.join("\n") });
    }
    out
}
