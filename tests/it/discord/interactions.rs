//! What members do and see: commands, buttons, forms, threads, results.

use std::time::Duration;

use futures_util::future::join_all;
use insta::assert_snapshot;
use serde_json::json;

use super::{PATIENCE, Stage};
use crate::fake::discord::{Fault, Id, Kind, Seen, Shown};
use crate::support::eventually;
use crate::world::{FULL, PART, bank};

async fn open(stage: &Stage, settings: &str) -> (Shown, Id) {
    let card = stage.question(&format!("time:09:00 zone:Europe/London reveal:8h {settings}")).await;
    let thread = stage.thread(&card).await;
    (card, thread)
}

async fn counted(stage: &Stage, people: &str) {
    eventually(people, PATIENCE, || async { stage.cards(stage.channel)[0].text().contains(people).then_some(()) })
        .await;
}

async fn save(stage: &Stage, who: Id, card: Id, words: &str) -> Seen {
    let form = stage.fake.press(who, card, "Answer").await;
    stage.fake.submit(who, form.modal(), &[("answer", words)]).await
}

/// Keeps SQLite's one writer busy.
fn hold_writer(stage: &Stage, lasting: Duration) -> tokio::task::JoinHandle<()> {
    let store = stage.app.store.clone();
    tokio::spawn(async move {
        let held = store.write("hold the database", move |_| {
            Box::pin(async move {
                tokio::time::sleep(lasting).await;
                Ok(())
            })
        });
        held.await.expect("the database is let go");
    })
}

/// Keeps all connections for reading busy.
async fn hold_readers(stage: &Stage, lasting: Duration) {
    for _ in 0..3 {
        let store = stage.app.store.clone();
        tokio::spawn(async move {
            let held = store.read("hold a reader", move |_| {
                Box::pin(async move {
                    tokio::time::sleep(lasting).await;
                    Ok(())
                })
            });
            held.await.expect("the reader is let go");
        });
    }
    tokio::task::yield_now().await;
}

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
    stage.end().await;
}

