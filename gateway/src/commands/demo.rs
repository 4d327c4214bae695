//! `shikaku demo`: everything a first visitor needs in one folder, and the service on it.
//!
//! ```text
//! folder ─► identities (TLS, clients) ─► cards (authorities, certificates, lists)
//!        ─► feeds (files, ledger) ─► shikaku.toml ─► serve
//! ```
//!
//! Nothing of it is for real use: the private keys of all authorities lie in the folder.

mod cards;
mod feeds;
mod folder;
mod identities;
mod words;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use population::Population;
use serde::{Deserialize, Serialize};

use super::CommandError;
use super::serve::{log_to_stderr, serve};
use crate::clock::Clock;
use crate::config::{self, Config};
use folder::Folder;

/// The keys of the audit, in the folder.
const PSEUDONYM_KEY: &str = "secrets/pseudonym.key";
const SEALING_KEY: &str = "secrets/audit.key";

/// Makes a nation, its cards and certificates in a folder, and serves it
#[derive(Args)]
#[command(after_help = "Example:\n  shikaku demo --dir demo-data --people 10000")]
pub(super) struct Demo {
    /// The folder; made on the first run, used again on the next
    #[arg(long, default_value = "demo-data")]
    dir: PathBuf,
    /// How many people; of a folder that is there already, its own number stays
    #[arg(long, default_value_t = 10_000)]
    people: u64,
    /// What the nation is drawn from; of a folder that is there already, its own seed stays
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to serve
    #[arg(long, default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// Where the operator's pages are
    #[arg(long, default_value = "127.0.0.1:9090")]
    admin: SocketAddr,
    /// Make the files and stop
    #[arg(long)]
    prepare_only: bool,
    /// What is logged: error, warn, info, debug
    #[arg(long, default_value = "warn")]
    log: String,
}

/// What a folder was made with; of one that is there already, its own stays.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// How many people.
    pub people: u64,
    /// What the nation is drawn from.
    pub seed: u64,
}

impl Demo {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        log_to_stderr(&self.log)?;
        let Prepared { folder, population, config } =
            prepare(&self.dir, Made { people: self.people, seed: self.seed }, self.listen, self.admin)?;
        if self.prepare_only {
            println!(
                "{} is ready: shikaku serve --config {}",
                self.dir.display(),
                folder.path("shikaku.toml").display()
            );
            return Ok(());
        }
        let lines = words::curl_lines(&folder, &population, self.listen, self.admin);
        serve(&folder.path("shikaku.toml"), &config, || println!("{lines}"))
    }
}

/// A folder that is ready to be served.
pub struct Prepared {
    folder: Folder,
    /// The nation in it.
    pub population: Population,
    /// The configuration in it.
    pub config: Config,
}

/// Makes a folder ready: files that are not there yet, lists and marks of today.
///
/// # Errors
/// [`CommandError`] when it cannot be written, or is something else.
pub fn prepare(
    dir: &Path,
    asked: Made,
    listen: SocketAddr,
    admin: SocketAddr,
) -> Result<Prepared, CommandError> {
    let folder = Folder::open(dir)?;
    let made = made(&folder, asked)?;
    let now = Clock::system().now();
    let population = Population::new(made.seed, made.people, now.day_in_japan());
    identities::make(&folder, now)?;
    let cards = cards::make(&folder, &population, now)?;
    folder.write("insurers.csv", population.insurers_csv().as_bytes())?;
    for secret in [PSEUDONYM_KEY, SEALING_KEY] {
        folder.write_secret(secret, 32)?;
    }
    let config = config(&folder, listen, admin)?;
    feeds::make(&folder, &config, &population, now)?;
    folder.write("README.md", words::guide(&population, &cards).as_bytes())?;
    Ok(Prepared { folder, population, config })
}

/// The folder's own people and seed; the ones asked for when it is new.
fn made(folder: &Folder, asked: Made) -> Result<Made, CommandError> {
    const FILE: &str = "demo.toml";
    let Some(text) = folder.read(FILE)? else {
        folder.write(FILE, toml::to_string(&asked).unwrap_or_default().as_bytes())?;
        return Ok(asked);
    };
    let text = String::from_utf8(text).map_err(CommandError::usage)?;
    toml::from_str(&text)
        .map_err(|error| CommandError::Usage(format!("{}: {error}", folder.path(FILE).display())))
}

/// Writes the configuration with paths relative to it, and reads it as any other.
fn config(folder: &Folder, listen: SocketAddr, admin: SocketAddr) -> Result<Config, CommandError> {
    let config = Config {
        listeners: vec![config::Listener {
            address: listen,
            certificate: "tls/server.pem".into(),
            key: "tls/server-key.pem".into(),
            client_cas: vec!["tls/ca.pem".into()],
            client_crls: None,
            client_revocation: config::RevocationRules::default(),
            tls12: false,
        }],
        service: config::Service::default(),
        admin: config::Admin { address: admin },
        roles: identities::rules(),
        card: config::Card {
            anchors: ["jpki/user-ca-1.pem", "jpki/user-ca-2.pem"]
                .map(|file| config::AnchorFile::Path(file.into()))
                .to_vec(),
            lists: "jpki".into(),
            policies: vec![pki::TEST_POLICY.to_owned()],
            proof: config::CardProof::default(),
            grace: config::Grace::default(),
            challenge_seconds: 120,
            revoked_kept_months: 124,
            issuers: Some("data/issuers.json".into()),
            revocation: config::RevocationRules::default(),
            responder: None,
        },
        ledger: config::Ledger::file(Path::new("data/ledger.sqlite")),
        memory: config::Memory { folder: Some("data/memory".into()), ..Default::default() },
        feed: config::Feed {
            insurers: "insurers.csv".into(),
            spool: "data/spool".into(),
            folder: None,
            delivery_octets: 4 << 30,
            stale_hours: 72,
            stale_hours_of: Default::default(),
            gate: Default::default(),
        },
        precheck: config::Precheck { folder: "data/prechecks".into(), ..Default::default() },
        audit: config::Audit {
            folder: "data/audit".into(),
            pseudonym_keys: vec![PSEUDONYM_KEY.into()],
            sealing_keys: vec![SEALING_KEY.into()],
            durability: config::Durability::Group,
            sync_ms: 50,
            reserve_octets: 64 << 20,
            keep_days: config::KeepDays::default(),
        },
    };
    let path = folder.write("shikaku.toml", config.to_toml().as_bytes())?;
    Config::read(&path).map_err(CommandError::usage)
}
