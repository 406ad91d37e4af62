//! Lines, wrong lines, and what the table promises.

use super::*;

fn drill(topic: Option<&str>, level: Option<Level>, count: usize, mode: Mode) -> Command {
    Command::Drill { topic: topic.map(str::to_owned), level, count, mode, question: None }
}

#[test]
fn lines_become_commands() {
    let set = |change: Change| Command::Daily { action: Daily::Set(Box::new(change)), schedule: None };
    let some = |text: &str| Some(text.to_owned());
    for (line, expect) in [
        ("/drill", drill(None, None, 5, Mode::Free)),
        ("/drill iam", drill(Some("iam"), None, 5, Mode::Free)),
        ("drill IAM Advanced 3 choice", drill(Some("IAM"), Some(Level::Advanced), 3, Mode::Choice)),
        ("/drill 3 identity and access", drill(Some("identity and access"), None, 3, Mode::Free)),
        ("/drill topic=iam mode:choice", drill(Some("iam"), None, 5, Mode::Choice)),
        ("/leaderboard", Command::Leaderboard { window: Window::Week, board: Board::Daily, topic: None }),
        (
            "/leaderboard all iam drill",
            Command::Leaderboard { window: Window::All, board: Board::Drill, topic: some("iam") },
        ),
        ("/daily", Command::Daily { action: Daily::Show, schedule: None }),
        ("/daily now schedule=evening", Command::Daily { action: Daily::Now(None), schedule: some("evening") }),
        (
            "/daily now question=iam-passrole",
            Command::Daily { action: Daily::Now(some("iam-passrole")), schedule: None },
        ),
        (
            "/daily set 9:30 days=mon-fri reveal=\"next day 09:00\"",
            set(Change {
                time: some("09:30"),
                days: some("mon-fri"),
                reveal: some("next day 09:00"),
                ..Change::default()
            }),
        ),
        ("/daily set cron=\"0 9 * * 1\"", set(Change { cron: some("0 9 * * 1"), ..Change::default() })),
        ("/me delete", Command::Me { delete: true }),
        ("/daily set zone: UTC ping: S1", set(Change { zone: some("UTC"), ping: some("S1"), ..Change::default() })),
        ("/help drill", Command::Help { command: some("drill") }),
        ("/drill scenario", Command::Scenario { name: None, together: false }),
        ("/drill Scenarios", Command::Scenario { name: None, together: false }),
        ("/drill scenario p99", Command::Scenario { name: some("p99"), together: false }),
        ("/drill scenario Bad deploy together", Command::Scenario { name: some("Bad deploy"), together: true }),
        ("/drill scenario:p99 with:together", Command::Scenario { name: some("p99"), together: true }),
        ("/drill scenario p99 alone", Command::Scenario { name: some("p99"), together: false }),
        ("/prep", Command::Prep { card: None }),
        ("/prep why people fail", Command::Prep { card: some("why people fail") }),
    ] {
        assert_eq!(parse(line), Ok(expect), "{line}");
    }
}

#[test]
fn a_wrong_line_says_what_is_wrong_and_what_would_be_right() {
    for (line, problem) in [
        ("/dril iam", "There is no command /dril. Did you mean \"drill\"?"),
        ("/daily st", "/daily does not know \"st\". Did you mean \"set\"?"),
        ("/daily set", "Say what to change."),
        ("/daily set zone:", "zone is empty."),
        ("/daily set zon=Europe/London", "There is no setting \"zon\". Did you mean \"zone\"?"),
        ("/daily set time=25:00", "\"25:00\" is no time of day: write it like 09:00 or 17:30."),
        (
            "/daily set ping=\"all of you\"",
            "\"all of you\" is nobody to call: give ping one role or user group, or none.",
        ),
        ("/daily set noon", "\"noon\" is no time of day: write it like 09:00 or 17:30."),
        ("/daily set cron=\"0 9 * * *\" 09:00", "Give either cron, or time and days, not both."),
        ("/drill count=99", "count is 99; it goes from 1 to 20."),
        ("/drill iam 99", "count is 99; it goes from 1 to 20."),
        ("/me remove", "\"remove\" does not fit action: show, delete."),
        ("/topics please", "I do not know what to do with \"please\"."),
    ] {
        assert_eq!(parse(line).unwrap_err().problem, problem, "{line}");
    }
}

