//! A long run of random operations against plain maps: feeds, corrections, deletions, cards that move,
//! questions about days long past, restarts.

use std::collections::{BTreeMap, BTreeSet};

use cache::{Key, open};
use eligibility::coverage::{Membership, Person, Restrictions, Written};
use eligibility::day::Day;
use eligibility::decision::{Asked, By, Eligibility, Found, Reach, decide};
use eligibility::feed::{Said, Source};
use eligibility::number::{InsurerNumber, LinkNumber, Serial};
use eligibility::query::{Consent, NumberQuery};

use crate::support::{House, INSURER, OTHER, Told, link, link_number, query, record, serial, source_of};

const PEOPLE: u64 = 3_000;
const CARDS: u64 = 4_000;
/// Few enough that people share numbers.
const NUMBERS: u64 = 2_000;

/// The same numbers in every run of a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn day(&mut self) -> Day {
        // Some day of 2015 to 2026.
        Day::from_number(16_436 + self.below(4_300) as i32)
    }
}

/// By what somebody is found by number: insurer, number, birth date.
type Named = (InsurerNumber, u64, Day);

/// Everybody, in maps.
#[derive(Default)]
struct Plain {
    people: BTreeMap<LinkNumber, Person>,
    cards: BTreeMap<Serial, LinkNumber>,
    named: BTreeMap<Named, BTreeSet<LinkNumber>>,
}

fn names(person: &Person) -> Vec<Named> {
    let members = person.memberships.iter().filter_map(|one| Some((one.insurer, one.member.as_ref()?)));
    let each = members.flat_map(|(insurer, member)| {
        member.coverages.iter().map(move |one| (insurer, one.number.parse().unwrap(), member.birth_date))
    });
    each.collect()
}

impl Plain {
    fn take(&mut self, source: Source, said: &Said) {
        match (source, said) {
            (Source::Insurer(insurer), Said::Member { link_number, member }) => {
                let person = self.people.entry(*link_number).or_insert_with(|| Person::new(*link_number));
                for name in names(person) {
                    self.named.entry(name).or_default().remove(link_number);
                }
                person.memberships.retain(|one| one.insurer != insurer);
                let member = member.as_deref().cloned();
                if member.is_some() {
                    person.memberships.push(Membership { insurer, member, pending: Restrictions::NONE });
                    person.memberships.sort_by_key(|one| one.insurer);
                }
                for name in names(person) {
                    self.named.entry(name).or_default().insert(*link_number);
                }
                if person.memberships.is_empty() {
                    self.people.remove(link_number);
                }
            }
            (_, Said::Link { serial, link_number: Some(link) }) => drop(self.cards.insert(*serial, *link)),
            (_, Said::Link { serial, link_number: None }) => drop(self.cards.remove(serial)),
            _ => unreachable!(),
        }
    }

    fn find(&self, key: &Key<'_>, number: u64) -> Found<&Person> {
        match key {
            Key::Card(serial) => match self.cards.get(serial) {
                None => Found::Unlinked,
                Some(link) => self.people.get(link).map_or(Found::Unknown, Found::One),
            },
            Key::Number(query) => {
                let none = BTreeSet::new();
                let fitting =
                    self.named.get(&(query.key.insurer(), number, query.birth_date)).unwrap_or(&none);
                match (fitting.first(), fitting.len()) {
                    (None, _) => Found::Nobody,
                    (Some(link), 1) => Found::One(&self.people[link]),
                    _ => Found::Several,
                }
            }
        }
    }
}

