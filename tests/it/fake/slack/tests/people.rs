//! What people do, and what they see of it.

use super::super::{Screen, Seen, SeenKind, Shown, Spot, Target};
use super::*;

/// Somebody acts while the app answers.
async fn while_app<T>(act: impl Future<Output = Seen>, answer: impl Future<Output = T>) -> (Seen, T) {
    tokio::join!(act, answer)
}

async fn respond(app: &App, payload: &Value, body: Value) -> u16 {
    let url = payload["response_url"].as_str().expect("a response url");
    app.web.http.post(url).json(&body).send().await.expect("an answer").status().as_u16()
}

async fn open(app: &App, payload: &Value, view: Value) -> Value {
    app.web.call("views.open", json!({"trigger_id": payload["trigger_id"], "view": view})).await
}

#[tokio::test]
async fn a_command_is_answered_at_once_or_later() {
    let Place { fake, team, channel, ann, bob } = place().await;
    let app = App::start(&fake, team).await;
    app.answer_with(json!({"text": "Pong"}));
    let seen = fake.command(ann, channel, "/ping  now ").await;
    assert_eq!((seen.kind, seen.text()), (SeenKind::Message { ephemeral: true }, "Pong"));
    assert!(seen.ack_after.is_some());
    let payload = app.next_of("slash_commands").await;
    assert_eq!((&payload["command"], &payload["text"]), (&json!("/ping"), &json!("now")));
    app.answer_with(json!({"text": "For all", "response_type": "in_channel"}));
    assert_eq!(fake.command(ann, channel, "/ping").await.kind, SeenKind::Message { ephemeral: false });
    assert_eq!(fake.messages(channel)[0].text(), "For all");

    app.next_of("slash_commands").await;
    let later = async {
        let payload = app.next_of("slash_commands").await;
        assert_eq!(respond(&app, &payload, json!({"text": "Later"})).await, 200);
        payload
    };
    let (seen, payload) = while_app(fake.command(bob, channel, "/drill iam"), later).await;
    assert_eq!(seen.text(), "Later");
    fake.until_ephemeral(bob, "Later").await;
    for status in [200, 200, 200, 200, 404] {
        assert_eq!(respond(&app, &payload, json!({"text": "More"})).await, status);
    }
    assert!(fake.violations()[0].contains("five times"));

    fake.with(|model| model.timing.patience = Duration::from_millis(20));
    assert_eq!(fake.command(ann, channel, "/ping").await.kind, SeenKind::Silent);
    app.acking(false);
    fake.with(|model| model.timing.ack = Duration::from_millis(10));
    assert_eq!(fake.command(ann, channel, "/ping").await.kind, SeenKind::Nothing);
    fake.declare(&["/drill"], &[("Save as my answer", "save")], &["message.channels"]);
    assert_eq!(fake.command(ann, channel, "/ping").await.kind, SeenKind::Refused);
    fake.check();
}

