//! A message as Discord shows it: embeds and buttons, within the service's limits.

mod form;
mod markdown;

use serde::Serialize;
use serde_json::{Value, json};

pub use self::form::modal;
use self::markdown::{Writer, clip, fence, longest_in, quoted, small, tidy};
use crate::adapters::layout::{clean, clean_line, size, span_ends, table, word_ends};
use crate::domain::message::{Block, Button, Message, Span, Style, Tone};
use crate::domain::text;

// The limits of https://docs.discord.com/developers/resources/message#embed-object-embed-limits and of components.
const EMBEDS: usize = 10;
const TOTAL: usize = 6_000;
const DESCRIPTION: usize = 4_096;
const FIELDS: usize = 25;
const FIELD_NAME: usize = 256;
const FIELD_VALUE: usize = 1_024;
const FOOTER: usize = 2_048;
const ROWS: usize = 5;
const BUTTONS_A_ROW: usize = 5;
const BUTTON_LABEL: usize = 80;
const CUSTOM_ID: usize = 100;

/// Stands for what has no visible words: Discord refuses empty texts.
const NOTHING: &str = "–";

/// A message never has a title or an image, so its embeds' address is shown nowhere and can carry a key.
const MARK: &str = "https://discord.com/?drillbot=";

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Embed {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The bar at the left, 0xRRGGBB.
    pub color: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer: Option<Footer>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field {
    pub name: String,
    pub value: String,
    pub inline: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Footer {
    /// No Markdown.
    pub text: String,
}

/// Buttons side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    #[serde(rename = "type")]
    pub kind: u8,
    pub components: Vec<RowButton>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RowButton {
    #[serde(rename = "type")]
    pub kind: u8,
    pub style: u8,
    pub label: String,
    pub custom_id: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// At least one.
    pub embeds: Vec<Embed>,
    pub rows: Vec<Row>,
}

/// `mark` is a key by which the message is found again, see [`mark_of`].
pub fn message(message: &Message, mark: Option<&str>) -> Rendered {
    let mut page = Page::new(colour(message.tone));
    for block in &message.blocks {
        if page.add(block).is_err() {
            page.shortened = true;
            break;
        }
    }
    let mut embeds = page.finish(&message.summary);
    embeds[0].url = mark.map(|key| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        format!("{MARK}{}", markdown::percent(key, plain))
    });
    Rendered { embeds, rows: rows(&message.buttons) }
}

/// The body that creates or edits a message. Lists are there also when they are empty, so that an edit takes old buttons
/// away; nobody is ever called but the one role whose id is `ping`.
pub fn body(message: &Message, mark: Option<&str>, ping: Option<&str>) -> Value {
    let Rendered { embeds, rows } = self::message(message, mark);
    let mut body = json!({ "embeds": embeds, "components": rows, "allowed_mentions": { "parse": [] } });
    if let Some(role) = ping.filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())) {
        body["content"] = json!(format!("<@&{role}>"));
        body["allowed_mentions"]["roles"] = json!([role]);
    }
    body
}

