//! The step `prove`: a card's certificate and its signature over a challenge, met for the first
//! time and met again. Beside each its floor: the bare signature checks that cannot be left out,
//! over the same octets and in the same run.
//!
//! And the worst that a chain made by an enemy can cost.
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
use pki::issuing::{
    AuthoritySpec, CardAuthority, CardSpec, CertificateSpec, ExtensionSpec, Key, KeyKind, Municipality,
    encode,
};
use pki::path::{PathPolicy, PathTrust, Purpose, validate_client};
use pki::{Anchors, CardProfile, Lists, SeenCertificates, Serial, TrustView, UnixTime, prove};

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

/// One element of DER after another.
fn join(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    encode(tag, &parts.concat())
}

fn name(common: &str) -> Vec<u8> {
    let attribute = join(0x30, &[&encode(6, &[0x55, 4, 3]), &encode(0x0c, common.as_bytes())]);
    join(0x30, &[&join(0x31, &[&attribute])])
}

/// An authority of that name by that issuer, with more extensions.
fn authority_spec(serial: u8, subject: &str, issuer: &str, more: &[ExtensionSpec]) -> CertificateSpec {
    let extension = |id, value: &[u8]| ExtensionSpec { id, critical: true, value: value.to_vec() };
    let mut extensions =
        vec![extension("2.5.29.19", &[0x30, 3, 1, 1, 0xff]), extension("2.5.29.15", &[3, 2, 1, 6])];
    extensions.extend_from_slice(more);
    CertificateSpec {
        version: 2,
        serial: vec![serial],
        issuer: name(issuer),
        not_before: ISSUED,
        not_after: NOT_AFTER,
        subject: name(subject),
        extensions,
        inner_algorithm: None,
        bad_signature: false,
    }
}

fn client_extensions() -> Vec<ExtensionSpec> {
    let purpose = join(0x30, &[&encode(6, &[0x2b, 6, 1, 5, 5, 7, 3, 2])]);
    vec![
        ExtensionSpec { id: "2.5.29.15", critical: true, value: vec![3, 2, 7, 0x80] },
        ExtensionSpec { id: "2.5.29.37", critical: false, value: purpose },
    ]
}

/// Ten certificates of one name, any of which may have issued any other by what they say, and none
/// did: every way up costs a signature check on P-384 until the budget is spent.
fn maze(root: &Key, keys: &[Key]) -> Vec<Vec<u8>> {
    let [forger, keys @ ..] = keys else {
        return Vec::new();
    };
    let mut leaf = authority_spec(1, "leaf", "Root", &[]);
    leaf.extensions = client_extensions();
    let others = (2..).zip(keys).map(|(serial, key)| {
        authority_spec(serial, "Root", "Root", &[]).sign(key, forger).expect("a certificate")
    });
    let first = leaf.sign(root, forger).expect("a certificate");
    std::iter::once(first).chain(others).take(10).collect()
}

/// As many names as fit under as many constraints as fit.
fn crowd(root: &Key, keys: &[Key]) -> Vec<Vec<u8>> {
    let hosts = |from: usize, wrap: fn(Vec<u8>) -> Vec<u8>| -> Vec<u8> {
        (from..from + 500).flat_map(|at| wrap(encode(0x82, format!("h{at}.jp").as_bytes()))).collect()
    };
    let excluded = encode(0xa1, &hosts(1000, |host| encode(0x30, &host)));
    let constraints = ExtensionSpec { id: "2.5.29.30", critical: true, value: join(0x30, &[&excluded]) };
    let between = authority_spec(2, "Between", "Root", &[constraints]);
    let mut leaf = authority_spec(1, "leaf", "Between", &[]);
    leaf.extensions = client_extensions();
    let names = join(0x30, &[&hosts(5000, |host| host)]);
    leaf.extensions.push(ExtensionSpec { id: "2.5.29.17", critical: false, value: names });
    vec![
        leaf.sign(root, &keys[0]).expect("a certificate"),
        between.sign(&keys[0], root).expect("a certificate"),
    ]
}

fn hostile(criterion: &mut Criterion) {
    let keys: Vec<Key> = (0..12).map(|_| Key::generate(KeyKind::P384).expect("a key")).collect();
    let root = Key::generate(KeyKind::P384).expect("a key");
    let anchor = authority_spec(99, "Root", "Root", &[]).sign(&root, &root).expect("a certificate");
    let trust =
        PathTrust::new([&anchor], None::<&[u8]>, PathPolicy::new(Purpose::Client)).expect("an anchor");
    let mut group = criterion.benchmark_group("hostile chain");
    for (name, chain) in
        [("maze of one name, P-384", maze(&root, &keys)), ("names under constraints", crowd(&root, &keys))]
    {
        let judge = || validate_client(&chain, &trust, &Lists::new(), NOW);
        println!("{name}: {}", judge().expect_err("hostile"));
        group.bench_function(name, |bencher| bencher.iter(|| judge().is_err()));
    }
    group.finish();
}

criterion_group!(benches, proving, hostile);
criterion_main!(benches);
