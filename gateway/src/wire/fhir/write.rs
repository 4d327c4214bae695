//! The answer as a CoverageEligibilityResponse, and what the service says of itself.

use eligibility::answer::{Answer, CoverageShown, DiseaseShown, ElderlyShown, LimitShown, SubsidyShown};
use eligibility::code::{Relationship, Sex};
use eligibility::day::Day;
use eligibility::decision::Status;
use eligibility::number::InsurerNumber;
use serde_json::{Value, json};

use super::read::Asked;
use super::{EXTENSION, INSURER, JP_EXTENSION, JP_PROFILE, pruned};

/// The service's CapabilityStatement.
#[must_use]
pub fn capability() -> Vec<u8> {
    let statement = json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-01",
        "kind": "instance",
        "software": {"name": "shikaku", "version": env!("CARGO_PKG_VERSION")},
        "implementation": {"description": "オンライン資格確認"},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [{
            "mode": "server",
            "security": {"description": "TLS with a client certificate; it gives the caller's institution."},
            "resource": [{
                "type": "CoverageEligibilityRequest",
                "documentation": "purpose validation and discovery, by insurer number, symbol, number, branch and birth date",
                "operation": [{
                    "name": "submit",
                    "definition": "http://hl7.org/fhir/OperationDefinition/CoverageEligibilityRequest-submit",
                }],
            }],
        }],
    });
    serde_json::to_vec(&statement).unwrap_or_default()
}

/// The response.
#[must_use]
pub fn response(answer: &Answer<'_>, asked: &Asked) -> Vec<u8> {
    let newer = answer.newer.as_deref().unwrap_or_default();
    let shown: Vec<_> =
        answer.coverages.iter().map(|one| (one, false)).chain(newer.iter().map(|one| (one, true))).collect();
    let contained = shown.iter().enumerate().flat_map(|(at, (one, is_newer))| {
        let holds = *is_newer || answer.status == Status::Valid;
        [patient(at, one), insurer(at, one), coverage(at, one, holds)]
    });
    let insurance =
        shown.iter().enumerate().map(|(at, (one, is_newer))| insurance(at, one, *is_newer, answer));
    let response = json!({
        "resourceType": "CoverageEligibilityResponse",
        "meta": {"versionId": answer.generation.to_string()},
        "contained": contained.collect::<Vec<_>>(),
        "extension": [
            ours("status", "valueCode", answer.status.word()),
            ours("reason", "valueCode", answer.reason.map(|reason| reason.word())),
            ours("as-of", "valueInstant", answer.as_of),
            ours("consent-limit-certificate", "valueBoolean", answer.consent.limit_certificate),
            ours("consent-specific-disease", "valueBoolean", answer.consent.specific_disease),
            ours("consent-subsidies", "valueBoolean", answer.consent.subsidies),
            ours("advice-vendor", "valueString", answer.advice.vendor.as_deref()),
            ours("validity", "valueUnsignedInt", answer.code),
        ],
        "status": "active",
        "purpose": asked.purposes,
        "patient": if shown.is_empty() { json!({"type": "Patient"}) } else { local("patient", 0) },
        "servicedDate": answer.date,
        "created": answer.answered_at,
        "request": {"type": "CoverageEligibilityRequest", "identifier": {"value": answer.reference.as_deref()}},
        "outcome": if answer.code.is_some() { "complete" } else { "error" },
        "disposition": answer.advice.desk,
        "insurer": asked_insurer(asked.query.key.insurer()),
        "insurance": insurance.collect::<Vec<_>>(),
        "error": if answer.code.is_some() { Value::Null } else { json!([{"code": {
            "coding": [{"system": "urn:shikaku:status", "code": answer.status.word()}],
            "text": answer.advice.desk,
        }}]) },
    });
    serde_json::to_vec(&pruned(response)).unwrap_or_default()
}

fn local(kind: &str, at: usize) -> Value {
    json!({"reference": format!("#{kind}-{}", at + 1)})
}

