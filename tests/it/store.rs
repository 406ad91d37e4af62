//! The store on both databases: one text, one body of each test.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use anyhow::{Result, anyhow};
use drillbot::config::Content;
use drillbot::content;
use drillbot::domain::answer::Part;
use drillbot::domain::command::Board;
use drillbot::domain::confidence::{Calibration, Confidence, Mistaken};
use drillbot::domain::copying::Copy;
use drillbot::domain::drill::{Drill, Item};
use drillbot::domain::effect::Effect;
use drillbot::domain::grade::Grade;
use drillbot::domain::ids::{
    ChannelId, DeliveryId, DrillId, MemberId, MessageId, QuestionId, RoundId, ScheduleId, ThreadId,
};
use drillbot::domain::round::{Period, Round, Scored, State};
use drillbot::domain::ruling::answer_key;
use drillbot::domain::schedule::AnswerMode;
use drillbot::store::channels::Step;
use drillbot::store::drills::Scored as Drilled;
use drillbot::store::outbox::New;
use drillbot::store::standings::{Gain, List};
use drillbot::store::web::{NewMessage, Viewer};
use drillbot::store::{
    Store, Unavailable, answers, channels, confidence, copies, drills, erased, members, notes, outbox, rounds,
    schedules, scores, standings, web,
};
use futures_util::future::join_all;
use sqlx::Row;

use crate::support::{Database, Kind, run};

/// A test of each name on SQLite and on PostgreSQL, from a plain function that gets a store.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => { $(
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                with_store(Kind::Sqlite, super::$name).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgres() {
                with_store(Kind::Postgres, super::$name).await;
            }
        }
    )* };
}

async fn with_store<F: Future<Output = ()>>(kind: Kind, body: impl FnOnce(Store) -> F) {
    let Some(database) = Database::of(kind).await else { return };
    let store = database.open().await;
    body(store.clone()).await;
    store.close().await;
}

/// A transaction that works.
macro_rules! write {
    ($store:expr, |$conn:ident| $body:expr) => {
        try_write!($store, |$conn| $body).expect("a write")
    };
}

macro_rules! try_write {
    ($store:expr, |$conn:ident| $body:expr) => {
        $store.write("test", move |$conn| Box::pin(async move { $body })).await
    };
}

macro_rules! read {
    ($store:expr, |$conn:ident| $body:expr) => {
        $store.read("test", move |$conn| Box::pin(async move { $body })).await.expect("a read")
    };
}

on_both!(
    a_round_is_inserted_once_for_a_slot,
    rounds_are_found_by_id_thread_channel_and_schedule,
    a_round_goes_from_open_to_revealed_once,
    a_missed_round_is_told_apart_from_one_that_was_recorded_by_a_wrong_clock,
    touching_an_open_round_makes_its_card_stale_until_it_is_shown,
    what_was_asked_is_remembered_by_channel,
    snapshots_are_kept_once_and_come_back_whole,
    hints_are_given_in_order_and_end,
    answers_are_put_replaced_deleted_and_counted,
    thousands_of_answers_go_in_at_once,
    channels_keep_what_was_put_last,
    a_trouble_of_a_channel_is_news_once,
    a_step_that_fails_is_news_once,
    what_a_channel_missed_is_tried_once_more,
    the_latest_channel_is_where_a_member_scored_last,
    open_rounds_are_found_by_platform_and_thread,
    members_are_found_by_name_whatever_its_case,
    only_one_of_two_instances_advances_a_schedule,
    a_schedule_is_put_read_and_counted,
    an_effect_is_stored_once_and_a_card_again,
    what_changes_while_it_is_being_sent_is_sent_once_more,
    the_first_of_each_lane_is_claimed_and_the_rest_waits,
    a_claim_ends_with_its_lease,
    a_row_that_is_put_off_or_parked_is_not_sent,
    only_an_attempt_that_may_have_got_through_leaves_a_doubt,
    a_lease_that_is_renewed_does_not_end,
    an_attempt_whose_lease_has_ended_says_nothing_about_the_next,
    the_next_due_row_is_the_head_of_a_lane,
    finished_rows_are_tidied_and_waiting_ones_stay,
    two_workers_never_get_the_same_row,
    four_workers_never_get_the_same_row,
    scores_are_kept_once_a_round_and_member,
    weak_topics_count_daily_questions_and_drills,
    a_streak_breaks_at_a_gap_and_dies_with_an_unanswered_question,
    standings_add_up_rank_and_agree_with_a_recount,
    tampered_standings_are_found_out,
    a_drill_is_locked_kept_and_resumed,
    the_best_drill_of_a_day_counts,
    two_drills_that_end_at_once_count_one_question_once,
    confidence_counts_with_the_result_of_each_answer,
    a_web_message_with_a_known_key_is_shown_once,
    replies_are_counted_without_private_and_deleted_ones,
    private_messages_are_seen_by_those_they_are_for,
    every_change_raises_the_rev_of_its_message,
    a_reader_never_misses_a_message_of_eight_writers,
    sessions_open_and_close,
    old_private_messages_are_tidied_away,
    forgetting_a_member_leaves_no_trace_in_any_table,
    texts_of_changed_answers_are_kept_until_the_reveal,
    copies_name_nobody_who_is_gone,
    an_erasure_is_remembered_while_a_question_is_open,
    notes_are_set_once_or_anew,
    a_failed_write_leaves_nothing_and_takes_nobody_with_it,
    a_write_is_there_for_everybody_when_it_returns,
    readers_cannot_write_where_the_database_can_forbid_it,
);

const NOW: i64 = 1_763_971_200_000;

fn channel(name: &str) -> ChannelId {
    ChannelId::new(format!("web:{name}"))
}

fn member(name: &str) -> MemberId {
    MemberId::new(format!("web:{name}"))
}

fn schedule() -> ScheduleId {
    ScheduleId::of(&channel("one"), "daily")
}

fn period() -> Period {
    Period::of(jiff::civil::date(2026, 11, 23))
}

fn round(slot: usize) -> Round {
    let slot = format!("2026-11-{:02}T{:02}:00", slot / 24 + 1, slot % 24);
    Round {
        id: RoundId::of(&schedule(), &slot),
        schedule: schedule(),
        channel: channel("one"),
        slot,
        number: 0,
        question: QuestionId::new("iam-passrole"),
        snapshot: "hash".into(),
        answers: AnswerMode::Both,
        state: State::Open,
        reason: String::new(),
        opened_at: NOW,
        reveal_at: NOW + 1_000,
        closed_at: None,
        period: period(),
        message: None,
        thread: None,
        touched: 0,
        shown: 0,
        parts: 0,
    }
}

fn row(id: &ScheduleId, channel: &ChannelId, next_at: Option<i64>) -> schedules::Row {
    schedules::Row {
        id: id.clone(),
        channel: channel.clone(),
        spec: "{}".into(),
        paused: false,
        origin: "o".into(),
        rounds: 0,
        next_at,
        next_slot: next_at.map(|_| "2026-11-23T09:00".into()),
    }
}

/// A channel with a schedule, which rounds need.
async fn ground(store: &Store) {
    write!(store, |conn| {
        let one = channels::Channel {
            id: channel("one"),
            name: "one".into(),
            about: "About".into(),
            zone: "Europe/London".into(),
        };
        channels::put(conn, &one, NOW).await?;
        schedules::put(conn, &row(&schedule(), &channel("one"), Some(NOW)), NOW).await
    });
}

async fn a_round_is_inserted_once_for_a_slot(store: Store) {
    ground(&store).await;
    let fresh = write!(store, |conn| rounds::insert(conn, &[round(1), round(2)]).await);
    assert_eq!(fresh, HashSet::from([round(1).id, round(2).id]));
    let changed = Round { reason: "another".into(), ..round(2) };
    let fresh = write!(store, |conn| rounds::insert(conn, &[changed, round(3)]).await);
    assert_eq!(fresh, HashSet::from([round(3).id]));
    let kept = read!(store, |conn| rounds::get(conn, &round(2).id).await);
    assert_eq!(kept, Some(round(2)));
    let all = read!(store, |conn| rounds::of_channel(conn, &channel("one"), 100).await);
    assert_eq!(all.len(), 3);
}

async fn rounds_are_found_by_id_thread_channel_and_schedule(store: Store) {
    ground(&store).await;
    let late = Round { opened_at: NOW + 5, ..round(2) };
    write!(store, |conn| {
        rounds::insert(conn, &[round(1), late]).await?;
        let thread = ThreadId::new("t1");
        rounds::posted(conn, &round(1).id, &MessageId::new("m1"), Some(&thread)).await?;
        rounds::posted(conn, &round(2).id, &MessageId::new("m2"), None).await
    });
    let by_thread = |at: &'static str, thread: &'static str| {
        let store = store.clone();
        async move { read!(store, |conn| rounds::of_thread(conn, &channel(at), &ThreadId::new(thread)).await) }
    };
    assert_eq!(by_thread("one", "t1").await.map(|found| found.id), Some(round(1).id));
    assert_eq!(by_thread("two", "t1").await, None);
    assert_eq!(by_thread("one", "t9").await, None);
    let newest = read!(store, |conn| rounds::of_channel(conn, &channel("one"), 1).await);
    assert_eq!(newest[0].id, round(2).id);
    let open = read!(store, |conn| rounds::open_of(conn, &schedule()).await);
    assert_eq!(open.iter().map(|round| round.id.clone()).collect::<Vec<_>>(), [round(2).id, round(1).id]);
    assert_eq!(read!(store, |conn| rounds::get(conn, &RoundId::new("none")).await), None);
}

async fn a_round_goes_from_open_to_revealed_once(store: Store) {
    ground(&store).await;
    let id = round(1).id;
    let due = |now: i64| {
        let store = store.clone();
        async move { read!(store, |conn| rounds::due(conn, now, 10).await).len() }
    };
    write!(store, |conn| rounds::insert(conn, &[round(1)]).await);
    assert_eq!(due(NOW + 1_000).await, 0, "its card is not out");
    let at = id.clone();
    write!(store, |conn| rounds::posted(conn, &at, &MessageId::new("m"), None).await);
    assert_eq!((due(NOW + 999).await, due(NOW + 1_000).await), (0, 1));
    for wins in [true, false] {
        let at = id.clone();
        assert_eq!(write!(store, |conn| rounds::close(conn, &at, NOW + 1_001).await), wins);
    }
    assert_eq!(due(NOW + 2_000).await, 0);
    for wins in [true, false] {
        let at = id.clone();
        assert_eq!(write!(store, |conn| rounds::revealed(conn, &at, 3, 7).await), wins);
    }
    let at = id.clone();
    write!(store, |conn| rounds::missed(conn, &at, "too late for that").await);
    let found = read!(store, |conn| rounds::get(conn, &id).await).expect("a round");
    assert_eq!((found.state, found.parts, found.number), (State::Revealed, 3, 7));
    assert_eq!((found.closed_at, found.reason.as_str()), (Some(NOW + 1_001), ""));
}

