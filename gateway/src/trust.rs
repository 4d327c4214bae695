//! Whom we trust: the card CAs and their revocation lists, taken from files and swapped whole.
//!
//! ```text
//! [card] ─► anchors ─┐
//! *.crl  ─► lists  ──┼─► InForce (one immutable view) ─► path, links
//! ledger ─► memories ┘        │
//!                             └─► issuers (counted, for rehearsals), responder (asked, aside)
//!
//! [[listener]] ─► client_cas ─► clients (one a listener) ─► front
//! ```
//!
//! Lists arrive as files in a folder (J-LIS gives them to registered verifiers only, so no list is
//! fetched). A list that is broken, foreign or older than the one held leaves the held one in place.
//! What a list changes, and what a responder tells, goes to the ledger, so that a serial once revoked
//! stays so over restarts.

mod anchors;
mod aside;
mod client_cas;
mod clients;
mod fetch;
pub mod issuers;
mod memories;
mod responder;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use eligibility::day::Day;
use eligibility::feed::ListArrival;
use pki::{
    AuthorityId, CardProfile, Lists, OcspOutcome, Proven, Retention, RevocationSource, SeenCertificates,
    StandError, StandPolicy, TrustView, UnixTime,
};

use crate::config::{Card, CardProof};
use issuers::Issuers;
use memories::{Told, Unsaved};
use responder::Learned;

pub use anchors::{AnchorState, TrustError};
pub use client_cas::{ClientCas, ClientsError};
pub use clients::{Admitted, Clients};
pub use fetch::Address;
pub use memories::{Memories, RememberedLists};
pub use responder::{Asked, ENDS, Responder};

/// Most certificates kept that were met before, of about 3 000 octets each.
const MOST_CERTIFICATES: u64 = 20_000;

/// What cards are judged by at one moment.
#[derive(Clone)]
pub struct InForce {
    /// Anchors, lists and profile.
    pub view: TrustView,
    /// What proves a card.
    pub proof: CardProof,
    /// Expiry and revocation.
    pub stand: StandPolicy,
    /// Whom to ask about what the lists do not cover.
    pub responder: Option<Arc<Responder>>,
}

/// What is known of a certificate beside the lists.
pub enum Status {
    /// Nothing has to be waited for.
    Settled(OcspOutcome),
    /// The responder has to be asked first.
    Ask(Asked),
}

/// The trust in force.
pub struct Trust {
    in_force: RwLock<Arc<InForce>>,
    folder: PathBuf,
    /// Files already taken or refused, by name: length and time of change. Whoever swaps holds it.
    seen: Mutex<HashMap<PathBuf, (u64, SystemTime)>>,
    unsaved: Unsaved,
    /// What the responder told and is not remembered yet.
    learned: Learned,
    /// The day on which the end of an anchor was last warned of.
    warned: Mutex<Option<Day>>,
    issuers: Option<Issuers>,
    certificates: SeenCertificates,
    /// As it was at the start, which some keys keep to.
    started: Card,
}

impl InForce {
    /// Whether the responder has to be asked about a proven card: only where an answer could change
    /// what becomes of it and none is kept, or, if so configured, where nobody has `linked` it.
    pub fn status(
        &self,
        proven: &Proven,
        certificate: &[u8],
        linked: impl FnOnce() -> bool,
        now: UnixTime,
    ) -> Status {
        let nothing = Status::Settled(OcspOutcome::NotAsked);
        let Some(responder) = &self.responder else { return nothing };
        let wanted = match pki::stand(proven.clone(), &self.view, now, &self.stand) {
            Err(StandError::RevocationUnknown(_)) => true,
            // A hold that no list has any more: the responder may have released it.
            Err(StandError::Suspended) => {
                self.view.lists.hold_remembered(proven.authority(), proven.serial()).is_some()
            }
            Err(_) => false,
            Ok(verified) => {
                let known = verified.revocation();
                let unsure = known.stale || known.source == RevocationSource::Unchecked;
                unsure || (responder.asks_unlinked() && !linked())
            }
        };
        if !wanted {
            return nothing;
        }
        let Some(asked) = responder.about(proven, certificate, &self.view) else { return nothing };
        match responder.known(&asked, now) {
            Some(outcome) => Status::Settled(outcome),
            None => Status::Ask(asked),
        }
    }

