//! Two runs beside each other, and several generators' files as one run.

use crate::outcome::Kind;
use crate::result::{RunResult, Verdict};
use crate::scenario::{Scenario, Target};

/// One figure of two runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What is compared.
    pub what: String,
    /// In the first.
    pub before: f64,
    /// In the second.
    pub after: f64,
    /// Whether more is worse.
    pub more_is_worse: bool,
}

impl Comparison {
    /// By how much the second is worse, as a share of the first; below 0 where it is better.
    #[must_use]
    pub fn worse_by(&self) -> f64 {
        let change = (self.after - self.before) / self.before.abs().max(f64::MIN_POSITIVE);
        if (self.after - self.before).abs() < f64::EPSILON {
            0.0
        } else if self.more_is_worse {
            change
        } else {
            -change
        }
    }
}

/// Compares two runs.
///
/// # Errors
/// What is unlike in their conditions, line by line: such runs say nothing of each other.
pub fn compare(before: &RunResult, after: &RunResult) -> Result<Vec<Comparison>, Vec<String>> {
    let unlike = differences(before, after);
    if !unlike.is_empty() {
        return Err(unlike);
    }
    let ((a, seconds_a), (b, seconds_b)) = (before.judged(), after.judged());
    let mut all = Vec::new();
    let mut add = |what: String, before: f64, after: f64, more_is_worse: bool| {
        all.push(Comparison { what, before, after, more_is_worse });
    };
    let rate =
        |tally: &crate::tally::Tally, seconds: f64| (tally.ended - tally.failed) as f64 / seconds.max(1e-9);
    add("answers a second".to_owned(), rate(&a, seconds_a), rate(&b, seconds_b), false);
    add("failed".to_owned(), a.failed as f64, b.failed as f64, true);
    add("unexpected".to_owned(), a.wrong as f64, b.wrong as f64, true);
    for kind in Kind::ALL {
        if let (Some(a), Some(b)) = (a.kinds.get(&kind), b.kinds.get(&kind)) {
            for (name, share) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)] {
                let ms = |one: &crate::histogram::Durations| one.quantile(share) * 1e3;
                add(format!("{} {name} ms", kind.word()), ms(&a.latency), ms(&b.latency), true);
            }
        }
    }
    let cores = |run: &RunResult| {
        let seen: Vec<f64> = run.seconds.iter().filter_map(|one| one.server_cores).collect();
        (!seen.is_empty()).then(|| seen.iter().sum::<f64>() / seen.len() as f64)
    };
    if let (Some(a), Some(b)) = (cores(before), cores(after)) {
        add("cores of the server".to_owned(), a, b, true);
    }
    Ok(all)
}

/// What is unlike in the conditions of two runs.
fn differences(a: &RunResult, b: &RunResult) -> Vec<String> {
    let mut unlike = Vec::new();
    let mut check = |what: &str, a: String, b: String| {
        if a != b {
            unlike.push(format!("{what}: {a} and {b}"));
        }
    };
    let (one, two) = (&a.conditions, &b.conditions);
    check("program", one.program.clone(), two.program.clone());
    check("processor", one.processor.clone(), two.processor.clone());
    check("cores", one.cores.to_string(), two.cores.to_string());
    check("generators", one.of.to_string(), two.of.to_string());
    check("sending threads", one.workers.to_string(), two.workers.to_string());
    check("signatures", a.signing.when.clone(), b.signing.when.clone());
    check("counts", a.verdict.valid.to_string(), b.verdict.valid.to_string());
    let tables = [&a.scenario, &b.scenario].map(|one| toml::Table::try_from(asked(one)).unwrap_or_default());
    let [left, right] = &tables;
    let keys: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    for key in keys {
        let text = |table: &toml::Table| table.get(key).map(ToString::to_string).unwrap_or_default();
        check(&format!("scenario, {key}"), text(left), text(right));
    }
    unlike
}

/// A scenario without its name, its objectives and where the server was.
fn asked(scenario: &Scenario) -> Scenario {
    let target = Target {
        url: String::new(),
        folder: None,
        ca: None,
        client: None,
        metrics: None,
        watch: Vec::new(),
        ..scenario.target.clone()
    };
    let mut bare = Scenario { name: String::new(), about: String::new(), target, ..scenario.clone() };
    bare.objectives.clear();
    bare.phases.iter_mut().for_each(|phase| phase.objectives.clear());
    bare
}

/// Adds up the files of several generators of one run.
///
/// # Errors
/// Files of different runs, a part that comes twice, or is missing.
pub fn merge(results: Vec<RunResult>) -> Result<RunResult, String> {
    let mut all = results.into_iter();
    let mut sum = all.next().ok_or("no result to add")?;
    for more in all {
        if asked(&sum.scenario) != asked(&more.scenario) || sum.conditions.of != more.conditions.of {
            return Err("these are parts of different runs".to_owned());
        }
        if more.conditions.parts.iter().any(|part| sum.conditions.parts.contains(part)) {
            return Err("the same part comes twice".to_owned());
        }
        add(&mut sum, more);
    }
    sum.conditions.parts.sort_unstable();
    let missing: Vec<String> = (0..sum.conditions.of)
        .filter(|part| !sum.conditions.parts.contains(part))
        .map(|part| format!("{}/{}", part + 1, sum.conditions.of))
        .collect();
    if !missing.is_empty() {
        return Err(format!("missing parts: {}", missing.join(", ")));
    }
    sum.judge();
    Ok(sum)
}

fn add(sum: &mut RunResult, more: RunResult) {
    sum.conditions.parts.extend(more.conditions.parts);
    sum.conditions.workers += more.conditions.workers;
    sum.before.add(&more.before);
    sum.phases.iter_mut().zip(&more.phases).for_each(|(own, other)| own.tally.add(&other.tally));
    for other in more.seconds {
        let Some(own) = sum.seconds.iter_mut().find(|own| own.at == other.at) else {
            sum.seconds.push(other);
            continue;
        };
        own.due += other.due;
        own.ended += other.ended;
        own.failed += other.failed;
        own.wrong += other.wrong;
        own.open += other.open;
        own.latency.add(&other.latency);
        own.lag_p99 = own.lag_p99.max(other.lag_p99);
        own.busy = own.busy.max(other.busy);
        own.starved = own.starved.max(other.starved);
        own.server_cores = own.server_cores.or(other.server_cores);
        if own.server.is_empty() {
            own.server = other.server;
        }
    }
    sum.seconds.sort_by_key(|one| one.at);
    sum.signing.signed += more.signing.signed;
    sum.signing.refused += more.signing.refused;
    sum.signing.fetches.add(&more.signing.fetches);
    sum.signing.busy = sum.signing.busy.max(more.signing.busy);
    // One generator that was the limit makes the whole run one that does not count.
    let Verdict { valid, reasons, notes } = more.verdict;
    sum.verdict.valid &= valid;
    sum.verdict.reasons.extend(reasons);
    sum.verdict.notes.extend(notes);
}
