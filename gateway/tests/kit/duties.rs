//! The duty table: what it names is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::{ops, read, root};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The names of all tests.
fn tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    for member in ["cache", "claims", "eligibility", "gateway", "ledger", "loadtest", "pki", "population"] {
        sources(&root().join(member), &mut files);
    }
    let mut names = BTreeSet::new();
    for file in files {
        let text = read(&file);
        for after in text.split("#[test]").skip(1) {
            let name = after.split_once("fn ").and_then(|(_, rest)| rest.split('(').next());
            names.extend(name.map(str::to_owned));
        }
    }
    names
}

/// What stands between backticks.
fn named(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn every_duty_names_what_is_there() {
    let (table, tests) = (read(&ops("duties.md")), tests());
    assert!(tests.len() > 300, "{}", tests.len());
    let rows = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| |"));
    let mut count = 0;
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [duty, code, shown, operator] = cells.as_slice() else { panic!("not four cells: {row}") };
        count += 1;
        assert!([code, shown, operator].iter().any(|cell| !cell.is_empty()), "held by nobody: {duty}");
        for file in named(code) {
            assert!(root().join(file).is_file(), "{duty}: there is no {file}");
        }
        for test in named(shown) {
            assert!(tests.contains(test), "{duty}: there is no test {test}");
        }
        for link in operator.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            assert!(ops(link).is_file(), "{duty}: there is no {link}");
        }
    }
    assert!(count >= 70, "{count} duties");
}

#[test]
fn every_link_within_the_kit_leads_somewhere() {
    let mut pages = vec![ops("")];
    pages.push(ops("runbooks"));
    for folder in pages {
        for path in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.extension().is_none_or(|end| end != "md") {
                continue;
            }
            for link in read(&path).split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
                assert!(folder.join(link).is_file(), "{}: {link} leads nowhere", path.display());
            }
        }
    }
}
