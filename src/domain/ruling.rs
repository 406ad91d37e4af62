//! What people rule about key points: a claim that words of an answer cover one, and a ruling that holds for every equal answer.

use super::grade::text::words;
use super::grade::{Decider, Grade, PointState};
use super::ids::{ChannelId, ClaimId, MemberId, MessageId, QuestionId, RoundId, platform_of, short_hash};
use super::question::{KeyPoint, Question};

/// What a ruling is about: a key point of a question, and all answers that say the same, where it was ruled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// A server or workspace, or a platform that has none: nobody rules on the answers of strangers.
    pub scope: String,
    pub question: QuestionId,
    pub point: String,
    pub answer: String,
}

impl Subject {
    pub fn of(scope: String, question: &Question, point: &KeyPoint, answer: &str) -> Subject {
        Subject { scope, question: question.id.clone(), point: point_key(point), answer: answer_key(answer) }
    }
}

/// A ruling on a question whose subject is known otherwise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ruling {
    pub point: String,
    pub answer: String,
    pub covered: bool,
}

/// One decision as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub round: RoundId,
    pub channel: ChannelId,
    /// The point's place in the question of that round.
    pub point: usize,
    /// None after they were erased.
    pub by: Option<MemberId>,
    pub organiser: bool,
    pub before: Option<bool>,
    pub after: bool,
    /// Unix milliseconds.
    pub at: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimState {
    /// What was typed does not stand in the answer; kept so that nobody has to type it again.
    Draft,
    Open,
    Confirmed,
    Refused,
    /// Its author was erased.
    Erased,
}

impl ClaimState {
    pub fn as_str(self) -> &'static str {
        match self {
            ClaimState::Draft => "draft",
            ClaimState::Open => "open",
            ClaimState::Confirmed => "confirmed",
            ClaimState::Refused => "refused",
            ClaimState::Erased => "erased",
        }
    }

    pub fn parse(text: &str) -> ClaimState {
        [ClaimState::Draft, ClaimState::Open, ClaimState::Confirmed, ClaimState::Refused]
            .into_iter()
            .find(|state| state.as_str() == text)
            .unwrap_or(ClaimState::Erased)
    }

    /// What the claim has become by a ruling.
    pub fn ruled(covered: bool) -> ClaimState {
        if covered { ClaimState::Confirmed } else { ClaimState::Refused }
    }
}

/// A member says that words of their answer cover a key point.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    pub id: ClaimId,
    pub round: RoundId,
    pub member: MemberId,
    /// The point's place in the question as it was posted.
    pub point: usize,
    pub words: String,
    pub state: ClaimState,
    pub subject: Subject,
    /// Who decided last; None before that, and after they were erased.
    pub by: Option<MemberId>,
    pub message: Option<MessageId>,
}

/// Where a ruling holds that is made in this channel.
pub fn scope(channel: &ChannelId, space: &str) -> String {
    if space.is_empty() { platform_of(channel.as_str()).to_owned() } else { space.to_owned() }
}

/// The same for all answers that have the same words in the same order; case, spaces and punctuation do not count.
pub fn answer_key(answer: &str) -> String {
    key("answer", answer)
}

/// A key point by its words, so that it is known again when others are added before it.
pub fn point_key(point: &KeyPoint) -> String {
    key("point", &point.text)
}

/// These hashes are kept for years, so they do not depend on how the grader of today reads words.
fn key(kind: &str, text: &str) -> String {
    let text = text.to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    short_hash(&std::iter::once(kind).chain(words).collect::<Vec<_>>())
}

/// The stretch of the answer that has these words, as it was written there; None when there is none.
pub fn quoted<'a>(answer: &'a str, typed: &str) -> Option<&'a str> {
    let (all, wanted) = (words(answer), words(typed));
    if wanted.is_empty() {
        return None;
    }
    let same = |run: &&[super::grade::text::Word]| run.iter().zip(&wanted).all(|(a, b)| a.text == b.text);
    let run = all.windows(wanted.len()).find(same)?;
    answer.get(run[0].start..run[run.len() - 1].end)
}

/// True for a point that its author may claim.
pub fn is_claimable(state: PointState, by: Decider) -> bool {
    by != Decider::Ruling && matches!(state, PointState::Unclear | PointState::Missing)
}

