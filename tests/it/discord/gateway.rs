//! The connection on which Discord tells what happens: how it breaks and comes back, what is lost meanwhile, and what ends it.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use drillbot::adapters::discord::{self, Discord, Ended, Settings};
use drillbot::domain::ids::ChannelId;
use drillbot::store::{answers, channels, rounds};
use serde_json::json;
use tokio::sync::watch;

use super::{PATIENCE, Stage, outage, registered};
use crate::fake::discord::{Fake, Fault, Id, Kind, Outage, Permissions, Shown};
use crate::support::eventually;
use crate::world::{FULL, PART, bank};

const DAILY: &str = "time:09:00 zone:Europe/London reveal:8h";

/// A stage whose Discord does not make sessions wait for each other.
async fn hurried(adjust: impl FnOnce(&mut Settings)) -> Stage {
    let stage = Stage::dark_with(bank(&[("eks", 3), ("iam", 6)]), adjust).await;
    stage.fake.with(|model| model.sessions.max_concurrency = 0);
    stage
}

/// With an open question and its thread.
async fn asked(stage: &Stage) -> (Shown, Id) {
    let card = stage.question(DAILY).await;
    let thread = stage.thread(&card).await;
    (card, thread)
}

fn sessions(fake: &Fake) -> (u32, u32) {
    fake.with(|model| (model.sessions.identified, model.sessions.resumed))
}

async fn receipt(fake: &Fake, message: Id) {
    eventually("the message has its receipt", PATIENCE, || async {
        (fake.reactions(message) == ["📥"]).then_some(())
    })
    .await;
}

async fn counted(stage: &Stage, words: &str) {
    eventually(&format!("the card says {words}"), PATIENCE, || async {
        stage.cards(stage.channel).last().is_some_and(|card| card.text().contains(words)).then_some(())
    })
    .await;
}

/// What is stored for the open question: (part, text), deleted ones left out.
async fn stored(stage: &Stage) -> Vec<(String, String)> {
    let read = stage.app.store.read("read the answers", |conn| {
        Box::pin(async move {
            let mut all = Vec::new();
            for round in rounds::open_in_threads(conn, "discord").await? {
                all.extend(answers::of_round(conn, &round.id).await?);
            }
            Ok(all)
        })
    });
    let parts = read.await.expect("the answers");
    parts.into_iter().filter(|part| !part.deleted).map(|part| (part.id, part.body)).collect()
}

/// Waits until everything that was told so far has been taken in.
async fn settled(stage: &Stage, thread: Id) {
    let fence = stage.fake.write(stage.ann, thread, "I wonder.");
    receipt(&stage.fake, fence).await;
}

/// How often the bot put its receipt under a message, leaving out what Discord put off.
fn receipts(fake: &Fake, message: Id) -> usize {
    let path = format!("/messages/{message}/reactions");
    fake.with(|model| model.log.iter().filter(|one| one.path.contains(&path) && one.status != 429).count())
}

/// Breaks the connection while a question is open: what is written meanwhile counts, commands work, and nothing is done twice.
async fn survives(prepare: impl FnOnce(&Fake), break_it: impl AsyncFnOnce(&Fake), sessions_after: RangeInclusive<u32>) {
    let stage = hurried(|_| {}).await;
    prepare(&stage.fake);
    let stage = stage.started().await;
    let (card, thread) = asked(&stage).await;
    let fake = &stage.fake;
    let before = fake.write(stage.bob, thread, FULL);
    receipt(fake, before).await;
    let (identified, resumed) = sessions(fake);
    break_it(fake).await;
    fake.write(stage.cleo, thread, PART);
    let back = || async {
        let (again, resumed_again) = sessions(fake);
        (again + resumed_again > identified + resumed && fake.with(|model| model.connected())).then_some(())
    };
    eventually("the connection is back", PATIENCE, back).await;
    counted(&stage, "2 people").await;
    let begun = sessions(fake).0;
    assert!(sessions_after.contains(&begun), "{begun} sessions begun, not {sessions_after:?}");
    let hint = fake.press(stage.cleo, card.id, "Hint (−10 points)").await;
    assert_eq!(hint.kind, Kind::Message { ephemeral: true }, "{}", hint.text());
    assert_eq!(fake.requests("PUT", "/commands").len(), 1, "registered once");
    assert_eq!(receipts(fake, before), 1);
    assert_eq!(stage.cards(stage.channel).len(), 1, "one question");
    let told = stage.reveal(thread).await;
    let points = told.last().expect("the key points").text();
    assert!(points.contains("Bob") && points.contains("everybody"), "{points}");
    stage.end().await;
}

