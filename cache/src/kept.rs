//! What is kept of one person: everything said of the person, the cards, and whose last word was when.
//!
//! Its form in memory and in files is `record`'s.

use std::fmt;

use eligibility::coverage::{Member, Membership, Restrictions, Subsidy};
use eligibility::day::Day;
use eligibility::feed::Source;
use eligibility::number::{CityCode, InsurerNumber, NumberKey, Serial};

use crate::key::{Hash, Hashing, Place};

/// Positions of the last accepted words, one a source, in order of sources.
pub(crate) type Words = Vec<(Source, u64)>;

/// What is kept in one place: of one person, or cards that are linked to nobody.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) place: Place,
    pub(crate) memberships: Vec<Membership>,
    pub(crate) subsidies: Vec<(CityCode, Vec<Subsidy>)>,
    pub(crate) words: Words,
    pub(crate) cards: Vec<Held>,
}

/// A card and the last words on it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) serial: Serial,
    pub(crate) words: Words,
}

impl Kept {
    pub(crate) const fn new(place: Place) -> Self {
        Self { place, memberships: Vec::new(), subsidies: Vec::new(), words: Vec::new(), cards: Vec::new() }
    }

    /// Whether any source says anything of the person.
    pub(crate) const fn is_spoken_of(&self) -> bool {
        !self.memberships.is_empty() || !self.subsidies.is_empty()
    }

    /// Whether there is nothing left to keep.
    pub(crate) const fn is_empty(&self) -> bool {
        !self.is_spoken_of() && self.words.is_empty() && self.cards.is_empty()
    }

    /// The insurer's entry, made if it is not there.
    pub(crate) fn membership_mut(&mut self, insurer: InsurerNumber) -> &mut Membership {
        let at = match self.memberships.binary_search_by_key(&insurer, |one| one.insurer) {
            Ok(at) => at,
            Err(at) => {
                let blank = Membership { insurer, member: None, pending: Restrictions::NONE };
                self.memberships.insert(at, blank);
                at
            }
        };
        &mut self.memberships[at]
    }

    /// Drops entries that say nothing.
    pub(crate) fn tidy(&mut self) {
        self.memberships.retain(|one| one.member.is_some() || one.pending != Restrictions::NONE);
    }

    /// The hashes under which the person is found by number, in order, each once.
    pub(crate) fn numbers(&self, hashing: Hashing) -> Vec<Hash> {
        let members = self.memberships.iter().filter_map(|one| Some((one.insurer, one.member.as_ref()?)));
        let mut all: Vec<_> = members
            .flat_map(|(insurer, member)| {
                spelled(member).map(move |(symbol, number, birth)| {
                    hashing.number(&NumberKey::new(insurer, symbol, number), birth)
                })
            })
            .collect();
        all.sort_unstable_by_key(|hash| hash.0);
        all.dedup();
        all
    }
}

/// What a member is found by, as its insurer writes it.
pub(crate) fn spelled(member: &Member) -> impl Iterator<Item = (&str, &str, Day)> {
    member.coverages.iter().map(|one| (&*one.symbol, &*one.number, member.birth_date))
}

/// Sets the position of a source's last word.
pub(crate) fn set_word(words: &mut Words, source: Source, position: u64) {
    match words.binary_search_by_key(&source, |(source, _)| *source) {
        Ok(at) => words[at].1 = position,
        Err(at) => words.insert(at, (source, position)),
    }
}

/// The position of a source's last word.
pub(crate) fn word(words: &Words, source: Source) -> Option<u64> {
    let at = words.binary_search_by_key(&source, |(source, _)| *source).ok()?;
    words.get(at).map(|(_, position)| *position)
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({} memberships, {} cards, …)", self.memberships.len(), self.cards.len())
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held(…)")
    }
}
