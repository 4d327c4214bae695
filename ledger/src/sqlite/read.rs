//! Look-ups of batches, on a connection that can only read.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use eligibility::day::Timestamp;
use eligibility::feed::Source;
use rusqlite::{Connection, OptionalExtension, params};

use super::schema::{from_sql, to_sql};
use super::{pack, reading, schema};
use crate::batch::Batch;
use crate::error::LedgerError;
use crate::group::Head;
use crate::rows::Stored;
use crate::store::{Outline, Read, Sequences, Which, unknown_source};

/// The tables, to be read.
pub(crate) struct Tables {
    connection: Connection,
}

impl Tables {
    /// Opens them beside whoever writes.
    pub(crate) fn open(path: &Path, busy: Duration) -> Result<Self, LedgerError> {
        schema::open_reader(path, busy).map(|connection| Self { connection })
    }

    fn heads(&self) -> rusqlite::Result<Vec<(u64, String, Head)>> {
        let mut statement = self.connection.prepare(
            "SELECT position, source, epoch, committed_sequence, since_mark FROM batch
             WHERE position IN (SELECT max(position) FROM batch GROUP BY source)",
        )?;
        let rows = statement.query_map([], |row| {
            let head = Head {
                epoch: row.get(2)?,
                committed_sequence: from_sql(row.get(3)?),
                since_mark: from_sql(row.get(4)?),
            };
            Ok((from_sql(row.get(0)?), row.get::<_, String>(1)?, head))
        })?;
        rows.collect()
    }

    fn outlines(
        &self,
        which: Which,
        after: u64,
        most: usize,
    ) -> rusqlite::Result<Vec<(u64, Option<Outline>)>> {
        const COLUMNS: &str =
            "SELECT position, source, epoch, committed_at, committed_sequence, rows, since_mark,
             first_sequence, last_sequence FROM batch";
        let (filter, name) = match which {
            Which::All => ("WHERE ?1 = ''", String::new()),
            Which::Of(source) => ("WHERE source = ?1", source.to_string()),
            Which::Acts(kind) => ("JOIN act USING (position) WHERE kind = ?1", kind.word().to_owned()),
        };
        let sql = format!("{COLUMNS} {filter} AND position > ?2 ORDER BY position LIMIT ?3");
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_map(params![name, to_sql(after), to_sql(most as u64)], outline)?.collect()
    }
}

impl Read for Tables {
    fn last(&self) -> Result<Option<(u64, Timestamp)>, LedgerError> {
        let sql = "SELECT position, committed_at FROM batch ORDER BY position DESC LIMIT 1";
        let last = self
            .connection
            .query_row(sql, [], |row| Ok((from_sql(row.get(0)?), Timestamp::from_millis(row.get(1)?))));
        last.optional().map_err(|error| reading(&error))
    }

    fn heads(&self) -> Result<HashMap<Source, Head>, LedgerError> {
        let heads = self.heads().map_err(|error| reading(&error))?;
        let named = heads.into_iter().map(|(position, source, head)| {
            let source = Source::from_ledger(&source).ok_or_else(|| unknown_source(position))?;
            Ok((source, head))
        });
        named.collect()
    }

    fn outlines(&self, which: Which, after: u64, most: usize) -> Result<Vec<Outline>, LedgerError> {
        let outlines = self.outlines(which, after, most).map_err(|error| reading(&error))?;
        let known = outlines.into_iter();
        known.map(|(position, outline)| outline.ok_or_else(|| unknown_source(position))).collect()
    }

    fn stored(&self, outlines: &[Outline]) -> Result<Vec<Result<Stored, LedgerError>>, LedgerError> {
        Ok(outlines.iter().map(|outline| pack::read(&self.connection, outline.batch.position)).collect())
    }

    fn sequences(&self, position: u64) -> Result<Sequences, LedgerError> {
        pack::sequences(&self.connection, position).map_err(|error| reading(&error))
    }

    fn since_mark(&self, source: Source) -> Result<u64, LedgerError> {
        let sql = "SELECT since_mark FROM batch
             WHERE source = ?1 AND position = (SELECT max(position) FROM batch WHERE source = ?1)";
        let found = self.connection.query_row(sql, [source.to_string()], |row| row.get(0).map(from_sql));
        Ok(found.optional().map_err(|error| reading(&error))?.unwrap_or(0))
    }

    fn id(&self) -> Result<Vec<u8>, LedgerError> {
        let sql = "SELECT value FROM meta WHERE key = 'id'";
        self.connection.query_row(sql, [], |row| row.get(0)).map_err(|error| reading(&error))
    }
}

fn outline(row: &rusqlite::Row<'_>) -> rusqlite::Result<(u64, Option<Outline>)> {
    let position = from_sql(row.get(0)?);
    let source: String = row.get(1)?;
    let batch = Source::from_ledger(&source).map(|source| {
        Ok::<_, rusqlite::Error>(Batch {
            position,
            source,
            epoch: row.get(2)?,
            committed_at: Timestamp::from_millis(row.get(3)?),
            committed_sequence: from_sql(row.get(4)?),
            rows: Vec::new(),
        })
    });
    let [rows, since_mark] = [row.get(5)?, row.get(6)?].map(from_sql);
    let moved = row.get::<_, Option<i64>>(7)?.zip(row.get(8)?);
    let moved = moved.map(|(first, last)| (from_sql(first), from_sql(last)));
    Ok((position, batch.transpose()?.map(|batch| Outline { batch, rows, since_mark, moved })))
}
