//! Channels and their schedules: `[[channels]]`, completed from `[daily]`.

use toml::Spanned;
use toml::de::DeValue;

use super::file::{Source, read_section, text_of};
use super::settings::{Given, Plain, Values, nearest};
use super::{Channel, Problem};
use crate::domain::ids::ChannelId;
use crate::domain::schedule::{AnswerMode, ScheduleSpec};

/// A channel of the file, its schedules not yet completed from `[daily]`.
pub(super) struct RawChannel {
    pub id: ChannelId,
    name: String,
    about: String,
    pub place: String,
    schedules: Vec<(String, Values)>,
}

pub(super) fn read_channels(
    source: &Source<'_>,
    value: &Spanned<DeValue<'_>>,
    channels: &mut Vec<RawChannel>,
    problems: &mut Vec<Problem>,
) {
    let DeValue::Array(items) = value.get_ref() else {
        problems.push(Problem {
            place: source.place(value.span().start),
            message: "write [[channels]], with two brackets".into(),
        });
        return;
    };
    for item in items {
        let place = source.place(item.span().start);
        let DeValue::Table(table) = item.get_ref() else {
            problems.push(Problem { place, message: "write [[channels]], with two brackets".into() });
            continue;
        };
        let (mut platform, mut given, mut name, mut about) =
            (String::new(), String::new(), String::new(), String::new());
        let mut schedules = Vec::new();
        for (key, value) in table {
            let at = source.place(key.span().start);
            let field: &str = key.get_ref();
            let slot = match field {
                "platform" => &mut platform,
                "id" => &mut given,
                "name" => &mut name,
                "about" => &mut about,
                "schedules" => {
                    read_schedules(source, value, &mut schedules, problems);
                    continue;
                }
                _ => {
                    let near = nearest(field, ["platform", "id", "name", "about", "schedules"].into_iter());
                    problems.push(Problem { place: at, message: format!("a channel has no {field}.{near}") });
                    continue;
                }
            };
            match text_of(value) {
                Ok(text) => *slot = text,
                Err(()) => problems.push(Problem { place: at, message: format!("{field} takes a text in quotes") }),
            }
        }
        let id = match identify(&platform, &given, &name) {
            Ok(id) => id,
            Err(message) => {
                problems.push(Problem { place: place.clone(), message });
                ChannelId::new(format!("{platform}:{given}{name}"))
            }
        };
        if channels.iter().any(|other| other.id == id) {
            let which = if name.is_empty() { &given } else { &name };
            problems.push(Problem { place: place.clone(), message: format!("the channel {which} stands here twice") });
        }
        channels.push(RawChannel { id, name, about, place, schedules });
    }
}

/// The id of a channel, or what it lacks.
fn identify(platform: &str, id: &str, name: &str) -> Result<ChannelId, String> {
    let is_plain = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    match platform {
        "web" if !id.is_empty() => Err("a channel of the web chat goes by its name: leave the id out".to_owned()),
        "web" if name.is_empty() || !is_plain(name) || name.len() > 80 => Err(format!(
            "a channel's name has small letters, digits and dashes, like \"daily-drill\"; this one is \"{name}\""
        )),
        "web" => Ok(ChannelId::new(format!("web:{name}"))),
        "discord" if !id.parse::<u64>().is_ok_and(|number| number > 0 && number.to_string() == id) => Err(format!(
            "a channel of Discord goes by its id, id = \"123456789012345678\"; this one is \"{id}\" (in Discord's developer mode, \
             \"Copy Channel ID\" gives it)"
        )),
        "discord" => Ok(ChannelId::new(format!("discord:{id}"))),
        "slack" if !is_of_slack(id) => Err(format!(
            "\"{id}\" is no channel of Slack: write the ids of the workspace and of the channel, T0123ABCD/C0123ABCD (the channel's link ends \
             with them)"
        )),
        "slack" => Ok(ChannelId::new(format!("slack:{id}"))),
        _ => Err(format!("platform is \"{platform}\"; this version knows \"web\", \"discord\" and \"slack\"")),
    }
}

