//! Everything is posted once, in order and in its place, whatever happens on the way; and no faster than Discord allows.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use drillbot::adapters::discord::PLATFORM;
use drillbot::app::chat::{Chat, Post};
use drillbot::domain::effect::{Audience, Place};
use drillbot::domain::ids::{ChannelId, DeliveryId};
use drillbot::domain::message::Message;
use drillbot::store::channels::Step;
use serde_json::json;

use super::{PATIENCE, Stage, outage};
use crate::fake::discord::{Fault, Id, Outage, Pinged, Request, Shown};
use crate::support::eventually;
use crate::world::{FULL, PART};

const LONG: &str = "time:09:00 zone:Europe/London reveal:8h";
const POSTS: &str = "/channels/{channel_id}/messages";
const THREADS: &str = "/channels/{channel_id}/messages/{message_id}/threads";
const FORUM_POSTS: &str = "/channels/{channel_id}/threads";
/// Longer than anybody waits.
const NEVER: Duration = Duration::from_secs(30);

fn too_many(ms: u64, scope: &'static str) -> Fault {
    Fault::TooMany { retry_after: Duration::from_millis(ms), global: scope == "global", scope }
}

fn unavailable() -> Fault {
    Fault::Status(503, json!({"message": "503: Service Unavailable", "code": 0}))
}

/// The service remembers no nonces: only a look decides.
fn forget_nonces(stage: &Stage) {
    stage.fake.with(|model| model.timing.nonce = Duration::ZERO);
}

/// The card in the stage's channel, of which there is one, with one thread.
async fn one_card_with_its_thread(stage: &Stage) -> Shown {
    stage.settled().await;
    let cards = stage.cards(stage.channel);
    assert_eq!(cards.len(), 1, "{cards:#?}");
    assert_eq!(stage.thread(&cards[0]).await, cards[0].id);
    assert_eq!(stage.fake.threads(stage.channel).len(), 1);
    assert_eq!(stage.letters(stage.ann), Vec::<String>::new(), "nobody has to hear of it");
    cards[0].clone()
}

/// A question whose posts meet these faults, one after the other; (card, how long it took).
async fn question_with(path: &str, faults: impl IntoIterator<Item = Fault>) -> Stage {
    let stage = Stage::new().await;
    stage.schedule(LONG).await;
    for fault in faults {
        stage.fake.fault("POST", path, fault);
    }
    stage.ask().await;
    one_card_with_its_thread(&stage).await;
    stage
}

// ---- once

#[tokio::test]
async fn a_question_whose_answer_is_lost_is_posted_once() {
    question_with(POSTS, [Fault::CutAfterRequest]).await.end().await;
}

#[tokio::test]
async fn a_question_that_never_arrived_is_posted_again() {
    question_with(POSTS, [Fault::CutBeforeRequest, Fault::CutBeforeRequest]).await.end().await;
}

#[tokio::test]
async fn a_storm_of_server_errors_passes() {
    let bad = || Fault::Status(502, json!("<html>"));
    // More of them than one call tries.
    question_with(POSTS, [bad(), unavailable(), bad(), unavailable(), bad(), unavailable()]).await.end().await;
    question_with(THREADS, [Fault::CutAfterRequest, unavailable(), Fault::CutBeforeRequest]).await.end().await;
}

#[tokio::test]
async fn a_question_that_discord_answers_too_late_is_found() {
    let stage = Stage::new().await;
    forget_nonces(&stage);
    stage.schedule(LONG).await;
    stage.fake.fault("POST", POSTS, Fault::Late(NEVER));
    stage.ask().await;
    one_card_with_its_thread(&stage).await;
    stage.end().await;
}

/// The process dies while Discord has not yet answered a request that it has carried out.
async fn killed_during(path: &str) -> Stage {
    let mut stage = Stage::new().await;
    forget_nonces(&stage);
    stage.schedule(LONG).await;
    stage.fake.fault("POST", path, Fault::Late(NEVER));
    let card = stage.ask().await;
    if path == THREADS {
        let fake = &stage.fake;
        eventually("the thread is there", PATIENCE, || async { fake.threads(card.channel).first().cloned() }).await;
    }
    stage.crash().await;
    stage
}

