//! The fake against real clients: reqwest for REST, serenity for the gateway.

mod gateway;
mod people;
mod rest;

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use serenity::all::{ClientBuilder, Context, Event, GatewayIntents, HttpBuilder, Interaction, RawEventHandler};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::{Fake, Id, Permissions};

const NO_CALLS: &str = r#"{"parse": []}"#;

/// A small bot: every event goes into a queue, requests are made by hand.
struct Bot {
    rest: Rest,
    events: Mutex<UnboundedReceiver<Event>>,
    client: JoinHandle<()>,
}

/// The REST side alone.
struct Rest {
    client: reqwest::Client,
    url: String,
    token: String,
}

struct Forward(UnboundedSender<Event>);

#[serenity::async_trait]
impl RawEventHandler for Forward {
    async fn raw_event(&self, _: Context, event: Event) {
        let _ = self.0.send(event);
    }
}

fn usual_intents() -> GatewayIntents {
    GatewayIntents::GUILDS
        | GatewayIntents::GUILD_MESSAGES
        | GatewayIntents::DIRECT_MESSAGES
        | GatewayIntents::MESSAGE_CONTENT
}

impl Rest {
    fn new(fake: &Fake) -> Rest {
        let client = reqwest::Client::builder().user_agent("DiscordBot (https://example.org, 1)").build();
        Rest { client: client.expect("a client"), url: fake.url(), token: fake.token() }
    }

    async fn try_call(&self, method: &str, path: &str, body: Value) -> reqwest::Result<reqwest::Response> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self.client.request(method, format!("{}/api/v10{path}", self.url));
        let request = request.header("Authorization", format!("Bot {}", self.token));
        if body.is_null() { request.send().await } else { request.json(&body).send().await }
    }

    /// Status and body.
    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let response = self.try_call(method, path, body).await.expect("an answer");
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, Value::Null).await
    }

    async fn post(&self, channel: Id, content: &str) -> (u16, Value) {
        self.call("POST", &format!("/channels/{channel}/messages"), text(content)).await
    }

    async fn register(&self, commands: Value) -> (u16, Value) {
        let (_, own) = self.get("/applications/@me").await;
        let id = own["id"].as_str().expect("an id");
        self.call("PUT", &format!("/applications/{id}/commands"), commands).await
    }
}

impl Bot {
    async fn start(fake: &Fake, intents: GatewayIntents) -> Bot {
        Bot::start_one_of(fake, intents, 0, 1).await
    }

    /// One of two shards.
    async fn start_shard(fake: &Fake, intents: GatewayIntents, shard: u64) -> Bot {
        Bot::start_one_of(fake, intents, u32::try_from(shard).expect("0 or 1"), 2).await
    }

    async fn start_one_of(fake: &Fake, intents: GatewayIntents, shard: u32, shards: u32) -> Bot {
        let (send, events) = unbounded_channel();
        let http = HttpBuilder::new(fake.token()).proxy(fake.url()).ratelimiter_disabled(true).build();
        let builder = ClientBuilder::new_with_http(http, intents).raw_event_handler(Forward(send));
        let mut client = builder.await.expect("a client");
        let client = tokio::spawn(async move {
            let _ = client.start_shard(shard, shards).await;
        });
        Bot { rest: Rest::new(fake), events: Mutex::new(events), client }
    }

    async fn has_heard_nothing(&self) -> bool {
        self.events.lock().await.try_recv().is_err()
    }

    async fn next(&self) -> Event {
        let event = async { self.events.lock().await.recv().await };
        tokio::time::timeout(Duration::from_secs(20), event).await.expect("an event in time").expect("a living client")
    }

    /// The next event of a kind; what comes before it is passed over.
    async fn next_of(&self, name: &str) -> Event {
        loop {
            let event = self.next().await;
            if event.name().as_deref() == Some(name) {
                return event;
            }
        }
    }

    async fn next_text(&self) -> String {
        match self.next_of("MESSAGE_CREATE").await {
            Event::MessageCreate(event) => event.message.content,
            other => panic!("{other:?}"),
        }
    }

    /// The next interaction.
    async fn asked(&self) -> Asked<'_> {
        match self.next_of("INTERACTION_CREATE").await {
            Event::InteractionCreate(event) => {
                let token = event.interaction.token().to_owned();
                Asked { id: event.interaction.id().get(), token, what: event.interaction, rest: &self.rest }
            }
            other => panic!("{other:?}"),
        }
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.client.abort();
    }
}

struct Asked<'a> {
    id: Id,
    token: String,
    what: Interaction,
    rest: &'a Rest,
}

impl Asked<'_> {
    async fn respond(&self, body: Value) -> (u16, Value) {
        self.rest.call("POST", &format!("/interactions/{}/{}/callback", self.id, self.token), body).await
    }

    /// A request about a response, by the path after the token.
    async fn later(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let (_, own) = self.rest.get("/users/@me").await;
        let id = own["id"].as_str().expect("an id");
        self.rest.call(method, &format!("/webhooks/{id}/{}{path}", self.token), body).await
    }
}

fn text(content: &str) -> Value {
    json!({"content": content, "allowed_mentions": no_calls()})
}

fn no_calls() -> Value {
    serde_json::from_str(NO_CALLS).expect("JSON")
}

fn id_of(message: &Value) -> Id {
    message["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("no id: {message}"))
}

fn button(label: &str, custom_id: &str) -> Value {
    json!({"type": 2, "style": 1, "label": label, "custom_id": custom_id})
}

/// A guild with a channel and two members.
struct Place {
    fake: Fake,
    guild: Id,
    channel: Id,
    ann: Id,
    bob: Id,
}

async fn place() -> Place {
    let fake = Fake::start().await;
    let guild = fake.guild("Study group");
    let channel = fake.text_channel(guild, "daily-drill");
    let ann = fake.member(guild, "Ann", Permissions::MANAGE_GUILD);
    let bob = fake.member(guild, "Bob", Permissions::empty());
    Place { fake, guild, channel, ann, bob }
}
