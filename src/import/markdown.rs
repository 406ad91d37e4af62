//! What one has to know of Markdown: blocks of code, headings, list items, and what a text says without its marks.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The mark of a fence: its character, its length, and what follows.
fn fence(line: &str) -> Option<(char, usize, &str)> {
    let line = line.trim_start();
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let rest = line.trim_start_matches(mark);
    let length = line.len() - rest.len();
    (length >= 3 && !(mark == '`' && rest.contains('`'))).then_some((mark, length, rest.trim()))
}

/// Which lines are code between fences, and where fences begin that never end. A fence that is followed by the beginning of
/// another one has lost its end, and what follows it is text.
pub fn fences(lines: &[&str]) -> (Vec<bool>, Vec<usize>) {
    let mut code = vec![false; lines.len()];
    let mut unclosed = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let Some((mark, length, _)) = fence(lines[at]) else {
            at += 1;
            continue;
        };
        let next = (at + 1..lines.len()).find_map(|end| {
            let (other, long, info) = fence(lines[end])?;
            (other == mark && long >= length).then_some((end, info.is_empty()))
        });
        match next {
            Some((end, true)) => {
                code[at..=end].fill(true);
                at = end + 1;
            }
            Some((end, false)) => {
                unclosed.push(at);
                at = end;
            }
            None => {
                unclosed.push(at);
                at += 1;
            }
        }
    }
    (code, unclosed)
}

/// The level and the text of a heading, `## Text ##`.
pub fn heading(line: &str) -> Option<(usize, &str)> {
    let line = line.trim_end();
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    if !(1..=6).contains(&level) || !(rest.starts_with([' ', '\t']) || rest.is_empty()) {
        return None;
    }
    let text = rest.trim();
    let bare = text.trim_end_matches('#');
    Some((level, if bare.is_empty() || bare.ends_with(' ') { bare.trim() } else { text }))
}

/// `---`, `***`, `____`.
pub fn is_rule(line: &str) -> bool {
    let marks: Vec<char> = line.chars().filter(|c| !c.is_whitespace()).collect();
    marks.len() >= 3 && matches!(marks[0], '-' | '*' | '_') && marks.iter().all(|c| *c == marks[0])
}

/// The indentation in columns; a tab goes on to the next multiple of four.
pub fn indent(line: &str) -> usize {
    let mut columns = 0;
    for c in line.chars() {
        match c {
            '\t' => columns = (columns / 4 + 1) * 4,
            ' ' => columns += 1,
            _ => break,
        }
    }
    columns
}

/// The line without up to `columns` of its indentation.
pub fn dedent(line: &str, columns: usize) -> &str {
    let mut seen = 0;
    for (at, c) in line.char_indices() {
        if seen >= columns || !matches!(c, ' ' | '\t') {
            return &line[at..];
        }
        seen = if c == '\t' { (seen / 4 + 1) * 4 } else { seen + 1 };
    }
    ""
}

/// The text of a bullet, `* text`, `• text`.
pub fn bullet(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = line.strip_prefix(['-', '*', '+', '•', '‣', '◦', '▪', '●', '○'])?;
    let is_symbol = !line.starts_with(['-', '*', '+']);
    (rest.starts_with([' ', '\t', '\u{a0}']) || is_symbol && !rest.is_empty()).then(|| rest.trim())
}

/// The number and the text of `3. text` or `3) text`.
pub fn numbered(line: &str) -> Option<(usize, &str)> {
    let line = line.trim_start();
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = line[digits..].strip_prefix(['.', ')'])?;
    if !(1..=6).contains(&digits) || !(rest.is_empty() || rest.starts_with([' ', '\t', '\u{a0}'])) {
        return None;
    }
    Some((line[..digits].parse().ok()?, rest.trim()))
}

fn options() -> Options {
    Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES
}

/// What is read aloud: no marks, one line.
pub fn plain(text: &str) -> String {
    let mut out = String::new();
    for event in Parser::new_ext(text, options()) {
        match event {
            Event::Text(text) | Event::Code(text) => out.push_str(&text),
            Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::TableCell) => {
                out.push(' ');
            }
            _ => {}
        }
    }
    squeeze(&out)
}

/// One space between words.
pub fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The items of all lists as plain text, in order; an item with a list below it is one of them.
pub fn items(text: &str) -> Vec<String> {
    let mut done: Vec<String> = Vec::new();
    // Indices of open items in `done`.
    let mut open: Vec<usize> = Vec::new();
    let mut code = false;
    for event in Parser::new_ext(text, options()) {
        match event {
            Event::Start(Tag::Item) => {
                open.push(done.len());
                done.push(String::new());
            }
            Event::End(TagEnd::Item) => {
                open.pop();
            }
            Event::Start(Tag::CodeBlock(_)) => code = true,
            Event::End(TagEnd::CodeBlock) => code = false,
            Event::Text(text) | Event::Code(text) if !code => {
                if let Some(item) = open.last() {
                    done[*item].push_str(&text);
                }
            }
            Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::Paragraph) => {
                if let Some(item) = open.last() {
                    done[*item].push(' ');
                }
            }
            _ => {}
        }
    }
    done.iter().map(|item| squeeze(item)).filter(|item| !item.is_empty()).collect()
}

/// The paragraphs that are no code, no list and no heading, as plain text.
pub fn paragraphs(text: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut depth = 0;
    let mut current: Option<String> = None;
    for event in Parser::new_ext(text, options()) {
        match event {
            Event::Start(Tag::List(_)) => depth += 1,
            Event::End(TagEnd::List(_)) => depth -= 1,
            Event::Start(Tag::Paragraph) if depth == 0 => current = Some(String::new()),
            Event::End(TagEnd::Paragraph) => done.extend(current.take()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(paragraph) = &mut current {
                    paragraph.push_str(&text);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some(paragraph) = &mut current {
                    paragraph.push(' ');
                }
            }
            _ => {}
        }
    }
    done.iter().map(|paragraph| squeeze(paragraph)).filter(|paragraph| !paragraph.is_empty()).collect()
}
