//! The `shikaku-load` program: does it hold our Monday morning, and what do we buy when it does not?
//!
//! A black box: it talks TLS and HTTP to any gateway and shares no code with one.
//!
//! ```text
//! scenario ─► plan: instants, patients, institutions, all decided before the run
//!   plan ─► signers (challenges, signatures) ─► workers (one thread each: pace, send, read) ─► tallies
//!   tallies by second ─► run: live view, health of this machine, server metrics ─► result
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`commands`] | the subcommands, one file each |
//! | [`nation`] | a whole nation written as feed files |
//! | [`scenario`] | scenario files, phases, objectives |
//! | [`schedule`] | when requests are due |
//! | [`folder`], [`patients`], [`institutions`], [`menu`] | who asks what about whom, and the right answers |
//! | [`plan`] | every request of a run, before the run |
//! | [`engine`] | sends what is due, reads what comes back |
//! | [`run`], [`result`] | one run from scenario to result |
//! | [`report`] | HTML, CSV, comparing and adding up results |
//! | [`capacity`], [`queue`] | what a server holds and what to buy; servers in simulated time |
//! | [`constant`] | a server of known behaviour, to measure a generator against |
//! | [`proxy`] | a TCP proxy with faults |
//! | [`drill`] | incidents, held against gateways of the drill's own |
//! | [`health`], [`scrape`], [`disturb`] | this machine's own fitness, the server's own view, slow and silent connections |
//! | [`target`], [`http`], [`client`] | the server and how to speak to it |
//! | [`outcome`], [`histogram`], [`tally`] | what is counted |
//! | [`clock`] | the only reader of clocks |

pub mod capacity;
pub mod client;
pub mod clock;
pub mod commands;
pub mod constant;
pub mod disturb;
pub mod drill;
pub mod engine;
pub mod folder;
pub mod health;
pub mod histogram;
pub mod http;
pub mod institutions;
pub mod menu;
pub mod nation;
pub mod outcome;
pub mod patients;
pub mod plan;
pub mod proxy;
pub mod queue;
pub mod report;
pub mod result;
pub mod run;
pub mod scenario;
pub mod schedule;
pub mod scrape;
pub mod tally;
pub mod target;
