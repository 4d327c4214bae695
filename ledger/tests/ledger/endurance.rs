//! Restarts, refusals to open, full queues, damage.

use std::sync::mpsc::channel;
use std::time::Duration;

use crate::support::{Engine, House, NOW, city, insurer, mark, member, open, over_both};
use eligibility::day::Timestamp;
use ledger::{Ledger, LedgerError, MOST_OFFERS, Memory, Offer, Options};
use rusqlite::Connection;

over_both!(a_restart_changes_no_decision);

fn a_restart_changes_no_decision(engine: Engine) {
    let mut house = House::on(engine);
    let lines = [member(1, 1, "a", ""), member(3, 1, "", ""), member(2, 1, "b", ""), "{".to_owned()];
    let first = house.feed(insurer(), &lines);
    let visible = house.followed.lock().unwrap().batches.clone();
    house.reopen();
    assert_eq!(house.followed.lock().unwrap().batches, visible);
    let again = house.feed(insurer(), &lines);
    assert_eq!((again.accepted, again.duplicates, again.committed_sequence), (0, 4, 3));
    assert_eq!(again.generation, first.generation);
    let mark = mark(insurer(), 4, NOW, Some(4));
    assert_eq!(house.feed(insurer(), &[mark]).accepted, 1);
}

#[test]
fn one_process_at_a_time() {
    let mut house = House::new();
    let path = house.path();
    let second = Ledger::open(&path, Options::default());
    assert_eq!(second.err(), Some(LedgerError::InUse { place: (&path).into() }));
    let kept = house.ledger().clone();
    house.ledger.take().unwrap().close();
    assert_eq!(kept.append(insurer(), vec![], Box::new(|_| {})), Err(LedgerError::Closed));
    assert!(open(&path).is_ok());
}

#[test]
fn only_ledgers_of_known_schema_are_opened() {
    let mut house = House::new();
    let path = house.path();
    house.ledger.take().unwrap().close();
    Connection::open(&path).unwrap().execute("UPDATE meta SET value = 3 WHERE key = 'version'", []).unwrap();
    let newer = open(&path).err();
    assert_eq!(newer, Some(LedgerError::NewerSchema { place: (&path).into(), found: 3, known: 2 }));

    let path = house.folder.path().join("other.sqlite");
    Connection::open(&path).unwrap().execute("CREATE TABLE notes (text)", []).unwrap();
    assert_eq!(open(&path).err(), Some(LedgerError::NotALedger { place: (&path).into() }));
    let path = house.folder.path().join("text");
    std::fs::write(&path, "x".repeat(5000)).unwrap();
    assert_eq!(open(&path).err(), Some(LedgerError::NotALedger { place: (&path).into() }));
    let path = house.folder.path().join("no such folder").join("ledger");
    assert!(matches!(open(&path), Err(LedgerError::Open { .. })));
}

#[test]
fn damage_is_found_on_reading() {
    let mut house = House::new();
    for sequence in 1..=3 {
        house.feed(insurer(), &[member(sequence, 1, "aaaa", "")]);
    }
    house.ledger.take().unwrap().close();
    let harm = |sql: &str| {
        Connection::open(house.path()).unwrap().execute(sql, []).unwrap();
        let opened = open(&house.path()).unwrap();
        opened.read(0, 10).unwrap_err()
    };
    let position = |error| match error {
        LedgerError::Corrupt { position, .. } => position,
        other => panic!("{other}"),
    };
    assert_eq!(position(harm("UPDATE pack SET format = 2 WHERE position = 3")), 3);
    assert_eq!(position(harm("DELETE FROM pack WHERE position = 2")), 2);
    assert_eq!(position(harm("DELETE FROM batch WHERE position = 1")), 2);
}

struct Blank;

impl Memory for Blank {
    fn last_word(&self, _: eligibility::feed::Source, _: eligibility::feed::Subject) -> Option<u64> {
        None
    }
    fn owner(&self, _: eligibility::number::Serial) -> Option<eligibility::number::LinkNumber> {
        None
    }
}

#[test]
fn the_queue_is_bounded_and_drained_by_closing() {
    let folder = tempfile::TempDir::new().unwrap();
    let options = Options { queue: 2, group_rows: 1, ..Options::default() };
    let opened = Ledger::open(&folder.path().join("ledger"), options).unwrap();
    let (go, gate) = channel::<()>();
    let (entered, in_visible) = channel();
    let visible = Box::new(move |_: &[ledger::Batch]| {
        entered.send(()).unwrap();
        let _ = gate.recv();
    });
    let ledger = opened.start(Box::new(Blank), visible, Box::new(|| Timestamp::from_millis(0))).unwrap();
    let (told, outcomes) = channel();
    let append = |sequence: u64| {
        let told = told.clone();
        let offers = vec![Offer::from_line(insurer(), 1, member(sequence, 1, "a", "").as_bytes())];
        ledger.append(insurer(), offers, Box::new(move |outcome| told.send(outcome).unwrap()))
    };
    append(1).unwrap();
    in_visible.recv().unwrap();
    // Durable, not yet visible: nobody is told.
    assert!(outcomes.recv_timeout(Duration::from_millis(20)).is_err());
    append(2).unwrap();
    append(3).unwrap();
    assert_eq!(append(4), Err(LedgerError::Full));
    drop(go);
    let too_many = vec![Offer::from_line(insurer(), 1, b""); MOST_OFFERS + 1];
    let refused = ledger.append(insurer(), too_many, Box::new(|_| {}));
    assert_eq!(refused, Err(LedgerError::TooLarge { most: MOST_OFFERS }));
    ledger.close();
    drop(told);
    let sequences: Vec<_> = outcomes.iter().map(|outcome| outcome.unwrap().committed_sequence).collect();
    assert_eq!(sequences, [1, 2, 3]);
}

#[test]
fn a_source_waits_for_one_batch_of_another_and_no_more() {
    let folder = tempfile::TempDir::new().unwrap();
    let opened = Ledger::open(&folder.path().join("ledger"), Options::default()).unwrap();
    let (go, gate) = channel::<()>();
    let (entered, groups) = channel();
    let visible = Box::new(move |batches: &[ledger::Batch]| {
        entered.send(batches.iter().map(|batch| batch.source).collect::<Vec<_>>()).unwrap();
        let _ = gate.recv();
    });
    let ledger = opened.start(Box::new(Blank), visible, Box::new(|| Timestamp::from_millis(0))).unwrap();
    // A delivery of eight whole batches is under way when another source's comes.
    let delivery = ledger.delivery(insurer());
    for batch in 0..8 {
        let lines = (1..=MOST_OFFERS as u64).map(|n| member(batch * MOST_OFFERS as u64 + n, 1, "a", ""));
        let offers: Vec<_> = lines.map(|line| Offer::from_line(insurer(), 1, line.as_bytes())).collect();
        delivery.append(offers, Box::new(|_| {})).unwrap();
    }
    assert_eq!(groups.recv().unwrap(), [insurer()]);
    let other = mark(city(), 1, NOW, None);
    let offers = vec![Offer::from_line(city(), 1, other.as_bytes())];
    ledger.append(city(), offers, Box::new(|_| {})).unwrap();
    go.send(()).unwrap();
    assert_eq!(groups.recv().unwrap(), [insurer(), city()]);
    drop(go);
    ledger.close();
}
