//! The feeds: what each source says of the people, as records in its own numbering.
//!
//! A record's sequence is the person's place, so that any part of a feed can be made without the
//! part before it. Sequences have gaps; sources allow them.

use eligibility::day::{Day, Timestamp};
use eligibility::feed::{Record, Said, Source};
use eligibility::number::{CityCode, Serial};

use crate::resident::Resident;

/// The one city that feeds subsidies.
pub const CITY: &str = "131016";

/// The city's source.
pub(crate) fn city() -> Source {
    Source::City(CityCode::parse(CITY).expect("six digits"))
}

/// The source is complete up to this time.
#[must_use]
pub fn mark(source: Source, sequence: u64, complete_to: Timestamp) -> Record {
    let said = Said::Mark { complete_to, records: None };
    Record { source, epoch: 1, sequence, recorded_at: None, resolves: Vec::new(), said }
}

pub(crate) fn serial(number: u64) -> Serial {
    Serial::from_be_bytes(&number.to_be_bytes()).expect("eight octets are fewer than twenty")
}

/// Everything that all sources say of this person: insurers, portal, J-LIS, the city, in this
/// order. Sequences begin after `after`.
pub(crate) fn records(resident: Resident, day: Day, after: u64) -> impl Iterator<Item = Record> {
    let Resident { index, link_number, card, words, subsidies } = resident;
    let sequence = after + index + 1;
    // Within the last four weeks, in office hours.
    let hours = 9 + (index / 28 % 8) as i64;
    let recorded_at = day.plus(-1 - (index % 28) as i32).starts_at().plus_millis(hours * 3_600_000);
    let record = move |source, said| Record {
        source,
        epoch: 1,
        sequence,
        recorded_at: Some(recorded_at),
        resolves: Vec::new(),
        said,
    };
    let members = words.into_iter().map(move |word| {
        let said = Said::Member { link_number, member: Some(Box::new(word.member)) };
        record(Source::Insurer(word.insurer), said)
    });
    let linked = card.as_ref().and_then(|card| card.linked_serial());
    let link = linked.map(|number| {
        record(Source::Portal, Said::Link { serial: serial(number), link_number: Some(link_number) })
    });
    let renewed = card.filter(|card| card.linked).and_then(|card| Some((card.serial, card.renewed_from?)));
    let renewal = renewed.map(|(new, old)| {
        record(Source::Jlis, Said::Renewal { serial: serial(new), previous_serial: serial(old) })
    });
    let subsidy = (!subsidies.is_empty())
        .then(|| record(city(), Said::Subsidy { link_number, subsidies: Some(subsidies) }));
    members.chain(link).chain(renewal).chain(subsidy)
}
