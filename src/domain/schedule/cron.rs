//! Cron expressions, read as the rest of the world reads them.
//!
//! The `cron` crate wants six fields, takes weekday 1 for Sunday and always wants both day fields to match. So the text
//! is read here, into the numbers that each field allows, and the crate is given those.

use jiff::civil::Time;

use super::words::quote;

/// The numbers that a field allows, 0 to 63.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers(u64);

impl Numbers {
    /// Every weekday, Sunday first: 0 to 6.
    pub const WEEK: Numbers = Numbers::between(0, 6);
    pub const NONE: Numbers = Numbers(0);

    pub const fn between(first: u32, last: u32) -> Numbers {
        Numbers((u64::MAX << first) & (u64::MAX >> (63 - last)))
    }

    pub fn with(self, number: u32) -> Numbers {
        Numbers(self.0 | 1 << number)
    }

    pub fn and(self, other: Numbers) -> Numbers {
        Numbers(self.0 & other.0)
    }

    pub fn or(self, other: Numbers) -> Numbers {
        Numbers(self.0 | other.0)
    }

    pub fn has(self, number: u32) -> bool {
        self.0 & 1 << number != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    pub fn iter(self) -> impl Iterator<Item = u32> {
        (0..64).filter(move |number| self.has(*number))
    }

    /// The highest; 0 of none.
    pub fn last(self) -> u32 {
        63_u32.saturating_sub(self.0.leading_zeros())
    }
}

/// An expression, each field as the numbers it allows.
#[derive(Clone, Debug)]
pub(super) struct Cron {
    /// As it was written.
    pub text: String,
    pub seconds: Numbers,
    pub minutes: Numbers,
    pub hours: Numbers,
    pub month_days: Numbers,
    pub months: Numbers,
    /// 0 is Sunday.
    pub weekdays: Numbers,
    /// A day matches when either of the two day fields does. So crontab(5) has it where neither starts with `*`.
    pub either_day: bool,
}

/// What one field is called, allows and may look like.
struct Field {
    /// With its article.
    one: &'static str,
    name: &'static str,
    first: u32,
    last: u32,
    names: &'static [&'static str],
    allowed: &'static str,
    example: &'static str,
}

const SECOND: Field =
    Field { one: "a second", name: "second", first: 0, last: 59, names: &[], allowed: "0 to 59", example: "0" };
const MINUTE: Field =
    Field { one: "a minute", name: "minute", first: 0, last: 59, names: &[], allowed: "0 to 59", example: "0,30" };
const HOUR: Field =
    Field { one: "an hour", name: "hour", first: 0, last: 23, names: &[], allowed: "0 to 23", example: "9-17" };
const MONTH_DAY: Field = Field {
    one: "a day of the month",
    name: "day of the month",
    first: 1,
    last: 31,
    names: &[],
    allowed: "1 to 31",
    example: "1,15",
};
const MONTH: Field = Field {
    one: "a month",
    name: "month",
    first: 1,
    last: 12,
    names: &[
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ],
    allowed: "1 to 12 or jan to dec",
    example: "jan-jun",
};
const WEEKDAY: Field = Field {
    one: "a weekday",
    name: "weekday",
    first: 0,
    last: 6,
    names: &["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"],
    allowed: "mon to sun, or 0 to 7 where 0 and 7 are Sunday",
    example: "mon-fri",
};

