//! "How sure are you?": asked with an answer, said back with the result, counted on `/me`, and worth nothing.

use drillbot::domain::ids::QuestionId;
use drillbot::domain::message::{InputKind, Reply};
use insta::assert_snapshot;

use crate::world::{FULL, PART, Setup, World, bank, standings_agree};

async fn answers(w: &mut World, name: &str, answer: &str, sure: &str) -> String {
    w.press(name, "Answer").await;
    let form = w.form(name);
    w.fill(name, &form.action, &[("answer", answer), ("confidence", sure)]).await
}

async fn drills(w: &mut World, question: &str, answer: &str, sure: &str) -> String {
    w.bob(&format!("/drill question={question}")).await;
    answers(w, "Bob", answer, sure).await
}

/// What somebody's own page says about how sure they are.
async fn calibration(w: &mut World, name: &str) -> String {
    let page = w.says(name, "/me").await;
    let from = page.find("# How sure, how right").map_or("", |at| &page[at..]);
    from.split("(/me delete").next().unwrap_or_default().trim_end().to_owned()
}

#[tokio::test]
async fn the_form_asks_how_sure_one_is_and_what_was_said_stands_in_it() {
    let mut w = World::new().await;
    w.at("09:00").await;
    w.press("Bob", "Answer").await;
    let form = w.form("Bob");
    let asked = &form.inputs[1];
    assert_eq!((asked.label.as_str(), asked.value.as_str(), asked.required), ("How sure are you?", "", false));
    let InputKind::Pick { options, many: false } = &asked.kind else { panic!("{:?}", asked.kind) };
    assert_eq!(options.iter().map(|one| one.value.as_str()).collect::<Vec<_>>(), ["sure", "fairly", "guess"]);
    for (said, stands) in [("sure", "sure"), ("3", "guess"), ("Fairly", "fairly"), ("", "")] {
        assert!(answers(&mut w, "Bob", FULL, said).await.contains("the Answer button until the reveal"));
        w.press("Bob", "Answer").await;
        assert_eq!(w.form("Bob").inputs[1].value, stands, "{said}");
    }
    w.end().await;
}

#[tokio::test]
async fn the_result_says_what_confidence_and_answer_teach_together() {
    let mut w = World::new().await;
    w.at("09:00").await;
    for (name, answer, sure) in [
        ("Ann", PART, "sure"),
        ("Bob", FULL, "guess"),
        ("Cleo", FULL, "sure"),
        ("Dora", PART, "fairly"),
        ("Eve", PART, ""),
    ] {
        answers(&mut w, name, answer, sure).await;
    }
    w.write_in_thread("Finn", PART).await;
    w.at("17:00").await;
    let lesson = |text: &str| {
        let words = text.lines().find(|line| line.starts_with("You were") || line.starts_with("You called"));
        words.unwrap_or_default().to_owned()
    };
    assert_snapshot!(lesson(&w.told("Ann").expect("a result")), @"You were sure, and two points were missing.");
    assert_snapshot!(lesson(&w.told("Bob").expect("a result")), @"You called it a guess, and nothing was missing: you know this.");
    for name in ["Cleo", "Dora", "Eve", "Finn"] {
        assert_eq!(lesson(&w.told(name).expect("a result")), "", "{name}");
    }
    // It is worth nothing: who wrote the same has the same.
    let scores = w.scores().await;
    let of = |name: &str| {
        scores.iter().find(|(who, ..)| who.ends_with(name)).map(|(_, coverage, points)| (*coverage, *points))
    };
    assert_eq!(of("bob"), of("cleo"));
    assert!(of("ann") == of("dora") && of("dora") == of("eve") && of("eve") == of("finn") && of("finn").is_some());
    standings_agree(&w.app.store).await;
    // Whoever asks again is told the same.
    let again = w.press("Ann", "My result").await;
    assert!(again.contains("You were sure, and two points were missing."), "{again}");
    w.end().await;
}

