//! Settings: one table of what can be set, read from a TOML file and the environment. The only place that reads the environment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::ids::ChannelId;
use crate::domain::schedule::{AnswerMode, ScheduleSpec};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Text,
    /// From the environment or a file of its own, never from the configuration file.
    Secret,
    Bool,
    Number {
        min: i64,
        max: i64,
    },
    List,
    OneOf(&'static [&'static str]),
}

/// One setting. `DRILLBOT_<SECTION>_<KEY>` sets it from the environment; lists are comma-separated there.
struct Setting {
    section: &'static str,
    key: &'static str,
    kind: Kind,
    /// As TOML; empty = not set.
    default: &'static str,
    help: &'static str,
}

const fn setting(
    section: &'static str,
    key: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting { section, key, kind, default, help }
}

const SETTINGS: &[Setting] = &[
    setting("web", "enabled", Kind::Bool, "true", "The web chat and the health pages."),
    setting(
        "web",
        "listen",
        Kind::Text,
        "\"127.0.0.1:8080\"",
        "Address and port. On another address than loopback an access token is demanded.",
    ),
    setting(
        "web",
        "access_token",
        Kind::Secret,
        "",
        "What people enter to sign in when the chat is reachable from other machines; at least 16 characters.",
    ),
    setting(
        "web",
        "organisers",
        Kind::List,
        "[]",
        "Display names of organisers. Empty: the first person to sign in on loopback is the organiser.",
    ),
    setting(
        "database",
        "url",
        Kind::Secret,
        "\"sqlite:drillbot.db\"",
        "sqlite:FILE, or postgres://user:password@host/name when one machine is not enough. With a password: from the environment or url_file only.",
    ),
    setting("content", "embedded", Kind::Bool, "true", "Use the question banks inside the binary."),
    setting(
        "content",
        "paths",
        Kind::List,
        "[]",
        "Files, or folders with .toml files, of your own questions; one with a known id replaces the embedded one. Changes are picked up while running.",
    ),
    setting("log", "format", Kind::OneOf(&["human", "json"]), "\"human\"", "human or json."),
    setting(
        "log",
        "level",
        Kind::Text,
        "\"info\"",
        "error, warn, info, debug or trace; or a filter like drillbot=debug,info.",
    ),
    setting(
        "delivery",
        "lease_seconds",
        Kind::Number { min: 1, max: 3_600 },
        "30",
        "How long one attempt to post may take before another process may look after it.",
    ),
    setting(
        "daily",
        "cron",
        Kind::Text,
        "\"0 9 * * mon-fri\"",
        "When questions come: five cron fields, or six with seconds first.",
    ),
    setting("daily", "zone", Kind::Text, "", "IANA time zone, Europe/London. Not set: the machine's."),
    setting("daily", "days", Kind::List, "[]", "Weekdays on which questions may come; empty = all that cron names."),
    setting(
        "daily",
        "skip",
        Kind::List,
        "[]",
        "Dates without a question: \"2026-12-25\" or \"2026-12-24..2027-01-02\".",
    ),
    setting("daily", "catch_up", Kind::Text, "\"6h\"", "How late a missed question may still be posted."),
    setting(
        "daily",
        "reveal",
        Kind::Text,
        "\"8h\"",
        "A delay (8h), a time the same day (17:00) or \"next day 09:00\".",
    ),
    setting("daily", "topics", Kind::List, "[]", "Only these topics; empty = all."),
    setting("daily", "levels", Kind::List, "[]", "Only these levels: beginner, intermediate, advanced; empty = all."),
    setting("daily", "tracks", Kind::List, "[]", "Only these tracks: devops, devsecops, cloudops ..; empty = all."),
    setting(
        "daily",
        "answers",
        Kind::OneOf(&["thread", "private", "both"]),
        "\"both\"",
        "Where answers are given; private ones appear by name at the reveal.",
    ),
];

const SECTIONS: &[(&str, &str)] = &[
    ("web", "The web chat, which needs no account and no token."),
    ("database", "Where everything is kept."),
    ("content", "The question banks."),
    ("log", "What the operator reads."),
    ("delivery", "Posting."),
    ("daily", "The schedule of channels that have none of their own."),
];

