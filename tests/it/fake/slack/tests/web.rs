//! The Web API: answers as the library reads them, refusals, limits, rates and faults.

use std::time::Duration;

use super::super::{Fault, Outage, Spot};
use super::*;

#[tokio::test]
async fn the_library_reads_every_answer() {
    let Place { fake, team, channel, bob, .. } = place().await;
    let client = client(&fake);
    let token = SlackApiToken::new(fake.token(team).into());
    let session = client.open_session(&token);
    assert_eq!(session.auth_test().await.expect("an answer").user_id, fake.bot(team).to_string().into());
    let info = session.team_info(&SlackApiTeamInfoRequest::new()).await.expect("an answer");
    assert_eq!(info.team.name.as_deref(), Some("Study group"));
    let info = session.users_info(&SlackApiUsersInfoRequest::new(bob.to_string().into())).await.expect("an answer");
    assert_eq!(info.user.real_name.as_deref(), Some("Bob"));
    let id = SlackChannelId::new(channel.to_string());
    let info = session.conversations_info(&SlackApiConversationsInfoRequest::new(id.clone())).await.expect("an answer");
    assert_eq!((info.channel.name.as_deref(), info.channel.flags.is_member), (Some("daily-drill"), Some(true)));
    let request = SlackApiConversationsMembersRequest::new().with_channel(id.clone());
    assert_eq!(session.conversations_members(&request).await.expect("an answer").members.len(), 4);

    let content = SlackMessageContent::new().with_text("Hello".into());
    let post = SlackApiChatPostMessageRequest::new(id.clone(), content.clone())
        .with_unfurl_links(false)
        .with_unfurl_media(false);
    let first = session.chat_post_message(&post).await.expect("an answer");
    let reply = session.chat_post_message(&post.clone().with_thread_ts(first.ts.clone())).await.expect("an answer");
    assert_eq!(reply.message.origin.thread_ts, Some(first.ts.clone()));
    let changed = SlackMessageContent::new().with_text("Changed".into());
    let update = SlackApiChatUpdateRequest::new(id.clone(), changed, first.ts.clone());
    assert_eq!(session.chat_update(&update).await.expect("an answer").message.content.text.as_deref(), Some("Changed"));
    let whisper = SlackApiChatPostEphemeralRequest::new(id.clone(), bob.to_string().into(), content);
    session.chat_post_ephemeral(&whisper).await.expect("an answer");
    assert_eq!(fake.ephemeral_of(bob)[0].text(), "Hello");
    let name = SlackReactionName::new("white_check_mark".into());
    let react = SlackApiReactionsAddRequest::new(id.clone(), name.clone(), first.ts.clone());
    session.reactions_add(&react).await.expect("an answer");
    let history = SlackApiConversationsHistoryRequest::new().with_channel(id.clone());
    let history = session.conversations_history(&history).await.expect("an answer");
    assert_eq!(history.messages[0].parent.reply_count, Some(1));
    assert_eq!(history.messages[0].content.reactions.as_ref().map(Vec::len), Some(1));
    let remove = SlackApiReactionsRemoveRequest::new(name).with_channel(id.clone()).with_timestamp(first.ts.clone());
    session.reactions_remove(&remove).await.expect("an answer");
    let replies = SlackApiConversationsRepliesRequest::new(id.clone(), first.ts.clone());
    assert_eq!(session.conversations_replies(&replies).await.expect("an answer").messages.len(), 2);
    session.chat_delete(&SlackApiChatDeleteRequest::new(id.clone(), first.ts.clone())).await.expect("an answer");
    assert_eq!(fake.messages(channel)[0].text(), "This message was deleted.");
    let open = SlackApiConversationsOpenRequest::new().with_users(vec![bob.to_string().into()]);
    let open = session.conversations_open(&open).await.expect("an answer");
    assert_eq!(open.channel.id, fake.direct(bob).to_string().into());
    let link = SlackApiChatGetPermalinkRequest::new(id, reply.ts);
    assert!(session.chat_get_permalink(&link).await.expect("an answer").permalink.as_str().contains("thread_ts"));
    let home = SlackHomeView::new(slack_blocks![some_into(SlackHeaderBlock::new(pt!("Your score")))]);
    let publish = SlackApiViewsPublishRequest::new(bob.to_string().into(), SlackView::Home(home));
    session.views_publish(&publish).await.expect("an answer");
    assert_eq!(fake.home(bob).expect("a Home").text(), "Your score");
    fake.check();
}

