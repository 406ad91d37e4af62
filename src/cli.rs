//! What the commands of the command line do. Results go to standard output, problems to standard error.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the command line")]

pub mod bank;
pub mod bank_import;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use tracing_subscriber::EnvFilter;

use crate::adapters::address::is_safe;
use crate::adapters::doctor::{Finding, Scheduled};
use crate::adapters::slack::vault::new_key;
use crate::adapters::{discord, judge, slack};
use crate::config::{self, Config, Log};
use crate::content;
use crate::domain::bank::{Filter, as_toml};
use crate::domain::ids::platform_of;
use crate::domain::text::counted;
use crate::gold;
use crate::run::{self, Options};
use crate::store;

/// `EX_CONFIG` of sysexits(3): a chat service refuses us for good.
const REFUSED: u8 = 78;

/// The settings file that is read without being named.
const DEFAULT_FILE: &str = "drillbot.toml";

fn settings_file(file: Option<PathBuf>) -> Option<PathBuf> {
    file.or_else(|| Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.exists()))
}

fn load(file: Option<PathBuf>) -> Result<Config, ExitCode> {
    config::load(settings_file(file).as_deref(), &config::environment()).map_err(|problems| {
        for problem in &problems {
            eprintln!("{problem}");
        }
        eprintln!("The settings have {}; nothing was started.", counted(problems.len(), "problem"));
        ExitCode::from(2)
    })
}

fn log(settings: &Log) {
    let libraries = format!("{},{}", discord::LIBRARIES, slack::LIBRARIES);
    let filter = EnvFilter::try_new(format!("{libraries},{}", settings.level));
    let filter = filter.unwrap_or_else(|_| EnvFilter::new(format!("{libraries},info")));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Setting it twice would be a bug of ours that costs only log lines.
    let _ = if settings.json {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.with_ansi(std::io::stderr().is_terminal()).with_target(false).compact().try_init()
    };
}

/// Runs a command's future to its end and says what went wrong.
fn block_on(work: impl Future<Output = Result<()>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = runtime.map_err(anyhow::Error::from).and_then(|runtime| {
        let outcome = runtime.block_on(work);
        runtime.shutdown_timeout(std::time::Duration::from_millis(300));
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("drillbot: {error:#}");
            // Starting again would not help: a service manager can be told so by this code.
            let refused =
                error.downcast_ref::<discord::Ended>().is_some() || error.downcast_ref::<slack::Ended>().is_some();
            if refused { ExitCode::from(REFUSED) } else { ExitCode::FAILURE }
        }
    }
}

/// The settings for Discord, or what to do to have some.
fn discord_settings(file: Option<PathBuf>) -> Result<(Config, discord::Settings), ExitCode> {
    let config = load(file)?;
    match config.discord.as_ref().map(run::discord_settings) {
        Some(settings) => Ok((config, settings)),
        None => {
            eprintln!(
                "There is no token for Discord. In its developer portal (https://discord.com/developers/applications) make an \
                 application, press Reset Token under Bot, and put the token into DRILLBOT_DISCORD_TOKEN, or into a file that \
                 discord.token_file names."
            );
            Err(ExitCode::from(2))
        }
    }
}

pub fn discord_invite(file: Option<PathBuf>) -> ExitCode {
    match discord_settings(file) {
        Ok((config, settings)) => block_on(async move {
            println!("{}", discord::invite(&settings).await?);
            // What goes on is for people, not for who reads the link from a pipe.
            eprintln!("Open the link and choose your server. It asks for the least that the daily question needs.");
            if config.discord.is_some_and(|discord| discord.read_threads) {
                eprintln!(
                    "Answers in threads need the Message Content Intent: switch it on in the developer portal, under Bot, \
                     Privileged Gateway Intents. Without it people answer with the button (discord.read_threads = false)."
                );
            }
            Ok(())
        }),
        Err(code) => code,
    }
}

/// The settings for Slack, or what to do to have some.
fn slack_settings(file: Option<PathBuf>) -> Result<(Config, slack::Settings), ExitCode> {
    let config = load(file)?;
    match config.slack.as_ref().map(run::slack_settings) {
        Some(Ok(settings)) => Ok((config, settings)),
        Some(Err(error)) => {
            eprintln!("{error:#}");
            Err(ExitCode::from(2))
        }
        None => {
            eprintln!(
                "There is no token for Slack. At https://api.slack.com/apps make an app from what \"drillbot slack manifest\" prints, install \
                 it, and put the Bot User OAuth Token (OAuth & Permissions) into DRILLBOT_SLACK_BOT_TOKEN, or into a file that \
                 slack.bot_token_file names."
            );
            Err(ExitCode::from(2))
        }
    }
}

