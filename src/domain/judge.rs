//! What a language model says about an answer, and how much of it counts: only what it can quote.

use serde::{Deserialize, Serialize};

use super::grade::text::{Class, words};
use super::grade::{Decider, Grade, PointGrade, PointState};
use super::ids::short_hash;
use super::question::Question;

/// Raised when the same model would be asked something else, so that what it said before is not taken for an answer.
const WORDING: &str = "1";

/// What a judge is asked: nothing about who wrote the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub prompt: String,
    /// The texts of the key points, in the order of the question.
    pub points: Vec<String>,
    pub answer: String,
}

impl Case {
    pub fn of(question: &Question, answer: &str) -> Case {
        Case {
            prompt: question.prompt.clone(),
            points: question.key_points.iter().map(|point| point.text.clone()).collect(),
            answer: answer.to_owned(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    Met,
    Unmet,
    Unsure,
}

/// What a judge says of one key point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub finding: Finding,
    /// The words of the answer it goes by.
    pub quote: String,
}

/// The name under which verdicts are kept: the same for the same question, model and answer, whatever its case and white space.
pub fn case_key(snapshot: &str, model: &str, answer: &str) -> String {
    short_hash(&["verdicts", WORDING, snapshot, model, &Folded::of(answer).text])
}

/// Whether a judge has a say about an answer at all: not where all is decided.
pub fn may_be_judged(grade: &Grade) -> bool {
    grade.guard.is_none() && grade.points.iter().any(is_open)
}

/// A contradiction the grader found and what people ruled stand.
fn is_open(point: &PointGrade) -> bool {
    point.by != Decider::Ruling && point.state != PointState::Contradicted
}

/// Lets verdicts (one a key point, in order) change a grade: `met` lifts a point to covered, `unmet` lowers a covered one to unclear,
/// both only with a quote that stands in the answer. True when something changed; the score is counted again then.
pub fn apply(question: &Question, answer: &str, verdicts: &[Verdict], grade: &mut Grade) -> bool {
    if !may_be_judged(grade) || verdicts.len() != grade.points.len() {
        return false;
    }
    let (folded, prompt) = (Folded::of(answer), Folded::of(&question.prompt));
    let mut changed = false;
    for (point, verdict) in grade.points.iter_mut().zip(verdicts).filter(|(point, _)| is_open(point)) {
        let Some(quoted) = evidence(&folded, &prompt, &verdict.quote) else { continue };
        match (verdict.finding, point.state) {
            (Finding::Met, PointState::Unclear | PointState::Missing) => {
                point.state = PointState::Covered;
                point.missing = None;
                point.spans = with_span(std::mem::take(&mut point.spans), quoted);
            }
            (Finding::Unmet, PointState::Covered) => point.state = PointState::Unclear,
            _ => continue,
        }
        point.by = Decider::Judge;
        changed = true;
    }
    if changed {
        grade.recount(question);
    }
    changed
}

/// What a verdict on a case comes to: unsure when its quote is no evidence.
pub fn says(case: &Case, verdict: &Verdict) -> Finding {
    match evidence(&Folded::of(&case.answer), &Folded::of(&case.prompt), &verdict.quote) {
        Some(_) => verdict.finding,
        None => Finding::Unsure,
    }
}

/// Where a quote stands in the answer, as bytes. None too for one without a word of meaning, and for one that only repeats the question.
fn evidence(answer: &Folded, prompt: &Folded, quote: &str) -> Option<(usize, usize)> {
    let quote = Folded::of(quote).text;
    let quote = quote.trim_matches(|c: char| !c.is_alphanumeric());
    if !words(quote).iter().any(|word| word.class() == Class::Content) || prompt.find(quote).is_some() {
        return None;
    }
    answer.find(quote)
}

/// The spans with one more; sorted, apart from each other.
fn with_span(mut spans: Vec<(usize, usize)>, more: (usize, usize)) -> Vec<(usize, usize)> {
    spans.push(more);
    spans.sort_unstable();
    let mut out: Vec<(usize, usize)> = Vec::with_capacity(spans.len());
    for (from, to) in spans {
        match out.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}

/// A text in lower case, with one blank for any white space and one form of quotation marks and dashes.
struct Folded {
    text: String,
    /// For each byte of `text`, the bytes of the original it stands for.
    from: Vec<(usize, usize)>,
}

impl Folded {
    fn of(original: &str) -> Folded {
        let mut folded =
            Folded { text: String::with_capacity(original.len()), from: Vec::with_capacity(original.len()) };
        for (at, c) in original.char_indices() {
            let range = (at, at + c.len_utf8());
            match c {
                c if c.is_whitespace() => {
                    if !folded.text.is_empty() && !folded.text.ends_with(' ') {
                        folded.push(' ', range);
                    }
                }
                '‘' | '’' | '‛' => folded.push('\'', range),
                '“' | '”' | '„' => folded.push('"', range),
                '‐' | '‑' | '‒' | '–' | '—' => folded.push('-', range),
                c => c.to_lowercase().for_each(|lower| folded.push(lower, range)),
            }
        }
        if folded.text.ends_with(' ') {
            folded.text.pop();
            folded.from.pop();
        }
        folded
    }

    fn push(&mut self, c: char, range: (usize, usize)) {
        self.text.push(c);
        self.from.resize(self.text.len(), range);
    }

    /// Where a folded text stands in the original, as whole words.
    fn find(&self, wanted: &str) -> Option<(usize, usize)> {
        let inside = |before: Option<char>, after: Option<char>| {
            before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)
        };
        let (first, last) = (wanted.chars().next()?, wanted.chars().next_back());
        let found =
            self.text.match_indices(wanted).map(|(start, _)| (start, start + wanted.len())).find(|(start, end)| {
                !inside(self.text[..*start].chars().next_back(), Some(first))
                    && !inside(last, self.text[*end..].chars().next())
            });
        found.map(|(start, end)| (self.from[start].0, self.from[end - 1].1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::bank::{Bank, Source};
    use crate::domain::grade::grade;

    const POINTS: [&str; 3] = ["backend", "lock", "versions"];

    /// Three points (weights 3, 2, 1; the first is required) of which the answer says the first in the authored words.
    fn question() -> Question {
        let template = include_str!("../../tests/fixtures/question.toml");
        let text = ["{topic}", "{n}", "{next}", "{level}"].iter().zip(["tf", "1", "1", "beginner"]);
        let text = text.fold(template.to_owned(), |text, (hole, value)| text.replace(hole, value));
        let text = format!("[topic]\nname = \"tf\"\ntitle = \"TF\"\n\n{text}");
        let (bank, _) = Bank::read(&[&[Source { path: "tf.toml", text: &text }]]).unwrap();
        Question::clone(bank.get("tf-1").unwrap())
    }

    const ANSWER: &str =
        "The backend holds the state.  Only ONE person can’t be\nstopped from applying at a time – older copies stay.";

    fn verdict(finding: Finding, quote: &str) -> Verdict {
        Verdict { finding, quote: quote.to_owned() }
    }

    fn unsure() -> Verdict {
        verdict(Finding::Unsure, "")
    }

    /// The states after the verdicts, who decided them, and the score.
    fn judged(answer: &str, verdicts: &[Verdict]) -> (Vec<PointState>, Vec<Decider>, u8, Grade) {
        let question = question();
        let mut grade = grade(&question, answer);
        apply(&question, answer, verdicts, &mut grade);
        let states = grade.points.iter().map(|point| point.state).collect();
        (states, grade.points.iter().map(|point| point.by).collect(), grade.score, grade)
    }

    use Decider::{Grader, Judge};
    use Finding::{Met, Unmet};
    use PointState::{Contradicted, Covered, Missing, Unclear};

    #[test]
    fn met_lifts_a_missing_point_and_underlines_what_was_quoted() {
        let quote = "only one person can't be stopped from applying at a time - older";
        let (states, by, score, grade) = judged(ANSWER, &[unsure(), verdict(Met, quote), unsure()]);
        assert_eq!(states, [Covered, Covered, Missing]);
        assert_eq!(by, [Grader, Judge, Grader]);
        assert_eq!(score, 83, "five of six sixths");
        let (from, to) = grade.points[1].spans[0];
        assert_eq!(&ANSWER[from..to], "Only ONE person can’t be\nstopped from applying at a time – older");
        assert_eq!(grade.points[1].missing, None);
    }

    #[test]
    fn unmet_lowers_a_covered_point_to_unclear_and_no_further() {
        let (states, by, score, _) =
            judged(ANSWER, &[verdict(Unmet, "The backend"), verdict(Unmet, "one person"), unsure()]);
        assert_eq!(states, [Unclear, Missing, Missing]);
        assert_eq!(by, [Judge, Grader, Grader]);
        assert_eq!(score, 25, "half of three sixths");
    }

    #[test]
    fn a_quote_that_does_not_stand_in_the_answer_counts_for_nothing() {
        let offline = judged(ANSWER, &[unsure(), unsure(), unsure()]);
        for quote in [
            "",
            " .. ",
            "a lock stops two writers",
            // Parts of words, and words that say nothing.
            "ackend holds the stat",
            "older cop",
            "at a",
            "the",
            // Changed by a word, joined over what lies between.
            "only one person can be stopped",
            "The backend older copies",
        ] {
            for finding in [Met, Unmet] {
                let verdicts = [verdict(finding, quote), verdict(finding, quote), verdict(finding, quote)];
                assert_eq!(judged(ANSWER, &verdicts), offline, "{quote:?}");
            }
        }
    }

    #[test]
    fn the_question_quoted_back_is_no_evidence() {
        let answer = "Who keeps the state? I would like to know.";
        let verdicts = POINTS.map(|_| verdict(Met, "who keeps the state"));
        assert!(judged(answer, &verdicts).0.iter().all(|state| *state == Missing));
    }

    #[test]
    fn quotation_marks_and_dots_around_a_quote_do_no_harm() {
        for quote in ["\"older copies stay.\"", "…older  copies STAY…", "“older copies stay”"] {
            assert_eq!(judged(ANSWER, &[unsure(), unsure(), verdict(Met, quote)]).0[2], Covered, "{quote}");
        }
    }

    #[test]
    fn contradictions_and_rulings_stand() {
        let question = question();
        let mut grade = grade(&question, ANSWER);
        grade.points[0].by = Decider::Ruling;
        grade.points[1].state = Contradicted;
        let before = grade.clone();
        let verdicts = [verdict(Unmet, "The backend"), verdict(Met, "one person"), unsure()];
        assert!(!apply(&question, ANSWER, &verdicts, &mut grade));
        assert_eq!(grade, before);
        grade.points[2].by = Decider::Ruling;
        assert!(!may_be_judged(&grade));
        assert!(may_be_judged(&before));
    }

    #[test]
    fn verdicts_of_another_number_of_points_count_for_nothing() {
        let offline = judged(ANSWER, &[unsure(), unsure(), unsure()]);
        assert_eq!(judged(ANSWER, &[unsure(), verdict(Met, "one person")]), offline);
        assert_eq!(judged(ANSWER, &[]), offline);
    }

    #[test]
    fn the_same_answer_has_the_same_key_whatever_its_case_and_white_space() {
        let key = case_key("q", "m", "The  Backend\n");
        assert_eq!(key, case_key("q", "m", "the backend"));
        for other in
            [case_key("r", "m", "the backend"), case_key("q", "n", "the backend"), case_key("q", "m", "the back end")]
        {
            assert_ne!(key, other);
        }
    }

    #[test]
    fn spans_stay_sorted_and_apart() {
        assert_eq!(with_span(vec![(2, 4), (9, 12)], (3, 9)), [(2, 12)]);
        assert_eq!(with_span(vec![(5, 6)], (1, 2)), [(1, 2), (5, 6)]);
    }

    #[test]
    fn letters_that_grow_in_lower_case_keep_their_place() {
        let answer = "İİ Straße: older copies";
        let (from, to) = Folded::of(answer).find("older copies").unwrap();
        assert_eq!(&answer[from..to], "older copies");
    }
}
