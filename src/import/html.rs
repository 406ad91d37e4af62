//! HTML as it is found in cards and in Markdown: to text with the little Markdown that a bank knows.

use html5gum::{Token, Tokenizer};

use super::{answer, markdown};

/// Text with entities, `Caf&eacute; &amp; bar`, where a `<` is only a `<`.
pub fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let escaped = text.replace('<', "&lt;");
    let mut out = Vec::new();
    for token in Tokenizer::new(escaped.as_str()) {
        let Ok(token) = token;
        if let Token::String(text) = token {
            out.extend_from_slice(&text);
        }
    }
    String::from_utf8_lossy(&out).replace('\u{a0}', " ")
}

/// What a field of a card says, as Markdown, and how many pictures and sounds it lost.
pub fn to_markdown(html: &str) -> (String, usize) {
    let mut out = String::new();
    let mut media = 0;
    // Open lists; a number counts the items of an ordered one.
    let mut lists: Vec<Option<usize>> = Vec::new();
    let (mut pre, mut hidden) = (false, 0_usize);
    let break_line = |out: &mut String| {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
    };
    for token in Tokenizer::new(html) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => match &tag.name[..] {
                b"br" => out.push('\n'),
                b"p" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"table" | b"blockquote" | b"hr" => {
                    break_line(&mut out);
                    if !out.is_empty() {
                        out.push('\n');
                    }
                }
                b"div" | b"tr" | b"dt" | b"dd" | b"section" => break_line(&mut out),
                b"td" | b"th" => out.push_str(if out.is_empty() || out.ends_with('\n') { "" } else { " | " }),
                b"ul" => lists.push(None),
                b"ol" => lists.push(Some(0)),
                b"li" => {
                    break_line(&mut out);
                    out.push_str(&"  ".repeat(lists.len().saturating_sub(1).min(6)));
                    match lists.last_mut() {
                        Some(Some(n)) => {
                            *n += 1;
                            out.push_str(&format!("{n}. "));
                        }
                        _ => out.push_str("- "),
                    }
                }
                b"pre" => {
                    break_line(&mut out);
                    out.push_str("```\n");
                    pre = true;
                }
                b"code" | b"kbd" | b"tt" | b"samp" if !pre => out.push('`'),
                b"b" | b"strong" if !pre => out.push_str("**"),
                b"i" | b"em" if !pre => out.push('*'),
                b"img" | b"audio" | b"video" | b"object" => media += 1,
                b"script" | b"style" if !tag.self_closing => hidden += 1,
                _ => {}
            },
            Token::EndTag(tag) => match &tag.name[..] {
                b"p" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"table" | b"blockquote" => {
                    break_line(&mut out);
                    out.push('\n');
                }
                b"div" | b"li" | b"tr" => break_line(&mut out),
                b"ul" | b"ol" => {
                    lists.pop();
                    break_line(&mut out);
                }
                b"pre" if pre => {
                    break_line(&mut out);
                    out.push_str("```\n");
                    pre = false;
                }
                b"code" | b"kbd" | b"tt" | b"samp" if !pre => out.push('`'),
                b"b" | b"strong" if !pre => out.push_str("**"),
                b"i" | b"em" if !pre => out.push('*'),
                b"script" | b"style" => hidden = hidden.saturating_sub(1),
                _ => {}
            },
            Token::String(text) if hidden == 0 => out.push_str(&String::from_utf8_lossy(&text).replace('\u{a0}', " ")),
            _ => {}
        }
    }
    if pre {
        break_line(&mut out);
        out.push_str("```\n");
    }
    let (text, sounds) = without_sounds(&out);
    // Marks around nothing come from empty tags.
    let text = text.replace("****", "").replace("``\n", "\n");
    (answer::tidy(&text.lines().collect::<Vec<_>>()), media + sounds)
}

/// `[sound:x.mp3]` is Anki's.
fn without_sounds(text: &str) -> (String, usize) {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut sounds = 0;
    while let Some((before, after)) = rest.split_once("[sound:") {
        let Some((_, behind)) = after.split_once(']') else { break };
        out.push_str(before);
        rest = behind;
        sounds += 1;
    }
    out.push_str(rest);
    (out, sounds)
}

/// The tags that people mix into Markdown.
const MIXED: [&str; 20] = [
    "details", "summary", "p", "div", "span", "b", "strong", "i", "em", "code", "kbd", "br", "u", "sub", "sup", "h1",
    "h2", "h3", "h4", "font",
];

/// Markdown without the HTML in it; `Vec<String>` and code stay.
pub fn in_markdown(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let (code, _) = markdown::fences(&lines);
    let mut out = String::with_capacity(text.len());
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        if code[at] || !line.contains(['<', '&']) {
            out.push_str(line);
        } else {
            // What is between backticks is code too.
            for (index, part) in line.split('`').enumerate() {
                if index > 0 {
                    out.push('`');
                }
                if index % 2 == 1 { out.push_str(part) } else { without_tags(part, &mut out) }
            }
        }
    }
    out
}

/// The text of a `<summary>`, which is HTML whatever stands in it.
pub fn in_summary(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    without_tags(text, &mut out);
    out
}

fn without_tags(text: &str, out: &mut String) {
    let mut rest = text;
    // Behind the last end of a tag nothing is looked for again.
    let mut closes = true;
    while let Some(start) = rest.find('<') {
        out.push_str(&unescape(&rest[..start]));
        let after = &rest[start + 1..];
        let name = after.trim_start_matches('/');
        let length = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        let tag = name[..length].to_ascii_lowercase();
        let end = if closes && MIXED.contains(&tag.as_str()) { after.find('>') } else { None };
        closes &= end.is_some() || !MIXED.contains(&tag.as_str());
        match end {
            Some(end) => {
                match tag.as_str() {
                    "br" => out.push('\n'),
                    "b" | "strong" | "summary" => out.push_str("**"),
                    "code" | "kbd" => out.push('`'),
                    _ => {}
                }
                rest = &after[end + 1..];
            }
            None => {
                out.push('<');
                rest = after;
            }
        }
    }
    out.push_str(&unescape(rest));
}