async fn a_missed_round_is_told_apart_from_one_that_was_recorded_by_a_wrong_clock(store: Store) {
    ground(&store).await;
    let gap = |slot, opened_at| Round { state: State::Missed, question: QuestionId::new(""), opened_at, ..round(slot) };
    write!(store, |conn| {
        rounds::insert(conn, &[round(1), gap(2, NOW - 5), gap(3, NOW + 5)]).await?;
        rounds::missed(conn, &round(1).id, "not in time").await?;
        rounds::forget_missed_after(conn, NOW).await
    });
    let left = read!(store, |conn| rounds::of_channel(conn, &channel("one"), 10).await);
    let ids: HashSet<RoundId> = left.iter().map(|round| round.id.clone()).collect();
    assert_eq!(ids, HashSet::from([round(1).id, round(2).id]));
    assert!(left.iter().all(|round| round.state == State::Missed));
}

async fn touching_an_open_round_makes_its_card_stale_until_it_is_shown(store: Store) {
    ground(&store).await;
    write!(store, |conn| {
        rounds::insert(conn, &[round(1)]).await?;
        rounds::posted(conn, &round(1).id, &MessageId::new("m"), None).await
    });
    let stale = || {
        let store = store.clone();
        async move { read!(store, |conn| rounds::stale_cards(conn, 10).await).len() }
    };
    assert_eq!(stale().await, 0);
    assert!(write!(store, |conn| rounds::touch_open(conn, &round(1).id).await));
    assert!(write!(store, |conn| rounds::touch_open(conn, &round(1).id).await));
    assert_eq!(stale().await, 1);
    write!(store, |conn| rounds::shown(conn, &round(1).id, 1).await);
    assert_eq!(stale().await, 1);
    write!(store, |conn| rounds::shown(conn, &round(1).id, 2).await);
    assert_eq!(stale().await, 0);
    write!(store, |conn| rounds::shown(conn, &round(1).id, 1).await);
    assert_eq!(stale().await, 0, "an older view does not count");
    assert!(write!(store, |conn| rounds::close(conn, &round(1).id, NOW).await));
    assert!(!write!(store, |conn| rounds::touch_open(conn, &round(1).id).await));
}

async fn what_was_asked_is_remembered_by_channel(store: Store) {
    let note = |at: &str, question: &str, when| (channel(at), QuestionId::new(question), when);
    let first = [note("one", "a", 1), note("one", "b", 2), note("two", "a", 3)];
    write!(store, |conn| rounds::note_asked(conn, &first).await);
    let again = [note("one", "a", 9)];
    write!(store, |conn| rounds::note_asked(conn, &again).await);
    let asked = read!(store, |conn| rounds::asked(conn, &[&channel("one"), &channel("three")]).await);
    let wanted = HashMap::from([(QuestionId::new("a"), 9), (QuestionId::new("b"), 2)]);
    assert_eq!(asked, HashMap::from([(channel("one"), wanted)]));
}

async fn snapshots_are_kept_once_and_come_back_whole(store: Store) {
    let (bank, _) = content::load(&Content { embedded: true, paths: vec![] }).expect("the embedded banks");
    let mut all = HashMap::new();
    for question in bank.questions() {
        let (hash, body) = rounds::snapshot_hash(question).expect("JSON");
        all.insert(hash, body);
    }
    let (first, again) = (all.clone(), all.clone());
    write!(store, |conn| rounds::keep_snapshots(conn, &first).await);
    write!(store, |conn| rounds::keep_snapshots(conn, &again).await);
    for question in bank.questions() {
        let (hash, _) = rounds::snapshot_hash(question).expect("JSON");
        assert_eq!(read!(store, |conn| rounds::snapshot(conn, &hash).await), **question);
    }
    let none = store.read("test", |conn| Box::pin(async move { rounds::snapshot(conn, "none").await })).await;
    assert!(format!("{:#}", none.expect_err("no such snapshot")).contains("missing"), "a missing snapshot says so");
}

async fn hints_are_given_in_order_and_end(store: Store) {
    let id = round(1).id;
    let take = |name: &'static str, limit| {
        let (store, id) = (store.clone(), id.clone());
        async move { write!(store, |conn| rounds::take_hint(conn, &id, &member(name), limit).await) }
    };
    assert_eq!(take("ann", 2).await, Some(0));
    assert_eq!(take("ann", 2).await, Some(1));
    assert_eq!(take("ann", 2).await, None);
    assert_eq!(take("bob", 0).await, None);
    assert_eq!(take("bob", 2).await, Some(0));
    let at = id.clone();
    assert_eq!(read!(store, |conn| rounds::hints_of(conn, &at, &member("ann")).await), 2);
    let all = read!(store, |conn| rounds::hints(conn, &id).await);
    assert_eq!(all, HashMap::from([(member("ann"), 2), (member("bob"), 1)]));
}

fn part(id: &str, name: &str, body: &str, written_at: i64) -> Part {
    Part {
        id: id.into(),
        member: member(name),
        body: body.into(),
        written_at,
        late: false,
        deleted: false,
        confidence: None,
    }
}

async fn answers_are_put_replaced_deleted_and_counted(store: Store) {
    let id = round(1).id;
    let late = Part { late: true, ..part("m4", "cem", "too late", 4) };
    let parts = vec![part("m2", "ann", "second", 2), part("m1", "ann", "first 🦀 'quoted'; --", 1), late.clone()];
    let (at, all) = (id.clone(), parts.clone());
    write!(store, |conn| answers::put_many(conn, &at, &all).await);
    let at = id.clone();
    write!(store, |conn| answers::put(conn, &at, &part("m3", "bob", "mine", 3)).await);
    let at = id.clone();
    assert_eq!(read!(store, |conn| answers::count(conn, &at).await), 2);
    let at = id.clone();
    write!(store, |conn| {
        answers::put(conn, &at, &part("m1", "ann", "changed", 1)).await?;
        answers::delete(conn, &at, "m3").await
    });
    let at = id.clone();
    let found = read!(store, |conn| answers::of_round(conn, &at).await);
    let gone = Part { deleted: true, body: String::new(), ..part("m3", "bob", "", 3) };
    assert_eq!(found, [part("m1", "ann", "changed", 1), part("m2", "ann", "second", 2), gone, late]);
    let at = id.clone();
    assert_eq!(read!(store, |conn| answers::count(conn, &at).await), 1);
    let at = id.clone();
    assert_eq!(read!(store, |conn| answers::of_member(conn, &at, &member("ann")).await).len(), 2);
    let at = id.clone();
    assert_eq!(read!(store, |conn| answers::get(conn, &at, "m2").await), Some(part("m2", "ann", "second", 2)));
    assert_eq!(read!(store, |conn| answers::get(conn, &id, "m9").await), None);
}

async fn thousands_of_answers_go_in_at_once(store: Store) {
    let id = round(1).id;
    let parts: Vec<Part> =
        (0..3_001).map(|n| part(&format!("m{n}"), &format!("p{}", n % 1_000), &format!("answer {n}"), n)).collect();
    let (at, all) = (id.clone(), parts.clone());
    write!(store, |conn| answers::put_many(conn, &at, &all).await);
    let at = id.clone();
    assert_eq!(read!(store, |conn| answers::of_round(conn, &at).await), parts);
    assert_eq!(read!(store, |conn| answers::count(conn, &id).await), 1_000);
}

async fn channels_keep_what_was_put_last(store: Store) {
    ground(&store).await;
    let two = channels::Channel { id: channel("two"), name: "a-two".into(), about: "".into(), zone: "UTC".into() };
    let other = channels::Channel { id: ChannelId::new("slack:C1"), name: "c1".into(), ..two.clone() };
    let renamed = channels::Channel { name: "an-two".into(), about: "new".into(), ..two.clone() };
    let (first, last, elsewhere) = (two, renamed.clone(), other);
    write!(store, |conn| {
        channels::put(conn, &first, NOW).await?;
        channels::put(conn, &elsewhere, NOW).await?;
        channels::put(conn, &last, NOW).await?;
        channels::set_zone(conn, &channel("one"), "Asia/Kolkata").await
    });
    let all = read!(store, |conn| channels::of_platform(conn, "web").await);
    assert_eq!(all[0], renamed);
    assert_eq!((all[1].id.clone(), all[1].zone.as_str(), all.len()), (channel("one"), "Asia/Kolkata", 2));
    assert_eq!(read!(store, |conn| channels::get(conn, &channel("two")).await), Some(renamed));
    assert_eq!(read!(store, |conn| channels::get(conn, &channel("none")).await), None);
}

async fn a_trouble_of_a_channel_is_news_once(store: Store) {
    ground(&store).await;
    let at = || channel("one");
    let state = || {
        let store = store.clone();
        async move { read!(store, |conn| channels::condition(conn, &channel("one")).await).expect("known") }
    };
    let well =
        channels::Condition { space: String::new(), steward: None, trouble: String::new(), trouble_at: 0, lost: false };
    assert_eq!(state().await, well);
    assert_eq!(read!(store, |conn| channels::condition(conn, &channel("none")).await), None);
    for (why, news) in [("forbidden", true), ("forbidden", false), ("removed", true)] {
        assert_eq!(write!(store, |conn| channels::in_trouble(conn, &at(), why, NOW).await), news, "{why}");
    }
    assert!(!write!(store, |conn| channels::in_trouble(conn, &channel("none"), "x", NOW).await));
    let lost = read!(store, |conn| channels::lost(conn).await);
    assert_eq!(lost, HashMap::from([(at(), "removed".to_owned())]));
    for back in [true, false] {
        assert_eq!(write!(store, |conn| channels::may_be_back(conn, &at()).await), back);
    }
    assert!(read!(store, |conn| channels::lost(conn).await).is_empty());
    assert_eq!((state().await.trouble.as_str(), state().await.trouble_at), ("removed", NOW), "it is still known");
    assert!(!write!(store, |conn| channels::in_trouble(conn, &at(), "removed", NOW + 1).await));
    assert_eq!((state().await.lost, state().await.trouble_at), (true, NOW));
    for over in [true, false] {
        assert_eq!(write!(store, |conn| channels::is_well(conn, &at()).await), over);
    }
    assert_eq!(state().await, well);
    write!(store, |conn| {
        channels::belongs_to(conn, &at(), "web:s1").await?;
        channels::steered(conn, &at(), &member("ann")).await?;
        // The configuration knows nothing of this, and a name only if it has one.
        let put = channels::Channel { id: at(), name: "".into(), about: "".into(), zone: "UTC".into() };
        channels::put(conn, &put, NOW).await
    });
    assert_eq!((state().await.space.as_str(), state().await.steward), ("web:s1", Some(member("ann"))));
    assert_eq!(read!(store, |conn| channels::get(conn, &at()).await).expect("known").name, "one");
    assert_eq!(read!(store, |conn| channels::of_space(conn, "web:s1").await), [at()]);
    assert!(read!(store, |conn| channels::of_space(conn, "").await).is_empty());
}

