//! Gateways that share a database, with or without a standby of it.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Server, program, run};
use crate::world::{World, free_address, shikaku};

/// The insurer that delivers in these tests.
pub(crate) const SOURCE: &str = "06132013";
const DURABLE: &str =
    "wal_level = replica\nmax_wal_senders = 10\nhot_standby = on\nwal_receiver_timeout = 5s";

/// A primary with its standby.
pub(crate) struct Database {
    pub(crate) primary: Option<Server>,
    pub(crate) standby: Option<Server>,
    ports: [u16; 2],
    /// Go after the servers.
    _folders: [TempDir; 2],
}

/// The name of the database.
const NAME: &str = "shikaku";

impl Database {
    /// A primary that waits for its standby at every commit.
    pub(crate) fn new() -> Self {
        let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
        let [first, second] = folders.each_ref().map(TempDir::path);
        let ports = [free_address().port(), free_address().port()];
        let primary = Server::new(first, Some(ports[0]), DURABLE);
        primary.psql("postgres", &format!("CREATE DATABASE {NAME}")).unwrap();
        crate::server::own(second);
        let mut base = program("pg_basebackup");
        base.args([
            "-h",
            "127.0.0.1",
            "-p",
            &ports[0].to_string(),
            "-U",
            "shikaku",
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "-D",
        ]);
        run(base.arg(second.join("data")));
        let follow = format!("{DURABLE}\nprimary_conninfo = 'host=127.0.0.1 port={} user=shikaku'", ports[0]);
        let standby = Server::start(second, Some(ports[1]), &follow);
        primary.psql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'").unwrap();
        primary.psql("postgres", "SELECT pg_reload_conf()").unwrap();
        let database = Self { primary: Some(primary), standby: Some(standby), ports, _folders: folders };
        until("the standby is synchronous", || {
            database.sql("SELECT sync_state FROM pg_stat_replication") == "sync"
        });
        database
    }

    /// The URL that names both.
    pub(crate) fn url(&self) -> String {
        self.url_by(self.ports)
    }

    /// The same by other ports, behind which they are.
    pub(crate) fn url_by(&self, ports: [u16; 2]) -> String {
        format!("postgres://shikaku@127.0.0.1:{},127.0.0.1:{}/{NAME}?sslmode=disable", ports[0], ports[1])
    }

    pub(crate) const fn ports(&self) -> [u16; 2] {
        self.ports
    }

    /// Runs SQL where writes go.
    pub(crate) fn sql(&self, sql: &str) -> String {
        let server = self.primary.as_ref().or(self.standby.as_ref()).unwrap();
        server.psql(NAME, sql).unwrap()
    }

    /// Kills the primary and makes the standby one, which then waits for nobody.
    pub(crate) fn fail_over(&mut self) {
        self.primary.take().unwrap().kill();
        let standby = self.standby.as_ref().unwrap();
        standby.psql("postgres", "SELECT pg_promote()").unwrap();
    }
}

/// Some gateways on one database.
pub(crate) struct Group {
    pub(crate) gateways: Vec<World>,
}

impl Group {
    /// So many, of a demonstration of so many people.
    pub(crate) fn new(url: &str, people: u64, gateways: usize) -> Self {
        let first = World::prepared(people);
        let mut all: Vec<_> = (1..gateways).map(|_| first.beside()).collect();
        let file = format!("sqlite:{}", first.path("data/ledger.sqlite").display());
        let copied = shikaku().args(["ledger", "copy", "--from", &file, "--to", url]).output().unwrap();
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        all.insert(0, first);
        for (at, world) in all.iter().enumerate() {
            world.rewrite("url = \"sqlite:data/ledger.sqlite\"", &format!("url = \"{url}\""));
            world.rewrite("gateway = \"g1\"", &format!("gateway = \"g{}\"", at + 1));
        }
        Self { gateways: all }
    }

    /// So many, serving.
    pub(crate) fn started(url: &str, people: u64, gateways: usize) -> Self {
        let mut group = Self::new(url, people, gateways);
        group.gateways.iter_mut().for_each(World::begin);
        group.gateways.iter_mut().for_each(World::wait_until_ready);
        group
    }

    /// Waits until every gateway shows the last position.
    pub(crate) fn wait_even(&self) {
        until("all gateways stand alike", || {
            let positions: Vec<_> =
                self.gateways.iter().map(|world| world.status()["ledger"].clone()).collect();
            let first = &positions[0]["position"];
            positions.iter().all(|one| one["position"] == *first && one["lag"] == 0 && one["away"].is_null())
        });
    }

    /// What every gateway answers to these questions of a reviewer, without what is its own.
    pub(crate) fn answers(&self, numbers: &[String]) -> Vec<Vec<Value>> {
        let of = |world: &World| {
            let client = world.client("review");
            let ask = |number: &String| {
                let mut answer = client.post("/v1/eligibility/number", &question(number)).json();
                answer.as_object_mut().unwrap().remove("answered_at");
                answer
            };
            numbers.iter().map(ask).collect::<Vec<_>>()
        };
        self.gateways.iter().map(of).collect()
    }
}

/// Who has this number with the insurer of these tests.
pub(crate) fn question(number: &str) -> Value {
    json!({"insurer_number": SOURCE, "symbol": "M", "number": number, "birth_date": "1990-05-05"})
}

/// What the insurer says of the person with this number.
pub(crate) fn member(sequence: u64, number: &str) -> Value {
    json!({
        "source": SOURCE, "sequence": sequence, "kind": "member",
        "link_number": format!("{:016}", 9_400_000_000_000_000 + number.parse::<u64>().unwrap()),
        "name": "試験　花子", "sex": "female", "birth_date": "1990-05-05",
        "coverages": [{"symbol": "M", "number": number, "qualified_on": "2020-04-01"}],
    })
}

/// Waits until this is so.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The fault proxy, before an address; gone when dropped.
pub(crate) struct FaultProxy {
    process: std::process::Child,
    pub(crate) port: u16,
}

impl FaultProxy {
    pub(crate) fn before(port: u16, faults: &[&str]) -> Self {
        let at = free_address();
        let process = Command::new(loader())
            .args(["proxy", "--listen", &at.to_string(), "--to", &format!("127.0.0.1:{port}")])
            .args(faults)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        until("the proxy listens", || std::net::TcpStream::connect(at).is_ok());
        Self { process, port: at.port() }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The load tester, built beside the gateway.
fn loader() -> PathBuf {
    let path = PathBuf::from(env!("CARGO_BIN_EXE_shikaku")).with_file_name("shikaku-load");
    if !path.exists() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--package", "loadtest", "--bin", "shikaku-load"])
            .status();
        assert!(built.unwrap().success());
    }
    path
}
