//! The servers, each alone on the first core.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gateway::clock::Clock;

use super::Failed;

/// The core of the servers, as `taskset` has it.
const CORE: &str = "0";
/// People of the nation.
pub(super) const PEOPLE: &str = "10000";
/// Longest wait for a server.
const PATIENCE: Duration = Duration::from_secs(60);

/// A demonstration's folder, and a real answer.
pub(super) struct Folder {
    folder: tempfile::TempDir,
    address: SocketAddr,
    admin: SocketAddr,
}

impl Folder {
    /// Makes people, cards and certificates, and asks the gateway one number for the answer of all.
    pub(super) fn make(programs: &Path) -> Result<Self, Failed> {
        let free = || TcpListener::bind("127.0.0.1:0")?.local_addr();
        let made = Self { folder: tempfile::tempdir()?, address: free()?, admin: free()? };
        let mut demo = Command::new(programs.join("shikaku"));
        demo.args(["demo", "--prepare-only", "--people", PEOPLE, "--dir"]).arg(made.path());
        demo.args(["--listen", &made.address.to_string(), "--admin", &made.admin.to_string()]);
        if !demo.stdout(Stdio::null()).status()?.success() {
            return Err("`shikaku demo` failed".into());
        }
        let config = std::fs::read_to_string(made.file("shikaku.toml"))?;
        let long = config.replace("challenge_seconds = 120", "challenge_seconds = 3600");
        std::fs::write(made.file("group.toml"), &long)?;
        std::fs::write(
            made.file("strict.toml"),
            long.replace("durability = \"group\"", "durability = \"strict\""),
        )?;
        let server = Server::gateway(programs, &made, "group")?;
        let answer = made.curl("reception", "/v1/eligibility/number", &made.question()?)?;
        drop(server);
        println!("an answer has {} octets", answer.len());
        std::fs::write(made.file("answer.json"), answer)?;
        Ok(made)
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The first member of a feed, asked for by its numbers.
    fn question(&self) -> Result<Vec<u8>, Failed> {
        let feed = std::fs::read(self.file(&format!("feed/{}.ndjson", super::feeds::SOURCE)))?;
        for line in feed.split(|octet| *octet == b'\n').filter(|line| !line.is_empty()) {
            let member: serde_json::Value = serde_json::from_slice(line)?;
            let Some(coverage) = member["coverages"].get(0) else { continue };
            let question = serde_json::json!({
                "insurer_number": member["source"], "symbol": coverage["symbol"],
                "number": coverage["number"], "branch": coverage["branch"], "birth_date": member["birth_date"],
            });
            return Ok(serde_json::to_vec(&question)?);
        }
        Err("no member in the feed".into())
    }

    /// Sends one request as one of the clients.
    fn curl(&self, client: &str, path: &str, body: &[u8]) -> Result<Vec<u8>, Failed> {
        Ok(self.sender(client, path)(body)?)
    }

    /// Asks for a page as one of the clients.
    pub(super) fn curl_get(&self, client: &str, path: &str) -> Result<Vec<u8>, Failed> {
        Ok(said(Command::new("curl").args(self.curl_words(client, path)))?)
    }

    /// Sends a claim file as one of the clients; it goes on by itself.
    pub(super) fn upload(&self, client: &str, path: &str, file: &Path) -> Result<Child, Failed> {
        let mut curl = aside();
        // Streamed: curl would read all of what it sends as data into memory first.
        curl.args(self.curl_words(client, path)).args(["-X", "POST", "-H", "expect:", "-T"]).arg(file);
        curl.args(["-H", "content-type: application/vnd.jp.uke"]);
        Ok(curl.stdout(Stdio::piped()).spawn()?)
    }

    /// What sends bodies to one place, from any thread.
    pub(super) fn sender(
        &self,
        client: &str,
        path: &str,
    ) -> impl Fn(&[u8]) -> Result<Vec<u8>, String> + Send + use<> {
        let kind = if path.contains("feeds") { "application/x-ndjson" } else { "application/json" };
        let (file, url) = (self.file("request"), self.curl_words(client, path));
        move |body| {
            std::fs::write(&file, body).map_err(|error| error.to_string())?;
            let mut curl = aside();
            curl.args(&url).args(["-H", &format!("content-type: {kind}"), "--data-binary"]);
            said(curl.arg(format!("@{}", file.display())))
        }
    }

    fn curl_words(&self, client: &str, path: &str) -> Vec<String> {
        let file = |name: String| self.file(&name).display().to_string();
        let (certificate, key) = (format!("clients/{client}.pem"), format!("clients/{client}-key.pem"));
        let words = ["-sS", "--fail-with-body", "--cacert"].map(str::to_owned).into_iter();
        let files = [file("tls/ca.pem".to_owned()), "--cert".to_owned(), file(certificate)];
        let rest = ["--key".to_owned(), file(key), format!("https://{}{path}", self.address)];
        words.chain(files).chain(rest).collect()
    }
}

/// curl where neither the servers' core nor the load feels it.
fn aside() -> Command {
    let mut curl = Command::new("chrt");
    curl.args(["--idle", "0", "taskset", "-c", super::load::CORE, "curl"]);
    curl
}

/// What curl was answered.
fn said(curl: &mut Command) -> Result<Vec<u8>, String> {
    let output = curl.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout)))
}

