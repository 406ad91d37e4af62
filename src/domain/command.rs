//! The one table of commands that every platform is fed from, and the reading of what people type or press.

mod action;

use std::borrow::Cow;

use super::question::Level;
use super::queue::Shelf;
pub use action::{Action, Move, Verb};

/// What a value may be; platforms with typed options and autocomplete use it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A topic, its alias or a near miss.
    Topic,
    /// The id of a question.
    Question,
    /// The name of a scenario.
    Scenario,
    /// The id of a coaching card.
    Card,
    Level,
    Number {
        min: i64,
        max: i64,
    },
    /// One of a few words.
    Word(&'static [&'static str]),
    /// Local time of day, `09:00`.
    Time,
    /// Somebody to call: platforms with typed options offer their roles. As text the platform's id, or `none`.
    Mention,
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opt {
    pub name: &'static str,
    pub help: &'static str,
    pub value: Value,
    /// Only by name (`zone:Europe/London`, or with `=`), never by position.
    pub named: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sub {
    pub name: &'static str,
    pub help: &'static str,
    pub options: &'static [Opt],
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    pub name: &'static str,
    /// At most 100 characters.
    pub help: &'static str,
    pub organisers_only: bool,
    pub options: &'static [Opt],
    pub subs: &'static [Sub],
    pub example: &'static str,
}

const fn by_place(name: &'static str, value: Value, help: &'static str) -> Opt {
    Opt { name, help, value, named: false }
}

const fn by_name(name: &'static str, value: Value, help: &'static str) -> Opt {
    Opt { name, help, value, named: true }
}

const QUESTION: Opt = by_name("question", Value::Question, "Exactly this question, by its id");

const SCHEDULE: Opt = by_name("schedule", Value::Text, "Which schedule of this channel, if it has several");

pub const TABLE: &[Spec] = &[
    Spec {
        name: "drill",
        help: "Practise a topic in private, one question at a time",
        organisers_only: false,
        options: &[
            by_place("topic", Value::Topic, "What to practise, for example iam; leave it out to see all topics"),
            by_place("level", Value::Level, "beginner, intermediate or advanced; leave it out for all"),
            by_place("count", Value::Number { min: 1, max: 20 }, "How many questions, 1 to 20 (5)"),
            by_place(
                "mode",
                Value::Word(&["free", "choice"]),
                "free = in your own words (the default), choice = four options",
            ),
            QUESTION,
            by_name("scenario", Value::Scenario, "Play a staged scenario, by its name; /drill scenario shows them all"),
            by_name(
                "with",
                Value::Word(&["alone", "together"]),
                "A scenario alone (the default), or together in a thread",
            ),
        ],
        subs: &[],
        example: "/drill iam advanced 3 choice",
    },
    Spec {
        name: "prep",
        help: "Advice for the interview itself: how to prepare, how to answer, why people fail",
        organisers_only: false,
        options: &[by_place("card", Value::Card, "Which advice; leave it out to see all")],
        subs: &[],
        example: "/prep",
    },
    Spec {
        name: "leaderboard",
        help: "The standing of this study group, and your own place",
        organisers_only: false,
        options: &[
            by_place("window", Value::Word(&["week", "month", "all"]), "week (the default), month or all"),
            by_place("board", Value::Word(&["daily", "drill"]), "daily questions (the default) or private drills"),
            by_place("topic", Value::Topic, "Only this topic"),
        ],
        subs: &[],
        example: "/leaderboard month iam",
    },
    Spec {
        name: "daily",
        help: "Show or steer the daily question of this channel",
        organisers_only: true,
        options: &[],
        subs: &[
            Sub {
                name: "show",
                help: "When questions come, what they are about, what happened lately",
                options: &[SCHEDULE],
            },
            Sub {
                name: "set",
                help: "Change the schedule; what you leave out stays",
                options: &[
                    by_place("time", Value::Time, "Local time of the question, 09:00"),
                    by_name("days", Value::Text, "Weekdays: mon-fri, or mon,wed,fri"),
                    by_name("cron", Value::Text, "Instead of time and days, cron fields: \"0 9 * * mon-fri\""),
                    by_name("zone", Value::Text, "Time zone: Europe/London"),
                    by_name("reveal", Value::Text, "Reveal after 8h, at 17:00 or \"next day 09:00\""),
                    by_name(
                        "answers",
                        Value::Word(&["thread", "private", "both"]),
                        "Where answers are given: in the thread, in private, or both",
                    ),
                    by_name("topics", Value::Text, "Only these topics: iam,eks; all = no limit"),
                    by_name("levels", Value::Text, "Only these levels: beginner,intermediate; all = no limit"),
                    by_name("tracks", Value::Text, "Only these tracks: devops,cloudops; all = no limit"),
                    by_name("skip", Value::Text, "Dates without a question: 2026-12-25,2026-12-28..2026-12-31; none"),
                    by_name("catch-up", Value::Text, "How late a missed question may still come: 6h"),
                    by_name("ping", Value::Mention, "The role or user group that each question calls"),
                    by_name("no-ping", Value::Word(&["yes"]), "yes = questions call nobody any more"),
                    SCHEDULE,
                ],
            },
            Sub { name: "pause", help: "No more questions until /daily resume", options: &[SCHEDULE] },
            Sub { name: "resume", help: "Questions come again", options: &[SCHEDULE] },
            Sub { name: "skip", help: "Leave out the next question", options: &[SCHEDULE] },
            Sub { name: "now", help: "Post a question at once, beside the schedule", options: &[QUESTION, SCHEDULE] },
            Sub { name: "reveal", help: "Reveal the open question now", options: &[SCHEDULE] },
        ],
        example: "/daily set 09:00 days:mon-fri zone:Europe/London reveal:17:00",
    },
    Spec {
        name: "topics",
        help: "All topics with their questions",
        organisers_only: false,
        options: &[],
        subs: &[],
        example: "/topics",
    },
    Spec {
        name: "suggest",
        help: "Suggest a question for the bank; see what became of yours",
        organisers_only: false,
        options: &[],
        subs: &[],
        example: "/suggest",
    },
    Spec {
        name: "flag",
        help: "Say that a question is wrong, outdated or unclear",
        organisers_only: false,
        options: &[by_place("question", Value::Question, "Which one, by its id; leave it out for the one you are at")],
        subs: &[],
        example: "/flag",
    },
    Spec {
        name: "review",
        help: "Decide on what members suggested and flagged",
        organisers_only: true,
        options: &[by_place(
            "show",
            Value::Word(&["open", "suggestions", "flags", "decided"]),
            "open (the default), suggestions, flags, or what was decided",
        )],
        subs: &[],
        example: "/review decided",
    },
    Spec {
        name: "me",
        help: "My scores, streak and weak topics; or erase my data",
        organisers_only: false,
        options: &[by_place(
            "action",
            Value::Word(&["show", "delete"]),
            "show (the default), or delete: erase my data",
        )],
        subs: &[],
        example: "/me",
    },
    Spec {
        name: "help",
        help: "What I can do",
        organisers_only: false,
        options: &[by_place("command", Value::Text, "A command to explain")],
        subs: &[],
        example: "/help drill",
    },
];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Free,
    Choice,
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Free => "free",
            Mode::Choice => "choice",
        }
    }

    pub fn parse(text: &str) -> Mode {
        if text == "choice" { Mode::Choice } else { Mode::Free }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Window {
    #[default]
    Week,
    Month,
    All,
}

impl Window {
    pub fn as_str(self) -> &'static str {
        match self {
            Window::Week => "week",
            Window::Month => "month",
            Window::All => "all",
        }
    }

    pub fn parse(text: &str) -> Option<Window> {
        [Window::Week, Window::Month, Window::All].into_iter().find(|window| window.as_str() == text)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Board {
    #[default]
    Daily,
    Drill,
}

impl Board {
    pub fn as_str(self) -> &'static str {
        match self {
            Board::Daily => "daily",
            Board::Drill => "drill",
        }
    }

    pub fn parse(text: &str) -> Option<Board> {
        [Board::Daily, Board::Drill].into_iter().find(|board| board.as_str() == text)
    }
}

/// What `/daily set` changes; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    pub time: Option<String>,
    pub days: Option<String>,
    pub cron: Option<String>,
    pub zone: Option<String>,
    pub reveal: Option<String>,
    pub answers: Option<String>,
    pub topics: Option<String>,
    pub levels: Option<String>,
    pub tracks: Option<String>,
    pub skip: Option<String>,
    pub catch_up: Option<String>,
    pub ping: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Daily {
    Show,
    Set(Box<Change>),
    Pause,
    Resume,
    Skip,
    /// Exactly the question of this id, or one that fits the schedule.
    Now(Option<String>),
    Reveal,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// `question` asks exactly the one of this id, whatever the rest says.
    Drill {
        topic: Option<String>,
        level: Option<Level>,
        count: usize,
        mode: Mode,
        question: Option<String>,
    },
    /// Without a name: which there are.
    Scenario {
        name: Option<String>,
        together: bool,
    },
    /// Without a card: which there are.
    Prep {
        card: Option<String>,
    },
    Leaderboard {
        window: Window,
        board: Board,
        topic: Option<String>,
    },
    Daily {
        action: Daily,
        schedule: Option<String>,
    },
    Topics,
    Suggest,
    Flag {
        question: Option<String>,
    },
    Review {
        shelf: Shelf,
    },
    Me {
        delete: bool,
    },
    Help {
        command: Option<String>,
    },
}

/// Why a command could not be read, in words for the person who typed it, with the usage.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage {
    pub problem: String,
    pub usage: String,
}

