//! Claims, rulings and reviews as people on Slack see them.

use super::interactions::{DAILY, counted, points, save, send};
use super::{PATIENCE, Stage};
use crate::fake::slack::{SeenKind, Shown};
use crate::rulings::OWN;
use crate::support::eventually;
use crate::world::{FULL, bank};

const CLAIM: &str = "Claim: A lock stops two writers";

/// A revealed question that Bob and Cleo have answered with the form: its card, and the message with the key points.
async fn revealed() -> (Stage, Shown, Shown) {
    let stage = Stage::dark_with(bank(&[("iam", 1)]), |_| {}).await.started().await;
    let card = stage.question(DAILY).await;
    save(&stage, stage.bob, card.spot, OWN).await;
    save(&stage, stage.cleo, card.spot, FULL).await;
    counted(&stage, "2 people").await;
    let told = stage.reveal(card.spot).await;
    let points = points(&told).clone();
    (stage, card, points)
}

async fn until(stage: &Stage, card: &Shown, words: &str) -> Shown {
    eventually(words, PATIENCE, || async {
        stage.fake.replies(card.spot).into_iter().find(|one| one.text().contains(words))
    })
    .await
}

#[tokio::test]
async fn a_claim_is_confirmed_in_the_thread_and_an_admin_overrules() {
    let (stage, card, points) = revealed().await;
    let (fake, ann, bob, cleo) = (&stage.fake, stage.ann, stage.bob, stage.cleo);
    let mine = fake.press(bob, &points, "My result").await;
    let form = fake.press(bob, &mine, CLAIM).await;
    assert_eq!(form.kind, SeenKind::Modal, "{}", form.text());
    assert!(form.text().contains("only one person may write"), "{}", form.text());
    let refused = send(&stage, bob, &form, "somebody else's words").await;
    assert!(refused.contains("somebody else's words") && refused.contains("Try again"), "{refused}");
    let open = fake.form_of(bob).expect("the modal stays");
    let again = fake.press(bob, &open, "Try again").await;
    let made = send(&stage, bob, &again, "Only one person may write").await;
    assert!(made.contains("Claimed."), "{made}");
    let claim = until(&stage, &card, "Does this cover it?").await;
    assert!(claim.text().contains("only one person may write") && !claim.text().contains("Bob"), "{}", claim.text());
    let own = fake.press(bob, &claim, "Yes, it covers it").await;
    assert!(own.text().contains("your own claim"), "{}", own.text());
    fake.press(cleo, &claim, "Yes, it covers it").await;
    let decided = until(&stage, &card, "claimed this").await;
    assert!(decided.spot == claim.spot && decided.text().contains("83 of 100"), "{}", decided.text());
    until(&stage, &card, "A lock stops two writers — everybody").await;
    let not_hers = fake.press(cleo, &decided, "Overrule: it does not").await;
    assert!(not_hers.text().contains("Only an organiser can overrule it."), "{}", not_hers.text());
    fake.press(ann, &decided, "Overrule: it does not").await;
    until(&stage, &card, "It does not cover the key point").await;
    let mine = fake.press(bob, &points, "My result").await;
    assert!(mine.text().contains("50 of 100"), "{}", mine.text());
    stage.end().await;
}

#[tokio::test]
async fn admins_decide_in_private_on_what_a_reader_sees_differently() {
    let (stage, _, points) = revealed().await;
    let (fake, ann, cleo) = (&stage.fake, stage.ann, stage.cleo);
    let hers = fake.press(cleo, &points, "My result").await;
    let form = fake.press(cleo, &hers, "Review an answer").await;
    assert_eq!(form.kind, SeenKind::Modal, "{}", form.text());
    assert!(
        form.text().contains("only one person may write") && form.text().contains("A lock stops"),
        "{}",
        form.text()
    );
    let sent = fake.submit(cleo, form.modal(), &[("points", "1,2")]).await;
    assert_eq!(sent.kind, SeenKind::Updated, "{}", sent.text());
    let told = eventually("Ann is told", PATIENCE, || async {
        let letters = stage.fake.messages(stage.fake.direct(ann));
        letters.into_iter().find(|one| one.text().contains("A reader and I see an answer differently"))
    })
    .await;
    fake.press(ann, &told, "2 counts").await;
    eventually("Ann sees what she decided", PATIENCE, || async {
        let letters = stage.letters(ann);
        letters.iter().any(|one| one.contains("Decided: it counts.")).then_some(())
    })
    .await;
    let mine = fake.press(stage.bob, &points, "My result").await;
    assert!(mine.text().contains("83 of 100"), "{}", mine.text());
    stage.end().await;
}
