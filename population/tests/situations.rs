//! Every situation is answered as it says, from the records of its own person, on any day.

use std::collections::BTreeMap;

use eligibility::coverage::{Person, Restrictions};
use eligibility::day::Day;
use eligibility::decision::{Asked, By, Eligibility, EndedBy, Found, Reach, Reason, decide};
use eligibility::feed::{Record, Said, Source};
use eligibility::number::LinkNumber;
use eligibility::query::Consent;
use population::Population;
use population::card::{CardPlan, CardState};
use population::resident::Question;
use population::situation::{Expected, Situation};
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

/// A reception desk before this population.
struct Desk {
    population: Population,
    memory: Memory,
    day: Day,
}

impl Desk {
    fn on(day: Day) -> Self {
        let population = Population::new(1, 0, day);
        let memory = Memory::of(&population);
        Self { population, memory, day }
    }

    fn asked<'q>(&self, by: By<'q>) -> Asked<'q> {
        let consent = Consent { limit_certificate: true, specific_disease: true, subsidies: true };
        Asked { by, date: self.day, today: self.day, consent, sees_newer: false }
    }

    fn situation(&self, name: &str) -> &Situation {
        self.population.situations().iter().find(|one| one.name == name).expect(name)
    }

    fn by_number(&self, question: &Question) -> Eligibility<'_> {
        let query = question.query();
        let fits = |person: &&Person| {
            let insurer = query.key.insurer();
            let member = person.membership(insurer).and_then(|one| one.member.as_ref());
            member.is_some_and(|member| query.asked(insurer, member).next().is_some())
        };
        let mut all = self.memory.people.values().filter(fits);
        let found = match (all.next(), all.next()) {
            (Some(_), Some(_)) => Found::Several,
            (Some(one), None) => Found::One(one),
            _ => Found::Nobody,
        };
        decide(found, &self.asked(By::Number(&query)), &|source| self.memory.reach(source))
    }

    fn by_card(&self, card: &CardPlan) -> Eligibility<'_> {
        let number = self.memory.links.get(&card_octets(card.serial));
        assert_eq!(number, card.link_number.as_ref(), "{}", card.name);
        assert_eq!(number.is_none(), card.state == CardState::Unlinked, "{}", card.name);
        let found = match number.map(|number| self.memory.people.get(number)) {
            None => Found::Unlinked,
            Some(None) => Found::Unknown,
            Some(Some(person)) => Found::One(person),
        };
        decide(found, &self.asked(By::Card), &|source| self.memory.reach(source))
    }

    fn card(&self, name: &str) -> CardPlan {
        self.population.cards().into_iter().find(|card| &*card.name == name).expect(name)
    }
}

fn check_all(day: Day) {
    let desk = Desk::on(day);
    let cards = desk.population.cards();
    for situation in desk.population.situations() {
        let name = situation.name;
        assert_eq!(situation.question.is_some(), situation.by_number.is_some(), "{name}");
        if let (Some(question), Some(expected)) = (&situation.question, situation.by_number) {
            let answer = desk.by_number(question);
            assert_eq!(Expected::Answer(answer.status, answer.reason), expected, "{name} on {day}");
        }
        if let Some(expected) = situation.by_card {
            let card = cards.iter().find(|card| &*card.name == name).expect(name);
            let refusal = card.state.refusal().map(Expected::Refused);
            let answer = desk.by_card(card);
            let answered = Expected::Answer(answer.status, answer.reason);
            assert_eq!(refusal.unwrap_or(answered), expected, "{name} on {day}");
        }
    }
}

#[test]
fn the_desk_sees_what_the_sentence_says() {
    let desk = Desk::on(DAY);
    let number = |name: &str| desk.by_number(desk.situation(name).question.as_ref().expect(name));
    let both = |name| desk.by_card(&desk.card(name)).coverages.len();
    for name in ["overlap-day", "late-report", "seafarer-late-elderly", "mutual-aid-late-elderly"] {
        assert_eq!(both(name), 2, "{name}");
    }
    let ended = |name| number(name).coverages.first().and_then(|one| one.ended_by);
    assert_eq!(ended("gap-now"), Some(EndedBy::Loss));
    assert_eq!(ended("lost-today"), Some(EndedBy::Loss));
    assert_eq!(ended("period-ended"), Some(EndedBy::Period));
    assert_eq!(number("starts-in-future").coverages[0].starts_on, Some(DAY.plus(10)));
    assert!(number("hide-address").coverages[0].hides_address);
    assert!(number("card-unusable").coverages[0].hides_address);
    let share = |name| number(name).coverages[0].elderly.and_then(|one| one.copay_percent);
    assert_eq!(share("elderly-certificate"), Some(20));
    assert_eq!(share("seventy-on-the-first"), Some(20));
    assert_eq!(share("seventy-this-month"), None);
    assert!(number("limit-certificate").coverages[0].limit_certificate.is_some());
    assert_eq!(number("dialysis").coverages[0].specific_diseases.len(), 0);
    assert_eq!(desk.by_card(&desk.card("dialysis")).coverages[0].specific_diseases.len(), 1);
    let subsidies = |name| number(name).coverages[0].subsidies.as_ref().map(Vec::len);
    assert_eq!(subsidies("subsidies"), Some(2));
    assert_eq!(subsidies("preschool-child"), Some(1));
    assert_eq!(subsidies("employee"), None);
}

#[test]
fn a_renewed_card_is_linked_through_the_one_before() {
    let desk = Desk::on(DAY);
    let plan = desk.card("card-renewed");
    let person = desk.population.person(plan.person).expect("a person");
    let card = person.card.expect("a card");
    assert_eq!(card.serial, plan.serial);
    assert_eq!(card.linked_serial(), card.renewed_from);
    assert!(card.renewed_from.is_some());
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
    assert!((40..=72).contains(&cards.len()), "{}", cards.len());
    for state in CardState::ALL {
        assert!(cards.iter().any(|card| card.state == state), "{state:?}");
    }
    let mut serials: Vec<_> = cards.iter().map(|card| card.serial).collect();
    serials.sort_unstable();
    serials.dedup();
    assert_eq!(serials.len(), cards.len());
    assert!(serials.contains(&114_390_001));
}