#[tokio::test]
async fn a_lost_connection_is_resumed() {
    survives(|_| {}, async |fake| fake.cut(), 1..=1).await;
}

#[tokio::test]
async fn a_connection_that_discord_wants_renewed_is_resumed() {
    survives(|_| {}, async |fake| fake.reconnect_now(), 1..=1).await;
}

#[tokio::test]
async fn a_session_that_may_be_resumed_is() {
    survives(|_| {}, async |fake| fake.invalidate(true), 1..=1).await;
}

#[tokio::test]
async fn an_invalid_session_is_begun_anew_and_starts_nothing_twice() {
    survives(|_| {}, async |fake| fake.invalidate(false), 2..=2).await;
}

#[tokio::test]
async fn an_error_of_the_gateway_is_survived() {
    survives(|_| {}, async |fake| fake.close(4000), 1..=1).await;
}

#[tokio::test]
async fn a_session_that_timed_out_is_survived() {
    let forget = async |fake: &Fake| {
        fake.close(4009);
        fake.invalidate(false);
    };
    survives(|_| {}, forget, 2..=2).await;
}

#[tokio::test]
async fn a_line_without_heartbeats_is_left() {
    let silence = async |fake: &Fake| {
        let begun = sessions(fake).0;
        fake.with(|model| model.faults.no_heartbeat_ack = true);
        eventually("the dead line is noticed", PATIENCE * 2, || async { (sessions(fake).0 > begun).then_some(()) })
            .await;
        fake.with(|model| model.faults.no_heartbeat_ack = false);
    };
    // Discord may still know the session, but serenity begins a new one; the first heartbeats of that may go unanswered too.
    survives(|fake| fake.with(|model| model.timing.heartbeat = Duration::from_secs(1)), silence, 2..=3).await;
}

