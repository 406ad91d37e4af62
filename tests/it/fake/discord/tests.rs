//! The fake against real clients: reqwest for REST, serenity for the gateway.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use serenity::all::{ClientBuilder, Context, Event, GatewayIntents, HttpBuilder, Interaction, RawEventHandler};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::{Fake, Fault, Id, Kind, Outage, Permissions, Pinged, Request, Seen, Shown};

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
        let (send, events) = unbounded_channel();
        let http = HttpBuilder::new(fake.token()).proxy(fake.url()).ratelimiter_disabled(true).build();
        let builder = ClientBuilder::new_with_http(http, intents).raw_event_handler(Forward(send));
        let mut client = builder.await.expect("a client");
        let client = tokio::spawn(async move {
            let _ = client.start().await;
        });
        Bot { rest: Rest::new(fake), events: Mutex::new(events), client }
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

#[tokio::test]
async fn serenity_connects_hears_of_a_message_and_resumes_after_a_cut() {
    let Place { fake, channel, bob, .. } = place().await;
    let bot = Bot::start(&fake, usual_intents()).await;
    assert_eq!(bot.next().await.name().as_deref(), Some("READY"));
    match bot.next().await {
        Event::GuildCreate(event) => assert_eq!(event.guild.name, "Study group"),
        other => panic!("{other:?}"),
    }
    fake.write(bob, channel, "before");
    assert_eq!(bot.next_text().await, "before");
    fake.cut();
    fake.write(bob, channel, "while away");
    assert_eq!(bot.next_text().await, "while away");
    bot.next_of("RESUMED").await;
    fake.connected().await;
    fake.reconnect_now();
    bot.next_of("RESUMED").await;
    fake.write(bob, channel, "after");
    assert_eq!(bot.next_text().await, "after");
    assert_eq!(fake.with(|model| (model.sessions.identified, model.sessions.resumed)), (1, 2));
    fake.check();
}

#[tokio::test]
async fn an_invalid_session_begins_anew_and_a_missed_heartbeat_is_noticed() {
    let Place { fake, .. } = place().await;
    fake.with(|model| model.timing.heartbeat = Duration::from_millis(300));
    let bot = Bot::start(&fake, usual_intents()).await;
    bot.next_of("READY").await;
    fake.shared
        .wait(Duration::from_secs(10), |model| (model.sessions.heartbeats > 1).then_some(()))
        .await
        .expect("beats");
    fake.with(|model| model.faults.no_heartbeat_ack = true);
    fake.shared.wait(Duration::from_secs(10), |model| (!model.connected()).then_some(())).await.expect("an end");
    fake.with(|model| model.faults.no_heartbeat_ack = false);
    fake.connected().await;
    fake.invalidate(false);
    bot.next_of("READY").await;
    fake.check();
}

#[tokio::test]
async fn an_intent_that_was_not_granted_closes_with_4014() {
    let Place { fake, .. } = place().await;
    fake.grant_message_content(false);
    let http = HttpBuilder::new(fake.token()).proxy(fake.url()).ratelimiter_disabled(true).build();
    let mut client = ClientBuilder::new_with_http(http, usual_intents()).await.expect("a client");
    let error = client.start().await.expect_err("refused");
    assert!(format!("{error:?}").contains("DisallowedGatewayIntents"), "{error:?}");
    fake.check();
}

#[tokio::test]
async fn every_kind_of_event_is_understood() {
    let Place { fake, guild, channel, ann, bob } = place().await;
    fake.with(|model| model.application.guild_members = true);
    let bot = Bot::start(&fake, usual_intents() | GatewayIntents::GUILD_MEMBERS).await;
    bot.next_of("GUILD_CREATE").await;

    let second = fake.announcement_channel(guild, "news");
    bot.next_of("CHANNEL_CREATE").await;
    let forum = fake.forum_channel(guild, "drills", &["iam", "eks"]);
    bot.next_of("CHANNEL_CREATE").await;
    fake.deny(second, Permissions::SEND_MESSAGES);
    bot.next_of("CHANNEL_UPDATE").await;
    let message = fake.write(bob, channel, "one");
    bot.next_of("MESSAGE_CREATE").await;
    fake.edit(message, "one and a half");
    bot.next_of("MESSAGE_UPDATE").await;
    let (status, thread) =
        bot.rest.call("POST", &format!("/channels/{channel}/messages/{message}/threads"), json!({"name": "T"})).await;
    assert_eq!((status, id_of(&thread)), (201, message));
    bot.next_of("THREAD_CREATE").await;
    fake.archive(message);
    bot.next_of("THREAD_UPDATE").await;
    fake.delete_channel(message);
    bot.next_of("THREAD_DELETE").await;
    fake.delete(message);
    bot.next_of("MESSAGE_DELETE").await;
    let pair = [fake.write(bob, channel, "two"), fake.write(bob, channel, "three")];
    fake.delete_many(&pair);
    bot.next_of("MESSAGE_DELETE_BULK").await;
    fake.rename(bob, "Bobby");
    bot.next_of("GUILD_MEMBER_UPDATE").await;
    fake.set_permissions(guild, bob, Permissions::MANAGE_THREADS);
    bot.next_of("GUILD_ROLE_UPDATE").await;
    fake.rename_guild(guild, "Study club");
    bot.next_of("GUILD_UPDATE").await;
    fake.delete_channel(forum);
    bot.next_of("CHANNEL_DELETE").await;
    fake.write(ann, fake.dm(ann), "hello");
    assert_eq!(bot.next_text().await, "hello");
    fake.kick(guild);
    match bot.next_of("GUILD_DELETE").await {
        Event::GuildDelete(event) => assert!(!event.guild.unavailable),
        other => panic!("{other:?}"),
    }
    fake.invite(guild);
    bot.next_of("GUILD_CREATE").await;
    fake.check();
}

