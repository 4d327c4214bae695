//! Claims pre-checks over the wire: handed in, judged, taken, cancelled; owners, crashes, later records.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests wait by the clock and end by panicking"
)]

mod world;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use world::client::Client;
use world::{World, shikaku};

const UKE: &str = "application/vnd.jp.uke";
const NDJSON: &str = "application/x-ndjson";
/// The institution of `reception`.
const OWN: &str = "1312345679";

/// A claim for the person of a question, visited on this day.
fn claim(question: &Value, day: &str) -> Value {
    let mut claim = question.clone();
    claim["branch"] = Value::Null;
    claim["month"] = json!(&day[..7]);
    claim["days"] = json!([day]);
    claim["institution"] = json!(OWN);
    claim["points"] = json!(300);
    claim
}

/// A day of the month before the gateway's today.
fn last_month(world: &World) -> String {
    let answer = world.client("review").post("/v1/eligibility/number", &world.question("employee")).json();
    let today = eligibility::day::Day::parse(answer["date"].as_str().unwrap()).unwrap();
    let (_, _, day) = today.ymd();
    today.plus(-(day as i32) - 5).to_string()
}

fn hand_in(client: &Client, kind: &str, file: &[u8]) -> String {
    let reply = client.send("POST", "/v1/prechecks", kind, file);
    assert_eq!(reply.status, 202, "{reply:?}");
    reply.json()["id"].as_str().unwrap().to_owned()
}

