//! The clock-change days, counted out, and random schedules against a slow oracle that walks through the minutes.

use jiff::civil::{Date, DateTime, Time, date, time};
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;
use proptest::sample::subsequence;

use super::*;

const ZONES: [&str; 4] = ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"];

const APIA: &str = "Pacific/Apia";

fn plan(cron: &str, zone: &str) -> Plan {
    let spec = ScheduleSpec { cron: cron.to_owned(), zone: zone.to_owned(), ..ScheduleSpec::default() };
    spec.compile().unwrap()
}

/// The slots of some local dates, asked for one after the other.
fn walk(plan: &Plan, first: Date, last: Date) -> Vec<Slot> {
    let start = plan.zone().to_timestamp(first.at(0, 0, 0, 0)).unwrap() - 1.nanosecond();
    let end = plan.zone().to_timestamp(last.tomorrow().unwrap().at(0, 0, 0, 0)).unwrap();
    let next = |after: Timestamp| plan.next_after(after).inspect(|slot| assert!(slot.at > after, "{slot:?} goes back"));
    std::iter::successors(next(start), |slot| next(slot.at)).take_while(|slot| slot.at < end).collect()
}

/// The slots whose instant the clock shows as something else, as they were meant and as it is.
fn moved(plan: &Plan, slots: &[Slot]) -> Vec<(DateTime, DateTime)> {
    slots
        .iter()
        .map(|slot| (slot.local, plan.zone().to_datetime(slot.at)))
        .filter(|(meant, shown)| meant != shown)
        .collect()
}

const TIMES: [Time; 7] = [
    time(0, 0, 0, 0),
    time(0, 30, 0, 0),
    time(1, 30, 0, 0),
    time(2, 0, 0, 0),
    time(2, 30, 0, 0),
    time(9, 0, 0, 0),
    time(23, 59, 0, 0),
];

#[test]
fn a_daily_question_comes_once_on_each_date_of_two_years() {
    // What the clock jumps over, by zone; all other times stay as they are meant.
    let jumps = |zone: &str, at: Time| -> Vec<(DateTime, DateTime)> {
        let days = match zone {
            "Europe/London" if at.hour() == 1 => vec![date(2026, 3, 29), date(2027, 3, 28)],
            "America/New_York" if at.hour() == 2 => vec![date(2026, 3, 8), date(2027, 3, 14)],
            // Half an hour only: 02:30 is there.
            "Australia/Lord_Howe" if at == time(2, 0, 0, 0) => vec![date(2026, 10, 4), date(2027, 10, 3)],
            _ => vec![],
        };
        let by = if zone == "Australia/Lord_Howe" { 30.minutes() } else { 1.hour() };
        days.into_iter().map(|day: Date| (day.to_datetime(at), day.to_datetime(at) + by)).collect()
    };
    for zone in ZONES {
        for at in TIMES {
            let plan = plan(&format!("{} {} * * *", at.minute(), at.hour()), zone);
            let slots = walk(&plan, date(2026, 1, 1), date(2027, 12, 31));
            let meant: Vec<DateTime> = slots.iter().map(|slot| slot.local).collect();
            let expect: Vec<DateTime> =
                date(2026, 1, 1).series(1.day()).take(730).map(|day| day.to_datetime(at)).collect();
            assert_eq!(meant, expect, "{zone} {at}");
            assert_eq!(moved(&plan, &slots), jumps(zone, at), "{zone} {at}");
        }
    }
}

#[test]
fn a_date_that_never_was_has_no_question_of_its_own() {
    for at in TIMES {
        let plan = plan(&format!("{} {} * * *", at.minute(), at.hour()), APIA);
        let slots = walk(&plan, date(2011, 1, 1), date(2011, 12, 31));
        let meant: Vec<DateTime> = slots.iter().map(|slot| slot.local).collect();
        let expect: Vec<DateTime> = date(2011, 1, 1)
            .series(1.day())
            .take(365)
            .filter(|day| *day != date(2011, 12, 30))
            .map(|day| day.to_datetime(at))
            .collect();
        assert_eq!(meant, expect, "{at}");
        assert_eq!(moved(&plan, &slots), [], "{at}: summer time began at 03:00");
    }
}

