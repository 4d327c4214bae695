//! Random batches against a model that derives every answer from the list of all records.

use std::collections::BTreeMap;

use eligibility::coverage::{Membership, Person, Restrictions};
use eligibility::day::Timestamp;
use eligibility::feed::{Said, Source, Subject};
use eligibility::number::{LinkNumber, Serial};
use proptest::prelude::*;

use crate::support::{
    CITY, House, INSURER, OTHER, Told, closed, dismissal, found, link, link_number, mark, member, name,
    query, refused, refused_member, renewal, resolving, serial, source_of, subsidy, withdrawn,
};

pub(crate) const SOURCES: [&str; 6] = [INSURER, OTHER, "portal", "jlis", CITY, "gateway"];

/// Everything that was ever said, in order.
#[derive(Default)]
pub(crate) struct Model(pub(crate) Vec<(Source, Told)>);

impl Model {
    fn accepted(&self) -> impl Iterator<Item = (Source, &Said)> {
        self.0.iter().filter_map(|(source, told)| match told {
            Told::Accepted(record) => Some((*source, &record.said)),
            Told::Refused(..) => None,
        })
    }

    /// Who owns which card after the first `until` records.
    fn owners(&self, until: usize) -> BTreeMap<Serial, LinkNumber> {
        let mut owners = BTreeMap::new();
        for (_, told) in &self.0[..until] {
            let Told::Accepted(record) = told else { continue };
            match &record.said {
                Said::Link { serial, link_number: Some(link) } => drop(owners.insert(*serial, *link)),
                Said::Link { serial, link_number: None } => drop(owners.remove(serial)),
                Said::Renewal { serial, previous_serial } => {
                    if let Some(owner) = owners.get(previous_serial).copied() {
                        owners.insert(*serial, owner);
                    }
                }
                _ => {}
            }
        }
        owners
    }

    fn membership(&self, source: Source, link: LinkNumber) -> Option<Membership> {
        let Source::Insurer(insurer) = source else { return None };
        let mut found = Membership { insurer, member: None, pending: Restrictions::NONE };
        for (_, told) in self.0.iter().filter(|(by, _)| *by == source) {
            match told {
                Told::Accepted(record) => match &record.said {
                    Said::Member { link_number, member } if *link_number == link => {
                        found = Membership {
                            member: member.as_deref().cloned(),
                            pending: Restrictions::NONE,
                            ..found
                        };
                    }
                    _ => {}
                },
                Told::Refused(_, one) if one.subject == Some(Subject::Person(link)) => {
                    found.pending = found.pending.and(one.protect);
                }
                Told::Refused(..) => {}
            }
        }
        (found.member.is_some() || found.pending != Restrictions::NONE).then_some(found)
    }

    fn person(&self, link: LinkNumber) -> Option<Person> {
        let mut person = Person::new(link);
        person.memberships =
            SOURCES.iter().filter_map(|name| self.membership(source_of(name), link)).collect();
        person.memberships.sort_by_key(|one| one.insurer);
        for (at, (source, told)) in self.0.iter().enumerate() {
            let (Source::City(city), Told::Accepted(record)) = (source, told) else { continue };
            match &record.said {
                Said::Subsidy { link_number, subsidies } if *link_number == link => {
                    let has_card = self.owners(at).values().any(|owner| *owner == link);
                    if subsidies.is_none() || has_card {
                        person.subsidies = subsidies.iter().map(|all| (*city, all.clone())).collect();
                    }
                }
                _ => {}
            }
        }
        (!person.memberships.is_empty() || !person.subsidies.is_empty()).then_some(person)
    }

    /// Whether the refused record at this place is made good by one after it.
    fn is_closed(&self, at: usize) -> bool {
        let (source, Told::Refused(sequence, one)) = &self.0[at] else { return true };
        self.0[at..].iter().any(|(by, told)| {
            let Told::Accepted(record) = told else { return false };
            let dismissed = matches!(&record.said, Said::Dismissal { of, name: said }
                if of == source && **said == *name(*sequence, one));
            let about = (Some(record.said.kind()), record.said.subject());
            let follows = one.subject.is_some() && (one.kind, one.subject) == about;
            let named = sequence.is_some_and(|sequence| record.resolves.contains(&sequence));
            dismissed || by == source && (follows || named)
        })
    }

    fn open(&self, source: Source) -> Vec<usize> {
        let own = self
            .0
            .iter()
            .enumerate()
            .filter(|(_, (by, told))| *by == source && matches!(told, Told::Refused(..)));
        own.map(|(at, _)| at).filter(|at| !self.is_closed(*at)).collect()
    }

    fn complete_to(&self, source: Source) -> Option<Timestamp> {
        let oldest = self.open(source).first().copied().unwrap_or(usize::MAX);
        let marks = self.0.iter().take(oldest).filter(|(by, _)| *by == source);
        let times = marks.filter_map(|(_, told)| match told {
            Told::Accepted(record) => match record.said {
                Said::Mark { complete_to, .. } => Some(complete_to),
                _ => None,
            },
            Told::Refused(..) => None,
        });
        times.max()
    }

