//! Finding a person among a million, by card and by number, random keys, beside a bare hash lookup.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use cache::{Batch, Key, Row, empty};
use criterion::{Criterion, criterion_group, criterion_main};
use eligibility::day::{Day, Timestamp};
use eligibility::feed::{Record, Said, Source};
use eligibility::number::Serial;
use eligibility::query::NumberQuery;
use population::Population;

/// People of the measured run; a test run of the bench is content with fewer.
const PEOPLE: u64 = 1_000_000;
const PEOPLE_IN_TESTS: u64 = 2_000;
/// Questions asked in turn, in random order.
const QUESTIONS: usize = 65_536;

fn find(criterion: &mut Criterion) {
    let in_test =
        std::env::args().any(|argument| argument == "--test") || !std::env::args().any(|a| a == "--bench");
    let people = if in_test { PEOPLE_IN_TESTS } else { PEOPLE };
    let population = Population::new(1, people, Day::from_number(20_778));
    let (mut writer, reader) = empty();
    let mut serials = Vec::new();
    let mut sorted: std::collections::BTreeMap<Source, Vec<Record>> = Default::default();
    let mut position = 0;
    let mut apply = |source: Source, records: &[Record]| {
        position += 1;
        writer.apply(Batch {
            position,
            source,
            epoch: 1,
            committed_at: Timestamp::from_millis(0),
            committed_sequence: records.last().map_or(0, |record| record.sequence),
            rows: records.iter().map(Row::Accepted).collect(),
        });
    };
    for record in population.records(0..people) {
        if let Said::Link { serial, .. } = record.said {
            serials.push(serial);
        }
        let waiting = sorted.entry(record.source).or_default();
        waiting.push(record);
        if let Some(first) = waiting.first().filter(|_| waiting.len() == 2000) {
            apply(first.source, waiting);
            waiting.clear();
        }
    }
    for (source, records) in sorted.iter().filter(|(_, records)| !records.is_empty()) {
        apply(*source, records);
    }
    // A walk with a large odd step visits places in no order.
    let place = |n: usize| (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) % people;
    let cards: Vec<Serial> = (0..QUESTIONS).map(|n| serials[place(n) as usize % serials.len()]).collect();
    let numbers: Vec<NumberQuery> = (0..QUESTIONS * 2)
        .filter_map(|n| population.person(place(n))?.questions().next().map(|question| question.query()))
        .take(QUESTIONS)
        .collect();
    let plain: HashMap<Serial, Arc<u64>> = serials.iter().map(|serial| (*serial, Arc::new(1))).collect();

    let mut group = criterion.benchmark_group(format!("find among {people}"));
    let mut turn = (0..QUESTIONS).cycle();
    let mut next = move || turn.next().unwrap_or_default();
    group.bench_function("floor: one hash lookup by serial", |b| {
        b.iter(|| plain.get(black_box(&cards[next() % cards.len()])).cloned());
    });
    let mut turn = (0..QUESTIONS).cycle();
    group.bench_function("by card", |b| {
        b.iter(|| reader.find(&Key::Card(black_box(cards[turn.next().unwrap_or_default() % cards.len()]))));
    });
    let mut turn = (0..QUESTIONS).cycle();
    group.bench_function("by number", |b| {
        b.iter(|| {
            reader.find(&Key::Number(black_box(&numbers[turn.next().unwrap_or_default() % numbers.len()])))
        });
    });
    group.finish();
}

criterion_group!(benches, find);
criterion_main!(benches);