#[tokio::test]
async fn refusals_have_slacks_codes() {
    let Place { fake, team, channel, ann, bob } = place().await;
    fake.scale_rates(0.0);
    let web = Web::new(&fake, team);
    let at = |channel: Id, ts: &str| json!({"channel": channel.to_string(), "ts": ts, "text": "x"});
    let own = web.post(channel, "own").await;
    let own_ts = own["ts"].as_str().expect("a ts").to_owned();
    let theirs = fake.write(bob, channel, "theirs").ts.to_string();
    let check = async |method: &str, body: Value, code: &str| {
        let answer = web.call(method, body.clone()).await;
        assert_eq!(answer["error"], code, "{method} {body}: {answer}");
    };
    check("chat.postMessage", json!({"channel": "C1", "text": "x"}), "channel_not_found").await;
    check("chat.postMessage", message(channel, &"x".repeat(40_001)), "msg_too_long").await;
    check("chat.postMessage", message(channel, ""), "no_text").await;
    check("chat.update", at(channel, "1.000001"), "message_not_found").await;
    check("chat.update", at(channel, &theirs), "cant_update_message").await;
    check("chat.delete", at(channel, &theirs), "cant_delete_message").await;
    let react = |name: &str| json!({"channel": channel.to_string(), "timestamp": own_ts, "name": name});
    check("reactions.add", react("Ä"), "invalid_name").await;
    assert_eq!(web.call("reactions.add", react("eyes")).await["ok"], true);
    check("reactions.add", react("eyes"), "already_reacted").await;
    check("reactions.remove", react("tada"), "no_reaction").await;
    check("conversations.open", json!({"users": "U0FAKE99999"}), "user_not_found").await;
    let whisper = json!({"channel": channel.to_string(), "user": "U0FAKE99999", "text": "x"});
    check("chat.postEphemeral", whisper, "user_not_in_channel").await;
    check("views.open", json!({"trigger_id": "1", "view": form("Form")}), "invalid_trigger_id").await;
    check("views.update", json!({"view_id": "V0FAKE99999", "view": form("Form")}), "not_found").await;
    check("no.such.method", json!({}), "unknown_method").await;
    check("apps.connections.open", json!({}), "not_allowed_token_type").await;
    assert_eq!(web.read("users.info", &[("user", "U0FAKE99999")]).await["error"], "user_not_found");
    let id = channel.to_string();
    assert_eq!(
        web.read("conversations.replies", &[("channel", &id), ("ts", "1.000001")]).await["error"],
        "thread_not_found"
    );
    assert_eq!(
        web.read("conversations.history", &[("channel", &id), ("cursor", "x")]).await["error"],
        "invalid_cursor"
    );
    fake.deactivate(bob);
    check("conversations.open", json!({"users": bob.to_string()}), "user_disabled").await;

    fake.take_scope(team, "reactions:write");
    let answer = web.call("reactions.add", react("tada")).await;
    assert_eq!((&answer["error"], &answer["needed"]), (&json!("missing_scope"), &json!("reactions:write")));
    assert!(answer["provided"].as_str().is_some_and(|all| all.contains("chat:write")));
    fake.take_scope(team, "channels:history");
    assert_eq!(web.read("conversations.history", &[("channel", &id)]).await["error"], "missing_scope");

    fake.archive(channel);
    check("chat.postMessage", message(channel, "x"), "is_archived").await;
    check("chat.update", at(channel, &own_ts), "is_inactive").await;
    assert!(fake.try_write(ann, channel, "x").is_err());
    fake.unarchive(channel);
    fake.kick(channel);
    check("chat.postMessage", message(channel, "x"), "not_in_channel").await;
    let hidden = fake.private_channel(team, "secret");
    fake.kick(hidden);
    check("chat.postMessage", message(hidden, "x"), "channel_not_found").await;
    assert_eq!(web.call("conversations.join", json!({"channel": id})).await["ok"], true);
    fake.delete_channel(channel);
    check("chat.postMessage", message(channel, "x"), "channel_not_found").await;

    fake.revoke(team);
    check("auth.test", json!({}), "token_revoked").await;
    fake.uninstall(team);
    check("auth.test", json!({}), "account_inactive").await;
    let stranger = Web { token: "xoxb-unknown".into(), ..Web::new(&fake, team) };
    assert_eq!(stranger.call("auth.test", json!({})).await["error"], "invalid_auth");
    let nobody = Web { token: String::new(), ..stranger };
    assert_eq!(nobody.call("auth.test", json!({})).await["error"], "not_authed");
}

