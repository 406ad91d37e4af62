//! What the lint says of an example with a slip in it.

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
    check(&[("[\"devops\"]", "[\"a\", \"b\", \"c\", \"D\"]")], &["Error tracks names 4 tracks", "Error tracks[3] `D`"]);
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
    check(&[("Who prevents", &format!("Who {}prevents", "really ".repeat(40)))], &["Error prompt has 353 characters"]);
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
    check(&[("by conditional put", &"by conditional put".repeat(4))], &["Error key_points[1].text has 122 characters"]);
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
    check(&[("\"encrypt = true, with KMS\"", "\"encrypt\"")], &["Warning choice.options are 7 to 24 characters long"]);
    check(&[("\"Protects the content and not the order.\"", "\"\"")], &["Error choice.options[3] has no `because`"]);
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
    check(&[("review_after_days = 180", "review_after_days = 4000000000")], &["Warning review_after_days is neither"]);
}

#[test]
fn follow_ups_lead_on() {
    check(&[("\"tf-lock-or-conflict\"", "\"tf-cfn-locking\"")], &["Error follow_ups[0] is the question itself"]);
    check(&[("\"tf-lock-or-conflict\"", "\"And then?\"")], &["Error follow_ups[0] `And then?` is not the id"]);
    check(&[("\"tf-lock-or-conflict\", ", "")], &["Warning follow_ups lists 1", "Warning follow_ups[0] `tf-backend"]);
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
    problems(&all.join("\n"))
        .into_iter()
        .filter(|problem| !problem.contains("follow_ups") && !problem.contains("asks nearly the same"))
        .collect()
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
    assert!(found[0].contains("tracks[0] `devop` is the only one of this name; did you mean `devops`?"), "{found:#?}");
}

/// What the lint says of this scenario of the example.
fn scenario(text: &str) -> Vec<String> {
    let text = format!("{EXAMPLE}\n{text}");
    let known = problems(EXAMPLE);
    let found = problems(&text)
        .into_iter()
        .filter(|problem| !known.iter().any(|old| without_place(old) == without_place(problem)));
    found.map(|problem| without_place(&problem)).collect()
}

const SCENARIO: &str = r#"
[question.scenario]
name = "two-writers"
title = "Two people apply"
debrief = """
Two writers and one state is the oldest accident of Terraform, and the lock is what stands between them. Nobody who broke a lock
in a hurry did it out of malice: the terminal offered the command and the clock was running. What helps is to know whose lock it is,
to ask that person, and to look at the state before the next apply. The rest of the team learns it from the note you write.
"""
[[question.scenario.stages]]
id = "locked"
situation = "Your apply says that the state is locked."
ask = "What do you do?"
options = [
  { text = "Look whose lock it is", points = 2, then = "It is Ann's.", to = "ann" },
  { text = "Break it at once", points = 0, then = "Now two write.", to = "ann" },
]
[[question.scenario.stages]]
id = "ann"
situation = "Ann does not answer."
injected = true
ask = "And now?"
options = [
  { text = "Look whether her job still runs", points = 2, then = "It died an hour ago.", to = "plan" },
  { text = "Go home", points = 1, then = "Somebody else breaks it." },
]
[[question.scenario.stages]]
id = "plan"
situation = "The lock is gone."
ask = "And before the next apply?"
options = [
  { text = "Read the plan", points = 2, then = "It is clean." },
  { text = "Apply", points = 0, then = "Two objects are there twice." },
]
"#;

