//! The server's own view: its metrics, and the cores its process uses.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::client::Client;
use crate::http;
use crate::target::Server;

/// Clock ticks a second in `/proc` (USER_HZ, the same on every Linux).
const TICKS: f64 = 100.0;

/// Reads metrics over a connection that is kept.
pub struct Metrics {
    server: Server,
    request: Vec<u8>,
    client: Option<Client>,
    watch: Vec<String>,
}

impl Metrics {
    /// Of this page, those of these names.
    ///
    /// # Errors
    /// The URL that is none, or asks for TLS.
    pub fn of(url: &str, watch: &[String]) -> Result<Self, String> {
        let server = Server::of(url)?;
        if server.name.is_some() {
            return Err(format!("{url}: metrics are read without TLS"));
        }
        let rest = url.strip_prefix("http://").unwrap_or_default();
        let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/metrics");
        let request = http::get(&server.host, path);
        Ok(Self { server, request, client: None, watch: watch.to_vec() })
    }

    /// The values now, summed over labels; empty while the page cannot be read.
    pub fn read(&mut self) -> BTreeMap<String, f64> {
        let client = match self.client.take() {
            Some(client) => Some(client),
            None => Client::connect(&self.server, None, Duration::from_secs(2)).ok(),
        };
        let Some(mut client) = client else { return BTreeMap::new() };
        match client.exchange(&self.request) {
            Ok((200, body)) => {
                self.client = Some(client);
                parse(&String::from_utf8_lossy(&body), &self.watch)
            }
            _ => BTreeMap::new(),
        }
    }
}

/// Sums of the watched metrics in a Prometheus text.
fn parse(text: &str, watch: &[String]) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name_end = line.find(['{', ' ']).unwrap_or(line.len());
        let (name, rest) = line.split_at(name_end);
        let rest = rest.rfind('}').and_then(|at| rest.get(at + 1..)).unwrap_or(rest);
        let value = rest.split_whitespace().next().and_then(|value| value.parse::<f64>().ok());
        if let (true, Some(value)) = (watch.iter().any(|one| one == name), value) {
            *found.entry(name.to_owned()).or_default() += value;
        }
    }
    found
}

/// Processor time of a process on this machine, in seconds.
#[must_use]
pub fn processor_seconds(process: u32) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name may hold blanks and brackets; it ends with the last bracket.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_summed_over_labels() {
        let text = "# HELP a b\na{x=\"1 }\"} 2\na{x=\"2\"} 3.5\nab 7\nb 1e3 1700000\n";
        let found = parse(text, &["a".to_owned(), "b".to_owned(), "c".to_owned()]);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [("a".to_owned(), 5.5), ("b".to_owned(), 1000.0)]);
    }

    #[test]
    fn this_process_has_used_some() {
        assert!(processor_seconds(std::process::id()).is_some());
        assert!(processor_seconds(u32::MAX).is_none());
    }
}
