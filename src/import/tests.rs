//! Whole files through the importer.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;

use super::*;
use crate::domain::question::Exhibit;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn json(reading: &Reading) -> Value {
    serde_json::to_value(reading).expect("a reading is JSON")
}

/// Field by field, so that a failure names what differs.
fn differences(path: &str, found: &Value, expected: &Value, out: &mut Vec<String>) {
    match (found, expected) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let none = Value::String("(absent)".to_owned());
                differences(&format!("{path}.{key}"), a.get(key).unwrap_or(&none), b.get(key).unwrap_or(&none), out);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}[{index}]"), a, b, out);
            }
        }
        (a, b) if a == b => {}
        (a, b) => out.push(format!("{path}\n  found    {a}\n  expected {b}")),
    }
}

#[test]
fn the_samples_that_were_read_by_hand_come_out_as_expected() {
    let folder = root().join("../shared/import-samples");
    if !folder.exists() {
        eprintln!("skipped: {} is not there", folder.display());
        return;
    }
    for (name, format) in [
        ("a-mkdocs.md", Format::Mkdocs),
        ("b-qa.txt", Format::Qa),
        ("c-guide.txt", Format::Guide),
        ("d-coach.txt", Format::Coach),
    ] {
        let bytes = std::fs::read(folder.join(name)).expect("a sample");
        let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let expected = std::fs::read_to_string(folder.join(format!("{stem}.expected.json"))).expect("what is expected");
        let expected: Value = serde_json::from_str(&expected).expect("JSON");
        let reading = read(name, &bytes, None).expect("a format that is recognised");
        assert_eq!(reading.format, format, "{name}");
        let mut wrong = Vec::new();
        differences(name, &json(&reading), &expected, &mut wrong);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

pub(super) const SAMPLES: [&str; 15] = [
    "anki.txt",
    "choice.csv",
    "choice.md",
    "coach.txt",
    "details.md",
    "guide.md",
    "guide.txt",
    "mkdocs.md",
    "qa.txt",
    "quiz.gift",
    "red.yaml",
    "table.csv",
    "trivia-base64.json",
    "trivia-url.json",
    "trivia.json",
];

pub(super) fn fixtures() -> PathBuf {
    root().join("tests/fixtures/import")
}

pub(super) fn sample(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().join(name)).expect("a sample")
}

#[test]
fn every_sample_is_recognised_and_read_as_it_was_written() {
    insta::with_settings!({ snapshot_path => fixtures().join("expected"), prepend_module_to_snapshot => false }, {
        for name in SAMPLES {
            let reading = read(name, &sample(name), None).unwrap_or_else(|trouble| panic!("{name}:{trouble}"));
            insta::assert_snapshot!(name.replace('.', "_"), serde_json::to_string_pretty(&reading).expect("JSON"));
        }
    });
}

fn with_line(text: &str, at: usize, line: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.insert(at.min(lines.len()), line);
    lines.join("\n")
}

/// The lines of a text that were counted as something else than a question or a loss.
pub(super) fn counted(reading: &Reading) -> usize {
    let Counted { front_matter, comments, structure, guide } = reading.counted;
    front_matter + comments + structure + guide
}

#[test]
fn a_word_put_anywhere_is_told_or_its_line_is_counted() {
    for name in SAMPLES.iter().filter(|name| !name.ends_with(".json")) {
        let decoded = decode::decode(&sample(name)).expect("text").text;
        let format = detect::detect(name, &decoded).expect("a format");
        let plain = read(name, decoded.as_bytes(), Some(format)).expect("a sample");
        for at in 0..=decoded.lines().count() {
            for indent in ["", "    ", "  "] {
                let text = with_line(&decoded, at, &format!("{indent}zebra stripes"));
                match read(name, text.as_bytes(), Some(format)) {
                    // A file that is refused as a whole is not read silently.
                    Err(_) => {}
                    Ok(reading) => {
                        let told = json(&reading).to_string().contains("zebra");
                        let more = counted(&reading) > counted(&plain);
                        assert!(told || more, "{name}:{}: a line with {indent:?} is lost\n{text}", at + 1);
                    }
                }
            }
        }
    }
}

pub(super) fn about(source: &str) -> draft::About {
    draft::About {
        source: source.to_owned(),
        unit: "line",
        licence: "CC0".to_owned(),
        topic: None,
        today: jiff::civil::date(2026, 11, 22),
    }
}

fn shipped() -> &'static crate::domain::bank::Bank {
    static BANK: LazyLock<crate::domain::bank::Bank> = LazyLock::new(|| {
        let content = crate::config::Content { embedded: true, paths: Vec::new() };
        crate::content::load(&content).expect("the banks that ship").0
    });
    &BANK
}

