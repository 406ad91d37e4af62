//! Questions that members suggest, from the form to the bank.

use std::sync::Arc;

use drillbot::adapters::memory::Fault;
use drillbot::domain::bank::{Bank, Source, as_toml};
use drillbot::domain::effect::Audience;
use drillbot::domain::queue::Shelf;
use drillbot::domain::suggestion::LICENCE;
use insta::{allow_duplicates, assert_snapshot};

use crate::rulings::{on, on_both};
use crate::support::{Database, Kind};
use crate::world::{World, bank, member, show_reply};

on_both!(
    a_suggestion_is_approved_and_asked,
    a_wrong_form_comes_back_with_what_was_typed,
    a_question_of_the_bank_is_pointed_out_and_the_member_may_insist,
    the_same_words_are_one_suggestion,
    a_member_has_five_waiting_at_most,
    organisers_edit_decline_and_take_out,
    the_first_decision_holds,
    two_decisions_at_once_are_one,
    organisers_hear_once_until_they_look,
    another_server_sees_nothing_of_it,
    every_instance_and_every_start_has_it,
    a_file_replaces_what_was_suggested,
    who_takes_no_messages_finds_it_all_the_same,
    who_is_erased_leaves_their_approved_questions_only,
    an_old_word_is_not_told_any_more,
);

const QUESTION: &str = "Why does a pod in a private subnet need a NAT gateway?";
const ANSWER: &str = "A pod in a private subnet has no public address, so its packets leave through a NAT gateway.";
const POINTS: &str = "- A private subnet has no route to the internet gateway\n- The NAT gateway translates addresses";

const FORM: [(&str, &str); 5] =
    [("question", QUESTION), ("answer", ANSWER), ("points", POINTS), ("topic", "IAM"), ("source", "")];

/// The form with other values.
fn with<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let other = |input: &str| changes.iter().find(|(name, _)| *name == input).map(|(_, value)| *value);
    FORM.iter().map(|(input, value)| (*input, other(input).unwrap_or(value))).collect()
}

async fn suggests(w: &mut World, name: &str, changes: &[(&str, &str)]) -> String {
    let said = w.says(name, "/suggest").await;
    if !said.starts_with("[form]") {
        w.press_action(name, "queue:suggest").await;
    }
    let sent = w.send_values(name, &with(changes)).await;
    w.settle().await;
    sent
}

/// The id that the bank gives an approved question.
fn only_id(w: &World) -> String {
    let bank = w.app.bank_of("memory");
    let own: Vec<_> =
        bank.questions().iter().filter(|question| question.id.as_str().starts_with("suggested-")).collect();
    assert_eq!(own.len(), 1, "{own:?}");
    own[0].id.to_string()
}

fn masked(w: &World, text: &str) -> String {
    text.replace(&only_id(w), "suggested-..")
}

fn has_own(w: &World) -> bool {
    w.app.bank_of("memory").questions().iter().any(|question| question.id.as_str().starts_with("suggested-"))
}

/// Without instants.
fn timeless(text: &str) -> String {
    text.replace("2026-11-23T08:00:00Z", "<now>")
}

