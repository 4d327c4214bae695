//! Problems as OperationOutcome.

use serde_json::{Value, json};

use super::pruned;
use crate::refusal::Refusal;

/// The OperationOutcome for a refusal.
#[must_use]
pub fn outcome(refusal: &Refusal) -> Vec<u8> {
    let problem = refusal.problem();
    let expression = match refusal {
        Refusal::InvalidField { field, .. } | Refusal::MyNumberRefused { field } if !field.is_empty() => {
            json!([format!("CoverageEligibilityRequest.{}", element_of(field))])
        }
        _ => Value::Null,
    };
    let why = match refusal {
        Refusal::InvalidField { wrong, .. } => wrong.words(),
        _ => problem.title,
    };
    let outcome = json!({
        "resourceType": "OperationOutcome",
        "issue": [{
            "severity": "error",
            "code": issue_type(problem.status, problem.code),
            "details": {
                "coding": [{"system": "urn:shikaku:problem", "code": problem.code, "display": problem.title}],
                "text": problem.desk,
            },
            "diagnostics": why,
            "expression": expression,
        }],
    });
    serde_json::to_vec(&pruned(outcome)).unwrap_or_default()
}

/// The element for a field that the path names as the JSON has it.
fn element_of(field: &str) -> &str {
    match field {
        "insurer_number" => "insurance[0].coverage",
        "date" => "servicedDate",
        "institution" => "provider",
        other => other,
    }
}

/// The value of `IssueType` (R4) that fits best.
fn issue_type(status: u16, code: &str) -> &'static str {
    match (status, code) {
        (_, "malformed") => "structure",
        (_, "invalid_field") => "value",
        (_, "my_number_refused") => "business-rule",
        (403, _) => "forbidden",
        (404, _) => "not-found",
        (405 | 415, _) => "not-supported",
        (413 | 414 | 431, _) => "too-long",
        (429, _) => "throttled",
        (503, _) => "transient",
        (500, _) => "exception",
        _ => "processing",
    }
}
