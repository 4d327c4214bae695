//! From a message's tree to what it asks: header, queries, registrations.
//!
//! Elements come in any order; unknown ones are passed over, as the system that these messages come from
//! does. One that stands twice where it means one thing is refused.

use eligibility::day::Day;
use eligibility::number::{Branch, InstitutionCode, NumberKey};
use eligibility::query::{self, Circumstances, Consent, NumberQuery};
use eligibility::wire::{Fault, Wrong};

use super::tree::{Broken, Element};
use crate::refusal::Refusal;

/// Most characters of a 照会番号.
const REFERENCE: usize = 50;
/// Most characters of an identifier that is only given back.
const IDENTIFIER: usize = 200;

/// A request's header, and the elements of its body.
pub(super) struct Request<'t> {
    /// 医療機関コード, the caller's first when absent.
    pub(super) institution: Option<InstitutionCode>,
    /// 資格確認日.
    pub(super) date: Option<Day>,
    /// 任意のファイル識別子, given back.
    pub(super) identifier: Option<&'t str>,
    body: &'t Element<'t>,
}

impl From<Broken> for Refusal {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Syntax { at } | Broken::Reference { at } => Self::Malformed { column: at },
            Broken::Encoding | Broken::Depth => Self::Malformed { column: 0 },
            Broken::MyNumber { element } => Self::MyNumberRefused { field: element },
        }
    }
}

impl<'t> Request<'t> {
    /// The request that this tree is.
    pub(super) fn of(root: &'t Element<'t>) -> Result<Self, Refusal> {
        if root.name != "XmlMsg" {
            return Err(Refusal::field("XmlMsg", Wrong::Missing));
        }
        let header = part(root, "MessageHeader")?;
        let code = |text| {
            InstitutionCode::parse(text).map_err(|e| Refusal::field("MedicalInstitutionCode", e.into()))
        };
        Ok(Self {
            institution: value(header, "MedicalInstitutionCode")?.map(code).transpose()?,
            date: day(header, "QualificationConfirmationDate")?,
            identifier: identifier(header, "ArbitraryFileIdentifier")?,
            body: part(root, "MessageBody")?,
        })
    }

    /// 受付番号.
    pub(super) fn reception(&self) -> Result<&'t str, Refusal> {
        value(self.body, "ReceptionNumber")?.ok_or(Refusal::field("ReceptionNumber", Wrong::Missing))
    }

    /// The one query.
    pub(super) fn query(&self) -> Result<&'t Element<'t>, Refusal> {
        one(&self.queries(), "QualificationConfirmSearchInfo")
    }

    /// All queries.
    pub(super) fn queries(&self) -> Vec<&'t Element<'t>> {
        found(self.body, "QualificationConfirmSearchInfo")
    }

    /// The one registration.
    pub(super) fn registration(&self) -> Result<&'t Element<'t>, Refusal> {
        one(&self.registrations(), "ReferenceNumberRegistrationInfo")
    }

    /// All registrations.
    pub(super) fn registrations(&self) -> Vec<&'t Element<'t>> {
        found(self.body, "ReferenceNumberRegistrationInfo")
    }

    /// What the query asks.
    pub(super) fn number_query(&self, info: &Element<'_>) -> Result<NumberQuery, Refusal> {
        let (key, branch) = insured(info)?;
        let birth_date = day(info, "Birthdate")?.ok_or(Refusal::field("Birthdate", Wrong::Missing))?;
        let reference = value(info, "ArbitraryIdentifier")?.map(query::reference).transpose();
        let circumstances = Circumstances {
            date: self.date,
            institution: self.institution,
            consent: Consent {
                limit_certificate: flag(info, "LimitApplicationCertificateRelatedConsFlg")?,
                ..Consent::default()
            },
            reference: reference.map_err(|fault| named(fault, "ArbitraryIdentifier"))?,
        };
        Ok(NumberQuery { key, branch, birth_date, known_at: None, circumstances })
    }
}

