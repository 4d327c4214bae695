//! One shard of an index: at which spots people may be found that have a serial or a number.
//!
//! ```text
//! entry    hash << 32 | spot (8 octets, little-endian)
//! ```
//!
//! An index never decides: whoever lies at the spot is compared. An entry too many costs a look, so
//! entries may come before and go after the records that they lead to.

use std::sync::Arc;

use crate::key::{Hash, Spot};
use crate::overlay::Overlay;
use crate::people::most_changes;
use crate::segment::{Builder, Kind, LINE, Segment, fetch};

const BITS: u32 = 32;

/// A shard of an index. It never changes: [`Index::with`] gives another.
pub(crate) struct Index {
    base: Arc<Segment>,
    overlay: Overlay<Change>,
}

/// An entry, and whether it comes or goes.
pub(crate) type Change = (u64, bool);

/// The entry that leads from a hash to a spot.
pub(crate) const fn entry(hash: Hash, spot: Spot) -> u64 {
    (hash.key() as u64) << 32 | spot.0 as u64
}

const fn key(entry: u64) -> u64 {
    entry >> 32
}

fn entries(run: &[u8]) -> impl Iterator<Item = u64> + Clone {
    let (entries, _) = run.as_chunks();
    entries.iter().map(|octets| u64::from_le_bytes(*octets))
}

impl Index {
    pub(crate) fn empty(kind: Kind) -> Self {
        Self::of(Arc::new(Segment::empty(kind)))
    }

    pub(crate) fn of(base: Arc<Segment>) -> Self {
        let overlay = Overlay::new(BITS, most_changes(base.count));
        Self { base, overlay }
    }

    /// Takes the spots where those may be found who have this hash, each once, until one is enough.
    pub(crate) fn spots(&self, hash: Hash, mut take: impl FnMut(Spot) -> bool) -> bool {
        let hash = u64::from(hash.key());
        let mut base = self.base_spots(hash);
        if !self.overlay.may_have(hash) {
            return base.any(|entry| take(Spot(entry as u32)));
        }
        let changed = self.overlay.block(hash);
        let changed = changed.get(changed.partition_point(|(entry, _)| key(*entry) < hash)..);
        let changed = changed.into_iter().flatten().take_while(|(entry, _)| key(*entry) == hash);
        changed.clone().any(|(entry, comes)| *comes && take(Spot(*entry as u32)))
            || base.any(|entry| {
                changed.clone().all(|(changed, _)| *changed != entry) && take(Spot(entry as u32))
            })
    }

    /// The entries of this hash that do not change. Hashes spread evenly, so the first is near where
    /// its share of its bucket ends.
    fn base_spots(&self, hash: u64) -> impl Iterator<Item = u64> {
        let octets = self.base.run(hash..hash + 1);
        let (run, _) = octets.as_chunks::<8>();
        let at = |place: usize| run.get(place).map(|octets| u64::from_le_bytes(*octets));
        let mut place = self.guess(hash, run.len());
        fetch(octets, (place * 8).saturating_sub(LINE / 2)..place * 8 + LINE);
        while place > 0 && at(place - 1).is_some_and(|entry| key(entry) >= hash) {
            place -= 1;
        }
        while at(place).is_some_and(|entry| key(entry) < hash) {
            place += 1;
        }
        (place..).map_while(at).take_while(move |entry| key(*entry) == hash)
    }

    /// Where in its bucket of so many entries the first of this hash is about.
    fn guess(&self, hash: u64, entries: usize) -> usize {
        let share = (hash * self.base.buckets) & u64::from(u32::MAX);
        ((share * entries as u64) >> BITS) as usize
    }

    /// What tells where the bucket of this hash is, not looked at.
    pub(crate) fn first(&self, hash: Hash) -> &[u8] {
        self.base.start_of(u64::from(hash.key()))
    }

    /// Where the entries of this hash are about, not looked at.
    pub(crate) fn second(&self, hash: Hash) -> &[u8] {
        let hash = u64::from(hash.key());
        let run = self.base.run(hash..hash + 1);
        let place = self.guess(hash, run.len() / 8) * 8;
        run.get(place..).unwrap_or_default()
    }

