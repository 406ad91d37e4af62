//! The gateway, with serenity as the bot.

use std::time::Duration;

use serde_json::json;
use serenity::all::{ClientBuilder, Event, GatewayIntents, HttpBuilder};

use super::super::{Outage, Permissions};
use super::{Bot, Place, id_of, place, usual_intents};

#[tokio::test]
async fn serenity_connects_hears_of_a_message_and_resumes_after_a_cut() {
    let Place { fake, channel, bob, .. } = place().await;
    let bot = Bot::start(&fake, usual_intents()).await;
    assert_eq!(bot.next().await.name().as_deref(), Some("READY"));
    match bot.next().await {
        Event::GuildCreate(event) => assert_eq!(event.guild.name, "Study group"),
        other => panic!("{other:?}"),
    }
    fake.write(bob, channel, "before");
    assert_eq!(bot.next_text().await, "before");
    fake.cut();
    fake.write(bob, channel, "while away");
    assert_eq!(bot.next_text().await, "while away");
    bot.next_of("RESUMED").await;
    fake.connected().await;
    fake.reconnect_now();
    bot.next_of("RESUMED").await;
    fake.write(bob, channel, "after");
    assert_eq!(bot.next_text().await, "after");
    assert_eq!(fake.with(|model| (model.sessions.identified, model.sessions.resumed)), (1, 2));
    fake.check();
}

#[tokio::test]
async fn an_invalid_session_begins_anew_and_a_missed_heartbeat_is_noticed() {
    let Place { fake, .. } = place().await;
    fake.with(|model| model.timing.heartbeat = Duration::from_millis(300));
    let bot = Bot::start(&fake, usual_intents()).await;
    bot.next_of("READY").await;
    fake.shared
        .wait(Duration::from_secs(10), |model| (model.sessions.heartbeats > 1).then_some(()))
        .await
        .expect("beats");
    fake.with(|model| model.faults.no_heartbeat_ack = true);
    fake.shared.wait(Duration::from_secs(10), |model| (!model.connected()).then_some(())).await.expect("an end");
    fake.with(|model| model.faults.no_heartbeat_ack = false);
    fake.connected().await;
    fake.invalidate(false);
    bot.next_of("READY").await;
    fake.check();
}

#[tokio::test]
async fn an_intent_that_was_not_granted_closes_with_4014() {
    let Place { fake, .. } = place().await;
    fake.grant_message_content(false);
    let http = HttpBuilder::new(fake.token()).proxy(fake.url()).ratelimiter_disabled(true).build();
    let mut client = ClientBuilder::new_with_http(http, usual_intents()).await.expect("a client");
    let error = client.start().await.expect_err("refused");
    assert!(format!("{error:?}").contains("DisallowedGatewayIntents"), "{error:?}");
    fake.check();
}

#[tokio::test]
async fn every_kind_of_event_is_understood() {
    let Place { fake, guild, channel, ann, bob } = place().await;
    fake.with(|model| model.application.guild_members = true);
    let bot = Bot::start(&fake, usual_intents() | GatewayIntents::GUILD_MEMBERS).await;
    bot.next_of("GUILD_CREATE").await;

    let second = fake.announcement_channel(guild, "news");
    bot.next_of("CHANNEL_CREATE").await;
    let forum = fake.forum_channel(guild, "drills", &["iam", "eks"]);
    bot.next_of("CHANNEL_CREATE").await;
    fake.deny(second, Permissions::SEND_MESSAGES);
    bot.next_of("CHANNEL_UPDATE").await;
    let message = fake.write(bob, channel, "one");
    bot.next_of("MESSAGE_CREATE").await;
    fake.edit(message, "one and a half");
    bot.next_of("MESSAGE_UPDATE").await;
    let (status, thread) =
        bot.rest.call("POST", &format!("/channels/{channel}/messages/{message}/threads"), json!({"name": "T"})).await;
    assert_eq!((status, id_of(&thread)), (201, message));
    bot.next_of("THREAD_CREATE").await;
    fake.archive(message);
    bot.next_of("THREAD_UPDATE").await;
    fake.delete_channel(message);
    bot.next_of("THREAD_DELETE").await;
    fake.delete(message);
    bot.next_of("MESSAGE_DELETE").await;
    let pair = [fake.write(bob, channel, "two"), fake.write(bob, channel, "three")];
    fake.delete_many(&pair);
    bot.next_of("MESSAGE_DELETE_BULK").await;
    fake.rename(bob, "Bobby");
    bot.next_of("GUILD_MEMBER_UPDATE").await;
    fake.set_permissions(guild, bob, Permissions::MANAGE_THREADS);
    bot.next_of("GUILD_ROLE_UPDATE").await;
    fake.rename_guild(guild, "Study club");
    bot.next_of("GUILD_UPDATE").await;
    fake.delete_channel(forum);
    bot.next_of("CHANNEL_DELETE").await;
    fake.write(ann, fake.dm(ann), "hello");
    assert_eq!(bot.next_text().await, "hello");
    fake.kick(guild);
    match bot.next_of("GUILD_DELETE").await {
        Event::GuildDelete(event) => assert!(!event.guild.unavailable),
        other => panic!("{other:?}"),
    }
    fake.invite(guild);
    bot.next_of("GUILD_CREATE").await;
    fake.check();
}

