//! From a CoverageEligibilityRequest to what it asks.
//!
//! Elements that mean nothing here are passed over, as FHIR has it; every text of theirs is looked
//! through for a 個人番号 all the same.

use eligibility::day::Day;
use eligibility::my_number;
use eligibility::number::InstitutionCode;
use eligibility::query::{self, Circumstances, Consent, NumberQuery};
use eligibility::wire::{self, Fault, Wrong};
use serde::Deserialize;
use serde_json::Value;

use super::{EXTENSION, INSTITUTION, INSURER, JP_EXTENSION};
use crate::refusal::Refusal;

/// What is asked, and what the response repeats of it.
pub struct Asked {
    /// The question.
    pub query: NumberQuery,
    /// `purpose`, as asked.
    pub purposes: Vec<&'static str>,
}

/// The purposes there are answers to.
const PURPOSES: [&str; 2] = ["validation", "discovery"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    resource_type: String,
    status: String,
    purpose: Vec<String>,
    #[serde(default)]
    serviced_date: Option<Day>,
    patient: Reference,
    #[serde(default)]
    provider: Option<Reference>,
    #[serde(default)]
    identifier: Vec<Identifier>,
    #[serde(default)]
    insurance: Vec<Insurance>,
    #[serde(default)]
    contained: Vec<Contained>,
    #[serde(default)]
    extension: Vec<Extension>,
}

#[derive(Deserialize)]
struct Insurance {
    coverage: Reference,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default)]
    reference: Option<String>,
    #[serde(default)]
    identifier: Option<Identifier>,
}

#[derive(Deserialize)]
struct Identifier {
    #[serde(default)]
    system: Option<String>,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extension {
    url: String,
    #[serde(default)]
    value_string: Option<String>,
    #[serde(default)]
    value_boolean: Option<bool>,
}

/// A contained Coverage, Patient or Organization, as far as it is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Contained {
    resource_type: String,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    birth_date: Option<Day>,
    #[serde(default)]
    identifier: Vec<Identifier>,
    #[serde(default)]
    extension: Vec<Extension>,
    #[serde(default)]
    payor: Vec<Reference>,
}

impl Asked {
    /// Reads the resource.
    ///
    /// # Errors
    /// [`Refusal`] with the element at fault.
    pub fn from_json(json: &[u8]) -> Result<Self, Refusal> {
        let whole: Value =
            serde_json::from_slice(json).map_err(|error| Refusal::Malformed { column: error.column() })?;
        look(&whole)?;
        let resource: Resource = wire::read(json)?;
        if resource.resource_type != "CoverageEligibilityRequest" {
            return Err(Refusal::field("resourceType", Wrong::NotInBook));
        }
        if resource.status != "active" {
            return Err(Refusal::field("status", Wrong::NotInBook));
        }
        let known = |asked: &String| PURPOSES.into_iter().find(|known| known == asked);
        let purposes: Option<Vec<_>> = resource.purpose.iter().map(known).collect();
        let purposes = purposes.filter(|all| !all.is_empty());
        let purposes = purposes.ok_or(Refusal::field("purpose", Wrong::NotInBook))?;
        Ok(Self { query: resource.query()?, purposes })
    }
}

/// Refuses a 個人番号 in any text, number or name.
fn look(value: &Value) -> Result<(), Refusal> {
    let refused = |field: &str| Err(Refusal::MyNumberRefused { field: field.to_owned() });
    match value {
        Value::String(text) if my_number::is_hidden_in(text) => refused(""),
        Value::Number(number) if my_number::is_hidden_in(&number.to_string()) => refused(""),
        Value::Array(all) => all.iter().try_for_each(look),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            if my_number::is_hidden_in(name) {
                return refused("");
            }
            match look(value) {
                Err(Refusal::MyNumberRefused { field }) if field.is_empty() => refused(name),
                looked => looked,
            }
        }),
        _ => Ok(()),
    }
}

