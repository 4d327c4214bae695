//! Memory that outlives its process: what is saved and opened is what was there, and goes on.

use std::fs;
use std::path::Path;

use cache::{BaseError, open};
use proptest::prelude::*;

use crate::model::{Model, SOURCES, agrees, batch, make};
use crate::support::{
    House, INSURER, OTHER, closed, found, link, link_number, mark, member, query, refused_member, serial,
    source_of,
};

fn restart(house: &mut House, folder: &Path) {
    house.writer.save(folder).unwrap();
    let (writer, reader) = open(folder).unwrap();
    assert_eq!(reader.generation(), house.position);
    assert_eq!(reader.sources(), house.reader.sources());
    (house.writer, house.reader) = (writer, reader);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn restarts_change_nothing(batches in prop::collection::vec((batch(), 0..4_u8), 1..16)) {
        let folder = tempfile::tempdir().unwrap();
        let mut house = House::new();
        let mut model = Model::default();
        for ((source, rows), turn) in batches {
            let source = SOURCES[source];
            let rows: Vec<_> = rows.into_iter().map(|row| make(source, row)).collect();
            house.apply(source, &rows);
            model.0.extend(rows.into_iter().map(|told| (source_of(source), told)));
            match turn {
                0 => restart(&mut house, folder.path()),
                1 => drop(house.writer.save(folder.path()).unwrap()),
                _ => {}
            }
        }
        agrees(&house, &model)?;
    }
}

/// Some people with cards, a withdrawn link and an open quarantine.
fn house() -> House {
    let mut house = House::new();
    let people = (1..400).map(|n| member(INSURER, n, n, "見本　花子", &[n, n + 1000]));
    house.apply(INSURER, &people.collect::<Vec<_>>());
    let links = (1..400).map(|n| link("portal", n, 5_000_000 + n, Some(n)));
    house.apply("portal", &links.collect::<Vec<_>>());
    house.apply("portal", &[link("portal", 400, 5_000_001, None)]);
    house.apply(OTHER, &[refused_member(1, 3, closed()), mark(OTHER, 2, 10)]);
    house
}

#[test]
fn a_snapshot_is_of_its_moment_and_what_came_after_stays_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = house();
    let snapshot = house.writer.snapshot();
    house.apply(INSURER, &[member(INSURER, 900, 2, "見本　太郎", &[7777])]);
    house.apply("portal", &[link("portal", 900, 5_000_003, None)]);
    assert_eq!(snapshot.write(folder.path(), |written| house.writer.adopt(written)).unwrap(), 4);
    assert_eq!(found(house.number(&query(INSURER, 7777, 2))), Ok(2), "adopted shards keep what came after");
    assert_eq!(found(house.card(5_000_003)), Err("unlinked"));
    assert_eq!(found(house.card(5_000_004)), Ok(4));
    let (writer, reader) = open(folder.path()).unwrap();
    let mut then = House { writer, reader, position: 4 };
    assert_eq!(found(then.card(5_000_003)), Ok(3));
    assert_eq!(found(then.number(&query(INSURER, 1002, 2))), Ok(2));
    assert_eq!((then.reader.persons(), then.reader.serials()), (399, 398));
    then.apply(INSURER, &[member(INSURER, 900, 2, "見本　太郎", &[7777])]);
    then.apply("portal", &[link("portal", 900, 5_000_003, None)]);
    assert!(then.person(2) == house.person(2) && then.reader.sources() == house.reader.sources());
}

#[test]
fn serials_of_any_length_are_found_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = house();
    let serials = [0x00AB_CDEF, 0x0FED_CBA9, u64::MAX];
    let mut links: Vec<_> =
        (1..).zip(serials).map(|(n, serial)| link("portal", 500 + n, serial, Some(n))).collect();
    let longest = "1461501637330902918203684832716283019655932542975";
    let line = format!(
        r#"{{"source":"portal","sequence":504,"kind":"link","serial":"{longest}","link_number":"{:016}"}}"#,
        4
    );
    let record = eligibility::feed::Record::from_json(line.as_bytes()).unwrap();
    links.push(crate::support::Told::Accepted(record));
    house.apply("portal", &links);
    restart(&mut house, folder.path());
    for (n, number) in (1..).zip(serials) {
        assert_eq!(found(house.card(number)), Ok(n));
    }
    let longest = eligibility::number::Serial::parse(longest).unwrap();
    assert_eq!(house.reader.owner(longest), Some(link_number(4)));
    assert_eq!(house.reader.owner(serial(5_000_001)), None);
}

#[test]
fn no_octet_of_a_snapshot_can_change_unnoticed() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::new();
    house.apply(INSURER, &[1, 2, 3].map(|n| member(INSURER, n, n, "見本　花子", &[n])));
    house.apply("portal", &[link("portal", 1, 5_000_001, Some(1))]);
    house.writer.save(folder.path()).unwrap();
    drop(house);
    let mut files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    // The largest are those with people; of the many empty shards a few speak for all.
    files.sort_by_key(|path| (std::cmp::Reverse(fs::metadata(path).unwrap().len()), path.clone()));
    for path in files.iter().take(10) {
        let whole = fs::read(path).unwrap();
        for at in 0..whole.len() {
            let mut other = whole.clone();
            other[at] ^= 1 << (at % 8);
            fs::write(path, other).unwrap();
            assert!(open(folder.path()).is_err(), "octet {at} of {}", path.display());
        }
        fs::write(path, &whole).unwrap();
    }
    assert_eq!(found(open(folder.path()).unwrap().1.find(&cache::Key::Card(serial(5_000_001)))), Ok(1));
}

#[test]
fn only_the_files_in_use_stay_and_none_missing_is_overlooked() {
    let folder = tempfile::tempdir().unwrap();
    let files = || {
        let mut all: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        all.sort();
        all
    };
    assert!(matches!(open(folder.path()), Err(BaseError::Missing)));
    let mut house = house();
    house.writer.save(folder.path()).unwrap();
    assert_eq!(files().len(), 3 * 64 + 1);
    let before = files();
    house.apply(INSURER, &[member(INSURER, 900, 2, "見本　太郎", &[2, 1002])]);
    house.writer.save(folder.path()).unwrap();
    let after = files();
    assert_eq!(after.len(), 3 * 64 + 1);
    assert_eq!(after.iter().filter(|path| !before.contains(path)).count(), 1, "one shard changed");
    let copied = tempfile::tempdir().unwrap();
    assert_eq!(cache::copy(folder.path(), copied.path()).unwrap(), 5);
    assert!(open(copied.path()).unwrap().1.person(link_number(2)) == house.person(2));
    fs::remove_file(&after[1]).unwrap();
    assert!(matches!(open(folder.path()), Err(BaseError::Io(..))));
    assert!(cache::copy(folder.path(), copied.path()).is_err());
}