#[tokio::test]
async fn pages_follow_each_other_and_a_thread_shows_its_first_message_on_each() {
    let Place { fake, team, channel, bob, .. } = place().await;
    let web = Web::new(&fake, team);
    let first = fake.write(bob, channel, "first");
    for text in ["one", "two", "three"] {
        fake.reply(bob, first, text);
    }
    let last = fake.broadcast(bob, first, "for all");
    let (id, ts) = (channel.to_string(), first.ts.to_string());
    let texts = |page: &Value| -> Vec<String> {
        let all = page["messages"].as_array().expect("messages").iter();
        all.filter_map(|one| one["text"].as_str().map(str::to_owned)).collect()
    };
    let page = web.read("conversations.replies", &[("channel", &id), ("ts", &ts), ("limit", "3")]).await;
    assert_eq!(texts(&page), ["first", "one", "two"]);
    let cursor = page["response_metadata"]["next_cursor"].as_str().expect("a cursor").to_owned();
    let query = [("channel", id.as_str()), ("ts", &ts), ("limit", "3"), ("cursor", &cursor)];
    let page = web.read("conversations.replies", &query).await;
    assert_eq!(
        (texts(&page), &page["has_more"]),
        (vec!["first".into(), "three".into(), "for all".into()], &json!(false))
    );
    let page = web.read("conversations.history", &[("channel", &id), ("limit", "1")]).await;
    assert_eq!((texts(&page), &page["has_more"]), (vec!["for all".to_owned()], &json!(true)));
    let page = web.read("conversations.history", &[("channel", &id), ("oldest", &ts)]).await;
    assert_eq!(texts(&page), ["for all"]);
    let query = [("channel", id.as_str()), ("latest", &ts), ("inclusive", "true")];
    assert_eq!(texts(&web.read("conversations.history", &query).await), ["first"]);
    assert!(fake.replies(first).iter().any(|one| one.spot == last && one.broadcast));
    fake.check();
}

#[tokio::test]
async fn an_update_keeps_what_it_does_not_mention() {
    let Place { fake, team, channel, .. } = place().await;
    let web = Web::new(&fake, team);
    let mut body = message(channel, "Question");
    body["blocks"] = json!([section("*Question*"), {"type": "actions", "elements": [button("Answer", "answer")]}]);
    body["metadata"] = json!({"event_type": "post", "event_payload": {"key": "7"}});
    let posted = web.call("chat.postMessage", body).await;
    let (id, ts) = (channel.to_string(), posted["ts"].as_str().expect("a ts").to_owned());
    assert_eq!(web.call("chat.update", json!({"channel": id, "ts": ts, "text": "Other"})).await["ok"], true);
    let shown = &fake.messages(channel)[0];
    assert_eq!((shown.text(), shown.notification.as_str(), shown.edited), ("*Question*\n[Answer]", "Other", true));
    let without = web.read("conversations.history", &[("channel", &id)]).await;
    assert!(without["messages"][0]["metadata"].is_null());
    let with = web.read("conversations.history", &[("channel", &id), ("include_all_metadata", "true")]).await;
    assert_eq!(with["messages"][0]["metadata"]["event_payload"]["key"], "7");
    web.call("chat.update", json!({"channel": id, "ts": ts, "text": "Bare", "blocks": []})).await;
    assert_eq!(fake.shown(Spot { channel, ts: ts_of(&posted) }).expect("a message").text(), "Bare");
    fake.check();
}

#[tokio::test]
async fn posting_is_limited_in_each_channel_for_itself() {
    let Place { fake, team, channel, .. } = place().await;
    let other = fake.public_channel(team, "other");
    let web = Web::new(&fake, team);
    // A burst is allowed; the wait is long, so that a slow machine does not matter.
    fake.scale_rates(1000.0);
    for _ in 0..3 {
        assert_eq!(web.post(channel, "x").await["ok"], true);
    }
    let response = web.try_call("chat.postMessage", &message(channel, "x")).await.expect("an answer");
    assert_eq!(response.status(), 429);
    let wait: u64 = response.headers()["retry-after"].to_str().expect("ASCII").parse().expect("seconds");
    assert!(wait > 1);
    assert_eq!(web.post(other, "x").await["ok"], true);
    assert_eq!(fake.with(|model| model.rates.too_many), 1);
    fake.scale_rates(0.0);
    assert_eq!(web.post(channel, "x").await["ok"], true);
    fake.check();
}

