//! Whom we trust: the card CAs and their revocation lists, taken from files and swapped whole.
//!
//! Lists arrive as files in a folder (J-LIS gives them to registered verifiers only, so nothing is
//! fetched). A list that is broken, foreign or older than the one held leaves the held one in place.
//! What a list changes goes to the ledger, so that a serial once revoked stays so over restarts.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use eligibility::day::Timestamp;
use eligibility::feed::{ListArrival, Revoked};
use eligibility::number::Serial;
use pki::{
    Anchors, AuthorityId, CardProfile, ListMark, ListNumber, Lists, Remembered, Retention, TrustView,
    UnixTime,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::config::{Card, Grace};

/// Most revocations of one ledger record.
const REVOKED_A_RECORD: usize = 2000;

/// Why card certificates cannot be judged at all.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A CA file cannot be read or is no certificate in PEM.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A certificate is no card CA.
    #[error("card.anchors, entry {position}: {why}")]
    Anchor {
        /// Its place among all certificates of the files, from 1.
        position: usize,
        /// What is wrong.
        why: String,
    },
}

/// The trust view in force.
pub struct Trust {
    view: RwLock<Arc<TrustView>>,
    folder: PathBuf,
    /// Files already taken or refused, by name: length and time of change.
    seen: Mutex<HashMap<PathBuf, (u64, SystemTime)>>,
    /// The newest list of each scope that the ledger holds, or is about to.
    marks: Mutex<Vec<ListMark>>,
    /// What lists changed and the ledger does not hold yet.
    unsaved: Mutex<VecDeque<ListArrival>>,
}

impl Trust {
    /// Reads the CAs, takes in what is remembered, and reads the lists that are there.
    ///
    /// # Errors
    /// [`TrustError`] with the file at fault.
    pub fn open(card: &Card, remembered: Memories, now: UnixTime) -> Result<Self, TrustError> {
        let mut certificates = Vec::new();
        for path in &card.anchors {
            let wrong = |why: String| TrustError::File { path: path.clone(), why };
            for certificate in CertificateDer::pem_file_iter(path).map_err(|e| wrong(e.to_string()))? {
                certificates.push(certificate.map_err(|e| wrong(e.to_string()))?);
            }
            if certificates.is_empty() {
                return Err(wrong("holds no certificate".to_owned()));
            }
        }
        let anchors = Anchors::from_certificates(&certificates)
            .map_err(|error| TrustError::Anchor { position: error.position + 1, why: error.to_string() })?;
        let retention = Retention { months: card.revoked_kept_months };
        let lists = Lists::new()
            .remembering(remembered.revoked.into_values(), now, &retention)
            .expecting(remembered.marks.iter().cloned());
        let trust = Self {
            view: RwLock::new(Arc::new(TrustView::new(anchors, profile(&card.policies)).with_lists(lists))),
            folder: card.lists.clone(),
            seen: Mutex::default(),
            marks: Mutex::new(remembered.marks),
            unsaved: Mutex::default(),
        };
        trust.refresh(now);
        Ok(trust)
    }

