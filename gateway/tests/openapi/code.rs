//! The description beside the code: routes, problems, code books, and examples that both read.

use std::collections::{BTreeMap, BTreeSet};

use eligibility::answer::Answer;
use eligibility::code::{
    IdentityCheck, LimitKind, LossReason, Relationship, Restriction, Sex, SpecificDisease,
};
use eligibility::decision::{EndedBy, Reason, Status};
use eligibility::feed::Record;
use eligibility::link::LinkQuery;
use eligibility::query::{CardQuery, NumberQuery};
use gateway::refusal;
use serde_json::{Value, json};

use crate::document::{Document, Holding};
use crate::{CLIENTS, DOCUMENT, OCTETS, WORLD};

/// The route table, whose arms are read below.
const ROUTES: &str = include_str!("../../src/front/route.rs");

/// The path templates and methods of the route table, read from its arms as they stand in the source.
fn routes_of_the_code() -> BTreeMap<String, BTreeSet<String>> {
    let table = ROUTES.split_once("fn of(path").unwrap().1.split_once("=> return None").unwrap().0;
    let methods = |text: &str| -> BTreeSet<String> {
        let quoted = text.split('"').skip(1).step_by(2);
        quoted.flat_map(|list| list.split(", ")).map(str::to_owned).collect()
    };
    let mut routes = BTreeMap::new();
    let (fixed, arms) = table.split_once("strip_prefix").unwrap();
    for one in fixed.split("if ").skip(1) {
        let (path, rest) = match (one.split_once("path == \""), one.split_once("one_below(path, \"")) {
            (Some((_, one)), _) => one.split_once('"').unwrap(),
            (_, Some((_, one))) => one.split_once('"').unwrap(),
            _ => panic!("not read: {one}"),
        };
        let below = if one.contains("one_below") { "{}" } else { "" };
        routes.insert(format!("{path}{below}"), methods(rest));
    }
    let pieces: Vec<_> = arms.split("] =>").collect();
    for pair in pieces.windows(2) {
        let pattern = pair[0].rsplit_once('[').unwrap().1;
        let parts = pattern.split(", ").filter_map(|part| part.strip_prefix("Some(")?.strip_suffix(')'));
        let part = |part: &str| if part.contains('"') { part.replace('"', "") } else { "{}".to_owned() };
        let path = parts.fold("/v1".to_owned(), |path, one| format!("{path}/{}", part(one)));
        let said = pair[1].rsplit_once('[').map_or(pair[1], |(said, _)| said);
        assert!(routes.insert(path.clone(), methods(said)).is_none(), "{path} twice");
    }
    assert_eq!(routes.len(), table.matches("Self::").count(), "an arm was not read: {routes:?}");
    routes
}

#[test]
fn every_route_of_the_code_is_described_and_the_other_way_round() {
    let mut described: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, method, _) in DOCUMENT.operations().into_iter().filter(|(path, ..)| !DOCUMENT.is_admin(path)) {
        let template = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
        described.entry(template.collect::<Vec<_>>().join("/")).or_default().insert(method);
    }
    assert_eq!(described, routes_of_the_code());
    // And the running gateway says the same of its methods.
    let stranger = WORLD.client("stranger");
    for (path, methods) in described {
        let reply = stranger.send("OPTIONS", &path.replace("{}", "1"), "application/json", b"");
        let allowed = reply.header("allow").unwrap().split(", ").map(str::to_owned).collect();
        assert_eq!((reply.status, methods), (405, allowed), "{path}");
    }
}

