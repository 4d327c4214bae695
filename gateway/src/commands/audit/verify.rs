//! `shikaku audit verify`: whether every record is there, as it was written and where it was written.

use std::path::PathBuf;

use clap::Args;

use super::{CommandError, KeyFiles};
use crate::audit::{self, Class};

/// Proves the audit chains of a folder, or names the first broken record
///
/// Without keys the hashes are followed. With them every frame is opened too, so that nobody without
/// the sealing key can have written it. May be run while the gateway serves.
#[derive(Args)]
#[command(
    after_help = "Example:\n  shikaku audit verify /var/lib/shikaku/audit --config /etc/shikaku/shikaku.toml"
)]
pub(in crate::commands) struct Verify {
    /// The audit folder
    dir: PathBuf,
    #[command(flatten)]
    keys: KeyFiles,
}

impl Verify {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let (keys, _) = self.keys.read()?;
        if !Class::ALL.iter().any(|class| self.dir.join(class.word()).is_dir()) {
            return Err(CommandError::Usage(format!(
                "{}: is no audit folder: none of answers, acts, confirmations is in it",
                self.dir.display()
            )));
        }
        let mut broken = 0;
        for class in Class::ALL {
            match audit::verify(&self.dir, class, &keys) {
                Ok(holds) => println!("{holds}"),
                Err(found) => {
                    println!("{found}");
                    broken += 1;
                }
            }
        }
        if broken > 0 {
            return Err(CommandError::No(format!("{broken} of {} chains do not hold", Class::ALL.len())));
        }
        Ok(())
    }
}
