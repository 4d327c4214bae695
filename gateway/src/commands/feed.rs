//! `shikaku feed`: loads or checks feed files without the service; `operate` is what operators do while it
//! runs.

mod operate;

mod load;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use eligibility::feed::{Record, Source};

use super::CommandError;
use crate::config::Config;
use crate::intake::{Admitted, HeldDelivery, Report};

/// Loads or checks feed files.
#[derive(Subcommand)]
#[command(after_help = "Example:\n  shikaku feed load feed/*.ndjson --config shikaku.toml")]
pub(super) enum FeedCommand {
    /// Takes feed files into the ledger while the service is stopped
    Load {
        /// Feed files, each of one source
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The configuration file
        #[arg(long)]
        config: PathBuf,
    },
    /// Says per line what is wrong with feed files; changes nothing
    Verify {
        /// Feed files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    State(operate::State),
    Quarantine(operate::Quarantine),
    Held(operate::HeldBack),
}

impl FeedCommand {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Load { files, config } => {
                let config = Config::read(config).map_err(CommandError::usage)?;
                let mut held = 0;
                for (file, admitted) in load::load(&config, files)? {
                    match admitted {
                        Admitted::Committed(report) => summarize(&file, &report),
                        Admitted::Held(delivery) => {
                            held += 1;
                            tell_held(&file, &delivery);
                        }
                    }
                }
                if held == 0 {
                    Ok(())
                } else {
                    Err(CommandError::No(format!("{held} deliveries are held back")))
                }
            }
            Self::Verify { files } => verify(files),
            Self::State(state) => state.run(),
            Self::Quarantine(quarantine) => quarantine.run(),
            Self::Held(held) => held.run(),
        }
    }
}

fn verify(files: &[PathBuf]) -> Result<(), CommandError> {
    let mut wrong = 0_u64;
    for file in files {
        let mut source = None;
        for (at, line) in BufReader::new(open(file)?).split(b'\n').enumerate() {
            let line = line.map_err(|error| unreadable(file, &error))?;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let fault = match Record::from_json(&line) {
                // What the gateway says of itself is in its ledger, never in a file.
                Ok(record)
                    if record.source == Source::Gateway
                        || *source.get_or_insert(record.source) != record.source =>
                {
                    Some(("foreign_source", Some("source".to_owned())))
                }
                Ok(record) => {
                    for warning in record.warnings() {
                        let field = warning.place().unwrap_or_default();
                        println!("{}:{}: warning: {} {field}", file.display(), at + 1, warning.code());
                    }
                    None
                }
                Err(fault) => Some((fault.code(), fault.place().map(str::to_owned))),
            };
            if let Some((code, field)) = fault {
                wrong += 1;
                println!(
                    "{}:{}: {code}{}",
                    file.display(),
                    at + 1,
                    field.map_or(String::new(), |f| format!(" {f}"))
                );
            }
        }
    }
    if wrong == 0 {
        println!("every line is a record");
        return Ok(());
    }
    Err(CommandError::No(format!("{wrong} lines are no records")))
}

fn open(file: &Path) -> Result<File, CommandError> {
    File::open(file).map_err(|error| unreadable(file, &error))
}

fn unreadable(file: &Path, error: &std::io::Error) -> CommandError {
    CommandError::Usage(format!("{}: cannot be read: {error}", file.display()))
}

fn tell_held(file: &Path, held: &HeldDelivery) {
    println!("{}: {} records, held back as {}", file.display(), held.records, held.delivery);
    held.reasons.iter().for_each(operate::tell);
}

fn summarize(file: &Path, report: &Report) {
    let quarantined = report.quarantined_total.unwrap_or(report.quarantined.len() as u64);
    println!(
        "{}: {} accepted, {} duplicates, {quarantined} quarantined, complete to sequence {}",
        file.display(),
        report.accepted,
        report.duplicates,
        report.committed_sequence
    );
    for one in &report.warnings {
        println!("  line {}: warning: {} {}", one.line, one.code, one.field.as_deref().unwrap_or_default());
    }
    for one in &report.quarantined {
        let field = one.field.as_deref().map_or(String::new(), |field| format!(" {field}"));
        println!("  line {}: {}{field}", one.line, one.code);
    }
}
