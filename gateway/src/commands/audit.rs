//! `shikaku audit`: proves the audit, and gives records out.

mod export;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::CommandError;
use crate::audit::Keys;
use crate::config::Config;

/// Proves the audit chain, or exports records of it.
#[derive(Subcommand)]
#[command(
    after_help = "Example:\n  shikaku audit verify demo-data/data/audit --config demo-data/shikaku.toml"
)]
pub(super) enum AuditCommand {
    Verify(verify::Verify),
    Export(export::Export),
}

impl AuditCommand {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Verify(verify) => verify.run(),
            Self::Export(export) => export.run(),
        }
    }
}

/// Where the keys are.
#[derive(Args)]
struct KeyFiles {
    /// The configuration that names the keys
    #[arg(long)]
    config: Option<PathBuf>,
    /// A sealing key, for files of one that the configuration names no more; may be given several times
    #[arg(long = "key")]
    keys: Vec<PathBuf>,
}

impl KeyFiles {
    fn read(&self) -> Result<(Keys, Option<Config>), CommandError> {
        let config = self.config.as_deref().map(Config::read).transpose().map_err(CommandError::usage)?;
        let keys = match &config {
            Some(config) => Keys::read(&config.audit),
            None => Ok(Keys::none()),
        };
        let more = Keys::read_sealing(&self.keys).map_err(CommandError::usage)?;
        Ok((keys.map_err(CommandError::usage)?.and_sealing(more), config))
    }
}
