//! The configuration: one TOML file, every key known, printed as it is understood.
//!
//! Paths are relative to the file. Nothing is read from the environment.

mod card;
mod ledger;
mod precheck;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use eligibility::number::InsurerNumber;
use serde::{Deserialize, Serialize};

use crate::peer::RoleRule;

pub use self::ledger::Ledger;
pub use card::{
    AnchorFile, Card, CardProof, Grace, PinnedAnchor, Responder, RevocationRules, Unknown, fingerprint,
};
pub use precheck::Precheck;

/// Why a configuration cannot be used. Says file, place and cure.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is no TOML, or has an unknown key or a value of the wrong kind; the words name line and key.
    #[error("{path}: {error}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Line and key.
        error: Box<toml::de::Error>,
    },
    /// A value makes no sense.
    #[error("{path}: {key}: {why}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What is wrong and how to mend it.
        why: String,
    },
}

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Service addresses, each with its own certificate and client CAs.
    #[serde(rename = "listener")]
    pub listeners: Vec<Listener>,
    /// Limits of the service.
    #[serde(default)]
    pub service: Service,
    /// The operator's own listener.
    #[serde(default)]
    pub admin: Admin,
    /// Which certificates have which role.
    #[serde(rename = "role", default)]
    pub roles: Vec<RoleRule>,
    /// Card certificates.
    pub card: Card,
    /// The record of truth.
    pub ledger: Ledger,
    /// Memory's files.
    #[serde(default)]
    pub memory: Memory,
    /// Feeds.
    pub feed: Feed,
    /// Claims pre-checks.
    #[serde(default)]
    pub precheck: Precheck,
    /// The audit.
    pub audit: Audit,
}

/// One service address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Where to listen.
    pub address: SocketAddr,
    /// PEM file with the server's certificate and its chain.
    pub certificate: PathBuf,
    /// PEM file with the server's private key.
    pub key: PathBuf,
    /// PEM files with the CAs of client certificates.
    pub client_cas: Vec<PathBuf>,
    /// Folder with the revocation lists (`*.crl`, DER) of these CAs, looked at again every few
    /// seconds; client certificates are not looked up when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_crls: Option<PathBuf>,
    /// Also take TLS 1.2, with ECDHE and AES-GCM or ChaCha20 only.
    #[serde(default)]
    pub tls12: bool,
    /// What to do with client certificates of which those lists do not speak.
    #[serde(default)]
    pub client_revocation: RevocationRules,
}

/// Limits of the service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Service {
    /// Most connections at once.
    pub connections: usize,
    /// Most connections at once from one address.
    pub connections_per_address: usize,
    /// Seconds for a TLS handshake.
    pub handshake_seconds: u64,
    /// Seconds from there to the first octet of a request.
    pub first_byte_seconds: u64,
    /// Seconds between requests of one connection.
    pub idle_seconds: u64,
    /// Seconds for the header of a request, from its first octet to its last.
    pub header_seconds: u64,
    /// Seconds for the body of a query.
    pub body_seconds: u64,
    /// Seconds of silence within a body.
    pub chunk_seconds: u64,
    /// Seconds for which a caller may not take what is written to it.
    pub write_seconds: u64,
    /// Largest body of a query, in octets.
    pub body_octets: usize,
    /// Seconds that requests in flight are given when stopping.
    pub drain_seconds: u64,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            connections: 20_000,
            connections_per_address: 2_000,
            handshake_seconds: 5,
            first_byte_seconds: 10,
            idle_seconds: 75,
            header_seconds: 10,
            body_seconds: 10,
            chunk_seconds: 30,
            write_seconds: 10,
            body_octets: 16 * 1024,
            drain_seconds: 30,
        }
    }
}

/// The operator's own listener: plain HTTP, its own thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Where to listen; keep it on loopback or behind the operator's own network.
    pub address: SocketAddr,
}

