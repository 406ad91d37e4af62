//! Scenarios on Discord: alone in one private message, together in a thread.

use super::{PATIENCE, Stage};
use crate::fake::discord::{Id, Kind, Shown};
use crate::scenes::{letter, night};
use crate::support::eventually;

async fn until(stage: &Stage, channel: Id, words: &str) -> Shown {
    eventually(words, PATIENCE, || async {
        stage.fake.messages(channel).into_iter().find(|one| one.text().contains(words))
    })
    .await
}

#[tokio::test]
async fn a_scenario_is_played_alone_in_one_message_and_together_in_a_thread() {
    let stage = Stage::dark_with(night(), |_| {}).await.started().await;
    let (fake, bob, cleo) = (&stage.fake, stage.bob, stage.cleo);
    let begun = fake.command(bob, stage.channel, "/drill scenario:night").await;
    assert_eq!(begun.kind, Kind::Message { ephemeral: true }, "{}", begun.text());
    assert!(begun.text().contains("Error acquiring the state lock"), "{}", begun.text());
    let message = begun.message.expect("the scene");
    let told = fake.press(bob, message, &letter(begun.text(), "Go home")).await;
    assert_eq!((&told.kind, told.message), (&Kind::Update, Some(message)), "{}", told.text());
    let end = fake.press(bob, message, "To the debrief").await;
    assert!(end.text().contains("50 of 100") && end.text().contains("Better:"), "{}", end.text());

    // Together it needs a channel in which questions are posted.
    let refused = fake.command(bob, stage.channel, "/drill scenario:night with:together").await;
    assert!(refused.text().contains("Ask an organiser for"), "{}", refused.text());
    stage.question("time:09:00 zone:Europe/London reveal:8h").await;
    let begun = fake.command(bob, stage.channel, "/drill scenario:night with:together").await;
    assert!(begun.text().contains("on its way to the channel"), "{}", begun.text());
    let opening = until(&stage, stage.channel, "has begun a scenario").await;
    // A thread has the id of the message that it hangs under.
    let thread = opening.id;
    let first = until(&stage, thread, "What do you do?").await;
    let voted = fake.press(cleo, &first, &letter(first.text(), "Look whose")).await;
    assert_eq!(voted.kind, Kind::Message { ephemeral: true }, "{}", voted.text());
    let not_hers = fake.press(cleo, &first, "Decide").await;
    assert!(not_hers.text().contains("began this scenario"), "{}", not_hers.text());
    fake.press(bob, &first, "Decide").await;
    let second = until(&stage, thread, "The runner of that job died").await;
    assert!(second.text().contains("Decided:"), "{}", second.text());
    fake.press(cleo, &second, &letter(second.text(), "Unlock and read")).await;
    fake.press(bob, &second, "Decide").await;
    let end = until(&stage, thread, "Debrief: A locked night").await;
    assert!(end.text().contains("The group: 100 of 100."), "{}", end.text());
    until(&stage, thread, "This was decided.").await;
    until(&stage, stage.channel, "Played; the debrief is in the thread").await;
    stage.end().await;
}