/// A text that never shows itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[derive(Clone, Debug)]
pub struct Config {
    pub web: Web,
    pub database_url: Secret,
    /// True when nobody said where the database is.
    pub database_by_default: bool,
    pub content: Content,
    pub log: Log,
    pub lease: Duration,
    pub channels: Vec<Channel>,
}

#[derive(Clone, Debug)]
pub struct Web {
    pub enabled: bool,
    pub listen: std::net::SocketAddr,
    pub access_token: Option<Secret>,
    pub organisers: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Content {
    pub embedded: bool,
    pub paths: Vec<PathBuf>,
}

#[derive(Clone, Debug)]
pub struct Log {
    pub json: bool,
    pub level: String,
}

#[derive(Clone, Debug)]
pub struct Channel {
    pub id: ChannelId,
    pub name: String,
    pub about: String,
    /// Where it stands, for messages about it.
    pub place: String,
    pub schedules: Vec<(String, ScheduleSpec)>,
}

/// What is wrong with a setting, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `drillbot.toml:12`, `environment DRILLBOT_WEB_LISTEN` or just the file.
    pub place: String,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// A value with the place it came from.
#[derive(Clone, Debug)]
struct Given {
    value: Plain,
    place: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Plain {
    Text(String),
    Bool(bool),
    Number(i64),
    List(Vec<String>),
}

type Values = BTreeMap<(&'static str, &'static str), Given>;

/// Reads the configuration.
///
/// # Errors
/// Every problem at once.
pub fn load(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Config, Vec<Problem>> {
    let (config, problems) = read(file, environment);
    if problems.is_empty() { Ok(config) } else { Err(problems) }
}

/// Reads as much of the configuration as can be understood, and every problem: for commands that look further in spite of them.
pub fn read(file: Option<&Path>, environment: &BTreeMap<String, String>) -> (Config, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut values: Values = BTreeMap::new();
    let mut channels = Vec::new();
    for setting in SETTINGS.iter().filter(|setting| !setting.default.is_empty()) {
        let value = plain_default(setting.default);
        values.insert((setting.section, setting.key), Given { value, place: "default".to_owned() });
    }
    if let Some(path) = file {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => {
                read_file(&name, &text, &mut values, &mut channels, &mut problems);
                // Tables are read by name; people read from top to bottom.
                problems.sort_by_key(|problem| {
                    problem.place.rsplit_once(':').and_then(|(_, line)| line.parse::<usize>().ok())
                });
            }
            Err(error) => problems.push(Problem {
                place: name,
                message: format!("cannot be read ({error}); \"drillbot config example\" prints one to start from"),
            }),
        }
    }
    read_environment(environment, &mut values, &mut problems);
    let config = build(&values, channels, &mut problems);
    (config, problems)
}

/// The process's environment, as [`load`] wants it.
#[expect(clippy::disallowed_methods, reason = "this is the place that reads the environment")]
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars().filter(|(name, _)| name.starts_with("DRILLBOT_")).collect()
}

/// A commented file with every setting at its default.
pub fn example() -> String {
    let mut out = String::from(
        "# drillbot's settings. Every one may be left out; what stands here is the default.\n\
         # Each can also come from the environment, as DRILLBOT_<SECTION>_<KEY>: DRILLBOT_WEB_LISTEN, DRILLBOT_DAILY_ZONE ..\n\
         # Secrets come only from the environment or from a file of their own (.._file).\n",
    );
    for (section, about) in SECTIONS {
        out.push_str(&format!("\n# {about}\n[{section}]\n"));
        for setting in SETTINGS.iter().filter(|setting| setting.section == *section) {
            out.push_str(&format!("# {}\n", setting.help));
            let key = setting.key;
            match (setting.kind, setting.default) {
                (Kind::Secret, "") => {
                    out.push_str(&format!("# {key}_file = \"/run/secrets/drillbot_{section}_{key}\"\n"))
                }
                (_, "") => out.push_str(&format!("# {key} = \"..\"\n")),
                (_, default) => out.push_str(&format!("{key} = {default}\n")),
            }
        }
    }
    out.push_str(
        "\n# Channels. Without any, the web chat has one, #daily-drill, with the schedule of [daily].\n\
         # [[channels]]\n\
         # platform = \"web\"\n\
         # name = \"daily-drill\"\n\
         # about = \"A question every working day\"\n\
         #\n\
         # Several schedules a channel; each takes from [daily] what it leaves out.\n\
         # [[channels.schedules]]\n\
         # name = \"morning\"\n\
         # cron = \"0 9 * * mon-fri\"\n\
         # zone = \"Europe/London\"\n\
         # reveal = \"17:00\"\n\
         #\n\
         # [[channels.schedules]]\n\
         # name = \"weekend\"\n\
         # cron = \"0 11 * * sat\"\n\
         # reveal = \"next day 11:00\"\n\
         # levels = [\"advanced\"]\n",
    );
    out
}

fn plain_default(text: &str) -> Plain {
    match text {
        "true" => Plain::Bool(true),
        "false" => Plain::Bool(false),
        "[]" => Plain::List(Vec::new()),
        text => match text.parse() {
            Ok(number) => Plain::Number(number),
            Err(_) => Plain::Text(text.trim_matches('"').to_owned()),
        },
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

struct Source<'a> {
    name: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn place(&self, at: usize) -> String {
        format!("{}:{}", self.name, line_of(self.text, at))
    }
}

fn read_file(name: &str, text: &str, values: &mut Values, channels: &mut Vec<RawChannel>, problems: &mut Vec<Problem>) {
    let source = Source { name, text };
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        problems.push(Problem { place: source.place(at), message: format!("this is no TOML: {}", error.message()) });
    }
    for (key, value) in root.get_ref() {
        let section: &str = key.get_ref();
        if section == "channels" {
            read_channels(&source, value, channels, problems);
            continue;
        }
        if !SECTIONS.iter().any(|(known, _)| *known == section) {
            let known = SECTIONS.iter().map(|(known, _)| *known).chain(["channels"]);
            let message = format!("there is no section [{section}].{}", nearest(section, known));
            problems.push(Problem { place: source.place(key.span().start), message });
            continue;
        }
        let DeValue::Table(table) = value.get_ref() else {
            let message = format!("{section} is a section: write [{section}] on a line of its own");
            problems.push(Problem { place: source.place(key.span().start), message });
            continue;
        };
        read_section(&source, section, table, values, problems);
    }
}

fn read_section(
    source: &Source<'_>,
    section: &str,
    table: &DeTable<'_>,
    values: &mut Values,
    problems: &mut Vec<Problem>,
) {
    for (key, value) in table {
        let place = source.place(key.span().start);
        let name: &str = key.get_ref();
        let found = SETTINGS.iter().find(|setting| {
            setting.section == section
                && (setting.key == name
                    || (setting.kind == Kind::Secret && name.strip_suffix("_file") == Some(setting.key)))
        });
        let Some(setting) = found else {
            let known = SETTINGS.iter().filter(|setting| setting.section == section).map(|setting| setting.key);
            let message = format!("[{section}] has no setting {name}.{}", nearest(name, known));
            problems.push(Problem { place, message });
            continue;
        };
        let from_file = setting.key != name;
        let given = if from_file {
            text_of(value)
                .map_err(|()| format!("{name} takes the name of a file in quotes"))
                .and_then(|path| read_secret(&path))
        } else {
            typed(setting, value).and_then(|value| {
                let secret = match (&value, setting.key) {
                    (Plain::Text(url), "url") => has_password(url),
                    _ => setting.kind == Kind::Secret,
                };
                if secret { Err(format!("a secret has no place here: put it into the environment as {}, or into a file of its own and name that with {}_file", variable(setting), setting.key)) } else { Ok(value) }
            })
        };
        match given {
            Ok(value) => {
                values.insert((setting.section, setting.key), Given { value, place });
            }
            Err(message) => problems.push(Problem { place, message }),
        }
    }
}

fn has_password(url: &str) -> bool {
    url.split_once("://").and_then(|(_, rest)| rest.split_once('@')).is_some_and(|(user, _)| user.contains(':'))
        || url.contains("password=")
}

fn read_secret(path: &str) -> Result<Plain, String> {
    match std::fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => Err(format!("the file {path} is empty")),
        Ok(text) => Ok(Plain::Text(text.trim().to_owned())),
        Err(error) => Err(format!("cannot read the file {path} ({error})")),
    }
}

