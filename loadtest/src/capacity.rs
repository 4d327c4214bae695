//! How much a server holds, and what to buy: search, fit, answer.
//!
//! ```text
//! trials at growing rates ─► highest rate that holds the objectives, searched again and again
//!   ─► mean and 95 % range, first limit met ─► service time and spread fitted
//!   ─► the planner's peak and average, year by year: machines, headroom, expected p99
//! ```
//!
//! Runs are made by whoever calls: here is only what follows from them.

mod answer;
mod fit;
mod search;

use serde::{Deserialize, Serialize};

pub use answer::{Answer, Demand, Year, answer};
pub use fit::{Fit, fit};
pub use search::{Capacity, SearchError, Searched, search};

/// What one trial showed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Requests a second that were due.
    pub rate: f64,
    /// Whether the objectives held.
    pub held: bool,
    /// Why the generator was the limit; empty when it was not.
    pub invalid: Vec<String>,
    /// Latency from the due instant, in seconds.
    pub mean: f64,
    /// In seconds.
    pub p50: f64,
    /// In seconds.
    pub p99: f64,
    /// Requests failed.
    pub failed: u64,
    /// Of those, refused as overload.
    pub overloaded: u64,
    /// Of those, connections that were refused or failed in TLS.
    pub unconnected: u64,
    /// 99th percentile of connecting and shaking hands in the trial, in seconds; 0 without.
    pub handshake: f64,
    /// Share of requests that waited for a connection.
    pub waited: f64,
    /// Cores that the server used, where known.
    pub server_cores: Option<f64>,
}

/// What gave way first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The server's cores.
    Cpu,
    /// Making connections.
    Handshakes,
    /// The number of connections.
    Connections,
    /// The server refused work to protect itself.
    OverloadControl,
    /// Requests waited for each other, while cores were left.
    Queueing,
    /// This program: the true limit is higher.
    Generator,
    /// None: the highest rate asked for holds.
    None,
}

impl Limit {
    /// What it says to a planner.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Cpu => "the server's cores are used up",
            Self::Handshakes => "connections are made too slowly: TLS handshakes",
            Self::Connections => "requests wait for a connection of their institution",
            Self::OverloadControl => "the server refuses work to protect itself",
            Self::Queueing => "requests wait for each other while cores are left",
            Self::Generator => "this generator: the server holds at least this much",
            Self::None => "none was met: the server holds at least this much",
        }
    }
}
