//! `kill -9` at random moments of a delivery: nothing acknowledged is lost, nothing is half there,
//! and what is there is a beginning of what was sent.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use world::World;

/// How often the gateway is killed.
const KILLS: usize = 12;
/// Persons that are told of again and again.
const PERSONS: u64 = 400;
/// Records of one delivery: several batches.
const DELIVERY: u64 = 6_000;

/// Record number `sequence` speaks of person `sequence % PERSONS` and tells its own number in the address.
fn record(sequence: u64) -> String {
    let person = sequence % PERSONS;
    json!({
        "source": "06132013", "sequence": sequence, "kind": "member",
        "link_number": format!("{:016}", 9_100_000_000_000_000 + person),
        "name": "試験　花子", "sex": "female", "birth_date": "1990-05-05", "address": format!("架空市 {sequence}"),
        "coverages": [{"symbol": "K", "number": format!("{person}"), "qualified_on": "2020-04-01"}],
    })
    .to_string()
}

/// The last record about a person up to this sequence, where there is one from `first` on.
fn last_about(person: u64, first: u64, up_to: u64) -> Option<u64> {
    let back = (up_to + PERSONS - person % PERSONS) % PERSONS;
    up_to.checked_sub(back).filter(|sequence| *sequence >= first)
}

fn address_of(world: &World, person: u64) -> Option<String> {
    let query = json!({"insurer_number": "06132013", "symbol": "K", "number": format!("{person}"), "birth_date": "1990-05-05"});
    let reply = world.client("review").post("/v1/eligibility/number", &query);
    assert_eq!(reply.status, 200, "{}", reply.json());
    let answer = reply.json();
    match answer["coverages"].as_array().unwrap().as_slice() {
        [] => None,
        [one] => Some(one["address"].as_str().unwrap().to_owned()),
        more => panic!("{} coverages of one person", more.len()),
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "killing comes at moments of a delivery, however long one takes"
)]
fn nothing_acknowledged_is_lost_by_kill() {
    let mut world = World::prepared(100);
    let mut random = StdRng::seed_from_u64(7);
    world.start();
    let committed = |world: &World| {
        world.client("insurer-06132013").get("/v1/feeds/06132013").json()["committed_sequence"]
            .as_u64()
            .unwrap()
    };
    let first = committed(&world) + 1;
    // How long a delivery takes here and now: killing comes within the time of two.
    let began = Instant::now();
    let lines: Vec<_> = (first..first + DELIVERY).map(record).collect();
    assert_eq!(world.client("insurer-06132013").feed("06132013", &lines.join("\n")).status, 200);
    let within = 2 * began.elapsed();
    let mut next = first + DELIVERY;
    for round in 0..KILLS {
        let acknowledged = Arc::new(AtomicU64::new(next - 1));
        let stop = Arc::new(AtomicBool::new(false));
        let feeder = {
            let (client, acknowledged, stop) =
                (world.client("insurer-06132013"), Arc::clone(&acknowledged), Arc::clone(&stop));
            std::thread::spawn(move || {
                let mut from = next;
                while !stop.load(Ordering::Relaxed) {
                    let lines: Vec<_> = (from..from + DELIVERY).map(record).collect();
                    let body = lines.join("\n");
                    let reply = client.try_send(
                        "POST",
                        "/v1/feeds/06132013",
                        "application/x-ndjson",
                        body.as_bytes(),
                    );
                    let Some(reply) = reply.filter(|reply| reply.status == 200) else { return };
                    let report: Value = serde_json::from_slice(&reply.body).unwrap();
                    let reached = report["committed_sequence"].as_u64().unwrap();
                    acknowledged.store(reached, Ordering::SeqCst);
                    from = reached + 1;
                }
            })
        };
        std::thread::sleep(random.random_range(Duration::ZERO..within));
        let promised = acknowledged.load(Ordering::SeqCst);
        world.kill();
        stop.store(true, Ordering::Relaxed);
        feeder.join().unwrap();

        world.start();
        let reached = committed(&world);
        let generation = world.client("operator").get("/v1/feeds").json()["generation"].clone();
        assert!(reached >= promised, "round {round}: {promised} was acknowledged, {reached} is there");
        // Of those who are not there yet a few are asked for: who asks for too many is answered no more.
        let mut absent = 0;
        for person in (0..PERSONS).step_by(7) {
            let expected = last_about(person, first, reached).map(|sequence| format!("架空市 {sequence}"));
            absent += u32::from(expected.is_none());
            if expected.is_none() && absent > 10 {
                continue;
            }
            assert_eq!(
                address_of(&world, person),
                expected,
                "round {round}, person {person}, up to {reached}"
            );
        }
        // Starting again changes nothing.
        world.kill();
        world.start();
        assert_eq!(committed(&world), reached);
        assert_eq!(world.client("operator").get("/v1/feeds").json()["generation"], generation);
        next = reached + 1;
    }
    assert!(next > first + DELIVERY, "nothing was ever committed: the test shows nothing");
}
