//! Scenarios on Slack: alone in one modal, together in a thread.

use super::interactions::DAILY;
use super::{PATIENCE, Stage};
use crate::fake::slack::{SeenKind, Shown};
use crate::scenes::{letter, night};
use crate::support::eventually;

async fn until(stage: &Stage, card: &Shown, words: &str) -> Shown {
    eventually(words, PATIENCE, || async {
        stage.fake.replies(card.spot).into_iter().find(|one| one.text().contains(words))
    })
    .await
}

#[tokio::test]
async fn a_scenario_is_played_alone_and_together_in_a_thread() {
    let stage = Stage::dark_with(night(), |_| {}).await.started().await;
    let (fake, bob, cleo) = (&stage.fake, stage.bob, stage.cleo);
    stage.question(DAILY).await;
    let begun = fake.command(bob, stage.channel, "/drill scenario night").await;
    assert!(begun.text().contains("Error acquiring the state lock"), "{}", begun.text());
    let told = fake.press(bob, &begun, &letter(begun.text(), "Go home")).await;
    assert!(told.text().contains("Defensible."), "{}", told.text());
    let end = fake.press(bob, &told, "To the debrief").await;
    assert!(end.text().contains("50 of 100") && end.text().contains("Better:"), "{}", end.text());

    let begun = fake.command(bob, stage.channel, "/drill scenario night together").await;
    assert!(begun.text().contains("on its way to the channel"), "{}", begun.text());
    let opening = eventually("the opening", PATIENCE, || async {
        let all = fake.messages(stage.channel);
        all.into_iter().find(|one| one.text().contains("has begun a scenario"))
    })
    .await;
    let first = until(&stage, &opening, "What do you do?").await;
    let voted = fake.press(cleo, &first, &letter(first.text(), "Look whose")).await;
    assert!(voted.text().contains("You voted"), "{:?} {}", voted.kind == SeenKind::Modal, voted.text());
    fake.press(bob, &first, "Decide").await;
    let second = until(&stage, &opening, "The runner of that job died").await;
    fake.press(cleo, &second, &letter(second.text(), "Unlock and read")).await;
    fake.press(bob, &second, "Decide").await;
    let end = until(&stage, &opening, "Debrief: A locked night").await;
    assert!(end.text().contains("The group: 100 of 100."), "{}", end.text());
    stage.end().await;
}