/// One of our own extensions; null, and so left out, where there is no value.
fn ours(name: &str, kind: &str, value: impl serde::Serialize) -> Value {
    extension(&format!("{EXTENSION}{name}"), kind, value)
}

fn extension(url: &str, kind: &str, value: impl serde::Serialize) -> Value {
    match json!(value) {
        Value::Null => Value::Null,
        value => json!({"url": url, kind: value}),
    }
}

fn period(start: Option<Day>, end: Option<Day>) -> Value {
    json!({"start": start, "end": end})
}

fn asked_insurer(number: InsurerNumber) -> Value {
    json!({"type": "Organization", "identifier": {"system": INSURER, "value": number.to_string()}})
}

fn insurer(at: usize, one: &CoverageShown<'_>) -> Value {
    json!({
        "resourceType": "Organization",
        "id": format!("insurer-{}", at + 1),
        "meta": {"profile": [format!("{JP_PROFILE}JP_Organization")]},
        "identifier": [{"system": INSURER, "value": one.insurer_number}],
        "type": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/organization-type", "code": "pay"}]}],
        "name": one.insurer_name,
    })
}

fn patient(at: usize, one: &CoverageShown<'_>) -> Value {
    json!({
        "resourceType": "Patient",
        "id": format!("patient-{}", at + 1),
        "meta": {"profile": [format!("{JP_PROFILE}JP_Patient")]},
        "extension": [ours("sex-on-back", "valueCode", one.sex_on_back.map(gender))],
        "name": [
            name("official", "IDE", Some(&one.name)),
            name("official", "SYL", one.name_kana.as_deref()),
            name("nickname", "IDE", one.alias.as_deref()),
            name("nickname", "SYL", one.alias_kana.as_deref()),
        ],
        "gender": gender(one.sex),
        "birthDate": one.birth_date,
        "address": [{"text": one.address, "postalCode": one.postal_code}],
    })
}

/// A name in kanji (IDE) or kana (SYL), as JP Core has it.
fn name(usage: &str, representation: &str, text: Option<&str>) -> Value {
    const REPRESENTATION: &str = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation";
    text.map_or(Value::Null, |text| {
        json!({"use": usage, "text": text, "extension": [extension(REPRESENTATION, "valueCode", representation)]})
    })
}

const fn gender(sex: Sex) -> &'static str {
    match sex {
        Sex::Male => "male",
        Sex::Female => "female",
        Sex::Unknown => "unknown",
    }
}

fn coverage(at: usize, one: &CoverageShown<'_>, holds: bool) -> Value {
    let jp =
        |name: &str, value: Option<&str>| extension(&format!("{JP_EXTENSION}{name}"), "valueString", value);
    // The last day; a coverage that was lost before it began has none.
    let last = one.disqualified_on.map(|loss| loss.plus(-1)).filter(|last| *last >= one.qualified_on);
    let relationship = one.relationship.map(|relationship| match relationship {
        Relationship::Insured => "1",
        Relationship::Dependent => "2",
    });
    json!({
        "resourceType": "Coverage",
        "id": format!("coverage-{}", at + 1),
        "meta": {"profile": [format!("{JP_PROFILE}JP_Coverage")]},
        "extension": [
            jp("JP_Coverage_InsuredPersonSymbol", Some(&*one.symbol).filter(|symbol| !symbol.is_empty())),
            jp("JP_Coverage_InsuredPersonNumber", Some(&one.number)),
            jp("JP_Coverage_InsuredPersonSubNumber", one.branch.as_deref()),
            ours("disqualified-on", "valueDate", one.disqualified_on),
            ours("loss-reason", "valueCode", one.loss_reason.map(|reason| reason.word())),
            ours("issued-on", "valueDate", one.issued_on),
            ours("preschool", "valueBoolean", one.preschool),
        ],
        "status": if holds { "active" } else { "cancelled" },
        "subscriber": {"display": one.insured_name},
        "beneficiary": local("patient", at),
        "dependent": one.branch,
        "relationship": {"coding": relationship.map(|code| {
            json!([{"system": "urn:oid:1.2.392.100495.20.2.62", "code": code}])
        })},
        "period": period(Some(one.qualified_on), last),
        "payor": [local("insurer", at)],
        "class": one.card_kind.as_ref().map(|kind| json!([{
            "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/coverage-class", "code": "class"}]},
            "value": kind.as_str(),
        }])),
        "costToBeneficiary": one.copay_percent.map(|share| json!([{
            "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/coverage-copay-type", "code": "copaypct"}]},
            "valueQuantity": {"value": share, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"},
        }])),
    })
}

