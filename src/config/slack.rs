//! `[slack]`: the tokens and what goes with them.

use super::settings::{Plain, Values};
use super::{Problem, Secret};
use crate::adapters::address::is_safe;
use crate::adapters::slack::PREFIX_CHARS;

/// What the Slack adapter needs to know.
#[derive(Clone, Debug)]
pub struct Slack {
    pub bot_token: Secret,
    /// Some in Socket Mode.
    pub app_token: Option<Secret>,
    /// Some when Slack delivers over HTTP.
    pub signing_secret: Option<Secret>,
    /// Without a slash at its end.
    pub api_url: String,
    pub command_prefix: String,
    pub organisers: Vec<String>,
    pub broadcast_reveal: bool,
}

/// The section as it stands, None without a bot token.
pub(super) fn build(values: &Values, problems: &mut Vec<Problem>) -> Option<Slack> {
    let given = |key: &'static str| values.get(&("slack", key));
    let text = |key| match given(key).map(|given| &given.value) {
        Some(Plain::Text(text)) => text.trim().to_owned(),
        _ => String::new(),
    };
    let mut wrong = |key, message: String| {
        let place = given(key).map_or_else(|| "slack".to_owned(), |given| given.place.clone());
        problems.push(Problem { place, message });
    };
    let (bot_token, app_token, signing_secret) = (text("bot_token"), text("app_token"), text("signing_secret"));
    // Each is easily taken for the other, and Slack's answer does not say which one it wanted.
    for (key, token, begins, page) in [
        ("bot_token", &bot_token, "xoxb-", "OAuth & Permissions, Bot User OAuth Token"),
        ("app_token", &app_token, "xapp-", "Basic Information, App-Level Tokens"),
    ] {
        if !token.is_empty() && !token.starts_with(begins) {
            wrong(key, format!("{key} begins with {begins}: copy it from the app's page under {page}"));
        }
    }
    if bot_token.is_empty() {
        for (key, value) in [("app_token", &app_token), ("signing_secret", &signing_secret)] {
            if !value.is_empty() {
                wrong(
                    key,
                    "without the bot token it is of no use: set DRILLBOT_SLACK_BOT_TOKEN or slack.bot_token_file"
                        .to_owned(),
                );
            }
        }
    } else if app_token.is_empty() && signing_secret.is_empty() {
        wrong(
            "bot_token",
            "how is Slack to reach the bot? Set DRILLBOT_SLACK_APP_TOKEN or slack.app_token_file (Socket Mode, no public address needed), or \
             DRILLBOT_SLACK_SIGNING_SECRET or slack.signing_secret_file (HTTP)"
                .to_owned(),
        );
    }
    let api_url = text("api_url");
    if !(api_url.starts_with("http") && is_safe(&api_url)) {
        wrong(
            "api_url",
            format!(
                "api_url is \"{api_url}\"; the tokens go there, so it must begin with https://, or with http:// and this machine itself \
                 (http://127.0.0.1:8080)"
            ),
        );
    }
    let command_prefix = text("command_prefix");
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if command_prefix.len() > PREFIX_CHARS || !command_prefix.chars().all(fits) {
        wrong(
            "command_prefix",
            format!(
                "command_prefix is \"{command_prefix}\"; it takes up to {PREFIX_CHARS} lower-case letters, digits, - and _: with \"aws-\" the \
                 command is /aws-drill"
            ),
        );
    }
    let organisers = match given("organisers").map(|given| &given.value) {
        Some(Plain::List(ids)) => ids.iter().map(|id| id.trim().to_owned()).collect(),
        _ => Vec::new(),
    };
    let is_id =
        |id: &String| id.starts_with(['U', 'W']) && id.len() > 1 && id.chars().all(|c| c.is_ascii_alphanumeric());
    if let Some(other) = organisers.iter().find(|id| !is_id(id)) {
        wrong(
            "organisers",
            format!(
                "organisers has \"{other}\"; it takes ids of members like \"U0123ABCD\": in Slack, open somebody's profile, the three dots, \
                 Copy member ID"
            ),
        );
    }
    let broadcast_reveal = given("broadcast_reveal").is_some_and(|given| given.value == Plain::Bool(true));
    let secret = |text: String| (!text.is_empty()).then(|| Secret::new(text));
    (!bot_token.is_empty()).then(|| Slack {
        bot_token: Secret::new(bot_token),
        app_token: secret(app_token),
        signing_secret: secret(signing_secret),
        api_url: api_url.trim_end_matches('/').to_owned(),
        command_prefix,
        organisers,
        broadcast_reveal,
    })
}
