//! The meaning of each kind of record for people and cards.
//!
//! A plan is made beside the readers, on what they see plus what earlier rows of it have changed.

use std::collections::BTreeMap;

use eligibility::coverage::{Member, Restrictions, Subsidy};
use eligibility::feed::{Record, Refused, Said, Source, Subject};
use eligibility::number::{CityCode, InsurerNumber, LinkNumber, Serial};

use crate::kept::{Held, Kept, set_word, spelled};
use crate::key::{Hash, Place};
use crate::people;
use crate::prefetch::TOGETHER;
use crate::record;
use crate::share::shared;
use crate::state::{Map, State};

/// What batches change that become visible together.
pub(crate) struct Plan<'s> {
    state: &'s State,
    position: u64,
    drafts: Map<Place, Draft>,
    /// Where cards were and are that the plan has moved.
    cards: Map<Serial, (Option<Place>, Place)>,
}

/// What will be kept in a place, and what must be known of what was.
struct Draft {
    now: Kept,
    /// Whether it was spoken of, and had how many cards.
    before: (bool, usize),
    /// Under what the person was found, where that may have changed.
    numbers_before: Option<Vec<Hash>>,
}

/// What they change, ready to be carried out.
#[derive(Default)]
pub(crate) struct Changes {
    /// Records by shard, in the order of keys.
    pub(crate) people: BTreeMap<usize, Vec<people::Change>>,
    pub(crate) cards: Turns,
    pub(crate) numbers: Turns,
    /// How many more people are spoken of, and cards are linked.
    pub(crate) persons: i64,
    pub(crate) serials: i64,
}

/// Hashes that lead to a place from now on, and those that no longer do.
#[derive(Default)]
pub(crate) struct Turns {
    pub(crate) come: Vec<(Hash, Place)>,
    pub(crate) go: Vec<(Hash, Place)>,
}

impl<'s> Plan<'s> {
    pub(crate) fn new(state: &'s State) -> Self {
        Self { state, position: state.generation, drafts: Map::default(), cards: Map::default() }
    }

    /// What is planned from now on is of the batch of this position.
    pub(crate) const fn begin(&mut self, position: u64) {
        self.position = position;
    }

