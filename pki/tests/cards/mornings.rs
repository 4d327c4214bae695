//! A week of mornings: a list each day at four, late, missing, replayed, with restarts between and
//! a clock that steps. What holds at each moment.

use pki::issuing::{Reason, Revoked};
use pki::{
    ListError, Lists, Remembered, Retention, StandError, StandPolicy, UnixTime, UnknownReason, WhenStale,
    stand,
};

use crate::world::{DAY, ISSUED, anchors, card, chiyoda, issue, list, revoked, shown, sign_list, view};

const CARD: &str = "117800001";
const MINUTE: i64 = 60;

/// A gateway over a week: what it holds, and what it has stored.
#[derive(Default)]
struct Gateway {
    lists: Lists,
    stored: Vec<Remembered>,
    marks: Vec<pki::ListMark>,
}

/// The moment so many minutes after the list of that day was issued.
fn at(day: i64, minutes: i64) -> UnixTime {
    UnixTime(ISSUED.0 + day * DAY + minutes * MINUTE)
}

impl Gateway {
    fn receive(&mut self, day: u64, entries: &[Revoked], now: UnixTime) -> Result<(), ListError> {
        let point = chiyoda().distribution_point();
        let der = sign_list(&list(day, Some(&point), entries));
        let arrival = self.lists.arrive(&der, &anchors(), now)?;
        self.stored.extend(arrival.newly_revoked());
        let released: Vec<_> = arrival.released().collect();
        self.stored.retain(|one| !(one.hold && released.contains(&one.serial)));
        self.marks.push(arrival.mark());
        self.lists = arrival.into_lists();
        Ok(())
    }

    /// Everything in memory is lost; what was stored comes back.
    fn restart(&mut self, now: UnixTime) {
        let lists = Lists::new().expecting(self.marks.clone());
        self.lists = lists.remembering(self.stored.clone(), now, &Retention::default());
    }

    /// Whether the card stands, and whether that is known by a late list.
    fn ask(&self, now: UnixTime) -> Result<bool, StandError> {
        let view = view().with_lists(self.lists.clone());
        let proven = shown(&view, &issue(&card())).expect("a proper card");
        let policy = StandPolicy { stale: WhenStale::AcceptFor(10 * MINUTE), ..StandPolicy::default() };
        stand(proven, &view, now, &policy).map(|verified| verified.revocation().stale)
    }
}

#[test]
fn the_issuer_swaps_its_list_a_few_minutes_late() {
    let mut gateway = Gateway::default();
    gateway.receive(1, &[], at(1, 5)).expect("taken");
    assert_eq!(gateway.ask(at(1, 5)), Ok(false));
    assert_eq!(gateway.ask(at(2, 0)), Ok(false));
    assert_eq!(gateway.ask(at(2, 7)), Ok(true));
    assert_eq!(gateway.ask(at(2, 11)), Err(StandError::RevocationUnknown(UnknownReason::PastNextUpdate)));
    gateway.receive(2, &[], at(2, 12)).expect("taken");
    assert_eq!(gateway.ask(at(2, 12)), Ok(false));
}

#[test]
fn yesterdays_list_comes_again_with_and_without_a_restart() {
    let mut gateway = Gateway::default();
    gateway.receive(1, &[], at(1, 5)).expect("taken");
    gateway.receive(2, &[revoked(CARD, Reason::KeyCompromise)], at(2, 5)).expect("taken");
    assert_eq!(gateway.receive(1, &[], at(2, 6)), Err(ListError::Older));
    assert_eq!(gateway.ask(at(2, 6)), Err(StandError::Revoked));
    gateway.restart(at(2, 7));
    assert_eq!(gateway.receive(1, &[], at(2, 8)), Err(ListError::Older));
    assert_eq!(gateway.ask(at(2, 8)), Err(StandError::Revoked));
    // a newer list that has lost the entry changes nothing, today or after another restart
    gateway.receive(3, &[], at(3, 1)).expect("taken");
    assert_eq!(gateway.ask(at(3, 1)), Err(StandError::Revoked));
    gateway.restart(at(3, 2));
    gateway.receive(4, &[], at(4, 1)).expect("taken");
    assert_eq!(gateway.ask(at(4, 1)), Err(StandError::Revoked));
}

#[test]
fn a_hold_over_a_restart_ends_with_the_list_that_releases_it() {
    let mut gateway = Gateway::default();
    gateway.receive(1, &[revoked(CARD, Reason::Hold)], at(1, 5)).expect("taken");
    assert_eq!(gateway.ask(at(1, 5)), Err(StandError::Suspended));
    gateway.restart(at(1, 6));
    assert_eq!(gateway.ask(at(1, 6)), Err(StandError::Suspended));
    gateway.receive(2, &[], at(2, 1)).expect("taken");
    assert_eq!(gateway.ask(at(2, 1)), Ok(false));
}

#[test]
fn a_broken_list_leaves_the_good_one() {
    let mut gateway = Gateway::default();
    gateway.receive(1, &[], at(1, 5)).expect("taken");
    let point = chiyoda().distribution_point();
    let mut broken = sign_list(&list(2, Some(&point), &[]));
    let end = broken.len() - 1;
    broken[end] ^= 1;
    assert!(gateway.lists.arrive(&broken, &anchors(), at(2, 1)).is_err());
    assert_eq!(gateway.ask(at(1, 60)), Ok(false));
}

#[test]
fn a_clock_that_steps() {
    let mut gateway = Gateway::default();
    gateway.receive(3, &[], at(3, 0)).expect("taken");
    // back by a minute: within tolerance; by a day: the next list seems to come from the future
    assert_eq!(gateway.ask(at(3, -1)), Ok(false));
    assert_eq!(gateway.receive(4, &[], at(4, -1)), Ok(()));
    assert_eq!(gateway.receive(5, &[], at(4, 0)), Err(ListError::FromTheFuture));
    let newest = gateway.lists.iter().map(|held| held.mark.this_update).max();
    assert_eq!(newest, Some(at(4, 0))); // what a start compares its clock with
    // before the card's own beginning nothing stands, far ahead nothing counts
    assert_eq!(gateway.ask(UnixTime(ISSUED.0 - 1)), Err(StandError::NotYetValid));
    assert_eq!(gateway.ask(at(400, 0)), Err(StandError::RevocationUnknown(UnknownReason::PastNextUpdate)));
}
