//! What members do and see: the daily question and private drills.

use insta::assert_snapshot;

use super::Stage;
use crate::fake::slack::SeenKind;
use crate::world::{FULL, PART};

const DAILY: &str = "09:00 zone:Europe/London reveal:8h";

#[tokio::test]
async fn a_question_from_its_card_to_the_results() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let card = stage.question(DAILY).await;
    assert_snapshot!(card.text(), @"");
    let form = fake.press(stage.bob, &card, "Answer").await;
    assert_eq!(form.kind, SeenKind::Modal, "{}", form.text());
    let saved = fake.submit(stage.bob, form.modal(), &[("answer", FULL)]).await;
    assert_snapshot!(saved.text(), @"");
    let written = fake.reply(stage.cleo, card.spot, PART);
    fake.until_reaction(written, "inbox_tray").await;
    fake.until(stage.channel, "2 people").await;
    let told = stage.reveal(card.spot).await;
    assert_snapshot!(told.last().expect("the key points").text(), @"");
    let mine = fake.press(stage.cleo, told.last().expect("the key points"), "My result").await;
    assert_eq!(mine.kind, SeenKind::Message { ephemeral: true }, "{}", mine.text());
    assert_snapshot!(mine.text(), @"");
    stage.end().await;
}

#[tokio::test]
async fn a_drill_is_one_modal_from_the_first_question_to_the_summary() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let drill = fake.command(stage.bob, stage.channel, "/drill iam 1").await;
    assert_eq!(drill.kind, SeenKind::Modal, "{}", drill.text());
    let form = fake.press(stage.bob, &drill, "Answer").await;
    let graded = fake.submit(stage.bob, form.modal(), &[("answer", FULL)]).await;
    assert_snapshot!(graded.text(), @"");
    stage.end().await;
}