async fn the_latest_channel_is_where_a_member_scored_last(store: Store) {
    ground(&store).await;
    let latest = |space: &'static str| {
        let store = store.clone();
        async move { read!(store, |conn| scores::latest_channel(conn, &member("ann"), "web", space).await) }
    };
    assert_eq!(latest("").await, None);
    write!(store, |conn| {
        let two = channels::Channel { id: channel("two"), name: "".into(), about: "".into(), zone: "".into() };
        channels::put(conn, &two, NOW).await?;
        channels::belongs_to(conn, &channel("two"), "web:s2").await?;
        rounds::insert(conn, &[round(1)]).await?;
        scores::insert(conn, &round(1), 1, "iam", &[scored("ann", 50, 500)], NOW).await
    });
    assert_eq!(latest("").await, Some(channel("one")));
    assert_eq!(latest("web:s2").await, None);
    for (name, at) in [("two", NOW + 1), ("unknown", NOW + 2)] {
        let (id, period, question) = (channel(name), period(), QuestionId::new("q"));
        write!(store, |conn| {
            let one = Drilled {
                channel: &id,
                member: &member("ann"),
                question: &question,
                period: &period,
                topic: "iam",
                coverage: 50,
                points: 500,
            };
            drills::score(conn, &one, at).await.map(drop)
        });
    }
    assert_eq!(latest("").await, Some(channel("two")), "of those that are known");
    assert_eq!(latest("web:s2").await, Some(channel("two")));
}

async fn open_rounds_are_found_by_platform_and_thread(store: Store) {
    ground(&store).await;
    let private = Round { answers: AnswerMode::Private, ..round(3) };
    write!(store, |conn| {
        rounds::insert(conn, &[round(1), round(2), private, round(4)]).await?;
        for slot in [1, 3, 4] {
            let thread = ThreadId::new(format!("t{slot}"));
            rounds::posted(conn, &round(slot).id, &MessageId::new("m"), Some(&thread)).await?;
        }
        rounds::posted(conn, &round(2).id, &MessageId::new("m"), None).await?;
        rounds::close(conn, &round(4).id, NOW).await
    });
    let open = read!(store, |conn| rounds::open_in_threads(conn, "web").await);
    assert_eq!(open.iter().map(|found| found.id.clone()).collect::<Vec<_>>(), [round(1).id]);
    assert!(read!(store, |conn| rounds::open_in_threads(conn, "we").await).is_empty());
    let of = |platform: &'static str| {
        let store = store.clone();
        async move { read!(store, |conn| rounds::thread_channel(conn, platform, &ThreadId::new("t4")).await) }
    };
    assert_eq!((of("web").await, of("slack").await), (Some(channel("one")), None));
    for (slot, threadless) in [(1, false), (2, true)] {
        let touched = write!(store, |conn| rounds::touch(conn, &round(slot).id).await).expect("open");
        assert_eq!(touched.threadless, threadless);
    }
    write!(store, |conn| rounds::touch_all(conn, "web").await);
    let stale = read!(store, |conn| rounds::stale_cards(conn, 10).await);
    assert_eq!(stale.len(), 3, "the closed one is not open to change");
}

async fn members_are_found_by_name_whatever_its_case(store: Store) {
    write!(store, |conn| {
        members::seen(conn, &member("1"), "Zoë Ångström", NOW).await?;
        members::seen(conn, &member("2"), "Bob", NOW).await?;
        members::seen(conn, &MemberId::new("slack:3"), "Bob", NOW - 9).await?;
        members::seen(conn, &member("2"), "Bobby", NOW).await?;
        members::set_organiser(conn, &member("2"), true).await
    });
    let by_name = |platform: &'static str, name: &'static str| {
        let store = store.clone();
        async move { read!(store, |conn| members::by_name(conn, platform, name).await).map(|found| found.id) }
    };
    assert_eq!(by_name("web", "zoë ÅNGSTRÖM").await, Some(member("1")));
    assert_eq!(by_name("web", "BOBBY").await, Some(member("2")));
    assert_eq!(by_name("web", "bob").await, None);
    assert_eq!(by_name("slack", "bob").await, Some(MemberId::new("slack:3")));
    assert_eq!(read!(store, |conn| members::count(conn, "web").await), 2);
    let bob = read!(store, |conn| members::get(conn, &member("2")).await).expect("a member");
    assert_eq!((bob.name.as_str(), bob.organiser), ("Bobby", true));
    let names = read!(store, |conn| members::names(conn, &[member("1"), member("9")]).await);
    assert_eq!(names, HashMap::from([(member("1"), "Zoë Ångström".to_owned())]));
    assert!(write!(store, |conn| members::rename(conn, &member("1"), "Zora").await));
    assert!(
        !write!(store, |conn| members::rename(conn, &member("9"), "Nobody").await),
        "who is not known is not made up"
    );
    assert_eq!((by_name("web", "ZORA").await, by_name("web", "nobody").await), (Some(member("1")), None));
    // Who writes without a name keeps the one they have; who has none goes by their id until it is known.
    let dan = || MemberId::new("slack:t1/u4");
    write!(store, |conn| {
        members::met(conn, &member("1"), None, NOW).await?;
        members::met(conn, &member("2"), Some("Robert"), NOW).await?;
        members::met(conn, &dan(), None, NOW).await
    });
    let names = read!(store, |conn| members::names(conn, &[member("1"), member("2"), dan()]).await);
    assert_eq!((&*names[&member("1")], &*names[&member("2")], &*names[&dan()]), ("Zora", "Robert", "u4"));
    write!(store, |conn| members::rename(conn, &dan(), "Dan").await);
    write!(store, |conn| members::met(conn, &dan(), None, NOW).await);
    assert_eq!(read!(store, |conn| members::get(conn, &dan()).await).expect("a member").name, "Dan");
}

async fn only_one_of_two_instances_advances_a_schedule(store: Store) {
    ground(&store).await;
    let ids: Vec<ScheduleId> = (0..900).map(|n| ScheduleId::of(&channel("one"), &format!("s{n}"))).collect();
    let rows: Vec<schedules::Row> = ids.iter().map(|id| row(id, &channel("one"), Some(NOW))).collect();
    write!(store, |conn| schedules::put_many(conn, &rows, NOW).await);
    let moves: Vec<schedules::Advance> = ids
        .iter()
        .enumerate()
        .map(|(n, id)| schedules::Advance {
            id: id.clone(),
            from: NOW,
            next_at: (n > 0).then_some(NOW + 60_000),
            next_slot: (n > 0).then(|| "2026-11-24T09:00".to_owned()),
        })
        .collect();
    let instances = (0..2).map(|_| {
        let (store, moves) = (store.clone(), moves.clone());
        async move { write!(store, |conn| schedules::advance(conn, &moves).await) }
    });
    let won = join_all(instances).await;
    assert!(won[0].is_disjoint(&won[1]));
    assert_eq!(won[0].len() + won[1].len(), ids.len());
    let over = read!(store, |conn| schedules::get(conn, &ids[0]).await).expect("a schedule");
    assert_eq!((over.next_at, over.next_slot), (None, None));
    let due = read!(store, |conn| schedules::due(conn, NOW + 59_999, 10_000).await);
    assert_eq!(due.len(), 1, "only the one of the ground");
}

async fn a_schedule_is_put_read_and_counted(store: Store) {
    ground(&store).await;
    let changed = schedules::Row {
        paused: true,
        next_at: None,
        next_slot: None,
        spec: "{\"x\":1}".into(),
        rounds: 99,
        ..row(&schedule(), &channel("one"), None)
    };
    let wanted = schedules::Row { rounds: 0, ..changed.clone() };
    write!(store, |conn| schedules::put(conn, &changed, NOW).await);
    assert_eq!(read!(store, |conn| schedules::get(conn, &schedule()).await), Some(wanted.clone()));
    assert_eq!(read!(store, |conn| schedules::all(conn).await), vec![wanted.clone()]);
    assert_eq!(read!(store, |conn| schedules::of_channel(conn, &channel("one")).await), [wanted]);
    assert_eq!(write!(store, |conn| schedules::count_round(conn, &schedule()).await), 1);
    assert_eq!(write!(store, |conn| schedules::count_round(conn, &schedule()).await), 2);
}

fn effect(at: &str, effect: Effect) -> New {
    New { channel: channel(at), effect, not_before: NOW, not_after: None }
}

fn question(at: &str, id: &str) -> New {
    effect(at, Effect::Question { round: RoundId::new(id) })
}

async fn claim(store: &Store, now: i64, limit: i64) -> Vec<String> {
    let rows = write!(store, |conn| outbox::claim(conn, "web", now, now + 1_000, limit).await);
    rows.into_iter().map(|row| row.id.to_string()).collect()
}

async fn an_effect_is_stored_once_and_a_card_again(store: Store) {
    let two = [question("one", "r1"), question("one", "r1")];
    assert_eq!(write!(store, |conn| outbox::add(conn, &two, NOW).await), 1);
    assert_eq!(write!(store, |conn| outbox::add(conn, &[], NOW).await), 0);
    let card = effect("one", Effect::Card { round: RoundId::new("r1") });
    for (wanted, why) in [(1, "new"), (0, "still waiting")] {
        let card = card.clone();
        assert_eq!(write!(store, |conn| outbox::again(conn, &[card], NOW).await), wanted, "{why}");
    }
    assert_eq!(claim(&store, NOW, 10).await, ["question:r1"]);
    let id = question("one", "r1").effect.delivery_id();
    for ours in [true, false] {
        let id = id.clone();
        assert_eq!(write!(store, |conn| outbox::sent(conn, &id, Some(&MessageId::new("m"))).await), ours);
    }
    assert_eq!(claim(&store, NOW, 10).await, ["card:r1"]);
    let at = card.effect.delivery_id();
    assert!(write!(store, |conn| outbox::sent(conn, &at, None).await));
    assert_eq!(write!(store, |conn| outbox::add(conn, &[question("one", "r1")], NOW).await), 0);
    assert_eq!(claim(&store, NOW, 10).await, Vec::<String>::new());
    assert_eq!(write!(store, |conn| outbox::again(conn, &[card], NOW).await), 1, "it starts anew");
    assert_eq!(claim(&store, NOW, 10).await, ["card:r1"]);
}

