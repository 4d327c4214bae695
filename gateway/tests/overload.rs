//! More than there is time for: what is lower waits, who asks much is read in turns, who asks little is
//! answered, and it is over soon after it is over.

#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests wait by the clock, and end by panicking"
)]

mod world;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use world::World;
use world::client::Client;

const QUERY: &str =
    r#"{"insurer_number":"06132013","symbol":"12-34","number":"567","birth_date":"1980-02-03"}"#;
const SECOND: Duration = Duration::from_secs(1);
/// Requests that a noisy caller sends before it reads.
const AHEAD: usize = 50;

fn request(keep: &str) -> String {
    format!(
        "POST /v1/eligibility/number HTTP/1.1\r\nhost: localhost\r\n{keep}content-type: application/json\r\ncontent-length: {}\r\n\r\n{QUERY}",
        QUERY.len()
    )
}

/// A gateway on one core, which is soon too little.
fn on_one_core() -> World {
    let mut world = World::prepared(60);
    let mut serve = Command::new("taskset");
    serve.args(["-c", "0", env!("CARGO_BIN_EXE_shikaku"), "serve", "--log", "debug", "--config"]);
    world.serve_by(serve.stdout(Stdio::null()));
    world.wait_until_ready();
    world
}

/// Callers that never stop asking, on connections that they keep.
struct Flood {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
    callers: Vec<JoinHandle<()>>,
}

impl Flood {
    fn begin(client: &Client, callers: usize) -> Self {
        let (stop, answered, refused) = <(Arc<AtomicBool>, Arc<AtomicU64>, Arc<AtomicU64>)>::default();
        let caller = |_| {
            let (client, stop) = (client.clone(), Arc::clone(&stop));
            let (answered, refused) = (Arc::clone(&answered), Arc::clone(&refused));
            std::thread::spawn(move || {
                let mut buffer = vec![0; 256 * 1024];
                let asked = request("").repeat(AHEAD);
                while !stop.load(Ordering::Relaxed) {
                    let Ok(mut stream) = client.connect() else { continue };
                    while !stop.load(Ordering::Relaxed) && stream.write_all(asked.as_bytes()).is_ok() {
                        let mut left = AHEAD;
                        while left > 0 {
                            let Ok(count @ 1..) = stream.read(&mut buffer) else { break };
                            let heads = |word: &[u8]| {
                                buffer[..count].windows(word.len()).filter(|octets| *octets == word).count()
                            };
                            let (good, bad) = (heads(b"HTTP/1.1 200"), heads(b"HTTP/1.1 503"));
                            answered.fetch_add(good as u64, Ordering::Relaxed);
                            refused.fetch_add(bad as u64, Ordering::Relaxed);
                            left = left.saturating_sub(good + bad);
                        }
                    }
                }
            })
        };
        let callers = (0..callers).map(caller).collect();
        Self { stop, answered, refused, callers }
    }

    fn end(mut self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        std::mem::take(&mut self.callers).into_iter().for_each(|caller| caller.join().unwrap());
        (self.answered.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }
}

impl Drop for Flood {
    /// Also when the test fails: other tests would find the machine busy for ever.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn level(world: &World) -> String {
    world.status()["load"]["level"].as_str().unwrap().to_owned()
}

fn waits_for(world: &World, wanted: &str, most: Duration) -> Duration {
    let began = Instant::now();
    while level(world) != wanted {
        assert!(began.elapsed() < most, "not {wanted}: {}", world.status()["load"]);
        std::thread::sleep(SECOND / 50);
    }
    began.elapsed()
}

/// The level comes and goes with the waves of a flood: what is so at times is waited for.
fn at_times(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < 20 * SECOND, "never: {what}");
        std::thread::sleep(SECOND / 50);
    }
}

