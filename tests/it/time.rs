//! Time passes, stops, jumps and goes back: no question too few, none twice, none at the wrong time.

use drillbot::adapters::memory::Fault;
use drillbot::domain::round::State;
use drillbot::domain::schedule::ScheduleSpec;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};

use crate::world::{FULL, Setup, World, spec};

/// A year of the real bot: a tick a minute before each slot, at it and three hours later, and each question at its instant.
async fn a_year_in(zone: &str, time: &str, from: Date) {
    let (hour, minute) = time.split_once(':').expect("a time");
    let daily = ScheduleSpec {
        cron: format!("{} {} * * *", minute.parse::<u8>().unwrap(), hour.parse::<u8>().unwrap()),
        zone: zone.to_owned(),
        reveal: "2h".into(),
        ..ScheduleSpec::default()
    };
    let mut w = World::with(Setup { schedules: vec![], ..Setup::default() }).await;
    let tz = TimeZone::get(zone).expect("the zone exists");
    let clock_at = |ms: i64| w.clock.set(ms);
    clock_at(tz.to_timestamp(from.at(0, 0, 0, 0)).unwrap().as_millisecond());
    w.restart_with(vec![("daily", daily)]).await;

    let time: jiff::civil::Time = time.parse().unwrap();
    let mut expected: Vec<i64> = Vec::new();
    for n in 0..365 {
        let day = from.saturating_add(n.days());
        // Jiff's own way with gaps and folds. A date that a country left out has no slot of its own.
        let instant = tz.to_timestamp(day.to_datetime(time)).unwrap();
        if tz.to_datetime(instant).date() != day {
            continue;
        }
        let instant = instant.as_millisecond();
        expected.push(instant);
        for (ms, cards) in [
            (instant - 60_000, expected.len() - 1),
            (instant, expected.len()),
            (instant + 3 * 3_600_000, expected.len()),
        ] {
            w.clock.set(ms);
            w.app.tick().await.unwrap();
            w.drain().await;
            assert_eq!(w.chat.count("question:"), cards, "{zone} {day}");
        }
    }
    let mut opened: Vec<i64> = w.rounds().await.iter().map(|round| round.opened_at).collect();
    opened.sort_unstable();
    assert_eq!(opened, expected, "{zone}");
    assert!(w.rounds().await.iter().all(|round| round.state == State::Revealed), "{zone}");
    w.end().await;
}

#[tokio::test]
async fn a_year_in_london_at_a_time_that_the_clock_jumps_over() {
    a_year_in("Europe/London", "01:30", date(2026, 1, 1)).await;
}

#[tokio::test]
async fn a_year_in_new_york_at_a_time_that_the_clock_jumps_over() {
    a_year_in("America/New_York", "02:30", date(2026, 1, 1)).await;
}

#[tokio::test]
async fn a_year_on_lord_howe_where_the_clock_moves_half_an_hour() {
    a_year_in("Australia/Lord_Howe", "02:15", date(2026, 1, 1)).await;
}

#[tokio::test]
async fn a_year_in_kolkata() {
    a_year_in("Asia/Kolkata", "09:00", date(2026, 1, 1)).await;
}

#[tokio::test]
async fn a_year_in_apia_with_the_day_that_never_was() {
    a_year_in("Pacific/Apia", "09:00", date(2011, 3, 1)).await;
}

#[tokio::test]
async fn a_clock_that_goes_back_an_hour_posts_nothing_twice() {
    let mut w = World::new().await;
    w.at("09:00").await;
    w.write_in_thread("Bob", FULL).await;
    w.at("08:00").await;
    w.at("09:00").await;
    assert_eq!((w.cards().len(), w.asked().await), (1, 1));
    w.at("17:00").await;
    w.at("16:00").await;
    w.at("17:00").await;
    assert_eq!(w.scores().await.len(), 1);
    w.day(1).await;
    w.at("09:00").await;
    assert_eq!(w.cards().len(), 2);
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn a_clock_that_goes_back_a_day_posts_nothing_twice() {
    let mut w = World::new().await;
    w.at("09:00").await;
    w.at("17:00").await;
    w.day(1).await;
    w.at("09:00").await;
    w.day(0).await;
    for time in ["09:00", "17:00"] {
        w.at(time).await;
    }
    w.day(1).await;
    w.at("09:00").await;
    assert_eq!((w.cards().len(), w.asked().await), (2, 2));
    w.at("17:00").await;
    w.day(2).await;
    w.at("09:00").await;
    assert_eq!(w.cards().len(), 3);
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn gaps_that_a_wrong_clock_recorded_are_taken_back() {
    let mut w = World::new().await;
    w.day(3).await;
    assert_eq!(w.rounds().await.iter().filter(|round| round.state == State::Missed).count(), 3);
    w.day(0).await;
    assert_eq!(w.rounds().await.len(), 0);
    for day in 0..4 {
        w.day(day).await;
        w.at("09:00").await;
        w.at("17:00").await;
    }
    assert_eq!(w.cards().len(), 4);
    assert!(w.rounds().await.iter().all(|round| round.state == State::Revealed));
    w.end().await;
}

#[tokio::test]
async fn gaps_that_a_wrong_clock_recorded_are_taken_back_after_a_restart_too() {
    let mut w = World::new().await;
    w.day(3).await;
    w.asleep_until(0, "08:30");
    w.restart().await;
    w.at("09:00").await;
    assert_eq!(w.cards().len(), 1);
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn what_was_put_off_by_a_wrong_clock_does_not_wait_for_it() {
    let mut w = World::new().await;
    // Three days ahead, a question is due and the platform is busy: the next attempt is planned for then.
    w.asleep_until(3, "09:00");
    w.chat.fail_next(vec![Fault::Busy; 10]);
    w.settle().await;
    assert_eq!(w.in_outbox("pending").await.len(), 4, "a question and the word about three gaps");
    w.chat.recover();
    w.day(0).await;
    w.at("09:00").await;
    assert_eq!(w.in_outbox("pending").await, []);
    assert_eq!(w.cards().len(), 2, "the one of Thursday, which was begun, and today's");
    w.end().await;
}

#[tokio::test]
async fn a_clock_that_stands_still_posts_once() {
    let mut w = World::new().await;
    w.at("09:00").await;
    for _ in 0..50 {
        w.settle().await;
    }
    assert_eq!(w.cards().len(), 1);
    w.at("17:00").await;
    for _ in 0..50 {
        w.settle().await;
    }
    assert_eq!(w.chat.count("reveal:"), 2);
    w.end().await;
}

#[tokio::test]
async fn a_bot_that_was_away_for_a_year_does_not_drown_its_organisers() {
    let mut w = World::new().await;
    w.asleep_until(364, "09:05");
    w.restart().await;
    assert_eq!(w.cards().len(), 1);
    assert!(w.notices().len() <= 45, "{} notices", w.notices().len());
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn a_question_every_minute_comes_every_minute() {
    let minutely = ScheduleSpec { cron: "* * * * *".into(), reveal: "30s".into(), catch_up: "0m".into(), ..spec() };
    let mut w = World::with(Setup { schedules: vec![("daily", minutely)], ..Setup::default() }).await;
    w.set_clock("08:00");
    for _ in 0..120 {
        w.pass(SignedDuration::from_secs(30)).await;
    }
    assert_eq!(w.cards().len(), 60);
    w.unsent.push("question:");
    w.pass(SignedDuration::from_secs(31)).await;
    w.end().await;
}
