//! Answers that are nearly somebody else's: how well they are told from honest ones, and what becomes of them.

use std::path::Path;

use drillbot::config::Content;
use drillbot::content;
use drillbot::domain::answer::{self, Part};
use drillbot::domain::copying::{find, said};
use drillbot::domain::effect::Audience;
use drillbot::domain::ids::MemberId;
use drillbot::domain::question::Question;
use drillbot::domain::schedule::{AnswerMode, ScheduleSpec};
use drillbot::gold;
use drillbot::store::answers;
use serde_json::Value;

use crate::support::{Database, Kind};
use crate::world::{FULL, Setup, World, member, spec};

/// A question with answers of different people.
struct Asked {
    question: Question,
    answers: Vec<String>,
}

/// The samples of the banks that ship.
fn samples() -> Vec<Asked> {
    let (bank, _) = content::load(&Content { embedded: true, paths: Vec::new() }).expect("the banks can be read");
    let asked = |question: &Question| Asked {
        answers: question.samples.iter().map(|sample| sample.text.clone()).collect(),
        question: question.clone(),
    };
    bank.questions().iter().map(|question| asked(question)).collect()
}

/// Answers of seven kinds to each question of the grader's set, when that lies beside the project.
fn graders_set() -> Vec<Asked> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/grading");
    let Ok(text) = std::fs::read_to_string(folder.join("answers_dev.jsonl")) else { return Vec::new() };
    let questions = gold::rubrics(&folder.join("rubric_dev.jsonl")).expect("rubrics");
    let answers = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    let asked = |line: Value| {
        let question = questions.iter().find(|question| line["id"] == question.id.as_str()).expect("a rubric").clone();
        let text = |answer: &Value| answer["text"].as_str().unwrap_or_default().to_owned();
        Asked { question, answers: line["answers"].as_array().into_iter().flatten().map(text).collect() }
    };
    answers.map(asked).collect()
}

fn part(name: &str, body: &str, written_at: i64) -> Part {
    Part {
        confidence: None,
        id: format!("form:{name}"),
        member: MemberId::new(name),
        body: body.to_owned(),
        written_at,
        late: false,
        deleted: false,
    }
}

/// Each text is somebody's, said at its time. Whose are marked, by their place, with how many words of a hundred they have from an
/// earlier one.
fn marked(question: &Question, said_at: &[(&str, i64)]) -> Vec<(usize, u8)> {
    let name = |place: usize| format!("m{place}");
    let parts: Vec<Part> =
        said_at.iter().enumerate().map(|(place, (text, at))| part(&name(place), text, *at)).collect();
    let answers = answer::assemble(&parts);
    let copies = find(question, &answers.iter().collect::<Vec<_>>(), &said(&parts, &[]));
    let place = |member: &MemberId| (0..said_at.len()).find(|place| name(*place) == member.as_str()).expect("of these");
    copies.iter().map(|copy| (place(&copy.member), copy.percent)).collect()
}

fn count(text: &str) -> usize {
    text.split_whitespace().count()
}

