//! The slow branch of questions by number: what was known at an instant is looked up first, by the threads
//! of batches, so only for a few questions at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use eligibility::day::Timestamp;
use eligibility::query::NumberQuery;
use eligibility::wire::Wrong;

use super::routes::Head;
use crate::entitle::{Entitled, looking_back};
use crate::gateway::Gateway;
use crate::past::{Past, Wanted};
use crate::peer::Peer;
use crate::refusal::Refusal;

/// Most instants of one batch: the ledger is read anew for each.
const INSTANTS: usize = 8;

/// What was known at the instant that a question names; `None` where it names none, or may not be asked.
pub(super) async fn looked_up(head: &Head<'_>, query: &NumberQuery) -> Result<Option<Past>, Refusal> {
    let gateway = head.gateway;
    let entitled = Entitled::by_number(query, &gateway.desk.insurers, head.peer, head.now);
    let Some(at) = query.known_at.filter(|_| entitled.is_ok()) else { return Ok(None) };
    let place = gateway.bulk.place().ok_or(Refusal::Overloaded)?;
    let (wanted, gateway) = (Wanted::of(query), Arc::clone(gateway));
    let past = place.run(move || gateway.look_back(at, &wanted));
    past.await.map_err(|_| Refusal::Internal)?.map(Some)
}

/// What was known at each instant that a batch names.
pub(super) struct Pasts(BTreeMap<Timestamp, Result<Past, Refusal>>);

impl Pasts {
    /// Looks all of them up.
    pub(super) fn of<'q>(
        gateway: &Gateway,
        (peer, now): (&Peer, Timestamp),
        queries: impl Iterator<Item = &'q NumberQuery>,
    ) -> Self {
        let mut instants = BTreeMap::<_, Wanted>::new();
        for query in queries {
            if let Some(at) = query.known_at.filter(|at| looking_back(*at, peer, now).is_ok()) {
                instants.entry(at).or_default().add(query);
            }
        }
        let look = |(count, (at, wanted)): (usize, (Timestamp, Wanted))| {
            let past = if count < INSTANTS {
                gateway.look_back(at, &wanted)
            } else {
                Err(Refusal::field("known_at", Wrong::Range))
            };
            (at, past)
        };
        Self(instants.into_iter().enumerate().map(look).collect())
    }

    /// The question with what was known at the instant that it names.
    pub(super) fn with(&self, query: NumberQuery) -> Result<(NumberQuery, Option<&Past>), Refusal> {
        let past = query.known_at.and_then(|at| self.0.get(&at));
        let past = past.map(|past| past.as_ref().map_err(Refusal::clone)).transpose()?;
        Ok((query, past))
    }
}
