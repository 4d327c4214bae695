//! Replay in order, and the history of one subject.
//!
//! What is read is checked: positions without gap, as many rows as the batch says, accepted lines
//! against their hash.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use eligibility::day::Timestamp;
use eligibility::feed::{Kind, Record, Refused, Source, Subject};
use rusqlite::{Connection, OptionalExtension, ToSql};

use crate::batch::{Batch, Content, Row, Told};
use crate::error::LedgerError;
use crate::group::{FORMAT_LINE, FORMAT_REFUSED, Head};
use crate::offer::hash;
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
        let filled = heads.into_iter().map(|Outline { mut batch, .. }| {
            batch.rows = self.rows(batch.position, source, None)?;
            Ok(batch)
        });
        filled.collect()
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

    /// Rows of a batch; with a subject, those that may be of this kind and subject, and are accepted.
    fn rows(&self, position: u64, source: Source, of: Option<&Wanted>) -> Result<Vec<Row>, LedgerError> {
        let failed = |error: rusqlite::Error| LedgerError::reading(&error);
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT sequence, previous, hash, format, body, kind FROM row
                 WHERE position = ?1 ORDER BY ordinal",
            )
            .map_err(failed)?;
        let mut found = statement.query([to_sql(position)]).map_err(failed)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(failed)? {
            if let Some(wanted) = of
                && !wanted.may_be(row).map_err(failed)?
            {
                continue;
            }
            let mut hash = [0; 16];
            let stored = row.get_ref(2).map_err(failed)?.as_blob().unwrap_or_default();
            if stored.len() != hash.len() {
                return Err(corrupt(position, "a hash has not its length"));
            }
            hash.copy_from_slice(stored);
            let body = row.get_ref(4).map_err(failed)?.as_blob().unwrap_or_default();
            let format = row.get(3).map_err(failed)?;
            let content = content(format, body, &hash, source).map_err(|reason| corrupt(position, reason))?;
            let count = |at| row.get::<_, Option<i64>>(at).map(|count| count.map(from_sql)).map_err(failed);
            rows.push(Row { sequence: count(0)?, previous: count(1)?, hash, content });
        }
        Ok(rows)
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
    kinds: [Kind; 2],
    digits: String,
}

impl Wanted {
    fn new(subject: Subject) -> Self {
        match subject {
            Subject::Person(number) => Self { kinds: [Kind::Member, Kind::Subsidy], digits: number.reveal() },
            Subject::Card(serial) => Self { kinds: [Kind::Link, Kind::Renewal], digits: serial.reveal() },
        }
    }

    fn may_be(&self, row: &rusqlite::Row<'_>) -> rusqlite::Result<bool> {
        let kind = row.get_ref(5)?;
        if !self.kinds.iter().any(|wanted| kind.as_str().is_ok_and(|word| word == wanted.word())) {
            return Ok(false);
        }
        let body = row.get_ref(4)?;
        let body = body.as_blob().unwrap_or_default();
        // An escape may spell the digits.
        let holds = || body.windows(self.digits.len()).any(|window| window == self.digits.as_bytes());
        Ok(row.get::<_, i64>(3)? == FORMAT_LINE && (body.contains(&b'\\') || holds()))
    }
}

fn content(format: i64, body: &[u8], own_hash: &[u8; 16], source: Source) -> Result<Content, &'static str> {
    match format {
        FORMAT_LINE if hash(body) != *own_hash => Err("a record does not agree with its hash"),
        FORMAT_LINE => match Record::from_json(body) {
            Ok(record) if record.source == source => Ok(Content::Accepted(record)),
            _ => Err("a record cannot be read"),
        },
        FORMAT_REFUSED => {
            Refused::from_json(body).map(Content::Refused).ok_or("a refused record cannot be read")
        }
        _ => Err("a row has an unknown format"),
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
