//! `drillbot bank import` and `drillbot bank export`: the one place where their files are read and written.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the command line")]

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::bank::{BankArgs, Only, read};
use crate::app::clock::real_ms;
use crate::config::Content;
use crate::content;
use crate::domain::text::counted;
use crate::export::{self, Target};
use crate::import::draft::About;
use crate::import::merge::{Desk, Plan};
use crate::import::{self, Format, Reading, Trouble, apkg, decode};
use crate::store;

#[derive(Args)]
pub struct ImportArgs {
    /// The files: Markdown, text, HTML in Markdown, CSV or TSV, Anki text or .apkg, Open Trivia DB, Red trivia, Moodle GIFT
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What the files are; auto looks into each. A wrong name lists them all
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = format_named)]
    format: FormatArg,
    /// Where the drafts go, one file for each source
    #[arg(long, value_name = "DIR", default_value = "drafts")]
    out: PathBuf,
    /// Say what would happen, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON: with --dry-run what was read (one file an object, several a list), else what was written
    #[arg(long)]
    json: bool,
    /// The topic of all questions instead of their sections
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// Where the questions are from, for example an address; the name of the file when absent
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// The licence under which they came
    #[arg(long, value_name = "TEXT", default_value = "unknown: ask before you publish")]
    licence: String,
}

#[derive(Clone, Copy)]
pub enum FormatArg {
    Auto,
    Named(Format),
}

fn format_named(text: &str) -> Result<FormatArg, String> {
    if text.eq_ignore_ascii_case("auto") {
        return Ok(FormatArg::Auto);
    }
    let names = || Format::ALL.map(Format::as_str).join(", ");
    Format::parse(text).map(FormatArg::Named).ok_or_else(|| format!("the formats are auto, {}", names()))
}

#[derive(Args)]
pub struct ExportArgs {
    /// anki (text that Anki imports), csv, json, or markdown (which `bank import` reads again)
    #[arg(long, value_name = "FORMAT", value_parser = target_named)]
    format: Target,
    /// The file to write; standard output when absent
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    only: Only,
}

fn target_named(text: &str) -> Result<Target, String> {
    Target::parse(text).ok_or_else(|| "the formats are anki, csv, json and markdown".to_owned())
}

/// What came of one file.
#[derive(Serialize)]
struct Outcome {
    file: String,
    /// The file of drafts.
    drafts: String,
    format: Format,
    questions: usize,
    empty_answers: usize,
    skipped: usize,
    #[serde(flatten)]
    plan: Plan,
}

