//! What the organisers hear when something does not work, once, and that it goes on by itself; who counts, and under which name.

use std::time::Duration;

use drillbot::adapters::slack::Ended;
use drillbot::domain::round::State;
use drillbot::store::schedules;

use super::{PATIENCE, Stage};
use crate::fake::slack::{Id, Shown};
use crate::support::eventually;
use crate::world::{FULL, PART};

const LONG: &str = "09:00 zone:Europe/London reveal:8h";
/// Slack takes one message a second in a channel.
const OFTEN: &str = "cron:\"*/2 * * * * *\" zone:Europe/London reveal:8h";

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
    eventually("the next question", PATIENCE, || async { stage.cards().into_iter().nth(before) }).await
}

async fn well_again(stage: &Stage) {
    eventually("/daily show knows of no trouble", PATIENCE, || async {
        stage.shown_trouble().await.is_none().then_some(())
    })
    .await;
}

async fn pause(stage: &Stage) {
    stage.steer(stage.channel, "/daily pause").await;
    stage.settled().await;
}

/// An open question that Bob has answered.
async fn answered(stage: &Stage) -> Shown {
    let card = stage.question(LONG).await;
    stage.noted(&card).await;
    stage.fake.reply(stage.bob, card.spot, FULL);
    stage.fake.until(stage.channel, "1 person").await;
    stage.settled().await;
    card
}

fn key_points(told: &[Shown]) -> usize {
    told.iter().filter(|one| one.text().contains("Key points, and who covered them")).count()
}

// ---- channels

/// The channel is lost in some way and comes back; what is heard of it, once, has these words. `away`: while the bot is dead.
async fn lost_and_back(
    stage: &mut Stage,
    away: bool,
    lose: impl FnOnce(&Stage),
    come_back: impl FnOnce(&Stage),
    words: &[&str],
) {
    stage.steer(stage.channel, &format!("/daily set {OFTEN}")).await;
    // What happens while the bot is dead it is not told later.
    stage.fake.with(|model| model.faults.no_retries = true);
    if away {
        stage.crash().await;
        lose(stage);
        stage.come_back().await;
    } else {
        lose(stage);
    }
    let before = stage.cards().len();
    missed(stage, 2).await;
    one_letter(stage, stage.ann, words).await;
    let reasons = stage.history(stage.channel).await;
    let missed: Vec<_> = reasons.iter().filter(|(state, _)| *state == State::Missed).collect();
    assert!(missed.iter().all(|(_, why)| words.iter().all(|word| why.contains(word))), "{missed:#?}");
    // At most what was on its way, and one that finds it out.
    let refused = stage.fake.requests("chat.postMessage").iter().filter(|one| one.answer["ok"] == false).count();
    assert!(refused <= 2, "{refused} posts in vain");
    if away {
        stage.crash().await;
        come_back(stage);
        stage.come_back().await;
    } else {
        come_back(stage);
    }
    next_card(stage, before).await;
    well_again(stage).await;
    pause(stage).await;
    assert_eq!(stage.letters(stage.ann).len(), 1, "{:#?}", stage.letters(stage.ann));
}

#[tokio::test]
async fn an_archived_channel_goes_on_when_it_is_unarchived() {
    for away in [false, true] {
        let mut stage = Stage::roomy().await;
        let (archive, unarchive) =
            (|stage: &Stage| stage.fake.archive(stage.channel), |stage: &Stage| stage.fake.unarchive(stage.channel));
        let words = ["#daily-drill is archived", "Unarchive it"];
        lost_and_back(&mut stage, away, archive, unarchive, &words).await;
        stage.end().await;
    }
}

#[tokio::test]
async fn removed_from_its_channel_it_goes_on_when_it_is_invited_again() {
    for away in [false, true] {
        let mut stage = Stage::roomy().await;
        let (kick, invite) =
            (|stage: &Stage| stage.fake.kick(stage.channel), |stage: &Stage| stage.fake.invite(stage.channel));
        let words = ["I am not in #daily-drill", "Invite me there: /invite"];
        lost_and_back(&mut stage, away, kick, invite, &words).await;
        stage.end().await;
    }
}

#[tokio::test]
async fn a_private_channel_that_it_was_removed_from_looks_as_if_it_did_not_exist() {
    for away in [false, true] {
        let mut stage = Stage::roomy().await;
        stage.channel = stage.fake.private_channel(stage.team, "quiet-drill");
        stage.fake.invite(stage.channel);
        let (kick, invite) =
            (|stage: &Stage| stage.fake.kick(stage.channel), |stage: &Stage| stage.fake.invite(stage.channel));
        let words = ["I do not find #quiet-drill", "Invite me there again (/invite)", "/daily set in another one"];
        lost_and_back(&mut stage, away, kick, invite, &words).await;
        stage.end().await;
    }
}

