//! A schedule in words.

use jiff::civil::Time;

use super::calendar::Calendar;
use super::cron::{self, Numbers};
use super::times::clock;

/// More times or dates than this read better as cron text.
const MOST: usize = 4;

/// In characters.
const MOST_QUOTED: usize = 60;

/// "at 09:00 from Monday to Friday"
pub(super) fn calendar(calendar: &Calendar) -> String {
    match times(calendar).zip(days(calendar)) {
        Some((times, days)) if days.is_empty() => times,
        Some((times, days)) => format!("{times} {days}"),
        None if calendar.days == Numbers::WEEK => format!("by cron {}", quote(&calendar.cron.text)),
        None => format!("by cron {}, only {}", quote(&calendar.cron.text), weekdays(calendar.days)),
    }
}

/// What somebody wrote, in quotes; of a text that was pasted in by mistake only the start.
pub(super) fn quote(text: &str) -> String {
    match text.char_indices().nth(MOST_QUOTED) {
        Some((end, _)) => format!("\"{}…\"", &text[..end]),
        None => format!("\"{text}\""),
    }
}

/// "a", "a and b", "a, b and c"
pub(super) fn and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}

fn times(calendar: &Calendar) -> Option<String> {
    let cron = &calendar.cron;
    let at = |hour: u32, minute: u32| clock(Time::constant(hour as i8, minute as i8, cron.seconds.last() as i8, 0));
    let whole_minutes = cron.seconds == Numbers::between(0, 0);
    let all_hours = cron.hours == Numbers::between(0, 23);
    if whole_minutes && all_hours && cron.minutes.len() == 1 {
        return Some(match cron.minutes.last() {
            0 => "every hour".to_owned(),
            1 => "1 minute past every hour".to_owned(),
            minutes => format!("{minutes} minutes past every hour"),
        });
    }
    if whole_minutes
        && all_hours
        && let Some(step) = step(cron.minutes)
    {
        return Some(every(step, "minute"));
    }
    if all_hours
        && cron.minutes == Numbers::between(0, 59)
        && let Some(step) = step(cron.seconds)
    {
        return Some(every(step, "second"));
    }
    if cron.seconds.len() > 1 {
        return None;
    }
    if cron.hours.len() * cron.minutes.len() <= MOST {
        let times: Vec<String> =
            cron.hours.iter().flat_map(|hour| cron.minutes.iter().map(move |minute| at(hour, minute))).collect();
        return Some(format!("at {}", and(&times)));
    }
    let (first, last) = (cron.hours.iter().next()?, cron.hours.last());
    (cron.minutes.len() == 1 && cron.hours == Numbers::between(first, last)).then(|| {
        let minute = cron.minutes.last();
        format!("every hour from {} to {}", at(first, minute), at(last, minute))
    })
}

fn days(calendar: &Calendar) -> Option<String> {
    let cron = &calendar.cron;
    let days = match (cron.every_month_day(), cron.weekdays.and(calendar.days)) {
        (true, all) if all == Numbers::WEEK && times(calendar)?.starts_with("at ") => "every day".to_owned(),
        (true, all) if all == Numbers::WEEK => String::new(),
        (true, some) if !cron.either_day => weekdays(some),
        (false, all) if all == Numbers::WEEK && !cron.either_day && cron.month_days.len() <= MOST => {
            let days: Vec<String> = cron.month_days.iter().map(ordinal).collect();
            format!("on the {} of the month", and(&days))
        }
        _ => return None,
    };
    if cron.every_month() {
        return Some(days);
    }
    let months: Vec<String> = cron.months.iter().map(cron::month_name).collect();
    Some(format!("{days} in {}", and(&months)).trim_start().to_owned())
}

/// "on Monday", "on Monday and Friday", "from Monday to Friday", "every day"
fn weekdays(days: Numbers) -> String {
    match cron::week_runs(days).as_slice() {
        _ if days == Numbers::WEEK => "every day".to_owned(),
        [(first, last)] if days.len() > 2 => {
            format!("from {} to {}", cron::weekday_name(*first), cron::weekday_name(*last))
        }
        _ => {
            let names: Vec<String> = (1..=7).filter(|day| days.has(day % 7)).map(cron::weekday_name).collect();
            format!("on {}", and(&names))
        }
    }
}

/// 15 for 0, 15, 30, 45: what divides an hour, or a minute, evenly.
fn step(numbers: Numbers) -> Option<u32> {
    let step = 60 / numbers.len().max(1) as u32;
    let stepped = (0..60).step_by(step as usize).fold(Numbers::NONE, Numbers::with);
    (numbers.len() > 1 && stepped == numbers).then_some(step)
}

fn every(step: u32, unit: &str) -> String {
    if step == 1 { format!("every {unit}") } else { format!("every {step} {unit}s") }
}

/// 1st, 22nd, 13th
fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
