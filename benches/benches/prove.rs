//! The step `prove`: a card's certificate and its signature over a challenge, met for the first
//! time and met again. Beside each its floor: the bare signature checks that cannot be left out,
//! over the same octets and in the same run.
//!
//! Floor of a first meeting: the authority's signature over the certificate with its key at hand,
//! and the card's over the challenge with its key from DER. Floor of a second: the card's
//! signature with its key at hand.

use std::hint::black_box;

use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_ASN1, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use criterion::{Criterion, criterion_group, criterion_main};
use pki::issuing::{AuthoritySpec, CardAuthority, CardSpec, Key, KeyKind, Municipality};
use pki::{Anchors, CardProfile, SeenCertificates, Serial, TrustView, UnixTime, prove};

/// 2025-10-01T00:00:00Z
const ISSUED: UnixTime = UnixTime(1_759_276_800);
const NOT_AFTER: UnixTime = UnixTime(ISSUED.0 + 1500 * 86_400);
const NOW: UnixTime = UnixTime(ISSUED.0 + 86_400);
/// As long as challenges are.
const CHALLENGE: &[u8] = &[b'c'; 120];

/// A card and the two bare signature checks that it takes.
struct Case {
    name: &'static str,
    view: TrustView,
    certificate: Vec<u8>,
    signature: Vec<u8>,
    algorithm: &'static dyn VerificationAlgorithm,
    authority_key: ParsedPublicKey,
    card_key: Vec<u8>,
}

fn case(name: &'static str, kind: KeyKind, algorithm: &'static dyn VerificationAlgorithm) -> Case {
    let serial = |number: u32| Serial::from_bytes(&number.to_be_bytes()).expect("not zero");
    let spec = AuthoritySpec {
        serial: serial(20_170_569),
        not_before: ISSUED,
        not_after: NOT_AFTER,
        organization: None,
        defect: None,
    };
    let key = Key::generate(kind).expect("a key");
    let authority_key =
        ParsedPublicKey::new(algorithm, key.public_key_info()).expect("a key of that algorithm");
    let authority = CardAuthority::new(&spec, key).expect("an authority");
    let card_key = Key::generate(kind).expect("a key");
    let card = CardSpec {
        municipality: Some(Municipality::new("Tokyo-to", "Chiyoda-ku")),
        ..CardSpec::new(serial(117_800_001), ISSUED, NOT_AFTER)
    };
    let anchors = Anchors::from_certificates([authority.certificate_der()]).expect("an anchor");
    Case {
        name,
        view: TrustView::new(anchors, CardProfile::production().and_test_cards()),
        certificate: authority.issue(&card, &card_key).expect("a card"),
        signature: card_key.sign(CHALLENGE).expect("a signature"),
        algorithm,
        authority_key,
        card_key: card_key.public_key_info(),
    }
}

/// The signed part of a certificate, and the signature over it: its first and its last element.
fn parts(certificate: &[u8]) -> (&[u8], &[u8]) {
    let length = |at: usize| match certificate[at + 1] {
        short @ 0..=0x7f => (2, usize::from(short)),
        0x81 => (3, usize::from(certificate[at + 2])),
        _ => (4, usize::from(u16::from_be_bytes([certificate[at + 2], certificate[at + 3]]))),
    };
    let start = length(0).0;
    let after = |at: usize| at + length(at).0 + length(at).1;
    let beside = after(start);
    let signature = after(beside);
    (&certificate[start..beside], &certificate[signature + length(signature).0 + 1..])
}

fn proving(criterion: &mut Criterion) {
    let cases = [
        case("RSA-2048", KeyKind::Rsa2048, &RSA_PKCS1_2048_8192_SHA256),
        case("P-384", KeyKind::P384, &ECDSA_P384_SHA384_ASN1),
    ];
    for case in &cases {
        let Case { view, certificate, signature, .. } = case;
        let (signed, seal) = parts(certificate);
        let mut group = criterion.benchmark_group(format!("prove, {}", case.name));
        group.bench_function("first meeting: floor, two bare checks", |bencher| {
            bencher.iter(|| {
                case.authority_key.verify_sig(black_box(signed), seal).expect("the authority's");
                let key = UnparsedPublicKey::new(case.algorithm, &case.card_key);
                key.verify(black_box(CHALLENGE), signature).expect("the card's");
            });
        });
        group.bench_function("first meeting", |bencher| {
            bencher.iter(|| prove(view, black_box(certificate), CHALLENGE, signature).expect("proven"));
        });
        let card_key = ParsedPublicKey::new(case.algorithm, &case.card_key).expect("a key");
        group.bench_function("met before: floor, one bare check", |bencher| {
            bencher.iter(|| card_key.verify_sig(black_box(CHALLENGE), signature).expect("the card's"));
        });
        let seen = SeenCertificates::new(1000);
        group.bench_function("met before", |bencher| {
            bencher.iter(|| {
                seen.prove(view, black_box(certificate), CHALLENGE, signature, NOW).expect("proven")
            });
        });
        group.finish();
    }
}

criterion_group!(benches, proving);
criterion_main!(benches);
