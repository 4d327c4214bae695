//! Whose each visit day is: the written coverage's if it holds the day, else that of the holder
//! with the latest 資格取得日, else nobody's.

use std::cmp::Reverse;

use eligibility::code::Restriction;
use eligibility::coverage::{Coverage, Person, Written as Text};
use eligibility::day::Day;
use eligibility::number::InsurerNumber;
use eligibility::query::NumberQuery;

use crate::claim::Written;
use crate::days::VisitDays;
use crate::verdict::Holder;

/// A coverage of the person.
pub(crate) struct Holding<'p, T> {
    pub(crate) insurer: InsurerNumber,
    pub(crate) coverage: &'p Coverage<T>,
    /// Whether it is what the claim has written on it.
    pub(crate) asked: bool,
    /// Whether its insurer has closed the person to viewing.
    pub(crate) closed: bool,
}

impl<T> Clone for Holding<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Holding<'_, T> {}

impl<T: Text> Holding<'_, T> {
    /// Whether both are one insurance on paper: one insurer, one 記号, one 番号.
    fn same_card(&self, other: &Self) -> bool {
        self.insurer == other.insurer
            && is_same(&self.coverage.number, &other.coverage.number)
            && is_same(&self.coverage.symbol, &other.coverage.symbol)
    }

    /// Whether days of both make one part: both are written on the claim, or both are one other card.
    fn belongs_with(&self, other: &Self) -> bool {
        self.asked && other.asked || self.asked == other.asked && self.same_card(other)
    }

    /// Of several that hold a day the greatest takes it.
    fn rank(&self) -> (bool, Day, Option<Day>, Reverse<InsurerNumber>) {
        (self.asked, self.coverage.qualified_on, self.coverage.validity.from, Reverse(self.insurer))
    }
}

fn is_same<T: Text>(one: &T, other: &T) -> bool {
    one.look(|one| other.look(|other| one == other))
}

/// Days that belong together: to the written coverage, to one other, or to nobody.
pub(crate) struct Part<'p, T> {
    /// Whose they are, by the coverage of the last day: a card may have several that follow one
    /// another. `None` for nobody.
    pub(crate) holding: Option<Holding<'p, T>>,
    pub(crate) days: Vec<Day>,
}

impl<T> Part<'_, T> {
    pub(crate) fn holder(&self) -> Holder {
        match &self.holding {
            Some(holding) if holding.asked => Holder::Written,
            Some(_) => Holder::Other,
            None => Holder::Nobody,
        }
    }
}

/// A person's coverages and whose each day of a claim is.
pub(crate) struct Assignment<'p, T> {
    pub(crate) holdings: Vec<Holding<'p, T>>,
    /// In the order of their first days.
    pub(crate) parts: Vec<Part<'p, T>>,
    /// Whether the days are known well enough for the parts to be true. Otherwise the parts say
    /// what would be if there had been a visit on every day.
    pub(crate) certain: bool,
}

impl<'p, T: Text> Assignment<'p, T> {
    /// `None` when the numbers do not fit the person after all.
    pub(crate) fn of(
        person: &'p Person<T>,
        written: &Written,
        query: &NumberQuery,
        days: &VisitDays,
    ) -> Option<Self> {
        let holdings = holdings(person, written, query);
        if !holdings.iter().any(|holding| holding.asked) {
            return None;
        }
        let mut parts = parts(&holdings, days);
        let all_written = parts.iter().all(|part| part.holder() == Holder::Written);
        let certain = days.is_exact() || all_written || {
            let whole = holds_all(&holdings, days);
            if let Some(holding) = whole {
                parts = vec![Part { holding: Some(holding), days: days.iter().collect() }];
            }
            whole.is_some()
        };
        Some(Self { holdings, parts, certain })
    }

