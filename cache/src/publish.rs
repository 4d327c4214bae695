//! What a batch makes of memory: another state, sharing with the former what did not change.

use std::collections::BTreeMap;
use std::sync::Arc;

use eligibility::feed::Source;

use crate::index::{self, Index};
use crate::plan::{Changes, Turns};
use crate::source::SourceState;
use crate::state::State;

/// The state after the batch of this position.
pub(crate) fn after(
    state: &State,
    changes: Changes,
    standing: Vec<(Source, SourceState)>,
    position: u64,
) -> State {
    let mut next = state.clone();
    for (shard, changes) in changes.people {
        let people = &mut next.people[shard];
        *people = Arc::new(people.with(&changes));
    }
    next.cards = turned(&next, &state.cards, changes.cards);
    next.numbers = turned(&next, &state.numbers, changes.numbers);
    next.persons = next.persons.saturating_add_signed(changes.persons);
    next.serials = next.serials.saturating_add_signed(changes.serials);
    for (source, standing) in standing {
        next.sources.set(source, standing);
    }
    next.generation = position;
    next
}

/// The index whose ways lead to where people are in the next state.
fn turned(next: &State, index: &[Arc<Index>], turns: Turns) -> Box<[Arc<Index>]> {
    let mut changes: BTreeMap<usize, BTreeMap<u64, bool>> = BTreeMap::new();
    // Where two lie at one spot the way stays, as the other may come by it too.
    let gone = turns.go.into_iter().filter(|(_, place)| !next.is_shared(*place));
    let turns = gone.map(|way| (way, false)).chain(turns.come.into_iter().map(|way| (way, true)));
    for ((hash, place), comes) in turns {
        changes.entry(hash.shard()).or_default().insert(index::entry(hash, place.spot()), comes);
    }
    let mut index: Box<[_]> = index.into();
    for (shard, changes) in changes {
        let changes: Vec<_> = changes.into_iter().collect();
        index[shard] = Arc::new(index[shard].with(&changes));
    }
    index
}
