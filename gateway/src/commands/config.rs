//! `shikaku config`: reads a configuration and says what is wrong with it, or what it comes to.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use pki::UnixTime;

use super::CommandError;
use crate::audit::Keys;
use crate::clock::Clock;
use crate::config::{Config, InsurerList};
use crate::front::tls;
use crate::trust::{self, Clients};

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
                let now = UnixTime(Clock::system().now().millis() / 1000);
                for listener in &config.listeners {
                    let clients = Clients::open(listener, now).map_err(CommandError::usage)?;
                    tls::server(listener, &Arc::new(clients)).map_err(CommandError::usage)?;
                }
                println!("{}: ok", file.display());
            }
            Self::Show { file } => print!("{}", Config::read(file).map_err(CommandError::usage)?.to_toml()),
        }
        Ok(())
    }
}