    /// Asks the responder; the slow branch.
    pub async fn ask(&self, asked: Asked, now: UnixTime) -> OcspOutcome {
        match &self.responder {
            Some(responder) => responder.ask(asked, &self.view, now).await,
            None => OcspOutcome::NotAsked,
        }
    }
}

impl Trust {
    /// Reads the CAs, takes in what is remembered, and reads the lists that are there.
    ///
    /// # Errors
    /// [`TrustError`] with the file at fault.
    pub fn open(card: &Card, remembered: RememberedLists, now: UnixTime) -> Result<Self, TrustError> {
        let RememberedLists { lists, marks } = remembered;
        let learned = Learned::default();
        let unsaved = Unsaved::default();
        unsaved.know(marks);
        let trust = Self {
            in_force: RwLock::new(Arc::new(in_force(card, lists, (None, &learned))?)),
            folder: card.lists.clone(),
            seen: Mutex::default(),
            unsaved,
            learned,
            warned: Mutex::default(),
            issuers: card.issuers.as_deref().map(Issuers::open),
            certificates: SeenCertificates::new(MOST_CERTIFICATES),
            started: card.clone(),
        };
        trust.refresh(now);
        Ok(trust)
    }

    /// What is in force. Never waits for a refresh under way.
    #[must_use]
    pub fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The certificates met before: proving one again costs one signature check. They hold under the
    /// anchors and the profile they were proven with, and no longer.
    #[must_use]
    pub const fn certificates(&self) -> &SeenCertificates {
        &self.certificates
    }

    /// Puts another `[card]` in force: anchors added or retired, policies, grace, revocation rules.
    /// The lists held stay, those of an anchor that comes back among them; lists refused before are
    /// looked at again, as their authority may be trusted now.
    ///
    /// # Errors
    /// [`TrustError`] with the file at fault; what was in force stays so.
    pub fn reload(&self, card: &Card, now: UnixTime) -> Result<(), TrustError> {
        {
            let mut seen = lock(&self.seen);
            let held = self.in_force();
            let next = in_force(card, held.view.lists.clone(), (held.responder.clone(), &self.learned))?;
            self.swap(next);
            seen.clear();
        }
        *lock(&self.warned) = None;
        self.tell_of_later(card);
        self.refresh(now);
        Ok(())
    }

    /// Names the changed keys that need a start of their own.
    fn tell_of_later(&self, card: &Card) {
        let started = &self.started;
        let changed = [
            ("card.lists", card.lists != started.lists),
            ("card.issuers", card.issuers != started.issuers),
            ("card.challenge_seconds", card.challenge_seconds != started.challenge_seconds),
            ("card.revoked_kept_months", card.revoked_kept_months != started.revoked_kept_months),
        ];
        for (key, _) in changed.iter().filter(|(_, changed)| *changed) {
            tracing::warn!(key, "takes effect with the next start");
        }
    }