fn text_of(value: &Spanned<DeValue<'_>>) -> Result<String, ()> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        _ => Err(()),
    }
}

/// The value of a setting in a TOML file, or what it takes.
fn typed(setting: &Setting, value: &Spanned<DeValue<'_>>) -> Result<Plain, String> {
    let key = setting.key;
    match (setting.kind, value.get_ref()) {
        (Kind::Text | Kind::Secret | Kind::OneOf(_), DeValue::String(text)) => {
            check(setting, Plain::Text(text.to_string()))
        }
        (Kind::Bool, DeValue::Boolean(value)) => Ok(Plain::Bool(*value)),
        (Kind::Number { .. }, DeValue::Integer(number)) => {
            let number =
                i64::from_str_radix(number.as_str(), number.radix()).map_err(|_| format!("{key} is out of range"))?;
            check(setting, Plain::Number(number))
        }
        (Kind::List, DeValue::Array(items)) => {
            let items: Result<Vec<String>, ()> = items.iter().map(text_of).collect();
            items.map(Plain::List).map_err(|()| format!("{key} takes texts in quotes: [\"one\", \"two\"]"))
        }
        (Kind::Text | Kind::Secret | Kind::OneOf(_), _) => Err(format!("{key} takes a text in quotes")),
        (Kind::Bool, _) => Err(format!("{key} is true or false, without quotes")),
        (Kind::Number { min, max }, _) => Err(format!("{key} takes a number from {min} to {max}")),
        (Kind::List, _) => Err(format!("{key} takes a list: [\"one\", \"two\"]")),
    }
}

