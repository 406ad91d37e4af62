//! The connections on which Slack tells what happens: how they break and come back, what is lost meanwhile, what comes more than once, and
//! what ends them.

use std::time::{Duration, Instant};

use drillbot::adapters::slack::{self, Ended, Settings};
use drillbot::store::{answers, rounds};
use serde_json::{Value, json};

use super::{PATIENCE, Stage};
use crate::fake::slack::{Fake, Model, Outage, Reason, SeenKind, Shown, Spot, samples};
use crate::support::{Setup, eventually};
use crate::world::{FULL, PART, bank, folder};

const DAILY: &str = "09:00 zone:Europe/London reveal:8h";

async fn stage_with(adjust: impl FnOnce(&mut Settings)) -> Stage {
    let stage = Stage::dark_with(bank(&[("eks", 3), ("iam", 6)]), adjust).await;
    stage.fake.scale_rates(0.0);
    stage
}

/// A running bot with both its connections.
async fn connected(adjust: impl FnOnce(&mut Settings)) -> Stage {
    let stage = stage_with(adjust).await.started().await;
    stage.fake.connected_times(2).await;
    stage
}

/// With an open question.
async fn asked(stage: &Stage) -> Shown {
    let card = stage.question(DAILY).await;
    stage.noted(&card).await;
    stage.settled().await;
    card
}

async fn counted(stage: &Stage, words: &str) {
    eventually(&format!("the card says {words}"), 2 * PATIENCE, || async {
        stage.cards().last().is_some_and(|card| card.text().contains(words)).then_some(())
    })
    .await;
}

/// What is stored for the open question: (message, text), deleted ones left out.
async fn stored(stage: &Stage) -> Vec<(String, String)> {
    let read = stage.app.store.read("read the answers", |conn| {
        Box::pin(async move {
            let mut all = Vec::new();
            for round in rounds::open_in_threads(conn, slack::PLATFORM).await? {
                all.extend(answers::of_round(conn, &round.id).await?);
            }
            Ok(all)
        })
    });
    let parts = read.await.expect("the answers");
    let mut all: Vec<_> = parts.into_iter().filter(|part| !part.deleted).map(|part| (part.id, part.body)).collect();
    all.sort();
    all
}

async fn holds(stage: &Stage, wanted: &[(Spot, &str)]) {
    let mut wanted: Vec<(String, String)> =
        wanted.iter().map(|(spot, text)| (format!("{}/{}", spot.channel, spot.ts), (*text).to_owned())).collect();
    wanted.sort();
    eventually(&format!("{wanted:?} is stored"), PATIENCE, || async { (stored(stage).await == wanted).then_some(()) })
        .await;
}

/// How often the bot put its sign under a message.
fn receipts(fake: &Fake, message: Spot) -> usize {
    let signs = fake.requests("reactions.add");
    signs.iter().filter(|one| one.body["timestamp"] == message.ts.to_string()).count()
}

/// Waits until everything that was told so far has been taken in.
async fn taken_in(stage: &Stage, card: &Shown) {
    let fence = stage.fake.reply(stage.ann, card.spot, "I wonder.");
    stage.fake.until_reaction(fence, "inbox_tray").await;
    stage.fake.delete(fence);
}

/// Breaks connections while a question is open: what is written meanwhile counts, commands work, and nothing is done twice.
async fn survives(adjust: impl FnOnce(&mut Settings), prepare: impl FnOnce(&Fake), break_it: impl FnOnce(&Fake)) {
    let stage = connected(adjust).await;
    let fake = &stage.fake;
    // What is not heard at once is not told again.
    fake.with(|model| model.faults.no_retries = true);
    let card = asked(&stage).await;
    let before = fake.reply(stage.bob, card.spot, FULL);
    fake.until_reaction(before, "inbox_tray").await;
    prepare(fake);
    let opened = fake.with(|model| model.sockets.opened);
    break_it(fake);
    // One for each connection.
    let meanwhile = [PART, "And that is all."].map(|text| (fake.reply(stage.cleo, card.spot, text), text));
    fake.wait_for("a new connection", |model| (model.sockets.opened > opened).then_some(())).await;
    counted(&stage, "2 people").await;
    fake.connected_times(2).await;
    let hint = fake.press(stage.cleo, &card, "Hint (−10 points)").await;
    assert_eq!(hint.kind, SeenKind::Message { ephemeral: true }, "{}", hint.text());
    holds(&stage, &[&[(before, FULL)], &meanwhile[..]].concat()).await;
    assert_eq!((receipts(fake, before), stage.cards().len()), (1, 1));
    let told = stage.reveal(card.spot).await;
    let points = told.last().expect("the key points").text();
    assert!(points.contains("Bob") && points.contains("everybody"), "{points}");
    stage.end().await;
}

