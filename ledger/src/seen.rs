//! Whether a line was read before.
//!
//! Sequences that moved the committed one are found through the batch that spans them; refused rows
//! also by name, which finds those out of order and those without a sequence. The last batch looked
//! into is remembered: a delivery that comes again walks through the batches in order.

use eligibility::feed::Source;

use crate::error::LedgerError;
use crate::store::{Sequences, Span, Transaction};

/// Whether a line was read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Never.
    Never,
    /// Word for word.
    Same,
    /// Its sequence was, with other content.
    Other,
}

impl Seen {
    pub(crate) fn among(hashes: impl Iterator<Item = [u8; 16]>, hash: [u8; 16]) -> Self {
        let mut seen = Self::Never;
        for found in hashes {
            if found == hash {
                return Self::Same;
            }
            seen = Self::Other;
        }
        seen
    }

    /// What it is among rows sorted by sequence.
    pub(crate) fn in_order(sorted: &[(u64, [u8; 16])], sequence: u64, hash: [u8; 16]) -> Self {
        let start = sorted.partition_point(|(other, _)| *other < sequence);
        let same = sorted.iter().skip(start).take_while(|(other, _)| *other == sequence);
        Self::among(same.map(|(_, hash)| *hash), hash)
    }

    /// What two look-ups together say.
    pub(crate) fn or(self, other: impl FnOnce() -> Result<Self, LedgerError>) -> Result<Self, LedgerError> {
        Ok(match self {
            Self::Same => self,
            Self::Never => other()?,
            Self::Other if other()? == Self::Same => Self::Same,
            Self::Other => self,
        })
    }
}

/// Sequences of the batch looked into last.
#[derive(Default)]
pub(crate) struct LastBatch {
    spans: Option<((Source, u32), Span)>,
    sequences: Sequences,
}

impl LastBatch {
    /// Looks for a sequence in the committed batches of one source and epoch.
    pub(crate) fn seen(
        &mut self,
        transaction: &mut dyn Transaction,
        of: (Source, u32),
        sequence: u64,
        hash: [u8; 16],
    ) -> Result<Seen, LedgerError> {
        let spans = |(other, span): (_, Span)| other == of && (span.first..=span.last).contains(&sequence);
        if !self.spans.is_some_and(spans) {
            let Some(span) = transaction.spanning(of, sequence)? else { return Ok(Seen::Never) };
            self.sequences = transaction.sequences(span.position)?;
            self.sequences.sort_unstable();
            self.spans = Some((of, span));
        }
        Ok(Seen::in_order(&self.sequences, sequence, hash))
    }
}
