//! The table "When something goes wrong" of docs/discord.md, line by line: what the organisers hear, once, and that it goes on by itself.

use std::time::Duration;

use drillbot::domain::ids::ChannelId;
use drillbot::domain::round::State;
use drillbot::store::schedules;

use super::{PATIENCE, Stage};
use crate::fake::discord::{Fault, Id, Permissions, Shown};
use crate::support::eventually;
use crate::world::{FULL, PART};

const LONG: &str = "time:09:00 zone:Europe/London reveal:8h";
const EVERY_SECOND: &str = "cron:* * * * * * zone:Europe/London reveal:8h";

/// Waits until so many questions of the stage's channel have been missed.
async fn missed(stage: &Stage, least: usize) {
    eventually("questions are missed", PATIENCE, || async {
        let all = stage.history(stage.channel).await;
        (all.iter().filter(|(state, _)| *state == State::Missed).count() >= least).then_some(())
    })
    .await;
}

/// Waits until somebody has a letter that says this; it is the only one.
async fn one_letter(stage: &Stage, user: Id, words: &[&str]) -> String {
    let there = || async { stage.letters(user).into_iter().next() };
    let letter = eventually("somebody is told in private", PATIENCE, there).await;
    for word in words {
        assert!(letter.contains(word), "{word} in {letter}");
    }
    assert_eq!(stage.letters(user).len(), 1, "{:#?}", stage.letters(user));
    letter
}

async fn next_card(stage: &Stage, before: usize) -> Shown {
    eventually("the next question", PATIENCE, || async { stage.cards(stage.channel).into_iter().nth(before) }).await
}

async fn well_again(stage: &Stage) {
    eventually("/daily show knows of no trouble", PATIENCE, || async {
        stage.shown_trouble().await.is_none().then_some(())
    })
    .await;
}

async fn pause(stage: &Stage) {
    stage.fake.command(stage.ann, stage.channel, "/daily pause").await;
    stage.settled().await;
}

// ---- permissions

/// Without this permission no question gets through.
async fn without(permission: Permissions, words: &[&str]) {
    let stage = Stage::roomy().await;
    stage.fake.deny(stage.channel, permission);
    let refused = stage.refusals();
    stage.schedule(EVERY_SECOND).await;
    missed(&stage, 3).await;
    one_letter(&stage, stage.ann, words).await;
    let shown = stage.shown_trouble().await.expect("/daily show tells");
    assert!(words.iter().all(|word| shown.contains(word)), "{shown}");
    assert!(stage.refusals() - refused <= 3, "{} refusals", stage.refusals() - refused);
    assert_eq!(stage.cards(stage.channel).len(), 0);
    let left: Vec<Shown> = stage.fake.messages(stage.channel);
    assert!(left.is_empty(), "nothing half-said stays: {left:#?}");
    stage.fake.allow(stage.channel, permission);
    let card = next_card(&stage, 0).await;
    stage.thread(&card).await;
    well_again(&stage).await;
    pause(&stage).await;
    assert_eq!(stage.letters(stage.ann).len(), 1);
    // Another time is another word.
    stage.fake.deny(stage.channel, permission);
    stage.another(stage.channel).await;
    eventually("it is told again", PATIENCE, || async { (stage.letters(stage.ann).len() == 2).then_some(()) }).await;
    stage.end().await;
}

#[tokio::test]
async fn without_send_messages() {
    without(
        Permissions::SEND_MESSAGES,
        &["I lack the permission \"Send Messages\" in #daily-drill", "Give it to my role"],
    )
    .await;
}

#[tokio::test]
async fn without_embed_links() {
    without(Permissions::EMBED_LINKS, &["I lack the permission \"Embed Links\" in #daily-drill", "Give it to my role"])
        .await;
}

#[tokio::test]
async fn without_view_channel() {
    without(Permissions::VIEW_CHANNEL, &["I cannot see #daily-drill", "Give my role \"View Channel\""]).await;
}

