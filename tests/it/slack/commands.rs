//! Slash commands: what they take, who may use them, and where.

use drillbot::adapters::slack::render::{self, CommandForm};
use drillbot::domain::command::{self, TABLE, Value};
use drillbot::domain::message::Message;
use insta::assert_snapshot;
use serde_json::json;

use super::interactions::{DAILY, save};
use super::{PATIENCE, Stage};
use crate::fake::slack::{Fault, Id, SeenKind};
use crate::support::eventually;
use crate::world::FULL;

/// Asks privately and gives the words.
async fn say(stage: &Stage, who: Id, line: &str) -> String {
    say_in(stage, who, stage.channel, line).await
}

async fn say_in(stage: &Stage, who: Id, channel: Id, line: &str) -> String {
    let seen = stage.fake.command(who, channel, line).await;
    assert_eq!(seen.kind, SeenKind::Message { ephemeral: true }, "{line}: {}", seen.text());
    seen.text().to_owned()
}

#[tokio::test]
async fn every_command_of_the_table_is_answered_in_private_or_in_a_modal() {
    let stage = Stage::new().await;
    let (fake, ann) = (&stage.fake, stage.ann);
    for spec in TABLE {
        let sub = if spec.subs.is_empty() { "" } else { " show" };
        let example = spec.example.strip_prefix('/').expect("a command");
        for line in [spec.name.to_owned(), example.to_owned(), format!("{}{sub} what=ever", spec.name)] {
            // Slack has a /me of its own.
            let line = format!("/{}", if spec.name == "me" { line.replacen("me", "about-me", 1) } else { line });
            let seen = fake.command(ann, stage.channel, &line).await;
            let kind = if matches!(spec.name, "drill" | "suggest" | "flag") && !line.contains('=') {
                SeenKind::Modal
            } else {
                SeenKind::Message { ephemeral: true }
            };
            assert_eq!(seen.kind, kind, "{line}: {}", seen.text());
            let help = line.contains('=').then_some("There is no setting \"what\".");
            assert!(help.is_none_or(|help| seen.text().contains(help)), "{line}: {}", seen.text());
        }
    }
    assert!(fake.messages(stage.channel).is_empty(), "{}", fake.all_text());
    stage.end().await;
}