pub fn find(name: &str) -> Option<&'static Spec> {
    TABLE.iter().find(|spec| spec.name == name)
}

/// Where a text first names a command of the table, with its subcommand: `/daily resume` in "until /daily resume.".
pub fn mentioned(text: &str) -> Option<(usize, usize)> {
    let word_end = |from: usize| {
        let length = text[from..].find(|c: char| !c.is_ascii_lowercase()).unwrap_or(text.len() - from);
        from + length
    };
    let ends = |at: usize| !text[at..].starts_with(|c: char| c.is_alphanumeric() || "-_/".contains(c));
    text.match_indices('/').find_map(|(at, _)| {
        let begins = text[..at].chars().next_back().is_none_or(|before| before.is_whitespace() || before == '(');
        let end = word_end(at + 1);
        let spec = find(&text[at + 1..end]).filter(|_| begins && ends(end))?;
        let after = text[end..].strip_prefix(' ').map(|_| word_end(end + 1));
        // "/help daily" is one, too.
        let goes_on =
            |word: &str| spec.subs.iter().any(|sub| sub.name == word) || (spec.name == "help" && find(word).is_some());
        let with_sub = after.filter(|after| ends(*after) && goes_on(&text[end + 1..*after]));
        Some((at, with_sub.unwrap_or(end)))
    })
}

