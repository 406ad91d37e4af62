//! Everything is posted once, in order and in its place, whatever happens on the way; and no faster than Slack allows.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use drillbot::app::chat::{Chat, Post, SendError};
use drillbot::domain::effect::{Audience, Place};
use drillbot::domain::ids::DeliveryId;
use drillbot::domain::message::Message;
use drillbot::store::channels::Step;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::{PATIENCE, Stage};
use crate::fake::slack::{Fault, Outage, Request, SeenKind, Shown, Spot};
use crate::support::eventually;
use crate::world::{FULL, PART};

const LONG: &str = "09:00 zone:Europe/London reveal:8h";
const POST: &str = "chat.postMessage";
/// Longer than anybody waits.
const NEVER: Duration = Duration::from_secs(30);

/// The card in the stage's channel, of which there is one.
async fn one_card(stage: &Stage) -> Shown {
    stage.settled().await;
    let cards = stage.cards();
    assert_eq!(cards.len(), 1, "{cards:#?}");
    stage.noted(&cards[0]).await;
    assert_eq!(stage.letters(stage.ann), Vec::<String>::new(), "nobody has to hear of it");
    cards[0].clone()
}

/// A question whose posts meet these faults, one after the other.
async fn question_with(faults: impl IntoIterator<Item = Fault>) -> Stage {
    let stage = Stage::new().await;
    stage.schedule(LONG).await;
    for fault in faults {
        stage.fake.fault(POST, fault);
    }
    stage.ask().await;
    one_card(&stage).await;
    stage
}

/// How often the bot has looked for what it may have posted.
fn looks(stage: &Stage) -> usize {
    stage.fake.requests("conversations.history").len()
}

// ---- once

#[tokio::test]
async fn a_question_whose_answer_is_lost_is_posted_once() {
    let stage = question_with([Fault::CutAfterRequest]).await;
    assert!(looks(&stage) > 0, "only a look can tell");
    stage.end().await;
}

#[tokio::test]
async fn a_question_that_never_arrived_is_posted_again() {
    question_with([Fault::CutBeforeRequest, Fault::CutBeforeRequest]).await.end().await;
}

#[tokio::test]
async fn errors_of_slacks_own_pass() {
    question_with([Fault::Status(500), Fault::Error("internal_error")]).await.end().await;
    question_with([Fault::Status(503), Fault::Error("service_unavailable")]).await.end().await;
}

#[tokio::test]
async fn a_question_that_slack_answers_too_late_is_found() {
    let stage = question_with([Fault::Late(NEVER)]).await;
    assert_eq!(stage.fake.requests(POST).len(), 1);
    stage.end().await;
}

/// The process dies while Slack has not yet answered a request that it has carried out.
async fn killed_after_posting() -> Stage {
    let mut stage = Stage::new().await;
    stage.schedule(LONG).await;
    stage.fake.fault(POST, Fault::Late(NEVER));
    stage.ask().await;
    stage.crash().await;
    stage
}

#[tokio::test]
async fn killed_after_a_question_was_posted_it_is_found() {
    let mut stage = killed_after_posting().await;
    stage.come_back().await;
    let card = one_card(&stage).await;
    // It is the card of a round like any other.
    let form = stage.fake.press(stage.bob, &card, "Answer").await;
    stage.fake.submit(stage.bob, form.modal(), &[("answer", FULL)]).await;
    let told = stage.reveal(card.spot).await;
    assert!(told.last().expect("the key points").text().contains("Bob"), "{told:#?}");
    stage.end().await;
}

#[tokio::test]
async fn it_is_found_behind_pages_of_talk_and_not_in_the_words_of_another_app() {
    let mut stage = killed_after_posting().await;
    let card = stage.cards().remove(0);
    let key = stage.fake.with(|model| model.messages[&card.spot].metadata.clone());
    for _ in 0..430 {
        stage.fake.write(stage.bob, stage.channel, "Good morning!");
    }
    let copied = stage.fake.another_app_writes(stage.channel, "I have seen this.");
    stage.fake.with(|model| model.messages.get_mut(&copied).expect("the copy").metadata = key);
    stage.come_back().await;
    assert_eq!(one_card(&stage).await.spot, card.spot);
    let form = stage.fake.press(stage.bob, &card, "Answer").await;
    stage.fake.submit(stage.bob, form.modal(), &[("answer", FULL)]).await;
    // The card that is brought up to date is the bot's own.
    eventually("the card counts", PATIENCE, || async { stage.cards()[0].text().contains("1 person").then_some(()) })
        .await;
    stage.end().await;
}

