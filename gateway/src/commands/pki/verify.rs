//! `shikaku pki verify`: whether certificates are valid, and if not, why: the reason's code, the two
//! values behind it, the path tried.
//!
//! A card is judged as the desk judges it, with the grace after its end, unless intermediates or
//! restrictions on policies are given: those are for whole paths after RFC 5280.

mod judge;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use eligibility::day::Timestamp;
use pki::UnixTime;
use serde::Serialize;

use super::files::{self, Item};
use crate::clock::Clock;
use crate::commands::CommandError;
use judge::Judge;

/// Says of each certificate whether it is valid, or why not
#[derive(Args)]
#[command(after_help = "Example:\n  shikaku pki verify --anchors demo-data/jpki --crls demo-data/jpki \
                        --policy 1.2.392.200149.8.5.1.0.30 demo-data/cards/good.der\n\n\
                        Ends with 0 when all are valid, 1 when any is refused, 2 when it was asked wrongly.")]
pub(in crate::commands) struct Verify {
    /// Folder or file with the trust anchors: *.pem, *.der, *.crt, *.cer
    #[arg(long)]
    anchors: PathBuf,
    /// Folder or file with revocation lists (*.crl); without it revocation is not looked at
    #[arg(long)]
    crls: Option<PathBuf>,
    /// Folder or file with authorities between the certificates and the anchors
    #[arg(long)]
    intermediates: Option<PathBuf>,
    /// The moment to judge at, such as 2026-11-21T09:00:00+09:00; now when absent
    #[arg(long, value_parser = moment)]
    at: Option<Timestamp>,
    /// What the certificates must be
    #[arg(long, value_enum, default_value_t = Profile::Card)]
    profile: Profile,
    /// A certificate policy that is taken, dotted; of cards the production one when absent
    #[arg(long = "policy")]
    policies: Vec<String>,
    /// Refuse a path without a valid policy
    #[arg(long)]
    require_explicit_policy: bool,
    /// Let no policy stand for another
    #[arg(long)]
    inhibit_policy_mapping: bool,
    /// Let anyPolicy stand for nothing
    #[arg(long)]
    inhibit_any_policy: bool,
    /// One JSON object a certificate
    #[arg(long)]
    json: bool,
    /// The certificates: DER, or PEM with any number of them
    #[arg(required = true)]
    certificates: Vec<PathBuf>,
}

/// What a certificate must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Profile {
    /// A card's user-authentication certificate
    Card,
    /// A TLS client
    Client,
    /// Anything with a valid path
    Any,
}

/// What came of one certificate.
#[derive(Default, Serialize)]
struct Verdict {
    certificate: String,
    verdict: &'static str,
    #[serde(flatten)]
    refused: Option<Refused>,
    /// Where the word on revocation comes from, and of when it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation: Option<String>,
    /// From the certificate upwards; the authorities by name.
    path: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Serialize)]
struct Refused {
    code: &'static str,
    reason: String,
    /// Place on the path of the certificate that is refused, 0 for the one asked about.
    at: usize,
    found: String,
    wanted: String,
}

impl Verify {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let anchors = files::certificates_in(&self.anchors)?;
        if anchors.is_empty() {
            return Err(CommandError::Usage(format!("{}: holds no certificate", self.anchors.display())));
        }
        let optional =
            |path: &Option<PathBuf>, read: fn(&std::path::Path) -> Result<Vec<Item>, CommandError>| {
                path.as_deref().map_or_else(|| Ok(Vec::new()), read)
            };
        let intermediates = optional(&self.intermediates, files::certificates_in)?;
        let lists = optional(&self.crls, files::lists_in)?;
        let judge = Judge::new(self, anchors, intermediates, &lists)?;
        let (mut asked, mut refused) = (0, 0);
        for path in &self.certificates {
            let items = files::certificates(path)?;
            if items.is_empty() {
                return Err(CommandError::Usage(format!("{}: holds no certificate", path.display())));
            }
            for at in 0..items.len() {
                let Some(verdict) = judge.verdict(&items, at) else { continue };
                asked += 1;
                refused += usize::from(verdict.refused.is_some());
                println!("{}", if self.json { verdict.json() } else { verdict.words() });
            }
        }
        match refused {
            0 => Ok(()),
            refused => Err(CommandError::No(format!("{refused} of {asked} certificates refused"))),
        }
    }

    fn now(&self) -> Timestamp {
        self.at.unwrap_or_else(|| Clock::system().now())
    }

    fn seconds(&self) -> UnixTime {
        UnixTime(self.now().millis().div_euclid(1000))
    }

    /// Whether the whole path is asked about, and not only what a desk looks at.
    fn asks_for_paths(&self) -> bool {
        self.profile != Profile::Card
            || self.intermediates.is_some()
            || self.require_explicit_policy
            || self.inhibit_policy_mapping
            || self.inhibit_any_policy
    }
}

impl Verdict {
    fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn words(&self) -> String {
        let mut lines = match &self.refused {
            None => vec![format!("{}: valid", self.certificate)],
            Some(refused) => vec![
                format!("{}: refused {}: {}", self.certificate, refused.code, refused.reason),
                format!("  found:  {}", refused.found),
                format!("  wanted: {}", refused.wanted),
            ],
        };
        if !self.path.is_empty() {
            let marked = self.path.iter().enumerate().map(|(place, name)| {
                let at_fault = self.refused.as_ref().is_some_and(|refused| refused.at == place);
                if at_fault { format!("[{name}]") } else { name.clone() }
            });
            lines.push(format!("  path:   {}", marked.collect::<Vec<_>>().join(" < ")));
        }
        lines.extend(self.revocation.iter().map(|word| format!("  revocation: {word}")));
        lines.extend(self.note.iter().map(|note| format!("  {note}")));
        lines.join("\n")
    }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "write it as 2026-11-21T09:00:00+09:00 or with Z".to_owned())
}