#[tokio::test]
async fn lost_connections_are_made_again() {
    survives(|_| {}, |_| {}, Fake::cut).await;
}

#[tokio::test]
async fn connections_that_slack_closes_are_made_again() {
    survives(|_| {}, |_| {}, Fake::close_sockets).await;
}

#[tokio::test]
async fn a_connection_that_slack_renews_loses_nothing() {
    survives(|_| {}, |_| {}, |fake| fake.disconnect_oldest(Reason::RefreshRequested)).await;
}

#[tokio::test]
async fn nor_do_both_at_once() {
    let lossy = |fake: &Fake| fake.with(|model| model.faults.lose_at_refresh = true);
    survives(|_| {}, lossy, |fake| fake.disconnect(Reason::RefreshRequested)).await;
}

#[tokio::test]
async fn what_slack_itself_loses_meanwhile_is_read() {
    let lossy = |fake: &Fake| {
        fake.disconnect_oldest(Reason::RefreshRequested);
        fake.with(|model| model.faults.drop_events = 2);
    };
    survives(|_| {}, |_| {}, lossy).await;
}

#[tokio::test]
async fn a_warning_is_heeded() {
    survives(|_| {}, |_| {}, |fake| fake.disconnect_oldest(Reason::Warning)).await;
}

#[tokio::test]
async fn a_connection_that_is_open_at_one_end_only_is_left() {
    survives(|settings| settings.patience.ping_s = 1, |_| {}, Fake::freeze_one).await;
}

#[tokio::test]
async fn an_event_that_is_lost_is_read_before_the_reveal() {
    let stage = connected(|_| {}).await;
    let card = asked(&stage).await;
    let fake = &stage.fake;
    let heard = fake.reply(stage.bob, card.spot, PART);
    fake.until_reaction(heard, "inbox_tray").await;
    fake.with(|model| model.faults.drop_events = 2);
    fake.edit(heard, FULL);
    fake.reply(stage.cleo, card.spot, FULL);
    taken_in(&stage, &card).await;
    holds(&stage, &[(heard, PART)]).await;
    let told = stage.reveal(card.spot).await;
    let points = told.last().expect("the key points");
    assert!(points.text().contains("2 people answered; 100 of 100"), "{}", points.text());
    stage.end().await;
}

#[tokio::test]
async fn what_was_written_while_the_bot_was_dead_is_read_when_it_is_back() {
    let mut stage = connected(|_| {}).await;
    let card = asked(&stage).await;
    stage.fake.with(|model| model.faults.no_retries = true);
    let changed = stage.fake.reply(stage.bob, card.spot, PART);
    let deleted = stage.fake.reply(stage.cleo, card.spot, FULL);
    counted(&stage, "2 people").await;
    stage.crash().await;
    let written = stage.fake.reply(stage.ann, card.spot, FULL);
    stage.fake.edit(changed, FULL);
    stage.fake.delete(deleted);
    let new = stage.fake.member(stage.team, "Dan");
    let too = stage.fake.reply(new, card.spot, PART);
    stage.come_back().await;
    counted(&stage, "3 people").await;
    holds(&stage, &[(changed, FULL), (written, FULL), (too, PART)]).await;
    stage.end().await;
}

// ---- more than once

/// One answer and one receipt, however it is told.
async fn is_one_answer(tell: impl Fn(&Fake), times: usize) {
    let stage = connected(|_| {}).await;
    let card = asked(&stage).await;
    let fake = &stage.fake;
    tell(fake);
    let written = fake.reply(stage.bob, card.spot, FULL);
    let told = || -> usize {
        let is_it = |it: &serde_json::Value| it["event"]["ts"] == written.ts.to_string();
        let times = |model: &mut Model| {
            let all = model.deliveries.all.values().filter(|it| is_it(&it.payload));
            all.map(|it| it.attempts as usize + 1).sum()
        };
        fake.with(times)
    };
    eventually("it was told so often", PATIENCE, || async { (told() == times).then_some(()) }).await;
    fake.settled().await;
    fake.with(|model| model.faults.every_socket = false);
    taken_in(&stage, &card).await;
    counted(&stage, "1 person").await;
    holds(&stage, &[(written, FULL)]).await;
    assert_eq!(receipts(fake, written), 1);
    // Nor do changes of it that come again.
    tell(fake);
    fake.edit(written, PART);
    holds(&stage, &[(written, PART)]).await;
    fake.settled().await;
    fake.with(|model| model.faults.every_socket = false);
    let told = stage.reveal(card.spot).await;
    let mine = fake.press(stage.bob, told.last().expect("the key points"), "My result").await;
    assert!(mine.text().contains("50 of 100") && mine.text().matches("backend").count() <= 2, "{}", mine.text());
    assert_eq!(receipts(fake, written), 1);
    stage.end().await;
}

