//! REST, with reqwest as the bot.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::{Fault, Id, Outage, Permissions};
use super::{Place, Rest, button, id_of, no_calls, place, text};

#[tokio::test]
async fn the_same_nonce_gives_the_same_message() {
    let Place { fake, channel, .. } = place().await;
    let rest = Rest::new(&fake);
    let path = format!("/channels/{channel}/messages");
    let body = json!({"content": "question", "nonce": "q1", "enforce_nonce": true, "allowed_mentions": no_calls()});
    let (_, first) = rest.call("POST", &path, body.clone()).await;
    let (_, second) = rest.call("POST", &path, body.clone()).await;
    assert_eq!((id_of(&first), &first["nonce"]), (id_of(&second), &json!("q1")));
    let (_, all) = rest.get(&path).await;
    assert_eq!(all.as_array().map(Vec::len), Some(1));
    assert!(all[0].get("nonce").is_none(), "only the one who sent it is told");
    fake.with(|model| model.timing.nonce = Duration::ZERO);
    let (_, third) = rest.call("POST", &path, body).await;
    assert_ne!(id_of(&first), id_of(&third));
    fake.check();
}

#[tokio::test]
async fn permissions_are_asked() {
    let Place { fake, guild, channel, .. } = place().await;
    fake.scale_rates(0.0);
    let rest = Rest::new(&fake);
    assert_eq!(rest.post(channel, "yes").await.0, 200);
    fake.deny(channel, Permissions::EMBED_LINKS);
    let with_embed = json!({"content": "words", "embeds": [{"title": "t"}], "allowed_mentions": no_calls()});
    let (status, posted) = rest.call("POST", &format!("/channels/{channel}/messages"), with_embed).await;
    assert_eq!((status, &posted["embeds"]), (200, &json!([])));
    let path = format!("/channels/{channel}/messages");
    let only_embed = json!({"embeds": [{"title": "t"}], "allowed_mentions": no_calls()});
    assert_eq!(rest.call("POST", &path, only_embed.clone()).await.1["code"], 50013);
    let path = format!("{path}/{}", id_of(&posted));
    assert_eq!(rest.call("PATCH", &path, only_embed).await.1["embeds"], json!([]));
    fake.deny(channel, Permissions::READ_MESSAGE_HISTORY);
    assert_eq!(rest.get(&format!("/channels/{channel}/messages")).await, (200, json!([])));
    fake.deny(channel, Permissions::SEND_MESSAGES);
    let (status, refused) = rest.post(channel, "no").await;
    assert_eq!((status, &refused["code"]), (403, &json!(50013)));
    fake.deny(channel, Permissions::VIEW_CHANNEL);
    let (status, refused) = rest.post(channel, "no").await;
    assert_eq!((status, &refused["code"]), (403, &json!(50001)));
    fake.allow(channel, Permissions::VIEW_CHANNEL | Permissions::SEND_MESSAGES);
    assert_eq!(rest.post(channel, "yes").await.0, 200);
    assert_eq!(rest.post(1, "nowhere").await.1["code"], 10003);
    let stranger = Rest { token: "wrong".into(), ..Rest::new(&fake) };
    assert_eq!(stranger.get("/users/@me").await.0, 401);
    fake.kick(guild);
    assert_eq!(rest.get(&format!("/guilds/{guild}")).await.1["code"], 10004);
    assert_eq!(rest.post(channel, "gone").await.1["code"], 50001);
    assert_eq!(fake.with(|model| model.rates.invalid), 5);
    fake.check();
}