#[tokio::test]
async fn events_can_be_lost_doubled_and_out_of_order() {
    let Place { fake, channel, bob, .. } = place().await;
    let bot = Bot::start(&fake, usual_intents()).await;
    bot.next_of("GUILD_CREATE").await;
    fake.with(|model| model.faults.drop_events = 1);
    fake.write(bob, channel, "lost");
    fake.with(|model| model.faults.double_events = 1);
    fake.write(bob, channel, "twice");
    assert_eq!([bot.next_text().await, bot.next_text().await], ["twice", "twice"]);
    fake.with(|model| model.faults.reorder_events = 1);
    fake.write(bob, channel, "first");
    fake.write(bob, channel, "second");
    // serenity runs a task for each event, so only that both come is certain here.
    let mut both = [bot.next_text().await, bot.next_text().await];
    both.sort();
    assert_eq!(both, ["first", "second"]);
    assert_eq!(fake.messages(channel).len(), 4);
    fake.check();
}

#[tokio::test]
async fn without_the_intent_other_peoples_words_are_empty() {
    let Place { fake, channel, bob, .. } = place().await;
    fake.grant_message_content(false);
    let bot = Bot::start(&fake, usual_intents() - GatewayIntents::MESSAGE_CONTENT).await;
    bot.next_of("GUILD_CREATE").await;
    fake.write(bob, channel, "secret");
    assert_eq!(bot.next_text().await, "");
    fake.write(bob, channel, &format!("hey <@{}>", fake.bot()));
    assert!(bot.next_text().await.starts_with("hey "));
    bot.rest.post(channel, "mine").await;
    assert_eq!(bot.next_text().await, "mine");
    fake.write(bob, fake.dm(bob), "in private");
    assert_eq!(bot.next_text().await, "in private");
    let (_, all) = bot.rest.get(&format!("/channels/{channel}/messages")).await;
    let contents: Vec<&str> =
        all.as_array().expect("a list").iter().filter_map(|one| one["content"].as_str()).collect();
    assert_eq!((contents[0], contents[2]), ("mine", ""));
    assert_eq!(fake.messages(channel)[0].text(), "secret");
    fake.check();
}

#[tokio::test]
async fn the_same_nonce_gives_the_same_message() {
    let Place { fake, channel, .. } = place().await;
    let rest = Rest::new(&fake);
    let path = format!("/channels/{channel}/messages");
    let body = json!({"content": "question", "nonce": "q1", "enforce_nonce": true, "allowed_mentions": no_calls()});
    let (_, first) = rest.call("POST", &path, body.clone()).await;
    let (_, second) = rest.call("POST", &path, body.clone()).await;
    assert_eq!((id_of(&first), &first["nonce"]), (id_of(&second), &json!("q1")));
    let (_, all) = rest.get(&path).await;
    assert_eq!(all.as_array().map(Vec::len), Some(1));
    assert!(all[0].get("nonce").is_none(), "only the one who sent it is told");
    fake.with(|model| model.timing.nonce = Duration::ZERO);
    let (_, third) = rest.call("POST", &path, body).await;
    assert_ne!(id_of(&first), id_of(&third));
    fake.check();
}

