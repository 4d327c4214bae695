//! One run from scenario to result: prepare, agree on a start, send, collect, judge.

mod collect;
mod prepare;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use eligibility::day::Timestamp;

use crate::engine::{AHEAD, Signer, Start, WatchFile, Worker};
use crate::plan::Share;
use crate::result::{RunResult, Second, Signing};
use crate::scenario::{self, Scenario};
use crate::scrape::Metrics;
use crate::{clock, disturb, health};
use collect::Collector;
pub use prepare::Prepared;

/// Time between the last preparation and the start.
const BREATH: Duration = Duration::from_millis(300);

/// What a run is told besides its scenario.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// This generator, from 0.
    pub part: usize,
    /// Generators; 0 counts as 1.
    pub of: usize,
    /// When all begin; as soon as ready when absent.
    pub start_at: Option<Timestamp>,
    /// The server's process on this machine.
    pub server_process: Option<u32>,
}

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The scenario or its folder does not do.
    #[error("{0}")]
    Scenario(String),
    /// The server or the system does not let us.
    #[error("{0}")]
    Environment(String),
}

/// What happens while a run goes on.
pub enum Event<'e> {
    /// Something is prepared.
    Preparing(&'e str),
    /// A second has passed.
    Second(&'e Second),
}

/// Runs a scenario. `beside`: the folder that paths in it are relative to.
///
/// # Errors
/// [`RunError`].
pub fn run(
    scenario: &Scenario,
    beside: &Path,
    options: &Options,
    mut hear: impl FnMut(Event<'_>),
) -> Result<RunResult, RunError> {
    let wrong = RunError::Scenario;
    let of = options.of.max(1);
    let share = Share::process(options.part, of);
    let prepared =
        Prepared::make(scenario, beside, of, |what| hear(Event::Preparing(what))).map_err(wrong)?;
    enough_files(&prepared, scenario, share).map_err(RunError::Environment)?;
    let Prepared { plan, wallet, server, workers } = &prepared;
    let timeout = Duration::from_secs_f64(scenario.generator.timeout);
    let mut metrics = scenario
        .target
        .metrics
        .as_ref()
        .map(|url| Metrics::of(url, &scenario.target.watch))
        .transpose()
        .map_err(wrong)?;
    let stop = AtomicBool::new(false);
    let (stocks, stock_ends): (Vec<_>, Vec<_>) = (0..*workers).map(|_| channel()).unzip();
    let signers = (scenario.generator.signers.max(1)) as usize;
    let has_cards = plan.menu.card.choose(0.0, 0.0).is_some() && scenario.mix.card > 0.0;
    let in_the_run = scenario.cards.signing == scenario::Signing::InTheRun;
    let signer = |number: usize, start: Option<Start>| Signer {
        plan,
        wallet,
        server,
        share,
        own: (number, signers),
        stocks: stocks.clone(),
        start,
        timeout,
        stop: &stop,
    };
    let mut signing = Signing::default();
    if has_cards && !in_the_run {
        hear(Event::Preparing("challenges fetched and signed"));
        let began = clock::instant();
        let done = thread::scope(|scope| {
            let all: Vec<_> =
                (0..signers).map(|number| scope.spawn(move || signer(number, None).run())).collect();
            all.into_iter()
                .map(|one| one.join().unwrap_or_else(|_| Err("a signer failed".to_owned())))
                .collect::<Vec<_>>()
        });
        signing = collect::signing("before the run", done, began.elapsed()).map_err(RunError::Environment)?;
    }
    hear(Event::Preparing("connections"));
    let (reports, incoming) = channel();
    let (watches, watched) = channel();
    let signs = has_cards && in_the_run;
    let (starts, ends) = start(options, if signs { AHEAD + BREATH } else { BREATH });
    let started = Start::at(starts);
    let began = ends.to_string();
    let mut collector = Collector::new(plan, *workers, options.server_process);
    let signed = thread::scope(|scope| {
        for (number, stock) in stock_ends.into_iter().enumerate() {
            let (reports, watches) = (reports.clone(), watches.clone());
            let share = share.thread(number, *workers);
            scope.spawn(move || {
                let _ = watches.send(WatchFile::own());
                match Worker::new(plan, server, share, (started, timeout, signs), stock, reports) {
                    Ok(mut worker) => {
                        worker.connect();
                        worker.run();
                    }
                    Err(error) => eprintln!("shikaku-load: no epoll: {error}"),
                }
            });
        }
        drop(reports);
        let signing: Vec<_> = (0..if signs { signers } else { 0 })
            .map(|number| scope.spawn(move || signer(number, Some(started)).run()))
            .collect();
        scope.spawn(|| disturb::run(scenario, plan, server, started, &stop));
        collector
            .collect(&incoming, &watched, metrics.as_mut(), started, |second| hear(Event::Second(second)));
        stop.store(true, Ordering::Relaxed);
        signing
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|_| Err("a signer failed".to_owned())))
            .collect::<Vec<_>>()
    });
    if signs {
        let span = Duration::from_secs_f64(plan.seconds());
        signing = collect::signing("in the run", signed, span).map_err(RunError::Environment)?;
    }
    let mut result =
        collector.result(scenario, health::conditions(began, options.part, of, *workers), signing);
    result.judge();
    result.verdict = health::verdict(&result);
    Ok(result)
}

/// Refuses a run whose connections this process may not have.
fn enough_files(prepared: &Prepared, scenario: &Scenario, share: Share) -> Result<(), String> {
    /// Files besides connections: logs, epolls, signers' own connections.
    const BESIDES: u64 = 64;
    let own = prepared.plan.institutions.iter().enumerate().filter(|(at, _)| at % share.of == share.part);
    let kept: u64 = own.map(|(_, one)| u64::from(one.connections)).sum();
    let disturbing: u64 = scenario.disturbances.iter().map(|one| u64::from(one.connections)).sum();
    let needed = kept + disturbing + BESIDES;
    match rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        Some(most) if most < needed => Err(format!(
            "the scenario keeps {needed} files open and this process may have {most}: `ulimit -n {}`",
            needed * 2
        )),
        _ => Ok(()),
    }
}

/// The start on the monotonic clock, and on the wall.
fn start(options: &Options, soonest: Duration) -> (std::time::Instant, Timestamp) {
    let (now, wall) = (clock::instant(), clock::now());
    let wait =
        options.start_at.map(|at| at.millis() - wall.millis()).and_then(|millis| u64::try_from(millis).ok());
    let wait = wait.map_or(soonest, Duration::from_millis);
    (now + wait, wall.plus_millis(wait.as_millis() as i64))
}