#[tokio::test]
async fn how_sure_one_is_is_typed_and_a_wrong_word_costs_nothing() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let (card, thread) = open(&stage, "").await;
    let send = async |sure: &str| {
        let form = fake.press(bob, card.id, "Answer").await;
        let saved = fake.submit(bob, form.modal(), &[("answer", PART), ("confidence", sure)]).await;
        super::commands::settled(saved.text())
    };
    let asked = async || {
        let form = fake.press(bob, card.id, "Answer").await;
        form.text().lines().last().unwrap_or_default().to_owned()
    };
    assert_snapshot!(asked().await, @"How sure are you?: 1 Sure, 2 Fairly sure, 3 A guess");
    assert_snapshot!(send("abs. sure").await, @r#"
    Saved. You can change it with the Answer button until the reveal, <in a while>.
    -# How sure you are is not noted: I do not understand "abs. sure"; there is "Sure", "Fairly sure" and "A guess". Everything else is saved.
    "#);
    assert_snapshot!(asked().await, @"How sure are you?: 1 Sure, 2 Fairly sure, 3 A guess");
    send("1").await;
    assert_snapshot!(asked().await, @"How sure are you?: Sure");
    // What stands in it is sent again as it is.
    send("Sure").await;
    let told = stage.reveal(thread).await;
    let mine = fake.press(bob, told.last().expect("the key points").id, "My result").await;
    assert!(mine.text().contains("You were sure, and two points were missing."), "{}", mine.text());
    let drill = fake.command(bob, stage.channel, "/drill topic:iam count:1").await;
    let form = fake.press(bob, drill.message.expect("the drill"), "Answer").await;
    let graded = fake.submit(bob, form.modal(), &[("answer", PART), ("confidence", "guess")]).await;
    assert!(graded.text().contains("50 of 100") && !graded.text().contains("not noted"), "{}", graded.text());
    let me = fake.command(bob, stage.channel, "/me").await;
    assert_snapshot!(me.text().split("How sure, how right").nth(1).unwrap_or_default().replace(|c: char| c.is_ascii_digit(), "n").replace("eks", "iam").replace("EKS", "IAM"), @"
    **
    ```
    You said  Answers  Of nnn
    Sure            n      nn
    A guess         n      nn
    ```

    **Confident but wrong**
    • iam question n: who keeps the state? — nn of nnn. Again: `/drill question:iam-n`
    -# `/me action:delete` erases everything I know about you.
    [Drill IAM (nn of nnn)]
    ");
    stage.end().await;
}

#[tokio::test]
async fn an_answer_can_be_changed_until_the_reveal_and_comes_late_after_it() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let (card, thread) = open(&stage, "").await;
    let seen = card.text().replace(|c: char| c.is_ascii_digit(), "n").replace("EKS", "IAM").replace("eks", "iam");
    let level = ["beginner", "intermediate", "advanced"].iter().fold(seen, |text, level| text.replace(level, "LEVEL"));
    assert_snapshot!(level, @"
    **iam question n: who keeps the state?**
    -# Two colleagues press apply in the same minute.
    Topic: IAM
    Level: LEVEL
    Answered: nobody yet
    Reveal: <t:nnnnnnnnnn:F>, <t:nnnnnnnnnn:R>
    Answer in the thread, or in private with the button. A hint is private and costs nn points.
    [Answer] [Hint (−nn points)]
    ");
    assert_eq!(fake.press(stage.bob, card.id, "My result").await.kind, Kind::Refused, "there is no such button yet");
    let form = fake.press(stage.bob, card.id, "Answer").await;
    assert_snapshot!(form.text().replace(|c: char| c.is_ascii_digit(), "n").replace("eks", "iam"), @"
    Your answer
    As you would say it in the interview: iam question n: who keeps the state?
    How sure are you?: n Sure, n Fairly sure, n A guess
    ");
    let saved = fake.submit(stage.bob, form.modal(), &[("answer", "Only the plan.")]).await;
    assert_snapshot!(super::commands::settled(saved.text()), @"Saved. You can change it with the Answer button until the reveal, <in a while>.");
    let again = fake.press(stage.bob, card.id, "Answer").await;
    assert!(again.text().contains("Only the plan."), "{}", again.text());
    let changed = fake.submit(stage.bob, again.modal(), &[("answer", FULL)]).await;
    assert_snapshot!(super::commands::settled(changed.text()), @"Changed. You can change it again with the Answer button until the reveal, <in a while>.");
    let empty = save(&stage, stage.cleo, card.id, "…").await;
    assert_snapshot!(empty.text(), @"There is nothing in it yet. Write one sentence at least; you can change it until the reveal.");
    counted(&stage, "1 person").await;
    // Two forms stand open on Cleo's screen while the question closes.
    let late = fake.press(stage.cleo, card.id, "Answer").await;
    let told = stage.reveal(thread).await;
    let late = fake.submit(stage.cleo, late.modal(), &[("answer", FULL)]).await;
    assert_snapshot!(late.text(), @"This question is closed, so your answer scores nothing. It is kept and marked as late; the thread is still open to talk.");
    let last = told.last().expect("the key points");
    let nothing = fake.press(stage.cleo, last.id, "My result").await;
    assert!(nothing.text().contains("You did not answer"), "{}", nothing.text());
    let mine = fake.press(stage.bob, last.id, "My result").await;
    assert_eq!(mine.kind, Kind::Message { ephemeral: true });
    let mine = mine.text().replace(|c: char| c.is_ascii_digit(), "n").replace("eks", "iam");
    let mine = ["beginner", "intermediate", "advanced"].iter().fold(mine, |text, level| text.replace(level, "LEVEL"));
    assert_snapshot!(mine, @"
    **Your result**
    **nnn of nnn, worth nnn points**
    -# iam question n: who keeps the state?

    **You said**
    ✓ The `backend` keeps the state
    ✓ A lock stops two writers
    ✓ Versions help to recover

    **Your answer**
    > The __backend__ keeps the __state__, a __lock__ stops two writers, and __versions__ help to recover.
    -# Underlined: the words that counted.
    [Flag]
    ");
    stage.end().await;
}

#[tokio::test]
async fn a_hint_is_private_and_charged_once() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let (card, thread) = open(&stage, "").await;
    fake.with(|model| model.faults.double_events = 1);
    let hint = fake.press(stage.bob, card.id, "Hint (−10 points)").await;
    assert_eq!(hint.kind, Kind::Message { ephemeral: true });
    assert_snapshot!(hint.text(), @"
    **Hint 1 of 2**
    Think of the place.
    -# This cost you 10 points; so does the next one. Taken so far: 1 of 2.
    ");
    assert_eq!(fake.ephemeral_of(stage.bob).len(), 1, "the event came twice");
    assert!(fake.ephemeral_of(stage.cleo).is_empty());
    save(&stage, stage.bob, card.id, FULL).await;
    let told = stage.reveal(thread).await;
    let mine = fake.press(stage.bob, told.last().expect("the key points"), "My result").await;
    assert!(mine.text().contains("90 of 100 (100 − 10 for 1 hint)"), "{}", mine.text());
    stage.end().await;
}

#[tokio::test]
async fn old_buttons_answer_politely() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let (card, _) = open(&stage, "").await;
    for (action, words) in [
        ("vote:1", "This button is from an older version of me."),
        ("answer:gone", "I do not know this question any more."),
        ("hint:gone", "I do not know this question any more."),
        ("result:gone", "I do not know this question any more."),
        ("drill:gone:0:next", "This drill is not there any more."),
        ("drill:gone:0:answer", "This drill is not there any more."),
        ("run:/nonsense", "There is no command /nonsense."),
    ] {
        fake.with(|model| {
            model.messages.get_mut(&card.id).expect("the card").components[0]["components"][0]["custom_id"] =
                json!(action);
        });
        let seen = fake.press(stage.bob, card.id, "Answer").await;
        assert_eq!(seen.kind, Kind::Message { ephemeral: true }, "{action}");
        assert!(seen.text().contains(words), "{action}: {}", seen.text());
    }
    stage.end().await;
}

#[tokio::test]
async fn a_message_in_the_thread_becomes_the_answer_of_its_author_only() {
    const SAVE: &str = "Save as my answer";
    for reads_threads in [true, false] {
        let stage = Stage::dark_with(bank(&[("iam", 6)]), |settings| settings.read_threads = reads_threads).await;
        let stage = stage.started().await;
        let fake = &stage.fake;
        let (card, thread) = open(&stage, "").await;
        if !reads_threads {
            let help = fake.command(stage.bob, stage.channel, "/help").await;
            assert!(help.text().contains(SAVE) && !help.text().contains("📥"), "{}", help.text());
            assert!(card.text().contains(SAVE), "{}", card.text());
        }
        let message = fake.write(stage.bob, thread, FULL);
        let saved = fake.message_command(stage.bob, message, SAVE).await;
        assert_eq!(saved.kind, Kind::Message { ephemeral: true });
        assert!(saved.text().contains("Saved: this message counts as your answer."), "{}", saved.text());
        assert!(fake.message_command(stage.bob, message, SAVE).await.text().contains("Saved"), "once more is the same");
        let strange = fake.message_command(stage.cleo, message, SAVE).await;
        assert!(strange.text().contains("Somebody else wrote this message."), "{}", strange.text());
        let beside = fake.write(stage.cleo, stage.channel, FULL);
        let beside = fake.message_command(stage.cleo, beside, SAVE).await;
        assert!(beside.text().contains("not in the thread of a question"), "{}", beside.text());
        let of_bot = fake.message_command(stage.cleo, card.id, SAVE).await;
        assert!(
            of_bot.text().contains("not in the thread") || of_bot.text().contains("Somebody else"),
            "{}",
            of_bot.text()
        );
        counted(&stage, "1 person").await;
        let told = stage.reveal(thread).await;
        let points = told.last().expect("the key points");
        assert!(points.text().contains("1 person answered; 100 of 100"), "{}", points.text());
        let mine = fake.press(stage.bob, points, "My result").await;
        assert_eq!(mine.text().matches("versions").count(), 1, "it counts once: {}", mine.text());
        let late = fake.write(stage.cleo, thread, FULL);
        let late = fake.message_command(stage.cleo, late, SAVE).await;
        assert!(late.text().contains("This question is closed."), "{}", late.text());
        stage.end().await;
    }
}

#[tokio::test]
async fn who_is_erased_does_not_come_back_with_what_still_stands_in_the_thread() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let (card, thread) = open(&stage, "").await;
    let (old, saved_again) = (fake.write(stage.bob, thread, FULL), fake.write(stage.cleo, thread, FULL));
    save(&stage, stage.bob, card.id, FULL).await;
    counted(&stage, "2 people").await;
    for who in [stage.bob, stage.cleo] {
        let asked = fake.command(who, stage.channel, "/me action:delete").await;
        assert!(asked.text().contains("[Erase my data]"), "{}", asked.text());
        let done = fake.press(who, &asked, "Erase my data").await;
        assert!(done.text().contains("I know nothing about you any more."), "{}", done.text());
    }
    counted(&stage, "nobody yet").await;
    // An edit of what was erased is no answer; what is written afterwards is, and so is an old message saved on purpose.
    fake.edit(old, PART);
    fake.write(stage.bob, thread, PART);
    let saved = fake.message_command(stage.cleo, saved_again, "Save as my answer").await;
    assert!(saved.text().contains("Saved"), "{}", saved.text());
    counted(&stage, "2 people").await;
    let told = stage.reveal(thread).await;
    let points = told.last().expect("the key points");
    assert!(points.text().contains("2 people answered; 75 of 100"), "{}", points.text());
    let mine = fake.press(stage.bob, points, "My result").await;
    assert!(mine.text().contains("50 of 100"), "{}", mine.text());
    stage.end().await;
}

#[tokio::test]
async fn nothing_is_left_of_who_is_erased_and_writes_no_more() {
    let mut stage = Stage::new().await;
    let (_, thread) = open(&stage, "").await;
    stage.fake.write(stage.bob, thread, FULL);
    counted(&stage, "1 person").await;
    let asked = stage.fake.command(stage.bob, stage.channel, "/me action:delete").await;
    stage.fake.press(stage.bob, &asked, "Erase my data").await;
    // Nor does a restart, which reads the threads again, bring him back.
    stage.crash().await;
    stage.come_back().await;
    let told = stage.reveal(thread).await;
    let last = told.last().expect("the key points").id;
    let all: String = told.iter().filter(|one| one.author_id != stage.bob).map(|one| one.text().to_owned()).collect();
    assert!(all.contains("Nobody answered this time.") && !all.contains("Bob"), "{all}");
    let mine = stage.fake.press(stage.bob, last, "My result").await;
    assert!(mine.text().contains("You did not answer"), "{}", mine.text());
    let me = stage.fake.command(stage.bob, stage.channel, "/me").await;
    assert!(me.text().contains("nothing yet"), "{}", me.text());
    stage.end().await;
}

#[tokio::test]
async fn while_the_database_is_slow_the_first_response_comes_in_time_and_the_rest_later() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let (card, _) = open(&stage, "").await;
    let drill = fake.command(bob, stage.channel, "/drill topic:iam count:3").await.message.expect("the drill");
    let form = fake.press(stage.cleo, card.id, "Answer").await;
    let held = hold_writer(&stage, Duration::from_millis(3_500));
    tokio::time::sleep(Duration::from_millis(20)).await;
    let (hint, saved, begun, pressed, blank) = tokio::join!(
        fake.press(bob, card.id, "Hint (−10 points)"),
        fake.submit(stage.cleo, form.modal(), &[("answer", FULL)]),
        fake.command(stage.ann, stage.channel, "/drill topic:eks"),
        fake.press(bob, drill, "Skip"),
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            fake.press(bob, drill, "Answer").await
        },
    );
    for (seen, words) in [(&hint, "Hint 1 of 2"), (&saved, "Saved."), (&begun, "question 1 of 3")] {
        assert_eq!(seen.kind, Kind::Deferred { ephemeral: true }, "{}", seen.text());
        assert!(seen.text().contains(words), "{}", seen.text());
    }
    assert_eq!(pressed.kind, Kind::Update);
    assert!(pressed.text().contains("question 2 of 3"), "{}", pressed.text());
    // A form cannot come later: it opens empty, and says that it is.
    assert_eq!(blank.kind, Kind::Modal);
    const WARNING: &str = "replaces what you may have sent before";
    let warnings = || fake.with(|model| model.log.iter().filter(|one| one.body.to_string().contains(WARNING)).count());
    assert_eq!(warnings(), 1);
    held.await.expect("held");
    // Now the readers hang.
    hold_readers(&stage, Duration::from_secs(3)).await;
    let (form, board) =
        tokio::join!(fake.press(bob, card.id, "Answer"), fake.command(bob, stage.channel, "/leaderboard"));
    assert_eq!((&form.kind, warnings()), (&Kind::Modal, 2));
    assert_eq!(board.kind, Kind::Deferred { ephemeral: true });
    let saved = fake.submit(bob, form.modal(), &[("answer", FULL)]).await;
    assert!(saved.text().contains("Saved."), "{}", saved.text());
    counted(&stage, "2 people").await;
    stage.end().await;
}

