//! Every operation on the disk fails once: killed, failed, without room; the process or the power ends.
//! Nothing acknowledged is lost, nobody is half there, nothing of a held delivery counts.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests end by panicking")]

mod house;
mod simulation;
mod story;

use disk::faulty::{End, Fault};
use house::{House, Stopped};
use story::Story;

/// Points tried in the ordinary test command, and in the long one.
const POINTS: u64 = 1_000;
const MANY_POINTS: u64 = 10_000;

/// One operation that goes wrong in a story, and how the process ends then.
#[derive(Clone, Copy, Debug)]
struct Point {
    seed: u64,
    at: u64,
    fault: Fault,
    end: End,
}

impl Point {
    fn of(number: u64, operations: u64) -> Self {
        let faults = [Fault::Kill, Fault::Fail, Fault::Full];
        // Strides of a prime number come by every operation, with every fault and both ends.
        let at = 1 + number * 7_919 % operations;
        let fault = faults[(number % 3) as usize];
        let end = if (number / 3).is_multiple_of(2) { End::Power } else { End::Process };
        Self { seed: number, at, fault, end }
    }
}

/// A story in which nothing goes wrong: how many operations there are, and which are syncs of the ledger's log.
fn told(release: bool) -> (u64, Vec<u64>) {
    let (mut house, mut story) = (House::new(0), Story::new(release));
    house.open();
    house.go_on(&mut story).unwrap();
    house.close();
    let told = (house.disk.done(), house.disk.syncs("ledger-wal"));
    story.finished(&mut house);
    told
}

/// Lets one operation go wrong, and looks at what is left.
fn strike(point: Point, release: bool) -> Option<String> {
    let (mut house, mut story) = (House::new(point.seed), Story::new(release));
    house.disk.strike(point.at, point.fault);
    let went = if house.try_open() { house.go_on(&mut story) } else { Err(Stopped) };
    house.close();
    let struck = house.disk.struck();
    house.restart(point.end);
    story.check(&house, struck.as_deref());
    if went.is_err() {
        house.go_on(&mut story).unwrap_or_else(|Stopped| panic!("{point:?}: stopped again after {struck:?}"));
        house.close();
    }
    story.finished(&mut house);
    struck
}

fn strike_all(points: u64) {
    let operations = [false, true].map(|release| told(release).0);
    assert!(operations.iter().all(|count| *count > 60), "{operations:?}");
    let next = std::sync::atomic::AtomicU64::new(0);
    let struck = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if number >= points {
                        return;
                    }
                    let release = number % 2 == 1;
                    let point = Point::of(number / 2, operations[usize::from(release)]);
                    let met = std::panic::catch_unwind(|| strike(point, release).is_some());
                    let met = met.unwrap_or_else(|_| panic!("{point:?}, released: {release}"));
                    struck.fetch_add(u64::from(met), std::sync::atomic::Ordering::Relaxed);
                }
            });
        }
    });
    // A full disk strikes only where room is needed.
    assert!(struck.into_inner() * 10 > points * 7, "most points must meet an operation");
}

#[test]
fn nothing_acknowledged_is_lost_wherever_the_disk_fails() {
    strike_all(POINTS);
}

#[test]
fn what_one_process_could_not_sync_is_durable_before_the_next_one_counts_on_it() {
    for release in [false, true] {
        let (_, syncs) = told(release);
        let struck = (0..).zip(syncs.iter().cycle().take(4 * syncs.len())).filter_map(|(seed, at)| {
            strike(Point { seed, at: *at, fault: Fault::Fail, end: End::Process }, release)
        });
        let met = struck.filter(|struck| struck.ends_with("ledger-wal")).count();
        assert!(met > syncs.len(), "{met} of {syncs:?}");
    }
}

#[test]
#[ignore = "ten times as long"]
fn nothing_acknowledged_is_lost_at_ten_thousand_points() {
    strike_all(MANY_POINTS);
}
