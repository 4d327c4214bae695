//! What is remembered of revocation lists: records of the ledger read at the start, and written when
//! a list arrives.

use std::collections::HashMap;
use std::sync::Arc;

use eligibility::day::Timestamp;
use eligibility::feed::{ListArrival, Revoked};
use eligibility::number::Serial;
use pki::{AuthorityId, ListMark, ListNumber, Lists, Remembered, Retention, UnixTime};

/// Most revocations of one ledger record.
const REVOKED_A_RECORD: usize = 2000;

/// What was remembered of revocation lists when the gateway was last running.
#[derive(Default)]
pub struct Memories {
    revoked: HashMap<(AuthorityId, pki::Serial), Remembered>,
    marks: Vec<ListMark>,
}

impl Memories {
    /// Lists that remember all of it, of which none is held yet; and the newest list of each scope.
    pub(super) fn into_lists(self, now: UnixTime, retention: &Retention) -> (Lists, Vec<ListMark>) {
        let lists = Lists::new().remembering(self.revoked.into_values(), now, retention);
        (lists.expecting(self.marks.iter().cloned()), self.marks)
    }

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
pub(super) fn newest(marks: &mut Vec<ListMark>, mark: ListMark) -> bool {
    let same = |one: &&mut ListMark| one.authority == mark.authority && one.partition == mark.partition;
    match marks.iter_mut().find(same) {
        Some(held) if *held == mark => return false,
        Some(held) => *held = mark,
        None => marks.push(mark),
    }
    true
}

/// What a list changed, in records of bearable length; the last of them at the latest bears its mark.
pub(super) fn changes(arrival: &pki::Arrival<'_>) -> Vec<ListArrival> {
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