impl Default for Admin {
    fn default() -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], 9090)) }
    }
}

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
    /// Octets of free disk below which batches and pre-checks are refused; below half of it also links
    /// and feeds.
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

impl Config {
    /// Reads a configuration and makes its paths absolute by the file's own folder.
    ///
    /// # Errors
    /// [`ConfigError`] with file, place and cure.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |error| ConfigError::Unreadable { path: path.to_owned(), error };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|error| ConfigError::Wrong { path: path.to_owned(), error: Box::new(error) })?;
        let folder = std::path::absolute(path).map_err(unreadable)?;
        config.resolve(folder.parent().unwrap_or(Path::new("/")));
        config.check(path)?;
        Ok(config)
    }

    /// The configuration as understood; reading it again gives the same.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// Where the ledger is.
    ///
    /// # Errors
    /// [`::ledger::LedgerError::Url`] when it cannot be said: never of a configuration that was read.
    pub fn ledger_place(&self) -> Result<::ledger::Place, ::ledger::LedgerError> {
        self.ledger.place(&self.precheck.gateway)
    }

    /// The folder of memory's files.
    #[must_use]
    pub fn memory_folder(&self) -> PathBuf {
        let beside = || self.ledger.path().unwrap_or(Path::new("ledger")).with_extension("memory");
        self.memory.folder.clone().unwrap_or_else(beside)
    }

    /// The folder of deliveries that are held back.
    #[must_use]
    pub fn held_folder(&self) -> PathBuf {
        self.feed.spool.join("held")
    }

    fn resolve(&mut self, folder: &Path) {
        let within = |path: &mut PathBuf| *path = folder.join(&*path);
        for listener in &mut self.listeners {
            within(&mut listener.certificate);
            within(&mut listener.key);
            listener.client_cas.iter_mut().for_each(within);
            listener.client_crls.iter_mut().for_each(within);
        }
        self.card.anchors.iter_mut().map(AnchorFile::file_mut).for_each(within);
        self.card.issuers.iter_mut().for_each(within);
        within(&mut self.card.lists);
        self.memory.folder.iter_mut().for_each(within);
        within(&mut self.feed.insurers);
        within(&mut self.feed.spool);
        self.feed.folder.iter_mut().for_each(within);
        within(&mut self.audit.folder);
        self.audit.pseudonym_keys.iter_mut().chain(&mut self.audit.sealing_keys).for_each(within);
        self.ledger.resolve(folder);
        let ledger = self.ledger.path().unwrap_or(Path::new("")).to_owned();
        self.precheck.resolve(folder, &ledger);
    }

    fn check(&self, path: &Path) -> Result<(), ConfigError> {
        let wrong = |key, why: String| Err(ConfigError::Value { path: path.to_owned(), key, why });
        if self.listeners.is_empty() {
            return wrong("listener", "at least one [[listener]] is needed".to_owned());
        }
        if self.listeners.iter().any(|listener| listener.client_cas.is_empty()) {
            return wrong(
                "listener.client_cas",
                "name at least one CA file: callers are known by their certificates".to_owned(),
            );
        }
        if self.card.anchors.is_empty() {
            return wrong("card.anchors", "name at least one card CA file".to_owned());
        }
        if let Some(pin) =
            self.card.anchors.iter().filter_map(AnchorFile::pin).find(|pin| fingerprint(pin).is_none())
        {
            return wrong("card.anchors.sha256", format!("{pin:?} is no SHA-256 in hexadecimal"));
        }
        if let Some((key, why)) = self.card.responder.as_ref().and_then(Responder::fault) {
            return wrong(key, why);
        }
        if let Some((key, why)) = self.precheck.fault() {
            return wrong(key, why);
        }
        if let Err(error) = self.ledger_place() {
            return wrong("ledger.url", error.to_string());
        }
        if self.ledger.path().is_none() && self.memory.folder.is_none() {
            return wrong("memory.folder", "name one: the ledger has no folder here".to_owned());
        }
        if !(1..=3600).contains(&self.card.challenge_seconds) {
            return wrong("card.challenge_seconds", "must lie between 1 and 3600".to_owned());
        }
        if pki::CardProfile::accepting(&self.card.policies).is_err() {
            return wrong(
                "card.policies",
                "must be object identifiers such as 1.2.392.200149.8.5.1.3.30".to_owned(),
            );
        }
        for (key, files) in [
            ("audit.pseudonym_keys", &self.audit.pseudonym_keys),
            ("audit.sealing_keys", &self.audit.sealing_keys),
        ] {
            if files.is_empty() {
                return wrong(key, "name at least one key file".to_owned());
            }
        }
        for (key, value) in self.positive().into_iter().chain(self.precheck.positive()) {
            if value == 0 {
                return wrong(key, "must be greater than zero".to_owned());
            }
        }
        if let Some(source) =
            self.feed.stale_hours_of.keys().find(|name| eligibility::feed::Source::parse(name).is_none())
        {
            return wrong("feed.stale_hours_of", format!("{source:?} is no source"));
        }
        Ok(())
    }

    fn positive(&self) -> [(&'static str, u64); 19] {
        [
            ("audit.sync_ms", self.audit.sync_ms),
            ("audit.keep_days.answers", u64::from(self.audit.keep_days.answers)),
            ("audit.keep_days.acts", u64::from(self.audit.keep_days.acts)),
            ("audit.keep_days.confirmations", u64::from(self.audit.keep_days.confirmations)),
            ("card.revocation.max_age_hours", u64::from(self.card.revocation.max_age_hours)),
            ("service.connections", self.service.connections as u64),
            ("service.connections_per_address", self.service.connections_per_address as u64),
            ("service.handshake_seconds", self.service.handshake_seconds),
            ("service.first_byte_seconds", self.service.first_byte_seconds),
            ("service.idle_seconds", self.service.idle_seconds),
            ("service.header_seconds", self.service.header_seconds),
            ("service.body_seconds", self.service.body_seconds),
            ("service.chunk_seconds", self.service.chunk_seconds),
            ("service.write_seconds", self.service.write_seconds),
            ("service.body_octets", self.service.body_octets as u64),
            ("feed.gate.members", self.feed.gate.members),
            ("memory.save_seconds", self.memory.save_seconds),
            ("feed.delivery_octets", self.feed.delivery_octets),
            ("feed.stale_hours", u64::from(self.feed.stale_hours)),
        ]
    }
}