#[tokio::test]
async fn more_than_a_bucket_holds_is_refused_for_a_while() {
    let Place { fake, channel, .. } = place().await;
    fake.scale_rates(0.1);
    let rest = Rest::new(&fake);
    for _ in 0..5 {
        assert_eq!(rest.post(channel, "x").await.0, 200);
    }
    let path = format!("/channels/{channel}/messages");
    let response = rest.try_call("POST", &path, text("x")).await.expect("an answer");
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["x-ratelimit-scope"], "user");
    assert_eq!(response.headers()["x-ratelimit-remaining"], "0");
    assert!(response.headers().contains_key("retry-after"));
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["global"], false);
    let wait = body["retry_after"].as_f64().expect("seconds");
    assert!(wait < 0.6, "{wait}");
    tokio::time::sleep(Duration::from_secs_f64(wait)).await;
    assert_eq!(rest.post(channel, "x").await.0, 200);
    fake.with(|model| (model.rates.global, model.rates.scale) = (2, 1.0));
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(rest.try_call("GET", "/users/@me", Value::Null).await.expect("an answer"));
    }
    let last = answers.pop().expect("four");
    assert_eq!(
        (last.status().as_u16(), &last.headers()["x-ratelimit-global"]),
        (429, &"true".parse().expect("a value"))
    );
    assert!(fake.with(|model| model.rates.too_many) >= 2);
    fake.scale_rates(0.0);
    assert_eq!(rest.get("/users/@me").await.0, 200);
    fake.check();
}

#[tokio::test]
async fn a_wrong_body_is_a_violation() {
    let Place { fake, channel, .. } = place().await;
    fake.scale_rates(0.0);
    let rest = Rest::new(&fake);
    let path = format!("/channels/{channel}/messages");
    let with = |more: Value| {
        let mut body = text("x");
        super::super::wire::merge(&mut body, more);
        body
    };
    let row = |inside: Value| json!([{"type": 1, "components": inside}]);
    let refused = [
        text(&"x".repeat(2001)),
        text(""),
        with(json!({"embeds": [{"title": "t".repeat(257)}]})),
        with(json!({"embeds": [{"description": "d".repeat(4000)}, {"description": "d".repeat(2001)}]})),
        with(json!({"embeds": [{"fields": [{"name": "", "value": "v"}]}]})),
        with(json!({"components": row(json!([button("One", "same"), button("Two", "same")]))})),
        with(json!({"components": row(json!([button(&"l".repeat(81), "id")]))})),
        with(json!({"components": row(json!([{"type": 2, "style": 1, "label": "no id"}]))})),
        with(json!({"nonce": "n".repeat(26)})),
        with(json!({"flags": 64})),
    ];
    for body in refused {
        let (status, answer) = rest.call("POST", &path, body.clone()).await;
        assert_eq!((status, &answer["code"]), (400, &json!(50035)), "{body}");
        assert!(!fake.violations().is_empty(), "{body}");
    }
    for only_noted in [json!({"content": "x"}), with(json!({"no_such_field": 1}))] {
        assert_eq!(rest.call("POST", &path, only_noted).await.0, 200);
        assert_eq!(fake.violations().len(), 1);
    }
    let option =
        |name: &str, required: bool| json!({"type": 3, "name": name, "description": "d", "required": required});
    for options in [json!([option("b", false), option("a", true)]), json!([option("Upper", true)])] {
        let command = json!([{"name": "drill", "description": "d", "options": options}]);
        assert_eq!(rest.register(command).await.0, 400);
        assert!(!fake.violations().is_empty());
    }
    let (status, _) = rest.get(&format!("{path}?limit=101")).await;
    if fake.checks_specification() {
        assert_eq!(status, 400);
        fake.violations();
    }
    rest.get("/no/such/route").await;
    assert_eq!(fake.violations().len(), 1);
    fake.check();
}

#[tokio::test]
async fn messages_come_newest_first_in_pages() {
    let Place { fake, channel, bob, .. } = place().await;
    let rest = Rest::new(&fake);
    let all: Vec<Id> = (0..6).map(|number| fake.write(bob, channel, &format!("{number}"))).collect();
    fake.scale_rates(0.0);
    let check = async |query: &str, expected: &[usize]| {
        let (_, page) = rest.get(&format!("/channels/{channel}/messages?{query}")).await;
        let found: Vec<Id> = page.as_array().expect("a list").iter().map(id_of).collect();
        assert_eq!(found, expected.iter().map(|at| all[*at]).collect::<Vec<Id>>(), "{query}");
    };
    check("limit=2", &[5, 4]).await;
    check(&format!("after={}&limit=2", all[1]), &[3, 2]).await;
    check(&format!("before={}&limit=2", all[4]), &[3, 2]).await;
    check(&format!("around={}&limit=3", all[2]), &[3, 2, 1]).await;
    let (_, one) = rest.get(&format!("/channels/{channel}/messages/{}", all[0])).await;
    assert_eq!(one["content"], "0");
    assert_eq!(rest.get(&format!("/channels/{channel}/messages/7")).await.1["code"], 10008);
    fake.check();
}

