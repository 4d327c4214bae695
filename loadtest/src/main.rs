//! The `shikaku-load` program: does it hold our Monday morning, and what do we buy when it does not?

use std::process::ExitCode;

fn main() -> ExitCode {
    loadtest::commands::run()
}
