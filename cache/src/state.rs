//! Everything that readers see, in shards that the next state shares where they did not change.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use eligibility::coverage::Person;
use eligibility::day::Day;
use eligibility::feed::{Source, Subject};
use eligibility::number::{LinkNumber, NumberKey, Serial};

use crate::index::Index;
use crate::kept::{Kept, word};
use crate::key::{Hash, Hashing, Place, SHARDS};
use crate::people::People;
use crate::record;
use crate::segment::Kind;
use crate::sources::Sources;
use crate::text::Packed;

/// A map with a fast hash, seeded anew in every process.
pub(crate) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Everything that readers see, as of one position. It never changes: the writer makes another.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) hashing: Hashing,
    pub(crate) people: Box<[Arc<People>]>,
    pub(crate) cards: Box<[Arc<Index>]>,
    pub(crate) numbers: Box<[Arc<Index>]>,
    pub(crate) sources: Sources,
    /// Position of the last batch.
    pub(crate) generation: u64,
    /// People of whom something is said.
    pub(crate) persons: u64,
    /// Cards that are linked.
    pub(crate) serials: u64,
}

impl Default for State {
    fn default() -> Self {
        Self::new(Hashing { seed: RandomState::new().hash_one(0) })
    }
}

impl State {
    /// Nothing yet, and what comes is hashed so.
    pub(crate) fn new(hashing: Hashing) -> Self {
        let index = |kind| (0..SHARDS).map(|_| Arc::new(Index::empty(kind))).collect();
        Self {
            hashing,
            people: (0..SHARDS).map(|shard| Arc::new(People::empty(shard))).collect(),
            cards: index(Kind::Cards),
            numbers: index(Kind::Numbers),
            sources: Sources::default(),
            generation: 0,
            persons: 0,
            serials: 0,
        }
    }

    fn shard(&self, place: Place) -> &People {
        &self.people[place.shard()]
    }

    /// What is kept in this place.
    pub(crate) fn kept(&self, place: Place) -> Option<Kept> {
        record::read(place, self.shard(place).at(place)?)
    }

    /// The person with this 紐付番号.
    pub(crate) fn person(&self, link: LinkNumber) -> Option<Person<Packed<'_>>> {
        let place = Place::of(link);
        record::read_person(place, self.shard(place).at(place)?, None)
    }

    /// Whether any card is linked to the person.
    pub(crate) fn has_card(&self, link: LinkNumber) -> bool {
        let place = Place::of(link);
        self.shard(place).at(place).is_some_and(record::has_cards)
    }

    /// Where the card is kept.
    pub(crate) fn card_place(&self, serial: &Serial) -> Option<Place> {
        self.card(serial).map(|(place, _)| place)
    }

    /// The place and the record that hold the card.
    pub(crate) fn card(&self, serial: &Serial) -> Option<(Place, &[u8])> {
        let hash = self.hashing.serial(serial);
        let mut found = None;
        self.cards[hash.shard()].spots(hash, |spot| {
            self.people[spot.shard()].at_spot(spot, |place, record| {
                let holds = record::holds(record, serial);
                if holds {
                    found = Some((place, record));
                }
                holds
            })
        });
        found
    }

    /// Takes those who, as the insurer says, were born on this day and may have this symbol and
    /// number, until they are enough.
    pub(crate) fn each_candidate<'s>(
        &'s self,
        key: &NumberKey,
        birth: Day,
        mut take: impl FnMut(Person<Packed<'s>>) -> bool,
    ) {
        let hash = self.hashing.number(key, birth);
        let wanted = Some((key.insurer(), birth));
        self.numbers[hash.shard()].spots(hash, |spot| {
            self.people[spot.shard()].at_spot(spot, |place, record| {
                record::read_person(place, record, wanted).is_some_and(&mut take)
            })
        });
    }

    /// Position of the source's last accepted word on the subject.
    pub(crate) fn last_word(&self, source: Source, subject: Subject) -> Option<u64> {
        match subject {
            Subject::Person(link) => {
                let place = Place::of(link);
                record::last_word(self.shard(place).at(place)?, source)
            }
            Subject::Card(serial) => word(&record::card_words(self.card(&serial)?.1, &serial)?, source),
        }
    }

    /// Whether anybody but the one in this place lies at the same spot.
    pub(crate) fn is_shared(&self, place: Place) -> bool {
        self.shard(place).at_spot(place.spot(), |other, _| other != place)
    }

    /// Where a card lies that is linked to nobody.
    pub(crate) fn drawer(&self, serial: &Serial) -> Place {
        Place::drawer(self.hashing.serial(serial))
    }

    pub(crate) fn card_hash(&self, serial: &Serial) -> Hash {
        self.hashing.serial(serial)
    }
}