async fn what_changes_while_it_is_being_sent_is_sent_once_more(store: Store) {
    let card = effect("one", Effect::Card { round: RoundId::new("r1") });
    let id = card.effect.delivery_id();
    let refresh = async || {
        let card = card.clone();
        write!(store, |conn| outbox::refresh(conn, &[card], NOW).await);
    };
    let finish = async || {
        let id = id.clone();
        assert!(write!(store, |conn| outbox::sent(conn, &id, None).await), "it was ours");
    };
    refresh().await;
    refresh().await;
    assert_eq!(claim(&store, NOW, 10).await, ["card:r1"]);
    refresh().await;
    assert_eq!(claim(&store, NOW, 10).await, Vec::<String>::new(), "not at the same time");
    finish().await;
    let again = write!(store, |conn| outbox::claim(conn, "web", NOW, NOW + 1_000, 10).await);
    assert_eq!((again.len(), again[0].in_doubt), (1, false), "the first was not in doubt");
    finish().await;
    assert_eq!(claim(&store, NOW, 10).await, Vec::<String>::new(), "once is enough");
    refresh().await;
    assert_eq!(claim(&store, NOW, 10).await, ["card:r1"], "a finished one starts anew");
}

async fn the_first_of_each_lane_is_claimed_and_the_rest_waits(store: Store) {
    let reveal = |part| effect("one", Effect::Reveal { round: RoundId::new("r1"), part });
    let result = |name| effect("one", Effect::Result { round: RoundId::new("r1"), member: member(name) });
    let elsewhere = New { channel: ChannelId::new("slack:C1"), ..question("x", "r9") };
    let rows =
        [question("one", "r1"), reveal(0), reveal(1), result("ann"), result("bob"), question("two", "r2"), elsewhere];
    write!(store, |conn| outbox::add(conn, &rows, NOW).await);
    assert_eq!(claim(&store, NOW - 1, 10).await, Vec::<String>::new(), "before its time");
    let first = claim(&store, NOW, 10).await;
    assert_eq!(first, ["question:r1", "result:r1:web:ann", "result:r1:web:bob", "question:r2"]);
    assert_eq!(claim(&store, NOW, 10).await, Vec::<String>::new());
    let id = question("one", "r1").effect.delivery_id();
    assert!(write!(store, |conn| outbox::sent(conn, &id, None).await));
    assert_eq!(claim(&store, NOW, 10).await, ["reveal:r1"]);
    let id = reveal(0).effect.delivery_id();
    assert!(write!(store, |conn| outbox::sent(conn, &id, None).await));
    assert_eq!(claim(&store, NOW, 10).await, ["reveal:r1:1"]);
}

async fn a_claim_ends_with_its_lease(store: Store) {
    let new = New { not_after: Some(NOW + 77), ..question("one", "r1") };
    write!(store, |conn| outbox::add(conn, &[new], NOW).await);
    let claimed = |now| {
        let store = store.clone();
        async move { write!(store, |conn| outbox::claim(conn, "web", now, now + 1_000, 10).await) }
    };
    let first = claimed(NOW).await;
    assert_eq!((first[0].attempts, first[0].not_after, first[0].channel.clone()), (1, Some(NOW + 77), channel("one")));
    assert!(claimed(NOW + 999).await.is_empty());
    assert_eq!(claimed(NOW + 1_000).await[0].attempts, 2);
    assert!(claimed(NOW + 1_001).await.is_empty());
    assert_eq!(write!(store, |conn| outbox::release_all(conn).await), 1);
    assert_eq!(claimed(NOW + 1_002).await[0].attempts, 3);
}

async fn a_step_that_fails_is_news_once(store: Store) {
    ground(&store).await;
    let at = || channel("one");
    for (step, why, news) in [
        (Step::Reveal, "forbidden", true),
        (Step::Reveal, "forbidden", false),
        (Step::Read, "forbidden", true),
        (Step::Reveal, "removed", true),
        (Step::Reveal, "removed", false),
    ] {
        let failed = write!(store, |conn| channels::step_failed(conn, &at(), step, why, NOW).await);
        assert_eq!(failed, news, "{step:?} {why}");
    }
    let failing = || async { read!(store, |conn| channels::failing_steps(conn, &channel("one")).await) };
    assert_eq!(failing().await, [("forbidden".to_owned(), NOW), ("removed".to_owned(), NOW)]);
    write!(store, |conn| channels::step_works(conn, &at(), Step::Reveal).await);
    assert_eq!(failing().await, [("forbidden".to_owned(), NOW)]);
    assert!(write!(store, |conn| channels::step_failed(conn, &at(), Step::Reveal, "removed", NOW).await));
    assert!(read!(store, |conn| channels::failing_steps(conn, &channel("two")).await).is_empty());
}

async fn what_a_channel_missed_is_tried_once_more(store: Store) {
    const DAY: i64 = 86_400_000;
    fn rows(n: &str) -> Vec<New> {
        let id = RoundId::new(n);
        let [reveal, card, retell, question] = [id.clone(), id.clone(), id.clone(), id];
        let all = [
            Effect::Reveal { round: reveal, part: 0 },
            Effect::Card { round: card },
            Effect::Retell { round: retell, change: 0 },
            Effect::Question { round: question },
        ];
        all.map(|one| effect("one", one)).to_vec()
    }
    write!(store, |conn| outbox::add(conn, &rows("old"), NOW - 31 * DAY).await);
    write!(store, |conn| outbox::add(conn, &rows("new"), NOW - DAY).await);
    let mut parked = 0;
    while let Some(id) = claim(&store, NOW, 1).await.pop() {
        let [before, parks, after] = [0; 3].map(|_| DeliveryId::new(id.as_str()));
        assert!(!read!(store, |conn| outbox::has_failed(conn, &before).await));
        assert!(write!(store, |conn| outbox::park(conn, &parks, "failed", "forbidden").await));
        assert!(read!(store, |conn| outbox::has_failed(conn, &after).await));
        parked += 1;
    }
    assert_eq!(parked, 8);
    write!(store, |conn| outbox::once_more(conn, &channel("two"), NOW).await);
    assert_eq!(claim(&store, NOW, 10).await, Vec::<String>::new());
    write!(store, |conn| outbox::once_more(conn, &channel("one"), NOW).await);
    let mut left = read!(store, |conn| outbox::in_state(conn, "failed").await);
    left.sort();
    let left: Vec<&str> = left.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(left, ["card:old", "question:new", "question:old", "reveal:old"]);
}

async fn a_row_that_is_put_off_or_parked_is_not_sent(store: Store) {
    let rows = [question("one", "r1"), question("two", "r2"), question("three", "r3")];
    write!(store, |conn| outbox::add(conn, &rows, NOW).await);
    assert_eq!(claim(&store, NOW, 10).await.len(), 3);
    let id = |round: &str| question("x", round).effect.delivery_id();
    let (one, two, three) = (id("r1"), id("r2"), id("r3"));
    write!(store, |conn| {
        outbox::refused(conn, &one, 1, NOW + 50, "busy").await?;
        assert!(outbox::park(conn, &two, "failed", "forbidden").await?);
        assert!(outbox::park(conn, &three, "expired", "too late").await?);
        assert!(!outbox::park(conn, &three, "failed", "twice").await?);
        Ok(())
    });
    assert_eq!(claim(&store, NOW + 49, 10).await, Vec::<String>::new());
    assert_eq!(claim(&store, NOW + 50, 10).await, ["question:r1"]);
    let failed = read!(store, |conn| outbox::in_state(conn, "failed").await);
    assert_eq!(failed, [(id("r2"), "forbidden".to_owned())]);
    assert_eq!(read!(store, |conn| outbox::in_state(conn, "expired").await).len(), 1);
    assert_eq!(claim(&store, NOW + 9_999_999, 10).await, ["question:r1"], "parked rows stay where they are");
}

async fn only_an_attempt_that_may_have_got_through_leaves_a_doubt(store: Store) {
    write!(store, |conn| outbox::add(conn, &[question("one", "r1")], NOW).await);
    let claimed = || {
        let store = store.clone();
        async move { write!(store, |conn| outbox::claim(conn, "web", NOW, NOW, 10).await).remove(0) }
    };
    let id = question("one", "r1").effect.delivery_id();
    assert!(!claimed().await.in_doubt);
    for attempt in 1..=2 {
        let at = id.clone();
        write!(store, |conn| outbox::refused(conn, &at, attempt, NOW, "busy").await);
        assert!(!claimed().await.in_doubt, "it certainly did not happen");
    }
    let at = id.clone();
    write!(store, |conn| outbox::in_doubt(conn, &at, 3, NOW, "no answer").await);
    assert!(claimed().await.in_doubt);
    let at = id.clone();
    write!(store, |conn| outbox::refused(conn, &at, 4, NOW, "busy").await);
    assert!(claimed().await.in_doubt, "the earlier attempt still may have happened");
    // A process that died while it sent: its lease is over.
    write!(store, |conn| outbox::add(conn, &[question("two", "r2")], NOW).await);
    let first = write!(store, |conn| outbox::claim(conn, "web", NOW, NOW + 1, 10).await);
    let again = write!(store, |conn| outbox::claim(conn, "web", NOW + 1, NOW + 2, 10).await);
    let doubts =
        |rows: &[outbox::Claimed]| rows.iter().find(|row| row.id.as_str() == "question:r2").map(|row| row.in_doubt);
    assert_eq!((doubts(&first), doubts(&again)), (Some(false), Some(true)));
}

async fn a_lease_that_is_renewed_does_not_end(store: Store) {
    write!(store, |conn| outbox::add(conn, &[question("one", "r1")], NOW).await);
    assert_eq!(claim(&store, NOW, 10).await, ["question:r1"]);
    let id = question("one", "r1").effect.delivery_id();
    let at = id.clone();
    write!(store, |conn| outbox::renew(conn, &at, 1, NOW + 5_000).await);
    assert!(claim(&store, NOW + 4_999, 10).await.is_empty());
    assert_eq!(claim(&store, NOW + 5_000, 10).await, ["question:r1"]);
    write!(store, |conn| {
        assert!(outbox::sent(conn, &id, None).await?);
        outbox::renew(conn, &id, 2, NOW).await
    });
    assert!(claim(&store, NOW + 9_000, 10).await.is_empty(), "what is sent stays sent");
}

async fn an_attempt_whose_lease_has_ended_says_nothing_about_the_next(store: Store) {
    write!(store, |conn| outbox::add(conn, &[question("one", "r1")], NOW).await);
    let claimed = |now: i64| {
        let store = store.clone();
        async move { write!(store, |conn| outbox::claim(conn, "web", now, now + 1_000, 10).await) }
    };
    let (first, second) = (claimed(NOW).await.remove(0), claimed(NOW + 1_000).await.remove(0));
    assert_eq!((first.attempts, second.attempts, second.in_doubt), (1, 2, true));
    let id = first.id;
    write!(store, |conn| {
        outbox::refused(conn, &id, 1, NOW, "busy").await?;
        outbox::in_doubt(conn, &id, 1, NOW, "no answer").await?;
        outbox::renew(conn, &id, 1, NOW + 9_000).await
    });
    assert!(claimed(NOW + 1_999).await.is_empty(), "the second attempt is under way");
    let third = claimed(NOW + 2_000).await.remove(0);
    assert_eq!((third.attempts, third.in_doubt), (3, true));
}

