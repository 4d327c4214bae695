//! Deliveries that wait for an operator, with all that is needed to take them later.
//!
//! ```text
//! 06132013-9f86d081884c7d65.ndjson   the delivery as received
//! 06132013-9f86d081884c7d65.json     since when, why: written last, and taken away last
//! ```
//!
//! A delivery is named after its content, so that one which is sent again is held once. It lies with the
//! gateway that received it, and is released there; the others know of its source alone, so that they
//! answer alike.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest;
use eligibility::day::Timestamp;
use eligibility::feed::Source;
use ledger::Ledger;
use serde::{Deserialize, Serialize};

use super::gate::Reason;

/// A delivery that is held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldDelivery {
    /// Its name: 16 hexadecimal digits of the SHA-256 of its content.
    pub delivery: String,
    /// When it came.
    pub received_at: Timestamp,
    /// Records in it.
    pub records: u64,
    /// Why it is held back.
    pub reasons: Vec<Reason>,
}

impl HeldDelivery {
    /// Whether nothing is against it but those before it.
    pub(super) fn only_waits(&self) -> bool {
        self.reasons.iter().all(|reason| reason.gate == "behind")
    }
}

/// What is told of a delivery when it is held back.
#[derive(Debug, Serialize)]
pub struct HeldBack {
    held: bool,
    #[serde(flatten)]
    delivery: HeldDelivery,
}

impl HeldBack {
    /// Of this one.
    #[must_use]
    pub const fn of(delivery: HeldDelivery) -> Self {
        Self { held: true, delivery }
    }
}

type All = HashMap<Source, Vec<HeldDelivery>>;

/// The deliveries that are held back, oldest first for each source.
#[derive(Debug)]
pub struct Held {
    folder: PathBuf,
    ledger: Ledger,
    /// Exchanged as a whole, so that desks wait for nobody who writes files.
    all: RwLock<Arc<All>>,
}

impl Held {
    /// Opens the folder, lets those who share the ledger know what it holds, and forgets what a crash left unfinished there: nobody was told of it.
    ///
    /// # Errors
    /// When the folder cannot be made or read, or a delivery in it cannot be understood.
    pub fn open(folder: &Path, ledger: Ledger) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut all = All::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let one: HeldDelivery = serde_json::from_slice(&fs::read(&path)?)?;
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let source = name.rsplit_once('-').and_then(|(source, _)| Source::parse(source));
                let source = source.ok_or_else(|| io::Error::other(format!("{name} names no source")))?;
                all.entry(source).or_default().push(one);
            } else if !path.with_extension("json").exists() {
                fs::remove_file(path)?;
            }
        }
        all.values_mut().for_each(|held| held.sort_by_key(|one| (one.received_at, one.delivery.clone())));
        let held = Self { folder: folder.to_owned(), ledger, all: RwLock::new(Arc::new(all)) };
        held.tell();
        Ok(held)
    }

    /// Those of a source, oldest first.
    #[must_use]
    pub fn of(&self, source: Source) -> Vec<HeldDelivery> {
        self.all().get(&source).cloned().unwrap_or_default()
    }

    /// Whether there is any of a source, here or at another gateway.
    #[must_use]
    pub fn has(&self, source: Source) -> bool {
        self.all().contains_key(&source) || self.ledger.holds_elsewhere(source)
    }

    fn tell(&self) {
        let all = self.all();
        self.ledger.tell_held(all.iter().map(|(source, held)| (*source, held.len() as u64)).collect());
    }

    /// Sources with held deliveries, and how many.
    #[must_use]
    pub fn counts(&self) -> Vec<(Source, usize)> {
        self.all().iter().map(|(source, held)| (*source, held.len())).collect()
    }

    /// Where the lines of a delivery are.
    pub(super) fn lines(&self, source: Source, delivery: &str) -> PathBuf {
        self.folder.join(format!("{source}-{delivery}.ndjson"))
    }

    fn note(&self, source: Source, delivery: &str) -> PathBuf {
        self.lines(source, delivery).with_extension("json")
    }

    /// Holds a delivery back, durably. The file stays where it is.
    pub(super) fn put(&self, source: Source, file: &Path, one: HeldDelivery) -> io::Result<()> {
        let lines = self.lines(source, &one.delivery);
        fs::copy(file, &lines)?;
        File::open(&lines)?.sync_all()?;
        self.write(source, &one)?;
        self.change(|all| all.entry(source).or_default().push(one));
        Ok(())
    }

    /// Puts other reasons in place of the former ones.
    pub(super) fn judge_again(&self, source: Source, one: HeldDelivery) -> io::Result<()> {
        self.write(source, &one)?;
        self.change(|all| {
            let held = all.get_mut(&source).into_iter().flatten();
            held.filter(|other| other.delivery == one.delivery).for_each(|other| *other = one.clone());
        });
        Ok(())
    }

    /// Lets go of a delivery.
    pub(super) fn remove(&self, source: Source, delivery: &str) -> io::Result<()> {
        fs::remove_file(self.lines(source, delivery))?;
        fs::remove_file(self.note(source, delivery))?;
        self.sync()?;
        self.change(|all| {
            if let Some(held) = all.get_mut(&source) {
                held.retain(|one| one.delivery != delivery);
                if held.is_empty() {
                    all.remove(&source);
                }
            }
        });
        Ok(())
    }

    fn write(&self, source: Source, one: &HeldDelivery) -> io::Result<()> {
        let note = self.note(source, &one.delivery);
        let new = note.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec_pretty(one)?)?;
        file.sync_all()?;
        fs::rename(&new, &note)?;
        self.sync()
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    fn all(&self) -> Arc<All> {
        Arc::clone(&self.all.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut All)) {
        let mut all = All::clone(&self.all());
        change(&mut all);
        *self.all.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(all);
        self.tell();
    }
}

/// The name of a delivery of this source with this content.
pub(super) fn name(source: Source, file: &Path) -> io::Result<String> {
    let mut sum = digest::Context::new(&digest::SHA256);
    sum.update(source.to_string().as_bytes());
    let mut file = File::open(file)?;
    let mut octets = vec![0; 256 * 1024];
    loop {
        match file.read(&mut octets)? {
            0 => break,
            read => sum.update(octets.get(..read).unwrap_or_default()),
        }
    }
    Ok(sum.finish().as_ref().iter().take(8).map(|octet| format!("{octet:02x}")).collect())
}
