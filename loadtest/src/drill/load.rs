//! Ordinary desks while something happens: a run of three phases, in the background.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::desk::Said;
use super::tell::PHASES;
use super::{DrillError, Setup};
use crate::result::RunResult;
use crate::run::{self, Event, Options, RunError};
use crate::scenario::Scenario;

/// Questions that one desk may ask in two phases, so that it does not use up its budget of misses.
const QUESTIONS: u64 = 150;
/// Different cards of ordinary desks.
pub(super) const CARDS: u64 = 300;

/// A run under way.
pub(super) struct Load {
    thread: JoinHandle<Result<RunResult, RunError>>,
    seconds: Receiver<u64>,
    passed: u64,
    /// Pause between two questions of one desk.
    between: Duration,
}

/// What desks ask, and how often in each phase; the words of a scenario.
pub(super) struct Desks<'d> {
    pub(super) url: &'d str,
    pub(super) folder: &'d Path,
    /// Shares of what is asked.
    pub(super) mix: &'d str,
    /// Different cards that are shown.
    pub(super) cards: u64,
    /// The shape of each phase, without its seconds.
    pub(super) shapes: [String; 3],
}

/// So many a second, all the time.
pub(super) fn steady(rate: f64) -> [String; 3] {
    [rate; 3].map(|rate| format!("shape = \"constant\"\nrate = {rate}"))
}

impl Desks<'_> {
    fn scenario(&self, setup: &Setup) -> Result<Scenario, DrillError> {
        let mut text = format!(
            "name = \"drill\"\n[target]\nurl = \"{}\"\nfolder = \"{}\"\n\
             [institutions]\nhospitals = 1\nclinics = 8\ndental = 4\npharmacies = 5\nconnections = 16\n\
             [mix]\n{}\n[cards]\ndifferent = {}\nrsa_keys = 4\n[numbers]\ndifferent = 1000\n\
             [generator]\nlag_ms = 100\ntimeout = 10\n",
            self.url,
            self.folder.display(),
            self.mix,
            self.cards
        );
        for (name, shape) in PHASES.iter().zip(&self.shapes) {
            text.push_str(&format!("[[phases]]\nname = \"{name}\"\n{shape}\nseconds = {}\n", setup.seconds));
        }
        Ok(Scenario::parse(&text)?)
    }

    /// Starts; returns when the first request is about to be due.
    pub(super) fn start(&self, setup: &Setup) -> Result<Load, DrillError> {
        let scenario = self.scenario(setup)?;
        let (tell, seconds) = channel();
        let (begin, begun) = channel();
        let thread = thread::spawn(move || {
            run::run(&scenario, Path::new("/"), &Options::default(), |event| match event {
                Event::Preparing("connections") => drop(begin.send(())),
                Event::Preparing(_) => {}
                // Whoever waited may have gone.
                Event::Second(second) => drop(tell.send(second.at)),
            })
        });
        // An error is told at the end.
        let _ = begun.recv();
        let between = Duration::from_millis((2000 * setup.seconds / QUESTIONS).max(50));
        Ok(Load { thread, seconds, passed: 0, between })
    }
}

/// What the desk of `ask` is told, over and over, until so many seconds of the run have passed, or it has ended.
pub(super) fn sampled<const N: usize>(
    load: &mut Load,
    until: u64,
    ask: impl Fn() -> [Said; N],
) -> BTreeMap<String, u64> {
    let mut words = BTreeMap::new();
    while load.passed() < until && !load.thread.is_finished() {
        for said in ask() {
            *words.entry(said.word).or_default() += 1;
        }
        thread::sleep(load.between);
    }
    words
}

impl Load {
    /// Seconds that have passed; waits for nothing.
    pub(super) fn passed(&mut self) -> u64 {
        self.passed = self.seconds.try_iter().last().map_or(self.passed, |at| at + 1);
        self.passed
    }

    /// Waits until so many seconds of the run have passed, or it has ended.
    pub(super) fn wait(&mut self, seconds: u64) {
        while self.passed < seconds {
            let Ok(at) = self.seconds.recv() else { return };
            self.passed = at + 1;
        }
    }

    /// Waits for the end.
    pub(super) fn end(self) -> Result<RunResult, DrillError> {
        let ended = self.thread.join().map_err(|_| DrillError("the load ended by a fault".to_owned()))?;
        ended.map_err(|error| DrillError(error.to_string()))
    }
}
