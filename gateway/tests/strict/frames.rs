//! HTTP/2 by raw frames: floods and silence end the connection, and nobody else notices.

use std::io::{Read, Write};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::world::World;
use crate::{Stream, closes_within, ended, has_ended};

const SECOND: Duration = Duration::from_secs(1);

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let mut world = World::prepared(60);
    for (key, from, to) in [("first_byte_seconds", 10, 1), ("idle_seconds", 75, 2), ("write_seconds", 10, 1)]
    {
        world.rewrite(&format!("{key} = {from}"), &format!("{key} = {to}"));
    }
    world.start();
    world
});

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// HEADERS of `GET /openapi.json`, which end the stream.
fn get(stream: u32) -> Vec<u8> {
    let text = |octets: &[u8]| [&[octets.len() as u8], octets].concat();
    let block = [&[0x82, 0x87][..], &[0x44], &text(b"/openapi.json"), &[0x41], &text(b"localhost")];
    frame(1, 0x05, stream, &block.concat())
}

fn connected() -> Stream {
    let mut stream = WORLD.client("reception").with_protocol(b"h2").connect().unwrap();
    stream.conn.complete_io(&mut stream.sock).unwrap();
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"h2"[..]));
    stream
}

/// After the preface and settings of a proper client.
fn greeted() -> Stream {
    let mut stream = connected();
    stream.write_all(&[PREFACE, &frame(4, 0, 0, &[])].concat()).unwrap();
    stream
}

fn serves() -> bool {
    WORLD.client("review").post("/v1/challenges", &json!({})).status == 201
}

#[test]
fn a_flood_of_control_frames_from_a_peer_that_never_reads_is_ended() {
    let memory = |process: u32| -> usize {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    assert!(serves());
    let before = memory(WORLD.process_id());
    let floods = [
        ("PING", frame(6, 0, 0, &[0; 8])),
        ("SETTINGS", frame(4, 0, 0, &[])),
        ("WINDOW_UPDATE", frame(8, 0, 0, &[0, 0, 0, 1])),
        ("PRIORITY", frame(2, 0, 1, &[0, 0, 0, 3, 16])),
        ("unknown", frame(0x77, 0, 0, &[])),
    ];
    for (name, one) in floods {
        let seen = ended(&WORLD, "flood");
        let mut stream = greeted();
        stream.sock.set_write_timeout(Some(SECOND)).unwrap();
        let began = Instant::now();
        let block = one.repeat(1000);
        let _ = (0..200).all(|_| stream.write_all(&block).is_ok());
        assert!(has_ended(&WORLD, "flood", seen + 1.0), "{name}");
        assert!(began.elapsed() < 2 * SECOND, "{name}: {:?}", began.elapsed());
        assert!(closes_within(&mut stream, SECOND), "{name}: still open");
    }
    assert!(memory(WORLD.process_id()) < before + 16 * 1024, "memory grew");
    assert!(serves());
}

#[test]
fn floods_that_the_library_ends_are_ended() {
    // Rapid reset, CONTINUATION without end, windows that overflow, empty data.
    type Make = fn(u32) -> Vec<u8>;
    let floods: [(&str, Make); 4] = [
        ("rapid reset", |at| [get(2 * at + 1), frame(3, 0, 2 * at + 1, &[0, 0, 0, 8])].concat()),
        ("continuation", |at| {
            if at == 0 { frame(1, 0x01, 1, &[0x82]) } else { frame(9, 0, 1, &[0x40, 1, b'x', 1, b'y']) }
        }),
        ("made you reset", |at| [get(2 * at + 1), frame(8, 0, 2 * at + 1, &[0; 4])].concat()),
        ("empty data", |at| {
            if at == 0 {
                // POST with a body that never ends.
                let mut head = get(1);
                head[4] = 0x04;
                head[9] = 0x83;
                head
            } else {
                frame(0, 0, 1, &[])
            }
        }),
    ];
    for (name, make) in floods {
        let mut stream = greeted();
        stream.sock.set_write_timeout(Some(SECOND)).unwrap();
        let began = Instant::now();
        let sent = (0..100_000).take_while(|at| stream.write_all(&make(*at)).is_ok()).count();
        assert!(sent < 100_000 || closes_within(&mut stream, 5 * SECOND), "{name}");
        assert!(began.elapsed() < 15 * SECOND, "{name}: {:?}", began.elapsed());
        assert!(serves(), "{name}");
    }
}

#[test]
fn silence_over_http_2_ends_too() {
    // After ALPN, without a preface: the library would wait for ever.
    let before = ended(&WORLD, "first_byte");
    assert!(closes_within(&mut connected(), 5 * SECOND));
    assert!(has_ended(&WORLD, "first_byte", before + 1.0));

    // A preface, and never a request; and one that only pings.
    let before = ended(&WORLD, "idle");
    assert!(closes_within(&mut greeted(), 8 * SECOND));
    let mut pings = greeted();
    let began = Instant::now();
    while began.elapsed() < 8 * SECOND && pings.write_all(&frame(6, 0, 0, &[0; 8])).is_ok() {
        std::thread::sleep(SECOND / 5);
    }
    assert!(began.elapsed() < 8 * SECOND, "pings keep it open");
    assert!(has_ended(&WORLD, "idle", before + 2.0));
}

#[test]
fn a_window_of_zero_holds_nothing_for_long() {
    let before = ended(&WORLD, "write");
    let mut stream = connected();
    // SETTINGS_INITIAL_WINDOW_SIZE 0: no answer can be delivered.
    let settings = frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]);
    stream.write_all(&[PREFACE, &settings, &get(1), &get(3)].concat()).unwrap();
    assert!(closes_within(&mut stream, 8 * SECOND));
    assert!(has_ended(&WORLD, "write", before + 1.0));
    assert!(serves());
}

#[test]
fn a_proper_client_is_answered_over_and_over() {
    let mut stream = greeted();
    let mut buffer = vec![0; 1 << 20];
    for at in 0..50u32 {
        // An answer of some length needs windows, as every client opens them.
        let windows = [frame(8, 0, 0, &[0, 1, 0, 0]), frame(6, 0, 0, &[0; 8])].concat();
        stream.write_all(&[get(2 * at + 1), windows].concat()).unwrap();
        assert!(stream.read(&mut buffer).unwrap() > 0);
    }
}
