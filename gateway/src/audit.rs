//! One record for each answer, in the kernel before the answer leaves.
//!
//! ```text
//! entry ─► record, confirmation ─► writer ─► chain (answers, acts, confirmations) ─► file of the day
//!                                                        │ verify, export, confirmations ◄─┘
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `entry` | what is said of one answer or act |
//! | `record`, `confirmation` | the octets of it |
//! | `frame`, `chain`, `synced` | sealed groups, each bound to the one before; the files; how far they are on the disk |
//! | `writer` | who writes, and who waits for the disk |
//! | `walk`, [`verify`], [`export`], [`confirmed`] | reading it again, proving it, giving it out |
//! | `exported` | the record that giving out leaves itself |
//! | `retain` | dropping what has been kept long enough |
//! | `key` | secrets and their ids |
//!
//! No number, no name and no card is ever in a file in the clear: persons are pseudonyms, and what an
//! institution gets back of its own answers is sealed, and kept for a short time.

mod chain;
mod class;
mod confirmation;
pub mod confirmed;
mod entry;
pub mod export;
mod exported;
mod frame;
mod key;
mod record;
mod retain;
mod synced;
mod verify;
mod walk;
mod word;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock::Clock;
use crate::config;
use eligibility::day::Timestamp;

pub use class::{Class, Work};
pub use confirmation::Confirmation;
pub use entry::Entry;
pub use exported::Exported;
pub use key::{KeyId, Keys};
pub use record::{Mark, Record, Word};
pub use verify::{Broken, Holds, verify};
pub use writer::Pending;
use writer::{Group, Policy, Writer};

/// For how long a folder may stay in use by a gateway that is stopping.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Why the audit cannot be begun.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The folder or one of its files cannot be used.
    #[error("{path}: {error}; the audit folder must exist and be writable")]
    Folder {
        /// The path.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Another process writes there.
    #[error("{path}: in use by another gateway; give each its own audit folder")]
    InUse {
        /// The path.
        path: PathBuf,
    },
    /// A key is missing or cannot be one.
    #[error("{path}: {why}; make one with `(umask 077; head -c 32 /dev/urandom > FILE)`")]
    Key {
        /// The path.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// Takes records and tells when they are written.
pub struct Audit {
    writer: Writer,
    folder: PathBuf,
    /// Held as long as this process writes.
    _own: std::fs::File,
}

/// A record on its way to the file.
pub enum Recording {
    /// There is no room for it.
    Refused,
    /// It is left to be written.
    Pending(Pending),
}

impl Recording {
    /// Waits until the record is as durable as the policy asks. False: it is not, and the answer must
    /// not leave.
    pub async fn written(self) -> bool {
        match self {
            Self::Refused => false,
            Self::Pending(pending) => pending.written().await,
        }
    }

    /// Writes it and waits for nothing: for what leaves whether or not it is recorded.
    pub fn leave(self) {
        if let Self::Pending(pending) = self {
            pending.write();
        }
    }

    /// As [`Recording::written`], for threads that may block.
    #[must_use]
    pub fn wait(self) -> bool {
        match self {
            Self::Refused => false,
            Self::Pending(pending) => pending.wait(),
        }
    }
}

impl Audit {
    /// Finds the ends of the chains and starts the writer.
    ///
    /// # Errors
    /// [`AuditError`] with the path and the cure.
    pub fn open(config: &config::Audit) -> Result<Self, AuditError> {
        Self::open_within(config, PATIENCE)
    }

    /// The same; waits for as long as `patience` for another gateway that is stopping.
    ///
    /// # Errors
    /// [`AuditError`] with the path and the cure.
    pub fn open_within(config: &config::Audit, patience: Duration) -> Result<Self, AuditError> {
        let keys = Keys::read(config)?;
        let folder = config.folder.clone();
        let failed = |error| AuditError::Folder { path: folder.clone(), error };
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let own = std::fs::File::create(folder.join("lock")).map_err(failed)?;
        let began = Clock::instant();
        while own.try_lock().is_err() {
            // One that is being replaced lets go when it has stopped.
            if began.elapsed() > patience {
                return Err(AuditError::InUse { path: folder });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let policy = Policy {
            durability: config.durability,
            every: Duration::from_millis(config.sync_ms),
            reserve: config.reserve_octets,
        };
        let writer = Writer::start(&folder, keys, &policy).map_err(failed)?;
        Ok(Self { writer, folder, _own: own })
    }

    /// Records one answer or act.
    #[must_use]
    pub fn record(&self, entry: &Entry) -> Recording {
        let record = entry.sealed_by(&self.writer.keys());
        self.writer.leave(|left| left.add(entry, &record))
    }

    /// Records several as one group: cheaper than each alone.
    #[must_use]
    pub fn record_all(&self, entries: &[Entry]) -> Recording {
        let keys = self.writer.keys();
        let mut group = Group::default();
        entries.iter().for_each(|entry| group.add(entry, &entry.sealed_by(&keys)));
        self.writer.leave(|left| left.absorb(&group))
    }

    /// Whether there is room for the records of this class of work: looked at before work begins that
    /// can wait.
    #[must_use]
    pub fn admits(&self, work: Work) -> bool {
        self.writer.admits(work)
    }

    /// The same of every work, by its word.
    #[must_use]
    pub fn rooms(&self) -> [(&'static str, bool); 4] {
        Work::ALL.map(|work| (work.word(), self.admits(work)))
    }

    /// Writes with other keys from now on.
    pub fn change_keys(&self, keys: Keys) {
        self.writer.change_keys(keys);
    }

    /// The keys that are alive.
    #[must_use]
    pub fn keys(&self) -> std::sync::Arc<Keys> {
        self.writer.keys()
    }

    /// Records waiting to be written.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.writer.waiting()
    }

    /// For how long something has been written and is not yet known to be on the disk.
    #[must_use]
    pub fn unsynced_for(&self) -> Duration {
        self.writer.unsynced_for()
    }

    /// Number of the next record of a class: how many there ever were.
    #[must_use]
    pub fn next_record(&self, class: Class) -> u64 {
        self.writer.next_record(class)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Drops the files that have been kept long enough; each class by its own days. Slow: it reads
    /// them once more. Returns the dropped files.
    pub fn drop_old(&self, now: Timestamp, keep: &config::KeepDays) -> Vec<PathBuf> {
        let keys = self.keys();
        let days = |class| match class {
            Class::Answers => keep.answers,
            Class::Acts => keep.acts,
            Class::Confirmations => keep.confirmations,
        };
        let mut dropped = Vec::new();
        for class in Class::ALL {
            match retain::drop_old(&self.folder, class, (now, days(class)), &keys) {
                Ok(files) => dropped.extend(files),
                Err(error) => tracing::error!(%error, class = class.word(), "old audit files not dropped"),
            }
        }
        for file in &dropped {
            tracing::info!(file = %file.display(), "audit file dropped by retention; its ends stay");
        }
        dropped
    }
}
