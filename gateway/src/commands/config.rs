//! `shikaku config`: reads a configuration and says what is wrong with it, or what it comes to.

mod machine;

use std::path::PathBuf;

use clap::Subcommand;

use super::CommandError;
use crate::audit::Keys;
use crate::config::{Config, InsurerList};
use crate::front::Entrance;
use crate::trust;

/// Checks or shows a configuration.
#[derive(Subcommand)]
#[command(after_help = "Example:\n  shikaku config check /etc/shikaku/shikaku.toml")]
pub(super) enum ConfigCommand {
    /// Says whether a configuration can be served with: keys, values, and the files it names
    Check {
        /// The configuration file
        file: PathBuf,
    },
    /// Prints the configuration as it is understood, with every default
    Show {
        /// The configuration file
        file: PathBuf,
    },
}

impl ConfigCommand {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Check { file } => {
                let config = Config::read(file).map_err(CommandError::usage)?;
                InsurerList::read(&config.feed.insurers).map_err(CommandError::usage)?;
                Keys::read(&config.audit).map_err(CommandError::usage)?;
                trust::check(&config.card).map_err(CommandError::usage)?;
                for listener in &config.listeners {
                    Entrance::open(listener).map_err(CommandError::usage)?;
                }
                if let Some((key, why)) = machine::memory().and_then(|octets| config.service.fault(octets)) {
                    return Err(CommandError::Usage(format!("{}: {key}: {why}", file.display())));
                }
                println!("{}: ok", file.display());
            }
            Self::Show { file } => print!("{}", Config::read(file).map_err(CommandError::usage)?.to_toml()),
        }
        Ok(())
    }
}
