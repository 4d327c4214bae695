//! Whether a whole delivery looks as a delivery of its source can look, before any of it counts.
//!
//! | gate | holds a delivery back when |
//! |---|---|
//! | `losses` | too large a share of the source's living persons would lose its coverage |
//! | `emptied` | a field that the touched persons had is empty for too large a share of them |
//! | `count` | a mark in it counts other records than were read since the mark before |
//!
//! Asked only from a number of member records on, of insurers that have living persons: what is small,
//! or the first, has nothing to be measured by. What was so far is memory's.

use std::io::BufRead;

use cache::Reader;
use eligibility::coverage::{Coverage, Member};
use eligibility::feed::{Said, Source};
use ledger::Offer;
use serde::{Deserialize, Serialize};

use super::DeliverError;
use super::lines::{Chunk, in_order};
use crate::config::Gate;

/// Fewest persons for whom a field must have become empty: one or two of three are no share.
const FEW: u64 = 3;

/// Whether an insurer says something of a person.
type Says = fn(&Member) -> bool;

/// What is looked at of a person: name, and whether the insurer says anything there.
const FIELDS: [(&str, Says); 13] = [
    ("name_kana", |member| member.name_kana.is_some()),
    ("postal_code", |member| member.postal_code.is_some()),
    ("address", |member| member.address.is_some()),
    ("restrictions", |member| member.restrictions.iter().next().is_some()),
    ("coverages.symbol", |member| any(member, |one| !one.symbol.is_empty())),
    ("coverages.branch", |member| any(member, |one| one.branch.is_some())),
    ("coverages.relationship", |member| any(member, |one| one.relationship.is_some())),
    ("coverages.card_kind", |member| any(member, |one| one.card_kind.is_some())),
    ("coverages.valid_through", |member| any(member, |one| one.validity.through.is_some())),
    ("coverages.copay_percent", |member| any(member, |one| one.copay_percent.is_some())),
    ("coverages.elderly", |member| any(member, |one| !one.elderly.is_empty())),
    ("coverages.limit_certificates", |member| any(member, |one| !one.limit_certificates.is_empty())),
    ("coverages.specific_diseases", |member| any(member, |one| !one.specific_diseases.is_empty())),
];

fn any(member: &Member, says: impl Fn(&Coverage) -> bool) -> bool {
    member.coverages.iter().any(says)
}

/// Why a delivery is held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The gate: `losses`, `emptied`, `count`; `behind` when an earlier delivery is held back.
    pub gate: String,
    /// The field that became empty.
    pub field: Option<String>,
    /// What was found: a share in percent, or a number of records or deliveries.
    pub found: u64,
    /// What would have been right, or not too much.
    pub allowed: u64,
}

/// A delivery that was looked through.
pub(super) struct Weighed {
    pub(super) reasons: Vec<Reason>,
    /// Records in it.
    pub(super) records: u64,
    /// What must count at once though the delivery does not: see [`Offer::held`].
    pub(super) protect: Vec<Offer>,
}

/// Looks a delivery through. `since_mark` is how many records were read of the source since its last
/// mark.
///
/// # Errors
/// When it cannot be read.
pub(super) fn weigh(
    gate: &Gate,
    memory: &Reader,
    (source, since_mark): (Source, u64),
    lines: impl BufRead,
) -> Result<Weighed, DeliverError> {
    let state = memory.source(source);
    let committed = state.as_ref().map_or(0, |state| state.committed_sequence);
    let living = state.map_or(0, |state| state.members);
    let mut sum = Tally { since_mark, ..Tally::default() };
    let look = |chunk: &Chunk| Tally::of(chunk, memory, (source, committed));
    in_order(lines, look, |tally| {
        sum.add(tally);
        Ok(())
    })?;
    let reasons =
        if living > 0 && sum.members >= gate.members { sum.reasons(gate, living) } else { Vec::new() };
    Ok(Weighed { reasons, records: sum.records, protect: sum.protect })
}

