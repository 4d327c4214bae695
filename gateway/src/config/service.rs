//! `[[listener]]`, `[service]` and `[admin]`: where is listened, for whom, and how much of anybody is borne.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::RevocationRules;

/// One service address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Where to listen.
    pub address: SocketAddr,
    /// PEM file with the server's certificate and its chain.
    pub certificate: PathBuf,
    /// PEM file with the server's private key.
    pub key: PathBuf,
    /// PEM files with the CAs of client certificates.
    pub client_cas: Vec<PathBuf>,
    /// Folder with the revocation lists (`*.crl`, DER) of these CAs, looked at again every few
    /// seconds; client certificates are not looked up when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_crls: Option<PathBuf>,
    /// Also take TLS 1.2, with ECDHE and AES-GCM or ChaCha20 only.
    #[serde(default)]
    pub tls12: bool,
    /// What to do with client certificates of which those lists do not speak.
    #[serde(default)]
    pub client_revocation: RevocationRules,
}

/// Limits of the service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Service {
    /// Most connections at once.
    pub connections: usize,
    /// Most connections at once from one address.
    pub connections_per_address: usize,
    /// Most TLS handshakes at once.
    pub handshakes: usize,
    /// Seconds for a TLS handshake.
    pub handshake_seconds: u64,
    /// Seconds from there to the first octet of a request.
    pub first_byte_seconds: u64,
    /// Seconds between requests of one connection.
    pub idle_seconds: u64,
    /// Seconds for the header of a request, from its first octet to its last.
    pub header_seconds: u64,
    /// Seconds for the body of a query.
    pub body_seconds: u64,
    /// Seconds of silence within a body.
    pub chunk_seconds: u64,
    /// Octets a second that a streamed body must bring, after its first 10 seconds.
    pub least_octets_per_second: u64,
    /// Seconds for which a caller may not take what is written to it.
    pub write_seconds: u64,
    /// Largest body of a query, in octets.
    pub body_octets: usize,
    /// Requests a second that one institution may send; as many as it likes when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_institution: Option<u32>,
    /// Seconds that requests in flight are given when stopping.
    pub drain_seconds: u64,
}

impl Service {
    /// Octets of memory that an idle connection takes, at the most: with HTTP/2, whose library keeps its
    /// buffers.
    pub const IDLE_OCTETS: u64 = 48 * 1024;
    /// The same with HTTP/1.1.
    pub const IDLE_OCTETS_HTTP1: u64 = 16 * 1024;

    /// What is wrong with its bounds on a machine with so much memory; half of it is for what is served.
    #[must_use]
    pub fn fault(&self, memory: u64) -> Option<(&'static str, String)> {
        let needed = (self.connections as u64).saturating_mul(Self::IDLE_OCTETS);
        (needed > memory / 2).then(|| {
            let [needed, memory] = [needed, memory].map(|octets| octets >> 20);
            let why = format!(
                "so many idle connections take {needed} MiB, and half of this machine's memory of {memory} MiB is \
                 for what is served: lower it"
            );
            ("service.connections", why)
        })
    }
}

impl Default for Service {
    fn default() -> Self {
        Self {
            connections: 20_000,
            connections_per_address: 2_000,
            handshakes: 1024,
            handshake_seconds: 5,
            first_byte_seconds: 10,
            idle_seconds: 75,
            header_seconds: 10,
            body_seconds: 10,
            chunk_seconds: 30,
            least_octets_per_second: 1024,
            write_seconds: 10,
            body_octets: 16 * 1024,
            requests_per_institution: None,
            drain_seconds: 30,
        }
    }
}

/// The operator's own listener: plain HTTP, its own thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Where to listen; keep it on loopback or behind the operator's own network.
    pub address: SocketAddr,
}

impl Default for Admin {
    fn default() -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], 9090)) }
    }
}
