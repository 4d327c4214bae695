//! Deliveries over the wire: what is taken, what is put in quarantine, whose they may be.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use serde_json::{Value, json};
use world::World;

fn member(sequence: u64, number: &str, extra: Value) -> String {
    let mut record = json!({
        "source": "06132013", "sequence": sequence, "kind": "member",
        "link_number": format!("{:016}", 9_000_000_000_000_000 + sequence % 1000),
        "recorded_at": "2026-01-01T00:00:00+09:00",
        "name": "試験　太郎", "name_kana": "ｼｹﾝ　ﾀﾛｳ", "sex": "male", "birth_date": "1980-02-03", "restrictions": [],
        "coverages": [{"symbol": "試－１", "number": number, "branch": "01", "relationship": "insured",
            "card_kind": "01", "qualified_on": "2020-04-01", "disqualified_on": null, "copay_percent": 30}],
    });
    for (key, value) in extra.as_object().unwrap() {
        record[key] = value.clone();
    }
    record.to_string()
}

fn query(number: &str) -> Value {
    json!({"insurer_number": "06132013", "symbol": "試-1", "number": number, "branch": "01", "birth_date": "1980-02-03"})
}

#[test]
fn a_delivery_is_visible_when_it_is_acknowledged() {
    let world = World::started(100);
    let (feeder, desk) = (world.client("insurer-06132013"), world.client("reception"));
    let state = feeder.get("/v1/feeds/06132013").json();
    let from = state["committed_sequence"].as_u64().unwrap() + 1;
    assert_eq!(desk.post("/v1/eligibility/number", &query("7001")).word(), "not_found");

    let lines = [member(from, "7001", json!({})), member(from + 2, "7002", json!({}))].join("\n");
    let report = feeder.feed("06132013", &lines).json();
    assert_eq!(
        (report["accepted"].as_u64(), report["quarantined"].as_array().unwrap().len()),
        (Some(2), 0),
        "{report}"
    );
    assert_eq!(report["committed_sequence"].as_u64(), Some(from + 2));
    let answer = desk.post("/v1/eligibility/number", &query("7001")).json();
    assert_eq!((&answer["status"], &answer["generation"]), (&json!("valid"), &report["generation"]));
    assert_eq!(answer["coverages"][0]["name_kana"], "シケン　タロウ");

    let again = feeder.feed("06132013", &lines).json();
    assert_eq!((again["accepted"].as_u64(), again["duplicates"].as_u64()), (Some(0), Some(2)));
}

#[test]
fn bad_lines_go_to_quarantine_and_the_rest_goes_on() {
    let world = World::started(100);
    let feeder = world.client("insurer-06132013");
    let operator = world.client("operator");
    let from = feeder.get("/v1/feeds/06132013").json()["committed_sequence"].as_u64().unwrap() + 10;
    let lines = [
        member(from, "8001", json!({})),
        "{\"source\":".to_owned(),
        member(from + 1, "8002", json!({"sex": "x"})),
        member(from + 2, "8003", json!({"shoe_size": 5})),
        member(from + 3, "8004", json!({"source": "138057"})),
        member(from + 4, "8005", json!({"address": "東京都 1234-5678-9018"})),
        member(from + 5, "8006", json!({"kind": "link"})),
        member(from, "8007", json!({})),
        member(from - 5, "8008", json!({})),
        member(from + 6, "8009", json!({"birth_date": "1980-02-30"})),
        "x".repeat(300_000),
        member(from + 7, "8010", json!({})),
        json!({"source": "06132013", "sequence": from + 8, "kind": "mark", "complete_to": "2199-01-01T00:00:00Z"}).to_string(),
    ]
    .join("\r\n");
    let report = feeder.feed("06132013", &lines).json();
    assert_eq!(report["accepted"], 2, "{report}");
    let codes: Vec<_> = report["quarantined"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["line"].as_u64().unwrap(), one["code"].as_str().unwrap()))
        .collect();
    let expected = [
        (2, "malformed"),
        (3, "unknown_value"),
        (4, "unknown_field"),
        (5, "foreign_source"),
        (6, "my_number_refused"),
        (7, "unknown_field"),
        (8, "sequence_reused"),
        (9, "out_of_order"),
        (10, "invalid_field"),
        (11, "malformed"),
        (13, "future_mark"),
    ];
    assert_eq!(codes, expected);
    assert_eq!(report["committed_sequence"].as_u64(), Some(from + 8));
    assert!(!report.to_string().contains("9018"));

    // Nothing that was refused changed anything, and the source is not complete past it.
    let desk = world.client("reception");
    assert_eq!(desk.post("/v1/eligibility/number", &query("8010")).word(), "valid");
    assert_eq!(desk.post("/v1/eligibility/number", &query("8003")).word(), "not_found");
    let before = feeder.get("/v1/feeds/06132013").json();
    let mark = json!({"source": "06132013", "sequence": from + 9, "kind": "mark", "complete_to": "2026-11-21T00:00:00+09:00"});
    feeder.feed("06132013", &mark.to_string());
    assert_eq!(feeder.get("/v1/feeds/06132013").json()["complete_to"], before["complete_to"]);

    // An operator may dismiss; the feeder may not; a better word resolves.
    let quarantine =
        || operator.get("/v1/feeds/06132013/quarantine").json()["quarantine"].as_array().unwrap().clone();
    // The accepted mark has made good the refused one.
    let open = expected.len() - 1;
    assert_eq!(quarantine().len(), open);
    let name = quarantine()[0]["name"].as_str().unwrap().to_owned();
    let path = format!("/v1/feeds/06132013/quarantine/{name}");
    assert_eq!(feeder.post(&path, &json!({"dismiss": true})).status, 403);
    assert_eq!(operator.post(&path, &json!({"dismiss": true})).status, 200);
    assert_eq!(operator.post(&path, &json!({"dismiss": true})).json()["field"], "sequence");
    assert_eq!(quarantine().len(), open - 1);
    feeder.feed("06132013", &member(from + 10, "8002", json!({"resolves": [from + 1]})));
    assert_eq!(quarantine().len(), open - 2);
}

