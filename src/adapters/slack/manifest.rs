//! The app's manifest: what Slack has to know of the app, with the least that it may do.
//! Source: <https://docs.slack.dev/reference/app-manifest>.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::commands::Names;
use super::interactions::SAVE_AS_ANSWER;
use crate::domain::command::{Opt, Spec, TABLE, Value};
use crate::domain::question::Level;
use crate::domain::text;

/// Where Slack delivers without Socket Mode, and where an installation ends; behind the bot's public address.
pub const EVENTS_PATH: &str = "/slack/events";
pub const OAUTH_PATH: &str = "/slack/oauth";

/// What we call, and the scopes it takes: for every kind of conversation in which it is called.
/// Source: the pages of the methods below <https://docs.slack.dev/reference/methods>.
const METHODS: &[(&str, &[&str])] = &[
    ("apps.connections.open", &[]),
    ("auth.test", &[]),
    ("chat.postEphemeral", &["chat:write"]),
    ("chat.postMessage", &["chat:write"]),
    ("chat.update", &["chat:write"]),
    // A channel's posts, and in private conversations those of ours: a message is looked for before it is sent again.
    ("conversations.history", &["channels:history", "groups:history", "im:history"]),
    ("conversations.info", &["channels:read", "groups:read"]),
    ("conversations.open", &["im:write"]),
    ("conversations.replies", &["channels:history", "groups:history"]),
    ("oauth.v2.access", &[]),
    ("reactions.add", &["reactions:write"]),
    ("users.info", &["users:read"]),
    ("views.open", &[]),
    ("views.publish", &[]),
    ("views.update", &[]),
];

/// What we hear of: the type of the event, the name of its subscription and the scopes it takes.
/// Source: the pages of the events below <https://docs.slack.dev/reference/events>.
const EVENTS: &[(&str, &str, &[&str])] = &[
    ("app_home_opened", "app_home_opened", &[]),
    ("app_uninstalled", "app_uninstalled", &[]),
    ("channel_archive", "channel_archive", &["channels:read"]),
    ("channel_deleted", "channel_deleted", &["channels:read"]),
    ("channel_left", "channel_left", &["channels:read"]),
    ("channel_rename", "channel_rename", &["channels:read"]),
    ("channel_unarchive", "channel_unarchive", &["channels:read"]),
    ("group_archive", "group_archive", &["groups:read"]),
    ("group_deleted", "group_deleted", &["groups:read"]),
    ("group_left", "group_left", &["groups:read"]),
    ("group_rename", "group_rename", &["groups:read"]),
    ("group_unarchive", "group_unarchive", &["groups:read"]),
    ("member_joined_channel", "member_joined_channel", &["channels:read", "groups:read"]),
    ("message", "message.channels", &["channels:history"]),
    ("message", "message.groups", &["groups:history"]),
    ("tokens_revoked", "tokens_revoked", &[]),
];

/// Slash commands and the shortcut.
const COMMANDS: &str = "commands";

/// Whether the scopes of the manifest are enough for a method.
pub(super) fn covers(method: &str) -> bool {
    METHODS.iter().any(|(name, _)| *name == method)
}

/// What the bot's token has to be allowed, in the order of the alphabet.
pub fn scopes() -> BTreeSet<&'static str> {
    let methods = METHODS.iter().flat_map(|(_, scopes)| *scopes);
    let events = EVENTS.iter().flat_map(|(.., scopes)| *scopes);
    methods.chain(events).copied().chain([COMMANDS]).collect()
}

