//! Questions that members suggest: what is typed, what is wrong with it, and the question that becomes of it.

use serde::{Deserialize, Serialize};

use super::bank::{Bank, TopicMatch};
use super::ids::{ChannelId, MemberId, QuestionId, SuggestionId, short_hash};
use super::question::{KeyPoint, Kind, Level, Question, Status};

/// In characters: of the question itself, its model answer, all key points, one of them, and a link.
pub const PROMPT_CHARS: usize = 300;
pub const ANSWER_CHARS: usize = 3_000;
pub const POINTS_CHARS: usize = 1_300;
pub const POINT_CHARS: usize = 200;
pub const LINK_CHARS: usize = 300;
pub const TOPIC_CHARS: usize = 60;
/// Key points of one question.
pub const POINTS: usize = 6;
/// What one member may have waiting in a group.
pub const OPEN_AT_MOST: usize = 5;
/// Where an approved question comes from, as the bank says it: without a name.
pub const SOURCE: &str = "suggested by a member";
/// Under which terms, as the form says.
pub const LICENCE: &str = "given to the group by its author";

/// What stands in the inputs of the form, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    pub question: String,
    pub answer: String,
    pub points: String,
    pub topic: String,
    pub source: String,
}

/// A suggestion that can become a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Texts {
    pub prompt: String,
    pub model_answer: String,
    pub key_points: Vec<String>,
    /// The name of a topic of the bank.
    pub topic: String,
    /// An https address, or empty.
    pub link: String,
}

/// What is wrong with an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slip {
    NoQuestion,
    NoAnswer,
    NoPoints,
    NoTopic,
    /// The input, how long its text is, and how long it may be.
    TooLong(&'static str, usize, usize),
    TooManyPoints(usize),
    /// The number of a key point, from 1, and how long it is.
    LongPoint(usize, usize),
    /// What was typed, and the names that may have been meant.
    UnknownTopic(String, Vec<String>),
    NoLink,
}

impl Slip {
    /// The input that it is about.
    pub fn input(&self) -> &'static str {
        match self {
            Slip::NoQuestion => "question",
            Slip::NoAnswer => "answer",
            Slip::NoPoints | Slip::TooManyPoints(_) | Slip::LongPoint(..) => "points",
            Slip::NoTopic | Slip::UnknownTopic(..) => "topic",
            Slip::NoLink => "source",
            Slip::TooLong(input, ..) => input,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Open,
    Approved,
    Declined,
    /// By its author while it waited, or by an organiser after it was approved.
    Withdrawn,
}

impl State {
    const ALL: [State; 4] = [State::Open, State::Approved, State::Declined, State::Withdrawn];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Approved => "approved",
            State::Declined => "declined",
            State::Withdrawn => "withdrawn",
        }
    }

    pub fn parse(text: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    pub id: SuggestionId,
    /// Rises with every change, so that a button knows what it was pressed for.
    pub version: i64,
    /// The group it is for: a server, a workspace, or a platform that has none.
    pub realm: String,
    /// Where its author and the organisers hear of it.
    pub channel: ChannelId,
    /// None when its author was erased.
    pub member: Option<MemberId>,
    pub texts: Texts,
    pub state: State,
    /// Who decided, or withdrew it.
    pub by: Option<MemberId>,
    /// Why it was declined.
    pub reason: String,
    /// Unix milliseconds.
    pub sent_at: i64,
    pub decided_at: i64,
}

