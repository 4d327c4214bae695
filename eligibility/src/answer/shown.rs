//! A coverage as an answer shows it, with what hangs on it.
//!
//! Which of it may be shown was decided before; here it takes the form of the JSON.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Words;
use crate::code::{CardKind, LimitCategory, LimitKind, LossReason, Relationship, Sex, SpecificDisease};
use crate::coverage::{ElderlyCertificate, LimitCertificate, SpecificDiseaseCertificate, Subsidy, Written};
use crate::day::{Day, Timestamp};
use crate::decision::{EndedBy, Shown};
use crate::redacted::redacted;

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

impl<'a> CoverageShown<'a> {
    pub(super) fn of<T: Written>(shown: &'a Shown<'a, T>, insurer_name: Option<&'a str>) -> Self {
        let Shown { member, coverage, .. } = *shown;
        let text = |text: &'a Option<T>| text.as_ref().map(Written::text);
        let unless_hidden = |words| if shown.hides_address { None } else { text(words) };
        Self {
            insurer_number: shown.insurer.to_string().into(),
            insurer_name: insurer_name.map(Cow::Borrowed),
            symbol: coverage.symbol.text(),
            number: coverage.number.text(),
            branch: coverage.branch.map(|branch| branch.to_string().into()),
            relationship: coverage.relationship,
            card_kind: coverage.card_kind,
            name: member.name.text(),
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
    fn of(certificate: &ElderlyCertificate) -> Self {
        Self {
            valid_from: certificate.validity.from,
            valid_through: certificate.validity.through,
            copay_percent: certificate.copay_percent,
            issued_on: certificate.issued_on,
        }
    }
}

impl LimitShown {
    fn of(certificate: &LimitCertificate) -> Self {
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
    fn of(certificate: &SpecificDiseaseCertificate) -> Self {
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
    fn of<T: Written>(subsidy: &'a Subsidy<T>) -> Self {
        Self {
            payer_number: subsidy.payer_number.text(),
            recipient_number: subsidy.recipient_number.text(),
            scheme: subsidy.scheme.text(),
            copay_percent: subsidy.copay_percent,
            valid_from: subsidy.validity.from,
            valid_through: subsidy.validity.through,
            note: subsidy.note.as_ref().map(Written::text),
        }
    }
}