#[test]
fn a_weekly_question_of_a_date_that_never_was_comes_a_day_later() {
    // 30 December 2011 would have been a Friday.
    let plan = plan("0 9 * * fri", APIA);
    let slots = walk(&plan, date(2011, 12, 20), date(2012, 1, 7));
    let keys: Vec<String> = slots.iter().map(Slot::key).collect();
    assert_eq!(keys, ["2011-12-23T09:00", "2011-12-30T09:00", "2012-01-06T09:00"]);
    assert_eq!(moved(&plan, &slots), [(date(2011, 12, 30).at(9, 0, 0, 0), date(2011, 12, 31).at(9, 0, 0, 0))]);
}

#[test]
fn an_hourly_question_comes_as_often_as_the_clock_shows_the_hour() {
    #[track_caller]
    fn check(zone: &str, cron: &str, day: Date, expect: usize) {
        assert_eq!(walk(&plan(cron, zone), day, day).len(), expect, "{zone} {cron} {day}");
    }
    for zone in ZONES {
        check(zone, "0 * * * *", date(2026, 7, 1), 24);
    }
    // Spring: 23 hours. Autumn: 25, of which the doubled one counts once.
    check("Europe/London", "0 * * * *", date(2026, 3, 29), 23);
    check("Europe/London", "0 * * * *", date(2026, 10, 25), 24);
    check("America/New_York", "0 * * * *", date(2026, 3, 8), 23);
    check("America/New_York", "0 * * * *", date(2026, 11, 1), 24);
    // 02:00 to 02:30 is jumped over, so 02:00 comes at 02:30, and with it 24 hours.
    check("Australia/Lord_Howe", "0 * * * *", date(2026, 10, 4), 24);
    check("Australia/Lord_Howe", "*/30 * * * *", date(2026, 10, 4), 47);
    check("Australia/Lord_Howe", "*/30 * * * *", date(2026, 4, 5), 48);
    check(APIA, "0 * * * *", date(2011, 12, 31), 24);

    let year = |zone: &str| walk(&plan("0 * * * *", zone), date(2026, 1, 1), date(2026, 12, 31)).len();
    assert_eq!(year("Europe/London"), 365 * 24 - 1);
    assert_eq!(year("America/New_York"), 365 * 24 - 1);
    assert_eq!(year("Australia/Lord_Howe"), 365 * 24);
    assert_eq!(year("Asia/Kolkata"), 365 * 24);
    // One date never was, and summer time began in September.
    assert_eq!(walk(&plan("0 * * * *", APIA), date(2011, 1, 1), date(2011, 12, 31)).len(), 364 * 24 - 1);
}

#[test]
fn a_time_moved_behind_others_comes_after_them() {
    // On 4 October 2026 Lord Howe goes from 02:00 to 02:30: 02:10 comes at 02:40, behind 02:35.
    let plan = plan("10,35 2 * * *", "Australia/Lord_Howe");
    let slots = walk(&plan, date(2026, 10, 4), date(2026, 10, 4));
    let keys: Vec<String> = slots.iter().map(Slot::key).collect();
    assert_eq!(keys, ["2026-10-04T02:35", "2026-10-04T02:10"]);
}

#[test]
fn a_second_pass_of_an_hour_brings_nothing() {
    // London, 25 October 2026: 01:00 to 02:00 comes twice, first from 00:00Z, then from 01:00Z.
    let plan = plan("*/10 * * * * *", "Europe/London");
    let next = |after: &str| plan.next_after(after.parse().unwrap()).unwrap().at.to_string();
    assert_eq!(next("2026-10-25T00:59:40Z"), "2026-10-25T00:59:50Z");
    assert_eq!(next("2026-10-25T00:59:50Z"), "2026-10-25T02:00:00Z");
    assert_eq!(next("2026-10-25T01:00:00Z"), "2026-10-25T02:00:00Z");
    assert_eq!(next("2026-10-25T01:59:59.5Z"), "2026-10-25T02:00:00Z");
    assert_eq!(next("2026-10-25T02:00:00Z"), "2026-10-25T02:00:10Z");
}

/// Numbers of the five fields, and whether either day is enough; made up here, never parsed.
#[derive(Clone, Debug)]
struct Fields {
    minutes: Vec<i8>,
    hours: Vec<i8>,
    /// None is a star.
    month_days: Option<Vec<i8>>,
    /// None is a star, 0 is Sunday.
    weekdays: Option<Vec<i8>>,
    skip: Option<Date>,
}

