//! Workspaces install the app by themselves.

use std::sync::Arc;

use drillbot::adapters::slack::OAuth;
use drillbot::adapters::slack::vault::{Keys, new_key};
use drillbot::store::slack as table;
use reqwest::{Response, StatusCode, Url, header, redirect};

use super::{PATIENCE, Stage};
use crate::fake::slack::{Fault, Id};
use crate::support::eventually;
use crate::world::FULL;

/// A person with a browser.
struct Browser(reqwest::Client);

impl Browser {
    fn new() -> Browser {
        Browser(reqwest::Client::builder().redirect(redirect::Policy::none()).build().expect("a client"))
    }

    async fn get(&self, url: &str, cookie: &str) -> Response {
        self.0.get(url).header(header::COOKIE, format!("other=1; {cookie}")).send().await.expect("an answer")
    }

    /// Begins at the bot; where Slack asks, and the cookie.
    async fn begin(&self, stage: &Stage) -> (String, String) {
        let response = self.get(&stage.url("/slack/install"), "").await;
        assert_eq!(response.status(), StatusCode::FOUND);
        let cookie = text(&response, header::SET_COOKIE);
        for flag in ["HttpOnly", "SameSite=Lax", "Path=/slack", "Max-Age=600"] {
            assert!(cookie.contains(flag), "{cookie}");
        }
        (text(&response, header::LOCATION), cookie.split(';').next().unwrap_or_default().to_owned())
    }

    /// Agrees on Slack's page; where that leads back to.
    async fn agree(&self, asks: &str, team: Id) -> String {
        let mut asks = Url::parse(asks).expect("an address");
        asks.query_pairs_mut().append_pair("team", &team.to_string());
        text(&self.get(asks.as_str(), "").await, header::LOCATION)
    }

    async fn install(&self, stage: &Stage, team: Id) -> String {
        let (asks, cookie) = self.begin(stage).await;
        let back = self.agree(&asks, team).await;
        let done = self.get(&back, &cookie).await;
        assert_eq!(done.status(), StatusCode::OK);
        assert!(text(&done, header::SET_COOKIE).contains("Max-Age=0"));
        done.text().await.expect("a page")
    }
}

fn text(response: &Response, name: header::HeaderName) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

impl Stage {
    /// No workspace has the app by the operator's hand; nothing runs yet.
    async fn open_to_all(key: &str) -> Stage {
        let mut stage = Stage::dark().await.over_http();
        let (client_id, client_secret) = stage.fake.client();
        let keys = Arc::new(Keys::read(key).expect("a key"));
        let public_url = stage.url("");
        stage.settings.bot_token = None;
        stage.settings.oauth = Some(OAuth { client_id, client_secret, public_url, keys });
        stage
    }

    /// A workspace that has not the app yet, with a channel and somebody who looks after it.
    fn other(&self, name: &str) -> (Id, Id, Id) {
        let team = self.fake.workspace_without_app(name);
        let channel = self.fake.public_channel(team, "drills");
        let owner = self.fake.owner(team);
        self.fake.join(channel, owner);
        (team, channel, owner)
    }

    async fn kept(&self) -> Vec<table::Installed> {
        self.app.store.read("test", |conn| Box::pin(table::all(conn))).await.expect("the table can be read")
    }

    async fn asks_in(&self, channel: Id, owner: Id) {
        let seen = self.fake.command(owner, channel, "/daily set 09:00 zone:Europe/London reveal:8h").await;
        assert!(seen.text().contains("Changed"), "{}", seen.text());
        self.fake.command(owner, channel, "/daily now").await;
        self.fake.until(channel, "Level").await;
    }
}

#[tokio::test]
async fn two_workspaces_install_it_and_drill_side_by_side() {
    let mut stage = Stage::open_to_all(&new_key().expect("a key")).await;
    stage.start();
    let (north, north_channel, nora) = stage.other("North");
    let (south, south_channel, sam) = stage.other("South");
    for team in [north, south] {
        let page = Browser::new().install(&stage, team).await;
        assert!(page.contains("drillbot is in your workspace") && page.contains(&format!("team={team}")), "{page}");
    }
    for (channel, owner) in [(north_channel, nora), (south_channel, sam)] {
        stage.fake.invite(channel);
        stage.asks_in(channel, owner).await;
    }
    let north_card =
        stage.fake.messages(north_channel).into_iter().find(|one| one.text().contains("Level")).expect("a card");
    stage.fake.reply(nora, north_card.spot, FULL);
    stage.fake.until(north_channel, "1 person").await;
    let south_card = stage.fake.until(south_channel, "Level").await;
    assert!(south_card.text().contains("nobody yet"), "{}", south_card.text());
    let kept = stage.kept().await;
    assert_eq!(kept.len(), 2);
    for (row, team) in kept.iter().zip([north, south]) {
        assert!(!row.token.contains("xoxb") && !row.token.contains(&stage.fake.token(team)), "{}", row.token);
    }
    // Their tokens are read again after a start.
    drop(stage.bot.take());
    stage.start();
    stage.answers().await;
    let seen = stage.fake.command(nora, north_channel, "/leaderboard").await;
    assert!(!seen.text().contains("did not respond"), "{}", seen.text());
    stage.end().await;
}