pub fn bank_import(args: &ImportArgs) -> ExitCode {
    match import_all(args) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("drillbot: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Imports the files; how many of them could not be.
fn import_all(args: &ImportArgs) -> Result<usize> {
    let mut failed = 0;
    let mut readings = Vec::new();
    for path in &args.files {
        match read_file(path, args.format) {
            Ok(reading) => readings.push((path, reading)),
            Err(trouble) => {
                failed += 1;
                eprintln!("{}:{trouble}", path.display());
            }
        }
    }
    if args.dry_run && args.json {
        let all: Vec<&Reading> = readings.iter().map(|(_, reading)| reading).collect();
        match all.as_slice() {
            [one] if args.files.len() == 1 => println!("{}", serde_json::to_string_pretty(one)?),
            all => println!("{}", serde_json::to_string_pretty(all)?),
        }
        return Ok(failed);
    }
    let (shipped, _) = content::load(&Content { embedded: true, paths: Vec::new() }).map_err(|problems| {
        anyhow::anyhow!("the banks inside this program have {}", counted(problems.len(), "problem"))
    })?;
    let mut old = drafts_in(&args.out)?;
    let mut desk = match Desk::new(shipped, &old) {
        Ok(desk) => desk,
        Err((path, trouble)) => {
            eprintln!("{path}:{trouble}");
            return Ok(failed + 1);
        }
    };
    let mut outcomes = Vec::new();
    let mut targets: Vec<PathBuf> = Vec::new();
    for (path, reading) in &readings {
        let target = target_of(path, &args.out, &targets);
        targets.push(target.clone());
        let drafts = target.display().to_string();
        let about = about(args, path, reading);
        let text = old.iter().find(|(known, _)| *known == drafts).map(|(_, text)| text.as_str());
        let plan = match desk.merge(reading, &about, &drafts, text) {
            Ok(plan) => plan,
            Err(trouble) => {
                failed += 1;
                eprintln!("{drafts}:{trouble}");
                continue;
            }
        };
        if let Some(text) = &plan.text {
            if !args.dry_run {
                write_whole(&target, text)?;
            }
            old.retain(|(known, _)| *known != drafts);
            old.push((drafts.clone(), text.clone()));
        }
        let outcome = Outcome {
            file: path.display().to_string(),
            drafts,
            format: reading.format,
            questions: reading.questions.len(),
            empty_answers: reading.questions.iter().filter(|draft| draft.answer.trim().is_empty()).count(),
            skipped: reading.skipped.len(),
            plan,
        };
        if !args.json {
            tell(&outcome, reading, args.dry_run);
        }
        outcomes.push(outcome);
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&outcomes)?);
    } else if outcomes.len() + failed > 1 {
        let sum = |of: fn(&Outcome) -> usize| outcomes.iter().map(of).sum::<usize>();
        println!(
            "\n{}: {}, {} new, {}, {}; {} could not be read",
            counted(args.files.len(), "file"),
            counted(sum(|outcome| outcome.questions), "question"),
            sum(|outcome| outcome.plan.added.len()),
            counted(sum(|outcome| outcome.plan.duplicates.len()), "duplicate"),
            counted(sum(|outcome| outcome.skipped), "skipped line"),
            failed,
        );
    }
    Ok(failed)
}

fn about(args: &ImportArgs, path: &Path, reading: &Reading) -> About {
    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    About {
        source: args.source.clone().unwrap_or(name),
        unit: if reading.format == Format::AnkiPackage { "note" } else { "line" },
        licence: args.licence.clone(),
        topic: args.topic.clone(),
        today: jiff::Timestamp::from_millisecond(real_ms()).unwrap_or_default().to_zoned(TimeZone::system()).date(),
    }
}

fn read_file(path: &Path, format: FormatArg) -> Result<Reading, Trouble> {
    let cannot = |error: std::io::Error| Trouble { line: 1, message: format!("this file cannot be read: {error}") };
    let file = File::open(path).map_err(cannot)?;
    let size = file.metadata().map_err(cannot)?.len();
    let mut head = [0; 4];
    let mut reader = &file;
    let read = reader.read(&mut head).map_err(cannot)?;
    let named = match format {
        FormatArg::Auto => None,
        FormatArg::Named(format) => Some(format),
    };
    let packed = named == Some(Format::AnkiPackage) || named.is_none() && apkg::is_zip(&head[..read]);
    if packed {
        // Pictures may make a package large; of it only the database is unpacked.
        return read_package(&apkg::unpack(&file)?);
    }
    if size > decode::MAX_BYTES as u64 {
        return Err(decode::too_large());
    }
    let mut bytes = head[..read].to_vec();
    // A pipe has no size that one could ask for before.
    reader.take(decode::MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    import::read(&name, &bytes, named)
}

fn read_package(database: &[u8]) -> Result<Reading, Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let notes = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(store::anki::notes(database)));
    let notes = notes.map_err(|error| Trouble { line: 1, message: format!("{error:#}") })?;
    let note = |note: store::anki::Note| apkg::Note { fields: note.fields, tags: note.tags, deck: note.deck };
    Ok(apkg::read_notes(&notes.into_iter().map(note).collect::<Vec<_>>()))
}

