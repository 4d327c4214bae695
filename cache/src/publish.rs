//! What a batch makes of memory: another state, sharing with the former what did not change.

use std::collections::BTreeMap;
use std::sync::Arc;

use eligibility::feed::Source;

use crate::index::{self, Index};
use crate::people::People;
use crate::plan::{Changes, Turns};
use crate::source::SourceState;
use crate::state::{Map, State};

/// The state after the batch of this position.
pub(crate) fn after(
    state: &State,
    changes: Changes,
    standing: Map<Source, SourceState>,
    position: u64,
) -> State {
    let mut next = state.clone();
    renew(&mut next.people, changes.people, People::with);
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
    let mut changes: BTreeMap<usize, Vec<index::Change>> = BTreeMap::new();
    // Where two lie at one spot the way stays, as the other may come by it too.
    let gone = turns.go.into_iter().filter(|(_, place)| !next.is_shared(*place));
    let turns = gone.map(|way| (way, false)).chain(turns.come.into_iter().map(|way| (way, true)));
    for ((hash, place), comes) in turns {
        changes.entry(hash.shard()).or_default().push((index::entry(hash, place.spot()), comes));
    }
    for changes in changes.values_mut() {
        // Of one that both goes and comes, the coming is what counts.
        changes.sort_unstable_by_key(|(entry, comes)| (*entry, !comes));
        changes.dedup_by_key(|(entry, _)| *entry);
    }
    let mut index: Box<[_]> = index.into();
    renew(&mut index, changes, Index::with);
    index
}

/// From so many changes on they are shared among threads.
const MANY: usize = 8192;

/// Puts shards with their changes in place of the former ones.
fn renew<S: Send + Sync, C: Send + Sync>(
    shards: &mut [Arc<S>],
    changes: BTreeMap<usize, Vec<C>>,
    with: impl Fn(&S, &[C]) -> S + Sync,
) {
    let count: usize = changes.values().map(Vec::len).sum();
    let threads = if count < MANY { 1 } else { std::thread::available_parallelism().map_or(1, usize::from) };
    let mut each: Vec<_> = shards.iter_mut().enumerate().collect();
    let share = each.len().div_ceil(threads);
    let renew = |each: &mut [(usize, &mut Arc<S>)]| {
        for (shard, now) in each {
            if let Some(changes) = changes.get(shard) {
                **now = Arc::new(with(now, changes));
            }
        }
    };
    let (first, others) = each.split_at_mut(share);
    std::thread::scope(|scope| {
        others.chunks_mut(share).for_each(|each| drop(scope.spawn(|| renew(each))));
        renew(first);
    });
}
