//! Whatever a message holds, Slack takes it, and what people wrote is shown as they wrote it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use drillbot::adapters::slack::render;
use drillbot::domain::bank::{Bank, Source};
use drillbot::domain::command::{Board, Window};
use drillbot::domain::confidence::Confidence;
use drillbot::domain::drill::{Drill, Item, Outcome};
use drillbot::domain::grade::{PointState, grade};
use drillbot::domain::ids::{ChannelId, ClaimId, DrillId, MemberId, ReviewId, RoundId, ScheduleId};
use drillbot::domain::message::{
    Block, Button, Choosable, Form, Input, InputKind, Message, Span, Style, TimeStyle, Tone,
};
use drillbot::domain::question::Question;
use drillbot::domain::round::{Period, Round, State};
use drillbot::domain::ruling::ClaimState;
use drillbot::domain::schedule::AnswerMode;
use drillbot::domain::text::{self, CardView, ClaimView, Disputed, NamedAnswer, Reveal, Standing};
use insta::assert_snapshot;
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation;

use crate::fake::slack::payloads;
use crate::support::setting;
use crate::world::MONDAY;

// --- Slack's blocks, read by rules of our own ---------------------------------------------------------------------------

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// What Slack may count, never less than code points.
fn size(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The words of a `plain_text` object that cannot be read as anything else.
fn plain(object: &Value, most: usize) -> Result<String, String> {
    let text = string(&object["text"]);
    if object["type"] != "plain_text" || object["emoji"] != false {
        return Err(format!("not literal: {object}"));
    }
    if text.trim().is_empty() || size(text) > most || text.chars().any(is_hidden) {
        return Err(format!("empty, too long or with hidden signs: {object}"));
    }
    Ok(text.to_owned())
}

/// [`plain`], where also an escape, a mention and an emoji's code would be shown as typed.
fn literal(object: &Value, most: usize) -> Result<String, String> {
    let text = plain(object, most)?;
    let odd = ["&amp;", "&lt;", "&gt;", "&#", "<"].iter().any(|sign| text.contains(sign)) || has_shortcode(&text);
    if odd { Err(format!("may be shown as something else: {object}")) } else { Ok(text) }
}

fn has_shortcode(text: &str) -> bool {
    text.split(':').enumerate().any(|(n, name)| {
        n > 0
            && n < text.matches(':').count()
            && !name.is_empty()
            // The look-alikes of marks are letters to Unicode.
            && name.chars().all(|c| (c.is_alphanumeric() || "_+-'".contains(c)) && !"ˋˍ".contains(c))
    })
}

/// The words of the elements of a `rich_text` block: text, links and dates, nothing that calls anybody.
fn rich(elements: &Value, marks: bool, groups: bool) -> Result<String, String> {
    let mut out = String::new();
    for element in array(elements) {
        let styles: Vec<&str> =
            element["style"].as_object().map(|style| style.keys().map(String::as_str).collect()).unwrap_or_default();
        let on =
            element["style"].as_object().is_none_or(|style| !style.is_empty() && style.values().all(|on| on == true));
        let words = match string(&element["type"]) {
            "text" => string(&element["text"]).to_owned(),
            "link" => {
                let url = string(&element["url"]);
                if !url.starts_with("http")
                    || !url.chars().all(|c| c.is_ascii_graphic())
                    || url.contains(['<', '>', '|'])
                {
                    return Err(format!("an address that is not safe: {url}"));
                }
                if marks {
                    format!("[{}]({url})", string(&element["text"]))
                } else {
                    string(&element["text"]).to_owned()
                }
            }
            "date" => {
                let format = string(&element["format"]);
                if !element["timestamp"].is_i64() || !format.contains("{time}") || element.get("url").is_some() {
                    return Err(format!("a date of another kind: {element}"));
                }
                let fallback = string(&element["fallback"]).to_owned();
                if marks { format!("<{fallback}>") } else { fallback }
            }
            "usergroup" if groups => format!("@{}", string(&element["usergroup_id"])),
            other => return Err(format!("an element {other}")),
        };
        if words.is_empty() || size(&words) > 3_100 || words.chars().any(is_hidden) || !on {
            return Err(format!("empty, too long or with hidden signs: {element}"));
        }
        out.push_str(&if marks { styles.iter().fold(words, |words, style| marked(&words, style)) } else { words });
    }
    if out.trim().is_empty() { Err(format!("nothing to see: {elements}")) } else { Ok(out) }
}

fn marked(words: &str, style: &str) -> String {
    let mark = match style {
        "bold" => "**",
        "underline" => "__",
        "code" => "`",
        "italic" => "/",
        other => panic!("a style {other}"),
    };
    format!("{mark}{words}{mark}")
}

/// What a block shows; with `marks`, as a person may read it.
fn shown(block: &Value, marks: bool, groups: bool) -> Result<String, String> {
    let quoted = |text: &str| text.split('\n').map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n");
    Ok(match string(&block["type"]) {
        "divider" => if marks { "---" } else { "" }.to_owned(),
        "header" => {
            let text = literal(&block["text"], 150)?;
            if text.contains('\n') {
                return Err(format!("a heading of two lines: {text}"));
            }
            if marks { format!("# {text}") } else { text }
        }
        "context" => {
            let [element] = array(&block["elements"]) else { return Err(format!("more than one element: {block}")) };
            let text = literal(element, 3_000)?;
            if marks { format!("({text})") } else { text }
        }
        "actions" => {
            let buttons = array(&block["elements"]);
            if !(1..=25).contains(&buttons.len()) {
                return Err(format!("{} buttons", buttons.len()));
            }
            let mut out = Vec::new();
            for button in buttons {
                let style = match &button["style"] {
                    Value::Null => "",
                    style if style == "primary" || style == "danger" => string(style),
                    other => return Err(format!("a style {other}")),
                };
                out.push(format!("<{}>", format!("{style} {}", plain(&button["text"], 75)?).trim()));
            }
            if marks { out.join(" ") } else { String::new() }
        }
        "rich_text" => {
            let mut out = Vec::new();
            for part in array(&block["elements"]) {
                let elements = &part["elements"];
                match string(&part["type"]) {
                    "rich_text_section" => out.push(rich(elements, marks, groups)?),
                    "rich_text_quote" if marks => out.push(quoted(&rich(elements, marks, groups)?)),
                    "rich_text_quote" => out.push(rich(elements, marks, groups)?),
                    "rich_text_preformatted" => {
                        let text = rich(elements, false, false)?;
                        out.push(if marks { format!("```\n{text}\n```") } else { text });
                    }
                    "rich_text_list" => {
                        let indent = "  ".repeat(usize::try_from(part["indent"].as_u64().unwrap()).unwrap());
                        for item in array(elements) {
                            let text = rich(&item["elements"], marks, groups)?;
                            out.push(if marks { format!("{indent}• {text}") } else { text });
                        }
                    }
                    other => return Err(format!("a part {other}")),
                }
            }
            if out.is_empty() {
                return Err("an empty block".into());
            }
            out.join("\n")
        }
        other => return Err(format!("a block {other}")),
    })
}

/// Signs that turn or hide text.
fn is_hidden(c: char) -> bool {
    matches!(u32::from(c), 0xad | 0x180e | 0x200b | 0x202a..=0x202e | 0x2060..=0x2065 | 0x206a..=0x206f | 0xfeff)
        || (c.is_control() && c != '\n' && c != '\t')
}

/// The letters of a text, without blanks and what is never shown.
fn letters(text: &str) -> String {
    let isolate = |c: char| ('\u{2066}'..='\u{2069}').contains(&c);
    text.chars().filter(|c| !c.is_whitespace() && !is_hidden(*c) && !isolate(*c) && *c != '–').collect()
}

/// A `text`, which Slack reads as `mrkdwn`: nothing in it is markup.
fn check_text(text: &str) -> Result<(), TestCaseError> {
    prop_assert!(!text.trim().is_empty() && text.len() <= 3_950, "{}", text.len());
    prop_assert!(!text.chars().any(|c| is_hidden(c) || c == '\n'));
    prop_assert!(!text.contains(['<', '>']) && !text.starts_with("&gt;"), "{}", text);
    for (at, _) in text.match_indices('&') {
        let known = ["&amp;", "&lt;", "&gt;"].iter().any(|escape| text[at..].starts_with(escape));
        prop_assert!(known, "a bare & in {}", text);
    }
    prop_assert!(!has_shortcode(text), "an emoji in {}", text);
    prop_assert!(text.matches('`').count() < 2, "code in {}", text);
    let signs: Vec<char> = text.chars().collect();
    for mark in ['*', '_', '~'] {
        let side = |at: Option<usize>| at.and_then(|at| signs.get(at)).copied();
        let opens = |at: usize| {
            !side(at.checked_sub(1)).is_some_and(char::is_alphanumeric)
                && side(Some(at + 1)).is_some_and(|next| !next.is_whitespace())
        };
        let first = (0..signs.len()).find(|at| signs[*at] == mark && opens(*at));
        prop_assert!(first.is_none_or(|first| !signs[first + 1..].contains(&mark)), "{} in {}", mark, text);
    }
    Ok(())
}

/// Everything that Slack would refuse and everything that would be shown as what nobody wrote. Gives the words shown.
fn check_blocks(blocks: &[Value], most: usize, total: usize, groups: bool) -> Result<String, TestCaseError> {
    prop_assert!((1..=most).contains(&blocks.len()), "{} blocks", blocks.len());
    let json = Value::from(blocks.to_vec()).to_string();
    prop_assert!(size(&json) <= total, "{} characters", size(&json));
    prop_assert!(!json.contains(r#""type":"mrkdwn""#));
    let mut words = String::new();
    let mut ids: Vec<&str> = Vec::new();
    for (n, block) in blocks.iter().enumerate() {
        let said = shown(block, false, groups).map_err(TestCaseError::fail)?;
        let notice = block["type"] == "context" && said == text::shortened();
        words += if notice { "" } else { &said };
        if block["type"] == "divider" {
            prop_assert!(n > 0 && n + 1 < blocks.len() && blocks[n + 1]["type"] != "divider");
        }
        if block["type"] == "actions" {
            for button in array(&block["elements"]) {
                let id = string(&button["action_id"]);
                prop_assert!((1..=255).contains(&size(id)) && !ids.contains(&id), "{}", id);
                ids.push(id);
            }
        }
    }
    Ok(words)
}

fn is_shortened(blocks: &[Value]) -> bool {
    blocks.iter().any(|block| block["type"] == "context" && block["elements"][0]["text"] == text::shortened())
}

/// [`check_blocks`] of a message wherever it may be shown.
fn check(message: &Message) -> Result<String, TestCaseError> {
    let body = render::message(message);
    prop_assert_eq!(&body["unfurl_links"], &json!(false));
    prop_assert_eq!(&body["unfurl_media"], &json!(false));
    check_text(string(&body["text"]))?;
    let words = check_blocks(array(&body["blocks"]), 49, 12_000, false)?;
    let called = render::with_ping(body, "S0123456789ABCDEF");
    prop_assert!(size(&called["blocks"].to_string()) <= 12_000 && string(&called["text"]).len() <= 4_000);
    check_blocks(array(&render::private(message)["blocks"]), 49, 12_000, true)?;
    let view = render::modal_message("Drill", message, "{}");
    check_blocks(array(&view["blocks"]), 100, 60_000, true)?;
    Ok(words)
}

// --- Slack's own description of its API, if it lies beside the project ---------------------------------------------------

fn schema(name: &str) -> Option<Validator> {
    let given = setting("DRILLBOT_SPECS").map(PathBuf::from);
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("shared/specs"));
    let files = given.into_iter().chain(above).map(|folder| folder.join(format!("slack-sdk-schemas/{name}.json")));
    let file = files.into_iter().find(|file| file.is_file())?;
    let schema = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    Some(jsonschema::validator_for(&schema).unwrap())
}

fn valid(schema: &Option<Validator>, value: &Value) -> Result<(), TestCaseError> {
    keep(value);
    let Some(schema) = schema else { return Ok(()) };
    prop_assert!(schema.is_valid(value), "{}", serde_json::to_string_pretty(value).unwrap());
    Ok(())
}

/// For the second opinion of `tests/slack_models.py`.
fn keep(value: &Value) {
    let views = ["modal", "home"].iter().any(|kind| value["type"] == *kind);
    let body = if views { json!({ "view": value }) } else { value.clone() };
    payloads::keep("rendered", &body);
}

fn with(mut body: Value, fields: &[(&str, &str)]) -> Value {
    for (name, value) in fields {
        body[*name] = json!(value);
    }
    body
}

fn without(mut body: Value, fields: &[&str]) -> Value {
    for name in fields {
        body.as_object_mut().unwrap().remove(*name);
    }
    body
}

// --- Messages of every kind -----------------------------------------------------------------------------------------

const NASTY: &[&str] = &[
    "*",
    "*x*",
    "_",
    "_x_",
    "~",
    "~x~",
    "`",
    "`x`",
    "```",
    "&",
    "&amp;",
    "&lt;!channel&gt;",
    "&#42;",
    "<",
    ">",
    "> ",
    "&gt; ",
    "<!channel>",
    "<!here|here>",
    "<!everyone>",
    "<@U012AB3CD>",
    "<#C012AB3CD|general>",
    "<!subteam^S0123>",
    "<!date^1392734382^{date}|x>",
    "<https://evil.example|bank>",
    "<mailto:a@b.example>",
    "https://evil.example/a_b",
    "evil.example",
    "a@b.example",
    "@here",
    "@channel",
    "#general",
    ":smile:",
    ":+1::skin-tone-2:",
    ":",
    "a:b:c",
    "- ",
    "1. ",
    "\n",
    "\n\n",
    "\r\n",
    " ",
    "  ",
    "\t",
    "\\",
    "\"",
    "👩‍👩‍👧‍👦",
    "🇩🇪",
    "👍🏽",
    "e\u{301}",
    "\u{200b}",
    "\u{202e}",
    "\u{2066}",
    "\u{2069}",
    "\u{feff}",
    "\u{200d}",
    "\0",
    "\u{7}",
    "\u{2028}",
    "שלום",
    "مرحبا",
    "日本語",
    "\u{1f468}",
    "snake_case_name",
    "a*b*c",
    "word",
    "and",
    "3.5",
    "…",
    "–",
];

fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::collection::vec(prop::sample::select(NASTY), 0..12).prop_map(|parts| parts.concat()),
        3 => "\\PC{0,60}",
        2 => "[a-zA-Z ,.]{0,200}",
        1 => (prop::sample::select(NASTY), 1..3_000_usize).prop_map(|(part, times)| part.repeat(times.min(15_000 / part.len()))),
        1 => "[a-z*]{1,9}( [a-z_é`]{1,12}){200,1500}",
        1 => Just("x".repeat(15_000)),
    ]
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![
        6 => nasty().prop_map(Span::plain),
        2 => nasty().prop_map(Span::bold),
        2 => nasty().prop_map(Span::code),
        1 => (nasty(), prop_oneof![nasty(), nasty().prop_map(|path| format!("https://a.example/{path}"))])
            .prop_map(|(text, url)| Span::Link { text, url }),
        1 => prop_oneof!["S[0-9A-Z]{4,12}", nasty()].prop_map(|id| Span::Role { id }),
        1 => (any::<i64>(), any::<bool>()).prop_map(|(at, full)| Span::Time {
            at: at % 10_000_000_000_000,
            style: if full { TimeStyle::Full } else { TimeStyle::Relative },
        }),
    ]
}

