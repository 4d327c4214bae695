//! The ledger from outside: rules of intake, restarts and damage, replay against a model.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod endurance;
mod formats;
mod many;
mod replay;
mod rules;
#[expect(dead_code, reason = "other tests of a server use more of it")]
mod server;
mod support;
