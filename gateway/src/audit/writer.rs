//! Who writes, and when it is on the disk.
//!
//! ```text
//! desk ─► leaves its record, and lets other desks go first ─┬─ written meanwhile ──► goes on
//!                                                           └─ not yet: takes the pen, writes all that is left
//!                                    sync thread ◄──────────┘ every few milliseconds; with `strict`, at once
//! ```
//!
//! Whoever brings a record writes it in the end: nobody is woken for that. But first the other requests
//! that have come have their turn, so the busier the gateway, the more records share one group, one seal
//! and one write. Only the sync thread waits for the disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, TryLockError};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::Recording;
use super::chain::{Chain, Lines};
use super::class::{Class, Work};
use super::entry::Entry;
use super::key::Keys;
use super::record::Record;
use crate::clock::Clock;
use crate::config::Durability;

/// Most groups that may wait for the pen; beyond it answers are refused.
const QUEUE: usize = 16 * 1024;
/// For how long a sync may take before answers are withheld: what leaves must get to the disk.
const LATE: Duration = Duration::from_secs(2);
/// How often the free space is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Records that are written together, by class.
#[derive(Default)]
pub(super) struct Group([Lines; 3]);

impl Group {
    /// Adds an entry whose record, persons under their pseudonyms, is made already.
    pub(super) fn add(&mut self, entry: &Entry, record: &Record) {
        let lines = self.of(entry.class());
        record.write_to(&mut lines.octets);
        lines.counted(record.at);
        if let Some(confirmation) = entry.confirmation() {
            let lines = self.of(Class::Confirmations);
            confirmation.write_to(&mut lines.octets);
            lines.counted(record.at);
        }
    }

    const fn of(&mut self, class: Class) -> &mut Lines {
        let [answers, acts, confirmations] = &mut self.0;
        match class {
            Class::Answers => answers,
            Class::Acts => acts,
            Class::Confirmations => confirmations,
        }
    }

    pub(super) fn absorb(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| own.absorb(other));
    }
}

/// What is left to be written, and whom to tell.
#[derive(Default)]
struct Left {
    group: Group,
    done: Vec<oneshot::Sender<bool>>,
}

impl Left {
    /// Nothing, in the memory of before.
    fn clear(&mut self) {
        self.group.0.iter_mut().for_each(Lines::clear);
        self.done.clear();
    }
}

/// Records that are left to be written, by this one or by whoever comes before.
pub struct Pending {
    shared: Arc<Shared>,
    done: oneshot::Receiver<bool>,
}

impl Pending {
    /// Waits until they are as durable as the policy asks; false when they are not.
    pub(super) async fn written(mut self) -> bool {
        tokio::task::yield_now().await;
        if let Ok(written) = self.done.try_recv() {
            return written;
        }
        self.shared.clear_queue();
        self.done.await.unwrap_or(false)
    }

    /// The same for threads that may block.
    pub(super) fn wait(mut self) -> bool {
        self.write();
        self.done.try_recv().unwrap_or_else(|_| self.done.blocking_recv().unwrap_or(false))
    }

    /// Writes them now, unless somebody has the pen, who writes them next.
    pub(super) fn write(&self) {
        self.shared.clear_queue();
    }
}

/// What only its holder writes with.
struct Pen {
    chains: [Chain; 3],
    keys: Arc<Keys>,
    /// Since when something is written and not synced.
    unsynced_since: Option<Instant>,
    /// Whom the next sync lets go (`strict`).
    waiting: Vec<oneshot::Sender<bool>>,
    /// What is being written.
    taken: Left,
}

struct Shared {
    pen: Mutex<Pen>,
    queue: Mutex<Left>,
    waiting: AtomicUsize,
    keys: RwLock<Arc<Keys>>,
    durability: Durability,
    every: Duration,
    folder: PathBuf,
    /// Octets of free disk below which the lowest classes are refused.
    reserve: u64,
    /// The highest class of work that is refused for want of space; see [`Shared::look`].
    tight: AtomicU8,
    stop: AtomicBool,
    /// The sync thread, which a strict record wakes.
    sleeper: OnceLock<Thread>,
}

