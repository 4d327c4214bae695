//! The `shikaku` program.

fn main() {}