async fn the_next_due_row_is_the_head_of_a_lane(store: Store) {
    let next = || {
        let store = store.clone();
        async move { read!(store, |conn| outbox::next_due(conn, "web").await) }
    };
    assert_eq!(next().await, None);
    write!(store, |conn| outbox::add(conn, &[question("one", "r1"), question("one", "r2")], NOW).await);
    assert_eq!(next().await, Some(NOW));
    assert_eq!(claim(&store, NOW, 10).await, ["question:r1"]);
    assert_eq!(next().await, Some(NOW + 1_000), "when the lease ends");
    let id = question("one", "r1").effect.delivery_id();
    write!(store, |conn| outbox::refused(conn, &id, 1, NOW + 300_000, "busy").await);
    assert_eq!(next().await, Some(NOW + 300_000), "the row behind it has to wait too");
    write!(store, |conn| outbox::add(conn, &[question("two", "r3")], NOW).await);
    assert_eq!(next().await, Some(NOW));
}

async fn finished_rows_are_tidied_and_waiting_ones_stay(store: Store) {
    write!(store, |conn| outbox::add(conn, &[question("one", "r1"), question("two", "r2")], NOW).await);
    assert_eq!(claim(&store, NOW, 1).await, ["question:r1"]);
    let id = question("one", "r1").effect.delivery_id();
    assert!(write!(store, |conn| outbox::sent(conn, &id, None).await));
    assert_eq!(write!(store, |conn| outbox::tidy(conn, NOW).await), 0);
    assert_eq!(write!(store, |conn| outbox::tidy(conn, NOW + 1).await), 1);
    assert_eq!(read!(store, |conn| outbox::in_state(conn, "pending").await).len(), 1);
}

async fn two_workers_never_get_the_same_row(store: Store) {
    workers(&store, 2, 1_000).await;
}

async fn four_workers_never_get_the_same_row(store: Store) {
    workers(&store, 4, 3_000).await;
}

async fn workers(store: &Store, count: usize, rows: usize) {
    let lanes = rows / 3;
    let all: Vec<New> = (0..rows).map(|n| question(&format!("c{}", n % lanes), &format!("r{n}"))).collect();
    write!(store, |conn| outbox::add(conn, &all, NOW).await);
    let work = (0..count).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claimed = write!(store, |conn| outbox::claim(conn, "web", NOW, NOW + 1, 50).await);
                for row in &claimed {
                    assert_eq!(row.attempts, 1, "{} was claimed before", row.id);
                    let id = row.id.clone();
                    assert!(write!(store, |conn| outbox::sent(conn, &id, None).await), "{} was not ours", row.id);
                    mine.push(row.id.to_string());
                }
                let left = read!(store, |conn| outbox::in_state(conn, "pending").await);
                if claimed.is_empty() && left.is_empty() {
                    return mine;
                }
            }
        })
    });
    let sent: Vec<String> = join_all(work).await.into_iter().flat_map(|mine| mine.expect("a worker")).collect();
    assert_eq!(sent.len(), rows);
    assert_eq!(sent.iter().collect::<HashSet<_>>().len(), rows, "some row was handed out twice");
    // In each lane the rows went out in order, whoever sent them: a later one cannot be claimed before an earlier one is sent.
    assert!(read!(store, |conn| outbox::in_state(conn, "sending").await).is_empty());
}

fn scored(name: &str, coverage: i64, points: i64) -> Scored {
    let grade = Grade { score: 50, points: vec![], rough: false, guard: None, copied: None };
    Scored { member: member(name), answer: answer_key(name), grade, coverage, hints: 1, points }
}

async fn scores_are_kept_once_a_round_and_member(store: Store) {
    let first = [scored("ann", 80, 800), scored("bob", 90, 900)];
    write!(store, |conn| scores::insert(conn, &round(1), 1, "iam", &first, NOW).await);
    let again = [scored("ann", 1, 10)];
    write!(store, |conn| scores::insert(conn, &round(1), 1, "iam", &again, NOW).await);
    let other = [scored("ann", 40, 400)];
    write!(store, |conn| scores::insert(conn, &round(2), 2, "eks", &other, NOW + 1).await);
    let all = read!(store, |conn| scores::of_round(conn, &round(1).id).await);
    assert_eq!(
        all.iter().map(|one| (one.member.clone(), one.coverage)).collect::<Vec<_>>(),
        [(member("bob"), 90), (member("ann"), 80)]
    );
    let ann = read!(store, |conn| scores::get(conn, &round(1).id, &member("ann")).await).expect("a score");
    assert_eq!((ann.points, ann.hints, ann.topic.as_str(), ann.day.as_str()), (800, 1, "iam", "2026-11-23"));
    assert_eq!(ann.grade.score, 50);
    let newest = read!(store, |conn| scores::of_member(conn, &channel("one"), &member("ann"), 10).await);
    assert_eq!(newest.iter().map(|one| one.coverage).collect::<Vec<_>>(), [40, 80]);
    assert!(read!(store, |conn| scores::get(conn, &round(2).id, &member("bob")).await).is_none());
}

async fn weak_topics_count_daily_questions_and_drills(store: Store) {
    let all = [scored("ann", 80, 800)];
    write!(store, |conn| scores::insert(conn, &round(1), 1, "iam", &all, NOW).await);
    drilled(&store, "q1", 40, 400).await;
    drilled(&store, "q2", 61, 610).await;
    let topics = read!(store, |conn| scores::topics_of(conn, &channel("one"), &member("ann")).await);
    assert_eq!(topics, [("eks".to_owned(), 50, 2), ("iam".to_owned(), 80, 1)]);
}

async fn a_streak_breaks_at_a_gap_and_dies_with_an_unanswered_question(store: Store) {
    ground(&store).await;
    let answered = |number: i64, names: &'static [&'static str]| {
        let store = store.clone();
        async move {
            write!(store, |conn| {
                let all: Vec<MemberId> = names.iter().map(|name| member(name)).collect();
                assert_eq!(schedules::count_round(conn, &schedule()).await?, number);
                scores::extend_streaks(conn, &schedule(), number, &all.iter().collect::<Vec<_>>()).await
            });
        }
    };
    let streaks = || {
        let store = store.clone();
        async move {
            let all = [member("ann"), member("bob"), member("cem")];
            let mut found = read!(store, |conn| scores::streaks(conn, &channel("one"), &all).await);
            found.sort();
            found
        }
    };
    answered(1, &["ann", "bob"]).await;
    answered(2, &["ann", "bob"]).await;
    assert_eq!(streaks().await, [(member("ann"), 2, 2), (member("bob"), 2, 2)]);
    answered(3, &["ann"]).await;
    assert_eq!(streaks().await, [(member("ann"), 3, 3), (member("bob"), 0, 2)]);
    answered(4, &["ann", "bob"]).await;
    assert_eq!(streaks().await, [(member("ann"), 4, 4), (member("bob"), 1, 2)]);
    // The same question again changes nothing.
    write!(store, |conn| scores::extend_streaks(conn, &schedule(), 4, &[&member("ann")]).await);
    assert_eq!(streaks().await[0], (member("ann"), 4, 4));
    assert!(read!(store, |conn| scores::streaks(conn, &channel("one"), &[]).await).is_empty());
}

fn list(topic: &str, span: &str) -> List {
    List { channel: channel("one"), board: Board::Daily, topic: topic.into(), span: span.into() }
}

/// Scores with their standings, as a reveal stores them.
async fn reveal(store: &Store, slot: usize, topic: &'static str, all: Vec<Scored>) {
    write!(store, |conn| {
        scores::insert(conn, &round(slot), 1, topic, &all, NOW).await?;
        let gains: Vec<Gain> =
            all.iter().map(|one| Gain { member: one.member.clone(), points: one.points, answered: 1 }).collect();
        let now = NOW + i64::try_from(slot)?;
        standings::add(conn, &channel("one"), Board::Daily, topic, &period(), &gains, now).await
    });
}

async fn standings_add_up_rank_and_agree_with_a_recount(store: Store) {
    write!(store, |conn| members::seen(conn, &member("ann"), "Ann", NOW).await);
    reveal(&store, 1, "iam", vec![scored("ann", 50, 500), scored("bob", 70, 700), scored("cem", 50, 500)]).await;
    reveal(&store, 2, "eks", vec![scored("ann", 20, 200), scored("dai", 0, 0)]).await;
    let top = read!(store, |conn| standings::top(conn, &list("", "all"), 10).await);
    let show: Vec<_> = top.iter().map(|place| (place.member.as_str(), place.points, place.answered)).collect();
    assert_eq!(show, [("web:bob", 700, 1), ("web:ann", 700, 2), ("web:cem", 500, 1), ("web:dai", 0, 1)]);
    assert_eq!((top[1].name.as_str(), top[0].name.as_str()), ("Ann", ""));
    let place = |name: &'static str, topic: &'static str, span: &'static str| {
        let store = store.clone();
        async move {
            let found = read!(store, |conn| standings::place(conn, &list(topic, span), &member(name)).await);
            found.map(|(rank, place)| (rank, place.points))
        }
    };
    assert_eq!(place("bob", "", "2026-W48").await, Some((1, 700)));
    assert_eq!(place("ann", "", "2026-11").await, Some((1, 700)));
    assert_eq!(place("cem", "", "all").await, Some((3, 500)));
    assert_eq!(place("ann", "iam", "all").await, Some((2, 500)));
    assert_eq!(place("ann", "eks", "2026-W48").await, Some((1, 200)));
    assert_eq!(place("bob", "eks", "all").await, None);
    assert_eq!(read!(store, |conn| standings::members(conn, &list("", "all")).await), 4);
    drilled_with_standing(&store, "q1", 300).await;
    drilled_with_standing(&store, "q1", 450).await;
    assert_eq!(read!(store, |conn| standings::differences(conn).await), Vec::<String>::new());
}

async fn tampered_standings_are_found_out(store: Store) {
    reveal(&store, 1, "iam", vec![scored("ann", 50, 500)]).await;
    for sql in [
        "update standings set points = points + 1 where topic = '' and span = 'all'",
        "update standings set answered = 9 where topic = 'iam' and span = '2026-11'",
        "delete from standings where topic = 'iam' and span = '2026-W48'",
        "insert into standings select channel_id, board, topic, span, 'web:eve', points, answered, reached_at from standings where topic = '' and span = 'all'",
    ] {
        write!(store, |conn| {
            run(conn, sql).await;
            Ok(())
        });
    }
    let differences = read!(store, |conn| standings::differences(conn).await);
    assert_eq!(differences.len(), 4, "{differences:#?}");
    assert!(differences.iter().any(|one| one.contains("web:eve") && one.contains("+501 points")), "{differences:#?}");
    assert!(differences.iter().any(|one| one.contains("2026-W48") && one.contains("-500 points")), "{differences:#?}");
}

