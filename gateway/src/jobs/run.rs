//! Judging: a job's claims from where it stands, for a while.

use std::io::{self, BufRead};
use std::time::Duration;

use claims::{Entry, Judge, Terms};

use super::Job;
use super::folder::{CLAIMS, RESULTS, provisional};
use super::naming::Namings;
use super::output::Output;
use super::people::Known;
use super::state::{Phase, State};
use crate::background::give_way;
use crate::clock::Clock;
use crate::gateway::Gateway;

/// How long one job is worked on before the next has its turn.
const TURN: Duration = Duration::from_secs(1);
/// Claims between two looks at the clock.
const LOOK: u64 = 256;
/// Claims after which others go first.
pub(super) const STRETCH: u64 = 16;

/// Works on a job until its end, or for a turn. What was reached is durable when this returns; when
/// it fails, the job stands where it stood.
pub(super) fn turn(job: &Job, gateway: &Gateway) -> io::Result<Phase> {
    let _work = job.work();
    let mut state = job.state();
    if !state.phase.is_open() {
        return Ok(state.phase);
    }
    judge(job, gateway, &mut state)?;
    if state.phase == Phase::Done {
        state.finished_at = Some(gateway.clock.now());
    }
    job.folder.save(&state)?;
    if state.phase == Phase::Done {
        job.folder.remove(CLAIMS);
    }
    let phase = state.phase;
    job.set(state);
    Ok(phase)
}

fn judge(job: &Job, gateway: &Gateway, state: &mut State) -> io::Result<()> {
    let (by, now) = (state.by.clone(), gateway.clock.now());
    let known = &Known::of(&gateway.desk, now);
    job.judged(known.memory.generation());
    let terms = Terms { caller: by.caller(), today: now.day_in_japan(), known_at: None };
    let mut judge = Judge::new(&known, terms);
    let mut namings = Namings::of(&gateway.desk.audit, &by.peer, job.id, now);
    let mut reached = state.reached;
    let mut kept = job.folder.read(CLAIMS, reached.kept, u64::MAX)?;
    let mut results = Output::open(&job.folder, RESULTS, reached.results)?;
    let mut provisionals = Output::open(&job.folder, &provisional(state.round), reached.provisional)?;
    let (until, mut line) = (Clock::instant() + TURN, Vec::new());
    state.phase = Phase::Running;
    loop {
        line.clear();
        let octets = kept.read_until(b'\n', &mut line)?;
        if octets == 0 {
            state.phase = Phase::Done;
            break;
        }
        let entry = Entry::from_kept(&line).ok_or_else(|| io::Error::other("no claim as one was kept"))?;
        let outcome = judge.judge(&entry);
        results.result(&outcome)?;
        if outcome.verdict.is_provisional() {
            provisionals.provisional(&outcome, &line)?;
            state.provisional += 1;
        }
        namings.note(&entry, &outcome, judge.found())?;
        state.summary.add(&outcome);
        gateway.metrics.prechecked(outcome.verdict.word());
        reached.claims += 1;
        reached.kept += octets as u64;
        if reached.claims.is_multiple_of(STRETCH) {
            give_way();
        }
        if reached.claims.is_multiple_of(LOOK) && (job.is_cancelled() || Clock::instant() >= until) {
            break;
        }
    }
    reached.results = results.sync()?;
    reached.provisional = provisionals.sync()?;
    namings.wait()?;
    state.reached = reached;
    Ok(())
}
