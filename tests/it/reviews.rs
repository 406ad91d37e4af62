//! Reviews: those who answered look at an answer of somebody else, without a name.

use std::collections::HashMap;
use std::sync::Arc;

use drillbot::domain::message::{Block, Reply};
use insta::{allow_duplicates, assert_snapshot};
use jiff::SignedDuration;

use crate::rulings::{EQUAL, OWN, count, coverage, on, on_both, revealed};
use crate::support::{Database, Kind};
use crate::world::{FULL, World, show_reply, standings_agree};

on_both!(
    a_reader_who_agrees_confirms_and_earns,
    what_a_reader_sees_differently_is_for_an_organiser,
    the_answer_with_the_fewest_reviews_comes_first_and_nobody_sees_one_twice,
    reviews_of_a_week_are_worth_twenty_five_points,
    a_review_that_is_sent_twice_at_once_counts_once,
    erased_authors_and_reviewers_leave_nothing_behind,
);

/// The answer in the form that is open in front of somebody.
fn quoted(w: &World, name: &str) -> String {
    let quote = w.form(name).blocks.into_iter().find_map(|block| match block {
        Block::Quote { by: None, text, .. } => Some(text),
        _ => None,
    });
    quote.expect("an answer without a name")
}

async fn takes(w: &mut World, name: &str) -> String {
    w.press(name, "My result").await;
    w.press(name, "Review an answer").await;
    quoted(w, name)
}

/// Points of all time on the daily board.
async fn points(w: &mut World, name: &str) -> String {
    let board = w.says(name, "/leaderboard all").await;
    let line = board.lines().find(|line| line.contains(name)).expect("a line").to_owned();
    line.split('|').map(str::trim).nth(2).expect("points").to_owned()
}

fn dispute(w: &World) -> String {
    let shown = w.chat.shown().into_iter().rev().find(|shown| shown.key.starts_with("dispute:"));
    shown.expect("the organisers are told").message.as_text()
}

