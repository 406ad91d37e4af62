//! Interactions from both sides, and what people see.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use serenity::all::Interaction;

use super::super::{Kind, Pinged, Request, Seen, Shown};
use super::{Bot, Place, Rest, button, id_of, no_calls, place, text, usual_intents};

fn commands() -> Value {
    let option = |kind: u8, name: &str| json!({"type": kind, "name": name, "description": "some words"});
    let mut topic = option(3, "topic");
    topic["autocomplete"] = json!(true);
    let mut time = option(3, "time");
    time["required"] = json!(true);
    let mut set = option(1, "set");
    set["options"] = json!([time, option(3, "zone"), option(8, "role"), option(7, "channel"), option(6, "who")]);
    json!([
        {"name": "daily", "description": "d", "default_member_permissions": "32", "contexts": [0], "options": [set]},
        {"name": "drill", "description": "d", "options": [topic, option(4, "count")]},
        {"name": "Save as my answer", "type": 3},
    ])
}

#[tokio::test]
async fn only_who_was_really_called_counts_as_called() {
    let Place { fake, guild, channel, ann, bob } = place().await;
    let rest = Rest::new(&fake);
    let role = fake.role(guild, "drillers");
    let content = format!("<@{ann}> <@&{role}> @everyone <@{bob}>");
    let path = format!("/channels/{channel}/messages");
    rest.post(channel, &content).await;
    let allowed = json!({"parse": [], "users": [ann.to_string()], "roles": [role.to_string()]});
    rest.call("POST", &path, json!({"content": content, "allowed_mentions": allowed})).await;
    rest.call("POST", &path, json!({"content": content, "allowed_mentions": {"parse": ["everyone"]}})).await;
    let pinged: Vec<Pinged> = fake.messages(channel).into_iter().map(|one| one.pinged).collect();
    let some = Pinged { users: [ann].into(), roles: [role].into(), everyone: false };
    assert_eq!(pinged, [Pinged::default(), some, Pinged::default()]);
    assert_eq!(fake.messages(channel)[0].text(), "@Ann @drillers @everyone @Bob");
    fake.check();
}

