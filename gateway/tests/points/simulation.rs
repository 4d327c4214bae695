//! Months of feeds, decisions, saving and crashes, drawn from a seed, in virtual time: every promise is
//! held, a follower that reads the ledger beside it sees the same, and time never goes back.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use cache::Writer;
use disk::faulty::{End, Fault};
use eligibility::day::Timestamp;
use eligibility::feed::Source;
use eligibility::number::LinkNumber;
use gateway::follow;
use gateway::intake::Admitted;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::house::House;

const SEEDS: u64 = 12;
const MANY_SEEDS: u64 = 400;
/// Things that happen in one life.
const STEPS: u32 = 150;
const PERSONS: u64 = 30;
const SOURCES: [&str; 3] = ["06132013", "138057", "01130012"];

/// One record: of whom, and what; `None` is gone.
type Record = (u64, Option<u64>);

/// A delivery as it was sent.
#[derive(Clone)]
struct Sent {
    first: u64,
    records: Vec<Record>,
    /// Whether an operator lets it count, once it was held back.
    decided: Option<bool>,
    /// Whether the operator was told that it is done.
    told: bool,
}

impl Sent {
    fn last(&self) -> u64 {
        self.first + self.records.len() as u64 - 1
    }

    fn is_dropped(&self) -> bool {
        self.decided == Some(false)
    }

