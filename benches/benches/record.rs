//! One audit record in the kernel, alone and in a group, beside the bare write of its line.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;

use benches::World;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gateway::audit::{Entry, Recording, Work};

/// Records of one group.
const GROUP: u64 = 100;

fn record(criterion: &mut Criterion) {
    let world = World::new(100);
    let audit = &world.gateway.desk.audit;
    let entry = Entry::question("number", Work::Desk, world.request());
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = File::create(folder.path().join("lines")).expect("a file");
    let line = [b'x'; 300];

    let mut group = criterion.benchmark_group("record");
    group.bench_function("floor: one write of a line", |b| {
        b.iter(|| file.write_all(black_box(&line)).is_ok())
    });
    group.bench_function("one, waited for", |b| b.iter(|| audit.record(black_box(&entry)).wait()));
    group.throughput(Throughput::Elements(GROUP));
    group.bench_function("a hundred, then waited for", |b| {
        b.iter(|| {
            let waiting: Vec<_> = (0..GROUP).map(|_| audit.record(black_box(&entry))).collect();
            waiting.into_iter().all(Recording::wait)
        });
    });
    group.finish();
}

criterion_group!(benches, record);
criterion_main!(benches);
