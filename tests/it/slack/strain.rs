//! Interactions while the database is slow or broken, while Slack is busy, late or says things twice.

use std::time::Duration;

use futures_util::future::{join_all, select};
use insta::assert_snapshot;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::Stage;
use super::interactions::{DAILY, counted, points, save, send, steady};
use crate::fake::slack::{Fault, Id, SeenKind};
use crate::world::{FULL, PART};

/// A connection to the database that is kept busy.
pub struct Held {
    release: oneshot::Sender<()>,
    over: JoinHandle<()>,
}

impl Held {
    pub async fn release(self) {
        self.release.send(()).expect("it is held");
        self.over.await.expect("the database is let go");
    }
}

/// Keeps SQLite's one writer busy.
pub async fn hold_writer(stage: &Stage) -> Held {
    let (store, (release, wait), (held, holds)) = (stage.app.store.clone(), oneshot::channel(), oneshot::channel());
    let over = tokio::spawn(async move {
        let busy = store.write("hold the database", move |_| {
            Box::pin(async move {
                held.send(()).expect("somebody waits");
                wait.await.expect("it is released");
                Ok(())
            })
        });
        busy.await.expect("a write");
    });
    holds.await.expect("the database is held");
    Held { release, over }
}

/// Keeps a connection for reading busy.
async fn hold_reader(stage: &Stage) -> Held {
    let (store, (release, wait), (held, holds)) = (stage.app.store.clone(), oneshot::channel(), oneshot::channel());
    let over = tokio::spawn(async move {
        let busy = store.read("hold a reader", move |_| {
            Box::pin(async move {
                held.send(()).expect("somebody waits");
                wait.await.expect("it is released");
                Ok(())
            })
        });
        busy.await.expect("a read");
    });
    holds.await.expect("the reader is held");
    Held { release, over }
}

/// Breaks the database, or mends it.
pub async fn change_tables(stage: &Stage, sql: &'static str) {
    let changed = stage.app.store.write("break or mend", move |conn| {
        Box::pin(async move {
            sqlx::query(sql).execute(conn).await?;
            Ok(())
        })
    });
    changed.await.expect("the table can be renamed");
}

#[tokio::test]
async fn what_comes_twice_is_one() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let twice = || fake.with(|model| model.faults.double_interactions = 1);
    let card = stage.question(DAILY).await;
    twice();
    let form = fake.press(bob, &card, "Answer").await;
    fake.settled().await;
    assert_eq!(fake.requests("views.open").len(), 1);
    twice();
    fake.submit(bob, form.modal(), &[("answer", FULL)]).await;
    fake.settled().await;
    // The second acknowledgement puts "One moment" over the result: it comes again.
    let shown = || fake.form_of(bob).expect("the form").text().to_owned();
    fake.wait_for("the result twice", |model| {
        let updates = model.log.iter().filter(|one| one.method == "views.update");
        (updates.filter(|one| one.body.to_string().contains("Saved.")).count() == 2).then_some(())
    })
    .await;
    assert!(shown().contains("Saved."), "{}", shown());
    let message = fake.reply(stage.cleo, card.spot, FULL);
    twice();
    fake.shortcut(stage.cleo, message, "save_as_answer").await;
    twice();
    fake.command(stage.cleo, stage.channel, "/help").await;
    fake.settled().await;
    fake.command(stage.cleo, stage.channel, "/topics").await;
    assert_eq!(fake.ephemeral_of(stage.cleo).len(), 3, "{}", fake.all_text());
    stage.end().await;
}

#[tokio::test]
async fn while_the_database_is_slow_forms_open_all_the_same_and_the_rest_comes_later() {
    let stage = Stage::new().await;
    let (fake, bob, cleo) = (&stage.fake, stage.bob, stage.cleo);
    let card = stage.question(DAILY).await;
    let form = fake.press(cleo, &card, "Answer").await;
    let held = hold_writer(&stage).await;
    let waiting = fake.submit(cleo, form.modal(), &[("answer", FULL)]).await;
    assert_eq!(waiting.text(), format!("drillbot\nOne moment…\n{FULL}\n[Close]"));
    let acks = fake.acks().len();
    let hint = fake.press(bob, &card, "Hint (−10 points)");
    let release = async {
        // The press is acknowledged long before it is answered.
        fake.wait_for("the press is acknowledged", |model| (model.deliveries.acks.len() > acks).then_some(())).await;
        held.release().await;
    };
    let (hint, ()) = tokio::join!(hint, release);
    assert!(hint.text().contains("Hint 1 of 2"), "{}", hint.text());
    fake.until_screen(cleo, "Saved.").await;
    // Now nothing can be read: a form cannot wait for what stood in it, and says so.
    let readers = join_all((0..3).map(|_| hold_reader(&stage))).await;
    let blank = fake.press(bob, &card, "Answer").await;
    assert_snapshot!(blank.text(), @"
    Your answer
    As you would say it in the interview: [I am slow just now: what you send here replaces what you may have sent before]
    How sure are you?: [Choose: Sure | Fairly sure | A guess | No answer]
    [Send] [Cancel]
    ");
    for reader in readers {
        reader.release().await;
    }
    send(&stage, bob, &blank, FULL).await;
    counted(&stage, "2 people").await;
    stage.end().await;
}

#[tokio::test]
async fn what_became_of_a_form_that_was_closed_meanwhile_is_told_in_the_channel() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let card = stage.question(DAILY).await;
    let form = fake.press(bob, &card, "Answer").await;
    let held = hold_writer(&stage).await;
    fake.submit(bob, form.modal(), &[("answer", FULL)]).await;
    fake.close(bob, form.modal());
    held.release().await;
    let told = fake.until_ephemeral(bob, "Saved.").await;
    assert_eq!(told.spot.channel, stage.channel);
    stage.end().await;
}

