//! Discord's Markdown, written so that what people wrote stays what they wrote: escaped, measured, cut between words.

use crate::adapters::layout::{clean, clean_line, longest, size, word_ends};
use crate::domain::command;
use crate::domain::message::{Span, TimeStyle};

/// Spans without what shows nothing, neighbours of one kind as one, and only links that may be links.
pub fn tidy(spans: &[Span]) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        let span = match span {
            Span::Plain { text } => Span::plain(clean(text)),
            Span::Bold { text } => visible(clean_line(text), Span::bold),
            // No escape works inside code, and two backticks are not understood by every client: a look-alike.
            Span::Code { text } => code(text),
            // As people type it here: every value in a field of its own.
            Span::Command { text } => code(&command::named(text).unwrap_or_else(|| text.clone())),
            Span::Link { text, url } => link(text, url),
            Span::Time { at, .. } if jiff::Timestamp::from_millisecond(*at).is_err() => Span::plain(at.to_string()),
            Span::Role { id } if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) => {
                Span::plain(clean_line(id))
            }
            Span::Time { .. } | Span::Role { .. } => span.clone(),
        };
        match (out.last_mut(), span) {
            (_, Span::Plain { text }) if text.is_empty() => {}
            (Some(Span::Plain { text }), Span::Plain { text: more })
            | (Some(Span::Bold { text }), Span::Bold { text: more })
            | (Some(Span::Code { text }), Span::Code { text: more }) => text.push_str(&more),
            (_, span) => out.push(span),
        }
    }
    out
}

fn code(text: &str) -> Span {
    visible(clean_line(text).replace('`', "ˋ"), Span::code)
}

fn visible(text: String, make: fn(String) -> Span) -> Span {
    if text.trim().is_empty() { Span::plain(text) } else { make(text) }
}

/// The longest address that is shown as a link.
const LONGEST_URL: usize = 500;

