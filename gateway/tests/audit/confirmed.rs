//! `GET /v1/confirmations`: an institution's own answers, complete, in order, and nobody else's.

use std::time::{Duration, Instant};

use eligibility::day::Timestamp;
use serde_json::{Value, json};

use crate::world::World;
use crate::world::client::{Client, Reply};

const PATH: &str = "/v1/confirmations";

fn employee(reference: &str) -> Value {
    json!({"insurer_number": "06132013", "symbol": "12-34", "number": "567", "birth_date": "1980-02-03", "reference": reference})
}

/// All pages, once they are complete to now.
fn all(world: &World, client: &Client, after: &str) -> (Vec<Value>, String) {
    let (mut found, mut cursor) = (Vec::new(), after.to_owned());
    let since = Timestamp::parse(
        client.post("/v1/eligibility/number", &employee("x")).json()["answered_at"].as_str().unwrap(),
    )
    .unwrap();
    let began = Instant::now();
    loop {
        let reply = client.get(&format!("{PATH}?after={cursor}"));
        if reply.status == 503 && reply.word() == "not_ready" && began.elapsed() < Duration::from_secs(20) {
            // The index is being made anew.
            continue;
        }
        let page = reply.json();
        let next = page["cursor"].as_str().unwrap_or_else(|| panic!("{page}: {}", world.log())).to_owned();
        found.extend(
            page["confirmations"].as_array().unwrap().iter().filter(|one| one["reference"] != "x").cloned(),
        );
        let complete_to = Timestamp::parse(page["complete_to"].as_str().unwrap()).unwrap();
        if next == cursor && complete_to > since {
            return (found, cursor);
        }
        cursor = next;
        assert!(began.elapsed() < Duration::from_secs(20), "not complete");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn id(reply: &Reply) -> Value {
    json!(reply.header("request-id").unwrap())
}

#[test]
fn an_institution_gets_its_own_answers_and_no_others() {
    let mut world = World::started(100);
    let (desk, other) = (world.client("reception"), world.client("reception-2"));
    let first = desk.post("/v1/eligibility/number", &employee("受付　1"));
    let card = world.card("employee").ask(&desk);
    let mut nobody = employee("n");
    nobody["birth_date"] = json!("1980-02-04");
    let nobody = desk.post("/v1/eligibility/number", &nobody);
    desk.post("/v1/eligibility/number", &json!({"number": "1"}));
    let lines: Vec<_> = (0..2500).map(|number| employee(&format!("b{number}")).to_string()).collect();
    desk.send("POST", "/v1/eligibility/batch", "application/x-ndjson", lines.join("\n").as_bytes());
    other.post("/v1/eligibility/number", &employee("theirs"));
    world.client("review").post("/v1/eligibility/number", &employee("review"));

    let (found, cursor) = all(&world, &desk, "0");
    assert_eq!(found.len(), 2503, "refused questions are not listed");
    let [one, two, three] = &found[..3] else { panic!() };
    assert_eq!(
        [&one["request"], &two["request"], &three["request"]],
        [&id(&first), &id(&card), &id(&nobody)]
    );
    let expected = json!({"reference": "受付　1", "route": "number", "insurer_number": "06132013", "symbol": "１２－３４", "number": "567", "branch": "00", "status": "valid", "institution": "1312345679"});
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&one[field], value, "{field}");
    }
    assert_eq!(
        (&two["route"], &two["number"], &two["reference"]),
        (&json!("card"), &json!("567"), &Value::Null)
    );
    assert_eq!((&three["status"], &three["number"]), (&json!("not_found"), &json!("567")));
    let references: Vec<_> =
        found[3..].iter().map(|one| one["reference"].as_str().unwrap().to_owned()).collect();
    assert_eq!(references, (0..2500).map(|number| format!("b{number}")).collect::<Vec<_>>(), "in order");
    assert_eq!(
        all(&world, &other, "0").0.iter().map(|one| one["reference"].clone()).collect::<Vec<_>>(),
        ["theirs"]
    );

    // Over a kill and without its index: made anew from the audit.
    world.kill();
    world.start();
    assert_eq!(all(&world, &world.client("reception"), "0").0, found);
    let last = world.client("reception").post("/v1/eligibility/number", &employee("last"));
    world.kill();
    for name in ["confirmations.sqlite", "confirmations.sqlite-wal", "confirmations.sqlite-shm"] {
        let _ = std::fs::remove_file(world.path("data/audit").join(name));
    }
    std::fs::write(world.path("data/audit/confirmations.sqlite"), b"broken").unwrap();
    world.start();
    let (newer, _) = all(&world, &world.client("reception"), &cursor);
    assert_eq!(newer.iter().map(|one| one["request"].clone()).collect::<Vec<_>>(), [id(&last)]);

    let desk = world.client("reception");
    for query in ["after=x", "after=-1", "after=99999999999999999999", "before=1"] {
        assert_eq!(desk.get(&format!("{PATH}?{query}")).word(), "invalid_field", "{query}");
    }
    for name in ["review", "portal", "insurer-06132013", "operator", "stranger"] {
        assert_eq!(world.client(name).get(PATH).word(), "forbidden", "{name}");
    }
    let output = crate::world::shikaku()
        .args(["audit", "export", "--class", "acts", "--config"])
        .arg(world.path("shikaku.toml"))
        .output()
        .unwrap();
    let acts = String::from_utf8(output.stdout).unwrap();
    assert!(
        acts.contains(r#""route":"confirmations","purpose":"own log""#),
        "looking is recorded too: {acts}"
    );
}
