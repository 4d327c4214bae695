//! The rule: who is found, on which day, and what may be shown of it.
//!
//! [`decide`] is total: every combination of what was found, asked and known gives one answer. It
//! looks at no clock and waits for nothing. Wording is [`crate::advice`]'s, bytes [`crate::answer`]'s.

mod view;

use crate::code::{Restriction, words};
use crate::coverage::{Coverage, Member, Membership, Person, Restrictions, Written};
use crate::day::{Day, Timestamp};
use crate::feed::Source;
use crate::number::InsurerNumber;
use crate::query::{Consent, NumberQuery};

pub use view::Shown;
use view::{Standing, by_recency};

words! {
    /// The outcome of a question.
    Status {
        /// A coverage holds the day (資格有効性 1).
        Valid = "valid",
        /// The person is known and nothing holds the day (2).
        Invalid = "invalid",
        /// Nothing asked about holds the day, another coverage does (3).
        InvalidNewer = "invalid_newer",
        /// Nobody fits (4).
        NotFound = "not_found",
        /// More than one person fits (5).
        Multiple = "multiple",
        /// The person may not be shown.
        Withheld = "withheld",
        /// A good card that is linked to nobody.
        NotLinked = "not_linked",
        /// Our own knowledge is too poor for a negative answer.
        Unconfirmed = "unconfirmed",
    }
}

impl Status {
    /// 資格有効性 (OQSCD006), where the book has a value for it.
    #[must_use]
    pub const fn code(self) -> Option<u8> {
        match self {
            Self::Valid => Some(1),
            Self::Invalid => Some(2),
            Self::InvalidNewer => Some(3),
            Self::NotFound => Some(4),
            Self::Multiple => Some(5),
            Self::Withheld | Self::NotLinked | Self::Unconfirmed => None,
        }
    }
}

words! {
    /// Why a status without code was given.
    Reason {
        /// The insurer has closed the person to viewing.
        Closed = "closed",
        /// 自己情報提供不可: the card is not usable as insurance.
        CardUnusable = "card_unusable",
        /// The source has not said for too long how far it is complete.
        Stale = "stale",
        /// A delivery of the source is held back for review.
        HeldBack = "held_back",
        /// The source has never fed anything.
        NeverFed = "never_fed",
        /// The card is linked, and no insurer has a word on the person.
        PersonNotFed = "person_not_fed",
    }
}

words! {
    /// What ended the coverage that is shown with a negative answer.
    EndedBy {
        /// 資格喪失.
        Loss = "loss",
        /// 有効期間 ran out.
        Period = "period",
    }
}

/// Whom a question hit.
#[derive(Clone, Debug)]
pub enum Found<P> {
    /// Card: its serial is linked to nobody.
    Unlinked,
    /// Card: its serial is linked, and nothing is known of the person.
    Unknown,
    /// Number: nobody fits.
    Nobody,
    /// One person.
    One(P),
    /// Number: more than one person fits.
    Several,
}

impl<P> Found<P> {
    /// The same, with the person made another.
    pub fn map<Q>(self, one: impl FnOnce(P) -> Q) -> Found<Q> {
        match self {
            Self::One(person) => Found::One(one(person)),
            Self::Unlinked => Found::Unlinked,
            Self::Unknown => Found::Unknown,
            Self::Nobody => Found::Nobody,
            Self::Several => Found::Several,
        }
    }

    /// The same, borrowing the person.
    pub const fn as_ref(&self) -> Found<&P> {
        match self {
            Self::One(person) => Found::One(person),
            Self::Unlinked => Found::Unlinked,
            Self::Unknown => Found::Unknown,
            Self::Nobody => Found::Nobody,
            Self::Several => Found::Several,
        }
    }
}

/// By what a person was asked for.
#[derive(Clone, Copy, Debug)]
pub enum By<'q> {
    /// A verified card.
    Card,
    /// The numbers of an insured card.
    Number(&'q NumberQuery),
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'q> {
    /// By card or by number.
    pub by: By<'q>,
    /// The day asked about.
    pub date: Day,
    /// Today in Japan.
    pub today: Day,
    /// What the patient lets be seen.
    pub consent: Consent,
    /// Whether the caller may see the coverages of other insurers (role `review`).
    pub sees_newer: bool,
}

/// How far a source's word reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Reach {
    /// The source is complete up to this time.
    pub as_of: Option<Timestamp>,
    /// Why a negative answer must not rest on it: `Stale`, `HeldBack` or `NeverFed`.
    pub doubt: Option<Reason>,
}

/// The answer, still holding on to the person it is about.
#[derive(Clone, Debug)]
pub struct Eligibility<'p, T = Box<str>> {
    /// The outcome.
    pub status: Status,
    /// Why, where the status alone does not say it.
    pub reason: Option<Reason>,
    /// The day asked about.
    pub date: Day,
    /// The coverages shown.
    pub coverages: Vec<Shown<'p, T>>,
    /// The coverages of others that hold the day: for role `review` with `invalid_newer`.
    pub newer: Option<Vec<Shown<'p, T>>>,
    /// Echoed.
    pub consent: Consent,
    /// How far the source reaches on which the answer hangs.
    pub as_of: Option<Timestamp>,
    /// Nobody fits a number whose check digit is wrong.
    pub looks_mistyped: bool,
}

