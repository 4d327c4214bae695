//! Phases: stretches of time with a shape of their own.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Objective;
use crate::schedule::{Arrival, Curve, DayKind, Knot, Schedule, recorded};

/// A phase as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseSpec {
    /// Its name, for reports.
    pub name: String,
    /// How requests come.
    #[serde(flatten)]
    pub shape: Shape,
    /// How they lie under the shape.
    #[serde(default)]
    pub arrival: Arrival,
    /// Share of requests for which a connection is made anew.
    #[serde(default)]
    pub fresh: f64,
    /// A warm-up is not judged.
    #[serde(default)]
    pub warm_up: bool,
    /// What must hold in it.
    #[serde(default)]
    pub objectives: Vec<Objective>,
}

/// How requests come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "shape", rename_all = "snake_case")]
pub enum Shape {
    /// At one rate.
    Constant {
        /// Requests a second.
        rate: f64,
        /// How long.
        seconds: f64,
    },
    /// From one rate to another.
    Ramp {
        /// Requests a second at its start.
        from: f64,
        /// Requests a second at its end.
        to: f64,
        /// How long.
        seconds: f64,
    },
    /// At one rate after the other.
    Steps {
        /// Requests a second of each step.
        rates: Vec<f64>,
        /// How long each.
        seconds: f64,
    },
    /// Straight between points.
    Knots {
        /// Seconds and requests a second.
        points: Vec<(f64, f64)>,
    },
    /// A day of clinics, or a part of it.
    Day {
        /// Which day.
        day: DayKind,
        /// Requests a second at the highest moment of the whole day.
        peak: f64,
        /// Hour of the clock with which it begins; 7 at the earliest.
        #[serde(default = "seven")]
        from: f64,
        /// Hour of the clock with which it ends; 20 at the latest.
        #[serde(default = "twenty")]
        to: f64,
        /// How long it takes here.
        seconds: f64,
    },
    /// Everybody comes back at once: a wave over a base.
    Storm {
        /// Requests a second before and after.
        #[serde(default)]
        base: f64,
        /// Institutions that come back, one request each.
        sites: f64,
        /// Seconds within which most of them (nine in ten) are back.
        within: f64,
        /// How long.
        seconds: f64,
    },
    /// At recorded instants.
    Replay {
        /// One instant a line.
        file: PathBuf,
        /// So many times as fast.
        #[serde(default = "unhurried")]
        speed: f64,
    },
}

const fn seven() -> f64 {
    7.0
}

const fn twenty() -> f64 {
    20.0
}

const fn unhurried() -> f64 {
    1.0
}

/// A phase ready to run.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// Seconds from the start of the run.
    pub starts: f64,
    /// When requests are due, from its start on.
    pub schedule: Schedule,
    /// Share of requests for which a connection is made anew.
    pub fresh: f64,
    /// Whether it is not judged.
    pub warm_up: bool,
    /// What must hold in it.
    pub objectives: Vec<Objective>,
}

impl PhaseSpec {
    pub(super) fn resolve(&self, starts: f64, seed: u64, beside: &Path) -> Result<Phase, String> {
        if !(0.0..=1.0).contains(&self.fresh) {
            return Err("fresh: from 0 to 1".to_owned());
        }
        let schedule = match &self.shape {
            Shape::Replay { file, speed } => {
                let path = beside.join(file);
                if speed.is_nan() || *speed <= 0.0 {
                    return Err("speed: above 0".to_owned());
                }
                let text = std::fs::read_to_string(&path);
                let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
                recorded(&text, *speed).map_err(|error| format!("{}: {error}", path.display()))?
            }
            shape => {
                let curve = shape.curve().filter(|curve| curve.duration() > 0.0);
                let curve = curve.ok_or("rates and seconds are not negative, and it lasts")?;
                Schedule::Curve { curve, arrival: self.arrival, seed }
            }
        };
        let Self { name, fresh, warm_up, objectives, .. } = self.clone();
        Ok(Phase { name, starts, schedule, fresh, warm_up, objectives })
    }

    pub(super) fn scaled(&self, by: f64) -> Self {
        Self { shape: self.shape.scaled(by), ..self.clone() }
    }
}

impl Shape {
    fn curve(&self) -> Option<Curve> {
        match self {
            Self::Constant { rate, seconds } => Curve::constant(*rate, *seconds),
            Self::Ramp { from, to, seconds } => {
                Curve::new(vec![Knot { at: 0.0, rate: *from }, Knot { at: *seconds, rate: *to }])
            }
            Self::Steps { rates, seconds } => {
                let step = |(at, rate): (usize, &f64)| {
                    let from = at as f64 * seconds;
                    [Knot { at: from, rate: *rate }, Knot { at: from + seconds, rate: *rate }]
                };
                Curve::new(rates.iter().enumerate().flat_map(step).collect())
            }
            Self::Knots { points } => {
                Curve::new(points.iter().map(|&(at, rate)| Knot { at, rate }).collect())
            }
            Self::Day { day, peak, from, to, seconds } => {
                let within = 7.0 <= *from && from < to && *to <= 20.0;
                within.then(|| day.curve(*from, *to, *seconds, *peak)).flatten()
            }
            Self::Storm { base, sites, within, seconds } => storm(*base, *sites, *within, *seconds),
            Self::Replay { .. } => None,
        }
    }

    fn scaled(&self, by: f64) -> Self {
        let mut scaled = self.clone();
        match &mut scaled {
            Self::Constant { rate, .. } => *rate *= by,
            Self::Ramp { from, to, .. } => (*from, *to) = (*from * by, *to * by),
            Self::Steps { rates, .. } => rates.iter_mut().for_each(|rate| *rate *= by),
            Self::Knots { points } => points.iter_mut().for_each(|(_, rate)| *rate *= by),
            Self::Day { peak, .. } => *peak *= by,
            Self::Storm { base, sites, .. } => (*base, *sites) = (*base * by, *sites * by),
            Self::Replay { speed, .. } => *speed *= by,
        }
        scaled
    }
}

/// A wave that falls off along an exponential of which nine tenths lie within `within`.
fn storm(base: f64, sites: f64, within: f64, seconds: f64) -> Option<Curve> {
    const PIECES: u32 = 200;
    let fade = within / std::f64::consts::LN_10;
    let knot = |piece: u32| {
        let at = seconds * f64::from(piece) / f64::from(PIECES);
        Knot { at, rate: base + sites / fade * (-at / fade).exp() }
    };
    Curve::new((0..=PIECES).map(knot).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_of_a_storm_comes_within_its_time() {
        let curve = storm(10.0, 3000.0, 20.0, 60.0).unwrap();
        assert!((curve.area() - 10.0 * 60.0 - 3000.0).abs() < 30.0, "{}", curve.area());
        let schedule = Schedule::Curve { curve, arrival: Arrival::Even, seed: 1 };
        let within = schedule.instants().take_while(|at| *at < 20_000_000_000).count();
        assert!((2850..=2960).contains(&within), "{within}");
    }

    #[test]
    fn steps_step() {
        let shape = Shape::Steps { rates: vec![10.0, 30.0], seconds: 5.0 };
        let curve = shape.curve().unwrap();
        assert_eq!((curve.rate(4.9), curve.rate(5.1), curve.area()), (10.0, 30.0, 200.0));
        assert_eq!(shape.scaled(2.0).curve().unwrap().peak(), 60.0);
    }
}
