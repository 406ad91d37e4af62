//! Dates as Slack shows them to an English reader in UTC with a 24-hour clock.
//! Source: <https://docs.slack.dev/reference/block-kit/block-elements/date-element>.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use super::model::now_ms;

/// What may stand between braces in a format.
const TOKENS: [&str; 13] = [
    "day_divider_pretty",
    "date_num",
    "date_slash",
    "date_long",
    "date_long_full",
    "date_long_pretty",
    "date",
    "date_pretty",
    "date_short",
    "date_short_pretty",
    "time",
    "time_secs",
    "ago",
];

/// What is wrong with a format.
pub fn wrong(format: &str) -> Option<String> {
    let tokens: Vec<&str> = format.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect();
    match tokens.iter().find(|token| !TOKENS.contains(token)) {
        Some(token) => Some(format!("the date format has {{{token}}}, which Slack does not know")),
        None => tokens.is_empty().then(|| format!("the date format {format:?} shows no date")),
    }
}

/// A moment by a format; the fallback when that cannot be.
pub fn shown(at_s: i64, format: &str, fallback: &str) -> String {
    let at = Timestamp::from_second(at_s).ok().filter(|_| wrong(format).is_none());
    let Some(at) = at else { return fallback.to_owned() };
    let now = Timestamp::from_millisecond(now_ms()).expect("now is a time").to_zoned(TimeZone::UTC);
    by_format(&at.to_zoned(TimeZone::UTC), format, &now)
}

fn by_format(at: &Zoned, format: &str, now: &Zoned) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some((before, from)) = rest.split_once('{') {
        let (token, after) = from.split_once('}').unwrap_or((from, ""));
        out += before;
        out += &by_token(at, token, now);
        rest = after;
    }
    out + rest
}

fn by_token(at: &Zoned, token: &str, now: &Zoned) -> String {
    let near = near(at.date(), now.date()).map(str::to_owned);
    let by = |format: &str| at.strftime(format).to_string();
    let ordinal = match at.day() {
        11..=13 => "th",
        day if day % 10 == 1 => "st",
        day if day % 10 == 2 => "nd",
        day if day % 10 == 3 => "rd",
        _ => "th",
    };
    let (long, date) = (format!("%A, %B %-d{ordinal}, %Y"), "%B %-d");
    match token {
        "day_divider_pretty" if at.year() == now.year() => near.unwrap_or_else(|| by(&format!("%A, %B %-d{ordinal}"))),
        "day_divider_pretty" | "date_long_pretty" => near.unwrap_or_else(|| by(&long)),
        "date_num" => by("%Y-%m-%d"),
        "date_slash" => by("%d/%m/%Y"),
        "date_long" => by(&long),
        "date_long_full" => by("%B %-d, %Y"),
        "date" => by(date),
        "date_pretty" => near.unwrap_or_else(|| by(date)),
        "date_short" => by("%b %-d, %Y"),
        "date_short_pretty" => near.unwrap_or_else(|| by("%b %-d, %Y")),
        "time" => by("%H:%M"),
        "time_secs" => by("%H:%M:%S"),
        _ => ago(now.timestamp().as_second() - at.timestamp().as_second()),
    }
}

fn near(date: Date, today: Date) -> Option<&'static str> {
    match date {
        _ if date == today => Some("today"),
        _ if date == today.saturating_sub(1.day()) => Some("yesterday"),
        _ if date == today.saturating_add(1.day()) => Some("tomorrow"),
        _ => None,
    }
}

/// Described for what is past only.
fn ago(seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

#[test]
fn dates_are_shown_as_slack_describes() {
    let at = |text: &str| text.parse::<Timestamp>().expect("a time").to_zoned(TimeZone::UTC);
    let now = at("2026-11-23T12:00:00Z");
    let check = |time: &str, format: &str, shown: &str| assert_eq!(by_format(&at(time), format, &now), shown);
    check("2026-11-23T17:00:00Z", "{date_short_pretty}, {time}", "today, 17:00");
    check("2026-11-24T09:05:00Z", "{date_short_pretty}, {time}", "tomorrow, 09:05");
    check("2026-11-22T23:59:59Z", "on {date_pretty} at {time_secs}.", "on yesterday at 23:59:59.");
    check(
        "2013-12-23T00:00:00Z",
        "{date_long} | {date_short} | {date_num}",
        "Monday, December 23rd, 2013 | Dec 23, 2013 | 2013-12-23",
    );
    check("2020-08-09T00:00:00Z", "{date_long_full} | {date_slash} | {date}", "August 9, 2020 | 09/08/2020 | August 9");
    check(
        "2026-11-11T00:00:00Z",
        "{day_divider_pretty} | {date_long_pretty}",
        "Wednesday, November 11th | Wednesday, November 11th, 2026",
    );
    check("2026-11-23T11:57:00Z", "{ago}", "3 minutes ago");
    assert_eq!(shown(0, "{date_shrot}", "1970"), "1970");
    assert_eq!(shown(i64::MAX, "{date}", "later"), "later");
    assert!(wrong("{date_shrot}").is_some() && wrong("at noon").is_some() && wrong("{date} {time}").is_none());
}
