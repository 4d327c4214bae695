//! A whole nation written as feed files: `feed/SOURCE.ndjson`, `insurers.csv`, `nation.toml`.
//!
//! Threads make blocks of people and append them in turn, so that each file is in order of sequence
//! whatever their number. Nothing of the nation is held but what waits to be written.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::num::NonZero;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use eligibility::day::Timestamp;
use eligibility::feed::Source;
use population::{Population, feed};

/// People made at a time by one thread.
const BLOCK: u64 = 16_384;
/// A source's lines are written to its file from this many octets on. With the most sources that
/// a nation has (about 3 400), what waits stays below 900 MB.
const WAITING: usize = 256 * 1024;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Records, marks included.
    pub records: u64,
    /// Octets of all feed files.
    pub octets: u64,
    /// Feed files.
    pub files: u64,
}

/// What could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct WriteError {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub why: io::Error,
}

impl WriteError {
    fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |why| Self { path: path.to_owned(), why }
    }
}

/// Writes the nation into `folder`, every source complete up to `complete_to`. `made` hears how many
/// more people are done.
///
/// # Errors
/// [`WriteError`]: no room, no right, or a nation is there already.
pub fn write(
    population: &Population,
    complete_to: Timestamp,
    folder: &Path,
    threads: Option<NonZero<usize>>,
    made: impl Fn(u64) + Sync,
) -> Result<Written, WriteError> {
    let feeds = folder.join("feed");
    fs::create_dir_all(folder).map_err(WriteError::at(folder))?;
    fs::create_dir(&feeds).map_err(WriteError::at(&feeds))?;
    let file = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(WriteError::at(&path))
    };
    file("insurers.csv", population.insurers_csv())?;
    let (seed, people, day) = (population.seed(), population.people(), population.day());
    file("nation.toml", format!("seed = {seed}\npeople = {people}\nday = \"{day}\"\n"))?;
    let line = Line::new(&feeds);
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..threads.map_or(1, NonZero::get) {
            scope.spawn(|| {
                let mut made_of = Block::default();
                loop {
                    let block = next.fetch_add(1, Ordering::Relaxed);
                    let first = block.saturating_mul(BLOCK);
                    if first >= people {
                        break;
                    }
                    let last = people.min(first + BLOCK);
                    made_of.make(population, first..last);
                    if !line.append(block, &made_of) {
                        break;
                    }
                    made(last - first);
                }
            });
        }
    });
    line.end(population, complete_to)
}

/// What the people of one block are said to be, source by source.
#[derive(Default)]
struct Block {
    lines: BTreeMap<Source, Vec<u8>>,
    records: u64,
}

impl Block {
    /// Makes it anew, in the memory of the one before: giving that back and asking for it again
    /// costs a page fault for every 4 kB.
    fn make(&mut self, population: &Population, places: Range<u64>) {
        self.lines.retain(|_, lines| !lines.is_empty());
        self.lines.values_mut().for_each(Vec::clear);
        self.records = 0;
        for record in population.records(places) {
            let lines = self.lines.entry(record.source).or_default();
            lines.extend_from_slice(&record.to_json());
            lines.push(b'\n');
            self.records += 1;
        }
    }
}

/// The line in which blocks wait for their turn.
struct Line<'f> {
    feeds: &'f Path,
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    turn: u64,
    waiting: BTreeMap<Source, Vec<u8>>,
    written: Written,
    failed: Option<WriteError>,
}

impl<'f> Line<'f> {
    fn new(feeds: &'f Path) -> Self {
        Self { feeds, state: Mutex::default(), moved: Condvar::new() }
    }

    /// Appends a block when its turn has come; false once writing has failed.
    fn append(&self, at: u64, block: &Block) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |state: &mut State| state.turn != at && state.failed.is_none();
        let mut state = self.moved.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        if state.failed.is_none() {
            let done = state.take(self.feeds, block);
            state.failed = done.err();
            state.turn += 1;
        }
        self.moved.notify_all();
        state.failed.is_none()
    }

    /// Writes the marks and what still waits.
    fn end(self, population: &Population, complete_to: Timestamp) -> Result<Written, WriteError> {
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = state.failed {
            return Err(error);
        }
        for source in population.sources() {
            let mut lines = state.waiting.remove(&source).unwrap_or_default();
            lines.extend(feed::mark(source, population.last_sequence() + 1, complete_to).to_json());
            lines.push(b'\n');
            state.written.records += 1;
            state.written.files += 1;
            state.written.octets += append(self.feeds, source, &[&lines])?;
        }
        Ok(state.written)
    }
}

impl State {
    fn take(&mut self, feeds: &Path, block: &Block) -> Result<(), WriteError> {
        self.written.records += block.records;
        for (source, lines) in &block.lines {
            let waiting = self.waiting.entry(*source).or_default();
            if waiting.len() + lines.len() < WAITING {
                waiting.extend_from_slice(lines);
                continue;
            }
            self.written.octets += append(feeds, *source, &[waiting, lines])?;
            waiting.clear();
        }
        Ok(())
    }
}

/// Appends to the source's file, which is not kept open: there may be more sources than a process
/// may have files open.
fn append(feeds: &Path, source: Source, parts: &[&[u8]]) -> Result<u64, WriteError> {
    let path = feeds.join(format!("{source}.ndjson"));
    let write = || -> io::Result<()> {
        let mut file = File::options().create(true).append(true).open(&path)?;
        parts.iter().try_for_each(|part| file.write_all(part))
    };
    write().map_err(WriteError::at(&path))?;
    Ok(parts.iter().map(|part| part.len() as u64).sum())
}
