//! Messages and views as plain lines, for people and for tests, and whom they ping.

use std::collections::BTreeSet;

use serde_json::Value;

use super::dates;
use super::model::{Channel, Id, Kind, Message, Model, Spot, View};

/// A message as those who see it see it.
#[derive(Clone, Debug)]
pub struct Shown {
    pub spot: Spot,
    /// The thread it is in, also when it is the first there.
    pub thread: Option<Spot>,
    /// `#daily-drill`, `#daily-drill > thread`, or `DM with Ann`.
    pub place: String,
    pub author: String,
    pub author_id: Id,
    /// The text at the top, which notifications and screen readers get.
    pub notification: String,
    /// Who gets a notification by a mention.
    pub pinged: Pinged,
    /// (address, label) of everything that can be clicked.
    pub links: Vec<(String, String)>,
    /// The moments in it: seconds since 1970, and as it is shown.
    pub dates: Vec<(i64, String)>,
    /// Who alone sees it.
    pub only_for: Option<Id>,
    pub edited: bool,
    /// Whether a reply is shown in the channel too.
    pub broadcast: bool,
    text: String,
}

/// A modal or a Home as its owner sees it.
#[derive(Clone, Debug)]
pub struct Screen {
    pub id: Id,
    pub user: Id,
    pub open: bool,
    pub links: Vec<(String, String)>,
    /// The moments in it: seconds since 1970, and as it is shown.
    pub dates: Vec<(i64, String)>,
    text: String,
}

/// Who really is mentioned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pinged {
    pub users: BTreeSet<Id>,
    pub groups: BTreeSet<String>,
    /// `@here`, `@channel` or `@everyone`.
    pub all: bool,
}

impl Shown {
    /// Every block in a line or more; the text at the top where there are no blocks.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text without what changes from run to run.
    pub fn settled(&self) -> String {
        settled(&self.text, &self.dates)
    }
}

impl Screen {
    pub fn text(&self) -> &str {
        &self.text
    }

    /// As [`Shown::settled`].
    pub fn settled(&self) -> String {
        settled(&self.text, &self.dates)
    }
}

fn settled(text: &str, dates: &[(i64, String)]) -> String {
    dates.iter().fold(text.to_owned(), |text, (_, shown)| text.replace(shown, "<an instant>"))
}

/// A text being made readable, and what was found in it.
struct Reader<'a> {
    model: &'a Model,
    team: Id,
    pinged: Pinged,
    links: Vec<(String, String)>,
    dates: Vec<(i64, String)>,
}

pub fn shown(model: &Model, it: &Message) -> Shown {
    let team = model.channels.get(&it.channel).map_or(it.channel, |channel| channel.team);
    let mut reader = Reader { model, team, pinged: Pinged::default(), links: Vec::new(), dates: Vec::new() };
    let notification = reader.mrkdwn(&it.text, it.finds_names);
    let lines: Vec<String> = it.blocks.iter().map(|block| reader.block(block)).collect();
    let text = if it.blocks.is_empty() { notification.clone() } else { lines.join("\n") };
    let thread = it.thread.map(|ts| Spot { channel: it.channel, ts });
    let mut place = model.channels.get(&it.channel).map_or_else(String::new, |channel| place(model, channel));
    if it.is_reply() {
        place.push_str(" > thread");
    }
    Shown {
        spot: it.spot(),
        thread,
        place,
        author: model.name_of(it.user),
        author_id: it.user,
        notification,
        pinged: reader.pinged,
        links: reader.links,
        dates: reader.dates,
        only_for: it.only_for,
        edited: it.edited.is_some(),
        broadcast: it.subtype == Some("thread_broadcast"),
        text,
    }
}

pub fn screen(model: &Model, it: &View) -> Screen {
    let mut reader = Reader { model, team: it.team, pinged: Pinged::default(), links: Vec::new(), dates: Vec::new() };
    let mut lines = Vec::new();
    let plain = |it: &Value| it["text"].as_str().unwrap_or_default().to_owned();
    lines.push(plain(&it.form["title"]));
    for block in it.form["blocks"].as_array().into_iter().flatten() {
        let mut line = reader.block(block);
        let id = block["block_id"].as_str().unwrap_or_default();
        for value in it.values.get(id).into_iter().flat_map(|all| all.values()) {
            if let Some(text) = chosen(value) {
                line.push_str(&format!(" {text}"));
            }
        }
        lines.push(line);
        if let Some(why) = it.errors.get(id) {
            lines.push(format!("! {why}"));
        }
    }
    let buttons = [&it.form["submit"], &it.form["close"]].map(plain);
    lines
        .push(buttons.iter().filter(|one| !one.is_empty()).map(|one| format!("[{one}]")).collect::<Vec<_>>().join(" "));
    lines.retain(|line| !line.is_empty());
    Screen { id: it.id, user: it.user, open: it.open, links: reader.links, dates: reader.dates, text: lines.join("\n") }
}

