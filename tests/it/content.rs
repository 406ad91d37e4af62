//! The banks that ship: readable, without errors, complete for their topics, and in our own words.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use drillbot::config::Content;
use drillbot::content;
use drillbot::domain::bank::{Bank, Severity};
use drillbot::domain::lint::lint;

/// Topics that the embedded banks cover as a whole.
const TOPICS: &[&str] = &["iam", "eks", "terraform"];

fn embedded() -> Bank {
    let (bank, warnings) =
        content::load(&Content { embedded: true, paths: Vec::new() }).expect("the banks can be read");
    assert!(warnings.is_empty(), "{warnings:#?}");
    bank
}

#[test]
fn the_embedded_banks_have_no_lint_errors() {
    let bank = embedded();
    let problems = lint(&bank, jiff::civil::date(2026, 11, 21));
    let errors: Vec<String> =
        problems.iter().filter(|problem| problem.severity == Severity::Error).map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(bank.questions().len() >= 23);
}

#[test]
fn every_question_can_be_asked_with_four_options_and_three_hints() {
    for question in embedded().questions() {
        let choice = question.choice.as_ref().unwrap_or_else(|| panic!("{} has no choice", question.id));
        assert_eq!(choice.options.len(), 4, "{}", question.id);
        assert_eq!(choice.options.iter().filter(|option| option.correct).count(), 1, "{}", question.id);
        assert_eq!(question.hints.len(), 3, "{}", question.id);
    }
}

#[test]
fn every_bank_file_of_the_folder_is_embedded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("content");
    let (files, _) = content::load(&Content { embedded: false, paths: vec![folder] }).expect("the folder can be read");
    assert_eq!(files.revision(), embedded().revision());
}

/// The plan of what the banks must cover, when it lies beside the project: rows of tab-separated columns under a head.
fn plan(name: &str) -> Option<Vec<HashMap<String, String>>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/content").join(name);
    let text = std::fs::read_to_string(path).ok()?;
    let mut lines = text.lines();
    let head: Vec<String> = lines.next()?.split('\t').map(str::to_owned).collect();
    let row = |line: &str| head.iter().cloned().zip(line.split('\t').map(str::to_owned)).collect();
    Some(lines.map(row).collect())
}

#[test]
fn the_banks_cover_their_topics_of_the_plan() {
    let Some(rows) = plan("coverage.tsv") else { return };
    let bank = embedded();
    let wanted: Vec<_> = rows.iter().filter(|row| TOPICS.contains(&row["topic"].as_str())).collect();
    assert!(wanted.len() >= 23, "the plan has lost rows");
    for row in wanted {
        let question = bank.get(&row["id"]).unwrap_or_else(|| panic!("{} is missing", row["id"]));
        assert_eq!(question.topic, row["topic"], "{}", row["id"]);
        assert_eq!(question.level.as_str(), row["level"], "{}", row["id"]);
    }
}

/// The six-word runs of a text.
fn runs(text: &str) -> HashSet<String> {
    let words: Vec<String> = text
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.windows(6).map(|run| run.join(" ")).collect()
}

#[test]
fn no_sentence_of_the_plan_was_copied() {
    let (Some(coverage), Some(facts)) = (plan("coverage.tsv"), plan("factcheck.tsv")) else { return };
    let source: HashSet<String> =
        coverage.iter().chain(&facts).flat_map(|row| row.values()).flat_map(|text| runs(text)).collect();
    for question in embedded().questions() {
        let mut texts = vec![question.prompt.clone(), question.model_answer.clone()];
        texts.extend(question.key_points.iter().map(|point| point.text.clone()));
        texts.extend(question.mistakes.iter().flat_map(|mistake| [mistake.wrong.clone(), mistake.right.clone()]));
        texts.extend(question.hints.iter().cloned());
        for text in texts {
            let shared: Vec<String> = runs(&text).into_iter().filter(|run| source.contains(run)).collect();
            assert!(shared.is_empty(), "{}: {shared:?}", question.id);
        }
    }
}
