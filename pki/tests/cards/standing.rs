//! Expiry, grace and the age of lists, moment by moment.

use pki::issuing::{CardSpec, Reason};
use pki::{
    CardState, GraceRule, Lists, Possession, RevocationSource, StandError, StandPolicy, UnixTime,
    UnknownReason, Verified, WhenMissing, WhenStale, stand,
};

use crate::world::{self, DAY, ISSUED, NOT_AFTER, NOW, card, issue, revoked, serial, shown, view};

/// 2026-08-20 as days since 1970-01-01.
const LAST_DAY: i32 = 20_685;

/// How the card stands at that moment by a list issued within the last day.
fn at(now: UnixTime, grace: GraceRule) -> Result<Verified, StandError> {
    let number = ((now.0 - ISSUED.0) / DAY).max(0);
    let lists = world::lists(&Lists::new(), number.unsigned_abs(), &[]);
    by(&lists, now, &StandPolicy { grace, ..StandPolicy::default() })
}

fn by(lists: &Lists, now: UnixTime, policy: &StandPolicy) -> Result<Verified, StandError> {
    let view = view().with_lists(lists.clone());
    let proven = shown(&view, &issue(&card())).expect("a proper card");
    stand(proven, &view, now, policy)
}

fn midnight_after(day: i32) -> UnixTime {
    UnixTime(i64::from(day) * DAY + 15 * 3600)
}

#[test]
fn a_good_card_tells_what_it_is() {
    let verified = at(NOW, GraceRule::default()).expect("a good card");
    assert_eq!(verified.serial(), serial("117800001"));
    assert_eq!((verified.state(), verified.eligibility_only()), (CardState::Good, false));
    assert_eq!((verified.not_after(), verified.not_after_day()), (NOT_AFTER, LAST_DAY));
    assert_eq!(verified.days_left(), 80);
    assert_eq!(verified.possession(), Possession::Signature);
    let revocation = verified.revocation();
    assert_eq!((revocation.source, revocation.stale), (RevocationSource::Crl, false));
    assert_eq!(revocation.as_of, NOW);
    assert!(!format!("{verified:?}").contains("117800001"));
}

#[test]
fn validity_and_grace_end_to_the_second() {
    let november_30 = LAST_DAY + 102;
    let november_20 = LAST_DAY + 92;
    let table = [(GraceRule::MonthEndPlus3, november_30), (GraceRule::ExpiryPlus3, november_20)];
    for (rule, last) in table {
        let state = |now| at(now, rule).map(|verified| (verified.state(), verified.days_left()));
        assert_eq!(state(UnixTime(ISSUED.0 - 1)), Err(StandError::NotYetValid));
        assert_eq!(state(NOT_AFTER), Ok((CardState::Good, 0)));
        assert_eq!(state(UnixTime(NOT_AFTER.0 + 1)), Ok((CardState::Grace, -1)));
        let end = midnight_after(last);
        assert_eq!(state(UnixTime(end.0 - 1)), Ok((CardState::Grace, LAST_DAY - last)));
        assert_eq!(state(end), Err(StandError::Expired));
        let in_grace = at(UnixTime(end.0 - 1), rule).expect("in grace");
        assert!(in_grace.eligibility_only());
        assert_eq!(in_grace.usable_through(), last);
    }
    assert!(at(ISSUED, GraceRule::default()).is_ok());
}

#[test]
fn expiry_comes_before_revocation() {
    let lists = world::lists(&Lists::new(), 1, &[revoked("117800001", Reason::Superseded)]);
    let policy = StandPolicy::default();
    assert_eq!(by(&lists, UnixTime(ISSUED.0 - 1), &policy).map(drop), Err(StandError::NotYetValid));
    assert_eq!(by(&lists, ISSUED, &policy).map(drop), Err(StandError::Revoked));
    assert_eq!(by(&lists, UnixTime(NOT_AFTER.0 + 1), &policy).map(drop), Err(StandError::Revoked));
    assert_eq!(by(&lists, midnight_after(LAST_DAY + 102), &policy).map(drop), Err(StandError::Expired));
}

#[test]
fn a_missing_list_refuses_unless_told_otherwise() {
    let refused = by(&Lists::new(), NOW, &StandPolicy::default()).map(drop);
    assert_eq!(refused, Err(StandError::RevocationUnknown(UnknownReason::NoList)));
    let policy = StandPolicy { missing: WhenMissing::Accept, ..StandPolicy::default() };
    let revocation = by(&Lists::new(), NOW, &policy).expect("let stand").revocation();
    assert_eq!((revocation.source, revocation.as_of), (RevocationSource::Unchecked, ISSUED));
}

#[test]
fn an_old_list_refuses_unless_told_otherwise() {
    let lists = world::lists(&Lists::new(), 10, &[revoked("7", Reason::Superseded)]);
    let issued = ISSUED.0 + 10 * DAY;
    let due = issued + DAY;
    let default = StandPolicy::default();
    let lenient = StandPolicy { stale: WhenStale::AcceptFor(3600), ..default };
    let endless = StandPolicy { stale: WhenStale::AcceptFor(i64::MAX), ..default };
    let impatient = StandPolicy { max_age: 3600, ..default };
    let stale = |policy: &StandPolicy, now| {
        by(&lists, UnixTime(now), policy).map(|verified| verified.revocation().stale)
    };
    let past = Err(StandError::RevocationUnknown(UnknownReason::PastNextUpdate));
    let too_old = Err(StandError::RevocationUnknown(UnknownReason::TooOld));
    let table = [
        ("at the next update", &default, due, Ok(false)),
        ("a second after it", &default, due + 1, past),
        ("within the allowance", &lenient, due + 3600, Ok(true)),
        ("after the allowance", &lenient, due + 3601, past),
        ("within the greatest age", &endless, issued + 7 * DAY, Ok(true)),
        ("after the greatest age", &endless, issued + 7 * DAY + 1, too_old),
        ("a short greatest age", &impatient, issued + 3600, Ok(false)),
        ("after a short greatest age", &impatient, issued + 3601, too_old),
    ];
    for (name, policy, now, expected) in table {
        assert_eq!(stale(policy, now), expected, "{name}");
    }
}

#[test]
fn an_old_list_still_revokes() {
    let lists = world::lists(&Lists::new(), 1, &[revoked("117800001", Reason::Superseded)]);
    assert_eq!(by(&lists, NOW, &StandPolicy::default()).map(drop), Err(StandError::Revoked));
}

#[test]
fn lives_beyond_2049_are_understood() {
    let far = UnixTime(4_000_000_000); // 2096
    let spec = CardSpec { not_after: far, ..card() };
    let proven = shown(&view(), &issue(&spec)).expect("a proper card");
    assert_eq!(proven.not_after(), far);
}