/// What stands in it, line by line: for authors who look at a question before it is posted.
pub fn as_text(shown: &Message) -> String {
    let Rendered { embeds, rows } = message(shown, None);
    let mut lines = Vec::new();
    for embed in embeds {
        lines.push(embed.description);
        lines.extend(embed.fields.into_iter().map(|field| format!("**{}**\n{}", field.name, field.value)));
        lines.extend(embed.footer.map(|footer| footer.text));
    }
    for row in rows {
        lines.push(row.components.iter().map(|button| format!("[{}]", button.label)).collect::<Vec<_>>().join(" "));
    }
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

/// The key that [`message`] put into the address of its first embed.
pub fn mark_of(embed_url: &str) -> Option<String> {
    let code = embed_url.strip_prefix(MARK)?;
    let mut bytes = Vec::with_capacity(code.len());
    let mut rest = code.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

/// The words of a block that has some, without their dress.
fn words(block: &Block) -> String {
    match block {
        Block::Heading { text } | Block::Code { text } | Block::Quote { text, .. } => text.replace('`', ""),
        Block::Line { spans } | Block::Note { spans } | Block::Field { spans, .. } | Block::Item { spans, .. } => {
            spans.iter().map(Span::as_plain).collect()
        }
        Block::Table { .. } | Block::Divider => String::new(),
    }
}

fn label(text: &str, limit: usize) -> String {
    let text = clip(clean_line(text).trim(), limit);
    if text.is_empty() { NOTHING.to_owned() } else { text }
}

fn colour(tone: Tone) -> u32 {
    match tone {
        Tone::Plain => 0x0080_848e,
        Tone::Question => 0x0058_65f2,
        Tone::Closed => 0x004e_5058,
        Tone::Good => 0x0023_a55a,
        Tone::Warning => 0x00f0_b232,
        Tone::Error => 0x00f2_3f43,
    }
}

/// What cannot be pressed (no id, too long an id) or would be refused (an id twice) is left out.
fn rows(buttons: &[Button]) -> Vec<Row> {
    let mut shown: Vec<RowButton> = Vec::new();
    for button in buttons {
        let id = &button.action;
        if !id.is_empty() && size(id) <= CUSTOM_ID && !shown.iter().any(|other| other.custom_id == *id) {
            let style = match button.style {
                Style::Primary => 1,
                Style::Secondary => 2,
                Style::Danger => 4,
            };
            shown.push(RowButton { kind: 2, style, label: label(&button.label, BUTTON_LABEL), custom_id: id.clone() });
        }
    }
    let rows = shown.chunks(BUTTONS_A_ROW).take(ROWS);
    rows.map(|components| Row { kind: 1, components: components.to_vec() }).collect()
}

/// There is no room for the rest of the message.
struct Full;

/// Embeds in the making.
struct Page {
    colour: u32,
    done: Vec<Embed>,
    now: Embed,
    /// The last block of the description, which decides how far away the next one stands.
    last: Option<Kind>,
    /// Characters left for the whole message, without the words that say it was shortened.
    left: usize,
    shortened: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Heading,
    Line,
    Note,
    Item,
    Quote,
    /// Has a frame of its own.
    Framed,
}

impl Page {
    fn new(colour: u32) -> Page {
        let now = Embed { color: colour, ..Embed::default() };
        let left = TOTAL - size(text::shortened()) - 1;
        Page { colour, done: Vec::new(), now, last: None, left, shortened: false }
    }

    fn add(&mut self, block: &Block) -> Result<(), Full> {
        match block {
            Block::Divider => {
                if !self.is_blank() && self.done.len() + 1 < EMBEDS {
                    self.turn()?;
                }
                Ok(())
            }
            Block::Field { label, spans } => self.field(label, spans),
            Block::Note { spans } if !self.now.fields.is_empty() => match plain_words(spans) {
                Some(words) => self.footer(&words),
                None => self.text(block),
            },
            _ => self.text(block),
        }
    }

    fn is_blank(&self) -> bool {
        self.now.description.is_empty() && self.now.fields.is_empty() && self.now.footer.is_none()
    }

    /// Begins the next embed.
    fn turn(&mut self) -> Result<(), Full> {
        if self.done.len() + 1 >= EMBEDS {
            return Err(Full);
        }
        let next = Embed { color: self.colour, ..Embed::default() };
        self.done.push(std::mem::replace(&mut self.now, next));
        self.last = None;
        Ok(())
    }

    fn text(&mut self, block: &Block) -> Result<(), Full> {
        let Some(drawn) = Drawn::of(block) else { return Ok(()) };
        if !self.now.fields.is_empty() || self.now.footer.is_some() {
            self.turn()?;
        }
        let full = drawn.whole();
        if full.trim().is_empty() {
            return Ok(());
        }
        let fresh = DESCRIPTION.min(self.left);
        let more_embeds = self.done.len() + 1 < EMBEDS;
        let gap = self.gap(drawn.kind);
        let here = (DESCRIPTION - size(&self.now.description)).min(self.left).saturating_sub(size(gap));
        if size(&full) <= here {
            self.push(gap, &full, drawn.kind);
            return Ok(());
        }
        let turns = !self.is_blank() && more_embeds && (size(&full) <= fresh || here < fresh / 2);
        let room = if turns { fresh } else { here };
        let cut = size(&full) > room;
        let fitting = if cut { drawn.cut(room) } else { Some(full) };
        if let Some(fitting) = fitting {
            if turns {
                self.turn()?;
            }
            let gap = if turns { "" } else { gap };
            self.push(gap, &fitting, drawn.kind);
        }
        if cut { Err(Full) } else { Ok(()) }
    }

    /// Paragraphs stand apart; what belongs together (a heading and its text, the items of a list) does not.
    fn gap(&self, next: Kind) -> &'static str {
        match (self.last, next) {
            (None, _) => "",
            (_, Kind::Heading) | (Some(Kind::Item | Kind::Line), Kind::Line) | (_, Kind::Quote) => {
                if self.last == Some(Kind::Heading) && next == Kind::Quote { "\n" } else { "\n\n" }
            }
            (Some(Kind::Quote), Kind::Line | Kind::Item) | (Some(Kind::Note), Kind::Item) => "\n\n",
            _ => "\n",
        }
    }

    fn push(&mut self, gap: &str, text: &str, kind: Kind) {
        self.left -= size(gap) + size(text);
        self.now.description.push_str(gap);
        self.now.description.push_str(text);
        self.last = Some(kind);
    }

    fn field(&mut self, name: &str, spans: &[Span]) -> Result<(), Full> {
        if self.now.fields.len() == FIELDS || self.now.footer.is_some() {
            self.turn()?;
        }
        let written = |text: &str| {
            let mut writer = Writer::new();
            writer.plain(text);
            writer.finish()
        };
        let name = clean_line(name);
        let name = name.trim();
        let ends = word_ends(name, FIELD_NAME / 2);
        let mut shown_name = written(name);
        if size(&shown_name) > FIELD_NAME {
            self.shortened = true;
            shown_name =
                longest_in(FIELD_NAME, ends.len(), |n| written(&format!("{}…", &name[..ends[n]]))).unwrap_or_default();
        }
        if shown_name.is_empty() {
            shown_name = NOTHING.to_owned();
        }
        let drawn = Drawn { kind: Kind::Line, shape: Shape::Spans { lead: String::new(), spans: tidy(spans) } };
        let room = FIELD_VALUE.min(self.left.saturating_sub(size(&shown_name)));
        let mut value = drawn.whole();
        if size(&value) > room {
            self.shortened = true;
            value = drawn.cut(room).unwrap_or_default();
        }
        if value.trim().is_empty() {
            value = NOTHING.to_owned();
        }
        if size(&shown_name) + size(&value) > self.left {
            return Err(Full);
        }
        self.left -= size(&shown_name) + size(&value);
        self.now.fields.push(Field { name: shown_name, value, inline: true });
        Ok(())
    }

    /// Small print under fields, without Markdown.
    fn footer(&mut self, words: &str) -> Result<(), Full> {
        let before = self.now.footer.as_ref().map(|footer| format!("{}\n", footer.text)).unwrap_or_default();
        let most = FOOTER - size(text::shortened()) - 1;
        let room = (most.saturating_sub(size(&before))).min(self.left.saturating_sub(1));
        if words.is_empty() || room < 2 {
            return if words.is_empty() { Ok(()) } else { Err(Full) };
        }
        let shown = clip(words, room);
        self.left -= size(&shown) + usize::from(!before.is_empty());
        let cut = shown != words;
        self.now.footer = Some(Footer { text: before + &shown });
        if cut { Err(Full) } else { Ok(()) }
    }

    fn finish(mut self, summary: &str) -> Vec<Embed> {
        if self.is_blank() && self.done.is_empty() {
            let block = Block::line(summary);
            let line = Drawn::of(&block);
            let fitting = line.and_then(|line| {
                let whole = line.whole();
                if size(&whole) <= DESCRIPTION { Some(whole) } else { line.cut(DESCRIPTION) }
            });
            self.now.description = fitting.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| NOTHING.to_owned());
        }
        if !self.is_blank() {
            self.done.push(self.now);
        }
        if self.shortened
            && let Some(last) = self.done.last_mut()
        {
            let text = match last.footer.take() {
                Some(footer) => format!("{}\n{}", footer.text, text::shortened()),
                None => text::shortened().to_owned(),
            };
            last.footer = Some(Footer { text });
        }
        self.done
    }
}

