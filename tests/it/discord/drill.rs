//! `/drill` on Discord: one private message that moves on.

use insta::assert_snapshot;

use super::Stage;
use crate::fake::discord::{Id, Kind, Seen};
use crate::world::{FULL, PART};

/// What somebody sees in a private message now.
fn now(stage: &Stage, message: Id) -> String {
    let all = stage.fake.everything();
    all.into_iter().find(|one| one.id == message).map(|one| one.text().to_owned()).unwrap_or_default()
}

/// Without what chance decides: numbers and levels.
pub fn steady(text: &str) -> String {
    let text = text.replace(|c: char| c.is_ascii_digit(), "n").replace("nnn", "nn");
    ["beginner", "intermediate", "advanced"].iter().fold(text, |text, level| text.replace(level, "LEVEL"))
}

/// A press that moves the message on in its place; what it shows then.
async fn moves(stage: &Stage, message: Id, label: &str) -> String {
    let seen = stage.fake.press(stage.bob, message, label).await;
    assert_eq!((&seen.kind, seen.message), (&Kind::Update, Some(message)), "{label}: {}", seen.text());
    now(stage, message)
}

/// The form behind Answer, sent with these words.
async fn answers(stage: &Stage, message: Id, words: &str) -> Seen {
    let form = stage.fake.press(stage.bob, message, "Answer").await;
    stage.fake.submit(stage.bob, form.modal(), &[("answer", words)]).await
}