/// How the writer is set up.
pub(super) struct Policy {
    pub(super) durability: Durability,
    pub(super) every: Duration,
    pub(super) reserve: u64,
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(folder: &Path, keys: Keys, policy: &Policy) -> io::Result<Self> {
        let mut chains = Vec::new();
        for class in Class::ALL {
            chains.push(Chain::resume(folder, class, &keys)?);
        }
        let chains = <[Chain; 3]>::try_from(chains).map_err(|_| io::Error::other("three chains"))?;
        let keys = Arc::new(keys);
        let pen = Pen {
            chains,
            keys: Arc::clone(&keys),
            unsynced_since: None,
            waiting: Vec::new(),
            taken: Left::default(),
        };
        let shared = Arc::new(Shared {
            pen: Mutex::new(pen),
            queue: Mutex::default(),
            waiting: AtomicUsize::new(0),
            keys: RwLock::new(keys),
            durability: policy.durability,
            every: policy.every,
            folder: folder.to_owned(),
            reserve: policy.reserve,
            tight: AtomicU8::new(0),
            stop: AtomicBool::new(false),
            sleeper: OnceLock::new(),
        });
        shared.look();
        let sync = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("audit".to_owned()).spawn(move || sync.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub(super) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.shared.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes with other keys from the next group on.
    pub(super) fn change_keys(&self, keys: Keys) {
        let keys = Arc::new(keys);
        lock(&self.shared.pen).keys = Arc::clone(&keys);
        *self.shared.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        self.shared.clear_queue();
    }

    pub(super) fn admits(&self, work: Work) -> bool {
        self.shared.admits(work)
    }

    /// Leaves what `add` adds to be written.
    pub(super) fn leave(&self, add: impl FnOnce(&mut Group)) -> Recording {
        let (sender, done) = oneshot::channel();
        let mut queue = lock(&self.shared.queue);
        if queue.done.len() >= QUEUE {
            return Recording::Refused;
        }
        add(&mut queue.group);
        queue.done.push(sender);
        self.shared.waiting.store(queue.done.len(), Ordering::Relaxed);
        Recording::Pending(Pending { shared: Arc::clone(&self.shared), done })
    }

    /// Records waiting for the pen.
    pub(super) fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    /// For how long something has been written and not synced.
    pub(super) fn unsynced_for(&self) -> Duration {
        lock(&self.shared.pen).unsynced_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Number of the next record of a class.
    pub(super) fn next_record(&self, class: Class) -> u64 {
        let pen = lock(&self.shared.pen);
        let at = Class::ALL.iter().position(|one| *one == class);
        at.and_then(|at| pen.chains.get(at)).map_or(0, Chain::next_record)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Writes what was left, unless somebody else has the pen: then that one comes here next.
    fn clear_queue(&self) {
        loop {
            if lock(&self.queue).done.is_empty() {
                return;
            }
            let Some(mut pen) = try_lock(&self.pen) else { return };
            let mut left = std::mem::take(&mut pen.taken);
            std::mem::swap(&mut *lock(&self.queue), &mut left);
            self.waiting.store(0, Ordering::Relaxed);
            let written = self.append(&mut pen, &left.group);
            if written && self.durability == Durability::Strict {
                pen.waiting.append(&mut left.done);
                self.wake();
            } else {
                left.done.drain(..).for_each(|done| tell(done, written));
            }
            left.clear();
            pen.taken = left;
        }
    }

    fn append(&self, pen: &mut Pen, group: &Group) -> bool {
        let now = Clock::instant();
        if pen.unsynced_since.is_some_and(|since| now.duration_since(since) > LATE) {
            return false;
        }
        pen.unsynced_since.get_or_insert(now);
        let keys = Arc::clone(&pen.keys);
        for (chain, lines) in pen.chains.iter_mut().zip(&group.0) {
            if let Err(error) = chain.append(lines, &keys) {
                tracing::error!(%error, "audit record not written; answers are refused");
                return false;
            }
        }
        true
    }

    fn admits(&self, work: Work) -> bool {
        let tight = self.tight.load(Ordering::Relaxed);
        match work {
            Work::Desk => true,
            Work::Intake => tight < 3,
            Work::Batch => tight < 2,
            Work::Precheck => tight < 1,
        }
    }

    /// Looks how much room there is: below the reserve pre-checks are refused, below three quarters of it
    /// batches, below half of it links and feeds too; the rest is the desks'.
    fn look(&self) {
        let Ok(space) = rustix::fs::statvfs(&self.folder) else { return };
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        let below = |share: u64| u8::from(free < self.reserve / 4 * share);
        let tight = below(4) + below(3) + below(2);
        let before = self.tight.swap(tight, Ordering::Relaxed);
        if tight > before {
            tracing::error!(
                free,
                reserve = self.reserve,
                "the audit disk is nearly full: lower classes of work are refused"
            );
        }
    }

    fn wake(&self) {
        if let Some(thread) = self.sleeper.get() {
            thread.unpark();
        }
    }

    fn run(&self) {
        let _ = self.sleeper.set(std::thread::current());
        let mut looked = Clock::instant();
        loop {
            let stopping = self.stop.load(Ordering::Acquire);
            self.sync();
            self.clear_queue();
            if stopping {
                return;
            }
            if looked.elapsed() >= LOOK_EVERY {
                self.look();
                looked = Clock::instant();
            }
            std::thread::park_timeout(self.every);
        }
    }

    /// Brings everything written so far to the disk.
    fn sync(&self) {
        let (unsynced, waiting, keys) = {
            let mut pen = lock(&self.pen);
            let unsynced: Vec<_> = pen.chains.iter_mut().filter_map(Chain::unsynced).collect();
            if unsynced.is_empty() {
                pen.unsynced_since = None;
                return;
            }
            (unsynced, std::mem::take(&mut pen.waiting), Arc::clone(&pen.keys))
        };
        self.clear_queue();
        let began = Clock::instant();
        let mut synced = true;
        for one in unsynced {
            if let Err(error) = one.sync(&keys) {
                tracing::error!(%error, "audit file not synced: what it held of the last moments may be lost; a new file is begun");
                synced = false;
            }
        }
        let mut pen = lock(&self.pen);
        if !synced {
            // What a failed sync has lost, a second one does not bring back.
            pen.chains.iter_mut().for_each(Chain::leave_file);
        }
        // What was written meanwhile has waited since the sync began, at the longest.
        pen.unsynced_since = pen.unsynced_since.map(|since| since.max(began));
        drop(pen);
        self.clear_queue();
        waiting.into_iter().for_each(|done| tell(done, synced));
    }
}

/// Tells one that waits; nobody hears it where the connection is gone.
fn tell(done: oneshot::Sender<bool>, written: bool) {
    let _ = done.send(written);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
