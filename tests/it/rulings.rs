//! Claims of members that their answer covers a key point, and what is ruled on them.

use std::sync::Arc;
use std::time::Duration;

use drillbot::adapters::memory::Fault;
use drillbot::app::App;
use drillbot::domain::effect::Audience;
use drillbot::domain::form::InputKind;
use drillbot::domain::ids::ClaimId;
use drillbot::domain::markup;
use drillbot::domain::message::{Message, Reply};
use drillbot::store::Store;
use insta::{allow_duplicates, assert_snapshot};

use crate::support::{Database, Kind};
use crate::world::{FULL, Setup, World, bank, member, read_bank, show_reply, standings_agree};

/// Covers the first key point (3 of 6), and to a reader the second one (2 of 6).
pub const OWN: &str = "The backend keeps the state, and only one person may write at a time.";
/// The same words.
pub const EQUAL: &str = "the BACKEND keeps the state - and only one person may write (at a time)";
const WORDS: &str = "only one person MAY write";
const SECOND: &str = "Claim: A lock stops";

/// A test on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => { $(
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                on(Kind::Sqlite, super::$name).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgres() {
                on(Kind::Postgres, super::$name).await;
            }
        }
    )* };
}
pub(crate) use on_both;

/// A world of one question on a database of this kind.
pub async fn on<F: Future<Output = World>>(kind: Kind, body: impl FnOnce(World, Arc<Database>) -> F) {
    let Some(database) = Database::of(kind).await else { return };
    let store = database.open().await;
    let setup = Setup { bank: bank(&[("iam", 1)]), ..Setup::default() };
    let database = Arc::new(database);
    let w = body(World::on(setup, store.clone()).await, database.clone()).await;
    w.end().await;
    store.close().await;
    drop(database);
}

on_both!(
    a_confirmed_claim_moves_score_board_and_reveal,
    a_claim_that_is_not_confirmed_changes_nothing,
    an_organiser_overrules_as_often_as_they_like,
    equal_answers_of_others_follow_in_the_past_and_later,
    scores_from_before_are_found_by_their_answers,
    two_presses_at_once_are_one_ruling,
    a_crash_at_any_step_leaves_one_ruling,
    who_is_erased_leaves_no_words_behind,
    an_erased_member_is_named_under_no_claim,
    a_ruling_while_a_round_is_graded_is_in_its_scores,
);

/// The round of the day, answered with the form and revealed.
pub async fn revealed(w: &mut World, answers: &[(&str, &str)]) {
    w.at("09:00").await;
    for (name, answer) in answers {
        w.answers_by_form(name, answer).await;
    }
    w.at("17:00").await;
    w.news();
}

/// Somebody claims the second point.
async fn claims(w: &mut World, name: &str) {
    w.press(name, "My result").await;
    w.press(name, SECOND).await;
    let made = w.send_form(name, WORDS).await;
    assert!(made.starts_with("Claimed."), "{made}");
    w.settle().await;
}

pub fn coverage(scores: &[(String, i64, i64)], name: &str) -> i64 {
    scores.iter().find(|(who, ..)| who == name).expect("a score").1
}

fn claim_message(w: &World) -> String {
    let shown = w.chat.shown().into_iter().rev().find(|shown| shown.key.starts_with("claim:"));
    shown.expect("a claim in the thread").message.as_text()
}

