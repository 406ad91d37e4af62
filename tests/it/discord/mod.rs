//! The bot on Discord: the real adapter against a server that behaves like Discord.

mod commands;
mod day;
mod delivery;
mod doctor;
mod drill;
mod gateway;
mod interactions;
mod outcomes;
mod render;
mod rulings;
mod scenes;
mod suggestions;

use std::sync::Arc;
use std::time::Duration;

use drillbot::adapters::discord::{self, Discord, Settings};
use drillbot::app::clock::Clock;
use drillbot::app::{Actor, App};
use drillbot::domain::bank::Bank;
use drillbot::domain::ids::{ChannelId, MemberId, ThreadId};
use drillbot::domain::round::State;

use crate::fake::discord::{Fake, Id, Outage, Permissions, Pinged, Shown};
use crate::running::Running;
use crate::support::{eventually, setting};
use crate::world::{bank, folder, open_store, standings_agree};

/// How long a test waits for something that has to happen.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// One server with a channel, Ann who organises it, Bob and Cleo, and a bot that runs as in the binary: it ticks, delivers and listens.
pub struct Stage {
    pub fake: Fake,
    pub app: Arc<App>,
    pub guild: Id,
    pub channel: Id,
    pub ann: Id,
    pub bob: Id,
    pub cleo: Id,
    /// Rules that the test breaks on purpose are looked at by itself.
    pub lawless: bool,
    settings: Settings,
    bot: Option<Running>,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// The bot runs and is connected; nothing is scheduled.
    pub async fn new() -> Stage {
        Stage::dark().await.started().await
    }

    /// As [`Stage::new`], with more questions than a test asks and without limits of requests.
    pub async fn roomy() -> Stage {
        let stage = Stage::dark_with(bank(&[("iam", 90)]), |_| {}).await;
        stage.fake.scale_rates(0.0);
        stage.started().await
    }

    /// Runs, connected and with its commands registered.
    pub async fn started(mut self) -> Stage {
        self.start();
        registered(&self.fake).await;
        self
    }

    /// Everything is there, but the bot does not run yet.
    pub async fn dark() -> Stage {
        Stage::dark_with(bank(&[("eks", 3), ("iam", 6)]), |_| {}).await
    }

    pub async fn dark_with(bank: Bank, adjust: impl FnOnce(&mut Settings)) -> Stage {
        show_logs();
        let fake = Fake::start().await;
        let guild = fake.guild("Study group");
        let channel = fake.text_channel(guild, "daily-drill");
        let ann = fake.member(guild, "Ann", Permissions::MANAGE_GUILD);
        let bob = fake.member(guild, "Bob", Permissions::empty());
        let cleo = fake.member(guild, "Cleo", Permissions::empty());
        let folder = folder();
        let store = open_store(&folder).await;
        let app = Arc::new(App::new(store, Clock::system(), bank, Duration::from_secs(10)));
        let mut settings = Settings {
            token: fake.token(),
            api_url: fake.url(),
            guilds: Vec::new(),
            read_threads: true,
            shards: None,
            shard_range: None,
        };
        adjust(&mut settings);
        Stage { fake, app, guild, channel, ann, bob, cleo, lawless: false, settings, bot: None, _folder: folder }
    }

    /// A Discord of its own for the same database, which nobody listens with.
    pub fn chat(&self) -> Discord {
        Discord::new(self.app.clone(), self.settings.clone()).expect("the settings are right")
    }

    pub fn start(&mut self) {
        let discord = self.chat();
        self.bot = Some(Running::start(&self.app, discord.clone(), |stopping| discord::listen(discord, stopping)));
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
        self.ask().await
    }

    pub async fn schedule(&self, settings: &str) {
        let seen = self.fake.command(self.ann, self.channel, &format!("/daily set {settings}")).await;
        assert!(seen.text().contains("Changed") || seen.text().contains("Set"), "{}", seen.text());
    }

    /// A question at once; its card.
    pub async fn ask(&self) -> Shown {
        let before = self.cards(self.channel).len();
        if before == 0 {
            let seen = self.fake.command(self.ann, self.channel, "/daily now").await;
            assert!(seen.text().contains("question"), "{}", seen.text());
        } else {
            self.another(self.channel).await;
        }
        eventually("the question is posted", PATIENCE, || async { self.cards(self.channel).into_iter().nth(before) })
            .await
    }

    /// Asks for a question that the channel has not had: the same one twice within seconds is one.
    pub async fn another(&self, channel: Id) {
        let cards = self.cards(channel);
        let bank = self.app.bank();
        let fresh = bank.questions().iter().rfind(|one| !cards.iter().any(|card| card.text().contains(&one.prompt)));
        let line = format!("/daily now question={}", fresh.expect("a question that was not asked").id);
        self.steer(channel, &line).await;
    }