/// Decides.
///
/// `reach` tells of each source how far its word goes; a person's own data is in `found`.
pub fn decide<'p, T: Written>(
    found: Found<&'p Person<T>>,
    asked: &Asked<'_>,
    reach: &dyn Fn(Source) -> Reach,
) -> Eligibility<'p, T> {
    let rule = Rule { asked, reach };
    match (asked.by, found) {
        (By::Card, Found::One(person)) => rule.card(person),
        (By::Card, Found::Unlinked | Found::Nobody) => {
            rule.doubtful(Status::NotLinked, Vec::new(), Source::Portal)
        }
        // A linked card of whom nobody has spoken; a serial leads to one person at the most.
        (By::Card, Found::Unknown | Found::Several) => rule.not_fed(),
        (By::Number(query), Found::One(person)) => rule.number(query, person),
        (By::Number(query), Found::Several) => {
            rule.plain(Status::Multiple, None, Vec::new(), Some(query.key.insurer()))
        }
        (By::Number(query), Found::Nobody | Found::Unlinked | Found::Unknown) => {
            rule.doubtful(Status::NotFound, Vec::new(), Source::Insurer(query.key.insurer()))
        }
    }
}

/// Whether the person may be linked to a card: no insurer that counts has declared the card
/// unusable, and none of them has closed the person to viewing, for then it is not sure that the
/// record is this person's.
#[must_use]
pub fn may_be_linked<T>(person: &Person<T>, today: Day) -> bool {
    !Standing::of(person, today).card_unusable && !person.memberships.iter().any(is_closed)
}

/// What restricts the person today, by insurer. It restricts what is shown of earlier knowledge too:
/// protection is never undone by looking back.
pub fn protections<T>(person: &Person<T>, today: Day) -> impl Iterator<Item = (InsurerNumber, Restrictions)> {
    let hides = Standing::of(person, today).hides_address;
    let address = if hides { Restrictions::NONE.with(Restriction::HideAddress) } else { Restrictions::NONE };
    person.memberships.iter().map(move |one| {
        let restrictions = if is_closed(one) { address.with(Restriction::Closed) } else { address };
        (one.insurer, restrictions)
    })
}

struct Rule<'r> {
    asked: &'r Asked<'r>,
    reach: &'r dyn Fn(Source) -> Reach,
}

/// A coverage with the insurer and the person's data it belongs to.
struct Candidate<'p, T> {
    insurer: InsurerNumber,
    member: &'p Member<T>,
    coverage: &'p Coverage<T>,
}

impl<T> Clone for Candidate<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Candidate<'_, T> {}

