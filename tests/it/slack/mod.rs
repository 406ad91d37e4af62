//! The bot on Slack: the real adapter against a server that behaves like Slack.

mod commands;
mod day;
mod delivery;
mod doctor;
mod drill;
mod home;
mod http;
mod install;
mod interactions;
mod manifest;
mod outcomes;
mod people;
mod render;
mod rulings;
mod scenes;
mod sockets;
mod strain;
mod suggestions;

use std::sync::Arc;
use std::time::Duration;

use drillbot::adapters::slack::{self, Patience, Settings, Slack};
use drillbot::app::clock::Clock;
use drillbot::app::{Actor, App};
use drillbot::domain::bank::Bank;
use drillbot::domain::ids::{ChannelId, MemberId, ThreadId};
use drillbot::domain::round::State;

use crate::fake::slack::{Fake, Id, Pinged, Shown, Spot};
use crate::running::Running;
use crate::support::{eventually, setting};
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
    /// Rules that the test breaks on purpose are looked at by itself.
    pub lawless: bool,
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

    /// As [`Stage::new`], with more questions than a test asks and without Slack's limits of requests.
    pub async fn roomy() -> Stage {
        Stage::roomy_with(|_| {}).await
    }

    pub async fn roomy_with(adjust: impl FnOnce(&mut Settings)) -> Stage {
        let stage = Stage::dark_with(bank(&[("iam", 90)]), adjust).await;
        stage.fake.scale_rates(0.0);
        stage.started().await
    }

    /// Everything is there, but the bot does not run yet.
    pub async fn dark() -> Stage {
        Stage::dark_with(bank(&[("eks", 3), ("iam", 6)]), |_| {}).await
    }

    pub async fn dark_with(bank: Bank, adjust: impl FnOnce(&mut Settings)) -> Stage {
        show_logs();
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
            organisers: Vec::new(),
            broadcast_reveal: false,
            patience: Patience::default(),
        };
        adjust(&mut settings);
        Stage {
            fake,
            app,
            team,
            channel,
            ann,
            bob,
            cleo,
            lawless: false,
            settings,
            bot: None,
            door: None,
            _folder: folder,
        }
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

    /// The process dies: whatever was under way is cut off. The database stays.
    pub async fn crash(&mut self) {
        if self.bot.take().is_some() {
            self.fake.cut();
            self.fake.disconnected().await;
        }
    }

    /// Comes back after a crash, with what a start does.
    pub async fn come_back(&mut self) {
        self.app.take_over().await.expect("the outbox can be taken over");
        self.start();
        self.fake.connected().await;
    }

    /// As SIGTERM does.
    pub fn tell_to_stop(&self) {
        self.bot.as_ref().expect("the bot runs").stop.send_replace(true);
    }

    /// How listening ended by itself.
    pub async fn ended(&mut self) -> anyhow::Result<()> {
        let bot = self.bot.as_mut().expect("the bot runs");
        tokio::time::timeout(PATIENCE, &mut bot.listening).await.expect("it ends in time").expect("it does not panic")
    }

    /// `/daily set` by Ann and then a question at once; its card.
    pub async fn question(&self, settings: &str) -> Shown {
        self.schedule(settings).await;
        let card = self.ask().await;
        eventually("the question's thread is noted", PATIENCE, || async {
            let thread = ThreadId::new(format!("{}/{}/{}", self.team, card.spot.channel, card.spot.ts));
            self.app.thread_channel(slack::PLATFORM, &thread).await.expect("a read")
        })
        .await;
        card
    }

    pub async fn schedule(&self, settings: &str) {
        let seen = self.fake.command(self.ann, self.channel, &format!("/daily set {settings}")).await;
        assert!(seen.text().contains("Changed") || seen.text().contains("Set"), "{}", seen.text());
    }

    /// A question at once; its card.
    pub async fn ask(&self) -> Shown {
        let before = self.cards().len();
        if before == 0 {
            let seen = self.fake.command(self.ann, self.channel, "/daily now").await;
            assert!(seen.text().contains("question"), "{}", seen.text());
        } else {
            self.another(self.channel).await;
        }
        eventually("the question is posted", PATIENCE, || async { self.cards().into_iter().nth(before) }).await
    }

    /// Asks for a question that the channel has not had: the same one twice within seconds is one.
    pub async fn another(&self, channel: Id) {
        let cards = self.cards_in(channel);
        let bank = self.app.bank();
        let fresh = bank.questions().iter().rfind(|one| !cards.iter().any(|card| card.text().contains(&one.prompt)));
        let line = format!("/daily now question={}", fresh.expect("a question that was not asked").id);
        self.steer(channel, &line).await;
    }

    /// Questions of ours in the stage's channel, open or closed.
    pub fn cards(&self) -> Vec<Shown> {
        self.cards_in(self.channel)
    }

    pub fn cards_in(&self, channel: Id) -> Vec<Shown> {
        let bot = self.fake.bot(self.team);
        let all = self.fake.messages(channel);
        all.into_iter().filter(|one| one.author_id == bot && one.text().contains("Level")).collect()
    }

    /// Waits until the bot has noted a question's thread.
    pub async fn noted(&self, card: &Shown) {
        let thread = ThreadId::new(format!("{}/{}/{}", self.team, card.spot.channel, card.spot.ts));
        let noted = || async { self.app.thread_channel(slack::PLATFORM, &thread).await.expect("a read") };
        eventually("the question's thread is noted", PATIENCE, noted).await;
    }

    /// A line of Ann's that does not come from Slack: for what its clients do not let her do.
    pub async fn steer(&self, channel: Id, line: &str) {
        let actor = Actor {
            member: MemberId::new(format!("slack:{}/{}", self.team, self.ann)),
            name: "Ann".into(),
            organiser: true,
            channel: self.channel_id(channel),
            channel_name: self.fake.with(|model| model.channels[&channel].name.clone()),
            space: format!("slack:{}", self.team),
        };
        self.app.line(&actor, line).await.expect("the line is read");
    }

    pub fn channel_id(&self, channel: Id) -> ChannelId {
        ChannelId::new(format!("slack:{}/{channel}", self.team))
    }

    /// Waits until nothing is on its way, whatever was put off included.
    pub async fn settled(&self) {
        eventually("everything is delivered", 2 * PATIENCE, || async {
            let next = self.app.next_delivery(slack::PLATFORM).await.expect("a read");
            next.is_none().then_some(())
        })
        .await;
    }

    /// The state of every round of a channel, the newest first, and why it is so.
    pub async fn history(&self, channel: Id) -> Vec<(State, String)> {
        let all = self.app.history(&self.channel_id(channel), 100).await.expect("a read");
        all.into_iter().map(|past| (past.round.state, past.round.reason)).collect()
    }

    /// What `/daily show` says of a trouble.
    pub async fn shown_trouble(&self) -> Option<String> {
        let seen = self.fake.command(self.ann, self.channel, "/daily show").await;
        seen.text().lines().find(|line| line.contains("Trouble")).map(str::to_owned)
    }

    /// What the bot wrote to somebody in private conversations.
    pub fn letters(&self, user: Id) -> Vec<String> {
        let bot = self.fake.bot(self.team);
        let all = self.fake.messages(self.fake.direct(user));
        all.into_iter().filter(|one| one.author_id == bot).map(|one| one.text().to_owned()).collect()
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
        // What only one person sees calls nobody.
        let public = |one: &Shown| one.author_id == bot && one.only_for.is_none();
        for shown in self.fake.everything().into_iter().filter(public) {
            assert!(shown.pinged == Pinged::default() || self.lawless, "{} pinged {:?}", shown.text(), shown.pinged);
        }
        if !self.lawless {
            self.fake.check();
        }
    }
}

/// What the bot logs, for who looks for a mistake: DRILLBOT_TEST_LOG=debug cargo test --test it slack::..
fn show_logs() {
    if let Some(filter) = setting("DRILLBOT_TEST_LOG") {
        // The first test of the process sets it for all.
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    }
}
