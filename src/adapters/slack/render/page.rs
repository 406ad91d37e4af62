//! Blocks in the making: what stands together, what fits, and where the rest is cut off.

use serde_json::{Value, json};

use super::NOTHING;
use super::rich::{self, Dress};
use super::words::{clip, is_plain, tidy, up_to};
use crate::adapters::layout::{LONG_WORD, clean, clean_line, longest, size, span_ends, table, word_ends};
use crate::domain::message::{Block, Span};
use crate::domain::text;

/// <https://docs.slack.dev/reference/block-kit/blocks/header-block>
const HEADER: usize = 150;
/// <https://docs.slack.dev/reference/block-kit/composition-objects/text-object>
const TEXT_OBJECT: usize = 3_000;
const NAME: usize = 150;

/// Where blocks are shown, and how much of them.
#[derive(Clone, Copy)]
pub struct Surface {
    pub blocks: usize,
    /// By [`weight`].
    pub total: usize,
    /// Whether user groups may be shown by name: only where that calls nobody.
    pub names: bool,
}

impl Surface {
    /// Blocks: <https://docs.slack.dev/reference/block-kit/blocks>; one is left for a call. The size of a whole message is not
    /// documented: about 13,200 characters and some for each block were seen to be the most (slackapi/bolt-js #2509, #2867).
    pub const CHANNEL: Surface = Surface { blocks: 49, total: 12_000 - CALL, names: false };
    pub const PRIVATE: Surface = Surface { names: true, ..Surface::CHANNEL };
    /// A modal or App Home: 250 kB in all (`view_too_large` of <https://docs.slack.dev/reference/methods/views.open>).
    pub const VIEW: Surface = Surface { blocks: 100, total: 60_000, names: true };
    /// The most that one of several messages in a view takes.
    pub const SHARE: usize = 20_000;
}

/// What a call before a message weighs.
const CALL: usize = 180;

/// What Slack adds to a block: an id.
const BLOCK: usize = 30;

/// The size of a block as Slack may count it: its JSON, in UTF-16 units.
pub fn weight(block: &Value) -> usize {
    size(&block.to_string()) + BLOCK
}

pub struct Page {
    surface: Surface,
    blocks: Vec<Value>,
    /// The weight of all blocks but the last.
    closed: usize,
    /// What stands at the end.
    last: Option<Kind>,
    /// A line is to be drawn before the next block.
    divide: bool,
    shortened: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Heading,
    Line,
    Field,
    Note,
    Item,
    Quote,
    /// Has a frame of its own.
    Framed,
}

/// How a part goes on from what is there.
#[derive(Clone, Copy, PartialEq)]
enum Join {
    /// In a block of its own: paragraphs stand apart.
    Apart,
    /// On the next line of the last block.
    NextLine,
    /// In the last block, a blank line below: there are no more blocks.
    Below,
}

impl Page {
    pub fn new(surface: Surface) -> Page {
        Page { surface, blocks: Vec::new(), closed: 0, last: None, divide: false, shortened: false }
    }

    /// Nothing is added once something was cut.
    pub fn add(&mut self, block: &Block) {
        if self.shortened {
            return;
        }
        if matches!(block, Block::Divider) {
            self.divide = !self.blocks.is_empty();
            return;
        }
        let Some(mut drawn) = Drawn::of(block, self.surface.names) else { return };
        if drawn.whole().is_empty() {
            return;
        }
        let mut join = self.join(&drawn);
        let needed = usize::from(join == Join::Apart) + usize::from(self.divide);
        if self.blocks.len() + needed > self.most() {
            if !self.blocks.last().is_some_and(is_rich) {
                self.shortened = true;
                return;
            }
            (join, self.divide) = (Join::Below, false);
            drawn = drawn.inside();
        }
        let fitting = self.with(&drawn.whole(), join);
        self.shortened = fitting.is_none();
        if let Some(tail) = fitting.or_else(|| drawn.cut(|parts| self.with(parts, join))) {
            self.take(tail, drawn.kind);
        }
    }

    /// How many blocks there may be beside the words that say it was shortened.
    fn most(&self) -> usize {
        self.surface.blocks - 1
    }

    /// What belongs together (a bold heading and its text, the items of a list) stands in one block.
    fn join(&self, next: &Drawn) -> Join {
        let joined = matches!(
            (self.last, next.kind),
            (Some(Kind::Heading | Kind::Line), Kind::Item | Kind::Framed)
                | (Some(Kind::Heading), Kind::Line | Kind::Field | Kind::Quote)
                | (Some(Kind::Field), Kind::Field)
                | (Some(Kind::Item), Kind::Item)
        );
        let rich = !next.has_own_block() && self.blocks.last().is_some_and(is_rich);
        if joined && rich && !self.divide { Join::NextLine } else { Join::Apart }
    }

