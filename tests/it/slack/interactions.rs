//! What members do with the daily question: buttons, forms, shortcuts, and what comes of them when something is slow, broken or late.

use std::time::Duration;

use futures_util::future::join_all;
use insta::assert_snapshot;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{PATIENCE, Stage};
use crate::fake::slack::{Fault, Id, Seen, SeenKind, Shown, Spot};
use crate::support::eventually;
use crate::world::{FULL, PART, bank};

pub const DAILY: &str = "09:00 zone:Europe/London reveal:8h";

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

async fn counted(stage: &Stage, people: &str) {
    eventually(people, PATIENCE, || async { stage.cards()[0].text().contains(people).then_some(()) }).await;
}

/// Sends an answer by the form of a card, and waits until the form says what became of it.
pub async fn save(stage: &Stage, who: Id, card: Spot, words: &str) -> String {
    let form = stage.fake.press(who, card, "Answer").await;
    assert_eq!(form.kind, SeenKind::Modal, "{}", form.text());
    send(stage, who, &form, words).await
}

async fn send(stage: &Stage, who: Id, form: &Seen, words: &str) -> String {
    let sent = stage.fake.submit(who, form.modal(), &[("answer", words)]).await;
    assert_eq!(sent.kind, SeenKind::Updated, "{}", sent.text());
    eventually("the form says what became of it", PATIENCE, || async {
        let shown = stage.fake.form_of(who)?.text().to_owned();
        (!shown.contains("One moment")).then_some(shown)
    })
    .await
}

/// Without what chance decides.
fn steady(text: &str) -> String {
    super::drill::steady(text).replace("eks question", "TOPIC question").replace("iam question", "TOPIC question")
}