#[tokio::test]
async fn threads_are_made_archived_locked_and_woken() {
    let Place { fake, guild, channel, bob, .. } = place().await;
    let rest = Rest::new(&fake);
    let (_, question) = rest.post(channel, "question").await;
    let path = format!("/channels/{channel}/messages/{}/threads", id_of(&question));
    let (status, thread) = rest.call("POST", &path, json!({"name": "Answers", "auto_archive_duration": 1440})).await;
    assert_eq!((status, id_of(&thread)), (201, id_of(&question)));
    assert_eq!(rest.call("POST", &path, json!({"name": "Again"})).await.1["code"], 160_004);
    let thread = id_of(&thread);
    let (_, mine) = rest.post(thread, "first").await;
    fake.archive(thread);
    let mine = format!("/channels/{thread}/messages/{}", id_of(&mine));
    assert_eq!(rest.call("PATCH", &mine, text("changed")).await.1["code"], 50083);
    let (_, archived) = rest.get(&format!("/channels/{channel}/threads/archived/public")).await;
    assert_eq!(archived["threads"].as_array().map(Vec::len), Some(1));
    assert_eq!(rest.post(thread, "wakes it").await.0, 200);
    assert!(!fake.is_archived(thread));
    assert_eq!(rest.call("PATCH", &mine, text("changed")).await.0, 200);
    fake.write(bob, thread, "answer");
    let (_, active) = rest.get(&format!("/guilds/{guild}/threads/active")).await;
    assert_eq!(active["threads"][0]["message_count"], 3);
    fake.lock(thread);
    assert_eq!(rest.post(thread, "no").await.1["code"], 160_005);
    let path = format!("/channels/{thread}");
    assert_eq!(rest.call("PATCH", &path, json!({"locked": false})).await.1["code"], 50013);
    assert_eq!(rest.call("PATCH", &path, json!({"archived": true, "name": "Done"})).await.0, 200);
    assert_eq!(rest.call("PATCH", &path, json!({"name": "Answers"})).await.1["code"], 50083);
    assert_eq!(rest.call("PATCH", &path, json!({"archived": false})).await.1["code"], 50013);
    assert_eq!(fake.threads(channel), [(thread, "Done".to_owned())]);

    let forum = fake.forum_channel(guild, "drills", &["iam"]);
    let (_, shown) = rest.get(&format!("/channels/{forum}")).await;
    let post = json!({
        "name": "Drill", "applied_tags": [shown["available_tags"][0]["id"]], "message": text("body"),
    });
    let (status, post) = rest.call("POST", &format!("/channels/{forum}/threads"), post).await;
    assert_eq!((status, id_of(&post)), (201, id_of(&post["message"])));
    let (status, _) = rest.call("PATCH", &format!("/channels/{}", id_of(&post)), json!({"archived": true})).await;
    assert_eq!(status, 200);
    assert!(fake.is_archived(id_of(&post)));
    fake.check();
}

