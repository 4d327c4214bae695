//! Callers that keep us waiting: whatever they wait with, their connections end, and nobody else
//! notices.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::world::World;
use crate::{Stream, closes_within, ended, has_ended, metric};

const SECOND: Duration = Duration::from_secs(1);

/// With times of a second or two.
static WORLD: LazyLock<World> = LazyLock::new(|| {
    let mut world = World::prepared(60);
    for (key, from, to) in [
        ("handshake_seconds", 5, 1),
        ("first_byte_seconds", 10, 1),
        ("idle_seconds", 75, 2),
        ("header_seconds", 10, 1),
        ("body_seconds", 10, 60),
        ("chunk_seconds", 30, 1),
        ("write_seconds", 10, 1),
        ("connections_per_address", 2000, 60),
    ] {
        world.rewrite(&format!("{key} = {from}"), &format!("{key} = {to}"));
    }
    world.start();
    world
});

fn connected() -> Stream {
    let mut stream = WORLD.client("reception").connect().unwrap();
    stream.conn.complete_io(&mut stream.sock).unwrap();
    stream
}

fn number_two() -> bool {
    WORLD.client("review").post("/v1/challenges", &json!({})).status == 201
}

#[test]
fn silence_ends_a_connection_wherever_it_falls() {
    let began = Instant::now();
    // No handshake at all.
    let mut silent = TcpStream::connect(WORLD.listen).unwrap();
    silent.set_read_timeout(Some(10 * SECOND)).unwrap();
    let _ = silent.read(&mut [0; 16]);
    assert!(began.elapsed() < 5 * SECOND, "no handshake: {:?}", began.elapsed());

    // No request.
    let before = ended(&WORLD, "first_byte");
    assert!(closes_within(&mut connected(), 5 * SECOND), "no octet");
    assert!(has_ended(&WORLD, "first_byte", before + 1.0));

    // Half a head, then silence; and a head that comes by drops.
    let before = ended(&WORLD, "head");
    let mut half = connected();
    half.write_all(b"POST /v1/challenges HTTP/1.1\r\nhost: ").unwrap();
    assert!(closes_within(&mut half, 5 * SECOND), "half a head");
    let mut drops = connected();
    let began = Instant::now();
    while began.elapsed() < 8 * SECOND && drops.write_all(b"P").is_ok() && drops.flush().is_ok() {
        std::thread::sleep(SECOND / 5);
    }
    assert!(began.elapsed() < 8 * SECOND, "a head by drops");
    assert!(has_ended(&WORLD, "head", before + 2.0));

    // Half a body.
    let before = ended(&WORLD, "body");
    let mut half = connected();
    half.write_all(b"POST /v1/challenges HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{")
        .unwrap();
    assert!(closes_within(&mut half, 5 * SECOND), "half a body");
    assert!(has_ended(&WORLD, "body", before + 1.0));

    // Between requests.
    let before = ended(&WORLD, "idle");
    let mut idle = connected();
    idle.write_all(b"GET /v1/x HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut buffer = [0; 4096];
    assert!(idle.read(&mut buffer).unwrap() > 0);
    assert!(closes_within(&mut idle, 6 * SECOND), "between requests");
    assert!(has_ended(&WORLD, "idle", before + 1.0));
    assert!(number_two());
}

#[test]
fn a_delivery_that_dribbles_is_ended() {
    let mut stream = WORLD.client("insurer-06132013").connect().unwrap();
    stream
        .write_all(
            b"POST /v1/feeds/06132013 HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n",
        )
        .unwrap();
    // Never silent for long, and never in earnest.
    let began = Instant::now();
    while began.elapsed() < 25 * SECOND && stream.write_all(b"1\r\n \r\n").is_ok() && stream.flush().is_ok() {
        std::thread::sleep(SECOND / 5);
    }
    assert!((9 * SECOND..25 * SECOND).contains(&began.elapsed()), "{:?}", began.elapsed());
    assert!(number_two());
}

#[test]
fn who_does_not_read_is_ended() {
    let before = ended(&WORLD, "write");
    let mut stream = connected();
    // Far more answers are asked for than any buffer on the way holds.
    let request = b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100);
    stream.sock.set_write_timeout(Some(SECOND)).unwrap();
    let began = Instant::now();
    while ended(&WORLD, "write") <= before && began.elapsed() < 15 * SECOND {
        let _ = stream.write_all(&request);
        std::thread::sleep(SECOND / 5);
    }
    assert!(has_ended(&WORLD, "write", before + 1.0));
    assert!(number_two());
}

#[test]
fn our_own_time_is_not_the_callers() {
    // An idle second between a request's parts that are ours: a busy connection lives on.
    let mut stream = connected();
    for _ in 0..4 {
        stream.write_all(b"GET /v1/x HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        let mut buffer = [0; 4096];
        assert!(stream.read(&mut buffer).unwrap() > 0);
        std::thread::sleep(SECOND);
    }
}

#[test]
fn one_address_holds_so_many_connections_and_no_more() {
    let mut world = World::prepared(60);
    world.rewrite("connections_per_address = 2000", "connections_per_address = 20");
    world.start();
    let held: Vec<_> = (0..40).map(|_| TcpStream::connect(world.listen).unwrap()).collect();
    std::thread::sleep(SECOND / 2);
    assert_eq!(metric(&world, "shikaku_connections_refused_total"), 20.0);
    drop(held);
    std::thread::sleep(SECOND / 2);
    assert_eq!(world.client("review").post("/v1/challenges", &json!({})).status, 201);
}

#[test]
fn five_thousand_silent_sockets_are_gone_after_their_time() {
    let mut world = World::prepared(60);
    world.rewrite("connections_per_address = 2000", "connections_per_address = 10000");
    world.rewrite("handshake_seconds = 5", "handshake_seconds = 2");
    world.start();
    // Of the two sides, this one's file descriptors are the fewer.
    let most = rlimit().min(5_000);
    let held: Vec<_> = (0..most).map_while(|_| TcpStream::connect(world.listen).ok()).collect();
    assert!(held.len() > 400, "{}", held.len());
    assert_eq!(world.client("review").post("/v1/challenges", &json!({})).status, 201, "nobody else notices");
    std::thread::sleep(4 * SECOND);
    let open = std::fs::read_dir(format!("/proc/{}/fd", world.process_id())).unwrap().count();
    assert!(open < 100, "{open} files are open");
}

/// How many sockets this process may open, some left for everything else.
fn rlimit() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(3).unwrap().parse::<usize>().map_or(5_000, |most| most.saturating_sub(200))
}
