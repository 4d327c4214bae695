//! The mapping page as a test reads it, and where a wire says what.

use gateway::wire::xml::{Element, narrow_kana};
use serde_json::Value;

/// The page.
pub(crate) const PAGE: &str = include_str!("../../src/wire/mapping.md");

/// One row of the page.
pub(crate) struct Row {
    pub(crate) json: &'static str,
    pub(crate) how: &'static str,
    pub(crate) xml: Option<&'static str>,
    pub(crate) fhir: &'static str,
    /// Whether it speaks of a coverage and not of the whole answer.
    pub(crate) of_coverage: bool,
}

/// The rows, in their order.
pub(crate) fn rows() -> Vec<Row> {
    let (whole, coverages) = PAGE.split_once("Of each coverage:").unwrap();
    let table = |part: &'static str, of_coverage| {
        let lines = part.lines().filter(|line| line.starts_with("| ")).skip(1);
        lines.map(move |line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [json, how, xml, fhir] = cells[..] else { panic!("a row of four: {line}") };
            Row { json, how, xml: (xml != "—").then_some(xml), fhir, of_coverage }
        })
    };
    table(whole, false).chain(table(coverages, true)).collect()
}

/// The value at a dotted path; of lists, that of their first entry.
pub(crate) fn in_json<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let mut at = value;
    for name in path.split('.') {
        at = if at.is_array() { at.get(0)?.get(name)? } else { at.get(name)? };
    }
    (!at.is_null()).then_some(at)
}

/// The text of the first element at a dotted path below this one, at any depth.
pub(crate) fn in_xml(element: &Element<'_>, path: &str) -> Option<String> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let mut found = Vec::new();
    element.below(name, &mut found);
    let first = found.first()?;
    match rest {
        Some(rest) => in_xml(first, rest),
        None => Some(first.text.to_string()),
    }
}

/// The value at a path of the page: `Coverage`, `Patient`, `Organization` and `insurance` are those of
/// the coverage with this place.
pub(crate) fn in_fhir<'v>(response: &'v Value, at: usize, path: &str) -> Option<&'v Value> {
    let mut value = response;
    for (place, step) in path.split('.').enumerate() {
        let (name, key) =
            step.split_once('(').map_or((step, None), |(name, key)| (name, key.strip_suffix(')')));
        let contained = |kind: &str| {
            let id = format!("{kind}-{}", at + 1);
            response["contained"].as_array()?.iter().find(|one| one["id"] == id.as_str())
        };
        value = match (place, name) {
            (0, "Coverage") => contained("coverage")?,
            (0, "Patient") => contained("patient")?,
            (0, "Organization") => contained("insurer")?,
            (0, "insurance") => response["insurance"].get(at)?,
            _ => if value.is_array() { value.get(0)? } else { value }.get(name)?,
        };
        if let Some(key) = key {
            value = value.as_array()?.iter().find(|one| has_key(one, key))?;
        }
    }
    Some(value)
}

fn has_key(one: &Value, key: &str) -> bool {
    let ends = |value: &Value| value.as_str().is_some_and(|text| text.rsplit([':', '/']).next() == Some(key));
    let coded = |field: &str| one[field]["coding"][0]["code"] == key;
    let named = format!(
        "{} {}",
        one["use"].as_str().unwrap_or_default(),
        one["extension"][0]["valueCode"].as_str().unwrap_or_default()
    );
    ends(&one["url"]) || coded("category") || coded("type") || named == key
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What the XML has to say where the JSON says this.
pub(crate) fn as_xml(row: &Row, value: &Value) -> String {
    let text = plain(value);
    match (row.how, row.json) {
        ("day", _) => text.replace('-', ""),
        ("width", _) => narrow_kana(&text),
        ("number", "copay_percent" | "elderly.copay_percent") => format!("{text:0>3}"),
        ("insurer", _) => format!("{text:>8}"),
        ("bool", "preschool") => if value == true { "1" } else { "2" }.to_owned(),
        ("bool", _) => if value == true { "1" } else { "0" }.to_owned(),
        ("moment", _) => text.chars().filter(char::is_ascii_digit).take(14).collect(),
        ("code", _) => match text.as_str() {
            "male" | "insured" => "1",
            "female" | "dependent" => "2",
            "unknown" => "3",
            other => panic!("{other} is in no book"),
        }
        .to_owned(),
        _ => text,
    }
}

/// What FHIR has to say where the JSON says this.
pub(crate) fn as_fhir(row: &Row, value: &Value) -> String {
    match (row.how, value.as_str()) {
        ("code", Some("insured")) => "1".to_owned(),
        ("code", Some("dependent")) => "2".to_owned(),
        _ => plain(value).replace('\u{3000}', " "),
    }
}

/// Fails unless all wires say what the JSON says, where the page gives them a place for it.
pub(crate) fn assert_same(json: &Value, xml: &[(&str, &Element<'_>)], fhir: &Value) {
    let none = Vec::new();
    let coverages = json["coverages"].as_array().unwrap_or(&none);
    for row in rows() {
        let places = if row.of_coverage { coverages.len() } else { 1 };
        for at in 0..places {
            let said = if row.of_coverage { &coverages[at] } else { json };
            let value = in_json(said, row.json);
            let in_fhir = in_fhir(fhir, at, row.fhir).map(plain);
            let there = value.filter(|value| **value != "");
            assert_eq!(in_fhir, there.map(|value| as_fhir(&row, value)), "FHIR {} of {json:#}", row.json);
            let Some(name) = row.xml else { continue };
            for (wire, root) in xml {
                let mut results = Vec::new();
                root.below("ResultOfQualificationConfirmation", &mut results);
                assert_eq!(results.len(), coverages.len(), "{wire}");
                let result = if row.of_coverage { results[at] } else { root };
                let found = in_xml(result, name);
                assert_eq!(found, expected(&row, json, value), "{wire} {} of {json:#}", row.json);
            }
        }
    }
}

/// The text of the row's element; codes and consents follow rules of their own.
fn expected(row: &Row, json: &Value, value: Option<&Value>) -> Option<String> {
    let is_plain = json["status"] == "valid" && json["advice"]["desk"] == eligibility::advice::NOTHING_TO_DO;
    match row.xml? {
        "ProcessingResultCode" | "ProcessingResultMessage" if is_plain => None,
        "ProcessingResultCode" => {
            let reason = json["reason"].as_str().map(|reason| format!("_{reason}")).unwrap_or_default();
            Some(format!("{}{reason}", json["status"].as_str()?))
        }
        // Of the whole answer, yet they stand with each coverage; that of the card with cards alone.
        "LimitApplicationCertificateRelatedConsFlg" if json["coverages"] == Value::Array(Vec::new()) => {
            // The question gives it back.
            value.map(|value| as_xml(row, value))
        }
        "SpecificDiseasesCertificateRelatedConsFlg" if json["card"].is_null() => None,
        _ => value.filter(|value| **value != "").map(|value| as_xml(row, value)),
    }
}