fn state(client: &Client, id: &str) -> Value {
    let reply = client.get(&format!("/v1/prechecks/{id}"));
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

/// Waits until the job says so.
fn until(client: &Client, id: &str, said: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let state = state(client, id);
        if said(&state) {
            return state;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{state}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn done(client: &Client, id: &str) -> Value {
    until(client, id, |state| state["state"] == "done")
}

fn results(client: &Client, id: &str) -> Vec<Value> {
    let reply = client.get(&format!("/v1/prechecks/{id}/results?format=ndjson"));
    assert_eq!((reply.status, reply.header("content-type")), (200, Some(NDJSON)), "{reply:?}");
    let text = String::from_utf8(reply.body).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn lines(claims: &[Value]) -> Vec<u8> {
    claims.iter().map(|claim| format!("{claim}\n")).collect::<String>().into_bytes()
}

fn verdicts(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["verdict"].as_str().unwrap()).collect()
}

#[test]
fn a_file_is_judged_and_its_results_are_its_owners() {
    let world = World::started(300);
    let day = last_month(&world);
    let employee = world.question("employee");
    let mut unknown = claim(&employee, &day);
    unknown["number"] = json!("99999");
    let file = lines(&[claim(&employee, &day), unknown, json!({"month": "x"})]);
    let desk = world.client("reception");
    let id = hand_in(&desk, NDJSON, &file);
    assert!(id.starts_with("g1-"), "{id}");
    let state = done(&desk, &id);
    assert_eq!(state["progress"], json!({"claims": 3, "judged": 3}));
    assert_eq!(state["summary"]["all"]["claims"], 3);
    let found = results(&desk, &id);
    assert_eq!(verdicts(&found), ["ok_branch_found", "not_found", "unreadable"]);
    let csv = desk.get(&format!("/v1/prechecks/{id}/results?format=csv"));
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(claims::read_csv(&csv.body[..]).unwrap().count(), 3);

    // Another's job and none look the same, whatever is asked.
    for other in ["reception-2", "review"] {
        let other = world.client(other);
        for tail in ["", "/results"] {
            let none = other.get(&format!("/v1/prechecks/g1-00000000000000000000000000000000{tail}"));
            let foreign = other.get(&format!("/v1/prechecks/{id}{tail}"));
            assert_eq!((none.status, &none.body), (404, &foreign.body), "{foreign:?}");
            assert_eq!(foreign.status, 404);
        }
        let path = format!("/v1/prechecks/{id}");
        assert_eq!(other.send("DELETE", &path, "application/json", b"").status, 404);
    }
    for role in ["operator", "portal", "stranger", "insurer-06132013"] {
        assert_eq!(world.client(role).get(&format!("/v1/prechecks/{id}")).status, 403, "{role}");
        assert_eq!(world.client(role).send("POST", "/v1/prechecks", UKE, b"").status, 403, "{role}");
    }
    assert_eq!(results(&desk, &id).len(), 3, "still there");

    let path = format!("/v1/prechecks/{id}");
    for _ in 0..2 {
        assert_eq!(desk.send("DELETE", &path, "application/json", b"").status, 204);
    }
    assert_eq!(desk.get(&path).json()["state"], "cancelled");
    assert_eq!(desk.get(&format!("{path}/results")).status, 409);
    let left = std::fs::read_dir(world.path("data/prechecks")).unwrap().next().unwrap().unwrap().path();
    let names: Vec<_> = std::fs::read_dir(left).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["state.json"]);
}

#[test]
fn what_is_no_claim_file_is_refused() {
    let world = World::started(100);
    let desk = world.client("reception");
    let post = |kind: &str, body: &[u8]| desk.send("POST", "/v1/prechecks", kind, body);
    assert_eq!(post("text/plain", b"x").status, 415);
    assert_eq!(post("application/json", b"{}").status, 415);
    assert_eq!(post(UKE, b"\xEF\xBB\xBFIR,1").json()["field"], "body");
    for (query, field) in [("format=xml", "format"), ("fromat=csv", "query"), ("", "query")] {
        let reply = desk.get(&format!("/v1/prechecks/g1-x/results?{query}"));
        assert_eq!((reply.status, reply.json()["field"].clone()), (422, json!(field)), "{query}");
    }
    for id in
        ["x", "g1-", "g1-x", "g2-00000000000000000000000000000000", "G1-00000000000000000000000000000000"]
    {
        assert_eq!(desk.get(&format!("/v1/prechecks/{id}")).json()["code"], "no_such_job", "{id}");
    }
    assert_eq!(std::fs::read_dir(world.path("data/prechecks")).unwrap().count(), 0, "nothing is left");
}

#[test]
fn a_my_number_reaches_no_disk() {
    let world = World::started(100);
    let desk = world.client("reception");
    let number = "123456789018";
    let file = format!(
        "IR,1,13,1,2345679,,X,202607,00,\r\nRE,1,1112,202606,{number},1,19800203,,,,,,,{number}\r\nHO,06132013,1,{number},1,300\r\n\
         RE,2,1112,202606,X,1,19800203\r\nHO,06132013,12-34,567,1,300\r\nCO,{number}\r\nGO,2,600,99\r\n"
    );
    let id = hand_in(&desk, UKE, file.as_bytes());
    done(&desk, &id);
    let found = results(&desk, &id);
    assert_eq!(found[0]["fault"]["what"], "my_number_refused");
    assert_ne!(found[1]["verdict"], "unreadable", "a column that is not used is not read");
    let id =
        hand_in(&desk, NDJSON, format!("{{\"month\":\"2026-06\",\"symbol\":\"{number}\"}}\n").as_bytes());
    done(&desk, &id);
    assert_eq!(results(&desk, &id)[0]["fault"]["what"], "my_number_refused");
    let mut looked = 0;
    for folder in std::fs::read_dir(world.path("data/prechecks")).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            assert!(!text.contains(number), "{text}");
            looked += 1;
        }
    }
    assert!(looked >= 4 && !world.log().contains(number));
}