fn spans() -> impl Strategy<Value = Vec<Span>> {
    prop::collection::vec(span(), 0..4)
}

fn block() -> impl Strategy<Value = Block> {
    let cells = |columns| prop::collection::vec(nasty(), columns);
    prop_oneof![
        2 => nasty().prop_map(Block::heading),
        3 => spans().prop_map(|spans| Block::Line { spans }),
        2 => spans().prop_map(|spans| Block::Note { spans }),
        4 => (nasty(), spans()).prop_map(|(label, spans)| Block::Field { label, spans }),
        3 => (prop_oneof![Just("✓".to_owned()), Just("•".to_owned()), Just("  ◦".to_owned()), nasty()], spans())
            .prop_map(|(mark, spans)| Block::Item { mark, spans }),
        3 => (prop::option::of(nasty()), nasty(), prop::collection::vec((0..300_usize, 0..40_usize), 0..5)).prop_map(
            |(by, text, hits)| Block::Quote { by, text, hits: hits.into_iter().map(|(at, n)| (at, at + n)).collect() }
        ),
        1 => nasty().prop_map(|text| Block::Code { text }),
        1 => (0..5_usize).prop_flat_map(move |n| (cells(n), prop::collection::vec(cells(n), 0..6)))
            .prop_map(|(head, rows)| Block::Table { head, rows }),
        1 => Just(Block::Divider),
    ]
}