#[tokio::test]
async fn a_message_that_is_told_eleven_times_is_one_answer() {
    is_one_answer(|fake| fake.with(|model| model.faults.repeat_events = 10), 11).await;
}

#[tokio::test]
async fn a_message_on_both_connections_is_one_answer() {
    is_one_answer(|fake| fake.with(|model| model.faults.every_socket = true), 2).await;
}

#[tokio::test]
async fn a_message_that_is_told_again_is_one_answer_whether_slack_says_so_or_not() {
    for hidden in [false, true] {
        let lose = move |fake: &Fake| {
            fake.with(|model| {
                model.timing.ack = Duration::from_millis(500);
                model.faults.hide_retries = hidden;
                model.faults.lose_acks = 1;
            });
        };
        is_one_answer(lose, 2).await;
    }
}

#[tokio::test]
async fn what_comes_late_undoes_nothing_newer() {
    let stage = connected(|_| {}).await;
    let card = asked(&stage).await;
    let fake = &stage.fake;
    fake.with(|model| {
        model.timing.ack = Duration::from_millis(300);
        model.faults.lose_acks = 1;
    });
    // Told again after it was changed, and after it was deleted.
    let changed = fake.reply(stage.bob, card.spot, PART);
    fake.edit(changed, "The first edit.");
    fake.edit(changed, FULL);
    fake.settled().await;
    holds(&stage, &[(changed, FULL)]).await;
    fake.with(|model| model.faults.lose_acks = 1);
    let gone = fake.reply(stage.cleo, card.spot, FULL);
    fake.delete(gone);
    fake.settled().await;
    taken_in(&stage, &card).await;
    holds(&stage, &[(changed, FULL)]).await;
    counted(&stage, "1 person").await;
    stage.end().await;
}

// ---- disturbances

#[tokio::test]
async fn what_it_does_not_understand_disturbs_nobody_and_is_acknowledged_by_its_id() {
    let stage = connected(|_| {}).await;
    let card = asked(&stage).await;
    let fake = &stage.fake;
    let strange = [
        ("", "no JSON at all".to_owned()),
        ("", "[1, 2]".to_owned()),
        ("", json!({"type": 7}).to_string()),
        ("", json!({"type": "events_api", "payload": {"event": {"type": "message"}}}).to_string()),
        ("", json!({"type": "disconnected"}).to_string()),
        ("of-a-new-kind", json!({"type": "canvas", "envelope_id": "of-a-new-kind", "payload": {}}).to_string()),
        ("empty", json!({"type": "events_api", "envelope_id": "empty"}).to_string()),
        (
            "message",
            json!({"type": "events_api", "envelope_id": "message", "payload": {"event": {"type": "message", "channel": 7}}})
                .to_string(),
        ),
        (
            "event",
            json!({"type": "events_api", "envelope_id": "event", "payload": {"event": {"type": "moon_rise"}}}).to_string(),
        ),
        ("command", json!({"type": "slash_commands", "envelope_id": "command", "payload": {"text": "/x"}}).to_string()),
        ("press", json!({"type": "interactive", "envelope_id": "press", "payload": {"type": "block_actions"}}).to_string()),
    ];
    strange.iter().for_each(|(_, frame)| fake.say(frame));
    taken_in(&stage, &card).await;
    // The fake has never sent these itself, so it tells of each acknowledgement; there are two connections.
    let ids: Vec<&str> = strange.iter().map(|(id, _)| *id).filter(|id| !id.is_empty()).collect();
    let told = || fake.with(|model| model.violations.clone());
    eventually("each is acknowledged", PATIENCE, || async { (told().len() == 2 * ids.len()).then_some(()) }).await;
    let told = fake.violations();
    for id in ids {
        let acknowledged = told.iter().filter(|one| one.contains(&format!("an acknowledgement of {id:?}"))).count();
        assert_eq!(acknowledged, 2, "{id}: {told:#?}");
    }
    let written = fake.reply(stage.bob, card.spot, FULL);
    fake.until_reaction(written, "inbox_tray").await;
    assert_eq!(fake.sockets(), 2);
    stage.end().await;
}

