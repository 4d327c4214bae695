//! Certificates seen before get the answer they would get without the memory.

use pki::issuing::{AuthoritySpec, CardAuthority, CardSpec, Defect, Key, KeyKind};
use pki::{
    Anchors, CardProfile, Possession, ProfileReason, ProveError, SeenCertificates, TrustView, UnixTime,
    UntrustedReason,
};

use crate::world::{
    CHALLENGE, ISSUED, NOT_AFTER, NOW, WORLD, anchors, authority_spec, card, issue, view, with_defect,
};

#[test]
fn a_certificate_is_kept_once_it_is_proven() {
    let (seen, view, certificate) = (SeenCertificates::new(10), view(), issue(&card()));
    let signature = WORLD.card_key.sign(CHALLENGE).expect("a signature");
    let wrong = seen.prove(&view, &certificate, b"another", &signature, NOW).map(drop);
    assert_eq!(wrong, Err(ProveError::SignatureInvalid));
    assert!(seen.is_empty());
    for _ in 0..3 {
        let proven = seen.prove(&view, &certificate, CHALLENGE, &signature, NOW).expect("proven");
        assert_eq!(proven.possession(), Possession::Signature);
        assert_eq!(seen.len(), 1);
        let wrong = seen.prove(&view, &certificate, b"another", &signature, NOW).map(drop);
        assert_eq!(wrong, Err(ProveError::SignatureInvalid));
        let shown = seen.prove_without_possession(&view, &certificate, NOW).expect("shown");
        assert_eq!(shown.possession(), Possession::CertificateOnly);
    }
}

#[test]
fn refused_certificates_are_refused_again_and_not_kept() {
    let (seen, view) = (SeenCertificates::new(10), view());
    for (defect, error) in [
        (Defect::Signature, ProveError::Untrusted(UntrustedReason::BadSignature)),
        (Defect::KeyUsageMore, ProveError::WrongProfile(ProfileReason::KeyUsage)),
    ] {
        let certificate = issue(&with_defect(defect));
        for _ in 0..2 {
            assert_eq!(seen.prove_without_possession(&view, &certificate, NOW).map(drop), Err(error));
        }
    }
    assert!(seen.is_empty());
}

#[test]
fn other_anchors_or_another_profile_end_a_verdict() {
    let (seen, certificate) = (SeenCertificates::new(10), issue(&card()));
    let ask = |view: &TrustView| seen.prove_without_possession(view, &certificate, NOW).map(drop);
    let trusting = view();
    assert_eq!(ask(&trusting), Ok(()));
    let second_only = Anchors::from_certificates([WORLD.second.certificate_der()]).expect("an anchor");
    let without = TrustView::new(second_only, CardProfile::production().and_test_cards());
    assert_eq!(ask(&without), Err(ProveError::Untrusted(UntrustedReason::UnknownIssuer)));
    let production = TrustView::new(anchors(), CardProfile::production());
    assert_eq!(ask(&production), Err(ProveError::WrongProfile(ProfileReason::TestCard)));
    assert_eq!(ask(&trusting), Ok(()));
}

#[test]
fn nothing_is_kept_past_the_earliest_end() {
    let spec = AuthoritySpec { not_after: UnixTime(ISSUED.0 + 10), ..authority_spec("77") };
    let short =
        CardAuthority::new(&spec, Key::generate(KeyKind::P384).expect("a key")).expect("an authority");
    let both = Anchors::from_certificates([WORLD.first.certificate_der(), short.certificate_der()]);
    let view = TrustView::new(both.expect("anchors"), CardProfile::production().and_test_cards());
    let of_short = short.issue(&CardSpec { ..card() }, &WORLD.card_key).expect("a certificate");
    for (certificate, end) in [(issue(&card()), NOT_AFTER), (of_short, spec.not_after)] {
        for (now, kept) in [(end, 1), (UnixTime(end.0 + 1), 0)] {
            let seen = SeenCertificates::new(10);
            assert!(seen.prove_without_possession(&view, &certificate, now).is_ok());
            assert_eq!(seen.len(), kept);
            assert!(seen.prove_without_possession(&view, &certificate, now).is_ok());
        }
    }
}

#[test]
fn it_never_holds_more_than_it_may() {
    let (seen, view) = (SeenCertificates::new(3), view());
    for number in 1..=20u32 {
        let serial = number.to_string().parse().expect("a serial");
        let certificate = issue(&CardSpec { serial, ..card() });
        let proven = seen.prove_without_possession(&view, &certificate, NOW).expect("proven");
        assert_eq!(proven.serial(), serial);
    }
    assert!(seen.len() <= 3);
}
