//! The JSON of `member` and `subsidy` records, both directions.

use serde::{Deserialize, Serialize};

use super::Said;
use super::fields::{
    ADDRESS_LENGTH, MOST, NAME_LENGTH, all, kana, percent, postal_code, restrictions, text, validity, word,
};
use super::json::{line, link_number};
use crate::code::{CardKind, LimitCategory, LimitKind, LossReason, Relationship, Sex, SpecificDisease};
use crate::coverage::{
    Coverage, ElderlyCertificate, LimitCertificate, Member, SpecificDiseaseCertificate, Subsidy,
};
use crate::day::Day;
use crate::number::{Branch, is_writable};
use crate::wire::{self, Fault, Text, Wrong};

line! {
    /// `member`
    MemberLine {
        #[serde(borrow)]
        link_number: Text<'a>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        deleted: bool,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        name: Option<Text<'a>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        name_kana: Option<Text<'a>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        alias: Option<Text<'a>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        alias_kana: Option<Text<'a>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        sex: Option<Text<'a>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        sex_on_back: Option<Text<'a>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        birth_date: Option<Day>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        postal_code: Option<Text<'a>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        address: Option<Text<'a>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        restrictions: Option<Vec<Text<'a>>>,
        #[serde(
            borrow,
            default,
            deserialize_with = "wire::objects_option",
            skip_serializing_if = "Option::is_none"
        )]
        coverages: Option<Vec<CoverageWire<'a>>>,
    }
}

line! {
    /// `subsidy`
    SubsidyLine {
        #[serde(borrow)]
        link_number: Text<'a>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        deleted: bool,
        #[serde(
            borrow,
            default,
            deserialize_with = "wire::objects_option",
            skip_serializing_if = "Option::is_none"
        )]
        subsidies: Option<Vec<SubsidyWire<'a>>>,
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CoverageWire<'a> {
    #[serde(borrow, default)]
    symbol: Option<Text<'a>>,
    #[serde(borrow)]
    number: Text<'a>,
    #[serde(borrow, default)]
    branch: Option<Text<'a>>,
    #[serde(borrow, default)]
    relationship: Option<Text<'a>>,
    #[serde(borrow, default)]
    card_kind: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    insured_name: Option<Text<'a>>,
    qualified_on: Day,
    #[serde(default)]
    disqualified_on: Option<Day>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    loss_reason: Option<Text<'a>>,
    #[serde(default)]
    valid_from: Option<Day>,
    #[serde(default)]
    valid_through: Option<Day>,
    #[serde(default)]
    copay_percent: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    preschool: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issued_on: Option<Day>,
    #[serde(default, deserialize_with = "wire::objects", skip_serializing_if = "Vec::is_empty")]
    elderly: Vec<ElderlyWire>,
    #[serde(borrow, default, deserialize_with = "wire::objects", skip_serializing_if = "Vec::is_empty")]
    limit_certificates: Vec<LimitWire<'a>>,
    #[serde(borrow, default, deserialize_with = "wire::objects", skip_serializing_if = "Vec::is_empty")]
    specific_diseases: Vec<DiseaseWire<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ElderlyWire {
    #[serde(default)]
    valid_from: Option<Day>,
    #[serde(default)]
    valid_through: Option<Day>,
    #[serde(default)]
    copay_percent: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issued_on: Option<Day>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitWire<'a> {
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow, default)]
    category: Option<Text<'a>>,
    #[serde(default)]
    valid_from: Option<Day>,
    #[serde(default)]
    valid_through: Option<Day>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    long_term_on: Option<Day>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issued_on: Option<Day>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DiseaseWire<'a> {
    #[serde(borrow)]
    category: Text<'a>,
    #[serde(default)]
    valid_from: Option<Day>,
    #[serde(default)]
    valid_through: Option<Day>,
    #[serde(default)]
    self_pay_yen: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issued_on: Option<Day>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubsidyWire<'a> {
    #[serde(borrow)]
    payer_number: Text<'a>,
    #[serde(borrow)]
    recipient_number: Text<'a>,
    #[serde(borrow)]
    scheme: Text<'a>,
    #[serde(default)]
    copay_percent: Option<u8>,
    #[serde(default)]
    valid_from: Option<Day>,
    #[serde(default)]
    valid_through: Option<Day>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    note: Option<Text<'a>>,
}

impl<'a> MemberLine<'a> {
    /// The person's part of a line, for writing.
    pub(super) fn of(member: &'a Member) -> Self {
        let text = |text: &'a Option<Box<str>>| text.as_deref().map(Text::from);
        Self {
            name: Some((&*member.name).into()),
            name_kana: text(&member.name_kana),
            alias: text(&member.alias),
            alias_kana: text(&member.alias_kana),
            sex: Some(member.sex.word().into()),
            sex_on_back: member.sex_on_back.map(|sex| sex.word().into()),
            birth_date: Some(member.birth_date),
            postal_code: text(&member.postal_code),
            address: text(&member.address),
            restrictions: Some(member.restrictions.iter().map(|one| one.word().into()).collect()),
            coverages: Some(member.coverages.iter().map(CoverageWire::of).collect()),
            ..Self::default()
        }
    }