#[test]
fn a_source_belongs_to_its_feeder() {
    let world = World::started(100);
    let line = member(1_000_000, "9001", json!({}));
    let generation = world.client("operator").get("/v1/feeds").json()["generation"].clone();
    for (name, source, status) in [
        ("insurer-138057", "06132013", 403),
        ("reception", "06132013", 403),
        ("operator", "06132013", 403),
        ("insurer-06132013", "138057", 403),
        ("insurer-06132013", "portal", 403),
        ("insurer-06132013", "gateway", 422),
        ("insurer-06132013", "99999999", 422),
    ] {
        assert_eq!(world.client(name).feed(source, &line).status, status, "{name} {source}");
    }
    assert_eq!(world.client("operator").get("/v1/feeds").json()["generation"], generation);
    let own = world.client("insurer-138057").get("/v1/feeds").json();
    let sources: Vec<_> =
        own["feeds"].as_array().unwrap().iter().map(|feed| feed["source"].clone()).collect();
    assert_eq!(sources, ["138057"]);
    assert_eq!(world.client("insurer-138057").get("/v1/feeds/06132013").status, 403);
}

#[test]
fn a_delivery_that_breaks_off_commits_nothing() {
    use std::io::Write;
    let world = World::started(100);
    let feeder = world.client("insurer-06132013");
    let before = feeder.get("/v1/feeds/06132013").json();
    let line = member(1_000_000, "9002", json!({}));
    let mut stream = feeder.connect().unwrap();
    let head = format!(
        "POST /v1/feeds/06132013 HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
        line.len() + 100
    );
    stream.write_all(&[head.as_bytes(), line.as_bytes(), b"\n"].concat()).unwrap();
    stream.flush().unwrap();
    drop(stream);
    let after = feeder.get("/v1/feeds/06132013").json();
    assert_eq!(after["committed_sequence"], before["committed_sequence"]);
    assert_eq!(world.client("reception").post("/v1/eligibility/number", &query("9002")).word(), "not_found");
}

#[test]
fn links_take_effect_with_the_next_answer() {
    let world = World::started(100);
    let (portal, desk) = (world.client("portal"), world.client("reception"));
    let lines = world.cards();
    let unlinked = lines.iter().find(|line| line["state"] == "unlinked").unwrap();
    let linked = lines.iter().find(|line| line["state"] == "good").unwrap();
    let card = world.card(unlinked["name"].as_str().unwrap());
    assert_eq!(card.ask(&desk).word(), "not_linked");
    let from = portal.get("/v1/feeds/portal").json()["committed_sequence"].as_u64().unwrap() + 1;
    let link = |sequence: u64, number: &Value, deleted: bool| {
        json!({"source": "portal", "sequence": sequence, "kind": "link", "serial": unlinked["serial"], "link_number": number, "deleted": deleted})
            .to_string()
    };
    let report = portal.feed("portal", &link(from, &linked["link_number"], false)).json();
    assert_eq!(report["accepted"], 1, "{report}");
    assert_eq!(card.ask(&desk).word(), world.card(linked["name"].as_str().unwrap()).ask(&desk).word());
    // The serial of another person is not taken over.
    let conflict = portal.feed("portal", &link(from + 1, &json!("9000000000000001"), false)).json();
    assert_eq!(conflict["quarantined"][0]["code"], "link_conflict");
    portal.feed("portal", &link(from + 2, &linked["link_number"], true));
    assert_eq!(card.ask(&desk).word(), "not_linked");
}
