//! Whatever happens in whatever order: everything is shown once, everybody is scored once a round, and the standings agree.

use std::collections::{BTreeMap, HashSet};

use drillbot::adapters::memory::Fault;
use drillbot::domain::answer::Receipt;
use drillbot::domain::ids::{MessageId, ThreadId};
use drillbot::domain::round::{Round, State};
use drillbot::domain::schedule::ScheduleSpec;
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::world::{FULL, PART, Setup, World, spec};

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Minutes.
    Pass(i64),
    Tick,
    /// Only some of what is due is sent before the next step.
    DeliverOnce,
    /// By thread: who, what, and whether the bot hears of it.
    Write(u8, u8, bool),
    Form(u8, u8),
    Rewrite(u8, u8, bool),
    Erase(u8, bool),
    Hint(u8),
    Drill(u8, u8),
    Now,
    Reveal,
    /// The process dies after it has claimed what is due, and comes back.
    CrashWithClaims,
    Crash,
    Fault(u8),
    ReadFault(u8),
    ClockBack(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_i64..400).prop_map(Step::Pass),
        1 => (400_i64..3_000).prop_map(Step::Pass),
        4 => Just(Step::Tick),
        4 => Just(Step::DeliverOnce),
        4 => (0..4_u8, 0..3_u8, any::<bool>()).prop_map(|(who, what, heard)| Step::Write(who, what, heard)),
        3 => (0..4_u8, 0..3_u8).prop_map(|(who, what)| Step::Form(who, what)),
        2 => (any::<u8>(), 0..3_u8, any::<bool>()).prop_map(|(which, what, heard)| Step::Rewrite(which, what, heard)),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(which, heard)| Step::Erase(which, heard)),
        2 => (0..4_u8).prop_map(Step::Hint),
        2 => (0..4_u8, 0..3_u8).prop_map(|(who, what)| Step::Drill(who, what)),
        1 => Just(Step::Now),
        1 => Just(Step::Reveal),
        1 => Just(Step::CrashWithClaims),
        1 => Just(Step::Crash),
        3 => (0..8_u8).prop_map(Step::Fault),
        1 => (0..3_u8).prop_map(Step::ReadFault),
        1 => (1_i64..200).prop_map(Step::ClockBack),
    ]
}

const PEOPLE: [&str; 4] = ["Ann", "Bob", "Cleo", "Dan"];
const WORDS: [&str; 3] = [FULL, PART, "I do not know."];

/// Mostly the service is busy or its answer is lost; seldom it refuses for good.
fn fault(n: u8) -> Fault {
    match n {
        0 => Fault::Forbidden,
        n if n % 2 == 0 => Fault::Busy,
        _ => Fault::LostAnswer,
    }
}

/// What the test knows about the world beside the world.
#[derive(Default)]
struct Known {
    written: Vec<Line>,
}

/// A message that stands in a thread.
#[derive(Clone)]
struct Line {
    thread: ThreadId,
    id: MessageId,
    name: &'static str,
    at: i64,
    /// Its round took answers when it was written.
    in_time: bool,
}

async fn play(steps: &[Step]) {
    let often = ScheduleSpec { cron: "0 9,13,17 * * *".into(), reveal: "3h".into(), ..spec() };
    let mut w = World::with(Setup { schedules: vec![("daily", often)], ..Setup::default() }).await;
    let mut known = Known::default();
    w.at("09:00").await;
    for step in steps {
        take(&mut w, &mut known, *step).await;
        w.check().await;
    }
    // The weather clears; everything that was begun comes to an end.
    w.chat.recover();
    w.restart().await;
    for _ in 0..8 {
        w.pass(SignedDuration::from_mins(31)).await;
    }
    w.ann("/daily pause").await;
    // A clock that went back has to come to the reveal again.
    let unfinished = |round: &Round| matches!(round.state, State::Open | State::Closing);
    for _ in 0..400 {
        w.pass(SignedDuration::from_mins(31)).await;
        if !w.rounds().await.iter().any(unfinished) {
            break;
        }
    }
    for _ in 0..4 {
        w.pass(SignedDuration::from_mins(31)).await;
    }
    once_a_round(&w, &known).await;
    // What the service refused for good stays so, and nothing else.
    w.unsent.extend(["question:", "card:", "reveal:", "result:", "notice:", "collect:"]);
    for state in ["pending", "sending"] {
        assert_eq!(w.in_outbox(state).await, [], "{state}");
    }
    w.end().await;
}

