//! Lists: which are taken, which are refused and why, and for whom they speak.

use pki::issuing::{AuthoritySpec, CardAuthority, CardSpec, Defect, Key, ListSpec, Municipality, Reason};
use pki::{
    Anchors, ListError, Lists, ProveError, Serial, StandError, StandPolicy, TrustView, UnixTime,
    UnknownReason, UntrustedReason, stand,
};

use crate::world::{
    self, DAY, ISSUED, WORLD, anchors, authority_spec, card, chiyoda, issue, list, revoked, shown, sign_list,
    view,
};

/// How the card stands by those lists, twelve hours after the list of that number was issued.
pub(crate) fn standing(lists: &Lists, number: i64, spec: &CardSpec) -> Result<(), StandError> {
    let view = view().with_lists(lists.clone());
    let proven =
        shown(&view, &issue(spec)).map_err(|error: ProveError| error.to_string()).expect("a proper card");
    let now = UnixTime(ISSUED.0 + number * DAY + DAY / 2);
    stand(proven, &view, now, &StandPolicy::default()).map(drop)
}

fn take(spec: &ListSpec<'_>) -> Result<Lists, ListError> {
    Lists::new().with(&sign_list(spec), &anchors(), UnixTime(ISSUED.0 + 100 * DAY))
}

#[test]
fn every_kind_of_list_not_taken_is_named() {
    let bad_signature = ListError::Untrusted(UntrustedReason::BadSignature);
    let unnamed = ListError::Untrusted(UntrustedReason::NoAuthorityKeyIdentifier);
    let unknown = ListError::Untrusted(UntrustedReason::UnknownIssuer);
    let table = [
        (Defect::Signature, bad_signature),
        (Defect::AlgorithmMismatch, ListError::Algorithm),
        (Defect::Version, ListError::Version),
        (Defect::NoAuthorityKey, unnamed),
        (Defect::EmptyAuthorityKey, unnamed),
        (Defect::OtherKeyIdentifier, unknown),
        (Defect::OtherIssuerSerial, unknown),
        (Defect::UnknownCriticalExtension, ListError::UnknownCriticalExtension),
        (Defect::DuplicateExtension, ListError::DuplicateExtension),
        (Defect::Delta, ListError::Delta),
        (Defect::Indirect, ListError::Indirect),
        (Defect::AuthoritiesOnly, ListError::Scope),
        (Defect::AttributesOnly, ListError::Scope),
        (Defect::SomeReasonsOnly, ListError::Scope),
        (Defect::PointOfOtherForm, ListError::Scope),
        (Defect::NoNumber, ListError::Number),
        (Defect::NoNextUpdate, ListError::NextUpdate),
        (Defect::ZeroSerial, ListError::Malformed),
        (Defect::EntryUnknownCriticalExtension, ListError::UnknownCriticalExtension),
        (Defect::EntryOfOtherIssuer, ListError::Indirect),
        (Defect::EntryDuplicateExtension, ListError::DuplicateExtension),
    ];
    let (entries, point) = ([revoked("7", Reason::Unspecified)], chiyoda().distribution_point());
    for (defect, reason) in table {
        let spec = ListSpec { defect: Some(defect), ..list(1, Some(&point), &entries) };
        assert_eq!(take(&spec).map(drop), Err(reason), "{defect:?}");
    }
    for harmless in [Defect::UsersOnly, Defect::UnknownExtension, Defect::KeyIdentifierOnly] {
        let spec = ListSpec { defect: Some(harmless), ..list(1, Some(&point), &entries) };
        assert!(take(&spec).is_ok(), "{harmless:?}");
    }
    let backwards = ListSpec { next_update: ISSUED, ..list(1, Some(&point), &entries) };
    assert_eq!(take(&backwards).map(drop), Err(ListError::NextUpdate));
}

#[test]
fn a_list_from_the_future_is_refused_beyond_a_minute() {
    let der = sign_list(&list(1, None, &[]));
    let at = |seconds| Lists::new().with(&der, &anchors(), UnixTime(ISSUED.0 + DAY + seconds)).map(drop);
    assert_eq!(at(-60), Ok(()));
    assert_eq!(at(-61), Err(ListError::FromTheFuture));
}

