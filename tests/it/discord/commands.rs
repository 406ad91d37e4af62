//! The commands with their typed options, who may use them, what is offered while people type, and how they are registered.

use drillbot::domain::command::TABLE;
use drillbot::store::{channels, notes};
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{PATIENCE, Stage};
use crate::fake::discord::{Id, Kind, Permissions};
use crate::support::eventually;
use crate::world::FULL;
use drillbot::domain::ids::ChannelId;

/// Asks privately and gives the words.
async fn say(stage: &Stage, who: Id, line: &str) -> String {
    let seen = stage.fake.command(who, stage.channel, line).await;
    assert_eq!(seen.kind, Kind::Message { ephemeral: true }, "{line}: {}", seen.text());
    seen.text().to_owned()
}

/// Without what changes from run to run.
pub fn settled(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<t:") {
        out += before;
        let (time, after) = after.split_once('>').unwrap_or((after, ""));
        out += if time.ends_with('R') { "<in a while>" } else { "<an instant>" };
        rest = after;
    }
    out + rest
}

#[tokio::test]
async fn members_ask_for_help_topics_and_their_standing() {
    let stage = Stage::new().await;
    let bob = stage.bob;
    assert_snapshot!(say(&stage, bob, "/help").await, @"
    Every day I post an interview question here. Answer in its thread or with the Answer button; after a while I show the model answer, who covered which key point, and everybody's score.
    -# A sign under what you wrote in the thread says: 📥 it counts as your answer, ⌛ it came after the reveal.

    • `/drill` Practise a topic in private, one question at a time
    • `/prep` Advice for the interview itself: how to prepare, how to answer, why people fail
    • `/leaderboard` The standing of this study group, and your own place
    • `/daily` Show or steer the daily question of this channel (organisers)
    • `/topics` All topics with their questions
    • `/suggest` Suggest a question for the bank; see what became of yours
    • `/flag` Say that a question is wrong, outdated or unclear
    • `/review` Decide on what members suggested and flagged (organisers)
    • `/me` My scores, streak and weak topics; or erase my data
    • `/help` What I can do
    -# `/help` and a command explains it, for example `/help command:drill`.
    ");
    assert_snapshot!(say(&stage, bob, "/help command:daily").await, @r#"
    `/daily` Show or steer the daily question of this channel
    -# For organisers.

    • `/daily show` When questions come, what they are about, what happened lately
    • `/daily set` Change the schedule; what you leave out stays
      ◦ `time` Local time of the question, 09:00
      ◦ `days` Weekdays: mon-fri, or mon,wed,fri
      ◦ `cron` Instead of time and days, cron fields: "0 9 \* \* mon-fri"
      ◦ `zone` Time zone: Europe/London
      ◦ `reveal` Reveal after 8h, at 17:00 or "next day 09:00"
      ◦ `answers` Where answers are given: in the thread, in private, or both
      ◦ `topics` Only these topics: iam,eks; all = no limit
      ◦ `levels` Only these levels: beginner,intermediate; all = no limit
      ◦ `tracks` Only these tracks: devops,cloudops; all = no limit
      ◦ `skip` Dates without a question: 2026-12-25,2026-12-28..2026-12-31; none
      ◦ `catch-up` How late a missed question may still come: 6h
      ◦ `ping` The role or user group that each question calls
      ◦ `no-ping` yes = questions call nobody any more
    • `/daily pause` No more questions until `/daily resume`
    • `/daily resume` Questions come again
    • `/daily skip` Leave out the next question
    • `/daily now` Post a question at once, beside the schedule
      ◦ `question` Exactly this question, by its id
    • `/daily reveal` Reveal the open question now

    For example: `/daily set time:09:00 days:mon-fri zone:Europe/London reveal:17:00`
    "#);
    assert_snapshot!(say(&stage, bob, "/help command:drill").await, @"
    `/drill` Practise a topic in private, one question at a time
    • `topic` What to practise, for example iam; leave it out to see all topics
    • `level` beginner, intermediate or advanced; leave it out for all
    • `count` How many questions, 1 to 20 (5)
    • `mode` free = in your own words (the default), choice = four options
    • `question` Exactly this question, by its id
    • `scenario` Play a staged scenario, by its name; /drill scenario shows them all
    • `with` A scenario alone (the default), or together in a thread

    For example: `/drill topic:iam level:advanced count:3 mode:choice`
    ");
    assert_snapshot!(say(&stage, bob, "/topics").await, @"
    **9 questions in 2 topics**
    • `/drill topic:eks` EKS: 1 beginner, 1 intermediate and 1 advanced
    • `/drill topic:iam` IAM: 2 beginner, 2 intermediate and 2 advanced
    -# `/drill` and a topic starts a private round; add a level for only those.
    ");
    assert_snapshot!(say(&stage, bob, "/leaderboard").await, @"
    **Daily questions, this week**
    Nobody has points here yet. Answer a daily question and be the first.
    ");
    assert_snapshot!(say(&stage, bob, "/me").await, @"
    **Bob, so far**
    This week: nothing yet
    All time: nothing yet
    Drills: nothing yet
    Streak: none yet
    Answer the daily question, or try `/drill`, and your topics appear here.
    -# `/me action:delete` erases everything I know about you.
    ");
    // By an alias, and near misses.
    assert!(say(&stage, bob, "/leaderboard topic:IAM window:all board:drill").await.contains("Private drills on IAM"));
    assert_snapshot!(say(&stage, bob, "/leaderboard topic:iamm").await, @r#"There is no topic "iamm". Did you mean iam? `/topics` shows them all."#);
    stage.end().await;
}

#[tokio::test]
async fn organisers_steer_the_daily_question_with_typed_options() {
    let stage = Stage::new().await;
    let ann = stage.ann;
    assert_snapshot!(say(&stage, ann, "/daily show").await, @"This channel has no schedule yet. `/daily set time:09:00 days:mon-fri zone:Europe/London` makes one.");
    assert_snapshot!(say(&stage, ann, "/daily set").await, @"
    Say what to change.

    `/daily set [time] [days:..] [cron:..] [zone:..] [reveal:..] [answers:..] [topics:..] [levels:..] [tracks:..] [skip:..] [catch-up:..] [ping:..] [no-ping:..] [schedule:..]`

    For example: `/daily set time:09:00 days:mon-fri zone:Europe/London reveal:17:00`
    ");
    assert_snapshot!(say(&stage, ann, "/daily set time:25:00").await, @r#"
    "25:00" is no time of day: write it like 09:00 or 17:30.

    `/daily set [time] [days:..] [cron:..] [zone:..] [reveal:..] [answers:..] [topics:..] [levels:..] [tracks:..] [skip:..] [catch-up:..] [ping:..] [no-ping:..] [schedule:..]`

    For example: `/daily set time:09:00 days:mon-fri zone:Europe/London reveal:17:00`
    "#);
    assert_snapshot!(say(&stage, ann, "/daily set zone:Europe/Londn").await, @r#"
    Nothing was changed:
    ✗ **zone:** there is no time zone "Europe/Londn": did you mean "Europe/London"?
    "#);
    let role = stage.fake.role(stage.guild, "drillers");
    let set = "/daily set time:09:00 days:mon-fri zone:Europe/London reveal:next day 09:00 answers:both topics:iam,eks \
               levels:beginner,advanced tracks:devops skip:2030-12-25 catch-up:2h ping:@drillers";
    let shown = settled(&say(&stage, ann, set).await).replace(&role.to_string(), "ROLE");
    assert_snapshot!(shown, @"
    Changed. This is the schedule now:

    **daily**
    Question: at 09:00 from Monday to Friday (Europe/London)
    Reveal: the next day at 09:00
    Next: <an instant>
    Answers: in the thread or in private
    Calls: @drillers
    Questions: topics iam, eks; levels beginner, advanced; tracks devops; 6 of 6 not asked yet
    Late at most: 2h
    Left out: 2030-12-25
    /daily set changes it, /daily pause, skip, now and reveal steer it, /help daily explains.
    ");
    let everyone = say(&stage, ann, "/daily set ping:@everyone").await;
    assert!(everyone.contains("I never call everyone"), "{everyone}");
    // Quotes of who is used to typed lines do no harm.
    let cron = say(&stage, ann, "/daily set cron:\"0 9 * * mon\"").await;
    assert!(cron.contains("Monday"), "{cron}");
    assert_snapshot!(settled(&say(&stage, ann, "/daily pause").await), @"Paused. An open question is still revealed; no new one comes until `/daily resume`.");
    assert_snapshot!(settled(&say(&stage, ann, "/daily resume").await), @"Questions come again. The next question comes <an instant>.");
    assert!(say(&stage, ann, "/daily skip").await.contains("is left out"));
    assert_snapshot!(say(&stage, ann, "/daily reveal").await, @"No question is open here. `/daily now` posts one at once.");
    assert_snapshot!(say(&stage, ann, "/daily now question:iam-9").await, @r#"There is no question "iam-9" in the bank, so nothing was asked. Did you mean iam-1?"#);
    say(&stage, ann, "/daily set topics:all levels:all no-ping:yes").await;
    assert_snapshot!(say(&stage, ann, "/daily now question:iam-2").await, @"The question is on its way to the channel. `/daily reveal` ends it early.");
    let card = stage.fake.until(stage.channel, "iam question 2").await;
    let thread = stage.thread(&card).await;
    stage.reveal(thread).await;
    say(&stage, ann, "/daily set time:18:00 schedule:evening").await;
    assert_snapshot!(say(&stage, ann, "/daily pause").await, @"This channel has several schedules: daily and evening. Add schedule:NAME to say which one you mean.");
    assert!(say(&stage, ann, "/daily pause schedule:evening").await.contains("Paused."));
    let shown = settled(&say(&stage, ann, "/daily show").await);
    let dated = shown.lines().filter(|line| !line.contains("left out") && !line.contains("• **20"));
    assert_snapshot!(dated.collect::<Vec<_>>().join("\n"), @"
    **daily**
    Question: at 09:00 on Monday (Europe/London)
    Reveal: the next day at 09:00
    Next: <an instant>
    Answers: in the thread or in private
    Questions: tracks devops; 8 of 9 not asked yet
    Late at most: 2h
    Left out: 2030-12-25
    **evening (paused)**
    Question: at 18:00 from Monday to Friday (Europe/London)
    Reveal: 8 hours later
    Next: none while paused
    Answers: in the thread or in private
    Questions: all topics and levels; 8 of 9 not asked yet
    Late at most: 6h
    **Lately**
    -# `/daily set` changes it, `/daily pause`, skip, now and reveal steer it, `/help command:daily` explains.
    ");
    stage.end().await;
}

#[tokio::test]
async fn only_organisers_or_whom_the_server_lets_steer_the_daily_question() {
    let stage = Stage::new().await;
    let (fake, bob) = (&stage.fake, stage.bob);
    stage.schedule("time:09:00").await;
    for sub in ["show", "set time:10:00", "pause", "resume", "skip", "now", "reveal"] {
        let seen = fake.command(bob, stage.channel, &format!("/daily {sub}")).await;
        assert_eq!(seen.kind, Kind::Refused, "the client does not offer it: {sub}");
    }
    // Nor by a button that says the same.
    let topics = fake.command(bob, stage.channel, "/drill").await;
    let message = topics.message.expect("a message with buttons");
    fake.with(|model| {
        model.messages.get_mut(&message).expect("the message").components[0]["components"][0]["custom_id"] =
            json!("run:/daily pause");
    });
    let pressed = fake.press(bob, message, "Drill eks").await;
    assert!(pressed.text().contains("is for this channel's organisers"), "{}", pressed.text());
    // The server's settings let everybody use it: Discord has asked them before it sends the command.
    fake.with(|model| {
        for one in &mut model.application.commands {
            one.form["default_member_permissions"] = Value::Null;
        }
    });
    assert!(say(&stage, bob, "/daily pause").await.contains("Paused."));
    stage.end().await;
}

async fn known(stage: &Stage, channel: Id) -> Option<(String, String)> {
    let id = ChannelId::new(format!("discord:{channel}"));
    let read = stage.app.store.read("read a channel", move |conn| {
        Box::pin(async move {
            let name = channels::get(conn, &id).await?.map(|channel| channel.name);
            Ok(name.zip(channels::condition(conn, &id).await?.map(|condition| condition.space)))
        })
    });
    read.await.expect("the channel can be read")
}

#[tokio::test]
async fn a_schedule_belongs_to_the_channel_also_from_inside_a_thread_or_a_forums_post() {
    let stage = Stage::new().await;
    let (fake, ann) = (&stage.fake, stage.ann);
    assert_eq!(known(&stage, stage.channel).await, None);
    let card = stage.question("time:09:00 zone:Europe/London reveal:8h").await;
    let thread = stage.thread(&card).await;
    let server = format!("discord:{}", stage.guild);
    assert_eq!(known(&stage, stage.channel).await, Some(("daily-drill".into(), server.clone())));
    let inside = fake.command(ann, thread, "/daily set time:10:00").await;
    assert!(inside.text().contains("at 10:00"), "{}", inside.text());
    assert_eq!(known(&stage, thread).await, None);
    // In a thread below a channel, and in a post of a forum, that the bot has never met.
    let (quiet, forum) = (fake.text_channel(stage.guild, "quiet"), fake.forum_channel(stage.guild, "drills", &["IAM"]));
    for (parent, name) in [(quiet, "quiet"), (forum, "drills")] {
        fake.with(|model| model.channels.get_mut(&thread).expect("the thread").parent = Some(parent));
        let set = fake.command(ann, thread, "/daily set time:11:00").await;
        assert!(set.text().contains("Changed") || set.text().contains("Set"), "{}", set.text());
        assert_eq!(known(&stage, parent).await, Some((name.into(), server.clone())));
    }
    assert_eq!(known(&stage, thread).await, None);
    // The forum's own questions are posts.
    fake.command(ann, thread, "/daily now").await;
    eventually("the post is there", PATIENCE, || async {
        fake.threads(forum).into_iter().find(|(id, _)| *id != thread)
    })
    .await;
    stage.end().await;
}

#[tokio::test]
async fn topics_and_questions_are_offered_while_somebody_types() {
    let mut bank: Vec<(String, usize)> = (0..40).map(|n| (format!("topic{n}"), 1)).collect();
    bank.push(("iam".into(), 30));
    let bank: Vec<(&str, usize)> = bank.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    let mut stage = Stage::dark_with(crate::world::bank(&bank), |_| {}).await;
    stage.start();
    stage.fake.connected().await;
    eventually("the commands are registered", PATIENCE, || async { (!stage.fake.commands().is_empty()).then_some(()) })
        .await;
    let (fake, bob, channel) = (&stage.fake, stage.bob, stage.channel);
    for (line, option, typed) in [
        ("/drill", "topic", ""),
        ("/drill", "topic", "topic"),
        ("/drill", "question", ""),
        ("/drill", "question", "state"),
        ("/leaderboard", "topic", "to"),
        ("/drill", "topic", "xyzzy"),
        ("/drill", "question", "🦀🦀🦀"),
        ("/drill", "topic", "\u{202e}\n`*"),
    ] {
        let seen = fake.autocomplete(bob, channel, line, option, typed).await;
        assert_eq!(seen.kind, Kind::Choices, "{line} {option} {typed}");
        assert!(seen.choices.len() <= 25, "{typed}");
        assert!(seen.choices.iter().all(|(name, _)| name.chars().count() <= 100), "{:?}", seen.choices);
        assert!(seen.choices.len() == 25 || !typed.is_empty(), "{typed}: {:?}", seen.choices);
    }
    let best = fake.autocomplete(bob, channel, "/drill", "topic", "ia").await;
    assert_eq!(best.choices.first(), Some(&("iam: IAM".to_owned(), json!("iam"))), "{:?}", best.choices);
    let best = fake.autocomplete(stage.ann, channel, "/daily now", "question", "iam-2").await;
    assert_eq!(best.choices.first().map(|(_, value)| value), Some(&json!("iam-2")));
    // Twice, and too late: nobody minds.
    fake.with(|model| model.faults.double_events = 1);
    assert_eq!(fake.autocomplete(bob, channel, "/drill", "topic", "i").await.kind, Kind::Choices);
    fake.with(|model| model.timing.first_response = std::time::Duration::ZERO);
    assert_eq!(fake.autocomplete(bob, channel, "/drill", "topic", "i").await.kind, Kind::Nothing);
    fake.with(|model| model.timing.first_response = std::time::Duration::from_secs(3));
    assert_eq!(fake.autocomplete(bob, channel, "/drill", "topic", "i").await.kind, Kind::Choices);
    stage.end().await;
}

#[tokio::test]
async fn boards_are_found_from_a_private_conversation_and_from_other_channels() {
    let stage = Stage::new().await;
    let (fake, bob, cleo) = (&stage.fake, stage.bob, stage.cleo);
    fake.rename(bob, "*B_o_b* @everyone ```\n|| الخادم");
    let card = stage.question("time:09:00 zone:Europe/London reveal:8h levels:advanced").await;
    let thread = stage.thread(&card).await;
    fake.write(bob, thread, FULL);
    eventually("Bob's answer counts", PATIENCE, || async {
        stage.cards(stage.channel)[0].text().contains("1 person").then_some(())
    })
    .await;
    stage.reveal(thread).await;
    assert_snapshot!(say(&stage, bob, "/leaderboard").await, @"
    **Daily questions, this week**
    ```
    #  Name                    Points  Answers  Streak
    1  *B_o_b* @everyone ˋˋˋ…     200        1       1
    ```
    You are number 1 of 1.
    -# Others: `/leaderboard` week, month or all; add a topic or drill.
    ");
    assert_snapshot!(say(&stage, cleo, "/leaderboard window:all").await, @"
    **Daily questions, all time**
    ```
    #  Name                    Points  Answers  Streak
    1  *B_o_b* @everyone ˋˋˋ…     200        1       1
    ```
    You are not on this board yet: answer the next question.
    -# Others: `/leaderboard` week, month or all; add a topic or drill.
    ");
    let elsewhere = fake.text_channel(stage.guild, "elsewhere");
    for (who, place) in [(bob, stage.channel), (bob, thread), (bob, elsewhere), (cleo, elsewhere), (bob, fake.dm(bob))]
    {
        for line in ["/leaderboard", "/leaderboard window:month", "/leaderboard window:all"] {
            let seen = fake.command(who, place, line).await;
            assert!(seen.text().contains("B_o_b") && !seen.text().contains("nobody"), "{line}: {}", seen.text());
            let own = if who == bob { "You are number 1 of 1." } else { "You are not on this board yet" };
            assert!(seen.text().contains(own), "{line}: {}", seen.text());
        }
    }
    let topic = if card.text().contains("EKS") { "eks" } else { "iam" };
    assert!(say(&stage, bob, &format!("/leaderboard topic:{topic}")).await.contains("B_o_b"));
    let me = fake.command(bob, fake.dm(bob), "/me").await;
    assert!(me.text().contains("number 1"), "{}", me.text());
    // His board counts where he is at home, also for a drill in private.
    let drill = fake.command(bob, fake.dm(bob), "/drill topic:iam count:1").await;
    let form = fake.press(bob, &drill, "Answer").await;
    fake.submit(bob, form.modal(), &[("answer", FULL)]).await;
    let board = say(&stage, cleo, "/leaderboard board:drill").await;
    assert!(board.contains("B_o_b"), "{board}");
    stage.end().await;
}

#[tokio::test]
async fn what_is_registered_is_the_table_and_is_registered_once() {
    let mut stage = Stage::new().await;
    let commands = stage.fake.commands();
    let one = |name: &str| commands.iter().find(|one| one["name"] == name).cloned().unwrap_or_else(|| panic!("{name}"));
    for spec in TABLE {
        let form = one(spec.name);
        assert_eq!(form["description"], spec.help);
        let names = |form: &Value| -> Vec<String> {
            let all = form["options"].as_array().cloned().unwrap_or_default();
            all.iter().filter_map(|option| option["name"].as_str().map(str::to_owned)).collect()
        };
        let expect = |options: &[drillbot::domain::command::Opt]| -> Vec<String> {
            options.iter().map(|option| option.name.to_owned()).collect()
        };
        if spec.subs.is_empty() {
            assert_eq!(names(&form), expect(spec.options), "{}", spec.name);
        }
        for (sub, known) in form["options"].as_array().into_iter().flatten().zip(spec.subs) {
            assert_eq!((sub["name"].as_str(), sub["type"].as_u64()), (Some(known.name), Some(1)));
            assert_eq!(names(sub), expect(known.options), "{} {}", spec.name, known.name);
        }
        for locale in ["de", "es-ES", "fr", "pt-BR"] {
            assert!(form["name_localizations"][locale].is_string(), "{} {locale}", spec.name);
            assert!(form["description_localizations"][locale].is_string(), "{} {locale}", spec.name);
        }
        let (contexts, permissions) =
            if spec.organisers_only { (json!([0]), json!("32")) } else { (json!([0, 1]), Value::Null) };
        assert_eq!(
            (&form["contexts"], &form["default_member_permissions"]),
            (&contexts, &permissions),
            "{}",
            spec.name
        );
    }
    let save = one("Save as my answer");
    assert_eq!((&save["type"], &save["contexts"]), (&json!(3), &json!([0])));
    assert_eq!(commands.len(), TABLE.len() + 1);
    // In a private conversation /daily is not offered.
    let dm = stage.fake.dm(stage.ann);
    assert_eq!(stage.fake.command(stage.ann, dm, "/daily show").await.kind, Kind::Refused);
    let puts = |stage: &Stage| stage.fake.requests("PUT", "/commands").len();
    assert_eq!(puts(&stage), 1);
    let noted = || async {
        let note = stage.app.store.read("the note", |conn| Box::pin(notes::get(conn, "discord:commands"))).await;
        note.expect("a read")
    };
    eventually("what is registered is noted", PATIENCE, noted).await;
    stage.crash().await;
    stage.come_back().await;
    let dm = stage.fake.dm(stage.bob);
    assert!(stage.fake.command(stage.bob, dm, "/help").await.text().contains("interview question"));
    assert_eq!(puts(&stage), 1, "nothing has changed");
    // The table of another version, or another application: the note does not fit.
    stage.crash().await;
    let old = stage.app.store.write("an older version's note", |conn| {
        Box::pin(async move { notes::set(conn, "discord:commands", "another").await })
    });
    old.await.expect("the note is written");
    stage.fake.fault("PUT", "/applications/{application_id}/commands", crate::fake::discord::Fault::CutBeforeRequest);
    stage.come_back().await;
    eventually("they are registered anew", PATIENCE, || async { (puts(&stage) >= 2).then_some(()) }).await;
    assert_eq!(stage.fake.commands().len(), TABLE.len() + 1);
    stage.end().await;
}

#[tokio::test]
async fn somebody_without_any_right_is_still_a_member() {
    let stage = Stage::new().await;
    let dan = stage.fake.member(stage.guild, "Dan", Permissions::empty());
    for line in ["/drill topic:eks", "/leaderboard", "/me", "/topics", "/help"] {
        assert!(!say(&stage, dan, line).await.is_empty());
        let dm = stage.fake.dm(dan);
        assert_eq!(stage.fake.command(dan, dm, line).await.kind, Kind::Message { ephemeral: true }, "{line}");
    }
    stage.end().await;
}