    /// Questions of ours in a channel, open or closed.
    pub fn cards(&self, channel: Id) -> Vec<Shown> {
        let bot = self.fake.bot();
        self.fake
            .messages(channel)
            .into_iter()
            .filter(|one| one.author_id == bot && one.text().contains("Level"))
            .collect()
    }

    /// Waits until a question's thread is there, and the bot knows it.
    pub async fn thread(&self, card: &Shown) -> Id {
        let noted = || async {
            let thread = ThreadId::new(card.id.to_string());
            self.app.thread_channel(discord::PLATFORM, &thread).await.expect("a read")
        };
        eventually("the question's thread is noted", PATIENCE, noted).await;
        let there = self.fake.threads(card.channel).into_iter().any(|(id, _)| id == card.id);
        assert!(there || card.channel == card.id, "a thread that is noted is there");
        card.id
    }

    /// A line of Ann's that does not come from Discord: for what its clients do not offer.
    pub async fn steer(&self, channel: Id, line: &str) {
        let actor = Actor {
            member: MemberId::new(format!("discord:{}", self.ann)),
            name: "Ann".into(),
            organiser: true,
            channel: ChannelId::new(format!("discord:{channel}")),
            channel_name: self.fake.with(|model| model.channels[&channel].name.clone()),
            space: format!("discord:{}", self.guild),
        };
        self.app.line(&actor, line).await.expect("the line is read");
    }

    /// Waits until nothing is on its way, whatever was put off included.
    pub async fn settled(&self) {
        eventually("everything is delivered", 2 * PATIENCE, || async {
            let next = self.app.next_delivery(discord::PLATFORM).await.expect("a read");
            next.is_none().then_some(())
        })
        .await;
    }

    /// The state of every round of a channel, the newest first, and why it is so.
    pub async fn history(&self, channel: Id) -> Vec<(State, String)> {
        let all = self.app.history(&ChannelId::new(format!("discord:{channel}")), 100).await.expect("a read");
        all.into_iter().map(|past| (past.round.state, past.round.reason)).collect()
    }

    /// What `/daily show` says of a trouble.
    pub async fn shown_trouble(&self) -> Option<String> {
        let seen = self.fake.command(self.ann, self.channel, "/daily show").await;
        seen.text().lines().find(|line| line.contains("Trouble")).map(str::to_owned)
    }

    /// How many requests were refused so far: not the pace, but what was asked.
    pub fn refusals(&self) -> usize {
        self.fake.with(|model| model.log.iter().filter(|one| (400..500).contains(&one.status)).count())
    }

    /// Reveals the open question; waits for its last part and gives everything that stands in the thread.
    pub async fn reveal(&self, thread: Id) -> Vec<Shown> {
        let seen = self.fake.command(self.ann, self.channel, "/daily reveal").await;
        assert!(seen.text().contains("reveal"), "{}", seen.text());
        self.fake.until(thread, "Key points, and who covered them").await;
        self.fake.messages(thread)
    }

    /// What the bot wrote to somebody in private conversations.
    pub fn letters(&self, user: Id) -> Vec<String> {
        let bot = self.fake.bot();
        let all = self.fake.messages(self.fake.dm(user));
        all.into_iter().filter(|one| one.author_id == bot).map(|one| one.text().to_owned()).collect()
    }

    /// Waits for what is under way, and checks what always holds: no rule of Discord's broken, nobody pinged, no event that serenity
    /// cannot read, standings that a recount confirms.
    pub async fn end(mut self) {
        if let Some(bot) = self.bot.take() {
            let _ = bot.stop.send(true);
        }
        standings_agree(&self.app.store).await;
        let bot = self.fake.bot();
        for shown in self.fake.everything().into_iter().filter(|one| one.author_id == bot) {
            assert!(shown.pinged == Pinged::default() || self.lawless, "{} pinged {:?}", shown.text(), shown.pinged);
        }
        if !self.lawless {
            self.fake.check();
        }
    }
}

pub async fn registered(fake: &Fake) {
    fake.connected().await;
    eventually("the commands are registered", PATIENCE, || async { (!fake.commands().is_empty()).then_some(()) }).await;
}

/// What the bot logs, for who looks for a mistake: DRILLBOT_TEST_LOG=debug cargo test --test it discord::..
fn show_logs() {
    if let Some(filter) = setting("DRILLBOT_TEST_LOG") {
        // The first test of the process sets it for all.
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    }
}

/// The whole service is away for a while.
pub async fn outage(fake: &Fake, kind: Outage, lasting: Duration) {
    fake.outage(kind);
    tokio::time::sleep(lasting).await;
    fake.recover();
}
