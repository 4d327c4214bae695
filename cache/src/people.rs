//! One shard of people: their records, and those changed since.
//!
//! ```text
//! entry    key (6 octets, big-endian)   length   record
//! ```
//!
//! A record of one octet, the head of one in which nothing is, says that there is none any more.

use std::iter::Peekable;
use std::ops::Range;
use std::sync::Arc;

use crate::key::{Place, Spot};
use crate::octets::{Reading, number_octets, put_fixed, put_number};
use crate::overlay::Overlay;
use crate::segment::{Builder, Kind, LINE, Segment, fetch};

const BITS: u32 = 48;

/// A shard of people. It never changes: [`People::with`] gives another.
pub(crate) struct People {
    shard: usize,
    base: Arc<Segment>,
    overlay: Overlay<u8>,
}

/// What becomes of a key: its record, [`GONE`] where it goes.
pub(crate) type Change = (u64, Vec<u8>);

/// Stands among changes for a record that is no more.
pub(crate) const GONE: &[u8] = &[0];

/// Under what a change is marked: the same for all keys of a spot.
const fn mark(key: u64) -> u64 {
    key >> 22
}

/// The entries of a run.
#[derive(Clone)]
struct Entries<'o>(Reading<'o>);

impl<'o> Iterator for Entries<'o> {
    type Item = (u64, &'o [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let key = u64::from_be_bytes(*self.0.rest().first_chunk()?) >> 16;
        self.0.octets(6)?;
        let length = self.0.count()?;
        Some((key, self.0.octets(length)?))
    }
}

fn entries(run: &[u8]) -> Entries<'_> {
    Entries(Reading::new(run))
}

/// Takes the entries of a run from the first to the last of these keys, until one is enough.
fn between<'o>(run: &'o [u8], first: u64, last: u64, take: &mut impl FnMut(u64, &'o [u8]) -> bool) -> bool {
    for (key, record) in entries(run) {
        if key > last {
            return false;
        }
        if key >= first && take(key, record) {
            return true;
        }
    }
    false
}

fn put_entry(out: &mut Vec<u8>, key: u64, record: &[u8]) {
    put_fixed(out, key, 6);
    put_number(out, record.len() as u64);
    out.extend_from_slice(record);
}

fn entry_octets(record: &[u8]) -> usize {
    6 + number_octets(record.len() as u64) + record.len()
}

impl People {
    pub(crate) fn empty(shard: usize) -> Self {
        Self::of(shard, Arc::new(Segment::empty(Kind::People)))
    }

    pub(crate) fn of(shard: usize, base: Arc<Segment>) -> Self {
        let overlay = Overlay::new(BITS, most_changes(base.count));
        Self { shard, base, overlay }
    }

    /// The record in this place.
    pub(crate) fn at(&self, place: Place) -> Option<&[u8]> {
        let key = place.key();
        let mut found = None;
        let mut take = |_, record| {
            found = Some(record);
            true
        };
        let changed =
            self.overlay.may_have(mark(key)) && between(self.overlay.block(key), key, key, &mut take);
        if !changed {
            between(self.run(key..key + 1), key, key, &mut take);
        }
        found.filter(|record| *record != GONE)
    }

    /// Where the records of these keys are that have not changed.
    fn run(&self, keys: Range<u64>) -> &[u8] {
        let run = self.base.run(keys);
        fetch(run, LINE..run.len().min(4 * LINE));
        run
    }

    /// What tells where the records at this spot are, not looked at.
    pub(crate) fn first(&self, spot: Spot) -> &[u8] {
        self.base.start_of(spot.keys().0)
    }

    /// The lines of the records at this spot, not looked at.
    pub(crate) fn second(&self, spot: Spot) -> impl Iterator<Item = &[u8]> {
        let (first, last) = spot.keys();
        self.base.run(first..last + 1).chunks(LINE).take(4)
    }

    /// Takes the records at this spot, until one is enough.
    pub(crate) fn at_spot<'p>(&'p self, spot: Spot, mut take: impl FnMut(Place, &'p [u8]) -> bool) -> bool {
        let (first, last) = spot.keys();
        let mut take = |key, record| record != GONE && take(Place::new(self.shard, key), record);
        let base = self.run(first..last + 1);
        if !self.overlay.may_have(mark(first)) {
            return between(base, first, last, &mut take);
        }
        let changed = self.overlay.block(first);
        between(changed, first, last, &mut take)
            || between(base, first, last, &mut |key, record| {
                !between(changed, key, key, &mut |_, _| true) && take(key, record)
            })
    }