async fn a_reader_who_agrees_confirms_and_earns(mut w: World, _: Arc<Database>) -> World {
    revealed(&mut w, &[("Bob", OWN), ("Cleo", FULL)]).await;
    assert_eq!(points(&mut w, "Cleo").await, "100");
    assert_eq!(takes(&mut w, "Cleo").await, OWN);
    let form = w.form("Cleo");
    assert!(!format!("{form:?}").contains("Bob"), "nobody is named: {form:?}");
    let shown = w.send_values("Cleo", &[("points", "1")]).await;
    allow_duplicates! { assert_snapshot!(shown, @"Thank you. You and I see the 3 key points alike. That is worth 5 points.") };
    w.settle().await;
    assert_eq!(points(&mut w, "Cleo").await, "105");
    assert_eq!(w.chat.count("dispute:"), 0);
    let result = w.press("Bob", "My result").await;
    let shown = result.split("# Readers agree").nth(1).expect("what readers see").to_owned();
    allow_duplicates! { assert_snapshot!(shown, @"

    ✓ The backend keeps the state (confirmed by a reader)
    – A lock stops two writers (confirmed by a reader)
    – Versions help to recover (confirmed by a reader)
    [Claim: A lock stops two writers] [Claim: Versions help to recover] [Review an answer] [Flag]
    ") };
    // There was one answer to review.
    assert!(!w.press("Cleo", "My result").await.contains("Review an answer"));
    w
}

async fn what_a_reader_sees_differently_is_for_an_organiser(mut w: World, _: Arc<Database>) -> World {
    revealed(&mut w, &[("Bob", OWN), ("Cleo", FULL), ("Dan", EQUAL)]).await;
    let taken = takes(&mut w, "Cleo").await;
    assert!([OWN, EQUAL].contains(&taken.as_str()));
    let shown = w.send_values("Cleo", &[("points", "1,2")]).await;
    allow_duplicates! { assert_snapshot!(shown, @"Thank you. You and I see 2 of 3 key points alike. An organiser looks at the rest. That is worth 5 points.") };
    w.settle().await;
    let told = dispute(&w);
    assert!(!["Bob", "Cleo", "Dan"].iter().any(|name| told.contains(name)), "nobody is named: {told}");
    let shown = told.replace(EQUAL, OWN);
    allow_duplicates! { assert_snapshot!(shown, @"
    # A reader and I see an answer differently
    (iam question 1: who keeps the state?)
    > The backend keeps the state, and only one person may write at a time.
    2. A lock stops two writers — the reader: covered; I: missing.
    (You decide; until then it stays as I see it. What you decide holds for every answer here that says the same, and you can change it.)
    [2 counts] [2 does not count]
    ") };
    let counts = w.button("Ann", "2 counts").expect("a button");
    assert_eq!(w.press_action("Bob", &counts).await, "Organisers decide on this.");
    assert_eq!(coverage(&w.scores().await, "bob"), 50);
    assert!(w.press_action("Ann", &counts).await.starts_with("Thank you."));
    w.settle().await;
    let scores = w.scores().await;
    assert_eq!(["bob", "dan"].map(|name| coverage(&scores, name)), [83, 83], "equal answers follow");
    assert!(dispute(&w).contains("Decided: it counts."), "{}", dispute(&w));
    assert!(w.told("Bob").expect("Bob is told").contains("An organiser says that your answer covers"));
    standings_agree(&w.app.store).await;
    assert_eq!(w.press_action("Ann", &counts).await, "It stands so already; nothing was changed.");
    w.press("Ann", "2 does not count").await;
    w.settle().await;
    assert_eq!(coverage(&w.scores().await, "bob"), 50);
    assert!(dispute(&w).contains("Decided: it does not count."), "{}", dispute(&w));
    w
}

async fn the_answer_with_the_fewest_reviews_comes_first_and_nobody_sees_one_twice(
    mut w: World,
    _: Arc<Database>,
) -> World {
    let answers: HashMap<&str, String> =
        ["Bob", "Cleo", "Dan", "Eve"].map(|name| (name, format!("{FULL} So says number {}.", name.len()))).into();
    let mut answers: Vec<(&str, String)> = answers.into_iter().collect();
    answers.sort();
    for (at, (_, answer)) in answers.iter_mut().enumerate() {
        *answer = format!("{answer} It is answer {at}.");
    }
    let given: Vec<(&str, &str)> = answers.iter().map(|(name, answer)| (*name, answer.as_str())).collect();
    revealed(&mut w, &given).await;
    let mut seen: HashMap<String, usize> = HashMap::new();
    for turn in 0..3 {
        for (name, own) in &given {
            let taken = takes(&mut w, name).await;
            assert_ne!(taken, *own, "their own");
            assert_eq!(takes(&mut w, name).await, taken, "what was taken comes again until it is sent");
            *seen.entry(format!("{name} saw {taken}")).or_default() += 1;
            *seen.entry(taken).or_default() += 1;
            assert!(w.send_values(name, &[("points", "1,2,3")]).await.contains("alike"));
        }
        let by_answer: Vec<usize> = given.iter().map(|(_, answer)| seen.get(*answer).copied().unwrap_or(0)).collect();
        assert!(
            by_answer.iter().max() <= by_answer.iter().min().map(|least| least + 1).as_ref(),
            "{turn}: {by_answer:?}"
        );
    }
    assert!(seen.iter().filter(|(key, _)| key.contains(" saw ")).all(|(_, times)| *times == 1), "{seen:?}");
    let round = w.rounds().await[0].id.clone();
    assert!(w.press_action("Bob", &format!("review:{round}")).await.contains("no answer left"));
    assert!(w.press_action("Zoe", &format!("review:{round}")).await.contains("for those who have answered"));
    w
}

async fn reviews_of_a_week_are_worth_twenty_five_points(mut w: World, _: Arc<Database>) -> World {
    let names = ["Bob", "Cleo", "Dan", "Eve", "Fay", "Gil", "Hal", "Ida"];
    revealed(&mut w, &names.map(|name| (name, FULL))).await;
    for turn in 0..6 {
        takes(&mut w, "Bob").await;
        let sent = w.send_values("Bob", &[("points", "1,2,3")]).await;
        assert_eq!(sent.contains("worth 5 points"), turn < 5, "{turn}: {sent}");
        assert_eq!(sent.contains("no more points for reviews this week"), turn == 5, "{turn}: {sent}");
        standings_agree(&w.app.store).await;
    }
    assert_eq!(points(&mut w, "Bob").await, "125");
    w.day(7).await;
    w.press_action("Bob", &format!("review:{}", w.rounds().await.last().expect("a round").id)).await;
    assert!(w.send_values("Bob", &[("points", "1,2,3")]).await.contains("worth 5 points"), "another week");
    assert_eq!(points(&mut w, "Bob").await, "130");
    w
}

async fn a_review_that_is_sent_twice_at_once_counts_once(mut w: World, _: Arc<Database>) -> World {
    revealed(&mut w, &[("Bob", OWN), ("Cleo", FULL)]).await;
    takes(&mut w, "Cleo").await;
    let (actor, form) = (w.actor("Cleo"), w.form("Cleo"));
    let values = HashMap::from([("points".to_owned(), "1,2".to_owned())]);
    let send = || {
        let (app, actor, form, values) = (w.app.clone(), actor.clone(), form.clone(), values.clone());
        tokio::spawn(async move { app.submit(&actor, &form.action, &values).await })
    };
    let sent = [send(), send(), send()];
    let mut thanked = 0;
    for one in sent {
        let reply: Reply = one.await.expect("a form").expect("a reply");
        thanked += usize::from(show_reply(&reply).starts_with("Thank you."));
    }
    assert_eq!(thanked, 1);
    w.settle().await;
    assert_eq!((points(&mut w, "Cleo").await.as_str(), w.chat.count("dispute:")), ("105", 1));
    w
}

async fn erased_authors_and_reviewers_leave_nothing_behind(mut w: World, _: Arc<Database>) -> World {
    revealed(&mut w, &[("Bob", OWN), ("Cleo", FULL), ("Dan", OWN)]).await;
    for name in ["Cleo", "Bob", "Dan"] {
        takes(&mut w, name).await;
        w.send_values(name, &[("points", "2")]).await;
    }
    w.settle().await;
    let before = w.chat.count("dispute:");
    assert!(before >= 2, "organisers are told");
    let kept = points(&mut w, "Cleo").await;
    for name in ["Bob", "Dan"] {
        w.says(name, "/me delete").await;
        w.press(name, "Erase my data").await;
        w.settle().await;
        standings_agree(&w.app.store).await;
    }
    assert_eq!(points(&mut w, "Cleo").await, kept, "what others earned stays");
    let told: Vec<String> = w.chat.shown().into_iter().map(|shown| shown.message.as_text()).collect();
    let disputes = w.chat.shown().into_iter().filter(|shown| shown.key.starts_with("dispute:"));
    for shown in disputes.map(|shown| shown.message.as_text()) {
        assert!(!shown.contains("one person"), "{shown}");
    }
    assert!(told.iter().any(|text| text.contains("erased at the wish of one of the two")));
    for name in ["bob", "dan"] {
        let sql =
            format!("select count(*) as n from reviews where author_id like '%{name}%' or reviewer_id like '%{name}%'");
        assert_eq!(count(&w.app.store, sql).await, 0);
    }
    w.pass(SignedDuration::from_mins(1)).await;
    w
}
