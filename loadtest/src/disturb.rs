//! Disturbances beside the load: slow senders, slow readers, silent and short connections.
//!
//! What they meet is not measured; what they do to the others is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::client::Client;
use crate::engine::Start;
use crate::http;
use crate::plan::Plan;
use crate::scenario::{Disturbance, DisturbanceKind, Scenario};
use crate::target::Server;

/// A slow sender sends an octet this often.
const DRIP: Duration = Duration::from_millis(100);
/// How long one of its connections is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Connections of which one thread takes care.
const EACH: u32 = 64;

/// Does what the scenario says until it is over or `stop` is set.
pub fn run(scenario: &Scenario, plan: &Plan, server: &Server, start: Start, stop: &AtomicBool) {
    thread::scope(|scope| {
        for one in &scenario.disturbances {
            let threads = one.connections.div_ceil(EACH).max(1);
            for part in 0..threads {
                let connections = (one.connections - part * EACH).min(EACH);
                scope.spawn(move || Disturber { one, plan, server, start, stop }.run(connections as usize));
            }
        }
    });
}

struct Disturber<'d> {
    one: &'d Disturbance,
    plan: &'d Plan,
    server: &'d Server,
    start: Start,
    stop: &'d AtomicBool,
}

impl Disturber<'_> {
    fn run(&self, connections: usize) {
        let begins = (self.one.from * 1e9) as u64;
        while !self.start.left(begins).is_zero() {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            thread::sleep(self.start.left(begins).min(DRIP));
        }
        let mut clients: Vec<Option<(Client, usize)>> = (0..connections).map(|_| None).collect();
        while self.goes_on() {
            for client in &mut clients {
                if !self.goes_on() {
                    return;
                }
                self.act(client);
            }
            thread::sleep(DRIP);
        }
    }

    fn goes_on(&self) -> bool {
        let ends = ((self.one.from + self.one.seconds) * 1e9) as u64;
        !self.stop.load(Ordering::Relaxed) && self.start.now() < ends
    }

    /// One step of one connection, with how many octets it has sent.
    fn act(&self, client: &mut Option<(Client, usize)>) {
        let Some((connection, sent)) = client else {
            *client = self.connect().map(|connection| (connection, 0));
            return;
        };
        let body = [b' '; 400];
        let request = http::post(&self.server.host, "/v1/challenges", "application/json", &body);
        let done = match self.one.kind {
            DisturbanceKind::Flood => Ok(()),
            DisturbanceKind::SlowSender => {
                let octet = request.get(*sent..=*sent).unwrap_or_default();
                *sent = (*sent + 1) % request.len();
                connection.send(octet)
            }
            // Until nothing more fits between us and the server.
            DisturbanceKind::SlowReader => connection.send(&http::get(&self.server.host, "/openapi.json")),
            DisturbanceKind::Handshakes => {
                let _ = connection.send(b" ");
                *client = None;
                return;
            }
        };
        if done.is_err() {
            *client = None;
        }
    }

    fn connect(&self) -> Option<Client> {
        let tls: Option<&Arc<_>> = self.plan.institutions.first().and_then(|one| one.tls.as_ref());
        Client::connect(self.server, tls, PATIENCE).ok()
    }
}
