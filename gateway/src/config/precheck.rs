//! The `[precheck]` section: where claims pre-checks are kept, for how long, and how many at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Claims pre-checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Precheck {
    /// Folder of the jobs: what was read of their claims, and the results. Beside the ledger when
    /// nothing is said.
    pub folder: PathBuf,
    /// Name of this gateway, with which its job ids begin: small letters and digits.
    pub gateway: String,
    /// Addresses of the other gateways by their names: `https://host[:port]`. Whoever asks here for
    /// a job of theirs is sent there.
    pub gateways: BTreeMap<String, String>,
    /// Largest file, in octets.
    pub upload_octets: u64,
    /// Most files that are received at once.
    pub uploads: usize,
    /// Most jobs that may wait or run at once.
    pub jobs: usize,
    /// Most of them that may be one caller's.
    pub jobs_of_caller: usize,
    /// Days after which a job is forgotten, with its results.
    pub keep_days: u32,
}

impl Default for Precheck {
    fn default() -> Self {
        Self {
            folder: PathBuf::new(),
            gateway: "g1".to_owned(),
            gateways: BTreeMap::new(),
            upload_octets: 8 << 30,
            uploads: 4,
            jobs: 256,
            jobs_of_caller: 16,
            keep_days: 35,
        }
    }
}

impl Precheck {
    /// Makes the folder absolute; beside the ledger where none is named.
    pub(super) fn resolve(&mut self, folder: &Path, ledger: &Path) {
        self.folder = if self.folder.as_os_str().is_empty() {
            ledger.parent().unwrap_or(folder).join("prechecks")
        } else {
            folder.join(&self.folder)
        };
    }

    /// The key at fault, and why.
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        if !is_name(&self.gateway) {
            return Some(("precheck.gateway", "must be 1 to 16 small letters and digits".to_owned()));
        }
        if let Some(name) = self.gateways.keys().find(|name| !is_name(name) || **name == self.gateway) {
            return Some(("precheck.gateways", format!("{name:?} is no name of another gateway")));
        }
        let address = |url: &&String| url.starts_with("https://") && !url.ends_with('/') && url.is_ascii();
        if let Some(url) = self.gateways.values().find(|url| !address(url)) {
            return Some(("precheck.gateways", format!("{url:?} is no address such as https://host:8443")));
        }
        None
    }

    pub(super) fn positive(&self) -> [(&'static str, u64); 5] {
        [
            ("precheck.upload_octets", self.upload_octets),
            ("precheck.uploads", self.uploads as u64),
            ("precheck.jobs", self.jobs as u64),
            ("precheck.jobs_of_caller", self.jobs_of_caller as u64),
            ("precheck.keep_days", u64::from(self.keep_days)),
        ]
    }
}

fn is_name(text: &str) -> bool {
    (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}
