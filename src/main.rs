//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use drillbot::cli;

/// A daily interview question for your channel: answers, model answer, key points, scores and a leaderboard.
///
/// Without a command it runs the bot: `drillbot` alone shows the whole product on http://127.0.0.1:8080.
#[derive(Parser)]
#[command(name = "drillbot", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Args, Default)]
struct RunArgs {
    /// The settings; `drillbot config example` prints one. Without it: drillbot.toml if there is one, else the defaults
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A short day: a question at once, its reveal two minutes later
    #[arg(long)]
    demo: bool,
    /// With --demo: when the reveal comes, for example 30s
    #[arg(long, value_name = "DELAY", requires = "demo", default_value = "2m")]
    reveal: String,
    /// A rehearsal: time runs N times faster, in a database of its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(2..=100_000))]
    speed: Option<i64>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the bot (the same as no command)
    Run(RunArgs),
    /// Print settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Check settings, question banks and database; every problem at once, with its place and what to do
    Check(ConfigArgs),
    /// Look at question banks
    #[command(subcommand)]
    Bank(BankCommand),
    /// Grade answers: one prediction a line, as JSON, for each answer of a file
    Grade {
        /// Questions with their key points, one JSON object a line: id, question, key_points with text and groups
        #[arg(long, value_name = "FILE")]
        rubric: PathBuf,
        /// Answers, one JSON object a line: id of the question, answers with text
        #[arg(long, value_name = "FILE")]
        answers: PathBuf,
    },
    /// Look after the database
    #[command(subcommand)]
    Db(DbCommand),
    /// Bring the bot to a Discord server
    #[command(subcommand)]
    Discord(DiscordCommand),
    /// Bring the bot to a Slack workspace
    #[command(subcommand)]
    Slack(SlackCommand),
    /// Examine what lies between the bot and a chat service or the judge, and say what to mend
    #[command(subcommand)]
    Doctor(DoctorCommand),
}

#[derive(Args)]
struct ConfigArgs {
    /// The settings
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print a commented file with every setting at its default
    Example,
}

#[derive(Subcommand)]
enum BankCommand {
    /// Check banks: every problem at once, as file:line
    Lint(BankArgs),
    /// List questions
    List {
        /// Only this topic
        #[arg(long)]
        topic: Option<String>,
        /// Only this level
        #[arg(long)]
        level: Option<String>,
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
    /// Print the questions that members suggested and organisers approved, as TOML to work over into a file
    Suggested(ConfigArgs),
}

#[derive(Args)]
struct BankArgs {
    /// Files or folders to read instead of the banks that the settings name
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The settings
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum DiscordCommand {
    /// Print the link that invites the bot with the least permissions; the token comes from DRILLBOT_DISCORD_TOKEN
    Invite(ConfigArgs),
}

#[derive(Subcommand)]
enum SlackCommand {
    /// Print the app's manifest, to paste at https://api.slack.com/apps (Create New App, From a manifest)
    Manifest {
        /// Where Slack reaches the bot, for HTTP; without it for Socket Mode, which needs no public address
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Print a new key for slack.token_key, which encrypts the tokens of workspaces that install the app
    Key,
}

#[derive(Subcommand)]
enum DoctorCommand {
    /// Token, application, intents, commands, clock, and the permissions in every channel with a schedule
    Discord(ConfigArgs),
    /// Tokens, scopes, Socket Mode, signing secret, clock, and whether the bot is in every channel with a schedule
    Slack(ConfigArgs),
    /// Whether the judge of [grading.llm] answers, how fast, and with what it was asked for
    Judge(ConfigArgs),
}

#[derive(Subcommand)]
enum DbCommand {
    /// Bring the database to the newest schema
    Migrate(ConfigArgs),
    /// Copy a SQLite database to a new file, also while the bot is running
    Backup {
        /// The new file
        file: PathBuf,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command.unwrap_or(Command::Run(cli.run)) {
        Command::Run(args) => {
            let demo = args.demo.then_some(args.reveal);
            cli::run(args.config, drillbot::run::Options { demo, speed: args.speed })
        }
        Command::Config(ConfigCommand::Example) => cli::config_example(),
        Command::Check(args) => cli::check(args.config),
        Command::Bank(BankCommand::Lint(bank)) => cli::bank_lint(bank.paths, bank.config),
        Command::Bank(BankCommand::List { topic, level, bank }) => {
            cli::bank_list(topic, level, bank.paths, bank.config)
        }
        Command::Bank(BankCommand::Show { id, bank }) => cli::bank_show(&id, bank.paths, bank.config),
        Command::Bank(BankCommand::Suggested(args)) => cli::bank_suggested(args.config),
        Command::Grade { rubric, answers } => cli::grade(&rubric, &answers),
        Command::Discord(DiscordCommand::Invite(args)) => cli::discord_invite(args.config),
        Command::Slack(SlackCommand::Manifest { url, config }) => cli::slack_manifest(url.as_deref(), config.config),
        Command::Slack(SlackCommand::Key) => cli::slack_key(),
        Command::Doctor(DoctorCommand::Discord(args)) => cli::doctor_discord(args.config),
        Command::Doctor(DoctorCommand::Slack(args)) => cli::doctor_slack(args.config),
        Command::Doctor(DoctorCommand::Judge(args)) => cli::doctor_judge(args.config),
        Command::Db(DbCommand::Migrate(args)) => cli::db_migrate(args.config),
        Command::Db(DbCommand::Backup { file, config }) => cli::db_backup(&file, config.config),
    }
}
