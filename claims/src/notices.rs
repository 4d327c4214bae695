//! What is wrong with a file as a whole, or with lines that belong to no claim.

use crate::finding::Finding;

/// How many are kept; a file of rubbish has one a line.
const KEPT: usize = 1_000;

/// Findings about a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    kept: Vec<Finding>,
    dropped: u64,
}

impl Notices {
    pub(crate) fn add(&mut self, finding: Finding) {
        if self.kept.len() < KEPT {
            self.kept.push(finding);
        } else {
            self.dropped += 1;
        }
    }

    /// The first thousand.
    #[must_use]
    pub fn kept(&self) -> &[Finding] {
        &self.kept
    }

    /// How many more there were.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}