/// Measured over the samples and the grader's set: none of 2,249 pairs in both orders, whatever their length.
#[test]
fn answers_of_different_people_are_never_marked() {
    let pairs_of = |asked: &[Asked]| {
        let (mut pairs, mut wrong) = (0, Vec::new());
        for Asked { question, answers } in asked {
            pairs += answers.len() * answers.len().saturating_sub(1);
            for order in [1, -1] {
                let said_at: Vec<(&str, i64)> =
                    answers.iter().map(String::as_str).zip((1..).map(|n| order * n)).collect();
                wrong.extend(
                    marked(question, &said_at).iter().map(|(place, percent)| format!("{percent}: {}", answers[*place])),
                );
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
        pairs
    };
    let (own, theirs) = (pairs_of(&samples()), pairs_of(&graders_set()));
    println!("{own} and {theirs} pairs");
    assert!(own >= 600 && (theirs == 0 || theirs >= 800));
}

const GREETING: &str = "Hi all, here is my take on this one!";
const FILLER: &str = "I think this is a very interesting question, and in my last company we had long discussions about it \
                      with several colleagues. In the end it always depends on the team and on the time there is, but in \
                      general I would go for this and explain it to everybody in a short meeting on Monday.";
/// Words that somebody would put in the place of others.
const SYNONYMS: [(&str, &str); 24] = [
    ("use", "utilise"),
    ("keep", "hold"),
    ("only", "just"),
    ("so", "therefore"),
    ("because", "since"),
    ("need", "require"),
    ("get", "receive"),
    ("make", "create"),
    ("should", "must"),
    ("everyone", "everybody"),
    ("that", "which"),
    ("all", "every"),
    ("give", "grant"),
    ("put", "place"),
    ("also", "moreover"),
    ("and", "plus"),
    ("i", "we"),
    ("you", "one"),
    ("it", "this"),
    ("the", "our"),
    ("not", "never"),
    ("with", "using"),
    ("then", "afterwards"),
    ("can", "may"),
];

fn reordered(text: &str) -> String {
    let sentences: Vec<&str> = text.split_inclusive(". ").map(str::trim).collect();
    sentences.into_iter().rev().collect::<Vec<_>>().join(" ")
}

/// Every second word that has a synonym becomes it.
fn with_synonyms(text: &str) -> String {
    let mut seen = 0;
    let other = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let (_, other) = SYNONYMS.iter().find(|(plain, _)| *plain == bare)?;
        seen += 1;
        (seen % 2 == 0).then(|| (*other).to_owned())
    };
    let mut other = other;
    text.split(' ').map(|word| other(word).unwrap_or_else(|| word.to_owned())).collect::<Vec<_>>().join(" ")
}

/// Each nth word becomes one that nobody else uses.
fn replaced(text: &str, nth: usize) -> String {
    let swap = |(at, word): (usize, &str)| if at % nth == nth - 1 { format!("other{at}") } else { word.to_owned() };
    text.split_whitespace().enumerate().map(swap).collect::<Vec<_>>().join(" ")
}

fn dropped(text: &str, nth: usize) -> String {
    let stays = |(at, word)| (at % nth != nth - 1).then_some(word);
    text.split_whitespace().enumerate().filter_map(stays).collect::<Vec<&str>>().join(" ")
}

type Edit = fn(&str) -> String;
const EDITS: [(&str, Edit); 9] = [
    ("as it was", str::to_owned),
    ("a greeting", |text| format!("{GREETING} {text} Hope that helps, have a nice day.")),
    ("sentences reordered", reordered),
    ("half the synonyms", with_synonyms),
    ("each tenth word replaced", |text| replaced(text, 10)),
    ("each eighth word replaced", |text| replaced(text, 8)),
    ("each seventh word dropped", |text| dropped(text, 7)),
    ("padding", |text| format!("{text} {FILLER}")),
    ("reordered, greeting, each tenth word replaced", |text| format!("{GREETING} {}", replaced(&reordered(text), 10))),
];

/// Measured: of 244 answers of 30 to 39 words 241 as they were and greeted, 225 with each seventh word dropped, 228 with three edits at
/// once; of 149 longer ones 147 at least after each edit.
#[test]
fn lightly_edited_copies_of_answers_worth_copying_are_found() {
    // How many words it has at least, how many of a hundred copies are found at least after each edit, and those that are.
    let mut longer = (40, 95, [(0, 0); EDITS.len()]);
    let mut shorter = (30, 85, [(0, 0); EDITS.len()]);
    for Asked { question, answers } in samples().into_iter().chain(graders_set()) {
        for text in &answers {
            let (_, _, counts) = match count(text) {
                words if words >= longer.0 => &mut longer,
                words if words >= shorter.0 => &mut shorter,
                _ => continue,
            };
            let edited: Vec<String> = EDITS.iter().map(|(_, edit)| edit(text)).collect();
            // All at the same time, so that none is the source of another.
            let said_at: Vec<(&str, i64)> =
                std::iter::once((text.as_str(), 1)).chain(edited.iter().map(|text| (text.as_str(), 2))).collect();
            counts.iter_mut().for_each(|(copies, _)| *copies += 1);
            for (place, _) in marked(&question, &said_at) {
                counts[place.checked_sub(1).expect("the first is nobody's copy")].1 += 1;
            }
        }
    }
    for (from, floor, counts) in [shorter, longer] {
        for ((name, _), (copies, found)) in EDITS.iter().zip(counts) {
            println!("{from} words and more, {name}: {found} of {copies}");
            assert!(copies >= 25, "{copies} answers of {from} words and more");
            assert!(found * 100 / copies >= floor, "{from} words and more, {name}: {found} of {copies}");
        }
    }
}

#[test]
fn very_short_answers_are_never_marked() {
    for Asked { question, answers } in samples().into_iter().chain(graders_set()) {
        for text in answers.iter().filter(|text| count(text) < 15) {
            assert_eq!(marked(&question, &[(text, 1), (text, 2)]), [], "{text}");
        }
    }
}

const STORY: &str = "In our shop the juniors used to mail a zip of that folder around every Friday, until somebody overwrote a \
                     colleague's database with last week's copy. Since then nobody mails anything.";

fn with_story(more: &str) -> String {
    format!("{STORY} {more}")
}

/// A test of each name in a world on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => { $(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn on_sqlite() {
                super::$name(Kind::Sqlite).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                super::$name(Kind::Postgres).await;
            }
        }
    )* };
}

