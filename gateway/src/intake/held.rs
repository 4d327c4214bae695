//! Deliveries that wait for an operator, with all that is needed to take them later.
//!
//! ```text
//! 06132013-9f86d081884c7d65.ndjson   the delivery as received
//! 06132013-9f86d081884c7d65.json     since when, why: written last, and taken away first
//! ```
//!
//! A delivery is named after its content, so that one which is sent again is held once, and one that is
//! not as it was received is not taken for it. It lies with the gateway that received it, and is released
//! there; the others know of its source alone, so that they answer alike.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest;
use disk::{Folder, Opened};
use eligibility::day::Timestamp;
use eligibility::feed::Source;
use ledger::Ledger;
use serde::{Deserialize, Serialize};

use super::gate::Reason;

/// Octets read at once.
const BUFFER: usize = 256 * 1024;

/// A delivery that is held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldDelivery {
    /// Its name: 16 hexadecimal digits of the SHA-256 of its content.
    pub delivery: String,
    /// When it came.
    pub received_at: Timestamp,
    /// Records in it.
    pub records: u64,
    /// Why it is held back. Without any it is not any more, and is being taken: some of it may count
    /// already, and the rest must.
    pub reasons: Vec<Reason>,
}

impl HeldDelivery {
    /// Whether taking it has begun.
    pub(super) const fn is_begun(&self) -> bool {
        self.reasons.is_empty()
    }

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
    folder: Folder,
    /// Where those who share the ledger learn of it; none beside a process that tells them.
    ledger: Option<Ledger>,
    /// Exchanged as a whole, so that desks wait for nobody who writes files.
    all: RwLock<Arc<All>>,
}

impl Held {
    /// Opens the folder, lets those who share the ledger know what it holds, and forgets what a crash left
    /// unfinished there: nobody was told of it, or it is done with.
    ///
    /// # Errors
    /// When the folder cannot be made or read, or a delivery in it cannot be understood.
    pub fn open(folder: Folder, ledger: Ledger) -> io::Result<Self> {
        folder.make()?;
        let names = folder.names()?;
        let finished = |stem: &str| names.contains(&format!("{stem}.json"));
        for name in &names {
            if !name.rsplit_once('.').is_some_and(|(stem, _)| finished(stem)) {
                folder.remove(name)?;
            }
        }
        let held = Self { ledger: Some(ledger), ..Self::read(folder, &names)? };
        // What an earlier process could not make durable counts from now on.
        held.folder.sync()?;
        held.tell();
        Ok(held)
    }

