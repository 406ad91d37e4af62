//! Forms: what somebody is asked for in a modal. Source: <https://docs.slack.dev/surfaces/modals>.

use serde_json::{Value, json};

use super::page::{Page, Surface};
use super::words::clip;
use super::{ACTION_ID, TITLE, blocks, plain, view};
use crate::adapters::layout::{clean_line, longest, size, word_ends};
use crate::domain::command::{self, Opt, Spec};
use crate::domain::form::{self, NOTHING_PICKED};
use crate::domain::message::{Choosable, Form, Input, InputKind, Message};
use crate::domain::question::Level;
use crate::domain::text;

/// <https://docs.slack.dev/reference/block-kit/blocks/input-block>
const INPUT_LABEL: usize = 2_000;
/// <https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element>
const INPUT_PLACEHOLDER: usize = 150;
const INPUT_VALUE: usize = 3_000;

/// <https://docs.slack.dev/reference/block-kit/composition-objects/option-object>
const OPTION_LABEL: usize = 75;
const OPTION_VALUE: usize = 150;
/// Options of a select, and of what is loaded while somebody types:
/// <https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element>.
pub const OPTIONS: usize = 100;
/// Radio buttons and check boxes in a group: <https://docs.slack.dev/reference/block-kit/block-elements/radio-button-group-element>.
const GROUP: usize = 10;

/// What [`again`] marks its words and its inputs with.
const AGAIN: &str = "again";

/// The view that asks for what a form asks. A submission has `state.values[id][id]` for every input.
///
/// `private_metadata` has at most 3,000 characters; longer, it is left out.
pub fn modal(form: &Form, private_metadata: &str) -> Value {
    let inputs = inputs(&form.inputs);
    let mut page = Page::new(Surface { blocks: Surface::VIEW.blocks - inputs.len(), ..Surface::VIEW });
    for block in &form.blocks {
        page.add(block);
    }
    let mut blocks = if form.blocks.is_empty() && !inputs.is_empty() { Vec::new() } else { page.finish("") };
    blocks.extend(inputs);
    let mut view = view(&form.title, &blocks, "Cancel", private_metadata);
    view["callback_id"] = json!(form.action);
    view["submit"] = plain(&form.submit, TITLE);
    view
}

/// The view that shows a message and, between its words and its buttons, the inputs of a form that one of the buttons would open. The
/// names of the blocks are the form's own: what is typed for one question is not to stay for the next.
pub fn modal_with(title: &str, message: &Message, form: &Form, private_metadata: &str) -> Value {
    let mut inputs = inputs(&form.inputs);
    for input in &mut inputs {
        let id = input["block_id"].as_str().unwrap_or_default();
        input["block_id"] = json!(clip(&format!("{} {id}", form.action), ACTION_ID));
    }
    let buttons = message.buttons.iter().filter(|button| button.action != form.action).cloned().collect();
    let message = Message { buttons, ..message.clone() };
    let room = Surface { blocks: Surface::VIEW.blocks - inputs.len(), ..Surface::VIEW };
    let mut blocks = blocks(&message, room, &mut Vec::new());
    let end = blocks.len() - usize::from(blocks.last().is_some_and(|last| last["type"] == "actions"));
    blocks.splice(end..end, inputs);
    let mut view = view(title, &blocks, "Close", private_metadata);
    view["callback_id"] = json!(form.action);
    view["submit"] = plain(&form.submit, TITLE);
    view
}

/// The form of a command: everything that it takes.
pub struct CommandForm<'a> {
    pub spec: &'a Spec,
    pub sub: Option<&'a str>,
    /// What a submission carries.
    pub callback: &'a str,
    /// What is asked, or what is wrong with what was typed.
    pub words: &'a Message,
    /// What stands in it at first, by option.
    pub values: &'a [(&'static str, String)],
    /// For what is looked up, what it can be: (shown, value); [`OPTIONS`] of them may not be all.
    pub offers: &'a dyn Fn(command::Value) -> Vec<(String, String)>,
}

/// The view of it; inputs and their blocks are named after the options.
pub fn command_form(form: &CommandForm<'_>) -> Value {
    let options = command::options_of(form.spec, form.sub).unwrap_or_default();
    let mut blocks = blocks(form.words, Surface::VIEW, &mut Vec::new());
    blocks.truncate(Surface::VIEW.blocks - options.len());
    for option in options {
        let value = form.values.iter().find(|(name, _)| *name == option.name).map(|(_, value)| value.as_str());
        let mut element = element(option, value, form.offers);
        element["action_id"] = json!(option.name);
        blocks.push(json!({
            "type": "input",
            "block_id": option.name,
            "label": plain(&capital(option.name), INPUT_LABEL),
            "hint": plain(option.help, INPUT_LABEL),
            "optional": true,
            "element": element,
        }));
    }
    let mut view = view("drillbot", &blocks, "Cancel", "");
    view["callback_id"] = json!(form.callback);
    view["submit"] = plain(text::form_submit(), TITLE);
    view
}

