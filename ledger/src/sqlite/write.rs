//! A group's transaction.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use eligibility::feed::Source;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::schema::{from_sql, to_sql};
use super::{lock, pack, schema, writing};
use crate::error::LedgerError;
use crate::rows;
use crate::store::{self, Sealed, Sequences, Span, Store};

/// The file and the connection that writes.
pub(crate) struct Sqlite {
    pub(crate) connection: Connection,
    _lock: File,
}

impl Sqlite {
    /// Opens the file, making it where there is none.
    pub(crate) fn open(path: &Path, busy: Duration) -> Result<Self, LedgerError> {
        let lock = lock(path)?;
        Ok(Self { connection: schema::open_writer(path, busy)?, _lock: lock })
    }
}

impl Store for Sqlite {
    fn begin(&mut self) -> Result<Box<dyn store::Transaction + '_>, LedgerError> {
        let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        Ok(Box::new(begun.map_err(|error| writing(&error))?))
    }

    fn is_whole(&self) -> bool {
        self.connection.is_autocommit()
    }

    fn adopt(&mut self, id: &[u8]) -> Result<(), LedgerError> {
        let done = self.connection.execute("UPDATE meta SET value = ?1 WHERE key = 'id'", [id]);
        done.map(drop).map_err(|error| writing(&error))
    }
}

impl store::Transaction for Transaction<'_> {
    fn spanning(&mut self, of: (Source, u32), sequence: u64) -> Result<Option<Span>, LedgerError> {
        spanning(self, of, sequence).map_err(|error| writing(&error))
    }

    fn sequences(&mut self, position: u64) -> Result<Sequences, LedgerError> {
        pack::sequences(self, position).map_err(|error| writing(&error))
    }

    fn quarantined(&mut self, of: (Source, u32), name: &str) -> Result<Vec<[u8; 16]>, LedgerError> {
        quarantined(self, of, name).map_err(|error| writing(&error))
    }

    fn put(&mut self, sealed: Sealed<'_>) -> Result<(), LedgerError> {
        put(self, &sealed).map_err(|error| writing(&error))
    }

    fn commit(self: Box<Self>) -> Result<(), LedgerError> {
        Transaction::commit(*self).map_err(|error| writing(&error))
    }
}

fn spanning(
    connection: &Connection,
    (source, epoch): (Source, u32),
    sequence: u64,
) -> rusqlite::Result<Option<Span>> {
    let mut statement = connection.prepare_cached(
        "SELECT position, first_sequence, last_sequence FROM batch
         WHERE source = ?1 AND epoch = ?2 AND first_sequence <= ?3
         ORDER BY first_sequence DESC LIMIT 1",
    )?;
    let found = statement.query_row(params![source.to_string(), epoch, to_sql(sequence)], |row| {
        let [position, first, last] = [row.get(0)?, row.get(1)?, row.get(2)?].map(from_sql);
        Ok(Span { position, first, last })
    });
    Ok(found.optional()?.filter(|span| sequence <= span.last))
}

fn quarantined(
    connection: &Connection,
    (source, epoch): (Source, u32),
    name: &str,
) -> rusqlite::Result<Vec<[u8; 16]>> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(quarantine.hash, row.hash) FROM quarantine LEFT JOIN row USING (position, ordinal)
         WHERE source = ?1 AND epoch = ?2 AND name = ?3",
    )?;
    statement.query_map(params![source.to_string(), epoch, name], |row| row.get(0))?.collect()
}

fn put(connection: &Connection, sealed: &Sealed<'_>) -> rusqlite::Result<()> {
    let Sealed { batch, since_mark, moved, pack } = sealed;
    let (position, source) = (to_sql(batch.position), batch.source.to_string());
    if let Some(pack) = pack {
        pack::put(connection, batch.position, pack)?;
    }
    connection.prepare_cached("INSERT INTO batch VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?.execute(
        params![
            position,
            source,
            batch.epoch,
            moved.map(|(first, _)| to_sql(first)),
            moved.map(|(_, last)| to_sql(last)),
            to_sql(batch.committed_sequence),
            to_sql(*since_mark),
            batch.committed_at.millis(),
            to_sql(batch.rows.len() as u64),
        ],
    )?;
    let mut note = connection.prepare_cached("INSERT INTO quarantine VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for (ordinal, row) in rows::refused(batch) {
        note.execute(params![source, batch.epoch, row.name(), position, to_sql(ordinal as u64), row.hash])?;
    }
    if let Some(kind) = rows::act(batch) {
        connection
            .prepare_cached("INSERT INTO act VALUES (?1, ?2)")?
            .execute(params![kind.word(), position])?;
    }
    Ok(())
}
