//! Deliveries that are held back as a whole: what counts of them, what is said meanwhile, and how an
//! operator lets them in or drops them.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use serde_json::{Value, json};
use world::World;

const SOURCE: &str = "06132013";
const FEED: &str = "/v1/feeds/06132013";
/// Persons of one delivery: more than a gate asks for.
const PERSONS: u64 = 1100;

/// A person of these tests; `change` puts other values into the record.
fn member(sequence: u64, person: u64, change: &Value) -> Value {
    let mut record = json!({
        "source": SOURCE, "sequence": sequence, "kind": "member",
        "link_number": format!("{:016}", 9_300_000_000_000_000 + person),
        "name": "試験　花子", "sex": "female", "birth_date": "1990-05-05", "address": "架空市１", "restrictions": [],
        "coverages": [{"symbol": "H", "number": format!("{person}"), "qualified_on": "2020-04-01", "copay_percent": 30}],
    });
    for (key, value) in change.as_object().unwrap() {
        record[key] = value.clone();
    }
    record
}

fn lines(from: u64, count: u64, change: &Value) -> Vec<String> {
    (0..count).map(|n| member(from + n, n, change).to_string()).collect()
}

struct Fed {
    world: World,
    next: u64,
}

impl Fed {
    /// A gateway whose insurer has fed everybody of these tests.
    fn new() -> Self {
        let world = World::started(100);
        let state = world.client("insurer-06132013").get(FEED).json();
        let mut fed = Self { world, next: state["committed_sequence"].as_u64().unwrap() + 1 };
        // The insurer has living persons already, and is asked from here on.
        let report = fed.deliver(PERSONS, &json!({}));
        assert_eq!(report["accepted"], PERSONS, "{report}");
        fed
    }

    fn deliver(&mut self, count: u64, change: &Value) -> Value {
        let lines = lines(self.next, count, change);
        self.next += count;
        self.send(&lines)
    }

    fn send(&self, lines: &[String]) -> Value {
        self.world.client("insurer-06132013").feed(SOURCE, &lines.join("\n")).json()
    }

    fn state(&self) -> Value {
        self.world.client("operator").get(FEED).json()
    }

    fn held(&self) -> Vec<Value> {
        self.world.client("operator").get(&format!("{FEED}/held")).json()["held"].as_array().unwrap().clone()
    }

    fn decide(&self, delivery: &Value, release: bool) -> (u16, Value) {
        let path = format!("{FEED}/held/{}", delivery["delivery"].as_str().unwrap());
        let reply = self.world.client("operator").post(&path, &json!({"release": release}));
        (reply.status, reply.json())
    }

    /// What a pre-check says of a claim of the person.
    fn verdict(&self, person: u64) -> String {
        let claim = json!({"insurer_number": SOURCE, "symbol": "H", "number": format!("{person}"),
            "birth_date": "1990-05-05", "month": "2026-10", "days": ["2026-10-05"]});
        let review = self.world.client("review");
        let taken =
            review.send("POST", "/v1/prechecks", "application/x-ndjson", claim.to_string().as_bytes()).json();
        let path = format!("/v1/prechecks/{}", taken["id"].as_str().unwrap());
        while review.get(&path).json()["state"] != "done" {}
        review.get(&format!("{path}/results")).json()["verdict"].as_str().unwrap().to_owned()
    }

    fn ask(&self, person: u64) -> Value {
        let question = json!({"insurer_number": SOURCE, "symbol": "H", "number": format!("{person}"), "birth_date": "1990-05-05"});
        self.world.client("reception").post("/v1/eligibility/number", &question).json()
    }
}