#[tokio::test]
async fn faults_happen_to_the_request_they_are_for() {
    let Place { fake, team, channel, .. } = place().await;
    fake.scale_rates(0.0);
    let web = Web::new(&fake, team);
    let post = || async { web.try_call("chat.postMessage", &message(channel, "x")).await };
    fake.fault("chat.postMessage", Fault::Status(500));
    assert_eq!(web.call("auth.test", json!({})).await["ok"], true);
    assert_eq!(post().await.expect("an answer").status(), 500);
    fake.fault("chat.postMessage", Fault::TooMany { retry_after_s: 7 });
    assert_eq!(post().await.expect("an answer").headers()["retry-after"], "7");
    fake.fault("chat.postMessage", Fault::CutBeforeRequest);
    assert!(post().await.is_err());
    assert!(fake.messages(channel).is_empty());
    fake.fault("chat.postMessage", Fault::CutAfterRequest);
    assert!(post().await.is_err());
    assert_eq!(fake.messages(channel).len(), 1);
    fake.fault("chat.postMessage", Fault::Late(Duration::from_millis(1)));
    assert_eq!(post().await.expect("an answer").status(), 200);
    fake.always("chat.postMessage", Fault::Error("restricted_action"));
    assert_eq!(web.post(channel, "x").await["error"], "restricted_action");
    assert_eq!(web.post(channel, "x").await["error"], "restricted_action");
    fake.heal("chat.postMessage");
    assert_eq!(web.post(channel, "x").await["ok"], true);
    fake.outage(Outage::Unavailable);
    assert_eq!(post().await.expect("an answer").status(), 503);
    fake.outage(Outage::Unreachable);
    assert!(post().await.is_err());
    fake.recover();
    assert_eq!(web.post(channel, "x").await["ok"], true);
    let all = fake.requests("chat.postMessage");
    assert_eq!((&all[0].body["text"], &all[0].token), (&json!("x"), &web.token));
    assert!(all[4].answer["ok"] == true && all[0].at <= all[4].at);
    assert!(fake.changes().has_changed().is_ok());
    let statuses: Vec<u16> = all.iter().map(|one| one.status).collect();
    assert_eq!(statuses[..5], [500, 429, 0, 0, 200]);
    fake.check();
}

#[tokio::test]
async fn what_breaks_a_limit_is_refused_and_noted() {
    let Place { fake, team, channel, .. } = place().await;
    fake.scale_rates(0.0);
    let web = Web::new(&fake, team);
    let with_blocks = |blocks: Value| {
        let mut body = message(channel, "text");
        body["blocks"] = blocks;
        body
    };
    let long = |length: usize| "x".repeat(length);
    let actions = |element: Value| with_blocks(json!([{"type": "actions", "elements": [element]}]));
    let words = |element: Value| {
        let part = json!({"type": "rich_text_section", "elements": [element]});
        with_blocks(json!([{"type": "rich_text", "elements": [part]}]))
    };
    let refused = [
        with_blocks(json!(vec![section("x"); 51])),
        with_blocks(json!([section(&long(3001))])),
        with_blocks(json!(vec![section(&long(2900)); 5])),
        with_blocks(json!([{"type": "header", "text": plain(&long(151))}])),
        with_blocks(json!([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}])),
        with_blocks(json!([{"type": "actions", "elements": []}])),
        with_blocks(json!([{"type": "what"}])),
        with_blocks(json!([{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}])),
        actions(button(&long(76), "a")),
        actions(button("x", &long(256))),
        actions(json!({"type": "button", "text": plain("x"), "action_id": "a", "value": long(2001)})),
        actions(json!({"type": "static_select", "action_id": "a", "options": []})),
        with_blocks(json!([{"type": "rich_text", "elements": []}])),
        words(json!({"type": "text", "text": ""})),
        words(json!({"type": "txet", "text": "x"})),
        words(json!({"type": "date", "timestamp": "1", "format": "{date}", "fallback": "x"})),
        words(json!({"type": "date", "timestamp": 1, "format": "{date_shrot}", "fallback": "x"})),
    ];
    for body in refused {
        let answer = web.call("chat.postMessage", body.clone()).await;
        assert_eq!(answer["ok"], false, "{body}");
        assert!(!fake.violations().is_empty(), "{body}");
    }
    assert!(fake.messages(channel).is_empty());
    let noted = [
        json!({"channel": channel.to_string(), "text": "x"}),
        json!({"channel": channel.to_string(), "blocks": [section("x")], "unfurl_links": false, "unfurl_media": false}),
    ];
    for body in noted {
        assert_eq!(web.call("chat.postMessage", body.clone()).await["ok"], true, "{body}");
        assert!(!fake.violations().is_empty(), "{body}");
    }
    let publish = |form: Value| json!({"user_id": fake.owner(team).to_string(), "view": form});
    let home = |blocks: Value| json!({"type": "home", "blocks": blocks});
    for form in [home(json!(vec![section("x"); 101])), json!({"type": "home", "blocks": [], "title": plain("x")})] {
        assert_eq!(web.call("views.publish", publish(form)).await["error"], "invalid_arguments");
        assert!(!fake.violations().is_empty());
    }
    if fake.checks_schemas() {
        let mut body = message(channel, "x");
        body["txet"] = json!("a slip of the finger");
        web.call("chat.postMessage", body).await;
        assert!(!fake.violations().is_empty());
    }
    assert_eq!(web.call("chat.postMessage", with_blocks(json!([section("fine")]))).await["ok"], true);
    fake.check();
}

