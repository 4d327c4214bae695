//! The one place that reads a clock.
//!
//! Wall time enters a request once, here; everything behind takes it as an argument. Deadlines are
//! monotonic.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use eligibility::day::Timestamp;

/// A source of time. [`Clock::system`] for serving; tests may set it ahead or back.
#[derive(Debug, Default)]
pub struct Clock {
    /// Milliseconds added to the machine's wall clock.
    ahead: AtomicI64,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self { ahead: AtomicI64::new(0) }
    }

    /// Wall time now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(millis.saturating_add(self.ahead.load(Ordering::Relaxed)))
    }

    /// Monotonic time, for durations and deadlines.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn instant() -> Instant {
        Instant::now()
    }

    /// Sets the wall clock this far ahead of the machine's, or back when negative.
    pub fn set_ahead(&self, millis: i64) {
        self.ahead.store(millis, Ordering::Relaxed);
    }
}