#[tokio::test]
async fn killed_after_a_question_was_posted_it_is_found_and_gets_its_thread() {
    let mut stage = killed_during(POSTS).await;
    assert_eq!(stage.fake.threads(stage.channel).len(), 0);
    stage.come_back().await;
    let card = one_card_with_its_thread(&stage).await;
    // It is the card of a round like any other.
    let form = stage.fake.press(stage.bob, card.id, "Answer").await;
    stage.fake.submit(stage.bob, form.modal(), &[("answer", FULL)]).await;
    let told = stage.reveal(card.id).await;
    assert!(told.last().expect("the key points").text().contains("Bob"), "{told:#?}");
    stage.end().await;
}

#[tokio::test]
async fn killed_after_the_thread_was_opened_there_is_one() {
    let mut stage = killed_during(THREADS).await;
    stage.come_back().await;
    one_card_with_its_thread(&stage).await;
    stage.end().await;
}

#[tokio::test]
async fn killed_before_the_thread_was_opened_it_is_opened() {
    let mut stage = Stage::new().await;
    forget_nonces(&stage);
    stage.schedule(LONG).await;
    for _ in 0..4 {
        stage.fake.fault("POST", THREADS, Fault::CutBeforeRequest);
    }
    stage.ask().await;
    let fake = &stage.fake;
    eventually("a thread was asked for", PATIENCE, || async { fake.requests("POST", "/threads").first().cloned() })
        .await;
    stage.crash().await;
    assert_eq!(stage.fake.threads(stage.channel).len(), 0);
    stage.fake.with(|model| model.faults.next.clear());
    stage.come_back().await;
    one_card_with_its_thread(&stage).await;
    stage.end().await;
}

#[tokio::test]
async fn a_card_is_found_by_its_buttons_or_by_its_key() {
    for buttons in [true, false] {
        let mut stage = killed_during(POSTS).await;
        let card = stage.cards(stage.channel).remove(0);
        stage.fake.with(|model| {
            let message = model.messages.get_mut(&card.id).expect("the card");
            if buttons {
                message.embeds[0].as_object_mut().expect("an embed").remove("url");
            } else {
                message.components.clear();
            }
        });
        // Others talk in between.
        for _ in 0..120 {
            stage.fake.write(stage.bob, stage.channel, "Good morning!");
        }
        stage.come_back().await;
        one_card_with_its_thread(&stage).await;
        stage.end().await;
    }
}

#[tokio::test]
async fn a_thread_that_is_there_already_is_no_failure() {
    let stage = Stage::dark().await;
    let chat = stage.chat();
    let place = Place {
        channel: ChannelId::new(format!("{PLATFORM}:{}", stage.channel)),
        thread: None,
        audience: Audience::Everyone,
    };
    let (key, message) = (DeliveryId::new("question:r1"), Message::say("Hello."));
    let post = Post {
        key: &key,
        place: &place,
        message: &message,
        opens_thread: Some("Title"),
        since: 0,
        ping: None,
        announces: false,
        labels: &[],
    };
    let first = chat.post(post).await.expect("it is posted");
    // The nonce gives the first message back; its thread is there.
    assert_eq!(chat.post(post).await.expect("it is posted"), first);
    assert_eq!((stage.fake.messages(stage.channel).len(), stage.fake.threads(stage.channel).len()), (1, 1));
    stage.end().await;
}

/// Everything that the bot says in a thread, one line each.
fn said(stage: &Stage, thread: Id) -> Vec<String> {
    let bot = stage.fake.bot();
    let all = stage.fake.messages(thread).into_iter().filter(|one| one.author_id == bot && one.id != thread);
    let line = |one: Shown| one.text().lines().take(3).collect::<Vec<&str>>().join(" | ");
    all.map(line).filter(|line| !line.is_empty()).collect()
}

