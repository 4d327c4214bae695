//! The step `stand`: finding a serial among ten million revoked ones, taking in a list of ten
//! million entries, and judging a proven card. Beside each its floor: a sorted array for finding,
//! hashing the same octets for taking in.
//!
//! Run by `cargo bench -p benches --bench stand`; without `--bench` (as tests run it) the sizes
//! are small.

use std::collections::BTreeSet;
use std::hint::black_box;

use aws_lc_rs::digest::{SHA256, digest};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pki::issuing::{
    AuthoritySpec, CardAuthority, CardSpec, Key, KeyKind, ListSpec, Municipality, Reason, Revoked,
};
use pki::{
    Anchors, AuthorityId, CardProfile, Lists, Serial, StandPolicy, TrustView, UnixTime,
    prove_without_possession, stand,
};

const DAY: i64 = 86_400;
/// 2025-10-01T00:00:00Z
const ISSUED: UnixTime = UnixTime(1_759_276_800);
const NOW: UnixTime = UnixTime(ISSUED.0 + 30 * DAY);

/// A reproducible sequence of numbers (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 1 to `most`.
    fn up_to(&mut self, most: u32) -> u32 {
        1 + (self.next() % u64::from(most)) as u32
    }
}

fn entries() -> usize {
    if std::env::args().any(|argument| argument == "--bench") { 10_000_000 } else { 10_000 }
}

fn serial(number: u32) -> Serial {
    Serial::from_bytes(&number.to_be_bytes()).expect("not zero")
}

fn authority() -> CardAuthority {
    let spec = AuthoritySpec {
        serial: serial(20_170_569),
        not_before: UnixTime(ISSUED.0 - 1000 * DAY),
        not_after: UnixTime(ISSUED.0 + 2000 * DAY),
        organization: None,
        defect: None,
    };
    CardAuthority::new(&spec, Key::generate(KeyKind::Rsa2048).expect("a key")).expect("an authority")
}

/// A list of the whole authority that has these serials.
fn list(authority: &CardAuthority, numbers: &[u32], partition: Option<&[u8]>) -> Vec<u8> {
    let at = UnixTime(NOW.0 - DAY);
    let revoked: Vec<Revoked> = numbers
        .iter()
        .map(|number| Revoked { serial: serial(*number), at, reason: Reason::Superseded })
        .collect();
    let spec = ListSpec {
        number: 1.into(),
        this_update: at,
        next_update: UnixTime(NOW.0 + DAY),
        partition,
        revoked: &revoked,
        defect: None,
    };
    authority.list(&spec).expect("a list")
}

/// How the revoked serials lie: over all of 32 bits, over 28 bits (a counter at its size by 2027),
/// every second one of a run, and in buckets just too sparse for bitmaps, the worst for finding.
fn layouts(count: usize) -> [(&'static str, Vec<u32>); 4] {
    let mut numbers = Numbers(1);
    let random: BTreeSet<u32> = (0..count).map(|_| numbers.up_to(u32::MAX - 1)).collect();
    let counter: BTreeSet<u32> = (0..count).map(|_| numbers.up_to(1 << 28)).collect();
    let run = (0..count as u32).map(|at| 100_000_000 + 2 * at).collect();
    let sparse = (0..count as u32).map(|at| ((at / 2000 + 1) << 16) + (at % 2000) * 32 + at % 31).collect();
    [
        ("random 32 bits", random.into_iter().collect()),
        ("random 28 bits", counter.into_iter().collect()),
        ("every second of a run", run),
        ("sparse buckets", sparse),
    ]
}

fn finding(criterion: &mut Criterion) {
    let (authority, count) = (authority(), entries());
    let anchors = Anchors::from_certificates([authority.certificate_der()]).expect("an anchor");
    let id: AuthorityId = anchors.iter().next().expect("one").id();
    let mut group = criterion.benchmark_group(format!("find among {count}"));
    for (name, revoked) in layouts(count) {
        let der = list(&authority, &revoked, None);
        let lists = Lists::new().with(&der, &anchors, NOW).expect("taken");
        drop(der);
        let held = lists.iter().next().expect("one");
        let each = held.octets as f64 / held.revoked as f64;
        println!("{name}: {} serials, {} octets, {each:.2} an entry", held.revoked, held.octets);
        // half of those asked are there
        let mut numbers = Numbers(2);
        let top = revoked.last().copied().expect("some");
        let asked: Vec<u32> = (0..1 << 20)
            .map(|at| match at % 2 {
                0 => revoked[numbers.next() as usize % revoked.len()],
                _ => numbers.up_to(top),
            })
            .collect();
        let serials: Vec<Serial> = asked.iter().map(|number| serial(*number)).collect();
        let mut at = 0;
        group.bench_function(format!("{name}: index"), |bencher| {
            bencher.iter(|| {
                at = (at + 1) & ((1 << 20) - 1);
                black_box(lists.is_listed(id, serials[at]))
            });
        });
        group.bench_function(format!("{name}: floor, sorted array"), |bencher| {
            bencher.iter(|| {
                at = (at + 1) & ((1 << 20) - 1);
                black_box(revoked.binary_search(&asked[at]).is_ok())
            });
        });
    }
    group.finish();
}

fn taking_in(criterion: &mut Criterion) {
    let (authority, count) = (authority(), entries());
    let anchors = Anchors::from_certificates([authority.certificate_der()]).expect("an anchor");
    let [(_, random), ..] = layouts(count);
    let der = list(&authority, &random, None);
    let mut group = criterion.benchmark_group(format!("take in {} entries", random.len()));
    group.sample_size(10).throughput(Throughput::Bytes(der.len() as u64));
    group.bench_function("verify and index", |bencher| {
        bencher.iter(|| Lists::new().with(&der, &anchors, NOW).expect("taken"));
    });
    group.bench_function("floor, hashing it once", |bencher| {
        bencher.iter(|| digest(&SHA256, &der));
    });
    group.finish();
}

fn judging(criterion: &mut Criterion) {
    let authority = authority();
    let anchors = Anchors::from_certificates([authority.certificate_der()]).expect("an anchor");
    let mut lists = Lists::new();
    for city in 0..1741 {
        let point = Municipality::new("Tokyo-to", &format!("city {city}")).distribution_point();
        let der = list(&authority, &[city + 1, city + 100_000], Some(&point));
        lists = lists.with(&der, &anchors, NOW).expect("taken");
    }
    let view = TrustView::new(anchors, CardProfile::production().and_test_cards()).with_lists(lists);
    let spec = CardSpec {
        municipality: Some(Municipality::new("Tokyo-to", "city 1000")),
        ..CardSpec::new(serial(117_800_001), ISSUED, UnixTime(ISSUED.0 + 1000 * DAY))
    };
    let key = Key::generate(KeyKind::P384).expect("a key");
    let card = authority.issue(&spec, &key).expect("a card");
    let proven = prove_without_possession(&view, &card).expect("a proper card");
    criterion.bench_function("stand, by 1 of 1741 lists", |bencher| {
        bencher.iter(|| stand(proven.clone(), &view, NOW, &StandPolicy::default()).expect("stands"));
    });
}

criterion_group!(benches, judging, finding, taking_in);
criterion_main!(benches);
