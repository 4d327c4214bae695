//! A value that one writer replaces while many read it.
//!
//! ```text
//! current ─► even: slot 0 of every stripe      odd: slot 1
//! ```
//!
//! Two slots hold the same value but for the moment of a change. A reader takes the current one by a
//! lock that the writer holds only on the other slot; should the writer have come round meanwhile,
//! the reader does not wait but looks again. The change is one count: all readers see it at once, and
//! none sees it go back. The writer waits for readers, each for as long as it takes to count one more
//! owner. Each thread reads in a stripe of its own, so that readers do not slow each other down.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Threads beyond this many share stripes.
const STRIPES: usize = 8;

/// What readers see of `T`: always one whole value.
pub(crate) struct Published<T> {
    stripes: [Stripe<T>; STRIPES],
    current: AtomicUsize,
}

/// Its own lines of the processor's cache.
#[repr(align(128))]
struct Stripe<T>([RwLock<Arc<Share<T>>>; 2]);

/// What a slot owns of the value, so that its readers are counted there and not where all are.
struct Share<T>(Arc<T>);

/// The value as it was when it was looked at.
pub(crate) struct Seen<T>(Arc<Share<T>>);

impl<T> Deref for Seen<T> {
    type Target = T;

    fn deref(&self) -> &T {
        let Share(value) = &*self.0;
        value
    }
}

impl<T> Published<T> {
    pub(crate) fn new(value: Arc<T>) -> Self {
        let slot = || RwLock::new(Arc::new(Share(Arc::clone(&value))));
        let stripes = std::array::from_fn(|_| Stripe([slot(), slot()]));
        Self { stripes, current: AtomicUsize::new(0) }
    }

    /// The value now.
    pub(crate) fn load(&self) -> Seen<T> {
        let Stripe(slots) = &self.stripes[stripe()];
        loop {
            let current = self.current.load(Ordering::Acquire);
            // A slot cannot be poisoned by what is done to it here.
            if let Ok(value) = slots[current % 2].try_read() {
                let value = Arc::clone(&value);
                if self.current.load(Ordering::Acquire) == current {
                    return Seen(value);
                }
            }
            std::hint::spin_loop();
        }
    }

    /// Replaces the value. Only one thread may do so at a time; nobody can take the former one from
    /// here any more when this returns.
    pub(crate) fn store(&self, value: &Arc<T>) {
        let next = self.current.load(Ordering::Relaxed).wrapping_add(1);
        self.put(next % 2, value);
        self.current.store(next, Ordering::Release);
        self.put((next + 1) % 2, value);
    }

    fn put(&self, slot: usize, value: &Arc<T>) {
        for Stripe(slots) in &self.stripes {
            let mut value = Arc::new(Share(Arc::clone(value)));
            std::mem::swap(&mut *slots[slot].write().unwrap_or_else(PoisonError::into_inner), &mut value);
        }
    }
}

/// The stripe of this thread.
fn stripe() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static STRIPE: usize = THREADS.fetch_add(1, Ordering::Relaxed) % STRIPES;
    }
    STRIPE.with(|stripe| *stripe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_see_whole_values_that_never_go_back() {
        let published = Published::new(Arc::new([0_u64; 8]));
        // What anybody has seen, nobody sees the state before of.
        let seen = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut last = 0;
                    while last < 20_000 {
                        let before = seen.load(Ordering::SeqCst);
                        let value = published.load();
                        assert!(value.iter().all(|one| *one == value[0]) && value[0] as usize >= before);
                        seen.fetch_max(value[0] as usize, Ordering::SeqCst);
                        last = value[0];
                    }
                });
            }
            (1..=20_000).for_each(|round| published.store(&Arc::new([round; 8])));
        });
        let Seen(share) = published.load();
        assert_eq!(Arc::strong_count(&share), 2, "a slot and the one asked for");
        assert_eq!(Arc::strong_count(&share.0), 2 * STRIPES, "each slot has it");
    }
}
