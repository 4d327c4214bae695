//! What counts in the next answer: protection, also of records that are refused; renewals; subsidies.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use world::World;

const SOURCE: &str = "06132013";

fn next(world: &World, source: &str) -> u64 {
    let state = world.client("operator").get(&format!("/v1/feeds/{source}")).json();
    state["committed_sequence"].as_u64().unwrap() + 1
}

fn card(world: &World, wanted: impl Fn(&Value) -> bool) -> Value {
    world.cards().into_iter().find(wanted).unwrap()
}

#[test]
fn a_wish_for_protection_in_a_refused_record_counts_at_once() {
    let world = World::started(100);
    let (desk, feeder) = (world.client("reception"), world.client("insurer-06132013"));
    let (question, employee) = (world.question("employee"), card(&world, |card| card["name"] == "employee"));
    let ask = || desk.post("/v1/eligibility/number", &question).json();
    assert!(ask()["coverages"][0]["address"].is_string());
    let refuse = |restrictions: Value| {
        // Nothing of it can be read but whom it protects and how.
        let record = json!({"source": SOURCE, "sequence": next(&world, SOURCE), "kind": "member",
            "link_number": employee["link_number"], "restrictions": restrictions, "shoe_size": 5});
        let report = feeder.feed(SOURCE, &record.to_string()).json();
        assert_eq!(report["quarantined"].as_array().unwrap().len(), 1, "{report}");
    };
    refuse(json!(["hide_address"]));
    assert_eq!((&ask()["status"], &ask()["coverages"][0]["address"]), (&json!("valid"), &Value::Null));
    refuse(json!(["card_unusable"]));
    let by_card = world.card("employee").ask(&desk).json();
    assert_eq!((&by_card["status"], &by_card["reason"]), (&json!("withheld"), &json!("card_unusable")));
    let mut link = question.clone();
    link["certificate"] = json!(STANDARD.encode(&world.card("employee").certificate));
    assert_eq!(world.client("portal").post("/v1/links", &link).word(), "link_refused");
    refuse(json!(["closed"]));
    assert_eq!((&ask()["status"], &ask()["reason"]), (&json!("withheld"), &json!("closed")));
}

#[test]
fn renewals_and_subsidies_count_in_the_next_answer() {
    let world = World::started(100);
    let desk = world.client("reception");
    let employee = card(&world, |card| card["name"] == "employee");
    let unlinked = card(&world, |card| card["state"] == "unlinked");
    let name = unlinked["name"].as_str().unwrap();
    assert_eq!(world.card(name).ask(&desk).word(), "not_linked");
    let renewal = json!({"source": "jlis", "sequence": next(&world, "jlis"), "kind": "renewal",
        "serial": unlinked["serial"], "previous_serial": employee["serial"]});
    world.client("jlis").feed("jlis", &renewal.to_string());
    let (renewed, former) = (world.card(name).ask(&desk).json(), world.card("employee").ask(&desk).json());
    assert_eq!((&renewed["status"], &renewed["coverages"]), (&json!("valid"), &former["coverages"]));

    let ask = || {
        let mut query = world.card(name).query(&desk.challenge());
        query["consent"] = json!({"subsidies": true});
        desk.post("/v1/eligibility/card", &query).json()["coverages"][0]["subsidies"].clone()
    };
    let subsidy = |schemes: Value| {
        let city = "city-131016";
        let record = json!({"source": city, "sequence": next(&world, city), "kind": "subsidy",
            "link_number": employee["link_number"], "subsidies": schemes});
        let report = world.client(city).feed(city, &record.to_string()).json();
        assert_eq!(report["accepted"], 1, "{report}");
    };
    subsidy(json!([{"payer_number": "88130018", "recipient_number": "1234566", "scheme": "試験助成"}]));
    assert_eq!(ask()[0]["scheme"], "試験助成");
    subsidy(json!([]));
    assert_eq!(ask(), json!([]));
}
