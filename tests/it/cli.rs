//! The command line, as an operator types it.

use std::path::Path;
use std::process::Output;

use sqlx::Row;

use crate::support::{Client, Database, Setup};

fn drillbot(folder: &Path, arguments: &[&str]) -> Output {
    let mut setup = Setup::bare(folder).argue(arguments);
    setup.environment.push(("HOME".to_owned(), folder.display().to_string()));
    setup.run()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn every_command_has_help() {
    let folder = folder();
    for (command, word) in [
        (&[][..], "A daily interview question"),
        (&["run"], "--demo"),
        (&["config"], "example"),
        (&["config", "example"], "commented file"),
        (&["check"], "--config"),
        (&["bank"], "lint"),
        (&["bank", "lint"], "[PATH]"),
        (&["bank", "list"], "--topic"),
        (&["bank", "show"], "<ID>"),
        (&["bank", "preview"], "--html"),
        (&["bank", "coverage"], "FILE.tsv"),
        (&["bank", "import"], "--dry-run"),
        (&["bank", "export"], "--format"),
        (&["db"], "backup"),
        (&["db", "migrate"], "newest schema"),
        (&["db", "backup"], "<FILE>"),
        (&["discord", "invite"], "least permissions"),
        (&["slack", "manifest"], "--url <URL>"),
        (&["doctor"], "slack"),
        (&["doctor", "slack"], "signing secret"),
    ] {
        let output = drillbot(folder.path(), &[command, &["--help"]].concat());
        assert_eq!(output.status.code(), Some(0), "{command:?}");
        let text = out(&output);
        assert!(text.contains("Usage: drillbot") && text.contains(word), "{command:?}: {text}");
    }
    assert!(out(&drillbot(folder.path(), &["--version"])).starts_with("drillbot "));
}

#[test]
fn a_mistyped_command_is_refused_with_what_was_meant() {
    let folder = folder();
    let output = drillbot(folder.path(), &["chek"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("check"), "{}", err(&output));
    for wrong in [&["--speed", "0"][..], &["--reveal", "3s"], &["--demo", "--reveal", "soon"], &["bank", "show"]] {
        let output = drillbot(folder.path(), wrong);
        assert_ne!(output.status.code(), Some(0), "{wrong:?}");
        assert!(!err(&output).is_empty() && !err(&output).contains("panicked"), "{wrong:?}: {}", err(&output));
    }
}

#[test]
fn a_rehearsal_does_not_go_near_discord() {
    let folder = folder();
    std::fs::write(folder.path().join("token"), "abc.def.ghi").expect("a file");
    std::fs::write(folder.path().join("drillbot.toml"), "[discord]\ntoken_file = \"token\"\n").expect("a file");
    let output = drillbot(folder.path(), &["--speed", "60"]);
    assert_ne!(output.status.code(), Some(0));
    let text = err(&output);
    assert!(text.contains("--speed invents the time") && !text.contains("abc.def"), "{text}");
    assert!(!folder.path().join("drillbot.db").exists(), "it has begun nothing");
}

#[test]
fn the_printed_example_is_a_file_that_passes_the_check() {
    let folder = folder();
    let output = drillbot(folder.path(), &["config", "example"]);
    assert_eq!(output.status.code(), Some(0));
    std::fs::write(folder.path().join("my.toml"), &output.stdout).expect("a file");
    let output = drillbot(folder.path(), &["check", "--config", "my.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let text = out(&output);
    for part in ["Questions: ", "#daily-drill daily: at 09:00 from Monday to Friday", "8 hours later", "All is well."] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    assert!(text.contains("drillbot.db is not there yet; the first start makes it"), "{text}");
    assert!(!folder.path().join("drillbot.db").exists(), "a check makes no database");
}

#[test]
fn the_check_names_all_problems_of_the_settings_at_once_with_their_lines() {
    let folder = folder();
    let settings = "[web]\nlisten = \"8080\"\nlisen = 1\n[daily]\ncron = \"every morning\"\nzone = \"Europe/Lundon\"\n\
                    [[channels]]\nplatform = \"web\"\nname = \"Not A Name\"\n";
    std::fs::write(folder.path().join("drillbot.toml"), settings).expect("a file");
    let output = drillbot(folder.path(), &["check"]);
    assert_eq!(output.status.code(), Some(2));
    let text = err(&output);
    for part in [
        "drillbot.toml:2: \"8080\" is no address",
        "drillbot.toml:3: [web] has no setting lisen. Did you mean listen?",
        "drillbot.toml:5: cron:",
        "drillbot.toml:6: zone:",
        "drillbot.toml:7: a channel's name",
        "problems found.",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn the_check_names_problems_of_banks_and_database_too() {
    let folder = folder();
    let settings = "[daily]\ntopics = [\"iam\", \"cooking\"]\n[database]\nurl = \"postgres://127.0.0.1:1/drill\"\n";
    std::fs::write(folder.path().join("drillbot.toml"), settings).expect("a file");
    let output = drillbot(folder.path(), &["check"]);
    assert_eq!(output.status.code(), Some(1));
    let text = err(&output);
    for part in
        ["schedule daily of #daily-drill", "cooking", "database: cannot reach the PostgreSQL", "2 problems found."]
    {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    std::fs::write(folder.path().join("bad.toml"), "[topic]\nname = \"x\"\ntitle = \"X\"\n[[question]]\nid = 7\n")
        .expect("a file");
    std::fs::write(folder.path().join("drillbot.toml"), "[content]\npaths = [\"bad.toml\", \"nowhere\"]\n")
        .expect("a file");
    let output = drillbot(folder.path(), &["check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("nowhere") && err(&output).contains("content.paths"), "{}", err(&output));
    std::fs::write(folder.path().join("drillbot.toml"), "[content]\npaths = [\"bad.toml\"]\n").expect("a file");
    assert!(err(&drillbot(folder.path(), &["check"])).contains("bad.toml:5"), "the line of the mistake");
    // A bot with such banks does not start either.
    let output = drillbot(folder.path(), &["run"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("bad.toml:5"), "{}", err(&output));
}

#[test]
fn a_settings_file_that_is_not_there_is_named() {
    let folder = folder();
    let output = drillbot(folder.path(), &["check", "--config", "nowhere.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("nowhere.toml") && err(&output).contains("config example"), "{}", err(&output));
}

#[test]
fn banks_are_linted_listed_and_shown() {
    let folder = folder();
    let output = drillbot(folder.path(), &["bank", "lint"]);
    let text = out(&output);
    let errors = text.lines().filter(|line| line.contains(": error: ")).count();
    assert!(text.lines().last().is_some_and(|last| last.contains(&format!(" {errors} error"))), "{text}");
    assert_eq!(output.status.code(), Some(i32::from(errors > 0)), "{text}");
    assert!(text.lines().all(|line| line.starts_with("content/") || line.contains(" questions, ")), "{text}");

    let all = out(&drillbot(folder.path(), &["bank", "list"]));
    let iam = out(&drillbot(folder.path(), &["bank", "list", "--topic", "iam"]));
    let hard = out(&drillbot(folder.path(), &["bank", "list", "--topic", "iam", "--level", "advanced"]));
    assert!(all.lines().count() > iam.lines().count() && iam.lines().count() > hard.lines().count(), "{all}");
    assert!(hard.lines().count() > 0 && hard.lines().all(|line| line.contains(" advanced ")), "{hard}");

    let shown = drillbot(folder.path(), &["bank", "show", "iam-passrole"]);
    assert_eq!(shown.status.code(), Some(0));
    for part in ["content/iam.toml:", "iam-passrole · iam · advanced", "Key points", "Hints", "References", "Reviewed"]
    {
        assert!(out(&shown).contains(part), "{part:?} is not in {}", out(&shown));
    }

    for (wrong, word) in [
        (&["bank", "list", "--topic", "iamm"][..], "iam"),
        (&["bank", "list", "--level", "easy"], "easy"),
        (&["bank", "show", "iam-nothing"], "drillbot bank list"),
        (&["bank", "lint", "nowhere.toml"], "nowhere.toml"),
    ] {
        let output = drillbot(folder.path(), wrong);
        assert_eq!(output.status.code(), Some(1), "{wrong:?}");
        let said = out(&output) + &err(&output);
        assert!(said.contains(word), "{wrong:?}: {said}");
    }
}

#[test]
fn problems_of_a_bank_are_told_to_machines_too() {
    let folder = folder();
    std::fs::write(folder.path().join("mine.toml"), "[[question]]\nid = \"x-one\"\n").expect("a file");
    let output = drillbot(folder.path(), &["bank", "lint", "--json", "mine.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!((&report["questions"], &report["errors"]), (&0.into(), &1.into()), "{report}");
    let problem = &report["problems"][0];
    assert_eq!((&problem["path"], &problem["line"]), (&"mine.toml".into(), &1.into()), "{report}");
    assert_eq!(problem["severity"], "error");
    assert!(problem["message"].as_str().is_some_and(|message| message.contains("missing: ")), "{report}");
}

#[test]
fn a_new_question_is_a_draft_that_loads_and_is_looked_at() {
    let folder = folder();
    let new = &["bank", "new", "net-peering", "--topic", "net", "--kind", "compare", "--level", "advanced"];
    let template = out(&drillbot(folder.path(), new));
    assert!(template.contains("kind = \"compare\"") && template.contains("status = \"draft\""), "{template}");
    std::fs::write(folder.path().join("net.toml"), template).expect("a file");
    let linted = drillbot(folder.path(), &["bank", "lint", "net.toml"]);
    assert_eq!(linted.status.code(), Some(0), "{}", out(&linted));
    assert!(out(&linted).contains("1 question, 0 cards, 0 errors"), "{}", out(&linted));
    for (layout, word) in [
        ("web", "# One question, as an interviewer"),
        ("discord", "One question, as an interviewer"),
        ("slack", "One question, as an interviewer"),
    ] {
        let shown = out(&drillbot(folder.path(), &["bank", "preview", "net-peering", "--as", layout, "net.toml"]));
        for part in
            [word, "── The card", "── The form", "── The hints", "── With four options", "── The reveal", "[Answer]"]
        {
            assert!(shown.contains(part), "{layout}: {part:?} is not in {shown}");
        }
    }
    let page = drillbot(folder.path(), &["bank", "preview", "net-peering", "--html", "page.html", "net.toml"]);
    assert_eq!(page.status.code(), Some(0), "{}", err(&page));
    let page = std::fs::read_to_string(folder.path().join("page.html")).expect("a page");
    assert!(page.contains("Like Discord") && page.contains("<style>") && !page.contains("{%"), "{page}");
    for (wrong, word) in [
        (&["bank", "new", "Net Peering"][..], "lower-case"),
        (&["bank", "preview", "net-perring", "net.toml"], "Did you mean net-peering?"),
        (&["bank", "preview", "iam-passrole", "--html", "nowhere/page.html"], "cannot be written"),
    ] {
        let output = drillbot(folder.path(), wrong);
        assert_eq!(output.status.code(), Some(1), "{wrong:?}");
        assert!(err(&output).contains(word), "{wrong:?}: {}", err(&output));
    }
}

#[test]
fn a_plan_says_what_the_bank_lacks() {
    let folder = folder();
    let plan = "\u{feff}id\ttopic\tlevel\r\niam-passrole\tiam\tbeginner\r\nprep-four-loops\tprep\t\nnot-there\tiam\t\n";
    std::fs::write(folder.path().join("plan.tsv"), plan).expect("a file");
    let output = drillbot(folder.path(), &["bank", "coverage", "plan.tsv"]);
    assert_eq!(output.status.code(), Some(1));
    let text = out(&output);
    assert!(text.contains("iam-passrole: the plan has the level beginner, the bank advanced"), "{text}");
    assert!(text.contains("missing in iam: not-there\n2 of 3 of the plan; "), "{text}");
    std::fs::write(folder.path().join("plan.tsv"), "id\niam-passrole\n").expect("a file");
    assert_eq!(drillbot(folder.path(), &["bank", "coverage", "plan.tsv"]).status.code(), Some(0));
    std::fs::write(folder.path().join("plan.tsv"), "name\niam-passrole\n").expect("a file");
    let output = drillbot(folder.path(), &["bank", "coverage", "plan.tsv"]);
    assert!(err(&output).contains("plan.tsv:1: has no column \"id\""), "{}", err(&output));
}

#[test]
fn a_bank_is_counted_and_drawn() {
    let folder = folder();
    let output = drillbot(folder.path(), &["bank", "stats", "--svg", "bank.svg"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let text = out(&output);
    let listed = out(&drillbot(folder.path(), &["bank", "list"])).lines().count();
    let total = text.lines().find(|line| line.starts_with("all ")).expect("a sum").split_whitespace().last();
    assert_eq!(total, Some(listed.to_string().as_str()), "{text}");
    assert!(text.contains("kinds: ") && text.contains("scenarios: "), "{text}");
    let picture = std::fs::read_to_string(folder.path().join("bank.svg")).expect("a picture");
    assert!(picture.starts_with("<svg") && picture.contains(">AWS identity and access</text>"), "{picture}");
    let due = out(&drillbot(folder.path(), &["bank", "list", "--due", "--track", "devops"]));
    assert!(due.lines().count() < listed);
}

#[test]
fn a_broken_bank_is_linted_with_file_and_line() {
    let folder = folder();
    std::fs::write(folder.path().join("mine.toml"), "[topic]\nname = \"x\"\n\n[[question]]\nid = \"x-one\"\n")
        .expect("a file");
    let output = drillbot(folder.path(), &["bank", "lint", "mine.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("mine.toml:4: error: question `x-one`: missing: "), "{}", out(&output));
    assert!(out(&output).contains("0 questions, 0 cards, "), "{}", out(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_migrated_twice_without_harm() {
    for database in [Some(Database::sqlite().await), Database::postgres().await].into_iter().flatten() {
        let setup = Setup::new(database.folder(), &database.url, "").argue(&["db", "migrate"]);
        for _ in 0..2 {
            let output = setup.run();
            assert_eq!(output.status.code(), Some(0), "{}", err(&output));
            assert_eq!(out(&output), "The database has the newest schema.\n");
        }
        let output = Setup::new(database.folder(), &database.url, "").argue(&["check"]).run();
        assert!(out(&output).contains("Database: reachable, and its schema is the newest"), "{}", err(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_bot_is_checked_and_backed_up_without_disturbing_it() {
    let database = Database::sqlite().await;
    let setup = Setup::new(database.folder(), &database.url, "");
    let mut bot = setup.start().await;
    let ann = Client::sign_in(&bot.ready().await, "Ann").await.expect("Ann");
    assert_eq!(ann.write("daily-drill", None, "before the copy", "k1").await.expect("an answer").0, 201);

    let checked = setup.clone().argue(&["check"]).run();
    assert_eq!(checked.status.code(), Some(0), "{}", err(&checked));
    assert!(out(&checked).contains("All is well."));

    let backup = setup.clone().argue(&["db", "backup", "copy.db"]);
    let copied = backup.run();
    assert_eq!((copied.status.code(), out(&copied).as_str()), (Some(0), "Copied to copy.db.\n"), "{}", err(&copied));
    let again = backup.run();
    assert_eq!(again.status.code(), Some(1));
    assert!(err(&again).contains("copy.db exists already; name a new file"), "{}", err(&again));
    assert_eq!(ann.write("daily-drill", None, "after the copy", "k2").await.expect("an answer").0, 201);

    // The copy is a database like any other: a bot runs on it.
    let url = format!("sqlite:{}", database.folder().join("copy.db").display());
    let mut other = Setup::new(database.folder(), &url, "").start().await;
    let there = Client::sign_in(&other.ready().await, "Ann").await.expect("Ann");
    assert_eq!(there.id, ann.id);
    let messages = there.messages("daily-drill").await.expect("messages");
    assert_eq!(messages.iter().filter_map(|message| message["text"].as_str()).collect::<Vec<_>>(), ["before the copy"]);
    assert_eq!(other.stop().await.code, Some(0));
    assert_eq!(bot.stop().await.code, Some(0));
    let mut conn = database.connect().await;
    let row = sqlx::query("select count(*) as n from web_messages").fetch_one(&mut conn).await.expect("a count");
    assert_eq!(row.get::<i64, _>("n"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_says_what_it_cannot_copy() {
    let folder = folder();
    let output = Setup::new(folder.path(), "sqlite:none.db", "").argue(&["db", "backup", "copy.db"]).run();
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("there is no database at none.db"), "{}", err(&output));
    assert!(!folder.path().join("none.db").exists() && !folder.path().join("copy.db").exists());
    let output =
        Setup::new(folder.path(), "postgres://bot:hunter2@127.0.0.1/x", "").argue(&["db", "backup", "c"]).run();
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("pg_dump") && !err(&output).contains("hunter2"), "{}", err(&output));
}

#[test]
fn a_file_that_is_no_database_is_named() {
    let folder = folder();
    std::fs::write(
        folder.path().join("text.db"),
        "this is a text, and long enough to be looked at by a database".repeat(20),
    )
    .expect("a file");
    for command in [&["check"][..], &["run"], &["db", "migrate"]] {
        let output = Setup::new(folder.path(), "sqlite:text.db", "").argue(command).run();
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        assert!(err(&output).contains("text.db is no usable SQLite file"), "{command:?}: {}", err(&output));
    }
}

#[test]
fn the_manifest_for_slack_needs_no_token_and_goes_by_the_prefix() {
    let folder = folder();
    let plain = drillbot(folder.path(), &["slack", "manifest"]);
    assert_eq!((plain.status.code(), err(&plain).as_str()), (Some(0), ""));
    assert!(out(&plain).contains("socket_mode_enabled: true") && out(&plain).contains("command: /drill\n"));
    std::fs::write(folder.path().join("drillbot.toml"), "[slack]\ncommand_prefix = \"aws-\"\n").expect("a file");
    let http = drillbot(folder.path(), &["slack", "manifest", "--url", "https://drill.example.org/"]);
    assert_eq!(http.status.code(), Some(0), "{}", err(&http));
    for part in
        ["command: /aws-drill\n", "request_url: https://drill.example.org/slack/events\n", "example.org/slack/oauth"]
    {
        assert!(out(&http).contains(part), "{part:?} is not in {}", out(&http));
    }
    for wrong in ["drill.example.org", "http://drill.example.org", "https://", "https://drill.example.org/?a=b"] {
        let output = drillbot(folder.path(), &["slack", "manifest", "--url", wrong]);
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""), "{wrong}");
        assert!(err(&output).contains("https://drill.example.org"), "{}", err(&output));
    }
    // The channel is there before the app is: that is told, and is no reason not to print.
    let early = "[slack]\ncommand_prefix = \"b-\"\n[[channels]]\nplatform = \"slack\"\nid = \"T0123ABCD/C0123ABCD\"\n";
    std::fs::write(folder.path().join("drillbot.toml"), early).expect("a file");
    let output = drillbot(folder.path(), &["slack", "manifest"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains("/b-drill") && err(&output).contains("there is no token"), "{}", err(&output));
    std::fs::write(folder.path().join("drillbot.toml"), "[slack]\ncommand_prefix = \"A B\"\n").expect("a file");
    let output = drillbot(folder.path(), &["slack", "manifest"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""));
    assert!(err(&output).contains("command_prefix is \"A B\""), "{}", err(&output));
}

#[test]
fn who_has_no_token_for_slack_is_told_how_to_get_one() {
    let folder = folder();
    let output = drillbot(folder.path(), &["doctor", "slack"]);
    assert_eq!(output.status.code(), Some(2));
    for part in ["https://api.slack.com/apps", "drillbot slack manifest", "DRILLBOT_SLACK_BOT_TOKEN"] {
        assert!(err(&output).contains(part), "{part:?} is not in {}", err(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn approved_suggestions_are_printed_as_a_bank() {
    let database = Database::sqlite().await;
    let setup = Setup::new(database.folder(), &database.url, "");
    let none = setup.clone().argue(&["bank", "suggested"]).run();
    assert_eq!((none.status.code(), out(&none).as_str()), (Some(0), ""), "{}", err(&none));
    assert!(err(&none).contains("No suggested question has been approved yet."), "{}", err(&none));
    let mut bot = setup.start().await;
    let ann = Client::sign_in(&bot.ready().await, "Ann").await.expect("Ann");
    let values = serde_json::json!({
        "question": "Why does a pod need a NAT gateway?", "answer": "It has no \"public\" address.\n\nSo it borrows one.",
        "points": "It has no public address\nThe gateway translates", "topic": "iam", "source": "https://example.com/nat",
    });
    let form =
        serde_json::json!({"action": "queue:suggest", "channel": "daily-drill", "message": null, "values": values});
    assert_eq!(ann.post("/api/forms", form).await.expect("an answer").0, 200);
    let path = "/api/channels/daily-drill/review";
    let (_, queue) = ann.get(path).await.expect("the queue");
    let approve = serde_json::json!({ "action": queue["items"][0]["message"]["buttons"][0]["action"] });
    assert_eq!(ann.post(path, approve).await.expect("an answer").0, 200);
    // Beside the running bot.
    let printed = setup.clone().argue(&["bank", "suggested"]).run();
    assert_eq!(printed.status.code(), Some(0), "{}", err(&printed));
    let text = out(&printed);
    assert!(text.starts_with("# Approved in web\n[[question]]\nid = \"suggested-"), "{text}");
    bot.stop().await;
    std::fs::write(database.folder().join("mine.toml"), &text).expect("a file");
    let listed = drillbot(database.folder(), &["bank", "list", "mine.toml"]);
    assert!(out(&listed).contains("Why does a pod need a NAT gateway?"), "{}{}", out(&listed), err(&listed));
}
