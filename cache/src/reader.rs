//! What is asked of memory, by as many threads as there are.

use std::fmt;
use std::sync::Arc;

use eligibility::coverage::Person;
use eligibility::decision::Found;
use eligibility::feed::{Source, Subject};
use eligibility::number::{LinkNumber, Serial};
use eligibility::query::NumberQuery;

use crate::key::Place;
use crate::published::{Published, Seen};
use crate::record;
use crate::source::{Book, SourceState};
use crate::state::{Map, State};
use crate::text::Packed;
use crate::writer::Writer;

/// By what a person is looked for.
#[derive(Clone, Copy, Debug)]
pub enum Key<'q> {
    /// The serial of a card that has been verified.
    Card(Serial),
    /// The numbers of an insured card.
    Number(&'q NumberQuery),
}

/// Memory as its readers see it. Cheap to clone. Nothing here waits for the writer.
#[derive(Clone)]
pub struct Reader {
    published: Arc<Published<State>>,
}

/// Memory as it was after one batch. What was there then stays until the last view of it is dropped,
/// so none is kept for long.
pub struct View {
    state: Seen<State>,
}

/// A memory that knows nothing yet: its one writer, and a reader to clone.
#[must_use]
pub fn empty() -> (Writer, Reader) {
    Reader::of(State::default(), Map::default())
}

/// What memory takes, in octets: of what is sorted and of what finds it there, and of changes since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Records.
    pub records: usize,
    /// Where records start.
    pub places: usize,
    /// Ways from serials to people.
    pub cards: usize,
    /// Ways from symbols and numbers to people.
    pub numbers: usize,
    /// Changes since all that was sorted.
    pub changes: usize,
}

impl View {
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Whom the key hits. A card: `Unlinked`, `Unknown` (linked, and nobody has spoken of the
    /// person) or `One`; numbers: `Nobody`, `One` or `Several`. The person's texts stay as they are
    /// kept, so that only what is shown is unpacked.
    #[must_use]
    pub fn find(&self, key: &Key<'_>) -> Found<Person<Packed<'_>>> {
        match key {
            Key::Card(serial) => self.find_card(serial),
            Key::Number(query) => self.find_number(query),
        }
    }

    /// Brings near what [`View::find`] will look at for these keys: of many that are known together, each
    /// then waits little for memory. Without effect but on time.
    pub fn prefetch(&self, keys: &[Key<'_>]) {
        self.state.prefetch(keys);
    }

    fn find_card(&self, serial: &Serial) -> Found<Person<Packed<'_>>> {
        match self.state.card(serial) {
            Some((place, octets)) if place.link().is_some() => {
                record::read_person(place, octets, None).map_or(Found::Unknown, Found::One)
            }
            _ => Found::Unlinked,
        }
    }

    fn find_number(&self, query: &NumberQuery) -> Found<Person<Packed<'_>>> {
        let mut found = Found::Nobody;
        self.each_fitting(query, |person| {
            found = match found {
                Found::Nobody => Found::One(person),
                _ => Found::Several,
            };
            matches!(found, Found::Several)
        });
        found
    }

    /// Takes everybody whom the numbers fit, in no order, until enough is said (true). Texts stay as
    /// they are kept.
    pub fn each_fitting<'v>(&'v self, query: &NumberQuery, mut take: impl FnMut(Person<Packed<'v>>) -> bool) {
        self.state
            .each_candidate(&query.key, query.birth_date, |person| fits(query, &person) && take(person));
    }

    /// Position of the last batch that is in it; 0 before the first.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.state.generation
    }

    /// Where a source stands; `None` while it has never said anything.
    #[must_use]
    pub fn source(&self, source: Source) -> Option<&SourceState> {
        self.state.sources.get(source)
    }

    /// Takes everybody of whom more than one insurer has a word, in no order. Texts stay as they are kept.
    /// Looks at every shard.
    pub fn each_of_several<'v>(&'v self, mut take: impl FnMut(Person<Packed<'v>>)) {
        for people in &self.state.people {
            people.each(|place, octets| {
                if record::memberships(octets) > 1 {
                    record::read_person(place, octets, None).into_iter().for_each(&mut take);
                }
            });
        }
    }

