//! Guides: headings, prose, and somewhere in them questions with the paragraphs that answer them.

use super::sheet::{Sheet, Use};
use super::{Draft, Format, GuideSection, Reading, answer, markdown};

/// Lines without a blank one between them.
struct Block {
    begin: usize,
    end: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Head,
    Guide,
    Questions,
    Promotion,
}

/// How a question that ends without a question mark begins.
const IMPERATIVES: [&str; 28] = [
    "explain",
    "describe",
    "design",
    "compare",
    "contrast",
    "tell",
    "walk",
    "define",
    "list",
    "name",
    "discuss",
    "give",
    "outline",
    "show",
    "talk",
    "differentiate",
    "distinguish",
    "what",
    "why",
    "how",
    "when",
    "which",
    "who",
    "where",
    "can",
    "is",
    "are",
    "do",
];
/// These begin a question only when it ends like one.
const WEAK: [&str; 14] =
    ["list", "name", "give", "show", "talk", "what", "why", "how", "when", "which", "who", "where", "can", "is"];

pub fn read(text: &str) -> Reading {
    let mut sheet = Sheet::markdown(text);
    let blocks = blocks(&mut sheet);
    // With headings of Markdown, lines without a mark are prose.
    let marked = blocks.iter().filter(|block| markdown::heading(sheet.lines[block.begin]).is_some()).count() >= 2;
    let mut reader = Reader {
        sheet,
        marked,
        place: Place::Head,
        section: None,
        counter: 0,
        open: None,
        level: 0,
        introduced: false,
    };
    for (index, block) in blocks.iter().enumerate() {
        reader.block(block, blocks.get(index + 1));
    }
    reader.close();
    reader.sheet.finish(Format::Guide, "outside-question")
}

/// Blocks of lines; a heading of Markdown is one by itself, and so is code.
fn blocks(sheet: &mut Sheet<'_>) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut fresh = true;
    for at in 0..sheet.lines.len() {
        let line = sheet.lines[at];
        let usable = sheet.is_free(at);
        if usable && !sheet.code[at] && markdown::is_rule(line) {
            sheet.claim(at..at + 1, Use::Structure);
            fresh = true;
            continue;
        }
        if !usable || (line.trim().is_empty() && !sheet.code[at]) {
            fresh = true;
            continue;
        }
        let inside = at > 0 && sheet.code[at] && sheet.code[at - 1];
        let heading = !sheet.code[at] && (markdown::heading(line).is_some() || bold_line(line).is_some());
        let bullet = !sheet.code[at] && markdown::bullet(line).is_some();
        // A list right below a line is another block.
        let turn =
            at > 0 && bullet && blocks.last().is_some_and(|block| markdown::bullet(sheet.lines[block.begin]).is_none());
        if inside || !(fresh || heading || turn) {
            if let Some(block) = blocks.last_mut() {
                block.end = at + 1;
            }
        } else {
            blocks.push(Block { begin: at, end: at + 1 });
        }
        fresh = heading;
    }
    blocks
}

/// The text of a line that is bold as a whole.
fn bold_line(line: &str) -> Option<&str> {
    let text = line.trim().strip_prefix("**")?.strip_suffix("**")?;
    (!text.is_empty() && !text.contains("**")).then(|| text.trim())
}

struct Open {
    at: usize,
    printed: Option<usize>,
    prompt: String,
    answer: std::ops::Range<usize>,
}

struct Reader<'a> {
    sheet: Sheet<'a>,
    marked: bool,
    place: Place,
    section: Option<String>,
    /// The running number within the section.
    counter: usize,
    open: Option<Open>,
    /// The level of the open question's heading; 0 without one.
    level: usize,
    /// Prose came before any heading of the guide.
    introduced: bool,
}

