//! Tables, versions and connections.
//!
//! | table | one row is |
//! |---|---|
//! | `meta` | a fact on the file: `version` of the schema, `id` of the ledger |
//! | `batch` | a batch; a source's last batch is its head |
//! | `pack` | the rows of a batch, as [`crate::pack`] has them |
//! | `quarantine` | the place of a refused row, by the name under which it is found again |
//! | `act` | a batch with an act of the gateway's own that is no link |
//! | `row` | of version 1, a record: format 0 the line as received, format 1 [`eligibility::feed::Refused`] |
//!
//! A file of version 1 is made one of version 2 when it is opened: nothing that it holds is changed.
//! Rows are never updated. The only index beside the keys is over `(source, epoch, first_sequence)`
//! of batches: an index on a random key would make intake slower with every row.

use std::cmp::Ordering;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::LedgerError;

/// The schema this program writes, and the latest it reads.
pub(super) const VERSION: i64 = 2;

const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE batch (
    position INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    first_sequence INTEGER,
    last_sequence INTEGER,
    committed_sequence INTEGER NOT NULL,
    since_mark INTEGER NOT NULL,
    committed_at INTEGER NOT NULL,
    rows INTEGER NOT NULL
);
CREATE INDEX batch_by_sequence ON batch (source, epoch, first_sequence);
CREATE TABLE row (
    position INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    sequence INTEGER,
    kind TEXT,
    previous INTEGER,
    hash BLOB NOT NULL,
    format INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (position, ordinal)
) WITHOUT ROWID;
CREATE TABLE quarantine (
    source TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (source, epoch, name, position, ordinal)
) WITHOUT ROWID;
";

/// What version 2 added.
const ADDED: &str = "
CREATE TABLE pack (
    position INTEGER PRIMARY KEY,
    format INTEGER NOT NULL,
    stubs BLOB NOT NULL,
    bodies BLOB NOT NULL
);
CREATE TABLE act (
    kind TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (kind, position)
) WITHOUT ROWID;
ALTER TABLE quarantine ADD COLUMN hash BLOB;
INSERT INTO act SELECT DISTINCT kind, position FROM row JOIN batch USING (position)
    WHERE source = 'gateway' AND kind <> 'link';
INSERT INTO meta VALUES ('id', randomblob(16));
";

/// Pages of the log from which on they are written into the file.
const CHECKPOINT_PAGES: i32 = 1_000;

/// Makes the tables, or brings older ones to this version. Tells the version before and after; 0 is none.
pub(crate) fn migrate(path: &Path, busy: Duration) -> Result<(i64, i64), LedgerError> {
    let _lock = super::lock(path)?;
    let before = match path.exists() {
        true => version(&Connection::open(path).map_err(|error| opening(path, &error))?, path)?,
        false => 0,
    };
    open_writer(path, busy)?;
    Ok((before, VERSION))
}

/// Opens the connection that writes, making the tables in a new file.
pub(super) fn open_writer(path: &Path, busy: Duration) -> Result<Connection, LedgerError> {
    let failed = |error: rusqlite::Error| opening(path, &error);
    make_private(path)?;
    let mut connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(busy).map_err(failed)?;
    if is_empty(&connection).map_err(failed)? {
        create(&connection).map_err(failed)?;
    }
    if version(&connection, path)? == 1 {
        connection
            .execute_batch(&format!(
                "BEGIN IMMEDIATE; {ADDED} UPDATE meta SET value = {VERSION} WHERE key = 'version'; COMMIT;"
            ))
            .map_err(failed)?;
    }
    check_version(&connection, path)?;
    // WAL with FULL: every commit is synced before it is acknowledged, and readers never wait.
    if !has_log(&connection).map_err(failed)? {
        let reason = "its disk does not take a log of changes".to_owned();
        return Err(LedgerError::Open { place: path.into(), reason });
    }
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    // What is deleted is not to be found in the file any more.
    connection.pragma_update(None, "secure_delete", true).map_err(failed)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20).map_err(failed)?;
    // What is in the log goes into the file: from here on the file alone is the ledger.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(failed)?;
    connection.wal_hook(Some(checkpoint)).map_err(failed)?;
    Ok(connection)
}

/// Has changes written into a log; false where that cannot be, as the pragma says by the mode it gives.
/// It says so before it is done: whoever reads no further is not told that it failed.
fn has_log(connection: &Connection) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare("PRAGMA journal_mode = WAL")?;
    let mut modes = statement.query([])?;
    let mut is_log = false;
    while let Some(mode) = modes.next()? {
        is_log = mode.get::<_, String>(0)? == "wal";
    }
    Ok(is_log)
}

/// Writes what is in the log into the file, once it is much. SQLite's own way of it keeps a failing disk
/// to itself; here it fails the commit that met it. The log outlives a full disk, and readers in the way.
fn checkpoint(log: &mut Wal, pages: i32) -> rusqlite::Result<()> {
    if pages < CHECKPOINT_PAGES {
        return Ok(());
    }
    log.checkpoint().or_else(|error| match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Ok(()),
        _ => Err(error),
    })
}

/// Opens a connection that can only read.
pub(super) fn open_reader(path: &Path, busy: Duration) -> Result<Connection, LedgerError> {
    let failed = |error: rusqlite::Error| opening(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(busy).map_err(failed)?;
    check_version(&connection, path)?;
    Ok(connection)
}

/// Makes the file, if it is not there, readable by its owner alone; SQLite gives the files beside
/// it the same mode.
fn make_private(path: &Path) -> Result<(), LedgerError> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    file.map(drop).map_err(|error| LedgerError::Open { place: path.into(), reason: error.to_string() })
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    // Batches of few records share a page, those of many leave little of their last page empty.
    connection.pragma_update(None, "page_size", 16_384)?;
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {TABLES} {ADDED} INSERT INTO meta VALUES ('version', {VERSION}); COMMIT;"
    ))
}

fn version(connection: &Connection, path: &Path) -> Result<i64, LedgerError> {
    connection
        .query_row("SELECT value FROM meta WHERE key = 'version'", [], |row| row.get::<_, i64>(0))
        .map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::CannotOpen) => opening(path, &error),
            _ => LedgerError::NotALedger { place: path.into() },
        })
}

fn check_version(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let found = version(connection, path)?;
    let place = path.into();
    match found.cmp(&VERSION) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(LedgerError::NewerSchema { place, found, known: VERSION }),
        Ordering::Less => Err(LedgerError::NotALedger { place }),
    }
}

fn opening(path: &Path, error: &rusqlite::Error) -> LedgerError {
    let place = path.into();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => LedgerError::NotALedger { place },
        Some(ErrorCode::DiskFull) => LedgerError::DiskFull,
        _ => LedgerError::Open { place, reason: error.to_string() },
    }
}

/// A count as SQLite keeps it. Nothing here comes near the limit: sequences are read below 2^63.
pub(super) fn to_sql(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A count as SQLite kept it; a negative one, which was never written, counts as 0.
pub(super) fn from_sql(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
