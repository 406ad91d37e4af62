//! What an operator asks before and after the first start.

use std::sync::Arc;

use drillbot::adapters::doctor::{Finding, Scheduled};
use drillbot::adapters::slack::manifest::scopes;
use drillbot::adapters::slack::vault::{Keys, new_key};
use drillbot::adapters::slack::{self, OAuth, Settings};
use drillbot::domain::ids::ChannelId;
use drillbot::store::slack::Installed;

use super::Stage;
use crate::fake::slack::{Fault, Id, Outage};
use crate::support::Setup;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// What is found where one channel has a schedule.
async fn examined(change: impl FnOnce(&Stage, &mut Settings)) -> Vec<Finding> {
    let stage = Stage::dark().await;
    let mut settings = stage.settings.clone();
    change(&stage, &mut settings);
    let found = slack::doctor(&settings, &[], &[scheduled(&stage)]).await;
    stage.end().await;
    found
}

fn scheduled(stage: &Stage) -> Scheduled {
    let channel = ChannelId::new(format!("slack:{}/{}", stage.team, stage.channel));
    Scheduled { channel, name: "daily-drill".into() }
}

/// Everything that is not fine: (what, what to do).
fn problems(found: &[Finding]) -> Vec<(String, String)> {
    let bad = found.iter().filter_map(|one| match one {
        Finding::Fine(_) => None,
        Finding::Worth { what, to_do } | Finding::Wrong { what, to_do } => Some((what.clone(), to_do.clone())),
    });
    bad.collect()
}

