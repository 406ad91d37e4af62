//! A Slack of our own: Web API, Socket Mode and Events API on this machine, over a model in memory that people's actions and faults change.
//!
//! `model` says what exists and `chat` how it changes; `api` and `http` serve methods, `socket` and `events` bring the app what
//! happens; `wire` shows it; `limits` and `schema` check what the app sends; `people` is what people do; `text`
//! and `dates` are what they see.

mod api;
mod chat;
mod dates;
mod events;
mod faults;
mod http;
mod limits;
mod manifest;
mod model;
pub mod payloads;
mod people;
mod rates;
pub mod samples;
mod schema;
mod socket;
mod text;
mod wire;
mod world;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use events::{Ack, Post, What};
pub use faults::{Fault, Outage, Signature};
pub use model::{Id, Model, Request, Spot, Ts};
pub use people::{Seen, SeenKind, Target};
pub use socket::Reason;
pub use text::{Pinged, Screen, Shown};

type Shared = super::shared::Shared<Model>;

/// One running service with one application. It ends when it is dropped.
pub struct Fake {
    shared: Arc<Shared>,
    address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl Fake {
    /// On a free port.
    pub async fn start() -> Fake {
        Fake::start_at("127.0.0.1:0").await
    }

    pub async fn start_at(address: &str) -> Fake {
        let web = TcpListener::bind(address).await.expect("the address is free");
        let sockets = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = web.local_addr().expect("an address");
        let mut model = Model::new();
        model.url = format!("http://{address}");
        model.sockets.url = format!("ws://{}", sockets.local_addr().expect("an address"));
        let (courier, sent) = unbounded_channel();
        model.courier(courier);
        let shared = Arc::new(Shared::new(model));
        let tasks = vec![
            tokio::spawn(http::run(web, Arc::clone(&shared))),
            tokio::spawn(socket::run(sockets, Arc::clone(&shared))),
            tokio::spawn(events::run(sent, Arc::clone(&shared))),
        ];
        Fake { shared, address, tasks }
    }

    /// Where the Web API is; `/chat.postMessage` comes after it.
    pub fn api_url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// Where `/oauth/v2/authorize` is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The token for Socket Mode.
    pub fn app_token(&self) -> String {
        self.with(|model| model.app.app_token.clone())
    }

    pub fn signing_secret(&self) -> String {
        self.with(|model| model.app.signing_secret.clone())
    }

    /// Client id and client secret, for OAuth.
    pub fn client(&self) -> (String, String) {
        self.with(|model| (model.app.client_id.clone(), model.app.client_secret.clone()))
    }

    /// Reads or changes anything: faults, rates, timing, the log.
    pub fn with<T>(&self, by: impl FnOnce(&mut Model) -> T) -> T {
        self.shared.change(by)
    }

    /// Changes whenever anything does.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes()
    }

    /// Whether requests are checked against the schemas of Slack's own types too.
    pub fn checks_schemas(&self) -> bool {
        schema::available()
    }

    /// Fails with every rule that was broken so far.
    #[track_caller]
    pub fn check(&self) {
        let broken = self.violations();
        assert!(broken.is_empty(), "{} rules were broken:\n{}", broken.len(), broken.join("\n"));
    }

    /// Every rule that was broken so far; forgets them.
    pub fn violations(&self) -> Vec<String> {
        self.with(|model| std::mem::take(&mut model.violations))
    }

    /// The requests so far for a method (`chat.postMessage`, or `response_url`).
    pub fn requests(&self, method: &str) -> Vec<Request> {
        self.with(|model| model.log.iter().filter(|one| one.method == method).cloned().collect())
    }

    /// What the app has acknowledged so far.
    pub fn acks(&self) -> Vec<Ack> {
        self.with(|model| model.deliveries.acks.clone())
    }

    /// Lets the next request for this method fail.
    pub fn fault(&self, method: &str, fault: Fault) {
        self.with(|model| model.faults.next.push_back((method.to_owned(), fault)));
    }

    /// Lets every request for this method fail, until `heal`.
    pub fn always(&self, method: &str, fault: Fault) {
        self.with(|model| model.faults.always.push((method.to_owned(), fault)));
    }

    pub fn heal(&self, method: &str) {
        self.with(|model| model.faults.always.retain(|(name, _)| name != method));
    }

    /// Makes every wait for a rate limit so many times as long; zero takes the limits away.
    pub fn scale_rates(&self, by: f64) {
        self.with(|model| model.rates.scale = by);
    }

    /// Sends a frame of the test's own on every socket.
    pub fn say(&self, frame: &str) {
        self.with(|model| model.sockets.say(frame));
    }

    /// The sockets are lost.
    pub fn cut(&self) {
        self.with(|model| model.sockets.cut());
    }

    /// The sockets are closed with a close frame.
    pub fn close_sockets(&self) {
        self.with(|model| model.sockets.close());
    }

    /// The oldest socket stays open, but nothing goes through any more.
    pub fn freeze_one(&self) {
        self.with(|model| model.sockets.freeze_one());
    }