#[tokio::test]
async fn a_drill_is_one_private_message_from_the_first_question_to_the_summary() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let begun = fake.command(stage.bob, stage.channel, "/drill topic:iam count:4").await;
    assert_eq!(begun.kind, Kind::Message { ephemeral: true });
    let message = begun.message.expect("the drill");
    assert_snapshot!(steady(begun.text()), @"
    -# IAM, question n of n, LEVEL

    **iam question n: who keeps the state?**
    -# Two colleagues press apply in the same minute.
    [Answer] [Hint (−nn points)] [Skip] [Reveal]
    ");
    // Answered.
    let form = fake.press(stage.bob, message, "Answer").await;
    assert_snapshot!(steady(form.text()), @"
    Your answer
    As you would say it in the interview: iam question n: who keeps the state?
    How sure are you?: n Sure, n Fairly sure, n A guess
    ");
    let graded = fake.submit(stage.bob, form.modal(), &[("answer", PART)]).await;
    assert_eq!((&graded.kind, graded.message), (&Kind::Update, Some(message)));
    assert_snapshot!(steady(&now(&stage, message)), @"
    -# IAM, question n of n, LEVEL

    **iam question n: who keeps the state?**
    **nn of nn, worth nn points**

    **You said**
    ✓ The `backend` keeps the state

    **Missing**
    – A lock stops two writers
    – Versions help to recover

    **Your answer**
    > The __backend__ keeps the __state__.
    -# Underlined: the words that counted.

    **Model answer**
    The backend keeps the **state**. A lock stops two writers. Versions help to recover.
    • [state (developer.hashicorp.com)](https://developer.hashicorp.com/terraform/language/state)
    [Next] [Flag]
    ");
    // A hint, then skipped; revealed; answered with a hint.
    assert!(moves(&stage, message, "Next").await.contains("question 2 of 4"));
    let hinted = moves(&stage, message, "Hint (−10 points)").await;
    assert!(hinted.contains("Hint 1") && hinted.contains("[Hint (−10 points)]"), "{hinted}");
    let hinted = moves(&stage, message, "Hint (−10 points)").await;
    assert!(hinted.contains("Hint 2") && !hinted.contains("[Hint"), "{hinted}");
    assert!(moves(&stage, message, "Skip").await.contains("question 3 of 4"));
    let revealed = moves(&stage, message, "Reveal").await;
    assert!(revealed.contains("No points for this one") && revealed.contains("Model answer"), "{revealed}");
    assert!(moves(&stage, message, "Next").await.contains("question 4 of 4"));
    moves(&stage, message, "Hint (−10 points)").await;
    let last = answers(&stage, message, FULL).await;
    assert!(last.text().contains("90 of 100") && last.text().contains("[Finish]"), "{}", last.text());
    let summary = moves(&stage, message, "Finish").await;
    assert_snapshot!(steady(&summary), @r"
    **IAM: nn points from n questions**
    n\. iam question n: who keeps the state? — **nn of nn, nn points**
    n\. iam question n: who keeps the state? — **skipped**
    n\. iam question n: who keeps the state? — **revealed**
    n\. iam question n: who keeps the state? — **nn of nn, nn points**
    -# A question counts once a day, with your best result. `/leaderboard board:drill` shows the board, `/me` your weak topics.
    [Once more]
    ");
    // "Once more" goes on in the same message, as long and in the same way.
    assert!(moves(&stage, message, "Once more").await.contains("question 1 of 4"));
    assert_eq!(fake.ephemeral_of(stage.bob).len(), 1, "one message all the way");
    assert!(fake.messages(stage.channel).is_empty(), "nobody else sees anything");
    stage.end().await;
}

#[tokio::test]
async fn a_choice_drill_shows_why_and_goes_on_in_the_same_way() {
    let stage = Stage::new().await;
    let begun = stage.fake.command(stage.bob, stage.channel, "/drill topic:iam count:1 mode:choice").await;
    let message = begun.message.expect("the drill");
    assert!(begun.text().contains("[A] [B] [C] [D] [Hint (−10 points)]"), "{}", begun.text());
    let shown = |text: &str| text.lines().filter(|line| line.contains("choice")).count();
    let picked = moves(&stage, message, "B").await;
    assert_eq!(shown(&picked), 1, "{picked}");
    assert!(picked.contains("It is its job.") && picked.contains("[Finish]"), "{picked}");
    let summary = moves(&stage, message, "Finish").await;
    assert!(summary.contains("What keeps the state?"), "{summary}");
    let again = moves(&stage, message, "Once more").await;
    assert!(again.contains("question 1 of 1") && again.contains("[A] [B]"), "{again}");
    stage.end().await;
}

#[tokio::test]
async fn topic_suggestions_go_on_in_the_same_message() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let topics = fake.command(bob, stage.channel, "/drill").await;
    assert_snapshot!(topics.text(), @"
    What would you like to practise?
    • `/drill topic:eks` EKS, 3 questions
    • `/drill topic:iam` IAM, 6 questions
    [Drill eks] [Drill iam]
    ");
    assert!(moves(&stage, topics.message.expect("topics"), "Drill iam").await.contains("question 1 of 5"));
    let near = fake.command(bob, stage.channel, "/drill topic:iamm").await;
    assert_eq!(near.kind, Kind::Message { ephemeral: true });
    assert!(near.text().contains("Did you mean \"iam\"?"), "{}", near.text());
    assert!(moves(&stage, near.message.expect("topics"), "Drill iam").await.contains("question 1 of 5"));
    // What is unfinished is offered again, above the topics.
    let open = fake.command(bob, stage.channel, "/drill").await;
    assert_snapshot!(steady(open.text()), @"
    You have not finished this one:
    -# IAM, question n of n, LEVEL

    **iam question n: who keeps the state?**
    -# Two colleagues press apply in the same minute.
    What would you like to practise?
    • `/drill topic:eks` EKS, n questions
    • `/drill topic:iam` IAM, n questions
    [Answer] [Hint (−nn points)] [Skip] [Reveal]
    ");
    let alone = fake.command(bob, stage.channel, "/drill question:iam-2").await;
    assert!(alone.text().contains("question 1 of 1") && alone.text().contains("iam question 2"), "{}", alone.text());
    let unknown = fake.command(bob, stage.channel, "/drill question:iam-77").await;
    assert!(unknown.text().contains("Did you mean"), "{}", unknown.text());
    stage.end().await;
}

#[tokio::test]
async fn a_drill_in_a_private_conversation_outlives_a_crash() {
    let mut stage = Stage::new().await;
    let dm = stage.fake.dm(stage.bob);
    let begun = stage.fake.command(stage.bob, dm, "/drill topic:iam count:2").await;
    let message = begun.message.expect("the drill");
    moves(&stage, message, "Hint (−10 points)").await;
    stage.crash().await;
    stage.come_back().await;
    assert!(now(&stage, message).contains("Hint 1"));
    let graded = answers(&stage, message, FULL).await;
    assert!(graded.text().contains("90 of 100"), "{}", graded.text());
    assert!(moves(&stage, message, "Next").await.contains("question 2 of 2"));
    stage.end().await;
}

#[tokio::test]
async fn a_second_press_changes_nothing_and_a_stranger_cannot_press() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let begun = fake.command(stage.bob, stage.channel, "/drill topic:iam count:3").await;
    let message = begun.message.expect("the drill");
    // The event comes twice, and the button is pressed twice at once.
    fake.with(|model| model.faults.double_events = 1);
    let (one, two) = tokio::join!(fake.press(stage.bob, message, "Skip"), fake.press(stage.bob, message, "Skip"));
    for seen in [one, two] {
        assert_eq!(seen.kind, Kind::Update, "{}", seen.text());
    }
    assert!(now(&stage, message).contains("question 2 of 3"), "{}", now(&stage, message));
    // Two forms of one question: the second shows what the first became.
    let (first, second) =
        (fake.press(stage.bob, message, "Answer").await, fake.press(stage.bob, message, "Answer").await);
    fake.submit(stage.bob, first.modal(), &[("answer", FULL)]).await;
    let stale = fake.submit(stage.bob, second.modal(), &[("answer", PART)]).await;
    assert!(stale.text().contains("100 of 100"), "{}", stale.text());
    // Nobody else sees the message, and a made-up press of theirs gets no further.
    assert_eq!(fake.press(stage.cleo, message, "Next").await.kind, Kind::Refused);
    fake.with(|model| model.messages.get_mut(&message).expect("the drill").only_for = None);
    let stranger = fake.press(stage.cleo, message, "Next").await;
    assert!(stranger.text().contains("This drill is not there any more."), "{}", stranger.text());
    assert!(now(&stage, message).contains("100 of 100"), "it stands as it did");
    stage.end().await;
}

#[tokio::test]
async fn whatever_somebody_answers_is_quoted_as_they_wrote_it() {
    let stage = Stage::new().await;
    let begun = stage.fake.command(stage.bob, stage.channel, "/drill topic:iam count:6").await;
    let message = begun.message.expect("the drill");
    let long = format!("The backend keeps the state. {}", "lock 🔒 ".repeat(500));
    let long: String = long.chars().take(3_500).collect();
    for (words, shown) in [
        ("# The **backend** keeps the state @everyone <@123> [x](https://evil.example)", "\\@everyone"),
        ("😀👩‍👩‍👧‍👦 الخادم يحفظ الحالة the backend keeps the state", "الخادم"),
        ("```\nbackend state\n``` > quote\n-# small", "backend"),
        (long.as_str(), "lock"),
    ] {
        let seen = answers(&stage, message, words).await;
        assert_eq!(seen.kind, Kind::Update, "{}", seen.text());
        let text = now(&stage, message);
        assert!(text.contains("Your answer") || text.contains("only the beginning"), "{text}");
        assert!(text.contains(shown) || text.contains("@\u{200b}everyone") || !text.contains("@everyone"), "{text}");
        assert!(!text.contains("[x](https://evil.example)"), "{text}");
        moves(&stage, message, "Next").await;
    }
    let blank = answers(&stage, message, "…?").await;
    assert_eq!(blank.kind, Kind::Message { ephemeral: true });
    assert!(blank.text().contains("nothing in it yet"), "{}", blank.text());
    assert!(now(&stage, message).contains("[Answer]"), "the question waits");
    stage.end().await;
}
