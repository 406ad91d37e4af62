//! The grader against the whole bank, and against people who would like points for nothing.

use std::sync::Arc;

use drillbot::config::Content;
use drillbot::content;
use drillbot::domain::bank::Bank;
use drillbot::domain::grade::{Guard, PointState, Rubric};
use drillbot::domain::question::Question;
use drillbot::gold;

/// The banks that ship with drillbot.
fn bank() -> Bank {
    let (bank, _) = content::load(&Content { embedded: true, paths: Vec::new() }).expect("the shipped banks");
    bank
}

/// Every question with authored terms.
fn questions(bank: &Bank) -> Vec<Arc<Question>> {
    let graded =
        bank.questions().iter().filter(|question| question.key_points.iter().all(|point| !point.all_of.is_empty()));
    let all: Vec<Arc<Question>> = graded.cloned().collect();
    assert!(all.len() >= 161, "{} questions", all.len());
    all
}

/// Scores what somebody makes of each question, and says which are out of bounds.
fn check(make: impl Fn(&Question) -> String, allowed: impl Fn(u8) -> bool) {
    let bank = bank();
    let mut wrong = Vec::new();
    for question in questions(&bank) {
        let answer = make(&question);
        let grade = bank.grade(&question, &answer);
        if !allowed(grade.score) {
            let shown: String = answer.chars().take(160).collect();
            wrong.push(format!("{}: {} {:?} for {shown:?}", question.id, grade.score, grade.guard));
        }
    }
    assert!(wrong.is_empty(), "{} questions\n{}", wrong.len(), wrong.join("\n"));
}

/// All terms, in the order of the rubric.
fn terms(question: &Question) -> Vec<&str> {
    question.key_points.iter().flat_map(|point| point.all_of.iter().flatten()).map(String::as_str).collect()
}

/// A shuffle that is the same on every run (Fisher and Yates, with the generator of Lehmer).
fn shuffled<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut words = words.to_vec();
    let mut state = 20_261_121_u64;
    for at in (1..words.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        words.swap(at, usize::try_from(state >> 33).unwrap_or(0) % (at + 1));
    }
    words
}