pub(super) fn bank_of(text: &str) -> crate::domain::bank::Bank {
    let source = [crate::domain::bank::Source { path: "drafts.toml", text }];
    crate::domain::bank::Bank::read(&[&source]).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}")).0
}

#[test]
fn drafts_load_as_a_bank_and_can_be_graded() {
    for name in SAMPLES {
        let reading = read(name, &sample(name), None).expect("a sample");
        let mut desk = merge::Desk::new(shipped().clone(), &[]).expect("nothing is there yet");
        let plan = desk.merge(&reading, &about(name), "drafts.toml", None).expect("drafts");
        assert_eq!(plan.added.len() + plan.duplicates.len(), reading.questions.len(), "{name}");
        let bank = bank_of(plan.text.as_deref().expect("something to write"));
        assert_eq!(bank.questions().len(), plan.added.len(), "{name}");
        for question in bank.questions() {
            assert_eq!(question.status, crate::domain::question::Status::Draft);
            assert!(question.source.as_deref().is_some_and(|source| source.starts_with(&format!("{name}, line "))));
            assert_eq!(question.licence.as_deref(), Some("CC0"));
            assert!(question.key_points.len() <= 6);
            assert!(question.key_points.iter().all(|point| point.text.chars().count() <= 120));
            let grade = bank.grade(question, &question.model_answer);
            let empty = bank.grade(question, "no idea");
            if question.key_points.len() > 2 {
                assert!(grade.score > empty.score, "{}: {} and {}", question.id, grade.score, empty.score);
            }
        }
    }
}

#[test]
fn the_toml_of_a_draft_is_pleasant_to_read() {
    let reading = read("mkdocs.md", &sample("mkdocs.md"), None).expect("a sample");
    let mut desk = merge::Desk::new(shipped().clone(), &[]).expect("nothing is there yet");
    let plan = desk.merge(&reading, &about("mkdocs.md"), "drafts.toml", None).expect("drafts");
    insta::with_settings!({ snapshot_path => fixtures().join("expected"), prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("mkdocs_toml", plan.text.unwrap_or_default());
    });
}

/// Imports a text over what is there.
fn again(text: &str, old: Option<&str>) -> merge::Plan {
    let reading = read("list.txt", text.as_bytes(), Some(Format::Qa)).expect("a list");
    let files: Vec<(String, String)> = old.map(|old| ("list.toml".to_owned(), old.to_owned())).into_iter().collect();
    let mut desk = merge::Desk::new(shipped().clone(), &files).expect("a folder of drafts");
    desk.merge(&reading, &about("list.txt"), "list.toml", old).expect("drafts")
}

const LIST: &str = "Q1: Why does a deployment keep old replica sets?\nA: For a way back. It can roll back to them.\n\n\
                    Q2: What is the use of a bastion host?\nA: One door that is watched.\n\n\
                    Q3: How do you rotate a database password?\nA: With two users in turn.\n";

#[test]
fn a_second_import_changes_nothing() {
    let first = again(LIST, None);
    assert_eq!(first.added, ["why-deployment-keep-old-replica-sets", "use-bastion-host", "rotate-database-password"]);
    let text = first.text.expect("drafts");
    let second = again(LIST, Some(&text));
    assert_eq!((second.text, second.unchanged), (None, first.added));
}

