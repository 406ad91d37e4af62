//! Checks a bank that can be read: whether each question keeps the rules of docs/BANKS.md, whether the grader agrees with
//! its author, and whether the bank as a whole gives its answers away. What must be is an error, what should be a warning.

mod common;
mod scenario;
mod whole;

use std::collections::HashSet;

use jiff::civil::Date;

use super::bank::{Bank, Problem, Severity};
use super::grade::text::{Class, stem, words};
use super::grade::{PointState, Rubric};
use super::ids::QuestionId;
use super::question::{Choice, Exhibit, KeyPoint, Kind, Question, Status};
use common::Common;
pub use common::due;

const PROMPT_CHARS: usize = 280;
const POINT_CHARS: usize = 120;
const ADVICE_WORDS: std::ops::RangeInclusive<usize> = 120..=250;
const STEP_CHARS: usize = 160;
/// What fits on a card beside a prompt, and on a phone without scrolling sideways for ever.
const EXHIBIT_CHARS: usize = 1_200;
const EXHIBIT_LINES: usize = 32;
const EXHIBIT_COLUMNS: usize = 84;
const MODEL_WORDS: std::ops::RangeInclusive<usize> = 150..=300;
/// What a model answer must reach with the grader of this program.
const MODEL_SCORE: u8 = 95;
/// What the prompt and the misconceptions must stay under.
const EMPTY_SCORE: u8 = 25;

/// Everything that is wrong in a bank, in the order of its files.
pub fn lint(bank: &Bank, today: Date) -> Vec<Problem> {
    let mut problems = Vec::new();
    for question in bank.questions() {
        let mut desk = Desk::of(bank, question, &mut problems);
        Common::of_question(question).check(&mut desk.notes, today);
        desk.exhibit();
        desk.key_points();
        desk.model_answer();
        desk.help();
        if let Some(choice) = &question.choice {
            desk.choice(choice);
        } else if matches!(question.kind, Kind::Concept | Kind::Compare) {
            desk.should("choice", "is missing; a concept or a comparison can be asked with four options too");
        }
        if let Some(scenario) = &question.scenario {
            scenario::check(scenario, &mut desk.notes);
        }
        if question.key_points.iter().any(has_terms) {
            desk.terms();
            desk.self_tests();
            desk.samples();
        } else {
            let message =
                "have no terms yet, so answers are graded roughly, by words in common; give each point its `all_of`";
            desk.should("key_points", message);
        }
    }
    for card in bank.cards() {
        let mut notes = Notes { bank, what: "card", id: &card.id, status: card.status, problems: &mut problems };
        Common::of_card(card).check(&mut notes, today);
        let count = card.advice.split_whitespace().count();
        if !ADVICE_WORDS.contains(&count) {
            let (least, most) = (ADVICE_WORDS.start(), ADVICE_WORDS.end());
            notes.must("advice", format!("has {count} words; {least} to {most} are read in two minutes"));
        }
        if !(3..=6).contains(&card.steps.len()) {
            notes.must("steps", format!("has {} steps; give 3 to 6", card.steps.len()));
        }
        for (index, step) in card.steps.iter().enumerate() {
            notes.length(&format!("steps[{index}]"), step, STEP_CHARS);
        }
    }
    whole::check(bank, &mut problems);
    problems.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    problems
}

/// Whether what is laid on the table fits on a card.
fn exhibit_fits(field: &str, exhibit: &Exhibit, notes: &mut Notes<'_>) {
    notes.length(&format!("{field}.name"), &exhibit.name, 60);
    notes.length(&format!("{field}.text"), &exhibit.text, EXHIBIT_CHARS);
    let lines = exhibit.text.trim_end().lines().count();
    if lines > EXHIBIT_LINES {
        notes.must(&format!("{field}.text"), format!("has {lines} lines; show the {EXHIBIT_LINES} that matter"));
    }
    let widest = exhibit.text.lines().map(|line| line.chars().count()).max().unwrap_or_default();
    if widest > EXHIBIT_COLUMNS {
        let message = format!("has a line of {widest} characters; break lines at {EXHIBIT_COLUMNS}");
        notes.should(&format!("{field}.text"), message);
    }
    if exhibit.text.contains("```") {
        notes.must(&format!("{field}.text"), "contains ```, which ends the box that it is shown in; leave it out");
    }
}

fn has_terms(point: &KeyPoint) -> bool {
    !point.all_of.is_empty() || !point.alt.is_empty()
}

/// The notes about one question or card.
struct Notes<'a> {
    bank: &'a Bank,
    what: &'static str,
    id: &'a QuestionId,
    status: Status,
    problems: &'a mut Vec<Problem>,
}

