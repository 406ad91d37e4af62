//! Scenarios: alone in private, together in a thread; and the coaching cards beside them.

use std::sync::Arc;

use drillbot::domain::bank::Bank;
use insta::{allow_duplicates, assert_snapshot};

use crate::rulings::on_both;
use crate::support::{Database, Kind};
use crate::world::{Setup, World, bank_texts, read_bank};

async fn on<F: Future<Output = World>>(kind: Kind, body: impl FnOnce(World, Arc<Database>) -> F) {
    let Some(database) = Database::of(kind).await else { return };
    let store = database.open().await;
    let database = Arc::new(database);
    let w = body(World::on(setup(), store.clone()).await, database.clone()).await;
    w.end().await;
    store.close().await;
    drop(database);
}

/// One question beside the one that can be played.
pub fn night() -> Bank {
    let mut texts = bank_texts(&[("iam", 1)]);
    texts[0].1.push_str(include_str!("../fixtures/night.toml"));
    read_bank(&texts).expect("the bank of the test")
}

fn setup() -> Setup {
    Setup { bank: night(), ..Setup::default() }
}

on_both!(
    alone_each_decision_has_its_consequence_and_the_end_its_score,
    a_scene_goes_on_after_a_restart_and_old_presses_change_nothing,
    together_the_majority_decides_and_each_is_worth_their_votes,
    one_scene_at_a_time_in_a_channel_and_only_where_questions_are_posted,
    a_member_who_is_erased_is_named_in_no_scene,
    a_crash_between_two_parts_tells_each_part_once,
);

/// The letter of an option in a message.
pub fn letter(text: &str, option: &str) -> String {
    let line = text.lines().find(|line| line.contains(option)).unwrap_or_else(|| panic!("no {option:?} in\n{text}"));
    line.chars().take(1).collect()
}

