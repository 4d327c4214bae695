//! Threads that must not be felt by desks.

use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use thread_priority::ThreadPriority;
use thread_priority::unix::{
    NormalThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// A named thread that waits for all others.
pub(crate) fn lowest(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        wait_for_all_others();
        run();
    })
}

/// Gives this thread what the others leave of a core: a desk that wakes up has it at once. By a nice value
/// alone the thread would first have its slice, some milliseconds. There is no way back, and threads that
/// it starts are like it.
pub(crate) fn wait_for_all_others() {
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    if let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle) {
        tracing::warn!(?error, "a thread in the background runs at full priority");
    }
}

/// Does this work on a thread of its own of the lowest priority. `None` when it panicked.
///
/// # Errors
/// When the system gives no thread.
pub(crate) async fn behind_all_others<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Option<T>> {
    let (done, outcome) = oneshot::channel();
    let run = move || {
        wait_for_all_others();
        drop(done.send(work()));
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(run)?;
    Ok(outcome.await.ok())
}

/// Lets others that wait go first. Called every tenth of a millisecond or so of work by the classes below
/// feeds, which wait for all others as they do.
pub(crate) fn give_way() {
    std::thread::yield_now();
}

type Work = Box<dyn FnOnce() + Send>;

/// A few threads that give way to all desks. What finds none of them free is refused.
pub(crate) struct Background {
    hand: SyncSender<Work>,
    free: Arc<Semaphore>,
}

impl Background {
    /// Starts so many threads. They end when nobody can hand them anything any more.
    pub(crate) fn start(name: &str, threads: usize) -> io::Result<Self> {
        let (hand, work) = sync_channel::<Work>(threads);
        let work = Arc::new(Mutex::new(work));
        for _ in 0..threads {
            let work = Arc::clone(&work);
            std::thread::Builder::new().name(name.to_owned()).spawn(move || {
                wait_for_all_others();
                while let Some(work) = next(&work) {
                    // A fault is told by what is dropped with it; the thread goes on.
                    let _ = std::panic::catch_unwind(AssertUnwindSafe(work));
                }
            })?;
        }
        Ok(Self { hand, free: Arc::new(Semaphore::new(threads)) })
    }

    /// A thread that is free, if there is one.
    pub(crate) fn place(&self) -> Option<Place<'_>> {
        let place = Arc::clone(&self.free).try_acquire_owned().ok()?;
        Some(Place { hand: &self.hand, place })
    }
}

/// A thread that is free.
pub(crate) struct Place<'b> {
    hand: &'b SyncSender<Work>,
    place: OwnedSemaphorePermit,
}

impl Place<'_> {
    /// Has this done. What comes of it is told there; nothing is, when it had a fault.
    pub(crate) fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (done, outcome) = oneshot::channel();
        let place = self.place;
        let work = move || {
            let came = work();
            drop(place);
            // Nobody hears it where the connection is gone.
            let _ = done.send(came);
        };
        // There is room: a place is a thread's.
        let _ = self.hand.try_send(Box::new(work));
        outcome
    }
}

fn next(work: &Mutex<Receiver<Work>>) -> Option<Work> {
    work.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_thread_is_refused_and_a_fault_ends_nothing() {
        let background = Background::start("test", 1).unwrap();
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let first = background.place().unwrap().run(move || wait.recv().is_err());
        assert!(background.place().is_none(), "the one thread is busy");
        drop(go);
        assert!(first.blocking_recv().unwrap());
        let fault = background.place().unwrap().run(|| -> u8 { panic!("a fault") });
        assert!(fault.blocking_recv().is_err());
        let after = background.place().unwrap().run(|| 7);
        assert_eq!(after.blocking_recv(), Ok(7));
    }
}
