//! Memory into its files and out of them again.
//!
//! ```text
//! Writer::snapshot (at once) ─► Snapshot::write (beside everything) ─► Written ─► Writer::adopt
//! ```
//!
//! A snapshot shares everything with memory and is not disturbed by what is applied after it. Shard
//! by shard it is written; where changes had to be sorted in for that, memory takes over the shard as
//! it was written, so there is never more than one shard twice.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::{self, BaseError, Filed, KINDS, Names};
use crate::index::Index;
use crate::key::{Hashing, SHARDS};
use crate::people::People;
use crate::reader::Reader;
use crate::segment::{Kind, Segment};
use crate::source::{put_books, read_books};
use crate::state::State;
use crate::writer::Writer;

/// All of memory as of one position.
pub struct Snapshot {
    names: Names,
    people: Vec<Arc<People>>,
    /// Cards and numbers.
    indexes: [Vec<Arc<Index>>; 2],
}

/// A shard as it is in its file now, changes sorted in.
pub struct Written {
    filed: Filed,
    before: Arc<Segment>,
    now: Arc<Segment>,
}

/// A memory as its files have it: its one writer, and a reader to clone. Batches after
/// [`Reader::generation`] are to be applied.
///
/// # Errors
/// [`BaseError`] when there is none, or any of it is not as it was written: all such files are named.
/// [`repair`](crate::repair) makes them good, or [`empty`](crate::empty) and all batches make memory
/// again.
pub fn open(folder: &Path) -> Result<(Writer, Reader), BaseError> {
    let names = Names::read(folder)?;
    let books = read_books(&names.books).ok_or_else(|| Names::damaged(folder))?;
    let mut segments = names.segments(folder)?.into_iter().map(Arc::new);
    let people = segments.by_ref().take(SHARDS).enumerate();
    let people = people.map(|(shard, base)| Arc::new(People::of(shard, base))).collect();
    let mut index = || segments.by_ref().take(SHARDS).map(|base| Arc::new(Index::of(base))).collect();
    let state = State {
        people,
        cards: index(),
        numbers: index(),
        generation: names.position,
        persons: names.persons,
        serials: names.serials,
        ..State::new(Hashing { seed: names.seed })
    };
    Ok(Reader::of(state, books))
}

impl Writer {
    /// All of memory as it is now. Takes no time and little memory, while it is not kept for long.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let (state, books) = self.parts();
        let mut octets = Vec::new();
        put_books(&mut octets, books);
        Snapshot {
            names: Names {
                position: state.generation,
                seed: state.hashing.seed,
                persons: state.persons,
                serials: state.serials,
                files: [const { Vec::new() }; 3],
                books: octets,
            },
            people: state.people.to_vec(),
            indexes: [state.cards.to_vec(), state.numbers.to_vec()],
        }
    }

    /// Lets memory take over a shard as it was written, unless it has been made anew since.
    pub fn adopt(&mut self, written: Written) {
        let (state, _) = self.parts();
        let Written { filed, before, now } = written;
        let mut next = State::clone(state);
        let indexes = match filed.kind {
            Kind::People => {
                let people = &mut next.people[filed.shard];
                if Arc::ptr_eq(people.base(), &before) {
                    *people = Arc::new(people.on(now));
                    self.publish(next);
                }
                return;
            }
            Kind::Cards => &mut next.cards,
            Kind::Numbers => &mut next.numbers,
        };
        let index = &mut indexes[filed.shard];
        if Arc::ptr_eq(index.base(), &before) {
            *index = Arc::new(index.on(now));
            self.publish(next);
        }
    }

    /// Writes memory into this folder, all at once. Gives the position.
    ///
    /// # Errors
    /// [`BaseError`] when it cannot be written; what was there before is then still whole.
    pub fn save(&mut self, folder: &Path) -> Result<u64, BaseError> {
        let snapshot = self.snapshot();
        snapshot.write(folder, |written| self.adopt(written))
    }
}

impl Snapshot {
    /// Writes it, shard by shard; those that are there already stay. Gives the position.
    ///
    /// # Errors
    /// [`BaseError`] when it cannot be written; what was there before is then still whole.
    pub fn write(self, folder: &Path, mut adopt: impl FnMut(Written)) -> Result<u64, BaseError> {
        base::make(folder)?;
        let Self { mut names, people, indexes: [cards, numbers] } = self;
        for (shard, people) in people.into_iter().enumerate() {
            let segment = (Arc::clone(people.base()), people.whole());
            drop(people);
            names.file(folder, Kind::People, shard, segment, &mut adopt)?;
        }
        for (kind, indexes) in [(Kind::Cards, cards), (Kind::Numbers, numbers)] {
            for (shard, index) in indexes.into_iter().enumerate() {
                let segment = (Arc::clone(index.base()), index.whole());
                drop(index);
                names.file(folder, kind, shard, segment, &mut adopt)?;
            }
        }
        names.put(folder)?;
        Ok(names.position)
    }

    /// Looks at the file of one shard, `turn` after `turn` at each of all, and writes it again where it
    /// is not as it was written. Gives its path then.
    ///
    /// # Errors
    /// [`BaseError`] when it cannot be written.
    pub fn mend(&self, folder: &Path, turn: usize) -> Result<Option<PathBuf>, BaseError> {
        let shard = turn % SHARDS;
        let [cards, numbers] = &self.indexes;
        let (kind, segment) = match turn / SHARDS % KINDS.len() {
            0 => (Kind::People, self.people.get(shard).map(|people| people.base())),
            1 => (Kind::Cards, cards.get(shard).map(|index| index.base())),
            _ => (Kind::Numbers, numbers.get(shard).map(|index| index.base())),
        };
        let filed = segment.and_then(|segment| Some((segment, *segment.filed.get()?)));
        let Some((segment, position)) = filed else { return Ok(None) };
        let filed = Filed { kind, shard, position };
        if base::holds(folder, filed, self.names.seed, segment) {
            return Ok(None);
        }
        base::write(folder, filed, self.names.seed, segment)?;
        Ok(Some(filed.path(folder)))
    }
}

impl Names {
    fn file(
        &mut self,
        folder: &Path,
        kind: Kind,
        shard: usize,
        (before, now): (Arc<Segment>, Arc<Segment>),
        adopt: &mut impl FnMut(Written),
    ) -> Result<(), BaseError> {
        let known = now.filed.get().copied();
        let filed = Filed { kind, shard, position: known.unwrap_or(self.position) };
        if known.is_none() || !filed.is_in(folder) {
            base::write(folder, filed, self.seed, &now)?;
            now.filed.get_or_init(|| filed.position);
            if !Arc::ptr_eq(&before, &now) {
                adopt(Written { filed, before, now });
            }
        }
        let of_kind = KINDS.iter().position(|other| *other == kind);
        if let Some(files) = of_kind.and_then(|at| self.files.get_mut(at)) {
            files.push(filed.position);
        }
        Ok(())
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot(position {})", self.names.position)
    }
}

impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Written({:?}, shard {})", self.filed.kind, self.filed.shard)
    }
}
