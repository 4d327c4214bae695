//! The JSON of `deletion` records, both directions: history that was kept for long enough and is gone.

use super::json::line;
use super::list_json::{from_hexadecimal, hexadecimal};
use super::{Deletion, Kind, Said};
use crate::day::Timestamp;
use crate::wire::{Fault, Text, Wrong};

line! {
    /// `deletion`
    DeletionLine {
        #[serde(borrow)]
        of: Text<'a>,
        before: Timestamp,
        rows: u64,
        position: u64,
        // Octets in hexadecimal, where twelve digits in a row mean nothing.
        #[serde(borrow, deserialize_with = "crate::wire::opaque")]
        state: Text<'a>,
    }
}

impl DeletionLine<'_> {
    /// The deletion's part of a line, for writing.
    pub(super) fn of(deletion: &Deletion) -> Self {
        let Deletion { of, before, rows, position, state } = *deletion;
        let (of, state) = (of.word().into(), hexadecimal(&state).into());
        Self { of, before, rows, position, state, ..Self::default() }
    }

    pub(super) fn said(&self) -> Result<Said, Fault> {
        let of = Kind::from_word(&self.of).ok_or(Fault::field("of", Wrong::NotInBook))?;
        let state = from_hexadecimal(&self.state).and_then(|state| state.try_into().ok());
        let state = state.ok_or(Fault::field("state", Wrong::Form))?;
        let Self { before, rows, position, .. } = *self;
        Ok(Said::Deletion(Box::new(Deletion { of, before, rows, position, state })))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Record, Source};
    use super::*;

    #[test]
    fn a_deletion_reads_as_it_was_written() {
        let before = Timestamp::from_millis(1_400_000_000_000);
        let deletion = Deletion { of: Kind::Subsidy, before, rows: 17, position: 90, state: [0x12; 32] };
        let (source, recorded_at, resolves) = (Source::Gateway, None, Vec::new());
        let said = Said::Deletion(Box::new(deletion));
        let record = Record { source, epoch: 1, sequence: 1, recorded_at, resolves, said };
        assert_eq!(Record::from_json(&record.to_json()), Ok(record));
    }
}