#[tokio::test]
async fn permissions_are_asked() {
    let Place { fake, guild, channel, .. } = place().await;
    fake.scale_rates(0.0);
    let rest = Rest::new(&fake);
    assert_eq!(rest.post(channel, "yes").await.0, 200);
    fake.deny(channel, Permissions::EMBED_LINKS);
    let with_embed = json!({"content": "words", "embeds": [{"title": "t"}], "allowed_mentions": no_calls()});
    let (status, posted) = rest.call("POST", &format!("/channels/{channel}/messages"), with_embed).await;
    assert_eq!((status, &posted["embeds"]), (200, &json!([])));
    fake.deny(channel, Permissions::READ_MESSAGE_HISTORY);
    assert_eq!(rest.get(&format!("/channels/{channel}/messages")).await, (200, json!([])));
    fake.deny(channel, Permissions::SEND_MESSAGES);
    let (status, refused) = rest.post(channel, "no").await;
    assert_eq!((status, &refused["code"]), (403, &json!(50013)));
    fake.deny(channel, Permissions::VIEW_CHANNEL);
    let (status, refused) = rest.post(channel, "no").await;
    assert_eq!((status, &refused["code"]), (403, &json!(50001)));
    fake.allow(channel, Permissions::VIEW_CHANNEL | Permissions::SEND_MESSAGES);
    assert_eq!(rest.post(channel, "yes").await.0, 200);
    assert_eq!(rest.post(1, "nowhere").await.1["code"], 10003);
    let stranger = Rest { token: "wrong".into(), ..Rest::new(&fake) };
    assert_eq!(stranger.get("/users/@me").await.0, 401);
    fake.kick(guild);
    assert_eq!(rest.get(&format!("/guilds/{guild}")).await.1["code"], 10004);
    assert_eq!(rest.post(channel, "gone").await.1["code"], 50001);
    assert_eq!(fake.with(|model| model.rates.invalid), 4);
    fake.check();
}

#[tokio::test]
async fn more_than_a_bucket_holds_is_refused_for_a_while() {
    let Place { fake, channel, .. } = place().await;
    fake.scale_rates(0.1);
    let rest = Rest::new(&fake);
    for _ in 0..5 {
        assert_eq!(rest.post(channel, "x").await.0, 200);
    }
    let path = format!("/channels/{channel}/messages");
    let response = rest.try_call("POST", &path, text("x")).await.expect("an answer");
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["x-ratelimit-scope"], "user");
    assert_eq!(response.headers()["x-ratelimit-remaining"], "0");
    assert!(response.headers().contains_key("retry-after"));
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["global"], false);
    let wait = body["retry_after"].as_f64().expect("seconds");
    assert!(wait < 0.6, "{wait}");
    tokio::time::sleep(Duration::from_secs_f64(wait)).await;
    assert_eq!(rest.post(channel, "x").await.0, 200);
    fake.with(|model| (model.rates.global, model.rates.scale) = (2, 1.0));
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(rest.try_call("GET", "/users/@me", Value::Null).await.expect("an answer"));
    }
    let last = answers.pop().expect("four");
    assert_eq!(
        (last.status().as_u16(), &last.headers()["x-ratelimit-global"]),
        (429, &"true".parse().expect("a value"))
    );
    assert!(fake.with(|model| model.rates.too_many) >= 2);
    fake.scale_rates(0.0);
    assert_eq!(rest.get("/users/@me").await.0, 200);
    fake.check();
}

#[tokio::test]
async fn a_wrong_body_is_a_violation() {
    let Place { fake, channel, .. } = place().await;
    fake.scale_rates(0.0);
    let rest = Rest::new(&fake);
    let path = format!("/channels/{channel}/messages");
    let with = |more: Value| {
        let mut body = text("x");
        super::wire::merge(&mut body, more);
        body
    };
    let row = |inside: Value| json!([{"type": 1, "components": inside}]);
    let refused = [
        text(&"x".repeat(2001)),
        text(""),
        with(json!({"embeds": [{"title": "t".repeat(257)}]})),
        with(json!({"embeds": [{"description": "d".repeat(4000)}, {"description": "d".repeat(2001)}]})),
        with(json!({"embeds": [{"fields": [{"name": "", "value": "v"}]}]})),
        with(json!({"components": row(json!([button("One", "same"), button("Two", "same")]))})),
        with(json!({"components": row(json!([button(&"l".repeat(81), "id")]))})),
        with(json!({"components": row(json!([{"type": 2, "style": 1, "label": "no id"}]))})),
        with(json!({"nonce": "n".repeat(26)})),
        with(json!({"flags": 64})),
    ];
    for body in refused {
        let (status, answer) = rest.call("POST", &path, body.clone()).await;
        assert_eq!((status, &answer["code"]), (400, &json!(50035)), "{body}");
        assert!(!fake.violations().is_empty(), "{body}");
    }
    for only_noted in [json!({"content": "x"}), with(json!({"no_such_field": 1}))] {
        assert_eq!(rest.call("POST", &path, only_noted).await.0, 200);
        assert_eq!(fake.violations().len(), 1);
    }
    let option =
        |name: &str, required: bool| json!({"type": 3, "name": name, "description": "d", "required": required});
    for options in [json!([option("b", false), option("a", true)]), json!([option("Upper", true)])] {
        let command = json!([{"name": "drill", "description": "d", "options": options}]);
        assert_eq!(rest.register(command).await.0, 400);
        assert!(!fake.violations().is_empty());
    }
    let (status, _) = rest.get(&format!("{path}?limit=101")).await;
    if fake.checks_specification() {
        assert_eq!(status, 400);
        fake.violations();
    }
    rest.get("/no/such/route").await;
    assert_eq!(fake.violations().len(), 1);
    fake.check();
}