#[test]
fn a_corrected_file_keeps_ids_and_what_an_author_has_done() {
    let text = again(LIST, None).text.expect("drafts");
    // One is finished, one is half done, and above the third somebody noted something.
    let text = text
        .replacen("status = \"draft\"", "status = \"current\"", 1)
        .replace("One door that is watched.", "One door that is watched, and locked.")
        .replace("[[question]]\n# imported", "# mine\n[[question]]\n# imported");
    let corrected = LIST
        .replace("Why does a deployment keep", "For what reason does a deployment keep")
        .replace("use of a bastion host", "purpose of a bastion host")
        .replace("rotate a database password?", "rotate the password of a database user?")
        .replace("two users", "two users, each")
        + "\nQ4: What is new here?\nA: This one.\n";
    let plan = again(&format!("An introduction.\n\n{corrected}"), Some(&text));
    assert_eq!(plan.updated, ["rotate-database-password"]);
    let left: Vec<(&str, &str)> = plan.left_alone.iter().map(|left| (left.id.as_str(), left.why.as_str())).collect();
    let expected =
        [("why-deployment-keep-old-replica-sets", "its status is current"), ("use-bastion-host", "it has been edited")];
    assert_eq!(left, expected);
    assert_eq!(plan.added, ["new-here"]);
    let new = plan.text.expect("a change");
    assert_eq!(new.matches("# mine\n").count(), 3, "comments stay:\n{new}");
    assert!(new.contains("watched, and locked.") && !new.contains("purpose of a bastion"), "{new}");
    let bank = bank_of(&new);
    let question = bank.get("rotate-database-password").expect("it kept its id");
    assert_eq!(question.prompt, "How do you rotate the password of a database user?");
    assert_eq!(question.source.as_deref(), Some("list.txt, line 9"));
    // And so on, for ever.
    assert_eq!(again(&format!("An introduction.\n\n{corrected}"), Some(&new)).text, None);
}

#[test]
fn what_left_the_source_stays_and_is_told() {
    let text = again(LIST, None).text.expect("drafts");
    let (shorter, _) = LIST.split_once("Q3").expect("three questions");
    let plan = again(shorter, Some(&text));
    assert_eq!((plan.gone, plan.text), (vec!["rotate-database-password".to_owned()], None));
}

#[test]
fn duplicates_are_told_and_not_written_twice() {
    let prompt = &shipped().questions()[0].prompt.clone();
    let slip = "What is the use of a bastoin host?";
    let list = format!(
        "{LIST}\nQ4: {slip}\nA: A door.\n\nQ5: {prompt}\nA: So.\n\nQ6: What is the use of a bastion host in subnet 2?\nA: x\n\nQ7: What is the use of a bastion host in subnets?\nA: y\n"
    );
    let plan = again(&list, None);
    let found: Vec<(usize, &str)> = plan.duplicates.iter().map(|one| (one.line, one.of.as_str())).collect();
    assert_eq!(found, [(10, "use-bastion-host"), (13, shipped().questions()[0].id.as_str())]);
    assert_eq!(plan.added.len(), 5);
}

#[test]
fn a_broken_file_of_drafts_is_not_overwritten() {
    let files = [("list.toml".to_owned(), "[[question]\n".to_owned())];
    let (path, trouble) = merge::Desk::new(shipped().clone(), &files).err().expect("it cannot be read");
    assert_eq!((path.as_str(), trouble.line), ("list.toml", 1));
    assert!(trouble.message.contains("correct it first"), "{trouble}");
}

#[test]
fn bad_input_is_refused_with_a_reason() {
    let refused = |name: &str, bytes: &[u8], line: usize, part: &str| {
        let trouble = read(name, bytes, None).expect_err(part);
        assert!(trouble.line == line && trouble.message.contains(part), "{name}:{trouble}");
    };
    refused("a.txt", b"", 1, "empty");
    refused("a.txt", b" \r\n\t\n", 1, "empty");
    refused("a.md", &vec![b'x'; decode::MAX_BYTES + 1], 1, "larger than 20 MB");
    refused("a.txt", b"text\nmore\0text", 2, "binary");
    refused("a.txt", b"%PDF-1.7 ...", 1, "PDF");
    refused("a.docx", b"PK\x03\x04...", 1, "zip archive");
    refused("a.txt", b"Just words.\nAnd more.", 1, "--format");
    refused("a.json", b"{\n\"results\": [\n{]}", 3, "not JSON");
    refused("a.json", b"{\"response_code\": 5, \"results\": []}", 1, "response_code 5");
    refused("a.json", "[".repeat(100_000).as_bytes(), 1, "recursion");
    refused("a.yaml", b"What?:\n- a\n- 'b\n", 3, "not YAML");
    refused("a.yaml", format!("What?:\n- {}", "[".repeat(5000)).as_bytes(), 2, "recursion limit");
    refused("a.yaml", format!("What?:\n- {}", "[".repeat(40)).as_bytes(), 2, "deep");
    refused("a.csv", b"name,age\nx,3\n", 1, "question");
    refused("a.txt", b"#separator:magic\nx\ty\n", 1, "magic");
}

