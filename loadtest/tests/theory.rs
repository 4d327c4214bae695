//! What theory knows of a line before one server must come out of schedules and histograms.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

use loadtest::queue::{Service, mean_wait, simulate};
use loadtest::schedule::{Arrival, Curve, Schedule};

const MEAN: f64 = 0.001;

/// The mean wait of a Poisson stream at this load, against theory.
fn deviation(load: f64, service: Service, spread: f64) -> f64 {
    let rate = load / MEAN;
    let curve = Curve::constant(rate, 3_000_000.0 / rate).unwrap();
    let schedule = Schedule::Curve { curve, arrival: Arrival::Poisson, seed: 77 };
    let measured = simulate(&schedule, 1, service, 5).mean() - MEAN;
    measured / mean_wait(rate, MEAN, spread) - 1.0
}

#[test]
fn a_server_of_constant_times_waits_as_theory_says() {
    for load in [0.5, 0.8] {
        let by = deviation(load, Service::Constant(MEAN), 0.0);
        assert!(by.abs() < 0.05, "M/D/1 at {load}: {by}");
    }
}

#[test]
fn a_server_of_exponential_times_waits_as_theory_says() {
    for load in [0.5, 0.8] {
        let by = deviation(load, Service::Exponential(MEAN), 1.0);
        assert!(by.abs() < 0.05, "M/M/1 at {load}: {by}");
    }
}

#[test]
fn spreads_between_and_beyond_do_too() {
    for spread in [0.25, 0.5, 4.0] {
        let by = deviation(0.6, Service::Spread(MEAN, spread), spread);
        assert!(by.abs() < 0.08, "M/G/1 with {spread}: {by}");
    }
}

#[test]
fn two_servers_halve_more_than_the_wait() {
    let curve = Curve::constant(1600.0, 500.0).unwrap();
    let schedule = Schedule::Curve { curve, arrival: Arrival::Poisson, seed: 7 };
    // Erlang's formula for M/M/2 at a load of 0.8: the wait is 0.64/0.36 of the service time.
    let wait = simulate(&schedule, 2, Service::Exponential(MEAN), 1).mean() - MEAN;
    assert!((wait / (MEAN * 0.64 / 0.36) - 1.0).abs() < 0.05, "{wait}");
}