/// The words of spans that need no dress: in small print, commands are known by their slash.
fn plain_words(spans: &[Span]) -> Option<String> {
    let words: Option<String> = spans
        .iter()
        .map(|span| match span {
            Span::Plain { text } | Span::Command { text } => Some(clean(text)),
            _ => None,
        })
        .collect();
    words.map(|words| words.trim().to_owned())
}

/// A block that can be written whole or up to one of its ends, always with all its marks closed.
struct Drawn<'a> {
    kind: Kind,
    shape: Shape<'a>,
}

enum Shape<'a> {
    Spans { lead: String, spans: Vec<Span> },
    Quote { by: Option<&'a str>, text: &'a str, hits: &'a [(usize, usize)] },
    Code { text: String },
    Table { head: &'a [String], rows: &'a [Vec<String>] },
}

impl<'a> Drawn<'a> {
    /// None for what shows nothing by itself.
    fn of(block: &'a Block) -> Option<Drawn<'a>> {
        let spans = |spans: &[Span]| Shape::Spans { lead: String::new(), spans: tidy(spans) };
        let (kind, shape) = match block {
            Block::Heading { text } => (Kind::Heading, spans(&heading(text))),
            Block::Line { spans: line } => (Kind::Line, spans(line)),
            Block::Note { spans: note } => (Kind::Note, spans(note)),
            Block::Item { mark, spans } => (Kind::Item, Shape::Spans { lead: clean_line(mark), spans: tidy(spans) }),
            Block::Quote { by, text, hits } => (Kind::Quote, Shape::Quote { by: by.as_deref(), text, hits }),
            Block::Code { text } => {
                let text = clean(text).trim_matches('\n').trim_end().to_owned();
                (Kind::Framed, Shape::Code { text })
            }
            Block::Table { head, rows } => (Kind::Framed, Shape::Table { head, rows }),
            Block::Field { .. } | Block::Divider => return None,
        };
        Some(Drawn { kind, shape })
    }

    fn whole(&self) -> String {
        match &self.shape {
            Shape::Spans { lead, spans } => self.line(lead, spans),
            Shape::Quote { by, text, hits } => quote(*by, text, hits, ""),
            Shape::Code { text } if text.trim().is_empty() => String::new(),
            Shape::Code { text } => fence(text),
            Shape::Table { head, rows } => grid(head, rows),
        }
    }

    /// At most `room` large; none if nothing of it fits.
    fn cut(&self, room: usize) -> Option<String> {
        let long = room / 2;
        match &self.shape {
            Shape::Spans { lead, spans } => {
                let ends = span_ends(spans, long);
                longest_in(room, ends.len(), |n| self.line(lead, &markdown::up_to(spans, ends[n])))
            }
            Shape::Quote { by, text, hits } => {
                let ends = word_ends(text, long);
                longest_in(room, ends.len(), |n| quote(*by, &text[..ends[n]], hits, "…"))
            }
            Shape::Code { text } => {
                let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
                let lines = longest_in(room, ends.len(), |n| fence(&format!("{}\n…", &text[..ends[n]])));
                lines.or_else(|| {
                    let ends = word_ends(text, long);
                    longest_in(room, ends.len(), |n| fence(&format!("{}…", &text[..ends[n]])))
                })
            }
            Shape::Table { head, rows } => longest_in(room, rows.len(), |n| grid(head, &rows[..=n])),
        }
    }

    fn line(&self, lead: &str, spans: &[Span]) -> String {
        let mut writer = Writer::new();
        if !lead.trim().is_empty() {
            writer.plain(lead.trim_end());
            writer.raw(" ");
        }
        writer.spans(spans);
        let text = writer.finish();
        let text = text.trim_end();
        if self.kind == Kind::Note { small(text) } else { text.trim_start_matches('\n').to_owned() }
    }
}

/// Questions are headings, and authors write `code` in them.
fn heading(text: &str) -> Vec<Span> {
    let parts: Vec<&str> = text.split('`').collect();
    let last = parts.len() - 1;
    let mut out = Vec::new();
    for (at, part) in parts.into_iter().enumerate() {
        // An odd last mark is a character.
        if at % 2 == 1 && at < last && !part.trim().is_empty() {
            out.push(Span::code(part));
        } else if at % 2 == 1 {
            out.push(Span::bold(format!("`{part}{}", if at < last { "`" } else { "" })));
        } else {
            out.push(Span::bold(part));
        }
    }
    out
}

fn grid(head: &[String], rows: &[Vec<String>]) -> String {
    let text = table(head, rows, clip);
    if text.trim().is_empty() { String::new() } else { fence(&text) }
}

/// What a member wrote, the words that counted underlined, `end` behind it.
fn quote(by: Option<&str>, text: &str, hits: &[(usize, usize)], end: &str) -> String {
    let mut writer = Writer::new();
    let mut at = 0;
    for (from, to) in apart(text, hits) {
        writer.plain(&clean(&text[at..from]));
        for (n, line) in clean(&text[from..to]).split('\n').enumerate() {
            if n > 0 {
                writer.line_end();
            }
            writer.marked("__", line);
        }
        at = to;
    }
    writer.plain(&clean(&text[at..]));
    writer.plain(end);
    let said = writer.finish();
    let said = said.trim_matches('\n').trim_end();
    let said = quoted(if said.trim().is_empty() { NOTHING } else { said });
    let by = by.map(|by| clip(clean_line(by).trim(), FIELD_NAME)).filter(|by| !by.is_empty());
    let Some(by) = by else { return said };
    let mut writer = Writer::new();
    writer.marked("**", &by);
    format!("{}\n{said}", writer.finish())
}

/// The hits of a text in order, as one where nothing is shown between them.
fn apart(text: &str, hits: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut hits: Vec<(usize, usize)> = hits
        .iter()
        .copied()
        .filter(|(from, to)| text.get(*from..*to).is_some_and(|hit| !clean(hit).is_empty()))
        .collect();
    hits.sort_unstable();
    let mut out: Vec<(usize, usize)> = Vec::with_capacity(hits.len());
    for (from, to) in hits {
        match out.last_mut() {
            Some(last) if from <= last.1 || clean(&text[last.1..from]).is_empty() => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}
