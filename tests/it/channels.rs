//! Channels that get lost and come back, commands that come from elsewhere, and threads that may not be read.

use drillbot::adapters::memory::Fault;
use drillbot::domain::answer::Receipt;
use drillbot::domain::ids::ThreadId;
use drillbot::domain::round::State;
use drillbot::domain::schedule::{AnswerMode, ScheduleSpec};
use drillbot::store::channels;
use insta::assert_snapshot;

use crate::world::{FULL, PART, Setup, World, bank, channel, member, spec};

async fn condition(w: &World) -> channels::Condition {
    let read = w.app.store.read("test", |conn| Box::pin(async move { channels::condition(conn, &channel()).await }));
    read.await.expect("a read").expect("the channel is known")
}

// ---- out of reach

#[tokio::test]
async fn a_lost_channel_is_told_of_once_and_its_questions_are_not_even_tried() {
    let mut w = World::new().await;
    w.unsent.push("question:");
    w.chat.fail_next([Fault::Gone]);
    w.at("09:00").await;
    assert_snapshot!(w.notices().join("\n"), @"Since 2026-11-23 09:00 I cannot post in this channel: I may not write here; give me the permission to. So the question of 2026-11-23 09:00 did not get through. I try again by myself as soon as it is mended; until then I say nothing more about it, and /daily show has the state.");
    assert_eq!((w.rounds().await[0].state, w.asked().await), (State::Missed, 0));
    let calls = w.chat.calls();
    for day in 1..4 {
        w.day(day).await;
        w.at("09:00").await;
    }
    assert_eq!((w.chat.calls(), w.notices().len(), w.rounds().await.len()), (calls, 1, 4));
    let shown = w.ann("/daily").await;
    assert_snapshot!(shown.lines().next().unwrap_or_default(), @"Trouble since 2026-11-23T09:00:00Z: I may not write here; give me the permission to. Nothing is posted until that is mended; /daily now tries at once.");
    assert!(shown.contains("2026-11-26 09:00 missed: I may not write here; give me the permission to"), "{shown}");
    // Somebody has changed something, but not enough.
    w.app.channel_may_be_back(&channel()).await.expect("a note");
    assert!(w.ann("/daily").await.contains("The next question tries again."));
    w.chat.fail_next([Fault::Gone]);
    w.day(4).await;
    w.at("09:00").await;
    assert_eq!((w.chat.calls(), w.notices().len()), (calls + 1, 1), "the same trouble is no news");
    // And now it is mended.
    w.app.channel_may_be_back(&channel()).await.expect("a note");
    w.day(7).await;
    w.at("09:00").await;
    assert_eq!(w.cards().len(), 1);
    assert_eq!(condition(&w).await.trouble, "");
    assert!(!w.ann("/daily").await.contains("Trouble"));
    w.at("17:00").await;
    // Another time is another word.
    w.chat.fail_next([Fault::Gone]);
    w.day(8).await;
    w.at("09:00").await;
    assert_eq!(w.notices().len(), 2);
    w.end().await;
}

#[tokio::test]
async fn an_organiser_who_steers_a_lost_channel_has_it_tried_again() {
    for line in ["/daily now", "/daily resume", "/daily set 10:00"] {
        let mut w = World::new().await;
        w.app.channel_gone(&channel(), "the bot was removed").await.expect("a note");
        w.settle().await;
        assert_eq!(w.notices().len(), 1);
        assert!(condition(&w).await.lost);
        w.ann("/daily skip").await;
        assert!(condition(&w).await.lost, "that tries nothing");
        w.ann(line).await;
        assert!(!condition(&w).await.lost, "{line}");
        w.ann("/daily now").await;
        w.settle().await;
        assert_eq!(w.cards().len(), 1, "{line}");
        w.at("17:00").await;
        w.end().await;
    }
}