/// A server that ends with this.
pub(super) struct Server(Child);

impl Server {
    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    /// The gateway with this durability of its audit.
    pub(super) fn gateway(programs: &Path, folder: &Folder, durability: &str) -> Result<Self, Failed> {
        let mut serve = pinned(&programs.join("shikaku"));
        serve.args(["serve", "--log", "error", "--config"]).arg(folder.file(&format!("{durability}.toml")));
        Self::start(serve, folder.address)
    }

    /// The bare server: this program again.
    pub(super) fn bare(folder: &Folder) -> Result<Self, Failed> {
        let mut bare = pinned(&std::env::current_exe()?);
        bare.arg("bare").arg(folder.address.to_string()).arg(folder.path()).arg(folder.file("answer.json"));
        Self::start(bare, folder.address)
    }

    /// nginx.
    pub(super) fn nginx(folder: &Folder) -> Result<Self, Failed> {
        let config = include_str!("nginx.conf")
            .replace("@folder@", &folder.path().display().to_string())
            .replace("@address@", &folder.address.to_string())
            .replace("@body@", &std::fs::read_to_string(folder.file("answer.json"))?);
        std::fs::write(folder.file("nginx.conf"), config)?;
        let mut nginx = pinned(Path::new("nginx"));
        nginx.arg("-c").arg(folder.file("nginx.conf"));
        Self::start(nginx, folder.address)
    }

    fn start(mut command: Command, address: SocketAddr) -> Result<Self, Failed> {
        let server = Self(command.stdout(Stdio::null()).spawn()?);
        until_there(server, address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Politely: nginx has a worker to end.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", CORE]).arg(program);
    command
}

fn until_there(mut server: Server, address: SocketAddr) -> Result<Server, Failed> {
    let began = Clock::instant();
    while TcpStream::connect(address).is_err() {
        if server.0.try_wait()?.is_some() || began.elapsed() > PATIENCE {
            return Err(format!("nothing serves {address}").into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(server)
}

/// Redis by its own tool: values of an answer's size, the same TLS with both certificates.
pub(super) fn redis(folder: &Folder) -> Result<f64, Failed> {
    let file = |name: &str| folder.file(name).display().to_string();
    let port = folder.address.port().to_string();
    let (ca, certificate, key) = (file("tls/ca.pem"), file("tls/server.pem"), file("tls/server-key.pem"));
    let mut redis = pinned(Path::new("redis-server"));
    redis.args(["--port", "0", "--tls-port", &port, "--save", "", "--bind", "127.0.0.1"]);
    redis.args(["--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-ca-cert-file", &ca]);
    let _server = Server::start(redis, folder.address)?;
    let octets = std::fs::metadata(folder.file("answer.json"))?.len().to_string();
    let (certificate, key) = (file("clients/reception.pem"), file("clients/reception-key.pem"));
    let mut bench = Command::new("taskset");
    bench.args(["-c", super::load::CORE, "redis-benchmark", "-p", &port, "--tls", "--csv"]);
    bench.args(["--cert", &certificate, "--key", &key, "--cacert", &ca]);
    bench.args(["-c", "64", "-d", &octets, "-n", "200000", "-t", "set,get"]);
    let said = String::from_utf8(bench.output()?.stdout)?;
    let get = said.lines().find_map(|line| line.strip_prefix("\"GET\",\"")).ok_or(said.clone())?;
    Ok(get.split('"').next().unwrap_or_default().parse()?)
}