/// `/drill [topic] [level] [count] [mode]`; for a command with subcommands their names, or the options of the one that is meant.
pub fn usage(spec: &Spec, sub: Option<&str>) -> String {
    let show = |options: &[Opt]| {
        options
            .iter()
            .map(|o| if o.named { format!(" [{}:..]", o.name) } else { format!(" [{}]", o.name) })
            .collect::<String>()
    };
    match sub.and_then(|name| spec.subs.iter().find(|sub| sub.name == name)) {
        Some(sub) => format!("/{} {}{}", spec.name, sub.name, show(sub.options)),
        None if spec.subs.is_empty() => format!("/{}{}", spec.name, show(spec.options)),
        None => format!("/{} {}", spec.name, spec.subs.iter().map(|sub| sub.name).collect::<Vec<_>>().join("|")),
    }
}

/// Values by option name, as platforms with typed options deliver them.
pub type Values = Vec<(&'static str, String)>;

/// A typed line taken apart, each value in its usual spelling.
#[derive(Clone, Debug, PartialEq)]
pub struct Typed {
    pub spec: &'static Spec,
    pub sub: Option<&'static str>,
    pub values: Values,
}

/// Reads a typed line, with or without the slash.
pub fn parse(line: &str) -> Result<Command, Usage> {
    let Typed { spec, sub, values } = take_apart(line)?;
    build(spec, sub, &values)
}

/// What [`parse`] begins with.
pub fn take_apart(line: &str) -> Result<Typed, Usage> {
    let words = words(line.trim().trim_start_matches('/'));
    let Some((name, rest)) = words.split_first() else {
        return Err(unknown(""));
    };
    let name = name.to_lowercase();
    let spec = find(&name).ok_or_else(|| unknown(&name))?;
    let (sub, options, rest) = if spec.subs.is_empty() {
        (None, spec.options, rest)
    } else {
        let (typed, rest) = rest.split_first().map_or(("show", rest), |(first, rest)| (first.as_str(), rest));
        let sub = spec.subs.iter().find(|sub| sub.name.eq_ignore_ascii_case(typed)).ok_or_else(|| {
            let near = nearest(typed, spec.subs.iter().map(|sub| sub.name));
            refuse(spec, None, format!("/{name} does not know \"{typed}\".{near}"))
        })?;
        (Some(sub.name), sub.options, rest)
    };
    let values = read_values(spec, sub, options, &scenario_named(spec, rest))?;
    Ok(Typed { spec, sub, values })
}

/// What people write for a topic when they mean scenarios.
fn is_scenario(word: &str) -> bool {
    ["scenario", "scenarios"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// "/drill scenario bad deploy together" with its values named, as the other words of a drill need not be.
fn scenario_named<'a>(spec: &Spec, words: &'a [String]) -> Cow<'a, [String]> {
    let Some((_, rest)) = words.split_first().filter(|(first, _)| spec.name == "drill" && is_scenario(first)) else {
        return Cow::Borrowed(words);
    };
    let (with, name): (Vec<&String>, Vec<&String>) = rest.iter().partition(|word| {
        ["alone", "together"].iter().any(|known| word.eq_ignore_ascii_case(known)) || word.starts_with("with:")
    });
    let mut named: Vec<String> = with.iter().map(|word| format!("with:{}", word.trim_start_matches("with:"))).collect();
    named.push(if name.is_empty() {
        words[0].clone()
    } else {
        let name: Vec<&str> = name.iter().map(|word| word.as_str()).collect();
        format!("scenario:{}", name.join(" "))
    });
    Cow::Owned(named)
}

/// The options of a command, or of one of its subcommands.
pub fn options_of(spec: &Spec, sub: Option<&str>) -> Option<&'static [Opt]> {
    match sub {
        None => Some(spec.options),
        Some(name) => spec.subs.iter().find(|sub| sub.name == name).map(|sub| sub.options),
    }
}

