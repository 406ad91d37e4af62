//! Words for Slack: which of them are literal, what they become where they are not, and how they are cut.

use unicode_segmentation::UnicodeSegmentation;

use crate::adapters::layout::{LONG_WORD, clean, clean_line, longest, size, word_ends};
use crate::domain::message::{Span, TimeStyle};

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
            let end =
                word_ends(&text[..at + c.len_utf8()], LONG_WORD).into_iter().take_while(|end| *end <= most).last()?;
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

/// At most `limit` long, cut behind a word with an ellipsis.
pub fn clip(text: &str, limit: usize) -> String {
    if size(text) <= limit {
        return text.to_owned();
    }
    let ends = word_ends(text, LONG_WORD);
    let cut = |n: usize| Some(format!("{}…", &text[..ends[n]])).filter(|cut| size(cut) <= limit);
    // A first word that is too long is cut between user-perceived characters.
    let graphemes = || {
        let ends: Vec<usize> = text.grapheme_indices(true).map(|(at, grapheme)| at + grapheme.len()).collect();
        longest(ends.len(), |n| Some(format!("{}…", &text[..ends[n]])).filter(|cut| size(cut) <= limit))
    };
    longest(ends.len(), cut).or_else(graphemes).unwrap_or_else(|| "…".to_owned())
}
