//! Questions about random people, and how fast they are answered.

use std::hint::black_box;
use std::time::Duration;

use cache::{Key, Reader, View};
use eligibility::decision::{Asked, By, Reach, decide};
use eligibility::number::Serial;
use eligibility::query::{Consent, NumberQuery};
use population::Population;
use serde::{Deserialize, Serialize};

use super::load::{Case, TODAY, serial};
use crate::clock::Clock;

/// Every so many questions one is of nobody.
const MISSES: usize = 20;

/// What is asked.
pub(super) enum Question {
    Card(Serial),
    Number(Box<NumberQuery>),
}

/// Numbers in no order, the same in every run.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) const fn new() -> Self {
        Self(12_345)
    }

    pub(super) const fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) % bound
    }
}

/// So many questions about people anywhere in the nation, half by card and half by number, and so
/// many about nobody: unknown cards and wrong birth dates.
pub(super) fn questions(population: &Population, case: Case, count: usize) -> (Vec<Question>, Vec<Question>) {
    let mut chance = Chance::new();
    let (mut hits, mut misses) = (Vec::with_capacity(count), Vec::new());
    while hits.len() < count {
        let place = chance.below(population.people());
        let Some(person) = population.person(place) else { continue };
        let miss = hits.len() % MISSES == 0 && misses.len() <= hits.len() / MISSES;
        let by_card = (hits.len() + usize::from(miss && misses.len() % 2 == 0)).is_multiple_of(2);
        let question = if by_card {
            let own = match case {
                Case::Nation => {
                    person.card.as_ref().and_then(|card| Serial::from_be_bytes(&card.serial.to_be_bytes()))
                }
                Case::Three | Case::Years => Some(serial(place)),
            };
            let Some(own) = own else { continue };
            Question::Card(if miss { serial(place + 5_000_000_000) } else { own })
        } else {
            let Some(question) = person.questions().next() else { continue };
            let mut query = question.query();
            if miss {
                query.birth_date = query.birth_date.plus(1);
            }
            Question::Number(Box::new(query))
        };
        if miss { misses.push(question) } else { hits.push(question) }
    }
    (hits, misses)
}

impl Question {
    const fn key(&self) -> Key<'_> {
        match self {
            Self::Card(serial) => Key::Card(*serial),
            Self::Number(query) => Key::Number(query),
        }
    }
}

/// Finds and decides; how many coverages are shown.
fn ask(memory: &View, question: &Question) -> usize {
    let by = match question {
        Question::Card(_) => By::Card,
        Question::Number(query) => By::Number(query),
    };
    let found = memory.find(&question.key());
    let asked = Asked { by, date: TODAY, today: TODAY, consent: Consent::default(), sees_newer: false };
    let reach = |source| Reach { as_of: memory.source(source).and_then(|one| one.complete_to), doubt: None };
    decide(found.as_ref(), &asked, &reach).coverages.len()
}

/// How long answers take, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Latency {
    pub(super) p50_ns: u64,
    pub(super) p99_ns: u64,
    pub(super) p999_ns: u64,
}

/// How many a second one thread answers.
pub(super) fn rate(memory: &Reader, questions: &[Question], rounds: usize) -> f64 {
    let begun = Clock::instant();
    let mut shown = 0;
    for _ in 0..rounds {
        shown += questions.iter().map(|question| ask(&memory.view(), black_box(question))).sum::<usize>();
    }
    black_box(shown);
    (questions.len() * rounds) as f64 / begun.elapsed().as_secs_f64()
}

/// The same where so many are known together, as in a batch.
pub(super) fn rate_together(memory: &Reader, questions: &[Question], together: usize) -> f64 {
    let begun = Clock::instant();
    let mut shown = 0;
    for questions in questions.chunks(together) {
        let memory = memory.view();
        let keys: Vec<_> = black_box(questions).iter().map(Question::key).collect();
        memory.prefetch(&keys);
        shown += questions.iter().map(|question| ask(&memory, question)).sum::<usize>();
    }
    black_box(shown);
    questions.len() as f64 / begun.elapsed().as_secs_f64()
}

/// How long each answer takes, its clock's own time included.
pub(super) fn latency(memory: &Reader, questions: &[Question], rounds: usize) -> Latency {
    let each = questions.iter().cycle().take(questions.len() * rounds);
    timed(each.map(|question| || ask(&memory.view(), question)))
}

/// The same of arithmetic that takes about as long and looks at no memory: what the machine adds by
/// serving others.
pub(super) fn control(count: usize) -> Latency {
    let work = || (0..300_u64).fold(1, |state, turn| black_box(state ^ turn).wrapping_mul(3));
    timed((0..count).map(|_| work))
}

fn timed<T>(each: impl Iterator<Item = impl FnOnce() -> T>) -> Latency {
    let mut all = Vec::with_capacity(each.size_hint().0);
    for one in each {
        let begun = Clock::instant();
        black_box(one());
        all.push(begun.elapsed().as_nanos() as u64);
    }
    all.sort_unstable();
    let at = |per_mille: usize| all.get(all.len() * per_mille / 1000).copied().unwrap_or(0);
    Latency { p50_ns: at(500), p99_ns: at(990), p999_ns: at(999) }
}

/// How long one load from anywhere in this many octets takes, each known only after the one before:
/// no find can do with less than three of them.
pub(super) fn floor(octets: usize) -> Duration {
    const LOADS: u32 = 2_000_000;
    let count = (octets / 8).max(1) as u64;
    let all: Vec<u64> = (0..count).collect();
    let mut chance = Chance::new();
    let mut last = 0;
    let begun = Clock::instant();
    for _ in 0..LOADS {
        let at = (chance.below(count) ^ last & 1) % count;
        last = black_box(all.get(at as usize).copied().unwrap_or(0));
    }
    begun.elapsed() / LOADS
}