impl Reader<'_> {
    fn block(&mut self, block: &Block, next: Option<&Block>) {
        let line = self.sheet.lines[block.begin];
        let alone = block.end == block.begin + 1 && !self.sheet.code[block.begin];
        let heading = markdown::heading(line).filter(|_| alone);
        let text = heading.map(|(_, text)| text).or(bold_line(line)).unwrap_or(line).trim();
        let level = heading.map_or(0, |(level, _)| level);
        if alone
            && let Some(region) = region(text)
            && (heading.is_some() || !self.marked || bold_line(line).is_some())
        {
            self.close();
            self.place = Place::Questions;
            self.section = Some(region.to_owned());
            self.counter = 0;
            self.sheet.claim(block.begin..block.end, Use::Structure);
            return;
        }
        let is_mark = heading.is_some() || bold_line(line).is_some();
        let in_region = self.place == Place::Questions;
        if alone && self.asks(text, is_mark, in_region, next) {
            self.close();
            let (printed, text) = markdown::numbered(text).map_or((None, text), |(n, text)| (Some(n), text));
            let prompt = markdown::plain(text.trim_end_matches('+').trim_end());
            self.place = Place::Questions;
            self.level = level;
            self.sheet.claim(block.begin..block.end, Use::Question);
            self.open = Some(Open { at: block.begin, printed, prompt, answer: block.end..block.end });
            return;
        }
        // What follows a question answers it, also in a few words.
        let awaited = self.open.as_ref().is_some_and(|open| open.answer.is_empty());
        let looks = heading.is_some() || (!self.marked && alone && !awaited && is_heading(line));
        // A heading further in than its question is part of the answer.
        let inner = level > 0 && self.open.is_some() && self.level > 0 && level > self.level;
        if looks && !inner {
            self.heading(block, text, next);
            return;
        }
        match self.place {
            Place::Questions => match &mut self.open {
                Some(open) => open.answer.end = block.end,
                None => self.sheet.claim(block.begin..block.end, Use::Skipped("outside-question")),
            },
            Place::Head => {
                self.introduced = true;
                self.sheet.claim(block.begin..block.end, Use::Skipped("intro"));
            }
            Place::Promotion => self.sheet.claim(block.begin..block.end, Use::Skipped("promotion-or-trailer")),
            Place::Guide => self.prose(block),
        }
    }

    /// Whether a line is a question.
    fn asks(&self, text: &str, is_mark: bool, in_region: bool, next: Option<&Block>) -> bool {
        let bare = markdown::numbered(text).map_or(text, |(_, text)| text);
        if bare.chars().count() > 300 || markdown::bullet(bare).is_some() || bare.is_empty() {
            return false;
        }
        let asking = bare.ends_with('?') || bare.ends_with("?+");
        let first: String = bare.chars().take_while(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
        let imperative = IMPERATIVES.contains(&first.as_str());
        // The first thing behind a question is its answer, whatever it looks like, unless it asks.
        let answered = self.open.as_ref().is_none_or(|open| !open.answer.is_empty());
        let followed = next.is_some_and(|next| !self.sheet.lines[next.begin].trim().is_empty());
        if is_mark {
            return asking || imperative && !WEAK.contains(&first.as_str()) && in_region;
        }
        if self.marked {
            return asking && in_region && markdown::numbered(text).is_some();
        }
        let sentences = bare.matches(". ").count();
        in_region && (asking || imperative && answered && sentences == 0 && !WEAK.contains(&first.as_str()) && followed)
    }

    fn heading(&mut self, block: &Block, text: &str, next: Option<&Block>) {
        self.close();
        let range = block.begin..block.end;
        // Whether a question comes right behind it, so that it is a section of questions.
        let leads = next.is_some_and(|next| {
            let line = self.sheet.lines[next.begin];
            let text = markdown::heading(line).map(|(_, text)| text).or(bold_line(line)).unwrap_or(line).trim();
            let is_mark = markdown::heading(line).is_some() || bold_line(line).is_some();
            next.end == next.begin + 1 && self.asks(text, is_mark, self.place == Place::Questions, None)
        });
        match self.place {
            _ if leads => {
                self.place = Place::Questions;
                self.section = Some(markdown::plain(text));
                self.counter = 0;
                self.sheet.claim(range, Use::Structure);
            }
            Place::Head if !self.introduced => {
                if self.sheet.title.is_none() || !self.sheet.title.as_ref().is_some_and(|title| title.contains(' ')) {
                    self.sheet.title = Some(markdown::plain(text));
                }
                self.sheet.claim(range, Use::Skipped("head"));
            }
            Place::Questions | Place::Promotion if !self.marked => {
                self.place = Place::Promotion;
                self.sheet.claim(range, Use::Skipped("promotion-or-trailer"));
            }
            _ => {
                self.place = Place::Guide;
                self.sheet.guide_sections.push(GuideSection {
                    line: block.begin + 1,
                    heading: markdown::plain(text),
                    paragraphs: 0,
                    bullets: Vec::new(),
                });
                self.sheet.claim(range, Use::Guide);
            }
        }
    }

    fn prose(&mut self, block: &Block) {
        let lines = &self.sheet.lines[block.begin..block.end];
        let bullets = markdown::items(&answer::tidy(lines));
        if let Some(section) = self.sheet.guide_sections.last_mut() {
            section.paragraphs += usize::from(markdown::bullet(lines[0]).is_none());
            section.bullets.extend(bullets);
        }
        self.sheet.claim(block.begin..block.end, Use::Guide);
    }

    /// Ends the open question.
    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let lines = self.sheet.take(open.answer);
        let answer = answer::tidy(&lines);
        self.counter += 1;
        let draft = Draft {
            line: open.at + 1,
            section: self.section.clone(),
            prompt: open.prompt,
            points: markdown::items(&answer),
            answer,
            ..Draft::default()
        };
        self.sheet.ask(Some(open.printed.unwrap_or(self.counter)), draft);
    }
}

/// A heading that begins questions, and what the section is called.
pub fn region(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    if text.len() > 400 || !(lower.contains("question") || lower.contains("faq")) {
        return None;
    }
    let lower = markdown::plain(&lower);
    let bare = lower.trim_end_matches([':', '+', ' ']);
    if matches!(bare, "faq" | "faqs" | "frequently asked questions" | "frequently asked questions (faq)") {
        return Some("faq");
    }
    let short = bare.chars().count() <= 80 && !bare.ends_with(['.', '?', '!']);
    let words: Vec<&str> = bare.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let says = words.contains(&"questions")
        && (words.len() <= 3 || words.contains(&"answers") || words.contains(&"common") || words.contains(&"sample"));
    // "Interview questions & answers" begins them, "About these questions" does not.
    let about = words
        .first()
        .is_some_and(|word| matches!(*word, "about" | "why" | "how" | "what" | "after" | "before" | "ask" | "beyond"));
    (short && says && !about).then_some("questions")
}

/// A line that stands alone, short and without an end.
fn is_heading(line: &str) -> bool {
    let line = line.trim();
    line.chars().count() <= 90
        && line.split_whitespace().count() <= 14
        && markdown::bullet(line).is_none()
        && !line.ends_with(['.', ',', ';', '!', '…', '”', '"', ')'])
}
