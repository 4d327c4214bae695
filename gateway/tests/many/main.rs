//! Several gateways on one record of truth: PostgreSQL with a synchronous standby, haproxy before them, and
//! every part killed, cut off or restarted in turn.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests end by panicking, and wait by the clock"
)]

mod balancer;
mod failover;
mod feeder;
mod figures;
mod group;
mod rolling;
#[path = "../../../ledger/tests/ledger/server.rs"]
#[expect(dead_code, reason = "each uses a part of it")]
mod server;
mod truth;
#[path = "../world/mod.rs"]
mod world;