#[tokio::test]
async fn messages_come_newest_first_in_pages() {
    let Place { fake, channel, bob, .. } = place().await;
    let rest = Rest::new(&fake);
    let all: Vec<Id> = (0..6).map(|number| fake.write(bob, channel, &format!("{number}"))).collect();
    fake.scale_rates(0.0);
    let check = async |query: &str, expected: &[usize]| {
        let (_, page) = rest.get(&format!("/channels/{channel}/messages?{query}")).await;
        let found: Vec<Id> = page.as_array().expect("a list").iter().map(id_of).collect();
        assert_eq!(found, expected.iter().map(|at| all[*at]).collect::<Vec<Id>>(), "{query}");
    };
    check("limit=2", &[5, 4]).await;
    check(&format!("after={}&limit=2", all[1]), &[3, 2]).await;
    check(&format!("before={}&limit=2", all[4]), &[3, 2]).await;
    check(&format!("around={}&limit=3", all[2]), &[3, 2, 1]).await;
    let (_, one) = rest.get(&format!("/channels/{channel}/messages/{}", all[0])).await;
    assert_eq!(one["content"], "0");
    assert_eq!(rest.get(&format!("/channels/{channel}/messages/7")).await.1["code"], 10008);
    fake.check();
}

#[tokio::test]
async fn threads_are_made_archived_locked_and_woken() {
    let Place { fake, guild, channel, bob, .. } = place().await;
    let rest = Rest::new(&fake);
    let (_, question) = rest.post(channel, "question").await;
    let path = format!("/channels/{channel}/messages/{}/threads", id_of(&question));
    let (status, thread) = rest.call("POST", &path, json!({"name": "Answers", "auto_archive_duration": 1440})).await;
    assert_eq!((status, id_of(&thread)), (201, id_of(&question)));
    assert_eq!(rest.call("POST", &path, json!({"name": "Again"})).await.1["code"], 160_004);
    let thread = id_of(&thread);
    let (_, mine) = rest.post(thread, "first").await;
    fake.archive(thread);
    let mine = format!("/channels/{thread}/messages/{}", id_of(&mine));
    assert_eq!(rest.call("PATCH", &mine, text("changed")).await.1["code"], 50083);
    let (_, archived) = rest.get(&format!("/channels/{channel}/threads/archived/public")).await;
    assert_eq!(archived["threads"].as_array().map(Vec::len), Some(1));
    assert_eq!(rest.post(thread, "wakes it").await.0, 200);
    assert!(!fake.is_archived(thread));
    assert_eq!(rest.call("PATCH", &mine, text("changed")).await.0, 200);
    fake.write(bob, thread, "answer");
    let (_, active) = rest.get(&format!("/guilds/{guild}/threads/active")).await;
    assert_eq!(active["threads"][0]["message_count"], 3);
    fake.lock(thread);
    assert_eq!(rest.post(thread, "no").await.1["code"], 160_005);
    assert_eq!(fake.threads(channel), [(thread, "Answers".to_owned())]);

    let forum = fake.forum_channel(guild, "drills", &["iam"]);
    let (_, shown) = rest.get(&format!("/channels/{forum}")).await;
    let post = json!({
        "name": "Drill", "applied_tags": [shown["available_tags"][0]["id"]], "message": text("body"),
    });
    let (status, post) = rest.call("POST", &format!("/channels/{forum}/threads"), post).await;
    assert_eq!((status, id_of(&post)), (201, id_of(&post["message"])));
    let (status, _) = rest.call("PATCH", &format!("/channels/{}", id_of(&post)), json!({"archived": true})).await;
    assert_eq!(status, 200);
    assert!(fake.is_archived(id_of(&post)));
    fake.check();
}

#[tokio::test]
async fn only_who_was_really_called_counts_as_called() {
    let Place { fake, guild, channel, ann, bob } = place().await;
    let rest = Rest::new(&fake);
    let role = fake.role(guild, "drillers");
    let content = format!("<@{ann}> <@&{role}> @everyone <@{bob}>");
    let path = format!("/channels/{channel}/messages");
    rest.post(channel, &content).await;
    let allowed = json!({"parse": [], "users": [ann.to_string()], "roles": [role.to_string()]});
    rest.call("POST", &path, json!({"content": content, "allowed_mentions": allowed})).await;
    rest.call("POST", &path, json!({"content": content, "allowed_mentions": {"parse": ["everyone"]}})).await;
    let pinged: Vec<Pinged> = fake.messages(channel).into_iter().map(|one| one.pinged).collect();
    let some = Pinged { users: [ann].into(), roles: [role].into(), everyone: false };
    assert_eq!(pinged, [Pinged::default(), some, Pinged::default()]);
    assert_eq!(fake.messages(channel)[0].text(), "@Ann @drillers @everyone @Bob");
    fake.check();
}

