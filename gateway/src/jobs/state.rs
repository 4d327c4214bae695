//! Where a job stands, as its folder says: what is needed to go on after a crash, and what its owner
//! is shown.

use claims::{Finding, Notices, Summary};
use eligibility::day::Timestamp;
use serde::{Deserialize, Serialize};

use super::owner::By;

/// Version of the file.
pub(super) const VERSION: u32 = 1;

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    /// Nothing of it is judged yet.
    Waiting,
    /// Some of it is.
    Running,
    /// All of it is.
    Done,
    /// The owner wants it no more.
    Cancelled,
    /// A fault of ours ended it.
    Failed,
}

impl Phase {
    /// The word on the wire and in metrics.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    pub(super) const ALL: [Self; 5] =
        [Self::Waiting, Self::Running, Self::Done, Self::Cancelled, Self::Failed];

    /// Whether there is work left that its owner waits for.
    pub(super) const fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Running)
    }
}

/// How far a job has come: everything before is in its files and synced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reached {
    /// Claims judged.
    pub(super) claims: u64,
    /// Octets of the kept claims that were read.
    pub(super) kept: u64,
    /// Octets of results.
    pub(super) results: u64,
    /// Octets of results that came later, in the place of others.
    pub(super) later: u64,
    /// Octets of provisional results.
    pub(super) provisional: u64,
}

/// Who hands a job in, when, and what is asked beside the claims.
pub(super) struct Asked {
    pub(super) by: By,
    pub(super) created_at: Timestamp,
    pub(super) known_at: Option<Timestamp>,
}

/// Where a job stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    pub(super) version: u32,
    pub(super) by: By,
    pub(super) phase: Phase,
    pub(super) created_at: Timestamp,
    /// The instant as of which claims are judged; now where there is none.
    #[serde(default)]
    pub(super) known_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
    /// When results last changed after the end.
    pub(super) changed_at: Option<Timestamp>,
    /// Claims of the file.
    pub(super) claims: u64,
    /// What is wrong with the file as a whole.
    pub(super) notices: Vec<Finding>,
    pub(super) notices_dropped: u64,
    pub(super) reached: Reached,
    /// Which file of provisional results counts.
    pub(super) round: u64,
    /// How many results are provisional.
    pub(super) provisional: u64,
    /// How many results have changed since the end.
    pub(super) changed: u64,
    pub(super) summary: Summary,
}

impl State {
    /// A job whose claims are in its folder.
    pub(super) fn new(asked: Asked, claims: u64, notices: &Notices) -> Self {
        let Asked { by, created_at, known_at } = asked;
        Self {
            version: VERSION,
            by,
            phase: Phase::Waiting,
            created_at,
            known_at,
            finished_at: None,
            changed_at: None,
            claims,
            notices: notices.kept().to_vec(),
            notices_dropped: notices.dropped(),
            reached: Reached::default(),
            round: 0,
            provisional: 0,
            changed: 0,
            summary: Summary::default(),
        }
    }

    /// The sums so far, with what is wrong with the file.
    pub(super) fn summary(&self) -> Summary {
        Summary {
            notices: self.notices.clone(),
            notices_dropped: self.notices_dropped,
            ..self.summary.clone()
        }
    }
}
