//! Forms: what somebody is asked for in a modal.
//!
//! Discord has selects for modals, inside labels; serenity 0.12.5, through which submissions come, reads rows only and drops what is in a
//! label. So every input is a text input in a row, also a pick: people type a number or the beginning of an option, and
//! `domain::form::picked` reads it. Options that are too long for the grey words in the input stand above it as a Text Display.
//! Source: <https://docs.discord.com/developers/components/reference>.

use serde_json::{Value, json};

use super::markdown::{Writer, clip};
use super::{label, words};
use crate::adapters::layout::{clean_line, size};
use crate::domain::form::{chosen, handles};
use crate::domain::markup;
use crate::domain::message::{Block, Choosable, Form, Input, InputKind, Message};
use crate::domain::text;

const TITLE: usize = 45;
/// Rows and Text Displays together.
const COMPONENTS: usize = 5;
const INPUT_LABEL: usize = 45;
const INPUT_PLACEHOLDER: usize = 100;
const INPUT_VALUE: usize = 4_000;
const TEXT_DISPLAY: usize = 4_000;
/// What people type to pick: a label, or many numbers.
const PICK_VALUE: usize = 200;
/// Of an option's label above its input.
const OPTION_LABEL: usize = 300;

/// The data of an interaction callback that opens the form.
pub fn modal(form: &Form) -> Value {
    // A modal hides what stands behind it, so the question is what an empty input shows; several have words of their own.
    let asks_once = form.inputs.iter().filter(|input| matches!(input.kind, InputKind::Text { .. })).count() == 1;
    let question = form.blocks.iter().map(words).find(|words| asks_once && !words.trim().is_empty());
    let mut components: Vec<Value> = reading(form).into_iter().collect();
    for input in &form.inputs {
        let more = match &input.kind {
            InputKind::Text { .. } => vec![row(&text_input(input, question.as_deref()))],
            InputKind::Pick { options, .. } if options.is_empty() => vec![],
            InputKind::Pick { options, many } => pick(input, options, *many),
        };
        if components.len() + more.len() <= COMPONENTS {
            components.extend(more);
        }
    }
    json!({ "custom_id": form.action, "title": label(&form.title, TITLE), "components": components })
}

/// What has to be read before one can answer: forms that quote somebody show all their lines above the inputs.
fn reading(form: &Form) -> Option<Value> {
    let quotes = |block: &Block| matches!(block, Block::Quote { .. });
    form.blocks.iter().find(|block| quotes(block))?;
    let content = |most: usize| {
        let cut = |block: &Block| match block {
            Block::Quote { by, text, .. } => {
                Block::Quote { by: by.clone(), text: markup::shorten(text, most), hits: vec![] }
            }
            other => other.clone(),
        };
        let message = Message { blocks: form.blocks.iter().map(cut).collect(), ..Message::default() };
        let all = super::message(&message, None).embeds;
        all.into_iter().map(|embed| embed.description).collect::<Vec<_>>().join("\n")
    };
    let fitting = std::iter::successors(Some(TEXT_DISPLAY), |most| (*most > 1).then(|| most / 2)).map(content);
    let content = fitting.into_iter().find(|content| size(content) <= TEXT_DISPLAY)?;
    (!content.trim().is_empty()).then(|| json!({ "type": 10, "content": content }))
}

fn row(input: &Value) -> Value {
    json!({ "type": 1, "components": [input] })
}

fn text_input(input: &Input, question: Option<&str>) -> Value {
    let (placeholder, multiline, max_length) = match &input.kind {
        InputKind::Text { placeholder, multiline, max_length } => (placeholder.as_str(), *multiline, *max_length),
        InputKind::Pick { .. } => ("", false, PICK_VALUE),
    };
    let limit = max_length.clamp(1, INPUT_VALUE);
    let mut out = json!({
        "type": 4,
        "custom_id": input.id,
        "style": if multiline { 2 } else { 1 },
        "label": label(&input.label, INPUT_LABEL),
        "placeholder": clip(clean_line(question.unwrap_or(placeholder)).trim(), INPUT_PLACEHOLDER),
        "required": input.required,
        "max_length": limit,
    });
    if !input.value.is_empty() {
        // What somebody wrote before is only cut if Discord's own way of counting says so.
        let fits = input.value.chars().count() <= limit;
        out["value"] = json!(if fits { input.value.clone() } else { clip(&input.value, limit) });
    }
    out
}

fn pick(input: &Input, options: &[Choosable], many: bool) -> Vec<Value> {
    let handles = handles(options);
    let before = chosen(options, &input.value);
    let value = match before.as_slice() {
        [] => String::new(),
        [one] if !many && clean_line(&one.label) == one.label && size(&one.label) <= PICK_VALUE => one.label.clone(),
        all => {
            let handle = |(option, handle): (&Choosable, &String)| all.contains(&option).then(|| handle.clone());
            options.iter().zip(&handles).filter_map(handle).collect::<Vec<_>>().join(", ")
        }
    };
    let hint = text::pick_placeholder(options, many);
    // What stands in the input hides the hint; several options are best seen then too.
    let listed = size(&hint) > INPUT_PLACEHOLDER || (many && !value.is_empty());
    let hint = if listed { text::pick_by_number(options, many) } else { hint };
    let row = row(&text_input(&Input { value, ..input.clone() }, Some(&hint)));
    if listed { vec![list(&handles, options), row] } else { vec![row] }
}

/// The options with what to type for each.
fn list(handles: &[String], options: &[Choosable]) -> Value {
    let content = |most: usize| {
        let mut lines = Writer::new();
        for (at, (handle, option)) in handles.iter().zip(options).enumerate() {
            if at > 0 {
                lines.line_end();
            }
            lines.marked("**", &clip(clean_line(handle).trim(), most));
            lines.plain(" ");
            lines.plain(&label(&option.label, most));
        }
        lines.finish()
    };
    let fitting = std::iter::successors(Some(OPTION_LABEL), |most| (*most > 1).then(|| most / 2)).map(content);
    let content = fitting.into_iter().find(|content| size(content) <= TEXT_DISPLAY);
    json!({ "type": 10, "content": content.unwrap_or_else(|| text::shortened().to_owned()) })
}
