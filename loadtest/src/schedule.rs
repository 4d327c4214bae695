//! When requests are due: instants decided before the run, the same for every process that reads
//! the same scenario.
//!
//! ```text
//! curve (rate over time) ─► inverse of its area ─► instants, even or as Poisson
//! recorded timestamps ─► speed ─► instants
//! ```
//!
//! Holds no clock and no thread: an instant is an offset from the start of the run. A share of a
//! schedule is taken by whoever owns the request, not here.

mod curve;
mod day;
mod random;

use std::sync::Arc;
use std::time::Duration;

pub use curve::{Curve, Knot};
pub use day::{DayKind, PROFILES, Profile};
pub use random::{Random, mix};

/// How instants lie under a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrival {
    /// As patients come: independently of each other.
    #[default]
    Poisson,
    /// At even distances.
    Even,
}

/// The instants of one phase.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// Under a curve.
    Curve {
        /// Rate over time.
        curve: Curve,
        /// How they lie under it.
        arrival: Arrival,
        /// What chance is drawn from.
        seed: u64,
    },
    /// As recorded, in nanoseconds from the first, in order.
    Recorded(Arc<[u64]>),
}

impl Schedule {
    /// The instants in order, in nanoseconds from the start of the phase.
    #[must_use]
    pub fn instants(&self) -> Instants<'_> {
        match self {
            Self::Curve { curve, arrival, seed } => Instants::Drawn {
                inverse: curve.inverse(),
                area: 0.0,
                gap: match arrival {
                    Arrival::Even => Gap::Even { first: true },
                    Arrival::Poisson => Gap::Poisson(Random::of(*seed, 0x5C4E_D01E)),
                },
            },
            Self::Recorded(all) => Instants::Recorded(all.iter()),
        }
    }

    /// How long the phase lasts.
    #[must_use]
    pub fn duration(&self) -> Duration {
        match self {
            Self::Curve { curve, .. } => Duration::from_secs_f64(curve.duration()),
            Self::Recorded(all) => Duration::from_nanos(all.last().copied().unwrap_or_default() + 1),
        }
    }

    /// How many requests are due (for Poisson: on average).
    #[must_use]
    pub fn expected(&self) -> f64 {
        match self {
            Self::Curve { curve, .. } => curve.area(),
            Self::Recorded(all) => all.len() as f64,
        }
    }

    /// The highest rate within any second, per second.
    #[must_use]
    pub fn peak(&self) -> f64 {
        match self {
            Self::Curve { curve, .. } => curve.peak(),
            Self::Recorded(all) => {
                let second = 1_000_000_000;
                let most = |(at, from): (usize, &u64)| all.partition_point(|one| *one < from + second) - at;
                all.iter().enumerate().map(most).max().unwrap_or_default() as f64
            }
        }
    }

    /// The rate at this time into the phase, per second; of recorded instants, those of that second.
    #[must_use]
    pub fn rate(&self, seconds: f64) -> f64 {
        match self {
            Self::Curve { curve, .. } => curve.rate(seconds),
            Self::Recorded(all) => {
                let at = |seconds: f64| all.partition_point(|one| (*one as f64) < seconds * 1e9);
                (at(seconds + 1.0) - at(seconds)) as f64
            }
        }
    }
}

/// Reads recorded instants: one a line, seconds (with fraction) since any moment or RFC 3339; only
/// the first field of a CSV line counts, and a first line that is no time is a header.
///
/// # Errors
/// The line that is no time, or goes back in time.
pub fn recorded(text: &str, speed: f64) -> Result<Schedule, String> {
    let mut all: Vec<f64> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let field = line.split(',').next().unwrap_or_default().trim();
        if field.is_empty() || (at == 0 && moment(field).is_none()) {
            continue;
        }
        let seconds =
            moment(field).ok_or_else(|| format!("line {}: neither seconds nor an RFC 3339 time", at + 1))?;
        if all.last().is_some_and(|last| *last > seconds) {
            return Err(format!("line {}: earlier than the line before; sort the file", at + 1));
        }
        all.push(seconds);
    }
    let first = *all.first().ok_or("no instants in it")?;
    Ok(Schedule::Recorded(all.iter().map(|one| ((one - first) / speed * 1e9) as u64).collect()))
}