#[track_caller]
fn only_problem(found: &[Finding]) -> (String, String) {
    let bad = problems(found);
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
    let found = examined(|_, settings| settings.signing_secret = Some(SECRET.to_owned())).await;
    let lines: Vec<&str> = found
        .iter()
        .map(|one| match one {
            Finding::Fine(line) => line.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    for words in [
        "the bot token belongs to @drillbot in Study group (T",
        "the app may do all it needs",
        "the app token opens connections",
        "the signing secret has the right form",
        "the clock agrees with Slack's",
        "#daily-drill: the bot is in it",
    ] {
        assert!(lines.iter().any(|line| line.contains(words)), "{words:?} in {lines:#?}");
    }
    assert_eq!(lines.len(), 6, "{lines:#?}");
}

#[tokio::test]
async fn tokens_that_slack_refuses_are_named_with_the_page_they_come_from() {
    let found = examined(|_, settings| settings.bot_token = Some("xoxb-another".to_owned())).await;
    says(only_problem(&found), "does not accept the bot token (invalid_auth)", "Bot User OAuth Token");
    let found = examined(|stage, _| stage.fake.revoke(stage.team)).await;
    says(only_problem(&found), "does not accept the bot token (token_revoked)", "DRILLBOT_SLACK_BOT_TOKEN");
    let found = examined(|_, settings| settings.app_token = Some("xapp-1-another".to_owned())).await;
    says(only_problem(&found), "does not accept the app token (invalid_auth)", "connections:write");
    // The other token in its place.
    let found = examined(|stage, settings| settings.app_token = Some(stage.fake.token(stage.team))).await;
    says(only_problem(&found), "the app token (not_allowed_token_type)", "App-Level Tokens");
    let found = examined(|stage, _| stage.fake.fault("apps.connections.open", Fault::Error("missing_scope"))).await;
    says(only_problem(&found), "the app token (missing_scope)", "connections:write");
    for found in [
        examined(|_, settings| settings.bot_token = Some("xoxb-very-secret".to_owned())).await,
        examined(|_, settings| settings.app_token = Some("xapp-very-secret".to_owned())).await,
        examined(|_, settings| settings.signing_secret = Some("very-secret".to_owned())).await,
    ] {
        assert!(!format!("{found:?}").contains("very-secret"), "a secret is nobody's business");
    }
}

#[tokio::test]
async fn every_scope_that_is_missing_is_named() {
    for scope in scopes() {
        let found = examined(|stage, _| stage.fake.take_scope(stage.team, scope)).await;
        let bad = problems(&found);
        says(bad[0].clone(), &format!("the app lacks the scopes {scope}"), "drillbot slack manifest");
        assert!(bad[0].1.contains("Reinstall to Workspace"), "{found:#?}");
    }
    let found = examined(|stage, _| {
        for scope in ["channels:read", "chat:write"] {
            stage.fake.take_scope(stage.team, scope);
        }
    })
    .await;
    let bad = problems(&found);
    says(bad[0].clone(), "channels:read, chat:write", "App Manifest");
    says(bad[1].clone(), "#daily-drill cannot be looked at", "scopes first");
}

#[tokio::test]
async fn a_scope_too_many_is_worth_a_word() {
    let found = examined(|stage, _| {
        let install = |model: &mut crate::fake::slack::Model| {
            let team = model.teams.get_mut(&stage.team).expect("the workspace");
            team.install.as_mut().expect("the app").scopes.insert("channels:join".into());
        };
        stage.fake.with(install);
    })
    .await;
    says(only_problem(&found), "more than it needs: channels:join", "OAuth & Permissions");
    assert!(found.iter().all(|one| !matches!(one, Finding::Wrong { .. })), "{found:#?}");
}

#[tokio::test]
async fn a_signing_secret_that_is_something_else_is_found() {
    for wrong in ["xapp-1-A0-token", "0123456789abcdef", "0123456789abcdef0123456789abcdeg"] {
        let found = examined(|_, settings| settings.signing_secret = Some(wrong.to_owned())).await;
        says(only_problem(&found), "the signing secret is none", "App Credentials");
    }
}

#[tokio::test]
async fn a_wrong_clock_is_found() {
    let found = examined(|stage, _| stage.fake.with(|model| model.timing.ahead_s = 90)).await;
    says(only_problem(&found), "s behind", "time synchronisation");
    let found = examined(|stage, _| stage.fake.with(|model| model.timing.ahead_s = -90)).await;
    says(only_problem(&found), "s ahead", "time synchronisation");
}

#[tokio::test]
async fn channels_in_which_the_bot_cannot_work_are_named_with_what_to_do() {
    let found = examined(|stage, _| stage.fake.kick(stage.channel)).await;
    says(only_problem(&found), "#daily-drill: the bot is not in it", "/invite @drillbot");
    let found = examined(|stage, _| stage.fake.archive(stage.channel)).await;
    says(only_problem(&found), "#daily-drill is archived", "/daily set in another channel");
    let found = examined(|stage, _| stage.fake.delete_channel(stage.channel)).await;
    says(only_problem(&found), "#daily-drill cannot be seen", "/daily set in another one");
    let found = examined(|stage, settings| {
        stage.fake.archive(stage.channel);
        settings.command_prefix = "aws-".into();
    })
    .await;
    says(only_problem(&found), "archived", "/aws-daily set");
}

#[tokio::test]
async fn a_private_channel_without_the_bot_looks_like_none() {
    let stage = Stage::dark().await;
    let secret = stage.fake.private_channel(stage.team, "interviews");
    let channel = ChannelId::new(format!("slack:{}/{secret}", stage.team));
    let scheduled = Scheduled { channel, name: "interviews".into() };
    stage.fake.kick(secret);
    let found = slack::doctor(&stage.settings, &[], std::slice::from_ref(&scheduled)).await;
    says(only_problem(&found), "#interviews cannot be seen", "/invite @drillbot");
    stage.fake.invite(secret);
    let found = slack::doctor(&stage.settings, &[], &[scheduled]).await;
    assert_eq!(problems(&found), [], "{found:#?}");
    stage.end().await;
}

#[tokio::test]
async fn a_channel_that_is_shared_with_others_is_worth_a_word() {
    let found = examined(|stage, _| {
        let other = stage.fake.workspace_without_app("Partner");
        stage.fake.share(stage.channel, other);
    })
    .await;
    says(only_problem(&found), "shared with another organisation", "a channel of your own");
    assert!(found.iter().all(|one| !matches!(one, Finding::Wrong { .. })), "{found:#?}");
}

#[tokio::test]
async fn a_channel_of_another_workspace_and_no_channel_at_all_are_told() {
    let stage = Stage::dark().await;
    let elsewhere = Scheduled { channel: ChannelId::new("slack:T0OTHER/C0OTHER"), name: String::new() };
    let found = slack::doctor(&stage.settings, &[], &[elsewhere]).await;
    says(only_problem(&found), "C0OTHER is in the workspace T0OTHER", "for Study group");
    let found = slack::doctor(&stage.settings, &[], &[]).await;
    says(only_problem(&found), "no channel of Slack has a schedule yet", "/daily set 09:00");
    stage.end().await;
}

#[tokio::test]
async fn while_slack_is_away_that_is_all_there_is_to_say() {
    for outage in [Outage::Unreachable, Outage::Unavailable] {
        let found = examined(|stage, _| stage.fake.with(|model| model.faults.outage = Some(outage))).await;
        says(only_problem(&found), "Slack", "slack.api_url");
        assert_eq!(found.len(), 1, "{found:#?}");
    }
}

#[tokio::test]
async fn a_pause_that_slack_asks_for_is_kept() {
    let found = examined(|stage, _| {
        for _ in 0..3 {
            stage.fake.fault("conversations.info", Fault::TooMany { retry_after_s: 1 });
        }
    })
    .await;
    assert_eq!(problems(&found), [], "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_by_its_exit_code_whether_something_is_wrong() {
    let stage = Stage::dark().await;
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("[[channels]]\nplatform = \"slack\"\nid = \"{}/{}\"\n", stage.team, stage.channel);
    std::fs::write(folder.path().join("drillbot.toml"), text).expect("a file");
    let setup = || Setup::bare(folder.path()).argue(&["doctor", "slack"]);
    let with = |pairs: &[(&str, String)]| {
        let mut setup = setup();
        setup.environment.extend(pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let output = setup.run();
        let text = [output.stdout, output.stderr].map(|all| String::from_utf8_lossy(&all).into_owned()).concat();
        (output.status.code(), text)
    };
    let (code, text) = with(&[]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("there is no token"), "{text}");
    let settings = [
        ("DRILLBOT_SLACK_BOT_TOKEN", stage.fake.token(stage.team)),
        ("DRILLBOT_SLACK_APP_TOKEN", stage.fake.app_token()),
        ("DRILLBOT_SLACK_API_URL", stage.fake.url()),
    ];
    let (code, text) = with(&settings);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("ok the bot token belongs to @drillbot") && text.contains("the bot is in it"), "{text}");
    stage.fake.kick(stage.channel);
    let (code, text) = with(&settings);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("!  ") && text.contains("Type /invite @drillbot") && text.contains("1 problem found."),
        "{text}"
    );
    assert!(!text.contains(&stage.fake.token(stage.team)), "the token is nobody's business");
    stage.end().await;
}

#[tokio::test]
async fn workspaces_that_installed_it_are_examined_each_with_its_own_token() {
    let stage = Stage::dark().await;
    let key = new_key().expect("a key");
    let keys = Arc::new(Keys::read(&key).expect("a key"));
    let (client_id, client_secret) = stage.fake.client();
    let public_url = "https://drill.example.org".to_owned();
    let mut settings = stage.settings.clone();
    settings.oauth = Some(OAuth { client_id, client_secret, public_url, keys: keys.clone() });
    settings.bot_token = None;
    let found = slack::doctor(&settings, &[], &[]).await;
    let (what, to_do) = problems(&found).into_iter().next().expect("a problem");
    assert_eq!(what, "no workspace has installed the app yet");
    assert!(to_do.contains("https://drill.example.org/slack/install"), "{to_do}");
    let other = stage.fake.workspace("Other group");
    let row = |team: Id, key: &Keys| Installed {
        team: team.to_string(),
        bot_user: String::new(),
        token: key.seal(&team.to_string(), &stage.fake.token(team)).expect("a token"),
    };
    let found = slack::doctor(&settings, &[row(stage.team, &keys), row(other, &keys)], &[scheduled(&stage)]).await;
    assert!(problems(&found).is_empty(), "{found:#?}");
    for name in ["Study group", "Other group", "#daily-drill"] {
        assert!(format!("{found:?}").contains(name), "{name}: {found:#?}");
    }
    stage.fake.revoke(other);
    let found = slack::doctor(&settings, &[row(stage.team, &keys), row(other, &keys)], &[scheduled(&stage)]).await;
    says(only_problem(&found), "token_revoked", "https://drill.example.org/slack/install");
    let lost = Keys::read(&new_key().expect("a key")).expect("a key");
    let found = slack::doctor(&settings, &[row(stage.team, &keys), row(other, &lost)], &[scheduled(&stage)]).await;
    says(only_problem(&found), "encrypted with a key that is not in slack.token_key", "Put the old key behind");
    stage.end().await;
}
