//! The revocation lists held: each verified once when it arrives, indexed, and kept until a newer
//! one of its scope takes its place. An immutable value; a list that is refused changes nothing.
//! Where lists come from, and what to do when one is missing or old, is not here.

mod arrival;
mod index;
mod read;
mod remembered;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::index::{Gather, Index};
use self::read::{Effect, Entries, Envelope};
use self::remembered::Kept;
use crate::anchors::{Anchors, AuthorityId, Claim, UntrustedReason, sha256};
use crate::path::PathTrust;
use crate::serial::{ListNumber, Serial};
use crate::stand::UnknownReason;
use crate::time::UnixTime;

pub use self::arrival::Arrival;
pub use self::read::ListError;
pub use self::remembered::{Remembered, Retention};

/// Seconds by which a list's thisUpdate may lie ahead of our clock.
const CLOCK_TOLERANCE: i64 = 60;

/// Of which certificates a list speaks: an authority's key, and the distribution point if it does
/// not speak for all of them.
type Key = (AuthorityId, Option<Arc<[u8]>>);

/// The revocation lists held and the revocations remembered. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    held: BTreeMap<Key, Arc<List>>,
    /// The newest list ever seen of a scope, where it is known from elsewhere.
    floors: BTreeMap<Key, (ListNumber, UnixTime)>,
    kept: BTreeMap<AuthorityId, Arc<Kept>>,
}

/// One list, verified.
#[derive(Debug)]
struct List {
    number: ListNumber,
    this_update: UnixTime,
    next_update: UnixTime,
    /// SHA-256 of the whole list.
    fingerprint: [u8; 32],
    /// It says nothing of authorities' certificates.
    users_only: bool,
    revoked: Index,
    on_hold: Index,
}

/// Which list of a scope is or was the newest: to be stored, so that an older one is refused after
/// a restart too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListMark {
    /// The authority that signed it.
    pub authority: AuthorityId,
    /// DER name of its distribution point; nothing when it speaks for the whole authority.
    pub partition: Option<Arc<[u8]>>,
    /// Its CRLNumber.
    pub number: ListNumber,
    /// Its thisUpdate.
    pub this_update: UnixTime,
}

/// One list held, described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldList {
    /// Scope, number and thisUpdate.
    pub mark: ListMark,
    /// When the next one is due.
    pub next_update: UnixTime,
    /// Serials it has as revoked for ever.
    pub revoked: usize,
    /// Serials it has on hold.
    pub on_hold: usize,
    /// Octets of memory that its serials take.
    pub octets: usize,
}

/// What the lists say of one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Clear { this_update: UnixTime, next_update: UnixTime },
    Revoked,
    Suspended,
    Unknown(UnknownReason),
}

impl Lists {
    /// No list and no revocation.
    pub fn new() -> Lists {
        Lists::default()
    }

    /// These lists and this one, in DER, in place of the one of the same scope: [`Lists::arrive`]
    /// without the account of what changed.
    ///
    /// # Errors
    /// As [`Lists::arrive`].
    pub fn with(&self, der: &[u8], anchors: &Anchors, now: UnixTime) -> Result<Lists, ListError> {
        self.arrive(der, anchors, now).map(Arrival::into_lists)
    }