#[tokio::test]
async fn a_letter_whose_answer_is_lost_is_sent_once() {
    let stage = Stage::new().await;
    stage.schedule(LONG).await;
    stage.fake.fault(POST, Fault::CutAfterRequest);
    stage.app.step_failed(&stage.channel_id(stage.channel), Step::Read, "something").await.expect("a note");
    stage.settled().await;
    assert_eq!(stage.letters(stage.ann).len(), 1, "{:#?}", stage.letters(stage.ann));
    stage.end().await;
}

/// Everything that the bot says under a card, one line each.
fn said(stage: &Stage, card: Spot) -> Vec<String> {
    let bot = stage.fake.bot(stage.team);
    let all = stage.fake.replies(card).into_iter().filter(|one| one.author_id == bot);
    all.map(|one: Shown| one.text().lines().take(3).collect::<Vec<&str>>().join(" | ")).collect()
}

#[tokio::test]
async fn killed_between_the_parts_of_a_reveal_each_stands_once_and_in_order() {
    let mut stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    stage.noted(&card).await;
    stage.settled().await;
    // Quotes of twelve long answers make more parts.
    for n in 0..12 {
        let answer = format!("{PART} {}", "Word and sentence follow each other. ".repeat(20 + n));
        let who = if n == 0 { stage.bob } else { stage.fake.member(stage.team, &format!("P{n}")) };
        stage.settled().await;
        let form = stage.fake.press(who, &card, "Answer").await;
        stage.fake.submit(who, form.modal(), &[("answer", &answer)]).await;
    }
    eventually("all have answered", PATIENCE, || async { stage.cards()[0].text().contains("12 people").then_some(()) })
        .await;
    stage.settled().await;
    stage.fake.fault(POST, Fault::Late(NEVER));
    stage.steer(stage.channel, "/daily reveal").await;
    let mut stood = 0;
    loop {
        let more = || async {
            let now = said(&stage, card.spot).len();
            (now > stood).then_some(now)
        };
        stood = eventually("the next part stands", PATIENCE, more).await;
        assert!(stood < 20, "{:#?}", said(&stage, card.spot));
        stage.crash().await;
        if said(&stage, card.spot).iter().any(|line| line.contains("Key points, and who")) {
            break;
        }
        // The next look finds what stands; the part after it is held up again.
        stage.fake.fault(POST, Fault::Late(NEVER));
        stage.come_back().await;
    }
    stage.come_back().await;
    stage.settled().await;
    let all = said(&stage, card.spot);
    let different: BTreeSet<&String> = all.iter().collect();
    assert_eq!(different.len(), all.len(), "{all:#?}");
    assert!(all.len() >= 2 && all[0].contains("Model answer"), "{all:#?}");
    assert!(all.last().expect("parts").contains("Key points, and who"), "{all:#?}");
    assert_eq!(stage.fake.messages(stage.channel).len(), 1, "nothing of it in the channel");
    stage.end().await;
}

// ---- out of reach

/// A way to Slack that can be closed: connections are refused then.
struct Way {
    address: SocketAddr,
    to: SocketAddr,
    open: Option<JoinHandle<()>>,
}

impl Way {
    async fn to(url: &str) -> Way {
        let to = url.trim_start_matches("http://").parse().expect("an address");
        let mut way = Way { address: "127.0.0.1:0".parse().expect("an address"), to, open: None };
        way.open().await;
        way
    }

    async fn open(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("the address is free");
        self.address = listener.local_addr().expect("an address");
        let to = self.to;
        self.open = Some(tokio::spawn(async move {
            // They end with this task.
            let mut lines = JoinSet::new();
            while let Ok((mut here, _)) = listener.accept().await {
                lines.spawn(async move {
                    if let Ok(mut there) = TcpStream::connect(to).await {
                        let _ = copy_bidirectional(&mut here, &mut there).await;
                    }
                });
            }
        }));
    }

    async fn close(&mut self) {
        let open = self.open.take().expect("it is open");
        open.abort();
        let _ = open.await;
        assert!(TcpStream::connect(self.address).await.is_err(), "connections are refused");
    }
}

#[tokio::test]
async fn a_refused_connection_leaves_no_doubt_and_the_question_goes_out_later() {
    let mut stage = Stage::dark().await;
    let mut way = Way::to(&stage.fake.url()).await;
    stage.settings.api_url = format!("http://{}", way.address);
    let stage = stage.started().await;
    stage.schedule(LONG).await;
    way.close().await;
    stage.steer(stage.channel, "/daily now").await;
    // Two attempts at least.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(stage.cards().len(), 0);
    way.open().await;
    one_card(&stage).await;
    assert_eq!(looks(&stage), 0, "what was refused cannot have got through");
    stage.end().await;
}

#[tokio::test]
async fn while_slack_is_away_a_question_waits() {
    for kind in [Outage::Unreachable, Outage::Unavailable] {
        let stage = Stage::new().await;
        stage.schedule(LONG).await;
        stage.fake.outage(kind);
        stage.steer(stage.channel, "/daily now").await;
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        assert_eq!(stage.cards().len(), 0);
        stage.fake.recover();
        one_card(&stage).await;
        stage.end().await;
    }
}

