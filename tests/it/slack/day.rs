//! Four days of three people on Slack, with the real binary, over sockets and over HTTP: `kill -9` in the middle, an outage of Slack,
//! `kill -9` at the reveal.

use std::collections::BTreeMap;
use std::time::Duration;

use drillbot::domain::grade::grade;
use drillbot::domain::score::{points_tenths, show_points};
use drillbot::store::{Store, outbox};

use crate::fake::slack::{Fake, Id, Outage, SeenKind, Shown};
use crate::support::{Bot, Setup, eventually};
use crate::world::{FULL, PART, bank, bank_texts, folder, standings_agree};

/// A day in this test: a question every 16 seconds, revealed a little before the next.
const CRON: &str = "*/16 * * * * *";
const REVEAL: &str = "11s";
const PATIENCE: Duration = Duration::from_secs(40);
const DAYS: usize = 4;
const TOPICS: &[(&str, usize)] = &[("iam", 9)];

/// How Slack reaches the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Socket,
    Http,
}

struct Group {
    fake: Fake,
    mode: Mode,
    team: Id,
    channel: Id,
    /// Points by name, in tenths as the store counts them.
    points: BTreeMap<&'static str, i64>,
}

impl Group {
    /// Starts the bot; it hears what people do.
    async fn start(&self, setup: &Setup) -> Bot {
        let mut bot = setup.start().await;
        match self.mode {
            Mode::Socket => self.fake.connected().await,
            Mode::Http => self.fake.send_to(&format!("{}/slack/events", bot.ready().await)),
        }
        bot
    }

    /// Slack has noticed that the bot is dead.
    async fn gone(&self) {
        if self.mode == Mode::Socket {
            self.fake.disconnected().await;
        }
    }

    fn cards(&self) -> Vec<Shown> {
        let bot = self.fake.bot(self.team);
        let all = self.fake.messages(self.channel);
        all.into_iter().filter(|one| one.author_id == bot && one.text().contains("Level")).collect()
    }

    async fn card(&self, day: usize) -> Shown {
        eventually(&format!("the question of day {}", day + 1), PATIENCE, || async {
            self.cards().into_iter().nth(day)
        })
        .await
    }

    async fn revealed(&self, day: usize) {
        let what = format!("the reveal of day {}", day + 1);
        let card = self.cards()[day].spot;
        eventually(&what, PATIENCE, || async {
            let there =
                self.fake.replies(card).iter().any(|one| one.text().contains("Key points, and who covered them"));
            (there && self.cards()[day].text().contains("[My result]")).then_some(())
        })
        .await;
    }

    /// What somebody's answer to a card is worth.
    fn expect(&mut self, name: &'static str, card: &Shown, answer: &str, hints: i64) {
        let bank = bank(TOPICS);
        let question =
            bank.questions().iter().find(|one| card.text().contains(&one.prompt)).expect("a question of the bank");
        let coverage = (i64::from(grade(question, answer).score) - 10 * hints).max(0);
        *self.points.entry(name).or_default() += points_tenths(coverage, question.level);
    }

    /// Everything that goes to Slack stands there once; of the first days, that are over, the reveal too.
    fn check_once(&self, over: usize) {
        let cards = self.cards();
        let mut prompts: Vec<String> =
            cards.iter().map(|card| card.text().lines().next().unwrap_or_default().to_owned()).collect();
        prompts.sort();
        let all = prompts.len();
        prompts.dedup();
        assert_eq!(prompts.len(), all, "a question was posted twice: {prompts:#?}");
        let bot = self.fake.bot(self.team);
        for card in &cards[..over] {
            let said: Vec<Shown> =
                self.fake.replies(card.spot).into_iter().filter(|one| one.author_id == bot).collect();
            for title in ["Model answer", "Key points, and who covered them"] {
                let times = said.iter().filter(|one| one.text().contains(title)).count();
                assert_eq!(times, 1, "{title} stands {times} times in the thread of {}", card.text());
            }
        }
    }
}

#[tokio::test]
async fn four_days_over_sockets_with_kills_and_an_outage_post_everything_once_and_count_it_right() {
    four_days(Mode::Socket).await;
}

#[tokio::test]
async fn four_days_over_http_with_kills_and_an_outage_post_everything_once_and_count_it_right() {
    four_days(Mode::Http).await;
}