/// The manifest for Socket Mode, or for HTTP when the bot can be reached at `url` (without a slash at its end).
pub fn manifest(prefix: &str, url: Option<&str>) -> Json {
    let names = Names { prefix };
    let request_url = url.map(|url| format!("{url}{EVENTS_PATH}"));
    let commands: Vec<Json> = TABLE
        .iter()
        .map(|spec| {
            // So that `ping:@group` says which group.
            let command = json!({ "command": names.shown(spec.name), "description": spec.help, "should_escape": true });
            with(with(command, "usage_hint", hint(spec).as_ref()), "url", request_url.as_ref())
        })
        .collect();
    let events: Vec<&str> = EVENTS.iter().map(|(_, name, _)| *name).collect();
    let mut manifest = json!({
        "_metadata": { "major_version": 1, "minor_version": 1 },
        "display_information": {
            "name": "drillbot",
            "description": "A daily interview question for your channel: answers, model answer, scores and a leaderboard.",
        },
        "features": {
            // Private messages need the tab; who may not write there could not type commands there either.
            "app_home": {
                "home_tab_enabled": true, "messages_tab_enabled": true, "messages_tab_read_only_enabled": false,
            },
            "bot_user": { "display_name": "drillbot", "always_online": true },
            "shortcuts": [{
                "name": text::SAVE_AS_ANSWER, "type": "message", "callback_id": SAVE_AS_ANSWER,
                "description": "Makes what you wrote in a question's thread your answer",
            }],
            "slash_commands": commands,
        },
        "oauth_config": { "scopes": { "bot": scopes() } },
        "settings": {
            "event_subscriptions": with(json!({ "bot_events": events }), "request_url", request_url.as_ref()),
            // What is looked for while somebody types comes to the second address.
            "interactivity": with(
                with(json!({ "is_enabled": true }), "request_url", request_url.as_ref()),
                "message_menu_options_url",
                request_url.as_ref(),
            ),
            "org_deploy_enabled": false,
            "socket_mode_enabled": url.is_none(),
            "token_rotation_enabled": false,
        },
    });
    if let Some(url) = url {
        manifest["oauth_config"]["redirect_urls"] = json!([format!("{url}{OAUTH_PATH}")]);
    }
    manifest
}

