//! Replay in order, and the history of one subject.
//!
//! What is read is checked: positions without gap, as many rows as the batch says, accepted lines
//! against their hash.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::digest;
use eligibility::day::Timestamp;
use eligibility::feed::{Kind, Source, Subject};
use memchr::memmem::Finder;
use rusqlite::{Connection, OptionalExtension, ToSql};

use crate::batch::{Batch, Content, Row, Told};
use crate::error::LedgerError;
use crate::group::Head;
use crate::rows::{self, Stored};
use crate::schema::{self, from_sql, to_sql};

/// Rows after which a read takes no further batch, so that one read stays within some megabytes.
const ENOUGH_ROWS: u64 = 16_384;

/// Reads the ledger on a connection of its own, beside the writer.
pub struct Reader {
    connection: Connection,
}

/// A batch without its rows, and how many it has.
struct Outline {
    batch: Batch,
    rows: u64,
}

impl Reader {
    pub(crate) fn open(path: &Path, busy: Duration) -> Result<Self, LedgerError> {
        schema::open_reader(path, busy).map(|connection| Self { connection })
    }

    /// Position and commit time of the last batch.
    pub(crate) fn last(&self) -> Result<Option<(u64, Timestamp)>, LedgerError> {
        let sql = "SELECT position, committed_at FROM batch ORDER BY position DESC LIMIT 1";
        let last = self
            .connection
            .query_row(sql, [], |row| Ok((from_sql(row.get(0)?), Timestamp::from_millis(row.get(1)?))));
        last.optional().map_err(|error| LedgerError::reading(&error))
    }

    /// The batches after this position, in order; none at the end. At most `most` batches, and
    /// fewer, yet at least one, where they hold many rows.
    ///
    /// # Errors
    /// `Read` when the file cannot be read, `Corrupt` when it does not say what was written.
    pub fn read(&self, after: u64, most: usize) -> Result<Vec<Batch>, LedgerError> {
        let mut batches = Vec::new();
        let mut rows = 0;
        for mut head in self.heads_after(after, most)? {
            if rows >= ENOUGH_ROWS {
                break;
            }
            let position = head.batch.position;
            if position != after + 1 + batches.len() as u64 {
                return Err(corrupt(position, "a batch before it is missing"));
            }
            head.batch.rows = self.rows(position, head.batch.source, None)?;
            if head.batch.rows.len() as u64 != head.rows {
                return Err(corrupt(position, "it has not as many rows as it says"));
            }
            rows += head.rows;
            batches.push(head.batch);
        }
        Ok(batches)
    }

