//! What feeders and the portal send, and what they are told, held against the description.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::document::Holding;
use crate::world::World;
use crate::{DOCUMENT, WORLD, feed, get, post, with};

#[test]
fn every_line_of_the_demonstrations_feeds_is_described() {
    let validator = DOCUMENT.validator(&json!({"$ref": "#/components/schemas/FeedRecord"}), Holding::Closed);
    let mut kinds = BTreeSet::new();
    for entry in std::fs::read_dir(WORLD.path("feed")).unwrap() {
        for line in std::fs::read_to_string(entry.unwrap().path()).unwrap().lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            if let Err(error) = validator.validate(&record) {
                panic!("{}: {error}: {line}", error.instance_path());
            }
            kinds.insert(record["kind"].as_str().unwrap().to_owned());
        }
    }
    assert!(kinds.len() >= 4, "{kinds:?}");
}

/// Lines that the gateway must take or refuse, and whether.
fn lines(from: u64) -> Vec<(bool, Value)> {
    let member = json!({
        "source": "06132013", "kind": "member", "link_number": "9000000000000001", "name": "試験　太郎",
        "sex": "male", "birth_date": "1980-02-03", "coverages": [{"number": "9501", "qualified_on": "2020-04-01"}],
    });
    let coverage = |field: &str, value: Value| {
        let mut record = member.clone();
        record["coverages"][0][field] = value;
        record
    };
    let mark = json!({"source": "06132013", "kind": "mark", "complete_to": "2026-01-01T00:00:00Z"});
    let all = vec![
        (true, member.clone()),
        (true, with(member.clone(), "alias", json!("試験　花子"))),
        (true, with(member.clone(), "postal_code", json!("1000001"))),
        (true, with(member.clone(), "postal_code", json!(""))),
        (true, with(member.clone(), "restrictions", json!(["hide_address"]))),
        (true, with(member.clone(), "restrictions", Value::Null)),
        (true, with(member.clone(), "recorded_at", json!("2026-01-01T00:00:00Z"))),
        (true, coverage("branch", json!("00"))),
        (true, coverage("symbol", Value::Null)),
        (true, coverage("card_kind", json!("05"))),
        (true, coverage("specific_diseases", json!([{"category": "2", "self_pay_yen": 20000}]))),
        (true, coverage("limit_certificates", json!([{"kind": "02", "category": null}]))),
        (true, coverage("elderly", json!([{"copay_percent": 20}]))),
        (
            true,
            json!({"source": "06132013", "kind": "member", "link_number": "9000000000000001", "deleted": true}),
        ),
        (true, mark.clone()),
        (false, with(member.clone(), "name", Value::Null)),
        (false, with(member.clone(), "sex", json!("x"))),
        (false, with(member.clone(), "birth_date", json!("1980-02-30"))),
        (false, with(member.clone(), "link_number", json!("1"))),
        (false, with(member.clone(), "restrictions", json!(["all"]))),
        (false, with(member.clone(), "epoch", json!(0))),
        (false, with(member.clone(), "postal_code", json!("100-001"))),
        (false, with(member.clone(), "coverages", Value::Null)),
        (false, with(member.clone(), "shoe_size", json!(5))),
        (false, coverage("copay_percent", json!(101))),
        (false, coverage("loss_reason", json!("04"))),
        (false, coverage("card_kind", json!("5"))),
        (false, coverage("elderly", Value::Null)),
        (false, with(mark, "complete_to", json!("2026-01-01"))),
    ];
    let numbered = all.into_iter().zip(from..);
    numbered.map(|((good, record), sequence)| (good, with(record, "sequence", json!(sequence)))).collect()
}