#[tokio::test]
async fn a_broken_database_says_so_and_what_was_there_stays() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let card = stage.question(DAILY).await;
    save(&stage, bob, card.spot, PART).await;
    let form = fake.press(bob, &card, "Answer").await;
    change_tables(&stage, "alter table answer_parts rename to answers_elsewhere").await;
    let lost = send(&stage, bob, &form, FULL).await;
    assert_snapshot!(steady(&lost), @"
    Your answer
    I cannot reach my database just now, so nothing was saved. Try again in a moment.
    TOPIC question n: who keeps the state?
    As you would say it in the interview: [Decision, reason, one thing that can go wrong] The backend keeps the state, a lock stops two writers, and versions help to recover.
    How sure are you?: [Choose: Sure | Fairly sure | A guess | No answer]
    [Save changes] [Cancel]
    ");
    let pressed = fake.press(stage.cleo, &card, "Answer").await;
    assert_eq!(pressed.kind, SeenKind::Message { ephemeral: true });
    assert!(pressed.text().contains("Try again in a moment"), "{}", pressed.text());
    change_tables(&stage, "alter table answers_elsewhere rename to answer_parts").await;
    let again = fake.press(bob, &card, "Answer").await;
    assert!(again.text().contains(PART) && !again.text().contains(FULL), "{}", again.text());
    // What is still in the other window can simply be sent.
    let sent = fake.submit(bob, form.modal(), &[]).await;
    assert_eq!(sent.kind, SeenKind::Updated, "{}", sent.text());
    fake.until_screen(bob, "Changed.").await;
    let told = stage.reveal(card.spot).await;
    assert!(points(&told).text().contains("100 of 100 on average"), "{}", points(&told).text());
    stage.end().await;
}

#[tokio::test]
async fn a_form_that_opens_too_late_says_so() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let card = stage.question(DAILY).await;
    fake.with(|model| model.faults.expire_triggers = true);
    let seen = fake.press(stage.bob, &card, "Answer").await;
    assert_eq!(seen.kind, SeenKind::Message { ephemeral: true });
    assert_snapshot!(seen.text(), @"I was too slow to open the form. Try once more.");
    fake.with(|model| model.faults.expire_triggers = false);
    assert_eq!(fake.press(stage.bob, &card, "Answer").await.kind, SeenKind::Modal);
    stage.end().await;
}

#[tokio::test]
async fn many_people_at_once_are_all_answered() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let card = stage.question(DAILY).await;
    let crowd: Vec<Id> = (0..40).map(|n| fake.member(stage.team, &format!("Member {n}"))).collect();
    let saved = join_all(crowd.iter().map(|who| save(&stage, *who, card.spot, FULL))).await;
    assert!(saved.iter().all(|one| one.contains("Saved.")), "{saved:#?}");
    counted(&stage, "40 people").await;
    let drills = join_all(crowd.iter().map(|who| fake.command(*who, stage.channel, "/drill iam"))).await;
    for seen in &drills {
        assert_eq!(seen.kind, SeenKind::Modal, "{}", seen.text());
    }
    let slowest = fake.acks().iter().map(|ack| ack.after).max();
    assert!(slowest < Some(Duration::from_secs(3)), "{slowest:?}");
    let told = stage.reveal(card.spot).await;
    assert!(points(&told).text().contains("40 people answered; 100 of 100 on average"));
    assert!(points(&told).text().contains("everybody") && !told.iter().any(|one| one.text().contains("U0FAKE")));
    stage.end().await;
}

#[tokio::test]
async fn an_answer_gets_through_whatever_happens_to_its_request() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let card = stage.question(DAILY).await;
    for fault in [Fault::CutBeforeRequest, Fault::Status(500), Fault::TooMany { retry_after_s: 2 }] {
        let before = fake.ephemeral_of(bob).len();
        fake.fault("response_url", fault.clone());
        let topics = fake.command(bob, stage.channel, "/topics").await;
        assert!(topics.text().contains("questions in 2 topics"), "{fault:?}: {}", topics.text());
        assert_eq!(fake.ephemeral_of(bob).len(), before + 1, "{fault:?}");
    }
    // The address has ended, or was used up: what was done stays done, once.
    fake.fault("response_url", Fault::Status(404));
    let unseen = fake.press(bob, &card, "Hint (−10 points)");
    let refused = fake.wait_for("it is refused", |model| {
        model.log.iter().any(|one| one.method == "response_url" && one.status == 404).then_some(())
    });
    select(Box::pin(unseen), Box::pin(refused)).await;
    fake.settled().await;
    fake.press(bob, &card, "Hint (−10 points)").await;
    fake.until_ephemeral(bob, "Hint 2 of 2").await;
    fake.press(bob, &card, "Hint (−10 points)").await;
    let all = fake.until_ephemeral(bob, "You have had all the hints").await;
    assert!(all.text().contains("Think of the place."), "all that was paid for: {}", all.text());
    stage.end().await;
}
