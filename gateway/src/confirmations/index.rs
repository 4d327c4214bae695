//! Where each institution's answers lie: a SQLite file that can always be made anew.

use std::path::Path;

use eligibility::day::Day;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use crate::audit::Keys;
use crate::audit::confirmed::{Progress, Spot, since};
use crate::background::give_way;

/// The version of the tables. An index of another version is made anew.
const VERSION: i64 = 1;
/// Places written in one go.
const GROUP: usize = 10_000;
/// Records after which desks go first.
const STRETCH: usize = 8;

/// Why the index does not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum IndexError {
    /// SQLite's own error.
    #[error("index of confirmations: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The files cannot be read.
    #[error("audit files: {0}")]
    Files(#[from] std::io::Error),
    /// There is no record where the index says.
    #[error("no record where the index says: remove confirmations.sqlite, it is made anew")]
    Place,
}

pub(super) struct Index(Connection);

impl Index {
    /// For writing; made anew when it is missing, broken, or of another version.
    pub(super) fn open(path: &Path) -> Result<Self, IndexError> {
        if let Ok(index) = Self::prepare(path) {
            return Ok(index);
        }
        tracing::warn!("index of confirmations made anew");
        for end in ["", "-wal", "-shm"] {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            match std::fs::remove_file(&name) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Self::prepare(path)
    }

    fn prepare(path: &Path) -> Result<Self, IndexError> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == 0 {
            connection.execute_batch(
                "BEGIN;
                 CREATE TABLE place (institution INTEGER, number INTEGER, day INTEGER, part INTEGER,
                     octet INTEGER, ordinal INTEGER, PRIMARY KEY (institution, number)) WITHOUT ROWID;
                 CREATE TABLE progress (one INTEGER PRIMARY KEY CHECK (one = 1), day INTEGER, part INTEGER,
                     octet INTEGER, frame INTEGER, record INTEGER, before BLOB);
                 PRAGMA user_version = 1;
                 COMMIT;",
            )?;
        } else if version != VERSION {
            return Err(IndexError::Place);
        }
        // A torn file shows when it is read.
        connection.query_row("SELECT count(*) FROM progress", [], |row| row.get::<_, i64>(0))?;
        Ok(Self(connection))
    }

    /// For reading beside the writer.
    pub(super) fn read(path: &Path) -> Result<Self, IndexError> {
        Ok(Self(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?))
    }

    /// The places of these institutions' answers from this number on, in order.
    pub(super) fn page(&self, codes: &[u64], from: i64, most: usize) -> Result<Vec<Spot>, IndexError> {
        let mut select = self.0.prepare(
            "SELECT number, day, part, octet, ordinal FROM place
             WHERE institution = ?1 AND number >= ?2 ORDER BY number LIMIT ?3",
        )?;
        let mut spots = Vec::new();
        for code in codes {
            let rows = select.query_map(params![*code as i64, from, most as i64], |row| {
                Ok(Spot {
                    number: row.get::<_, i64>(0)? as u64,
                    day: Day::from_number(row.get(1)?),
                    part: row.get(2)?,
                    octet: row.get::<_, i64>(3)? as u64,
                    ordinal: row.get(4)?,
                    institution: *code,
                })
            })?;
            for spot in rows {
                spots.push(spot?);
            }
        }
        spots.sort_by_key(|spot| spot.number);
        spots.truncate(most);
        Ok(spots)
    }

    /// Takes in what was written since the last time.
    pub(super) fn follow(&mut self, folder: &Path, keys: &Keys) -> Result<(), IndexError> {
        loop {
            let progress = self.progress()?;
            let (spots, reached) = since(folder, keys, progress.as_ref(), GROUP)?;
            if reached == progress {
                return Ok(());
            }
            let transaction = self.0.transaction()?;
            {
                let mut insert = transaction
                    .prepare_cached("INSERT OR REPLACE INTO place VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
                for (at, spot) in spots.iter().enumerate() {
                    if at.is_multiple_of(STRETCH) {
                        give_way();
                    }
                    let Spot { institution, number, day, part, octet, ordinal } = spot;
                    let (institution, number, octet) = (*institution as i64, *number as i64, *octet as i64);
                    insert.execute(params![institution, number, day.number(), part, octet, ordinal])?;
                }
            }
            if let Some(reached) = reached {
                let Progress { day, part, octet, frame, record, before } = reached;
                transaction.execute(
                    "INSERT OR REPLACE INTO progress VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
                    params![day.number(), part, octet as i64, frame as i64, record as i64, before],
                )?;
            }
            transaction.commit()?;
        }
    }

    fn progress(&self) -> Result<Option<Progress>, IndexError> {
        let select = "SELECT day, part, octet, frame, record, before FROM progress";
        let progress = self.0.query_row(select, [], |row| {
            Ok(Progress {
                day: Day::from_number(row.get(0)?),
                part: row.get(1)?,
                octet: row.get::<_, i64>(2)? as u64,
                frame: row.get::<_, i64>(3)? as u64,
                record: row.get::<_, i64>(4)? as u64,
                before: row.get(5)?,
            })
        });
        Ok(progress.optional()?)
    }
}
