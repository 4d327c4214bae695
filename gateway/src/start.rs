//! Why a gateway cannot start, in words that name the setting.

use std::path::PathBuf;

use eligibility::day::Timestamp;
use ledger::LedgerError;

use crate::audit::AuditError;
use crate::config::ConfigError;
use crate::front::{EntranceError, PorchError};
use crate::kept::KeptError;
use crate::trust::TrustError;

/// Why the gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Nobody can be let in.
    #[error(transparent)]
    Porch(#[from] PorchError),
    /// A service address cannot be served.
    #[error(transparent)]
    Entrance(#[from] EntranceError),
    /// Card certificates could not be judged.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The audit cannot be begun.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The ledger cannot be opened or read.
    #[error("ledger {place}: {error}")]
    Ledger {
        /// Where it is.
        place: String,
        /// Why.
        error: LedgerError,
    },
    /// The machine's clock is wrong.
    #[error("the clock says {now}, but {what} {seen}: set the clock")]
    Clock {
        /// What it says.
        now: Timestamp,
        /// What is known to be over.
        what: &'static str,
        /// When that was.
        seen: Timestamp,
    },
    /// The file beside the spool folder cannot be used.
    #[error("{path}: {error}; the folder of feed.spool's own folder must be writable")]
    Kept {
        /// The file.
        path: PathBuf,
        /// Why.
        error: KeptError,
    },
    /// The spool folder cannot be used.
    #[error("feed.spool {path}: {error}")]
    Spool {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The folder of pre-checks cannot be used.
    #[error("precheck.folder {path}: {error}")]
    Prechecks {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The system gives no thread.
    #[error("the system gives no thread: {0}")]
    Thread(std::io::Error),
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    Randomness,
}

impl StartError {
    /// Whether it may start later as it is: the ledger's database cannot be reached yet.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Ledger { error: LedgerError::Away { .. }, .. })
    }
}
