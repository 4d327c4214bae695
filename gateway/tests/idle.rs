//! What an idle connection takes of memory. Long, and for a quiet machine:
//!
//! ```sh
//! cargo test --release -p gateway --test idle -- --ignored --nocapture
//! ```

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use std::io::{Read, Write};
use std::time::Duration;

use gateway::config::Service;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use world::World;

const CONNECTIONS: usize = 8000;

/// Octets of the process's own memory, without the pages of its files.
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// What a connection has used is given back when it has been at rest for a while: twice the time between two
/// looks at it. The library that keeps the memory gives it back to the system while others ask.
fn others_go_on(world: &World, time: Duration) {
    let mut others = world.client("reception").connect().unwrap();
    let mut buffer = [0; 4096];
    for _ in 0..time.as_millis() / 20 {
        others.write_all(b"GET /v1/x HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        assert!(others.read(&mut buffer).unwrap() > 0);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
#[ignore = "opens thousands of connections"]
fn an_idle_connection_takes_no_more_than_is_said() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    let mut world = World::prepared(60);
    world.rewrite("connections_per_address = 2000", "connections_per_address = 20000");
    world.rewrite("idle_seconds = 75", "idle_seconds = 600");
    world.start();
    let mut buffer = [0; 16 * 1024];
    for protocol in [&b"http/1.1"[..], b"h2"] {
        let client = world.client("reception").with_protocol(protocol);
        let open = |buffer: &mut [u8]| {
            let mut stream = client.connect().unwrap();
            // Each has asked something and been answered: its buffers have been used.
            match protocol {
                b"h2" => {
                    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
                    // :method GET, :scheme https, :path /v1/x, :authority localhost.
                    let fields = [&b"\x82\x87\x44\x05/v1/x\x41\x09"[..], b"localhost"].concat();
                    let get = [&[0, 0, fields.len() as u8, 1, 5, 0, 0, 0, 1], &fields[..]].concat();
                    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
                    stream.write_all(&settings).unwrap();
                    stream.write_all(&get).unwrap();
                }
                _ => stream.write_all(b"GET /v1/x HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap(),
            }
            assert!(stream.read(buffer).unwrap() > 0);
            stream
        };
        let warm: Vec<_> = (0..200).map(|_| open(&mut buffer)).collect();
        others_go_on(&world, Duration::from_secs(3));
        let before = memory(world.process_id());
        let held: Vec<_> = (0..CONNECTIONS).map(|_| open(&mut buffer)).collect();
        others_go_on(&world, Duration::from_secs(3));
        let each = memory(world.process_id()).saturating_sub(before) / CONNECTIONS as u64;
        println!("{}: {each} octets an idle connection", String::from_utf8_lossy(protocol));
        drop((warm, held));
        let most = if protocol == b"h2" { Service::IDLE_OCTETS } else { Service::IDLE_OCTETS_HTTP1 };
        assert!(each <= most, "{each} octets");
        std::thread::sleep(Duration::from_secs(2));
    }
}
