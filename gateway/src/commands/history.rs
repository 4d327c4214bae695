//! `shikaku history`: deletes what was kept for long enough, and shows that it is gone.

use std::path::PathBuf;

use clap::Subcommand;

use super::CommandError;
use crate::clock::Clock;
use crate::config::Config;
use crate::follow;
use crate::history;

/// Keeps to `[history]`, and shows that it was kept to.
#[derive(Subcommand)]
#[command(after_help = "Example:\n  shikaku history scan --config shikaku.toml")]
pub(super) enum HistoryCommand {
    /// Deletes now what was kept for long enough, while the service is stopped; running, it does so itself
    Delete {
        /// The configuration file
        #[arg(long)]
        config: PathBuf,
    },
    /// Shows that no row is left that was to be deleted, and that what memory holds has not changed by it
    ///
    /// Reads the whole ledger, beside a running service, and makes memory of it: room for a second memory is
    /// needed.
    Scan {
        /// The configuration file
        #[arg(long)]
        config: PathBuf,
    },
}

impl HistoryCommand {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Delete { config } => delete(&Config::read(config).map_err(CommandError::usage)?),
            Self::Scan { config } => scan(&Config::read(config).map_err(CommandError::usage)?),
        }
    }
}

fn delete(config: &Config) -> Result<(), CommandError> {
    let followed = follow::from_config(config)?;
    let failed = |error| CommandError::Environment(format!("ledger {}: {error}", config.ledger.url));
    let (keep, now) = (&config.history, Clock::system().now());
    history::finish(&followed.ledger, &followed.memory).map_err(failed)?;
    let deleted = history::delete(&followed.ledger, &followed.memory, keep, now, 0).map_err(failed)?;
    followed.ledger.give_back(now).map_err(failed)?;
    for one in &deleted {
        println!("{}: {} rows that were replaced before {} are deleted", one.of.word(), one.rows, one.before);
    }
    if deleted.is_empty() {
        println!("nothing is due");
    }
    followed.close();
    Ok(())
}

fn scan(config: &Config) -> Result<(), CommandError> {
    let place = config.ledger_place().map_err(CommandError::usage)?;
    let failed = |error| CommandError::Environment(format!("ledger {place}: {error}"));
    let ledger = ledger::Reader::beside(place.clone()).map_err(failed)?;
    let scanned = history::scan(&ledger).map_err(failed)?;
    for (deletion, left) in &scanned.left {
        println!("{}: {left} rows left that were replaced before {}", deletion.of.word(), deletion.before);
    }
    for position in &scanned.changed {
        println!("after batch {position} memory holds something else than before the deletion");
    }
    println!("{} batches read", scanned.batches);
    match (scanned.left.is_empty(), scanned.holds()) {
        (true, _) => println!("nothing was ever deleted"),
        (false, true) => println!("every deletion holds, and what memory holds is unchanged"),
        (false, false) => return Err(CommandError::No("the ledger is not as its deletions say".to_owned())),
    }
    Ok(())
}
