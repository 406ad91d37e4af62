//! Files of questions in and out, as an author does it on the command line.

use std::io::Write;
use std::path::Path;
use std::process::Output;

use drillbot::domain::bank::{Bank, Source};
use drillbot::domain::question::{Question, Status};
use drillbot::store::anki;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection};

use crate::support::Setup;

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

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    std::fs::write(folder.join(name), bytes).expect("a file");
}

fn text(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).expect("a file")
}

fn bank(text: &str) -> Bank {
    let source = [Source { path: "bank.toml", text }];
    Bank::read(&[&source]).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}")).0
}

const LIST: &str = "Some words first.\n\nQ1: Why does a deployment keep old replica sets?\nA: For a way back.\n\nQ2: What is the use of a bastion host?\n";

#[test]
fn an_import_writes_drafts_and_says_what_became_of_every_line() {
    let folder = folder();
    write(folder.path(), "list.txt", LIST);
    let output = drillbot(folder.path(), &["bank", "import", "list.txt", "--dry-run"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains("would be written to drafts/list.toml"), "{}", out(&output));
    assert!(!folder.path().join("drafts").exists(), "a dry run writes nothing");
    let output = drillbot(
        folder.path(),
        &["bank", "import", "list.txt", "--licence", "CC BY 4.0", "--source", "https://example.org/q"],
    );
    let said = out(&output);
    for part in [
        "list.txt: qa-letter, 2 questions",
        "2 new, 1 empty answers, 1 skipped lines",
        "list.txt:1: skipped (preamble): Some words first.",
        "list.txt:6: warning: empty-answer: What is the use of a bastion host?",
        "written to drafts/list.toml",
    ] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
    let drafts = bank(&text(folder.path(), "drafts/list.toml"));
    let question = drafts.get("use-bastion-host").expect("an id of its words");
    assert_eq!((question.status, question.licence.as_deref()), (Status::Draft, Some("CC BY 4.0")));
    assert_eq!(question.source.as_deref(), Some("https://example.org/q, line 6"));
    // The whole bot takes them.
    let output = drillbot(folder.path(), &["bank", "list", "drafts"]);
    assert!(out(&output).contains("use-bastion-host"), "{}{}", out(&output), err(&output));
    let names: Vec<_> = std::fs::read_dir(folder.path().join("drafts"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(names, ["list.toml"], "nothing is left beside it");
}

#[test]
fn a_second_import_keeps_what_an_author_has_done() {
    let folder = folder();
    write(folder.path(), "list.txt", LIST);
    let import = || drillbot(folder.path(), &["bank", "import", "list.txt", "--out", "mine"]);
    import();
    let mine = text(folder.path(), "mine/list.toml").replacen("For a way back.", "For a rollback, and a rollout.", 1);
    write(folder.path(), "mine/list.toml", &mine);
    write(folder.path(), "list.txt", LIST.replace("For a way back.", "To roll back.") + "A: One door.\n");
    let said = out(&import());
    assert!(said.contains("why-deployment-keep-old-replica-sets: left alone, because it has been edited"), "{said}");
    assert!(said.contains("1 updated"), "{said}");
    let now = text(folder.path(), "mine/list.toml");
    assert!(now.contains("For a rollback, and a rollout.") && now.contains("One door."), "{now}");
    assert!(out(&import()).contains("nothing to write"));
    assert_eq!(text(folder.path(), "mine/list.toml"), now);
}

#[test]
fn what_was_read_is_printed_as_json() {
    let folder = folder();
    write(folder.path(), "list.txt", LIST);
    let output = drillbot(folder.path(), &["bank", "import", "list.txt", "--dry-run", "--json"]);
    let one: Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(one["questions"][0]["prompt"], "Why does a deployment keep old replica sets?");
    assert_eq!(one["skipped"][0], json!({"line": 1, "reason": "preamble", "text": "Some words first."}));
    let output = drillbot(folder.path(), &["bank", "import", "list.txt", "list.txt", "--dry-run", "--json"]);
    let two: Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(two, json!([one, one]));
    let output = drillbot(folder.path(), &["bank", "import", "list.txt", "list.txt", "--json"]);
    let report: Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(report[0]["added"].as_array().map(Vec::len), Some(2));
    assert_eq!(report[1]["duplicates"].as_array().map(Vec::len), Some(2));
}

#[test]
fn what_cannot_be_read_is_named_with_its_place_and_the_rest_is_imported() {
    let folder = folder();
    write(folder.path(), "empty.md", "");
    write(folder.path(), "image.txt", b"\x89PNG\r\n\x1a\n\0\0\0");
    write(folder.path(), "broken.json", "{\"results\":\n [}");
    let large = std::fs::File::create(folder.path().join("large.txt")).expect("a file");
    large.set_len(50 * 1024 * 1024).expect("50 MB");
    write(folder.path(), "list.txt", LIST);
    let files = ["empty.md", "image.txt", "broken.json", "large.txt", "nowhere.md", "list.txt"];
    let output = drillbot(folder.path(), &[&["bank", "import"][..], &files].concat());
    assert_eq!(output.status.code(), Some(1));
    let said = err(&output);
    for part in [
        "empty.md:1: this file is empty",
        "image.txt:",
        "binary",
        "broken.json:2: this is not JSON",
        "large.txt:1: this file is larger than 20 MB",
        "nowhere.md:1: this file cannot be read",
    ] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
    assert!(
        out(&output).contains("6 files: 2 questions, 2 new") && out(&output).contains("5 could not be read"),
        "{}",
        out(&output)
    );
    let output = drillbot(folder.path(), &["bank", "import", "list.txt", "--format", "mkdoc"]);
    assert!(err(&output).contains("the formats are auto, mkdocs-admonition"), "{}", err(&output));
}

#[test]
fn drafts_that_cannot_be_read_are_not_overwritten() {
    let folder = folder();
    write(folder.path(), "list.txt", LIST);
    std::fs::create_dir(folder.path().join("drafts")).expect("a folder");
    write(folder.path(), "drafts/list.toml", "[[question]\nmine = 1\n");
    let output = drillbot(folder.path(), &["bank", "import", "list.txt"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("drafts/list.toml:1: "), "{}", err(&output));
    assert_eq!(text(folder.path(), "drafts/list.toml"), "[[question]\nmine = 1\n");
}

/// A collection as Anki 2.1 writes it, made by `statements` after its tables.
async fn collection(folder: &Path, statements: &[&str]) -> Vec<u8> {
    let path = folder.join("collection");
    let _ = std::fs::remove_file(&path);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let options = options.collation("unicase", |a, b| a.to_lowercase().cmp(&b.to_lowercase()));
    let mut connection = options.connect().await.expect("a database");
    for statement in statements {
        sqlx::query(sqlx::AssertSqlSafe((*statement).to_owned()))
            .execute(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    connection.close().await.expect("closed");
    std::fs::read(path).expect("the database")
}

const CARDS: &str = "create table cards (id integer primary key, nid integer, did integer)";
const NOTES: &str =
    "create table notes (id integer primary key, guid text, mid integer, tags text, flds text, sfld integer)";
const ROWS: &str = "insert into notes values (3, 'c', 7, ' ', 'A {{c1::route}} leads.', 0), \
                    (1, 'a', 5, ' net level::hard ', 'What is a <b>NAT</b>?' || char(31) || '<ul><li>one way out</li><li>many inside</li></ul>' || char(31) || 'RFC', 0), \
                    (2, 'b', 5, '', '' || char(31) || 'no question' || char(31), 0)";

async fn old_collection(folder: &Path) -> Vec<u8> {
    let models = r#"{"5": {"name": "Basic", "flds": [{"name": "Front"}, {"name": "Back"}, {"name": "Extra"}]}}"#;
    let decks = r#"{"9": {"name": "AWS::Networks"}}"#;
    let col = format!("insert into col values (1, '{models}', '{decks}')");
    let cards = "insert into cards values (1, 1, 9), (2, 3, 9), (3, 1, 9)";
    collection(folder, &["create table col (id integer, models text, decks text)", NOTES, CARDS, &col, ROWS, cards])
        .await
}

async fn new_collection(folder: &Path) -> Vec<u8> {
    let statements = [
        "create table col (id integer, models text, decks text)",
        NOTES,
        CARDS,
        "create table notetypes (id integer primary key, name text collate unicase)",
        "create table fields (ntid integer, ord integer, name text collate unicase, primary key (ntid, ord)) without rowid",
        "create table decks (id integer primary key, name text collate unicase)",
        "insert into fields values (5, 1, 'Back'), (5, 0, 'Front'), (5, 2, 'Extra')",
        "insert into decks values (9, 'AWS' || char(31) || 'Networks')",
        ROWS,
        "insert into cards values (1, 1, 9), (2, 3, 9)",
    ];
    collection(folder, &statements).await
}

fn package(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, bytes) in entries {
        archive.start_file(*name, options).expect("an entry");
        archive.write_all(bytes).expect("its bytes");
    }
    archive.finish().expect("an archive").into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_of_old_and_new_anki_are_read() {
    let folder = folder();
    let (old, new) = (old_collection(folder.path()).await, new_collection(folder.path()).await);
    let packed = ruzstd::encoding::compress_to_vec(new.as_slice(), ruzstd::encoding::CompressionLevel::Fastest);
    write(folder.path(), "old.apkg", package(&[("collection.anki2", &old), ("media", b"{}")]));
    // A new package has an old collection too, which says that Anki is to be updated.
    write(
        folder.path(),
        "new.apkg",
        package(&[("collection.anki2", b"please update"), ("collection.anki21b", &packed), ("0", b"a picture")]),
    );
    for name in ["old.apkg", "new.apkg"] {
        let output = drillbot(folder.path(), &["bank", "import", name, "--dry-run", "--json"]);
        let read: Value =
            serde_json::from_str(&out(&output)).unwrap_or_else(|error| panic!("{error}: {}", err(&output)));
        assert_eq!(read["format"], "anki-package");
        let first = &read["questions"][0];
        assert_eq!(
            (&first["prompt"], &first["section"], &first["level"]),
            (&json!("What is a **NAT**?"), &json!("Networks"), &json!("advanced")),
            "{name}"
        );
        assert_eq!(
            (&first["points"], &first["tags"]),
            (&json!(["one way out", "many inside"]), &json!(["net", "level::hard"]))
        );
        assert_eq!(first["callouts"], json!([{"label": "Extra", "text": "RFC"}]));
        assert_eq!(
            (&read["questions"][1]["prompt"], &read["questions"][1]["answer"]),
            (&json!("A [...] leads."), &json!("A route leads."))
        );
        assert_eq!(read["skipped"], json!([{"line": 2, "reason": "no-question", "text": "no question"}]));
    }
    let output = drillbot(folder.path(), &["bank", "import", "old.apkg"]);
    assert!(out(&output).contains("old.apkg:2: skipped (no-question)"), "{}", out(&output));
    let drafts = bank(&text(folder.path(), "drafts/old.toml"));
    assert!(drafts.questions().iter().any(|question| question.source.as_deref() == Some("old.apkg, note 1")));
}

#[test]
fn packages_that_are_none_are_refused() {
    let folder = folder();
    let zeros = vec![0; 300 * 1024 * 1024];
    let mut database = b"SQLite format 3\0".to_vec();
    database.extend([7; 4000]);
    let whole = package(&[("collection.anki2", &database)]);
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("bomb.apkg", package(&[("collection.anki21", &zeros)]), "unpacks to more than"),
        ("cut.apkg", whole[..whole.len() / 2].to_vec(), "cannot be read"),
        ("document.docx", package(&[("word/document.xml", b"<w/>")]), "no collection of Anki"),
        ("text.apkg", package(&[("collection.anki2", b"hello")]), "no database"),
        ("damaged.apkg", whole, "cannot be read; export the deck"),
        ("zstd.apkg", package(&[("collection.anki21b", b"not zstd at all")]), "cannot be read"),
    ];
    drop(zeros);
    for (name, bytes, part) in cases {
        write(folder.path(), name, bytes);
        let output = drillbot(folder.path(), &["bank", "import", name]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        let said = err(&output);
        assert!(
            said.starts_with(&format!("{name}:1: ")) && said.contains(part) && !said.contains("panicked"),
            "{name}: {said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_that_computes_is_refused() {
    let folder = folder();
    let col = "create table col (id integer, models text, decks text)";
    let endless = "create view notes as with recursive n(id) as (select 1 union all select id + 1 from n) \
                   select id, 1 as mid, '' as tags, 'x' as flds from n";
    let computed =
        "create table notes (id integer primary key, mid integer, tags text, flds text as (hex(zeroblob(900000000))))";
    for notes in [endless, computed] {
        let database = collection(folder.path(), &[col, CARDS, notes]).await;
        let error = anki::notes(&database).await.expect_err("it is none of Anki's");
        assert!(format!("{error:#}").contains("its notes is no table of Anki's"), "{error:#}");
    }
    let database = collection(folder.path(), &[col, CARDS]).await;
    let error = anki::notes(&database).await.expect_err("it has no notes");
    assert!(format!("{error:#}").contains("no table notes"), "{error:#}");
}

#[test]
fn an_export_is_read_again() {
    let folder = folder();
    let export = |format: &str, file: &str| {
        let output = drillbot(folder.path(), &["bank", "export", "--format", format, "--out", file]);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        text(folder.path(), file)
    };
    let questions: Vec<Question> = serde_json::from_str(&export("json", "bank.json")).expect("questions");
    let (shipped, _) =
        drillbot::content::load(&drillbot::config::Content { embedded: true, paths: Vec::new() }).expect("the banks");
    assert!(shipped.questions().iter().map(AsRef::as_ref).eq(questions.iter()), "JSON has all of it");
    let anki = export("anki", "bank.txt");
    assert!(anki.starts_with("#separator:tab\n#html:true\n"), "{}", &anki[..100]);
    export("csv", "bank.csv");
    export("markdown", "bank.md");
    for (file, format) in [("bank.md", "html-details"), ("bank.csv", "csv"), ("bank.txt", "anki-text")] {
        let output = drillbot(folder.path(), &["bank", "import", file, "--dry-run", "--json"]);
        let read: Value = serde_json::from_str(&out(&output)).expect("JSON");
        assert_eq!(read["format"], format);
        assert_eq!(read["skipped"], json!([]), "{file}");
        assert_eq!(read["questions"].as_array().map(Vec::len), Some(questions.len()), "{file}");
    }
}

#[test]
fn an_export_takes_a_topic_a_level_and_banks() {
    let folder = folder();
    let output =
        drillbot(folder.path(), &["bank", "export", "--format", "csv", "--topic", "iam", "--level", "advanced"]);
    let (shipped, _) =
        drillbot::content::load(&drillbot::config::Content { embedded: true, paths: Vec::new() }).expect("the banks");
    let wanted =
        shipped.questions().iter().filter(|question| question.topic == "iam" && question.level.as_str() == "advanced");
    let ids: Vec<String> = out(&output).lines().filter_map(|line| Some(line.split_once(',')?.0.to_owned())).collect();
    assert!(
        wanted.clone().count() > 0 && wanted.clone().all(|question| ids.contains(&question.id.to_string())),
        "{ids:?}"
    );
    let output = drillbot(folder.path(), &["bank", "export", "--format", "csv", "--topic", "quantum"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("There is no topic"), "{}", err(&output));
}
