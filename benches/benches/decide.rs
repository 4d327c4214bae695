//! The decision over a found person, beside the one comparison of days that it cannot do without.

use std::hint::black_box;

use benches::World;
use cache::Key;
use criterion::{Criterion, criterion_group, criterion_main};
use eligibility::decision::{Asked, By, decide};
use eligibility::query::Consent;

fn decisions(criterion: &mut Criterion) {
    let world = World::new(100);
    let desk = &world.gateway.desk;
    let query = world.query();
    let memory = desk.memory.view();
    let found = memory.find(&Key::Number(&query));
    let today = world.now.day_in_japan();
    let reach = |source| desk.reach(&memory, source, world.now);
    let asked = |by| Asked { by, date: today, today, consent: Consent::default(), sees_newer: false };
    let eligibility = decide(found.as_ref(), &asked(By::Number(&query)), &reach);
    let coverage = eligibility.coverages.first().expect("the employee is covered").coverage;

    let mut group = criterion.benchmark_group("decide");
    group.bench_function("floor: one coverage holds the day", |b| {
        b.iter(|| black_box(coverage).holds(black_box(today)));
    });
    for (name, by) in [("number", By::Number(&query)), ("card", By::Card)] {
        let asked = asked(by);
        group.bench_function(name, |b| {
            b.iter(|| decide(black_box(found.as_ref()), black_box(&asked), &reach).status);
        });
    }
    group.finish();
}

criterion_group!(benches, decisions);
criterion_main!(benches);