#[derive(Default)]
struct Tally {
    records: u64,
    /// Member records that were not read before.
    members: u64,
    /// Persons who had a coverage without end, and have none any more.
    lost: u64,
    /// For each field, persons who had it, and of these those for whom it is empty now.
    fields: [(u64, u64); FIELDS.len()],
    protect: Vec<Offer>,
    /// Records and the count of each mark, in order.
    counts: Vec<(u64, Option<u64>)>,
    /// Records after the last of them.
    since_mark: u64,
    /// The first mark that counts otherwise: what was read, and what it says.
    miscounted: Option<(u64, u64)>,
}

impl Tally {
    fn of(chunk: &Chunk, memory: &Reader, (source, committed): (Source, u64)) -> Self {
        let mut tally = Self::default();
        for offer in chunk.offers(source) {
            tally.records += 1;
            tally.protect.extend(offer.held());
            // What was read before is skipped when it comes again.
            if offer.sequence().is_some_and(|sequence| sequence <= committed) {
                continue;
            }
            match offer.record().map(|record| &record.said) {
                Some(Said::Mark { records, .. }) => {
                    tally.counts.push((std::mem::take(&mut tally.since_mark), *records));
                    continue;
                }
                Some(Said::Member { link_number, member }) => {
                    tally.members += 1;
                    let Source::Insurer(insurer) = source else { continue };
                    let person = memory.person(*link_number);
                    let former = person.as_ref().and_then(|person| person.membership(insurer));
                    if let Some(former) = former.and_then(|one| one.member.as_ref()) {
                        tally.compare(former, member.as_deref());
                    }
                }
                _ => {}
            }
            tally.since_mark += 1;
        }
        tally
    }

    fn compare(&mut self, former: &Member, now: Option<&Member>) {
        let is_open = |member: &Member| any(member, |one| one.disqualified_on.is_none());
        self.lost += u64::from(is_open(former) && !now.is_some_and(is_open));
        let Some(now) = now else { return };
        for ((_, says), (had, emptied)) in FIELDS.iter().zip(&mut self.fields) {
            let had_it = says(former);
            *had += u64::from(had_it);
            *emptied += u64::from(had_it && !says(now));
        }
    }

    /// Adds what was found in the lines that follow.
    fn add(&mut self, next: Self) {
        self.records += next.records;
        self.members += next.members;
        self.lost += next.lost;
        for ((had, emptied), (more_had, more_emptied)) in self.fields.iter_mut().zip(next.fields) {
            *had += more_had;
            *emptied += more_emptied;
        }
        self.protect.extend(next.protect);
        for (records, said) in next.counts {
            let read = std::mem::take(&mut self.since_mark) + records;
            let miscounted = said.filter(|said| *said != read).map(|said| (read, said));
            self.miscounted = self.miscounted.or(miscounted);
        }
        self.since_mark += next.since_mark;
    }

    fn reasons(&self, gate: &Gate, living: u64) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let mut hold = |gate: &str, field: Option<&str>, found, allowed| {
            reasons.push(Reason { gate: gate.into(), field: field.map(Into::into), found, allowed });
        };
        let too_many = |part: u64, whole: u64, percent: u8| part * 100 > whole * u64::from(percent);
        let percent = |part: u64, whole: u64| part * 100 / whole.max(1);
        if too_many(self.lost, living, gate.losses_percent) {
            hold("losses", None, percent(self.lost, living), gate.losses_percent.into());
        }
        for ((field, _), (had, emptied)) in FIELDS.iter().zip(self.fields) {
            if emptied >= FEW && too_many(emptied, had, gate.emptied_percent) {
                hold("emptied", Some(field), percent(emptied, had), gate.emptied_percent.into());
            }
        }
        if let Some((read, said)) = self.miscounted {
            hold("count", None, read, said);
        }
        reasons
    }
}
