//! An invented nation: families, histories, cards and feeds, as a pure function of a seed, a number
//! of people and a day.
//!
//! ```text
//! seed, people, day ──► Population ──► person(i) ──► records ──► feed(source), mark
//!                           ├──► situations(), cards()   named persons, places 0..
//!                           └──► insurers(), insurers_csv()
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`insurer`] | the insurers and their invented names; how many there are grows with the people |
//! | [`resident`] | one inhabitant as sources and cards know them |
//! | [`situation`] | the named persons, one situation of the desk each |
//! | [`feed`] | records of the sources, in their own numbering |
//! | [`claim`] | claims that fit the people, each with the right answer |
//! | [`card`] | the plan of the demonstration cards |
//! | `nation` | everybody else: blocks, households, insurance of their lives |
//! | `dice`, `calendar`, `table` | chance from a seed, days of the law, words |
//!
//! Any person is made from the seed and a place alone, so a nation of any size can be streamed
//! without holding it. No clock is read and no randomness of the system is used. Everybody is
//! invented: names are combinations of common words, municipalities and insurers do not exist.

mod calendar;
pub mod card;
pub mod claim;
mod dice;
pub mod feed;
pub mod insurer;
mod nation;
pub mod resident;
pub mod situation;
mod table;

use std::ops::Range;

use eligibility::day::{Day, Timestamp};
use eligibility::feed::{Record, Source};

use card::{Authority, CardKey, CardPlan, CardState};
use insurer::Insurer;
use nation::Nation;
use resident::Resident;
use situation::{Named, Situation};

/// How many cards of people without a situation are planned.
const ORDINARY_CARDS: usize = 8;

/// An invented nation.
pub struct Population {
    seed: u64,
    people: u64,
    day: Day,
    named: Named,
    nation: Nation,
}

impl Population {
    /// The nation of this seed and size, as it is on this day. Named persons are always in it, so
    /// `people` is raised to their number where it is less. The day lies between 2010 and 2100.
    #[must_use]
    pub fn new(seed: u64, people: u64, day: Day) -> Self {
        let named = Named::new(seed, day);
        let people = people.max(named.people.len() as u64);
        let nation = Nation::new(seed, people, day, named.people.len() as u64, named.next_serial);
        Self { seed, people, day, named, nation }
    }

    /// The seed.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The number of people.
    #[must_use]
    pub const fn people(&self) -> u64 {
        self.people
    }

    /// The day as of which everything is.
    #[must_use]
    pub const fn day(&self) -> Day {
        self.day
    }

    /// Every insurer, in order of insurer number; one of them never feeds.
    #[must_use]
    pub fn insurers(&self) -> &[Insurer] {
        &self.nation.book().all
    }

    /// The list of insurers as CSV with the header `insurer_number,name`.
    #[must_use]
    pub fn insurers_csv(&self) -> String {
        insurer::csv(self.insurers())
    }

    /// The named situations. Their persons have the first places.
    #[must_use]
    pub fn situations(&self) -> &[Situation] {
        &self.named.situations
    }

    /// The first place that is no named person's.
    pub(crate) fn situations_end(&self) -> u64 {
        self.named.people.len() as u64
    }

    /// The person at this place; `None` from [`Population::people`] on.
    #[must_use]
    pub fn person(&self, index: u64) -> Option<Resident> {
        if index >= self.people {
            return None;
        }
        let named = usize::try_from(index).ok().and_then(|at| self.named.people.get(at));
        Some(named.cloned().unwrap_or_else(|| self.nation.resident(index)))
    }

    /// Everything that is said of the people at these places, person by person: insurers, portal,
    /// J-LIS, the city. Each source's own records come in order of sequence.
    pub fn records(&self, places: Range<u64>) -> impl Iterator<Item = Record> + '_ {
        self.records_after(0, places)
    }

    /// What is said of the named persons, with sequences after `after`: for a folder made on an
    /// earlier day, whose situations shall not grow old. `after` is the highest
    /// sequence that any source has used, marks included.
    pub fn named_records(&self, after: u64) -> impl Iterator<Item = Record> + '_ {
        self.records_after(after, 0..self.named.people.len() as u64)
    }

    fn records_after(&self, after: u64, places: Range<u64>) -> impl Iterator<Item = Record> + '_ {
        places
            .map_while(|index| self.person(index))
            .flat_map(move |resident| feed::records(resident, self.day, after))
    }

    /// Every source that feeds, in the order in which they are best read: insurers, the portal,
    /// J-LIS, the city.
    pub fn sources(&self) -> impl Iterator<Item = Source> + '_ {
        let insurers = self.insurers().iter().filter(|one| one.feeds).map(|one| Source::Insurer(one.number));
        insurers.chain([Source::Portal, Source::Jlis, feed::city()])
    }

    /// One source's records, in order of sequence, without a mark. Looks through all the people;
    /// to write all feeds at once, [`Population::records`] looks through them once.
    pub fn feed(&self, source: Source) -> impl Iterator<Item = Record> + '_ {
        self.records(0..self.people).filter(move |record| record.source == source)
    }

    /// Every source with its records, the last being a mark that says it is complete up to
    /// `complete_to`.
    pub fn feeds(
        &self,
        complete_to: Timestamp,
    ) -> impl Iterator<Item = (Source, impl Iterator<Item = Record> + '_)> + '_ {
        self.sources().map(move |source| {
            let mark = feed::mark(source, self.last_sequence() + 1, complete_to);
            (source, self.feed(source).chain(std::iter::once(mark)))
        })
    }

    /// A sequence that no record of [`Population::records`] exceeds, in any source.
    #[must_use]
    pub const fn last_sequence(&self) -> u64 {
        self.people
    }

    /// The cards to make for a demonstration: every named person's, and some of ordinary people.
    #[must_use]
    pub fn cards(&self) -> Vec<CardPlan> {
        let named = self.named.cards.iter().filter_map(|card| {
            let person = self.person(card.person)?;
            let plan = self.plan(card.name.into(), &person, card.serial, card.linked, card.state, card.birth);
            Some(CardPlan { key: card.key, ..plan })
        });
        let ordinary = (self.named.people.len() as u64..self.people).filter_map(|index| {
            let person = self.person(index)?;
            let card = person.card.as_ref().filter(|card| card.linked)?;
            let birth = person.words.first()?.member.birth_date;
            let name = format!("person-{index}").into();
            Some(self.plan(name, &person, card.serial, true, CardState::Good, birth))
        });
        named.chain(ordinary.take(ORDINARY_CARDS)).collect()
    }

    fn plan(
        &self,
        name: Box<str>,
        person: &Resident,
        serial: u64,
        linked: bool,
        state: CardState,
        birth: Day,
    ) -> CardPlan {
        let (not_before, not_after) = card::lifetime(state, birth, self.day, serial);
        let listed = matches!(state, CardState::Revoked | CardState::Suspended);
        let (prefecture, city) = card::PARTITIONS[(serial % card::PARTITIONS.len() as u64) as usize];
        CardPlan {
            name,
            person: person.index,
            serial,
            link_number: linked.then_some(person.link_number),
            state,
            not_before,
            not_after,
            revoked_on: listed.then(|| self.day.plus(-9)),
            authority: if serial % 2 == 1 { Authority::First } else { Authority::Second },
            key: CardKey::Rsa2048,
            prefecture,
            city,
        }
    }
}

impl std::fmt::Debug for Population {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Population(seed {}, {} people, {})", self.seed, self.people, self.day)
    }
}
