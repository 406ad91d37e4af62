//! What members do with the daily question: buttons, forms, shortcuts, and what comes of them when something is slow, broken or late.

use insta::assert_snapshot;
use serde_json::json;

use super::{PATIENCE, Stage};
use crate::fake::slack::{Fault, Id, Seen, SeenKind, Shown, Spot};
use crate::support::eventually;
use crate::world::{FULL, PART, bank};

pub const DAILY: &str = "09:00 zone:Europe/London reveal:8h";

pub async fn counted(stage: &Stage, people: &str) {
    eventually(people, PATIENCE, || async { stage.cards()[0].text().contains(people).then_some(()) }).await;
}

/// Sends an answer by the form of a card, and waits until the form says what became of it.
pub async fn save(stage: &Stage, who: Id, card: Spot, words: &str) -> String {
    let form = stage.fake.press(who, card, "Answer").await;
    assert_eq!(form.kind, SeenKind::Modal, "{}", form.text());
    send(stage, who, &form, words).await
}

pub async fn send(stage: &Stage, who: Id, form: &Seen, words: &str) -> String {
    let sent = stage.fake.submit(who, form.modal(), &[("answer", words)]).await;
    assert_eq!(sent.kind, SeenKind::Updated, "{}", sent.text());
    eventually("the form says what became of it", PATIENCE, || async {
        let shown = stage.fake.form_of(who)?.text().to_owned();
        (!shown.contains("One moment")).then_some(shown)
    })
    .await
}

/// Without what chance decides.
pub fn steady(text: &str) -> String {
    super::drill::steady(text).replace("eks question", "TOPIC question").replace("iam question", "TOPIC question")
}

/// The message with the key points, at the end of a reveal.
pub fn points(told: &[Shown]) -> &Shown {
    told.iter().find(|one| one.text().contains("Key points, and who covered them")).expect("the key points")
}

#[tokio::test]
async fn how_sure_one_is_are_radio_buttons_that_remember() {
    let stage = Stage::dark_with(bank(&[("iam", 1)]), |_| {}).await.started().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let card = stage.question(DAILY).await;
    let send = async |sure: &str| {
        let form = fake.press(bob, &card, "Answer").await;
        let sent = fake.submit(bob, form.modal(), &[("answer", PART), ("How sure are you?", sure)]).await;
        assert_eq!(sent.kind, SeenKind::Updated, "{}", sent.text());
        let settled = fake.until_screen(bob, "until the reveal").await;
        fake.close(bob, settled.id);
        settled.text().to_owned()
    };
    let asked = async || {
        let form = fake.press(bob, &card, "Answer").await;
        fake.close(bob, form.modal());
        let line = form.text().lines().find(|line| line.starts_with("How sure are you?"));
        line.unwrap_or_else(|| panic!("{}", form.text())).to_owned()
    };
    assert_snapshot!(asked().await, @"How sure are you?: [Choose: Sure | Fairly sure | A guess | No answer]");
    send("Sure").await;
    assert_snapshot!(asked().await, @"How sure are you?: [Choose: Sure | Fairly sure | A guess | No answer] Sure");
    let again = send("No answer").await;
    assert!(again.contains("Changed.") && !again.contains("not noted"), "{again}");
    assert_snapshot!(asked().await, @"How sure are you?: [Choose: Sure | Fairly sure | A guess | No answer]");
    send("sure").await;
    let told = stage.reveal(card.spot).await;
    let mine = fake.press(bob, points(&told), "My result").await;
    assert!(mine.text().contains("You were sure, and two points were missing."), "{}", mine.text());
    stage.end().await;
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
    How sure are you?: [Choose: Sure | Fairly sure | A guess | No answer]
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
    [My result] [Flag]
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
    Did you say it, and I did not see it? Claim the point: somebody else looks at your words, without your name.
    [Claim: A lock stops two writers] [Claim: Versions help to recover] [Review an answer] [Flag]
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
    How sure are you?: [Choose: Sure | Fairly sure | A guess | No answer]
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
