//! `cargo run --example fake-slack [address]`: a Slack of our own to try the bot by hand, with people moved from the keyboard.

mod door;
mod shared;
#[path = "slack/mod.rs"]
#[expect(dead_code, unused_imports, reason = "tests use the rest")]
mod slack;
mod specs;

use std::collections::{BTreeMap, HashMap};
use std::io::Write;

use slack::{Fake, Id, Outage, Reason, Seen, SeenKind, Shown, Spot, Target};

const HELP: &str = "\
ann: /daily set 09:00        a command, in the channel where people are
bob says some words          a message there
bob replies some words       in the thread of the newest message of the bot
bob presses Answer           a button of the newest message or form that Bob sees
bob chooses EKS              an option
bob fills some words         the form that Bob has open (first input), and sends it
bob saves                    the message shortcut on Bob's newest message
bob home                     opens the app's Home
in general                   go to a channel by name
kick, invite, cut, refresh, outage, recover, help, quit";

struct Table {
    fake: Fake,
    channels: HashMap<&'static str, Id>,
    people: HashMap<&'static str, Id>,
    here: Id,
    printed: BTreeMap<Spot, String>,
}

#[tokio::main]
async fn main() {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8901".into());
    let fake = Fake::start_at(&address).await;
    let team = fake.workspace("Study group");
    let channels = HashMap::from([
        ("daily-drill", fake.public_channel(team, "daily-drill")),
        ("general", fake.public_channel(team, "general")),
    ]);
    let people = HashMap::from([
        ("ann", fake.admin(team, "Ann")),
        ("bob", fake.member(team, "Bob")),
        ("cleo", fake.member(team, "Cleo")),
    ]);
    say(&format!(
        "DRILLBOT_SLACK_BOT_TOKEN={}\nDRILLBOT_SLACK_APP_TOKEN={}\nDRILLBOT_SLACK_SIGNING_SECRET={}\nDRILLBOT_SLACK_API_URL={}\n",
        fake.token(team),
        fake.app_token(),
        fake.signing_secret(),
        fake.url()
    ));
    say(&format!("Ann is an admin, Bob and Cleo are members. People are in #daily-drill.\n\n{HELP}\n"));
    let mut changes = fake.changes();
    let here = channels["daily-drill"];
    let mut table = Table { fake, channels, people, here, printed: BTreeMap::new() };
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
        changes.mark_unchanged();
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
            let only = if message.only_for.is_some() { " (only for one)" } else { "" };
            let words = message.text().replace('\n', "\n    ");
            let text = format!("{} | {}{only}:\n    {words}", message.place, message.author);
            if self.printed.get(&message.spot) != Some(&text) {
                let sign = if self.printed.contains_key(&message.spot) { "~" } else { "+" };
                say(&format!("{sign} {text}"));
                self.printed.insert(message.spot, text);
            }
        }
        self.fake.violations().iter().for_each(|broken| say(&format!("! {broken}")));
    }

    async fn act(&mut self, line: &str) -> Result<(), String> {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        match first {
            "" => {}
            "help" => say(HELP),
            "in" => self.here = *self.channels.get(rest.trim_start_matches('#')).ok_or("there is no such channel")?,
            "kick" => self.fake.kick(self.here),
            "invite" => self.fake.invite(self.here),
            "cut" => self.fake.cut(),
            "refresh" => self.fake.disconnect(Reason::RefreshRequested),
            "outage" => self.fake.outage(Outage::Unreachable),
            "recover" => self.fake.recover(),
            name => {
                let name = name.trim_end_matches(':').to_lowercase();
                let who = self.people.get(name.as_str());
                let who = *who.ok_or_else(|| format!("nobody is called {name}; try help"))?;
                self.person(who, rest).await?;
            }
        }
        Ok(())
    }

    async fn person(&mut self, who: Id, does: &str) -> Result<(), String> {
        let (verb, what) = does.split_once(' ').unwrap_or((does, ""));
        let fake = &self.fake;
        let seen = match verb {
            "says" => return fake.try_write(who, self.here, what).map(|_| ()),
            "replies" => {
                let of = self.newest(|one| one.author == "Drillbot" && one.only_for.is_none())?;
                return fake.try_write(who, of.thread.unwrap_or(of.spot), what).map(|_| ());
            }
            "presses" => fake.press(who, self.target(who, &format!("[{what}"))?, what).await,
            "chooses" => fake.choose(who, self.target(who, what)?, what).await,
            "fills" => {
                let form = fake.form_of(who).ok_or("no form is open")?;
                let label = form
                    .text()
                    .lines()
                    .skip(1)
                    .find_map(|line| line.split_once(": ["))
                    .ok_or("the form has no input")?;
                fake.submit(who, &form, &[(label.0, what)]).await
            }
            "saves" => fake.shortcut(who, &self.newest(|one| one.author_id == who)?, "Save as my answer").await,
            "home" => {
                say(&format!("> {}", fake.open_home(who).await.text().replace('\n', "\n    ")));
                return Ok(());
            }
            _ if does.starts_with('/') => fake.command(who, self.here, does).await,
            _ => return Err(format!("nobody knows how to {verb}; try help")),
        };
        show(&seen);
        Ok(())
    }

    fn newest(&self, fits: impl Fn(&Shown) -> bool) -> Result<Shown, String> {
        self.fake.everything().into_iter().rev().find(fits).ok_or_else(|| "there is no such message".to_owned())
    }

    /// The form that is open, or the newest message with this on it.
    fn target(&self, who: Id, part: &str) -> Result<Target, String> {
        if let Some(form) = self.fake.form_of(who).filter(|form| form.text().contains(part)) {
            return Ok((&form).into());
        }
        let sees = |one: &Shown| one.only_for.is_none_or(|only| only == who) && one.text().contains(part);
        self.newest(sees).map(|one| (&one).into())
    }
}

/// Messages are printed when they appear; the rest only this person sees.
fn show(seen: &Seen) {
    if !matches!(seen.kind, SeenKind::Message { .. } | SeenKind::Changed) {
        say(&format!("> {:?}: {}", seen.kind, seen.text().replace('\n', "\n    ")));
    }
}