#[tokio::test]
async fn the_small_routes_answer_as_specified() {
    let Place { fake, guild, channel, ann, .. } = place().await;
    fake.scale_rates(0.0);
    let rest = Rest::new(&fake);
    let fixed = [
        "/gateway",
        "/gateway/bot",
        "/users/@me",
        "/users/@me/guilds",
        "/applications/@me",
        "/oauth2/applications/@me",
    ];
    let mut paths: Vec<String> = fixed.map(str::to_owned).to_vec();
    paths.extend(["", "/roles", "/channels", "/threads/active"].map(|rest| format!("/guilds/{guild}{rest}")));
    paths.extend([format!("/guilds/{guild}/members/{ann}"), format!("/channels/{channel}")]);
    for path in paths {
        let (status, body) = rest.get(&path).await;
        assert_eq!(status, 200, "{path}: {body}");
    }
    let (_, posted) = rest.post(channel, "react to me").await;
    let path = format!("/channels/{channel}/messages/{}", id_of(&posted));
    assert_eq!(rest.call("PUT", &format!("{path}/reactions/%E2%9C%85/@me"), Value::Null).await.0, 204);
    assert_eq!(fake.reactions(id_of(&posted)), ["✅"]);
    assert_eq!(rest.get(&path).await.1["reactions"][0]["me"], true);
    assert_eq!(rest.call("DELETE", &format!("{path}/reactions/%E2%9C%85/@me"), Value::Null).await.0, 204);
    assert_eq!(rest.call("POST", &format!("/channels/{channel}/typing"), Value::Null).await.0, 204);
    assert_eq!(rest.call("DELETE", &path, Value::Null).await.0, 204);
    fake.leave(guild, ann);
    assert_eq!(rest.get(&format!("/guilds/{guild}/members/{ann}")).await.1["code"], 10007);
    assert_eq!(rest.call("DELETE", &format!("/channels/{channel}"), Value::Null).await.1["code"], 50013);
    fake.check();
}

#[tokio::test]
async fn direct_messages_need_an_open_door() {
    let Place { fake, bob, .. } = place().await;
    let rest = Rest::new(&fake);
    let (_, dm) = rest.call("POST", "/users/@me/channels", json!({"recipient_id": bob.to_string()})).await;
    assert_eq!(rest.post(id_of(&dm), "hello").await.0, 200);
    fake.close_dms(bob);
    assert_eq!(rest.post(id_of(&dm), "again").await.1["code"], 50007);
    assert_eq!(fake.messages(fake.dm(bob)).len(), 1);
    fake.check();
}

#[tokio::test]
async fn requests_fail_in_every_way() {
    let Place { fake, channel, .. } = place().await;
    fake.scale_rates(0.0);
    let rest = Rest::new(&fake);
    let path = format!("/channels/{channel}/messages");
    let template = "/channels/{channel_id}/messages";
    fake.fault("POST", template, Fault::CutAfterRequest);
    assert!(rest.try_call("POST", &path, text("carried out")).await.is_err());
    fake.fault("POST", &path, Fault::CutBeforeRequest);
    assert!(rest.try_call("POST", &path, text("not carried out")).await.is_err());
    fake.fault("POST", template, Fault::Status(500, json!({"message": "oh", "code": 0})));
    assert_eq!(rest.post(channel, "no").await.0, 500);
    let retry_after = Duration::from_secs(2);
    fake.fault("POST", template, Fault::TooMany { retry_after, global: false, scope: "shared" });
    assert_eq!(rest.post(channel, "no").await.0, 429);
    fake.fault("POST", template, Fault::Late(Duration::from_millis(200)));
    let begun = Instant::now();
    assert_eq!(rest.post(channel, "late").await.0, 200);
    assert!(begun.elapsed() >= Duration::from_millis(200));
    let texts: Vec<String> = fake.messages(channel).into_iter().map(|one| one.content).collect();
    assert_eq!(texts, ["carried out", "late"]);
    let statuses: Vec<u16> = fake.requests("POST", "/messages").iter().map(|one| one.status).collect();
    assert_eq!(statuses, [0, 0, 500, 429, 200]);
    fake.outage(Outage::Unreachable);
    assert!(rest.try_call("POST", &path, text("on an old connection")).await.is_err());
    assert!(Rest::new(&fake).try_call("POST", &path, text("nobody there")).await.is_err());
    fake.outage(Outage::Unavailable);
    assert_eq!(Rest::new(&fake).post(channel, "busy").await.0, 503);
    fake.recover();
    assert_eq!(rest.post(channel, "back").await.0, 200);
    fake.check();
}
