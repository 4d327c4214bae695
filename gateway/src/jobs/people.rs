//! The people and insurers against whom claims are judged: memory as it is at one moment.

use std::sync::Arc;

use cache::{Key, Reader};
use claims::People;
use eligibility::coverage::Person;
use eligibility::day::Timestamp;
use eligibility::decision::{Found, Reach};
use eligibility::feed::Source;
use eligibility::number::InsurerNumber;
use eligibility::query::NumberQuery;

use crate::config::InsurerList;
use crate::desk::{Desk, Staleness};

/// Everybody whom memory knows.
pub struct Known<'k> {
    /// Memory.
    pub memory: &'k Reader,
    /// The insurers there are.
    pub insurers: &'k InsurerList,
    /// When a source's silence makes its negative answers doubtful.
    pub staleness: &'k Staleness,
    /// The moment.
    pub now: Timestamp,
}

impl<'k> Known<'k> {
    /// Whom desks know now.
    #[must_use]
    pub const fn of(desk: &'k Desk, now: Timestamp) -> Self {
        Self { memory: &desk.memory, insurers: &desk.insurers, staleness: &desk.staleness, now }
    }
}

impl People for Known<'_> {
    type Person = Arc<Person>;

    fn fitting(&self, asked: &NumberQuery, found: &mut Vec<Arc<Person>>) {
        if let Found::One(person) = self.memory.find(&Key::Number(asked)) {
            found.push(person);
        }
    }

    fn reach(&self, insurer: InsurerNumber) -> Reach {
        // A number that no insurer has is a slip of the pen, whatever comes later.
        if !self.insurers.has(insurer) {
            return Reach { as_of: None, doubt: None };
        }
        let source = Source::Insurer(insurer);
        self.staleness.reach(self.memory.source(source).as_ref(), source, self.now)
    }
}
