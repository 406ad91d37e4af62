//! `drillbot doctor slack`: what an operator asks before and after the first start.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::header;
use serde::Deserialize;
use serde_json::json;

use super::api::{Api, Failure, Token};
use super::commands::Names;
use super::ids::Spot;
use super::{Done, Settings, manifest};
use crate::adapters::doctor::{self, Finding, Scheduled, worth, wrong};
use crate::app::clock::real_ms;
use crate::store::slack::Installed;

/// For the one question that is asked without the library, which does not show what stands in the head of an answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long a look at a channel may be put off, and how often.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const LOOKS: u32 = 3;
/// Of `x-oauth-scopes`, which node-slack-sdk's WebClient shows as `scopes` of a result.
const SCOPES: &str = "x-oauth-scopes";
const LATER: &str = "Look again in a minute";

/// Who a token belongs to.
#[derive(Debug, Default, Deserialize)]
struct Identity {
    #[serde(default)]
    ok: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    team: String,
    #[serde(default)]
    team_id: String,
    #[serde(default)]
    user: String,
}

/// An answer to `auth.test` with what stands in its head.
struct Known {
    identity: Identity,
    scopes: Option<BTreeSet<String>>,
    /// How far the clock here is before Slack's.
    ahead_s: Option<i64>,
}

/// A workspace that let its token in.
struct Entered {
    identity: Identity,
    token: Token,
}

/// Looks at everything that can be wrong between the bot and Slack. `installed` are the workspaces that installed the app by themselves.
pub async fn doctor(settings: &Settings, installed: &[Installed], channels: &[Scheduled]) -> Vec<Finding> {
    let mut found = Vec::new();
    let tokens = tokens(settings, installed, &mut found);
    let mut entered = Vec::new();
    let mut clock = None;
    for token in tokens {
        let Known { identity, scopes, ahead_s } = match ask(settings, &token).await {
            Ok(known) => known,
            Err(why) => {
                found.push(wrong(why, "Check the network and slack.api_url, then look again"));
                return found;
            }
        };
        clock = clock.or(ahead_s);
        if identity.ok {
            let Identity { team, team_id, user, .. } = &identity;
            found.push(Finding::Fine(format!("the bot token belongs to @{user} in {team} ({team_id})")));
            found.extend(look_at_scopes(scopes));
            entered.push(Entered { token: Token::new(team_id, &token), identity });
        } else {
            found.push(refused(settings, &token, &identity.error));
        }
    }
    let api = Api::new(&settings.api_url);
    if let Some(app_token) = &settings.app_token {
        found.push(look_at_socket_mode(&api, app_token).await);
    }
    if let Some(secret) = &settings.signing_secret {
        found.push(look_at_signing_secret(secret));
    }
    found.extend(clock.map(|ahead_s| doctor::clock("Slack", ahead_s)));
    if channels.is_empty() {
        let daily = Names { prefix: &settings.command_prefix }.shown("daily");
        found.push(worth(
            "no channel of Slack has a schedule yet",
            format!("Start the bot, invite it to a channel and type {daily} set 09:00 there"),
        ));
    }
    if !entered.is_empty() {
        for channel in channels {
            found.push(look_at_channel(&api, &entered, channel, settings).await);
        }
    }
    found
}

/// The settings' token, and those of workspaces that installed the app.
fn tokens(settings: &Settings, installed: &[Installed], found: &mut Vec<Finding>) -> Vec<String> {
    let mut tokens: Vec<String> = settings.bot_token.iter().cloned().collect();
    let Some(oauth) = &settings.oauth else { return tokens };
    for workspace in installed {
        match oauth.keys.open(&workspace.team, &workspace.token) {
            Some(token) => tokens.push(token),
            None => found.push(wrong(
                format!(
                    "the token of the workspace {} was encrypted with a key that is not in slack.token_key",
                    workspace.team
                ),
                "Put the old key behind the new one, with a blank between; or let the workspace install the app again",
            )),
        }
    }
    if tokens.is_empty() && installed.is_empty() {
        found.push(worth(
            "no workspace has installed the app yet",
            format!("Start the bot and open {}{} in a browser", oauth.public_url, super::BEGIN),
        ));
    }
    tokens
}

fn refused(settings: &Settings, token: &str, code: &str) -> Finding {
    let what = format!("Slack does not accept the bot token ({code})");
    match &settings.oauth {
        Some(oauth) if settings.bot_token.as_deref() != Some(token) => wrong(
            format!("{what} of a workspace that installed the app"),
            format!("Let it install the app again: {}{}", oauth.public_url, super::BEGIN),
        ),
        _ => wrong(
            what,
            "Copy it again from the app's page under OAuth & Permissions (Bot User OAuth Token) into DRILLBOT_SLACK_BOT_TOKEN; if there is \
             none, press Install to Workspace there",
        ),
    }
}

/// Asks Slack whose a bot token is.
async fn ask(settings: &Settings, token: &str) -> Result<Known, String> {
    const NOT_REACHED: &str = "Slack could not be reached";
    // As the bot's own client: no proxy of the environment.
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build();
    let client = client.map_err(|_| "no connection to Slack can be made here".to_owned())?;
    let url = format!("{}/api/auth.test", settings.api_url.trim_end_matches('/'));
    let request = client.post(url).bearer_auth(token);
    let answer = request.send().await.map_err(|_| NOT_REACHED.to_owned())?;
    let text = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let scopes = text(SCOPES).map(|all| {
        all.split(',').map(str::trim).filter(|scope| !scope.is_empty()).map(str::to_owned).collect::<BTreeSet<_>>()
    });
    let theirs = text(header::DATE.as_str()).and_then(|date| jiff::fmt::rfc2822::parse(&date).ok());
    let ahead_s = theirs.map(|theirs| real_ms() / 1_000 - theirs.timestamp().as_second());
    let status = answer.status();
    let identity = answer.json().await.map_err(|error| match error.is_decode() {
        true => format!("Slack answers {status} to auth.test, and nothing that can be read"),
        false => NOT_REACHED.to_owned(),
    })?;
    Ok(Known { identity, scopes, ahead_s })
}

