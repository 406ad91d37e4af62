//! A message as Slack shows it: blocks and buttons, within the service's limits. Source: <https://docs.slack.dev/reference/block-kit>.
//!
//! All words stand in `rich_text` blocks, whose text is literal: Slack finds no mention, link, emoji code or mark in it, so
//! nothing that people wrote has to be escaped, and what is shown is what they wrote. `mrkdwn` knows no escape for `*`, `_`,
//! `~`, backticks and `:emoji:`; only look-alikes would help, in the very texts that people copy. Headings and small print,
//! which `rich_text` lacks, are `header` and `context` blocks of `plain_text`; see `words::is_plain` for when. The one text that
//! Slack reads as `mrkdwn` is a message's summary for notifications, see `words::escaped`.

mod form;
mod page;
mod rich;
mod words;

use serde_json::{Value, json};

pub use self::form::{CommandForm, OPTIONS, again, command_form, modal, modal_with, suggestions};
use self::page::{Page, Surface, weight};
pub use self::words::is_user_group;
use self::words::{clip, escaped};
use crate::adapters::layout::{clean_line, size};
use crate::domain::message::{Block, Button, Message, Span, Style};

/// <https://docs.slack.dev/reference/block-kit/blocks/actions-block>
const BUTTONS: usize = 25;
/// <https://docs.slack.dev/reference/block-kit/block-elements/button-element>
const BUTTON_LABEL: usize = 75;
const ACTION_ID: usize = 255;
/// <https://docs.slack.dev/reference/views/modal-views>
const TITLE: usize = 24;
const PRIVATE_METADATA: usize = 3_000;
/// Stands for what has no visible words: Slack refuses empty texts.
const NOTHING: &str = "–";

/// <https://docs.slack.dev/messaging/message-metadata>
const EVENT_TYPE: &str = "drillbot_post";

/// The body of `chat.update`, without its channel and time; it knows no `unfurl_links` and no `unfurl_media`.
pub fn edit(message: &Message) -> Value {
    shown_in(message, Surface::CHANNEL)
}

/// The body of `chat.postMessage`, without its channel.
pub fn message(message: &Message) -> Value {
    let mut body = shown_in(message, Surface::CHANNEL);
    body["unfurl_links"] = json!(false);
    body["unfurl_media"] = json!(false);
    body
}

