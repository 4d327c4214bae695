//! The configuration: one TOML file, every key known, printed as it is understood.
//!
//! Paths are relative to the file. Nothing is read from the environment. Each section is a file here.

mod audit;
mod card;
mod feed;
mod insurers;
mod ledger;
mod precheck;
mod service;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::peer::RoleRule;

pub use self::ledger::Ledger;
pub use audit::{Audit, Durability, KeepDays};
pub use card::{
    AnchorFile, Card, CardProof, Grace, PinnedAnchor, Responder, RevocationRules, Unknown, fingerprint,
};
pub use feed::{Feed, Gate, Memory};
pub use insurers::InsurerList;
pub use precheck::Precheck;
pub use service::{Admin, Listener, Service};

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

    fn positive(&self) -> [(&'static str, u64); 22] {
        [
            ("audit.sync_ms", self.audit.sync_ms),
            ("audit.keep_days.answers", u64::from(self.audit.keep_days.answers)),
            ("audit.keep_days.acts", u64::from(self.audit.keep_days.acts)),
            ("audit.keep_days.confirmations", u64::from(self.audit.keep_days.confirmations)),
            ("card.revocation.max_age_hours", u64::from(self.card.revocation.max_age_hours)),
            ("service.connections", self.service.connections as u64),
            ("service.connections_per_address", self.service.connections_per_address as u64),
            ("service.handshakes", self.service.handshakes as u64),
            ("service.least_octets_per_second", self.service.least_octets_per_second),
            ("service.requests_per_institution", self.service.requests_per_institution.map_or(1, u64::from)),
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
