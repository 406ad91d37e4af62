//! Suggestions and flags as people on Slack see them.

use super::interactions::DAILY;
use super::{PATIENCE, Stage};
use crate::fake::slack::{Id, Seen, SeenKind};
use crate::support::eventually;
use crate::world::bank;

const FORM: [(&str, &str); 5] = [
    ("question", "Why does a pod in a private subnet need a NAT gateway?"),
    ("answer", "It has no public address, so its packets leave through one that has. <!channel> knows."),
    ("points", "It has no public address\nThe gateway translates"),
    ("topic", "iam"),
    ("source", ""),
];

/// Sends a form, and waits until it says what became of it.
async fn send(stage: &Stage, who: Id, form: &Seen, values: &[(&str, &str)]) -> String {
    let sent = stage.fake.submit(who, form.modal(), values).await;
    assert_eq!(sent.kind, SeenKind::Updated, "{}", sent.text());
    eventually("the form says what became of it", PATIENCE, || async {
        let shown = stage.fake.form_of(who)?.text().to_owned();
        (!shown.contains("One moment")).then_some(shown)
    })
    .await
}

async fn letter(stage: &Stage, who: Id, words: &str) -> String {
    eventually(words, PATIENCE, || async { stage.letters(who).into_iter().find(|one| one.contains(words)) }).await
}

#[tokio::test]
async fn a_question_is_suggested_approved_and_asked() {
    let stage = Stage::dark_with(bank(&[("iam", 1)]), |_| {}).await.started().await;
    stage.question(DAILY).await;
    let (fake, ann, bob, cleo) = (&stage.fake, stage.ann, stage.bob, stage.cleo);
    let form = fake.command(bob, stage.channel, "/suggest").await;
    assert_eq!(form.kind, SeenKind::Modal, "{}", form.text());
    assert!(form.text().contains("without your name"), "{}", form.text());
    // What is known at once is told beside the input; what takes the bank comes back behind a button.
    let long = "a".repeat(250);
    let slip = FORM.map(|(input, value)| if input == "points" { (input, long.as_str()) } else { (input, value) });
    let refused = fake.submit(bob, form.modal(), &slip).await;
    assert!(refused.text().contains("Key point 1 has 250 characters"), "{}", refused.text());
    let wrong = FORM.map(|(input, value)| if input == "topic" { (input, "nowhere") } else { (input, value) });
    let refused = send(&stage, bob, &form, &wrong).await;
    assert!(refused.contains("There is no topic \"nowhere\""), "{refused}");
    let open = fake.form_of(bob).expect("the modal stays");
    let form = fake.press(bob, &open, "Mend it").await;
    assert!(form.text().contains(FORM[0].1), "{}", form.text());
    let sent = send(&stage, bob, &form, &FORM).await;
    assert!(sent.contains("Thank you."), "{sent}");
    let told = letter(&stage, ann, "1 suggested question waits").await;
    assert!(!told.contains("NAT"), "{told}");
    let refused = fake.command(cleo, stage.channel, "/review").await;
    assert!(refused.text().contains("is for this channel's organisers"), "{}", refused.text());
    let item = fake.command(ann, stage.channel, "/review").await;
    assert!(item.text().contains("NAT gateway") && item.text().contains("Approve"), "{}", item.text());
    let form = fake.press(ann, &item, "Edit and approve").await;
    assert_eq!(form.kind, SeenKind::Modal, "{}", form.text());
    let done = send(&stage, ann, &form, &FORM).await;
    assert!(done.contains("Approved: it is suggested-"), "{done}");
    let told = letter(&stage, bob, "Your question was approved.").await;
    let id: String = told
        .split("suggested-")
        .nth(1)
        .map(|rest| rest.chars().take_while(char::is_ascii_alphanumeric).collect())
        .expect("its id");
    let drill = fake.command(cleo, stage.channel, &format!("/drill question:suggested-{id}")).await;
    assert!(drill.text().contains("NAT gateway"), "{}", drill.text());
    stage.end().await;
}

#[tokio::test]
async fn a_flag_is_sent_and_answered() {
    let stage = Stage::dark_with(bank(&[("iam", 1)]), |_| {}).await.started().await;
    stage.question(DAILY).await;
    let (fake, ann, bob) = (&stage.fake, stage.ann, stage.bob);
    let form = fake.command(bob, stage.channel, "/flag iam-1").await;
    assert_eq!(form.kind, SeenKind::Modal, "{}", form.text());
    let sent = send(&stage, bob, &form, &[("fault", "typo"), ("words", "It says teh.")]).await;
    assert!(sent.contains("Thank you."), "{sent}");
    letter(&stage, ann, "1 flagged question waits").await;
    let item = fake.command(ann, stage.channel, "/review flags").await;
    assert!(item.text().contains("It says teh."), "{}", item.text());
    let form = fake.press(ann, &item, "Keep as it is").await;
    let done = send(&stage, ann, &form, &[("reason", "That is how it is spelled.")]).await;
    assert!(done.contains("stays as it is"), "{done}");
    let told = letter(&stage, bob, "find it right as it is").await;
    assert!(told.contains("That is how it is spelled."), "{told}");
    stage.end().await;
}