/// Builds a command from its parts: what a platform's typed options give, and what [`parse`] ends with.
pub fn build(spec: &Spec, sub: Option<&str>, values: &Values) -> Result<Command, Usage> {
    let get = |name: &str| values.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
    Ok(match spec.name {
        "drill" if get("scenario").is_some() || get("topic").is_some_and(|topic| is_scenario(&topic)) => {
            Command::Scenario { name: get("scenario"), together: get("with").as_deref() == Some("together") }
        }
        "prep" => Command::Prep { card: get("card") },
        "drill" => Command::Drill {
            topic: get("topic"),
            level: get("level").as_deref().and_then(Level::parse),
            count: get("count").and_then(|count| count.parse().ok()).unwrap_or(5),
            mode: get("mode").as_deref().map(Mode::parse).unwrap_or_default(),
            question: get("question"),
        },
        "leaderboard" => Command::Leaderboard {
            window: get("window").as_deref().and_then(Window::parse).unwrap_or_default(),
            board: get("board").as_deref().and_then(Board::parse).unwrap_or_default(),
            topic: get("topic"),
        },
        "daily" => {
            let action = match sub.unwrap_or("show") {
                "set" => Daily::Set(Box::new(Change {
                    time: get("time"),
                    days: get("days"),
                    cron: get("cron"),
                    zone: get("zone"),
                    reveal: get("reveal"),
                    answers: get("answers"),
                    topics: get("topics"),
                    levels: get("levels"),
                    tracks: get("tracks"),
                    skip: get("skip"),
                    catch_up: get("catch-up"),
                    // A field for roles cannot say "none".
                    ping: get("no-ping").map(|_| "none".to_owned()).or_else(|| get("ping")),
                })),
                "pause" => Daily::Pause,
                "resume" => Daily::Resume,
                "skip" => Daily::Skip,
                "now" => Daily::Now(get("question")),
                "reveal" => Daily::Reveal,
                _ => Daily::Show,
            };
            if let Daily::Set(change) = &action {
                if **change == Change::default() {
                    return Err(refuse(spec, sub, "Say what to change.".to_owned()));
                }
                if change.cron.is_some() && (change.time.is_some() || change.days.is_some()) {
                    return Err(refuse(spec, sub, "Give either cron, or time and days, not both.".to_owned()));
                }
            }
            Command::Daily { action, schedule: get("schedule") }
        }
        "topics" => Command::Topics,
        "suggest" => Command::Suggest,
        "flag" => Command::Flag { question: get("question") },
        "review" => Command::Review { shelf: get("show").as_deref().and_then(Shelf::parse).unwrap_or_default() },
        "me" => Command::Me { delete: get("action").as_deref() == Some("delete") },
        _ => Command::Help { command: get("command") },
    })
}