#[tokio::test]
async fn in_a_forum_without_embed_links_nothing_is_posted() {
    let stage = Stage::roomy().await;
    let forum = stage.fake.forum_channel(stage.guild, "drills", &[]);
    stage.fake.deny(forum, Permissions::EMBED_LINKS);
    stage.steer(forum, "/daily set 09:00 zone=Europe/London reveal=8h").await;
    stage.steer(forum, "/daily now").await;
    one_letter(&stage, stage.ann, &["I lack the permission \"Embed Links\" in #drills"]).await;
    assert_eq!(stage.fake.threads(forum).len(), 0);
    stage.fake.allow(forum, Permissions::EMBED_LINKS);
    stage.steer(forum, "/daily now").await;
    eventually("a post", PATIENCE, || async { stage.fake.threads(forum).first().cloned() }).await;
    stage.settled().await;
    stage.end().await;
}

/// Without this permission questions have no threads.
async fn without_threads(permission: Permissions, words: &[&str]) {
    let stage = Stage::roomy().await;
    stage.fake.deny(stage.channel, permission);
    stage.schedule(EVERY_SECOND).await;
    let card = next_card(&stage, 2).await;
    one_letter(&stage, stage.ann, words).await;
    eventually("the card knows", PATIENCE, || async {
        let cards = stage.cards(stage.channel);
        cards.iter().any(|one| one.id == card.id && one.text().contains("Answer with the button.")).then_some(())
    })
    .await;
    assert!(stage.shown_trouble().await.expect("/daily show tells").contains(words[0]));
    let before = stage.cards(stage.channel).len();
    stage.fake.allow(stage.channel, permission);
    // One may have been on its way.
    let card = next_card(&stage, before + 1).await;
    stage.thread(&card).await;
    well_again(&stage).await;
    pause(&stage).await;
    assert_eq!(stage.letters(stage.ann).len(), 1);
    stage.end().await;
}

#[tokio::test]
async fn without_create_public_threads() {
    without_threads(
        Permissions::CREATE_PUBLIC_THREADS,
        &["I lack the permission \"Create Public Threads\" in #daily-drill", "people answer with the button"],
    )
    .await;
}

#[tokio::test]
async fn without_read_message_history() {
    without_threads(
        Permissions::READ_MESSAGE_HISTORY,
        &["I lack the permission \"Read Message History\" in #daily-drill", "people answer with the button"],
    )
    .await;
}

#[tokio::test]
async fn a_thread_that_cannot_be_read_before_the_reveal_is_told_of() {
    let stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    let thread = stage.thread(&card).await;
    stage.fake.write(stage.bob, thread, FULL);
    stage.fake.until(stage.channel, "1 person").await;
    stage.fake.deny(stage.channel, Permissions::READ_MESSAGE_HISTORY);
    let told = stage.reveal(thread).await;
    assert!(told.last().expect("the key points").text().contains("Bob"), "what was heard counts");
    one_letter(&stage, stage.ann, &["I could not read the thread of", "\"Read Message History\"", "#daily-drill"])
        .await;
    stage.fake.allow(stage.channel, Permissions::READ_MESSAGE_HISTORY);
    let card = stage.ask().await;
    let thread = stage.thread(&card).await;
    stage.reveal(thread).await;
    well_again(&stage).await;
    assert_eq!(stage.letters(stage.ann).len(), 1);
    stage.end().await;
}