#[tokio::test]
async fn a_broken_database_says_so_and_what_was_there_stays() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let (card, thread) = open(&stage, "").await;
    save(&stage, stage.bob, card.id, PART).await;
    let form = fake.press(stage.bob, card.id, "Answer").await;
    let run = |sql: &'static str| {
        let store = stage.app.store.clone();
        async move {
            let changed = store.write("break or mend", move |conn| {
                Box::pin(async move {
                    sqlx::query(sql).execute(conn).await?;
                    Ok(())
                })
            });
            changed.await.expect("the table can be renamed");
        }
    };
    run("alter table answer_parts rename to answers_elsewhere").await;
    let lost = fake.submit(stage.bob, form.modal(), &[("answer", FULL)]).await;
    assert_snapshot!(lost.text(), @"I cannot reach my database just now, so nothing was saved. Try again in a moment.");
    let pressed = fake.press(stage.cleo, card.id, "Answer").await;
    assert!(pressed.text().contains("Try again in a moment"), "{}", pressed.text());
    run("alter table answers_elsewhere rename to answer_parts").await;
    let again = fake.press(stage.bob, card.id, "Answer").await;
    assert!(again.text().contains(PART), "{}", again.text());
    fake.submit(stage.bob, again.modal(), &[("answer", FULL)]).await;
    let told = stage.reveal(thread).await;
    assert!(told.last().expect("the key points").text().contains("100 of 100 on average"));
    stage.end().await;
}

