//! The optional judge, against a real endpoint on this machine.

mod drills;
mod endpoint;
mod kept;
mod model;
mod rounds;
mod running;

use std::sync::Arc;
use std::time::Duration;

use drillbot::adapters::judge::{Endpoint, Settings};
use drillbot::app::App;
use drillbot::app::judge::Limits;
use drillbot::store::Store;

use crate::world::World;
use model::Mood;

/// Covers the first key point (three sixths) in the authored words, the second (two sixths) in others, the third not.
const ANSWER: &str = "The backend keeps the state. Nobody else can apply meanwhile.";
const QUOTE: &str = "nobody else can apply meanwhile";
/// What the grader makes of it, and what it is worth with the second key point.
const OFFLINE: i64 = 50;
const JUDGED: i64 = 83;

fn lifts() -> Mood {
    Mood::Says(vec![("met", "The backend keeps the state"), ("met", QUOTE), ("unsure", "")])
}

fn settings(url: &str) -> Settings {
    // Far more than any test needs.
    Settings { url: url.to_owned(), model: "m".into(), api_key: None, timeout: Duration::from_secs(60) }
}

/// Limits that no test runs into, unless it says so.
fn patient() -> Limits {
    let long = Duration::from_secs(60);
    Limits { round: long, drill: long, at_once: 4, failures: 3, pause: Duration::from_secs(300) }
}

fn app_with(settings: &Settings, limits: Limits, from: &App, store: Store) -> Arc<App> {
    let endpoint = Endpoint::new(settings).expect("an endpoint");
    let (clock, bank) = (from.clock.clone(), from.bank().as_ref().clone());
    Arc::new(App::new(store, clock, bank, Duration::from_secs(30)).with_judge(endpoint, limits))
}

/// The default world with a judge.
async fn world(settings: &Settings, limits: Limits) -> World {
    let mut w = World::new().await;
    w.app = app_with(settings, limits, &w.app, w.app.store.clone());
    w
}

/// A day on which some people answer: everybody's coverage at the reveal.
async fn day(w: &mut World, answers: &[(&str, &str)]) -> Vec<(String, i64)> {
    w.at("09:00").await;
    for (name, answer) in answers {
        w.answers_by_form(name, answer).await;
    }
    w.at("17:00").await;
    let mut scores: Vec<_> = w.scores().await.into_iter().map(|(name, coverage, _)| (name, coverage)).collect();
    scores.sort();
    scores
}

fn bob(coverage: i64) -> Vec<(String, i64)> {
    vec![("bob".to_owned(), coverage)]
}