#[tokio::test]
async fn without_send_messages_in_threads_the_reveals_go_to_the_channel() {
    let stage = Stage::roomy().await;
    stage.schedule(LONG).await;
    stage.fake.deny(stage.channel, Permissions::SEND_MESSAGES_IN_THREADS);
    for n in 1..=2 {
        let card = stage.ask().await;
        let thread = stage.thread(&card).await;
        stage.fake.command(stage.ann, stage.channel, "/daily reveal").await;
        eventually("the reveal is in the channel", PATIENCE, || async {
            let all = stage.fake.messages(stage.channel);
            (all.iter().filter(|one| one.text().contains("Key points, and who")).count() == n).then_some(())
        })
        .await;
        assert!(!stage.fake.messages(thread).iter().any(|one| one.text().contains("Model answer")));
        stage.settled().await;
    }
    one_letter(&stage, stage.ann, &["it went to the channel", "\"Send Messages in Threads\" in #daily-drill"]).await;
    assert!(stage.shown_trouble().await.expect("/daily show tells").contains("Send Messages in Threads"));
    stage.fake.allow(stage.channel, Permissions::SEND_MESSAGES_IN_THREADS);
    let card = stage.ask().await;
    let thread = stage.thread(&card).await;
    stage.reveal(thread).await;
    well_again(&stage).await;
    stage.settled().await;
    assert_eq!(stage.letters(stage.ann).len(), 1);
    stage.end().await;
}

#[tokio::test]
async fn without_add_reactions_answers_count_and_the_organisers_hear_it_once() {
    let stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    let thread = stage.thread(&card).await;
    stage.fake.deny(stage.channel, Permissions::ADD_REACTIONS);
    let before = stage.refusals();
    stage.fake.write(stage.bob, thread, PART);
    one_letter(&stage, stage.ann, &["\"Add Reactions\" in #daily-drill", "it counts"]).await;
    for _ in 0..3 {
        stage.fake.write(stage.bob, thread, PART);
        stage.fake.write(stage.cleo, thread, PART);
    }
    stage.fake.until(stage.channel, "2 people").await;
    assert!(stage.refusals() - before <= 1, "{} refusals", stage.refusals() - before);
    assert!(stage.shown_trouble().await.expect("/daily show tells").contains("Add Reactions"));
    stage.fake.allow(stage.channel, Permissions::ADD_REACTIONS);
    // The news of it and the message may overtake each other.
    eventually("receipts are given again", PATIENCE, || async {
        let message = stage.fake.write(stage.bob, thread, FULL);
        tokio::time::sleep(Duration::from_millis(150)).await;
        (stage.fake.reactions(message) == ["📥"]).then_some(())
    })
    .await;
    well_again(&stage).await;
    assert_eq!(stage.letters(stage.ann).len(), 1);
    stage.end().await;
}

#[tokio::test]
async fn given_back_by_its_role_it_goes_on_too() {
    let stage = Stage::roomy().await;
    let all = drillbot_permissions();
    stage.fake.set_permissions(stage.guild, stage.fake.bot(), all - Permissions::EMBED_LINKS);
    stage.schedule(EVERY_SECOND).await;
    missed(&stage, 2).await;
    one_letter(&stage, stage.ann, &["\"Embed Links\" in #daily-drill"]).await;
    stage.fake.set_permissions(stage.guild, stage.fake.bot(), all);
    next_card(&stage, 0).await;
    pause(&stage).await;
    stage.end().await;
}

#[tokio::test]
async fn what_is_mended_while_discord_says_no_is_simply_tried_again() {
    let stage = Stage::roomy().await;
    stage.schedule(LONG).await;
    stage.fake.deny(stage.channel, Permissions::SEND_MESSAGES);
    let late = Fault::Late(Duration::from_millis(600));
    stage.fake.fault("POST", &format!("/channels/{}/messages", stage.channel), late);
    stage.another(stage.channel).await;
    let refused = || stage.fake.requests("POST", "/messages").into_iter().find(|one| one.status == 403);
    eventually("the question is refused", PATIENCE, || async { refused() }).await;
    stage.fake.allow(stage.channel, Permissions::SEND_MESSAGES);
    next_card(&stage, 0).await;
    stage.settled().await;
    assert_eq!((stage.letters(stage.ann).len(), stage.shown_trouble().await), (0, None));
    stage.end().await;
}

/// What the invite link asks for.
fn drillbot_permissions() -> Permissions {
    Permissions::VIEW_CHANNEL
        | Permissions::SEND_MESSAGES
        | Permissions::EMBED_LINKS
        | Permissions::READ_MESSAGE_HISTORY
        | Permissions::ADD_REACTIONS
        | Permissions::CREATE_PUBLIC_THREADS
        | Permissions::SEND_MESSAGES_IN_THREADS
}

