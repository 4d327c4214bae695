//! The `[audit]` section: where records of answers and acts lie, by which keys, how durable, for how long.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The audit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// Folder of the audit: a folder for each class of records, in it the files of each day.
    pub folder: PathBuf,
    /// Files with the 32 octets that key the pseudonyms of persons, readable by the owner only. The
    /// first writes, all find.
    pub pseudonym_keys: Vec<PathBuf>,
    /// Files with the 32 octets that seal the audit files, readable by the owner only. The first
    /// writes, all read.
    pub sealing_keys: Vec<PathBuf>,
    /// What an answer waits for.
    #[serde(default)]
    pub durability: Durability,
    /// Milliseconds after which what was written is on the disk.
    #[serde(default = "default_sync_ms")]
    pub sync_ms: u64,
    /// Octets of free disk below which pre-checks are refused; below three quarters of it batches, and
    /// below half of it links and feeds.
    #[serde(default = "default_reserve_octets")]
    pub reserve_octets: u64,
    /// Days for which records are kept.
    #[serde(default)]
    pub keep_days: KeepDays,
}

/// What an answer waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Its record is with the kernel, and on the disk within `sync_ms`.
    #[default]
    Group,
    /// Its record is on the disk.
    Strict,
}

/// Days for which records are kept, by class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeepDays {
    /// Who asked about whom.
    pub answers: u32,
    /// What feeders, the portal and operators did.
    pub acts: u32,
    /// What institutions may fetch again of their own answers.
    pub confirmations: u32,
}

impl Default for KeepDays {
    fn default() -> Self {
        // As long as 資格履歴 is kept; an institution fetches its own log within a quarter.
        Self { answers: 3653, acts: 3653, confirmations: 100 }
    }
}

const fn default_sync_ms() -> u64 {
    50
}

const fn default_reserve_octets() -> u64 {
    1 << 30
}
