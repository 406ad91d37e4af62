//! What is kept of verdicts, on both databases.

use drillbot::domain::ids::MemberId;
use drillbot::domain::judge::{Finding, Verdict, case_key};
use drillbot::store::{Store, members, verdicts};

use crate::support::{Database, Kind};

/// Whether verdicts of the tests' model on these answers to a question are kept.
pub async fn of(store: &Store, snapshot: &str, answers: &[&str]) -> Vec<bool> {
    let keys: Vec<String> = answers.iter().map(|answer| case_key(snapshot, "m", answer)).collect();
    let wanted = keys.clone();
    let known = store.read("read", move |conn| Box::pin(async move { verdicts::known(conn, &wanted).await })).await;
    let known = known.expect("verdicts can be read");
    keys.iter().map(|key| known.contains_key(key)).collect()
}

fn one(finding: Finding, quote: &str) -> Vec<Verdict> {
    vec![Verdict { finding, quote: quote.to_owned() }]
}

async fn keep(store: &Store, key: &'static str, member: &'static str, what: Vec<Verdict>, now: i64) {
    let kept = store.write("keep", move |conn| {
        Box::pin(async move { verdicts::keep(conn, key, &MemberId::new(member), &what, now).await })
    });
    kept.await.expect("verdicts can be kept");
}

async fn all(store: &Store) -> Vec<(String, Vec<Verdict>)> {
    // More than one statement may ask for, with those that are there at both ends.
    let mut keys = vec!["a".to_owned(), "b".to_owned()];
    keys.extend((0..1_200).map(|n| format!("none {n}")));
    keys.push("c".to_owned());
    let known = store.read("read", move |conn| Box::pin(async move { verdicts::known(conn, &keys).await })).await;
    let mut known: Vec<_> = known.expect("verdicts can be read").into_iter().collect();
    known.sort_by(|a, b| a.0.cmp(&b.0));
    known
}

async fn verdicts_are_kept_once_and_go_with_their_member_and_with_time(kind: Kind) {
    let Some(database) = Database::of(kind).await else { return };
    let store = database.open().await;
    let seen = |id: &'static str| {
        store.write("see", move |conn| Box::pin(async move { members::seen(conn, &MemberId::new(id), id, 1).await }))
    };
    seen("web:ann").await.expect("a member");
    seen("web:bob").await.expect("a member");
    let hostile = "'); drop table verdicts; -- \"{}\" 🙂";
    keep(&store, "a", "web:ann", one(Finding::Met, hostile), 10).await;
    keep(&store, "a", "web:bob", one(Finding::Unmet, "other"), 11).await;
    keep(&store, "b", "web:bob", one(Finding::Unsure, ""), 20).await;
    keep(&store, "c", "web:nobody", one(Finding::Met, "x"), 20).await;
    let a = ("a".to_owned(), one(Finding::Met, hostile));
    let b = ("b".to_owned(), one(Finding::Unsure, ""));
    assert_eq!(all(&store).await, [a.clone(), b.clone()], "the first stays; of who is not there nothing");
    let tidy = |before| store.write("tidy", move |conn| Box::pin(async move { verdicts::tidy(conn, before).await }));
    tidy(10).await.expect("a write");
    assert_eq!(all(&store).await, [a, b.clone()]);
    tidy(11).await.expect("a write");
    assert_eq!(all(&store).await, [b]);
    let forget =
        store.write("forget", |conn| Box::pin(async move { verdicts::forget(conn, &MemberId::new("web:bob")).await }));
    forget.await.expect("a write");
    assert_eq!(all(&store).await, []);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_on_sqlite() {
    verdicts_are_kept_once_and_go_with_their_member_and_with_time(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_on_postgres() {
    verdicts_are_kept_once_and_go_with_their_member_and_with_time(Kind::Postgres).await;
}