#[tokio::test]
async fn killed_between_the_parts_of_a_reveal_each_stands_once_and_in_order() {
    let mut stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    let thread = stage.thread(&card).await;
    stage.settled().await;
    forget_nonces(&stage);
    // Quotes of twelve long answers make more parts.
    for n in 0..12 {
        let answer = format!("{PART} {}", "Word and sentence follow each other. ".repeat(20 + n));
        let form = stage.fake.press(stage.bob, card.id, "Answer").await;
        let who = if n == 0 { stage.bob } else { stage.fake.member(stage.guild, &format!("P{n}"), Default::default()) };
        let form = if n == 0 { form } else { stage.fake.press(who, card.id, "Answer").await };
        stage.fake.submit(who, form.modal(), &[("answer", &answer)]).await;
    }
    stage.settled().await;
    let path = format!("/channels/{thread}/messages");
    stage.fake.fault("POST", &path, Fault::Late(NEVER));
    stage.fake.command(stage.ann, stage.channel, "/daily reveal").await;
    let mut stood = 0;
    loop {
        let more = || async {
            let now = said(&stage, thread).len();
            (now > stood).then_some(now)
        };
        stood = eventually("the next part stands", PATIENCE, more).await;
        stage.crash().await;
        if said(&stage, thread).iter().any(|line| line.contains("Key points, and who")) {
            break;
        }
        // The next look finds what stands; the part after it is held up again.
        stage.fake.fault("POST", &path, Fault::Late(NEVER));
        stage.come_back().await;
    }
    stage.come_back().await;
    stage.settled().await;
    let all = said(&stage, thread);
    let different: BTreeSet<&String> = all.iter().collect();
    assert_eq!(different.len(), all.len(), "{all:#?}");
    assert!(all.len() >= 2, "{all:#?}");
    assert!(all[0].contains("Model answer"), "{all:#?}");
    assert!(all.last().expect("parts").contains("Key points, and who"), "{all:#?}");
    assert_eq!(stage.cards(stage.channel).len(), 1, "nothing of it in the channel");
    stage.end().await;
}

// ---- the pace

fn limited(request: &Request) -> bool {
    !request.path.contains("/interactions/") && !request.path.contains("/webhooks/")
}

/// When Discord was silent on purpose, and the requests in that time.
fn during_the_silence(stage: &Stage, silence: Duration) -> Vec<Request> {
    let log = stage.fake.with(|model| model.log.clone());
    let begun = log.iter().find(|one| one.status == 429).expect("a refusal").at;
    let within = |one: &&Request| one.at > begun && one.at < begun + silence && limited(one);
    log.iter().filter(within).cloned().collect()
}

#[tokio::test]
async fn a_pause_that_discord_asks_for_is_kept() {
    for scope in ["user", "shared", "global"] {
        let stage = question_with(POSTS, [too_many(900, scope)]).await;
        let mut early = during_the_silence(&stage, Duration::from_millis(900));
        if scope != "global" {
            early.retain(|one| one.method == "POST" && one.path.ends_with(&format!("{}/messages", stage.channel)));
        }
        assert!(early.is_empty(), "{scope}: {early:#?}");
        stage.end().await;
    }
}

#[tokio::test]
async fn while_discord_cannot_be_reached_a_question_waits() {
    for kind in [Outage::Unreachable, Outage::Unavailable] {
        let stage = Stage::new().await;
        stage.schedule(LONG).await;
        let asks = async {
            stage.steer(stage.channel, "/daily now").await;
            tokio::time::sleep(Duration::from_millis(2_000)).await;
            assert_eq!(stage.cards(stage.channel).len(), 0);
        };
        tokio::join!(outage(&stage.fake, kind, Duration::from_millis(2_500)), asks);
        one_card_with_its_thread(&stage).await;
        stage.end().await;
    }
}

#[tokio::test]
async fn sixty_questions_at_once_and_seven_letters_to_one_person_keep_within_discords_limits() {
    let mut stage = Stage::dark().await;
    let mut channels = vec![stage.channel];
    channels.extend((0..60).map(|n| stage.fake.text_channel(stage.guild, &format!("drill-{n}"))));
    for channel in &channels {
        stage.steer(*channel, "/daily set 09:00 zone=Europe/London reveal=8h").await;
        stage.steer(*channel, "/daily now").await;
    }
    for n in 1..=7 {
        let channel = ChannelId::new(format!("{PLATFORM}:{}", stage.channel));
        stage.app.step_failed(&channel, Step::Read, &format!("trouble {n}")).await.expect("a note");
    }
    stage.start();
    stage.settled().await;
    for channel in &channels {
        assert_eq!((stage.cards(*channel).len(), stage.fake.threads(*channel).len()), (1, 1));
    }
    let letters = stage.letters(stage.ann);
    assert!(letters.len() == 7 && letters.is_sorted(), "{letters:#?}");
    let (too_many, log) = stage.fake.with(|model| (model.rates.too_many, model.log.clone()));
    let refused: Vec<_> = log.iter().filter(|one| one.status == 429).collect();
    assert_eq!(too_many, 0, "{refused:#?}");
    let times: Vec<Instant> = log.iter().filter(|one| limited(one)).map(|one| one.at).collect();
    let in_a_second =
        |from: &Instant| times.iter().filter(|at| *at >= from && at.duration_since(*from).as_millis() < 1_000).count();
    let most = times.iter().map(in_a_second).max().unwrap_or_default();
    assert!(most <= 50, "{most} requests in a second");
    stage.end().await;
}