impl Notes<'_> {
    fn must(&mut self, field: &str, message: impl AsRef<str>) {
        self.note(Severity::Error, field, message.as_ref());
    }

    fn should(&mut self, field: &str, message: impl AsRef<str>) {
        self.note(Severity::Warning, field, message.as_ref());
    }

    fn note(&mut self, severity: Severity, field: &str, message: &str) {
        let (what, id) = (self.what, self.id.as_str());
        let (path, line) = self.bank.line_of_field(id, field).unwrap_or_default();
        let message = format!("{what} `{id}`: {field} {message}");
        // A draft is work that somebody has still to do.
        let severity = if self.status == Status::Draft { Severity::Warning } else { severity };
        self.problems.push(Problem { path: path.to_owned(), line, message, severity });
    }

    fn length(&mut self, field: &str, text: &str, most: usize) {
        let length = text.chars().count();
        if text.trim().is_empty() {
            self.must(field, "is empty");
        } else if length > most {
            self.must(field, format!("has {length} characters; shorten it to {most}"));
        }
    }
}

/// One question on the desk, and the pile of notes about it.
struct Desk<'a> {
    bank: &'a Bank,
    question: &'a Question,
    notes: Notes<'a>,
}

impl<'a> Desk<'a> {
    fn of(bank: &'a Bank, question: &'a Question, problems: &'a mut Vec<Problem>) -> Desk<'a> {
        let notes = Notes { bank, what: "question", id: &question.id, status: question.status, problems };
        Desk { bank, question, notes }
    }

    fn must(&mut self, field: &str, message: impl AsRef<str>) {
        self.notes.must(field, message);
    }

    fn should(&mut self, field: &str, message: impl AsRef<str>) {
        self.notes.should(field, message);
    }

    fn exhibit(&mut self) {
        if let Some(exhibit) = &self.question.exhibit {
            exhibit_fits("exhibit", exhibit, &mut self.notes);
        }
    }

    fn key_points(&mut self) {
        let points = &self.question.key_points;
        if !(3..=6).contains(&points.len()) {
            self.must("key_points", format!("has {} points; a question has 3 to 6, one idea each", points.len()));
        }
        if !points.iter().any(|point| point.weight == 3) {
            self.must("key_points", "has no point of weight 3; give it to the one without which the answer is wrong");
        }
        for (index, point) in points.iter().enumerate() {
            self.notes.length(&format!("key_points[{index}].text"), &point.text, POINT_CHARS);
            if !(1..=3).contains(&point.weight) {
                self.must(&format!("key_points[{index}].weight"), format!("is {}; it is 1, 2 or 3", point.weight));
            }
        }
    }

    fn model_answer(&mut self) {
        let count = self.question.model_answer.split_whitespace().count();
        if !MODEL_WORDS.contains(&count) {
            let (least, most) = (MODEL_WORDS.start(), MODEL_WORDS.end());
            let advice =
                if count < *least { "add the reason or one failure mode" } else { "cut what no key point needs" };
            self.must(
                "model_answer",
                format!("has {count} words; {least} to {most} can be spoken in two minutes: {advice}"),
            );
        }
    }

    fn help(&mut self) {
        let question = self.question;
        if question.why.is_none() {
            self.should("why", "is missing; say in one sentence what the interviewer is after");
        }
        if question.framework.is_none() {
            self.should("framework", "is missing; give a skeleton of three to five steps");
        }
        if question.hints.len() != 3 {
            let count = question.hints.len();
            self.should("hints", format!("has {count} steps; give three: how to think, where to look, one key point"));
        }
    }

    fn choice(&mut self, choice: &Choice) {
        self.notes.length("choice.stem", &choice.stem, PROMPT_CHARS);
        if choice.options.len() != 4 {
            self.must("choice.options", format!("has {} options; give four", choice.options.len()));
        }
        let correct = choice.options.iter().filter(|option| option.correct).count();
        if correct != 1 {
            self.must("choice.options", format!("marks {correct} as correct; mark one"));
        }
        let mut seen = HashSet::new();
        for (index, option) in choice.options.iter().enumerate() {
            let field = format!("choice.options[{index}]");
            if option.text.trim().is_empty() {
                self.must(&field, "has no text");
            }
            if option.because.trim().is_empty() {
                self.must(&field, "has no `because`; say why it is right or wrong");
            }
            let text = option.text.trim().to_lowercase();
            if text.ends_with("of the above") {
                self.must(&field, "points at the others, which are shuffled; write an option of its own");
            }
            if !seen.insert(text) {
                self.must(&field, "is there twice");
            }
        }
        let length = |text: &str| text.trim().chars().count();
        let shortest = choice.options.iter().map(|option| length(&option.text)).min().unwrap_or_default();
        let longest = choice.options.iter().map(|option| length(&option.text)).max().unwrap_or_default();
        // A factor of 1.6 in whole numbers.
        if longest * 10 > shortest * 16 {
            let message = format!(
                "are {shortest} to {longest} characters long; keep them within a factor of 1.6, so that length gives nothing away"
            );
            self.should("choice.options", message);
        }
    }

    fn terms(&mut self) {
        let question = self.question;
        let rubric = Rubric::of(question, self.bank.lexicon());
        let echoes = rubric.echoes();
        for (index, point) in question.key_points.iter().enumerate() {
            let path = format!("key_points[{index}]");
            if !has_terms(point) {
                self.must(&path, "has no terms while others have; give it its `all_of`");
            }
            if point.need.is_some_and(|need| need == 0 || need > point.all_of.len()) {
                let groups = point.all_of.len();
                self.must(
                    &format!("{path}.need"),
                    format!("is not possible with {groups} groups; leave it out for all of them"),
                );
            }
            for (group, terms) in point.all_of.iter().enumerate() {
                let field = format!("{path}.all_of[{group}]");
                let echoed: Vec<usize> = (0..terms.len())
                    .filter(|nth| echoes.contains(&(index, group, *nth)) && is_content(&terms[*nth]))
                    .collect();
                self.group(&field, terms, &echoed, group == 0);
            }
            for (nth, alternative) in point.alt.iter().enumerate() {
                for term in alternative.terms().filter(|term| words(term).is_empty()) {
                    self.must(&format!("{path}.alt[{nth}]"), format!("`{term}` has no word in it"));
                }
            }
        }
        for (index, group) in rubric.unmet_groups(&question.model_answer) {
            let terms = question.key_points[index].all_of[group].join(", ");
            let message =
                format!("is not met by the model answer; say one of these there, or add the words it uses: {terms}");
            self.must(&format!("key_points[{index}].all_of[{group}]"), message);
        }
    }

    fn group(&mut self, field: &str, terms: &[String], echoed: &[usize], is_core: bool) {
        let mut spelled = HashSet::new();
        let mut different = HashSet::new();
        for (nth, term) in terms.iter().enumerate() {
            let stems: String = words(term).iter().map(|word| stem(&word.text).into_owned()).collect();
            if stems.is_empty() {
                self.must(&format!("{field}[{nth}]"), format!("`{term}` has no word in it"));
            } else if !spelled.insert(term.to_lowercase()) {
                self.should(&format!("{field}[{nth}]"), format!("`{term}` is there twice"));
            }
            different.insert(stems);
        }
        if terms.len() < 3 {
            let message = format!("has {} of three alternatives; add other words that people use for it", terms.len());
            self.must(field, message);
        } else if different.len() < 3 {
            let message =
                "has fewer than three different words, since the grader knows the forms of a word; add others";
            self.should(field, message);
        }
        let said: Vec<&str> = echoed.iter().map(|nth| terms[*nth].as_str()).collect();
        if !terms.is_empty() && said.len() == terms.len() {
            let message = format!("has only words of the prompt, which prove nothing: {}", said.join(", "));
            self.must(field, message);
        } else if is_core && !said.is_empty() {
            let message = format!(
                "is the core group, and the prompt already says {}; drop that, or reword the prompt",
                said.join(", ")
            );
            self.must(field, message);
        }
    }

    /// What the grader makes of texts whose grade is known.
    fn self_tests(&mut self) {
        let question = self.question;
        let rubric = Rubric::of(question, self.bank.lexicon());
        let model = rubric.grade(&question.model_answer);
        for (index, (point, grade)) in question.key_points.iter().zip(&model.points).enumerate() {
            if grade.state == PointState::Contradicted {
                let (start, end) = grade.spans[0];
                let message = format!(
                    "fires on the model answer, at `{}`; narrow the pattern",
                    &question.model_answer[start..end]
                );
                self.must(&format!("key_points[{index}].contradicts"), message);
            }
            for (nth, pattern) in point.contradicts.iter().enumerate() {
                self.contradiction(&rubric, index, nth, pattern);
            }
        }
        if model.score < MODEL_SCORE {
            let weak = model.points.iter().enumerate().filter(|(_, grade)| grade.state != PointState::Covered);
            let weak: Vec<String> =
                weak.map(|(index, grade)| point_in_words(index, grade.state, grade.missing)).collect();
            let message = format!(
                "is graded {}, at least {MODEL_SCORE} is needed: {}; a point counts when its groups are met within two neighbouring sentences",
                model.score,
                weak.join(", ")
            );
            self.must("model_answer", message);
        }
        let prompt = rubric.grade(&question.prompt).score;
        if prompt >= EMPTY_SCORE {
            self.must("prompt", format!("is graded {prompt} as an answer to itself; it must stay under {EMPTY_SCORE}"));
        }
        if let Some(hint) = question.hints.get(2) {
            let grade = rubric.grade(hint);
            let told =
                grade.points.iter().filter(|point| matches!(point.state, PointState::Covered | PointState::Unclear));
            let told = told.count();
            if told != 1 {
                self.should("hints[2]", format!("matches {told} key points; the third hint tells exactly one"));
            }
        }
    }

    fn contradiction(&mut self, rubric: &Rubric, index: usize, nth: usize, pattern: &str) {
        let field = format!("key_points[{index}].contradicts[{nth}]");
        let phrase = pattern.split("..").map(str::trim).collect::<Vec<_>>().join(" ");
        let grade = rubric.grade(&phrase);
        if grade.points[index].state != PointState::Contradicted {
            let message =
                format!("`{pattern}` does not even fire on its own words; use plain words with ` .. ` between them");
            self.must(&field, message);
        }
        if grade.score >= EMPTY_SCORE {
            let message = format!(
                "`{pattern}` is graded {} as an answer; it must stay under {EMPTY_SCORE}: fewer words",
                grade.score
            );
            self.must(&field, message);
        }
    }

    fn samples(&mut self) {
        let question = self.question;
        let rubric = Rubric::of(question, self.bank.lexicon());
        let count = question.key_points.len();
        let is_wrong = |covered: &[f64]| covered.iter().all(|part| *part == 0.0);
        if !question.samples.iter().any(|sample| is_wrong(&sample.covered)) {
            self.must("samples", "has no wrong answer; add one that covers nothing");
        }
        if question.samples.iter().all(|sample| is_wrong(&sample.covered)) {
            self.must("samples", "has no right answer; add a terse one in other words than the model answer");
        }
        for (index, sample) in question.samples.iter().enumerate() {
            let field = format!("samples[{index}]");
            if sample.covered.len() != count {
                let message = format!("expects {} points of {count}; one number a key point", sample.covered.len());
                self.must(&field, message);
                continue;
            }
            if sample.covered.iter().any(|part| ![0.0, 0.5, 1.0].contains(part)) {
                self.must(&field, "expects something else than 0, 0.5 or 1");
                continue;
            }
            let grade = rubric.grade(&sample.text);
            let mut worst = 0.0_f64;
            let mut wrong = Vec::new();
            for (point, (expected, grade)) in sample.covered.iter().zip(&grade.points).enumerate() {
                let got = match grade.state {
                    PointState::Covered => 1.0,
                    PointState::Unclear => 0.5,
                    PointState::Missing | PointState::Contradicted => 0.0,
                };
                if got != *expected {
                    worst = worst.max((got - expected).abs());
                    let words: Vec<&str> = grade.spans.iter().map(|(start, end)| &sample.text[*start..*end]).collect();
                    let by = if words.is_empty() { String::new() } else { format!(" by `{}`", words.join("`, `")) };
                    let state = point_in_words(point, grade.state, grade.missing);
                    wrong.push(format!("{state}{by} and not {expected}"));
                }
            }
            if !wrong.is_empty() {
                let text: String = sample.text.chars().take(40).collect();
                let message = format!("`{text}..` is graded otherwise: {}; add or narrow terms", wrong.join(", "));
                // Half a point is a matter of taste.
                let severity = if worst > 0.5 { Severity::Error } else { Severity::Warning };
                self.notes.note(severity, &field, &message);
            }
        }
    }
}

fn point_in_words(index: usize, state: PointState, missing: Option<usize>) -> String {
    let state = match state {
        PointState::Covered => "covered",
        PointState::Unclear => "half covered",
        PointState::Missing => "missing",
        PointState::Contradicted => "contradicted",
    };
    match missing {
        Some(group) => format!("key_points[{index}] is {state} (nothing of all_of[{group}])"),
        None => format!("key_points[{index}] is {state}"),
    }
}

/// Lower-case letters, digits and single hyphens, with a letter first.
fn is_kebab(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split('-').all(is_part)
}

/// Whether a term says something of its own; "not" and "only" may well be in a prompt.
fn is_content(term: &str) -> bool {
    words(term).iter().any(|word| word.class() == Class::Content)
}

#[cfg(test)]
mod tests;
