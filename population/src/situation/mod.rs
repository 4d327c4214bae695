//! The named persons: one situation of the desk each, with what the desk should see.
//!
//! Holds the types and how rows become persons; the rows are in the files below, by theme. Days are
//! relative to the population's day, so that no situation grows old.

mod cards;
mod draft;
mod ends;
mod family;
mod protection;
mod work;
mod years;

use std::fmt;

use eligibility::day::Day;
use eligibility::decision::{Reason, Status};

use crate::card::{CardKey, CardState};
use crate::dice;
use crate::resident::{HeldCard, Question, Resident};
use draft::{CardDraft, Draft, Who};

/// The first serial of all: cards in the field bore such numbers in 2023.
pub(crate) const FIRST_SERIAL: u64 = 114_390_001;

/// What the gateway should say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// An answer.
    Answer(Status, Option<Reason>),
    /// A problem with this code.
    Refused(&'static str),
}

impl Expected {
    /// Status word or problem code.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Answer(status, _) => status.word(),
            Self::Refused(code) => code,
        }
    }

    /// Reason word, where there is one.
    #[must_use]
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Answer(_, Some(reason)) => Some(reason.word()),
            _ => None,
        }
    }
}

/// One named situation.
#[derive(Clone, PartialEq, Eq)]
pub struct Situation {
    /// Its stable short name; also the name of the card that shows it, where it has one.
    pub name: &'static str,
    /// What the desk should see, in one sentence.
    pub desk: &'static str,
    /// The person's place among the people.
    pub person: u64,
    /// The question by number that shows it.
    pub question: Option<Question>,
    /// The answer to that question.
    pub by_number: Option<Expected>,
    /// The answer to the card.
    pub by_card: Option<Expected>,
}

impl fmt::Debug for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Situation({}, …)", self.name)
    }
}

/// The named persons with their situations.
pub(crate) struct Named {
    pub(crate) people: Vec<Resident>,
    pub(crate) situations: Vec<Situation>,
    pub(crate) cards: Vec<NamedCard>,
    /// The first serial that no named person holds.
    pub(crate) next_serial: u64,
}

/// What a named person's card is made of.
pub(crate) struct NamedCard {
    pub(crate) name: &'static str,
    pub(crate) person: u64,
    pub(crate) serial: u64,
    pub(crate) linked: bool,
    pub(crate) state: CardState,
    pub(crate) key: CardKey,
    pub(crate) birth: Day,
}

impl Named {
    pub(crate) fn new(seed: u64, day: Day) -> Self {
        let mut named =
            Self { people: Vec::new(), situations: Vec::new(), cards: Vec::new(), next_serial: FIRST_SERIAL };
        let rows = [
            family::rows(day),
            work::rows(day),
            ends::rows(day),
            years::rows(day),
            protection::rows(day),
            cards::rows(day),
        ];
        for draft in rows.into_iter().flatten() {
            named.add(seed, draft);
        }
        named
    }

    fn add(&mut self, seed: u64, draft: Draft) {
        let Draft { name, desk, by_number, by_card, .. } = draft;
        let question = draft.question();
        let person = match draft.who {
            Who::As(name) => self.situations.iter().find(|one| one.name == name).map_or(0, |one| one.person),
            Who::New => {
                let index = self.people.len() as u64;
                let card = draft.card.map(|card| self.hold(name, index, card, draft.birth));
                let link_number = dice::link_number(seed, index);
                let Draft { mut words, subsidies, .. } = draft;
                words.sort_by_key(|word| word.insurer);
                self.people.push(Resident { index, link_number, card, words, subsidies });
                index
            }
        };
        self.situations.push(Situation { name, desk, person, question, by_number, by_card });
    }

    fn hold(&mut self, name: &'static str, person: u64, card: CardDraft, birth: Day) -> HeldCard {
        let renewed_from = card.renewed.then(|| self.serial());
        let serial = self.serial();
        let CardDraft { state, key, .. } = card;
        let linked = state != CardState::Unlinked;
        self.cards.push(NamedCard { name, person, serial, linked, state, key, birth });
        HeldCard { serial, renewed_from, linked }
    }

    fn serial(&mut self) -> u64 {
        let serial = self.next_serial;
        self.next_serial += 1;
        serial
    }
}
