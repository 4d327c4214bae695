//! Durations counted by size: three digits of each, from a tenth of a microsecond to two minutes.
//!
//! Histograms of threads and machines are added up, and percentiles are read from the sum; a
//! percentile is never averaged. In files they are lists of value and count.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Tenths of a microsecond in a second.
const TENTHS: f64 = 1e7;
/// Two minutes.
const LONGEST: u64 = 1_200_000_000;

/// Durations by size.
#[derive(Clone, Debug)]
pub struct Durations(Histogram<u64>);

impl Default for Durations {
    fn default() -> Self {
        let mut all = Histogram::new_with_bounds(1, 10_000, 3).expect("bounds in order, three digits");
        all.auto(true);
        Self(all)
    }
}

impl Durations {
    /// Counts one; what is longer than two minutes counts as two minutes.
    pub fn record(&mut self, nanos: u64) {
        // Cannot fail: the histogram grows up to the longest value.
        let _ = self.0.record((nanos / 100).clamp(1, LONGEST));
    }

    /// Adds all of another.
    pub fn add(&mut self, other: &Self) {
        // Cannot fail, as above.
        let _ = self.0.add(&other.0);
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The duration, in seconds, below or at which this share of them lies; 0 of none.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        if self.0.is_empty() { 0.0 } else { self.0.value_at_quantile(share) as f64 / TENTHS }
    }

    /// The longest, in seconds.
    #[must_use]
    pub fn longest(&self) -> f64 {
        if self.0.is_empty() { 0.0 } else { self.0.max() as f64 / TENTHS }
    }

    /// The mean, in seconds.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.0.mean() / TENTHS
    }

    /// The standard deviation, in seconds.
    #[must_use]
    pub fn deviation(&self) -> f64 {
        self.0.stdev() / TENTHS
    }

    /// The share of them that took no longer.
    #[must_use]
    pub fn share_within(&self, limit: Duration) -> f64 {
        let tenths = (limit.as_nanos() / 100).min(u128::from(LONGEST)) as u64;
        if self.0.is_empty() { 1.0 } else { self.0.quantile_below(tenths) }
    }
}

impl Durations {
    /// Each duration met, in seconds, with the share of all that took no longer.
    pub fn shares(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let all = self.count().max(1) as f64;
        self.0.iter_recorded().scan(0_u64, move |sum, one| {
            *sum += one.count_at_value();
            Some((one.value_iterated_to() as f64 / TENTHS, *sum as f64 / all))
        })
    }
}

/// Value in tenths of a microsecond, and count.
#[derive(Serialize, Deserialize)]
struct Pair(u64, u64);

impl Serialize for Durations {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pairs = self.0.iter_recorded().map(|one| Pair(one.value_iterated_to(), one.count_at_value()));
        serializer.collect_seq(pairs)
    }
}

impl<'de> Deserialize<'de> for Durations {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut all = Self::default();
        for Pair(value, count) in Vec::<Pair>::deserialize(deserializer)? {
            let done = all.0.record_n(value.clamp(1, LONGEST), count);
            done.map_err(|_| serde::de::Error::custom("more durations than can be counted"))?;
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(values: impl Iterator<Item = u64>) -> Durations {
        let mut all = Durations::default();
        values.for_each(|nanos| all.record(nanos));
        all
    }

    #[test]
    fn the_sum_of_threads_has_the_percentiles_of_all() {
        let value = |at: u64| 1000 + at * at % 9_000_000;
        let (mut even, odd) =
            (filled((0..5000).map(|at| value(2 * at))), filled((0..5000).map(|at| value(2 * at + 1))));
        even.add(&odd);
        let whole = filled((0..10_000).map(value));
        for share in [0.5, 0.9, 0.99, 0.999, 1.0] {
            assert!((even.quantile(share) - whole.quantile(share)).abs() < 1e-12);
        }
    }

    #[test]
    fn files_keep_it_and_what_is_too_long_counts() {
        let all = filled([50, 123_456, 9_000_000_000, 900_000_000_000].into_iter());
        let read: Durations = serde_json::from_str(&serde_json::to_string(&all).unwrap()).unwrap();
        assert_eq!(read.count(), 4);
        assert!((read.longest() - 120.0).abs() < 0.2);
        assert!((read.quantile(0.75) - 9.0).abs() < 0.01);
        assert!((read.quantile(0.5) - 0.000_123_4).abs() < 1e-6);
        assert!((read.share_within(Duration::from_secs(10)) - 0.75).abs() < 1e-9);
    }
}
