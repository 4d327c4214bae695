//! A real gateway for tests: the program itself, a folder of its own, and clients that speak TLS to it.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "each test binary uses a part of this, waits by the clock, and ends by panicking"
)]

pub(crate) mod client;

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use client::{Client, Reply};

/// The program under test; for measurements another build of it, named by `SHIKAKU`.
pub(crate) fn shikaku() -> Command {
    Command::new(std::env::var_os("SHIKAKU").unwrap_or_else(|| env!("CARGO_BIN_EXE_shikaku").into()))
}

/// A port that was free a moment ago.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A demonstration folder with a gateway that can be started, stopped and killed.
pub(crate) struct World {
    // Dropped before the folder.
    leash: Leash,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) listen: SocketAddr,
    pub(crate) admin: SocketAddr,
    process: Option<Child>,
}

/// Stops the gateway of a world that nothing drops, and removes its folder, once the process of the tests has
/// ended: a shell waits for the end of its input, by which it is told whom to stop.
struct Leash(Child);

impl Leash {
    fn new(folder: &Path) -> Self {
        let script =
            "id=; while read -r next; do id=$next; done; [ -z \"$id\" ] || kill -9 \"$id\"; rm -rf \"$0\"";
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(script).arg(folder).stdin(Stdio::piped());
        Self(shell.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// This process is the one to be stopped from now on.
    fn hold(&mut self, id: Option<u32>) {
        let id = id.map_or(String::new(), |id| id.to_string());
        writeln!(self.0.stdin.as_mut().unwrap(), "{id}").unwrap();
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let leash = Leash::new(folder.path());
        Self { leash, folder, listen: free_address(), admin: free_address(), process: None }
    }

    /// A new folder, not yet served.
    pub(crate) fn prepared(people: u64) -> Self {
        let world = Self::new();
        let output = world.demo(people);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        world
    }

    /// A copy of this folder for another gateway, at addresses of its own, not yet served.
    pub(crate) fn beside(&self) -> Self {
        let world = Self::new();
        let copied = Command::new("cp").arg("-a").arg(self.path(".")).arg(world.path("")).status().unwrap();
        assert!(copied.success());
        world.rewrite(&self.listen.to_string(), &world.listen.to_string());
        world.rewrite(&self.admin.to_string(), &world.admin.to_string());
        world
    }

    /// A new folder, served.
    pub(crate) fn started(people: u64) -> Self {
        let mut world = Self::prepared(people);
        world.start();
        world
    }

    /// Runs `demo --prepare-only` on the folder.
    pub(crate) fn demo(&self, people: u64) -> Output {
        shikaku()
            .args(["demo", "--prepare-only", "--people", &people.to_string()])
            .arg("--dir")
            .arg(self.path(""))
            .args(["--listen", &self.listen.to_string(), "--admin", &self.admin.to_string()])
            .output()
            .unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts `serve` and waits until it is ready.
    pub(crate) fn start(&mut self) {
        self.begin();
        self.wait_until_ready();
    }

    /// Starts `serve`.
    pub(crate) fn begin(&mut self) {
        let mut serve = shikaku();
        self.serve_by(serve.args(["serve", "--log", "debug", "--config"]).stdout(Stdio::null()));
    }

    /// Starts `serve` by a command that lacks the configuration's path.
    pub(crate) fn serve_by(&mut self, serve: &mut Command) {
        let log = std::fs::File::options().append(true).create(true).open(self.path("serve.log")).unwrap();
        let process = serve.arg(self.path("shikaku.toml")).stderr(log).spawn().unwrap();
        self.leash.hold(Some(process.id()));
        self.process = Some(process);
    }

    /// The running process, which the leash lets go.
    fn take(&mut self) -> Option<Child> {
        self.leash.hold(None);
        self.process.take()
    }

    /// Leaves the running process to the caller.
    pub(crate) fn leave(&mut self) -> Child {
        self.take().unwrap()
    }

    pub(crate) fn wait_until_ready(&mut self) {
        let began = Instant::now();
        while self.admin_get("/readyz").is_none_or(|(status, _)| status != 200) {
            let ended = self.process.as_mut().and_then(|process| process.try_wait().unwrap());
            assert!(ended.is_none(), "ended before it was ready: {}", self.log());
            assert!(began.elapsed() < Duration::from_secs(60), "not ready: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// SIGTERM, and its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let mut process = self.take()?;
        let id = process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        process.wait().unwrap().code()
    }

    /// SIGHUP: the configuration is read again.
    pub(crate) fn hang_up(&self) {
        let id = self.process_id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    }

    /// Waits until the log has these words, counted from `from`.
    pub(crate) fn wait_for(&self, from: usize, words: &str) {
        for _ in 0..300 {
            if self.log()[from..].contains(words) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("no {words:?} in {}", &self.log()[from..]);
    }

    /// Changes the configuration's file.
    pub(crate) fn rewrite(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path("shikaku.toml")).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        std::fs::write(self.path("shikaku.toml"), text.replacen(from, to, 1)).unwrap();
    }

    /// The operator's `/status`.
    pub(crate) fn status(&self) -> Value {
        serde_json::from_str(&self.admin_get("/status").unwrap().1).unwrap()
    }

    /// The process id of the running gateway.
    pub(crate) fn process_id(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    /// Everything the gateway has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("serve.log")).unwrap_or_default()
    }

    /// Status and body of one of the operator's pages; `None` while nobody listens.
    pub(crate) fn admin_get(&self, path: &str) -> Option<(u16, String)> {
        let reply = client::plain(
            self.admin,
            &format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"),
        )?;
        Some((reply.status, String::from_utf8(reply.body).unwrap()))
    }

    /// A client with one of the demonstration's certificates.
    pub(crate) fn client(&self, name: &str) -> Client {
        Client::new(self.listen, self.folder.path(), Some(name))
    }

    /// A card of the demonstration.
    pub(crate) fn card(&self, name: &str) -> Card {
        Card::read(self.folder.path(), name)
    }

    /// The question by number that shows a named person, as the demonstration's README has it.
    pub(crate) fn question(&self, name: &str) -> Value {
        let guide = std::fs::read_to_string(self.path("README.md")).unwrap();
        let row = guide.lines().find(|line| line.starts_with(&format!("| {name} |")));
        serde_json::from_str(row.unwrap_or_else(|| panic!("no {name}")).rsplit('`').nth(1).unwrap()).unwrap()
    }

    /// A card of this state.
    pub(crate) fn card_in_state(&self, state: &str) -> Card {
        let line = self.cards().into_iter().find(|line| line["state"] == state).unwrap();
        self.card(line["name"].as_str().unwrap())
    }

    /// The lines of `cards.ndjson`.
    pub(crate) fn cards(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path("cards/cards.ndjson")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A card in a reader.
pub(crate) struct Card {
    pub(crate) certificate: Vec<u8>,
    key: String,
}

impl Card {
    fn read(folder: &Path, name: &str) -> Self {
        Self {
            certificate: std::fs::read(folder.join(format!("cards/{name}.der"))).unwrap(),
            key: std::fs::read_to_string(folder.join(format!("cards/{name}.key.pem"))).unwrap(),
        }
    }

    /// The card query over this challenge.
    pub(crate) fn query(&self, challenge: &str) -> Value {
        json!({
            "certificate": STANDARD.encode(&self.certificate),
            "challenge": challenge,
            "signature": STANDARD.encode(pki::issuing::sign(&self.key, challenge.as_bytes()).unwrap()),
            "identity_check": "pin",
        })
    }

    /// Fetches a challenge, signs it, asks.
    pub(crate) fn ask(&self, client: &Client) -> Reply {
        client.post("/v1/eligibility/card", &self.query(&client.challenge()))
    }
}
