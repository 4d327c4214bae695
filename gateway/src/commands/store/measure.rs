//! `shikaku store measure`: what a nation in memory costs, and how fast it answers.
//!
//! ```text
//! build (from lines of feeds) ─► save ─► drop ─► open ─► find ─► change while finding
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cache::Reader;
use clap::{Args, ValueEnum as _};
use eligibility::feed::Said;
use indicatif::{ProgressBar, ProgressStyle};
use population::Population;

use super::super::CommandError;
use super::load::{BySource, Case, Feeder, TODAY, by_source, lines, records};
use super::probe::{Question, control, floor, latency, questions, rate, rate_together};
use super::report::{Beside, Built, Report, TOGETHER, parts};
use crate::clock::Clock;

/// People whose records are made before they are loaded, and so wait as lines: some 250 MB.
const BLOCK: u64 = 250_000;
/// The same where no lines are written.
const STRAIGHT: u64 = 65_536;
/// Questions asked in turn.
const QUESTIONS: usize = 400_000;
/// Changes a second beside which answers are timed.
const PACE: f64 = 10_000.0;
/// Changes that become visible together.
const CHANGES: u64 = 200;

/// Builds an invented nation in memory and tells what it costs: octets a person, loading, finding,
/// changing, restarting. The record of truth is not part of it
#[derive(Args)]
#[command(after_help = "Example:\n  shikaku store measure --people 1000000 --json")]
pub(in crate::commands) struct Measure {
    /// How many people
    #[arg(long, default_value_t = 1_000_000)]
    people: u64,
    /// What the nation is drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What is kept of everybody
    #[arg(long, value_enum, default_value_t = Case::Three)]
    case: Case,
    /// Where memory is saved meanwhile; a new folder of the system's otherwise
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Measure what a former run with the same people has saved in the folder, and build nothing
    #[arg(long, requires = "folder")]
    saved: bool,
    /// Build of records as they are made, without writing and reading their lines: sooner done, and
    /// says nothing of loading
    #[arg(long)]
    straight: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Measure {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let folder = match &self.folder {
            Some(folder) => folder.clone(),
            None => std::env::temp_dir().join(format!("shikaku-measure-{}", std::process::id())),
        };
        let report = self.measure(&folder);
        if self.folder.is_none() {
            fs::remove_dir_all(&folder).map_err(CommandError::environment)?;
        }
        let report = report?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report).map_err(CommandError::environment)?);
        } else {
            report.print();
        }
        Ok(())
    }

    /// Builds in this process, and measures in another, whose memory nothing else has been in.
    fn measure(&self, folder: &Path) -> Result<Report, CommandError> {
        if self.saved {
            return self.opened(folder);
        }
        let built = self.build(folder)?;
        let people = self.people.to_string();
        let seed = self.seed.to_string();
        let case = self.case.to_possible_value().map_or_else(String::new, |case| case.get_name().to_owned());
        let program = std::env::current_exe().map_err(CommandError::environment)?;
        let mut other = Command::new(program);
        other.args([
            "store", "measure", "--saved", "--json", "--people", &people, "--seed", &seed, "--case", &case,
        ]);
        let output = other.arg("--folder").arg(folder).stderr(Stdio::inherit()).output();
        let output = output.map_err(CommandError::environment)?;
        let opened: Report = serde_json::from_slice(&output.stdout).map_err(CommandError::environment)?;
        Ok(Report { built: Some(built), ..opened })
    }

    fn opened(&self, folder: &Path) -> Result<Report, CommandError> {
        let population = Population::new(self.seed, self.people, TODAY);
        let people = population.people();
        let (asked, of_nobody) = questions(&population, self.case, QUESTIONS.min(people as usize));
        let before = resident("VmRSS:");
        let grown = |line| resident(line).saturating_sub(before) as f64;
        let begun = Clock::instant();
        let (writer, memory) = cache::open(folder).map_err(CommandError::environment)?;
        let restart_seconds = begun.elapsed().as_secs_f64();
        let mut report = Report { people, case: Some(self.case), restart_seconds, ..Report::default() };
        report.serials = memory.serials();
        report.find_decide_per_second = rate(&memory, &asked, 3);
        report.find_decide_together_per_second = rate_together(&memory, &asked, TOGETHER);
        report.hits = latency(&memory, &asked, 1);
        report.misses = latency(&memory, &of_nobody, 1);
        let opened = grown("VmRSS:");
        report.bytes_per_person = opened / people as f64;
        report.parts = parts(memory.sizes(), people);
        let mut feeder = Feeder { writer, position: memory.generation() };
        report.beside_updates = beside(&mut feeder, &memory, &population, self.case, &asked);
        // From here on the highest there was counts, and a tenth of all people change.
        let _ = fs::write("/proc/self/clear_refs", "5");
        report.update_per_second = update(&mut feeder, &memory, &population, self.case, &asked);
        report.peak_over_resident = grown("VmHWM:") / opened.max(1.0);
        report.bytes_per_person_after_updates = grown("VmRSS:") / people as f64;
        report.floor_ns = floor((people as usize * 64).clamp(1 << 20, 1 << 30)).as_nanos() as u64;
        Ok(report)
    }

    /// Loads the nation and saves it.
    fn build(&self, folder: &Path) -> Result<Built, CommandError> {
        let population = Population::new(self.seed, self.people, TODAY);
        let (writer, _) = cache::empty();
        let mut feeder = Feeder { writer, position: 0 };
        let bar = progress(self.people);
        let (records, taken) = match self.straight {
            true => self.hand_over(&population, &mut feeder, &bar),
            false => self.load(&population, &mut feeder, &bar),
        };
        bar.finish_and_clear();
        let begun = Clock::instant();
        feeder.writer.save(folder).map_err(CommandError::environment)?;
        let snapshot_seconds = begun.elapsed().as_secs_f64();
        let files = fs::read_dir(folder).map_err(CommandError::environment)?.flatten();
        let snapshot_bytes = files.filter_map(|file| Some(file.metadata().ok()?.len())).sum();
        let load_per_second = records as f64 / taken.as_secs_f64();
        Ok(Built { records, straight: self.straight, load_per_second, snapshot_bytes, snapshot_seconds })
    }
}