fn element(option: &Opt, value: Option<&str>, offers: &dyn Fn(command::Value) -> Vec<(String, String)>) -> Value {
    let same = |words: &[&str]| words.iter().map(|word| ((*word).to_owned(), (*word).to_owned())).collect::<Vec<_>>();
    match option.value {
        command::Value::Topic | command::Value::Question | command::Value::Scenario | command::Value::Card => {
            let offers = offers(option.value);
            if (1..OPTIONS).contains(&offers.len()) {
                return select(&offers, value);
            }
            let mut element = json!({ "type": "external_select", "min_query_length": 0 });
            if let Some(value) = value {
                let known = offers.iter().find(|(_, known)| known == value).cloned();
                element["initial_option"] = choice(&known.unwrap_or_else(|| (value.to_owned(), value.to_owned())));
            }
            element
        }
        command::Value::Level => select(&same(&Level::ALL.map(Level::as_str)), value),
        command::Value::Word(words) => select(&same(words), value),
        command::Value::Number { min, max } => {
            let mut element = json!({
                "type": "number_input", "is_decimal_allowed": false, "min_value": min.to_string(), "max_value": max.to_string(),
            });
            if let Some(value) = value {
                element["initial_value"] = json!(value);
            }
            element
        }
        command::Value::Time => {
            let mut element = json!({ "type": "timepicker" });
            if let Some(value) = value {
                element["initial_time"] = json!(value);
            }
            element
        }
        command::Value::Mention | command::Value::Text => {
            let mut element = json!({ "type": "plain_text_input", "max_length": INPUT_VALUE });
            if let Some(value) = value {
                element["initial_value"] = json!(clip(value, INPUT_VALUE));
            }
            element
        }
    }
}

fn select(offers: &[(String, String)], value: Option<&str>) -> Value {
    let options: Vec<Value> = offers.iter().map(choice).collect();
    let mut element = json!({ "type": "static_select", "options": options });
    if let Some(known) = value.and_then(|value| offers.iter().find(|(_, known)| known == value)) {
        element["initial_option"] = choice(known);
    }
    element
}

fn choice((shown, value): &(String, String)) -> Value {
    json!({ "text": plain(shown, OPTION_LABEL), "value": value })
}

