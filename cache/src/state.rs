//! Everything that readers see, in shards of which each is replaced as a whole.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use eligibility::coverage::Person;
use eligibility::day::Day;
use eligibility::feed::{Source, Subject};
use eligibility::number::{LinkNumber, NumberKey, Serial};

use crate::index::Index;
use crate::kept::{Kept, word};
use crate::key::{Hash, Hashing, Place, SHARDS};
use crate::people::People;
use crate::published::Published;
use crate::record;
use crate::segment::Kind;
use crate::source::SourceState;

/// A map with a fast hash, seeded anew in every process.
pub(crate) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Where sources stand, each replaced alone.
pub(crate) type Sources = Map<Source, Arc<Published<SourceState>>>;

/// Everything that readers see.
pub(crate) struct State {
    pub(crate) hashing: Hashing,
    pub(crate) people: Box<[Published<People>]>,
    pub(crate) cards: Box<[Published<Index>]>,
    pub(crate) numbers: Box<[Published<Index>]>,
    pub(crate) sources: Published<Sources>,
    pub(crate) generation: AtomicU64,
    /// People of whom something is said.
    pub(crate) persons: AtomicU64,
    /// Cards that are linked.
    pub(crate) serials: AtomicU64,
}

impl Default for State {
    fn default() -> Self {
        Self::new(Hashing { seed: RandomState::new().hash_one(0) })
    }
}

impl State {
    /// Nothing yet, and what comes is hashed so.
    pub(crate) fn new(hashing: Hashing) -> Self {
        let index = |kind| (0..SHARDS).map(|_| Published::new(Index::empty(kind))).collect();
        Self {
            hashing,
            people: (0..SHARDS).map(|shard| Published::new(People::empty(shard))).collect(),
            cards: index(Kind::Cards),
            numbers: index(Kind::Numbers),
            sources: Published::new(Map::default()),
            generation: AtomicU64::new(0),
            persons: AtomicU64::new(0),
            serials: AtomicU64::new(0),
        }
    }
}

impl State {
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn shard(&self, place: Place) -> Arc<People> {
        self.people[place.shard()].load()
    }

    /// What is kept in this place.
    pub(crate) fn kept(&self, place: Place) -> Option<Kept> {
        record::read(place, self.shard(place).at(place)?)
    }

    /// The person with this 紐付番号.
    pub(crate) fn person(&self, link: LinkNumber) -> Option<Person> {
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
        self.with_card(serial, |place, _| place)
    }

    /// The place and the record that hold the card.
    pub(crate) fn with_card<T>(&self, serial: &Serial, look: impl Fn(Place, &[u8]) -> T) -> Option<T> {
        let hash = self.hashing.serial(serial);
        let mut found = None;
        self.cards[hash.shard()].load().spots(hash, |spot| {
            self.people[spot.shard()].load().at_spot(spot, |place, record| {
                let holds = record::holds(record, serial);
                if holds {
                    found = Some(look(place, record));
                }
                holds
            })
        });
        found
    }

    /// Takes those who, as the insurer says, were born on this day and may have this symbol and number.
    pub(crate) fn each_candidate(&self, key: &NumberKey, birth: Day, mut take: impl FnMut(Person)) {
        let hash = self.hashing.number(key, birth);
        let wanted = Some((key.insurer(), birth));
        self.numbers[hash.shard()].load().spots(hash, |spot| {
            self.people[spot.shard()].load().at_spot(spot, |place, record| {
                if let Some(person) = record::read_person(place, record, wanted) {
                    take(person);
                }
                false
            })
        });
    }

    /// Position of the source's last accepted word on the subject.
    pub(crate) fn last_word(&self, source: Source, subject: Subject) -> Option<u64> {
        match subject {
            Subject::Person(link) => word(&self.kept(Place::of(link))?.words, source),
            Subject::Card(serial) => {
                let kept = self.kept(self.card_place(&serial)?)?;
                let card = kept.cards.iter().find(|card| card.serial == serial)?;
                word(&card.words, source)
            }
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
