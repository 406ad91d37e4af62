//! Words for Slack: cleaned, measured, cut between words, laid out as a table.

use unicode_segmentation::UnicodeSegmentation;

use crate::domain::message::{Span, TimeStyle};

/// UTF-16 units, never less than code points: Slack does not say what it counts as a character.
pub fn size(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Text without what could flip or hide the rest of a line: controls, overrides and isolates of direction, invisible
/// spaces. Joiners (emoji, Persian) and ordinary right-to-left letters stay.
pub fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let keep = |c: char| match c {
        '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        '\n' | '\t' => Some(c),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{feff}' => None,
        c if c.is_control() => None,
        c => Some(c),
    };
    text.chars().filter_map(keep).collect()
}

/// [`clean`], on one line.
pub fn clean_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

/// Whether `plain_text` shows just these characters. Nothing is parsed in it, but it comes back with `&lt;` for `<`, so what
/// looks like an escape may be shown as what it stands for, and not every client heeds `"emoji": false`.
pub fn is_plain(text: &str) -> bool {
    let entity = |at: usize| ["&amp;", "&lt;", "&gt;", "&#"].iter().any(|entity| text[at..].starts_with(entity));
    !text.contains('<')
        && !text.match_indices('&').any(|(at, _)| entity(at))
        && !text.match_indices(':').any(|(at, _)| is_shortcode(&text[at + 1..]))
}

/// `smile:` behind a colon: clients show an emoji.
fn is_shortcode(rest: &str) -> bool {
    let name = rest.find(|c: char| !(c.is_alphanumeric() || "_+-'".contains(c)));
    name.is_some_and(|end| end > 0 && rest[end..].starts_with(':'))
}

/// Bytes of a message's `text`: `chat.update` takes 4,000 characters and was seen to count bytes. Some are left for a call.
const TEXT: usize = 3_900;

/// One line for `text`, which Slack reads as `mrkdwn`: without controls, with
/// [the three escapes](https://docs.slack.dev/messaging/formatting-message-text#escaping), and with look-alikes for marks
/// that could pair up, since nothing escapes those. Only notifications and screen readers show it. None if it is blank.
pub fn escaped(text: &str) -> Option<String> {
    let text = clean_line(text);
    let text = text.trim();
    let (mut out, mut fitting, mut most) = (String::new(), 0, 0);
    for (at, c) in text.char_indices() {
        if out.len() <= TEXT - '…'.len_utf8() {
            (fitting, most) = (out.len(), at);
        }
        out.push_str(&neutral(text, at, c));
        if out.len() > TEXT {
            // The last end of a word in the first `most` bytes, and as much of `out`.
            let end = word_ends(&text[..at + c.len_utf8()]).into_iter().take_while(|end| *end <= most).last()?;
            let cut: usize = text[end..most].char_indices().map(|(n, c)| neutral(text, end + n, c).len()).sum();
            out.truncate(fitting - cut);
            return Some(out + "…");
        }
    }
    Some(out).filter(|out| !out.is_empty())
}

/// The character at `at`, as `mrkdwn` that is no markup.
fn neutral(text: &str, at: usize, c: char) -> String {
    let rest = &text[at + c.len_utf8()..];
    // `snake_case` and `2*3` have marks inside words, which pair with nothing.
    let pairs = || {
        let in_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !(in_word(text[..at].chars().next_back()) && in_word(rest.chars().next()))
            && (rest.contains(c) || text[..at].contains(c))
    };
    let sign = match c {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' if at == 0 => "›",
        '>' => "&gt;",
        '*' if pairs() => "∗",
        '_' if pairs() => "ˍ",
        '~' if pairs() => "∼",
        '`' if rest.contains('`') || text[..at].contains('`') => "ˋ",
        ':' if is_shortcode(rest) => "∶",
        c => return c.to_string(),
    };
    sign.to_owned()
}