fn read_schedules(
    source: &Source<'_>,
    value: &Spanned<DeValue<'_>>,
    schedules: &mut Vec<(String, Values)>,
    problems: &mut Vec<Problem>,
) {
    let DeValue::Array(items) = value.get_ref() else {
        let message = "write [[channels.schedules]], with two brackets".to_owned();
        problems.push(Problem { place: source.place(value.span().start), message });
        return;
    };
    for item in items {
        let place = source.place(item.span().start);
        let DeValue::Table(table) = item.get_ref() else {
            problems.push(Problem { place, message: "write [[channels.schedules]], with two brackets".to_owned() });
            continue;
        };
        let mut rest = table.clone();
        let name = match rest.remove("name").map(|name| text_of(&name)) {
            Some(Ok(name)) if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') => name,
            None if items.len() == 1 => "daily".to_owned(),
            _ => {
                let message = "a schedule needs a name of letters, digits and dashes: name = \"morning\"".to_owned();
                problems.push(Problem { place: place.clone(), message });
                continue;
            }
        };
        if schedules.iter().any(|(other, _)| *other == name) {
            problems.push(Problem { place, message: format!("the schedule {name} stands here twice") });
            continue;
        }
        let mut values = Values::new();
        read_section(source, "daily", &rest, &mut values, problems);
        schedules.push((name, values));
    }
}

impl RawChannel {
    pub fn with(self, schedules: Vec<(String, ScheduleSpec)>) -> Channel {
        Channel { id: self.id, name: self.name, about: self.about, place: self.place, schedules }
    }
}

pub(super) fn default_channel() -> RawChannel {
    RawChannel {
        id: ChannelId::new("web:daily-drill"),
        name: "daily-drill".into(),
        about: "A question every working day, and everybody's answers".into(),
        place: "[daily]".into(),
        schedules: Vec::new(),
    }
}

/// Completes a channel's schedules from `[daily]` and checks them.
pub(super) fn complete(mut raw: RawChannel, values: &Values, problems: &mut Vec<Problem>) -> Channel {
    let wanted = match std::mem::take(&mut raw.schedules) {
        own if own.is_empty() => vec![("daily".to_owned(), Values::new())],
        own => own,
    };
    let mut schedules = Vec::new();
    for (name, own) in wanted {
        let spec = spec_of(|key| own.get(&("daily", key)).or_else(|| values.get(&("daily", key))));
        if let Err(wrong) = spec.compile() {
            for problem in wrong {
                let given = own
                    .iter()
                    .chain(values.iter())
                    .find(|((section, key), _)| *section == "daily" && *key == problem.field)
                    .map(|(_, given)| given.place.as_str());
                let place = match given {
                    Some("default") | None => raw.place.clone(),
                    Some(place) => place.to_owned(),
                };
                let found = Problem { place, message: format!("{}: {}", problem.field, problem.message) };
                if !problems.contains(&found) {
                    problems.push(found);
                }
            }
        }
        schedules.push((name, spec));
    }
    raw.with(schedules)
}

fn spec_of<'a>(given: impl Fn(&'static str) -> Option<&'a Given>) -> ScheduleSpec {
    let text = |key: &'static str| match given(key).map(|given| &given.value) {
        Some(Plain::Text(text)) => text.clone(),
        _ => String::new(),
    };
    let list = |key: &'static str| match given(key).map(|given| &given.value) {
        Some(Plain::List(list)) => list.clone(),
        _ => Vec::new(),
    };
    ScheduleSpec {
        cron: text("cron"),
        zone: if given("zone").is_some() { text("zone") } else { machine_zone() },
        days: list("days"),
        skip: list("skip"),
        catch_up: text("catch_up"),
        reveal: text("reveal"),
        topics: list("topics"),
        levels: list("levels"),
        tracks: list("tracks"),
        answers: AnswerMode::parse(&text("answers")).unwrap_or_default(),
        ping: String::new(),
    }
}

/// The machine's own time zone, UTC when it has none with a name.
fn machine_zone() -> String {
    jiff::tz::TimeZone::system().iana_name().map_or_else(|| "UTC".to_owned(), str::to_owned)
}

/// A workspace and a channel, `T0123ABCD/C0123ABCD`.
fn is_of_slack(id: &str) -> bool {
    let is_id = |text: &str, begins: &[char]| {
        text.len() > 4 && text.starts_with(begins) && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    };
    id.split_once('/').is_some_and(|(team, channel)| is_id(team, &['T', 'E']) && is_id(channel, &['C', 'G']))
}
