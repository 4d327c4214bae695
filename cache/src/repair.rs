//! Files made good one by one: where some are damaged, the others stay as they are.
//!
//! A shard of people is made again from the batches of the record of truth, an index from the people.
//! Made again, a file has the very octets it had.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::{self, BaseError, Filed, Names};
use crate::batch::Batch;
use crate::index::{self, Index};
use crate::key::{Hash, Hashing, Place};
use crate::people::People;
use crate::record;
use crate::segment::{Kind, Segment};
use crate::state::{Map, State};
use crate::writer::Writer;

/// Makes good what is damaged or missing of memory's files, and tells which files that was. `replay`
/// hands over every batch from the first to the one of the memory's position at least, and is called
/// only when people are damaged. Besides those, only cards are held meanwhile.
///
/// # Errors
/// [`BaseError`] when the file that names all others is damaged itself, or one cannot be written; and
/// what `replay` fails with.
pub fn repair<E: From<BaseError>>(
    folder: &Path,
    replay: impl FnOnce(&mut dyn FnMut(Batch<'_>)) -> Result<(), E>,
) -> Result<Vec<PathBuf>, E> {
    let names = Names::read(folder)?;
    let hashing = Hashing { seed: names.seed };
    let is_damaged = |filed: &Filed| base::read(folder, *filed, names.seed).is_err();
    let damaged: Vec<_> = names.all().filter(is_damaged).collect();
    let (people, indexes): (Vec<Filed>, Vec<Filed>) =
        damaged.iter().copied().partition(|filed| filed.kind == Kind::People);
    if !people.is_empty() {
        let shards = people.iter().map(|filed| filed.shard).collect();
        let state = replayed(hashing, shards, names.position, replay)?;
        for filed in people {
            base::write(folder, filed, names.seed, &state.people[filed.shard].whole())?;
        }
    }
    let mut ways: BTreeMap<_, Vec<_>> = indexes.iter().map(|filed| (key(filed), Vec::new())).collect();
    if !indexes.is_empty() {
        for filed in names.all().filter(|filed| filed.kind == Kind::People) {
            gather(
                hashing,
                &People::of(filed.shard, Arc::new(base::read(folder, filed, names.seed)?)),
                &mut ways,
            );
        }
    }
    for filed in indexes {
        let mut changes = ways.remove(&key(&filed)).unwrap_or_default();
        changes.sort_unstable();
        changes.dedup();
        let index = Index::of(Arc::new(Segment::empty(filed.kind))).with(&changes);
        base::write(folder, filed, names.seed, &index.whole())?;
    }
    Ok(damaged.into_iter().map(|filed| filed.path(folder)).collect())
}

const fn key(filed: &Filed) -> (u8, usize) {
    (filed.kind as u8, filed.shard)
}

/// Memory of these shards of people alone, as of this position.
fn replayed<E>(
    hashing: Hashing,
    shards: BTreeSet<usize>,
    position: u64,
    replay: impl FnOnce(&mut dyn FnMut(Batch<'_>)) -> Result<(), E>,
) -> Result<Arc<State>, E> {
    let (mut writer, _) = Writer::new(State::new(hashing), Map::default());
    writer.only(shards);
    replay(&mut |batch| {
        if batch.position <= position {
            writer.apply(batch);
        }
    })?;
    Ok(Arc::clone(writer.parts().0))
}

/// Adds the ways to these people that belong into the wanted shards of indexes.
fn gather(hashing: Hashing, people: &People, ways: &mut BTreeMap<(u8, usize), Vec<index::Change>>) {
    let mut add = |kind: Kind, hash: Hash, place: Place| {
        if let Some(ways) = ways.get_mut(&(kind as u8, hash.shard())) {
            ways.push((index::entry(hash, place.spot()), true));
        }
    };
    for (place, octets) in people.all() {
        let Some(kept) = record::read(place, octets) else { continue };
        kept.cards.iter().for_each(|card| add(Kind::Cards, hashing.serial(&card.serial), place));
        kept.numbers(hashing).into_iter().for_each(|hash| add(Kind::Numbers, hash, place));
    }
}
