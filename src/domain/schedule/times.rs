//! Delays and times of day, as organisers write them.

use jiff::SignedDuration;
use jiff::civil::Time;

use super::words::{and, quote};

/// Nothing waits longer than this: who writes more has mixed up the units.
const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);

const UNITS: [(&str, i64, &[&str]); 4] = [
    ("day", 86_400, &["d", "day", "days"]),
    ("hour", 3_600, &["h", "hr", "hrs", "hour", "hours"]),
    ("minute", 60, &["m", "min", "mins", "minute", "minutes"]),
    ("second", 1, &["s", "sec", "secs", "second", "seconds"]),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reveal {
    /// More than zero. A day is 24 hours here, whatever the clock does.
    After(SignedDuration),
    SameDay(Time),
    NextDay(Time),
}

impl Reveal {
    /// A time of the same day has to come after the last question of a day.
    pub fn check_after(self, latest_question: Time) -> Result<(), String> {
        match self {
            Reveal::SameDay(time) if time <= latest_question => Err(format!(
                "a question that comes at {} cannot be revealed at {1} the same day: write \"next day {1}\" for the \
                 day after, or a delay such as \"8h\"",
                clock(latest_question),
                clock(time)
            )),
            _ => Ok(()),
        }
    }

    pub fn in_words(self) -> String {
        match self {
            Reveal::After(delay) => format!("{} later", delay_in_words(delay)),
            Reveal::SameDay(time) => format!("at {}", clock(time)),
            Reveal::NextDay(time) => format!("the next day at {}", clock(time)),
        }
    }
}

pub(super) fn parse_reveal(text: &str) -> Result<Reveal, String> {
    let lower = text.trim().to_lowercase();
    let time_of = |text: &str| parse_time(text.trim().strip_prefix("at ").unwrap_or(text));
    if let Some(rest) = lower.strip_prefix("next day") {
        if rest.is_empty() {
            return Err("at what time the next day? Write \"next day 09:00\"".to_owned());
        }
        return time_of(rest).map(Reveal::NextDay);
    }
    if lower.contains(':') {
        return time_of(&lower).map(Reveal::SameDay);
    }
    let delay = parse_delay(&lower)
        .map_err(|message| format!("{message}. It can also be a time such as \"17:00\", or \"next day 09:00\""))?;
    if delay.is_zero() {
        return Err("nobody could answer a question that is revealed at once: write a delay such as \"8h\"".to_owned());
    }
    Ok(Reveal::After(delay))
}

pub(super) fn parse_catch_up(text: &str) -> Result<SignedDuration, String> {
    parse_delay(text).map_err(|message| format!("{message}, or \"0m\" to skip every question that was missed"))
}

/// `8h`, `90 minutes`, `1d 2h`: zero to thirty days.
fn parse_delay(text: &str) -> Result<SignedDuration, String> {
    let text = text.trim();
    let unreadable = || {
        format!(
            "cannot read {} as a delay: write a number and a unit, such as \"90m\", \"8h\" or \"1d 2h\"",
            quote(text)
        )
    };
    if text.starts_with('-') {
        return Err(format!(
            "a delay cannot be negative, as in {}: write one such as \"90m\", \"8h\" or \"1d 2h\"",
            quote(text)
        ));
    }
    let mut seconds = 0_i64;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, behind) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        let behind = behind.trim_start();
        let (unit, behind) = behind.split_at(behind.find(|c: char| !c.is_alphabetic()).unwrap_or(behind.len()));
        if number.is_empty() {
            return Err(unreadable());
        }
        if unit.is_empty() {
            return Err(format!("{} lacks a unit: write one such as \"90m\", \"8h\" or \"1d 2h\"", quote(text)));
        }
        let unit = unit.to_lowercase();
        let (_, length, _) =
            UNITS.iter().find(|(_, _, names)| names.contains(&unit.as_str())).ok_or_else(unreadable)?;
        // Saturates far beyond what is allowed.
        seconds = seconds.saturating_add(number.parse().unwrap_or(i64::MAX).saturating_mul(*length));
        rest = behind.trim_start();
    }
    let delay = SignedDuration::from_secs(seconds);
    if text.is_empty() {
        Err(unreadable())
    } else if delay > LONGEST {
        Err(format!("{} is longer than 30 days: write a shorter one such as \"8h\" or \"2d\"", quote(text)))
    } else {
        Ok(delay)
    }
}

/// `9:00`, `17:30`
pub(super) fn parse_time(text: &str) -> Result<Time, String> {
    let text = text.trim();
    let digits =
        |text: &str| if text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None };
    text.split_once(':')
        .filter(|(_, minute)| minute.len() == 2)
        .and_then(|(hour, minute)| Time::new(digits(hour)?, digits(minute)?, 0, 0).ok())
        .ok_or_else(|| {
            format!(
                "cannot read {} as a time of day: write one from 00:00 to 23:59, such as \"09:00\" or \"17:30\"",
                quote(text)
            )
        })
}

/// `09:00`, with seconds only where they are not 0.
pub(super) fn clock(time: Time) -> String {
    time.strftime(if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" }).to_string()
}

fn delay_in_words(delay: SignedDuration) -> String {
    let mut rest = delay.as_secs();
    let mut parts = Vec::new();
    for (unit, length, _) in UNITS {
        match rest / length {
            0 => {}
            1 => parts.push(format!("1 {unit}")),
            many => parts.push(format!("{many} {unit}s")),
        }
        rest %= length;
    }
    and(&parts)
}