fn moment(field: &str) -> Option<f64> {
    let seconds = field.parse().ok().filter(|seconds: &f64| seconds.is_finite());
    seconds.or_else(|| Some(eligibility::day::Timestamp::parse(field)?.millis() as f64 / 1000.0))
}

/// Instants in order, in nanoseconds.
#[derive(Clone, Debug)]
pub enum Instants<'s> {
    /// Under a curve.
    Drawn {
        /// From area to time.
        inverse: curve::Inverse<'s>,
        /// Area under the curve up to the last instant.
        area: f64,
        /// How to go on.
        gap: Gap,
    },
    /// As recorded.
    Recorded(std::slice::Iter<'s, u64>),
}

/// How much area lies between two instants.
#[derive(Clone, Debug)]
pub enum Gap {
    /// One; half of it before the first.
    Even {
        /// None given yet.
        first: bool,
    },
    /// Exponential with mean one.
    Poisson(Random),
}

impl Iterator for Instants<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        match self {
            Self::Recorded(all) => all.next().copied(),
            Self::Drawn { inverse, area, gap } => {
                *area += match gap {
                    Gap::Even { first } => {
                        if std::mem::take(first) {
                            0.5
                        } else {
                            1.0
                        }
                    }
                    Gap::Poisson(random) => random.exponential(),
                };
                inverse.time_of(*area).map(|seconds| (seconds * 1e9) as u64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(knots: &[(f64, f64)], arrival: Arrival) -> Schedule {
        let knots = knots.iter().map(|&(at, rate)| Knot { at, rate }).collect();
        Schedule::Curve { curve: Curve::new(knots).unwrap(), arrival, seed: 9 }
    }

    #[test]
    fn even_instants_are_even() {
        let all: Vec<_> = schedule(&[(0.0, 1000.0), (2.0, 1000.0)], Arrival::Even).instants().collect();
        assert_eq!(all.len(), 2000);
        assert!(all.windows(2).all(|pair| (999_990..=1_000_010).contains(&(pair[1] - pair[0]))));
        assert!((499_000..=501_000).contains(&all[0]));
    }

    #[test]
    fn a_ramp_is_as_full_as_its_area() {
        let ramp = schedule(&[(0.0, 0.0), (10.0, 1000.0)], Arrival::Even);
        let all: Vec<_> = ramp.instants().collect();
        assert!((4999..=5000).contains(&all.len()));
        let half = all.partition_point(|one| *one < 5_000_000_000);
        assert!((1248..=1252).contains(&half), "a quarter in the first half: {half}");
        assert!((ramp.rate(5.0) - 500.0).abs() < 1.0);
    }

    #[test]
    fn poisson_has_its_rate_and_its_spread_and_comes_again() {
        let poisson = schedule(&[(0.0, 5000.0), (20.0, 5000.0)], Arrival::Poisson);
        let all: Vec<_> = poisson.instants().collect();
        assert!((all.len() as f64 - 100_000.0).abs() < 4.0 * 100_000_f64.sqrt(), "{}", all.len());
        let gaps: Vec<_> = all.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.02, "{}", variance.sqrt() / mean);
        assert!(all.iter().copied().eq(poisson.instants()));
    }

    #[test]
    fn a_recording_is_played_at_its_speed() {
        let text = "time,path\n10.0,/a\n10.5,/b\n12,/c\n";
        let all: Vec<_> = recorded(text, 2.0).unwrap().instants().collect();
        assert_eq!(all, [0, 250_000_000, 1_000_000_000]);
        let text = "2026-11-21T09:00:00+09:00\n2026-11-21T09:00:01+09:00\n";
        assert_eq!(recorded(text, 1.0).unwrap().instants().last(), Some(1_000_000_000));
        assert!(recorded("2\n1\n", 1.0).unwrap_err().starts_with("line 2"));
        assert!(recorded("1\nnoon\n", 1.0).unwrap_err().starts_with("line 2"));
        assert!(recorded("", 1.0).is_err());
    }
}
