//! CSV: a line a second, a line a percentile.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::result::RunResult;

/// A line a second.
#[must_use]
pub fn seconds(result: &RunResult) -> String {
    let metrics: BTreeSet<&str> =
        result.seconds.iter().flat_map(|one| one.server.keys().map(String::as_str)).collect();
    let mut text = "second,due,ended,failed,wrong,open,p50_ms,p90_ms,p99_ms,p999_ms,max_ms,lag_p99_ms,generator_busy,generator_starved,server_cores".to_owned();
    metrics.iter().for_each(|name| text.extend([",", name]));
    text.push('\n');
    for one in &result.seconds {
        let ms = |share| one.latency.quantile(share) * 1e3;
        let cores = one.server_cores.map_or_else(String::new, |cores| format!("{cores:.3}"));
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{},{},{},{},{},{},{:.4},{:.4},{:.4},{:.4},{:.4},{:.4},{:.3},{:.3},{cores}",
            one.at,
            one.due,
            one.ended,
            one.failed,
            one.wrong,
            one.open,
            ms(0.5),
            ms(0.9),
            ms(0.99),
            ms(0.999),
            ms(1.0),
            one.lag_p99 * 1e3,
            one.busy,
            one.starved,
        );
        for name in &metrics {
            let value = one.server.get(*name).map_or_else(String::new, ToString::to_string);
            text.extend([",", value.as_str()]);
        }
        text.push('\n');
    }
    text
}

/// A line a percentile, of latency and of service time.
#[must_use]
pub fn percentiles(result: &RunResult) -> String {
    let (all, _) = result.judged();
    let (latency, service) = (all.latency(), all.service());
    let mut text = "percentile,latency_ms,service_ms,lag_ms\n".to_owned();
    for percent in [0.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.95, 99.99, 99.999, 100.0] {
        let ms = |of: &crate::histogram::Durations| of.quantile(percent / 100.0) * 1e3;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{percent},{:.4},{:.4},{:.4}", ms(&latency), ms(&service), ms(&all.lag));
    }
    text
}