/// What may stand behind a command: Slack shows it while people type, and completes nothing.
fn hint(spec: &Spec) -> Option<String> {
    let words = |option: &Opt| match option.value {
        _ if option.named => format!("{}:..", option.name),
        Value::Word(words) => words.join("|"),
        Value::Number { min, max } => format!("{min}-{max}"),
        Value::Level => Level::ALL.map(Level::as_str).join("|"),
        Value::Topic | Value::Question | Value::Scenario | Value::Card | Value::Time | Value::Mention | Value::Text => {
            option.name.to_owned()
        }
    };
    let parts: Vec<String> = match spec.subs {
        [] => spec.options.iter().map(|option| format!("[{}]", words(option))).collect(),
        subs => vec![subs.iter().map(|sub| sub.name).collect::<Vec<_>>().join("|")],
    };
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn with(mut object: Json, key: &str, value: Option<&String>) -> Json {
    if let Some(value) = value {
        object[key] = json!(value);
    }
    object
}

/// The manifest as a file that says what it is.
pub fn yaml(manifest: &Json) -> String {
    let mut out = "# drillbot's manifest for Slack, printed by: drillbot slack manifest\n\
                   # At https://api.slack.com/apps: Create New App, From a manifest.\n"
        .to_owned();
    for line in lines(manifest) {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// Block style: maps, lists, texts, numbers and flags are all that a manifest has.
fn lines(value: &Json) -> Vec<String> {
    match value {
        Json::Object(map) => map.iter().flat_map(|(key, value)| entry(key, value)).collect(),
        Json::Array(items) => items.iter().flat_map(item).collect(),
        scalar => vec![self::scalar(scalar)],
    }
}

fn entry(key: &str, value: &Json) -> Vec<String> {
    let inner = lines(value);
    match value {
        Json::Object(_) | Json::Array(_) => {
            std::iter::once(format!("{key}:")).chain(inner.iter().map(|line| format!("  {line}"))).collect()
        }
        _ => inner.iter().map(|scalar| format!("{key}: {scalar}")).collect(),
    }
}

fn item(value: &Json) -> Vec<String> {
    let inner = lines(value);
    inner.iter().enumerate().map(|(n, line)| format!("{}{line}", if n == 0 { "- " } else { "  " })).collect()
}

/// A text in quotes is as in JSON, which YAML understands; one that cannot be taken for anything else goes without.
fn scalar(value: &Json) -> String {
    const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let bare = |text: &str| {
        let inside = |c: char| c.is_ascii_alphanumeric() || "_-./: ".contains(c);
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
            && text.chars().all(inside)
            && !text.ends_with([':', ' '])
            && !text.contains(": ")
            && !WORDS.contains(&text.to_lowercase().as_str())
    };
    match value.as_str() {
        Some(text) if bare(text) => text.to_owned(),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Every text between quotes in the adapter's own code, this file left out.
    fn quoted() -> Vec<String> {
        fn walk(folder: &Path, out: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).expect("a folder of sources") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    walk(&path, out);
                } else if path.file_name().is_some_and(|name| name != "manifest.rs") {
                    let text = std::fs::read_to_string(&path).expect("a source file");
                    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                    out.extend(code.lines().flat_map(texts));
                }
            }
        }
        let mut out = Vec::new();
        walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/adapters/slack"), &mut out);
        out
    }

    fn texts(line: &str) -> Vec<String> {
        let code = line.trim_start();
        if code.starts_with("//") {
            return Vec::new();
        }
        code.split('"').skip(1).step_by(2).map(str::to_owned).collect()
    }

    /// `chat.postMessage`
    fn is_method(text: &str) -> bool {
        const FAMILIES: [&str; 16] = [
            "apps",
            "auth",
            "bookmarks",
            "bots",
            "chat",
            "conversations",
            "dnd",
            "files",
            "oauth",
            "pins",
            "reactions",
            "team",
            "usergroups",
            "users",
            "views",
            "workflows",
        ];
        let mut parts = text.split('.');
        parts.next().is_some_and(|family| FAMILIES.contains(&family))
            && text.contains('.')
            && parts.all(|part| part.chars().all(char::is_alphanumeric) && !part.is_empty())
    }

    #[test]
    fn every_method_that_the_adapter_calls_has_its_scopes_here_and_no_other_has() {
        let called: BTreeSet<String> = quoted().into_iter().filter(|text| is_method(text)).collect();
        let listed: BTreeSet<String> = METHODS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(called, listed, "called, and listed in METHODS");
    }

    #[test]
    fn every_event_that_the_adapter_hears_is_subscribed_and_no_other_is() {
        let source = include_str!("events.rs");
        let begin = source.find("match text(\"type\").as_str() {").expect("where events are told apart");
        let arms = &source[begin..];
        let arms = &arms[..arms.find("_ => {}").expect("the end of it")];
        // What stands before an arrow, up to a condition.
        let heard: BTreeSet<String> = arms
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once("=>"))
            .flat_map(|(pattern, _)| texts(pattern.split(" if ").next().unwrap_or_default()))
            .collect();
        let listed: BTreeSet<String> = EVENTS.iter().map(|(kind, ..)| (*kind).to_owned()).collect();
        assert_eq!(heard, listed, "heard, and listed in EVENTS");
    }

    #[test]
    fn texts_are_quoted_where_yaml_would_take_them_for_something_else() {
        let check = |text: &str, shown: &str| assert_eq!(scalar(&json!(text)), shown, "{text}");
        check("message.channels", "message.channels");
        check("chat:write", "chat:write");
        check("/drill", "/drill");
        check("https://drill.example.org/slack/events", "https://drill.example.org/slack/events");
        check("All topics with their questions", "All topics with their questions");
        for risky in ["yes", "Null", "1", "- a", "a: b", "a:", "a #b", "[a]", "", " a", "a ", "*a", "é", "a\nb"] {
            assert_eq!(scalar(&json!(risky)), json!(risky).to_string(), "{risky:?}");
        }
        assert_eq!(scalar(&json!(true)), "true");
        assert_eq!(scalar(&json!(1)), "1");
    }
}
