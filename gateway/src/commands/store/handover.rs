//! `shikaku store export` and `import`: memory's files, handed from one gateway to another.

use std::path::PathBuf;

use clap::Args;
use ledger::{Ledger, Options};

use super::super::CommandError;
use crate::config::Config;
use crate::follow::{FilesError, hand_over, take_over};

/// Copies memory's files, checked octet by octet; the gateway may be serving
#[derive(Args)]
#[command(after_help = "Example:\n  shikaku store export --config shikaku.toml --out /media/handover")]
pub(in crate::commands) struct Export {
    /// The configuration file
    #[arg(long)]
    config: PathBuf,
    /// Folder to copy them to
    #[arg(long)]
    out: PathBuf,
}

/// Takes such a copy over while the gateway is stopped; refuses one that is torn, or of another ledger
#[derive(Args)]
#[command(after_help = "Example:\n  shikaku store import /media/handover --config shikaku.toml")]
pub(in crate::commands) struct Import {
    /// Folder of the copy
    from: PathBuf,
    /// The configuration file
    #[arg(long)]
    config: PathBuf,
}

impl Export {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let config = Config::read(&self.config).map_err(CommandError::usage)?;
        let position = hand_over(&config.memory_folder(), &self.out).map_err(refused)?;
        println!("{}: memory up to batch {position}; it holds personal data", self.out.display());
        Ok(())
    }
}

impl Import {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let config = Config::read(&self.config).map_err(CommandError::usage)?;
        let place = config.ledger_place().map_err(CommandError::usage)?;
        let opened = Ledger::open(place, Options::default()).map_err(CommandError::environment)?;
        let folder = config.memory_folder();
        let position = take_over(&self.from, &folder, opened.reader()).map_err(refused)?;
        println!("{}: memory up to batch {position} of {}", folder.display(), opened.position());
        Ok(())
    }
}

fn refused(error: FilesError) -> CommandError {
    match error {
        FilesError::Foreign(_)
        | FilesError::Base(cache::BaseError::Damaged(_) | cache::BaseError::Missing) => {
            CommandError::No(error.to_string())
        }
        _ => CommandError::environment(error),
    }
}