#[tokio::test]
async fn what_a_lost_channel_missed_comes_when_it_is_back() {
    for permission in [Permissions::VIEW_CHANNEL, Permissions::EMBED_LINKS] {
        let stage = Stage::roomy().await;
        let card = stage.question(LONG).await;
        let thread = stage.thread(&card).await;
        stage.fake.write(stage.bob, thread, FULL);
        stage.fake.until(stage.channel, "1 person").await;
        stage.settled().await;
        let before = stage.refusals();
        stage.fake.deny(stage.channel, permission);
        stage.steer(stage.channel, "/daily reveal").await;
        stage.settled().await;
        assert_eq!(stage.letters(stage.ann).len(), 1, "{:#?}", stage.letters(stage.ann));
        assert!(stage.refusals() - before <= 3, "{} refusals", stage.refusals() - before);
        let revealed = |one: &Shown| one.text().contains("Model answer") || one.text().contains("Key points, and");
        assert_eq!(stage.fake.messages(thread).iter().filter(|one| revealed(one)).count(), 0);
        stage.fake.allow(stage.channel, permission);
        stage.fake.until(thread, "Key points, and who covered them").await;
        stage.settled().await;
        assert_eq!(stage.fake.messages(thread).iter().filter(|one| revealed(one)).count(), 2);
        let card = stage.cards(stage.channel).remove(0);
        assert!(card.text().contains("[My result]") && card.text().contains("Topic"), "{}", card.text());
        stage.ask().await;
        well_again(&stage).await;
        stage.end().await;
    }
}

#[tokio::test]
async fn a_card_that_lost_its_words_with_embed_links_gets_them_back() {
    let stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    stage.settled().await;
    stage.fake.deny(stage.channel, Permissions::EMBED_LINKS);
    let form = stage.fake.press(stage.bob, card.id, "Answer").await;
    stage.fake.submit(stage.bob, form.modal(), &[("answer", PART)]).await;
    one_letter(&stage, stage.ann, &["\"Embed Links\" in #daily-drill", "the new state of the card"]).await;
    stage.fake.allow(stage.channel, Permissions::EMBED_LINKS);
    stage.fake.until(stage.channel, "1 person").await;
    stage.settled().await;
    stage.end().await;
}

// ---- who is told

#[tokio::test]
async fn when_the_organiser_takes_no_letters_the_owner_is_told() {
    let stage = Stage::roomy().await;
    stage.schedule(LONG).await;
    stage.fake.close_dms(stage.ann);
    stage.fake.deny(stage.channel, Permissions::SEND_MESSAGES);
    stage.fake.command(stage.ann, stage.channel, "/daily now").await;
    let owner = stage.fake.owner(stage.guild);
    one_letter(&stage, owner, &["\"Send Messages\" in #daily-drill"]).await;
    assert_eq!(stage.letters(stage.ann).len(), 0);
    stage.end().await;
}

#[tokio::test]
async fn when_nobody_takes_letters_the_channel_is_told() {
    let stage = Stage::roomy().await;
    stage.schedule(LONG).await;
    stage.fake.close_dms(stage.ann);
    stage.fake.close_dms(stage.fake.owner(stage.guild));
    stage.fake.deny(stage.channel, Permissions::CREATE_PUBLIC_THREADS);
    for _ in 0..2 {
        stage.ask().await;
        stage.settled().await;
    }
    let told = stage.fake.messages(stage.channel);
    let told = told.iter().filter(|one| one.text().contains("\"Create Public Threads\" in #daily-drill")).count();
    assert_eq!(told, 1);
    // And when that is not possible either, /daily show knows.
    stage.fake.deny(stage.channel, Permissions::SEND_MESSAGES);
    stage.another(stage.channel).await;
    stage.settled().await;
    assert!(stage.shown_trouble().await.expect("a trouble").contains("\"Send Messages\" in #daily-drill"));
    stage.end().await;
}

