//! The load: `shikaku-load` on the second core, and what it measured.

use std::path::Path;
use std::process::{Command, Stdio};

use super::Failed;
use super::servers::{Folder, Server};

/// The core of the load, as `taskset` has it.
pub(super) const CORE: &str = "1";
/// Seconds at the beginning that are not counted.
const WARM: usize = 2;

/// What is asked.
#[derive(Clone, Copy)]
pub(super) struct Load {
    /// Requests a second.
    pub(super) rate: u32,
    /// Seconds.
    pub(super) seconds: u32,
    /// Cards that sign, in place of numbers.
    pub(super) cards: bool,
    /// Cards with keys on the curve P-384, whose signatures cost ten times as much to check.
    pub(super) curve: bool,
    /// Connections.
    pub(super) connections: u32,
    /// A connection for each.
    pub(super) fresh: bool,
}

/// What came of it.
pub(super) struct Measured {
    /// Answers a second.
    pub(super) rate: f64,
    /// Of the server's core, how much was used.
    cores: f64,
    /// Answers that were not the right ones, or none.
    pub(super) wrong: u64,
    percentiles: Vec<(f64, f64)>,
    /// The 99th percentile of those alone that were answered, from when they were sent, in milliseconds.
    pub(super) answered_p99: f64,
}

impl Measured {
    /// Microseconds of the server's core an answer.
    pub(super) fn core_micros(&self) -> f64 {
        self.cores / self.rate * 1e6
    }

    /// Latency at a percentile, from the instant a question was due.
    pub(super) fn millis(&self, percent: f64) -> f64 {
        let near = |one: &&(f64, f64)| (one.0 - percent).abs() < 1e-6;
        self.percentiles.iter().find(near).map_or(f64::NAN, |one| one.1)
    }

    /// Whether the server's core had no time left, or was not asked for more.
    pub(super) fn full(&self) -> bool {
        self.cores > 0.95
    }
}

impl Load {
    /// Numbers over connections that keep open.
    pub(super) const fn numbers() -> Self {
        Self { rate: 1_000, seconds: 5, cards: false, curve: false, connections: 64, fresh: false }
    }

    fn scenario(&self, folder: &Folder) -> String {
        let Self { rate, seconds, cards, curve, connections, fresh } = *self;
        let rsa_keys = if curve { 0 } else { 16 };
        let kind = if cards { "card" } else { "number" };
        format!(
            "name='compare'\n[target]\nurl='https://{}'\nfolder='{}'\n[institutions]\nconnections={connections}\n\
             [mix]\n{kind}=1\n[cards]\nsigning='before'\nrsa_keys={rsa_keys}\nshares={{good=1}}\n[numbers]\nshares={{good=1}}\n\
             [generator]\nsigners=2\n\
             [[phases]]\nname='warm'\nshape='constant'\nrate={rate}\nseconds={WARM}\nwarm_up=true\nfresh={}\n\
             [[phases]]\nname='steady'\nshape='constant'\nrate={rate}\nseconds={seconds}\nfresh={}\n",
            folder.address(),
            folder.path().display(),
            u8::from(fresh),
            u8::from(fresh),
        )
    }

    /// Asks a server.
    pub(super) fn on(&self, programs: &Path, folder: &Folder, server: &Server) -> Result<Measured, Failed> {
        let (file, out) = (folder.file("scenario.toml"), folder.file("out"));
        std::fs::write(&file, self.scenario(folder))?;
        let mut load = Command::new("taskset");
        if self.cards {
            // Signing before the run has both cores; the run itself wants one and gets it.
            load.args(["-c", "0,1"]);
        } else {
            load.args(["-c", CORE]);
        }
        load.arg(programs.join("shikaku-load")).arg("run").arg(&file).arg("--out").arg(&out);
        load.args(["--server-process", &server.id().to_string()]);
        // Exit code 1 is its verdict on a server that was asked for more than it gives.
        let output = load.stdout(Stdio::piped()).stderr(Stdio::piped()).output()?;
        if !matches!(output.status.code(), Some(0 | 1)) {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        self.measured(&out, &String::from_utf8_lossy(&output.stdout))
    }

    fn measured(&self, out: &Path, report: &str) -> Result<Measured, Failed> {
        let text = std::fs::read_to_string(out.join("seconds.csv"))?;
        let table = Table::of(&text);
        let whole = WARM..WARM + self.seconds as usize;
        let column = |name: &str| table.column(name, whole.clone());
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let wrong = column("wrong").iter().chain(&column("failed")).sum::<f64>() as u64;
        let text = std::fs::read_to_string(out.join("percentiles.csv"))?;
        let table = Table::of(&text);
        let rows = 0..text.lines().count();
        let percentiles = table.column("percentile", rows.clone()).into_iter();
        let percentiles = percentiles.zip(table.column("latency_ms", rows)).collect();
        Ok(Measured {
            rate: mean(column("ended")),
            cores: mean(column("server_cores")),
            wrong,
            percentiles,
            answered_p99: answered_p99(report),
        })
    }
}

/// The last row but one of the report's table.
fn answered_p99(report: &str) -> f64 {
    let row = report.lines().find_map(|line| line.trim().strip_prefix("answered "));
    row.and_then(|row| row.split_whitespace().nth(4)?.parse().ok()).unwrap_or(f64::NAN)
}

/// A CSV file of numbers.
struct Table<'t> {
    names: Vec<&'t str>,
    rows: Vec<Vec<&'t str>>,
}

impl<'t> Table<'t> {
    fn of(text: &'t str) -> Self {
        let mut lines = text.lines().map(|line| line.split(',').collect());
        Self { names: lines.next().unwrap_or_default(), rows: lines.collect() }
    }

    fn column(&self, name: &str, rows: std::ops::Range<usize>) -> Vec<f64> {
        let at = self.names.iter().position(|one| *one == name).unwrap_or(usize::MAX);
        let rows = self.rows.iter().skip(rows.start).take(rows.len());
        rows.filter_map(|row| row.get(at)?.parse().ok()).collect()
    }
}
