//! A model of the server: how long it is busy with a request, and how that spreads.

use serde::{Deserialize, Serialize};

use super::Trial;
use crate::queue::mean_wait;

/// What a line before one server must have for the latencies that were measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// Latency without any waiting, in seconds.
    pub alone: f64,
    /// Rate at which the line would grow without end, requests a second.
    pub saturation: f64,
    /// Variance of the service time over its squared mean.
    pub spread: f64,
    /// Cores of the server a request, in core seconds, where known.
    pub core_seconds: Option<f64>,
    /// Root of the mean square of the relative error over the trials that were fitted.
    pub error: f64,
}

impl Fit {
    /// The mean latency it expects at a rate, in seconds; none at saturation.
    #[must_use]
    pub fn mean(&self, rate: f64) -> Option<f64> {
        (rate < self.saturation).then(|| self.alone + mean_wait(rate, 1.0 / self.saturation, self.spread))
    }
}

/// Fits the trials in which nothing failed; `None` of fewer than three.
#[must_use]
pub fn fit(trials: &[Trial]) -> Option<Fit> {
    let sound: Vec<&Trial> =
        trials.iter().filter(|one| one.failed == 0 && one.invalid.is_empty() && one.mean > 0.0).collect();
    let lowest = sound.iter().min_by(|a, b| a.rate.total_cmp(&b.rate))?;
    let highest = sound.iter().map(|one| one.rate).fold(0.0, f64::max);
    if sound.len() < 3 {
        return None;
    }
    // For each saturation and part of the lowest latency that is no wait, the spread that fits best
    // has a closed form.
    let mut best: Option<Fit> = None;
    for step in 1..=300 {
        let saturation = highest * (1.0 + 0.005 * f64::from(step));
        for part in [1.0, 0.9, 0.8, 0.7, 0.6, 0.5] {
            let candidate = spread(&sound, saturation, lowest.mean * part);
            if best.is_none_or(|best| candidate.error < best.error) {
                best = Some(candidate);
            }
        }
    }
    let core_seconds = core_seconds(&sound);
    best.map(|best| Fit { core_seconds, ..best })
}

fn spread(sound: &[&Trial], saturation: f64, alone: f64) -> Fit {
    // wait = k · x with x = load·mean/(1 − load)/2 and k = 1 + spread, errors relative to the latency.
    let (mut over, mut under) = (0.0, 0.0);
    for one in sound {
        let x = mean_wait(one.rate, 1.0 / saturation, 0.0) / one.mean;
        over += x * ((one.mean - alone) / one.mean);
        under += x * x;
    }
    let spread = (over / under - 1.0).clamp(0.0, 50.0);
    let fit = Fit { alone, saturation, spread, core_seconds: None, error: 0.0 };
    let square = |one: &&Trial| (fit.mean(one.rate).unwrap_or(f64::MAX) / one.mean - 1.0).powi(2);
    let error = (sound.iter().map(square).sum::<f64>() / sound.len() as f64).sqrt();
    Fit { error, ..fit }
}

/// The slope of cores over rate.
fn core_seconds(sound: &[&Trial]) -> Option<f64> {
    let points: Vec<(f64, f64)> =
        sound.iter().filter_map(|one| Some((one.rate, one.server_cores?))).collect();
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let over: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let under: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    (points.len() >= 2 && under > 0.0).then(|| over / under).filter(|slope| *slope > 0.0)
}