// ---- channels and servers

async fn stopped(stage: &Stage) {
    let channel = ChannelId::new(format!("discord:{}", stage.channel));
    eventually("the schedule has stopped", PATIENCE, || async {
        let channel = channel.clone();
        let read = stage
            .app
            .store
            .read("test", move |conn| Box::pin(async move { schedules::of_channel(conn, &channel).await }));
        let all = read.await.expect("a read");
        (!all.is_empty() && all.iter().all(|one| one.next_at.is_none())).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_deleted_channel_ends_its_schedule_and_is_told_of_once() {
    for (open, away) in [(true, false), (false, false), (true, true), (false, true)] {
        let mut stage = Stage::roomy().await;
        if open {
            let card = stage.question(LONG).await;
            stage.thread(&card).await;
        }
        stage.schedule(if away { EVERY_SECOND } else { LONG }).await;
        if away {
            stage.crash().await;
            stage.fake.delete_channel(stage.channel);
            stage.come_back().await;
        } else {
            stage.settled().await;
            stage.fake.delete_channel(stage.channel);
        }
        stopped(&stage).await;
        one_letter(&stage, stage.ann, &["#daily-drill was deleted", "`/daily set` in another channel"]).await;
        stage.settled().await;
        assert_eq!(stage.letters(stage.ann).len(), 1);
        assert!(
            stage.history(stage.channel).await.iter().all(|(state, _)| *state != State::Open),
            "open {open} away {away}"
        );
        // Elsewhere it goes on.
        let other = stage.fake.text_channel(stage.guild, "other");
        stage.steer(other, "/daily set 09:00 zone=Europe/London reveal=8h").await;
        stage.steer(other, "/daily now").await;
        eventually("a question elsewhere", PATIENCE, || async { stage.cards(other).into_iter().next() }).await;
        stage.settled().await;
        stage.end().await;
    }
}

#[tokio::test]
async fn a_channel_deleted_while_the_bot_was_away_with_a_question_open_is_noticed_at_the_reveal() {
    let mut stage = Stage::roomy().await;
    let card = stage.question("time:09:00 zone:Europe/London reveal:2s").await;
    stage.thread(&card).await;
    stage.crash().await;
    stage.fake.delete_channel(stage.channel);
    stage.come_back().await;
    stopped(&stage).await;
    one_letter(&stage, stage.ann, &["#daily-drill was deleted"]).await;
    stage.settled().await;
    stage.end().await;
}

#[tokio::test]
async fn removed_from_the_server_its_schedules_wait_and_go_on_when_it_is_invited_again() {
    for away in [false, true] {
        let mut stage = Stage::roomy().await;
        let card = stage.question(EVERY_SECOND).await;
        let thread = stage.thread(&card).await;
        stage.fake.write(stage.bob, thread, FULL);
        if away {
            stage.crash().await;
            stage.fake.kick(stage.guild);
            stage.come_back().await;
        } else {
            stage.fake.kick(stage.guild);
        }
        missed(&stage, 2).await;
        let reasons = stage.history(stage.channel).await;
        let reason = &reasons.iter().find(|(state, _)| *state == State::Missed).expect("a missed question").1;
        assert!(reason.contains("I was removed from the server. Invite me again"), "{reason}");
        let invalid = stage.fake.with(|model| model.rates.invalid);
        assert!(invalid <= 10, "{invalid} invalid requests");
        let before = stage.cards(stage.channel).len();
        stage.fake.invite(stage.guild);
        next_card(&stage, before).await;
        pause(&stage).await;
        well_again(&stage).await;
        assert_eq!(stage.shown_trouble().await, None);
        stage.end().await;
    }
}

// ---- threads, cards, people

#[tokio::test]
async fn an_archived_thread_wakes_for_the_reveal() {
    let stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    let thread = stage.thread(&card).await;
    stage.fake.archive(thread);
    stage.reveal(thread).await;
    assert!(!stage.fake.is_archived(thread));
    stage.settled().await;
    assert_eq!(stage.letters(stage.ann).len(), 0);
    stage.end().await;
}

async fn reveal_in_channel(stage: &Stage) {
    stage.fake.command(stage.ann, stage.channel, "/daily reveal").await;
    stage.fake.until(stage.channel, "Key points, and who covered them").await;
    stage.settled().await;
    let all = stage.fake.messages(stage.channel);
    assert_eq!(all.iter().filter(|one| one.text().contains("Model answer")).count(), 1);
}

#[tokio::test]
async fn a_locked_thread_sends_the_reveal_to_the_channel() {
    let stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    let thread = stage.thread(&card).await;
    stage.fake.write(stage.bob, thread, FULL);
    stage.fake.lock(thread);
    stage.fake.archive(thread);
    reveal_in_channel(&stage).await;
    one_letter(&stage, stage.ann, &["it went to the channel", "it is locked", "\"Manage Threads\""]).await;
    stage.ask().await;
    stage.end().await;
}

#[tokio::test]
async fn with_manage_threads_a_locked_thread_gets_the_reveal() {
    let stage = Stage::roomy().await;
    stage.fake.set_permissions(stage.guild, stage.fake.bot(), drillbot_permissions() | Permissions::MANAGE_THREADS);
    let card = stage.question(LONG).await;
    let thread = stage.thread(&card).await;
    stage.fake.lock(thread);
    stage.fake.archive(thread);
    stage.reveal(thread).await;
    stage.settled().await;
    assert_eq!(stage.letters(stage.ann).len(), 0);
    stage.end().await;
}

#[tokio::test]
async fn a_deleted_thread_sends_the_reveal_to_the_channel() {
    let stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    let thread = stage.thread(&card).await;
    stage.fake.write(stage.bob, thread, FULL);
    stage.fake.until(stage.channel, "1 person").await;
    stage.fake.delete_channel(thread);
    reveal_in_channel(&stage).await;
    let letters = stage.letters(stage.ann);
    assert!(letters.len() <= 2 && letters.iter().any(|one| one.contains("it went to the channel")), "{letters:#?}");
    let card = stage.ask().await;
    stage.thread(&card).await;
    stage.end().await;
}

#[tokio::test]
async fn a_deleted_card_ends_nothing() {
    let stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    let thread = stage.thread(&card).await;
    stage.fake.delete(card.id);
    stage.fake.write(stage.bob, thread, PART);
    stage.settled().await;
    stage.fake.write(stage.cleo, thread, FULL);
    stage.settled().await;
    let told = stage.reveal(thread).await;
    assert!(told.last().expect("the key points").text().contains("everybody"));
    stage.settled().await;
    assert!(stage.letters(stage.ann).len() <= 1, "{:#?}", stage.letters(stage.ann));
    stage.ask().await;
    stage.end().await;
}

#[tokio::test]
async fn people_who_are_renamed_or_leave_keep_their_place() {
    let stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    let thread = stage.thread(&card).await;
    stage.fake.write(stage.bob, thread, PART);
    stage.fake.write(stage.cleo, thread, FULL);
    stage.fake.until(stage.channel, "2 people").await;
    stage.fake.rename(stage.bob, "Robert");
    stage.fake.write(stage.bob, thread, FULL);
    eventually("the new name is known", PATIENCE, || async {
        let seen = stage.fake.messages(thread).iter().filter(|one| one.author_id == stage.bob).count();
        (seen == 2 && stage.fake.requests("PUT", "/@me").len() >= 3).then_some(())
    })
    .await;
    stage.fake.leave(stage.guild, stage.cleo);
    let told = stage.reveal(thread).await;
    let all: Vec<&str> = told.iter().map(Shown::text).collect();
    let all = all.join("\n");
    assert!(all.contains("everybody"), "{all}");
    let board = stage.fake.command(stage.ann, stage.channel, "/leaderboard").await;
    assert!(board.text().contains("Robert") && board.text().contains("Cleo"), "{}", board.text());
    stage.end().await;
}