/// A typed line with every value named, `/drill topic:iam count:3`, as platforms with typed options show it; None for what is no
/// line of ours.
pub fn named(line: &str) -> Option<String> {
    let words = words(line.strip_prefix('/')?);
    let (name, rest) = words.split_first()?;
    let spec = find(name)?;
    let sub = rest.first().and_then(|word| spec.subs.iter().find(|sub| sub.name == word));
    let (head, options, rest) = match sub {
        Some(sub) => (format!("/{} {}", spec.name, sub.name), sub.options, &rest[1..]),
        None => (format!("/{}", spec.name), spec.options, rest),
    };
    let mut values = read_values(spec, sub.map(|sub| sub.name), options, &scenario_named(spec, rest)).ok()?;
    values.sort_by_key(|(name, _)| options.iter().position(|option| option.name == *name));
    Some(values.iter().fold(head, |line, (name, value)| format!("{line} {name}:{value}")))
}

/// Gives each word to an option: `name=value` by name (a blank may stand before the value), the rest to the first free option it fits.
fn read_values(spec: &Spec, sub: Option<&str>, options: &'static [Opt], words: &[String]) -> Result<Values, Usage> {
    let mut values: Values = Vec::new();
    let mut free: Vec<String> = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let named = word.split_once(['=', ':']).and_then(|(key, value)| {
            options.iter().find(|option| option.name.eq_ignore_ascii_case(key)).map(|option| (option, value))
        });
        if let Some((option, value)) = named {
            let value = if value.is_empty() { words.next().map_or("", String::as_str) } else { value };
            let value = check(option, value).map_err(|problem| refuse(spec, sub, problem))?;
            if values.iter().any(|(name, _)| *name == option.name) {
                return Err(refuse(spec, sub, format!("You gave {} twice.", option.name)));
            }
            values.push((option.name, value));
            continue;
        }
        if let Some((key, _)) = word.split_once('=') {
            let near = nearest(key, options.iter().map(|option| option.name));
            return Err(refuse(spec, sub, format!("There is no setting \"{key}\".{near}")));
        }
        let fits = options.iter().find(|option| {
            !option.named
                && !matches!(option.value, Value::Topic | Value::Card | Value::Text)
                && !values.iter().any(|(name, _)| *name == option.name)
                && check(option, word).is_ok()
        });
        // "/drill iam 99" is about the count, not about a topic of that name.
        let number = options.iter().find(|option| {
            matches!(option.value, Value::Number { .. })
                && word.parse::<i64>().is_ok()
                && !values.iter().any(|(name, _)| *name == option.name)
        });
        match fits.or(number) {
            Some(option) => {
                values.push((option.name, check(option, word).map_err(|problem| refuse(spec, sub, problem))?));
            }
            None => free.push(word.clone()),
        }
    }
    if free.is_empty() {
        return Ok(values);
    }
    // Words that fit nothing typed belong to the topic: "/drill identity and access 3".
    let taker = options.iter().find(|option| {
        !option.named
            && matches!(option.value, Value::Topic | Value::Card | Value::Text)
            && !values.iter().any(|(name, _)| *name == option.name)
    });
    match taker {
        Some(option) => values.push((option.name, free.join(" "))),
        None => {
            // The word was probably meant for a typed option: say what that takes.
            let why = options
                .iter()
                .find(|option| !option.named && !values.iter().any(|(name, _)| *name == option.name))
                .and_then(|option| check(option, &free[0]).err())
                .unwrap_or_else(|| format!("I do not know what to do with \"{}\".", free.join(" ")));
            return Err(refuse(spec, sub, why));
        }
    }
    Ok(values)
}

