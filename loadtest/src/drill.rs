//! Incident drills: one command each, against gateways of the drill's own, told as the desks saw it.
//!
//! ```text
//! house (a demonstration, served) ◄─ load: before | during | after ─► table of what desks were told
//!   ▲ the incident                ◄─ one desk that reads its screen ─► words
//!                                                                    checks ─► the house behaved, or not
//! ```
//!
//! Each is made after something that has happened to services of this kind. Times are drawn together:
//! what took half an hour takes `seconds` here.

mod anchor_change;
mod dead_feeder;
mod desk;
mod emptied_field;
mod feeder;
mod house;
mod line;
mod line_fault;
mod load;
mod one_server;
mod slow_responder;
mod tell;

use std::path::PathBuf;
use std::time::Duration;

use tell::Tell;

/// The incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Drill {
    /// A carrier's line fault cuts sites off; then all are back at once
    LineFault,
    /// The revocation service answers slowly, where no list speaks of a card
    SlowResponder,
    /// A balancer sends everything to one gateway
    OneServer,
    /// An insurer's feeder falls silent until its data are stale
    DeadFeeder,
    /// A city's delivery empties a field that most of its people had
    EmptiedField,
    /// The card authorities are changed: first wrongly, then rightly
    AnchorChange,
}

/// What a drill is told.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The gateway's program.
    pub gateway: PathBuf,
    /// People of the nation.
    pub people: u64,
    /// Seconds of each of before, during and after.
    pub seconds: u64,
    /// Queries a second of the ordinary desks.
    pub rate: f64,
    /// 99 of a hundred desks that the incident does not concern are answered within this time.
    pub limit: Duration,
}

/// Why a drill could not be held.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DrillError(String);

impl From<String> for DrillError {
    fn from(why: String) -> Self {
        Self(why)
    }
}

impl From<std::io::Error> for DrillError {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<pki::issuing::IssuingError> for DrillError {
    fn from(error: pki::issuing::IssuingError) -> Self {
        Self(error.to_string())
    }
}

/// Holds a drill and prints what was seen; whether the house behaved.
///
/// # Errors
/// [`DrillError`] when it could not be held.
pub fn run(drill: Drill, setup: &Setup) -> Result<bool, DrillError> {
    let folder = tempfile::tempdir()?;
    let mut tell = Tell::default();
    let (setup, folder) = (setup, folder.path());
    match drill {
        Drill::LineFault => line_fault::run(setup, folder, &mut tell)?,
        Drill::SlowResponder => slow_responder::run(setup, folder, &mut tell)?,
        Drill::OneServer => one_server::run(setup, folder, &mut tell)?,
        Drill::DeadFeeder => dead_feeder::run(setup, folder, &mut tell)?,
        Drill::EmptiedField => emptied_field::run(setup, folder, &mut tell)?,
        Drill::AnchorChange => anchor_change::run(setup, folder, &mut tell)?,
    }
    Ok(tell.end())
}
