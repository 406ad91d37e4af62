//! Who takes part, under which name, and which of their words count.

use std::time::Duration;

use drillbot::adapters::slack;
use drillbot::domain::ids::MemberId;
use drillbot::store::{answers, rounds};
use serde_json::{Value, json};

use super::{PATIENCE, Stage};
use crate::fake::slack::{Fault, Id, SeenKind, Shown};
use crate::support::eventually;
use crate::world::{FULL, PART};

const LONG: &str = "09:00 zone:Europe/London reveal:8h";

/// An open question that Bob has answered.
async fn answered(stage: &Stage) -> Shown {
    let card = stage.question(LONG).await;
    stage.noted(&card).await;
    stage.fake.reply(stage.bob, card.spot, FULL);
    stage.fake.until(stage.channel, "1 person").await;
    stage.settled().await;
    card
}

// ---- what counts

/// What is stored for the open question, in order.
async fn stored(stage: &Stage) -> Vec<String> {
    let read = stage.app.store.read("read the answers", |conn| {
        Box::pin(async move {
            let mut all = Vec::new();
            for round in rounds::open_in_threads(conn, slack::PLATFORM).await? {
                all.extend(answers::of_round(conn, &round.id).await?);
            }
            Ok(all)
        })
    });
    let mut parts = read.await.expect("the answers");
    parts.sort_by(|one, other| one.id.cmp(&other.id));
    parts.into_iter().filter(|part| !part.deleted).map(|part| part.body).collect()
}

async fn holds(stage: &Stage, bodies: &[&str]) {
    eventually(&format!("{bodies:?} is stored"), PATIENCE, || async { (stored(stage).await == bodies).then_some(()) })
        .await;
}

#[tokio::test]
async fn whatever_people_write_counts_and_nothing_else_does() {
    let mut stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    stage.noted(&card).await;
    let fake = &stage.fake;
    fake.another_app_writes(card.spot, "Remember to answer.");
    fake.write(stage.bob, stage.channel, "Beside the thread.");
    fake.write_as(stage.bob, card.spot, "joined", "channel_join");
    fake.reply(stage.bob, card.spot, "plain");
    fake.write_as(stage.bob, card.spot, "thinks", "me_message");
    fake.write_as(stage.cleo, card.spot, "a picture of it", "file_share");
    fake.write_as(stage.cleo, card.spot, "", "file_share");
    let wide = fake.broadcast(stage.cleo, card.spot, "for the channel too");
    let all = ["plain", "thinks", "a picture of it", "for the channel too"];
    holds(&stage, &all).await;
    fake.edit(wide, "changed in both");
    holds(&stage, &["plain", "thinks", "a picture of it", "changed in both"]).await;
    // Read from the thread it is the same.
    stage.crash().await;
    stage.fake.edit(wide, "for the channel too");
    stage.come_back().await;
    holds(&stage, &all).await;
    stage.fake.until(stage.channel, "2 people").await;
    stage.end().await;
}

#[tokio::test]
async fn edits_and_deletions_count_until_the_reveal() {
    let stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    stage.noted(&card).await;
    let fake = &stage.fake;
    let changed = fake.reply(stage.bob, card.spot, "one");
    holds(&stage, &["one"]).await;
    // Twice within a second.
    fake.edit(changed, "two");
    fake.edit(changed, "three");
    holds(&stage, &["three"]).await;
    fake.edit(changed, "");
    holds(&stage, &[]).await;
    fake.edit(changed, "again");
    holds(&stage, &["again"]).await;
    let gone = fake.reply(stage.cleo, card.spot, FULL);
    fake.until(stage.channel, "2 people").await;
    fake.delete(gone);
    fake.until(stage.channel, "1 person").await;
    holds(&stage, &["again"]).await;
    fake.edit(changed, PART);
    holds(&stage, &[PART]).await;
    let told = stage.reveal(card.spot).await;
    // Too late.
    fake.edit(changed, FULL);
    let late = fake.reply(stage.cleo, card.spot, FULL);
    fake.until_reaction(late, "hourglass").await;
    let mine = fake.press(stage.bob, told.last().expect("the key points"), "My result").await;
    assert!(mine.text().contains("50 of 100"), "{}", mine.text());
    stage.end().await;
}

