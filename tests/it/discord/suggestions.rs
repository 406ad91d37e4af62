//! Suggestions and flags as people on Discord see them.

use super::{PATIENCE, Stage};
use crate::fake::discord::{Id, Kind, Shown};
use crate::support::eventually;
use crate::world::bank;

const FORM: [(&str, &str); 5] = [
    ("question", "Why does a pod in a private subnet need a NAT gateway?"),
    ("answer", "It has no public address, so its packets leave through one that has. @everyone knows."),
    ("points", "It has no public address\nThe gateway translates"),
    ("topic", "iam"),
    ("source", ""),
];

/// The letter to somebody that says this.
async fn letter(stage: &Stage, who: Id, words: &str) -> Shown {
    let dm = stage.fake.dm(who);
    eventually(words, PATIENCE, || async { stage.fake.messages(dm).into_iter().find(|one| one.text().contains(words)) })
        .await
}

#[tokio::test]
async fn a_question_is_suggested_approved_and_asked() {
    let stage = Stage::dark_with(bank(&[("iam", 1)]), |_| {}).await.started().await;
    stage.schedule("time:09:00 zone:Europe/London").await;
    let (fake, ann, bob, cleo) = (&stage.fake, stage.ann, stage.bob, stage.cleo);
    let form = fake.command(bob, stage.channel, "/suggest").await;
    assert_eq!(form.kind, Kind::Modal, "{}", form.text());
    for words in ["without your name", "one a line", "/topics shows them all"] {
        assert!(form.text().contains(words), "each input has words of its own: {}", form.text());
    }
    // A modal cannot be answered with a modal: what was typed comes back behind a button.
    let wrong = FORM.map(|(input, value)| if input == "topic" { (input, "nowhere") } else { (input, value) });
    let refused = fake.submit(bob, form.modal(), &wrong).await;
    assert!(refused.text().contains("There is no topic \"nowhere\""), "{}", refused.text());
    let form = fake.press(bob, &refused, "Mend it").await;
    assert!(form.text().contains(FORM[0].1) && form.text().contains("nowhere"), "{}", form.text());
    let sent = fake.submit(bob, form.modal(), &FORM).await;
    assert!(sent.text().contains("Thank you."), "{}", sent.text());
    let told = letter(&stage, ann, "1 suggested question waits").await;
    assert!(!told.text().contains("NAT"), "{}", told.text());
    let refused = fake.command(cleo, stage.channel, "/review").await;
    assert!(!refused.text().contains("NAT"), "{}", refused.text());
    let item = fake.command(ann, stage.channel, "/review").await;
    assert_eq!(item.kind, Kind::Message { ephemeral: true }, "{}", item.text());
    assert!(item.text().contains("NAT gateway") && item.text().contains("[Approve]"), "{}", item.text());
    let edit = fake.press(ann, &item, "Edit and approve").await;
    assert_eq!(edit.kind, Kind::Modal, "{}", edit.text());
    let done = fake.submit(ann, edit.modal(), &FORM).await;
    assert!(done.text().contains("Approved: it is suggested-"), "{}", done.text());
    let told = letter(&stage, bob, "Your question was approved.").await;
    let id = told.text().split("question:").nth(1).and_then(|rest| rest.split_whitespace().next()).map(str::to_owned);
    let id = id.expect("its id").trim_end_matches('`').to_owned();
    let drill = fake.command(cleo, stage.channel, &format!("/drill question:{id}")).await;
    assert!(drill.text().contains("NAT gateway"), "{}", drill.text());
    // Another server asks no question of this one.
    let elsewhere = fake.guild("Others");
    let theirs = fake.text_channel(elsewhere, "general");
    let dora = fake.member(elsewhere, "Dora", crate::fake::discord::Permissions::MANAGE_GUILD);
    let missing = fake.command(dora, theirs, &format!("/drill question:{id}")).await;
    assert!(missing.text().contains("There is no question"), "{}", missing.text());
    stage.end().await;
}

#[tokio::test]
async fn a_flag_is_sent_and_answered() {
    let stage = Stage::dark_with(bank(&[("iam", 1)]), |_| {}).await.started().await;
    stage.question("time:09:00 zone:Europe/London reveal:8h").await;
    let (fake, ann, bob) = (&stage.fake, stage.ann, stage.bob);
    let form = fake.command(bob, stage.channel, "/flag").await;
    assert_eq!(form.kind, Kind::Modal, "{}", form.text());
    assert!(form.text().contains("iam question 1"), "the question stands above the inputs: {}", form.text());
    let sent = fake.submit(bob, form.modal(), &[("fault", "typo"), ("words", "It says teh.")]).await;
    assert!(sent.text().contains("Thank you."), "{}", sent.text());
    letter(&stage, ann, "1 flagged question waits").await;
    let item = fake.command(ann, stage.channel, "/review show:flags").await;
    assert!(item.text().contains("It says teh."), "{}", item.text());
    let form = fake.press(ann, &item, "Fixed").await;
    let done = fake.submit(ann, form.modal(), &[("reason", "Mended, thanks.")]).await;
    assert!(done.text().contains("Noted as fixed"), "{}", done.text());
    let told = letter(&stage, bob, "it is mended").await;
    assert!(told.text().contains("Mended, thanks."), "{}", told.text());
    stage.end().await;
}
