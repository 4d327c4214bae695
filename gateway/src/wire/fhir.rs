//! FHIR R4: `CoverageEligibilityRequest/$submit` and its response, Coverage and Patient contained as
//! JP Core shapes them.
//!
//! Resources are written as JSON values, piece by piece, with what is absent left out. What R4 and JP
//! Core have no place for stands in extensions under [`EXTENSION`].

mod problem;
mod read;
mod write;

use serde_json::Value;

pub use problem::outcome;
pub use read::Asked;
pub use write::{capability, response};

/// What the names of our own extensions begin with.
pub const EXTENSION: &str = "urn:shikaku:fhir:";
/// What the names of JP Core's extensions begin with.
const JP_EXTENSION: &str = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/";
/// What the names of JP Core's profiles begin with.
const JP_PROFILE: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/";
/// 保険者番号.
const INSURER: &str = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/InsurerNumber";
/// 医療機関コード, ten digits.
const INSTITUTION: &str = "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no";

/// The value without what is absent: nulls, empty lists and objects. An ideographic blank becomes a plain
/// one, as R4's pattern of strings has no other.
fn pruned(value: Value) -> Value {
    let is_there = |value: &Value| match value {
        Value::Null => false,
        Value::Array(all) => !all.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    };
    match value {
        Value::Array(all) => all.into_iter().map(pruned).filter(is_there).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, pruned(value)));
            Value::Object(fields.filter(|(_, value)| is_there(value)).collect())
        }
        Value::String(text) if text.contains('\u{3000}') => Value::String(text.replace('\u{3000}', " ")),
        other => other,
    }
}
