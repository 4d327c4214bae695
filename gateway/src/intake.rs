//! Deliveries in: received, then committed in batches, then visible.
//!
//! ```text
//! http ──┐
//!        ├─► spool ─► deliver ─► ledger ─► follow
//! file ──┘
//! ```
//!
//! Holds the [`Spool`] and [`deliver`], which is the same for every way in.

pub mod api;
pub mod http;
pub mod links;

use std::fs::File;
use std::io::{self, BufRead};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use dashmap::DashMap;
use eligibility::feed::Source;
use ledger::{Appended, Ledger, LedgerError, Offer, Quarantined};
use serde::Serialize;
use tokio::sync::Mutex;

use crate::config::Feed;

/// Most records of one batch.
const BATCH: usize = 2000;
/// Longest line, in octets; a person with a hundred coverages stays far below it.
const LINE: usize = 256 * 1024;
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
    /// The ledger does not take it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Report {
    fn warn(&mut self, offer: &Offer) {
        let faults = offer.record().map(eligibility::feed::Record::warnings).unwrap_or_default();
        let room = NAMED.saturating_sub(self.warnings.len());
        self.warnings.extend(faults.into_iter().take(room).map(|fault| Refused {
            line: offer.line(),
            sequence: offer.sequence(),
            code: fault.code().to_owned(),
            field: fault.place().map(str::to_owned),
        }));
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

/// Reads a delivery line by line and commits it in batches; each waits until it is durable and visible.
///
/// # Errors
/// [`DeliverError`]; the batches before are committed.
pub fn deliver(ledger: &Ledger, source: Source, mut lines: impl BufRead) -> Result<Report, DeliverError> {
    let mut report = Report::default();
    let mut offers = Vec::with_capacity(BATCH);
    let mut buffer = Vec::new();
    let mut line = 0;
    loop {
        line += 1;
        let more = read_line(&mut lines, &mut buffer)?;
        if more && !buffer.trim_ascii().is_empty() {
            let offer = Offer::from_line(source, line, &buffer);
            report.warn(&offer);
            offers.push(offer);
        }
        if offers.len() == BATCH || (!more && (!offers.is_empty() || line == 1)) {
            report.add(commit(ledger, source, std::mem::take(&mut offers))?);
        }
        if !more {
            return Ok(report);
        }
    }
}

/// Reads one line, false at the end. Of a line that is too long only the beginning is kept, with a
/// NUL behind it so that it cannot pass for a record.
fn read_line(lines: &mut impl BufRead, buffer: &mut Vec<u8>) -> io::Result<bool> {
    buffer.clear();
    loop {
        let chunk = lines.fill_buf()?;
        if chunk.is_empty() {
            return Ok(!buffer.is_empty());
        }
        let (taken, ended) = match chunk.iter().position(|octet| *octet == b'\n') {
            Some(at) => (at + 1, true),
            None => (chunk.len(), false),
        };
        let room = LINE.saturating_sub(buffer.len());
        buffer.extend(chunk.iter().take(taken.min(room)));
        if taken > room && room > 0 {
            buffer.push(0);
        }
        lines.consume(taken);
        if ended {
            return Ok(true);
        }
    }
}

fn commit(ledger: &Ledger, source: Source, offers: Vec<Offer>) -> Result<Appended, LedgerError> {
    let (done, outcome) = sync_channel(1);
    ledger.append(source, offers, Box::new(move |outcome| drop(done.send(outcome))))?;
    outcome.recv().unwrap_or(Err(LedgerError::Closed))
}