/// Prints a new key for the tokens of workspaces.
pub fn slack_key() -> ExitCode {
    match new_key() {
        Ok(key) => {
            println!("{key}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the app's manifest: for Socket Mode, or for HTTP when Slack reaches the bot at `url`.
pub fn slack_manifest(url: Option<&str>, file: Option<PathBuf>) -> ExitCode {
    // It is the first step of all, so what else is missing in the settings is no reason to refuse.
    let (config, problems) = config::read(settings_file(file).as_deref(), &config::environment());
    for problem in &problems {
        eprintln!("{problem}");
    }
    if !slack::is_prefix(&config.slack_prefix) {
        return ExitCode::from(2);
    }
    let url = url.map(|url| url.trim_end_matches('/'));
    if let Some(url) = url.filter(|url| !is_address(url)) {
        eprintln!("--url is \"{url}\"; it takes the address at which Slack reaches the bot: https://drill.example.org");
        return ExitCode::from(2);
    }
    print!("{}", slack::manifest::yaml(&slack::manifest::manifest(&config.slack_prefix, url)));
    ExitCode::SUCCESS
}

/// A place on the web to which a path can be appended; without TLS only on this machine.
fn is_address(url: &str) -> bool {
    url.starts_with("http") && is_safe(url) && !url.contains(['?', '#']) && !url.contains(char::is_whitespace)
}

pub fn doctor_discord(file: Option<PathBuf>) -> ExitCode {
    match discord_settings(file) {
        Ok((config, settings)) => {
            examine(&config, discord::PLATFORM, async |channels| discord::doctor(&settings, &channels).await)
        }
        Err(code) => code,
    }
}

pub fn doctor_slack(file: Option<PathBuf>) -> ExitCode {
    match slack_settings(file) {
        Ok((config, settings)) => {
            examine(&config, slack::PLATFORM, async |channels| {
                // When the database cannot be read, that has been said.
                let installed = store::installed(config.database_url.expose()).await.unwrap_or_default();
                slack::doctor(&settings, &installed, &channels).await
            })
        }
        Err(code) => code,
    }
}

pub fn doctor_judge(file: Option<PathBuf>) -> ExitCode {
    let config = match load(file) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let Some(llm) = &config.llm else {
        eprintln!(
            "There is no judge, and none is needed: the grader works without. To ask a language model too, set url and model in \
             [grading.llm]: any OpenAI-compatible endpoint, for example http://127.0.0.1:11434/v1."
        );
        return ExitCode::from(2);
    };
    let mut problems = 0;
    let outcome = block_on(async {
        problems = tell(judge::doctor(&run::judge_settings(llm)).await);
        Ok(())
    });
    verdict(outcome, problems)
}

/// Prints what `doctor` finds, with the scheduled channels of a chat service before it.
fn examine(config: &Config, platform: &str, doctor: impl AsyncFnOnce(Vec<Scheduled>) -> Vec<Finding>) -> ExitCode {
    let mut problems = 0;
    let outcome = block_on(async {
        let mut channels = match store::scheduled(config.database_url.expose(), platform).await {
            Ok(channels) => channels,
            Err(error) => {
                println!("!  the database cannot be read ({error:#})\n   Run: drillbot check");
                problems += 1;
                Vec::new()
            }
        };
        for channel in config.channels.iter().filter(|channel| platform_of(channel.id.as_str()) == platform) {
            if !channels.iter().any(|(id, _)| *id == channel.id) {
                channels.push((channel.id.clone(), channel.name.clone()));
            }
        }
        let channels = channels.into_iter().map(|(channel, name)| Scheduled { channel, name }).collect();
        problems += tell(doctor(channels).await);
        Ok(())
    });
    verdict(outcome, problems)
}

/// Prints findings; how many of them are problems.
fn tell(findings: Vec<Finding>) -> usize {
    let mut problems = 0;
    for finding in findings {
        match finding {
            Finding::Fine(what) => println!("ok {what}"),
            Finding::Worth { what, to_do } => println!("-  {what}\n   {to_do}."),
            Finding::Wrong { what, to_do } => {
                problems += 1;
                println!("!  {what}\n   {to_do}.");
            }
        }
    }
    problems
}

/// How an examination ends.
fn verdict(outcome: ExitCode, problems: usize) -> ExitCode {
    if outcome != ExitCode::SUCCESS || problems == 0 {
        return outcome;
    }
    println!("{} found.", counted(problems, "problem"));
    ExitCode::FAILURE
}

pub fn run(file: Option<PathBuf>, options: Options) -> ExitCode {
    match load(file) {
        Ok(config) => {
            log(&config.log);
            block_on(run::run(config, options))
        }
        Err(code) => code,
    }
}

pub fn config_example() -> ExitCode {
    print!("{}", config::example());
    ExitCode::SUCCESS
}

/// Settings, banks and database.
pub fn check(file: Option<PathBuf>) -> ExitCode {
    let (config, problems) = config::read(settings_file(file).as_deref(), &config::environment());
    let mut wrong = 0;
    let mut say = |problem: &dyn std::fmt::Display| {
        eprintln!("{problem}");
        wrong += 1;
    };
    problems.iter().for_each(|problem| say(problem));
    // The same code as a start with these settings would end with.
    let failed = if problems.is_empty() { ExitCode::FAILURE } else { ExitCode::from(2) };
    match content::load(&config.content) {
        Ok((bank, warnings)) => {
            for warning in warnings {
                eprintln!("{warning}");
            }
            for channel in &config.channels {
                for (name, spec) in &channel.schedules {
                    let filter = Filter {
                        topics: spec.topics.clone(),
                        levels: spec.levels.clone(),
                        tracks: spec.tracks.clone(),
                    };
                    if let Err(why) = bank.check_filter(&filter) {
                        say(&format!("{}: schedule {name} of {}: {why}", channel.place, channel.label()));
                    }
                }
            }
            println!("Questions: {} in {} topics", bank.questions().len(), bank.topics().len());
        }
        Err(problems) => problems.iter().for_each(|problem| say(problem)),
    }
    for channel in &config.channels {
        for (name, spec) in &channel.schedules {
            if let Ok(plan) = spec.compile() {
                println!("{} {name}: {}; reveal {}", channel.label(), plan.in_words(), plan.reveal_in_words());
            }
        }
    }
    let mut database = None;
    block_on(async {
        database = Some(store::look(config.database_url.expose()).await);
        Ok(())
    });
    match database {
        Some(Ok(words)) => println!("Database: {words}"),
        Some(Err(error)) => say(&format!("database: {error:#}")),
        None => say(&"database: it could not be looked at"),
    }
    if wrong == 0 {
        println!("All is well.");
        ExitCode::SUCCESS
    } else {
        eprintln!("{} found.", counted(wrong, "problem"));
        failed
    }
}

/// Grades the answers of a file against the rubrics of another.
pub fn grade(rubric: &Path, answers: &Path) -> ExitCode {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match gold::predict(rubric, answers, &mut out).and_then(|()| Ok(std::io::Write::flush(&mut out)?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("drillbot: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what members suggested and organisers approved, as files of a bank have it.
pub fn bank_suggested(file: Option<PathBuf>) -> ExitCode {
    let config = match load(file) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let (bank, _) = match content::load(&config.content) {
        Ok(bank) => bank,
        Err(problems) => {
            problems.iter().for_each(|problem| eprintln!("{problem}"));
            return ExitCode::FAILURE;
        }
    };
    block_on(async move {
        let approved = store::suggested(config.database_url.expose()).await?;
        if approved.is_empty() {
            eprintln!("No suggested question has been approved yet.");
        }
        for of_group in approved.chunk_by(|a, b| a.realm == b.realm) {
            let questions: Vec<_> = of_group.iter().map(|one| one.question(&bank)).collect();
            println!("# Approved in {}", of_group[0].realm);
            println!("{}", as_toml(&questions)?);
        }
        Ok(())
    })
}

pub fn db_migrate(file: Option<PathBuf>) -> ExitCode {
    match load(file) {
        Ok(config) => block_on(async move {
            store::migrate(config.database_url.expose()).await?;
            println!("The database has the newest schema.");
            Ok(())
        }),
        Err(code) => code,
    }
}

pub fn db_backup(target: &Path, file: Option<PathBuf>) -> ExitCode {
    match load(file) {
        Ok(config) => block_on(async move {
            store::backup(config.database_url.expose(), target).await?;
            println!("Copied to {}.", target.display());
            Ok(())
        }),
        Err(code) => code,
    }
}
