//! The highest rate that holds, by doubling and halving, several times over.

use serde::{Deserialize, Serialize};

use super::{Limit, Trial};

/// Of a server's cores, so much used counts as used up.
const USED_UP: f64 = 0.85;
/// Searches end when the bracket is this narrow, as a share of the rate.
const NARROW: f64 = 0.04;
/// Student's t for a range of 95 %, from one degree of freedom on.
const STUDENT: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/// What is searched for.
#[derive(Clone, Copy, Debug)]
pub struct Searched {
    /// The rate to begin with.
    pub from: f64,
    /// The highest rate to try.
    pub to: f64,
    /// How often the search is made; from 2 on there is a range.
    pub repeats: u32,
    /// Cores that the server has.
    pub cores: f64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// Requests a second: the mean of the searches.
    pub rate: f64,
    /// The range in which it lies with 95 %: the same value twice after one search.
    pub range: (f64, f64),
    /// What each search found.
    pub found: Vec<f64>,
    /// What gave way first.
    pub limit: Limit,
    /// Every trial, in order.
    pub trials: Vec<Trial>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// Not even the lowest rate holds.
    #[error("the objectives do not hold at {0} requests a second: begin lower, or ask for less")]
    NeverHolds(String),
    /// A trial could not be made.
    #[error("{0}")]
    Trial(String),
}

/// Searches. `trial` runs at a rate.
///
/// # Errors
/// [`SearchError`].
pub fn search(
    searched: Searched,
    mut trial: impl FnMut(f64) -> Result<Trial, String>,
) -> Result<Capacity, SearchError> {
    let mut trials: Vec<Trial> = Vec::new();
    let mut run = |rate: f64, trials: &mut Vec<Trial>| -> Result<bool, SearchError> {
        let done = trial(rate).map_err(SearchError::Trial)?;
        let held = done.held && done.invalid.is_empty();
        trials.push(done);
        Ok(held)
    };
    let mut low = searched.from;
    if !run(low, &mut trials)? {
        return Err(SearchError::NeverHolds(format!("{low}")));
    }
    let mut high = None;
    while high.is_none() && low < searched.to {
        let next = (low * 2.0).min(searched.to);
        if run(next, &mut trials)? {
            low = next;
        } else {
            high = Some(next);
        }
    }
    let Some(high) = high else {
        return Ok(Capacity { rate: low, range: (low, low), found: vec![low], limit: Limit::None, trials });
    };
    let mut found = vec![halve(low, high, &mut |rate| run(rate, &mut trials))?];
    for _ in 1..searched.repeats {
        let last = found.last().copied().unwrap_or(low);
        // A bracket of its own, so that a lucky trial of an earlier search does not decide.
        let (mut low, mut high) = (last * 0.8, last * 1.2);
        while !run(low, &mut trials)? && low > searched.from * 0.1 {
            (low, high) = (low * 0.7, low);
        }
        while high < searched.to && run(high, &mut trials)? {
            (low, high) = (high, high * 1.2);
        }
        found.push(halve(low, high, &mut |rate| run(rate, &mut trials))?);
    }
    let (rate, range) = mean_and_range(&found);
    let limit = limit(&trials, rate, searched.cores);
    Ok(Capacity { rate, range, found, limit, trials })
}

/// The highest rate that holds between one that does and one that does not.
fn halve(
    mut low: f64,
    mut high: f64,
    holds: &mut dyn FnMut(f64) -> Result<bool, SearchError>,
) -> Result<f64, SearchError> {
    while (high - low) / low > NARROW {
        let middle = f64::midpoint(low, high);
        if holds(middle)? {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(f64::midpoint(low, high))
}

fn mean_and_range(found: &[f64]) -> (f64, (f64, f64)) {
    let count = found.len() as f64;
    let mean = found.iter().sum::<f64>() / count;
    if found.len() < 2 {
        return (mean, (mean, mean));
    }
    let variance = found.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let student = STUDENT.get(found.len() - 2).copied().unwrap_or(2.0);
    // The halving itself leaves an error of half its bracket.
    let half = (student * (variance / count).sqrt()).hypot(mean * NARROW / 2.0);
    (mean, ((mean - half).max(0.0), mean + half))
}

/// What gave way, from the lowest trial above the capacity that did not hold.
fn limit(trials: &[Trial], rate: f64, cores: f64) -> Limit {
    let missed =
        trials.iter().filter(|one| !one.held || !one.invalid.is_empty()).filter(|one| one.rate >= rate * 0.9);
    let Some(first) = missed.min_by(|a, b| a.rate.total_cmp(&b.rate)) else { return Limit::None };
    let highest_cores = trials.iter().filter_map(|one| one.server_cores).fold(0.0, f64::max);
    if !first.invalid.is_empty() {
        Limit::Generator
    } else if first.unconnected > 0 || first.handshake > first.p50.max(0.001) * 2.0 {
        Limit::Handshakes
    } else if highest_cores >= cores * USED_UP {
        Limit::Cpu
    } else if first.overloaded > 0 {
        Limit::OverloadControl
    } else if first.waited > 0.05 {
        Limit::Connections
    } else {
        Limit::Queueing
    }
}
