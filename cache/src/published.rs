//! A value that one writer replaces while many read it.
//!
//! Two slots hold the same value but for the moment of a change. A reader takes the current one by a
//! lock that the writer holds only on the other slot; should the writer have come round meanwhile,
//! the reader does not wait but looks again. The writer waits for readers, each for as long as it
//! takes to count one more owner.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// What readers see of `T`: always one whole value.
pub(crate) struct Published<T> {
    slots: [RwLock<Arc<T>>; 2],
    current: AtomicUsize,
}

impl<T> Published<T> {
    pub(crate) fn new(value: T) -> Self {
        let value = Arc::new(value);
        Self { slots: [RwLock::new(Arc::clone(&value)), RwLock::new(value)], current: AtomicUsize::new(0) }
    }

    /// The value now.
    pub(crate) fn load(&self) -> Arc<T> {
        loop {
            let slot = &self.slots[self.current.load(Ordering::Acquire) & 1];
            // A slot cannot be poisoned by what is done to it here.
            if let Ok(value) = slot.try_read() {
                return Arc::clone(&value);
            }
            std::hint::spin_loop();
        }
    }

    /// Replaces the value. Only one thread may do so at a time; nobody reads the former one from
    /// here any more when this returns.
    pub(crate) fn store(&self, value: Arc<T>) {
        let before = self.current.load(Ordering::Relaxed) & 1;
        self.put(1 - before, Arc::clone(&value));
        self.current.store(1 - before, Ordering::Release);
        self.put(before, value);
    }

    fn put(&self, slot: usize, value: Arc<T>) {
        let former = {
            let mut slot = self.slots[slot].write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *slot, value)
        };
        // Outside the lock: the last owner has much to free.
        drop(former);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_see_whole_values_that_never_go_back() {
        let published = Published::new([0_u64; 8]);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut last = 0;
                    while last < 20_000 {
                        let value = published.load();
                        assert!(value.iter().all(|one| *one == value[0]) && value[0] >= last);
                        last = value[0];
                    }
                });
            }
            (1..=20_000).for_each(|round| published.store(Arc::new([round; 8])));
        });
        assert_eq!(Arc::strong_count(&published.load()), 3, "both slots and the one asked for");
    }
}
