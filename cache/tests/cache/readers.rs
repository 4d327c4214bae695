//! Readers beside a writer that replaces people.

use std::sync::atomic::{AtomicBool, Ordering};

use std::sync::Arc;

use cache::{Key, Packed, Reader};
use eligibility::coverage::Person;
use eligibility::decision::Found;

use crate::support::{House, INSURER, OTHER, Told, found, link, member, query, serial};

/// The round in which the person was written: its name and all its coverages say the same.
fn round(person: &Person) -> u64 {
    let member = person.memberships.iter().find_map(|one| one.member.as_ref()).unwrap();
    let round: u64 = member.name.parse().unwrap();
    assert!(member.coverages.iter().all(|one| *one.number == *(100 + round % 2).to_string()));
    round
}

fn watch(reader: &Reader, ended: &AtomicBool) -> u64 {
    let (mut last, mut looks) = (0, 0);
    while !ended.load(Ordering::Relaxed) {
        let Found::One(by_card) = reader.find(&Key::Card(serial(7))) else { panic!("lost by card") };
        assert!(round(&by_card) >= last, "went back");
        last = round(&by_card);
        // By number a person may have moved on between two looks, never be two or torn.
        for number in [100, 101] {
            match reader.find(&Key::Number(&query(INSURER, number, 1))) {
                Found::One(person) => assert_eq!(round(&person) % 2, number % 2),
                Found::Nobody => {}
                other => panic!("{other:?}"),
            }
        }
        looks += 1;
    }
    looks
}

#[test]
fn nobody_sees_a_torn_person() {
    let mut house = House::new();
    house.apply("portal", &[link("portal", 1, 7, Some(1))]);
    house.apply(INSURER, &[member(INSURER, 1, 1, "0", &[100, 100])]);
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers = [(); 2].map(|()| {
            let (reader, ended) = (house.reader.clone(), &ended);
            scope.spawn(move || watch(&reader, ended))
        });
        for round in 1..=2_000_u64 {
            let number = 100 + round % 2;
            let others = (2..12).map(|person| member(INSURER, round, person, "0", &[number + 2]));
            let mut batch: Vec<_> = others.collect();
            batch.push(member(INSURER, round, 1, &round.to_string(), &[number, number]));
            house.apply(INSURER, &batch);
            house.apply(OTHER, &[]);
        }
        ended.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
}

const MOVING: u64 = 20;

/// Who has the number, or the card, of this place after so many rounds; both keep to people born on
/// the same day.
fn owner(place: u64, round: u64) -> u64 {
    1 + (place + 2 * round) % MOVING
}

/// A batch in which every number goes to another person, and one in which every card does.
fn moved(round: u64) -> [Vec<Told>; 2] {
    let numbers = (0..MOVING).map(|at| member(INSURER, round + 1, owner(at, round), "a", &[100 + at]));
    let cards = (0..MOVING).map(|at| link("portal", round + 1, 500 + at, Some(owner(at, round))));
    [numbers.collect(), cards.collect()]
}

fn kept(person: Person<Packed<'_>>) -> Arc<Person> {
    Arc::new(person.map(&Packed::unpacked))
}

/// Nobody who is asked for is missing or there twice, and each is who it was after the batch that
/// the same view names.
fn watch_moves(reader: &Reader, ended: &AtomicBool) -> u64 {
    let queries: Vec<_> = (0..MOVING).map(|at| query(INSURER, 100 + at, owner(at, 0))).collect();
    let mut looks = 0;
    while !ended.load(Ordering::Relaxed) {
        for (at, query) in (0..).zip(&queries) {
            let view = reader.view();
            let generation = view.generation();
            let by_number = found(view.find(&Key::Number(query)).map(kept));
            assert_eq!(by_number, Ok(owner(at, (generation - 1) / 2)), "number {at} of {generation}");
            let by_card = found(view.find(&Key::Card(serial(500 + at))).map(kept));
            assert_eq!(by_card, Ok(owner(at, (generation - 2) / 2)), "card {at} of {generation}");
            looks += 1;
        }
    }
    looks
}

#[test]
fn what_moves_between_people_is_never_lost_on_the_way() {
    let mut house = House::new();
    let mut apply = |round| {
        let [numbers, cards] = moved(round);
        house.apply(INSURER, &numbers);
        house.apply("portal", &cards);
        house.reader.clone()
    };
    let reader = apply(0);
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers = [(); 2].map(|()| scope.spawn(|| watch_moves(&reader, &ended)));
        (1..=1_000).for_each(|round| drop(apply(round)));
        ended.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
}
