//! The demonstration's feeds: the nation as files, taken into the ledger, and kept fresh.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use eligibility::day::Timestamp;
use eligibility::feed::{Record, Source};
use population::{Population, feed};

use super::folder::Folder;
use crate::commands::CommandError;
use crate::config::Config;
use crate::follow;
use crate::intake::deliver;

/// Writes and loads the feeds on the first run; on later ones adds what the passing of days asks for.
pub(super) fn make(
    folder: &Folder,
    config: &Config,
    population: &Population,
    now: Timestamp,
) -> Result<(), CommandError> {
    if let Some(parent) = config.ledger.path().and_then(Path::parent) {
        std::fs::create_dir_all(parent).map_err(CommandError::environment)?;
    }
    let followed = follow::from_config(config)?;
    let reached = |source| followed.memory.source(source).map_or(0, |state| state.committed_sequence);
    let furthest = population.sources().map(reached).max().unwrap_or_default();
    let is_new = furthest == 0;
    let after = furthest.max(population.last_sequence());
    let mut lines: BTreeMap<Source, Vec<u8>> =
        population.sources().map(|source| (source, Vec::new())).collect();
    let records: Box<dyn Iterator<Item = Record>> = if is_new {
        Box::new(population.records(0..population.people()))
    } else {
        Box::new(population.named_records(after))
    };
    for record in records {
        push(&mut lines, &record);
    }
    let last = if is_new { after } else { after + population.people() };
    for source in population.sources() {
        push(&mut lines, &feed::mark(source, last + 1, now));
    }
    for (source, lines) in lines {
        let report = deliver(&followed.ledger, source, Cursor::new(&lines))
            .map_err(|error| CommandError::Environment(format!("{}: {error}", config.ledger.url)))?;
        if let Some(first) = report.quarantined.first() {
            let why = format!("feed of {source}, line {}: {}", first.line, first.code);
            return Err(CommandError::No(why));
        }
        folder.append(&format!("feed/{source}.ndjson"), &lines)?;
    }
    followed.close();
    Ok(())
}

fn push(lines: &mut BTreeMap<Source, Vec<u8>>, record: &Record) {
    let feed = lines.entry(record.source).or_default();
    feed.extend(record.to_json());
    feed.push(b'\n');
}
