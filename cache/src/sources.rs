//! Where every source stands, in small parts of which each is replaced as a whole.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use eligibility::feed::Source;
use foldhash::fast::FixedState;

use crate::source::SourceState;
use crate::state::Map;

/// There are some 5 000 sources, and with each batch the part of one of them is made anew.
const PARTS: usize = 64;

/// Where every source stands that has said anything.
#[derive(Clone)]
pub(crate) struct Sources(Box<[Arc<Map<Source, SourceState>>]>);

impl Default for Sources {
    fn default() -> Self {
        Self((0..PARTS).map(|_| Arc::default()).collect())
    }
}

impl Sources {
    pub(crate) fn get(&self, source: Source) -> Option<&SourceState> {
        self.0.get(part(source))?.get(&source)
    }

    /// Lets the source stand so.
    pub(crate) fn set(&mut self, source: Source, standing: SourceState) {
        if let Some(part) = self.0.get_mut(part(source)) {
            Arc::make_mut(part).insert(source, standing);
        }
    }

    /// All of them, in order.
    pub(crate) fn all(&self) -> Vec<(Source, &SourceState)> {
        let each = self.0.iter().flat_map(|part| part.iter());
        let mut all: Vec<_> = each.map(|(source, standing)| (*source, standing)).collect();
        all.sort_unstable_by_key(|(source, _)| *source);
        all
    }
}

fn part(source: Source) -> usize {
    FixedState::default().hash_one(source) as usize % PARTS
}
