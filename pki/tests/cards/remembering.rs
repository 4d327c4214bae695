//! What was revoked stays revoked; only a hold comes back.

use pki::issuing::{Reason, Revoked};
use pki::{Lists, Remembered, Retention, StandError, UnixTime};

use crate::revocation::standing;
use crate::world::{self, DAY, ISSUED, anchors, card, chiyoda, list, revoked, serial, sign_list};

const CARD: &str = "117800001";

/// The lists after that one arrived, and what is to be stored.
fn arrive(lists: &Lists, number: u64, entries: &[Revoked]) -> (Lists, Vec<Remembered>) {
    let point = chiyoda().distribution_point();
    let der = sign_list(&list(number, Some(&point), entries));
    let arrival = lists.arrive(&der, &anchors(), UnixTime(ISSUED.0 + 1000 * DAY)).expect("taken");
    let stored = arrival.newly_revoked().collect();
    (arrival.into_lists(), stored)
}

#[test]
fn a_revoked_serial_stays_revoked_when_lists_drop_it() {
    let (lists, _) = arrive(&Lists::new(), 1, &[revoked(CARD, Reason::Superseded)]);
    for entries in [&[][..], &[revoked(CARD, Reason::Remove)], &[revoked(CARD, Reason::Hold)]] {
        let (lists, _) = arrive(&lists, 2, entries);
        assert_eq!(standing(&lists, 2, &card()), Err(StandError::Revoked));
        let (lists, _) = arrive(&lists, 3, &[]);
        assert_eq!(standing(&lists, 3, &card()), Err(StandError::Revoked));
        assert_eq!(lists.remembered(), 1);
    }
}

#[test]
fn a_hold_is_released_by_a_newer_list() {
    let (held, stored) = arrive(&Lists::new(), 1, &[revoked(CARD, Reason::Hold)]);
    assert!(matches!(stored[..], [Remembered { hold: true, .. }]));
    assert_eq!(standing(&held, 1, &card()), Err(StandError::Suspended));
    for entries in [&[][..], &[revoked(CARD, Reason::Remove)]] {
        let (released, _) = arrive(&held, 2, entries);
        assert_eq!(standing(&released, 2, &card()), Ok(()));
    }
    let point = chiyoda().distribution_point();
    let der = sign_list(&list(2, Some(&point), &[]));
    let arrival = held.arrive(&der, &anchors(), UnixTime(ISSUED.0 + 9 * DAY)).expect("taken");
    assert_eq!(arrival.released().collect::<Vec<_>>(), [serial(CARD)]);
    let (revoked, stored) = arrive(&held, 2, &[revoked(CARD, Reason::KeyCompromise)]);
    assert!(matches!(stored[..], [Remembered { hold: false, .. }]));
    assert_eq!(standing(&revoked, 2, &card()), Err(StandError::Revoked));
}

#[test]
fn only_what_is_new_is_handed_out() {
    let (lists, stored) =
        arrive(&Lists::new(), 1, &[revoked("7", Reason::Superseded), revoked("8", Reason::Hold)]);
    assert_eq!(stored.len(), 2);
    assert_eq!(stored[0].serial, serial("7"));
    assert_eq!(stored[0].revoked_at, UnixTime(ISSUED.0 + DAY / 2));
    assert_eq!(stored[0].listed_at, UnixTime(ISSUED.0 + DAY));
    let entries =
        [revoked("7", Reason::Superseded), revoked("8", Reason::Hold), revoked("9", Reason::Superseded)];
    let (_, stored) = arrive(&lists, 2, &entries);
    assert_eq!(stored.iter().map(|one| one.serial).collect::<Vec<_>>(), [serial("9")]);
}

#[test]
fn what_was_stored_holds_after_a_restart() {
    let now = UnixTime(ISSUED.0 + 2 * DAY);
    let (_, revoked_once) = arrive(&Lists::new(), 1, &[revoked(CARD, Reason::Superseded)]);
    let restarted = Lists::new().remembering(revoked_once, now, &Retention::default());
    assert_eq!(standing(&restarted, 1, &card()), Err(StandError::Revoked));
    let dropped = world::lists(&restarted, 2, &[]);
    assert_eq!(standing(&dropped, 2, &card()), Err(StandError::Revoked));

    let (_, held_once) = arrive(&Lists::new(), 2, &[revoked(CARD, Reason::Hold)]);
    let restarted = Lists::new().remembering(held_once, now, &Retention::default());
    assert_eq!(standing(&restarted, 2, &card()), Err(StandError::Suspended));
    let older = world::lists(&restarted, 1, &[]);
    assert_eq!(standing(&older, 1, &card()), Err(StandError::Suspended));
    let newer = world::lists(&restarted, 3, &[]);
    assert_eq!(standing(&newer, 3, &card()), Ok(()));
}

#[test]
fn what_was_stored_is_kept_ten_years_and_four_months() {
    let (_, stored) = arrive(&Lists::new(), 1, &[revoked(CARD, Reason::Superseded)]);
    let retention = Retention::default();
    let last = retention.kept_until(stored[0].revoked_at);
    let kept = |now| Lists::new().remembering(stored.clone(), now, &retention).remembered();
    assert_eq!(kept(last), 1);
    assert_eq!(kept(UnixTime(last.0 + 1)), 0);
}

#[test]
fn a_serial_is_found_whatever_its_list() {
    let (lists, stored) =
        arrive(&Lists::new(), 1, &[revoked(CARD, Reason::Superseded), revoked("8", Reason::Hold)]);
    let (authority, other) = {
        let mut ids = anchors().iter().map(pki::Anchor::id).collect::<Vec<_>>().into_iter();
        (ids.next().expect("the first"), ids.next().expect("the second"))
    };
    let restarted = Lists::new().remembering(stored, ISSUED, &Retention::default());
    for lists in [&lists, &restarted] {
        assert!(lists.is_listed(authority, serial(CARD)) && lists.is_listed(authority, serial("8")));
        assert!(!lists.is_listed(authority, serial("9")) && !lists.is_listed(other, serial(CARD)));
    }
    assert_eq!(lists.iter().map(|list| list.octets).sum::<usize>(), 8);
}
