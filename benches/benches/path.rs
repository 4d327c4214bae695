//! The whole path without sockets, beside what it cannot do without: signature checks, one lookup,
//! one copy.

use std::collections::HashMap;
use std::hint::black_box;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use benches::World;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use eligibility::code::IdentityCheck;
use eligibility::query::{CardQuery, Circumstances};
use gateway::path::{self, Reply};

/// Octets of a SubjectPublicKeyInfo before the RSAPublicKey of 2048 bits in it.
const BEFORE_KEY: usize = 24;

fn by_number(criterion: &mut Criterion) {
    let world = World::new(10_000);
    let desk = &world.gateway.desk;
    let query = world.query().to_json();
    let Reply { outcome, .. } = path::number(desk, world.request(), &query);
    let answer = outcome.expect("an answer");
    let plain: HashMap<Vec<u8>, Vec<u8>> = (0..10_000_u64)
        .map(|n| (n.to_be_bytes().to_vec(), answer.clone()))
        .chain([(query.clone(), answer.clone())])
        .collect();

    let mut group = criterion.benchmark_group("path by number");
    group.bench_function("floor: hash lookup and copy of the answer", |b| {
        b.iter(|| plain.get(black_box(&query)).cloned());
    });
    group.bench_function("with its record in the kernel", |b| {
        b.iter(|| path::number(desk, world.request(), black_box(&query)).recording.wait());
    });
    group.finish();
}

fn by_card(criterion: &mut Criterion) {
    let world = World::new(10_000);
    let desk = &world.gateway.desk;
    let (certificate, key) = world.card();
    let signed = || {
        let (challenge, _) = desk.challenges.issue(world.peer.fingerprint(), world.now).expect("a challenge");
        let signature = pki::issuing::sign(&key, challenge.as_bytes()).expect("a signature");
        (challenge, signature)
    };
    // Each challenge may be spent only once, so every round has its own, signed before the clock runs.
    let query = || {
        let (challenge, signature) = signed();
        let query = CardQuery {
            certificate: STANDARD.encode(&certificate).into(),
            challenge: Some(challenge.into()),
            signature: Some(STANDARD.encode(signature).into()),
            identity_check: IdentityCheck::Pin,
            circumstances: Circumstances::default(),
        };
        query.to_json()
    };
    let (challenge, signature) = signed();
    let info = pki::issuing::Key::from_pem(&key).expect("a key").public_key_info();
    let raw = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, info.get(BEFORE_KEY..).expect("a key"));
    let check = || raw.verify(black_box(challenge.as_bytes()), black_box(&signature)).is_ok();
    assert!(check());

    let mut group = criterion.benchmark_group("path by card");
    group.sample_size(50);
    group.bench_function("floor: two raw RSA-2048 signature checks", |b| b.iter(|| check() && check()));
    group.bench_function("with its record in the kernel", |b| {
        let ask = |query: Vec<u8>| {
            path::card(desk, world.request(), &query).now().map(|reply| reply.recording.wait())
        };
        b.iter_batched(query, ask, BatchSize::SmallInput);
    });
    group.finish();
}

criterion_group!(benches, by_number, by_card);
criterion_main!(benches);
