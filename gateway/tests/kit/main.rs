//! The operators' kit in `ops/`, tried: rules, runbooks, dashboard, balancer, backup, rotation, duties.

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests wait by the clock, and end by panicking"
)]

mod alerts;
mod backup;
mod balancer;
mod duties;
mod production;
mod rotation;
#[path = "../world/mod.rs"]
mod world;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of the kit.
fn ops(name: &str) -> PathBuf {
    root().join("ops").join(name)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs a program that `ops/test` installs.
fn run(command: &mut Command) -> Output {
    let program = command.get_program().to_owned();
    command.output().unwrap_or_else(|error| panic!("{}: {error}; ops/test installs it", program.display()))
}

/// Both outputs of a command.
fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|octets| String::from_utf8_lossy(octets).into_owned()).concat()
}
