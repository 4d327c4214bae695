//! `shikaku-load constant`: a server of known behaviour, to see what a generator is able to do.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use super::CommandError;
use crate::constant::{Constant, Manner};

/// Serves constant answers without TLS, to measure this generator and not a gateway
#[derive(Args)]
#[command(
    after_help = "Example:\n  shikaku-load constant --listen 127.0.0.1:7070 &\n  shikaku-load run loadtest/scenarios/generator.toml"
)]
pub(super) struct ConstantCommand {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
    /// Milliseconds that every answer takes
    #[arg(long, default_value_t = 0.0)]
    delay: f64,
    /// Milliseconds for which everything stands still, every --every milliseconds
    #[arg(long, default_value_t = 0.0, requires = "every")]
    stall: f64,
    /// See --stall
    #[arg(long, default_value_t = 0.0)]
    every: f64,
}

impl ConstantCommand {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let ms = |given: f64| {
            Duration::try_from_secs_f64(given / 1000.0)
                .map_err(|error| CommandError::Usage(error.to_string()))
        };
        let manner = Manner { delay: ms(self.delay)?, stall: ms(self.stall)?, every: ms(self.every)? };
        let server = Constant::start(self.listen, manner)
            .map_err(|error| CommandError::Environment(format!("{}: {error}", self.listen)))?;
        println!("constant answers at http://{}", server.address);
        loop {
            std::thread::park();
        }
    }
}
