//! The planner's answer: machines for a peak and an average, year by year.

use serde::{Deserialize, Serialize};

use super::{Capacity, Fit};
use crate::queue::{Service, simulate};
use crate::schedule::{Arrival, Curve, Schedule};

/// Arrivals simulated for an expected percentile.
const ARRIVALS: f64 = 200_000.0;

/// What has to be held.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Demand {
    /// Requests a second in the busiest moment.
    pub peak: f64,
    /// Requests a second on average over opening hours.
    pub average: f64,
    /// Growth a year, as a share.
    pub growth: f64,
    /// Years to plan for.
    pub years: u32,
    /// Share of a machine that stays free at the peak.
    pub headroom: f64,
    /// Machines that may fail at the peak.
    pub spare: u32,
}

/// What one year asks for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Year {
    /// From now, the first being 0.
    pub year: u32,
    /// Requests a second in the busiest moment.
    pub peak: f64,
    /// Requests a second on average.
    pub average: f64,
    /// Machines for the peak, spares included.
    pub by_peak: u32,
    /// Machines for the average, spares included.
    pub by_average: u32,
    /// What the machines for the peak hold, over the peak.
    pub times: f64,
    /// 99th percentile of latency expected at the peak on those machines, in seconds.
    pub expected_p99: Option<f64>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// What was asked.
    pub demand: Demand,
    /// What one machine holds, over the peak of today: below 1 it is not enough.
    pub holds: f64,
    /// The same by the lower and upper end of the range.
    pub holds_range: (f64, f64),
    /// Year by year.
    pub years: Vec<Year>,
}

/// Answers by the lower end of the range: a promise is not made by a mean.
#[must_use]
pub fn answer(capacity: &Capacity, fit: Option<&Fit>, demand: Demand) -> Answer {
    let (low, high) = capacity.range;
    let usable = (low * (1.0 - demand.headroom)).max(f64::MIN_POSITIVE);
    let machines = |rate: f64| (rate / usable).ceil().max(1.0) as u32 + demand.spare;
    let year = |year: u32| {
        let grown = (1.0 + demand.growth).powi(i32::try_from(year).unwrap_or(i32::MAX));
        let (peak, average) = (demand.peak * grown, demand.average * grown);
        let by_peak = machines(peak);
        Year {
            year,
            peak,
            average,
            by_peak,
            by_average: machines(average),
            times: f64::from(by_peak) * low / peak.max(f64::MIN_POSITIVE),
            expected_p99: fit.and_then(|fit| expected(fit, peak / f64::from(by_peak))),
        }
    };
    Answer {
        demand,
        holds: capacity.rate / demand.peak,
        holds_range: (low / demand.peak, high / demand.peak),
        years: (0..=demand.years).map(year).collect(),
    }
}

/// The 99th percentile that the fitted line has at a rate, in seconds.
fn expected(fit: &Fit, rate: f64) -> Option<f64> {
    if rate >= fit.saturation {
        return None;
    }
    let curve = Curve::constant(rate, ARRIVALS / rate)?;
    let schedule = Schedule::Curve { curve, arrival: Arrival::Poisson, seed: 11 };
    let busy = 1.0 / fit.saturation;
    let line = simulate(&schedule, 1, Service::Spread(busy, fit.spread), 3).quantile(0.99);
    Some((fit.alone - busy).max(0.0) + line)
}
