//! `cargo run --example fake-discord [address]`: a Discord of our own to try the bot by hand, with people moved from the keyboard.

#[path = "discord/mod.rs"]
#[expect(dead_code, unused_imports, reason = "tests use the rest")]
mod discord;
mod door;
mod shared;
mod specs;

use std::collections::{BTreeMap, HashMap};
use std::io::Write;

use discord::{Fake, Id, Kind, Outage, Permissions};

const HELP: &str = "\
ann: /daily set time:09:00   a command, in the place where people are
bob says some words          a message there
bob presses Answer           a button of the newest message that Bob sees
bob chooses EKS              an option of a select
bob fills some words         the form that Bob has open (first input), and sends it
bob saves                    the bot's menu command on Bob's newest message
bob completes /drill topic ia    what is offered for an option
in drills                    go to a channel or thread by name, or: in dm bob
kick, invite, cut, outage, recover, places, help, quit";

struct Table {
    fake: Fake,
    guild: Id,
    people: HashMap<&'static str, Id>,
    here: Id,
    /// What everybody has on the screen: the last outcome of an interaction.
    screens: HashMap<Id, discord::Seen>,
    printed: BTreeMap<Id, String>,
}

#[tokio::main]
async fn main() {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8900".into());
    let fake = Fake::start_at(&address).await;
    let guild = fake.guild("Study group");
    let here = fake.text_channel(guild, "daily-drill");
    fake.forum_channel(guild, "drills", &["iam", "eks"]);
    let people = HashMap::from([
        ("ann", fake.member(guild, "Ann", Permissions::MANAGE_GUILD)),
        ("bob", fake.member(guild, "Bob", Permissions::empty())),
        ("cleo", fake.member(guild, "Cleo", Permissions::empty())),
    ]);
    say(&format!("DRILLBOT_DISCORD_TOKEN={}\nDRILLBOT_DISCORD_API_URL={}\n", fake.token(), fake.url()));
    say(&format!("Ann may manage the guild, Bob and Cleo are members. People are in #daily-drill.\n\n{HELP}\n"));
    let mut changes = fake.changes();
    let mut table = Table { fake, guild, people, here, screens: HashMap::new(), printed: BTreeMap::new() };
    let (send, mut lines) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || std::io::stdin().lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
    loop {
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { break },
            line = lines.recv() => match line.as_deref().map(str::trim) {
                None | Some("quit") => break,
                Some(line) => if let Err(why) = table.act(line).await { say(&format!("? {why}")) },
            },
        }
        table.print();
    }
}

/// To a pipe that is closed, silence.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

impl Table {
    /// Everything that is new or changed since the last time.
    fn print(&mut self) {
        for message in self.fake.everything() {
            let only = message.only_for.map_or("", |_| " (only for one)");
            let text = format!(
                "{} | {}{only}:\n    {}",
                message.place,
                message.author,
                message.text().replace('\n', "\n    ")
            );
            if self.printed.get(&message.id) != Some(&text) {
                let sign = if self.printed.contains_key(&message.id) { "~" } else { "+" };
                say(&format!("{sign} {text}"));
                self.printed.insert(message.id, text);
            }
        }
        self.fake.violations().iter().for_each(|broken| say(&format!("! {broken}")));
    }

    async fn act(&mut self, line: &str) -> Result<(), String> {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        match first {
            "" => {}
            "help" => say(HELP),
            "in" => self.here = self.place(rest)?,
            "places" => say(&self.places().iter().map(|(name, _)| name.as_str()).collect::<Vec<&str>>().join("\n")),
            "kick" => self.fake.kick(self.guild),
            "invite" => self.fake.invite(self.guild),
            "cut" => self.fake.cut(),
            "outage" => self.fake.outage(Outage::Unreachable),
            "recover" => self.fake.recover(),
            name => {
                let name = name.trim_end_matches(':').to_lowercase();
                let who =
                    *self.people.get(name.as_str()).ok_or_else(|| format!("nobody is called {name}; try help"))?;
                self.person(who, rest).await?;
            }
        }
        Ok(())
    }

    fn places(&self) -> Vec<(String, Id)> {
        self.fake.with(|model| model.channels.values().map(|it| (it.name.clone(), it.id)).collect())
    }

    fn place(&self, name: &str) -> Result<Id, String> {
        if let Some(who) = name.strip_prefix("dm ") {
            return self.people.get(who).map(|who| self.fake.dm(*who)).ok_or_else(|| format!("nobody is called {who}"));
        }
        let known = self.places().into_iter().rev().find(|(one, _)| one == name.trim_start_matches('#'));
        known.map(|(_, id)| id).ok_or_else(|| format!("there is no place {name}; try places"))
    }

    async fn person(&mut self, who: Id, does: &str) -> Result<(), String> {
        let (verb, what) = does.split_once(' ').unwrap_or((does, ""));
        let fake = &self.fake;
        let seen = match verb {
            "says" => {
                return fake.try_write(who, self.here, what).map(|_| ());
            }
            "presses" => fake.press(who, self.newest(who, &format!("[{what}"))?, what).await,
            "chooses" => fake.choose(who, self.newest(who, what)?, what).await,
            "fills" => {
                let screen = self.screens.get(&who).filter(|seen| seen.kind == Kind::Modal).ok_or("no form is open")?;
                let input = screen.modal().first_input();
                fake.submit(who, screen.modal(), &[(&input, what)]).await
            }
            "saves" => {
                let mine = fake.everything().into_iter().rev().find(|one| one.author_id == who);
                let menu = fake.commands().into_iter().find(|one| one["type"] == 3);
                let name =
                    menu.and_then(|one| one["name"].as_str().map(str::to_owned)).ok_or("there is no menu command")?;
                fake.message_command(who, mine.ok_or("no message yet")?.id, &name).await
            }
            "completes" => {
                let mut words = what.rsplitn(3, ' ');
                let (typed, option) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
                fake.autocomplete(who, self.here, words.next().unwrap_or_default(), option, typed).await
            }
            _ if does.starts_with('/') => fake.command(who, self.here, does).await,
            _ => return Err(format!("nobody knows how to {verb}; try help")),
        };
        // Messages are printed when they appear; the rest only this person sees.
        if matches!(seen.kind, Kind::Modal | Kind::Choices | Kind::Nothing | Kind::Refused) {
            say(&format!("> {}", seen.text().replace('\n', "\n    ")));
        }
        self.screens.insert(who, seen);
        Ok(())
    }

    /// The newest message with this on it that a person sees.
    fn newest(&self, who: Id, part: &str) -> Result<Id, String> {
        let mut all = self.fake.everything().into_iter().rev();
        let fits = |one: &discord::Shown| one.only_for.is_none_or(|only| only == who) && one.text().contains(part);
        all.find(fits).map(|one| one.id).ok_or_else(|| format!("no message has {part}"))
    }
}
