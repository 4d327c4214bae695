//! Questions as of an instant, over the wire and by the command: what was known then, what protects today,
//! who may ask.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use std::path::Path;

use serde_json::{Value, json};
use world::client::Client;
use world::{World, shikaku};

const SOURCE: &str = "06132013";
const FEED: &str = "/v1/feeds/06132013";

/// The person of these tests; `change` puts other values into the record.
fn member(sequence: u64, number: &str, change: &Value) -> String {
    let mut record = json!({
        "source": SOURCE, "sequence": sequence, "kind": "member", "link_number": "9400000000000001",
        "name": "試験　一", "sex": "male", "birth_date": "1971-07-17", "address": "架空市１", "restrictions": [],
        "coverages": [{"symbol": "K", "number": number, "qualified_on": "2020-04-01", "copay_percent": 30}],
    });
    for (key, value) in change.as_object().unwrap() {
        record[key] = value.clone();
    }
    record.to_string()
}

fn question(number: &str) -> Value {
    json!({"insurer_number": SOURCE, "symbol": "K", "number": number, "birth_date": "1971-07-17", "date": "2026-01-05"})
}

struct House {
    world: World,
    feeder: Client,
    review: Client,
    next: u64,
}

impl House {
    fn new() -> Self {
        let world = World::started(100);
        let (feeder, review) = (world.client("insurer-06132013"), world.client("review"));
        let next = feeder.get(FEED).json()["committed_sequence"].as_u64().unwrap() + 1;
        Self { world, feeder, review, next }
    }

    /// Feeds a word on the person; gives an instant at which it was the last.
    fn feed(&mut self, number: &str, change: &Value) -> String {
        let report = self.feeder.feed(SOURCE, &member(self.next, number, change)).json();
        assert_eq!(report["committed_sequence"], self.next, "{report}");
        self.next += 1;
        self.now()
    }

    fn now(&self) -> String {
        let answer = self.review.post("/v1/eligibility/number", &question("1")).json();
        answer["answered_at"].as_str().unwrap().to_owned()
    }

    fn ask(&self, number: &str, at: &str) -> Value {
        let mut asked = question(number);
        asked["known_at"] = json!(at);
        self.review.post("/v1/eligibility/number", &asked).json()
    }

    fn status(&self, number: &str, at: &str) -> String {
        self.ask(number, at)["status"].as_str().unwrap_or("none").to_owned()
    }
}

#[test]
fn an_answer_is_given_as_it_was_known_then() {
    let mut house = House::new();
    let before = house.now();
    let first = house.feed("4101", &json!({}));
    // The insurer finds out that it had a wrong number, later that the person had left, then withdraws.
    let renumbered = house.feed("4102", &json!({"name": "試験　二"}));
    let left = house.feed(
        "4102",
        &json!({"coverages": [{"symbol": "K", "number": "4102",
        "qualified_on": "2020-04-01", "disqualified_on": "2025-12-31", "loss_reason": "03"}]}),
    );
    let gone = house.feed("4102", &json!({"deleted": true, "name": null}));

    let table = [
        ("4101", ["not_found", "valid", "not_found", "not_found", "not_found"]),
        ("4102", ["not_found", "not_found", "valid", "invalid", "not_found"]),
    ];
    for (number, expected) in table {
        let instants = [&before, &first, &renumbered, &left, &gone];
        assert_eq!(instants.map(|at| house.status(number, at)), expected, "{number}");
    }
    let answer = house.ask("4101", &first);
    assert_eq!((&answer["known_at"], &answer["coverages"][0]["name"]), (&json!(first), &json!("試験　一")));
    let now = house.review.post("/v1/eligibility/number", &question("4102")).json();
    assert!(answer["generation"].as_u64() < now["generation"].as_u64() && now.get("known_at").is_none());

    // Before anything was ever said, nothing is sure; what is to come is not known.
    let never = house.ask("4101", "2001-01-01T00:00:00Z");
    assert_eq!((&never["status"], &never["reason"]), (&json!("unconfirmed"), &json!("never_fed")));
    assert_eq!((&never["generation"], &never["as_of"]), (&json!(0), &Value::Null));
    assert_eq!(house.ask("4101", "2101-01-01T00:00:00Z")["field"], "known_at");
    let mut asked = question("4101");
    asked["known_at"] = json!(first);
    let desk = house.world.client("reception").post("/v1/eligibility/number", &asked);
    assert_eq!((desk.status, desk.word().as_str()), (403, "forbidden"));

    // A batch, each line as of its own instant; the audit names them; a restart changes nothing.
    let lines = [("4101", &first), ("4102", &first), ("4102", &left)];
    let ask_all = |house: &House| {
        let lines = lines.map(|(number, at)| {
            let mut line = question(number);
            line["known_at"] = json!(at);
            line.to_string()
        });
        let path = "/v1/eligibility/batch";
        let reply = house.review.send("POST", path, "application/x-ndjson", lines.join("\n").as_bytes());
        let text = String::from_utf8(reply.body).unwrap();
        let status =
            |line| serde_json::from_str::<Value>(line).unwrap()["status"].as_str().unwrap().to_owned();
        text.lines().map(status).collect::<Vec<_>>()
    };
    assert_eq!(ask_all(&house), ["valid", "not_found", "invalid"]);
    house.world.kill();
    house.world.start();
    assert_eq!(ask_all(&house), ["valid", "not_found", "invalid"]);
    let config = house.world.path("shikaku.toml");
    let exported = shikaku().args(["audit", "export", "--config"]).arg(config).output().unwrap();
    let exported = String::from_utf8(exported.stdout).unwrap();
    assert_eq!(
        exported.matches(&format!("\"known_at\":\"{left}\"")).count(),
        4,
        "two questions, two batches"
    );
}

