//! The `shikaku-load` program: does it hold our Monday morning, and what do we buy when it does not?
//!
//! A black box: it talks TLS and HTTP to any gateway and shares no code with one.
//!
//! | module | holds |
//! |---|---|
//! | [`commands`] | the subcommands, one file each |
//! | [`nation`] | a whole nation written as feed files |
//! | [`schedule`] | when requests are due |
//! | [`clock`] | the only reader of clocks |

pub mod clock;
pub mod commands;
pub mod nation;
pub mod schedule;
