//! What is applied: the batches of the record of truth, as memory needs them.

use eligibility::day::Timestamp;
use eligibility::feed::{Record, Refused, Source};

/// Records of one source that become visible together.
#[derive(Clone, Debug)]
pub struct Batch<'b> {
    /// Its place among all batches: gapless from 1.
    pub position: u64,
    /// Who says it.
    pub source: Source,
    /// The source's epoch.
    pub epoch: u32,
    /// When it was committed.
    pub committed_at: Timestamp,
    /// Highest sequence read of the source in this epoch.
    pub committed_sequence: u64,
    /// Its rows, in the order read.
    pub rows: Vec<Row<'b>>,
}

/// One record as it was read.
#[derive(Clone, Debug)]
pub enum Row<'b> {
    /// It counts.
    Accepted(&'b Record),
    /// It is in quarantine.
    Refused {
        /// Its name in the source's quarantine.
        name: Box<str>,
        /// Its sequence in the source's numbering.
        sequence: Option<u64>,
        /// Why, and what of it is kept.
        refused: &'b Refused,
    },
}
