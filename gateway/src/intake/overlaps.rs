//! `GET /v1/feeds/{source}/overlaps`: an insurer's double memberships that no law explains.
//!
//! The insurer learns which of its own coverages, on which days, and which membership began later; of the
//! other insurer nothing. Everybody in memory is looked at, in the lower class.

use std::cmp::Ordering;
use std::sync::Arc;

use eligibility::coverage::Written;
use eligibility::day::Day;
use eligibility::feed::Source;
use eligibility::overlap::{Overlap, overlaps};
use eligibility::wire::Wrong;
use serde::Serialize;

use super::http::own_source;
use crate::gateway::Gateway;
use crate::peer::{Peer, Role};
use crate::refusal::Refusal;

/// Most of them that are listed; all are counted.
const LISTED: usize = 10_000;

#[derive(Serialize)]
struct Overlaps {
    source: String,
    total: usize,
    overlaps: Vec<Shown>,
    generation: u64,
}

/// One of them, by the numbers on the insurer's own card.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Shown {
    from: Day,
    through: Option<Day>,
    other_began: &'static str,
    symbol: String,
    number: String,
    branch: Option<String>,
    qualified_on: Day,
    disqualified_on: Option<Day>,
}

impl Shown {
    fn of<T: Written>(overlap: &Overlap<'_, T>) -> Self {
        let Overlap { own, from, through, other_began } = *overlap;
        Self {
            from,
            through,
            other_began: match other_began {
                Ordering::Less => "earlier",
                Ordering::Equal => "same_day",
                Ordering::Greater => "later",
            },
            symbol: own.symbol.text().into_owned(),
            number: own.number.text().into_owned(),
            branch: own.branch.map(|branch| branch.to_string()),
            qualified_on: own.qualified_on,
            disqualified_on: own.disqualified_on,
        }
    }
}

/// The double memberships of a source, latest first, and how many are listed. Its owner's alone to see.
pub(crate) async fn all(
    gateway: &Arc<Gateway>,
    peer: &Peer,
    source: &str,
) -> Result<(Vec<u8>, usize), Refusal> {
    if !peer.has(Role::Insurer) {
        return Err(Refusal::Forbidden);
    }
    let source = own_source(gateway, peer, source)?;
    let Source::Insurer(insurer) = source else {
        return Err(Refusal::field("source", Wrong::NotInBook));
    };
    let place = gateway.bulk.place().ok_or(Refusal::Overloaded)?;
    let memory = gateway.desk.memory.clone();
    let look = move || {
        let view = memory.view();
        let mut found = Vec::new();
        view.each_of_several(|person| {
            found.extend(overlaps(&person, insurer).map(|overlap| Shown::of(&overlap)));
        });
        (found, view.generation())
    };
    let (mut overlaps, generation) = place.run(look).await.map_err(|_| Refusal::Internal)?;
    let total = overlaps.len();
    overlaps.sort_unstable_by(|one, other| other.cmp(one));
    overlaps.truncate(LISTED);
    let listed = overlaps.len();
    let document = Overlaps { source: source.to_string(), total, overlaps, generation };
    Ok((serde_json::to_vec(&document).unwrap_or_default(), listed))
}
