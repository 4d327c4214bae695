//! The gateway beside what it cannot beat: a bare server with the same TLS, nginx, and Redis.
//!
//! ```sh
//! cargo build --release -p gateway -p loadtest
//! cargo run --release -p benches --example compare -- target/release [throughput latency cards connections overload jobs]
//! ```
//!
//! The server has the first core to itself and the load comes from the second, over loopback, mutual
//! TLS 1.3 and connections that keep open. Every server answers the same questions with as many
//! octets. A part of the names runs alone; all together take about ten minutes. Needs `taskset`,
//! `chrt`, `curl`, and for their rows `nginx` and `redis-server`.

mod bare;
mod feeds;
mod jobs;
mod load;
mod overload;
mod servers;
mod signatures;

use std::path::{Path, PathBuf};

use load::{Load, Measured};
use servers::{Folder, Server};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Any reason why the comparison cannot go on.
type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let programs = match arguments.next() {
        // Our own child: the bare server.
        Some(word) if word == "bare" => return bare::serve(&mut arguments),
        // `cargo test` runs examples that are told nothing.
        None => return Ok(()),
        Some(word) if word.starts_with("--") => return Ok(()),
        Some(programs) => PathBuf::from(programs).canonicalize()?,
    };
    let parts: Vec<String> = arguments.collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|one| one == part);
    let folder = Folder::make(&programs)?;
    let capacity = if wanted("throughput") { throughput(&programs, &folder)? } else { 0.0 };
    if wanted("latency") {
        latency(&programs, &folder, capacity)?;
    }
    if wanted("cards") {
        cards(&programs, &folder)?;
    }
    if wanted("connections") {
        connections(&programs, &folder)?;
    }
    if wanted("overload") {
        overload::four_times(&programs, &folder)?;
    }
    if wanted("jobs") {
        jobs::beside(&programs, &folder)?;
    }
    Ok(())
}

fn told(name: &str, one: &Measured) {
    println!(
        "{name:<34} {:>8.0} answers/s  {:>6.1} µs of the server's core each  p50 {:.3} p99 {:.3} p99.9 {:.3} ms  {}{}",
        one.rate,
        one.core_micros(),
        one.millis(50.0),
        one.millis(99.0),
        one.millis(99.9),
        if one.wrong == 0 { "all right" } else { "SOME WRONG" },
        if one.full() { "" } else { "  (the load was the limit: compare the core)" },
    );
}

/// More questions than any of them can answer; gives the gateway's answers a second.
fn throughput(programs: &Path, folder: &Folder) -> Result<f64, Failed> {
    println!("\nAs many numbers as they answer, 64 connections");
    let load = Load { rate: 120_000, seconds: 6, ..Load::numbers() };
    let bare = load.on(programs, folder, &Server::bare(folder)?)?;
    told("bare hyper server", &bare);
    let group = load.on(programs, folder, &Server::gateway(programs, folder, "group")?)?;
    told("gateway, audit group", &group);
    println!("{:<34} {:>8.2} of the bare server's", "", group.rate / bare.rate);
    told("gateway, audit strict", &load.on(programs, folder, &Server::gateway(programs, folder, "strict")?)?);
    match Server::nginx(folder) {
        Ok(nginx) => told("nginx, the same octets", &load.on(programs, folder, &nginx)?),
        Err(why) => println!("nginx: {why}"),
    }
    match servers::redis(folder) {
        Ok(rate) => println!("{:<34} {rate:>8.0} answers/s", "Redis GET, the same octets and TLS"),
        Err(why) => println!("Redis: {why}"),
    }
    Ok(group.rate)
}

/// Numbers beside feeds, at half of what the gateway holds and at 2 000 a second.
fn latency(programs: &Path, folder: &Folder, capacity: f64) -> Result<(), Failed> {
    println!("\nNumbers while feeds are applied");
    let half = if capacity > 0.0 { capacity / 2.0 } else { 10_000.0 };
    for rate in [half as u32, 2_000] {
        let load = Load { rate, seconds: 12, ..Load::numbers() };
        told(
            &format!("bare hyper server, {rate} a second"),
            &load.on(programs, folder, &Server::bare(folder)?)?,
        );
        let server = Server::gateway(programs, folder, "group")?;
        told("gateway, no feeds", &load.on(programs, folder, &server)?);
        let feeding = feeds::start(folder)?;
        let measured = load.on(programs, folder, &server)?;
        told("gateway", &measured);
        println!("{:<34} {} records fed meanwhile", "", feeding.stop());
    }
    Ok(())
}

/// What a signed card costs beside a number and its signature.
fn cards(programs: &Path, folder: &Folder) -> Result<(), Failed> {
    println!("\nCards that sign, beside numbers at the same rate");
    let check = signatures::micros()?;
    let rate = 4_000;
    let server = || Server::gateway(programs, folder, "group");
    let number = Load { rate, seconds: 6, ..Load::numbers() }.on(programs, folder, &server()?)?;
    told("numbers", &number);
    let card = Load { rate, seconds: 6, cards: true, ..Load::numbers() }.on(programs, folder, &server()?)?;
    told("signed cards", &card);
    let limit = number.core_micros() + 1.2 * check;
    println!("one bare signature check {check:.1} µs; number + 1.2 checks = {limit:.1} µs");
    Ok(())
}

/// What a new connection costs, each for one question.
fn connections(programs: &Path, folder: &Folder) -> Result<(), Failed> {
    println!("\nA new connection for every number, full handshakes with both certificates");
    let load = Load { rate: 500, seconds: 8, fresh: true, ..Load::numbers() };
    let bare = load.on(programs, folder, &Server::bare(folder)?)?;
    told("bare hyper server", &bare);
    let gateway = load.on(programs, folder, &Server::gateway(programs, folder, "group")?)?;
    told("gateway", &gateway);
    println!("{:<34} {:>8.2} of the bare server's a core", "", bare.core_micros() / gateway.core_micros());
    Ok(())
}