    fn last_word(&self, subject: Subject, source: Source) -> bool {
        self.accepted().any(|(by, said)| by == source && said.subject() == Some(subject))
    }
}

/// What one record is made from: which kind, sequence, person, card or other person, numbers.
pub(crate) type Seed = (u8, u64, u64, u64, Vec<u64>);

fn seed() -> impl Strategy<Value = Seed> {
    (0..10_u8, 1..60_u64, 1..5_u64, 1..5_u64, prop::collection::vec(1..4_u64, 0..3))
}

pub(crate) fn make(source: &str, (choice, sequence, person, other, numbers): Seed) -> Told {
    let resolves: &[u64] = if choice == 9 { &[other * 7, other] } else { &[] };
    let plain = match (source, choice) {
        (INSURER | OTHER, 0..2) => withdrawn(source, sequence, person),
        (INSURER | OTHER, 2..4) => refused_member(sequence, person, closed()),
        ("portal", 0..4) => link(source, sequence, other, None),
        (_, 4) if source != "gateway" => mark(source, sequence, sequence),
        (_, 5) if source != "gateway" => refused(Some(sequence), None, None),
        (INSURER | OTHER, _) => member(source, sequence, person, "a", &numbers),
        ("portal", _) => link(source, sequence, other, Some(person)),
        ("jlis", _) => renewal(sequence, other, person),
        (CITY, 0..2) => subsidy(source, sequence, person, None),
        (CITY, _) => subsidy(source, sequence, person, Some(numbers.len())),
        (_, 0..5) => link(source, sequence, other, Some(person)),
        _ => dismissal(sequence, SOURCES[other as usize], &sequence.to_string()),
    };
    resolving(plain, resolves)
}

/// A batch: the source's place among [`SOURCES`], and its rows.
pub(crate) fn batch() -> impl Strategy<Value = (usize, Vec<Seed>)> {
    (0..SOURCES.len(), prop::collection::vec(seed(), 0..8))
}

proptest! {
    #[test]
    fn memory_agrees_with_the_whole_story(batches in prop::collection::vec(batch(), 1..20)) {
        let mut house = House::new();
        let mut model = Model::default();
        for (source, rows) in batches {
            let source = SOURCES[source];
            let rows: Vec<_> = rows.into_iter().map(|row| make(source, row)).collect();
            house.apply(source, &rows);
            model.0.extend(rows.into_iter().map(|told| (source_of(source), told)));
        }
        agrees(&house, &model)?;
    }
}

/// Whether memory says of everybody what the model says.
pub(crate) fn agrees(house: &House, model: &Model) -> Result<(), TestCaseError> {
    let owners = model.owners(model.0.len());
    let people: Vec<_> = (1..5).filter_map(|person| model.person(link_number(person))).collect();
    prop_assert_eq!(house.reader.persons(), people.len());
    prop_assert_eq!(house.reader.serials(), owners.len());
    for person in 1..5 {
        let expected = model.person(link_number(person));
        let kept = house.person(person);
        prop_assert_eq!(kept.as_deref(), expected.as_ref());
        let has_card = owners.values().any(|owner| *owner == link_number(person));
        prop_assert_eq!(house.reader.has_card(link_number(person)), has_card);
    }
    for card in 1..5 {
        let expected = match owners.get(&serial(card)) {
            None => Err("unlinked"),
            Some(owner) => model.person(*owner).map(|person| person.link_number.value()).ok_or("unknown"),
        };
        prop_assert_eq!(found(house.card(card)), expected);
    }
    for (insurer, number, day) in [INSURER, OTHER]
        .iter()
        .flat_map(|insurer| (1..4).flat_map(move |number| [1, 2].map(|day| (*insurer, number, day))))
    {
        let query = query(insurer, number, day);
        let of = query.key.insurer();
        let fits = |person: &&Person| {
            let member = person.membership(of).and_then(|one| one.member.as_ref());
            member.is_some_and(|member| query.asked(of, member).next().is_some())
        };
        let mut fitting = people.iter().filter(fits);
        let expected = match (fitting.next(), fitting.next()) {
            (None, _) => Err("nobody"),
            (Some(one), None) => Ok(one.link_number.value()),
            _ => Err("several"),
        };
        prop_assert_eq!(found(house.number(&query)), expected);
    }
    for source in SOURCES.map(source_of) {
        let Some(state) = house.reader.source(source) else { continue };
        prop_assert_eq!(state.complete_to, model.complete_to(source), "{}", source);
        prop_assert_eq!(state.quarantine.len(), model.open(source).len());
        let members = people
            .iter()
            .flat_map(|person| &person.memberships)
            .filter(|one| Source::Insurer(one.insurer) == source && one.member.is_some());
        prop_assert_eq!(state.members, members.count() as u64);
        for person in 1..5 {
            let subject = Subject::Person(link_number(person));
            prop_assert_eq!(
                house.reader.last_word(source, subject).is_some(),
                model.last_word(subject, source)
            );
        }
    }
    Ok(())
}