#[tokio::test]
async fn the_small_routes_answer_as_specified() {
    let Place { fake, guild, channel, ann, .. } = place().await;
    fake.scale_rates(0.0);
    let rest = Rest::new(&fake);
    let fixed = [
        "/gateway",
        "/gateway/bot",
        "/users/@me",
        "/users/@me/guilds",
        "/applications/@me",
        "/oauth2/applications/@me",
    ];
    let mut paths: Vec<String> = fixed.map(str::to_owned).to_vec();
    paths.extend(["", "/roles", "/channels", "/threads/active"].map(|rest| format!("/guilds/{guild}{rest}")));
    paths.extend([format!("/guilds/{guild}/members/{ann}"), format!("/channels/{channel}")]);
    for path in paths {
        let (status, body) = rest.get(&path).await;
        assert_eq!(status, 200, "{path}: {body}");
    }
    let (_, posted) = rest.post(channel, "react to me").await;
    let path = format!("/channels/{channel}/messages/{}", id_of(&posted));
    assert_eq!(rest.call("PUT", &format!("{path}/reactions/%E2%9C%85/@me"), Value::Null).await.0, 204);
    assert_eq!(fake.reactions(id_of(&posted)), ["✅"]);
    assert_eq!(rest.get(&path).await.1["reactions"][0]["me"], true);
    assert_eq!(rest.call("DELETE", &format!("{path}/reactions/%E2%9C%85/@me"), Value::Null).await.0, 204);
    assert_eq!(rest.call("POST", &format!("/channels/{channel}/typing"), Value::Null).await.0, 204);
    assert_eq!(rest.call("DELETE", &path, Value::Null).await.0, 204);
    fake.leave(guild, ann);
    assert_eq!(rest.get(&format!("/guilds/{guild}/members/{ann}")).await.1["code"], 10007);
    assert_eq!(rest.call("DELETE", &format!("/channels/{channel}"), Value::Null).await.1["code"], 50013);
    fake.check();
}

#[tokio::test]
async fn direct_messages_need_an_open_door() {
    let Place { fake, bob, .. } = place().await;
    let rest = Rest::new(&fake);
    let (_, dm) = rest.call("POST", "/users/@me/channels", json!({"recipient_id": bob.to_string()})).await;
    assert_eq!(rest.post(id_of(&dm), "hello").await.0, 200);
    fake.close_dms(bob);
    assert_eq!(rest.post(id_of(&dm), "again").await.1["code"], 50007);
    assert_eq!(fake.messages(fake.dm(bob)).len(), 1);
    fake.check();
}

fn commands() -> Value {
    let option = |kind: u8, name: &str| json!({"type": kind, "name": name, "description": "some words"});
    let mut topic = option(3, "topic");
    topic["autocomplete"] = json!(true);
    let mut time = option(3, "time");
    time["required"] = json!(true);
    let mut set = option(1, "set");
    set["options"] = json!([time, option(3, "zone"), option(8, "role"), option(7, "channel"), option(6, "who")]);
    json!([
        {"name": "daily", "description": "d", "default_member_permissions": "32", "contexts": [0], "options": [set]},
        {"name": "drill", "description": "d", "options": [topic, option(4, "count")]},
        {"name": "Save as my answer", "type": 3},
    ])
}