#[tokio::test]
async fn a_command_is_deferred_and_answered_and_its_button_opens_a_form() {
    let Place { fake, guild, channel, ann, bob } = place().await;
    let bot = Bot::start(&fake, usual_intents()).await;
    bot.next_of("GUILD_CREATE").await;
    let registered = bot.rest.register(commands()).await;
    assert_eq!(registered.0, 200, "{registered:?}");
    assert_eq!(fake.commands().len(), 3);
    fake.role(guild, "drillers");

    let refused = fake.command(bob, channel, "/daily set time:09:00").await;
    assert_eq!((refused.kind.clone(), refused.text()), (Kind::Refused, "this person may not use daily"));
    for wrong in
        ["/daily set time:09:00 when:never", "/daily set", "/weekly", "/daily put", "/daily set role:@none time:1"]
    {
        assert_eq!(fake.command(ann, channel, wrong).await.kind, Kind::Refused, "{wrong}");
    }
    assert_eq!(fake.command(ann, fake.dm(ann), "/daily set time:09:00").await.kind, Kind::Refused);

    let bot_side = async {
        let asked = bot.asked().await;
        let Interaction::Command(command) = &asked.what else { panic!("{:?}", asked.what) };
        assert_eq!(command.data.options[0].name, "set");
        assert_eq!(
            command.member.as_ref().and_then(|it| it.permissions),
            Some(fake.with(|model| model.permissions(channel, ann)))
        );
        let before = asked.later("PATCH", "/messages/@original", text("too soon")).await;
        assert_eq!(before.1["code"], 10015);
        assert_eq!(asked.respond(json!({"type": 5, "data": {"flags": 64}})).await.0, 204);
        assert_eq!(asked.respond(json!({"type": 5})).await.1["code"], 40060);
        let mut answer = text("Every day at 09:00");
        answer["embeds"] = json!([{
            "title": "Daily", "description": "Set.", "fields": [{"name": "Zone", "value": "Europe/London"}],
            "footer": {"text": "by Ann"},
        }]);
        answer["components"] = json!([{"type": 1, "components": [button("Answer", "answer:1"), {
            "type": 2, "style": 2, "label": "Hint", "custom_id": "hint", "disabled": true,
        }]}]);
        assert_eq!(asked.later("PATCH", "/messages/@original", answer).await.0, 200);
        let mut more = text("and more");
        more["flags"] = json!(64);
        let (_, followup) = asked.later("POST", "?wait=true", more).await;
        let path = format!("/messages/{}", id_of(&followup));
        assert_eq!(asked.later("PATCH", &path, text("and much more")).await.0, 200);
        assert_eq!(asked.later("GET", &path, Value::Null).await.1["content"], "and much more");
        assert_eq!(asked.later("DELETE", &path, Value::Null).await.0, 204);
    };
    let line = "/daily set time:09:00 zone:Europe/London role:@drillers channel:#daily-drill who:@Bob";
    let (seen, ()) = tokio::join!(fake.command(ann, channel, line), bot_side);
    assert_eq!(seen.kind, Kind::Deferred { ephemeral: true });
    assert!(seen.first_response_after < Duration::from_secs(3));
    let shown = "Every day at 09:00\nDaily\nSet.\nZone: Europe/London\nby Ann\n[Answer] [Hint (off)]";
    assert!(seen.text().starts_with(shown), "{}", seen.text());
    assert_eq!(fake.ephemeral_of(ann)[0].text(), shown);
    assert!(fake.messages(channel).is_empty());
    assert_eq!(fake.press(bob, &seen, "Answer").await.kind, Kind::Refused);
    assert_eq!(fake.press(ann, &seen, "Hint").await.text(), "[Hint] is off");

    let form = json!({"type": 9, "data": {"title": "Your answer", "custom_id": "form:1", "components": [
        {"type": 10, "content": "Say it in your own words."},
        {"type": 1, "components": [{
            "type": 4, "custom_id": "answer", "style": 2, "label": "Answer", "max_length": 20, "placeholder": "Some words",
        }]},
    ]}});
    let bot_side = async { bot.asked().await.respond(form.clone()).await };
    let private = fake.ephemeral_of(ann).remove(0);
    let (opened, _) = tokio::join!(fake.press(ann, &private, "Answer"), bot_side);
    assert_eq!(
        (opened.kind.clone(), opened.text()),
        (Kind::Modal, "Your answer\nSay it in your own words.\nAnswer: Some words")
    );
    let long = "x".repeat(21);
    assert_eq!(fake.submit(ann, opened.modal(), &[("answer", &long)]).await.kind, Kind::Refused);
    let bot_side = async {
        let asked = bot.asked().await;
        let Interaction::Modal(form) = &asked.what else { panic!("{:?}", asked.what) };
        assert_eq!(form.data.custom_id, "form:1");
        assert!(form.message.is_some());
        let mut update = text("Thank you");
        update["components"] = json!([]);
        update["embeds"] = json!([]);
        let (status, body) = asked
            .rest
            .call(
                "POST",
                &format!("/interactions/{}/{}/callback?with_response=true", asked.id, asked.token),
                json!({"type": 7, "data": update}),
            )
            .await;
        assert_eq!((status, &body["resource"]["message"]["content"]), (200, &json!("Thank you")));
    };
    let (sent, ()) = tokio::join!(fake.submit(ann, opened.modal(), &[("Answer", "least privilege")]), bot_side);
    assert_eq!((sent.kind.clone(), sent.text()), (Kind::Update, "Thank you"));
    fake.check();
}

