//! Whom a listener lets in: the CAs of client certificates and their revocation lists. A certificate
//! is judged at each handshake, and at each connection that goes on from an earlier one; a
//! revocation that arrives ends the connections that are open, and so does a CA that is taken away.
//! Which CAs those are is read in `client_cas`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use dashmap::DashMap;
use eligibility::feed::ListArrival;
use pki::path::{PathCertificates, PathError, validate_client};
use pki::{Lists, Retention, UnixTime};
use rustls::pki_types::CertificateDer;
use tokio::sync::watch;

use super::client_cas::ClientCas;
use super::memories::{self, RememberedLists, Unsaved};
use super::{list_files, lock};
use crate::peer::Fingerprint;

/// Certificates remembered between handshake and connection; more are judged twice.
const MOST_ADMITTED: usize = 300_000;
/// Seconds after which open connections are looked at, though no list has come: certificates end.
const LOOK_EVERY: i64 = 60;
/// Time over which open connections are judged again when the CAs have changed: all at once would
/// keep the desks' threads from their requests.
const SPREAD: Duration = Duration::from_secs(10);

/// The callers of one listener.
#[derive(Debug)]
pub struct Clients {
    cas: RwLock<Arc<ClientCas>>,
    lists: RwLock<Arc<Lists>>,
    /// List files already taken or refused. Whoever swaps the lists holds it.
    seen: Mutex<HashMap<PathBuf, (u64, SystemTime)>>,
    unsaved: Unsaved,
    /// Judged since the lists or the CAs last changed.
    admitted: DashMap<Fingerprint, Admitted, foldhash::fast::RandomState>,
    /// Tells open connections to look at their certificates again.
    look: watch::Sender<Look>,
}

/// What open connections look at.
#[derive(Clone, Copy, Debug)]
struct Look {
    now: UnixTime,
    /// How often the CAs have changed.
    change: u64,
}

/// A client certificate that was found valid: what is needed to look at it again.
#[derive(Clone, Debug)]
pub struct Admitted {
    path: PathCertificates,
    valid_until: UnixTime,
    change: u64,
}

/// What has become of a certificate that was admitted.
enum Standing {
    Stands,
    Fallen,
    /// It was judged by other CAs.
    Unjudged,
}

impl Clients {
    /// The callers that these CAs certify. Nobody is known to be revoked before [`Clients::begin`].
    #[must_use]
    pub fn new(cas: ClientCas) -> Self {
        Self {
            cas: RwLock::new(Arc::new(cas)),
            lists: RwLock::default(),
            seen: Mutex::default(),
            unsaved: Unsaved::default(),
            admitted: DashMap::default(),
            look: watch::Sender::new(Look { now: UnixTime(i64::MIN), change: 0 }),
        }
    }

    /// Takes in what is remembered, then the lists that are there.
    pub fn begin(&self, remembered: RememberedLists, now: UnixTime) {
        let RememberedLists { lists, marks } = remembered;
        self.unsaved.know(marks);
        self.swap(lists);
        self.refresh(now);
    }

    /// Puts other CAs or rules in force. Connections that are open are judged by them within seconds.
    pub fn replace(&self, cas: ClientCas, now: UnixTime) {
        if *self.cas() == cas {
            return;
        }
        *self.cas.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(cas);
        self.look.send_modify(|look| look.change += 1);
        self.admitted.clear();
        // Lists refused before may be of a CA that is trusted now.
        lock(&self.seen).clear();
        self.refresh(now);
    }

    /// Judges a chain as a client sent it, the leaf first.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn judge(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<Admitted, PathError> {
        let change = self.look.borrow().change;
        let lists = self.lists();
        let client = validate_client(chain, self.cas().trust(), &lists, now)?;
        let (path, valid_until) = (client.certificates().clone(), client.valid_until());
        let admitted = Admitted { path, valid_until, change };
        if self.admitted.len() < MOST_ADMITTED {
            self.admitted.insert(Fingerprint::of_octets(*client.fingerprint()), admitted.clone());
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
        let leaf = chain.first().map(|leaf| Fingerprint::of(leaf));
        let held = leaf.and_then(|leaf| self.admitted.get(&leaf).map(|held| held.clone()));
        let look = Look { now, ..*self.look.borrow() };
        match held {
            Some(held) if matches!(self.standing(&held, look), Standing::Stands) => Ok(held),
            _ => self.judge(chain, now),
        }
    }

