//! The table from lists and responder to a decision, row by row, and what a card is told by it.

use pki::issuing::KeyKind;
use pki::ocsp::{IssuerHash, OcspAnswer};
use pki::{
    CardState, Decision, ListState, Lists, OcspOutcome, Remembered, Retention, RevocationSource, StandError,
    StandPolicy, TrustView, UnixTime, UnknownReason, WhenMissing, WhenStale, list_state, stand_with_answer,
};

use crate::responder::World;

fn answer(world: &World, number: u8) -> OcspAnswer {
    let question = world.question(number, IssuerHash::Sha1, None);
    let response = world.answer(&question.request(), "ca", "-ndays 1 -rmd sha384");
    world.judge(&question, &response).expect("an answer")
}

#[test]
fn the_whole_table() {
    use Decision::{Accept, AcceptFlagged, Refuse};
    let world = World::new(KeyKind::P384);
    let [good, revoked, held, unknown] =
        [7, 8, 9, 10].map(|number| OcspOutcome::Answered(answer(&world, number)));
    let strict = StandPolicy::default();
    let lenient = StandPolicy { missing: WhenMissing::Accept, ..strict };
    let unknown_list = ListState::Unknown;
    // without an answer by the strict and by the lenient policy; with a good one
    let rows = [
        (ListState::Fresh, [Accept, Accept, Accept]),
        (ListState::Late, [AcceptFlagged, AcceptFlagged, Accept]),
        (unknown_list(UnknownReason::PastNextUpdate), [Refuse, Refuse, Accept]),
        (unknown_list(UnknownReason::TooOld), [Refuse, Refuse, Accept]),
        (unknown_list(UnknownReason::PartitionMissing), [Refuse, AcceptFlagged, Accept]),
        (unknown_list(UnknownReason::NoList), [Refuse, AcceptFlagged, Accept]),
    ];
    for (list, [by_strict, by_lenient, with_good]) in rows {
        for none in [OcspOutcome::NotAsked, OcspOutcome::Unreachable] {
            assert_eq!(strict.decide(list, none), by_strict, "{list:?}");
            assert_eq!(lenient.decide(list, none), by_lenient, "{list:?}");
        }
        for policy in [strict, lenient] {
            assert_eq!(policy.decide(list, good), with_good, "{list:?}");
            for bad in [revoked, held, unknown] {
                assert_eq!(policy.decide(list, bad), Refuse, "{list:?}");
            }
        }
        assert_eq!(list.wants_answer(), list != ListState::Fresh);
    }
}

#[test]
fn a_card_by_lists_and_responder() {
    let world = World::new(KeyKind::P384);
    let policy = StandPolicy { stale: WhenStale::AcceptFor(0), ..StandPolicy::default() };
    let (fresh, none) = (world.view.with_lists(world.lists(&[6])), &world.view);
    let stands = |view, number, outcome| {
        stand_with_answer(world.card(number), view, world.now, &policy, outcome)
            .map(|card| card.revocation().source)
    };
    let answered = |number| OcspOutcome::Answered(answer(&world, number));
    let unknown = |reason| Err(StandError::RevocationUnknown(reason));
    assert_eq!(
        list_state(&world.card(7), none, world.now, &policy),
        Ok(ListState::Unknown(UnknownReason::NoList))
    );
    assert_eq!(list_state(&world.card(7), &fresh, world.now, &policy), Ok(ListState::Fresh));
    assert_eq!(list_state(&world.card(6), &fresh, world.now, &policy), Err(StandError::Revoked));
    assert_eq!(stands(none, 7, OcspOutcome::Unreachable), unknown(UnknownReason::NoList));
    assert_eq!(stands(none, 7, answered(7)), Ok(RevocationSource::Ocsp));
    assert_eq!(stands(&fresh, 7, OcspOutcome::NotAsked), Ok(RevocationSource::Crl));
    assert_eq!(stands(&fresh, 7, answered(7)), Ok(RevocationSource::Ocsp)); // the newer word
    assert_eq!(stands(&fresh, 8, answered(8)), Err(StandError::Revoked));
    assert_eq!(stands(&fresh, 9, answered(9)), Err(StandError::Suspended));
    assert_eq!(stands(none, 10, answered(10)), unknown(UnknownReason::NotKnownToResponder));
    // a good answer does not overrule a list, and one about another card is none
    let listed = world.view.with_lists(world.lists(&[7]));
    assert_eq!(stands(&listed, 7, answered(7)), Err(StandError::Revoked));
    assert_eq!(stands(none, 8, answered(7)), unknown(UnknownReason::NoList));
}

#[test]
fn what_the_responder_told_is_remembered_as_if_a_list_had() {
    let world = World::new(KeyKind::P384);
    let policy = StandPolicy { missing: WhenMissing::Accept, ..StandPolicy::default() };
    let stands = |view: &TrustView, number, outcome| {
        stand_with_answer(world.card(number), view, world.now, &policy, outcome).map(|card| card.state())
    };
    let remembering = |one: Remembered| {
        let lists = Lists::new().remembering([one], world.now, &Retention::default());
        world.view.with_lists(lists)
    };
    let told = |number| answer(&world, number).remembered();
    assert_eq!((told(7), told(10)), (None, None));
    let revoked = remembering(told(8).expect("revoked"));
    for outcome in [OcspOutcome::NotAsked, OcspOutcome::Unreachable] {
        assert_eq!(stands(&revoked, 8, outcome), Err(StandError::Revoked));
        assert_eq!(stands(&revoked, 7, outcome), Ok(CardState::Good));
    }
    let held = remembering(told(9).expect("on hold"));
    assert_eq!(stands(&held, 9, OcspOutcome::Unreachable), Err(StandError::Suspended));

    // A remembered hold ends with a newer good word, and with no older one; a revocation with none.
    let card = world.card(7);
    let (authority, serial) = (card.authority(), card.serial());
    let good = answer(&world, 7);
    for (ago, hold, outcome) in [
        (100, true, Ok(CardState::Good)),
        (0, true, Err(StandError::Suspended)),
        (100, false, Err(StandError::Revoked)),
    ] {
        let listed_at = UnixTime(good.this_update().0 - ago);
        let view = remembering(Remembered { authority, serial, revoked_at: world.now, hold, listed_at });
        assert_eq!(view.lists.hold_remembered(authority, serial), hold.then_some(listed_at));
        assert_eq!(stands(&view, 7, OcspOutcome::Answered(good)), outcome, "{ago} {hold}");
        let released = view.with_lists(view.lists.releasing(authority, serial));
        let expected = if hold { Ok(CardState::Good) } else { Err(StandError::Revoked) };
        assert_eq!(stands(&released, 7, OcspOutcome::NotAsked), expected);
    }
}