#[test]
fn an_authority_without_the_right_signs_no_lists() {
    let key = Key::from_pem(&WORLD.first.key_pem()).expect("a key");
    let spec = AuthoritySpec { defect: Some(Defect::MayNotSignLists), ..authority_spec("20170569") };
    let authority = CardAuthority::new(&spec, key).expect("an authority");
    let anchors = Anchors::from_certificates([authority.certificate_der()]).expect("an anchor");
    let der = authority.list(&list(1, None, &[])).expect("a list");
    let refused = Lists::new().with(&der, &anchors, UnixTime(ISSUED.0 + 2 * DAY)).map(drop);
    assert_eq!(refused, Err(ListError::IssuerMayNotSign));
}

#[test]
fn reasons_decide_between_revoked_and_suspended() {
    let table = [
        (Reason::Unspecified, Err(StandError::Revoked)),
        (Reason::KeyCompromise, Err(StandError::Revoked)),
        (Reason::AuthorityCompromise, Err(StandError::Revoked)),
        (Reason::AffiliationChanged, Err(StandError::Revoked)),
        (Reason::Superseded, Err(StandError::Revoked)),
        (Reason::CessationOfOperation, Err(StandError::Revoked)),
        (Reason::Hold, Err(StandError::Suspended)),
        (Reason::Remove, Ok(())),
    ];
    for (reason, expected) in table {
        let lists =
            world::lists(&Lists::new(), 1, &[revoked("7", Reason::Superseded), revoked("117800001", reason)]);
        assert_eq!(standing(&lists, 1, &card()), expected, "{reason:?}");
    }
    let both = [revoked("117800001", Reason::Hold), revoked("117800001", Reason::Superseded)];
    assert_eq!(standing(&world::lists(&Lists::new(), 1, &both), 1, &card()), Err(StandError::Revoked));
}

#[test]
fn serials_of_every_length_are_found() {
    let long = Serial::from_bytes(&[0x7f; 20]).expect("a serial");
    for number in ["1", "127", "128", "65536", "4294967295", "4294967296", &long.to_string()] {
        let lists = world::lists(&Lists::new(), 1, &[revoked(number, Reason::Superseded)]);
        let spec = CardSpec { serial: world::serial(number), ..card() };
        assert_eq!(standing(&lists, 1, &spec), Err(StandError::Revoked), "{number}");
        assert_eq!(standing(&lists, 1, &card()), Ok(()), "{number}");
    }
}

#[test]
fn a_list_speaks_for_its_authority_only() {
    let der = WORLD.second.list(&list(1, None, &[revoked("117800001", Reason::Superseded)])).expect("a list");
    let lists = Lists::new().with(&der, &anchors(), UnixTime(ISSUED.0 + 2 * DAY)).expect("taken");
    assert_eq!(standing(&lists, 1, &card()), Err(StandError::RevocationUnknown(UnknownReason::NoList)));
}

#[test]
fn partitions_speak_for_their_municipality_only() {
    let minato = Municipality::new("Tokyo-to", "Minato-ku").distribution_point();
    let everywhere = [revoked("117800001", Reason::Superseded)];
    let only = |point: Option<&[u8]>| take(&list(1, point, &everywhere)).expect("taken");
    let missing = Err(StandError::RevocationUnknown(UnknownReason::PartitionMissing));
    let nowhere = CardSpec { municipality: None, ..card() };
    assert_eq!(
        standing(&Lists::new(), 1, &card()),
        Err(StandError::RevocationUnknown(UnknownReason::NoList))
    );
    assert_eq!(standing(&only(Some(&minato)), 1, &card()), missing);
    assert_eq!(standing(&only(Some(&chiyoda().distribution_point())), 1, &card()), Err(StandError::Revoked));
    assert_eq!(standing(&only(Some(&chiyoda().distribution_point())), 1, &nowhere), missing);
    assert_eq!(standing(&only(None), 1, &card()), Err(StandError::Revoked));
    assert_eq!(standing(&only(None), 1, &nowhere), Err(StandError::Revoked));
}

