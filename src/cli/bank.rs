//! `drillbot bank ..`: what authors do with question banks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::bank_import::{ExportArgs, ImportArgs, bank_export, bank_import};
use super::{bank_suggested, load};
use crate::adapters::{discord, slack, web};
use crate::app::clock::real_ms;
use crate::config::Content;
use crate::content;
use crate::domain::bank::{Bank, Filter, Problem, Severity, schema};
use crate::domain::lint::{due, lint};
use crate::domain::message::{Form, Message};
use crate::domain::preview::preview;
use crate::domain::question::{Kind, Level, Question, Status};
use crate::domain::text::counted;

/// A line on standard output. When nobody reads any more (`| head`), there is nothing left to do.
macro_rules! say {
    ($($words:tt)*) => {
        if writeln!(std::io::stdout(), $($words)*).is_err() {
            std::process::exit(0);
        }
    };
}

#[derive(Subcommand)]
pub enum BankCommand {
    /// Check banks: every problem at once, as file:line
    Lint {
        /// One JSON object with all problems instead of lines
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        bank: BankArgs,
    },
    /// List questions
    List {
        #[command(flatten)]
        only: Only,
        /// Only what is to be reviewed by now
        #[arg(long)]
        due: bool,
        #[command(flatten)]
        bank: BankArgs,
    },
    /// Show one question, whole
    Show {
        /// The id of the question
        id: String,
        #[command(flatten)]
        bank: BankArgs,
    },
    /// Show a question as people will meet it: card, form, hints, result, reveal
    Preview {
        /// The id of the question
        id: String,
        /// Laid out by which chat
        #[arg(long = "as", value_enum, default_value_t = Layout::Web)]
        layout: Layout,
        /// Write a page with all three layouts side by side instead
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        #[command(flatten)]
        bank: BankArgs,
    },
    /// Count questions by topic, level, kind and track
    Stats {
        /// Write the table of topics and levels as a picture, too
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
        #[command(flatten)]
        bank: BankArgs,
    },
    /// Print a new question to fill in
    New {
        /// Its id, as in iam-passrole
        id: String,
        #[arg(long, default_value = "iam")]
        topic: String,
        /// beginner, intermediate or advanced
        #[arg(long, default_value = "intermediate", value_parser = level)]
        level: Level,
        /// concept, compare, design, scenario or behavioural
        #[arg(long, default_value = "concept", value_parser = kind)]
        kind: Kind,
    },
    /// Say which questions of a plan are missing
    Coverage {
        /// A table with tab-separated columns and a head: id, and if you like topic and level
        #[arg(value_name = "FILE.tsv")]
        plan: PathBuf,
        #[command(flatten)]
        bank: BankArgs,
    },
    /// Turn files of questions in other formats into drafts; nothing in them is dropped without a word
    Import(ImportArgs),
    /// Write questions as cards for Anki, CSV, JSON or Markdown
    Export {
        #[command(flatten)]
        export: ExportArgs,
        #[command(flatten)]
        bank: BankArgs,
    },
    /// Print the questions that members suggested and organisers approved, as TOML to work over into a file
    Suggested {
        /// The settings
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print the JSON Schema of a bank's file, for editors
    Schema,
}

#[derive(Args)]
pub struct BankArgs {
    /// Files or folders to read instead of the banks that the settings name
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The settings
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[derive(Args)]
pub struct Only {
    /// Only this topic
    #[arg(long)]
    pub topic: Option<String>,
    /// Only this level
    #[arg(long)]
    pub level: Option<String>,
    /// Only this track
    #[arg(long)]
    pub track: Option<String>,
}

impl Only {
    pub fn filter(self) -> Filter {
        let list = |one: Option<String>| one.into_iter().collect();
        Filter { topics: list(self.topic), levels: list(self.level), tracks: list(self.track) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    Web,
    Discord,
    Slack,
}

fn level(text: &str) -> Result<Level, String> {
    Level::parse(text).ok_or_else(|| "a level is beginner, intermediate or advanced".to_owned())
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| "a kind is concept, compare, design, scenario or behavioural".to_owned())
}

pub fn run(command: BankCommand) -> ExitCode {
    let done = match command {
        BankCommand::Lint { json, bank } => check(bank, json),
        BankCommand::List { only, due, bank } => list(only, due, bank),
        BankCommand::Show { id, bank } => show(&id, bank),
        BankCommand::Preview { id, layout, html, bank } => show_preview(&id, layout, html.as_deref(), bank),
        BankCommand::Stats { svg, bank } => stats(svg.as_deref(), bank),
        BankCommand::New { id, topic, level, kind } => new(&id, &topic, level, kind),
        BankCommand::Coverage { plan, bank } => coverage(&plan, bank),
        BankCommand::Import(args) => return bank_import(&args),
        BankCommand::Export { export, bank } => return bank_export(export, bank),
        BankCommand::Suggested { config } => return bank_suggested(config),
        BankCommand::Schema => {
            say!("{:#}", schema());
            Ok(())
        }
    };
    done.map_or_else(|code| code, |()| ExitCode::SUCCESS)
}

/// The banks that the settings name, or those at `paths` alone.
pub fn read(args: BankArgs) -> Result<(Bank, Vec<Problem>), ExitCode> {
    let BankArgs { paths, config } = args;
    let settings = if paths.is_empty() { load(config)?.content } else { Content { embedded: false, paths } };
    content::load(&settings).map_err(|problems| {
        for problem in &problems {
            eprintln!("{problem}");
        }
        eprintln!("{} found.", counted(problems.len(), "problem"));
        ExitCode::FAILURE
    })
}

fn refuse(words: impl std::fmt::Display) -> ExitCode {
    eprintln!("{words}");
    ExitCode::FAILURE
}

fn today() -> Date {
    jiff::Timestamp::from_millisecond(real_ms()).unwrap_or_default().to_zoned(TimeZone::system()).date()
}

fn write(file: &Path, text: &str) -> Result<(), ExitCode> {
    std::fs::write(file, text).map_err(|error| refuse(format!("{} cannot be written: {error}", file.display())))?;
    say!("Written to {}.", file.display());
    Ok(())
}

fn check(args: BankArgs, json: bool) -> Result<(), ExitCode> {
    let settings = match &args {
        BankArgs { paths, .. } if !paths.is_empty() => Content { embedded: false, paths: paths.clone() },
        BankArgs { config, .. } => load(config.clone())?.content,
    };
    // What cannot be read is a finding like any other.
    let (questions, cards, problems) = match content::load(&settings) {
        Ok((bank, mut problems)) => {
            problems.extend(lint(&bank, today()));
            (bank.questions().len(), bank.cards().len(), problems)
        }
        Err(problems) => (0, 0, problems),
    };
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let warnings = problems.len() - errors;
    if json {
        let report = serde_json::json!({
            "questions": questions, "cards": cards, "errors": errors, "warnings": warnings, "problems": problems,
        });
        say!("{report:#}");
    } else {
        for Problem { path, line, message, severity } in &problems {
            let kind = if *severity == Severity::Error { "error" } else { "warning" };
            say!("{path}:{line}: {kind}: {message}");
        }
        let all = [(questions, "question"), (cards, "card"), (errors, "error"), (warnings, "warning")];
        say!("{}", all.map(|(n, what)| counted(n, what)).join(", "));
    }
    if errors == 0 { Ok(()) } else { Err(ExitCode::FAILURE) }
}

fn list(only: Only, due_only: bool, args: BankArgs) -> Result<(), ExitCode> {
    let (bank, _) = read(args)?;
    let filter = only.filter();
    bank.check_filter(&filter).map_err(refuse)?;
    let today = today();
    for question in bank.select(&filter) {
        if due_only && !is_due(&question, today) {
            continue;
        }
        let status = match question.status {
            Status::Current => "",
            other => other.as_str(),
        };
        say!(
            "{:<32} {:<16} {:<13} {:<7} {}",
            question.id,
            question.topic,
            question.level.as_str(),
            status,
            question.prompt
        );
    }
    Ok(())
}

fn is_due(question: &Question, today: Date) -> bool {
    due(question.last_reviewed, question.review_after_days).is_none_or(|due| due < today)
}

fn find<'a>(bank: &'a Bank, id: &str) -> Result<&'a Question, ExitCode> {
    bank.get(id).map(AsRef::as_ref).ok_or_else(|| {
        let near = bank.nearest_question(id).map_or_else(String::new, |near| format!(" Did you mean {near}?"));
        refuse(format!("There is no question {id:?}.{near} \"drillbot bank list\" shows them all."))
    })
}

fn show(id: &str, args: BankArgs) -> Result<(), ExitCode> {
    let (bank, _) = read(args)?;
    let question = find(&bank, id)?;
    if let Some((path, line)) = bank.line_of(id) {
        say!("{path}:{line}");
    }
    say!("{} · {} · {}\n\n{}\n", question.id, question.topic, question.level.as_str(), question.prompt);
    if let Some(exhibit) = &question.exhibit {
        say!("{}\n{}\n", exhibit.name, exhibit.text.trim_end());
    }
    say!("{}\n\nKey points", question.model_answer.trim());
    for point in &question.key_points {
        say!("  {} {}", "*".repeat(usize::from(point.weight)), point.text);
    }
    section("Mistakes", question.mistakes.iter().map(|mistake| format!("✗ {} → {}", mistake.wrong, mistake.right)));
    section("Hints", question.hints.iter().cloned());
    if let Some(choice) = &question.choice {
        let option = |right: bool| if right { "✓" } else { "–" };
        let options =
            choice.options.iter().map(|one| format!("{} {} ({})", option(one.correct), one.text, one.because));
        section(&choice.stem, options);
    }
    section("References", question.references.iter().cloned());
    say!("\nReviewed {}, again after {} days", question.last_reviewed, question.review_after_days);
    Ok(())
}

fn section(title: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        say!("\n{title}");
        lines.for_each(|line| say!("  {line}"));
    }
}

