//! `shikaku ledger`: its tables, and its way from one place to another.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use ledger::{LedgerError, Place, Sum};

use super::CommandError;
use crate::config::{Config, Ledger};

/// The record of truth: its tables, and its way from one place to another
#[derive(Subcommand)]
#[command(after_help = "Example:\n  shikaku ledger migrate --config shikaku.toml")]
pub(super) enum LedgerCommand {
    Migrate(Migrate),
    Copy(Copy),
}

impl LedgerCommand {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Migrate(migrate) => migrate.run(),
            Self::Copy(copy) => copy.run(),
        }
    }
}

/// Makes the ledger's tables, or brings those of an earlier program to this one's version
#[derive(Args)]
#[command(after_help = "Example:\n  shikaku ledger migrate --config /etc/shikaku/shikaku.toml")]
pub(super) struct Migrate {
    /// The configuration file, whose `[ledger]` it is
    #[arg(long)]
    config: PathBuf,
}

impl Migrate {
    fn run(&self) -> Result<(), CommandError> {
        let config = Config::read(&self.config).map_err(CommandError::usage)?;
        let place = config.ledger_place().map_err(CommandError::usage)?;
        let migrated = ledger::migrate(&place).map_err(CommandError::environment)?;
        println!("{place}: schema version {} (was {})", migrated.to, migrated.from);
        Ok(())
    }
}

/// Copies a ledger to an empty one and compares the two; goes on where an interrupted copy ended
#[derive(Args)]
#[command(after_help = "No gateway may be running on either.\n\nExample:\n  shikaku ledger copy \
    --from sqlite:/var/lib/shikaku/ledger.sqlite --to postgres://shikaku@db1,db2/shikaku --config shikaku.toml")]
pub(super) struct Copy {
    /// URL of the ledger as it is: sqlite:PATH or postgres://…
    #[arg(long)]
    from: String,
    /// URL of the ledger to be; its tables are made where there are none
    #[arg(long)]
    to: String,
    /// A configuration file whose `[ledger]` says CA and password file of the server
    #[arg(long)]
    config: Option<PathBuf>,
}

impl Copy {
    fn run(&self) -> Result<(), CommandError> {
        let config = self.config.as_ref().map(|path| Config::read(path)).transpose();
        let access = config.map_err(CommandError::usage)?.map(|config| config.ledger).unwrap_or_default();
        let place = |url: &str| -> Result<Place, CommandError> {
            let one = Ledger { url: url.to_owned(), ..access.clone() };
            one.place("copy").map_err(CommandError::usage)
        };
        let (from, to) = (place(&self.from)?, place(&self.to)?);
        ledger::migrate(&to).map_err(CommandError::environment)?;
        let bar = ProgressBar::new(0).with_style(
            ProgressStyle::with_template("batches [{bar:30}] {pos}/{len} {eta}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        let copied = ledger::copy(&from, &to, |position, last| {
            bar.set_length(last);
            bar.set_position(position);
        });
        bar.finish_and_clear();
        let Sum { batches, rows, position, hash } = copied.map_err(|error| match error {
            LedgerError::CopyDiffers | LedgerError::NotEmpty { .. } | LedgerError::Corrupt { .. } => {
                CommandError::No(error.to_string())
            }
            _ => CommandError::environment(error),
        })?;
        let hash: String = hash.iter().map(|octet| format!("{octet:02x}")).collect();
        println!(
            "{to}: {batches} batches, {rows} rows, last position {position}, SHA-256 {hash}; both ledgers hold this"
        );
        Ok(())
    }
}