impl Rule<'_> {
    fn card<'p, T>(&self, person: &'p Person<T>) -> Eligibility<'p, T> {
        if !person.is_fed() {
            return self.not_fed();
        }
        let standing = Standing::of(person, self.asked.today);
        if standing.card_unusable {
            return self.plain(Status::Withheld, Some(Reason::CardUnusable), Vec::new(), None);
        }
        let open = || candidates(person, |membership| !is_closed(membership));
        let holding: Vec<_> = open().filter(|one| one.coverage.holds(self.asked.date)).collect();
        if !holding.is_empty() {
            let coverages = self.shown(holding, standing);
            let hangs_on = coverages.first().map(|first| first.insurer);
            return self.plain(Status::Valid, None, coverages, hangs_on);
        }
        // Neither may a hidden coverage be shown, nor may the answer deny what it holds.
        let hidden = candidates(person, is_closed).any(|one| one.coverage.holds(self.asked.date));
        let fed_open = person.memberships.iter().find(|one| one.member.is_some() && !is_closed(one));
        let Some(fed_open) = fed_open.filter(|_| !hidden) else {
            return self.plain(Status::Withheld, Some(Reason::Closed), Vec::new(), None);
        };
        let coverages = self.nearest(open(), standing);
        let hangs_on = coverages.first().map_or(fed_open.insurer, |first| first.insurer);
        self.doubtful(Status::Invalid, coverages, Source::Insurer(hangs_on))
    }

    fn number<'p, T: Written>(&self, query: &NumberQuery, person: &'p Person<T>) -> Eligibility<'p, T> {
        let insurer = query.key.insurer();
        let entry = person.membership(insurer);
        let named = entry.and_then(|entry| Some((entry, named(query, insurer, entry.member.as_ref()?))));
        // An index may have led here for less than the whole question: then nobody fits.
        let Some((membership, asked)) = named.filter(|(_, asked)| !asked.is_empty()) else {
            return self.doubtful(Status::NotFound, Vec::new(), Source::Insurer(insurer));
        };
        if is_closed(membership) {
            return self.plain(Status::Withheld, Some(Reason::Closed), Vec::new(), Some(insurer));
        }
        let standing = Standing::of(person, self.asked.today);
        let holds = |one: &Candidate<'p, T>| one.coverage.holds(self.asked.date);
        let holding: Vec<_> = asked.iter().copied().filter(holds).collect();
        if !holding.is_empty() {
            return self.plain(Status::Valid, None, self.shown(holding, standing), Some(insurer));
        }
        let coverages = self.nearest(asked.into_iter(), standing);
        if candidates(person, |_| true).any(|one| holds(&one)) {
            let newer = self.asked.sees_newer.then(|| {
                let open = candidates(person, |membership| !is_closed(membership)).filter(holds).collect();
                self.shown(open, standing)
            });
            let plain = self.plain(Status::InvalidNewer, None, coverages, Some(insurer));
            return Eligibility { newer, ..plain };
        }
        self.doubtful(Status::Invalid, coverages, Source::Insurer(insurer))
    }

    /// Of coverages that do not hold the day: the one that ended last before it, else the next.
    fn nearest<'p, T>(
        &self,
        all: impl Iterator<Item = Candidate<'p, T>>,
        standing: Standing<'p, T>,
    ) -> Vec<Shown<'p, T>> {
        let date = self.asked.date;
        let mut all: Vec<_> = all.collect();
        all.sort_by(by_recency);
        let ended = all.iter().filter(|one| one.coverage.ended_before(date));
        // `rev`: of equals, `max_by_key` keeps the last, and the order has the most recent first.
        let last = ended.rev().max_by_key(|one| one.coverage.ends_on());
        // One that was lost before it could begin will never begin.
        let begins = |one: &&Candidate<'_, T>| one.coverage.holds(one.coverage.starts_on());
        let next = || all.iter().filter(begins).min_by_key(|one| one.coverage.starts_on());
        let Some(one) = last.or_else(next) else { return Vec::new() };
        let mut shown = self.show(*one, standing);
        if last.is_some() {
            let lost = one.coverage.disqualified_on.is_some_and(|loss| loss <= date);
            shown.ended_by = Some(if lost { EndedBy::Loss } else { EndedBy::Period });
        } else {
            shown.starts_on = Some(one.coverage.starts_on());
        }
        vec![shown]
    }

    fn shown<'p, T>(&self, mut all: Vec<Candidate<'p, T>>, standing: Standing<'p, T>) -> Vec<Shown<'p, T>> {
        all.sort_by(by_recency);
        all.into_iter().map(|one| self.show(one, standing)).collect()
    }

    fn show<'p, T>(&self, one: Candidate<'p, T>, standing: Standing<'p, T>) -> Shown<'p, T> {
        let as_of = (self.reach)(Source::Insurer(one.insurer)).as_of;
        Shown::of(one, self.asked, standing, as_of)
    }

    fn not_fed<'p, T>(&self) -> Eligibility<'p, T> {
        let as_of = (self.reach)(Source::Portal).as_of;
        let plain = self.plain(Status::Unconfirmed, Some(Reason::PersonNotFed), Vec::new(), None);
        Eligibility { as_of, ..plain }
    }

    /// An answer that stands whatever its source's age.
    fn plain<'p, T>(
        &self,
        status: Status,
        reason: Option<Reason>,
        coverages: Vec<Shown<'p, T>>,
        hangs_on: Option<InsurerNumber>,
    ) -> Eligibility<'p, T> {
        let as_of = hangs_on.and_then(|insurer| (self.reach)(Source::Insurer(insurer)).as_of);
        let Asked { date, consent, .. } = *self.asked;
        let looks_mistyped = matches!(self.asked.by, By::Number(query) if status == Status::NotFound && query.looks_mistyped());
        Eligibility { status, reason, date, coverages, newer: None, consent, as_of, looks_mistyped }
    }

    /// A negative answer, which becomes `unconfirmed` when its source is in doubt.
    fn doubtful<'p, T>(
        &self,
        status: Status,
        coverages: Vec<Shown<'p, T>>,
        hangs_on: Source,
    ) -> Eligibility<'p, T> {
        let Reach { as_of, doubt } = (self.reach)(hangs_on);
        let status = if doubt.is_some() { Status::Unconfirmed } else { status };
        Eligibility { as_of, ..self.plain(status, doubt, coverages, None) }
    }
}

/// The coverages that the question names.
fn named<'p, T: Written>(
    query: &NumberQuery,
    insurer: InsurerNumber,
    member: &'p Member<T>,
) -> Vec<Candidate<'p, T>> {
    let asked = query.asked(insurer, member).filter_map(|at| member.coverages.get(at));
    asked.map(|coverage| Candidate { insurer, member, coverage }).collect()
}

fn is_closed<T>(membership: &Membership<T>) -> bool {
    membership.restrictions().has(Restriction::Closed)
}

fn candidates<'p, T>(
    person: &'p Person<T>,
    of: impl Fn(&Membership<T>) -> bool,
) -> impl Iterator<Item = Candidate<'p, T>> {
    person.memberships.iter().filter(move |one| of(one)).flat_map(|membership| {
        let insurer = membership.insurer;
        membership.member.iter().flat_map(move |member| {
            member.coverages.iter().map(move |coverage| Candidate { insurer, member, coverage })
        })
    })
}
