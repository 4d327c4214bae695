//! The audit of a real gateway: every answer's record is there, after a stop, a kill, a full disk.

use std::collections::BTreeSet;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::world::{World, shikaku};

const QUERY: &str = r#"{"insurer_number":"06132013","symbol":"12-34","number":"567","birth_date":"1980-02-03","reference":"受付１７"}"#;

fn verify(world: &World) -> Output {
    let verify = shikaku()
        .args(["audit", "verify"])
        .arg(world.path("data/audit"))
        .arg("--config")
        .arg(world.path("shikaku.toml"))
        .output();
    verify.unwrap()
}

fn export(world: &World, arguments: &[&str]) -> Vec<Value> {
    let output = shikaku()
        .args(["audit", "export", "--config"])
        .arg(world.path("shikaku.toml"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn ids(records: &[Value]) -> BTreeSet<String> {
    records.iter().map(|record| record["request"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn no_answer_that_left_is_without_its_record_after_a_kill() {
    let mut world = World::prepared(100);
    for round in 0..6 {
        world.start();
        let answered = Arc::new(Mutex::new(BTreeSet::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let desks: Vec<_> = ["reception", "reception-2", "review"]
            .into_iter()
            .map(|name| {
                let (client, answered, stop) = (world.client(name), Arc::clone(&answered), Arc::clone(&stop));
                std::thread::spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let reply = client.try_send(
                            "POST",
                            "/v1/eligibility/number",
                            "application/json",
                            QUERY.as_bytes(),
                        );
                        let Some(reply) = reply.filter(|reply| reply.status == 200) else { return };
                        answered.lock().unwrap().insert(reply.header("request-id").unwrap().to_owned());
                    }
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(150 + 70 * round));
        world.kill();
        stop.store(true, Ordering::Relaxed);
        desks.into_iter().for_each(|desk| desk.join().unwrap());
        let verified = verify(&world);
        assert!(verified.status.success(), "round {round}: {}", String::from_utf8_lossy(&verified.stdout));
        let recorded = ids(&export(&world, &[]));
        let answered = answered.lock().unwrap();
        assert!(
            !answered.is_empty() && answered.is_subset(&recorded),
            "round {round}: an answer without record"
        );
    }
}

#[test]
fn records_are_given_out_by_institution_time_and_person() {
    let mut world = World::started(100);
    let ask = |name: &str, query: &Value| {
        let reply = world.client(name).post("/v1/eligibility/number", query);
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.header("request-id").unwrap().to_owned()
    };
    let employee: Value = serde_json::from_str(QUERY).unwrap();
    let mut other = employee.clone();
    other["number"] = Value::from("568");
    let (here, there) = (ask("reception", &employee), ask("reception-2", &employee));
    let by_review = ask("review", &employee);
    let stranger = ask("reception", &other);
    let by_card =
        world.card("employee").ask(&world.client("reception")).header("request-id").unwrap().to_owned();
    assert_eq!(world.stop(), Some(0));

    let all = export(&world, &[]);
    let find = |id: &str| all.iter().find(|record| record["request"] == id).unwrap();
    let expected = [
        ("role", "reception"),
        ("route", "card"),
        ("purpose", "treatment"),
        ("identity_check", "pin"),
        ("outcome", "valid"),
        ("insurer", "06132013"),
        ("institution", "1312345679"),
    ];
    for (field, value) in expected {
        assert_eq!(find(&by_card)[field], value, "{field}");
    }
    assert_eq!(find(&by_review)["purpose"], "claims review");
    assert_eq!(find(&stranger)["outcome"], "not_found");
    assert_eq!(find(&here)["person"], find(&by_card)["person"]);

    let today = eligibility::day::Timestamp::parse(all[0]["at"].as_str().unwrap()).unwrap().day_in_japan();
    let (yesterday, today) = (today.plus(-1).to_string(), today.to_string());
    assert_eq!(ids(&export(&world, &["--from", &today])), ids(&all));
    assert!(export(&world, &["--to", &yesterday]).is_empty());
    let institution = all.iter().find(|record| record["request"] == there.as_str()).unwrap()["institution"]
        .as_str()
        .unwrap();
    assert_eq!(ids(&export(&world, &["--institution", institution])), BTreeSet::from([there.clone()]));
    let person = ["--insurer", "06132013", "--number", "567", "--birth-date", "1980-02-03"];
    let expected = BTreeSet::from([here, there, by_review, by_card]);
    assert_eq!(ids(&export(&world, &person)), expected, "by card and by number, by every caller");
    let nobody = ["--insurer", "06132013", "--number", "567", "--birth-date", "1980-02-04"];
    assert!(export(&world, &nobody).is_empty());

    // What was given out is told of among the acts, once somebody writes there again.
    let given = std::fs::read_dir(world.path("data/audit/exports")).unwrap().count();
    assert!(given >= 6, "{given} notes");
    world.start();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(std::fs::read_dir(world.path("data/audit/exports")).unwrap().count(), 0);
    let acts = export(&world, &["--class", "acts"]);
    let exports: Vec<_> = acts.iter().filter(|act| act["route"] == "export").collect();
    assert_eq!(exports.len(), given);
    let of = |field: &str, value: &Value| exports.iter().filter(|act| act[field] == *value).count();
    assert_eq!(of("institution", &Value::from(institution)), 1);
    assert_eq!(of("insurer", &Value::from("06132013")), 2, "of a person");
    assert!(exports.iter().all(|act| act["role"] == "operator" && act["purpose"] == "disclosure"));
    let named = exports.iter().filter(|act| act["insurer"] == "06132013");
    assert!(named.clone().all(|act| act["named"].is_string()), "{exports:?}");
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(std::fs::read_dir(world.path("data/audit/exports")).unwrap().count(), 0, "while it runs, too");
    // Where no note can be left nothing is given out.
    std::fs::remove_dir(world.path("data/audit/exports")).unwrap();
    std::fs::write(world.path("data/audit/exports"), "").unwrap();
    let refused = shikaku().args(["audit", "export", "--config"]).arg(world.path("shikaku.toml")).output();
    let refused = refused.unwrap();
    assert_eq!(refused.status.code(), Some(3), "{}", String::from_utf8_lossy(&refused.stderr));
    assert!(refused.stdout.is_empty());
}

#[test]
fn nothing_that_tells_of_a_person_lies_in_the_clear() {
    let mut world = World::started(100);
    let reply = world.client("reception").send(
        "POST",
        "/v1/eligibility/number",
        "application/json",
        QUERY.as_bytes(),
    );
    let shown = reply.json()["coverages"][0].clone();
    world.client("reception").send("POST", "/v1/eligibility/batch", "application/x-ndjson", QUERY.as_bytes());
    world.card("employee").ask(&world.client("reception"));
    assert_eq!(world.stop(), Some(0));
    let mut octets = world.log().into_bytes();
    for class in ["answers", "acts", "confirmations"] {
        for entry in std::fs::read_dir(world.path("data/audit").join(class)).unwrap() {
            octets.extend(std::fs::read(entry.unwrap().path()).unwrap());
        }
    }
    assert!(octets.len() > 1000);
    let fields = ["name", "name_kana", "birth_date", "address", "symbol"];
    let canaries = fields.iter().map(|field| shown[field].as_str().unwrap().to_owned());
    for canary in
        canaries.chain(["受付１７".to_owned(), "06132013".to_owned() + "\u{1F}", "\"567\"".to_owned()])
    {
        let found = octets.windows(canary.len()).any(|window| window == canary.as_bytes());
        assert!(!found, "{canary}");
    }
}

#[test]
fn strict_answers_leave_after_the_disk_has_them() {
    let mut world = World::prepared(60);
    let text = std::fs::read_to_string(world.path("shikaku.toml")).unwrap();
    std::fs::write(
        world.path("shikaku.toml"),
        text.replace("durability = \"group\"", "durability = \"strict\""),
    )
    .unwrap();
    world.start();
    for _ in 0..5 {
        let reply = world.client("reception").send(
            "POST",
            "/v1/eligibility/number",
            "application/json",
            QUERY.as_bytes(),
        );
        assert_eq!(reply.status, 200);
        // What is on the disk is what the mark says, and the mark is written after the sync only.
        let verified = verify(&world);
        let said = String::from_utf8(verified.stdout).unwrap();
        assert!(verified.status.success() && !said.contains("after the last sync"), "{said}");
    }
}

#[test]
fn a_disk_that_fills_up_refuses_the_lower_classes_first() {
    let mut world = World::prepared(60);
    let text = std::fs::read_to_string(world.path("shikaku.toml")).unwrap();
    std::fs::write(
        world.path("shikaku.toml"),
        text.replace("reserve_octets = 67108864", "reserve_octets = 1152921504606846976"),
    )
    .unwrap();
    world.start();
    let desk = world.client("reception");
    let batch = desk.send_once("POST", "/v1/eligibility/batch", "application/x-ndjson", QUERY.as_bytes());
    assert_eq!((batch.status, batch.word().as_str()), (503, "overloaded"));
    let feed = world.client("insurer-06132013").try_feed("06132013", "").unwrap();
    assert_eq!((feed.status, feed.word().as_str()), (503, "overloaded"));
    let number = desk.send("POST", "/v1/eligibility/number", "application/json", QUERY.as_bytes());
    assert_eq!((number.status, number.word().as_str()), (200, "valid"));
    assert!(world.log().contains("nearly full"));
}
