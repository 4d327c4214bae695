//! Entries as they are kept to be judged later: one line each, with what was read of a claim and
//! nothing else of its file. Judged again they give the same result.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::claim::{Claim, Entry, Unreadable};
use crate::days::{DaysSource, VisitDays};
use crate::finding::Finding;
use crate::json::Wire;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept<'a> {
    line: u64,
    #[serde(borrow)]
    claim: Option<KeptClaim<'a>>,
    fault: Option<Fault>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptClaim<'a> {
    #[serde(borrow)]
    read: Wire<'a>,
    days: (u32, bool, DaysSource),
    confirmation_line: Option<u64>,
    warnings: Vec<Finding>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    number: Option<u32>,
    found: Finding,
}

impl Entry {
    /// Line of the file at which it begins.
    #[must_use]
    pub const fn line(&self) -> u64 {
        match self {
            Self::Claim(claim) => claim.line,
            Self::Unreadable(unreadable) => unreadable.line,
        }
    }

    /// Writes it as one line, line end included.
    ///
    /// # Errors
    /// What the writer says.
    pub fn keep(&self, mut into: impl Write) -> io::Result<()> {
        let kept = match self {
            Self::Claim(claim) => Kept { line: claim.line, claim: Some(KeptClaim::of(claim)), fault: None },
            Self::Unreadable(Unreadable { line, number, fault }) => {
                let fault = Fault { number: *number, found: fault.clone() };
                Kept { line: *line, claim: None, fault: Some(fault) }
            }
        };
        serde_json::to_writer(&mut into, &kept)?;
        into.write_all(b"\n")
    }

    /// Reads an entry as it was kept; `None` when the line is none.
    #[must_use]
    pub fn from_kept(line: &[u8]) -> Option<Self> {
        let Kept { line, claim, fault } = serde_json::from_slice(line).ok()?;
        match (claim, fault) {
            (Some(claim), None) => claim.into_claim(line).map(Self::Claim),
            (None, Some(Fault { number, found })) => {
                Some(Self::Unreadable(Unreadable { line, number, fault: found }))
            }
            _ => None,
        }
    }
}

impl<'a> KeptClaim<'a> {
    fn of(claim: &'a Claim) -> Self {
        let (days, confirmation_line) = (claim.days.kept(), claim.confirmation_line);
        Self { read: Wire::of(claim), days, confirmation_line, warnings: claim.warnings.clone() }
    }

    fn into_claim(self, line: u64) -> Option<Claim> {
        let Self { read, days, confirmation_line, warnings } = self;
        let claim = Claim::of_wire(&read, line).ok()?;
        let days = VisitDays::of_kept(claim.days.month(), days);
        Some(Claim { days, confirmation_line, warnings, ..claim })
    }
}
