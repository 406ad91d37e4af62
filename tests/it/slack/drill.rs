//! What members do and see: the daily question and private drills.

use std::time::Duration;

use insta::assert_snapshot;

use super::Stage;
use crate::fake::slack::{Fault, Id, SeenKind};
use crate::world::{FULL, PART, bank};

const DAILY: &str = "09:00 zone:Europe/London reveal:8h";

#[tokio::test]
async fn a_question_from_its_card_to_the_results() {
    let stage = Stage::dark_with(bank(&[("iam", 1)]), |_| {}).await.started().await;
    let fake = &stage.fake;
    let card = stage.question(DAILY).await;
    assert_snapshot!(card.settled(), @"
    iam question 1: who keeps the state?
    Two colleagues press apply in the same minute.
    Topic: IAM
    Level: beginner
    Answered: nobody yet
    Reveal: <an instant>
    Answer in the thread, or in private with the button. A hint is private and costs 10 points.
    [Answer] [Hint (−10 points)]
    ");
    let form = fake.press(stage.bob, &card, "Answer").await;
    assert_eq!(form.kind, SeenKind::Modal, "{}", form.text());
    fake.submit(stage.bob, form.modal(), &[("answer", FULL)]).await;
    let saved = fake.until_screen(stage.bob, "Saved").await;
    assert_eq!(saved.dates, card.dates, "the reveal");
    assert_snapshot!(saved.settled(), @"
    drillbot
    Saved. You can change it with the Answer button until the reveal, <an instant>.
    [Close]
    ");
    let written = fake.reply(stage.cleo, card.spot, PART);
    fake.until_reaction(written, "inbox_tray").await;
    fake.until(stage.channel, "2 people").await;
    let told = stage.reveal(card.spot).await;
    assert_snapshot!(told.last().expect("the key points").text(), @"
    Key points, and who covered them
    ✓ The backend keeps the state — everybody
    ✓ A lock stops two writers — Bob
    ✓ Versions help to recover — Bob
    2 people answered; 75 of 100 on average.
    Common mistakes
    ✗ Versions stop two writers. They only help to recover.
    Read more
    • state (developer.hashicorp.com)
    To think about next: iam question 1: who keeps the state?
    [My result]
    ");
    let mine = fake.press(stage.cleo, told.last().expect("the key points"), "My result").await;
    assert_eq!(mine.kind, SeenKind::Message { ephemeral: true }, "{}", mine.text());
    assert_snapshot!(mine.text(), @"
    Your result
    50 of 100, worth 50 points
    iam question 1: who keeps the state?
    You said
    ✓ The backend keeps the state
    Missing
    – A lock stops two writers
    – Versions help to recover
    Your answer
    The backend keeps the state.
    Underlined: the words that counted.
    ");
    stage.end().await;
}

#[tokio::test]
async fn a_drill_is_one_modal_from_the_first_question_to_the_summary() {
    let stage = Stage::dark_with(bank(&[("iam", 1)]), |_| {}).await.started().await;
    let fake = &stage.fake;
    let drill = fake.command(stage.bob, stage.channel, "/drill iam 1").await;
    assert_eq!(drill.kind, SeenKind::Modal, "{}", drill.text());
    let form = fake.press(stage.bob, &drill, "Answer").await;
    fake.submit(stage.bob, form.modal(), &[("answer", FULL)]).await;
    let graded = fake.until_screen(stage.bob, "of 100").await;
    assert_snapshot!(graded.text(), @"
    drillbot
    IAM, question 1 of 1, beginner
    iam question 1: who keeps the state?
    100 of 100, worth 100 points
    You said
    ✓ The backend keeps the state
    ✓ A lock stops two writers
    ✓ Versions help to recover
    Your answer
    The backend keeps the state, a lock stops two writers, and versions help to recover.
    Underlined: the words that counted.
    Model answer
    The backend keeps the state. A lock stops two writers. Versions help to recover.
    • state (developer.hashicorp.com)
    [Finish]
    [Close]
    ");
    stage.end().await;
}

#[tokio::test]
async fn the_app_home_shows_where_somebody_stands_and_what_there_is() {
    let stage = Stage::new().await;
    let home = stage.fake.open_home(stage.bob).await;
    for words in ["so far", "Streak: none yet", "/drill"] {
        assert!(home.text().contains(words), "{words} in {}", home.text());
    }
    stage.end().await;
}

#[tokio::test]
async fn names_are_asked_for_a_few_at_a_time() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let card = stage.question(DAILY).await;
    let newcomers: Vec<Id> = (0..40).map(|n| fake.member(stage.team, &format!("Newcomer {n}"))).collect();
    fake.always("users.info", Fault::Late(Duration::from_secs(60)));
    let before = fake.requests("users.info").len();
    for who in &newcomers {
        fake.reply(*who, card.spot, PART);
    }
    fake.until(stage.channel, "40 people").await;
    let asked = fake.requests("users.info").len() - before;
    assert!((1..30).contains(&asked), "{asked} times");
    stage.end().await;
}
