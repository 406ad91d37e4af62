//! The bot on Slack: the real adapter against a server that behaves like Slack.

mod commands;
mod drill;
mod home;
mod interactions;
mod render;
mod strain;

use std::sync::Arc;
use std::time::Duration;

use drillbot::adapters::slack::{self, Settings, Slack};
use drillbot::app::App;
use drillbot::app::clock::Clock;
use drillbot::domain::bank::Bank;
use drillbot::domain::ids::ThreadId;

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
            bot_token: fake.token(team),
            app_token: Some(fake.app_token()),
            signing_secret: None,
            api_url: fake.url(),
            command_prefix: String::new(),
            organisers: Vec::new(),
            broadcast_reveal: false,
        };
        adjust(&mut settings);
        Stage { fake, app, team, channel, ann, bob, cleo, settings, bot: None, _folder: folder }
    }

    pub async fn started(mut self) -> Stage {
        self.start();
        self.fake.connected().await;
        self
    }

    /// A Slack of its own for the same database, which nobody listens with.
    pub fn chat(&self) -> Slack {
        Slack::new(self.app.clone(), self.settings.clone())
    }

    pub fn start(&mut self) {
        let slack = self.chat();
        self.bot = Some(Running::start(&self.app, slack.clone(), |stopping| slack::listen(slack, stopping)));
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

    /// `/daily set` by Ann and then a question at once; its card.
    pub async fn question(&self, settings: &str) -> Shown {
        let seen = self.fake.command(self.ann, self.channel, &format!("/daily set {settings}")).await;
        assert!(seen.text().contains("Changed") || seen.text().contains("Set"), "{}", seen.text());
        let seen = self.fake.command(self.ann, self.channel, "/daily now").await;
        assert!(seen.text().contains("question"), "{}", seen.text());
        let card = eventually("the question is posted", PATIENCE, || async { self.cards().into_iter().next() }).await;
        eventually("the question's thread is noted", PATIENCE, || async {
            let thread = ThreadId::new(format!("{}/{}/{}", self.team, card.spot.channel, card.spot.ts));
            self.app.thread_channel(slack::PLATFORM, &thread).await.expect("a read")
        })
        .await;
        card
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
        // What only one person sees calls nobody.
        let public = |one: &Shown| one.author_id == bot && one.only_for.is_none();
        for shown in self.fake.everything().into_iter().filter(public) {
            assert!(shown.pinged == Pinged::default(), "{} pinged {:?}", shown.text(), shown.pinged);
        }
        self.fake.check();
    }
}
