//! Socket Mode: what the app hears, and what goes wrong on the way.

use super::super::events::misread;
use super::super::{Outage, Reason, What};
use super::*;

#[tokio::test]
async fn the_library_reads_every_event() {
    let Place { fake, team, channel, bob, .. } = place().await;
    let app = App::start(&fake, team).await;
    let first = fake.write(bob, channel, "a < b & @Ann");
    assert!(app.next_text().await.starts_with("a &lt; b &amp; <@U"));
    let reply = fake.reply(bob, first, "an answer");
    let event = app.event("message").await;
    assert_eq!((&event["thread_ts"], &event["channel_type"]), (&json!(first.ts.to_string()), &json!("channel")));
    fake.edit(reply, "a better answer");
    let event = app.event("message").await;
    assert_eq!((&event["subtype"], &event["message"]["text"]), (&json!("message_changed"), &json!("a better answer")));
    fake.delete(reply);
    assert_eq!(app.event("message").await["deleted_ts"], reply.ts.to_string());
    fake.broadcast(bob, first, "for all");
    assert_eq!(app.event("message").await["subtype"], "thread_broadcast");
    // What has something under it leaves a tombstone.
    let other = fake.write(bob, channel, "with a reply");
    fake.reply(bob, other, "the reply");
    fake.delete(other);
    assert_eq!([app.next_text().await, app.next_text().await], ["with a reply", "the reply"]);
    assert_eq!(app.event("message").await["message"]["subtype"], "tombstone");
    app.web.post(channel, "mine").await;
    assert!(app.event("message").await["bot_id"].is_string());
    fake.write(bob, fake.direct(bob), "in private");
    assert_eq!(app.event("message").await["channel_type"], "im");
    fake.rename(bob, "Bobby");
    assert_eq!(app.event("user_change").await["user"]["profile"]["display_name"], "Bobby");
    fake.set_zone(bob, "Asia/Tokyo");
    assert_eq!(app.event("user_change").await["user"]["tz"], "Asia/Tokyo");
    fake.set_admin(bob, true);
    assert_eq!(app.event("user_change").await["user"]["is_admin"], true);
    let hidden = fake.private_channel(team, "secret");
    for (channel, kind) in [(channel, "channel"), (hidden, "group")] {
        fake.rename_channel(channel, "other");
        assert_eq!(app.event(&format!("{kind}_rename")).await["channel"]["name"], "other");
        fake.archive(channel);
        app.event(&format!("{kind}_archive")).await;
        fake.unarchive(channel);
        app.event(&format!("{kind}_unarchive")).await;
        fake.leave(channel, bob);
        app.event("member_left_channel").await;
        fake.join(channel, bob);
        app.event("member_joined_channel").await;
        fake.kick(channel);
        app.event(&format!("{kind}_left")).await;
        fake.write(bob, channel, "unheard");
        fake.invite(channel);
        app.event("member_joined_channel").await;
        fake.delete_channel(channel);
        app.event(&format!("{kind}_deleted")).await;
    }
    fake.uninstall(team);
    assert!(app.event("tokens_revoked").await["tokens"]["bot"].is_array());
    app.event("app_uninstalled").await;
    fake.settled().await;
    fake.check();
    assert!(fake.acks().iter().all(|ack| ack.what == What::Event && ack.attempt == 0));
}