impl Typed {
    /// From the values of a form, without what cannot be seen and what no database keeps.
    pub fn of<'a>(given: impl Fn(&str) -> &'a str) -> Typed {
        let clean = |input: &str| tidy(given(input));
        Typed {
            question: clean("question"),
            answer: clean("answer"),
            points: clean("points"),
            topic: clean("topic"),
            source: clean("source"),
        }
    }

    /// What stands in the form when it is filled with a suggestion.
    pub fn from_texts(texts: &Texts) -> Typed {
        Typed {
            question: texts.prompt.clone(),
            answer: texts.model_answer.clone(),
            points: texts.key_points.join("\n"),
            topic: texts.topic.clone(),
            source: texts.link.clone(),
        }
    }

    /// Everything that is wrong without a look at the bank.
    pub fn slips(&self) -> Vec<Slip> {
        let mut slips = Vec::new();
        let is_empty = |text: &str| !text.chars().any(char::is_alphanumeric);
        let mut measure = |input, text: &str, most, empty: Option<Slip>| {
            let chars = text.chars().count();
            match empty.filter(|_| is_empty(text)) {
                Some(slip) => slips.push(slip),
                None if chars > most => slips.push(Slip::TooLong(input, chars, most)),
                None => {}
            }
        };
        measure("question", &self.question, PROMPT_CHARS, Some(Slip::NoQuestion));
        measure("answer", &self.answer, ANSWER_CHARS, Some(Slip::NoAnswer));
        measure("points", &self.points, POINTS_CHARS, Some(Slip::NoPoints));
        measure("topic", &self.topic, TOPIC_CHARS, Some(Slip::NoTopic));
        measure("source", &self.source, LINK_CHARS, None);
        let points = lines(&self.points);
        if points.len() > POINTS {
            slips.push(Slip::TooManyPoints(points.len()));
        }
        let long = |point: &&str| point.chars().count() > POINT_CHARS;
        let long = points.iter().enumerate().find(|(_, point)| long(point));
        slips.extend(long.map(|(at, point)| Slip::LongPoint(at + 1, point.chars().count())));
        if !is_link(&self.source) {
            slips.push(Slip::NoLink);
        }
        slips
    }

    /// The suggestion, with the topic that is meant, or everything that is wrong with it.
    pub fn read(&self, bank: &Bank) -> Result<Texts, Vec<Slip>> {
        let mut slips = self.slips();
        let mut topic = String::new();
        if !slips.iter().any(|slip| slip.input() == "topic") {
            match bank.find_topic(&self.topic) {
                TopicMatch::Exact(name) => topic = name,
                TopicMatch::Near(near) => slips.push(Slip::UnknownTopic(self.topic.clone(), near)),
            }
        }
        if !slips.is_empty() {
            return Err(slips);
        }
        Ok(Texts {
            // A heading and a key point are one line each.
            prompt: one_line(&self.question),
            model_answer: self.answer.clone(),
            key_points: lines(&self.points).into_iter().map(one_line).collect(),
            topic,
            link: self.source.clone(),
        })
    }

    pub fn is_empty(&self) -> bool {
        *self == Typed::default()
    }
}

/// Text as it is kept: no control characters but line breaks, nothing around it.
pub fn tidy(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n").replace('\t', " ");
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect::<String>().trim().to_owned()
}

/// True for nothing, and for an https address that stands in one piece.
pub fn is_link(text: &str) -> bool {
    let strange = |c: char| c.is_whitespace() || c.is_control() || "<>\"'`()[]{}|\\^*".contains(c);
    let host =
        |rest: &str| rest.split(['/', '?', '#']).next().is_some_and(|host| host.contains('.') && !host.contains('@'));
    text.is_empty() || text.strip_prefix("https://").is_some_and(|rest| host(rest) && !rest.contains(strange))
}

