//! Whom a listener lets in: the CAs of client certificates and their revocation lists. A certificate
//! is judged at each handshake, and at each connection that goes on from an earlier one; a
//! revocation that arrives ends the connections that are open.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use dashmap::DashMap;
use pki::path::{PathError, PathPolicy, PathTrust, PathTrustError, Purpose, validate_client};
use pki::{AuthorityId, Lists, Serial, UnixTime};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::watch;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{list_files, lock};
use crate::config::Listener;
use crate::peer::Fingerprint;

/// Certificates remembered between handshake and connection; more are judged twice.
const MOST_ADMITTED: usize = 300_000;
/// Seconds after which open connections are looked at, though no list has come: certificates end.
const LOOK_EVERY: i64 = 60;

/// Why a listener cannot judge its callers.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}")]
pub struct ClientsError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub why: String,
}

/// The callers of one listener.
#[derive(Debug)]
pub struct Clients {
    trust: PathTrust,
    anchors: Vec<CertificateDer<'static>>,
    folder: Option<PathBuf>,
    lists: RwLock<Arc<Lists>>,
    /// List files already taken or refused. Whoever swaps the lists holds it.
    seen: Mutex<HashMap<PathBuf, (u64, SystemTime)>>,
    /// Judged since the lists last changed.
    admitted: DashMap<Fingerprint, Admitted, foldhash::fast::RandomState>,
    /// Tells open connections to look at their certificates again.
    look: watch::Sender<UnixTime>,
}

/// A client certificate that was found valid: what is needed to look at it again.
#[derive(Clone, Copy, Debug)]
pub struct Admitted {
    authority: AuthorityId,
    serial: Serial,
    valid_until: UnixTime,
}

impl Clients {
    /// Reads the CAs and the lists that are there. CAs that are not self-signed are taken as
    /// intermediates, which need a path to one that is.
    ///
    /// # Errors
    /// [`ClientsError`] with the file at fault.
    pub fn open(listener: &Listener, now: UnixTime) -> Result<Self, ClientsError> {
        let (mut anchors, mut intermediates) = (Vec::new(), Vec::new());
        for path in &listener.client_cas {
            let wrong = |why: String| ClientsError { path: path.clone(), why };
            let before = anchors.len() + intermediates.len();
            for ca in CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))? {
                let ca = ca.map_err(|error| wrong(error.to_string()))?;
                let place = if is_self_issued(&ca) { &mut anchors } else { &mut intermediates };
                place.push((path.clone(), ca));
            }
            if anchors.len() + intermediates.len() == before {
                return Err(wrong("holds no certificate in PEM".to_owned()));
            }
        }
        let rules = &listener.client_revocation;
        let policy = PathPolicy {
            missing: if listener.client_crls.is_some() {
                rules.when_missing()
            } else {
                pki::WhenMissing::Accept
            },
            stale: rules.when_stale(),
            max_age: rules.max_age(),
            ..PathPolicy::new(Purpose::Client)
        };
        let ders = |all: &[(PathBuf, CertificateDer<'static>)]| -> Vec<CertificateDer<'static>> {
            all.iter().map(|(_, ca)| ca.clone()).collect()
        };
        let trust = PathTrust::new(ders(&anchors), ders(&intermediates), policy).map_err(|error| {
            let at = match error {
                PathTrustError::Anchor { position, .. } => anchors.get(position),
                PathTrustError::Intermediate { position, .. } => intermediates.get(position),
                PathTrustError::None | PathTrustError::TooMany => None,
            };
            let path = at.map(|(path, _)| path.clone()).or_else(|| listener.client_cas.first().cloned());
            ClientsError { path: path.unwrap_or_default(), why: format!("no CA of clients: {error}") }
        })?;
        let clients = Self {
            trust,
            anchors: ders(&anchors),
            folder: listener.client_crls.clone(),
            lists: RwLock::default(),
            seen: Mutex::default(),
            admitted: DashMap::default(),
            look: watch::Sender::new(now),
        };
        clients.refresh(now);
        Ok(clients)
    }

    /// The certificates of the trust anchors.
    pub(crate) fn anchors(&self) -> &[CertificateDer<'static>] {
        &self.anchors
    }

    /// Judges a chain as a client sent it, the leaf first.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn judge(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<Admitted, PathError> {
        let lists = self.lists();
        let client = validate_client(chain, &self.trust, &lists, now)?;
        let admitted = Admitted {
            authority: client.authority(),
            serial: client.serial(),
            valid_until: client.valid_until(),
        };
        if self.admitted.len() < MOST_ADMITTED {
            self.admitted.insert(Fingerprint::of_octets(*client.fingerprint()), admitted);
        }
        // Lists that changed meanwhile have emptied the memory, or will be looked at below.
        if !Arc::ptr_eq(&lists, &self.lists()) {
            self.admitted.clear();
        }
        Ok(admitted)
    }

    /// The verdict on a connection's chain: the one its handshake has just found, or a new one where
    /// the connection goes on from an earlier one.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn admit(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<Admitted, PathError> {
        let held = chain.first().and_then(|leaf| self.admitted.get(&Fingerprint::of(leaf)).map(|held| *held));
        match held.filter(|held| self.stands(held, now)) {
            Some(held) => Ok(held),
            None => self.judge(chain, now),
        }
    }

    /// Whether a certificate that was admitted is still valid and on no list.
    #[must_use]
    pub fn stands(&self, admitted: &Admitted, now: UnixTime) -> bool {
        now <= admitted.valid_until && !self.lists().is_listed(admitted.authority, admitted.serial)
    }

    /// Ends when the certificate of an open connection does not stand any more.
    pub async fn fallen(&self, admitted: Admitted) {
        let mut look = self.look.subscribe();
        loop {
            let now = *look.borrow_and_update();
            if !self.stands(&admitted, now) {
                return;
            }
            if look.changed().await.is_err() {
                // The sender is ours: this cannot be. Nothing more will be told.
                return std::future::pending().await;
            }
        }
    }

    /// Takes the lists that are new or changed in the folder, and has open connections looked at.
    pub fn refresh(&self, now: UnixTime) {
        let mut changed = false;
        if let Some(folder) = &self.folder {
            let mut seen = lock(&self.seen);
            for (path, stamp) in list_files(folder) {
                if seen.get(&path) != Some(&stamp) {
                    changed |= self.take(&path, now);
                    seen.insert(path, stamp);
                }
            }
        }
        if changed {
            self.admitted.clear();
        }
        if changed || now.0.saturating_sub(self.look.borrow().0) >= LOOK_EVERY {
            self.look.send_replace(now);
        }
    }

    fn take(&self, path: &std::path::Path, now: UnixTime) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let der = match std::fs::read(path) {
            Ok(der) => der,
            Err(error) => {
                tracing::warn!(list = %name, %error, "revocation list of clients not readable");
                return false;
            }
        };
        match self.lists().arrive_for_clients(&der, &self.trust, now) {
            Ok(arrival) => {
                *self.lists.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(arrival.into_lists());
                tracing::info!(list = %name, "revocation list of clients taken");
                true
            }
            Err(error) => {
                tracing::warn!(list = %name, %error, "revocation list of clients refused; the held one stays");
                false
            }
        }
    }

    fn lists(&self) -> Arc<Lists> {
        Arc::clone(&self.lists.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn is_self_issued(certificate: &[u8]) -> bool {
    // One that cannot be read is refused as an anchor, with its reason.
    X509Certificate::from_der(certificate)
        .map_or(true, |(_, ca)| ca.subject().as_raw() == ca.issuer().as_raw())
}
