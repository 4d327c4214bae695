//! Which rows of a source matter for those who are looked for.

use std::collections::{BTreeMap, HashMap, HashSet};

use eligibility::day::Day;
use eligibility::feed::{Record, Said, Subject};
use eligibility::number::{InsurerNumber, LinkNumber, NumberKey};
use eligibility::query::NumberQuery;
use ledger::Glance;

/// Whom questions ask for: by birth date, the numbers.
pub(super) type Persons = HashMap<Day, HashSet<NumberKey>>;

/// Whom questions ask for, by insurer.
#[derive(Default)]
pub struct Wanted(BTreeMap<InsurerNumber, Persons>);

impl Wanted {
    /// Those of one question.
    #[must_use]
    pub fn of(query: &NumberQuery) -> Self {
        let mut wanted = Self::default();
        wanted.add(query);
        wanted
    }

    /// Adds those of another question.
    pub fn add(&mut self, query: &NumberQuery) {
        let persons = self.0.entry(query.key.insurer()).or_default();
        persons.entry(query.birth_date).or_default().insert(query.key.clone());
    }

    pub(super) fn by_insurer(&self) -> impl Iterator<Item = (InsurerNumber, &Persons)> {
        self.0.iter().map(|(insurer, persons)| (*insurer, persons))
    }
}

/// Lets through what a source says of some persons, and of its own standing: marks, and what is or was
/// in quarantine.
pub(super) struct Sieve<'w> {
    wanted: Option<(InsurerNumber, &'w Persons)>,
    /// Whose rows are let through.
    persons: HashSet<LinkNumber>,
    found: HashSet<LinkNumber>,
}

impl<'w> Sieve<'w> {
    /// For those who, in this insurer's words, were ever among the wanted, for the persons known
    /// already, and for its standing.
    pub(super) fn of(wanted: &'w Persons, insurer: InsurerNumber, known: HashSet<LinkNumber>) -> Self {
        Self { wanted: Some((insurer, wanted)), persons: known, found: HashSet::new() }
    }

    /// For these persons, and for the source's standing.
    pub(super) fn all_of(persons: HashSet<LinkNumber>) -> Self {
        Self { wanted: None, persons, found: HashSet::new() }
    }

    /// Whom it has found out.
    pub(super) fn into_found(self) -> HashSet<LinkNumber> {
        self.found
    }

    /// Whether a row is let through. Rows come in the order read: what was said of a person before the
    /// numbers fitted was replaced.
    pub(super) fn wants(&mut self, row: Glance<'_>) -> bool {
        if let Some(refused) = row.refused() {
            if let Some(Subject::Person(person)) = refused.subject {
                // An accepted word on the same person makes it good.
                self.persons.insert(person);
            }
            return true;
        }
        if row.is_veiled() || row.may_settle() {
            let Some(record) = row.record() else { return false };
            let settles = matches!(record.said, Said::Mark { .. }) || !record.resolves.is_empty();
            let of = record.said.subject();
            let known = matches!(of, Some(Subject::Person(person)) if self.persons.contains(&person));
            return self.meets(&record) || known || settles;
        }
        let born = row.birth_date().and_then(|day| Day::parse(str::from_utf8(day).ok()?));
        let on_that_day = born.is_some_and(|day| self.wanted.is_some_and(|(_, all)| all.contains_key(&day)));
        if on_that_day && row.record().is_some_and(|record| self.meets(&record)) {
            return true;
        }
        let person =
            row.link_number().and_then(|digits| LinkNumber::parse(str::from_utf8(digits).ok()?).ok());
        person.is_some_and(|person| self.persons.contains(&person))
    }

    /// Whether the record is on somebody wanted, who is known from then on.
    fn meets(&mut self, record: &Record) -> bool {
        let Said::Member { link_number, member: Some(member) } = &record.said else { return false };
        let Some((insurer, wanted)) = self.wanted else { return false };
        let numbers = wanted.get(&member.birth_date);
        let fits = numbers.is_some_and(|numbers| {
            member.coverages.iter().any(|coverage| numbers.contains(&coverage.key(insurer)))
        });
        if fits {
            self.persons.insert(*link_number);
            self.found.insert(*link_number);
        }
        fits
    }
}
