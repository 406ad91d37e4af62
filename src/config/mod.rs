//! Settings: one table of what can be set, read from a TOML file and the environment. The only place that reads the environment.

mod channels;
mod discord;
mod file;
mod grading;
mod settings;
mod slack;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::channels::{RawChannel, complete, default_channel};
use self::file::{read_file, read_secret};
use self::settings::{Given, Kind, Plain, SETTINGS, Values, from_text, nearest, plain_default, variable};
use crate::domain::ids::{ChannelId, platform_of};
use crate::domain::schedule::ScheduleSpec;

pub use self::discord::{Discord, Shards};
pub use self::grading::Llm;
pub use self::settings::example;
pub use self::slack::{OAuth as SlackOAuth, Slack};

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
    /// Some when there is a token.
    pub discord: Option<Discord>,
    /// Some when there is a bot token or a client id.
    pub slack: Option<Slack>,
    /// Some when a language model is asked too.
    pub llm: Option<Llm>,
    /// `slack.command_prefix`, whether there is a token or not.
    pub slack_prefix: String,
    pub channels: Vec<Channel>,
}

impl Config {
    /// The same for the web chat alone: what a demo plays in.
    pub fn web_only(mut self) -> Config {
        self.discord = None;
        self.slack = None;
        let schedules = self.channels.first().map(|channel| channel.schedules.clone()).unwrap_or_default();
        self.channels.retain(|channel| platform_of(channel.id.as_str()) == "web");
        if self.channels.is_empty() {
            self.channels.push(default_channel().with(schedules));
        }
        self
    }
}

impl Channel {
    /// What it is called in messages about it.
    pub fn label(&self) -> String {
        if self.name.is_empty() { self.id.to_string() } else { format!("#{}", self.name) }
    }
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
    let discord = discord::build(values, &url, problems);
    let slack = slack::build(values, flag("web", "enabled"), problems);
    let llm = grading::build(values, problems);
    for channel in &channels {
        let message = match platform_of(channel.id.as_str()) {
            "discord" if discord.is_none() => {
                "this channel is on Discord, and there is no token: set DRILLBOT_DISCORD_TOKEN or discord.token_file"
            }
            "slack" if slack.is_none() => {
                "this channel is on Slack, and there is no token: set DRILLBOT_SLACK_BOT_TOKEN or slack.bot_token_file"
            }
            _ => continue,
        };
        problems.push(Problem { place: channel.place.clone(), message: message.to_owned() });
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
        discord,
        slack,
        llm,
        slack_prefix: slack::prefix(values),
        channels,
    }
}
