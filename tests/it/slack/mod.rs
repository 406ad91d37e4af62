//! The bot on Slack: the real adapter against a server that behaves like Slack.

mod day;
mod doctor;
mod drill;
mod http;
mod install;
mod manifest;
mod render;

use std::sync::Arc;
use std::time::Duration;

use drillbot::adapters::slack::{self, Settings, Slack};
use drillbot::app::App;
use drillbot::app::clock::Clock;
use drillbot::domain::bank::Bank;

use crate::fake::slack::{Fake, Id, Pinged, Shown, Spot};
use crate::running::Running;
use crate::support::eventually;
use crate::world::{bank, folder, open_store, standings_agree};

/// How long a test waits for something that has to happen.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// One workspace with a channel that has the bot, Ann who looks after it, Bob and Cleo, and a bot that runs as in the binary.
pub struct Stage {
    pub fake: Fake,
    pub app: Arc<App>,
    pub team: Id,
    pub channel: Id,
    pub ann: Id,
    pub bob: Id,
    pub cleo: Id,
    settings: Settings,
    bot: Option<Running>,
    /// Where the bot's web server listens, over HTTP.
    door: Option<std::net::TcpListener>,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// The bot runs and is connected; nothing is scheduled.
    pub async fn new() -> Stage {
        Stage::dark().await.started().await
    }

    /// Everything is there, but the bot does not run yet.
    pub async fn dark() -> Stage {
        Stage::dark_with(bank(&[("eks", 3), ("iam", 6)]), |_| {}).await
    }

    pub async fn dark_with(bank: Bank, adjust: impl FnOnce(&mut Settings)) -> Stage {
        let fake = Fake::start().await;
        fake.take_manifest(&slack::manifest::manifest("", None));
        let team = fake.workspace("Study group");
        let channel = fake.public_channel(team, "daily-drill");
        fake.invite(channel);
        let ann = fake.admin(team, "Ann");
        let (bob, cleo) = (fake.member(team, "Bob"), fake.member(team, "Cleo"));
        [ann, bob, cleo].iter().for_each(|who| fake.join(channel, *who));
        let folder = folder();
        let store = open_store(&folder).await;
        let app = Arc::new(App::new(store, Clock::system(), bank, Duration::from_secs(10)));
        let mut settings = Settings {
            bot_token: Some(fake.token(team)),
            oauth: None,
            app_token: Some(fake.app_token()),
            signing_secret: None,
            api_url: fake.url(),
            command_prefix: String::new(),
        };
        adjust(&mut settings);
        Stage { fake, app, team, channel, ann, bob, cleo, settings, bot: None, door: None, _folder: folder }
    }

    pub async fn started(mut self) -> Stage {
        self.start();
        self.fake.connected().await;
        self
    }

    /// Slack comes to the bot's web server instead of a socket; nothing runs yet.
    pub fn over_http(mut self) -> Stage {
        let door = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        door.set_nonblocking(true).expect("a socket");
        self.settings.app_token = None;
        self.settings.signing_secret = Some(self.fake.signing_secret());
        self.door = Some(door);
        self.fake.send_to(&self.url(slack::manifest::EVENTS_PATH));
        self
    }

    /// Waits until the bot's web server answers, as after a start.
    pub async fn answers(&self) {
        eventually("the web server answers", PATIENCE, || async { self.fake.verify_url().await.ok() }).await;
    }

    /// An address of the bot's web server.
    pub fn url(&self, path: &str) -> String {
        let door = self.door.as_ref().expect("the bot has a web server");
        format!("http://{}{path}", door.local_addr().expect("an address"))
    }

    /// A Slack of its own for the same database, which nobody listens with.
    pub fn chat(&self) -> Slack {
        Slack::new(self.app.clone(), self.settings.clone())
    }

    pub fn start(&mut self) {
        let slack = self.chat();
        let door = self.door.as_ref().map(|door| door.try_clone().expect("a socket"));
        self.bot = Some(Running::start(&self.app, slack.clone(), |stopping| async move {
            let router = slack::router(&slack)?;
            let serve = async {
                match door {
                    Some(door) => axum::serve(tokio::net::TcpListener::from_std(door)?, router).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                served = serve => Ok(served?),
                listened = slack::listen(slack.clone(), stopping) => listened,
            }
        }));
    }

    /// `/daily set` by Ann and then a question at once; its card.
    pub async fn question(&self, settings: &str) -> Shown {
        let seen = self.fake.command(self.ann, self.channel, &format!("/daily set {settings}")).await;
        assert!(seen.text().contains("Changed") || seen.text().contains("Set"), "{}", seen.text());
        let seen = self.fake.command(self.ann, self.channel, "/daily now").await;
        assert!(seen.text().contains("question"), "{}", seen.text());
        eventually("the question is posted", PATIENCE, || async { self.cards().into_iter().next() }).await
    }

    /// Questions of ours in the channel, open or closed.
    pub fn cards(&self) -> Vec<Shown> {
        let bot = self.fake.bot(self.team);
        let all = self.fake.messages(self.channel);
        all.into_iter().filter(|one| one.author_id == bot && one.text().contains("Level")).collect()
    }

    /// Reveals the open question; waits for its last part and gives what stands in the thread.
    pub async fn reveal(&self, card: Spot) -> Vec<Shown> {
        let seen = self.fake.command(self.ann, self.channel, "/daily reveal").await;
        assert!(seen.text().contains("reveal"), "{}", seen.text());
        eventually("the reveal is posted", PATIENCE, || async {
            let told = self.fake.replies(card);
            told.iter().any(|one| one.text().contains("Key points, and who covered them")).then_some(told)
        })
        .await
    }

    /// Checks what always holds: no rule of Slack's broken, nobody pinged, standings that a recount confirms.
    pub async fn end(mut self) {
        if let Some(bot) = self.bot.take() {
            bot.stop.send_replace(true);
        }
        standings_agree(&self.app.store).await;
        let bot = self.fake.bot(self.team);
        for shown in self.fake.everything().into_iter().filter(|one| one.author_id == bot) {
            assert!(shown.pinged == Pinged::default(), "{} pinged {:?}", shown.text(), shown.pinged);
        }
        self.fake.check();
    }
}
