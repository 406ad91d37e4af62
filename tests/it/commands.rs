//! Every command, as members and organisers use it.

use drillbot::app::App;
use drillbot::domain::command::{TABLE, Value};
use drillbot::domain::ids::ChannelId;
use drillbot::domain::round::State;
use drillbot::domain::schedule::ScheduleSpec;
use insta::assert_snapshot;

use crate::world::{FULL, PART, Setup, World, bank, bank_texts, read_bank, show_reply, spec};

// ---- /help

#[tokio::test]
async fn help_explains_every_command_of_the_table() {
    let mut w = World::new().await;
    let all = w.bob("/help").await;
    assert_snapshot!(all, @"
    Every day I post an interview question here. Answer in its thread or with the Answer button; after a while I show the model answer, who covered which key point, and everybody's score.
    (A sign under what you wrote in the thread says: 📥 it counts as your answer, ⌛ it came after the reveal.)
    • /drill Practise a topic in private, one question at a time
    • /prep Advice for the interview itself: how to prepare, how to answer, why people fail
    • /leaderboard The standing of this study group, and your own place
    • /daily Show or steer the daily question of this channel (organisers)
    • /topics All topics with their questions
    • /suggest Suggest a question for the bank; see what became of yours
    • /flag Say that a question is wrong, outdated or unclear
    • /review Decide on what members suggested and flagged (organisers)
    • /me My scores, streak and weak topics; or erase my data
    • /help What I can do
    (/help and a command explains it, for example /help drill.)
    ");
    for command in TABLE {
        let line = format!("/help {}", command.name);
        let explained = w.bob(&line).await;
        assert!(explained.contains(command.help) && explained.contains(command.example), "{line}: {explained}");
        for sub in command.subs {
            assert!(explained.contains(&format!("/{} {}", command.name, sub.name)), "{line}: {explained}");
        }
        // What the help gives as an example works, for an organiser.
        let done = w.ann(command.example).await;
        assert!(command.name == "help" || !done.contains("For example:"), "{}: {done}", command.example);
        assert!(!done.contains("Nothing was changed"), "{}: {done}", command.example);
    }
    assert_snapshot!(w.bob("/help dance").await.lines().next().unwrap_or_default(), @r#"There is no command "dance"."#);
    w.end().await;
}

#[tokio::test]
async fn what_is_no_command_gets_the_nearest_one() {
    let mut w = World::new().await;
    assert_snapshot!(w.bob("/dril iam").await, @r#"
    There is no command /dril. Did you mean "drill"?
    I know /drill, /prep, /leaderboard, /daily, /topics, /suggest, /flag, /review, /me, /help.
    "#);
    assert_snapshot!(w.bob("/").await, @"
    Which command?
    I know /drill, /prep, /leaderboard, /daily, /topics, /suggest, /flag, /review, /me, /help.
    ");
    assert_snapshot!(w.bob("/daily st 10:00").await, @r#"
    /daily does not know "st". Did you mean "set"?
    /daily show|set|pause|resume|skip|now|reveal
    For example: /daily set 09:00 days:mon-fri zone:Europe/London reveal:17:00
    "#);
    w.end().await;
}

// ---- /daily

#[tokio::test]
async fn only_organisers_steer_the_daily_question() {
    let mut w = World::new().await;
    let before = w.schedule("daily").await;
    for line in [
        "/daily set 10:00",
        "/daily pause",
        "/daily resume",
        "/daily skip",
        "/daily now",
        "/daily reveal",
        "/daily pause schedule=daily",
    ] {
        let reply = w.bob(line).await;
        assert_eq!(
            reply, "/daily is for this channel's organisers. Ask one of them, or try /help for what you can do.",
            "{line}"
        );
        // Nor with a button that says the same.
        let pressed = w.press_action("Bob", &format!("run:{line}")).await;
        assert_eq!(pressed, reply, "{line}");
    }
    assert_eq!(w.schedule("daily").await, before);
    assert_eq!(w.rounds().await.len(), 0);
    assert_snapshot!(w.bob("/daily").await, @"/daily is for this channel's organisers. Ask one of them, or try /help for what you can do.");
    w.end().await;
}

#[tokio::test]
async fn daily_set_changes_what_it_names_and_keeps_the_rest() {
    let mut w = World::new().await;
    assert_snapshot!(w.ann("/daily set 10:30 days=mon,wed,fri zone=America/New_York reveal=\"next day 09:00\" answers=private topics=iam levels=beginner skip=2026-12-25 catch-up=2h").await, @r#"
    Changed. This is the schedule now:
    # daily
    Question: at 10:30 on Monday, Wednesday and Friday (America/New_York)
    Reveal: the next day at 09:00
    Next: 2026-11-23T15:30:00Z
    Answers: in private, shown at the reveal
    Questions: topics iam; levels beginner; 2 of 2 not asked yet
    Late at most: 2h
    Left out: 2026-12-25
    (/daily set changes it, /daily pause, skip, now and reveal steer it, /help daily explains.)
    "#);
    assert_snapshot!(w.ann("/daily set 11:00").await, @r#"
    Changed. This is the schedule now:
    # daily
    Question: at 11:00 on Monday, Wednesday and Friday (America/New_York)
    Reveal: the next day at 09:00
    Next: 2026-11-23T16:00:00Z
    Answers: in private, shown at the reveal
    Questions: topics iam; levels beginner; 2 of 2 not asked yet
    Late at most: 2h
    Left out: 2026-12-25
    (/daily set changes it, /daily pause, skip, now and reveal steer it, /help daily explains.)
    "#);
    assert_snapshot!(w.ann("/daily set topics=all levels=all skip=none cron=\"0 9 28 2 *\"").await, @r#"
    Changed. This is the schedule now:
    # daily
    Question: at 09:00 on the 28th of the month in February (America/New_York)
    Reveal: the next day at 09:00
    Next: 2027-02-28T14:00:00Z
    Answers: in private, shown at the reveal
    Questions: all topics and levels; 9 of 9 not asked yet
    Late at most: 2h
    (/daily set changes it, /daily pause, skip, now and reveal steer it, /help daily explains.)
    "#);
    w.end().await;
}

#[tokio::test]
async fn a_question_calls_whom_the_schedule_names_and_says_what_it_is_about() {
    let mut w = World::new().await;
    let set = w.ann("/daily set ping=4711").await;
    assert!(set.contains("Calls: 4711"), "{set}");
    assert!(w.ann("/daily set 09:00").await.contains("Calls: 4711"), "what is left out stays");
    w.at("09:00").await;
    let card = w.cards().remove(0);
    assert_eq!(card.ping.as_deref(), Some("4711"));
    assert_eq!(card.labels, ["iam", "IAM", "advanced"]);
    w.at("17:00").await;
    let others = w.chat.shown().into_iter().filter(|shown| !shown.key.starts_with("question:"));
    assert!(others.into_iter().all(|shown| shown.ping.is_none()), "only questions call");
    assert!(!w.ann("/daily set ping=none").await.contains("Calls"));
    w.day(1).await;
    w.at("09:00").await;
    assert_eq!(w.cards()[1].ping, None);
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn the_web_chat_has_nobody_to_call() {
    let mut w = World::new().await;
    let mut ann = w.actor("Ann");
    ann.channel = ChannelId::new("web:daily-drill");
    let reply = show_reply(&w.app.line(&ann, "/daily set 09:00 ping=4711").await.expect("a reply"));
    assert_snapshot!(reply, @"The web chat has nobody to call: it knows no roles, and shows new questions to all. Nothing was changed.");
    w.end().await;
}

#[tokio::test]
async fn daily_set_keeps_the_weekdays_that_the_configuration_names() {
    let weekdays = ScheduleSpec { cron: "0 9 * * *".into(), days: vec!["tue".into(), "thu".into()], ..spec() };
    let mut w = World::with(Setup { schedules: vec![("daily", weekdays)], ..Setup::default() }).await;
    let reply = w.ann("/daily set 10:00").await;
    assert!(reply.contains("Question: at 10:00 on Tuesday and Thursday (Europe/London)"), "{reply}");
    let reply = w.ann("/daily set days=mon").await;
    assert!(reply.contains("Question: at 10:00 on Monday (Europe/London)"), "{reply}");
    w.end().await;
}

#[tokio::test]
async fn a_bad_value_of_daily_set_changes_nothing_and_says_what_is_right() {
    let mut w = World::new().await;
    let before = w.schedule("daily").await;
    let mut replies = Vec::new();
    for line in [
        "/daily set",
        "/daily set 25:00",
        "/daily set noon",
        "/daily set cron=\"* * *\"",
        "/daily set cron=\"0 9 31 2 *\"",
        "/daily set cron=\"0 9 * * *\" 10:00",
        "/daily set days=someday",
        "/daily set zone=Europe/Londn",
        "/daily set zone=EST",
        "/daily set reveal=08:00",
        "/daily set reveal=soon",
        "/daily set answers=aloud",
        "/daily set topics=iamm",
        "/daily set levels=expert",
        "/daily set tracks=gardening",
        "/daily set topics=eks levels=advanced tracks=devops zone=Mars/Olympus",
        "/daily set skip=2026-02-30",
        "/daily set catch-up=-1h",
        "/daily set colour=blue",
        "/daily set 10:00 11:00",
        "/daily set time=10:00 time=11:00",
        "/daily set zone=",
        "/daily set 10:00 schedule=\"a/b\"",
    ] {
        let reply = w.ann(line).await;
        assert_eq!(w.schedule("daily").await, before, "{line}: {reply}");
        replies.push(format!("{line}\n    {}", reply.lines().take(2).collect::<Vec<_>>().join("\n    ")));
    }
    assert_snapshot!(replies.join("\n"), @r#"
    /daily set
        Say what to change.
        /daily set [time] [days:..] [cron:..] [zone:..] [reveal:..] [answers:..] [topics:..] [levels:..] [tracks:..] [skip:..] [catch-up:..] [ping:..] [no-ping:..] [schedule:..]
    /daily set 25:00
        "25:00" is no time of day: write it like 09:00 or 17:30.
        /daily set [time] [days:..] [cron:..] [zone:..] [reveal:..] [answers:..] [topics:..] [levels:..] [tracks:..] [skip:..] [catch-up:..] [ping:..] [no-ping:..] [schedule:..]
    /daily set noon
        "noon" is no time of day: write it like 09:00 or 17:30.
        /daily set [time] [days:..] [cron:..] [zone:..] [reveal:..] [answers:..] [topics:..] [levels:..] [tracks:..] [skip:..] [catch-up:..] [ping:..] [no-ping:..] [schedule:..]
    /daily set cron="* * *"
        Nothing was changed:
        ✗ cron: "* * *" has 3 fields: write five fields (minute, hour, day of the month, month, weekday), for example "0 9 * * mon-fri" for 09:00 from Monday to Friday
    /daily set cron="0 9 31 2 *"
        Nothing was changed:
        ✗ cron: "0 9 31 2 *" never comes, as none of its months has such a day: write for example "0 9 28 2 *"
    /daily set cron="0 9 * * *" 10:00
        Give either cron, or time and days, not both.
        /daily set [time] [days:..] [cron:..] [zone:..] [reveal:..] [answers:..] [topics:..] [levels:..] [tracks:..] [skip:..] [catch-up:..] [ping:..] [no-ping:..] [schedule:..]
    /daily set days=someday
        Nothing was changed:
        ✗ days: cannot read "someday" as a weekday: write mon to sun, or 0 to 7 where 0 and 7 are Sunday, for example "mon-fri"
    /daily set zone=Europe/Londn
        Nothing was changed:
        ✗ zone: there is no time zone "Europe/Londn": did you mean "Europe/London"?
    /daily set zone=EST
        Nothing was changed:
        ✗ zone: "EST" does not say whose daylight saving time applies: write an Area/City, such as "America/New_York"
    /daily set reveal=08:00
        Nothing was changed:
        ✗ reveal: a question that comes at 09:00 cannot be revealed at 08:00 the same day: write "next day 08:00" for the day after, or a delay such as "8h"
    /daily set reveal=soon
        Nothing was changed:
        ✗ reveal: cannot read "soon" as a delay: write a number and a unit, such as "90m", "8h" or "1d 2h". It can also be a time such as "17:00", or "next day 09:00"
    /daily set answers=aloud
        "aloud" does not fit answers: thread, private, both.
        /daily set [time] [days:..] [cron:..] [zone:..] [reveal:..] [answers:..] [topics:..] [levels:..] [tracks:..] [skip:..] [catch-up:..] [ping:..] [no-ping:..] [schedule:..]
    /daily set topics=iamm
        Nothing was changed:
        ✗ filter: There is no topic "iamm". Did you mean iam?
    /daily set levels=expert
        Nothing was changed:
        ✗ filter: There is no level "expert". The levels are beginner, intermediate and advanced.
    /daily set tracks=gardening
        Nothing was changed:
        ✗ filter: There is no track "gardening". The tracks are devops.
    /daily set topics=eks levels=advanced tracks=devops zone=Mars/Olympus
        Nothing was changed:
        ✗ zone: there is no time zone "Mars/Olympus": write an Area/City, such as "Europe/London", or "UTC"
    /daily set skip=2026-02-30
        Nothing was changed:
        ✗ skip: there is no date "2026-02-30": write one such as "2026-12-25", or a range "2026-12-24..2027-01-02"
    /daily set catch-up=-1h
        Nothing was changed:
        ✗ catch-up: a delay cannot be negative, as in "-1h": write one such as "90m", "8h" or "1d 2h", or "0m" to skip every question that was missed
    /daily set colour=blue
        There is no setting "colour".
        /daily set [time] [days:..] [cron:..] [zone:..] [reveal:..] [answers:..] [topics:..] [levels:..] [tracks:..] [skip:..] [catch-up:..] [ping:..] [no-ping:..] [schedule:..]
    /daily set 10:00 11:00
        I do not know what to do with "11:00".
        /daily set [time] [days:..] [cron:..] [zone:..] [reveal:..] [answers:..] [topics:..] [levels:..] [tracks:..] [skip:..] [catch-up:..] [ping:..] [no-ping:..] [schedule:..]
    /daily set time=10:00 time=11:00
        You gave time twice.
        /daily set [time] [days:..] [cron:..] [zone:..] [reveal:..] [answers:..] [topics:..] [levels:..] [tracks:..] [skip:..] [catch-up:..] [ping:..] [no-ping:..] [schedule:..]
    /daily set zone=
        zone is empty.
        /daily set [time] [days:..] [cron:..] [zone:..] [reveal:..] [answers:..] [topics:..] [levels:..] [tracks:..] [skip:..] [catch-up:..] [ping:..] [no-ping:..] [schedule:..]
    /daily set 10:00 schedule="a/b"
        The name of a schedule has letters, digits and dashes, like evening.
    "#);
    w.end().await;
}

#[tokio::test]
async fn daily_set_makes_a_second_schedule_by_name() {
    let mut w = World::new().await;
    w.ann("/daily set 18:00 schedule=evening topics=eks reveal=19:00 zone=Europe/London").await;
    w.at("09:00").await;
    w.at("18:00").await;
    assert_eq!(w.cards().len(), 2);
    w.at("19:00").await;
    assert_snapshot!(w.ann("/daily pause schedule=night").await, @"This channel has several schedules: daily and evening. Add schedule:NAME to say which one you mean.");
    // A restart with the same configuration keeps what a command made.
    w.restart().await;
    w.day(1).await;
    w.at("18:00").await;
    assert_eq!(w.cards().len(), 3, "the daily one of the second day is past its window, 6 hours, at 18:00");
    w.at("19:00").await;
    w.end().await;
}

#[tokio::test]
async fn an_organiser_posts_and_a_member_drills_exactly_one_question() {
    let eks = ScheduleSpec { topics: vec!["eks".into()], ..spec() };
    let mut w = World::with(Setup { schedules: vec![("daily", eks)], ..Setup::default() }).await;
    assert_snapshot!(w.ann("/daily now question=iam_2").await, @r#"There is no question "iam_2" in the bank, so nothing was asked. Did you mean iam-2?"#);
    assert_snapshot!(w.ann("/daily now question=gardening").await, @r#"There is no question "gardening" in the bank, so nothing was asked."#);
    assert_snapshot!(w.ann("/daily now question=IAM-2").await, @"The question is on its way to the channel. /daily reveal ends it early.");
    w.ann("/daily now question=iam-2").await;
    w.settle().await;
    assert_eq!(w.prompts(), ["iam question 2: who keeps the state?"], "whatever the schedule asks, and once");
    w.ann("/daily now question=iam-3").await;
    w.settle().await;
    assert_eq!(w.prompts().len(), 2, "another question is another wish");
    assert_eq!(w.notices(), Vec::<String>::new());
    let drill = w.bob("/drill question=iam-4").await;
    assert!(drill.contains("IAM, question 1 of 1") && drill.contains("iam question 4"), "{drill}");
    assert_snapshot!(w.bob("/drill question=iam4").await, @r#"There is no question "iam4" in the bank, so nothing was asked. Did you mean iam-4?"#);
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn values_are_offered_while_somebody_types() {
    let w = World::new().await;
    let offers = |value: Value, typed: &str| -> Vec<String> {
        w.app.suggest(value, typed, 25, "").into_iter().map(|(shown, value)| format!("{value} | {shown}")).collect()
    };
    assert_eq!(offers(Value::Topic, ""), ["eks | eks: EKS", "iam | iam: IAM"]);
    assert_eq!(offers(Value::Topic, "IA"), ["iam | iam: IAM"]);
    assert_eq!(offers(Value::Topic, "imm"), ["iam | iam: IAM"], "a near miss");
    assert_eq!(offers(Value::Topic, "gardening"), Vec::<String>::new());
    assert_eq!(offers(Value::Question, "iam-2"), ["iam-2 | iam-2: iam question 2: who keeps the state?"]);
    assert_eq!(offers(Value::Question, "question 5").len(), 1);
    assert_eq!(offers(Value::Question, "").len(), 9);
    assert_eq!(offers(Value::Text, "iam"), Vec::<String>::new());
    let lines: Vec<String> = w.app.complete("/daily now question=iam-", "").into_iter().map(|one| one.line).collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[0], "/daily now question=iam-1");
    w.end().await;
}

#[tokio::test]
async fn no_more_is_offered_than_platforms_show() {
    let w = World::with(Setup { bank: bank(&[("iam", 60)]), ..Setup::default() }).await;
    let offers = w.app.suggest(Value::Question, "iam", 25, "");
    assert_eq!(offers.len(), 25);
    assert!(offers.iter().all(|(shown, _)| shown.chars().count() <= 100));
    w.end().await;
}

#[tokio::test]
async fn an_answer_form_needs_nothing_looked_up() {
    let mut w = World::new().await;
    w.at("09:00").await;
    let action = w.card_button("Answer").expect("a button");
    let form = App::blank_form(&action).expect("a form");
    assert_eq!(form.action, action);
    assert!(w.submit("Bob", &form.action, FULL).await.starts_with("Saved."));
    w.bob("/drill iam 1").await;
    let action = w.button("Bob", "Answer").expect("a button");
    let form = App::blank_form(&action).expect("a form");
    assert!(w.submit("Bob", &form.action, FULL).await.contains("100 of 100"));
    for other in ["hint:abc", "forget", "drill:x:0:next", "nonsense"] {
        assert_eq!(App::blank_form(other), None, "{other}");
    }
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn pause_keeps_questions_away_until_resume() {
    let mut w = World::new().await;
    w.at("09:00").await;
    assert_snapshot!(w.ann("/daily pause").await, @"Paused. An open question is still revealed; no new one comes until /daily resume.");
    w.at("17:00").await;
    assert_eq!(w.rounds().await[0].state, State::Revealed, "an open question is still revealed");
    w.day(1).await;
    w.at("09:00").await;
    assert_eq!(w.cards().len(), 1);
    assert_snapshot!(w.ann("/daily skip").await, @"No question is planned, so there is none to leave out. /daily resume starts the schedule.");
    // What is set meanwhile does not start it again.
    w.ann("/daily set 09:30").await;
    w.at("10:00").await;
    w.restart().await;
    assert!(w.ann("/daily").await.contains("daily (paused)"));
    assert_eq!(w.cards().len(), 1);
    assert_snapshot!(w.ann("/daily resume").await, @"Questions come again. The next question comes 2026-11-25T09:30:00Z.");
    w.day(2).await;
    w.at("09:30").await;
    assert_eq!(w.cards().len(), 2);
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn skip_leaves_out_the_next_question_only() {
    let mut w = World::new().await;
    assert_snapshot!(w.ann("/daily skip").await, @"The question of 2026-11-23 09:00 is left out. The next question comes 2026-11-24T09:00:00Z.");
    w.restart().await;
    assert!(w.ann("/daily").await.contains("Next: 2026-11-24T09:00:00Z"), "a restart does not bring it back");
    w.ann("/daily set reveal=16:00").await;
    assert!(w.ann("/daily").await.contains("Next: 2026-11-24T09:00:00Z"), "nor does a change of something else");
    w.at("09:00").await;
    assert_eq!(w.cards().len(), 0);
    assert!(w.ann("/daily").await.contains("2026-11-23 09:00 skipped: an organiser left it out"));
    w.day(1).await;
    w.at("09:00").await;
    assert_eq!(w.cards().len(), 1);
    assert_eq!(w.asked().await, 1, "the skipped day has used up no question");
    w.at("16:00").await;
    w.end().await;
}

#[tokio::test]
async fn now_posts_a_question_beside_the_schedule_and_twice_in_a_minute_posts_one() {
    let mut w = World::new().await;
    assert_snapshot!(w.ann("/daily now").await, @"The question is on its way to the channel. /daily reveal ends it early.");
    w.ann("/daily now").await;
    w.settle().await;
    assert_eq!(w.cards().len(), 1);
    assert_eq!(w.asked().await, 1, "the second press has used up no question");
    w.at("09:00").await;
    w.ann("/daily now").await;
    w.settle().await;
    assert_eq!((w.cards().len(), w.asked().await), (2, 2), "the slot has its question already");
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn reveal_ends_the_open_question_early() {
    let mut w = World::new().await;
    assert_snapshot!(w.ann("/daily reveal").await, @"No question is open here. /daily now posts one at once.");
    w.at("09:00").await;
    w.write_in_thread("Bob", FULL).await;
    assert_snapshot!(w.ann("/daily reveal").await, @"The question is closed; the reveal is on its way to its thread.");
    w.settle().await;
    assert_eq!(w.scores().await.len(), 1);
    w.ann("/daily reveal").await;
    w.at("17:00").await;
    assert_eq!(w.chat.shown().iter().filter(|shown| shown.key.starts_with("reveal:")).count(), 2);
    w.end().await;
}

// ---- /drill

/// Which question of a drill comes first is left to chance.
fn any_number(text: &str) -> String {
    let mut out = text.to_owned();
    for n in 1..10 {
        out = out.replace(&format!("iam question {n}"), "iam question n").replace(&format!("iam-{n}"), "iam-n");
    }
    out
}

#[tokio::test]
async fn a_free_drill_goes_from_question_to_question_to_the_sum() {
    let mut w = World::with(Setup { bank: bank(&[("iam", 9)]), ..Setup::default() }).await;
    assert_snapshot!(any_number(&w.bob("/drill iam beginner 3").await), @r#"
    (IAM, question 1 of 3, beginner)
    # iam question n: who keeps the state?
    (Two colleagues press apply in the same minute.)
    [Answer] [Hint (−10 points)] [Skip] [Reveal]
    "#);
    assert_snapshot!(w.press("Bob", "Answer").await, @r#"
    [form] Your answer
    As you would say it in the interview: ""
    How sure are you?: ""
    [Grade it]
    "#);
    let first = w.form("Bob").action;
    assert_snapshot!(any_number(&w.send_form("Bob", PART).await), @"
    (IAM, question 1 of 3, beginner)
    # iam question n: who keeps the state?
    50 of 100, worth 50 points
    # You said
    ✓ The backend keeps the state
    # Missing
    – A lock stops two writers
    – Versions help to recover
    # Your answer
    > The backend keeps the state.
    (Underlined: the words that counted.)
    # Model answer
    The backend keeps the state. A lock stops two writers. Versions help to recover.
    • state (developer.hashicorp.com)
    [Next] [Flag]
    ");
    // The same form again, and the same button: nothing happens twice.
    let again = w.submit("Bob", &first, FULL).await;
    assert!(again.contains("50 of 100"), "{again}");
    let next = w.button("Bob", "Next").expect("a button");
    let second = w.press_action("Bob", &next).await;
    assert!(second.contains("question 2 of 3"), "{second}");
    assert_eq!(w.press_action("Bob", &next).await, second, "a second press");
    assert!(w.press("Bob", "Hint").await.contains("Hint 1: Think of the place."));
    assert!(w.press("Bob", "Reveal").await.contains("No points for this one; here is the answer."));
    assert!(w.press("Bob", "Next").await.contains("question 3 of 3"));
    assert_snapshot!(any_number(&w.press("Bob", "Skip").await), @"
    # IAM: 50 points from 3 questions
    1. iam question n: who keeps the state? — 50 of 100, 50 points
    2. iam question n: who keeps the state? — revealed
    3. iam question n: who keeps the state? — skipped
    (A question counts once a day, with your best result. /leaderboard drill shows the board, /me your weak topics.)
    [Once more]
    ");
    assert!(w.submit("Bob", &first, FULL).await.starts_with("# IAM: 50 points from 3 questions"), "an old form");
    w.end().await;
}

#[tokio::test]
async fn a_drill_of_a_tag_goes_across_topics_and_once_more() {
    let mut texts = bank_texts(&[("eks", 3), ("iam", 6)]);
    for (_, text) in &mut texts {
        // One question of each topic.
        *text = text.replacen("[[question]]", "[[question]]\ntags = [\"lab\"]", 1);
    }
    let bank = read_bank(&texts).expect("the bank of the test");
    let mut w = World::with(Setup { bank, ..Setup::default() }).await;
    for begin in ["/drill Lab 5", "Once more"] {
        let asked = if begin.starts_with('/') { w.bob(begin).await } else { w.press("Bob", begin).await };
        assert!(asked.contains("(lab, question 1 of 2, "), "{asked}");
        assert!(w.press("Bob", "Skip").await.contains("question 2 of 2"));
        let done = w.press("Bob", "Skip").await;
        assert!(done.contains("eks question 1") && done.contains("iam question 1"), "{done}");
    }
    w.end().await;
}

#[tokio::test]
async fn a_choice_drill_scores_the_right_option_and_explains_the_others() {
    let mut w = World::new().await;
    let asked = w.bob("/drill iam 2 choice").await;
    assert!(asked.contains("[A] [B] [C] [D] [Hint (−10 points)] [Skip] [Reveal]"), "{asked}");
    let right = asked.lines().find(|line| line.ends_with(". The backend")).expect("the right option");
    let letter = right.chars().next().expect("a letter").to_string();
    w.press("Bob", "Hint").await;
    let picked = w.press("Bob", &letter).await;
    assert!(picked.contains("Right, ") && picked.contains("(your choice)"), "{picked}");
    let next = w.press("Bob", "Next").await;
    let wrong = next.lines().find(|line| line.ends_with(". The plan")).expect("a wrong option");
    let letter = wrong.chars().next().expect("a letter").to_string();
    let picked = w.press("Bob", &letter).await;
    assert!(picked.contains("Not this one, 0 points") && picked.contains("It is thrown away."), "{picked}");
    assert!(w.press("Bob", "Finish").await.contains("90 of 100"));
    w.end().await;
}

#[tokio::test]
async fn a_drill_goes_on_after_a_restart() {
    let mut w = World::new().await;
    w.bob("/drill iam 2").await;
    w.press("Bob", "Answer").await;
    w.send_form("Bob", FULL).await;
    let second = w.press("Bob", "Next").await;
    w.restart().await;
    let offered = w.bob("/drill").await;
    assert!(offered.starts_with("You have not finished this one:"), "{offered}");
    assert!(offered.contains(second.lines().nth(1).expect("a heading")), "{offered}");
    w.press("Bob", "Answer").await;
    w.send_form("Bob", FULL).await;
    assert!(w.press("Bob", "Finish").await.contains("from 2 questions"));
    assert!(w.bob("/drill").await.starts_with("What would you like to practise?"));
    w.end().await;
}

#[tokio::test]
async fn wrong_topics_are_met_with_the_right_ones() {
    let mut w = World::new().await;
    assert_snapshot!(w.bob("/drill").await, @r#"
    What would you like to practise?
    • /drill eks EKS, 3 questions
    • /drill iam IAM, 6 questions
    [Drill eks] [Drill iam]
    "#);
    assert_snapshot!(w.bob("/drill iamm").await, @r#"
    There is no topic "iamm". Did you mean "iam"?
    • /drill eks EKS, 3 questions
    • /drill iam IAM, 6 questions
    [Drill iam]
    "#);
    assert!(w.press("Bob", "Drill iam").await.contains("IAM, question 1 of 5"));
    assert_snapshot!(w.bob("/drill quantum gardening").await.lines().next().unwrap_or_default(), @r#"There is no topic "quantum gardening"."#);
    assert_snapshot!(w.bob("/leaderboard iamm").await, @r#"There is no topic "iamm". Did you mean iam? /topics shows them all."#);
    assert_snapshot!(w.bob("/drill iam 99").await, @"
    count is 99; it goes from 1 to 20.
    /drill [topic] [level] [count] [mode] [question:..] [scenario:..] [with:..]
    For example: /drill iam advanced 3 choice
    ");
    assert_snapshot!(w.bob("/drill count=99 iam").await, @"
    count is 99; it goes from 1 to 20.
    /drill [topic] [level] [count] [mode] [question:..] [scenario:..] [with:..]
    For example: /drill iam advanced 3 choice
    ");
    w.end().await;
}

#[tokio::test]
async fn a_level_without_questions_says_so() {
    let mut w = World::with(Setup { bank: bank(&[("iam", 1)]), ..Setup::default() }).await;
    assert_snapshot!(w.bob("/drill iam advanced").await, @"IAM has no advanced questions. Leave the level out: /drill iam.");
    assert!(w.bob("/drill IAM beginner 20").await.contains("question 1 of 1, beginner"));
    w.end().await;
}

#[tokio::test]
async fn empty_and_too_long_answers_are_refused_and_nothing_is_lost() {
    let mut w = World::new().await;
    w.at("09:00").await;
    for (answer, expect) in [
        ("", "There is nothing in it yet."),
        (" \n\t ", "There is nothing in it yet."),
        ("?!… 👍", "There is nothing in it yet."),
        ("\u{200b}\u{200b}", "There is nothing in it yet."),
    ] {
        let reply = w.answers_by_form("Bob", answer).await;
        assert!(reply.starts_with(expect), "{answer:?}: {reply}");
    }
    w.answers_by_form("Bob", PART).await;
    assert_snapshot!(w.answers_by_form("Bob", &"lock ".repeat(2_001)).await, @"That is 10004 characters; an answer may have 10000, about twelve minutes of talking. Nothing was saved: shorten it and send it again.");
    assert!(w.press("Bob", "Answer").await.contains(PART), "the answer before it stands");
    w.bob("/drill iam").await;
    w.press("Bob", "Answer").await;
    let action = w.form("Bob").action;
    assert!(w.submit("Bob", &action, "  ").await.starts_with("There is nothing in it yet."));
    assert!(w.submit("Bob", &action, &"ä".repeat(10_001)).await.starts_with("That is 10001 characters"));
    assert!(w.submit("Bob", &action, &format!("{FULL}{}", "ä".repeat(9_900))).await.contains("100 of 100"));
    w.at("17:00").await;
    assert_eq!(w.scores().await, [("bob".to_owned(), 50, 1000)]);
    w.end().await;
}

#[tokio::test]
async fn nobody_presses_in_the_drill_of_somebody_else() {
    let mut w = World::new().await;
    w.bob("/drill iam").await;
    let skip = w.button("Bob", "Skip").expect("a button");
    assert_snapshot!(w.press_action("Ann", &skip).await, @"This drill is not there any more. Begin a new one with /drill.");
    w.press("Bob", "Answer").await;
    let form = w.form("Bob").action;
    assert_snapshot!(w.submit("Ann", &form, FULL).await, @"This drill is not there any more. Begin a new one with /drill.");
    assert!(w.send_form("Bob", FULL).await.contains("100 of 100"));
    w.end().await;
}

#[tokio::test]
async fn a_question_counts_once_a_day_with_the_best_result() {
    let mut w = World::with(Setup { bank: bank(&[("iam", 1)]), ..Setup::default() }).await;
    for (answer, points) in [(PART, "50"), (FULL, "100"), (PART, "100")] {
        w.bob("/drill iam").await;
        w.press("Bob", "Answer").await;
        w.send_form("Bob", answer).await;
        w.press("Bob", "Finish").await;
        let board = w.bob("/leaderboard drill").await;
        assert!(board.contains(&format!("1 | Bob (you) | {points} | 1")), "{board}");
    }
    w.day(1).await;
    w.bob("/drill iam").await;
    w.press("Bob", "Answer").await;
    w.send_form("Bob", FULL).await;
    assert!(w.bob("/leaderboard drill").await.contains("1 | Bob (you) | 200 | 2"));
    w.unsent.push("question:");
    w.at("09:00").await;
    w.at("17:00").await;
    w.end().await;
}

// ---- /leaderboard, /me, /topics

#[tokio::test]
async fn equal_points_share_a_rank_and_everybody_finds_their_own_place() {
    let mut w = World::new().await;
    w.at("09:00").await;
    w.write_in_thread("Ann", FULL).await;
    for name in ["Bob", "Cleo"] {
        w.write_in_thread(name, PART).await;
    }
    for n in 0..10 {
        w.write_in_thread(&format!("Guest {n}"), "I do not know.").await;
    }
    w.at("17:00").await;
    let board = w.bob("/leaderboard").await;
    let ranks: Vec<&str> = board.lines().filter_map(|line| line.split(" | ").next()).collect();
    assert_eq!(ranks[2..12], ["1", "2", "2", "4", "4", "4", "4", "4", "4", "4"], "{board}");
    assert!(board.contains("2 | Bob (you) | 100 | 1 | 1"), "{board}");
    assert!(board.contains("You are number 2 of 13."));
    assert_snapshot!(w.says("Guest 9", "/leaderboard").await, @r#"
    # Daily questions, this week
    # | Name | Points | Answers | Streak
    1 | Ann | 200 | 1 | 1
    2 | Bob | 100 | 1 | 1
    2 | Cleo | 100 | 1 | 1
    4 | Guest 0 | 0 | 1 | 1
    4 | Guest 1 | 0 | 1 | 1
    4 | Guest 2 | 0 | 1 | 1
    4 | Guest 3 | 0 | 1 | 1
    4 | Guest 4 | 0 | 1 | 1
    4 | Guest 5 | 0 | 1 | 1
    4 | Guest 6 | 0 | 1 | 1
    4 | Guest 9 (you) | 0 | 1 | 1
    You are number 4 of 13.
    (The first 10 of 13 members. Others: /leaderboard week, month or all; add a topic or drill.)
    "#);
    assert!(w.says("Eve", "/leaderboard").await.contains("You are not on this board yet"));
    w.end().await;
}

#[tokio::test]
async fn windows_begin_at_midnight_in_the_channels_zone() {
    // Half past midnight on Monday in Auckland is Sunday noon in London.
    let auckland = ScheduleSpec {
        cron: "30 0 * * *".into(),
        zone: "Pacific/Auckland".into(),
        reveal: "1h".into(),
        ..ScheduleSpec::default()
    };
    let mut w = World::with(Setup { schedules: vec![("daily", auckland)], ..Setup::default() }).await;
    for (day, name) in [(6, "Ann"), (7, "Bob"), (8, "Cleo")] {
        w.asleep_until(day, "00:30");
        w.settle().await;
        w.write_in_thread(name, FULL).await;
        w.at("01:30").await;
    }
    // Sunday 29 November, Monday 30 November, Tuesday 1 December.
    let week = w.ann("/leaderboard week").await;
    assert!(week.contains("Bob") && week.contains("Cleo") && !week.contains("Ann"), "{week}");
    let month = w.ann("/leaderboard month").await;
    assert!(!month.contains("Ann") && !month.contains("Bob") && month.contains("Cleo"), "{month}");
    let all = w.ann("/leaderboard all").await;
    assert!(all.contains("Ann") && all.contains("Bob") && all.contains("Cleo"), "{all}");
    w.unsent.push("question:");
    w.end().await;
}

#[tokio::test]
async fn a_board_of_a_topic_counts_that_topic_only() {
    let iam = ScheduleSpec { topics: vec!["iam".into()], ..spec() };
    let mut w = World::with(Setup { schedules: vec![("daily", iam)], ..Setup::default() }).await;
    w.at("09:00").await;
    w.write_in_thread("Bob", FULL).await;
    w.at("17:00").await;
    assert!(w.bob("/leaderboard iam").await.starts_with("# Daily questions on IAM, this week\n"));
    assert!(w.bob("/leaderboard iam").await.contains("Bob (you)"));
    assert_snapshot!(w.bob("/leaderboard all eks").await, @r#"
    # Daily questions on EKS, all time
    Nobody has points here yet. Answer a daily question and be the first.
    "#);
    w.end().await;
}

#[tokio::test]
async fn me_shows_places_streak_and_weak_topics() {
    let mut w = World::new().await;
    assert_snapshot!(w.bob("/me").await, @r#"
    # Bob, so far
    This week: nothing yet
    All time: nothing yet
    Drills: nothing yet
    Streak: none yet
    Answer the daily question, or try /drill, and your topics appear here.
    (/me delete erases everything I know about you.)
    "#);
    w.at("09:00").await;
    w.write_in_thread("Bob", PART).await;
    w.write_in_thread("Ann", FULL).await;
    w.at("17:00").await;
    assert_snapshot!(w.bob("/me").await, @r#"
    # Bob, so far
    This week: 100 points, number 2, 1 answer
    All time: 100 points, number 2, 1 answer
    Drills: nothing yet
    Streak: 1 question in a row, 1 at best
    # Topics, the weakest first
    Topic | Of 100 | Questions
    IAM | 50 | 1
    # Lately
    Day | Topic | Of 100 | Points
    2026-11-23 | IAM | 50 | 100
    (/me delete erases everything I know about you.)
    [Drill IAM (50 of 100)]
    "#);
    assert!(w.press("Bob", "Drill IAM").await.contains("IAM, question 1 of 5"));
    w.end().await;
}

#[tokio::test]
async fn me_delete_erases_one_member_and_leaves_the_others_totals_right() {
    let mut w = World::new().await;
    w.at("09:00").await;
    for (name, answer) in [("Ann", PART), ("Bob", FULL), ("Cleo", PART)] {
        w.write_in_thread(name, answer).await;
    }
    w.bob("/drill iam 2").await;
    w.press("Bob", "Answer").await;
    w.send_form("Bob", FULL).await;
    w.at("17:00").await;
    let ann = w.ann("/me").await;
    w.day(1).await;
    w.at("09:00").await;
    w.answers_by_form("Bob", FULL).await;
    w.at("09:01").await;
    assert!(w.card().contains("Answered: 1 person"));
    assert_snapshot!(w.bob("/me delete").await, @"
    This erases your answers, scores, streaks, drills, suggestions, flags and messages here for good. The totals of the others stay as they are; so do questions of yours that were approved, without your name: you gave them to the group.
    [Erase my data]
    ");
    assert!(w.bob("/me").await.contains("All time: 200 points"), "nothing is erased before it is confirmed");
    w.bob("/me delete").await;
    assert_snapshot!(w.press("Bob", "Erase my data").await, @"Done. I know nothing about you any more. You are welcome to begin anew.");
    w.at("09:02").await;
    assert!(w.card().contains("Answered: nobody yet"), "{}", w.card());
    let board = w.ann("/leaderboard").await;
    assert!(
        !board.contains("Bob") && board.contains("1 | Ann (you) | 100") && board.contains("1 | Cleo | 100"),
        "{board}"
    );
    assert!(!w.ann("/leaderboard drill").await.contains("Bob"));
    assert!(w.bob("/me").await.contains("All time: nothing yet"));
    assert!(w.bob("/drill").await.starts_with("What would you like to practise?"));
    assert_eq!(w.ann("/me").await.replace("number 1", "number 2"), ann);
    // The delivery ids of the past name nobody who is gone.
    for state in ["pending", "sending", "sent"] {
        assert!(w.in_outbox(state).await.iter().all(|(id, _)| !id.contains("memory:bob")));
    }
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn topics_counts_the_questions() {
    let mut w = World::new().await;
    assert_snapshot!(w.bob("/topics").await, @"
    # 9 questions in 2 topics
    • /drill eks EKS: 1 beginner, 1 intermediate and 1 advanced
    • /drill iam IAM: 2 beginner, 2 intermediate and 2 advanced
    (/drill and a topic starts a private round; add a level for only those.)
    ");
    w.end().await;
}

#[tokio::test]
async fn a_channel_without_a_schedule_says_how_to_make_one() {
    let mut w = World::with(Setup { schedules: vec![], ..Setup::default() }).await;
    assert_snapshot!(w.ann("/daily").await, @"This channel has no schedule yet. /daily set 09:00 days:mon-fri zone:Europe/London makes one.");
    for line in ["/daily pause", "/daily now", "/daily reveal", "/daily skip"] {
        assert!(w.ann(line).await.starts_with("This channel has no schedule yet."), "{line}");
    }
    w.ann("/daily set 09:00 days=mon-fri zone=Europe/London reveal=17:00").await;
    w.at("09:00").await;
    assert_eq!(w.cards().len(), 1);
    w.at("17:00").await;
    w.end().await;
}
