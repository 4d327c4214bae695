//! The files of the first release: they open for ever.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use eligibility::day::Timestamp;
use gateway::audit::export::{Span, records};
use gateway::audit::{Class, Keys, Record, verify};

use crate::{Folder, MORNING, secret};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audit-1")
}

/// Every answer that is given out, all of each file.
pub(crate) fn lines(folder: &Path, keys: &Keys) -> Vec<String> {
    let span = Span { from: Timestamp::from_millis(0), to: Timestamp::from_millis(i64::MAX / 2) };
    let lines = Mutex::new(Vec::new());
    let keep = |record: &Record| lines.lock().unwrap().push(serde_json::to_string(record).unwrap());
    assert!(records(folder, Class::Answers, (span, keys), 1, keep).unwrap().is_empty());
    lines.into_inner().unwrap()
}

#[test]
fn the_first_releases_files_open() {
    let folder = Folder::new();
    let keys = folder.keys();
    let holds = verify(&fixture(), Class::Answers, &keys).unwrap();
    assert_eq!((holds.files, holds.dropped, holds.records), (3, 1, 9), "{holds}");
    let expected = std::fs::read_to_string(fixture().join("answers.ndjson")).unwrap();
    assert_eq!(lines(&fixture(), &keys).join("\n"), expected.trim_end());
}

/// Makes the fixture; only for a new version of the files, in a folder of its own.
#[test]
#[ignore = "writes into the source tree"]
fn make() {
    let folder = Folder::new();
    secret(&folder.config.sealing_keys[0], [2; 32]);
    for day in 0..3 {
        folder.answers(MORNING + day * 86_400_000, 1000, 3 + 3 * u64::from(day == 1));
    }
    let keep = gateway::config::KeepDays { answers: 1, ..gateway::config::KeepDays::default() };
    folder.open().drop_old(Timestamp::from_millis(MORNING + 2 * 86_400_000), &keep);
    std::fs::create_dir_all(fixture().join("answers")).unwrap();
    for name in folder.files(Class::Answers).iter().chain([&folder.config.folder.join("answers/synced")]) {
        std::fs::copy(name, fixture().join("answers").join(name.file_name().unwrap())).unwrap();
    }
    let lines = lines(&folder.config.folder, &folder.keys());
    std::fs::write(fixture().join("answers.ndjson"), lines.join("\n") + "\n").unwrap();
}