#[tokio::test]
async fn many_people_at_once_all_get_their_first_response_in_time() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let (card, thread) = open(&stage, "").await;
    let crowd: Vec<Id> =
        (0..40).map(|n| fake.member(stage.guild, &format!("Member {n}"), super::Permissions::empty())).collect();
    let forms = join_all(crowd.iter().map(|who| fake.press(*who, card.id, "Answer"))).await;
    let sent = forms.iter().zip(&crowd).map(|(form, who)| fake.submit(*who, form.modal(), &[("answer", FULL)]));
    let saved = join_all(sent).await;
    let drills = join_all(crowd.iter().map(|who| fake.command(*who, stage.channel, "/drill topic:iam"))).await;
    for seen in forms.iter().chain(&saved).chain(&drills) {
        assert!(seen.kind != Kind::Nothing, "{}", seen.text());
    }
    counted(&stage, "40 people").await;
    let told = stage.reveal(thread).await;
    assert!(told.last().expect("the key points").text().contains("40 people answered; 100 of 100 on average"));
    stage.end().await;
}

#[tokio::test]
async fn a_first_response_gets_through_whatever_happens_to_its_request() {
    const CALLBACK: &str = "/interactions/{interaction_id}/{interaction_token}/callback";
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let (card, thread) = open(&stage, "").await;
    let slow = Fault::TooMany { retry_after: Duration::from_millis(300), global: false, scope: "user" };
    for fault in [Fault::CutAfterRequest, Fault::CutBeforeRequest, Fault::Status(500, json!({})), slow] {
        fake.fault("POST", CALLBACK, fault.clone());
        let drill = fake.command(bob, stage.channel, "/drill topic:iam count:2").await;
        assert_eq!(drill.kind, Kind::Message { ephemeral: true }, "{fault:?}: {}", drill.text());
        fake.fault("POST", CALLBACK, fault.clone());
        let next = fake.press(bob, &drill, "Skip").await;
        assert_eq!(next.kind, Kind::Update, "{fault:?}: {}", next.text());
        assert!(next.text().contains("question 2 of 2"), "{fault:?}: {}", next.text());
    }
    // Too late: nobody sees it, and what was done stays done, once.
    fake.fault("POST", CALLBACK, Fault::Status(404, json!({ "code": 10_062, "message": "Unknown interaction" })));
    fake.with(|model| model.timing.first_response = Duration::from_millis(500));
    let unseen = fake.press(bob, card.id, "Hint (−10 points)").await;
    assert_eq!(unseen.kind, Kind::Nothing);
    fake.with(|model| model.timing.first_response = Duration::from_secs(3));
    let second = fake.press(bob, card.id, "Hint (−10 points)").await;
    assert!(second.text().contains("Hint 2 of 2"), "{}", second.text());
    let shown = fake.press(bob, card.id, "Hint (−10 points)").await;
    assert!(shown.text().contains("Think of the place."), "all that was paid for: {}", shown.text());
    save(&stage, bob, card.id, FULL).await;
    let told = stage.reveal(thread).await;
    let mine = fake.press(bob, told.last().expect("the key points"), "My result").await;
    assert!(mine.text().contains("80 of 100"), "{}", mine.text());
    stage.end().await;
}
