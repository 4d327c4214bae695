//! `shikaku-load run`: a scenario against a server.

use std::path::{Path, PathBuf};

use clap::Args;
use eligibility::day::Timestamp;

use super::CommandError;
use super::live::Live;
use crate::result::RunResult;
use crate::run::{self, Event, Options, RunError};
use crate::scenario::Scenario;

/// Runs a scenario: 0 when it counts and all objectives hold, 1 when not
#[derive(Args)]
#[command(
    after_help = "Example:\n  shikaku demo --dir demo-data --prepare-only && shikaku serve --config demo-data/shikaku.toml &\n  shikaku-load run loadtest/scenarios/monday.toml --folder demo-data --out monday"
)]
pub(super) struct RunCommand {
    #[command(flatten)]
    pub(super) which: Which,
    /// Print when requests are due, and send none
    #[arg(long)]
    dry_run: bool,
    /// Folder for result.json, report.html and the CSV files; nothing is written when absent
    #[arg(long)]
    out: Option<PathBuf>,
    /// This generator and how many there are, as 1/3: each takes its part of one plan
    #[arg(long, value_parser = part, default_value = "1/1")]
    part: (usize, usize),
    /// When all generators begin, RFC 3339
    #[arg(long, value_parser = moment)]
    start_at: Option<Timestamp>,
    /// Where the run can be watched by Prometheus, as 127.0.0.1:9464
    #[arg(long)]
    prometheus: Option<std::net::SocketAddr>,
}

/// Which scenario against what: what the file says, and what is said instead.
#[derive(Args, Clone)]
pub(super) struct Which {
    /// The scenario file
    pub(super) scenario: PathBuf,
    /// Instead of target.url
    #[arg(long)]
    pub(super) url: Option<String>,
    /// Instead of target.folder
    #[arg(long)]
    pub(super) folder: Option<PathBuf>,
    /// Instead of target.metrics
    #[arg(long)]
    pub(super) metrics: Option<String>,
    /// The server's process on this machine, to see the cores it uses
    #[arg(long)]
    pub(super) server_process: Option<u32>,
    /// All rates times this
    #[arg(long)]
    pub(super) scale: Option<f64>,
}

fn part(text: &str) -> Result<(usize, usize), String> {
    let numbers: Option<(usize, usize)> =
        text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
    match numbers {
        Some((part, of)) if 1_usize <= part && part <= of => Ok((part - 1, of)),
        _ => Err("as 1/3: the first of three".to_owned()),
    }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "as 2026-11-21T09:00:00+09:00".to_owned())
}

impl Which {
    /// The scenario with what is said instead, and the folder its paths are relative to.
    pub(super) fn read(&self) -> Result<(Scenario, PathBuf), CommandError> {
        let mut scenario = Scenario::read(&self.scenario).map_err(CommandError::Usage)?;
        let beside = self.scenario.parent().map_or_else(PathBuf::new, Path::to_path_buf);
        if let Some(url) = &self.url {
            scenario.target.url.clone_from(url);
        }
        if let Some(folder) = &self.folder {
            let folder = std::path::absolute(folder).map_err(|error| CommandError::file(folder, error))?;
            scenario.target.folder = Some(folder);
        }
        if let Some(metrics) = &self.metrics {
            scenario.target.metrics = Some(metrics.clone());
        }
        match self.scale {
            Some(scale) if scale > 0.0 && scale.is_finite() => scenario = scenario.scaled(scale),
            Some(_) => return Err(CommandError::Usage("--scale: above 0".to_owned())),
            None => {}
        }
        Ok((scenario, beside))
    }
}

impl RunCommand {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let (scenario, beside) = self.which.read()?;
        if self.dry_run {
            return dry_run(&scenario, &beside);
        }
        let (part, of) = self.part;
        let options =
            Options { part, of, start_at: self.start_at, server_process: self.which.server_process };
        let mut live = Live::new(&scenario, &beside, self.prometheus)?;
        let result = run::run(&scenario, &beside, &options, |event| match event {
            Event::Preparing(what) => live.preparing(what),
            Event::Second(second) => live.second(second),
        })?;
        live.end();
        print!("{}", super::summary::of(&result));
        if let Some(out) = &self.out {
            super::save::all(&result, out)?;
        }
        outcome(&result)
    }
}

/// The end of the command by what the run says.
pub(super) fn outcome(result: &RunResult) -> Result<(), CommandError> {
    if !result.verdict.valid {
        return Err(CommandError::No("the run does not count".to_owned()));
    }
    match result.objectives.iter().filter(|one| !one.held).count() {
        0 => Ok(()),
        missed => Err(CommandError::No(format!("{missed} objectives missed"))),
    }
}

impl From<RunError> for CommandError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Scenario(why) => Self::Usage(why),
            RunError::Environment(why) => Self::Environment(why),
        }
    }
}

/// Prints when requests are due: phase by phase, and the rate over each in sixty columns.
fn dry_run(scenario: &Scenario, beside: &Path) -> Result<(), CommandError> {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let phases = scenario.phases(beside).map_err(CommandError::Usage)?;
    println!("{}: {}", scenario.name, scenario.about);
    for phase in &phases {
        let schedule = &phase.schedule;
        let seconds = schedule.duration().as_secs_f64();
        let peak = schedule.peak();
        let level = |column: u32| {
            let rate = schedule.rate(seconds * (f64::from(column) + 0.5) / 60.0);
            let at = (rate / peak.max(f64::MIN_POSITIVE) * 7.0).round() as usize;
            LEVELS.get(at).copied().unwrap_or('█')
        };
        println!(
            "{:>8.1} s  {:<20} {:>8.1} s  {:>9.0} requests  peak {:>8.1}/s{}",
            phase.starts,
            phase.name,
            seconds,
            schedule.expected(),
            peak,
            if phase.warm_up { "  (warm-up)" } else { "" }
        );
        println!("            {}", (0..60).map(level).collect::<String>());
        let first: Vec<String> =
            schedule.instants().take(5).map(|at| format!("{:.6}", at as f64 / 1e9)).collect();
        println!("            first at {} s of it", first.join(", "));
        phase.objectives.iter().for_each(|one| println!("            {one}"));
    }
    scenario.objectives.iter().for_each(|one| println!("over all: {one}"));
    Ok(())
}
