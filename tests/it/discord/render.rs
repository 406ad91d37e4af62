//! Whatever a message holds, Discord takes it, and what people wrote is shown as they wrote it.

use std::path::{Path, PathBuf};

use drillbot::adapters::discord::render::{self, Embed, Rendered};
use drillbot::domain::bank::{Bank, Source};
use drillbot::domain::command::{Board, Window};
use drillbot::domain::confidence::Confidence;
use drillbot::domain::drill::{Drill, Item, Outcome};
use drillbot::domain::form::picked;
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
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation;

use crate::support::setting;
use crate::world::MONDAY;

// --- Discord's Markdown, read by rules of our own -----------------------------------------------------------------------

/// What a client shows of a description or a field, with its dress taken off. An error is markup that nobody asked for.
fn shown(markdown: &str, times: &[i64]) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = markdown;
    let mut line_start = true;
    // The marks that are open; each closes before its line ends.
    let mut open: Vec<&str> = Vec::new();
    while let Some(c) = rest.chars().next() {
        let wrong = |what: &str| Err(format!("{what} before {:?}", rest.chars().take(40).collect::<String>()));
        if line_start {
            if let Some(body) = rest.strip_prefix("```\n") {
                let Some(end) = body.find("\n```") else { return wrong("a fence that is not closed") };
                if body[..end].contains("```") {
                    return wrong("a fence in a fence");
                }
                out.push_str(&body[..end]);
                rest = &body[end + 4..];
                if !(rest.is_empty() || rest.starts_with('\n')) {
                    return wrong("words behind a fence");
                }
                line_start = false;
                continue;
            }
            if let Some(body) = rest.strip_prefix("> ").or_else(|| rest.strip_prefix("-# ")) {
                // Ours; whether the words within would be markup too is looked at next.
                rest = body;
                if rest.starts_with("> ") || rest.starts_with("-# ") {
                    return wrong("a quote in a quote");
                }
            }
            line_start = false;
            let blank = rest.trim_start_matches([' ', '\t']);
            let number = blank.trim_start_matches(|c: char| c.is_ascii_digit());
            let list = number.len() < blank.len() && number.starts_with(". ");
            if list || blank.starts_with(['#', '>', '+']) || blank.starts_with("- ") || blank.starts_with("-#") {
                return wrong("a list, a heading or a quote");
            }
            continue;
        }
        let mut step = c.len_utf8();
        match c {
            '\\' => {
                let Some(next) = rest[1..].chars().next() else { return wrong("an escape of nothing") };
                if next.is_alphanumeric() || next.is_whitespace() {
                    return wrong("a backslash that is shown");
                }
                out.push(next);
                step = 1 + next.len_utf8();
            }
            '\n' => {
                if !open.is_empty() {
                    return wrong("a mark that is not closed");
                }
                out.push('\n');
                line_start = true;
            }
            '`' => {
                let Some(end) = rest[1..].find(['`', '\n']).filter(|end| rest[1 + end..].starts_with('`')) else {
                    return wrong("code that is not closed");
                };
                if end == 0 || rest[end + 2..].starts_with('`') {
                    return wrong("marks of code beside each other");
                }
                out.push_str(&rest[1..=end]);
                step = end + 2;
            }
            '*' | '_' => {
                let mark = if c == '*' { "**" } else { "__" };
                if !rest.starts_with(mark) || rest[2..].starts_with(mark) {
                    return wrong("a mark");
                }
                if open.last() == Some(&mark) {
                    open.pop();
                } else if open.is_empty() {
                    open.push(mark);
                } else {
                    return wrong("marks in marks");
                }
                step = 2;
            }
            '[' => {
                let parts = rest[1..].split_once("](").and_then(|(words, tail)| Some((words, tail.split_once(')')?.0)));
                let Some((words, url)) = parts else { return wrong("a link that is not closed") };
                let bad = |c: char| "[]\\`*_~|<>@\n".contains(c);
                if words.contains(bad) || words.contains("://") || words.trim().is_empty() {
                    return wrong("markup in the words of a link");
                }
                if !url.starts_with("http")
                    || url.contains(|c: char| !c.is_ascii_graphic() || "()<>[]\\`|\"".contains(c))
                {
                    return wrong("an address that is not safe");
                }
                out.push_str(words);
                step = words.len() + url.len() + 4;
            }
            '<' => {
                let inner = rest[1..].split_once('>').map(|(inner, _)| inner).unwrap_or_default();
                let known = times.iter().any(|at| {
                    let seconds = at.div_euclid(1_000);
                    inner == format!("t:{seconds}:F") || inner == format!("t:{seconds}:R")
                });
                if !known {
                    return wrong("a mention");
                }
                out.push_str(&rest[..inner.len() + 2]);
                step = inner.len() + 2;
            }
            '~' | '|' | ']' | '@' => return wrong("a sign of markup"),
            ':' if rest.starts_with("://") => return wrong("a bare address"),
            ':' => {
                let name = rest[1..].split_once(':').map(|(name, _)| name).unwrap_or_default();
                // No name has two underscores in a row: those are marks of ours.
                let in_name = |c: char| c.is_ascii_alphanumeric() || "_+-".contains(c);
                if !name.is_empty() && name.chars().all(in_name) && !name.contains("__") {
                    return wrong("an emoji");
                }
                out.push(c);
            }
            c if is_hidden(c) => return wrong("a hidden sign"),
            c => out.push(c),
        }
        rest = &rest[step..];
    }
    if open.is_empty() { Ok(out) } else { Err(format!("{open:?} stays open in {markdown:?}")) }
}