/// A masked link, or its words when the address is not one for a browser. Discord shows the backslash of an escape inside
/// the words and takes no link whose words hold `https://` (discord-api-docs #6185, #7721): both are replaced.
fn link(text: &str, url: &str) -> Span {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let safe = percent(url, |byte| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'*+,;=%".contains(&byte));
    if host.is_none_or(|host| !host.starts_with(|c: char| c.is_alphanumeric())) || safe.len() > LONGEST_URL {
        return Span::plain(clean(text));
    }
    let words = clean_line(text).replace("https://", "").replace("http://", "").replace("://", " ");
    let words: String = words
        .chars()
        .map(|c| match c {
            '[' => '(',
            ']' => ')',
            '\\' => '/',
            '`' => 'ˋ',
            '*' => '∗',
            '_' => 'ˍ',
            '~' => '∼',
            '|' => '∣',
            '<' => '‹',
            '>' => '›',
            '@' => '＠',
            // No shortcode of an emoji, no heading.
            ':' => '∶',
            '#' => '＃',
            c => c,
        })
        .collect();
    let words = words.trim();
    let words = if words.is_empty() { host.and_then(|host| host.split('/').next()).unwrap_or(url) } else { words };
    Span::Link { text: clip(words, 100), url: safe }
}

/// Percent-encodes every byte that is not kept.
pub fn percent(text: &str, keep: impl Fn(u8) -> bool) -> String {
    text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// What stands before the next character of a line.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// At most blanks: here begin headings, lists, quotes.
    Nothing,
    /// A number, which with a full stop begins a list.
    Number,
    Words,
}

/// Lines of Markdown in the making.
pub struct Writer {
    out: String,
    before: Before,
}

impl Writer {
    pub fn new() -> Writer {
        Writer { out: String::new(), before: Before::Nothing }
    }

    pub fn finish(self) -> String {
        self.out
    }

    /// Markup of our own, inside a line.
    pub fn raw(&mut self, markup: &str) {
        self.out.push_str(markup);
        self.before = Before::Words;
    }

    pub fn line_end(&mut self) {
        self.out.push('\n');
        self.before = Before::Nothing;
    }

    /// Text that is no markup, whatever it contains.
    pub fn plain(&mut self, text: &str) {
        for (at, c) in text.char_indices() {
            let rest = &text[at + c.len_utf8()..];
            let escape = match c {
                '\\' | '*' | '_' | '~' | '`' | '|' | '<' | '[' | ']' | '@' => true,
                '#' | '>' | '-' | '+' => self.before == Before::Nothing,
                '.' => self.before == Before::Number && rest.chars().next().is_none_or(char::is_whitespace),
                ':' => rest.starts_with("//") || is_shortcode(rest),
                _ => false,
            };
            if escape {
                self.out.push('\\');
            }
            self.out.push(c);
            self.before = match (c, self.before) {
                ('\n', _) => Before::Nothing,
                (c, Before::Nothing) if c.is_whitespace() => Before::Nothing,
                ('0'..='9', Before::Nothing | Before::Number) => Before::Number,
                _ => Before::Words,
            };
        }
    }

    /// Text of one line between two marks; blanks at its ends stay outside. Something has to stand between two of them:
    /// four marks in a row close nothing.
    pub fn marked(&mut self, mark: &'static str, text: &str) {
        let inner = text.trim();
        if inner.is_empty() {
            return self.plain(text);
        }
        let (start, end) = (text.len() - text.trim_start().len(), text.trim_end().len());
        self.plain(&text[..start]);
        self.raw(mark);
        self.plain(inner);
        self.raw(mark);
        self.plain(&text[end..]);
    }

    /// Spans as [`tidy`] leaves them.
    pub fn spans(&mut self, spans: &[Span]) {
        for span in spans {
            match span {
                Span::Plain { text } => self.plain(text),
                Span::Bold { text } => self.marked("**", text),
                Span::Code { text } | Span::Command { text } => self.raw(&format!("`{text}`")),
                Span::Link { text, url } => self.raw(&format!("[{text}]({url})")),
                // In an embed it is a name and no call.
                Span::Role { id } => self.raw(&format!("<@&{id}>")),
                Span::Time { at, style } => {
                    let style = match style {
                        TimeStyle::Full => 'F',
                        TimeStyle::Relative => 'R',
                    };
                    self.raw(&format!("<t:{}:{style}>", at.div_euclid(1_000)));
                }
            }
        }
    }
}

/// `smile:` behind a colon: clients show an emoji.
fn is_shortcode(rest: &str) -> bool {
    let name = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_+-~".contains(c)));
    name.is_some_and(|end| end > 0 && rest[end..].starts_with(':'))
}

/// `> ` before every line.
pub fn quoted(text: &str) -> String {
    text.split('\n').map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n")
}

/// Small print. Seen to work in descriptions (merlinfuchs/embed-generator #168); the values of fields take no headings
/// (discord-api-docs #7167), so probably none of it either.
pub fn small(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| format!("-# {}", line.trim_start())).collect::<Vec<_>>().join("\n")
}

/// A monospaced block. Nothing is markup in it but its own end.
pub fn fence(text: &str) -> String {
    let text = if text.contains("``") { text.replace('`', "ˋ") } else { text.to_owned() };
    format!("```\n{text}\n```")
}

/// The spans up to an end, and an ellipsis.
pub fn up_to(spans: &[Span], (last, bytes): (usize, usize)) -> Vec<Span> {
    let mut out = spans[..=last].to_vec();
    if let Some(Span::Plain { text } | Span::Bold { text } | Span::Code { text }) = out.last_mut() {
        text.truncate(bytes);
    }
    out.push(Span::plain("…"));
    tidy(&out)
}

/// Text that is no Markdown (labels, titles, footers), at most `limit` long, cut behind a word with an ellipsis.
pub fn clip(text: &str, limit: usize) -> String {
    if size(text) <= limit {
        return text.to_owned();
    }
    let ends = word_ends(text, limit / 2);
    longest_in(limit, ends.len(), |n| format!("{}…", &text[..ends[n]])).unwrap_or_else(|| "…".to_owned())
}

/// The longest of `count` ever longer texts that is not larger than `room`.
pub fn longest_in(room: usize, count: usize, make: impl Fn(usize) -> String) -> Option<String> {
    longest(count, |n| Some(make(n)).filter(|text| size(text) <= room))
}