#[tokio::test]
async fn what_cannot_be_read_says_what_would_be_right() {
    let stage = Stage::new().await;
    assert_snapshot!(say(&stage, stage.ann, "/daily set 25:00").await, @r#"
    "25:00" is no time of day: write it like 09:00 or 17:30.
    /daily set [time] [days:..] [cron:..] [zone:..] [reveal:..] [answers:..] [topics:..] [levels:..] [tracks:..] [skip:..] [catch-up:..] [ping:..] [no-ping:..] [schedule:..]
    For example: /daily set 09:00 days:mon-fri zone:Europe/London reveal:17:00
    "#);
    assert_snapshot!(say(&stage, stage.bob, "/leaderboard iamm").await, @r#"There is no topic "iamm". Did you mean iam? /topics shows them all."#);
    assert_snapshot!(say(&stage, stage.bob, "/about-me remove").await, @r#"
    "remove" does not fit action: show, delete.
    /about-me [action]
    For example: /about-me
    "#);
    // As Slack sends what people type, and as they see it.
    let odd = "/leaderboard <@U0FAKE00001> &lt;b&gt; &amp; <https://x.example|y> <#C1|general> *b* `c`";
    assert_snapshot!(say(&stage, stage.bob, odd).await, @r#"There is no topic "@U0FAKE00001 <b> & y #general *b* `c`". /topics shows them all."#);
    stage.end().await;
}

#[tokio::test]
async fn the_daily_question_calls_a_user_group_that_was_chosen_for_it() {
    let stage = Stage::new().await;
    let (fake, ann) = (&stage.fake, stage.ann);
    let set = say(&stage, ann, &format!("/daily set {DAILY} ping:<!subteam^S0DRILL|@drillers>")).await;
    assert!(set.contains("Calls: @S0DRILL"), "{set}");
    // Slack's list opens behind a blank.
    let set = say(&stage, ann, "/daily set ping: <!subteam^S0TEAM>").await;
    assert!(set.contains("Calls: @S0TEAM"), "{set}");
    for (ping, why) in [
        ("<@U0FAKE00002>", "is no user group"),
        ("<@U0FAKE00002|bob>", "\"@bob\" is no user group"),
        ("@drillers", "\"@drillers\" is no user group. Type @ behind ping: and choose the group from Slack's list"),
        ("<!here>", "I never call everyone"),
        ("<!channel>", "I never call everyone"),
        ("@everyone", "I never call everyone"),
        ("S1<!here>", "is no user group"),
    ] {
        let refused = say(&stage, ann, &format!("/daily set ping:{ping}")).await;
        assert!(refused.contains(why), "{ping}: {refused}");
    }
    assert!(say(&stage, ann, "/daily show").await.contains("Calls: @S0TEAM"), "it stands as it did");
    say(&stage, ann, "/daily now").await;
    let card = eventually("the question", PATIENCE, || async { stage.cards().into_iter().next() }).await;
    assert_eq!(card.pinged.groups.iter().collect::<Vec<_>>(), ["S0TEAM"]);
    assert!(card.pinged.users.is_empty() && !card.pinged.all);
    // An answer changes the card, and calls nobody anew; nor does the reveal.
    save(&stage, stage.bob, card.spot, FULL).await;
    fake.until(stage.channel, "1 person").await;
    let told = stage.reveal(card.spot).await;
    assert!(told.iter().all(|one| one.pinged.groups.is_empty()));
    let off = say(&stage, ann, "/daily set ping:none").await;
    assert!(!off.contains("Calls"), "{off}");
    fake.check();
}

#[tokio::test]
async fn organisers_are_the_workspaces_admins_and_whom_the_settings_name() {
    let stage = Stage::dark().await;
    let listed = stage.cleo.to_string();
    drop(stage);
    let stage =
        Stage::dark_with(crate::world::bank(&[("iam", 6)]), |settings| settings.organisers = vec![listed]).await;
    let stage = stage.started().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    for who in [stage.ann, fake.owner(stage.team), stage.cleo] {
        assert!(say(&stage, who, "/daily set 09:00").await.contains("Changed"));
    }
    let guest = fake.guest(stage.channel, "Gil");
    assert_snapshot!(say(&stage, bob, "/daily").await, @"/daily is for this channel's organisers: admins and owners of the workspace, and whom slack.organisers in my settings names. Ask one of them, or try /help for what you can do.");
    for who in [bob, guest] {
        for line in ["/daily show", "/daily set 10:00", "/daily pause", "/daily now", "/daily reveal"] {
            let refused = say(&stage, who, line).await;
            assert!(refused.contains("is for this channel's organisers"), "{line}: {refused}");
        }
    }
    // Promoted just now; and no longer.
    fake.set_admin(bob, true);
    eventually("Bob steers", PATIENCE, || async {
        say(&stage, bob, "/daily set 11:00").await.contains("Changed").then_some(())
    })
    .await;
    // When Slack does not say, nothing is changed; who is listed needs no asking.
    let dan = fake.admin(stage.team, "Dan");
    fake.always("users.info", Fault::Error("internal_error"));
    assert_snapshot!(say(&stage, dan, "/daily set 12:00").await, @"Nobody tells me just now whether you are an organiser, so nothing was changed. Try again in a moment.");
    assert!(say(&stage, stage.cleo, "/daily show").await.contains("at 11:00"));
    fake.heal("users.info");
    // What others may do, everybody may.
    for line in ["/leaderboard", "/about-me", "/topics", "/help"] {
        assert!(!say(&stage, guest, line).await.is_empty());
    }
    assert_eq!(fake.command(guest, stage.channel, "/drill iam").await.kind, SeenKind::Modal);
    stage.end().await;
}

#[tokio::test]
async fn the_admin_of_another_workspace_does_not_steer_a_shared_channel() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    let other = fake.workspace_without_app("Elsewhere");
    let stranger = fake.admin(other, "Xena");
    fake.share(stage.channel, other);
    let seen = fake.command(stranger, stage.channel, "/daily set 09:00").await;
    assert!(seen.text().contains("is for this channel's organisers"), "{}", seen.text());
    stage.end().await;
}

#[tokio::test]
async fn a_schedule_belongs_to_a_channel_and_the_bot_has_to_be_in_it() {
    let stage = Stage::new().await;
    let (fake, ann) = (&stage.fake, stage.ann);
    let direct = fake.direct(ann);
    assert_snapshot!(say_in(&stage, ann, direct, "/daily set 09:00").await, @"/daily is about the question of a channel: type it in the channel that is to have one.");
    // A channel that it was not invited to: said at once, whether it can see it or not.
    let (quiet, secret) = (fake.public_channel(stage.team, "quiet"), fake.private_channel(stage.team, "secret"));
    fake.kick(quiet);
    fake.kick(secret);
    let set = say_in(&stage, ann, quiet, "/daily set 09:00").await;
    assert!(set.contains("Changed.") && set.contains("I am not in #quiet. Invite me there: /invite"), "{set}");
    let set = say_in(&stage, ann, secret, "/daily set 09:00").await;
    assert!(set.contains("Changed.") && set.contains("I am not in this channel. Invite me there: /invite"), "{set}");
    for channel in [quiet, secret] {
        fake.invite(channel);
        let set = say_in(&stage, ann, channel, "/daily now").await;
        assert!(set.contains("on its way") && !set.contains("Invite me"), "{set}");
        fake.until(channel, "who keeps the state?").await;
    }
    // Slack does not say what a private channel is called; it is asked.
    let named = eventually("its name is known", PATIENCE, || async {
        let id = drillbot::domain::ids::ChannelId::new(format!("slack:{}/{secret}", stage.team));
        stage.app.channel_name(&id).await.expect("a read")
    })
    .await;
    assert_eq!(named, "secret");
    // Nor does what others type there rename it.
    say_in(&stage, stage.bob, secret, "/leaderboard").await;
    let id = drillbot::domain::ids::ChannelId::new(format!("slack:{}/{secret}", stage.team));
    assert_eq!(stage.app.channel_name(&id).await.expect("a read").as_deref(), Some("secret"));
    stage.end().await;
}

#[tokio::test]
async fn boards_are_found_from_a_private_conversation_and_from_other_channels() {
    let stage = Stage::new().await;
    let (fake, bob, cleo) = (&stage.fake, stage.bob, stage.cleo);
    fake.rename(bob, "*B_o_b* <!here> ``` :x: الخادم");
    let card = stage.question(&format!("{DAILY} levels:advanced")).await;
    save(&stage, bob, card.spot, FULL).await;
    stage.reveal(card.spot).await;
    assert_snapshot!(say(&stage, bob, "/leaderboard").await, @"
    Daily questions, this week
    #  Name                      Points  Answers  Streak
    1  *B_o_b* <!here> ``` :x:…     200        1       1
    You are number 1 of 1.
    Others: /leaderboard week, month or all; add a topic or drill.
    ");
    let elsewhere = fake.public_channel(stage.team, "elsewhere");
    for (who, place) in [(bob, elsewhere), (bob, fake.direct(bob)), (cleo, elsewhere), (cleo, fake.direct(cleo))] {
        for line in ["/leaderboard", "/leaderboard all"] {
            let seen = say_in(&stage, who, place, line).await;
            let own = if who == bob { "You are number 1 of 1." } else { "You are not on this board yet" };
            assert!(seen.contains("B_o_b") && seen.contains(own), "{line}: {seen}");
        }
    }
    // A drill in private counts on the board of the only channel.
    let modal = fake.command(cleo, fake.direct(cleo), "/drill iam 1").await.modal();
    fake.submit(cleo, modal, &[("answer", FULL)]).await;
    fake.until_screen(cleo, "100 of 100").await;
    let board = say(&stage, bob, "/leaderboard drill").await;
    assert!(board.contains("Cleo"), "{board}");
    // His weak topics offer a drill, in a modal.
    let me = say_in(&stage, bob, fake.direct(bob), "/about-me").await;
    assert!(me.contains("number 1"), "{me}");
    stage.end().await;
}

#[tokio::test]
async fn who_is_met_for_the_first_time_goes_by_the_name_that_others_see() {
    let stage = Stage::new().await;
    let fake = &stage.fake;
    fake.rename(stage.bob, "Bobby <3");
    assert!(say(&stage, stage.bob, "/about-me").await.contains("Bobby <3, so far"));
    // Where Slack does not say, by the one they sign in with.
    fake.always("users.info", Fault::Error("user_not_found"));
    assert!(say(&stage, stage.cleo, "/about-me").await.contains("cleo, so far"));
    fake.heal("users.info");
    eventually("the name is known", PATIENCE, || async {
        say(&stage, stage.cleo, "/about-me").await.contains("Cleo, so far").then_some(())
    })
    .await;
    stage.end().await;
}

#[tokio::test]
async fn every_command_has_a_form_that_slack_takes() {
    let stage = Stage::dark().await;
    let fake = &stage.fake;
    fake.scale_rates(0.0);
    let client = reqwest::Client::new();
    let words = Message::say("What is it to be?");
    let few = |kind| stage.app.suggest(kind, "", 25, "");
    let many =
        |_| (0..200).map(|n| (format!("Topic number {n}, {}", "long ".repeat(30)), format!("topic{n}"))).collect();
    let offers: [&dyn Fn(Value) -> Vec<(String, String)>; 3] = [&few, &many, &|_| Vec::new()];
    for spec in TABLE {
        let subs = spec.subs.iter().map(|sub| Some(sub.name)).chain(spec.subs.is_empty().then_some(None));
        for (sub, offers) in subs.flat_map(|sub| offers.iter().map(move |offers| (sub, *offers))) {
            let example = command::take_apart(spec.example).ok().filter(|example| example.sub == sub);
            let values = example.map(|example| example.values).unwrap_or_default();
            let form = CommandForm { spec, sub, callback: "form:some", words: &words, values: &values, offers };
            let view = render::command_form(&form);
            let trigger_id = fake.with(|model| model.trigger(stage.team, stage.bob));
            let request = client.post(format!("{}/views.open", fake.api_url())).bearer_auth(fake.token(stage.team));
            let body = json!({ "trigger_id": trigger_id, "view": view });
            request.json(&body).send().await.expect("an answer");
            let shown = fake.form_of(stage.bob).expect("a form");
            for option in command::options_of(spec, sub).expect("options") {
                let label = format!("\n{}{}: ", option.name[..1].to_uppercase(), &option.name[1..]);
                assert!(shown.text().contains(&label), "{} {sub:?} {}: {}", spec.name, option.name, shown.text());
            }
            let held = view.to_string();
            assert!(values.iter().all(|(_, value)| held.contains(value.as_str())), "{values:?} {held}");
            fake.check();
            fake.close(stage.bob, shown.id);
        }
    }
}