    /// Verifies a list in DER and takes it in, in place of the one of the same scope. The same
    /// list again is accepted and changes nothing. Time is linear in its length, and the memory
    /// kept is at most four octets for each entry whose serial fits in four, twenty for others.
    ///
    /// What the replaced list had revoked stays revoked; what it had on hold is released unless
    /// the new one has it too.
    ///
    /// # Errors
    /// Broken, not signed by a trust anchor, of a kind not taken, or older than the one held.
    pub fn arrive<'a>(
        &self,
        der: &'a [u8],
        anchors: &Anchors,
        now: UnixTime,
    ) -> Result<Arrival<'a>, ListError> {
        self.arrive_by(der, now, |claim| {
            anchors.signer(claim).map(|anchor| (anchor.id(), anchor.signs_lists()))
        })
    }

    /// The same for a list of an authority of client certificates: an anchor, or a configured
    /// intermediate with a valid path.
    ///
    /// # Errors
    /// As [`Lists::arrive`].
    pub fn arrive_for_clients<'a>(
        &self,
        der: &'a [u8],
        trust: &PathTrust,
        now: UnixTime,
    ) -> Result<Arrival<'a>, ListError> {
        self.arrive_by(der, now, |claim| trust.list_signer(claim, now))
    }

    /// `signer` gives the authority that signed, and whether it may sign lists.
    fn arrive_by<'a>(
        &self,
        der: &'a [u8],
        now: UnixTime,
        signer: impl FnOnce(&Claim<'a>) -> Result<(AuthorityId, bool), UntrustedReason>,
    ) -> Result<Arrival<'a>, ListError> {
        let envelope = Envelope::read(der)?;
        let (authority, may_sign) = signer(&envelope.claim()?).map_err(ListError::Untrusted)?;
        if !may_sign {
            return Err(ListError::IssuerMayNotSign);
        }
        let scope = envelope.scope()?;
        let next_update =
            envelope.next_update.filter(|next| *next >= envelope.this_update).ok_or(ListError::NextUpdate)?;
        if envelope.this_update > now.plus(CLOCK_TOLERANCE) {
            return Err(ListError::FromTheFuture);
        }
        let key: Key = (authority, scope.point.map(Arc::from));
        let fingerprint = sha256(der);
        if let Some(held) = self.check_newer(&key, (scope.number, envelope.this_update), &fingerprint)? {
            return Ok(Arrival::unchanged(self, key, held));
        }
        let (revoked, on_hold) = index(envelope.entries)?;
        let this_update = envelope.this_update;
        let users_only = scope.users_only;
        let number = scope.number;
        let list = List { number, this_update, next_update, fingerprint, users_only, revoked, on_hold };
        Ok(self.replace(key, Arc::new(list), envelope.entries))
    }

    /// The list held if it is the very same one; an error if it is newer.
    fn check_newer(
        &self,
        key: &Key,
        offered: (ListNumber, UnixTime),
        fingerprint: &[u8; 32],
    ) -> Result<Option<Arc<List>>, ListError> {
        let older =
            |(number, this_update): (ListNumber, UnixTime)| offered.0 < number || offered.1 < this_update;
        if self.floors.get(key).copied().is_some_and(older) {
            return Err(ListError::Older);
        }
        let Some(held) = self.held.get(key) else {
            return Ok(None);
        };
        if held.fingerprint == *fingerprint {
            return Ok(Some(Arc::clone(held)));
        }
        if older((held.number, held.this_update)) {
            return Err(ListError::Older);
        }
        if held.number == offered.0 {
            return Err(ListError::NumberReused);
        }
        Ok(None)
    }

    fn replace<'a>(&self, key: Key, list: Arc<List>, entries: &'a [u8]) -> Arrival<'a> {
        let mut lists = self.clone();
        if let Some(former) = lists.held.insert(key.clone(), Arc::clone(&list)) {
            let mut dropped =
                former.revoked.iter().filter(|serial| !list.revoked.contains(*serial)).peekable();
            if dropped.peek().is_some() {
                let kept = lists.kept.entry(key.0).or_default();
                *kept = Arc::new(kept.with_revoked(dropped));
            }
        }
        Arrival { lists, before: self.clone(), key, list, entries }
    }

    /// These lists, with revocations remembered from before. Those whose retention has ended by
    /// `now` are left out.
    #[must_use]
    pub fn remembering(
        &self,
        revocations: impl IntoIterator<Item = Remembered>,
        now: UnixTime,
        retention: &Retention,
    ) -> Lists {
        let mut by_authority: BTreeMap<AuthorityId, Vec<Remembered>> = BTreeMap::new();
        for one in revocations {
            if now <= retention.kept_until(one.revoked_at) {
                by_authority.entry(one.authority).or_default().push(one);
            }
        }
        let mut lists = self.clone();
        for (authority, more) in by_authority {
            let kept = lists.kept.entry(authority).or_default();
            *kept = Arc::new(kept.with(more));
        }
        lists
    }

    /// These lists without what is remembered of that hold: for a newer word from elsewhere that has
    /// released it. Lists that have it are not overruled.
    #[must_use]
    pub fn releasing(&self, authority: AuthorityId, serial: Serial) -> Lists {
        let mut lists = self.clone();
        if let Some(kept) = lists.kept.get_mut(&authority) {
            *kept = Arc::new(kept.without_hold(serial));
        }
        lists
    }

    /// These lists, refusing from now on any list older than these marks.
    #[must_use]
    pub fn expecting(&self, marks: impl IntoIterator<Item = ListMark>) -> Lists {
        let mut lists = self.clone();
        for mark in marks {
            let floor = lists
                .floors
                .entry((mark.authority, mark.partition))
                .or_insert((mark.number, mark.this_update));
            *floor = (floor.0.max(mark.number), floor.1.max(mark.this_update));
        }
        lists
    }

    /// The lists held.
    pub fn iter(&self) -> impl Iterator<Item = HeldList> {
        self.held.iter().map(|(key, list)| HeldList {
            mark: list.mark(key),
            next_update: list.next_update,
            revoked: list.revoked.len(),
            on_hold: list.on_hold.len(),
            octets: list.revoked.octets() + list.on_hold.octets(),
        })
    }

    /// Number of revocations remembered beside the lists held.
    pub fn remembered(&self) -> usize {
        self.kept.values().map(|kept| kept.len()).sum()
    }

    /// Whether any list of that authority, or what is remembered of it, has the serial as revoked
    /// or on hold, whatever its distribution point. For looking again at a certificate that stood
    /// before, such as the one behind a connection; that nothing is found is no proof that it
    /// stands.
    pub fn is_listed(&self, authority: AuthorityId, serial: Serial) -> bool {
        let mut lists = self.of_authority(authority);
        lists.any(|list| list.revoked.contains(serial) || list.on_hold.contains(serial))
            || self
                .kept
                .get(&authority)
                .is_some_and(|kept| kept.is_revoked(serial) || kept.held_since(serial).is_some())
    }

    /// As [`Lists::is_listed`], of revocations for ever alone.
    pub fn is_revoked(&self, authority: AuthorityId, serial: Serial) -> bool {
        self.of_authority(authority).any(|list| list.revoked.contains(serial))
            || self.kept.get(&authority).is_some_and(|kept| kept.is_revoked(serial))
    }

    /// Since when a hold is remembered that no list held has any more; a newer list, or a newer good
    /// word of the authority's responder, releases it.
    pub fn hold_remembered(&self, authority: AuthorityId, serial: Serial) -> Option<UnixTime> {
        let on_list = self.of_authority(authority).any(|list| list.on_hold.contains(serial));
        let since = self.kept.get(&authority).and_then(|kept| kept.held_since(serial));
        since.filter(|_| !on_list)
    }

    fn of_authority(&self, authority: AuthorityId) -> impl Iterator<Item = &List> {
        let from: Key = (authority, None);
        let lists = self.held.range(from..).take_while(move |(key, _)| key.0 == authority);
        lists.map(|(_, list)| &**list)
    }

    /// What is known of a user's certificate of that authority with these distribution points.
    pub(crate) fn standing(&self, authority: AuthorityId, serial: Serial, points: &[Arc<[u8]>]) -> Standing {
        self.standing_of((authority, serial), points, false, None)
    }

    /// The same, of a user's certificate or of another authority's; a remembered hold does not count
    /// when somebody who may has called the certificate `good` at a later moment.
    pub(crate) fn standing_of(
        &self,
        (authority, serial): (AuthorityId, Serial),
        points: &[Arc<[u8]>],
        of_authority: bool,
        good: Option<UnixTime>,
    ) -> Standing {
        let point = |name: &Arc<[u8]>| self.held.get(&(authority, Some(Arc::clone(name))));
        let speaks = move |list: &&Arc<List>| !(of_authority && list.users_only);
        let speaking =
            || points.iter().filter_map(point).chain(self.held.get(&(authority, None))).filter(speaks);
        let kept = self.kept.get(&authority);
        if kept.is_some_and(|kept| kept.is_revoked(serial))
            || speaking().any(|list| list.revoked.contains(serial))
        {
            return Standing::Revoked;
        }
        let newest = speaking().max_by_key(|list| list.this_update);
        // a remembered hold ends when all lists that speak are newer than the one that told of it
        let since = kept.and_then(|kept| kept.held_since(serial));
        let newer = |since| newest.is_some() && speaking().all(|list| list.this_update > since);
        let newer = |since| newer(since) || good.is_some_and(|good| good > since);
        let unreleased = since.is_some_and(|since| !newer(since));
        if unreleased || speaking().any(|list| list.on_hold.contains(serial)) {
            return Standing::Suspended;
        }
        match newest {
            Some(list) => Standing::Clear { this_update: list.this_update, next_update: list.next_update },
            None if self.held.keys().any(|key| key.0 == authority) => {
                Standing::Unknown(UnknownReason::PartitionMissing)
            }
            None => Standing::Unknown(UnknownReason::NoList),
        }
    }

    /// Whether the serial was already known as revoked for ever (by the list of that scope or
    /// remembered), or at least as on hold by a list no older than this.
    fn knows(&self, key: &Key, serial: Serial, hold: bool, listed_at: UnixTime) -> bool {
        let list = self.held.get(key);
        let kept = self.kept.get(&key.0);
        let revoked = list.is_some_and(|list| list.revoked.contains(serial))
            || kept.is_some_and(|kept| kept.is_revoked(serial));
        let on_hold = list.is_some_and(|list| list.on_hold.contains(serial))
            || kept.and_then(|kept| kept.held_since(serial)).is_some_and(|since| since >= listed_at);
        revoked || (hold && on_hold)
    }
}

impl List {
    fn mark(&self, (authority, partition): &Key) -> ListMark {
        ListMark {
            authority: *authority,
            partition: partition.clone(),
            number: self.number,
            this_update: self.this_update,
        }
    }
}

/// Walks all entries once: the serials revoked for ever and those on hold.
fn index(entries: &[u8]) -> Result<(Index, Index), ListError> {
    let (mut revoked, mut on_hold) = (Gather::default(), Gather::default());
    for entry in Entries::new(entries) {
        let entry = entry?;
        match entry.effect {
            Effect::Revoke => revoked.add(entry.serial),
            Effect::Hold => on_hold.add(entry.serial),
            Effect::Remove => {}
        }
    }
    Ok((revoked.finish(), on_hold.finish()))
}
