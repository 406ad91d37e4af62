//! One process on Discord, on Slack and with its own page, all at once: each has its own question, answers and board.

use std::time::Duration;

use drillbot::store::Store;

use crate::fake::discord::{self, Permissions};
use crate::fake::slack;
use crate::support::{Client, Setup, eventually};
use crate::world::{FULL, PART, bank_texts, folder, standings_agree};

const PATIENCE: Duration = Duration::from_secs(40);
/// Of the page.
const CHANNEL: &str = "daily-drill";
const KEY_POINTS: &str = "Key points, and who covered them";
const SET: &str = "/daily set time:09:00 zone:Europe/London reveal:8h";

#[tokio::test]
async fn three_places_drill_side_by_side_and_nothing_is_mixed() {
    let (there, here) = (discord::Fake::start().await, slack::Fake::start().await);
    let guild = there.guild("Guild");
    let guild_channel = there.text_channel(guild, "daily-drill");
    let dora = there.member(guild, "Dora", Permissions::MANAGE_GUILD);
    let team = here.workspace("Workspace");
    let team_channel = here.public_channel(team, "daily-drill");
    here.invite(team_channel);
    let sam = here.admin(team, "Sam");
    here.join(team_channel, sam);
    let folder = folder();
    for (name, text) in bank_texts(&[("iam", 6)]) {
        std::fs::write(folder.path().join(name), text).expect("the bank is written");
    }
    let database = format!("sqlite:{}", folder.path().join("together.db").display());
    let settings = "[content]\nembedded = false\npaths = [\"iam.toml\"]\n\
                    [[channels]]\nplatform = \"web\"\nname = \"daily-drill\"\n";
    let setup = Setup::new(folder.path(), &database, settings)
        .with("DRILLBOT_DISCORD_TOKEN", &there.token())
        .with("DRILLBOT_DISCORD_API_URL", &there.url())
        .with("DRILLBOT_SLACK_BOT_TOKEN", &here.token(team))
        .with("DRILLBOT_SLACK_APP_TOKEN", &here.app_token())
        .with("DRILLBOT_SLACK_API_URL", &here.url());
    let mut bot = setup.start().await;
    let url = bot.ready().await;
    there.connected().await;
    here.connected().await;
    eventually("Discord's commands are registered", PATIENCE, || async {
        (!there.commands().is_empty()).then_some(())
    })
    .await;
    let will = Client::sign_in(&url, "Will").await.expect("Will is signed in");

    // A question in each of the three, at the same time.
    let set = there.command(dora, guild_channel, SET).await;
    assert!(set.text().contains("Changed"), "{}", set.text());
    let set = here.command(sam, team_channel, SET).await;
    assert!(set.text().contains("Changed"), "{}", set.text());
    let asked = tokio::join!(
        there.command(dora, guild_channel, "/daily now"),
        here.command(sam, team_channel, "/daily now"),
        will.write(CHANNEL, None, "/daily now", "now"),
    );
    assert_eq!(asked.2.expect("the page answers").0, 200);
    let on_discord = || there.messages(guild_channel).into_iter().filter(|one| one.text().contains("Level"));
    let dora_card = eventually("Discord's question", PATIENCE, || async { on_discord().next() }).await;
    let sam_card = here.until(team_channel, "Level").await;
    let (will_card, will_answer) = eventually("the page's question", PATIENCE, || async {
        will.open_cards(CHANNEL).await.ok()?.into_iter().next()
    })
    .await;
    eventually("Discord's thread", PATIENCE, || async { there.threads(guild_channel).first().cloned() }).await;

    // Each answers in their own place.
    there.write(dora, dora_card.id, FULL);
    here.reply(sam, sam_card.spot, PART);
    assert_eq!(will.submit(CHANNEL, &will_card, &will_answer, FULL).await.expect("the page answers").0, 200);
    eventually("Dora is counted", PATIENCE, || async {
        on_discord().any(|one| one.text().contains("1 person")).then_some(())
    })
    .await;
    here.until(team_channel, "1 person").await;
    there.command(dora, guild_channel, "/daily reveal").await;
    here.command(sam, team_channel, "/daily reveal").await;
    will.write(CHANNEL, None, "/daily reveal", "reveal").await.expect("the page answers");
    eventually("Discord's reveal", PATIENCE, || async {
        there.messages(dora_card.id).iter().any(|one| one.text().contains(KEY_POINTS)).then_some(())
    })
    .await;
    eventually("Slack's reveal", PATIENCE, || async {
        here.replies(sam_card.spot).iter().any(|one| one.text().contains(KEY_POINTS)).then_some(())
    })
    .await;
    let told = eventually("the page's reveal", PATIENCE, || async {
        let (_, thread) = will.get(&format!("/api/messages/{will_card}/thread")).await.ok()?;
        let text = thread.to_string();
        text.contains(KEY_POINTS).then_some(text)
    })
    .await;
    assert!(told.contains("Will"), "{told}");

    // A board each, with its own people only; one question each.
    let boards = [
        ("Dora", there.command(dora, guild_channel, "/leaderboard").await.text().to_owned()),
        ("Sam", here.command(sam, team_channel, "/leaderboard").await.text().to_owned()),
        ("Will", will.write(CHANNEL, None, "/leaderboard", "board").await.expect("the page answers").1.to_string()),
    ];
    for (name, board) in &boards {
        for (other, _) in &boards {
            assert_eq!(board.contains(other), name == other, "{name}'s board and {other}: {board}");
        }
    }
    assert_eq!(on_discord().count(), 1);
    let on_slack = here.messages(team_channel);
    assert_eq!(on_slack.iter().filter(|one| one.text().contains("Level")).count(), 1);
    let stopped = bot.stop().await;
    assert_eq!(stopped.code, Some(0), "{}", bot.words());
    let store = Store::open(&database).await.expect("the database opens after the bot has stopped");
    standings_agree(&store).await;
    there.check();
    here.check();
}