#[tokio::test]
async fn a_form_is_read_as_json_is() {
    let Place { fake, team, channel, .. } = place().await;
    let web = Web::new(&fake, team);
    let blocks = json!([section("from a form")]).to_string();
    let fields = [
        ("token", web.token.clone()),
        ("channel", channel.to_string()),
        ("text", "text".into()),
        ("blocks", blocks),
        ("unfurl_links", "false".into()),
        ("unfurl_media", "false".into()),
    ];
    let body = super::super::events::form(fields.iter().map(|(name, value)| (*name, value.clone())));
    let request = web.http.post(format!("{}/chat.postMessage", web.url));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    let answer: Value = request.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(answer["ok"], true);
    assert_eq!(fake.messages(channel)[0].text(), "from a form");
    fake.check();
    web.call("users.info", json!({"user": fake.owner(team).to_string()})).await;
    assert!(fake.violations()[0].contains("no JSON"));
}

#[tokio::test]
async fn a_code_becomes_a_token_once() {
    let fake = Fake::start().await;
    let team = fake.workspace_without_app("Study group");
    let owner = fake.owner(team);
    let client = client(&fake);
    let (id, secret) = fake.client();
    let exchange = async |code: &str, secret: &str| {
        let request =
            SlackOAuthV2AccessTokenRequest::new(id.clone().into(), secret.to_owned().into(), code.to_owned().into());
        client.oauth2_access(&request).await
    };
    let code = fake.authorize(team, owner, None);
    assert!(exchange(&code, "wrong").await.is_err_and(|error| error.to_string().contains("bad_client_secret")));
    let answer = exchange(&code, &secret).await.expect("an answer");
    assert_eq!(answer.team.id, team.to_string().into());
    assert_eq!(answer.access_token.value(), &fake.token(team));
    assert!(exchange(&code, &secret).await.is_err_and(|error| error.to_string().contains("code_already_used")));
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let query = [
        ("client_id", id.as_str()),
        ("scope", "chat:write,commands"),
        ("state", "7"),
        ("redirect_uri", "http://bot/back"),
    ];
    let page = http.get(format!("{}/oauth/v2/authorize", fake.url())).query(&query).send().await.expect("an answer");
    let location = page.headers()["location"].to_str().expect("ASCII").to_owned();
    assert!(location.starts_with("http://bot/back?code=") && location.ends_with("&state=7"), "{location}");
    let web = Web::new(&fake, team);
    assert_eq!(web.read("auth.revoke", &[("test", "true")]).await["revoked"], false);
    assert_eq!(web.read("auth.revoke", &[]).await["revoked"], true);
    assert_eq!(web.call("auth.test", json!({})).await["error"], "token_revoked");
    fake.check();
}

#[tokio::test]
async fn a_shared_channel_has_strangers() {
    let Place { fake, team, channel, .. } = place().await;
    let other = fake.workspace_without_app("Partners");
    let stranger = fake.member(other, "Sam");
    fake.share(channel, other);
    let web = Web::new(&fake, team);
    let info =
        web.read("conversations.info", &[("channel", &channel.to_string()), ("include_num_members", "true")]).await;
    assert_eq!((&info["channel"]["is_ext_shared"], &info["channel"]["num_members"]), (&json!(true), &json!(6)));
    let info = web.read("users.info", &[("user", &stranger.to_string())]).await;
    assert_eq!(info["user"]["is_stranger"], true);
    let guest = fake.guest(channel, "Gil");
    assert_eq!(web.read("users.info", &[("user", &guest.to_string())]).await["user"]["is_restricted"], true);
    let app = Web { token: fake.app_token(), ..web };
    let query = [("event_context", format!("4-{team}-Ev1"))];
    let answer = app.read("apps.event.authorizations.list", &[("event_context", query[0].1.as_str())]).await;
    assert_eq!(answer["authorizations"][0]["team_id"], team.to_string());
    fake.check();
}