    pub(super) fn said(&self) -> Result<Said, Fault> {
        let link_number = link_number(&self.link_number)?;
        let member = if self.deleted { None } else { Some(Box::new(self.member()?)) };
        Ok(Said::Member { link_number, member })
    }

    fn member(&self) -> Result<Member, Fault> {
        let coverages = self.coverages.as_ref().ok_or_else(|| Fault::field("coverages", Wrong::Missing))?;
        if coverages.len() > MOST {
            return Err(Fault::field("coverages", Wrong::Range));
        }
        let coverages = coverages
            .iter()
            .enumerate()
            .map(|(at, wire)| wire.coverage().map_err(|fault| fault.within(&format!("coverages[{at}]"))));
        Ok(Member {
            name: text("name", self.name.as_ref(), NAME_LENGTH)?
                .ok_or_else(|| Fault::field("name", Wrong::Missing))?,
            name_kana: kana("name_kana", self.name_kana.as_ref())?,
            alias: text("alias", self.alias.as_ref(), NAME_LENGTH)?,
            alias_kana: kana("alias_kana", self.alias_kana.as_ref())?,
            sex: word("sex", self.sex.as_ref(), Sex::from_word)?
                .ok_or_else(|| Fault::field("sex", Wrong::Missing))?,
            sex_on_back: word("sex_on_back", self.sex_on_back.as_ref(), Sex::from_word)?,
            birth_date: self.birth_date.ok_or_else(|| Fault::field("birth_date", Wrong::Missing))?,
            postal_code: postal_code(self.postal_code.as_ref())?,
            address: text("address", self.address.as_ref(), ADDRESS_LENGTH)?,
            restrictions: restrictions(self.restrictions.as_deref().unwrap_or_default())?,
            coverages: coverages.collect::<Result<_, _>>()?,
        })
    }
}

impl SubsidyLine<'_> {
    pub(super) fn said(&self) -> Result<Said, Fault> {
        let link_number = link_number(&self.link_number)?;
        if self.deleted {
            return Ok(Said::Subsidy { link_number, subsidies: None });
        }
        let subsidies = self.subsidies.as_ref().ok_or_else(|| Fault::field("subsidies", Wrong::Missing))?;
        if subsidies.len() > MOST {
            return Err(Fault::field("subsidies", Wrong::Range));
        }
        let subsidies = subsidies
            .iter()
            .enumerate()
            .map(|(at, wire)| wire.subsidy().map_err(|fault| fault.within(&format!("subsidies[{at}]"))));
        Ok(Said::Subsidy { link_number, subsidies: Some(subsidies.collect::<Result<_, _>>()?) })
    }
}

impl<'a> CoverageWire<'a> {
    fn of(coverage: &'a Coverage) -> Self {
        Self {
            symbol: Some((&*coverage.symbol).into()),
            number: (&*coverage.number).into(),
            branch: coverage.branch.map(|branch| branch.to_string().into()),
            relationship: coverage.relationship.map(|one| one.word().into()),
            card_kind: coverage.card_kind.as_ref().map(|kind| kind.as_str().into()),
            insured_name: coverage.insured_name.as_deref().map(Into::into),
            qualified_on: coverage.qualified_on,
            disqualified_on: coverage.disqualified_on,
            loss_reason: coverage.loss_reason.map(|one| one.word().into()),
            valid_from: coverage.validity.from,
            valid_through: coverage.validity.through,
            copay_percent: coverage.copay_percent,
            preschool: coverage.preschool,
            issued_on: coverage.issued_on,
            elderly: coverage.elderly.iter().map(ElderlyWire::of).collect(),
            limit_certificates: coverage.limit_certificates.iter().map(LimitWire::of).collect(),
            specific_diseases: coverage.specific_diseases.iter().map(DiseaseWire::of).collect(),
        }
    }

