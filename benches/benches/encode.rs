//! Writing an answer, beside copying the octets it comes to.

use std::hint::black_box;

use benches::World;
use cache::Key;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eligibility::answer::{Answer, Occasion};
use eligibility::decision::{Asked, By, decide};
use eligibility::query::Consent;

fn encode(criterion: &mut Criterion) {
    let world = World::new(100);
    let desk = &world.gateway.desk;
    let query = world.query();
    let memory = desk.memory.view();
    let found = memory.find(&Key::Number(&query));
    let today = world.now.day_in_japan();
    let asked =
        Asked { by: By::Number(&query), date: today, today, consent: Consent::default(), sees_newer: false };
    let eligibility = decide(found.as_ref(), &asked, &|source| desk.reach(&memory, source, world.now));
    let occasion =
        Occasion { reference: None, card: None, generation: 1, answered_at: world.now, known_at: None };
    let name = |insurer| world.insurer_name(insurer);
    let mut answer = Vec::new();
    Answer::of(&eligibility, occasion, &name).write_to(&mut answer);

    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Bytes(answer.len() as u64));
    group.bench_function("floor: copy of the answer", |b| b.iter(|| black_box(&answer).clone()));
    group.bench_function("answer", |b| {
        b.iter(|| {
            let mut json = Vec::with_capacity(1024);
            Answer::of(black_box(&eligibility), occasion, &name).write_to(&mut json);
            json
        });
    });
    group.finish();
}

criterion_group!(benches, encode);
criterion_main!(benches);