#[tokio::test]
async fn where_it_never_was_it_asks_for_an_invitation() {
    let mut stage = Stage::roomy().await;
    stage.channel = stage.fake.public_channel(stage.team, "elsewhere");
    let bot = stage.fake.bot(stage.team);
    stage.fake.with(|model| model.channels.get_mut(&stage.channel).expect("the channel").members.remove(&bot));
    stage.schedule(OFTEN).await;
    missed(&stage, 2).await;
    one_letter(&stage, stage.ann, &["I am not in #elsewhere", "Invite me there: /invite"]).await;
    assert!(stage.shown_trouble().await.expect("/daily show tells").contains("I am not in #elsewhere"));
    stage.fake.invite(stage.channel);
    next_card(&stage, 0).await;
    pause(&stage).await;
    well_again(&stage).await;
    assert_eq!(stage.letters(stage.ann).len(), 1);
    stage.end().await;
}

#[tokio::test]
async fn what_a_lost_channel_missed_comes_when_it_is_back() {
    for archive in [true, false] {
        let stage = Stage::roomy().await;
        let card = answered(&stage).await;
        if archive {
            stage.fake.archive(stage.channel)
        } else {
            stage.fake.kick(stage.channel)
        }
        one_letter(&stage, stage.ann, &["#daily-drill"]).await;
        stage.steer(stage.channel, "/daily reveal").await;
        stage.settled().await;
        assert_eq!(stage.fake.replies(card.spot).len(), 1, "only what Bob said");
        if archive {
            stage.fake.unarchive(stage.channel)
        } else {
            stage.fake.invite(stage.channel)
        }
        stage.fake.until(stage.channel, "Key points, and who covered them").await;
        stage.settled().await;
        let told = stage.fake.replies(card.spot);
        assert_eq!(key_points(&told), 1);
        assert_eq!(told.iter().filter(|one| one.text().contains("Model answer")).count(), 1);
        let shown = stage.fake.shown(card.spot).expect("the card");
        assert!(shown.text().contains("[My result]"), "{}", shown.text());
        stage.ask().await;
        well_again(&stage).await;
        assert_eq!(stage.letters(stage.ann).len(), 1, "{:#?}", stage.letters(stage.ann));
        stage.end().await;
    }
}

#[tokio::test]
async fn a_channels_new_name_is_used() {
    for private in [false, true] {
        let mut stage = Stage::roomy().await;
        if private {
            stage.channel = stage.fake.private_channel(stage.team, "quiet-drill");
            stage.fake.invite(stage.channel);
        }
        stage.steer(stage.channel, &format!("/daily set {LONG}")).await;
        stage.fake.rename_channel(stage.channel, "interviews");
        let named = || async { stage.app.channel_name(&stage.channel_id(stage.channel)).await.expect("a read") };
        eventually("the new name is known", PATIENCE, || async {
            (named().await.as_deref() == Some("interviews")).then_some(())
        })
        .await;
        stage.fake.archive(stage.channel);
        one_letter(&stage, stage.ann, &["#interviews is archived"]).await;
        stage.end().await;
    }
}

async fn stopped(stage: &Stage) {
    let channel = stage.channel_id(stage.channel);
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
    for open in [true, false] {
        let stage = Stage::roomy().await;
        if open {
            answered(&stage).await;
        } else {
            stage.schedule(LONG).await;
        }
        stage.fake.delete_channel(stage.channel);
        stopped(&stage).await;
        one_letter(&stage, stage.ann, &["#daily-drill was deleted", "/daily set in another channel"]).await;
        stage.settled().await;
        assert_eq!(stage.letters(stage.ann).len(), 1);
        assert!(stage.history(stage.channel).await.iter().all(|(state, _)| *state != State::Open), "open {open}");
        // Elsewhere it goes on.
        let other = stage.fake.public_channel(stage.team, "other");
        stage.fake.invite(other);
        stage.steer(other, &format!("/daily set {LONG}")).await;
        stage.steer(other, "/daily now").await;
        eventually("a question elsewhere", PATIENCE, || async { stage.cards_in(other).into_iter().next() }).await;
        stage.settled().await;
        stage.end().await;
    }
}