#[tokio::test]
async fn a_command_is_deferred_and_answered_and_its_button_opens_a_form() {
    let Place { fake, guild, channel, ann, bob } = place().await;
    let bot = Bot::start(&fake, usual_intents()).await;
    bot.next_of("GUILD_CREATE").await;
    let registered = bot.rest.register(commands()).await;
    assert_eq!(registered.0, 200, "{registered:?}");
    assert_eq!(fake.commands().len(), 3);
    fake.role(guild, "drillers");

    let refused = fake.command(bob, channel, "/daily set time:09:00").await;
    assert_eq!((refused.kind.clone(), refused.text()), (Kind::Refused, "this person may not use daily"));
    for wrong in
        ["/daily set time:09:00 when:never", "/daily set", "/weekly", "/daily put", "/daily set role:@none time:1"]
    {
        assert_eq!(fake.command(ann, channel, wrong).await.kind, Kind::Refused, "{wrong}");
    }
    assert_eq!(fake.command(ann, fake.dm(ann), "/daily set time:09:00").await.kind, Kind::Refused);

    let bot_side = async {
        let asked = bot.asked().await;
        let Interaction::Command(command) = &asked.what else { panic!("{:?}", asked.what) };
        assert_eq!(command.data.options[0].name, "set");
        assert_eq!(
            command.member.as_ref().and_then(|it| it.permissions),
            Some(fake.with(|model| model.permissions(channel, ann)))
        );
        let before = asked.later("PATCH", "/messages/@original", text("too soon")).await;
        assert_eq!(before.1["code"], 10015);
        assert_eq!(asked.respond(json!({"type": 5, "data": {"flags": 64}})).await.0, 204);
        assert_eq!(asked.respond(json!({"type": 5})).await.1["code"], 40060);
        let mut answer = text("Every day at 09:00");
        answer["embeds"] = json!([{
            "title": "Daily", "description": "Set.", "fields": [{"name": "Zone", "value": "Europe/London"}],
            "footer": {"text": "by Ann"},
        }]);
        answer["components"] = json!([{"type": 1, "components": [button("Answer", "answer:1"), {
            "type": 2, "style": 2, "label": "Hint", "custom_id": "hint", "disabled": true,
        }]}]);
        assert_eq!(asked.later("PATCH", "/messages/@original", answer).await.0, 200);
        let mut more = text("and more");
        more["flags"] = json!(64);
        let (_, followup) = asked.later("POST", "?wait=true", more).await;
        let path = format!("/messages/{}", id_of(&followup));
        assert_eq!(asked.later("PATCH", &path, text("and much more")).await.0, 200);
        assert_eq!(asked.later("GET", &path, Value::Null).await.1["content"], "and much more");
        assert_eq!(asked.later("DELETE", &path, Value::Null).await.0, 204);
    };
    let line = "/daily set time:09:00 zone:Europe/London role:@drillers channel:#daily-drill who:@Bob";
    let (seen, ()) = tokio::join!(fake.command(ann, channel, line), bot_side);
    assert_eq!(seen.kind, Kind::Deferred { ephemeral: true });
    assert!(seen.first_response_after < Duration::from_secs(3));
    let shown = "Every day at 09:00\nDaily\nSet.\nZone: Europe/London\nby Ann\n[Answer] [Hint (off)]";
    assert!(seen.text().starts_with(shown), "{}", seen.text());
    assert_eq!(fake.ephemeral_of(ann)[0].text(), shown);
    assert!(fake.messages(channel).is_empty());
    assert_eq!(fake.press(bob, &seen, "Answer").await.kind, Kind::Refused);
    assert_eq!(fake.press(ann, &seen, "Hint").await.text(), "[Hint] is off");

    let form = json!({"type": 9, "data": {"title": "Your answer", "custom_id": "form:1", "components": [
        {"type": 1, "components": [{
            "type": 4, "custom_id": "answer", "style": 2, "label": "Answer", "max_length": 20, "placeholder": "Some words",
        }]},
    ]}});
    let bot_side = async { bot.asked().await.respond(form.clone()).await };
    let private = fake.ephemeral_of(ann).remove(0);
    let (opened, _) = tokio::join!(fake.press(ann, &private, "Answer"), bot_side);
    assert_eq!((opened.kind.clone(), opened.text()), (Kind::Modal, "Your answer\nAnswer: Some words"));
    let long = "x".repeat(21);
    assert_eq!(fake.submit(ann, opened.modal(), &[("answer", &long)]).await.kind, Kind::Refused);
    let bot_side = async {
        let asked = bot.asked().await;
        let Interaction::Modal(form) = &asked.what else { panic!("{:?}", asked.what) };
        assert_eq!(form.data.custom_id, "form:1");
        assert!(form.message.is_some());
        let mut update = text("Thank you");
        update["components"] = json!([]);
        update["embeds"] = json!([]);
        let (status, body) = asked
            .rest
            .call(
                "POST",
                &format!("/interactions/{}/{}/callback?with_response=true", asked.id, asked.token),
                json!({"type": 7, "data": update}),
            )
            .await;
        assert_eq!((status, &body["resource"]["message"]["content"]), (200, &json!("Thank you")));
    };
    let (sent, ()) = tokio::join!(fake.submit(ann, opened.modal(), &[("Answer", "least privilege")]), bot_side);
    assert_eq!((sent.kind.clone(), sent.text()), (Kind::Update, "Thank you"));
    fake.check();
}