    /// The last block with the parts behind it, if that is not too much.
    fn with(&self, parts: &[Part], join: Join) -> Option<Vec<Value>> {
        let mut tail: Vec<Value> = self.blocks.last().cloned().into_iter().collect();
        if self.divide {
            tail.push(json!({ "type": "divider" }));
        }
        for (n, part) in parts.iter().enumerate() {
            put(&mut tail, part.clone(), if n == 0 { join } else { Join::NextLine });
        }
        let most = self.surface.total.saturating_sub(weight(&notice()));
        let size = self.closed + tail.iter().map(weight).sum::<usize>();
        if size <= most { Some(tail) } else { None }
    }

    fn take(&mut self, tail: Vec<Value>, kind: Kind) {
        self.blocks.pop();
        self.blocks.extend(tail);
        let closed = self.blocks.split_last().map_or(&[][..], |(_, closed)| closed);
        self.closed = closed.iter().map(weight).sum();
        self.last = Some(kind);
        self.divide = false;
    }

    /// At least one block; the summary where there are no other words.
    pub fn finish(mut self, summary: &str) -> Vec<Value> {
        if self.shortened {
            // A heading with nothing under it.
            while self.blocks.last().is_some_and(|last| last["type"] == "header" || last["type"] == "divider") {
                self.blocks.pop();
            }
        }
        if self.blocks.is_empty() {
            let shortened = std::mem::take(&mut self.shortened);
            self.add(&Block::line(clip(summary, TEXT_OBJECT)));
            self.shortened |= shortened;
        }
        if self.blocks.is_empty() {
            put(&mut self.blocks, Part::Line(rich::text(NOTHING, &[])), Join::NextLine);
        }
        if self.shortened {
            self.blocks.push(notice());
        }
        self.blocks
    }
}

/// Below a message of which only the beginning is shown.
fn notice() -> Value {
    context(text::shortened())
}

fn context(text: &str) -> Value {
    json!({ "type": "context", "elements": [{ "type": "plain_text", "text": text, "emoji": false }] })
}

fn is_rich(block: &Value) -> bool {
    block["type"] == "rich_text"
}

/// A piece of what a block becomes.
#[derive(Clone)]
enum Part {
    /// A whole block.
    Block(Value),
    /// The elements of a line.
    Line(Vec<Value>),
    /// The elements of an item in a bulleted list.
    Bullet { indent: u8, elements: Vec<Value> },
    /// A quote or code.
    Framed(Value),
}

fn put(blocks: &mut Vec<Value>, part: Part, join: Join) {
    let part = match part {
        Part::Block(block) => return blocks.push(block),
        part => part,
    };
    if join == Join::Apart || !blocks.last().is_some_and(is_rich) {
        blocks.push(rich::block(vec![]));
    }
    let Some(inside) = blocks.last_mut().and_then(|block| block["elements"].as_array_mut()) else { return };
    let goes_on = |inside: &[Value], kind: &str| inside.last().is_some_and(|last| last["type"] == kind);
    match part {
        Part::Line(elements) if goes_on(inside, "rich_text_section") => {
            if let Some(line) = inside.last_mut().and_then(|last| last["elements"].as_array_mut()) {
                line.extend(rich::text(if join == Join::Below { "\n\n" } else { "\n" }, &[]));
                line.extend(elements);
            }
        }
        Part::Line(elements) => inside.push(rich::section(elements)),
        Part::Bullet { indent, elements } => {
            let same = goes_on(inside, "rich_text_list") && inside.last().is_some_and(|last| last["indent"] == indent);
            match inside.last_mut().and_then(|last| last["elements"].as_array_mut()).filter(|_| same) {
                Some(items) => items.push(rich::section(elements)),
                None => inside.push(rich::list(indent, elements)),
            }
        }
        Part::Framed(element) => inside.push(element),
        Part::Block(_) => {}
    }
}

/// A block that can be drawn whole or up to one of its ends.
struct Drawn<'a> {
    kind: Kind,
    names: bool,
    shape: Shape<'a>,
}

enum Shape<'a> {
    Header(String),
    Context(String),
    Line { bullet: Option<u8>, lead: Vec<Span>, spans: Vec<Span>, dress: Dress },
    Quote { by: Option<&'a str>, text: &'a str, hits: &'a [(usize, usize)] },
    Code(String),
    Table { head: &'a [String], rows: &'a [Vec<String>] },
}

