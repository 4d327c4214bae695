//! `shikaku pki rehearse`: the cards of the last weeks against a new set of trust anchors, before it
//! is used.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use pki::Anchors;

use super::files;
use crate::commands::CommandError;
use crate::config::Config;
use crate::trust::issuers::{self, Line};

/// Says how many cards of the last weeks a new set of trust anchors would have refused
#[derive(Args)]
#[command(
    after_help = "Example:\n  shikaku pki rehearse --anchors /etc/shikaku/jpki-2027 --config /etc/shikaku/shikaku.toml\n\n\
                        Ends with 0 when all would have been taken, 1 when any would not, or when no card \
                        has been counted yet."
)]
pub(in crate::commands) struct Rehearse {
    /// Folder or file with the whole new set: *.pem, *.der, *.crt, *.cer
    #[arg(long)]
    anchors: PathBuf,
    /// The gateway's configuration; its card.issuers is the file with what was counted
    #[arg(long)]
    config: PathBuf,
}

impl Rehearse {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let config = Config::read(&self.config).map_err(CommandError::usage)?;
        let Some(path) = config.card.issuers else {
            return Err(CommandError::Usage(format!(
                "{}: card.issuers is not set: nothing is counted that could be rehearsed with",
                self.config.display()
            )));
        };
        let items = files::certificates_in(&self.anchors)?;
        let anchors = Anchors::from_certificates(items.iter().map(|item| &item.der)).map_err(|error| {
            let name = items
                .get(error.position)
                .map_or_else(|| self.anchors.display().to_string(), |item| item.name.clone());
            CommandError::Usage(format!("{name}: no trust anchor: {}", error.reason))
        })?;
        let lines =
            issuers::read(&path).map_err(|why| CommandError::Usage(format!("{}: {why}", path.display())))?;
        report(&lines, &anchors)
    }
}

fn report(lines: &[Line], anchors: &Anchors) -> Result<(), CommandError> {
    let mut counts: BTreeMap<(&str, Option<&str>), u64> = BTreeMap::new();
    for line in lines {
        let why = issuers::refusal(line, anchors);
        *counts.entry((&line.issuer.certificate, why)).or_default() += line.cards;
    }
    for ((certificate, why), cards) in &counts {
        let authority = certificate.get(..16).unwrap_or(certificate);
        match why {
            None => println!("{cards} cards of authority {authority} would be taken"),
            Some(why) => println!("{cards} cards of authority {authority} would FAIL: {why}"),
        }
    }
    let sum =
        |fail: bool| counts.iter().filter(|((_, why), _)| why.is_some() == fail).map(|(_, n)| n).sum::<u64>();
    let (taken, failing) = (sum(false), sum(true));
    if taken + failing == 0 {
        return Err(CommandError::No("no card has been counted yet: nothing to rehearse with".to_owned()));
    }
    let days = lines.iter().map(|line| line.day);
    if let (Some(first), Some(last)) = (days.clone().min(), days.max()) {
        println!("{} cards from {first} through {last}: {failing} would fail", taken + failing);
    }
    match failing {
        0 => Ok(()),
        failing => Err(CommandError::No(format!("{failing} cards would fail with these anchors"))),
    }
}
