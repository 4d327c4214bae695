//! The virtual patients: each with history, numbers and card of its own, and what a right gateway
//! says of it.

pub mod cards;
pub mod claims;
pub mod numbers;
pub mod shares;

use eligibility::coverage::Person;
use eligibility::day::Day;
use eligibility::decision::{Asked, By, Found, Reach, decide};
use eligibility::query::{Consent, NumberQuery};
use population::resident::Resident;

use crate::folder::Folder;
use crate::outcome::Word;
use crate::schedule::mix;

/// The people of a folder in an order that is scattered, and the same in every process of a run.
pub fn scattered(folder: &Folder, seed: u64) -> impl Iterator<Item = Resident> + '_ {
    let (first, count) = (folder.first, folder.population.people().saturating_sub(folder.first).max(1));
    // Steps that share no divisor with the count meet everybody once.
    let mut step = (mix(seed) % count) | 1;
    while common_divisor(step, count) != 1 {
        step += 2;
    }
    let begin = mix(seed ^ 1) % count;
    let place = move |at: u64| {
        first + ((u128::from(begin) + u128::from(at) * u128::from(step)) % u128::from(count)) as u64
    };
    (0..count).filter_map(move |at| folder.population.person(place(at)))
}

const fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// What insurers say of this person, as a gateway holds it.
fn person(resident: &Resident) -> Person {
    let mut person = Person::new(resident.link_number);
    for word in &resident.words {
        person.membership_mut(word.insurer).member = Some(word.member.clone());
    }
    person
}

/// The status of an answer by number, or by card where there is no query.
fn status(found: Found<&Person>, query: Option<&NumberQuery>, today: Day) -> Word {
    let by = query.map_or(By::Card, By::Number);
    let asked = Asked { by, date: today, today, consent: Consent::default(), sees_newer: false };
    Word::of(decide(found, &asked, &|_| Reach::default()).status.word().as_bytes())
}