    /// Takes the lists that are new or changed in the folder, and what the responder told. A
    /// revocation counts from here on; it is remembered once [`Trust::save`] has handed it to the ledger.
    pub fn refresh(&self, now: UnixTime) {
        let mut seen = lock(&self.seen);
        self.learn(now);
        for (path, stamp) in list_files(&self.folder) {
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
        let held = self.in_force();
        let arrival = match held.view.lists.arrive(der, &held.view.anchors, now) {
            Ok(arrival) => arrival,
            Err(error) => {
                tracing::warn!(list = name, %error, "revocation list refused; the held one stays");
                return;
            }
        };
        self.unsaved.arrived(&arrival);
        let view = held.view.with_lists(arrival.into_lists());
        self.swap(InForce { view, ..InForce::clone(&held) });
        tracing::info!(list = name, "revocation list taken");
    }

    /// Remembers what answers told. They are few: lists tell of nearly all.
    fn learn(&self, now: UnixTime) {
        let learned = std::mem::take(&mut *lock(&self.learned));
        if learned.is_empty() {
            return;
        }
        let held = self.in_force();
        let mut lists = held.view.lists.clone();
        for answer in learned {
            let of = (answer.authority(), answer.serial());
            let told = match answer.remembered() {
                Some(one) => {
                    lists = lists.remembering([one], now, &self.retention());
                    Told::Listed(one)
                }
                None => {
                    lists = lists.releasing(of.0, of.1);
                    Told::Released
                }
            };
            self.unsaved.told(of, answer.this_update(), told);
        }
        self.swap(InForce { view: held.view.with_lists(lists), ..InForce::clone(&held) });
    }

    /// Takes in what other gateways' lists and responders told them.
    pub fn hear(&self, records: &[ListArrival], now: UnixTime) {
        let _turn = lock(&self.seen);
        let held = self.in_force();
        let lists = memories::hear(&held.view.lists, records, now, &self.retention());
        self.swap(InForce { view: held.view.with_lists(lists), ..InForce::clone(&held) });
    }

    const fn retention(&self) -> Retention {
        Retention { months: self.started.revoked_kept_months }
    }

    fn swap(&self, next: InForce) {
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }

    /// Hands what lists changed to `keep`, one by one; what it does not keep is handed again next time.
    pub fn save(&self, keep: impl FnMut(&ListArrival) -> bool) {
        self.unsaved.save(keep);
    }

    /// Every anchor with the days it has left.
    #[must_use]
    pub fn anchors(&self, now: UnixTime) -> Vec<AnchorState> {
        anchors::states(&self.in_force().view.anchors, now)
    }

    /// Counts a card that was taken, by its authority and the month of its issue.
    pub fn count(&self, authority: AuthorityId, not_before: UnixTime, now: UnixTime) {
        if let Some(issuers) = &self.issuers {
            issuers.count(authority, not_before, now);
        }
    }

    /// Writes down what was counted, once a minute or `at_once`.
    pub fn keep_counts(&self, now: UnixTime, at_once: bool) {
        if let Some(issuers) = &self.issuers {
            issuers.tend(&self.in_force().view.anchors, now, at_once);
        }
    }

    /// Warns of anchors that end soon, once a day.
    pub fn warn_of_ends(&self, now: UnixTime) {
        let today = Day::from_number(now.japan_day());
        if lock(&self.warned).replace(today) != Some(today) {
            self.anchors(now).iter().for_each(AnchorState::warn);
        }
    }
}

/// Whether everything that `[card]` names can be used.
///
/// # Errors
/// [`TrustError`] with the file at fault.
pub fn check(card: &Card) -> Result<(), TrustError> {
    in_force(card, Lists::new(), (None, &Learned::default())).map(drop)
}

/// Reads everything that `[card]` names; nothing changes where anything is wrong.
fn in_force(
    card: &Card,
    lists: Lists,
    (responder, learned): (Option<Arc<Responder>>, &Learned),
) -> Result<InForce, TrustError> {
    let anchors = anchors::read(&card.anchors)?;
    let view = TrustView::new(anchors, profile(&card.policies)).with_lists(lists);
    // One that goes on under the same rules keeps its answers and its breaker.
    let responder = card.responder.as_ref().map(|rules| match responder {
        Some(held) if held.keeps(rules) => held,
        _ => Arc::new(Responder::new(rules, Arc::clone(learned))),
    });
    Ok(InForce { view, proof: card.proof, stand: card.stand(), responder })
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

/// The lists in a folder, by name, each with length and time of change.
pub(crate) fn list_files(folder: &Path) -> Vec<(PathBuf, (u64, SystemTime))> {
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
