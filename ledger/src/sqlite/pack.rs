//! The rows of a batch on disk, in every format there was.
//!
//! Batches are written as one `pack`; the first version wrote a `row` each, and these are read for
//! ever. Both are read as stubs with their bodies one behind the other.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, params};

use super::reading;
use super::schema::{from_sql, to_sql};
use crate::error::LedgerError;
use crate::pack::{FORMAT, Stub, read_stubs};
use crate::rows::Stored;
use crate::store::{Pack, Sequences};

/// A row of the first version whose body is the line as received; of any other it is the refusal.
const LINE: i64 = 0;
const REFUSED: i64 = 1;

/// Writes the rows of a batch.
pub(super) fn put(connection: &Connection, position: u64, pack: &Pack) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("INSERT INTO pack VALUES (?1, ?2, ?3, ?4)")?;
    statement.execute(params![to_sql(position), FORMAT, pack.stubs, pack.bodies])?;
    Ok(())
}

/// Reads the rows of a batch; none where it has none.
pub(super) fn read(connection: &Connection, position: u64) -> Result<Stored, LedgerError> {
    read_pack(connection, position).map_err(|error| reading(&error))?
}

fn read_pack(connection: &Connection, position: u64) -> rusqlite::Result<Result<Stored, LedgerError>> {
    let mut statement =
        connection.prepare_cached("SELECT format, stubs, bodies FROM pack WHERE position = ?1")?;
    let mut found = statement.query([to_sql(position)])?;
    let Some(row) = found.next()? else { return read_single(connection, position) };
    let blob = |at| row.get_ref(at).map(|value| value.as_blob().unwrap_or_default());
    Ok(Stored::unpack(position, row.get(0)?, blob(1)?, blob(2)?))
}

fn read_single(connection: &Connection, position: u64) -> rusqlite::Result<Result<Stored, LedgerError>> {
    let corrupt = |reason| Ok(Err(LedgerError::Corrupt { position, reason }));
    let mut statement = connection.prepare_cached(
        "SELECT sequence, previous, hash, format, body FROM row WHERE position = ?1 ORDER BY ordinal",
    )?;
    let mut found = statement.query([to_sql(position)])?;
    let mut stored = Stored::default();
    while let Some(row) = found.next()? {
        let Ok(hash) = row.get_ref(2)?.as_blob().unwrap_or_default().try_into() else {
            return corrupt("a hash has not its length");
        };
        let refused = match row.get(3)? {
            LINE => false,
            REFUSED => true,
            _ => return corrupt("a row has an unknown format"),
        };
        let count = |at| row.get::<_, Option<i64>>(at).map(|count| count.map(from_sql));
        let body = row.get_ref(4)?.as_blob().unwrap_or_default();
        stored.bodies.extend_from_slice(body);
        let (sequence, previous, length) = (count(0)?, count(1)?, body.len());
        stored.stubs.push(Stub { refused, sequence, previous, hash, length });
    }
    Ok(Ok(stored))
}

/// Sequence and hash of each row of a batch that has a sequence.
pub(super) fn sequences(connection: &Connection, position: u64) -> rusqlite::Result<Sequences> {
    let mut statement = connection.prepare_cached("SELECT stubs FROM pack WHERE position = ?1")?;
    let packed = statement.query_row([to_sql(position)], |row| {
        let stubs = read_stubs(position, row.get_ref(0)?.as_blob().unwrap_or_default());
        let damaged = || rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, "damaged".into());
        stubs.ok_or_else(damaged)
    });
    if let Some(stubs) = packed.optional()? {
        return Ok(stubs.iter().filter_map(|stub| Some((stub.sequence?, stub.hash))).collect());
    }
    let mut statement = connection
        .prepare_cached("SELECT sequence, hash FROM row WHERE position = ?1 AND sequence IS NOT NULL")?;
    let rows = statement.query_map([to_sql(position)], |row| Ok((from_sql(row.get(0)?), row.get(1)?)))?;
    rows.collect()
}
