//! Bad input from people, files and old buttons: nothing is lost, nothing changes its meaning, nothing breaks.

use std::collections::BTreeMap;

use drillbot::config;
use drillbot::domain::message::{Block, Span};
use drillbot::domain::schedule::ScheduleSpec;
use insta::assert_snapshot;

use crate::world::{FULL, PART, Setup, World, bank, bank_texts, folder, member, read_bank, spec};

/// Texts that mean something somewhere: to a chat, a page, a database, a terminal or an eye.
const NASTY: [&str; 22] = [
    "@everyone @here <@123> <!channel> <#C1>",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "&lt;b&gt; &amp; \"quotes\" 'single'",
    "'; drop table scores; --",
    "%s %n {0} {{name}} ${HOME} $(id) `id`",
    "**bold** _it_ ~~gone~~ ||spoiler|| `code` ```block```",
    "[link](javascript:alert(1)) <http://evil.example|click>",
    "# heading\n> quote\n- list\n---",
    "عمر يكتب من اليمين إلى اليسار",
    "\u{202e}gnirts desrever\u{202c}",
    "zero\u{200b}width\u{200d}joiner\u{feff}",
    "👩‍💻👨‍👩‍👧‍👦🏳️‍🌈 🇬🇧",
    "Z̸̡͎̗a̵l̴g̶o̷",
    "日本語のテキスト。",
    "ñ vs n\u{303}",
    "tab\tand\u{b}vertical\u{c}feed",
    "line one\r\nline two\rline three",
    "null \0 byte",
    "\u{1b}[31mred\u{1b}[0m",
    "/daily pause",
    "null",
    "\\ \\n \\u0000 \\\"",
];

/// No database keeps a NUL in a text; everything else stays.
fn kept(text: &str) -> String {
    format!("x {text}").trim().replace('\0', "\u{fffd}")
}

#[tokio::test]
async fn whatever_people_answer_is_kept_and_shown_as_they_wrote_it() {
    let private = ScheduleSpec { answers: drillbot::domain::schedule::AnswerMode::Private, ..spec() };
    let mut w = World::with(Setup { schedules: vec![("daily", private)], ..Setup::default() }).await;
    w.at("09:00").await;
    for (n, text) in NASTY.iter().enumerate() {
        let reply = w.answers_by_form(&format!("P{n:02}"), &format!("x {text}")).await;
        assert!(reply.starts_with("Saved."), "{text:?}: {reply}");
        // The form gives back what was sent.
        w.press(&format!("P{n:02}"), "Answer").await;
        assert_eq!(w.form(&format!("P{n:02}")).inputs[0].value, kept(text));
    }
    w.at("17:00").await;
    assert_eq!(w.scores().await.len(), NASTY.len());
    for (n, text) in NASTY.iter().enumerate() {
        let said = kept(text);
        // In the private result, in the reveal, and only ever as a quote: never in spans that could carry markup.
        let shown = w.chat.shown();
        let result =
            shown.iter().find(|shown| shown.key.ends_with(&format!(":{}", member(&format!("P{n:02}"))))).unwrap();
        assert!(
            result.message.blocks.iter().any(|block| matches!(block, Block::Quote { text, .. } if *text == said)),
            "{text:?}"
        );
        let quoted = shown.iter().flat_map(|shown| &shown.message.blocks).filter(
            |block| matches!(block, Block::Quote { by: Some(by), text, .. } if by.starts_with(&format!("P{n:02}")) && *text == said),
        );
        assert_eq!(quoted.count(), 1, "{text:?}");
    }
    w.end().await;
}

#[tokio::test]
async fn whatever_people_are_called_is_only_ever_plain_text() {
    let mut w = World::new().await;
    w.at("09:00").await;
    for (n, name) in NASTY.iter().enumerate() {
        let person = format!("P{n:02}");
        w.actor(&person);
        w.rename(&person, name);
        w.write_in_thread(&person, if n % 2 == 0 { FULL } else { PART }).await;
    }
    w.at("17:00").await;
    let reveal = w.chat.shown().into_iter().find(|shown| shown.message.as_text().contains("who covered them")).unwrap();
    for block in &reveal.message.blocks {
        if let Block::Item { spans, .. } | Block::Line { spans } = block {
            for span in spans {
                let dressed = !matches!(span, Span::Plain { .. });
                assert!(!dressed || !NASTY.iter().any(|name| span.as_plain().contains(name)), "{span:?}");
            }
        }
    }
    let board = w.ann("/leaderboard").await;
    assert!(board.contains(NASTY[0]) && board.contains(NASTY[10]), "{board}");
    w.end().await;
}

