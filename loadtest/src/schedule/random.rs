//! Chance from a seed: the same in every process of a run.

/// A generator (splitmix64, public domain, S. Vigna).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The generator for one end of one seed.
    #[must_use]
    pub const fn of(seed: u64, end: u64) -> Self {
        Self(mix(seed ^ end.wrapping_mul(0xA076_1D64_78BD_642F)))
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.bits() as u128 * bound as u128) >> 64) as u64
    }

    /// A number from 0, below 1.
    pub const fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Exponentially distributed with mean one.
    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    /// The place whose weight is hit; `cumulative` grows to its last, which is the sum.
    pub fn weighted(&mut self, cumulative: &[f64]) -> usize {
        let hit = self.unit() * cumulative.last().copied().unwrap_or_default();
        cumulative.partition_point(|sum| *sum <= hit).min(cumulative.len().saturating_sub(1))
    }
}

/// Scatters 64 bits.
#[must_use]
pub const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
