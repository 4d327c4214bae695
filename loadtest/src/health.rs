//! How the generator fares, and the verdict: was it, and not the server, the limit?

use crate::engine::{Watch, WatchFile};
use crate::outcome::{Kind, Word};
use crate::result::{Conditions, RunResult, Verdict};

/// A thread that waits for a core for more than this share of the time is starved.
const STARVED: f64 = 0.10;
/// A thread that uses more than this share of a core is busy.
const BUSY: f64 = 0.90;
/// Card requests that may be due before their signature is ready.
const UNSIGNED: f64 = 0.001;

/// Threads that are watched.
#[derive(Debug, Default)]
pub struct Threads(Vec<(WatchFile, Watch)>);

impl Threads {
    /// Watches one more.
    pub fn add(&mut self, file: WatchFile) {
        let now = file.read().unwrap_or_default();
        self.0.push((file, now));
    }

    /// Since the last look `nanos` ago: the busiest thread's share of a core, and the longest share
    /// for which one waited for a core.
    pub fn look(&mut self, nanos: f64) -> (f64, f64) {
        let mut worst = (0.0_f64, 0.0_f64);
        for (file, last) in &mut self.0 {
            let Some(now) = file.read() else { continue };
            worst.0 = worst.0.max((now.ran - last.ran) as f64 / nanos);
            worst.1 = worst.1.max((now.waited - last.waited) as f64 / nanos);
            *last = now;
        }
        worst
    }
}

/// The conditions of this machine.
#[must_use]
pub fn conditions(began: String, part: usize, of: usize, workers: usize) -> Conditions {
    let file = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let processors = file("/proc/cpuinfo");
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    Conditions {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        began,
        processor: model.map_or_else(|| "unknown".to_owned(), |(_, model)| model.to_owned()),
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        kernel: file("/proc/sys/kernel/osrelease").trim().to_owned(),
        parts: vec![part],
        of,
        workers,
    }
}

/// Judges whether a run counts.
#[must_use]
pub fn verdict(result: &RunResult) -> Verdict {
    let (all, _) = result.judged();
    let mut reasons = Vec::new();
    let mut notes = Vec::new();
    let judged: Vec<_> = result.seconds.iter().filter(|one| one.due > 0).collect();
    let worst =
        |of: &dyn Fn(&crate::result::Second) -> f64| judged.iter().map(|one| of(one)).fold(0.0, f64::max);
    let (busy, starved) = (worst(&|one| one.busy), worst(&|one| one.starved));
    let lag = all.lag.quantile(0.99) * 1000.0;
    let limit = result.scenario.generator.lag_ms;
    if all.due == 0 {
        reasons.push("no request was due".to_owned());
    }
    if lag > limit {
        let cause = if starved > STARVED {
            format!(
                "a thread waited for a core up to {:.0} % of a second: other programs use this machine's cores",
                starved * 100.0
            )
        } else if busy > BUSY {
            format!(
                "a thread used up to {:.0} % of a core: give it more workers or a part of the load",
                busy * 100.0
            )
        } else {
            "neither its threads nor the cores were busy: this machine sleeps or is paused".to_owned()
        };
        reasons.push(format!(
            "the generator was late: p99 of its lag is {lag:.2} ms, more than {limit} ms; {cause}"
        ));
    }
    let ended =
        |word: Word| all.answers.iter().filter(|one| one.word == word).map(|one| one.count).sum::<u64>();
    let no_socket = ended(Word::NO_SOCKET)
        + result.before.answers.iter().filter(|one| one.word == Word::NO_SOCKET).count() as u64;
    if no_socket > 0 {
        reasons.push(format!("{no_socket} requests met no more sockets, files or ports on this machine: raise `ulimit -n` or take more addresses"));
    }
    let cards = all.kinds.get(&Kind::Card).map_or(0, |kind| kind.latency.count());
    let unsigned = all.unsigned as f64 / cards.max(1) as f64;
    if unsigned > UNSIGNED {
        let words =
            format!("{} of {cards} card requests were due before their signature was ready", all.unsigned);
        if result.signing.busy > 0.8 || starved > STARVED {
            reasons.push(format!("{words}: raise generator.signers, or sign before the run"));
        } else {
            notes.push(format!(
                "{words}: the server was slow to give challenges ({} fetches refused)",
                result.signing.refused
            ));
        }
    }
    let waited = all.waited as f64 / all.due.max(1) as f64;
    if waited > 0.01 {
        notes.push(format!("{:.1} % of the requests waited for a connection of their institution; the wait is in the latency", waited * 100.0));
    }
    if all.repeated > 0 {
        notes.push(format!(
            "{} requests were sent once more, after the server had closed their idle connection",
            all.repeated
        ));
    }
    Verdict { valid: reasons.is_empty(), reasons, notes }
}