async fn four_days(mode: Mode) {
    let fake = Fake::start().await;
    let team = fake.workspace("Study group");
    let channel = fake.public_channel(team, "daily-drill");
    fake.invite(channel);
    let ann = fake.admin(team, "Ann");
    let (bob, cleo) = (fake.member(team, "Bob"), fake.member(team, "Cleo"));
    [ann, bob, cleo].iter().for_each(|who| fake.join(channel, *who));
    let folder = folder();
    for (name, text) in bank_texts(TOPICS) {
        std::fs::write(folder.path().join(name), text).expect("the bank is written");
    }
    let database = format!("sqlite:{}", folder.path().join("day.db").display());
    let settings = "[content]\nembedded = false\npaths = [\"iam.toml\"]\n[delivery]\nlease_seconds = 6\n";
    let setup = Setup::new(folder.path(), &database, settings)
        .with("DRILLBOT_SLACK_BOT_TOKEN", &fake.token(team))
        .with("DRILLBOT_SLACK_API_URL", &fake.url());
    let setup = match mode {
        Mode::Socket => setup.with("DRILLBOT_SLACK_APP_TOKEN", &fake.app_token()),
        Mode::Http => setup.with("DRILLBOT_SLACK_SIGNING_SECRET", &fake.signing_secret()),
    };
    let mut group = Group { fake, mode, team, channel, points: BTreeMap::new() };
    let mut bot = group.start(&setup).await;
    let set = format!("/daily set cron:\"{CRON}\" zone:Europe/London reveal:{REVEAL}");
    let seen = group.fake.command(ann, channel, &set).await;
    assert!(seen.text().contains("Changed"), "{}", seen.text());

    // Day 1: nothing goes wrong. A thread message that is edited, a form that is sent twice, a hint.
    let card = group.card(0).await;
    let first = group.fake.reply(bob, card.spot, "Hm.");
    group.fake.reply(ann, card.spot, FULL);
    let hint = group.fake.press(cleo, &card, "Hint (−10 points)").await;
    assert_eq!(hint.kind, SeenKind::Message { ephemeral: true }, "{}", hint.text());
    assert!(hint.text().contains("Hint 1 of"), "{}", hint.text());
    for answer in [PART, FULL] {
        let form = group.fake.press(cleo, &card, "Answer").await;
        group.fake.submit(cleo, form.modal(), &[("answer", answer)]).await;
        group.fake.until_screen(cleo, "Saved").await;
    }
    group.fake.edit(first, PART);
    group.expect("Ann", &card, FULL, 0);
    group.expect("Bob", &card, PART, 0);
    group.expect("Cleo", &card, FULL, 1);
    group.revealed(0).await;

    // Day 2: killed while the question is open; people go on writing, one deletes what she wrote.
    let card = group.card(1).await;
    group.fake.reply(ann, card.spot, PART);
    let gone = group.fake.reply(cleo, card.spot, FULL);
    bot.kill();
    group.gone().await;
    group.fake.reply(bob, card.spot, FULL);
    group.fake.delete(gone);
    group.expect("Ann", &card, PART, 0);
    group.expect("Bob", &card, FULL, 0);
    bot = group.start(&setup).await;
    eventually("what was missed is counted", PATIENCE, || async {
        group.cards()[1].text().contains("2 people").then_some(())
    })
    .await;
    group.revealed(1).await;

    // Day 3: Slack is away for a while; answers are written meanwhile.
    let card = group.card(2).await;
    group.fake.outage(Outage::Unreachable);
    let edited = group.fake.reply(cleo, card.spot, PART);
    group.fake.reply(bob, card.spot, PART);
    tokio::time::sleep(Duration::from_secs(4)).await;
    group.fake.edit(edited, FULL);
    group.fake.recover();
    group.expect("Cleo", &card, FULL, 0);
    group.expect("Bob", &card, PART, 0);
    group.revealed(2).await;

    // Day 4: killed as soon as the first part of the reveal is out.
    let card = group.card(3).await;
    for user in [ann, bob, cleo] {
        group.fake.reply(user, card.spot, FULL);
    }
    for name in ["Ann", "Bob", "Cleo"] {
        group.expect(name, &card, FULL, 0);
    }
    eventually("the reveal begins", PATIENCE, || async {
        group.fake.replies(card.spot).iter().any(|one| one.text().contains("Model answer")).then_some(())
    })
    .await;
    bot.kill();
    group.gone().await;
    bot = group.start(&setup).await;
    group.revealed(3).await;
    let seen = group.fake.command(ann, channel, "/daily pause").await;
    assert!(seen.text().contains("Paused"), "{}", seen.text());
    // More questions may have come before the pause; nobody answers them.
    let mut over = DAYS;
    while over < group.cards().len() {
        group.revealed(over).await;
        over += 1;
    }

    let board = group.fake.command(bob, channel, "/leaderboard").await;
    let mut standing: Vec<(i64, &str)> = group.points.iter().map(|(name, points)| (-points, *name)).collect();
    standing.sort_unstable();
    let mut from = 0;
    for (points, name) in &standing {
        let (shown, text) = (show_points(-points), board.text());
        let at = text[from..]
            .find(*name)
            .map(|at| from + at)
            .unwrap_or_else(|| panic!("{name} in order of {standing:?}: {text}"));
        let line = text[at..].lines().next().unwrap_or_default();
        assert!(line.contains(&shown), "{name} has {shown} points: {text}");
        from = at;
    }
    let stopped = bot.stop().await;
    assert_eq!(stopped.code, Some(0), "{}", bot.words());
    let store = Store::open(&database).await.expect("the database opens after the bot has stopped");
    standings_agree(&store).await;
    for state in ["pending", "sending", "failed", "expired"] {
        let left = store
            .read("look for what is left", move |conn| Box::pin(async move { outbox::in_state(conn, state).await }))
            .await
            .expect("the outbox can be read");
        assert!(left.is_empty(), "{state}: {left:?}\n{}", bot.words());
    }
    group.check_once(over);
    group.fake.check();
}