#[tokio::test]
async fn completion_menus_selects_and_silence() {
    let Place { fake, channel, bob, .. } = place().await;
    let bot = Bot::start(&fake, usual_intents()).await;
    bot.next_of("GUILD_CREATE").await;
    let registered = bot.rest.register(commands()).await;
    assert_eq!(registered.0, 200, "{registered:?}");

    let bot_side = async {
        let asked = bot.asked().await;
        let Interaction::Autocomplete(typing) = &asked.what else { panic!("{:?}", asked.what) };
        assert_eq!(typing.data.autocomplete().map(|it| (it.name, it.value)), Some(("topic", "ia")));
        let choices = json!([{"name": "IAM", "value": "iam"}]);
        asked.respond(json!({"type": 8, "data": {"choices": choices}})).await
    };
    let (seen, _) = tokio::join!(fake.autocomplete(bob, fake.dm(bob), "/drill count:3", "topic", "ia"), bot_side);
    assert_eq!(seen.choices, [("IAM".to_owned(), json!("iam"))]);

    let message = fake.write(bob, channel, "my answer");
    let bot_side = async {
        let asked = bot.asked().await;
        let Interaction::Command(menu) = &asked.what else { panic!("{:?}", asked.what) };
        assert_eq!(menu.data.resolved.messages.values().next().map(|it| it.content.as_str()), Some("my answer"));
        let mut body = text("Which topic?");
        let options = json!([{"label": "IAM", "value": "iam"}, {"label": "EKS", "value": "eks"}]);
        body["components"] = json!([{"type": 1, "components": [{"type": 3, "custom_id": "topic", "placeholder": "Topic", "options": options}]}]);
        asked.respond(json!({"type": 4, "data": body})).await
    };
    let (seen, _) = tokio::join!(fake.message_command(bob, message, "Save as my answer"), bot_side);
    assert_eq!(seen.kind, Kind::Message { ephemeral: false });
    assert_eq!(seen.text(), "Which topic?\n[Topic: IAM | EKS]");
    let shown = fake.until(channel, "Which topic?").await;

    let bot_side = async {
        let asked = bot.asked().await;
        asked.respond(json!({"type": 6})).await;
        asked
            .later(
                "PATCH",
                "/messages/@original",
                json!({"components": [], "content": "EKS it is", "allowed_mentions": no_calls()}),
            )
            .await
    };
    let (seen, _) = tokio::join!(fake.choose(bob, &shown, "EKS"), bot_side);
    assert_eq!((seen.kind.clone(), seen.text()), (Kind::Update, "EKS it is"));
    assert!(fake.messages(channel).last().is_some_and(|last| last.edited));

    fake.with(|model| model.timing.first_response = Duration::from_millis(100));
    let seen = fake.command(bob, channel, "/drill count:3").await;
    assert_eq!((seen.kind, seen.first_response_after), (Kind::Nothing, Duration::from_millis(100)));
    assert_eq!(bot.asked().await.respond(json!({"type": 5})).await.1["code"], 10062);
    fake.check();
}

#[tokio::test]
async fn what_people_see_and_what_was_asked_can_be_read() {
    let Place { fake, guild, channel, ann, bob } = place().await;
    let changes = fake.changes();
    assert!(fake.try_write(fake.owner(guild), channel, "Welcome").is_ok());
    assert!(changes.has_changed().expect("a living fake"));
    let forum = fake.forum_channel(guild, "drills", &[]);
    assert_eq!(fake.try_write(ann, forum, "here?"), Err("Ann may not write in #drills".to_owned()));
    let rest = Rest::new(&fake);
    let begun = Instant::now();
    let question = fake.write(ann, channel, "question");
    rest.call("POST", &format!("/channels/{channel}/messages/{question}/threads"), json!({"name": "Answers"})).await;
    let mut reply = text("a reply");
    reply["message_reference"] = json!({"message_id": fake.write(bob, question, "answer").to_string()});
    rest.call("POST", &format!("/channels/{question}/messages"), reply).await;
    let shown: Vec<Shown> = fake.messages(question);
    let starter = &shown[0];
    assert_eq!((starter.reference, starter.channel), (Some(question), question));
    let answer = &shown[1];
    assert_eq!((answer.place.as_str(), answer.author.as_str()), ("#daily-drill > Answers", "Bob"));
    assert_eq!((answer.author_id, answer.reference, shown[2].reference), (bob, None, Some(answer.id)));
    fake.write(ann, fake.dm(ann), "in private");
    assert_eq!(fake.messages(fake.dm(ann))[0].place, "DM with Ann");
    rest.get(&format!("/channels/{channel}/messages?limit=1")).await;
    let asked: Vec<Request> = fake.requests("GET", "/messages");
    assert_eq!((asked[0].query.as_str(), &asked[0].body), ("limit=1", &Value::Null));
    assert!(asked[0].at >= begun);
    fake.check();
}