#[test]
fn aliases_that_multiply_are_never_followed() {
    let mut text = "What is a?: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, before) in ('b'..='z').zip('a'..) {
        text += &format!("What is {name}?: &{name} [{}]\n", vec![format!("*{before}"); 9].join(", "));
    }
    let reading = read("bomb.yaml", text.as_bytes(), None).expect("a list");
    assert_eq!(reading.questions.len(), 1);
    assert_eq!(reading.skipped.iter().filter(|one| one.reason == "yaml-alias").count(), 25);
}

#[test]
fn line_ends_and_code_pages_make_no_difference() {
    let text = LIST.replace("watched.", "watched – “always”.");
    let plain = read("a.txt", text.as_bytes(), None).expect("a list");
    let crlf = text.replace('\n', "\r\n");
    let old = text.replace('\n', "\r");
    let marked = format!("\u{feff}{text}");
    let utf16 = |big: bool, mark: bool| -> Vec<u8> {
        let unit = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        let text = if mark { marked.as_str() } else { text.as_str() };
        text.encode_utf16().flat_map(unit).collect()
    };
    for bytes in [
        crlf.into_bytes(),
        old.into_bytes(),
        marked.clone().into_bytes(),
        utf16(true, true),
        utf16(false, true),
        utf16(true, false),
        utf16(false, false),
    ] {
        assert_eq!(read("a.txt", &bytes, None).expect("a list"), plain);
    }
    let mixed = text.replacen('\n', "\r\n", 2);
    let reading = read("a.txt", mixed.as_bytes(), None).expect("a list");
    assert_eq!(reading.questions, plain.questions);
    assert_eq!((reading.warnings[0].code, reading.warnings[0].detail.as_str()), ("mixed-line-ends", "6 LF, 2 CRLF"));
    let western: Vec<u8> = text
        .chars()
        .map(|c| match c {
            '–' => 0x96,
            '“' => 0x93,
            '”' => 0x94,
            c => c as u8,
        })
        .collect();
    let reading = read("a.txt", &western, None).expect("a list");
    assert_eq!(reading.questions, plain.questions);
    assert_eq!((reading.warnings[0].code, reading.warnings[0].line), ("read-as-windows-1252", Some(5)));
}

#[test]
fn broken_text_is_mended_and_whole_text_stays() {
    let check = |text: &str, expect: &str, count: usize| {
        assert_eq!(decode::repair(text), (expect.to_owned(), count), "{text}");
        assert_eq!(decode::repair(expect), (expect.to_owned(), 0), "{expect} is whole");
    };
    check("ðŸŸ¢ and 🟡", "🟢 and 🟡", 1);
    check("itâ€™s â€œbrokenâ€\u{9d} – and “whole”", "it’s “broken” – and “whole”", 3);
    check("cafÃ© cafÃ©, naÃ¯ve", "café café, naïve", 3);
    check("🟡ðŸŸ¢🟡", "🟡🟢🟡", 1);
    // Twice through the wrong code page.
    check("itÃ¢â‚¬â„¢s", "it’s", 1);
    // What ends a quotation behind an accent was meant so.
    for whole in
        ["le café…” dit-il", "«CAFÉ»", "naïve façade", "Ünïcödé", "ÀÉ", "“Ça…”", "100 € – 5 £", "日本語", "Привет"]
    {
        check(whole, whole, 0);
    }
}

/// The shipped questions, and one with all that they do not have.
fn exported(target: crate::export::Target) -> (String, Vec<std::sync::Arc<crate::domain::question::Question>>) {
    let bank = shipped();
    let mut questions = bank.questions().to_vec();
    let mut odd = questions[0].as_ref().clone();
    odd.prompt = "Is `a < b` & \"c\" said, or =SUM(A1)?".to_owned();
    odd.model_answer =
        "=cmd\n\nA list:\n- one <b>\n- two & `x < y`\n\n```sh\necho \"<details>\" && true\n```\n\nThe\tend.".to_owned();
    odd.exhibit = Some(crate::domain::question::Exhibit {
        name: "kubectl get pods".to_owned(),
        text: "NAME  READY\na-1   0/1 <none>".to_owned(),
    });
    odd.nudge = Some("@here & now".to_owned());
    questions.push(std::sync::Arc::new(odd));
    (crate::export::export(target, bank, &questions), questions)
}