fn show_preview(id: &str, layout: Layout, html: Option<&Path>, args: BankArgs) -> Result<(), ExitCode> {
    let (bank, _) = read(args)?;
    let question = find(&bank, id)?;
    let preview = preview(question, &bank.topic_title(&question.topic), bank.lexicon(), real_ms());
    if let Some(file) = html {
        let page = web::preview_page(question, &preview).map_err(|error| refuse(format!("{error:#}")))?;
        return write(file, &page);
    }
    let message = |message: &Message| match layout {
        Layout::Web => message.as_text(),
        Layout::Discord => discord::render::as_text(message),
        Layout::Slack => slack::render::as_text(message),
    };
    for (at, part) in preview.parts.iter().enumerate() {
        say!("{}{}", if at == 0 { "" } else { "\n" }, rule(part.title));
        for shown in &part.messages {
            say!("{}\n", message(shown).trim_end());
        }
        if at == 0 {
            say!("{}\n{}", rule("The form"), form(&preview.form));
        }
    }
    Ok(())
}

fn rule(title: &str) -> String {
    format!("── {title} {}", "─".repeat(76_usize.saturating_sub(title.chars().count())))
}

fn form(form: &Form) -> String {
    let above = Message { blocks: form.blocks.clone(), ..Message::default() }.as_text();
    let inputs = form.inputs.iter().map(|input| format!("{}: ______", input.label)).collect::<Vec<_>>();
    format!("{}\n{above}\n{}\n[{}]", form.title, inputs.join("\n"), form.submit)
}

