//! Memory that outlives its process: what is saved and opened is what was there, and goes on.

use std::fs;
use std::path::{Path, PathBuf};

use cache::{BaseError, open};
use proptest::prelude::*;

use crate::model::{Model, SOURCES, agrees, batch, make};
use crate::support::{
    CITY, House, INSURER, OTHER, closed, found, link, link_number, mark, member, query, refused_member,
    renewal, serial, source_of, subsidy,
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
    let mut then = House { writer, reader, position: 4, told: Vec::new() };
    assert_eq!(found(then.card(5_000_003)), Ok(3));
    assert_eq!(found(then.number(&query(INSURER, 1002, 2))), Ok(2));
    assert_eq!((then.reader.persons(), then.reader.serials()), (399, 398));
    then.apply(INSURER, &[member(INSURER, 900, 2, "見本　太郎", &[7777])]);
    then.apply("portal", &[link("portal", 900, 5_000_003, None)]);
    assert!(then.person(2) == house.person(2) && then.reader.sources() == house.reader.sources());
}

#[test]
fn serials_of_3_4_and_20_octets_are_found_after_a_restart_and_none_is_taken_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = house();
    // Of three, four and eight octets, the second ending as the first.
    let serials = [0x00AB_CDEF, 0x01AB_CDEF, u64::MAX];
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
    assert_eq!(longest.octets().len(), 20);
    assert_eq!(house.reader.owner(longest), Some(link_number(4)));
    for other in [0x00CD_EF00, 0xABCD_EF00, 0xCDEF, u64::from(u32::MAX), u64::MAX >> 8] {
        assert_eq!(found(house.card(other)), Err("unlinked"));
    }
    assert_eq!(house.reader.owner(serial(5_000_001)), None);
}

/// Every file of a folder with what is in it.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    all.sort();
    all
}

/// Files that `open` names as damaged.
fn damaged(folder: &Path) -> Vec<PathBuf> {
    match open(folder) {
        Err(BaseError::Damaged(mut files)) => {
            files.sort();
            files
        }
        other => panic!("{other:?}"),
    }
}

/// Each octet in turn of all files: `open` names just the files in which one is flipped, so that each
/// of them alone would be refused. A test at a time for each file would open 15 000 memories.
#[test]
fn no_octet_of_a_snapshot_can_change_unnoticed() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::new();
    house.apply(INSURER, &[1, 2, 3].map(|n| member(INSURER, n, n, "見本　花子", &[n])));
    house.apply("portal", &[link("portal", 1, 5_000_001, Some(1))]);
    house.writer.save(folder.path()).unwrap();
    drop(house);
    let (names, shards): (Vec<_>, Vec<_>) =
        files(folder.path()).into_iter().partition(|(path, _)| path.ends_with("memory"));
    assert_eq!((names.len(), shards.len()), (1, 3 * 64));
    let flip = |(path, whole): &(PathBuf, Vec<u8>), at: usize| {
        let mut other = whole.clone();
        other[at] ^= 1 << (at % 8);
        fs::write(path, other).unwrap();
        path.clone()
    };
    for at in 0..names[0].1.len() {
        let flipped = flip(&names[0], at);
        assert_eq!(damaged(folder.path()), [flipped], "octet {at} of the names");
    }
    fs::write(&names[0].0, &names[0].1).unwrap();
    for at in 0..=shards.iter().map(|(_, whole)| whole.len()).max().unwrap() {
        let flipped: Vec<_> =
            shards.iter().filter(|(_, whole)| at < whole.len()).map(|file| flip(file, at)).collect();
        let ended = shards.iter().filter(|(_, whole)| at == whole.len());
        ended.for_each(|(path, whole)| fs::write(path, whole).unwrap());
        if !flipped.is_empty() {
            assert_eq!(damaged(folder.path()), flipped, "octet {at}");
        }
    }
    assert_eq!(found(open(folder.path()).unwrap().1.find(&cache::Key::Card(serial(5_000_001)))), Ok(1));
}

#[test]
fn a_file_damaged_while_memory_is_in_use_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = house();
    house.writer.save(folder.path()).unwrap();
    let whole = files(folder.path());
    let harms: [fn(&mut Vec<u8>); 3] =
        [|octets| octets[70] ^= 1, |octets| octets.truncate(9), |octets| octets.push(0)];
    // A file of each kind, and one that is gone.
    for (at, harm) in [0, 70, 140].into_iter().zip(harms) {
        let (path, octets) = &whole[at];
        let mut octets = octets.clone();
        harm(&mut octets);
        fs::write(path, octets).unwrap();
    }
    fs::remove_file(&whole[190].0).unwrap();
    let snapshot = house.writer.snapshot();
    let mended: Vec<_> = (0..3 * 64).filter_map(|turn| snapshot.mend(folder.path(), turn).unwrap()).collect();
    assert_eq!(mended.len(), 4);
    assert!(files(folder.path()) == whole);
    assert!((0..3 * 64).all(|turn| snapshot.mend(folder.path(), turn).unwrap().is_none()));
}

#[test]
fn damaged_files_are_made_good_as_they_were_and_the_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = house();
    house.apply("jlis", &[renewal(1, 6_000_002, 5_000_002), renewal(2, 6_000_003, 5_000_001)]);
    house.apply(CITY, &(1..400).map(|n| subsidy(CITY, n, n, Some(1))).collect::<Vec<_>>());
    house.writer.save(folder.path()).unwrap();
    let position = house.position;
    house.apply(INSURER, &[member(INSURER, 900, 2, "見本　太郎", &[7777])]);
    let shard = |kind: &str, shard: u8| folder.path().join(format!("{kind}-{shard:02}-{position:016x}"));
    let damaged = [shard("people", 7), shard("people", 40), shard("cards", 3), shard("numbers", 63)];
    let whole = damaged.clone().map(|path| fs::read(path).unwrap());
    fs::write(&damaged[0], &whole[0][..whole[0].len() / 2]).unwrap();
    fs::remove_file(&damaged[1]).unwrap();
    for at in [2, 3] {
        let mut other = whole[at].clone();
        other[70] ^= 1;
        fs::write(&damaged[at], other).unwrap();
    }
    let named = self::damaged(folder.path());
    let replay = |take: &mut dyn FnMut(cache::Batch<'_>)| -> Result<(), BaseError> {
        house.replay(take);
        Ok(())
    };
    let repaired = cache::repair(folder.path(), replay).unwrap();
    assert_eq!(repaired, damaged);
    assert!(named.len() == 4 && named.iter().all(|path| damaged.contains(path)));
    assert!(damaged.iter().map(|path| fs::read(path).unwrap()).eq(whole), "the very octets");
    assert_eq!(open(folder.path()).unwrap().1.generation(), position);
    let none: Result<_, BaseError> = cache::repair(folder.path(), |_| panic!("nothing to be made good"));
    assert!(none.unwrap().is_empty());
}

#[test]
fn only_the_files_in_use_stay_and_none_missing_is_overlooked() {
    let folder = tempfile::tempdir().unwrap();
    let files = || files(folder.path()).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
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
    assert_eq!(damaged(folder.path()), [after[1].clone()]);
    assert!(cache::copy(folder.path(), copied.path()).is_err());
}