// ---- kinds of channels

async fn forum(stage: &Stage, tags: &[&str]) -> Id {
    let forum = stage.fake.forum_channel(stage.guild, "drills", tags);
    stage.steer(forum, "/daily set 09:00 zone=Europe/London reveal=8h").await;
    forum
}

async fn forum_post(stage: &Stage, forum: Id) -> Shown {
    let fake = &stage.fake;
    let post = eventually("a post in the forum", PATIENCE, || async { fake.threads(forum).first().cloned() }).await.0;
    let card = fake.messages(post).into_iter().next().expect("its first message");
    stage.thread(&card).await;
    card
}

#[tokio::test]
async fn in_a_forum_a_question_is_a_post_with_its_tags_and_the_reveal_inside() {
    let stage = Stage::new().await;
    let forum = forum(&stage, &["Other", "IAM", "eks", "beginner", "Intermediate", "Advanced"]).await;
    stage.steer(forum, "/daily now").await;
    let card = forum_post(&stage, forum).await;
    let tags: Vec<String> = stage.fake.with(|model| {
        let applied = &model.channels[&card.id].thread.as_ref().expect("a post").applied_tags;
        let known = &model.channels[&forum].tags;
        applied.iter().filter_map(|tag| Some(known.iter().find(|one| one.0 == *tag)?.1.to_lowercase())).collect()
    });
    assert_eq!(tags.len(), 2, "{tags:?}");
    assert!(tags.iter().all(|tag| card.text().to_lowercase().contains(tag)), "{tags:?} {}", card.text());
    // What is posted is found again, also by a process that does not know yet that it is a forum.
    stage.fake.write(stage.bob, card.id, FULL);
    stage.fake.archive(card.id);
    let form = stage.fake.press(stage.cleo, card.id, "Answer").await;
    stage.fake.submit(stage.cleo, form.modal(), &[("answer", PART)]).await;
    stage.fake.until(card.id, "2 people").await;
    assert!(!stage.fake.is_archived(card.id), "an edit wakes it");
    stage.steer(forum, "/daily reveal").await;
    stage.fake.until(card.id, "Key points, and who covered them").await;
    stage.settled().await;
    assert_eq!(stage.fake.threads(forum).len(), 1);
    assert_eq!(stage.letters(stage.ann), Vec::<String>::new());
    stage.end().await;
}

#[tokio::test]
async fn in_a_forum_the_look_alone_keeps_a_question_from_being_posted_twice() {
    for fault in [Fault::CutAfterRequest, Fault::CutBeforeRequest, unavailable()] {
        let stage = Stage::new().await;
        let forum = forum(&stage, &[]).await;
        stage.fake.fault("POST", FORUM_POSTS, fault);
        stage.steer(forum, "/daily now").await;
        forum_post(&stage, forum).await;
        stage.settled().await;
        assert_eq!(stage.fake.threads(forum).len(), 1);
        stage.end().await;
    }
}

#[tokio::test]
async fn killed_after_a_forums_post_it_is_found_also_when_it_is_archived() {
    for archived in [false, true] {
        let mut stage = Stage::new().await;
        let forum = forum(&stage, &[]).await;
        stage.fake.fault("POST", FORUM_POSTS, Fault::Late(NEVER));
        stage.steer(forum, "/daily now").await;
        let fake = &stage.fake;
        let post = eventually("a post", PATIENCE, || async { fake.threads(forum).first().cloned() }).await.0;
        stage.crash().await;
        if archived {
            stage.fake.archive(post);
        }
        stage.come_back().await;
        forum_post(&stage, forum).await;
        stage.settled().await;
        assert_eq!(stage.fake.threads(forum).len(), 1);
        stage.end().await;
    }
}

