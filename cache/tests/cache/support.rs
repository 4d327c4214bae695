//! Records, and a memory to apply them to.

use std::sync::Arc;

use cache::{Batch, Key, Reader, Row, Writer, empty};
use eligibility::code::Restriction;
use eligibility::coverage::{Person, Restrictions};
use eligibility::day::Timestamp;
use eligibility::decision::Found;
use eligibility::feed::{Kind, Record, Refused, Source, Subject};
use eligibility::number::{LinkNumber, Serial};
use eligibility::query::NumberQuery;

pub(crate) const INSURER: &str = "06132013";
pub(crate) const OTHER: &str = "138057";
pub(crate) const CITY: &str = "city-131016";

/// What a row of a batch is made from.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Accepted(Record),
    Refused(Option<u64>, Refused),
}

/// A memory under test.
pub(crate) struct House {
    pub(crate) writer: Writer,
    pub(crate) reader: Reader,
    pub(crate) position: u64,
}

impl House {
    pub(crate) fn new() -> Self {
        let (writer, reader) = empty();
        Self { writer, reader, position: 0 }
    }

    pub(crate) fn apply(&mut self, source: &str, told: &[Told]) {
        self.position += 1;
        let sequences = told.iter().filter_map(|told| match told {
            Told::Accepted(record) => Some(record.sequence),
            Told::Refused(sequence, _) => *sequence,
        });
        let batch = Batch {
            position: self.position,
            source: source_of(source),
            epoch: 1,
            committed_at: Timestamp::from_millis(self.position as i64),
            committed_sequence: sequences.max().unwrap_or(0),
            rows: told.iter().map(row).collect(),
        };
        self.writer.apply(batch);
        assert_eq!(self.reader.generation(), self.position);
    }

    pub(crate) fn card(&self, serial: u64) -> Found<Arc<Person>> {
        self.reader.find(&Key::Card(self::serial(serial)))
    }

    pub(crate) fn number(&self, query: &NumberQuery) -> Found<Arc<Person>> {
        self.reader.find(&Key::Number(query))
    }

    pub(crate) fn person(&self, number: u64) -> Option<Arc<Person>> {
        self.reader.person(link_number(number))
    }
}

fn row(told: &Told) -> Row<'_> {
    match told {
        Told::Accepted(record) => Row::Accepted(record),
        Told::Refused(sequence, refused) => {
            Row::Refused { name: name(*sequence, refused).into(), sequence: *sequence, refused }
        }
    }
}

pub(crate) fn name(sequence: Option<u64>, refused: &Refused) -> String {
    sequence.map_or_else(|| format!("x{:016x}", refused.line), |sequence| sequence.to_string())
}

pub(crate) fn source_of(name: &str) -> Source {
    Source::from_ledger(name).unwrap()
}

pub(crate) fn link_number(number: u64) -> LinkNumber {
    LinkNumber::from_value(number).unwrap()
}

pub(crate) fn serial(number: u64) -> Serial {
    Serial::parse(&number.to_string()).unwrap()
}

pub(crate) fn record(source: &str, sequence: u64, rest: &str) -> Told {
    let line = format!(r#"{{"source":"{source}","sequence":{sequence},{rest}}}"#);
    Told::Accepted(Record::from_json(line.as_bytes()).unwrap())
}

/// A member with one coverage under each of these numbers; born in 1980 and `number`'s last digit.
pub(crate) fn member(source: &str, sequence: u64, person: u64, name: &str, numbers: &[u64]) -> Told {
    let coverage = |number| format!(r#"{{"symbol":"1","number":"{number}","qualified_on":"2024-04-01"}}"#);
    let coverages: Vec<_> = numbers.iter().map(coverage).collect();
    record(
        source,
        sequence,
        &format!(
            r#""kind":"member","link_number":"{person:016}","name":"{name}","sex":"male","birth_date":"1980-01-1{}","restrictions":[],"coverages":[{}]"#,
            person % 2,
            coverages.join(",")
        ),
    )
}

pub(crate) fn withdrawn(source: &str, sequence: u64, person: u64) -> Told {
    record(source, sequence, &format!(r#""kind":"member","link_number":"{person:016}","deleted":true"#))
}

pub(crate) fn link(source: &str, sequence: u64, serial: u64, person: Option<u64>) -> Told {
    let rest = match person {
        Some(person) => format!(r#""link_number":"{person:016}""#),
        None => r#""deleted":true"#.to_owned(),
    };
    record(source, sequence, &format!(r#""kind":"link","serial":"{serial}",{rest}"#))
}

pub(crate) fn renewal(sequence: u64, serial: u64, previous: u64) -> Told {
    let rest = format!(r#""kind":"renewal","serial":"{serial}","previous_serial":"{previous}""#);
    record("jlis", sequence, &rest)
}

/// As many subsidies as said; none withdraws.
pub(crate) fn subsidy(source: &str, sequence: u64, person: u64, count: Option<usize>) -> Told {
    let one = r#"{"payer_number":"88130018","recipient_number":"1234566","scheme":"child"}"#;
    let rest = match count {
        Some(count) => format!(r#""subsidies":[{}]"#, vec![one; count].join(",")),
        None => r#""deleted":true"#.to_owned(),
    };
    record(source, sequence, &format!(r#""kind":"subsidy","link_number":"{person:016}",{rest}"#))
}

pub(crate) fn time(minute: u64) -> Timestamp {
    Timestamp::from_millis(minute as i64 * 60_000)
}

pub(crate) fn mark(source: &str, sequence: u64, minute: u64) -> Told {
    record(source, sequence, &format!(r#""kind":"mark","complete_to":"{}""#, time(minute)))
}

pub(crate) fn dismissal(sequence: u64, of: &str, name: &str) -> Told {
    record("gateway", sequence, &format!(r#""kind":"dismissal","of":"{of}","name":"{name}""#))
}

pub(crate) fn resolving(told: Told, sequences: &[u64]) -> Told {
    match told {
        Told::Accepted(record) => Told::Accepted(Record { resolves: sequences.to_vec(), ..record }),
        refused => refused,
    }
}

/// A refused line.
pub(crate) fn refused(sequence: Option<u64>, kind: Option<Kind>, subject: Option<Subject>) -> Told {
    let (code, protect) = (Box::from("unknown_value"), Restrictions::NONE);
    Told::Refused(sequence, Refused { code, field: None, line: 1, kind, subject, protect })
}

pub(crate) fn refused_member(sequence: u64, person: u64, protect: Restrictions) -> Told {
    let subject = Some(Subject::Person(link_number(person)));
    match refused(Some(sequence), Some(Kind::Member), subject) {
        Told::Refused(sequence, refused) => Told::Refused(sequence, Refused { protect, ..refused }),
        accepted => accepted,
    }
}

pub(crate) fn closed() -> Restrictions {
    Restrictions::NONE.with(Restriction::Closed)
}

/// The question for a number, with the birth date of this person.
pub(crate) fn query(insurer: &str, number: u64, person: u64) -> NumberQuery {
    let json = format!(
        r#"{{"insurer_number":"{insurer}","symbol":"１","number":"0{number}","birth_date":"1980-01-1{}"}}"#,
        person % 2
    );
    NumberQuery::from_json(json.as_bytes()).unwrap()
}

/// What was found, in a form that can be compared.
pub(crate) fn found(found: Found<Arc<Person>>) -> Result<u64, &'static str> {
    match found {
        Found::Unlinked => Err("unlinked"),
        Found::Unknown => Err("unknown"),
        Found::Nobody => Err("nobody"),
        Found::One(person) => Ok(person.link_number.value()),
        Found::Several => Err("several"),
    }
}
