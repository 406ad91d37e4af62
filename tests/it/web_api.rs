//! The web chat's API over HTTP, as docs/web-api.md says it.

use std::sync::Arc;
use std::time::Duration;

use drillbot::adapters::web::{self, Access, Ready, WebChat};
use drillbot::app::clock::Clock;
use drillbot::app::{App, ChannelSetup, ScheduleSetup};
use drillbot::domain::ids::ChannelId;
use drillbot::domain::schedule::{AnswerMode, ScheduleSpec};
use insta::assert_snapshot;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::world::{FULL, MONDAY, PART, bank, folder, open_store, spec, standings_agree};

struct Well;

impl Ready for Well {
    fn problems(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A running web chat on a port of its own, and the bot behind it, ticked by the test.
struct Site {
    base: String,
    app: Arc<App>,
    chat: WebChat,
    clock: Clock,
    client: reqwest::Client,
    stop: watch::Sender<bool>,
    server: tokio::task::JoinHandle<anyhow::Result<()>>,
    _folder: tempfile::TempDir,
}

/// A signed-in browser.
#[derive(Clone)]
struct Browser {
    base: String,
    client: reqwest::Client,
    cookie: String,
    id: String,
}

impl Site {
    async fn new() -> Site {
        Site::with(spec(), Access::new("127.0.0.1:0".parse().unwrap(), None, &[])).await
    }

    async fn with(spec: ScheduleSpec, access: Access) -> Site {
        let folder = folder();
        let store = open_store(&folder).await;
        let clock = Clock::manual(0);
        let app = Arc::new(App::new(store, clock.clone(), bank(&[("eks", 3), ("iam", 6)]), Duration::from_secs(30)));
        let chat = WebChat::new(app.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopping) = watch::channel(false);
        let behind = chat.clone();
        let server = tokio::spawn(async move {
            web::serve(listener, &behind, access, Arc::new(Well), axum::Router::new(), stopping).await
        });
        let site = Site { base, app, chat, clock, client: reqwest::Client::new(), stop, server, _folder: folder };
        site.set_clock("08:00");
        let schedules = vec![ScheduleSetup { name: "daily".into(), spec }];
        let channel = |name: &str, schedules| ChannelSetup {
            id: ChannelId::new(format!("web:{name}")),
            name: name.into(),
            about: "One question a day".into(),
            schedules,
        };
        site.app.set_up(vec![channel("daily-drill", schedules), channel("talk", vec![])]).await.unwrap();
        site
    }

    fn set_clock(&self, time: &str) {
        let zone = jiff::tz::TimeZone::get("Europe/London").unwrap();
        self.clock.set(zone.to_timestamp(MONDAY.to_datetime(time.parse().unwrap())).unwrap().as_millisecond());
    }

    async fn at(&self, time: &str) {
        self.set_clock(time);
        for _ in 0..2 {
            self.app.tick().await.unwrap();
            while self.app.deliver(&self.chat).await.unwrap().claimed > 0 {}
        }
    }

    async fn sign_in(&self, name: &str) -> Browser {
        let (status, body, cookie) = self.try_sign_in(json!({ "name": name })).await;
        assert_eq!(status, 200, "{body}");
        Browser {
            base: self.base.clone(),
            client: self.client.clone(),
            cookie: cookie.unwrap(),
            id: body["member"]["id"].as_str().unwrap().to_owned(),
        }
    }

    async fn try_sign_in(&self, body: Value) -> (u16, Value, Option<String>) {
        let response = self.client.post(format!("{}/api/session", self.base)).json(&body).send().await.unwrap();
        let cookie = response.headers().get("set-cookie").map(|cookie| cookie.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let cookie = cookie.map(|cookie| {
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
            cookie.split(';').next().unwrap().to_owned()
        });
        (status, response.json().await.unwrap(), cookie)
    }

    /// Stops the server; the standings must agree with the scores.
    async fn end(self) {
        self.stop.send(true).unwrap();
        self.server.await.unwrap().unwrap();
        standings_agree(&self.app.store).await;
    }
}

impl Browser {
    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).header("cookie", &self.cookie)
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.request(method, path);
        let response = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let response = response.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send(Method::GET, path, None).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::POST, path, Some(body)).await
    }

    async fn page(&self, path: &str) -> String {
        self.request(Method::GET, path).send().await.unwrap().text().await.unwrap()
    }

    async fn write(&self, text: &str, thread: Option<&str>, key: &str) -> (u16, Value) {
        let body = json!({"text": text, "thread": thread, "key": key});
        self.post("/api/channels/daily-drill/messages", body).await
    }

    async fn messages(&self) -> Vec<Value> {
        self.get("/api/channels/daily-drill/messages").await["messages"].as_array().unwrap().clone()
    }

    async fn press(&self, action: &str, message: &str) -> Value {
        let body = json!({"action": action, "channel": "daily-drill", "message": message});
        let (status, answer) = self.post("/api/actions", body).await;
        assert_eq!(status, 200, "{answer}");
        answer["reply"].clone()
    }

    async fn answer(&self, action: &str, message: &str, answer: &str) -> Value {
        let body =
            json!({"action": action, "channel": "daily-drill", "message": message, "values": {"answer": answer}});
        let (status, answer) = self.post("/api/forms", body).await;
        assert_eq!(status, 200, "{answer}");
        answer["reply"].clone()
    }
}