#[tokio::test]
async fn a_question_that_waits_while_its_channel_gets_lost_is_not_tried_either() {
    let mut w = World::new().await;
    w.unsent.push("question:");
    w.chat.fail_next([Fault::Busy]);
    w.at("09:00").await;
    w.app.channel_gone(&channel(), "the bot was removed").await.expect("a note");
    w.at("09:05").await;
    assert_eq!((w.cards().len(), w.notices().len()), (0, 1));
    assert_eq!(
        (w.rounds().await[0].state, w.rounds().await[0].reason.as_str()),
        (State::Missed, "the bot was removed")
    );
    assert_eq!(w.asked().await, 0);
    w.end().await;
}

#[tokio::test]
async fn a_reveal_that_meets_a_lost_channel_keeps_the_scores() {
    let mut w = World::new().await;
    w.unsent.push("reveal:");
    w.at("09:00").await;
    w.write_in_thread("Bob", FULL).await;
    w.at("16:59").await;
    w.chat.fail_next([Fault::Gone]);
    w.at("17:00").await;
    assert_eq!(w.scores().await, [("bob".to_owned(), 100, 2000)]);
    assert_eq!(w.notices().len(), 1, "{:?}", w.notices());
    assert!(w.notices()[0].contains("So the reveal of 2026-11-23 09:00 did not get through."));
    // No part without the one before it; all of them, and the closed card, as soon as the channel is back.
    assert_eq!((w.chat.count("reveal:"), w.card().contains("State: Closed")), (0, false));
    w.app.channel_may_be_back(&channel()).await.expect("a note");
    w.at("17:10").await;
    let told: Vec<String> =
        w.chat.shown().iter().filter(|one| one.key.starts_with("reveal:")).map(|one| one.message.as_text()).collect();
    assert!(told.len() >= 2 && told[0].contains("Model answer"), "{told:#?}");
    assert!(w.card().contains("State: Closed; the answer is in the thread"), "{}", w.card());
    assert_eq!(w.notices().len(), 1);
    w.unsent.clear();
    w.end().await;
}

#[tokio::test]
async fn a_reveal_that_went_elsewhere_is_told_of_once_until_one_is_in_its_place() {
    let mut w = World::with(Setup { bank: bank(&[("iam", 20)]), ..Setup::default() }).await;
    let mut told = Vec::new();
    for (day, elsewhere) in [(0, true), (1, true), (2, false), (3, true)] {
        w.day(day).await;
        w.at("09:00").await;
        w.at("16:59").await;
        w.chat.close_threads(elsewhere);
        w.at("17:00").await;
        told.push((
            w.notices().len(),
            w.ann("/daily").await.contains("it went elsewhere. Questions come all the same."),
        ));
    }
    assert_eq!(told, [(1, true), (1, true), (1, false), (2, true)]);
    assert_snapshot!(w.notices()[0], @"The reveal of 2026-11-23 09:00 is posted, but not as it should be: it went elsewhere.");
    w.end().await;
}

#[tokio::test]
async fn what_fails_beside_every_question_is_told_of_once() {
    let mut w = World::with(Setup { bank: bank(&[("iam", 20)]), ..Setup::default() }).await;
    for (day, fails, notices) in [(0, true, 1), (1, true, 1), (2, false, 1), (3, true, 2)] {
        w.day(day).await;
        if fails {
            w.chat.fail_next([Fault::NoThread]);
        }
        w.at("09:00").await;
        assert_eq!(w.notices().len(), notices, "day {day}");
        let shown = w.ann("/daily").await;
        assert_eq!(shown.contains("Trouble since"), fails, "{shown}");
        w.at("17:00").await;
    }
    w.end().await;
}

#[tokio::test]
async fn a_thread_that_cannot_be_read_before_the_reveal_is_told_of() {
    let mut w = World::new().await;
    w.at("09:00").await;
    w.write_in_thread("Bob", FULL).await;
    w.at("16:59").await;
    w.chat.fail_next_reads([Fault::Forbidden]);
    w.at("17:00").await;
    assert_snapshot!(w.notices().join("\n"), @"I could not read the thread of 2026-11-23 09:00 once more before the reveal, so what I had heard until then counts: no permission to read.");
    assert_eq!(w.scores().await, [("bob".to_owned(), 100, 2000)]);
    w.end().await;
}

