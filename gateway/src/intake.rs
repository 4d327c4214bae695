//! Deliveries in: received, then weighed as a whole, then committed in batches, then visible.
//!
//! ```text
//! http ──┐
//!        ├─► spool ─► gate ─► deliver ─► ledger ─► follow
//! files ─┘              └─► held
//! ```
//!
//! Holds the [`Spool`] and the [`Report`]; [`deliver()`] is the same for every way in.

mod admit;
pub mod api;
mod deliver;
pub mod folder;
mod gate;
mod held;
pub mod http;
mod lines;
pub mod links;
pub(crate) mod overlaps;

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use dashmap::DashMap;
use eligibility::feed::Source;
use ledger::{Appended, LedgerError, Quarantined};
use serde::Serialize;
use tokio::sync::Mutex;

use crate::config::Feed;

pub use admit::{Admission, Admitted};
pub use deliver::deliver;
pub use gate::Reason;
pub use held::{Held, HeldBack, HeldDelivery};

/// Most quarantined records that one report names.
const NAMED: usize = 1000;

/// Where deliveries wait while they are received, and who is delivering.
pub struct Spool {
    folder: PathBuf,
    /// Largest delivery, in octets.
    pub most_octets: u64,
    turns: DashMap<Source, Arc<Mutex<()>>>,
}

impl Spool {
    /// Opens the folder, and empties it of what a crash left: nothing of it was acknowledged.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn open(feed: &Feed) -> io::Result<Self> {
        std::fs::create_dir_all(&feed.spool)?;
        for entry in std::fs::read_dir(&feed.spool)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "delivery") {
                std::fs::remove_file(path)?;
            }
        }
        Ok(Self { folder: feed.spool.clone(), most_octets: feed.delivery_octets, turns: DashMap::new() })
    }

    /// A new file of its own, with its path.
    pub(crate) fn file(&self, id: uuid::Uuid) -> io::Result<(PathBuf, File)> {
        let path = self.folder.join(format!("{id}.delivery"));
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        Ok((path, file))
    }

    /// The right to deliver for this source: one delivery at a time, sources beside each other.
    pub(crate) fn turn(&self, source: Source) -> Arc<Mutex<()>> {
        Arc::clone(&self.turns.entry(source).or_default())
    }
}

/// What became of a delivery.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Records accepted.
    pub accepted: u64,
    /// Records that were there already.
    pub duplicates: u64,
    /// Records in quarantine, by line; the first thousand of them.
    pub quarantined: Vec<Refused>,
    /// How many records are in quarantine, where the list is not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantined_total: Option<u64>,
    /// What looks wrong and was accepted all the same; the first thousand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Refused>,
    /// The sequence up to which the source was read.
    pub committed_sequence: u64,
    /// Position of the last visible batch.
    pub generation: u64,
}

/// One record in quarantine.
#[derive(Clone, Debug, Serialize)]
pub struct Refused {
    /// Its line, from 1.
    pub line: u64,
    /// Its sequence, where one could be read.
    pub sequence: Option<u64>,
    /// What is wrong.
    pub code: String,
    /// The field at fault.
    pub field: Option<String>,
}

/// Why a delivery stopped. What was committed before stays, and is named by `committed_sequence`.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// The delivery cannot be read.
    #[error("the delivery cannot be read: {0}")]
    Read(#[from] io::Error),
    /// One that is held back can be released only after those before it.
    #[error("it is not the oldest delivery of its source that is held back")]
    NotOldest,
    /// One that was released cannot be dropped any more.
    #[error("it was released before, and a part of it counts: release it again")]
    Begun,
    /// The ledger does not take it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Report {
    fn warn(&mut self, warnings: Vec<Refused>) {
        let room = NAMED.saturating_sub(self.warnings.len());
        self.warnings.extend(warnings.into_iter().take(room));
    }

    fn add(&mut self, appended: Appended) {
        self.accepted += appended.accepted;
        self.duplicates += appended.duplicates;
        let before = self.quarantined_total.unwrap_or(self.quarantined.len() as u64);
        let total = before + appended.quarantined.len() as u64;
        let room = NAMED.saturating_sub(self.quarantined.len());
        self.quarantined.extend(appended.quarantined.into_iter().take(room).map(Refused::from));
        self.quarantined_total = (total > self.quarantined.len() as u64).then_some(total);
        self.committed_sequence = appended.committed_sequence;
        self.generation = appended.generation;
    }
}

impl From<Quarantined> for Refused {
    fn from(one: Quarantined) -> Self {
        Self {
            line: one.line,
            sequence: one.sequence,
            code: one.code.into(),
            field: one.field.map(Into::into),
        }
    }
}
