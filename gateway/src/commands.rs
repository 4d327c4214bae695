//! The subcommands, one file each, and how they end.

mod agent;
mod audit;
mod card;
mod config;
pub mod demo;
mod explain;
mod feed;
mod history;
mod ledger;
mod pki;
mod precheck;
mod remote;
mod serve;
mod store;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use eligibility::day::Timestamp;

use crate::past::PastError;

/// オンライン資格確認 gateway: answers whether, with which insurer and on what terms a person is insured.
#[derive(Parser)]
#[command(name = "shikaku", version, arg_required_else_help = true)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    #[command(subcommand)]
    Config(config::ConfigCommand),
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    #[command(subcommand)]
    Feed(feed::FeedCommand),
    #[command(subcommand)]
    Card(card::CardCommand),
    Agent(Box<agent::Agent>),
    #[command(subcommand)]
    Pki(pki::PkiCommand),
    Precheck(precheck::Precheck),
    #[command(subcommand)]
    History(history::HistoryCommand),
    Explain(explain::Explain),
    #[command(subcommand)]
    Store(store::StoreCommand),
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The answer is no: an invalid feed, a failed check.
    #[error("{0}")]
    No(String),
    /// Wrong usage or configuration.
    #[error("{0}")]
    Usage(String),
    /// The environment does not let us: port taken, disk full.
    #[error("{0}")]
    Environment(String),
}

impl CommandError {
    fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::No(_) => 1,
            Self::Usage(_) => 2,
            Self::Environment(_) => 3,
        })
    }

    fn usage(error: impl std::fmt::Display) -> Self {
        Self::Usage(error.to_string())
    }

    fn environment(error: impl std::fmt::Display) -> Self {
        Self::Environment(error.to_string())
    }
}

impl From<crate::start::StartError> for CommandError {
    fn from(error: crate::start::StartError) -> Self {
        use crate::start::StartError;
        match error {
            StartError::Config(_)
            | StartError::Porch(crate::front::PorchError::Entrance(_))
            | StartError::Entrance(_)
            | StartError::Trust(_)
            | StartError::Audit(crate::audit::AuditError::Key { .. }) => Self::usage(error),
            _ => Self::environment(error),
        }
    }
}

/// An instant as an argument.
fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "must be RFC 3339, such as 2026-07-01T00:00:00+09:00".to_owned())
}

fn not_looked_back(error: PastError) -> CommandError {
    match error {
        PastError::NotKept { .. } => CommandError::No(error.to_string()),
        PastError::Ledger(_) => CommandError::environment(error),
    }
}

/// Runs the program: 0 done, 1 the answer is no, 2 wrong usage or configuration, 3 environment.
#[must_use]
pub fn run() -> ExitCode {
    // Clap itself ends with 2 where the usage is wrong.
    let outcome = match Program::parse().command {
        Command::Demo(demo) => demo.run(),
        Command::Serve(serve) => serve.run(),
        Command::Config(config) => config.run(),
        Command::Audit(audit) => audit.run(),
        Command::Feed(feed) => feed.run(),
        Command::Card(card) => card.run(),
        Command::Agent(agent) => agent.run(),
        Command::Pki(pki) => pki.run(),
        Command::Precheck(precheck) => precheck.run(),
        Command::History(history) => history.run(),
        Command::Explain(explain) => explain.run(),
        Command::Store(store) => store.run(),
        Command::Ledger(ledger) => ledger.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shikaku: {error}");
            error.code()
        }
    }
}
