//! What is remembered of revocations: records of the ledger read at the start, and written when a
//! list arrives or an authority's responder tells of one. For cards and for clients alike.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use eligibility::day::Timestamp;
use eligibility::feed::{ListArrival, Revoked};
use eligibility::number::Serial;
use pki::{AuthorityId, ListMark, ListNumber, Lists, Remembered, Retention, UnixTime};

use super::lock;

/// Most revocations of one ledger record.
const REVOKED_A_RECORD: usize = 2000;

/// What was remembered of revocation lists when the gateway was last running.
#[derive(Default)]
pub struct Memories {
    revoked: HashMap<(AuthorityId, pki::Serial), Remembered>,
    marks: Vec<ListMark>,
}

impl Memories {
    /// Lists that remember all of it, of which none is held yet.
    #[must_use]
    pub fn into_remembered(self, now: UnixTime, retention: &Retention) -> RememberedLists {
        let lists = Lists::new().remembering(self.revoked.into_values(), now, retention);
        RememberedLists { lists: lists.expecting(self.marks.iter().cloned()), marks: self.marks }
    }

    /// When the newest list seen was issued.
    #[must_use]
    pub fn newest_list(&self) -> Option<UnixTime> {
        self.marks.iter().map(|mark| mark.this_update).max()
    }

    /// Takes in one record, in the order of the ledger.
    pub fn take(&mut self, list: &ListArrival) {
        let authority = AuthorityId::from_bytes(list.authority);
        let listed_at = seconds(list.this_update);
        for remembered in revoked(list) {
            let held = self.revoked.entry((authority, remembered.serial)).or_insert(remembered);
            // Once revoked for ever, nothing makes it a hold; a hold is as new as the newest list with it.
            if held.hold && !(remembered.hold && remembered.listed_at < held.listed_at) {
                *held = remembered;
            }
        }
        for serial in released(list) {
            if self.revoked.get(&(authority, serial)).is_some_and(|held| held.hold) {
                self.revoked.remove(&(authority, serial));
            }
        }
        if let Some(number) = list.number.as_deref().and_then(ListNumber::from_bytes) {
            let partition = list.partition.as_deref().map(Arc::from);
            newest(&mut self.marks, ListMark { authority, partition, number, this_update: listed_at });
        }
    }
}

/// What a record says of revoked serials.
fn revoked(list: &ListArrival) -> impl Iterator<Item = Remembered> {
    let (authority, listed_at) = (AuthorityId::from_bytes(list.authority), seconds(list.this_update));
    list.revoked.iter().filter_map(move |one| {
        let serial = pki::Serial::from_bytes(one.serial.octets()).ok()?;
        let revoked_at = seconds(one.revoked_at);
        Some(Remembered { authority, serial, revoked_at, hold: one.on_hold, listed_at })
    })
}

/// What a record says of serials whose hold is over.
fn released(list: &ListArrival) -> impl Iterator<Item = pki::Serial> {
    list.released.iter().filter_map(|serial| pki::Serial::from_bytes(serial.octets()).ok())
}

/// These lists, knowing too what other gateways' lists and responders told them.
pub(super) fn hear(lists: &Lists, records: &[ListArrival], now: UnixTime, retention: &Retention) -> Lists {
    let mut lists = lists.clone();
    for record in records {
        lists = lists.remembering(revoked(record), now, retention);
        let authority = AuthorityId::from_bytes(record.authority);
        lists = released(record).fold(lists, |lists, serial| lists.releasing(authority, serial));
    }
    lists
}

/// Lists that remember what the ledger holds, and the newest list of each scope. Cheap to clone.
#[derive(Clone, Default)]
pub struct RememberedLists {
    pub(super) lists: Lists,
    pub(super) marks: Vec<ListMark>,
}

/// What lists and responders changed and the ledger does not hold yet, in order.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    /// The newest list of each scope that the ledger holds, or is about to.
    marks: Mutex<Vec<ListMark>>,
    changes: Mutex<VecDeque<ListArrival>>,
}

impl Unsaved {
    /// What the ledger holds already.
    pub(super) fn know(&self, marks: Vec<ListMark>) {
        *lock(&self.marks) = marks;
    }

    /// Puts down what a list changes.
    pub(super) fn arrived(&self, arrival: &pki::Arrival<'_>) {
        let is_new = newest(&mut lock(&self.marks), arrival.mark());
        let counts = |one: &ListArrival| is_new || !one.revoked.is_empty() || !one.released.is_empty();
        lock(&self.changes).extend(changes(arrival).into_iter().filter(counts));
    }

    /// Puts down what a responder told of one certificate.
    pub(super) fn told(&self, (authority, serial): (AuthorityId, pki::Serial), at: UnixTime, told: Told) {
        let Some(serial) = Serial::from_be_bytes(serial.as_bytes()) else { return };
        let blank = of_responder(authority, at);
        lock(&self.changes).push_back(match told {
            Told::Listed(one) => {
                let revoked_at = timestamp(one.revoked_at);
                ListArrival { revoked: vec![Revoked { serial, revoked_at, on_hold: one.hold }], ..blank }
            }
            Told::Released => ListArrival { released: vec![serial], ..blank },
        });
    }

    /// Hands what changed to `keep`, one by one; what it does not keep is handed again next time.
    pub(super) fn save(&self, mut keep: impl FnMut(&ListArrival) -> bool) {
        let mut changes = lock(&self.changes);
        while changes.front().is_some_and(&mut keep) {
            changes.pop_front();
        }
    }
}

/// What a responder told of a certificate.
#[derive(Clone, Copy)]
pub(super) enum Told {
    /// It is revoked or on hold.
    Listed(Remembered),
    /// A hold is over.
    Released,
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
    let serial = |serial: pki::Serial| Serial::from_be_bytes(serial.as_bytes());
    let blank = || ListArrival {
        partition: mark.partition.as_deref().map(Into::into),
        number: Some(mark.number.as_bytes().into()),
        ..of_responder(mark.authority, mark.this_update)
    };
    let mut changes =
        vec![ListArrival { released: arrival.released().filter_map(serial).collect(), ..blank() }];
    for one in arrival.newly_revoked() {
        let Some(serial) = serial(one.serial) else { continue };
        if changes.last().is_none_or(|last| last.revoked.len() >= REVOKED_A_RECORD) {
            changes.push(blank());
        }
        if let Some(last) = changes.last_mut() {
            last.revoked.push(Revoked { serial, revoked_at: timestamp(one.revoked_at), on_hold: one.hold });
        }
    }
    changes
}

fn of_responder(authority: AuthorityId, at: UnixTime) -> ListArrival {
    ListArrival {
        authority: *authority.as_bytes(),
        partition: None,
        number: None,
        this_update: timestamp(at),
        revoked: Vec::new(),
        released: Vec::new(),
    }
}

fn timestamp(time: UnixTime) -> Timestamp {
    Timestamp::from_millis(time.0.saturating_mul(1000))
}

fn seconds(at: Timestamp) -> UnixTime {
    UnixTime(at.millis().div_euclid(1000))
}