/// The message with the key points, at the end of a reveal.
fn points(told: &[Shown]) -> &Shown {
    told.iter().find(|one| one.text().contains("Key points, and who covered them")).expect("the key points")
}

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
    assert_snapshot!(form.text(), @"
    Your answer
    iam question 1: who keeps the state?
    As you would say it in the interview: [Decision, reason, one thing that can go wrong]
    [Send] [Cancel]
    ");
    send(&stage, stage.bob, &form, FULL).await;
    let saved = fake.form_of(stage.bob).expect("the modal stays");
    assert_eq!(saved.dates, card.dates, "the reveal");
    let words = "Saved. You can change it with the Answer button until the reveal, <an instant>.";
    assert!(saved.settled().contains(words), "{}", saved.settled());
    let written = fake.reply(stage.cleo, card.spot, PART);
    fake.until_reaction(written, "inbox_tray").await;
    counted(&stage, "2 people").await;
    let told = stage.reveal(card.spot).await;
    assert_snapshot!(points(&told).text(), @"
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
    assert!(told.iter().all(|one| !one.broadcast));
    let mine = fake.press(stage.cleo, points(&told), "My result").await;
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
    // It stands where it was asked for: in the thread, or in the channel.
    let place = |seen: &Seen| fake.shown(seen.message.expect("a message")).expect("the message").thread;
    assert_eq!(place(&mine), Some(card.spot));
    fake.until(stage.channel, "Closed; the answer is in the thread").await;
    let hers = fake.press(stage.bob, &card, "My result").await;
    assert!(hers.text().contains("100 of 100"), "{}", hers.text());
    assert_eq!(place(&hers), None);
    let board = fake.command(stage.ann, stage.channel, "/leaderboard").await;
    assert!(board.text().contains("Bob") && board.text().contains("Cleo"), "{}", board.text());
    stage.end().await;
}

#[tokio::test]
async fn an_answer_can_be_changed_until_the_reveal_and_comes_late_after_it() {
    let stage = Stage::new().await;
    let (fake, bob, cleo) = (&stage.fake, stage.bob, stage.cleo);
    let card = stage.question(DAILY).await;
    assert_eq!(fake.press(bob, &card, "My result").await.kind, SeenKind::Refused, "there is no such button yet");
    let saved = save(&stage, bob, card.spot, "Only the <plan> & *this*.").await;
    assert!(saved.contains("Saved. You can change it"), "{saved}");
    let again = fake.press(bob, &card, "Answer").await;
    assert!(again.text().contains("Only the <plan> & *this*.") && again.text().contains("[Save changes]"));
    let changed = send(&stage, bob, &again, FULL).await;
    assert!(changed.contains("Changed. You can change it again"), "{changed}");
    // What is known at once to be no answer is said in the form, and stays in it.
    let form = fake.press(cleo, &card, "Answer").await;
    let empty = fake.submit(cleo, form.modal(), &[("answer", "…")]).await;
    assert_eq!(empty.kind, SeenKind::Errors, "{}", empty.text());
    assert_snapshot!(steady(empty.text()), @"
    Your answer
    TOPIC question n: who keeps the state?
    As you would say it in the interview: [Decision, reason, one thing that can go wrong] …
    ! There is nothing in it yet. Write one sentence at least; you can change it until the reveal.
    [Send] [Cancel]
    ");
    let long = "a".repeat(3_001);
    assert_eq!(fake.submit(cleo, form.modal(), &[("answer", &long)]).await.kind, SeenKind::Refused);
    let longest = send(&stage, cleo, &form, &long[1..]).await;
    assert!(longest.contains("Saved."), "{longest}");
    assert!(fake.press(cleo, &card, "Answer").await.text().contains(&long[1..]));
    counted(&stage, "2 people").await;
    // A form stands open on Ann's screen while the question closes.
    let late = fake.press(stage.ann, &card, "Answer").await;
    let told = stage.reveal(card.spot).await;
    let late = send(&stage, stage.ann, &late, FULL).await;
    assert!(late.contains("This question is closed, so your answer scores nothing."), "{late}");
    let nothing = fake.press(stage.ann, points(&told), "My result").await;
    assert!(nothing.text().contains("You did not answer"), "{}", nothing.text());
    let mine = fake.press(bob, points(&told), "My result").await;
    assert!(mine.text().contains("100 of 100"), "{}", mine.text());
    stage.end().await;
}

#[tokio::test]
async fn a_hint_is_private_and_charged_once() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let card = stage.question(DAILY).await;
    fake.with(|model| model.faults.double_interactions = 1);
    let hint = fake.press(bob, &card, "Hint (−10 points)").await;
    assert_eq!(hint.kind, SeenKind::Message { ephemeral: true });
    assert_snapshot!(hint.text(), @"
    Hint 1 of 2
    Think of the place.
    This cost you 10 points; so does the next one. Taken so far: 1 of 2.
    ");
    fake.settled().await;
    save(&stage, bob, card.spot, FULL).await;
    // Only the commands of an organiser were answered beside it.
    assert_eq!(fake.ephemeral_of(bob).len(), 1, "the press came twice");
    assert!(fake.ephemeral_of(stage.cleo).is_empty());
    let told = stage.reveal(card.spot).await;
    let mine = fake.press(bob, points(&told), "My result").await;
    assert!(mine.text().contains("90 of 100 (100 − 10 for 1 hint)"), "{}", mine.text());
    stage.end().await;
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
async fn old_buttons_answer_politely() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let card = stage.question(DAILY).await;
    for (action, words) in [
        ("vote:1", "This button is from an older version of me."),
        ("answer:gone", "I do not know this question any more."),
        ("hint:gone", "I do not know this question any more."),
        ("result:gone", "I do not know this question any more."),
        ("drill:gone:0:next", "This drill is not there any more."),
        ("drill:gone:0:answer", "This drill is not there any more."),
        ("run:/nonsense", "There is no command /nonsense."),
        ("run:/daily pause", "/daily is for this channel's organisers"),
    ] {
        fake.with(|model| {
            let blocks = &mut model.messages.get_mut(&card.spot).expect("the card").blocks;
            blocks.last_mut().expect("the buttons")["elements"][0]["action_id"] = json!(action);
        });
        let seen = fake.press(stage.bob, &card, "Answer").await;
        assert_eq!(seen.kind, SeenKind::Message { ephemeral: true }, "{action}");
        assert!(seen.text().contains(words), "{action}: {}", seen.text());
    }
    // A form that no version knows.
    fake.with(|model| {
        let blocks = &mut model.messages.get_mut(&card.spot).expect("the card").blocks;
        blocks.last_mut().expect("the buttons")["elements"][0]["action_id"] = json!("run:/drill");
    });
    let form = fake.press(stage.bob, &card, "Answer").await;
    assert_eq!(form.kind, SeenKind::Modal, "{}", form.text());
    fake.with(|model| model.views.get_mut(&form.modal()).expect("the form").form["callback_id"] = json!("form:vote"));
    fake.submit(stage.bob, form.modal(), &[]).await;
    fake.until_screen(stage.bob, "This button is from an older version of me.").await;
    stage.end().await;
}

#[tokio::test]
async fn the_buttons_of_a_closed_question_say_that_it_is_closed() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let card = stage.question(DAILY).await;
    let buttons = fake.with(|model| model.messages[&card.spot].blocks.last().expect("the buttons").clone());
    stage.reveal(card.spot).await;
    fake.until(stage.channel, "Closed; the answer is in the thread").await;
    // As somebody sees it whose client has not heard of the change.
    fake.with(|model| {
        *model.messages.get_mut(&card.spot).expect("the card").blocks.last_mut().expect("buttons") = buttons
    });
    for button in ["Answer", "Hint (−10 points)"] {
        let seen = fake.press(stage.bob, &card, button).await;
        assert_eq!(seen.kind, SeenKind::Message { ephemeral: true }, "{button}");
        assert!(seen.text().contains("This question is closed."), "{button}: {}", seen.text());
    }
    stage.end().await;
}

#[tokio::test]
async fn a_message_in_the_thread_becomes_the_answer_of_its_author_only() {
    const SAVE: &str = "save_as_answer";
    let stage = Stage::new().await;
    let (fake, bob, cleo) = (&stage.fake, stage.bob, stage.cleo);
    let card = stage.question(DAILY).await;
    let message = fake.reply(bob, card.spot, FULL);
    let saved = fake.shortcut(bob, message, SAVE).await;
    assert_eq!(saved.kind, SeenKind::Message { ephemeral: true });
    assert!(saved.text().contains("Saved: this message counts as your answer."), "{}", saved.text());
    assert!(fake.shortcut(bob, message, SAVE).await.text().contains("Saved"), "once more is the same");
    let beside = fake.write(cleo, stage.channel, FULL);
    let alone = fake.write(cleo, stage.channel, "Shall we go?");
    let in_other_thread = fake.reply(cleo, alone, FULL);
    for (who, what, words) in [
        (cleo, message, "Somebody else wrote this message."),
        (cleo, beside, "not in the thread of a question"),
        (cleo, in_other_thread, "not in the thread of a question"),
        (cleo, alone, "not in the thread of a question"),
        (cleo, card.spot, "Somebody else wrote this message."),
    ] {
        let before = fake.ephemeral_of(who).len();
        fake.shortcut(who, what, SAVE).await;
        let told = eventually(words, PATIENCE, || async { fake.ephemeral_of(who).into_iter().nth(before) }).await;
        assert!(told.text().contains(words), "{words}: {}", told.text());
    }
    counted(&stage, "1 person").await;
    let told = stage.reveal(card.spot).await;
    assert!(points(&told).text().contains("1 person answered; 100 of 100"), "{}", points(&told).text());
    let mine = fake.press(bob, points(&told), "My result").await;
    assert_eq!(mine.text().matches("versions").count(), 1, "it counts once: {}", mine.text());
    let late = fake.reply(cleo, card.spot, FULL);
    let late = fake.shortcut(cleo, late, SAVE).await;
    assert!(late.text().contains("This question is closed."), "{}", late.text());
    stage.end().await;
}

#[tokio::test]
async fn a_saved_message_of_a_private_question_is_its_form() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let card = stage.question(&format!("{DAILY} answers:private")).await;
    let empty = fake.shortcut(bob, fake.reply(bob, card.spot, "👍"), "save_as_answer").await;
    assert!(empty.text().contains("There is nothing in it yet."), "{}", empty.text());
    let message = fake.reply(bob, card.spot, FULL);
    let saved = fake.shortcut(bob, message, "save_as_answer").await;
    assert!(saved.text().contains("Saved. You can change it with the Answer button"), "{}", saved.text());
    let form = fake.press(bob, &card, "Answer").await;
    assert!(form.text().contains(FULL), "{}", form.text());
    counted(&stage, "1 person").await;
    stage.end().await;
}

