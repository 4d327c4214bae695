//! Chance without luck: every draw is a function of the seed, a purpose and an index.
//!
//! Holds the generator and the two bijections that give unique numbers without a list of those
//! already given. No state outlives a person.

use eligibility::number::LinkNumber;

/// What is drawn, so that draws for different ends stay independent.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Block = 1,
    Household = 2,
    Seat = 3,
    Home = 4,
    Name = 5,
    Life = 6,
    Depends = 7,
    Coverage = 8,
    Person = 9,
    Card = 10,
    Linked = 11,
    Link = 12,
    Serial = 13,
    Claim = 14,
}

/// A generator of its own for one thing (splitmix64, public domain, S. Vigna).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn of(seed: u64, purpose: Purpose, index: u64) -> Self {
        let start = mix(seed ^ (purpose as u64).wrapping_mul(0xA076_1D64_78BD_642F));
        Self(mix(start ^ index.wrapping_mul(0xE703_7ED1_A0B4_28DB)))
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        ((self.next() as u128 * bound as u128) >> 64) as u64
    }

    /// A number from `low` to `high`, both included; `low` where `high` is less.
    pub(crate) const fn within(&mut self, low: i32, high: i32) -> i32 {
        let span = if high < low { 1 } else { high - low + 1 };
        low + self.below(span as u64) as i32
    }

    /// True so many times in a thousand.
    pub(crate) const fn per_mille(&mut self, times: u64) -> bool {
        self.below(1000) < times
    }

    /// One member, each as likely; the slice is never empty.
    pub(crate) fn pick<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len() as u64) as usize]
    }

    /// One member by its weight; the last takes what rounding leaves.
    pub(crate) fn weighted<'t, T>(&mut self, all: &'t [(u32, T)]) -> &'t T {
        let total: u64 = all.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let mut left = self.below(total);
        for (weight, one) in all {
            match left.checked_sub(u64::from(*weight)) {
                Some(rest) => left = rest,
                None => return one,
            }
        }
        &all[all.len() - 1].1
    }
}

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The 紐付番号 of the person at this place: unique, and no leading zero.
pub(crate) fn link_number(seed: u64, index: u64) -> LinkNumber {
    // 2^52 numbers above 10^15 stay below 10^16.
    let value = 1_000_000_000_000_000 + square(seed, Purpose::Link, index & ((1 << 52) - 1), 26);
    LinkNumber::from_value(value).expect("sixteen digits")
}

/// The place of `index` when the numbers below `size` are shuffled: a bijection.
pub(crate) const fn shuffled(seed: u64, purpose: Purpose, index: u64, size: u64) -> u64 {
    let mut half = 1;
    while half < 31 && 1_u64 << (2 * half) < size {
        half += 1;
    }
    // Cycle walking: less than four rounds on average, as the square is at most four times the size.
    let mut place = index;
    loop {
        place = square(seed, purpose, place, half);
        if place < size {
            return place;
        }
    }
}

/// A four-round Feistel network over two halves of `half` bits each.
const fn square(seed: u64, purpose: Purpose, place: u64, half: u32) -> u64 {
    let mask = (1 << half) - 1;
    let (mut left, mut right) = (place >> half, place & mask);
    let mut round = 0;
    while round < 4 {
        let key = seed ^ ((purpose as u64) << 56) ^ (round << 48);
        (left, right) =
            (right, left ^ (mix(key.wrapping_add(right.wrapping_mul(0x9E37_79B9_7F4A_7C15))) & mask));
        round += 1;
    }
    left << half | right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffling_loses_and_doubles_nothing() {
        for size in [1, 2, 5, 64, 1000, 4097] {
            let mut places: Vec<_> = (0..size).map(|at| shuffled(7, Purpose::Serial, at, size)).collect();
            places.sort_unstable();
            assert!(places.iter().copied().eq(0..size), "{size}");
        }
    }

    #[test]
    fn draws_follow_their_weights() {
        let mut dice = Dice::of(1, Purpose::Person, 1);
        let table = [(1, 'a'), (3, 'b')];
        let many = (0..10_000).filter(|_| *dice.weighted(&table) == 'b').count();
        assert!((7300..7700).contains(&many), "{many}");
        assert!((0..1000).all(|_| (3..=5).contains(&dice.within(3, 5))));
    }
}
