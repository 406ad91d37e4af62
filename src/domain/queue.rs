//! What members send to the organisers, and what buttons about it carry.

use super::flag::About;
use super::ids::{DrillId, FlagId, QuestionId, RoundId, SuggestionId};

/// One thing that waits, or waited.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    Suggestion(SuggestionId),
    Flag(FlagId),
}

impl Item {
    /// `s:<id>`, `f:<id>`
    pub fn encode(&self) -> String {
        match self {
            Item::Suggestion(id) => format!("s:{id}"),
            Item::Flag(id) => format!("f:{id}"),
        }
    }

    pub fn decode(text: &str) -> Option<Item> {
        match text.split_once(':')? {
            ("s", id) if !id.is_empty() => Some(Item::Suggestion(SuggestionId::new(id))),
            ("f", id) if !id.is_empty() => Some(Item::Flag(FlagId::new(id))),
            _ => None,
        }
    }
}

/// Which part of the queue is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shelf {
    #[default]
    Open,
    Suggestions,
    Flags,
    Decided,
}

impl Shelf {
    pub const ALL: [Shelf; 4] = [Shelf::Open, Shelf::Suggestions, Shelf::Flags, Shelf::Decided];

    pub fn as_str(self) -> &'static str {
        match self {
            Shelf::Open => "open",
            Shelf::Suggestions => "suggestions",
            Shelf::Flags => "flags",
            Shelf::Decided => "decided",
        }
    }

    pub fn parse(text: &str) -> Option<Shelf> {
        Shelf::ALL.into_iter().find(|shelf| shelf.as_str() == text)
    }
}

/// What an organiser does with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Approve,
    Edit,
    EditAndApprove,
    Decline,
    /// An approved question leaves the bank again.
    TakeOut,
    Fixed,
    Keep,
    Dismiss,
}

impl Verdict {
    const ALL: [(Verdict, &str); 8] = [
        (Verdict::Approve, "approve"),
        (Verdict::Edit, "edit"),
        (Verdict::EditAndApprove, "editapprove"),
        (Verdict::Decline, "decline"),
        (Verdict::TakeOut, "takeout"),
        (Verdict::Fixed, "fixed"),
        (Verdict::Keep, "keep"),
        (Verdict::Dismiss, "dismiss"),
    ];

    fn as_str(self) -> &'static str {
        Verdict::ALL.into_iter().find(|(verdict, _)| *verdict == self).map_or("", |(_, word)| word)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Open the form of a suggestion, or (as a form) send it.
    Suggest,
    /// Send what was typed although it resembles a question.
    Insist,
    /// Take back one's own suggestion, as of a version.
    Withdraw(SuggestionId, i64),
    /// Open the form of a flag, or (as a form) send it.
    Flag(About),
    /// Show the next item behind this one.
    Show(Shelf, Option<Item>),
    /// Decide on an item as of a version; what needs words opens a form, and (as a form) sends them.
    Decide(Item, i64, Verdict),
}

impl Act {
    /// True for what organisers may do only.
    pub fn is_for_organisers(&self) -> bool {
        matches!(self, Act::Show(..) | Act::Decide(..))
    }

    pub fn encode(&self) -> String {
        match self {
            Act::Suggest => "suggest".to_owned(),
            Act::Insist => "insist".to_owned(),
            Act::Withdraw(id, version) => format!("withdraw:{id}:{version}"),
            Act::Flag(About::Question(id)) => format!("flag:q:{id}"),
            Act::Flag(About::Round(id)) => format!("flag:r:{id}"),
            Act::Flag(About::Item(drill, at)) => format!("flag:d:{drill}:{at}"),
            Act::Show(shelf, None) => format!("show:{}", shelf.as_str()),
            Act::Show(shelf, Some(item)) => format!("show:{}:{}", shelf.as_str(), item.encode()),
            Act::Decide(item, version, verdict) => format!("{}:{version}:{}", verdict.as_str(), item.encode()),
        }
    }

    pub fn decode(text: &str) -> Option<Act> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        Some(match kind {
            "suggest" if rest.is_empty() => Act::Suggest,
            "insist" if rest.is_empty() => Act::Insist,
            "withdraw" => {
                let (id, version) = rest.split_once(':')?;
                Act::Withdraw(SuggestionId::new(id), version.parse().ok()?)
            }
            "flag" => Act::Flag(match rest.split_once(':')? {
                ("q", id) => About::Question(QuestionId::new(id)),
                ("r", id) => About::Round(RoundId::new(id)),
                ("d", rest) => {
                    let (drill, at) = rest.split_once(':')?;
                    About::Item(DrillId::new(drill), at.parse().ok()?)
                }
                _ => return None,
            }),
            "show" => match rest.split_once(':') {
                None => Act::Show(Shelf::parse(rest)?, None),
                Some((shelf, item)) => Act::Show(Shelf::parse(shelf)?, Some(Item::decode(item)?)),
            },
            verdict => {
                let (verdict, _) = Verdict::ALL.into_iter().find(|(_, word)| *word == verdict)?;
                let (version, item) = rest.split_once(':')?;
                Act::Decide(Item::decode(item)?, version.parse().ok()?, verdict)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_survive_the_trip_and_fit_discord() {
        let id = "abcdefghijklmnop";
        let suggestion = Item::Suggestion(SuggestionId::new(id));
        let mut acts = vec![
            Act::Suggest,
            Act::Insist,
            Act::Withdraw(SuggestionId::new(id), 7),
            Act::Flag(About::Question(QuestionId::new("a".repeat(64)))),
            Act::Flag(About::Round(RoundId::new(id))),
            Act::Flag(About::Item(DrillId::new(id), 19)),
            Act::Show(Shelf::Decided, None),
            Act::Show(Shelf::Suggestions, Some(suggestion.clone())),
        ];
        acts.extend(Verdict::ALL.map(|(verdict, _)| Act::Decide(suggestion.clone(), i64::from(u32::MAX), verdict)));
        acts.push(Act::Decide(Item::Flag(FlagId::new(id)), 1, Verdict::Keep));
        for act in acts {
            let text = act.encode();
            assert!(text.len() + "queue:".len() <= 100, "{text}");
            assert_eq!(Act::decode(&text), Some(act));
        }
        for old in [
            "",
            "suggest:1",
            "withdraw:x",
            "flag:x:y",
            "flag:d:x",
            "show:all",
            "show:open:x",
            "approve:1:s",
            "approve:x:s:y",
            "burn:1:s:x",
        ] {
            assert_eq!(Act::decode(old), None, "{old}");
        }
    }
}