#[test]
fn every_problem_of_the_code_is_described_and_the_other_way_round() {
    let schema = &DOCUMENT.root["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
    let described: Vec<_> = schema.as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    let codes: Vec<_> = refusal::ALL.iter().map(|problem| problem.code).collect();
    assert_eq!(described, codes);
    let examples = &DOCUMENT.root["components"]["examples"];
    for problem in refusal::ALL {
        let example = &examples[format!("problem_{}", problem.code)]["value"];
        assert_eq!(example["code"], problem.code, "{}", problem.code);
        assert_eq!(
            (&example["status"], &example["title"], &example["advice"]),
            (
                &json!(problem.status),
                &json!(problem.title),
                &json!({"desk": problem.desk, "vendor": problem.vendor})
            )
        );
    }
    // Each can be met somewhere.
    let responses = DOCUMENT.operations().into_iter().flat_map(|(_, _, operation)| {
        operation["responses"].as_object().unwrap().values().flat_map(|one| DOCUMENT.codes(one))
    });
    let elsewhere = DOCUMENT.codes(&DOCUMENT.root["x-any-other-path"]["responses"]["404"]);
    let met: BTreeSet<String> = responses.chain(elsewhere).collect();
    assert_eq!(met, codes.iter().map(|code| (*code).to_owned()).collect());
}

/// Calls `visit` with every object of the description outside its schemas.
fn walk<'d>(at: &'d Value, visit: &mut impl FnMut(&'d Value)) {
    match at {
        Value::Object(fields) => {
            visit(at);
            fields.iter().filter(|(name, _)| *name != "schemas").for_each(|(_, one)| walk(one, visit));
        }
        Value::Array(all) => all.iter().for_each(|one| walk(one, visit)),
        _ => {}
    }
}

#[test]
fn every_example_fits_its_schema() {
    let mut checked = 0;
    walk(&DOCUMENT.root, &mut |object| {
        if !object["schema"].is_object() {
            return;
        }
        let examples = DOCUMENT.examples(object);
        assert!(!examples.is_empty(), "without example: {object}");
        for (name, value) in examples {
            DOCUMENT.assert_fits(&object["schema"], value, Holding::Closed, &name);
            let lines = object["x-line-schema"].is_object().then(|| value.as_str().unwrap().lines());
            for line in lines.into_iter().flatten() {
                let record = serde_json::from_str(line).unwrap();
                DOCUMENT.assert_fits(&object["x-line-schema"], &record, Holding::Closed, &name);
            }
            checked += 1;
        }
    });
    assert!(checked > 80, "{checked} examples");
    for (name, schema) in DOCUMENT.root["components"]["schemas"].as_object().unwrap() {
        walk(schema, &mut |inner| {
            for example in inner["examples"].as_array().into_iter().flatten() {
                DOCUMENT.assert_fits(inner, example, Holding::Closed, name);
            }
        });
        assert!(schema["description"].is_string(), "{name} has no description");
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            let described =
                schema["description"].is_string() || schema["$ref"].is_string() || schema["anyOf"].is_array();
            assert!(described, "{name}.{field} has no description");
        }
    }
}

#[test]
fn every_status_of_a_query_has_an_example_and_no_example_is_idle() {
    for path in ["/v1/eligibility/card", "/v1/eligibility/number"] {
        let media = &DOCUMENT.root["paths"][path]["post"]["responses"]["200"]["content"]["application/json"];
        let shown: BTreeSet<_> =
            DOCUMENT.examples(media).values().map(|answer| answer["status"].to_string()).collect();
        let said = media["schema"]["properties"]["status"]["enum"].as_array().unwrap();
        assert_eq!(shown, said.iter().map(Value::to_string).collect(), "{path}");
    }
    let text = String::from_utf8(OCTETS.to_vec()).unwrap();
    for part in ["examples", "schemas", "responses", "headers", "parameters"] {
        for name in DOCUMENT.root["components"][part].as_object().unwrap().keys() {
            assert!(
                text.contains(&format!("\"#/components/{part}/{name}\"")),
                "{part}/{name} is used nowhere"
            );
        }
    }
}

