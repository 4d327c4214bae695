//! What is asked of memory, by as many threads as there are.

use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use eligibility::coverage::Person;
use eligibility::decision::Found;
use eligibility::feed::{Source, Subject};
use eligibility::number::{LinkNumber, NumberKey, Serial};
use eligibility::query::NumberQuery;
use foldhash::fast::RandomState;

use crate::source::SourceState;
use crate::state::State;
use crate::writer::Writer;

/// By what a person is looked for.
#[derive(Clone, Copy, Debug)]
pub enum Key<'q> {
    /// The serial of a card that has been verified.
    Card(Serial),
    /// The numbers of an insured card.
    Number(&'q NumberQuery),
}

/// Memory as its readers see it. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    shared: Arc<Shared>,
}

/// What readers and the writer share.
#[derive(Default)]
pub(crate) struct Shared {
    hasher: RandomState,
    state: RwLock<State>,
}

impl Shared {
    // The writer's changes are plain map operations; were one to panic, what it left is still whole
    // maps, and the writer's thread is gone for all to see.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hash under which a key stands in the index.
    pub(crate) fn hash(&self, key: &NumberKey) -> u64 {
        self.hasher.hash_one(key)
    }
}

/// A memory that knows nothing yet: its one writer, and a reader to clone.
#[must_use]
pub fn empty() -> (Writer, Reader) {
    let shared = Arc::new(Shared::default());
    (Writer::new(Arc::clone(&shared)), Reader { shared })
}

impl Reader {
    /// Whom the key hits. A card: `Unlinked`, `Unknown` (linked, and nobody has spoken of the
    /// person) or `One`; numbers: `Nobody`, `One` or `Several`.
    #[must_use]
    pub fn find(&self, key: &Key<'_>) -> Found<Arc<Person>> {
        match key {
            Key::Card(serial) => self.find_card(*serial),
            Key::Number(query) => self.find_number(query),
        }
    }

    fn find_card(&self, serial: Serial) -> Found<Arc<Person>> {
        let state = self.shared.read();
        match state.cards.get(&serial).map(|owner| state.persons.get(owner)) {
            None => Found::Unlinked,
            Some(None) => Found::Unknown,
            Some(Some(person)) => Found::One(Arc::clone(person)),
        }
    }

    fn find_number(&self, query: &NumberQuery) -> Found<Arc<Person>> {
        let hash = self.shared.hash(&query.key);
        let state = self.shared.read();
        let candidates = state.numbers.candidates(hash).iter();
        let mut fitting =
            candidates.filter_map(|person| state.persons.get(person)).filter(|person| fits(query, person));
        match (fitting.next(), fitting.next()) {
            (None, _) => Found::Nobody,
            (Some(person), None) => Found::One(Arc::clone(person)),
            (Some(_), Some(_)) => Found::Several,
        }
    }

    /// Position of the last batch that is visible; 0 before the first.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.shared.read().generation
    }

    /// Where a source stands; `None` while it has never said anything.
    #[must_use]
    pub fn source(&self, source: Source) -> Option<SourceState> {
        self.shared.read().sources.get(&source).cloned()
    }

    /// Where every source stands that has said anything, the gateway itself included, in order.
    #[must_use]
    pub fn sources(&self) -> Vec<(Source, SourceState)> {
        let state = self.shared.read();
        let mut all: Vec<_> = state.sources.iter().map(|(source, state)| (*source, state.clone())).collect();
        drop(state);
        all.sort_unstable_by_key(|(source, _)| *source);
        all
    }

    /// The person whose card has this serial.
    #[must_use]
    pub fn owner(&self, serial: Serial) -> Option<LinkNumber> {
        self.shared.read().cards.get(&serial).copied()
    }

    /// Whether any card is linked to the person.
    #[must_use]
    pub fn has_card(&self, person: LinkNumber) -> bool {
        self.shared.read().card_counts.contains_key(&person)
    }

    /// Position of the batch with the source's last accepted word on the subject.
    #[must_use]
    pub fn last_word(&self, source: Source, subject: Subject) -> Option<u64> {
        self.shared.read().last_word(source, subject)
    }

    /// The person with this 紐付番号.
    #[must_use]
    pub fn person(&self, link: LinkNumber) -> Option<Arc<Person>> {
        self.shared.read().persons.get(&link).cloned()
    }

    /// How many people anything is known of.
    #[must_use]
    pub fn persons(&self) -> usize {
        self.shared.read().persons.len()
    }

    /// How many cards are linked.
    #[must_use]
    pub fn serials(&self) -> usize {
        self.shared.read().cards.len()
    }

    #[cfg(test)]
    pub(crate) fn keys(&self) -> usize {
        self.shared.read().numbers.len()
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader(generation {})", self.generation())
    }
}

fn fits(query: &NumberQuery, person: &Person) -> bool {
    let insurer = query.key.insurer();
    let member = person.membership(insurer).and_then(|membership| membership.member.as_ref());
    member.is_some_and(|member| query.asked(insurer, member).next().is_some())
}
