//! `shikaku-load drill`: an incident, held against gateways of the drill's own.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::CommandError;
use crate::drill::{self, Drill, Setup};

/// Holds an incident drill and prints what the desks saw: 0 when the house behaved, 1 when not
#[derive(Args)]
#[command(after_help = "Example:\n  shikaku-load drill dead-feeder --gateway target/release/shikaku\n\n\
                        The gateway is started anew, with invented people, in a folder that is removed at the end.")]
pub(super) struct DrillCommand {
    /// The incident
    name: Drill,
    /// The gateway's program; the one beside this program when absent
    #[arg(long)]
    gateway: Option<PathBuf>,
    /// People of the nation
    #[arg(long, default_value_t = 4000)]
    people: u64,
    /// Seconds of each of before, during and after
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(2..=3600))]
    seconds: u64,
    /// Queries a second of the ordinary desks
    #[arg(long, default_value_t = 200.0)]
    rate: f64,
    /// Milliseconds within which 99 of a hundred desks are answered that the incident does not concern
    #[arg(long, default_value_t = 100)]
    limit_ms: u64,
}

impl DrillCommand {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let setup = Setup {
            gateway: self.gateway()?,
            people: self.people,
            seconds: self.seconds,
            rate: self.rate,
            limit: Duration::from_millis(self.limit_ms),
        };
        let behaved = drill::run(self.name, &setup)
            .map_err(|error| CommandError::Environment(format!("the drill could not be held: {error}")))?;
        if behaved { Ok(()) } else { Err(CommandError::No("the house did not behave".to_owned())) }
    }

    fn gateway(&self) -> Result<PathBuf, CommandError> {
        let beside = || Some(std::env::current_exe().ok()?.with_file_name("shikaku"));
        let program = self.gateway.clone().or_else(beside).unwrap_or_default();
        if program.is_file() {
            return Ok(program);
        }
        Err(CommandError::Usage(format!(
            "{}: no program there; name the gateway's with --gateway",
            program.display()
        )))
    }
}
