//! Builds an invented nation in memory and says what it costs: octets a person, loading, finding.
//!
//! ```text
//! cargo run --release -p benches --example store -- [PEOPLE] [nation|three|years]
//! ```
//!
//! `three` is the plain case: name, kana, sex and birth date, 1.3 coverages and one serial each.
//! `years` is that with 2.8 coverages and a limit certificate; `nation` is everything the
//! population says.
#![expect(clippy::disallowed_methods, reason = "measures itself")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cache::{Batch, Key, Reader, Row, Writer};
use eligibility::code::{LimitCategory, LimitKind};
use eligibility::coverage::{LimitCertificate, Member, Validity};
use eligibility::day::{Day, Timestamp};
use eligibility::decision::{Asked, By, Reach, decide};
use eligibility::feed::{Record, Said, Source};
use eligibility::number::Serial;
use eligibility::query::{Consent, NumberQuery};
use population::Population;

const TODAY: Day = Day::from_number(20_778);

/// Gathers records into batches of one source each.
struct Feeder {
    writer: Writer,
    waiting: BTreeMap<Source, Vec<Record>>,
    position: u64,
    records: u64,
    most: usize,
}

impl Feeder {
    fn say(&mut self, record: Record) {
        let source = record.source;
        let waiting = self.waiting.entry(source).or_default();
        waiting.push(record);
        if waiting.len() >= self.most {
            self.flush(source);
        }
    }

    fn flush(&mut self, source: Source) {
        let records = std::mem::take(self.waiting.entry(source).or_default());
        if records.is_empty() {
            return;
        }
        self.position += 1;
        self.records += records.len() as u64;
        self.writer.apply(Batch {
            position: self.position,
            source,
            epoch: 1,
            committed_at: Timestamp::from_millis(0),
            committed_sequence: records.iter().map(|one| one.sequence).max().unwrap_or(0),
            rows: records.iter().map(Row::Accepted).collect(),
        });
    }

    fn flush_all(&mut self) {
        for source in self.waiting.keys().copied().collect::<Vec<_>>() {
            self.flush(source);
        }
    }
}

fn serial(number: u64) -> Serial {
    Serial::from_be_bytes(&number.to_be_bytes()).expect("eight octets")
}

/// What the chosen case keeps of a record.
fn shaped(case: &str, index: u64, mut record: Record) -> Option<Record> {
    if case == "nation" {
        return Some(record);
    }
    let Said::Member { member: Some(member), .. } = &mut record.said else { return None };
    plain(case, index, member);
    Some(record)
}

fn plain(case: &str, index: u64, member: &mut Member) {
    member.postal_code = None;
    member.address = None;
    member.coverages.truncate(1);
    let Some(now) = member.coverages.first_mut() else { return };
    now.elderly.clear();
    now.limit_certificates.clear();
    now.specific_diseases.clear();
    let more =
        if case == "years" { 1 + u64::from(!index.is_multiple_of(5)) } else { u64::from(index % 20 < 3) };
    if case == "years" {
        now.limit_certificates.push(LimitCertificate {
            kind: LimitKind::Limit,
            category: LimitCategory::parse("A03"),
            validity: Validity { from: Some(TODAY.plus(-100)), through: Some(TODAY.plus(265)) },
            long_term_on: None,
            issued_on: None,
        });
    }
    let now = now.clone();
    for turn in 0..more {
        let mut before = now.clone();
        before.limit_certificates.clear();
        before.number = (index * 7 + turn).to_string().into();
        before.disqualified_on = Some(before.qualified_on.plus(-400 * turn as i32));
        before.qualified_on = before.qualified_on.plus(-400 * (turn as i32 + 1) - (index % 300) as i32);
        before.validity = Validity { from: Some(before.qualified_on), through: None };
        member.coverages.push(before);
    }
}

fn say_all(feeder: &mut Feeder, population: &Population, case: &str, range: std::ops::Range<u64>) {
    let mut last = u64::MAX;
    for record in population.records(range) {
        let index = record.sequence - 1;
        if case != "nation" && index != last {
            last = index;
            if let Some(subject) = record.said.subject()
                && let eligibility::feed::Subject::Person(link) = subject
            {
                let said = Said::Link { serial: serial(50_000_000 + index), link_number: Some(link) };
                feeder.say(Record {
                    source: Source::Portal,
                    epoch: 1,
                    sequence: index + 1,
                    recorded_at: None,
                    resolves: Vec::new(),
                    said,
                });
            }
        }
        if let Some(record) = shaped(case, index, record) {
            feeder.say(record);
        }
    }
}

/// Octets in memory now, anonymous and mapped.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

enum Question {
    Card(Serial),
    Number(NumberQuery),
}

fn questions(population: &Population, case: &str, count: u64) -> Vec<Question> {
    let people = population.people();
    let mut place = 12_345_u64;
    let mut all = Vec::new();
    while (all.len() as u64) < count {
        place = place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let index = (place >> 11) % people;
        let miss = all.len() % 20 == 0;
        if all.len() % 2 == 0 {
            let card = population.person(index).and_then(|one| one.card.map(|card| card.serial));
            let number = if case == "nation" { card } else { Some(50_000_000 + index) };
            let Some(number) = number else { continue };
            all.push(Question::Card(serial(if miss { number + 5_000_000_000 } else { number })));
        } else {
            let person = population.person(index).expect("below the number of people");
            let Some(question) = person.questions().next() else { continue };
            let mut query = question.query();
            if all.len() % 20 == 1 {
                query.birth_date = query.birth_date.plus(1);
            }
            all.push(Question::Number(query));
        }
    }
    all
}