#[tokio::test]
async fn an_announcement_channel_works_like_any_other() {
    let stage = Stage::new().await;
    let news = stage.fake.announcement_channel(stage.guild, "news");
    stage.steer(news, "/daily set 09:00 zone=Europe/London reveal=8h").await;
    stage.steer(news, "/daily now").await;
    let card = eventually("the question", PATIENCE, || async { stage.cards(news).into_iter().next() }).await;
    stage.thread(&card).await;
    stage.steer(news, "/daily reveal").await;
    stage.fake.until(card.id, "Key points, and who covered them").await;
    stage.end().await;
}

#[tokio::test]
async fn where_there_are_no_threads_the_organisers_hear_it_once_and_the_question_is_out() {
    const VOICE: u8 = 2;
    let stage = Stage::new().await;
    let voice = stage.fake.with(|model| model.channel(Some(stage.guild), VOICE, "voice"));
    stage.steer(voice, "/daily set 09:00 zone=Europe/London reveal=8h").await;
    for n in 1..=2 {
        stage.another(voice).await;
        eventually("the question", PATIENCE, || async { (stage.cards(voice).len() == n).then_some(()) }).await;
        stage.settled().await;
    }
    let letters = stage.letters(stage.ann);
    assert_eq!(letters.len(), 1, "{letters:#?}");
    assert!(letters[0].contains("this kind of channel has no threads; use a text or forum channel"), "{letters:#?}");
    stage.end().await;
}

#[tokio::test]
async fn where_nothing_can_be_written_the_organisers_hear_it_once() {
    let stage = Stage::new().await;
    let no_text =
        || Fault::Status(400, json!({"message": "Cannot send messages in a non-text channel", "code": 50_008}));
    stage.schedule(LONG).await;
    for _ in 0..2 {
        stage.fake.fault("POST", POSTS, no_text());
        stage.another(stage.channel).await;
        stage.settled().await;
    }
    let letters = stage.letters(stage.ann);
    assert_eq!(letters.len(), 1, "{letters:#?}");
    assert!(letters[0].contains("use a text or forum channel"), "{letters:#?}");
    stage.ask().await;
    stage.end().await;
}

#[tokio::test]
async fn a_server_full_of_threads_gets_the_question_without_one() {
    let stage = Stage::new().await;
    let full = json!({"message": "Maximum number of active threads reached", "code": 160_006});
    stage.schedule(LONG).await;
    stage.fake.fault("POST", THREADS, Fault::Status(400, full));
    stage.ask().await;
    stage.settled().await;
    let letters = stage.letters(stage.ann);
    assert_eq!(letters.len(), 1, "{letters:#?}");
    assert!(letters[0].contains("Maximum number of active threads reached"), "{letters:#?}");
    let card = stage.ask().await;
    stage.thread(&card).await;
    assert_eq!(stage.cards(stage.channel).len(), 2);
    stage.end().await;
}

#[tokio::test]
async fn a_forums_post_that_is_locked_takes_no_reveal_and_the_organisers_hear_it() {
    let stage = Stage::new().await;
    let forum = forum(&stage, &[]).await;
    stage.steer(forum, "/daily now").await;
    let card = forum_post(&stage, forum).await;
    stage.fake.lock(card.id);
    stage.steer(forum, "/daily reveal").await;
    stage.settled().await;
    let letters = stage.letters(stage.ann);
    assert_eq!(letters.len(), 1, "{letters:#?}");
    assert!(
        letters[0].contains("I could not deliver the reveal") && letters[0].contains("it is locked"),
        "{letters:#?}"
    );
    stage.another(forum).await;
    let fake = &stage.fake;
    eventually("the next post", PATIENCE, || async { (fake.threads(forum).len() == 2).then_some(()) }).await;
    stage.settled().await;
    stage.end().await;
}

// ---- who is called

