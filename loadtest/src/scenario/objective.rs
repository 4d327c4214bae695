//! Objectives: `p99 <= 5ms`, `errors == 0`, `rate >= 1000`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::outcome::Kind;
use crate::tally::Tally;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// Latency from the due instant, in seconds: `p50` … `p99.99`, of one kind with `card.p99`.
    Quantile(Option<Kind>, f64),
    /// The longest latency, in seconds.
    Longest(Option<Kind>),
    /// The mean latency, in seconds.
    Mean(Option<Kind>),
    /// Requests that failed.
    Errors,
    /// The share of requests that failed.
    ErrorShare,
    /// Answers that were not the expected ones.
    Wrong,
    /// Requests answered, a second.
    Rate,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Relation {
    AtMost,
    Below,
    AtLeast,
    Above,
    Equal,
}

/// One objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// What is measured.
    pub measure: Measure,
    relation: Relation,
    /// In seconds, or requests, or a share.
    pub limit: f64,
    text: String,
}

impl Objective {
    /// Reads one.
    ///
    /// # Errors
    /// What is not understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = |what: &str| format!("objective `{text}`: {what}; it is like `p99 <= 5ms`, `errors == 0`");
        let mut words = text.split_whitespace();
        let (Some(measure), Some(relation), Some(limit), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(bad("a measure, a relation and a limit"));
        };
        let (measure, is_time) = measure_of(measure).ok_or_else(|| bad("an unknown measure"))?;
        let relation = match relation {
            "<=" => Relation::AtMost,
            "<" => Relation::Below,
            ">=" => Relation::AtLeast,
            ">" => Relation::Above,
            "==" => Relation::Equal,
            _ => return Err(bad("an unknown relation")),
        };
        let units: &[(&str, f64)] = if is_time {
            &[("us", 1e-6), ("ms", 1e-3), ("s", 1.0)]
        } else {
            &[("%", 0.01), ("/s", 1.0), ("", 1.0)]
        };
        let limit = units.iter().find_map(|(unit, scale)| {
            limit.strip_suffix(unit)?.parse::<f64>().ok().map(|value| value * scale)
        });
        let limit = limit.filter(|limit| limit.is_finite()).ok_or_else(|| bad("a limit without sense"))?;
        Ok(Self { measure, relation, limit, text: words_of(text) })
    }

    /// What was measured over `seconds`; `None` where there is nothing to measure.
    #[must_use]
    pub fn value(&self, tally: &Tally, seconds: f64) -> Option<f64> {
        let latency = |kind: Option<Kind>| match kind {
            Some(kind) => tally.kinds.get(&kind).map(|one| one.latency.clone()).unwrap_or_default(),
            None => tally.latency(),
        };
        let of = |kind, read: &dyn Fn(&crate::histogram::Durations) -> f64| {
            let all = latency(kind);
            (all.count() > 0).then(|| read(&all))
        };
        match self.measure {
            Measure::Quantile(kind, share) => of(kind, &|all| all.quantile(share)),
            Measure::Longest(kind) => of(kind, &|all| all.longest()),
            Measure::Mean(kind) => of(kind, &|all| all.mean()),
            Measure::Errors => Some(tally.failed as f64),
            Measure::ErrorShare => (tally.ended > 0).then(|| tally.failed as f64 / tally.ended as f64),
            Measure::Wrong => Some(tally.wrong as f64),
            Measure::Rate => (seconds > 0.0).then(|| (tally.ended - tally.failed) as f64 / seconds),
        }
    }

    /// Whether the value is within the limit; nothing measured is not.
    #[must_use]
    pub fn holds(&self, value: Option<f64>) -> bool {
        value.is_some_and(|value| match self.relation {
            Relation::AtMost => value <= self.limit,
            Relation::Below => value < self.limit,
            Relation::AtLeast => value >= self.limit,
            Relation::Above => value > self.limit,
            Relation::Equal => (value - self.limit).abs() < f64::EPSILON,
        })
    }

    /// A value in the measure's unit.
    #[must_use]
    pub fn show(&self, value: Option<f64>) -> String {
        match (self.measure, value) {
            (_, None) => "nothing".to_owned(),
            (Measure::Quantile(..) | Measure::Longest(_) | Measure::Mean(_), Some(value)) => {
                format!("{:.3} ms", value * 1000.0)
            }
            (Measure::ErrorShare, Some(value)) => format!("{:.4} %", value * 100.0),
            (Measure::Rate, Some(value)) => format!("{value:.1}/s"),
            (Measure::Errors | Measure::Wrong, Some(value)) => format!("{value}"),
        }
    }
}

/// The measure of this name, and whether it is a time.
fn measure_of(text: &str) -> Option<(Measure, bool)> {
    match text {
        "errors" => return Some((Measure::Errors, false)),
        "error_share" => return Some((Measure::ErrorShare, false)),
        "wrong" => return Some((Measure::Wrong, false)),
        "rate" => return Some((Measure::Rate, false)),
        _ => {}
    }
    let of_kind = text.split_once('.').and_then(|(kind, rest)| {
        let kind = Kind::ALL.into_iter().find(|one| one.word() == kind)?;
        Some((Some(kind), rest))
    });
    let (kind, text) = of_kind.unwrap_or((None, text));
    Some(match text {
        "max" => (Measure::Longest(kind), true),
        "mean" => (Measure::Mean(kind), true),
        _ => {
            let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
            (0.0..=100.0).contains(&percent).then_some((Measure::Quantile(kind, percent / 100.0), true))?
        }
    })
}

fn words_of(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Objective {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Objective {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Sort, Word};
    use crate::tally::Ended;

    #[test]
    fn objectives_are_read_and_judged() {
        let mut tally = Tally::default();
        for at in 1..=1000_u64 {
            let (latency, service) = (at * 10_000, at * 5_000);
            let word = if at == 7 { Word::TIMEOUT } else { Word::OK };
            tally.end(&Ended { kind: Kind::Card, sort: Sort::Good, word, right: at != 7, latency, service });
        }
        for (text, holds) in [
            ("p99 <= 9.95ms", true),
            ("p99 < 9000us", false),
            ("card.p50 <= 0.00501s", true),
            ("number.p50 <= 1s", false),
            ("max >= 10ms", true),
            ("mean <= 5.1ms", true),
            ("errors == 0", false),
            ("errors == 1", true),
            ("error_share <= 0.1%", true),
            ("wrong == 0", true),
            ("rate >= 99.9/s", true),
            ("rate > 100", false),
        ] {
            let objective = Objective::parse(text).unwrap();
            assert_eq!(objective.holds(objective.value(&tally, 10.0)), holds, "{text}");
        }
        for bad in ["p99", "p101 < 1s", "p99 =< 1s", "p99 < 1", "rate > fast", "errors == 0 ."] {
            assert!(Objective::parse(bad).is_err(), "{bad}");
        }
    }
}
