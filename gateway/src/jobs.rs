//! Claims pre-checks: files are received, judged beside the desks, and kept for a while.
//!
//! ```text
//! POST ─► receive ─► claims, reduced to what is used ─► queue ─► run, turn by turn ─► results ─► GET
//!                                                                 └─► provisional ◄─ recheck, when memory moves
//! ```
//!
//! A job lives in a folder of its own and goes on from there after any crash. Its columns that a check
//! does not use never reach the disk. Everything is done by threads of the lowest priority; what
//! answers desks takes no lock that is held here.

pub(crate) mod api;
mod folder;
mod naming;
mod output;
mod owner;
mod people;
mod receive;
mod recheck;
pub(crate) mod results;
mod run;
mod state;
mod work;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eligibility::day::Timestamp;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::config::Precheck;
use folder::JobFolder;
use owner::Owner;
use state::{Phase, State};

pub(crate) use naming::Namings;
pub use people::Known;
pub use work::Worker;

/// How long the thread waits when a disk or the audit takes nothing.
const PAUSE: Duration = Duration::from_secs(1);

/// All jobs of this gateway.
pub struct Jobs {
    config: Precheck,
    all: Mutex<HashMap<Uuid, Arc<Job>>>,
    turns: Mutex<VecDeque<Arc<Job>>>,
    wake: Condvar,
    stopping: AtomicBool,
    receiving: Arc<Semaphore>,
    sending: Arc<Semaphore>,
}

/// One job.
struct Job {
    id: Uuid,
    folder: JobFolder,
    /// Held while its files are worked on.
    work: Mutex<()>,
    state: Mutex<State>,
    cancelled: AtomicBool,
    /// Position of memory when its provisional results were last judged; 0 after a restart.
    judged: AtomicU64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Jobs {
    /// Opens the folder with the jobs that are there. Files that were not received whole go: nobody
    /// was told that they were taken.
    ///
    /// # Errors
    /// When the folder cannot be made or read, or a job's state is not one.
    pub fn open(config: &Precheck) -> io::Result<Self> {
        std::fs::create_dir_all(&config.folder)?;
        let (mut all, mut open) = (HashMap::new(), Vec::new());
        for entry in std::fs::read_dir(&config.folder)? {
            let entry = entry?;
            let Ok(id) = Uuid::try_parse(&entry.file_name().to_string_lossy()) else { continue };
            let folder = JobFolder::at(entry.path());
            let Some(state) = folder.state()? else {
                folder.discard();
                continue;
            };
            let job = Arc::new(Job::new(id, folder, state));
            if job.state().phase.is_open() {
                open.push(Arc::clone(&job));
            }
            all.insert(id, job);
        }
        open.sort_by_key(|job| job.id);
        Ok(Self {
            all: Mutex::new(all),
            turns: Mutex::new(open.into()),
            wake: Condvar::new(),
            stopping: AtomicBool::new(false),
            receiving: Arc::new(Semaphore::new(config.uploads)),
            sending: Arc::new(Semaphore::new(config.uploads)),
            config: config.clone(),
        })
    }

    /// Tells the thread to end after its turn.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.wake.notify_all();
    }

    /// How many jobs are in each phase.
    #[must_use]
    pub fn phases(&self) -> BTreeMap<&'static str, u64> {
        let mut phases: BTreeMap<_, _> = Phase::ALL.iter().map(|phase| (phase.word(), 0)).collect();
        for job in locked(&self.all).values() {
            *phases.entry(locked(&job.state).phase.word()).or_default() += 1;
        }
        phases
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// The job with this id, if it is this owner's.
    fn find(&self, id: Uuid, owner: &Owner) -> Option<Arc<Job>> {
        let job = locked(&self.all).get(&id).cloned()?;
        let own = locked(&job.state).by.owner == *owner;
        own.then_some(job)
    }

    fn has(&self, id: Uuid) -> bool {
        locked(&self.all).contains_key(&id)
    }

    /// Whether one more job of this owner may wait.
    fn has_room(&self, owner: &Owner) -> bool {
        let all = locked(&self.all);
        let (mut open, mut own) = (0, 0);
        for job in all.values() {
            let state = locked(&job.state);
            if state.phase.is_open() {
                open += 1;
                own += usize::from(state.by.owner == *owner);
            }
        }
        open < self.config.jobs && own < self.config.jobs_of_caller
    }

    fn add(&self, job: Job) {
        let job = Arc::new(job);
        locked(&self.all).insert(job.id, Arc::clone(&job));
        self.queue(job);
    }

    fn queue(&self, job: Arc<Job>) {
        locked(&self.turns).push_back(job);
        self.wake.notify_one();
    }

    /// The job whose turn it is; waits for one.
    fn next(&self, within: Duration) -> Option<Arc<Job>> {
        let turns = locked(&self.turns);
        let idle = |turns: &mut VecDeque<Arc<Job>>| turns.is_empty() && !self.is_stopping();
        let waited = self.wake.wait_timeout_while(turns, within, idle);
        waited.unwrap_or_else(PoisonError::into_inner).0.pop_front()
    }

    fn pause(&self) {
        let turns = locked(&self.turns);
        drop(self.wake.wait_timeout_while(turns, PAUSE, |_| !self.is_stopping()));
    }

    /// Jobs with provisional results that were judged by a memory older than this.
    fn provisional(&self, generation: u64) -> Vec<Arc<Job>> {
        let all = locked(&self.all);
        let due = all.values().filter(|job| {
            let state = locked(&job.state);
            let older = job.judged.load(Ordering::Relaxed) < generation;
            state.phase == Phase::Done && state.provisional > 0 && older
        });
        due.cloned().collect()
    }

    /// Forgets jobs that have been kept for long enough.
    fn sweep(&self, now: Timestamp) {
        let kept = i64::from(self.config.keep_days) * 86_400_000;
        let old = |job: &Job| now.millis() - locked(&job.state).created_at.millis() > kept;
        let gone: Vec<_> = locked(&self.all).extract_if(|_, job| old(job)).collect();
        for (_, job) in gone {
            job.cancel();
            job.folder.discard();
        }
    }
}

impl Job {
    const fn new(id: Uuid, folder: JobFolder, state: State) -> Self {
        Self {
            id,
            folder,
            work: Mutex::new(()),
            state: Mutex::new(state),
            cancelled: AtomicBool::new(false),
            judged: AtomicU64::new(0),
        }
    }

    fn work(&self) -> MutexGuard<'_, ()> {
        locked(&self.work)
    }

    fn state(&self) -> State {
        locked(&self.state).clone()
    }

    fn set(&self, state: State) {
        *locked(&self.state) = state;
    }

    fn judged(&self, generation: u64) {
        self.judged.store(generation, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Ends it, whatever it is at, and removes what was read and found. Waits for its turn to end.
    fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        let _work = self.work();
        self.close(Phase::Cancelled);
    }

    /// Ends it for a fault of ours; what was found until then is not handed out.
    fn fail(&self) -> Phase {
        let _work = self.work();
        self.close(Phase::Failed)
    }

    fn close(&self, phase: Phase) -> Phase {
        let state = State { phase, provisional: 0, ..self.state() };
        if let Err(error) = self.folder.save(&state) {
            tracing::error!(job = %self.id, %error, "the end of a pre-check is not durable");
        }
        self.folder.empty(state.round);
        self.set(state);
        phase
    }
}