/// The answer to `block_suggestion`.
pub fn suggestions(offers: &[(String, String)]) -> Value {
    let fitting = offers.iter().filter(|(_, value)| (1..=OPTION_VALUE).contains(&size(value)));
    json!({ "options": fitting.take(OPTIONS).map(choice).collect::<Vec<_>>() })
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A modal as somebody left it (Slack's own words for it, with its state), and words above.
pub fn again(left: &Value, words: &Message) -> Value {
    let is_ours = |block: &&Value| !block["block_id"].as_str().is_some_and(|id| id.starts_with(AGAIN));
    let old = left["blocks"].as_array().map_or(&[][..], Vec::as_slice).iter().filter(is_ours);
    let mut all = blocks(words, Surface::VIEW, &mut Vec::new());
    for (at, block) in all.iter_mut().enumerate() {
        block["block_id"] = json!(format!("{AGAIN} {at}"));
    }
    all.extend(old.map(|block| filled(block, &left["state"]["values"])));
    all.truncate(Surface::VIEW.blocks);
    let mut view = json!({ "type": "modal", "blocks": all });
    for part in ["title", "submit", "close", "callback_id", "private_metadata"] {
        if !left[part].is_null() && left[part] != "" {
            view[part] = left[part].clone();
        }
    }
    view
}

/// An input with what was in it. Slack keeps what is typed as long as a block has the same name, and only then.
fn filled(block: &Value, state: &Value) -> Value {
    let mut block = block.clone();
    if block["type"] != "input" {
        return block;
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (id, action) = (text(&block["block_id"]), text(&block["element"]["action_id"]));
    let given = &state[&id][&action];
    for (from, to) in
        [("value", "initial_value"), ("selected_option", "initial_option"), ("selected_time", "initial_time")]
    {
        if !given[from].is_null() {
            block["element"][to] = given[from].clone();
        }
    }
    if let (Some(chosen), Some(element)) = (given["selected_options"].as_array(), block["element"].as_object_mut()) {
        element.remove("initial_options");
        if !chosen.is_empty() {
            element.insert("initial_options".to_owned(), json!(chosen));
        }
    }
    let name = id.strip_suffix('\'').map_or_else(|| format!("{id}'"), str::to_owned);
    block["block_id"] = json!(clip(&name, ACTION_ID));
    block
}

/// The inputs that have an id of their own, and picks that have something to pick.
fn inputs(inputs: &[Input]) -> Vec<Value> {
    let mut seen: Vec<&str> = Vec::new();
    let mut out = Vec::new();
    for one in inputs {
        if !one.id.is_empty() && size(&one.id) <= ACTION_ID && !seen.contains(&one.id.as_str()) {
            seen.push(&one.id);
            out.extend(input(one, out.is_empty()));
        }
    }
    out.truncate(Surface::VIEW.blocks / 2);
    out
}

fn input(input: &Input, first: bool) -> Option<Value> {
    let mut out = json!({
        "type": "input",
        "block_id": input.id,
        "label": plain(&input.label, INPUT_LABEL),
        "optional": !input.required,
    });
    let mut element = match &input.kind {
        InputKind::Pick { options, many } => pick(input, options, *many)?,
        InputKind::Text { placeholder, multiline, max_length } => {
            let limit = (*max_length).clamp(1, INPUT_VALUE);
            let mut element = json!({ "type": "plain_text_input", "multiline": multiline, "max_length": limit });
            let placeholder = clip(clean_line(placeholder).trim(), INPUT_PLACEHOLDER);
            if !placeholder.is_empty() {
                element["placeholder"] = plain(&placeholder, INPUT_PLACEHOLDER);
            }
            if !input.value.is_empty() {
                let value = clip(&input.value, limit);
                if value != input.value {
                    // Who saves this loses the rest.
                    out["hint"] = plain(text::shortened(), INPUT_LABEL);
                }
                element["initial_value"] = json!(value);
            }
            element
        }
    };
    element["action_id"] = json!(input.id);
    element["focus_on_load"] = json!(first);
    out["element"] = element;
    Some(out)
}

/// Radio buttons or check boxes; a select when there are more options than go into those.
fn pick(input: &Input, options: &[Choosable], many: bool) -> Option<Value> {
    let mut known: Vec<&Choosable> = Vec::new();
    for option in options {
        let fits = (1..=OPTION_VALUE).contains(&size(&option.value)) && known.len() < OPTIONS;
        if fits && !known.iter().any(|other| other.value == option.value) {
            known.push(option);
        }
    }
    if known.is_empty() {
        return None;
    }
    // A radio button cannot be taken back.
    let none = Choosable::new(NOTHING_PICKED, text::no_pick());
    if !many && !input.required && known.len() < OPTIONS && !known.iter().any(|option| option.value == none.value) {
        known.push(&none);
    }
    let grouped = known.len() <= GROUP;
    let shown = |option: &Choosable| {
        if grouped { long_choice(option) } else { choice(&(option.label.clone(), option.value.clone())) }
    };
    let kind = match (many, grouped) {
        (false, true) => "radio_buttons",
        (true, true) => "checkboxes",
        (false, false) => "static_select",
        (true, false) => "multi_static_select",
    };
    let mut element = json!({ "type": kind, "options": known.iter().map(|option| shown(option)).collect::<Vec<_>>() });
    let mut before = form::chosen(options, &input.value);
    before.retain(|option| known.contains(option));
    if many && !before.is_empty() {
        element["initial_options"] = before.into_iter().map(shown).collect();
    } else if let ([only], false) = (before.as_slice(), many) {
        element["initial_option"] = shown(only);
    }
    Some(element)
}

/// An option whose label goes on below itself where it is long.
fn long_choice(option: &Choosable) -> Value {
    let label = clean_line(&option.label);
    let label = label.trim();
    let mut out = json!({ "text": plain(label, OPTION_LABEL), "value": option.value });
    if size(label) > OPTION_LABEL {
        let ends = word_ends(label, OPTION_LABEL);
        let end = longest(ends.len(), |n| Some(ends[n]).filter(|end| size(&label[..*end]) <= OPTION_LABEL));
        if let Some(end) = end {
            out["text"] = plain(&label[..end], OPTION_LABEL);
            out["description"] = plain(&label[end..], OPTION_LABEL);
        }
    }
    out
}