/// The banks of the folder that the drafts go into.
fn drafts_in(folder: &Path) -> Result<Vec<(String, String)>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok((path.display().to_string(), text))
    };
    paths.into_iter().map(read).collect()
}

/// `DIR/name.toml`; where two files have one name, the later one keeps its ending in it.
fn target_of(path: &Path, folder: &Path, taken: &[PathBuf]) -> PathBuf {
    let stem = path.file_stem().map_or_else(|| "import".to_owned(), |stem| stem.to_string_lossy().into_owned());
    let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default();
    let names = [stem.clone(), format!("{stem}-{extension}")];
    let more = (2..).map(|n| format!("{stem}-{n}"));
    let free = |name: &String| !taken.contains(&folder.join(format!("{name}.toml")));
    let name = names.into_iter().chain(more).find(free).unwrap_or(stem);
    folder.join(format!("{name}.toml"))
}

/// Writes a file so that it is there whole or not at all.
fn write_whole(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = folder.join(format!(".{name}.{}.new", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    let written = write();
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// The report of one file.
fn tell(outcome: &Outcome, reading: &Reading, dry_run: bool) {
    let Outcome { file, drafts, plan, .. } = outcome;
    println!("{file}: {}, {}", reading.format.as_str(), counted(outcome.questions, "question"));
    let counted = reading.counted;
    let parts = [
        (plan.added.len(), "new"),
        (plan.updated.len(), "updated"),
        (plan.unchanged.len(), "unchanged"),
        (plan.left_alone.len(), "left alone"),
        (plan.duplicates.len(), "duplicates"),
        (outcome.empty_answers, "empty answers"),
        (outcome.skipped, "skipped lines"),
        (counted.front_matter, "lines of front matter"),
        (counted.comments, "lines of comments"),
        (counted.structure, "lines of headings and structure"),
        (counted.guide, "lines of guides without questions"),
    ];
    let said: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if !said.is_empty() {
        println!("  {}", said.join(", "));
    }
    for duplicate in &plan.duplicates {
        println!("  {file}:{}: duplicate of {}: {}", duplicate.line, duplicate.of, duplicate.prompt);
    }
    for left in &plan.left_alone {
        println!("  {}: left alone, because {}", left.id, left.why);
    }
    for id in &plan.gone {
        println!("  {id}: is in {drafts} and no longer in the source; it stays until you delete it");
    }
    for section in &reading.guide_sections {
        println!("  {file}:{}: guide without questions: {}", section.line, section.heading);
    }
    for skipped in &reading.skipped {
        println!("  {file}:{}: skipped ({}): {}", skipped.line, skipped.reason, skipped.text);
    }
    for warning in &reading.warnings {
        let place = warning.line.map_or_else(|| file.clone(), |line| format!("{file}:{line}"));
        println!(
            "  {place}: warning: {}{}",
            warning.code,
            if warning.detail.is_empty() { String::new() } else { format!(": {}", warning.detail) }
        );
    }
    match (&plan.text, dry_run) {
        (Some(_), false) => println!("  written to {drafts}"),
        (Some(_), true) => println!("  would be written to {drafts}"),
        (None, _) => println!("  nothing to write"),
    }
}

pub fn bank_export(args: ExportArgs, bank: BankArgs) -> ExitCode {
    let (bank, _) = match read(bank) {
        Ok(bank) => bank,
        Err(code) => return code,
    };
    let filter = args.only.filter();
    if let Err(why) = bank.check_filter(&filter) {
        eprintln!("{why}");
        return ExitCode::FAILURE;
    }
    let questions = bank.select(&filter);
    let text = export::export(args.format, &bank, &questions);
    let Some(path) = args.out else {
        print!("{text}");
        return ExitCode::SUCCESS;
    };
    match write_whole(&path, &text) {
        Ok(()) => {
            println!("{} written to {}", counted(questions.len(), "question"), path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("drillbot: {error:#}");
            ExitCode::FAILURE
        }
    }
}