#[test]
fn feeds_are_taken_and_shown_as_described() {
    let world = World::started(100);
    let (feeder, operator) = (world.client("insurer-06132013"), world.client("operator"));
    let state = get(&feeder, "/v1/feeds/{source}", "/v1/feeds/06132013").json();
    let from = state["committed_sequence"].as_u64().unwrap() + 1;
    let validator = DOCUMENT.validator(&json!({"$ref": "#/components/schemas/FeedRecord"}), Holding::Closed);
    for (good, record) in lines(from) {
        assert_eq!(validator.is_valid(&record), good, "{record}");
        let report = feed(&feeder, "06132013", &record.to_string()).json();
        assert_eq!(report["accepted"], u64::from(good), "{record}: {report}");
    }
    // Other faults than those of a single line, and more of them than a report names.
    let strange = [
        "{\"source\":".to_owned(),
        json!({"source": "138057", "sequence": from + 50, "kind": "mark", "complete_to": "2026-01-01T00:00:00Z"}).to_string(),
        json!({"source": "06132013", "sequence": from + 51, "kind": "mark", "complete_to": "2199-01-01T00:00:00Z"}).to_string(),
        json!({"source": "06132013", "sequence": from + 52, "kind": "mark", "complete_to": "2026-01-01T00:00:00Z", "records": 999}).to_string(),
        json!({"source": "06132013", "sequence": from, "kind": "mark", "complete_to": "2026-01-02T00:00:00Z"}).to_string(),
        json!({"source": "06132013", "sequence": from + 53, "epoch": 9, "kind": "mark", "complete_to": "2026-01-02T00:00:00Z"}).to_string(),
    ];
    let codes: Vec<_> = feed(&feeder, "06132013", &strange.join("\n")).json()["quarantined"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        codes,
        ["malformed", "foreign_source", "future_mark", "count_mismatch", "sequence_reused", "wrong_epoch"]
    );
    let late = json!({
        "source": "city-131016", "sequence": 1_000_000, "kind": "subsidy", "link_number": world.cards()[0]["link_number"],
        "subsidies": [{"payer_number": "88130019", "recipient_number": "1234567", "scheme": "試験"}],
    });
    let warned = feed(&world.client("city-131016"), "city-131016", &late.to_string()).json();
    assert_eq!(warned["warnings"].as_array().map(Vec::len), Some(2), "{warned}");
    let many: String = (0..1001).map(|n| format!("broken {n}\n")).collect();
    assert_eq!(feed(&feeder, "06132013", &many).json()["quarantined_total"], 1001);
    get(&feeder, "/v1/feeds", "/v1/feeds");
    get(&operator, "/v1/feeds", "/v1/feeds");
    let quarantine = get(&operator, "/v1/feeds/{source}/quarantine", "/v1/feeds/06132013/quarantine").json();
    let dismissal = "/v1/feeds/{source}/quarantine/{name}";
    for one in quarantine["quarantine"].as_array().unwrap().iter().take(20) {
        let target = format!("/v1/feeds/06132013/quarantine/{}", one["name"].as_str().unwrap());
        assert_eq!(post(&operator, dismissal, &target, &json!({"dismiss": true})).status, 200, "{one}");
    }
    for body in [json!({"dismiss": false}), json!({}), json!({"dismiss": true, "why": "x"})] {
        assert_eq!(post(&operator, dismissal, "/v1/feeds/06132013/quarantine/1", &body).status, 422);
    }
    let gone = post(&operator, dismissal, "/v1/feeds/06132013/quarantine/1", &json!({"dismiss": true}));
    assert_eq!(gone.json()["field"], "sequence");
}

#[test]
fn links_are_made_shown_and_removed_as_described() {
    let world = World::started(70);
    let portal = world.client("portal");
    let request = |state: &str, person: &str| {
        let certificate = STANDARD.encode(&world.card_in_state(state).certificate);
        with(world.question(person), "certificate", json!(certificate))
    };
    let ask = |body: &Value| post(&portal, "/v1/links", "/v1/links", body);
    let wanted = request("unlinked", "employee");
    let words: BTreeSet<_> = [
        request("unlinked", "twins-without-branch"),
        request("unlinked", "card-unusable"),
        request("good", "dependent-child"),
        with(wanted.clone(), "birth_date", json!("1901-01-01")),
        with(wanted.clone(), "birth_date", json!("1901-02-29")),
        with(wanted.clone(), "date", json!("2026-01-01")),
        with(wanted.clone(), "number", json!("123456789018")),
        with(wanted.clone(), "certificate", json!("AAAA")),
        request("expired", "employee"),
        request("revoked", "employee"),
        request("suspended", "employee"),
        request("untrusted", "employee"),
    ]
    .iter()
    .map(|body| ask(body).word())
    .collect();
    for code in ["no_such_insured", "ambiguous_insured", "link_conflict", "link_refused"] {
        assert!(words.contains(code), "{code} was not met: {words:?}");
    }
    let linked = ask(&wanted);
    assert_eq!((linked.status, ask(&with(wanted, "branch", json!(""))).status), (201, 201), "{linked:?}");
    let notices = "/v1/links/notices";
    let first = get(&portal, notices, notices).json();
    let next = format!("{notices}?after={}", first["cursor"].as_str().unwrap());
    get(&portal, notices, &next);
    assert_eq!(get(&portal, notices, &format!("{notices}?after=x")).status, 422);
    let serial = linked.json()["serial"].as_str().unwrap().to_owned();
    for (serial, status) in [(serial.as_str(), 204), (serial.as_str(), 204), ("0114", 422), ("x", 422)] {
        let reply = portal.send("DELETE", &format!("/v1/links/{serial}"), "application/json", b"");
        DOCUMENT.assert_describes("DELETE", "/v1/links/{serial}", &reply);
        assert_eq!(reply.status, status, "{serial}");
    }
}
