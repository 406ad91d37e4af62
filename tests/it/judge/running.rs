//! The judge as an operator sets it up: with the real binary.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::model::{Model, Mood};
use super::{ANSWER, lifts};
use crate::support::{Bot, Client, Setup};
use crate::world::{bank_texts, folder, open_store, standings_agree};

const CHANNEL: &str = "daily-drill";
const KEY: &str = "sk-hunter2-hunter2";

fn setup(folder: &Path, model: &Model) -> Setup {
    for (name, text) in bank_texts(&[("iam", 3)]) {
        std::fs::write(folder.join(name), text).expect("the bank is written");
    }
    std::fs::write(folder.join("key"), format!("{KEY}\n")).expect("a file");
    let settings = format!(
        "[content]\nembedded = false\npaths = [\"iam.toml\"]\n\
         [grading.llm]\nurl = \"{}\"\nmodel = \"m\"\napi_key_file = \"key\"\n",
        model.url
    );
    let database = format!("sqlite:{}", folder.join("drillbot.db").display());
    Setup::new(folder, &database, &settings).with("DRILLBOT_LOG_LEVEL", "debug")
}

/// What stands on the page after an answer in a drill of one question.
async fn drill(bot: &mut Bot, name: &str, answer: &str) -> String {
    let url = bot.ready().await;
    let client = Client::sign_in(&url, name).await.expect("a session");
    let (_, asked) = client.write(CHANNEL, None, "/drill question=iam-1", name).await.expect("a drill");
    let message = &asked["reply"]["message"];
    let buttons = message["message"]["buttons"].as_array().unwrap_or_else(|| panic!("{asked}"));
    let answers = |button: &&Value| button["label"].as_str().is_some_and(|label| label.starts_with("Answer"));
    let action = buttons.iter().find(answers).and_then(|button| button["action"].as_str()).expect("a button");
    let id = message["id"].as_str().expect("an id");
    let (_, shown) = client.submit(CHANNEL, id, action, answer).await.expect("a result");
    shown.to_string()
}

#[tokio::test]
async fn the_settings_bring_the_judge_into_the_drill() {
    let folder = folder();
    let model = Model::start(lifts()).await;
    let mut bot = setup(folder.path(), &model).start().await;
    let shown = drill(&mut bot, "Bob", ANSWER).await;
    assert!(shown.contains("83 of 100"), "{shown}");
    assert_eq!(model.seen()[0].authorization, Some(format!("Bearer {KEY}")));
    // Members hear nothing of a failure; the operator does, without what was written and without the key.
    model.change(Mood::Status(500));
    let shown = drill(&mut bot, "Cleo", "The backend keeps the state, zebra.").await;
    assert!(shown.contains("50 of 100"), "{shown}");
    assert_eq!(model.seen().len(), 2);
    assert_eq!(bot.stop().await.code, Some(0));
    let log = bot.log().join("\n");
    assert!(log.contains("the judge gave no verdict") && log.contains("HTTP 500"), "{log}");
    for private in ["hunter2", "zebra", "apply meanwhile"] {
        assert!(!log.contains(private), "{private} stands in the log:\n{log}");
    }
    let store = open_store(&folder).await;
    standings_agree(&store).await;
    store.close().await;
}

fn words(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_looks_at_the_judge() {
    let folder = folder();
    let right = vec![("met", "has to wait until the first one has let go"), ("unsure", "")];
    let model = Model::start(Mood::Says(right)).await;
    let doctor = setup(folder.path(), &model).argue(&["doctor", "judge"]);
    let output = doctor.run();
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert!(words(&output).contains("ok m answers with verdicts as asked for"), "{}", words(&output));
    model.change(Mood::Status(401));
    let output = doctor.run();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        words(&output).contains("does not accept the key") && !words(&output).contains("hunter2"),
        "{}",
        words(&output)
    );
    let output = Setup::bare(folder.path()).argue(&["doctor", "judge", "--config", "none.toml"]).run();
    assert_eq!(output.status.code(), Some(2));
    std::fs::write(folder.path().join("none.toml"), "").expect("a file");
    let output = Setup::bare(folder.path()).argue(&["doctor", "judge", "--config", "none.toml"]).run();
    assert_eq!(output.status.code(), Some(2));
    assert!(words(&output).contains("There is no judge, and none is needed"), "{}", words(&output));
}