    /// The view in force. Never waits for a refresh under way.
    #[must_use]
    pub fn view(&self) -> Arc<TrustView> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the lists that are new or changed in the folder. A revocation counts from here on; it
    /// is remembered once [`Trust::save`] has handed it to the ledger.
    pub fn refresh(&self, now: UnixTime) {
        let mut seen = lock(&self.seen);
        for (path, stamp) in files(&self.folder) {
            if seen.get(&path) == Some(&stamp) {
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match std::fs::read(&path) {
                Ok(der) => self.take(&name, &der, now),
                Err(error) => tracing::warn!(list = name, %error, "revocation list not readable"),
            }
            seen.insert(path, stamp);
        }
    }

    fn take(&self, name: &str, der: &[u8], now: UnixTime) {
        let view = self.view();
        let arrival = match view.lists.arrive(der, &view.anchors, now) {
            Ok(arrival) => arrival,
            Err(error) => {
                tracing::warn!(list = name, %error, "revocation list refused; the held one stays");
                return;
            }
        };
        let is_new = newest(&mut lock(&self.marks), arrival.mark());
        let changes = changes(&arrival).into_iter();
        let counts = |one: &ListArrival| is_new || !one.revoked.is_empty() || !one.released.is_empty();
        lock(&self.unsaved).extend(changes.filter(counts));
        let next = Arc::new(view.with_lists(arrival.into_lists()));
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = next;
        tracing::info!(list = name, "revocation list taken");
    }

    /// Hands what lists changed to `keep`, one by one; what it does not keep is handed again next time.
    pub fn save(&self, mut keep: impl FnMut(&ListArrival) -> bool) {
        let mut unsaved = lock(&self.unsaved);
        while unsaved.front().is_some_and(&mut keep) {
            unsaved.pop_front();
        }
    }
}

/// What was remembered of revocation lists when the gateway was last running.
#[derive(Default)]
pub struct Memories {
    revoked: HashMap<(AuthorityId, pki::Serial), Remembered>,
    marks: Vec<ListMark>,
}

impl Memories {
    /// Takes in one record, in the order of the ledger.
    pub fn take(&mut self, list: &ListArrival) {
        let authority = AuthorityId::from_bytes(list.authority);
        let seconds = |at: Timestamp| UnixTime(at.millis().div_euclid(1000));
        let listed_at = seconds(list.this_update);
        for one in &list.revoked {
            let Ok(serial) = pki::Serial::from_bytes(one.serial.octets()) else { continue };
            let revoked_at = seconds(one.revoked_at);
            let remembered = Remembered { authority, serial, revoked_at, hold: one.on_hold, listed_at };
            self.revoked.insert((authority, serial), remembered);
        }
        for serial in &list.released {
            if let Ok(serial) = pki::Serial::from_bytes(serial.octets()) {
                self.revoked.remove(&(authority, serial));
            }
        }
        if let Some(number) = ListNumber::from_bytes(&list.number) {
            let partition = list.partition.as_deref().map(Arc::from);
            newest(&mut self.marks, ListMark { authority, partition, number, this_update: listed_at });
        }
    }
}

/// Puts a mark in place of the one of its scope; false when it is there already.
fn newest(marks: &mut Vec<ListMark>, mark: ListMark) -> bool {
    let same = |one: &&mut ListMark| one.authority == mark.authority && one.partition == mark.partition;
    match marks.iter_mut().find(same) {
        Some(held) if *held == mark => return false,
        Some(held) => *held = mark,
        None => marks.push(mark),
    }
    true
}

/// What a list changed, in records of bearable length; the last of them at the latest bears its mark.
fn changes(arrival: &pki::Arrival<'_>) -> Vec<ListArrival> {
    let mark = arrival.mark();
    let at = |time: UnixTime| Timestamp::from_millis(time.0.saturating_mul(1000));
    let serial = |serial: pki::Serial| Serial::from_be_bytes(serial.as_bytes());
    let blank = || ListArrival {
        authority: *mark.authority.as_bytes(),
        partition: mark.partition.as_deref().map(Into::into),
        number: mark.number.as_bytes().into(),
        this_update: at(mark.this_update),
        revoked: Vec::new(),
        released: Vec::new(),
    };
    let mut changes =
        vec![ListArrival { released: arrival.released().filter_map(serial).collect(), ..blank() }];
    for one in arrival.newly_revoked() {
        let Some(serial) = serial(one.serial) else { continue };
        if changes.last().is_none_or(|last| last.revoked.len() >= REVOKED_A_RECORD) {
            changes.push(blank());
        }
        if let Some(last) = changes.last_mut() {
            last.revoked.push(Revoked { serial, revoked_at: at(one.revoked_at), on_hold: one.hold });
        }
    }
    changes
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn profile(policies: &[String]) -> CardProfile {
    if policies.is_empty() {
        return CardProfile::production();
    }
    // The configuration was checked: these are object identifiers.
    CardProfile::accepting(policies).unwrap_or_default()
}

fn files(folder: &Path) -> Vec<(PathBuf, (u64, SystemTime))> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let lists = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "crl"));
    let stamped = lists.filter_map(|path| {
        let metadata = path.metadata().ok()?;
        let stamp = (metadata.len(), metadata.modified().ok()?);
        Some((path, stamp))
    });
    let mut files: Vec<_> = stamped.collect();
    files.sort();
    files
}

impl From<Grace> for pki::GraceRule {
    fn from(grace: Grace) -> Self {
        match grace {
            Grace::MonthEndPlus3 => Self::MonthEndPlus3,
            Grace::ExpiryPlus3 => Self::ExpiryPlus3,
        }
    }
}