#[tokio::test]
async fn a_form_opens_says_what_is_wrong_changes_and_closes() {
    let Place { fake, team, channel, bob, .. } = place().await;
    let app = App::start(&fake, team).await;
    let mut card = message(channel, "Question");
    let select = json!({
        "type": "static_select", "action_id": "topic", "placeholder": plain("Topic"),
        "options": [{"text": plain("IAM"), "value": "iam"}, {"text": plain("EKS"), "value": "eks"}],
    });
    card["blocks"] =
        json!([section("Question"), {"type": "actions", "elements": [button("Answer", "answer"), select]}]);
    let card = Spot { channel, ts: ts_of(&app.web.call("chat.postMessage", card).await) };
    assert_eq!(fake.messages(channel)[0].text(), "Question\n[Answer] [Topic: IAM | EKS]");
    assert_eq!(fake.press(bob, card, "Other").await.kind, SeenKind::Refused);

    let opens = async {
        let payload = app.next_of("interactive").await;
        let opened = open(&app, &payload, form("Your answer")).await;
        assert_eq!(open(&app, &payload, form("Again")).await["error"], "exchanged_trigger_id");
        opened["view"].clone()
    };
    let (seen, view) = while_app(fake.press(bob, card, "Answer"), opens).await;
    assert_eq!((seen.kind, seen.text()), (SeenKind::Modal, "Your answer\nAnswer: []\n[Send] [Cancel]"));
    let modal = seen.modal();
    assert_eq!(fake.submit(bob, modal, &[]).await.kind, SeenKind::Refused);
    assert_eq!(fake.submit(bob, modal, &[("words", &"x".repeat(101))]).await.kind, SeenKind::Refused);

    app.answer_with(json!({"response_action": "errors", "errors": {"answer": "Say more."}}));
    let seen = fake.submit(bob, &seen, &[("Answer", "roles")]).await;
    assert_eq!((seen.kind, seen.errors["answer"].as_str()), (SeenKind::Errors, "Say more."));
    let payload = app.next_of("interactive").await;
    assert_eq!(payload["view"]["state"]["values"]["answer"]["words"]["value"], "roles");

    let conflict = json!({"view_id": view["id"], "hash": "1.old", "view": form("Late")});
    assert_eq!(app.web.call("views.update", conflict).await["error"], "hash_conflict");
    let other = json!({"type": "modal", "title": plain("Feedback"), "blocks": [section("Thinking")]});
    app.answer_with(json!({"response_action": "update", "view": other}));
    let seen = fake.submit(bob, modal, &[("words", "roles and policies")]).await;
    assert_eq!((seen.kind, seen.text()), (SeenKind::Updated, "Feedback\nThinking"));
    let mut next = form("Next question");
    next["blocks"][0]["dispatch_action"] = json!(false);
    next["notify_on_close"] = json!(true);
    assert_eq!(app.web.call("views.update", json!({"view_id": view["id"], "view": next})).await["ok"], true);
    let screen: Screen = fake.until_screen(bob, "Next question").await;
    assert!(screen.open && screen.user == bob && screen.links.is_empty());
    app.answer_with(json!({"response_action": "push", "view": form("On top")}));
    let above = fake.submit(bob, &screen, &[("answer", "x")]).await;
    assert_eq!(above.kind, SeenKind::Modal);
    assert_eq!(fake.form_of(bob).expect("a form").id, above.modal());
    fake.close(bob, above.modal());
    fake.close(bob, modal);
    loop {
        if app.next_of("interactive").await["type"] == "view_closed" {
            break;
        }
    }
    assert!(fake.form_of(bob).is_none());
    assert_eq!(fake.submit(bob, modal, &[("words", "late")]).await.kind, SeenKind::Refused);

    let replaces = async {
        let payload = app.next_of("interactive").await;
        assert_eq!(payload["actions"][0]["selected_option"]["value"], "eks");
        respond(&app, &payload, json!({"replace_original": true, "text": "EKS it is"})).await
    };
    let (seen, _) = while_app(fake.choose(bob, card, "EKS"), replaces).await;
    assert_eq!((seen.kind, seen.text()), (SeenKind::Changed, "EKS it is"));
    fake.check();
}

