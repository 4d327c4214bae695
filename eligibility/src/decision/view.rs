//! What a coverage shows: which of its certificates hold the day, which consents open them, and
//! what the person's restrictions hide.

use std::cmp::Reverse;

use super::{Asked, By, Candidate, EndedBy};
use crate::code::Restriction;
use crate::coverage::{
    Coverage, ElderlyCertificate, LimitCertificate, Member, Membership, Person, SpecificDiseaseCertificate,
    Subsidy,
};
use crate::day::{Day, Timestamp};
use crate::number::InsurerNumber;

/// One coverage as it may be shown to this caller on this day.
#[derive(Clone, Debug)]
pub struct Shown<'p, T = Box<str>> {
    /// Whose coverage it is.
    pub insurer: InsurerNumber,
    /// The person as that insurer has it.
    pub member: &'p Member<T>,
    /// The coverage.
    pub coverage: &'p Coverage<T>,
    /// Postal code and address may not be shown.
    pub hides_address: bool,
    /// With a negative answer: what ended it.
    pub ended_by: Option<EndedBy>,
    /// With a negative answer: the day it will begin.
    pub starts_on: Option<Day>,
    /// 高齢受給者証 that holds the day.
    pub elderly: Option<&'p ElderlyCertificate>,
    /// 限度額適用認定証 that holds the day, with consent.
    pub limit_certificate: Option<&'p LimitCertificate>,
    /// 特定疾病療養受療証 that hold the day, with consent and a card.
    pub specific_diseases: Vec<&'p SpecificDiseaseCertificate>,
    /// Subsidies that hold the day, with consent; `None` when not asked or never fed.
    pub subsidies: Option<Vec<&'p Subsidy<T>>>,
    /// How far this insurer's word reaches.
    pub as_of: Option<Timestamp>,
}

impl<'p, T> Shown<'p, T> {
    pub(super) fn of(
        one: Candidate<'p, T>,
        asked: &Asked<'_>,
        standing: Standing<'p, T>,
        as_of: Option<Timestamp>,
    ) -> Self {
        let Candidate { insurer, member, coverage } = one;
        let date = asked.date;
        let limits = coverage.limit_certificates.iter().filter(|one| one.validity.holds(date));
        let diseases = coverage.specific_diseases.iter().filter(|one| one.validity.holds(date));
        let by_card = matches!(asked.by, By::Card);
        Self {
            insurer,
            member,
            coverage,
            hides_address: standing.hides_address,
            ended_by: None,
            starts_on: None,
            elderly: latest(coverage.elderly.iter().filter(|one| one.validity.holds(date)), |one| {
                one.validity.from
            }),
            limit_certificate: latest(limits, |one| one.validity.from)
                .filter(|_| asked.consent.limit_certificate),
            specific_diseases: if asked.consent.specific_disease && by_card {
                diseases.collect()
            } else {
                Vec::new()
            },
            subsidies: standing.subsidies(date).filter(|_| asked.consent.subsidies),
            as_of,
        }
    }
}

/// The one with the latest first day; of equals the one fed last.
fn latest<C>(all: impl Iterator<Item = C>, from: impl Fn(&C) -> Option<Day>) -> Option<C> {
    all.max_by_key(from)
}

/// Latest 取得日 first, then latest 有効開始日, then insurer number.
pub(super) fn by_recency<T>(a: &Candidate<'_, T>, b: &Candidate<'_, T>) -> std::cmp::Ordering {
    let key = |one: &Candidate<'_, T>| {
        (Reverse(one.coverage.qualified_on), Reverse(one.coverage.validity.from), one.insurer)
    };
    key(a).cmp(&key(b))
}

/// What holds for the person as a whole.
pub(super) struct Standing<'p, T> {
    person: &'p Person<T>,
    pub(super) hides_address: bool,
    pub(super) card_unusable: bool,
}

impl<T> Clone for Standing<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Standing<'_, T> {}

impl<'p, T> Standing<'p, T> {
    pub(super) fn of(person: &'p Person<T>, today: Day) -> Self {
        let card_unusable = card_unusable(person, today);
        let asks = |one: &Membership<T>| one.restrictions().has(Restriction::HideAddress);
        let hides_address = card_unusable || person.memberships.iter().any(asks);
        Self { person, hides_address, card_unusable }
    }

    fn subsidies(&self, date: Day) -> Option<Vec<&'p Subsidy<T>>> {
        let fed = !self.person.subsidies.is_empty();
        let all = self.person.subsidies.iter().flat_map(|(_, subsidies)| subsidies);
        fed.then(|| all.filter(|one| one.validity.holds(date)).collect())
    }
}

/// 自己情報提供不可 counts from insurers whose coverage has not ended, else from the latest ended
/// one. A wish not yet accepted counts in any case.
fn card_unusable<T>(person: &Person<T>, today: Day) -> bool {
    let asks = |one: &Membership<T>| one.restrictions().has(Restriction::CardUnusable);
    if !person.memberships.iter().any(asks) {
        return false;
    }
    let goes_on = |one: &&Membership<T>| one.coverages().iter().any(|coverage| !coverage.ended_before(today));
    let end = |one: &&Membership<T>| one.coverages().iter().map(Coverage::ends_on).max().flatten();
    let pending = person.memberships.iter().any(|one| one.pending.has(Restriction::CardUnusable));
    let mut going_on = person.memberships.iter().filter(goes_on).peekable();
    if going_on.peek().is_some() {
        return pending || going_on.any(asks);
    }
    let latest = person.memberships.iter().map(|one| end(&one)).max().flatten();
    pending || person.memberships.iter().any(|one| end(&one) == latest && asks(one))
}
