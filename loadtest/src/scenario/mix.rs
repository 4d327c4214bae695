//! What is asked: shares of the kinds of requests.

use serde::{Deserialize, Serialize};

/// Shares of what is asked; they need not add up to anything.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mix {
    /// By card.
    pub card: f64,
    /// By number.
    pub number: f64,
    /// In batches.
    pub batch: f64,
    /// Challenges alone.
    pub challenge: f64,
    /// `GET` of `path`.
    pub plain: f64,
    /// Claim files handed in for a pre-check.
    pub precheck: f64,
    /// The path of plain requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Lines of a batch; 100 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_lines: Option<u32>,
    /// Claims of a file; 100 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precheck_claims: Option<u32>,
}

impl Mix {
    /// The shares in the order of [`Kind::ALL`](crate::outcome::Kind::ALL).
    #[must_use]
    pub const fn shares(&self) -> [f64; 6] {
        [self.card, self.number, self.batch, self.challenge, self.plain, self.precheck]
    }

    /// Whether people are asked about.
    fn needs_people(&self) -> bool {
        [self.card, self.number, self.batch, self.precheck].into_iter().any(|share| share > 0.0)
    }

    /// Refuses what makes no sense; `has_people`: the scenario has a folder of them.
    pub(super) fn check(&self, has_people: bool) -> Result<(), String> {
        if self.plain > 0.0 && !self.path.as_ref().is_some_and(|path| path.starts_with('/')) {
            return Err("mix.path: plain requests need a path that begins with /".to_owned());
        }
        if self.needs_people() && !has_people {
            return Err("target.folder: questions about people need the folder they come from".to_owned());
        }
        if self.batch_lines.is_some_and(|lines| !(1..=10_000).contains(&lines)) {
            return Err("mix.batch_lines: 1 to 10000".to_owned());
        }
        if self.precheck_claims.is_some_and(|claims| !(1..=100_000).contains(&claims)) {
            return Err("mix.precheck_claims: 1 to 100000".to_owned());
        }
        Ok(())
    }
}