#[test]
fn every_way_through_a_scenario_ends_and_a_wrong_turn_can_be_mended() {
    assert_eq!(scenario(SCENARIO), Vec::<String>::new());
    let check = |from: &str, to: &str, expect: &[&str]| {
        assert!(SCENARIO.contains(from), "{from}");
        let found = scenario(&SCENARIO.replacen(from, to, 1));
        assert!(
            found.len() == expect.len() && found.iter().zip(expect).all(|(found, expect)| found.starts_with(expect)),
            "{found:#?}"
        );
    };
    check("\"two-writers\"", "\"Two writers\"", &["Error scenario.name `Two writers` is not kebab-case"]);
    check("injected = true\n", "", &["Warning scenario.stages has no `injected"]);
    check(
        "to = \"plan\"",
        "to = \"locked\"",
        &[
            "Error scenario.stages[1].options[0].to `locked` is not a stage further down",
            "Error scenario.stages[2] `plan` is never reached",
        ],
    );
    check(
        "id = \"plan\"",
        "id = \"ann\"",
        &["Error scenario.stages[1].options[0].to `plan` is not", "Error scenario.stages[2].id `ann` is there twice"],
    );
    check("points = 1", "points = 2", &["Error scenario.stages[1].options has 2 options of 2 points"]);
    check("points = 1", "points = 3", &["Error scenario.stages[1].options[1].points is 3"]);
    check(
        "then = \"Now two write.\", to = \"ann\"",
        "then = \"Now two write.\"",
        &["Error scenario.stages ends at every wrong turn"],
    );
    check("\"It is clean.\"", "\"\"", &["Error scenario.stages[2].options[0].then is empty"]);
    let three = SCENARIO.rfind("[[question.scenario.stages]]").unwrap_or_default();
    let found = scenario(&SCENARIO[..three].replace("to = \"plan\"", "to = \"ann\""));
    assert!(found.iter().any(|p| p.contains("has 2 stages; give 3 to 5")), "{found:#?}");
}

#[test]
fn an_exhibit_fits_on_a_card() {
    let with = |text: &str| {
        let exhibit = format!("exhibit = {{ name = \"main.tf\", text = \"\"\"\n{text}\"\"\" }}\nlevel = ");
        let found = problems(&EXAMPLE.replacen("level = ", &exhibit, 1));
        found
            .into_iter()
            .map(|problem| without_place(&problem))
            .filter(|p| !p.contains("follow_ups"))
            .collect::<Vec<_>>()
    };
    assert_eq!(with("backend \"s3\" {}\n"), Vec::<String>::new());
    assert_eq!(with(&"x\n".repeat(33)), ["Error exhibit.text has 33 lines; show the 32 that matter"]);
    assert!(with(&"y".repeat(85))[0].starts_with("Warning exhibit.text has a line of 85 characters"));
    assert!(with("```\n")[0].starts_with("Error exhibit.text contains ```"));
    assert!(with(" ")[0].starts_with("Error exhibit.text is empty"));
}

#[test]
fn what_a_draft_lacks_is_work_and_no_error() {
    let text = EXAMPLE.replace("status = \"current\"", "status = \"draft\"").replace("in Terraform?", "in Terraform");
    let found = problems(&text);
    assert!(found.iter().any(|p| p.contains("prompt does not end")), "{found:#?}");
    assert!(found.iter().all(|p| p.starts_with("Warning")), "{found:#?}");
}

#[test]
fn a_prompt_that_asks_the_same_is_named() {
    let other = |prompt: &str| {
        let one = &EXAMPLE[EXAMPLE.find("[[question]]").unwrap_or_default()..];
        let two = one
            .replace("tf-cfn-locking", "tf-second")
            .replace("Who prevents two simultaneous changes in CloudFormation and in Terraform?", prompt);
        let found = problems(&format!("{EXAMPLE}\n{two}"));
        found.into_iter().filter(|p| p.contains("asks nearly the same")).collect::<Vec<_>>()
    };
    let found = other("Who is preventing two simultaneous changes, in Terraform or in CloudFormation?");
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("question `tf-second`: prompt asks nearly the same as `tf-cfn-locking`"), "{found:#?}");
    assert_eq!(other("Which of CloudFormation and Terraform keeps its state for you?"), Vec::<String>::new());
}

#[test]
fn a_card_is_short_and_says_what_to_do() {
    let card = "[[card]]\nid = 'prep-a'\nversion = 1\nprompt = 'How do you prepare?'\nlevel = 'beginner'\ntracks = ['devops']\n\
        topic = 'prep'\nadvice = 'Practise.'\nsteps = ['Begin', 'Go on']\nlast_reviewed = 2026-11-21\nreview_after_days = 720\n";
    let found: Vec<String> = problems(card).iter().map(|p| p.chars().take(75).collect()).collect();
    assert_eq!(
        found,
        [
            "Warning bank.toml:1: card `prep-a`: mistakes lists 0 mistakes; list one to ",
            "Warning bank.toml:1: card `prep-a`: follow_ups lists 0 questions; two or th",
            "Error bank.toml:8: card `prep-a`: advice has 1 words; 120 to 250 are read i",
            "Error bank.toml:9: card `prep-a`: steps has 2 steps; give 3 to 6",
        ]
    );
}