fn button() -> impl Strategy<Value = Button> {
    let style = prop::sample::select(&[Style::Primary, Style::Secondary, Style::Danger][..]);
    (prop_oneof!["[a-z]{0,3}", nasty()], nasty(), style).prop_map(|(action, label, style)| Button {
        action,
        label,
        style,
    })
}

fn any_message() -> impl Strategy<Value = Message> {
    let words = "[a-z]{1,9}( [a-z]{1,9}){0,5}".prop_map(|text| vec![Span::plain(text)]);
    let small = prop_oneof![
        words.clone().prop_map(|spans| Block::Line { spans }),
        words.clone().prop_map(|spans| Block::Note { spans }),
        words.clone().prop_map(|spans| Block::item("•", spans)),
        words.prop_map(|spans| Block::Quote { by: None, text: spans[0].as_plain(), hits: vec![] }),
        Just(Block::Divider),
        Just(Block::heading("A heading")),
    ];
    let blocks = prop_oneof![
        6 => prop::collection::vec(block(), 0..10),
        1 => prop::collection::vec(block(), 10..60),
        1 => prop::collection::vec(small, 40..150),
        1 => prop::collection::vec((nasty(), spans()).prop_map(|(label, spans)| Block::Field { label, spans }), 0..60),
    ];
    (nasty(), blocks, prop::collection::vec(button(), 0..30)).prop_map(|(summary, blocks, buttons)| Message {
        tone: Tone::Plain,
        summary,
        blocks,
        buttons,
    })
}

fn cases(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, max_shrink_iters: 2_000, failure_persistence: None, ..Config::default() })
}

#[test]
fn any_message_fits_and_nothing_in_it_is_markup() {
    cases(150).run(&any_message(), |message| check(&message).map(|_| ())).unwrap();
}

#[test]
fn any_message_fits_slacks_own_description() {
    let (post, update) = (schema("ChatPostMessageArguments"), schema("ChatUpdateArguments"));
    let (ephemeral, view) = (schema("ChatPostEphemeralArguments"), schema("View"));
    cases(60)
        .run(&any_message(), |message| {
            let body = render::with_key(render::with_ping(render::message(&message), "S0123ABC"), "question:abc");
            valid(&post, &with(body.clone(), &[("channel", "C1")]))?;
            let change = without(body, &["unfurl_links", "unfurl_media"]);
            valid(&update, &with(change, &[("channel", "C1"), ("ts", "1.2")]))?;
            valid(&ephemeral, &with(render::private(&message), &[("channel", "C1"), ("user", "U1")]))?;
            valid(&view, &render::modal_message("Drill", &message, "{}"))?;
            valid(&view, &render::home(&[message.clone(), message]))
        })
        .unwrap();
}

#[test]
fn any_home_fits() {
    cases(60)
        .run(&prop::collection::vec(any_message(), 0..12), |messages| {
            let view = render::home(&messages);
            keep(&view);
            prop_assert_eq!(&view["type"], &json!("home"));
            check_blocks(array(&view["blocks"]), 100, 60_000, true).map(|_| ())
        })
        .unwrap();
}

#[test]
fn a_home_that_is_nearly_full_shows_as_much_of_the_next_summary_as_fits() {
    let word = |n: usize| Message { blocks: vec![Block::line("word ".repeat(n))], ..Message::default() };
    let quotes = Message { summary: "\" ".repeat(2_000), ..Message::default() };
    // What is left for the last one is between nothing and a whole summary.
    let mut shown = 0;
    for last in (3_000..4_000).step_by(100) {
        let view = render::home(&[word(5_000), word(5_000), word(last), quotes.clone()]);
        let words = check_blocks(array(&view["blocks"]), 100, 60_000, true).unwrap();
        shown += usize::from(words.contains('"'));
    }
    assert!(shown > 1, "{shown}");
}

/// The words of blocks whose letters all come back: no links, whose words are made safe, no tables, which are laid out.
fn letters_of(message: &Message) -> String {
    let instant = |at: i64| jiff::Timestamp::from_millisecond(at).unwrap().strftime("%Y-%m-%d %H:%M UTC").to_string();
    let span = |span: &Span| match span {
        Span::Time { at, .. } if (0..253_402_300_800_000).contains(at) => instant(*at),
        other => other.as_plain(),
    };
    let join = |spans: &[Span]| spans.iter().map(span).collect::<String>();
    // A dash of the author's is a word; one in the place of no words is none.
    let is_empty = |text: &str| letters(text).is_empty() && !text.contains('–');
    let blocks = message.blocks.iter().map(|block| match block {
        Block::Line { spans } | Block::Note { spans } => join(spans),
        Block::Field { label, spans } => {
            let colon = if is_empty(label) { "" } else { ":" };
            format!("{label}{colon}{}", join(spans))
        }
        Block::Item { mark, spans } if "•◦".contains(mark.trim()) && !is_empty(&join(spans)) => join(spans),
        Block::Item { mark, spans } => format!("{mark}{}", join(spans)),
        Block::Quote { by, text, .. } => format!("{}{text}", by.clone().unwrap_or_default()),
        Block::Heading { text } | Block::Code { text } => text.clone(),
        _ => String::new(),
    });
    letters(&blocks.collect::<String>())
}