/// What is in an input.
fn chosen(value: &Value) -> Option<String> {
    let option = |one: &Value| one["text"]["text"].as_str().map(str::to_owned);
    match value.get("selected_options").and_then(Value::as_array) {
        Some(all) => Some(all.iter().filter_map(option).collect::<Vec<_>>().join(", ")),
        None => value["value"].as_str().map(str::to_owned).or_else(|| option(&value["selected_option"])),
    }
}

pub fn place(model: &Model, it: &Channel) -> String {
    match (it.kind, it.with) {
        (Kind::Direct, Some(user)) => format!("DM with {}", model.name_of(user)),
        _ => format!("#{}", it.name),
    }
}

/// What a person types, as Slack's client sends it: special characters escaped, names and addresses found.
pub fn typed(model: &Model, team: Id, text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let words = escaped.split_inclusive(char::is_whitespace).map(|piece| {
        let word = piece.trim_end();
        let after = &piece[word.len()..];
        let user = |name: &str| model.users.values().find(|user| user.team == team && user.shown_name() == name);
        let channel = |name: &str| model.channels.values().find(|it| it.team == team && it.name == name);
        let found = match word {
            "@here" => Some("<!here>".to_owned()),
            "@channel" => Some("<!channel>".to_owned()),
            "@everyone" => Some("<!everyone>".to_owned()),
            _ if word.starts_with("https://") || word.starts_with("http://") => Some(format!("<{word}>")),
            _ => word
                .strip_prefix('@')
                .and_then(user)
                .map(|user| format!("<@{}>", user.id))
                .or_else(|| word.strip_prefix('#').and_then(channel).map(|it| format!("<#{}|{}>", it.id, it.name))),
        };
        format!("{}{after}", found.as_deref().unwrap_or(word))
    });
    words.collect()
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

impl Reader<'_> {
    fn text(&mut self, it: &Value) -> String {
        let text = it["text"].as_str().unwrap_or_default();
        // Plain text shows what it says; only emoji names become emoji.
        if it["type"] == "mrkdwn" { self.mrkdwn(text, false) } else { unescaped(text) }
    }

    fn block(&mut self, it: &Value) -> String {
        match it["type"].as_str().unwrap_or_default() {
            "divider" => "---".into(),
            "context" => {
                let all = it["elements"].as_array().into_iter().flatten();
                all.map(|one| self.text(one)).collect::<Vec<_>>().join(" ")
            }
            "actions" => {
                let all = it["elements"].as_array().into_iter().flatten();
                all.map(|one| self.element(one)).collect::<Vec<_>>().join(" ")
            }
            "input" => format!("{}: {}", self.text(&it["label"]), self.element(&it["element"])),
            "rich_text" => self.rich(&it["elements"]),
            "image" => format!("(image: {})", it["alt_text"].as_str().unwrap_or_default()),
            _ => {
                let mut pieces = vec![self.text(&it["text"])];
                pieces.extend(it["fields"].as_array().into_iter().flatten().map(|one| self.text(one)));
                pieces.extend(it.get("accessory").map(|one| self.element(one)));
                pieces.retain(|piece| !piece.is_empty());
                pieces.join("\n")
            }
        }
    }

    /// `[Answer]`, `[Topic: IAM | EKS]`; an input for words shows its placeholder.
    fn element(&mut self, it: &Value) -> String {
        let options: Vec<&str> =
            super::people::options_of(it).iter().filter_map(|one| one["text"]["text"].as_str()).collect();
        let label = it["text"]["text"].as_str().or(it["placeholder"]["text"].as_str()).unwrap_or("Choose");
        if let Some(url) = it["url"].as_str() {
            self.links.push((url.to_owned(), label.to_owned()));
        }
        match it["type"].as_str().unwrap_or_default() {
            "plain_text_input" => format!("[{}]", it["placeholder"]["text"].as_str().unwrap_or_default()),
            "image" => format!("(image: {})", it["alt_text"].as_str().unwrap_or_default()),
            _ if options.is_empty() => format!("[{label}]"),
            _ => format!("[{label}: {}]", options.join(" | ")),
        }
    }

    /// The parts of a `rich_text` block, each on lines of its own.
    fn rich(&mut self, parts: &Value) -> String {
        let mut lines = Vec::new();
        for part in parts.as_array().into_iter().flatten() {
            match part["type"].as_str().unwrap_or_default() {
                "rich_text_list" => {
                    let indent = "  ".repeat(part["indent"].as_u64().map_or(0, |deep| deep.try_into().unwrap_or(0)));
                    for item in part["elements"].as_array().into_iter().flatten() {
                        lines.push(format!("{indent}• {}", self.words(&item["elements"])));
                    }
                }
                _ => lines.push(self.words(&part["elements"])),
            }
        }
        lines.join("\n")
    }

    /// The elements of a line, a quote or code.
    fn words(&mut self, elements: &Value) -> String {
        let mut out = String::new();
        for one in elements.as_array().into_iter().flatten() {
            let text = |name: &str| one[name].as_str().unwrap_or_default();
            match text("type") {
                "emoji" => out.push_str(&format!(":{}:", text("name"))),
                "link" => {
                    let url = text("url");
                    let label = one["text"].as_str().unwrap_or(url);
                    self.links.push((url.to_owned(), label.to_owned()));
                    out.push_str(label);
                }
                "date" => {
                    let at = one["timestamp"].as_i64().unwrap_or_default();
                    out.push_str(&self.date(at, text("format"), text("fallback")));
                }
                "user" => out.push_str(&self.mention(&format!("@{}", text("user_id")))),
                "usergroup" => out.push_str(&self.mention(&format!("!subteam^{}", text("usergroup_id")))),
                "broadcast" => out.push_str(&self.mention(&format!("!{}", one["range"].as_str().unwrap_or("here")))),
                "channel" => out.push_str(&self.mention(&format!("#{}", text("channel_id")))),
                _ => out.push_str(text("text")),
            }
        }
        out
    }

    fn date(&mut self, at: i64, format: &str, fallback: &str) -> String {
        let shown = dates::shown(at, format, fallback);
        self.dates.push((at, shown.clone()));
        shown
    }

    /// Mentions by name, links with their address; marks like `*` stay.
    fn mrkdwn(&mut self, text: &str, finds_names: bool) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('<') {
            self.bare(&rest[..at], finds_names);
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            match rest.split_once('>') {
                Some((inside, after)) if !inside.contains(['<', '\n']) => {
                    out.push_str(&self.mention(inside));
                    rest = after;
                }
                _ => out.push('<'),
            }
        }
        self.bare(rest, finds_names);
        out.push_str(rest);
        unescaped(&out)
    }

    /// Words outside of angle brackets: addresses become links by themselves, names only when asked.
    fn bare(&mut self, text: &str, finds_names: bool) {
        for word in text.split_whitespace() {
            let word = word.trim_matches(['*', '_', '~', '`', '(', ')', '"', '\'', ',', '.']);
            if word.starts_with("https://") || word.starts_with("http://") {
                self.links.push((unescaped(word), unescaped(word)));
            }
            if let Some(name) = word.strip_prefix('@').filter(|_| finds_names) {
                let team = self.team;
                self.pinged.all |= matches!(name, "here" | "channel" | "everyone");
                let known = self.model.users.values().filter(|user| user.team == team && user.name == name);
                self.pinged.users.extend(known.map(|user| user.id));
            }
        }
    }

    /// What is between angle brackets.
    fn mention(&mut self, inside: &str) -> String {
        let (what, label) = inside.split_once('|').map_or((inside, None), |(what, label)| (what, Some(label)));
        if let Some(user) = what.strip_prefix('@') {
            return match user.parse().ok().filter(|id| self.model.users.contains_key(id)) {
                Some(id) => {
                    self.pinged.users.insert(id);
                    format!("@{}", self.model.name_of(id))
                }
                None => format!("@{}", label.unwrap_or(user)),
            };
        }
        if let Some(channel) = what.strip_prefix('#') {
            let known = channel.parse().ok().and_then(|id: Id| self.model.channels.get(&id));
            return format!("#{}", known.map_or(label.unwrap_or("private channel"), |it| it.name.as_str()));
        }
        if let Some(special) = what.strip_prefix('!') {
            if matches!(special, "here" | "channel" | "everyone" | "group") {
                self.pinged.all = true;
                return format!("@{special}");
            }
            if let Some(group) = special.strip_prefix("subteam^") {
                self.pinged.groups.insert(group.to_owned());
                return label.map_or_else(|| format!("@{group}"), str::to_owned);
            }
            if let Some((at, format)) = special.strip_prefix("date^").and_then(|date| date.split_once('^')) {
                let format = format.split('^').next().unwrap_or_default();
                return self.date(at.parse().unwrap_or(i64::MAX), format, label.unwrap_or_default());
            }
            return label.unwrap_or(special).to_owned();
        }
        // Slack links what can be an address; other words stay what they are.
        if what.contains(char::is_whitespace) || !what.contains([':', '.']) {
            return format!("<{inside}>");
        }
        let (url, label) = (unescaped(what), unescaped(label.unwrap_or(what)));
        self.links.push((url.clone(), label.clone()));
        if url == label { url } else { format!("{label} ({url})") }
    }
}
