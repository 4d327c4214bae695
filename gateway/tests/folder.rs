//! The watched folder: its files mean what deliveries over the wire mean.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use world::World;

fn member(sequence: u64) -> Value {
    json!({
        "source": "06132013", "sequence": sequence, "kind": "member",
        "link_number": "9600000000000001", "name": "試験　三郎", "sex": "male", "birth_date": "1980-02-03",
        "coverages": [{"symbol": "F", "number": "1", "qualified_on": "2020-04-01"}],
    })
}

/// Puts a file into the folder, waits until it is renamed, and gives its end and its report.
fn put(world: &World, name: &str, content: &str) -> (String, Value) {
    let folder = world.path("incoming");
    fs::write(folder.join("being-written"), content).unwrap();
    fs::rename(folder.join("being-written"), folder.join(name)).unwrap();
    for _ in 0..600 {
        for end in ["done", "rejected"] {
            if folder.join(format!("{name}.{end}")).exists() {
                assert!(!folder.join(name).exists());
                let report = fs::read(folder.join(format!("{name}.report.json"))).unwrap();
                return (end.to_owned(), serde_json::from_slice(&report).unwrap());
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{name} was never taken: {}", world.log());
}

#[test]
fn files_are_taken_and_told_of() {
    let mut world = World::prepared(100);
    let path = world.path("shikaku.toml");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(path, config.replacen("[feed]\n", "[feed]\nfolder = \"incoming\"\n", 1)).unwrap();
    world.start();
    let feeder = world.client("insurer-06132013");
    let from = feeder.get("/v1/feeds/06132013").json()["committed_sequence"].as_u64().unwrap() + 1;

    let lines = format!("{}\n{{\n", member(from));
    let (end, report) = put(&world, "a.ndjson", &lines);
    assert_eq!(
        (end.as_str(), &report["accepted"], &report["committed_sequence"]),
        ("done", &json!(1), &json!(from))
    );
    assert_eq!(report["quarantined"][0]["code"], "malformed");
    let question =
        json!({"insurer_number": "06132013", "symbol": "F", "number": "1", "birth_date": "1980-02-03"});
    assert_eq!(world.client("reception").post("/v1/eligibility/number", &question).word(), "valid");

    let (end, report) = put(&world, "again.ndjson", &lines);
    assert_eq!((end.as_str(), &report["duplicates"]), ("done", &json!(2)));
    let (end, report) = put(&world, "nobody.ndjson", "no record");
    assert_eq!(
        (end.as_str(), report["error"].as_str()),
        ("rejected", Some("the first line names no source"))
    );
    let (end, report) = put(
        &world,
        "bad.ndjson",
        &json!({"source": "06132013", "sequence": 1, "kind": "member"}).to_string(),
    );
    assert_eq!((end.as_str(), &report["accepted"]), ("rejected", &json!(0)));
}