#[test]
fn the_table_fits_every_platform() {
    for spec in TABLE {
        assert!(spec.name.len() <= 32 && spec.help.len() <= 100, "{}", spec.name);
        assert!(parse(spec.example).is_ok(), "the example of /{}: {:?}", spec.name, parse(spec.example));
        let all = spec.options.iter().chain(spec.subs.iter().flat_map(|sub| sub.options));
        for option in all {
            assert!(option.help.len() <= 100, "/{} {}", spec.name, option.name);
        }
    }
}

#[test]
fn a_line_can_be_shown_with_every_value_named() {
    for (line, expect) in [
        ("/drill iam", Some("/drill topic:iam")),
        ("/drill iam advanced 3 choice", Some("/drill topic:iam level:advanced count:3 mode:choice")),
        ("/me delete", Some("/me action:delete")),
        ("/drill scenario p99 together", Some("/drill scenario:p99 with:together")),
        ("/help drill", Some("/help command:drill")),
        ("/daily pause", Some("/daily pause")),
        ("/daily set 09:00 days=mon-fri", Some("/daily set time:09:00 days:mon-fri")),
        ("/daily", Some("/daily")),
        ("/etc/passwd", None),
        ("drill iam", None),
        ("/topics please", None),
    ] {
        assert_eq!(named(line).as_deref(), expect, "{line}");
    }
}

#[test]
fn commands_in_a_sentence_are_found() {
    let check = |text: &str, found: Option<&str>| {
        assert_eq!(mentioned(text).map(|(at, end)| &text[at..end]), found, "{text}");
    };
    check("Paused. No new one comes until /daily resume.", Some("/daily resume"));
    check("/daily set in another channel starts them", Some("/daily set"));
    check("add questions to it, or /daily settle it", Some("/daily"));
    check("or /daily pause there", Some("/daily pause"));
    check("Others: /leaderboard week, month or all", Some("/leaderboard"));
    check("(/help and a command explains it)", Some("/help"));
    check("/help daily explains", Some("/help daily"));
    check("see /me", Some("/me"));
    check("GET /menu, /me/photo, /me-too, a/me and \"/me\"", None);
    check("Invite me there: /invite", None);
    check("1/2 / 3", None);
    check("", None);
}

#[test]
fn completion_offers_commands_subcommands_and_values() {
    let topics =
        vec![("iam".to_owned(), "AWS identity".to_owned()), ("eks".to_owned(), "Kubernetes on EKS".to_owned())];
    let look_up = |value: Value, typed: &str| match value {
        Value::Question => vec![(format!("{typed}m-role"), "Which role?".to_owned())],
        _ => vec![(format!("{typed}99"), "The slow percent".to_owned())],
    };
    let offer = |line: &str| complete(line, &topics, look_up).into_iter().map(|(line, _)| line).collect::<Vec<_>>();
    assert_eq!(offer("/dr"), ["/drill "]);
    assert_eq!(offer("/drill ia"), ["/drill iam"]);
    assert_eq!(offer("/drill kube"), ["/drill eks"]);
    assert_eq!(offer("/drill iam adv"), ["/drill iam advanced"]);
    assert_eq!(offer("/daily s"), ["/daily show", "/daily set", "/daily skip"]);
    assert_eq!(offer("/daily set zo"), ["/daily set zone:"]);
    assert_eq!(offer("/daily now que"), ["/daily now question:"]);
    assert_eq!(offer("/daily now question=ia"), ["/daily now question=iam-role"]);
    assert_eq!(offer("/drill question=ia"), ["/drill question=iam-role"]);
    assert_eq!(offer("/drill question:ia"), ["/drill question:iam-role"]);
    assert_eq!(offer("/drill scenario:p"), ["/drill scenario:p99"]);
    assert_eq!(offer("/drill scenario p"), ["/drill scenario p99"]);
    assert_eq!(offer("/prep p"), ["/prep p99"]);
    assert_eq!(offer("/daily set zone:UTC zo"), Vec::<String>::new());
    assert_eq!(offer("hello"), Vec::<String>::new());
}