async fn a_suggestion_is_approved_and_asked(mut w: World, _: Arc<Database>) -> World {
    let shown = w.bob("/suggest").await;
    allow_duplicates! { assert_snapshot!(shown, @r#"
    [form] Suggest a question
    The question: ""
    A model answer: ""
    Key points, one a line: ""
    Topic: ""
    Link to a source: ""
    [Send]
    "#) };
    let shown = w.send_values("Bob", &FORM).await;
    allow_duplicates! { assert_snapshot!(shown, @"Thank you. The organisers look at it, and I tell you what they decide; /suggest shows it too.") };
    w.settle().await;
    let shown = w.news();
    allow_duplicates! { assert_snapshot!(shown, @"
    --- to the organisers
    1 suggested question waits for an organiser: /review shows what there is.
    ") };
    assert!(!has_own(&w), "nobody is asked before an organiser has read it");
    let refused = w.bob("/review").await;
    assert!(refused.starts_with("/review is for this channel's organisers"), "{refused}");
    let shown = timeless(&w.ann("/review").await);
    allow_duplicates! { assert_snapshot!(shown, @"
    # A suggested question
    (From Bob, <now>)
    Question: Why does a pod in a private subnet need a NAT gateway?
    Model answer: A pod in a private subnet has no public address, so its packets leave through a NAT gateway.
    1. A private subnet has no route to the internet gateway
    2. The NAT gateway translates addresses
    Topic: IAM
    [Approve] [Edit] [Edit and approve] [Decline] [Look again]
    ") };
    let approve = w.button("Ann", "Approve").expect("a button");
    assert!(w.press_action("Bob", &approve).await.starts_with("Organisers decide on this."));
    assert!(!has_own(&w));
    let shown = w.press("Ann", "Approve").await;
    let shown = masked(&w, &shown);
    allow_duplicates! { assert_snapshot!(shown, @"
    Approved: it is suggested-.. of the bank now, and its author hears of it.
    ---
    Nothing waits for you. Members suggest questions with /suggest, and flag wrong ones with /flag.
    ") };
    w.settle().await;
    let told = w.news();
    let told = masked(&w, &told);
    allow_duplicates! { assert_snapshot!(told, @"
    --- to Bob
    Your question was approved. Thank you!
    > Why does a pod in a private subnet need a NAT gateway?
    It is in the bank of this group now, without your name: /drill question:suggested-.. asks it.
    ") };
    assert_eq!(w.chat.count("suggestion:"), 1);
    // It is a draft of the bank, under nobody's name.
    let id = only_id(&w);
    let bank = w.app.bank_of("memory");
    let question = bank.get(&id).expect("the question");
    assert_eq!(question.status.as_str(), "draft");
    assert_eq!(
        (question.source.as_deref(), question.licence.as_deref()),
        (Some("suggested by a member"), Some(LICENCE))
    );
    assert_eq!(question.tracks, bank.questions()[0].tracks, "it passes the filters that its topic passes");
    assert_eq!(question.key_points[0].text, "A private subnet has no route to the internet gateway");
    // Drills, topics and completion have it.
    assert!(w.bob("/topics").await.contains("2 questions in 1 topic"));
    assert!(w.app.complete(&format!("/flag {id}"), "memory").iter().any(|offer| offer.line.ends_with(&id)));
    let drill = w.bob(&format!("/drill question:{id}")).await;
    assert!(drill.contains(QUESTION), "{drill}");
    w.press("Bob", "Answer").await;
    let graded =
        w.send_form("Bob", "A private subnet has no route to the internet gateway; NAT translates addresses.").await;
    assert!(graded.contains("✓ A private subnet has no route"), "the fallback grades it: {graded}");
    // And the daily question comes to it.
    let mut asked = Vec::new();
    for day in 0..2 {
        w.day(day).await;
        w.at("09:00").await;
        asked.extend(w.rounds().await.first().map(|round| round.question.to_string()));
        w.at("17:00").await;
    }
    assert!(asked.contains(&id), "{asked:?}");
    w
}

async fn a_wrong_form_comes_back_with_what_was_typed(mut w: World, _: Arc<Database>) -> World {
    let long = "a".repeat(301);
    let sent = suggests(
        &mut w,
        "Bob",
        &[
            ("question", &long),
            ("answer", " .. "),
            ("points", "1\n2\n3\n4\n5\n6\n7"),
            ("topic", "iamm"),
            ("source", "http://x.y"),
        ],
    )
    .await;
    allow_duplicates! { assert_snapshot!(sent, @r#"
    Nothing was sent yet. What you typed is kept:
    • The question has 301 characters; 300 is the most.
    • The model answer is missing: what would you want to hear?
    • There are 7 key points; 6 is the most. Keep what matters.
    • The link is no https address; leave it empty if there is none.
    • There is no topic "iamm". Did you mean "iam"?
    [Mend it]
    "#) };
    assert_eq!(w.chat.count("waiting:"), 0);
    w.press("Bob", "Mend it").await;
    let form = w.form("Bob");
    let typed: Vec<&str> = form.inputs.iter().map(|input| input.value.as_str()).collect();
    assert_eq!(typed, [long.as_str(), "..", "1\n2\n3\n4\n5\n6\n7", "iamm", "http://x.y"], "nothing is lost");
    // Also after a restart, and until it is sent.
    w.restart().await;
    w.bob("/suggest").await;
    assert_eq!(w.form("Bob").inputs[0].value, long);
    let long_point = format!("fine\n{}", "b".repeat(201));
    let sent = w.send_values("Bob", &with(&[("points", &long_point)])).await;
    assert!(sent.contains("Key point 2 has 201 characters; 200 is the most."), "{sent}");
    w.press("Bob", "Mend it").await;
    let sent = w.send_values("Bob", &FORM).await;
    assert!(sent.starts_with("Thank you."), "{sent}");
    w.settle().await;
    w.press_action("Bob", "queue:suggest").await;
    assert_eq!(w.form("Bob").inputs[0].value, "", "what was sent is no draft any more");
    let refused = drillbot::app::App::refuse_form("queue:suggest", &[("question".to_owned(), long)].into());
    assert_eq!(
        refused
            .map(|(input, message)| (input, message.summary))
            .map(|(input, words)| format!("{input}: {words}"))
            .as_deref(),
        Some("question: The question has 301 characters; 300 is the most.")
    );
    w
}

async fn a_question_of_the_bank_is_pointed_out_and_the_member_may_insist(mut w: World, _: Arc<Database>) -> World {
    let close = [("question", "IAM question 1: who keeps the state, please?")];
    let sent = suggests(&mut w, "Bob", &close).await;
    allow_duplicates! { assert_snapshot!(sent, @"
    This looks like iam-1, which the bank has already:
    > iam question 1: who keeps the state?
    Nothing was sent yet. If yours is another question, send it; if that one is wrong, /flag it.
    [Send it anyway] [Change it]
    ") };
    assert_eq!(
        w.ann("/review").await.lines().next(),
        Some("Nothing waits for you. Members suggest questions with /suggest, and flag wrong ones with /flag.")
    );
    w.press("Bob", "Change it").await;
    assert_eq!(w.form("Bob").inputs[0].value, close[0].1);
    let sent = w.press_action("Bob", "queue:insist").await;
    assert!(sent.starts_with("Thank you."), "{sent}");
    w.settle().await;
    assert!(w.ann("/review").await.contains("This looks like iam-1"), "{}", w.ann("/review").await);
    assert!(w.press_action("Bob", "queue:insist").await.starts_with("There is nothing left to send"));
    w
}

async fn the_same_words_are_one_suggestion(mut w: World, _: Arc<Database>) -> World {
    suggests(&mut w, "Bob", &[]).await;
    let again = suggests(&mut w, "Bob", &[]).await;
    assert!(again.starts_with("Thank you."), "{again}");
    let shouted = "WHY does a pod in a private subnet need a NAT gateway";
    let changed = suggests(&mut w, "Bob", &[("question", shouted)]).await;
    assert!(changed.starts_with("Changed."), "{changed}");
    let other = suggests(&mut w, "Cleo", &[]).await;
    assert!(other.starts_with("Somebody has suggested this very question already"), "{other}");
    let review = w.ann("/review").await;
    assert!(review.contains(shouted) && !review.contains("1 of"), "{review}");
    w.press("Ann", "Decline").await;
    w.send_values("Ann", &[("reason", "We have this in the wiki.")]).await;
    w.settle().await;
    assert!(
        suggests(&mut w, "Bob", &[("question", shouted)])
            .await
            .starts_with("The organisers have declined exactly this")
    );
    assert!(suggests(&mut w, "Bob", &[]).await.starts_with("Thank you."), "with other words it may be sent again");
    w.ann("/review").await;
    w.press("Ann", "Approve").await;
    w.settle().await;
    let sent = suggests(&mut w, "Cleo", &[]).await;
    // The approved one is a question of the bank, so it is pointed out first.
    assert!(sent.starts_with("This looks like suggested-"), "{sent}");
    assert!(w.press_action("Cleo", "queue:insist").await.contains("is in the bank already"));
    w
}

async fn a_member_has_five_waiting_at_most(mut w: World, _: Arc<Database>) -> World {
    let words = ["subnets", "queues", "buckets", "functions", "certificates", "dashboards"];
    for (at, word) in words.iter().enumerate() {
        let question = format!("Which quota limits {word} most?");
        let sent = suggests(&mut w, "Bob", &[("question", &question)]).await;
        let sent = if sent.starts_with("This looks like") { w.press_action("Bob", "queue:insist").await } else { sent };
        assert_eq!(sent.starts_with("Thank you."), at < 5, "{at}: {sent}");
        assert_eq!(sent.starts_with("You have 5 suggestions waiting"), at == 5, "{at}: {sent}");
        w.clock.set(w.clock.now_ms() + 1_000);
    }
    let own = w.bob("/suggest").await;
    allow_duplicates! { assert_snapshot!(own, @"
    # Your suggestions
    1. Which quota limits certificates most? — waits for the organisers
    2. Which quota limits functions most? — waits for the organisers
    3. Which quota limits buckets most? — waits for the organisers
    4. Which quota limits queues most? — waits for the organisers
    5. Which quota limits subnets most? — waits for the organisers
    [Go on with your draft] [Withdraw 1] [Withdraw 2] [Withdraw 3] [Withdraw 4] [Withdraw 5]
    ") };
    let withdraw = w.button("Bob", "Withdraw 5").expect("a button");
    assert!(w.press_action("Cleo", &withdraw).await.starts_with("This has changed meanwhile."), "only one's own");
    assert!(w.press_action("Bob", &withdraw).await.starts_with("Withdrawn."));
    assert!(w.press_action("Bob", &withdraw).await.starts_with("This has changed meanwhile."));
    w.press_action("Bob", "queue:suggest").await;
    assert_eq!(w.form("Bob").inputs[0].value, "Which quota limits dashboards most?", "what was refused is kept");
    let sent = w.press_action("Bob", "queue:insist").await;
    assert!(sent.starts_with("Thank you."), "{sent}");
    w.settle().await;
    w
}

async fn organisers_edit_decline_and_take_out(mut w: World, _: Arc<Database>) -> World {
    suggests(&mut w, "Bob", &[]).await;
    w.clock.set(w.clock.now_ms() + 1_000);
    suggests(&mut w, "Cleo", &[("question", "How does a readiness probe differ from a liveness probe?")]).await;
    w.ann("/review").await;
    w.press("Ann", "Edit").await;
    assert_eq!(w.form("Ann").inputs[0].value, QUESTION);
    let refused = w.send_values("Ann", &with(&[("topic", "nowhere"), ("question", "Why NAT, after all?")])).await;
    assert!(refused.contains("There is no topic \"nowhere\""), "{refused}");
    w.press("Ann", "Mend it").await;
    assert_eq!(w.form("Ann").inputs[0].value, "Why NAT, after all?", "nothing is lost");
    let saved = w.send_values("Ann", &with(&[("question", "Why NAT, after all?")])).await;
    assert!(
        saved.starts_with("Saved. It waits as it is now.")
            && saved.contains("> ") | saved.contains("Question: Why NAT"),
        "{saved}"
    );
    assert!(!has_own(&w), "saved is not approved");
    w.press("Ann", "Edit and approve").await;
    let done = w.send_values("Ann", &with(&[("question", "Why a NAT gateway?")])).await;
    assert!(done.starts_with("Approved:") && done.contains("readiness probe"), "the next one follows: {done}");
    w.settle().await;
    assert!(w.told("Bob").expect("Bob is told").contains("Why a NAT gateway?"));
    let id = only_id(&w);
    assert_eq!(
        w.app.bank_of("memory").get(&id).map(|question| question.prompt.clone()).as_deref(),
        Some("Why a NAT gateway?")
    );
    w.press("Ann", "Decline").await;
    let refused = w.send_values("Ann", &[("reason", " . ")]).await;
    assert!(refused.starts_with("Say in a few words why not"), "{refused}");
    w.ann("/review").await;
    w.press("Ann", "Decline").await;
    let done = w.send_values("Ann", &[("reason", "The bank has probes already.")]).await;
    assert!(done.starts_with("Declined;"), "{done}");
    w.settle().await;
    let told = w.told("Cleo").expect("Cleo is told");
    allow_duplicates! { assert_snapshot!(told, @"
    Your question was not taken into the bank.
    > How does a readiness probe differ from a liveness probe?
    (The organisers say:)
    > The bank has probes already.
    ") };
    let own = w.says("Cleo", "/suggest").await;
    assert!(own.contains("declined, because:") && own.contains("The bank has probes already."), "{own}");
    // Taken out again: nobody is asked it any more.
    let decided = w.ann("/review decided").await;
    assert!(decided.contains("1 of 2"), "{decided}");
    let mut seen = decided;
    if w.button("Ann", "Withdraw").is_none() {
        seen = w.press("Ann", "Next").await;
    }
    assert!(seen.contains("Approved by Ann"), "{seen}");
    let out = w.press("Ann", "Withdraw").await;
    assert!(out.starts_with("Withdrawn: nobody is asked this any more."), "{out}");
    assert!(!has_own(&w));
    w.settle().await;
    assert!(w.told("Bob").expect("Bob is told").starts_with("Your question was taken out of the bank again."));
    assert!(w.bob(&format!("/drill question:{id}")).await.contains("There is no question"));
    assert_eq!(w.chat.count("suggestion:"), 3);
    w
}

async fn the_first_decision_holds(mut w: World, _: Arc<Database>) -> World {
    suggests(&mut w, "Bob", &[]).await;
    w.ann("/review").await;
    let (approve, decline, edit) = (w.button("Ann", "Approve"), w.button("Ann", "Decline"), w.button("Ann", "Edit"));
    let (approve, decline, edit) = (approve.expect("one"), decline.expect("one"), edit.expect("one"));
    let mut dora = w.actor("Dora");
    dora.organiser = true;
    w.press_action("Ann", &approve).await;
    w.settle().await;
    let values = [("reason".to_owned(), "No.".to_owned())].into();
    let late = show_reply(&w.app.submit(&dora, &decline, &values).await.expect("a reply"));
    assert_eq!(late, "Ann has decided on this meanwhile, so nothing was changed.");
    let late = show_reply(&w.app.press(&dora, &edit).await.expect("a reply"));
    assert_eq!(late, "Ann has decided on this meanwhile, so nothing was changed.");
    assert!(has_own(&w));
    assert_eq!(w.chat.count("suggestion:"), 1, "the author is told once");
    w
}

async fn two_decisions_at_once_are_one(mut w: World, _: Arc<Database>) -> World {
    suggests(&mut w, "Bob", &[]).await;
    w.ann("/review").await;
    let approve = w.button("Ann", "Approve").expect("a button");
    let press = |name: &str, w: &mut World| {
        let (app, action) = (w.app.clone(), approve.clone());
        let actor = drillbot::app::Actor { organiser: true, ..w.actor(name) };
        tokio::spawn(async move { app.press(&actor, &action).await })
    };
    let pressed = [press("Ann", &mut w), press("Dora", &mut w), press("Eve", &mut w)];
    let mut approved = 0;
    for one in pressed {
        let shown = show_reply(&one.await.expect("a press").expect("a reply"));
        let late = shown.ends_with("has decided on this meanwhile, so nothing was changed.");
        assert!(late || shown.starts_with("Approved:"), "{shown}");
        approved += usize::from(!late);
    }
    assert_eq!(approved, 1);
    w.settle().await;
    assert_eq!(w.chat.count("suggestion:"), 1);
    w
}

async fn organisers_hear_once_until_they_look(mut w: World, _: Arc<Database>) -> World {
    let more =
        |n: usize| format!("Which of {n} alarms wakes {} engineers at night?", ["tired", "calm", "new", "old"][n]);
    suggests(&mut w, "Bob", &[]).await;
    suggests(&mut w, "Cleo", &[("question", &more(0))]).await;
    w.says("Bob", "/flag iam-1").await;
    w.send_values("Bob", &[("fault", "typo"), ("words", "It says teh.")]).await;
    w.settle().await;
    assert_eq!(w.notices(), ["1 suggested question waits for an organiser: /review shows what there is."]);
    w.ann("/review").await;
    w.settle().await;
    assert_eq!(w.notices().len(), 1);
    suggests(&mut w, "Cleo", &[("question", &more(1))]).await;
    let second = "3 suggested questions and 1 flagged question wait for an organiser: /review shows what there is.";
    assert_eq!(w.notices().last().map(String::as_str), Some(second));
    suggests(&mut w, "Cleo", &[("question", &more(2))]).await;
    assert_eq!(w.notices().len(), 2);
    // Withdrawn before anybody could be told: the next one is told of.
    w.ann("/review").await;
    for name in ["Bob", "Cleo"] {
        w.says(name, "/suggest").await;
        while let Some(withdraw) = w.button(name, "Withdraw") {
            w.press_action(name, &withdraw).await;
            w.says(name, "/suggest").await;
        }
    }
    w.ann("/review").await;
    w.press("Ann", "Dismiss").await;
    w.send_values("Ann", &[("reason", "")]).await;
    w.settle().await;
    w.bob("/suggest").await;
    w.press_action("Bob", "queue:suggest").await;
    w.send_values("Bob", &with(&[("question", &more(3))])).await;
    w.bob("/suggest").await;
    w.press("Bob", "Withdraw").await;
    w.settle().await;
    assert_eq!(w.notices().len(), 2, "nothing waits: nothing is told");
    suggests(&mut w, "Cleo", &[]).await;
    assert_eq!(w.notices().len(), 3);
    w
}

async fn another_server_sees_nothing_of_it(mut w: World, _: Arc<Database>) -> World {
    w.elsewhere("Ann", "memory:north", "memory:n", "/daily set 10:00").await;
    w.elsewhere("Ann", "memory:south", "memory:s", "/daily set 10:00").await;
    w.elsewhere("Bob", "memory:north", "memory:n", "/suggest").await;
    let (north, south) = ("memory:n", "memory:s");
    let bob = drillbot::app::Actor {
        channel: drillbot::domain::ids::ChannelId::new("memory:north"),
        space: north.into(),
        ..w.actor("Bob")
    };
    let values = FORM.iter().map(|(input, value)| ((*input).to_owned(), (*value).to_owned())).collect();
    let sent = show_reply(&w.app.submit(&bob, "queue:suggest", &values).await.expect("a reply"));
    assert!(sent.starts_with("Thank you."), "{sent}");
    let theirs = w.elsewhere("Ann", "memory:south", south, "/review").await;
    assert!(theirs.starts_with("Nothing waits for you."), "{theirs}");
    let ours = w.elsewhere("Ann", "memory:north", north, "/review").await;
    assert!(ours.contains(QUESTION), "{ours}");
    let approve = w.button("Ann", "Approve").expect("a button");
    let ann = |w: &mut World, channel: &str, space: &str| drillbot::app::Actor {
        channel: drillbot::domain::ids::ChannelId::new(channel),
        space: space.to_owned(),
        ..w.actor("Ann")
    };
    let there = ann(&mut w, "memory:south", south);
    let refused = show_reply(&w.app.press(&there, &approve).await.expect("a reply"));
    assert!(refused.starts_with("This has changed meanwhile"), "an organiser of another server: {refused}");
    let here = ann(&mut w, "memory:north", north);
    assert!(show_reply(&w.app.press(&here, &approve).await.expect("a reply")).starts_with("Approved:"));
    let id = {
        let bank = w.app.bank_of(north);
        bank.questions()
            .iter()
            .map(|one| one.id.to_string())
            .find(|id| id.starts_with("suggested-"))
            .expect("it is there")
    };
    assert!(w.app.bank_of(south).get(&id).is_none() && w.app.bank().get(&id).is_none());
    assert!(w.app.complete("/flag suggested", south).is_empty());
    assert_eq!(w.app.complete("/flag suggested", north).len(), 1);
    for (channel, space, known) in [("memory:north", north, true), ("memory:south", south, false)] {
        let drill = w.elsewhere("Bob", channel, space, &format!("/drill question:{id}")).await;
        assert_eq!(drill.contains(QUESTION), known, "{drill}");
        let topics = w.elsewhere("Bob", channel, space, "/topics").await;
        assert_eq!(topics.contains("2 questions in 1 topic"), known, "{topics}");
        let show = w.elsewhere("Ann", channel, space, "/daily show").await;
        assert_eq!(show.contains("2 of 2"), known, "{show}");
        let flag = w.elsewhere("Bob", channel, space, &format!("/flag {id}")).await;
        assert_eq!(flag.starts_with("[form]"), known, "{flag}");
        let theirs = w.elsewhere("Ann", channel, space, "/review decided").await;
        assert_eq!(theirs.contains(QUESTION), known, "{theirs}");
    }
    // Two days of both channels: one is asked both questions, the other the same one twice.
    for day in 0..2 {
        w.day(day).await;
        w.at("10:00").await;
        w.at("20:00").await;
    }
    let asked = |channel: &str| {
        let shown = w.chat.shown().into_iter().filter(|one| one.key.starts_with("question:"));
        shown.filter(|one| one.channel == channel && one.message.as_text().contains(QUESTION)).count()
    };
    assert_eq!((asked("memory:north"), asked("memory:south")), (1, 0));
    let lost = w.elsewhere("Zoe", "memory:dm-zoe", "", "/suggest").await;
    assert!(lost.starts_with("/suggest is about the questions of a group"), "{lost}");
    w
}

async fn every_instance_and_every_start_has_it(mut w: World, _: Arc<Database>) -> World {
    let other = drillbot::app::App::new(
        w.app.store.clone(),
        w.clock.clone(),
        bank(&[("iam", 1)]),
        std::time::Duration::from_secs(30),
    );
    other.tick().await.expect("a tick");
    suggests(&mut w, "Bob", &[]).await;
    w.ann("/review").await;
    w.press("Ann", "Approve").await;
    let id = only_id(&w);
    assert!(other.bank_of("memory").get(&id).is_none());
    other.tick().await.expect("a tick");
    assert!(other.bank_of("memory").get(&id).is_some(), "another instance has it after its next tick");
    w.restart().await;
    assert!(has_own(&w), "after a restart");
    // A changed file of the bank keeps it.
    w.app.replace_bank(bank(&[("iam", 2)]));
    assert_eq!(w.app.bank_of("memory").questions().len(), 3);
    assert_eq!(w.app.bank().questions().len(), 2);
    w.settle().await;
    w
}

async fn a_file_replaces_what_was_suggested(mut w: World, database: Arc<Database>) -> World {
    suggests(&mut w, "Bob", &[]).await;
    w.ann("/review").await;
    w.press("Ann", "Approve").await;
    w.settle().await;
    let id = only_id(&w);
    // What the command line prints can be read as a bank.
    let approved = drillbot::store::suggested(&database.url).await.expect("what was approved");
    let questions: Vec<_> = approved.iter().map(|one| one.question(&w.app.bank())).collect();
    let printed = as_toml(&questions).expect("TOML");
    let (read, problems) = Bank::read(&[&[Source { path: "suggested.toml", text: &printed }]]).expect("a bank");
    assert_eq!(problems, [], "{printed}");
    assert_eq!(read.questions()[0].as_ref(), &questions[0]);
    let mended = printed.replace(ANSWER, "Its own words, worked over.");
    let (mended, _) = Bank::read(&[&[Source { path: "mended.toml", text: &mended }]]).expect("a bank");
    w.app.replace_bank(mended);
    let bank = w.app.bank_of("memory");
    assert_eq!(bank.questions().len(), 1);
    assert_eq!(bank.get(&id).map(|one| one.model_answer.clone()).as_deref(), Some("Its own words, worked over."));
    let decided = w.ann("/review decided").await;
    assert!(decided.contains("A file of the bank has this id"), "{decided}");
    w
}

async fn who_takes_no_messages_finds_it_all_the_same(mut w: World, _: Arc<Database>) -> World {
    suggests(&mut w, "Bob", &[]).await;
    w.ann("/review").await;
    w.chat.fail_next([Fault::Forbidden]);
    w.press("Ann", "Approve").await;
    w.settle().await;
    w.settle().await;
    w.unsent.push("suggestion:");
    assert_eq!(w.in_outbox("failed").await.len(), 1, "given up, not tried for ever");
    assert_eq!(w.chat.count("suggestion:"), 0);
    assert_eq!(w.notices().len(), 1, "nobody else is bothered with it");
    let own = w.bob("/suggest").await;
    assert!(own.contains("approved: it is suggested-"), "{own}");
    w
}

async fn who_is_erased_leaves_their_approved_questions_only(mut w: World, _: Arc<Database>) -> World {
    suggests(&mut w, "Bob", &[]).await;
    w.ann("/review").await;
    w.press("Ann", "Approve").await;
    w.settle().await;
    suggests(&mut w, "Bob", &[("question", "Which words of Bob wait?")]).await;
    w.press_action("Bob", "queue:suggest").await;
    w.send_values("Bob", &with(&[("question", "Which words of Bob are a draft?"), ("topic", "x")])).await;
    w.says("Bob", "/flag iam-1").await;
    w.send_values("Bob", &[("fault", "wrong"), ("words", "Bob says so.")]).await;
    let asked = w.bob("/me delete").await;
    assert!(asked.contains("so do questions of yours that were approved, without your name"), "{asked}");
    w.press("Bob", "Erase my data").await;
    w.settle().await;
    assert!(has_own(&w), "what was given to the group stays");
    let decided = w.ann("/review decided").await;
    assert!(decided.contains("From somebody who left") && !decided.contains("Bob"), "{decided}");
    assert!(w.ann("/review").await.starts_with("Nothing waits for you."));
    assert_eq!(
        database_words(&w, &["Which words of Bob", "Bob says so", member("Bob").as_str()]).await,
        Vec::<String>::new()
    );
    // What an organiser said goes with them, what they decided stays.
    suggests(&mut w, "Cleo", &[("question", "Which alarm wakes an engineer?")]).await;
    w.ann("/review").await;
    w.press("Ann", "Decline").await;
    w.send_values("Ann", &[("reason", "Ann thinks it is vague.")]).await;
    w.settle().await;
    w.ann("/me delete").await;
    w.press("Ann", "Erase my data").await;
    w.settle().await;
    let own = w.says("Cleo", "/suggest").await;
    assert!(own.contains("— declined") && !own.contains("vague"), "{own}");
    assert_eq!(database_words(&w, &["Ann thinks", member("Ann").as_str()]).await, Vec::<String>::new());
    w
}

/// Which of these stand in the tables of suggestions, flags and drafts.
async fn database_words(w: &World, wanted: &[&str]) -> Vec<String> {
    let text = w
        .app
        .store
        .read("read everything", |conn| {
            Box::pin(async move {
                use drillbot::store::{drafts, flags, suggestions};
                let mut all = format!("{:?}", suggestions::approved(conn).await?);
                for realm in ["memory"] {
                    all += &format!(
                        "{:?}{:?}",
                        suggestions::open(conn, realm, 99).await?,
                        suggestions::decided(conn, realm, 99).await?
                    );
                    all += &format!(
                        "{:?}{:?}",
                        flags::open(conn, realm, 99).await?,
                        flags::decided(conn, realm, 99).await?
                    );
                }
                let typed =
                    drafts::get::<drillbot::domain::suggestion::Typed>(conn, &member("Bob"), "suggestion memory")
                        .await?;
                all += &format!("{typed:?}");
                Ok(all)
            })
        })
        .await
        .expect("the store can be read");
    wanted.iter().filter(|word| text.contains(**word)).map(|word| (*word).to_owned()).collect()
}

async fn an_old_word_is_not_told_any_more(mut w: World, _: Arc<Database>) -> World {
    suggests(&mut w, "Bob", &[]).await;
    w.ann("/review").await;
    w.press("Ann", "Approve").await;
    w.clock.set(w.clock.now_ms() + 8 * 86_400_000);
    w.drain().await;
    assert_eq!(w.chat.count("suggestion:"), 0);
    assert!(w.in_outbox("pending").await.iter().all(|(id, _)| !id.starts_with("suggestion:")));
    let to_bob = Audience::Member(member("Bob"));
    assert!(w.chat.shown().iter().all(|one| one.audience != to_bob || !one.key.starts_with("suggestion:")));
    let ann = w.actor("Ann");
    assert_eq!(w.app.whole_queue(&ann, Shelf::Decided).await.expect("the queue").len(), 1);
    w
}
