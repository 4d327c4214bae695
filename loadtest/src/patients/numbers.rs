//! Questions by number: of today's insurance, of the one before, and with typing errors.

use std::collections::HashSet;

use eligibility::coverage::Person;
use eligibility::day::Day;
use eligibility::decision::Found;
use eligibility::query::NumberQuery;
use population::resident::{Question, Resident};

use super::{person, scattered, status};
use crate::folder::Folder;
use crate::http;
use crate::menu::{Course, Expected, Item};
use crate::outcome::{Sort, Word};
use crate::scenario::{Mix, Numbers};

/// Lines of a batch where the scenario does not say.
const LINES: u32 = 100;

/// One question, as JSON, with its answer.
struct Asked {
    body: Vec<u8>,
    word: Word,
}

/// The questions of a scenario.
pub struct Questions {
    sorts: Vec<(Sort, f64, Vec<Asked>)>,
}

impl Questions {
    /// Draws so many different questions, shared among the sorts.
    #[must_use]
    pub fn draw(folder: &Folder, seed: u64, today: Day, numbers: &Numbers) -> Self {
        let total: f64 = numbers.shares.values().sum();
        let wanted = |share: f64| ((share / total * f64::from(numbers.different)).ceil() as usize).max(1);
        let mut sorts: Vec<_> = numbers
            .shares
            .iter()
            .filter(|(_, share)| **share > 0.0)
            .map(|(sort, share)| (*sort, *share, Vec::new()))
            .collect();
        let mut known = Known::new(folder);
        for resident in scattered(folder, seed) {
            let mut open = false;
            for (sort, share, asked) in &mut sorts {
                if asked.len() < wanted(*share) {
                    open = true;
                    asked.extend(ask(&resident, *sort, today, &mut known));
                }
            }
            if !open {
                break;
            }
        }
        Self { sorts }
    }

    /// Each as a request of its own.
    #[must_use]
    pub fn singly(&self, host: &str) -> Course {
        let mut course = Course::default();
        for (sort, share, asked) in &self.sorts {
            let item = |one: &Asked| Item {
                octets: http::post(host, "/v1/eligibility/number", "application/json", &one.body).into(),
                expected: Expected::OneOf([one.word].into()),
            };
            course.add(*sort, *share, asked.iter().map(item).collect());
        }
        course
    }

    /// In batches of today's insurances.
    #[must_use]
    pub fn in_batches(&self, host: &str, mix: &Mix) -> Course {
        let lines = mix.batch_lines.unwrap_or(LINES) as usize;
        let all: Vec<&Asked> = self.sorts.iter().flat_map(|(.., asked)| asked).collect();
        let mut course = Course::default();
        if all.is_empty() {
            return course;
        }
        let batch = |first: usize| {
            let asked = || all.iter().cycle().skip(first * lines % all.len()).take(lines);
            let body: Vec<u8> = asked().flat_map(|one| one.body.iter().copied().chain([b'\n'])).collect();
            Item {
                octets: http::post(host, "/v1/eligibility/batch", "application/x-ndjson", &body).into(),
                expected: Expected::Lines(asked().map(|one| one.word).collect()),
            }
        };
        course.add(Sort::Several, 1.0, (0..all.len().div_ceil(lines).min(64)).map(batch).collect());
        course
    }
}

/// The question of this sort that the person can be asked by.
fn ask(resident: &Resident, sort: Sort, today: Day, known: &mut Known<'_>) -> Option<Asked> {
    let person = person(resident);
    let answer = |question: &Question| {
        let query = question.query();
        (query.to_json(), known_word(&person, &query, today))
    };
    let valid = Word::of(b"valid");
    let mut questions = resident.questions().map(|question| (answer(&question), question));
    match sort {
        Sort::Good => questions.find(|((_, word), _)| *word == valid),
        Sort::Switched => questions.find(|((_, word), _)| *word != valid),
        // One digit of the number, and somebody else with that birth date and number is left out.
        _ => questions.find_map(|(_, mut question)| {
            question.number = known.mistyped(&question)?;
            let query = question.query();
            let word = status(Found::Nobody, Some(&query), today);
            Some(((query.to_json(), word), question))
        }),
    }
    .map(|((body, word), _)| Asked { body, word })
}

fn known_word(person: &Person, query: &NumberQuery, today: Day) -> Word {
    status(Found::One(person), Some(query), today)
}

/// Numbers that somebody has, so that a slip of the finger hits nobody.
struct Known<'f> {
    folder: &'f Folder,
    keys: Option<HashSet<String>>,
}

impl<'f> Known<'f> {
    const fn new(folder: &'f Folder) -> Self {
        Self { folder, keys: None }
    }

    /// The number with its last digit changed, where nobody has it; numbers of 後期 keep their check
    /// digit only by luck, which the gateway lets pass.
    fn mistyped(&mut self, question: &Question) -> Option<Box<str>> {
        let last = question.number.chars().next_back()?;
        let digit = last.to_digit(10)?;
        let kept = question.number.strip_suffix(last)?;
        (1..10).find_map(|more| {
            let number = format!("{kept}{}", (digit + more) % 10);
            (!self.has(question, &number)).then(|| number.into())
        })
    }

    fn has(&mut self, question: &Question, number: &str) -> bool {
        let key =
            |insurer: &dyn std::fmt::Display, number: &str, birth: Day| format!("{insurer} {number} {birth}");
        let folder = self.folder;
        let keys = self.keys.get_or_insert_with(|| {
            // Of a large nation only a part is looked through: a chance hit is rarer than a fault.
            let places = 0..folder.population.people().min(200_000);
            let people = places.filter_map(|place| folder.population.person(place));
            let all = people.flat_map(|one| one.questions().collect::<Vec<_>>());
            all.map(|one| key(&one.insurer, &one.number, one.birth_date)).collect()
        });
        keys.contains(&key(&question.insurer, number, question.birth_date))
    }
}