    /// As held deliveries are named: 16 digits of the SHA-256 of source and content.
    fn name(&self, source: Source) -> String {
        let said = format!("{source}{}", self.lines(source));
        let sum = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, said.as_bytes());
        sum.as_ref().iter().take(8).map(|octet| format!("{octet:02x}")).collect()
    }

    fn lines(&self, source: Source) -> String {
        let lines = (self.first..).zip(&self.records).map(|(sequence, (person, word))| {
            let head = format!(
                r#""source":"{source}","sequence":{sequence},"kind":"member","link_number":"{:016}""#,
                link(*person)
            );
            match word {
                None => format!(r#"{{{head},"deleted":true}}"#),
                Some(word) => format!(
                    r#"{{{head},"name":"試験","sex":"male","birth_date":"1980-02-03","address":"{word}","coverages":[{{"symbol":"S","number":"{person}","qualified_on":"2020-04-01"}}]}}"#
                ),
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

const fn link(person: u64) -> u64 {
    9_200_000_000_000_000 + person
}

#[derive(Default)]
struct Feeder {
    sent: Vec<Sent>,
    /// How many of them were answered: committed, or held back.
    answered: usize,
    promised: u64,
}

/// A second memory, which reads the ledger.
struct Follower {
    writer: Writer,
    memory: cache::Reader,
    /// What the ledger said up to where it has read.
    seen: Option<[u8; 32]>,
}

struct Life {
    house: House,
    random: StdRng,
    feeders: BTreeMap<Source, Feeder>,
    follower: Follower,
    crashes: u32,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut house = House::new(seed);
        house.open();
        let sources = SOURCES.map(|name| (Source::parse(name).unwrap(), Feeder::default()));
        let (writer, memory) = cache::empty();
        Self {
            house,
            random: StdRng::seed_from_u64(seed),
            feeders: sources.into(),
            follower: Follower { writer, memory, seen: None },
            crashes: 0,
        }
    }

    fn step(&mut self) {
        let ahead = self.random.random_range(0..3 * 3_600_000);
        // Now and then somebody sets the clock back.
        let ahead = if self.random.random_ratio(1, 20) { -5_000 } else { ahead };
        self.house.clock.fetch_add(ahead, Ordering::Relaxed);
        if self.random.random_ratio(1, 12) {
            let fault = [Fault::Kill, Fault::Fail, Fault::Full][self.random.random_range(0..3)];
            self.house.disk.strike(self.random.random_range(1..60), fault);
        }
        let source = Source::parse(SOURCES[self.random.random_range(0..SOURCES.len())]).unwrap();
        let done = match self.random.random_range(0..20) {
            0..12 => self.deliver(source),
            12..15 => self.decide(source),
            15..17 => self.follow(),
            17 => self.house.inside().followed.files.save().map(drop).map_err(|error| error.to_string()),
            18 => self.again(source),
            _ => Err("it is time".to_owned()),
        };
        let must_end = self.house.disk.is_dead()
            || done.as_ref().is_err_and(|why| why.contains("no longer be written") || why == "it is time");
        if must_end {
            self.crash();
        }
    }

    /// Sends what was not answered once more, or something new.
    fn deliver(&mut self, source: Source) -> Result<(), String> {
        let feeder = self.feeders.get_mut(&source).unwrap();
        if feeder.answered == feeder.sent.len() {
            let first = feeder.sent.last().map_or(1, |last| last.last() + 1);
            let gone = self.random.random_ratio(1, 6);
            let count = if gone { 8 } else { self.random.random_range(1..12) };
            let record = |at: u64| {
                let person = self.random.random_range(0..PERSONS);
                (person, (!gone).then_some(first + at))
            };
            let records = (0..count).map(record).collect();
            feeder.sent.push(Sent { first, records, decided: None, told: false });
        }
        let sent = feeder.sent[feeder.answered].clone();
        if sent.is_dropped() {
            // It was held back and decided before its sender heard of it.
            feeder.answered += 1;
            return Ok(());
        }
        if let Admitted::Committed(report) = self.admit(source, &sent)? {
            assert_eq!(report.committed_sequence, sent.last());
            self.feeders.get_mut(&source).unwrap().promised = sent.last();
        }
        self.feeders.get_mut(&source).unwrap().answered += 1;
        Ok(())
    }

    fn admit(&self, source: Source, sent: &Sent) -> Result<Admitted, String> {
        let file = self.house.outside("delivery.ndjson");
        std::fs::write(&file, sent.lines(source)).unwrap();
        let now = Timestamp::from_millis(self.house.clock.load(Ordering::Relaxed));
        self.house.inside().admission().admit(source, &file, now).map_err(|error| error.to_string())
    }

    /// Sends again what was answered long ago: nothing comes of it.
    fn again(&self, source: Source) -> Result<(), String> {
        let feeder = &self.feeders[&source];
        let old = feeder.sent.iter().find(|sent| sent.last() <= feeder.promised && !sent.is_dropped());
        let Some(old) = old.filter(|_| self.house.inside().held.of(source).is_empty()) else { return Ok(()) };
        if let Admitted::Committed(report) = self.admit(source, old)? {
            assert_eq!((report.accepted, report.duplicates), (0, old.records.len() as u64));
        }
        Ok(())
    }

    /// An operator decides the oldest that is held back.
    fn decide(&mut self, source: Source) -> Result<(), String> {
        let inside = self.house.inside();
        let Some(oldest) = inside.held.of(source).into_iter().next() else { return Ok(()) };
        let feeder = self.feeders.get_mut(&source).unwrap();
        let of = feeder.sent.iter_mut().find(|sent| sent.name(source) == oldest.delivery).unwrap();
        // Who was interrupted goes on with what he decided.
        let lets =
            *of.decided.get_or_insert_with(|| oldest.reasons.is_empty() || self.random.random_bool(0.5));
        let last = of.last();
        let done = match lets {
            true => inside.admission().release(source, &oldest.delivery).map(drop),
            false => inside.admission().drop(source, &oldest.delivery),
        };
        of.told = done.is_ok();
        if lets && done.is_ok() {
            feeder.promised = feeder.promised.max(last);
        }
        let done = done.map_err(|error| error.to_string());
        if done.is_err() && !self.house.disk.is_dead() {
            self.learn_what_was_dropped();
        }
        done
    }

    /// Lets the follower read on, a little.
    fn follow(&mut self) -> Result<(), String> {
        let reader = self.house.inside().followed.ledger.reader().map_err(|error| error.to_string())?;
        let most = self.random.random_range(1..40);
        let position = self.follower.memory.generation();
        let batches = reader.read(position, most).map_err(|error| error.to_string())?;
        assert!(batches.is_sorted_by_key(|batch| batch.committed_at), "time goes back");
        follow::apply(&mut self.follower.writer, &batches);
        let position = self.follower.memory.generation();
        self.follower.seen = reader.fingerprint(position).map_err(|error| error.to_string())?;
        Ok(())
    }

    fn crash(&mut self) {
        self.crashes += 1;
        self.house.close();
        let end = if self.random.random_bool(0.5) { End::Power } else { End::Process };
        let struck = self.house.disk.struck();
        self.house.restart(end);
        self.learn_what_was_dropped();
        self.check(struck.as_deref());
    }

    /// An operator who drops one and is not told that it is done leaves it dropped, held back as it was, or,
    /// where it only waited for others that went then, taken.
    fn learn_what_was_dropped(&mut self) {
        let inside = self.house.inside();
        for (source, feeder) in &mut self.feeders {
            let held = inside.held.of(*source);
            for sent in feeder.sent.iter_mut().filter(|sent| sent.is_dropped() && !sent.told) {
                let name = sent.name(*source);
                let counts = |(person, word): &Record| {
                    word.is_some_and(|word| {
                        says(&inside.followed.memory, *source, *person) == Some(word.to_string())
                    })
                };
                match held.iter().find(|one| one.delivery == name) {
                    Some(one) if one.reasons.is_empty() => sent.decided = Some(true),
                    Some(_) => {}
                    None if sent.records.iter().any(counts) => sent.decided = Some(true),
                    None => {}
                }
            }
        }
    }

    fn check(&mut self, struck: Option<&str>) {
        let inside = self.house.inside();
        let position = self.follower.memory.generation();
        if position > 0 {
            let reader = inside.followed.ledger.reader().unwrap();
            let now = reader.fingerprint(position).unwrap();
            assert_eq!(now, self.follower.seen, "what a follower saw is not there any more, {struck:?}");
        }
        for (source, feeder) in &self.feeders {
            let state = inside.followed.memory.source(*source);
            let reached = state.map_or(0, |state| state.committed_sequence);
            assert!(
                reached >= feeder.promised,
                "{source}: {} promised, {reached} there, {struck:?}",
                feeder.promised
            );
            let whole = feeder.sent.iter().filter(|sent| sent.last() <= reached && !sent.is_dropped());
            assert!(
                feeder
                    .sent
                    .iter()
                    .all(|sent| sent.is_dropped() || reached < sent.first || reached >= sent.last()),
                "half a delivery of {source}: {reached}, {struck:?}"
            );
            let mut expected = BTreeMap::new();
            for (person, word) in whole.flat_map(|sent| &sent.records) {
                expected.insert(*person, word.map(|word| word.to_string()));
            }
            for person in 0..PERSONS {
                let expected = expected.get(&person).cloned().flatten();
                let there = says(&inside.followed.memory, *source, person);
                assert_eq!(there, expected, "{source} of {person} up to {reached}, {struck:?}");
            }
        }
    }

    /// The follower reads to the end, and both say the same of everybody.
    fn compare(&mut self) {
        while self.follower.memory.generation() < self.house.inside().followed.memory.generation() {
            self.follow().unwrap();
        }
        let (one, other) = (&self.house.inside().followed.memory, &self.follower.memory);
        for source in self.feeders.keys() {
            for person in 0..PERSONS {
                assert_eq!(says(one, *source, person), says(other, *source, person));
            }
        }
    }
}

/// What a source says of a person.
fn says(memory: &cache::Reader, source: Source, person: u64) -> Option<String> {
    let Source::Insurer(insurer) = source else { return None };
    let person = memory.person(LinkNumber::from_value(link(person)).unwrap())?;
    person.membership(insurer)?.member.as_ref()?.address.as_deref().map(str::to_owned)
}

fn live(seeds: u64) {
    let (mut crashes, mut generations) = (0, 0);
    for seed in 0..seeds {
        let mut life = Life::new(seed);
        let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            (0..STEPS).for_each(|_| life.step());
            life.crash();
            life.compare();
        }));
        assert!(lived.is_ok(), "seed {seed}");
        crashes += life.crashes;
        generations += life.house.inside().followed.memory.generation();
    }
    assert!(
        u64::from(crashes) > 3 * seeds && generations > 40 * seeds,
        "{crashes} crashes, {generations} batches"
    );
}

#[test]
fn a_life_of_feeds_and_crashes_keeps_every_promise() {
    live(SEEDS);
}

#[test]
#[ignore = "many lives"]
fn many_lives_keep_every_promise() {
    live(MANY_SEEDS);
}