/// The id of a user group: <https://docs.slack.dev/messaging/formatting-message-text#mentioning-groups>.
pub fn is_user_group(id: &str) -> bool {
    (3..=30).contains(&id.len())
        && id.starts_with('S')
        && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// The instants that `date` elements are made of: 1970 to 9999, in seconds.
const INSTANTS: std::ops::Range<i64> = 0..253_402_300_800;

/// Spans without what shows nothing, neighbours of one kind as one, and only links that may be links.
pub fn tidy(spans: &[Span]) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        let span = match span {
            Span::Plain { text } => Span::plain(clean(text)),
            Span::Bold { text } => visible(clean(text), Span::bold),
            Span::Code { text } | Span::Command { text } => visible(clean_line(text), Span::code),
            Span::Link { text, url } => link(text, url),
            Span::Time { at, .. } if !INSTANTS.contains(&at.div_euclid(1_000)) => Span::plain(span.as_plain()),
            // Every time is shown as a date and a time of day, once.
            Span::Time { at, style: TimeStyle::Relative } if told(&out, *at) => {
                out.pop();
                continue;
            }
            Span::Time { at, .. } => Span::Time { at: *at, style: TimeStyle::Full },
            Span::Role { id } if !is_user_group(id) => Span::plain(clean_line(id)),
            Span::Role { .. } => span.clone(),
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

/// Whether the spans end with this instant and a comma.
fn told(spans: &[Span], at: i64) -> bool {
    match spans {
        [.., Span::Time { at: before, .. }, Span::Plain { text }] => *before == at && text == ", ",
        _ => false,
    }
}

fn visible(text: String, make: fn(String) -> Span) -> Span {
    if text.trim().is_empty() { Span::plain(text) } else { make(text) }
}

/// The longest address that is shown as a link.
const LONGEST_URL: usize = 500;
const LONGEST_LINK: usize = 100;

/// A link, or its words when the address is not one for a browser.
fn link(text: &str, url: &str) -> Span {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=%".contains(&byte);
    let percent = |byte: u8| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    let safe: String = url.bytes().map(percent).collect();
    if host.is_none_or(|host| !host.starts_with(|c: char| c.is_alphanumeric())) || safe.len() > LONGEST_URL {
        return Span::plain(clean(text));
    }
    let words = clean_line(text);
    let words = words.trim();
    let words = if words.is_empty() { host.and_then(|host| host.split('/').next()).unwrap_or(url) } else { words };
    Span::Link { text: clip(&clean_line(words), LONGEST_LINK), url: safe }
}

/// A word longer than this may be cut, between user-perceived characters.
const LONG_WORD: usize = 100;

/// Where a text may end: behind each word, and inside very long words.
pub fn word_ends(text: &str) -> Vec<usize> {
    let mut out = Vec::new();
    let mut start = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let word_text = word.trim_end();
        if size(word_text) > LONG_WORD {
            out.extend(word_text.grapheme_indices(true).map(|(at, grapheme)| start + at + grapheme.len()));
        } else if !word_text.is_empty() {
            out.push(start + word_text.len());
        }
        start += word.len();
    }
    out
}

/// Where spans may end: (index of the last one, bytes of it).
pub fn span_ends(spans: &[Span]) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    for (at, span) in spans.iter().enumerate() {
        match span {
            Span::Plain { text } | Span::Bold { text } => {
                let glued = |next: &Span| match next {
                    Span::Plain { text } | Span::Bold { text } => !text.starts_with(char::is_whitespace),
                    _ => false,
                };
                let mut ends = word_ends(text);
                // A word that goes on in other dress is one word.
                if spans.get(at + 1).is_some_and(glued) && ends.last() == Some(&text.len()) {
                    ends.pop();
                }
                out.extend(ends.into_iter().map(|end| (at, end)));
            }
            Span::Code { text } | Span::Command { text } if size(text) > LONG_WORD => {
                out.extend(word_ends(text).into_iter().map(|end| (at, end)));
            }
            Span::Code { text } | Span::Command { text } | Span::Link { text, .. } => out.push((at, text.len())),
            Span::Time { .. } | Span::Role { .. } => out.push((at, 0)),
        }
    }
    out
}

