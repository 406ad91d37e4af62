//! Slack comes to the bot's own web server: what it brings, and who else may come.

use std::time::Duration;

use drillbot::app::clock::real_ms;
use drillbot::store::outbox;

use super::{PATIENCE, Stage};
use crate::fake::slack::{SeenKind, Signature};
use crate::support::eventually;
use crate::world::{FULL, PART};

const DAILY: &str = "09:00 zone:Europe/London reveal:8h";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

async fn stage() -> Stage {
    let mut stage = Stage::dark().await.over_http();
    stage.start();
    stage
}

fn now_s() -> u64 {
    real_ms().unsigned_abs() / 1_000
}

impl Stage {
    /// Posts a body that is signed as Slack does it.
    async fn knock(&self, kind: &str, body: &str) -> (u16, String) {
        let at = now_s();
        self.knock_with(kind, body.as_bytes().to_vec(), &at.to_string(), &self.fake.signature(at, body)).await
    }

    async fn knock_with(&self, kind: &str, body: Vec<u8>, at: &str, signature: &str) -> (u16, String) {
        let request = reqwest::Client::new()
            .post(self.url("/slack/events"))
            .header("content-type", kind)
            .header("x-slack-request-timestamp", at)
            .header("x-slack-signature", signature)
            .body(body);
        let response = request.send().await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("text"))
    }

    fn message(&self, text: &str) -> String {
        serde_json::json!({
            "type": "event_callback", "team_id": self.team.to_string(), "event_id": "Ev1", "event_time": now_s(),
            "event": {"type": "app_home_opened", "user": self.bob.to_string(), "tab": "home", "channel": "D1", "event_ts": text},
        })
        .to_string()
    }
}

#[tokio::test]
async fn a_question_is_answered_and_revealed() {
    let stage = stage().await;
    let fake = &stage.fake;
    assert_eq!(fake.verify_url().await, Ok(()));
    let card = stage.question(DAILY).await;
    let form = fake.press(stage.bob, &card, "Answer").await;
    assert_eq!(form.kind, SeenKind::Modal, "{}", form.text());
    fake.submit(stage.bob, form.modal(), &[("answer", FULL)]).await;
    let saved = fake.until_screen(stage.bob, "Saved").await;
    assert!(saved.text().contains("You can change it"), "{}", saved.text());
    let written = fake.reply(stage.cleo, card.spot, PART);
    fake.until_reaction(written, "inbox_tray").await;
    fake.until(stage.channel, "2 people").await;
    let told = stage.reveal(card.spot).await;
    assert!(told.last().expect("a reveal").text().contains("2 people answered"), "{told:?}");
    let statuses: Vec<Option<u16>> = fake.posts().iter().map(|post| post.status).collect();
    assert!(statuses.iter().all(|status| *status == Some(200)), "{statuses:?}");
    stage.end().await;
}

#[tokio::test]
async fn what_was_written_while_the_bot_was_dead_is_read_when_it_is_back() {
    let mut stage = stage().await;
    let card = stage.question(DAILY).await;
    eventually("the bot knows that it is posted", PATIENCE, || async {
        let sent = stage.app.store.read("test", |conn| Box::pin(outbox::in_state(conn, "sent"))).await;
        sent.is_ok_and(|sent| !sent.is_empty()).then_some(())
    })
    .await;
    drop(stage.bot.take());
    stage.fake.with(|model| model.faults.no_retries = true);
    stage.fake.reply(stage.cleo, card.spot, FULL);
    stage.app.take_over().await.expect("the outbox can be taken over");
    stage.start();
    stage.answers().await;
    stage.fake.until(stage.channel, "1 person").await;
    stage.end().await;
}