fn ask(memory: &Reader, question: &Question) -> usize {
    let (found, by) = match question {
        Question::Card(serial) => (memory.find(&Key::Card(*serial)), By::Card),
        Question::Number(query) => (memory.find(&Key::Number(query)), By::Number(query)),
    };
    let asked = Asked { by, date: TODAY, today: TODAY, consent: Consent::default(), sees_newer: false };
    let reach = |source| Reach { as_of: memory.source(source).and_then(|one| one.complete_to), doubt: None };
    decide(found.as_deref(), &asked, &reach).coverages.len()
}

/// Time this thread has run, whoever else the processor served meanwhile.
fn ran() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|ran| ran.parse().ok()).unwrap_or(0))
}

fn rate(memory: &Reader, questions: &[Question], rounds: usize) -> f64 {
    let begun = ran();
    let mut shown = 0;
    for _ in 0..rounds {
        shown += questions.iter().map(|question| ask(memory, black_box(question))).sum::<usize>();
    }
    black_box(shown);
    (questions.len() * rounds) as f64 / (ran() - begun).as_secs_f64()
}

fn latencies(memory: &Reader, questions: &[Question]) -> [u64; 3] {
    let mut all: Vec<u64> = Vec::with_capacity(questions.len());
    for question in questions {
        let begun = Instant::now();
        black_box(ask(memory, question));
        all.push(begun.elapsed().as_nanos() as u64);
    }
    all.sort_unstable();
    [500, 990, 999].map(|per_mille| all[all.len() * per_mille / 1000])
}

fn main() {
    let mut words = std::env::args().skip(1);
    let people: u64 = words.next().and_then(|word| word.parse().ok()).unwrap_or(100_000);
    let case = words.next().unwrap_or_else(|| "nation".to_owned());
    let population = Population::new(1, people, TODAY);
    let questions = questions(&population, &case, 400_000);
    let before = resident();
    let (writer, memory) = cache::empty();
    let mut feeder = Feeder { writer, waiting: BTreeMap::new(), position: 0, records: 0, most: 2000 };
    let begun = ran();
    for from in (0..people).step_by(10_000) {
        say_all(&mut feeder, &population, &case, from..(from + 10_000).min(people));
    }
    feeder.flush_all();
    let whole = ran() - begun;
    say_none(&population, &case, people);
    let applying = (whole + begun + whole).saturating_sub(ran());
    println!("{people} people ({case}), {} records, {} serials", feeder.records, memory.serials());
    println!("load            {:>12.0} records/s", feeder.records as f64 / applying.as_secs_f64());
    println!("resident        {:>12.1} octets a person", (resident() - before) as f64 / people as f64);
    let sizes = memory.sizes();
    let each = |octets: u64| octets as f64 / people as f64;
    println!(
        "                records {:.1}, places {:.1}, cards {:.1}, numbers {:.1}, changes {:.1}",
        each(sizes.records as u64),
        each(sizes.places as u64),
        each(sizes.cards as u64),
        each(sizes.numbers as u64),
        each(sizes.changes as u64)
    );
    let rounds = words.next().and_then(|word| word.parse().ok()).unwrap_or(3);
    println!("find and decide {:>12.0} /s a core", rate(&memory, &questions, rounds));
    println!("p50 p99 p99.9   {:?} ns", latencies(&memory, &questions));
    let folder = std::env::temp_dir().join(format!("shikaku-store-{}", std::process::id()));
    let begun = Instant::now();
    feeder.writer.save(&folder).expect("a folder to write into");
    println!(
        "saved in        {:>12.2?}, resident {:.1} octets a person",
        begun.elapsed(),
        each(resident() - before)
    );
    let begun = Instant::now();
    let (writer, memory) = cache::open(&folder).expect("what was saved");
    println!("opened in       {:>12.2?}", begun.elapsed());
    feeder.writer = writer;
    println!("find and decide {:>12.0} /s a core, from files", rate(&memory, &questions, rounds));
    println!("p50 p99 p99.9   {:?} ns", latencies(&memory, &questions));
    println!("resident        {:>12.1} octets a person", each(resident() - before));
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (ended, population, case) = (&ended, &population, &*case);
        let feeder = &mut feeder;
        let begun = Instant::now();
        let writer = scope.spawn(move || {
            feeder.most = 200;
            let before = feeder.records;
            let mut from = 0;
            while !ended.load(Ordering::Relaxed) {
                say_all(feeder, population, case, from..from + 200);
                from = (from + 200) % (people - 200);
                let due = Duration::from_secs_f64((feeder.records - before) as f64 / 10_000.0);
                std::thread::sleep(due.saturating_sub(begun.elapsed()));
            }
            (feeder.records - before) as f64 / begun.elapsed().as_secs_f64()
        });
        let mut worst = [0; 3];
        for _ in 0..5 {
            let taken = latencies(&memory, &questions);
            worst = std::array::from_fn(|at| worst[at].max(taken[at]));
        }
        let busy = rate(&memory, &questions, 3);
        ended.store(true, Ordering::Relaxed);
        let replaced = writer.join().expect("the writer goes on");
        println!("beside a writer of {replaced:.0} records/s: {busy:.0} /s, p50 p99 p99.9 {worst:?} ns");
    });
    println!("resident        {:>12.1} octets a person", (resident() - before) as f64 / people as f64);
    std::fs::remove_dir_all(&folder).expect("our own folder");
}

/// What making the records alone takes.
fn say_none(population: &Population, case: &str, people: u64) {
    let records = population.records(0..people);
    black_box(records.filter_map(|one| shaped(case, one.sequence - 1, one)).count());
}