fn check(setting: &Setting, value: Plain) -> Result<Plain, String> {
    match (setting.kind, &value) {
        (Kind::OneOf(words), Plain::Text(text)) if !words.contains(&text.as_str()) => {
            Err(format!("{} is \"{text}\"; it can be {}", setting.key, words.join(", ")))
        }
        (Kind::Number { min, max }, Plain::Number(number)) if !(min..=max).contains(number) => {
            Err(format!("{} is {number}; it goes from {min} to {max}", setting.key))
        }
        _ => Ok(value),
    }
}

fn variable(setting: &Setting) -> String {
    format!("DRILLBOT_{}_{}", setting.section.to_uppercase(), setting.key.to_uppercase())
}

fn read_environment(environment: &BTreeMap<String, String>, values: &mut Values, problems: &mut Vec<Problem>) {
    for (name, text) in environment {
        let place = format!("environment {name}");
        let found = SETTINGS.iter().find_map(|setting| {
            let variable = variable(setting);
            if *name == variable {
                Some((setting, false))
            } else if setting.kind == Kind::Secret && *name == format!("{variable}_FILE") {
                Some((setting, true))
            } else {
                None
            }
        });
        let Some((setting, from_file)) = found else {
            let known: Vec<String> = SETTINGS.iter().map(variable).collect();
            let near = nearest(name, known.iter().map(String::as_str));
            problems.push(Problem { place, message: format!("there is no such setting.{near}") });
            continue;
        };
        let value = if from_file { read_secret(text.trim()) } else { from_text(setting, text) };
        match value {
            Ok(value) => {
                values.insert((setting.section, setting.key), Given { value, place });
            }
            Err(message) => problems.push(Problem { place, message }),
        }
    }
}

