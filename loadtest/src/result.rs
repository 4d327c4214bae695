//! What a run leaves: conditions, counts, seconds, verdict. Files of several generators add up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::histogram::Durations;
use crate::scenario::Scenario;
use crate::tally::Tally;

/// Version of the file.
pub const VERSION: u32 = 1;

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunResult {
    /// Version of the file.
    pub version: u32,
    /// What was run.
    pub scenario: Scenario,
    /// Under which conditions.
    pub conditions: Conditions,
    /// Whether the run counts.
    pub verdict: Verdict,
    /// What had to hold.
    pub objectives: Vec<Judged>,
    /// Before the run: connecting.
    pub before: Tally,
    /// Phase by phase.
    pub phases: Vec<PhaseResult>,
    /// Second by second.
    pub seconds: Vec<Second>,
    /// How signatures were made.
    pub signing: Signing,
}

/// Under which conditions a run was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conditions {
    /// Version of this program.
    pub program: String,
    /// When the run began, RFC 3339.
    pub began: String,
    /// Processor of the generator.
    pub processor: String,
    /// Its cores.
    pub cores: usize,
    /// Its kernel.
    pub kernel: String,
    /// Which generators, of how many.
    pub parts: Vec<usize>,
    /// Of how many.
    pub of: usize,
    /// Threads that sent, of all generators.
    pub workers: usize,
}

/// Whether a run counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// No reason is against it.
    pub valid: bool,
    /// Why it does not count: the generator, and not the server, was the limit.
    pub reasons: Vec<String>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

/// An objective with what was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The phase; all that are no warm-up where absent.
    pub phase: Option<String>,
    /// The objective.
    pub objective: String,
    /// What was measured, in words.
    pub measured: String,
    /// Whether it holds.
    pub held: bool,
}

/// One phase.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PhaseResult {
    /// Its name.
    pub name: String,
    /// Seconds from the start of the run.
    pub starts: f64,
    /// Its length in seconds.
    pub seconds: f64,
    /// Whether it is not judged.
    pub warm_up: bool,
    /// What was counted.
    pub tally: Tally,
}

/// One second of all generators.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Second {
    /// From the start of the run.
    pub at: u64,
    /// Requests that were due.
    pub due: u64,
    /// Requests that ended.
    pub ended: u64,
    /// Of those, failed.
    pub failed: u64,
    /// Of those, answered otherwise than expected.
    pub wrong: u64,
    /// Open at its end.
    pub open: u64,
    /// Latency of those that ended.
    pub latency: Durations,
    /// 99th percentile of the lag, in seconds; of several generators the worst.
    pub lag_p99: f64,
    /// The busiest thread's share of a core.
    pub busy: f64,
    /// The share of the second for which a thread waited for a core, the worst.
    pub starved: f64,
    /// Cores that the server used, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_cores: Option<f64>,
    /// Metrics of the server.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub server: BTreeMap<String, f64>,
}

/// How signatures were made.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Signing {
    /// `before the run`, `in the run`, or empty where no card was shown.
    pub when: String,
    /// Signatures made.
    pub signed: u64,
    /// Signatures a second and core, while signing.
    pub per_core: f64,
    /// The busiest signer's share of a core.
    pub busy: f64,
    /// Fetches of up to a hundred challenges.
    pub fetches: Durations,
    /// Fetches that were refused or failed, and were made again.
    pub refused: u64,
}

impl RunResult {
    /// Everything but warm-ups and its seconds, added up.
    #[must_use]
    pub fn judged(&self) -> (Tally, f64) {
        let mut all = Tally::default();
        let mut seconds = 0.0;
        for phase in self.phases.iter().filter(|phase| !phase.warm_up) {
            all.add(&phase.tally);
            seconds += phase.seconds;
        }
        (all, seconds)
    }

    /// Whether the run counts and every objective holds.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.verdict.valid && self.objectives.iter().all(|one| one.held)
    }

    /// Judges the objectives of its scenario by what was counted.
    pub fn judge(&mut self) {
        let mut judged = Vec::new();
        let (all, seconds) = self.judged();
        let mut add =
            |phase: Option<&str>, objective: &crate::scenario::Objective, tally: &Tally, seconds| {
                let value = objective.value(tally, seconds);
                judged.push(Judged {
                    phase: phase.map(str::to_owned),
                    objective: objective.to_string(),
                    measured: objective.show(value),
                    held: objective.holds(value),
                });
            };
        self.scenario.objectives.iter().for_each(|one| add(None, one, &all, seconds));
        for (spec, phase) in self.scenario.phases.iter().zip(&self.phases) {
            spec.objectives.iter().for_each(|one| add(Some(&phase.name), one, &phase.tally, phase.seconds));
        }
        self.objectives = judged;
    }

    /// Reads a result file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(path: &std::path::Path) -> Result<Self, String> {
        let octets = crate::target::read(path)?;
        let result: Self =
            serde_json::from_slice(&octets).map_err(|error| format!("{}: {error}", path.display()))?;
        if result.version != VERSION {
            return Err(format!(
                "{}: version {}, this program reads {VERSION}",
                path.display(),
                result.version
            ));
        }
        Ok(result)
    }
}