// ---- edits

#[tokio::test]
async fn a_card_is_brought_up_to_date_whatever_happens_to_the_request() {
    let stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    stage.settled().await;
    for (n, fault) in [Fault::CutAfterRequest, Fault::CutBeforeRequest, Fault::Status(502), Fault::Error("fatal_error")]
        .into_iter()
        .enumerate()
    {
        stage.fake.fault("chat.update", fault);
        let who = stage.fake.member(stage.team, &format!("P{n}"));
        let form = stage.fake.press(who, &card, "Answer").await;
        stage.fake.submit(who, form.modal(), &[("answer", PART)]).await;
        let words = if n == 0 { "1 person".to_owned() } else { format!("{} people", n + 1) };
        stage.fake.until(stage.channel, &words).await;
    }
    stage.settled().await;
    assert_eq!(stage.letters(stage.ann), Vec::<String>::new());
    // It is still found by its key.
    let key = stage.fake.with(|model| model.messages[&card.spot].metadata.clone());
    assert!(key.is_some_and(|key| key.to_string().contains("question:")));
    stage.end().await;
}

#[tokio::test]
async fn a_deleted_card_ends_nothing() {
    let stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    stage.noted(&card).await;
    stage.fake.reply(stage.bob, card.spot, PART);
    stage.fake.until(stage.channel, "1 person").await;
    stage.settled().await;
    // With a reply under it its place stays.
    stage.fake.delete(card.spot);
    for who in [stage.cleo, stage.ann] {
        let written = stage.fake.reply(who, card.spot, FULL);
        stage.fake.until_reaction(written, "inbox_tray").await;
        stage.settled().await;
    }
    let told = stage.reveal(card.spot).await;
    assert!(told.last().expect("the key points").text().contains("3 people answered"), "{told:#?}");
    stage.settled().await;
    let letters = stage.letters(stage.ann);
    assert!(letters.len() == 1 && letters[0].contains("the message was deleted"), "{letters:#?}");
    stage.ask().await;
    stage.end().await;
}

#[tokio::test]
async fn an_edit_that_slack_refuses_says_why() {
    let stage = Stage::dark().await;
    let chat = stage.chat();
    let channel = stage.channel_id(stage.channel);
    let place = Place { channel: channel.clone(), thread: None, audience: Audience::Everyone };
    let (key, message) = (DeliveryId::new("question:r1"), Message::say("Hello."));
    let post = Post {
        key: &key,
        place: &place,
        message: &message,
        opens_thread: None,
        since: 0,
        ping: None,
        labels: &[],
        announces: false,
    };
    let posted = chat.post(post).await.expect("it is posted").message;
    chat.edit(&place, &posted, &message).await.expect("it is changed");
    let refused = async || chat.edit(&place, &posted, &message).await.expect_err("it is refused");
    stage.fake.fault("chat.update", Fault::Error("edit_window_closed"));
    let closed = refused().await;
    assert!(matches!(&closed, SendError::Fatal { why } if why.contains("Message Editing")), "{closed:?}");
    stage.fake.archive(stage.channel);
    let archived = refused().await;
    assert!(matches!(&archived, SendError::Gone { why } if why.contains("is archived. Unarchive it")), "{archived:?}");
    stage.fake.unarchive(stage.channel);
    stage.fake.delete(stage.fake.messages(stage.channel)[0].spot);
    let deleted = refused().await;
    assert!(matches!(&deleted, SendError::Fatal { why } if why.contains("was deleted")), "{deleted:?}");
    stage.end().await;
}

// ---- the pace

#[tokio::test]
async fn a_pause_that_slack_asks_for_is_kept_and_holds_up_nothing_else() {
    const PAUSE: u32 = 3;
    let stage = Stage::new().await;
    let other = stage.fake.public_channel(stage.team, "other");
    stage.steer(other, &format!("/daily set {LONG}")).await;
    let card = stage.question(LONG).await;
    stage.noted(&card).await;
    stage.fake.fault(POST, Fault::TooMany { retry_after_s: PAUSE });
    stage.another(stage.channel).await;
    let refused = || async { stage.fake.requests(POST).into_iter().find(|one| one.status == 429) };
    let refused: Request = eventually("Slack asks for a pause", PATIENCE, refused).await;
    // What comes meanwhile waits too, and members are served.
    stage.steer(other, "/daily now").await;
    let hint = stage.fake.press(stage.bob, &card, "Hint (−10 points)").await;
    assert_eq!(hint.kind, SeenKind::Message { ephemeral: true }, "{}", hint.text());
    let written = stage.fake.reply(stage.cleo, card.spot, PART);
    stage.fake.until_reaction(written, "inbox_tray").await;
    eventually("the second question", PATIENCE, || async { stage.cards().into_iter().nth(1) }).await;
    eventually("the other channel's", PATIENCE, || async { stage.cards_in(other).into_iter().next() }).await;
    let until = refused.at + Duration::from_secs(PAUSE.into());
    let early = stage.fake.requests(POST).into_iter().filter(|one| one.at > refused.at && one.at < until).count();
    assert_eq!(early, 0);
    assert_eq!(looks(&stage), 0, "what was put off cannot have got through");
    stage.end().await;
}

