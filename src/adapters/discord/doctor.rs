//! `drillbot discord invite` and `drillbot doctor discord`: what an operator asks before and after the first start.

use serde::Deserialize;
use serde_json::Value;

use super::permissions::{self, least, missing};
use super::rest::{Call, Failure, Rest};
use super::{Settings, bare, commands};
use crate::adapters::doctor::{Finding, Scheduled, clock, wrong};
use crate::domain::text::counted;

/// The application may read messages: granted to large bots, and to those in fewer than 100 servers.
/// Source: <https://discord.com/developers/docs/resources/application#application-object-application-flags>.
const MESSAGE_CONTENT: u64 = (1 << 18) | (1 << 19);
#[derive(Deserialize)]
struct User {
    id: String,
    username: String,
}

#[derive(Deserialize)]
struct Application {
    id: String,
    #[serde(default)]
    flags: u64,
    #[serde(default)]
    bot_require_code_grant: bool,
    #[serde(default)]
    interactions_endpoint_url: Option<String>,
}

#[derive(Deserialize)]
struct Gateway {
    shards: u32,
    session_start_limit: Budget,
}

#[derive(Deserialize)]
struct Budget {
    total: u32,
    remaining: u32,
}

#[derive(Deserialize)]
struct Server {
    id: String,
    name: String,
}

/// The link by which an organiser invites the bot, and what to switch on in the developer portal.
///
/// # Errors
/// When Discord does not say which application the token belongs to.
pub async fn invite(settings: &Settings) -> anyhow::Result<String> {
    let rest = Rest::new(&settings.api_url, &settings.token, 1.0)?;
    let application: Application =
        rest.call(Call::get("applications/@me")).await.map_err(|failure| anyhow::anyhow!(refusal(&failure)))?;
    Ok(link(&application.id))
}

fn link(application: &str) -> String {
    format!(
        "https://discord.com/oauth2/authorize?client_id={application}&scope=bot+applications.commands&permissions={}",
        least().bits()
    )
}

fn refusal(failure: &Failure) -> String {
    match failure {
        Failure::Refused { status: 401, .. } => super::Ended::Token.to_string(),
        other => other.why().to_owned(),
    }
}

/// Looks at everything that can be wrong between the bot and Discord.
pub async fn doctor(settings: &Settings, channels: &[Scheduled]) -> Vec<Finding> {
    let mut found = Vec::new();
    let rest = match Rest::new(&settings.api_url, &settings.token, 1.0) {
        Ok(rest) => rest,
        Err(error) => return vec![wrong(error.to_string(), "Copy the token again from the developer portal")],
    };
    let me: User = match rest.call(Call::get("users/@me")).await {
        Ok(me) => me,
        Err(Failure::Refused { status: 401, .. }) => {
            return vec![wrong(
                "Discord does not accept the token (401)",
                "In the developer portal, under Bot, press Reset Token and put the new one into DRILLBOT_DISCORD_TOKEN",
            )];
        }
        Err(failure) => {
            let to_do = "Check the network and discord.api_url, then look again";
            return vec![wrong(failure.why(), to_do)];
        }
    };
    found.push(Finding::Fine(format!("the token belongs to {} ({})", me.username, me.id)));
    match rest.call::<Application>(Call::get("applications/@me")).await {
        Ok(application) => look_at_application(&rest, settings, &application, &mut found).await,
        Err(failure) => found.push(wrong(failure.why(), "Look again in a minute")),
    }
    match rest.call::<Gateway>(Call::get("gateway/bot")).await {
        Ok(gateway) => look_at_gateway(settings, &gateway, &mut found),
        Err(failure) => found.push(wrong(failure.why(), "Look again in a minute")),
    }
    match rest.clock_skew().await {
        Ok(skew) => found.extend(skew.map(|ahead_s| clock("Discord", ahead_s))),
        Err(failure) => found.push(wrong(failure.why(), "Look again in a minute")),
    }
    if channels.is_empty() {
        found.push(Finding::Worth {
            what: "no channel of Discord has a schedule yet".to_owned(),
            to_do: "Start the bot and type /daily set in the channel that shall get questions".to_owned(),
        });
    }
    for channel in channels {
        found.push(look_at_channel(&rest, &me.id, channel, settings).await);
    }
    found
}

fn look_at_gateway(settings: &Settings, gateway: &Gateway, found: &mut Vec<Finding>) {
    let Budget { total, remaining } = gateway.session_start_limit;
    if remaining < total / 10 {
        found.push(wrong(
            format!("only {remaining} of {total} new sessions are left today"),
            "Find out what restarts the bot again and again; Discord resets the token when none is left",
        ));
    } else {
        found.push(Finding::Fine(format!("{remaining} of {total} new sessions are left today")));
    }
    if let Some(shards) = settings.shards.filter(|shards| *shards < gateway.shards) {
        found.push(Finding::Worth {
            what: format!("discord.shards is {shards}, Discord recommends {}", gateway.shards),
            to_do: "Raise it, or set it to \"auto\": with too few, Discord refuses the connection one day".to_owned(),
        });
    }
}

