//! The `[history]` section: for how long it is kept what sources said before they said otherwise.

use eligibility::feed::Kind;
use serde::{Deserialize, Serialize};

/// Days for which a record is kept once a later one has replaced it, by class. What was last said is kept
/// for ever, and so is whatever speaks of cards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeepHistory {
    /// What insurers said of their members.
    pub members_days: u32,
    /// What cities said of subsidies.
    pub subsidies_days: u32,
}

impl Default for KeepHistory {
    fn default() -> Self {
        // As long as 資格履歴 is kept in the 委託区画.
        Self { members_days: 3653, subsidies_days: 3653 }
    }
}

impl KeepHistory {
    /// Each class with its days.
    #[must_use]
    pub const fn classes(&self) -> [(Kind, u32); 2] {
        [(Kind::Member, self.members_days), (Kind::Subsidy, self.subsidies_days)]
    }

    pub(super) fn positive(&self) -> [(&'static str, u64); 2] {
        [
            ("history.members_days", u64::from(self.members_days)),
            ("history.subsidies_days", u64::from(self.subsidies_days)),
        ]
    }
}
