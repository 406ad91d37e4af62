//! Checks a bank that can be read: whether each question keeps the rules of docs/BANKS.md, whether the grader agrees with
//! its author, and whether the bank as a whole gives its answers away. What must be is an error, what should be a warning.

use std::collections::{BTreeMap, HashSet};

use jiff::civil::Date;

use super::bank::{Bank, Problem, Severity};
use super::grade::text::{Class, stem, words};
use super::grade::{PointState, Rubric};
use super::question::{Choice, KeyPoint, Kind, Question};

const PROMPT_CHARS: usize = 280;
const NUDGE_CHARS: usize = 90;
const POINT_CHARS: usize = 120;
const MODEL_WORDS: std::ops::RangeInclusive<usize> = 150..=300;
/// What a model answer must reach with the grader of this program.
const MODEL_SCORE: u8 = 95;
/// What the prompt and the misconceptions must stay under.
const EMPTY_SCORE: u8 = 25;
/// From how many questions on the bank's choices are looked at together.
const MANY_CHOICES: usize = 12;
/// A quarter would be chance.
const LONGEST_PERCENT: usize = 45;

/// Everything that is wrong in a bank, in the order of its files.
pub fn lint(bank: &Bank, today: Date) -> Vec<Problem> {
    let mut problems = Vec::new();
    for question in bank.questions() {
        let mut desk = Desk { bank, question, problems: &mut problems };
        desk.names();
        desk.prompt();
        desk.key_points();
        desk.model_answer();
        desk.help();
        desk.links(today);
        if let Some(choice) = &question.choice {
            desk.choice(choice);
        } else if matches!(question.kind, Kind::Concept | Kind::Compare) {
            desk.should("choice", "is missing; a concept or a comparison can be asked with four options too");
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
    tracks(bank, &mut problems);
    choices(bank, &mut problems);
    problems.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    problems
}

fn has_terms(point: &KeyPoint) -> bool {
    !point.all_of.is_empty() || !point.alt.is_empty()
}

/// One question on the desk, and the pile of notes about it.
struct Desk<'a> {
    bank: &'a Bank,
    question: &'a Question,
    problems: &'a mut Vec<Problem>,
}

impl Desk<'_> {
    fn must(&mut self, field: &str, message: impl AsRef<str>) {
        self.note(Severity::Error, field, message.as_ref());
    }

    fn should(&mut self, field: &str, message: impl AsRef<str>) {
        self.note(Severity::Warning, field, message.as_ref());
    }

    fn note(&mut self, severity: Severity, field: &str, message: &str) {
        let id = self.question.id.as_str();
        let (path, line) = self.bank.line_of_field(id, field).unwrap_or_default();
        let message = format!("question `{id}`: {field} {message}");
        self.problems.push(Problem { path: path.to_owned(), line, message, severity });
    }

    fn names(&mut self) {
        let question = self.question;
        if !is_kebab(question.id.as_str()) {
            self.must("id", "is not kebab-case; use lower-case letters, digits and single hyphens, as in iam-passrole");
        }
        if question.version == 0 {
            self.must("version", "is 0; begin with 1");
        }
        if !is_kebab(&question.topic) {
            self.must("topic", format!("`{}` is not kebab-case", question.topic));
        }
        if !(1..=3).contains(&question.tracks.len()) {
            self.must("tracks", format!("names {} tracks; name one to three", question.tracks.len()));
        }
        for (index, track) in question.tracks.iter().enumerate().filter(|(_, track)| !is_kebab(track)) {
            self.must(&format!("tracks[{index}]"), format!("`{track}` is not kebab-case"));
        }
        for (index, tag) in question.tags.iter().enumerate().filter(|(_, tag)| !is_kebab(tag)) {
            self.should(&format!("tags[{index}]"), format!("`{tag}` is not kebab-case"));
        }
    }

    fn prompt(&mut self) {
        let prompt = self.question.prompt.trim();
        self.length("prompt", prompt, PROMPT_CHARS);
        if !prompt.ends_with(['?', '.']) {
            self.must("prompt", "does not end in `?` or `.`");
        }
        if let Some(nudge) = &self.question.nudge
            && nudge.chars().count() > NUDGE_CHARS
        {
            self.should("nudge", format!("has {} characters; at most {NUDGE_CHARS}", nudge.chars().count()));
        }
    }

    fn length(&mut self, field: &str, text: &str, most: usize) {
        let length = text.chars().count();
        if text.trim().is_empty() {
            self.must(field, "is empty");
        } else if length > most {
            self.must(field, format!("has {length} characters; shorten it to {most}"));
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
            self.length(&format!("key_points[{index}].text"), &point.text, POINT_CHARS);
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
        if !(1..=3).contains(&question.mistakes.len()) {
            let count = question.mistakes.len();
            self.should("mistakes", format!("lists {count} mistakes; list one to three, each with its correction"));
        }
        if question.hints.len() != 3 {
            let count = question.hints.len();
            self.should("hints", format!("has {count} steps; give three: how to think, where to look, one key point"));
        }
    }

    fn links(&mut self, today: Date) {
        let question = self.question;
        if question.references.is_empty() && question.kind != Kind::Behavioural {
            self.should("references", "is empty; name the official page first");
        }
        for (index, link) in question.references.iter().enumerate() {
            let host = link.strip_prefix("https://").and_then(|rest| rest.split('/').next());
            if !host.is_some_and(|host| host.contains('.') && !host.contains(char::is_whitespace)) {
                self.must(&format!("references[{index}]"), format!("`{link}` is not an https address"));
            }
        }
        if question.last_reviewed > today {
            self.should("last_reviewed", format!("is {}, which has not come yet", question.last_reviewed));
        }
        let days = jiff::Span::new().try_days(question.review_after_days);
        match days.and_then(|days| question.last_reviewed.checked_add(days)) {
            Ok(due) if due < today => {
                let message = format!("has passed: due since {due}; check the facts and set the date of today");
                self.should("last_reviewed", message);
            }
            _ => {}
        }
        if !matches!(question.review_after_days, 180 | 720) {
            let message = "is neither 180 (facts that change) nor 720 (facts that stay)";
            self.should("review_after_days", message);
        }
        self.follow_ups();
    }

    fn follow_ups(&mut self) {
        let (bank, question) = (self.bank, self.question);
        if !(2..=3).contains(&question.follow_ups.len()) {
            let count = question.follow_ups.len();
            self.should("follow_ups", format!("lists {count} questions; two or three make a path through the bank"));
        }
        for (index, id) in question.follow_ups.iter().enumerate() {
            let field = format!("follow_ups[{index}]");
            match bank.get(id) {
                _ if id == question.id.as_str() => self.must(&field, "is the question itself"),
                None if !is_kebab(id) => self.must(&field, format!("`{id}` is not the id of a question")),
                None => self.should(&field, format!("`{id}` is not in the bank yet")),
                // Said once for the two of them.
                Some(next)
                    if next.id > question.id && next.follow_ups.iter().any(|id| *id == *question.id.as_str()) =>
                {
                    self.should(&field, format!("`{id}` leads back here; drop one of the two"));
                }
                Some(_) => {}
            }
        }
    }

    fn choice(&mut self, choice: &Choice) {
        self.length("choice.stem", &choice.stem, PROMPT_CHARS);
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
                self.note(severity, &field, &message);
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

/// A track that one question has and that looks like one that many have.
fn tracks(bank: &Bank, problems: &mut Vec<Problem>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for track in bank.questions().iter().flat_map(|question| &question.tracks) {
        *counts.entry(track).or_default() += 1;
    }
    for question in bank.questions() {
        for (index, track) in question.tracks.iter().enumerate().filter(|(_, track)| counts[track.as_str()] == 1) {
            let meant = counts.iter().find(|(known, count)| **count > 2 && strsim::osa_distance(known, track) <= 2);
            if let Some((meant, _)) = meant {
                let message = format!("`{track}` is the only one of this name; did you mean `{meant}`?");
                Desk { bank, question, problems }.should(&format!("tracks[{index}]"), message);
            }
        }
    }
}

/// What gives the correct options of the whole bank away.
fn choices(bank: &Bank, problems: &mut Vec<Problem>) {
    let mut longest: Vec<&Question> = Vec::new();
    let mut places = HashSet::new();
    let mut all: Vec<&Question> = Vec::new();
    for question in bank.questions() {
        let Some(choice) = &question.choice else { continue };
        let Some(correct) = choice.options.iter().position(|option| option.correct) else { continue };
        let length = |index: usize| choice.options[index].text.trim().chars().count();
        if (0..choice.options.len()).all(|other| other == correct || length(other) < length(correct)) {
            longest.push(question);
        }
        places.insert(correct);
        all.push(question);
    }
    if all.len() < MANY_CHOICES {
        return;
    }
    if longest.len() * 100 > all.len() * LONGEST_PERCENT {
        let ids: Vec<&str> = longest.iter().map(|question| question.id.as_str()).collect();
        let message = format!(
            "has the longest text at the correct option, like {} of {} questions of the bank, where a quarter is chance; lengthen a wrong option in some of: {}",
            longest.len(),
            all.len(),
            ids.join(", ")
        );
        Desk { bank, question: longest[0], problems }.should("choice.options", message);
    }
    if let (1, Some(place)) = (places.len(), places.iter().next()) {
        let message = format!(
            "has the correct one at number {}, as all {} questions of the bank; mix them",
            place + 1,
            all.len()
        );
        Desk { bank, question: all[0], problems }.should("choice.options", message);
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
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::bank::tests::{EXAMPLE, read};

    const TODAY: Date = date(2026, 11, 30);

    fn problems(text: &str) -> Vec<String> {
        lint(&read(text).0, TODAY).into_iter().map(|problem| format!("{:?} {problem}", problem.severity)).collect()
    }

    /// Rewrites the example and expects these problems beyond those it has, by their beginnings.
    #[track_caller]
    fn check(changes: &[(&str, &str)], expect: &[&str]) {
        let text = changes.iter().fold(EXAMPLE.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from:?}");
            text.replacen(from, to, 1)
        });
        let known: HashSet<String> = problems(EXAMPLE).iter().map(|problem| without_place(problem)).collect();
        let found: Vec<String> =
            problems(&text).iter().map(|p| without_place(p)).filter(|problem| !known.contains(problem)).collect();
        let is_met =
            found.len() == expect.len() && found.iter().zip(expect).all(|(found, expect)| found.starts_with(expect));
        assert!(is_met, "{changes:?}:\n{found:#?}");
    }

    /// Drops path, line and the words that all have.
    fn without_place(problem: &str) -> String {
        let (severity, rest) = problem.split_once(' ').unwrap_or_default();
        let message = rest.split_once("`: ").map_or(rest, |(_, message)| message);
        format!("{severity} {message}")
    }

    #[test]
    fn the_example_keeps_the_rules() {
        assert_eq!(
            problems(EXAMPLE),
            [
                "Warning bank.toml:30: question `tf-cfn-locking`: follow_ups[0] `tf-lock-or-conflict` is not in the bank yet",
                "Warning bank.toml:30: question `tf-cfn-locking`: follow_ups[1] `tf-backend-hardening` is not in the bank yet",
            ]
        );
    }

    #[test]
    fn names_are_kebab_case() {
        check(&[("tf-cfn-locking", "tf_locking")], &["Error id is not kebab-case"]);
        check(&[("tf-cfn-locking", "tf--locking")], &["Error id is not kebab-case"]);
        check(&[("tf-cfn-locking", "2-locking")], &["Error id is not kebab-case"]);
        check(&[("version = 1", "version = 0")], &["Error version is 0"]);
        check(&[("[\"devops\"]", "[]")], &["Error tracks names 0 tracks"]);
        check(
            &[("[\"devops\"]", "[\"a\", \"b\", \"c\", \"D\"]")],
            &["Error tracks names 4 tracks", "Error tracks[3] `D`"],
        );
        check(&[("[\"cloudformation\"", "[\"CloudFormation\"")], &["Warning tags[0] `CloudFormation`"]);
        check(
            &[("topic = \"terraform\"", "topic = \"Terra form\""), ("name = \"terraform\"", "name = \"Terra form\"")],
            &["Error topic `Terra form`"],
        );
    }

    #[test]
    fn a_prompt_is_short_and_ends_like_one() {
        check(&[("in Terraform?", "in Terraform")], &["Error prompt does not end"]);
        check(&[("in Terraform?", "in Terraform.")], &[]);
        check(
            &[("Who prevents", &format!("Who {}prevents", "really ".repeat(40)))],
            &["Error prompt has 353 characters"],
        );
        check(&[("the same minute.", &"the same minute. ".repeat(4))], &["Warning nudge has 98 characters"]);
    }

    #[test]
    fn a_prompt_does_not_hold_the_answer() {
        check(
            &[("Who prevents", "Who or which tflock prevents")],
            &["Error key_points[1].all_of[0] is the core group, and the prompt already says tflock"],
        );
        check(
            &[("Who prevents", "Is DynamoDB a dynamo, the DDB, and who prevents")],
            &["Error key_points[2].all_of[0] has only words of the prompt"],
        );
        // A word of another group may be in the prompt: alone it proves nothing.
        check(&[("Who prevents", "Who, old or new, prevents")], &[]);
    }

    #[test]
    fn key_points_are_few_short_and_weighed() {
        check(&[("weight = 3", "weight = 2")], &["Error key_points has no point of weight 3"]);
        check(&[("weight = 2", "weight = 4")], &["Error key_points[1].weight is 4"]);
        check(&[("weight = 2", "weight = 0")], &["Error key_points[1].weight is 0"]);
        check(
            &[("by conditional put", &"by conditional put".repeat(4))],
            &["Error key_points[1].text has 122 characters"],
        );
        check(
            &[("S3 backend with use_lockfile writes a lock object by conditional put", " ")],
            &["Error key_points[1].text is empty"],
        );
        let start = EXAMPLE.find("[[question.key_points]]\ntext = \"The Dyn").unwrap_or_default();
        let end = EXAMPLE.find("[question.choice]").unwrap_or_default();
        check(
            &[(&EXAMPLE[start..end], ""), ("[1, 1, 1]", "[1, 1]"), ("[0, 0, 0]", "[0, 0]"), ("[0, 1, 0]", "[0, 1]")],
            &["Error key_points has 2 points"],
        );
    }

    #[test]
    fn each_group_has_three_words_to_choose_from() {
        check(
            &[("[\"dynamodb\", \"dynamo\", \"ddb\"]", "[\"dynamodb\", \"ddb\"]")],
            &["Error key_points[2].all_of[0] has 2 of"],
        );
        check(
            &[("[\"dynamodb\", \"dynamo\", \"ddb\"]", "[\"dynamodb\", \"ddb\", \"dynamo db\"]")],
            &["Warning key_points[2].all_of[0] has fewer than three different words"],
        );
        check(
            &[("\"dynamo\",", "\"dynamo\", \"Dynamo\",")],
            &["Warning key_points[2].all_of[0][2] `Dynamo` is there twice"],
        );
        check(&[("\"dynamo\",", "\"dynamo\", \"?!\",")], &["Error key_points[2].all_of[0][2] `?!` has no word"]);
        check(&[("weight = 2", "weight = 2\nneed = 2")], &["Error key_points[1].need is not possible with 1 groups"]);
        check(&[("weight = 2", "weight = 2\nneed = 0")], &["Error key_points[1].need is not possible"]);
        check(&[("weight = 2", "weight = 2\nalt = ['-']")], &["Error key_points[1].alt[0] `-` has no word"]);
    }

    #[test]
    fn the_model_answer_says_every_point() {
        check(
            &[("\"old\", \"older\", \"legacy\", \"deprecated\", \"used to\"", "\"ancient\", \"legacy\", \"former\"")],
            &[
                "Error model_answer is graded 92, at least 95 is needed: key_points[2] is half covered (nothing of all_of[1])",
                "Error key_points[2].all_of[1] is not met by the model answer",
            ],
        );
        let start = EXAMPLE.find("I check that").unwrap_or_default();
        let end = EXAMPLE.find("\"\"\"\nwhy").unwrap_or_default();
        check(&[(&EXAMPLE[start..end], "")], &["Error model_answer has 116 words"]);
        check(
            &[("I check that", &format!("{} I check that", "I check it again. ".repeat(40)))],
            &["Error model_answer has 348 words"],
        );
    }

    #[test]
    fn a_misconception_fires_on_itself_and_not_on_the_model_answer() {
        check(
            &[("must .. dynamodb", "dynamodb .. older")],
            &[
                "Error model_answer is graded 83",
                "Error key_points[2].contradicts fires on the model answer, at `DynamoDB table that\nmany teams still have is the older`",
            ],
        );
        check(&[("must .. dynamodb", " .. ")], &["Error key_points[2].contradicts[1] ` .. ` does not even fire"]);
        check(
            &[("must .. dynamodb", "one operation at a time .. use_lockfile")],
            &["Error key_points[2].contradicts[1] `one operation at a time .. use_lockfile` is graded 42 as an answer"],
        );
    }

    #[test]
    fn samples_are_graded_as_expected() {
        check(
            &[("covered = [0, 1, 0]", "covered = [0, 1, 1]")],
            &[
                "Error samples[2] `S3 with use_lockfile = true; DynamoDB is..` is graded otherwise: key_points[2] is contradicted by `DynamoDB is the recommended` and not 1",
            ],
        );
        check(&[("covered = [0, 1, 0]", "covered = [0, 0.5, 0]")], &["Warning samples[2]"]);
        check(&[("covered = [0, 1, 0]", "covered = [0, 1]")], &["Error samples[2] expects 2 points of 3"]);
        check(&[("covered = [0, 1, 0]", "covered = [0, 0.7, 0]")], &["Error samples[2] expects something else"]);
        check(
            &[("Nobody does, so", "DynamoDB is old, so"), ("covered = [0, 0, 0]", "covered = [0, 0, 1]")],
            &["Error samples has no wrong answer"],
        );
        let start = EXAMPLE.find("[[question.samples]]").unwrap_or_default();
        check(&[(&EXAMPLE[start..], "")], &["Error samples has no wrong answer", "Error samples has no right answer"]);
    }

    #[test]
    fn a_choice_has_four_options_and_one_is_right() {
        check(&[(", correct = true", "")], &["Error choice.options marks 0 as correct"]);
        check(
            &[("text = \"versioning on the bucket\"", "correct = true, text = \"versioning on the bucket\"")],
            &["Error choice.options marks 2"],
        );
        check(
            &[("\"encrypt = true, with KMS\"", "\"versioning on the bucket\"")],
            &["Error choice.options[3] is there twice"],
        );
        check(
            &[("\"encrypt = true, with KMS\"", "\"All of the above\"")],
            &["Error choice.options[3] points at the others"],
        );
        check(
            &[("\"encrypt = true, with KMS\"", "\"encrypt\"")],
            &["Warning choice.options are 7 to 24 characters long"],
        );
        check(
            &[("\"Protects the content and not the order.\"", "\"\"")],
            &["Error choice.options[3] has no `because`"],
        );
        let start = EXAMPLE.find("  { text = \"encrypt").unwrap_or_default();
        let end = EXAMPLE.find("]\n\n[[question.samples]]").unwrap_or_default();
        check(&[(&EXAMPLE[start..end], "")], &["Error choice.options has 3 options"]);
        let start = EXAMPLE.find("[question.choice]").unwrap_or_default();
        let end = EXAMPLE.find("[[question.samples]]").unwrap_or_default();
        check(&[(&EXAMPLE[start..end], "")], &["Warning choice is missing"]);
        check(&[(&EXAMPLE[start..end], ""), ("kind = \"compare\"", "kind = \"scenario\"")], &[]);
    }

    #[test]
    fn help_for_the_reader_should_be_there() {
        check(&[("why = ", "# why = ")], &["Warning why is missing"]);
        check(&[("framework = ", "# framework = ")], &["Warning framework is missing"]);
        check(&[("mistakes = ", "# mistakes = ")], &["Warning mistakes lists 0"]);
        check(&[("  \"Ask yourself where each tool keeps its memory.\",\n", "")], &["Warning hints has 2 steps"]);
        check(
            &[("On S3 a small lock file beside the state does the job.", "Think.")],
            &["Warning hints[2] matches 0 key points"],
        );
        check(&[("On S3 a small lock file", "Not the old DynamoDB, but on S3 a small lock file")], &[]);
        check(
            &[("On S3 a small lock file", "The old DynamoDB is replaced: a small lock file")],
            &["Warning hints[2] matches 2 key points"],
        );
    }

    #[test]
    fn references_are_links_and_dates_are_kept() {
        check(&[("https://developer", "http://developer")], &["Error references[0] `http://"]);
        check(&[("https://developer.hashicorp.com/", "https:///")], &["Error references[0]"]);
        check(
            &[("[\"https://developer.hashicorp.com/terraform/language/backend/s3\"]", "[]")],
            &["Warning references is empty"],
        );
        check(&[("2026-11-21", "2026-06-03")], &[]);
        check(&[("2026-11-21", "2026-06-02")], &["Warning last_reviewed has passed: due since 2026-11-29"]);
        check(&[("2026-11-21", "2026-12-01")], &["Warning last_reviewed is 2026-12-01, which has not come"]);
        check(&[("review_after_days = 180", "review_after_days = 720")], &[]);
        check(
            &[("review_after_days = 180", "review_after_days = 4000000000")],
            &["Warning review_after_days is neither"],
        );
    }

    #[test]
    fn follow_ups_lead_on() {
        check(&[("\"tf-lock-or-conflict\"", "\"tf-cfn-locking\"")], &["Error follow_ups[0] is the question itself"]);
        check(&[("\"tf-lock-or-conflict\"", "\"And then?\"")], &["Error follow_ups[0] `And then?` is not the id"]);
        check(
            &[("\"tf-lock-or-conflict\", ", "")],
            &["Warning follow_ups lists 1", "Warning follow_ups[0] `tf-backend"],
        );
        let other = &EXAMPLE[EXAMPLE.find("[[question]]").unwrap_or_default()..];
        let back = other.replace("tf-cfn-locking", "tf-lock-or-conflict").replacen(
            "\"tf-lock-or-conflict\", ",
            "\"tf-cfn-locking\", ",
            1,
        );
        let back = back.replacen("[\"tf-lock-or-conflict\"", "[\"tf-cfn-locking\"", 1);
        let found = problems(&format!("{EXAMPLE}\n{back}"));
        let cycles = found.iter().filter(|problem| problem.contains("leads back here")).count();
        assert_eq!(cycles, 1, "{found:#?}");
    }

    #[test]
    fn a_draft_is_a_warning() {
        let text = EXAMPLE
            .replace("all_of = ", "# all_of = ")
            .replace("  [\"aws", "# [\"aws")
            .replace("  [\"one", "# [\"one")
            .replace("\n]\n\n[[question.key", "\n\n[[question.key");
        let found = problems(&text);
        assert!(found.iter().any(|p| p.contains("key_points have no terms yet")), "{found:#?}");
        assert!(found.iter().all(|p| p.starts_with("Warning")), "{found:#?}");
        check(
            &[("all_of = [[\"use_lockfile\"", "# [[\"use_lockfile\"")],
            &["Error key_points[1] has no terms while others have"],
        );
    }

    /// A bank of many examples, each changed by its number.
    fn many(count: usize, change: impl Fn(usize, String) -> String) -> Vec<String> {
        let one = &EXAMPLE[EXAMPLE.find("[[question]]").unwrap_or_default()..];
        let all: Vec<String> =
            (0..count).map(|i| change(i, one.replace("tf-cfn-locking", &format!("tf-{i:02}")))).collect();
        problems(&all.join("\n")).into_iter().filter(|problem| !problem.contains("follow_ups")).collect()
    }

    #[test]
    fn the_bank_does_not_give_its_choices_away() {
        let long = |text: String| text.replace("\"use_lockfile = true\"", "\"use_lockfile = true, this\"");
        let moved = |text: String| {
            text.replace(", correct = true", "")
                .replace("\"versioning on the bucket\"", "\"versioning on the bucket\", correct = true")
        };
        // At the same place in all of them.
        let found = many(12, |_, text| text);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(
            found[0].starts_with("Warning bank.toml:1: ") || found[0].contains("number 1, as all 12 questions"),
            "{found:#?}"
        );
        assert_eq!(many(11, |_, text| text), Vec::<String>::new());
        assert_eq!(many(12, |i, text| if i == 3 { moved(text) } else { text }), Vec::<String>::new());
        // The longest in six of thirteen, which is more than 45 %.
        let found = many(13, |i, text| {
            if i == 7 {
                moved(text)
            } else if i < 6 {
                long(text)
            } else {
                text
            }
        });
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].contains("like 6 of 13 questions"), "{found:#?}");
        let found = many(14, |i, text| {
            if i == 7 {
                moved(text)
            } else if i < 6 {
                long(text)
            } else {
                text
            }
        });
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn a_track_that_only_one_question_has_may_be_a_slip() {
        let found = many(4, |i, text| if i == 2 { text.replace("[\"devops\"]", "[\"devop\"]") } else { text });
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(
            found[0].contains("tracks[0] `devop` is the only one of this name; did you mean `devops`?"),
            "{found:#?}"
        );
    }
}
