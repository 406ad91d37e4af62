//! The manifest: what the app may do, says and hears, as Slack understands it.

use std::collections::BTreeSet;

use drillbot::adapters::slack::manifest::{manifest, scopes, yaml};
use drillbot::domain::command::TABLE;
use serde_json::{Map, Value, json};

use super::Stage;
use crate::fake::slack::{Fake, SeenKind};
use crate::world::bank;

const URL: &str = "https://drill.example.org";

/// What Slack says to a manifest.
async fn objections(manifest: &Value) -> Vec<String> {
    let fake = Fake::start().await;
    fake.take_manifest(manifest);
    fake.violations()
}

#[tokio::test]
async fn slack_takes_the_manifest_for_both_ways_and_with_a_prefix() {
    for (prefix, url) in [("", None), ("", Some(URL)), ("aws-", None), ("sixteen_letters-", Some(URL))] {
        assert_eq!(objections(&manifest(prefix, url)).await, Vec::<String>::new(), "{prefix:?} {url:?}");
    }
}

#[tokio::test]
async fn slack_would_not_take_it_without_a_scope_or_with_a_name_of_its_own() {
    for scope in ["commands", "channels:history", "groups:history"] {
        let mut less = manifest("", None);
        let bot = less["oauth_config"]["scopes"]["bot"].as_array_mut().expect("a list");
        bot.retain(|one| one != scope);
        assert!(!objections(&less).await.is_empty(), "without {scope}");
    }
    let mut own = manifest("", None);
    own["features"]["slash_commands"][0]["command"] = json!("/me");
    assert!(objections(&own).await[0].contains("invalid name"));
}

#[test]
fn the_shipped_file_is_what_the_program_prints() {
    let shipped = include_str!("../../../deploy/slack/manifest.yaml");
    let printed = yaml(&manifest("", None));
    assert_eq!(shipped, printed, "make it anew: drillbot slack manifest > deploy/slack/manifest.yaml");
}

#[test]
fn what_is_printed_reads_as_what_was_built() {
    for (prefix, url) in [("", None), ("aws-", Some(URL))] {
        let built = manifest(prefix, url);
        assert_eq!(read(&yaml(&built)), built);
    }
}

/// The YAML of the manifest, read by its rules and not by ours: maps, lists and one-line scalars in block style. Anything else fails.
fn read(text: &str) -> Value {
    let lines: Vec<(usize, &str)> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| (line.len() - line.trim_start().len(), line.trim_start()))
        .collect();
    let (value, rest) = node(&lines, 0);
    assert!(rest.is_empty(), "left over: {rest:?}");
    value
}

fn node<'a, 'b>(lines: &'a [(usize, &'b str)], indent: usize) -> (Value, &'a [(usize, &'b str)]) {
    if lines[0].1.starts_with("- ") { list(lines, indent) } else { map(lines, indent) }
}

fn list<'a, 'b>(mut lines: &'a [(usize, &'b str)], indent: usize) -> (Value, &'a [(usize, &'b str)]) {
    let mut items = Vec::new();
    while let Some((at, line)) = lines.first().filter(|(at, line)| *at == indent && line.starts_with("- ")) {
        // The rest of the item's map stands where its first key does.
        let end = lines[1..].iter().position(|(at, _)| *at <= indent).map_or(lines.len(), |more| more + 1);
        let inner: Vec<(usize, &str)> =
            std::iter::once((at + 2, &line[2..])).chain(lines[1..end].iter().copied()).collect();
        items.push(match entry(inner[0].1) {
            Some(_) => {
                let (value, rest) = map(&inner, indent + 2);
                assert!(rest.is_empty(), "left over in an item: {rest:?}");
                value
            }
            None => scalar(inner[0].1),
        });
        lines = &lines[end..];
    }
    (Value::Array(items), lines)
}

fn map<'a, 'b>(mut lines: &'a [(usize, &'b str)], indent: usize) -> (Value, &'a [(usize, &'b str)]) {
    let mut all = Map::new();
    while let Some((_, line)) = lines.first().filter(|(at, _)| *at == indent) {
        let (key, value) = entry(line).unwrap_or_else(|| panic!("no entry of a map: {line:?}"));
        let before = if value.is_empty() {
            assert!(lines[1].0 > indent, "nothing under {key}");
            let (value, rest) = node(&lines[1..], lines[1].0);
            lines = rest;
            all.insert(key.to_owned(), value)
        } else {
            lines = &lines[1..];
            all.insert(key.to_owned(), scalar(value))
        };
        assert_eq!(before, None, "{key} twice");
    }
    (Value::Object(all), lines)
}

/// `key: value`, or `key:` before what stands under it.
fn entry(line: &str) -> Option<(&str, &str)> {
    if line.starts_with('"') {
        return None;
    }
    line.split_once(": ").or_else(|| line.strip_suffix(':').map(|key| (key, "")))
}

fn scalar(text: &str) -> Value {
    if text.starts_with('"') {
        return serde_json::from_str(text).expect("a text in quotes");
    }
    let means_something = |c: char| "[]{},#&*!|>'%@`\"".contains(c);
    assert!(!text.contains(means_something) && !text.contains(": "), "not without quotes: {text:?}");
    match text {
        "true" => json!(true),
        "false" => json!(false),
        _ => text.parse::<u32>().map_or_else(|_| json!(text), |number| json!(number)),
    }
}