fn drill(id: &str) -> Drill {
    let item = |question: &str| Item {
        title: String::new(),
        question: QuestionId::new(question),
        snapshot: "hash".into(),
        topic: "eks".into(),
        hints: 0,
        outcome: None,
    };
    Drill {
        id: DrillId::new(id),
        member: member("ann"),
        channel: channel("one"),
        topic: "EKS".into(),
        name: "iam".into(),
        choice: false,
        items: vec![item("q1"), item("q2")],
        at: 0,
    }
}

async fn a_drill_is_locked_kept_and_resumed(store: Store) {
    write!(store, |conn| {
        drills::put(conn, &drill("d1"), NOW).await?;
        drills::put(conn, &drill("d2"), NOW + 10).await
    });
    let unfinished = |since| {
        let store = store.clone();
        async move { read!(store, |conn| drills::unfinished(conn, &member("ann"), since).await).map(|found| found.id) }
    };
    assert_eq!(unfinished(NOW).await, Some(DrillId::new("d2")));
    let locked = write!(store, |conn| drills::lock(conn, &DrillId::new("d1"), NOW + 20).await);
    assert_eq!(locked, Some(drill("d1")));
    assert_eq!(unfinished(NOW).await, Some(DrillId::new("d1")), "what was touched last");
    let done = Drill { at: 2, ..drill("d1") };
    write!(store, |conn| drills::put(conn, &done, NOW + 30).await);
    assert_eq!(unfinished(NOW).await, Some(DrillId::new("d2")));
    assert_eq!(unfinished(NOW + 11).await, None);
    assert_eq!(write!(store, |conn| drills::lock(conn, &DrillId::new("none"), NOW).await), None);
    // Two presses at once: each sees what the other has left.
    let presses = (0..20).map(|_| {
        let store = store.clone();
        async move {
            write!(store, |conn| {
                let mut drill = drills::lock(conn, &DrillId::new("d2"), NOW).await?.ok_or_else(|| anyhow!("gone"))?;
                drill.items[0].hints += 1;
                drills::put(conn, &drill, NOW).await
            });
        }
    });
    join_all(presses).await;
    let after = write!(store, |conn| drills::lock(conn, &DrillId::new("d2"), NOW).await).expect("a drill");
    assert_eq!(after.items[0].hints, 20);
}

async fn drilled(store: &Store, question: &'static str, coverage: i64, points: i64) -> (i64, i64) {
    write!(store, |conn| {
        let result = Drilled {
            channel: &channel("one"),
            member: &member("ann"),
            question: &QuestionId::new(question),
            period: &period(),
            topic: "eks",
            coverage,
            points,
        };
        drills::score(conn, &result, NOW + points).await
    })
}

async fn drilled_with_standing(store: &Store, question: &'static str, points: i64) {
    write!(store, |conn| {
        let result = Drilled {
            channel: &channel("one"),
            member: &member("ann"),
            question: &QuestionId::new(question),
            period: &period(),
            topic: "eks",
            coverage: 1,
            points,
        };
        let (points, answered) = drills::score(conn, &result, NOW).await?;
        // Long enough for two of them to overlap.
        tokio::time::sleep(Duration::from_millis(2)).await;
        let gain = Gain { member: member("ann"), points, answered };
        standings::add(conn, &channel("one"), Board::Drill, "eks", &period(), &[gain], NOW).await
    });
}

async fn the_best_drill_of_a_day_counts(store: Store) {
    assert_eq!(drilled(&store, "q1", 40, 400).await, (400, 1));
    assert_eq!(drilled(&store, "q1", 30, 300).await, (0, 0));
    assert_eq!(drilled(&store, "q1", 40, 400).await, (0, 0));
    assert_eq!(drilled(&store, "q1", 90, 900).await, (500, 0));
    assert_eq!(drilled(&store, "q2", 0, 0).await, (0, 1));
    let drilled = read!(store, |conn| drills::drilled(conn, &member("ann")).await);
    assert_eq!(drilled, HashMap::from([(QuestionId::new("q1"), NOW + 900), (QuestionId::new("q2"), NOW)]));
}

async fn two_drills_that_end_at_once_count_one_question_once(store: Store) {
    for question in ["q1", "q2", "q3", "q4", "q5", "q6"] {
        join_all([300, 500, 400].map(|points| drilled_with_standing(&store, question, points))).await;
    }
    assert_eq!(read!(store, |conn| standings::differences(conn).await), Vec::<String>::new());
    let list = List { board: Board::Drill, ..list("", "all") };
    let (_, place) = read!(store, |conn| standings::place(conn, &list, &member("ann")).await).expect("a place");
    assert_eq!((place.points, place.answered), (3_000, 6));
}

/// A message of the web chat; `author` empty for the bot.
async fn say(
    store: &Store,
    id: &'static str,
    thread: Option<&'static str>,
    author: &'static str,
    to: &'static str,
) -> (String, bool) {
    write!(store, |conn| {
        let author = Some(member(author)).filter(|author| author.as_str() != "web:");
        let (channel, dedup) = (channel("one"), format!("key {id}"));
        let new = NewMessage {
            id,
            channel: &channel,
            thread,
            author: author.as_ref(),
            audience: to,
            body: "words",
            dedup: &dedup,
            at: NOW,
        };
        web::insert(conn, &new).await
    })
}

fn viewer(name: &str) -> Viewer {
    Viewer { member: member(name), organiser: false }
}

async fn confidence_counts_with_the_result_of_each_answer(store: Store) {
    ground(&store).await;
    let form = |slot: usize, name: &'static str, said| {
        let part = Part { confidence: said, ..part(&Part::form_id(&member(name)), name, "mine", 1) };
        let store = store.clone();
        async move { write!(store, |conn| answers::put(conn, &round(slot).id, &part).await) }
    };
    // Ann changes her mind; Bob takes back what he said; what Cem says comes late.
    form(1, "ann", Some(Confidence::Guess)).await;
    form(1, "ann", Some(Confidence::Sure)).await;
    form(1, "bob", Some(Confidence::Sure)).await;
    form(1, "bob", None).await;
    form(2, "ann", Some(Confidence::Sure)).await;
    form(3, "ann", Some(Confidence::Sure)).await;
    let stored = read!(store, |conn| answers::of_member(conn, &round(1).id, &member("ann")).await);
    assert_eq!(stored[0].confidence, Some(Confidence::Sure));
    write!(store, |conn| {
        let late = Part {
            late: true,
            confidence: Some(Confidence::Sure),
            ..part(&Part::late_form_id(&member("cem")), "cem", "late", 9)
        };
        answers::put(conn, &round(1).id, &late).await?;
        for (slot, question) in [(1, "q1"), (2, "q2"), (3, "q3")] {
            let asked = Round { question: QuestionId::new(question), ..round(slot) };
            assert_eq!(rounds::insert(conn, &[asked]).await?.len(), 1);
        }
        let scores = [scored("ann", 55, 550), scored("bob", 10, 100), scored("cem", 10, 100)];
        scores::insert(conn, &round(1), 1, "iam", &scores, NOW).await?;
        // The third has no result yet.
        scores::insert(conn, &round(2), 2, "iam", &[scored("ann", 61, 610)], NOW + 1).await?;
        let mut drill = drill("d1");
        for (at, (question, said, coverage)) in
            [("q4", Confidence::Sure, 10), ("q5", Confidence::Fairly, 40), ("q6", Confidence::Sure, 30)]
                .iter()
                .enumerate()
        {
            let question = QuestionId::new(*question);
            let said = confidence::Said { question: &question, said: *said, coverage: *coverage };
            confidence::note(conn, &drill, at, &said, NOW + 10 + i64::try_from(at)?).await?;
            // The same form once more changes nothing.
            let other = confidence::Said { said: Confidence::Guess, coverage: 100, ..said };
            confidence::note(conn, &drill, at, &other, NOW + 90).await?;
        }
        drill.channel = channel("two");
        drill.id = DrillId::new("elsewhere");
        let question = QuestionId::new("q9");
        let elsewhere = confidence::Said { question: &question, said: Confidence::Sure, coverage: 0 };
        confidence::note(conn, &drill, 0, &elsewhere, NOW).await
    });
    let of = |name: &'static str| {
        let store = store.clone();
        async move { read!(store, |conn| confidence::of_member(conn, &channel("one"), &member(name)).await) }
    };
    let questions = |of: Calibration| of.mistaken.iter().map(|one| one.question.to_string()).collect::<Vec<_>>();
    let ann = of("ann").await;
    assert_eq!(ann.levels, [(Confidence::Sure, 4, 39), (Confidence::Fairly, 1, 40)]);
    assert_eq!(ann.mistaken[2], Mistaken { question: QuestionId::new("q1"), coverage: 55 });
    assert_eq!(questions(ann), ["q6", "q4", "q1"], "the newest first");
    assert_eq!((of("bob").await, of("cem").await), (Calibration::default(), Calibration::default()));
    // Drilled well since, and drilled badly since.
    drilled(&store, "q1", 90, 900).await;
    drilled(&store, "q6", 50, 500).await;
    assert_eq!(questions(of("ann").await), ["q6", "q4"]);
    // Sure once more, and right.
    write!(store, |conn| {
        let question = QuestionId::new("q4");
        let said = confidence::Said { question: &question, said: Confidence::Sure, coverage: 60 };
        confidence::note(conn, &drill("d2"), 0, &said, NOW + 50).await
    });
    assert_eq!(questions(of("ann").await), ["q6"]);
    write!(store, |conn| {
        answers::forget(conn, &member("ann")).await?;
        confidence::forget(conn, &member("ann")).await
    });
    assert_eq!(of("ann").await, Calibration::default());
}

async fn a_web_message_with_a_known_key_is_shown_once(store: Store) {
    let post = |id: &'static str, dedup: &'static str| {
        let store = store.clone();
        async move {
            write!(store, |conn| {
                let channel = channel("one");
                let new = NewMessage {
                    id,
                    channel: &channel,
                    thread: None,
                    author: None,
                    audience: "",
                    body: id,
                    dedup,
                    at: NOW,
                };
                web::insert(conn, &new).await
            })
        }
    };
    assert_eq!(post("m1", "k1").await, ("m1".to_owned(), true));
    assert_eq!(post("m2", "k1").await, ("m1".to_owned(), false));
    let at_once = join_all(["m3", "m4", "m5", "m6", "m7", "m8"].map(|id| post(id, "k2"))).await;
    assert_eq!(at_once.iter().filter(|(_, fresh)| *fresh).count(), 1);
    assert_eq!(at_once.iter().map(|(id, _)| id).collect::<HashSet<_>>().len(), 1, "{at_once:?}");
    let shown = read!(store, |conn| web::channel(conn, &channel("one"), &viewer("ann"), i64::MAX, 10).await);
    assert_eq!(shown.len(), 2);
    assert_eq!(read!(store, |conn| web::by_dedup(conn, "k1").await), Some("m1".to_owned()));
    assert_eq!(read!(store, |conn| web::by_dedup(conn, "k9").await), None);
}

