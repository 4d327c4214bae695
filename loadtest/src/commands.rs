//! The subcommands, one file each, and how they end.

mod capacity;
mod claims;
mod compare;
mod constant;
mod drill;
mod live;
mod population;
mod proxy;
mod run;
mod save;
mod summary;

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Load and capacity of an eligibility gateway: does it hold our Monday morning?
#[derive(Parser)]
#[command(name = "shikaku-load", version, arg_required_else_help = true)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::RunCommand),
    Capacity(Box<capacity::CapacityCommand>),
    Compare(compare::Compare),
    Merge(compare::Merge),
    Proxy(proxy::ProxyCommand),
    Population(population::PopulationCommand),
    Claims(claims::ClaimsCommand),
    Constant(constant::ConstantCommand),
    Drill(drill::DrillCommand),
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The answer is no: an objective missed, a run that does not count.
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

    /// What stands in the way is this file.
    fn file(path: &Path, error: impl Display) -> Self {
        Self::Environment(format!("{}: {error}", path.display()))
    }
}

/// Runs the program: 0 done, 1 the answer is no, 2 wrong usage or configuration, 3 environment.
#[must_use]
pub fn run() -> ExitCode {
    // Clap itself ends with 2 where the usage is wrong.
    let outcome = match Program::parse().command {
        Command::Run(run) => run.run(),
        Command::Capacity(capacity) => capacity.run(),
        Command::Compare(compare) => compare.run(),
        Command::Merge(merge) => merge.run(),
        Command::Proxy(proxy) => proxy.run(),
        Command::Population(population) => population.run(),
        Command::Claims(claims) => claims.run(),
        Command::Constant(constant) => constant.run(),
        Command::Drill(drill) => drill.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shikaku-load: {error}");
            error.code()
        }
    }
}
