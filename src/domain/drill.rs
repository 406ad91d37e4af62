//! One member's private drill: a list of questions, one at a time. All state is here, so a restart loses nothing.

use serde::{Deserialize, Serialize};

use super::command::{Mode, Verb};
use super::confidence::Confidence;
use super::grade::Grade;
use super::ids::{ChannelId, DrillId, MemberId, QuestionId, seed_of};
use super::question::{Level, Question};
use super::score::{after_hints, points_tenths};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drill {
    pub id: DrillId,
    pub member: MemberId,
    /// Where it was begun; its points count on that channel's drill board.
    pub channel: ChannelId,
    /// As people read it: the topic's title.
    pub topic: String,
    /// What finds its questions again: the topic's name, or a tag. Empty in drills from before it was kept.
    #[serde(default)]
    pub name: String,
    pub choice: bool,
    pub items: Vec<Item>,
    /// The item in front of the member; the number of items when finished.
    pub at: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub question: QuestionId,
    /// The question in short, for the summary.
    #[serde(default)]
    pub title: String,
    /// The hash of the question as it was when the drill began.
    pub snapshot: String,
    pub topic: String,
    pub hints: usize,
    pub outcome: Option<Outcome>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Answered {
        text: String,
        grade: Grade,
        coverage: i64,
        points: i64,
        /// How sure they said they were.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        confidence: Option<Confidence>,
    },
    /// `option` counts in the author's order.
    Picked {
        option: usize,
        coverage: i64,
        points: i64,
    },
    Skipped,
    Revealed,
}

impl Outcome {
    /// Coverage 0-100 and points in tenths.
    pub fn worth(&self) -> (i64, i64) {
        match self {
            Outcome::Answered { coverage, points, .. } | Outcome::Picked { coverage, points, .. } => {
                (*coverage, *points)
            }
            Outcome::Skipped | Outcome::Revealed => (0, 0),
        }
    }
}

/// What a press or a form led to.
#[derive(Clone, Debug, PartialEq)]
pub enum Acted {
    /// Show the drill as it is now.
    Changed,
    /// The button belongs to an earlier state: show the drill as it is, nothing happened.
    Stale,
    /// Open the answer form.
    AskForAnswer,
}

impl Drill {
    pub fn mode(&self) -> Mode {
        if self.choice { Mode::Choice } else { Mode::Free }
    }

    pub fn is_finished(&self) -> bool {
        self.at >= self.items.len()
    }

    pub fn current(&self) -> Option<&Item> {
        self.items.get(self.at)
    }

    /// The options of a question as they are shown to this member: author's indices, shuffled once and for all.
    pub fn order(&self, at: usize, options: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..options).collect();
        order.sort_by_key(|option| seed_of(&[self.id.as_str(), &at.to_string(), &option.to_string()]));
        order
    }

    /// A press on item `at`. `question` is the snapshot of that item.
    pub fn press(&mut self, at: usize, verb: Verb, question: &Question) -> Acted {
        if at != self.at || self.is_finished() {
            return Acted::Stale;
        }
        let order = question.choice.as_ref().map(|choice| self.order(at, choice.options.len()));
        let item = &mut self.items[at];
        match (verb, &item.outcome) {
            (Verb::Next, Some(_)) => self.at += 1,
            (_, Some(_)) | (Verb::Next, None) => return Acted::Stale,
            (Verb::Answer, None) => return if self.choice { Acted::Stale } else { Acted::AskForAnswer },
            (Verb::Hint, None) if item.hints < question.hints.len() => item.hints += 1,
            (Verb::Hint, None) => return Acted::Stale,
            (Verb::Skip, None) => {
                item.outcome = Some(Outcome::Skipped);
                self.at += 1;
            }
            (Verb::Reveal, None) => item.outcome = Some(Outcome::Revealed),
            (Verb::Pick(shown), None) => {
                let (Some(choice), Some(&option)) =
                    (&question.choice, order.as_ref().and_then(|order| order.get(shown)))
                else {
                    return Acted::Stale;
                };
                let right = choice.options[option].correct;
                let coverage = if right { after_hints(100, hints(item)) } else { 0 };
                item.outcome =
                    Some(Outcome::Picked { option, coverage, points: points_tenths(coverage, question.level) });
            }
        }
        Acted::Changed
    }

    /// A free answer to item `at`, with its grade.
    pub fn answer(
        &mut self,
        at: usize,
        text: &str,
        confidence: Option<Confidence>,
        question: &Question,
        grade: impl FnOnce() -> Grade,
    ) -> Acted {
        if at != self.at || self.is_finished() || self.choice || self.items[at].outcome.is_some() {
            return Acted::Stale;
        }
        let item = &mut self.items[at];
        let grade = grade();
        let coverage = after_hints(i64::from(grade.score), hints(item));
        let points = points_tenths(coverage, question.level);
        item.outcome = Some(Outcome::Answered { text: text.to_owned(), grade, coverage, points, confidence });
        Acted::Changed
    }

    /// Points in tenths so far.
    pub fn points(&self) -> i64 {
        self.items.iter().filter_map(|item| item.outcome.as_ref()).map(|outcome| outcome.worth().1).sum()
    }
}