#[tokio::test]
async fn a_channel_that_turns_out_to_be_deleted_stops_for_good() {
    for at_the_reveal in [false, true] {
        let mut w = World::new().await;
        w.unsent.extend(["question:", "reveal:", "card:"]);
        if at_the_reveal {
            w.at("09:00").await;
            w.at("16:59").await;
        }
        w.chat.fail_next([Fault::Deleted]);
        w.at(if at_the_reveal { "17:00" } else { "09:00" }).await;
        assert_eq!(w.notices().len(), 1, "{:?}", w.notices());
        assert!(w.notices()[0].contains("so its questions have stopped"), "{:?}", w.notices());
        assert_eq!(w.schedule("daily").await.next_at, None);
        assert_eq!(w.rounds().await[0].state, if at_the_reveal { State::Revealed } else { State::Missed });
        w.end().await;
    }
}

#[tokio::test]
async fn an_erasure_is_shown_as_soon_as_the_channel_is_back() {
    let private = ScheduleSpec { answers: AnswerMode::Private, ..spec() };
    let mut w = World::with(Setup { schedules: vec![("daily", private)], ..Setup::default() }).await;
    w.at("09:00").await;
    w.answers_by_form("Bob", FULL).await;
    w.at("17:00").await;
    w.chat.fail_next([Fault::Gone]);
    w.bob("/me delete").await;
    w.press("Bob", "Erase my data").await;
    w.at("17:05").await;
    let named = |w: &World| w.chat.shown().iter().any(|shown| shown.message.as_text().contains("Bob (100"));
    assert!(named(&w));
    w.app.channel_may_be_back(&channel()).await.expect("a note");
    w.at("17:06").await;
    assert!(!named(&w));
    w.end().await;
}