fn sentences(text: &str) -> Vec<String> {
    text.replace('\n', " ")
        .split_inclusive(['.', '!', '?'])
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

const PADDING: &str = "I would like to add that this is a question which people meet quite often, and that there are many opinions about it. \
    In my last team we talked about such matters every other week, over coffee and sometimes late into the evening, and I learned a great \
    deal from my colleagues there, whose patience I still remember with a smile today.";

#[test]
fn a_model_answer_is_worth_95_or_more() {
    check(|question| question.model_answer.clone(), |score| score >= 95);
}

#[test]
fn the_pasted_prompt_is_worth_nothing() {
    check(|question| question.prompt.clone(), |score| score == 0);
    check(|question| format!("{0} {0} {0}", question.prompt), |score| score == 0);
}

#[test]
fn glued_terms_are_worth_next_to_nothing() {
    check(|question| terms(question).join(" and the "), |score| score <= 10);
    let about = |question: &Question| {
        let pairs = terms(question)
            .chunks(2)
            .map(|pair| format!("It is about {} and has to do with {}.", pair[0], pair[pair.len() - 1]))
            .collect::<Vec<_>>();
        pairs.join(" ")
    };
    check(about, |score| score <= 10);
    check(|question| terms(question).join(" "), |score| score <= 10);
}

#[test]
fn a_blanket_denial_takes_everything_back() {
    for denial in ["It is not true that", "It is false that", "I don't think that"] {
        let make = |question: &Question| {
            let denied = sentences(&question.model_answer).into_iter().map(|sentence| format!("{denial} {sentence}"));
            denied.collect::<Vec<_>>().join(" ")
        };
        check(make, |score| score <= 10);
    }
    check(|question| format!("{}\n\nNone of this is true.", question.model_answer), |score| score == 0);
}

#[test]
fn a_list_of_all_terms_is_worth_half_at_most() {
    check(|question| terms(question).join(", "), |score| score <= 55);
    check(|question| terms(question).iter().map(|term| format!("- {term}\n")).collect(), |score| score <= 55);
}

#[test]
fn the_model_answer_of_another_question_is_worth_nothing() {
    let bank = bank();
    let all = questions(&bank);
    let (mut sum, mut count, mut unmarked) = (0_u64, 0_u64, Vec::new());
    for (at, question) in all.iter().enumerate() {
        let rubric = Rubric::of(question, bank.lexicon());
        // Its neighbours, which are most like it, and some from all over the bank.
        let neighbours = all.iter().cycle().skip(at + 1).take(6);
        let others = all.iter().cycle().skip(at + 7).step_by(all.len() / 8).take(7);
        for other in neighbours.chain(others).filter(|other| other.id != question.id) {
            let grade = rubric.grade(&other.model_answer);
            sum += u64::from(grade.score);
            count += 1;
            if grade.guard != Some(Guard::Pasted) {
                unmarked.push(format!("{} for {}", other.id, question.id));
            }
            // Somebody who changes its beginning is not found out so easily, and is graded by what the words say.
            sum += u64::from(rubric.grade(&sentences(&other.model_answer)[1..].join(" Well, ")).score);
            count += 1;
        }
    }
    assert!(unmarked.is_empty(), "{}", unmarked.join("\n"));
    assert!(sum <= 10 * count, "{} in the mean", sum / count);
}

#[test]
fn what_surrounds_a_good_answer_changes_little() {
    let bank = bank();
    for question in questions(&bank) {
        let plain = bank.grade(&question, &question.model_answer).score;
        for other in [
            format!("{}\n\n{}", question.prompt, question.model_answer),
            format!("{} {}", question.model_answer, question.prompt),
            format!("{}\n{PADDING}", question.model_answer),
            format!("{PADDING} {}", question.model_answer),
        ] {
            let score = bank.grade(&question, &other).score;
            assert!(score.abs_diff(plain) <= 5, "{}: {plain} and {score}\n{other}", question.id);
        }
    }
}

#[test]
fn shuffled_words_are_no_answer() {
    let shuffle =
        |question: &Question| shuffled(&question.model_answer.split_whitespace().collect::<Vec<_>>()).join(" ");
    check(shuffle, |score| score <= 40);
}

#[test]
fn twenty_answers_are_not_one() {
    let bank = bank();
    let all = questions(&bank);
    for (at, question) in all.iter().enumerate() {
        // Its own is among them.
        let dump: Vec<&str> = (0..20).map(|n| all[(at + n) % all.len()].model_answer.as_str()).collect();
        let grade = bank.grade(question, &dump.join("\n\n"));
        assert!(grade.score <= 60, "{}: {}", question.id, grade.score);
        assert!(matches!(grade.guard, Some(Guard::TooLong { .. } | Guard::Pasted)), "{:?}", grade.guard);
    }
}

#[test]
fn every_sample_of_the_bank_is_graded_as_its_author_expects() {
    let bank = bank();
    let mut wrong = Vec::new();
    for question in questions(&bank) {
        for sample in &question.samples {
            let grade = bank.grade(&question, &sample.text);
            let covered: Vec<f64> = grade
                .points
                .iter()
                .map(|point| match point.state {
                    PointState::Covered => 1.0,
                    PointState::Unclear => 0.5,
                    PointState::Missing | PointState::Contradicted => 0.0,
                })
                .collect();
            if covered != sample.covered {
                wrong.push(format!("{}: {:?} instead of {:?}: {}", question.id, covered, sample.covered, sample.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn files_of_answers_are_graded_line_by_line_and_a_bad_line_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    };
    let rubric = write(
        "rubric.jsonl",
        r#"{"id": "nat", "question": "How does a private subnet reach out?", "key_points": [
            {"text": "A NAT gateway", "groups": [["nat"], ["gateway"]], "alt": [[["egress"], ["proxy"]], ["ipv6"]]},
            {"text": "A default route", "groups": [["route"], ["default", "0.0.0.0/0"]], "need": null}]}"#
            .replace('\n', " ")
            .as_str(),
    );
    let answers = write(
        "answers.jsonl",
        "\n{\"id\": \"nat\", \"answers\": [{\"text\": \"A NAT gateway and a default route.\"}, {\"text\": \"An egress-only proxy.\"}, {\"text\": \"\"}]}\n",
    );
    let mut out = Vec::new();
    gold::predict(&rubric, &answers, &mut out).expect("predictions");
    assert_eq!(
        String::from_utf8(out).expect("text"),
        "{\"id\":\"nat\",\"answer\":0,\"covered\":[1,1],\"score\":100}\n\
         {\"id\":\"nat\",\"answer\":1,\"covered\":[1,0],\"score\":50}\n\
         {\"id\":\"nat\",\"answer\":2,\"covered\":[0,0],\"score\":0}\n"
    );
    let wrong = |text: &str| {
        let answers = write("wrong.jsonl", text);
        format!("{:#}", gold::predict(&rubric, &answers, &mut Vec::new()).expect_err("a bad file"))
    };
    assert!(wrong("\n{\"id\": 3}").contains("wrong.jsonl:2: "), "{}", wrong("\n{\"id\": 3}"));
    assert!(wrong("{\"id\": \"tf\", \"answers\": []}").contains("wrong.jsonl:1: there is no question \"tf\" in"));
}