#[tokio::test]
async fn whatever_the_order_of_events_the_newest_words_count() {
    let stage = hurried(|_| {}).await.started().await;
    let (card, thread) = asked(&stage).await;
    let fake = &stage.fake;
    let (bob, cleo) = (stage.bob, stage.cleo);
    let reorder = || fake.with(|model| model.faults.reorder_events = 1);
    // An edit comes before its message.
    reorder();
    let edited = fake.write(bob, thread, PART);
    fake.edit(edited, FULL);
    receipt(fake, edited).await;
    settled(&stage, thread).await;
    assert!(stored(&stage).await.contains(&(edited.to_string(), FULL.to_owned())));
    // The first of two edits comes last.
    tokio::time::sleep(Duration::from_millis(5)).await;
    reorder();
    fake.edit(edited, "The first edit.");
    tokio::time::sleep(Duration::from_millis(5)).await;
    fake.edit(edited, "The second edit.");
    settled(&stage, thread).await;
    assert!(stored(&stage).await.contains(&(edited.to_string(), "The second edit.".to_owned())));
    // A deletion comes before its message, one before the edit, one twice.
    reorder();
    let gone = fake.write(cleo, thread, PART);
    fake.delete(gone);
    let edited_late = fake.write(cleo, thread, PART);
    receipt(fake, edited_late).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    reorder();
    fake.edit(edited_late, FULL);
    fake.with(|model| model.faults.double_events = 1);
    fake.delete(edited_late);
    settled(&stage, thread).await;
    let ids: Vec<String> = stored(&stage).await.into_iter().map(|(id, _)| id).collect();
    assert!(!ids.contains(&gone.to_string()) && !ids.contains(&edited_late.to_string()), "{ids:?}");
    // A message comes twice: one receipt.
    fake.with(|model| model.faults.double_events = 1);
    let doubled = fake.write(cleo, thread, FULL);
    receipt(fake, doubled).await;
    settled(&stage, thread).await;
    assert_eq!(receipts(fake, doubled), 1);
    // Words are taken away and come back.
    fake.edit(doubled, "");
    tokio::time::sleep(Duration::from_millis(5)).await;
    fake.edit(doubled, PART);
    settled(&stage, thread).await;
    assert!(stored(&stage).await.contains(&(doubled.to_string(), PART.to_owned())));
    // A press comes twice: one hint.
    fake.with(|model| model.faults.double_events = 1);
    fake.press(bob, card.id, "Hint (−10 points)").await;
    settled(&stage, thread).await;
    let taken = stage.app.store.read("read the hints", |conn| {
        Box::pin(async move {
            let all = rounds::open_in_threads(conn, "discord").await?;
            rounds::hints(conn, &all[0].id).await
        })
    });
    assert_eq!(taken.await.expect("the hints").into_values().collect::<Vec<_>>(), [1]);
    // Lost for good: the reveal reads it.
    fake.with(|model| model.faults.drop_events = 1);
    fake.edit(edited, FULL);
    settled(&stage, thread).await;
    assert!(!stored(&stage).await.contains(&(edited.to_string(), FULL.to_owned())));
    let told = stage.reveal(thread).await;
    let mine = fake.press(bob, told.last().expect("the key points").id, "My result").await;
    assert!(mine.text().contains("90 of 100"), "{}", mine.text());
    stage.end().await;
}

#[tokio::test]
async fn what_was_written_while_the_bot_was_dead_is_read_when_it_is_back() {
    let mut stage = hurried(|_| {}).await.started().await;
    let (_, thread) = asked(&stage).await;
    let (changed, deleted) = {
        let fake = &stage.fake;
        let both = (fake.write(stage.bob, thread, PART), fake.write(stage.cleo, thread, FULL));
        receipt(fake, both.0).await;
        receipt(fake, both.1).await;
        both
    };
    counted(&stage, "2 people").await;
    stage.crash().await;
    let written = stage.fake.write(stage.ann, thread, FULL);
    stage.fake.edit(changed, FULL);
    stage.fake.delete(deleted);
    let new = stage.fake.member(stage.guild, "Dan", Permissions::empty());
    let too = stage.fake.write(new, thread, PART);
    stage.come_back().await;
    counted(&stage, "3 people").await;
    let mut all = stored(&stage).await;
    all.sort();
    let mut wanted = vec![(changed, FULL), (written, FULL), (too, PART)];
    wanted.sort_unstable();
    let wanted: Vec<(String, String)> =
        wanted.into_iter().map(|(id, text)| (id.to_string(), text.to_owned())).collect();
    assert_eq!(all, wanted);
    assert_eq!(stage.fake.requests("PUT", "/commands").len(), 1, "registered by the first start");
    stage.end().await;
}

/// The whole service goes away and comes back while a question is open.
async fn survives_outage(kind: Outage) {
    let stage = hurried(|_| {}).await.started().await;
    let (card, thread) = asked(&stage).await;
    let fake = &stage.fake;
    let before = fake.write(stage.bob, thread, FULL);
    receipt(fake, before).await;
    counted(&stage, "1 person").await;
    let away = outage(fake, kind, Duration::from_millis(2_500));
    let written = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        fake.write(stage.cleo, thread, PART);
    };
    tokio::join!(away, written);
    fake.connected().await;
    counted(&stage, "2 people").await;
    assert_eq!(stage.cards(stage.channel).len(), 1);
    let hint = fake.press(stage.cleo, card.id, "Hint (−10 points)").await;
    assert_eq!(hint.kind, Kind::Message { ephemeral: true }, "{}", hint.text());
    let told = stage.reveal(thread).await;
    assert!(told.last().expect("the key points").text().contains("everybody"));
    stage.end().await;
}

