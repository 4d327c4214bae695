//! Who issued it: by key, not by name. And who signed the challenge.

use pki::issuing::{AuthoritySpec, CardAuthority, CardSpec, Defect, Key, KeyKind, sign};
use pki::{
    AnchorError, AnchorReason, Anchors, CardProfile, ProveError, TrustView, UntrustedReason, prove,
    prove_without_possession,
};

use crate::world::{
    CHALLENGE, DAY, ISSUED, WORLD, anchors, authority, authority_spec, card, issue, shown, view, with_defect,
};

fn untrusted(certificate: &[u8]) -> Option<UntrustedReason> {
    match shown(&view(), certificate).map(drop) {
        Err(ProveError::Untrusted(reason)) => Some(reason),
        other => {
            assert_eq!(other, Ok(()));
            None
        }
    }
}

#[test]
fn both_authorities_of_equal_name_vouch_for_their_own() {
    assert_eq!(WORLD.first.name(), WORLD.second.name());
    let by_first = shown(&view(), &issue(&card())).expect("issued by the first");
    let certificate = WORLD.second.issue(&card(), &WORLD.card_key).expect("a certificate");
    let by_second = shown(&view(), &certificate).expect("issued by the second");
    let ids: Vec<_> = anchors().iter().map(|anchor| anchor.id()).collect();
    assert_eq!([by_first.authority(), by_second.authority()], ids[..]);
}

#[test]
fn a_stranger_of_the_same_name_is_nobody() {
    let stranger = authority("20170569", Key::generate(KeyKind::Rsa2048).expect("a key"));
    assert_eq!(stranger.name(), WORLD.first.name());
    let forged = stranger.issue(&card(), &WORLD.card_key).expect("a certificate");
    assert_eq!(untrusted(&forged), Some(UntrustedReason::UnknownIssuer));
    // naming the first authority by serial alone finds it, but it did not sign
    let spec = with_defect(Defect::IssuerAndSerialOnly);
    let forged = stranger.issue(&spec, &WORLD.card_key).expect("a certificate");
    assert_eq!(untrusted(&forged), Some(UntrustedReason::BadSignature));
}

#[test]
fn the_authority_key_identifier_decides() {
    let table = [
        (Defect::KeyIdentifierOnly, None),
        (Defect::IssuerAndSerialOnly, None),
        (Defect::NoAuthorityKey, Some(UntrustedReason::NoAuthorityKeyIdentifier)),
        (Defect::EmptyAuthorityKey, Some(UntrustedReason::NoAuthorityKeyIdentifier)),
        (Defect::OtherKeyIdentifier, Some(UntrustedReason::UnknownIssuer)),
        (Defect::OtherIssuerSerial, Some(UntrustedReason::UnknownIssuer)),
        (Defect::IssuerName, Some(UntrustedReason::UnknownIssuer)),
        (Defect::Signature, Some(UntrustedReason::BadSignature)),
    ];
    for (defect, expected) in table {
        assert_eq!(untrusted(&issue(&with_defect(defect))), expected, "{defect:?}");
    }
}

#[test]
fn a_swapped_identifier_leads_to_the_wrong_key() {
    // signed by the first authority's key under the second's serial, and the other way round
    let load = |certificate: &CardAuthority, key: &CardAuthority| {
        CardAuthority::load(certificate.certificate_der(), &key.key_pem()).map(drop)
    };
    assert!(load(&WORLD.first, &WORLD.first).is_ok());
    assert!(load(&WORLD.first, &WORLD.second).is_err());
    let first_key = Key::from_pem(&WORLD.first.key_pem()).expect("a key");
    let disguised = CardAuthority::new(&authority_spec("114390022"), first_key).expect("an authority");
    let mixed = disguised.issue(&card(), &WORLD.card_key).expect("a certificate");
    assert_eq!(untrusted(&mixed), Some(UntrustedReason::UnknownIssuer));
    let by_serial = disguised.issue(&with_defect(Defect::IssuerAndSerialOnly), &WORLD.card_key);
    assert_eq!(untrusted(&by_serial.expect("a certificate")), Some(UntrustedReason::BadSignature));
}

#[test]
fn an_authority_issues_within_its_own_validity_only() {
    let not_after = ISSUED;
    let key = Key::generate(KeyKind::P384).expect("a key");
    let ended =
        CardAuthority::new(&AuthoritySpec { not_after, ..authority_spec("77") }, key).expect("an authority");
    let anchors = Anchors::from_certificates([ended.certificate_der()]).expect("an anchor");
    let view = TrustView::new(anchors, CardProfile::production().and_test_cards());
    let issue = |seconds| {
        let spec = CardSpec { not_before: pki::UnixTime(ISSUED.0 + seconds), ..card() };
        prove_without_possession(&view, &ended.issue(&spec, &WORLD.card_key).expect("a certificate"))
            .map(drop)
    };
    let outside = Err(ProveError::Untrusted(UntrustedReason::OutsideIssuerValidity));
    assert_eq!(issue(0), Ok(()));
    assert_eq!(issue(1), outside);
    assert_eq!(issue(-1001 * DAY), outside);
}