#[test]
fn the_right_insurer_is_named_to_those_who_may_know_and_each_naming_is_recorded() {
    let world = World::started(300);
    let (before, after) = ("2026-01-10", "2026-01-20");
    let source = "06132013";
    let feeder = world.client(&format!("insurer-{source}"));
    let next = feeder.get(&format!("/v1/feeds/{source}")).json()["committed_sequence"].as_u64().unwrap() + 1;
    // A person with two cards of one insurer, the second from mid-January on.
    let record = json!({
        "source": source, "sequence": next, "kind": "member", "link_number": "9300000000000001",
        "name": "試験　移", "sex": "male", "birth_date": "1970-01-01", "coverages": [
            {"symbol": "M", "number": "1", "qualified_on": "2020-04-01", "disqualified_on": "2026-01-15", "loss_reason": "03", "copay_percent": 30},
            {"symbol": "M", "number": "2", "qualified_on": "2026-01-15", "copay_percent": 30}],
    });
    assert_eq!(feeder.feed(source, &record.to_string()).json()["accepted"], 1);
    let question =
        json!({"insurer_number": source, "symbol": "M", "number": "1", "birth_date": "1970-01-01"});
    let split = |institution: &str| {
        let mut claim = claim(&question, before);
        claim["days"] = json!([before, after]);
        claim["institution"] = json!(institution);
        claim
    };
    let audited = || {
        let mut export = shikaku();
        export.args(["audit", "export", "--insurer", source, "--number", "1", "--birth-date", "1970-01-01"]);
        let output = export.arg("--config").arg(world.path("shikaku.toml")).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let namings = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        namings.filter(|record| record["route"] == "naming" && record["outcome"] == "split").count()
    };
    let ask = |client: &str, institution: &str| {
        let client = world.client(client);
        let id = hand_in(&client, NDJSON, &lines(&[split(institution), split(institution)]));
        done(&client, &id);
        results(&client, &id)
    };
    for (client, institution, named) in
        [("reception", OWN, true), ("reception", "1310000012", false), ("review", "1310000012", true)]
    {
        let recorded = audited();
        let found = ask(client, institution);
        assert_eq!(verdicts(&found), ["split", "split"]);
        let tells =
            |result: &Value| result["coverages"].as_array().unwrap().iter().any(|one| one["number"] == "2");
        assert!(
            found.iter().all(|result| tells(result) == named && result["named"] == named),
            "{client} {found:?}"
        );
        assert_eq!(audited() - recorded, if named { 2 } else { 0 }, "{client}");
    }
}

#[test]
fn what_could_not_be_said_is_judged_again_when_records_arrive() {
    let world = World::started(300);
    let source = "06132013";
    let feeder = world.client(&format!("insurer-{source}"));
    let mut next = feeder.get(&format!("/v1/feeds/{source}")).json()["committed_sequence"].as_u64().unwrap();
    let question =
        json!({"insurer_number": source, "symbol": "L", "number": "1", "birth_date": "1970-01-01"});
    let reviewer = world.client("review");
    let id =
        hand_in(&reviewer, NDJSON, &lines(&[claim(&question, "2026-01-10"), json!({"month": "2026-01"})]));
    assert_eq!(done(&reviewer, &id)["provisional"], 1);
    assert_eq!(verdicts(&results(&reviewer, &id)), ["not_found", "skipped"]);
    let mut feed = |loss: Value| {
        next += 1;
        let record = json!({
            "source": source, "sequence": next, "kind": "member", "link_number": "9300000000000002", "name": "試験　後",
            "sex": "male", "birth_date": "1970-01-01",
            "coverages": [{"symbol": "L", "number": "1", "qualified_on": "2020-04-01", "disqualified_on": loss}],
        });
        assert_eq!(feeder.feed(source, &record.to_string()).json()["accepted"], 1);
    };
    feed(json!("2026-01-05"));
    let state = until(&reviewer, &id, |state| state["changed"] == 1);
    assert_eq!((&state["provisional"], &state["state"]), (&json!(1), &json!("done")));
    assert_eq!(verdicts(&results(&reviewer, &id)), ["lost", "skipped"]);
    feed(Value::Null);
    let state = until(&reviewer, &id, |state| state["changed"] == 2);
    assert_eq!(state["provisional"], 0);
    assert_eq!(verdicts(&results(&reviewer, &id)), ["ok", "skipped"]);
    assert_eq!(state["summary"]["verdicts"].as_object().unwrap().len(), 2, "{state}");
}