fn insurance(at: usize, one: &CoverageShown<'_>, is_newer: bool, answer: &Answer<'_>) -> Value {
    let items = one.elderly.iter().map(elderly);
    let items = items.chain(one.limit_certificate.iter().map(limit));
    let items = items.chain(one.specific_diseases.iter().map(disease));
    let items = items.chain(one.subsidies.iter().flatten().map(subsidy));
    json!({
        "extension": [
            ours("newer", "valueBoolean", is_newer.then_some(true)),
            ours("ended-by", "valueCode", one.ended_by.map(|by| by.word())),
            ours("starts-on", "valueDate", one.starts_on),
            ours("as-of", "valueInstant", one.as_of),
        ],
        "coverage": local("coverage", at),
        "inforce": is_newer || answer.status == Status::Valid,
        "benefitPeriod": period(one.valid_from, one.valid_through),
        "item": items.collect::<Vec<_>>(),
    })
}

/// One certificate as an item: its dates as extensions, its terms as benefits.
fn item(
    what: &str,
    (from, through, issued): (Option<Day>, Option<Day>, Option<Day>),
    benefit: Value,
) -> Value {
    let valid = if from.is_some() || through.is_some() { pruned(period(from, through)) } else { Value::Null };
    json!({
        "extension": [ours("valid", "valuePeriod", valid), ours("issued-on", "valueDate", issued)],
        "category": {"coding": [{"system": "urn:shikaku:benefit", "code": what}]},
        "benefit": benefit,
    })
}

/// One term; null, and so left out, where there is no value.
fn benefit(what: &str, kind: &str, value: impl serde::Serialize) -> Value {
    match json!(value) {
        Value::Null => Value::Null,
        value => json!({"type": {"coding": [{"system": "urn:shikaku:benefit", "code": what}]}, kind: value}),
    }
}

fn elderly(one: &ElderlyShown) -> Value {
    let terms = json!([benefit("copay_percent", "allowedUnsignedInt", one.copay_percent)]);
    item("elderly", (one.valid_from, one.valid_through, one.issued_on), terms)
}

fn limit(one: &LimitShown) -> Value {
    let terms = json!([
        benefit("kind", "allowedString", one.kind.word()),
        benefit("category", "allowedString", one.category.as_ref().map(|category| category.as_str())),
        benefit("long_term_on", "allowedString", one.long_term_on),
    ]);
    item("limit_certificate", (one.valid_from, one.valid_through, one.issued_on), terms)
}

fn disease(one: &DiseaseShown) -> Value {
    let yen = one.self_pay_yen.map(|yen| json!({"value": yen, "currency": "JPY"}));
    let terms = json!([
        benefit("category", "allowedString", one.category.word()),
        benefit("self_pay_yen", "allowedMoney", yen),
    ]);
    item("specific_disease", (one.valid_from, one.valid_through, one.issued_on), terms)
}

fn subsidy(one: &SubsidyShown<'_>) -> Value {
    let terms = json!([
        benefit("payer_number", "allowedString", &one.payer_number),
        benefit("recipient_number", "allowedString", &one.recipient_number),
        benefit("scheme", "allowedString", &one.scheme),
        benefit("copay_percent", "allowedUnsignedInt", one.copay_percent),
        benefit("note", "allowedString", one.note.as_deref()),
    ]);
    item("subsidy", (one.valid_from, one.valid_through, None), terms)
}
