//! The local times a schedule names, on a wall clock that never jumps.

use chrono::{DateTime as ChronoTime, Datelike, NaiveDate, Timelike, Utc};
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, date};

use super::HORIZON_YEARS;
use super::cron::{Cron, Numbers};
use super::words::quote;

/// Both ends belong to it.
type Dates = (Date, Date);

#[derive(Debug)]
pub(super) struct Calendar {
    pub cron: Cron,
    /// Weekdays it may run on.
    pub days: Numbers,
    /// A time that matches one of these is named.
    rules: Vec<::cron::Schedule>,
    /// In order, without overlaps.
    skip: Vec<Dates>,
}

impl Calendar {
    /// Refuses a schedule that never comes, with the field to blame.
    pub fn new(cron: Cron, days: Numbers, skip: Vec<Dates>) -> Result<Calendar, (&'static str, String)> {
        if rules(&cron, Numbers::WEEK).is_empty() {
            let message = format!(
                "{} never comes, as none of its months has such a day: write for example \"0 9 28 2 *\"",
                quote(&cron.text)
            );
            return Err(("cron", message));
        }
        let rules = rules(&cron, days);
        if rules.is_empty() {
            let message = format!(
                "these days leave out every day that {} comes on: name one of its days too, or leave the days out for every day",
                quote(&cron.text)
            );
            return Err(("days", message));
        }
        let calendar = Calendar { cron, days, rules, skip };
        for (first, last) in &calendar.skip {
            let from = just_before(first.at(0, 0, 0, 0));
            let until = from.saturating_add(HORIZON_YEARS.years());
            // A rare schedule, 29 February on a Monday, is not the fault of what is skipped.
            let comes = calendar.next_unskipped(from).is_some_and(|local| local <= until);
            if comes && calendar.next(from).is_none_or(|local| local > until) {
                let message = format!(
                    "\"{first}..{last}\" leaves no question for {HORIZON_YEARS} years: skip fewer dates, or turn the \
                     schedule off"
                );
                return Err(("skip", message));
            }
        }
        Ok(calendar)
    }

    /// The first local time later than `after`, in whole seconds.
    pub fn next(&self, mut after: DateTime) -> Option<DateTime> {
        loop {
            let local = self.next_unskipped(after)?;
            let at = self.skip.partition_point(|(_, last)| *last < local.date());
            match self.skip.get(at) {
                Some((first, last)) if *first <= local.date() => after = last.at(23, 59, 59, 0),
                _ => return Some(local),
            }
        }
    }

    fn next_unskipped(&self, after: DateTime) -> Option<DateTime> {
        let after = to_chrono(after)?;
        let next = self.rules.iter().filter_map(|rule| rule.after(&after).next()).min()?;
        from_chrono(next)
    }
}

/// Only those that come at all. The crate knows the years 1970 to 2100; from 2000 on, 29 February meets every weekday
/// by 2024.
fn rules(cron: &Cron, days: Numbers) -> Vec<::cron::Schedule> {
    let start = to_chrono(date(2000, 1, 1).at(0, 0, 0, 0));
    cron.expressions(days)
        .into_iter()
        .map(|text| text.parse().expect("lists of numbers and names within each field's range"))
        .filter(|rule: &::cron::Schedule| start.is_some_and(|start| rule.after(&start).next().is_some()))
        .collect()
}

/// The whole second before `local`, so that what comes "after" it includes `local`.
pub(super) fn just_before(local: DateTime) -> DateTime {
    local.saturating_sub(1.second())
}

/// The wall clock as if it were UTC, where nothing ever jumps. Drops fractions of a second.
fn to_chrono(local: DateTime) -> Option<ChronoTime<Utc>> {
    let date = NaiveDate::from_ymd_opt(local.year().into(), local.month() as u32, local.day() as u32)?;
    Some(date.and_hms_opt(local.hour() as u32, local.minute() as u32, local.second() as u32)?.and_utc())
}

fn from_chrono(time: ChronoTime<Utc>) -> Option<DateTime> {
    let year = i16::try_from(time.year()).ok()?;
    DateTime::new(
        year,
        time.month() as i8,
        time.day() as i8,
        time.hour() as i8,
        time.minute() as i8,
        time.second() as i8,
        0,
    )
    .ok()
}

/// Dates and ranges of dates, put in order and joined. One message a wrong one.
pub(super) fn parse_skip(texts: &[String]) -> Result<Vec<Dates>, Vec<String>> {
    let mut problems = Vec::new();
    let mut ranges = Vec::new();
    for text in texts {
        match parse_dates(text) {
            Ok(dates) => ranges.push(dates),
            Err(message) => problems.push(message),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    ranges.sort();
    let mut joined: Vec<Dates> = Vec::new();
    for (first, last) in ranges {
        match joined.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1.day()) => *end = last.max(*end),
            _ => joined.push((first, last)),
        }
    }
    Ok(joined)
}

fn parse_dates(text: &str) -> Result<Dates, String> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let (first, last) = (parse_date(first)?, parse_date(last)?);
    if first <= last {
        Ok((first, last))
    } else {
        Err(format!("{} goes backwards: write \"{last}..{first}\"", quote(text.trim())))
    }
}

fn parse_date(text: &str) -> Result<Date, String> {
    let text = text.trim();
    let shaped = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    Date::strptime("%Y-%m-%d", text).ok().filter(|_| shaped).ok_or_else(|| {
        format!(
            "there is no date {}: write one such as \"2026-12-25\", or a range \"2026-12-24..2027-01-02\"",
            quote(text)
        )
    })
}
