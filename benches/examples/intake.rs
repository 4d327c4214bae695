//! What intake takes: real programs over loopback, JSON a line a measurement.
//!
//! ```text
//! cargo build --release -p gateway -p loadtest --bins
//! target/release/shikaku-load population --people 4600000 --out nation
//! cargo run --release -p benches --example intake -- target/release nation work load
//! cargo run --release -p benches --example intake -- target/release nation work post
//! cargo run --release -p benches --example intake -- target/release nation work desk 2000
//! cargo run --release -p benches --example intake -- target/release nation work restart
//! ```
//!
//! | last word | measures |
//! |---|---|
//! | `load` | `feed load` of the nation into a new ledger, the whole command: records a second, octets a record |
//! | `post` | one delivery of an insurer over HTTPS from one client until it is answered, so durable and visible: once of persons new to the insurer, once of the same persons again; then small ones, each by itself |
//! | `desk RATE` | p99 of number queries at this rate, alone and beside such a delivery, what the delivery reaches, and small ones after it; a few answers are another than the nation has it, as the deliveries make people members of a second insurer |
//! | `restart` | seconds until the gateway answers after `kill -9`, four times; the first start may have to follow what came since memory was saved |
//!
//! What SQLite alone takes for the same packs: `cargo run --release -p ledger --example measure`.

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Member records of the delivery over HTTPS.
const DELIVERY: usize = 1_000_000;
/// Small deliveries measured by themselves.
const SMALL: usize = 200;
/// Seconds of each phase beside the desk.
const SECONDS: u64 = 20;
const SOURCE: &str = "06132013";
const ADDRESS: &str = "127.0.0.1:8443";

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Ends the gateway with the measurement.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Bench {
    programs: PathBuf,
    nation: PathBuf,
    work: PathBuf,
}

fn main() -> Outcome<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [programs, nation, work, what, rest @ ..] = arguments.as_slice() else {
        return Err("which programs, which nation, which folder to work in, and what?".into());
    };
    let bench = Bench { programs: programs.into(), nation: nation.into(), work: work.into() };
    match what.as_str() {
        "load" => bench.load(),
        "post" => bench.post(),
        "desk" => bench.desk(rest.first().map_or(Ok(2_000), |rate| rate.parse())?),
        "restart" => bench.restart(),
        other => Err(format!("{other:?} is not load, post, desk or restart").into()),
    }
}

impl Bench {
    fn path(&self, name: &str) -> PathBuf {
        self.work.join(name)
    }

    fn shikaku(&self) -> Command {
        Command::new(self.programs.join("shikaku"))
    }

    fn feeds(&self) -> Outcome<Vec<PathBuf>> {
        let files = fs::read_dir(self.nation.join("feed"))?.map(|entry| entry.map(|entry| entry.path()));
        Ok(files.collect::<Result<_, _>>()?)
    }