#[tokio::test]
async fn events_can_be_lost_doubled_and_out_of_order() {
    let Place { fake, channel, bob, .. } = place().await;
    let bot = Bot::start(&fake, usual_intents()).await;
    bot.next_of("GUILD_CREATE").await;
    fake.with(|model| model.faults.drop_events = 1);
    fake.write(bob, channel, "lost");
    fake.with(|model| model.faults.double_events = 1);
    fake.write(bob, channel, "twice");
    assert_eq!([bot.next_text().await, bot.next_text().await], ["twice", "twice"]);
    fake.with(|model| model.faults.reorder_events = 1);
    fake.write(bob, channel, "first");
    fake.write(bob, channel, "second");
    // serenity runs a task for each event, so only that both come is certain here.
    let mut both = [bot.next_text().await, bot.next_text().await];
    both.sort();
    assert_eq!(both, ["first", "second"]);
    assert_eq!(fake.messages(channel).len(), 4);
    fake.check();
}

#[tokio::test]
async fn without_the_intent_other_peoples_words_are_empty() {
    let Place { fake, channel, bob, .. } = place().await;
    fake.grant_message_content(false);
    let bot = Bot::start(&fake, usual_intents() - GatewayIntents::MESSAGE_CONTENT).await;
    bot.next_of("GUILD_CREATE").await;
    fake.write(bob, channel, "secret");
    assert_eq!(bot.next_text().await, "");
    fake.write(bob, channel, &format!("hey <@{}>", fake.bot()));
    assert!(bot.next_text().await.starts_with("hey "));
    bot.rest.post(channel, "mine").await;
    assert_eq!(bot.next_text().await, "mine");
    fake.write(bob, fake.dm(bob), "in private");
    assert_eq!(bot.next_text().await, "in private");
    let (_, all) = bot.rest.get(&format!("/channels/{channel}/messages")).await;
    let contents: Vec<&str> =
        all.as_array().expect("a list").iter().filter_map(|one| one["content"].as_str()).collect();
    assert_eq!((contents[0], contents[2]), ("mine", ""));
    assert_eq!(fake.messages(channel)[0].text(), "secret");
    fake.check();
}

#[tokio::test]
async fn an_outage_ends_and_the_session_goes_on() {
    let Place { fake, channel, bob, .. } = place().await;
    let bot = Bot::start(&fake, usual_intents()).await;
    bot.next_of("GUILD_CREATE").await;
    fake.outage(Outage::Unreachable);
    fake.write(bob, channel, "during the outage");
    fake.recover();
    assert_eq!(bot.next_text().await, "during the outage");
    fake.connected().await;
    fake.close(4000);
    fake.write(bob, channel, "after a close");
    assert_eq!(bot.next_text().await, "after a close");
    fake.check();
}

#[tokio::test]
async fn an_event_that_serenity_would_drop_is_noticed() {
    let broken = r#"{"op": 0, "t": "MESSAGE_CREATE", "s": 1, "d": {"id": "1"}}"#;
    let strange = r#"{"op": 0, "t": "NO_SUCH_EVENT", "s": 1, "d": {}}"#;
    assert!(super::super::gateway::misread(broken).is_some());
    assert!(super::super::gateway::misread(strange).is_some());
}

#[tokio::test]
async fn each_shard_hears_of_its_own_guilds() {
    let Place { fake, guild, channel, bob, .. } = place().await;
    let bot = Bot::start_shard(&fake, usual_intents(), (guild >> 22) % 2).await;
    bot.next_of("GUILD_CREATE").await;
    let other = Bot::start_shard(&fake, usual_intents(), 1 - (guild >> 22) % 2).await;
    match other.next_of("READY").await {
        Event::Ready(event) => assert!(event.ready.guilds.is_empty()),
        unexpected => panic!("{unexpected:?}"),
    }
    fake.write(bob, channel, "for one shard");
    assert_eq!(bot.next_text().await, "for one shard");
    assert!(other.has_heard_nothing().await);
    fake.check();
}
