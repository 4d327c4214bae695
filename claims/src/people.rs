//! What a check asks of its surroundings: people, sources, and who is asking.

use std::borrow::Borrow;

use eligibility::coverage::{Person, Written};
use eligibility::day::{Day, Timestamp};
use eligibility::decision::Reach;
use eligibility::number::{InstitutionCode, InsurerNumber};
use eligibility::query::NumberQuery;

/// Where people are looked up.
pub trait People {
    /// A text of a record as it is held.
    type Text: Written;
    /// A person as it is held: itself, a reference, an [`Arc`](std::sync::Arc) or the like.
    type Person: Borrow<Person<Self::Text>>;

    /// Adds every person whom the numbers fit. A wider answer does no harm: each is compared.
    /// `asked.known_at` is set where the answer is wanted as it was known at that instant.
    fn fitting(&self, asked: &NumberQuery, found: &mut Vec<Self::Person>);

    /// Hears for whom it will be asked next, so that it may look for many at once.
    fn expect(&self, _asked: &[NumberQuery]) {}

    /// How far this insurer's word reaches.
    fn reach(&self, insurer: InsurerNumber) -> Reach;
}

/// Who is asking, and so whether the right coverage may be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller<'t> {
    /// A reviewer.
    Review,
    /// A reception desk with these institution codes.
    Reception(&'t [InstitutionCode]),
}

/// The circumstances of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms<'t> {
    /// Who is asking.
    pub caller: Caller<'t>,
    /// Today in Japan.
    pub today: Day,
    /// Judge as it was known at this instant.
    pub known_at: Option<Timestamp>,
}

impl Terms<'_> {
    /// Whether the right coverage of a claim of this institution, whose last visit was on this day,
    /// may be named, if no record involved is closed.
    pub(crate) fn may_name(&self, institution: Option<InstitutionCode>, last_visit: Option<Day>) -> bool {
        match self.caller {
            Caller::Review => true,
            Caller::Reception(codes) => {
                institution.is_some_and(|code| codes.contains(&code))
                    && last_visit.is_some_and(|day| day < self.today)
            }
        }
    }
}
