//! `shikaku-load compare` and `merge`: result files beside each other, and as one.

use std::path::PathBuf;

use clap::Args;

use super::CommandError;
use crate::report::{self, compare};
use crate::result::RunResult;

/// Compares two runs made under like conditions: 1 when the second is worse
#[derive(Args)]
#[command(
    after_help = "Example:\n  shikaku-load compare before/result.json after/result.json --tolerance 0.1"
)]
pub(super) struct Compare {
    /// The result before
    before: PathBuf,
    /// The result after
    after: PathBuf,
    /// How much worse a figure may be, as a share of the first; a fifth of a millisecond is nothing
    #[arg(long, default_value_t = 0.1)]
    tolerance: f64,
}

impl Compare {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let read = |path: &PathBuf| RunResult::read(path).map_err(CommandError::Usage);
        let (before, after) = (read(&self.before)?, read(&self.after)?);
        let all = compare(&before, &after).map_err(|unlike| {
            CommandError::Usage(format!("these runs say nothing of each other:\n  {}", unlike.join("\n  ")))
        })?;
        println!("{:<24} {:>12} {:>12} {:>9}", "", "before", "after", "worse by");
        let mut worse = 0;
        for one in &all {
            let by = one.worse_by();
            let small = one.what.ends_with(" ms") && (one.after - one.before).abs() < 0.2;
            let counts = by > self.tolerance && !small;
            worse += usize::from(counts);
            let mark = if counts { "  WORSE" } else { "" };
            println!("{:<24} {:>12.3} {:>12.3} {:>8.1} %{mark}", one.what, one.before, one.after, by * 100.0);
        }
        if worse > 0 {
            return Err(CommandError::No(format!(
                "{worse} figures are worse by more than {} %",
                self.tolerance * 100.0
            )));
        }
        Ok(())
    }
}

/// Adds up the result files of all generators of one run
#[derive(Args)]
#[command(after_help = "Example:\n  shikaku-load merge a/result.json b/result.json --out both")]
pub(super) struct Merge {
    /// One result file a generator
    #[arg(required = true)]
    results: Vec<PathBuf>,
    /// Folder for the files of the whole run
    #[arg(long)]
    out: PathBuf,
}

impl Merge {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let all: Result<Vec<_>, _> = self.results.iter().map(|path| RunResult::read(path)).collect();
        let sum = report::merge(all.map_err(CommandError::Usage)?).map_err(CommandError::Usage)?;
        print!("{}", super::summary::of(&sum));
        super::save::all(&sum, &self.out)?;
        super::run::outcome(&sum)
    }
}
