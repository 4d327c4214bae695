//! The audit: what is recorded, that it lasts, and that whoever alters it is found out.

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests wait by the clock, and end by panicking"
)]

mod altered;
mod confirmed;
mod fixture;
mod missed;
mod nation;
mod served;
#[path = "../world/mod.rs"]
mod world;

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use eligibility::day::Timestamp;
use eligibility::number::{InstitutionCode, InsurerNumber, LinkNumber, NumberKey};
use eligibility::query::{Circumstances, NumberQuery};
use gateway::audit::{Audit, Broken, Class, Entry, Holds, Keys, Work, verify};
use gateway::config;
use gateway::path::Request;
use gateway::peer::Peer;

/// 2026-11-21 09:00 in Japan.
pub(crate) const MORNING: i64 = 1_795_219_200_000;

/// An audit in a folder of its own, with a key of each kind.
pub(crate) struct Folder {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) config: config::Audit,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = |name: &str, octet: u8| {
            let path = folder.path().join(name);
            secret(&path, [octet; 32]);
            path
        };
        let config = config::Audit {
            folder: folder.path().join("audit"),
            pseudonym_keys: vec![key("pseudonym.key", 1)],
            sealing_keys: vec![key("audit.key", 2)],
            durability: config::Durability::Group,
            sync_ms: 5,
            reserve_octets: 0,
            keep_days: config::KeepDays::default(),
        };
        Self { folder, config }
    }

    pub(crate) fn open(&self) -> Audit {
        Audit::open(&self.config).unwrap()
    }

    pub(crate) fn keys(&self) -> Keys {
        Keys::read(&self.config).unwrap()
    }

    pub(crate) fn verify(&self, class: Class) -> Result<Holds, Box<Broken>> {
        verify(&self.config.folder, class, &self.keys())
    }

    /// Without any key.
    pub(crate) fn follow(&self, class: Class) -> Result<Holds, Box<Broken>> {
        verify(&self.config.folder, class, &Keys::none())
    }

    /// The files of a class, by name.
    pub(crate) fn files(&self, class: Class) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.config.folder.join(class.word())).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some());
        files.sort();
        files
    }

    /// Records `count` answers, one a frame, `step` milliseconds apart.
    pub(crate) fn answers(&self, from: i64, step: i64, count: u64) {
        let audit = self.open();
        for number in 0..count {
            assert!(audit.record(&answer(number, from + step * number as i64)).wait());
        }
    }
}

pub(crate) fn secret(path: &Path, octets: [u8; 32]) {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .unwrap()
        .write_all(&octets)
        .unwrap();
}

/// An answer about a person of this number.
pub(crate) fn answer(number: u64, at: i64) -> Entry {
    let peer = Peer::of(b"no certificate", &[]);
    let now = Timestamp::from_millis(at);
    let id = uuid::Uuid::from_u128(u128::from(number) + 1);
    let request = Request { peer: &peer, id, now, trace: Some([7; 16]) };
    let insurer = InsurerNumber::parse("06132013").unwrap();
    let query = NumberQuery {
        key: NumberKey::new(insurer, "１２－３４", &number.to_string()),
        branch: None,
        birth_date: now.day_in_japan().plus(-10_000),
        known_at: None,
        circumstances: Circumstances::default(),
    };
    let mut entry = Entry::question("number", Work::Desk, request)
        .institution(InstitutionCode::parse("1312345679").unwrap())
        .date(now.day_in_japan())
        .shown(1)
        .outcome("valid");
    entry.about(&query);
    entry.is_person(LinkNumber::from_value(3_050_012_345_678_901 + number % 3).unwrap());
    entry
}