fn id(message: &Value) -> &str {
    message["id"].as_str().expect("an id")
}

fn action(message: &Value, label: &str) -> String {
    let buttons = message["message"]["buttons"].as_array().expect("buttons");
    let button = buttons.iter().find(|button| button["label"].as_str().unwrap().starts_with(label));
    button.unwrap_or_else(|| panic!("no button {label} in {buttons:?}"))["action"].as_str().unwrap().to_owned()
}

// ---- the session

#[tokio::test]
async fn people_sign_in_by_name_and_the_first_one_is_the_organiser() {
    let site = Site::new().await;
    let ann = site.sign_in("  Ann ").await;
    let session = ann.get("/api/session").await;
    assert_eq!(session["member"], json!({"id": ann.id, "name": "Ann", "organiser": true}));
    assert_eq!((&session["speed"], &session["now"]), (&json!(1), &json!(site.clock.now_ms())));
    let bob = site.sign_in("Bob").await;
    assert_eq!(bob.get("/api/session").await["member"]["organiser"], false);
    // On this machine a name is enough to come back, in any case of letters.
    assert_eq!(site.sign_in("ANN").await.id, ann.id);
    for name in ["", "   ", "\u{200b}\u{202e}", &"x".repeat(41)] {
        let (status, body, cookie) = site.try_sign_in(json!({ "name": name })).await;
        assert_eq!((status, body["error"]["code"].as_str(), cookie), (400, Some("bad_request"), None), "{name:?}");
    }
    let (status, _) = bob.send(Method::DELETE, "/api/session", None).await;
    assert_eq!(status, 200);
    let (status, body) = bob.send(Method::GET, "/api/session", None).await;
    assert_eq!((status, body["error"]["code"].as_str()), (401, Some("signed_out")));
    assert_eq!(body.get("token_required"), None);
    site.end().await;
}

#[tokio::test]
async fn a_chat_that_others_can_reach_wants_the_access_token() {
    let access = Access::new("0.0.0.0:8080".parse().unwrap(), Some("a-long-access-token"), &["Ann".to_owned()]);
    let site = Site::with(spec(), access).await;
    for wrong in [json!({"name": "Bob"}), json!({"name": "Bob", "token": "guess"}), json!({"name": "Bob", "token": ""})]
    {
        let (status, body, cookie) = site.try_sign_in(wrong).await;
        assert_eq!((status, &body["token_required"], cookie), (401, &json!(true), None));
    }
    let nobody =
        Browser { base: site.base.clone(), client: site.client.clone(), cookie: "x=y".into(), id: String::new() };
    let (status, body) = nobody.send(Method::GET, "/api/session", None).await;
    assert_eq!((status, &body["token_required"]), (401, &json!(true)));
    let sign_in = |name: &str| site.try_sign_in(json!({"name": name, "token": "a-long-access-token"}));
    assert_eq!(sign_in("Bob").await.1["member"]["organiser"], false, "the first one is nobody special here");
    assert_eq!(sign_in("ann").await.1["member"]["organiser"], true, "organisers are named in the settings");
    let (status, body, _) = sign_in("BOB").await;
    assert_eq!((status, body["error"]["code"].as_str()), (409, Some("taken")), "nobody takes another's name");
    // Behind a proxy it has another name than this machine's.
    let response = site.client.get(format!("{}/", site.base)).header("host", "drill.example").send().await.unwrap();
    assert_eq!(response.status(), 200);
    site.end().await;
}

// ---- reading and writing

