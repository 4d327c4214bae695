//! The table in force from what is known of a certificate's revocation to what is decided, row by
//! row as `pki` decides it.

use pki::{Decision, ListState, OcspOutcome, StandPolicy, UnknownReason};
use serde::Serialize;

/// The table, and the ages it speaks of.
#[derive(Serialize)]
pub(super) struct Policy {
    /// Seconds past its next update for which a list still counts.
    late_seconds: i64,
    /// Seconds after its date beyond which a list counts for nothing.
    max_age_seconds: i64,
    table: Vec<Row>,
}

/// What is decided of a certificate, by what the lists say and how asking the responder ended.
#[derive(Serialize)]
struct Row {
    list: &'static str,
    not_asked: &'static str,
    unreachable: &'static str,
    good: &'static str,
    unknown: &'static str,
    revoked: &'static str,
}

pub(super) fn of(policy: &StandPolicy) -> Policy {
    let late_seconds = match policy.stale {
        pki::WhenStale::Refuse => 0,
        pki::WhenStale::AcceptFor(seconds) => seconds,
    };
    let states = [
        ("fresh", ListState::Fresh),
        ("late", ListState::Late),
        ("past_next_update", ListState::Unknown(UnknownReason::PastNextUpdate)),
        ("too_old", ListState::Unknown(UnknownReason::TooOld)),
        ("partition_missing", ListState::Unknown(UnknownReason::PartitionMissing)),
        ("no_list", ListState::Unknown(UnknownReason::NoList)),
    ];
    let row = |(list, state)| Row {
        list,
        not_asked: word(policy.decide(state, OcspOutcome::NotAsked)),
        unreachable: word(policy.decide(state, OcspOutcome::Unreachable)),
        // What a responder says is never configured away.
        good: word(Decision::Accept),
        unknown: word(Decision::Refuse),
        revoked: word(Decision::Refuse),
    };
    // Without an allowance no list is ever late: it is past its next update.
    let table = states.into_iter().filter(|(list, _)| *list != "late" || late_seconds > 0).map(row);
    Policy { late_seconds, max_age_seconds: policy.max_age, table: table.collect() }
}

const fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Accept => "accept",
        Decision::AcceptFlagged => "accept_flagged",
        Decision::Refuse => "refuse",
    }
}
