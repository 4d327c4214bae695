//! The mapping page against what the wires write.

use std::collections::BTreeSet;

use eligibility::answer::Answer;
use gateway::wire::fhir;
use gateway::wire::xml::{self, Element, Origin, Sent, Style};
use serde_json::{Value, json};

use crate::facts::{assert_same, rows};

const ANSWER: &str = include_str!("../golden/answer.json");
const REQUEST: &str = include_str!("../golden/fhir-request.json");

/// The dotted names of everything in an object; entries of lists count once.
fn names(value: &Value, within: &str, found: &mut BTreeSet<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let path = if within.is_empty() { name.clone() } else { format!("{within}.{name}") };
        match value {
            Value::Object(_) => names(value, &path, found),
            Value::Array(all) => all.iter().for_each(|one| names(one, &path, found)),
            _ => drop(found.insert(path)),
        }
    }
}

fn leaves(element: &Element<'_>, found: &mut BTreeSet<String>) {
    for child in &element.children {
        if child.children.is_empty() {
            found.insert(child.name.to_string());
        }
        leaves(child, found);
    }
}

/// All wires' answers for this JSON, held against it by the page.
fn check(json: &Value) -> (String, Value) {
    let text = json.to_string();
    let answer = Answer::from_json(text.as_bytes()).unwrap();
    // The identifier stands where a query would be given back.
    let info = Element {
        children: vec![Element {
            name: "ArbitraryIdentifier".into(),
            text: "A-17".into(),
            children: Vec::new(),
        }],
        ..Element::default()
    };
    let sent = Sent { institution: None, identifier: None, origin: Origin::Card, info: Some(&info) };
    let write =
        |style| String::from_utf8(xml::answer(style, &answer, &sent, &|_| Some("00011".to_owned()))).unwrap();
    let (document, twin) = (write(Style::xml(xml::Charset::Utf8)), write(Style::JSON));
    let asked = fhir::Asked::from_json(REQUEST.as_bytes()).unwrap();
    let response: Value = serde_json::from_slice(&fhir::response(&answer, &asked)).unwrap();
    let wires = [("XML", &xml::from_xml(&document).unwrap()), ("twin", &xml::from_json(&twin).unwrap())];
    assert_same(json, &wires, &response);
    (document, response)
}

#[test]
fn every_field_has_a_row_and_every_row_is_what_the_wires_write() {
    let json: Value = serde_json::from_str(ANSWER).unwrap();
    let (document, response) = check(&json);

    let mut fields = BTreeSet::new();
    let mut whole = json.clone();
    let coverage = whole["coverages"][0].take();
    for other in ["card", "coverages", "newer"] {
        whole.as_object_mut().unwrap().remove(other);
    }
    names(&whole, "", &mut fields);
    let mut of_coverage = BTreeSet::new();
    names(&coverage, "", &mut of_coverage);
    for (is_of_coverage, fields) in [(false, fields), (true, of_coverage)] {
        let rows: BTreeSet<_> = rows()
            .iter()
            .filter(|row| row.of_coverage == is_of_coverage)
            .map(|row| row.json.to_owned())
            .collect();
        assert_eq!(rows, fields, "fields of the JSON and rows of the page");
    }

    let mut elements = BTreeSet::new();
    let root = xml::from_xml(&document).unwrap();
    let mut results = Vec::new();
    root.below("ResultOfQualificationConfirmation", &mut results);
    leaves(results[0], &mut elements);
    let named: BTreeSet<_> =
        rows().iter().filter_map(|row| row.xml?.rsplit('.').next().map(str::to_owned)).collect();
    for element in elements {
        let beside = element == "ReferenceNumber" || element.ends_with("ConsTime");
        assert!(beside || named.contains(&element), "{element} is on no row");
    }

    // Of our own extensions and benefits, none is written that the page does not name.
    let text = response.to_string();
    for piece in text.split("urn:shikaku:fhir:").skip(1) {
        let name = piece.split('"').next().unwrap();
        assert!(rows().iter().any(|row| row.fhir.contains(&format!("({name})"))), "{name} is on no row");
    }
}

#[test]
fn statuses_without_a_code_have_ours() {
    let mut json: Value = serde_json::from_str(ANSWER).unwrap();
    for (status, reason) in
        [("unconfirmed", Some("stale")), ("withheld", Some("closed")), ("not_linked", None)]
    {
        json["status"] = json!(status);
        json["reason"] = json!(reason);
        json["code"] = Value::Null;
        let (document, response) = check(&json);
        assert!(document.contains("<ProcessingResultStatus>2<"), "{document}");
        assert!(!document.contains("QualificationValidity"), "{document}");
        assert_eq!(
            (&response["outcome"], &response["error"][0]["code"]["coding"][0]["code"]),
            (&json!("error"), &json!(status))
        );
    }
    json["status"] = json!("not_found");
    json["reason"] = Value::Null;
    json["code"] = json!(4);
    json["coverages"] = json!([]);
    json["consent"]["limit_certificate"] = json!(false);
    let answer = json.to_string();
    let answer = Answer::from_json(answer.as_bytes()).unwrap();
    let sent = Sent { institution: None, identifier: None, origin: Origin::Number, info: None };
    let document = xml::answer(Style::xml(xml::Charset::Utf8), &answer, &sent, &|_| None);
    let document = String::from_utf8(document).unwrap();
    assert!(document.contains("<QualificationValidity>4<") && !document.contains("ResultList"), "{document}");
}

#[test]
fn a_card_near_its_end_is_told_with_a_valid_answer() {
    let mut json: Value = serde_json::from_str(ANSWER).unwrap();
    json["status"] = json!("valid");
    json["code"] = json!(1);
    json["advice"]["desk"] = json!(eligibility::advice::NOTHING_TO_DO);
    for (days, state, code) in
        [(93, "good", None), (92, "good", Some("card_expires_soon")), (-3, "grace", Some("card_in_grace"))]
    {
        json["card"]["days_left"] = json!(days);
        json["card"]["state"] = json!(state);
        let text = json.to_string();
        let answer = Answer::from_json(text.as_bytes()).unwrap();
        let sent = Sent { institution: None, identifier: None, origin: Origin::Card, info: None };
        let document = xml::answer(Style::xml(xml::Charset::Utf8), &answer, &sent, &|_| None);
        let root_text = String::from_utf8(document).unwrap();
        let root = xml::from_xml(&root_text).unwrap();
        assert_eq!(crate::facts::in_xml(&root, "ProcessingResultCode").as_deref(), code, "{days}");
    }
}