/// Without the specifications beside the project there is nothing to take in, and the test shows that the drill goes on.
#[tokio::test]
async fn frames_that_slacks_own_libraries_are_tried_with_are_taken_in() {
    let stage = connected(|_| {}).await;
    let fake = &stage.fake;
    let frames: Vec<Value> = samples::frames();
    frames.iter().for_each(|frame| fake.say(&frame.to_string()));
    let ids: Vec<&str> = frames.iter().filter_map(|frame| frame["envelope_id"].as_str()).collect();
    assert_eq!(ids.len(), frames.len());
    let told = || fake.with(|model| model.violations.clone());
    eventually("each is acknowledged on both connections", PATIENCE, || async {
        ids.iter().all(|id| told().iter().filter(|one| one.contains(*id)).count() == 2).then_some(())
    })
    .await;
    fake.violations();
    let card = asked(&stage).await;
    let written = fake.reply(stage.bob, card.spot, FULL);
    fake.until_reaction(written, "inbox_tray").await;
    stage.end().await;
}

#[tokio::test]
async fn all_is_acknowledged_in_time_while_the_database_hangs() {
    let stage = connected(|_| {}).await;
    let card = asked(&stage).await;
    let fake = &stage.fake;
    // What is not acknowledged within three seconds is lost.
    fake.with(|model| model.faults.no_retries = true);
    let store = stage.app.store.clone();
    let held = tokio::spawn(async move {
        let hold = store.write("hold the database", move |_| {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(4_500)).await;
                Ok(())
            })
        });
        hold.await.expect("the database is let go");
    });
    tokio::task::yield_now().await;
    let before = fake.acks().len();
    let written: Vec<Spot> = (0..40).map(|n| fake.reply(stage.bob, card.spot, &format!("{n}: {PART}"))).collect();
    let (hint, topics) = tokio::join!(
        fake.press(stage.cleo, &card, "Hint (−10 points)"),
        fake.command(stage.cleo, stage.channel, "/topics")
    );
    assert!(hint.ack_after.is_some() && topics.ack_after.is_some(), "{hint:?} {topics:?}");
    assert_eq!(hint.kind, SeenKind::Message { ephemeral: true }, "{}", hint.text());
    fake.settled().await;
    let acks = fake.acks().split_off(before);
    assert!(acks.len() >= written.len() + 2, "{acks:#?}");
    held.await.expect("held");
    fake.until_reaction(*written.last().expect("many"), "inbox_tray").await;
    counted(&stage, "1 person").await;
    eventually("all are stored", PATIENCE, || async { (stored(&stage).await.len() == written.len()).then_some(()) })
        .await;
    stage.end().await;
}

#[tokio::test]
async fn what_the_database_did_not_take_is_read_again() {
    let stage = connected(|_| {}).await;
    let card = asked(&stage).await;
    let before = stage.fake.requests("conversations.replies").len();
    run(&stage, "create trigger away before insert on answer_parts begin select raise(abort, 'away'); end").await;
    let written = stage.fake.reply(stage.bob, card.spot, FULL);
    let read = || async { (stage.fake.requests("conversations.replies").len() > before).then_some(()) };
    eventually("the thread is read instead", PATIENCE, read).await;
    run(&stage, "drop trigger away").await;
    counted(&stage, "1 person").await;
    holds(&stage, &[(written, FULL)]).await;
    stage.end().await;
}

async fn run(stage: &Stage, sql: &'static str) {
    let done = stage.app.store.write("change the database", move |conn| {
        Box::pin(async move { Ok(sqlx::query(sql).execute(conn).await.map(drop)?) })
    });
    done.await.expect("the statement");
}

// ---- outages