    /// The person with this 紐付番号. Texts stay as they are kept.
    #[must_use]
    pub fn person(&self, link: LinkNumber) -> Option<Person<Packed<'_>>> {
        self.state.person(link)
    }

    /// The sources that ever had a word on the person accepted, each with the position of its last one.
    #[must_use]
    pub fn words(&self, link: LinkNumber) -> Vec<(Source, u64)> {
        self.state.kept(Place::of(link)).map(|kept| kept.words).unwrap_or_default()
    }
}

impl Reader {
    /// A memory in this state whose sources stand so.
    pub(crate) fn of(state: State, books: Map<Source, Book>) -> (Writer, Self) {
        let (writer, published) = Writer::new(state, books);
        (writer, Self { published })
    }

    /// Memory as it is now: what is asked of one view fits together.
    #[must_use]
    pub fn view(&self) -> View {
        View { state: self.published.load() }
    }

    /// Whom the key hits now, as [`View::find`] says, to be kept.
    #[must_use]
    pub fn find(&self, key: &Key<'_>) -> Found<Arc<Person>> {
        self.view().find(key).map(|person| Arc::new(unpacked(person)))
    }

    /// Position of the last batch that is visible; 0 before the first.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.view().generation()
    }

    /// Where a source stands; `None` while it has never said anything.
    #[must_use]
    pub fn source(&self, source: Source) -> Option<SourceState> {
        self.view().source(source).cloned()
    }

    /// Where every source stands that has said anything, the gateway itself included, in order.
    #[must_use]
    pub fn sources(&self) -> Vec<(Source, SourceState)> {
        let view = self.view();
        view.state.sources.all().into_iter().map(|(source, state)| (source, state.clone())).collect()
    }

    /// The person whose card has this serial.
    #[must_use]
    pub fn owner(&self, serial: Serial) -> Option<LinkNumber> {
        self.view().state.card_place(&serial).and_then(Place::link)
    }

    /// Whether any card is linked to the person.
    #[must_use]
    pub fn has_card(&self, person: LinkNumber) -> bool {
        self.view().state.has_card(person)
    }

    /// Position of the batch with the source's last accepted word on the subject.
    #[must_use]
    pub fn last_word(&self, source: Source, subject: Subject) -> Option<u64> {
        self.view().state.last_word(source, subject)
    }

    /// The person with this 紐付番号.
    #[must_use]
    pub fn person(&self, link: LinkNumber) -> Option<Arc<Person>> {
        self.view().state.person(link).map(|person| Arc::new(unpacked(person)))
    }

    /// How many people anything is known of.
    #[must_use]
    pub fn persons(&self) -> usize {
        self.view().state.persons as usize
    }

    /// How many cards are linked.
    #[must_use]
    pub fn serials(&self) -> usize {
        self.view().state.serials as usize
    }

    /// What memory takes. Looks at every shard.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        let view = self.view();
        let mut sizes = Sizes::default();
        for people in &view.state.people {
            let [records, places, changes] = people.sizes();
            sizes.records += records;
            sizes.places += places;
            sizes.changes += changes;
        }
        for (index, of) in [(&view.state.cards, &mut sizes.cards), (&view.state.numbers, &mut sizes.numbers)]
        {
            for index in index {
                let [entries, starts, changes] = index.sizes();
                *of += entries + starts;
                sizes.changes += changes;
            }
        }
        sizes
    }

    #[cfg(test)]
    pub(crate) fn keys(&self) -> usize {
        self.view().state.numbers.iter().map(|index| index.len()).sum()
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "View(generation {})", self.generation())
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader(generation {})", self.generation())
    }
}

fn unpacked(person: Person<Packed<'_>>) -> Person {
    person.map(&Packed::unpacked)
}

fn fits(query: &NumberQuery, person: &Person<Packed<'_>>) -> bool {
    let insurer = query.key.insurer();
    let member = person.membership(insurer).and_then(|membership| membership.member.as_ref());
    member.is_some_and(|member| query.asked(insurer, member).next().is_some())
}
