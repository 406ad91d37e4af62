//! What the app sends in Block Kit, kept for a second opinion: `tests/slack_models.py` reads it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use serde_json::{Value, json};

/// Keeps a body that has blocks or a view, with its method and the test that led to it, when DRILLBOT_TEST_SLACK_PAYLOADS names a
/// folder. Each process writes a file of its own, one body a line.
pub fn keep(what: &str, body: &Value) {
    static FILE: OnceLock<Option<Mutex<File>>> = OnceLock::new();
    if ["blocks", "view"].iter().all(|name| body[*name].is_null()) {
        return;
    }
    let Some(file) = FILE.get_or_init(open) else { return };
    let here = std::thread::current();
    let line = json!({"test": here.name(), "what": what, "body": body});
    let mut file = file.lock().expect("no panic while writing");
    writeln!(file, "{line}").expect("the folder for payloads can be written to");
}

#[expect(clippy::disallowed_methods, reason = "tests have no settings of their own but these few variables")]
fn open() -> Option<Mutex<File>> {
    let folder =
        std::env::var_os("DRILLBOT_TEST_SLACK_PAYLOADS").filter(|folder| !folder.is_empty()).map(PathBuf::from)?;
    std::fs::create_dir_all(&folder).expect("the folder for payloads can be made");
    let path = folder.join(format!("{}.jsonl", std::process::id()));
    let file = OpenOptions::new().create(true).append(true).open(path).expect("a file for payloads can be made");
    Some(Mutex::new(file))
}