/// slack-morphism models manifests too: a name of a field that it does not know gets lost on the way through its types.
#[test]
fn the_library_knows_every_field() {
    for url in [None, Some(URL)] {
        let mut built = manifest("", url);
        let typed: slack_morphism::prelude::SlackAppManifest =
            serde_json::from_value(built.clone()).expect("its types");
        // The one that it does not have.
        let settings = built["settings"].as_object_mut().expect("a map");
        assert_eq!(settings.remove("token_rotation_enabled"), Some(json!(false)));
        assert_eq!(serde_json::to_value(&typed).expect("JSON"), built);
    }
}

#[test]
fn every_command_of_the_table_is_there_with_its_help() {
    let shown = |prefix| -> Vec<(String, String, Option<String>)> {
        let built = manifest(prefix, None);
        let all = built["features"]["slash_commands"].as_array().expect("a list").clone();
        let of = |one: &Value, key: &str| one[key].as_str().map(str::to_owned);
        all.iter()
            .map(|one| {
                let texts = (of(one, "command").expect("a name"), of(one, "description").expect("a help"));
                (texts.0, texts.1, of(one, "usage_hint"))
            })
            .collect()
    };
    let plain = shown("");
    assert_eq!(plain.len(), TABLE.len());
    for (spec, (command, help, hint)) in TABLE.iter().zip(&plain) {
        let name = if spec.name == "me" { "about-me" } else { spec.name };
        assert_eq!((command.as_str(), help.as_str()), (format!("/{name}").as_str(), spec.help));
        assert_eq!(hint.is_some(), !(spec.options.is_empty() && spec.subs.is_empty()), "{command}");
    }
    let hint = |name: &str| plain.iter().find(|(command, ..)| command == name).and_then(|(.., hint)| hint.as_deref());
    assert_eq!(
        hint("/drill"),
        Some("[topic] [beginner|intermediate|advanced] [1-20] [free|choice] [question:..] [scenario:..] [with:..]")
    );
    assert_eq!(hint("/daily"), Some("show|set|pause|resume|skip|now|reveal"));
    assert_eq!(hint("/about-me"), Some("[show|delete]"));
    for (spec, (command, ..)) in TABLE.iter().zip(shown("aws-")) {
        assert_eq!(command, format!("/aws-{}", spec.name));
    }
}

#[test]
fn over_http_everything_goes_to_one_address() {
    let built = manifest("", Some(URL));
    let events = json!("https://drill.example.org/slack/events");
    assert_eq!(built["settings"]["event_subscriptions"]["request_url"], events);
    assert_eq!(built["settings"]["interactivity"]["request_url"], events);
    assert_eq!(built["settings"]["interactivity"]["message_menu_options_url"], events);
    for command in built["features"]["slash_commands"].as_array().expect("a list") {
        assert_eq!(command["url"], events);
    }
    assert_eq!(built["oauth_config"]["redirect_urls"], json!(["https://drill.example.org/slack/oauth"]));
    assert_eq!(built["settings"]["socket_mode_enabled"], false);
    let by_socket = yaml(&manifest("", None));
    assert!(!by_socket.contains("url"), "Socket Mode needs no address: {by_socket}");
}

#[test]
fn the_guide_says_of_every_scope_what_it_is_for_and_of_no_other() {
    let docs = include_str!("../../../docs/slack.md");
    let told: BTreeSet<&str> = docs
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| name.contains(':') || *name == "commands")
        .collect();
    assert_eq!(told, scopes());
}

#[tokio::test]
async fn with_a_prefix_people_type_it_and_the_bot_understands() {
    let stage = Stage::dark_with(bank(&[("iam", 1)]), |settings| settings.command_prefix = "aws-".into()).await;
    stage.fake.take_manifest(&manifest("aws-", None));
    let stage = stage.started().await;
    let drill = stage.fake.command(stage.bob, stage.channel, "/aws-drill iam 1").await;
    assert_eq!(drill.kind, SeenKind::Modal, "{}", drill.text());
    let me = stage.fake.command(stage.bob, stage.channel, "/aws-me").await;
    assert!(me.text().contains("so far") && me.text().contains("/aws-me delete"), "{}", me.text());
    let refused = stage.fake.command(stage.ann, stage.channel, "/aws-daily stop").await;
    assert!(refused.text().contains("/aws-daily does not know \"stop\""), "{}", refused.text());
    assert!(refused.text().contains("/aws-daily show|set|pause"), "{}", refused.text());
    assert!(refused.text().contains("For example: /aws-daily set 09:00"), "{}", refused.text());
    let told = stage.fake.command(stage.bob, stage.channel, "/aws-daily now").await;
    assert!(told.text().starts_with("/aws-daily is for") && told.text().contains("try /aws-help"), "{}", told.text());
    stage.end().await;
}

#[tokio::test]
async fn who_has_a_name_of_slacks_is_understood_under_another() {
    let stage = Stage::new().await;
    let me = stage.fake.command(stage.bob, stage.channel, "/about-me").await;
    assert!(me.text().contains("so far") && me.text().contains("/about-me delete"), "{}", me.text());
    for line in ["/help me", "/help about-me", "/help /about-me"] {
        let help = stage.fake.command(stage.bob, stage.channel, line).await;
        assert!(help.text().starts_with("/about-me My scores"), "{line}: {}", help.text());
    }
    let home = stage.fake.open_home(stage.bob).await;
    assert!(home.text().contains("/about-me") && !home.text().contains("/me "), "{}", home.text());
    stage.end().await;
}
