use std::sync::mpsc::channel;

use eligibility::number::{LinkNumber, Serial};
use tempfile::TempDir;

use rusqlite::Connection;

use super::*;
use crate::offer::Offer;
use crate::sqlite::Sqlite;

struct Blank;

impl Memory for Blank {
    fn last_word(&self, _: Source, _: eligibility::feed::Subject) -> Option<u64> {
        None
    }
    fn owner(&self, _: Serial) -> Option<LinkNumber> {
        None
    }
}

fn writer(folder: &TempDir) -> Writer<Sqlite> {
    let path = folder.path().join("ledger");
    Writer {
        store: Box::new(Sqlite::open(&path, std::time::Duration::ZERO).unwrap()),
        followed: Followed {
            heads: HashMap::new(),
            position: 0,
            committed_at: Timestamp::from_millis(0),
            visible: Box::new(|_| {}),
            fingerprint: Fingerprint::Made(None),
        },
        id: Vec::new(),
        shared: Arc::default(),
        last: LastBatch::default(),
        memory: Box::new(Blank),
        now: Box::new(|| Timestamp::from_millis(1)),
        group_rows: 1,
        most_waiting: 1,
        poisoned: None,
    }
}

/// Lines that no record is: their refusals are small and many.
fn lines(from: u64, count: u64) -> Vec<Offer> {
    let line =
        |n| format!(r#"{{"source":"portal","sequence":{n},"kind":"link","serial":"{n}","deleted":1}}"#);
    (from..from + count).map(|n| Offer::from_line(Source::Portal, n, line(n).as_bytes())).collect()
}

fn append_of(offers: Vec<Offer>) -> Work {
    Work::Append(Source::Portal, offers.into(), Arc::default())
}

fn append(writer: &mut Writer<Sqlite>, offers: Vec<Offer>) -> Result<Appended, LedgerError> {
    let (told, outcome) = channel();
    let done: Done = Box::new(move |appended| told.send(appended).unwrap());
    writer.serve(vec![append_of(offers)], vec![done]);
    outcome.recv().unwrap()
}

fn limit(writer: &Writer<Sqlite>, pages: u32) {
    writer.store.connection.pragma_update(None, "max_page_count", pages).unwrap();
}

fn rows(writer: &Writer<Sqlite>) -> (u64, u64) {
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table}");
        writer.store.connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap() as u64
    };
    let rows =
        writer.store.connection.query_row("SELECT total(rows) FROM batch", [], |row| row.get::<_, f64>(0));
    assert_eq!(count("pack"), count("batch"));
    (rows.unwrap() as u64, count("batch"))
}

#[test]
fn a_full_disk_is_told_and_works_again_with_room() {
    let folder = TempDir::new().unwrap();
    let mut writer = writer(&folder);
    assert_eq!(append(&mut writer, lines(1, 10)).unwrap().committed_sequence, 10);
    limit(&writer, 1);
    assert_eq!(append(&mut writer, lines(11, 2_000)), Err(LedgerError::DiskFull));
    assert_eq!((rows(&writer), writer.followed.position), ((10, 1), 1));
    limit(&writer, 1_000_000);
    let appended = append(&mut writer, lines(5, 1_000)).unwrap();
    assert_eq!((appended.duplicates, appended.committed_sequence, appended.generation), (6, 1_004, 2));
}

#[test]
fn nothing_behind_a_failed_part_of_a_delivery_counts() {
    let folder = TempDir::new().unwrap();
    let mut writer = writer(&folder);
    let broken = Arc::<AtomicBool>::default();
    let part = |lines: Vec<Offer>| Work::Append(Source::Portal, lines.into(), Arc::clone(&broken));
    let (told, outcomes) = channel();
    let tell = || -> Done {
        let told = told.clone();
        Box::new(move |outcome| told.send(outcome.map(|appended| appended.committed_sequence)).unwrap())
    };
    limit(&writer, 1);
    writer.serve(vec![part(lines(1, 2_000))], vec![tell()]);
    limit(&writer, 1_000_000);
    writer.serve(vec![part(lines(2_001, 10)), append_of(lines(1, 5))], vec![tell(), tell()]);
    let outcomes: Vec<_> = outcomes.try_iter().collect();
    assert_eq!(outcomes, [Err(LedgerError::DiskFull), Err(LedgerError::Interrupted), Ok(5)]);
    assert_eq!(rows(&writer), (5, 1));
}

#[test]
fn what_is_not_committed_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let mut writer = writer(&folder);
    append(&mut writer, lines(1, 1)).unwrap();
    {
        let Writer { store, followed: Followed { heads, .. }, last, memory, .. } = &mut writer;
        let mut transaction = store.begin().unwrap();
        let at = (1, Timestamp::from_millis(1));
        let mut group = Group::new(&mut *transaction, memory.as_ref(), last, heads, at);
        assert_eq!(group.append(Source::Portal, lines(2, 5).into()).unwrap().generation, 2);
        assert_eq!(group.put().unwrap().0.len(), 1);
    }
    assert_eq!(rows(&writer), (1, 1));
    assert_eq!(append(&mut writer, lines(2, 5)).unwrap().generation, 2);
}

#[test]
fn a_failure_that_is_not_understood_ends_all_writing() {
    let folder = TempDir::new().unwrap();
    let mut writer = writer(&folder);
    writer.store.connection.execute("DROP TABLE quarantine", []).unwrap();
    let first = append(&mut writer, lines(1, 1));
    assert!(matches!(first, Err(LedgerError::Poisoned { .. })));
    writer.store.connection.execute_batch("CREATE TABLE quarantine (a, b, c, d, e)").unwrap();
    assert_eq!(append(&mut writer, lines(1, 1)), first);
    assert_eq!(rows(&writer), (0, 0));
}

#[test]
fn another_program_that_locks_the_file_is_waited_out() {
    let folder = TempDir::new().unwrap();
    let mut writer = writer(&folder);
    let other = Connection::open(folder.path().join("ledger")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(append(&mut writer, lines(1, 1)), Err(LedgerError::Busy));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(append(&mut writer, lines(1, 1)).unwrap().committed_sequence, 1);
}

#[test]
fn a_callback_that_panics_harms_nobody() {
    let folder = TempDir::new().unwrap();
    let mut writer = writer(&folder);
    writer.serve(vec![append_of(Vec::new())], vec![Box::new(|_| panic!("at the caller's side"))]);
    assert!(append(&mut writer, lines(1, 1)).is_ok());
}
