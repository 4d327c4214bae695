//! Callers that wait for their turn, tenant by tenant, and how many get it in a look.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::level::WAIT;

/// Looks between two changes of the rate.
const CHANGE_EVERY: u64 = 5;
/// Turns in a look: where it begins, and bounds.
const BEGIN: f64 = 4.0;
const LEAST: f64 = 0.5;
const MOST: f64 = 1000.0;

/// What a caller that waited is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::front) enum Turn {
    /// It has its turn up to this look.
    Take {
        /// The look.
        until: u64,
    },
    /// It has waited for too long.
    Late,
}

#[derive(Debug)]
struct Waiting {
    since: u64,
    told: oneshot::Sender<Turn>,
}

/// Those that wait: of each tenant in their order, tenants in turns.
#[derive(Debug, Default)]
pub(super) struct Turns {
    queue: Mutex<Queue>,
    len: AtomicUsize,
}

#[derive(Debug, Default)]
struct Queue {
    of: HashMap<u64, VecDeque<Waiting>>,
    order: VecDeque<u64>,
}

impl Turns {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits from this look on.
    pub(super) fn wait(&self, tenant: u64, since: u64) -> oneshot::Receiver<Turn> {
        let (told, turn) = oneshot::channel();
        let mut queue = self.queue();
        let Queue { of, order } = &mut *queue;
        let line = of.entry(tenant).or_insert_with(|| {
            order.push_back(tenant);
            VecDeque::new()
        });
        line.push_back(Waiting { since, told });
        self.len.fetch_add(1, Ordering::Relaxed);
        turn
    }

    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Since which look the one has waited whose turn is next.
    pub(super) fn oldest(&self) -> Option<u64> {
        let queue = self.queue();
        let next = queue.order.front().and_then(|tenant| queue.of.get(tenant));
        next.and_then(VecDeque::front).map(|one| one.since)
    }

    /// Gives so many their turn.
    pub(super) fn give(&self, mut count: usize, turn: Turn) {
        let mut queue = self.queue();
        while count > 0 {
            let Some(one) = queue.next() else { break };
            self.len.fetch_sub(1, Ordering::Relaxed);
            // One that is gone takes nobody's turn.
            count -= usize::from(one.told.send(turn).is_ok());
        }
    }

    /// Tells those that have waited since before this look, so many at most, that they will not get it.
    pub(super) fn give_up(&self, before: u64, most: usize) {
        let mut queue = self.queue();
        let late = |one: &Waiting| one.since < before;
        let mut left = most;
        let Queue { of, order } = &mut *queue;
        order.retain(|tenant| {
            let Some(line) = of.get_mut(tenant) else { return false };
            while left > 0
                && let Some(one) = line.pop_front_if(|one| late(one))
            {
                self.len.fetch_sub(1, Ordering::Relaxed);
                left -= usize::from(one.told.send(Turn::Late).is_ok());
            }
            if line.is_empty() {
                of.remove(tenant);
            }
            of.contains_key(tenant)
        });
    }

    /// Lets everybody go on.
    pub(super) fn clear(&self) {
        if self.len() > 0 {
            let all = std::mem::take(&mut *self.queue());
            self.len.store(0, Ordering::Relaxed);
            drop(all);
        }
    }
}

impl Queue {
    fn next(&mut self) -> Option<Waiting> {
        let tenant = self.order.pop_front()?;
        let line = self.of.get_mut(&tenant)?;
        let one = line.pop_front();
        if line.is_empty() {
            self.of.remove(&tenant);
        } else {
            self.order.push_back(tenant);
        }
        one
    }
}

/// How many turns are given in a look: more while the delay is short, fewer while it is long.
#[derive(Debug)]
pub(super) struct Rate {
    a_look: f64,
    credit: f64,
}

impl Default for Rate {
    fn default() -> Self {
        Self { a_look: BEGIN, credit: 0.0 }
    }
}

impl Rate {
    /// Turns for this look.
    pub(super) fn turns(&mut self, tick: u64, delay: Duration, wanted: bool) -> usize {
        if tick.is_multiple_of(CHANGE_EVERY) {
            if delay > WAIT {
                self.a_look *= 0.8;
            } else if delay < WAIT / 2 && wanted {
                self.a_look = self.a_look * 1.1 + 0.1;
            }
            self.a_look = self.a_look.clamp(LEAST, MOST);
        }
        self.credit = (self.credit + self.a_look).min(2.0 * self.a_look.max(1.0));
        let turns = self.credit.floor();
        self.credit -= turns;
        turns as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAKE: Turn = Turn::Take { until: 9 };

    #[test]
    fn tenants_take_turns_whatever_their_number_of_connections() {
        let turns = Turns::default();
        let mut many: Vec<_> = (0..50).map(|_| turns.wait(1, 0)).collect();
        let mut few: Vec<_> = (0..3).map(|_| turns.wait(2, 0)).collect();
        turns.give(6, TAKE);
        let told = |all: &mut Vec<oneshot::Receiver<Turn>>| {
            all.iter_mut().map(|one| one.try_recv()).filter(|turn| *turn == Ok(TAKE)).count()
        };
        assert_eq!((told(&mut many), told(&mut few)), (3, 3));
        drop(many);
        let mut last = turns.wait(3, 0);
        turns.give(1, TAKE);
        assert_eq!(last.try_recv(), Ok(TAKE), "those that are gone take no turn");
    }

    #[test]
    fn who_has_waited_too_long_is_told_so_a_few_at_a_time() {
        let turns = Turns::default();
        let mut all: Vec<_> = (0..10).map(|at| turns.wait(at % 2, at)).collect();
        turns.give_up(5, 3);
        let late = |all: &mut Vec<oneshot::Receiver<Turn>>| {
            all.iter_mut().map(|one| one.try_recv()).filter(|turn| *turn == Ok(Turn::Late)).count()
        };
        assert_eq!(late(&mut all), 3);
        turns.give_up(5, 10);
        assert_eq!(late(&mut all), 2);
        assert_eq!(turns.len(), 5);
        turns.clear();
        assert!(all.iter_mut().all(|one| one.try_recv().is_err()));
    }

    #[test]
    fn the_rate_follows_the_delay() {
        let mut rate = Rate::default();
        let sum = |rate: &mut Rate, millis, looks: u64| -> usize {
            (0..looks).map(|tick| rate.turns(tick, Duration::from_millis(millis), true)).sum()
        };
        let (first, later) = (sum(&mut rate, 5, 50), sum(&mut rate, 5, 50));
        assert!(later > first, "{first} {later}");
        sum(&mut rate, 50, 500);
        let least = sum(&mut rate, 50, 100);
        assert!((40..=60).contains(&least), "{least} in a second at the least");
        sum(&mut rate, 5, 500);
        assert!(sum(&mut rate, 5, 10) > 20);
    }
}
