//! What an organiser is told about a schedule that makes no sense.

use super::*;

/// Every problem as `field: message`.
fn problems(spec: &ScheduleSpec) -> Vec<String> {
    match spec.compile() {
        Ok(plan) => panic!("{plan:?} should not compile"),
        Err(problems) => problems.into_iter().map(|p| format!("{}: {}", p.field, p.message)).collect(),
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let spec = ScheduleSpec {
        cron: "61 9 * * nod".to_owned(),
        zone: "Europe/Londn".to_owned(),
        days: texts(&["someday"]),
        skip: texts(&["2026-02-30", "2026-12-25"]),
        catch_up: "soon".to_owned(),
        reveal: "9".to_owned(),
        ..ScheduleSpec::default()
    };
    insta::assert_snapshot!(problems(&spec).join("\n"), @r#"
    cron: cannot read "61" as a minute: write 0 to 59, for example "0,30"
    cron: cannot read "nod" as a weekday: write mon to sun, or 0 to 7 where 0 and 7 are Sunday, for example "mon-fri"
    zone: there is no time zone "Europe/Londn": did you mean "Europe/London"?
    days: cannot read "someday" as a weekday: write mon to sun, or 0 to 7 where 0 and 7 are Sunday, for example "mon-fri"
    skip: there is no date "2026-02-30": write one such as "2026-12-25", or a range "2026-12-24..2027-01-02"
    catch_up: cannot read "soon" as a delay: write a number and a unit, such as "90m", "8h" or "1d 2h", or "0m" to skip every question that was missed
    reveal: "9" lacks a unit: write one such as "90m", "8h" or "1d 2h". It can also be a time such as "17:00", or "next day 09:00"
    "#);
}

#[test]
fn a_wrong_field_says_what_to_write() {
    #[track_caller]
    fn check(change: impl Fn(&mut ScheduleSpec), expect: &str) {
        let mut spec = ScheduleSpec::default();
        change(&mut spec);
        assert_eq!(problems(&spec), [expect]);
    }
    check(
        |s| s.cron = "0 9 30 2 *".into(),
        "cron: \"0 9 30 2 *\" never comes, as none of its months has such a day: write for example \"0 9 28 2 *\"",
    );
    check(
        |s| s.cron = "0 9 31 4,6,9,11 *".into(),
        "cron: \"0 9 31 4,6,9,11 *\" never comes, as none of its months has such a day: write for example \"0 9 28 2 *\"",
    );
    check(
        |s| s.days = texts(&["weekend"]),
        "days: these days leave out every day that \"0 9 * * mon-fri\" comes on: name one of its days too, or leave the days out for every day",
    );
    check(
        |s| s.skip = texts(&["2026-01-01..2035-12-31"]),
        "skip: \"2026-01-01..2035-12-31\" leaves no question for 5 years: skip fewer dates, or turn the schedule off",
    );
    check(
        |s| s.skip = texts(&["2026-12-25..2026-12-24"]),
        "skip: \"2026-12-25..2026-12-24\" goes backwards: write \"2026-12-24..2026-12-25\"",
    );
    check(
        |s| s.skip = texts(&["25.12.2026"]),
        "skip: there is no date \"25.12.2026\": write one such as \"2026-12-25\", or a range \"2026-12-24..2027-01-02\"",
    );
    for date in ["2026-1-5", "26-01-05", "2026-12-2５", "2026-12-25T09:00"] {
        check(
            |s| s.skip = texts(&[date]),
            &format!(
                "skip: there is no date \"{date}\": write one such as \"2026-12-25\", or a range \"2026-12-24..2027-01-02\""
            ),
        );
    }
    check(
        |s| s.catch_up = "-1h".into(),
        "catch_up: a delay cannot be negative, as in \"-1h\": write one such as \"90m\", \"8h\" or \"1d 2h\", or \"0m\" to skip every question that was missed",
    );
    check(
        |s| s.catch_up = "31d".into(),
        "catch_up: \"31d\" is longer than 30 days: write a shorter one such as \"8h\" or \"2d\", or \"0m\" to skip every question that was missed",
    );
    check(
        |s| s.reveal = "0h 0m".into(),
        "reveal: nobody could answer a question that is revealed at once: write a delay such as \"8h\"",
    );
    check(
        |s| s.reveal = "721h".into(),
        "reveal: \"721h\" is longer than 30 days: write a shorter one such as \"8h\" or \"2d\". It can also be a time such as \"17:00\", or \"next day 09:00\"",
    );
    check(
        |s| s.reveal = "99999999999999999999d".into(),
        "reveal: \"99999999999999999999d\" is longer than 30 days: write a shorter one such as \"8h\" or \"2d\". It can also be a time such as \"17:00\", or \"next day 09:00\"",
    );
    check(
        |s| s.reveal = "-8h".into(),
        "reveal: a delay cannot be negative, as in \"-8h\": write one such as \"90m\", \"8h\" or \"1d 2h\". It can also be a time such as \"17:00\", or \"next day 09:00\"",
    );
    check(
        |s| s.reveal = "8".into(),
        "reveal: \"8\" lacks a unit: write one such as \"90m\", \"8h\" or \"1d 2h\". It can also be a time such as \"17:00\", or \"next day 09:00\"",
    );
    check(
        |s| s.reveal = "8x".into(),
        "reveal: cannot read \"8x\" as a delay: write a number and a unit, such as \"90m\", \"8h\" or \"1d 2h\". It can also be a time such as \"17:00\", or \"next day 09:00\"",
    );
    check(
        |s| s.reveal = "".into(),
        "reveal: cannot read \"\" as a delay: write a number and a unit, such as \"90m\", \"8h\" or \"1d 2h\". It can also be a time such as \"17:00\", or \"next day 09:00\"",
    );
    check(
        |s| s.reveal = "25:00".into(),
        "reveal: cannot read \"25:00\" as a time of day: write one from 00:00 to 23:59, such as \"09:00\" or \"17:30\"",
    );
    check(|s| s.reveal = "next day".into(), "reveal: at what time the next day? Write \"next day 09:00\"");
    check(
        |s| s.reveal = "next day 8h".into(),
        "reveal: cannot read \"8h\" as a time of day: write one from 00:00 to 23:59, such as \"09:00\" or \"17:30\"",
    );
    let same_day = |last: &str, reveal: &str| {
        format!(
            "reveal: a question that comes at {last} cannot be revealed at {reveal} the same day: write \"next day {reveal}\" for the day after, or a delay such as \"8h\""
        )
    };
    check(|s| s.reveal = "8:00".into(), &same_day("09:00", "08:00"));
    check(|s| s.reveal = "09:00".into(), &same_day("09:00", "09:00"));
    check(|s| (s.cron, s.reveal) = ("0,45 9,12-13 * * *".into(), "13:30".into()), &same_day("13:45", "13:30"));
    check(|s| (s.cron, s.reveal) = ("30 0 9 * * *".into(), "09:00".into()), &same_day("09:00:30", "09:00"));
}

#[test]
fn a_zone_that_is_none_gets_a_hint() {
    let message = |zone: &str| match zone::find(zone) {
        Ok(found) => format!("found {}", found.iana_name().unwrap_or("?")),
        Err(message) => message,
    };
    let cases = [
        "UTC",
        "europe/london",
        "Asia/Kolkata ",
        "Asia/Calcutta",
        "Etc/GMT+1",
        "Europe/Londn",
        "London",
        "New York",
        "america/newyork",
        "Sidney",
        "EST",
        "cet",
        "IST",
        "GMT+1",
        "UTC-05:30",
        "+2",
        "Mars/Olympus",
        "Etc/Unknown",
        "Factory",
        "../../etc/passwd",
        "",
    ];
    let told: Vec<String> = cases.iter().map(|zone| format!("{zone}: {}", message(zone))).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    UTC: found UTC
    europe/london: found Europe/London
    Asia/Kolkata : found Asia/Kolkata
    Asia/Calcutta: found Asia/Calcutta
    Etc/GMT+1: found Etc/GMT+1
    Europe/Londn: there is no time zone "Europe/Londn": did you mean "Europe/London"?
    London: there is no time zone "London": did you mean "Europe/London"?
    New York: there is no time zone "New York": did you mean "America/New_York"?
    america/newyork: there is no time zone "america/newyork": did you mean "America/New_York"?
    Sidney: there is no time zone "Sidney": did you mean "Australia/Sydney"?
    EST: "EST" does not say whose daylight saving time applies: write an Area/City, such as "America/New_York"
    cet: "cet" does not say whose daylight saving time applies: write an Area/City, such as "Europe/Berlin"
    IST: "IST" does not say whose daylight saving time applies: write an Area/City, such as "Asia/Kolkata"
    GMT+1: "GMT+1" is an offset, which daylight saving time would change: write an Area/City, such as "Europe/Paris" or "Asia/Kolkata"
    UTC-05:30: "UTC-05:30" is an offset, which daylight saving time would change: write an Area/City, such as "Europe/Paris" or "Asia/Kolkata"
    +2: "+2" is an offset, which daylight saving time would change: write an Area/City, such as "Europe/Paris" or "Asia/Kolkata"
    Mars/Olympus: there is no time zone "Mars/Olympus": write an Area/City, such as "Europe/London", or "UTC"
    Etc/Unknown: there is no time zone "Etc/Unknown": write an Area/City, such as "Europe/London", or "UTC"
    Factory: there is no time zone "Factory": write an Area/City, such as "Europe/London", or "UTC"
    ../../etc/passwd: there is no time zone "../../etc/passwd": write an Area/City, such as "Europe/London", or "UTC"
    : write an Area/City, such as "Europe/London", or "UTC"
    "#);
}

#[test]
fn what_was_pasted_in_by_mistake_is_not_repeated_in_full() {
    for pasted in ["ä".repeat(5_000), "9 ".repeat(5_000), "9,".repeat(5_000), "9h".repeat(5_000)] {
        let spec = ScheduleSpec {
            cron: pasted.clone(),
            zone: pasted.clone(),
            days: vec![pasted.replace(' ', "")],
            skip: vec![pasted.clone()],
            catch_up: pasted.clone(),
            reveal: pasted,
            ..ScheduleSpec::default()
        };
        for problem in problems(&spec) {
            assert!(problem.len() < 400, "{problem}");
        }
    }
}
