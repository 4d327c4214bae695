//! What the ledger holds and tells: batches, their rows, and what became of an append.

use eligibility::day::Timestamp;
use eligibility::feed::{Record, Refused, Source};

/// Records of one source that were committed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its place among all batches, gapless from 1.
    pub position: u64,
    /// Who says it.
    pub source: Source,
    /// The source's epoch.
    pub epoch: u32,
    /// When it was committed; never earlier than the batch before.
    pub committed_at: Timestamp,
    /// Highest sequence read of this source in this epoch, this batch included; 0 before the first.
    pub committed_sequence: u64,
    /// Its rows, in the order read. Empty where it opens an epoch.
    pub rows: Vec<Row>,
}

/// One record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its sequence in the numbering of the batch's epoch; `None` where the line had none that
    /// could be read, or one of another source's or epoch's numbering.
    pub sequence: Option<u64>,
    /// Position of the batch with the same source's last accepted word on the same subject;
    /// the row's own position where that word stands earlier in the same batch.
    pub previous: Option<u64>,
    /// First 16 octets of the SHA-256 of the line. Where the line may hold a 個人番号, of a fixed
    /// word and the sequence only.
    pub hash: [u8; 16],
    /// The record, or why it was not accepted.
    pub content: Content,
}

/// The record, or why it was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// It counts.
    Accepted(Record),
    /// It is in quarantine.
    Refused(Refused),
}

impl Row {
    /// Its name in the source's quarantine: the sequence, or, for a row without one, `x` and 16
    /// hexadecimal digits of its hash.
    #[must_use]
    pub fn name(&self) -> String {
        name(self.sequence, &self.hash)
    }
}

pub(crate) fn name(sequence: Option<u64>, hash: &[u8; 16]) -> String {
    use std::fmt::Write as _;
    match sequence {
        Some(sequence) => sequence.to_string(),
        None => hash.iter().take(8).fold(String::from("x"), |mut name, octet| {
            // Writing into a string cannot fail.
            let _ = write!(name, "{octet:02x}");
            name
        }),
    }
}

/// What became of an append. It is durable and visible.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Appended {
    /// Records accepted.
    pub accepted: u64,
    /// Lines that had been read before, word for word, and were skipped.
    pub duplicates: u64,
    /// Lines that went into quarantine, in the order read.
    pub quarantined: Vec<Quarantined>,
    /// Highest sequence read of the source in its epoch; 0 before the first.
    pub committed_sequence: u64,
    /// Position of the append's own batch; of the last one before it where nothing was new.
    pub generation: u64,
}

/// One line that went into quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Line of the delivery, from 1.
    pub line: u64,
    /// Its sequence as far as it could be read, of whatever source or epoch.
    pub sequence: Option<u64>,
    /// Word for the fault, such as `out_of_order`.
    pub code: Box<str>,
    /// Field at fault.
    pub field: Option<Box<str>>,
}

/// One row of a subject's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Position of its batch.
    pub position: u64,
    /// When it was committed.
    pub committed_at: Timestamp,
    /// The record; always an accepted one.
    pub record: Record,
}
