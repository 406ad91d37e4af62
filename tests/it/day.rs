//! The daily question, from its card to its reveal.

use std::collections::HashSet;

use drillbot::adapters::memory::Fault;
use drillbot::domain::answer::Receipt;
use drillbot::domain::effect::Audience;
use drillbot::domain::ids::ThreadId;
use drillbot::domain::round::State;
use drillbot::domain::schedule::{AnswerMode, ScheduleSpec};
use insta::assert_snapshot;

use crate::world::{FULL, PART, Setup, World, bank, member, spec};

#[tokio::test]
async fn a_question_is_posted_answered_and_revealed() {
    let mut w = World::new().await;
    w.at("08:59").await;
    assert_eq!(w.news(), "");
    w.at("09:00").await;
    assert_snapshot!(w.news(), @r#"
    --- in the channel
    # iam question 3: who keeps the state?
    (Two colleagues press apply in the same minute.)
    Topic: IAM
    Level: advanced
    Answered: nobody yet
    Reveal: 2026-11-23T17:00:00Z, 2026-11-23T17:00:00Z
    (Answer in the thread, or in private with the button. A hint is private and costs 10 points.)
    [Answer] [Hint (−10 points)]
    "#);
    w.at("09:05").await;
    assert_eq!(w.news(), "", "one question a day");
    w.write_in_thread("Bob", PART).await;
    assert_snapshot!(w.answers_by_form("Ann", FULL).await, @"Saved. You can change it with the Answer button until the reveal, 2026-11-23T17:00:00Z.");
    w.at("09:06").await;
    assert_snapshot!(w.card(), @r#"
    # iam question 3: who keeps the state?
    (Two colleagues press apply in the same minute.)
    Topic: IAM
    Level: advanced
    Answered: 2 people
    Reveal: 2026-11-23T17:00:00Z, 2026-11-23T17:00:00Z
    (Answer in the thread, or in private with the button. A hint is private and costs 10 points.)
    [Answer] [Hint (−10 points)]
    "#);
    w.at("16:59").await;
    assert_eq!(w.news(), "");
    w.at("17:00").await;
    assert_snapshot!(w.news(), @"
    --- in the thread
    # Model answer
    The backend keeps the state. A lock stops two writers. Versions help to recover.
    --- in the thread
    # Key points, and who covered them
    ✓ The backend keeps the state — everybody
    ✓ A lock stops two writers — Ann
    ✓ Versions help to recover — Ann
    2 people answered; 75 of 100 on average.
    # Common mistakes
    ✗ Versions stop two writers. They only help to recover.
    # Read more
    • state (developer.hashicorp.com)
    (To think about next: iam question 4: who keeps the state?)
    [My result] [Flag]
    --- to Ann
    # Your result
    100 of 100, worth 200 points
    (iam question 3: who keeps the state?)
    # You said
    ✓ The backend keeps the state
    ✓ A lock stops two writers
    ✓ Versions help to recover
    # Your answer
    > The backend keeps the state, a lock stops two writers, and versions help to recover.
    (Underlined: the words that counted.)
    [Review an answer] [Flag]
    --- to Bob
    # Your result
    50 of 100, worth 100 points
    (iam question 3: who keeps the state?)
    # You said
    ✓ The backend keeps the state
    # Missing
    – A lock stops two writers
    – Versions help to recover
    # Your answer
    > The backend keeps the state.
    (Underlined: the words that counted.)
    (Did you say it, and I did not see it? Claim the point: somebody else looks at your words, without your name.)
    [Claim: A lock stops two writers] [Claim: Versions help to recover] [Review an answer] [Flag]
    ");
    assert_snapshot!(w.card(), @r#"
    # iam question 3: who keeps the state?
    (Two colleagues press apply in the same minute.)
    Topic: IAM
    Level: advanced
    Answered: 2 people
    State: Closed; the answer is in the thread
    [My result]
    "#);
    w.end().await;
}

#[tokio::test]
async fn an_answer_is_what_stands_in_the_thread_at_the_reveal() {
    let mut w = World::new().await;
    w.at("09:00").await;
    w.write_in_thread("Ann", "The backend keeps").await;
    w.write_in_thread("Ann", "the state, with a lock.").await;
    let (edited, _) = w.write_in_thread("Bob", "No idea.").await;
    let (erased, receipt) = w.write_in_thread("Cleo", FULL).await;
    assert_eq!(receipt, Receipt::Noted);
    w.at("09:01").await;
    assert!(w.card().contains("Answered: 3 people"), "{}", w.card());
    assert_eq!(w.rewrite(&edited, "Bob", PART).await, Receipt::Noted);
    w.erase(&erased).await;
    w.at("09:02").await;
    assert!(w.card().contains("Answered: 2 people"), "{}", w.card());
    w.at("17:00").await;
    // Parts in order: 5 of 6 weights; the last state of Bob's message; nothing of Cleo.
    let scores = w.scores().await;
    assert_eq!(scores.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(), ["ann", "bob"]);
    assert!(scores[0].1 > scores[1].1 && scores[1].1 > 0, "{scores:?}");
    assert!(w.told("Ann").expect("a result").contains("> The backend keeps\n\nthe state, with a lock."));
    assert_eq!(w.told("Cleo"), None);
    w.end().await;
}

#[tokio::test]
async fn the_form_shows_what_was_sent_and_changes_it() {
    let mut w = World::new().await;
    w.at("09:00").await;
    assert_snapshot!(w.press("Ann", "Answer").await, @r#"
    [form] Your answer
    As you would say it in the interview: ""
    How sure are you?: ""
    [Send]
    "#);
    w.send_form("Ann", "Nobody.").await;
    assert_snapshot!(w.press("Ann", "Answer").await, @r#"
    [form] Your answer
    As you would say it in the interview: "Nobody."
    How sure are you?: ""
    [Save changes]
    "#);
    assert_snapshot!(w.send_form("Ann", FULL).await, @"Changed. You can change it again with the Answer button until the reveal, 2026-11-23T17:00:00Z.");
    w.at("17:00").await;
    assert_eq!(w.scores().await, [("ann".to_owned(), 100, 2000)]);
    w.end().await;
}

#[tokio::test]
async fn form_and_thread_are_one_answer() {
    let mut w = World::new().await;
    w.at("09:00").await;
    w.write_in_thread("Bob", PART).await;
    w.at("09:10").await;
    w.answers_by_form("Bob", "A lock stops two writers, and versions help to recover.").await;
    w.at("09:11").await;
    assert!(w.card().contains("Answered: 1 person"), "{}", w.card());
    w.at("17:00").await;
    assert_eq!(w.scores().await, [("bob".to_owned(), 100, 2000)]);
    w.end().await;
}

#[tokio::test]
async fn a_hint_is_private_and_costs_ten_points() {
    let mut w = World::new().await;
    w.at("09:00").await;
    assert_snapshot!(w.press("Bob", "Hint").await, @r#"
    # Hint 1 of 2
    Think of the place.
    (This cost you 10 points; so does the next one. Taken so far: 1 of 2.)
    "#);
    assert_snapshot!(w.press("Bob", "Hint").await, @r#"
    # Hint 2 of 2
    Think of two writers.
    (This cost you 10 points. There are no more hints.)
    "#);
    assert_snapshot!(w.press("Bob", "Hint").await, @r#"
    You have had all the hints of this question; this costs nothing more:
    1. Think of the place.
    2. Think of two writers.
    "#);
    w.write_in_thread("Bob", FULL).await;
    w.write_in_thread("Ann", FULL).await;
    w.at("17:00").await;
    assert_eq!(w.scores().await, [("ann".to_owned(), 100, 2000), ("bob".to_owned(), 80, 1600)]);
    assert!(w.told("Bob").expect("a result").contains("80 of 100 (100 − 20 for 2 hints), worth 160 points"));
    w.end().await;
}

#[tokio::test]
async fn a_late_answer_is_kept_marked_and_worth_nothing() {
    let mut w = World::new().await;
    w.at("09:00").await;
    w.press("Bob", "Answer").await;
    let form = w.form("Bob").action;
    let hint = w.button("Bob", "Hint").expect("a hint");
    let (early, _) = w.write_in_thread("Ann", PART).await;
    w.at("17:00").await;
    assert_snapshot!(w.submit("Bob", &form, FULL).await, @"This question is closed, so your answer scores nothing. It is kept and marked as late; the thread is still open to talk.");
    let (_, receipt) = w.write_in_thread("Cleo", FULL).await;
    assert_eq!(receipt, Receipt::Late);
    assert_eq!(w.rewrite(&early, "Ann", FULL).await, Receipt::Noted, "the answer stands as it was");
    // Old buttons of a card that somebody still sees open.
    assert_snapshot!(w.press_action("Bob", &form).await, @"This question is closed. The thread is still open to talk, and /drill to practise.");
    assert_snapshot!(w.press_action("Bob", &hint).await, @"This question is closed. The thread is still open to talk, and /drill to practise.");
    w.at("18:00").await;
    assert_eq!(w.scores().await, [("ann".to_owned(), 50, 1000)]);
    assert_snapshot!(w.press("Bob", "My result").await, @r#"You did not answer "iam question 3: who keeps the state?" in time, so there is no result. The next question comes soon."#);
    assert!(w.press("Ann", "My result").await.contains("50 of 100, worth 100 points"));
    assert!(w.ann("/leaderboard").await.contains("You are number 1 of 1."));
    w.end().await;
}

#[tokio::test]
async fn until_the_answer_is_out_the_thread_is_the_truth() {
    let mut w = World::new().await;
    w.at("09:00").await;
    let (changed, _) = w.write_in_thread("Ann", PART).await;
    let (deleted, _) = w.write_in_thread("Bob", FULL).await;
    w.chat.fail_next_reads([Fault::Busy]);
    w.at("17:00").await;
    assert_eq!(w.rounds().await[0].state, State::Closing);
    w.rewrite(&changed, "Ann", FULL).await;
    w.erase(&deleted).await;
    w.set_clock("17:01");
    let (_, receipt) = w.write_in_thread("Cleo", FULL).await;
    assert_eq!(receipt, Receipt::Late, "but the door is shut");
    w.at("17:05").await;
    assert_eq!(w.scores().await, [("ann".to_owned(), 100, 2000)]);
    w.end().await;
}

#[tokio::test]
async fn a_result_is_seen_by_its_owner_only() {
    let mut w = World::new().await;
    w.at("09:00").await;
    w.answers_by_form("Bob", "The backend keeps the state; my secret word is marmalade.").await;
    w.at("17:00").await;
    let shown = w.chat.shown();
    let with_secret: Vec<_> = shown.iter().filter(|shown| shown.message.as_text().contains("marmalade")).collect();
    assert_eq!(with_secret.len(), 1);
    assert_eq!(with_secret[0].audience, Audience::Member(member("Bob")));
    assert!(!w.press("Ann", "My result").await.contains("marmalade"));
    w.end().await;
}

#[tokio::test]
async fn nobody_answered() {
    let mut w = World::new().await;
    w.at("09:00").await;
    w.news();
    w.at("17:00").await;
    assert_snapshot!(w.news(), @"
    --- in the thread
    # Model answer
    The backend keeps the state. A lock stops two writers. Versions help to recover.
    --- in the thread
    # Key points, and who covered them
    – The backend keeps the state
    – A lock stops two writers
    – Versions help to recover
    Nobody answered this time. The thread stays open: what would you have said?
    # Common mistakes
    ✗ Versions stop two writers. They only help to recover.
    # Read more
    • state (developer.hashicorp.com)
    (To think about next: iam question 4: who keeps the state?)
    [My result] [Flag]
    ");
    w.end().await;
}

#[tokio::test]
async fn in_private_mode_the_thread_is_for_questions_and_answers_come_by_name_at_the_reveal() {
    let private = ScheduleSpec { answers: AnswerMode::Private, ..spec() };
    let mut w = World::with(Setup { schedules: vec![("daily", private)], ..Setup::default() }).await;
    w.at("09:00").await;
    assert!(w.card().contains("The thread is for questions about the question."), "{}", w.card());
    let (_, receipt) = w.write_in_thread("Bob", FULL).await;
    assert_eq!(receipt, Receipt::Aside);
    w.answers_by_form("Ann", PART).await;
    w.answers_by_form("Cleo", FULL).await;
    w.news();
    w.at("17:00").await;
    let scores = w.scores().await;
    assert_eq!(scores, [("cleo".to_owned(), 100, 2000), ("ann".to_owned(), 50, 1000)]);
    let news = w.news();
    let quoted = news.split("--- ").find(|part| part.contains("What people answered")).expect("the answers");
    assert_snapshot!(quoted, @r#"
    in the thread
    # What people answered
    Cleo (100 of 100): The backend keeps the state, a lock stops two writers, and versions help to recover.
    Ann (50 of 100): The backend keeps the state.
    "#);
    w.end().await;
}

#[tokio::test]
async fn no_private_answer_is_lost_when_the_reveal_needs_many_messages() {
    let private = ScheduleSpec { answers: AnswerMode::Private, ..spec() };
    let mut w = World::with(Setup { schedules: vec![("daily", private)], ..Setup::default() }).await;
    w.at("09:00").await;
    // They fill ten messages in the order they come in, and more in the order of the reveal, the best first.
    for n in 0..30 {
        let text =
            if n % 3 == 2 { format!("{PART} {}", "x".repeat(150)) } else { format!("{FULL} {}", "y".repeat(600)) };
        w.answers_by_form(&format!("Member {n}"), &text).await;
    }
    w.at("17:00").await;
    let all: String = w.chat.shown().iter().map(|shown| shown.message.as_text()).collect::<Vec<_>>().join("\n");
    for n in 0..30 {
        assert!(all.contains(&format!("Member {n} (")), "the answer of member {n} is missing");
    }
    assert_eq!(
        w.chat.shown().iter().filter(|shown| shown.key.starts_with("reveal:")).count(),
        w.rounds().await[0].parts as usize
    );
    w.end().await;
}

#[tokio::test]
async fn in_thread_mode_there_is_no_form() {
    let thread = ScheduleSpec { answers: AnswerMode::Thread, ..spec() };
    let mut w = World::with(Setup { schedules: vec![("daily", thread)], ..Setup::default() }).await;
    w.at("09:00").await;
    assert_eq!(w.button("Bob", "Answer"), None);
    let round = w.rounds().await[0].id.clone();
    assert_snapshot!(w.submit("Bob", &format!("answer:{round}"), FULL).await, @"Answers to this question go into its thread, where everybody can read them.");
    w.write_in_thread("Ann", FULL).await;
    w.at("17:00").await;
    assert_eq!(w.scores().await, [("ann".to_owned(), 100, 2000)]);
    w.end().await;
}

#[tokio::test]
async fn no_question_repeats_before_all_were_asked_and_the_organisers_hear_in_time() {
    let every_day = ScheduleSpec { cron: "0 9 * * *".into(), ..spec() };
    let setup = Setup { bank: bank(&[("eks", 3), ("iam", 5)]), schedules: vec![("daily", every_day)] };
    let mut w = World::with(setup).await;
    for day in 0..8 {
        w.day(day).await;
        w.at("09:00").await;
        w.at("17:00").await;
        match day {
            2 => {
                assert_snapshot!(w.notices().join("\n"), @r#"The schedule "daily" has 5 questions left that this channel has not seen. Then they repeat, the longest unseen first. Widen its topics or levels with /daily set, or add questions to the bank."#)
            }
            7 => {
                assert_snapshot!(w.notices()[1..].join("\n"), @r#"The schedule "daily" has now asked all its 8 questions. From the next one on they repeat, the longest unseen first. Widen its topics or levels with /daily set, or add questions to the bank."#)
            }
            _ => {}
        }
    }
    let first: Vec<String> = w.prompts();
    assert_eq!(first.iter().collect::<HashSet<_>>().len(), 8, "{first:?}");
    for day in 8..16 {
        w.day(day).await;
        w.at("09:00").await;
        w.at("17:00").await;
    }
    assert_eq!(w.prompts()[8..], first, "the longest unseen first");
    assert_eq!(w.notices().len(), 2);
    w.end().await;
}

#[tokio::test]
async fn a_bot_that_was_down_over_the_slot_posts_late_within_the_window() {
    let mut w = World::new().await;
    w.asleep_until(0, "14:59");
    w.restart().await;
    assert_eq!(w.cards().len(), 1);
    assert!(w.card().contains("Reveal: 2026-11-23T17:00:00Z"));
    w.at("17:00").await;
    assert_eq!(w.rounds().await[0].state, State::Revealed);
    w.end().await;
}

#[tokio::test]
async fn a_bot_that_was_down_past_the_window_leaves_the_question_out_and_says_so() {
    let mut w = World::new().await;
    w.asleep_until(0, "15:11");
    w.restart().await;
    assert_eq!(w.cards().len(), 0);
    assert_snapshot!(w.notices().join("\n"), @"The question of 2026-11-23 09:00 was not posted: the bot was away for longer than the catch-up window.");
    let history = w.ann("/daily").await;
    assert!(history.contains("2026-11-23 09:00 missed: the bot was away"), "{history}");
    w.day(1).await;
    w.at("09:00").await;
    assert_eq!(w.cards().len(), 1);
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn a_bot_that_was_down_for_a_week_records_each_day_and_posts_todays_question() {
    let mut w = World::new().await;
    w.asleep_until(7, "09:30");
    w.restart().await;
    assert_eq!(w.cards().len(), 1);
    let states: Vec<State> = w.rounds().await.iter().map(|round| round.state).collect();
    assert_eq!(states.iter().filter(|state| **state == State::Missed).count(), 5);
    assert_eq!(w.notices().len(), 5);
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn a_bot_that_was_down_over_the_reveal_counts_what_was_written_meanwhile() {
    let mut w = World::new().await;
    w.at("09:00").await;
    let thread = w.thread();
    w.asleep_until(0, "16:00");
    w.write_unheard(&thread, "Bob", PART);
    w.asleep_until(0, "18:30");
    w.write_unheard(&thread, "Ann", FULL);
    w.asleep_until(1, "07:00");
    w.restart().await;
    assert_eq!(w.scores().await.len(), 2, "the answer was not out yet");
    w.end().await;
}

#[tokio::test]
async fn a_lost_event_does_not_lose_an_answer() {
    let mut w = World::new().await;
    w.at("09:00").await;
    let thread = w.thread();
    let (changed, _) = w.write_in_thread("Bob", "No idea.").await;
    let (erased, _) = w.write_in_thread("Cleo", FULL).await;
    w.write_unheard(&thread, "Ann", FULL);
    w.chat.rewrite(&changed, PART);
    w.chat.erase(&erased);
    w.at("17:00").await;
    assert_eq!(w.scores().await, [("ann".to_owned(), 100, 2000), ("bob".to_owned(), 50, 1000)]);
    w.end().await;
}

#[tokio::test]
async fn a_message_whose_event_comes_after_the_close_was_still_written_in_time() {
    let mut w = World::new().await;
    w.at("09:00").await;
    let thread = w.thread();
    w.chat.fail_next_reads([Fault::Busy]);
    w.set_clock("16:59");
    let id = w.write_unheard(&thread, "Bob", FULL);
    w.at("17:00").await;
    w.set_clock("17:01");
    w.hear(&thread, &id, "Bob", FULL).await;
    w.at("17:02").await;
    assert_eq!(w.scores().await, [("bob".to_owned(), 100, 2000)]);
    w.end().await;
}

#[tokio::test]
async fn a_busy_platform_gets_the_question_later() {
    let mut w = World::new().await;
    w.chat.fail_next([Fault::Busy, Fault::Busy]);
    w.at("09:00").await;
    assert_eq!(w.cards().len(), 0);
    w.at("09:01").await;
    w.at("09:02").await;
    assert_eq!(w.cards().len(), 1);
    assert_eq!(w.chat.looks(), 0, "what certainly did not happen is not looked for");
    w.write_in_thread("Ann", FULL).await;
    w.chat.fail_next([Fault::Busy]);
    w.at("17:00").await;
    w.at("17:01").await;
    w.at("17:02").await;
    assert_eq!(w.scores().await.len(), 1);
    assert_eq!(w.notices(), Vec::<String>::new());
    w.end().await;
}

#[tokio::test]
async fn a_lost_answer_of_the_platform_doubles_nothing() {
    let mut w = World::new().await;
    w.chat.fail_next([Fault::LostAnswer]);
    w.at("09:00").await;
    assert_eq!(w.cards().len(), 1);
    assert_eq!(w.rounds().await[0].message, None, "nobody knows yet that it got through");
    // Written before the bot knows its own thread.
    let (_, receipt) = w.write_in_thread("Bob", PART).await;
    assert_eq!(receipt, Receipt::NotOurs);
    w.at("09:01").await;
    assert_eq!(w.cards().len(), 1, "it looked before it sent again");
    assert!(w.rounds().await[0].thread.is_some());
    w.chat.fail_next([Fault::LostAnswer, Fault::LostAnswer, Fault::LostAnswer]);
    for minute in ["17:00", "17:01", "17:02", "17:03", "17:10"] {
        w.at(minute).await;
    }
    assert_eq!(w.scores().await.len(), 1);
    w.end().await;
}

#[tokio::test]
async fn a_refused_question_is_parked_and_the_organisers_hear_of_it_once() {
    let mut w = World::new().await;
    w.unsent.push("question:");
    w.chat.fail_next([Fault::Forbidden]);
    for minute in ["09:00", "09:01", "12:00", "17:00"] {
        w.at(minute).await;
    }
    assert_eq!(w.cards().len(), 0);
    assert_snapshot!(w.notices().join("\n"), @"I could not deliver the question of 2026-11-23 09:00: no permission to post. I have given up on it; see the log for details.");
    assert_eq!(w.rounds().await[0].state, State::Missed);
    assert_eq!(w.asked().await, 0, "nobody saw it, so it may come another day");
    w.day(1).await;
    w.chat.fail_next([Fault::Forbidden]);
    w.at("09:00").await;
    assert_eq!(w.notices().len(), 2, "another day, another word");
    w.end().await;
}

#[tokio::test]
async fn an_outage_over_the_whole_day_makes_the_question_expire() {
    let mut w = World::new().await;
    w.chat.fail_next(vec![Fault::Busy; 200]);
    w.at("09:00").await;
    for hour in 10..=16 {
        w.at(&format!("{hour}:00")).await;
    }
    w.chat.recover();
    w.at("17:30").await;
    assert_eq!(w.cards().len(), 0);
    assert_snapshot!(w.notices().join("\n"), @"The question of 2026-11-23 09:00 was not posted: the chat service could not be reached in time.");
    assert_eq!(w.rounds().await[0].state, State::Missed);
    assert_eq!(w.asked().await, 0);
    w.day(1).await;
    w.at("09:00").await;
    assert_eq!(w.cards().len(), 1);
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn a_question_that_got_through_at_the_last_moment_is_not_given_up() {
    let mut w = World::new().await;
    w.chat.fail_next([Fault::LostAnswer]);
    w.at("09:00").await;
    w.asleep_until(0, "17:30");
    w.restart().await;
    assert_eq!(w.cards().len(), 1);
    assert_eq!(w.rounds().await[0].state, State::Revealed);
    w.end().await;
}

#[tokio::test]
async fn a_card_that_a_moderator_deleted_is_not_tried_again_and_again() {
    let mut w = World::new().await;
    w.unsent.push("card:");
    w.at("09:00").await;
    let card = w.cards()[0].id.clone();
    let thread = w.thread();
    w.chat.remove(&card);
    w.write_in(&thread, "Bob", FULL).await;
    for minute in 1..30 {
        w.at(&format!("09:{minute:02}")).await;
    }
    assert!(w.chat.calls() < 8, "{} calls", w.chat.calls());
    assert_eq!(w.notices().len(), 1);
    w.at("17:00").await;
    assert_eq!(w.scores().await.len(), 1);
    w.end().await;
}

#[tokio::test]
async fn a_message_without_words_is_no_answer() {
    let mut w = World::new().await;
    w.at("09:00").await;
    // A picture without a caption, say.
    w.write_in_thread("Bob", " \n ").await;
    w.at("09:01").await;
    assert!(w.card().contains("Answered: nobody yet"), "{}", w.card());
    w.at("17:00").await;
    assert_eq!(w.scores().await.len(), 0);
    w.end().await;
}

#[tokio::test]
async fn ten_thousand_answers_are_graded_in_one_round() {
    let mut w = World::new().await;
    w.at("09:00").await;
    let thread = w.thread();
    for n in 0..10_000 {
        w.write_unheard(&thread, &format!("M{n}"), if n % 2 == 0 { FULL } else { PART });
    }
    w.set_clock("17:00");
    w.app.tick().await.unwrap();
    // The collection and the reveal; ten thousand private results are not what this is about.
    for _ in 0..9 {
        w.app.deliver(&*w.chat).await.unwrap();
    }
    assert_eq!(w.scores().await.len(), 10_000);
    assert!(w.chat.shown().iter().any(|shown| shown.message.as_text().contains("10000 people answered; 75 of 100")));
    w.unsent.push("result:");
    w.end().await;
}

#[tokio::test]
async fn a_member_who_is_renamed_in_the_middle_keeps_points_and_shows_the_new_name() {
    let mut w = World::new().await;
    w.at("09:00").await;
    w.write_in_thread("Bob", FULL).await;
    w.at("17:00").await;
    w.day(1).await;
    w.at("09:00").await;
    w.write_in_thread("Bob", PART).await;
    w.rename("Bob", "Robert");
    w.write_in_thread("Bob", "A lock stops two writers.").await;
    w.at("17:00").await;
    let board = w.ann("/leaderboard").await;
    assert!(board.contains("1 | Robert |") && board.contains("| 2 | 2"), "{board}");
    assert!(!board.contains("Bob"));
    w.end().await;
}

#[tokio::test]
async fn two_schedules_in_one_channel_ask_different_questions_side_by_side() {
    let evening =
        ScheduleSpec { cron: "0 9 * * *".into(), reveal: "10:00".into(), topics: vec!["iam".into()], ..spec() };
    let schedules = vec![("daily", spec()), ("evening", evening)];
    let mut w = World::with(Setup { schedules, ..Setup::default() }).await;
    w.at("09:00").await;
    let prompts = w.prompts();
    assert_eq!(prompts.len(), 2);
    assert_ne!(prompts[0], prompts[1]);
    let first = w.cards()[0].id.clone();
    w.write_in(&ThreadId::new(first.as_str()), "Ann", FULL).await;
    w.write_in_thread("Ann", FULL).await;
    w.at("10:00").await;
    let states: HashSet<State> = w.rounds().await.iter().map(|round| round.state).collect();
    assert_eq!(states, HashSet::from([State::Open, State::Revealed]));
    w.at("17:00").await;
    assert!(w.ann("/leaderboard").await.contains("| 2 | 1"), "two answers, a streak of one in each schedule");
    assert_snapshot!(w.ann("/daily pause").await, @"This channel has several schedules: daily and evening. Add schedule:NAME to say which one you mean.");
    w.end().await;
}

#[tokio::test]
async fn a_change_of_the_bank_alters_no_open_round() {
    let mut w = World::new().await;
    w.at("09:00").await;
    let (card, prompt) = (w.card(), w.prompts()[0].clone());
    w.write_in_thread("Ann", FULL).await;
    // Every prompt, rubric and hint is another one now, and the question itself is gone.
    w.app.replace_bank(bank(&[("vpc", 3)]));
    w.write_in_thread("Bob", PART).await;
    w.at("09:01").await;
    assert_eq!(w.card().lines().next(), card.lines().next());
    assert!(w.press("Bob", "Hint").await.contains("Think of the place."));
    w.at("17:00").await;
    assert_eq!(w.scores().await[0], ("ann".to_owned(), 100, 2000));
    w.day(1).await;
    w.at("09:00").await;
    assert!(w.prompts()[1].starts_with("vpc"), "{prompt} -> {:?}", w.prompts());
    w.at("17:00").await;
    w.end().await;
}

#[tokio::test]
async fn streaks_grow_with_every_answered_question_and_break_at_a_gap() {
    let mut w = World::new().await;
    for day in 0..4 {
        w.day(day).await;
        w.at("09:00").await;
        w.write_in_thread("Ann", FULL).await;
        if day != 2 {
            w.write_in_thread("Bob", FULL).await;
        }
        w.at("17:00").await;
    }
    assert!(w.ann("/me").await.contains("Streak: 4 questions in a row, 4 at best"));
    assert!(w.bob("/me").await.contains("Streak: 1 question in a row, 2 at best"));
    w.end().await;
}

#[tokio::test]
async fn who_is_erased_while_a_question_is_open_begins_anew_with_what_they_write_next() {
    let mut w = World::new().await;
    w.at("09:00").await;
    let (old, _) = w.write_in_thread("Bob", FULL).await;
    let thread = w.thread();
    w.write_unheard(&thread, "Bob", "Written while the bot was away: a lock stops two writers.");
    w.at("10:00").await;
    w.bob("/me delete").await;
    w.press("Bob", "Erase my data").await;
    assert_eq!(w.rewrite(&old, "Bob", FULL).await, Receipt::Aside, "news of what is erased");
    w.at("10:01").await;
    w.write_in_thread("Bob", PART).await;
    w.at("17:00").await;
    assert_eq!(w.scores().await, [("bob".to_owned(), 50, 1_000)]);
    let rows = w.app.store.read("read the marks", |conn| {
        Box::pin(async move { Ok(drillbot::store::erased::all(conn).await?.is_empty()) })
    });
    assert!(
        rows.await.expect("the marks can be read"),
        "nothing is kept of an erasure once its questions are revealed"
    );
    w.end().await;
}
