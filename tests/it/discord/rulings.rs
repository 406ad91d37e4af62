//! Claims, rulings and reviews as people on Discord see them.

use super::{PATIENCE, Stage};
use crate::fake::discord::{Id, Kind, Shown};
use crate::rulings::OWN;
use crate::support::eventually;
use crate::world::{FULL, bank};

const CLAIM: &str = "Claim: A lock stops two writers";

/// A revealed question that Bob and Cleo have answered with the form: its card and its thread.
async fn revealed() -> (Stage, Shown, Id) {
    let stage = Stage::dark_with(bank(&[("iam", 1)]), |_| {}).await.started().await;
    let card = stage.question("time:09:00 zone:Europe/London reveal:8h").await;
    let thread = stage.thread(&card).await;
    for (who, words) in [(stage.bob, OWN), (stage.cleo, FULL)] {
        let form = stage.fake.press(who, card.id, "Answer").await;
        stage.fake.submit(who, form.modal(), &[("answer", words)]).await;
    }
    eventually("the card counts both", PATIENCE, || async {
        stage.cards(stage.channel)[0].text().contains("2 people").then_some(())
    })
    .await;
    stage.reveal(thread).await;
    eventually("the card is closed", PATIENCE, || async {
        stage.cards(stage.channel)[0].text().contains("[My result]").then_some(())
    })
    .await;
    (stage, card, thread)
}

/// The message of the thread, or of a private conversation, that says this.
async fn until(stage: &Stage, channel: Id, words: &str) -> Shown {
    eventually(words, PATIENCE, || async {
        stage.fake.messages(channel).into_iter().find(|one| one.text().contains(words))
    })
    .await
}

#[tokio::test]
async fn a_claim_is_confirmed_in_the_thread_and_an_organiser_overrules() {
    let (stage, card, thread) = revealed().await;
    let (fake, ann, bob, cleo) = (&stage.fake, stage.ann, stage.bob, stage.cleo);
    let mine = fake.press(bob, card.id, "My result").await;
    let form = fake.press(bob, &mine, CLAIM).await;
    assert_eq!(form.kind, Kind::Modal, "{}", form.text());
    // A modal hides what stands behind it: the answer can be copied from it.
    assert!(form.text().contains("only one person may write"), "{}", form.text());
    let refused = fake.submit(bob, form.modal(), &[("answer", "somebody else's words")]).await;
    assert!(refused.text().contains("somebody else's words"), "what was typed is kept: {}", refused.text());
    let form = fake.press(bob, &refused, "Try again").await;
    assert!(form.text().contains("somebody else's words"), "{}", form.text());
    let made = fake.submit(bob, form.modal(), &[("answer", "Only one person may write")]).await;
    assert!(made.text().contains("Claimed."), "{}", made.text());
    let claim = until(&stage, thread, "Does this cover it?").await;
    assert!(claim.text().contains("only one person may write") && !claim.text().contains("Bob"), "{}", claim.text());
    let own = fake.press(bob, &claim, "Yes, it covers it").await;
    assert!(own.text().contains("your own claim"), "{}", own.text());
    let thanks = fake.press(cleo, &claim, "Yes, it covers it").await;
    assert_eq!(thanks.kind, Kind::Message { ephemeral: true }, "{}", thanks.text());
    let decided = until(&stage, thread, "claimed this").await;
    assert!(decided.id == claim.id && decided.text().contains("83 of 100"), "{}", decided.text());
    until(&stage, thread, "A lock stops two writers — everybody").await;
    let not_hers = fake.press(cleo, &decided, "Overrule: it does not").await;
    assert!(not_hers.text().contains("Only an organiser can overrule it."), "{}", not_hers.text());
    fake.press(ann, &decided, "Overrule: it does not").await;
    until(&stage, thread, "It does not cover the key point").await;
    let mine = fake.press(bob, card.id, "My result").await;
    assert!(mine.text().contains("50 of 100"), "{}", mine.text());
    stage.end().await;
}

#[tokio::test]
async fn organisers_decide_in_private_on_what_a_reader_sees_differently() {
    let (stage, card, _) = revealed().await;
    let (fake, ann, cleo) = (&stage.fake, stage.ann, stage.cleo);
    let hers = fake.press(cleo, card.id, "My result").await;
    let form = fake.press(cleo, &hers, "Review an answer").await;
    assert_eq!(form.kind, Kind::Modal, "{}", form.text());
    let words = form.text();
    assert!(words.contains("only one person may write") && words.contains("A lock stops"), "{words}");
    let sent = fake.submit(cleo, form.modal(), &[("points", "1, 2")]).await;
    assert!(sent.text().contains("That is worth 5 points."), "{}", sent.text());
    let told = until(&stage, fake.dm(ann), "A reader and I see an answer differently").await;
    assert!(!told.text().contains("Bob") && !told.text().contains("Cleo"), "{}", told.text());
    // In private Discord does not say who manages a server.
    let thanks = fake.press(ann, &told, "2 counts").await;
    assert!(thanks.text().contains("The point counts now"), "{}", thanks.text());
    until(&stage, fake.dm(ann), "Decided: it counts.").await;
    let mine = fake.press(stage.bob, card.id, "My result").await;
    assert!(mine.text().contains("83 of 100"), "{}", mine.text());
    stage.end().await;
}
