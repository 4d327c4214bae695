//! How old the oldest request is that was read and is not answered: counts by the look in which requests
//! began. No request reads a clock for it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::TICK;

/// Looks that are told apart: 2.56 seconds. What is older counts as younger by so much.
const LOOKS: usize = 256;

/// Requests that have begun, by look.
#[derive(Debug)]
pub(super) struct Ages([AtomicU32; LOOKS]);

impl Default for Ages {
    fn default() -> Self {
        Self([const { AtomicU32::new(0) }; LOOKS])
    }
}

/// A request that has begun; it has ended when this is dropped.
pub struct Begun<'a>(Option<&'a AtomicU32>);

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.0 {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Ages {
    fn at(&self, tick: u64) -> Option<&AtomicU32> {
        self.0.get(tick as usize % LOOKS)
    }

    pub(super) fn begin(&self, tick: u64) -> Begun<'_> {
        let count = self.at(tick);
        if let Some(count) = count {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Begun(count)
    }

    /// The age of the oldest, counted from the end of the look in which it began.
    pub(super) fn oldest(&self, tick: u64) -> Duration {
        let oldest = (1..LOOKS as u64).rev().find(|age| {
            let count = tick.checked_sub(*age).and_then(|began| self.at(began));
            count.is_some_and(|count| count.load(Ordering::Relaxed) > 0)
        });
        TICK * oldest.map_or(0, |looks| looks as u32 - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_that_is_open_counts() {
        let ages = Ages::default();
        assert_eq!(ages.oldest(0), Duration::ZERO);
        let first = ages.begin(5);
        let second = ages.begin(8);
        assert_eq!(ages.oldest(6), Duration::ZERO, "less than a look");
        assert_eq!(ages.oldest(10), TICK * 4);
        drop(first);
        assert_eq!(ages.oldest(10), TICK);
        drop(second);
        assert_eq!(ages.oldest(300), Duration::ZERO);
    }
}