fn from_text(setting: &Setting, text: &str) -> Result<Plain, String> {
    let text = text.trim();
    let value = match setting.kind {
        Kind::Text | Kind::Secret | Kind::OneOf(_) => Plain::Text(text.to_owned()),
        Kind::Bool => match text {
            "true" | "1" | "yes" => Plain::Bool(true),
            "false" | "0" | "no" => Plain::Bool(false),
            _ => return Err("takes true or false".to_owned()),
        },
        Kind::Number { min, max } => {
            Plain::Number(text.parse().map_err(|_| format!("takes a number from {min} to {max}"))?)
        }
        Kind::List => {
            Plain::List(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
        }
    };
    check(setting, value)
}

/// A channel of the file, its schedules not yet completed from `[daily]`.
struct RawChannel {
    id: ChannelId,
    name: String,
    about: String,
    place: String,
    schedules: Vec<(String, Values)>,
}

fn read_channels(
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
        let (mut platform, mut name, mut about, mut schedules) =
            (String::new(), String::new(), String::new(), Vec::new());
        for (key, value) in table {
            let at = source.place(key.span().start);
            let field: &str = key.get_ref();
            let slot = match field {
                "platform" => &mut platform,
                "name" => &mut name,
                "about" => &mut about,
                "schedules" => {
                    read_schedules(source, value, &mut schedules, problems);
                    continue;
                }
                _ => {
                    let near = nearest(field, ["platform", "name", "about", "schedules"].into_iter());
                    problems.push(Problem { place: at, message: format!("a channel has no {field}.{near}") });
                    continue;
                }
            };
            match text_of(value) {
                Ok(text) => *slot = text,
                Err(()) => problems.push(Problem { place: at, message: format!("{field} takes a text in quotes") }),
            }
        }
        if platform != "web" {
            let message = format!("platform is \"{platform}\"; this version knows \"web\"");
            problems.push(Problem { place: place.clone(), message });
        }
        if name.is_empty()
            || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            || name.len() > 80
        {
            let message = format!(
                "a channel's name has small letters, digits and dashes, like \"daily-drill\"; this one is \"{name}\""
            );
            problems.push(Problem { place: place.clone(), message });
        }
        let id = ChannelId::new(format!("{platform}:{name}"));
        if channels.iter().any(|other| other.id == id) {
            problems.push(Problem { place: place.clone(), message: format!("the channel {name} stands here twice") });
        }
        channels.push(RawChannel { id, name, about, place, schedules });
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

fn build(values: &Values, channels: Vec<RawChannel>, problems: &mut Vec<Problem>) -> Config {
    let text = |section, key| match values.get(&(section, key)).map(|given| &given.value) {
        Some(Plain::Text(text)) => text.clone(),
        _ => String::new(),
    };
    let flag = |section, key| matches!(values.get(&(section, key)).map(|given| &given.value), Some(Plain::Bool(true)));
    let list = |section, key| match values.get(&(section, key)).map(|given| &given.value) {
        Some(Plain::List(list)) => list.clone(),
        _ => Vec::new(),
    };
    let place = |section, key| values.get(&(section, key)).map_or_else(String::new, |given| given.place.clone());
    let listen = text("web", "listen").parse::<std::net::SocketAddr>();
    let access_token = values.get(&("web", "access_token")).map(|_| Secret(text("web", "access_token")));
    match &listen {
        Ok(listen) if !listen.ip().is_loopback() && flag("web", "enabled") => match &access_token {
            None => problems.push(Problem {
                place: place("web", "listen"),
                message: format!(
                    "the web chat would be reachable from other machines at {listen}, so it needs an access token: set \
                     DRILLBOT_WEB_ACCESS_TOKEN or web.access_token_file (at least 16 characters), or listen on 127.0.0.1"
                ),
            }),
            Some(token) if token.expose().chars().count() < 16 => problems.push(Problem {
                place: place("web", "access_token"),
                message: "the access token is too short to keep strangers out: use at least 16 characters".into(),
            }),
            Some(_) => {}
        },
        Ok(_) => {}
        Err(_) => problems.push(Problem {
            place: place("web", "listen"),
            message: format!("\"{}\" is no address with a port: write 127.0.0.1:8080", text("web", "listen")),
        }),
    }
    let url = text("database", "url");
    if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        let message = "the database is sqlite:FILE or postgres://user:password@host/name".to_owned();
        problems.push(Problem { place: place("database", "url"), message });
    }
    let paths: Vec<PathBuf> = list("content", "paths").into_iter().map(PathBuf::from).collect();
    if !flag("content", "embedded") && paths.is_empty() {
        let message = "there would be no questions at all: set content.paths, or embedded = true".to_owned();
        problems.push(Problem { place: place("content", "embedded"), message });
    }
    let channels = if channels.is_empty() { vec![default_channel()] } else { channels };
    let channels = channels.into_iter().map(|raw| complete(raw, values, problems)).collect();
    Config {
        web: Web {
            enabled: flag("web", "enabled"),
            // Wrong ones have been named above; what else there is to say is said as if it were the usual one.
            listen: listen.unwrap_or_else(|_| std::net::SocketAddr::from(([127, 0, 0, 1], 8080))),
            access_token,
            organisers: list("web", "organisers"),
        },
        database_url: Secret(url),
        database_by_default: place("database", "url") == "default",
        content: Content { embedded: flag("content", "embedded"), paths },
        log: Log { json: text("log", "format") == "json", level: text("log", "level") },
        lease: match values.get(&("delivery", "lease_seconds")).map(|given| &given.value) {
            Some(Plain::Number(seconds)) => Duration::from_secs(seconds.unsigned_abs()),
            _ => Duration::from_secs(30),
        },
        channels,
    }
}

fn default_channel() -> RawChannel {
    RawChannel {
        id: ChannelId::new("web:daily-drill"),
        name: "daily-drill".into(),
        about: "A question every working day, and everybody's answers".into(),
        place: "[daily]".into(),
        schedules: Vec::new(),
    }
}

/// Completes a channel's schedules from `[daily]` and checks them.
fn complete(raw: RawChannel, values: &Values, problems: &mut Vec<Problem>) -> Channel {
    let wanted = if raw.schedules.is_empty() { vec![("daily".to_owned(), Values::new())] } else { raw.schedules };
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
    Channel { id: raw.id, name: raw.name, about: raw.about, place: raw.place, schedules }
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

/// ` Did you mean "web"?` when a known name is near.
fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .map(|name| (strsim::damerau_levenshtein(typed, name), name))
        .filter(|(distance, name)| *distance <= 3.min(name.len() / 2))
        .min()
        .map_or_else(String::new, |(_, name)| format!(" Did you mean {name}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, Vec<Problem>> {
        read_with(text, &[])
    }

    fn read_with(text: &str, environment: &[(&str, &str)]) -> Result<Config, Vec<Problem>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("drillbot.toml");
        std::fs::write(&path, text).unwrap();
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let base = folder.path().display().to_string();
        load(Some(&path), &environment).map_err(|problems| {
            problems
                .into_iter()
                .map(|problem| Problem { place: problem.place.replace(&format!("{base}/"), ""), ..problem })
                .collect()
        })
    }

    fn problems(text: &str) -> Vec<String> {
        read(text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_example_is_the_default() {
        let example = read(&example()).unwrap();
        let bare = load(None, &BTreeMap::new()).unwrap();
        let plain = |config: &Config| format!("{:?}", Config { database_by_default: true, ..config.clone() });
        assert_eq!(plain(&example), plain(&bare));
        assert_eq!(example.channels[0].id.as_str(), "web:daily-drill");
    }

    #[test]
    fn the_shipped_example_is_the_one_the_command_prints() {
        assert_eq!(include_str!("../deploy/drillbot.example.toml"), example());
    }

    #[test]
    fn all_problems_come_at_once_with_their_lines() {
        let text = "[web]\nlisten = 80\nlisen = \"x\"\n\n[databas]\nurl = \"sqlite:x\"\n[daily]\ncron = \"9 o'clock\"\nzone = \"Europe/Londn\"\n";
        let found = problems(text);
        assert_eq!(found.len(), 5, "{found:#?}");
        assert_eq!(found[0], "drillbot.toml:2: listen takes a text in quotes");
        assert_eq!(found[1], "drillbot.toml:3: [web] has no setting lisen. Did you mean listen?");
        assert_eq!(found[2], "drillbot.toml:5: there is no section [databas]. Did you mean database?");
        assert!(found[3].starts_with("drillbot.toml:8: cron:"), "{found:#?}");
        assert!(found[4].starts_with("drillbot.toml:9: zone:") && found[4].contains("Europe/London"), "{found:#?}");
    }

    #[test]
    fn broken_toml_names_its_line() {
        assert!(
            problems("[web]\nlisten = \"127.0.0.1:1\nenabled = true\n")[0]
                .starts_with("drillbot.toml:2: this is no TOML")
        );
    }

    #[test]
    fn the_environment_wins_and_its_mistakes_are_named() {
        let config = read_with("[web]\nlisten = \"127.0.0.1:1\"\n", &[("DRILLBOT_WEB_LISTEN", "127.0.0.1:2")]).unwrap();
        assert_eq!(config.web.listen.port(), 2);
        let wrong =
            read_with("", &[("DRILLBOT_WEB_LISTN", "x"), ("DRILLBOT_DELIVERY_LEASE_SECONDS", "0")]).unwrap_err();
        assert_eq!(
            wrong[0].to_string(),
            "environment DRILLBOT_DELIVERY_LEASE_SECONDS: lease_seconds is 0; it goes from 1 to 3600"
        );
        assert_eq!(
            wrong[1].to_string(),
            "environment DRILLBOT_WEB_LISTN: there is no such setting. Did you mean DRILLBOT_WEB_LISTEN?"
        );
        let lists = read_with("", &[("DRILLBOT_DAILY_TOPICS", "iam, eks")]).unwrap();
        assert_eq!(lists.channels[0].schedules[0].1.topics, ["iam", "eks"]);
    }

    #[test]
    fn secrets_stay_out_of_the_file_and_out_of_sight() {
        let found = problems("[web]\naccess_token = \"hunter2hunter2hunter2\"\n");
        assert!(found[0].contains("DRILLBOT_WEB_ACCESS_TOKEN") && !found[0].contains("hunter2"), "{found:?}");
        let found = problems("[database]\nurl = \"postgres://bot:hunter2@db/drill\"\n");
        assert!(found[0].contains("url_file") && !found[0].contains("hunter2"), "{found:?}");
        let config = read_with("", &[("DRILLBOT_DATABASE_URL", "postgres://bot:hunter2@db/drill")]).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn other_addresses_than_loopback_demand_a_token() {
        let found = problems("[web]\nlisten = \"0.0.0.0:8080\"\n");
        assert!(found[0].contains("needs an access token"), "{found:?}");
        let short =
            read_with("[web]\nlisten = \"0.0.0.0:8080\"\n", &[("DRILLBOT_WEB_ACCESS_TOKEN", "short")]).unwrap_err();
        assert!(short[0].message.contains("too short"), "{short:?}");
        let token = [("DRILLBOT_WEB_ACCESS_TOKEN", "long enough to be a token")];
        assert!(read_with("[web]\nlisten = \"0.0.0.0:8080\"\n", &token).is_ok());
    }

    #[test]
    fn channels_take_what_they_leave_out_from_daily() {
        let config = read(
            "[daily]\nzone = \"Europe/London\"\n[[channels]]\nplatform = \"web\"\nname = \"one\"\n\
             [[channels.schedules]]\nname = \"morning\"\nreveal = \"17:00\"\n\
             [[channels.schedules]]\nname = \"weekend\"\ncron = \"0 11 * * sat\"\n[[channels]]\nplatform = \"web\"\nname = \"two\"\n",
        )
        .unwrap();
        let [one, two] = config.channels.as_slice() else { panic!("two channels") };
        assert_eq!(one.schedules[0].1.reveal, "17:00");
        assert_eq!(one.schedules[0].1.zone, "Europe/London");
        assert_eq!(one.schedules[1].1.cron, "0 11 * * sat");
        assert_eq!(two.schedules[0].0, "daily");
    }

    #[test]
    fn a_reveal_before_its_question_is_refused() {
        let found = problems("[daily]\nreveal = \"08:00\"\n");
        assert!(found[0].starts_with("drillbot.toml:2: reveal:") && found[0].contains("next day 08:00"), "{found:?}");
    }
}
