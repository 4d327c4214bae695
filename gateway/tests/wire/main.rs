//! The wires beside the JSON: that they carry the same facts, hold to their tables, structures and
//! golden files, and refuse what is hostile.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests end by panicking")]

mod facts;
mod generated;
mod golden;
mod inside;
mod mapping;
mod service;
mod structure;
#[path = "../world/mod.rs"]
mod world;
