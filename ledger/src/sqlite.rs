//! The engine inside the process: SQLite.
//!
//! | file | holds |
//! |---|---|
//! | `schema` | tables, versions, connections |
//! | `write` | a group's transaction |
//! | `read` | look-ups of batches |
//! | `pack` | rows of a batch, in every format there was |

mod pack;
mod read;
mod schema;
mod write;

use std::ffi::OsString;
use std::fmt;
use std::fs::{File, TryLockError};
use std::path::Path;

use rusqlite::ErrorCode;

use crate::error::LedgerError;

pub(crate) use read::Tables;
pub(crate) use schema::migrate;
pub(crate) use write::Sqlite;

/// Locks the file `PATH.lock` beside the ledger for as long as what it gives lives, and makes what an earlier
/// process left in the log durable: it is going to count.
fn lock(path: &Path) -> Result<File, LedgerError> {
    let mut name = OsString::from(path);
    name.push(".lock");
    let failed = |error: &dyn fmt::Display| LedgerError::Open {
        place: path.into(),
        reason: format!("its lock file: {error}"),
    };
    let file = File::options().create(true).truncate(false).write(true).open(&name);
    let file = file.map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => match disk::renew_log(path) {
            Ok(()) => Ok(file),
            Err(error) => Err(LedgerError::Open { place: path.into(), reason: format!("its log: {error}") }),
        },
        Err(TryLockError::WouldBlock) => Err(LedgerError::InUse { place: path.into() }),
        Err(TryLockError::Error(error)) => Err(failed(&error)),
    }
}

/// A failure while writing. Only what is known to leave the file whole may be tried again.
fn writing(error: &rusqlite::Error) -> LedgerError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => LedgerError::DiskFull,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LedgerError::Busy,
        _ => LedgerError::Poisoned { reason: error.to_string() },
    }
}

/// A failure while reading.
fn reading(error: &rusqlite::Error) -> LedgerError {
    LedgerError::Read { reason: error.to_string() }
}
