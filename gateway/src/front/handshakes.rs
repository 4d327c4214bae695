//! Handshakes that are under way: so many and no more. Who begins one more ends the oldest, which has
//! had the longest time to finish: an honest one takes one turn of the line.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

/// All of them.
pub(super) struct Handshakes {
    most: usize,
    /// The oldest first; those whose other end is gone are over.
    open: Mutex<VecDeque<oneshot::Sender<()>>>,
}

impl Handshakes {
    pub(super) const fn new(most: usize) -> Self {
        Self { most, open: Mutex::new(VecDeque::new()) }
    }

    /// Begins one. What is given is told when it must end; dropped, it is over.
    pub(super) fn begin(&self) -> oneshot::Receiver<()> {
        let (end, ended) = oneshot::channel();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= self.most {
            open.retain(|one| !one.is_closed());
        }
        if open.len() >= self.most
            && let Some(oldest) = open.pop_front()
        {
            // It has ended by itself just now, or is told.
            let _ = oldest.send(());
        }
        open.push_back(end);
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_that_is_open_makes_room() {
        let handshakes = Handshakes::new(3);
        let mut all: Vec<_> = (0..3).map(|_| handshakes.begin()).collect();
        drop(all.remove(0));
        let fourth = handshakes.begin();
        assert!(all.iter_mut().all(|one| one.try_recv().is_err()), "one was over: there was room");
        let _fifth = handshakes.begin();
        assert!(all[0].try_recv().is_ok(), "the oldest");
        assert!(all[1].try_recv().is_err());
        drop(fourth);
        assert_eq!(handshakes.open.lock().unwrap().len(), 3);
    }
}
