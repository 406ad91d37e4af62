//! The elements of `rich_text` blocks. Source: <https://docs.slack.dev/reference/block-kit/blocks/rich-text-block>.

use serde_json::{Map, Value, json};
use unicode_segmentation::GraphemeCursor;

use crate::domain::message::Span;

/// "today, 17:00", "Nov 23, 2026, 5:00 PM": each reader's own zone, clock and day. There is `{ago}` too, but it is described for
/// what is past only, does not tick, and nearly all our times are to come; so a relative time is shown as a date as well.
/// Source: <https://docs.slack.dev/reference/block-kit/block-elements/date-element>.
const DATE: &str = "{date_short_pretty}, {time}";

/// The longest text of one element. Slack states no limit for it; this is the one of other texts.
const ELEMENT: usize = 3_000;

/// The names of styles that are on: `bold`, `italic`, `code`, `underline`.
pub type Dress = &'static [&'static str];

pub fn block(elements: Vec<Value>) -> Value {
    json!({ "type": "rich_text", "elements": elements })
}

pub fn section(elements: Vec<Value>) -> Value {
    json!({ "type": "rich_text_section", "elements": elements })
}

pub fn list(indent: u8, elements: Vec<Value>) -> Value {
    json!({ "type": "rich_text_list", "style": "bullet", "indent": indent, "elements": [section(elements)] })
}

pub fn quote(elements: Vec<Value>) -> Value {
    json!({ "type": "rich_text_quote", "elements": elements })
}

pub fn preformatted(text: &str) -> Value {
    json!({ "type": "rich_text_preformatted", "elements": self::text(text, &[]) })
}

/// Literal text; none if it is empty. What is too long for one element goes on in the next.
pub fn text(text: &str, dress: &[&str]) -> Vec<Value> {
    let (mut out, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (part, more) = rest.split_at(element_end(rest));
        out.push(styled(json!({ "type": "text", "text": part }), dress));
        rest = more;
    }
    out
}

/// How many bytes go into one element: never a part of a user-perceived character, if that is not endless.
fn element_end(text: &str) -> usize {
    let mut left = ELEMENT;
    let too_far = text.char_indices().find(|(_, c)| {
        let fits = left.checked_sub(c.len_utf16());
        left = fits.unwrap_or(0);
        fits.is_none()
    });
    let Some((most, _)) = too_far else { return text.len() };
    let boundary = |at: &usize| {
        text.is_char_boundary(*at) && GraphemeCursor::new(*at, text.len(), true).is_boundary(text, 0) == Ok(true)
    };
    (1..=most).rev().find(boundary).unwrap_or(most)
}

fn styled(mut element: Value, dress: &[&str]) -> Value {
    if !dress.is_empty() {
        let style: Map<String, Value> = dress.iter().map(|name| ((*name).to_owned(), json!(true))).collect();
        element["style"] = Value::Object(style);
    }
    element
}

/// The elements of spans as `tidy` leaves them. `names` says whether a user group may stand there as itself: where others see
/// it, that calls its members.
pub fn inline(spans: &[Span], dress: Dress, names: bool) -> Vec<Value> {
    let with = |name: &'static str| {
        let mut all = dress.to_vec();
        if !all.contains(&name) {
            all.push(name);
        }
        all
    };
    let mut out = Vec::new();
    for span in spans {
        match span {
            Span::Plain { text } => out.extend(self::text(text, dress)),
            Span::Bold { text } => out.extend(self::text(text, &with("bold"))),
            Span::Code { text } | Span::Command { text } => out.extend(self::text(text, &with("code"))),
            Span::Link { text, url } => {
                out.push(styled(json!({ "type": "link", "url": url, "text": text }), dress));
            }
            Span::Role { id } if names => {
                out.push(styled(json!({ "type": "usergroup", "usergroup_id": id }), dress));
            }
            Span::Role { id } => out.extend(self::text(id, dress)),
            Span::Time { at, .. } => out.push(styled(date(*at), dress)),
        }
    }
    out
}

/// `at` in unix milliseconds.
fn date(at: i64) -> Value {
    let fallback = jiff::Timestamp::from_millisecond(at)
        .map_or_else(|_| at.to_string(), |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string());
    json!({ "type": "date", "timestamp": at.div_euclid(1_000), "format": DATE, "fallback": fallback })
}
