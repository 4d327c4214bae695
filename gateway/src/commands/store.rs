//! `shikaku store`: the nation in memory.

mod handover;
mod load;
mod measure;
mod probe;
mod report;

use clap::Subcommand;

use super::CommandError;

/// The memory in which everybody is kept: measured, and handed from gateway to gateway
#[derive(Subcommand)]
#[command(after_help = "Example:\n  shikaku store measure --people 1000000")]
pub(super) enum StoreCommand {
    Measure(measure::Measure),
    Export(handover::Export),
    Import(handover::Import),
}

impl StoreCommand {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Measure(measure) => measure.run(),
            Self::Export(export) => export.run(),
            Self::Import(import) => import.run(),
        }
    }
}