#[tokio::test]
async fn an_installation_that_was_not_begun_here_is_refused() {
    let mut stage = Stage::open_to_all(&new_key().expect("a key")).await;
    stage.start();
    let (north, ..) = stage.other("North");
    let browser = Browser::new();
    let (asks, cookie) = browser.begin(&stage).await;
    let back = browser.agree(&asks, north).await;
    let (_, other_cookie) = browser.begin(&stage).await;
    let state = back.split("state=").nth(1).expect("a state");
    let changed = back.replace(state, &format!("2{}", &state[1..]));
    let cases = [
        ("another browser", back.clone(), String::new()),
        ("another installation", back.clone(), other_cookie),
        ("another time", changed, cookie.clone()),
        ("no state", back.replace("state=", "nothing="), cookie.clone()),
    ];
    for (what, url, cookie) in cases {
        let response = browser.get(&url, &cookie).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{what}");
        let page = response.text().await.expect("a page");
        assert!(page.contains("was begun in another browser") && page.contains("href=\"/slack/install\""), "{page}");
    }
    assert!(stage.fake.requests("oauth.v2.access").is_empty(), "no code was used");
    let declined = format!("{}?error=access_denied&state={state}", stage.url("/slack/oauth"));
    let page = browser.get(&declined, &cookie).await.text().await.expect("a page");
    assert!(page.contains("nothing has changed"), "{page}");
    // A code is good once.
    assert_eq!(browser.get(&back, &cookie).await.status(), StatusCode::OK);
    assert_eq!(browser.get(&back, &cookie).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(stage.kept().await.len(), 1);
    stage.end().await;
}

#[tokio::test]
async fn nobody_waits_while_slack_asks_another_workspace_for_silence() {
    let mut stage = Stage::open_to_all(&new_key().expect("a key")).await;
    stage.start();
    let (north, north_channel, nora) = stage.other("North");
    let (south, south_channel, sam) = stage.other("South");
    for (team, channel) in [(north, north_channel), (south, south_channel)] {
        Browser::new().install(&stage, team).await;
        stage.fake.invite(channel);
    }
    // Longer than the test waits.
    stage.fake.fault("chat.postMessage", Fault::TooMany { retry_after_s: 120 });
    let set = "/daily set 09:00 zone:Europe/London reveal:8h";
    stage.fake.command(nora, north_channel, set).await;
    stage.fake.command(nora, north_channel, "/daily now").await;
    eventually("the north is asked for silence", PATIENCE, || async {
        stage.fake.requests("chat.postMessage").first().cloned()
    })
    .await;
    stage.asks_in(south_channel, sam).await;
    let cards = |channel| stage.fake.messages(channel).iter().filter(|one| one.text().contains("Level")).count();
    assert_eq!((cards(north_channel), cards(south_channel)), (0, 1));
    stage.end().await;
}

#[tokio::test]
async fn who_removes_it_is_forgotten_and_may_come_back() {
    let mut stage = Stage::open_to_all(&new_key().expect("a key")).await;
    stage.start();
    let (north, north_channel, nora) = stage.other("North");
    let (south, south_channel, sam) = stage.other("South");
    for (team, channel, owner) in [(north, north_channel, nora), (south, south_channel, sam)] {
        Browser::new().install(&stage, team).await;
        stage.fake.invite(channel);
        stage.asks_in(channel, owner).await;
    }
    stage.fake.uninstall(north);
    eventually("its token is gone", PATIENCE, || async { (stage.kept().await.len() == 1).then_some(()) }).await;
    assert_eq!(stage.kept().await[0].team, south.to_string());
    // The other goes on.
    let seen = stage.fake.command(sam, south_channel, "/daily show").await;
    assert!(!seen.text().contains("removed"), "{}", seen.text());
    Browser::new().install(&stage, north).await;
    stage.fake.invite(north_channel);
    let card = stage.fake.until(north_channel, "Level").await;
    let seen = stage.fake.command(nora, north_channel, "/daily reveal").await;
    assert!(seen.text().contains("reveal"), "{}", seen.text());
    eventually("the drill goes on", PATIENCE, || async {
        let told = stage.fake.replies(card.spot);
        told.iter().any(|one| one.text().contains("Key points")).then_some(())
    })
    .await;
    stage.end().await;
}

#[tokio::test]
async fn a_new_key_takes_the_place_of_an_old_one() {
    let (old, new) = (new_key().expect("a key"), new_key().expect("a key"));
    let mut stage = Stage::open_to_all(&old).await;
    stage.start();
    let (north, channel, nora) = stage.other("North");
    Browser::new().install(&stage, north).await;
    stage.fake.invite(channel);
    let before = stage.kept().await.remove(0).token;
    let with = |stage: &mut Stage, keys: &str| {
        drop(stage.bot.take());
        let oauth = stage.settings.oauth.as_mut().expect("OAuth");
        oauth.keys = Arc::new(Keys::read(keys).expect("keys"));
        stage.start();
    };
    with(&mut stage, &format!("{new}\n{old}"));
    eventually("the token is encrypted anew", PATIENCE, || async {
        stage.kept().await.first().is_some_and(|row| row.token != before).then_some(())
    })
    .await;
    with(&mut stage, &new);
    stage.answers().await;
    stage.asks_in(channel, nora).await;
    // The old one alone is of no use any more.
    let kept = stage.kept().await.remove(0);
    let open = |key: &str| Keys::read(key).expect("a key").open(&kept.team, &kept.token);
    assert_eq!((open(&old), open(&new)), (None, Some(stage.fake.token(north))));
    stage.end().await;
}