async fn replies_are_counted_without_private_and_deleted_ones(store: Store) {
    say(&store, "card", None, "", "").await;
    say(&store, "a", Some("card"), "ann", "").await;
    say(&store, "b", Some("card"), "bob", "").await;
    say(&store, "secret", Some("card"), "", "web:ann").await;
    let replies = || {
        let store = store.clone();
        async move { read!(store, |conn| web::get(conn, "card").await).expect("a card").replies }
    };
    assert_eq!(replies().await, 2);
    assert!(write!(store, |conn| web::delete(conn, "secret").await));
    assert_eq!(replies().await, 2, "hiding a private reply changes nothing for the others");
    assert!(write!(store, |conn| web::delete(conn, "a").await));
    assert!(!write!(store, |conn| web::delete(conn, "a").await));
    assert_eq!(replies().await, 1);
    assert!(!write!(store, |conn| web::edit(conn, "a", "back", None).await), "a deleted message stays deleted");
    let there = read!(store, |conn| web::thread(conn, "card", &viewer("ann")).await);
    assert_eq!(there.iter().map(|message| message.id.as_str()).collect::<Vec<_>>(), ["b"]);
    let written = read!(store, |conn| web::written_in(conn, "card", 0).await);
    assert_eq!(written.len(), 1);
}

async fn private_messages_are_seen_by_those_they_are_for(store: Store) {
    say(&store, "all", None, "", "").await;
    say(&store, "for-ann", None, "", "web:ann").await;
    say(&store, "staff", None, "", "organisers").await;
    let seen = |viewer: Viewer| {
        let store = store.clone();
        async move {
            let page = viewer.clone();
            let shown = read!(store, |conn| web::channel(conn, &channel("one"), &page, i64::MAX, 10).await);
            let told = read!(store, |conn| web::since(conn, 0, &viewer, 10).await);
            let ids = |all: Vec<web::WebMessage>| all.into_iter().map(|message| message.id).collect::<Vec<_>>();
            let (shown, told) = (ids(shown), ids(told));
            assert_eq!(shown, told);
            shown
        }
    };
    assert_eq!(seen(viewer("ann")).await, ["all", "for-ann"]);
    assert_eq!(seen(viewer("bob")).await, ["all"]);
    assert_eq!(seen(Viewer { organiser: true, ..viewer("bob") }).await, ["all", "staff"]);
    // Who calls themselves "organisers" or "-" is none.
    let liar = Viewer { member: MemberId::new("-"), organiser: false };
    assert_eq!(seen(liar).await, ["all"]);
}

async fn every_change_raises_the_rev_of_its_message(store: Store) {
    say(&store, "card", None, "", "").await;
    say(&store, "a", Some("card"), "ann", "").await;
    let get = |id: &'static str| {
        let store = store.clone();
        async move { read!(store, |conn| web::get(conn, id).await).expect("a message") }
    };
    let before = get("a").await;
    assert!(get("card").await.rev > before.rev, "its count of replies has changed after the reply was stored");
    assert!(write!(store, |conn| web::edit(conn, "a", "new words", Some(NOW + 1)).await));
    let edited = get("a").await;
    assert!(edited.rev > before.rev && edited.seq == before.seq);
    assert_eq!((edited.body.as_str(), edited.edited_at), ("new words", Some(NOW + 1)));
    write!(store, |conn| web::mark(conn, "a", "noted").await);
    let marked = get("a").await;
    assert!(marked.rev > edited.rev && marked.mark == "noted");
    write!(store, |conn| web::mark(conn, "a", "noted").await);
    assert_eq!(get("a").await.rev, marked.rev, "the same mark is no change");
    assert!(write!(store, |conn| web::edit(conn, "card", "a new card", None).await));
    assert_eq!(get("card").await.edited_at, None);
    assert!(write!(store, |conn| web::delete(conn, "a").await));
    let gone = get("a").await;
    assert!(gone.deleted && gone.body.is_empty() && gone.rev > marked.rev);
    let newest = read!(store, |conn| web::since(conn, marked.rev, &viewer("bob"), 10).await);
    assert_eq!(newest.iter().map(|message| message.id.as_str()).collect::<Vec<_>>(), ["a", "card"]);
    assert!(read!(store, |conn| web::rev(conn).await) >= newest[1].rev);
    let page = read!(store, |conn| web::channel(conn, &channel("one"), &viewer("bob"), newest[1].seq, 10).await);
    assert!(page.is_empty(), "what is before the first message");
}

async fn a_reader_never_misses_a_message_of_eight_writers(store: Store) {
    const EACH: usize = 60;
    say(&store, "card", None, "", "").await;
    let writers = (0..8).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for n in 0..EACH {
                let id = format!("w{writer}-{n}");
                write!(store, |conn| {
                    let (channel, author) = (channel("one"), member("ann"));
                    let new = NewMessage {
                        id: &id,
                        channel: &channel,
                        thread: Some("card"),
                        author: Some(&author),
                        audience: "",
                        body: "words",
                        dedup: &id,
                        at: NOW,
                    };
                    web::insert(conn, &new).await?;
                    // A transaction that stays open for a while, with its rev taken.
                    tokio::time::sleep(Duration::from_millis(u64::try_from(writer)? % 3)).await;
                    Ok(())
                });
            }
        })
    });
    let reader = {
        let store = store.clone();
        tokio::spawn(async move {
            let (mut rev, mut told) = (0, BTreeSet::new());
            while told.len() < 8 * EACH {
                for message in read!(store, |conn| web::since(conn, rev, &viewer("bob"), 7).await) {
                    assert!(message.rev > rev);
                    rev = message.rev;
                    if message.id != "card" {
                        assert!(told.insert(message.id.clone()), "{} was told twice", message.id);
                    }
                }
            }
            told.len()
        })
    };
    for writer in join_all(writers).await {
        writer.expect("a writer");
    }
    let told = tokio::time::timeout(Duration::from_secs(10), reader).await;
    assert_eq!(told.expect("a message was missed: the reader waits for it").expect("a reader"), 8 * EACH);
}

async fn sessions_open_and_close(store: Store) {
    write!(store, |conn| {
        members::seen(conn, &member("ann"), "Ann", NOW).await?;
        web::open_session(conn, "hash", &member("ann"), NOW).await?;
        web::open_session(conn, "hash", &member("eve"), NOW).await
    });
    let session = |hash: &'static str| {
        let store = store.clone();
        async move { read!(store, |conn| web::session(conn, hash).await) }
    };
    assert_eq!(session("hash").await.map(|member| member.name), Some("Ann".to_owned()));
    assert_eq!(session("other").await, None);
    write!(store, |conn| web::close_session(conn, "hash").await);
    assert_eq!(session("hash").await, None);
}

async fn old_private_messages_are_tidied_away(store: Store) {
    say(&store, "all", None, "", "").await;
    say(&store, "secret", None, "", "web:ann").await;
    assert_eq!(write!(store, |conn| web::tidy(conn, NOW).await), 0);
    assert_eq!(write!(store, |conn| web::tidy(conn, NOW + 1).await), 1);
    assert!(read!(store, |conn| web::get(conn, "all").await).is_some());
}

async fn forgetting_a_member_leaves_no_trace_in_any_table(store: Store) {
    ground(&store).await;
    for name in ["ann", "bob"] {
        write!(store, |conn| {
            members::seen(conn, &member(name), name, NOW).await?;
            web::open_session(conn, name, &member(name), NOW).await?;
            answers::put(conn, &round(1).id, &part(&format!("m-{name}"), name, "mine", 1)).await?;
            let newer = part(&format!("m-{name}"), name, "mine anew", 1);
            answers::keep_versions(conn, &round(1).id, &[part(&newer.id, name, "mine", 1)], &[newer], 2).await?;
            rounds::take_hint(conn, &round(1).id, &member(name), 3).await?;
            scores::extend_streaks(conn, &schedule(), 1, &[&member(name)]).await?;
            let mine = Drill { id: DrillId::new(name), member: member(name), ..drill("d") };
            let said = confidence::Said { question: &QuestionId::new("q1"), said: Confidence::Sure, coverage: 1 };
            confidence::note(conn, &mine, 0, &said, NOW).await?;
            drills::put(conn, &mine, NOW).await
        });
    }
    reveal(&store, 1, "iam", vec![scored("ann", 50, 500), scored("bob", 70, 700)]).await;
    drilled_with_standing(&store, "q1", 300).await;
    write!(store, |conn| {
        let copy =
            |by: &str, from: &str| Copy { member: member(by), source: member(from), percent: 90, shared: vec![] };
        let (ann, bob) = (member("ann"), member("bob"));
        let known = HashSet::from([&ann, &bob]);
        copies::insert(conn, &round(1).id, &[copy("ann", "bob"), copy("bob", "ann")], &known).await
    });
    say(&store, "card", None, "", "").await;
    say(&store, "a", Some("card"), "ann", "").await;
    say(&store, "b", Some("card"), "bob", "").await;
    say(&store, "secret", None, "", "web:ann").await;
    write!(store, |conn| {
        let ann = member("ann");
        copies::forget(conn, &ann).await?;
        answers::forget(conn, &ann).await?;
        rounds::forget(conn, &ann).await?;
        scores::forget(conn, &ann).await?;
        standings::forget(conn, &ann).await?;
        drills::forget(conn, &ann).await?;
        confidence::forget(conn, &ann).await?;
        web::forget(conn, &ann).await?;
        members::forget(conn, &ann).await
    });
    let columns = [
        ("members", "id"),
        ("web_sessions", "member_id"),
        ("answer_parts", "member_id"),
        ("answer_versions", "member_id"),
        ("copies", "member_id"),
        ("hints", "member_id"),
        ("scores", "member_id"),
        ("standings", "member_id"),
        ("streaks", "member_id"),
        ("drills", "member_id"),
        ("drill_scores", "member_id"),
        ("drill_confidence", "member_id"),
        ("web_messages", "author_id"),
    ];
    for (table, column) in columns {
        let count = |who: &'static str| {
            let (store, sql) = (store.clone(), format!("select count(*) as n from {table} where {column} = '{who}'"));
            async move {
                let rows = read!(store, |conn| Ok(sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(conn).await?));
                rows.get::<i64, _>("n")
            }
        };
        assert_eq!(count("web:ann").await, 0, "{table}");
        assert!(count("web:bob").await > 0 || table == "drill_scores", "{table}: others keep what is theirs");
    }
    let (a, secret) =
        (read!(store, |conn| web::get(conn, "a").await), read!(store, |conn| web::get(conn, "secret").await));
    for message in [a.expect("a tombstone"), secret.expect("a tombstone")] {
        assert!(message.deleted && message.body.is_empty());
    }
    assert_eq!(read!(store, |conn| web::get(conn, "card").await).expect("a card").replies, 1);
    assert_eq!(read!(store, |conn| standings::differences(conn).await), Vec::<String>::new());
}

