//! How much each institution may ask in a second: a bound on what one of them can take from the others.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dashmap::DashMap;

use crate::clock::Clock;
use crate::peer::Peer;

/// Seconds' worth that may be asked at once.
const BURST: u32 = 2;
/// Institutions remembered before those that ask little are forgotten.
const MOST: usize = 100_000;

/// The budgets of all institutions.
pub struct Budgets {
    /// Time that one request uses up; none where nothing is bounded.
    each: Option<Duration>,
    since: Instant,
    /// By institution: until when what was asked uses its budget up, in nanoseconds since the start.
    used: DashMap<u64, AtomicU64, foldhash::fast::RandomState>,
}

impl Budgets {
    /// So many requests a second for each institution; all they like where nothing is said.
    #[must_use]
    pub fn new(a_second: Option<u32>) -> Self {
        let each = a_second.map(|count| Duration::from_secs(1) / count.max(1));
        Self { each, since: Clock::instant(), used: DashMap::default() }
    }

    /// Whether this caller may ask once more now.
    #[must_use]
    pub fn admits(&self, peer: &Peer) -> bool {
        self.each.is_none_or(|each| self.take(tenant(peer), each, self.since.elapsed()))
    }

    fn take(&self, who: u64, each: Duration, now: Duration) -> bool {
        let (now, each) = (now.as_nanos() as u64, each.as_nanos() as u64);
        let most = u64::from(BURST) * 1_000_000_000;
        if self.used.len() > MOST {
            self.used.retain(|_, used| *used.get_mut() > now);
        }
        let used = self.used.entry(who).or_default();
        let one_more = |used: u64| Some(used.max(now) + each).filter(|used| *used <= now + most);
        used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok()
    }
}

/// Whose budget it is: the institution's, or that of a certificate without one.
#[must_use]
pub(super) fn tenant(peer: &Peer) -> u64 {
    let by_certificate = || {
        let octets = peer.fingerprint().as_bytes().first_chunk().copied().unwrap_or_default();
        // Institution codes are ten digits: no certificate's octets meet one.
        u64::from_le_bytes(octets) | 1 << 63
    };
    peer.institutions().first().map_or_else(by_certificate, |code| code.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_asks_too_much_is_bounded_and_others_are_not() {
        let budgets = Budgets::new(Some(10));
        let each = Duration::from_millis(100);
        let taken = |who, at| budgets.take(who, each, Duration::from_millis(at));
        assert_eq!((0..100).filter(|_| taken(1, 0)).count(), 20, "two seconds' worth at once");
        assert!(taken(2, 0), "another institution");
        assert!(!taken(1, 99) && taken(1, 100) && !taken(1, 100));
        let asked = (0..1000).filter(|at| taken(1, 1000 + at * 10)).count();
        assert!((100..=120).contains(&asked), "{asked} in ten seconds");
        assert!(Budgets::new(None).each.is_none());
    }
}