#[tokio::test]
async fn whatever_people_type_is_answered_and_breaks_nothing() {
    let mut w = World::new().await;
    w.at("09:00").await;
    let before = w.schedule("daily").await;
    for text in NASTY {
        for line in [
            format!("/{text}"),
            format!("/drill {text}"),
            format!("/drill topic=\"{text}\""),
            format!("/leaderboard {text}"),
            format!("/help {text}"),
            format!("/me {text}"),
            format!("/daily {text}"),
            format!("/daily set topics=\"{text}\""),
            format!("/daily set zone=\"{text}\""),
            format!("/daily set 10:00 schedule=\"{text}\""),
        ] {
            // "/" before "/daily pause" reads as that command.
            if line == "//daily pause" {
                continue;
            }
            let reply = w.ann(&line).await;
            assert!(!reply.is_empty(), "{line:?}");
            assert!(reply.chars().count() < 3_000, "{line:?}: {} characters", reply.chars().count());
        }
        w.app.complete(&format!("/drill {text}"), "");
        w.app.complete(&format!("/{text}"), "");
    }
    assert_eq!(w.schedule("daily").await, before);
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn buttons_and_forms_that_nobody_made_are_refused_kindly() {
    let mut w = World::new().await;
    w.at("09:00").await;
    for action in [
        "",
        ":",
        "answer",
        "answer:",
        "answer:nope",
        "hint:nope",
        "result:nope",
        "drill:x:0:answer",
        "drill:x:99999999999999999999:next",
        "drill:x:0:pick99999999999999999999",
        "vote:1",
        "run:",
        "run:run:run:/help",
        "forget:all",
        "answer:' or 1=1 --",
    ] {
        let pressed = w.press_action("Bob", action).await;
        let sent = w.submit("Bob", action, FULL).await;
        for reply in [pressed, sent] {
            assert!(!reply.is_empty() && !reply.contains("panick"), "{action:?}: {reply}");
        }
    }
    assert_snapshot!(w.press_action("Bob", "vote:1").await, @"This button is from an older version of me. Use the newest message, or /help.");
    assert_snapshot!(w.press_action("Bob", "answer:nope").await, @"I do not know this question any more. The newest one is in the channel.");
    w.at("17:00").await;
    assert_eq!(w.scores().await, []);
    w.end().await;
}

#[tokio::test]
async fn two_sendings_of_one_form_are_one_answer() {
    let mut w = World::new().await;
    w.at("09:00").await;
    w.press("Bob", "Answer").await;
    let form = w.form("Bob").action;
    let (bob, values) = (w.actor("Bob"), std::collections::HashMap::from([("answer".to_owned(), FULL.to_owned())]));
    let (one, other) = tokio::join!(w.app.submit(&bob, &form, &values), w.app.submit(&bob, &form, &values));
    one.unwrap();
    other.unwrap();
    w.at("17:00").await;
    assert_eq!(w.scores().await, [("bob".to_owned(), 100, 2000)]);
    w.end().await;
}

#[tokio::test]
async fn two_presses_for_a_hint_at_once_give_two_different_hints() {
    let mut w = World::new().await;
    w.at("09:00").await;
    let hint = w.button("Bob", "Hint").unwrap();
    let bob = w.actor("Bob");
    let (one, other) = tokio::join!(w.app.press(&bob, &hint), w.app.press(&bob, &hint));
    let mut seen = [crate::world::show_reply(&one.unwrap()), crate::world::show_reply(&other.unwrap())];
    seen.sort();
    assert!(seen[0].starts_with("# Hint 1 of 2") && seen[1].starts_with("# Hint 2 of 2"), "{seen:?}");
    w.write_in_thread("Bob", FULL).await;
    w.at("17:00").await;
    assert_eq!(w.scores().await, [("bob".to_owned(), 80, 1600)]);
    w.end().await;
}

#[tokio::test]
async fn a_hundred_kilobytes_in_a_thread_are_graded_and_the_result_still_fits() {
    let mut w = World::new().await;
    w.at("09:00").await;
    // A platform with a limit of its own above ours, or many long messages.
    for _ in 0..10 {
        w.write_in_thread("Bob", &format!("{FULL} {}", "so it goes on and on ".repeat(500))).await;
    }
    w.at("17:00").await;
    // Everything is in it, and thirty thousand words of something else.
    let scores = w.scores().await;
    assert!(scores[0].1 <= 5, "{scores:?}");
    let result = w.told("Bob").unwrap();
    assert!(result.chars().count() < 2_000, "{} characters", result.chars().count());
    w.end().await;
}

#[tokio::test]
async fn hits_of_an_answer_are_whole_characters() {
    let mut w = World::new().await;
    w.at("09:00").await;
    w.answers_by_form("Bob", "Ünïcode 👩‍💻: the bäckend — “backend” keeps the ｓｔａｔｅ, state; a lock🔒; versions…")
        .await;
    w.at("17:00").await;
    let shown = w.chat.shown();
    let result = shown.iter().find(|shown| shown.key.starts_with("result:")).unwrap();
    let mut count = 0;
    for block in &result.message.blocks {
        if let Block::Quote { text, hits, .. } = block {
            for (from, to) in hits {
                assert!(text.get(*from..*to).is_some_and(|hit| !hit.is_empty()), "{from}..{to} of {text:?}");
                count += 1;
            }
        }
    }
    assert!(count > 0);
    w.end().await;
}

#[tokio::test]
async fn a_schedule_that_nothing_fits_any_more_says_so_every_day() {
    let iam = ScheduleSpec { topics: vec!["iam".into()], ..spec() };
    let mut w = World::with(Setup { schedules: vec![("daily", iam)], ..Setup::default() }).await;
    // The organiser's own bank has lost the topic meanwhile.
    w.app.replace_bank(bank(&[("eks", 2)]));
    w.at("09:00").await;
    assert_snapshot!(w.notices().join("\n"), @"The question of 2026-11-23 09:00 was not posted: no question of the bank fits the schedule.");
    assert_snapshot!(w.ann("/daily now").await, @"No question of the bank fits this schedule, so nothing was posted. Widen it: /daily set topics:all levels:all tracks:all");
    w.day(1).await;
    w.at("09:00").await;
    assert_eq!((w.cards().len(), w.notices().len()), (0, 2));
    w.end().await;
}

#[tokio::test]
async fn a_bank_with_the_same_question_twice_is_refused_with_both_places() {
    let mut texts = bank_texts(&[("iam", 2)]);
    texts[0].1 = texts[0].1.replace("iam-2", "iam-1");
    let problems = read_bank(&texts).unwrap_err();
    assert_snapshot!(problems.join("\n"), @"iam.toml:47: `iam-1` is there twice, here and at iam.toml:5; give one another id");
}

#[test]
fn every_problem_of_the_settings_is_told_at_once() {
    let folder = folder();
    let file = folder.path().join("drillbot.toml");
    std::fs::write(
        &file,
        "[web]\nlisten = \"nowhere\"\ncolour = \"blue\"\n\n[daily]\ncron = \"61 9 * * *\"\nzone = \"Europe/Londn\"\nanswers = \"aloud\"\n\n[garden]\nroses = 3\n",
    )
    .unwrap();
    let environment = BTreeMap::from([
        ("DRILLBOT_DAILY_REVEAL".to_owned(), "soon".to_owned()),
        ("DRILLBOT_DAYLY_CRON".to_owned(), "0 9 * * *".to_owned()),
    ]);
    let problems = config::load(Some(&file), &environment).unwrap_err();
    let all: Vec<String> =
        problems.iter().map(|problem| problem.to_string().replace(&folder.path().display().to_string(), "")).collect();
    assert_snapshot!(all.join("\n"), @r#"
    /drillbot.toml:3: [web] has no setting colour.
    /drillbot.toml:8: answers is "aloud"; it can be thread, private, both
    /drillbot.toml:10: there is no section [garden].
    environment DRILLBOT_DAYLY_CRON: there is no such setting. Did you mean DRILLBOT_DAILY_CRON?
    /drillbot.toml:2: "nowhere" is no address with a port: write 127.0.0.1:8080
    /drillbot.toml:6: cron: cannot read "61" as a minute: write 0 to 59, for example "0,30"
    /drillbot.toml:7: zone: there is no time zone "Europe/Londn": did you mean "Europe/London"?
    environment DRILLBOT_DAILY_REVEAL: reveal: cannot read "soon" as a delay: write a number and a unit, such as "90m", "8h" or "1d 2h". It can also be a time such as "17:00", or "next day 09:00"
    "#);
}
