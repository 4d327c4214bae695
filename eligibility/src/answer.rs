//! The answer as the desk's program reads it, in both directions.
//!
//! Holds the JSON of contract /v1. Absent data is `null`, never guessed. Nothing is decided here.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::advice;
use crate::code::{CardKind, LimitCategory, LimitKind, LossReason, Relationship, Sex, SpecificDisease};
use crate::day::{Day, Timestamp};
use crate::decision::{Eligibility, EndedBy, Reason, Shown, Status};
use crate::number::InsurerNumber;
use crate::query::Consent;
use crate::redacted::redacted;

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

/// One coverage as shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields bear the names of the records they show, documented in `coverage`"
)]
pub struct CoverageShown<'a> {
    pub insurer_number: Words<'a>,
    pub insurer_name: Option<Words<'a>>,
    pub symbol: Words<'a>,
    pub number: Words<'a>,
    pub branch: Option<Words<'a>>,
    pub relationship: Option<Relationship>,
    pub card_kind: Option<CardKind>,
    pub name: Words<'a>,
    pub name_kana: Option<Words<'a>>,
    pub alias: Option<Words<'a>>,
    pub alias_kana: Option<Words<'a>>,
    pub sex: Sex,
    pub sex_on_back: Option<Sex>,
    pub birth_date: Day,
    pub postal_code: Option<Words<'a>>,
    pub address: Option<Words<'a>>,
    pub insured_name: Option<Words<'a>>,
    pub qualified_on: Day,
    pub disqualified_on: Option<Day>,
    pub loss_reason: Option<LossReason>,
    pub valid_from: Option<Day>,
    pub valid_through: Option<Day>,
    pub issued_on: Option<Day>,
    pub copay_percent: Option<u8>,
    pub preschool: Option<bool>,
    pub elderly: Option<ElderlyShown>,
    pub limit_certificate: Option<LimitShown>,
    pub specific_diseases: Vec<DiseaseShown>,
    pub subsidies: Option<Vec<SubsidyShown<'a>>>,
    /// This insurer's feed is complete up to this time.
    pub as_of: Option<Timestamp>,
    /// What ended it, with a negative answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<EndedBy>,
    /// The day it will begin, with a negative answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_on: Option<Day>,
}

impl std::fmt::Debug for CoverageShown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CoverageShown({}, …)", self.insurer_number)
    }
}

redacted! {
    ElderlyShown = "ElderlyShown(…)",
    LimitShown = "LimitShown(…)",
    DiseaseShown = "DiseaseShown(…)",
    SubsidyShown<'_> = "SubsidyShown(…)",
    Occasion<'_> = "Occasion(…)",
}

/// 高齢受給者証 as shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields bear the names of the record they show, documented in `coverage`"
)]
pub struct ElderlyShown {
    pub valid_from: Option<Day>,
    pub valid_through: Option<Day>,
    pub copay_percent: Option<u8>,
    pub issued_on: Option<Day>,
}

/// 限度額適用認定証 as shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields bear the names of the record they show, documented in `coverage`"
)]
pub struct LimitShown {
    pub kind: LimitKind,
    pub category: Option<LimitCategory>,
    pub valid_from: Option<Day>,
    pub valid_through: Option<Day>,
    pub long_term_on: Option<Day>,
    pub issued_on: Option<Day>,
}

/// 特定疾病療養受療証 as shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields bear the names of the record they show, documented in `coverage`"
)]
pub struct DiseaseShown {
    pub category: SpecificDisease,
    pub valid_from: Option<Day>,
    pub valid_through: Option<Day>,
    pub self_pay_yen: Option<u32>,
    pub issued_on: Option<Day>,
}

/// A subsidy as shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields bear the names of the record they show, documented in `coverage`"
)]
pub struct SubsidyShown<'a> {
    pub payer_number: Words<'a>,
    pub recipient_number: Words<'a>,
    pub scheme: Words<'a>,
    pub copay_percent: Option<u8>,
    pub valid_from: Option<Day>,
    pub valid_through: Option<Day>,
    pub note: Option<Words<'a>>,
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

