//! Messages and views that come, change and go, and the events that tell of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::model::{Happening, Id, Kind, Message, Model, Place, Spot, Ts, View};
use super::wire;

/// Block id, action id, value.
pub type Values = BTreeMap<String, BTreeMap<String, Value>>;

/// A reply that is shown in the channel too.
pub const BROADCAST: &str = "thread_broadcast";

/// A message before it has a time.
#[derive(Default)]
pub struct Draft {
    pub text: String,
    pub blocks: Vec<Value>,
    pub metadata: Option<Value>,
    pub bot_id: Option<Id>,
    pub only_for: Option<Id>,
    /// `thread_broadcast`, `me_message`, ..
    pub subtype: Option<&'static str>,
    pub finds_names: bool,
    pub answers: Option<String>,
}

impl Model {
    /// Adds a message and tells of it.
    pub fn post(&mut self, place: Place, user: Id, draft: Draft) -> Spot {
        let ts = self.ts();
        let Draft { text, mut blocks, metadata, bot_id, only_for, subtype, finds_names, answers } = draft;
        self.name_blocks(&mut blocks);
        let message = Message {
            channel: place.channel,
            ts,
            thread: place.thread,
            user,
            bot_id,
            text,
            blocks,
            metadata,
            subtype: subtype.filter(|kind| *kind != BROADCAST || place.thread.is_some()),
            edited: None,
            reactions: Vec::new(),
            only_for,
            locked: false,
            finds_names,
            answers,
        };
        let spot = message.spot();
        self.messages.insert(spot, message);
        self.happenings.push(Happening::Posted(spot));
        if only_for.is_none() {
            let mut event = wire::message(self, &self.messages[&spot], false);
            if let (Some(BROADCAST), Some(thread)) = (subtype, place.thread) {
                let root = self.messages.get(&Spot { channel: place.channel, ts: thread });
                event["root"] = root.map_or(Value::Null, |root| wire::message(self, root, false));
            }
            self.tell_message(place.channel, event, ts);
        }
        spot
    }

    fn tell_message(&mut self, channel: Id, mut event: Value, ts: Ts) {
        let Some(it) = self.channels.get(&channel) else { return };
        let name = match it.kind {
            Kind::Public => "message.channels",
            Kind::Private => "message.groups",
            Kind::Direct => "message.im",
        };
        let more = json!({
            "channel": channel.to_string(), "channel_type": wire::channel_type(it), "event_ts": ts.to_string(),
        });
        wire::merge(&mut event, more);
        self.tell_in(channel, name, event);
    }

    /// Changes a message and tells of it.
    pub fn change_message(&mut self, spot: Spot, by: impl FnOnce(&mut Message)) {
        let Some(before) = self.messages.get(&spot).cloned() else { return };
        let previous = wire::message(self, &before, false);
        if let Some(it) = self.messages.get_mut(&spot) {
            by(it);
            let mut blocks = std::mem::take(&mut it.blocks);
            self.name_blocks(&mut blocks);
            if let Some(it) = self.messages.get_mut(&spot) {
                it.blocks = blocks;
            }
        }
        self.happenings.push(Happening::Changed(spot));
        if before.only_for.is_some() {
            return;
        }
        let ts = self.ts();
        let event = json!({
            "type": "message", "subtype": "message_changed", "hidden": true, "ts": ts.to_string(),
            "message": wire::message(self, &self.messages[&spot], false), "previous_message": previous,
        });
        self.tell_message(spot.channel, event, ts);
    }

    /// Takes a message away. One with replies leaves a tombstone.
    pub fn remove_message(&mut self, spot: Spot) {
        let Some(it) = self.messages.get(&spot).cloned() else { return };
        if self.has_replies(spot) {
            return self.change_message(spot, |it| {
                it.subtype = Some("tombstone");
                it.text = "This message was deleted.".into();
                it.blocks.clear();
                it.metadata = None;
                it.reactions.clear();
            });
        }
        let previous = wire::message(self, &it, false);
        self.messages.remove(&spot);
        self.happenings.push(Happening::Changed(spot));
        if it.only_for.is_some() {
            return;
        }
        let ts = self.ts();
        let event = json!({
            "type": "message", "subtype": "message_deleted", "hidden": true, "ts": ts.to_string(),
            "deleted_ts": spot.ts.to_string(), "previous_message": previous,
        });
        self.tell_message(spot.channel, event, ts);
    }

