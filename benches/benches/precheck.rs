//! The claims pre-check over a file in memory: reading it, judging it, writing the results. Claims
//! have 27 records and more than 1.5 KB each; people are those of a nation in memory.
//!
//! `SHIKAKU_PEOPLE` sets the size of the nation: 1 000 000 unless it is said, and 2 000 when cargo
//! only tests that the bench runs.

use std::fmt::Write as _;
use std::hint::black_box;
use std::ops::ControlFlow;

use cache::{Batch, Key, Packed, Row, View};
use claims::{Caller, Claims, CsvWriter, Error, Month, People, Summary, Terms, precheck};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eligibility::coverage::Person;
use eligibility::day::{Day, Timestamp};
use eligibility::decision::Reach;
use eligibility::feed::Said;
use eligibility::number::InsurerNumber;
use eligibility::query::NumberQuery;
use population::Population;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MOST_CLAIMS: u64 = 20_000;
const SERVICES: usize = 20;
/// Persons a number may fit before the rest is left out; two that do are rare.
const MOST_FITTING: usize = 16;

struct Memory {
    view: View,
    now: Timestamp,
}

impl<'v> People for &'v Memory {
    type Text = Packed<'v>;
    type Person = Person<Packed<'v>>;

    fn fitting(&self, asked: &NumberQuery, found: &mut Vec<Person<Packed<'v>>>) {
        let memory: &'v Memory = self;
        memory.view.each_fitting(asked, |person| {
            found.push(person);
            found.len() >= MOST_FITTING
        });
    }

    fn expect(&self, asked: &[NumberQuery]) {
        self.view.prefetch(&asked.iter().map(Key::Number).collect::<Vec<_>>());
    }

    fn reach(&self, _: InsurerNumber) -> Reach {
        Reach { as_of: Some(self.now), doubt: None }
    }
}

/// The nation's people, as memory holds them.
fn memory(population: &Population, now: Timestamp) -> Memory {
    let (mut writer, reader) = cache::empty();
    let members = population
        .records(0..population.people())
        .filter(|record| matches!(record.said, Said::Member { .. }));
    for (at, record) in members.enumerate() {
        writer.apply(Batch {
            position: at as u64 + 1,
            source: record.source,
            epoch: 1,
            committed_at: now,
            committed_sequence: record.sequence,
            rows: vec![Row::Accepted(&record)],
        });
    }
    Memory { view: reader.view(), now }
}

/// Claims of people from all over the nation for the month before its day: one in ten on a former
/// coverage. With `visits` the days are in a JD record, else only in the service records.
fn file(population: &Population, visits: bool) -> Vec<u8> {
    let month = Month::of(Month::of(population.day()).first().plus(-1));
    let (year, of_year, _) = month.first().ymd();
    let mut text = String::from("IR,1,13,1,2345679,,KAKU SHINRYOJO,202612,00,03-0000-0000\r\n");
    let claims = count(population);
    let step = population.people() / claims;
    for number in 0..claims {
        let resident = population.person(number * step).expect("a person");
        let mut coverages: Vec<_> = resident
            .words
            .iter()
            .flat_map(|word| word.member.coverages.iter().map(move |coverage| (word, coverage)))
            .collect();
        coverages.sort_by_key(|(_, coverage)| coverage.qualified_on);
        let former = number % 10 == 0;
        let Some((word, coverage)) = (if former { coverages.first() } else { coverages.last() }) else {
            continue;
        };
        let birth = compact(word.member.birth_date);
        let branch = coverage.branch.map_or_else(String::new, |branch| branch.to_string());
        let days = [3 + number % 7, 12 + number % 7, 22 + number % 7];
        write!(
            text,
            "RE,{},1112,{year:04}{of_year:02},KAKU TARO,1,{birth},,,,,,,A-{number},,,,,,,,,,,,,,,,,,,,,,,KAKUTARO,\r\n\
             HO,{:>8},{},{},3,1280,,,,,,,,,\r\nSN,1,01,,,,{branch},,\r\n",
            number + 1,
            word.insurer.to_string(),
            coverage.symbol,
            coverage.number,
        )
        .expect("a string takes it");
        if visits {
            text += "JD,1";
            (1..=31).for_each(|day| text += if days.contains(&day) { ",1" } else { "," });
            text += "\r\n";
        }
        text += "MF,00,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\r\nSY,8830417,20260601,1,,,01,\r\nSY,4659007,20260601,1,8002,,,\r\n";
        for service in 0..SERVICES {
            let id = if service % 3 == 2 { "IY" } else { "SI" };
            write!(text, "{id},{},1,11100{service:02}10,,291,1,,,,,,", 11 + service)
                .expect("a string takes it");
            (1..=31).for_each(|day| text += if days.contains(&day) { ",1" } else { "," });
            text += "\r\n";
        }
    }
    text += "GO,0,0,99\r\n\x1A";
    encoding(text)
}