#[tokio::test]
async fn it_comes_back_by_itself_when_discord_was_out_of_reach() {
    survives_outage(Outage::Unreachable).await;
}

#[tokio::test]
async fn it_comes_back_by_itself_when_discord_was_unavailable() {
    survives_outage(Outage::Unavailable).await;
}

#[tokio::test]
async fn it_stops_soon_connected_or_not() {
    for kind in [None, Some(Outage::Unreachable), Some(Outage::Unavailable)] {
        let mut stage = hurried(|_| {}).await.started().await;
        if let Some(kind) = kind {
            stage.fake.outage(kind);
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        let begun = Instant::now();
        stage.tell_to_stop();
        stage.ended().await.expect("a stop is no error");
        assert!(begun.elapsed() < Duration::from_secs(3), "{kind:?}: {:?}", begun.elapsed());
        if kind.is_none() {
            let gone = || async { (!stage.fake.with(|model| model.connected())).then_some(()) };
            eventually("it has said farewell", PATIENCE, gone).await;
        }
        stage.end().await;
    }
}

#[tokio::test]
async fn without_the_intent_the_drill_goes_on_with_forms() {
    let mut stage = hurried(|_| {}).await.started().await;
    stage.schedule(DAILY).await;
    stage.crash().await;
    stage.fake.grant_message_content(false);
    stage.come_back().await;
    eventually("Ann is told", PATIENCE, || async { (!stage.letters(stage.ann).is_empty()).then_some(()) }).await;
    assert!(stage.letters(stage.ann)[0].contains("Message Content Intent"), "{:?}", stage.letters(stage.ann));
    forms_only(&mut stage).await;
    assert_eq!(stage.letters(stage.ann).len(), 1, "{:?}", stage.letters(stage.ann));
    assert_eq!(stage.letters(stage.fake.owner(stage.guild)).len(), 0);
    stage.end().await;
}

#[tokio::test]
async fn who_does_not_want_threads_read_hears_no_complaint() {
    let stage = hurried(|settings| settings.read_threads = false).await;
    stage.fake.grant_message_content(false);
    let mut stage = stage.started().await;
    stage.schedule(DAILY).await;
    forms_only(&mut stage).await;
    assert_eq!(stage.letters(stage.ann).len(), 0, "{:?}", stage.letters(stage.ann));
    assert_eq!(sessions(&stage.fake).0, 2, "one session before the crash, one after");
    stage.end().await;
}

/// A question that is answered with the form and with the menu of a message; the process dies in between.
async fn forms_only(stage: &mut Stage) {
    let card = stage.ask().await;
    assert!(card.text().contains("Save as my answer"), "{}", card.text());
    let thread = stage.thread(&card).await;
    let (bob, cleo) = (stage.bob, stage.cleo);
    let fake = &stage.fake;
    let form = fake.press(bob, card.id, "Answer").await;
    let saved = fake.submit(bob, form.modal(), &[("answer", FULL)]).await;
    assert!(saved.text().contains("Saved"), "{}", saved.text());
    let written = fake.write(cleo, thread, FULL);
    fake.write(stage.ann, thread, FULL);
    let saved = fake.message_command(cleo, written, "Save as my answer").await;
    assert_eq!(saved.kind, Kind::Message { ephemeral: true }, "{}", saved.text());
    counted(stage, "2 people").await;
    stage.crash().await;
    stage.come_back().await;
    let (fake, both) = (&stage.fake, [bob, cleo]);
    let reads =
        fake.with(|model| model.log.iter().filter(|one| one.path.ends_with(&format!("/{thread}/messages"))).count());
    assert_eq!(reads, 0, "the thread is left alone");
    counted(stage, "2 people").await;
    let told = stage.reveal(thread).await;
    for member in both {
        let mine = fake.press(member, told.last().expect("the key points").id, "My result").await;
        assert!(mine.text().contains("100 of 100"), "{}", mine.text());
    }
}

#[tokio::test]
async fn a_wrong_token_ends_it_at_once() {
    let mut stage = hurried(|settings| settings.token = format!("{}x", settings.token)).await;
    stage.start();
    let ended = stage.ended().await.expect_err("it ends");
    assert!(matches!(ended.downcast_ref(), Some(Ended::Token)), "{ended:#}");
    let requests = stage.fake.with(|model| model.log.len());
    assert!(requests <= 3, "{requests} requests");
    assert_eq!(sessions(&stage.fake), (0, 0));
    stage.end().await;
}

#[tokio::test]
async fn a_token_that_is_withdrawn_ends_it() {
    let mut stage = hurried(|_| {}).await.started().await;
    stage.fake.close(4004);
    let ended = stage.ended().await.expect_err("it ends");
    assert!(matches!(ended.downcast_ref(), Some(Ended::Token)), "{ended:#}");
    assert_eq!(sessions(&stage.fake), (1, 0));
    stage.end().await;
}

#[tokio::test]
async fn too_few_shards_end_it_before_discord_refuses_them() {
    let mut stage = hurried(|settings| settings.shards = Some(2)).await;
    stage.fake.with(|model| model.sessions.recommended_shards = 5);
    stage.start();
    let ended = stage.ended().await.expect_err("it ends");
    let right = |why: &str| why.contains("too many servers") && why.contains("recommends, 5 now");
    assert!(matches!(ended.downcast_ref(), Some(Ended::Shards { why }) if right(why)), "{ended:#}");
    assert_eq!(sessions(&stage.fake), (0, 0));
    stage.end().await;
}

#[tokio::test]
async fn a_gateway_where_the_token_could_be_read_on_the_way_is_not_connected_to() {
    let mut stage = hurried(|_| {}).await;
    stage.fake.with(|model| model.sessions.url = "ws://gateway.example.org".to_owned());
    stage.start();
    let ended = stage.ended().await.expect_err("it ends");
    assert!(matches!(ended.downcast_ref(), Some(Ended::Unsafe { .. })), "{ended:#}");
    assert!(ended.to_string().contains("ws://gateway.example.org"), "{ended:#}");
    stage.end().await;
}

#[tokio::test]
async fn a_range_beyond_the_shards_ends_it_before_discord_hears_of_it() {
    let mut stage = hurried(|settings| (settings.shards, settings.shard_range) = (Some(2), Some((1, 2)))).await;
    stage.start();
    let ended = stage.ended().await.expect_err("it ends");
    assert!(ended.to_string().contains("1 to 2"), "{ended:#}");
    assert_eq!(sessions(&stage.fake), (0, 0));
    stage.end().await;
}

#[tokio::test]
async fn who_has_no_sessions_left_waits_for_the_next_day() {
    let mut stage = Stage::dark().await;
    stage.fake.with(|model| {
        model.sessions.identified = 985;
        model.sessions.reset_after = Duration::from_millis(900);
    });
    stage.start();
    let asked = || async { (stage.fake.requests("GET", "/gateway/bot").len() > 1).then_some(()) };
    eventually("the budget is asked for again", PATIENCE, asked).await;
    assert_eq!(stage.fake.with(|model| model.sessions.identified), 985, "the last sessions are left");
    stage.fake.with(|model| model.sessions.identified = 0);
    registered(&stage.fake).await;
    assert_eq!(sessions(&stage.fake).0, 1);
    stage.end().await;
}

#[tokio::test]
async fn a_gateway_that_closes_at_once_does_not_use_up_the_sessions() {
    let mut stage = hurried(|_| {}).await;
    stage.fake.with(|model| model.faults.close_identified = Some(4000));
    stage.start();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    stage.fake.with(|model| model.faults.close_identified = None);
    let identified = sessions(&stage.fake).0;
    assert!((1..=2).contains(&identified), "{identified} sessions within 2.5 s");
    registered(&stage.fake).await;
    stage.end().await;
}

#[tokio::test]
async fn what_the_database_did_not_take_is_read_again() {
    let stage = hurried(|_| {}).await.started().await;
    let (_, thread) = asked(&stage).await;
    run(&stage, "create trigger away before insert on answer_parts begin select raise(abort, 'away'); end").await;
    let written = stage.fake.write(stage.bob, thread, FULL);
    let tried = || async {
        let reads = stage.fake.requests("GET", &format!("/{thread}/messages"));
        // Once after READY at most; then after the attempts for this message.
        (!reads.is_empty()).then_some(())
    };
    eventually("the thread is read instead", PATIENCE, tried).await;
    run(&stage, "drop trigger away").await;
    counted(&stage, "1 person").await;
    assert!(stored(&stage).await.contains(&(written.to_string(), FULL.to_owned())));
    stage.end().await;
}

async fn run(stage: &Stage, sql: &'static str) {
    let done = stage.app.store.write("change the database", move |conn| {
        Box::pin(async move { Ok(sqlx::query(sql).execute(conn).await.map(drop)?) })
    });
    done.await.expect("the statement");
}

/// A server whose events belong to this shard of two, with a channel and somebody in it.
async fn server_of(fake: &Fake, shard: u64) -> (Id, Id, Id) {
    loop {
        let guild = fake.guild("Another group");
        if (guild >> 22) % 2 == shard {
            return (guild, fake.text_channel(guild, "drill"), fake.member(guild, "Eve", Permissions::MANAGE_GUILD));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn every_server_is_served_by_its_shard() {
    let mut stage = hurried(|settings| settings.shards = Some(2)).await;
    let both = [server_of(&stage.fake, 0).await, server_of(&stage.fake, 1).await];
    stage.start();
    registered(&stage.fake).await;
    eventually("both shards are there", PATIENCE, || async { (sessions(&stage.fake).0 == 2).then_some(()) }).await;
    for (_, channel, eve) in both {
        let seen = stage.fake.command(eve, channel, "/topics").await;
        assert_eq!(seen.kind, Kind::Message { ephemeral: true }, "{}", seen.text());
    }
    stage.end().await;
}

#[tokio::test]
async fn two_processes_share_the_shards() {
    let mut stage = hurried(|settings| (settings.shards, settings.shard_range) = (Some(2), Some((0, 0)))).await;
    let both = [server_of(&stage.fake, 0).await, server_of(&stage.fake, 1).await];
    stage.start();
    registered(&stage.fake).await;
    let second = Settings { shard_range: Some((1, 1)), ..stage.settings.clone() };
    let second = Discord::new(stage.app.clone(), second).expect("the settings are right");
    let (stop, stopping) = watch::channel(false);
    let listening = tokio::spawn(discord::listen(second, stopping));
    eventually("both are there", PATIENCE, || async { (sessions(&stage.fake).0 == 2).then_some(()) }).await;
    for (_, channel, eve) in both {
        let seen = stage.fake.command(eve, channel, &format!("/daily set {DAILY}")).await;
        assert!(seen.text().contains("Set") || seen.text().contains("Changed"), "{}", seen.text());
        let card = async {
            stage.fake.command(eve, channel, "/daily now").await;
            eventually("the question", PATIENCE, || async { stage.cards(channel).into_iter().next() }).await
        }
        .await;
        let thread = || async { stage.fake.threads(channel).into_iter().find(|(id, _)| *id == card.id) };
        let thread = eventually("the thread", PATIENCE, thread).await.0;
        let written = stage.fake.write(eve, thread, FULL);
        receipt(&stage.fake, written).await;
    }
    // Each has seen the other's servers missing from its own list.
    for (_, channel, _) in both {
        assert_eq!(trouble(&stage, channel).await, "");
    }
    stop.send(true).expect("it listens");
    listening.await.expect("no panic").expect("a stop");
    stage.end().await;
}

#[tokio::test]
async fn automatic_shards_are_those_that_discord_recommends() {
    let mut stage = hurried(|_| {}).await;
    stage.fake.with(|model| model.sessions.recommended_shards = 3);
    stage.start();
    eventually("three shards", PATIENCE, || async { (sessions(&stage.fake).0 == 3).then_some(()) }).await;
    registered(&stage.fake).await;
    stage.end().await;
}

async fn trouble(stage: &Stage, channel: Id) -> String {
    let id = ChannelId::new(format!("discord:{channel}"));
    let read = stage
        .app
        .store
        .read("read the channel", move |conn| Box::pin(async move { channels::condition(conn, &id).await }));
    read.await.expect("the channel").map(|condition| condition.trouble).unwrap_or_default()
}

#[tokio::test]
async fn a_removal_is_noticed_afterwards_and_an_outage_is_none() {
    let mut stage = hurried(|_| {}).await.started().await;
    stage.schedule(DAILY).await;
    stage.fake.guild_away(stage.guild);
    let seen = stage.fake.command(stage.ann, stage.channel, "/daily show").await;
    assert!(!seen.text().contains("removed"), "{}", seen.text());
    assert_eq!(trouble(&stage, stage.channel).await, "");
    stage.crash().await;
    stage.fake.kick(stage.guild);
    stage.come_back().await;
    let noticed = || async { trouble(&stage, stage.channel).await.contains("removed from the server").then_some(()) };
    eventually("the removal is noticed", PATIENCE, noticed).await;
    stage.fake.invite(stage.guild);
    let seen = stage.ask().await;
    assert!(seen.text().contains("Level"));
    stage.end().await;
}

#[tokio::test]
async fn servers_that_the_settings_leave_out_get_a_polite_no() {
    let stage = hurried(|settings| settings.guilds = vec![1]).await.started().await;
    let seen = stage.fake.command(stage.ann, stage.channel, &format!("/daily set {DAILY}")).await;
    assert_eq!(seen.kind, Kind::Message { ephemeral: true });
    assert!(seen.text().contains("set up for other servers"), "{}", seen.text());
    let seen = stage.fake.command(stage.bob, stage.channel, "/drill").await;
    assert!(seen.text().contains("set up for other servers"), "{}", seen.text());
    stage.fake.write(stage.bob, stage.channel, FULL);
    stage.fake.command(stage.bob, stage.channel, "/me").await;
    let known = stage.app.spaces("discord").await.expect("the servers");
    assert!(known.is_empty(), "{known:?}");
    let id = ChannelId::new(format!("discord:{}", stage.channel));
    let read =
        stage.app.store.read("read a channel", move |conn| Box::pin(async move { channels::get(conn, &id).await }));
    assert!(read.await.expect("a read").is_none(), "nothing is stored");
    stage.end().await;
}

#[tokio::test]
async fn it_never_calls_another_gateway_than_the_one_it_was_told() {
    let mut stage = hurried(|_| {}).await;
    for path in ["/gateway/bot", "/gateway"] {
        stage.fake.fault("GET", path, Fault::Status(500, json!({})));
    }
    stage.start();
    registered(&stage.fake).await;
    assert_eq!(sessions(&stage.fake).0, 1);
    // After a break too.
    stage.fake.cut();
    eventually("it is resumed", PATIENCE, || async { (sessions(&stage.fake).1 == 1).then_some(()) }).await;
    stage.end().await;
}

#[tokio::test]
async fn commands_that_could_not_be_registered_are_tried_again() {
    let mut stage = hurried(|_| {}).await;
    for _ in 0..5 {
        stage.fake.fault("PUT", "/applications/", Fault::Status(503, json!({})));
    }
    stage.start();
    registered(&stage.fake).await;
    stage.end().await;
}
