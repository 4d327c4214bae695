//! The engine: threads that send what is due and read what comes back.
//!
//! ```text
//! plan ─► worker: due? ─► a card: signed already? ─► idle connection? ─► send ─► read ─► judge ─► tally
//!                              └► waits for signer      └► waits for one
//! ```
//!
//! A worker never waits for an answer before it sends the next request: what is due is sent, and
//! latency counts from the instant it was due.

mod desk;
mod lane;
mod signer;
mod watch;
mod wire;
mod worker;

use std::time::{Duration, Instant};

use crate::tally::Tally;

pub use signer::{AHEAD, Signer, Signing, Stocks};
pub use watch::{Watch, WatchFile};
pub use worker::Worker;

/// The phase under which connecting before the run is counted.
pub const BEFORE: usize = usize::MAX;

/// When a run begins, on this machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct Start(Instant);

impl Start {
    /// The run begins at this instant.
    #[must_use]
    pub const fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// Nanoseconds since the start; 0 before.
    #[must_use]
    pub fn now(self) -> u64 {
        let since = crate::clock::instant().saturating_duration_since(self.0);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    /// How long until then.
    #[must_use]
    pub fn left(self, nanos: u64) -> Duration {
        let at = self.0 + Duration::from_nanos(nanos);
        at.saturating_duration_since(crate::clock::instant())
    }
}

/// What one thread counted in one second.
pub struct Report {
    /// The second, from the start of the run; `None`: before the run.
    pub second: u64,
    /// By phase.
    pub tallies: Vec<(usize, Tally)>,
    /// Requests sent and not yet answered, or waiting.
    pub open: u64,
    /// Whether this is the thread's last word.
    pub last: bool,
}
