//! A rate over time, straight between its knots, and the way back from area to time.

/// A point of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knot {
    /// Seconds from the start.
    pub at: f64,
    /// Requests a second.
    pub rate: f64,
}

/// A rate over time. Two knots at the same time are a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    knots: Vec<Knot>,
    /// Area up to each knot.
    areas: Vec<f64>,
}

impl Curve {
    /// The curve through these knots; `None` unless there are two or more, in order, from 0 on,
    /// with rates that are no less than 0.
    #[must_use]
    pub fn new(knots: Vec<Knot>) -> Option<Self> {
        let ordered = knots.windows(2).all(|pair| matches!(pair, [a, b] if a.at <= b.at));
        let sound = |knot: &Knot| knot.at.is_finite() && knot.rate.is_finite() && knot.rate >= 0.0;
        let starts = knots.first().is_some_and(|first| first.at == 0.0);
        if knots.len() < 2 || !ordered || !starts || !knots.iter().all(sound) {
            return None;
        }
        let mut areas = vec![0.0];
        let mut area = 0.0;
        for pair in knots.windows(2) {
            let [a, b] = pair else { continue };
            area += (b.at - a.at) * (a.rate + b.rate) / 2.0;
            areas.push(area);
        }
        Some(Self { knots, areas })
    }

    /// The same rate all the time.
    #[must_use]
    pub fn constant(rate: f64, seconds: f64) -> Option<Self> {
        Self::new(vec![Knot { at: 0.0, rate }, Knot { at: seconds, rate }])
    }

    /// Its length in seconds.
    #[must_use]
    pub fn duration(&self) -> f64 {
        self.knots.last().map_or(0.0, |knot| knot.at)
    }

    /// All requests under it.
    #[must_use]
    pub fn area(&self) -> f64 {
        self.areas.last().copied().unwrap_or_default()
    }

    /// Its highest rate.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.knots.iter().map(|knot| knot.rate).fold(0.0, f64::max)
    }

    /// The rate at this time; 0 after its end.
    #[must_use]
    pub fn rate(&self, seconds: f64) -> f64 {
        let after = self.knots.partition_point(|knot| knot.at <= seconds);
        match (after.checked_sub(1).and_then(|before| self.knots.get(before)), self.knots.get(after)) {
            (Some(a), Some(b)) => a.rate + (b.rate - a.rate) * (seconds - a.at) / (b.at - a.at),
            _ => 0.0,
        }
    }

    /// The same curve with rates times `by`.
    #[must_use]
    pub fn scaled(&self, by: f64) -> Self {
        let knots = self.knots.iter().map(|knot| Knot { rate: knot.rate * by, ..*knot }).collect();
        Self { knots, areas: self.areas.iter().map(|area| area * by).collect() }
    }

    pub(super) const fn inverse(&self) -> Inverse<'_> {
        Inverse { curve: self, segment: 0 }
    }
}

/// Times of growing areas.
#[derive(Clone, Debug)]
pub struct Inverse<'c> {
    curve: &'c Curve,
    segment: usize,
}

impl Inverse<'_> {
    /// The time up to which the area is this; `None` beyond the curve. Areas must not shrink from
    /// call to call.
    pub(super) fn time_of(&mut self, area: f64) -> Option<f64> {
        while *self.curve.areas.get(self.segment + 1)? <= area {
            self.segment += 1;
        }
        let (a, b) = (self.curve.knots.get(self.segment)?, self.curve.knots.get(self.segment + 1)?);
        let left = area - self.curve.areas.get(self.segment)?;
        let slope = (b.rate - a.rate) / (b.at - a.at);
        // slope/2 t² + rate t = left, in the form that does not cancel.
        let root = (a.rate * a.rate + 2.0 * slope * left).max(0.0).sqrt();
        Some(a.at + 2.0 * left / (a.rate + root))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_inverse_is_the_inverse(
            steps in prop::collection::vec((0.0..5.0_f64, 0.0..1000.0_f64), 1..12),
            parts in prop::collection::vec(0.0..1.0_f64, 1..20),
        ) {
            let mut at = 0.0;
            let mut knots = vec![Knot { at, rate: 3.0 }];
            for (length, rate) in steps {
                at += length;
                knots.push(Knot { at, rate });
            }
            let curve = Curve::new(knots).unwrap();
            let mut parts = parts;
            parts.sort_by(f64::total_cmp);
            let mut inverse = curve.inverse();
            let mut last = 0.0;
            for area in parts.into_iter().map(|part| part * curve.area()) {
                let Some(time) = inverse.time_of(area) else { continue };
                prop_assert!(time >= last - 1e-9 && time <= curve.duration() + 1e-9);
                last = time;
                // The area up to that time, summed in small steps.
                let pieces = 20_000;
                let width = time / f64::from(pieces);
                let sum: f64 = (0..pieces).map(|at| curve.rate((f64::from(at) + 0.5) * width) * width).sum();
                prop_assert!((sum - area).abs() <= 0.002 * curve.area() + 1e-6, "{sum} {area}");
            }
        }
    }

    #[test]
    fn curves_that_are_none_are_refused() {
        let knots = |all: &[(f64, f64)]| all.iter().map(|&(at, rate)| Knot { at, rate }).collect();
        for bad in [
            &[][..],
            &[(0.0, 1.0)],
            &[(1.0, 1.0), (2.0, 1.0)],
            &[(0.0, 1.0), (-1.0, 1.0)],
            &[(0.0, -1.0), (1.0, 1.0)],
            &[(0.0, f64::NAN), (1.0, 1.0)],
        ] {
            assert!(Curve::new(knots(bad)).is_none(), "{bad:?}");
        }
    }
}
