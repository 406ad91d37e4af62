//! Flags: a member says that something is wrong with a question.

use serde::{Deserialize, Serialize};

use super::form::Choosable;
use super::ids::{ChannelId, DrillId, FlagId, MemberId, QuestionId, RoundId, short_hash};
use super::suggestion::{LINK_CHARS, is_link, tidy};

/// In characters.
pub const WORDS_CHARS: usize = 1_000;
/// Of what organisers answer.
pub const ANSWER_CHARS: usize = 1_000;
/// What one member may have waiting in a group.
pub const OPEN_AT_MOST: usize = 10;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Wrong,
    Outdated,
    Unclear,
    Typo,
    Other,
}

impl Fault {
    pub const ALL: [Fault; 5] = [Fault::Wrong, Fault::Outdated, Fault::Unclear, Fault::Typo, Fault::Other];

    pub fn as_str(self) -> &'static str {
        match self {
            Fault::Wrong => "wrong",
            Fault::Outdated => "outdated",
            Fault::Unclear => "unclear",
            Fault::Typo => "typo",
            Fault::Other => "other",
        }
    }

    pub fn parse(text: &str) -> Option<Fault> {
        Fault::ALL.into_iter().find(|fault| fault.as_str() == text)
    }

    pub fn options() -> Vec<Choosable> {
        let label = |fault| match fault {
            Fault::Wrong => "Wrong",
            Fault::Outdated => "Outdated",
            Fault::Unclear => "Unclear",
            Fault::Typo => "A typo",
            Fault::Other => "Something else",
        };
        Fault::ALL.into_iter().map(|fault| Choosable::new(fault.as_str(), label(fault))).collect()
    }
}

/// The question that a form is about: by its id, as it was asked in a round, or as it stands in a drill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    Question(QuestionId),
    Round(RoundId),
    Item(DrillId, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Open,
    /// The question was mended, or will be.
    Fixed,
    /// The question is right as it is.
    Kept,
    Dismissed,
}

impl State {
    const ALL: [State; 4] = [State::Open, State::Fixed, State::Kept, State::Dismissed];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Fixed => "fixed",
            State::Kept => "kept",
            State::Dismissed => "dismissed",
        }
    }

    pub fn parse(text: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Flag {
    pub id: FlagId,
    /// Rises with every change, so that a button knows what it was pressed for.
    pub version: i64,
    pub realm: String,
    pub channel: ChannelId,
    pub member: MemberId,
    pub question: QuestionId,
    /// The question as it was when it was flagged: its version, a hash of the whole, and its prompt.
    pub question_version: i64,
    pub snapshot: String,
    pub prompt: String,
    pub fault: Fault,
    pub words: String,
    /// An https address, or empty.
    pub link: String,
    pub state: State,
    pub by: Option<MemberId>,
    /// What the organisers answered.
    pub answer: String,
    /// Unix milliseconds.
    pub sent_at: i64,
    pub decided_at: i64,
}

impl FlagId {
    /// One a member and question.
    pub fn of(realm: &str, member: &MemberId, question: &QuestionId) -> FlagId {
        FlagId::new(short_hash(&["flag", realm, member.as_str(), question.as_str()]))
    }
}

/// What stands in the inputs of the form, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    pub fault: String,
    pub words: String,
    pub link: String,
}

/// What is wrong with an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slip {
    NoWords,
    /// How long the words are.
    LongWords(usize),
    NoLink,
}

impl Slip {
    pub fn input(&self) -> &'static str {
        match self {
            Slip::NoWords | Slip::LongWords(_) => "words",
            Slip::NoLink => "source",
        }
    }
}

impl Typed {
    pub fn of<'a>(given: impl Fn(&str) -> &'a str) -> Typed {
        Typed { fault: tidy(given("fault")), words: tidy(given("words")), link: tidy(given("source")) }
    }

    /// What is wrong with the words and the link.
    pub fn slip(&self) -> Option<Slip> {
        let chars = self.words.chars().count();
        if !self.words.chars().any(char::is_alphanumeric) {
            return Some(Slip::NoWords);
        }
        if chars > WORDS_CHARS {
            return Some(Slip::LongWords(chars));
        }
        (!is_link(&self.link) || self.link.chars().count() > LINK_CHARS).then_some(Slip::NoLink)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_has_words_and_a_link_that_is_one() {
        let check = |words: &str, link: &str, expect: Option<Slip>| {
            let typed = Typed { words: words.to_owned(), link: link.to_owned(), ..Typed::default() };
            assert_eq!(typed.slip(), expect, "{words:.40} {link}");
        };
        check("IMDSv1 is off by default now.", "", None);
        check("It is.", "https://docs.aws.amazon.com/IAM/x.html#a", None);
        check(" .. ", "", Some(Slip::NoWords));
        check(&"a".repeat(WORDS_CHARS + 1), "", Some(Slip::LongWords(WORDS_CHARS + 1)));
        for link in [
            "http://example.com",
            "example.com",
            "https://a.b/ c",
            "https://localhost",
            "https://a.b/<x>",
            "javascript:1",
        ] {
            check("It is.", link, Some(Slip::NoLink));
        }
    }

    #[test]
    fn faults_and_states_survive_the_store() {
        for fault in Fault::ALL {
            assert_eq!(Fault::parse(fault.as_str()), Some(fault));
        }
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        assert_eq!((Fault::parse("bad"), State::parse("bad")), (None, None));
        let values: Vec<String> = Fault::options().into_iter().map(|option| option.value).collect();
        assert_eq!(values, Fault::ALL.map(Fault::as_str));
    }
}