#[tokio::test]
async fn a_channel_deleted_while_the_bot_was_away_is_not_found_and_told_of_once() {
    let mut stage = Stage::roomy().await;
    answered(&stage).await;
    stage.schedule(OFTEN).await;
    stage.crash().await;
    stage.fake.with(|model| model.faults.drop_events = 1);
    stage.fake.delete_channel(stage.channel);
    stage.come_back().await;
    missed(&stage, 2).await;
    one_letter(&stage, stage.ann, &["I do not find #daily-drill", "/daily set in another one"]).await;
    // A restart tries again, and finds nothing new to say.
    stage.crash().await;
    stage.come_back().await;
    missed(&stage, 4).await;
    assert_eq!(stage.letters(stage.ann).len(), 1, "{:#?}", stage.letters(stage.ann));
    stage.end().await;
}

#[tokio::test]
async fn where_posting_is_restricted_it_goes_on_as_soon_as_it_may() {
    for code in ["restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_only_channel"] {
        // Slack tells of no such change.
        let stage = Stage::roomy_with(|settings| settings.patience.lost = Duration::from_secs(1)).await;
        stage.fake.restrict(stage.channel, Some(code));
        stage.schedule(OFTEN).await;
        missed(&stage, 2).await;
        one_letter(&stage, stage.ann, &["only some people may post in #daily-drill", "Let me post there"]).await;
        assert!(stage.shown_trouble().await.expect("/daily show tells").contains("Let me post there"));
        stage.fake.restrict(stage.channel, None);
        next_card(&stage, 0).await;
        pause(&stage).await;
        well_again(&stage).await;
        assert_eq!(stage.letters(stage.ann).len(), 1, "{:#?}", stage.letters(stage.ann));
        stage.end().await;
    }
}

// ---- scopes

#[tokio::test]
async fn a_missing_scope_is_named_where_organisers_look() {
    let stage = Stage::roomy_with(|settings| settings.patience.lost = Duration::from_secs(1)).await;
    stage.fake.take_scope(stage.team, "chat:write");
    stage.schedule(OFTEN).await;
    missed(&stage, 2).await;
    // Without it nobody can be written to.
    assert_eq!(stage.letters(stage.ann), Vec::<String>::new());
    let shown = stage.shown_trouble().await.expect("/daily show tells");
    assert!(shown.contains("it needs chat:write") && shown.contains("install the app again"), "{shown}");
    stage.fake.with(|model| {
        let install = model.teams.get_mut(&stage.team).and_then(|team| team.install.as_mut());
        install.expect("the app").scopes.insert("chat:write".into());
    });
    next_card(&stage, 0).await;
    pause(&stage).await;
    well_again(&stage).await;
    stage.end().await;
}

#[tokio::test]
async fn without_the_scope_for_signs_answers_count_and_the_organisers_hear_it_once() {
    let stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    stage.noted(&card).await;
    stage.fake.take_scope(stage.team, "reactions:write");
    stage.fake.reply(stage.bob, card.spot, PART);
    one_letter(&stage, stage.ann, &["though it counts", "it needs reactions:write", "install the app again"]).await;
    for who in [stage.bob, stage.cleo, stage.ann] {
        stage.fake.reply(who, card.spot, PART);
    }
    stage.fake.until(stage.channel, "3 people").await;
    stage.settled().await;
    assert!(stage.shown_trouble().await.expect("/daily show tells").contains("reactions:write"));
    stage.fake.with(|model| {
        let install = model.teams.get_mut(&stage.team).and_then(|team| team.install.as_mut());
        install.expect("the app").scopes.insert("reactions:write".into());
    });
    let written = stage.fake.reply(stage.bob, card.spot, FULL);
    stage.fake.until_reaction(written, "inbox_tray").await;
    well_again(&stage).await;
    assert_eq!(stage.letters(stage.ann).len(), 1);
    stage.end().await;
}

#[tokio::test]
async fn a_thread_that_cannot_be_read_before_the_reveal_is_told_of() {
    let stage = Stage::roomy().await;
    let card = answered(&stage).await;
    stage.fake.take_scope(stage.team, "channels:history");
    let told = stage.reveal(card.spot).await;
    assert!(told.last().expect("the key points").text().contains("Bob"), "what was heard counts");
    one_letter(&stage, stage.ann, &["I could not read the thread of", "it needs channels:history"]).await;
    stage.end().await;
}

// ---- the app

