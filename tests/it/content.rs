//! The banks that ship: readable, without errors, complete for their topics, and in our own words.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use drillbot::config::Content;
use drillbot::content;
use drillbot::domain::bank::{self, Bank, TopicMatch};
use drillbot::domain::lint::lint;
use drillbot::domain::question::Kind;

fn embedded() -> Bank {
    let (bank, warnings) =
        content::load(&Content { embedded: true, paths: Vec::new() }).expect("the banks can be read");
    assert!(warnings.is_empty(), "{warnings:#?}");
    bank
}

#[test]
fn the_lint_has_nothing_to_say_about_the_embedded_banks() {
    let bank = embedded();
    let problems = lint(&bank, jiff::civil::date(2026, 11, 21));
    assert!(problems.is_empty(), "{:#?}", problems.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert!(bank.questions().len() >= 161 + 10);
    assert_eq!(bank.cards().len(), 7);
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
fn the_banks_cover_the_plan() {
    let Some(rows) = plan("coverage.tsv") else { return };
    let bank = embedded();
    assert!(rows.len() >= 168, "the plan has lost rows");
    for row in rows {
        let id = row["id"].as_str();
        let (topic, level) = match (bank.get(id), bank.cards().find(|card| card.id.as_str() == id)) {
            (Some(question), _) => (&question.topic, question.level),
            (None, Some(card)) => (&card.topic, card.level),
            (None, None) => panic!("{id} is missing"),
        };
        assert_eq!((topic, level.as_str()), (&row["topic"], row["level"].as_str()), "{id}");
    }
}

#[test]
fn incidents_and_designs_can_be_played_and_labs_show_what_is_broken() {
    let bank = embedded();
    let of = |kind: Kind| bank.scenarios().iter().filter(|(question, _)| question.kind == kind).count();
    assert!(of(Kind::Scenario) >= 10 && of(Kind::Design) >= 5, "{} and {}", of(Kind::Scenario), of(Kind::Design));
    let names: HashSet<&str> = bank.scenarios().iter().map(|(_, scenario)| scenario.name.as_str()).collect();
    assert_eq!(names.len(), bank.scenarios().len(), "a name stands for one scenario");
    let labs = bank.questions().iter().filter(|question| question.exhibit.is_some()).count();
    assert!(labs >= 10, "{labs}");
    for word in ["ecs", "k8s", "sg", "lab"] {
        let found = bank.tagged(word).map_or(0, |(_, questions)| questions.len());
        let topic = matches!(bank.find_topic(word), TopicMatch::Exact(_));
        assert!(found > 0 || topic, "{word} finds nothing");
    }
}

#[test]
fn review_dates_of_facts_are_kept() {
    let today = jiff::civil::date(2026, 11, 21);
    for question in embedded().questions() {
        assert!(question.last_reviewed <= today, "{}", question.id);
        assert!(!question.references.is_empty() || question.kind == Kind::Behavioural, "{}", question.id);
    }
}

#[test]
fn the_schema_describes_the_banks_and_refuses_what_is_none() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = std::fs::read_to_string(folder.join("docs/bank.schema.json")).expect("the schema");
    let shipped: serde_json::Value = serde_json::from_str(&shipped).expect("JSON");
    assert_eq!(shipped, bank::schema(), "write it anew: drillbot bank schema > docs/bank.schema.json");
    let schema = jsonschema::validator_for(&shipped).expect("a schema that can be used");
    let as_json = |text: &str| {
        let table: toml::Table = text.parse().expect("TOML");
        json_of(&toml::Value::Table(table))
    };
    let mut files = 0;
    for file in std::fs::read_dir(folder.join("content")).expect("a folder") {
        let path = file.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("a bank");
        let bank = as_json(&text);
        let problems: Vec<String> =
            schema.iter_errors(&bank).map(|error| format!("{} {error}", error.instance_path())).collect();
        assert!(problems.is_empty(), "{}: {problems:#?}", path.display());
        files += 1;
    }
    assert!(files >= 24, "{files}");
    let good = std::fs::read_to_string(folder.join("tests/fixtures/terraform.toml")).expect("a bank");
    assert!(schema.is_valid(&as_json(&good)));
    for (from, to) in [
        ("level = \"intermediate\"", "level = \"expert\""),
        ("weight = 3", "weight = 4"),
        ("weight = 3", "weight = \"3\""),
        ("why = ", "wy = "),
        ("prompt = ", "promt = "),
        ("id = \"tf-cfn-locking\"", "id = \"Tf Cfn\""),
    ] {
        assert!(good.contains(from), "{from}");
        assert!(!schema.is_valid(&as_json(&good.replacen(from, to, 1))), "{to} passes");
    }
}

/// A TOML value as editors check it: dates are text.
fn json_of(value: &toml::Value) -> serde_json::Value {
    match value {
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(items) => items.iter().map(json_of).collect(),
        toml::Value::Table(table) => {
            serde_json::Value::Object(table.iter().map(|(key, value)| (key.clone(), json_of(value))).collect())
        }
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(yes) => (*yes).into(),
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
        if let Some(scenario) = &question.scenario {
            texts.push(scenario.debrief.clone());
            texts.extend(scenario.stages.iter().flat_map(|stage| [stage.situation.clone(), stage.ask.clone()]));
            let turns = scenario.stages.iter().flat_map(|stage| &stage.options);
            texts.extend(turns.flat_map(|turn| [turn.text.clone(), turn.then.clone()]));
        }
        for text in texts {
            let shared: Vec<String> = runs(&text).into_iter().filter(|run| source.contains(run)).collect();
            assert!(shared.is_empty(), "{}: {shared:?}", question.id);
        }
    }
}
