//! The ledger from outside: rules of intake, restarts and damage, replay against a model.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod endurance;
mod formats;
mod replay;
mod rules;
mod support;