#[tokio::test]
async fn check_boxes_are_ticked_and_sent_as_a_client_sends_them() {
    let Place { fake, team, channel, bob, .. } = place().await;
    let app = App::start(&fake, team).await;
    let mut view = form("Topics");
    let option = |name: &str| json!({"text": plain(name), "value": name.to_lowercase()});
    let boxes = json!({
        "type": "checkboxes", "action_id": "level", "options": [option("Easy"), option("Fair"), option("Hard")],
        "initial_options": [option("Fair")],
    });
    view["blocks"] = json!([{
        "type": "input", "block_id": "level", "label": plain("Level"), "element": boxes, "optional": true,
    }]);
    for (given, expect) in [(Some("Hard,easy"), "easy hard"), (Some(""), ""), (None, "fair")] {
        let opens = async { open(&app, &app.next_of("slash_commands").await, view.clone()).await };
        let (seen, _) = while_app(fake.command(bob, channel, "/drill"), opens).await;
        assert_eq!(fake.submit(bob, &seen, &[("level", "Harder")]).await.kind, SeenKind::Refused);
        let sent = given.map(|given| ("Level", given));
        let reads = async {
            let payload = app.next_of("interactive").await;
            let chosen = payload["view"]["state"]["values"]["level"]["level"]["selected_options"].clone();
            chosen
                .as_array()
                .expect("a list")
                .iter()
                .map(|one| one["value"].as_str().expect("a value"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let (_, chosen) = while_app(fake.submit(bob, &seen, sent.as_slice()), reads).await;
        assert_eq!(chosen, expect);
    }
    fake.check();
}

#[tokio::test]
async fn a_closed_form_may_be_followed_by_a_word() {
    let Place { fake, team, channel, bob, .. } = place().await;
    let app = App::start(&fake, team).await;
    fake.with(|model| model.timing.glance = Duration::from_secs(10));
    let mut view = form("Topics");
    let option = |name: &str| json!({"text": plain(name), "value": name.to_lowercase()});
    let radio = json!({"type": "radio_buttons", "action_id": "level", "options": [option("Easy"), option("Hard")]});
    view["blocks"] = json!([{"type": "input", "block_id": "level", "label": plain("Level"), "element": radio}]);
    let opens = async { open(&app, &app.next_of("slash_commands").await, view).await };
    let (seen, _) = while_app(fake.command(bob, channel, "/drill"), opens).await;
    assert_eq!(fake.choose(bob, &seen, "Hard").await.kind, SeenKind::Filled);
    let says = async {
        let payload = app.next_of("interactive").await;
        assert_eq!(payload["view"]["state"]["values"]["level"]["level"]["selected_option"]["value"], "hard");
        let body = json!({"channel": channel.to_string(), "user": bob.to_string(), "text": "Saved"});
        app.web.call("chat.postEphemeral", body).await
    };
    let (seen, _) = while_app(fake.submit(bob, &seen, &[]), says).await;
    assert_eq!((seen.kind, seen.text()), (SeenKind::Message { ephemeral: true }, "Saved"));
    let opens = async { open(&app, &app.next_of("slash_commands").await, form("Form")).await };
    let (seen, _) = while_app(fake.command(bob, channel, "/drill"), opens).await;
    fake.with(|model| model.timing.glance = Duration::from_millis(10));
    app.answer_with(json!({"response_action": "clear"}));
    assert_eq!(fake.submit(bob, &seen, &[("words", "x")]).await.kind, SeenKind::Closed);
    fake.check();
}

#[tokio::test]
async fn a_shortcut_and_the_home() {
    let Place { fake, team, channel, bob, .. } = place().await;
    let app = App::start(&fake, team).await;
    fake.with(|model| model.app.shortcuts = vec![("Save as my answer".into(), "save".into())]);
    let mine = fake.write(bob, channel, "roles");
    let reacts = async {
        let payload = app.next_of("interactive").await;
        assert_eq!((&payload["callback_id"], &payload["message"]["text"]), (&json!("save"), &json!("roles")));
        let body = json!({"channel": channel.to_string(), "timestamp": mine.ts.to_string(), "name": "eyes"});
        app.web.call("reactions.add", body).await;
        respond(&app, &payload, json!({"text": "Saved"})).await
    };
    let (seen, _) = while_app(fake.shortcut(bob, mine, "Save as my answer"), reacts).await;
    assert_eq!(seen.text(), "Saved");
    fake.until_reaction(mine, "eyes").await;
    assert_eq!(fake.reactions(mine), ["eyes"]);
    let shown = fake.until(channel, "roles").await;
    assert_eq!(fake.shortcut(bob, &shown, "Other").await.kind, SeenKind::Refused);

    let home = json!({"type": "home", "blocks": [section("Score: 7"), {"type": "actions", "elements": [button("Delete my data", "delete")]}]});
    let publishes = async {
        assert_eq!(app.event("app_home_opened").await["tab"], "home");
        app.web.call("views.publish", json!({"user_id": bob.to_string(), "view": home})).await
    };
    let (screen, _) = tokio::join!(fake.open_home(bob), publishes);
    assert_eq!(screen.text(), "Score: 7\n[Delete my data]");
    let changes = async {
        let payload = app.next_of("interactive").await;
        assert_eq!(payload["container"]["view_id"], screen.id.to_string());
        let home = json!({"type": "home", "blocks": [section("Gone")]});
        app.web.call("views.publish", json!({"user_id": bob.to_string(), "view": home})).await
    };
    let (seen, _) = while_app(fake.press(bob, &screen, "Delete my data"), changes).await;
    assert_eq!((seen.kind, seen.text()), (SeenKind::Updated, "Gone"));
    assert_eq!(Target::from(&seen), Target::View(screen.id));
    fake.check();
}

#[tokio::test]
async fn an_interaction_can_come_twice_and_a_trigger_too_late() {
    let Place { fake, team, channel, bob, .. } = place().await;
    let app = App::start(&fake, team).await;
    fake.with(|model| {
        model.faults.double_interactions = 1;
        model.faults.expire_triggers = true;
        model.timing.patience = Duration::from_millis(500);
    });
    let opens = async {
        let both = [app.next_of("slash_commands").await, app.next_of("slash_commands").await];
        assert_eq!(both[0]["trigger_id"], both[1]["trigger_id"]);
        open(&app, &both[0], form("Form")).await
    };
    let (_, answer) = while_app(fake.command(bob, channel, "/drill"), opens).await;
    assert_eq!(answer["error"], "expired_trigger_id");
    fake.check();
}

#[tokio::test]
async fn it_is_known_who_is_pinged_and_what_can_be_clicked() {
    let Place { fake, team, channel, ann, bob } = place().await;
    fake.scale_rates(0.0);
    let web = Web::new(&fake, team);
    let post = async |text: &str, kind: &str| {
        let mut body = message(channel, "text");
        body["blocks"] = json!([{"type": "section", "text": {"type": kind, "text": text}}]);
        let spot = Spot { channel, ts: ts_of(&web.call("chat.postMessage", body).await) };
        fake.shown(spot).expect("a message")
    };
    let shown = post(&format!("<@{bob}> and <@{ann}|ann> in <#{channel}|x>"), "mrkdwn").await;
    assert_eq!((shown.text(), shown.pinged.users.len()), ("@Bob and @Ann in #daily-drill", 2));
    for all in ["<!here>", "<!channel>", "<!everyone|x>"] {
        assert!(post(all, "mrkdwn").await.pinged.all, "{all}");
    }
    assert!(post("<!subteam^S1|@team>", "mrkdwn").await.pinged.groups.contains("S1"));
    let harmless =
        ["&lt;@U0FAKE00002&gt; &lt;!here&gt;", "@here @Bob", "<!date^1^{date}|today>", "a < b > c", "<b>bold</b>"];
    for text in harmless {
        let shown = post(text, "mrkdwn").await;
        assert_eq!((&shown.pinged, shown.links.len()), (&Default::default(), 0), "{text}");
    }
    assert_eq!(post("&lt;!here&gt; &amp;", "mrkdwn").await.text(), "<!here> &");
    assert_eq!(post("a < b > c", "mrkdwn").await.text(), "a < b > c");
    assert_eq!(post("<!here>", "plain_text").await.pinged, Default::default());
    let shown = post("<https://a.example|label> https://b.example", "mrkdwn").await;
    assert_eq!(shown.text(), "label (https://a.example) https://b.example");
    assert_eq!(shown.links.len(), 2);
    let mut body = message(channel, "@here and @bob");
    body["link_names"] = json!(true);
    let spot = Spot { channel, ts: ts_of(&web.call("chat.postMessage", body).await) };
    let shown = fake.shown(spot).expect("a message");
    assert!(shown.pinged.all && shown.pinged.users.contains(&bob));
    assert!(fake.violations()[0].contains("link_names"));
    assert_eq!((shown.author.as_str(), shown.place.as_str()), ("Drillbot", "#daily-drill"));
    assert!(fake.all_text().contains("#daily-drill | Drillbot: @here and @bob"));
    let mine = fake.write(bob, channel, "see https://c.example with @Ann @here");
    let mine: Shown = fake.shown(mine).expect("a message");
    assert_eq!((mine.author_id, mine.thread, mine.pinged.all), (bob, None, true));
    fake.check();
}

#[tokio::test]
async fn rich_text_is_read_part_by_part_with_its_dates() {
    let Place { fake, team, channel, bob, .. } = place().await;
    let web = Web::new(&fake, team);
    let words = |text: &str| json!({"type": "text", "text": text});
    let part = |kind: &str, elements: Value| json!({"type": format!("rich_text_{kind}"), "elements": elements});
    let date = json!({"type": "date", "timestamp": 0, "format": "{date_short_pretty}, {time}", "fallback": "1970"});
    let item = |text: &str| part("section", json!([words(text)]));
    let list =
        json!({"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [item("one"), item("two")]});
    let link = json!({"type": "link", "url": "https://a.example", "text": "there"});
    let parts = [
        part("section", json!([words("Reveal: "), date, words(", <"), {"type": "user", "user_id": bob.to_string()}])),
        list,
        part("quote", json!([words("said"), link])),
        part("preformatted", json!([words("a  b")])),
    ];
    let mut body = message(channel, "<!date^0^{date_num}|never> to <!date^0^{date_mun}|ever>");
    body["blocks"] = json!([{"type": "rich_text", "elements": parts}]);
    let spot = Spot { channel, ts: ts_of(&web.call("chat.postMessage", body).await) };
    let shown = fake.shown(spot).expect("a message");
    assert_eq!(shown.text(), "Reveal: Jan 1, 1970, 00:00, <@Bob\n  • one\n  • two\nsaidthere\na  b");
    assert_eq!(shown.settled().lines().next(), Some("Reveal: <an instant>, <@Bob"));
    assert_eq!(shown.notification, "1970-01-01 to ever");
    assert_eq!(shown.dates.iter().map(|(at, _)| *at).collect::<Vec<i64>>(), [0; 3]);
    assert_eq!((shown.pinged.users.len(), shown.links.len()), (1, 1));
    fake.check();
}
