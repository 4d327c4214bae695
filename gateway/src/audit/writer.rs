//! Who writes, and when it is on the disk.
//!
//! ```text
//! desk ─┬─ the pen is free ──► writes its own record, and those that came meanwhile
//!       └─ it is not ────────► leaves its record to the one who has it
//!                                    │
//!             sync thread ◄──────────┘ every few milliseconds; with `strict`, at once
//! ```
//!
//! A record that is alone is written by the thread that brings it: nobody is woken. Records that come
//! while one writes become one group. Only the sync thread waits for the disk.

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
    pub(super) fn add(&mut self, entry: &Entry, keys: &Keys) {
        let record = entry.sealed_by(keys);
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

    fn absorb(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| own.absorb(other));
    }
}

struct Waiting {
    group: Group,
    done: oneshot::Sender<bool>,
}

/// What only its holder writes with.
struct Pen {
    chains: [Chain; 3],
    keys: Arc<Keys>,
    /// Since when something is written and not synced.
    unsynced_since: Option<Instant>,
    /// Whom the next sync lets go (`strict`).
    waiting: Vec<oneshot::Sender<bool>>,
}

struct Shared {
    pen: Mutex<Pen>,
    queue: Mutex<Vec<Waiting>>,
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
        let pen = Pen { chains, keys: Arc::clone(&keys), unsynced_since: None, waiting: Vec::new() };
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

    pub(super) fn take(&self, group: Group) -> Recording {
        let shared = &*self.shared;
        let recording = match try_lock(&shared.pen) {
            Some(mut pen) => shared.write(&mut pen, &group),
            None => shared.leave(group),
        };
        shared.clear_queue();
        recording
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
    /// Leaves a group to whoever holds the pen.
    fn leave(&self, group: Group) -> Recording {
        let (done, later) = oneshot::channel();
        let mut queue = lock(&self.queue);
        if queue.len() >= QUEUE {
            return Recording::Now(false);
        }
        queue.push(Waiting { group, done });
        self.waiting.store(queue.len(), Ordering::Relaxed);
        Recording::Later(later)
    }

    /// Writes what was left, unless somebody else has the pen: then that one comes here next.
    fn clear_queue(&self) {
        loop {
            if lock(&self.queue).is_empty() {
                return;
            }
            let Some(mut pen) = try_lock(&self.pen) else { return };
            let left = std::mem::take(&mut *lock(&self.queue));
            self.waiting.store(0, Ordering::Relaxed);
            let mut all = Group::default();
            left.iter().for_each(|one| all.absorb(&one.group));
            let written = self.append(&mut pen, &all);
            let done = left.into_iter().map(|one| one.done);
            if written && self.durability == Durability::Strict {
                pen.waiting.extend(done);
                self.wake();
            } else {
                done.for_each(|done| tell(done, written));
            }
        }
    }

    fn write(&self, pen: &mut Pen, group: &Group) -> Recording {
        let written = self.append(pen, group);
        if written && self.durability == Durability::Strict {
            let (done, later) = oneshot::channel();
            pen.waiting.push(done);
            self.wake();
            return Recording::Later(later);
        }
        Recording::Now(written)
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
            Work::Intake => tight < 2,
            Work::Batch | Work::Precheck => tight < 1,
        }
    }

    /// Looks how much room there is: below the reserve batches and pre-checks are refused, below half
    /// of it links and feeds too; the rest is the desks'.
    fn look(&self) {
        let Ok(space) = rustix::fs::statvfs(&self.folder) else { return };
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        let tight = u8::from(free < self.reserve) + u8::from(free < self.reserve / 2);
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