#[tokio::test]
async fn channels_are_listed_and_messages_come_in_pages() {
    let site = Site::new().await;
    let ann = site.sign_in("Ann").await;
    assert_eq!(
        ann.get("/api/channels").await["channels"],
        json!([{"id": "daily-drill", "name": "daily-drill", "about": "One question a day"},
               {"id": "talk", "name": "talk", "about": "One question a day"}])
    );
    for n in 0..5 {
        ann.write(&format!("Number {n}"), None, &format!("k{n}")).await;
    }
    let page = ann.get("/api/channels/daily-drill/messages?limit=2").await;
    let texts = |page: &Value| -> Vec<String> {
        page["messages"].as_array().unwrap().iter().map(|m| m["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((texts(&page), &page["more"]), (vec!["Number 3".to_owned(), "Number 4".to_owned()], &json!(true)));
    let before = &page["messages"][0]["seq"];
    let page = ann.get(&format!("/api/channels/daily-drill/messages?limit=3&before={before}")).await;
    assert_eq!((texts(&page).len(), &page["more"]), (3, &json!(false)));
    assert_eq!(ann.get("/api/channels/talk/messages").await["messages"], json!([]));
    for path in ["/api/channels/nowhere/messages", "/api/messages/nope/thread", "/api/nothing"] {
        let (status, body) = ann.send(Method::GET, path, None).await;
        assert_eq!((status, body["error"]["code"].as_str()), (404, Some("unknown")), "{path}");
    }
    site.end().await;
}

#[tokio::test]
async fn every_failure_is_json_that_says_what_happened() {
    let site = Site::new().await;
    let ann = site.sign_in("Ann").await;
    let mut wrong = vec![
        (Method::GET, "/api/channels/daily-drill/messages?limit=many", None),
        (Method::GET, "/api/channels/daily-drill/messages?before=x", None),
        (Method::GET, "/api/complete", None),
        (Method::GET, "/api/events?after=x", None),
        (Method::POST, "/api/channels/daily-drill/messages", Some(json!({"text": "Hello."}))),
        (Method::POST, "/api/channels/daily-drill/messages", Some(json!({"text": "Hello.", "key": "k", "colour": 1}))),
        (Method::POST, "/api/channels/daily-drill/messages", Some(json!({"text": " ", "key": "k"}))),
        (Method::POST, "/api/channels/daily-drill/messages", Some(json!({"text": "Hello.", "key": ""}))),
        (Method::POST, "/api/actions", Some(json!({"action": 7}))),
        (Method::POST, "/api/forms", Some(json!([]))),
        (Method::POST, "/api/session", Some(json!({}))),
    ];
    for (method, path, body) in wrong.drain(..) {
        let (status, answer) = ann.send(method.clone(), path, body).await;
        assert_eq!((status, answer["error"]["code"].as_str()), (400, Some("bad_request")), "{method} {path}: {answer}");
        assert!(answer["error"]["message"].as_str().is_some_and(|message| message.len() > 10), "{path}: {answer}");
    }
    let (status, answer) = ann.send(Method::PUT, "/api/actions", Some(json!({}))).await;
    assert_eq!((status, answer["error"]["code"].is_string()), (405, true), "{answer}");
    let response = ann
        .request(Method::POST, "/api/actions")
        .header("content-type", "application/json")
        .body("{\"action\": ")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 400);
    site.end().await;
}

#[tokio::test]
async fn a_repeated_key_posts_once() {
    let site = Site::new().await;
    let (ann, bob) = (site.sign_in("Ann").await, site.sign_in("Bob").await);
    let (status, first) = ann.write("Hello.", None, "k1").await;
    assert_eq!((status, &first["reply"]), (201, &Value::Null));
    let message = &first["message"];
    assert_eq!(
        (&message["text"], &message["mine"], &message["message"]),
        (&json!("Hello."), &json!(true), &Value::Null)
    );
    let (status, again) = ann.write("Hello, again.", None, "k1").await;
    assert_eq!((status, &again), (201, &first));
    bob.write("Hello.", None, "k1").await;
    let all = bob.messages().await;
    assert_eq!(all.len(), 2, "a key belongs to its member");
    assert_eq!(all[0]["mine"], false);
    site.end().await;
}

#[tokio::test]
async fn markup_stays_what_people_typed() {
    let site = Site::new().await;
    let ann = site.sign_in("<b>Ann</b>").await;
    let text = "<script>alert(1)</script> **not bold** @everyone '; drop table members; --";
    ann.write(text, None, "k1").await;
    let all = ann.messages().await;
    assert_eq!((&all[0]["text"], &all[0]["author"]["name"]), (&json!(text), &json!("<b>Ann</b>")));
    site.end().await;
}

#[tokio::test]
async fn thread_messages_are_answers_with_marks() {
    let site = Site::new().await;
    let (ann, bob) = (site.sign_in("Ann").await, site.sign_in("Bob").await);
    site.at("09:00").await;
    let card = bob.messages().await[0].clone();
    assert_eq!((&card["author"]["bot"], &card["message"]["tone"]), (&json!(true), &json!("question")));
    let thread = id(&card);
    let (status, noted) = bob.write(PART, Some(thread), "k1").await;
    assert_eq!(
        (status, &noted["message"]["mark"], &noted["message"]["thread"]),
        (201, &json!("noted"), &json!(thread))
    );
    // A retry is not a second part.
    bob.write(PART, Some(thread), "k1").await;
    let (_, gone) = ann.write("Forget it.", Some(thread), "k1").await;
    let path = format!("/api/messages/{}", id(&gone["message"]));
    assert_eq!(ann.send(Method::DELETE, &path, None).await.0, 200);
    // Nor does the retry of a deleted one bring it back.
    let (_, again) = ann.write("Forget it.", Some(thread), "k1").await;
    assert_eq!(again["message"]["deleted"], true);
    let path = format!("/api/messages/{}", id(&noted["message"]));
    let (status, edited) = bob.send(Method::PATCH, &path, Some(json!({ "text": FULL }))).await;
    assert_eq!((status, &edited["message"]["text"], &edited["message"]["mark"]), (200, &json!(FULL), &json!("noted")));
    assert!(edited["message"]["edited_at"].is_i64());
    site.at("09:01").await;
    let shown = bob.get(&format!("/api/messages/{thread}/thread")).await;
    assert_eq!((&shown["root"]["replies"], shown["messages"].as_array().unwrap().len()), (&json!(1), 1));
    assert!(shown["root"]["message"].to_string().contains("1 person"), "{}", shown["root"]);
    site.at("17:00").await;
    let (_, late) = ann.write(FULL, Some(thread), "k2").await;
    assert_eq!(late["message"]["mark"], "late");
    let board = bob.get("/api/channels/daily-drill/leaderboard").await;
    assert_eq!(
        board["rows"],
        json!([{"rank": 1, "name": "Bob", "points": "100", "answered": 1, "streak": 1, "you": true}])
    );
    // No thread under a message of a thread, nor in another channel.
    let (status, _) = bob.write("Deeper", Some(id(&late["message"])), "k3").await;
    assert_eq!(status, 404);
    let elsewhere = json!({"text": "Elsewhere", "thread": thread, "key": "k4"});
    assert_eq!(bob.post("/api/channels/talk/messages", elsewhere).await.0, 404);
    site.end().await;
}

#[tokio::test]
async fn in_private_mode_thread_messages_are_asides() {
    let access = Access::new("127.0.0.1:0".parse().unwrap(), None, &[]);
    let site = Site::with(ScheduleSpec { answers: AnswerMode::Private, ..spec() }, access).await;
    let bob = site.sign_in("Bob").await;
    site.at("09:00").await;
    let card = bob.messages().await[0].clone();
    let (_, aside) = bob.write("What does it mean?", Some(id(&card)), "k1").await;
    assert_eq!(aside["message"]["mark"], "aside");
    let (_, other) = bob.write("Good morning.", None, "k2").await;
    let (_, answer) = bob.write("To that.", Some(id(&other["message"])), "k3").await;
    assert_eq!(answer["message"]["mark"], Value::Null, "no thread of ours");
    site.end().await;
}

#[tokio::test]
async fn only_its_author_changes_a_message() {
    let site = Site::new().await;
    let (ann, bob) = (site.sign_in("Ann").await, site.sign_in("Bob").await);
    let (_, message) = bob.write("Mine.", None, "k1").await;
    let (_, private) = bob.write("/help", None, "k2").await;
    site.at("09:00").await;
    let card = bob.messages().await.into_iter().find(|m| m["private"] == false && m["author"]["bot"] == true).unwrap();
    for target in [id(&message["message"]), id(&private["reply"]["message"]), id(&card)] {
        let path = format!("/api/messages/{target}");
        let (status, body) = ann.send(Method::PATCH, &path, Some(json!({"text": "Hers."}))).await;
        assert_eq!((status, body["error"]["code"].as_str()), (403, Some("forbidden")));
        assert_eq!(ann.send(Method::DELETE, &path, None).await.0, 403);
    }
    // One's own private message can be hidden, not rewritten.
    let path = format!("/api/messages/{}", id(&private["reply"]["message"]));
    assert_eq!(bob.send(Method::PATCH, &path, Some(json!({"text": "Hers."}))).await.0, 403);
    assert_eq!(bob.send(Method::DELETE, &path, None).await.0, 200);
    assert_eq!(bob.send(Method::DELETE, &path, None).await.0, 404);
    assert_eq!(bob.messages().await.len(), 2);
    site.end().await;
}

// ---- commands, buttons, forms

#[tokio::test]
async fn a_slash_command_answers_in_private_and_runs_once_a_key() {
    let site = Site::new().await;
    let (ann, bob) = (site.sign_in("Ann").await, site.sign_in("Bob").await);
    let (status, first) = bob.write("/drill iam", None, "k1").await;
    assert_eq!((status, &first["message"], &first["reply"]["kind"]), (200, &Value::Null, &json!("show")));
    let (_, again) = bob.write("/drill iam", None, "k1").await;
    assert_eq!(again, first, "no second drill");
    assert_eq!(bob.messages().await.len(), 1, "it is still there after a reload");
    assert_eq!(bob.messages().await[0]["private"], true);
    assert_eq!(ann.messages().await.len(), 0);
    let private = id(&first["reply"]["message"]);
    assert_eq!(ann.send(Method::GET, &format!("/api/messages/{private}/thread"), None).await.0, 404);
    // A slash inside a thread is words.
    let (_, root) = bob.write("A root.", None, "k2").await;
    let (status, words) = bob.write("/help is a command", Some(id(&root["message"])), "k3").await;
    assert_eq!((status, &words["message"]["text"]), (201, &json!("/help is a command")));
    // The organiser's commands are the organiser's.
    let (_, refused) = bob.write("/daily now", None, "k4").await;
    assert!(refused["reply"]["message"]["message"].to_string().contains("organisers"));
    site.end().await;
}

#[tokio::test]
async fn buttons_open_forms_and_forms_save_answers() {
    let site = Site::new().await;
    let bob = site.sign_in("Bob").await;
    site.at("09:00").await;
    let card = bob.messages().await[0].clone();
    let reply = bob.press(&action(&card, "Answer"), id(&card)).await;
    assert_eq!((&reply["kind"], &reply["form"]["inputs"][0]["id"]), (&json!("open"), &json!("answer")));
    let form = reply["form"]["action"].as_str().unwrap();
    let saved = bob.answer(form, id(&card), FULL).await;
    assert_eq!((&saved["kind"], &saved["message"]["private"]), (&json!("show"), &json!(true)));
    let reply = bob.press(&action(&card, "Answer"), id(&card)).await;
    assert_eq!(reply["form"]["inputs"][0]["value"], FULL);
    site.at("17:00").await;
    let card = bob.messages().await.into_iter().find(|message| message["id"] == card["id"]).unwrap();
    assert_eq!(card["message"]["tone"], "closed");
    let result = bob.press(&action(&card, "My result"), id(&card)).await;
    assert!(result["message"]["message"]["summary"].as_str().unwrap().starts_with("Your result: 100 of 100"));
    let late = bob.answer(form, id(&card), PART).await;
    assert!(late["message"]["message"]["summary"].as_str().unwrap().contains("closed"));
    site.end().await;
}

#[tokio::test]
async fn a_form_has_picks_and_takes_their_values() {
    let site = Site::new().await;
    let bob = site.sign_in("Bob").await;
    site.at("09:00").await;
    let card = bob.messages().await[0].clone();
    let opened = bob.press(&action(&card, "Answer"), id(&card)).await;
    assert_eq!(opened["form"]["inputs"][0]["kind"], "text");
    assert_eq!(
        opened["form"]["inputs"][1],
        json!({
            "id": "confidence", "label": "How sure are you?", "value": "", "required": false, "kind": "pick", "many": false,
            "options": [
                {"value": "sure", "label": "Sure"}, {"value": "fairly", "label": "Fairly sure"}, {"value": "guess", "label": "A guess"},
            ],
        })
    );
    let body = json!({
        "action": opened["form"]["action"], "channel": "daily-drill", "message": id(&card),
        "values": {"answer": PART, "confidence": "sure"},
    });
    assert_eq!(bob.post("/api/forms", body).await.0, 200);
    let again = bob.press(&action(&card, "Answer"), id(&card)).await;
    assert_eq!(again["form"]["inputs"][1]["value"], "sure");
    site.at("17:00").await;
    let result = bob
        .press(
            &format!("result:{}", opened["form"]["action"].as_str().unwrap().trim_start_matches("answer:")),
            id(&card),
        )
        .await;
    assert!(result.to_string().contains("You were sure, and two points were missing."), "{result}");
    site.end().await;
}

#[tokio::test]
async fn a_drill_goes_on_in_the_same_private_message() {
    let site = Site::new().await;
    let (ann, bob) = (site.sign_in("Ann").await, site.sign_in("Bob").await);
    let (_, begun) = bob.write("/drill iam 2", None, "k1").await;
    let message = begun["reply"]["message"].clone();
    let skipped = bob.press(&action(&message, "Skip"), id(&message)).await;
    assert_eq!((&skipped["kind"], &skipped["message"]["id"]), (&json!("replace"), &message["id"]));
    // A second press of the old button changes nothing.
    let again = bob.press(&action(&message, "Skip"), id(&message)).await;
    assert_eq!(again["message"]["message"], skipped["message"]["message"]);
    let form = bob.press(&action(&skipped["message"], "Answer"), id(&message)).await;
    let graded = bob.answer(form["form"]["action"].as_str().unwrap(), id(&message), FULL).await;
    assert_eq!((&graded["kind"], &graded["message"]["id"]), (&json!("replace"), &message["id"]));
    assert_eq!(bob.messages().await.len(), 1);
    // Somebody else's press neither changes it nor shows it.
    let foreign = ann.press(&action(&graded["message"], "Finish"), id(&message)).await;
    assert_ne!(foreign["message"]["id"], message["id"]);
    assert!(foreign["message"]["message"]["summary"].as_str().unwrap().contains("not there any more"));
    assert_eq!(bob.messages().await[0], graded["message"]);
    site.end().await;
}

#[tokio::test]
async fn completion_offers_whole_lines() {
    let site = Site::new().await;
    let bob = site.sign_in("Bob").await;
    let offered = bob.get("/api/complete?channel=daily-drill&text=%2Fdri").await;
    assert_eq!(
        offered["suggestions"],
        json!([{"insert": "/drill ", "label": "/drill", "help": "Practise a topic in private, one question at a time"}])
    );
    assert_eq!(bob.get("/api/complete?channel=daily-drill&text=hello").await["suggestions"], json!([]));
    site.end().await;
}

#[tokio::test]
async fn erased_members_are_signed_out_and_leave_nothing() {
    let site = Site::new().await;
    let (ann, bob) = (site.sign_in("Ann").await, site.sign_in("Bob").await);
    site.at("09:00").await;
    let card = bob.messages().await[0].clone();
    bob.write(FULL, Some(id(&card)), "k1").await;
    bob.write("Good morning.", None, "k2").await;
    let (_, asked) = bob.write("/me delete", None, "k3").await;
    let farewell = bob.press("forget", id(&asked["reply"]["message"])).await;
    assert_eq!(
        farewell["message"]["message"]["summary"],
        "Done. I know nothing about you any more. You are welcome to begin anew."
    );
    assert_eq!(bob.send(Method::GET, "/api/session", None).await.0, 401);
    assert_eq!(ann.messages().await.len(), 1, "the card");
    site.at("17:00").await;
    assert_eq!(ann.get("/api/channels/daily-drill/leaderboard").await["members"], 0);
    assert_ne!(site.sign_in("Bob").await.id, bob.id);
    site.end().await;
}

// ---- live updates

/// Reads events one by one.
struct Events {
    response: reqwest::Response,
    buffer: String,
}

impl Events {
    async fn open(browser: &Browser, after: &str, last_event_id: Option<&str>) -> Events {
        let request = browser.request(Method::GET, &format!("/api/events{after}"));
        let request = match last_event_id {
            Some(id) => request.header("last-event-id", id),
            None => request,
        };
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { response, buffer: String::new() }
    }

    /// (kind, id, data)
    async fn next(&mut self) -> Option<(String, String, Value)> {
        loop {
            if let Some(end) = self.buffer.find("\n\n") {
                let event: String = self.buffer.drain(..end + 2).collect();
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
                    line.unwrap_or_default().trim().to_owned()
                };
                if event.starts_with(':') {
                    continue;
                }
                return Some((field("event"), field("id"), serde_json::from_str(&field("data")).unwrap()));
            }
            let wait = tokio::time::timeout(Duration::from_secs(10), self.response.chunk());
            let chunk = wait.await.expect("an event within ten seconds").ok()??;
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn message(&mut self) -> Value {
        let (kind, id, data) = self.next().await.expect("an event");
        assert_eq!((kind.as_str(), id), ("message", data["rev"].to_string()));
        data
    }
}

#[tokio::test]
async fn events_greet_and_then_bring_each_change_in_its_newest_state() {
    let site = Site::new().await;
    let (ann, bob) = (site.sign_in("Ann").await, site.sign_in("Bob").await);
    ann.write("Before.", None, "k0").await;
    let mut events = Events::open(&bob, "", None).await;
    let (kind, _, hello) = events.next().await.unwrap();
    let rev = bob.get("/api/channels/daily-drill/messages").await["rev"].clone();
    assert_eq!((kind.as_str(), hello), ("hello", json!({"now": site.clock.now_ms(), "speed": 1, "rev": rev})));
    let (_, one) = ann.write("One.", None, "k1").await;
    assert_eq!(events.message().await["text"], "One.");
    let path = format!("/api/messages/{}", id(&one["message"]));
    ann.send(Method::PATCH, &path, Some(json!({"text": "Uno."}))).await;
    let edited = events.message().await;
    assert_eq!(
        (&edited["text"], &edited["id"], &edited["seq"]),
        (&json!("Uno."), &one["message"]["id"], &one["message"]["seq"])
    );
    ann.send(Method::DELETE, &path, None).await;
    let gone = events.message().await;
    assert_eq!((&gone["deleted"], &gone["text"]), (&json!(true), &Value::Null));
    site.end().await;
}

#[tokio::test]
async fn a_dropped_connection_goes_on_without_loss_or_doubling() {
    let site = Site::new().await;
    let (ann, bob) = (site.sign_in("Ann").await, site.sign_in("Bob").await);
    let mut events = Events::open(&bob, "?after=0", None).await;
    events.next().await.unwrap();
    ann.write("One.", None, "k1").await;
    let one = events.message().await;
    drop(events);
    let (_, two) = ann.write("Two.", None, "k2").await;
    let path = format!("/api/messages/{}", id(&two["message"]));
    ann.send(Method::PATCH, &path, Some(json!({"text": "Zwei."}))).await;
    for n in 3..300 {
        ann.write(&format!("Number {n}."), None, &format!("k{n}")).await;
    }
    // The browser repeats the address it began with, and adds the last id it has seen.
    let mut events = Events::open(&bob, "?after=0", Some(&one["rev"].to_string())).await;
    assert_eq!(events.next().await.unwrap().0, "hello");
    assert_eq!(events.message().await["text"], "Zwei.", "in its newest state, once");
    for n in 3..300 {
        assert_eq!(events.message().await["text"], format!("Number {n}."));
    }
    ann.write("The last.", None, "last").await;
    assert_eq!(events.message().await["text"], "The last.");
    site.end().await;
}

#[tokio::test]
async fn nobody_hears_what_is_private_to_another() {
    let site = Site::new().await;
    let (ann, bob) = (site.sign_in("Ann").await, site.sign_in("Bob").await);
    let mut events = Events::open(&ann, "?after=0", None).await;
    events.next().await.unwrap();
    bob.write("/me", None, "k1").await;
    bob.write("Public.", None, "k2").await;
    assert_eq!(events.message().await["text"], "Public.");
    // Nor is a notice to organisers for everybody.
    site.app.replace_bank(bank(&[]));
    let mut for_bob = Events::open(&bob, "", None).await;
    for_bob.next().await.unwrap();
    site.at("09:00").await;
    assert!(events.message().await["message"].to_string().contains("was not posted"));
    ann.write("Hello.", None, "k3").await;
    assert_eq!(for_bob.message().await["text"], "Hello.");
    site.end().await;
}

#[tokio::test]
async fn signing_out_ends_the_events_and_so_does_the_end_of_the_server() {
    let site = Site::new().await;
    let (ann, bob) = (site.sign_in("Ann").await, site.sign_in("Bob").await);
    let (mut of_ann, mut of_bob) = (Events::open(&ann, "", None).await, Events::open(&bob, "", None).await);
    of_ann.next().await.unwrap();
    of_bob.next().await.unwrap();
    bob.send(Method::DELETE, "/api/session", None).await;
    ann.write("Ring.", None, "k1").await;
    assert!(of_bob.next().await.is_none());
    of_ann.message().await;
    site.end().await;
    assert!(of_ann.next().await.is_none());
}

// ---- pages

#[tokio::test]
async fn pages_show_names_as_text() {
    let site = Site::new().await;
    let eve = site.sign_in("<img src=x onerror=1>").await;
    site.at("09:00").await;
    let card = eve.messages().await[0].clone();
    eve.write(FULL, Some(id(&card)), "k1").await;
    site.at("17:00").await;
    let page = eve.page("/leaderboard/daily-drill?window=all").await;
    assert!(page.contains("&#60;img src=x onerror=1&#62;") || page.contains("&lt;img src=x onerror=1&gt;"), "{page}");
    assert!(!page.contains("<img src=x"));
    for (path, expect) in [
        ("/", "<title>"),
        ("/schedule/daily-drill", "at 09:00 from Monday to Friday"),
        ("/history/daily-drill", "who keeps the state?"),
        ("/leaderboard/daily-drill?board=drill&topic=iam", "Private drills on IAM"),
    ] {
        assert!(eve.page(path).await.contains(expect), "{path}");
    }
    // What is in the address does not get into the page.
    let page = eve.page("/leaderboard/daily-drill?window=%22%3E%3Cscript%3E&topic=%22%3E%3Cscript%3E").await;
    assert!(!page.contains("\"><script>"));
    let response = eve.request(Method::GET, "/leaderboard/nowhere").send().await.unwrap();
    assert_eq!(response.status(), 404);
    // Without a cookie a page sends people to sign in.
    let stranger = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let response = stranger.get(format!("{}/leaderboard/daily-drill", site.base)).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["location"].to_str().unwrap()), (303, "/"));
    site.end().await;
}

#[tokio::test]
async fn the_leaderboard_of_the_api_is_that_of_the_command() {
    let site = Site::new().await;
    let (ann, bob) = (site.sign_in("Ann").await, site.sign_in("Bob").await);
    site.at("09:00").await;
    let card = bob.messages().await[0].clone();
    bob.write(PART, Some(id(&card)), "k1").await;
    site.at("17:00").await;
    let board = ann.get("/api/channels/daily-drill/leaderboard?window=month&topic=iam&board=daily").await;
    assert_snapshot!(board.to_string(), @r#"{"members":1,"rows":[{"answered":1,"name":"Bob","points":"50","rank":1,"streak":1,"you":false}],"title":"Daily questions on IAM, this month","you":null}"#);
    let (status, _) = ann.send(Method::GET, "/api/channels/daily-drill/leaderboard?topic=gardening", None).await;
    assert_eq!(status, 404);
    site.end().await;
}

// ---- what is not let in

#[tokio::test]
async fn without_a_session_nothing_is_shown_or_done() {
    let site = Site::new().await;
    let calls = [
        (Method::GET, "/api/session"),
        (Method::DELETE, "/api/session"),
        (Method::GET, "/api/channels"),
        (Method::GET, "/api/channels/daily-drill/messages"),
        (Method::POST, "/api/channels/daily-drill/messages"),
        (Method::GET, "/api/channels/daily-drill/leaderboard"),
        (Method::GET, "/api/messages/x/thread"),
        (Method::PATCH, "/api/messages/x"),
        (Method::DELETE, "/api/messages/x"),
        (Method::POST, "/api/actions"),
        (Method::POST, "/api/forms"),
        (Method::GET, "/api/complete?text=/"),
        (Method::GET, "/api/events"),
    ];
    for cookie in ["a=b", "drillbot_session=", "drillbot_session=guess", "xdrillbot_session=guess"] {
        let stranger =
            Browser { base: site.base.clone(), client: site.client.clone(), cookie: cookie.into(), id: String::new() };
        for (method, path) in &calls {
            let body = (*method != Method::GET).then(|| json!({}));
            let (status, answer) = stranger.send(method.clone(), path, body).await;
            assert_eq!((status, answer["error"]["code"].as_str()), (401, Some("signed_out")), "{method} {path}");
        }
    }
    site.end().await;
}

#[tokio::test]
async fn requests_from_other_sites_are_refused() {
    let site = Site::new().await;
    let ann = site.sign_in("Ann").await;
    let host = site.base.trim_start_matches("http://").to_owned();
    let post = || {
        let request = ann.request(Method::POST, "/api/channels/daily-drill/messages");
        request.json(&json!({"text": "Hello.", "thread": null, "key": "k"}))
    };
    for (name, value) in [
        ("origin", "http://evil.example".to_owned()),
        ("origin", "null".to_owned()),
        ("origin", format!("http://evil.{host}")),
        ("sec-fetch-site", "cross-site".to_owned()),
        ("sec-fetch-site", "same-site".to_owned()),
        ("host", "evil.example".to_owned()),
        ("host", "127.0.0.1.evil.example".to_owned()),
    ] {
        let status = post().header(name, &value).send().await.unwrap().status();
        assert_eq!(status, StatusCode::FORBIDDEN, "{name}: {value}");
    }
    // A wrong name of this machine is refused for reading too: that is how DNS rebinding would begin.
    let reading = ann.request(Method::GET, "/api/session").header("host", "evil.example").send().await.unwrap();
    assert_eq!(reading.status(), 403);
    // A form of another page cannot say application/json.
    for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("multipart/form-data")] {
        let request = ann.request(Method::POST, "/api/channels/daily-drill/messages");
        let request = request.body("{\"text\": \"Hello.\", \"thread\": null, \"key\": \"k\"}");
        let request = match kind {
            Some(kind) => request.header("content-type", kind),
            None => request,
        };
        assert_eq!(request.send().await.unwrap().status(), 403, "{kind:?}");
    }
    assert_eq!(ann.messages().await.len(), 0);
    assert_eq!(post().header("origin", &site.base).send().await.unwrap().status(), 201);
    site.end().await;
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_scripts_out() {
    let site = Site::new().await;
    for path in ["/", "/api/session", "/assets/app.js", "/nothing", "/healthz", "/readyz"] {
        let response = site.client.get(format!("{}{path}", site.base)).send().await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
    }
    let ok = |path: &str| site.client.get(format!("{}{path}", site.base)).send();
    assert_eq!(ok("/healthz").await.unwrap().status(), 200);
    assert_eq!(ok("/readyz").await.unwrap().text().await.unwrap(), "ready\n");
    site.end().await;
}

#[tokio::test]
async fn too_long_a_text_is_refused_and_nothing_is_saved() {
    let site = Site::new().await;
    let ann = site.sign_in("Ann").await;
    for long in ["ä".repeat(10_001), "x".repeat(600_000)] {
        let (status, body) = ann.write(&long, None, "k1").await;
        assert_eq!((status, body["error"]["code"].as_str()), (413, Some("too_long")));
    }
    let (status, kept) = ann.write(&"ä".repeat(10_000), None, "k1").await;
    assert_eq!(status, 201, "exactly as long as allowed");
    let path = format!("/api/messages/{}", id(&kept["message"]));
    assert_eq!(ann.send(Method::PATCH, &path, Some(json!({"text": "x".repeat(10_001)}))).await.0, 413);
    assert_eq!(ann.messages().await[0]["text"].as_str().unwrap().chars().count(), 10_000);
    let (status, body) = ann.write("Hello.", None, &"k".repeat(201)).await;
    assert_eq!((status, body["error"]["code"].as_str()), (400, Some("bad_request")));
    site.end().await;
}

// ---- the review queue

#[tokio::test]
async fn the_review_queue_is_for_organisers_and_decides_once() {
    let site = Site::new().await;
    let (ann, bob) = (site.sign_in("Ann").await, site.sign_in("Bob").await);
    let values = json!({
        "question": "Why a NAT gateway <script>?", "answer": "For packets.", "points": "It translates", "topic": "iam", "source": "",
    });
    let form = json!({"action": "queue:suggest", "channel": "daily-drill", "message": null, "values": values});
    assert_eq!(bob.post("/api/forms", form).await.0, 200);
    let path = "/api/channels/daily-drill/review";
    for (method, body) in [(Method::GET, None), (Method::POST, Some(json!({"action": "queue:show:open"})))] {
        let (status, answer) = bob.send(method, path, body).await;
        assert_eq!((status, answer["error"]["code"].as_str()), (403, Some("forbidden")), "{answer}");
    }
    let (status, _) = bob.send(Method::GET, "/review/daily-drill", None).await;
    assert_eq!(status, 403);
    assert!(bob.page("/review/daily-drill").await.contains("This page is for organisers"));
    assert!(!bob.page("/schedule/daily-drill").await.contains("/review/"));
    let page = ann.page("/review/daily-drill?show=flags").await;
    assert!(page.contains("data-show=\"flags\"") && page.contains("href=\"/review/daily-drill\""), "{page}");
    assert_eq!(ann.get(&format!("{path}?show=flags")).await["items"], json!([]));
    let items = ann.get(path).await["items"].clone();
    assert_eq!(items.as_array().map(Vec::len), Some(1), "{items}");
    assert_eq!(items[0]["message"]["blocks"][2]["text"], "Why a NAT gateway <script>?");
    let approve = action(&items[0], "Approve");
    for other in ["queue:suggest", "queue:flag:q:iam-1", "forget", "run:/daily now", "nonsense"] {
        let (status, _) = ann.post(path, json!({ "action": other })).await;
        assert_eq!(status, 400, "{other}");
    }
    let before = ann.messages().await.len();
    let (_, done) = ann.post(path, json!({ "action": approve })).await;
    assert!(done["reply"]["message"]["summary"].as_str().is_some_and(|words| words.starts_with("Approved:")), "{done}");
    let (_, late) = ann.post(path, json!({ "action": approve })).await;
    assert_eq!(late["reply"]["message"]["summary"], "Ann has decided on this meanwhile, so nothing was changed.");
    assert_eq!(ann.messages().await.len(), before, "what is decided on the page is answered there");
    assert_eq!(ann.get(&format!("{path}?show=decided")).await["items"].as_array().map(Vec::len), Some(1));
    let typed = ann.get("/api/complete?channel=daily-drill&text=%2Fflag%20suggested").await;
    assert_eq!(typed["suggestions"].as_array().map(Vec::len), Some(1), "{typed}");
    site.at("08:01").await;
    site.end().await;
}

#[tokio::test]
async fn who_is_erased_is_not_in_what_organisers_were_shown_of_the_queue() {
    let site = Site::new().await;
    let (ann, bob) = (site.sign_in("Ann").await, site.sign_in("Bob").await);
    for (action, values) in [
        (
            "queue:suggest",
            json!({"question": "Why does Bob ask?", "answer": "He does.", "points": "So it is", "topic": "iam"}),
        ),
        ("queue:flag:q:iam-1", json!({"fault": "other", "words": "Bob minds."})),
    ] {
        let form = json!({"action": action, "channel": "daily-drill", "message": null, "values": values});
        assert_eq!(bob.post("/api/forms", form).await.0, 200);
    }
    ann.write("/review suggestions", None, "1").await;
    ann.write("/review flags", None, "2").await;
    let shown = |messages: Vec<Value>| json!(messages).to_string();
    let before = shown(ann.messages().await);
    assert!(before.contains("Why does Bob ask?") && before.contains("Bob minds."), "{before}");
    bob.press("forget", "").await;
    let after = shown(ann.messages().await);
    assert!(!after.contains("Bob"), "{after}");
    site.end().await;
}