#[test]
fn a_job_survives_kill_at_any_moment() {
    let mut world = World::prepared(300);
    world.start();
    let reviewer = world.client("review");
    let day = last_month(&world);
    let employee = claim(&world.question("employee"), &day);
    let count = 60_000_u64;
    let file: Vec<u8> = (0..count)
        .flat_map(|number| {
            let mut claim = employee.clone();
            claim["claim"] = json!(number);
            if number % 3 == 0 {
                claim["number"] = json!("99999");
            }
            format!("{claim}\n").into_bytes()
        })
        .collect();
    let id = hand_in(&reviewer, NDJSON, &file);
    let judged = |state: &Value| state["progress"]["judged"].as_u64().unwrap();
    let mut reached = 0;
    // At once, a moment later, and each time it has come a little further.
    for (further, pause) in [(false, 0), (false, 100), (true, 0), (true, 150), (true, 400)] {
        if further {
            let state = until(&world.client("review"), &id, |state| {
                judged(state) > reached || state["state"] == "done"
            });
            reached = judged(&state);
        }
        std::thread::sleep(Duration::from_millis(pause));
        world.kill();
        world.start();
        let state = state(&world.client("review"), &id);
        assert!(judged(&state) >= reached, "what was reached stays: {state}");
    }
    assert!(reached > 0, "it was never killed between two turns");
    let reviewer = world.client("review");
    let state = done(&reviewer, &id);
    assert_eq!(state["progress"], json!({"claims": count, "judged": count}));
    let found = results(&reviewer, &id);
    assert_eq!(found.len() as u64, count);
    assert!(found.iter().zip(0..).all(|(result, number): (_, u64)| {
        let expected = if number % 3 == 0 { "not_found" } else { "ok_branch_found" };
        result["claim"] == number && result["verdict"] == expected
    }));
    assert_eq!(state["summary"]["verdicts"]["not_found"]["claims"], count.div_ceil(3));
    assert_eq!(state["provisional"], count.div_ceil(3));
}

#[test]
fn another_gateways_job_is_asked_for_there() {
    let mut world = World::prepared(100);
    let text = std::fs::read_to_string(world.path("shikaku.toml")).unwrap();
    let text = text.replace("[precheck.gateways]", "[precheck.gateways]\ng2 = \"https://g2.example:8443\"");
    std::fs::write(world.path("shikaku.toml"), text).unwrap();
    world.start();
    let desk = world.client("reception");
    for tail in ["", "/results?format=csv"] {
        let reply = desk.get(&format!("/v1/prechecks/g2-0{tail}"));
        assert_eq!(reply.status, 307);
        let there = format!("https://g2.example:8443/v1/prechecks/g2-0{tail}");
        assert_eq!(reply.header("location"), Some(there.as_str()));
    }
}

#[test]
fn jobs_end_with_their_time_and_their_number_is_bounded() {
    let mut world = World::prepared(100);
    let text = std::fs::read_to_string(world.path("shikaku.toml")).unwrap();
    let text =
        text.replace("jobs_of_caller = 16", "jobs_of_caller = 1").replace("uploads = 4", "uploads = 1");
    std::fs::write(world.path("shikaku.toml"), text).unwrap();
    world.start();
    let reviewer = world.client("review");
    let claim = lines(&[json!({"month": "2026-01"})]);
    let big = claim.repeat(300_000);
    let first = hand_in(&reviewer, NDJSON, &big);
    let second = reviewer.send_once("POST", "/v1/prechecks", NDJSON, &claim);
    assert_eq!((second.status, second.json()["code"].clone()), (503, json!("overloaded")));
    assert!(second.header("retry-after").is_some());
    let other = hand_in(&world.client("reception"), NDJSON, &claim);
    done(&world.client("reception"), &other);
    done(&reviewer, &first);
    hand_in(&reviewer, NDJSON, &claim);
    let metrics = world.admin_get("/metrics").unwrap().1;
    assert!(metrics.contains("shikaku_precheck_claims_total{verdict=\"skipped\"}"), "{metrics}");
}