impl Cron {
    /// Five fields, six with seconds first, or `@hourly`, `@daily`, `@weekly`, `@monthly`. One message a wrong field.
    pub fn parse(text: &str) -> Result<Cron, Vec<String>> {
        let text = text.trim();
        let spelled = match text.to_ascii_lowercase().as_str() {
            "@hourly" => "0 * * * *",
            "@daily" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            other if other.starts_with('@') => {
                return Err(vec![format!(
                    "{} is not known: of this kind there are @hourly, @daily, @weekly and @monthly; for a time \
                     of day write \"0 9 * * mon-fri\"",
                    quote(text)
                )]);
            }
            _ => text,
        };
        // Lists are often written with spaces.
        let joined = spelled.split_whitespace().collect::<Vec<_>>().join(" ").replace(", ", ",").replace(" ,", ",");
        let fields: Vec<&str> = joined.split_terminator(' ').collect();
        let (seconds, [minutes, hours, month_days, months, weekdays]) = match fields.as_slice() {
            [a, b, c, d, e] => ("0", [*a, *b, *c, *d, *e]),
            [seconds, a, b, c, d, e] => (*seconds, [*a, *b, *c, *d, *e]),
            fields => return Err(vec![wrong_count(text, fields.len())]),
        };
        let mut problems = Vec::new();
        let mut read = |field: &Field, text: &str| {
            field.parse(text).unwrap_or_else(|message| {
                problems.push(message);
                Numbers::NONE
            })
        };
        let starred = |field: &str| field.starts_with(['*', '?']);
        let cron = Cron {
            text: text.to_owned(),
            seconds: read(&SECOND, seconds),
            minutes: read(&MINUTE, minutes),
            hours: read(&HOUR, hours),
            month_days: read(&MONTH_DAY, month_days),
            months: read(&MONTH, months),
            weekdays: read(&WEEKDAY, weekdays),
            either_day: !starred(month_days) && !starred(weekdays),
        };
        if problems.is_empty() { Ok(cron) } else { Err(problems) }
    }

    /// The last time of day it can come at.
    pub fn latest_time(&self) -> Time {
        // All three are at most 59, and in the range of their fields.
        Time::constant(self.hours.last() as i8, self.minutes.last() as i8, self.seconds.last() as i8, 0)
    }

    /// What the `cron` crate is to be asked, when only `days` are allowed: two expressions where either day field may
    /// match, none where no weekday is left. The crate wants both day fields to match, and weekdays by name.
    pub fn expressions(&self, days: Numbers) -> Vec<String> {
        let all_month = MONTH_DAY.all();
        let weekdays = self.weekdays.and(days);
        let pairs = if self.either_day {
            vec![(self.month_days, days), (all_month, weekdays)]
        } else {
            vec![(self.month_days, weekdays)]
        };
        pairs
            .into_iter()
            .filter(|(_, weekdays)| !weekdays.is_empty())
            .map(|(month_days, weekdays)| {
                format!(
                    "{} {} {} {} {} {}",
                    SECOND.text(self.seconds),
                    MINUTE.text(self.minutes),
                    HOUR.text(self.hours),
                    MONTH_DAY.text(month_days),
                    MONTH.text(self.months),
                    WEEKDAY.text(weekdays),
                )
            })
            .collect()
    }

    pub fn every_month_day(&self) -> bool {
        self.month_days == MONTH_DAY.all()
    }

    pub fn every_month(&self) -> bool {
        self.months == MONTH.all()
    }
}

impl Field {
    fn all(&self) -> Numbers {
        Numbers::between(self.first, self.last)
    }

    fn parse(&self, text: &str) -> Result<Numbers, String> {
        text.split(',').try_fold(Numbers::NONE, |numbers, item| Ok(numbers.or(self.parse_item(item)?)))
    }

    /// `*`, `7`, `mon`, `1-5`, `fri-mon`, each with or without a step, `*/2`.
    fn parse_item(&self, item: &str) -> Result<Numbers, String> {
        let (range, step) = match item.split_once('/') {
            None => (item, None),
            Some((range, step)) => (range, Some(self.parse_step(item, step)?)),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" || range == "?" => (self.first, self.last),
            Some((first, last)) => (self.parse_number(item, first)?, self.parse_number(item, last)?),
            None => {
                let number = self.parse_number(item, range)?;
                // `5/15` starts at 5 and goes on to the end.
                (number, if step.is_some() { self.last.max(number) } else { number })
            }
        };
        let last = match last {
            last if first <= last => last,
            // Over the end of the week, `fri-mon`; no other field goes round.
            last if self.is_week() => last + 7,
            last => {
                let turned = format!("{first}-{},{}-{last}", self.last, self.first);
                return Err(format!("{} in the {} goes backwards: write \"{turned}\"", quote(item), self.name));
            }
        };
        let numbers = (first..=last).step_by(step.unwrap_or(1));
        Ok(numbers.fold(Numbers::NONE, |all, number| all.with(if self.is_week() { number % 7 } else { number })))
    }

    fn parse_step(&self, item: &str, step: &str) -> Result<usize, String> {
        let most = self.last;
        number(step).filter(|step| (1..=most).contains(step)).map(|step| step as usize).ok_or_else(|| {
            format!("the step of {} in the {} can be 1 to {most}: write for example \"*/2\"", quote(item), self.name)
        })
    }