fn stats(svg: Option<&Path>, args: BankArgs) -> Result<(), ExitCode> {
    let (bank, _) = read(args)?;
    let topics = bank.topics();
    let widest = topics.iter().map(|topic| topic.name.len()).max().unwrap_or(0).max("topic".len());
    let levels = Level::ALL.map(Level::as_str);
    say!("{:<widest$}  {:>8}  {:>12}  {:>8}  {:>5}", "topic", levels[0], levels[1], levels[2], "all");
    let mut sums = [0; 4];
    for topic in &topics {
        let [beginner, intermediate, advanced] = topic.levels;
        let total = topic.total();
        for (sum, more) in sums.iter_mut().zip([beginner, intermediate, advanced, total]) {
            *sum += more;
        }
        let bar = "░".repeat(beginner) + &"▒".repeat(intermediate) + &"█".repeat(advanced);
        say!("{:<widest$}  {beginner:>8}  {intermediate:>12}  {advanced:>8}  {total:>5}  {bar}", topic.name);
    }
    say!("{:<widest$}  {:>8}  {:>12}  {:>8}  {:>5}", "all", sums[0], sums[1], sums[2], sums[3]);
    say!("\n░ beginner  ▒ intermediate  █ advanced");
    let today = today();
    let all = bank.questions();
    let tally = |of: &dyn Fn(&Question) -> Vec<String>| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        all.iter().flat_map(|question| of(question)).for_each(|key| *counts.entry(key).or_default() += 1);
        counts.iter().map(|(key, count)| format!("{key} {count}")).collect::<Vec<_>>().join(", ")
    };
    say!("\nkinds: {}", tally(&|question| vec![question.kind.as_str().to_owned()]));
    say!("tracks: {}", tally(&|question| question.tracks.clone()));
    say!("status: {}", tally(&|question| vec![question.status.as_str().to_owned()]));
    let having = |has: &dyn Fn(&Question) -> bool| all.iter().filter(|question| has(question)).count();
    say!(
        "with options: {}, with an exhibit: {}, scenarios: {}, cards: {}, review due: {}",
        having(&|question| question.choice.is_some()),
        having(&|question| question.exhibit.is_some()),
        having(&|question| question.scenario.is_some()),
        bank.cards().len(),
        having(&|question| is_due(question, today)),
    );
    svg.map_or(Ok(()), |file| write(file, &picture(&bank)))
}