impl<'a> Drawn<'a> {
    fn of(block: &'a Block, names: bool) -> Option<Drawn<'a>> {
        let line = |lead: Vec<Span>, spans: &[Span], dress: Dress| Shape::Line {
            bullet: None,
            lead,
            spans: trimmed(tidy(spans)),
            dress,
        };
        let (kind, shape) = match block {
            Block::Heading { text } => {
                let words = clean_line(text).trim().to_owned();
                let header = is_plain(&words) && size(&words) <= HEADER && words.matches('`').count() < 2;
                let shape = match header && !words.is_empty() {
                    true => Shape::Header(words),
                    false => line(vec![], &heading(text), &["bold"]),
                };
                (Kind::Heading, shape)
            }
            Block::Line { spans } => (Kind::Line, line(vec![], spans, &[])),
            Block::Note { spans } => {
                let words = plain_words(spans).filter(|words| is_plain(words) && size(words) <= TEXT_OBJECT);
                let shape = match words.filter(|words| !words.is_empty()) {
                    Some(words) => Shape::Context(words),
                    None => line(vec![], spans, &["italic"]),
                };
                (Kind::Note, shape)
            }
            Block::Field { label, spans } => {
                let label = clip(clean_line(label).trim(), NAME);
                let lead = match label.is_empty() {
                    true => vec![],
                    false => vec![Span::bold(format!("{label}:")), Span::plain(" ")],
                };
                let spans = trimmed(tidy(spans));
                let spans = if spans.is_empty() { vec![Span::plain(NOTHING)] } else { spans };
                (Kind::Field, line(lead, &spans, &[]))
            }
            Block::Item { mark, spans } => {
                let mark = clean_line(mark);
                let spans = trimmed(tidy(spans));
                let shape = match mark.trim() {
                    "•" if !spans.is_empty() => Shape::Line { bullet: Some(0), lead: vec![], spans, dress: &[] },
                    "◦" if !spans.is_empty() => Shape::Line { bullet: Some(1), lead: vec![], spans, dress: &[] },
                    "" => line(vec![], &spans, &[]),
                    mark => line(vec![Span::plain(format!("{mark} "))], &spans, &[]),
                };
                (Kind::Item, shape)
            }
            Block::Quote { by, text, hits } => (Kind::Quote, Shape::Quote { by: by.as_deref(), text, hits }),
            Block::Code { text } => (Kind::Framed, Shape::Code(clean(text).trim_matches('\n').trim_end().to_owned())),
            Block::Table { head, rows } => (Kind::Framed, Shape::Table { head, rows }),
            Block::Divider => return None,
        };
        Some(Drawn { kind, names, shape })
    }

    fn has_own_block(&self) -> bool {
        matches!(self.shape, Shape::Header(_) | Shape::Context(_))
    }

    /// As a line where there is no room for a block.
    fn inside(mut self) -> Drawn<'a> {
        let line =
            |words: String, dress| Shape::Line { bullet: None, lead: vec![], spans: vec![Span::plain(words)], dress };
        self.shape = match self.shape {
            Shape::Header(words) => line(words, &["bold"]),
            Shape::Context(words) => line(words, &["italic"]),
            shape => shape,
        };
        self
    }

    /// Empty if there is nothing to see.
    fn whole(&self) -> Vec<Part> {
        match &self.shape {
            Shape::Header(words) => {
                let text = json!({ "type": "plain_text", "text": words, "emoji": false });
                vec![Part::Block(json!({ "type": "header", "text": text }))]
            }
            Shape::Context(words) => vec![Part::Block(context(words))],
            Shape::Line { bullet, lead, spans, dress } => self.line(*bullet, lead, spans, dress),
            Shape::Quote { by, text, hits } => quote(*by, text, hits, ""),
            Shape::Code(text) => framed(text),
            Shape::Table { head, rows } => framed(&table(head, rows, clip)),
        }
    }