/// Signs that turn or hide text.
fn is_hidden(c: char) -> bool {
    matches!(u32::from(c), 0xad | 0x180e | 0x200b | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff)
        || (c.is_control() && c != '\n' && c != '\t')
}

/// The letters of a text, without blanks and what is never shown.
fn letters(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !is_hidden(*c) && *c != '–').collect()
}

// --- The service's limits -------------------------------------------------------------------------------------------

fn size(text: &str) -> usize {
    text.chars().count().max(text.encode_utf16().count())
}

fn times(message: &Message) -> Vec<i64> {
    let spans = message.blocks.iter().flat_map(|block| match block {
        Block::Line { spans } | Block::Note { spans } | Block::Field { spans, .. } | Block::Item { spans, .. } => {
            spans.as_slice()
        }
        _ => &[],
    });
    spans.filter_map(|span| if let Span::Time { at, .. } = span { Some(*at) } else { None }).collect()
}

fn is_shortened(rendered: &Rendered) -> bool {
    let footer = |embed: &Embed| embed.footer.as_ref().map(|footer| footer.text.clone()).unwrap_or_default();
    rendered.embeds.last().is_some_and(|last| footer(last).ends_with(text::shortened()))
}

/// Everything that Discord would refuse and everything that would be shown as what nobody wrote. Gives the words shown.
fn check(message: &Message) -> Result<String, TestCaseError> {
    let key = "reveal:abcd:1 é%";
    let rendered = render::message(message, Some(key));
    let times = times(message);
    let read =
        |markdown: &str| shown(markdown, &times).map_err(|wrong| TestCaseError::fail(format!("{wrong}\n{message:?}")));
    prop_assert!((1..=10).contains(&rendered.embeds.len()));
    let (mut total, mut words) = (0, String::new());
    for embed in &rendered.embeds {
        let mut value = serde_json::to_value(embed).unwrap();
        value["type"] = json!("rich");
        let valid = twilight_validate::embed::embed(&serde_json::from_value(value).unwrap());
        prop_assert!(valid.is_ok(), "{valid:?}");
        prop_assert!(!embed.description.trim().is_empty() || !embed.fields.is_empty());
        prop_assert!(size(&embed.description) <= 4_096);
        total += size(&embed.description);
        words += &read(&embed.description)?;
        prop_assert!(embed.fields.len() <= 25);
        for field in &embed.fields {
            prop_assert!(!field.name.trim().is_empty() && size(&field.name) <= 256);
            prop_assert!(!field.value.trim().is_empty() && size(&field.value) <= 1_024);
            total += size(&field.name) + size(&field.value);
            words += &read(&field.name)?;
            words += &read(&field.value)?;
        }
        if let Some(footer) = &embed.footer {
            prop_assert!(!footer.text.trim().is_empty() && size(&footer.text) <= 2_048);
            prop_assert!(!footer.text.chars().any(is_hidden));
            total += size(&footer.text);
            words += footer.text.trim_end_matches(text::shortened());
        }
    }
    prop_assert!(total <= 6_000, "{total}");
    prop_assert!(rendered.embeds[1..].iter().all(|embed| embed.url.is_none()));
    let mark = rendered.embeds[0].url.as_deref().and_then(render::mark_of);
    prop_assert_eq!(mark.as_deref(), Some(key));
    prop_assert!(rendered.rows.len() <= 5);
    let mut ids: Vec<&str> = Vec::new();
    for row in &rendered.rows {
        prop_assert!((1..=5).contains(&row.components.len()));
        for button in &row.components {
            prop_assert!(!button.label.trim().is_empty() && size(&button.label) <= 80);
            prop_assert!((1..=100).contains(&size(&button.custom_id)) && !ids.contains(&button.custom_id.as_str()));
            ids.push(&button.custom_id);
        }
        let valid = twilight_validate::component::component_v1(
            &serde_json::from_value(serde_json::to_value(row).unwrap()).unwrap(),
        );
        prop_assert!(valid.is_ok(), "{valid:?}");
    }
    let body = render::body(message, None, None);
    prop_assert_eq!(&body["allowed_mentions"], &json!({ "parse": [] }));
    prop_assert!(body["embeds"].is_array() && body["components"].is_array() && body.get("content").is_none());
    Ok(words)
}

