//! What tests of the program share: scenarios against servers of known behaviour.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test binary uses a part of this, and ends by panicking"
)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use loadtest::constant::{Constant, Manner};
use loadtest::result::RunResult;
use loadtest::run::{Options, run};
use loadtest::scenario::Scenario;

pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_shikaku-load"))
}

/// The gateway's program. The workspace's tests have built it beside ours; made here where it is
/// missing, and not made anew: alone it would be built with other features of its dependencies.
pub(crate) fn shikaku() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_shikaku-load")).with_file_name("shikaku");
    if !program.exists() {
        let build = ["build", "--quiet", "--locked", "-p", "gateway", "--bin", "shikaku"];
        assert!(Command::new(env!("CARGO")).args(build).status().unwrap().success());
    }
    program
}

/// A constant server of this manner, on a port of its own.
pub(crate) fn constant(manner: Manner) -> SocketAddr {
    Constant::start(([127, 0, 0, 1], 0).into(), manner).unwrap().address
}

pub(crate) fn millis(given: u64) -> Duration {
    Duration::from_millis(given)
}

/// Plain requests at a rate, without a warm-up.
pub(crate) fn plain(address: SocketAddr, rate: f64, seconds: f64, connections: u32) -> String {
    format!(
        "name='plain'\n[target]\nurl='http://{address}'\n[institutions]\nconnections={connections}\n\
         [mix]\nplain=1\npath='/'\n[generator]\nlag_ms=1000\n\
         [[phases]]\nname='steady'\nshape='constant'\nrate={rate}\nseconds={seconds}\n"
    )
}

pub(crate) fn run_here(text: &str) -> RunResult {
    let scenario = Scenario::parse(text).unwrap();
    run(&scenario, Path::new("."), &Options::default(), |_| {}).unwrap()
}

/// Runs the program on a scenario, its files in `out`.
pub(crate) fn run_program(
    mut command: Command,
    folder: &Path,
    text: &str,
    more: &[&str],
) -> (Output, PathBuf) {
    let name = more.concat().replace(['/', ':'], "-");
    let file = folder.join(format!("scenario{name}.toml"));
    std::fs::write(&file, text).unwrap();
    let out = folder.join(format!("out{name}"));
    let output = command.arg("run").arg(&file).arg("--out").arg(&out).args(more).output().unwrap();
    (output, out)
}