    /// Tells every socket why it has to go.
    pub fn disconnect(&self, reason: Reason) {
        self.with(|model| model.disconnect(reason, false));
    }

    /// Tells the oldest socket.
    pub fn disconnect_oldest(&self, reason: Reason) {
        self.with(|model| model.disconnect(reason, true));
    }

    /// The whole service goes away: as if it were not there, or with 503.
    pub fn outage(&self, kind: Outage) {
        self.with(|model| {
            model.faults.outage = Some(kind);
            model.sockets.cut();
        });
    }

    pub fn recover(&self) {
        self.with(|model| model.faults.outage = None);
    }

    /// How many sockets are open.
    pub fn sockets(&self) -> usize {
        self.with(|model| model.sockets.count())
    }

    /// Waits until a socket is there, at most ten seconds.
    pub async fn connected(&self) {
        self.connected_times(1).await;
    }

    /// Waits until so many sockets are there, at most ten seconds.
    pub async fn connected_times(&self, count: usize) {
        let there = |model: &Model| (model.sockets.count() >= count).then_some(());
        let connected = self.shared.wait(Duration::from_secs(10), there).await;
        connected.expect("the app connects its sockets within ten seconds");
    }

    /// Waits until no socket is left, as when the app's process is gone.
    pub async fn disconnected(&self) {
        let gone = |model: &Model| (model.sockets.count() == 0).then_some(());
        let gone = self.shared.wait(Duration::from_secs(10), gone).await;
        gone.expect("the app's sockets end within ten seconds");
    }

    /// Waits until everything that was sent is acknowledged or given up, at most ten seconds.
    pub async fn settled(&self) {
        let settled = |model: &Model| {
            let open = model.deliveries.all.values().any(|it| it.ack.is_none() && !it.over);
            (!open).then_some(())
        };
        let settled = self.shared.wait(Duration::from_secs(10), settled).await;
        settled.expect("the app acknowledges everything within ten seconds");
    }

    /// Waits until the model says so, at most for people's patience.
    pub async fn wait_for<T>(&self, what: &str, ask: impl Fn(&Model) -> Option<T>) -> T {
        let patience = self.with(|model| model.timing.patience);
        match self.shared.wait(patience, ask).await {
            Some(answer) => answer,
            None => panic!("{what} does not happen; there is\n{}", self.all_text()),
        }
    }

    /// Sends events, commands and interactions to an address of the app instead of its sockets.
    pub fn send_to(&self, url: &str) {
        self.with(|model| model.app.events_url = Some(url.to_owned()));
    }

    /// Commands and interactions have addresses of their own.
    pub fn send_commands_to(&self, commands: &str, interactions: &str) {
        self.with(|model| {
            model.app.commands_url = Some(commands.to_owned());
            model.app.interactions_url = Some(interactions.to_owned());
        });
    }

    /// What was posted to the app's addresses.
    pub fn posts(&self) -> Vec<Post> {
        self.with(|model| model.deliveries.posts.clone())
    }

    /// Asks the app's address for a challenge back, as Slack does when it is entered. An error says what came instead.
    pub async fn verify_url(&self) -> Result<(), String> {
        let challenge = self.with(Model::unique);
        let body = json!({"token": "fake-verification-token", "challenge": challenge, "type": "url_verification"});
        let answer = self.post_signed(&body.to_string()).await?;
        let given = answer.as_ref().map(|it| it["challenge"].as_str().or(it["text"].as_str()).unwrap_or_default());
        if given == Some(challenge.as_str()) {
            Ok(())
        } else {
            Err(format!("the challenge did not come back: {answer:?}"))
        }
    }

    /// Posts any event body to the app's address, signed as the faults say. The body of a 200, or why it failed.
    pub async fn post_signed(&self, body: &str) -> Result<Option<Value>, String> {
        let post = self.with(|model| {
            let url = model.app.events_url.clone().ok_or("the app has no address")?;
            let mut headers = vec![("content-type", "application/json".to_owned())];
            headers.extend(model.signed(body));
            Ok::<Post, String>(Post { url, headers, body: body.to_owned(), status: None })
        })?;
        self.post(post).await
    }

    /// Posts the last request to the app's address once more, byte for byte, with its old signature. The status.
    pub async fn replay(&self) -> Option<u16> {
        let last = self.with(|model| model.deliveries.posts.last().cloned())?;
        let _ = self.post(Post { status: None, ..last }).await;
        self.with(|model| model.deliveries.posts.last()?.status)
    }

    async fn post(&self, post: Post) -> Result<Option<Value>, String> {
        let within = self.with(|model| model.timing.ack);
        events::send(&reqwest::Client::new(), &self.shared, post, within).await.map_err(str::to_owned)
    }

    /// The signature of a body, for requests that a test makes by hand.
    pub fn signature(&self, at_s: u64, body: &str) -> String {
        events::signature(&self.signing_secret(), at_s, body)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        // Connections have tasks of their own.
        self.shared.model().sockets.cut();
    }
}
