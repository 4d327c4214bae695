//! `shikaku store`: memory's files, handed from one gateway to another.

use std::path::PathBuf;

use clap::Subcommand;
use ledger::{Ledger, Options};

use super::CommandError;
use crate::config::Config;
use crate::follow::{FilesError, hand_over, take_over};

/// Hands memory's files from one gateway to another.
#[derive(Subcommand)]
#[command(after_help = "Example:\n  shikaku store export --config shikaku.toml --out /media/handover\n  \
                  shikaku store import /media/handover --config other.toml")]
pub(super) enum StoreCommand {
    /// Copies memory's files, checked octet by octet; the gateway may be serving
    Export {
        /// The configuration file
        #[arg(long)]
        config: PathBuf,
        /// Folder to copy them to
        #[arg(long)]
        out: PathBuf,
    },
    /// Takes such a copy over while the gateway is stopped; refuses one that is torn, or of another ledger
    Import {
        /// Folder of the copy
        from: PathBuf,
        /// The configuration file
        #[arg(long)]
        config: PathBuf,
    },
}

impl StoreCommand {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Export { config, out } => {
                let config = Config::read(config).map_err(CommandError::usage)?;
                let position = hand_over(&config.memory_folder(), out).map_err(refused)?;
                println!("{}: memory up to batch {position}; it holds personal data", out.display());
            }
            Self::Import { from, config } => {
                let config = Config::read(config).map_err(CommandError::usage)?;
                let opened = Ledger::open(config.ledger_path(), Options::default())
                    .map_err(CommandError::environment)?;
                let folder = config.memory_folder();
                let position = take_over(from, &folder, opened.reader()).map_err(refused)?;
                println!("{}: memory up to batch {position} of {}", folder.display(), opened.position());
            }
        }
        Ok(())
    }
}

fn refused(error: FilesError) -> CommandError {
    match error {
        FilesError::Foreign(_) => CommandError::No(error.to_string()),
        FilesError::Base(cache::BaseError::Damaged(_) | cache::BaseError::Missing) => {
            CommandError::No(error.to_string())
        }
        _ => CommandError::environment(error),
    }
}