#[test]
fn partitions_are_replaced_one_by_one() {
    let minato = Municipality::new("Tokyo-to", "Minato-ku").distribution_point();
    let now = UnixTime(ISSUED.0 + 9 * DAY);
    let lists = world::lists(&Lists::new(), 5, &[revoked("7", Reason::Superseded)]);
    let older_elsewhere = sign_list(&list(3, Some(&minato), &[]));
    let lists = lists.with(&older_elsewhere, &anchors(), now).expect("another partition counts by itself");
    let numbers: Vec<String> = lists.iter().map(|held| held.mark.number.to_string()).collect();
    assert_eq!(numbers.len(), 2);
    assert!(numbers.contains(&"5".to_owned()) && numbers.contains(&"3".to_owned()));
    assert_eq!(lists.iter().map(|held| held.revoked).sum::<usize>(), 1);
}

#[test]
fn older_lists_are_refused_and_the_newer_kept() {
    let (point, now) = (chiyoda().distribution_point(), UnixTime(ISSUED.0 + 9 * DAY));
    let held = world::lists(&Lists::new(), 5, &[revoked("117800001", Reason::Superseded)]);
    let offer = |spec: &ListSpec<'_>| held.with(&sign_list(spec), &anchors(), now);
    let later = UnixTime(ISSUED.0 + 6 * DAY);
    let earlier = UnixTime(ISSUED.0 + 4 * DAY);
    let base = list(5, Some(&point), &[]);
    let table = [
        ("lower number and earlier", list(4, Some(&point), &[]), Err(ListError::Older)),
        (
            "lower number, later",
            ListSpec { number: 4.into(), this_update: later, ..base.clone() },
            Err(ListError::Older),
        ),
        (
            "higher number, earlier",
            ListSpec { number: 6.into(), this_update: earlier, ..base.clone() },
            Err(ListError::Older),
        ),
        ("same number, later", ListSpec { this_update: later, ..base.clone() }, Err(ListError::NumberReused)),
        ("same number and time, other content", base.clone(), Err(ListError::NumberReused)),
        ("higher number, same time", ListSpec { number: 6.into(), ..base.clone() }, Ok(())),
        ("higher number, later", list(6, Some(&point), &[]), Ok(())),
    ];
    for (name, spec, expected) in table {
        let spec = ListSpec { next_update: UnixTime(ISSUED.0 + 20 * DAY), ..spec };
        assert_eq!(offer(&spec).map(drop), expected, "{name}");
    }
    assert_eq!(standing(&held, 5, &card()), Err(StandError::Revoked));
    let again = sign_list(&list(5, Some(&point), &[revoked("117800001", Reason::Superseded)]));
    let arrival = held.arrive(&again, &anchors(), now).expect("the same list again");
    assert_eq!(arrival.newly_revoked().count(), 0);
}

#[test]
fn marks_refuse_older_lists_after_a_restart() {
    let point = chiyoda().distribution_point();
    let der = sign_list(&list(5, Some(&point), &[]));
    let now = UnixTime(ISSUED.0 + 9 * DAY);
    let mark = Lists::new().arrive(&der, &anchors(), now).expect("taken").mark();
    let restarted = Lists::new().expecting([mark]);
    let older = sign_list(&list(4, Some(&point), &[]));
    assert_eq!(restarted.with(&older, &anchors(), now).map(drop), Err(ListError::Older));
    assert!(restarted.with(&der, &anchors(), now).is_ok());
}

#[test]
fn a_card_whose_anchor_is_withdrawn_does_not_stand() {
    let lists = world::lists(&Lists::new(), 1, &[]);
    let before = view().with_lists(lists);
    let proven = shown(&before, &issue(&card())).expect("a proper card");
    let second = Anchors::from_certificates([WORLD.second.certificate_der()]).expect("an anchor");
    let after = TrustView { anchors: second.into(), ..before };
    let refused = stand(proven, &after, UnixTime(ISSUED.0 + DAY), &StandPolicy::default()).map(drop);
    assert_eq!(refused, Err(StandError::AnchorWithdrawn));
}