    fn standing(&self, admitted: &Admitted, look: Look) -> Standing {
        if look.now > admitted.valid_until || admitted.path.is_revoked(&self.lists()) {
            Standing::Fallen
        } else if admitted.change == look.change {
            Standing::Stands
        } else {
            Standing::Unjudged
        }
    }

    /// Ends when the certificate of an open connection does not stand any more.
    pub async fn fallen(&self, mut admitted: Admitted, chain: &[CertificateDer<'_>]) {
        let mut changes = self.look.subscribe();
        loop {
            let look = *changes.borrow_and_update();
            match self.standing(&admitted, look) {
                Standing::Fallen => return,
                Standing::Stands => {
                    if changes.changed().await.is_err() {
                        // The sender is ours: this cannot be. Nothing more will be told.
                        return std::future::pending().await;
                    }
                }
                Standing::Unjudged => {
                    tokio::time::sleep(own_moment(chain)).await;
                    let Ok(again) = self.judge(chain, look.now) else { return };
                    admitted = again;
                }
            }
        }
    }

    /// Takes in what other gateways' lists told them.
    pub fn hear(&self, records: &[ListArrival], now: UnixTime, retention: &Retention) {
        let _turn = lock(&self.seen);
        self.swap(memories::hear(&self.lists(), records, now, retention));
        self.admitted.clear();
        self.look.send_modify(|look| look.now = now);
    }

    /// Takes the lists that are new or changed in the folder, and has open connections looked at.
    pub fn refresh(&self, now: UnixTime) {
        let mut changed = false;
        let cas = self.cas();
        if let Some(folder) = cas.lists() {
            let mut seen = lock(&self.seen);
            for (path, stamp) in list_files(folder) {
                if seen.get(&path) != Some(&stamp) {
                    changed |= self.take(&cas, &path, now);
                    seen.insert(path, stamp);
                }
            }
        }
        if changed {
            self.admitted.clear();
        }
        if changed || now.0.saturating_sub(self.look.borrow().now.0) >= LOOK_EVERY {
            self.look.send_modify(|look| look.now = now);
        }
    }

    fn take(&self, cas: &ClientCas, path: &std::path::Path, now: UnixTime) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let der = match std::fs::read(path) {
            Ok(der) => der,
            Err(error) => {
                tracing::warn!(list = %name, %error, "revocation list of clients not readable");
                return false;
            }
        };
        match self.lists().arrive_for_clients(&der, cas.trust(), now) {
            Ok(arrival) => {
                self.unsaved.arrived(&arrival);
                self.swap(arrival.into_lists());
                tracing::info!(list = %name, "revocation list of clients taken");
                true
            }
            Err(error) => {
                tracing::warn!(list = %name, %error, "revocation list of clients refused; the held one stays");
                false
            }
        }
    }

    /// Hands what lists changed to `keep`, one by one; what it does not keep is handed again next time.
    pub fn save(&self, keep: impl FnMut(&ListArrival) -> bool) {
        self.unsaved.save(keep);
    }

    /// The lists held.
    #[must_use]
    pub fn lists(&self) -> Arc<Lists> {
        Arc::clone(&self.lists.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn cas(&self) -> Arc<ClientCas> {
        Arc::clone(&self.cas.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn swap(&self, lists: Lists) {
        *self.lists.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(lists);
    }
}

/// Some moment within [`SPREAD`], another one for each certificate.
fn own_moment(chain: &[CertificateDer<'_>]) -> Duration {
    let leaf = chain.first().map(|leaf| Fingerprint::of(leaf));
    let part = leaf.map_or(0, |leaf| u32::from(leaf.as_bytes().first().copied().unwrap_or(0)));
    SPREAD * part / 256
}
