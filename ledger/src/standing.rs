//! How this gateway and the others stand to the last position.

use std::collections::HashMap;
use std::time::Duration;

use eligibility::feed::Source;

/// How gateways that share a ledger stand. Of a ledger in a file of its own nothing is told: nobody
/// else writes there.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Standing {
    /// Why the database cannot be reached; `None` while it can.
    pub away: Option<String>,
    /// Whether the database has another history than was followed from it: only a start helps.
    pub diverged: bool,
    /// Last position in the database when it was last seen.
    pub last: u64,
    /// Every gateway that was heard of within a day, this one too, by name.
    pub gateways: Vec<Other>,
    /// Sources of which other gateways hold deliveries back, and how many.
    pub held: HashMap<Source, u64>,
}

/// How far a gateway follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Its name.
    pub name: String,
    /// The last position that it shows.
    pub position: u64,
    /// How long ago it said so.
    pub heard: Duration,
}
