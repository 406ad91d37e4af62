//! What Slack says when a manifest is pasted. Sources: docs.slack.dev/reference/app-manifest, its schema at
//! github.com/slackapi/manifest-schema, and the pages of the events.

use std::collections::BTreeSet;

use serde_json::Value;

/// Commands that Slack keeps for itself. Source: slack.com/help/articles/201259356-Use-built-in-slash-commands.
const BUILT_IN: [&str; 35] = [
    "active",
    "apps",
    "archive",
    "away",
    "call",
    "collapse",
    "dm",
    "dnd",
    "expand",
    "feed",
    "feedback",
    "huddle",
    "invite",
    "invite_people",
    "join",
    "keys",
    "kick",
    "leave",
    "me",
    "msg",
    "mute",
    "open",
    "part",
    "prefs",
    "pro",
    "remind",
    "remove",
    "rename",
    "s",
    "search",
    "shortcuts",
    "shrug",
    "star",
    "status",
    "topic",
];

/// Any one of these lets an event through; none: nothing is needed.
fn scopes_of(event: &str) -> &'static [&'static str] {
    match event {
        "message.channels" => &["channels:history"],
        "message.groups" => &["groups:history"],
        "message.im" => &["im:history"],
        "member_joined_channel" | "member_left_channel" => &["channels:read", "groups:read"],
        "user_change" => &["users:read"],
        "team_rename" => &["team:read"],
        "app_mention" => &["app_mentions:read"],
        _ if event.starts_with("channel_") => &["channels:read"],
        _ if event.starts_with("group_") => &["groups:read"],
        _ => &[],
    }
}

/// Whether an installation with these scopes hears of an event.
pub fn hears(scopes: &BTreeSet<String>, event: &str) -> bool {
    let needed = scopes_of(event);
    needed.is_empty() || needed.iter().any(|scope| scopes.contains(*scope))
}

/// Why Slack would not take it.
pub fn problems(manifest: &Value) -> Vec<String> {
    let mut found = Vec::new();
    keys(manifest, "", &["_metadata", "display_information", "features", "oauth_config", "settings"], &mut found);
    text(manifest, "/display_information/name", 1..=35, &mut found);
    text(manifest, "/display_information/description", 1..=140, &mut found);
    text(manifest, "/features/bot_user/display_name", 1..=80, &mut found);
    keys(manifest, "/features", &["app_home", "bot_user", "shortcuts", "slash_commands"], &mut found);
    keys(manifest, "/oauth_config", &["redirect_urls", "scopes"], &mut found);
    let switches = ["org_deploy_enabled", "socket_mode_enabled", "token_rotation_enabled"];
    keys(manifest, "/settings", &[&["event_subscriptions", "interactivity"][..], &switches].concat(), &mut found);
    let by_socket = manifest["settings"]["socket_mode_enabled"] == true;
    let scopes: BTreeSet<String> = texts(&manifest["oauth_config"]["scopes"]["bot"]).into_iter().collect();
    let commands = at_most(manifest, "/features/slash_commands", 50, &mut found);
    for n in 0..commands {
        let place = format!("/features/slash_commands/{n}");
        keys(manifest, &place, &["command", "description", "should_escape", "url", "usage_hint"], &mut found);
        text(manifest, &format!("{place}/command"), 2..=32, &mut found);
        text(manifest, &format!("{place}/description"), 1..=2_000, &mut found);
        let command = manifest["features"]["slash_commands"][n]["command"].as_str().unwrap_or_default();
        let name = command.strip_prefix('/').unwrap_or_default();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        if name.is_empty() || !name.chars().all(fits) || BUILT_IN.contains(&name) {
            found.push(format!("{place}: the slash command has an invalid name: {command:?}"));
        }
        address(manifest, &format!("{place}/url"), by_socket, &mut found);
    }
    let shortcuts = at_most(manifest, "/features/shortcuts", 10, &mut found);
    for n in 0..shortcuts {
        let place = format!("/features/shortcuts/{n}");
        text(manifest, &format!("{place}/name"), 1..=24, &mut found);
        text(manifest, &format!("{place}/callback_id"), 1..=255, &mut found);
        text(manifest, &format!("{place}/description"), 1..=150, &mut found);
    }
    if commands + shortcuts > 0 && !scopes.contains("commands") {
        found.push("commands and shortcuts need the scope commands".to_owned());
    }
    let events = texts(&manifest["settings"]["event_subscriptions"]["bot_events"]);
    if !events.is_empty() {
        address(manifest, "/settings/event_subscriptions/request_url", by_socket, &mut found);
    }
    let deaf = events.iter().filter(|event| !hears(&scopes, event));
    found.extend(deaf.map(|event| format!("{event} needs one of {:?}", scopes_of(event))));
    if manifest["settings"]["interactivity"]["is_enabled"] == true {
        address(manifest, "/settings/interactivity/request_url", by_socket, &mut found);
    }
    found.into_iter().map(|why| format!("the manifest: {why}")).collect()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn keys(manifest: &Value, place: &str, known: &[&str], found: &mut Vec<String>) {
    let there = manifest.pointer(place).and_then(Value::as_object);
    let strange = there.into_iter().flat_map(|all| all.keys()).filter(|key| !known.contains(&key.as_str()));
    found.extend(strange.map(|key| format!("{place}/{key} is unknown")));
}

fn text(manifest: &Value, place: &str, chars: std::ops::RangeInclusive<usize>, found: &mut Vec<String>) {
    let length = manifest.pointer(place).and_then(Value::as_str).map(|text| text.chars().count());
    if !length.is_some_and(|length| chars.contains(&length)) {
        found.push(format!("{place} has {length:?} characters, not {chars:?}"));
    }
}

/// How many there are; a list that is there is not empty.
fn at_most(manifest: &Value, place: &str, most: usize, found: &mut Vec<String>) -> usize {
    let Some(list) = manifest.pointer(place).and_then(Value::as_array) else { return 0 };
    if list.is_empty() || list.len() > most {
        found.push(format!("{place} has {} items", list.len()));
    }
    list.len()
}

fn address(manifest: &Value, place: &str, by_socket: bool, found: &mut Vec<String>) {
    let url = manifest.pointer(place).and_then(Value::as_str);
    if !by_socket && !url.is_some_and(|url| url.starts_with("https://") || url.starts_with("http://")) {
        found.push(format!("{place} is no address, and Socket Mode is off"));
    }
}