#[tokio::test]
async fn who_is_erased_does_not_come_back_with_what_still_stands_in_the_thread() {
    let stage = Stage::new().await;
    let (fake, bob, cleo) = (&stage.fake, stage.bob, stage.cleo);
    let card = stage.question(DAILY).await;
    let old = fake.reply(bob, card.spot, FULL);
    save(&stage, cleo, card.spot, FULL).await;
    counted(&stage, "2 people").await;
    for who in [bob, cleo] {
        let asked = fake.command(who, stage.channel, "/about-me delete").await;
        assert_eq!(asked.kind, SeenKind::Message { ephemeral: true });
        assert!(asked.text().contains("[Erase my data]"), "{}", asked.text());
        let done = fake.press(who, &asked, "Erase my data").await;
        assert!(done.text().contains("I know nothing about you any more."), "{}", done.text());
    }
    counted(&stage, "nobody yet").await;
    // An edit of what was erased is no answer; what is saved on purpose is.
    fake.edit(old, PART);
    let saved = fake.shortcut(bob, old, "save_as_answer").await;
    assert!(saved.text().contains("Saved"), "{}", saved.text());
    counted(&stage, "1 person").await;
    let told = stage.reveal(card.spot).await;
    assert!(points(&told).text().contains("1 person answered; 50 of 100"), "{}", points(&told).text());
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
    futures_util::future::select(Box::pin(unseen), Box::pin(refused)).await;
    fake.settled().await;
    fake.press(bob, &card, "Hint (−10 points)").await;
    fake.until_ephemeral(bob, "Hint 2 of 2").await;
    fake.press(bob, &card, "Hint (−10 points)").await;
    let all = fake.until_ephemeral(bob, "You have had all the hints").await;
    assert!(all.text().contains("Think of the place."), "all that was paid for: {}", all.text());
    stage.end().await;
}