#[tokio::test]
async fn what_is_sent_last_counts() {
    let mut w = World::new().await;
    w.at("09:00").await;
    answers(&mut w, "Bob", PART, "sure").await;
    answers(&mut w, "Bob", PART, "guess").await;
    answers(&mut w, "Ann", PART, "sure").await;
    answers(&mut w, "Ann", PART, "").await;
    w.at("17:00").await;
    assert_snapshot!(calibration(&mut w, "Bob").await, @"
    # How sure, how right
    You said | Answers | Of 100
    A guess | 1 | 50
    ");
    assert_eq!(calibration(&mut w, "Ann").await, "");
    w.end().await;
}

#[tokio::test]
async fn a_word_that_is_none_costs_the_answer_nothing() {
    let mut w = World::new().await;
    w.at("09:00").await;
    let saved = answers(&mut w, "Bob", FULL, "quite <@1> *likely*").await;
    assert!(saved.starts_with("Saved."), "{saved}");
    assert!(
        saved.contains(
            "I do not understand \"quite <@1> *likely*\"; there is \"Sure\", \"Fairly sure\" and \"A guess\"."
        ),
        "{saved}"
    );
    w.press("Bob", "Answer").await;
    let form = w.form("Bob");
    assert_eq!((form.inputs[0].value.as_str(), form.inputs[1].value.as_str()), (FULL, ""));
    let graded = drills(&mut w, "iam-1", FULL, "5").await;
    assert!(graded.contains("100 of 100") && graded.starts_with("(How sure you are is not noted: "), "{graded}");
    w.at("17:00").await;
    assert!(w.told("Bob").expect("a result").contains("100 of 100"));
    assert_eq!(calibration(&mut w, "Bob").await, "");
    w.end().await;
}

#[tokio::test]
async fn me_shows_how_right_one_is_and_what_to_ask_again() {
    let mut w = World::with(Setup { bank: bank(&[("iam", 9)]), ..Setup::default() }).await;
    let graded = drills(&mut w, "iam-1", PART, "sure").await;
    assert!(graded.contains("You were sure, and two points were missing."), "{graded}");
    for (question, answer, sure) in
        [("iam-2", FULL, "sure"), ("iam-3", PART, "guess"), ("iam-4", PART, "2"), ("iam-5", PART, "")]
    {
        w.pass(jiff::SignedDuration::from_secs(60)).await;
        drills(&mut w, question, answer, sure).await;
    }
    assert_snapshot!(calibration(&mut w, "Bob").await, @"
    # How sure, how right
    You said | Answers | Of 100
    Sure | 2 | 75
    Fairly sure | 1 | 50
    A guess | 1 | 50
    # Confident but wrong
    • iam question 1: who keeps the state? — 50 of 100. Again: /drill question=iam-1
    ");
    // Five at most, the newest first.
    for question in ["iam-6", "iam-7", "iam-8", "iam-9", "iam-3"] {
        w.pass(jiff::SignedDuration::from_secs(60)).await;
        drills(&mut w, question, PART, "sure").await;
    }
    assert_snapshot!(calibration(&mut w, "Bob").await, @"
    # How sure, how right
    You said | Answers | Of 100
    Sure | 7 | 57
    Fairly sure | 1 | 50
    A guess | 1 | 50
    # Confident but wrong
    • iam question 3: who keeps the state? — 50 of 100. Again: /drill question=iam-3
    • iam question 9: who keeps the state? — 50 of 100. Again: /drill question=iam-9
    • iam question 8: who keeps the state? — 50 of 100. Again: /drill question=iam-8
    • iam question 7: who keeps the state? — 50 of 100. Again: /drill question=iam-7
    • iam question 6: who keeps the state? — 50 of 100. Again: /drill question=iam-6
    ");
    // The command asks it again; who answers it well then has learned it, sure or not.
    w.pass(jiff::SignedDuration::from_secs(60)).await;
    assert!(w.bob("/drill question=iam-9").await.contains("iam question 9"));
    answers(&mut w, "Bob", FULL, "").await;
    assert!(!calibration(&mut w, "Bob").await.contains("iam-9"));
    w.pass(jiff::SignedDuration::from_secs(60)).await;
    drills(&mut w, "iam-8", FULL, "sure").await;
    assert_snapshot!(calibration(&mut w, "Bob").await, @"
    # How sure, how right
    You said | Answers | Of 100
    Sure | 8 | 62
    Fairly sure | 1 | 50
    A guess | 1 | 50
    # Confident but wrong
    • iam question 3: who keeps the state? — 50 of 100. Again: /drill question=iam-3
    • iam question 7: who keeps the state? — 50 of 100. Again: /drill question=iam-7
    • iam question 6: who keeps the state? — 50 of 100. Again: /drill question=iam-6
    • iam question 1: who keeps the state? — 50 of 100. Again: /drill question=iam-1
    ");
    assert_eq!(calibration(&mut w, "Ann").await, "", "nobody else's");
    w.end().await;
}

#[tokio::test]
async fn a_question_that_the_bank_has_no_more_is_not_offered() {
    let mut w = World::with(Setup { bank: bank(&[("iam", 2)]), ..Setup::default() }).await;
    drills(&mut w, "iam-1", PART, "sure").await;
    drills(&mut w, "iam-2", PART, "sure").await;
    assert!(w.app.bank().get(QuestionId::new("iam-2").as_str()).is_some());
    w.app.replace_bank(bank(&[("iam", 1)]));
    assert_snapshot!(calibration(&mut w, "Bob").await, @"
    # How sure, how right
    You said | Answers | Of 100
    Sure | 2 | 50
    # Confident but wrong
    • iam question 1: who keeps the state? — 50 of 100. Again: /drill question=iam-1
    ");
    w.end().await;
}

#[tokio::test]
async fn an_old_form_without_the_question_is_taken() {
    let mut w = World::new().await;
    w.at("09:00").await;
    w.press("Bob", "Answer").await;
    let form = w.form("Bob");
    let saved = w.fill("Bob", &form.action, &[("answer", FULL)]).await;
    assert!(saved.starts_with("Saved.") && !saved.contains("How sure"), "{saved}");
    let actor = w.actor("Bob");
    let Reply::Open { form } = w.app.press(&actor, &form.action).await.expect("a reply") else { panic!("no form") };
    assert_eq!(form.inputs[1].value, "");
    w.end().await;
}

#[tokio::test]
async fn who_is_erased_leaves_no_confidence() {
    let mut w = World::new().await;
    w.at("09:00").await;
    answers(&mut w, "Bob", PART, "sure").await;
    drills(&mut w, "iam-1", PART, "sure").await;
    w.at("17:00").await;
    assert!(calibration(&mut w, "Bob").await.contains("Sure | 2 | 50"));
    w.bob("/me delete").await;
    w.press("Bob", "Erase my data").await;
    w.at("17:01").await;
    assert_eq!(calibration(&mut w, "Bob").await, "");
    w.end().await;
}
