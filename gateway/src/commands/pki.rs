//! `shikaku pki`: what an operator asks of certificates, without the service.

mod code;
mod compared;
mod files;
mod rehearse;
mod verify;

use clap::Subcommand;

use super::CommandError;

/// Judges certificates and trust anchors.
#[derive(Subcommand)]
#[command(after_help = "Example:\n  shikaku pki verify --anchors demo-data/jpki --crls demo-data/jpki \
                        --policy 1.2.392.200149.8.5.1.0.30 demo-data/cards/good.der")]
pub(super) enum PkiCommand {
    Verify(verify::Verify),
    Rehearse(rehearse::Rehearse),
}

impl PkiCommand {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Verify(verify) => verify.run(),
            Self::Rehearse(rehearse) => rehearse.run(),
        }
    }
}
