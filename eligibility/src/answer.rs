//! The answer as the desk's program reads it, in both directions.
//!
//! Holds the JSON of contract /v1. Absent data is `null`, never guessed. Nothing is decided here.

mod shown;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::advice;
use crate::coverage::Written;
use crate::day::{Day, Timestamp};
use crate::decision::{Eligibility, Reason, Shown, Status};
use crate::number::InsurerNumber;
use crate::query::Consent;
use crate::redacted::redacted;

pub use shown::{CoverageShown, DiseaseShown, ElderlyShown, LimitShown, SubsidyShown};

type Words<'a> = Cow<'a, str>;

/// One answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer<'a> {
    /// The outcome.
    pub status: Status,
    /// 資格有効性, where its book has a value.
    pub code: Option<u8>,
    /// The day asked about.
    pub date: Day,
    /// The caller's own id.
    pub reference: Option<Words<'a>>,
    /// The card, on the card path only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<Card>,
    /// Coverages shown.
    pub coverages: Vec<CoverageShown<'a>>,
    /// Coverages of other insurers that hold the day, for role `review`.
    pub newer: Option<Vec<CoverageShown<'a>>>,
    /// What the patient let be seen.
    #[serde(deserialize_with = "ConsentShown::deserialize")]
    pub consent: Consent,
    /// Why, for a status without code.
    pub reason: Option<Reason>,
    /// The source on which the answer hangs is complete up to this time.
    pub as_of: Option<Timestamp>,
    /// Position of the last batch that was visible.
    pub generation: u64,
    /// When it was answered.
    pub answered_at: Timestamp,
    /// What to do next.
    pub advice: Advice<'a>,
}

impl std::fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({:?}, {:?}, {} coverages, …)", self.status, self.reason, self.coverages.len())
    }
}

/// What the desk and the vendor do next, in Japanese.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice<'a> {
    /// For the person at the desk.
    pub desk: Words<'a>,
    /// For whoever maintains the program; `null` when there is nothing to do.
    pub vendor: Option<Words<'a>>,
}

/// Where a card stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardState {
    /// Within its own validity.
    Good,
    /// Expired, and still good for eligibility alone.
    Grace,
}

/// What shows that the card was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// It signed a challenge.
    Signature,
    /// Nothing but its certificate.
    Certificate,
}

/// Where the knowledge of a card's revocation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationSource {
    /// A revocation list held here.
    Crl,
    /// The authority's responder.
    Ocsp,
    /// Nothing: the configuration lets cards stand of which no list speaks.
    Unchecked,
}

/// How fresh the knowledge of a card's revocation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Where it comes from.
    pub source: RevocationSource,
    /// The time it speaks of.
    pub as_of: Timestamp,
    /// The list was past its next update, and the configuration let the card stand.
    #[serde(default)]
    pub stale: bool,
}

/// The card that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Where it stands.
    pub state: CardState,
    /// What shows that it was there.
    pub proof: Proof,
    /// Last day of the certificate.
    pub not_after: Day,
    /// Days to that day; negative in grace.
    pub days_left: i32,
    /// Last day on which it gives eligibility.
    pub usable_through: Day,
    /// In grace: eligibility only, no medical data.
    pub eligibility_only: bool,
    /// How fresh the knowledge of its revocation is.
    pub revocation: Revocation,
}

/// Consent as an answer repeats it: unlike a question's, it may have grown.
#[derive(Deserialize)]
#[serde(remote = "Consent")]
struct ConsentShown {
    limit_certificate: bool,
    specific_disease: bool,
    subsidies: bool,
}

/// What an answer carries besides the decision.
#[derive(Clone, Copy)]
pub struct Occasion<'a> {
    /// The caller's own id.
    pub reference: Option<&'a str>,
    /// The card, on the card path.
    pub card: Option<Card>,
    /// Position of the last visible batch.
    pub generation: u64,
    /// Now.
    pub answered_at: Timestamp,
}

redacted!(Occasion<'_> = "Occasion(…)");

impl<'a> Answer<'a> {
    /// The answer that shows this decision. `name_of` gives an insurer's name where the list has one.
    pub fn of<T: Written>(
        eligibility: &'a Eligibility<'a, T>,
        occasion: Occasion<'a>,
        name_of: &dyn Fn(InsurerNumber) -> Option<&'a str>,
    ) -> Self {
        let show = |all: &'a [Shown<'a, T>]| -> Vec<CoverageShown<'a>> {
            all.iter().map(|one| CoverageShown::of(one, name_of(one.insurer))).collect()
        };
        Self {
            status: eligibility.status,
            code: eligibility.status.code(),
            date: eligibility.date,
            reference: occasion.reference.map(Cow::Borrowed),
            card: occasion.card,
            coverages: show(&eligibility.coverages),
            newer: eligibility.newer.as_deref().map(show),
            consent: eligibility.consent,
            reason: eligibility.reason,
            as_of: eligibility.as_of,
            generation: occasion.generation,
            answered_at: occasion.answered_at,
            advice: advice::of(eligibility, occasion.card.map(|card| card.state)),
        }
    }

    /// Appends its JSON to `buffer`.
    pub fn write_to(&self, buffer: &mut Vec<u8>) {
        crate::wire::write_to(self, buffer);
    }

    /// Reads an answer; fields added since are ignored.
    ///
    /// # Errors
    /// The JSON reader's own error, which may quote the answer: not for logs.
    pub fn from_json(json: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }
}