    /// The written coverage that speaks of a day it does not hold: the one that ended last before
    /// it, else the next to begin.
    pub(crate) fn nearest_written(&self, day: Day) -> Option<Holding<'p, T>> {
        let asked = || self.holdings.iter().filter(|holding| holding.asked).copied();
        let ended = asked().filter(|holding| holding.coverage.ended_before(day));
        ended
            .max_by_key(|holding| holding.coverage.ends_on())
            .or_else(|| asked().min_by_key(|holding| holding.coverage.starts_on()))
    }

    /// The coverage that takes this day of the part.
    pub(crate) fn taking(&self, part: &Holding<'p, T>, day: Day) -> Option<Holding<'p, T>> {
        let held = self.holdings.iter().filter(|one| one.belongs_with(part) && one.coverage.holds(day));
        held.max_by_key(|holding| holding.rank()).copied()
    }

    /// The first day that is not the written coverage's.
    pub(crate) fn first_lost(&self) -> Option<Day> {
        let lost = self.parts.iter().filter(|part| part.holder() != Holder::Written);
        lost.filter_map(|part| part.days.first().copied()).min()
    }

    pub(crate) fn any(&self, holder: Holder) -> bool {
        self.parts.iter().any(|part| part.holder() == holder)
    }

    pub(crate) fn all(&self, holder: Holder) -> bool {
        self.parts.iter().all(|part| part.holder() == holder)
    }
}

/// Whether the coverage is the written one. What is spelled alike is alike; else the folded keys are compared.
fn is_asked<T: Text>(written: &Written, query: &NumberQuery, coverage: &Coverage<T>) -> bool {
    let is = |text: &T, written: &str| text.look(|text| text == written);
    let spelled = || is(&coverage.number, &written.number) && is(&coverage.symbol, &written.symbol);
    let asked = || spelled() || coverage.has_key(query.key.insurer(), &query.key);
    coverage.fits_branch(query.branch) && asked()
}

fn holdings<'p, T: Text>(
    person: &'p Person<T>,
    written: &Written,
    query: &NumberQuery,
) -> Vec<Holding<'p, T>> {
    let mut all = Vec::with_capacity(4);
    for membership in &person.memberships {
        let Some(member) = &membership.member else { continue };
        let (insurer, closed) = (membership.insurer, membership.restrictions().has(Restriction::Closed));
        let start = all.len();
        all.extend(member.coverages.iter().map(|coverage| Holding {
            insurer,
            coverage,
            asked: false,
            closed,
        }));
        if insurer == query.key.insurer() && member.birth_date == query.birth_date {
            for holding in all.iter_mut().skip(start) {
                holding.asked = is_asked(written, query, holding.coverage);
            }
        }
    }
    all
}

fn parts<'p, T: Text>(holdings: &[Holding<'p, T>], days: &VisitDays) -> Vec<Part<'p, T>> {
    let mut parts: Vec<Part<'p, T>> = Vec::with_capacity(2);
    for day in days.iter() {
        let holds = holdings.iter().filter(|holding| holding.coverage.holds(day)).copied();
        let holding = holds.max_by_key(Holding::rank);
        let belongs = |part: &&mut Part<'p, T>| match (&part.holding, &holding) {
            (Some(one), Some(other)) => one.belongs_with(other),
            (None, None) => true,
            _ => false,
        };
        match parts.iter_mut().find(belongs) {
            Some(part) => {
                part.days.push(day);
                part.holding = holding;
            }
            None => {
                let mut list = Vec::with_capacity(days.count() as usize);
                list.push(day);
                parts.push(Part { holding, days: list });
            }
        }
    }
    parts
}

/// The other coverage, best first, whose card holds every one of the days.
fn holds_all<'p, T: Text>(holdings: &[Holding<'p, T>], days: &VisitDays) -> Option<Holding<'p, T>> {
    let others = || holdings.iter().filter(|holding| !holding.asked);
    let whole = |one: &&Holding<'p, T>| {
        days.iter().all(|day| others().any(|other| other.same_card(one) && other.coverage.holds(day)))
    };
    others().filter(whole).max_by_key(|holding| holding.rank()).copied()
}
