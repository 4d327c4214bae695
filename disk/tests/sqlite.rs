//! SQLite on a disk that fails: what it has committed is there after any crash, and this test would see
//! if it were not.

#![cfg(feature = "faulty")]
#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

use disk::faulty::{End, Fault, Faulty};
use rusqlite::Connection;
use rusqlite::hooks::Wal;
use tempfile::TempDir;

const ROUNDS: i64 = 6;

fn open(disk: &Faulty, synchronous: &str) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open(disk.root().join("base"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    // What fails in SQLite's own checkpoints nobody is told.
    connection.wal_hook(Some(|log: &mut Wal, pages| if pages < 4 { Ok(()) } else { log.checkpoint() }))?;
    connection.execute("CREATE TABLE IF NOT EXISTS row (number INTEGER PRIMARY KEY, body BLOB)", [])?;
    Ok(connection)
}

/// Adds rows, two a transaction, and tells how many are committed. A second connection reads.
fn add(disk: &Faulty, synchronous: &str) -> i64 {
    let mut committed = 0;
    let mut work = || -> rusqlite::Result<()> {
        let mut connection = open(disk, synchronous)?;
        let reader = open(disk, synchronous)?;
        for round in 0..ROUNDS {
            let transaction = connection.transaction()?;
            for number in [round * 2 + 1, round * 2 + 2] {
                transaction
                    .execute("INSERT INTO row VALUES (?1, ?2)", (number, vec![number as u8; 3_000]))?;
            }
            transaction.commit()?;
            committed = round * 2 + 2;
            assert_eq!(count(&reader)?, committed);
        }
        Ok(())
    };
    let worked = work();
    assert!(worked.is_err() || committed == ROUNDS * 2);
    committed
}

fn count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM row", [], |row| row.get(0))
}

/// What is there after the operation with this number was struck, beside what was committed.
fn after(at: u64, fault: Fault, end: End, synchronous: &str) -> (i64, i64, Option<String>) {
    let folder = TempDir::new().unwrap();
    let disk = Faulty::new(folder.path(), at).unwrap();
    disk.strike(at, fault);
    let committed = add(&disk, synchronous);
    disk.kill();
    let struck = disk.struck();
    disk.restart(end).unwrap();
    let connection = open(&disk, synchronous).unwrap();
    let whole: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok", "{struck:?}");
    (committed, count(&connection).unwrap(), struck)
}

#[test]
fn what_is_committed_is_there_whatever_fails() {
    for fault in [Fault::Kill, Fault::Fail, Fault::Full] {
        for end in [End::Process, End::Power] {
            let mut struck_at_all = 0;
            for at in 1.. {
                let (committed, there, struck) = after(at, fault, end, "FULL");
                assert!(
                    there >= committed && there % 2 == 0,
                    "{committed} committed, {there} there: {struck:?}"
                );
                if struck.is_none() {
                    break;
                }
                struck_at_all += 1;
            }
            assert!(struck_at_all > 40, "{struck_at_all}");
        }
    }
}

#[test]
fn who_does_not_wait_for_the_disk_loses() {
    let lost = (1..200).any(|at| {
        std::panic::catch_unwind(|| {
            let (committed, there, _) = after(at, Fault::Kill, End::Power, "OFF");
            there < committed
        })
        // Nor is what is left always a database.
        .unwrap_or(true)
    });
    assert!(lost, "the power went 199 times, and nothing was lost");
}
