//! Judging again: results that said "not found", "lost" or "cannot say" may be others once more of
//! the persons and insurers is known.

use std::io::{self, BufRead};

use claims::{Entry, Judge, Outcome, Terms, Verdict};

use super::Job;
use super::folder::{LATER, provisional};
use super::naming::Namings;
use super::output::Output;
use super::people::Known;
use super::run::STRETCH;
use super::state::{Phase, State};
use crate::background::give_way;
use crate::gateway::Gateway;

/// Claims between two looks at whether the owner still wants the job.
const LOOK: u64 = 256;

/// Judges every provisional result of a job again. What changed stands in the results, durably, when
/// this returns; when it fails, the job stands where it stood.
pub(super) fn round(job: &Job, gateway: &Gateway) -> io::Result<()> {
    let _work = job.work();
    let before = job.state();
    if before.phase != Phase::Done || before.provisional == 0 {
        return Ok(());
    }
    let mut after = before.clone();
    after.round += 1;
    let changed = judge(job, gateway, &before, &mut after)?;
    if !changed {
        job.folder.remove(&provisional(after.round));
        return Ok(());
    }
    after.changed_at = Some(gateway.clock.now());
    job.folder.save(&after)?;
    job.folder.remove(&provisional(before.round));
    gateway.metrics.rechecked(after.changed - before.changed);
    job.set(after);
    Ok(())
}

fn judge(job: &Job, gateway: &Gateway, before: &State, after: &mut State) -> io::Result<bool> {
    let (by, now) = (&before.by, gateway.clock.now());
    let known = &Known::of(&gateway.desk, now);
    job.judged(known.memory.generation());
    let terms = Terms { caller: by.caller(), today: now.day_in_japan(), known_at: None };
    let mut judge = Judge::new(&known, terms);
    let mut namings = Namings::of(&gateway.desk.audit, &by.peer, job.id, now);
    let mut pairs = job.folder.read(&provisional(before.round), 0, before.reached.provisional)?;
    let mut later = Output::open(&job.folder, LATER, before.reached.later)?;
    let mut still = Output::open(&job.folder, &provisional(after.round), 0)?;
    let (mut line, mut seen) = (Vec::new(), 0_u64);
    loop {
        line.clear();
        if pairs.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let (old, kept) = pair(&line).ok_or_else(|| io::Error::other("no provisional result"))?;
        let entry = Entry::from_kept(kept).ok_or_else(|| io::Error::other("no claim as one was kept"))?;
        let new = judge.judge(&entry);
        if is_news(&old, &new) {
            later.result(&new)?;
            namings.note(&entry, &new, judge.found())?;
            after.summary.remove(&old);
            after.summary.add(&new);
            after.changed += 1;
        }
        let stands = if is_news(&old, &new) { &new } else { &old };
        if stands.verdict.is_provisional() {
            still.provisional(stands, kept)?;
        } else {
            after.provisional -= 1;
        }
        seen += 1;
        if seen.is_multiple_of(STRETCH) {
            give_way();
        }
        if seen.is_multiple_of(LOOK) && job.is_cancelled() {
            return Ok(false);
        }
    }
    after.reached.later = later.sync()?;
    after.reached.provisional = still.sync()?;
    namings.wait()?;
    Ok(after.changed > before.changed)
}

/// A provisional result and its claim.
fn pair(line: &[u8]) -> Option<(Outcome, &[u8])> {
    let at = memchr::memchr(b'\t', line)?;
    let (outcome, kept) = line.split_at(at);
    Some((Outcome::from_json(outcome)?, kept.get(1..)?))
}

/// Whether the new result says anything else. That an insurer has meanwhile fallen silent does not
/// undo what was known before.
fn is_news(old: &Outcome, new: &Outcome) -> bool {
    if new.verdict == Verdict::Unconfirmed && old.verdict != Verdict::Unconfirmed {
        return false;
    }
    let said = |outcome: &Outcome| (outcome.verdict, outcome.rule, outcome.code, outcome.suggested);
    said(old) != said(new) || old.days != new.days || old.named != new.named
}