/// The token ends while the bot runs, by `end`.
async fn without_token(end: impl FnOnce(&Stage)) {
    let mut stage = Stage::roomy().await;
    answered(&stage).await;
    stage.schedule(OFTEN).await;
    end(&stage);
    let ended = stage.ended().await.expect_err("it ends");
    assert!(matches!(ended.downcast_ref(), Some(Ended::BotToken { .. })), "{ended:#}");
    assert!(ended.to_string().contains("DRILLBOT_SLACK_BOT_TOKEN"), "{ended:#}");
    missed(&stage, 1).await;
    stage.crash().await;
    let history = stage.history(stage.channel).await;
    let (_, why) = history.iter().find(|(state, _)| *state == State::Missed).expect("a missed question");
    assert!(why.contains("the app was removed from the workspace. Install it again"), "{why}");
    // Somebody installs the app again and gives the bot the new token.
    let before = stage.cards().len();
    stage.settings.bot_token = Some(stage.fake.with(|model| model.install(stage.team).token));
    stage.fake.invite(stage.channel);
    stage.come_back().await;
    next_card(&stage, before).await;
    pause(&stage).await;
    well_again(&stage).await;
    assert!(stage.letters(stage.ann).len() <= 1, "{:#?}", stage.letters(stage.ann));
    stage.end().await;
}

#[tokio::test]
async fn an_uninstalled_app_ends_with_what_to_do_and_goes_on_when_it_is_installed_again() {
    without_token(|stage| stage.fake.uninstall(stage.team)).await;
}

#[tokio::test]
async fn a_revoked_token_ends_it_too() {
    without_token(|stage| stage.fake.revoke(stage.team)).await;
}

#[tokio::test]
async fn a_token_that_is_revoked_unheard_is_noticed_at_the_next_question() {
    without_token(|stage| {
        stage.fake.with(|model| model.faults.drop_events = 1);
        stage.fake.revoke(stage.team);
    })
    .await;
}

// ---- who is told

#[tokio::test]
async fn when_the_organiser_is_gone_the_channel_is_told() {
    let stage = Stage::roomy().await;
    let card = answered(&stage).await;
    stage.fake.deactivate(stage.ann);
    stage.fake.take_scope(stage.team, "channels:history");
    stage.steer(stage.channel, "/daily reveal").await;
    stage.fake.until(stage.channel, "I could not read the thread of").await;
    stage.settled().await;
    let told = stage.fake.messages(stage.channel);
    assert_eq!(told.iter().filter(|one| one.text().contains("I could not read the thread of")).count(), 1);
    assert_eq!(key_points(&stage.fake.replies(card.spot)), 1);
    stage.end().await;
}

// ---- threads and cards

#[tokio::test]
async fn without_its_card_the_reveal_goes_to_the_channel() {
    let stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    stage.noted(&card).await;
    let form = stage.fake.press(stage.bob, &card, "Answer").await;
    stage.fake.submit(stage.bob, form.modal(), &[("answer", FULL)]).await;
    stage.fake.until(stage.channel, "1 person").await;
    stage.settled().await;
    // Nobody has written under it, so nothing is left of it.
    stage.fake.delete(card.spot);
    stage.steer(stage.channel, "/daily reveal").await;
    stage.fake.until(stage.channel, "Key points, and who covered them").await;
    stage.settled().await;
    let all = stage.fake.messages(stage.channel);
    assert_eq!(all.iter().filter(|one| one.text().contains("Model answer")).count(), 1);
    assert_eq!(key_points(&all), 1);
    let letters = stage.letters(stage.ann);
    let told = |words: &str| letters.iter().filter(|one| one.contains(words)).count();
    assert_eq!(told("it went to the channel, because its thread could not be used: it was deleted"), 1, "{letters:#?}");
    assert!(letters.len() <= 2, "{letters:#?}");
    stage.ask().await;
    stage.end().await;
}

#[tokio::test]
async fn a_locked_thread_sends_the_reveal_to_the_channel() {
    let stage = Stage::roomy().await;
    let card = answered(&stage).await;
    stage.fake.lock(card.spot);
    stage.steer(stage.channel, "/daily reveal").await;
    stage.fake.until(stage.channel, "Key points, and who covered them").await;
    stage.settled().await;
    assert_eq!(key_points(&stage.fake.messages(stage.channel)), 1);
    assert_eq!(stage.fake.replies(card.spot).len(), 1, "only what Bob said");
    one_letter(&stage, stage.ann, &["it went to the channel", "an administrator has locked it"]).await;
    stage.ask().await;
    stage.end().await;
}
