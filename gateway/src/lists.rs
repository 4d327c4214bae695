//! Whom we trust: the card CAs and their revocation lists, taken from files and swapped whole.
//!
//! Lists arrive as files in a folder (J-LIS gives them to registered verifiers only, so nothing is
//! fetched). A list that is broken, foreign or older than the one held leaves the held one in place.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use pki::{Anchors, CardProfile, TrustView, UnixTime};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::config::{Card, Grace};

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
}

impl Trust {
    /// Reads the CAs, and the lists that are there.
    ///
    /// # Errors
    /// [`TrustError`] with the file at fault.
    pub fn open(card: &Card, now: UnixTime) -> Result<Self, TrustError> {
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
        let trust = Self {
            view: RwLock::new(Arc::new(TrustView::new(anchors, profile(&card.policies)))),
            folder: card.lists.clone(),
            seen: Mutex::default(),
        };
        trust.refresh(now);
        Ok(trust)
    }

    /// The view in force. Never waits for a refresh under way.
    #[must_use]
    pub fn view(&self) -> Arc<TrustView> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the lists that are new or changed in the folder. Returns how many were taken.
    pub fn refresh(&self, now: UnixTime) -> usize {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lists = self.view().lists.clone();
        let mut taken = 0;
        for (path, stamp) in files(&self.folder) {
            if seen.get(&path) == Some(&stamp) {
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match std::fs::read(&path) {
                Ok(der) => match lists.with(&der, &self.view().anchors, now) {
                    Ok(next) => {
                        lists = next;
                        taken += 1;
                        tracing::info!(list = name, "revocation list taken");
                    }
                    Err(error) => {
                        tracing::warn!(list = name, %error, "revocation list refused; the held one stays")
                    }
                },
                Err(error) => tracing::warn!(list = name, %error, "revocation list not readable"),
            }
            seen.insert(path, stamp);
        }
        if taken > 0 {
            let next = Arc::new(self.view().with_lists(lists));
            *self.view.write().unwrap_or_else(PoisonError::into_inner) = next;
        }
        taken
    }
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