#[tokio::test]
async fn a_reveal_is_shown_in_the_channel_too_where_the_settings_say_so() {
    let stage = Stage::dark_with(bank(&[("iam", 1)]), |settings| settings.broadcast_reveal = true).await;
    let stage = stage.started().await;
    let fake = &stage.fake;
    let card = stage.question(DAILY).await;
    save(&stage, stage.bob, card.spot, FULL).await;
    // Posted, but nobody says so: it is looked for, found, and not posted again.
    fake.fault("chat.postMessage", Fault::CutAfterRequest);
    let told = stage.reveal(card.spot).await;
    let also: Vec<&str> = told.iter().filter(|one| one.broadcast).map(Shown::text).collect();
    assert_eq!(also.len(), 1, "{also:#?}");
    assert!(also[0].starts_with("Model answer"), "{also:#?}");
    let in_channel = fake.messages(stage.channel);
    assert_eq!(in_channel.iter().filter(|one| one.text().contains("Model answer")).count(), 1, "{}", fake.all_text());
    assert_eq!(told.iter().filter(|one| one.text().contains("Model answer")).count(), 1);
    // Its author is erased: it is edited, and stays in the channel.
    let asked = fake.command(stage.bob, stage.channel, "/about-me delete").await;
    fake.press(stage.bob, &asked, "Erase my data").await;
    eventually("nobody is named any more", PATIENCE, || async {
        let told = fake.replies(card.spot);
        (!told.iter().any(|one| one.text().contains("Bob"))).then_some(())
    })
    .await;
    assert!(fake.replies(card.spot).iter().any(|one| one.broadcast), "{}", fake.all_text());
    stage.end().await;
}