    /// The shard after these changes, which are in the order of entries, each once.
    pub(crate) fn with(&self, changes: &[Change]) -> Self {
        let mut overlay = self.overlay.clone();
        let block_of = |(entry, _): &Change| self.overlay.block_of(key(*entry));
        for changes in changes.chunk_by(|one, other| block_of(one) == block_of(other)) {
            let Some(first) = changes.first() else { continue };
            let before = self.overlay.block(key(first.0));
            let mut block = Vec::with_capacity(before.len() + changes.len());
            let mut rest = before.iter().peekable();
            for change in changes {
                while let Some(one) = rest.next_if(|one| one.0 < change.0) {
                    block.push(*one);
                }
                rest.next_if(|one| one.0 == change.0);
                block.push(*change);
            }
            block.extend(rest);
            changes.iter().for_each(|(entry, _)| overlay.mark(key(*entry)));
            let more = block.len() as isize - before.len() as isize;
            overlay.replace(block_of(first), block.into(), more);
        }
        let changed = Self { base: Arc::clone(&self.base), overlay };
        if changed.overlay.count > most_changes(self.base.count) { changed.rebuilt() } else { changed }
    }

    /// The same without changes beside it.
    fn rebuilt(&self) -> Self {
        // Counted first: room beyond what comes would be held all the same, in large pages.
        let mut count = 0;
        self.each_after_changes(|_| count += 1);
        let mut builder = Builder::new(self.base.kind, count, count as usize * size_of::<u64>());
        self.each_after_changes(|entry| {
            builder.push(key(entry), |out| out.extend_from_slice(&entry.to_le_bytes()));
        });
        Self::of(Arc::new(builder.finish()))
    }

    fn each_after_changes(&self, mut take: impl FnMut(u64)) {
        let mut base = entries(self.base.entries()).peekable();
        for (entry, comes) in self.overlay.blocks().flatten() {
            while let Some(before) = base.next_if(|before| before < entry) {
                take(before);
            }
            base.next_if(|before| before == entry);
            if *comes {
                take(*entry);
            }
        }
        base.for_each(take);
    }

    /// What does not change of it.
    pub(crate) const fn base(&self) -> &Arc<Segment> {
        &self.base
    }

    /// All of it as one segment.
    pub(crate) fn whole(&self) -> Arc<Segment> {
        if self.overlay.count == 0 { Arc::clone(&self.base) } else { self.rebuilt().base }
    }

    /// The same ways on a base that has some of the changes in it.
    pub(crate) fn on(&self, base: Arc<Segment>) -> Self {
        let new = Self::of(base);
        let has = |entry: u64| new.base_spots(key(entry)).any(|other| other == entry);
        let changes = self.overlay.blocks().flatten();
        let still: Vec<_> = changes.copied().filter(|(entry, comes)| has(*entry) != *comes).collect();
        new.with(&still)
    }

    /// Octets of entries, of what finds them, and of changes.
    pub(crate) fn sizes(&self) -> [usize; 3] {
        let (entries, starts) = self.base.sizes();
        [entries, starts, self.overlay.octets()]
    }

    /// How many entries there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        entries(self.rebuilt().base.entries()).count()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_shard_agrees_with_a_set(
            rounds in prop::collection::vec(
                prop::collection::btree_map((0..400_u32, 0..4_u32), any::<bool>(), 0..600), 1..6)
        ) {
            let mut index = Index::empty(Kind::Cards);
            let mut model = BTreeSet::new();
            // Hashes that crowd together at both ends.
            let hash = |n: u32| Hash(u64::from(if n < 200 { n } else { u32::MAX - n }) << 26);
            for round in rounds {
                let changes: BTreeMap<_, _> =
                    round.iter().map(|((n, spot), comes)| (entry(hash(*n), Spot(*spot)), *comes)).collect();
                index = index.with(&changes.into_iter().collect::<Vec<_>>());
                for (pair, comes) in round {
                    if comes { model.insert(pair) } else { model.remove(&pair) };
                }
                for n in 0..400 {
                    let expected: Vec<_> = model.range((n, 0)..(n + 1, 0)).map(|(_, spot)| *spot).collect();
                    let mut spots = Vec::new();
                    index.spots(hash(n), |spot| {
                        spots.push(spot.0);
                        false
                    });
                    spots.sort_unstable();
                    prop_assert_eq!(spots, expected);
                }
                prop_assert_eq!(index.len(), model.len());
            }
        }
    }
}
