//! A nation as files: everything that is said, in order, whatever the number of threads.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::process::Command;

use eligibility::day::Day;
use eligibility::feed::{Record, Said};
use loadtest::nation;
use population::Population;

const DAY: Day = Day::from_number(20_778); // 2026-11-21

fn written(people: u64, threads: usize) -> (tempfile::TempDir, nation::Written) {
    let folder = tempfile::tempdir().unwrap();
    let population = Population::new(5, people, DAY);
    let written =
        nation::write(&population, DAY.starts_at(), folder.path(), NonZero::new(threads), |_| {}).unwrap();
    (folder, written)
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder.join("feed")).unwrap().map(Result::unwrap);
    entries.map(|one| (one.file_name().into_string().unwrap(), std::fs::read(one.path()).unwrap())).collect()
}

#[test]
fn the_files_say_what_the_nation_says_in_order() {
    let (folder, written) = written(20_000, 4);
    let population = Population::new(5, 20_000, DAY);
    let files = files(folder.path());
    assert_eq!(files.len() as u64, written.files);
    assert_eq!(files.values().map(|lines| lines.len() as u64).sum::<u64>(), written.octets);
    let mut records = 0;
    for (source, expected) in population.feeds(DAY.starts_at()) {
        let lines = &files[&format!("{source}.ndjson")];
        let read: Vec<_> = lines.split(|&octet| octet == b'\n').filter(|line| !line.is_empty()).collect();
        records += read.len() as u64;
        let read = read.into_iter().map(|line| Record::from_json(line).unwrap());
        assert!(read.eq(expected), "{source}");
        let last = lines.split(|&octet| octet == b'\n').rev().nth(1).unwrap();
        assert!(matches!(Record::from_json(last).unwrap().said, Said::Mark { .. }), "{source}");
    }
    assert_eq!(records, written.records);
}

#[test]
fn threads_change_nothing() {
    let (one, four) = (written(9000, 1), written(9000, 4));
    assert_eq!(one.1, four.1);
    assert_eq!(files(one.0.path()), files(four.0.path()));
}

#[test]
fn the_command_writes_once_and_names_what_is_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let run = |day: &str| {
        Command::new(env!("CARGO_BIN_EXE_shikaku-load"))
            .args(["population", "--people", "500", "--seed", "3", "--day", day, "--out"])
            .arg(folder.path().join("nation"))
            .output()
            .unwrap()
    };
    let first = run("2026-11-21");
    assert!(first.status.success(), "{first:?}");
    assert!(String::from_utf8(first.stdout).unwrap().contains("500 people"));
    let list = std::fs::read_to_string(folder.path().join("nation/insurers.csv")).unwrap();
    assert!(list.starts_with("insurer_number,name\n"));
    let second = run("2026-11-21");
    assert_eq!(second.status.code(), Some(3));
    assert!(String::from_utf8(second.stderr).unwrap().contains("feed: File exists"));
    assert_eq!(run("2026-11-31").status.code(), Some(2));
}
