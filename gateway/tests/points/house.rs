//! The room of the deliveries on a disk that fails: ledger, memory, held deliveries.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use disk::Folder;
use disk::faulty::{End, Faulty};
use eligibility::day::Timestamp;
use gateway::config::Gate;
use gateway::follow::{self, Followed};
use gateway::intake::{Admission, Held};
use ledger::Place;
use tempfile::TempDir;

use crate::story::Story;

/// The process has ended, or must: its ledger takes nothing any more.
#[derive(Debug)]
pub(crate) struct Stopped;

pub(crate) struct House {
    folder: TempDir,
    pub(crate) disk: Faulty,
    /// Milliseconds, as everybody in the house reads them.
    pub(crate) clock: Arc<AtomicI64>,
    inside: Option<Inside>,
}

pub(crate) struct Inside {
    pub(crate) followed: Followed,
    pub(crate) held: Held,
    gate: Gate,
}

impl Inside {
    pub(crate) fn admission(&self) -> Admission<'_> {
        let Self { followed, held, gate } = self;
        Admission { ledger: &followed.ledger, memory: &followed.memory, held, gate }
    }
}

impl House {
    pub(crate) fn new(seed: u64) -> Self {
        // What is durable the disk itself says; to wait for a real one would take most of the time.
        let quick = Path::new("/dev/shm");
        let folder = if quick.is_dir() { TempDir::new_in(quick) } else { TempDir::new() }.unwrap();
        let root = folder.path().join("disk");
        for name in ["", "memory", "held"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        let disk = Faulty::new(&root, seed).unwrap();
        let clock = Arc::new(AtomicI64::new(1_800_000_000_000));
        Self { folder, disk, clock, inside: None }
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.inside.is_some()
    }

    pub(crate) fn inside(&self) -> &Inside {
        self.inside.as_ref().unwrap()
    }

    /// Where a sender keeps what it sends.
    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn open(&mut self) {
        assert!(self.try_open());
    }

    /// Starts; false when the disk does not let it.
    pub(crate) fn try_open(&mut self) -> bool {
        let on = |name: &str| self.disk.root().join(name);
        let clock = Arc::clone(&self.clock);
        let now = Box::new(move || Timestamp::from_millis(clock.load(Ordering::Relaxed)));
        let Ok(followed) = follow::start_at(&Place::from(&on("ledger")), &on("memory"), now) else {
            return false;
        };
        let Ok(held) = Held::open(Folder::from(&on("held")), followed.ledger.clone()) else {
            followed.ledger.close();
            return false;
        };
        let gate = Gate { members: 5, ..Gate::default() };
        self.inside = Some(Inside { followed, held, gate });
        true
    }

    /// Tells the story from where it is to its end.
    pub(crate) fn go_on(&mut self, story: &mut Story) -> Result<(), Stopped> {
        let mut tries = 0;
        while !story.is_told() {
            match story.step(self) {
                Ok(()) => tries = 0,
                Err(_) if !self.disk.is_dead() && tries < 60 => tries += 1,
                Err(_) => return Err(Stopped),
            }
        }
        Ok(())
    }

    pub(crate) fn close(&mut self) {
        if let Some(inside) = self.inside.take() {
            inside.followed.close();
        }
        self.disk.kill();
    }

    /// The next process.
    pub(crate) fn restart(&mut self, end: End) {
        self.disk.restart(end).unwrap();
        self.open();
    }
}