#[test]
fn what_protects_today_protects_then() {
    let mut house = House::new();
    let open = house.feed("4201", &json!({}));
    assert_eq!(house.ask("4201", &open)["coverages"][0]["address"], "架空市１");
    let hidden = house.feed("4201", &json!({"restrictions": ["hide_address"], "address": "架空市２"}));
    assert_eq!(house.ask("4201", &open)["coverages"][0]["address"], Value::Null);
    // A record that is refused protects at once, also what was known before.
    house.feed("4201", &json!({"restrictions": ["closed"], "sex": "x"}));
    for at in [&open, &hidden] {
        let answer = house.ask("4201", at);
        assert_eq!(
            (&answer["status"], &answer["reason"]),
            (&json!("withheld"), &json!("closed")),
            "{answer}"
        );
        assert_eq!(answer["coverages"], json!([]));
    }
    let lifted = house.feed("4201", &json!({}));
    assert_eq!(house.ask("4201", &open)["coverages"][0]["address"], "架空市１");
    // What protected then still does: nobody had taken it away.
    assert_eq!(house.ask("4201", &hidden)["coverages"][0]["address"], Value::Null);
    assert_eq!(house.status("4201", &lifted), "valid");
}

#[test]
fn a_claim_file_is_judged_as_it_was_known_then() {
    let mut house = House::new();
    let first = house.feed("4301", &json!({}));
    let left = house.feed(
        "4301",
        &json!({"coverages": [{"symbol": "K", "number": "4301",
        "qualified_on": "2020-04-01", "disqualified_on": "2025-12-31", "loss_reason": "03"}]}),
    );
    let mut claim = question("4301");
    claim.as_object_mut().unwrap().remove("date");
    claim["month"] = json!("2026-01");
    claim["days"] = json!(["2026-01-05"]);
    let file = format!("{claim}\n");
    let path = |at: &str| format!("/v1/prechecks?known_at={}", at.replace('+', "%2B"));
    let verdict = |at: &str| {
        let taken = house.review.send("POST", &path(at), "application/x-ndjson", file.as_bytes()).json();
        let id = taken["id"].as_str().unwrap().to_owned();
        loop {
            let state = house.review.get(&format!("/v1/prechecks/{id}")).json();
            assert_eq!(state["known_at"], at);
            if state["state"] == "done" {
                assert_eq!(state["provisional"], 0);
                let results = house.review.get(&format!("/v1/prechecks/{id}/results")).json();
                return results["verdict"].as_str().unwrap().to_owned();
            }
        }
    };
    assert_eq!([&first, &left].map(|at| verdict(at)), ["ok", "lost"]);
    let refused = [
        (house.world.client("reception"), first.as_str(), "forbidden"),
        (house.review.clone(), "2101-01-01T00:00:00Z", "invalid_field"),
        (house.review.clone(), "yesterday", "invalid_field"),
    ];
    for (client, at, word) in refused {
        assert_eq!(client.send("POST", &path(at), "application/x-ndjson", file.as_bytes()).word(), word);
    }

    // The command says the same, by the server and without it.
    let written = house.world.path("claims.ndjson");
    std::fs::write(&written, &file).unwrap();
    let file = |house: &House, name: &str| house.world.path(name).to_str().unwrap().to_owned();
    let server = format!("https://localhost:{}", house.world.listen.port());
    let [ca, cert, key, config] =
        ["tls/ca.pem", "clients/review.pem", "clients/review-key.pem", "shikaku.toml"]
            .map(|name| file(&house, name));
    let there = ["--server", &server, "--ca", &ca, "--cert", &cert, "--key", &key];
    assert_eq!([&first, &left].map(|at| by_command(&written, at, &there)), ["ok", "lost"]);
    house.world.stop();
    assert_eq!([&first, &left].map(|at| by_command(&written, at, &["--config", &config])), ["ok", "lost"]);
}

/// The verdict on the one claim of a file, by the command.
fn by_command(file: &Path, at: &str, more: &[&str]) -> String {
    let out = file.with_extension("out");
    let mut command = shikaku();
    command.arg("precheck").arg(file).args(more).args(["--known-at", at]).arg("--out").arg(&out);
    let ended = command.output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let result = std::fs::read_to_string(out.join("results.ndjson")).unwrap();
    serde_json::from_str::<Value>(&result).unwrap()["verdict"].as_str().unwrap().to_owned()
}