#[tokio::test]
async fn every_channel_of_a_server_is_lost_and_back_together() {
    let mut w = World::new().await;
    let set = "/daily set 09:00 days=mon-sun zone=Europe/London reveal=17:00";
    w.elsewhere("Ann", "memory:two", "memory:s1", set).await;
    w.elsewhere("Ann", "memory:three", "memory:s1", set).await;
    w.elsewhere("Ann", "memory:other", "memory:s2", set).await;
    w.app.space_gone("memory:s1", "the bot was removed").await.expect("a note");
    w.app.space_gone("memory:s1", "the bot was removed").await.expect("a note");
    w.at("09:00").await;
    let at = |w: &World| {
        let mut all: Vec<String> = w.cards().into_iter().map(|card| card.channel).collect();
        all.sort();
        all
    };
    assert_eq!(at(&w), ["memory:daily-drill", "memory:other"]);
    assert_eq!(w.notices().len(), 2);
    w.app.space_may_be_back("memory:s1").await.expect("a note");
    w.at("17:00").await;
    w.day(1).await;
    w.at("09:00").await;
    assert_eq!(at(&w).len(), 6);
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn a_deleted_channel_stops_for_good_and_is_told_of_once() {
    let mut w = World::new().await;
    w.at("09:00").await;
    for _ in 0..2 {
        w.app.channel_deleted(&channel()).await.expect("a note");
    }
    w.app.channel_gone(&channel(), "Unknown Channel").await.expect("a note");
    w.at("17:00").await;
    assert_snapshot!(w.notices().join("\n"), @"The channel #daily-drill was deleted (2026-11-23 09:00), so its questions have stopped. What was open there is closed without a reveal. /daily set in another channel starts them there.");
    let round = w.rounds().await.remove(0);
    assert_eq!((round.state, round.reason.as_str()), (State::Missed, "the channel was deleted"));
    assert_eq!(w.schedule("daily").await.next_at, None);
    w.restart().await;
    w.day(1).await;
    w.at("09:00").await;
    assert_eq!(w.rounds().await.len(), 1);
    w.end().await;
}

// ---- where a command belongs

#[tokio::test]
async fn daily_set_in_a_new_channel_makes_it_known_with_its_name_and_steward() {
    let mut w = World::new().await;
    let set = "/daily set 09:00 zone=Europe/London reveal=17:00";
    assert!(w.elsewhere("Ann", "memory:two", "memory:s1", set).await.starts_with("Changed."));
    let two = drillbot::domain::ids::ChannelId::new("memory:two");
    assert_eq!(w.app.steward(&two).await.expect("a read"), Some(member("Ann")));
    assert_eq!(w.app.steward(&channel()).await.expect("a read"), None);
    let at = two.clone();
    let read = || {
        let (store, at) = (w.app.store.clone(), at.clone());
        async move {
            store
                .read("test", |conn| {
                    Box::pin(
                        async move { Ok((channels::get(conn, &at).await?, channels::condition(conn, &at).await?)) },
                    )
                })
                .await
                .expect("a read")
        }
    };
    let (known, state) = read().await;
    let (known, state) = (known.expect("known"), state.expect("known"));
    assert_eq!((known.name.as_str(), known.zone.as_str(), state.space.as_str()), ("two", "Europe/London", "memory:s1"));
    w.app.channel_renamed(&two, "deux").await.expect("a note");
    assert_eq!(read().await.0.expect("known").name, "deux");
    w.ann("/me delete").await;
    w.press("Ann", "Erase my data").await;
    assert_eq!(w.app.steward(&two).await.expect("a read"), None, "who is erased steers nothing");
    w.at("09:00").await;
    assert_eq!(w.cards().len(), 2);
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn every_command_that_steers_notes_who_did() {
    let mut w = World::new().await;
    w.at("09:00").await;
    for (name, line, steward) in [
        ("Ann", "/daily pause", Some(member("Ann"))),
        ("Bob", "/daily pause", Some(member("Ann"))),
        ("Ann", "/daily show", Some(member("Ann"))),
    ] {
        w.says(name, line).await;
        assert_eq!(w.app.steward(&channel()).await.expect("a read"), steward, "{name} {line}");
    }
    for line in ["/daily resume", "/daily skip", "/daily now", "/daily reveal", "/daily set 09:00"] {
        let mut w = World::new().await;
        w.ann(line).await;
        assert_eq!(w.app.steward(&channel()).await.expect("a read"), Some(member("Ann")), "{line}");
        w.settle().await;
        w.at("09:00").await;
        w.at("17:00").await;
        w.end().await;
    }
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn a_command_from_elsewhere_is_about_the_channel_that_is_meant() {
    let mut w = World::new().await;
    let set = "/daily set 09:00 zone=Europe/London reveal=17:00";
    w.elsewhere("Ann", "memory:one", "memory:s1", set).await;
    w.at("09:00").await;
    let card = w.cards().into_iter().find(|card| card.channel == "memory:one").expect("its card");
    let written = drillbot::app::Written {
        channel: drillbot::domain::ids::ChannelId::new("memory:one"),
        thread: ThreadId::new(card.id.as_str()),
        message: w
            .chat
            .write(&ThreadId::new(card.id.as_str()), &member("Bob"), "Bob", FULL, w.clock.now_ms())
            .to_string(),
        member: member("Bob"),
        name: Some("Bob".into()),
        text: FULL.into(),
        at: w.clock.now_ms(),
    };
    assert_eq!(w.app.thread_message(written).await.expect("a note"), Receipt::Noted);
    w.at("17:00").await;
    let on_board = |board: &str| board.contains("Bob (you)");
    // The only known channel of the server; a private conversation; a server that has none.
    assert!(on_board(&w.elsewhere("Bob", "memory:chat", "memory:s1", "/leaderboard").await));
    assert!(on_board(&w.elsewhere("Bob", "memory:dm", "", "/leaderboard").await));
    assert!(!on_board(&w.elsewhere("Bob", "memory:far", "memory:s9", "/leaderboard").await));
    assert!(w.elsewhere("Cleo", "memory:chat", "memory:s1", "/leaderboard").await.contains("1 | Bob |"));
    assert!(!w.elsewhere("Cleo", "memory:dm", "", "/leaderboard").await.contains("Bob"), "she has no home yet");
    // With two of them it is the one in which somebody scored last.
    w.elsewhere("Ann", "memory:two", "memory:s1", set).await;
    assert!(on_board(&w.elsewhere("Bob", "memory:chat", "memory:s1", "/leaderboard").await));
    assert!(!w.elsewhere("Cleo", "memory:chat", "memory:s1", "/leaderboard").await.contains("Bob"));
    assert!(!on_board(&w.elsewhere("Bob", "memory:two", "memory:s1", "/leaderboard").await), "where they are");
    // A drill counts at home, and makes that the latest.
    let drill = "/drill iam 1";
    w.elsewhere("Bob", "memory:two", "memory:s1", drill).await;
    w.press("Bob", "Answer").await;
    w.set_clock("17:01");
    w.send_form("Bob", PART).await;
    let board = w.elsewhere("Bob", "memory:dm", "", "/leaderboard drill").await;
    assert!(on_board(&board), "{board}");
    assert!(!on_board(&w.elsewhere("Bob", "memory:dm", "", "/leaderboard").await));
    assert!(
        w.elsewhere("Bob", "memory:dm", "", "/daily").await.starts_with("/daily is for"),
        "/daily is about this place"
    );
    w.end().await;
}

// ---- threads

#[tokio::test]
async fn where_threads_are_not_read_the_button_is_always_there() {
    let thread = ScheduleSpec { answers: AnswerMode::Thread, ..spec() };
    let mut w = World::with(Setup { schedules: vec![("daily", thread)], ..Setup::default() }).await;
    w.app.set_reads_threads("memory", false);
    w.at("09:00").await;
    assert!(w.card().contains("(Answer with the button; to use a message you wrote in the thread, open its menu, Apps, \"Save as my answer\". A hint is"), "{}", w.card());
    assert!(w.answers_by_form("Bob", FULL).await.starts_with("Saved."));
    assert!(w.bob("/help").await.contains("Answer with the Answer button; after a while"));
    let thread = w.thread();
    w.write_unheard(&thread, "Cleo", FULL);
    w.at("17:00").await;
    assert_eq!(w.scores().await, [("bob".to_owned(), 100, 2000)]);
    assert_eq!(w.chat.reads(), 0);
    w.end().await;
}

#[tokio::test]
async fn open_cards_say_so_when_threads_cannot_be_read_any_more() {
    let mut w = World::new().await;
    w.at("09:00").await;
    assert!(w.card().contains("Answer in the thread, or in private"));
    w.app.set_reads_threads("memory", false);
    w.at("09:01").await;
    assert!(w.card().contains("Answer with the button;"), "{}", w.card());
    w.app.set_reads_threads("memory", true);
    w.at("09:02").await;
    assert!(w.card().contains("Answer in the thread, or in private"));
    w.chat.go_blind();
    w.at("17:00").await;
    assert_eq!(w.chat.reads(), 0, "the service itself knows best");
    w.end().await;
}

#[tokio::test]
async fn a_question_whose_thread_could_not_be_opened_takes_the_form_and_the_organisers_hear_of_it() {
    let thread = ScheduleSpec { answers: AnswerMode::Thread, ..spec() };
    let mut w = World::with(Setup { schedules: vec![("daily", thread)], ..Setup::default() }).await;
    w.chat.fail_next([Fault::NoThread]);
    w.at("09:00").await;
    assert_snapshot!(w.notices().join("\n"), @"The question of 2026-11-23 09:00 is posted, but not as it should be: I may not open threads here.");
    assert!(w.card().contains("(Answer with the button. A hint is private"), "{}", w.card());
    assert!(w.answers_by_form("Bob", FULL).await.starts_with("Saved."));
    w.at("17:00").await;
    assert_eq!(w.scores().await, [("bob".to_owned(), 100, 2000)]);
    assert!(w.card().contains("State: Closed; the answer is in the channel"), "{}", w.card());
    w.end().await;
}

#[tokio::test]
async fn a_message_is_saved_as_an_answer_by_its_author_only() {
    let mut w = World::new().await;
    w.app.set_reads_threads("memory", false);
    w.at("09:00").await;
    let thread = w.thread();
    let id = w.write_unheard(&thread, "Bob", FULL);
    assert_snapshot!(w.saves("Cleo", &thread, &id, "Bob", FULL).await, @"Somebody else wrote this message. You can save your own messages only, or use the question's Answer button.");
    assert_snapshot!(w.saves("Bob", &thread, &id, "Bob", PART).await, @"Saved: this message counts as your answer. If you change it, save it again. The reveal comes 2026-11-23T17:00:00Z.");
    w.saves("Bob", &thread, &id, "Bob", FULL).await;
    w.at("09:01").await;
    assert!(w.card().contains("Answered: 1 person"));
    assert_snapshot!(w.saves("Bob", &ThreadId::new("t9"), &id, "Bob", FULL).await, @"This message is not in the thread of a question of mine. Write your answer there, or use the question's Answer button.");
    assert!(w.saves("Bob", &thread, &id, "Bob", " \n").await.starts_with("There is nothing in it yet."));
    assert!(w.saves("Bob", &thread, &id, "Bob", &"a ".repeat(6_000)).await.starts_with("That is 12000 characters"));
    w.at("17:00").await;
    assert_eq!(w.scores().await, [("bob".to_owned(), 100, 2000)]);
    assert_snapshot!(w.saves("Bob", &thread, &id, "Bob", FULL).await, @"This question is closed. The thread is still open to talk, and /drill to practise.");
    w.end().await;
}

#[tokio::test]
async fn a_message_saved_for_a_private_question_is_its_form() {
    let private = ScheduleSpec { answers: AnswerMode::Private, ..spec() };
    let mut w = World::with(Setup { schedules: vec![("daily", private)], ..Setup::default() }).await;
    w.at("09:00").await;
    let thread = w.thread();
    let id = w.write_unheard(&thread, "Bob", PART);
    assert!(
        w.saves("Bob", &thread, &id, "Bob", PART).await.starts_with("Saved. You can change it with the Answer button")
    );
    assert!(w.press("Bob", "Answer").await.contains(PART));
    w.at("17:00").await;
    assert_eq!(w.scores().await, [("bob".to_owned(), 50, 1000)]);
    w.end().await;
}

#[tokio::test]
async fn back_fill_brings_open_rounds_in_line_with_their_threads() {
    let mut w = World::new().await;
    w.at("09:00").await;
    let thread = w.thread();
    assert_eq!(w.app.thread_channel("memory", &thread).await.expect("a read"), Some(channel()));
    assert_eq!(w.app.thread_channel("slack", &thread).await.expect("a read"), None);
    assert_eq!(w.app.thread_channel("memory", &ThreadId::new("t9")).await.expect("a read"), None);
    let (changed, _) = w.write_in_thread("Bob", "No idea.").await;
    let (erased, _) = w.write_in_thread("Cleo", FULL).await;
    w.write_unheard(&thread, "Ann", FULL);
    w.answers_by_form("Dan", PART).await;
    w.chat.rewrite(&changed, PART);
    w.chat.erase(&erased);
    w.at("09:01").await;
    assert!(w.card().contains("Answered: 3 people"));
    w.chat.fail_next_reads([Fault::Busy]);
    w.app.back_fill(&*w.chat).await.expect_err("whoever asks hears of a thread that could not be read");
    assert_eq!(w.app.back_fill(&*w.chat).await.expect("a back-fill"), 1);
    assert_eq!(w.app.back_fill(&*w.chat).await.expect("a back-fill"), 0, "nothing is new");
    w.at("09:02").await;
    assert!(w.card().contains("Answered: 3 people"), "{}", w.card());
    w.chat.go_blind();
    assert_eq!(w.app.back_fill(&*w.chat).await.expect("nothing to do"), 0);
    w.at("17:00").await;
    let scores = w.scores().await;
    let people: Vec<(&str, i64)> = scores.iter().map(|(name, coverage, _)| (name.as_str(), *coverage)).collect();
    assert_eq!(people, [("ann", 100), ("bob", 50), ("dan", 50)]);
    w.end().await;
}
