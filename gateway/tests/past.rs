//! What was known at an instant, against a memory that was made of the whole ledger up to there.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

use std::sync::mpsc::channel;
use std::time::Duration;

use disk::Folder;
use eligibility::answer::{Answer, Occasion};
use eligibility::coverage::{Person, Written};
use eligibility::day::{Day, Timestamp};
use eligibility::decision::{Asked, By, Found, Reach, decide, protections};
use eligibility::feed::{Said, Source};
use eligibility::query::{Consent, NumberQuery};
use gateway::desk::Staleness;
use gateway::follow::{self, Followed};
use gateway::intake::Held;
use gateway::past::{Past, Today, Wanted};
use ledger::{Batch, Offer, Place};
use proptest::prelude::*;

const SOURCES: [&str; 5] = ["06132013", "138057", "city-131016", "portal", "gateway"];

/// One line: which kind, of whom, with which numbers.
type Seed = (u8, u64, u64, Vec<u64>);

fn seed() -> impl Strategy<Value = Seed> {
    (0..12_u8, 1..4_u64, 1..8_u64, prop::collection::vec(1..4_u64, 0..3))
}

/// A line of an insurer: members who change, are withdrawn, are refused with a wish for protection.
fn of_insurer(source: &str, sequence: u64, (kind, person, other, numbers): Seed) -> String {
    let head = format!(r#""source":"{source}","sequence":{sequence}"#);
    let coverages: Vec<_> = numbers
        .iter()
        .map(|number| {
            format!(r#"{{"symbol":"１","number":"0{number}","qualified_on":"202{}-04-01"}}"#, other % 6)
        })
        .collect();
    let member = |rest: &str| {
        format!(
            r#"{{{head},"kind":"member","link_number":"{person:016}","name":"名{sequence}","sex":"male","birth_date":"1980-01-1{}","address":"町","coverages":[{}],{rest}}}"#,
            other % 2,
            coverages.join(",")
        )
    };
    match kind {
        0 => format!(r#"{{{head},"kind":"member","link_number":"{person:016}","deleted":true}}"#),
        1 => format!(r#"{{{head},"kind":"mark","complete_to":"2026-01-0{}T00:00:00+09:00"}}"#, other.max(1)),
        2 => member(r#""restrictions":["closed"],"surplus":1"#),
        3 => member(r#""restrictions":["card_unusable"],"sex_on_back":"x""#),
        4 => member(r#""restrictions":["hide_address"]"#),
        5 => member(&format!(r#""restrictions":[],"resolves":[{other}]"#)),
        6 => member(r#""restrictions":[],"name_kana":"ナ\u304B""#),
        7 => format!(r#"{{{head},"broken"#),
        _ => member(r#""restrictions":[]"#),
    }
}

fn line(source: &str, sequence: u64, seed: Seed) -> String {
    let (kind, person, ..) = seed;
    let head = format!(r#""source":"{source}","sequence":{sequence}"#);
    match (source, kind) {
        ("portal", _) => {
            format!(r#"{{{head},"kind":"link","serial":"{}","link_number":"{person:016}"}}"#, 100 + person)
        }
        ("city-131016", 0..3) => {
            format!(r#"{{{head},"kind":"subsidy","link_number":"{person:016}","deleted":true}}"#)
        }
        ("city-131016", _) => format!(
            r#"{{{head},"kind":"subsidy","link_number":"{person:016}","subsidies":[{{"payer_number":"88130018","recipient_number":"1234566","scheme":"町{sequence}"}}]}}"#
        ),
        _ => of_insurer(source, sequence, seed),
    }
}

struct House {
    _folder: tempfile::TempDir,
    followed: Followed,
    held: Held,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let followed =
            follow::start(&Place::from(&folder.path().join("ledger")), &folder.path().join("memory"))
                .unwrap();
        let held = Folder::from(&folder.path().join("held"));
        let held = Held::open(held, followed.ledger.clone()).unwrap();
        Self { _folder: folder, followed, held }
    }

    fn append(&self, source: &str, lines: &[String]) {
        let offers: Vec<_> = lines
            .iter()
            .zip(1..)
            .map(|(line, at)| Offer::from_line(source_of(source), at, line.as_bytes()))
            .collect();
        let (done, outcome) = channel();
        let tell = move |outcome: Result<_, _>| drop(done.send(outcome));
        self.followed.ledger.append(source_of(source), offers, Box::new(tell)).unwrap();
        outcome.recv().unwrap().unwrap();
    }

    fn act(&self, said: Said) {
        let (done, outcome) = channel();
        self.followed.ledger.act(said, Box::new(move |outcome| drop(done.send(outcome)))).unwrap();
        outcome.recv().unwrap().unwrap();
    }

    fn batches(&self) -> Vec<Batch> {
        self.followed.ledger.read(0, 10_000).unwrap()
    }

    fn past(&self, at: Timestamp, queries: &[NumberQuery]) -> Past {
        let mut wanted = Wanted::default();
        queries.iter().for_each(|query| wanted.add(query));
        let memory = &self.followed.memory.view();
        let today = Today { memory, held: &self.held, day: today() };
        Past::of(&self.followed.ledger.reader().unwrap(), &today, at, &wanted).unwrap()
    }
}

fn source_of(name: &str) -> Source {
    Source::from_ledger(name).unwrap()
}

fn today() -> Day {
    Day::parse("2026-11-21").unwrap()
}

/// Memory made of all batches up to a position.
fn memory_at(batches: &[Batch], position: u64) -> cache::Reader {
    let (mut writer, memory) = cache::empty();
    for batch in batches.iter().take_while(|batch| batch.position <= position) {
        follow::apply(&mut writer, std::slice::from_ref(batch));
    }
    memory
}

/// The answer that a reviewer would see.
fn told<T: Written>(
    query: &NumberQuery,
    found: &Found<Person<T>>,
    reach: &dyn Fn(Source) -> Reach,
) -> String {
    let consent = Consent { limit_certificate: true, specific_disease: true, subsidies: true };
    let (date, today) = (query.circumstances.date.unwrap(), today());
    let asked = Asked { by: By::Number(query), date, today, consent, sees_newer: true };
    let eligibility = decide(found.as_ref(), &asked, reach);
    let answered_at = Timestamp::default();
    let occasion = Occasion { reference: None, card: None, generation: 0, answered_at, known_at: None };
    let mut json = Vec::new();
    Answer::of(&eligibility, occasion, &|_| None).write_to(&mut json);
    String::from_utf8(json).unwrap()
}

/// The person with what restricts it by the word of everybody today.
fn protected<T>(mut person: Person<T>, now: &cache::Reader) -> Person<T> {
    if let Some(known) = now.person(person.link_number) {
        for (insurer, restrictions) in protections(&known, today()) {
            let membership = person.membership_mut(insurer);
            membership.pending = membership.pending.and(restrictions);
        }
    }
    person
}

fn questions() -> impl Iterator<Item = NumberQuery> {
    let each = |insurer| (1..4).flat_map(move |number| [0, 1].map(|born| (insurer, number, born)));
    SOURCES[..2].iter().flat_map(each).map(|(insurer, number, born)| {
        let json = format!(
            r#"{{"insurer_number":"{insurer}","symbol":"1","number":"{number}","birth_date":"1980-01-1{born}","date":"2024-06-01"}}"#
        );
        NumberQuery::from_json(json.as_bytes()).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_known_is_what_memory_had(
        batches in prop::collection::vec((0..SOURCES.len(), prop::collection::vec(seed(), 1..6)), 1..14),
    ) {
        let house = House::new();
        let mut sequences = [0; SOURCES.len()];
        house.append("portal", &[line("portal", 1, (0, 1, 1, Vec::new()))]);
        sequences[3] = 1;
        for (source, seeds) in batches {
            if SOURCES[source] == "gateway" {
                let name = seeds[0].2.to_string().into();
                house.act(Said::Dismissal { of: source_of(SOURCES[seeds[0].0 as usize % 2]), name });
                continue;
            }
            let lines: Vec<_> = seeds.into_iter().map(|seed| {
                sequences[source] += 1;
                line(SOURCES[source], sequences[source], seed)
            }).collect();
            house.append(SOURCES[source], &lines);
        }
        let batches = house.batches();
        let staleness = Staleness { after_ms: i64::MAX / 4, ..Staleness::default() };
        let mut instants: Vec<_> = batches.iter().map(|batch| batch.committed_at).collect();
        instants.insert(0, batches[0].committed_at.plus_millis(-1));
        instants.dedup();
        for at in instants {
            let position = batches.iter().filter(|batch| batch.committed_at <= at).count() as u64;
            let memory = memory_at(&batches, position).view();
            let all: Vec<_> = questions().collect();
            let together = house.past(at, &all);
            let alone = all.iter().map(|query| (query, house.past(at, std::slice::from_ref(query))));
            let each: Vec<_> = alone.collect();
            let asked = each.iter().map(|(query, past)| (*query, past));
            for (query, past) in asked.chain(all.iter().map(|query| (query, &together))) {
                prop_assert_eq!(past.position(), position);
                let view = past.view();
                let then = view.find(&cache::Key::Number(query)).map(|person| past.protected(person));
                let then = told(query, &then, &|source| past.reach(&staleness, &view, source));
                let found = memory.find(&cache::Key::Number(query));
                let found = found.map(|person| protected(person, &house.followed.memory));
                let expected = told(query, &found, &|source| {
                    staleness.reach(memory.source(source), source, false, at)
                });
                prop_assert_eq!(then, expected, "{:?} at {} of {}", query, position, batches.len());
            }
        }
    }
}

#[test]
fn a_dismissal_settles_nothing_that_came_later_by_the_same_name() {
    let house = House::new();
    let insurer = source_of(SOURCES[0]);
    house.act(Said::Dismissal { of: insurer, name: "1".into() });
    let refused = (2, 1, 1, Vec::new());
    let mark = (1, 1, 1, Vec::new());
    house.append(SOURCES[0], &[line(SOURCES[0], 1, refused), line(SOURCES[0], 2, mark)]);
    let query = questions().next().unwrap();
    let staleness = Staleness { after_ms: i64::MAX / 4, ..Staleness::default() };
    let doubt = || {
        let at = house.batches().last().unwrap().committed_at;
        let past = house.past(at, std::slice::from_ref(&query));
        past.reach(&staleness, &past.view(), insurer).doubt.map(|doubt| doubt.word())
    };
    assert_eq!(doubt(), Some("stale"));
    house.act(Said::Dismissal { of: insurer, name: "1".into() });
    assert_eq!(doubt(), None);
}

#[test]
fn a_delivery_that_was_held_back_then_was_held_back() {
    let house = House::new();
    let insurer = source_of(SOURCES[0]);
    house.append(SOURCES[0], &[line(SOURCES[0], 1, (1, 1, 1, Vec::new()))]);
    let committed = house.batches()[0].committed_at;
    let query = questions().next().unwrap();
    let staleness = Staleness { after_ms: i64::MAX / 4, ..Staleness::default() };
    let doubt = |at| {
        let past = house.past(at, std::slice::from_ref(&query));
        past.reach(&staleness, &past.view(), insurer).doubt.map(|doubt| doubt.word())
    };
    assert_eq!(doubt(committed), None);
    // Decided on later than it was asked about, and held since before.
    let delivery = Box::from("0011223344556677");
    std::thread::sleep(Duration::from_millis(5));
    house.act(Said::Release { of: insurer, delivery, release: false, received_at: Some(committed) });
    let released = house.batches()[1].committed_at;
    assert!(released > committed);
    assert_eq!((doubt(committed), doubt(released)), (Some("held_back"), None));
}
