//! The real program, killed or refused by the system in the midst of its calls: what it said was taken
//! is there, and what is there is a beginning of what it was given.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};

use eligibility::feed::Source;
use eligibility::number::LinkNumber;
use gateway::config::Config;
use gateway::follow;
use serde_json::json;
use world::World;

/// Persons that are told of again and again.
const PERSONS: u64 = 100;
/// Records of one delivery: two batches.
const DELIVERY: u64 = 2_100;
/// Calls that change the disk, and how often each is struck.
const CALLS: [(&str, usize); 6] =
    [("pwrite64", 14), ("fsync", 14), ("write", 8), ("openat", 8), ("rename", 4), ("unlink", 2)];

fn source() -> Source {
    Source::parse("06132013").unwrap()
}

fn record(sequence: u64) -> String {
    let person = sequence % PERSONS;
    json!({
        "source": "06132013", "sequence": sequence, "kind": "member",
        "link_number": format!("{:016}", 9_300_000_000_000_000 + person),
        "name": "試験　花子", "sex": "female", "birth_date": "1990-05-05", "address": format!("架空市 {sequence}"),
        "coverages": [{"symbol": "K", "number": format!("{person}"), "qualified_on": "2020-04-01"}],
    })
    .to_string()
}

/// Runs `feed load` with this befalling one of its calls.
fn load(world: &World, inject: &[&str]) -> ExitStatus {
    let shikaku = world::shikaku();
    Command::new("strace")
        .args(["-f", "-qq", "-o"])
        .arg(world.path("calls"))
        .args(inject)
        .arg(shikaku.get_program())
        .args(["feed", "load"])
        .arg(world.path("more.ndjson"))
        .arg("--config")
        .arg(world.path("shikaku.toml"))
        .output()
        .unwrap()
        .status
}

/// How far the ledger is, with a look at everybody.
fn reached(world: &World, first: u64) -> u64 {
    let config = Config::read(&world.path("shikaku.toml")).unwrap();
    let followed = follow::from_config(&config).unwrap();
    let memory = &followed.memory;
    let reached = memory.source(source()).map_or(0, |state| state.committed_sequence);
    let Source::Insurer(insurer) = source() else { panic!("no insurer") };
    for person in 0..PERSONS {
        let last = (first..=reached).rev().take(PERSONS as usize).find(|n| n % PERSONS == person);
        let link = LinkNumber::from_value(9_300_000_000_000_000 + person).unwrap();
        let there = memory.person(link).and_then(|person| {
            person.membership(insurer)?.member.as_ref()?.address.as_deref().map(str::to_owned)
        });
        assert_eq!(there, last.map(|last| format!("架空市 {last}")), "person {person} up to {reached}");
    }
    followed.ledger.close();
    reached
}

/// How often a whole load makes each call.
fn counted(world: &World) -> Vec<usize> {
    let calls: Vec<_> = CALLS.iter().map(|(call, _)| *call).collect();
    assert!(load(world, &["-e", &format!("trace={}", calls.join(","))]).success());
    let text = std::fs::read_to_string(world.path("calls")).unwrap();
    CALLS
        .iter()
        .map(|(call, _)| text.lines().filter(|line| line.contains(&format!(" {call}("))).count())
        .collect()
}

#[test]
fn nothing_acknowledged_is_lost_by_fifty_strikes_of_the_system() {
    let world = World::prepared(100);
    let write = |from: u64| {
        let lines: Vec<_> = (from..from + DELIVERY).map(record).collect();
        std::fs::write(world.path("more.ndjson"), lines.join("\n")).unwrap();
    };
    let config = Config::read(&world.path("shikaku.toml")).unwrap();
    let followed = follow::from_config(&config).unwrap();
    let first = followed.memory.source(source()).map_or(0, |state| state.committed_sequence) + 1;
    followed.close();
    write(first);
    let calls = counted(&world);
    let (mut next, mut killed, mut refused) = (reached(&world, first) + 1, 0, 0);
    assert_eq!(next, first + DELIVERY);
    for ((call, times), calls) in CALLS.iter().zip(calls) {
        assert!(calls >= *times, "{call}: {calls} calls in a load");
        for time in 0..*times {
            let at = 1 + time * calls / times;
            let befalls = match time % 3 {
                0 | 1 => "signal=KILL",
                _ if *call == "fsync" => "error=EIO",
                _ => "error=ENOSPC",
            };
            write(next);
            let inject = format!("inject={call}:{befalls}:when={at}");
            let status = load(&world, &["-e", &format!("trace={call}"), "-e", &inject]);
            killed += u32::from(status.signal() == Some(9));
            refused += u32::from(status.signal().is_none() && !status.success());
            let reached = reached(&world, first);
            let promised = if status.success() { next + DELIVERY - 1 } else { next - 1 };
            assert!(reached >= promised, "{inject}: {promised} promised, {reached} there");
            assert!(
                [0, 2_000, DELIVERY].contains(&(reached + 1 - next)),
                "{inject}: {reached} there, from {next}"
            );
            next = reached + 1;
        }
    }
    assert!(killed >= 20 && refused >= 2, "{killed} killed, {refused} refused");
}