/// A grade with the rulings on its answer; None when there are none. `graded` is the grade without any, so that what is ruled anew
/// leaves nothing of the ruling before.
pub fn ruled(question: &Question, graded: &Grade, answer: &str, rulings: &[Ruling]) -> Option<Grade> {
    let mut grade = None;
    for (at, point) in question.key_points.iter().enumerate() {
        let key = point_key(point);
        let Some(ruling) = rulings.iter().find(|ruling| ruling.point == key && ruling.answer == answer) else {
            continue;
        };
        let Some(point) = grade.get_or_insert_with(|| graded.clone()).points.get_mut(at) else { continue };
        point.by = Decider::Ruling;
        match (ruling.covered, point.state) {
            (true, _) => {
                point.state = PointState::Covered;
                point.missing = None;
            }
            (false, PointState::Covered) => {
                point.state = PointState::Missing;
                point.spans.clear();
            }
            // Nobody loses by a claim what the answer has without it.
            (false, _) => {}
        }
    }
    if let Some(grade) = &mut grade {
        grade.recount(question);
    }
    grade
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::bank::{Bank, Source};
    use crate::domain::grade::grade;

    fn question() -> Question {
        let source = Source { path: "iam.toml", text: include_str!("../../content/iam.toml") };
        let (bank, _) = Bank::read(&[&[source]]).unwrap();
        Question::clone(bank.get("iam-passrole").unwrap())
    }

    #[test]
    fn answers_are_equal_by_their_words() {
        let key = answer_key("The backend keeps the state. Don't edit it!");
        for equal in ["the BACKEND keeps\n\nthe state; don’t edit it", " The backend, keeps the state -- don't edit it"]
        {
            assert_eq!(answer_key(equal), key, "{equal}");
        }
        for other in ["The backend keeps the state.", "The state keeps the backend. Don't edit it!", ""] {
            assert_ne!(answer_key(other), key, "{other}");
        }
        assert_ne!(answer_key("ab c"), answer_key("a bc"));
    }

    #[test]
    fn quoted_words_stand_in_the_answer_in_one_run() {
        let answer = "First, *the Backend* keeps the state;\nand a lock helps.";
        for (typed, expect) in [
            ("the backend keeps", Some("the Backend* keeps")),
            ("THE STATE and a lock", Some("the state;\nand a lock")),
            ("backend the state", None),
            ("the backend keeps it", None),
            ("back", None),
            ("", None),
            ("...", None),
            ("First, *the Backend* keeps the state;\nand a lock helps. And more", None),
        ] {
            assert_eq!(quoted(answer, typed), expect, "{typed:?}");
        }
    }

    #[test]
    fn a_ruling_counts_for_its_point_and_answer_only() {
        let question = question();
        let graded = grade(&question, "It has to do with roles.");
        let key = answer_key("It has to do with roles.");
        let rule = |point: usize, covered| Ruling {
            point: point_key(&question.key_points[point]),
            answer: key.clone(),
            covered,
        };
        let covered = ruled(&question, &graded, &key, &[rule(0, true)]).expect("a ruling");
        assert_eq!((covered.points[0].state, covered.points[0].by), (PointState::Covered, Decider::Ruling));
        assert!(covered.score > graded.score, "{} after {}", covered.score, graded.score);
        assert_eq!(covered.points[1..], graded.points[1..]);
        assert_eq!(ruled(&question, &graded, &answer_key("another"), &[rule(0, true)]), None);
        let refused = ruled(&question, &graded, &key, &[rule(0, false)]).expect("a ruling");
        assert_eq!((refused.score, refused.points[0].state), (graded.score, graded.points[0].state));
        assert!(!is_claimable(refused.points[0].state, refused.points[0].by));
    }

    #[test]
    fn a_point_that_the_grader_finds_can_be_ruled_out() {
        let question = question();
        let graded = grade(&question, &question.model_answer);
        let key = answer_key(&question.model_answer);
        let rulings = [Ruling { point: point_key(&question.key_points[0]), answer: key.clone(), covered: false }];
        let grade = ruled(&question, &graded, &key, &rulings).expect("a ruling");
        assert_eq!(grade.points[0].state, PointState::Missing);
        assert!(grade.score < graded.score && grade.points[0].spans.is_empty());
    }
}