#[tokio::test]
async fn each_event_goes_to_one_socket_unless_a_fault_says_otherwise() {
    let Place { fake, team, channel, bob, .. } = place().await;
    let app = App::start_with(&fake, team, 2).await;
    assert_eq!(fake.sockets(), 2);
    fake.write(bob, channel, "once");
    assert_eq!(app.next_text().await, "once");
    fake.with(|model| model.faults.every_socket = true);
    fake.write(bob, channel, "twice");
    assert_eq!([app.next_text().await, app.next_text().await], ["twice", "twice"]);
    fake.with(|model| model.faults.every_socket = false);
    fake.with(|model| model.faults.repeat_events = 10);
    fake.write(bob, channel, "eleven times");
    for _ in 0..11 {
        assert_eq!(app.next_text().await, "eleven times");
    }
    fake.with(|model| model.faults.drop_events = 1);
    fake.write(bob, channel, "lost");
    fake.write(bob, channel, "last");
    assert_eq!(app.next_text().await, "last");
    assert!(app.has_heard_nothing().await);
    fake.check();
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again() {
    let Place { fake, team, channel, bob, .. } = place().await;
    fake.with(|model| model.timing.ack = Duration::from_millis(50));
    let app = App::start_with(&fake, team, 2).await;
    app.acking(false);
    fake.write(bob, channel, "again");
    assert_eq!(app.next().await["retry_attempt"], 0);
    app.acking(true);
    let again = app.next().await;
    assert_eq!((&again["retry_attempt"], &again["retry_reason"]), (&json!(1), &json!("timeout")));
    assert_eq!(again["payload"]["event"]["text"], "again");
    fake.settled().await;
    fake.with(|model| {
        model.faults.lose_acks = 1;
        model.faults.hide_retries = true;
    });
    fake.write(bob, channel, "secretly");
    assert_eq!([app.next().await["retry_attempt"].clone(), app.next().await["retry_attempt"].clone()], [0, 0]);
    fake.settled().await;
    fake.with(|model| {
        model.faults.lose_acks = 1;
        model.faults.no_retries = true;
    });
    fake.write(bob, channel, "once");
    assert_eq!(app.next_text().await, "once");
    fake.settled().await;
    assert!(app.has_heard_nothing().await);
    fake.check();
}

#[tokio::test]
async fn a_frozen_socket_loses_nothing_for_good() {
    let Place { fake, team, channel, bob, .. } = place().await;
    fake.with(|model| model.timing.ack = Duration::from_millis(50));
    let app = App::start_with(&fake, team, 2).await;
    fake.freeze_one();
    for text in ["one", "two"] {
        fake.write(bob, channel, text);
    }
    let mut both = [app.next_text().await, app.next_text().await];
    both.sort();
    assert_eq!(both, ["one", "two"]);
    assert_eq!(fake.sockets(), 2);
    fake.check();
}

#[tokio::test]
async fn sockets_come_back_after_every_kind_of_end() {
    let Place { fake, team, channel, bob, .. } = place().await;
    let app = App::start(&fake, team).await;
    fake.with(|model| model.faults.lose_at_refresh = true);
    fake.disconnect(Reason::RefreshRequested);
    fake.write(bob, channel, "lost on the way");
    assert_eq!(app.next().await["reason"], "refresh_requested");
    let opened = |count: u32| {
        move |model: &super::super::Model| (model.sockets.opened >= count && model.sockets.count() == 1).then_some(())
    };
    fake.wait_for("a second socket", opened(2)).await;
    fake.close_sockets();
    fake.wait_for("a third socket", opened(3)).await;
    fake.cut();
    fake.wait_for("a fourth socket", opened(4)).await;
    fake.disconnect_oldest(Reason::LinkDisabled);
    fake.wait_for("a fifth socket", opened(5)).await;
    fake.disconnect(Reason::Warning);
    fake.outage(Outage::Unreachable);
    fake.disconnected().await;
    fake.recover();
    fake.connected().await;
    fake.write(bob, channel, "heard");
    loop {
        match app.next_text().await.as_str() {
            "heard" => break,
            // Before the library has closed its old socket it may still read it.
            other => assert_eq!(other, "lost on the way"),
        }
    }
    fake.check();
}

#[tokio::test]
async fn a_link_is_good_once() {
    let Place { fake, team, .. } = place().await;
    let web = Web { token: fake.app_token(), ..Web::new(&fake, team) };
    let answer = web.call("apps.connections.open", json!({})).await;
    let url = answer["url"].as_str().expect("a url").to_owned();
    let open = tokio_tungstenite::connect_async(url.clone()).await;
    assert!(open.is_ok());
    assert!(tokio_tungstenite::connect_async(url).await.is_err());
    assert_eq!(web.call("auth.test", json!({})).await["app_name"], "Drillbot");
    fake.with(|model| model.faults.dead_links = true);
    let answer = web.call("apps.connections.open", json!({})).await;
    assert!(tokio_tungstenite::connect_async(answer["url"].as_str().expect("a url")).await.is_err());
    fake.check();
}

#[test]
fn an_event_that_the_library_would_not_read_is_noticed() {
    let broken = json!({"type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event": {"type": "message"}});
    assert!(misread(What::Event, &broken).is_some());
    let mut strange = json!({
        "type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": "Ev1", "event_time": 1,
        "event": {"type": "message", "channel": "C1"},
    });
    assert!(misread(What::Event, &strange).is_some());
    strange["event"]["ts"] = json!("1.000001");
    assert_eq!(misread(What::Event, &strange), None);
    assert!(misread(What::Command, &json!({})).is_some());
    assert!(misread(What::Interaction, &json!({"type": "block_actions"})).is_some());
}