#[test]
fn markdown_of_ours_comes_back_whole() {
    let (text, questions) = exported(crate::export::Target::Markdown);
    let reading = read("bank.md", text.as_bytes(), None).expect("our own");
    assert_eq!(
        (reading.format, reading.skipped.len(), reading.warnings.clone()),
        (Format::Details, 0, Vec::new()),
        "{text}"
    );
    assert_eq!(reading.questions.len(), questions.len());
    let title = |topic: &str| shipped().topic_title(topic);
    for question in questions {
        let question = question.as_ref();
        let back = reading
            .questions
            .iter()
            .find(|draft| markdown::squeeze(draft.prompt.split('\n').next().unwrap_or_default()) == question.prompt);
        let back = back.unwrap_or_else(|| panic!("{} is lost", question.prompt));
        assert_eq!(back.answer.replace("\n\n- ", "\n- "), question.model_answer.trim().replace("\n\n- ", "\n- "));
        assert_eq!((back.level, &back.nudge), (Some(question.level), &question.nudge));
        assert_eq!((&back.why, &back.framework), (&question.why, &question.framework));
        assert_eq!(back.section, Some(title(&question.topic)));
        let points: Vec<String> = question.key_points.iter().map(|point| markdown::plain(&point.text)).collect();
        assert_eq!(back.points, points);
        assert_eq!(back.options, question.choice.as_ref().map(|choice| choice.options.clone()).unwrap_or_default());
        let known = |text: &str| Some(text.to_owned());
        let again = draft::question(back, question.id.clone(), &about("bank.md"), &known);
        // The line end behind an exhibit's last line is the author's way to write TOML.
        let shown = |exhibit: &Option<Exhibit>| {
            exhibit.as_ref().map(|exhibit| (exhibit.name.clone(), exhibit.text.trim_end().to_owned()))
        };
        assert_eq!(
            (&again.prompt, shown(&again.exhibit), &again.mistakes),
            (&question.prompt, shown(&question.exhibit), &question.mistakes)
        );
    }
}

#[test]
fn tables_of_ours_come_back_and_compute_nothing() {
    let (text, questions) = exported(crate::export::Target::Csv);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    for record in reader.records() {
        for cell in &record.expect("a row as long as the others") {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
        }
    }
    let reading = read("bank.csv", text.as_bytes(), None).expect("our own");
    assert_eq!((reading.questions.len(), reading.skipped.len()), (questions.len(), 0));
    for (back, question) in reading.questions.iter().zip(&questions) {
        assert!(back.prompt.starts_with(&question.prompt) && back.level == Some(question.level));
        assert_eq!(markdown::squeeze(&back.answer), markdown::squeeze(&question.model_answer), "{}", question.id);
        let right = |options: &[ChoiceOption]| {
            options.iter().map(|option| (option.text.clone(), option.correct)).collect::<Vec<_>>()
        };
        assert_eq!(
            right(&back.options),
            question.choice.as_ref().map(|choice| right(&choice.options)).unwrap_or_default()
        );
        assert_eq!(
            back.points,
            question.key_points.iter().map(|point| markdown::plain(&point.text)).collect::<Vec<_>>()
        );
    }
}

#[test]
fn cards_of_ours_come_back() {
    let (text, questions) = exported(crate::export::Target::Anki);
    assert_eq!(text.lines().count(), 6 + questions.len(), "a card is a line");
    let reading = read("bank.txt", text.as_bytes(), None).expect("our own");
    assert_eq!(
        (reading.format, reading.questions.len(), reading.skipped.len()),
        (Format::AnkiText, questions.len(), 0)
    );
    for (back, question) in reading.questions.iter().zip(&questions) {
        assert!(
            back.prompt.replace("**", "").starts_with(&question.prompt.replace("**", "")),
            "{}\n{}",
            back.prompt,
            question.prompt
        );
        assert_eq!(back.level, Some(question.level));
        let ends: Vec<String> = question.key_points.iter().map(|point| markdown::plain(&point.text)).collect();
        assert!(back.points.ends_with(&ends), "{:?}", back.points);
    }
}