impl<'a> Answer<'a> {
    /// The answer that shows this decision. `name_of` gives an insurer's name where the list has one.
    pub fn of(
        eligibility: &'a Eligibility<'a>,
        occasion: Occasion<'a>,
        name_of: &dyn Fn(InsurerNumber) -> Option<&'a str>,
    ) -> Self {
        let show = |all: &'a [Shown<'a>]| -> Vec<CoverageShown<'a>> {
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
        // Writing our own types to memory cannot fail.
        let _ = serde_json::to_writer(buffer, self);
    }

    /// Reads an answer; fields added since are ignored.
    ///
    /// # Errors
    /// The JSON reader's own error, which may quote the answer: not for logs.
    pub fn from_json(json: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }
}

impl<'a> CoverageShown<'a> {
    fn of(shown: &'a Shown<'a>, insurer_name: Option<&'a str>) -> Self {
        let Shown { member, coverage, .. } = *shown;
        let text = |text: &'a Option<Box<str>>| text.as_deref().map(Cow::Borrowed);
        let unless_hidden = |words| if shown.hides_address { None } else { text(words) };
        Self {
            insurer_number: shown.insurer.to_string().into(),
            insurer_name: insurer_name.map(Cow::Borrowed),
            symbol: Cow::Borrowed(&coverage.symbol),
            number: Cow::Borrowed(&coverage.number),
            branch: coverage.branch.map(|branch| branch.to_string().into()),
            relationship: coverage.relationship,
            card_kind: coverage.card_kind,
            name: Cow::Borrowed(&member.name),
            name_kana: text(&member.name_kana),
            alias: text(&member.alias),
            alias_kana: text(&member.alias_kana),
            sex: member.sex,
            sex_on_back: member.sex_on_back,
            birth_date: member.birth_date,
            postal_code: unless_hidden(&member.postal_code),
            address: unless_hidden(&member.address),
            insured_name: text(&coverage.insured_name),
            qualified_on: coverage.qualified_on,
            disqualified_on: coverage.disqualified_on,
            loss_reason: coverage.loss_reason,
            valid_from: coverage.validity.from,
            valid_through: coverage.validity.through,
            issued_on: coverage.issued_on,
            copay_percent: coverage.copay_percent,
            preschool: coverage.preschool,
            elderly: shown.elderly.map(ElderlyShown::of),
            limit_certificate: shown.limit_certificate.map(LimitShown::of),
            specific_diseases: shown.specific_diseases.iter().copied().map(DiseaseShown::of).collect(),
            subsidies: shown
                .subsidies
                .as_ref()
                .map(|all| all.iter().copied().map(SubsidyShown::of).collect()),
            as_of: shown.as_of,
            ended_by: shown.ended_by,
            starts_on: shown.starts_on,
        }
    }
}

impl ElderlyShown {
    fn of(certificate: &crate::coverage::ElderlyCertificate) -> Self {
        Self {
            valid_from: certificate.validity.from,
            valid_through: certificate.validity.through,
            copay_percent: certificate.copay_percent,
            issued_on: certificate.issued_on,
        }
    }
}

impl LimitShown {
    fn of(certificate: &crate::coverage::LimitCertificate) -> Self {
        Self {
            kind: certificate.kind,
            category: certificate.category,
            valid_from: certificate.validity.from,
            valid_through: certificate.validity.through,
            long_term_on: certificate.long_term_on,
            issued_on: certificate.issued_on,
        }
    }
}

impl DiseaseShown {
    fn of(certificate: &crate::coverage::SpecificDiseaseCertificate) -> Self {
        Self {
            category: certificate.category,
            valid_from: certificate.validity.from,
            valid_through: certificate.validity.through,
            self_pay_yen: certificate.self_pay_yen,
            issued_on: certificate.issued_on,
        }
    }
}

impl<'a> SubsidyShown<'a> {
    fn of(subsidy: &'a crate::coverage::Subsidy) -> Self {
        Self {
            payer_number: Cow::Borrowed(&subsidy.payer_number),
            recipient_number: Cow::Borrowed(&subsidy.recipient_number),
            scheme: Cow::Borrowed(&subsidy.scheme),
            copay_percent: subsidy.copay_percent,
            valid_from: subsidy.validity.from,
            valid_through: subsidy.validity.through,
            note: subsidy.note.as_deref().map(Cow::Borrowed),
        }
    }
}
