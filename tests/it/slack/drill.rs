//! `/drill` on Slack: one modal that moves on, and the form that opens it.

use insta::assert_snapshot;

use super::strain::{change_tables, hold_writer};
use super::{PATIENCE, Stage};
use crate::fake::slack::{Fault, Id, Seen, SeenKind};
use crate::support::eventually;
use crate::world::{FULL, PART, bank};

/// Without what chance decides: numbers and levels.
pub fn steady(text: &str) -> String {
    let text = text.replace(|c: char| c.is_ascii_digit(), "n").replace("nnn", "nn");
    ["beginner", "intermediate", "advanced"].iter().fold(text, |text, level| text.replace(level, "LEVEL"))
}

/// A press that moves the modal on; what it shows then.
async fn moves(stage: &Stage, modal: Id, label: &str) -> String {
    let seen = stage.fake.press(stage.bob, modal, label).await;
    assert_eq!((seen.kind, seen.view), (SeenKind::Updated, Some(modal)), "{label}: {}", seen.text());
    seen.text().to_owned()
}

/// Sends an answer to the question that the modal shows, and waits for the feedback.
async fn answers(stage: &Stage, modal: Id, words: &str) -> String {
    let seen = stage.fake.submit(stage.bob, modal, &[("answer", words)]).await;
    assert_eq!((seen.kind, seen.view), (SeenKind::Updated, Some(modal)), "{}", seen.text());
    stage.fake.until_screen(stage.bob, "Model answer").await.text().to_owned()
}

/// `/drill` with these words; its modal.
async fn begin(stage: &Stage, words: &str) -> Seen {
    let seen = stage.fake.command(stage.bob, stage.channel, &format!("/drill {words}")).await;
    assert_eq!(seen.kind, SeenKind::Modal, "{words}: {}", seen.text());
    seen
}

#[tokio::test]
async fn how_sure_one_is_of_one_question_does_not_stay_for_the_next() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let modal = begin(&stage, "iam 2").await.modal();
    fake.submit(bob, modal, &[("answer", PART), ("confidence", "Sure")]).await;
    let graded = fake.until_screen(bob, "Model answer").await.text().to_owned();
    assert!(graded.contains("You were sure, and two points were missing."), "{graded}");
    let next = moves(&stage, modal, "Next").await;
    assert!(next.contains("How sure are you?"), "{next}");
    let graded = answers(&stage, modal, PART).await;
    assert!(graded.contains("50 of 100") && !graded.contains("You were"), "{graded}");
    let me = fake.command(bob, stage.channel, "/about-me").await;
    assert!(me.text().contains("How sure, how right") && me.text().contains("/drill question=iam-"), "{}", me.text());
    stage.end().await;
}

fn shown(stage: &Stage) -> String {
    stage.fake.form_of(stage.bob).map_or_else(String::new, |form| form.text().to_owned())
}

