//! Parts that are killed or cut off: answers go on, deliveries are put off, nothing acknowledged is lost.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::feeder::{Fed, feed};
use crate::group::{Database, FaultProxy, Group, SOURCE, member, question, until};

/// Feeds two sources' worth of records while `trouble` is made; gives what was acknowledged.
fn fed_during(group: &mut Group, trouble: impl FnOnce(&mut Group, &dyn Fn())) -> Fed {
    let state = group.gateways[0].client("operator").get(&format!("/v1/feeds/{SOURCE}")).json();
    let first = state["committed_sequence"].as_u64().unwrap() + 1;
    let clients: Vec<_> = group.gateways.iter().map(|world| world.client("insurer-06132013")).collect();
    let (stop, reached) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let feeder = scope.spawn(|| feed(&clients, first, &stop, &reached));
        // Some more are acknowledged.
        let goes_on = || {
            let before = reached.load(Ordering::Relaxed);
            until("deliveries go on", || reached.load(Ordering::Relaxed) > before + 20);
        };
        goes_on();
        trouble(group, &goes_on);
        goes_on();
        stop.store(true, Ordering::Relaxed);
        feeder.join().unwrap()
    })
}

/// Every acknowledged record is answered, alike by all gateways.
fn nothing_is_lost(group: &Group, fed: &Fed) {
    group.wait_even();
    let last = fed.acknowledged.last().unwrap().0;
    for world in &group.gateways {
        let state = world.client("operator").get(&format!("/v1/feeds/{SOURCE}")).json();
        assert_eq!(state["committed_sequence"], last, "{state}");
    }
    let every = (fed.acknowledged.len() / 60).max(1);
    let numbers: Vec<_> = fed.acknowledged.iter().map(|(_, number)| number.clone()).step_by(every).collect();
    let answers = group.answers(&numbers);
    for (number, answer) in numbers.iter().zip(&answers[0]) {
        assert_eq!(answer["status"], "valid", "{number}: {answer}");
    }
    assert!(answers.iter().all(|one| *one == answers[0]));
}

#[test]
fn nothing_acknowledged_is_lost_whoever_is_killed() {
    let mut database = Database::new();
    let mut group = Group::started(&database.url(), 100, 2);
    let fed = fed_during(&mut group, |group, goes_on| {
        for at in 0..2 {
            group.gateways[at].kill();
            goes_on();
            group.gateways[at].start();
            goes_on();
        }
        database.fail_over();
        goes_on();
    });
    nothing_is_lost(&group, &fed);
    assert!(fed.lost > 0 && fed.put_off > 0, "no trouble was felt: {} {}", fed.lost, fed.put_off);
    assert_eq!(database.sql("SELECT position = (SELECT max(position) FROM shikaku.batch) AND position = (SELECT count(*) FROM shikaku.batch) FROM shikaku.counter"), "t");
}

#[test]
fn without_the_database_answers_go_on_and_deliveries_are_put_off() {
    let mut database = Database::new();
    let mut group = Group::started(&database.url(), 100, 2);
    let state = group.gateways[0].client("operator").get(&format!("/v1/feeds/{SOURCE}")).json();
    let sequence = state["committed_sequence"].as_u64().unwrap() + 1;
    let feeder = group.gateways[0].client("insurer-06132013");
    let line = member(sequence, "21").to_string();
    assert_eq!(feeder.feed(SOURCE, &line).json()["accepted"], 1);
    group.wait_even();
    database.standby.take();
    database.primary.take().unwrap().kill();
    let refused = feeder.feed(SOURCE, &member(sequence + 1, "22").to_string());
    assert_eq!((refused.status, refused.word().as_str()), (503, "not_ready"));
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    let card = group.gateways[0].card_in_state("good");
    for world in &group.gateways {
        let answer = world.client("reception").post("/v1/eligibility/number", &question("21")).json();
        assert_eq!(answer["status"], "valid", "{answer}");
        assert_eq!(card.ask(&world.client("reception")).word(), "valid");
        until("the operator is told", || !world.status()["ledger"]["away"].is_null());
        assert!(world.admin_get("/metrics").unwrap().1.contains("shikaku_ledger_away 1"));
        assert_eq!(world.admin_get("/readyz").unwrap().0, 200, "it answers, with honest ages");
    }
    // A gateway that begins now waits: it does not know what it has missed.
    group.gateways[1].stop();
    group.gateways[1].begin();
    thread::sleep(Duration::from_secs(1));
    assert_eq!(group.gateways[1].admin_get("/readyz").unwrap().0, 503);
    assert_eq!(group.gateways[1].stop(), Some(0));
}

#[test]
fn connections_that_are_cut_or_say_nothing_are_made_again() {
    let database = Database::new();
    let [first, second] = database.ports();
    let resetting = FaultProxy::before(first, &["--reset-after", "60000", "--latency", "2"]);
    let silent = FaultProxy::before(first, &["--blackhole-after", "200000"]);
    let mut group = Group::new(&database.url(), 100, 2);
    for (world, proxy) in group.gateways.iter().zip([&resetting, &silent]) {
        world.rewrite(&database.url(), &database.url_by([proxy.port, second]));
    }
    group.gateways.iter_mut().for_each(crate::world::World::start);
    let fed = fed_during(&mut group, |_, goes_on| (0..5).for_each(|_| goes_on()));
    nothing_is_lost(&group, &fed);
}

#[test]
fn a_new_gateway_begins_with_files_handed_over() {
    let database = Database::new();
    let mut group = Group::new(&database.url(), 200, 2);
    let mut second = group.gateways.pop().unwrap();
    std::fs::remove_dir_all(second.path("data/memory")).unwrap();
    group.gateways[0].rewrite("save_seconds = 60", "save_seconds = 1");
    group.gateways[0].start();
    let last = group.gateways[0].status()["generation"].as_u64().unwrap();
    until("written", || group.gateways[0].status()["saved"] == last);
    let run = |args: &[&str], world: &crate::world::World, folder: &std::path::Path, option: Option<&str>| {
        let mut command = crate::world::shikaku();
        command.args(args);
        if let Some(option) = option {
            command.arg(option);
        }
        let output = command.arg(folder).arg("--config").arg(world.path("shikaku.toml")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let handed = group.gateways[0].path("handed");
    run(&["store", "export"], &group.gateways[0], &handed, Some("--out"));
    run(&["store", "import"], &second, &handed, None);
    second.start();
    let began = second.status()["began"].clone();
    assert_eq!((&began["from_files"], &began["followed"]), (&json!(last), &json!(0)));
    group.gateways.push(second);
    group.wait_even();
    let answers = group.answers(&["1".to_owned(), "2".to_owned()]);
    assert_eq!(answers[0], answers[1]);
}