async fn a_confirmed_claim_moves_score_board_and_reveal(mut w: World, _: Arc<Database>) -> World {
    revealed(&mut w, &[("Bob", OWN), ("Cleo", FULL)]).await;
    let shown = w.press("Bob", "My result").await;
    allow_duplicates! { assert_snapshot!(shown, @"
    # Your result
    50 of 100, worth 50 points
    (iam question 1: who keeps the state?)
    # You said
    ✓ The backend keeps the state
    # Missing
    – A lock stops two writers
    – Versions help to recover
    # Your answer
    > The backend keeps the state, and only one person may write at a time.
    (Underlined: the words that counted.)
    (Did you say it, and I did not see it? Claim the point: somebody else looks at your words, without your name.)
    [Claim: A lock stops two writers] [Claim: Versions help to recover] [Review an answer] [Flag]
    ") };
    let shown = w.press("Bob", SECOND).await;
    allow_duplicates! { assert_snapshot!(shown, @r#"
    [form] Claim a key point
    Which of your words say this?: ""
    [Claim]
    "#) };
    let shown = w.send_form("Bob", "one person writes").await;
    allow_duplicates! { assert_snapshot!(shown, @"
    These words do not stand in your answer like this, so nothing was claimed. Copy one stretch of it; upper case, spaces and punctuation do not matter.
    A lock stops two writers
    > one person writes
    [Try again]
    ") };
    assert_eq!(w.chat.count("claim:"), 0, "nothing is claimed with other words");
    assert!(w.press("Bob", "Try again").await.contains("one person writes"), "what was typed is kept");
    let shown = w.send_form("Bob", WORDS).await;
    allow_duplicates! { assert_snapshot!(shown, @"Claimed. Your words are on their way into the thread, without your name. What becomes of it stands there and in your result.") };
    w.settle().await;
    let shown = w.news();
    allow_duplicates! { assert_snapshot!(shown, @"
    --- in the thread
    # Does this cover it?
    (iam question 1: who keeps the state?)
    • A lock stops two writers
    > only one person may write
    (Somebody says that these words of their answer cover the key point. One other member, or an organiser, decides with one press; until then nobody sees whose words they are.)
    [Yes, it covers it] [No, it does not]
    ") };
    let (before, board) = (w.scores().await, w.bob("/leaderboard").await);
    assert_eq!(coverage(&before, "bob"), 50);

    assert_eq!(w.press("Bob", "Yes, it covers").await, "This is your own claim: somebody else decides on it.");
    let shown = w.press("Cleo", "Yes, it covers").await;
    allow_duplicates! { assert_snapshot!(shown, @"Thank you. The point counts now, for every answer here that says the same; scores and standings follow.") };
    w.settle().await;
    assert_eq!(coverage(&w.scores().await, "bob"), 83);
    assert_ne!(w.bob("/leaderboard").await, board);
    let shown = claim_message(&w);
    allow_duplicates! { assert_snapshot!(shown, @"
    # It covers the key point
    • A lock stops two writers
    > only one person may write
    Bob claimed this, Cleo confirmed it. The answer has 83 of 100 now.
    (Organisers can overrule this.)
    [Overrule: it does not]
    ") };
    let shown = w.told("Bob").expect("Bob is told");
    allow_duplicates! { assert_snapshot!(shown, @"
    Another member says that your answer covers a key point:
    ✓ A lock stops two writers
    Your result is 83 of 100 now; it was 50. The standings have followed.
    ") };
    let reveal = w.chat.shown().into_iter().find(|one| one.message.as_text().contains("who covered them"));
    assert!(reveal.expect("the reveal").message.as_text().contains("A lock stops two writers — everybody"));
    let shown = w.press("Bob", "My result").await;
    allow_duplicates! { assert_snapshot!(shown, @"
    # Your result
    83 of 100, worth 83 points
    (iam question 1: who keeps the state?)
    # You said
    ✓ The backend keeps the state
    ✓ A lock stops two writers (decided by people)
    # Missing
    – Versions help to recover
    # Your answer
    > The backend keeps the state, and only one person may write at a time.
    (Underlined: the words that counted.)
    (Did you say it, and I did not see it? Claim the point: somebody else looks at your words, without your name.)
    [Claim: Versions help to recover] [Review an answer] [Flag]
    ") };
    let shown = w.ann("/daily show").await.split("# Rulings lately").nth(1).expect("the log").to_owned();
    allow_duplicates! { assert_snapshot!(shown, @"

    • 2026-11-23T17:00:00Z Cleo: covered, in the question of 2026-11-23 09:00: A lock stops two writers
    ") };

    // Once: what is pressed again changes nothing more.
    let calls = w.chat.calls();
    assert_eq!(w.press_action("Dan", &rule("bob", &w, true).await).await, "It stands so already; nothing was changed.");
    assert_eq!(
        w.press_action("Dan", &rule("bob", &w, false).await).await,
        "This has been decided. Only an organiser can overrule it."
    );
    assert!(w.press_action("Bob", &format!("claim:{}:1", w.rounds().await[0].id)).await.contains("already"));
    w.settle().await;
    assert_eq!((coverage(&w.scores().await, "bob"), w.chat.calls()), (83, calls));
    w
}

/// The button of somebody's claim of the second point in the newest round.
async fn rule(name: &str, w: &World, covered: bool) -> String {
    let round = w.rounds().await[0].id.clone();
    format!("rule:{}:{}", ClaimId::of(&round, &member(name), 1), if covered { "yes" } else { "no" })
}

async fn a_claim_that_is_not_confirmed_changes_nothing(mut w: World, _: Arc<Database>) -> World {
    revealed(&mut w, &[("Bob", OWN), ("Cleo", FULL)]).await;
    let before = w.scores().await;
    claims(&mut w, "Bob").await;
    assert!(!claim_message(&w).contains("Bob"), "nobody sees whose claim it is");
    w.press("Cleo", "No, it does not").await;
    w.settle().await;
    assert_eq!(w.scores().await, before);
    assert!(claim_message(&w).contains("Bob claimed this, Cleo did not confirm it."), "{}", claim_message(&w));
    assert!(w.told("Bob").expect("Bob is told").contains("Your result stays at 50 of 100."));
    let result = w.press("Bob", "My result").await;
    assert!(result.contains("– A lock stops two writers (decided by people)") && !result.contains(SECOND), "{result}");
    w
}

async fn an_organiser_overrules_as_often_as_they_like(mut w: World, _: Arc<Database>) -> World {
    revealed(&mut w, &[("Bob", OWN), ("Cleo", FULL)]).await;
    claims(&mut w, "Bob").await;
    w.press("Cleo", "No, it does not").await;
    w.settle().await;
    for turn in 0..3 {
        w.press("Ann", "Overrule: it does").await;
        w.settle().await;
        assert_eq!(coverage(&w.scores().await, "bob"), 83, "turn {turn}");
        assert!(claim_message(&w).contains("Ann confirmed it. The answer has 83"), "{}", claim_message(&w));
        standings_agree(&w.app.store).await;
        w.press("Ann", "Overrule: it does not").await;
        w.settle().await;
        assert_eq!(coverage(&w.scores().await, "bob"), 50, "turn {turn}");
        standings_agree(&w.app.store).await;
    }
    let log = w.ann("/daily show").await;
    assert_eq!(log.matches("Ann (organiser): not covered instead of covered").count(), 3, "{log}");
    assert!(w.told("Bob").expect("Bob is told").contains("An organiser overruled it"));
    w
}

async fn equal_answers_of_others_follow_in_the_past_and_later(mut w: World, _: Arc<Database>) -> World {
    revealed(&mut w, &[("Bob", OWN), ("Cleo", EQUAL), ("Dan", "The backend keeps the state.")]).await;
    // Asked once more before anything is ruled: another round of the past.
    w.day(1).await;
    revealed(&mut w, &[("Eve", EQUAL)]).await;
    let rounds = w.rounds().await;
    w.set_clock("18:00");
    let claim = format!("claim:{}:1", rounds[1].id);
    w.press_action("Bob", &claim).await;
    w.send_form("Bob", WORDS).await;
    w.settle().await;
    w.press("Dan", "Yes, it covers").await;
    w.settle().await;
    let monday = w.scores_of(&rounds[1].id).await;
    assert_eq!(["bob", "cleo", "dan"].map(|name| coverage(&monday, name)), [83, 83, 50]);
    assert_eq!(coverage(&w.scores().await, "eve"), 83);
    for name in ["Bob", "Cleo", "Eve"] {
        assert!(w.told(name).expect("they are told").contains("83 of 100 now; it was 50"), "{name}");
    }
    assert!(!w.told("Dan").expect("a result").contains("it was"), "Dan's answer is another one");
    // Later rounds and drills.
    w.day(2).await;
    revealed(&mut w, &[("Cleo", EQUAL), ("Bob", FULL)]).await;
    assert_eq!(coverage(&w.scores().await, "cleo"), 83);
    assert!(w.press("Cleo", "My result").await.contains("✓ A lock stops two writers (decided by people)"));
    w.says("Dan", "/drill iam 1").await;
    w.press("Dan", "Answer").await;
    let drilled = w.send_form("Dan", EQUAL).await;
    assert!(drilled.contains("83 of 100") && drilled.contains("(decided by people)"), "{drilled}");
    // What is overruled takes all of them along, the new one too.
    w.press_action("Ann", &format!("rule:{}:no", ClaimId::of(&rounds[1].id, &member("bob"), 1))).await;
    w.settle().await;
    assert_eq!(coverage(&w.scores().await, "cleo"), 50);
    assert_eq!(coverage(&w.scores_of(&rounds[0].id).await, "eve"), 50);
    w
}

async fn scores_from_before_are_found_by_their_answers(mut w: World, _: Arc<Database>) -> World {
    revealed(&mut w, &[("Bob", OWN), ("Cleo", EQUAL), ("Dan", FULL)]).await;
    w.app
        .store
        .write("as before", |conn| {
            Box::pin(
                async move { Ok(sqlx::query("update scores set answer = ''").execute(conn).await?.rows_affected()) },
            )
        })
        .await
        .expect("old scores");
    claims(&mut w, "Bob").await;
    w.press("Dan", "Yes, it covers").await;
    w.settle().await;
    let scores = w.scores().await;
    assert_eq!(["bob", "cleo", "dan"].map(|name| coverage(&scores, name)), [83, 83, 100]);
    w
}

async fn two_presses_at_once_are_one_ruling(mut w: World, database: Arc<Database>) -> World {
    let names = ["Cleo", "Dan", "Eve", "Fay"];
    revealed(&mut w, &[("Bob", OWN), ("Gil", EQUAL)]).await;
    claims(&mut w, "Bob").await;
    let yes = w.button("Cleo", "Yes, it covers").expect("a button");
    // Two processes, where two can share a database.
    let second = if w.app.store.is_exclusive() { w.app.store.clone() } else { database.open().await };
    let other = Arc::new(App::new(second, w.clock.clone(), bank(&[("iam", 1)]), Duration::from_secs(30)));
    let mut presses = Vec::new();
    for (at, name) in names.into_iter().enumerate() {
        let (app, actor, yes) = (if at % 2 == 0 { w.app.clone() } else { other.clone() }, w.actor(name), yes.clone());
        presses.push(tokio::spawn(async move { app.press(&actor, &yes).await }));
    }
    let mut thanked = 0;
    for press in presses {
        let reply: Reply = press.await.expect("a press").expect("a reply");
        thanked += usize::from(show_reply(&reply).starts_with("Thank you."));
    }
    assert_eq!(thanked, 1);
    w.settle().await;
    let scores = w.scores().await;
    assert_eq!(["bob", "gil"].map(|name| coverage(&scores, name)), [83, 83]);
    let told = w.chat.shown().into_iter().filter(|shown| shown.key.starts_with("ruled:")).count();
    assert_eq!(told, 2, "each is told once");
    assert_eq!(w.ann("/daily show").await.matches(": covered, in the question").count(), 1);
    if !w.app.store.is_exclusive() {
        other.store.close().await;
    }
    w
}

async fn a_crash_at_any_step_leaves_one_ruling(mut w: World, _: Arc<Database>) -> World {
    revealed(&mut w, &[("Bob", OWN), ("Cleo", FULL)]).await;
    // The claim is posted, but the answer to that is lost.
    w.chat.fail_next([Fault::LostAnswer]);
    w.press("Bob", "My result").await;
    w.press("Bob", SECOND).await;
    w.send_form("Bob", WORDS).await;
    w.drain().await;
    w.restart().await;
    w.pass(jiff::SignedDuration::from_mins(10)).await;
    assert_eq!(w.chat.count("claim:"), 1);
    w.press("Cleo", "Yes, it covers").await;
    // What the ruling wants told is taken by a process that dies.
    w.claim_and_forget().await;
    w.restart().await;
    w.pass(jiff::SignedDuration::from_mins(10)).await;
    assert_eq!(coverage(&w.scores().await, "bob"), 83);
    assert!(claim_message(&w).contains("Cleo confirmed it"), "{}", claim_message(&w));
    assert_eq!(w.chat.count("ruled:"), 1);
    assert!(w.told("Bob").expect("Bob is told").contains("it was 50"));
    w
}

async fn who_is_erased_leaves_no_words_behind(mut w: World, _: Arc<Database>) -> World {
    revealed(&mut w, &[("Bob", OWN), ("Cleo", EQUAL)]).await;
    claims(&mut w, "Bob").await;
    w.press("Bob", "My result").await;
    w.press_action("Bob", &format!("claim:{}:2", w.rounds().await[0].id)).await;
    assert!(w.send_form("Bob", "something secret").await.contains("Try again"), "a draft");
    w.press("Cleo", "Yes, it covers").await;
    w.settle().await;
    w.says("Bob", "/me delete").await;
    w.press("Bob", "Erase my data").await;
    w.settle().await;
    assert_eq!(claim_message(&w), "The claim that stood here was erased at its author's wish.");
    for (table, columns) in
        [("claims", "member_id || words || decided_by"), ("ruling_log", "member_id"), ("rulings", "answer")]
    {
        let sql = format!(
            "select count(*) as n from {table} where {columns} like '%bob%' or {columns} like '%person%' or {columns} like '%secret%'"
        );
        assert_eq!(count(&w.app.store, sql).await, 0, "{table}");
    }
    assert_eq!(count(&w.app.store, "select count(*) as n from claims".to_owned()).await, 0);
    // The ruling stands, and the other's score with it.
    assert_eq!(w.scores().await, [("cleo".to_owned(), 83, w.scores().await[0].2)]);
    w
}

async fn an_erased_member_is_named_under_no_claim(mut w: World, _: Arc<Database>) -> World {
    revealed(&mut w, &[("Bob", OWN), ("Cleo", EQUAL)]).await;
    claims(&mut w, "Bob").await;
    w.press("Cleo", "Yes, it covers").await;
    w.settle().await;
    w.says("Cleo", "/me delete").await;
    w.press("Cleo", "Erase my data").await;
    w.settle().await;
    assert!(claim_message(&w).contains("Bob claimed this, somebody who left confirmed it."), "{}", claim_message(&w));
    assert_eq!(coverage(&w.scores().await, "bob"), 83);
    let log = w.ann("/daily show").await;
    assert!(log.contains("somebody who left: covered") && !log.contains("Cleo"), "{log}");
    let shown = w.chat.shown().into_iter().filter(|shown| shown.audience != Audience::Member(member("cleo")));
    assert!(!shown.map(|shown| shown.message.as_text()).any(|text| text.contains("Cleo")), "her name stands nowhere");
    w
}

async fn a_ruling_while_a_round_is_graded_is_in_its_scores(mut w: World, _: Arc<Database>) -> World {
    revealed(&mut w, &[("Bob", OWN), ("Dan", FULL)]).await;
    claims(&mut w, "Bob").await;
    let yes = w.button("Dan", "Yes, it covers").expect("a button");
    w.day(1).await;
    w.at("09:00").await;
    for n in 0..20 {
        w.answers_by_form(&format!("P{n}"), EQUAL).await;
    }
    w.set_clock("17:00");
    w.app.tick().await.expect("a tick");
    let (app, actor) = (w.app.clone(), w.actor("Dan"));
    let press = tokio::spawn(async move { app.press(&actor, &yes).await });
    w.drain().await;
    press.await.expect("a press").expect("a reply");
    w.settle().await;
    w.pass(jiff::SignedDuration::from_mins(10)).await;
    let scores = w.scores().await;
    assert_eq!(scores.iter().map(|(_, coverage, _)| *coverage).collect::<Vec<_>>(), [83; 20]);
    w
}

#[tokio::test]
async fn with_many_points_one_button_leads_to_all_of_them() {
    let text = include_str!("../../content/terraform.toml").to_owned();
    let bank = read_bank(&[("terraform.toml".to_owned(), text)]).expect("a bank");
    let question = bank.get("tf-state-team").expect("a question").clone();
    let mut w = World::with(Setup { bank, ..Setup::default() }).await;
    w.ann("/daily now question=tf-state-team").await;
    w.settle().await;
    w.answers_by_form("Bob", "We sing together every morning before work.").await;
    w.ann("/daily reveal").await;
    w.settle().await;
    let result = w.press("Bob", "My result").await;
    assert!(result.contains("[Claim a point]") && !result.contains("[Claim: "), "{result}");
    w.press("Bob", "Claim a point").await;
    let InputKind::Pick { options, many: false } = &w.form("Bob").inputs[0].kind else { panic!("no pick of one") };
    assert_eq!(options.len(), question.key_points.len());
    let last = question.key_points.len();
    let lost = w.send_values("Bob", &[("point", "77"), ("answer", "we sing together")]).await;
    assert!(lost.contains("> we sing together") && lost.contains("Nothing was claimed."), "{lost}");
    w.press("Bob", "Try again").await;
    let made = w.send_values("Bob", &[("point", &last.to_string()), ("answer", "we sing together")]).await;
    assert!(made.starts_with("Claimed."), "{made}");
    w.settle().await;
    w.press("Cleo", "Yes, it covers").await;
    w.settle().await;
    let result = w.press("Bob", "My result").await;
    assert_eq!(result.matches("(decided by people)").count(), 1, "{result}");
    let claimed = Message::as_text(&Message {
        blocks: markup::blocks(&question.key_points[last - 1].text),
        ..Message::default()
    });
    assert!(claim_message(&w).contains(&claimed), "{}", claim_message(&w));
    w.end().await;
}

pub async fn count(store: &Store, sql: String) -> i64 {
    use sqlx::Row;
    let read = store.read("count", move |conn| {
        Box::pin(async move { Ok(sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(conn).await?) })
    });
    read.await.expect("a count").get("n")
}
