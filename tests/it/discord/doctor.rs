//! What an operator asks before and after the first start.

use std::time::Duration;

use drillbot::adapters::discord::{self, Settings};
use drillbot::adapters::doctor::{Finding, Scheduled};
use drillbot::domain::ids::ChannelId;
use serde_json::json;

use super::{Stage, outage};
use crate::fake::discord::{Fault, Outage, Permissions};

/// The bot has run once, and its only channel has a schedule.
async fn examined(change: impl FnOnce(&Stage, &mut Settings)) -> Vec<Finding> {
    let stage = Stage::new().await;
    let mut settings = stage.settings.clone();
    change(&stage, &mut settings);
    let channels =
        [Scheduled { channel: ChannelId::new(format!("discord:{}", stage.channel)), name: "daily-drill".into() }];
    let found = discord::doctor(&settings, &channels).await;
    stage.end().await;
    found
}

/// The one finding that is not fine: (what, what to do).
#[track_caller]
fn only_problem(found: &[Finding]) -> (String, String) {
    let bad = found.iter().filter_map(|one| match one {
        Finding::Fine(_) => None,
        Finding::Worth { what, to_do } | Finding::Wrong { what, to_do } => Some((what.clone(), to_do.clone())),
    });
    let bad: Vec<_> = bad.collect();
    assert_eq!(bad.len(), 1, "{found:#?}");
    bad[0].clone()
}

#[track_caller]
fn says((what, to_do): (String, String), about: &str, advice: &str) {
    assert!(what.contains(about), "{about:?} in {what:?}");
    assert!(to_do.contains(advice), "{advice:?} in {to_do:?}");
}

