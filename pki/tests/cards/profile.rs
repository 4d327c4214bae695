//! Every rule of the profile, broken by one certificate each.

use pki::issuing::{CardSpec, Defect};
use pki::{
    CardProfile, PRODUCTION_POLICY, Possession, ProfileReason, ProveError, TrustView,
    prove_without_possession,
};

use crate::world::{self, anchors, card, issue, serial, shown, view, with_defect};

#[test]
fn a_proper_card_is_proven() {
    let proven = shown(&view(), &issue(&card())).expect("a proper card");
    assert_eq!(proven.serial(), serial("117800001"));
    assert_eq!((proven.not_before(), proven.not_after()), (world::ISSUED, world::NOT_AFTER));
    assert_eq!(proven.possession(), Possession::Signature);
    let read = prove_without_possession(&view(), &issue(&card())).expect("a proper card");
    assert_eq!(read.possession(), Possession::CertificateOnly);
}

#[test]
fn nothing_printed_for_debugging_tells_whose_card_it_is() {
    let proven = shown(&view(), &issue(&card())).expect("a proper card");
    let printed = format!("{proven:?}");
    assert!(!printed.contains("117800001") && !printed.to_lowercase().contains("chiyoda"), "{printed}");
}

#[test]
fn every_broken_rule_is_named() {
    let table = [
        (Defect::Version, ProfileReason::Version),
        (Defect::ZeroSerial, ProfileReason::Serial),
        (Defect::NegativeSerial, ProfileReason::Serial),
        (Defect::LongSerial, ProfileReason::Serial),
        (Defect::AlgorithmMismatch, ProfileReason::AlgorithmMismatch),
        (Defect::InnerAlgorithm, ProfileReason::AlgorithmMismatch),
        (Defect::Validity, ProfileReason::Validity),
        (Defect::UniqueIdentifier, ProfileReason::UniqueIdentifier),
        (Defect::DuplicateExtension, ProfileReason::DuplicateExtension),
        (Defect::UnknownCriticalExtension, ProfileReason::UnknownCriticalExtension),
        (Defect::ExtensionValue, ProfileReason::ExtensionValue),
        (Defect::NoKeyUsage, ProfileReason::KeyUsage),
        (Defect::KeyUsageNotCritical, ProfileReason::KeyUsage),
        (Defect::KeyUsageMore, ProfileReason::KeyUsage),
        (Defect::KeyUsageOther, ProfileReason::KeyUsage),
        (Defect::NoExtendedKeyUsage, ProfileReason::ExtendedKeyUsage),
        (Defect::ExtendedKeyUsageOther, ProfileReason::ExtendedKeyUsage),
        (Defect::ExtendedKeyUsageMore, ProfileReason::ExtendedKeyUsage),
        (Defect::NoPolicy, ProfileReason::Policy),
        (Defect::PolicyNotCritical, ProfileReason::Policy),
        (Defect::SecondPolicy, ProfileReason::Policy),
        (Defect::AuthorityCertificate, ProfileReason::Authority),
        (Defect::RsaExponent3, ProfileReason::PublicKey),
        (Defect::Rsa1024, ProfileReason::PublicKey),
        (Defect::Rsa4096, ProfileReason::PublicKey),
        (Defect::CurveP256, ProfileReason::PublicKey),
        (Defect::PointOffCurve, ProfileReason::PublicKey),
    ];
    for (defect, reason) in table {
        let refused = shown(&view(), &issue(&with_defect(defect))).map(drop);
        assert_eq!(refused, Err(ProveError::WrongProfile(reason)), "{defect:?}");
    }
}

#[test]
fn what_breaks_no_rule_is_taken() {
    for harmless in [Defect::UnknownExtension, Defect::EmptyBasicConstraints] {
        assert!(shown(&view(), &issue(&with_defect(harmless))).is_ok(), "{harmless:?}");
    }
    let elsewhere = CardSpec { municipality: None, ..card() };
    assert!(shown(&view(), &issue(&elsewhere)).is_ok());
}

#[test]
fn policies_are_taken_by_arc() {
    let production = TrustView::new(anchors(), CardProfile::production());
    let of = |policy: &str| issue(&CardSpec { policy: policy.to_owned(), ..card() });
    let table = [
        (PRODUCTION_POLICY, true, true),
        (pki::TEST_POLICY, false, true),
        ("1.2.392.200149.8.5.1.1.20", false, false), // certificates for signing documents
        ("1.2.392.200149.8.5.1.0.20", false, false),
        ("1.2.392.200149.8.5.1.3.30.1", false, false),
        ("1.2.392.200149.8.5.1.3", false, false),
        ("2.5.29.32.0", false, false), // anyPolicy
    ];
    for (policy, in_production, with_test_cards) in table {
        assert_eq!(shown(&production, &of(policy)).is_ok(), in_production, "{policy}");
        assert_eq!(shown(&view(), &of(policy)).is_ok(), with_test_cards, "{policy}");
    }
    let refused = shown(&production, &of(pki::TEST_POLICY)).map(drop);
    assert_eq!(refused, Err(ProveError::WrongProfile(ProfileReason::TestCard)));
}

#[test]
fn what_is_no_certificate_is_malformed() {
    let proper = issue(&card());
    let longer = [&proper[..], &[0]].concat();
    let huge = vec![0x30; 100_000];
    for bytes in [&[][..], b"certificate", &proper[..proper.len() - 1], &longer, &huge] {
        assert_eq!(shown(&view(), bytes).map(drop), Err(ProveError::Malformed));
    }
}
