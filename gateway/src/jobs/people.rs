//! The people and insurers against whom claims are judged: memory as it is at one moment, or as it was.

use cache::{Key, Packed, View};
use claims::People;
use eligibility::coverage::Person;
use eligibility::day::Timestamp;
use eligibility::decision::Reach;
use eligibility::feed::Source;
use eligibility::number::InsurerNumber;
use eligibility::query::NumberQuery;

use crate::config::InsurerList;
use crate::desk::{Desk, Staleness};
use crate::intake::Held;
use crate::past::Past;

/// Persons that are told apart; of more than so many it only matters that they are several.
const MOST: usize = 16;

/// Everybody whom memory knows.
pub struct Known<'k> {
    /// Memory, now or then.
    pub memory: View,
    /// The instant that is looked back to, where it is.
    pub past: Option<&'k Past>,
    /// Deliveries that are held back: what their sources deny is not certain.
    pub held: &'k Held,
    /// The insurers there are.
    pub insurers: &'k InsurerList,
    /// When a source's silence makes its negative answers doubtful.
    pub staleness: &'k Staleness,
    /// The moment.
    pub now: Timestamp,
}

impl<'k> Known<'k> {
    /// The same people as they were known at an instant.
    #[must_use]
    pub fn then(self, past: &'k Past) -> Self {
        Self { memory: past.view(), past: Some(past), ..self }
    }

    /// Whom desks know now.
    #[must_use]
    pub fn of(desk: &'k Desk, now: Timestamp) -> Self {
        Self {
            memory: desk.memory.view(),
            past: None,
            held: &desk.held,
            insurers: &desk.insurers,
            staleness: &desk.staleness,
            now,
        }
    }
}

impl<'v> People for &'v Known<'_> {
    type Text = Packed<'v>;
    type Person = Person<Packed<'v>>;

    fn fitting(&self, asked: &NumberQuery, found: &mut Vec<Person<Packed<'v>>>) {
        let known: &'v Known<'_> = self;
        known.memory.each_fitting(asked, |person| {
            found.push(match known.past {
                Some(past) => past.protected(person),
                None => person,
            });
            found.len() >= MOST
        });
    }

    fn expect(&self, asked: &[NumberQuery]) {
        self.memory.prefetch(&asked.iter().map(Key::Number).collect::<Vec<_>>());
    }

    fn reach(&self, insurer: InsurerNumber) -> Reach {
        // A number that no insurer has is a slip of the pen, whatever comes later.
        if !self.insurers.has(insurer) {
            return Reach { as_of: None, doubt: None };
        }
        let source = Source::Insurer(insurer);
        match self.past {
            Some(past) => past.reach(self.staleness, &self.memory, source),
            None => {
                let state = self.memory.source(source);
                self.staleness.reach(state, source, self.held.has(source), self.now)
            }
        }
    }
}
