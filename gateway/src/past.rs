//! What was known at an instant, of those who are asked about: a memory of their own, made of the ledger.
//!
//! ```text
//! instant ─► position ─► the asked insurers' batches up to there ─► whom the numbers ever fitted
//!                                                                       │
//!                   what other sources had said of these up to there ◄──┘ ─► memory ─► find
//! ```
//!
//! The slow branch of a question: it reads every batch that an asked insurer had delivered. What restricts
//! a person today is laid over what was known: protection is never undone by looking back.

mod sieve;

use std::collections::{BTreeSet, HashMap, HashSet};

use cache::View;
use eligibility::coverage::{Person, Restrictions};
use eligibility::day::{Day, Timestamp};
use eligibility::decision::{Reach, protections};
use eligibility::feed::{Kind, Record, Said, Source};
use eligibility::number::{InsurerNumber, LinkNumber, Serial};
use ledger::{Batch, Content, LedgerError};

use crate::desk::Staleness;
use crate::follow;
use crate::history::kept_since;
use crate::intake::Held;
use sieve::Sieve;
pub use sieve::Wanted;

/// Batches with acts of the gateway's own that are read at once.
const ACTS: usize = 256;

/// Why it cannot be looked back.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What was said before then, and replaced, is kept no more.
    #[error("history is kept since {since}: name a later instant")]
    NotKept {
        /// Since when it is.
        since: Timestamp,
    },
}

/// What counts today, whenever is looked back to.
pub struct Today<'t> {
    /// Memory.
    pub memory: &'t View,
    /// Deliveries that are held back.
    pub held: &'t Held,
    /// Today in Japan.
    pub day: Day,
}

/// What was known at an instant.
pub struct Past {
    memory: cache::Reader,
    position: u64,
    at: Timestamp,
    /// Sources of which a delivery was held back.
    held: HashSet<Source>,
    /// Whom the numbers had ever fitted.
    met: Vec<LinkNumber>,
    protected: HashMap<LinkNumber, Vec<(InsurerNumber, Restrictions)>>,
}

impl Past {
    /// What was known at an instant of those who are wanted.
    ///
    /// # Errors
    /// [`PastError`] when the ledger cannot be read, or does not reach back so far.
    pub fn of(
        ledger: &ledger::Reader,
        today: &Today<'_>,
        at: Timestamp,
        wanted: &Wanted,
    ) -> Result<Self, PastError> {
        if let Some(since) = kept_since(ledger)?.filter(|since| at < *since) {
            return Err(PastError::NotKept { since });
        }
        let position = ledger.position_at(at)?;
        let sift = |source, sieve: &mut Sieve<'_>| {
            let mut batches = Vec::new();
            ledger.sift(source, position, |row| sieve.wants(row), |batch| batches.push(batch))?;
            Ok::<_, LedgerError>(batches)
        };
        // Whom the numbers ever fitted, and in which round that was found out.
        let (mut rounds, mut found, mut said) = (HashMap::new(), HashMap::new(), HashMap::new());
        for (round, (insurer, persons)) in wanted.by_insurer().enumerate() {
            let source = Source::Insurer(insurer);
            let mut sieve = Sieve::of(persons, insurer, found.keys().copied().collect());
            said.insert(source, sift(source, &mut sieve)?);
            for person in sieve.into_found() {
                found.entry(person).or_insert(round);
            }
            rounds.insert(source, round);
        }
        let mut missing = BTreeSet::new();
        for (person, round) in &found {
            let words = today.memory.words(*person).into_iter().map(|(source, _)| source);
            missing.extend(words.filter(|source| rounds.get(source).is_none_or(|own| own < round)));
        }
        // A source that was read before somebody was found is read anew, as its words go by their order.
        for source in missing {
            said.insert(source, sift(source, &mut Sieve::all_of(found.keys().copied().collect()))?);
        }
        let sources = said.keys().copied().collect();
        let mut batches: Vec<_> = said.into_values().flatten().collect();
        each_act(ledger, Kind::Dismissal, 0, |batch| {
            batches.extend((batch.position <= position).then_some(batch));
        })?;
        let memory = remember(batches);
        let held = held_back(ledger, today.held, (position, at), sources)?;
        let mut met: Vec<_> = found.into_keys().collect();
        met.sort_unstable();
        let restricted = met.iter().filter_map(|link| {
            let person = today.memory.person(*link)?;
            let all = protections(&person, today.day).filter(|(_, all)| *all != Restrictions::NONE);
            let restrictions: Vec<_> = all.collect();
            (!restrictions.is_empty()).then_some((*link, restrictions))
        });
        let protected = restricted.collect();
        Ok(Self { memory, position, at, held, met, protected })
    }

    /// The instant.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Position of the last batch that counts.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Whom the numbers had fitted at any time up to then, in order.
    #[must_use]
    pub fn met(&self) -> &[LinkNumber] {
        &self.met
    }

    /// Where the persons are found.
    #[must_use]
    pub fn view(&self) -> View {
        self.memory.view()
    }

    /// The person with what restricts it today.
    #[must_use]
    pub fn protected<T>(&self, mut person: Person<T>) -> Person<T> {
        for (insurer, restrictions) in self.protected.get(&person.link_number).into_iter().flatten() {
            let membership = person.membership_mut(*insurer);
            membership.pending = membership.pending.and(*restrictions);
        }
        person
    }

    /// How far a source's word reached then, as this view of it has it.
    #[must_use]
    pub fn reach(&self, staleness: &Staleness, view: &View, source: Source) -> Reach {
        staleness.reach(view.source(source), source, self.held.contains(&source), self.at)
    }
}

