//! Servers in simulated time: what queueing theory knows, computed by the same schedules and counted
//! by the same histograms as a run. Used to predict what several machines do, and to show that the
//! measuring measures right.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::histogram::Durations;
use crate::schedule::{Random, Schedule};

/// How long requests keep a server busy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Service {
    /// Always the same, in seconds.
    Constant(f64),
    /// Exponentially distributed, with this mean in seconds.
    Exponential(f64),
    /// With this mean in seconds and this spread (variance over squared mean), as a gamma
    /// distribution of whole shape below a spread of 1 and as a mixture of two exponentials above.
    Spread(f64, f64),
}

impl Service {
    /// Its mean in seconds.
    #[must_use]
    pub const fn mean(self) -> f64 {
        match self {
            Self::Constant(mean) | Self::Exponential(mean) | Self::Spread(mean, _) => mean,
        }
    }

    fn draw(self, random: &mut Random) -> f64 {
        match self {
            Self::Constant(mean) => mean,
            Self::Exponential(mean) => mean * random.exponential(),
            Self::Spread(mean, spread) if spread < 0.01 => mean,
            Self::Spread(mean, spread) if spread < 1.0 => {
                let shape = (1.0 / spread).round().clamp(1.0, 100.0) as u32;
                mean / f64::from(shape) * (0..shape).map(|_| random.exponential()).sum::<f64>()
            }
            Self::Spread(mean, spread) => {
                // Balanced means: both kinds bring the same load.
                let rare = 0.5 * (1.0 - ((spread - 1.0) / (spread + 1.0)).sqrt());
                let part = if random.unit() < rare { rare } else { 1.0 - rare };
                mean / (2.0 * part) * random.exponential()
            }
        }
    }
}

/// Latencies of a schedule at so many servers with one line before them, first come, first served.
#[must_use]
pub fn simulate(schedule: &Schedule, servers: usize, service: Service, seed: u64) -> Durations {
    let mut random = Random::of(seed, 0x0005_E77E);
    let mut free: BinaryHeap<Reverse<u64>> = (0..servers.max(1)).map(|_| Reverse(0)).collect();
    let mut latency = Durations::default();
    for due in schedule.instants() {
        let Some(Reverse(at)) = free.pop() else { break };
        let done = at.max(due) + (service.draw(&mut random) * 1e9) as u64;
        free.push(Reverse(done));
        latency.record(done - due);
    }
    latency
}

/// The mean wait before service of an M/G/1 line, in seconds (Pollaczek and Khinchine).
#[must_use]
pub fn mean_wait(rate: f64, mean: f64, spread: f64) -> f64 {
    let load = rate * mean;
    load * mean * (1.0 + spread) / (2.0 * (1.0 - load))
}
