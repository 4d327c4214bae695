//! The maps, and the index over symbols and numbers.

use std::collections::HashMap;
use std::sync::Arc;

use eligibility::coverage::Person;
use eligibility::feed::{Source, Subject};
use eligibility::number::{LinkNumber, Serial};
use foldhash::fast::RandomState;

use crate::source::SourceState;

/// A map with a fast hash, seeded anew in every process.
pub(crate) type Map<K, V> = HashMap<K, V, RandomState>;

/// Everything that readers see.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) generation: u64,
    pub(crate) persons: Map<LinkNumber, Arc<Person>>,
    pub(crate) cards: Map<Serial, LinkNumber>,
    /// How many cards are linked to a person; none is not kept.
    pub(crate) card_counts: Map<LinkNumber, u32>,
    pub(crate) numbers: Numbers,
    /// Positions of the last accepted words. Two maps, as a serial is wider than a 紐付番号.
    person_words: Map<(Source, LinkNumber), u64>,
    card_words: Map<(Source, Serial), u64>,
    pub(crate) sources: Map<Source, SourceState>,
}

impl State {
    /// Position of the source's last accepted word on the subject.
    pub(crate) fn last_word(&self, source: Source, subject: Subject) -> Option<u64> {
        match subject {
            Subject::Person(number) => self.person_words.get(&(source, number)).copied(),
            Subject::Card(serial) => self.card_words.get(&(source, serial)).copied(),
        }
    }

    pub(crate) fn set_last_word(&mut self, source: Source, subject: Subject, position: u64) {
        match subject {
            Subject::Person(number) => self.person_words.insert((source, number), position),
            Subject::Card(serial) => self.card_words.insert((source, serial), position),
        };
    }

    /// Links a card to a person, or to nobody.
    pub(crate) fn set_owner(&mut self, serial: Serial, owner: Option<LinkNumber>) {
        let before = match owner {
            Some(owner) => self.cards.insert(serial, owner),
            None => self.cards.remove(&serial),
        };
        if before == owner {
            return;
        }
        if let Some(owner) = owner {
            *self.card_counts.entry(owner).or_default() += 1;
        }
        if let Some(before) = before
            && let Some(count) = self.card_counts.get_mut(&before)
        {
            *count -= 1;
            if *count == 0 {
                self.card_counts.remove(&before);
            }
        }
    }
}

/// Who may be meant by an insurer, a symbol and a number, by a hash of the three. It never decides:
/// whoever it names is compared.
#[derive(Default)]
pub(crate) struct Numbers(Map<u64, Bucket>);

/// The people under one hash: mostly one, or a family.
enum Bucket {
    One(LinkNumber),
    Many(Box<[LinkNumber]>),
}

impl Bucket {
    fn people(&self) -> &[LinkNumber] {
        match self {
            Self::One(person) => std::slice::from_ref(person),
            Self::Many(people) => people,
        }
    }
}

impl Numbers {
    /// Those who may be meant.
    pub(crate) fn candidates(&self, hash: u64) -> &[LinkNumber] {
        self.0.get(&hash).map_or(&[], Bucket::people)
    }

    /// Adds a person who is not there yet.
    pub(crate) fn insert(&mut self, hash: u64, person: LinkNumber) {
        let people = [self.candidates(hash), &[person]].concat();
        self.set(hash, &people);
    }

    /// Removes a person.
    pub(crate) fn remove(&mut self, hash: u64, person: LinkNumber) {
        let others = self.candidates(hash).iter().copied().filter(|other| *other != person);
        let others: Vec<_> = others.collect();
        self.set(hash, &others);
    }

    fn set(&mut self, hash: u64, people: &[LinkNumber]) {
        match people {
            [] => drop(self.0.remove(&hash)),
            [one] => drop(self.0.insert(hash, Bucket::One(*one))),
            many => drop(self.0.insert(hash, Bucket::Many(Box::from(many)))),
        }
    }

    /// How many keys it holds.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
