//! The thread that works on jobs, one turn each, at the lowest priority: desks never wait for it.

use std::collections::HashMap;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::state::Phase;
use super::{Job, recheck, run};
use crate::background;
use crate::clock::Clock;
use crate::gateway::Gateway;

/// How long the thread waits for a job before it looks after what else there is.
const IDLE: Duration = Duration::from_millis(500);
/// How often old jobs are looked for.
const SWEEP: Duration = Duration::from_secs(60);
/// Of the time, so much at the most goes into judging the same job again: one in this.
const SHARE: u32 = 10;

/// The working thread.
pub struct Worker(JoinHandle<()>);

impl Worker {
    /// Starts it.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(gateway: &Arc<Gateway>) -> io::Result<Self> {
        let gateway = Arc::clone(gateway);
        lowest("precheck", move || work(&gateway)).map(Self)
    }

    /// Waits until its turn is over; [`super::Jobs::stop`] has told it to end.
    pub fn join(self) {
        if self.0.join().is_err() {
            tracing::error!("the thread of the pre-checks had panicked");
        }
    }
}

/// A named thread of the lowest priority.
pub(super) fn lowest(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        background::wait_for_all_others();
        run();
    })
}

fn work(gateway: &Gateway) {
    let jobs = &gateway.jobs;
    let mut due = HashMap::new();
    let mut swept = Clock::instant();
    while !jobs.is_stopping() {
        if gateway.load.admit(crate::audit::Work::Precheck).is_none() {
            // Too much is asked already: what is begun goes on at half its pace.
            jobs.pause();
        }
        if let Some(job) = jobs.next(IDLE)
            && take_turn(&job, gateway).is_open()
        {
            jobs.queue(job);
        }
        look_again(gateway, &mut due);
        if swept.elapsed() >= SWEEP {
            swept = Clock::instant();
            jobs.sweep(gateway.clock.now());
            due.retain(|id, _| jobs.has(*id));
        }
    }
}

/// One turn. A fault of ours fails the job alone; a full disk or audit is waited out.
fn take_turn(job: &Job, gateway: &Gateway) -> Phase {
    match std::panic::catch_unwind(AssertUnwindSafe(|| run::turn(job, gateway))) {
        Ok(Ok(phase)) => phase,
        Ok(Err(error)) => {
            tracing::error!(job = %job.id, %error, "pre-check stands still; tried again");
            gateway.jobs.pause();
            job.state().phase
        }
        Err(_) => {
            gateway.metrics.panics.inc();
            tracing::error!(job = %job.id, "pre-check failed by a fault of ours");
            job.fail()
        }
    }
}

/// Judges provisional results again where memory has moved since.
fn look_again(gateway: &Gateway, due: &mut HashMap<Uuid, Instant>) {
    let generation = gateway.desk.memory.generation();
    for job in gateway.jobs.provisional(generation) {
        let began = Clock::instant();
        if gateway.jobs.is_stopping() || due.get(&job.id).is_some_and(|due| *due > began) {
            continue;
        }
        match std::panic::catch_unwind(AssertUnwindSafe(|| recheck::round(&job, gateway))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(job = %job.id, %error, "pre-check not judged again; tried again later");
            }
            Err(_) => {
                gateway.metrics.panics.inc();
                tracing::error!(job = %job.id, "judging again failed by a fault of ours");
            }
        }
        due.insert(job.id, began + began.elapsed() * SHARE);
    }
}