/// The spans up to an end, and an ellipsis.
pub fn up_to(spans: &[Span], (last, bytes): (usize, usize)) -> Vec<Span> {
    let mut out = spans[..=last].to_vec();
    if let Some(Span::Plain { text } | Span::Bold { text } | Span::Code { text }) = out.last_mut() {
        text.truncate(bytes);
    }
    match out.last_mut() {
        Some(Span::Plain { text }) => text.push('…'),
        _ => out.push(Span::plain("…")),
    }
    out
}

/// The last of `count` ever longer things that can be made.
pub fn longest<T>(count: usize, make: impl Fn(usize) -> Option<T>) -> Option<T> {
    let (mut fits, mut below, mut above) = (None, 0, count);
    while below < above {
        let middle = below.midpoint(above);
        match make(middle) {
            Some(made) => {
                fits = Some(made);
                below = middle + 1;
            }
            None => above = middle,
        }
    }
    fits
}

/// At most `limit` long, cut behind a word with an ellipsis.
pub fn clip(text: &str, limit: usize) -> String {
    if size(text) <= limit {
        return text.to_owned();
    }
    let ends = word_ends(text);
    let cut = |n: usize| Some(format!("{}…", &text[..ends[n]])).filter(|cut| size(cut) <= limit);
    // A first word that is too long is cut between user-perceived characters.
    let graphemes = || {
        let ends: Vec<usize> = text.grapheme_indices(true).map(|(at, grapheme)| at + grapheme.len()).collect();
        longest(ends.len(), |n| Some(format!("{}…", &text[..ends[n]])).filter(|cut| size(cut) <= limit))
    };
    longest(ends.len(), cut).or_else(graphemes).unwrap_or_else(|| "…".to_owned())
}

/// The longest cell of a table: four columns still fit a narrow window.
const CELL: usize = 24;

/// A table for a monospaced block: numbers to the right, no line longer than it must be.
pub fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let cell = |text: &String| isolated(&clip(clean_line(text).trim(), CELL));
    let lines: Vec<Vec<String>> =
        std::iter::once(head).chain(rows.iter().map(Vec::as_slice)).map(|row| row.iter().map(cell).collect()).collect();
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let at = |line: &[String], column: usize| line.get(column).cloned().unwrap_or_default();
    let widths: Vec<usize> =
        (0..columns).map(|column| lines.iter().map(|line| width(&at(line, column))).max().unwrap_or(0)).collect();
    let numbers: Vec<bool> =
        (0..columns).map(|column| lines[1..].iter().all(|line| is_number(&at(line, column)))).collect();
    let mut out = Vec::with_capacity(lines.len());
    for line in &lines {
        let cells = (0..columns).map(|column| {
            let text = at(line, column);
            let pad = " ".repeat(widths[column] - width(&text));
            if numbers[column] { pad + &text } else { text + &pad }
        });
        out.push(cells.collect::<Vec<_>>().join("  ").trim_end().to_owned());
    }
    out.join("\n")
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || ".,+-−–%".contains(c))
}

/// A right-to-left name between isolates, lest it reorders the numbers beside it.
fn isolated(text: &str) -> String {
    let turns = |c: char| matches!(u32::from(c), 0x590..=0x8ff | 0xfb1d..=0xfdff | 0xfe70..=0xfefc | 0x1_0800..=0x1_0fff | 0x1_e800..=0x1_efff);
    if text.contains(turns) { format!("\u{2068}{text}\u{2069}") } else { text.to_owned() }
}

/// Columns of a monospaced font, near enough: East Asian letters and emoji take two.
fn width(text: &str) -> usize {
    text.graphemes(true)
        .map(|grapheme| match grapheme.chars().next().map_or(0, u32::from) {
            0x2068 | 0x2069 | 0x200c..=0x200f => 0,
            0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f => 2,
            0xff01..=0xff60 | 0xffe0..=0xffe6 | 0x1_f1e6..=0x1_f64f | 0x1_f680..=0x1_faff | 0x2_0000..=0x3_fffd => 2,
            _ if grapheme.contains('\u{fe0f}') => 2,
            _ => 1,
        })
        .sum()
}
