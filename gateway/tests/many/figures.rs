//! What several gateways on one record of truth take and cost. Prints, and judges nothing: a figure belongs
//! to the machine that it was measured on.
//!
//!     SHIKAKU=$PWD/target/release/shikaku cargo test -p gateway --test many -- --ignored --nocapture figures

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::group::{Database, Group, SOURCE, member, until};
use crate::world::World;

/// Records of one delivery.
const DELIVERY: u64 = 50_000;

fn generation(world: &World) -> u64 {
    let metrics = world.admin_get("/metrics").unwrap().1;
    let line = metrics.lines().find_map(|line| line.strip_prefix("shikaku_generation "));
    line.unwrap().parse().unwrap()
}

fn next_sequence(world: &World) -> u64 {
    let state = world.client("operator").get(&format!("/v1/feeds/{SOURCE}")).json();
    state["committed_sequence"].as_u64().unwrap() + 1
}

fn delivery(from: u64, records: u64) -> String {
    (from..from + records).map(|n| member(n, &n.to_string()).to_string() + "\n").collect()
}

/// Delivers so many records; gives the records a second, acknowledged.
fn deliver(world: &World, deliveries: u64) -> f64 {
    let first = next_sequence(world);
    let bodies: Vec<_> = (0..deliveries).map(|n| delivery(first + n * DELIVERY, DELIVERY)).collect();
    let feeder = world.client("insurer-06132013");
    let began = Instant::now();
    for body in bodies {
        let report = feeder.feed(SOURCE, &body).json();
        assert_eq!(report["accepted"], DELIVERY, "{report}");
    }
    (deliveries * DELIVERY) as f64 / began.elapsed().as_secs_f64()
}

/// Processor time of a process so far.
fn busy(world: &World) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", world.process_id())).unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

fn signal(world: &World, name: &str) {
    assert!(Command::new("kill").args([name, &world.process_id().to_string()]).status().unwrap().success());
}

#[test]
#[ignore = "a measurement"]
fn figures() {
    let database = Database::new();
    let mut group = Group::new(&database.url(), 1000, 3);
    for world in &mut group.gateways {
        world.rewrite("save_seconds = 60", "save_seconds = 5");
        world.start();
    }
    println!(
        "durable intake over HTTPS, with a synchronous standby: {:.0} records a second",
        deliver(&group.gateways[0], 6)
    );
    database.sql("ALTER SYSTEM SET synchronous_standby_names = ''");
    database.sql("SELECT pg_reload_conf()");
    println!("durable intake over HTTPS, without: {:.0} records a second", deliver(&group.gateways[0], 6));
    database.sql("ALTER SYSTEM RESET synchronous_standby_names");
    database.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
    database.sql("SELECT pg_reload_conf()");
    group.wait_even();
    visible(&group);
    following(&group);
    catching_up(&mut group);
}

/// From the acknowledgement at one gateway to the answer of all others.
fn visible(group: &Group) {
    let mut took = Vec::new();
    let first = next_sequence(&group.gateways[0]);
    let feeder = group.gateways[0].client("insurer-06132013");
    for n in 0..300 {
        let line = delivery(first + n, 1);
        let sent = Instant::now();
        let position = feeder.feed(SOURCE, &line).json()["generation"].as_u64().unwrap();
        while group.gateways[1..].iter().any(|world| generation(world) < position) {
            thread::sleep(Duration::from_millis(1));
        }
        took.push(sent.elapsed());
    }
    took.sort_unstable();
    let at = |part: usize| took[took.len() * part / 100];
    println!("sent to one gateway and visible on all three: p50 {:.1?}, p99 {:.1?}", at(50), at(99));
}

/// What a gateway spends on following a thousand records a second, fed to another in hundreds.
fn following(group: &Group) {
    const SECONDS: u64 = 20;
    let first = next_sequence(&group.gateways[0]);
    let feeder = group.gateways[0].client("insurer-06132013");
    let (before, idle) = (busy(&group.gateways[1]), Instant::now());
    thread::sleep(Duration::from_secs(5));
    let idle = (busy(&group.gateways[1]) - before) / idle.elapsed().as_secs_f64();
    let (before, began) = (busy(&group.gateways[1]), Instant::now());
    for n in 0..SECONDS * 10 {
        let body = delivery(first + n * 100, 100);
        assert_eq!(feeder.feed(SOURCE, &body).status, 200);
        thread::sleep(
            (began + Duration::from_millis(100 * (n + 1))).saturating_duration_since(Instant::now()),
        );
    }
    let share = (busy(&group.gateways[1]) - before) / began.elapsed().as_secs_f64();
    println!(
        "following 1 000 records a second: {:.1} % of a core, {:.1} % when nothing comes",
        share * 100.0,
        idle * 100.0
    );
}

/// How fast a gateway that was stopped, or started anew, reads what it missed.
fn catching_up(group: &mut Group) {
    signal(&group.gateways[2], "-STOP");
    deliver(&group.gateways[0], 6);
    let last = generation(&group.gateways[0]);
    let began = Instant::now();
    signal(&group.gateways[2], "-CONT");
    while generation(&group.gateways[2]) < last {
        thread::sleep(Duration::from_millis(2));
    }
    println!(
        "catching up while serving: {:.0} records a second",
        6.0 * DELIVERY as f64 / began.elapsed().as_secs_f64()
    );

    let third = &mut group.gateways[2];
    until("written", || third.status()["saved"] == last);
    third.stop();
    deliver(&group.gateways[0], 6);
    let third = &mut group.gateways[2];
    let began = Instant::now();
    third.start();
    let took = began.elapsed();
    println!(
        "restart and catching up of {} batches: {took:.2?}, {:.0} records a second",
        third.status()["began"]["followed"],
        6.0 * DELIVERY as f64 / took.as_secs_f64()
    );
}