#[test]
fn what_is_not_shortened_is_shown_letter_for_letter() {
    let plain = block().prop_filter("only words", |block| {
        let linked = |spans: &[Span]| spans.iter().any(|span| matches!(span, Span::Link { .. }));
        match block {
            Block::Line { spans } | Block::Note { spans } | Block::Item { spans, .. } => !linked(spans),
            // A long name is clipped, which is not said.
            Block::Field { label, spans } => !linked(spans) && label.len() < 140,
            Block::Quote { by, .. } => by.as_ref().is_none_or(|by| by.len() < 140),
            Block::Code { .. } => true,
            // Its `code` is shown as code.
            Block::Heading { text } => !text.contains('`'),
            _ => false,
        }
    });
    let messages = prop::collection::vec(plain, 1..8).prop_map(|blocks| Message {
        summary: String::new(),
        blocks,
        ..Message::default()
    });
    cases(200)
        .run(&messages, |message| {
            let words = check(&message)?;
            let expect = letters_of(&message);
            if !is_shortened(array(&render::message(&message)["blocks"])) {
                prop_assert_eq!(letters(&words), expect);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_is_shortened_ends_behind_a_word() {
    let words = prop::collection::vec(
        prop_oneof![
            "[a-z*_~`&#]{1,12}",
            "[0-9]\\.",
            "https://[a-z]{3}",
            "(👩‍👩‍👧‍👦|🇩🇪|e\u{301}){1,4}",
            "<@[0-9]{3}>",
            "日本語",
            ":[a-z]{2}:",
            "&amp;",
        ],
        300..3_500,
    );
    cases(50)
        .run(&(words, 0..8_u8, 0..2_500_usize), |(words, dress, before)| {
            let text = words.join(" ");
            let spans = vec![Span::plain(text.clone())];
            let block = match dress {
                0 => Block::Line { spans },
                1 => Block::Note { spans },
                2 => Block::item("1.", spans),
                3 => Block::Quote { by: None, text: text.clone(), hits: vec![(0, words[0].len())] },
                4 => Block::Line { spans: vec![Span::bold(text.clone())] },
                5 => Block::item("•", spans),
                6 => Block::Code { text: text.clone() },
                _ => Block::Field { label: "Words".into(), spans },
            };
            let before = "w ".repeat(before);
            let message = Message { blocks: vec![Block::line(before.clone()), block], ..Message::default() };
            let seen = check(&message)?;
            if !is_shortened(array(&render::message(&message)["blocks"])) {
                return Ok(());
            }
            let rest = seen.trim_end().strip_prefix(before.trim()).expect("what stands before").trim_start();
            let rest = rest.strip_suffix('…').expect("an ellipsis");
            let rest = rest
                .strip_prefix(match dress {
                    2 => "1. ",
                    7 => "Words: ",
                    _ => "",
                })
                .unwrap();
            prop_assert!(text.starts_with(rest), "{:?}", rest);
            prop_assert!(text[rest.len()..].starts_with(' '), "cut inside {:?}", &text[rest.len()..][..4]);
            prop_assert!(size(&seen) > 10_500, "{} is little", size(&seen));
            Ok(())
        })
        .unwrap();
}

#[test]
fn an_endless_word_is_cut_between_what_people_see_as_characters() {
    for unit in ["👩‍👩‍👧‍👦", "🇩🇪", "e\u{301}", "x", "*", "日"] {
        let text = unit.repeat(15_000);
        let message = Message { blocks: vec![Block::line(text.clone())], ..Message::default() };
        let body = render::message(&message);
        for element in array(&body["blocks"][0]["elements"][0]["elements"]) {
            let part = string(&element["text"]).trim_end_matches('…');
            assert!(part.graphemes(true).all(|grapheme| grapheme == unit), "{unit}");
        }
        let seen = check(&message).unwrap();
        let seen = seen.trim_end().strip_suffix('…').unwrap();
        assert!(text.starts_with(seen) && size(seen) > 10_500, "{unit}: {}", size(seen));
        let text = string(&body["text"]);
        assert!(text.len() > 3_800 && text.ends_with('…'), "{}", text.len());
    }
}

#[test]
fn long_code_and_long_tables_end_with_a_whole_line() {
    let code: Vec<String> = (0..900).map(|n| format!("resource \"null\" \"n{n}\" {{}}")).collect();
    let message = Message { blocks: vec![Block::Code { text: code.join("\n") }], ..Message::default() };
    let seen = check(&message).unwrap();
    let lines: Vec<&str> = seen.strip_suffix("\n…").unwrap().lines().collect();
    assert_eq!(lines, code[..lines.len()]);
    assert!(is_shortened(array(&render::message(&message)["blocks"])));

    let rows: Vec<Vec<String>> = (0..900).map(|n| vec![n.to_string(), format!("member {n}")]).collect();
    let message = Message {
        blocks: vec![Block::heading("Board"), Block::Table { head: vec!["#".into(), "Name".into()], rows }],
        ..Message::default()
    };
    let seen = check(&message).unwrap();
    let last = seen.lines().last().unwrap().trim();
    let (n, name) = last.split_once("  ").unwrap();
    assert_eq!(name, format!("member {n}"));
    assert!(is_shortened(array(&render::message(&message)["blocks"])));
}

#[test]
fn a_heading_whose_text_was_cut_off_is_not_shown() {
    let long = Block::line("word ".repeat(2_343));
    let message =
        Message { blocks: vec![long, Block::heading("A heading"), Block::line("word")], ..Message::default() };
    let body = render::message(&message);
    let kinds: Vec<&str> = array(&body["blocks"]).iter().map(|block| string(&block["type"])).collect();
    assert_eq!(kinds, ["rich_text", "context"]);
    check(&message).unwrap();
}

#[test]
fn words_that_counted_stand_out() {
    let quote = |text: &str, hits: &[(usize, usize)]| {
        let block = Block::Quote { by: None, text: text.into(), hits: hits.to_vec() };
        let message = Message { blocks: vec![block], ..Message::default() };
        check(&message).unwrap();
        shown(&render::message(&message)["blocks"][0], true, false).unwrap().replace("__**", "[").replace("**__", "]")
    };
    assert_eq!(quote("a lock stops", &[(2, 6)]), "> a [lock] stops");
    assert_eq!(quote("one\ntwo # three", &[(0, 9)]), "> [one\n> two #] three");
    assert_eq!(quote("ab", &[(0, 1), (1, 2)]), "> [ab]");
    assert_eq!(quote("a\u{200b}b", &[(0, 1), (4, 5)]), "> [ab]");
    assert_eq!(quote("äb", &[(1, 2), (0, 99), (2, 3)]), "> ä[b]");
    assert_eq!(quote("\n\nab  \n", &[(0, 2), (2, 7)]), "> [ab]");
    assert_eq!(quote(" \n", &[]), "> –");
}

#[test]
fn a_time_is_a_date_for_each_reader_and_said_once() {
    let at = 1_795_453_200_000;
    let line = |spans: Vec<Span>| {
        let message = Message { blocks: vec![Block::Line { spans }], ..Message::default() };
        check(&message).unwrap();
        render::message(&message)["blocks"][0]["elements"][0]["elements"].clone()
    };
    let date = json!({
        "type": "date",
        "timestamp": 1_795_453_200,
        "format": "{date_short_pretty}, {time}",
        "fallback": "2026-11-23 17:00 UTC",
    });
    let (full, relative) = (TimeStyle::Full, TimeStyle::Relative);
    assert_eq!(line(vec![Span::Time { at, style: full }]), json!([date]));
    assert_eq!(line(vec![Span::Time { at, style: relative }]), json!([date]));
    let both = vec![Span::Time { at, style: full }, Span::plain(", "), Span::Time { at, style: relative }];
    assert_eq!(line(both), json!([date]));
    let far = line(vec![Span::Time { at: i64::MAX, style: full }]);
    assert_eq!(far, json!([{ "type": "text", "text": i64::MAX.to_string() }]));
}

#[test]
fn a_user_group_is_named_only_where_that_calls_nobody() {
    let spans = vec![Span::Role { id: "S0123ABC".into() }];
    let message = Message { blocks: vec![Block::Field { label: "Calls".into(), spans }], ..Message::default() };
    let named = |body: Value| body["blocks"].to_string().contains(r#""usergroup""#);
    assert!(!named(render::message(&message)));
    assert!(named(render::private(&message)));
    assert!(named(render::modal_message("Schedule", &message, "")));
    assert!(named(render::home(&[message])));
}

#[test]
fn one_user_group_is_called_and_only_if_it_is_one() {
    let body = || render::message(&Message::say("Hello <!channel> & @here"));
    let called = render::with_ping(body(), "S0123ABC");
    assert_eq!(called["text"], "<!subteam^S0123ABC> Hello &lt;!channel&gt; &amp; @here");
    let group = json!({ "type": "usergroup", "usergroup_id": "S0123ABC" });
    assert_eq!(called["blocks"][0]["elements"][0]["elements"], json!([group]));
    for ping in ["", "S", "here", "channel", "U0123ABC", "S01>", "S0123abc", "S0123 <!here>"] {
        assert_eq!(render::with_ping(body(), ping), body(), "{ping:?}");
    }
}

#[test]
fn a_post_is_found_again_by_its_key() {
    let body = render::with_key(render::message(&Message::say("Hello")), "reveal:abcd:1 é%");
    assert_eq!(render::key_of(&body).as_deref(), Some("reveal:abcd:1 é%"));
    for other in [
        json!({}),
        json!({ "metadata": null }),
        json!({ "metadata": { "event_type": "deploy", "event_payload": { "key": "a" } } }),
        json!({ "metadata": { "event_type": "drillbot_post", "event_payload": { "key": 1 } } }),
        json!({ "metadata": { "event_type": "drillbot_post" } }),
    ] {
        assert_eq!(render::key_of(&other), None, "{other}");
    }
}

#[test]
fn a_summary_is_no_markup() {
    let text = |summary: &str| string(&render::message(&Message::say(summary))["text"]).to_owned();
    for (said, expect) in [
        ("Ann leads with 3 points", "Ann leads with 3 points"),
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("<!channel> &lt;", "&lt;!channel&gt; &amp;lt;"),
        ("> quoted", "› quoted"),
        ("*bold* and 2 * 3", "∗bold∗ and 2 ∗ 3"),
        ("2 * 3", "2 * 3"),
        ("snake_case_name and _x_", "snake_case_name and ˍxˍ"),
        ("iam:PassRole, :smile: at 12:30:00", "iam:PassRole, ∶smile: at 12∶30:00"),
        ("one\ntwo", "one two"),
        (" \u{200b} ", "–"),
    ] {
        assert_eq!(text(said), expect, "{said}");
    }
    let message = Message { blocks: vec![Block::heading("Hints"), Block::line("First")], ..Message::default() };
    assert_eq!(render::message(&message)["text"], "Hints");
}

#[test]
fn any_form_fits_a_modal() {
    let view = schema("View");
    let text = (nasty(), any::<bool>(), 0..6_000_usize)
        .prop_map(|(placeholder, multiline, max_length)| InputKind::Text { placeholder, multiline, max_length });
    let options = prop_oneof![0..12_usize, 90..130_usize].prop_flat_map(move |count| {
        let option = ("[a-z]{0,2}", nasty()).prop_map(|(value, label)| Choosable { value, label });
        prop::collection::vec(option, count)
    });
    let pick = (options, any::<bool>()).prop_map(|(options, many)| InputKind::Pick { options, many });
    let value = prop_oneof![nasty(), "[a-z]{1,2}(,[a-z]{1,2}){0,4}"];
    let input = ("[a-z]{0,2}", nasty(), value, any::<bool>(), prop_oneof![text, pick])
        .prop_map(|(id, label, value, required, kind)| Input { id, label, value, required, kind });
    let form = (nasty(), prop::collection::vec(block(), 0..3), prop::collection::vec(input, 0..7), nasty()).prop_map(
        |(title, blocks, inputs, submit)| Form { action: "answer:abc".into(), title, blocks, inputs, submit },
    );
    cases(100)
        .run(&(form, nasty()), |(form, metadata)| {
            let modal = render::modal(&form, &metadata);
            valid(&view, &modal)?;
            for (name, most) in [("title", 24), ("submit", 24), ("close", 24)] {
                plain(&modal[name], most).map_err(TestCaseError::fail)?;
            }
            prop_assert_eq!(&modal["callback_id"], &json!("answer:abc"));
            prop_assert!(size(string(&modal["private_metadata"])) <= 3_000);
            let blocks = array(&modal["blocks"]);
            let (inputs, above): (Vec<Value>, Vec<Value>) =
                blocks.iter().cloned().partition(|block| block["type"] == "input");
            prop_assert!((1..=100).contains(&blocks.len()));
            if !above.is_empty() {
                check_blocks(&above, 100, 60_000, true)?;
            }
            let mut ids: Vec<&str> = Vec::new();
            for input in &inputs {
                plain(&input["label"], 2_000).map_err(TestCaseError::fail)?;
                let element = &input["element"];
                prop_assert!(!ids.contains(&string(&input["block_id"])) && input["block_id"] == element["action_id"]);
                ids.push(string(&input["block_id"]));
                if element["type"] != "plain_text_input" {
                    check_options(element, &form).map_err(TestCaseError::fail)?;
                    continue;
                }
                if element.get("placeholder").is_some() {
                    plain(&element["placeholder"], 150).map_err(TestCaseError::fail)?;
                }
                let most = usize::try_from(element["max_length"].as_u64().unwrap()).unwrap();
                prop_assert!((1..=3_000).contains(&most));
                let value = string(&element["initial_value"]);
                prop_assert!(size(value) <= most);
                let given = form.inputs.iter().find(|given| given.id == input["block_id"]).unwrap();
                prop_assert_eq!(input.get("hint").is_some(), value != given.value);
            }
            Ok(())
        })
        .unwrap();
}

/// What Slack takes as radio buttons, check boxes or a select, and as what is chosen in them.
fn check_options(element: &Value, form: &Form) -> Result<(), String> {
    let kind = string(&element["type"]);
    let most = if matches!(kind, "radio_buttons" | "checkboxes") { 10 } else { 100 };
    let options = array(&element["options"]);
    if !(1..=most).contains(&options.len()) {
        return Err(format!("{kind} with {} options", options.len()));
    }
    let mut values: Vec<&str> = Vec::new();
    for option in options {
        plain(&option["text"], 75)?;
        if option.get("description").is_some() {
            plain(&option["description"], 75)?;
        }
        if values.contains(&string(&option["value"])) || string(&option["value"]).is_empty() {
            return Err(format!("the value {}", option["value"]));
        }
        values.push(string(&option["value"]));
    }
    let many = matches!(kind, "checkboxes" | "multi_static_select");
    let first = element.get("initial_options").map_or(&[][..], |all| array(all));
    let chosen: Vec<&Value> = first.iter().chain(element.get("initial_option")).collect();
    if element.get("initial_options").is_some() && (first.is_empty() || !many)
        || element.get("initial_option").is_some() && many
        || chosen.iter().any(|one| !options.contains(one))
    {
        return Err(format!("{kind}: {chosen:?} is chosen"));
    }
    let asked = form.inputs.iter().find(|input| input.id == element["action_id"]).expect("an input of the form");
    let InputKind::Pick { many: asked_many, options: asked_options } = &asked.kind else { return Err(kind.into()) };
    let known: BTreeSet<&str> = asked_options.iter().map(|option| option.value.as_str()).collect();
    let known = known.into_iter().filter(|value| !value.is_empty()).count();
    let none = !many && !asked.required && known < 100;
    if many != *asked_many || values.contains(&"-") != none || values.len() != known.min(100) + usize::from(none) {
        return Err(format!("{kind} of {} of {known}, required: {}", values.len(), asked.required));
    }
    Ok(())
}

#[test]
fn a_pick_is_radio_buttons_check_boxes_or_a_select() {
    let shown = |count: usize, many: bool, value: &str| {
        let options = (1..=count).map(|n| Choosable::new(n.to_string(), format!("Option {n}"))).collect();
        let kind = InputKind::Pick { options, many };
        let input = Input { id: "it".into(), label: "Which?".into(), value: value.into(), required: false, kind };
        let form =
            Form { action: "a".into(), title: "T".into(), blocks: vec![], inputs: vec![input], submit: "Send".into() };
        let element = render::modal(&form, "")["blocks"][0]["element"].clone();
        let values = |options: &Value| {
            options.as_array().map(|all| all.iter().map(|one| string(&one["value"])).collect::<Vec<_>>().join(","))
        };
        let chosen = element["initial_option"]["value"].as_str().map(str::to_owned);
        let chosen = chosen.or_else(|| values(&element["initial_options"])).unwrap_or_default();
        format!("{} of {}: {chosen}", string(&element["type"]), array(&element["options"]).len())
    };
    // One more for no answer.
    assert_eq!(shown(3, false, "2"), "radio_buttons of 4: 2");
    assert_eq!(shown(9, false, ""), "radio_buttons of 10: ");
    assert_eq!(shown(10, false, "7"), "static_select of 11: 7");
    assert_eq!(shown(10, true, "9,2,77"), "checkboxes of 10: 2,9");
    assert_eq!(shown(11, true, "11"), "multi_static_select of 11: 11");
    assert_eq!(shown(130, false, "130"), "static_select of 100: ");
}

#[test]
fn a_long_option_goes_on_below_itself() {
    let label = "The caller needs iam:PassRole for the role, and the role must trust the service that it is passed to.";
    let kind = InputKind::Pick { options: vec![Choosable::new("1", label)], many: true };
    let input = Input { id: "it".into(), label: "Which?".into(), value: "1".into(), required: true, kind };
    let form = Form { action: "a".into(), title: "T".into(), blocks: vec![], inputs: vec![input], submit: "S".into() };
    let option = render::modal(&form, "")["blocks"][0]["element"]["options"][0].clone();
    assert_eq!(
        string(&option["text"]["text"]),
        "The caller needs iam:PassRole for the role, and the role must trust the"
    );
    assert_eq!(string(&option["description"]["text"]), "service that it is passed to.");
}

#[test]
fn a_modal_that_comes_again_has_what_was_ticked() {
    let options: Vec<Choosable> = (1..=3).map(|n| Choosable::new(n.to_string(), format!("Option {n}"))).collect();
    let input = |id: &str, value: &str, many: bool| Input {
        id: id.into(),
        label: "Which?".into(),
        value: value.into(),
        required: false,
        kind: InputKind::Pick { options: options.clone(), many },
    };
    let inputs = vec![input("ticked", "1,2", true), input("cleared", "1,2", true), input("one", "", false)];
    let form = Form { action: "a".into(), title: "T".into(), blocks: vec![], inputs, submit: "Send".into() };
    let mut left = render::modal(&form, "");
    let boxes = array(&left["blocks"][0]["element"]["options"]).to_vec();
    left["state"] = json!({ "values": {
        "ticked": { "ticked": { "selected_options": [boxes[2]] } },
        "cleared": { "cleared": { "selected_options": [] } },
        "one": { "one": { "selected_option": boxes[1] } },
    } });
    let again = render::again(&left, &Message::say("Not yet."));
    let inputs: Vec<&Value> = array(&again["blocks"]).iter().filter(|block| block["type"] == "input").collect();
    assert_eq!(inputs[0]["element"]["initial_options"], json!([boxes[2]]));
    assert_eq!(inputs[1]["element"].get("initial_options"), None);
    assert_eq!(inputs[2]["element"]["initial_option"], boxes[1]);
}

// --- What the bot really says ---------------------------------------------------------------------------------------

fn bank() -> Bank {
    let source = Source { path: "iam.toml", text: include_str!("../../../content/iam.toml") };
    Bank::read(&[&[source]]).unwrap().0
}

fn question(id: &str) -> Question {
    Question::clone(bank().get(id).unwrap())
}

fn round(question: &Question, state: State) -> Round {
    let channel = ChannelId::new("slack:T1/C1");
    let schedule = ScheduleId::of(&channel, "daily");
    Round {
        id: RoundId::of(&schedule, "2026-11-23T09:00"),
        schedule,
        channel,
        slot: "2026-11-23T09:00".into(),
        number: 1,
        question: question.id.clone(),
        snapshot: String::new(),
        answers: AnswerMode::Both,
        state,
        reason: String::new(),
        opened_at: 1_795_424_400_000,
        reveal_at: 1_795_453_200_000,
        closed_at: None,
        period: Period::of(MONDAY),
        message: None,
        thread: None,
        touched: 0,
        shown: 0,
        parts: 0,
    }
}

fn drill(question: &Question, outcome: Option<Outcome>, choice: bool) -> Drill {
    let item = Item {
        question: question.id.clone(),
        title: text::question_title(question, choice),
        snapshot: String::new(),
        topic: "iam".into(),
        hints: 1,
        outcome,
    };
    Drill {
        id: DrillId::new("d1"),
        member: MemberId::new("slack:T1/U2"),
        channel: ChannelId::new("slack:T1/C1"),
        topic: "AWS identity".into(),
        name: "iam".into(),
        choice,
        items: vec![item.clone(), item],
        at: 0,
    }
}

fn standings(names: &[&str]) -> Vec<Standing> {
    let line = |(n, name): (usize, &&str)| Standing {
        rank: n + 1,
        name: (*name).to_owned(),
        points: 1_000 - 95 * i64::try_from(n).unwrap(),
        answered: 5,
        streak: 2,
        you: n == 1,
    };
    names.iter().enumerate().map(line).collect()
}

/// Blocks as they would stand in Slack, one below the other.
fn lines(blocks: &Value) -> String {
    array(blocks).iter().map(|block| shown(block, true, true).unwrap()).collect::<Vec<_>>().join("\n\n")
}

/// A message as it would stand in Slack, under what a notification says.
fn page(message: &Message) -> String {
    check(message).unwrap();
    let body = render::message(message);
    keep(&body);
    format!("{{{}}}\n{}", string(&body["text"]), lines(&body["blocks"]))
}

const ANSWER: &str = "iam:PassRole lets a principal hand a role to a service.\n\nWithout it nobody could give *admin* to an instance @everyone";

#[test]
fn cards() {
    let question = question("iam-passrole");
    let card = |state, answered| {
        page(&text::card(&CardView {
            round: &round(&question, state),
            question: &question,
            topic: "AWS identity",
            answered,
            reads_threads: true,
        }))
    };
    assert_snapshot!(card(State::Open, 3), @"
    {Question: A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?}
    # A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?

    (You cannot wear the crown, but you may choose who does.)

    **Topic:** AWS identity
    **Level:** advanced
    **Answered:** 3 people
    **Reveal:** <2026-11-23 17:00 UTC>

    (Answer in the thread, or in private with the button. A hint is private and costs 10 points.)

    <primary Answer> <Hint (−10 points)>
    ");
    assert_snapshot!(card(State::Revealed, 3), @"
    {Closed: A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?}
    # A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?

    (You cannot wear the crown, but you may choose who does.)

    **Topic:** AWS identity
    **Level:** advanced
    **Answered:** 3 people
    **State:** Closed; the answer is in the thread

    <My result>
    ");
}

#[test]
fn reveals() {
    let question = question("iam-passrole");
    let round = Round { answers: AnswerMode::Private, ..round(&question, State::Revealed) };
    let (good, bad) = (grade(&question, ANSWER), grade(&question, "no idea"));
    let reveal = Reveal {
        round: &round,
        question: &question,
        answers: vec![
            NamedAnswer { name: "Ann_the_*first*".into(), text: ANSWER, grade: &good, coverage: 80 },
            NamedAnswer { name: "<@U1> :smile:".into(), text: "no idea\n> really", grade: &bad, coverage: 0 },
        ],
        teaser: Some("What is a `boundary`?".into()),
    };
    let pages: Vec<String> = text::reveal(&reveal).iter().map(page).collect();
    assert_snapshot!(pages.join("\n\n=====\n"), @"
    {The answer is out: A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?}
    # Model answer

    On its own `iam:PassRole` reads nothing and changes nothing, which is why it slips through so many reviews. What it allows is handing an existing role to a service: the profile of an EC2 instance, the execution role of a Lambda function, the task role in ECS.

    Now picture a developer with modest rights who may also create functions. She picks an admin role, runs her own code under it and has everything that stronger role may do. The role's trust policy doesn't object, because it's the service that does the assuming.

    So I turn the statement round. `Resource` lists the team's exact role ARNs, or one path such as `role/checkout/*`, and an `iam:PassedToService` condition ties them to a single receiver, say `lambda.amazonaws.com`. On top of that comes a permission boundary on every role the team creates, and an SCP that protects the handful of roles only the platform group should use. In the pipeline, Access Analyzer checks refuse a policy that brings the star back.

    The trap is the audit. I've seen a team filter the trail for PassRole, find nothing and conclude that the right was idle. But it's a permission without an API call behind it, and last-accessed data leave it out too. I search CloudTrail for the requests that carried the role: RunInstances, CreateFunction, RegisterTaskDefinition.

    =====
    {Key points of: A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?}
    # Key points, and who covered them

    ✓ The caller attaches an existing role to a service such as EC2, Lambda or ECS — Ann_the_*first*
    – Through that service the caller acts with a stronger role than their own — nobody yet
    – Resource lists exact role ARNs, or one role path — nobody yet
    – An iam:PassedToService condition ties it to one receiving service — nobody yet
    – A permission boundary or an SCP puts a ceiling on top — nobody yet
    – The trail shows the call that carried the role, such as RunInstances, and no PassRole event — nobody yet

    2 people answered; 40 of 100 on average.

    # Common mistakes

    ✗ **PassRole is harmless, because it neither reads nor changes anything.** Together with a call that starts code, it lends out the rights of whichever role may be passed.
    ✗ **A search for PassRole events in CloudTrail shows who used it.** Such events do not exist; look for the request that configured the receiver of the role.

    # Read more

    • [id roles use passrole (docs.aws.amazon.com)](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html)
    • [reference policies iam condition keys (docs.aws.amazon.com)](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html)
    • [access policies boundaries (docs.aws.amazon.com)](https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html)

    (To think about next: What is a `boundary`?)

    <My result> <Flag>

    =====
    {What people answered}
    # What people answered

    **Ann_the_*first* (80 of 100)**
    > iam:PassRole lets a principal hand a role to a service.
    > 
    > Without it nobody could give *admin* to an instance @everyone

    **<@U1> :smile: (0 of 100)**
    > no idea
    > > really
    ");
}

#[test]
fn results() {
    let question = question("iam-passrole");
    let grade = grade(&question, ANSWER);
    assert_snapshot!(page(&text::my_result(&question, ANSWER, Some(Confidence::Sure), &grade, 1, 5, 75)), @"
    {Your result: 5 of 100 (15 − 10 for 1 hint), worth 7.5 points}
    # Your result

    **5 of 100 (15 − 10 for 1 hint), worth 7.5 points**

    (A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?)

    You were sure, and five points were missing.

    # You said

    ✓ The caller attaches an existing role to a service such as EC2, Lambda or ECS

    # Missing

    – Through that service the caller acts with a stronger role than their own (you wrote “admin”, but in words that deny it)
    – Resource lists exact role ARNs, or one role path
    – An iam:PassedToService condition ties it to one receiving service
    – The trail shows the call that carried the role, such as RunInstances, and no PassRole event
    – A permission boundary or an SCP puts a ceiling on top

    # Your answer

    > iam:PassRole lets a principal __**hand a role**__ to a service.
    > 
    > Without it nobody could give *admin* to an instance @everyone

    (Underlined: the words that counted.)
    ");
}

#[test]
fn leaderboards() {
    let top = standings(&[
        "Ann",
        "日本 太郎",
        "דנה",
        "```*x*```",
        "A name that is much longer than what a table has room for",
    ]);
    let board = text::leaderboard(Window::Week, Board::Daily, None, &top, None, 12);
    // The isolates around the Hebrew name cannot stand in a source file.
    let shown = page(&board).replace('\u{2068}', "{").replace('\u{2069}', "}");
    assert_snapshot!(shown, @"
    {Daily questions, this week: Ann leads with 100 points}
    # Daily questions, this week

    ```
    #  Name                  Points  Answers  Streak
    1  Ann                      100        5       2
    2  日本 太郎 (you)         90.5        5       2
    3  {דנה}                       81        5       2
    4  ```*x*```               71.5        5       2
    5  A name that is much…      62        5       2
    ```

    You are number 2 of 12.

    (The first 5 of 12 members. Others: /leaderboard week, month or all; add a topic or drill.)
    ");
}

#[test]
fn drills() {
    let question = question("iam-passrole");
    assert_snapshot!(page(&text::drill_view(&drill(&question, None, false), Some(&question))), @"
    {Question 1 of 2: A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?}
    (AWS identity, question 1 of 2, advanced)

    # A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?

    (You cannot wear the crown, but you may choose who does.)

    **Hint 1: **Follow the rights: with whose permissions does the new code run?

    <primary Answer> <Hint (−10 points)> <Skip> <Reveal>
    ");
    assert_snapshot!(page(&text::drill_view(&drill(&question, None, true), Some(&question))), @"
    {Question 1 of 2: A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?}
    (AWS identity, question 1 of 2, advanced)

    # Somebody gave a strong role to a service last night. Where do you find out who it was?

    A. In the AssumeRole events that name this role as the target
    B. In the last-accessed report, on the line for iam:PassRole
    C. In calls like RunInstances or CreateFunction with that role
    D. In the PassRole events that CloudTrail keeps for the account

    **Hint 1: **Follow the rights: with whose permissions does the new code run?

    <primary A> <primary B> <primary C> <primary D> <Hint (−10 points)> <Skip> <Reveal>
    ");
    let grade = grade(&question, ANSWER);
    let outcome =
        Outcome::Answered { text: ANSWER.into(), grade, coverage: 5, points: 75, confidence: Some(Confidence::Sure) };
    assert_snapshot!(page(&text::drill_view(&drill(&question, Some(outcome), false), Some(&question))), @"
    {5 of 100 (15 − 10 for 1 hint), worth 7.5 points}
    (AWS identity, question 1 of 2, advanced)

    # A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?

    **5 of 100 (15 − 10 for 1 hint), worth 7.5 points**

    You were sure, and five points were missing.

    # You said

    ✓ The caller attaches an existing role to a service such as EC2, Lambda or ECS

    # Missing

    – Through that service the caller acts with a stronger role than their own (you wrote “admin”, but in words that deny it)
    – Resource lists exact role ARNs, or one role path
    – An iam:PassedToService condition ties it to one receiving service
    – The trail shows the call that carried the role, such as RunInstances, and no PassRole event
    – A permission boundary or an SCP puts a ceiling on top

    # Your answer

    > iam:PassRole lets a principal __**hand a role**__ to a service.
    > 
    > Without it nobody could give *admin* to an instance @everyone

    (Underlined: the words that counted.)

    # Model answer

    On its own `iam:PassRole` reads nothing and changes nothing, which is why it slips through so many reviews. What it allows is handing an existing role to a service: the profile of an EC2 instance, the execution role of a Lambda function, the task role in ECS.

    Now picture a developer with modest rights who may also create functions. She picks an admin role, runs her own code under it and has everything that stronger role may do. The role's trust policy doesn't object, because it's the service that does the assuming.

    So I turn the statement round. `Resource` lists the team's exact role ARNs, or one path such as `role/checkout/*`, and an `iam:PassedToService` condition ties them to a single receiver, say `lambda.amazonaws.com`. On top of that comes a permission boundary on every role the team creates, and an SCP that protects the handful of roles only the platform group should use. In the pipeline, Access Analyzer checks refuse a policy that brings the star back.

    The trap is the audit. I've seen a team filter the trail for PassRole, find nothing and conclude that the right was idle. But it's a permission without an API call behind it, and last-accessed data leave it out too. I search CloudTrail for the requests that carried the role: RunInstances, CreateFunction, RegisterTaskDefinition.
    • [id roles use passrole (docs.aws.amazon.com)](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html)

    <primary Next> <Flag>
    ");
}

#[test]
fn helps() {
    assert_snapshot!(page(&text::help(text::Ways::SignedThreads)), @"
    {What I can do}
    Every day I post an interview question here. Answer in its thread or with the Answer button; after a while I show the model answer, who covered which key point, and everybody's score.

    (A sign under what you wrote in the thread says: 📥 it counts as your answer, ⌛ it came after the reveal.)

    • `/drill` Practise a topic in private, one question at a time
    • `/prep` Advice for the interview itself: how to prepare, how to answer, why people fail
    • `/leaderboard` The standing of this study group, and your own place
    • `/daily` Show or steer the daily question of this channel (organisers)
    • `/topics` All topics with their questions
    • `/suggest` Suggest a question for the bank; see what became of yours
    • `/flag` Say that a question is wrong, outdated or unclear
    • `/review` Decide on what members suggested and flagged (organisers)
    • `/me` My scores, streak and weak topics; or erase my data
    • `/help` What I can do

    (/help and a command explains it, for example /help drill.)
    ");
    assert_snapshot!(page(&text::help_for("daily", text::Ways::SignedThreads)), @r#"
    {Show or steer the daily question of this channel}
    `/daily` Show or steer the daily question of this channel

    (For organisers.)

    • `/daily show` When questions come, what they are about, what happened lately
    • `/daily set` Change the schedule; what you leave out stays
      • `time` Local time of the question, 09:00
      • `days` Weekdays: mon-fri, or mon,wed,fri
      • `cron` Instead of time and days, cron fields: "0 9 * * mon-fri"
      • `zone` Time zone: Europe/London
      • `reveal` Reveal after 8h, at 17:00 or "next day 09:00"
      • `answers` Where answers are given: in the thread, in private, or both
      • `topics` Only these topics: iam,eks; all = no limit
      • `levels` Only these levels: beginner,intermediate; all = no limit
      • `tracks` Only these tracks: devops,cloudops; all = no limit
      • `skip` Dates without a question: 2026-12-25,2026-12-28..2026-12-31; none
      • `catch-up` How late a missed question may still come: 6h
      • `ping` The role or user group that each question calls
      • `no-ping` yes = questions call nobody any more
    • `/daily pause` No more questions until `/daily resume`
    • `/daily resume` Questions come again
    • `/daily skip` Leave out the next question
    • `/daily now` Post a question at once, beside the schedule
      • `question` Exactly this question, by its id
    • `/daily reveal` Reveal the open question now

    For example: `/daily set 09:00 days:mon-fri zone:Europe/London reveal:17:00`
    "#);
}

#[test]
fn schedules() {
    let view = text::ScheduleView {
        name: "daily".into(),
        when: "at 09:00 from Monday to Friday (Europe/London)".into(),
        reveal: "8 hours later".into(),
        answers: "in the thread, or in private with the button",
        ping: "S0123ABC".into(),
        filter: "all topics".into(),
        catch_up: "6 hours".into(),
        skip: String::new(),
        paused: false,
        next_at: Some(1_795_424_400_000),
        unseen: 12,
        total: 23,
    };
    let shown = render::private(&text::show_schedules(&[view], &[]));
    keep(&shown);
    assert_snapshot!(lines(&shown["blocks"]), @"
    # daily

    **Question:** at 09:00 from Monday to Friday (Europe/London)
    **Reveal:** 8 hours later
    **Next:** <2026-11-23 09:00 UTC>
    **Answers:** in the thread, or in private with the button
    **Calls:** @S0123ABC
    **Questions:** all topics; 12 of 23 not asked yet
    **Late at most:** 6 hours

    (/daily set changes it, /daily pause, skip, now and reveal steer it, /help daily explains.)
    ");
}

#[test]
fn bodies_of_a_card_and_of_its_form() {
    let question = question("iam-passrole");
    let round = round(&question, State::Open);
    let card = text::card(&CardView {
        round: &round,
        question: &question,
        topic: "AWS identity",
        answered: 0,
        reads_threads: true,
    });
    let body = render::with_key(render::with_ping(render::message(&card), "S0123ABC"), "question:abc");
    keep(&body);
    assert_snapshot!(serde_json::to_string_pretty(&body).unwrap(), @r#"
    {
      "blocks": [
        {
          "elements": [
            {
              "elements": [
                {
                  "type": "usergroup",
                  "usergroup_id": "S0123ABC"
                }
              ],
              "type": "rich_text_section"
            }
          ],
          "type": "rich_text"
        },
        {
          "text": {
            "emoji": false,
            "text": "A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?",
            "type": "plain_text"
          },
          "type": "header"
        },
        {
          "elements": [
            {
              "emoji": false,
              "text": "You cannot wear the crown, but you may choose who does.",
              "type": "plain_text"
            }
          ],
          "type": "context"
        },
        {
          "elements": [
            {
              "elements": [
                {
                  "style": {
                    "bold": true
                  },
                  "text": "Topic:",
                  "type": "text"
                },
                {
                  "text": " AWS identity",
                  "type": "text"
                },
                {
                  "text": "\n",
                  "type": "text"
                },
                {
                  "style": {
                    "bold": true
                  },
                  "text": "Level:",
                  "type": "text"
                },
                {
                  "text": " advanced",
                  "type": "text"
                },
                {
                  "text": "\n",
                  "type": "text"
                },
                {
                  "style": {
                    "bold": true
                  },
                  "text": "Answered:",
                  "type": "text"
                },
                {
                  "text": " nobody yet",
                  "type": "text"
                },
                {
                  "text": "\n",
                  "type": "text"
                },
                {
                  "style": {
                    "bold": true
                  },
                  "text": "Reveal:",
                  "type": "text"
                },
                {
                  "text": " ",
                  "type": "text"
                },
                {
                  "fallback": "2026-11-23 17:00 UTC",
                  "format": "{date_short_pretty}, {time}",
                  "timestamp": 1795453200,
                  "type": "date"
                }
              ],
              "type": "rich_text_section"
            }
          ],
          "type": "rich_text"
        },
        {
          "elements": [
            {
              "emoji": false,
              "text": "Answer in the thread, or in private with the button. A hint is private and costs 10 points.",
              "type": "plain_text"
            }
          ],
          "type": "context"
        },
        {
          "elements": [
            {
              "action_id": "answer:j37nsbuhrp4fcqdv",
              "style": "primary",
              "text": {
                "emoji": false,
                "text": "Answer",
                "type": "plain_text"
              },
              "type": "button"
            },
            {
              "action_id": "hint:j37nsbuhrp4fcqdv",
              "text": {
                "emoji": false,
                "text": "Hint (−10 points)",
                "type": "plain_text"
              },
              "type": "button"
            }
          ],
          "type": "actions"
        }
      ],
      "link_names": false,
      "metadata": {
        "event_payload": {
          "key": "question:abc"
        },
        "event_type": "drillbot_post"
      },
      "parse": "none",
      "text": "<!subteam^S0123ABC> Question: A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?",
      "unfurl_links": false,
      "unfurl_media": false
    }
    "#);
    let modal = render::modal(&text::answer_form(&round, &question, "As before", None), "slack:T1/C1");
    keep(&modal);
    assert_snapshot!(serde_json::to_string_pretty(&modal).unwrap(), @r#"
    {
      "blocks": [
        {
          "elements": [
            {
              "elements": [
                {
                  "text": "A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?",
                  "type": "text"
                }
              ],
              "type": "rich_text_section"
            }
          ],
          "type": "rich_text"
        },
        {
          "block_id": "answer",
          "element": {
            "action_id": "answer",
            "focus_on_load": true,
            "initial_value": "As before",
            "max_length": 3000,
            "multiline": true,
            "placeholder": {
              "emoji": false,
              "text": "Decision, reason, one thing that can go wrong",
              "type": "plain_text"
            },
            "type": "plain_text_input"
          },
          "label": {
            "emoji": false,
            "text": "As you would say it in the interview",
            "type": "plain_text"
          },
          "optional": false,
          "type": "input"
        },
        {
          "block_id": "confidence",
          "element": {
            "action_id": "confidence",
            "focus_on_load": false,
            "options": [
              {
                "text": {
                  "emoji": false,
                  "text": "Sure",
                  "type": "plain_text"
                },
                "value": "sure"
              },
              {
                "text": {
                  "emoji": false,
                  "text": "Fairly sure",
                  "type": "plain_text"
                },
                "value": "fairly"
              },
              {
                "text": {
                  "emoji": false,
                  "text": "A guess",
                  "type": "plain_text"
                },
                "value": "guess"
              },
              {
                "text": {
                  "emoji": false,
                  "text": "No answer",
                  "type": "plain_text"
                },
                "value": "-"
              }
            ],
            "type": "radio_buttons"
          },
          "label": {
            "emoji": false,
            "text": "How sure are you?",
            "type": "plain_text"
          },
          "optional": true,
          "type": "input"
        }
      ],
      "callback_id": "answer:j37nsbuhrp4fcqdv",
      "close": {
        "emoji": false,
        "text": "Cancel",
        "type": "plain_text"
      },
      "private_metadata": "slack:T1/C1",
      "submit": {
        "emoji": false,
        "text": "Save changes",
        "type": "plain_text"
      },
      "title": {
        "emoji": false,
        "text": "Your answer",
        "type": "plain_text"
      },
      "type": "modal"
    }
    "#);
    let blank = render::modal(&text::blank_form(&drillbot::domain::command::Action::Answer(round.id)), "");
    assert_eq!(array(&blank["blocks"]).len(), 2, "nothing stands above the inputs");
}

#[test]
fn an_answer_too_long_for_its_form_is_shortened_and_says_so() {
    let question = question("iam-passrole");
    let written = "A long answer. ".repeat(400);
    let modal = render::modal(&text::answer_form(&round(&question, State::Open), &question, &written, None), "");
    let input = &modal["blocks"][1];
    let value = string(&input["element"]["initial_value"]);
    assert!(value.ends_with("answer.…") && value.len() > 2_900, "{value}");
    assert_eq!(input["hint"]["text"], text::shortened());
}

/// Every question of the banks that come with the bot, in everything that shows it, whole.
#[test]
fn nothing_of_our_own_questions_is_shortened() {
    let texts = [
        include_str!("../../../content/iam.toml"),
        include_str!("../../../content/eks.toml"),
        include_str!("../../../content/terraform.toml"),
    ];
    let (post, view) = (schema("ChatPostMessageArguments"), schema("View"));
    let mut largest = 0;
    for text in texts {
        let bank = Bank::read(&[&[Source { path: "a.toml", text }]]).unwrap().0;
        for question in bank.questions() {
            let round = round(question, State::Open);
            let all = grade(question, &question.model_answer);
            let answers =
                vec![NamedAnswer { name: "Ann".into(), text: &question.model_answer, grade: &all, coverage: 100 }];
            let reveal = Reveal { round: &round, question, answers, teaser: Some(question.prompt.clone()) };
            let mut messages = text::reveal(&reveal);
            messages.push(text::card(&CardView {
                round: &round,
                question,
                topic: "IAM",
                answered: 0,
                reads_threads: true,
            }));
            messages.push(text::my_result(question, &question.model_answer, None, &all, 0, 100, 100));
            messages.push(text::all_hints(question));
            for state in [ClaimState::Open, ClaimState::Confirmed] {
                messages.extend(question.key_points.iter().map(|point| {
                    text::claim(&ClaimView {
                        id: &ClaimId::new("abcdefghijklmnop"),
                        question,
                        point,
                        words: &question.model_answer,
                        state,
                        author: Some("Ann"),
                        decided_by: Some("Bob"),
                        coverage: Some(83),
                    })
                }));
            }
            let points: Vec<Disputed> = (0..question.key_points.len())
                .map(|at| Disputed {
                    at,
                    point: &question.key_points[at],
                    ticked: true,
                    state: PointState::Unclear,
                    ruling: Some(false),
                })
                .collect();
            messages.push(text::dispute(&ReviewId::new("abcdefghijklmnop"), question, &question.model_answer, &points));
            let answered = Outcome::Answered {
                text: question.model_answer.clone(),
                grade: all.clone(),
                coverage: 100,
                points: 1,
                confidence: None,
            };
            for outcome in [
                None,
                Some(Outcome::Revealed),
                Some(Outcome::Picked { option: 0, coverage: 0, points: 0 }),
                Some(answered),
            ] {
                messages.push(text::drill_view(&drill(question, outcome.clone(), true), Some(question)));
                messages.push(text::drill_view(&drill(question, outcome, false), Some(question)));
            }
            for message in &messages {
                check(message).unwrap();
                let body = render::message(message);
                largest = largest.max(body["blocks"].to_string().len());
                assert!(!is_shortened(array(&body["blocks"])), "{}: {}", question.id, message.as_text());
                valid(&post, &with(body, &[("channel", "C1")])).unwrap();
                valid(&view, &render::modal_message("Drill", message, "")).unwrap();
            }
        }
    }
    assert!(largest < 11_000, "{largest} leaves little room");
}
