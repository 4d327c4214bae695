//! Reading queries and feed records, beside a reader that only checks the JSON.

use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use benches::World;
use criterion::{Criterion, criterion_group, criterion_main};
use eligibility::code::IdentityCheck;
use eligibility::feed::{Record, Said};
use eligibility::query::{CardQuery, Circumstances, NumberQuery};
use serde::de::IgnoredAny;

fn decode(criterion: &mut Criterion) {
    let world = World::new(100);
    let number = world.query().to_json();
    let (certificate, _) = world.card();
    let card = CardQuery {
        certificate: STANDARD.encode(certificate).into(),
        challenge: Some("A".repeat(75).into()),
        signature: Some(STANDARD.encode([7; 256]).into()),
        identity_check: IdentityCheck::Pin,
        circumstances: Circumstances::default(),
    }
    .to_json();
    let mut records = world.population.records(0..100);
    let member =
        records.find(|record| matches!(record.said, Said::Member { .. })).expect("a member").to_json();

    let mut group = criterion.benchmark_group("decode");
    for (name, json) in [("number query", &number), ("card query", &card), ("member record", &member)] {
        group.bench_function(format!("floor: JSON of a {name} checked only"), |b| {
            b.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(json)).is_ok());
        });
    }
    group.bench_function("number query", |b| b.iter(|| NumberQuery::from_json(black_box(&number)).is_ok()));
    group.bench_function("card query", |b| b.iter(|| CardQuery::from_json(black_box(&card)).is_ok()));
    group.bench_function("member record", |b| b.iter(|| Record::from_json(black_box(&member)).is_ok()));
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
