//! How long requests wait, and what is left undone while they wait too long.
//!
//! ```text
//! every 10 ms:  age of the oldest octet not read (a probe of our own goes the callers' way)
//!               age of the oldest request read and not answered ─► delay
//!
//! delay > 20 ms for 100 ms ─► lower:  batches and pre-checks are refused, links and feeds take turns,
//!                                     handshakes are paced
//!               for 200 ms ─► noisy:  who has asked within the last second is read in turns; what has
//!                                     waited for its turn is refused, so that what is answered is fresh
//! ```
//!
//! Refusing costs a tenth of answering and more: most of what is too much is therefore not read at all,
//! and waits where it costs nothing. Nothing here is on the way of a request but two counters.

mod ages;
mod level;
mod probe;
mod turns;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::audit::Work;
use ages::Ages;
use level::Judge;
use probe::Probe;
use turns::{Rate, Turns};

pub use ages::Begun;
pub use level::Level;
pub(super) use turns::Turn;

/// Time between two looks.
pub(super) const TICK: Duration = Duration::from_millis(10);
/// Looks without a request after which a caller is not noisy.
pub(super) const QUIET: u64 = 100;
/// Looks for which one may be read once it has its turn.
const TURN: u64 = 10;
/// Looks after which nobody waits any more for a turn.
const PATIENCE: u64 = 200;
/// Callers that may be told so in one look: each costs a request read and refused.
const REFUSALS: usize = 40;
/// Links and feeds at once, while the lower classes wait: their reserved share.
const INTAKE: u32 = 2;

/// What is known of the load, and who waits for a turn.
#[derive(Debug, Default)]
pub struct Load {
    /// Looks since the start: the time, as far as it is needed here.
    tick: AtomicU64,
    level: AtomicU8,
    /// Microseconds.
    delay: AtomicU32,
    ages: Ages,
    /// Links and feeds that are under way.
    intake: AtomicU32,
    reading: Turns,
    greeting: Turns,
    stop: AtomicBool,
}

/// A place of a class that is under way; given back when dropped.
pub struct Admitted<'l>(Option<&'l AtomicU32>);

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.0 {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Load {
    /// Whether work of this class may begin now.
    #[must_use]
    pub fn admit(&self, work: Work) -> Option<Admitted<'_>> {
        match work {
            Work::Desk => Some(Admitted(None)),
            Work::Intake => {
                let before = self.intake.fetch_add(1, Ordering::Relaxed);
                let place = Admitted(Some(&self.intake));
                (self.level() == Level::Calm || before < INTAKE).then_some(place)
            }
            Work::Batch | Work::Precheck => (self.level() == Level::Calm).then_some(Admitted(None)),
        }
    }

    /// How much is left undone now.
    #[must_use]
    pub fn level(&self) -> Level {
        Level::of(self.level.load(Ordering::Relaxed))
    }

    /// For how long the oldest request has waited.
    #[must_use]
    pub fn delay(&self) -> Duration {
        Duration::from_micros(u64::from(self.delay.load(Ordering::Relaxed)))
    }

    /// Callers that wait to be read, and such that wait to be greeted.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        (self.reading.len(), self.greeting.len())
    }

    /// A request of a desk has been read; it is answered when this is dropped.
    #[must_use]
    pub fn begin(&self) -> Begun<'_> {
        self.ages.begin(self.tick())
    }

    pub(super) fn tick(&self) -> u64 {
        self.tick.load(Ordering::Relaxed)
    }

    /// Whether everybody is read who sends.
    pub(super) fn reads_all(&self) -> bool {
        self.level() != Level::Noisy
    }

    /// A turn to be read, for a caller of this tenant.
    pub(super) fn turn(&self, tenant: u64) -> oneshot::Receiver<Turn> {
        self.reading.wait(tenant, self.tick())
    }

    /// Leave to make a handshake with somebody from there; at once, while nothing waits. `None` where the
    /// newest must go again: those before it have waited for so long that they will use up all there is.
    pub(super) async fn greet(&self, from: u64) -> Option<()> {
        if self.level() == Level::Calm {
            return Some(());
        }
        if self.greeting.oldest().is_some_and(|since| self.tick().saturating_sub(since) > PATIENCE) {
            return None;
        }
        match self.greeting.wait(from, self.tick()).await {
            Ok(Turn::Take { .. }) | Err(_) => Some(()),
            Ok(Turn::Late) => None,
        }
    }

    /// Starts to look, from a thread of its own, at the runtime that serves. Ends with [`Load::stop`].
    ///
    /// # Errors
    /// When the system gives no thread or no socket.
    pub fn watch(self: &Arc<Self>) -> std::io::Result<()> {
        let (load, probe) = (Arc::clone(self), Probe::start()?);
        std::thread::Builder::new().name("load".to_owned()).spawn(move || load.look_for_ever(probe))?;
        Ok(())
    }

    /// Looks no more; everybody is read.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn look_for_ever(&self, mut probe: Probe) {
        let (mut judge, mut reading, mut greeting) = (Judge::default(), Rate::default(), Rate::default());
        while !self.stop.load(Ordering::Relaxed) {
            std::thread::sleep(TICK);
            let tick = self.tick.fetch_add(1, Ordering::Relaxed) + 1;
            let delay = probe.delay().max(self.ages.oldest(tick));
            self.delay.store(u32::try_from(delay.as_micros()).unwrap_or(u32::MAX), Ordering::Relaxed);
            let before = self.level();
            let level = judge.look(delay, self.reading.len() + self.greeting.len() > 0);
            self.level.store(level as u8, Ordering::Relaxed);
            if level != before {
                tracing::warn!(level = level.word(), delay_ms = delay.as_millis() as u64, "load");
            }
            self.grant(level, tick, delay, (&mut reading, &mut greeting));
        }
        self.level.store(Level::Calm as u8, Ordering::Relaxed);
        self.reading.clear();
        self.greeting.clear();
    }

    /// Gives out turns: as many as keep the delay within bounds.
    fn grant(&self, level: Level, tick: u64, delay: Duration, rates: (&mut Rate, &mut Rate)) {
        for (turns, rate, limited) in
            [(&self.reading, rates.0, level == Level::Noisy), (&self.greeting, rates.1, level != Level::Calm)]
        {
            if !limited {
                turns.clear();
                *rate = Rate::default();
                continue;
            }
            let count = rate.turns(tick, delay, turns.len() > 0);
            turns.give(count, Turn::Take { until: tick + TURN });
            turns.give_up(tick.saturating_sub(PATIENCE), REFUSALS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_classes_wait_and_the_feeds_keep_a_share() {
        let load = Load::default();
        let both = (load.admit(Work::Intake), load.admit(Work::Intake));
        assert!(both.0.is_some() && both.1.is_some() && load.admit(Work::Precheck).is_some());
        load.level.store(Level::Lower as u8, Ordering::Relaxed);
        assert!(load.admit(Work::Intake).is_none(), "two are under way");
        drop(both.0);
        let one = load.admit(Work::Intake);
        assert!(one.is_some() && load.admit(Work::Intake).is_none());
        assert!(load.admit(Work::Batch).is_none() && load.admit(Work::Precheck).is_none());
        assert!(load.admit(Work::Desk).is_some());
        drop((one, both.1));
        assert_eq!(load.intake.load(Ordering::Relaxed), 0);
    }
}
