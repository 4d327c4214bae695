//! The `shikaku` program: the gateway and its tools.

use std::process::ExitCode;

fn main() -> ExitCode {
    gateway::commands::run()
}