/// The insurers there are, with their names.
#[derive(Clone, Debug, Default)]
pub struct InsurerList(HashMap<InsurerNumber, Box<str>>);

impl InsurerList {
    /// Reads the CSV of `insurer_number,name`.
    ///
    /// # Errors
    /// [`ConfigError`] with the line at fault.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |error| ConfigError::Unreadable { path: path.to_owned(), error };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut list = HashMap::new();
        for (at, row) in csv::Reader::from_reader(file).into_records().enumerate() {
            let line = at + 2;
            let wrong = |why: &str| ConfigError::Value {
                path: path.to_owned(),
                key: "insurer_number,name",
                why: format!("line {line}: {why}"),
            };
            let row = row.map_err(|_| wrong("is no CSV in UTF-8 of two columns"))?;
            let (Some(number), Some(name)) = (row.get(0), row.get(1)) else {
                return Err(wrong("needs two columns"));
            };
            let number = InsurerNumber::parse(number).map_err(|error| wrong(&error.to_string()))?;
            list.insert(number, name.into());
        }
        Ok(Self(list))
    }

    /// Whether the insurer is listed.
    #[must_use]
    pub fn has(&self, number: InsurerNumber) -> bool {
        self.0.contains_key(&number)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self, number: InsurerNumber) -> Option<&str> {
        self.0.get(&number).map(|name| &**name)
    }

    /// Every insurer, in no order.
    pub fn iter(&self) -> impl Iterator<Item = InsurerNumber> {
        self.0.keys().copied()
    }
}