on_both!(
    a_copy_counts_with_what_it_adds_and_nobody_is_shamed,
    who_was_first_is_who_said_it_first,
    a_form_sent_again_stays_as_old_as_it_was,
    erasing_takes_a_name_out_of_what_the_organisers_were_told,
);

/// What the organisers were told about copies.
fn told_of_copies(w: &World) -> Vec<String> {
    w.notices().into_iter().filter(|notice| notice.contains("nearly")).collect()
}

async fn a_copy_counts_with_what_it_adds_and_nobody_is_shamed(kind: Kind) {
    let Some(database) = Database::of(kind).await else { return };
    let mut w = World::on(Setup::default(), database.open().await).await;
    w.at("09:00").await;
    w.write_in_thread("Cleo", &with_story("The backend keeps the state.")).await;
    w.at("10:00").await;
    let copied = format!("Hi \u{1f600}! {} A lock stops two writers.", with_story("The backend keeps the state."));
    w.write_in_thread("Bob", &copied).await;
    w.at("11:00").await;
    w.write_in_thread("Dan", FULL).await;
    w.write_in_thread("Eve", FULL).await;
    w.news();
    w.at("17:00").await;
    let coverage: Vec<(String, i64)> =
        w.scores().await.into_iter().map(|(name, coverage, _)| (name, coverage)).collect();
    let expected = [("dan", 100), ("eve", 100), ("cleo", 50), ("bob", 33)].map(|(name, n)| (name.to_owned(), n));
    assert_eq!(coverage, expected, "Bob's own point is a third; the same words of the question are nobody's");
    let notices = told_of_copies(&w);
    assert_eq!(notices.len(), 1, "{notices:#?}");
    assert!(notices[0].contains("• Bob wrote 100 % of the words as Cleo had before"), "{}", notices[0]);
    assert!(!notices[0].contains("Dan") && !notices[0].contains("Eve"), "{}", notices[0]);
    let told = w.told("Bob").expect("his result");
    assert!(
        told.contains("33 of 100") && told.contains("stand in one that somebody else had written earlier"),
        "{told}"
    );
    assert!(!told.contains("Cleo"), "{told}");
    for name in ["Cleo", "Dan", "Eve"] {
        assert!(!w.told(name).expect("a result").contains("written earlier"), "{name}");
    }
    let public: Vec<String> = w
        .chat
        .shown()
        .iter()
        .filter(|shown| shown.audience == Audience::Everyone)
        .map(|shown| shown.message.as_text())
        .collect();
    assert!(public.iter().any(|text| text.contains("who covered them")), "the reveal is out");
    assert!(!public.iter().any(|text| text.contains("nearly") || text.contains("written earlier")), "{public:#?}");
    w.restart().await;
    assert_eq!(told_of_copies(&w).len(), 1);
    w.end().await;
}

async fn who_was_first_is_who_said_it_first(kind: Kind) {
    let Some(database) = Database::of(kind).await else { return };
    let mut w = World::on(Setup::default(), database.open().await).await;
    w.at("09:00").await;
    // He is early with nothing, and fills it in when there is something to copy.
    let (early, _) = w.write_in_thread("Bob", "x").await;
    w.at("09:10").await;
    let (original, _) = w.write_in_thread("Cleo", &with_story("The backend keeps the state.")).await;
    w.at("10:00").await;
    w.rewrite(&early, "Bob", &with_story("The backend keeps the state.")).await;
    w.at("11:00").await;
    w.rewrite(&original, "Cleo", &with_story("The backend keeps all the state.")).await;
    // What is edited while the bot hears nothing counts from when it was read.
    let unheard = w.write_in_thread("Dan", "y").await.0;
    w.chat.rewrite(&unheard, &with_story("Versions help to recover."));
    w.at("12:00").await;
    let round = w.rounds().await[0].id.clone();
    let kept =
        |id| w.app.store.read("read versions", move |conn| Box::pin(async move { answers::versions(conn, &id).await }));
    assert_eq!(kept(round.clone()).await.expect("versions").len(), 4, "two texts each of Bob's and Cleo's");
    w.at("17:00").await;
    let coverage: Vec<(String, i64)> =
        w.scores().await.into_iter().map(|(name, coverage, _)| (name, coverage)).collect();
    assert_eq!(coverage, [("cleo", 50), ("dan", 17), ("bob", 0)].map(|(name, n)| (name.to_owned(), n)));
    let notices = told_of_copies(&w);
    assert_eq!(notices.len(), 1);
    assert!(notices[0].contains("• Bob wrote 100 % of the words as Cleo"), "{}", notices[0]);
    assert!(notices[0].contains("• Dan wrote") && !notices[0].contains("• Cleo"), "{}", notices[0]);
    let left =
        w.app.store.read("read versions", move |conn| Box::pin(async move { answers::versions(conn, &round).await }));
    assert_eq!(left.await.expect("versions"), [], "older texts are kept until the reveal only");
    w.end().await;
}

