//! `shikaku feed state`, `quarantine` and `held`: what operators look after while the service runs.

use clap::Args;
use eligibility::feed::Source;
use serde::Deserialize;
use serde_json::json;

use super::CommandError;
use crate::commands::remote::{Calls, Server};
use crate::intake::{HeldDelivery, Reason};

/// Shows where the sources of a running service stand
#[derive(Args)]
#[command(
    after_help = "Example:\n  shikaku feed state 06132013 --server https://localhost:8443 --ca ca.pem --cert operator.pem --key operator-key.pem"
)]
pub(in crate::commands) struct State {
    /// One source; all that the caller may see when absent
    #[arg(value_parser = source)]
    source: Option<Source>,
    #[command(flatten)]
    server: Server,
}

/// Lists the records of a source that wait for a better word, or dismisses some
///
/// A later record of the same person, or one that says it `resolves` the record, closes it too.
#[derive(Args)]
#[command(
    after_help = "Example:\n  shikaku feed quarantine 06132013 --dismiss 1059 --server https://localhost:8443 --ca ca.pem --cert operator.pem --key operator-key.pem"
)]
pub(in crate::commands) struct Quarantine {
    /// The source
    #[arg(value_parser = source)]
    source: Source,
    /// Dismiss the record of this name; may be said several times
    #[arg(long, value_name = "NAME", value_parser = name)]
    dismiss: Vec<String>,
    #[command(flatten)]
    server: Server,
}

/// Lists the deliveries of a source that are held back, or decides on the oldest
#[derive(Args)]
#[command(
    after_help = "Example:\n  shikaku feed held 06132013 --release 9f86d081884c7d65 --server https://localhost:8443 --ca ca.pem --cert operator.pem --key operator-key.pem"
)]
pub(in crate::commands) struct HeldBack {
    /// The source
    #[arg(value_parser = source)]
    source: Source,
    /// Take this delivery as it is
    #[arg(long, value_name = "DELIVERY", value_parser = name, conflicts_with = "drop")]
    release: Option<String>,
    /// Drop this delivery; the restrictions that it asked for stay
    #[arg(long, value_name = "DELIVERY", value_parser = name)]
    drop: Option<String>,
    #[command(flatten)]
    server: Server,
}

fn source(text: &str) -> Result<Source, String> {
    let known = "is no source: an insurer number as printed, portal, jlis, or city- and six digits";
    Source::parse(text).ok_or_else(|| known.to_owned())
}

/// What stands in an address as it is.
fn name(text: &str) -> Result<String, String> {
    let plain = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_alphanumeric());
    plain.then(|| text.to_owned()).ok_or_else(|| "is no name: digits and small letters".to_owned())
}

#[derive(Deserialize)]
struct Feeds {
    feeds: Vec<Feed>,
}

#[derive(Deserialize)]
struct Feed {
    source: String,
    epoch: u32,
    committed_sequence: u64,
    complete_to: Option<String>,
    age_seconds: Option<i64>,
    quarantine: u64,
    held: Vec<HeldDelivery>,
}

#[derive(Deserialize)]
struct Quarantined {
    name: String,
    line: u64,
    code: String,
    field: Option<String>,
    committed_at: String,
}

#[derive(Deserialize)]
struct Open {
    quarantine: Vec<Quarantined>,
}

#[derive(Deserialize)]
struct Waiting {
    held: Vec<HeldDelivery>,
}

#[derive(Deserialize)]
struct Decided {
    #[serde(default)]
    accepted: u64,
    #[serde(default)]
    quarantined: Vec<serde::de::IgnoredAny>,
}

impl State {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let feeds = self.server.run(async |mut calls: Calls| match self.source {
            Some(source) => calls.show(&format!("/v1/feeds/{source}")).await.map(|one| vec![one]),
            None => calls.show("/v1/feeds").await.map(|Feeds { feeds }| feeds),
        })?;
        for Feed { source, epoch, committed_sequence, complete_to, age_seconds, quarantine, held } in feeds {
            let complete = complete_to.as_deref().unwrap_or("never");
            let age = age_seconds.map_or(String::new(), |seconds| format!(" ({} h ago)", seconds / 3600));
            println!(
                "{source}: epoch {epoch}, sequence {committed_sequence}, complete to {complete}{age}, \
                 {quarantine} quarantined, {} held back",
                held.len()
            );
        }
        Ok(())
    }
}

impl Quarantine {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let path = format!("/v1/feeds/{}/quarantine", self.source);
        let Open { quarantine } = self.server.run(async |mut calls: Calls| {
            for name in &self.dismiss {
                let _: Open = calls.post(&format!("{path}/{name}"), &json!({"dismiss": true})).await?;
                println!("{}: {name} dismissed", self.source);
            }
            calls.show(&path).await
        })?;
        for Quarantined { name, line, code, field, committed_at } in &quarantine {
            let field = field.as_deref().unwrap_or_default();
            println!("{name}: {code} {field}, line {line} of the delivery of {committed_at}");
        }
        println!("{}: {} quarantined", self.source, quarantine.len());
        Ok(())
    }
}

impl HeldBack {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let path = format!("/v1/feeds/{}/held", self.source);
        let Waiting { held } = self.server.run(async |mut calls: Calls| {
            for (delivery, release) in [(&self.release, true), (&self.drop, false)] {
                let Some(delivery) = delivery else { continue };
                let decided: Decided =
                    calls.post(&format!("{path}/{delivery}"), &json!({"release": release})).await?;
                let (accepted, quarantined) = (decided.accepted, decided.quarantined.len());
                match release {
                    true => println!("{delivery}: released, {accepted} accepted, {quarantined} quarantined"),
                    false => println!("{delivery}: dropped"),
                }
            }
            calls.show(&path).await
        })?;
        for one in &held {
            println!("{}: {} records, received {}", one.delivery, one.records, one.received_at);
            one.reasons.iter().for_each(tell);
        }
        println!("{}: {} held back", self.source, held.len());
        Ok(())
    }
}

/// Why a delivery is held back.
pub(super) fn tell(reason: &Reason) {
    let Reason { gate, field, found, allowed } = reason;
    println!("  {gate} {}: {found}, {allowed} allowed", field.as_deref().unwrap_or_default());
}