/// The memory that these batches make, in the ledger's order. Its positions are its own: nobody asks for
/// them.
fn remember(mut batches: Vec<Batch>) -> cache::Reader {
    batches.sort_unstable_by_key(|batch| batch.position);
    let (mut writer, memory) = cache::empty();
    for (batch, position) in batches.iter().zip(1..) {
        // Whoever's subsidy was accepted had a card, whichever it was.
        let cards: Vec<_> = batch.rows.iter().filter_map(|row| card_of(&row.content)).collect();
        let mut told = follow::as_applied(batch);
        told.position = position;
        told.rows.splice(..0, cards.iter().map(cache::Row::Accepted));
        writer.apply(told);
    }
    memory
}

/// A card for the person of a subsidy.
fn card_of(content: &Content) -> Option<Record> {
    let Content::Accepted(Record {
        source, epoch, sequence, said: Said::Subsidy { link_number, .. }, ..
    }) = content
    else {
        return None;
    };
    let serial = Serial::from_be_bytes(&link_number.value().to_be_bytes())?;
    let said = Said::Link { serial, link_number: Some(*link_number) };
    let (recorded_at, resolves) = (None, Vec::new());
    Some(Record { source: *source, epoch: *epoch, sequence: *sequence, recorded_at, resolves, said })
}

/// Those of the sources of which a delivery was held back: some still are, others were decided on later.
fn held_back(
    ledger: &ledger::Reader,
    held: &Held,
    (position, at): (u64, Timestamp),
    sources: HashSet<Source>,
) -> Result<HashSet<Source>, LedgerError> {
    let mut then: HashSet<_> = sources
        .iter()
        .copied()
        .filter(|source| held.of(*source).iter().any(|held| held.received_at <= at))
        .collect();
    each_act(ledger, Kind::Release, position, |batch| {
        for row in &batch.rows {
            if let Content::Accepted(Record { said: Said::Release { of, received_at, .. }, .. }) =
                &row.content
                && received_at.is_some_and(|received| received <= at)
            {
                then.insert(*of);
            }
        }
    })?;
    Ok(then)
}

fn each_act(
    ledger: &ledger::Reader,
    kind: Kind,
    mut after: u64,
    mut take: impl FnMut(Batch),
) -> Result<(), LedgerError> {
    loop {
        let batches = ledger.acts(kind, after, ACTS)?;
        let Some(last) = batches.last() else { return Ok(()) };
        after = last.position;
        batches.into_iter().for_each(&mut take);
    }
}