/// The whole service goes away and comes back while a question is open.
async fn survives_outage(kind: Outage) {
    let stage = connected(|_| {}).await;
    let card = asked(&stage).await;
    let fake = &stage.fake;
    fake.with(|model| model.faults.no_retries = true);
    let before = fake.reply(stage.bob, card.spot, FULL);
    fake.until_reaction(before, "inbox_tray").await;
    counted(&stage, "1 person").await;
    stage.settled().await;
    let connecting = || fake.requests("apps.connections.open").len();
    let tried = connecting();
    fake.outage(kind);
    fake.reply(stage.cleo, card.spot, PART);
    tokio::time::sleep(Duration::from_secs(6)).await;
    // Two connections, each every five seconds, and once more by itself.
    let requests = connecting() - tried;
    assert!(requests <= 10, "{requests} requests for a connection within six seconds");
    fake.recover();
    fake.connected_times(2).await;
    counted(&stage, "2 people").await;
    assert_eq!(stage.cards().len(), 1);
    let hint = fake.press(stage.cleo, &card, "Hint (−10 points)").await;
    assert_eq!(hint.kind, SeenKind::Message { ephemeral: true }, "{}", hint.text());
    let told = stage.reveal(card.spot).await;
    assert!(told.last().expect("the key points").text().contains("everybody"));
    stage.end().await;
}

#[tokio::test]
async fn it_comes_back_by_itself_when_slack_was_out_of_reach() {
    survives_outage(Outage::Unreachable).await;
}

#[tokio::test]
async fn it_comes_back_by_itself_when_slack_was_unavailable() {
    survives_outage(Outage::Unavailable).await;
}

#[tokio::test]
async fn it_starts_while_slack_is_away_and_connects_when_it_is_there() {
    let mut stage = stage_with(|_| {}).await;
    stage.fake.outage(Outage::Unavailable);
    stage.start();
    let asked = || async { (!stage.fake.requests("apps.connections.open").is_empty()).then_some(()) };
    eventually("it asks where to connect", PATIENCE, asked).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    stage.fake.recover();
    stage.fake.connected_times(2).await;
    serves(&stage).await;
    stage.end().await;
}

/// It serves again, and nothing is left of the connections that it has given up.
async fn serves(stage: &Stage) {
    let fake = &stage.fake;
    eventually("it answers", PATIENCE, || async {
        (fake.command(stage.bob, stage.channel, "/topics").await.kind != SeenKind::Nothing).then_some(())
    })
    .await;
    eventually("there are two connections", PATIENCE, || async { (fake.sockets() == 2).then_some(()) }).await;
    for _ in 0..6 {
        let seen = fake.command(stage.bob, stage.channel, "/topics").await;
        assert_eq!(seen.kind, SeenKind::Message { ephemeral: true }, "{}", seen.text());
    }
}

#[tokio::test]
async fn addresses_where_nobody_answers_are_tried_now_and_then() {
    let mut stage = stage_with(|settings| settings.patience.deaf = Duration::from_secs(3)).await;
    stage.fake.with(|model| model.faults.dead_links = true);
    stage.start();
    tokio::time::sleep(Duration::from_secs(8)).await;
    let requests = stage.fake.requests("apps.connections.open").len();
    assert!((2..=10).contains(&requests), "{requests} requests within eight seconds");
    stage.fake.with(|model| model.faults.dead_links = false);
    stage.fake.connected_times(2).await;
    serves(&stage).await;
    stage.end().await;
}

#[tokio::test]
async fn connections_that_slack_ends_at_once_are_not_made_ever_faster() {
    let mut stage = stage_with(|_| {}).await;
    stage.fake.with(|model| model.faults.close_at_once = true);
    stage.start();
    tokio::time::sleep(Duration::from_secs(5)).await;
    stage.fake.with(|model| model.faults.close_at_once = false);
    let opened = stage.fake.with(|model| model.sockets.opened);
    assert!((2..=12).contains(&opened), "{opened} connections within five seconds");
    stage.fake.connected_times(2).await;
    serves(&stage).await;
    stage.end().await;
}

// ---- the end

