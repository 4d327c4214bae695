//! Searching and fitting, against servers in simulated time whose capacity is known.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

use loadtest::capacity::{Demand, Limit, SearchError, Searched, Trial, answer, fit, search};
use loadtest::queue::{Service, simulate};
use loadtest::schedule::{Arrival, Curve, Schedule};

/// A server that is busy 1 ms with a request; the objective is a 99th percentile of 6 ms.
fn trial(rate: f64, seed: u64, service: Service) -> Trial {
    let curve = Curve::constant(rate, 30_000.0 / rate).unwrap();
    let schedule = Schedule::Curve { curve, arrival: Arrival::Poisson, seed };
    let latency = simulate(&schedule, 1, service, seed);
    let p99 = latency.quantile(0.99);
    Trial {
        rate,
        held: p99 <= 0.006,
        mean: latency.mean(),
        p50: latency.quantile(0.5),
        p99,
        server_cores: Some((rate * service.mean()).min(1.0)),
        ..Trial::default()
    }
}

const SEARCHED: Searched = Searched { from: 100.0, to: 5000.0, repeats: 5, cores: 1.0 };

/// The rate at which the objective is just held, on average over many trials.
fn truth(service: Service) -> f64 {
    let held = |rate: f64| (0..11).filter(|seed| trial(rate, 900 + seed, service).held).count() >= 6;
    (100..1000).map(f64::from).filter(|rate| rate % 5.0 == 0.0).take_while(|rate| held(*rate)).last().unwrap()
}

#[test]
fn the_range_holds_the_true_capacity_and_the_first_limit_has_a_name() {
    for service in [Service::Constant(0.001), Service::Exponential(0.001)] {
        let mut seed = 0;
        let capacity = search(SEARCHED, |rate| {
            seed += 1;
            Ok(trial(rate, seed, service))
        });
        let capacity = capacity.unwrap();
        let truth = truth(service);
        let (low, high) = capacity.range;
        assert!(
            low * 0.98 <= truth && truth <= high * 1.02,
            "{truth} not in {low}..{high}: {:?}",
            capacity.found
        );
        assert!(high - low < truth * 0.25, "{low}..{high}");
        let expected = if truth > 850.0 { Limit::Cpu } else { Limit::Queueing };
        assert!([expected, Limit::Cpu].contains(&capacity.limit), "{:?}", capacity.limit);
    }
}

#[test]
fn a_generator_that_gives_way_first_is_named() {
    let limited = |rate: f64| {
        let mut trial = trial(rate, 1, Service::Constant(0.0001));
        if rate > 1500.0 {
            trial.invalid.push("late".to_owned());
        }
        Ok(trial)
    };
    let capacity = search(SEARCHED, limited).unwrap();
    assert_eq!(capacity.limit, Limit::Generator);
    assert!(capacity.rate <= 1500.0 * 1.03, "{}", capacity.rate);
    let none = search(Searched { to: 1000.0, ..SEARCHED }, limited).unwrap();
    assert_eq!((none.limit, none.rate), (Limit::None, 1000.0));
    let never = search(Searched { from: 2000.0, ..SEARCHED }, limited);
    assert!(matches!(never, Err(SearchError::NeverHolds(_))));
}

#[test]
fn the_fit_finds_service_time_and_spread_again() {
    for (service, spread) in [(Service::Constant(0.001), 0.0), (Service::Exponential(0.001), 1.0)] {
        let trials: Vec<_> =
            (1..=9).map(|tenth| trial(f64::from(tenth) * 100.0, tenth as u64, service)).collect();
        let fit = fit(&trials).unwrap();
        assert!((fit.saturation / 1000.0 - 1.0).abs() < 0.06, "{fit:?}");
        assert!((fit.spread - spread).abs() < 0.35, "{fit:?}");
        assert!(fit.error < 0.1, "{fit:?}");
        assert!((fit.core_seconds.unwrap() - 0.001).abs() < 1e-5);
        let expected = fit.mean(500.0).unwrap();
        assert!((expected / trials[4].mean - 1.0).abs() < 0.1, "{fit:?}");
    }
}

#[test]
fn machines_are_counted_by_the_lower_end_with_headroom_and_spares() {
    let mut seed = 50;
    let capacity = search(SEARCHED, |rate| {
        seed += 1;
        Ok(trial(rate, seed, Service::Exponential(0.001)))
    });
    let capacity = capacity.unwrap();
    let demand = Demand { peak: 3500.0, average: 290.0, growth: 0.1, years: 3, headroom: 0.3, spare: 1 };
    let answer = answer(&capacity, fit(&capacity.trials).as_ref(), demand);
    let usable = capacity.range.0 * 0.7;
    assert_eq!(answer.years.len(), 4);
    for year in &answer.years {
        assert_eq!(year.by_peak, (year.peak / usable).ceil() as u32 + 1);
        assert_eq!(year.by_average, (year.average / usable).ceil() as u32 + 1);
        // With three tenths free, what was found to hold at the limit holds with ease.
        assert!(year.expected_p99.unwrap() < 0.006, "{year:?}");
    }
    assert!((answer.years[3].peak - 3500.0 * 1.331).abs() < 1e-6);
    assert!(answer.holds < 1.0);
}
