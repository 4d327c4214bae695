//! Double memberships: days on which a person belongs to two insurers, and which of them the law explains.
//!
//! Membership is 資格取得日 to the day before 資格喪失日; how long a card is valid does not matter. Lawful are
//! the one day on which 国保 ends after 社保 has begun (国民健康保険法 8条: lost on the day after), and 後期
//! beside 船員保険 or a 共済, which both stay.

use std::cmp::Ordering;

use crate::code::Restriction;
use crate::coverage::{Coverage, Membership, Person};
use crate::day::Day;
use crate::number::InsurerNumber;

/// 法別番号 of 船員保険, and of the 共済 with their 特例退職.
const BESIDE_LATE_ELDERLY: [u8; 9] = [2, 31, 32, 33, 34, 72, 73, 74, 75];
/// 法別番号 of 退職 under 国保.
const RETIRED: u8 = 67;

/// A double membership that no law explains, as one of the two insurers may see it: of the other it says
/// no more than when.
#[derive(Clone, Copy, Debug)]
pub struct Overlap<'p, T> {
    /// The insurer's own coverage.
    pub own: &'p Coverage<T>,
    /// The first day of both.
    pub from: Day,
    /// The last day of both; `None` while neither has ended.
    pub through: Option<Day>,
    /// When the other membership began, beside the own one. Later: it may be the own one whose end was
    /// not told.
    pub other_began: Ordering,
}

/// A person's double memberships with this insurer that no law explains. Of an insurer that has closed
/// the person to viewing it is not sure whether the membership is the person's, so it does not count.
pub fn overlaps<T>(person: &Person<T>, insurer: InsurerNumber) -> impl Iterator<Item = Overlap<'_, T>> {
    let own = person.membership(insurer).map_or(&[][..], Membership::coverages);
    let others = person
        .memberships
        .iter()
        .filter(move |other| other.insurer != insurer && !other.restrictions().has(Restriction::Closed));
    others.flat_map(move |other| {
        let pairs = own.iter().flat_map(|own| other.coverages().iter().map(move |other| (own, other)));
        pairs.filter_map(move |(own, theirs)| {
            let (from, through) = days_of_both(own, theirs)?;
            let (one, two) = ((insurer, own), (other.insurer, theirs));
            let is_change = through == Some(from) && (is_change(one, two) || is_change(two, one));
            let lawful = is_change || may_stay(insurer, other.insurer);
            let other_began = theirs.qualified_on.cmp(&own.qualified_on);
            (!lawful).then_some(Overlap { own, from, through, other_began })
        })
    })
}

fn days_of_both<T>(one: &Coverage<T>, other: &Coverage<T>) -> Option<(Day, Option<Day>)> {
    let from = one.qualified_on.max(other.qualified_on);
    let ends = [one, other].map(|coverage| coverage.disqualified_on);
    let through = ends.into_iter().flatten().min().map(|lost| lost.plus(-1));
    let begins =
        [one, other].iter().all(|one| one.disqualified_on.is_none_or(|lost| lost > one.qualified_on));
    (begins && through.is_none_or(|through| from <= through)).then_some((from, through))
}

/// Whether 社保 begins on the last day of 国保.
fn is_change<T>(
    (national, left): (InsurerNumber, &Coverage<T>),
    (other, joined): (InsurerNumber, &Coverage<T>),
) -> bool {
    let is_national = |insurer: InsurerNumber| insurer.is_national() || insurer.scheme() == Some(RETIRED);
    let kinds = is_national(national) && !is_national(other) && !other.is_late_elderly();
    kinds && left.disqualified_on == Some(joined.qualified_on.plus(1))
}

/// Whether one is 後期 and the other stays beside it.
fn may_stay(one: InsurerNumber, other: InsurerNumber) -> bool {
    let beside =
        |insurer: InsurerNumber| insurer.scheme().is_some_and(|scheme| BESIDE_LATE_ELDERLY.contains(&scheme));
    one.is_late_elderly() && beside(other) || other.is_late_elderly() && beside(one)
}