#[tokio::test]
async fn it_stops_soon_connected_or_not() {
    for kind in [None, Some(Outage::Unreachable), Some(Outage::Unavailable)] {
        let mut stage = connected(|_| {}).await;
        if let Some(kind) = kind {
            stage.fake.outage(kind);
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        let begun = Instant::now();
        stage.tell_to_stop();
        stage.ended().await.expect("a stop is no error");
        assert!(begun.elapsed() < Duration::from_secs(3), "{kind:?}: {:?}", begun.elapsed());
        if kind.is_none() {
            stage.fake.disconnected().await;
        }
        stage.end().await;
    }
}

/// It ends by itself, and says this.
async fn ends(mut stage: Stage, right: impl Fn(&Ended) -> bool, words: &[&str]) {
    let ended = stage.ended().await.expect_err("it ends");
    assert!(ended.downcast_ref().is_some_and(right), "{ended:#}");
    let said = format!("{ended:#}");
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
    let asked = stage.fake.with(|model| model.log.iter().filter(|one| one.answer["ok"] == false).count());
    assert!(asked <= 6, "{asked} requests in vain");
    stage.end().await;
}

#[tokio::test]
async fn a_wrong_app_token_ends_it_at_once() {
    let mut stage = stage_with(|settings| settings.app_token = Some("xapp-1-wrong".into())).await;
    stage.start();
    let words = ["the app token (invalid_auth)", "DRILLBOT_SLACK_APP_TOKEN", "connections:write"];
    ends(stage, |ended| matches!(ended, Ended::AppToken { .. }), &words).await;
}

#[tokio::test]
async fn a_wrong_bot_token_ends_it_at_once() {
    let mut stage = stage_with(|settings| settings.bot_token = Some("xoxb-wrong".into())).await;
    stage.start();
    let words = ["the bot token (invalid_auth)", "DRILLBOT_SLACK_BOT_TOKEN"];
    ends(stage, |ended| matches!(ended, Ended::BotToken { .. }), &words).await;
}

#[tokio::test]
async fn an_app_token_that_is_withdrawn_ends_it() {
    let stage = connected(|settings| settings.patience.deaf = Duration::from_secs(2)).await;
    stage.fake.with(|model| model.app.app_token = "xapp-1-another".into());
    stage.fake.cut();
    ends(stage, |ended| matches!(ended, Ended::AppToken { .. }), &["Copy it again"]).await;
}

#[tokio::test]
async fn without_socket_mode_it_does_not_begin() {
    let mut stage = stage_with(|_| {}).await;
    stage.fake.with(|model| model.app.socket_mode = false);
    stage.start();
    let words = ["Socket Mode is off", "Switch it on", "slack.signing_secret"];
    ends(stage, |ended| matches!(ended, Ended::SocketModeOff), &words).await;
}

#[tokio::test]
async fn socket_mode_that_is_switched_off_meanwhile_ends_it() {
    let stage = connected(|_| {}).await;
    stage.fake.with(|model| model.app.socket_mode = false);
    stage.fake.disconnect(Reason::LinkDisabled);
    ends(stage, |ended| matches!(ended, Ended::SocketModeOff), &["Socket Mode is off"]).await;
}

#[tokio::test]
async fn socket_mode_that_was_off_for_a_moment_only_goes_on() {
    let stage = connected(|_| {}).await;
    let opened = stage.fake.with(|model| model.sockets.opened);
    stage.fake.disconnect(Reason::LinkDisabled);
    stage.fake.wait_for("new connections", |model| (model.sockets.opened >= opened + 2).then_some(())).await;
    serves(&stage).await;
    stage.end().await;
}

/// The real binary: what an operator and a service manager get to know.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_slack_refuses_ends_the_process_with_a_code_of_its_own() {
    const REFUSED: i32 = 78;
    let fake = Fake::start().await;
    let team = fake.workspace("Study group");
    for (wrong, words) in
        [("BOT", "DRILLBOT_SLACK_BOT_TOKEN"), ("APP", "DRILLBOT_SLACK_APP_TOKEN"), ("", "installed in the workspace")]
    {
        let folder = folder();
        let database = format!("sqlite:{}", folder.path().join("drillbot.db").display());
        let mut setup = Setup::new(folder.path(), &database, "")
            .with("DRILLBOT_SLACK_API_URL", &fake.url())
            .with("DRILLBOT_SLACK_BOT_TOKEN", &fake.token(team))
            .with("DRILLBOT_SLACK_APP_TOKEN", &fake.app_token());
        if !wrong.is_empty() {
            let begins = if wrong == "BOT" { "xoxb" } else { "xapp" };
            setup = setup.with(&format!("DRILLBOT_SLACK_{wrong}_TOKEN"), &format!("{begins}-1-wrong"));
        }
        let mut bot = setup.spawn();
        if wrong.is_empty() {
            fake.connected().await;
            fake.uninstall(team);
        }
        let ended = bot.ended(PATIENCE).await;
        let said = bot.log().join("\n");
        assert_eq!(ended.code, Some(REFUSED), "{said}");
        assert!(said.contains(words), "{said}");
        assert!(!said.contains(&fake.app_token()) && !said.contains("-wrong"), "no tokens in\n{said}");
    }
}
