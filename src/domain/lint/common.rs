//! What questions and coaching cards have in common.

use jiff::civil::Date;

use super::{Notes, PROMPT_CHARS, is_kebab};
use crate::domain::ids::QuestionId;
use crate::domain::question::{Card, Kind, Mistake, Question};

const NUDGE_CHARS: usize = 90;

pub(super) struct Common<'a> {
    id: &'a QuestionId,
    version: u32,
    prompt: &'a str,
    tracks: &'a [String],
    topic: &'a str,
    tags: &'a [String],
    nudge: Option<&'a str>,
    mistakes: &'a [Mistake],
    follow_ups: &'a [String],
    references: &'a [String],
    /// Whether it states facts that somebody may want to look up.
    has_facts: bool,
    last_reviewed: Date,
    review_after_days: u32,
}

impl Common<'_> {
    pub(super) fn of_question(question: &Question) -> Common<'_> {
        Common {
            id: &question.id,
            version: question.version,
            prompt: &question.prompt,
            tracks: &question.tracks,
            topic: &question.topic,
            tags: &question.tags,
            nudge: question.nudge.as_deref(),
            mistakes: &question.mistakes,
            follow_ups: &question.follow_ups,
            references: &question.references,
            has_facts: question.kind != Kind::Behavioural,
            last_reviewed: question.last_reviewed,
            review_after_days: question.review_after_days,
        }
    }

    pub(super) fn of_card(card: &Card) -> Common<'_> {
        Common {
            id: &card.id,
            version: card.version,
            prompt: &card.prompt,
            tracks: &card.tracks,
            topic: &card.topic,
            tags: &card.tags,
            nudge: card.nudge.as_deref(),
            mistakes: &card.mistakes,
            follow_ups: &card.follow_ups,
            references: &card.references,
            has_facts: false,
            last_reviewed: card.last_reviewed,
            review_after_days: card.review_after_days,
        }
    }

    pub(super) fn check(&self, notes: &mut Notes<'_>, today: Date) {
        self.names(notes);
        self.prompt(notes);
        if !(1..=3).contains(&self.mistakes.len()) {
            let count = self.mistakes.len();
            notes.should("mistakes", format!("lists {count} mistakes; list one to three, each with its correction"));
        }
        self.references(notes);
        self.review(notes, today);
        self.follow_ups(notes);
    }

    fn names(&self, notes: &mut Notes<'_>) {
        if !is_kebab(self.id.as_str()) {
            notes
                .must("id", "is not kebab-case; use lower-case letters, digits and single hyphens, as in iam-passrole");
        }
        if self.version == 0 {
            notes.must("version", "is 0; begin with 1");
        }
        if !is_kebab(self.topic) {
            notes.must("topic", format!("`{}` is not kebab-case", self.topic));
        }
        if !(1..=3).contains(&self.tracks.len()) {
            notes.must("tracks", format!("names {} tracks; name one to three", self.tracks.len()));
        }
        for (index, track) in self.tracks.iter().enumerate().filter(|(_, track)| !is_kebab(track)) {
            notes.must(&format!("tracks[{index}]"), format!("`{track}` is not kebab-case"));
        }
        for (index, tag) in self.tags.iter().enumerate().filter(|(_, tag)| !is_kebab(tag)) {
            notes.should(&format!("tags[{index}]"), format!("`{tag}` is not kebab-case"));
        }
    }

    fn prompt(&self, notes: &mut Notes<'_>) {
        let prompt = self.prompt.trim();
        notes.length("prompt", prompt, PROMPT_CHARS);
        if !prompt.ends_with(['?', '.']) {
            notes.must("prompt", "does not end in `?` or `.`");
        }
        if let Some(length) = self.nudge.map(|nudge| nudge.chars().count()).filter(|length| *length > NUDGE_CHARS) {
            notes.should("nudge", format!("has {length} characters; at most {NUDGE_CHARS}"));
        }
    }

    fn references(&self, notes: &mut Notes<'_>) {
        if self.references.is_empty() && self.has_facts {
            notes.should("references", "is empty; name the official page first");
        }
        for (index, link) in self.references.iter().enumerate() {
            let host = link.strip_prefix("https://").and_then(|rest| rest.split('/').next());
            if !host.is_some_and(|host| host.contains('.') && !host.contains(char::is_whitespace)) {
                notes.must(&format!("references[{index}]"), format!("`{link}` is not an https address"));
            }
        }
    }

    fn review(&self, notes: &mut Notes<'_>, today: Date) {
        if self.last_reviewed > today {
            notes.should("last_reviewed", format!("is {}, which has not come yet", self.last_reviewed));
        }
        if let Some(due) = due(self.last_reviewed, self.review_after_days).filter(|due| *due < today) {
            let message = format!("has passed: due since {due}; check the facts and set the date of today");
            notes.should("last_reviewed", message);
        }
        if !matches!(self.review_after_days, 180 | 720) {
            let message = "is neither 180 (facts that change) nor 720 (facts that stay)";
            notes.should("review_after_days", message);
        }
    }

    fn follow_ups(&self, notes: &mut Notes<'_>) {
        let bank = notes.bank;
        if !(2..=3).contains(&self.follow_ups.len()) {
            let count = self.follow_ups.len();
            notes.should("follow_ups", format!("lists {count} questions; two or three make a path through the bank"));
        }
        for (index, id) in self.follow_ups.iter().enumerate() {
            let field = format!("follow_ups[{index}]");
            match bank.get(id) {
                _ if id == self.id.as_str() => notes.must(&field, "is the question itself"),
                None if bank.cards().any(|card| card.id.as_str() == id) => {}
                None if !is_kebab(id) => notes.must(&field, format!("`{id}` is not the id of a question")),
                None => notes.should(&field, format!("`{id}` is not in the bank yet")),
                // Said once for the two of them.
                Some(next) if next.id > *self.id && next.follow_ups.iter().any(|id| *id == *self.id.as_str()) => {
                    notes.should(&field, format!("`{id}` leads back here; drop one of the two"));
                }
                Some(_) => {}
            }
        }
    }
}

/// The day after which a review has been due.
pub fn due(last_reviewed: Date, review_after_days: u32) -> Option<Date> {
    let days = jiff::Span::new().try_days(review_after_days).ok()?;
    last_reviewed.checked_add(days).ok()
}