/// What a 照会番号 is registered for, and the number.
pub(super) fn registration<'t>(
    info: &'t Element<'_>,
) -> Result<(NumberKey, Option<Branch>, &'t str), Refusal> {
    let (key, branch) = insured(info)?;
    let number = value(info, "ReferenceNumber")?.ok_or(Refusal::field("ReferenceNumber", Wrong::Missing))?;
    if number.chars().count() > REFERENCE {
        return Err(Refusal::field("ReferenceNumber", Wrong::Range));
    }
    Ok((key, branch, number))
}

/// The elements that name an insured card, each under the field that the JSON has for it.
const INSURED: [(&str, &str); 4] = [
    ("insurer_number", "InsurerNumber"),
    ("symbol", "InsuredCardSymbol"),
    ("number", "InsuredIdentificationNumber"),
    ("branch", "InsuredBranchNumber"),
];

fn insured(info: &Element<'_>) -> Result<(NumberKey, Option<Branch>), Refusal> {
    let [insurer, symbol, number, branch] = INSURED.map(|(_, element)| value(info, element));
    let needed = |value: Result<Option<_>, _>, name| value?.ok_or(Refusal::field(name, Wrong::Missing));
    let insurer = needed(insurer, "InsurerNumber")?;
    let number = needed(number, "InsuredIdentificationNumber")?;
    query::named(insurer, symbol?.unwrap_or_default(), number, branch?).map_err(|fault| {
        let field = fault.place().and_then(|place| INSURED.iter().find(|(field, _)| *field == place));
        named(fault.clone(), field.map_or("InsurerNumber", |(_, element)| element))
    })
}

/// The fault, with the element's name in place of the JSON field's.
fn named(fault: Fault, element: &str) -> Refusal {
    match fault {
        Fault::Field { wrong, .. } => Refusal::field(element, wrong),
        Fault::MyNumber { .. } => Refusal::MyNumberRefused { field: element.to_owned() },
        malformed @ Fault::Malformed { .. } => malformed.into(),
    }
}

fn part<'t>(root: &'t Element<'t>, name: &'static str) -> Result<&'t Element<'t>, Refusal> {
    one(&root.all(name).collect::<Vec<_>>(), name)
}

fn found<'t>(body: &'t Element<'t>, name: &str) -> Vec<&'t Element<'t>> {
    let mut found = Vec::new();
    body.below(name, &mut found);
    found
}

fn one<'t>(all: &[&'t Element<'t>], name: &'static str) -> Result<&'t Element<'t>, Refusal> {
    match all {
        [one] => Ok(one),
        [] => Err(Refusal::field(name, Wrong::Missing)),
        _ => Err(Refusal::field(name, Wrong::Form)),
    }
}

/// The text of a child, blanks around it apart; none when it is absent or empty.
pub(super) fn value<'t>(element: &'t Element<'_>, name: &'static str) -> Result<Option<&'t str>, Refusal> {
    let mut all = element.children.iter().filter(|child| child.name == name);
    let (first, second) = (all.next(), all.next());
    if second.is_some() || first.is_some_and(|child| !child.children.is_empty()) {
        return Err(Refusal::field(name, Wrong::Form));
    }
    Ok(first.map(|child| child.text.trim()).filter(|text| !text.is_empty()))
}

fn identifier<'t>(element: &'t Element<'_>, name: &'static str) -> Result<Option<&'t str>, Refusal> {
    let text = value(element, name)?;
    match text {
        Some(text) if text.chars().count() > IDENTIFIER => Err(Refusal::field(name, Wrong::Range)),
        text => Ok(text),
    }
}

fn day(element: &Element<'_>, name: &'static str) -> Result<Option<Day>, Refusal> {
    let parse = |text| Day::parse_compact(text).ok_or(Refusal::field(name, Wrong::Form));
    value(element, name)?.map(parse).transpose()
}

fn flag(element: &Element<'_>, name: &'static str) -> Result<bool, Refusal> {
    match value(element, name)? {
        Some("1") => Ok(true),
        Some("0") | None => Ok(false),
        Some(_) => Err(Refusal::field(name, Wrong::NotInBook)),
    }
}
