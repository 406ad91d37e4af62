//! The table of settings: everything that can be set, its kind, its default and what to say of it.

use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Text,
    /// From the environment or a file of its own, never from the configuration file.
    Secret,
    Bool,
    Number {
        min: i64,
        max: i64,
    },
    /// A number, or "auto".
    AutoOrNumber {
        min: i64,
        max: i64,
    },
    List,
    /// Two numbers, the first and the last.
    Range,
    OneOf(&'static [&'static str]),
}

/// One setting. `DRILLBOT_<SECTION>_<KEY>` sets it from the environment, with `_` for a dot; lists are comma-separated there.
pub(super) struct Setting {
    pub section: &'static str,
    pub key: &'static str,
    pub kind: Kind,
    /// As TOML; empty = not set.
    pub default: &'static str,
    pub help: &'static str,
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

pub(super) const SETTINGS: &[Setting] = &[
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
    setting("discord", "token", Kind::Secret, "", "The bot's token. With one, questions go to Discord too."),
    setting(
        "discord",
        "guilds",
        Kind::List,
        "[]",
        "Ids of the servers it works in, in quotes; it leaves others alone. Empty = all it is invited to.",
    ),
    setting(
        "discord",
        "read_threads",
        Kind::Bool,
        "true",
        "Read answers from threads: needs the Message Content intent. false = answers by the button only.",
    ),
    setting(
        "discord",
        "api_url",
        Kind::Text,
        "\"https://discord.com\"",
        "Where Discord is: for a proxy, or for tests.",
    ),
    setting(
        "discord",
        "shards",
        Kind::AutoOrNumber { min: 1, max: 10_000 },
        "\"auto\"",
        "Over how many connections the servers are spread: \"auto\" or a number.",
    ),
    setting(
        "discord",
        "shard_range",
        Kind::Range,
        "[]",
        "The first and the last shard of this process, both included: [0, 3]. For several processes on one PostgreSQL; needs a number of shards.",
    ),
    setting("slack", "bot_token", Kind::Secret, "", "The bot's token (xoxb-..). With one, questions go to Slack too."),
    setting(
        "slack",
        "app_token",
        Kind::Secret,
        "",
        "For Socket Mode (xapp-..): no address that can be reached from outside is needed.",
    ),
    setting(
        "slack",
        "signing_secret",
        Kind::Secret,
        "",
        "Instead of the app token, for HTTP: Slack reaches the bot at the web chat's address.",
    ),
    setting(
        "slack",
        "client_id",
        Kind::Text,
        "\"\"",
        "For an app that several workspaces install: its client id. Needs client_secret, token_key and public_url.",
    ),
    setting("slack", "client_secret", Kind::Secret, "", "The client secret of such an app."),
    setting(
        "slack",
        "token_key",
        Kind::Secret,
        "",
        "Encrypts the workspaces' tokens in the database: drillbot slack key makes one. A new key goes before the old one.",
    ),
    setting(
        "slack",
        "public_url",
        Kind::Text,
        "\"\"",
        "Where the web chat's address is reached from outside: \"https://drill.example.org\".",
    ),
    setting("slack", "api_url", Kind::Text, "\"https://slack.com\"", "Where Slack is: for a proxy, or for tests."),
    setting(
        "slack",
        "command_prefix",
        Kind::Text,
        "\"\"",
        "What stands before each command, where another app has the names: \"aws-\" makes it /aws-drill.",
    ),
    setting(
        "slack",
        "organisers",
        Kind::List,
        "[]",
        "Ids of members who may use /daily, beside the workspace's admins and owners: [\"U0123ABCD\"].",
    ),
    setting(
        "slack",
        "broadcast_reveal",
        Kind::Bool,
        "false",
        "Show the model answer in the channel too, not only in the question's thread.",
    ),
    setting(
        "grading.llm",
        "url",
        Kind::Text,
        "\"\"",
        "Any OpenAI-compatible endpoint, for example \"http://127.0.0.1:11434/v1\"; empty = no judge. Answers are sent there, without names.",
    ),
    setting("grading.llm", "model", Kind::Text, "\"\"", "The model's name there. Other models, other verdicts."),
    setting("grading.llm", "api_key", Kind::Secret, "", "Its key, if it wants one."),
    setting(
        "grading.llm",
        "timeout_seconds",
        Kind::Number { min: 1, max: 30 },
        "20",
        "How long it may think about one answer. Without a verdict the grader's result stands.",
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

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("web", "The web chat, which needs no account and no token."),
    ("database", "Where everything is kept."),
    ("content", "The question banks."),
    ("log", "What the operator reads."),
    ("delivery", "Posting."),
    ("discord", "Discord, once there is a token."),
    ("slack", "Slack, once there are tokens."),
    ("grading.llm", "A language model that is asked about answers too, after the grader. Off without a url."),
    ("daily", "The schedule of channels that have none of their own."),
];

/// A value with the place it came from.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub value: Plain,
    pub place: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plain {
    Text(String),
    Bool(bool),
    Number(i64),
    List(Vec<String>),
}

pub(super) type Values = BTreeMap<(&'static str, &'static str), Given>;

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
                    out.push_str(&format!("# {key}_file = \"/run/secrets/{}\"\n", variable(setting).to_lowercase()))
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
         # One of Discord goes by its id; /daily set in a channel does without an entry here.\n\
         # [[channels]]\n\
         # platform = \"discord\"\n\
         # id = \"123456789012345678\"\n\
         #\n\
         # One of Slack by the ids of its workspace and its own.\n\
         # [[channels]]\n\
         # platform = \"slack\"\n\
         # id = \"T0123ABCD/C0123ABCD\"\n\
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

pub(super) fn plain_default(text: &str) -> Plain {
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

pub(super) fn check(setting: &Setting, value: Plain) -> Result<Plain, String> {
    match (setting.kind, &value) {
        (Kind::OneOf(words), Plain::Text(text)) if !words.contains(&text.as_str()) => {
            Err(format!("{} is \"{text}\"; it can be {}", setting.key, words.join(", ")))
        }
        (Kind::Number { min, max } | Kind::AutoOrNumber { min, max }, Plain::Number(number))
            if !(min..=max).contains(number) =>
        {
            Err(format!("{} is {number}; it goes from {min} to {max}", setting.key))
        }
        _ => Ok(value),
    }
}

pub(super) fn variable(setting: &Setting) -> String {
    format!("DRILLBOT_{}_{}", setting.section.replace('.', "_"), setting.key).to_uppercase()
}

pub(super) fn from_text(setting: &Setting, text: &str) -> Result<Plain, String> {
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
        Kind::AutoOrNumber { .. } if text == "auto" => Plain::Text(text.to_owned()),
        Kind::AutoOrNumber { min, max } => {
            Plain::Number(text.parse().map_err(|_| format!("takes \"auto\" or a number from {min} to {max}"))?)
        }
        Kind::List | Kind::Range => {
            Plain::List(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
        }
    };
    check(setting, value)
}

/// ` Did you mean "web"?` when a known name is near.
pub(super) fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .map(|name| (strsim::damerau_levenshtein(typed, name), name))
        .filter(|(distance, name)| *distance <= 3.min(name.len() / 2))
        .min()
        .map_or_else(String::new, |(_, name)| format!(" Did you mean {name}?"))
}