    /// The longest beginning for which `fits` gives something.
    fn cut(&self, fits: impl Fn(&[Part]) -> Option<Vec<Value>>) -> Option<Vec<Value>> {
        match &self.shape {
            // Short enough to be left out as a whole.
            Shape::Header(_) => None,
            Shape::Context(words) => {
                let ends = word_ends(words, LONG_WORD);
                longest(ends.len(), |n| fits(&[Part::Block(context(&format!("{}…", &words[..ends[n]])))]))
            }
            Shape::Line { bullet, lead, spans, dress } => {
                let ends = span_ends(spans, LONG_WORD);
                longest(ends.len(), |n| fits(&self.line(*bullet, lead, &up_to(spans, ends[n]), dress)))
            }
            Shape::Quote { by, text, hits } => {
                let ends = word_ends(text, LONG_WORD);
                longest(ends.len(), |n| fits(&quote(*by, &text[..ends[n]], hits, "…")))
            }
            Shape::Code(text) => {
                let lines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
                let words = word_ends(text, LONG_WORD);
                longest(lines.len(), |n| fits(&framed(&format!("{}\n…", &text[..lines[n]]))))
                    .or_else(|| longest(words.len(), |n| fits(&framed(&format!("{}…", &text[..words[n]])))))
            }
            Shape::Table { head, rows } => longest(rows.len(), |n| fits(&framed(&table(head, &rows[..=n], clip)))),
        }
    }

    fn line(&self, bullet: Option<u8>, lead: &[Span], spans: &[Span], dress: Dress) -> Vec<Part> {
        let all = trimmed(tidy(&[lead, spans].concat()));
        let elements = rich::inline(&all, dress, self.names);
        match bullet {
            _ if elements.is_empty() => vec![],
            Some(indent) => vec![Part::Bullet { indent, elements }],
            None => vec![Part::Line(elements)],
        }
    }
}

/// Spans without blank lines before them and blanks behind them; none if there are no words.
fn trimmed(mut spans: Vec<Span>) -> Vec<Span> {
    while let Some(Span::Plain { text }) = spans.last_mut() {
        text.truncate(text.trim_end().len());
        if !text.is_empty() {
            break;
        }
        spans.pop();
    }
    while let Some(Span::Plain { text } | Span::Bold { text }) = spans.first_mut() {
        *text = text.trim_start_matches('\n').to_owned();
        if !text.is_empty() {
            break;
        }
        spans.remove(0);
    }
    spans
}

/// The words of spans that need no dress: in small print, commands are known by their slash.
fn plain_words(spans: &[Span]) -> Option<String> {
    let words: Option<String> = spans
        .iter()
        .map(|span| match span {
            Span::Plain { text } | Span::Bold { text } | Span::Code { text } | Span::Command { text } => {
                Some(clean(text))
            }
            Span::Link { .. } | Span::Time { .. } | Span::Role { .. } => None,
        })
        .collect();
    words.map(|words| words.trim().to_owned())
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
            out.push(Span::plain(format!("`{part}{}", if at < last { "`" } else { "" })));
        } else {
            out.push(Span::plain(part));
        }
    }
    out
}

fn framed(text: &str) -> Vec<Part> {
    if text.trim().is_empty() { vec![] } else { vec![Part::Framed(rich::preformatted(text))] }
}

/// Where the words that counted stand out: underlined, as our own words say, and bold for clients that do not know that.
const HIT: Dress = &["bold", "underline"];

/// What a member wrote, under their name, `end` behind it.
fn quote(by: Option<&str>, text: &str, hits: &[(usize, usize)], end: &str) -> Vec<Part> {
    let mut pieces: Vec<(String, Dress)> = Vec::new();
    let mut at = 0;
    for (from, to) in apart(text, hits) {
        pieces.push((clean(&text[at..from]), &[]));
        pieces.push((clean(&text[from..to]), HIT));
        at = to;
    }
    pieces.push((clean(&text[at..]), &[]));
    // Blank lines before it and blanks behind it.
    if let Some(first) = pieces.iter().position(|(text, _)| !text.trim_matches('\n').is_empty()) {
        pieces.drain(..first);
        pieces[0].0 = pieces[0].0.trim_start_matches('\n').to_owned();
    }
    while let Some((last, _)) = pieces.last_mut() {
        last.truncate(last.trim_end().len());
        if !last.is_empty() {
            break;
        }
        pieces.pop();
    }
    match pieces.last_mut() {
        None => pieces.push((NOTHING.to_owned(), &[])),
        Some((last, [])) => last.push_str(end),
        Some(_) => pieces.push((end.to_owned(), &[])),
    }
    let said = pieces.iter().flat_map(|(text, dress)| rich::text(text, dress)).collect();
    let by = by.map(|by| clip(clean_line(by).trim(), NAME)).filter(|by| !by.is_empty());
    let by = by.map(|by| Part::Line(rich::text(&by, &["bold"])));
    by.into_iter().chain([Part::Framed(rich::quote(said))]).collect()
}

/// The hits of a text in order, as one where nothing is shown between them.
fn apart(text: &str, hits: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut hits: Vec<(usize, usize)> = hits
        .iter()
        .copied()
        .filter(|(from, to)| text.get(*from..*to).is_some_and(|hit| !clean(hit).trim().is_empty()))
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