impl Resource {
    fn query(&self) -> Result<NumberQuery, Refusal> {
        let insurance = self.insurance.first().ok_or(Refusal::field("insurance", Wrong::Missing))?;
        let coverage = self.contained("Coverage", &insurance.coverage);
        let coverage = coverage.ok_or(Refusal::field("insurance[0].coverage", Wrong::Missing))?;
        let patient = self.contained("Patient", &self.patient);
        let patient = patient.ok_or(Refusal::field("patient", Wrong::Missing))?;
        let birth_date = patient.birth_date.ok_or(Refusal::field("patient.birthDate", Wrong::Missing))?;
        let insurer = coverage.payor.first().and_then(|payor| self.insurer(payor));
        let insurer = insurer.ok_or(Refusal::field("payor[0]", Wrong::Missing))?;
        let number = insured(coverage, "JP_Coverage_InsuredPersonNumber");
        let number = number.ok_or(Refusal::field("JP_Coverage_InsuredPersonNumber", Wrong::Missing))?;
        let symbol = insured(coverage, "JP_Coverage_InsuredPersonSymbol").unwrap_or_default();
        let branch = insured(coverage, "JP_Coverage_InsuredPersonSubNumber");
        let (key, branch) = query::named(insurer, symbol, number, branch).map_err(placed)?;
        Ok(NumberQuery { key, branch, birth_date, known_at: None, circumstances: self.circumstances()? })
    }

    fn circumstances(&self) -> Result<Circumstances, Refusal> {
        let institution = self.provider.as_ref().and_then(|provider| identified(provider, INSTITUTION));
        let code = |text| InstitutionCode::parse(text).map_err(|e| Refusal::field("provider", e.into()));
        let reference = self.identifier.first().and_then(|identifier| identifier.value.as_deref());
        let consents = |what: &str| {
            let given = |one: &&Extension| one.url.strip_prefix(EXTENSION) == Some(what);
            self.extension.iter().find(given).and_then(|one| one.value_boolean).unwrap_or_default()
        };
        Ok(Circumstances {
            date: self.serviced_date,
            institution: institution.map(code).transpose()?,
            consent: Consent {
                limit_certificate: consents("consent-limit-certificate"),
                specific_disease: consents("consent-specific-disease"),
                subsidies: consents("consent-subsidies"),
            },
            reference: reference.map(query::reference).transpose().map_err(placed)?,
        })
    }

    fn contained(&self, kind: &str, reference: &Reference) -> Option<&Contained> {
        let id = reference.reference.as_deref()?.strip_prefix('#')?;
        self.contained.iter().find(|one| one.resource_type == kind && one.id.as_deref() == Some(id))
    }

    /// 保険者番号 of a payor, which names it itself or by a contained Organization.
    fn insurer<'r>(&'r self, payor: &'r Reference) -> Option<&'r str> {
        identified(payor, INSURER).or_else(|| {
            let organization = self.contained("Organization", payor)?;
            organization.identifier.iter().find_map(|one| of_system(one, INSURER))
        })
    }
}

fn identified<'r>(reference: &'r Reference, system: &str) -> Option<&'r str> {
    of_system(reference.identifier.as_ref()?, system)
}

fn of_system<'r>(identifier: &'r Identifier, system: &str) -> Option<&'r str> {
    identifier.value.as_deref().filter(|_| identifier.system.as_deref() == Some(system))
}

fn insured<'r>(coverage: &'r Contained, name: &str) -> Option<&'r str> {
    let named = |one: &&Extension| one.url.strip_prefix(JP_EXTENSION) == Some(name);
    coverage.extension.iter().find(named)?.value_string.as_deref()
}

/// The fault, at the element that holds the field.
fn placed(fault: Fault) -> Refusal {
    let place = |field: &str| match field {
        "insurer_number" => "payor[0].identifier",
        "symbol" => "JP_Coverage_InsuredPersonSymbol",
        "number" => "JP_Coverage_InsuredPersonNumber",
        "branch" => "JP_Coverage_InsuredPersonSubNumber",
        _ => "identifier[0].value",
    };
    match fault {
        Fault::Field { field, wrong } => Refusal::field(place(&field), wrong),
        other => other.into(),
    }
}