#[tokio::test]
async fn a_role_is_called_once_by_the_question_and_nobody_by_anything_else() {
    let mut stage = Stage::new().await;
    stage.lawless = true; // One ping is meant; all of them are looked at here.
    let role = stage.fake.role(stage.guild, "drillers");
    stage.fake.rename(stage.cleo, "@here");
    stage.schedule(&format!("{LONG} ping:@drillers")).await;
    let card = stage.ask().await;
    let thread = stage.thread(&card).await;
    let calls = format!("@everyone @here <@{}> <@&{role}> {FULL}", stage.ann);
    stage.fake.write(stage.bob, thread, &calls);
    let form = stage.fake.press(stage.cleo, card.id, "Answer").await;
    stage.fake.submit(stage.cleo, form.modal(), &[("answer", &calls)]).await;
    stage.fake.until(stage.channel, "2 people").await;
    let told = stage.reveal(thread).await;
    assert!(told.last().expect("the key points").text().contains("everybody"));
    stage.settled().await;
    let bot = stage.fake.bot();
    for shown in stage.fake.everything().into_iter().filter(|one| one.author_id == bot) {
        let expected = if shown.id == card.id {
            Pinged { roles: BTreeSet::from([role]), ..Pinged::default() }
        } else {
            Pinged::default()
        };
        assert_eq!(shown.pinged, expected, "{}", shown.text());
    }
    stage.fake.check();
    assert_eq!(stage.letters(stage.ann), Vec::<String>::new());
    stage.end().await;
}

#[tokio::test]
async fn a_role_that_cannot_be_called_is_told_of_once() {
    let stage = Stage::new().await;
    let role = stage.fake.role(stage.guild, "drillers");
    let mentionable = |is: bool| {
        let set = |model: &mut crate::fake::discord::Model| {
            let guild = model.guilds.get_mut(&stage.guild).expect("the guild");
            guild.roles.get_mut(&role).expect("the role").mentionable = is;
        };
        stage.fake.with(set);
    };
    stage.schedule(&format!("{LONG} ping:@drillers")).await;
    mentionable(false);
    for _ in 0..2 {
        stage.ask().await;
        stage.settled().await;
    }
    let letters = stage.letters(stage.ann);
    assert_eq!(letters.len(), 1, "{letters:#?}");
    assert!(letters[0].contains("@drillers could not be called: allow everyone to mention it"), "{letters:#?}");
    assert!(stage.shown_trouble().await.expect("a trouble").contains("@drillers"));
    // A role that is deleted is another trouble.
    stage.fake.with(|model| model.guilds.get_mut(&stage.guild).expect("the guild").roles.remove(&role));
    stage.ask().await;
    stage.settled().await;
    let letters = stage.letters(stage.ann);
    assert_eq!(letters.len(), 2, "{letters:#?}");
    assert!(letters[1].contains("choose another with the setting ping of `/daily set`"), "{letters:#?}");
    stage.steer(stage.channel, "/daily set ping=none").await;
    stage.ask().await;
    stage.settled().await;
    assert_eq!((stage.letters(stage.ann).len(), stage.shown_trouble().await), (2, None));
    stage.end().await;
}

// ---- reading

#[tokio::test]
async fn a_long_thread_is_read_to_its_end() {
    let mut stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    let thread = stage.thread(&card).await;
    stage.settled().await;
    stage.crash().await;
    let (bob, cleo, ann) = (stage.bob, stage.cleo, stage.ann);
    let first = stage.fake.write(bob, thread, "Hm.");
    let gone = stage.fake.write(cleo, thread, FULL);
    let many: Vec<Id> = (0..270).map(|n| stage.fake.write([bob, cleo, ann][n % 3], thread, "Let me think.")).collect();
    stage.fake.write(cleo, thread, PART);
    stage.fake.write(ann, thread, FULL);
    stage.fake.edit(first, FULL);
    stage.fake.delete(gone);
    stage.fake.delete_many(&many[200..220]);
    stage.come_back().await;
    stage.fake.until(stage.channel, "3 people").await;
    let told = stage.reveal(thread).await;
    let points = told.last().expect("the key points");
    for (who, worth) in [(bob, "100 of 100"), (cleo, "50 of 100"), (ann, "100 of 100")] {
        let seen = stage.fake.press(who, points.id, "My result").await;
        assert!(seen.text().contains(worth), "{worth} in {}", seen.text());
    }
    stage.end().await;
}