#[tokio::test]
async fn followups_stand_beside_the_response_and_forms_with_labels_are_beyond_serenity() {
    let Place { fake, channel, bob, .. } = place().await;
    let bot = Bot::start(&fake, usual_intents()).await;
    bot.next_of("GUILD_CREATE").await;
    bot.rest.register(commands()).await;
    let mut response = text("Start");
    response["components"] = json!([{"type": 1, "components": [button("Go", "go")]}]);
    let respond = async { bot.asked().await.respond(json!({"type": 4, "data": response})).await };
    let (started, _) = tokio::join!(fake.command(bob, channel, "/drill"), respond);

    let bot_side = async {
        let asked = bot.asked().await;
        let mut alone = text("Only you see this");
        alone["flags"] = json!(64);
        asked.respond(json!({"type": 6})).await;
        asked.later("POST", "?wait=true", alone).await
    };
    let (seen, _): (Seen, _) = tokio::join!(fake.press(bob, &started, "Go"), bot_side);
    assert_eq!((seen.kind.clone(), seen.followups.len()), (Kind::Update, 1));
    assert_eq!(seen.text(), "Start\n[Go]\n\nOnly you see this");
    assert_eq!(fake.ephemeral_of(bob)[0].id, seen.followups[0]);

    let input = json!({"type": 4, "custom_id": "answer", "style": 2});
    let form = json!({"type": 9, "data": {"title": "Answer", "custom_id": "form", "components": [
        {"type": 18, "label": "Your words", "component": input},
    ]}});
    let respond = async { bot.asked().await.respond(form).await };
    let (opened, _) = tokio::join!(fake.press(bob, &started, "Go"), respond);
    assert_eq!((opened.text(), opened.modal().first_input().as_str()), ("Answer\nYour words: ", "answer"));
    fake.check();
    fake.with(|model| model.timing.first_response = Duration::from_millis(10));
    fake.submit(bob, opened.modal(), &[("answer", "some words")]).await;
    assert!(fake.violations()[0].contains("serenity loses"));
}

#[tokio::test]
async fn the_first_followup_of_a_deferred_response_takes_its_place() {
    let Place { fake, channel, bob, .. } = place().await;
    let bot = Bot::start(&fake, usual_intents()).await;
    bot.next_of("GUILD_CREATE").await;
    bot.rest.register(commands()).await;
    let bot_side = async {
        let asked = bot.asked().await;
        asked.respond(json!({"type": 5})).await;
        let (_, waiting) = asked.later("GET", "/messages/@original", Value::Null).await;
        assert_eq!(waiting["flags"], 128);
        let (_, first) = asked.later("POST", "", text("the answer")).await;
        assert_eq!(id_of(&first), id_of(&waiting));
        asked
    };
    let (seen, asked) = tokio::join!(fake.command(bob, channel, "/drill"), bot_side);
    assert_eq!((seen.kind, seen.message), (Kind::Deferred { ephemeral: false }, Some(fake.messages(channel)[0].id)));
    let (_, second) = asked.later("POST", "", text("and more")).await;
    assert_eq!(fake.messages(channel).len(), 2);
    assert_eq!(asked.later("DELETE", "/messages/@original", Value::Null).await.0, 204);
    assert_eq!(asked.later("GET", "/messages/@original", Value::Null).await.1["code"], 10008);
    assert_eq!(fake.messages(channel)[0].id, id_of(&second));
    fake.with(|model| model.timing.token = Duration::ZERO);
    assert_eq!(asked.later("POST", "", text("too late")).await.1["code"], 50027);
    fake.check();
}
