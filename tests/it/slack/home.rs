//! The App Home: what it shows, what can be done there, and when it is published.

use std::time::Duration;

use insta::assert_snapshot;

use super::drill::steady;
use super::interactions::{DAILY, save};
use super::strain::change_tables;
use super::{PATIENCE, Stage};
use crate::fake::slack::{Fault, Id, SeenKind};
use crate::support::eventually;
use crate::world::{FULL, PART, bank};

fn published(stage: &Stage) -> usize {
    stage.fake.requests("views.publish").len()
}

/// Waits until somebody's Home shows this.
async fn shows(stage: &Stage, who: Id, part: &str) -> String {
    eventually(part, PATIENCE, || async {
        let shown = stage.fake.home(who)?.text().to_owned();
        shown.contains(part).then_some(shown)
    })
    .await
}

#[tokio::test]
async fn somebody_new_is_told_how_it_begins() {
    let stage = Stage::new().await;
    let home = stage.fake.open_home(stage.bob).await;
    assert_snapshot!(home.text(), @"
    Bob, so far
    This week: nothing yet
    All time: nothing yet
    Drills: nothing yet
    Streak: none yet
    Answer the daily question, or try /drill, and your topics appear here.
    [Drill]
    ---
    Your latest results
    The result of each daily question that you answer appears here after its reveal.
    ---
    Settings
    Your name: Bob, as in your profile; the boards and reveals show it
    Your data: answers, scores, streaks and drills, until you erase them
    [Erase my data]
    ---
    Every day I post an interview question here. Answer in its thread or with the Answer button; after a while I show the model answer, who covered which key point, and everybody's score.
    A sign under what you wrote in the thread says: 📥 it counts as your answer, ⌛ it came after the reveal.
    • /drill Practise a topic in private, one question at a time
    • /prep Advice for the interview itself: how to prepare, how to answer, why people fail
    • /leaderboard The standing of this study group, and your own place
    • /daily Show or steer the daily question of this channel (organisers)
    • /topics All topics with their questions
    • /suggest Suggest a question for the bank; see what became of yours
    • /flag Say that a question is wrong, outdated or unclear
    • /review Decide on what members suggested and flagged (organisers)
    • /about-me My scores, streak and weak topics; or erase my data
    • /help What I can do
    /help and a command explains it, for example /help drill.
    ");
    // Nothing is known of them, and nothing is noted.
    let asked = stage.fake.press(stage.bob, &home, "Erase my data").await;
    assert_eq!(asked.kind, SeenKind::Modal, "{}", asked.text());
    let erased = stage.fake.press(stage.bob, &asked, "Erase my data").await;
    assert!(erased.text().contains("I know nothing about you any more."), "{}", erased.text());
    stage.fake.settled().await;
    assert_eq!(published(&stage), 1, "it shows the same");
    stage.end().await;
}

#[tokio::test]
async fn it_shows_where_somebody_stands_and_their_latest_results() {
    let stage = Stage::dark_with(bank(&[("iam", 6)]), |_| {}).await.started().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    let card = stage.question(&format!("{DAILY} levels:beginner")).await;
    save(&stage, bob, card.spot, PART).await;
    stage.reveal(card.spot).await;
    let home = fake.open_home(bob).await;
    let now = jiff::Timestamp::from_millisecond(stage.app.clock.now_ms()).expect("an instant");
    let day = now.in_tz("Europe/London").expect("a zone").date();
    assert_snapshot!(home.text().replace(&day.to_string(), "TODAY"), @"
    Bob, so far
    This week: 50 points, number 1, 1 answer
    All time: 50 points, number 1, 1 answer
    Drills: nothing yet
    Streak: 1 question in a row, 1 at best
    Topics, the weakest first
    Topic  Of 100  Questions
    IAM        50          1
    This is your standing in #daily-drill.
    [Drill IAM (50 of 100)] [Drill]
    ---
    Your latest results
    • TODAY IAM 50 of 100, 50 points
    [Result of TODAY, IAM]
    ---
    Settings
    Your name: Bob, as in your profile; the boards and reveals show it
    Your data: answers, scores, streaks and drills, until you erase them
    [Erase my data]
    ---
    Every day I post an interview question here. Answer in its thread or with the Answer button; after a while I show the model answer, who covered which key point, and everybody's score.
    A sign under what you wrote in the thread says: 📥 it counts as your answer, ⌛ it came after the reveal.
    • /drill Practise a topic in private, one question at a time
    • /prep Advice for the interview itself: how to prepare, how to answer, why people fail
    • /leaderboard The standing of this study group, and your own place
    • /daily Show or steer the daily question of this channel (organisers)
    • /topics All topics with their questions
    • /suggest Suggest a question for the bank; see what became of yours
    • /flag Say that a question is wrong, outdated or unclear
    • /review Decide on what members suggested and flagged (organisers)
    • /about-me My scores, streak and weak topics; or erase my data
    • /help What I can do
    /help and a command explains it, for example /help drill.
    ");
    // The private result behind its button.
    let result = fake.press(bob, &home, &format!("Result of {day}, IAM")).await;
    assert_eq!(result.kind, SeenKind::Modal, "{}", result.text());
    assert!(result.text().contains("50 of 100") && result.text().contains("Missing"), "{}", result.text());
    // Nobody else's.
    let other = fake.open_home(stage.cleo).await;
    assert!(other.text().contains("nothing yet") && !other.text().contains("[20"), "{}", other.text());
    stage.end().await;
}

#[tokio::test]
async fn a_drill_from_the_home_changes_what_it_shows() {
    let stage = Stage::dark_with(bank(&[("iam", 1)]), |_| {}).await.started().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    // A channel to score in.
    fake.command(stage.ann, stage.channel, "/daily set 09:00").await;
    let home = fake.open_home(bob).await;
    let form = fake.press(bob, &home, "Drill").await;
    assert_eq!(form.kind, SeenKind::Modal, "{}", form.text());
    fake.submit(bob, form.modal(), &[("topic", "iam")]).await;
    let question = fake.until_screen(bob, "question 1 of 1").await;
    fake.press(bob, &question, "Hint (−10 points)").await;
    assert_eq!(published(&stage), 1, "nothing to tell yet");
    fake.submit(bob, question.id, &[("answer", FULL)]).await;
    fake.until_screen(bob, "90 of 100").await;
    let shown = shows(&stage, bob, "Drills: 90 points").await;
    assert!(shown.contains("IAM"), "{shown}");
    fake.press(bob, question.id, "Finish").await;
    fake.settled().await;
    // What it begins is resumed where it stands.
    let again = fake.press(bob, question.id, "Once more").await;
    fake.close(bob, again.modal());
    let home = fake.home(bob).expect("the Home");
    let resumed = fake.press(bob, &home, "Drill").await;
    assert!(resumed.text().contains("You have not finished this one:"), "{}", resumed.text());
    // Each time it showed something else; how often depends on what was read while the answer was being stored.
    let requests = fake.requests("views.publish");
    let all: Vec<&serde_json::Value> = requests.iter().map(|one| &one.body["view"]["blocks"]).collect();
    assert!((2..=3).contains(&all.len()) && all.windows(2).all(|two| two[0] != two[1]), "{all:#?}");
    stage.end().await;
}

#[tokio::test]
async fn it_is_published_when_it_shows_something_else_and_only_then() {
    let mut stage = Stage::new().await;
    let bob = stage.bob;
    stage.fake.opens_tab(bob, "messages");
    stage.fake.settled().await;
    stage.fake.opens_tab(bob, "home");
    shows(&stage, bob, "nothing yet").await;
    for tab in ["messages", "home", "home", "messages"] {
        stage.fake.opens_tab(bob, tab);
    }
    stage.fake.settled().await;
    // Nor after a start: what it shows comes with the event.
    stage.crash().await;
    stage.come_back().await;
    stage.fake.opens_tab(bob, "home");
    let card = stage.question(DAILY).await;
    save(&stage, bob, card.spot, FULL).await;
    stage.reveal(card.spot).await;
    assert_eq!(published(&stage), 1);
    stage.fake.opens_tab(bob, "home");
    shows(&stage, bob, "1 answer").await;
    for _ in 0..2 {
        stage.fake.opens_tab(bob, "home");
    }
    stage.fake.settled().await;
    assert_eq!(published(&stage), 2);
    // Slack has lost it, or the app was installed anew.
    stage.fake.with(|model| model.views.retain(|_, view| !view.home));
    stage.fake.open_home(bob).await;
    assert_eq!(published(&stage), 3);
    stage.end().await;
}

#[tokio::test]
async fn what_slack_loses_while_it_is_published_is_published_again() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    fake.fault("views.publish", Fault::Late(Duration::from_secs(1)));
    fake.open_home(bob).await;
    fake.with(|model| model.views.retain(|_, view| !view.home));
    fake.open_home(bob).await;
    assert_eq!(published(&stage), 2);
    stage.end().await;
}

#[tokio::test]
async fn who_is_erased_is_erased_from_the_home_too() {
    let stage = Stage::dark_with(bank(&[("iam", 6)]), |_| {}).await.started().await;
    let (fake, bob, cleo) = (&stage.fake, stage.bob, stage.cleo);
    let card = stage.question(DAILY).await;
    for who in [bob, cleo] {
        save(&stage, who, card.spot, FULL).await;
    }
    stage.reveal(card.spot).await;
    // From the Home itself.
    let home = fake.open_home(bob).await;
    assert!(home.text().contains("1 answer"), "{}", home.text());
    let asked = fake.press(bob, &home, "Erase my data").await;
    assert_snapshot!(asked.text(), @"
    drillbot
    This erases your answers, scores, streaks, drills, suggestions, flags and messages here for good. The totals of the others stay as they are; so do questions of yours that were approved, without your name: you gave them to the group.
    [Erase my data]
    [Close]
    ");
    assert!(fake.home(bob).expect("the Home").text().contains("1 answer"), "not before it is confirmed");
    let done = fake.press(bob, &asked, "Erase my data").await;
    assert!(done.text().contains("I know nothing about you any more."), "{}", done.text());
    shows(&stage, bob, "All time: nothing yet").await;
    // And by a command, while it is open elsewhere.
    let home = fake.open_home(cleo).await;
    assert!(home.text().contains("1 answer"), "{}", home.text());
    let asked = fake.command(cleo, stage.channel, "/about-me delete").await;
    fake.press(cleo, &asked, "Erase my data").await;
    shows(&stage, cleo, "All time: nothing yet").await;
    stage.end().await;
}

#[tokio::test]
async fn a_broken_database_or_a_slack_that_is_busy_leaves_what_was_there() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    fake.open_home(bob).await;
    let before = fake.home(bob).expect("the Home").text().to_owned();
    change_tables(&stage, "alter table scores rename to scores_elsewhere").await;
    stage.fake.opens_tab(bob, "home");
    stage.fake.opens_tab(stage.cleo, "home");
    let hers = shows(&stage, stage.cleo, "I cannot reach my database").await;
    assert!(!hers.contains("so far"), "{hers}");
    assert_eq!(fake.home(bob).expect("the Home").text(), before);
    let pressed = fake.press(bob, &fake.home(bob).expect("the Home"), "Drill").await;
    assert_eq!(pressed.kind, SeenKind::Modal, "{}", pressed.text());
    change_tables(&stage, "alter table scores_elsewhere rename to scores").await;
    for fault in [Fault::TooMany { retry_after_s: 2 }, Fault::Status(500), Fault::CutBeforeRequest] {
        fake.fault("views.publish", fault);
    }
    stage.fake.opens_tab(stage.cleo, "home");
    assert!(steady(&shows(&stage, stage.cleo, "Cleo, so far").await).contains("Settings"));
    stage.end().await;
}
