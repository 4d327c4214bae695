//! Numbers and days as octets: how they are written and, total over any octets, read again.
//!
//! Knows nothing of what they mean.

use eligibility::day::Day;

/// Octets still to be read. Every step is `None` when they do not suffice.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'o>(&'o [u8]);

impl<'o> Reading<'o> {
    pub(crate) const fn new(octets: &'o [u8]) -> Self {
        Self(octets)
    }

    pub(crate) const fn rest(&self) -> &'o [u8] {
        self.0
    }

    pub(crate) fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn octets(&mut self, count: usize) -> Option<&'o [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    /// Big-endian, of up to eight octets.
    pub(crate) fn fixed(&mut self, count: usize) -> Option<u64> {
        Some(self.octets(count)?.iter().fold(0, |value, octet| value << 8 | u64::from(*octet)))
    }

    /// What [`put_number`] wrote.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let octet = self.octet()?;
            value |= u64::from(octet & 0x7F) << shift;
            if octet < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// A count of things that take at least one octet each, so that no count asks for more memory
    /// than there are octets.
    pub(crate) fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.0.len()).then_some(count)
    }

    /// What [`put_day`] wrote with the same base.
    pub(crate) fn day(&mut self, base: i32) -> Option<Day> {
        let first = self.octet()?;
        let number = match first >> 6 {
            0 | 1 => i32::from(first) << 8 | i32::from(self.octet()?),
            2 => {
                let [high, low] = self.array()?;
                (i32::from(first & 0x3F) << 16 | i32::from(high) << 8 | i32::from(low)) - (1 << 21)
            }
            _ => return Some(Day::from_number(i32::from_be_bytes(self.array()?))),
        };
        Some(Day::from_number(base + number))
    }
}

/// Seven bits an octet, the lowest first; the highest bit says that more follow.
pub(crate) fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many octets [`put_number`] writes.
pub(crate) const fn number_octets(value: u64) -> usize {
    (value | 1).ilog2() as usize / 7 + 1
}

/// The `count` lowest octets, big-endian.
pub(crate) fn put_fixed(out: &mut Vec<u8>, value: u64, count: usize) {
    out.extend_from_slice(&value.to_be_bytes()[8 - count.min(8)..]);
}

/// Two octets for the 89 years from `base`, three for 2800 years before and after, else five.
pub(crate) fn put_day(out: &mut Vec<u8>, day: Day, base: i32) {
    let number = i64::from(day.number()) - i64::from(base);
    match number {
        0..0x8000 => put_fixed(out, number as u64, 2),
        -0x20_0000..0x20_0000 => put_fixed(out, (number + 0x20_0000) as u64 | 0x80_0000, 3),
        _ => {
            out.push(0xC0);
            out.extend_from_slice(&day.number().to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_and_days_come_back(number: u64, day: i32, near in -40_000..90_000_i32) {
            let mut out = Vec::new();
            put_number(&mut out, number);
            prop_assert_eq!(out.len(), number_octets(number));
            put_day(&mut out, Day::from_number(day), -11_688);
            put_day(&mut out, Day::from_number(near), 7305);
            let mut reading = Reading::new(&out);
            prop_assert_eq!(reading.number(), Some(number));
            prop_assert_eq!(reading.day(-11_688), Some(Day::from_number(day)));
            prop_assert_eq!(reading.day(7305), Some(Day::from_number(near)));
            prop_assert!(reading.rest().is_empty());
            prop_assert_eq!(reading.octet(), None);
        }
    }
}
