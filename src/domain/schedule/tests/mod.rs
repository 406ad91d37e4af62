//! Plans, case by case.

mod cron;
mod problems;
mod properties;

use jiff::Timestamp;
use jiff::civil::date;

use super::*;

fn spec(cron: &str, zone: &str) -> ScheduleSpec {
    ScheduleSpec { cron: cron.to_owned(), zone: zone.to_owned(), ..ScheduleSpec::default() }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The first `count` slots later than `after`, each as its key and its instant.
fn slots(plan: &Plan, after: &str, count: usize) -> Vec<String> {
    let next = |slot: &Slot| plan.next_after(slot.at);
    std::iter::successors(plan.next_after(at(after)), next)
        .take(count)
        .map(|slot| format!("{} {}", slot.key(), slot.at))
        .collect()
}

#[test]
fn a_plan_can_be_shared_between_tasks() {
    fn check<T: Clone + Send + Sync + 'static>() {}
    check::<Plan>();
}

#[test]
fn the_default_asks_on_weekdays_at_nine() {
    let spec = ScheduleSpec::default();
    assert_eq!(toml::from_str::<ScheduleSpec>("").unwrap(), spec);
    let plan = spec.compile().unwrap();
    // From a Friday.
    assert_eq!(
        slots(&plan, "2026-11-20T08:00:00Z", 3),
        [
            "2026-11-20T09:00 2026-11-20T09:00:00Z",
            "2026-11-23T09:00 2026-11-23T09:00:00Z",
            "2026-11-24T09:00 2026-11-24T09:00:00Z"
        ]
    );
    assert_eq!(plan.in_words(), "at 09:00 from Monday to Friday (UTC)");
    assert_eq!(plan.reveal_in_words(), "8 hours later");
    assert_eq!(plan.zone().iana_name(), Some("UTC"));
}

#[test]
fn a_spec_is_read_from_toml_and_refuses_what_it_does_not_know() {
    let text = "cron = '0 9 * * *'\nzone = 'Europe/London'\nanswers = 'private'\nlevels = ['beginner']";
    let spec: ScheduleSpec = toml::from_str(text).unwrap();
    assert_eq!(spec.answers, AnswerMode::Private);
    assert_eq!(toml::from_str::<ScheduleSpec>(&toml::to_string(&spec).unwrap()).unwrap(), spec);
    assert!(toml::from_str::<ScheduleSpec>("chron = '0 9 * * *'").is_err());
    assert!(toml::from_str::<ScheduleSpec>("answers = 'loudly'").is_err());
}

#[test]
fn an_answer_mode_is_parsed_by_its_name() {
    for mode in AnswerMode::ALL {
        assert_eq!(AnswerMode::parse(&format!(" {} ", mode.as_str().to_uppercase())), Some(mode));
        assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
    }
    assert_eq!(AnswerMode::parse("loudly"), None);
}

#[test]
fn a_slot_is_later_than_the_moment_asked_about() {
    let plan = spec("0 9 * * *", "UTC").compile().unwrap();
    let next = |after: &str| plan.next_after(at(after)).unwrap().key();
    assert_eq!(next("2026-11-23T08:59:59.999999999Z"), "2026-11-23T09:00");
    assert_eq!(next("2026-11-23T09:00:00Z"), "2026-11-24T09:00");
    assert_eq!(next("2026-11-23T09:00:00.000000001Z"), "2026-11-24T09:00");
}

#[test]
fn a_key_shows_seconds_only_where_there_are_some() {
    let plan = spec("*/30 * * * * *", "Asia/Kolkata").compile().unwrap();
    assert_eq!(
        slots(&plan, "2026-11-23T03:29:00Z", 3),
        [
            "2026-11-23T08:59:30 2026-11-23T03:29:30Z",
            "2026-11-23T09:00 2026-11-23T03:30:00Z",
            "2026-11-23T09:00:30 2026-11-23T03:30:30Z"
        ]
    );
}

#[test]
fn either_day_is_enough_but_only_on_allowed_weekdays_and_not_on_skipped_dates() {
    let keys = |days: &[&str], skip: &[&str]| -> Vec<String> {
        let spec = ScheduleSpec { days: texts(days), skip: texts(skip), ..spec("0 9 13 * fri", "UTC") };
        let plan = spec.compile().unwrap();
        slots(&plan, "2026-11-01T00:00:00Z", 5).into_iter().map(|slot| slot[5..10].to_owned()).collect()
    };
    assert_eq!(keys(&[], &[]), ["11-06", "11-13", "11-20", "11-27", "12-04"]);
    // 13 December is a Sunday.
    assert_eq!(keys(&["sun", "mon"], &[]), ["12-13", "06-13", "09-13", "12-13", "02-13"]);
    assert_eq!(
        keys(&["fri", "sun"], &["2026-11-07..2026-11-20", "2026-12-04"]),
        ["11-06", "11-27", "12-11", "12-13", "12-18"]
    );
}

#[test]
fn skipped_dates_are_local_and_ranges_include_both_ends() {
    let spec = ScheduleSpec {
        skip: texts(&["2026-12-26..2027-01-01", " 2026-12-25 ", "2026-12-30 .. 2027-01-02"]),
        ..spec("30 0,23 * * *", "Pacific/Auckland")
    };
    assert_eq!(
        slots(&spec.compile().unwrap(), "2026-12-23T12:00:00Z", 3),
        [
            "2026-12-24T23:30 2026-12-24T10:30:00Z",
            "2027-01-03T00:30 2027-01-02T11:30:00Z",
            "2027-01-03T23:30 2027-01-03T10:30:00Z"
        ]
    );
}

#[test]
fn a_skipped_date_within_a_skipped_range_changes_nothing() {
    let skip = texts(&["2026-12-20..2027-01-05", "2026-12-25", "2026-12-27..2026-12-28"]);
    let plan = ScheduleSpec { skip, ..spec("0 9 * * *", "UTC") }.compile().unwrap();
    let next = |after: &str| plan.next_after(at(after)).unwrap().key();
    assert_eq!(next("2026-12-19T10:00:00Z"), "2027-01-06T09:00");
    assert_eq!(next("2026-12-26T10:00:00Z"), "2027-01-06T09:00");
}

#[test]
fn nothing_for_five_years_is_nothing() {
    let plan = spec("0 9 29 2 *", "UTC").compile().unwrap();
    assert_eq!(slots(&plan, "2026-01-01T00:00:00Z", 2).len(), 2, "2028 and 2032");
    // 29 February is a Monday in 2016 and 2044.
    let plan = ScheduleSpec { days: texts(&["mon"]), ..spec("0 9 29 2 *", "UTC") }.compile().unwrap();
    assert_eq!(slots(&plan, "2016-01-01T00:00:00Z", 2).len(), 1);
    assert_eq!(plan.next_after(at("2039-02-28T08:00:00Z")), None);
    assert!(plan.next_after(at("2039-03-01T10:00:00Z")).is_some());
    let skip = texts(&["2026-12-25"]);
    assert!(ScheduleSpec { days: texts(&["mon"]), skip, ..spec("0 9 29 2 *", "UTC") }.compile().is_ok());
    for edge in [Timestamp::MIN, Timestamp::MAX] {
        assert_eq!(plan.next_after(edge), None);
    }
}

#[test]
fn a_reveal_is_later_than_its_question() {
    #[track_caller]
    fn check(reveal: &str, slot: &str, opened: &str, expect: &str) {
        let spec = ScheduleSpec { reveal: reveal.to_owned(), ..spec("0 9 * * *", "Europe/London") };
        let plan = spec.compile().unwrap();
        let slot = Slot { local: slot.parse().unwrap(), at: at(opened) };
        assert_eq!(plan.reveal_at(&slot, at(opened)).to_string(), expect, "{reveal} {slot:?}");
    }
    let (slot, opened) = ("2026-11-23T09:00", "2026-11-23T09:00:02Z");
    check("8h", slot, opened, "2026-11-23T17:00:02Z");
    check("2m", slot, opened, "2026-11-23T09:02:02Z");
    check("1d 2h", slot, opened, "2026-11-24T11:00:02Z");
    check("17:00", slot, opened, "2026-11-23T17:00:00Z");
    check("at 17:00", slot, opened, "2026-11-23T17:00:00Z");
    check("next day 09:00", slot, opened, "2026-11-24T09:00:00Z");
    check("Next Day at 8:30", slot, opened, "2026-11-24T08:30:00Z");
    check("next day 17:00", slot, opened, "2026-11-24T17:00:00Z");
    // Posted late.
    check("17:00", slot, "2026-11-23T16:59:59Z", "2026-11-23T17:00:00Z");
    check("17:00", slot, "2026-11-23T17:00:00Z", "2026-11-24T17:00:00Z");
    check("17:00", slot, "2026-11-26T08:00:00Z", "2026-11-26T17:00:00Z");
    check("next day 09:00", slot, "2026-11-23T20:00:00Z", "2026-11-24T09:00:00Z");
    check("next day 09:00", slot, "2026-11-24T08:59:59Z", "2026-11-24T09:00:00Z");
    check("next day 09:00", slot, "2026-11-24T09:00:00Z", "2026-11-25T09:00:00Z");
    check("next day 09:00", slot, "2026-11-27T12:00:00Z", "2026-11-28T09:00:00Z");
    // Summer time ends on 25 October 2026 at 01:00Z: a time of day follows the clock, a delay does not.
    let (slot, opened) = ("2026-10-24T09:00", "2026-10-24T08:00:00Z");
    check("next day 09:00", slot, opened, "2026-10-25T09:00:00Z");
    check("1d", slot, opened, "2026-10-25T08:00:00Z");
    check("next day 01:30", slot, opened, "2026-10-25T00:30:00Z");
    // And starts on 29 March: 01:30 is 02:30 that day.
    check("next day 01:30", "2026-03-28T09:00", "2026-03-28T09:00:00Z", "2026-03-29T01:30:00Z");
}

#[test]
fn a_reveal_that_the_clock_moved_before_the_question_waits_for_the_next_day() {
    let spec = ScheduleSpec { reveal: "03:15".to_owned(), ..spec("30 2 * * *", "Europe/Berlin") };
    let plan = spec.compile().unwrap();
    // 29 March 2026: 02:30 becomes 03:30, behind 03:15.
    let slot = plan.next_after(at("2026-03-28T12:00:00Z")).unwrap();
    assert_eq!(slot.at, at("2026-03-29T01:30:00Z"));
    assert_eq!(plan.reveal_at(&slot, slot.at), at("2026-03-30T01:15:00Z"));
}

#[test]
fn a_missed_question_is_late_until_the_window_closes() {
    #[track_caller]
    fn check(catch_up: &str, now: &str, expect: bool) {
        let spec = ScheduleSpec { catch_up: catch_up.to_owned(), ..spec("0 9 * * *", "UTC") };
        let plan = spec.compile().unwrap();
        let slot = plan.next_after(at("2026-11-23T08:00:00Z")).unwrap();
        assert_eq!(plan.is_too_late(&slot, at(now)), expect, "{catch_up} {now}");
    }
    check("6h", "2026-11-23T08:00:00Z", false);
    check("6h", "2026-11-23T15:00:00Z", false);
    check("6h", "2026-11-23T15:00:00.001Z", true);
    check("1d", "2026-11-24T08:59:59Z", false);
    check("90m", "2026-11-23T10:31:00Z", true);
    // A bot that runs is a moment late too.
    check("0m", "2026-11-23T09:01:00Z", false);
    check("0m", "2026-11-23T09:01:01Z", true);
}

#[test]
fn a_reveal_is_said_in_words() {
    #[track_caller]
    fn check(reveal: &str, expect: &str) {
        let spec = ScheduleSpec { reveal: reveal.to_owned(), ..ScheduleSpec::default() };
        assert_eq!(spec.compile().unwrap().reveal_in_words(), expect, "{reveal}");
    }
    check("8h", "8 hours later");
    check(" 1 Hour ", "1 hour later");
    check("90 minutes", "1 hour and 30 minutes later");
    check("1d2h", "1 day and 2 hours later");
    check("1d 2h 3m 4s", "1 day, 2 hours, 3 minutes and 4 seconds later");
    check("720h", "30 days later");
    check("17:00", "at 17:00");
    check("next day 9:00", "the next day at 09:00");
}

#[test]
fn a_schedule_is_said_in_words() {
    #[track_caller]
    fn check(cron: &str, days: &[&str], expect: &str) {
        let spec = ScheduleSpec { days: texts(days), ..spec(cron, "Europe/London") };
        assert_eq!(spec.compile().unwrap().in_words(), format!("{expect} (Europe/London)"), "{cron} {days:?}");
    }
    check("0 9 * * mon-fri", &[], "at 09:00 from Monday to Friday");
    check("0 9 * * *", &["mon-fri"], "at 09:00 from Monday to Friday");
    check("0 9 * * mon-fri", &["fri-sun"], "at 09:00 on Friday");
    check("0 9 * * *", &[], "at 09:00 every day");
    check("0 9,17 * * sat,sun", &[], "at 09:00 and 17:00 on Saturday and Sunday");
    check("0,30 9,17 * * mon,wed,fri", &[], "at 09:00, 09:30, 17:00 and 17:30 on Monday, Wednesday and Friday");
    check("15 30 9 * * 4-7", &[], "at 09:30:15 from Thursday to Sunday");
    check("0 9-17 * * mon-fri", &[], "every hour from 09:00 to 17:00 from Monday to Friday");
    check("@hourly", &[], "every hour");
    check("20 * * * sat", &[], "20 minutes past every hour on Saturday");
    check("1 * * * *", &[], "1 minute past every hour");
    check("* * * * *", &[], "every minute");
    check("*/15 * * * *", &["mon"], "every 15 minutes on Monday");
    check("*/10 * * * * *", &[], "every 10 seconds");
    check("* * * * * *", &[], "every second");
    check("0 9 1,15,22,31 * *", &[], "at 09:00 on the 1st, 15th, 22nd and 31st of the month");
    check("0 9 11-13,20 * *", &[], "at 09:00 on the 11th, 12th, 13th and 20th of the month");
    check("15 20 * * * *", &[], "every hour from 00:20:15 to 23:20:15");
    check("0 9 * jun,jul mon", &[], "at 09:00 on Monday in June and July");
    check("*/30 * * jan *", &[], "every 30 minutes in January");
    // Too unusual.
    check("0 9 13 * fri", &[], "by cron \"0 9 13 * fri\"");
    check("0 9 1-31 * mon", &[], "by cron \"0 9 1-31 * mon\"");
    check("0 9 13 * mon-sun", &[], "by cron \"0 9 13 * mon-sun\"");
    check("10,20 0 * * * *", &[], "by cron \"10,20 0 * * * *\"");
    check("0 9 1 * *", &["mon-fri"], "by cron \"0 9 1 * *\", only from Monday to Friday");
    check("*/7 * * * *", &["sat"], "by cron \"*/7 * * * *\", only on Saturday");
    check("0 9 */2 * *", &[], "by cron \"0 9 */2 * *\"");
    check("0,1,2 9,10 * * *", &[], "by cron \"0,1,2 9,10 * * *\"");
    check("1,2 0 9 * * *", &[], "by cron \"1,2 0 9 * * *\"");
    check("0 9,11,13,15,17 * * *", &[], "by cron \"0 9,11,13,15,17 * * *\"");
}

#[test]
fn weeks_are_iso_weeks() {
    let key = |year, month, day| week_key(date(year, month, day));
    assert_eq!(key(2026, 11, 16), "2026-W47");
    assert_eq!(key(2026, 11, 22), "2026-W47");
    assert_eq!(key(2026, 11, 23), "2026-W48");
    assert_eq!(key(2027, 1, 3), "2026-W53");
    assert_eq!(key(2027, 1, 4), "2027-W01");
    assert_eq!(key(2024, 12, 30), "2025-W01");
    assert_eq!(month_key(date(2026, 11, 1)), "2026-11");
    assert_eq!(month_key(date(2027, 1, 31)), "2027-01");
}

#[test]
fn a_date_is_the_zone_s() {
    let plan = spec("0 9 * * *", "Pacific/Auckland").compile().unwrap();
    assert_eq!(plan.local_date(at("2026-11-23T10:59:59Z")), date(2026, 11, 23));
    assert_eq!(plan.local_date(at("2026-11-23T11:00:00Z")), date(2026, 11, 24));
}
