//! A PostgreSQL server of the tests' own, in a folder of its own, and a database for each test.
//!
//! The server ends when the process of the tests does, however that ends: a shell waits for the end of
//! its input and stops it.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

/// Where Debian keeps the programs of each version.
const PROGRAMS: &str = "/usr/lib/postgresql";

/// A server on a socket in a folder, and on a port of 127.0.0.1 if it is given one.
pub(crate) struct Server {
    pub(crate) folder: PathBuf,
    port: u16,
    child: Child,
}

impl Server {
    /// A new one, with these lines in its configuration.
    pub(crate) fn new(folder: &Path, port: Option<u16>, settings: &str) -> Self {
        prepare(folder);
        Self::start(folder, port, settings)
    }

    /// Starts what is in the folder.
    pub(crate) fn start(folder: &Path, port: Option<u16>, settings: &str) -> Self {
        Self::start_until(folder, port, settings, "")
    }

    /// The same; this is done once it has ended.
    fn start_until(folder: &Path, port: Option<u16>, settings: &str, after: &str) -> Self {
        let listen = port.map_or(String::from("listen_addresses = ''"), |port| {
            format!("listen_addresses = '127.0.0.1'\nport = {port}")
        });
        let text = format!(
            "{listen}\nunix_socket_directories = '{}'\nmax_connections = 200\n{settings}\n",
            folder.display()
        );
        let conf = folder.join("data/postgresql.auto.conf");
        std::fs::write(&conf, text).unwrap();
        let postgres = newest("postgres");
        let script = format!(
            "{} -D {} >>{}/log 2>&1 & child=$!; echo started; read _; kill -INT $child; wait $child; {after}",
            postgres.display(),
            folder.join("data").display(),
            folder.display()
        );
        let mut shell = unprivileged("sh");
        shell.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = shell.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let server = Self { folder: folder.to_owned(), port: port.unwrap_or(5432), child };
        server.wait();
        server
    }

    fn wait(&self) {
        let ready = (0..300).any(|_| {
            let ready = self.psql("postgres", "SELECT 1").is_ok();
            if !ready {
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
            ready
        });
        assert!(ready, "{}", std::fs::read_to_string(self.folder.join("log")).unwrap_or_default());
    }

    /// `kill -9`, as if the machine were gone.
    pub(crate) fn kill(self) {
        let id = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let id = id.lines().next().unwrap().to_owned();
        run(Command::new("kill").args(["-9", &id]));
    }

    /// Runs SQL and gives what it prints.
    pub(crate) fn psql(&self, database: &str, sql: &str) -> Result<String, String> {
        let mut psql = program("psql");
        psql.arg("-h").arg(&self.folder).args([
            "-p",
            &self.port.to_string(),
            "-U",
            "shikaku",
            "-AtqX",
            "-d",
            database,
            "-c",
            sql,
        ]);
        let output = psql.output().unwrap();
        let text = |octets| String::from_utf8_lossy(octets).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// A database of its own, and the URL by which it is reached without TLS through the socket.
    pub(crate) fn database(&self) -> String {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("ledger_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.psql("postgres", &format!("CREATE DATABASE {name}")).unwrap();
        let socket = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://shikaku@{socket}:{}/{name}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The one that all tests of the process share. Nothing drops it, so its folder goes with its end.
pub(crate) fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| {
        let folder = TempDir::new().unwrap().keep();
        prepare(&folder);
        let after = format!("rm -rf {}", folder.display());
        Server::start_until(&folder, None, "fsync = off\nmax_connections = 300", &after)
    })
}

/// Makes the files of a new server.
fn prepare(folder: &Path) {
    own(folder);
    run(program("initdb")
        .args(["--auth=trust", "--username=shikaku", "--no-sync", "-E", "UTF8", "-D"])
        .arg(folder.join("data")));
}

/// Lets the server's user in.
pub(crate) fn own(folder: &Path) {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    if is_root() {
        run(Command::new("chown").arg("postgres").arg(folder));
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

/// The server refuses to run as root.
pub(crate) fn unprivileged(program: impl AsRef<std::ffi::OsStr>) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program).current_dir("/");
    command
}

/// One of the server's programs, run as its user.
pub(crate) fn program(name: &str) -> Command {
    unprivileged(newest(name))
}

fn newest(name: &str) -> PathBuf {
    let versions = std::fs::read_dir(PROGRAMS).expect("PostgreSQL is installed").flatten();
    let mut versions: Vec<_> = versions.map(|entry| entry.path().join("bin").join(name)).collect();
    versions.retain(|path| path.exists());
    versions.sort();
    versions.pop().expect("a server's programs")
}

pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