fn look_at_scopes(granted: Option<BTreeSet<String>>) -> Vec<Finding> {
    let Some(granted) = granted else {
        return vec![worth(
            "Slack did not say what the app may do",
            "Look whether slack.api_url is a proxy that drops headers",
        )];
    };
    let needed: BTreeSet<String> = manifest::scopes().into_iter().map(str::to_owned).collect();
    let list = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        one.difference(other).map(String::as_str).collect::<Vec<_>>().join(", ")
    };
    let (missing, more) = (list(&needed, &granted), list(&granted, &needed));
    let mut found = Vec::new();
    if missing.is_empty() {
        found.push(Finding::Fine("the app may do all it needs".to_owned()));
    } else {
        found.push(wrong(
            format!("the app lacks the scopes {missing}"),
            "On the app's page under App Manifest put in what drillbot slack manifest prints and save it; then press Reinstall to Workspace \
             under Install App",
        ));
    }
    if !more.is_empty() {
        found.push(worth(
            format!("the app may do more than it needs: {more}"),
            "Remove these scopes on the app's page under OAuth & Permissions, if nobody else needs them",
        ));
    }
    found
}

async fn look_at_socket_mode(api: &Api, app_token: &str) -> Finding {
    // The address in the answer is for one connection, and lapses when nobody makes it.
    match api.repeat::<Done>(&Token::new("", app_token), "apps.connections.open", &json!({})).await {
        Ok(_) => Finding::Fine("the app token opens connections (Socket Mode)".to_owned()),
        Err(Failure::Refused { code, .. }) => wrong(
            format!("Slack does not accept the app token ({code})"),
            "On the app's page see under Socket Mode that it is on; under Basic Information, App-Level Tokens, make a token with the scope \
             connections:write and put it into DRILLBOT_SLACK_APP_TOKEN",
        ),
        Err(failure) => wrong(failure.why(), LATER),
    }
}

fn look_at_signing_secret(secret: &str) -> Finding {
    if secret.len() == 32 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Finding::Fine("the signing secret has the right form".to_owned());
    }
    wrong(
        "the signing secret is none: those have 32 characters, 0 to 9 and a to f",
        "On the app's page under Basic Information, App Credentials, press Show at Signing Secret and put it into \
         DRILLBOT_SLACK_SIGNING_SECRET",
    )
}

async fn look_at_channel(api: &Api, entered: &[Entered], scheduled: &Scheduled, settings: &Settings) -> Finding {
    #[derive(Deserialize)]
    struct Found {
        channel: Channel,
    }
    #[derive(Deserialize)]
    struct Channel {
        #[serde(default)]
        is_archived: bool,
        #[serde(default)]
        is_member: bool,
        #[serde(default)]
        is_ext_shared: bool,
    }
    let daily = Names { prefix: &settings.command_prefix }.shown("daily");
    let Some(spot) = Spot::of_channel(&scheduled.channel) else {
        return wrong(format!("{} is no channel of Slack", scheduled.channel), "Write its id as T0123ABCD/C0123ABCD");
    };
    let name = if scheduled.name.is_empty() { spot.channel.to_owned() } else { format!("#{}", scheduled.name) };
    let Some(Entered { identity: me, token }) = entered.iter().find(|one| one.identity.team_id == spot.team) else {
        let names = entered.iter().map(|one| one.identity.team.as_str()).collect::<Vec<_>>().join(", ");
        return wrong(
            format!("{name} is in the workspace {}, for which there is no token", spot.team),
            format!("Install the app there, or pause the schedule: there are tokens for {names}"),
        );
    };
    let invite = format!("Type /invite @{} in the channel", me.user);
    let parameters = [("channel", spot.channel.to_owned())];
    let mut looks = 0;
    let channel = loop {
        looks += 1;
        match api.get::<Found>(token, "conversations.info", &parameters).await {
            Ok(found) => break found.channel,
            // Of many channels Slack tells slowly.
            Err(Failure::Busy { after, .. }) if looks < LOOKS => tokio::time::sleep(after.min(LONGEST_PAUSE)).await,
            Err(failure) => {
                return match failure.code() {
                    "channel_not_found" => wrong(
                        format!("{name} cannot be seen: it was deleted, or it is private and the bot is not in it"),
                        format!("{invite}; or, if it is gone, {daily} set in another one"),
                    ),
                    "missing_scope" => wrong(format!("{name} cannot be looked at"), "Mend the scopes first"),
                    _ => wrong(format!("{name}: {}", failure.why()), LATER),
                };
            }
        }
    };
    if channel.is_archived {
        return wrong(
            format!("{name} is archived"),
            format!("Unarchive it in Slack, or type {daily} set in another channel"),
        );
    }
    if !channel.is_member {
        return wrong(format!("{name}: the bot is not in it"), invite);
    }
    if channel.is_ext_shared {
        return worth(
            format!(
                "{name} is shared with another organisation, whose people see the questions and everybody's answers"
            ),
            "Use a channel of your own if they should not",
        );
    }
    Finding::Fine(format!("{name}: the bot is in it"))
}