/// The value in its usual spelling, or what would be right.
pub fn check(option: &Opt, value: &str) -> Result<String, String> {
    // Quotes are for typed lines; who puts them into a field of their own means what is between them.
    let value = value.trim().trim_matches(['"', '“', '”']).trim();
    let name = option.name;
    match option.value {
        Value::Topic | Value::Question | Value::Scenario | Value::Card | Value::Text => {
            if value.is_empty() {
                return Err(format!("{name} is empty."));
            }
            Ok(value.to_owned())
        }
        Value::Mention if value.eq_ignore_ascii_case("none") => Ok("none".to_owned()),
        Value::Mention if value.is_empty() || value.len() > 64 || value.contains(char::is_whitespace) => {
            Err(format!("\"{value}\" is nobody to call: give {name} one role or user group, or none."))
        }
        Value::Mention => Ok(value.to_owned()),
        Value::Level => Level::parse(value)
            .map(|level| level.as_str().to_owned())
            .ok_or_else(|| format!("\"{value}\" is no level: beginner, intermediate or advanced.")),
        Value::Number { min, max } => match value.parse::<i64>() {
            Ok(number) if (min..=max).contains(&number) => Ok(number.to_string()),
            Ok(number) => Err(format!("{name} is {number}; it goes from {min} to {max}.")),
            Err(_) => Err(format!("\"{value}\" is no number; {name} goes from {min} to {max}.")),
        },
        Value::Word(words) => words
            .iter()
            .find(|word| word.eq_ignore_ascii_case(value))
            .map(|word| (*word).to_owned())
            .ok_or_else(|| format!("\"{value}\" does not fit {name}: {}.", words.join(", "))),
        Value::Time => format!("{value:0>5}")
            .parse::<jiff::civil::Time>()
            .ok()
            .filter(|_| value.contains(':'))
            .map(|time| time.strftime("%H:%M").to_string())
            .ok_or_else(|| format!("\"{value}\" is no time of day: write it like 09:00 or 17:30.")),
    }
}