    /// The shard after these changes, which are in the order of their keys.
    pub(crate) fn with(&self, changes: &[Change]) -> Self {
        let mut overlay = self.overlay.clone();
        for changes in
            changes.chunk_by(|one, other| self.overlay.block_of(one.0) == self.overlay.block_of(other.0))
        {
            let Some((key, _)) = changes.first() else { continue };
            let before = entries(self.overlay.block(*key));
            let after = changes.iter().map(|(key, record)| (*key, &**record));
            let (mut block, mut more) = (Vec::new(), 0 - before.clone().count() as isize);
            merge(before, after, |key, record| {
                put_entry(&mut block, key, record);
                more += 1;
            });
            changes.iter().for_each(|(key, _)| overlay.mark(mark(*key)));
            overlay.replace(self.overlay.block_of(*key), block.into(), more);
        }
        let changed = Self { shard: self.shard, base: Arc::clone(&self.base), overlay };
        if changed.overlay.count > most_changes(self.base.count) { changed.rebuilt() } else { changed }
    }

    /// The same without changes beside it.
    fn rebuilt(&self) -> Self {
        // Counted first: room beyond what comes would be held all the same, in large pages.
        let (mut count, mut octets) = (0, 0);
        self.each_after_changes(|_, record| {
            count += 1;
            octets += entry_octets(record);
        });
        let mut builder = Builder::new(Kind::People, count, octets);
        self.each_after_changes(|key, record| builder.push(key, |out| put_entry(out, key, record)));
        Self::of(self.shard, Arc::new(builder.finish()))
    }

    fn each_after_changes<'p>(&'p self, mut take: impl FnMut(u64, &'p [u8])) {
        let changes = self.overlay.blocks().flat_map(entries);
        merge(entries(self.base.entries()), changes, |key, record| {
            if record != GONE {
                take(key, record);
            }
        });
    }

    /// Everybody in it that has not changed since it was made.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Place, &[u8])> {
        entries(self.base.entries()).map(|(key, record)| (Place::new(self.shard, key), record))
    }

    /// Everybody in it as it is now.
    pub(crate) fn each<'p>(&'p self, mut take: impl FnMut(Place, &'p [u8])) {
        self.each_after_changes(|key, record| take(Place::new(self.shard, key), record));
    }

    /// What does not change of it.
    pub(crate) const fn base(&self) -> &Arc<Segment> {
        &self.base
    }

    /// All of it as one segment.
    pub(crate) fn whole(&self) -> Arc<Segment> {
        if self.overlay.count == 0 { Arc::clone(&self.base) } else { self.rebuilt().base }
    }

    /// The same people on a base that has some of the changes in it.
    pub(crate) fn on(&self, base: Arc<Segment>) -> Self {
        let new = Self::of(self.shard, base);
        let changes = self.overlay.blocks().flat_map(entries);
        let still =
            changes.filter(|(key, record)| new.at(Place::new(self.shard, *key)).unwrap_or(GONE) != *record);
        let still: Vec<_> = still.map(|(key, record)| (key, record.to_vec())).collect();
        new.with(&still)
    }

    /// Octets of records, of what finds them, and of changes.
    pub(crate) fn sizes(&self) -> [usize; 3] {
        let (records, starts) = self.base.sizes();
        [records, starts, self.overlay.octets()]
    }
}

/// How many changes a shard bears before it is made anew: a sixteenth at the most, so that they take
/// little room, and making anew costs little for each. Changes spread evenly, so that each shard has
/// a bound of its own, lest all are made anew at once and memory holds everybody twice.
pub(crate) fn most_changes(count: u64) -> usize {
    let most = count / 16;
    ((most - most * (count % 64) / 128) as usize).max(256)
}

/// Both in the order of keys; what is in both, as the second has it.
fn merge<'o>(
    one: impl Iterator<Item = (u64, &'o [u8])>,
    other: impl Iterator<Item = (u64, &'o [u8])>,
    mut take: impl FnMut(u64, &'o [u8]),
) {
    let mut one: Peekable<_> = one.peekable();
    for (key, record) in other {
        while let Some((before, record)) = one.next_if(|(before, _)| *before < key) {
            take(before, record);
        }
        one.next_if(|(before, _)| *before == key);
        take(key, record);
    }
    one.for_each(|(key, record)| take(key, record));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn changes() -> impl Strategy<Value = BTreeMap<u64, Vec<u8>>> {
        // Keys that crowd together, and some that lie anywhere.
        let key = prop_oneof![0..40_u64, (0..1_u64 << BITS), (0..8_u64).prop_map(|n| n << 44)];
        prop::collection::btree_map(key, prop::collection::vec(0..3_u8, 1..3), 0..600)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_shard_agrees_with_a_map(rounds in prop::collection::vec(changes(), 1..6)) {
            let mut people = People::empty(5);
            let mut model: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
            for round in rounds {
                people = people.with(&round.clone().into_iter().collect::<Vec<_>>());
                model.extend(round.clone());
                model.retain(|_, record| record != GONE);
                for key in round.keys().chain(model.keys()) {
                    let expected = model.get(key).map(|record| &**record);
                    let place = Place::new(5, *key);
                    prop_assert_eq!(people.at(place), expected);
                    let (first, last) = place.spot().keys();
                    let mut at_spot = BTreeMap::new();
                    people.at_spot(place.spot(), |place, record| {
                        at_spot.insert(place.key(), record.to_vec());
                        false
                    });
                    prop_assert!(at_spot.iter().eq(model.range(first..=last)));
                }
            }
        }
    }
}
