//! The tool tells the truth about the server, as another tool does. About itself: `starved.rs`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests end by panicking")]

mod support;

use std::process::Command;

use loadtest::constant::Manner;
use support::{constant, millis, plain, run_here};

#[test]
fn a_stall_of_200_ms_shows_in_p99() {
    let stalls = Manner { stall: millis(200), every: millis(2000), ..Manner::default() };
    // Four connections: a generator that waits for answers would have sent four requests into a stall.
    let result = run_here(&plain(constant(stalls), 400.0, 4.0, 4));
    let (all, _) = result.judged();
    let latency = all.latency();
    assert_eq!((all.failed, all.due), (0, all.ended));
    assert!(latency.quantile(0.99) > 0.12, "{}", latency.quantile(0.99));
    let seen = 1.0 - latency.share_within(millis(50));
    assert!((0.04..0.30).contains(&seen), "a stall of a tenth of the time met {seen} of the requests");
    assert!(all.waited > 100, "{}", all.waited);
}

/// Rate and mean milliseconds a request that h2load measures.
fn h2load(address: std::net::SocketAddr, connections: u32, requests: u32) -> (f64, f64) {
    let output = Command::new("h2load")
        .args([
            "--h1",
            "-c",
            &connections.to_string(),
            "-n",
            &requests.to_string(),
            &format!("http://{address}/"),
        ])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let word = |line: &str, at: usize| {
        let line = said.lines().find(|one| one.starts_with(line)).unwrap_or_else(|| panic!("{said}"));
        line.split_whitespace().nth(at).unwrap().to_owned()
    };
    let rate = word("finished in", 3).parse().unwrap();
    let mean = word("time for request:", 5);
    (rate, mean.strip_suffix("ms").unwrap().parse().unwrap())
}

/// Off by how much, as a share: rate and service time against h2load, at the same server.
fn off_by() -> (f64, f64) {
    // Every answer takes 20 ms, so eight connections give at most 400 a second.
    let address = constant(Manner { delay: millis(20), ..Manner::default() });
    let (rate, mean) = h2load(address, 8, 1200);
    let beyond = run_here(&plain(address, 1000.0, 4.0, 8));
    // Only whole seconds of overload: then every connection is busy all the time.
    let ended: u64 = beyond.seconds.iter().filter(|one| (1..4).contains(&one.at)).map(|one| one.ended).sum();
    let service = beyond.judged().0.service().mean() * 1e3;
    (ended as f64 / 3.0 / rate - 1.0, service / mean - 1.0)
}

#[test]
fn rate_and_latency_are_those_of_an_independent_tool() {
    // The two are asked one after the other: what else this machine does meanwhile may hit one alone.
    let tries: Vec<_> = (0..3).map(|_| off_by()).collect();
    assert!(tries.iter().any(|(rate, service)| rate.abs() < 0.1 && service.abs() < 0.1), "{tries:?}");
}