#[tokio::test]
async fn a_drill_is_one_modal_from_the_first_question_to_the_summary() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let begun = begin(&stage, "iam 4").await;
    let modal = begun.modal();
    assert_snapshot!(steady(begun.text()), @"
    drillbot
    IAM, question n of n, LEVEL
    iam question n: who keeps the state?
    Two colleagues press apply in the same minute.
    As you would say it in the interview: [Decision, reason, one thing that can go wrong]
    How sure are you?: [Choose: Sure | Fairly sure | A guess | No answer]
    [Hint (−nn points)] [Skip] [Reveal]
    [Grade it] [Close]
    ");
    let graded = answers(&stage, modal, PART).await;
    assert_snapshot!(steady(&graded), @"
    drillbot
    IAM, question n of n, LEVEL
    iam question n: who keeps the state?
    nn of nn, worth nn points
    You said
    ✓ The backend keeps the state
    Missing
    – A lock stops two writers
    – Versions help to recover
    Your answer
    The backend keeps the state.
    Underlined: the words that counted.
    Model answer
    The backend keeps the state. A lock stops two writers. Versions help to recover.
    • state (developer.hashicorp.com)
    [Next] [Flag]
    [Close]
    ");
    // A hint, then skipped; revealed; answered with a hint.
    let second = moves(&stage, modal, "Next").await;
    assert!(second.contains("question 2 of 4") && !second.contains(PART), "{second}");
    let hinted = moves(&stage, modal, "Hint (−10 points)").await;
    assert!(hinted.contains("Hint 1") && hinted.contains("[Hint (−10 points)]"), "{hinted}");
    let hinted = moves(&stage, modal, "Hint (−10 points)").await;
    assert!(hinted.contains("Hint 2") && !hinted.contains("[Hint"), "{hinted}");
    assert!(moves(&stage, modal, "Skip").await.contains("question 3 of 4"));
    let revealed = moves(&stage, modal, "Reveal").await;
    assert!(revealed.contains("No points for this one") && revealed.contains("Model answer"), "{revealed}");
    assert!(moves(&stage, modal, "Next").await.contains("question 4 of 4"));
    moves(&stage, modal, "Hint (−10 points)").await;
    let last = answers(&stage, modal, FULL).await;
    assert!(last.contains("90 of 100") && last.contains("[Finish]"), "{last}");
    let summary = moves(&stage, modal, "Finish").await;
    assert_snapshot!(steady(&summary), @"
    drillbot
    IAM: nn points from n questions
    n. iam question n: who keeps the state? — nn of nn, nn points
    n. iam question n: who keeps the state? — skipped
    n. iam question n: who keeps the state? — revealed
    n. iam question n: who keeps the state? — nn of nn, nn points
    A question counts once a day, with your best result. /leaderboard drill shows the board, /about-me your weak topics.
    [Once more]
    [Close]
    ");
    // "Once more" goes on in the same modal, as long and in the same way.
    assert!(moves(&stage, modal, "Once more").await.contains("question 1 of 4"));
    assert!(fake.everything().is_empty(), "one modal all the way: {}", fake.all_text());
    stage.end().await;
}

#[tokio::test]
async fn a_choice_drill_shows_why_and_goes_on_in_the_same_way() {
    let stage = Stage::new().await;
    let begun = begin(&stage, "iam 1 choice").await;
    let modal = begun.modal();
    assert!(begun.text().contains("[A] [B] [C] [D] [Hint (−10 points)]"), "{}", begun.text());
    let picked = moves(&stage, modal, "B").await;
    assert_eq!(picked.matches("(your choice)").count(), 1, "{picked}");
    assert!(picked.contains("It is its job.") && picked.contains("[Finish]"), "{picked}");
    let summary = moves(&stage, modal, "Finish").await;
    assert!(summary.contains("What keeps the state?"), "{summary}");
    let again = moves(&stage, modal, "Once more").await;
    assert!(again.contains("question 1 of 1") && again.contains("[A] [B]"), "{again}");
    stage.end().await;
}

#[tokio::test]
async fn a_drill_without_a_topic_asks_for_one_in_a_form() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let form = begin(&stage, "").await;
    assert_snapshot!(form.text(), @"
    drillbot
    What would you like to practise? Choose a topic, or one question.
    Topic: [Choose: eks: EKS | iam: IAM]
    Level: [Choose: beginner | intermediate | advanced]
    Count: [Choose]
    Mode: [Choose: free | choice]
    Question: [Choose: eks-1: eks question 1: who keeps the state? | eks-2: eks question 2: who keeps the state? | eks-3: eks question 3: who keeps the state? | iam-1: iam question 1: who keeps the state? | iam-2: iam question 2: who keeps the state? | iam-3: iam question 3: who keeps the state? | iam-4: iam question 4: who keeps the state? | iam-5: iam question 5: who keeps the state? | iam-6: iam question 6: who keeps the state?]
    Scenario: [Choose]
    With: [Choose: alone | together]
    [Go] [Cancel]
    ");
    // What is wrong with it is said beside the option, and nothing is lost.
    let nothing = fake.submit(bob, form.modal(), &[]).await;
    assert_eq!(nothing.kind, SeenKind::Errors, "{}", nothing.text());
    assert_eq!(nothing.errors["topic"], "What would you like to practise? Choose a topic, or one question.");
    let many = fake.submit(bob, form.modal(), &[("topic", "iam"), ("count", "99"), ("mode", "choice")]).await;
    assert_eq!((many.kind, many.errors["count"].as_str()), (SeenKind::Errors, "count is 99; it goes from 1 to 20."));
    assert_eq!(many.errors.len(), 1);
    let begun = fake.submit(bob, form.modal(), &[("count", "2"), ("level", "advanced")]).await;
    assert_eq!((begun.kind, begun.view), (SeenKind::Updated, form.view), "{}", begun.text());
    let first = fake.until_screen(bob, "question 1 of 2").await;
    assert!(first.text().contains("IAM, question 1 of 2, advanced") && first.text().contains("[A] [B]"));
    // Or one question, whatever the rest says.
    fake.close(bob, form.modal());
    let other = fake.press(bob, &begin(&stage, "").await, "Another drill").await;
    assert_eq!(other.kind, SeenKind::Updated, "{}", other.text());
    fake.submit(bob, other.modal(), &[("question", "iam-2")]).await;
    assert!(fake.until_screen(bob, "question 1 of 1").await.text().contains("iam question 2"));
    stage.end().await;
}

#[tokio::test]
async fn a_drill_that_cannot_begin_as_typed_says_so_in_its_form() {
    let stage = Stage::dark_with(bank(&[("eks", 2), ("iam", 6)]), |_| {}).await.started().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    // Near enough to be meant: it is chosen, with all else that was typed.
    let form = begin(&stage, "iamm advanced 2 choice").await;
    assert_snapshot!(form.text(), @r#"
    drillbot
    There is no topic "iamm". Did you mean iam? /topics shows them all.
    Topic: [Choose: eks: EKS | iam: IAM] iam: IAM
    Level: [Choose: beginner | intermediate | advanced] advanced
    Count: [Choose] 2
    Mode: [Choose: free | choice] choice
    Question: [Choose: eks-1: eks question 1: who keeps the state? | eks-2: eks question 2: who keeps the state? | iam-1: iam question 1: who keeps the state? | iam-2: iam question 2: who keeps the state? | iam-3: iam question 3: who keeps the state? | iam-4: iam question 4: who keeps the state? | iam-5: iam question 5: who keeps the state? | iam-6: iam question 6: who keeps the state?]
    Scenario: [Choose]
    With: [Choose: alone | together]
    [Go] [Cancel]
    "#);
    fake.submit(bob, form.modal(), &[]).await;
    let first = fake.until_screen(bob, "question 1 of 2").await;
    assert!(first.text().contains("IAM, question 1 of 2, advanced") && first.text().contains("[A] [B]"));
    for (words, said) in [
        ("xyzzy", "There is no topic \"xyzzy\". /topics shows them all."),
        ("eks advanced", "EKS has no advanced questions. Leave the level out: /drill eks."),
        ("question:iam-77", "There is no question \"iam-77\" in the bank"),
        ("<@U0FAKE00001> *bold* &amp; <https://example.org|x>", "There is no topic \"@U0FAKE00001 *bold* & x\"."),
    ] {
        fake.close(bob, fake.form_of(bob).expect("a modal").id);
        let form = begin(&stage, words).await;
        assert!(form.text().contains(said), "{words}: {}", form.text());
        assert!(form.text().contains("Topic: [Choose: eks: EKS | iam: IAM]"), "{}", form.text());
    }
    // What else can be wrong is said in private, with the usage.
    let wrong = fake.command(bob, stage.channel, "/drill iam 99").await;
    assert_eq!(wrong.kind, SeenKind::Message { ephemeral: true });
    assert_snapshot!(wrong.text(), @"
    count is 99; it goes from 1 to 20.
    /drill [topic] [level] [count] [mode] [question:..] [scenario:..] [with:..]
    For example: /drill iam advanced 3 choice
    ");
    stage.end().await;
}

#[tokio::test]
async fn more_topics_and_questions_than_a_select_holds_are_looked_for_while_somebody_types() {
    let names: Vec<String> = (0..120).map(|n| format!("topic{n}")).collect();
    let topics: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    let stage = Stage::dark_with(bank(&topics), |_| {}).await.started().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let form = begin(&stage, "").await;
    assert!(form.text().contains("Topic: [Choose]") && form.text().contains("Question: [Choose]"), "{}", form.text());
    let offered = |input: &'static str, typed: &'static str| fake.suggest(bob, form.modal(), input, typed);
    assert_eq!(offered("topic", "").await.len(), 100);
    assert_eq!(offered("topic", "topic117").await[0], ("topic117: TOPIC117".to_owned(), "topic117".to_owned()));
    assert_eq!(offered("topic", "xyzzy ✨").await, []);
    assert_eq!(offered("question", "topic3-1").await[0].1, "topic3-1");
    let unseen = fake.submit(bob, form.modal(), &[("question", "topic9-1")]).await;
    assert_eq!(unseen.kind, SeenKind::Refused, "{}", unseen.text());
    offered("topic", "117").await;
    fake.submit(bob, form.modal(), &[("topic", "topic117")]).await;
    assert!(fake.until_screen(bob, "question 1 of 1").await.text().contains("TOPIC117"));
    // What was probably meant stands in it, although it is not among the first hundred.
    fake.close(bob, form.modal());
    let near = begin(&stage, "topik119").await;
    assert!(near.text().contains("Topic: [Choose] topic119"), "{}", near.text());
    fake.submit(bob, near.modal(), &[]).await;
    fake.until_screen(bob, "TOPIC119").await;
    stage.end().await;
}

#[tokio::test]
async fn a_drill_whose_modal_was_closed_goes_on_where_it_was() {
    let mut stage = Stage::new().await;
    let modal = begin(&stage, "iam 3").await.modal();
    moves(&stage, modal, "Hint (−10 points)").await;
    // Slack may tell of it; nothing comes of that.
    stage.fake.with(|model| model.views.get_mut(&modal).expect("it").form["notify_on_close"] = true.into());
    stage.fake.close(stage.bob, modal);
    stage.fake.settled().await;
    assert!(stage.fake.everything().is_empty(), "{}", stage.fake.all_text());
    // Who says what they want gets that; else it goes on.
    let other = begin(&stage, "advanced").await;
    assert!(other.text().contains("What would you like to practise?"), "{}", other.text());
    stage.fake.close(stage.bob, other.modal());
    let back = begin(&stage, "").await;
    assert_snapshot!(steady(back.text()), @"
    drillbot
    You have not finished this one:
    IAM, question n of n, LEVEL
    iam question n: who keeps the state?
    Two colleagues press apply in the same minute.
    Hint n: Think of the place.
    As you would say it in the interview: [Decision, reason, one thing that can go wrong]
    How sure are you?: [Choose: Sure | Fairly sure | A guess | No answer]
    [Hint (−nn points)] [Skip] [Reveal] [Another drill]
    [Grade it] [Close]
    ");
    // Closed in the middle of the feedback, and the bot has been away in between.
    let graded = answers(&stage, back.modal(), FULL).await;
    assert!(graded.contains("90 of 100"), "{graded}");
    stage.fake.close(stage.bob, back.modal());
    stage.crash().await;
    stage.come_back().await;
    let dm = stage.fake.direct(stage.bob);
    let back = stage.fake.command(stage.bob, dm, "/drill").await;
    assert!(back.text().contains("90 of 100") && back.text().contains("[Next]"), "{}", back.text());
    assert!(moves(&stage, back.modal(), "Next").await.contains("question 2 of 3"));
    // Nobody else's drill is offered.
    let hers = stage.fake.command(stage.cleo, stage.channel, "/drill").await;
    assert!(hers.text().contains("What would you like to practise?"), "{}", hers.text());
    stage.end().await;
}

#[tokio::test]
async fn too_late_for_a_modal_it_comes_in_private() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let expired = |expired| fake.with(|model| model.faults.expire_triggers = expired);
    expired(true);
    let begun = fake.command(bob, stage.channel, "/drill iam 2").await;
    assert_eq!(begun.kind, SeenKind::Message { ephemeral: true });
    assert!(begun.text().contains("question 1 of 2") && begun.text().contains("[Answer]"), "{}", begun.text());
    let topics = fake.command(stage.cleo, stage.channel, "/drill iamm").await;
    assert_eq!(topics.kind, SeenKind::Message { ephemeral: true });
    assert_snapshot!(topics.text(), @r#"
    There is no topic "iamm". Did you mean "iam"?
    • /drill eks EKS, 3 questions
    • /drill iam IAM, 6 questions
    [Drill iam]
    "#);
    let form = fake.press(bob, &begun, "Answer").await;
    assert_snapshot!(form.text(), @"I was too slow to open the form. Try once more.");
    expired(false);
    // What was shown in private still works: in its place, in a form, and from there on in a modal.
    let hinted = fake.press(bob, &begun, "Hint (−10 points)").await;
    assert_eq!((hinted.kind, hinted.message), (SeenKind::Changed, begun.message), "{}", hinted.text());
    assert!(hinted.text().contains("Hint 1"), "{}", hinted.text());
    let form = fake.press(bob, &begun, "Answer").await;
    assert_eq!(form.kind, SeenKind::Modal, "{}", form.text());
    assert!(answers(&stage, form.modal(), FULL).await.contains("90 of 100"));
    assert!(moves(&stage, form.modal(), "Next").await.contains("question 2 of 2"));
    let drill = fake.press(stage.cleo, &topics, "Drill iam").await;
    assert_eq!(drill.kind, SeenKind::Modal, "{}", drill.text());
    assert!(drill.text().contains("question 1 of 5"), "{}", drill.text());
    stage.end().await;
}

#[tokio::test]
async fn while_the_database_is_slow_the_modal_says_so_and_the_drill_comes_into_it() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let modal = begin(&stage, "iam 3").await.modal();
    let held = hold_writer(&stage).await;
    let (sent, begun, form) = tokio::join!(
        fake.submit(bob, modal, &[("answer", FULL)]),
        fake.command(stage.ann, stage.channel, "/drill eks"),
        fake.command(stage.cleo, stage.channel, "/drill"),
    );
    // What was written stays to be seen.
    assert_eq!(sent.text(), format!("drillbot\nOne moment…\n{FULL}\n[Close]"));
    assert_eq!((begun.kind, begun.text()), (SeenKind::Modal, "drillbot\nOne moment…\n[Close]"));
    assert!(form.text().contains("What would you like to practise?"), "a form needs no database: {}", form.text());
    held.release().await;
    fake.until_screen(bob, "100 of 100").await;
    assert!(fake.until_screen(stage.ann, "question 1 of 3").await.text().contains("EKS"));
    // Its modal was closed while it waited: what became of the answer is told in the channel.
    moves(&stage, modal, "Next").await;
    let held = hold_writer(&stage).await;
    let sent = fake.submit(bob, modal, &[("answer", PART)]).await;
    assert!(sent.text().contains("One moment"), "{}", sent.text());
    fake.close(bob, modal);
    held.release().await;
    let told = fake.until_ephemeral(bob, "50 of 100").await;
    let next = fake.press(bob, &told, "Next").await;
    assert!(next.text().contains("question 3 of 3"), "{}", next.text());
    stage.end().await;
}

#[tokio::test]
async fn a_broken_database_says_so_and_what_was_written_stays() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let modal = begin(&stage, "iam 3").await.modal();
    change_tables(&stage, "alter table drills rename to drills_elsewhere").await;
    let pressed = fake.press(bob, modal, "Hint (−10 points)").await;
    assert_snapshot!(steady(pressed.text()), @"
    drillbot
    I cannot reach my database just now, so nothing was saved. Try again in a moment.
    IAM, question n of n, LEVEL
    iam question n: who keeps the state?
    Two colleagues press apply in the same minute.
    As you would say it in the interview: [Decision, reason, one thing that can go wrong]
    How sure are you?: [Choose: Sure | Fairly sure | A guess | No answer]
    [Hint (−nn points)] [Skip] [Reveal]
    [Grade it] [Close]
    ");
    fake.submit(bob, modal, &[("answer", FULL)]).await;
    let lost = fake.until_screen(bob, "I cannot reach my database").await;
    assert_snapshot!(steady(lost.text()), @"
    drillbot
    I cannot reach my database just now, so nothing was saved. Try again in a moment.
    IAM, question n of n, LEVEL
    iam question n: who keeps the state?
    Two colleagues press apply in the same minute.
    As you would say it in the interview: [Decision, reason, one thing that can go wrong] The backend keeps the state, a lock stops two writers, and versions help to recover.
    How sure are you?: [Choose: Sure | Fairly sure | A guess | No answer]
    [Hint (−nn points)] [Skip] [Reveal]
    [Grade it] [Close]
    ");
    // Twice is not worse.
    fake.submit(bob, modal, &[]).await;
    eventually("it has tried again", PATIENCE, || async {
        let view = shown(&stage);
        (view.contains("I cannot reach") && !view.contains("One moment")).then_some(())
    })
    .await;
    assert_eq!(shown(&stage), lost.text());
    let begun = fake.command(stage.cleo, stage.channel, "/drill eks").await;
    assert!(begun.text().contains("I cannot reach my database"), "{}", begun.text());
    change_tables(&stage, "alter table drills_elsewhere rename to drills").await;
    let graded = fake.submit(bob, modal, &[]).await;
    assert_eq!(graded.kind, SeenKind::Updated, "{}", graded.text());
    fake.until_screen(bob, "100 of 100").await;
    stage.end().await;
}

#[tokio::test]
async fn a_second_press_changes_nothing_and_what_comes_twice_is_one() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let twice = || fake.with(|model| model.faults.double_interactions = 1);
    twice();
    let modal = begin(&stage, "iam 4").await.modal();
    fake.settled().await;
    assert_eq!(fake.requests("views.open").len(), 1, "one modal");
    // The press comes twice, and the button is pressed twice at once.
    twice();
    let (one, two) = tokio::join!(fake.press(bob, modal, "Skip"), fake.press(bob, modal, "Skip"));
    for seen in [one, two] {
        assert_eq!(seen.kind, SeenKind::Updated, "{}", seen.text());
    }
    assert!(shown(&stage).contains("question 2 of 4"), "{}", shown(&stage));
    // The form comes twice; its second acknowledgement puts the waiting words over the result, for a moment.
    twice();
    fake.submit(bob, modal, &[("answer", FULL)]).await;
    fake.settled().await;
    fake.wait_for("two results", |model| {
        (model
            .log
            .iter()
            .filter(|one| one.method == "views.update" && one.body.to_string().contains("100 of 100"))
            .count()
            == 2)
            .then_some(())
    })
    .await;
    assert!(shown(&stage).contains("100 of 100"), "{}", shown(&stage));
    moves(&stage, modal, "Next").await;
    // Two people at one keyboard send two answers: the second shows what the first became.
    let view = fake.form_of(bob).expect("the question").id;
    let (first, second) =
        tokio::join!(fake.submit(bob, view, &[("answer", PART)]), fake.submit(bob, view, &[("answer", PART)]));
    assert_eq!(first.kind, SeenKind::Updated, "{} {}", first.text(), second.text());
    fake.until_screen(bob, "50 of 100").await;
    fake.press(bob, modal, "Next").await;
    fake.until_screen(bob, "question 4 of 4").await;
    stage.end().await;
}

#[tokio::test]
async fn a_stranger_gets_nowhere_in_somebodys_drill() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let modal = begin(&stage, "iam 3").await.modal();
    assert_eq!(fake.press(stage.cleo, modal, "Skip").await.kind, SeenKind::Refused, "she does not see it");
    let hers = fake.command(stage.cleo, stage.channel, "/drill eks 2").await.modal();
    let id = |modal| fake.with(|model| model.views[&modal].form["callback_id"].as_str().expect("a drill").to_owned());
    // A made-up press, and a made-up form.
    let (his, own) = (id(modal), id(hers));
    fake.with(|model| {
        let view = model.views.get_mut(&hers).expect("her drill");
        view.form["callback_id"] = his.clone().into();
        let text =
            view.form["blocks"].to_string().replace(own.trim_end_matches(":answer"), his.trim_end_matches(":answer"));
        view.form["blocks"] = serde_json::from_str(&text).expect("blocks");
    });
    let pressed = fake.press(stage.cleo, hers, "Skip").await;
    assert!(pressed.text().contains("This drill is not there any more."), "{}", pressed.text());
    assert!(shown(&stage).contains("question 1 of 3"), "it stands as it did");
    stage.end().await;
}

#[tokio::test]
async fn whatever_somebody_answers_is_quoted_as_they_wrote_it() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let modal = begin(&stage, "iam 6").await.modal();
    let longest: String =
        format!("The backend keeps the state. {}", "lock state ".repeat(500)).chars().take(3_000).collect();
    let flat = |text: &str| text.split_whitespace().collect::<String>();
    for words in [
        "The *backend* keeps the _state_ <!channel> @here <@U123> &amp; <https://evil.example|x> :smile:",
        "😀👩‍👩‍👧‍👦 الخادم يحفظ الحالة the backend keeps the state",
        "```\nbackend state\n``` > quote\n• item",
        &longest[..1_190],
    ] {
        let graded = answers(&stage, modal, words).await;
        assert!(flat(&graded).contains(&flat(words)), "{words}\n{graded}");
        moves(&stage, modal, "Next").await;
    }
    let graded = answers(&stage, modal, &longest).await;
    assert!(graded.contains(&longest[..1_000]) && !graded.contains(&longest), "{graded}");
    moves(&stage, modal, "Next").await;
    // Nothing in it: said at once, beside the input.
    let blank = fake.submit(bob, modal, &[("answer", "…?")]).await;
    assert_eq!(blank.kind, SeenKind::Errors, "{}", blank.text());
    let said: Vec<&String> = blank.errors.values().collect();
    assert_eq!(said, ["There is nothing in it yet. Write one sentence at least, or press Skip."]);
    assert!(shown(&stage).contains("…?") && shown(&stage).contains("question 6 of 6"), "{}", shown(&stage));
    let more = format!("{longest}!");
    assert_eq!(fake.submit(bob, modal, &[("answer", &more)]).await.kind, SeenKind::Refused, "no client sends more");
    stage.end().await;
}

#[tokio::test]
async fn what_is_typed_stays_for_its_question_and_goes_with_it() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let modal = begin(&stage, "iam 3").await.modal();
    // Half an answer is typed: a refused form leaves it there, and so does a hint.
    fake.submit(bob, modal, &[("answer", "?!")]).await;
    let hinted = moves(&stage, modal, "Hint (−10 points)").await;
    assert!(hinted.contains("Hint 1") && hinted.contains("?!"), "{hinted}");
    let skipped = moves(&stage, modal, "Skip").await;
    assert!(skipped.contains("question 2 of 3") && !skipped.contains("?!"), "{skipped}");
    stage.end().await;
}

#[tokio::test]
async fn a_result_waits_until_slack_takes_it() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let modal = begin(&stage, "iam 6").await.modal();
    let faults = [
        Fault::TooMany { retry_after_s: 2 },
        Fault::Status(500),
        Fault::CutBeforeRequest,
        Fault::CutAfterRequest,
        Fault::Error("internal_error"),
    ];
    for (fault, next) in faults.into_iter().zip(2..) {
        fake.fault("views.update", fault);
        fake.press(bob, modal, "Hint (−10 points)").await;
        fake.until_screen(bob, "Hint 1: ").await;
        fake.press(bob, modal, "Skip").await;
        fake.until_screen(bob, &format!("question {next} of 6")).await;
    }
    stage.end().await;
}

#[tokio::test]
async fn what_is_pressed_later_is_shown_later() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let modal = begin(&stage, "iam 3").await.modal();
    let updates = |ok: bool| {
        fake.wait_for("updates of the modal", move |model| {
            let all = model.log.iter().filter(|one| one.method == "views.update" && (one.status == 200) == ok);
            (all.count() == if ok { 2 } else { 1 }).then_some(())
        })
    };
    // The hint takes two attempts; Skip is pressed in between.
    fake.fault("views.update", Fault::CutBeforeRequest);
    let skip = async {
        updates(false).await;
        fake.press(bob, modal, "Skip").await;
    };
    tokio::join!(fake.press(bob, modal, "Hint (−10 points)"), skip);
    updates(true).await;
    assert!(shown(&stage).contains("question 2 of 3"), "{}", shown(&stage));
    stage.end().await;
}
