//! An invented nation on its way into memory: as lines of feeds, read on all cores, applied in batches.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

use cache::{Batch, Row, Writer};
use clap::ValueEnum;
use eligibility::code::{LimitCategory, LimitKind};
use eligibility::coverage::{LimitCertificate, Member, Validity};
use eligibility::day::{Day, Timestamp};
use eligibility::feed::{Record, Said, Source, Subject};
use eligibility::number::Serial;
use population::Population;

use crate::clock::Clock;

/// The day on which the nation is looked at.
pub(super) const TODAY: Day = Day::from_number(20_778);

/// Records applied together: the more, the less is copied for each.
const TOGETHER: usize = 131_072;
/// Records of a batch.
const BATCH: usize = 2_000;

/// What is kept of everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Case {
    /// Name, kana, sex and birth date, 1.3 coverages and one serial each
    Three,
    /// That with 2.8 coverages and a limit certificate, as ten years of history give
    Years,
    /// Everything the population says: addresses, certificates, subsidies
    Nation,
}

/// Lines of a feed by their source.
pub(super) type Lines = BTreeMap<Source, Vec<u8>>;

/// What is said of these people.
pub(super) fn records(population: &Population, case: Case, places: std::ops::Range<u64>) -> Vec<Record> {
    let mut records = Vec::new();
    let mut last = None;
    for mut record in population.records(places) {
        if case == Case::Nation {
            records.push(record);
            continue;
        }
        let place = record.sequence - 1;
        let Some(Subject::Person(link)) = record.said.subject() else { continue };
        if last.replace(place) != Some(place) {
            let said = Said::Link { serial: serial(place), link_number: Some(link) };
            records.push(Record { source: Source::Portal, said, resolves: Vec::new(), ..record });
        }
        if let Said::Member { member: Some(member), .. } = &mut record.said {
            plain(case, place, member);
            records.push(record);
        }
    }
    records
}

/// The card of the person in this place, where the case gives everybody one.
pub(super) fn serial(place: u64) -> Serial {
    // Invariant: eight octets are a serial.
    Serial::from_be_bytes(&(50_000_000 + place).to_be_bytes()).expect("eight octets")
}

fn plain(case: Case, place: u64, member: &mut Member) {
    member.postal_code = None;
    member.address = None;
    member.coverages.truncate(1);
    let Some(now) = member.coverages.first_mut() else { return };
    now.elderly.clear();
    now.limit_certificates.clear();
    now.specific_diseases.clear();
    let more = match case {
        Case::Years => 1 + u64::from(!place.is_multiple_of(5)),
        _ => u64::from(place % 20 < 3),
    };
    let first = now.clone();
    if case == Case::Years {
        now.limit_certificates.push(LimitCertificate {
            kind: LimitKind::Limit,
            category: LimitCategory::parse("A03"),
            validity: Validity { from: Some(TODAY.plus(-100)), through: Some(TODAY.plus(265)) },
            long_term_on: None,
            issued_on: None,
        });
    }
    for turn in 0..more {
        let mut before = first.clone();
        before.number = (place * 7 + turn).to_string().into();
        before.disqualified_on = Some(before.qualified_on.plus(-400 * turn as i32));
        before.qualified_on = before.qualified_on.plus(-400 * (turn as i32 + 1) - (place % 300) as i32);
        before.validity = Validity { from: Some(before.qualified_on), through: None };
        member.coverages.push(before);
    }
}

/// The records as their feeds write them.
pub(super) fn lines(records: &[Record]) -> Lines {
    let mut lines = Lines::new();
    for record in records {
        let of = lines.entry(record.source).or_default();
        of.extend_from_slice(&record.to_json());
        of.push(b'\n');
    }
    lines
}

/// Records of each source.
pub(super) type BySource = BTreeMap<Source, Vec<Record>>;

/// The records by their sources.
pub(super) fn by_source(records: Vec<Record>) -> BySource {
    let mut all = BySource::new();
    for record in records {
        all.entry(record.source).or_default().push(record);
    }
    all
}

/// Applies records in batches, whose positions it counts.
pub(super) struct Feeder {
    pub(super) writer: Writer,
    pub(super) position: u64,
}

impl Feeder {
    /// Takes feeds into memory: read on all cores, applied here. Tells how many records there were,
    /// and how long it took.
    pub(super) fn load(&mut self, lines: &Lines) -> (u64, Duration) {
        let begun = Clock::instant();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut count = 0;
        std::thread::scope(|scope| {
            let (sender, parsed) = mpsc::sync_channel(16);
            for thread in 0..threads {
                let sender = sender.clone();
                scope.spawn(move || {
                    for (source, lines) in lines.iter().skip(thread).step_by(threads) {
                        let mut records = read(lines);
                        while let Some(first) = records.next() {
                            let some = std::iter::once(first).chain(records.by_ref()).take(BATCH).collect();
                            if sender.send((*source, some)).is_err() {
                                return;
                            }
                        }
                    }
                });
            }
            drop(sender);
            let mut waiting = Vec::new();
            let mut records = 0;
            for (source, some) in parsed {
                let some: Vec<_> = some;
                records += some.len();
                waiting.push((source, some));
                if records >= TOGETHER {
                    self.apply(waiting.iter().map(|(source, records)| (source, records)));
                    waiting.clear();
                    count += records as u64;
                    records = 0;
                }
            }
            self.apply(waiting.iter().map(|(source, records)| (source, records)));
            count += records as u64;
        });
        (count, begun.elapsed())
    }

    /// Applies batches that become visible together.
    pub(super) fn apply<'r>(&mut self, batches: impl IntoIterator<Item = (&'r Source, &'r Vec<Record>)>) {
        let batches = batches.into_iter().map(|(source, records)| {
            self.position += 1;
            batch(self.position, *source, records)
        });
        self.writer.apply_all(batches);
    }
}

fn batch(position: u64, source: Source, records: &[Record]) -> Batch<'_> {
    Batch {
        position,
        source,
        epoch: 1,
        committed_at: Timestamp::from_millis(0),
        committed_sequence: records.iter().map(|one| one.sequence).max().unwrap_or(0),
        rows: records.iter().map(Row::Accepted).collect(),
    }
}

fn read(lines: &[u8]) -> impl Iterator<Item = Record> {
    let lines = lines.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
    lines.filter_map(|line| Record::from_json(line).ok())
}
