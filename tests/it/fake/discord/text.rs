//! Messages and forms as plain lines, for people and for tests.

use serde_json::Value;

use super::model::{Id, LOADING, Message, Model, Pinged};

/// A message as those who see it see it.
#[derive(Clone, Debug)]
pub struct Shown {
    pub id: Id,
    pub channel: Id,
    /// `#daily-drill`, `#daily-drill > Question 3`, or `DM with Ann`.
    pub place: String,
    pub author: String,
    pub author_id: Id,
    pub content: String,
    /// Who really got a notification.
    pub pinged: Pinged,
    /// Who alone sees it.
    pub only_for: Option<Id>,
    /// The message it replies to or stands for.
    pub reference: Option<Id>,
    pub edited: bool,
    text: String,
}

impl Shown {
    /// Content, embeds and components, one line each.
    pub fn text(&self) -> &str {
        &self.text
    }
}

pub fn shown(model: &Model, it: &Message) -> Shown {
    Shown {
        id: it.id,
        channel: it.channel,
        place: place(model, it.channel),
        author: model.name_in(it.channel, it.author),
        author_id: it.author,
        content: it.content.clone(),
        pinged: it.pinged.clone(),
        only_for: it.only_for,
        reference: it.reference,
        edited: it.edited_ms.is_some(),
        text: message(model, it),
    }
}

pub fn place(model: &Model, channel: Id) -> String {
    let Some(it) = model.channels.get(&channel) else { return "a channel that is gone".into() };
    match (it.parent, it.recipient) {
        (Some(parent), _) => format!("{} > {}", place(model, parent), it.name),
        (_, Some(user)) => format!("DM with {}", model.name_in(channel, user)),
        _ => format!("#{}", it.name),
    }
}

pub fn message(model: &Model, it: &Message) -> String {
    let mut lines = Vec::new();
    if it.flags & LOADING != 0 {
        lines.push("(thinking)".to_owned());
    }
    lines.push(it.content.clone());
    it.embeds.iter().for_each(|one| embed(&mut lines, one));
    for row in &it.components {
        let all: Vec<String> = row["components"].as_array().into_iter().flatten().map(component).collect();
        lines.push(all.join(" "));
    }
    lines.retain(|line| !line.is_empty());
    named(model, it.channel, &lines.join("\n"))
}

fn embed(lines: &mut Vec<String>, it: &Value) {
    let text = |path: &str| it.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    lines.extend(["/author/name", "/title", "/description"].map(text));
    for field in it["fields"].as_array().into_iter().flatten() {
        let part = |name: &str| field[name].as_str().unwrap_or_default();
        lines.push(format!("{}: {}", part("name"), part("value")));
    }
    lines.push(text("/footer/text"));
}

/// `[Answer]`, `[Answer (off)]`, `[Topic: IAM | EKS]`.
fn component(it: &Value) -> String {
    let emoji = it["emoji"]["name"].as_str();
    let label = it["label"].as_str().or(it["placeholder"].as_str()).or(emoji).unwrap_or("Choose");
    let options: Vec<&str> =
        it["options"].as_array().into_iter().flatten().filter_map(|one| one["label"].as_str()).collect();
    let options = if options.is_empty() { String::new() } else { format!(": {}", options.join(" | ")) };
    let off = if it["disabled"] == true { " (off)" } else { "" };
    format!("[{label}{options}{off}]")
}

/// Mentions by name: `@Ann`, `@role`, `#channel`. Times stay as they are written.
fn named(model: &Model, channel: Id, text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let name =
            rest.split_once('>').and_then(|(inside, _)| Some((inside.len(), mention(model, channel, &inside[1..])?)));
        match name {
            Some((length, name)) => {
                out.push_str(&name);
                rest = &rest[length + 1..];
            }
            None => {
                out.push('<');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

fn mention(model: &Model, channel: Id, inside: &str) -> Option<String> {
    if let Some(id) = inside.strip_prefix('#') {
        return Some(format!("#{}", model.channels.get(&id.parse().ok()?)?.name));
    }
    let inside = inside.strip_prefix('@')?;
    if let Some(id) = inside.strip_prefix('&') {
        let guild = model.guilds.get(&model.channels.get(&channel)?.guild?)?;
        return Some(format!("@{}", guild.roles.get(&id.parse().ok()?)?.name));
    }
    let id = inside.trim_start_matches('!').parse().ok()?;
    model.users.contains_key(&id).then(|| format!("@{}", model.name_in(channel, id)))
}

/// The inputs of a form, whichever way they are laid out: (input, label).
pub fn inputs(form: &Value) -> Vec<(&Value, &str)> {
    let parts = form["components"].as_array().into_iter().flatten();
    let rows = parts.filter(|part| part["type"] != 10);
    rows.map(|row| {
        let labelled = row.get("component").is_some();
        let input = if labelled { &row["component"] } else { &row["components"][0] };
        (input, if labelled { &row["label"] } else { &input["label"] }.as_str().unwrap_or_default())
    })
    .collect()
}

/// A form: its title, what is written between the inputs, then a line for each input with what is in it.
pub fn form(it: &Value) -> String {
    let mut lines = vec![it["title"].as_str().unwrap_or_default().to_owned()];
    lines.extend(
        it["components"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|part| part["content"].as_str())
            .map(str::to_owned),
    );
    for (input, label) in inputs(it) {
        let inside = input["value"].as_str().filter(|value| !value.is_empty()).or(input["placeholder"].as_str());
        lines.push(format!("{label}: {}", inside.unwrap_or_default()));
    }
    lines.join("\n")
}