async fn take(w: &mut World, known: &mut Known, step: Step) {
    match step {
        Step::Pass(minutes) => w.clock.set(w.clock.now_ms() + minutes * 60_000),
        Step::ClockBack(minutes) => w.clock.set(w.clock.now_ms() - minutes * 60_000),
        Step::Tick => w.app.tick().await.unwrap(),
        Step::DeliverOnce => {
            w.app.deliver(&*w.chat).await.unwrap();
        }
        Step::Write(who, what, heard) => {
            if w.cards().is_empty() {
                return;
            }
            let (thread, name) = (w.thread(), PEOPLE[usize::from(who)]);
            let in_time = w.round_of(&thread).await.state == State::Open;
            let id = if heard {
                w.write_in(&thread, name, WORDS[usize::from(what)]).await.0
            } else {
                w.write_unheard(&thread, name, WORDS[usize::from(what)])
            };
            known.written.push(Line { thread, id, name, at: w.clock.now_ms(), in_time });
        }
        Step::Form(who, what) => {
            let name = PEOPLE[usize::from(who)];
            if let Some(answer) = w.card_button("Answer") {
                w.submit(name, &answer, WORDS[usize::from(what)]).await;
            }
        }
        Step::Rewrite(which, what, heard) => {
            let Some(Line { thread, id, name, .. }) = pick(known, which) else { return };
            let words = WORDS[usize::from(what)];
            w.chat.rewrite(&id, words);
            if heard {
                let receipt = w.hear(&thread, &id, name, words).await;
                assert_ne!(receipt, Receipt::Aside);
            }
        }
        Step::Erase(which, heard) => {
            let Some(Line { thread, id, .. }) = pick(known, which) else { return };
            known.written.retain(|line| line.id != id);
            w.chat.erase(&id);
            if heard {
                w.hear_deletion(&thread, &id).await;
            }
        }
        Step::Hint(who) => {
            if let Some(hint) = w.card_button("Hint") {
                w.press_action(PEOPLE[usize::from(who)], &hint).await;
            }
        }
        Step::Drill(who, what) => {
            let name = PEOPLE[usize::from(who)];
            w.says(name, "/drill eks 1").await;
            w.press(name, "Answer").await;
            w.send_form(name, WORDS[usize::from(what)]).await;
        }
        Step::Now => {
            w.ann("/daily now").await;
        }
        Step::Reveal => {
            w.ann("/daily reveal").await;
        }
        Step::Crash => w.reborn().await,
        Step::CrashWithClaims => {
            w.claim_and_forget().await;
            w.reborn().await;
        }
        Step::Fault(n) => w.chat.fail_next([fault(n)]),
        Step::ReadFault(n) => w.chat.fail_next_reads([if n == 0 { Fault::LostAnswer } else { Fault::Busy }]),
    }
}

fn pick(known: &Known, which: u8) -> Option<Line> {
    let count = known.written.len();
    (count > 0).then(|| known.written[usize::from(which) % count].clone())
}

async fn once_a_round(w: &World, known: &Known) {
    let shown = w.chat.shown();
    let keys: HashSet<&str> = shown.iter().map(|shown| shown.key.as_str()).collect();
    assert_eq!(keys.len(), shown.len());
    let failed: HashSet<String> = w.in_outbox("failed").await.into_iter().map(|(id, _)| id).collect();
    let mut scored: BTreeMap<String, usize> = BTreeMap::new();
    for round in w.rounds().await {
        assert!(!matches!(round.state, State::Open | State::Closing), "{} is still {:?}", round.slot, round.state);
        if round.state != State::Revealed {
            continue;
        }
        // Every part of the reveal stands once, unless the service refused it.
        for part in 0..round.parts {
            let key = if part == 0 { format!("reveal:{}", round.id) } else { format!("reveal:{}:{part}", round.id) };
            assert!(keys.contains(key.as_str()) || failed.contains(&key), "{key} is missing");
        }
        for score in w.scores_of(&round.id).await {
            *scored.entry(format!("{} {}", round.id, score.0)).or_default() += 1;
        }
    }
    assert!(scored.values().all(|times| *times == 1), "{scored:#?}");
    // Whoever wrote while the question was open, and let it stand, has a score, whether the bot heard of it or not.
    for line in known.written.iter().filter(|line| line.in_time) {
        let round = w.round_of(&line.thread).await;
        if round.state == State::Revealed && round.closed_at.is_some_and(|closed| line.at <= closed) {
            let key = format!("{} {}", round.id, line.name.to_lowercase());
            assert!(scored.contains_key(&key), "{key} wrote {} and has no score", line.id);
        }
    }
}

#[test]
fn any_day_ends_with_everything_shown_once_and_everybody_scored_once() {
    let config = Config { cases: 48, max_shrink_iters: 400, failure_persistence: None, ..Config::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    TestRunner::new(config)
        .run(&prop::collection::vec(step(), 5..60), |steps| {
            runtime.block_on(play(&steps));
            Ok(())
        })
        .unwrap();
}
