//! `shikaku-load capacity`: the highest rate that holds, what gives way first, and what to buy.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::CommandError;
use super::run::Which;
use crate::capacity::{Answer, Capacity, Demand, Fit, SearchError, Searched, Trial, answer, fit, search};
use crate::folder::Folder;
use crate::outcome::Word;
use crate::patients::shares::{Share, shares};
use crate::report;
use crate::result::RunResult;
use crate::run::{self, Options, RunError};
use crate::scenario::{PhaseSpec, Scenario, Shape};
use crate::schedule::Arrival;

/// Searches the highest rate that holds the scenario's objectives, and says what to buy
#[derive(Args)]
#[command(
    after_help = "Example:\n  shikaku-load capacity loadtest/scenarios/desk.toml --folder demo-data --server-process $(pidof shikaku) \\\n    --peak 1800 --average 610 --growth 0.1 --years 5 --out capacity"
)]
pub(super) struct CapacityCommand {
    #[command(flatten)]
    which: Which,
    /// Requests a second to begin with
    #[arg(long, default_value_t = 100.0)]
    from: f64,
    /// Highest rate to try
    #[arg(long, default_value_t = 200_000.0)]
    to: f64,
    /// Seconds of each trial, after one of warm-up
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How often the search is made; from 2 on the answer has a range
    #[arg(long, default_value_t = 4)]
    repeats: u32,
    /// Cores of the server; this machine's when absent
    #[arg(long)]
    cores: Option<f64>,
    /// Requests a second in the planner's busiest moment
    #[arg(long)]
    peak: f64,
    /// Requests a second on average over opening hours; a third of the peak when absent
    #[arg(long)]
    average: Option<f64>,
    /// Growth a year, as a share
    #[arg(long, default_value_t = 0.05)]
    growth: f64,
    /// Years to plan for
    #[arg(long, default_value_t = 5)]
    years: u32,
    /// Share of each machine that stays free at the peak
    #[arg(long, default_value_t = 0.3)]
    headroom: f64,
    /// Machines that may fail at the peak
    #[arg(long, default_value_t = 1)]
    spare: u32,
    /// Folder for capacity.json, capacity.html and shares.csv; nothing is written when absent
    #[arg(long)]
    out: Option<PathBuf>,
}

/// What the command finds.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    pub(crate) scenario: Scenario,
    pub(crate) began: String,
    pub(crate) processor: String,
    pub(crate) capacity: Capacity,
    pub(crate) fit: Option<Fit>,
    pub(crate) answer: Answer,
    pub(crate) shares: Vec<Share>,
}

impl CapacityCommand {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let (scenario, beside) = self.which.read()?;
        let demand = self.demand()?;
        if scenario.objectives.is_empty() {
            return Err(CommandError::Usage(
                "objectives: a capacity is the highest rate that holds some".to_owned(),
            ));
        }
        let options = Options { server_process: self.which.server_process, ..Options::default() };
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as f64;
        let searched = Searched {
            from: self.from,
            to: self.to,
            repeats: self.repeats.max(1),
            cores: self.cores.unwrap_or(cores),
        };
        let mut conditions = None;
        let mut failed = None;
        let found = search(searched, |rate| {
            let done = run::run(&at_rate(&scenario, rate, self.seconds), &beside, &options, |_| {});
            match done {
                Ok(result) => {
                    let trial = trial(rate, &result);
                    eprintln!("{}", line(&trial));
                    conditions.get_or_insert(result.conditions);
                    Ok(trial)
                }
                Err(error) => {
                    let words = error.to_string();
                    failed = Some(error);
                    Err(words)
                }
            }
        });
        let capacity = found.map_err(|error| match (error, failed) {
            (_, Some(RunError::Environment(why))) => CommandError::Environment(why),
            (error @ SearchError::Trial(_), _) => CommandError::Usage(error.to_string()),
            (error, _) => CommandError::No(error.to_string()),
        })?;
        let (began, processor) = conditions.map(|one| (one.began, one.processor)).unwrap_or_default();
        let fit = fit(&capacity.trials);
        let answer = answer(&capacity, fit.as_ref(), demand);
        let shares = insurers(&scenario, &beside)?;
        let found = Found { scenario, began, processor, capacity, fit, answer, shares };
        print!("{}", words(&found));
        if let Some(out) = &self.out {
            save(&found, out)?;
        }
        if found.answer.holds_range.0 < 1.0 {
            return Err(CommandError::No("one machine does not hold the peak".to_owned()));
        }
        Ok(())
    }

    fn demand(&self) -> Result<Demand, CommandError> {
        let sound = self.peak > 0.0
            && (0.0..1.0).contains(&self.headroom)
            && self.growth > -1.0
            && self.years <= 50
            && 0.0 < self.from
            && self.from < self.to
            && self.seconds >= 1.0;
        if !sound {
            return Err(CommandError::Usage(
                "--peak above 0, --headroom from 0 below 1, --growth above -1, --years up to 50, --from below --to, --seconds from 1".to_owned(),
            ));
        }
        Ok(Demand {
            peak: self.peak,
            average: self.average.unwrap_or(self.peak / 3.0),
            growth: self.growth,
            years: self.years,
            headroom: self.headroom,
            spare: self.spare,
        })
    }
}

