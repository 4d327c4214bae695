//! One inhabitant as sources and cards know them.
//!
//! Holds what is said of a person; how it came about is in `nation`, how it is fed in
//! [`crate::feed`].

use std::fmt;

use eligibility::coverage::{Member, Subsidy};
use eligibility::day::Day;
use eligibility::number::{Branch, InsurerNumber, LinkNumber, NumberKey};
use eligibility::query::{Circumstances, NumberQuery};

/// What one insurer says of a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Word {
    /// The insurer.
    pub insurer: InsurerNumber,
    /// What it says.
    pub member: Member,
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Word({}, …)", self.insurer)
    }
}

/// The card a person holds.
#[derive(Clone, PartialEq, Eq)]
pub struct HeldCard {
    /// Serial of the user-authentication certificate now in use.
    pub serial: u64,
    /// Serial of the certificate it renewed. Then the portal has linked that one, and J-LIS tells
    /// of the renewal.
    pub renewed_from: Option<u64>,
    /// Whether the portal has linked it (or the one it renewed).
    pub linked: bool,
}

impl HeldCard {
    /// The serial that the portal has linked, if any.
    #[must_use]
    pub fn linked_serial(&self) -> Option<u64> {
        self.linked.then(|| self.renewed_from.unwrap_or(self.serial))
    }
}

impl fmt::Debug for HeldCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeldCard(linked: {}, …)", self.linked)
    }
}

/// One inhabitant.
#[derive(Clone, PartialEq, Eq)]
pub struct Resident {
    /// Place among the people, from 0.
    pub index: u64,
    /// 紐付番号.
    pub link_number: LinkNumber,
    /// The card, where one is held.
    pub card: Option<HeldCard>,
    /// One entry an insurer that speaks of the person, in order of insurer number.
    pub words: Vec<Word>,
    /// What the city says; empty when it says nothing. Only persons with a linked card have any.
    pub subsidies: Vec<Subsidy>,
}

impl fmt::Debug for Resident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resident({}, {} words, …)", self.index, self.words.len())
    }
}

impl Resident {
    /// Every question by number that finds this person, one a coverage, in the order fed.
    pub fn questions(&self) -> impl Iterator<Item = Question> + '_ {
        self.words.iter().flat_map(|word| {
            word.member.coverages.iter().map(|coverage| Question {
                insurer: word.insurer,
                symbol: coverage.symbol.clone(),
                number: coverage.number.clone(),
                branch: coverage.branch,
                birth_date: word.member.birth_date,
            })
        })
    }
}

/// What the desk types from an insured card.
#[derive(Clone, PartialEq, Eq)]
pub struct Question {
    /// 保険者番号.
    pub insurer: InsurerNumber,
    /// 記号 as printed; empty where there is none.
    pub symbol: Box<str>,
    /// 番号 as printed.
    pub number: Box<str>,
    /// 枝番, where the card bears one and the desk types it.
    pub branch: Option<Branch>,
    /// 生年月日.
    pub birth_date: Day,
}

impl Question {
    /// The question as the gateway reads it, about today and without consent.
    #[must_use]
    pub fn query(&self) -> NumberQuery {
        NumberQuery {
            key: NumberKey::new(self.insurer, &self.symbol, &self.number),
            branch: self.branch,
            birth_date: self.birth_date,
            known_at: None,
            circumstances: Circumstances::default(),
        }
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Question({}, …)", self.insurer)
    }
}
