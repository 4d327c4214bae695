//! `[ledger]`, `[memory]` and `[feed]`: where the record of truth and memory's files lie, and what is taken of feeders.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Memory's files: what a restart begins with instead of the whole ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Memory {
    /// Folder of the files; beside the ledger's file when absent. Needed where the ledger is on a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// Seconds after which they are written anew, if anything was changed.
    pub save_seconds: u64,
}

impl Default for Memory {
    fn default() -> Self {
        Self { folder: None, save_seconds: 60 }
    }
}

/// Feeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// CSV of insurer number and name: the insurers there are.
    pub insurers: PathBuf,
    /// Folder for deliveries while they are received.
    pub spool: PathBuf,
    /// Folder whose files are deliveries; none is watched when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// Largest delivery over HTTPS, in octets.
    #[serde(default = "default_delivery_octets")]
    pub delivery_octets: u64,
    /// Hours after which a source that has not marked itself complete is stale.
    #[serde(default = "default_stale_hours")]
    pub stale_hours: u32,
    /// Other hours for single sources.
    #[serde(default)]
    pub stale_hours_of: std::collections::BTreeMap<String, u32>,
    /// When whole deliveries are held back.
    #[serde(default)]
    pub gate: Gate,
}

/// When a whole delivery of an insurer is held back for an operator to look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gate {
    /// Member records from which a delivery is looked at as a whole.
    pub members: u64,
    /// Largest share of the insurer's living persons, in percent, that may lose their coverage by it.
    pub losses_percent: u8,
    /// Largest share of the persons in it who had a field, in percent, for whom it may become empty.
    pub emptied_percent: u8,
}

impl Default for Gate {
    fn default() -> Self {
        Self { members: 1000, losses_percent: 5, emptied_percent: 10 }
    }
}

const fn default_delivery_octets() -> u64 {
    4 << 30
}

const fn default_stale_hours() -> u32 {
    72
}
