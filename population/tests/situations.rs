//! Every situation is answered as it says, from the records of its own person, on any day.

use std::collections::BTreeMap;

use eligibility::coverage::{Person, Restrictions};
use eligibility::day::Day;
use eligibility::decision::{Asked, By, Found, Reach, Reason, decide};
use eligibility::feed::{Record, Said, Source};
use eligibility::number::LinkNumber;
use eligibility::query::Consent;
use population::Population;
use population::card::CardState;
use population::situation::Expected;
use proptest::prelude::*;

const DAY: Day = Day::from_number(20_778); // 2026-11-21

/// What a gateway would have in memory after these records.
#[derive(Default)]
struct Memory {
    people: BTreeMap<LinkNumber, Person>,
    links: BTreeMap<Vec<u8>, LinkNumber>,
    fed: Vec<Source>,
}

impl Memory {
    fn of(population: &Population) -> Self {
        let mut memory = Self { fed: population.sources().collect(), ..Self::default() };
        population.named_records(0).for_each(|record| memory.take(record));
        memory
    }

    fn take(&mut self, record: Record) {
        match (record.source, record.said) {
            (Source::Insurer(insurer), Said::Member { link_number, member }) => {
                let person = self.person(link_number);
                let membership = person.membership_mut(insurer);
                membership.member = member.map(|member| *member);
                membership.pending = Restrictions::NONE;
            }
            (_, Said::Link { serial, link_number: Some(number) }) => {
                self.links.insert(serial.octets().to_vec(), number);
            }
            (_, Said::Renewal { serial, previous_serial }) => {
                let number = self.links[&previous_serial.octets().to_vec()];
                self.links.insert(serial.octets().to_vec(), number);
            }
            (Source::City(city), Said::Subsidy { link_number, subsidies: Some(subsidies) }) => {
                self.person(link_number).subsidies.push((city, subsidies));
            }
            (source, said) => unreachable!("{source} says {said:?}"),
        }
    }

    fn person(&mut self, number: LinkNumber) -> &mut Person {
        self.people.entry(number).or_insert_with(|| Person::new(number))
    }

    fn reach(&self, source: Source) -> Reach {
        let doubt = (!self.fed.contains(&source)).then_some(Reason::NeverFed);
        Reach { as_of: None, doubt }
    }
}

fn asked(by: By<'_>, day: Day) -> Asked<'_> {
    let consent = Consent { limit_certificate: true, specific_disease: true, subsidies: true };
    Asked { by, date: day, today: day, consent, sees_newer: false }
}

fn check_all(day: Day) {
    let population = Population::new(1, 0, day);
    let memory = Memory::of(&population);
    let cards = population.cards();
    for situation in population.situations() {
        let name = situation.name;
        let reach = |source| memory.reach(source);
        assert_eq!(situation.question.is_some(), situation.by_number.is_some(), "{name}");
        if let (Some(question), Some(expected)) = (&situation.question, situation.by_number) {
            let query = question.query();
            let fits = |person: &&Person| {
                let insurer = query.key.insurer();
                let member = person.membership(insurer).and_then(|one| one.member.as_ref());
                member.is_some_and(|member| query.asked(insurer, member).next().is_some())
            };
            let mut all = memory.people.values().filter(fits);
            let found = match (all.next(), all.next()) {
                (Some(_), Some(_)) => Found::Several,
                (Some(one), None) => Found::One(one),
                _ => Found::Nobody,
            };
            let answer = decide(found, &asked(By::Number(&query), day), &reach);
            assert_eq!(Expected::Answer(answer.status, answer.reason), expected, "{name} on {day}");
        }
        if let Some(expected) = situation.by_card {
            let card = cards.iter().find(|card| &*card.name == name).expect(name);
            if let Expected::Refused(code) = expected {
                assert_eq!(card.state.refusal(), Some(code), "{name}");
                continue;
            }
            let number = memory.links.get(&card_octets(card.serial));
            assert_eq!(number, card.link_number.as_ref(), "{name}");
            assert_eq!(number.is_none(), card.state == CardState::Unlinked, "{name}");
            let found = match number.map(|number| memory.people.get(number)) {
                None => Found::Unlinked,
                Some(None) => Found::Unknown,
                Some(Some(person)) => Found::One(person),
            };
            let answer = decide(found, &asked(By::Card, day), &reach);
            assert_eq!(Expected::Answer(answer.status, answer.reason), expected, "{name} on {day}");
        }
    }
}

fn card_octets(serial: u64) -> Vec<u8> {
    let mut octets = vec![0; 12];
    octets.extend(serial.to_be_bytes());
    octets
}

#[test]
fn every_situation_is_answered_as_it_says() {
    check_all(DAY);
}

#[test]
fn the_first_and_last_days_of_months_and_leap_days_change_nothing() {
    for text in ["2028-02-29", "2027-03-01", "2026-07-31", "2026-08-01", "2027-01-01", "2027-04-30"] {
        check_all(Day::parse(text).expect(text));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_situation_grows_old(ahead in 0..12_000_i32) {
        check_all(DAY.plus(ahead));
    }
}

#[test]
fn names_and_sentences_are_one_each() {
    let population = Population::new(1, 0, DAY);
    let mut names: Vec<_> = population.situations().iter().map(|one| one.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), population.situations().len());
    assert!(names.len() >= 40, "{}", names.len());
    for one in population.situations() {
        assert!(one.desk.ends_with('。'), "{}", one.name);
        assert!(one.by_number.is_some() || one.by_card.is_some(), "{}", one.name);
    }
}

#[test]
fn cards_are_planned_in_every_state() {
    let cards = Population::new(1, 10_000, DAY).cards();
    assert!((40..=70).contains(&cards.len()), "{}", cards.len());
    for state in CardState::ALL {
        assert!(cards.iter().any(|card| card.state == state), "{state:?}");
    }
    let mut serials: Vec<_> = cards.iter().map(|card| card.serial).collect();
    serials.sort_unstable();
    serials.dedup();
    assert_eq!(serials.len(), cards.len());
    assert!(serials.contains(&114_390_001));
}
