//! `shikaku store`: the nation in memory.

mod load;
mod measure;
mod probe;

use clap::Subcommand;

use super::CommandError;

/// Measures the memory in which everybody is kept
#[derive(Subcommand)]
#[command(after_help = "Example:\n  shikaku store measure --people 1000000")]
pub(super) enum StoreCommand {
    Measure(measure::Measure),
}

impl StoreCommand {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Measure(measure) => measure.run(),
        }
    }
}