#[test]
fn examples_are_read_and_written_by_the_code_alike() {
    let examples = DOCUMENT.root["components"]["examples"].as_object().unwrap();
    let mut read = 0;
    for (name, example) in examples {
        let value = &example["value"];
        let json = value.to_string();
        if name.starts_with("ask_card") {
            assert!(CardQuery::from_json(json.as_bytes()).is_ok(), "{name}");
        } else if name.starts_with("ask_number") {
            assert!(NumberQuery::from_json(json.as_bytes()).is_ok(), "{name}");
        } else if name.starts_with("ask_link") {
            assert!(LinkQuery::from_json(json.as_bytes()).is_ok(), "{name}");
        } else if name.starts_with("feed_") && value.is_string() {
            for line in value.as_str().unwrap().lines() {
                assert!(Record::from_json(line.as_bytes()).is_ok(), "{name}: {line}");
            }
        } else if value["answered_at"].is_string() {
            let answer = Answer::from_json(json.as_bytes()).unwrap();
            let mut written = Vec::new();
            answer.write_to(&mut written);
            assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), *value, "{name}");
            assert_eq!(answer.code, answer.status.code(), "{name}");
        } else {
            continue;
        }
        read += 1;
    }
    assert!(read > 20, "{read} examples");
}

#[test]
fn code_books_are_the_codes_own() {
    fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> Vec<&'static str> {
        all.iter().map(|one| word(*one)).collect()
    }
    let books = [
        ("Answer/properties/status", words(Status::ALL, Status::word)),
        ("Answer/properties/reason", words(Reason::ALL, Reason::word)),
        ("Coverage/properties/ended_by", words(EndedBy::ALL, EndedBy::word)),
        ("Coverage/properties/sex", words(Sex::ALL, Sex::word)),
        ("Coverage/properties/relationship", words(Relationship::ALL, Relationship::word)),
        ("Coverage/properties/loss_reason", words(LossReason::ALL, LossReason::word)),
        ("LimitCertificate/properties/kind", words(LimitKind::ALL, LimitKind::word)),
        ("SpecificDisease/properties/category", words(SpecificDisease::ALL, SpecificDisease::word)),
        ("CardQuery/properties/identity_check", words(IdentityCheck::ALL, IdentityCheck::word)),
        ("MemberRecord/properties/restrictions/items", words(Restriction::ALL, Restriction::word)),
    ];
    for (place, words) in books {
        let schema = DOCUMENT.root["components"]["schemas"].pointer(&format!("/{place}")).unwrap();
        let described = schema["enum"].as_array().unwrap().iter().filter_map(Value::as_str);
        assert_eq!(described.collect::<Vec<_>>(), words, "{place}");
    }
    let described: BTreeSet<_> = DOCUMENT.root["x-roles"].as_object().unwrap().keys().cloned().collect();
    let there = CLIENTS.iter().filter(|(_, role)| !role.is_empty()).map(|(_, role)| (*role).to_owned());
    assert_eq!(described, there.collect());
}

#[test]
fn what_the_description_lacks_is_found_out() {
    let answer = &DOCUMENT.root["components"]["examples"]["card_valid"]["value"];
    let schema = json!({"$ref": "#/components/schemas/Answer"});
    let fits = |branch: Option<Value>, holding| {
        let mut root = DOCUMENT.root.clone();
        let fields = root.pointer_mut("/components/schemas/Coverage").unwrap().as_object_mut().unwrap();
        fields.remove("required");
        let fields = fields["properties"].as_object_mut().unwrap();
        assert!(fields.remove("branch").is_some());
        fields.extend(branch.map(|branch| ("branch".to_owned(), branch)));
        let changed = Document::read(root.to_string().as_bytes());
        changed.validator(&schema, holding).is_valid(answer)
    };
    assert!(fits(Some(json!({"type": "string"})), Holding::Closed));
    assert!(!fits(Some(json!({"type": "integer"})), Holding::Open), "another type");
    assert!(!fits(Some(json!({"enum": ["02"]})), Holding::Open), "another value");
    assert!(!fits(Some(json!({"type": "string", "format": "date"})), Holding::Open), "another form");
    assert!(!fits(None, Holding::Closed), "a field that is not described");
    assert!(fits(None, Holding::Open), "to a client, an answer may have grown");
}
