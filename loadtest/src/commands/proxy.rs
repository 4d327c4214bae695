//! `shikaku-load proxy`: faults between a client and a server.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use super::CommandError;
use crate::proxy::{Faults, Proxy};

/// Passes TCP connections on, with faults
#[derive(Args)]
#[command(
    after_help = "Example:\n  shikaku-load proxy --listen 127.0.0.1:9443 --to 127.0.0.1:8443 --latency 20 --jitter 10 --bandwidth 125000\n  shikaku-load run loadtest/scenarios/monday.toml --url https://127.0.0.1:9443"
)]
pub(super) struct ProxyCommand {
    /// Where to listen
    #[arg(long)]
    listen: SocketAddr,
    /// Where to pass on to
    #[arg(long)]
    to: SocketAddr,
    /// Milliseconds by which every piece is late
    #[arg(long, default_value_t = 0.0)]
    latency: f64,
    /// Milliseconds by which it is late besides, at the most, by chance
    #[arg(long, default_value_t = 0.0)]
    jitter: f64,
    /// Octets a second in each direction; 0: as many as go
    #[arg(long, default_value_t = 0)]
    bandwidth: u64,
    /// Longest piece passed on at once, in octets; 0: any
    #[arg(long, default_value_t = 0)]
    slice: usize,
    /// Reset each connection after so many octets of answers; 0: never
    #[arg(long, default_value_t = 0)]
    reset_after: u64,
    /// Pass on nothing more after so many octets of answers; 0: never
    #[arg(long, default_value_t = 0)]
    blackhole_after: u64,
    /// Close the direction of requests after so many octets of it, and leave answers open; 0: never
    #[arg(long, default_value_t = 0)]
    half_close_after: u64,
}

impl ProxyCommand {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let ms = |given: f64| {
            Duration::try_from_secs_f64(given / 1000.0)
                .map_err(|error| CommandError::Usage(error.to_string()))
        };
        let faults = Faults {
            latency: ms(self.latency)?,
            jitter: ms(self.jitter)?,
            bandwidth: self.bandwidth,
            slice: self.slice,
            reset_after: self.reset_after,
            blackhole_after: self.blackhole_after,
            half_close_after: self.half_close_after,
        };
        let environment =
            |error: std::io::Error| CommandError::Environment(format!("{}: {error}", self.listen));
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(environment)?;
        runtime.block_on(async {
            let proxy = Proxy::bind(self.listen, self.to, faults).await.map_err(environment)?;
            println!("{} passes on to {}", proxy.address().map_err(environment)?, self.to);
            proxy.run().await;
            Ok(())
        })
    }
}
