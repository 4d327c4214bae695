//! A month's claims through `shikaku precheck`, measured, and the nation's month reckoned from it.
//!
//! ```sh
//! cargo build --release -p gateway -p loadtest
//! cargo run --release -p benches --example month -- target/release FOLDER [CLAIMS [PEOPLE]]
//! ```
//!
//! 2 million claims of 1 million people unless said otherwise, and before them a tenth of the claims,
//! to show that memory does not grow with the file. Nation and claim files are made in the folder once
//! and used again: two million claims take 4 GB, and the results as much again.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use gateway::clock::Clock;
use serde::Deserialize;

/// Claims of a month in the country.
const NATION: f64 = 143e6;

/// Any reason why it cannot go on.
type Failed = Box<dyn std::error::Error>;

/// The verdict of a result, or of its right answer.
#[derive(Deserialize)]
struct Said {
    verdict: String,
}

fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    // `cargo test` runs examples that are told nothing.
    let Some(programs) = arguments.next().filter(|word| !word.starts_with("--")) else { return Ok(()) };
    let programs = PathBuf::from(programs).canonicalize()?;
    let folder = PathBuf::from(arguments.next().ok_or("PROGRAMS FOLDER [CLAIMS [PEOPLE]]")?);
    let claims: u64 = arguments.next().map_or(Ok(2_000_000), |text| text.parse())?;
    let people: u64 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let (nation, day) = nation(&programs, &folder, people)?;
    for count in [claims / 10, claims] {
        let file = file(&programs, &folder, (people, count), &day)?;
        check(&programs, &nation, &file, count)?;
    }
    Ok(())
}

/// Makes the nation where it is not there: its folder, and the day it was made.
fn nation(programs: &Path, folder: &Path, people: u64) -> Result<(PathBuf, String), Failed> {
    let (nation, day) = (folder.join(format!("nation-{people}")), folder.join(format!("day-{people}")));
    if !day.exists() {
        std::fs::create_dir_all(folder)?;
        let today = Clock::system().now().day_in_japan().to_string();
        let mut demo = Command::new(programs.join("shikaku"));
        run(demo.args(["demo", "--prepare-only", "--people", &people.to_string(), "--dir"]).arg(&nation))?;
        std::fs::write(&day, today)?;
    }
    Ok((nation, std::fs::read_to_string(day)?))
}

/// Makes the claim file where it is not there: of the month before the nation's day.
fn file(programs: &Path, folder: &Path, (people, claims): (u64, u64), day: &str) -> Result<PathBuf, Failed> {
    let made = folder.join(format!("claims-{people}-{claims}"));
    if !made.join("done").exists() {
        let of_day = eligibility::day::Day::parse(day).ok_or("the day is none")?;
        let month = of_day.plus(1 - of_day.ymd().2 as i32).plus_months(-1).to_string();
        let mut load = Command::new(programs.join("shikaku-load"));
        load.args(["claims", "--people", &people.to_string(), "--claims", &claims.to_string()]);
        load.args(["--day", day, "--month", month.get(..7).unwrap_or_default(), "--out"]).arg(&made);
        run(&mut load)?;
        File::create(made.join("done"))?;
    }
    Ok(made)
}

fn run(command: &mut Command) -> Result<(), Failed> {
    if command.stdout(Stdio::null()).status()?.success() {
        return Ok(());
    }
    Err(format!("{command:?} failed").into())
}

/// Checks the file with everything that the command writes, and tells what it took.
fn check(programs: &Path, nation: &Path, made: &Path, claims: u64) -> Result<(), Failed> {
    let (file, out) = (made.join("claims.uke"), made.join("out"));
    let mut precheck = Command::new(programs.join("shikaku"));
    precheck.arg("precheck").arg(&file).arg("--config").arg(nation.join("shikaku.toml"));
    precheck.arg("--out").arg(&out).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Clock::instant();
    let mut running = precheck.spawn()?;
    let status = format!("/proc/{}/status", running.id());
    let mut peak = 0;
    let code = loop {
        peak = peak.max(high_water(&status).unwrap_or(0));
        match running.try_wait()? {
            Some(code) => break code,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let took = began.elapsed().as_secs_f64();
    if !code.success() {
        return Err(format!("{precheck:?} failed").into());
    }
    let right = right(&made.join("answers.ndjson"), &out.join("results.ndjson"))?;
    let (rate, octets) = (claims as f64 / took, std::fs::metadata(&file)?.len() / claims);
    println!(
        "{claims} claims of {octets} octets: {took:.1} s for the whole command, {rate:.0} a second; \
         peak memory {} MB; {right} verdicts right",
        peak / 1024
    );
    println!("  a month of the nation, 143 million claims: {:.0} minutes", NATION / rate / 60.0);
    Ok(())
}

/// The most memory that was resident, in kB.
fn high_water(status: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
}

/// How many results have the verdict of the right answers, in the same order.
fn right(answers: &Path, results: &Path) -> Result<u64, Failed> {
    let lines = |path: &Path| Ok::<_, Failed>(BufReader::with_capacity(1 << 20, File::open(path)?).lines());
    let mut right = 0;
    for (answer, result) in lines(answers)?.zip(lines(results)?) {
        let (answer, result) = (answer?, result?);
        let (answer, result): (Said, Said) = (serde_json::from_str(&answer)?, serde_json::from_str(&result)?);
        right += u64::from(answer.verdict == result.verdict);
    }
    Ok(right)
}
