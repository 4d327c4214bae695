//! What holds for every person, record and number of a nation.

use std::collections::{BTreeMap, BTreeSet};

use eligibility::day::Day;
use eligibility::feed::{Record, Said, Source};
use eligibility::number::InsurerNumber;
use population::Population;
use population::feed::mark;
use proptest::prelude::*;

const DAY: Day = Day::from_number(20_778); // 2026-11-21

#[test]
fn every_record_reads_back_unchanged() {
    let population = Population::new(42, 3000, DAY);
    for record in population.records(0..3000) {
        let line = record.to_json();
        let again = Record::from_json(&line);
        assert_eq!(again.as_ref(), Ok(&record), "{}", String::from_utf8_lossy(&line));
    }
}

#[test]
fn feeds_count_upwards_and_end_with_a_mark() {
    let population = Population::new(42, 500, DAY);
    let complete_to = DAY.starts_at();
    for (source, feed) in population.feeds(complete_to) {
        let records: Vec<_> = feed.collect();
        assert!(records.iter().all(|record| record.source == source));
        assert!(records.windows(2).all(|two| two[0].sequence < two[1].sequence), "{source}");
        let last = records.last().expect("a mark");
        assert!(matches!(last.said, Said::Mark { .. }));
        assert_eq!(Record::from_json(&last.to_json()).as_ref(), Ok(last));
    }
    let again = population.last_sequence() + 7;
    assert_eq!(mark(Source::Portal, again, complete_to).sequence, again);
}

#[test]
fn the_known_insurers_are_there_and_one_is_silent() {
    let population = Population::new(1, 10_000, DAY);
    for text in ["06132013", "01130012", "138057", "39131156", "31130016"] {
        let number = InsurerNumber::parse(text).expect(text);
        assert!(population.insurers().iter().any(|one| one.number == number && one.feeds), "{text}");
    }
    let csv = population.insurers_csv();
    assert_eq!(csv.lines().count(), population.insurers().len() + 1);
    assert!(csv.starts_with("insurer_number,name\n"));
    let fed: BTreeSet<_> = population.records(0..10_000).map(|record| record.source).collect();
    let silent: Vec<_> = population.insurers().iter().filter(|one| !one.feeds).collect();
    assert_eq!(silent.len(), 1);
    assert!(!fed.contains(&Source::Insurer(silent[0].number)));
    let listed: BTreeSet<_> = population.sources().collect();
    assert!(fed.is_subset(&listed), "{:?}", fed.difference(&listed));
    let numbers: Vec<_> = population.insurers().iter().map(|one| one.number).collect();
    assert!(numbers.windows(2).all(|two| two[0] < two[1]));
}

#[test]
fn numbers_of_people_and_cards_are_unique() {
    let population = Population::new(9, 20_000, DAY);
    let (mut links, mut serials) = (BTreeSet::new(), BTreeSet::new());
    let mut asked = BTreeMap::new();
    let mut holders = 0;
    for index in 0..population.people() {
        let person = population.person(index).expect("a person");
        assert!(links.insert(person.link_number));
        let card = person.card.iter();
        holders += card.len();
        for serial in card.flat_map(|card| [Some(card.serial), card.renewed_from]).flatten() {
            assert!(serials.insert(serial));
        }
        for question in person.questions().filter(|question| question.branch.is_some()) {
            let key = (question.query().key.spelled().to_owned(), question.insurer, question.branch);
            let other = asked.insert(key, index);
            assert!(other.is_none_or(|other| other == index), "{index} and {other:?}");
        }
    }
    assert!((15_500..16_800).contains(&holders), "{holders}");
    let first = serials.first().copied().unwrap_or_default();
    let last = serials.last().copied().unwrap_or_default();
    assert_eq!(first, 114_390_001);
    assert!(last - first < serials.len() as u64 + 32, "dense");
}

#[test]
fn named_persons_keep_their_numbers_from_day_to_day() {
    let (one, later) = (Population::new(5, 0, DAY), Population::new(5, 0, DAY.plus(500)));
    assert_eq!(one.people(), later.people());
    for index in 0..one.people() {
        let (one, later) = (one.person(index).expect("named"), later.person(index).expect("named"));
        assert_eq!((one.link_number, &one.card), (later.link_number, &later.card));
        let accounts = |person: &population::resident::Resident| {
            let each =
                person.questions().map(|asked| (asked.insurer, asked.symbol, asked.number, asked.branch));
            each.collect::<Vec<_>>()
        };
        assert_eq!(accounts(&one), accounts(&later), "{index}");
    }
    let after = one.last_sequence() + 1;
    assert!(later.named_records(after).all(|record| record.sequence > after));
}

#[test]
fn subsidies_belong_to_linked_cards() {
    let population = Population::new(3, 5000, DAY);
    let people = (0..5000).filter_map(|index| population.person(index));
    let with: Vec<_> = people.filter(|person| !person.subsidies.is_empty()).collect();
    assert!(with.len() > 100, "{}", with.len());
    assert!(with.iter().all(|person| person.card.as_ref().is_some_and(|card| card.linked)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_person_alone_is_the_person_in_the_stream(seed: u64, index in 0..4000_u64, ahead in 0..9000_i32) {
        let (one, other) = (Population::new(seed, 4000, DAY.plus(ahead)), Population::new(seed, 4000, DAY.plus(ahead)));
        let alone = one.person(index).expect("a person");
        prop_assert!(Some(alone) == other.person(index));
        let from = index.saturating_sub(2);
        let streamed = other.records(from..index + 2).filter(|record| record.sequence == index + 1);
        prop_assert!(streamed.eq(one.records(index..index + 1)));
        for record in one.records(index..index + 1) {
            let again = Record::from_json(&record.to_json());
            prop_assert_eq!(again.as_ref(), Ok(&record));
        }
    }

    #[test]
    fn a_nation_of_everybody_is_as_easily_asked(seed: u64, index in 0..125_000_000_u64) {
        let population = Population::new(seed, 125_000_000, DAY);
        let person = population.person(index).expect("a person");
        prop_assert_eq!(person.index, index);
        for record in population.records(index..index + 1) {
            let again = Record::from_json(&record.to_json());
            prop_assert_eq!(again.as_ref(), Ok(&record));
        }
        prop_assert!(population.person(125_000_000).is_none());
    }
}