/// Topics and levels as a picture: the darker a field, the more questions.
fn picture(bank: &Bank) -> String {
    const ROW: usize = 26;
    const LEFT: usize = 250;
    const CELL: usize = 110;
    let topics = bank.topics();
    let most = topics.iter().flat_map(|topic| topic.levels).max().unwrap_or(0).max(1);
    let (width, height) = (LEFT + CELL * Level::ALL.len() + 70, ROW * (topics.len() + 1) + 20);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"14\" \
         role=\"img\" aria-label=\"Questions by topic and level\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    let mut text = |x: usize, y: usize, anchor: &str, fill: &str, words: &str| {
        let words = words.replace('&', "&amp;").replace('<', "&lt;");
        // Writing to a string cannot fail.
        let _ = writeln!(out, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"{fill}\">{words}</text>");
    };
    let mut fields = String::new();
    for (column, level) in Level::ALL.iter().enumerate() {
        text(LEFT + CELL * column + CELL / 2, ROW, "middle", "#172227", level.as_str());
    }
    for (row, topic) in topics.iter().enumerate() {
        let y = ROW * (row + 2);
        text(LEFT - 12, y, "end", "#172227", &topic.title);
        for (column, count) in topic.levels.iter().enumerate() {
            let x = LEFT + CELL * column;
            // From a light to a dark blue, in hundredths.
            let share = count * 85 / most + if *count > 0 { 15 } else { 0 };
            let _ = writeln!(
                fields,
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"4\" fill=\"#0d6073\" fill-opacity=\"0.{share:02}\"/>",
                x + 3,
                y - 18,
                CELL - 6,
                ROW - 3
            );
            let ink = if share > 50 { "#fff" } else { "#172227" };
            text(x + CELL / 2, y, "middle", ink, &count.to_string());
        }
        text(LEFT + CELL * Level::ALL.len() + 40, y, "end", "#54656b", &topic.total().to_string());
    }
    let ground = out.find("<text").unwrap_or(out.len());
    out.insert_str(ground, &fields);
    out + "</svg>\n"
}

