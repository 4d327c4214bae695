//! A gateway from its start to its end: told callers while memory is made, stopped without cutting anybody
//! off, replaced without a refused connection, and given a configuration that it cannot use.

#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests wait by the clock, and end by panicking"
)]

mod world;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use world::World;
use world::client::{Client, Reply};

const QUERY: &str =
    r#"{"insurer_number":"06132013","symbol":"12-34","number":"567","birth_date":"1980-02-03"}"#;

fn ask(client: &Client) -> Option<Reply> {
    client.try_send("POST", "/v1/eligibility/number", "application/json", QUERY.as_bytes())
}

#[test]
fn callers_are_let_in_and_told_while_memory_is_made() {
    let mut world = World::prepared(60);
    // Whoever holds the audit is waited for: the start stands still.
    std::fs::create_dir_all(world.path("data/audit")).unwrap();
    let held = std::fs::File::create(world.path("data/audit/lock")).unwrap();
    held.lock().unwrap();
    world.begin();
    let began = Instant::now();
    while world.admin_get("/livez").is_none_or(|(status, _)| status != 200) {
        assert!(began.elapsed() < Duration::from_secs(10), "{}", world.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(world.admin_get("/readyz").unwrap(), (503, "starting\n".to_owned()));
    for _ in 0..3 {
        let reply = ask(&world.client("reception")).unwrap();
        assert_eq!((reply.status, reply.word().as_str()), (503, "not_ready"));
        let after: u32 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((1..10).contains(&after), "{after}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    let mut open = world.client("reception").connect().unwrap();
    open.conn.complete_io(&mut open.sock).unwrap();
    held.unlock().unwrap();
    world.wait_until_ready();
    let head = format!(
        "POST /v1/eligibility/number HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{QUERY}",
        QUERY.len()
    );
    open.write_all(head.as_bytes()).unwrap();
    let mut octets = Vec::new();
    let _ = open.read_to_end(&mut octets);
    assert_eq!(Reply::parse(&octets).unwrap().word(), "valid", "who came before is answered after");
}

#[test]
fn who_is_there_when_it_stops_is_answered_and_new_work_is_not_begun() {
    let mut world = World::started(60);
    let mut desk = world.client("reception").connect().unwrap();
    let mut feeder = world.client("insurer-06132013").connect().unwrap();
    for stream in [&mut desk, &mut feeder] {
        stream.conn.complete_io(&mut stream.sock).unwrap();
    }
    std::thread::sleep(Duration::from_millis(300));
    let stopping = std::thread::spawn(move || (world.stop(), world));
    std::thread::sleep(Duration::from_millis(300));
    let said = |stream: &mut rustls::StreamOwned<_, std::net::TcpStream>, request: &str| {
        stream.write_all(request.as_bytes()).unwrap();
        let mut octets = Vec::new();
        let _ = stream.read_to_end(&mut octets);
        Reply::parse(&octets).unwrap()
    };
    let length = QUERY.len();
    let reply = said(
        &mut desk,
        &format!(
            "POST /v1/eligibility/number HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{QUERY}"
        ),
    );
    assert_eq!((reply.status, reply.word().as_str()), (200, "valid"));
    assert_eq!(reply.header("connection"), Some("close"));
    let reply =
        said(&mut feeder, "POST /v1/feeds/06132013 HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n");
    assert_eq!((reply.status, reply.word().as_str()), (503, "draining"));
    assert!(reply.header("retry-after").is_some());
    let (code, world) = stopping.join().unwrap();
    assert_eq!(code, Some(0), "{}", world.log());
}

/// Has `serve` begun with these sockets handed over, as systemd does.
fn begin_with(world: &mut World, sockets: [&TcpListener; 2]) {
    let [service, admin] = sockets.map(|socket| Stdio::from(OwnedFd::from(socket.try_clone().unwrap())));
    let hand_over = r#"exec 3<&0 4<&1 </dev/null >/dev/null; LISTEN_PID=$$ LISTEN_FDS=2 exec "$@""#;
    let mut serve = Command::new("sh");
    serve.args(["-c", hand_over, "sh", env!("CARGO_BIN_EXE_shikaku")]);
    world.serve_by(serve.args(["serve", "--log", "debug", "--config"]).stdin(service).stdout(admin));
}

#[test]
fn one_gateway_takes_the_place_of_another_without_a_failed_request() {
    let mut world = World::prepared(60);
    let sockets = [world.listen, world.admin].map(|address| TcpListener::bind(address).unwrap());
    begin_with(&mut world, [&sockets[0], &sockets[1]]);
    world.wait_until_ready();
    let (stop, failed) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let desks: Vec<_> = ["reception", "reception-2", "review"]
        .map(|name| {
            let (client, stop, failed) = (world.client(name), Arc::clone(&stop), Arc::clone(&failed));
            std::thread::spawn(move || {
                let mut answered = 0;
                while !stop.load(Ordering::Relaxed) {
                    match ask(&client) {
                        Some(reply) if reply.status == 200 => answered += 1,
                        other => failed.lock().unwrap().push(format!("{other:?}")),
                    }
                }
                answered
            })
        })
        .into();
    std::thread::sleep(Duration::from_millis(300));
    for _ in 0..3 {
        let mut old = world.leave();
        begin_with(&mut world, [&sockets[0], &sockets[1]]);
        std::thread::sleep(Duration::from_millis(200));
        assert!(Command::new("kill").args(["-TERM", &old.id().to_string()]).status().unwrap().success());
        assert_eq!(old.wait().unwrap().code(), Some(0), "{}", world.log());
        world.wait_until_ready();
        std::thread::sleep(Duration::from_millis(300));
    }
    stop.store(true, Ordering::Relaxed);
    let answered: u32 = desks.into_iter().map(|desk| desk.join().unwrap()).sum();
    assert_eq!(*failed.lock().unwrap(), Vec::<String>::new(), "{answered} answered");
    assert!(answered > 50, "{answered}");
    // A socket that nobody asked for is a mistake, and said to be one.
    let stray = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut old = world.leave();
    begin_with(&mut world, [&stray, &sockets[1]]);
    assert_eq!(world.leave().wait().unwrap().code(), Some(3), "the service's own address is taken");
    assert!(Command::new("kill").args(["-TERM", &old.id().to_string()]).status().unwrap().success());
    assert_eq!(old.wait().unwrap().code(), Some(0));
}

#[test]
fn a_supervisor_is_told_what_becomes_of_it() {
    let mut world = World::prepared(60);
    let heard = UnixDatagram::bind(world.path("notify")).unwrap();
    heard.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let hear = || {
        let mut octets = [0; 256];
        let count = heard.recv(&mut octets).unwrap();
        String::from_utf8(octets[..count].to_vec()).unwrap()
    };
    let mut serve = world::shikaku();
    let socket = world.path("notify");
    world.serve_by(serve.args(["serve", "--config"]).env("NOTIFY_SOCKET", socket).stdout(Stdio::null()));
    assert_eq!(hear().trim(), "READY=1");
    assert_eq!(world.admin_get("/readyz").unwrap().0, 200, "ready when it says so");
    world.hang_up();
    let reloading = hear();
    assert!(reloading.contains("RELOADING=1") && reloading.contains("MONOTONIC_USEC="), "{reloading}");
    assert_eq!(hear().trim(), "READY=1");
    assert_eq!(world.stop(), Some(0));
    assert_eq!(hear().trim(), "STOPPING=1");
}

#[test]
fn fifty_configurations_that_cannot_be_used_change_nothing() {
    let world = World::started(60);
    let good = std::fs::read_to_string(world.path("shikaku.toml")).unwrap();
    let lines: Vec<_> = good.lines().collect();
    let with = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line;
        lines.join("\n")
    };
    let mut bad: Vec<(String, String)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((key, value)) = line.split_once(" = ") else { continue };
        let wrong = match value.as_bytes() {
            [b'0'..=b'9', ..] => format!("{key} = -1"),
            [b'"', ..] => format!("{key} = 7"),
            _ => format!("{key} = \"?\""),
        };
        bad.push((key.to_owned(), with(at, &wrong)));
        if value.starts_with("\"tls/") || value.starts_with("\"secrets/") {
            bad.push((key.to_owned(), with(at, &format!("{key} = \"nowhere\""))));
        }
    }
    bad.push(("unheard_of".to_owned(), format!("unheard_of = 1\n{good}")));
    bad.push(("TOML".to_owned(), "[".to_owned()));
    bad.truncate(60);
    assert!(bad.len() >= 50, "{}", bad.len());
    let desk = world.client("reception");
    let mut last = json!(null);
    for (key, text) in &bad {
        std::fs::write(world.path("shikaku.toml"), text).unwrap();
        world.hang_up();
        let began = Instant::now();
        let reload = loop {
            let reload = world.status()["reload"].clone();
            if reload["at"] != last["at"] {
                break reload;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "{key}: not read again");
            std::thread::sleep(Duration::from_millis(5));
        };
        let error = reload["error"].as_str();
        assert!(
            error.is_some_and(|error| error.contains("shikaku.toml") || error.contains("nowhere")),
            "{key}: {reload}"
        );
        last = reload;
    }
    assert_eq!(ask(&desk).unwrap().status, 200);
    assert!(world.log().contains("what was in force stays so"));
    assert!(world.admin_get("/metrics").unwrap().1.contains("shikaku_reload_failed 1"));
    std::fs::write(world.path("shikaku.toml"), &good).unwrap();
    let from = world.log().len();
    world.hang_up();
    world.wait_for(from, "is in force");
    assert_eq!(world.status()["reload"]["error"], json!(null));
    assert!(world.admin_get("/metrics").unwrap().1.contains("shikaku_reload_failed 0"));
}
