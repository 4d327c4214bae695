//! A lane: a place for one connection of one institution, and the request that is on it.

use std::time::Instant;

use super::wire::Wire;
use crate::menu::Signed;
use crate::plan::Arrival;

/// A request on its way.
pub(super) struct Flight {
    pub(super) arrival: Arrival,
    /// Of a card: challenge and signature.
    pub(super) signed: Option<Signed>,
    /// Nanoseconds of the run when it was sent.
    pub(super) sent: u64,
    /// Whether it was sent before on a connection that had been closed.
    pub(super) repeated: bool,
}

/// A place for a connection.
pub(super) struct Lane {
    pub(super) institution: usize,
    pub(super) wire: Option<Wire>,
    /// What has arrived and is not read yet.
    pub(super) arrived: Vec<u8>,
    pub(super) flight: Option<Flight>,
    /// Changes with each connection, so that news of an earlier one is not taken for its own.
    pub(super) connection: u32,
    /// Counts flights, so that a deadline knows whether it is meant.
    pub(super) flights: u32,
    /// Whether the connection is being made, and since when.
    pub(super) opening: Option<Instant>,
    /// Whether the socket tells when it takes octets.
    pub(super) tells_writable: bool,
    /// For one request alone.
    pub(super) once: bool,
}

impl Lane {
    pub(super) const fn new(institution: usize, once: bool) -> Self {
        Self {
            institution,
            wire: None,
            arrived: Vec::new(),
            flight: None,
            connection: 0,
            flights: 0,
            opening: None,
            tells_writable: false,
            once,
        }
    }
}
