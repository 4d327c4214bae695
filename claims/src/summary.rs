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

    fn remove(&mut self, points: u64) {
        self.claims = self.claims.saturating_sub(1);
        self.points = self.points.saturating_sub(points);
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

/// As what a result counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    verdict: Verdict,
    rule: Option<Rule>,
    points: u64,
    other_payer: bool,
    named: bool,
    warned: bool,
}

impl From<&Outcome> for Counted {
    fn from(outcome: &Outcome) -> Self {
        let Outcome { verdict, rule, points, payer, named, .. } = *outcome;
        let other_payer = payer.right.is_some() && payer.right != payer.written;
        Self { verdict, rule, points, other_payer, named, warned: !outcome.warnings.is_empty() }
    }
}

impl Summary {
    /// Counts a result.
    pub fn add(&mut self, one: impl Into<Counted>) {
        let one = one.into();
        self.totals(one, |total| total.add(one.points));
        self.named += u64::from(one.named);
        self.warned += u64::from(one.warned);
    }

    /// Takes back a result that was counted, because another one stands in its place.
    pub fn remove(&mut self, one: impl Into<Counted>) {
        let one = one.into();
        self.totals(one, |total| total.remove(one.points));
        self.verdicts.retain(|_, total| total.claims > 0);
        self.rules.retain(|_, total| total.claims > 0);
        self.named = self.named.saturating_sub(u64::from(one.named));
        self.warned = self.warned.saturating_sub(u64::from(one.warned));
    }

    /// Every total in which such a result stands.
    fn totals(&mut self, one: Counted, change: impl Fn(&mut Total)) {
        change(&mut self.all);
        change(self.verdicts.entry(one.verdict).or_default());
        if !one.verdict.is_fine() {
            change(&mut self.at_stake);
        }
        if let Some(rule) = one.rule {
            change(self.rules.entry(rule).or_default());
        }
        if one.other_payer {
            change(&mut self.other_payer);
        }
    }

    /// Takes what the file said of itself.
    pub fn close(&mut self, notices: &Notices) {
        self.notices = notices.kept().to_vec();
        self.notices_dropped = notices.dropped();
    }
}
