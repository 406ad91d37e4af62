//! Events at an address of the app: signatures, repetitions, and the other shapes of commands and interactions.

use std::sync::Mutex;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use slack_morphism::signature_verifier::SlackEventSignatureVerifier;

use super::super::{SeenKind, Signature};
use super::*;

/// An app with an address: it remembers what came and answers what it is told.
struct Address {
    url: String,
    came: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
}

type Told = (Arc<Mutex<Vec<(HeaderMap, String)>>>, Arc<Mutex<VecDeque<(u16, String)>>>);

async fn hear(State((came, answers)): State<Told>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = String::from_utf8(to_bytes(body, 1 << 20).await.expect("a body").to_vec()).expect("text");
    came.lock().expect("no panic").push((parts.headers, body));
    let (status, body) = answers.lock().expect("no panic").pop_front().unwrap_or((200, String::new()));
    Response::builder().status(status).body(Body::from(body)).expect("an answer")
}

impl Address {
    async fn start(fake: &Fake) -> Address {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/slack", listener.local_addr().expect("an address"));
        let (came, answers): Told = Default::default();
        let router = Router::new().fallback(hear).with_state((Arc::clone(&came), Arc::clone(&answers)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake.send_to(&url);
        Address { url, came, answers }
    }

    fn answer(&self, status: u16, body: &str) {
        self.answers.lock().expect("no panic").push_back((status, body.to_owned()));
    }

    fn last(&self) -> (HeaderMap, String) {
        self.came.lock().expect("no panic").last().cloned().expect("a request")
    }

    /// Whether the library takes the last request for Slack's.
    fn last_is_genuine(&self, fake: &Fake) -> bool {
        let (headers, body) = self.last();
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let verifier = SlackEventSignatureVerifier::new(&fake.signing_secret().into());
        verifier.verify(header("x-slack-signature"), &body, header("x-slack-request-timestamp")).is_ok()
    }
}

#[tokio::test]
async fn events_are_signed_and_come_again_after_an_error() {
    let Place { fake, channel, bob, .. } = place().await;
    fake.with(|model| model.timing.retries = [Duration::ZERO; 3]);
    let address = Address::start(&fake).await;
    fake.write(bob, channel, "hello");
    fake.settled().await;
    let event: Value = serde_json::from_str(&address.last().1).expect("JSON");
    assert_eq!(event["event"]["text"], "hello");
    assert!(address.last_is_genuine(&fake));
    address.answer(500, "");
    fake.write(bob, channel, "again");
    fake.settled().await;
    let headers = address.last().0;
    assert_eq!(
        (&headers["x-slack-retry-num"], &headers["x-slack-retry-reason"]),
        (&"1".parse().expect("ASCII"), &"http_error".parse().expect("ASCII"))
    );
    assert_eq!(fake.posts().iter().filter_map(|post| post.status).collect::<Vec<u16>>(), [200, 500, 200]);
    for fault in [Signature::Wrong, Signature::Old, Signature::Missing] {
        fake.with(|model| model.faults.signatures.push_back(fault));
        fake.write(bob, channel, "not genuine");
        fake.settled().await;
        assert!(!address.last_is_genuine(&fake), "{fault:?}");
    }
    let before = address.last();
    assert_eq!(fake.replay().await, Some(200));
    assert_eq!(before.1, address.last().1);
    assert_eq!(fake.signature(1, "x").len(), 67);
    fake.check();
}

#[tokio::test]
async fn the_address_proves_itself_by_a_challenge() {
    let fake = Fake::start().await;
    let address = Address::start(&fake).await;
    assert!(fake.verify_url().await.is_err());
    let challenge: Value = serde_json::from_str(&address.last().1).expect("JSON");
    assert_eq!(challenge["type"], "url_verification");
    address.answer(401, "");
    assert_eq!(fake.post_signed("{}").await, Err("http_error".into()));
    fake.check();
}

#[tokio::test]
async fn commands_and_interactions_are_forms() {
    let Place { fake, channel, bob, .. } = place().await;
    let address = Address::start(&fake).await;
    fake.send_commands_to(&format!("{}/commands", address.url), &format!("{}/interactions", address.url));
    address.answer(200, "Pong");
    let seen = fake.command(bob, channel, "/ping a&b").await;
    assert_eq!((seen.kind, seen.text()), (SeenKind::Message { ephemeral: true }, "Pong"));
    let (headers, body) = address.last();
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    assert!(body.contains("text=a%26b") && address.last_is_genuine(&fake), "{body}");
    address.answer(200, &json!({"text": "In JSON", "response_type": "in_channel"}).to_string());
    fake.command(bob, channel, "/ping").await;
    assert_eq!(fake.messages(channel)[0].text(), "In JSON");
    // The app hears of what it said for all.
    fake.settled().await;
    address.answer(500, "");
    assert_eq!(fake.command(bob, channel, "/ping").await.kind, SeenKind::Nothing);
    fake.with(|model| model.timing.patience = Duration::from_millis(20));
    let mine = fake.write(bob, channel, "words");
    assert_eq!(fake.shortcut(bob, mine, "save").await.kind, SeenKind::Silent);
    assert!(
        fake.posts().iter().any(|post| post.url.ends_with("/interactions") && post.body.starts_with("payload=%7B"))
    );
    fake.check();
}
