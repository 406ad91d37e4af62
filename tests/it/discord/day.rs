//! Four days of three people on Discord, with the real binary: `kill -9` in the middle, an outage of Discord, `kill -9` at the reveal.

use std::collections::BTreeMap;
use std::time::Duration;

use drillbot::domain::grade::grade;
use drillbot::domain::score::{points_tenths, show_points};
use drillbot::store::{Store, outbox};

use crate::fake::discord::{Fake, Id, Kind, Outage, Permissions, Shown};
use crate::support::{Setup, eventually};
use crate::world::{FULL, PART, bank, bank_texts, folder, standings_agree};

/// A day in this test: a question every 16 seconds, revealed a little before the next.
const CRON: &str = "*/16 * * * * *";
const REVEAL: &str = "11s";
const PATIENCE: Duration = Duration::from_secs(40);
const DAYS: usize = 4;
const TOPICS: &[(&str, usize)] = &[("iam", 9)];

struct Group {
    fake: Fake,
    channel: Id,
    /// Points by name, in tenths as the store counts them.
    points: BTreeMap<&'static str, i64>,
}

impl Group {
    fn cards(&self) -> Vec<Shown> {
        let bot = self.fake.bot();
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
        let thread = self.cards()[day].id;
        eventually(&what, PATIENCE, || async {
            let there =
                self.fake.messages(thread).iter().any(|one| one.text().contains("Key points, and who covered them"));
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

    /// Everything that goes to Discord stands there once; of the first days, that are over, the reveal too.
    fn check_once(&self, over: usize) {
        let cards = self.cards();
        let mut prompts: Vec<String> =
            cards.iter().map(|card| card.text().lines().next().unwrap_or_default().to_owned()).collect();
        prompts.sort();
        let all = prompts.len();
        prompts.dedup();
        assert_eq!(prompts.len(), all, "a question was posted twice: {prompts:#?}");
        let bot = self.fake.bot();
        for card in &cards[..over] {
            let said: Vec<Shown> = self.fake.messages(card.id).into_iter().filter(|one| one.author_id == bot).collect();
            for title in ["Model answer", "Key points, and who covered them"] {
                let times = said.iter().filter(|one| one.text().contains(title)).count();
                assert_eq!(times, 1, "{title} stands {times} times in the thread of {}", card.text());
            }
        }
    }
}

#[tokio::test]
async fn four_days_of_three_people_with_kills_and_an_outage_post_everything_once_and_count_it_right() {
    let fake = Fake::start().await;
    let guild = fake.guild("Study group");
    let channel = fake.text_channel(guild, "daily-drill");
    let ann = fake.member(guild, "Ann", Permissions::MANAGE_GUILD);
    let bob = fake.member(guild, "Bob", Permissions::empty());
    let cleo = fake.member(guild, "Cleo", Permissions::empty());
    let folder = folder();
    for (name, text) in bank_texts(TOPICS) {
        std::fs::write(folder.path().join(name), text).expect("the bank is written");
    }
    let database = format!("sqlite:{}", folder.path().join("day.db").display());
    let settings = "[content]\nembedded = false\npaths = [\"iam.toml\"]\n[delivery]\nlease_seconds = 6\n";
    let setup = Setup::new(folder.path(), &database, settings)
        .with("DRILLBOT_DISCORD_TOKEN", &fake.token())
        .with("DRILLBOT_DISCORD_API_URL", &fake.url());
    let mut bot = setup.start().await;
    fake.connected().await;
    let mut group = Group { fake, channel, points: BTreeMap::new() };
    eventually("the commands are registered", PATIENCE, || async { (!group.fake.commands().is_empty()).then_some(()) })
        .await;
    let set = format!("/daily set cron:{CRON} zone:Europe/London reveal:{REVEAL}");
    let seen = group.fake.command(ann, channel, &set).await;
    assert!(seen.text().contains("Changed"), "{}", seen.text());

    // Day 1: nothing goes wrong. A thread message that is edited, a form that is sent twice, a hint.
    let card = group.card(0).await;
    eventually("the thread is open", PATIENCE, || async { group.fake.threads(channel).first().cloned() }).await;
    let first = group.fake.write(bob, card.id, "Hm.");
    group.fake.write(ann, card.id, FULL);
    let hint = group.fake.press(cleo, card.id, "Hint (−10 points)").await;
    assert!(hint.text().contains("Hint 1 of"), "{}", hint.text());
    for answer in [PART, FULL] {
        let form = group.fake.press(cleo, card.id, "Answer").await;
        let saved = group.fake.submit(cleo, form.modal(), &[("answer", answer)]).await;
        assert_eq!(saved.kind, Kind::Message { ephemeral: true }, "{}", saved.text());
    }
    group.fake.edit(first, PART);
    group.expect("Ann", &card, FULL, 0);
    group.expect("Bob", &card, PART, 0);
    group.expect("Cleo", &card, FULL, 1);
    group.revealed(0).await;

    // Day 2: killed while the question is open; people go on writing, one deletes what she wrote.
    let card = group.card(1).await;
    eventually("the thread is open", PATIENCE, || async { (group.fake.threads(channel).len() == 2).then_some(()) })
        .await;
    group.fake.write(ann, card.id, PART);
    let gone = group.fake.write(cleo, card.id, FULL);
    bot.kill();
    group.fake.disconnected().await;
    group.fake.write(bob, card.id, FULL);
    group.fake.delete(gone);
    group.expect("Ann", &card, PART, 0);
    group.expect("Bob", &card, FULL, 0);
    bot = setup.start().await;
    group.fake.connected().await;
    eventually("what was missed is counted", PATIENCE, || async {
        group.cards()[1].text().contains("2 people").then_some(())
    })
    .await;
    group.revealed(1).await;

    // Day 3: Discord is away for a while; answers are written meanwhile.
    let card = group.card(2).await;
    eventually("the thread is open", PATIENCE, || async { (group.fake.threads(channel).len() == 3).then_some(()) })
        .await;
    group.fake.outage(Outage::Unreachable);
    let edited = group.fake.write(cleo, card.id, PART);
    group.fake.write(bob, card.id, PART);
    tokio::time::sleep(Duration::from_secs(4)).await;
    group.fake.edit(edited, FULL);
    group.fake.recover();
    group.expect("Cleo", &card, FULL, 0);
    group.expect("Bob", &card, PART, 0);
    group.revealed(2).await;

    // Day 4: killed as soon as the first part of the reveal is out.
    let card = group.card(3).await;
    eventually("the thread is open", PATIENCE, || async { (group.fake.threads(channel).len() == 4).then_some(()) })
        .await;
    for user in [ann, bob, cleo] {
        group.fake.write(user, card.id, FULL);
    }
    for name in ["Ann", "Bob", "Cleo"] {
        group.expect(name, &card, FULL, 0);
    }
    eventually("the reveal begins", PATIENCE, || async {
        group.fake.messages(card.id).iter().any(|one| one.text().contains("Model answer")).then_some(())
    })
    .await;
    bot.kill();
    group.fake.disconnected().await;
    bot = setup.start().await;
    group.fake.connected().await;
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
