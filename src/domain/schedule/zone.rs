//! Time zones by name, and what was probably meant by a name that is none.

use jiff::tz::{self, TimeZone};

use super::words::quote;

/// Names that people use for a zone. Some are in the database, where they mean a fixed offset or a relic; none says which
/// city's rules apply, which is what a schedule over a year needs to know.
const ABBREVIATIONS: [(&str, &str); 33] = [
    ("EST", "America/New_York"),
    ("EDT", "America/New_York"),
    ("EST5EDT", "America/New_York"),
    ("CST", "America/Chicago"),
    ("CDT", "America/Chicago"),
    ("CST6CDT", "America/Chicago"),
    ("MST", "America/Denver"),
    ("MDT", "America/Denver"),
    ("MST7MDT", "America/Denver"),
    ("PST", "America/Los_Angeles"),
    ("PDT", "America/Los_Angeles"),
    ("PST8PDT", "America/Los_Angeles"),
    ("ET", "America/New_York"),
    ("CT", "America/Chicago"),
    ("MT", "America/Denver"),
    ("PT", "America/Los_Angeles"),
    ("HST", "Pacific/Honolulu"),
    ("BST", "Europe/London"),
    ("WET", "Europe/Lisbon"),
    ("WEST", "Europe/Lisbon"),
    ("CET", "Europe/Berlin"),
    ("CEST", "Europe/Berlin"),
    ("MET", "Europe/Berlin"),
    ("EET", "Europe/Athens"),
    ("EEST", "Europe/Athens"),
    ("MSK", "Europe/Moscow"),
    ("IST", "Asia/Kolkata"),
    ("SGT", "Asia/Singapore"),
    ("JST", "Asia/Tokyo"),
    ("KST", "Asia/Seoul"),
    ("AEST", "Australia/Sydney"),
    ("AEDT", "Australia/Sydney"),
    ("NZST", "Pacific/Auckland"),
];

/// Below this two names have little in common (`strsim::normalized_damerau_levenshtein`).
const NEAR: f64 = 0.6;

/// Looks in the system's database first, which gets new rules with the system's updates, then in the one built in. The only
/// place of the domain that may read a file, once a zone; a plan keeps what was found.
pub(super) fn find(name: &str) -> Result<TimeZone, String> {
    let name = name.trim();
    if let Some((_, city)) = ABBREVIATIONS.iter().find(|(short, _)| short.eq_ignore_ascii_case(name)) {
        return Err(format!(
            "{} does not say whose daylight saving time applies: write an Area/City, such as \"{city}\"",
            quote(name)
        ));
    }
    // The names are looked up without regard to case; `Etc/Unknown` and `Factory` are known and mean "nobody said".
    match TimeZone::get(name) {
        Ok(zone) if !zone.is_unknown() && !name.eq_ignore_ascii_case("factory") => Ok(zone),
        _ => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> String {
    if name.is_empty() {
        return "write an Area/City, such as \"Europe/London\", or \"UTC\"".to_owned();
    }
    let (near, offset, name) = (near(name), is_offset(name), quote(name));
    if offset {
        return format!(
            "{name} is an offset, which daylight saving time would change: write an Area/City, such as \
             \"Europe/Paris\" or \"Asia/Kolkata\""
        );
    }
    if near.is_empty() {
        format!("there is no time zone {name}: write an Area/City, such as \"Europe/London\", or \"UTC\"")
    } else {
        let near: Vec<String> = near.into_iter().map(|name| quote(&name)).collect();
        format!("there is no time zone {name}: did you mean {}?", near.join(" or "))
    }
}

/// `GMT+1`, `UTC-05:30`, `+2`
fn is_offset(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let rest = ["UTC", "GMT"].iter().find_map(|prefix| upper.strip_prefix(prefix)).unwrap_or(&upper).trim_start();
    rest.starts_with(['+', '-', '−']) && rest.chars().skip(1).all(|c| c.is_ascii_digit() || c == ':' || c == ' ')
}

/// Up to three names that look like `name`, as a whole or in their last part, the city; best first.
fn near(name: &str) -> Vec<String> {
    // Longer than any name of the database: a text that was pasted in is not worth comparing with hundreds.
    if name.len() > 64 {
        return Vec::new();
    }
    let name = name.to_lowercase();
    let mut scored: Vec<(f64, String)> = tz::db()
        .available()
        .map(|zone| {
            let zone = zone.as_str();
            let lower = zone.to_lowercase();
            let city = lower.rsplit('/').next().unwrap_or(&lower);
            let whole = strsim::normalized_damerau_levenshtein(&name, &lower);
            (whole.max(strsim::normalized_damerau_levenshtein(&name, city)), zone.to_owned())
        })
        .filter(|(score, zone)| *score >= NEAR && zone.contains('/') && !zone.starts_with("Etc/"))
        .collect();
    scored.sort_by(|(a, one), (b, other)| b.total_cmp(a).then_with(|| one.cmp(other)));
    let best = scored.first().map_or(0.0, |(score, _)| *score);
    scored.into_iter().take_while(|(score, _)| *score > best - 0.1).take(3).map(|(_, zone)| zone).collect()
}