/// The servers that the bot is in; Discord tells of 200 at once.
async fn servers(rest: &Rest) -> Result<Vec<Server>, Failure> {
    const PAGE: usize = 200;
    let mut all: Vec<Server> = Vec::new();
    loop {
        let after = all.last().map_or("0", |server| server.id.as_str());
        let query = format!("limit={PAGE}&after={after}");
        let page: Vec<Server> = rest.call(Call::get("users/@me/guilds").query(&query)).await?;
        let last = page.len() < PAGE;
        all.extend(page);
        if last {
            return Ok(all);
        }
    }
}

async fn look_at_application(rest: &Rest, settings: &Settings, application: &Application, found: &mut Vec<Finding>) {
    if application.bot_require_code_grant {
        found.push(wrong(
            "\"Requires OAuth2 Code Grant\" is on, so the invite link does not work",
            "Switch it off in the developer portal, under Bot",
        ));
    }
    if application.interactions_endpoint_url.as_ref().is_some_and(|url| !url.is_empty()) {
        found.push(wrong(
            "an Interactions Endpoint URL is set, so commands and buttons go there instead of to this bot",
            "Empty it in the developer portal, under General Information",
        ));
    }
    match (settings.read_threads, application.flags & MESSAGE_CONTENT != 0) {
        (true, true) => found.push(Finding::Fine("the Message Content Intent is on: answers in threads are read".to_owned())),
        (true, false) => found.push(wrong(
            "the Message Content Intent is off, so what people write in threads cannot be read",
            "Switch it on in the developer portal, under Bot, Privileged Gateway Intents; or set discord.read_threads = false",
        )),
        (false, _) => found.push(Finding::Fine("answers come through forms only (discord.read_threads = false)".to_owned())),
    }
    match servers(rest).await {
        Ok(servers) if servers.is_empty() => found.push(wrong(
            "the bot is in no server",
            format!("Open this link and choose yours: {}", link(&application.id)),
        )),
        Ok(servers) => {
            let names: Vec<String> = servers.iter().take(10).map(|server| server.name.clone()).collect();
            found.push(Finding::Fine(format!("in {}: {}", counted(servers.len(), "server"), names.join(", "))));
            for missing in
                settings.guilds.iter().filter(|wanted| !servers.iter().any(|server| server.id == wanted.to_string()))
            {
                found.push(wrong(
                    format!("discord.guilds names {missing}, but the bot is not in that server"),
                    format!("Invite it: {}", link(&application.id)),
                ));
            }
        }
        Err(failure) => found.push(wrong(failure.why(), "Look again in a minute")),
    }
    let path = format!("applications/{}/commands", application.id);
    match rest.call::<Vec<Value>>(Call::get(&path)).await {
        Ok(registered) => {
            let wanted = commands::registration();
            let names =
                |all: &[Value]| all.iter().map(|one| super::text_at(one, "name").to_owned()).collect::<Vec<_>>();
            let registered = names(&registered);
            let lacking: Vec<String> = names(wanted.as_array().map_or(&[][..], Vec::as_slice))
                .into_iter()
                .filter(|name| !registered.contains(name))
                .collect();
            if lacking.is_empty() {
                found.push(Finding::Fine(format!("{} are registered", counted(registered.len(), "command"))));
            } else {
                found.push(Finding::Worth {
                    what: format!("not registered yet: {}", lacking.join(", ")),
                    to_do: "Start the bot once: it registers its commands when it connects".to_owned(),
                });
            }
        }
        Err(failure) => found.push(wrong(failure.why(), "Look again in a minute")),
    }
}

async fn look_at_channel(rest: &Rest, me: &str, scheduled: &Scheduled, settings: &Settings) -> Finding {
    let id = bare(scheduled.channel.as_str());
    let name = if scheduled.name.is_empty() { format!("channel {id}") } else { format!("#{}", scheduled.name) };
    let described = match permissions::channel(rest, id).await {
        Ok(described) => described,
        Err(Failure::Refused { code, .. }) => {
            return wrong(
                format!("{name} cannot be seen (code {code})"),
                "Give the bot's role \"View Channel\" there; or, if the channel is gone, /daily set in another one",
            );
        }
        Err(failure) => return wrong(failure.why(), "Look again in a minute"),
    };
    let guild = described.guild_id.as_ref().and_then(|guild| guild.parse::<u64>().ok());
    if !settings.guilds.is_empty() && !guild.is_some_and(|guild| settings.guilds.contains(&guild)) {
        return wrong(
            format!("{name} is in a server that discord.guilds does not name"),
            "Add its id, or pause the schedule",
        );
    }
    match permissions::of_member(rest, &described, me).await {
        Ok(has) => match missing(has, least()).as_slice() {
            [] => Finding::Fine(format!("{name}: every permission is there")),
            names => wrong(
                format!("{name}: missing {}", names.join(", ")),
                "In the channel's settings, under Permissions, give them to the bot's role",
            ),
        },
        Err(failure) => wrong(format!("{name}: {}", failure.why()), "Invite the bot again"),
    }
}
