//! Text as chat services take it: cleaned, measured, cut between words, laid out as a table.

use unicode_segmentation::UnicodeSegmentation;

use crate::domain::message::Span;

/// UTF-16 units. Discord counts code points according to its staff (discord-api-docs #1315) and UTF-16 units in its clients; Slack does not
/// say what it counts. The second is never less, so it is safe for all.
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

/// A word longer than this may be cut, between user-perceived characters.
pub const LONG_WORD: usize = 100;

/// Where a text may end: behind each word, and inside the words that are longer than `long`.
pub fn word_ends(text: &str, long: usize) -> Vec<usize> {
    let mut out = Vec::new();
    let mut start = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let word_text = word.trim_end();
        if size(word_text) > long.min(LONG_WORD) {
            out.extend(word_text.grapheme_indices(true).map(|(at, grapheme)| start + at + grapheme.len()));
        } else if !word_text.is_empty() {
            out.push(start + word_text.len());
        }
        start += word.len();
    }
    out
}

/// Where spans may end: (index of the last one, bytes of it); `long` as in [`word_ends`].
pub fn span_ends(spans: &[Span], long: usize) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    for (at, span) in spans.iter().enumerate() {
        match span {
            Span::Plain { text } | Span::Bold { text } => {
                let glued = |next: &Span| match next {
                    Span::Plain { text } | Span::Bold { text } => !text.starts_with(char::is_whitespace),
                    _ => false,
                };
                let mut ends = word_ends(text, long);
                // A word that goes on in other dress is one word.
                if spans.get(at + 1).is_some_and(glued) && ends.last() == Some(&text.len()) {
                    ends.pop();
                }
                out.extend(ends.into_iter().map(|end| (at, end)));
            }
            Span::Code { text } | Span::Command { text } if size(text) > LONG_WORD => {
                out.extend(word_ends(text, long).into_iter().map(|end| (at, end)));
            }
            Span::Code { text } | Span::Command { text } | Span::Link { text, .. } => out.push((at, text.len())),
            Span::Time { .. } | Span::Role { .. } => out.push((at, 0)),
        }
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

/// The longest cell of a table: four columns still fit a narrow window.
const CELL: usize = 24;

/// A table for a monospaced block: numbers to the right, no line longer than it must be.
///
/// `clip` shortens a text to so many characters.
pub fn table(head: &[String], rows: &[Vec<String>], clip: fn(&str, usize) -> String) -> String {
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