// ---- people

async fn board(stage: &Stage) -> String {
    stage.fake.command(stage.ann, stage.channel, "/leaderboard").await.text().to_owned()
}

async fn on_board(stage: &Stage, name: &str) {
    eventually(&format!("{name} is on the board"), PATIENCE, || async {
        board(stage).await.contains(name).then_some(())
    })
    .await;
}

#[tokio::test]
async fn people_of_another_workspace_in_a_shared_channel_take_part() {
    let stage = Stage::roomy().await;
    let partner = stage.fake.workspace_without_app("Partner");
    let (other_bob, dora) = (stage.fake.member(partner, "Bob"), stage.fake.member(partner, "Dora"));
    stage.fake.share(stage.channel, partner);
    let card = answered(&stage).await;
    stage.fake.reply(other_bob, card.spot, PART);
    stage.fake.until(stage.channel, "2 people").await;
    stage.settled().await;
    let form = stage.fake.press(dora, &card, "Answer").await;
    assert_eq!(form.kind, SeenKind::Modal, "{}", form.text());
    stage.fake.submit(dora, form.modal(), &[("answer", FULL)]).await;
    stage.fake.until(stage.channel, "3 people").await;
    let told = stage.reveal(card.spot).await;
    let points = told.last().expect("the key points");
    for (who, worth) in [(stage.bob, "100 of 100"), (other_bob, "50 of 100"), (dora, "100 of 100")] {
        let mine = stage.fake.press(who, points, "My result").await;
        assert!(mine.text().contains(worth), "{worth} in {}", mine.text());
    }
    let board = board(&stage).await;
    assert!(board.matches("Bob").count() == 2 && board.contains("Dora"), "{board}");
    stage.end().await;
}

#[tokio::test]
async fn an_event_of_a_shared_channel_belongs_to_the_workspace_that_has_the_app() {
    let stage = Stage::roomy().await;
    let partner = stage.fake.workspace_without_app("Partner");
    let dora = stage.fake.member(partner, "Dora");
    stage.fake.share(stage.channel, partner);
    let card = answered(&stage).await;
    // It happened in the workspace of whoever wrote it; the installation that it is told to stands beside.
    let event = json!({
        "type": "message", "user": dora.to_string(), "text": PART, "team": partner.to_string(),
        "ts": "1795424400.000100", "event_ts": "1795424400.000100", "thread_ts": card.spot.ts.to_string(),
        "channel": stage.channel.to_string(), "channel_type": "channel",
    });
    let envelope = |payload: Value| json!({"type": "events_api", "envelope_id": "shared", "payload": payload});
    let told = json!({
        "type": "event_callback", "team_id": partner.to_string(), "event": event, "is_ext_shared_channel": true,
        "authorizations": [{"team_id": stage.team.to_string(), "user_id": stage.fake.bot(stage.team).to_string()}],
    });
    stage.fake.say(&envelope(told).to_string());
    stage.fake.until(stage.channel, "2 people").await;
    holds(&stage, &[FULL, PART]).await;
    eventually("her name is known", PATIENCE, || async {
        (called(&stage, dora).await.as_deref() == Some("Dora")).then_some(())
    })
    .await;
    let told = stage.fake.violations();
    assert!(told.iter().all(|one| one.contains("an acknowledgement of \"shared\"")), "{told:#?}");
    stage.end().await;
}