async fn texts_of_changed_answers_are_kept_until_the_reveal(store: Store) {
    ground(&store).await;
    write!(store, |conn| {
        let id = round(1).id;
        rounds::insert(conn, &[round(1)]).await?;
        let mut stands = part("m", "ann", "text 0", 1);
        answers::put(conn, &id, &stands).await?;
        for n in 1..=40 {
            let new = part("m", "ann", &format!("text {n}"), 1);
            answers::keep_versions(conn, &id, &[stands], std::slice::from_ref(&new), 10 + n).await?;
            stands = new;
        }
        // Back to an older text, to nothing, and from nothing.
        let older = part("m", "ann", "text 35", 1);
        answers::keep_versions(conn, &id, &[stands], std::slice::from_ref(&older), 60).await?;
        let blank = part("m", "ann", " ", 1);
        answers::keep_versions(conn, &id, &[older], std::slice::from_ref(&blank), 70).await?;
        answers::keep_versions(conn, &id, &[blank], &[part("m", "ann", "text 0", 1)], 80).await?;
        answers::drop_versions(conn).await
    });
    let kept = read!(store, |conn| answers::versions(conn, &round(1).id).await);
    let times: Vec<(String, i64)> = kept.into_iter().map(|version| (version.body, version.at)).collect();
    let expected: Vec<(String, i64)> = (11..=40).map(|n| (format!("text {n}"), 10 + n)).collect();
    assert_eq!(times, expected, "the newest thirty, each with the time it was said first");
    write!(store, |conn| {
        answers::keep_versions(conn, &round(1).id, &[part("m2", "bob", "a", 1)], &[part("m2", "bob", "b", 1)], 5)
            .await?;
        answers::delete(conn, &round(1).id, "m").await
    });
    let kept = read!(store, |conn| answers::versions(conn, &round(1).id).await);
    assert_eq!(kept.iter().map(|version| version.body.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    write!(store, |conn| {
        assert!(rounds::close(conn, &round(1).id, NOW).await?);
        answers::drop_versions(conn).await?;
        assert_eq!(answers::versions(conn, &round(1).id).await?.len(), 2, "it is not graded yet");
        assert!(rounds::revealed(conn, &round(1).id, 1, 1).await?);
        answers::drop_versions(conn).await
    });
    assert_eq!(read!(store, |conn| answers::versions(conn, &round(1).id).await), []);
}

async fn copies_name_nobody_who_is_gone(store: Store) {
    ground(&store).await;
    write!(store, |conn| {
        rounds::insert(conn, &[round(1)]).await?;
        let copy = |by: &str, from: &str, percent: u8| Copy {
            member: member(by),
            source: member(from),
            percent,
            shared: vec![],
        };
        let copies = [copy("bob", "ann", 80), copy("eve", "bob", 90), copy("ann", "eve", 70)];
        let (bob, eve) = (member("bob"), member("eve"));
        assert_eq!(copies::insert(conn, &round(1).id, &copies, &HashSet::from([&bob, &eve])).await?, 2);
        Ok(())
    });
    let kept = read!(store, |conn| copies::of_round(conn, &round(1).id).await);
    let shown: Vec<_> = kept.iter().map(|one| (one.member.as_str(), one.source.clone(), one.percent)).collect();
    assert_eq!(shown, [("web:eve", Some(member("bob")), 90), ("web:bob", None, 80)]);
    write!(store, |conn| {
        assert_eq!(copies::rounds_of(conn, &member("bob")).await?, [(round(1).id, round(1).channel)]);
        assert_eq!(copies::rounds_of(conn, &member("ann")).await?, []);
        copies::forget(conn, &member("bob")).await
    });
    let kept = read!(store, |conn| copies::of_round(conn, &round(1).id).await);
    assert_eq!(kept.iter().map(|one| (one.member.as_str(), &one.source)).collect::<Vec<_>>(), [("web:eve", &None)]);
}

async fn an_erasure_is_remembered_while_a_question_is_open(store: Store) {
    ground(&store).await;
    let ann = member("ann");
    write!(store, |conn| erased::note(conn, &member("ann"), NOW).await);
    assert!(read!(store, |conn| erased::all(conn).await).is_empty(), "nothing is open that could bring her back");
    write!(store, |conn| {
        rounds::insert(conn, &[round(1)]).await?;
        // The platform's clock is ahead of ours.
        answers::put(conn, &round(1).id, &part("m", "ann", "mine", NOW + 5)).await?;
        erased::note(conn, &member("ann"), NOW).await?;
        erased::tidy(conn).await
    });
    let erased = read!(store, |conn| erased::all(conn).await);
    assert!(erased.covers(&ann, NOW + 5) && !erased.covers(&ann, NOW + 6) && !erased.covers(&member("bob"), NOW));
    write!(store, |conn| {
        assert!(rounds::close(conn, &round(1).id, NOW).await? && rounds::revealed(conn, &round(1).id, 1, 1).await?);
        erased::tidy(conn).await
    });
    assert!(read!(store, |conn| erased::all(conn).await).is_empty());
}

async fn notes_are_set_once_or_anew(store: Store) {
    assert_eq!(read!(store, |conn| notes::get(conn, "n").await), None);
    assert_eq!(write!(store, |conn| notes::set_once(conn, "n", "first").await), "first");
    assert_eq!(write!(store, |conn| notes::set_once(conn, "n", "second").await), "first");
    write!(store, |conn| notes::set(conn, "n", "third").await);
    assert_eq!(read!(store, |conn| notes::get(conn, "n").await).as_deref(), Some("third"));
    assert!(!read!(store, |conn| notes::is_used(conn).await));
    ground(&store).await;
    assert!(read!(store, |conn| notes::is_used(conn).await));
}

async fn a_failed_write_leaves_nothing_and_takes_nobody_with_it(store: Store) {
    let write = |n: i64| {
        let store = store.clone();
        async move {
            try_write!(store, |conn| {
                members::seen(conn, &member(&n.to_string()), "somebody", NOW).await?;
                match n % 4 {
                    1 => Err(anyhow!("number {n} does not want to")),
                    2 => {
                        sqlx::query("insert into nowhere values (1)").execute(&mut *conn).await?;
                        Ok(n)
                    }
                    _ => Ok(n),
                }
            })
        }
    };
    let results: Vec<Result<i64>> = join_all((0..200).map(write)).await;
    for (n, result) in (0..).zip(&results) {
        match (n % 4, result) {
            (1, Err(error)) => assert!(format!("{error:#}").contains("does not want to"), "{error:#}"),
            (2, Err(error)) => assert!(error.downcast_ref::<Unavailable>().is_some(), "{error:#}"),
            (0 | 3, Ok(same)) => assert_eq!(*same, n),
            (_, other) => panic!("write {n}: {other:?}"),
        }
    }
    assert_eq!(read!(store, |conn| members::count(conn, "web").await), 100);
}

async fn a_write_is_there_for_everybody_when_it_returns(store: Store) {
    for n in 0..50 {
        let id = member(&n.to_string());
        write!(store, |conn| members::seen(conn, &id, "somebody", NOW).await);
        assert_eq!(read!(store, |conn| members::count(conn, "web").await), n + 1);
    }
}

async fn readers_cannot_write_where_the_database_can_forbid_it(store: Store) {
    if !store.is_exclusive() {
        return;
    }
    let written = store.read("test", |conn| Box::pin(async move { notes::set(conn, "n", "x").await })).await;
    assert!(format!("{:#}", written.expect_err("query_only")).contains("readonly"), "SQLite's readers are query_only");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_breaks_down_leaves_the_writer_alive() {
    let database = Database::sqlite().await;
    let store = database.open().await;
    let broken = try_write!(store, |conn| {
        members::seen(conn, &member("ann"), "Ann", NOW).await?;
        if NOW > 0 {
            panic!("a bug in a write, on purpose");
        }
        Ok(())
    });
    assert!(format!("{:#}", broken.expect_err("a panic")).contains("broke down"));
    assert_eq!(read!(store, |conn| members::count(conn, "web").await), 0);
    write!(store, |conn| members::seen(conn, &member("bob"), "Bob", NOW).await);
    assert_eq!(read!(store, |conn| members::count(conn, "web").await), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn migrating_twice_is_migrating_once() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let Some(database) = Database::of(kind).await else { continue };
        drillbot::store::migrate(&database.url).await.expect("a migration");
        drillbot::store::migrate(&database.url).await.expect("the same again");
        let mut conn = database.connect().await;
        let row =
            sqlx::query("select count(*) as n from _sqlx_migrations").fetch_one(&mut conn).await.expect("a count");
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).expect("a folder").count();
        assert_eq!(row.get::<i64, _>("n"), i64::try_from(files).expect("a few"), "each file is a migration");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_instances_can_migrate_one_postgres_at_once() {
    let Some(database) = Database::postgres().await else { return };
    let stores = join_all((0..4).map(|_| Store::open(&database.url))).await;
    assert!(stores.iter().all(Result::is_ok), "{:?}", stores.iter().filter_map(|store| store.as_ref().err()).next());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_was_changed_after_it_was_applied_is_refused() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let Some(database) = Database::of(kind).await else { continue };
        drillbot::store::migrate(&database.url).await.expect("a migration");
        let mut conn = database.connect().await;
        // As if the text of the first migration had been another one then.
        let other = if kind == Kind::Sqlite { "x'00'" } else { "'\\x00'::bytea" };
        run(&mut conn, &format!("update _sqlx_migrations set checksum = {other} where version = 1")).await;
        let error = Store::open(&database.url).await.err().map(|error| format!("{error:#}")).expect("refused");
        assert!(error.contains("cannot migrate") && error.contains('1') && error.contains("modified"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_from_a_newer_version_is_refused() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let Some(database) = Database::of(kind).await else { continue };
        drillbot::store::migrate(&database.url).await.expect("a migration");
        let mut conn = database.connect().await;
        run(&mut conn, "update _sqlx_migrations set version = 999 where version = 2").await;
        let error = Store::open(&database.url).await.err().map(|error| format!("{error:#}")).expect("refused");
        assert!(error.contains("999"), "{error}");
        let looked =
            drillbot::store::look(&database.url).await.err().map(|error| format!("{error:#}")).expect("refused");
        assert!(looked.contains("newer drillbot"), "{looked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_is_not_there_is_named_without_its_password() {
    let error = Store::open("postgres://bot:hunter2@127.0.0.1:1/drill").await.err().map(|error| format!("{error:#}"));
    let error = error.expect("nobody listens on port 1");
    assert!(error.contains("cannot reach the PostgreSQL database") && !error.contains("hunter2"), "{error}");
}