    /// Plans an accepted record. Tells whether its insurer had a living word on the person before,
    /// and has one now.
    pub(crate) fn accept(&mut self, source: Source, record: &Record) -> (bool, bool) {
        if let Some(Subject::Person(link)) = record.said.subject() {
            let position = self.position;
            set_word(&mut self.draft(Place::of(link)).words, source, position);
        }
        match (source, &record.said) {
            (Source::Insurer(insurer), Said::Member { link_number, member }) => {
                return self.member(insurer, *link_number, member.as_deref());
            }
            (Source::City(city), Said::Subsidy { link_number, subsidies }) => {
                self.subsidies(city, *link_number, subsidies.as_ref());
            }
            (_, Said::Link { serial, link_number }) => {
                let owner = link_number.map_or_else(|| self.state.drawer(serial), Place::of);
                self.move_card(source, *serial, owner);
            }
            (_, Said::Renewal { serial, previous_serial }) => {
                let owner = self.card_place(previous_serial).filter(|place| place.link().is_some());
                let owner = owner.or_else(|| self.card_place(serial));
                let owner = owner.unwrap_or_else(|| self.state.drawer(serial));
                self.move_card(source, *serial, owner);
            }
            // Where sources stand is their books' business, and nobody speaks for another.
            (
                _,
                Said::Mark { .. }
                | Said::Dismissal { .. }
                | Said::Release { .. }
                | Said::List(_)
                | Said::Deletion(_)
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
            let membership = self.draft(Place::of(link)).membership_mut(insurer);
            membership.pending = membership.pending.and(refused.protect);
        }
    }

    fn member(&mut self, insurer: InsurerNumber, link: LinkNumber, member: Option<&Member>) -> (bool, bool) {
        let hashing = self.state.hashing;
        let draft = self.place(Place::of(link));
        let before = draft.now.memberships.iter().find(|one| one.insurer == insurer);
        let before = before.and_then(|one| one.member.as_ref());
        if draft.numbers_before.is_none()
            && !before.into_iter().flat_map(spelled).eq(member.into_iter().flat_map(spelled))
        {
            draft.numbers_before = Some(draft.now.numbers(hashing));
        }
        let membership = draft.now.membership_mut(insurer);
        membership.pending = Restrictions::NONE;
        let before = std::mem::replace(&mut membership.member, member.cloned());
        (before.is_some(), member.is_some())
    }

    fn subsidies(&mut self, city: CityCode, link: LinkNumber, subsidies: Option<&Vec<Subsidy>>) {
        let draft = self.draft(Place::of(link));
        let kept = subsidies.filter(|_| !draft.cards.is_empty());
        if subsidies.is_some() && kept.is_none() {
            return;
        }
        let all = &mut draft.subsidies;
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

    fn card_place(&self, serial: &Serial) -> Option<Place> {
        let moved = self.cards.get(serial).map(|(_, now)| *now);
        moved.or_else(|| self.state.card_place(serial))
    }

    /// Puts the card into a place, with the words on it and this source's last one.
    fn move_card(&mut self, source: Source, serial: Serial, to: Place) {
        let position = self.position;
        let from = self.card_place(&serial);
        let taken = from.and_then(|from| {
            let cards = &mut self.draft(from).cards;
            let at = cards.iter().position(|card| card.serial == serial)?;
            Some(cards.remove(at))
        });
        let mut card = taken.unwrap_or(Held { serial, words: Vec::new() });
        set_word(&mut card.words, source, position);
        self.draft(to).cards.push(card);
        self.cards.entry(serial).or_insert((from, to)).1 = to;
    }

    /// Whether a card that stays in this place is found by the same way.
    fn has_way(&self, place: Place, hash: Hash) -> bool {
        let cards = self.drafts.get(&place).map_or(&[][..], |draft| &draft.now.cards);
        cards.iter().any(|card| self.state.card_hash(&card.serial).way() == hash.way())
    }

    fn draft(&mut self, place: Place) -> &mut Kept {
        &mut self.place(place).now
    }

    /// A copy of what is kept, to change.
    fn place(&mut self, place: Place) -> &mut Draft {
        let state = self.state;
        self.drafts.entry(place).or_insert_with(|| Draft::of(state, place))
    }

    /// Copies what is kept in these places, which are about to be changed.
    pub(crate) fn expect(&mut self, places: Vec<Place>) {
        let state = self.state;
        let copied = |places: Vec<Place>| -> Vec<_> {
            let mut drafts = Vec::with_capacity(places.len());
            for places in places.chunks(TOGETHER) {
                state.prefetch_places(places);
                drafts.extend(places.iter().map(|place| (*place, Draft::of(state, *place))));
            }
            drafts
        };
        self.drafts.extend(shared(places, copied).into_iter().flatten());
    }

    /// Ends planning.
    pub(crate) fn changes(self) -> Changes {
        let mut changes = Changes::default();
        for (serial, (before, now)) in &self.cards {
            let hash = self.state.card_hash(serial);
            if let Some(before) = before.filter(|before| before != now && !self.has_way(*before, hash)) {
                changes.cards.go.push((hash, before));
            }
            if *before != Some(*now) {
                changes.cards.come.push((hash, *now));
            }
        }
        let state = self.state;
        let written = |drafts: Vec<(Place, Draft)>| {
            let mut changes = Changes::default();
            drafts.into_iter().for_each(|(place, draft)| draft.write(place, state, &mut changes));
            changes
        };
        for part in shared(self.drafts.into_iter().collect(), written) {
            changes.add(part);
        }
        changes.people.values_mut().for_each(|all| all.sort_unstable_by_key(|(key, _)| *key));
        changes
    }
}

impl Changes {
    /// Adds those of other places.
    fn add(&mut self, other: Self) {
        for (shard, changes) in other.people {
            self.people.entry(shard).or_default().extend(changes);
        }
        self.numbers.come.extend(other.numbers.come);
        self.numbers.go.extend(other.numbers.go);
        self.persons += other.persons;
        self.serials += other.serials;
    }
}

impl Draft {
    fn of(state: &State, place: Place) -> Self {
        let now = state.kept(place).unwrap_or_else(|| Kept::new(place));
        Self { before: (now.is_spoken_of(), now.cards.len()), now, numbers_before: None }
    }

    /// Writes what has become of it.
    fn write(mut self, place: Place, state: &State, changes: &mut Changes) {
        self.now.tidy();
        self.count(changes);
        self.turn_numbers(state, &mut changes.numbers);
        let mut octets = Vec::with_capacity(128);
        match self.now.is_empty() {
            true => octets.extend_from_slice(people::GONE),
            false => record::put(&mut octets, &self.now),
        }
        changes.people.entry(place.shard()).or_default().push((place.key(), octets));
    }

    fn count(&self, changes: &mut Changes) {
        if self.now.place.link().is_some() {
            let (spoken_of, cards) = self.before;
            changes.persons += i64::from(self.now.is_spoken_of()) - i64::from(spoken_of);
            changes.serials += self.now.cards.len() as i64 - cards as i64;
        }
    }

    fn turn_numbers(&self, state: &State, turns: &mut Turns) {
        let Some(before) = &self.numbers_before else { return };
        let (place, now) = (self.now.place, self.now.numbers(state.hashing));
        let not_in = |all: &[Hash], one: &Hash| all.iter().all(|other| other.way() != one.way());
        turns.come.extend(now.iter().filter(|one| not_in(before, one)).map(|hash| (*hash, place)));
        turns.go.extend(before.iter().filter(|one| not_in(&now, one)).map(|hash| (*hash, place)));
    }
}
