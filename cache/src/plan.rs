//! The meaning of each kind of record for people and cards.
//!
//! A plan is made beside the readers, on what they see plus what earlier rows of the same batch have
//! changed; it is carried out in one go.

use std::collections::BTreeSet;
use std::sync::Arc;

use eligibility::coverage::{Member, Person, Restrictions, Subsidy};
use eligibility::feed::{Record, Refused, Said, Source, Subject};
use eligibility::number::{CityCode, InsurerNumber, LinkNumber, Serial};

use crate::reader::Shared;
use crate::state::{Map, State};

/// What one batch changes.
pub(crate) struct Plan<'s> {
    shared: &'s Shared,
    state: &'s State,
    persons: Map<LinkNumber, Person>,
    cards: Map<Serial, Option<LinkNumber>>,
    words: Vec<Subject>,
}

/// What one batch changes, ready to be carried out.
pub(crate) struct Changes {
    persons: Vec<(LinkNumber, Option<Arc<Person>>)>,
    /// Hash, person, and whether the one comes under the other or goes.
    numbers: Vec<(u64, LinkNumber, bool)>,
    cards: Map<Serial, Option<LinkNumber>>,
    words: Vec<Subject>,
}

impl<'s> Plan<'s> {
    pub(crate) fn new(shared: &'s Shared, state: &'s State) -> Self {
        Self { shared, state, persons: Map::default(), cards: Map::default(), words: Vec::new() }
    }

    /// Plans an accepted record. Tells whether its insurer had a living word on the person before,
    /// and has one now.
    pub(crate) fn accept(&mut self, source: Source, record: &Record) -> (bool, bool) {
        self.words.extend(record.said.subject());
        match (source, &record.said) {
            (Source::Insurer(insurer), Said::Member { link_number, member }) => {
                return self.member(insurer, *link_number, member.as_deref());
            }
            (Source::City(city), Said::Subsidy { link_number, subsidies }) => {
                self.subsidies(city, *link_number, subsidies.as_ref());
            }
            (_, Said::Link { serial, link_number }) => {
                self.cards.insert(*serial, *link_number);
            }
            (_, Said::Renewal { serial, previous_serial }) => {
                if let Some(owner) = self.owner(*previous_serial) {
                    self.cards.insert(*serial, Some(owner));
                }
            }
            // Where sources stand is their books' business, and nobody speaks for another.
            (
                _,
                Said::Mark { .. }
                | Said::Dismissal { .. }
                | Said::List(_)
                | Said::Member { .. }
                | Said::Subsidy { .. },
            ) => {}
        }
        (false, false)
    }

    /// Plans what a refused record asks for at once.
    pub(crate) fn protect(&mut self, source: Source, refused: &Refused) {
        if let (Source::Insurer(insurer), Some(Subject::Person(link))) = (source, refused.subject)
            && refused.protect != Restrictions::NONE
        {
            let membership = self.person(link).membership_mut(insurer);
            membership.pending = membership.pending.and(refused.protect);
        }
    }

    fn member(&mut self, insurer: InsurerNumber, link: LinkNumber, member: Option<&Member>) -> (bool, bool) {
        let membership = self.person(link).membership_mut(insurer);
        membership.pending = Restrictions::NONE;
        let before = std::mem::replace(&mut membership.member, member.cloned());
        (before.is_some(), member.is_some())
    }

    fn subsidies(&mut self, city: CityCode, link: LinkNumber, subsidies: Option<&Vec<Subsidy>>) {
        let kept = subsidies.filter(|_| self.has_card(link));
        if subsidies.is_some() && kept.is_none() {
            return;
        }
        let all = &mut self.person(link).subsidies;
        let at = all.binary_search_by_key(&city, |(city, _)| *city);
        match (at, kept) {
            (Ok(at), Some(kept)) => {
                if let Some((_, slot)) = all.get_mut(at) {
                    slot.clone_from(kept);
                }
            }
            (Err(at), Some(kept)) => all.insert(at, (city, kept.clone())),
            (Ok(at), None) => drop(all.remove(at)),
            (Err(_), None) => {}
        }
    }

    fn owner(&self, serial: Serial) -> Option<LinkNumber> {
        self.cards.get(&serial).copied().unwrap_or_else(|| self.state.cards.get(&serial).copied())
    }

    fn has_card(&self, person: LinkNumber) -> bool {
        self.state.card_counts.contains_key(&person)
            || self.cards.values().any(|owner| *owner == Some(person))
    }

    /// A copy of the person to change.
    fn person(&mut self, link: LinkNumber) -> &mut Person {
        let state = self.state;
        self.persons.entry(link).or_insert_with(|| {
            state.persons.get(&link).map_or_else(|| Person::new(link), |person| Person::clone(person))
        })
    }

    /// Ends planning.
    pub(crate) fn changes(self) -> Changes {
        let Self { shared, state, persons, cards, words } = self;
        let mut numbers = Vec::new();
        let persons = persons.into_iter().map(|(link, mut person)| {
            person.memberships.retain(|one| one.member.is_some() || one.pending != Restrictions::NONE);
            let before = state.persons.get(&link).map(|person| hashes(shared, person)).unwrap_or_default();
            let after = hashes(shared, &person);
            numbers.extend(before.difference(&after).map(|hash| (*hash, link, false)));
            numbers.extend(after.difference(&before).map(|hash| (*hash, link, true)));
            let empty = person.memberships.is_empty() && person.subsidies.is_empty();
            (link, (!empty).then(|| Arc::new(person)))
        });
        Changes { persons: persons.collect(), numbers, cards, words }
    }
}

/// The hashes under which a person is found by number.
fn hashes(shared: &Shared, person: &Person) -> BTreeSet<u64> {
    let memberships = person.memberships.iter();
    let keys = memberships.flat_map(|one| one.coverages().iter().map(|coverage| coverage.key(one.insurer)));
    keys.map(|key| shared.hash(&key)).collect()
}

impl Changes {
    /// Carries the plan out. Gives back what nobody looks for any more, to be dropped without the
    /// readers waiting for it.
    pub(crate) fn execute(self, state: &mut State, source: Source, position: u64) -> Vec<Arc<Person>> {
        let mut gone = Vec::with_capacity(self.persons.len());
        for (link, person) in self.persons {
            gone.extend(match person {
                Some(person) => state.persons.insert(link, person),
                None => state.persons.remove(&link),
            });
        }
        for (hash, person, comes) in self.numbers {
            if comes {
                state.numbers.insert(hash, person);
            } else {
                state.numbers.remove(hash, person);
            }
        }
        for (serial, owner) in self.cards {
            state.set_owner(serial, owner);
        }
        for subject in self.words {
            state.set_last_word(source, subject, position);
        }
        gone
    }
}
