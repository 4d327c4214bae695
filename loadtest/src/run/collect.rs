//! Collects what threads report, second by second.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::engine::{BEFORE, Report, Signing as Signed, Start, WatchFile};
use crate::health::Threads;
use crate::histogram::Durations;
use crate::plan::Plan;
use crate::result::{Conditions, PhaseResult, RunResult, Second, Signing, VERSION, Verdict};
use crate::scenario::Scenario;
use crate::scrape::{Metrics, processor_seconds};
use crate::tally::Tally;

/// A second is told this long after its end, when threads have reported it.
const PATIENCE: Duration = Duration::from_millis(250);

/// What has been collected.
pub(super) struct Collector<'p> {
    plan: &'p Plan,
    workers: usize,
    server_process: Option<u32>,
    phases: Vec<Tally>,
    before: Tally,
    seconds: BTreeMap<u64, (Second, Durations)>,
    threads: Threads,
    processor: Option<f64>,
}

impl<'p> Collector<'p> {
    pub(super) fn new(plan: &'p Plan, workers: usize, server_process: Option<u32>) -> Self {
        Self {
            plan,
            workers,
            server_process,
            phases: vec![Tally::default(); plan.phases.len()],
            before: Tally::default(),
            seconds: BTreeMap::new(),
            threads: Threads::default(),
            processor: None,
        }
    }

    /// Collects until every thread has had its last word; `hear` is told each second.
    pub(super) fn collect(
        &mut self,
        incoming: &Receiver<Report>,
        watched: &Receiver<WatchFile>,
        mut metrics: Option<&mut Metrics>,
        start: Start,
        mut hear: impl FnMut(&Second),
    ) {
        std::thread::sleep(start.left(0));
        while let Ok(watch) = watched.try_recv() {
            self.threads.add(watch);
        }
        self.processor = self.server_process.and_then(processor_seconds);
        let mut left = self.workers;
        let mut looked = start.now();
        let mut second = 0;
        while left > 0 {
            let until = start.left((second + 1) * 1_000_000_000) + PATIENCE;
            match incoming.recv_timeout(until) {
                Ok(report) => {
                    left -= usize::from(report.last);
                    self.take(report);
                    if start.left((second + 1) * 1_000_000_000) + PATIENCE > PATIENCE {
                        continue;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = start.now();
            self.look(second, (now - looked) as f64, metrics.as_deref_mut());
            looked = now;
            if let Some((second, latest)) = self.seconds.get_mut(&second) {
                second.lag_p99 = latest.quantile(0.99);
                hear(second);
            }
            second += 1;
        }
        while let Ok(report) = incoming.try_recv() {
            self.take(report);
        }
    }

    fn look(&mut self, at: u64, nanos: f64, metrics: Option<&mut Metrics>) {
        let (busy, starved) = self.threads.look(nanos);
        let processor = self.server_process.and_then(processor_seconds);
        let cores = processor.zip(self.processor).map(|(now, last)| (now - last) / (nanos / 1e9));
        self.processor = processor;
        let (second, _) = self.second(at);
        (second.busy, second.starved, second.server_cores) = (busy, starved, cores);
        second.server = metrics.map(Metrics::read).unwrap_or_default();
    }

    fn second(&mut self, at: u64) -> &mut (Second, Durations) {
        self.seconds.entry(at).or_insert_with(|| (Second { at, ..Second::default() }, Durations::default()))
    }

    fn take(&mut self, report: Report) {
        for (phase, tally) in report.tallies {
            if phase == BEFORE {
                self.before.add(&tally);
                continue;
            }
            let (second, lag) = self.second(report.second);
            second.due += tally.due;
            second.ended += tally.ended;
            second.failed += tally.failed;
            second.wrong += tally.wrong;
            second.latency.add(&tally.latency());
            lag.add(&tally.lag);
            if let Some(own) = self.phases.get_mut(phase) {
                own.add(&tally);
            }
        }
        self.second(report.second).0.open += report.open;
    }

    pub(super) fn result(self, scenario: &Scenario, conditions: Conditions, signing: Signing) -> RunResult {
        let phases = self.plan.phases.iter().zip(self.phases).map(|(phase, tally)| PhaseResult {
            name: phase.name.clone(),
            starts: phase.starts,
            seconds: phase.schedule.duration().as_secs_f64(),
            warm_up: phase.warm_up,
            tally,
        });
        let seconds =
            self.seconds.into_values().map(|(second, lag)| Second { lag_p99: lag.quantile(0.99), ..second });
        RunResult {
            version: VERSION,
            scenario: scenario.clone(),
            conditions,
            verdict: Verdict::default(),
            objectives: Vec::new(),
            before: self.before,
            phases: phases.collect(),
            seconds: seconds.collect(),
            signing,
        }
    }
}

/// What the signers say, together.
pub(super) fn signing(
    when: &str,
    all: Vec<Result<Signed, String>>,
    span: Duration,
) -> Result<Signing, String> {
    let mut sum = Signing { when: when.to_owned(), ..Signing::default() };
    let mut busy = 0;
    for one in all {
        let one = one?;
        sum.signed += one.signed;
        sum.refused += one.refused;
        sum.fetches.add(&one.fetches);
        sum.busy = sum.busy.max(one.busy as f64 / span.as_nanos().max(1) as f64);
        busy += one.busy;
    }
    sum.per_core = if busy == 0 { 0.0 } else { sum.signed as f64 / (busy as f64 / 1e9) };
    Ok(sum)
}
