//! What can go wrong with the ledger, and what may still be done.
//!
//! No variant carries anything of a record: the engine's own words name tables and columns only.

use crate::store::Place;

/// Why the ledger refused or failed. Nothing of the append that got it was kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Another process holds the lock file beside the ledger.
    #[error("the ledger {place} is in use by another process")]
    InUse {
        /// The ledger.
        place: Place,
    },
    /// A later program made or migrated it.
    #[error("the ledger {place} has schema version {found}, this program knows versions up to {known}")]
    NewerSchema {
        /// The ledger.
        place: Place,
        /// Version found in it.
        found: i64,
        /// Latest version known here.
        known: i64,
    },
    /// It has no tables yet, or those of an earlier program.
    #[error(
        "the ledger {place} has schema version {found}, this program needs {known}: run shikaku ledger migrate"
    )]
    OlderSchema {
        /// The ledger.
        place: Place,
        /// Version found in it; 0 where there is none.
        found: i64,
        /// Version needed here.
        known: i64,
    },
    /// A URL, or what goes with it, cannot be used.
    #[error("the ledger's URL cannot be used: {reason}")]
    Url {
        /// What is wrong with it.
        reason: String,
    },
    /// The file is no SQLite database, or one of somebody else.
    #[error("{place} is not a ledger")]
    NotALedger {
        /// What was opened.
        place: Place,
    },
    /// It cannot be opened: no such folder, no permission, no thread.
    #[error("cannot open the ledger {place}: {reason}")]
    Open {
        /// The ledger.
        place: Place,
        /// What the system said.
        reason: String,
    },
    /// The queue before the writer is full: try again later.
    #[error("the ledger's queue is full")]
    Full,
    /// The ledger was closed, or its writer is gone.
    #[error("the ledger is closed")]
    Closed,
    /// More lines in one append than a batch may hold.
    #[error("one append may hold {most} lines at the most")]
    TooLarge {
        /// The most it may hold.
        most: usize,
    },
    /// Lines under the gateway's own name, or an act that is not the gateway's to make.
    #[error("this is not for this source to say")]
    NotItsOwn,
    /// An earlier part of the same delivery failed: nothing behind it may count.
    #[error("an earlier part of the delivery failed")]
    Interrupted,
    /// An act would link the card of another person.
    #[error("the card is linked to another person")]
    LinkConflict,
    /// A source's new epoch must be later than its present one.
    #[error("the source is in epoch {current} already")]
    EpochNotLater {
        /// Its present epoch.
        current: u32,
    },
    /// No room on the disk. Cleanly rolled back; works again once there is room.
    #[error("no room left for the ledger")]
    DiskFull,
    /// Another program holds SQLite's own lock for too long. Rolled back; try again later.
    #[error("the ledger's file is locked by another program")]
    Busy,
    /// The database that gateways share cannot be reached, or did not confirm. Try again later: what
    /// was committed after all is known again.
    #[error("the ledger's database is away: {reason}")]
    Away {
        /// What it said, or did not say.
        reason: String,
    },
    /// The database does not hold what was followed from it: it is another one, or was restored or
    /// failed over to an earlier state. Nothing is taken until a start has read it anew.
    #[error("the ledger's database has another history up to position {position} than was followed from it")]
    Diverged {
        /// The position up to which was followed.
        position: u64,
    },
    /// A write failed in a way after which the disk cannot be trusted. Every append is refused
    /// until the process has been started anew and has read back what is really there.
    #[error("the ledger can no longer be written: {reason}")]
    Poisoned {
        /// What the engine said first.
        reason: String,
    },
    /// A copy needs an empty ledger to go to, or one that an earlier copy began.
    #[error("{place} holds another ledger already")]
    NotEmpty {
        /// What is not empty.
        place: Place,
    },
    /// A copy does not hold what the original holds; somebody may have written to one of them meanwhile.
    #[error("the copy does not hold what the original holds")]
    CopyDiffers,
    /// What was read is not what was written.
    #[error("the ledger is damaged at position {position}: {reason}")]
    Corrupt {
        /// Position of the batch.
        position: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Reading failed.
    #[error("the ledger cannot be read: {reason}")]
    Read {
        /// What the engine said.
        reason: String,
    },
}
