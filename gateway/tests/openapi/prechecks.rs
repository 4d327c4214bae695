//! What callers of pre-checks send and are told, held against the description.

use std::collections::BTreeSet;
use std::time::Duration;

use claims::{Confirmation, DaysSource, Holder, PointTable, ReasonCode, Rule, Suggested, Verdict, What};
use serde_json::{Value, json};

use crate::document::Holding;
use crate::world::World;
use crate::{DOCUMENT, employee, get, with};

const JOBS: &str = "/v1/prechecks";
const JOB: &str = "/v1/prechecks/{id}";
const RESULTS: &str = "/v1/prechecks/{id}/results";

/// The file that the description shows.
fn example(name: &str) -> String {
    DOCUMENT.root["components"]["examples"][name]["value"].as_str().unwrap().to_owned()
}

#[test]
fn jobs_and_their_results_are_as_described() {
    let world = World::started(300);
    let claim = with(with(employee(), "month", json!("2026-06")), "days", json!(["2026-06-03"]));
    let lines = [
        claim.clone(),
        with(claim.clone(), "number", json!("99999")),
        with(claim.clone(), "insurer_number", json!("77777777")),
        with(claim.clone(), "insurer_number", json!("06270128")),
        with(with(claim, "month", json!("2020-02")), "days", json!(["2020-02-03"])),
        json!({"month": "2026-06"}),
        json!({"month": 6}),
    ];
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let files = [
        ("application/x-ndjson", lines.into_bytes()),
        ("application/vnd.jp.uke", encoding_rs::SHIFT_JIS.encode(&example("claims_uke")).0.into_owned()),
        ("application/x-ndjson", example("claims_ndjson").into_bytes()),
    ];
    let mut met = BTreeSet::new();
    for (name, file) in
        ["reception", "review"].iter().flat_map(|name| files.iter().map(move |file| (*name, file)))
    {
        let client = world.client(name);
        let taken = client.send("POST", JOBS, file.0, &file.1);
        DOCUMENT.assert_describes("POST", JOBS, &taken);
        assert_eq!(taken.status, 202, "{taken:?}");
        let path = format!("{JOBS}/{}", taken.json()["id"].as_str().unwrap());
        let early = get(&client, RESULTS, &format!("{path}/results"));
        assert!([200, 409].contains(&early.status));
        while get(&client, JOB, &path).json()["state"] != "done" {
            std::thread::sleep(Duration::from_millis(30));
        }
        let results = get(&client, RESULTS, &format!("{path}/results"));
        for line in String::from_utf8(results.body).unwrap().lines() {
            let result: Value = serde_json::from_str(line).unwrap();
            met.insert(result["verdict"].as_str().unwrap().to_owned());
        }
        assert_eq!(get(&client, RESULTS, &format!("{path}/results?format=csv")).status, 200);
        assert_eq!(get(&client, RESULTS, &format!("{path}/results?format=x")).status, 422);
        let gone = client.send("DELETE", &path, "application/json", b"");
        DOCUMENT.assert_describes("DELETE", JOB, &gone);
        assert_eq!((gone.status, get(&client, RESULTS, &format!("{path}/results")).status), (204, 409));
        assert_eq!(get(&client, JOB, &format!("{JOBS}/none")).status, 404);
    }
    for verdict in ["ok_branch_found", "not_found", "review", "unconfirmed", "lost", "skipped", "unreadable"]
    {
        assert!(met.contains(verdict), "{verdict} was not met: {met:?}");
    }
}

#[test]
fn claims_of_the_description_are_read_and_code_books_are_the_codes_own() {
    for line in example("claims_ndjson").lines() {
        let claim = claims::Claim::from_json(line.as_bytes(), 1).unwrap();
        let schema = json!({"$ref": "#/components/schemas/Claim"});
        DOCUMENT.assert_fits(
            &schema,
            &serde_json::from_slice(&claim.to_json()).unwrap(),
            Holding::Closed,
            line,
        );
    }
    fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> Vec<&'static str> {
        all.iter().map(|one| word(*one)).collect()
    }
    let books = [
        ("PrecheckResult/properties/verdict", words(Verdict::ALL, Verdict::word)),
        ("PrecheckResult/properties/rule", words(Rule::ALL, Rule::word)),
        ("PrecheckResult/properties/code", words(Confirmation::ALL, Confirmation::word)),
        ("PrecheckResult/properties/suggested", words(Suggested::ALL, Suggested::word)),
        ("PrecheckResult/properties/days_from", words(DaysSource::ALL, DaysSource::word)),
        ("PrecheckSummary/properties/verdicts/propertyNames", words(Verdict::ALL, Verdict::word)),
        ("PrecheckSummary/properties/rules/propertyNames", words(Rule::ALL, Rule::word)),
        ("PrecheckDays/properties/holder", words(Holder::ALL, Holder::word)),
        ("PrecheckReason/properties/code", words(ReasonCode::ALL, ReasonCode::word)),
        ("Finding/properties/what", words(What::ALL, What::word)),
        ("Claim/properties/table", words(PointTable::ALL, PointTable::word)),
    ];
    for (place, words) in books {
        let schema = DOCUMENT.root["components"]["schemas"].pointer(&format!("/{place}")).unwrap();
        let described = schema["enum"].as_array().unwrap().iter().filter_map(Value::as_str);
        assert_eq!(described.collect::<Vec<_>>(), words, "{place}");
    }
}
