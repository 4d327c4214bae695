//! A gateway of the drill's own: a demonstration in a folder, served by the real program.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{DrillError, Setup};
use crate::client::Client;
use crate::target::{Server, read};
use crate::{clock, http};

/// How long a gateway may take to be ready, to stop, or to take a configuration over.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A gateway with its folder.
pub(super) struct House {
    pub(super) folder: PathBuf,
    pub(super) listen: SocketAddr,
    admin: SocketAddr,
    program: PathBuf,
    process: Option<Child>,
}

/// A port of this machine that nobody has.
pub(super) fn free_address() -> Result<SocketAddr, DrillError> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

impl House {
    /// Makes the folder; nothing is served yet.
    pub(super) fn prepare(setup: &Setup, folder: &Path) -> Result<Self, DrillError> {
        let house = Self {
            folder: folder.join("house"),
            listen: free_address()?,
            admin: free_address()?,
            program: setup.gateway.clone(),
            process: None,
        };
        let people = setup.people.to_string();
        let (listen, admin) = (house.listen.to_string(), house.admin.to_string());
        let asked = ["demo", "--prepare-only", "--people", &people, "--listen", &listen, "--admin", &admin];
        let (code, said) =
            house.command(&[&asked, &["--dir", &house.folder.display().to_string()][..]].concat())?;
        if code == Some(0) { Ok(house) } else { Err(DrillError(format!("demo: {said}"))) }
    }

    /// Another gateway with a copy of everything, at addresses of its own.
    pub(super) fn twin(&self, name: &str) -> Result<Self, DrillError> {
        let twin = Self {
            folder: self.folder.with_file_name(name),
            listen: free_address()?,
            admin: free_address()?,
            program: self.program.clone(),
            process: None,
        };
        let copied = Command::new("cp").arg("-a").arg(&self.folder).arg(&twin.folder).status()?;
        if !copied.success() {
            return Err(DrillError(format!("{} could not be copied", self.folder.display())));
        }
        twin.configure(&self.listen.to_string(), &twin.listen.to_string())?;
        twin.configure(&self.admin.to_string(), &twin.admin.to_string())?;
        Ok(twin)
    }

    /// A file of the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A file of the folder as text.
    pub(super) fn text(&self, name: &str) -> Result<String, DrillError> {
        Ok(String::from_utf8_lossy(&read(&self.file(name))?).into_owned())
    }

    /// Puts other words into the configuration.
    pub(super) fn configure(&self, from: &str, to: &str) -> Result<(), DrillError> {
        let text = self.text("shikaku.toml")?;
        if !text.contains(from) {
            return Err(DrillError(format!("the demonstration's configuration does not say {from}")));
        }
        Ok(std::fs::write(self.file("shikaku.toml"), text.replacen(from, to, 1))?)
    }

    /// Starts serving and waits until it is ready.
    pub(super) fn start(&mut self) -> Result<(), DrillError> {
        let log = std::fs::File::options().append(true).create(true).open(self.file("serve.log"))?;
        let process = Command::new(&self.program)
            .args(["serve", "--config"])
            .arg(self.file("shikaku.toml"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        self.process = Some(process);
        let ready = || self.page("/readyz").is_ok_and(|(status, _)| status == 200);
        if wait(ready) {
            Ok(())
        } else {
            Err(DrillError(format!("never ready: {}", self.text("serve.log")?)))
        }
    }

    /// Ends it as an operator does, and waits.
    pub(super) fn stop(&mut self) -> Result<(), DrillError> {
        self.signal(Signal::TERM)?;
        if let Some(mut process) = self.process.take() {
            process.wait()?;
        }
        Ok(())
    }

    /// Has the configuration read again; whether it is in force.
    pub(super) fn reload(&self) -> Result<bool, DrillError> {
        let from = self.text("serve.log")?.len();
        self.signal(Signal::HUP)?;
        let new = || self.text("serve.log").unwrap_or_default().get(from..).unwrap_or_default().to_owned();
        if wait(|| new().contains("in force")) {
            Ok(new().contains("is in force"))
        } else {
            Err(DrillError("no word of the configuration after SIGHUP".to_owned()))
        }
    }

    fn signal(&self, signal: Signal) -> Result<(), DrillError> {
        let id = self.process.as_ref().and_then(|process| Pid::from_raw(process.id().cast_signed()));
        let id = id.ok_or_else(|| DrillError("the gateway does not run".to_owned()))?;
        kill_process(id, signal).map_err(|error| DrillError(error.to_string()))
    }

    /// Runs the program once: exit code and all it said.
    pub(super) fn command(&self, arguments: &[&str]) -> Result<(Option<i32>, String), DrillError> {
        let output = Command::new(&self.program)
            .args(arguments)
            .output()
            .map_err(|error| DrillError(format!("{}: {error}", self.program.display())))?;
        let said =
            [&output.stdout, &output.stderr].map(|octets| String::from_utf8_lossy(octets).into_owned());
        Ok((output.status.code(), said.concat()))
    }

    /// One of the operator's pages.
    pub(super) fn page(&self, path: &str) -> Result<(u16, Vec<u8>), DrillError> {
        let server = Server::of(&format!("http://{}", self.admin))?;
        let mut client = Client::connect(&server, None, Duration::from_secs(5))?;
        Ok(client.exchange(&http::get(&server.host, path))?)
    }

    /// The service.
    pub(super) fn url(&self) -> String {
        format!("https://{}", self.listen)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Waits until it holds; whether it ever did.
pub(super) fn wait(holds: impl Fn() -> bool) -> bool {
    let began = clock::instant();
    while began.elapsed() < PATIENCE {
        if holds() {
            return true;
        }
        thread::sleep(LOOK_EVERY);
    }
    false
}
