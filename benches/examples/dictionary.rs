//! Makes the dictionary with which the ledger compresses its batches.
//!
//! ```text
//! cargo run --release -p benches --example dictionary -- FILE
//! ```
//!
//! The one in use is `ledger/src/pack/1.zdict` and never changes: what was written with it must be
//! read with it. Another is a new file beside it and a new format.

use std::error::Error;

use eligibility::coverage::Restrictions;
use eligibility::day::{Day, Timestamp};
use eligibility::feed::{Kind, Record, Refused, Said, Subject};
use population::Population;

/// Octets: larger ones gain little, and each process holds it twice.
const SIZE: usize = 16 * 1024;
/// Of every so many records one is a sample.
const EVERY: usize = 29;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("which file?")?;
    let mut samples = Vec::new();
    for seed in 1..=4 {
        let nation = Population::new(seed * 1009, 30_000 * seed, Day::from_number(20_778));
        for (at, record) in nation.records(0..nation.people()).enumerate() {
            if at % EVERY == 0 {
                samples.push(record.to_json());
                samples.push(mark(&record).to_json());
            }
            if at % (EVERY * 7) == 0 {
                samples.push(refused(&record).to_json());
            }
        }
    }
    let dictionary = zstd::dict::from_samples(&samples, SIZE)?;
    std::fs::write(&file, &dictionary)?;
    println!("{file}: {} octets from {} samples", dictionary.len(), samples.len());
    Ok(())
}

fn mark(record: &Record) -> Record {
    let complete_to = record.recorded_at.unwrap_or(Timestamp::from_millis(0));
    Record { said: Said::Mark { complete_to, records: Some(record.sequence) }, ..record.clone() }
}

fn refused(record: &Record) -> Refused {
    Refused {
        code: "out_of_order".into(),
        field: Some("sequence".into()),
        line: record.sequence,
        kind: Some(Kind::Member),
        subject: record.said.subject().filter(|subject| matches!(subject, Subject::Person(_))),
        protect: Restrictions::NONE,
    }
}