/// `/` and the beginning of a line -> whole lines that could be meant, with a help text each. `topics` are names and titles; `look_up`
/// finds values of a kind by what has been typed of one: (value, words for it).
pub fn complete(
    line: &str,
    topics: &[(String, String)],
    look_up: impl Fn(Value, &str) -> Vec<(String, String)>,
) -> Vec<(String, String)> {
    let Some(body) = line.strip_prefix('/') else { return Vec::new() };
    let lower = body.to_lowercase();
    let Some((name, rest)) = lower.split_once(' ') else {
        return TABLE
            .iter()
            .filter(|spec| spec.name.starts_with(&lower))
            .map(|spec| {
                let more = if spec.options.is_empty() && spec.subs.is_empty() { "" } else { " " };
                (format!("/{}{more}", spec.name), spec.help.to_owned())
            })
            .collect();
    };
    let Some(spec) = find(name) else { return Vec::new() };
    let (head, typed) = rest.rsplit_once(' ').map_or(("", rest), |(head, typed)| (head, typed));
    let before = if head.is_empty() { format!("/{name} ") } else { format!("/{name} {head} ") };
    if !spec.subs.is_empty() && head.is_empty() {
        return spec
            .subs
            .iter()
            .filter(|sub| sub.name.starts_with(typed))
            .map(|sub| (format!("/{name} {}", sub.name), sub.help.to_owned()))
            .collect();
    }
    let options =
        spec.subs.iter().find(|sub| head.split(' ').next() == Some(sub.name)).map_or(spec.options, |s| s.options);
    let mut out = Vec::new();
    for option in options {
        if head.split(' ').any(|word| {
            word.starts_with(&format!("{}:", option.name)) || word.starts_with(&format!("{}=", option.name))
        }) {
            continue;
        }
        match option.value {
            Value::Question | Value::Scenario
                if typed.strip_prefix(option.name).is_some_and(|rest| rest.starts_with([':', '='])) =>
            {
                let (key, begun) = typed.split_at(option.name.len() + 1);
                let found = look_up(option.value, begun).into_iter();
                out.extend(found.map(|(value, words)| (format!("{before}{key}{value}"), words)));
            }
            Value::Scenario if head == "scenario" => {
                let found = look_up(option.value, typed).into_iter();
                out.extend(found.map(|(name, title)| (format!("{before}{name}"), title)));
            }
            Value::Card | Value::Question if !option.named => {
                let found = look_up(option.value, typed).into_iter();
                out.extend(found.map(|(id, prompt)| (format!("{before}{id}"), prompt)));
            }
            Value::Topic if !option.named => out.extend(
                topics
                    .iter()
                    .filter(|(name, title)| {
                        name.starts_with(typed) || (!typed.is_empty() && title.to_lowercase().contains(typed))
                    })
                    .map(|(name, title)| (format!("{before}{name}"), title.clone())),
            ),
            Value::Level => out.extend(
                Level::ALL
                    .iter()
                    .filter(|level| level.as_str().starts_with(typed))
                    .map(|level| (format!("{before}{}", level.as_str()), "level".to_owned())),
            ),
            Value::Word(words) if !option.named => out.extend(
                words
                    .iter()
                    .filter(|word| word.starts_with(typed))
                    .map(|word| (format!("{before}{word}"), option.help.to_owned())),
            ),
            _ if option.named && option.name.starts_with(typed) => {
                out.push((format!("{before}{}:", option.name), option.help.to_owned()));
            }
            _ => {}
        }
    }
    out.truncate(25);
    out
}

/// Words of a line; quotes keep blanks together, also behind `name=`.
fn words(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word = String::new();
    let mut quote: Option<char> = None;
    for c in line.chars() {
        let closes = match c {
            '"' | '“' | '”' => Some('"'),
            _ => None,
        };
        match (quote, closes) {
            (Some(_), Some(_)) => quote = None,
            (None, Some(mark)) => quote = Some(mark),
            (None, None) if c.is_whitespace() => {
                if !word.is_empty() {
                    out.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(c),
        }
    }
    if !word.is_empty() {
        out.push(word);
    }
    out
}

fn unknown(name: &str) -> Usage {
    let near = nearest(name, TABLE.iter().map(|spec| spec.name));
    let all = TABLE.iter().map(|spec| format!("/{}", spec.name)).collect::<Vec<_>>().join(", ");
    let problem =
        if name.is_empty() { "Which command?".to_owned() } else { format!("There is no command /{name}.{near}") };
    Usage { problem, usage: format!("I know {all}.") }
}

/// A problem with a command, and its usage.
pub fn refuse(spec: &Spec, sub: Option<&str>, problem: String) -> Usage {
    Usage { problem, usage: format!("{}\nFor example: {}", usage(spec, sub), spec.example) }
}

/// ` Did you mean "drill"?` when one of the names is near, else nothing.
fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> String {
    names
        .map(|name| (strsim::damerau_levenshtein(&typed.to_lowercase(), name), name))
        .filter(|(distance, name)| *distance <= 2 && *distance < name.len())
        .min()
        .map(|(_, name)| format!(" Did you mean \"{name}\"?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
