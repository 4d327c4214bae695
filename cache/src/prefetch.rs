//! Finds that are known together wait for memory together.
//!
//! A find waits four times, each time for a place that the one before has told: where a bucket of its
//! index starts, the entry there, where a bucket of people starts, the record. Here each of these steps
//! is taken for many before the next one.

use crate::index::Index;
use crate::key::{Hash, Place, Spot};
use crate::people::People;
use crate::reader::Key;
use crate::segment::fetch_all;
use crate::state::State;

/// So many are waited for at once: more than the processor can ask memory for, few enough to stay near
/// until they are looked at.
pub(crate) const TOGETHER: usize = 32;

impl State {
    /// Brings near what finds of these keys will look at. Without effect but on time.
    pub(crate) fn prefetch(&self, keys: &[Key<'_>]) {
        for keys in keys.chunks(TOGETHER) {
            let ways: Vec<_> = keys.iter().map(|key| self.way(key)).collect();
            fetch_all(ways.iter().map(|(index, hash)| index.first(*hash)));
            fetch_all(ways.iter().map(|(index, hash)| index.second(*hash)));
            let mut spots = Vec::with_capacity(ways.len());
            for (index, hash) in &ways {
                index.spots(*hash, |spot| {
                    spots.push((&*self.people[spot.shard()], spot));
                    true
                });
            }
            fetch_records(&spots);
        }
    }

    /// Brings near what is kept in these places. Without effect but on time.
    pub(crate) fn prefetch_places(&self, places: &[Place]) {
        for places in places.chunks(TOGETHER) {
            let spots: Vec<_> =
                places.iter().map(|place| (&*self.people[place.shard()], place.spot())).collect();
            fetch_records(&spots);
        }
    }

    /// The index that leads to whom the key hits, and its hash there.
    fn way(&self, key: &Key<'_>) -> (&Index, Hash) {
        match key {
            Key::Card(serial) => {
                let hash = self.hashing.serial(serial);
                (&self.cards[hash.shard()], hash)
            }
            Key::Number(query) => {
                let hash = self.hashing.number(&query.key, query.birth_date);
                (&self.numbers[hash.shard()], hash)
            }
        }
    }
}

fn fetch_records(spots: &[(&People, Spot)]) {
    fetch_all(spots.iter().map(|(people, spot)| people.first(*spot)));
    fetch_all(spots.iter().flat_map(|(people, spot)| people.second(*spot)));
}
