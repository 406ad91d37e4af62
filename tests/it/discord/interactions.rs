//! What members do and see: commands, buttons, forms, threads, results.

use std::time::Duration;

use super::{PATIENCE, Stage};
use crate::fake::discord::Kind;
use crate::support::eventually;
use crate::world::{FULL, PART};

#[tokio::test]
async fn a_question_from_its_card_to_the_results() {
    let stage = Stage::new().await;
    let card = stage.question("time:09:00 zone:Europe/London reveal:8h").await;
    for words in ["Topic", "Level", "nobody yet", "[Answer]", "<t:"] {
        assert!(card.text().contains(words), "{words} in {}", card.text());
    }
    let thread = stage.thread(&card).await;
    let (fake, ann, bob, cleo) = (&stage.fake, stage.ann, stage.bob, stage.cleo);
    // Bob writes in the thread, Cleo uses the form.
    let written = fake.write(bob, thread, PART);
    eventually("Bob's message has its receipt", PATIENCE, || async {
        (fake.reactions(written) == ["📥"]).then_some(())
    })
    .await;
    fake.edit(written, FULL);
    let form = fake.press(cleo, card.id, "Answer").await;
    assert_eq!(form.kind, Kind::Modal);
    let saved = fake.submit(cleo, form.modal(), &[("answer", PART)]).await;
    assert_eq!(saved.kind, Kind::Message { ephemeral: true });
    assert!(saved.text().contains("Saved."), "{}", saved.text());
    eventually("the card counts both", PATIENCE, || async {
        stage.cards(stage.channel)[0].text().contains("2 people").then_some(())
    })
    .await;
    let told = stage.reveal(thread).await;
    assert!(told.iter().any(|one| one.text().contains("Model answer")));
    let points = told.last().expect("the key points").text().to_owned();
    assert!(points.contains("Bob") && points.contains("everybody"), "{points}");
    let mine = fake.press(bob, told.last().expect("the key points").id, "My result").await;
    assert_eq!(mine.kind, Kind::Message { ephemeral: true });
    assert!(mine.text().contains("100 of 100"), "{}", mine.text());
    eventually("the card is closed", PATIENCE, || async {
        stage.cards(stage.channel)[0].text().contains("[My result]").then_some(())
    })
    .await;
    let hers = fake.press(cleo, card.id, "My result").await;
    assert!(hers.text().contains("of 100") && hers.text().contains("Missing"), "{}", hers.text());
    let board = fake.command(ann, stage.channel, "/leaderboard").await;
    assert!(board.text().contains("Bob") && board.text().contains("Cleo"), "{}", board.text());
    assert!(board.first_response_after < Duration::from_secs(3));
    stage.end().await;
}