    fn parse_number(&self, item: &str, text: &str) -> Result<u32, String> {
        let last = if self.is_week() { 7 } else { self.last };
        number(text).filter(|number| (self.first..=last).contains(number)).or_else(|| self.parse_name(text)).ok_or_else(
            || {
                let Field { one, allowed, example, .. } = self;
                format!("cannot read {} as {one}: write {allowed}, for example \"{example}\"", quote(item))
            },
        )
    }

    /// A name in full or at least its first three letters.
    fn parse_name(&self, text: &str) -> Option<u32> {
        let text = text.to_ascii_lowercase();
        let index = self.names.iter().position(|name| text.len() >= 3 && name.starts_with(&text))?;
        Some(self.first + index as u32)
    }

    /// As the `cron` crate reads it.
    fn text(&self, numbers: Numbers) -> String {
        if numbers == self.all() {
            return "*".to_owned();
        }
        let item =
            |number: u32| if self.is_week() { self.names[number as usize][..3].to_owned() } else { number.to_string() };
        numbers.iter().map(item).collect::<Vec<_>>().join(",")
    }

    fn is_week(&self) -> bool {
        self.last == 6
    }
}

/// Weekdays by name or number, one, a range or several in a text; `weekdays` and `weekend` too. One message a wrong one.
pub(super) fn parse_days(days: &[String]) -> Result<Numbers, Vec<String>> {
    let mut all = Numbers::NONE;
    let mut problems = Vec::new();
    for text in days {
        // Phones make a long dash of a short one.
        let text = text.replace('–', "-").replace(" -", "-").replace("- ", "-").to_lowercase();
        for item in text.split([',', ' ']).filter(|item| !item.is_empty()) {
            let parsed = match item {
                "weekdays" => WEEKDAY.parse("mon-fri"),
                "weekend" | "weekends" => WEEKDAY.parse("sat,sun"),
                item => WEEKDAY.parse(item),
            };
            match parsed {
                Ok(numbers) => all = all.or(numbers),
                Err(message) => problems.push(message),
            }
        }
    }
    if !problems.is_empty() {
        Err(problems)
    } else if all.is_empty() {
        Err(vec!["no day is named: write for example \"mon-fri\", or leave the days out for every day".to_owned()])
    } else {
        Ok(all)
    }
}

/// `mon-fri`, `mon,wed`, `*`: the shortest cron text of some weekdays.
pub(super) fn days_text(days: Numbers) -> String {
    if days == Numbers::WEEK {
        return "*".to_owned();
    }
    let short = |day: u32| &WEEKDAY.names[day as usize][..3];
    let run = |(first, last): (u32, u32)| match (7 + last - first) % 7 {
        0 => short(first).to_owned(),
        1 => format!("{},{}", short(first), short(last)),
        _ => format!("{}-{}", short(first), short(last)),
    };
    week_runs(days).into_iter().map(run).collect::<Vec<_>>().join(",")
}

/// The days as runs without a hole, in weeks that start on Monday.
pub(super) fn week_runs(days: Numbers) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for day in (1..=7).filter(|day| days.has(day % 7)) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == day => *last = day,
            _ => runs.push((day, day)),
        }
    }
    runs.into_iter().map(|(first, last)| (first % 7, last % 7)).collect()
}

/// `Monday` for 1.
pub(super) fn weekday_name(day: u32) -> String {
    capital(WEEKDAY.names[day as usize % 7])
}

/// `January` for 1.
pub(super) fn month_name(month: u32) -> String {
    capital(MONTH.names[(month as usize + 11) % 12])
}

fn capital(name: &str) -> String {
    name[..1].to_uppercase() + &name[1..]
}

/// Digits and nothing else; `parse` alone would take a sign.
fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn wrong_count(text: &str, count: usize) -> String {
    let shape = "write five fields (minute, hour, day of the month, month, weekday), for example \"0 9 * * mon-fri\" for \
                 09:00 from Monday to Friday";
    let text = quote(text);
    match count {
        0 => format!("there is no cron text: {shape}"),
        7 => format!("{text} has seven fields, and years are not supported: {shape}"),
        1 => format!("{text} has only one field: {shape}"),
        count => format!("{text} has {count} fields: {shape}"),
    }
}