#[tokio::test]
async fn completion_menus_selects_and_silence() {
    let Place { fake, channel, bob, .. } = place().await;
    let bot = Bot::start(&fake, usual_intents()).await;
    bot.next_of("GUILD_CREATE").await;
    let registered = bot.rest.register(commands()).await;
    assert_eq!(registered.0, 200, "{registered:?}");

    let bot_side = async {
        let asked = bot.asked().await;
        let Interaction::Autocomplete(typing) = &asked.what else { panic!("{:?}", asked.what) };
        assert_eq!(typing.data.autocomplete().map(|it| (it.name, it.value)), Some(("topic", "ia")));
        let choices = json!([{"name": "IAM", "value": "iam"}]);
        asked.respond(json!({"type": 8, "data": {"choices": choices}})).await
    };
    let (seen, _) = tokio::join!(fake.autocomplete(bob, fake.dm(bob), "/drill count:3", "topic", "ia"), bot_side);
    assert_eq!(seen.choices, [("IAM".to_owned(), json!("iam"))]);

    let message = fake.write(bob, channel, "my answer");
    let bot_side = async {
        let asked = bot.asked().await;
        let Interaction::Command(menu) = &asked.what else { panic!("{:?}", asked.what) };
        assert_eq!(menu.data.resolved.messages.values().next().map(|it| it.content.as_str()), Some("my answer"));
        let mut body = text("Which topic?");
        let options = json!([{"label": "IAM", "value": "iam"}, {"label": "EKS", "value": "eks"}]);
        body["components"] = json!([{"type": 1, "components": [{"type": 3, "custom_id": "topic", "placeholder": "Topic", "options": options}]}]);
        asked.respond(json!({"type": 4, "data": body})).await
    };
    let (seen, _) = tokio::join!(fake.message_command(bob, message, "Save as my answer"), bot_side);
    assert_eq!(seen.kind, Kind::Message { ephemeral: false });
    assert_eq!(seen.text(), "Which topic?\n[Topic: IAM | EKS]");
    let shown = fake.until(channel, "Which topic?").await;

    let bot_side = async {
        let asked = bot.asked().await;
        asked.respond(json!({"type": 6})).await;
        asked
            .later(
                "PATCH",
                "/messages/@original",
                json!({"components": [], "content": "EKS it is", "allowed_mentions": no_calls()}),
            )
            .await
    };
    let (seen, _) = tokio::join!(fake.choose(bob, &shown, "EKS"), bot_side);
    assert_eq!((seen.kind.clone(), seen.text()), (Kind::Update, "EKS it is"));
    assert!(fake.messages(channel).last().is_some_and(|last| last.edited));

    fake.with(|model| model.timing.first_response = Duration::from_millis(100));
    let seen = fake.command(bob, channel, "/drill count:3").await;
    assert_eq!((seen.kind, seen.first_response_after), (Kind::Nothing, Duration::from_millis(100)));
    assert_eq!(bot.asked().await.respond(json!({"type": 5})).await.1["code"], 10062);
    fake.check();
}

#[tokio::test]
async fn requests_fail_in_every_way() {
    let Place { fake, channel, .. } = place().await;
    fake.scale_rates(0.0);
    let rest = Rest::new(&fake);
    let path = format!("/channels/{channel}/messages");
    let template = "/channels/{channel_id}/messages";
    fake.fault("POST", template, Fault::CutAfterRequest);
    assert!(rest.try_call("POST", &path, text("carried out")).await.is_err());
    fake.fault("POST", &path, Fault::CutBeforeRequest);
    assert!(rest.try_call("POST", &path, text("not carried out")).await.is_err());
    fake.fault("POST", template, Fault::Status(500, json!({"message": "oh", "code": 0})));
    assert_eq!(rest.post(channel, "no").await.0, 500);
    let retry_after = Duration::from_secs(2);
    fake.fault("POST", template, Fault::TooMany { retry_after, global: false, scope: "shared" });
    assert_eq!(rest.post(channel, "no").await.0, 429);
    fake.fault("POST", template, Fault::Late(Duration::from_millis(200)));
    let begun = Instant::now();
    assert_eq!(rest.post(channel, "late").await.0, 200);
    assert!(begun.elapsed() >= Duration::from_millis(200));
    let texts: Vec<String> = fake.messages(channel).into_iter().map(|one| one.content).collect();
    assert_eq!(texts, ["carried out", "late"]);
    let statuses: Vec<u16> = fake.requests("POST", "/messages").iter().map(|one| one.status).collect();
    assert_eq!(statuses, [0, 0, 500, 429, 200]);
    fake.outage(Outage::Unreachable);
    assert!(Rest::new(&fake).try_call("POST", &path, text("nobody there")).await.is_err());
    fake.outage(Outage::Unavailable);
    assert_eq!(Rest::new(&fake).post(channel, "busy").await.0, 503);
    fake.recover();
    assert_eq!(rest.post(channel, "back").await.0, 200);
    fake.check();
}