fn count(population: &Population) -> u64 {
    population.people().min(MOST_CLAIMS)
}

/// 記号 of invented insurers are full-width; the file is CP932.
fn encoding(text: String) -> Vec<u8> {
    encoding_rs::SHIFT_JIS.encode(&text).0.into_owned()
}

fn compact(day: Day) -> String {
    day.to_string().replace('-', "")
}

fn prechecks(criterion: &mut Criterion) {
    // `cargo bench` says so in an argument; tests do not.
    let measuring = std::env::args().any(|argument| argument == "--bench");
    let said = std::env::var("SHIKAKU_PEOPLE").ok().and_then(|text| text.parse().ok());
    let people = said.unwrap_or(if measuring { 1_000_000 } else { 2_000 });
    let population = Population::new(1, people, Day::parse("2026-12-10").expect("a day"));
    let now = population.day().starts_at();
    let memory = memory(&population, now);
    let terms = Terms { caller: Caller::Review, today: population.day(), known_at: None };
    let claims = count(&population);
    let mut group = criterion.benchmark_group("precheck");
    group.throughput(Throughput::Elements(claims)).sample_size(20);
    for (name, visits) in [("JD", true), ("service days", false)] {
        let file = file(&population, visits);
        let octets = file.len() as u64 / claims;
        assert!(octets >= 1_500, "a claim has {octets} octets");
        println!("{name}: {octets} octets a claim; {}", verdicts(&memory, terms, &file));
        group.bench_function(format!("{name}, floor: lines"), |b| {
            b.iter(|| memchr::memchr_iter(b'\n', black_box(&file)).count());
        });
        group.bench_function(format!("{name}, read"), |b| b.iter(|| read(black_box(&file))));
        group.bench_function(format!("{name}, read and judge"), |b| {
            b.iter(|| judge(&memory, terms, black_box(&file), |_| Ok(())));
        });
        group.bench_function(format!("{name}, read, judge, write NDJSON"), |b| {
            let mut results = Vec::with_capacity(64 << 20);
            b.iter(|| {
                results.clear();
                judge(&memory, terms, black_box(&file), |outcome| {
                    outcome.write_json(&mut results);
                    Ok(())
                })
            });
        });
    }
    let file = file(&population, true);
    let mut rows = CsvWriter::new(std::io::sink()).expect("a sink takes all");
    group.bench_function("JD, read, judge, write CSV", |b| {
        b.iter(|| judge(&memory, terms, black_box(&file), |outcome| Ok(rows.write(outcome)?)));
    });
    group.finish();
}

/// The verdicts, so that a figure is known to be one of real work.
fn verdicts(memory: &Memory, terms: Terms<'_>, file: &[u8]) -> String {
    let summary = judge(memory, terms, file, |_| Ok(()));
    let each = summary.verdicts.iter().map(|(verdict, total)| format!("{} {}", verdict.word(), total.claims));
    each.collect::<Vec<_>>().join(", ")
}

fn read(file: &[u8]) -> u64 {
    let mut claims = Claims::open(file).expect("a file");
    let mut count = 0;
    while claims.next().expect("a file in memory").is_some() {
        count += 1;
    }
    count
}

fn judge(
    memory: &Memory,
    terms: Terms<'_>,
    file: &[u8],
    mut each: impl FnMut(&claims::Outcome) -> Result<(), Error>,
) -> Summary {
    let run = precheck(file, &memory, terms, |judged| {
        each(judged.outcome)?;
        Ok::<_, Error>(ControlFlow::Continue(()))
    });
    run.expect("a file in memory")
}

criterion_group!(benches, prechecks);
criterion_main!(benches);