    /// Reads the folder as it is, beside a process that may be writing there; one that is not there is
    /// empty.
    ///
    /// # Errors
    /// As [`Held::open`].
    pub fn beside(folder: Folder) -> io::Result<Self> {
        let names = match folder.names() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            names => names?,
        };
        Self::read(folder, &names)
    }

    fn read(folder: Folder, names: &[String]) -> io::Result<Self> {
        let mut all = All::new();
        for name in names {
            if let Some((stem, "json")) = name.rsplit_once('.') {
                let one: HeldDelivery = serde_json::from_slice(&folder.read(name)?).map_err(|error| {
                    let file = folder.file(name);
                    io::Error::other(format!(
                        "{} cannot be understood ({error}): move it away, and have its source deliver again",
                        file.display()
                    ))
                })?;
                let source = stem.rsplit_once('-').and_then(|(source, _)| Source::parse(source));
                let source = source.ok_or_else(|| io::Error::other(format!("{name} names no source")))?;
                all.entry(source).or_default().push(one);
            }
        }
        all.values_mut().for_each(|held| held.sort_by_key(|one| (one.received_at, one.delivery.clone())));
        Ok(Self { folder, ledger: None, all: RwLock::new(Arc::new(all)) })
    }

    /// Those of a source, oldest first.
    #[must_use]
    pub fn of(&self, source: Source) -> Vec<HeldDelivery> {
        self.all().get(&source).cloned().unwrap_or_default()
    }

    /// Whether there is any of a source, here or at another gateway.
    #[must_use]
    pub fn has(&self, source: Source) -> bool {
        let elsewhere = |ledger: &Ledger| ledger.holds_elsewhere(source);
        self.all().contains_key(&source) || self.ledger.as_ref().is_some_and(elsewhere)
    }

    fn tell(&self) {
        let Some(ledger) = &self.ledger else { return };
        let all = self.all();
        ledger.tell_held(all.iter().map(|(source, held)| (*source, held.len() as u64)).collect());
    }

    /// Sources with held deliveries, and how many.
    #[must_use]
    pub fn counts(&self) -> Vec<(Source, usize)> {
        self.all().iter().map(|(source, held)| (*source, held.len())).collect()
    }

    /// The lines of a delivery, if they are as they were received.
    pub(super) fn lines(&self, source: Source, delivery: &str) -> io::Result<Box<dyn Opened>> {
        let open = || self.folder.open(&lines(source, delivery));
        if name_of(source, open()?)? == delivery {
            return open();
        }
        Err(io::Error::other(format!("the lines of {delivery} are not those that were received: drop it")))
    }

    /// Holds a delivery back, durably. The file stays where it is.
    pub(super) fn put(&self, source: Source, file: &Path, one: HeldDelivery) -> io::Result<()> {
        let mut copy = self.folder.create(&lines(source, &one.delivery))?;
        let mut file = File::open(file)?;
        let mut octets = vec![0; BUFFER];
        loop {
            match file.read(&mut octets)? {
                0 => break,
                read => copy.write_all(octets.get(..read).unwrap_or_default())?,
            }
        }
        copy.sync()?;
        let written = self.write(source, &one);
        // A note that may be there all the same counts: after the next start it would.
        if written.is_ok() || !self.is_taken_back(source, &one.delivery) {
            self.change(|all| all.entry(source).or_default().push(one));
        }
        written
    }

    /// Whether a note that was not written whole is certainly not there.
    fn is_taken_back(&self, source: Source, delivery: &str) -> bool {
        match self.folder.remove(&note(source, delivery)) {
            Ok(()) => self.folder.sync().is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
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
        match self.folder.remove(&note(source, delivery)) {
            // As far as this an earlier call came.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed?,
        }
        self.folder.sync()?;
        self.change(|all| {
            if let Some(held) = all.get_mut(&source) {
                held.retain(|one| one.delivery != delivery);
                if held.is_empty() {
                    all.remove(&source);
                }
            }
        });
        // Lines without a note are forgotten at the next start at the latest.
        if let Err(error) = self.folder.remove(&lines(source, delivery)) {
            tracing::warn!(%source, delivery, %error, "the lines of a delivery are not taken away yet");
        }
        Ok(())
    }

    fn write(&self, source: Source, one: &HeldDelivery) -> io::Result<()> {
        self.folder.put(&note(source, &one.delivery), &[&serde_json::to_vec_pretty(one)?])?;
        self.folder.sync()
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

/// The name of the lines of a delivery.
fn lines(source: Source, delivery: &str) -> String {
    format!("{source}-{delivery}.ndjson")
}

/// The name of what is said of it.
fn note(source: Source, delivery: &str) -> String {
    format!("{source}-{delivery}.json")
}

/// The name of a delivery of this source with this content.
pub(super) fn name(source: Source, file: &Path) -> io::Result<String> {
    name_of(source, File::open(file)?)
}

fn name_of(source: Source, mut lines: impl Read) -> io::Result<String> {
    let mut sum = digest::Context::new(&digest::SHA256);
    sum.update(source.to_string().as_bytes());
    let mut octets = vec![0; BUFFER];
    loop {
        match lines.read(&mut octets)? {
            0 => break,
            read => sum.update(octets.get(..read).unwrap_or_default()),
        }
    }
    Ok(sum.finish().as_ref().iter().take(8).map(|octet| format!("{octet:02x}")).collect())
}