async fn a_form_sent_again_stays_as_old_as_it_was(kind: Kind) {
    let Some(database) = Database::of(kind).await else { return };
    let private = ScheduleSpec { answers: AnswerMode::Private, ..spec() };
    let setup = Setup { schedules: vec![("daily", private)], ..Setup::default() };
    let mut w = World::on(setup, database.open().await).await;
    w.at("09:00").await;
    let text = with_story("The backend keeps the state.");
    w.answers_by_form("Cleo", &text).await;
    w.at("10:00").await;
    w.answers_by_form("Bob", &text).await;
    w.at("11:00").await;
    w.answers_by_form("Cleo", &text).await;
    w.news();
    w.at("17:00").await;
    let coverage: Vec<(String, i64)> =
        w.scores().await.into_iter().map(|(name, coverage, _)| (name, coverage)).collect();
    assert_eq!(coverage, [("cleo", 50), ("bob", 0)].map(|(name, n)| (name.to_owned(), n)));
    assert_eq!(told_of_copies(&w).len(), 1);
    let news = w.news();
    let quoted = news.split("--- ").find(|part| part.contains("What people answered")).expect("the answers");
    assert!(quoted.contains("Cleo (50 of 100)") && !quoted.contains("Bob"), "{quoted}");
    w.end().await;
}

async fn erasing_takes_a_name_out_of_what_the_organisers_were_told(kind: Kind) {
    let Some(database) = Database::of(kind).await else { return };
    let mut w = World::on(Setup::default(), database.open().await).await;
    w.at("09:00").await;
    let text = with_story("The backend keeps the state.");
    let (first, _) = w.write_in_thread("Cleo", "x").await;
    w.rewrite(&first, "Cleo", &text).await;
    w.at("10:00").await;
    w.write_in_thread("Bob", &text).await;
    w.at("17:00").await;
    assert!(told_of_copies(&w)[0].contains("Cleo"));
    w.says("Cleo", "/me delete").await;
    w.press("Cleo", "Erase my data").await;
    w.settle().await;
    let notices = told_of_copies(&w);
    assert_eq!(notices.len(), 1);
    assert!(notices[0].contains("Bob") && !notices[0].contains("Cleo"), "{}", notices[0]);
    assert!(notices[0].contains("erased since"), "{}", notices[0]);
    assert_eq!(w.scores().await, [("bob".to_owned(), 0, 0)], "he is no better off");
    w.says("Bob", "/me delete").await;
    w.press("Bob", "Erase my data").await;
    w.settle().await;
    let notices = w.notices();
    assert!(notices.len() == 1 && notices[0].starts_with("Some answers were nearly equal."), "{notices:#?}");
    let (bob, cleo) = (member("Bob"), member("Cleo"));
    for state in ["pending", "sending", "sent"] {
        let rows = w.in_outbox(state).await;
        assert!(rows.iter().all(|(id, _)| !id.contains(bob.as_str()) && !id.contains(cleo.as_str())), "{rows:?}");
    }
    w.end().await;
}

#[tokio::test]
async fn what_is_erased_before_the_reveal_is_not_compared() {
    let mut w = World::new().await;
    w.at("09:00").await;
    let text = with_story("The backend keeps the state.");
    let (first, _) = w.write_in_thread("Cleo", "x").await;
    w.rewrite(&first, "Cleo", &text).await;
    let (gone, _) = w.write_in_thread("Dan", "x").await;
    w.rewrite(&gone, "Dan", &text).await;
    w.at("10:00").await;
    w.write_in_thread("Bob", &text).await;
    w.erase(&gone).await;
    w.says("Cleo", "/me delete").await;
    w.press("Cleo", "Erase my data").await;
    w.at("17:00").await;
    assert_eq!(w.scores().await, [("bob".to_owned(), 50, 1000)]);
    assert_eq!(told_of_copies(&w), Vec::<String>::new());
    w.end().await;
}