impl Fields {
    fn spec(&self, zone: &str) -> ScheduleSpec {
        let list = |numbers: &[i8]| numbers.iter().map(i8::to_string).collect::<Vec<_>>().join(",");
        let or_star = |numbers: &Option<Vec<i8>>| numbers.as_deref().map_or("*".to_owned(), list);
        let (minutes, hours) = (list(&self.minutes), list(&self.hours));
        ScheduleSpec {
            cron: format!("{minutes} {hours} {} * {}", or_star(&self.month_days), or_star(&self.weekdays)),
            zone: zone.to_owned(),
            skip: self.skip.iter().map(Date::to_string).collect(),
            ..ScheduleSpec::default()
        }
    }

    fn matches(&self, local: DateTime) -> bool {
        let in_month = self.month_days.as_ref().map(|days| days.contains(&local.day()));
        let in_week = self.weekdays.as_ref().map(|days| days.contains(&local.weekday().to_sunday_zero_offset()));
        let day = match (in_month, in_week) {
            (Some(in_month), Some(in_week)) => in_month || in_week,
            (one, other) => one.or(other).unwrap_or(true),
        };
        day && self.minutes.contains(&local.minute())
            && self.hours.contains(&local.hour())
            && self.skip != Some(local.date())
    }

    /// Looks at every minute, on a clock that is read minute by minute and from before any jump that still matters: what it
    /// shows for the first time counts; what it jumped over counts as many minutes behind the jump as it lay within.
    fn slots(&self, zone: &TimeZone, first: Timestamp, last: Timestamp) -> Vec<Slot> {
        let minute = SignedDuration::from_mins(1);
        let mut slots = Vec::new();
        let mut at = first - 25.hours();
        let mut newest = zone.to_datetime(at);
        let mut jumped: Vec<Slot> = Vec::new();
        while at < last {
            at += minute;
            let shown = zone.to_datetime(at);
            let mut missing = newest + minute;
            let mut due = at;
            while missing < shown {
                jumped.push(Slot { local: missing, at: due });
                missing += minute;
                due += minute;
            }
            let moved = jumped.iter().find(|slot| slot.at == at).map(|slot| slot.local);
            let local = if shown > newest && self.matches(shown) {
                Some(shown)
            } else {
                moved.filter(|local| self.matches(*local))
            };
            newest = newest.max(shown);
            slots.extend(local.filter(|_| at > first).map(|local| Slot { local, at }));
        }
        slots
    }
}

/// A zone and a moment near which its clock changes, or does not.
fn moments() -> impl Strategy<Value = (&'static str, Timestamp)> {
    let moment = |text: &str| text.parse::<Timestamp>().unwrap();
    let near = prop_oneof![
        Just(("Europe/London", moment("2026-03-29T01:00:00Z"))),
        Just(("Europe/London", moment("2026-10-25T01:00:00Z"))),
        Just(("America/New_York", moment("2026-03-08T07:00:00Z"))),
        Just(("America/New_York", moment("2026-11-01T06:00:00Z"))),
        Just(("Australia/Lord_Howe", moment("2026-10-03T15:30:00Z"))),
        Just(("Australia/Lord_Howe", moment("2026-04-04T15:00:00Z"))),
        Just(("America/Santiago", moment("2026-09-06T04:00:00Z"))),
        // Round midnight.
        Just(("America/Sao_Paulo", moment("2018-02-18T02:00:00Z"))),
        Just(("America/Sao_Paulo", moment("2018-11-04T03:00:00Z"))),
        Just(("Asia/Kolkata", moment("2026-12-31T18:30:00Z"))),
        Just((APIA, moment("2011-12-30T10:00:00Z"))),
        Just(("Pacific/Kwajalein", moment("1993-08-21T12:00:00Z"))),
        Just(("Antarctica/Casey", moment("2010-03-04T15:00:00Z"))),
    ];
    // From a day before, in whole seconds, so that starts fall into gaps and folds too.
    (near, -86_400_i64..43_200).prop_map(|((zone, moment), seconds)| (zone, moment + seconds.seconds()))
}

