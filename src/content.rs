//! Question banks on their way in: those inside the binary, and files, watched for changes.

use std::path::{Path, PathBuf};

use crate::config::Content;
use crate::domain::bank::{Bank, Problem, Severity, Source};

/// (path, text) of files in `content/`.
macro_rules! banks {
    ($($name:literal)*) => {
        &[$((concat!("content/", $name, ".toml"), include_str!(concat!("../content/", $name, ".toml")))),*]
    };
}

/// The banks that ship with drillbot.
const EMBEDDED: &[(&str, &str)] = banks!(
    "aiops" "aiops-noise" "appsec" "cicd" "cloudsec" "compliance" "compute" "config-mgmt" "containers" "cost" "dr" "drift" "eks" "iam"
    "incident" "jenkins" "kubernetes" "labs-cloud" "labs-delivery" "mlops-pipelines" "mlops-serving" "networking" "observability" "prep"
    "rollouts" "secrets" "terraform"
);

/// The larger of a bank and its files is a mistake, not a bank.
const MAX_BYTES: u64 = 20 * 1024 * 1024;

/// Reads the banks that the settings name.
///
/// # Errors
/// Every problem at once, with file and line.
pub fn load(content: &Content) -> Result<(Bank, Vec<Problem>), Vec<Problem>> {
    let (files, problems) = read_files(&content.paths);
    if !problems.is_empty() {
        return Err(problems);
    }
    let embedded: Vec<Source<'_>> =
        if content.embedded { EMBEDDED.iter().map(|(path, text)| Source { path, text }).collect() } else { Vec::new() };
    let own: Vec<Source<'_>> = files.iter().map(|(path, text)| Source { path, text }).collect();
    Bank::read(&[&embedded, &own])
}

/// The files behind a list of files and folders, in order, with their texts.
fn read_files(paths: &[PathBuf]) -> (Vec<(String, String)>, Vec<Problem>) {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    let mut wrong = |path: &Path, message: String| {
        problems.push(Problem { path: path.display().to_string(), line: 1, message, severity: Severity::Error });
    };
    for path in paths {
        match list(path) {
            Ok(found) if found.is_empty() => wrong(path, "this folder has no .toml files".to_owned()),
            Ok(found) => {
                for file in found {
                    match std::fs::metadata(&file).map(|meta| meta.len()) {
                        Ok(size) if size > MAX_BYTES => {
                            wrong(&file, "is larger than 20 MB; a bank has kilobytes".to_owned())
                        }
                        _ => match std::fs::read_to_string(&file) {
                            Ok(text) => files.push((file.display().to_string(), text)),
                            Err(error) => wrong(&file, format!("cannot be read: {error}")),
                        },
                    }
                }
            }
            Err(error) => wrong(path, format!("cannot be read: {error}; check content.paths")),
        }
    }
    (files, problems)
}

fn list(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        std::fs::metadata(path)?;
        return Ok(vec![path.to_owned()]);
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(path)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|file| file.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    Ok(files)
}

/// What the files look like from outside: changes when one of them was written, added or removed.
pub fn fingerprint(content: &Content) -> Vec<(PathBuf, u64, Option<std::time::SystemTime>)> {
    let mut out = Vec::new();
    for path in &content.paths {
        for file in list(path).unwrap_or_default() {
            let meta = std::fs::metadata(&file).ok();
            let size = meta.as_ref().map_or(0, std::fs::Metadata::len);
            out.push((file, size, meta.and_then(|meta| meta.modified().ok())));
        }
    }
    out
}