    /// One source's batches after a position, in order. The next page is after the last one's
    /// position; an empty one is the end.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn read_source(&self, source: Source, after: u64, most: usize) -> Result<Vec<Batch>, LedgerError> {
        let heads = self.heads(
            "WHERE source = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
            rusqlite::params![source.to_string(), to_sql(after), to_sql(most as u64)],
        )?;
        self.filled(heads)
    }

    fn heads_after(&self, after: u64, most: usize) -> Result<Vec<Outline>, LedgerError> {
        let parameters = rusqlite::params![to_sql(after), to_sql(most as u64)];
        self.heads("WHERE position > ?1 ORDER BY position LIMIT ?2", parameters)
    }

    fn heads(&self, which: &str, parameters: &[&dyn ToSql]) -> Result<Vec<Outline>, LedgerError> {
        const COLUMNS: &str =
            "SELECT position, source, epoch, committed_at, committed_sequence, rows FROM batch";
        let read = || {
            let mut statement = self.connection.prepare_cached(&format!("{COLUMNS} {which}"))?;
            statement.query_map(parameters, head_of)?.collect::<rusqlite::Result<Vec<_>>>()
        };
        let heads = read().map_err(|error| LedgerError::reading(&error))?;
        heads
            .into_iter()
            .map(|(position, head)| head.ok_or(corrupt(position, "it has no known source")))
            .collect()
    }

    /// Rows of a batch; with a subject, those that may be accepted words on it.
    fn rows(&self, position: u64, source: Source, of: Option<&Wanted>) -> Result<Vec<Row>, LedgerError> {
        let stored =
            Stored::read(&self.connection, position).map_err(|error| LedgerError::reading(&error))?;
        let stored = stored.map_err(|reason| corrupt(position, reason))?;
        let mut rows = Vec::with_capacity(if of.is_some() { 1 } else { stored.len() });
        for (stub, body) in stored.each() {
            if of.is_none_or(|wanted| !stub.refused && wanted.may_be(body)) {
                rows.push(rows::row(stub, body, source).map_err(|reason| corrupt(position, reason))?);
            }
        }
        Ok(rows)
    }

    /// The batches after this position with an act of the gateway's own of this kind, in order: its
    /// links excepted, which memory has. The next page is after the last one's position; an empty one
    /// is the end.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn acts(&self, kind: Kind, after: u64, most: usize) -> Result<Vec<Batch>, LedgerError> {
        let heads = self.heads(
            "JOIN act USING (position) WHERE kind = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
            rusqlite::params![kind.word(), to_sql(after), to_sql(most as u64)],
        )?;
        self.filled(heads)
    }

    /// How many records were read of a source since its last accepted mark.
    ///
    /// # Errors
    /// `Read` when the file cannot be read.
    pub fn since_mark(&self, source: Source) -> Result<u64, LedgerError> {
        let sql = "SELECT since_mark FROM batch
             WHERE source = ?1 AND position = (SELECT max(position) FROM batch WHERE source = ?1)";
        let found = self.connection.query_row(sql, [source.to_string()], |row| row.get(0).map(from_sql));
        Ok(found.optional().map_err(|error| LedgerError::reading(&error))?.unwrap_or(0))
    }

    fn filled(&self, heads: Vec<Outline>) -> Result<Vec<Batch>, LedgerError> {
        let filled = heads.into_iter().map(|Outline { mut batch, .. }| {
            batch.rows = self.rows(batch.position, batch.source, None)?;
            Ok(batch)
        });
        filled.collect()
    }

    /// What this ledger, and no other and no other history of it, says up to this position: SHA-256
    /// over its identity and over place, time and hashes of the batch there. `None` where it has none.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn fingerprint(&self, position: u64) -> Result<Option<[u8; 32]>, LedgerError> {
        let failed = |error: rusqlite::Error| LedgerError::reading(&error);
        let Some(Outline { batch, rows }) = self
            .heads_after(position.saturating_sub(1), 1)?
            .pop()
            .filter(|one| one.batch.position == position)
        else {
            return Ok(None);
        };
        let sql = "SELECT value FROM meta WHERE key = 'id'";
        let id: Vec<u8> = self.connection.query_row(sql, [], |row| row.get(0)).map_err(failed)?;
        let mut sum = digest::Context::new(&digest::SHA256);
        sum.update(&id);
        sum.update(batch.source.to_string().as_bytes());
        for number in [position, batch.committed_sequence, u64::from(batch.epoch), rows] {
            sum.update(&number.to_le_bytes());
        }
        sum.update(&batch.committed_at.millis().to_le_bytes());
        for (sequence, hash) in rows::sequences(&self.connection, position).map_err(failed)? {
            sum.update(&sequence.to_le_bytes());
            sum.update(&hash);
        }
        Ok(sum.finish().as_ref().try_into().ok())
    }

    /// What a source said of a subject, newest first, at most `most` records: the accepted ones,
    /// from the batch at `last_word` (as memory knows it) along the rows' `previous`.
    ///
    /// # Errors
    /// As [`Reader::read`]; `Corrupt` also where the chain leads to no such record.
    pub fn history(
        &self,
        source: Source,
        subject: Subject,
        last_word: u64,
        most: usize,
    ) -> Result<Vec<Told>, LedgerError> {
        let wanted = Wanted::new(subject);
        let mut told = Vec::new();
        let mut next = Some(last_word);
        while let Some(position) = next.filter(|_| told.len() < most) {
            let head = self.heads_after(position.saturating_sub(1), 1)?.pop();
            let head = head.filter(|head| head.batch.position == position && head.batch.source == source);
            let Some(Outline { batch, .. }) = head else {
                return Err(corrupt(position, "a history leads to no batch of its source"));
            };
            next = None;
            let mut any = false;
            for row in self.rows(position, source, Some(&wanted))?.into_iter().rev() {
                let Content::Accepted(record) = row.content else { continue };
                if record.said.subject() != Some(subject) {
                    continue;
                }
                any = true;
                next = row.previous.filter(|previous| *previous < position);
                told.push(Told { position, committed_at: batch.committed_at, record });
            }
            if !any {
                return Err(corrupt(position, "a history leads to a batch without its subject"));
            }
        }
        told.truncate(most);
        Ok(told)
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

/// Which rows a history has to parse: most of a batch can be told apart by a look at their bytes.
struct Wanted {
    digits: Finder<'static>,
}

impl Wanted {
    fn new(subject: Subject) -> Self {
        let digits = match subject {
            Subject::Person(number) => number.reveal(),
            Subject::Card(serial) => serial.reveal(),
        };
        Self { digits: Finder::new(&digits).into_owned() }
    }

    fn may_be(&self, line: &[u8]) -> bool {
        // An escape may spell the digits.
        self.digits.find(line).is_some() || memchr::memchr(b'\\', line).is_some()
    }
}

fn head_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<(u64, Option<Outline>)> {
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
    let rows = from_sql(row.get(5)?);
    Ok((position, batch.transpose()?.map(|batch| Outline { batch, rows })))
}

const fn corrupt(position: u64, reason: &'static str) -> LedgerError {
    LedgerError::Corrupt { position, reason }
}

/// Where every source stands.
pub(crate) fn heads(connection: &Connection) -> Result<HashMap<Source, Head>, LedgerError> {
    let read = || {
        let mut statement = connection.prepare(
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
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    let rows = read().map_err(|error| LedgerError::reading(&error))?;
    rows.into_iter()
        .map(|(position, source, head)| match Source::from_ledger(&source) {
            Some(source) => Ok((source, head)),
            None => Err(corrupt(position, "it has no known source")),
        })
        .collect()
}