#[test]
fn a_delivery_that_takes_too_much_away_is_held_until_it_is_released() {
    let mut fed = Fed::new();
    let before = fed.state();
    let held = fed.deliver(PERSONS, &json!({"deleted": true, "name": null}));
    assert_eq!((&held["held"], &held["reasons"][0]["gate"]), (&json!(true), &json!("losses")), "{held}");
    assert_eq!(held["records"], PERSONS);

    // Nothing of it counts; what the insurer denies is not certain meanwhile.
    let state = fed.state();
    assert_eq!(state["committed_sequence"], before["committed_sequence"]);
    assert_eq!(state["held"].as_array().unwrap().len(), 1);
    assert_eq!(fed.ask(5)["status"], "valid");
    let doubt = fed.ask(999_999);
    assert_eq!((&doubt["status"], &doubt["reason"]), (&json!("unconfirmed"), &json!("held_back")));
    assert_eq!(fed.verdict(999_999), "unconfirmed");
    let status: Value = serde_json::from_str(&fed.world.admin_get("/status").unwrap().1).unwrap();
    assert_eq!(status["feeds"][SOURCE]["held"], 1);

    // It outlives the process, and no feeder may decide.
    fed.world.kill();
    fed.world.start();
    let waiting = fed.held();
    assert_eq!((waiting.len(), &waiting[0]["delivery"]), (1, &held["delivery"]));
    let path = format!("{FEED}/held/{}", held["delivery"].as_str().unwrap());
    assert_eq!(fed.world.client("insurer-06132013").post(&path, &json!({"release": true})).status, 403);
    assert_eq!(fed.world.client("insurer-06132013").get(&path).json()["records"], PERSONS);

    let (status, decided) = fed.decide(&held, true);
    assert_eq!((status, &decided["released"], &decided["accepted"]), (200, &json!(true), &json!(PERSONS)));
    assert_eq!((fed.ask(5)["status"].as_str(), fed.verdict(5).as_str()), (Some("not_found"), "not_found"));
    assert_eq!((fed.held().len(), fed.decide(&held, true).0), (0, 422));
}

#[test]
fn a_field_that_is_emptied_or_a_count_that_is_wrong_holds_back() {
    let mut fed = Fed::new();
    let emptied = fed.deliver(PERSONS, &json!({"address": null}));
    let reason = &emptied["reasons"][0];
    assert_eq!(
        (&reason["gate"], &reason["field"], &reason["found"]),
        (&json!("emptied"), &json!("address"), &json!(100))
    );
    // The same once more is the same.
    let again = fed.send(&lines(fed.next - PERSONS, PERSONS, &json!({"address": null})));
    assert_eq!((&again["delivery"], fed.held().len()), (&emptied["delivery"], 1));
    assert_eq!(fed.decide(&emptied, false), (200, json!({"released": false})));
    assert_eq!(fed.ask(5)["coverages"][0]["address"], "架空市１");

    // A part is missing of what the mark counts.
    let mut counted = lines(fed.next, PERSONS, &json!({"name": "試験　次子"}));
    let mark = json!({"source": SOURCE, "sequence": fed.next + PERSONS, "kind": "mark", "complete_to": "2026-11-21T00:00:00+09:00", "records": 2 * PERSONS});
    counted.remove(7);
    counted.push(mark.to_string());
    let held = fed.send(&counted);
    assert_eq!(
        (&held["reasons"][0]["gate"], &held["reasons"][0]["found"]),
        (&json!("count"), &json!(2 * PERSONS - 1)),
        "{held}"
    );
    assert_eq!(fed.ask(5)["coverages"][0]["name"], "試験　花子");
}

#[test]
fn restrictions_of_a_held_delivery_count_at_once() {
    let fed = Fed::new();
    let mut delivery = lines(fed.next, PERSONS, &json!({"address": null}));
    delivery[3] = member(fed.next + 3, 3, &json!({"restrictions": ["closed"]})).to_string();
    let held = fed.send(&delivery);
    assert_eq!(held["held"], true);
    let answer = fed.ask(3);
    assert_eq!((&answer["status"], &answer["reason"]), (&json!("withheld"), &json!("closed")), "{answer}");
    // Dropping the delivery takes no protection away: that waits for a record that is accepted.
    fed.decide(&held, false);
    assert_eq!(fed.ask(3)["status"], "withheld");
    assert_eq!(fed.state()["quarantine"], 0);
    let lifted = fed.send(&[member(fed.next, 3, &json!({})).to_string()]);
    assert_eq!(lifted["accepted"], 1);
    assert_eq!(fed.ask(3)["status"], "valid");
}

#[test]
fn deliveries_behind_a_held_one_wait_and_follow_by_themselves() {
    let mut fed = Fed::new();
    let first = fed.deliver(PERSONS, &json!({"address": null}));
    let second = fed.deliver(2, &json!({"name": "試験　次子"}));
    assert_eq!((&second["held"], &second["reasons"][0]["gate"]), (&json!(true), &json!("behind")));
    assert_eq!(fed.decide(&second, true).0, 422, "it would leave the first behind");
    assert_eq!(fed.decide(&first, true).1["accepted"], PERSONS);
    assert_eq!(fed.held().len(), 0);
    assert_eq!(fed.ask(1)["coverages"][0]["name"], "試験　次子");
    assert_eq!(fed.state()["committed_sequence"], fed.next - 1);
}