    fn load(&self) -> Outcome<()> {
        done(self.shikaku().args(["demo", "--prepare-only", "--people", "200", "--dir"]).arg(&self.work))?;
        for entry in fs::read_dir(self.path("data"))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("ledger") {
                fs::remove_file(entry.path())?;
            } else if name == "memory" {
                fs::remove_dir_all(entry.path())?;
            }
        }
        // The demonstration's own insurers are among the nation's.
        fs::copy(self.nation.join("insurers.csv"), self.path("insurers.csv"))?;
        // The desk asks for the nation's people.
        fs::copy(self.nation.join("nation.toml"), self.path("demo.toml"))?;
        // Whole deliveries are weighed, and none is held back: these ones are of the strangest.
        let config = fs::read_to_string(self.path("shikaku.toml"))?;
        let config = config.replace("losses_percent = 5", "losses_percent = 100");
        fs::write(
            self.path("shikaku.toml"),
            config.replace("emptied_percent = 10", "emptied_percent = 100"),
        )?;
        let files = self.feeds()?;
        let mut records = 0;
        for file in &files {
            let mut lines = BufReader::with_capacity(1 << 20, File::open(file)?);
            records += lines_in(&mut lines)?;
        }
        let began = Instant::now();
        let config = self.path("shikaku.toml");
        done(self.shikaku().args(["feed", "load", "--config"]).arg(config).args(&files))?;
        let seconds = began.elapsed().as_secs_f64();
        let ledger: u64 = fs::read_dir(self.path("data"))?
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("ledger"))
            .filter_map(|entry| Some(entry.metadata().ok()?.len()))
            .sum();
        say(&json!({
            "measured": "feed load", "records": records, "files": files.len(), "seconds": seconds,
            "records_per_second": records as f64 / seconds, "octets_per_record": ledger as f64 / records as f64,
        }))
    }

    fn serve(&self) -> Outcome<Serving> {
        let began = Instant::now();
        let config = self.path("shikaku.toml");
        let serving =
            Serving(self.shikaku().args(["serve", "--log", "warn", "--config"]).arg(config).spawn()?);
        // It takes connections before it is ready to answer them.
        while self.curl().arg(self.feed()).output()?.status.code() != Some(0) {
            std::thread::sleep(Duration::from_millis(50));
        }
        say(&json!({"measured": "start", "seconds": began.elapsed().as_secs_f64()}))?;
        Ok(serving)
    }

    fn restart(&self) -> Outcome<()> {
        for _ in 0..4 {
            let serving = self.serve()?;
            // Memory is saved meanwhile.
            std::thread::sleep(Duration::from_secs(5));
            drop(serving);
        }
        Ok(())
    }

    fn curl(&self) -> Command {
        let mut curl = Command::new("curl");
        let client = |end: &str| self.path(&format!("clients/insurer-{SOURCE}{end}.pem"));
        curl.args(["-sS", "--fail-with-body", "--cacert"]).arg(self.path("tls/ca.pem"));
        curl.arg("--cert").arg(client("")).arg("--key").arg(client("-key"));
        curl
    }

    fn feed(&self) -> String {
        format!("https://{ADDRESS}/v1/feeds/{SOURCE}")
    }

    /// Sends a file as one delivery; gives its answer and the seconds until it was there.
    fn deliver(&self, file: &Path) -> Outcome<(Value, f64)> {
        let began = Instant::now();
        let output = self
            .curl()
            .args(["-X", "POST", "-H", "content-type: application/x-ndjson", "-T"])
            .arg(file)
            .arg(self.feed())
            .stderr(Stdio::inherit())
            .output()?;
        let answer = String::from_utf8(output.stdout)?;
        if !output.status.success() {
            return Err(answer.into());
        }
        Ok((serde_json::from_str(&answer)?, began.elapsed().as_secs_f64()))
    }

    fn next_sequence(&self) -> Outcome<u64> {
        let state: Value = serde_json::from_slice(&self.curl().arg(self.feed()).output()?.stdout)?;
        Ok(state["committed_sequence"].as_u64().unwrap_or(0) + 1)
    }

    /// Writes so many records on the nation's people as of our source, from this sequence on.
    fn write(&self, name: &str, from: u64, count: usize) -> Outcome<PathBuf> {
        let file = self.path(name);
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&file)?);
        let mut feeds = self.feeds()?;
        feeds.sort();
        let insurers = feeds.iter().filter(|feed| {
            feed.file_stem()
                .is_some_and(|stem| stem.to_string_lossy().starts_with(|c: char| c.is_ascii_digit()))
        });
        let mut sequence = from;
        for feed in insurers {
            for line in BufReader::with_capacity(1 << 20, File::open(feed)?).lines() {
                let line = line?;
                if sequence == from + count as u64 {
                    out.flush()?;
                    return Ok(file);
                }
                let (Some(at), Some(rest)) = (line.find(r#""sequence":"#), line.find(r#","kind":"member""#))
                else {
                    continue;
                };
                if at < rest {
                    let rest = line.get(rest..).unwrap_or_default();
                    writeln!(out, r#"{{"source":"{SOURCE}","sequence":{sequence}{rest}"#)?;
                    sequence += 1;
                }
            }
        }
        Err(format!("the nation has only {} member records", sequence - from).into())
    }

    fn post(&self) -> Outcome<()> {
        let _serving = self.serve()?;
        for what in ["persons new to the insurer", "the same persons again"] {
            let file = self.write("delivery.ndjson", self.next_sequence()?, DELIVERY)?;
            let (answer, seconds) = self.deliver(&file)?;
            say(&json!({
                "measured": "one delivery over HTTPS", "of": what, "records": DELIVERY, "seconds": seconds,
                "records_per_second": DELIVERY as f64 / seconds, "accepted": answer["accepted"],
            }))?;
        }
        self.small("a delivery of one record, a new connection each, until it is visible")
    }

    /// Small deliveries, each by itself.
    fn small(&self, what: &str) -> Outcome<()> {
        let mut took = Vec::new();
        for _ in 0..SMALL {
            let file = self.write("small.ndjson", self.next_sequence()?, 1)?;
            took.push(self.deliver(&file)?.1 * 1e3);
        }
        took.sort_by(f64::total_cmp);
        say(&json!({
            "measured": what,
            "p50_ms": took.get(SMALL / 2), "p99_ms": took.get(SMALL * 99 / 100),
        }))
    }

    fn desk(&self, rate: u64) -> Outcome<()> {
        let _serving = self.serve()?;
        let file = self.write("delivery.ndjson", self.next_sequence()?, DELIVERY)?;
        let scenario = self.path("desk.toml");
        fs::write(&scenario, scenario_at(rate))?;
        let began = Instant::now();
        let mut desk = Command::new(self.programs.join("shikaku-load"));
        desk.arg("run").arg(&scenario).arg("--folder").arg(&self.work).arg("--out").arg(self.path("desk"));
        let _ = fs::remove_dir_all(self.path("desk"));
        let mut desk = desk.stdout(Stdio::null()).spawn()?;
        // What comes before the first phase takes some seconds; the delivery begins within the second.
        std::thread::sleep(Duration::from_secs(5 + SECONDS + 3));
        let delivered_from = began.elapsed().as_secs_f64();
        let (answer, seconds) = self.deliver(&file)?;
        self.small("small ones beside the desk")?;
        desk.wait()?;
        let result: Value = serde_json::from_slice(&fs::read(self.path("desk/result.json"))?)?;
        say(&json!({
            "measured": "the desk beside a delivery", "rate": rate, "objectives": result["objectives"],
            "verdict": result["verdict"], "delivered_from": delivered_from, "delivery_seconds": seconds,
            "records_per_second": DELIVERY as f64 / seconds, "accepted": answer["accepted"],
        }))
    }
}

fn scenario_at(rate: u64) -> String {
    let phase = |name: &str, seconds: u64| {
        format!(
            "[[phases]]\nname = \"{name}\"\nshape = \"constant\"\nrate = {rate}\nseconds = {seconds}\nobjectives = [\"p50 <= 1s\", \"p99 <= 1s\", \"errors == 0\"]\n"
        )
    };
    format!(
        "name = \"beside\"\nabout = \"The desk alone, then beside deliveries.\"\nobjectives = [\"errors == 0\"]\n\
         [target]\nurl = \"https://{ADDRESS}\"\nfolder = \".\"\n\
         [institutions]\nhospitals = 4\nclinics = 40\ndental = 30\npharmacies = 30\nconnections = 8\n\
         [mix]\nnumber = 100\n{}{}{}",
        phase("alone", SECONDS),
        phase("beside", SECONDS),
        phase("small", SECONDS),
    )
}

fn lines_in(lines: &mut impl std::io::BufRead) -> Outcome<u64> {
    let mut count = 0;
    loop {
        let octets = lines.fill_buf()?;
        if octets.is_empty() {
            return Ok(count);
        }
        count += octets.iter().filter(|octet| **octet == b'\n').count() as u64;
        let length = octets.len();
        lines.consume(length);
    }
}

fn done(command: &mut Command) -> Outcome<()> {
    let output = command.stdout(Stdio::null()).stderr(Stdio::piped()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}

fn say(line: &Value) -> Outcome<()> {
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}
