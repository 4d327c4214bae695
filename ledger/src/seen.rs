//! Whether a line was read before.
//!
//! Sequences that moved the committed one are found through the batch that spans them; refused rows
//! also by name, which finds those out of order and those without a sequence. The last batch looked
//! into is remembered: a delivery that comes again walks through the batches in order.

use eligibility::feed::Source;
use rusqlite::{Connection, OptionalExtension, params};

use crate::batch::name;
use crate::rows;
use crate::schema::{from_sql, to_sql};

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

    /// What two look-ups together say.
    pub(crate) fn or(self, other: impl FnOnce() -> rusqlite::Result<Self>) -> rusqlite::Result<Self> {
        Ok(match self {
            Self::Same => self,
            Self::Never => other()?,
            Self::Other if other()? == Self::Same => Self::Same,
            Self::Other => self,
        })
    }
}

/// Sequence and hash of each row.
type Sequences = Vec<(u64, [u8; 16])>;

/// Sequences of the batch looked into last.
#[derive(Default)]
pub(crate) struct LastBatch {
    position: i64,
    sequences: Sequences,
}

impl LastBatch {
    /// Looks for a sequence in the committed batches of one source and epoch.
    pub(crate) fn seen(
        &mut self,
        connection: &Connection,
        (source, epoch): (Source, u32),
        sequence: u64,
        hash: [u8; 16],
    ) -> rusqlite::Result<Seen> {
        let Some(position) = spanning(connection, source, epoch, sequence)? else {
            return Ok(Seen::Never);
        };
        if self.position != position {
            self.sequences = rows::sequences(connection, from_sql(position))?;
            self.sequences.sort_unstable();
            self.position = position;
        }
        let start = self.sequences.partition_point(|(other, _)| *other < sequence);
        let same = self.sequences.iter().skip(start).take_while(|(other, _)| *other == sequence);
        Ok(Seen::among(same.map(|(_, hash)| *hash), hash))
    }

    /// Forgets what was read within a transaction that did not commit.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

fn spanning(
    connection: &Connection,
    source: Source,
    epoch: u32,
    sequence: u64,
) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT position, last_sequence FROM batch
         WHERE source = ?1 AND epoch = ?2 AND first_sequence <= ?3
         ORDER BY first_sequence DESC LIMIT 1",
    )?;
    let found = statement
        .query_row(params![source.to_string(), epoch, to_sql(sequence)], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    Ok(found.filter(|(_, last)| sequence <= from_sql(*last)).map(|(position, _)| position))
}

/// Looks for a refused row by name.
pub(crate) fn in_quarantine(
    connection: &Connection,
    (source, epoch): (Source, u32),
    sequence: Option<u64>,
    hash: [u8; 16],
) -> rusqlite::Result<Seen> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(quarantine.hash, row.hash) FROM quarantine LEFT JOIN row USING (position, ordinal)
         WHERE source = ?1 AND epoch = ?2 AND name = ?3",
    )?;
    let rows =
        statement.query_map(params![source.to_string(), epoch, name(sequence, &hash)], |row| row.get(0))?;
    let hashes = rows.collect::<rusqlite::Result<Vec<[u8; 16]>>>()?;
    Ok(Seen::among(hashes.into_iter(), hash))
}