/// A member with up to four coverages, or none any more.
fn said(dice: &mut Dice, source: &str, sequence: u64) -> Told {
    let person = 1 + dice.below(PEOPLE);
    let rest = match dice.below(8) {
        0 => r#""deleted":true"#.to_owned(),
        turn => {
            let mut coverages = Vec::new();
            for _ in 0..dice.below(4) + turn % 2 {
                let (from, number) = (dice.day(), dice.below(NUMBERS));
                let loss = match dice.below(3) {
                    0 => String::new(),
                    _ => format!(
                        r#","disqualified_on":"{}","loss_reason":"01""#,
                        from.plus(dice.below(900) as i32)
                    ),
                };
                coverages
                    .push(format!(r#"{{"symbol":"1","number":"{number}","qualified_on":"{from}"{loss}}}"#));
            }
            format!(
                r#""name":"見本　{}","sex":"male","birth_date":"1980-01-1{}","restrictions":[],"coverages":[{}]"#,
                dice.below(9),
                person % 2,
                coverages.join(",")
            )
        }
    };
    record(source, sequence, &format!(r#""kind":"member","link_number":"{person:016}",{rest}"#))
}

/// What an answer says, in a form that can be compared.
fn words<T: Written>(eligibility: &Eligibility<'_, T>) -> Vec<String> {
    let shown = eligibility.coverages.iter().map(|one| {
        let (name, number) = (one.member.name.text(), one.coverage.number.text());
        format!("{} {name} {number} {:?} {:?}", one.insurer, one.coverage, one.ended_by)
    });
    std::iter::once(format!("{:?} {:?}", eligibility.status, eligibility.reason)).chain(shown).collect()
}

/// Asks for somebody on some day, both ways.
fn compare(dice: &mut Dice, house: &House, plain: &Plain) {
    let asked: NumberQuery;
    let number = dice.below(NUMBERS);
    let key = if dice.below(2) == 0 {
        Key::Card(serial(1 + dice.below(CARDS)))
    } else {
        let insurer = if dice.below(2) == 0 { INSURER } else { OTHER };
        asked = query(insurer, number, dice.below(2));
        Key::Number(&asked)
    };
    let by = match &key {
        Key::Card(_) => By::Card,
        Key::Number(query) => By::Number(query),
    };
    let date = dice.day();
    let asked = Asked { by, date, today: date, consent: Consent::default(), sees_newer: true };
    let reach = |_| Reach::default();
    let view = house.reader.view();
    view.prefetch(std::slice::from_ref(&key));
    let found = view.find(&key);
    let expected = decide(plain.find(&key, number), &asked, &reach);
    assert_eq!(words(&decide(found.as_ref(), &asked, &reach)), words(&expected), "{key:?} on {date}");
}

fn run(operations: u64, restarts: u64) {
    let folder = tempfile::tempdir().unwrap();
    let (mut house, mut plain, mut dice) = (House::new(), Plain::default(), Dice(operations));
    let mut done = 0;
    while done < operations {
        let source = [INSURER, OTHER, "portal"][dice.below(3) as usize];
        let mut batch = Vec::new();
        for _ in 0..1 + dice.below(200) {
            done += 1;
            batch.push(match source {
                "portal" => {
                    let to = (dice.below(5) > 0).then(|| 1 + dice.below(PEOPLE));
                    link(source, done, 1 + dice.below(CARDS), to)
                }
                _ => said(&mut dice, source, done),
            });
        }
        house.apply(source, &batch);
        for told in &batch {
            let Told::Accepted(record) = told else { unreachable!() };
            plain.take(source_of(source), &record.said);
        }
        for _ in 0..batch.len() * 2 {
            done += 1;
            compare(&mut dice, &house, &plain);
        }
        if dice.below(operations / 300 / restarts) == 0 {
            house.writer.save(folder.path()).unwrap();
            (house.writer, house.reader) = open(folder.path()).unwrap();
        }
        assert_eq!((house.reader.persons(), house.reader.serials()), (plain.people.len(), plain.cards.len()));
    }
    let everybody = (1..=PEOPLE).filter_map(|person| house.person(person));
    assert!(everybody.map(|one| Person::clone(&one)).eq(plain.people.into_values()));
    let owners = (1..=CARDS).filter_map(|card| Some((serial(card), house.reader.owner(serial(card))?)));
    assert!(owners.eq(plain.cards));
    assert!(house.person(PEOPLE + 1).is_none() && house.reader.owner(serial(CARDS + 1)).is_none());
    assert!(!house.reader.has_card(link_number(PEOPLE + 1)));
}

#[test]
fn many_operations_agree_with_plain_maps() {
    run(60_000, 5);
}

/// Minutes long: `cargo test --release -p cache --test cache -- --ignored ten_million`
#[test]
#[ignore = "minutes long; the command stands in the README"]
fn ten_million_operations_agree_with_plain_maps() {
    run(10_000_000, 60);
}
