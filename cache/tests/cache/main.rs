//! Memory from outside: the meaning of each record, a naive model, readers beside the writer.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod files;
mod model;
mod operations;
mod readers;
mod rules;
mod support;