#[tokio::test]
async fn a_dozen_questions_at_once_and_seven_letters_to_one_person_keep_within_slacks_limits() {
    let mut stage = Stage::dark().await;
    let mut channels = vec![stage.channel];
    channels.extend((0..12).map(|n| stage.fake.public_channel(stage.team, &format!("drill-{n}"))));
    for channel in &channels {
        stage.fake.invite(*channel);
        stage.steer(*channel, &format!("/daily set {LONG}")).await;
        stage.steer(*channel, "/daily now").await;
    }
    for n in 1..=7 {
        let trouble = format!("trouble {n}");
        stage.app.step_failed(&stage.channel_id(stage.channel), Step::Read, &trouble).await.expect("a note");
    }
    stage.start();
    stage.settled().await;
    for channel in &channels {
        assert_eq!(stage.cards_in(*channel).len(), 1);
    }
    let letters = stage.letters(stage.ann);
    assert!(letters.len() == 7 && letters.is_sorted(), "{letters:#?}");
    let too_many = stage.fake.with(|model| model.rates.too_many);
    assert_eq!(too_many, 0);
    stage.end().await;
}

// ---- manners

#[tokio::test]
async fn every_message_has_a_text_for_screen_readers_and_unfolds_no_links() {
    let stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    stage.noted(&card).await;
    stage.fake.reply(stage.bob, card.spot, FULL);
    stage.fake.until(stage.channel, "1 person").await;
    stage.reveal(card.spot).await;
    stage.app.step_failed(&stage.channel_id(stage.channel), Step::Read, "something").await.expect("a note");
    stage.settled().await;
    assert_eq!(stage.letters(stage.ann).len(), 1);
    let posted = stage.fake.requests(POST);
    assert!(posted.len() >= 3, "{posted:#?}");
    for Request { body, .. } in posted.iter().chain(&stage.fake.requests("chat.update")) {
        assert!(body["text"].as_str().is_some_and(|text| !text.trim().is_empty()), "{body:#}");
    }
    for Request { body, .. } in &posted {
        assert!(body["unfurl_links"] == false && body["unfurl_media"] == false, "{body:#}");
        assert!(body["link_names"] != true && body["parse"] != "full", "{body:#}");
    }
    stage.end().await;
}

// ---- reading

#[tokio::test]
async fn a_long_thread_is_read_to_its_end_at_the_pace_that_slack_allows() {
    let mut stage = Stage::roomy().await;
    let card = stage.question(LONG).await;
    stage.noted(&card).await;
    stage.settled().await;
    stage.crash().await;
    let (bob, cleo, ann) = (stage.bob, stage.cleo, stage.ann);
    let first = stage.fake.reply(bob, card.spot, "Hm.");
    let gone = stage.fake.reply(cleo, card.spot, FULL);
    let many: Vec<Spot> =
        (0..430).map(|n| stage.fake.reply([bob, cleo, ann][n % 3], card.spot, "Let me think.")).collect();
    stage.fake.reply(cleo, card.spot, PART);
    stage.fake.reply(ann, card.spot, FULL);
    stage.fake.edit(first, FULL);
    stage.fake.delete(gone);
    many[200..220].iter().for_each(|one| stage.fake.delete(*one));
    let begun = stage.fake.requests("conversations.replies").len();
    // The second page has to wait longer than a call does by itself.
    stage.fake.fault("conversations.replies", Fault::Late(Duration::ZERO));
    stage.fake.fault("conversations.replies", Fault::TooMany { retry_after_s: 2 });
    stage.come_back().await;
    stage.fake.until(stage.channel, "3 people").await;
    let read = stage.fake.requests("conversations.replies").split_off(begun);
    assert_eq!(read[1].status, 429);
    assert_eq!(read[1].body["cursor"], read[2].body["cursor"], "it goes on where it was");
    let told = stage.reveal(card.spot).await;
    let points = told.last().expect("the key points");
    for (who, worth) in [(bob, "100 of 100"), (cleo, "50 of 100"), (ann, "100 of 100")] {
        let seen = stage.fake.press(who, points, "My result").await;
        assert!(seen.text().contains(worth), "{worth} in {}", seen.text());
    }
    stage.end().await;
}