impl Measure {
    fn blocks(&self, people: u64) -> impl Iterator<Item = std::ops::Range<u64>> + use<> {
        let all = self.people;
        (0..all).step_by(people as usize).map(move |first| first..all.min(first + people))
    }

    /// Loads lines of feeds; how many records, and how long it took without the making of the lines.
    fn load(&self, population: &Population, feeder: &mut Feeder, bar: &ProgressBar) -> (u64, Duration) {
        let (mut records, mut taken) = (0, Duration::ZERO);
        for places in self.blocks(BLOCK) {
            bar.inc(places.end - places.start);
            let (count, time) = feeder.load(&made(population, self.case, places));
            records += count;
            taken += time;
        }
        (records, taken)
    }

    /// Applies records while the next ones are made.
    fn hand_over(&self, population: &Population, feeder: &mut Feeder, bar: &ProgressBar) -> (u64, Duration) {
        let begun = Clock::instant();
        let mut count = 0;
        std::thread::scope(|scope| {
            let (give, made) = std::sync::mpsc::sync_channel(1);
            scope.spawn(move || {
                let each =
                    self.blocks(STRAIGHT).map(|places| by_source(records(population, self.case, places)));
                for records in each {
                    if give.send(records).is_err() {
                        return;
                    }
                }
            });
            for all in made {
                count += all.values().map(|records| records.len() as u64).sum::<u64>();
                feeder.apply(&all);
                bar.inc(STRAIGHT);
            }
        });
        (count, begun.elapsed())
    }
}

/// The lines of these people's records, made on all cores.
fn made(population: &Population, case: Case, places: std::ops::Range<u64>) -> super::load::Lines {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let share = (places.end - places.start).div_ceil(threads).max(1);
    let mut all = super::load::Lines::new();
    std::thread::scope(|scope| {
        let start = |from: u64| places.end.min(places.start + from * share);
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                let places = start(thread)..start(thread + 1);
                scope.spawn(move || lines(&records(population, case, places)))
            })
            .collect();
        for lines in threads.into_iter().filter_map(|thread| thread.join().ok()) {
            for (source, lines) in lines {
                all.entry(source).or_default().extend(lines);
            }
        }
    });
    all
}

/// Answers beside a writer that changes people at its pace.
fn beside(
    feeder: &mut Feeder,
    memory: &Reader,
    population: &Population,
    case: Case,
    asked: &[Question],
) -> Beside {
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let begun = Clock::instant();
            let mut changed = 0;
            while !ended.load(Ordering::Relaxed) {
                changed += change(feeder, population, case, changed * 7, CHANGES);
                let due = Duration::from_secs_f64(changed as f64 / PACE);
                std::thread::sleep(due.saturating_sub(begun.elapsed()));
            }
            changed as f64 / begun.elapsed().as_secs_f64()
        });
        let latency = latency(memory, asked, 5);
        let control = control(asked.len() * 5);
        let find_decide_per_second = rate(memory, asked, 3);
        ended.store(true, Ordering::Relaxed);
        let updates_per_second = writer.join().unwrap_or_default();
        Beside { updates_per_second, find_decide_per_second, latency, control }
    })
}

/// Changes a tenth of all people as fast as it goes, beside a reader; how many a second.
fn update(
    feeder: &mut Feeder,
    memory: &Reader,
    population: &Population,
    case: Case,
    asked: &[Question],
) -> f64 {
    let ended = AtomicBool::new(false);
    let tenth = population.people().div_ceil(10);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                rate(memory, asked.get(..1000).unwrap_or(asked), 1);
            }
        });
        let (mut changed, mut taken) = (0, Duration::ZERO);
        while changed < tenth {
            let batches = changes(population, case, changed, 2000);
            let begun = Clock::instant();
            feeder.apply(&batches);
            taken += begun.elapsed();
            changed += 2000;
        }
        ended.store(true, Ordering::Relaxed);
        changed as f64 / taken.as_secs_f64()
    })
}

fn change(feeder: &mut Feeder, population: &Population, case: Case, from: u64, count: u64) -> u64 {
    let batches = changes(population, case, from, count);
    feeder.apply(&batches);
    batches.values().map(|records| records.len() as u64).sum()
}

/// Insurers correct the names of so many people.
fn changes(population: &Population, case: Case, from: u64, count: u64) -> BySource {
    let from = from % population.people().saturating_sub(count).max(1);
    let corrected = records(population, case, from..from + count).into_iter().filter_map(|mut record| {
        let Said::Member { member: Some(member), .. } = &mut record.said else { return None };
        member.name = format!("{}子", member.name).into();
        Some(record)
    });
    by_source(corrected.collect())
}

/// Octets in memory, anonymous and mapped: now, or at the most so far.
fn resident(line: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found =
        status.lines().find_map(|one| one.strip_prefix(line)?.trim().split(' ').next()?.parse::<u64>().ok());
    found.unwrap_or(0) * 1024
}

fn progress(people: u64) -> ProgressBar {
    // Invariant: the template is constant and right.
    let style = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} people, {eta} left")
        .expect("a template");
    ProgressBar::new(people).with_style(style)
}