/// The scenario at one rate: a second of warm-up, then what is judged.
fn at_rate(scenario: &Scenario, rate: f64, seconds: f64) -> Scenario {
    let fresh = scenario.phases.iter().find(|one| !one.warm_up).map_or(0.0, |one| one.fresh);
    let phase = |name: &str, seconds: f64, warm_up: bool| PhaseSpec {
        name: name.to_owned(),
        shape: Shape::Constant { rate, seconds },
        arrival: Arrival::Poisson,
        fresh,
        warm_up,
        objectives: Vec::new(),
    };
    Scenario { phases: vec![phase("warm-up", 1.0, true), phase("trial", seconds, false)], ..scenario.clone() }
}

fn trial(rate: f64, result: &RunResult) -> Trial {
    let (all, _) = result.judged();
    let latency = all.latency();
    let count = |words: &[&[u8]]| {
        let those = all.answers.iter().filter(|one| words.iter().any(|word| one.word == Word::of(word)));
        those.map(|one| one.count).sum()
    };
    let cores: Vec<f64> =
        result.seconds.iter().skip(1).filter(|one| one.due > 0).filter_map(|one| one.server_cores).collect();
    Trial {
        rate,
        held: result.objectives.iter().all(|one| one.held),
        invalid: result.verdict.reasons.clone(),
        mean: latency.mean(),
        p50: latency.quantile(0.5),
        p99: latency.quantile(0.99),
        failed: all.failed,
        overloaded: count(&[b"overloaded", b"rate_limited", b"not_ready"]),
        unconnected: count(&[b"refused", b"tls"]),
        handshake: all.handshake.quantile(0.99),
        waited: all.waited as f64 / all.due.max(1) as f64,
        server_cores: (!cores.is_empty()).then(|| cores.iter().sum::<f64>() / cores.len() as f64),
    }
}

fn line(trial: &Trial) -> String {
    let cores = trial.server_cores.map_or_else(String::new, |cores| format!("  server {cores:.2} cores"));
    let word = match (trial.invalid.is_empty(), trial.held) {
        (false, _) => "INVALID",
        (true, true) => "held",
        (true, false) => "missed",
    };
    format!(
        "{:>9.0}/s  {word:<8} p50 {:>8.3} p99 {:>8.3} ms  failed {}{cores}",
        trial.rate,
        trial.p50 * 1e3,
        trial.p99 * 1e3,
        trial.failed
    )
}

/// What each insurer's people ask for, of the folder's people.
fn insurers(scenario: &Scenario, beside: &Path) -> Result<Vec<Share>, CommandError> {
    let Some(folder) = &scenario.target.folder else { return Ok(Vec::new()) };
    Folder::open(&beside.join(folder)).map(|folder| shares(&folder)).map_err(CommandError::Usage)
}

fn words(found: &Found) -> String {
    let Found { capacity, fit, answer, .. } = found;
    let (low, high) = capacity.range;
    let mut text = format!(
        "one machine holds {:.0} requests a second (95 %: {low:.0} to {high:.0}, {} searches)\nfirst limit: {}\n",
        capacity.rate,
        capacity.found.len(),
        capacity.limit.words()
    );
    if let Some(fit) = fit {
        text.push_str(&format!(
            "fitted: busy {:.1} µs a request, spread {:.2}, {:.3} ms alone; error of the fit {:.1} %\n",
            1e6 / fit.saturation,
            fit.spread,
            fit.alone * 1e3,
            fit.error * 100.0
        ));
        if let Some(seconds) = fit.core_seconds {
            text.push_str(&format!("the server uses {:.1} µs of a core a request\n", seconds * 1e6));
        }
    }
    text.push_str(&format!(
        "that is {:.2} times your peak ({:.2} to {:.2})\nyear      peak/s   average/s  machines by peak  by average  hold times peak  p99 expected\n",
        answer.holds, answer.holds_range.0, answer.holds_range.1
    ));
    for year in &answer.years {
        let p99 = year.expected_p99.map_or_else(|| "-".to_owned(), |p99| format!("{:.2} ms", p99 * 1e3));
        text.push_str(&format!(
            "{:>4} {:>11.0} {:>11.0} {:>17} {:>11} {:>16.2} {p99:>13}\n",
            year.year, year.peak, year.average, year.by_peak, year.by_average, year.times
        ));
    }
    text
}

fn save(found: &Found, folder: &Path) -> Result<(), CommandError> {
    std::fs::create_dir_all(folder).map_err(|error| CommandError::file(folder, error))?;
    let json = serde_json::to_vec_pretty(found).map_err(|error| CommandError::file(folder, error))?;
    let mut csv = "insurer_number,people,share\n".to_owned();
    found
        .shares
        .iter()
        .for_each(|one| csv.push_str(&format!("{},{},{:.6}\n", one.insurer, one.people, one.share)));
    let html = report::capacity_html(
        &found.capacity,
        found.fit.as_ref(),
        &found.answer,
        &found.shares,
        &words(found),
    );
    for (name, octets) in
        [("capacity.json", json), ("shares.csv", csv.into_bytes()), ("capacity.html", html.into_bytes())]
    {
        let path = folder.join(name);
        std::fs::write(&path, octets).map_err(|error| CommandError::file(&path, error))?;
    }
    eprintln!("written: {}", folder.join("capacity.html").display());
    Ok(())
}
