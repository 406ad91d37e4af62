//! What a member wrote for a round: thread messages and the form, put together.

use std::collections::{BTreeMap, BTreeSet};

use super::confidence::Confidence;
use super::ids::{MemberId, MessageId};

/// Longer answers are refused with a friendly word; a spoken answer of five minutes has about 4,000 characters.
pub const MAX_CHARS: usize = 10_000;

/// One message or one form.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// A message of the thread, or `form:<member>`.
    pub id: String,
    pub member: MemberId,
    pub body: String,
    /// Unix milliseconds.
    pub written_at: i64,
    /// After the close: welcome, marked, worth nothing.
    pub late: bool,
    pub deleted: bool,
    /// Only forms ask for it.
    pub confidence: Option<Confidence>,
}

impl Part {
    pub fn form_id(member: &MemberId) -> String {
        format!("form:{member}")
    }

    /// A form sent after the close: beside the answer, never in its place.
    pub fn late_form_id(member: &MemberId) -> String {
        format!("late-form:{member}")
    }

    /// It is part of an answer in time.
    pub fn counts(&self) -> bool {
        !self.deleted && !self.late && !self.body.trim().is_empty()
    }

    pub fn is_form(&self) -> bool {
        self.id.starts_with("form:") || self.id.starts_with("late-form:")
    }
}

/// How sure a member was of their answer in time, of whom these parts are.
pub fn confidence(parts: &[Part]) -> Option<Confidence> {
    parts.iter().filter(|part| !part.deleted && !part.late).find_map(|part| part.confidence)
}

/// A text of a part that was changed, and when it was said first. Kept until the reveal, also for the text that stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    pub part: String,
    pub member: MemberId,
    pub body: String,
    /// Unix milliseconds.
    pub at: i64,
}

/// What a member's whole answer is.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub member: MemberId,
    pub text: String,
    pub first_at: i64,
}

/// What became of a message that a member wrote in a thread of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is part of the member's answer.
    Noted,
    /// The round is closed.
    Late,
    /// The thread is for questions; answers go through the form.
    Aside,
    /// No thread of a round.
    NotOurs,
}

/// Each member's answer in time: the parts in the order they were written, deleted and late ones left out. Members in order of their
/// first part.
pub fn assemble(parts: &[Part]) -> Vec<Answer> {
    let mut by_member: BTreeMap<&MemberId, Vec<&Part>> = BTreeMap::new();
    for part in parts.iter().filter(|part| part.counts()) {
        by_member.entry(&part.member).or_default().push(part);
    }
    let mut answers: Vec<Answer> = by_member
        .into_iter()
        .map(|(member, mut parts)| {
            parts.sort_by(|a, b| (a.written_at, &a.id).cmp(&(b.written_at, &b.id)));
            Answer {
                member: member.clone(),
                text: parts.iter().map(|part| part.body.as_str()).collect::<Vec<_>>().join("\n\n"),
                first_at: parts.first().map_or(0, |part| part.written_at),
            }
        })
        .collect();
    answers.sort_by(|a, b| (a.first_at, &a.member).cmp(&(b.first_at, &b.member)));
    answers
}

/// A message of a platform's thread as it stands now.
#[derive(Clone, Debug, PartialEq)]
pub struct ThreadMessage {
    pub id: MessageId,
    pub member: MemberId,
    /// What they are called, where that is known.
    pub name: Option<String>,
    pub text: String,
    pub at: i64,
}

/// What has to change in the stored parts so that they agree with the thread: parts to write, and ids of parts that are gone.
/// Messages after `closed_at` are late, unless they were taken before the close; the form is not the thread's business.
pub fn reconcile(stored: &[Part], thread: &[ThreadMessage], closed_at: i64) -> (Vec<Part>, Vec<String>) {
    let known: BTreeMap<&str, &Part> = stored.iter().map(|part| (part.id.as_str(), part)).collect();
    let there: BTreeSet<&str> = thread.iter().map(|message| message.id.as_str()).collect();
    let changed = thread
        .iter()
        .map(|message| Part {
            id: message.id.to_string(),
            member: message.member.clone(),
            body: message.text.clone(),
            written_at: message.at,
            // The platform's clock is not ours: what was taken as an answer stays one. The other way round the event of a message
            // that was written in time may have come late.
            late: message.at > closed_at && known.get(message.id.as_str()).is_none_or(|part| part.late),
            deleted: false,
            confidence: None,
        })
        .filter(|part| known.get(part.id.as_str()) != Some(&part))
        .collect();
    let gone = stored
        .iter()
        .filter(|part| !part.is_form() && !part.deleted && !there.contains(part.id.as_str()))
        .map(|part| part.id.clone())
        .collect();
    (changed, gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(id: &str, member: &str, body: &str, written_at: i64) -> Part {
        Part {
            id: id.into(),
            member: MemberId::new(member),
            body: body.into(),
            written_at,
            late: false,
            deleted: false,
            confidence: None,
        }
    }

    #[test]
    fn an_answer_is_its_parts_in_order_without_deleted_and_late_ones() {
        let mut late = part("m9", "bob", "too late", 900);
        late.late = true;
        let mut gone = part("m3", "ann", "oops", 300);
        gone.deleted = true;
        let parts = [part("m5", "ann", "second", 500), part("form:ann", "ann", "first", 100), gone, late];
        let answers = assemble(&parts);
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0].text, "first\n\nsecond");
        assert_eq!(answers[0].first_at, 100);
    }

    #[test]
    fn the_thread_is_the_truth_for_lost_changed_and_deleted_messages() {
        let stored =
            [part("m1", "ann", "old", 100), part("m2", "bob", "gone", 200), part("form:eve", "eve", "form", 50)];
        let message = |id: &str, member: &str, text: &str, at| ThreadMessage {
            id: MessageId::new(id),
            member: MemberId::new(member),
            name: Some(member.into()),
            text: text.into(),
            at,
        };
        let thread = [
            message("m1", "ann", "new", 100),
            message("m4", "eve", "lost event", 400),
            message("m5", "bob", "late", 501),
        ];
        let (changed, gone) = reconcile(&stored, &thread, 500);
        let show: Vec<_> = changed.iter().map(|p| (p.id.as_str(), p.body.as_str(), p.late)).collect();
        assert_eq!(show, [("m1", "new", false), ("m4", "lost event", false), ("m5", "late", true)]);
        assert_eq!(gone, ["m2"]);
        // Their clock is ahead of ours; or the event of a message in time came after the close.
        let heard_late = Part { late: true, ..part("m2", "bob", "in time", 499) };
        let thread = [message("m1", "ann", "old", 501), message("m2", "bob", "in time", 499)];
        let (changed, _) = reconcile(&[part("m1", "ann", "old", 501), heard_late], &thread, 500);
        assert_eq!(changed.iter().map(|p| (p.id.as_str(), p.late)).collect::<Vec<_>>(), [("m2", false)]);
        let (changed, gone) = reconcile(&stored[..1], &[message("m1", "ann", "old", 100)], 500);
        assert!(changed.is_empty() && gone.is_empty());
    }

    #[test]
    fn what_was_accepted_stays_in_time_although_the_close_bears_an_earlier_time() {
        let accepted = part("m1", "ann", "just in time", 505);
        let message = ThreadMessage {
            id: MessageId::new("m1"),
            member: MemberId::new("ann"),
            name: Some("Ann".into()),
            text: "just in time".into(),
            at: 505,
        };
        assert_eq!(reconcile(&[accepted], std::slice::from_ref(&message), 500), (vec![], vec![]));
        let (changed, _) = reconcile(&[], &[message], 500);
        assert!(changed[0].late);
    }
}
