//! A Discord of our own: REST and gateway on this machine, over a model in memory that people's actions and faults change.
//!
//! `model` says what exists; `rest`, `gateway` and `http` serve it; `wire` shows it; `limits` and `schema` check what the bot
//! sends; `members` is what people do; `text` is what they see.

mod faults;
mod gateway;
mod http;
mod limits;
mod members;
mod model;
mod rates;
mod rest;
mod schema;
mod text;
mod wire;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use faults::{Fault, Matcher, Outage};
pub use members::{Kind, Seen};
pub use model::{Id, Model, Permissions, Pinged, Request};
pub use text::Shown;

/// One running service with one application. It ends when it is dropped.
pub struct Fake {
    shared: Arc<Shared>,
    address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

type Shared = super::shared::Shared<Model>;

impl Fake {
    /// On a free port.
    pub async fn start() -> Fake {
        Fake::start_at("127.0.0.1:0").await
    }

    pub async fn start_at(address: &str) -> Fake {
        let rest = TcpListener::bind(address).await.expect("the address is free");
        let gateway = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = rest.local_addr().expect("an address");
        let mut model = Model::new();
        model.sessions.url = format!("ws://{}", gateway.local_addr().expect("an address"));
        model.sessions.recommended_shards = 1;
        model.sessions.max_concurrency = 1;
        model.sessions.reset_after = Duration::from_secs(86_400);
        let shared = Arc::new(Shared::new(model));
        let rest = tokio::spawn(http::run(rest, Arc::clone(&shared)));
        let tasks = vec![rest, tokio::spawn(gateway::run(gateway, Arc::clone(&shared)))];
        Fake { shared, address, tasks }
    }

    /// Where the bot's REST client goes; `/api/v10/..` comes after it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn token(&self) -> String {
        self.with(|model| model.application.token.clone())
    }

    /// Reads or changes anything: faults, rates, timing, the log.
    pub fn with<T>(&self, by: impl FnOnce(&mut Model) -> T) -> T {
        self.shared.change(by)
    }

    /// Whether requests and answers are checked against Discord's OpenAPI document too.
    pub fn checks_specification(&self) -> bool {
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

    /// The requests so far whose path ends so.
    pub fn requests(&self, method: &str, ending: &str) -> Vec<Request> {
        let fits = |one: &&Request| one.method == method && one.path.ends_with(ending);
        self.with(|model| model.log.iter().filter(fits).cloned().collect())
    }

    /// Lets the next request of this kind fail. `path` is the template of the OpenAPI document or the beginning of a real path.
    pub fn fault(&self, method: &'static str, path: &str, fault: Fault) {
        let matcher = Matcher { method, path: path.to_owned() };
        self.with(|model| model.faults.next.push_back((matcher, fault)));
    }

    /// Makes every rate limit's window so many times as long; zero takes them away.
    pub fn scale_rates(&self, by: f64) {
        self.with(|model| model.rates.scale = by);
    }

    /// Grants or takes the Message Content intent in the developer portal.
    pub fn grant_message_content(&self, granted: bool) {
        self.with(|model| model.application.message_content = granted);
    }

    /// The gateway's connections are lost.
    pub fn cut(&self) {
        self.with(Model::cut);
    }

    /// The gateway closes its connections with a code.
    pub fn close(&self, code: u16) {
        self.with(|model| model.close(code));
    }

    pub fn reconnect_now(&self) {
        self.with(Model::reconnect_now);
    }

    pub fn invalidate(&self, resumable: bool) {
        self.with(|model| model.invalidate(resumable));
    }

    /// The whole service goes away: as if it were not there, or with 503.
    pub fn outage(&self, kind: Outage) {
        self.with(|model| {
            model.faults.outage = Some(kind);
            model.cut();
        });
    }

    pub fn recover(&self) {
        self.with(|model| model.faults.outage = None);
    }

    /// Waits until a session is there, at most ten seconds.
    pub async fn connected(&self) {
        let connected = self.shared.wait(Duration::from_secs(10), |model| model.connected().then_some(())).await;
        connected.expect("the bot connects to the gateway within ten seconds");
    }

    /// Waits until no connection is left, as when the bot's process is gone.
    pub async fn disconnected(&self) {
        let gone = self.shared.wait(Duration::from_secs(10), |model| (!model.connected()).then_some(())).await;
        gone.expect("the bot's connections end within ten seconds");
    }

    /// The commands as the bot registered them.
    pub fn commands(&self) -> Vec<Value> {
        self.with(|model| model.application.commands.iter().map(|one| one.form.clone()).collect())
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        // Connections have tasks of their own.
        self.shared.model().cut();
    }
}