/// The message with its options in the author's order, so that the shuffling does not show in a snapshot.
fn sorted(text: &str) -> String {
    let is_option =
        |line: &str| line.len() > 2 && line.as_bytes()[0].is_ascii_uppercase() && line[1..].starts_with(". ");
    let mut options: Vec<&str> = text.lines().filter(|line| is_option(line)).map(|line| &line[3..]).collect();
    options.sort_unstable();
    let mut options = options.into_iter();
    let line = |line: &str| {
        if is_option(line) { format!("* {}", options.next().unwrap_or_default()) } else { line.to_owned() }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

async fn picks(w: &mut World, name: &str, shown: &str, option: &str) -> String {
    let label = letter(shown, option);
    w.press(name, &label).await
}

async fn alone_each_decision_has_its_consequence_and_the_end_its_score(mut w: World, _: Arc<Database>) -> World {
    let first = w.bob("/drill scenario Night").await;
    allow_duplicates! { assert_snapshot!(sorted(&first), @"
    (A locked night, decision 1)
    Your apply says that the state is locked.
    (terraform apply)
    ```
    Error: Error acquiring the state lock
      Who: ann@build-7
    ```
    # What do you do?
    * Break it with force-unlock
    * Go home
    * Look whose lock it is
    [A] [B] [C]
    ") };
    let told = picks(&mut w, "Bob", &first, "Break it").await;
    allow_duplicates! { assert_snapshot!(told, @"
    (A locked night, decision 1)
    > Break it with force-unlock
    A wrong turn.
    Now two of you write.
    [Go on]
    ") };
    let second = w.press("Bob", "Go on").await;
    allow_duplicates! { assert_snapshot!(sorted(&second), @"
    (A locked night, decision 2)
    And then something else happens.
    The runner of that job died.
    # And now?
    * Unlock and apply
    * Unlock and read the plan first
    [A] [B]
    ") };
    picks(&mut w, "Bob", &second, "Unlock and read").await;
    let end = w.press("Bob", "To the debrief").await;
    allow_duplicates! { assert_snapshot!(end, @"
    # Debrief: A locked night
    50 of 100, 100 points.
    ✗ Break it with force-unlock Better: Look whose lock it is
    ✓ Unlock and read the plan first
    A lock is somebody's work in progress. Ask whose it is before you break it.
    (In an interview you would tell it: situation, decision, reason, what came of it. Try that next.)
    [Answer it in your own words] [Play it again]
    ") };
    let board = w.ann("/leaderboard all drill").await;
    assert!(board.contains("Bob") && board.contains("100"), "{board}");
    // The better playing of a day counts.
    let first = w.press("Bob", "Play it again").await;
    picks(&mut w, "Bob", &first, "Look whose").await;
    let second = w.press("Bob", "Go on").await;
    picks(&mut w, "Bob", &second, "Unlock and read").await;
    let board = w.bob("/leaderboard all drill").await;
    assert!(board.contains("200"), "{board}");
    assert_eq!(w.chat.shown().len(), 0, "nobody else sees any of it");
    w
}

async fn a_scene_goes_on_after_a_restart_and_old_presses_change_nothing(mut w: World, _: Arc<Database>) -> World {
    let first = w.bob("/drill scenario night").await;
    let action = w.button("Bob", &letter(&first, "Look whose")).expect("a button");
    let wrong = w.button("Bob", &letter(&first, "Break it")).expect("a button");
    w.restart().await;
    let told = w.press_action("Bob", &action).await;
    assert!(told.contains("It is Ann's"), "{told}");
    assert_eq!(w.press_action("Bob", &wrong).await, told, "a second press of the same step");
    let next = w.button("Bob", "Go on").expect("a button");
    let second = w.press_action("Bob", &next).await;
    assert_eq!(w.press_action("Bob", &next).await, second);
    assert_eq!(w.press_action("Bob", &action).await, second);
    // Somebody else's message is none of mine.
    assert!(w.press_action("Cleo", &action).await.contains("not there any more"));
    w
}

/// The newest message of the thread.
fn newest(w: &World) -> String {
    w.chat.shown().last().expect("a message").message.as_text()
}

async fn together_the_majority_decides_and_each_is_worth_their_votes(mut w: World, _: Arc<Database>) -> World {
    let begun = w.bob("/drill scenario night together").await;
    allow_duplicates! { assert_snapshot!(begun, @r#""A locked night" is on its way to the channel. You decide when all have voted."#) };
    w.settle().await;
    let news = w.news();
    allow_duplicates! { assert_snapshot!(sorted(&news), @"
    --- in the channel
    # Scenario: A locked night
    Bob has begun a scenario for everybody. It is played in the thread: vote, argue, decide.
    Topic: IAM
    Level: advanced
    --- in the thread
    Your apply says that the state is locked.
    (terraform apply)
    ```
    Error: Error acquiring the state lock
      Who: ann@build-7
    ```
    # What do you do?
    * Break it with force-unlock
    * Go home
    * Look whose lock it is
    (Nobody has voted yet. A vote is secret and can be changed; who began the scenario, or an organiser, decides.)
    [A] [B] [C] [Decide]
    ") };
    let stage = newest(&w);
    assert!(w.press("Bob", "Decide").await.contains("Nobody has voted yet"));
    let voted = picks(&mut w, "Bob", &stage, "Look whose").await;
    let letter_of = letter(&stage, "Look whose");
    assert_eq!(voted, format!("You voted {letter_of}. Press another letter to change it."));
    picks(&mut w, "Cleo", &stage, "Break it").await;
    picks(&mut w, "Dan", &stage, "Go home").await;
    picks(&mut w, "Dan", &stage, "Break it").await;
    w.settle().await;
    assert!(newest(&w).contains("3 votes cast."), "{}", newest(&w));
    let refused = w.press("Cleo", "Decide").await;
    assert!(refused.contains("Bob began this scenario"), "{refused}");
    assert!(w.press("Bob", "Decide").await.starts_with("Decided."));
    w.settle().await;
    let stage_two = w.news();
    allow_duplicates! { assert_snapshot!(sorted(&stage_two), @"
    --- in the thread
    Decided: Break it with force-unlock
    A wrong turn. Now two of you write.
    ---
    And then something else happens.
    The runner of that job died.
    # And now?
    * Unlock and apply
    * Unlock and read the plan first
    (Nobody has voted yet. A vote is secret and can be changed; who began the scenario, or an organiser, decides.)
    [A] [B] [Decide]
    ") };
    let first = w.chat.shown()[1].message.as_text();
    assert!(first.contains("3 votes cast. This was decided.") && !first.contains("[Decide]"), "{first}");
    let stage = newest(&w);
    picks(&mut w, "Bob", &stage, "Unlock and read").await;
    picks(&mut w, "Cleo", &stage, "Unlock and apply").await;
    // Ann organises the channel.
    w.press("Ann", "Decide").await;
    w.settle().await;
    let end = w.news();
    allow_duplicates! { assert_snapshot!(end, @"
    --- in the thread
    Decided: Unlock and read the plan first
    A good call. The plan is clean.
    ---
    # Debrief: A locked night
    The group: 50 of 100.
    ✗ Break it with force-unlock Better: Look whose lock it is
    ✓ Unlock and read the plan first
    A lock is somebody's work in progress. Ask whose it is before you break it.
    What each of you voted for, of 100: Bob 100, Cleo 0 and Dan 0.
    [Answer it in your own words] [Play it again]
    ") };
    let opening = w.chat.shown()[0].message.as_text();
    assert!(opening.contains("State: Played"), "{opening}");
    let board = w.ann("/leaderboard all drill").await;
    let points = |name: &str| board.lines().find(|line| line.contains(name)).map(|line| line.contains("| 200 |"));
    assert_eq!((points("Bob"), points("Cleo"), points("Ann")), (Some(true), Some(false), None), "{board}");
    w
}

async fn one_scene_at_a_time_in_a_channel_and_only_where_questions_are_posted(mut w: World, _: Arc<Database>) -> World {
    let nowhere = w.elsewhere("Bob", "memory:lounge", "", "/drill scenario night together").await;
    assert!(nowhere.contains("Ask an organiser for /daily set here"), "{nowhere}");
    w.bob("/drill scenario night together").await;
    w.settle().await;
    let refused = w.says("Cleo", "/drill scenario night together").await;
    assert!(refused.contains("\"A locked night\" is being played in this channel just now"), "{refused}");
    assert_eq!(w.chat.count("scene:"), 2);
    w.pass(jiff::SignedDuration::from_hours(3)).await;
    assert!(w.says("Cleo", "/drill scenario night together").await.contains("on its way"));
    w.settle().await;
    assert_eq!(w.chat.count("scene:"), 4);
    w
}

async fn a_member_who_is_erased_is_named_in_no_scene(mut w: World, _: Arc<Database>) -> World {
    w.bob("/drill scenario night together").await;
    w.settle().await;
    let stage = newest(&w);
    picks(&mut w, "Bob", &stage, "Go home").await;
    picks(&mut w, "Cleo", &stage, "Look whose").await;
    w.press("Bob", "Decide").await;
    w.settle().await;
    assert!(newest(&w).contains("Bob 50 and Cleo 100") || newest(&w).contains("Cleo 100 and Bob 50"), "{}", newest(&w));
    w.bob("/me delete").await;
    w.press("Bob", "Erase").await;
    w.settle().await;
    for shown in w.chat.shown() {
        let text = shown.message.as_text();
        assert!(!text.contains("Bob"), "{text}");
    }
    assert!(newest(&w).contains("Cleo 100"));
    assert!(w.chat.shown()[0].message.as_text().contains("Somebody has begun"));
    w
}

async fn a_crash_between_two_parts_tells_each_part_once(mut w: World, _: Arc<Database>) -> World {
    w.bob("/drill scenario night together").await;
    w.claim_and_forget().await;
    w.pass(jiff::SignedDuration::from_mins(2)).await;
    w.restart().await;
    let stage = newest(&w);
    picks(&mut w, "Bob", &stage, "Go home").await;
    w.press("Bob", "Decide").await;
    w.restart().await;
    assert_eq!(w.chat.count("scene:"), 3);
    assert!(newest(&w).contains("Debrief: A locked night"));
    w
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_played_is_listed_and_a_slip_of_the_pen_finds_it() {
    let mut w = World::with(setup()).await;
    assert_snapshot!(w.bob("/drill scenario").await, @"
    A scenario puts you on the spot: a situation, a decision, what comes of it, and something else that breaks. Which one would you like to play?
    • /drill scenario night A locked night (IAM, advanced)
    (Add together to play in a thread of this channel: everybody votes, the majority decides.)
    [Play night]
    ");
    assert_snapshot!(w.bob("/drill scenario nigt").await, @r#"
    There is no scenario "nigt". Did you mean "night"?
    • /drill scenario night A locked night (IAM, advanced)
    (Add together to play in a thread of this channel: everybody votes, the majority decides.)
    [Play night]
    "#);
    assert!(w.bob("/drill scenario A locked night").await.contains("What do you do?"));
    assert!(w.bob("/drill scenario iam-night").await.contains("What do you do?"));
    w.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn advice_is_found_by_any_word_for_it() {
    let mut w = World::with(setup()).await;
    assert_snapshot!(w.bob("/prep").await, @"
    What would you like advice on?
    • /prep prep-calm How do you stay calm?
    [How do you stay calm?]
    ");
    assert_snapshot!(w.bob("/prep calmm").await, @r#"
    There is no advice called "calmm". Did you mean "prep-calm"?
    • /prep prep-calm How do you stay calm?
    [How do you stay calm?]
    "#);
    assert_snapshot!(w.bob("/prep calm").await, @"
    # How do you stay calm?
    Breathe, then say what you know.
    1. Repeat the question.
    2. Say what you would look at first.
    ✗ Silence looks clever. They cannot grade what they do not hear.
    [Try iam-night] [All advice]
    ");
    assert_eq!(w.bob("/prep nerves").await, w.bob("/prep prep-calm").await);
    let drill = w.press("Bob", "Try iam-night").await;
    assert!(drill.contains("A night with a locked state"), "{drill}");
    w.end().await;
}
