//! The strict front over the wire: requests that could be read in two ways, callers that keep us
//! waiting, floods of frames, and how connections are encrypted.

#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests wait by the clock, and end by panicking"
)]

#[path = "../world/mod.rs"]
mod world;

mod frames;
mod requests;
mod slow;
mod tls;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// Sends these octets and reads until the other side closes; how long that took.
fn exchange(stream: &mut Stream, octets: &[u8]) -> (Vec<u8>, Duration) {
    let began = Instant::now();
    let _ = stream.write_all(octets);
    let _ = stream.flush();
    let mut read = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        read.extend_from_slice(&buffer[..count]);
    }
    (read, began.elapsed())
}

/// Waits until the other side closes, for so long at most.
fn closes_within(stream: &mut Stream, most: Duration) -> bool {
    let began = Instant::now();
    stream.sock.set_read_timeout(Some(most)).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
    began.elapsed() < most
}

/// Connections ended for that reason.
fn ended(world: &world::World, why: &str) -> f64 {
    metric(world, &format!("shikaku_connections_ended_total{{why=\"{why}\"}}"))
}

/// Whether they become so many: they are counted a moment after their end.
fn has_ended(world: &world::World, why: &str, count: f64) -> bool {
    (0..40).any(|_| {
        let reached = ended(world, why) >= count;
        if !reached {
            std::thread::sleep(Duration::from_millis(50));
        }
        reached
    })
}

/// The value of a metric, 0 where it is not there yet.
fn metric(world: &world::World, name: &str) -> f64 {
    let text = world.admin_get("/metrics").unwrap().1;
    let line = text.lines().find(|line| line.starts_with(name) && line[name.len()..].starts_with(' '));
    line.map_or(0.0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}
