//! What a run comes to: claims and 点数 by verdict and by rule.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::notices::Notices;
use crate::outcome::Outcome;
use crate::verdict::{Rule, Verdict};

/// Claims and their points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// How many claims.
    pub claims: u64,
    /// Their 点数.
    pub points: u64,
}

impl Total {
    fn add(&mut self, points: u64) {
        self.claims += 1;
        self.points = self.points.saturating_add(points);
    }
}

/// The sums of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// All claims.
    pub all: Total,
    /// Claims that may not go out as they are: the points at stake.
    pub at_stake: Total,
    /// By verdict, those that occurred.
    pub verdicts: BTreeMap<Verdict, Total>,
    /// Claims to be looked at by the deciding rule.
    pub rules: BTreeMap<Rule, Total>,
    /// Claims that leave for the other 審査支払機関.
    pub other_payer: Total,
    /// Claims whose right coverage was named.
    pub named: u64,
    /// Claims with warnings.
    pub warned: u64,
    /// What is wrong with the file as a whole, the first thousand.
    pub notices: Vec<Finding>,
    /// How many more there were.
    pub notices_dropped: u64,
}

impl Summary {
    /// Counts a result.
    pub fn add(&mut self, outcome: &Outcome) {
        let Outcome { verdict, points, payer, .. } = *outcome;
        self.all.add(points);
        self.verdicts.entry(verdict).or_default().add(points);
        if !verdict.is_fine() {
            self.at_stake.add(points);
        }
        if let Some(rule) = outcome.rule {
            self.rules.entry(rule).or_default().add(points);
        }
        if payer.right.is_some() && payer.right != payer.written {
            self.other_payer.add(points);
        }
        self.named += u64::from(outcome.named);
        self.warned += u64::from(!outcome.warnings.is_empty());
    }

    /// Takes what the file said of itself.
    pub fn close(&mut self, notices: &Notices) {
        self.notices = notices.kept().to_vec();
        self.notices_dropped = notices.dropped();
    }
}