fn hints(item: &Item) -> i64 {
    i64::try_from(item.hints).unwrap_or(i64::MAX)
}

/// How hard a drill is: one level, or all.
pub fn levels(level: Option<Level>) -> Vec<String> {
    level.map(|level| vec![level.as_str().to_owned()]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::bank::{Bank, Source};
    use crate::domain::grade::grade;

    fn drill(choice: bool) -> (Drill, Question) {
        let source = Source { path: "iam.toml", text: include_str!("../../content/iam.toml") };
        let (bank, _) = Bank::read(&[&[source]]).unwrap();
        let question = Question::clone(bank.get("iam-passrole").unwrap());
        let item = || Item {
            question: question.id.clone(),
            title: "PassRole".into(),
            snapshot: String::new(),
            topic: "terraform".into(),
            hints: 0,
            outcome: None,
        };
        let drill = Drill {
            id: DrillId::new("d1"),
            member: MemberId::new("web:ann"),
            channel: ChannelId::new("web:c"),
            topic: "Terraform".into(),
            name: "terraform".into(),
            choice,
            items: vec![item(), item()],
            at: 0,
        };
        (drill, question)
    }

    #[test]
    fn a_second_press_of_the_same_button_changes_nothing() {
        let (mut drill, question) = drill(false);
        assert_eq!(drill.press(0, Verb::Skip, &question), Acted::Changed);
        let after = drill.clone();
        assert_eq!(drill.press(0, Verb::Skip, &question), Acted::Stale);
        assert_eq!(drill, after);
    }

    #[test]
    fn a_revealed_question_cannot_be_answered_any_more() {
        let (mut drill, question) = drill(false);
        assert_eq!(drill.press(0, Verb::Reveal, &question), Acted::Changed);
        assert_eq!(
            drill.answer(0, &question.model_answer, None, &question, || grade(&question, &question.model_answer)),
            Acted::Stale
        );
        assert_eq!(drill.points(), 0);
        assert_eq!(drill.press(0, Verb::Next, &question), Acted::Changed);
        assert_eq!(drill.at, 1);
    }

    #[test]
    fn hints_cost_points_and_run_out() {
        let (mut drill, question) = drill(true);
        for _ in 0..question.hints.len() {
            assert_eq!(drill.press(0, Verb::Hint, &question), Acted::Changed);
        }
        assert_eq!(drill.press(0, Verb::Hint, &question), Acted::Stale);
        let choice = question.choice.as_ref().unwrap();
        let right = choice.options.iter().position(|option| option.correct).unwrap();
        let shown = drill.order(0, choice.options.len()).iter().position(|option| *option == right).unwrap();
        assert_eq!(drill.press(0, Verb::Pick(shown), &question), Acted::Changed);
        let (coverage, points) = drill.items[0].outcome.as_ref().unwrap().worth();
        assert_eq!(coverage, 100 - 10 * i64::try_from(question.hints.len()).unwrap());
        assert_eq!(points, points_tenths(coverage, question.level));
    }

    #[test]
    fn options_are_shuffled_the_same_way_every_time() {
        let (drill, _) = drill(true);
        let mut sorted = drill.order(0, 4);
        assert_eq!(sorted, drill.order(0, 4));
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3]);
        assert!((0..20).map(|at| drill.order(at, 4)).collect::<std::collections::HashSet<_>>().len() > 5);
    }
}