#[test]
fn lower_classes_stop_and_quiet_callers_are_answered_beside_noisy_ones() {
    let world = on_one_core();
    assert_eq!(level(&world), "calm");
    let flood = Flood::begin(&world.client("reception"), 150);
    // Whether turns are needed too depends on the machine: they have tests of their own.
    at_times("the level rises", || level(&world) != "calm");
    let quiet = world.client("reception-2");

    let mut refused = 0;
    for (path, kind) in
        [("/v1/eligibility/batch", "application/x-ndjson"), ("/v1/prechecks", "application/x-ndjson")]
    {
        let mut reply = quiet.send_once("POST", path, kind, QUERY.as_bytes());
        at_times(path, || {
            let refused = reply.status == 503;
            if !refused {
                reply = quiet.send_once("POST", path, kind, QUERY.as_bytes());
            }
            refused
        });
        assert_eq!(reply.word(), "overloaded", "{path}");
        let after: u32 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=10).contains(&after));
        refused += 1;
    }
    assert_eq!(world.client("operator").get("/v1/feeds").status, 200, "links and feeds keep their share");
    // A desk that asks now and then is not made to wait for those that never stop.
    let mut slowest = Duration::ZERO;
    for _ in 0..10 {
        let began = Instant::now();
        let reply = quiet.raw(request("connection: close\r\n").as_bytes()).unwrap();
        assert_eq!((reply.status, reply.word().as_str()), (200, "valid"));
        slowest = slowest.max(began.elapsed());
    }
    assert!(slowest < 3 * SECOND, "{slowest:?}");
    at_times("batches stop and desks do not", || {
        let classes = &world.status()["load"]["classes"];
        classes["desk"] == true && classes["batch"] == false
    });
    let (_, metrics) = world.admin_get("/metrics").unwrap();
    assert!(metrics.contains(&format!("shikaku_shed_total{{class=\"batch\"}} {}", refused - 1)), "{metrics}");
    at_times("the level is told", || {
        let (_, metrics) = world.admin_get("/metrics").unwrap();
        !metrics.contains("\nshikaku_overload_level 0\n")
    });

    let (answered, turned_away) = flood.end();
    assert!(
        answered > 5 * turned_away,
        "{answered} answered, {turned_away} refused: refusing costs too much"
    );
    waits_for(&world, "calm", 10 * SECOND);
    let reply = quiet.send("POST", "/v1/eligibility/batch", "application/x-ndjson", QUERY.as_bytes());
    assert_eq!(reply.status, 200);
    let verified = world::shikaku()
        .args(["audit", "verify"])
        .arg(world.path("data/audit"))
        .arg("--config")
        .arg(world.path("shikaku.toml"))
        .output()
        .unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

/// A gateway at which an institution may ask ten times a second.
fn with_budgets() -> World {
    let mut world = World::prepared(60);
    world.rewrite("drain_seconds = 30", "drain_seconds = 30\nrequests_per_institution = 10");
    world.start();
    world
}