    fn coverage(&self) -> Result<Coverage, Fault> {
        let symbol = self.symbol.as_deref().unwrap_or_default();
        if !is_writable(symbol, false) {
            return Err(Fault::field("symbol", Wrong::Form));
        }
        if !is_writable(&self.number, true) {
            return Err(Fault::field("number", Wrong::Form));
        }
        if self.disqualified_on.is_some_and(|loss| loss < self.qualified_on) {
            return Err(Fault::field("disqualified_on", Wrong::Range));
        }
        let branch = self.branch.as_deref().filter(|text| !text.is_empty());
        Ok(Coverage {
            symbol: symbol.into(),
            number: Box::from(&*self.number),
            branch: branch.map(Branch::parse).transpose().map_err(|e| Fault::field("branch", e.into()))?,
            relationship: word("relationship", self.relationship.as_ref(), Relationship::from_word)?,
            card_kind: word("card_kind", self.card_kind.as_ref(), CardKind::parse)?,
            insured_name: text("insured_name", self.insured_name.as_ref(), NAME_LENGTH)?,
            qualified_on: self.qualified_on,
            disqualified_on: self.disqualified_on,
            loss_reason: word("loss_reason", self.loss_reason.as_ref(), LossReason::from_word)?,
            validity: validity(self.valid_from, self.valid_through)?,
            copay_percent: percent(self.copay_percent)?,
            preschool: self.preschool,
            issued_on: self.issued_on,
            elderly: all("elderly", &self.elderly, ElderlyWire::certificate)?,
            limit_certificates: all("limit_certificates", &self.limit_certificates, LimitWire::certificate)?,
            specific_diseases: all("specific_diseases", &self.specific_diseases, DiseaseWire::certificate)?,
        })
    }
}

impl ElderlyWire {
    fn of(certificate: &ElderlyCertificate) -> Self {
        Self {
            valid_from: certificate.validity.from,
            valid_through: certificate.validity.through,
            copay_percent: certificate.copay_percent,
            issued_on: certificate.issued_on,
        }
    }

    fn certificate(&self) -> Result<ElderlyCertificate, Fault> {
        Ok(ElderlyCertificate {
            validity: validity(self.valid_from, self.valid_through)?,
            copay_percent: percent(self.copay_percent)?,
            issued_on: self.issued_on,
        })
    }
}

impl<'a> LimitWire<'a> {
    fn of(certificate: &'a LimitCertificate) -> Self {
        Self {
            kind: certificate.kind.word().into(),
            category: certificate.category.as_ref().map(|category| category.as_str().into()),
            valid_from: certificate.validity.from,
            valid_through: certificate.validity.through,
            long_term_on: certificate.long_term_on,
            issued_on: certificate.issued_on,
        }
    }

    fn certificate(&self) -> Result<LimitCertificate, Fault> {
        Ok(LimitCertificate {
            kind: LimitKind::from_word(&self.kind).ok_or_else(|| Fault::field("kind", Wrong::NotInBook))?,
            category: word("category", self.category.as_ref(), LimitCategory::parse)?,
            validity: validity(self.valid_from, self.valid_through)?,
            long_term_on: self.long_term_on,
            issued_on: self.issued_on,
        })
    }
}

impl<'a> DiseaseWire<'a> {
    fn of(certificate: &'a SpecificDiseaseCertificate) -> Self {
        Self {
            category: certificate.category.word().into(),
            valid_from: certificate.validity.from,
            valid_through: certificate.validity.through,
            self_pay_yen: certificate.self_pay_yen,
            issued_on: certificate.issued_on,
        }
    }

    fn certificate(&self) -> Result<SpecificDiseaseCertificate, Fault> {
        let category = SpecificDisease::from_word(&self.category)
            .ok_or_else(|| Fault::field("category", Wrong::NotInBook))?;
        Ok(SpecificDiseaseCertificate {
            category,
            validity: validity(self.valid_from, self.valid_through)?,
            self_pay_yen: self.self_pay_yen,
            issued_on: self.issued_on,
        })
    }
}

impl<'a> SubsidyWire<'a> {
    pub(super) fn of(subsidy: &'a Subsidy) -> Self {
        Self {
            payer_number: (&*subsidy.payer_number).into(),
            recipient_number: (&*subsidy.recipient_number).into(),
            scheme: (&*subsidy.scheme).into(),
            copay_percent: subsidy.copay_percent,
            valid_from: subsidy.validity.from,
            valid_through: subsidy.validity.through,
            note: subsidy.note.as_deref().map(Into::into),
        }
    }

    fn subsidy(&self) -> Result<Subsidy, Fault> {
        let digits = |field: &str, text: &Text<'_>, length: usize| {
            let fits = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
            fits.then(|| Box::from(&**text)).ok_or_else(|| Fault::field(field, Wrong::Form))
        };
        Ok(Subsidy {
            payer_number: digits("payer_number", &self.payer_number, 8)?,
            recipient_number: digits("recipient_number", &self.recipient_number, 7)?,
            scheme: text("scheme", Some(&self.scheme), NAME_LENGTH)?.unwrap_or_default(),
            copay_percent: percent(self.copay_percent)?,
            validity: validity(self.valid_from, self.valid_through)?,
            note: text("note", self.note.as_ref(), ADDRESS_LENGTH)?,
        })
    }
}
