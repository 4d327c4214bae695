//! The fuzz targets: any octets in, laws held, no panic. Each is a plain function so that a fuzzer
//! and a test can run it.

use std::sync::LazyLock;

use pki::ocsp::{IssuerHash, OcspPolicy, Question};
use pki::path::{PathPolicy, PathTrust, Purpose, validate_client};
use pki::{
    Anchors, CardProfile, Lists, Proven, SeenCertificates, TrustView, WhenMissing, prove,
    prove_without_possession,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::corpus::{CHALLENGE, NOW, file};

static VIEW: LazyLock<TrustView> = LazyLock::new(|| {
    let anchors = Anchors::from_certificates([file("anchor.der")]).expect("an anchor");
    TrustView::new(anchors, CardProfile::production().and_test_cards())
});
static TRUST: LazyLock<PathTrust> = LazyLock::new(|| {
    let policy = PathPolicy { missing: WhenMissing::Accept, ..PathPolicy::new(Purpose::Client) };
    PathTrust::new([file("anchor.der")], None::<&[u8]>, policy).expect("trust")
});
static SEEN: LazyLock<SeenCertificates> = LazyLock::new(|| SeenCertificates::new(100));
static CARD: LazyLock<Vec<u8>> = LazyLock::new(|| file("certificate/card.der"));
static QUESTION: LazyLock<Question> = LazyLock::new(|| {
    let proven = prove_without_possession(&VIEW, &CARD).expect("a proper card");
    Question::about(&proven, &VIEW, IssuerHash::Sha1, None).expect("an anchor")
});

/// As a card, as a client, as an anchor, as an authority between. Laws: the memory of certificates
/// changes no answer, and nothing is taken that another reader cannot read.
pub(crate) fn certificate(octets: &[u8]) {
    let card = prove_without_possession(&VIEW, octets).as_ref().map(Proven::serial).map_err(|error| *error);
    for _ in 0..2 {
        let again = SEEN.prove_without_possession(&VIEW, octets, NOW);
        assert_eq!(again.as_ref().map(Proven::serial).map_err(|error| *error), card);
    }
    let client = validate_client(&[octets], &TRUST, &Lists::new(), NOW);
    let _ = validate_client(&[CARD.as_slice(), octets], &TRUST, &Lists::new(), NOW);
    let anchor = Anchors::from_certificates([octets]);
    if card.is_ok() || client.is_ok() || anchor.is_ok() {
        assert!(X509Certificate::from_der(octets).is_ok_and(|(rest, _)| rest.is_empty()));
    }
    if let Ok(client) = client {
        let _ = (client.subject_attributes(), client.issuer_attributes());
    }
}

/// Laws: a list taken once changes nothing when it comes again, and what it newly revoked is known
/// afterwards.
pub(crate) fn list(octets: &[u8]) {
    let Ok(arrival) = Lists::new().arrive(octets, &VIEW.anchors, NOW) else {
        return;
    };
    let lists = arrival.lists().clone();
    for one in arrival.newly_revoked() {
        assert!(lists.is_listed(one.authority, one.serial));
    }
    let again = lists.arrive(octets, &VIEW.anchors, NOW).expect("the same list");
    assert_eq!(again.newly_revoked().count() + again.released().count(), 0);
    assert!(lists.iter().eq(again.lists().iter()));
}

/// Law: an answer is about the certificate asked about, and counts when it is given.
pub(crate) fn ocsp(octets: &[u8]) {
    if let Ok(answer) = QUESTION.judge(octets, &VIEW, NOW, &OcspPolicy::default()) {
        assert!(answer.counts_for(QUESTION.authority(), QUESTION.serial(), NOW));
    }
}

/// The octets as a card's signature. Law: RSA has one signature for a message.
pub(crate) fn challenge(octets: &[u8]) {
    static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| file("challenge/rsa.sig"));
    let proven = prove(&VIEW, &CARD, CHALLENGE, octets);
    assert_eq!(proven.is_ok(), octets == *GOOD);
    assert!(prove(&VIEW, &CARD, octets, &GOOD).is_err() || octets == CHALLENGE);
}

/// The proper files of the corpus are accepted: otherwise the targets would go no deeper than the
/// first check.
pub(crate) fn take_proper_ones() {
    assert_eq!(QUESTION.serial().to_string(), "7");
    for name in ["list/partition.crl", "list/empty.crl"] {
        assert!(Lists::new().arrive(&file(name), &VIEW.anchors, NOW).is_ok(), "{name}");
    }
    for name in ["ocsp/good.der", "ocsp/revoked.der"] {
        assert!(QUESTION.judge(&file(name), &VIEW, NOW, &OcspPolicy::default()).is_ok(), "{name}");
    }
    assert!(validate_client(&[CARD.as_slice()], &TRUST, &Lists::new(), NOW).is_ok());
}