/// Asks so often at once: how many were answered, and for how long each of the others is to wait.
fn ask_at_once(world: &World, name: &str, count: usize) -> (usize, Vec<u32>) {
    let mut stream = world.client(name).connect().unwrap();
    stream.write_all(request("").repeat(count).as_bytes()).unwrap();
    stream.write_all(b"GET /v1/x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut octets = Vec::new();
    let _ = stream.read_to_end(&mut octets);
    let text = String::from_utf8(octets).unwrap();
    let refused = text.matches("HTTP/1.1 429").count();
    assert_eq!(refused, text.matches("\"rate_limited\"").count());
    let after = text.split("retry-after: ").skip(1).map(|rest| rest.split("\r\n").next().unwrap());
    let after: Vec<_> = after.map(|seconds| seconds.parse().unwrap()).collect();
    assert_eq!(after.len(), refused);
    (text.matches("HTTP/1.1 200").count(), after)
}

#[test]
fn an_institution_has_a_budget_and_its_neighbours_have_theirs() {
    let world = with_budgets();
    let (answered, refused) = ask_at_once(&world, "reception", 60);
    assert!((20..30).contains(&answered) && answered + refused.len() == 60, "{answered}");
    assert_eq!(ask_at_once(&world, "reception-2", 15), (15, vec![]));
    std::thread::sleep(SECOND);
    assert!(ask_at_once(&world, "reception", 10).0 >= 9, "a second later");
}

#[test]
fn three_blind_retries_gain_nothing_and_harm_nobody() {
    let world = with_budgets();
    let began = Instant::now();
    let (mut answered, mut left, mut asked, mut waits) = (0, 60, 0, Vec::new());
    for _ in 0..4 {
        let (now, refused) = ask_at_once(&world, "reception", left);
        asked += left;
        answered += now;
        left = refused.len();
        waits.extend(refused);
        // Between two tries of the one others are answered as ever.
        assert_eq!(ask_at_once(&world, "reception-2", 3), (3, vec![]));
    }
    let budget = 21 + (10.0 * began.elapsed().as_secs_f64()) as usize;
    assert!(answered <= budget, "{answered} of {asked}: a budget of {budget}");
    assert!(asked > 120 && left > 0, "{asked} asked, {left} left");
    assert!(waits.iter().all(|seconds| (1..=10).contains(seconds)), "{waits:?}");
    assert_eq!(level(&world), "calm", "refusals cost little");
}

#[test]
fn a_storm_of_handshakes_does_not_put_out_who_is_there() {
    let world = on_one_core();
    let mut desk = world.client("reception-2").connect().unwrap();
    let mut buffer = vec![0; 16 * 1024];
    let mut ask = || {
        let began = Instant::now();
        desk.write_all(request("").as_bytes()).unwrap();
        let count = desk.read(&mut buffer).unwrap();
        assert!(buffer[..count].starts_with(b"HTTP/1.1 200"));
        began.elapsed()
    };
    ask();
    let (stop, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let storm: Vec<_> = (0..24)
        .map(|_| {
            let (client, stop, made) = (world.client("reception"), Arc::clone(&stop), Arc::clone(&made));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let Ok(mut stream) = client.connect() else { continue };
                    if stream.conn.complete_io(&mut stream.sock).is_ok() {
                        made.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    std::thread::sleep(SECOND);
    let mut took: Vec<_> = (0..40)
        .map(|_| {
            std::thread::sleep(SECOND / 20);
            ask()
        })
        .collect();
    stop.store(true, Ordering::Relaxed);
    storm.into_iter().for_each(|one| one.join().unwrap());
    took.sort_unstable();
    let made = made.load(Ordering::Relaxed);
    assert!(made > 100, "{made} handshakes: the storm gets in, too");
    assert!(took[20] < SECOND / 4 && took[39] < 2 * SECOND, "{took:?}");
    waits_for(&world, "calm", 10 * SECOND);
}

#[test]
fn when_file_descriptors_run_out_it_waits_and_goes_on() {
    let world = World::started(60);
    let process = world.process_id();
    let open = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap().count();
    let limit = |files: usize| {
        let files = format!("--nofile={files}:{files}");
        Command::new("prlimit").args(["--pid", &process.to_string(), &files]).status().unwrap()
    };
    assert!(limit(open + 5).success());
    let used = |process: u32| -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
        let after = stat.rsplit_once(") ").unwrap().1;
        after.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    };
    let held: Vec<_> = (0..20).map(|_| TcpStream::connect(world.listen).unwrap()).collect();
    let before = used(process);
    std::thread::sleep(2 * SECOND);
    let spent = used(process) - before;
    assert!(spent < 60, "{spent} hundredths of a second of two: it spins");
    drop(held);
    std::thread::sleep(SECOND);
    let metrics = world.admin_get("/metrics").unwrap().1;
    let failed = metrics.lines().find_map(|line| line.strip_prefix("shikaku_accepts_failed_total ")).unwrap();
    let failed: u32 = failed.parse().unwrap();
    assert!((5..60).contains(&failed), "{failed} attempts");
    assert_eq!(world.client("review").get("/openapi.json").status, 200);
}