// --- Messages of every kind -----------------------------------------------------------------------------------------

const NASTY: &[&str] = &[
    "**",
    "*",
    "__",
    "_",
    "~~",
    "||",
    "`",
    "``",
    "```",
    "```sh\n",
    "\\",
    "\\\\",
    "> ",
    ">>> ",
    "# ",
    "## ",
    "-# ",
    "- ",
    "+ ",
    "1. ",
    "12.",
    ".",
    "\n",
    "\n\n",
    "\r\n",
    " ",
    "  ",
    "\t",
    "[x](https://evil.example)",
    "[",
    "](",
    ")",
    "<@123>",
    "<@!1>",
    "<@&5>",
    "<#1>",
    "<:e:1>",
    "<a:e:1>",
    "<t:1:R>",
    "</drill:1>",
    "<id:home>",
    "<https://a.example>",
    "<",
    ">",
    "@everyone",
    "@here",
    "@",
    "https://evil.example/a_b",
    "steam://run",
    "://",
    ":smile:",
    ":",
    "a:b:c",
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
    "¯\\_(ツ)_/¯",
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
        1 => (prop::sample::select(NASTY), 1..3_000_usize).prop_map(|(part, times)| part.repeat(times.min(10_000 / part.len()))),
        1 => "[a-z*]{1,9}( [a-z_é`]{1,12}){200,1500}",
        1 => Just("x".repeat(10_000)),
    ]
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![
        6 => nasty().prop_map(Span::plain),
        2 => nasty().prop_map(Span::bold),
        2 => nasty().prop_map(Span::code),
        1 => (nasty(), prop_oneof![nasty(), nasty().prop_map(|path| format!("https://a.example/{path}"))])
            .prop_map(|(text, url)| Span::Link { text, url }),
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
        3 => (prop_oneof![Just("✓".to_owned()), Just("1.".to_owned()), nasty()], spans())
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
    let blocks = prop_oneof![
        6 => prop::collection::vec(block(), 0..10),
        1 => prop::collection::vec(block(), 10..60),
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
    cases(300).run(&any_message(), |message| check(&message).map(|_| ())).unwrap();
}

/// The words of blocks whose letters all come back: no links, whose words are made safe, no tables, which are laid out.
fn letters_of(message: &Message) -> String {
    let span = |span: &Span| match span {
        Span::Code { text } => text.replace('`', "ˋ"),
        Span::Time { at, style } => {
            let style = if *style == TimeStyle::Full { 'F' } else { 'R' };
            format!("<t:{}:{style}>", at.div_euclid(1_000))
        }
        other => other.as_plain(),
    };
    let join = |spans: &[Span]| spans.iter().map(span).collect::<String>();
    let blocks = message.blocks.iter().map(|block| match block {
        Block::Line { spans } | Block::Note { spans } => join(spans),
        Block::Field { label, spans } => format!("{label}{}", join(spans)),
        Block::Item { mark, spans } => format!("{mark}{}", join(spans)),
        Block::Quote { by, text, .. } => format!("{}{text}", by.clone().unwrap_or_default()),
        _ => String::new(),
    });
    letters(&blocks.collect::<String>())
}

#[test]
fn what_is_not_shortened_is_shown_letter_for_letter() {
    let plain = block().prop_filter("only words", |block| {
        let linked = |spans: &[Span]| spans.iter().any(|span| matches!(span, Span::Link { .. }));
        match block {
            Block::Line { spans } | Block::Note { spans } | Block::Field { spans, .. } | Block::Item { spans, .. } => {
                !linked(spans)
            }
            // A long name is clipped, which is not said.
            Block::Quote { by, .. } => by.as_ref().is_none_or(|by| by.len() < 200),
            _ => false,
        }
    });
    let messages = prop::collection::vec(plain, 1..8).prop_map(|blocks| Message {
        summary: String::new(),
        blocks,
        ..Message::default()
    });
    cases(400)
        .run(&messages, |message| {
            let words = check(&message)?;
            let expect = letters_of(&message);
            if !is_shortened(&render::message(&message, None)) {
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
            "[a-z*_~`|#]{1,12}",
            "[0-9]\\.",
            "https://[a-z]{3}",
            "(👩‍👩‍👧‍👦|🇩🇪|e\u{301}){1,4}",
            "<@[0-9]{3}>",
            "日本語",
            ":[a-z]{2}:",
        ],
        300..2_500,
    );
    let dress = 0..6_u8;
    cases(60)
        .run(&(words, dress), |(words, dress)| {
            let text = words.join(" ");
            let spans = vec![Span::plain(text.clone())];
            let block = match dress {
                0 => Block::Line { spans },
                1 => Block::Note { spans },
                2 => Block::item("1.", spans),
                3 => Block::Quote { by: None, text: text.clone(), hits: vec![(0, words[0].len())] },
                4 => Block::Line { spans: vec![Span::bold(text.clone())] },
                _ => Block::Field { label: "Words".into(), spans },
            };
            let message = Message { blocks: vec![block], ..Message::default() };
            let seen = check(&message)?;
            if !is_shortened(&render::message(&message, None)) {
                return Ok(());
            }
            let seen = seen.trim_end();
            let seen = seen.strip_suffix('…').expect("an ellipsis");
            let seen = seen
                .strip_prefix(match dress {
                    2 => "1. ",
                    5 => "Words",
                    _ => "",
                })
                .unwrap();
            prop_assert!(text.starts_with(seen), "{:?}", seen);
            prop_assert!(text[seen.len()..].starts_with(' '), "cut inside {:?}", &text[seen.len()..][..4]);
            prop_assert!(size(seen) > if dress == 5 { 400 } else { 1_700 }, "{} is little", size(seen));
            Ok(())
        })
        .unwrap();
}

#[test]
fn an_endless_word_is_cut_between_what_people_see_as_characters() {
    for unit in ["👩‍👩‍👧‍👦", "🇩🇪", "e\u{301}", "x", "*", "日"] {
        let text = unit.repeat(6_000);
        let message = Message { blocks: vec![Block::line(text.clone())], ..Message::default() };
        let seen = check(&message).unwrap();
        let seen = seen.trim_end().strip_suffix('…').unwrap();
        assert!(text.starts_with(seen) && seen.graphemes(true).all(|grapheme| grapheme == unit), "{unit}");
        assert!(size(seen) > 1_900, "{unit}: {}", size(seen));
    }
}

#[test]
fn words_that_counted_are_underlined_and_make_no_new_markup() {
    let quote = |text: &str, hits: &[(usize, usize)]| {
        let block = Block::Quote { by: None, text: text.into(), hits: hits.to_vec() };
        let message = Message { blocks: vec![block], ..Message::default() };
        check(&message).unwrap();
        render::message(&message, None).embeds[0].description.clone()
    };
    assert_eq!(quote("a lock stops", &[(2, 6)]), "> a __lock__ stops");
    assert_eq!(quote("one\ntwo # three", &[(0, 9)]), "> __one__\n> __two #__ three");
    assert_eq!(quote("ab", &[(0, 1), (1, 2)]), "> __ab__");
    assert_eq!(quote("a:e:b", &[(0, 3), (3, 5)]), "> __a\\:e:b__");
    assert_eq!(quote("a\u{200b}b", &[(0, 1), (4, 5)]), "> __ab__");
    assert_eq!(quote("äb", &[(1, 2), (0, 99), (2, 3)]), "> ä__b__");
}

fn any_kind() -> impl Strategy<Value = InputKind> {
    let text = (nasty(), any::<bool>(), 0..6_000_usize)
        .prop_map(|(placeholder, multiline, max_length)| InputKind::Text { placeholder, multiline, max_length });
    let option = ("[a-z0-9]{1,3}", nasty()).prop_map(|(value, label)| Choosable { value, label });
    let pick = (prop::collection::vec(option, 0..30), any::<bool>())
        .prop_map(|(options, many)| InputKind::Pick { options, many });
    prop_oneof![text, pick]
}

#[test]
fn any_form_fits_a_modal() {
    let input = (nasty(), nasty(), any::<bool>(), any_kind()).prop_map(|(label, value, required, kind)| Input {
        id: "answer".into(),
        label,
        value,
        required,
        kind,
    });
    let form = (nasty(), prop::collection::vec(block(), 0..3), prop::collection::vec(input, 1..7)).prop_map(
        |(title, blocks, inputs)| Form { action: "answer:abc".into(), title, blocks, inputs, submit: "Send".into() },
    );
    cases(100)
        .run(&form, |form| {
            let modal = render::modal(&form);
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            prop_assert!((1..=45).contains(&size(&text(&modal["title"]))));
            let rows = modal["components"].as_array().unwrap();
            let asks = |input: &Input| !matches!(&input.kind, InputKind::Pick { options, .. } if options.is_empty());
            prop_assert!((usize::from(form.inputs.iter().any(asks))..=5).contains(&rows.len()));
            for (at, row) in rows.iter().enumerate() {
                if row["type"] == 10 {
                    prop_assert!((1..=4_000).contains(&size(&text(&row["content"]))));
                    prop_assert!(rows[at + 1..].iter().any(|row| row["type"] == 1), "what is read is asked below");
                    continue;
                }
                let input = &row["components"][0];
                prop_assert!((1..=45).contains(&size(&text(&input["label"]))));
                prop_assert!(size(&text(&input["placeholder"])) <= 100);
                let most = usize::try_from(input["max_length"].as_u64().unwrap()).unwrap();
                prop_assert!((1..=4_000).contains(&most));
                prop_assert!(text(&input["value"]).chars().count() <= most);
            }
            Ok(())
        })
        .unwrap();
}

fn asking(options: &[(&str, &str)], many: bool, value: &str) -> Form {
    let options = options.iter().map(|(value, label)| Choosable::new(*value, *label)).collect();
    let kind = InputKind::Pick { options, many };
    let input = Input { id: "it".into(), label: "Which?".into(), value: value.into(), required: false, kind };
    Form { action: "a".into(), title: "T".into(), blocks: vec![], inputs: vec![input], submit: "Send".into() }
}

#[test]
fn a_pick_says_what_to_type() {
    let shown = |form: &Form| {
        let modal = render::modal(form);
        let parts = modal["components"].as_array().unwrap().clone();
        let text = |part: &Value| match part["content"].as_str() {
            Some(content) => content.to_owned(),
            None => {
                let input = &part["components"][0];
                format!("{}: {} <{}>", input["label"], input["value"], input["placeholder"])
            }
        };
        parts.iter().map(text).collect::<Vec<_>>().join("\n")
    };
    let few = [("red", "Red"), ("green", "Green *not* lime")];
    assert_snapshot!(shown(&asking(&few, false, "")), @r#""Which?": null <"1 Red, 2 Green *not* lime">"#);
    assert_snapshot!(shown(&asking(&few, false, "green")), @r#""Which?": "Green *not* lime" <"1 Red, 2 Green *not* lime">"#);
    assert_snapshot!(shown(&asking(&few, true, "")), @r#""Which?": null <"Numbers: 1 Red, 2 Green *not* lime">"#);
    assert_snapshot!(shown(&asking(&few, true, "green,red")), @r#"
    **1** Red
    **2** Green \*not\* lime
    "Which?": "1, 2" <"Numbers from the list above, such as: 1, 2">
    "#);
    let long = "The role is passed to a service, and *not* assumed by the person; see iam:PassRole and `sts`.";
    assert_snapshot!(shown(&asking(&[("1", long), ("4", "Short")], true, "")), @r#"
    **1** The role is passed to a service, and \*not\* assumed by the person; see iam:PassRole and \`sts\`.
    **4** Short
    "Which?": null <"Numbers from the list above, such as: 1, 4">
    "#);
    assert_snapshot!(shown(&asking(&[], true, "")), @"");
    // What stands in it is read as what it says.
    for (many, value) in [(false, "green"), (true, "red,green")] {
        let form = asking(&few, many, value);
        let InputKind::Pick { options, .. } = &form.inputs[0].kind else { unreachable!() };
        let modal = render::modal(&form);
        let last = modal["components"].as_array().unwrap().last().unwrap().clone();
        let typed = last["components"][0]["value"].as_str().unwrap().to_owned();
        assert_eq!(picked(options, many, &typed).unwrap().join(","), value);
    }
}

#[test]
fn a_modal_asks_its_question_again() {
    let question = question("iam-passrole");
    let round = round(&question, State::Open);
    let modal = render::modal(&text::answer_form(&round, &question, "As before", None));
    assert_snapshot!(serde_json::to_string_pretty(&modal).unwrap(), @r#"
    {
      "components": [
        {
          "components": [
            {
              "custom_id": "answer",
              "label": "As you would say it in the interview",
              "max_length": 4000,
              "placeholder": "A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you…",
              "required": true,
              "style": 2,
              "type": 4,
              "value": "As before"
            }
          ],
          "type": 1
        },
        {
          "components": [
            {
              "custom_id": "confidence",
              "label": "How sure are you?",
              "max_length": 200,
              "placeholder": "1 Sure, 2 Fairly sure, 3 A guess",
              "required": false,
              "style": 1,
              "type": 4
            }
          ],
          "type": 1
        }
      ],
      "custom_id": "answer:qnzcjvtnoepyiiga",
      "title": "Your answer"
    }
    "#);
}

#[test]
fn one_role_is_called_and_only_if_it_is_one() {
    let body = |ping| render::body(&Message::say("Hello @everyone"), None, ping);
    let called = body(Some("123"));
    assert_eq!(called["content"], "<@&123>");
    assert_eq!(called["allowed_mentions"], json!({ "parse": [], "roles": ["123"] }));
    for ping in [None, Some(""), Some("1> @everyone"), Some("everyone")] {
        assert_eq!(body(ping)["content"], Value::Null, "{ping:?}");
        assert_eq!(body(ping)["allowed_mentions"], json!({ "parse": [] }), "{ping:?}");
    }
    assert_eq!(called["components"], json!([]));
}

/// Discord's own description of its API, if it lies beside the project.
fn specification() -> Option<Value> {
    let given = setting("DRILLBOT_SPECS").map(PathBuf::from);
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("shared/specs"));
    let file =
        given.into_iter().chain(above).map(|folder| folder.join("discord-openapi.json")).find(|file| file.is_file())?;
    Some(serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap())
}

#[test]
fn bodies_fit_discords_own_description() {
    let Some(spec) = specification() else { return };
    let validator = |name: &str| {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": spec["components"],
            "allOf": [{ "$ref": format!("#/components/schemas/{name}") }],
        });
        jsonschema::validator_for(&schema).unwrap()
    };
    let (create, modal) = (validator("MessageCreateRequest"), validator("ModalInteractionCallbackRequestData"));
    cases(100)
        .run(&any_message(), |message| {
            let body = render::body(&message, Some("question:abc"), Some("123"));
            let problems: Vec<String> = create.iter_errors(&body).map(|problem| problem.to_string()).collect();
            prop_assert!(problems.is_empty(), "{:?}", problems);
            Ok(())
        })
        .unwrap();
    let question = question("iam-passrole");
    let form = render::modal(&text::answer_form(
        &round(&question, State::Open),
        &question,
        "As before",
        Some(Confidence::Fairly),
    ));
    let problems: Vec<String> = modal.iter_errors(&form).map(|problem| problem.to_string()).collect();
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn marks_of_others_are_none() {
    for url in [
        "",
        "https://discord.com/",
        "https://example.com/?drillbot=x",
        "https://discord.com/?drillbot=%",
        "https://discord.com/?drillbot=%ff",
    ] {
        assert_eq!(render::mark_of(url), None, "{url}");
    }
    assert_eq!(render::mark_of("https://discord.com/?drillbot=question:abc").as_deref(), Some("question:abc"));
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
    let channel = ChannelId::new("discord:1");
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
        member: MemberId::new("discord:2"),
        channel: ChannelId::new("discord:1"),
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

/// As it would stand in Discord, embeds one below the other.
fn page(message: &Message) -> String {
    check(message).unwrap();
    let rendered = render::message(message, None);
    let mut out = Vec::new();
    for embed in &rendered.embeds {
        out.push(format!("=== {:06x}", embed.color));
        out.extend(Some(embed.description.clone()).filter(|text| !text.is_empty()));
        out.extend(embed.fields.iter().map(|field| format!("[{}] {}", field.name, field.value)));
        out.extend(embed.footer.as_ref().map(|footer| format!("({})", footer.text)));
    }
    out.extend(rendered.rows.iter().map(|row| {
        let button = |button: &render::RowButton| format!("<{} {}>", button.style, button.label);
        row.components.iter().map(button).collect::<Vec<_>>().join(" ")
    }));
    out.join("\n")
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
    === 5865f2
    **A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?**
    -# You cannot wear the crown, but you may choose who does.
    [Topic] AWS identity
    [Level] advanced
    [Answered] 3 people
    [Reveal] <t:1795453200:F>, <t:1795453200:R>
    (Answer in the thread, or in private with the button. A hint is private and costs 10 points.)
    <1 Answer> <2 Hint (−10 points)>
    ");
    assert_snapshot!(card(State::Revealed, 3), @"
    === 4e5058
    **A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?**
    -# You cannot wear the crown, but you may choose who does.
    [Topic] AWS identity
    [Level] advanced
    [Answered] 3 people
    [State] Closed; the answer is in the thread
    <2 My result>
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
            NamedAnswer { name: "# Bob".into(), text: "no idea\n> really", grade: &bad, coverage: 0 },
        ],
        teaser: Some("What is a boundary?".into()),
    };
    let pages: Vec<String> = text::reveal(&reveal).iter().map(page).collect();
    assert_snapshot!(pages.join("\n\n"), @r"
    === 23a55a
    **Model answer**
    On its own `iam:PassRole` reads nothing and changes nothing, which is why it slips through so many reviews. What it allows is handing an existing role to a service: the profile of an EC2 instance, the execution role of a Lambda function, the task role in ECS.

    Now picture a developer with modest rights who may also create functions. She picks an admin role, runs her own code under it and has everything that stronger role may do. The role's trust policy doesn't object, because it's the service that does the assuming.

    So I turn the statement round. `Resource` lists the team's exact role ARNs, or one path such as `role/checkout/*`, and an `iam:PassedToService` condition ties them to a single receiver, say `lambda.amazonaws.com`. On top of that comes a permission boundary on every role the team creates, and an SCP that protects the handful of roles only the platform group should use. In the pipeline, Access Analyzer checks refuse a policy that brings the star back.

    The trap is the audit. I've seen a team filter the trail for PassRole, find nothing and conclude that the right was idle. But it's a permission without an API call behind it, and last-accessed data leave it out too. I search CloudTrail for the requests that carried the role: RunInstances, CreateFunction, RegisterTaskDefinition.

    === 23a55a
    **Key points, and who covered them**
    ✓ The caller attaches an existing role to a service such as EC2, Lambda or ECS — Ann\_the\_\*first\*
    – Through that service the caller acts with a stronger role than their own — nobody yet
    – Resource lists exact role ARNs, or one role path — nobody yet
    – An iam:PassedToService condition ties it to one receiving service — nobody yet
    – A permission boundary or an SCP puts a ceiling on top — nobody yet
    – The trail shows the call that carried the role, such as RunInstances, and no PassRole event — nobody yet

    2 people answered; 40 of 100 on average.

    **Common mistakes**
    ✗ **PassRole is harmless, because it neither reads nor changes anything.** Together with a call that starts code, it lends out the rights of whichever role may be passed.
    ✗ **A search for PassRole events in CloudTrail shows who used it.** Such events do not exist; look for the request that configured the receiver of the role.

    **Read more**
    • [id roles use passrole (docs.aws.amazon.com)](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html)
    • [reference policies iam condition keys (docs.aws.amazon.com)](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html)
    • [access policies boundaries (docs.aws.amazon.com)](https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html)
    -# To think about next: What is a boundary?
    <2 My result> <2 Flag>

    === 80848e
    **What people answered**
    **Ann\_the\_\*first\* (80 of 100)**
    > iam:PassRole lets a principal hand a role to a service.
    > 
    > Without it nobody could give \*admin\* to an instance \@everyone

    **# Bob (0 of 100)**
    > no idea
    > \> really
    ");
}

#[test]
fn results() {
    let question = question("iam-passrole");
    let grade = grade(&question, ANSWER);
    assert_snapshot!(page(&text::my_result(&question, ANSWER, Some(Confidence::Sure), &grade, 1, 70, 105)), @r"
    === 23a55a
    **Your result**
    **70 of 100 (15 − 10 for 1 hint), worth 10.5 points**
    -# A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?
    You were sure, and five points were missing.

    **You said**
    ✓ The caller attaches an existing role to a service such as EC2, Lambda or ECS

    **Missing**
    – Through that service the caller acts with a stronger role than their own (you wrote “admin”, but in words that deny it)
    – Resource lists exact role ARNs, or one role path
    – An iam:PassedToService condition ties it to one receiving service
    – The trail shows the call that carried the role, such as RunInstances, and no PassRole event
    – A permission boundary or an SCP puts a ceiling on top

    **Your answer**
    > iam:PassRole lets a principal __hand a role__ to a service.
    > 
    > Without it nobody could give \*admin\* to an instance \@everyone
    -# Underlined: the words that counted.
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
    === 80848e
    **Daily questions, this week**
    ```
    #  Name                  Points  Answers  Streak
    1  Ann                      100        5       2
    2  日本 太郎 (you)         90.5        5       2
    3  {דנה}                       81        5       2
    4  ˋˋˋ*x*ˋˋˋ               71.5        5       2
    5  A name that is much…      62        5       2
    ```
    You are number 2 of 12.
    -# The first 5 of 12 members. Others: `/leaderboard` week, month or all; add a topic or drill.
    ");
}

#[test]
fn drills() {
    let question = question("iam-passrole");
    assert_snapshot!(page(&text::drill_view(&drill(&question, None, false), Some(&question))), @"
    === 5865f2
    -# AWS identity, question 1 of 2, advanced

    **A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?**
    -# You cannot wear the crown, but you may choose who does.
    **Hint 1:** Follow the rights: with whose permissions does the new code run?
    <1 Answer> <2 Hint (−10 points)> <2 Skip> <2 Reveal>
    ");
    assert_snapshot!(page(&text::drill_view(&drill(&question, None, true), Some(&question))), @"
    === 5865f2
    -# AWS identity, question 1 of 2, advanced

    **Somebody gave a strong role to a service last night. Where do you find out who it was?**
    A. In the AssumeRole events that name this role as the target
    B. In the last-accessed report, on the line for iam:PassRole
    C. In calls like RunInstances or CreateFunction with that role
    D. In the PassRole events that CloudTrail keeps for the account

    **Hint 1:** Follow the rights: with whose permissions does the new code run?
    <1 A> <1 B> <1 C> <1 D> <2 Hint (−10 points)>
    <2 Skip> <2 Reveal>
    ");
    let grade = grade(&question, ANSWER);
    let outcome =
        Outcome::Answered { text: ANSWER.into(), grade, coverage: 70, points: 105, confidence: Some(Confidence::Sure) };
    assert_snapshot!(page(&text::drill_view(&drill(&question, Some(outcome), false), Some(&question))), @r"
    === 23a55a
    -# AWS identity, question 1 of 2, advanced

    **A pull request adds iam:PassRole with a star as its resource. What is the danger, and how do you fence it in?**
    **70 of 100 (15 − 10 for 1 hint), worth 10.5 points**

    You were sure, and five points were missing.

    **You said**
    ✓ The caller attaches an existing role to a service such as EC2, Lambda or ECS

    **Missing**
    – Through that service the caller acts with a stronger role than their own (you wrote “admin”, but in words that deny it)
    – Resource lists exact role ARNs, or one role path
    – An iam:PassedToService condition ties it to one receiving service
    – The trail shows the call that carried the role, such as RunInstances, and no PassRole event
    – A permission boundary or an SCP puts a ceiling on top

    **Your answer**
    > iam:PassRole lets a principal __hand a role__ to a service.
    > 
    > Without it nobody could give \*admin\* to an instance \@everyone
    -# Underlined: the words that counted.

    **Model answer**
    On its own `iam:PassRole` reads nothing and changes nothing, which is why it slips through so many reviews. What it allows is handing an existing role to a service: the profile of an EC2 instance, the execution role of a Lambda function, the task role in ECS.

    Now picture a developer with modest rights who may also create functions. She picks an admin role, runs her own code under it and has everything that stronger role may do. The role's trust policy doesn't object, because it's the service that does the assuming.

    So I turn the statement round. `Resource` lists the team's exact role ARNs, or one path such as `role/checkout/*`, and an `iam:PassedToService` condition ties them to a single receiver, say `lambda.amazonaws.com`. On top of that comes a permission boundary on every role the team creates, and an SCP that protects the handful of roles only the platform group should use. In the pipeline, Access Analyzer checks refuse a policy that brings the star back.

    The trap is the audit. I've seen a team filter the trail for PassRole, find nothing and conclude that the right was idle. But it's a permission without an API call behind it, and last-accessed data leave it out too. I search CloudTrail for the requests that carried the role: RunInstances, CreateFunction, RegisterTaskDefinition.
    • [id roles use passrole (docs.aws.amazon.com)](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html)
    <1 Next> <2 Flag>
    ");
}

#[test]
fn helps() {
    assert_snapshot!(page(&text::help(text::Ways::SignedThreads)), @"
    === 80848e
    Every day I post an interview question here. Answer in its thread or with the Answer button; after a while I show the model answer, who covered which key point, and everybody's score.
    -# A sign under what you wrote in the thread says: 📥 it counts as your answer, ⌛ it came after the reveal.

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
    -# `/help` and a command explains it, for example `/help command:drill`.
    ");
    assert_snapshot!(page(&text::help_for("daily", text::Ways::SignedThreads)), @r#"
    === 80848e
    `/daily` Show or steer the daily question of this channel
    -# For organisers.

    • `/daily show` When questions come, what they are about, what happened lately
    • `/daily set` Change the schedule; what you leave out stays
      ◦ `time` Local time of the question, 09:00
      ◦ `days` Weekdays: mon-fri, or mon,wed,fri
      ◦ `cron` Instead of time and days, cron fields: "0 9 \* \* mon-fri"
      ◦ `zone` Time zone: Europe/London
      ◦ `reveal` Reveal after 8h, at 17:00 or "next day 09:00"
      ◦ `answers` Where answers are given: in the thread, in private, or both
      ◦ `topics` Only these topics: iam,eks; all = no limit
      ◦ `levels` Only these levels: beginner,intermediate; all = no limit
      ◦ `tracks` Only these tracks: devops,cloudops; all = no limit
      ◦ `skip` Dates without a question: 2026-12-25,2026-12-28..2026-12-31; none
      ◦ `catch-up` How late a missed question may still come: 6h
      ◦ `ping` The role or user group that each question calls
      ◦ `no-ping` yes = questions call nobody any more
    • `/daily pause` No more questions until `/daily resume`
    • `/daily resume` Questions come again
    • `/daily skip` Leave out the next question
    • `/daily now` Post a question at once, beside the schedule
      ◦ `question` Exactly this question, by its id
    • `/daily reveal` Reveal the open question now

    For example: `/daily set time:09:00 days:mon-fri zone:Europe/London reveal:17:00`
    "#);
}

/// Every question of the banks that come with the bot, in everything that shows it, whole.
#[test]
fn nothing_of_our_own_questions_is_shortened() {
    let texts = [
        include_str!("../../../content/iam.toml"),
        include_str!("../../../content/eks.toml"),
        include_str!("../../../content/terraform.toml"),
    ];
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
                assert!(!is_shortened(&render::message(message, None)), "{}: {}", question.id, message.as_text());
            }
        }
    }
}