#[tokio::test]
async fn where_all_is_well_it_says_so() {
    let found = examined(|_, _| {}).await;
    let lines: Vec<&str> = found
        .iter()
        .map(|one| match one {
            Finding::Fine(line) => line.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    for words in [
        "the token belongs to drillbot",
        "the Message Content Intent is on",
        "in 1 server: Study group",
        "commands are registered",
        "999 of 1000 new sessions",
        "the clock agrees",
        "#daily-drill: every permission is there",
    ] {
        assert!(lines.iter().any(|line| line.contains(words)), "{words:?} in {lines:#?}");
    }
}

#[tokio::test]
async fn a_wrong_token_is_all_there_is_to_say() {
    let found = examined(|_, settings| settings.token.push('x')).await;
    assert_eq!(found.len(), 1);
    says(only_problem(&found), "does not accept the token", "DRILLBOT_DISCORD_TOKEN");
    let found = examined(|_, settings| settings.token.push('\n')).await;
    says(only_problem(&found), "cannot have", "developer portal");
}

#[tokio::test]
async fn the_intent_is_missed_only_by_who_wants_threads_read() {
    let found = examined(|stage, _| stage.fake.grant_message_content(false)).await;
    says(only_problem(&found), "Message Content Intent is off", "discord.read_threads = false");
    let found = examined(|stage, settings| {
        stage.fake.grant_message_content(false);
        settings.read_threads = false;
    })
    .await;
    assert!(found.iter().all(|one| matches!(one, Finding::Fine(_))), "{found:#?}");
}

#[tokio::test]
async fn a_missing_permission_is_named_with_its_channel() {
    let found = examined(|stage, _| {
        stage.fake.deny(stage.channel, Permissions::CREATE_PUBLIC_THREADS | Permissions::EMBED_LINKS);
    })
    .await;
    let problem = only_problem(&found);
    says(problem.clone(), "#daily-drill: missing Embed Links, Create Public Threads", "Permissions");
    let found = examined(|stage, _| stage.fake.deny(stage.channel, Permissions::VIEW_CHANNEL)).await;
    says(only_problem(&found), "#daily-drill", "View Channel");
}

#[tokio::test]
async fn a_channel_that_is_gone_is_named() {
    let found = examined(|stage, _| stage.fake.delete_channel(stage.channel)).await;
    says(only_problem(&found), "#daily-drill cannot be seen (code 10003)", "/daily set in another one");
}

#[tokio::test]
async fn switches_of_the_portal_that_stop_the_bot_are_found() {
    let found = examined(|stage, _| stage.fake.with(|model| model.application.code_grant = true)).await;
    says(only_problem(&found), "Requires OAuth2 Code Grant", "Switch it off");
    let found = examined(|stage, _| {
        let url = "https://example.org/interactions".to_owned();
        stage.fake.with(|model| model.application.interactions_endpoint = Some(url));
    })
    .await;
    says(only_problem(&found), "Interactions Endpoint URL is set", "Empty it");
}

#[tokio::test]
async fn who_is_in_no_server_gets_the_link() {
    let stage = Stage::new().await;
    stage.fake.kick(stage.guild);
    let found = discord::doctor(&stage.settings, &[]).await;
    let has = |words: &str, advice: &str| {
        found.iter().any(|one| match one {
            Finding::Worth { what, to_do } | Finding::Wrong { what, to_do } => {
                what.contains(words) && to_do.contains(advice)
            }
            Finding::Fine(_) => false,
        })
    };
    assert!(has("the bot is in no server", "https://discord.com/oauth2/authorize?client_id="), "{found:#?}");
    assert!(has("no channel of Discord has a schedule yet", "/daily set"), "{found:#?}");
    stage.end().await;
}

#[tokio::test]
async fn sessions_that_run_out_and_a_wrong_clock_are_found() {
    let found = examined(|stage, _| stage.fake.with(|model| model.sessions.identified = 950)).await;
    says(only_problem(&found), "only 50 of 1000 new sessions are left", "restarts the bot");
    let found = examined(|stage, _| stage.fake.with(|model| model.timing.ahead_s = 90)).await;
    let (what, to_do) = only_problem(&found);
    assert!(what.contains("s behind") && (what.contains("89") || what.contains("90") || what.contains("91")), "{what}");
    assert!(to_do.contains("time synchronisation"), "{to_do}");
    let found = examined(|stage, _| stage.fake.with(|model| model.timing.ahead_s = -90)).await;
    says(only_problem(&found), "s ahead", "time synchronisation");
}

#[tokio::test]
async fn an_allow_list_that_does_not_fit_is_found() {
    let found = examined(|stage, settings| settings.guilds = vec![stage.guild, 42]).await;
    says(only_problem(&found), "discord.guilds names 42", "Invite it");
    let found = examined(|stage, settings| {
        let other = stage.fake.guild("Another group");
        settings.guilds = vec![other];
    })
    .await;
    says(only_problem(&found), "#daily-drill is in a server that discord.guilds does not name", "Add its id");
}

#[tokio::test]
async fn every_server_is_looked_through_for_the_allow_list() {
    let found = examined(|stage, settings| {
        let all: Vec<u64> = (0..205).map(|_| stage.fake.guild("Another group")).collect();
        settings.guilds = vec![stage.guild, all[204]];
    })
    .await;
    assert!(found.iter().all(|one| matches!(one, Finding::Fine(_))), "{found:#?}");
}

#[tokio::test]
async fn fewer_shards_than_discord_recommends_are_worth_a_word() {
    let found = examined(|stage, settings| {
        stage.fake.with(|model| model.sessions.recommended_shards = 4);
        settings.shards = Some(2);
    })
    .await;
    says(only_problem(&found), "discord.shards is 2, Discord recommends 4", "auto");
}

#[tokio::test]
async fn commands_that_are_not_there_yet_are_named() {
    let stage = Stage::dark().await;
    let channel = ChannelId::new(format!("discord:{}", stage.channel));
    let found = discord::doctor(&stage.settings, &[Scheduled { channel, name: String::new() }]).await;
    says(only_problem(&found), "not registered yet: ", "Start the bot once");
    stage.end().await;
}

#[tokio::test]
async fn a_discord_out_of_reach_is_told_and_a_slow_one_waited_for() {
    let found = examined(|stage, _| stage.fake.outage(Outage::Unreachable)).await;
    assert_eq!(found.len(), 1);
    says(only_problem(&found), "could not be reached", "discord.api_url");
    let stage = Stage::new().await;
    stage.fake.fault("GET", "/users/@me", Fault::Status(503, json!({})));
    outage(&stage.fake, Outage::Unavailable, Duration::from_millis(10)).await;
    let found = discord::doctor(&stage.settings, &[]).await;
    says(only_problem(&found), "no channel of Discord has a schedule yet", "/daily set");
    stage.end().await;
}

#[tokio::test]
async fn the_invite_asks_for_what_the_bot_needs_and_nothing_else() {
    let stage = Stage::dark().await;
    let link = discord::invite(&stage.settings).await.expect("a link");
    let asked: u64 = link.split("permissions=").nth(1).and_then(|bits| bits.parse().ok()).expect("the permissions");
    let needed = [
        Permissions::VIEW_CHANNEL,
        Permissions::SEND_MESSAGES,
        Permissions::EMBED_LINKS,
        Permissions::READ_MESSAGE_HISTORY,
        Permissions::ADD_REACTIONS,
        Permissions::CREATE_PUBLIC_THREADS,
        Permissions::SEND_MESSAGES_IN_THREADS,
    ];
    assert_eq!(asked, needed.into_iter().fold(Permissions::empty(), |all, one| all | one).bits());
    // The fake gives the bot these and no others.
    let given = stage.fake.with(|model| {
        let roles = &model.guilds[&stage.guild].roles;
        roles.values().find(|role| role.managed).expect("the bot's role").permissions.bits()
    });
    assert_eq!(asked, given);
    let docs = include_str!("../../../docs/discord.md");
    assert!(docs.contains(&asked.to_string()), "docs/discord.md names {asked}");
    assert!(link.contains("scope=bot+applications.commands"), "{link}");
    let application = stage.fake.with(|model| model.application.id);
    assert!(link.starts_with(&format!("https://discord.com/oauth2/authorize?client_id={application}&")), "{link}");
    let mut wrong = stage.settings.clone();
    wrong.token.push('x');
    let refused = discord::invite(&wrong).await.expect_err("no link without a token");
    assert!(refused.to_string().contains("Reset Token"), "{refused}");
    assert!(!refused.to_string().contains(&wrong.token), "the token is nobody's business");
    stage.end().await;
}