#[tokio::test]
async fn two_people_with_one_name_are_two_and_guests_take_part() {
    let stage = Stage::roomy().await;
    let (other_bob, guest) = (stage.fake.member(stage.team, "Bob"), stage.fake.guest(stage.channel, "Gus"));
    let card = answered(&stage).await;
    stage.fake.reply(other_bob, card.spot, PART);
    stage.fake.reply(guest, card.spot, FULL);
    stage.fake.until(stage.channel, "3 people").await;
    stage.settled().await;
    let form = stage.fake.press(guest, &card, "Answer").await;
    stage.fake.submit(guest, form.modal(), &[("answer", FULL)]).await;
    let told = stage.reveal(card.spot).await;
    let mine = stage.fake.press(guest, told.last().expect("the key points"), "My result").await;
    assert!(mine.text().contains("100 of 100"), "{}", mine.text());
    let board = board(&stage).await;
    assert!(board.matches("Bob").count() == 2 && board.contains("Gus"), "{board}");
    stage.end().await;
}

#[tokio::test]
async fn people_who_are_renamed_or_leave_keep_their_place() {
    let stage = Stage::roomy_with(|settings| settings.patience.names = Duration::ZERO).await;
    let card = answered(&stage).await;
    stage.fake.reply(stage.cleo, card.spot, FULL);
    stage.fake.until(stage.channel, "2 people").await;
    stage.fake.rename(stage.bob, "Robert");
    stage.fake.reply(stage.bob, card.spot, PART);
    stage.fake.deactivate(stage.cleo);
    stage.settled().await;
    let told = stage.reveal(card.spot).await;
    assert!(told.last().expect("the key points").text().contains("everybody"), "{told:#?}");
    on_board(&stage, "Robert").await;
    let board = board(&stage).await;
    assert!(board.contains("Cleo") && !board.contains("Bob"), "{board}");
    stage.ask().await;
    stage.end().await;
}

#[tokio::test]
async fn names_that_are_known_outlast_a_restart_and_new_ones_come_as_soon_as_slack_says_them() {
    let mut stage = Stage::roomy().await;
    let card = answered(&stage).await;
    stage.crash().await;
    stage.fake.always("users.info", Fault::Status(500));
    let dan = stage.fake.member(stage.team, "Dan");
    stage.come_back().await;
    stage.fake.reply(stage.bob, card.spot, PART);
    let first = stage.fake.reply(dan, card.spot, PART);
    stage.fake.until_reaction(first, "inbox_tray").await;
    stage.fake.until(stage.channel, "2 people").await;
    stage.steer(stage.channel, "/daily reveal").await;
    stage.fake.until(stage.channel, "Key points, and who covered them").await;
    assert_eq!(called(&stage, stage.bob).await.as_deref(), Some("Bob"));
    assert_eq!(called(&stage, dan).await, Some(dan.to_string()), "until Slack says the name");
    stage.fake.heal("users.info");
    stage.fake.reply(dan, card.spot, FULL);
    on_board(&stage, "Dan").await;
    let board = board(&stage).await;
    assert!(board.contains("Bob") && !board.contains(&dan.to_string()), "{board}");
    stage.end().await;
}

/// What somebody is called in the database.
async fn called(stage: &Stage, user: Id) -> Option<String> {
    let member = MemberId::new(format!("slack:{}/{user}", stage.team));
    stage.app.member_name(&member).await.expect("a read")
}

#[tokio::test]
async fn names_are_asked_for_a_few_at_a_time() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let card = stage.question(LONG).await;
    let newcomers: Vec<Id> = (0..40).map(|n| fake.member(stage.team, &format!("Newcomer {n}"))).collect();
    fake.always("users.info", Fault::Late(Duration::from_secs(60)));
    let before = fake.requests("users.info").len();
    for who in &newcomers {
        fake.reply(*who, card.spot, PART);
    }
    fake.until(stage.channel, "40 people").await;
    let asked = fake.requests("users.info").len() - before;
    assert!((1..30).contains(&asked), "{asked} times");
    stage.end().await;
}