#[test]
fn the_challenge_must_be_signed_by_the_card() {
    let certificate = issue(&card());
    let signature = sign(&WORLD.card_key.to_pem(), CHALLENGE).expect("a signature");
    let attempt =
        |message: &[u8], signature: &[u8]| prove(&view(), &certificate, message, signature).map(drop);
    assert_eq!(attempt(CHALLENGE, &signature), Ok(()));
    let mut tampered = signature.clone();
    tampered[100] ^= 1;
    let other = WORLD.other_key.sign(CHALLENGE).expect("a signature");
    let next = WORLD.next_key.sign(CHALLENGE).expect("a signature");
    let padded = [&[0][..], &signature].concat();
    for wrong in [&tampered[..], &other, &next, &padded, &signature[1..], &[], &[0; 256], &[0xff; 256]] {
        assert_eq!(attempt(CHALLENGE, wrong), Err(ProveError::SignatureInvalid));
    }
    assert_eq!(attempt(b"another challenge", &signature), Err(ProveError::SignatureInvalid));
    assert_eq!(attempt(b"", &signature), Err(ProveError::SignatureInvalid));
}

#[test]
fn refusals_come_in_order() {
    let broken_everywhere = WORLD.second.issue(&with_defect(Defect::NoPolicy), &WORLD.card_key).expect("one");
    let attempt = |certificate: &[u8]| prove(&view(), certificate, CHALLENGE, b"no signature").map(drop);
    assert!(matches!(attempt(&broken_everywhere), Err(ProveError::WrongProfile(_))));
    assert!(matches!(attempt(&issue(&with_defect(Defect::Signature))), Err(ProveError::Untrusted(_))));
    assert_eq!(attempt(&issue(&card())), Err(ProveError::SignatureInvalid));
}

#[test]
fn the_next_card_signs_on_p384() {
    let key = Key::generate(KeyKind::P384).expect("a key");
    let next = authority("200000001", Key::from_pem(&key.to_pem()).expect("the same key"));
    let both =
        Anchors::from_certificates([WORLD.first.certificate_der(), next.certificate_der()]).expect("anchors");
    let view = TrustView::new(both, CardProfile::production().and_test_cards());
    let signature = WORLD.next_key.sign(CHALLENGE).expect("a signature");
    for authority in [&next, &WORLD.first] {
        let certificate = authority.issue(&card(), &WORLD.next_key).expect("a certificate");
        assert!(prove(&view, &certificate, CHALLENGE, &signature).is_ok());
        let other = WORLD.card_key.sign(CHALLENGE).expect("a signature");
        let zero = [0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00]; // r = s = 0
        for wrong in [&other[..], &zero, &signature[..signature.len() - 1]] {
            let refused = prove(&view, &certificate, CHALLENGE, wrong).map(drop);
            assert_eq!(refused, Err(ProveError::SignatureInvalid));
        }
    }
}

#[test]
fn what_cannot_be_an_anchor_is_named() {
    let defective = |defect| {
        let key = Key::from_pem(&WORLD.first.key_pem()).expect("a key");
        let spec = AuthoritySpec { defect: Some(defect), ..authority_spec("5") };
        CardAuthority::new(&spec, key).expect("an authority").certificate_der().to_vec()
    };
    let table = [
        (defective(Defect::Signature), AnchorReason::Signature),
        (defective(Defect::AlgorithmMismatch), AnchorReason::Key),
        (defective(Defect::MayNotSignCertificates), AnchorReason::KeyUsage),
        (defective(Defect::NotAnAuthority), AnchorReason::BasicConstraints),
        (defective(Defect::NoKeyIdentifier), AnchorReason::KeyIdentifier),
        (defective(Defect::UnknownCriticalExtension), AnchorReason::Extension),
        (defective(Defect::DuplicateExtension), AnchorReason::Extension),
        (issue(&card()), AnchorReason::NotSelfIssued),
        (b"no certificate".to_vec(), AnchorReason::Malformed),
        (WORLD.first.certificate_der().to_vec(), AnchorReason::Duplicate),
    ];
    for (der, reason) in table {
        let refused = Anchors::from_certificates([WORLD.first.certificate_der(), &der]).map(drop);
        assert_eq!(refused, Err(AnchorError { position: 1, reason }));
    }
    let none = Anchors::from_certificates::<&[u8]>([]).map(drop);
    assert_eq!(none, Err(AnchorError { position: 0, reason: AnchorReason::None }));
    let unable = defective(Defect::MayNotSignLists);
    assert!(
        Anchors::from_certificates([unable])
            .is_ok_and(|anchors| anchors.iter().all(|one| !one.signs_lists()))
    );
}