/// The lines that say something, without the marks of a list in front.
fn lines(text: &str) -> Vec<&str> {
    text.lines()
        .map(|line| {
            let line = line.trim();
            let rest = line.trim_start_matches(['-', '*', '•', '–', '·']);
            // "- a point" is a list; "-O2 is a flag" is not.
            if rest.starts_with(' ') { rest.trim_start() } else { line }
        })
        .filter(|line| line.chars().any(char::is_alphanumeric))
        .collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl SuggestionId {
    /// The same words of a question are one suggestion in a group, whoever sends them.
    pub fn of(realm: &str, prompt: &str) -> SuggestionId {
        let prompt = prompt.to_lowercase();
        let words = prompt.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        SuggestionId::new(short_hash(&["suggestion", realm].into_iter().chain(words).collect::<Vec<_>>()))
    }
}

impl Suggestion {
    /// The id of the question that becomes of it. One of a file with this id replaces it.
    pub fn question_id(&self) -> QuestionId {
        QuestionId::new(format!("suggested-{}", self.id.as_str().get(..10).unwrap_or(self.id.as_str())))
    }

    /// The question as a draft. What the form does not ask for is as most questions of the topic have it.
    pub fn question(&self, bank: &Bank) -> Question {
        let mut tracks: Vec<String> = Vec::new();
        let same_topic = bank.questions().iter().filter(|question| question.topic == self.texts.topic);
        for track in same_topic.flat_map(|question| &question.tracks) {
            if !tracks.contains(track) {
                tracks.push(track.clone());
            }
        }
        tracks.sort();
        let point = |text: &String| KeyPoint {
            text: text.clone(),
            weight: 1,
            all_of: vec![],
            alt: vec![],
            need: None,
            about: vec![],
            rivals: vec![],
            required: false,
            contradicts: vec![],
        };
        let reviewed = jiff::Timestamp::from_millisecond(self.decided_at).unwrap_or_default();
        Question {
            id: self.question_id(),
            version: 1,
            prompt: self.texts.prompt.clone(),
            exhibit: None,
            level: Level::Intermediate,
            kind: Kind::Concept,
            tracks,
            topic: self.texts.topic.clone(),
            tags: vec![],
            nudge: None,
            model_answer: self.texts.model_answer.clone(),
            why: None,
            framework: None,
            mistakes: vec![],
            follow_ups: vec![],
            hints: vec![],
            references: Some(self.texts.link.clone()).filter(|link| !link.is_empty()).into_iter().collect(),
            last_reviewed: reviewed.to_zoned(jiff::tz::TimeZone::UTC).date(),
            review_after_days: 180,
            status: Status::Draft,
            source: Some(SOURCE.to_owned()),
            licence: Some(LICENCE.to_owned()),
            key_points: self.texts.key_points.iter().map(point).collect(),
            choice: None,
            scenario: None,
            samples: vec![],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::bank::tests::{example, example_bank};

    fn typed() -> Typed {
        Typed {
            question: "Why is a `readiness` probe\nno liveness probe?".into(),
            answer: "First.\n\nThen.".into(),
            points: "- It takes the pod out of the service\n\n* It restarts nothing\n-O2 is a flag".into(),
            topic: example().topic,
            source: String::new(),
        }
    }

    #[test]
    fn a_form_becomes_texts() {
        let texts = typed().read(&example_bank()).unwrap();
        assert_eq!(texts.prompt, "Why is a `readiness` probe no liveness probe?");
        assert_eq!(texts.model_answer, "First.\n\nThen.");
        assert_eq!(texts.key_points, ["It takes the pod out of the service", "It restarts nothing", "-O2 is a flag"]);
        assert_eq!(Typed::from_texts(&texts).read(&example_bank()).unwrap(), texts);
    }

    #[test]
    fn what_no_database_keeps_is_taken_out() {
        assert_eq!(tidy(" a\0b\u{7}\r\nc\rd\te\u{2028}f \n"), "ab\nc\nd e\nf");
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let slips = Typed::default().read(&example_bank()).unwrap_err();
        assert_eq!(slips, [Slip::NoQuestion, Slip::NoAnswer, Slip::NoPoints, Slip::NoTopic]);
        let long = |chars: usize| "a".repeat(chars);
        let wrong = Typed {
            question: long(PROMPT_CHARS + 1),
            answer: long(ANSWER_CHARS + 1),
            points: long(POINT_CHARS + 1),
            topic: long(TOPIC_CHARS + 1),
            source: "ftp://a.b".into(),
        };
        let inputs: Vec<&str> = wrong.slips().iter().map(Slip::input).collect();
        assert_eq!(inputs, ["question", "answer", "topic", "points", "source"]);
        let many = Typed { points: "a\n".repeat(POINTS + 1), ..typed() };
        assert_eq!(many.slips(), [Slip::TooManyPoints(POINTS + 1)]);
        let nowhere = Typed { topic: "nowhere".into(), ..typed() };
        assert_eq!(nowhere.read(&example_bank()).unwrap_err(), [Slip::UnknownTopic("nowhere".into(), vec![])]);
    }

    #[test]
    fn the_same_words_are_the_same_suggestion_in_one_group() {
        let id = |realm: &str, prompt: &str| SuggestionId::of(realm, prompt);
        assert_eq!(id("web", "Why NAT?"), id("web", " why   nat"));
        assert_ne!(id("web", "Why NAT?"), id("slack:T1", "Why NAT?"));
        assert_ne!(id("web", "Why NAT?"), id("web", "Why not NAT?"));
    }
}