    /// Gives names to blocks and elements that have none, as Slack does.
    fn name_blocks(&mut self, blocks: &mut [Value]) {
        for block in blocks {
            if block["block_id"].as_str().is_none_or(str::is_empty) {
                block["block_id"] = json!(self.unique());
            }
            let kind = block["type"].as_str().unwrap_or_default().to_owned();
            let mut name = |element: &mut Value| {
                let stateless = matches!(element["type"].as_str(), Some("image") | None);
                if !stateless && element["action_id"].as_str().is_none() {
                    element["action_id"] = json!(self.unique());
                }
            };
            if let Some(element) = block.get_mut("accessory") {
                name(element);
            }
            if let Some(element) = block.get_mut("element") {
                name(element);
            }
            if kind == "actions" {
                block["elements"].as_array_mut().into_iter().flatten().for_each(name);
            }
        }
    }

    /// A modal on top of `below`, if there is one.
    pub fn open_view(&mut self, team: Id, user: Id, form: Value, below: Option<Id>) -> Id {
        let id = self.id('V');
        let root = below.and_then(|below| self.views.get(&below)).map_or(id, |below| below.root);
        let home = form["type"] == "home";
        let view = View {
            id,
            team,
            user,
            form: Value::Null,
            hash: String::new(),
            values: Values::new(),
            errors: BTreeMap::new(),
            offered: BTreeMap::new(),
            open: true,
            home,
            previous: below,
            root,
        };
        self.views.insert(id, view);
        self.set_view(id, form);
        id
    }

    /// Shows another form in a view. What is in inputs of the same names stays.
    pub fn set_view(&mut self, id: Id, mut form: Value) {
        if let Some(blocks) = form["blocks"].as_array_mut() {
            self.name_blocks(blocks);
        }
        let hash = format!("{}.{}", super::model::now_s(), self.unique());
        if let Some(view) = self.views.get_mut(&id) {
            view.values = values_of(form["blocks"].as_array().map_or(&[], Vec::as_slice), &view.values);
            view.form = form;
            view.hash = hash;
            view.errors.clear();
        }
    }

    /// Closes a view, or the whole stack; below it another one may show.
    pub fn close_view(&mut self, id: Id, all: bool) {
        let root = self.views.get(&id).map(|view| view.root);
        for view in self.views.values_mut().filter(|view| !view.home) {
            if view.id == id || (all && Some(view.root) == root) {
                view.open = false;
            }
        }
    }
}

/// The elements of a block that people act on.
pub fn elements(block: &Value) -> Vec<&Value> {
    let listed = if block["type"] == "actions" { block["elements"].as_array() } else { None };
    let single = ["element", "accessory"].into_iter().filter_map(|name| block.get(name));
    listed.into_iter().flatten().chain(single).collect()
}

/// What is in the inputs at first, or still in them from before.
pub fn values_of(blocks: &[Value], before: &Values) -> Values {
    let mut values = Values::new();
    for block in blocks {
        let id = block["block_id"].as_str().unwrap_or_default();
        for element in elements(block) {
            let (action, kind) =
                (element["action_id"].as_str().unwrap_or_default(), element["type"].as_str().unwrap_or_default());
            let fresh = match kind {
                "plain_text_input" | "number_input" | "url_text_input" => {
                    json!({"type": kind, "value": element["initial_value"]})
                }
                "static_select" | "external_select" | "radio_buttons" => {
                    json!({"type": kind, "selected_option": element["initial_option"]})
                }
                "checkboxes" | "multi_static_select" => {
                    let chosen = element["initial_options"].as_array().cloned().unwrap_or_default();
                    json!({"type": kind, "selected_options": chosen})
                }
                "timepicker" => json!({"type": kind, "selected_time": element["initial_time"]}),
                "conversations_select" => {
                    json!({"type": kind, "selected_conversation": element["initial_conversation"]})
                }
                "channels_select" => json!({"type": kind, "selected_channel": element["initial_channel"]}),
                _ => continue,
            };
            let kept = before.get(id).and_then(|all| all.get(action)).filter(|old| old["type"] == kind);
            let value = kept.cloned().unwrap_or(fresh);
            values.entry(id.to_owned()).or_default().insert(action.to_owned(), value);
        }
    }
    values
}
