//! `[slack]`: the tokens and what goes with them.

use super::settings::{Plain, Values};
use super::{Problem, Secret};
use crate::adapters::address::is_safe;
use crate::adapters::slack::vault::Keys;
use crate::adapters::slack::{PREFIX_CHARS, is_prefix};

/// What the Slack adapter needs to know.
#[derive(Clone, Debug)]
pub struct Slack {
    /// Of the one workspace that the app is made for.
    pub bot_token: Option<Secret>,
    /// Some in Socket Mode.
    pub app_token: Option<Secret>,
    /// Some when Slack delivers over HTTP.
    pub signing_secret: Option<Secret>,
    /// Some when workspaces install the app by themselves.
    pub oauth: Option<OAuth>,
    /// Where the web server is reached from outside, without a slash at its end; empty when nobody said.
    pub public_url: String,
    /// Without a slash at its end.
    pub api_url: String,
    pub command_prefix: String,
    pub organisers: Vec<String>,
    pub broadcast_reveal: bool,
}

/// What goes with an app that several workspaces install.
#[derive(Clone, Debug)]
pub struct OAuth {
    pub client_id: String,
    pub client_secret: Secret,
    pub token_key: Secret,
}

/// What stands before each command: the app's manifest needs it before there is a token.
pub(super) fn prefix(values: &Values) -> String {
    match values.get(&("slack", "command_prefix")).map(|given| &given.value) {
        Some(Plain::Text(text)) => text.trim().to_owned(),
        _ => String::new(),
    }
}

/// The section as it stands, None without a bot token or a client id.
pub(super) fn build(values: &Values, web: bool, problems: &mut Vec<Problem>) -> Option<Slack> {
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
    let (client_id, client_secret, token_key) = (text("client_id"), text("client_secret"), text("token_key"));
    let public_url = text("public_url").trim_end_matches('/').to_owned();
    // Each is easily taken for the other, and Slack's answer does not say which one it wanted.
    for (key, token, begins, page) in [
        ("bot_token", &bot_token, "xoxb-", "OAuth & Permissions, Bot User OAuth Token"),
        ("app_token", &app_token, "xapp-", "Basic Information, App-Level Tokens"),
    ] {
        if !token.is_empty() && !token.starts_with(begins) {
            wrong(key, format!("{key} begins with {begins}: copy it from the app's page under {page}"));
        }
    }
    if bot_token.is_empty() && client_id.is_empty() {
        for (key, value) in [("app_token", &app_token), ("signing_secret", &signing_secret)] {
            if !value.is_empty() {
                wrong(
                    key,
                    "without the bot token it is of no use: set DRILLBOT_SLACK_BOT_TOKEN or slack.bot_token_file (or \
                     slack.client_id, when several workspaces install the app)"
                        .to_owned(),
                );
            }
        }
    } else if app_token.is_empty() && signing_secret.is_empty() {
        wrong(
            if bot_token.is_empty() { "client_id" } else { "bot_token" },
            "how is Slack to reach the bot? Set DRILLBOT_SLACK_APP_TOKEN or slack.app_token_file (Socket Mode, no public address needed), or \
             DRILLBOT_SLACK_SIGNING_SECRET or slack.signing_secret_file (HTTP)"
                .to_owned(),
        );
    }
    if !web {
        for (key, value) in [("signing_secret", &signing_secret), ("client_id", &client_id)] {
            if !value.is_empty() {
                wrong(
                    key,
                    "for this Slack comes to the bot's own web server, which is off: set web.enabled = true".to_owned(),
                );
            }
        }
    }
    if client_id.is_empty() {
        for (key, value) in [("client_secret", &client_secret), ("token_key", &token_key)] {
            if !value.is_empty() {
                wrong(key, "it is of use with slack.client_id only (Basic Information, App Credentials)".to_owned());
            }
        }
    } else {
        if client_secret.is_empty() {
            wrong(
                "client_id",
                "it needs the client secret too: set DRILLBOT_SLACK_CLIENT_SECRET or slack.client_secret_file (Basic Information, \
                 App Credentials)"
                    .to_owned(),
            );
        }
        if let Err(problem) = Keys::read(&token_key) {
            let how = "set DRILLBOT_SLACK_TOKEN_KEY or slack.token_key_file";
            wrong(
                if token_key.is_empty() { "client_id" } else { "token_key" },
                format!("the workspaces' tokens are kept encrypted: {how}; {problem}"),
            );
        }
        if public_url.is_empty() {
            wrong(
                "client_id",
                "set slack.public_url too: where people's browsers and Slack reach the bot, https://drill.example.org"
                    .to_owned(),
            );
        }
    }
    let reachable = public_url.starts_with("http") && is_safe(&public_url);
    if !(public_url.is_empty() || reachable) {
        wrong(
            "public_url",
            format!(
                "public_url is \"{public_url}\"; Slack comes to https:// addresses only: https://drill.example.org"
            ),
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
    let command_prefix = prefix(values);
    if !is_prefix(&command_prefix) {
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
    let there = !(bot_token.is_empty() && client_id.is_empty());
    let oauth = OAuth { client_id, client_secret: Secret::new(client_secret), token_key: Secret::new(token_key) };
    there.then(|| Slack {
        bot_token: secret(bot_token),
        app_token: secret(app_token),
        signing_secret: secret(signing_secret),
        oauth: (!oauth.client_id.is_empty()).then_some(oauth),
        public_url,
        api_url: api_url.trim_end_matches('/').to_owned(),
        command_prefix,
        organisers,
        broadcast_reveal,
    })
}