/// What stands in it, block by block: for authors who look at a question before it is posted.
pub fn as_text(shown: &Message) -> String {
    let body = message(shown);
    let blocks = body["blocks"].as_array().map(Vec::as_slice).unwrap_or_default();
    blocks.iter().map(visible).filter(|words| !words.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The visible words of a block or of an element in it.
fn visible(block: &Value) -> String {
    let kind = block["type"].as_str().unwrap_or_default();
    let all = |key: &str, between: &str| {
        let parts = block[key].as_array().map(Vec::as_slice).unwrap_or_default();
        parts.iter().map(visible).filter(|words| !words.is_empty()).collect::<Vec<_>>().join(between)
    };
    match kind {
        "divider" => "---".to_owned(),
        "button" => format!("[{}]", visible(&block["text"])),
        // In the reader's own zone and words; who cannot show that shows this.
        "date" => block["fallback"].as_str().unwrap_or_default().to_owned(),
        "actions" => all("elements", " "),
        "rich_text_list" => {
            let items = block["elements"].as_array().map(Vec::as_slice).unwrap_or_default();
            items.iter().map(|item| format!("• {}", visible(item))).collect::<Vec<_>>().join("\n")
        }
        "rich_text" | "context" => all("elements", "\n"),
        "rich_text_quote" => format!("> {}", all("elements", "")),
        "rich_text_preformatted" => format!("```\n{}\n```", all("elements", "")),
        _ => match &block["text"] {
            Value::String(text) => text.clone(),
            Value::Object(_) => visible(&block["text"]),
            _ => [all("fields", "\n"), all("elements", "")]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("\n"),
        },
    }
}

/// The body of `chat.postEphemeral` or of a response URL, for what one person sees: user groups are shown by name, which calls
/// nobody where nobody else sees it.
pub fn private(message: &Message) -> Value {
    shown_in(message, Surface::PRIVATE)
}

fn shown_in(message: &Message, surface: Surface) -> Value {
    let mut seen = Vec::new();
    json!({
        "text": summary(message),
        "blocks": blocks(message, surface, &mut seen),
        // Against a guess at names and addresses in `text`.
        "link_names": false,
        "parse": "none",
    })
}

/// The body with a call of a user group before it; unchanged if `ping` is no id of one (`S` and capitals or digits).
pub fn with_ping(mut body: Value, ping: &str) -> Value {
    if !words::is_user_group(ping) {
        return body;
    }
    let call = rich::block(vec![rich::section(vec![json!({ "type": "usergroup", "usergroup_id": ping })])]);
    if let Some(blocks) = body["blocks"].as_array_mut() {
        blocks.insert(0, call);
    }
    let text = body["text"].as_str().unwrap_or_default();
    body["text"] = json!(format!("<!subteam^{ping}> {text}"));
    body
}

/// The body with a key by which the post is found again, see [`key_of`].
pub fn with_key(mut body: Value, key: &str) -> Value {
    body["metadata"] = json!({ "event_type": EVENT_TYPE, "event_payload": { "key": key } });
    body
}

/// The key that [`with_key`] gave a message, from `conversations.history` or `.replies` with `include_all_metadata`.
pub fn key_of(message: &Value) -> Option<String> {
    let metadata = message.get("metadata").filter(|metadata| metadata["event_type"] == EVENT_TYPE)?;
    metadata["event_payload"]["key"].as_str().map(str::to_owned)
}

/// The view that shows a message with its buttons.
///
/// `private_metadata` has at most 3,000 characters; longer, it is left out.
pub fn modal_message(title: &str, message: &Message, private_metadata: &str) -> Value {
    let blocks = blocks(message, Surface::VIEW, &mut Vec::new());
    view(title, &blocks, "Close", private_metadata)
}

fn view(title: &str, blocks: &[Value], close: &str, private_metadata: &str) -> Value {
    let mut view =
        json!({ "type": "modal", "title": plain(title, TITLE), "close": plain(close, TITLE), "blocks": blocks });
    if !private_metadata.is_empty() && size(private_metadata) <= PRIVATE_METADATA {
        view["private_metadata"] = json!(private_metadata);
    }
    view
}

/// The view of App Home: the messages one below the other.
pub fn home(messages: &[Message]) -> Value {
    let (mut all, mut seen) = (Vec::new(), Vec::new());
    let mut surface = Surface::VIEW;
    for message in messages {
        let divider = json!({ "type": "divider" });
        let room = surface.blocks.saturating_sub(all.len() + usize::from(!all.is_empty()));
        // Below this there is no room for a line, its buttons and the words that say it was shortened.
        if room < 3 || surface.total < 1_000 + weight(&divider) {
            break;
        }
        let share = Surface { blocks: room, total: (surface.total - weight(&divider)).min(Surface::SHARE), ..surface };
        let blocks = blocks(message, share, &mut seen);
        if !all.is_empty() {
            all.push(divider.clone());
        }
        let taken = blocks.iter().map(weight).sum::<usize>() + weight(&divider);
        surface.total = surface.total.saturating_sub(taken);
        all.extend(blocks);
    }
    if all.is_empty() {
        all = Page::new(Surface::VIEW).finish("");
    }
    json!({ "type": "home", "blocks": all })
}

/// What notifications and screen readers say.
fn summary(message: &Message) -> String {
    let first = || message.blocks.iter().find_map(|block| escaped(&words_of(block)));
    escaped(&message.summary).or_else(first).unwrap_or_else(|| NOTHING.to_owned())
}

/// The words of a block that has some, without their dress.
fn words_of(block: &Block) -> String {
    match block {
        Block::Heading { text } | Block::Quote { text, .. } => text.clone(),
        Block::Line { spans } | Block::Note { spans } | Block::Field { spans, .. } | Block::Item { spans, .. } => {
            spans.iter().map(Span::as_plain).collect()
        }
        Block::Code { .. } | Block::Table { .. } | Block::Divider => String::new(),
    }
}

/// At least one. `seen` are the ids of buttons in the same view.
fn blocks(message: &Message, surface: Surface, seen: &mut Vec<String>) -> Vec<Value> {
    let actions = actions(&message.buttons, surface.total / 2, seen);
    let room = Surface {
        blocks: surface.blocks - usize::from(actions.is_some()),
        total: surface.total - actions.as_ref().map_or(0, weight),
        ..surface
    };
    let mut page = Page::new(room);
    for block in &message.blocks {
        page.add(block);
    }
    let mut blocks = page.finish(&message.summary);
    blocks.extend(actions);
    blocks
}

/// What cannot be pressed (no id, too long an id) or would be refused (an id twice) is left out.
fn actions(buttons: &[Button], most: usize, seen: &mut Vec<String>) -> Option<Value> {
    let mut elements: Vec<Value> = Vec::new();
    let mut left = most;
    for button in buttons {
        let id = &button.action;
        if id.is_empty() || size(id) > ACTION_ID || seen.contains(id) || elements.len() == BUTTONS {
            continue;
        }
        let mut element = json!({ "type": "button", "action_id": id, "text": plain(&button.label, BUTTON_LABEL) });
        match button.style {
            Style::Primary => element["style"] = json!("primary"),
            Style::Danger => element["style"] = json!("danger"),
            Style::Secondary => {}
        }
        if weight(&element) <= left {
            left -= weight(&element);
            seen.push(id.clone());
            elements.push(element);
        }
    }
    if elements.is_empty() { None } else { Some(json!({ "type": "actions", "elements": elements })) }
}

/// A `plain_text` object of one line; colons stay colons.
fn plain(text: &str, limit: usize) -> Value {
    let text = clip(clean_line(text).trim(), limit);
    let text = if text.is_empty() { NOTHING } else { &text };
    json!({ "type": "plain_text", "text": text, "emoji": false })
}
