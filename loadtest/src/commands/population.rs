//! `shikaku-load population`: a nation of any size as feed files.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use eligibility::day::Day;
use indicatif::{ProgressBar, ProgressStyle};
use population::Population;

use super::CommandError;
use crate::{clock, nation};

/// Writes an invented nation as feed files, one a source, with its list of insurers
#[derive(Args)]
#[command(
    after_help = "Example:\n  shikaku-load population --people 10000000 --seed 1 --out nation\n  shikaku feed load nation/feed/*.ndjson --config shikaku.toml"
)]
pub(super) struct PopulationCommand {
    /// How many people; never fewer than the named persons
    #[arg(long)]
    people: u64,
    /// What the nation is drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder; it must not hold a nation yet
    #[arg(long)]
    out: PathBuf,
    /// The day as of which the nation is, YYYY-MM-DD; today in Japan when absent
    #[arg(long, value_parser = day)]
    day: Option<Day>,
    /// Threads; as many as there are cores when absent
    #[arg(long)]
    threads: Option<NonZero<usize>>,
}

pub(super) fn day(text: &str) -> Result<Day, String> {
    let within = |day: &Day| (2010..2100).contains(&day.ymd().0);
    Day::parse(text).filter(within).ok_or_else(|| "a day is YYYY-MM-DD, from 2010 to 2099".to_owned())
}

impl PopulationCommand {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let now = clock::now();
        let day = self.day.unwrap_or_else(|| now.day_in_japan());
        let population = Population::new(self.seed, self.people, day);
        let threads = self.threads.or_else(|| std::thread::available_parallelism().ok());
        let bar = ProgressBar::new(population.people());
        let style =
            ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} people, {per_sec}, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(200));
        let began = clock::instant();
        let written = nation::write(&population, now, &self.out, threads, |people| bar.inc(people))
            .map_err(|error| CommandError::file(&error.path, error.why))?;
        bar.finish_and_clear();
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "{}: {} people, {} records, {} octets in {} files, {seconds:.1} s, {:.0} people/s",
            self.out.display(),
            population.people(),
            written.records,
            written.octets,
            written.files,
            population.people() as f64 / seconds
        );
        Ok(())
    }
}
