//! Everything that sources had said of a person up to a position, and what each word changed.

use std::collections::{BTreeMap, HashMap, HashSet};

use eligibility::day::Timestamp;
use eligibility::feed::{Source, Subject};
use eligibility::number::{InsurerNumber, LinkNumber};
use ledger::{Content, LedgerError, Reader, Row};
use serde_json::Value;

/// What a record says of itself, and not of the person.
const OF_THE_RECORD: [&str; 6] = ["source", "epoch", "sequence", "kind", "link_number", "resolves"];

/// One record on the person.
pub(super) struct Link {
    pub(super) position: u64,
    pub(super) committed_at: Timestamp,
    pub(super) source: Source,
    pub(super) epoch: u32,
    pub(super) row: Row,
    pub(super) changes: Vec<Change>,
}

/// A field that a record changed.
pub(super) struct Change {
    /// Its place in the feed's JSON.
    pub(super) field: String,
    pub(super) before: String,
    pub(super) after: String,
}

impl Link {
    pub(super) const fn is_accepted(&self) -> bool {
        matches!(self.row.content, Content::Accepted(_))
    }
}

/// The records on a person, in the order in which they were learnt: those of the insurer asked, and of
/// every source that ever had a word on the person accepted.
pub(super) fn chain(
    ledger: &Reader,
    memory: &cache::View,
    (person, asked): (LinkNumber, InsurerNumber),
    up_to: u64,
) -> Result<Vec<Link>, LedgerError> {
    let mut sources: HashSet<_> = memory.words(person).into_iter().map(|(source, _)| source).collect();
    sources.insert(Source::Insurer(asked));
    let mut chain = Vec::new();
    for source in sources {
        let digits = person.reveal();
        let wants = |row: ledger::Glance<'_>| match row.refused() {
            Some(refused) => refused.subject == Some(Subject::Person(person)),
            None => row.is_veiled() || row.link_number() == Some(digits.as_bytes()),
        };
        ledger.sift(source, up_to, wants, |batch| {
            let (position, committed_at, epoch) = (batch.position, batch.committed_at, batch.epoch);
            let link = |row| Link { position, committed_at, source, epoch, row, changes: Vec::new() };
            chain.extend(batch.rows.into_iter().filter(|row| is_about(row, person)).map(link));
        })?;
    }
    chain.sort_by_key(|link| link.position);
    let mut said = HashMap::<Source, BTreeMap<String, String>>::new();
    for link in &mut chain {
        if let Content::Accepted(record) = &link.row.content {
            let now = fields(&serde_json::from_slice(&record.to_json()).unwrap_or_default());
            let before = said.insert(link.source, now.clone()).unwrap_or_default();
            link.changes = changes(&before, &now);
        }
    }
    Ok(chain)
}

fn is_about(row: &Row, person: LinkNumber) -> bool {
    let subject = match &row.content {
        Content::Accepted(record) => record.said.subject(),
        Content::Refused(refused) => refused.subject,
    };
    subject == Some(Subject::Person(person))
}

/// What a record says of the person, by its place in the JSON.
fn fields(record: &Value) -> BTreeMap<String, String> {
    fn walk(place: String, value: &Value, into: &mut BTreeMap<String, String>) {
        match value {
            Value::Object(all) => {
                for (name, value) in all {
                    walk(
                        if place.is_empty() { name.clone() } else { format!("{place}.{name}") },
                        value,
                        into,
                    );
                }
            }
            Value::Array(all) => {
                for (at, value) in all.iter().enumerate() {
                    walk(format!("{place}[{at}]"), value, into);
                }
            }
            Value::Null => {}
            Value::String(text) => drop(into.insert(place, text.clone())),
            other => drop(into.insert(place, other.to_string())),
        }
    }
    let mut all = BTreeMap::new();
    walk(String::new(), record, &mut all);
    all.retain(|place, _| !OF_THE_RECORD.contains(&&**place) && place != "recorded_at");
    all
}

fn changes(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<Change> {
    let places: std::collections::BTreeSet<_> = before.keys().chain(now.keys()).collect();
    let value =
        |of: &BTreeMap<String, String>, place: &String| of.get(place).cloned().unwrap_or("なし".to_owned());
    let changed = places.into_iter().filter(|place| before.get(*place) != now.get(*place));
    changed
        .map(|place| Change { field: place.clone(), before: value(before, place), after: value(now, place) })
        .collect()
}