fn new(id: &str, topic: &str, level: Level, kind: Kind) -> Result<(), ExitCode> {
    let id_of = |text: &str| {
        text.split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
    };
    for (what, text) in [("id", id), ("topic", topic)] {
        if !id_of(text) {
            return Err(refuse(format!(
                "{text:?} is no {what}: use lower-case letters, digits and single hyphens, as in iam-passrole"
            )));
        }
    }
    let filled = include_str!("new.toml")
        .replace("{id}", id)
        .replace("{topic}", topic)
        .replace("{level}", level.as_str())
        .replace("{kind}", kind.as_str())
        .replace("{today}", &today().to_string());
    say!("{}", filled.trim_end());
    Ok(())
}

/// A row of a plan.
struct Planned {
    id: String,
    topic: Option<String>,
    level: Option<String>,
}

fn plan(text: &str) -> Result<Vec<Planned>, String> {
    let mut lines = text.trim_start_matches('\u{feff}').lines().map(|line| line.trim_end_matches('\r'));
    let head: Vec<&str> = lines.next().unwrap_or_default().split('\t').map(str::trim).collect();
    let column = |name: &str| head.iter().position(|known| known.eq_ignore_ascii_case(name));
    let Some(id) = column("id") else {
        return Err("has no column \"id\" in its first line; columns are separated by tabs".to_owned());
    };
    let (topic, level) = (column("topic"), column("level"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        let cell = |at: Option<usize>| at.and_then(|at| cells.get(at)).filter(|cell| !cell.is_empty());
        let known = |at| cell(at).map(|cell| (*cell).to_owned());
        Some(Planned { id: known(Some(id))?, topic: known(topic), level: known(level) })
    };
    Ok(lines.filter_map(row).collect())
}

fn coverage(file: &Path, args: BankArgs) -> Result<(), ExitCode> {
    let text = std::fs::read_to_string(file).map_err(|error| refuse(format!("{}: {error}", file.display())))?;
    let rows = plan(&text).map_err(|why| refuse(format!("{}:1: {why}", file.display())))?;
    let (bank, _) = read(args)?;
    let found = |id: &str| match (bank.get(id), bank.cards().find(|card| card.id.as_str() == id)) {
        (Some(question), _) => Some((question.topic.clone(), question.level)),
        (None, Some(card)) => Some((card.topic.clone(), card.level)),
        (None, None) => None,
    };
    let mut missing: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut covered = 0;
    for row in &rows {
        let Some((topic, level)) = found(&row.id) else {
            missing.entry(row.topic.clone().unwrap_or_default()).or_default().push(&row.id);
            continue;
        };
        covered += 1;
        if let Some(planned) = row.topic.as_ref().filter(|planned| **planned != topic) {
            say!("{}: the plan has the topic {planned}, the bank {topic}", row.id);
        }
        if let Some(planned) = row.level.as_ref().filter(|planned| *planned != level.as_str()) {
            say!("{}: the plan has the level {planned}, the bank {}", row.id, level.as_str());
        }
    }
    for (topic, ids) in &missing {
        say!("missing{}{topic}: {}", if topic.is_empty() { "" } else { " in " }, ids.join(", "));
    }
    let planned: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let more = bank.questions().iter().filter(|question| !planned.contains(question.id.as_str())).count();
    say!("{covered} of {} of the plan; {} beside it", rows.len(), counted(more, "question"));
    if missing.is_empty() { Ok(()) } else { Err(ExitCode::FAILURE) }
}
