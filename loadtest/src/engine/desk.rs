//! What waits at one institution: connections for requests, requests for connections or signatures.

use std::collections::VecDeque;

use super::lane::Flight;
use crate::menu::Signed;
use crate::plan::Arrival;

/// One institution, as one worker knows it.
#[derive(Default)]
pub(super) struct Desk {
    /// Lanes without a request.
    pub(super) idle: Vec<usize>,
    /// Requests that are due, without a lane.
    pub(super) waiting: VecDeque<Flight>,
    /// Signed cards that are not due yet.
    pub(super) stock: VecDeque<Signed>,
    /// Card requests that are due, without a signature.
    pub(super) unsigned: VecDeque<Arrival>,
}