fn fields() -> impl Strategy<Value = Fields> {
    let all = |first: i8, last: i8| (first..=last).collect::<Vec<i8>>();
    let minutes = prop_oneof![
        3 => subsequence(all(0, 59), 1..4),
        1 => Just(all(0, 59)),
        1 => Just(vec![0]),
        1 => Just(vec![0, 30]),
    ];
    let hours = prop_oneof![
        2 => subsequence(all(0, 23), 1..5),
        3 => subsequence(all(0, 4), 1..4),
        1 => Just(all(0, 23)),
        1 => Just(vec![0, 23]),
    ];
    let month_days = proptest::option::weighted(0.3, subsequence(all(1, 31), 1..12));
    let weekdays = proptest::option::weighted(0.5, subsequence(all(0, 6), 1..6));
    let skip = proptest::option::weighted(
        0.2,
        prop_oneof![Just(date(2011, 12, 31)), Just(date(2026, 3, 29)), Just(date(2026, 10, 4))],
    );
    (minutes, hours, month_days, weekdays, skip).prop_map(|(minutes, hours, month_days, weekdays, skip)| Fields {
        minutes,
        hours,
        month_days,
        weekdays,
        skip,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_slot_is_skipped_repeated_or_made_up((zone, first) in moments(), fields in fields()) {
        let plan = fields.spec(zone).compile().unwrap();
        // The oracle reads whole minutes.
        let walked_from = Timestamp::from_second(first.as_second().div_euclid(60) * 60).unwrap();
        let last = walked_from + 60.hours();
        let expect: Vec<Slot> =
            fields.slots(plan.zone(), walked_from, last).into_iter().filter(|slot| slot.at > first).collect();
        let found: Vec<Slot> = std::iter::successors(plan.next_after(first), |slot| plan.next_after(slot.at))
            .take_while(|slot| slot.at <= last)
            .take(expect.len() + 1)
            .collect();
        prop_assert_eq!(&found, &expect);
    }

    #[test]
    fn a_slot_does_not_depend_on_when_it_is_asked_for((zone, first) in moments(), fields in fields(), wait in 0.0..1.0) {
        let plan = fields.spec(zone).compile().unwrap();
        let slot = plan.next_after(first).unwrap();
        prop_assert!(slot.at > first);
        let later = first + (slot.at.duration_since(first) - SignedDuration::from_nanos(1)).mul_f64(wait);
        prop_assert_eq!(plan.next_after(later), Some(slot));
    }

    #[test]
    fn a_reveal_always_comes_after_its_question(
        (zone, first) in moments(),
        fields in fields(),
        reveal in prop_oneof![
            "[1-9][0-9]?[smh]".boxed(),
            "(next day )?([01][0-9]|2[0-3]):[0-5][0-9]".boxed(),
        ],
        late in 0_i64..400_000,
    ) {
        let spec = ScheduleSpec { reveal, ..fields.spec(zone) };
        // A time of the same day before the question is refused, rightly.
        if let Ok(plan) = spec.compile() {
            let slot = plan.next_after(first).unwrap();
            let opened = slot.at + late.seconds();
            let reveal = plan.reveal_at(&slot, opened);
            prop_assert!(reveal > opened);
            prop_assert!(reveal <= opened + SignedDuration::from_hours(24 * 31));
        }
    }

    #[test]
    fn whatever_is_written_is_read_or_refused(
        cron in prop_oneof![any::<String>(), "[0-9*,/?@a-z -]{0,24}", "([0-9*/,-]{1,4} ){4,5}[0-9*a-z-]{1,5}"],
        zone in prop_oneof![3 => Just("UTC".to_owned()), 1 => any::<String>(), 1 => "[A-Za-z/_+0-9-]{0,20}"],
        reveal in prop_oneof![any::<String>(), "(next day )?[0-9]{0,30}[:dhms ]?[0-9]{0,3}[dhms]?", Just("8h".to_owned())],
        catch_up in prop_oneof![any::<String>(), Just("6h".to_owned())],
        day in prop_oneof![any::<String>(), "[a-z0-9, -]{0,8}", Just("mon-sun".to_owned())],
        skip in prop_oneof![any::<String>(), "[0-9.-]{0,24}", Just("2026-12-25".to_owned())],
    ) {
        let _ = from_time(&reveal, std::slice::from_ref(&day));
        let spec = ScheduleSpec { cron, zone, reveal, catch_up, days: vec![day], skip: vec![skip], ..ScheduleSpec::default() };
        match spec.compile() {
            Ok(plan) => {
                prop_assert!(!plan.in_words().is_empty() && !plan.reveal_in_words().is_empty());
                plan.next_after(Timestamp::UNIX_EPOCH);
                plan.next_after(Timestamp::MAX);
                plan.next_after(Timestamp::MIN);
            }
            Err(problems) => prop_assert!(!problems.is_empty() && problems.iter().all(|p| !p.message.is_empty())),
        }
    }
}