#[tokio::test]
async fn an_outage_ends_and_the_session_goes_on() {
    let Place { fake, channel, bob, .. } = place().await;
    let bot = Bot::start(&fake, usual_intents()).await;
    bot.next_of("GUILD_CREATE").await;
    fake.outage(Outage::Unreachable);
    fake.write(bob, channel, "during the outage");
    fake.recover();
    assert_eq!(bot.next_text().await, "during the outage");
    fake.connected().await;
    fake.close(4000);
    fake.write(bob, channel, "after a close");
    assert_eq!(bot.next_text().await, "after a close");
    fake.check();
}

#[tokio::test]
async fn an_event_that_serenity_would_drop_is_noticed() {
    let broken = r#"{"op": 0, "t": "MESSAGE_CREATE", "s": 1, "d": {"id": "1"}}"#;
    let strange = r#"{"op": 0, "t": "NO_SUCH_EVENT", "s": 1, "d": {}}"#;
    assert!(super::gateway::misread(broken).is_some());
    assert!(super::gateway::misread(strange).is_some());
    let mut changes = Fake::start().await.changes();
    changes.mark_unchanged();
    let shown = Arc::new(place().await);
    assert_eq!(shown.fake.owner(shown.guild), shown.fake.with(|model| model.guilds[&shown.guild].owner));
}

#[tokio::test]
async fn what_people_see_and_what_was_asked_can_be_read() {
    let Place { fake, channel, ann, bob, .. } = place().await;
    let rest = Rest::new(&fake);
    let begun = Instant::now();
    let question = fake.write(ann, channel, "question");
    rest.call("POST", &format!("/channels/{channel}/messages/{question}/threads"), json!({"name": "Answers"})).await;
    let mut reply = text("a reply");
    reply["message_reference"] = json!({"message_id": fake.write(bob, question, "answer").to_string()});
    rest.call("POST", &format!("/channels/{question}/messages"), reply).await;
    let shown: Vec<Shown> = fake.messages(question);
    let starter = &shown[0];
    assert_eq!((starter.reference, starter.channel), (Some(question), question));
    let answer = &shown[1];
    assert_eq!((answer.place.as_str(), answer.author.as_str()), ("#daily-drill > Answers", "Bob"));
    assert_eq!((answer.author_id, answer.reference, shown[2].reference), (bob, None, Some(answer.id)));
    fake.write(ann, fake.dm(ann), "in private");
    assert_eq!(fake.messages(fake.dm(ann))[0].place, "DM with Ann");
    rest.get(&format!("/channels/{channel}/messages?limit=1")).await;
    let asked: Vec<Request> = fake.requests("GET", "/messages");
    assert_eq!((asked[0].query.as_str(), &asked[0].body), ("limit=1", &Value::Null));
    assert!(asked[0].at >= begun);
    fake.check();
}

#[tokio::test]
async fn followups_stand_beside_the_response_and_forms_with_labels_are_beyond_serenity() {
    let Place { fake, channel, bob, .. } = place().await;
    let bot = Bot::start(&fake, usual_intents()).await;
    bot.next_of("GUILD_CREATE").await;
    bot.rest.register(commands()).await;
    let mut response = text("Start");
    response["components"] = json!([{"type": 1, "components": [button("Go", "go")]}]);
    let respond = async { bot.asked().await.respond(json!({"type": 4, "data": response})).await };
    let (started, _) = tokio::join!(fake.command(bob, channel, "/drill"), respond);

    let bot_side = async {
        let asked = bot.asked().await;
        let mut alone = text("Only you see this");
        alone["flags"] = json!(64);
        asked.respond(json!({"type": 6})).await;
        asked.later("POST", "?wait=true", alone).await
    };
    let (seen, _): (Seen, _) = tokio::join!(fake.press(bob, &started, "Go"), bot_side);
    assert_eq!((seen.kind.clone(), seen.followups.len()), (Kind::Update, 1));
    assert_eq!(seen.text(), "Start\n[Go]\n\nOnly you see this");
    assert_eq!(fake.ephemeral_of(bob)[0].id, seen.followups[0]);

    let input = json!({"type": 4, "custom_id": "answer", "style": 2});
    let form = json!({"type": 9, "data": {"title": "Answer", "custom_id": "form", "components": [
        {"type": 18, "label": "Your words", "component": input},
    ]}});
    let respond = async { bot.asked().await.respond(form).await };
    let (opened, _) = tokio::join!(fake.press(bob, &started, "Go"), respond);
    assert_eq!((opened.text(), opened.modal().first_input().as_str()), ("Answer\nYour words: ", "answer"));
    fake.check();
    fake.with(|model| model.timing.first_response = Duration::from_millis(10));
    fake.submit(bob, opened.modal(), &[("answer", "some words")]).await;
    assert!(fake.violations()[0].contains("serenity loses"));
}