#[tokio::test]
async fn nobody_but_slack_is_heard() {
    let stage = stage().await;
    let body = stage.message("1");
    let (at, later) = (now_s(), now_s() + 400);
    let good = stage.fake.signature(at, &body);
    let old = stage.fake.signature(at - 301, &body);
    let refused = [
        (at.to_string(), good.replace("v0=", "v0=0")),
        (at.to_string(), String::new()),
        (at.to_string(), "v0=".to_owned()),
        // Signed well, at another time.
        ((at + 1).to_string(), good.clone()),
        ((at - 301).to_string(), old),
        (later.to_string(), stage.fake.signature(later, &body)),
        ("now".to_owned(), good.clone()),
        (i64::MIN.to_string(), good.clone()),
    ];
    for (time, signature) in refused {
        let (status, words) = stage.knock_with(JSON, body.clone().into_bytes(), &time, &signature).await;
        assert_eq!((status, words.as_str()), (401, ""), "{time} {signature}");
    }
    // Another body than the one that was signed, and one that is no text.
    let other = stage.message("2").into_bytes();
    assert_eq!(stage.knock_with(JSON, other, &at.to_string(), &good).await.0, 401);
    assert_eq!(stage.knock_with(JSON, vec![0xff, 0xfe], &at.to_string(), &good).await.0, 401);
    // Without the headers.
    let bare =
        reqwest::Client::new().post(stage.url("/slack/events")).body(body.clone()).send().await.expect("an answer");
    assert_eq!(bare.status().as_u16(), 401);
    assert!(stage.fake.requests("views.publish").is_empty(), "nothing was done");
    // The signed one is good once.
    assert_eq!(stage.knock_with(JSON, body.clone().into_bytes(), &at.to_string(), &good).await.0, 200);
    eventually("the home is shown", PATIENCE, || async {
        (!stage.fake.requests("views.publish").is_empty()).then_some(())
    })
    .await;
    assert_eq!(stage.knock_with(JSON, body.into_bytes(), &at.to_string(), &good).await.0, 401);
    stage.end().await;
}

#[tokio::test]
async fn redelivery_is_taken_and_a_replay_is_not() {
    let stage = stage().await;
    stage.fake.with(|model| model.timing.retries = [Duration::ZERO; 3]);
    let card = stage.question(DAILY).await;
    stage.fake.with(|model| model.faults.signatures.push_back(Signature::Wrong));
    let written = stage.fake.reply(stage.cleo, card.spot, FULL);
    stage.fake.until_reaction(written, "inbox_tray").await;
    stage.fake.until(stage.channel, "1 person").await;
    stage.fake.settled().await;
    assert_eq!(stage.fake.replay().await, Some(401));
    stage.end().await;
}

#[tokio::test]
async fn what_slack_signed_and_cannot_be_read_is_told_apart() {
    let stage = stage().await;
    let cases = [
        (JSON, "{", 400),
        (JSON, "{}", 400),
        (JSON, "{\"type\":\"url_verification\"}", 400),
        (JSON, "{\"type\":\"something_new\"}", 200),
        (JSON, "{\"type\":\"event_callback\"}", 200),
        (JSON, "{\"type\":\"app_rate_limited\",\"team_id\":\"T1\",\"minute_rate_limited\":1}", 200),
        (FORM, "", 400),
        (FORM, "hello=1", 400),
        (FORM, "payload=%7B", 400),
        (FORM, "payload=%7B%7D", 200),
        (FORM, "command=%2Fdrill", 200),
        (FORM, "ssl_check=1&token=x", 200),
    ];
    for (kind, body, expected) in cases {
        let (status, words) = stage.knock(kind, body).await;
        assert_eq!((status, words.as_str()), (expected, ""), "{body}");
    }
    let (status, words) = stage.knock(JSON, "{\"type\":\"url_verification\",\"challenge\":\"abc\"}").await;
    assert_eq!((status, words.as_str()), (200, "abc"));
    let large = "x".repeat(1024 * 1024 + 1);
    assert_eq!(stage.knock(JSON, &large).await.0, 413);
    // The same without saying how long it is.
    let at = now_s();
    let parts = futures_util::stream::iter((0..1025).map(|_| Ok::<_, std::io::Error>("x".repeat(1024))));
    let streamed = reqwest::Client::new()
        .post(stage.url("/slack/events"))
        .header("x-slack-request-timestamp", at)
        .header("x-slack-signature", stage.fake.signature(at, &"x".repeat(1025 * 1024)))
        .body(reqwest::Body::wrap_stream(parts));
    assert_eq!(streamed.send().await.expect("an answer").status().as_u16(), 413);
    stage.end().await;
}
