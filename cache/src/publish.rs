//! How a batch's changes become visible.
//!
//! ```text
//! ways that come (and those that went with the batch before) ─► records ─► sources ─► generation
//! ```
//!
//! A way in an index is there before the record it leads to, and goes after it: so a person is found
//! as before or as after, never missed. A person's record is replaced whole.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use eligibility::feed::Source;

use crate::index::{self, Index};
use crate::key::{Hash, Place};
use crate::plan::{Changes, Turns};
use crate::published::Published;
use crate::source::SourceState;
use crate::state::State;

/// Ways that lead nowhere any more, to be taken away with the next batch.
#[derive(Default)]
pub(crate) struct Outdated {
    cards: Vec<(Hash, Place)>,
    numbers: Vec<(Hash, Place)>,
}

/// Makes the changes of one batch visible.
pub(crate) fn publish(
    state: &State,
    outdated: &mut Outdated,
    changes: Changes,
    sources: Vec<(Source, SourceState)>,
    position: u64,
) {
    turn(state, &state.cards, &mut outdated.cards, changes.cards);
    turn(state, &state.numbers, &mut outdated.numbers, changes.numbers);
    for (shard, changes) in changes.people {
        let people = &state.people[shard];
        people.store(Arc::new(people.load().with(&changes)));
    }
    add(&state.persons, changes.persons);
    add(&state.serials, changes.serials);
    for (source, standing) in sources {
        stand(state, source, standing);
    }
    state.generation.store(position, Ordering::Release);
}

/// Takes away the ways that lead nowhere any more.
pub(crate) fn tidy(state: &State, outdated: &mut Outdated) {
    turn(state, &state.cards, &mut outdated.cards, Turns::default());
    turn(state, &state.numbers, &mut outdated.numbers, Turns::default());
}

fn add(count: &std::sync::atomic::AtomicU64, more: i64) {
    count.store(count.load(Ordering::Relaxed).saturating_add_signed(more), Ordering::Relaxed);
}

fn turn(state: &State, index: &[Published<Index>], outdated: &mut Vec<(Hash, Place)>, turns: Turns) {
    let mut changes: BTreeMap<usize, BTreeMap<u64, bool>> = BTreeMap::new();
    let mut change = |(hash, place): (Hash, Place), comes| {
        let shard = changes.entry(hash.shard()).or_default();
        shard.insert(index::entry(hash, place.spot()), comes);
    };
    // Where two lie at one spot the way stays, as the other may come by it too.
    let gone = outdated.drain(..).filter(|(_, place)| !state.is_shared(*place));
    gone.for_each(|way| change(way, false));
    turns.come.into_iter().for_each(|way| change(way, true));
    outdated.extend(turns.go);
    for (shard, changes) in changes {
        let changes: Vec<_> = changes.into_iter().collect();
        let index = &index[shard];
        index.store(Arc::new(index.load().with(&changes)));
    }
}

fn stand(state: &State, source: Source, standing: SourceState) {
    let sources = state.sources.load();
    match sources.get(&source) {
        Some(published) => published.store(Arc::new(standing)),
        None => {
            let mut more = (*sources).clone();
            more.insert(source, Arc::new(Published::new(standing)));
            state.sources.store(Arc::new(more));
        }
    }
}
