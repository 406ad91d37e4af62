//! Rules of the house that the compiler does not know: who may use whom, and who may not know what.

use std::path::{Path, PathBuf};

/// In the order of knowledge: each knows only those before it.
const LAYERS: [&str; 4] = ["domain", "store", "app", "adapters"];

/// (path from src, text without comments and tests) of every source file.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                out.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    files.sort();
    assert!(files.len() > 40, "{} files", files.len());
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a source file");
        let code: Vec<&str> = text
            .lines()
            .take_while(|line| line.trim() != "#[cfg(test)]" || !text.contains("mod tests {"))
            .map(|line| line.split("//").next().unwrap_or_default())
            .collect();
        (path.strip_prefix(&root).expect("below src").display().to_string(), code.join("\n"))
    };
    files.into_iter().map(read).collect()
}

fn layer_of(path: &str) -> Option<usize> {
    let first = path.split('/').next().unwrap_or_default();
    LAYERS.iter().position(|layer| *layer == first)
}

/// Every word that follows `crate::`, also inside `crate::{a, b}`.
fn used_layers(code: &str) -> Vec<String> {
    code.split("crate::")
        .skip(1)
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default().split(',').map(str::trim).collect::<Vec<_>>(),
            None => vec![rest],
        })
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect()
}

#[test]
fn imports_go_one_way_domain_store_app_adapters_run() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        let Some(own) = layer_of(&path) else { continue };
        for used in used_layers(&code) {
            match LAYERS.iter().position(|layer| *layer == used) {
                Some(other) if other <= own => {}
                Some(_) => wrong.push(format!("{path} knows {used}")),
                // What belongs to no layer (run, config, cli, content) is wiring: only wiring may know it.
                None => wrong.push(format!("{path} knows crate::{used}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What turns other people's files into questions, and questions into files, knows questions only.
#[test]
fn import_and_export_know_the_domain_alone() {
    let mut wrong = Vec::new();
    for (path, code) in sources().iter().filter(|(path, _)| path.starts_with("import/") || path == "export.rs") {
        let own = ["domain", "import"];
        let others = used_layers(code).into_iter().filter(|used| !own.contains(&used.as_str()));
        wrong.extend(others.map(|used| format!("{path} knows {used}")));
        wrong.extend(
            ["std::fs", "tokio", "println!"]
                .iter()
                .filter(|word| code.contains(*word))
                .map(|word| format!("{path}: {word}")),
        );
    }
    wrong.retain(|found| !found.starts_with("import/tests.rs") && !found.starts_with("import/properties.rs"));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    let code = "use crate::store::web;\nuse crate::{app::App, domain};\nlet x = crate::adapters::web::serve();";
    assert_eq!(used_layers(code), ["store", "app", "domain", "adapters"]);
}

#[test]
fn the_domain_knows_no_io_and_no_platform() {
    let forbidden = [
        "tokio",
        "sqlx",
        "axum",
        "serenity",
        "slack_morphism",
        "reqwest",
        "hyper",
        "tracing",
        "getrandom",
        "std::fs",
        "std::net",
        "std::env",
        "std::time::Instant",
        "SystemTime",
        "Timestamp::now",
        "Zoned::now",
        "async fn",
        ".await",
    ];
    let mut wrong = Vec::new();
    for (path, code) in sources().iter().filter(|(path, _)| path.starts_with("domain/")) {
        wrong.extend(forbidden.iter().filter(|word| code.contains(*word)).map(|word| format!("{path}: {word}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_library_stays_in_its_layer() {
    // (library, where it may be used)
    let rules: [(&str, &[&str]); 9] = [
        ("sqlx::", &["store/"]),
        ("axum::", &["adapters/web/", "adapters/slack/"]),
        ("use ring::", &["adapters/slack/"]),
        ("askama", &["adapters/web/"]),
        ("serenity::", &["adapters/discord/"]),
        ("twilight_", &["adapters/discord/"]),
        ("slack_morphism::", &["adapters/slack/"]),
        ("clap::", &["cli.rs", "cli/", "main.rs"]),
        ("::cron::", &["domain/schedule/"]),
    ];
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        for (library, places) in rules {
            if code.contains(library) && !places.iter().any(|place| path.starts_with(place)) {
                wrong.push(format!("{path} uses {library}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn adapters_do_not_know_each_other() {
    let adapters = ["discord", "slack", "web", "memory", "judge"];
    let mut wrong = Vec::new();
    for (path, code) in sources().iter().filter(|(path, _)| path.starts_with("adapters/")) {
        let rest = path.trim_start_matches("adapters/");
        let own = rest.split(['/', '.']).next().unwrap_or_default();
        for other in adapters.iter().filter(|other| **other != own && own != "mod") {
            // The store keeps the web chat's tables; those are for the web chat alone.
            let ways = [format!("adapters::{other}"), format!("super::{other}"), format!("super::super::{other}")];
            wrong.extend(ways.iter().filter(|way| code.contains(*way)).map(|way| format!("{path}: {way}")));
        }
        if own != "web" && code.contains("store::web") {
            wrong.push(format!("{path}: store::web"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn sql_lives_in_the_store_only() {
    let mut wrong = Vec::new();
    for (path, code) in sources().iter().filter(|(path, _)| !path.starts_with("store/")) {
        let lower = code.to_lowercase();
        let statements = ["\"select ", "\"insert into ", "\"update ", "\"delete from ", "\"create table "];
        wrong.extend(statements.iter().filter(|sql| lower.contains(*sql)).map(|sql| format!("{path}: {sql}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_in_the_product_code_knows_that_it_is_tested() {
    // Faults are fields of fakes. Unit tests at the end of a file are cut off before this looks.
    let wrong: Vec<String> =
        sources().into_iter().filter(|(_, code)| code.contains("cfg!(test)")).map(|(path, _)| path).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_memory_chat_of_the_tests_is_used_by_no_wiring() {
    for (path, code) in sources().iter().filter(|(path, _)| !path.starts_with("adapters/")) {
        assert!(!code.contains("adapters::memory"), "{path} wires the chat of the tests");
    }
}

/// A platform may have another name for a command, so our texts name it as one; what stands in plain words is not renamed.
#[test]
fn what_we_say_names_commands_as_commands() {
    use drillbot::domain::command::mentioned;
    let plain = ["Span::plain(", "Span::bold(", "Span::code(", "Block::line(", "Block::note(", "Block::heading("];
    let mut wrong = Vec::new();
    for (path, code) in
        sources().iter().filter(|(path, _)| path.starts_with("domain/text/") || path.starts_with("app/"))
    {
        for call in plain {
            let said = code.split(call).skip(1).filter_map(|rest| {
                let rest = rest.trim_start().trim_start_matches("format!(").trim_start();
                rest.strip_prefix('"')?.split('"').next()
            });
            let named = said.filter(|text| text.starts_with("/{") || mentioned(text).is_some());
            wrong.extend(named.map(|text| format!("{path}: {call}\"{text}\"")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
